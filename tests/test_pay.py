"""The pay of a seller and who does what: the worked example, steps that can be followed, rules that always hold."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_metrics.config import load_config
from cs_metrics.errors import ConfigError, MetricError
from cs_metrics.metrics import METRICS, Scope, run
from cs_metrics.metrics.pay import Plan, Sold, credit, payout, quarter_pay, steps
from cs_metrics.store import Store
from tests.renewal_company import contract
from tests.support import account, company, day, line, records
from tests.test_config import changed
from tests.test_leaderboard import sellers

PLAN = Plan.of(load_config(Path("/nowhere")).pay)


def test_the_worked_example_of_the_definition() -> None:
    found = steps(PLAN, Sold(renewed=180_000, expansion=20_000, extra_years=40_000))
    assert [(name, round(amount, 4)) for name, amount, _, _ in found] == [
        ("Base pay", 10_000),
        ("Variable pay on target", 10_000),
        ("Renewed", 180_000),
        ("Expansion", 30_000),
        ("Longer terms", 4_000),
        ("Counts against the target", 214_000),
        ("Attainment", 1.07),
        ("Payout", 1.105),
        ("Variable pay", 11_050),
        ("Pay of the quarter", 21_050),
    ]
    for said in ("214 000, which is 107 %", "10 000 + 11 050 = 21 050"):
        assert said in METRICS["pay"].doc.replace("\n", " ").replace("  ", " ")


@pytest.mark.parametrize(
    ("attainment", "share"),
    [(0, 0), (0.499, 0), (0.5, 0.5), (0.8, 0.8), (1, 1), (1.2, 1.3), (1.6, 1.9), (5, 2)],
)
def test_payout_begins_follows_accelerates_and_ends(attainment: float, share: float) -> None:
    assert payout(PLAN, attainment) == pytest.approx(share)


amounts = st.floats(0, 1e6)


@settings(max_examples=80, deadline=None)
@given(amounts, amounts, amounts, amounts, st.sampled_from(["renewed", "expansion", "extra_years"]), st.floats(0, 1))
def test_more_never_pays_less(
    renewed: float, expansion: float, years: float, more: float, what: str, base: float
) -> None:
    plan = Plan.of(load_config(Path("/nowhere")).pay, base_share=base)
    sold = Sold(renewed=renewed, expansion=expansion, extra_years=years)
    better = Sold(**{**sold.__dict__, what: sold.__dict__[what] + more})
    assert quarter_pay(plan, better) >= quarter_pay(plan, sold) - 1e-6
    low, high = plan.on_target_year / 4 * base, plan.on_target_year / 4 * (base + (1 - base) * plan.pays_to)
    assert low - 1e-6 <= quarter_pay(plan, sold) <= high + 1e-6
    assert credit(plan, sold) >= sold.renewed
    assert steps(plan, sold)[-1][1] == pytest.approx(quarter_pay(plan, sold))


def test_a_quarter_exactly_on_target_pays_a_quarter_of_the_year() -> None:
    assert quarter_pay(PLAN, Sold(renewed=PLAN.target)) == 20_000


def test_the_pay_of_a_person_takes_target_and_results_of_the_board(tmp_path: Path) -> None:
    store = sellers(tmp_path)
    found = run(store, "pay", as_of=day("2024-09-30"), options={"person": "Ann"}).set_index("step")["amount"]
    # renewed 1000 + 800; expansion 500 won + 300 at renewal; 800 for a second year; target 2000 + 1000
    assert found["Renewed"] == 1800
    assert found["Expansion"] == 1.5 * 800
    assert found["Longer terms"] == pytest.approx(0.1 * 800)
    assert found["Attainment"] == pytest.approx(3080 / 3000)
    south = run(store, "pay", as_of=day("2024-09-30"), scope=Scope.of(team="South"), options={"person": "Ann"})
    assert south.set_index("step")["amount"].to_dict() == found.to_dict()
    given_target = run(store, "pay", as_of=day("2024-09-30"), options={"person": "Ann", "target": "6160"})
    assert given_target.set_index("step").loc["Attainment", "amount"] == pytest.approx(0.5)


def test_what_cannot_be_is_refused(demo_store: Store) -> None:
    for bad in ({"target": 0.0}, {"base_share": 1.2}, {"on_target_year": -1.0}, {"renewed": -5.0}):
        with pytest.raises(MetricError, match=next(iter(bad))):
            run(demo_store, "pay", options=bad)


def test_the_curve_is_the_same_rule(demo_store: Store) -> None:
    found = run(demo_store, "pay_curve", options={"target": 100.0})
    for one in found.itertuples():
        sold = Sold(renewed=100 * one.attainment)
        assert one.pay == pytest.approx(quarter_pay(Plan.of(demo_store.config.pay, target=100), sold))


def test_each_activity_has_one_who_answers_and_somebody_who_does_it(demo_store: Store) -> None:
    found = run(demo_store, "raci")
    for _, part in found.groupby("place"):
        assert part["letter"].str.contains("A").sum() == 1
        assert part["letter"].str.contains("R").any()
    assert found["person"].isna().all()


def test_the_people_of_an_account_stand_beside_their_roles(tmp_path: Path) -> None:
    meetings = [
        {"account_id": "a", "kind": "executive", "scheduled_on": on, "was_held": held, "host": host}
        for on, held, host in (
            ("2024-01-10", True, "Eva"),
            ("2024-02-10", False, "Not held"),
            ("2024-09-01", True, "Later"),
        )
    ]
    store = company(
        tmp_path,
        accounts=[account("a", "2023-01-01", csm="Carl")],
        subscriptions=[line("a", "2023-01-01", None, 10)],
        contracts=[
            contract("late", "2025-12-31", account_id="a", owner="Late"),
            contract("next", "2024-12-31", account_id="a", owner="Rita"),
        ],
        meetings=meetings,
    )
    found = run(store, "raci", as_of=day("2024-06-30"), options={"account_id": "a"}).drop_duplicates("role")
    assert records(found, "role", "person") == [
        ("csm", "Carl"),
        ("renewal_manager", "Rita"),
        ("team_lead", None),
        ("executive", "Eva"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('csm = "AR"\nrenewal_manager = "I"', 'csm = "R"\nrenewal_manager = "I"', "exactly one role that answers"),
        ('csm = "AR"\nrenewal_manager = "C"', 'csm = "A"\nrenewal_manager = "C"', "must have a role that does it"),
        ("base_share = 0.5", "base_share = 1.5", "pay.base_share"),
        ('kind = "flagship"', 'kind = "large"', "large is there twice"),
        ('kind = "small_medium"', 'kind = "at_risk"', "is there twice|last one must be small_medium"),
        ("price = 1800\n", 'price = 1800\nprice_of = "month"\n', "either price"),
        ("gross_margin = 0.75", "gross_margin = 0", "contract_mix.gross_margin"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(changed(tmp_path, old, new))

"""Wins and losses: every decision once, reasons and competitors that add up, terms, and what records lack."""

from collections import Counter
from pathlib import Path

import pytest

from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.store import Store
from tests.renewal_company import contract, lost, renewed, sellers
from tests.support import account, company, day, line, records

FULL = {"reason": "Value", "discount_percent": 0, "renewed_until": "2025-03-31"}


def decided(folder: Path) -> Store:
    return sellers(
        folder,
        [
            renewed("a", "2024-03-31", "2024-03-01", to=1200, **FULL),
            renewed("b", "2024-03-31", "2024-05-01", arr=2000, to=1800, reason="Price agreed", discount_percent=10,
                    renewed_until="2026-03-31"),
            lost("c", "2024-02-10", "2024-02-01", arr=500, reason="Price", competitor="Rival A"),
            lost("d", "2024-06-30", "2024-06-01", arr=300, reason="Price"),
            lost("e", "2024-06-30", "2024-06-05", arr=700),
            renewed("f", "2024-06-30", "2024-06-05", competitor="Rival A"),
            contract("g", "2024-06-15", owner="Ann"),
            lost("h", "2024-12-31", "2024-12-01", reason="Later"),
        ],
        segments={"c": "Large", "d": "Large"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def due(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return decided(tmp_path_factory.mktemp("due"))


def test_each_decision_counts_once_in_the_period_in_which_it_was_due(due: Store) -> None:
    store = due
    found = run(store, "win_loss", as_of=day("2024-07-01"))
    assert records(found, "period", "wins", "losses", "won_arr", "lost_arr", "booked_arr", "win_rate") == [
        ("2024-01-01", 2, 1, 3000, 500, 3000, 0.666667),
        ("2024-04-01", 1, 2, 1000, 1000, 1000, 0.333333),
    ]
    early = run(store, "win_loss", as_of=day("2024-04-30"), options={"every": "all"})
    assert records(early, "wins", "losses") == [(1, 1)]


def test_wins_and_losses_are_the_decisions_of_the_renewal_rates(demo_store: Store) -> None:
    for every in ("quarter", "month"):
        mine = run(demo_store, "win_loss", options={"every": every}).set_index("period")
        rates = run(demo_store, "renewal_rates", options={"every": every}).set_index("period")
        rates = rates[rates["final"] + rates["lost"] > 0]
        mine = mine[mine.index <= rates.index.max()]
        assert mine["listed_wins"].reindex(rates.index).tolist() == rates["final"].tolist()
        assert mine["listed_losses"].reindex(rates.index).tolist() == rates["lost"].tolist()
        assert (mine["wins"] - mine["listed_wins"] + mine["losses"] - mine["listed_losses"]).ge(0).all()


def test_reasons_and_competitors_add_up_to_the_decisions(demo_store: Store) -> None:
    whole = run(demo_store, "win_loss", options={"every": "all"}).iloc[0]
    for by in ("all", "segment", "owner"):
        for every in ("all", "quarter"):
            reasons = run(demo_store, "win_loss_reasons", options={"by": by, "every": every})
            rivals = run(demo_store, "competitors", options={"by": by, "every": every})
            terms = run(demo_store, "won_terms", options={"by": by, "every": every})
            wins, losses = (reasons[reasons["outcome"] == one] for one in ("renewed", "churned"))
            assert (wins["contracts"].sum(), losses["contracts"].sum()) == (whole["wins"], whole["losses"])
            assert rivals["losses"].sum() == whole["losses"]
            assert terms["wins"].sum() == whole["wins"]
            assert losses["arr"].sum() == pytest.approx(whole["lost_arr"])
            assert rivals["lost_arr"].sum() == pytest.approx(whole["lost_arr"])
            assert terms["booked_arr"].sum() == pytest.approx(whole["booked_arr"])
            assert (terms["expanded_arr"] - terms["reduced_arr"]).sum() == pytest.approx(
                whole["booked_arr"] - whole["won_arr"]
            )


def test_reasons_counted_by_hand(demo_store: Store) -> None:
    rows = demo_store.rows("select outcome, reason, decided_on from contracts where outcome is not null")
    counts = Counter((outcome, reason or "not recorded") for outcome, reason, on in rows if on <= day("2026-03-31"))
    found = run(demo_store, "win_loss_reasons", as_of=day("2026-03-31"))
    assert {(one.outcome, one.reason): one.contracts for one in found.itertuples()} == dict(counts)


def test_a_loss_that_names_nobody_is_shown_as_such(due: Store) -> None:
    found = run(due, "competitors", as_of=day("2024-07-01"))
    assert records(found, "competitor", "losses", "lost_arr", "share_of_losses", "wins", "won_arr", "last_on") == [
        ("Rival A", 1, 500, 0.333333, 1, 1000, "2024-06-05"),
        ("none named", 2, 1000, 0.666667, 0, 0, "2024-06-05"),
    ]
    by_segment = run(due, "competitors", as_of=day("2024-07-01"), options={"by": "segment"})
    assert records(by_segment, "group", "competitor", "losses") == [
        ("Large", "Rival A", 1),
        ("Large", "none named", 1),
        ("SMB", "Rival A", 0),
        ("SMB", "none named", 1),
    ]


def test_discount_term_and_amount_of_what_was_won(due: Store) -> None:
    found = run(due, "won_terms", as_of=day("2024-07-01"), options={"by": "all"})
    names = ["wins", "discount_known", "discounted", "discount_rate", "discount_arr", "term_known", "multi_year"]
    assert records(found, *names) == [(3, 2, 1, round(200 / 3000, 6), 200, 2, 1)]
    more = ["multi_year_arr", "longer_term", "mean_term_months", "expanded", "expanded_arr", "reduced", "reduced_arr"]
    assert records(found, *more) == [(1800, 1, 20, 1, 200, 1, 200)]


def test_records_say_what_they_lack(due: Store) -> None:
    store = due
    found = run(store, "renewal_records", as_of=day("2024-07-01"))
    assert records(found, "contract_id", "outcome", "missing", "gaps") == [
        ("d", "churned", "competitor", 1),
        ("e", "churned", "reason", 1),
        ("f", "renewed", "reason; discount; term", 3),
        ("g", None, "outcome", 1),
    ]
    whole = run(store, "renewal_records", as_of=day("2024-07-01"), options={"only_missing": "false"})
    assert len(whole) == 7
    table = run(store, "record_completeness", as_of=day("2024-07-01"))
    assert records(table, "group", "closed", "complete", "no_outcome", "no_reason", "no_term") == [
        ("", 6, 3, 0, 2, 1),
        ("Ann", 1, 0, 1, 0, 0),
    ]


def test_a_record_lacks_nothing_that_only_later_days_know(due: Store) -> None:
    found = run(due, "renewal_records", as_of=day("2024-04-15"))
    assert records(found, "contract_id", "missing") == [("b", "outcome")]


def test_an_outcome_without_its_day_is_a_gap_once_the_end_has_passed(tmp_path: Path) -> None:
    rows = [contract("a", "2024-03-31", outcome="churned", reason="Low use")]
    store = sellers(tmp_path, rows)
    assert run(store, "renewal_records", as_of=day("2024-03-31")).empty
    found = run(store, "renewal_records", as_of=day("2024-04-01"))
    assert records(found, "outcome", "reason", "missing") == [("churned", "Low use", "day of decision")]


def test_a_scope_narrows_and_an_unknown_column_is_refused(due: Store) -> None:
    store = due
    found = run(store, "win_loss", as_of=day("2024-07-01"), scope=Scope.of(segment="Large"), options={"every": "all"})
    assert records(found, "wins", "losses") == [(0, 2)]
    with pytest.raises(MetricError, match="Did you mean 'segment'"):
        run(store, "win_loss_reasons", options={"by": "segmnt"})


def test_without_contracts_the_table_is_named(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account()], subscriptions=[line("a", "2024-01-01", None, 10)])
    with pytest.raises(MissingTable, match="contracts"):
        run(store, "renewal_records")

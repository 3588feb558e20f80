"""What would it take, what if, and concentration: exact lists, the same luck in both forecasts, and honest chances."""

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.models.planner import Choice, Plan, best_plan
from cs_metrics.store import Database, Store
from cs_metrics.workspace.database import Workspace
from cs_metrics.workspace.entries import NewEntry
from tests.renewal_company import contract, lost, renewed, sellers
from tests.support import account, company, day, line

ASKED = {"red_to_yellow_points": 10, "yellow_to_green_points": 5, "red_to_yellow_hours": 4, "yellow_to_green_hours": 2}
Accounts = list[list[Choice]]


def brute(accounts: Accounts, budget: float) -> int:
    """The best there is, by trying everything."""
    tries = itertools.product(*[[None, *account] for account in accounts])
    return max(
        sum(one.cents for one in chosen if one)
        for chosen in tries
        if sum(one.hours for one in chosen if one) <= budget + 1e-9
    )


@settings(max_examples=60, deadline=None)
@given(
    accounts=some.lists(
        some.lists(
            some.builds(Choice, hours=some.integers(1, 40).map(lambda one: one / 4), cents=some.integers(0, 900)),
            min_size=1,
            max_size=2,
        ),
        max_size=6,
    ),
    budget=some.integers(0, 120).map(lambda one: one / 4),
)
def test_the_list_is_the_best_there_is(accounts: Accounts, budget: float) -> None:
    plan = best_plan(accounts, budget, look=2 * budget)
    chosen = [account[place] for account, place in zip(accounts, plan.chosen, strict=True) if place >= 0]
    assert plan.cents == brute(accounts, budget) == sum(one.cents for one in chosen)
    assert plan.hours == pytest.approx(sum(one.hours for one in chosen)) and plan.hours <= budget + 1e-9
    assert (np.diff(plan.curve) >= 0).all()
    assert plan.at(budget) == plan.cents
    assert plan.at(2 * budget) == brute(accounts, 2 * budget)


def test_the_best_list_is_not_the_greedy_one() -> None:
    plan = best_plan([[Choice(6, 660)], [Choice(5, 500)], [Choice(5, 500)]], 10)
    assert plan == Plan((-1, 0, 0), 10.0, 1000, 1.0, plan.curve)


def test_too_fine_hours_for_too_many_accounts_are_refused() -> None:
    with pytest.raises(MetricError, match="too many to choose from exactly"):
        best_plan([[Choice(99.99, 1)], [Choice(100, 1)]] * 20_000, 20_000)


def team(folder: Path, **more: Any) -> Store:
    """Sixty past decisions, of which fifteen were lost, and six open contracts that end in spring 2025."""
    past = [renewed(f"k{at}", "2023-12-31", "2023-12-20", arr=1200) for at in range(45)]
    past += [lost(f"l{at}", "2023-12-31", "2023-12-20", arr=1200) for at in range(15)]
    rows = [
        contract(f"o{at}", str(dt.date(2025, 2 + at % 4, 5)), starts_on="2024-02-05", arr=1200 * (at + 1))
        for at in range(6)
    ]
    lines = [line(str(row["account_id"]), "2023-01-01", "2024-01-01", 100) for row in past]
    lines += [line(str(row["account_id"]), "2024-01-01", None, row["arr"] / 12) for row in rows]
    return sellers(folder, [*past, *rows], subscriptions=lines, **more)


def coloured(monkeypatch: pytest.MonkeyPatch, **colours: str) -> None:
    """Let accounts have a colour without all the data that a score needs."""
    for module in ("what_would_it_take", "what_if"):
        monkeypatch.setattr(f"cs_metrics.metrics.{module}.colours_now", lambda *_: colours)


def ask(store: Store, name: str, *, scope: Scope | None = None, **options: Any) -> pd.DataFrame:
    return run(store, name, as_of=day("2024-12-31"), scope=scope or Scope(), options=options)


def test_the_list_protects_amounts_times_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = team(tmp_path)
    coloured(monkeypatch, o0="red", o1="yellow", o2="green", o3="yellow", o5="red")
    found = ask(store, "what_would_it_take", hours=8, **ASKED)
    rows = found[["account_id", "to_colour", "hours", "protected_arr", "is_on_list"]].to_numpy().tolist()
    # o5: 7200 × 15 points for 6 hours and o3: 4800 × 5 points for 2 hours are best of 8 hours.
    assert rows == [
        ["o5", "green", 6.0, 1080.0, True],
        ["o3", "green", 2.0, 240.0, True],
        ["o0", "", 4.0, 120.0, False],
        ["o1", "", 2.0, 120.0, False],
    ]
    curve = ask(store, "what_would_it_take_by_hours", hours=8, **ASKED)
    assert curve.loc[curve["is_budget"], "protected_arr"].tolist() == [1320.0]
    assert curve["protected_arr"].iloc[-1] == 1080 + 240 + 120 + 180
    assert (curve["marginal_arr"].dropna() >= 0).all()


def test_a_likelihood_rises_at_most_to_certainty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = team(tmp_path)
    coloured(monkeypatch, o0="yellow")
    row = ask(store, "what_would_it_take", yellow_to_green_points=90).iloc[0]
    assert row["protected_arr"] == pytest.approx(1200 * (1 - row["likelihood"]), abs=0.01)


def test_the_effect_is_evidence_only_where_the_past_shows_it(tmp_path: Path) -> None:
    found = ask(team(tmp_path), "lift_evidence").set_index("step")
    assert found["basis"].tolist() == ["assumption", "assumption"]
    assert found["points"].tolist() == [0.08, 0.06]
    assert found.loc["red to yellow", "says"] == "0 moved up and 0 did not: too few to compare"


def moves(up_kept: int, up: int, stay_kept: int, stay: int, segment: str = "SMB") -> pd.DataFrame:
    rows = [(segment, "red", "yellow", at < up_kept) for at in range(up)]
    rows += [(segment, "red", "red", at < stay_kept) for at in range(stay)]
    return pd.DataFrame(rows, columns=["segment", "colour_180", "colour_90", "renewed"])


def test_the_evidence_is_pooled_over_segments_as_mantel_and_haenszel_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = pd.concat([moves(18, 20, 24, 40), moves(9, 10, 7, 10, "Mid")])
    monkeypatch.setattr("cs_metrics.metrics.lift.past_decisions", lambda *_: past)
    row = ask(team(tmp_path), "lift_evidence").iloc[0]
    pooled = ((18 * 40 - 24 * 20) / 60 + (9 * 10 - 7 * 10) / 20) / (20 * 40 / 60 + 10 * 10 / 20)
    assert row["difference"] == pytest.approx(pooled)
    assert (row["basis"], row["points"]) == ("evidence", row["low"])
    assert 0 < row["low"] < row["difference"] < row["high"]


@pytest.mark.parametrize("options", [{"hours": 0}, {"red_to_yellow_hours": -1}, {"yellow_to_green_points": 101}])
def test_impossible_plans_are_refused(tmp_path: Path, options: dict[str, float]) -> None:
    with pytest.raises(MetricError, match="is not possible"):
        ask(team(tmp_path), "what_would_it_take", **options)


def test_without_contracts_nothing_can_be_protected(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account()], subscriptions=[line("a", "2024-01-01", None, 10)])
    for name in ("what_would_it_take", "forecast_what_if", "forecast_scenarios"):
        with pytest.raises(MissingTable):
            run(store, name, as_of=day("2024-06-30"))


# What if


def test_nothing_assumed_changes_nothing(tmp_path: Path) -> None:
    found = ask(team(tmp_path), "forecast_what_if")
    assert (found[["difference", "low", "high"]] == 0).all(axis=None)
    assert found["base_arr"].tolist() == ask(team(tmp_path / "again"), "forecast")["expected_arr"].tolist()


def test_points_bring_amounts_times_points_and_only_for_those_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = team(tmp_path)
    coloured(monkeypatch, o0="red", o1="yellow", o2="red")
    found = ask(store, "forecast_what_if", account=["o4", "o5"], effect_points=5)
    assert found["difference"].iloc[-1] == pytest.approx((6000 + 7200) * 0.05, abs=0.02)
    assert (found["accounts"] == 2).all() and (found["contracts"] == 2).all()
    moved = ask(store, "forecast_what_if", from_colour="red", to_colour="green")
    assert moved["difference"].iloc[-1] == pytest.approx((1200 + 3600) * 0.14, abs=0.02)
    last = found.iloc[-1]
    assert 0 <= last["low"] <= last["difference"] <= last["high"]
    assert last["high"] - last["low"] < last["base_high"] - last["base_low"]


def test_what_slips_is_lost_later(tmp_path: Path) -> None:
    found = ask(team(tmp_path), "forecast_what_if", slip_days=60)
    gained = found["difference"].to_numpy()
    assert gained[0] == 0 and gained[2] > 0
    assert gained[-1] == pytest.approx(0, abs=0.02)  # all of them still end within the year
    assert (ask(team(tmp_path / "far"), "forecast_what_if", slip_days=365)["difference"].iloc[-1]) > 0


@pytest.mark.parametrize("options", [{"slip_days": 400}, {"onboarding_weeks": -1}, {"effect_points": 200}])
def test_impossible_assumptions_are_refused(tmp_path: Path, options: dict[str, float]) -> None:
    with pytest.raises(MetricError, match="is not possible"):
        ask(team(tmp_path), "forecast_what_if", **options)
    with pytest.raises(MetricError, match="There is no account 'zz'"):
        ask(team(tmp_path / "other"), "forecast_what_if", account=["zz"], effect_points=1)


def test_saved_scenarios_stand_side_by_side_until_they_are_removed(tmp_path: Path) -> None:
    team(tmp_path)
    written = Workspace.open(tmp_path)

    def save(name: str, **body: Any) -> str:
        new = NewEntry("scenario", "", "save", body={"name": name, **body})
        return written.write([new], author="Ann", effective_on="2024-12-31")[0].subject

    def seen(as_of: str = "2024-12-31") -> pd.DataFrame:
        return run(Database.open(tmp_path).current(), "forecast_scenarios", as_of=day(as_of))

    save("Work", account_ids="o4, o5", effect_points=4)
    slipped = save("Slip", slip_days=30)
    save("Work", account_ids="o4, o5", effect_points=5)
    found = seen()
    assert found["scenario"].tolist() == ["As things stand", "Slip", "Work"]
    assert found["author"].tolist() == ["", "Ann", "Ann"]
    assert found["assumptions"].iloc[2] == "2 named accounts: likelihood +5 points"
    assert found["difference"].iloc[2] == pytest.approx((6000 + 7200) * 0.05, abs=0.02)
    assert found["probability_below"].iloc[2] <= found["probability_below"].iloc[0]
    assert seen("2024-12-30")["scenario"].tolist() == ["As things stand"]
    written.write([NewEntry("scenario", "", "remove", subject=slipped)], author="Ann", effective_on="2024-12-31")
    assert seen()["scenario"].tolist() == ["As things stand", "Work"]


# Concentration


def test_one_contract_decides_alone(tmp_path: Path) -> None:
    store = team(tmp_path)
    scope = Scope.of(account_id="o5")
    now = ask(store, "revenue_concentration", scope=scope, target_nrr=0.9).iloc[0]
    account = ask(store, "revenue_concentration_accounts", scope=scope, target_nrr=0.9).iloc[0]
    assert now["probability_below"] == pytest.approx(1 - account["likelihood"], abs=0.015)
    assert (now["arr_at_risk"], now["worst_loss"], now["largest_five_share"]) == (7200.0, 7200.0, 1.0)
    assert now["probability_below_without_largest"] == 1.0


def test_the_five_largest_and_what_hangs_on_them(tmp_path: Path) -> None:
    store = team(tmp_path)
    found = ask(store, "revenue_concentration_accounts", target_nrr=0.75)
    assert found["account_id"].tolist() == ["o5", "o4", "o3", "o2", "o1"]
    assert found["share"].tolist() == pytest.approx([one / 21 for one in (6, 5, 4, 3, 2)])
    assert (found["probability_below_if_lost"] >= found["probability_below"]).all()
    assert found["probability_below_if_lost"].is_monotonic_decreasing
    low, high = (ask(store, "revenue_concentration", target_nrr=one).iloc[0] for one in (0.5, 0.95))
    assert low["probability_below"] < high["probability_below"]
    assert low["worst_loss"] >= low["arr_at_risk"] > 0
    with pytest.raises(MetricError, match="target_nrr=0 is not possible"):
        ask(store, "revenue_concentration", target_nrr=0)


def test_nobody_has_no_concentration(tmp_path: Path) -> None:
    scope = Scope.of(segment="Nobody")
    store = team(tmp_path)
    assert ask(store, "revenue_concentration", scope=scope)["probability_below"].isna().all()
    assert ask(store, "revenue_concentration_accounts", scope=scope).empty
    assert ask(store, "what_would_it_take", scope=scope).empty

"""Kaplan-Meier and what rests on it: published curves, hand-counted examples, censoring and later facts."""

import csv
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cs_metrics import periods
from cs_metrics.errors import MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.survival import days_until, kaplan_meier
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

TELCO = Path(__file__).resolve().parents[2] / "shared" / "data" / "telco_ibm" / "WA_Fn-UseC_-Telco-Customer-Churn.csv"
START = "2024-01-01"


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def asked(store: Store, name: str, as_of: str, **options: Any) -> list[tuple[Any, ...]]:
    scope = options.pop("scope", Scope())
    return records(run(store, name, as_of=day(as_of), scope=scope, options=options))


@pytest.mark.skipif(not TELCO.exists(), reason="the IBM Telco data is not beside this checkout")
def test_the_published_curve_of_ibm_telco_comes_out() -> None:
    with TELCO.open(encoding="utf-8") as file:
        customers = list(csv.DictReader(file))
    curve = kaplan_meier([int(one["tenure"]) for one in customers], [one["Churn"] == "Yes" for one in customers])
    at = curve.set_index("time_days")["survival"]
    assert [round(at[month], 3) for month in (12, 24, 48, 72)] == [0.843, 0.789, 0.709, 0.593]


# Freireich et al. 1963, 6-mercaptopurine arm: the example of the textbooks, with R's survfit at log-log intervals.
REMISSION = [(6, 1), (6, 1), (6, 1), (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1), (16, 1), (17, 0)]
REMISSION += [(19, 0), (20, 0), (22, 1), (23, 1), (25, 0), (32, 0), (32, 0), (34, 0), (35, 0)]


def test_the_remission_times_of_freireich_against_r() -> None:
    curve = kaplan_meier(*zip(*REMISSION, strict=True))
    assert records(curve, "time_days", "at_risk", "events") == [
        (0, 21, 0),
        (6, 21, 3),
        (7, 17, 1),
        (10, 15, 1),
        (13, 12, 1),
        (16, 11, 1),
        (22, 7, 1),
        (23, 6, 1),
        (35, 1, 0),
    ]
    assert [round(one, 3) for one in curve["survival"]] == [1, 0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448, 0.448]
    assert [round(one, 3) for one in curve["low"]] == [1, 0.620, 0.563, 0.503, 0.432, 0.368, 0.268, 0.188, 0.188]
    assert [round(one, 3) for one in curve["high"]] == [1, 0.952, 0.923, 0.889, 0.849, 0.805, 0.747, 0.680, 0.680]
    assert days_until(curve, 0.5) == 23
    assert math.isnan(days_until(curve, 0.75))


def test_events_come_before_censorings_of_the_same_day() -> None:
    assert records(kaplan_meier([5, 5], [True, False]), "time_days", "at_risk", "events", "survival") == [
        (0, 2, 0, 1.0),
        (5, 2, 1, 0.5),
    ]


def test_days_until_finds_the_half_that_rounding_hides() -> None:
    assert days_until(kaplan_meier([1, 2, 3, 4, 5, 6], [True] * 6), 0.5) == 3


@pytest.mark.parametrize(
    ("days", "happened", "rows"),
    [
        ([], [], []),
        ([0], [False], [(0, 1, 0, 1.0, 1.0, 1.0)]),
        ([0, 3], [True, True], [(0, 2, 1, 0.5, 0.005983, 0.91041), (3, 1, 1, 0.0, None, None)]),
        ([4, 9], [False, False], [(0, 2, 0, 1.0, 1.0, 1.0), (9, 1, 0, 1.0, 1.0, 1.0)]),
    ],
)
def test_the_edges_of_a_curve(days: list[int], happened: list[bool], rows: list[tuple[Any, ...]]) -> None:
    assert records(kaplan_meier(days, happened)) == rows


def test_it_is_the_product_of_the_shares_that_stay() -> None:
    dice = np.random.default_rng(8)
    days, happened = dice.integers(0, 60, 200), dice.random(200) < 0.6
    for row in kaplan_meier(days, happened).itertuples():
        share = 1.0
        for time in sorted(set(days[happened & (days <= row.time_days)])):
            share *= 1 - (happened & (days == time)).sum() / (days >= time).sum()
        assert row.survival == pytest.approx(share, abs=1e-12)
        assert row.at_risk == (days >= row.time_days).sum()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Four customers: one stays, one leaves on day 40, one has a gap from day 20 to 50, one leaves on day 100."""
    return company(
        tmp_path_factory.mktemp("survival"),
        accounts=[account(name, START, segment="SMB") for name in ("stays", "leaves", "gap", "late", "trial")],
        subscriptions=[
            line("stays", START, None, 10),
            line("leaves", START, after(40), 10),
            line("gap", START, after(20), 10),
            line("gap", after(50), None, 20),
            line("late", START, after(60), 10),
            line("late", after(60), after(100), 15),
            line("trial", START, None, 10, is_trial=True),
        ],
        milestones=[
            {"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7},
            {
                "milestone_id": "m2",
                "name": "First order",
                "position": 2,
                "due_days": 30,
                "completes_on_event": "order_created",
            },
        ],
        milestone_completions=[
            {"account_id": "stays", "milestone_id": "m1", "completed_on": after(25)},
            {"account_id": "gap", "milestone_id": "m1", "completed_on": after(5)},
        ],
        events=[
            {"account_id": "stays", "event": "order_created", "occurred_at": after(10)},
            {"account_id": "gap", "event": "order_created", "occurred_at": after(30)},
            {"account_id": "late", "event": "login", "occurred_at": after(3)},
            {"account_id": "leaves", "event": "order_created", "occurred_at": after(45)},
            {"account_id": "trial", "event": "order_created", "occurred_at": after(-8)},
        ],
    )


def test_customers_survive_until_the_loss_that_is_final_as_known_then(store: Store) -> None:
    curve = ("time_days", "at_risk", "events", "survival")

    def seen(as_of: str) -> list[tuple[Any, ...]]:
        return records(run(store, "survival", as_of=day(as_of)), *curve)

    # On day 45 the gap looks like a loss; on day 50 it is known to have been none.
    assert seen(after(45)) == [(0, 4, 0, 1.0), (20, 4, 1, 0.75), (40, 3, 1, 0.5), (45, 2, 0, 0.5)]
    assert seen(after(50)) == [(0, 4, 0, 1.0), (40, 4, 1, 0.75), (50, 3, 0, 0.75)]
    assert seen(after(99)) == [(0, 4, 0, 1.0), (40, 4, 1, 0.75), (99, 3, 0, 0.75)]
    assert seen(after(100)) == [(0, 4, 0, 1.0), (40, 4, 1, 0.75), (100, 3, 1, 0.5)]


def test_onboarding_ends_with_the_last_milestone(store: Store) -> None:
    found = run(store, "survival", as_of=day(after(60)), options={"from_table": "onboarding"})
    # stays is done on day 25 and gap on day 30; leaves is seen to day 40, late and trial to day 60.
    assert records(found, "time_days", "at_risk", "events", "survival") == [
        (0, 5, 0, 1.0),
        (25, 5, 1, 0.8),
        (30, 4, 1, 0.6),
        (60, 2, 0, 0.6),
    ]


def test_time_to_value_counts_those_without_it_as_long_as_they_were_seen(store: Store) -> None:
    # trial did it before its start (day 0), stays on day 10, gap on day 30; leaves left on day 40, before its first.
    assert asked(store, "time_to_value", after(60)) == [(5, 3, 30.0, 10.0, None)]
    assert asked(store, "time_to_value", after(12)) == [(5, 2, None, 10.0, None)]
    assert asked(store, "time_to_value", after(60), event="login") == [(5, 1, None, None, None)]
    assert asked(store, "time_to_value", after(60), event="*") == [(5, 4, 10.0, 3.0, 30.0)]
    first = records(
        run(store, "survival", as_of=day(after(60)), options={"from_table": "events"}), "time_days", "events"
    )
    assert first == [(0, 1), (10, 1), (30, 1), (60, 0)]


def test_before_anybody_started_nothing_is_known(store: Store) -> None:
    assert asked(store, "time_to_value", after(-1)) == [(0, 0, None, None, None)]
    assert asked(store, "survival", after(-1)) == []


def test_a_scope_narrows_the_accounts(store: Store) -> None:
    assert asked(store, "time_to_value", after(60), scope=Scope.of(segment="Enterprise")) == [(0, 0, None, None, None)]


def test_the_missing_table_is_named(tmp_path: Path) -> None:
    empty = company(tmp_path, accounts=[account()])
    for options, table in (
        ({}, "subscriptions"),
        ({"from_table": "onboarding"}, "milestones"),
        ({"from_table": "events"}, "events"),
    ):
        with pytest.raises(MissingTable, match=f"'{table}'"):
            run(empty, "survival", as_of=day(START), options=options)


def test_later_facts_and_the_order_of_rows_change_nothing(tmp_path: Path) -> None:
    dice, as_of = random.Random(2), after(90)
    names = [f"{number:02}" for number in range(20)]
    starts = {name: dice.randrange(60) for name in names}
    lines = [line(name, after(starts[name]), after(starts[name] + dice.randrange(10, 120)), 10) for name in names]
    known = [{**one, "ends_on": one["ends_on"] if one["ends_on"] <= as_of else None} for one in lines]
    events = [
        {"account_id": dice.choice(names), "event": "order_created", "occurred_at": after(dice.randrange(150))}
        for _ in range(40)
    ]
    accounts = [account(name, after(starts[name])) for name in names]
    whole = company(tmp_path / "whole", accounts=accounts, subscriptions=lines, events=events)
    cut = company(
        tmp_path / "cut",
        accounts=accounts[::-1],
        subscriptions=known[::-1],
        events=[one for one in events if one["occurred_at"] <= as_of][::-1],
    )
    for name, options in (("survival", {}), ("survival", {"from_table": "events"}), ("time_to_value", {})):
        assert asked(whole, name, as_of, **options) == asked(cut, name, as_of, **options)

"""Milestones: the funnel with its identities, waits by group, who is stuck, users; by hand and against plain Python."""

import datetime as dt
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_metrics import periods
from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.milestone_steps import wait_of
from cs_metrics.metrics.survival import days_until, kaplan_meier
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

START = "2024-01-01"
MILESTONES = [
    {"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7},
    {"milestone_id": "m2", "name": "Set-up", "position": 2, "due_days": 30, "segment": "SMB"},
    {"milestone_id": "m3", "name": "First order", "position": 3, "due_days": 60, "completes_on_event": "order_created"},
]


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def asked(store: Store, name: str, as_of: str, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    scope = options.pop("scope", Scope())
    return records(run(store, name, as_of=day(as_of), scope=scope, options=options), *columns)


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One account completes fast, one late, one gets stuck, one is lost in a step, one completes out of order."""
    names = ("fast", "slow", "stuck", "left", "mixed", "big")
    done = [
        *(("fast", "m1", 4), ("fast", "m2", 10), ("slow", "m1", 9), ("slow", "m2", 40), ("left", "m1", 5)),
        *(("mixed", "m2", 12), ("big", "m1", 6), ("left", "m2", 50)),  # left was lost on day 20
    ]
    orders = [("fast", 12, "u1"), ("fast", 30, "u2"), ("slow", 35, "u1"), ("big", -3, "u1"), ("stuck", 50, "")]
    return company(
        tmp_path_factory.mktemp("steps"),
        accounts=[account(name, START, segment="Mid" if name == "big" else "SMB") for name in names],
        subscriptions=[
            line(name, START, after(20) if name == "left" else None, 10 + at) for at, name in enumerate(names)
        ],
        milestones=MILESTONES,
        milestone_completions=[
            {"account_id": name, "milestone_id": milestone, "completed_on": after(on)} for name, milestone, on in done
        ],
        events=[
            *(
                {"account_id": name, "event": "order_created", "occurred_at": after(on), "user_id": user}
                for name, on, user in orders
            ),
            {"account_id": "fast", "event": "login", "occurred_at": after(2), "user_id": "u3"},
            {"account_id": "left", "event": "login", "occurred_at": after(2), "user_id": "u4"},
        ],
    )


COUNTS = ("milestone", "accounts", "reached", "completed", "waiting", "stalled", "lost")


def test_whoever_reached_a_step_completed_it_waits_in_it_or_was_lost_in_it(steps: Store) -> None:
    assert asked(steps, "milestone_funnel", after(45), *COUNTS) == [
        ("Kick-off", 6, 6, 4, 2, 2, 0),  # stuck and mixed never had it
        ("Set-up", 5, 4, 3, 0, 0, 1),  # mixed completed it out of order, left was lost in it
        ("First order", 6, 3, 3, 0, 0, 0),
    ]
    assert asked(steps, "milestone_funnel", after(6), *COUNTS) == [
        ("Kick-off", 6, 6, 3, 3, 0, 0),
        ("Set-up", 5, 2, 0, 2, 0, 0),
        ("First order", 6, 1, 1, 0, 0, 0),
    ]
    assert asked(steps, "milestone_funnel", after(7), *COUNTS)[0] == ("Kick-off", 6, 6, 3, 3, 0, 0)
    assert asked(steps, "milestone_funnel", after(8), *COUNTS)[0] == ("Kick-off", 6, 6, 3, 3, 3, 0)
    # a completion that was recorded after the loss counts as completed, and not as a wait
    assert asked(steps, "milestone_funnel", after(60), *COUNTS)[1] == ("Set-up", 5, 4, 4, 0, 0, 0)


def test_the_funnel_tells_the_time_in_a_step_and_who_was_on_time(steps: Store) -> None:
    columns = ("median_days", "p25_days", "p75_days", "due", "on_time", "on_time_share")
    # Kick-off: 4, 9, 5, 6 days and two that wait for 45. Set-up: 6 (fast), 31 (slow), 0 (mixed), left seen for 15.
    # First order: 2 (fast), 0 (slow had it before reaching it) and 0 (big had it before its start).
    assert asked(steps, "milestone_funnel", after(45), *columns) == [
        (6.0, 5.0, None, 6, 3, 0.5),
        (6.0, 0.0, 31.0, 4, 2, None),
        (0.0, 0.0, 2.0, 0, 0, None),  # its due day has not passed
    ]
    assert asked(steps, "milestone_funnel", after(45), "share", "share_by_end") == [
        (pytest.approx(4 / 6, abs=1e-6), None),
        (0.6, None),
        (0.5, None),
    ]
    assert asked(steps, "milestone_funnel", after(60), *columns)[2][3:] == (5, 4, 0.8)  # left was lost before it
    # From the start: 12, 35, 0 and 50 of six accounts, left not seen after day 20, mixed for 90 days without it.
    found = asked(steps, "milestone_funnel", after(90), "share_by_end")[2]
    assert found == (pytest.approx(1 - (5 / 6) * (4 / 5) * (2 / 3) * (1 / 2), abs=1e-6),)


def test_waits_show_for_whom_a_step_takes_long_and_add_up_to_the_funnel(steps: Store) -> None:
    columns = ("milestone", "group", "reached", "completed", "waiting", "stalled", "lost", "median_days", "overdue_arr")
    assert asked(steps, "milestone_waits", after(45), *columns) == [
        ("Kick-off", "Mid", 1, 1, 0, 0, 0, None, 0.0),
        ("Kick-off", "SMB", 5, 3, 2, 2, 0, 9.0, 12.0 * (12 + 14)),
        ("Set-up", "SMB", 4, 3, 0, 0, 1, None, 0.0),
        ("First order", "Mid", 1, 1, 0, 0, 0, None, 0.0),
        ("First order", "SMB", 2, 2, 0, 0, 0, None, 0.0),
    ]
    assert asked(steps, "milestone_waits", after(45), "low_days", "high_days", by="total")[0] == (4.0, None)
    total = asked(steps, "milestone_waits", after(45), *COUNTS[0:1], *COUNTS[2:], "group", by="total")
    assert [row[:-1] for row in total] == [
        (row[0], *row[2:]) for row in asked(steps, "milestone_funnel", after(45), *COUNTS)
    ]
    assert asked(steps, "milestone_waits", after(45), "group", by="csm")[0] == ("",)
    assert asked(steps, "milestone_waits", after(-1)) == []
    assert asked(steps, "milestone_waits", after(45), "group", segment="Mid") == [("Mid",), ("Mid",)]
    with pytest.raises(MetricError, match="Did you mean 'segment'"):
        asked(steps, "milestone_waits", after(45), by="segmnt")


def test_the_accounts_stuck_in_a_step_are_those_the_funnel_counts(steps: Store) -> None:
    columns = ("account_id", "milestone", "waiting_days", "due_on", "days_overdue", "arr")
    assert asked(steps, "milestone_accounts", after(45), *columns) == [
        ("mixed", "Kick-off", 45, after(7), 38, 168.0),
        ("stuck", "Kick-off", 45, after(7), 38, 144.0),
    ]
    assert asked(steps, "milestone_accounts", after(45), "account_id", milestone_id="m2") == []
    assert asked(steps, "milestone_accounts", after(7), "account_id") == []
    waiting = asked(steps, "milestone_accounts", after(7), "account_id", "milestone_id", "days_overdue", show="waiting")
    assert waiting == [
        ("mixed", "m1", 0),
        ("left", "m2", 0),
        ("stuck", "m1", 0),
        ("slow", "m1", 0),
        ("fast", "m2", 0),
    ]
    with pytest.raises(MetricError, match="no milestone 'm4'"):
        asked(steps, "milestone_accounts", after(45), milestone_id="m4")


def test_users_are_counted_by_what_they_did_themselves(steps: Store) -> None:
    # Known users: u1 to u3 of fast, u1 of slow, u1 of big, u4 of left; the order of stuck names nobody.
    columns = ("milestone", "event", "users", "completed", "share", "accounts", "by_one_user", "median_days")
    assert asked(steps, "milestone_users", after(60), *columns) == [
        ("First order", "order_created", 6, 4, pytest.approx(4 / 6, abs=1e-6), 3, 2, 0.0)
    ]
    assert asked(steps, "milestone_users", after(11), *columns) == [
        ("First order", "order_created", 3, 1, None, 1, 1, None)
    ]
    assert asked(steps, "milestone_users", after(-4)) == []


def test_the_missing_table_is_named(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account()])
    for name in ("milestone_waits", "milestone_accounts", "milestone_users"):
        with pytest.raises(MissingTable, match="'milestones'"):
            asked(store, name, START)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=30),
)
def test_a_wait_is_that_of_the_whole_curve(seen: list[tuple[int, bool]]) -> None:
    days, happened = [one for one, _ in seen], [one for _, one in seen]
    curve, wait = kaplan_meier(days, happened), wait_of(days, happened)
    for found, share in ((wait.median, 0.5), (wait.p25, 0.25), (wait.p75, 0.75)):
        np.testing.assert_equal(found, days_until(curve, share))
    for found, side in ((wait.low, "low"), (wait.high, "high")):
        at = curve.loc[(curve[side].fillna(curve["survival"] if side == "low" else 2) <= 0.5 + 1e-9), "time_days"]
        np.testing.assert_equal(found, float(at.iloc[0]) if len(at) else float("nan"))


# The same numbers by plain Python, from the rows alone.


def naive(rows: dict[str, Any], as_of: int) -> dict[str, dict[str, int]]:
    """Return by milestone what became of each account, counted by hand."""
    found: dict[str, dict[str, int]] = {}
    for milestone in MILESTONES:
        counts = dict.fromkeys(("accounts", "reached", "completed", "waiting", "lost", "stalled", "due", "on_time"), 0)
        for name, one in rows.items():
            if one["start"] > as_of or milestone.get("segment") not in (None, one["segment"]):
                continue
            lost = one["ends"] if one["ends"] is not None and one["ends"] <= as_of else None
            done = {key: max(on, one["start"]) for key, on in one["done"].items() if on <= as_of}
            earlier = [
                other["milestone_id"]
                for other in MILESTONES
                if other["position"] < milestone["position"] and other.get("segment") in (None, one["segment"])
            ]
            own, due = done.get(milestone["milestone_id"]), one["start"] + milestone["due_days"]
            is_open = all(key in done for key in earlier)
            opened = max([one["start"], *(done[key] for key in earlier if key in done)])
            is_reached = own is not None or (is_open and (lost is None or opened <= lost))
            counts["accounts"] += 1
            counts["reached"] += is_reached
            counts["completed"] += own is not None
            counts["waiting"] += is_reached and own is None and lost is None
            counts["lost"] += is_reached and own is None and lost is not None
            counts["stalled"] += is_reached and own is None and lost is None and due < as_of
            in_time = own is not None and own <= due
            counts["on_time"] += due <= as_of and in_time
            counts["due"] += due <= as_of and (in_time or lost is None or lost > due)
            assert name
        found[milestone["milestone_id"]] = counts
    return {key: counts for key, counts in found.items() if counts["accounts"]}


def test_every_count_is_that_of_plain_python_on_any_day(tmp_path: Path) -> None:
    dice = random.Random(11)
    rows = {
        f"{number:02}": {
            "start": dice.randrange(60),
            "segment": dice.choice(["SMB", "Mid"]),
            "ends": dice.choice([None, None, dice.randrange(70, 160)]),
            "done": {key: dice.randrange(150) for key in ("m1", "m2", "m3") if dice.random() < 0.75},
        }
        for number in range(40)
    }
    store = company(
        tmp_path,
        accounts=[account(name, after(one["start"]), segment=one["segment"]) for name, one in rows.items()],
        subscriptions=[
            line(name, after(one["start"]), None if one["ends"] is None else after(one["ends"]), 10)
            for name, one in rows.items()
        ],
        milestones=MILESTONES,
        milestone_completions=[
            {"account_id": name, "milestone_id": key, "completed_on": after(on)}
            for name, one in rows.items()
            for key, on in one["done"].items()
            if key != "m3"
        ],
        events=[
            {"account_id": name, "event": "order_created", "occurred_at": after(one["done"]["m3"])}
            for name, one in rows.items()
            if "m3" in one["done"]
        ],
    )
    for as_of in (0, 20, 61, 90, 130, 200):
        funnel = run(store, "milestone_funnel", as_of=day(after(as_of)))
        expected = naive(rows, as_of)
        assert list(funnel["milestone_id"]) == list(expected)
        for row in funnel.to_dict("records"):
            counts = expected[row["milestone_id"]]
            assert {name: row[name] for name in counts} == counts, as_of
            assert row["reached"] == row["completed"] + row["waiting"] + row["lost"]
        waits = run(store, "milestone_waits", as_of=day(after(as_of)), options={"by": "segment"})
        summed = waits.groupby("milestone_id")[["reached", "completed", "waiting", "lost", "stalled"]].sum()
        for key, row in summed.iterrows():
            assert dict(row) == {name: expected[str(key)][name] for name in row.index}
        stuck = run(store, "milestone_accounts", as_of=day(after(as_of)))
        by_step = stuck.groupby("milestone_id").size().to_dict()
        assert by_step == {key: counts["stalled"] for key, counts in expected.items() if counts["stalled"]}
        assert set(stuck["account_id"]) <= set(rows)


def test_an_account_that_never_paid_waits_and_is_not_lost(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account("a", START)], milestones=MILESTONES[:1])
    assert asked(store, "milestone_funnel", after(9), "reached", "waiting", "stalled", "lost") == [(1, 1, 1, 0)]
    assert asked(store, "milestone_accounts", after(9), "account_id", "arr") == [("a", 0.0)]
    assert isinstance(store.newest_day, dt.date)

"""Lifecycle and stickiness: literal rows, the identities that hold them together, a naive recomputation."""

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics import Scope, run
from cs_metrics.store import Store
from tests.support import account, company, day, records


def use(account_id: str, on: str, event: str = "login") -> dict[str, Any]:
    return {"account_id": account_id, "event": event, "occurred_at": f"{on}T10:00:00"}


def rows(store: Store, name: str, as_of: str, **options: Any) -> list[tuple[Any, ...]]:
    scope = options.pop("scope", Scope())
    return records(run(store, name, as_of=day(as_of), scope=scope, options=options))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    days = {
        "stays": ["2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22"],
        "returns": ["2024-01-02", "2024-01-16"],
        "late": ["2024-01-10", "2024-01-11"],
    }
    return company(
        tmp_path_factory.mktemp("usage"),
        accounts=[account(name, "2023-12-01", segment="SMB" if name == "late" else "Mid") for name in days],
        events=[use(name, on) for name, on_days in days.items() for on in on_days]
        + [use("late", "2024-01-17", "export")],
    )


def test_each_active_account_is_new_returning_or_resurrecting_and_the_missing_are_dormant(store: Store) -> None:
    assert rows(store, "lifecycle", "2024-01-28", event="login") == [
        ("2024-01-01", 2, 0, 0, 0),
        ("2024-01-08", 1, 1, 0, 1),
        ("2024-01-15", 0, 1, 1, 1),
        ("2024-01-22", 0, 1, 0, 1),
    ]


def test_a_period_that_has_not_ended_is_not_yet_known(store: Store) -> None:
    assert rows(store, "lifecycle", "2024-01-16", event="login")[-2:] == [
        ("2024-01-08", 1, 1, 0, 1),
        ("2024-01-15", None, None, None, None),
    ]


def test_what_lies_before_the_window_still_decides_who_is_new(store: Store) -> None:
    assert rows(store, "lifecycle", "2024-01-28", **{"from": "2024-01-17", "to": "2024-01-18"}) == [
        ("2024-01-15", 0, 2, 1, 0)
    ]


def test_lifecycle_by_month_and_in_a_scope(store: Store) -> None:
    assert rows(store, "lifecycle", "2024-02-29", every="month") == [
        ("2024-01-01", 3, 0, 0, 0),
        ("2024-02-01", 0, 0, 0, 3),
    ]
    assert rows(store, "lifecycle", "2024-01-14", scope=Scope.of(segment="SMB"))[-1] == ("2024-01-08", 1, 0, 0, 0)


def test_before_the_first_event_there_is_no_period(store: Store) -> None:
    assert rows(store, "lifecycle", "2023-12-20") == []


def test_stickiness_counts_accounts_by_their_active_periods(store: Store) -> None:
    window = {"from": "2024-01-01", "to": "2024-01-28"}
    assert rows(store, "stickiness", "2024-01-28", every="week", **window) == [(1, 0), (2, 2), (3, 0), (4, 1)]
    assert rows(store, "stickiness", "2024-01-28", every="week", event="login", **window) == [
        (1, 1),
        (2, 1),
        (3, 0),
        (4, 1),
    ]
    assert rows(store, "stickiness", "2024-01-14", every="week", **window) == [(1, 2), (2, 1)]


@pytest.mark.parametrize(("every", "count"), [("day", 28), ("week", 12), ("month", 12)])
def test_without_a_window_stickiness_looks_back_from_the_as_of_day(store: Store, every: str, count: int) -> None:
    assert len(rows(store, "stickiness", "2024-01-28", every=every)) == count


def test_a_window_without_days_is_refused(store: Store) -> None:
    with pytest.raises(MetricError, match="holds no day"):
        rows(store, "stickiness", "2024-01-28", **{"from": "2024-02-01", "to": "2024-01-01"})


def naive_lifecycle(active: dict[str, set[dt.date]], start: dt.date, every: Any) -> tuple[int, ...]:
    before = periods.add_periods(start, every, -1)
    new = sum(start in found and min(found) == start for found in active.values())
    returning = sum(start in found and before in found for found in active.values())
    resurrecting = sum(start in found and before not in found and min(found) < start for found in active.values())
    return new, returning, resurrecting, sum(start not in found and before in found for found in active.values())


@pytest.fixture(scope="module")
def dice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any], list[Any]]:
    roll = random.Random(4)
    accounts = [account(name, "2024-01-01") for name in "abcdefgh"]
    events = [
        use(
            roll.choice("abcdefgh"),
            str(periods.add_days(day("2024-01-03"), roll.randrange(90))),
            roll.choice(["login", "export"]),
        )
        for _ in range(120)
    ]
    return tmp_path_factory.mktemp("dice"), accounts, events


@pytest.mark.parametrize(
    ("every", "week_start"), [("day", "monday"), ("week", "monday"), ("week", "sunday"), ("month", "monday")]
)
def test_both_agree_with_a_naive_recomputation_and_ignore_later_facts(
    dice: Any, every: Any, week_start: Any, tmp_path: Path
) -> None:
    _, accounts, events = dice
    as_of = "2024-03-16"
    later = [use(name, "2024-03-17") for name in "abcdefgh"]
    store = company(tmp_path, accounts=accounts, events=[*later, *reversed(events)])
    active: dict[str, set[dt.date]] = {}
    for one in events:
        on = day(one["occurred_at"][:10])
        if on <= day(as_of):
            active.setdefault(one["account_id"], set()).add(periods.period_start(on, every, week_start))
    found = rows(store, "lifecycle", as_of, every=every, week_start=week_start)
    expected = []
    for start in periods.periods_between(min(min(one) for one in active.values()), day(as_of), every, week_start):
        is_known = periods.period_end(start, every) <= day(as_of)
        expected.append((str(start), *(naive_lifecycle(active, start, every) if is_known else (None,) * 4)))
    assert found == expected
    sticky = dict(rows(store, "stickiness", as_of, every=every, week_start=week_start, **{"from": "2024-01-01"}))
    counts = [len(one) for one in active.values()]
    assert sticky == {number: counts.count(number) for number in sticky}
    assert sum(sticky.values()) == len(active)

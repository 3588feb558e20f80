"""Published test cases of PostHog (MIT), cell by cell through the metric functions."""

import datetime as dt
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cs_metrics import periods
from cs_metrics.metrics.activation import activation
from cs_metrics.metrics.scope import Scope
from cs_metrics.metrics.usage import lifecycle, stickiness
from cs_metrics.store import Store
from tests.support import account, company, day, line

ORACLES = Path(__file__).resolve().parents[2] / "shared" / "oracles"


def cases(name: str) -> list[Any]:
    path = ORACLES / name
    if not path.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{name} is not beside this checkout"))]
    found = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return [pytest.param(one, id=one["test"]) for one in found]


def data(folder: Path, case: dict[str, Any]) -> Store:
    zone = ZoneInfo(case["params"]["timezone"])
    events = [
        {
            "account_id": one["account_id"],
            "event": one["event_name"],
            "occurred_at": dt.datetime.fromisoformat(one["ts"]).astimezone(zone).replace(tzinfo=None).isoformat(),
        }
        for one in case["events"]
    ]
    first = {
        one["account_id"]: one["occurred_at"][:10]
        for one in sorted(events, key=lambda e: e["occurred_at"], reverse=True)
    }
    segments = case.get("segments") or {}
    return company(
        folder,
        accounts=[account(name, started, segment=segments.get(name, "")) for name, started in first.items()],
        subscriptions=[line(name, started, None, 1) for name, started in first.items()],
        events=events,
    )


def matrix(store: Store, given: dict[str, Any], scope: Scope) -> list[list[int]]:
    first, count, every = day(given["first_interval_start"]), given["n_intervals"], given["period"]
    last = periods.add_days(periods.add_periods(first, every, count), -1)
    found = activation(
        store,
        as_of=last,
        scope=scope,
        event=(given["returning_event"] or "*",),
        entry_event=(given["target_event"] or "*",),
        times=given["min_return_occurrences"],
        every=every,
        cohort=every,
        clock="calendar",
        entry="recurring" if given["cohort_mode"] == "recurring" else "first",
        bounded=not given["unbounded"],
        week_start=given["week_start"],
        from_=first,
        to=last,
        min_accounts=1,
    )
    starts = {periods.add_periods(first, every, step): step for step in range(count)}
    got = [[0] * (count - step) for step in range(count)]
    for row in found.itertuples():
        cohort = starts[row.cohort.date()]
        if cohort + row.period >= count:
            assert row.rate != row.rate
            assert row.eligible == 0
        else:
            assert row.eligible == row.cohort_size
            got[cohort][0] = row.cohort_size
            if row.period:
                got[cohort][row.period] = int(row.active)
                assert row.rate == row.active / row.cohort_size
    return got


@pytest.mark.parametrize("case", cases("posthog_retention.json"))
def test_retention_against_posthog(case: dict[str, Any], tmp_path: Path) -> None:
    store, expected = data(tmp_path, case), case["expected_counts"]
    for scope, counts in (
        [(Scope.of(segment=name), counts) for name, counts in expected.items()]
        if isinstance(expected, dict)
        else [(Scope(), expected)]
    ):
        triangle = [row[: len(counts) - step] for step, row in enumerate(counts)]
        assert matrix(store, case["params"], scope) == triangle


@pytest.mark.parametrize("case", cases("posthog_lifecycle.json"))
def test_lifecycle_against_posthog(case: dict[str, Any], tmp_path: Path) -> None:
    given, expected = case["params"], case["expected"]
    every, week_start = given["interval"], given["week_start"]
    first = periods.period_start(day(given["date_from"]), every, week_start)
    starts = [periods.add_periods(first, every, step) for step in range(len(expected["new"]))]
    last = periods.period_end(starts[-1], every)
    found = lifecycle(
        data(tmp_path, case), as_of=last, event=("*",), every=every, week_start=week_start, from_=first, to=last
    )
    assert list(found.period.dt.date) == starts
    for kind, counts in expected.items():
        if counts is not None:
            assert list(found[kind]) == [abs(count) for count in counts]


# The two persons of PostHog's stickiness tests (test_stickiness_query_runner.py, MIT).
EVERY_DAY = [f"2020-01-{day}T12:00:00" for day in range(11, 20)]


@pytest.mark.parametrize(
    ("every", "event", "expected"),
    [
        ("day", "$pageview", {5: 1, 9: 1}),
        ("day", "*", {5: 1, 9: 1}),
        ("week", "$pageview", {3: 2}),
        ("month", "$pageview", {1: 2}),
    ],
)
def test_stickiness_against_posthog(every: str, event: str, expected: dict[int, int], tmp_path: Path) -> None:
    days = {"p1": EVERY_DAY, "p2": EVERY_DAY[::2]}
    store = company(
        tmp_path,
        accounts=[account(name, "2020-01-11") for name in days],
        events=[
            {"account_id": name, "event": kind, "occurred_at": at}
            for name, times in days.items()
            for at in times
            for kind in ("$pageview", "$pageleave")
        ],
    )
    found = stickiness(
        store,
        as_of=day("2020-01-20"),
        event=(event,),
        every=every,  # type: ignore[arg-type]
        week_start="sunday",
        from_=day("2020-01-11"),
        to=day("2020-01-20"),
    )
    assert {row.active_periods: row.accounts for row in found.itertuples() if row.accounts} == expected
    assert list(found.active_periods) == list(range(1, {"day": 10, "week": 3, "month": 1}[every] + 1))

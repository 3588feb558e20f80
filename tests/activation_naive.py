"""Activation recomputed in plain Python, day by day, sharing no line with the SQL; and a company from a dice."""

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

from cs_metrics import periods
from tests.support import account, day

Cell = tuple[Any, int]


@dataclass(frozen=True)
class Stay:
    """One member in one of its periods."""

    cohort: str
    account_id: str
    user_id: str
    entered_on: dt.date
    period: int
    first: dt.date
    last: dt.date
    is_eligible: bool
    is_active: bool
    times: int


def use(account_id: str, on: str, event: str = "order_created", user_id: str = "") -> dict[str, Any]:
    return {"account_id": account_id, "event": event, "occurred_at": f"{on}T10:00:00", "user_id": user_id}


def random_company(seed: int) -> tuple[list[Any], list[Any]]:
    dice = random.Random(seed)
    accounts = [
        account(name, str(periods.add_days(day("2023-12-28"), dice.randrange(40))), segment=dice.choice(["SMB", "Mid"]))
        for name in "abcdefg"
    ]
    events = [
        use(
            dice.choice(accounts)["account_id"],
            str(periods.add_days(day("2023-12-28"), int(dice.triangular(0, 120, 20)))),
            dice.choice(["order_created", "login", "export"]),
            dice.choice(["", "u1", "u2"]),
        )
        for _ in range(150)
    ]
    return accounts, events


def stays(accounts: list[Any], events: list[Any], as_of: dt.date, o: dict[str, Any]) -> list[Stay]:
    """Every member in every period that has begun."""
    calendar, every, week_start = o["clock"] == "calendar", o["every"], o["week_start"]
    since, until = o["from"] or dt.date.min, min(o["to"] or as_of, as_of)
    segments = {one["account_id"]: one["segment"] for one in accounts}

    def wanted(event: dict[str, Any], names: tuple[str, ...]) -> bool:
        return day(event["occurred_at"][:10]) <= until and ("*" in names or event["event"] in names)

    def who(row: dict[str, Any]) -> tuple[str, str]:
        return (row["account_id"], row["user_id"] if o["unit"] == "user" else "")

    known = [one for one in events if o["unit"] == "account" or one["user_id"]]
    if o["entry_event"] or o["unit"] == "user":
        enters = [(who(one), day(one["occurred_at"][:10])) for one in known if wanted(one, o["entry_event"] or ("*",))]
    else:
        enters = [
            ((one["account_id"], ""), day(one["started_on"])) for one in accounts if day(one["started_on"]) <= until
        ]
    members: dict[Any, dt.date] = {}
    for unit, on in sorted(enters, key=lambda pair: pair[1]):
        if o["entry"] == "first" or not o["entry_event"]:
            key: Any = unit
        elif on < since:
            continue
        else:
            key = (unit, periods.period_start(on, every if calendar else o["cohort"], week_start))
        members.setdefault(key, on)
    found = []
    for key, on in members.items():
        if on < since:
            continue
        unit = key if isinstance(key[0], str) else key[0]
        cohort = {"all": "all", "segment": segments[unit[0]]}.get(o["cohort"])
        cohort = cohort or str(periods.period_start(on, o["cohort"], week_start))
        anchor = periods.period_start(on, every, week_start) if calendar else on
        did = [
            day(one["occurred_at"][:10])
            for one in known
            if who(one) == unit and wanted(one, o["event"]) and day(one["occurred_at"][:10]) >= max(anchor, since)
        ]
        rows, k = [], 0
        while periods.add_periods(anchor, every, k) <= until:
            first, end = periods.add_periods(anchor, every, k), periods.add_periods(anchor, every, k + 1)
            rows.append((first, end, sum(first <= one < end for one in did)))
            k += 1
        for period, (first, end, times) in enumerate(rows):
            later = rows[period:] if not o["bounded"] else rows[period : period + 1]
            is_active = any(one[2] >= o["times"] for one in later)
            last = periods.add_days(end, -1)
            found.append(Stay(cohort, *unit, on, period, first, last, last <= until, is_active, times))
    return found


def cells(found: list[Stay]) -> dict[Cell, tuple[Any, ...]]:
    """Per cohort and period: cohort size, eligible, active (None while nobody is eligible), first and last day."""
    sizes: dict[str, int] = {}
    for one in found:
        sizes[one.cohort] = sizes.get(one.cohort, 0) + int(one.period == 0)
    table: dict[Cell, list[Stay]] = {}
    for one in found:
        table.setdefault((one.cohort, one.period), []).append(one)
    return {
        (cohort, period): (
            sizes[cohort],
            sum(one.is_eligible for one in inside),
            sum(one.is_eligible and one.is_active for one in inside)
            if any(one.is_eligible for one in inside)
            else None,
        )
        for (cohort, period), inside in table.items()
    }


def days(found: list[Stay], every: str, cohort: str, period: int) -> tuple[str, str]:
    """The first day of the period of a cohort's first member, and the last day of that of its last member."""
    anchors = [one.first for one in found if one.cohort == cohort and one.period == 0]
    first, end = periods.add_periods(min(anchors), every, period), periods.add_periods(max(anchors), every, period + 1)
    return str(first), str(periods.add_days(end, -1))

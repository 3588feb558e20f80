"""The raw measures of health against the same definitions in naive Python, one account and week at a time."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_metrics.marts import portable
from cs_metrics.store import Store
from tests.health_company import Rows, at, random_company
from tests.support import account, company, day, line, records

MEASURES = (
    "stage",
    "mrr_cents",
    "seats",
    "active_users",
    "times",
    "core_feature_share",
    "core_days",
    "active_user_share",
    "active_days",
    "stuck_tickets",
    "days_to_close",
    "tickets_90",
    "nps",
    "csat",
    "outcome_ratio",
    "sponsor_in_place",
    "days_since_meeting",
)


def weeks(store: Store, *columns: str) -> list[tuple[Any, ...]]:
    return records(
        store.frame("select * from account_week order by account_id, week_end"), "account_id", "week_end", *columns
    )


def test_every_measure_is_what_its_definition_says(tmp_path_factory: pytest.TempPathFactory) -> None:
    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 10**6))
    def check(seed: int) -> None:
        rows = random_company(seed)
        store = company(tmp_path_factory.mktemp("company"), **rows)
        got = {row[:2]: dict(zip(MEASURES, row[2:], strict=True)) for row in weeks(store, *MEASURES)}
        want = naive(rows, store.newest_day)
        assert got.keys() == want.keys()
        for key, measures in want.items():
            assert got[key] == pytest.approx(measures, abs=2e-6), key

    check()


def naive(rows: Rows, newest: dt.date) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the measures of every account and week, that of the newest day included, at whose end it has MRR."""
    found = {}
    started = min(day(one["started_on"]) for one in rows["accounts"])
    end = started + dt.timedelta(6 - started.weekday())
    while end <= newest + dt.timedelta(6):
        for one in rows["accounts"]:
            mine = {
                name: [row for row in table if row.get("account_id") == one["account_id"]]
                for name, table in rows.items()
            }
            if any(_is_active(row, end) for row in mine["subscriptions"]):
                found[(one["account_id"], str(end))] = _measures(one, mine, rows, end)
        end += dt.timedelta(7)
    return found


def _is_active(row: dict[str, Any], on: dt.date) -> bool:
    return day(row["starts_on"]) <= on and (not row["ends_on"] or day(row["ends_on"]) > on)


def _on(text: str | None) -> dt.date | None:
    return dt.datetime.fromisoformat(text).date() if text else None


def _measures(one: dict[str, Any], mine: Rows, rows: Rows, end: dt.date) -> dict[str, Any]:
    return {
        "stage": _stage(one, mine, end),
        "mrr_cents": sum(row["mrr"] * 100 for row in mine["subscriptions"] if _is_active(row, end)),
        **_use(mine, rows, end),
        **_support(mine, end),
        **_sentiment(mine, end),
        "outcome_ratio": _outcome(mine, end),
        **_relationship(mine, end),
    }


def _stage(one: dict[str, Any], mine: Rows, end: dt.date) -> str:
    if (end - day(one["started_on"])).days < 90:
        return "onboarding"
    ends = [
        day(row["ends_on"]) for row in mine.get("contracts", []) if day(row["starts_on"]) <= end < day(row["ends_on"])
    ]
    return "renewal" if ends and (min(ends) - end).days <= 90 else "adoption"


def _use(mine: Rows, rows: Rows, end: dt.date) -> dict[str, Any]:
    seats: dict[str, int] = {}
    for row in mine["subscriptions"]:
        if _is_active(row, end) and row.get("seats"):
            seats[row["product_id"]] = seats.get(row["product_id"], 0) + row["seats"]
    people = [
        row
        for row in mine.get("users", [])
        if (not row["created_at"] or _on(row["created_at"]) <= end)
        and (not row["deactivated_at"] or _on(row["deactivated_at"]) > end)
    ]
    places = max(seats.values()) if seats else (len(people) or None)
    ever = [row for row in mine.get("events", []) if _on(row["occurred_at"]) <= end]
    recent = [row for row in ever if (end - _on(row["occurred_at"])).days < 28]
    listed = {"order", "report"}
    used = {"alone" if row["product_id"] == "alone" else row["event"] for row in recent} & (listed | {"alone"})
    used |= {row["event"] for row in recent} & listed
    core_days = {row["occurred_at"] for row in recent if row["event"] in listed or row["product_id"] == "alone"}
    active = len({row["user_id"] for row in recent if row["user_id"]}) if any(row["user_id"] for row in ever) else None
    return {
        "seats": places,
        "active_users": active,
        "times": len(recent) if ever else None,
        "core_feature_share": len(used) / 3 if ever else None,
        "core_days": len(core_days) if ever else None,
        "active_user_share": active / places if active is not None and places else None,
        "active_days": len({row["occurred_at"] for row in recent}) if ever else None,
    }


def _support(mine: Rows, end: dt.date) -> dict[str, Any]:
    known = [row for row in mine.get("tickets", []) if _on(row["opened_at"]) <= end]
    if not known:
        return {"stuck_tickets": None, "days_to_close": None, "tickets_90": None}
    waiting = [row for row in known if not row["closed_at"] or _on(row["closed_at"]) > end]
    stuck = [row for row in waiting if row["priority"] == "urgent" or (end - _on(row["opened_at"])).days > 14]
    closed = [row for row in known if row not in waiting and (end - _on(row["closed_at"])).days < 90]
    took = [(_on(row["closed_at"]) - _on(row["opened_at"])).days for row in closed]
    return {
        "stuck_tickets": len(stuck),
        "days_to_close": sum(took) / len(took) if took else None,
        "tickets_90": len([row for row in known if (end - _on(row["opened_at"])).days < 90]),
    }


def _sentiment(mine: Rows, end: dt.date) -> dict[str, Any]:
    found = {}
    for kind in ("nps", "csat"):
        scores = [
            row["score"]
            for row in mine.get("surveys", [])
            if row["kind"] == kind and 0 <= (end - _on(row["answered_at"])).days < 180
        ]
        found[kind] = sum(scores) / len(scores) if scores else None
    return found


def _outcome(mine: Rows, end: dt.date) -> float | None:
    last = end.month if (end + dt.timedelta(1)).month != end.month else end.month - 1
    ratios = []
    for metric in ("sales", "orders"):
        by = {int(row["month"][5:7]): row["value"] for row in mine.get("outcomes", []) if row["metric"] == metric}
        values = [by.get(month) for month in range(last - 5, last + 1)]
        if None not in values and sum(values[:3]) > 0:
            ratios.append(sum(values[3:]) / sum(values[:3]))
    return sum(ratios) / len(ratios) if ratios else None


def _relationship(mine: Rows, end: dt.date) -> dict[str, Any]:
    people = [row for row in mine.get("contacts", []) if not row["since"] or day(row["since"]) <= end]
    there = [row for row in people if row["role"] != "champion" and (not row["left_on"] or day(row["left_on"]) > end)]
    set_ = [row for row in mine.get("meetings", []) if day(row["scheduled_on"]) <= end]
    held = [day(row["scheduled_on"]) for row in set_ if row["was_held"]]
    last = max(held) if held else min((day(row["scheduled_on"]) for row in set_), default=None)
    return {
        "sponsor_in_place": int(bool(there)) if people else None,
        "days_since_meeting": (end - last).days if last else None,
    }


def test_an_account_has_the_weeks_at_whose_end_it_pays_up_to_that_of_the_newest_day(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", "2024-01-03"), account("b", "2024-01-03")],
        subscriptions=[line("a", "2024-01-03", None, 10), line("b", "2024-01-03", "2024-01-14", 10)],
        surveys=[{"account_id": "a", "kind": "nps", "score": 9, "answered_at": "2024-01-15T09:00:00"}],  # a Monday
    )
    assert weeks(store, "nps") == [
        ("a", "2024-01-07", None),
        ("a", "2024-01-14", None),
        ("a", "2024-01-21", 9.0),
        ("b", "2024-01-07", None),
    ]


def test_seats_of_add_ons_are_not_added_and_zero_seats_fall_back_to_the_known_users(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a"), account("b")],
        subscriptions=[
            line("a", "2024-01-01", None, 10, seats=5, product_id="core"),
            line("a", "2024-01-01", None, 20, seats=4, product_id="core"),
            line("a", "2024-01-01", None, 30, seats=9, product_id="extra"),
            line("b", "2024-01-01", None, 10, seats=0),
        ],
        users=[{"account_id": "b", "user_id": "u1"}, {"account_id": "b", "user_id": "u2"}],
        events=[{"account_id": "b", "event": "x", "occurred_at": "2024-01-07T09:00:00", "user_id": "u1"}],
    )
    got = weeks(store, "seats", "seats_bought", "active_user_share")
    assert got == [("a", "2024-01-07", 9, 9, None), ("b", "2024-01-07", 2, None, 0.5)]


def test_results_of_any_size_give_a_ratio(tmp_path: Path) -> None:
    def months(name: str, before: float, after: float) -> list[dict[str, Any]]:
        values = [before] * 3 + [after] * 3
        return [
            {"account_id": name, "metric": "m", "month": f"2024-{at + 1:02d}-01", "value": value}
            for at, value in enumerate(values)
        ]

    store = company(
        tmp_path,
        accounts=[account(name) for name in "abcd"],
        subscriptions=[line(name, "2024-01-01", None, 10) for name in "abcd"],
        outcomes=[*months("a", 0.0004, 0.0003), *months("b", 2e17, 3e17), *months("c", 1e-9, 1e9), *months("d", 0, 5)],
        surveys=[{"account_id": "a", "kind": "nps", "score": 9, "answered_at": "2024-06-30T09:00:00"}],
    )
    got = [row[2] for row in weeks(store, "outcome_ratio") if row[1] == "2024-06-30"]
    assert got == [0.75, 1.5, 1000.0, None]


def test_the_mart_keeps_to_what_both_engines_agree_on() -> None:
    sql = Path(portable.__file__).with_name("account_week.sql").read_text(encoding="utf-8")
    assert portable.problems(sql) == []


def test_a_user_counts_once_however_many_of_the_four_weeks_it_was_active(tmp_path: Path) -> None:
    events = [
        {"account_id": "a", "event": "x", "occurred_at": at(dt.date(2024, 1, 1) + dt.timedelta(step)), "user_id": "u"}
        for step in (0, 7, 14, 27)
    ]
    store = company(
        tmp_path, accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 10, seats=4)], events=events
    )
    assert weeks(store, "active_users", "active_days", "times")[-1] == ("a", "2024-01-28", 1, 4, 4)

"""Health that stays red opens a call to action by rule, and closes it when it is no longer red."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_metrics import periods
from cs_metrics.metrics import run
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

FIRST = day("2024-01-07")  # a Sunday


def sponsored(folder: Path, weeks: dict[str, str], left: dict[str, int] | None = None) -> Store:
    """Accounts whose health is only whether a sponsor is in place: g a green week, r a red one, from 7 January on."""
    contacts: list[dict[str, Any]] = []
    for name, course in weeks.items():
        for number, colour in enumerate(course):
            monday = periods.add_days(FIRST, 7 * number - 6)
            who = {"contact_id": f"{name}{number}", "account_id": name, "role": "sponsor", "since": str(monday)}
            # a red week has a sponsor who has left in it, so that it is known that there is none
            ends = periods.add_days(monday, 7) if colour == "g" else periods.add_days(monday, 1)
            contacts.append({**who, "left_on": str(ends)})
    ends = {name: str(periods.add_days(FIRST, 7 * number - 6)) for name, number in (left or {}).items()}
    newest = periods.add_days(FIRST, 7 * max(len(one) for one in weeks.values()) - 7)
    return company(
        folder,
        accounts=[account(name, csm="Kim") for name in weeks],
        subscriptions=[line(name, "2024-01-01", ends.get(name), 10) for name in weeks],
        contacts=contacts,
        messages=[{"account_id": name, "kind": "check_in", "sent_at": f"{newest}T09:00:00"} for name in weeks],
    )


def alerts(store: Store) -> list[tuple[Any, ...]]:
    columns = "account_id, opened_on, due_on, closed_on, closed_as, owner"
    return records(store.frame(f"select {columns} from cta where reason = 'Red health' order by account_id, opened_on"))


def test_two_red_sundays_open_it_and_the_first_other_one_closes_it(tmp_path: Path) -> None:
    store = sponsored(
        tmp_path, {"a": "grrrggrrgg", "b": "ggrgrggggg", "c": "ggrrrrrrrr", "d": "grrrgggggg"}, left={"d": 4}
    )
    assert alerts(store) == [
        ("a", "2024-01-22", "2024-01-29", "2024-02-05", "success", "Kim"),
        ("a", "2024-02-26", "2024-03-04", "2024-03-04", "success", "Kim"),
        ("c", "2024-01-29", "2024-02-05", None, None, "Kim"),
        ("d", "2024-01-22", "2024-01-29", "2024-02-05", "lost", "Kim"),
    ]


def test_it_is_there_from_the_day_after_the_second_red_sunday(tmp_path: Path) -> None:
    store = sponsored(tmp_path, {"a": "grrrg"})
    opened = {
        str(on): run(store, "account_header", as_of=on, options={"account_id": "a"})["open_ctas"].iloc[0]
        for on in (dt.date(2024, 1, 21), dt.date(2024, 1, 22), dt.date(2024, 2, 4))
    }
    assert opened == {"2024-01-21": 0, "2024-01-22": 1, "2024-02-04": 1}
    found = run(store, "at_risk", as_of=day("2024-01-28"))
    assert records(found, "actions", "owner", "due_on") == [("Red health (due 2024-01-29)", "Kim", "2024-01-29")]
    assert "recorded" not in found["cause"].iloc[0], "a rule is no cause"


def test_no_week_of_a_random_course_is_alerted_twice_or_missed(tmp_path_factory: pytest.TempPathFactory) -> None:
    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.text("gr", min_size=9, max_size=9), min_size=4, max_size=4))
    def check(courses: list[str]) -> None:
        weeks = {f"a{at}": course for at, course in enumerate(courses)}
        found = {row[:4] for row in alerts(sponsored(tmp_path_factory.mktemp("weeks"), weeks))}
        assert {(one[0], one[1], one[3]) for one in found} == {
            (name, str(opened), str(closed) if closed else None)
            for name, course in weeks.items()
            for opened, closed in naive(course)
        }

    check()


def naive(course: str) -> list[tuple[dt.date, dt.date | None]]:
    """Walk the weeks: the second red one in a row opens, the first green one closes; each the day after its Sunday."""
    found: list[tuple[dt.date, dt.date | None]] = []
    run_length = 0
    for number, colour in enumerate(course):
        monday = periods.add_days(FIRST, 7 * number + 1)
        if colour == "r":
            run_length += 1
            if run_length == 2:
                found.append((monday, None))
        else:
            if run_length >= 2:
                found[-1] = (found[-1][0], monday)
            run_length = 0
    return found

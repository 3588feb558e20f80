import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_metrics import periods
from cs_metrics.errors import MetricError

DAYS = st.dates(min_value=dt.date(1995, 1, 1), max_value=dt.date(2045, 12, 31))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-01-31", 2, "2024-03-31"),
        ("2024-01-31", -2, "2023-11-30"),
        ("2024-12-15", 1, "2025-01-15"),
    ],
)
def test_a_month_is_counted_from_the_anchor(start: str, months: int, expected: str) -> None:
    assert periods.add_months(day(start), months) == day(expected)


@pytest.mark.parametrize(
    ("text", "every", "week_start", "expected"),
    [
        ("2024-05-08", "day", "monday", "2024-05-08"),
        ("2024-05-08", "week", "monday", "2024-05-06"),
        ("2024-05-08", "week", "sunday", "2024-05-05"),
        ("2024-05-05", "week", "sunday", "2024-05-05"),
        ("2024-05-05", "week", "monday", "2024-04-29"),
        ("2024-05-08", "month", "monday", "2024-05-01"),
        ("2024-05-08", "quarter", "monday", "2024-04-01"),
        ("2024-05-08", "year", "monday", "2024-01-01"),
    ],
)
def test_period_start(text: str, every: periods.Every, week_start: periods.WeekStart, expected: str) -> None:
    assert periods.period_start(day(text), every, week_start) == day(expected)


@given(DAYS, st.sampled_from(["day", "week", "month", "quarter", "year"]), st.sampled_from(["monday", "sunday"]))
def test_a_day_lies_in_exactly_one_period(one: dt.date, every: periods.Every, week_start: periods.WeekStart) -> None:
    start = periods.period_start(one, every, week_start)
    assert start <= one <= periods.period_end(start, every)
    assert periods.period_start(periods.next_period(start, every), every, week_start) == periods.next_period(
        start, every
    )
    assert periods.period_start(periods.add_days(start, -1), every, week_start) < start


@given(DAYS)
def test_the_last_full_week_ends_on_the_newest_sunday(one: dt.date) -> None:
    sunday = periods.last_full_week_end(one)
    assert sunday.weekday() == 6
    assert 0 <= periods.days_between(sunday, one) <= 6


@given(DAYS, DAYS)
def test_periods_between_are_consecutive_months(first: dt.date, last: dt.date) -> None:
    found = periods.periods_between(min(first, last), max(first, last), "month")
    assert len(found) == periods.months_between(min(first, last), max(first, last)) + 1
    assert all(one.day == 1 for one in found)


def test_a_text_that_is_no_day_is_refused_with_the_form() -> None:
    with pytest.raises(MetricError, match="write it as 2026-03-31"):
        periods.day_of("31.3.2026")

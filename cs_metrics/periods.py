"""The one place for date arithmetic: days, weeks, months, quarters and the life stages that follow from them.

Intervals are half-open everywhere: the first day belongs, the last does not.
"""

import datetime as dt
from typing import Literal

from cs_metrics.errors import MetricError

__all__ = [
    "DAYS_PER_YEAR",
    "Every",
    "WeekStart",
    "add_days",
    "add_months",
    "add_periods",
    "day_of",
    "days_between",
    "last_full_week_end",
    "month_end",
    "month_start",
    "months_between",
    "next_period",
    "period_end",
    "period_start",
    "periods_between",
    "quarter_start",
    "week_start_of",
    "year_start",
]

Every = Literal["day", "week", "month", "quarter", "year"]
WeekStart = Literal["monday", "sunday"]
DAYS_PER_YEAR = 365
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def day_of(text: str | dt.date) -> dt.date:
    """Return the day that an ISO 8601 text names; `MetricError` when it names none."""
    if isinstance(text, dt.datetime):
        return text.date()
    if isinstance(text, dt.date):
        return text
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise MetricError(f"{text!r} is not a day; write it as 2026-03-31.") from None


def add_days(day: dt.date, days: int) -> dt.date:
    """Return the day `days` later (earlier when negative)."""
    return day + dt.timedelta(days=days)


def days_between(first: dt.date, last: dt.date) -> int:
    """Return how many days after `first` the day `last` is."""
    return (last - first).days


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day of the month `months` later, or that month's last day where it is shorter.

    31 January plus one month is 28 or 29 February, plus two months 31 March: always counted from the anchor.
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    first = dt.date(year, month + 1, 1)
    return first.replace(day=min(day.day, month_end(first).day))


def month_start(day: dt.date) -> dt.date:
    """Return the first day of the month of `day`."""
    return day.replace(day=1)


def month_end(day: dt.date) -> dt.date:
    """Return the last day of the month of `day`."""
    first = day.replace(day=1)
    following = (
        first.replace(year=first.year + 1, month=1) if first.month == 12 else first.replace(month=first.month + 1)
    )
    return following - dt.timedelta(days=1)


def quarter_start(day: dt.date) -> dt.date:
    """Return the first day of the calendar quarter of `day`."""
    return dt.date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def year_start(day: dt.date) -> dt.date:
    """Return 1 January of the year of `day`."""
    return dt.date(day.year, 1, 1)


def week_start_of(day: dt.date, week_start: WeekStart = "monday") -> dt.date:
    """Return the first day of the week of `day`, for weeks that start on Monday or Sunday."""
    shift = day.weekday() if week_start == "monday" else (day.weekday() + 1) % 7
    return day - dt.timedelta(days=shift)


def period_start(day: dt.date, every: Every, week_start: WeekStart = "monday") -> dt.date:
    """Return the first day of the calendar period that holds `day`."""
    if every == "day":
        return day
    if every == "week":
        return week_start_of(day, week_start)
    return {"month": month_start, "quarter": quarter_start, "year": year_start}[every](day)


def add_periods(start: dt.date, every: Every, count: int) -> dt.date:
    """Return the first day of the period `count` after the one that starts on `start`."""
    if every == "day":
        return add_days(start, count)
    if every == "week":
        return add_days(start, 7 * count)
    return add_months(start, _MONTHS[every] * count)


def next_period(start: dt.date, every: Every) -> dt.date:
    """Return the first day of the following period."""
    return add_periods(start, every, 1)


def period_end(start: dt.date, every: Every) -> dt.date:
    """Return the last day of the period that starts on `start`."""
    return add_days(next_period(start, every), -1)


def periods_between(first: dt.date, last: dt.date, every: Every, week_start: WeekStart = "monday") -> list[dt.date]:
    """Return the first days of all periods from the one that holds `first` to the one that holds `last`."""
    start, found = period_start(first, every, week_start), []
    while start <= last:
        found.append(start)
        start = next_period(start, every)
    return found


def months_between(first: dt.date, last: dt.date) -> int:
    """Return how many month boundaries lie between two days."""
    return (last.year - first.year) * 12 + last.month - first.month


def last_full_week_end(as_of: dt.date) -> dt.date:
    """Return the newest Sunday on or before `as_of`: the last day whose week (Monday to Sunday) is complete."""
    return add_days(as_of, -((as_of.weekday() + 1) % 7))

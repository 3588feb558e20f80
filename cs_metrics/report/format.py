"""Numbers and days as people read them; every screen, slide and sheet says them with these functions.

Unknown values (None, NaN) read "–". Signs are ASCII, because the figure cards read the direction from them.
"""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

__all__ = [
    "HEALTH_WORDS",
    "SYMBOLS",
    "UNKNOWN",
    "Change",
    "ahead",
    "change",
    "count",
    "date",
    "days",
    "fixed",
    "health",
    "is_known",
    "money",
    "month",
    "number",
    "percent",
    "period",
    "plural",
    "points",
    "quarter",
    "rate",
    "short",
    "value",
]

UNKNOWN = "–"
SYMBOLS = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "CNY": "CN¥",
    "INR": "₹",
    "CHF": "CHF ",
    "AUD": "A$",
    "CAD": "C$",
}
HEALTH_WORDS = {"red": "■ At risk", "yellow": "▲ Watch", "green": "● Healthy"}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# from which amount on, divided by what, with which letter and decimals: each begins where the one below would say 1000
_SCALES = ((999.95e9, 1e12, "T", 1), (999.95e6, 1e9, "B", 1), (999.5e3, 1e6, "M", 1), (999.5, 1e3, "k", 0))


def is_known(value: Any) -> bool:
    """Return whether a value can be said: None, NaN and the missing values of a frame cannot."""
    return value is not None and value is not pd.NA and bool(value == value)


def money(amount: float | None, currency: str = "USD") -> str:
    """Return an amount with its currency in at most four figures: $297.1M, $140k, $950; -$140k below zero."""
    if amount is None or math.isnan(amount):
        return UNKNOWN
    text = _short(abs(amount))
    return f"{'-' if amount < 0 and text.strip('0.') else ''}{SYMBOLS.get(currency, f'{currency} ')}{text}"


def _short(size: float) -> str:
    for begins, scale, letter, places in _SCALES:
        if size >= begins:
            shown = 1 if letter == "k" and size < 9950 else places
            text = f"{size / scale:.{shown}f}"
            return (text.removesuffix(".0") if letter == "k" else text) + letter
    return f"{size:,.0f}"


def short(amount: float | None) -> str:
    """Return a number in at most four figures, from 100,000 on with a letter: 9.4M, 140k, 12,345, 7.5."""
    if amount is None or math.isnan(amount):
        return UNKNOWN
    if abs(amount) < 99_999.5:
        return number(amount, 1 if abs(amount) < 100 else 0)
    return f"{'-' if amount < 0 else ''}{_short(abs(amount))}"


def number(amount: float | None, digits: int = 1) -> str:
    """Return a number with separators and at most `digits` decimals: 1,234.5."""
    if amount is None or math.isnan(amount):
        return UNKNOWN
    text = f"{amount:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def fixed(amount: float | None, digits: int = 2) -> str:
    """Return a number with exactly so many decimals, for figures that are compared with others: 0.80."""
    return UNKNOWN if amount is None or math.isnan(amount) else f"{amount:,.{digits}f}"


def count(amount: float | None) -> str:
    """Return a whole number with separators: 12,345."""
    return number(amount, 0)


def ahead(left: float) -> str:
    """Return when a day comes that is so many days away: today, in 1 day, in 12 days."""
    return f"in {days(left)}" if left else "today"


def percent(share: float | None, digits: int = 1) -> str:
    """Return a fraction as a percentage: 0.909 → 90.9%."""
    if share is None or math.isnan(share):
        return UNKNOWN
    text = f"{share * 100:.{digits}f}%"
    return text.removeprefix("-") if not text.strip("-0.%") else text


def points(difference: float | None, digits: int = 1) -> str:
    """Return a difference of two fractions in percentage points, with its sign: -0.006 → -0.6 pp."""
    if difference is None or math.isnan(difference):
        return UNKNOWN
    return f"{_signed(difference * 100, digits)} pp"


def days(amount: float | None, digits: int = 0) -> str:
    """Return a number of days: 1 day, 12 days."""
    if amount is None or math.isnan(amount):
        return UNKNOWN
    text = number(amount, digits)
    return f"{text} day" if text in ("1", "-1") else f"{text} days"


def plural(amount: float | None, one: str, many: str = "") -> str:
    """Return a count with its noun: 1 account, 12 accounts."""
    return f"{count(amount)} {one if amount == 1 else many or one + 's'}"


def date(day: dt.date | None) -> str:
    """Return a day: 20 Nov 2026."""
    return UNKNOWN if _is_no_day(day) else f"{day.day} {_MONTHS[day.month - 1]} {day.year}"  # type: ignore[union-attr]


def month(day: dt.date | None) -> str:
    """Return the month of a day: Nov 2026."""
    return UNKNOWN if _is_no_day(day) else f"{_MONTHS[day.month - 1]} {day.year}"  # type: ignore[union-attr]


def quarter(day: dt.date | None) -> str:
    """Return the quarter of a day: Q4 2026."""
    return UNKNOWN if _is_no_day(day) else f"Q{(day.month + 2) // 3} {day.year}"  # type: ignore[union-attr]


def period(day: dt.date | None, every: Literal["day", "week", "month", "quarter", "year"]) -> str:
    """Return the name of the period that starts on a day."""
    if every == "year":
        return UNKNOWN if _is_no_day(day) else str(day.year)  # type: ignore[union-attr]
    return {"month": month, "quarter": quarter}.get(every, date)(day)


def _is_no_day(day: dt.date | None) -> bool:
    return day is None or day != day  # NaT is not equal to itself


def health(colour: str | None) -> str:
    """Return a health colour with its shape and word: red → ■ At risk; unknown → ○ No data."""
    return HEALTH_WORDS.get(colour, "○ No data") if isinstance(colour, str) else "○ No data"


def rate(part: float | None, whole: float | None, *, minimum: int = 5, digits: int = 1) -> str:
    """Return part ÷ whole as a percentage, or the counts ("3 of 4") where the whole is below `minimum`."""
    if part is None or whole is None or math.isnan(part) or math.isnan(whole):
        return UNKNOWN
    if whole < minimum:
        return f"{count(part)} of {count(whole)}"
    return percent(part / whole, digits)


def value(amount: float | None, unit: str, currency: str = "USD") -> str:
    """Return a number in the words of its unit (the units of `report.chart.Unit`)."""
    if unit == "money":
        return money(amount, currency)
    if unit == "points":
        return points(amount)
    if unit == "score":
        return number(amount, 0)
    if unit == "percent":
        return percent(amount)
    if unit == "days":
        return days(amount)
    return count(amount) if unit == "count" else number(amount)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change in words with its direction; `good` says which direction is welcome."""

    text: str
    direction: Literal["up", "down", "none"]
    since: str = ""
    good: Literal["up", "down", "none"] = "up"


def change(
    now: float | None,
    before: float | None,
    unit: Literal["relative", "points", "money", "count", "days", "number"] = "relative",
    *,
    since: str = "",
    good: Literal["up", "down", "none"] = "up",
    currency: str = "USD",
) -> Change | None:
    """Return how a number moved: "+3.2%" relative, "-0.6 pp", "+$140k", "+12"; None when either is unknown."""
    if now is None or before is None or math.isnan(now) or math.isnan(before):
        return None
    if unit == "relative" and before == 0:
        return None
    moved = now - before
    if unit == "relative":
        text = f"{_signed(moved / abs(before) * 100, 1)}%"
    elif unit == "points":
        text = points(moved)
    elif unit == "money":
        text = ("+" if moved > 0 else "") + money(moved, currency)
    else:
        text = _signed(moved, 0 if unit == "count" else 1) + (" days" if unit == "days" else "")
    if not any(letter in "123456789" for letter in text):
        return Change(text="0", direction="none", since=since, good=good)
    return Change(text=text, direction="up" if moved > 0 else "down", since=since, good=good)


def _signed(amount: float, digits: int) -> str:
    text = f"{amount:+,.{digits}f}"
    return text if text.strip("+-0.,") else text.lstrip("+-")

"""Days, shares and counts as the sentences of expansion and account rows say them."""

import datetime as dt
from collections.abc import Sequence

__all__ = ["amount", "and_more", "day", "joined", "money", "percent", "plural", "sentence"]

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def day(value: dt.date) -> str:
    """Return a day: 3 Oct 2026."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def amount(value: float) -> str:
    """Return a number with separators and at most one decimal: 1,234.5."""
    return f"{value:,.1f}".removesuffix(".0")


def money(value: float, currency: str) -> str:
    """Return a whole amount with its currency: USD 12,400."""
    return f"{currency} {value:,.0f}"


def percent(share: float) -> str:
    """Return a share without decimals: 92%."""
    return f"{share * 100:.0f}%"


def plural(count: float, one: str, many: str = "") -> str:
    """Return a count with its noun: 1 user, 12 users."""
    return f"{amount(count)} {one if count == 1 else many or one + 's'}"


def joined(parts: Sequence[str]) -> str:
    """Return the parts as a list in a sentence: Sales, Finance and HR."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def and_more(parts: Sequence[str], shown: int = 3) -> str:
    """Return the first parts and how many more there are: Sales, Finance, HR and 2 more."""
    rest = len(parts) - shown
    return joined([*parts[:shown], f"{rest} more"] if rest > 0 else list(parts))


def sentence(parts: Sequence[str]) -> str:
    """Return the parts, parted by semicolons, with a capital first letter."""
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]

"""Days as whole numbers since 1970-01-01, the fixed end of the invented history, and one random stream per purpose."""

import datetime as dt
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cs_metrics.periods import add_months, month_start

__all__ = [
    "DAY_US",
    "LAST",
    "LAST_DAY",
    "NEVER",
    "UNKNOWN",
    "Bools",
    "Clock",
    "Floats",
    "Ints",
    "day_of_number",
    "number_of",
    "quarter_name",
    "stream",
    "weekday",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_EPOCH = dt.date(1970, 1, 1)
LAST_DAY = dt.date(2026, 10, 31)
LAST = (LAST_DAY - _EPOCH).days
NEVER = LAST + 36_500  # a day that does not come
UNKNOWN = -(2**31)  # an empty date or time
DAY_US = 86_400_000_000


def number_of(day: dt.date) -> int:
    """Return the days since 1970-01-01."""
    return (day - _EPOCH).days


def day_of_number(number: int) -> dt.date:
    """Return the day that lies `number` days after 1970-01-01."""
    return _EPOCH + dt.timedelta(days=int(number))


def weekday(days: Any) -> Any:
    """Return 0 (Monday) to 6 (Sunday) of day numbers."""
    return (days + 3) % 7


def quarter_name(number: int) -> str:
    """Return the calendar quarter of a day, like '2026-Q3'."""
    day = day_of_number(number)
    return f"{day.year}-Q{(day.month + 2) // 3}"


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Return the random numbers of one purpose: they do not move when another purpose draws more or fewer."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(purpose.encode()),)))


@dataclass(frozen=True)
class Clock:
    """The `months` calendar months that end on the last day."""

    months: int

    @cached_property
    def starts(self) -> Ints:
        """The first day of each month, and of the month after the last."""
        newest = month_start(LAST_DAY)
        return np.array([number_of(add_months(newest, back)) for back in range(1 - self.months, 2)], dtype=np.int64)

    @cached_property
    def lengths(self) -> Ints:
        """The days of each month."""
        return np.asarray(self.starts[1:] - self.starts[:-1], dtype=np.int64)

    @property
    def first(self) -> int:
        """The first day of the history."""
        return int(self.starts[0])

    @property
    def weeks(self) -> int:
        """How many weeks (the last one begun) an account of the first day has lived."""
        return (LAST - self.first) // 7 + 1

    def month(self, days: Any) -> Any:
        """Return the index of the month that holds each day."""
        return np.searchsorted(self.starts, days, side="right") - 1

    def month_name(self, index: int) -> str:
        """Return the month, like '2026-03'."""
        return day_of_number(int(self.starts[index])).isoformat()[:7]

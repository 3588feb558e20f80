"""Which accounts to work on, when hours are few: the exact best choice, by dynamic programming over the hours.

It is the 0/1 knapsack with up to a few alternatives per account (lift it by one colour, or by two), of which at most one
is chosen. Hours are whole units and gains whole cents, so that the result is exact: no rounding decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cs_metrics.errors import MetricError

__all__ = ["Choice", "Plan", "best_plan"]

Ints = npt.NDArray[np.int64]

_MOST_CELLS = 200_000_000  # accounts × units of hours: about a second, and as many bytes
_UNITS_PER_HOUR = 100


@dataclass(frozen=True)
class Choice:
    """Something that may be done: so many hours, for so many cents."""

    hours: float
    cents: int


@dataclass(frozen=True)
class Plan:
    """The best choice for a budget: per account the place of its alternative, -1 for none.

    `curve` is what every budget up to `budget` hours would bring: cents by multiples of `unit` hours.
    """

    chosen: tuple[int, ...]
    hours: float
    cents: int
    unit: float
    curve: Ints

    def at(self, hours: float) -> int:
        """Return what a budget of so many hours would bring, in cents."""
        place = round(hours * _UNITS_PER_HOUR) // round(self.unit * _UNITS_PER_HOUR)
        return int(self.curve[min(max(place, 0), len(self.curve) - 1)])


def best_plan(accounts: Sequence[Sequence[Choice]], budget: float, *, look: float | None = None) -> Plan:
    """Return the choice that brings most for at most `budget` hours; `look` extends the curve beyond the budget.

    Of two choices that bring the same the one that takes fewer accounts, from the end of the list, is dropped.
    """
    hours = [[round(one.hours * _UNITS_PER_HOUR) for one in account] for account in accounts]
    if any(one <= 0 for account in hours for one in account):
        raise MetricError("Hours to lift an account must be at least 0.01.")
    unit = int(np.gcd.reduce([one for account in hours for one in account])) if any(hours) else _UNITS_PER_HOUR
    most = sum(max(account, default=0) for account in hours) // unit
    reach = min(round(max(budget, look or 0.0) * _UNITS_PER_HOUR) // unit, most)
    if len(accounts) * (reach + 1) > _MOST_CELLS:
        raise MetricError(
            f"{len(accounts):,} accounts and {reach:,} steps of {unit / _UNITS_PER_HOUR:g} hours are too many to choose from "
            "exactly: write hours that are multiples of a larger step, or fewer."
        )
    value = np.zeros(reach + 1, dtype=np.int64)
    taken = np.full((len(accounts), reach + 1), -1, dtype=np.int8)
    for at, account in enumerate(accounts):
        before = value.copy()
        for place, choice in enumerate(account):
            step = hours[at][place] // unit
            if choice.cents <= 0 or step > reach:
                continue
            with_it = before[: reach + 1 - step] + choice.cents
            is_better = with_it > value[step:]
            value[step:][is_better] = with_it[is_better]
            taken[at, step:][is_better] = place
    room = min(round(budget * _UNITS_PER_HOUR) // unit, reach)
    chosen, left = [-1] * len(accounts), room
    for at in range(len(accounts) - 1, -1, -1):
        chosen[at] = int(taken[at, left])
        if chosen[at] >= 0:
            left -= hours[at][chosen[at]] // unit
    spent = sum(hours[at][place] for at, place in enumerate(chosen) if place >= 0)
    return Plan(tuple(chosen), spent / _UNITS_PER_HOUR, int(value[room]), unit / _UNITS_PER_HOUR, value)

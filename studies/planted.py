"""Companies drawn from a few numbers, so that what is true of them is known exactly; many of them in one data set.

Each company is a region of one data set, and is asked for by it. Accounts start over three years; a few leave before
day 90 (they never complete onboarding); of those still there a known share stays the year after it.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cs_metrics import periods
from cs_metrics.store import Store
from studies.companies import company_of

__all__ = ["LAST_DAY", "Drawn", "Plan", "draw", "publish"]

LAST_DAY = dt.date(2026, 6, 30)
_YEARS = 3
_LANDMARK, _YEAR = 90, 365
_LEAVES_EARLY = 0.06
_AT_RENEWAL = 0.8  # of the losses, the share that falls on the end of the first year
_SEGMENTS = ("SMB", "Mid-market", "Enterprise")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """What is planted: the share that completes onboarding by day 90, on which day, and who stays the year after.

    `days` returns the day of completion of each account from its segment and the share of the history that had passed
    at its start; `stays` the probability to stay from its segment, that day, and whether it completed.
    """

    name: str
    completes: float
    days: Callable[[np.random.Generator, Ints, Floats], Ints]
    stays: Callable[[Ints, Ints, npt.NDArray[np.bool_]], Floats]


@dataclass(frozen=True)
class Drawn:
    """One company: its name, its rows of contract tables, and the planted probabilities of its accounts on day 90."""

    name: str
    tables: dict[str, pd.DataFrame]
    stays: Floats
    is_complete: npt.NDArray[np.bool_]


def draw(plan: Plan, name: str, seed: int, accounts: int) -> Drawn:
    """Draw one company of a plan."""
    rng = np.random.default_rng([seed, *plan.name.encode()])
    age = np.sort(rng.random(accounts))
    start = (-_YEARS * _YEAR * (1 - age)).astype(np.int64)  # days before the last day
    segment = rng.integers(0, len(_SEGMENTS), accounts)
    leaves = rng.random(accounts) < _LEAVES_EARLY
    completes = ~leaves & (rng.random(accounts) < plan.completes)
    done = np.clip(plan.days(rng, segment, age), 1, _LANDMARK)
    stays = np.clip(plan.stays(segment, done, completes), 0, 1)
    stayed = rng.random(accounts) < stays
    at_renewal = rng.random(accounts) < _AT_RENEWAL
    lost = np.where(at_renewal, _YEAR, rng.integers(_LANDMARK + 1, _LANDMARK + _YEAR + 1, accounts))
    lost = np.where(leaves, rng.integers(10, _LANDMARK, accounts), np.where(stayed, 10**6, lost))
    tables = _tables(name, start, segment, np.where(completes, done, -1), lost, rng.integers(2, 40, accounts) * 50)
    seen = (start + _LANDMARK <= 0) & ~leaves
    return Drawn(name, tables, stays[seen], completes[seen])


def publish(companies: Sequence[Drawn]) -> Store:
    """Load companies as one data set; each is the region of its name."""
    names = companies[0].tables
    together = {name: pd.concat([one.tables[name] for one in companies], ignore_index=True) for name in names}
    together["milestones"] = pd.DataFrame(
        {"milestone_id": ["M1"], "name": ["Go-live"], "position": [1], "due_days": [60]}
    )
    return company_of(together)


def _tables(name: str, start: Ints, segment: Ints, done: Ints, lost: Ints, mrr: Ints) -> dict[str, pd.DataFrame]:
    ids = [f"{name}-{number:04}" for number in range(len(start))]
    ends = [_day(one) if one <= 0 else None for one in start + lost]
    known = (done >= 0) & (start + done <= 0)
    return {
        "accounts": pd.DataFrame(
            {
                "account_id": ids,
                "name": ids,
                "started_on": [_day(one) for one in start],
                "segment": [_SEGMENTS[one] for one in segment],
                "region": name,
            }
        ),
        "subscriptions": pd.DataFrame(
            {
                "subscription_id": ids,
                "account_id": ids,
                "starts_on": [_day(one) for one in start],
                "ends_on": ends,
                "mrr": mrr.astype(np.float64),
            }
        ),
        "milestone_completions": pd.DataFrame(
            {
                "account_id": [ids[at] for at in np.flatnonzero(known)],
                "milestone_id": "M1",
                "completed_on": [_day(one) for one in (start + done)[known]],
            }
        ),
    }


def _day(after: int) -> dt.date:
    return periods.add_days(LAST_DAY, int(after))

"""Accounts like those that bought, at the time they bought: what would have become of health without the deal?

For each won deal the nearest accounts of the same segment by size and health before it, none of which bought anything
around that day; matched on what was known before the deal, compared by what came after it.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cs_metrics.store import Store

__all__ = ["Compared", "Daily", "Deals", "Measured", "Weekly", "compare", "measured", "nearest"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_WEEK = 7
_FAR = 1_000_000  # more days than any history has

_SCORES = """
    with numbered as (
        select account_id, row_number() over (order by account_id) - 1 as place from accounts
    )
    select place, date_diff('day', $base, week_end) as day, score
    from account_week_health health
    inner join numbered on numbered.account_id = health.account_id
    where week_end <= $as_of and score is not null
"""
_SIZES = """
    with numbered as (
        select account_id, row_number() over (order by account_id) - 1 as place from accounts
    )
    select place, date_diff('day', $base, week_end) as day, mrr_cents::double as mrr
    from account_week
    inner join numbered on numbered.account_id = account_week.account_id
    where week_end <= $as_of
"""
_ANSWERS = """
    with numbered as (
        select account_id, row_number() over (order by account_id) - 1 as place from accounts
    )
    select
        place, date_diff('day', $base, answered_on) as day,
        avg(case kind when 'nps' then score * 10 else (score - 1) * 25 end) * count(*) as points, count(*)::double as answers
    from surveys
    inner join numbered on numbered.account_id = surveys.account_id
    where answered_on <= $as_of
    group by place, answered_on
    order by place, day
"""


@dataclass(frozen=True)
class Deals:
    """Won deals: whose they are (a place among the accounts) and the day of closing, in days after a base day."""

    place: Ints
    day: Ints


class Measured(Protocol):
    """Something measured per account over time."""

    def mean(self, place: Ints, after: Ints, upto: Ints) -> Floats:
        """Return the means over after < day ≤ upto, NaN where nothing was measured."""


@dataclass(frozen=True)
class Weekly:
    """A value per account and week: sums and counts before each week, a row a week and a column an account."""

    total: Floats
    count: Floats
    first: int  # day of the first week's end

    @classmethod
    def of(cls, place: Ints, day: Ints, value: Floats, accounts: int) -> "Weekly":
        """Take values by account and day, the day being a week's end."""
        first, last = (int(day.min()), int(day.max())) if len(day) else (0, 0)
        weeks = (last - first) // _WEEK + 1
        total, count = np.zeros((weeks + 1, accounts)), np.zeros((weeks + 1, accounts))
        at = (day - first) // _WEEK + 1
        total[at, place], count[at, place] = value, 1.0
        return cls(np.cumsum(total, axis=0), np.cumsum(count, axis=0), first)

    def means(self, after: int, upto: int) -> Floats:
        """Return the mean of every account over after < day ≤ upto."""
        first, last = (int(self._weeks(np.array([day]))[0]) for day in (after, upto))
        return _divided(self.total[last] - self.total[first], self.count[last] - self.count[first])

    def mean(self, place: Ints, after: Ints, upto: Ints) -> Floats:
        """Return the mean of each of these accounts over its own window."""
        first, last = self._weeks(after), self._weeks(upto)
        count = self.count[last, place] - self.count[first, place]
        return _divided(self.total[last, place] - self.total[first, place], count)

    def _weeks(self, day: Ints) -> Ints:
        """Return how many weeks have ended by each day."""
        return np.clip((day - self.first) // _WEEK + 1, 0, len(self.total) - 1)


@dataclass(frozen=True)
class Daily:
    """Sums of something measured now and then per account, in the order of account and day."""

    key: Ints  # account × span + day
    total: Floats  # sum before each place of `key`, one longer
    count: Floats
    span: int

    @classmethod
    def of(cls, place: Ints, day: Ints, value: Floats, weight: Floats) -> "Daily":
        """Take sums by account and day, in that order; each is over `weight` measurements."""
        span = int(day.max(initial=0)) + _FAR
        return cls(place * span + day, np.append(0.0, np.cumsum(value)), np.append(0.0, np.cumsum(weight)), span)

    def mean(self, place: Ints, after: Ints, upto: Ints) -> Floats:
        """Return the mean of each of these accounts over its own window."""
        first, last = (np.searchsorted(self.key, place * self.span + np.maximum(day + 1, 0)) for day in (after, upto))
        return _divided(self.total[last] - self.total[first], self.count[last] - self.count[first])


def _divided(total: Floats, count: Floats) -> Floats:
    found: Floats = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
    return found


@dataclass(frozen=True)
class Compared:
    """What changed with each deal and with its matches: the change of the deal's account, that of the matches, how many."""

    change: Floats
    change_matched: Floats
    matches: Ints

    @property
    def difference(self) -> Floats:
        """The difference of the two changes, NaN where one is unknown."""
        return self.change - self.change_matched


def measured(store: Store, as_of: dt.date, base: dt.date, accounts: int) -> tuple[Weekly, Weekly, Daily]:
    """Return health by week, MRR by week and satisfaction by day, with accounts in the order of their id."""

    def columns(sql: str, *names: str) -> list[Any]:
        found = store.frame(sql, as_of=as_of, base=base)
        kinds = ["int64", "int64", *["float64"] * (len(names))]
        return [found[name].to_numpy(kind) for name, kind in zip(("place", "day", *names), kinds, strict=True)]

    place, day, score = columns(_SCORES, "score")
    health = Weekly.of(place, day, score, accounts)
    place, day, mrr = columns(_SIZES, "mrr")
    size = Weekly.of(place, day, mrr, accounts)
    return health, size, Daily.of(*columns(_ANSWERS, "points", "answers"))


def nearest(
    asked: Deals, deals: Deals, segments: list[str], health: Weekly, size: Weekly, days: int, count: int
) -> Ints:
    """Return per asked deal the places of up to `count` accounts like its own that bought nothing around it; -1 for none.

    `deals` are all won ones, whoever asks about which. Like its own are those of the same segment, nearest by the logarithm of MRR in the last complete week and the mean health of the
    `days` before, each in standard deviations of the accounts that could be taken.
    """
    label = np.unique(segments, return_inverse=True)[1] if segments else np.zeros(0, dtype=np.int64)
    found = np.full((len(asked.day), count), -1, dtype=np.int64)
    by_day = np.argsort(deals.day, kind="stable")
    closed = deals.day[by_day]
    for day in np.unique(asked.day):
        around = by_day[np.searchsorted(closed, day - days, "right") : np.searchsorted(closed, day + days, "right")]
        free = np.ones(len(segments), dtype=bool)
        free[deals.place[around]] = False
        before = health.means(day - days, day)
        earlier = health.means(day - 2 * days, day - days)
        mrr = np.log(np.maximum(size.means(day - _WEEK, day), 1.0))
        known = ~np.isnan(before) & ~np.isnan(mrr)
        of_day = np.flatnonzero(asked.day == day)
        for one in np.unique(label[asked.place[of_day]]):
            among = np.flatnonzero(free & known & (label == one))
            for deal in of_day[label[asked.place[of_day]] == one]:
                own = asked.place[deal]
                if known[own]:
                    near = _closest(own, among, [before, mrr, earlier], count)
                    found[deal, : len(near)] = near
    return found


def _closest(own: int, among: Ints, history: list[Floats], count: int) -> Ints:
    """Return those nearest to an account by what is known of it; who lacks something of that is not near."""
    known = [values for values in history if not np.isnan(values[own])]
    for values in known:
        among = among[~np.isnan(values[among])]
    away = np.zeros(len(among))
    for values in known:
        away += ((values[among] - values[own]) / _spread(values[among])) ** 2
    return among[_least(away, count)]


def _spread(values: Floats) -> float:
    """Return the standard deviation, without end where all are equal: such a value tells nobody apart."""
    spread = float(values.std()) if len(values) else 0.0
    return spread if spread > 1e-9 else float("inf")


def _least(away: Floats, count: int) -> Ints:
    """Return the places of the `count` smallest, of equal ones the first."""
    if len(away) <= count:
        return np.argsort(away, kind="stable")
    near = np.flatnonzero(away <= np.partition(away, count - 1)[count - 1])
    return near[np.argsort(away[near], kind="stable")[:count]]


def compare(deals: Deals, matches: Ints, measure: Measured, days: int) -> Compared:
    """Return what changed from the `days` up to each deal to the `days` after it, in its account and in its matches."""
    change = _change(measure, deals.place, deals.day, days)
    rows = np.repeat(deals.day[:, None], matches.shape[1], axis=1)
    theirs = _change(measure, np.maximum(matches, 0).ravel(), rows.ravel(), days).reshape(matches.shape)
    theirs[matches < 0] = np.nan
    known = ~np.isnan(theirs)
    count = known.sum(axis=1)
    mean = np.where(count > 0, np.where(known, theirs, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
    return Compared(change, mean, count)


def _change(measure: Measured, place: Ints, day: Ints, days: int) -> Floats:
    return measure.mean(place, day, day + days) - measure.mean(place, day - days, day)

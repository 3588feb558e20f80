"""Usage limits: how full each is, how its use grows, and on which day it is reached, with an interval.

A measured use follows a straight line or grows by a steady share; the one nearer to the measurements is taken.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from cs_metrics import periods
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_offers import Known, Offer
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["Reach", "expansion_limits", "limits", "reach"]

LEVEL = 0.80
_FURTHEST_DAYS = 1095
_LEAST_POINTS = 3
_AS_GOOD = 4.0  # squares left over by one course ÷ those by the other, up to which it may be either
_WHY_NOT = (
    "too few measurements for a trend",
    "the trend says nothing: the growth cannot be told from none",
    "not within three years by its trend",
)
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_MEASURED = """
    with measured as (
        select
            usage_limits.account_id, resource, measured_on, used, allowed,
            row_number() over (partition by usage_limits.account_id, resource order by measured_on desc) as back
        from usage_limits
        inner join scope on scope.account_id = usage_limits.account_id
        where measured_on <= $as_of and resource <> $without
    ),
    fresh as (
        select account_id, resource from measured where back = 1 and measured_on > $stale_after and allowed > 0
    )
    select measured.account_id, measured.resource, measured_on, used, allowed, back
    from measured
    inner join fresh on fresh.account_id = measured.account_id and fresh.resource = measured.resource
    inner join mrr_interval book
        on book.account_id = measured.account_id and from_day <= $as_of and (to_day is null or to_day > $as_of)
    where back <= $points
    order by measured.account_id, measured.resource, measured_on desc
"""


@dataclass(frozen=True)
class Reach:
    """When growing uses reach their limits, one place a limit: days after its last measurement, unknown where not to be said.

    `growth` is that of the 30 days after it; `why_not` says why there is no day.
    """

    growth: Floats
    days: Floats
    low: Floats
    high: Floats
    why_not: list[str]


def reach(days: Floats, used: Floats, allowed: Floats, level: float = LEVEL) -> Reach:
    """Return when measured uses reach what is allowed; a row a limit, a column a measurement, the newest first, NaN for none.

    `days` count back from the last measurement, so they are ≤ 0; `allowed` is what was allowed at each, the limit to reach
    that at the newest. Use that stood at its limit says what was allowed and not
    what was wanted: the trend begins after it. The interval is that of the inverse prediction: all days on which a
    measurement could be at the limit by the line and its scatter; where both courses fit about as well it spans both,
    as a choice between them would make it too sure. Where the growth cannot be told from none at that
    level, nothing is projected.

    Source: Eisenhart (1939), Annals of Mathematical Statistics 10:162, with Fieller's condition for a bounded interval.
    """
    is_full, limit = used >= allowed, allowed[:, 0]
    was_full = np.maximum.accumulate(is_full & (np.arange(used.shape[1]) > 0), axis=1)
    known = ~np.isnan(used) & ~was_full
    x, y, reached = np.where(known, days, 0.0), np.where(known, used, 1.0), is_full[:, 0]
    straight, steady = _line(x, y, known), _line(x, np.log(np.maximum(y, 1e-12)), known)
    off = [((y - line) ** 2 * known).sum(axis=1) for line in (straight.at(x), np.exp(np.minimum(steady.at(x), 700.0)))]
    is_steady = (y > 0).all(axis=1) & (off[1] < off[0])
    steady_too, straight_too = off[1] <= _AS_GOOD * off[0], off[0] <= _AS_GOOD * off[1]
    chosen = _Line(*(np.where(is_steady, *both) for both in zip(steady.parts, straight.parts, strict=True)))
    now, ahead = (chosen.at(np.full((len(y), 1), day))[:, 0] for day in (0.0, 30.0))
    growth = np.where(
        is_steady, np.exp(np.where(is_steady, ahead, 0)) - np.exp(np.where(is_steady, now, 0)), ahead - now
    )
    ends = straight.crosses(limit, level), steady.crosses(np.log(limit), level)
    point = np.where(is_steady, ends[1][0], ends[0][0])
    also = ~np.isnan(point) & (y > 0).all(axis=1) & np.where(is_steady, straight_too, steady_too)
    low, high = (
        _spanning(is_steady, also, ends[0][at], ends[1][at], most) for at, most in ((1, np.fmin), (2, np.fmax))
    )
    few, vague, far = known.sum(axis=1) < _LEAST_POINTS, np.isnan(point), point > _FURTHEST_DAYS
    why_not = np.select([reached, few, vague, far], ["", *_WHY_NOT], "")
    known_day = ~(few | vague | far)
    return Reach(
        growth=np.where(few | reached, np.nan, growth),
        days=np.where(reached, 0.0, np.where(known_day, _whole(point), np.nan)),
        low=np.where(known_day & ~reached, _whole(low), np.nan),
        high=np.where(known_day & ~reached & (high <= _FURTHEST_DAYS), _whole(high), np.nan),
        why_not=why_not.tolist(),
    )


def _spanning(is_steady: Bools, also: Bools, straight: Floats, steady: Floats, most: np.ufunc) -> Floats:
    """Return the ends by the chosen course, or by both where the other is as good."""
    chosen = np.where(is_steady, steady, straight)
    found: Floats = np.where(also, most(straight, steady), chosen)
    return found


def _whole(days: Floats) -> Floats:
    return np.maximum(np.ceil(days - 1e-9), 1.0)


@dataclass(frozen=True)
class _Line:
    """Lines of least squares, each through `count` points around their mean."""

    count: Floats
    x: Floats
    y: Floats
    slope: Floats
    scatter: Floats
    spread: Floats

    @property
    def parts(self) -> tuple[Floats, ...]:
        return self.count, self.x, self.y, self.slope, self.scatter, self.spread

    def at(self, days: Floats) -> Floats:
        return self.y[:, None] + self.slope[:, None] * (days - self.x[:, None])

    def crosses(self, target: Floats, level: float) -> tuple[Floats, Floats, Floats]:
        """Return where each line reaches its target with its interval; NaN where it may as well not rise."""
        t = np.array([_quantile(max(int(count) - 2, 1), level) for count in range(int(self.count.max(initial=0)) + 1)])
        with np.errstate(divide="ignore", invalid="ignore"):
            point = (target - self.y) / self.slope
            doubt = t[self.count.astype(np.int64)] * self.scatter / self.slope
            rest = 1 - doubt**2 / self.spread
            rises = (self.slope > 0) & (self.count >= _LEAST_POINTS) & (rest > 0)
            half = doubt * np.sqrt(np.where(rises, rest * (1 + 1 / self.count) + point**2 / self.spread, 0.0))
            ends = [self.x + point, self.x + (point - half) / rest, self.x + (point + half) / rest]
        first, low, high = (np.where(rises, one, np.nan) for one in ends)
        return first, low, high


@lru_cache(maxsize=64)
def _quantile(freedom: int, level: float) -> float:
    return float(stats.t.ppf((1 + level) / 2, freedom))


def _line(x: Floats, y: Floats, known: Bools) -> _Line:
    count = known.sum(axis=1).astype(np.float64)
    some = np.maximum(count, 1.0)
    x_mean, y_mean = (x * known).sum(axis=1) / some, (y * known).sum(axis=1) / some
    away = (x - x_mean[:, None]) * known
    spread = (away**2).sum(axis=1)
    slope = (away * y).sum(axis=1) / np.where(spread > 0, spread, 1.0)
    off = ((y - y_mean[:, None] - slope[:, None] * away) ** 2 * known).sum(axis=1)
    return _Line(count, x_mean, y_mean, slope, np.sqrt(off / np.maximum(count - 2, 1.0)), spread)


@dataclass(frozen=True, slots=True)
class _Limit:
    """A measured limit with its projection; the days are known or None."""

    account_id: str
    resource: str
    measured_on: dt.date
    used: float
    allowed: float
    growth: float | None
    full_on: dt.date | None
    full_from: dt.date | None
    full_to: dt.date | None
    why_not: str
    fires: bool


def _found(store: Store, as_of: dt.date, scope: Scope, resource: str = "") -> list[_Limit]:
    settings = store.config.expansion
    rows = store.rows(
        _MEASURED,
        scope=scope,
        as_of=as_of,
        points=settings.limit_trend_points,
        stale_after=periods.add_days(as_of, -settings.limit_stale_days),
        without=resource,
    )
    last = [row for row in rows if row[5] == 1]
    shape = (len(last), settings.limit_trend_points)
    days, used, most = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    at = -1
    for _, _, measured_on, amount, allowed, back in rows:
        at += back == 1
        days[at, back - 1] = -periods.days_between(measured_on, last[at][2])
        used[at, back - 1], most[at, back - 1] = amount, allowed
    found = reach(days, used, most)
    horizon = periods.add_days(as_of, settings.limit_projected_days)
    limits = []
    for at, (account_id, name, measured_on, amount, allowed, _) in enumerate(last):
        full_on, full_from, full_to = (
            None if one[at] != one[at] else periods.add_days(measured_on, int(one[at]))
            for one in (found.days, found.low, found.high)
        )
        is_near = amount >= allowed * settings.limit_used_from or (full_on is not None and full_on <= horizon)
        growth = None if found.growth[at] != found.growth[at] else float(found.growth[at])
        about = (account_id, name, measured_on, amount, allowed, growth, full_on, full_from, full_to)
        limits.append(_Limit(*about, found.why_not[at], is_near))
    return limits


@metric(needs=("usage_limits",), page="Expansion")
def expansion_limits(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Every measured limit of the customers: how full it is, how its use grows, and when it is reached by its trend.

    One row per customer and resource measured within `expansion.limit_stale_days`. The trend goes through the last
    `expansion.limit_trend_points` measurements, from the last one on that stood at its limit: a straight line, or growth
    by a steady share where that is nearer to them. Where it cannot be told from no growth, no day is projected and
    `says` tells so.

    Formula: full_on = day on which the trend reaches the allowed amount; full_from, full_to = 80% interval of the
        inverse prediction.
    Columns:
        account_id, name: customer
        resource: what is limited
        measured_on: day of the newest measurement
        used, allowed, share: used ÷ allowed on that day
        growth_30_days: growth in the 30 days after it by the trend, in the resource's own unit
        full_on, full_from, full_to: projected day of reaching the limit with its 80% interval; an empty end lies beyond three years; a limit that is reached has no interval
        fires: nearly full or projected to be soon, so that the rule offers more
        says: all that in a sentence, or why no day is projected
    Source: Eisenhart (1939) and Fieller (1954) for the interval of a day read off a line.
    """
    names = dict(store.rows("select account_id, name from accounts"))
    rows = [
        {
            "account_id": one.account_id,
            "name": names[one.account_id],
            "resource": one.resource,
            "measured_on": one.measured_on,
            "used": one.used,
            "allowed": one.allowed,
            "share": one.used / one.allowed,
            "growth_30_days": one.growth,
            "full_on": one.full_on,
            "full_from": one.full_from,
            "full_to": one.full_to,
            "fires": one.fires,
            "says": _says(one),
        }
        for one in _found(store, as_of, scope)
    ]
    columns = {
        "account_id": "str", "name": "str", "resource": "str", "measured_on": "datetime64[us]", "used": "float64",
        "allowed": "float64", "share": "float64", "growth_30_days": "float64", "full_on": "datetime64[us]",
        "full_from": "datetime64[us]", "full_to": "datetime64[us]", "fires": "bool", "says": "str",
    }  # fmt: skip
    found = pd.DataFrame(rows, columns=list(columns)).astype(columns)
    order = ["fires", "full_on", "share", "account_id", "resource"]
    return found.sort_values(order, ascending=[False, True, False, True, True], na_position="last", ignore_index=True)


def _says(one: _Limit) -> str:
    resource = one.resource.replace("_", " ")
    used = f"{words.amount(one.used)} of {words.amount(one.allowed)} used on {words.day(one.measured_on)}"
    return f"{resource}: {used} ({words.percent(one.used / one.allowed)}), {_projected(one)}"


def _projected(one: _Limit) -> str:
    if one.used >= one.allowed:
        return "the limit is reached"
    if one.full_on is None or one.full_from is None or one.growth is None:
        return f"no day projected: {one.why_not}"
    until = words.day(one.full_to) if one.full_to else "beyond three years"
    between = f"80% interval {words.day(one.full_from)} to {until}"
    return f"growing by {words.amount(one.growth)} in 30 days: full by {words.day(one.full_on)} ({between})"


def limits(known: Known) -> list[Offer]:
    """Return the customers near a limit other than seats, or projected to reach it; one offer for all their limits."""
    said: dict[str, list[_Limit]] = {}
    for one in _found(known.store, known.as_of, known.scope, "seats"):
        if one.fires and one.account_id in known.customers:
            said.setdefault(one.account_id, []).append(one)
    found = []
    for account_id, parts in said.items():
        arr, basis = known.share_of_arr(known.customers[account_id], "limit", known.settings.limit_arr_share)
        what = words.joined([one.resource.replace("_", " ") for one in parts])
        found.append(Offer(account_id, "limit", what, words.sentence([_says(one) for one in parts]), arr, basis))
    return found

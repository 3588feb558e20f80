"""Similar customers: who is near in segment, size and use, what each bought, and what changed for it since."""

import datetime as dt
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import spatial

from cs_metrics import periods
from cs_metrics.metrics.scope import Scope
from cs_metrics.metrics.whitespace_sql import OWNED
from cs_metrics.store import Store

__all__ = ["Bought", "Neighbour", "Similar", "Twins", "twins"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Key = tuple[str, str]

_BOOK = """
    select
        mrr_interval.account_id,
        accounts.name,
        coalesce(accounts.segment, '') as segment,
        accounts.employees::double as employees,
        mrr_interval.mrr_cents::double as mrr,
        health.activity,
        scope.account_id is not null as is_asked
    from mrr_interval
    inner join accounts on accounts.account_id = mrr_interval.account_id
    left join scope on scope.account_id = mrr_interval.account_id
    left join account_week_health health
        on health.account_id = mrr_interval.account_id and health.week_end = $week_end
    where from_day <= $as_of and (to_day is null or to_day > $as_of)
    order by mrr_interval.account_id
"""

# What customers bought, and the change of health (90 days) and of their own outcomes (3 months after ÷ 3 before) since.
_BOUGHT = f"""
    with {OWNED},
    bought as (
        select account_id, 'product' as kind, product_id, owned_from as bought_on, paid_arr from owned
        where $everyone or account_id = any($ids)
        union all
        select account_id, kind, '' as product_id, max(closed_on) as bought_on, null as paid_arr
        from opportunities
        where stage = 'won' and closed_on <= $as_of and opened_on <= $as_of and kind <> 'product'
            and ($everyone or account_id = any($ids))
        group by account_id, kind
    ),
    healths as (
        select bought.account_id, bought.kind, bought.product_id, after.score - before.score as health_change
        from bought
        inner join account_week_health before
            on before.account_id = bought.account_id
            and before.week_end = bought_on - cast(isodow(bought_on) % 7 as integer)
        inner join account_week_health after
            on after.account_id = bought.account_id
            and after.week_end = bought_on + 90 - cast(isodow(bought_on + 90) % 7 as integer)
        where bought_on + 90 <= $as_of
    ),
    results as (
        select account_id, metric, year(month) * 12 + month(month) as month_index, value
        from outcomes
        where last_day(month) <= $as_of and ($everyone or account_id = any($ids))
    ),
    by_metric as (
        select
            bought.account_id,
            bought.kind,
            bought.product_id,
            results.metric,
            sum(case when results.month_index > year(bought_on) * 12 + month(bought_on) then value end) as after_sum,
            sum(case when results.month_index < year(bought_on) * 12 + month(bought_on) then value end) as before_sum
        from bought
        inner join results
            on results.account_id = bought.account_id
            and abs(results.month_index - (year(bought_on) * 12 + month(bought_on))) between 1 and 3
        group by bought.account_id, bought.kind, bought.product_id, results.metric
        having count(*) = 6
    ),
    outcome as (
        select account_id, kind, product_id, avg(after_sum / before_sum) - 1 as outcome_change
        from by_metric
        where before_sum > 0
        group by account_id, kind, product_id
    )
    select
        bought.account_id, bought.kind, bought.product_id, bought.bought_on, bought.paid_arr,
        outcome.outcome_change, healths.health_change
    from bought
    left join outcome
        on outcome.account_id = bought.account_id
        and outcome.kind = bought.kind
        and outcome.product_id = bought.product_id
    left join healths
        on healths.account_id = bought.account_id
        and healths.kind = bought.kind
        and healths.product_id = bought.product_id
"""


@dataclass(frozen=True, slots=True)
class Bought:
    """What one customer bought, when, what it pays for it, and what changed since; None is not known."""

    bought_on: dt.date
    paid_arr: float | None
    outcome_change: float | None
    health_change: float | None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A similar customer that bought it; `distance` is in standard deviations of the segment."""

    account_id: str
    name: str
    distance: float
    bought: Bought


@dataclass(frozen=True, slots=True)
class Similar:
    """What the similar customers of one account did about one offer, the nearest first.

    `distance` is that of the farthest of the `pool`; `basis` says by what they are similar.
    """

    pool: int
    distance: float
    basis: str
    owners: tuple[Neighbour, ...]

    @property
    def paid_arr(self) -> float | None:
        """The median of what they pay for it, None where nobody is known to."""
        paid = [one.bought.paid_arr for one in self.owners if one.bought.paid_arr]
        return float(np.median(paid)) if paid else None


@dataclass(frozen=True)
class Twins:
    """The customers of a day by place, the nearest of each that is asked about, and what each bought."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    place: dict[str, int]
    nearest: Ints  # per asked customer the places of the most similar ones, the nearest first; -1 where there are fewer
    distance: Floats
    by_use: npt.NDArray[np.bool_]
    row: dict[str, int]  # of the asked customers in `nearest`
    bought: dict[Key, dict[int, Bought]]

    def of(self, account_id: str, kind: str, product_id: str = "") -> Similar | None:
        """Return what similar customers did about an offer; None where nobody is similar."""
        row = self.row.get(account_id)
        if row is None:
            return None
        near = [int(place) for place in self.nearest[row] if place >= 0]
        if not near:
            return None
        bought = self.bought.get((kind, product_id), {})
        owners = tuple(
            Neighbour(self.ids[place], self.names[place], float(self.distance[row, at]), bought[place])
            for at, place in enumerate(near)
            if place in bought
        )
        basis = "segment, size and use" if self.by_use[row] else "segment and size"
        return Similar(len(near), float(self.distance[row, len(near) - 1]), basis, owners)

    def owners(self, kind: str, product_id: str) -> dict[str, int]:
        """Return for every asked customer how many of its nearest bought it."""
        has = np.zeros(len(self.ids) + 1, dtype=np.int64)  # the last place stands for nobody
        has[list(self.bought.get((kind, product_id), {}))] = 1
        return dict(zip(self.row, has[self.nearest].sum(axis=1).tolist(), strict=True))

    @cached_property
    def pools(self) -> dict[str, int]:
        """How many similar customers each asked customer has."""
        return dict(zip(self.row, (self.nearest >= 0).sum(axis=1).tolist(), strict=True))

    def paid(self, product_id: str, least: int) -> dict[str, float]:
        """Return the median of what the similar owners of a product pay for it, where at least `least` own it and pay."""
        paid = np.full(len(self.ids) + 1, np.nan)
        owns = np.zeros(len(self.ids) + 1, dtype=np.int64)
        for place, one in self.bought.get(("product", product_id), {}).items():
            owns[place] = 1
            paid[place] = one.paid_arr or np.nan
        amounts, owners = np.sort(paid[self.nearest], axis=1), owns[self.nearest].sum(axis=1)
        known = (~np.isnan(amounts)).sum(axis=1)
        rows = np.arange(len(amounts))
        below, above = np.maximum((known - 1) // 2, 0), np.minimum(known // 2, max(amounts.shape[1] - 1, 0))
        middle = (amounts[rows, below] + amounts[rows, above]) / 2 if amounts.size else np.zeros(0)
        names = list(self.row)
        return {names[at]: float(middle[at]) for at in np.flatnonzero((owners >= least) & (known > 0))}


def twins(store: Store, as_of: dt.date, scope: Scope) -> Twins:
    """Return who is similar to the customers of the scope, taken from all customers, and what these bought.

    Similar are the `expansion.similar_pool` customers of the same segment that are nearest by size (the logarithm of
    employees where all of the segment are known, else of MRR) and use (the activity dimension of health), each in
    standard deviations of the segment. An account without a score of activity is compared by size alone.
    """
    settings = store.config.expansion
    rows = store.rows(_BOOK, scope=scope, as_of=as_of, week_end=periods.last_full_week_end(as_of))
    ids = tuple(str(row[0]) for row in rows)
    asked = np.array([bool(row[6]) for row in rows], dtype=bool)
    employees, mrr, use = (np.array([_number(row[at]) for row in rows], dtype=np.float64) for at in (3, 4, 5))
    nearest, distance, by_use = _nearest([row[2] for row in rows], employees, mrr, use, asked, settings.similar_pool)
    place = {account_id: at for at, account_id in enumerate(ids)}
    wanted = [ids[at] for at in np.unique(nearest[nearest >= 0])]
    bought: dict[Key, dict[int, Bought]] = {}
    everyone = len(wanted) * 2 > len(ids)
    for account_id, kind, product_id, *what in store.rows(
        _BOUGHT, as_of=as_of, everyone=everyone, ids=[] if everyone else wanted
    ):
        if account_id in place:
            bought.setdefault((kind, product_id), {})[place[account_id]] = Bought(*[_known(one) for one in what])
    return Twins(
        ids=ids,
        names=tuple(str(row[1]) for row in rows),
        place=place,
        nearest=nearest,
        distance=distance,
        by_use=by_use,
        row={ids[at]: row for row, at in enumerate(np.flatnonzero(asked))},
        bought=bought,
    )


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _known(value: Any) -> Any:
    return None if value != value else value


def _nearest(
    segments: list[str], employees: Floats, mrr: Floats, activity: Floats, asked: npt.NDArray[np.bool_], pool: int
) -> tuple[Ints, Floats, npt.NDArray[np.bool_]]:
    """Return per asked customer the places of its nearest, their distances, and whether use was compared."""
    rows = np.full(len(asked), -1)
    rows[asked] = np.arange(int(asked.sum()))
    nearest = np.full((int(asked.sum()), pool), -1, dtype=np.int64)
    distance = np.full(nearest.shape, np.nan)
    by_use = np.zeros(len(nearest), dtype=bool)
    labels = np.array(segments, dtype=object)
    for segment in dict.fromkeys(segments):
        members = np.flatnonzero(labels == segment)
        size = employees[members] if not np.isnan(employees[members]).any() else mrr[members]
        size, use = _scaled(np.log(np.maximum(size, 1.0))), _scaled(activity[members])
        known = ~np.isnan(use)
        for group, among, points in (
            (known, members[known], np.column_stack([size, use])[known]),
            (~known, members, size[:, None]),
        ):
            here = group & asked[members]
            if not here.any() or len(among) < 2:
                continue
            at = np.column_stack([size, use])[here] if points.shape[1] == 2 else size[here][:, None]
            found, far = _query(points, among, at, members[here], pool)
            place = rows[members[here]]
            nearest[place, : found.shape[1]], distance[place, : far.shape[1]] = found, far
            by_use[place] = points.shape[1] == 2
    return nearest, distance, by_use


def _scaled(values: Floats) -> Floats:
    """Return values in standard deviations from their mean; unknown ones stay unknown, equal ones are all 0."""
    known = values[~np.isnan(values)]
    spread = float(known.std()) if len(known) else 0.0
    centre = float(known.mean()) if len(known) else 0.0
    return (values - centre) / spread if spread > 1e-9 else np.where(np.isnan(values), np.nan, 0.0)


def _query(points: Floats, places: Ints, at: Floats, own: Ints, pool: int) -> tuple[Ints, Floats]:
    """Return the places nearest to each point of `at` but its own, and how far they are."""
    count = min(pool + 1, len(points))
    far, found = spatial.cKDTree(points).query(at, k=count)
    far, found = far.reshape(len(at), count), places[found.reshape(len(at), count)]
    is_own = found == own[:, None]
    is_own[~is_own.any(axis=1), -1] = True  # among many equal ones the own place may be missing: leave the last one out
    found, far = found[~is_own].reshape(len(at), count - 1), far[~is_own].reshape(len(at), count - 1)
    order = np.lexsort((found, far), axis=1)  # of equally near ones the first by id
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(far, order, axis=1)

"""The plateau of the activation curve: from which period on it is flat, and at which level."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cs_metrics.metrics.cohorts import Clock, Entry, Question, Step, Unit, question
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.periods import WeekStart
from cs_metrics.store import Store

__all__ = ["Bend", "bend", "plateau"]

Numbers = npt.NDArray[np.float64]

_TAIL_PERIODS = 4  # a slope over fewer points says nothing
_TOO_SMALL = 1e-12
_PERIODS = ("period", "period_low", "period_high")


@dataclass(frozen=True)
class Bend:
    """Where each of several curves bends (0: it is one straight line) and the slope of its tail, per period."""

    period: npt.NDArray[np.int64]
    tail_slope: Numbers


@metric(needs=("events",), page="Onboarding")
def plateau(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    event: tuple[str, ...] = (),
    entry_event: tuple[str, ...] = (),
    times: int | None = None,
    every_days: int | None = None,
    every: Step = "days",
    cohort: str = "month",
    clock: Clock = "account",
    entry: Entry = "first",
    unit: Unit = "account",
    bounded: bool = True,
    week_start: WeekStart = "monday",
    min_accounts: int | None = None,
    from_: dt.date | None = None,
    to: dt.date | None = None,
) -> pd.DataFrame:
    """The first period from which the pooled activation curve is flat, and its level there: the activation rate.

    Two straight lines that meet are fitted to the pooled bounded curve by least squares, each point weighted by its
    eligible members; where the second line earns too little (Bayesian information criterion), one line is kept and
    the tail is the whole curve. The tail is flat when its slope is within ± 0.5 points per period
    (`activation.flat_within_points`); otherwise there is no plateau, which is the finding: the curve never flattens.
    Points over fewer than min_accounts members are left out; at least six are needed. The intervals come from drawing
    accounts with replacement, with a fixed seed, and fitting again. The options are those of activation; `cohort`
    matters only with entry=recurring and clock=account, and `bounded` not at all, because the unbounded curve falls
    at its right edge by construction.

    Formula: level = Σ active ÷ Σ eligible over the periods of the tail.
    Columns:
        is_found: whether the tail is flat
        period: the first period of the tail, empty when not found
        level: the activation rate, empty when not found
        level_low, level_high: 95 % interval of the level
        tail_slope: change of the tail per period, as a fraction; empty when the curve is too short
        period_low, period_high: 95 % interval of the period
    Source: segmented least squares (Hudson 1966); percentile bootstrap over accounts (Efron and Tibshirani 1993).
    """
    asked = question(
        store,
        as_of=as_of,
        event=event,
        entry_event=entry_event,
        times=times,
        every_days=every_days,
        every=every,
        cohort=cohort,
        clock=clock,
        entry=entry,
        unit=unit,
        week_start=week_start,
        min_accounts=min_accounts,
        from_=from_,
        to=to,
    )
    eligible, active = _per_account(store, scope, asked)
    row = _row(eligible, active, store.config.activation.flat_within_points / 100, store.config.activation.resamples)
    kinds = dict.fromkeys(row, "float64") | {"is_found": "bool"} | dict.fromkeys(_PERIODS, "Int64")
    found = pd.DataFrame([row]).astype(kinds)
    found.attrs["note"] = asked.note
    return found


def bend(rate: Numbers, weight: Numbers) -> Bend:
    """Fit one line and two joined lines to each row of `rate` (curves × periods) and keep the better.

    `weight` has the same shape; a point of weight 0 has no influence. Two lines cost two parameters more and are kept
    when they lower the Bayesian information criterion.
    """
    curves, points = rate.shape
    steps = np.arange(points, dtype=np.float64)
    candidates = np.arange(1, points - _TAIL_PERIODS + 1)
    left = np.minimum(steps[:, None] - candidates, 0)
    right = np.maximum(steps[:, None] - candidates, 0)
    pulled = weight * rate
    total, total_y, total_yy = weight.sum(1), pulled.sum(1), (pulled * rate).sum(1)

    left_sum, right_sum, left_square, right_square = weight @ left, weight @ right, weight @ left**2, weight @ right**2
    left_y, right_y = pulled @ left, pulled @ right
    own = total[:, None] - _ratio(left_sum**2, left_square) - _ratio(right_sum**2, right_square)
    level = _ratio(
        total_y[:, None] - _ratio(left_sum * left_y, left_square) - _ratio(right_sum * right_y, right_square), own
    )
    left_slope = _ratio(left_y - level * left_sum, left_square)
    right_slope = _ratio(right_y - level * right_sum, right_square)
    joined_error = total_yy[:, None] - level * total_y[:, None] - left_slope * left_y - right_slope * right_y
    joined_error[own <= _TOO_SMALL * total[:, None]] = np.inf
    best = joined_error.argmin(1)
    rows = np.arange(curves)

    mean, mean_y = _ratio(weight @ steps, total), _ratio(total_y, total)
    spread = weight @ steps**2 - total * mean**2
    slope = _ratio(pulled @ steps - total * mean * mean_y, spread)
    line_error = total_yy - total * mean_y**2 - slope**2 * spread

    smallest = _TOO_SMALL * np.maximum(total_yy, _TOO_SMALL)
    gain = np.log(np.maximum(line_error, smallest) / np.maximum(joined_error[rows, best], smallest))
    is_bent = gain > 2 * np.log(points) / points
    return Bend(
        period=np.where(is_bent, candidates[best], 0), tail_slope=np.where(is_bent, right_slope[rows, best], slope)
    )


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    """Divide, with 0 where there is nothing to divide by."""
    divided: Numbers = np.divide(
        part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=np.abs(whole) > _TOO_SMALL
    )
    return divided


def _row(eligible: Numbers, active: Numbers, flat_within: float, resamples: int) -> dict[str, object]:
    empty = dict.fromkeys(("period", "level", "level_low", "level_high", "tail_slope", "period_low", "period_high"))
    accounts, points = eligible.shape
    if points < _TAIL_PERIODS + 2:
        return {"is_found": False, **empty}
    pooled, done = eligible.sum(0, keepdims=True), active.sum(0, keepdims=True)
    point = bend(_ratio(done, pooled), pooled)
    slope = float(point.tail_slope[0])
    if abs(slope) > flat_within:
        return {"is_found": False, **empty, "tail_slope": slope}
    draws = (
        np.random.default_rng(7)
        .multinomial(accounts, np.full(accounts, 1 / accounts), size=resamples)
        .astype(np.float64)
    )
    drawn_eligible, drawn_done = draws @ eligible, draws @ active
    drawn = bend(_ratio(drawn_done, drawn_eligible), drawn_eligible)
    levels = _levels(drawn_done, drawn_eligible, drawn.period)
    low, high = np.quantile(levels, (0.025, 0.975))
    first, last = np.quantile(drawn.period, (0.025, 0.975), method="inverted_cdf")
    return {
        "is_found": True,
        "period": int(point.period[0]),
        "level": float(_levels(done, pooled, point.period)[0]),
        "level_low": float(low),
        "level_high": float(high),
        "tail_slope": slope,
        "period_low": int(first),
        "period_high": int(last),
    }


def _levels(active: Numbers, eligible: Numbers, period: npt.NDArray[np.int64]) -> Numbers:
    """Return the pooled rate of each curve from its bend on."""
    is_tail = np.arange(active.shape[1]) >= period[:, None]
    return _ratio((active * is_tail).sum(1), (eligible * is_tail).sum(1))


def _per_account(store: Store, scope: Scope, asked: Question) -> tuple[Numbers, Numbers]:
    """Return accounts × periods: how many members of each account are eligible, and how many of them active."""
    sql = f"""
    with {asked.relations},
    numbered as (
        select account_id, row_number() over (order by account_id) - 1 as number
        from (select distinct account_id from member where elapsed > 0)
    ),
    counted as (
        select account_id, elapsed as period, count(*) as members, true as is_span
        from member
        group by account_id, elapsed
        union all
        select account_id, period, count(*) as members, false as is_span
        from done
        where period < elapsed
        group by account_id, period
    )
    select numbered.number, counted.period, counted.members, counted.is_span
    from counted
    inner join numbered on numbered.account_id = counted.account_id
    """
    found = store.frame(sql, scope=scope, **asked.params)
    if found.empty:
        return np.zeros((0, 0)), np.zeros((0, 0))
    shape = (int(found["number"].max()) + 1, int(found["period"].max()) + 1)
    passed, active = np.zeros(shape), np.zeros(shape)
    spans, uses = found[found["is_span"]], found[~found["is_span"]]
    passed[spans["number"], spans["period"]] = spans["members"]
    active[uses["number"], uses["period"]] = uses["members"]
    eligible = passed[:, ::-1].cumsum(1)[:, ::-1][:, 1:]  # a member with n elapsed periods is eligible in 0 … n − 1
    shown = int((eligible.sum(0) >= asked.min_accounts).sum())
    return eligible[:, :shown], active[:, :shown]

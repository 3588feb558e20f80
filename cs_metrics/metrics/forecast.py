"""The revenue forecast: expected ARR of the coming months with its intervals, of the whole book and by segment."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics.errors import MetricError
from cs_metrics.metrics.forecast_paths import LEVELS, ahead, part_of, rows_of, simulate, stored
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["forecast", "forecast_by_segment", "forecast_of"]

# The plan that was in force at the end of the day: the last one that was set and not taken back.
_PLAN = """
    select cast(body ->> 'new_arr_monthly' as double)
    from entry
    where topic = 'plan' and effective_on <= $as_of
    order by seq desc
    limit 1
"""


@metric(needs=("subscriptions",), reads=("plan",), page="Health")
def forecast(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    months: int | None = None,
    level: float = 0.8,
    new_arr: float | None = None,
) -> pd.DataFrame:
    """Expected ARR at the end of each of the next months from today's accounts, with the interval that holds `level`.

    The rows are the calendar months after the as-of day's month; the first one also covers the rest of that month, so it
    opens with the book of the as-of day. New customers are not guessed: a plan for them (`new_arr` a month; for the whole
    book by default what was written in the workspace) stands in columns of its own and is in no other number. `months` is
    forecast.months by default.

    An account's ARR is shared among its running contracts by their amounts. In the month of its end a contract is
    renewed with its likelihood, at the ratio of past renewals' new amount ÷ their ARR on the day before the end, and is
    due again a term later; one past its end is decided in the first month; one decided early comes as decided. In the
    other months it is lost at the monthly rate of the last twelve months outside of renewals, and in all months it grows
    and shrinks at theirs, an account weighing at most as much as an average one. So does an account without contract.
    The rates are by segment, the whole book weighing forecast.prior_account_months; growth in an account's first
    quarter and first year is told from later growth. Until a first contract was decided, all accounts are taken as
    without contract.

    The expected values are exact. The interval comes from forecast.paths simulated paths with a fixed seed, in which
    renewals, losses and growth fall by chance and what is common to many accounts is uncertain too: the likelihoods, the
    pace of growth and the rates of loss, and a shock to all renewals of a calendar quarter whose spread is estimated from
    past quarters. The paths' mean is the expected value; the interval is widened to hold it.

    Formula: opening + renewals + expansion + contraction + churn = expected_arr, to the cent; the next month opens with it.
    Columns:
        month: first day of the month
        opening: expected ARR at the start of the month
        renewals: expected change of amount of the contracts that are renewed in the month, signed
        expansion, contraction: expected change of ARR outside of renewals, signed
        churn: expected ARR lost, at the end of contracts and otherwise, negative; less what is expected to come back of it
        expected_arr: expected ARR at the end of the month
        low, high: interval that holds the share `level` of the paths
        low_50, high_50, low_95, high_95: the same for half and for 95 % of them
        due_arr: expected ARR whose contract ends in the month
        renewed_arr: of this expected to be renewed, at its old amount
        planned_new_arr: ARR of new customers by the end of the month, as planned; empty without a plan
        with_plan: expected_arr + planned_new_arr
    Source: renewals with a random effect per quarter, compound losses; Monte Carlo intervals.
    """
    count = _months(store, months, level)
    found = forecast_of(store, as_of, scope, count, level)
    planned = store.value(_PLAN, as_of=as_of) if new_arr is None and not scope.where else new_arr
    if planned is not None and planned < 0:
        raise MetricError(f"new_arr={planned} is not possible: write an amount a month, 0 or more.")
    found["planned_new_arr"] = np.nan if planned is None else np.round(planned * np.arange(1.0, count + 1), 2)
    found["with_plan"] = np.round(found["expected_arr"] + found["planned_new_arr"], 2)
    return found


@metric(needs=("subscriptions",), page="Health")
def forecast_by_segment(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, months: int | None = None, level: float = 0.8
) -> pd.DataFrame:
    """Expected ARR at the end of each of the next months for each segment, with the interval that holds `level`.

    Every amount of `forecast` is the sum of those of the segments, to the cent. The intervals are not: segments do not
    fall all at once, so that of the whole book is narrower than their sum; both come from the same paths.

    Formula: as forecast, for the accounts of each segment.
    Columns:
        segment: the segment, empty where it is unknown
        month: first day of the month
        opening, renewals, expansion, contraction, churn, expected_arr, low, high: as in forecast
        low_50, high_50, low_95, high_95, due_arr, renewed_arr: as in forecast
    """
    count = _months(store, months, level)
    kept = stored(store, as_of, "=*", count) if not scope.where and level in LEVELS.values() else None
    if kept is not None:
        kept["part"] = kept["part"].str[1:]
        return _at_level(kept.rename(columns={"part": "segment"}), level)
    of, drawn = ahead(store, as_of, scope, count), simulate(store, as_of, scope, count).closing
    parts = [rows_of(of, drawn, [at], level) for at in range(len(of.book.groups))]
    for name, rows in zip(of.book.groups, parts, strict=True):
        rows.insert(0, "segment", name)
    empty = rows_of(of, drawn, [], level).iloc[:0]
    empty.insert(0, "segment", pd.Series(dtype="str"))
    return pd.concat(parts, ignore_index=True) if parts else empty


def forecast_of(store: Store, as_of: dt.date, scope: Scope, count: int, level: float = LEVELS[""]) -> pd.DataFrame:
    """Return the months of the forecast of a scope, from what was computed with the data where it is there."""
    part = part_of(scope)
    if part is not None and level in LEVELS.values():
        kept = stored(store, as_of, part, count)
        if kept is not None:
            return _at_level(kept.drop(columns="part"), level)
    of = ahead(store, as_of, scope, count)
    drawn = simulate(store, as_of, scope, count).closing
    return rows_of(of, drawn, range(len(of.book.groups)), level)


def _at_level(kept: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return a kept forecast with the interval of a level, one of those kept."""
    (suffix,) = (name for name, share in LEVELS.items() if share == level)
    return kept.assign(low=kept[f"low{suffix}"], high=kept[f"high{suffix}"])


def _months(store: Store, months: int | None, level: float) -> int:
    count = store.config.forecast.months if months is None else months
    if not 1 <= count <= 36:
        raise MetricError(f"months={count} is not possible: write a number from 1 to 36.")
    if not 0 < level < 1:
        raise MetricError(f"level={level} is not possible: write a share between 0 and 1, as 0.8.")
    return count

"""The revenue forecast: expected ARR of the coming months with its intervals, and how it has done so far."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics.forecast_inputs import DAYS_PER_MONTH, book_and_rates
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.models import forecast as model
from cs_metrics.store import Store

__all__ = ["forecast", "forecast_backtest"]

_LEVELS = {"50": 0.5, "95": 0.95}
_HORIZONS = (3, 6, 12)
_BACKTEST_PATHS = 2000
_BACKTEST_DAYS = 12  # quarter-ends looked at, the newest ones

# What became of the accounts of the book of each asked day by another day: new customers are not in it.
_ACTUAL = """
    with asked as (
        select cast(unnest($firsts) as date) as first, cast(unnest($lasts) as date) as last
    )
    select
        asked.first,
        asked.last,
        coalesce(sum(opening.mrr_cents), 0)::double * 12 / 100 as opening_arr,
        coalesce(sum(closing.mrr_cents), 0)::double * 12 / 100 as actual
    from asked
    inner join mrr_interval opening
        on opening.from_day <= asked.first and (opening.to_day is null or opening.to_day > asked.first)
    inner join scope on scope.account_id = opening.account_id
    left join mrr_interval closing
        on closing.account_id = opening.account_id
        and closing.from_day <= asked.last and (closing.to_day is null or closing.to_day > asked.last)
    group by asked.first, asked.last
    order by asked.first, asked.last
"""


@metric(needs=("subscriptions",), page="Overview")
def forecast(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, months: int | None = None, level: float = 0.8
) -> pd.DataFrame:
    """Expected ARR at the end of each of the next months from today's accounts, with the interval that holds `level`.

    The rows are the calendar months after the as-of day's month; the first one also covers the rest of that month, so it
    opens with the book of the as-of day. New customers are not guessed. `months` is forecast.months by default.

    An account's ARR is shared among its running contracts by their amounts. In the month of its end a contract is
    renewed with its likelihood (renewal_base_rates; by the health of today and the rates that held as far from the
    end), at the ratio of past renewals' new amount ÷ their ARR on the day before the end, and is due again a term later;
    one past its end is decided in the first month; one decided early comes as decided. In the other months it is lost
    at the monthly rate of the last twelve months outside of renewals, and in all months it grows and shrinks at theirs.
    So does an account without contract. The rates are by segment, the whole book weighing
    forecast.prior_account_months; growth in an account's first year is told from later growth. Until a first contract
    was decided, all accounts are taken as without contract.

    The expected values are exact. The interval comes from forecast.paths simulated paths with a fixed seed, in which
    renewals, losses and growth fall by chance and what is common to many accounts is uncertain too: each group's renewal
    rate (beta distribution), the pooled rates, and a shock to all renewals of a calendar quarter whose spread is estimated
    from past quarters. It is widened to hold the expected value.

    Formula: opening + renewals + expansion + contraction + churn = expected_arr, to the cent; the next month opens with it.
    Columns:
        month: first day of the month
        opening: expected ARR at the start of the month
        renewals: expected change of amount of the contracts that are renewed in the month, signed
        expansion, contraction: expected change of ARR outside of renewals, signed
        churn: expected ARR lost, at the end of contracts and otherwise, negative
        expected_arr: expected ARR at the end of the month
        low, high: interval that holds the share `level` of the paths
        low_50, high_50, low_95, high_95: the same for half and for 95 % of them
        due_arr: expected ARR whose contract ends in the month
        renewed_arr: of this expected to be renewed, at its old amount
    Source: beta-binomial renewals with a random effect per quarter, compound losses; Monte Carlo intervals.
    """
    count = store.config.forecast.months if months is None else months
    if not 1 <= count <= 36:
        raise MetricError(f"months={count} is not possible: write a number from 1 to 36.")
    if not 0 < level < 1:
        raise MetricError(f"level={level} is not possible: write a share between 0 and 1, as 0.8.")
    return _forecast(store, as_of, scope, count, level, store.config.forecast.paths)


@metric(needs=("subscriptions",), page="Overview")
def forecast_backtest(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, level: float = 0.8) -> pd.DataFrame:
    """What the forecast said at each past quarter's end, from what was known then, against what came.

    Compared is the ARR 3, 6 and 12 months later of the accounts that were in the book at the quarter's end, because
    new customers are not forecast. Looked at are the newest twelve quarter-ends with a year of history before them.

    Formula: error_percent = 100 × (forecast - actual) ÷ actual; the naive forecast is that nothing changes.
    Columns:
        as_of: the quarter's last day
        horizon_months: 3, 6 or 12
        forecast: expected ARR
        low, high: interval that should hold the share `level` of the actual values
        actual: ARR then of the accounts of that book
        is_inside: whether low ≤ actual ≤ high
        error_percent: of the forecast, positive when it was too high
        naive_error_percent: of the forecast that nothing changes
    """
    days = _quarter_ends(store, as_of)
    asked = [(day, _month_end_after(day, months), months) for day in days for months in _HORIZONS]
    asked = [one for one in asked if one[1] <= as_of]
    firsts, lasts = [one[0] for one in asked], [one[1] for one in asked]
    came = {
        (first, last): (float(opening), float(actual))
        for first, last, opening, actual in store.rows(_ACTUAL, scope=scope, firsts=firsts, lasts=lasts)
    }
    said = {day: _forecast(store, day, scope, max(_HORIZONS), level, _BACKTEST_PATHS) for day in days}
    rows = [
        _compared(day, months, said[day].iloc[months - 1], *came[day, last])
        for day, last, months in asked
        if (day, last) in came
    ]
    return pd.DataFrame(rows, columns=list(_COMPARED)).astype(_COMPARED)


_COMPARED = {
    "as_of": "datetime64[us]",
    "horizon_months": "int64",
    "forecast": "float64",
    "low": "float64",
    "high": "float64",
    "actual": "float64",
    "is_inside": "bool",
    "error_percent": "float64",
    "naive_error_percent": "float64",
}


def _compared(day: dt.date, months: int, said: pd.Series, opening: float, actual: float) -> tuple[object, ...]:
    low, high, expected = float(said["low"]), float(said["high"]), float(said["expected_arr"])
    errors = [100 * (one - actual) / actual if actual else np.nan for one in (expected, opening)]
    return pd.Timestamp(day), months, expected, low, high, actual, low <= actual <= high, *errors


def _quarter_ends(store: Store, as_of: dt.date) -> list[dt.date]:
    first = store.value("select min(from_day) from mrr_interval where from_day <= $as_of", as_of=as_of)
    if first is None:
        return []
    starts = periods.periods_between(periods.add_months(first, 12), as_of, "quarter")
    ends = [periods.period_end(start, "quarter") for start in starts]
    return [day for day in ends if _month_end_after(day, min(_HORIZONS)) <= as_of][-_BACKTEST_DAYS:]


def _month_end_after(day: dt.date, months: int) -> dt.date:
    return periods.month_end(periods.add_months(periods.month_start(day), months))


def _forecast(store: Store, as_of: dt.date, scope: Scope, count: int, level: float, paths: int) -> pd.DataFrame:
    starts = [periods.add_months(periods.month_start(as_of), step) for step in range(1, count + 1)]
    ends = [periods.month_end(start) for start in starts]
    lengths = np.ones(count)
    lengths[0] += periods.days_between(as_of, periods.month_end(as_of)) / DAYS_PER_MONTH
    book, rates = book_and_rates(store, as_of, scope, [as_of, *starts[1:]], ends)
    walk = model.expected(book, rates, lengths)
    quarters = np.array([(start.year * 4 + (start.month - 1) // 3) for start in starts])
    drawn = model.paths(
        book, rates, lengths, walk, quarters=quarters - quarters[0], count=paths, seed=store.config.forecast.seed
    )
    return _frame(starts, walk, drawn, level)


def _frame(starts: list[dt.date], walk: model.Walk, drawn: model.Floats, level: float) -> pd.DataFrame:
    moves = {name: np.round(getattr(walk, name), 2) for name in ("renewals", "expansion", "contraction", "churn")}
    closing = np.round(np.round(walk.opening[0], 2) + np.cumsum(sum(moves.values())), 2)
    found = pd.DataFrame({"month": pd.to_datetime(starts).astype("datetime64[us]")})
    found["opening"] = np.concatenate([[np.round(walk.opening[0], 2)], closing[:-1]])
    for name, amounts in moves.items():
        found[name] = amounts
    found["expected_arr"] = closing
    for suffix, share in {"": level, **{f"_{name}": share for name, share in _LEVELS.items()}}.items():
        low, high = np.quantile(drawn, [(1 - share) / 2, (1 + share) / 2], axis=0)
        found[f"low{suffix}"] = np.minimum(np.round(low, 2), closing)
        found[f"high{suffix}"] = np.maximum(np.round(high, 2), closing)
    found["due_arr"], found["renewed_arr"] = np.round(walk.due, 2), np.round(walk.renewed, 2)
    return found

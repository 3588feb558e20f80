"""How the forecast has done so far: what it said at each past quarter's end, beside what came and three simple rivals."""

import datetime as dt

import pandas as pd

from cs_metrics.errors import MetricError
from cs_metrics.metrics.forecast import forecast_of
from cs_metrics.metrics.forecast_paths import part_of
from cs_metrics.metrics.forecast_rivals import COLUMNS, HORIZONS, RIVALS, horizon_end, quarter_ends, rivals
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["forecast_backtest", "forecast_record"]

_FEWEST_RUNS = 4  # a record of fewer is told, but not judged
_INSIDE = {"": "is_inside", "_50": "is_inside_50", "_95": "is_inside_95"}


@metric(needs=("subscriptions",), page="Health")
def forecast_backtest(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, level: float = 0.8) -> pd.DataFrame:
    """What the forecast said at each past quarter's end, from what was known then, against what came.

    Compared is the ARR 1 to 12 months later of the accounts that were in the book at the quarter's end, because new
    customers are not forecast. Looked at are the newest twelve quarter-ends with a year of history before them. Beside the
    forecast stand three rivals that need no model: no change; the rate at which the book of twelve months before had
    kept its ARR by then, in proportion to the horizon; and for each health colour the share of ARR that its accounts kept
    over the last so many months. A rate over too few accounts is that of all colours, or none.

    Formula: error_percent = 100 × (forecast - actual) ÷ actual; the naive forecast is that nothing changes.
    Columns:
        as_of: the quarter's last day
        horizon_months: 1 to 12
        forecast: expected ARR
        low, high: interval that should hold the share `level` of the actual values
        actual: ARR then of the accounts of that book
        is_inside: whether low ≤ actual ≤ high
        error_percent: of the forecast, positive when it was too high
        naive_error_percent: of the forecast that nothing changes
        day: the day that was forecast
        accounts, opening: accounts of that book and their ARR at the quarter's end
        low_50, high_50, low_95, high_95: intervals that should hold half, and 95 %, of the actual values
        is_inside_50, is_inside_95: whether they did
        last_year, health: what last year's rate and the rate by health colour foretold
        last_year_error_percent, health_error_percent: their errors
    """
    if not 0 < level < 1:
        raise MetricError(f"level={level} is not possible: write a share between 0 and 1, as 0.8.")
    days = quarter_ends(store, as_of)
    came = _came(store, as_of, scope, days)
    came = came[came["actual"].notna()].reset_index(drop=True)
    said = {day: forecast_of(store, day, scope, max(HORIZONS), level) for day in came["as_of"].dt.date.unique()}
    found = came[["as_of", "horizon_months"]].copy()
    rows = [
        said[day].iloc[months - 1] for day, months in zip(came["as_of"].dt.date, came["horizon_months"], strict=True)
    ]
    told = pd.DataFrame(rows).reset_index(drop=True) if rows else pd.DataFrame(columns=["expected_arr", *_EDGES])
    told = told.astype(dict.fromkeys(["expected_arr", *_EDGES], "float64"))
    found["forecast"], found["low"], found["high"], found["actual"] = (
        told["expected_arr"],
        told["low"],
        told["high"],
        came["actual"],
    )
    found["is_inside"] = _inside(told, came["actual"], "")
    found["error_percent"] = _error(told["expected_arr"], came["actual"])
    found["naive_error_percent"] = _error(came["no_change"], came["actual"])
    found["day"] = pd.Series(
        [horizon_end(day, months) for day, months in zip(came["as_of"].dt.date, came["horizon_months"], strict=True)],
        dtype="datetime64[us]",
    )
    found["accounts"], found["opening"] = came["accounts"], came["opening"]
    for suffix in ("_50", "_95"):
        found[f"low{suffix}"], found[f"high{suffix}"] = told[f"low{suffix}"], told[f"high{suffix}"]
        found[_INSIDE[suffix]] = _inside(told, came["actual"], suffix)
    for rival in ("last_year", "health"):
        found[rival] = came[rival]
        found[f"{rival}_error_percent"] = _error(came[rival], came["actual"])
    return found


@metric(needs=("subscriptions",), page="Health")
def forecast_record(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """How often the intervals of past forecasts held what came, how far off they were, and whether simple rivals were nearer.

    One row a horizon, and a first one over all of them. The runs of one horizon overlap (those of twelve months
    share three quarters of their time with the next), so they are fewer independent looks than they seem.

    Formula: mape = mean of |error_percent|; bias = mean of error_percent; better_than = rivals whose mape is larger.
    Columns:
        horizon_months: 1 to 12, empty for all horizons together
        runs: forecasts of the past that can be judged
        inside_50, inside_80, inside_95: how many of them lay inside that interval
        inside_50_share, inside_80_share, inside_95_share: inside ÷ runs
        bias: mean error in percent, positive when forecasts were too high
        mape: mean size of the error in percent
        no_change_mape, last_year_mape, health_mape: the same for the rivals
        better_than: how many of the three rivals had the larger error
        verdict: what follows, in words
    """
    past = forecast_backtest(store, as_of=as_of, scope=scope)
    past = past[past["error_percent"].notna()]
    rows = [_judged(past, None)] if len(past) else []
    rows += [
        _judged(past[past["horizon_months"] == months], months) for months in sorted(past["horizon_months"].unique())
    ]
    return pd.DataFrame(rows, columns=list(_JUDGED)).astype(_JUDGED)


_EDGES = ("low", "high", "low_50", "high_50", "low_95", "high_95")
_JUDGED = {
    "horizon_months": "Int64",
    "runs": "int64",
    **{f"inside_{one}": "int64" for one in (50, 80, 95)},
    **{f"inside_{one}_share": "float64" for one in (50, 80, 95)},
    "bias": "float64",
    "mape": "float64",
    **{f"{one}_mape": "float64" for one in RIVALS},
    "better_than": "int64",
    "verdict": "str",
}


def _came(store: Store, as_of: dt.date, scope: Scope, days: list[dt.date]) -> pd.DataFrame:
    """Return what came of past books and what the rivals foretold, as computed with the data where it is there."""
    part = part_of(scope)
    if part is not None and days:
        kept = store.frame(
            "select * from forecast_past where part = $part and as_of = any($days) order by as_of, horizon_months",
            part=part,
            days=days,
        ).astype(COLUMNS)
        if kept["as_of"].nunique() == len(days):
            ends = [
                horizon_end(day, months)
                for day, months in zip(kept["as_of"].dt.date, kept["horizon_months"], strict=True)
            ]
            kept["actual"] = kept["actual"].where(pd.Series([end <= as_of for end in ends], index=kept.index))
            return kept
    found = rivals(store, as_of=as_of, scope=scope, days=days)
    return found[found["part"] == ""].reset_index(drop=True)


def _inside(told: pd.DataFrame, actual: pd.Series, suffix: str) -> pd.Series:
    return (told[f"low{suffix}"] <= actual) & (actual <= told[f"high{suffix}"])


def _error(foretold: pd.Series, actual: pd.Series) -> pd.Series:
    return 100 * (foretold - actual) / actual.where(actual != 0)


def _judged(past: pd.DataFrame, months: int | None) -> tuple[object, ...]:
    runs = len(past)
    inside = [int(past[_INSIDE[suffix]].sum()) for suffix in ("_50", "", "_95")]
    error = past["error_percent"]
    mape = float(error.abs().mean())
    columns = ("naive_error_percent", "last_year_error_percent", "health_error_percent")
    others = [float(past[column].abs().mean()) for column in columns]
    worse = sum(mape < other for other in others)
    words = _verdict(runs, inside[1] / runs, mape, dict(zip(RIVALS.values(), others, strict=True)))
    return (months, runs, *inside, *(one / runs for one in inside), float(error.mean()), mape, *others, worse, words)


def _verdict(runs: int, inside: float, mape: float, others: dict[str, float]) -> str:
    """Say in words whether the intervals were honest and whether the forecast was worth its model."""
    if runs < _FEWEST_RUNS:
        return f"{runs} past forecasts: too few to judge"
    nearest = min(others, key=lambda name: others[name])
    missed = 1 - inside
    width = "too narrow" if missed > 0.3 else "wider than need be" if missed < 0.1 else "about as sure as it says"
    against = "nearer than all three simple ways" if mape < others[nearest] else f"no nearer than '{nearest}'"
    return f"{width}; {against}"

"""The health score of each account and week, from the raw measures of the mart `account_week`.

A measure is scored in a straight line between two configured values, or between two percentiles of the customers of
the same week; a dimension is the weighted mean of its measures that have data; the score is the weighted mean of the
dimensions that have data. What lacks data is left out and shown as coverage, never filled.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cs_metrics.config import DIMENSIONS, HealthConfig, Measure
from cs_metrics.errors import ConfigError, hint

__all__ = [
    "COLOURS",
    "DIMENSIONS",
    "colour_of",
    "combined",
    "dimension_scores",
    "dimension_weights",
    "measure_score",
    "percentiles",
    "score",
    "turned",
]

COLOURS = ("red", "yellow", "green", "none")
_PASSED_ON = ("segment", "mrr_cents")
_NOISE_DIGITS = 9  # binary fractions miss by about 1e-14; beyond this digit a score of exactly 50 must stay 50


def score(weeks: pd.DataFrame, config: HealthConfig) -> pd.DataFrame:
    """Return the health of each account and week, in order of account and week.

    `weeks` holds account_id, week_end, segment, stage and a column per measure, NaN where there is nothing to measure.

    An account has a score in a week when its dimensions with data carry at least `min_coverage` of the weight of the
    dimensions that are measured at all: those for which at least `measured_from` of that week's customers have
    data. So where no use of the product is recorded, satisfaction and tickets carry the score; `coverage` still
    says how much of the whole they are.

    Columns:
        account_id, week_end, stage: as given; segment and mrr_cents too where given
        score: 0–100, NaN where the account has too little data
        colour: red ≤ red_to < yellow ≤ yellow_to < green on the unrounded score, `none` without a score
        coverage: share of the weights whose dimension has data
        change_28_days: score minus the score four weeks earlier, NaN where either is missing
        weeks_red: how many weeks in a row, this one included, the account has been red
        depth, activity, support, sentiment, outcome, relationship: 0–100 or NaN
        <measure>_percentile: for each measure on that scale, its percentile among the customers of the week
    """
    weeks = _in_order(weeks)
    ranks = percentiles(weeks, config)
    parts = dimension_scores(weeks, config.measures, ranks)
    weights = dimension_weights(weeks, config)
    known = ~np.isnan(parts)
    value, total = combined(parts, weights)
    enough = config.min_coverage * (np.abs(weights) * _measured(weeks, known, config)).sum(axis=1)
    value = np.where(total >= enough - 1e-12, value, np.nan)
    found = weeks[["account_id", "week_end", *(one for one in _PASSED_ON if one in weeks), "stage"]].copy()
    found["score"] = value.round(_NOISE_DIGITS)
    found["colour"] = colour_of(found["score"].to_numpy(), config)
    found["coverage"] = total.round(_NOISE_DIGITS)
    found["change_28_days"] = _change(found)
    found["weeks_red"] = _run_of_red(found)
    for index, name in enumerate(DIMENSIONS):
        found[name] = parts[:, index]
    for name, values in ranks.items():
        found[f"{name}_percentile"] = values
    return found


def combined(parts: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of the dimensions with data, NaN where none has any, and the weight that they carry."""
    known = ~np.isnan(parts)
    size = np.abs(weights) * known
    total = size.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (np.where(known, turned(parts, weights), 0.0) * size).sum(axis=-1) / total
    return np.where(total > 0, value, np.nan), total


def turned(parts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the dimensions as they count: those with a weight below 0 the other way round."""
    return np.where(weights < 0, 100.0 - parts, parts)


def percentiles(weeks: pd.DataFrame, config: HealthConfig) -> dict[str, np.ndarray]:
    """Return for each measure on that scale its percentile among the customers of the same week that have it.

    Formula: (customers with less + half of those with the same, itself included) ÷ customers × 100. A segment with
    fewer than `rank_from` customers that have the measure is ranked among all; with fewer of all there is none.
    """
    found = {}
    for name, measure in config.measures.items():
        if measure.scale != "percentile" or name not in weeks:
            continue
        values = weeks[name].astype("float64")
        rank, size = _ranks(values, [weeks["week_end"]])
        if measure.among == "segment":
            own, peers = _ranks(values, [weeks["week_end"], weeks["segment"].fillna("")])
            is_enough = peers >= config.rank_from
            rank, size = np.where(is_enough, own, rank), np.where(is_enough, peers, size)
        found[name] = np.where(size >= config.rank_from, (rank - 0.5) / np.maximum(size, 1) * 100, np.nan)
    return found


def _ranks(values: pd.Series, by: list[pd.Series]) -> tuple[np.ndarray, np.ndarray]:
    groups = values.groupby([one.to_numpy() for one in by])
    return groups.rank().to_numpy(dtype="float64"), groups.transform("count").to_numpy(dtype="float64")


def measure_score(values: np.ndarray, measure: Measure) -> np.ndarray:
    """Return 0–100: 0 at `zero` or beyond, 100 at `full` or beyond, straight between; NaN stays NaN."""
    return np.clip((values - measure.zero) / (measure.full - measure.zero), 0.0, 1.0) * 100.0


def dimension_scores(
    weeks: pd.DataFrame, measures: Mapping[str, Measure], ranks: Mapping[str, np.ndarray] | None = None
) -> np.ndarray:
    """Return a row per week and a column per dimension: the weighted mean of the measures with data, else NaN.

    `ranks` holds the percentiles of the measures that are scored by them.
    """
    summed = np.zeros((len(weeks), len(DIMENSIONS)))
    weight = np.zeros_like(summed)
    for name, measure in measures.items():
        if name not in weeks:
            raise ConfigError(f"health.measures names '{name}', which is not measured.{hint(name, map(str, weeks))}")
        given = (ranks or {}).get(name)
        raw = weeks[name].to_numpy(dtype="float64", na_value=np.nan) if given is None else given
        values = measure_score(raw, measure)
        known, column = ~np.isnan(values), DIMENSIONS.index(measure.dimension)
        summed[known, column] += values[known] * measure.weight
        weight[known, column] += measure.weight
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 0, summed / weight, np.nan)


def colour_of(values: np.ndarray, config: HealthConfig) -> np.ndarray:
    """Return red, yellow, green or none for each unrounded score."""
    words = np.select(
        [values <= config.red_to, values <= config.yellow_to, values > config.yellow_to], COLOURS[:3], "none"
    )
    return np.where(np.isnan(values), "none", words)


def dimension_weights(weeks: pd.DataFrame, config: HealthConfig) -> np.ndarray:
    """Return the configured weight of each dimension, with its sign, for the segment and stage of each row."""
    pairs = pd.MultiIndex.from_arrays([weeks["segment"].fillna("").astype(str), weeks["stage"].astype(str)])
    codes, unique = pd.factorize(pairs)
    if not len(weeks):
        return np.zeros((0, len(DIMENSIONS)))
    chosen = [config.weights_for(str(segment), str(stage)) for segment, stage in unique]
    return np.array([[one.of(name) for name in DIMENSIONS] for one in chosen])[codes]


def _in_order(weeks: pd.DataFrame) -> pd.DataFrame:
    accounts, _ = pd.factorize(weeks["account_id"], sort=True)
    days = pd.to_datetime(weeks["week_end"])
    order = np.lexsort((days.to_numpy(), accounts))
    return weeks.assign(week_end=days).iloc[order].reset_index(drop=True)


def _measured(weeks: pd.DataFrame, known: np.ndarray, config: HealthConfig) -> np.ndarray:
    """Tell for each row and dimension whether enough customers of the same week have data in it."""
    codes, unique = pd.factorize(weeks["week_end"])
    size = np.bincount(codes, minlength=len(unique))
    with_data = np.array([np.bincount(codes, weights=column, minlength=len(unique)) for column in known.T]).T
    is_measured = (with_data > 0) & (with_data >= config.measured_from * size[:, None])
    measured: np.ndarray = is_measured[codes]
    return measured


def _change(found: pd.DataFrame) -> np.ndarray:
    """Return the score minus that of exactly 28 days before; with a row a week it lies at most four rows back."""
    account = pd.factorize(found["account_id"])[0]
    days = found["week_end"].to_numpy()
    value = found["score"].to_numpy()
    change = np.full(len(found), np.nan)
    for back in range(1, 5):
        same = (account[back:] == account[:-back]) & (days[back:] - days[:-back] == np.timedelta64(28, "D"))
        change[back:] = np.where(same, value[back:] - value[:-back], change[back:])
    return change.round(_NOISE_DIGITS)


def _run_of_red(found: pd.DataFrame) -> np.ndarray:
    """Count consecutive red weeks; a missing week ends the run."""
    is_red = (found["colour"] == "red").to_numpy()
    account = pd.factorize(found["account_id"])[0]
    goes_on = is_red.copy()
    goes_on[:1] = False
    is_next = (np.diff(account) == 0) & (np.diff(found["week_end"].to_numpy()) == np.timedelta64(7, "D"))
    goes_on[1:] &= is_red[:-1] & is_next
    at = np.arange(len(found))
    started = np.maximum.accumulate(np.where(goes_on, -1, at)) if len(found) else at
    return np.where(is_red, at - started + 1, 0)

"""The health score of each account and week, from the raw measures of the mart `account_week`.

A measure is scored in a straight line between two configured values; a dimension is the weighted mean of its
measures that have data; the score is the weighted mean of the dimensions that have data. What lacks data is left
out and shown as coverage, never filled.
"""

import numpy as np
import pandas as pd

from cs_metrics.config import DIMENSIONS, HealthConfig, Measure

__all__ = ["COLOURS", "DIMENSIONS", "colour_of", "dimension_scores", "measure_score", "score"]

COLOURS = ("red", "yellow", "green", "none")


def score(weeks: pd.DataFrame, config: HealthConfig) -> pd.DataFrame:
    """Return the health of each account and week.

    `weeks` holds account_id, week_end, segment, stage and a column per measure, NaN where there is nothing to measure.

    Columns:
        account_id, week_end, stage: as given
        score: 0–100, NaN where coverage is below `min_coverage`
        colour: red ≤ red_to < yellow ≤ yellow_to < green on the unrounded score, `none` without a score
        coverage: share of the weights whose dimension has data
        change_28_days: score minus the score four weeks earlier, NaN where either is missing
        weeks_red: how many weeks in a row, this one included, the account has been red
        depth, activity, support, sentiment, outcome, relationship: 0–100 or NaN
    """
    weeks = weeks.sort_values(["account_id", "week_end"], kind="stable", ignore_index=True)
    parts = dimension_scores(weeks, config.measures)
    weights = _weights(weeks, config)
    known = ~np.isnan(parts)
    total = (weights * known).sum(axis=1)
    summed = np.where(known, parts, 0.0) * weights
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where((total > 0) & (total >= config.min_coverage - 1e-12), summed.sum(axis=1) / total, np.nan)
    found = weeks[["account_id", "week_end", "stage"]].copy()
    found["score"] = value
    found["colour"] = colour_of(value, config)
    found["coverage"] = total
    found["change_28_days"] = _change(found)
    found["weeks_red"] = _run_of_red(found)
    for index, name in enumerate(DIMENSIONS):
        found[name] = parts[:, index]
    return found


def measure_score(values: np.ndarray, measure: Measure) -> np.ndarray:
    """Return 0–100: 0 at `zero` or beyond, 100 at `full` or beyond, straight between; NaN stays NaN."""
    return np.clip((values - measure.zero) / (measure.full - measure.zero), 0.0, 1.0) * 100.0


def dimension_scores(weeks: pd.DataFrame, measures: dict[str, Measure]) -> np.ndarray:
    """Return a row per week and a column per dimension: the weighted mean of the measures with data, else NaN."""
    summed = np.zeros((len(weeks), len(DIMENSIONS)))
    weight = np.zeros_like(summed)
    for name, measure in measures.items():
        values = measure_score(weeks[name].to_numpy(dtype="float64", na_value=np.nan), measure)
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


def _weights(weeks: pd.DataFrame, config: HealthConfig) -> np.ndarray:
    segments = weeks["segment"].fillna("").astype(str)
    stages = weeks["stage"].astype(str)
    groups = pd.MultiIndex.from_arrays([segments, stages])
    codes, unique = pd.factorize(groups)
    table = np.array(
        [[config.weights_for(str(pair[0]), str(pair[1])).of(name) for name in DIMENSIONS] for pair in unique]
    )
    return table[codes] if len(weeks) else np.zeros((0, len(DIMENSIONS)))


def _change(found: pd.DataFrame) -> pd.Series:
    earlier = found[["account_id", "week_end", "score"]].copy()
    earlier["week_end"] = earlier["week_end"] + pd.Timedelta(days=28)
    joined = found[["account_id", "week_end"]].merge(earlier, on=["account_id", "week_end"], how="left")
    change: pd.Series = found["score"] - joined["score"].to_numpy()
    return change


def _run_of_red(found: pd.DataFrame) -> np.ndarray:
    """Count consecutive red weeks; a missing week ends the run."""
    is_red = (found["colour"] == "red").to_numpy()
    is_next = (
        (found["account_id"] == found["account_id"].shift()) & (found["week_end"].diff() == pd.Timedelta(days=7))
    ).to_numpy()
    goes_on = is_red & is_next
    goes_on[1:] &= is_red[:-1]
    run = pd.Series(np.cumsum(~goes_on))
    return (pd.Series(is_red).groupby(run).cumsum().to_numpy() * is_red).astype("int64")

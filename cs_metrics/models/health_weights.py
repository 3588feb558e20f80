"""Weights that the past suggests: learned from what became of accounts, and judged on what came later.

Every row is an account at the end of a quarter: its dimensions, the score that they made, and whether it was lost in the
quarter after. As of the end of a quarter only the quarters that were over count.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cs_metrics.config.health import DIMENSIONS, HealthConfig, SuggestedWeights
from cs_metrics.models.health import combined, dimension_weights
from cs_metrics.models.health_trial import area_under_curve, clustered_areas

__all__ = ["Gain", "gain", "learn", "rounded", "suggest"]

Floats = np.ndarray
_POINTS = 25.0  # a step of a dimension that is worth about one standard deviation
_LOWEST = 0.2
_DIGITS = 2


@dataclass(frozen=True, kw_only=True)
class Gain:
    """How other weights do beside today's on the same later rows: areas, their difference, and what the lowest fifth holds."""

    rows: int
    losses: int
    auc_today: float
    auc_suggested: float
    low: float
    high: float
    caught_today: float
    caught_suggested: float

    @property
    def points(self) -> float:
        """The gain in AUC."""
        return self.auc_suggested - self.auc_today


def learn(panel: pd.DataFrame, today: Floats, settings: SuggestedWeights) -> Floats | None:
    """Return the weights with their signs, without which they add up to 1; None with too few losses, or kept, to learn from.

    A logistic regression of being kept on the six dimensions. A dimension without data stands at the account's score, as
    today's score has it. The coefficients are drawn towards today's weights, at the strength with which today's score
    itself tells losses, as if so many losses more had been seen; whether a dimension counts for or against is free.

    Source: Cox (1958), logistic regression; Hoerl and Kennard (1970), ridge, here towards today's weights.
    """
    lost = panel["is_lost"].to_numpy(dtype=bool)
    if lost.sum() < settings.min_losses or (~lost).sum() < settings.min_losses:
        return None
    score = panel["score"].to_numpy(dtype="float64")
    parts = panel[list(DIMENSIONS)].to_numpy(dtype="float64")
    parts = np.where(np.isnan(parts), score[:, None], parts)
    kept = (~lost).astype("float64")
    slope = max(_fit(_centred(score[:, None]), kept, np.zeros(1), 1e-6)[0], 0.0)
    found = _fit(_centred(parts), kept, slope * today, settings.prior_losses)
    total = np.abs(found).sum()
    return rounded(found / total) if total > 0 else today


def rounded(weights: Floats) -> Floats:
    """Return the weights in whole hundredths that still add up to 1 without their signs."""
    found = weights.round(_DIGITS)
    largest = int(np.abs(found).argmax())
    found[largest] += np.sign(found[largest]) * (1 - np.abs(found).sum())
    return found.round(_DIGITS)


def gain(panel: pd.DataFrame, today: Floats, other: Floats, config: HealthConfig) -> Gain:
    """Return how `other` weights (a row each) do beside `today`'s on rows that neither has seen.

    The interval of the gain draws accounts, the same for both.
    """
    parts = panel[list(DIMENSIONS)].to_numpy(dtype="float64")
    old, new = combined(parts, today)[0], combined(parts, other)[0]
    known = ~np.isnan(old) & ~np.isnan(new)
    old, new, lost = old[known], new[known], panel["is_lost"].to_numpy(dtype=bool)[known]
    account = panel["account_id"].to_numpy(dtype=str)[known]
    low = high = np.nan
    if lost.any() and not lost.all():
        trial = config.trial
        drawn = [clustered_areas(one, lost, account, trial.resamples, trial.seed) for one in (new, old)]
        low, high = (float(one) for one in np.nanquantile(drawn[0] - drawn[1], [0.025, 0.975]))
    return Gain(
        rows=len(old),
        losses=int(lost.sum()),
        auc_today=area_under_curve(old[lost], old[~lost]),
        auc_suggested=area_under_curve(new[lost], new[~lost]),
        low=low,
        high=high,
        caught_today=_caught(old, lost),
        caught_suggested=_caught(new, lost),
    )


def suggest(panel: pd.DataFrame, segment: str, config: HealthConfig) -> list[dict[str, Any]]:
    """Return what each quarter's end suggests for a segment (empty: all), a row for each quarter's end and dimension.

    `panel` holds account_id, segment, stage, score, is_lost, the dimensions, `snapshot_day` and `closing_day`; rows in
    onboarding, which has weights of its own, and rows without a score are left out. Weights are learned at each closing
    day from what was over by then; each later quarter is scored by the weights that were known on its first day.
    """
    mine = panel[panel["score"].notna() & (panel["stage"] != "onboarding")]
    mine = mine[mine["segment"] == segment] if segment else mine
    mine = mine.sort_values(["snapshot_day", "account_id"], ignore_index=True)
    settings = config.suggested_weights
    chosen = config.weights_for(segment, "adoption")
    today = np.array([chosen.of(name) for name in DIMENSIONS])
    learned: dict[Any, Floats] = {}
    rows = []
    for day in sorted(panel["closing_day"].unique()):
        past = mine[mine["closing_day"] <= day]
        found = learn(past, today, settings)
        if found is not None:
            learned[day] = found
        tested = _tested(past, learned, settings)
        judged = None
        if len(tested):
            other = np.array([learned[one] for one in tested["snapshot_day"]])
            judged = gain(tested, dimension_weights(tested, config), other, config)
        rows += _rows(day, segment, past, today, found, judged, settings)
    return rows


def _tested(past: pd.DataFrame, learned: dict[Any, Floats], settings: SuggestedWeights) -> pd.DataFrame:
    """Return the rows of the last quarters on whose first day weights were known."""
    days = [one for one in sorted(past["snapshot_day"].unique()) if one in learned][-settings.test_quarters :]
    return past[past["snapshot_day"].isin(days)].reset_index(drop=True)


def _rows(
    day: Any,
    segment: str,
    past: pd.DataFrame,
    today: Floats,
    found: Floats | None,
    judged: Gain | None,
    settings: SuggestedWeights,
) -> list[dict[str, Any]]:
    losses = int(past["is_lost"].sum())
    common = {
        "trained_on": day,
        "segment": segment,
        "outcomes": len(past),
        "losses": losses,
        "test_outcomes": judged.rows if judged else 0,
        "test_losses": judged.losses if judged else 0,
        "auc_today": judged.auc_today if judged else np.nan,
        "auc_suggested": judged.auc_suggested if judged else np.nan,
        "gain": judged.points if judged else np.nan,
        "gain_low": judged.low if judged else np.nan,
        "gain_high": judged.high if judged else np.nan,
        "caught_today": judged.caught_today if judged else np.nan,
        "caught_suggested": judged.caught_suggested if judged else np.nan,
        "verdict": _verdict(losses, found is not None, judged, settings),
    }
    suggested = np.full(len(today), np.nan) if found is None else found
    return [
        {**common, "dimension": name, "weight_today": today[at], "weight_suggested": suggested[at]}
        for at, name in enumerate(DIMENSIONS)
    ]


def _verdict(losses: int, is_learned: bool, judged: Gain | None, settings: SuggestedWeights) -> str:
    if not is_learned:
        return f"not enough outcomes ({losses} losses to learn from, at least {settings.min_losses} are needed)"
    tested = judged.losses if judged else 0
    if judged is None or tested < settings.min_test_losses:
        return f"not judged yet ({tested} later losses, at least {settings.min_test_losses} are needed)"
    said = f"AUC {judged.points:+.3f}, 95% interval {judged.low:+.3f} to {judged.high:+.3f}"
    if judged.low > 0:
        return f"better on later outcomes ({said})"
    if judged.high < 0:
        return f"worse on later outcomes ({said})"
    return f"no gain that can be told from chance ({said})"


def _caught(score: Floats, lost: Floats) -> float:
    """Return the share of the losses among the fifth of the rows that score lowest; ties in proportion."""
    if not lost.any():
        return np.nan
    rank = pd.Series(score).rank(method="min").to_numpy()
    size, room = len(score), len(score) * _LOWEST
    ties = pd.Series(score).map(pd.Series(score).value_counts()).to_numpy()
    inside = np.clip((room - (rank - 1)) / np.maximum(ties, 1), 0, 1) if size else rank
    return float(inside[lost].sum() / lost.sum())


def _centred(values: Floats) -> Floats:
    found: Floats = (values - values.mean(axis=0)) / _POINTS
    return found


def _fit(x: Floats, y: Floats, towards: Floats, strength: float) -> Floats:
    """Return the coefficients of a logistic regression drawn `towards` some, by Newton's method; the intercept is free."""
    design = np.column_stack([np.ones(len(x)), x])
    prior, hold = np.r_[0.0, towards], np.r_[0.0, np.full(x.shape[1], strength)]
    share = np.clip(y.mean(), 1e-9, 1 - 1e-9)
    beta = np.r_[np.log(share / (1 - share)), towards]
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(design @ beta, -35, 35)))
        slope = design.T @ (y - chance) - hold * (beta - prior)
        bend = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(hold + 1e-9)
        step = np.linalg.solve(bend, slope)
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    coefficients: Floats = beta[1:]
    return coefficients

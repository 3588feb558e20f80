"""Three ways to learn the likelihood of renewal from past decisions, each with exact contributions in log-odds.

A regularised logistic regression, a random forest and gradient boosted trees, with small fixed settings, one thread and
a fixed seed: the same rows give the same numbers. Whatever is learned is calibrated afterwards on decisions that were
not used for fitting, by a straight line in log-odds (Platt 1999), so that contributions stay additive.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from cs_metrics.models.likelihood_factors import Design, Floats

__all__ = ["Calibration", "Fitted", "calibrate", "fit", "sigmoid"]

_SEED = 7
_STRENGTH = 0.1  # of the logistic model: the smaller, the more its coefficients are held back
_MISSING_FROM = 0.02  # a column's absence is a sign of its own where this share of rows, but not nearly all, lacks it
_LINE_PRIOR = 300.0  # how many decisions the calibration weighs "leave it as it is"
_TREES = {
    "forest": {"num_parallel_tree": 40, "max_depth": 4, "learning_rate": 1.0, "subsample": 0.5, "colsample_bynode": 0.4, "min_child_weight": 2.0, "reg_lambda": 1.0},
    "boosting": {"max_depth": 2, "learning_rate": 0.08, "subsample": 0.7, "colsample_bynode": 0.3, "min_child_weight": 2.0, "reg_lambda": 5.0},
}  # fmt: skip
_ROUNDS = {"forest": 1, "boosting": 100}


class Fitted(Protocol):
    """A model that was learned: log-odds of renewal, and what each column adds to them."""

    def log_odds(self, values: Floats) -> Floats:
        """Return the log-odds of each row."""

    def contributions(self, values: Floats) -> tuple[Floats, Floats]:
        """Return what each column adds to each row (row × column) and the base of each row; together the log-odds."""


def sigmoid(log_odds: Floats) -> Floats:
    """Return the probability of these log-odds."""
    found: Floats = 1 / (1 + np.exp(-np.clip(log_odds, -30, 30)))
    return found


def fit(candidate: str, rows: Design, renewed: Floats) -> Fitted:
    """Learn one of `CANDIDATES` from decisions (1 renewed, 0 lost); both outcomes must be there."""
    if candidate == "logistic":
        return _Line.learn(rows, renewed)
    return _Trees.learn(candidate, rows, renewed)


@dataclass(frozen=True)
class _Line:
    """A logistic regression on standardised columns; where a value is missing, its own sign counts in its place."""

    centre: Floats
    scale: Floats
    low: Floats
    high: Floats
    slope: Floats
    absence: Floats
    absent_share: Floats
    base: float

    @classmethod
    def learn(cls, rows: Design, renewed: Floats) -> "_Line":
        values, expected = rows.values, rows.expected
        missing = np.isnan(values)
        share = missing.mean(axis=0)
        held = np.where(missing.all(axis=0), 0.0, values)
        low, high = np.nanpercentile(held, [1, 99], axis=0)
        clipped = np.clip(held, low, high)
        centre, spread = np.nanmean(clipped, axis=0), np.nanstd(clipped, axis=0)
        scale = np.where((spread > 1e-9) & (share < 1), spread, np.inf)
        told = (share >= _MISSING_FROM) & (share <= 1 - _MISSING_FROM)
        known = np.where(missing, 0.0, (np.clip(np.nan_to_num(values), low, high) - centre) / scale)
        weights = np.hstack([expected, expected * told])
        both = np.hstack([known, missing - share]) * weights
        model = LogisticRegression(C=_STRENGTH, max_iter=500).fit(both, renewed)
        slopes = model.coef_[0] * weights
        width = values.shape[1]
        return cls(centre, scale, low, high, slopes[:width], slopes[width:], share, float(model.intercept_[0]))

    def contributions(self, values: Floats) -> tuple[Floats, Floats]:
        missing = np.isnan(values)
        known = (np.clip(np.nan_to_num(values), self.low, self.high) - self.centre) / self.scale
        parts = np.where(missing, 0.0, known) * self.slope + (missing - self.absent_share) * self.absence
        return parts, np.full(len(values), self.base)

    def log_odds(self, values: Floats) -> Floats:
        parts, base = self.contributions(values)
        found: Floats = parts.sum(axis=1) + base
        return found


class _Trees:
    """Trees by XGBoost: a missing value takes the branch that suited the past best; contributions are its TreeSHAP."""

    def __init__(self, booster: object) -> None:
        self._booster = booster

    @classmethod
    def learn(cls, candidate: str, rows: Design, renewed: Floats) -> "_Trees":
        import xgboost

        settings = {
            **_TREES[candidate],
            "objective": "binary:logistic",
            "tree_method": "hist",
            "max_bin": 64,
            "base_score": float(np.clip(renewed.mean(), 0.01, 0.99)),
            "nthread": 1,
            "seed": _SEED,
            "verbosity": 0,
        }
        past = xgboost.DMatrix(rows.values, renewed, feature_weights=rows.expected, nthread=1)
        return cls(xgboost.train(settings, past, _ROUNDS[candidate]))

    def _predict(self, values: Floats, what: str) -> Floats:
        import xgboost

        rows = xgboost.DMatrix(values, nthread=1)
        return np.asarray(self._booster.predict(rows, **{what: True}), dtype="float64")  # type: ignore[attr-defined]

    def log_odds(self, values: Floats) -> Floats:
        return self._predict(values, "output_margin") if len(values) else np.zeros(0)

    def contributions(self, values: Floats) -> tuple[Floats, Floats]:
        if not len(values):
            return np.zeros(values.shape), np.zeros(0)
        found = self._predict(values, "pred_contribs")
        return found[:, :-1], found[:, -1]


@dataclass(frozen=True)
class Calibration:
    """A straight line in log-odds: shift + slope × log-odds, the slope never below 0."""

    shift: float = 0.0
    slope: float = 1.0

    def of(self, log_odds: npt.NDArray[np.float64]) -> Floats:
        """Return calibrated log-odds."""
        found: Floats = self.shift + self.slope * log_odds
        return found


def calibrate(log_odds: Floats, renewed: Floats) -> Calibration:
    """Return the line that fits best to decisions which were not used for fitting, held to "as it is" where they are few.

    The most likely shift and slope under normal priors around 0 and 1 that weigh as much as some 300 decisions: the level
    of a few quarters says more of those quarters than of the next.
    """
    at = np.array([0.0, 1.0])
    rows = np.stack([np.ones(len(log_odds)), log_odds], axis=1)
    penalty = np.eye(2) * _LINE_PRIOR / 4
    for _ in range(30):
        chance = sigmoid(rows @ at)
        gradient = rows.T @ (chance - renewed) + penalty @ (at - (0.0, 1.0))
        curvature = (rows * (chance * (1 - chance))[:, None]).T @ rows + penalty
        step = np.linalg.solve(curvature, gradient)
        at = at - np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    if at[1] >= 0:
        return Calibration(float(at[0]), float(at[1]))
    return Calibration(_level(renewed), 0.0)


def _level(renewed: Floats) -> float:
    rate = (renewed.sum() + 1) / (len(renewed) + 2)
    return float(np.log(rate / (1 - rate)))

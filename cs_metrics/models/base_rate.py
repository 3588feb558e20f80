"""The base rate of renewal: how often contracts of the same segment and health colour were renewed, shrunk where few.

A group with few decisions says little, so each rate is pulled towards what is expected of it: the overall rate for a
segment or a colour, and for a pair of both the overall rate moved by what its segment and its colour each add in odds.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaln

from cs_metrics.models.health import COLOURS

__all__ = ["BASIS_WORDS", "LAGS", "BaseRates", "area_under_curve", "fit", "lag_of", "learned", "pull", "shrunk"]

Floats = npt.NDArray[np.float64]

_CODES = {name: at for at, name in enumerate(COLOURS)}
LAGS = (90, 180, 270, 360)  # days before the end at which the health of past contracts is read
_WEIGHTS = np.geomspace(1, 1000, 121)  # decisions
BASIS_WORDS = {
    "logistic": "logistic model of past decisions",
    "forest": "random forest of past decisions",
    "boosting": "gradient boosted trees of past decisions",
    "segment and health": "base rate by segment and health",
    "segment": "base rate by segment only: too few decisions or losses for more",
    "none": "no decision is known yet",
}


@dataclass(frozen=True)
class BaseRates:
    """What past decisions say; `counted` holds decisions and renewals by lag, segment (the last row: any other) and colour.

    `prior` is how many decisions an expected rate weighs; with `is_learned` it is the guess before the past has spoken.
    """

    prior: float
    decisions: int
    losses: int
    overall: float
    basis: str
    segments: tuple[str, ...]
    counted: dict[int, tuple[Floats, Floats]]
    days_late: Floats
    days_late_renewed: Floats
    is_learned: bool = False

    def of(self, asked: pd.DataFrame) -> pd.DataFrame:
        """Return the base rate of each row of `asked` (segment, lag, colour), in its order and with its index.

        Where the basis is the segment, lag and colour are not read.

        Columns:
            decisions, renewed: support, the past decisions of the same group and how many of them were renewed
            expected: the rate that the group is pulled towards
            likelihood: (renewed + prior × expected) ÷ (decisions + prior), NaN where nothing was ever decided
        """
        known = {name: at for at, name in enumerate(self.segments)}
        segment = np.array([known.get(one, len(known)) for one in asked["segment"]], dtype="int64")
        found = np.empty((4, len(asked)))
        if self.basis != "segment and health":
            found[:] = self._by_segment()[:, segment]
        else:
            colour = np.array([_CODES[one] for one in asked["colour"]], dtype="int64")
            lags = asked["lag"].to_numpy()
            for lag in np.unique(lags):
                rows = lags == lag
                found[:, rows] = self._by_pair(int(lag))[:, segment[rows], colour[rows]]
        names = ["decisions", "renewed", "expected", "likelihood"]
        return pd.DataFrame(found.T, columns=names, index=asked.index)

    def _by_segment(self) -> Floats:
        decisions, renewed = (one.sum(axis=1) for one in self.counted[LAGS[0]])
        expected = np.full_like(decisions, self.overall)
        return np.stack([decisions, renewed, expected, self._pulled(renewed, decisions, expected)])

    def _by_colour(self, lag: int) -> Floats:
        """Return the rates of the colours: pulled towards the overall rate, or if learned those so far ahead towards nearer ones."""
        decisions, renewed = (one.sum(axis=0) for one in self.counted[lag])
        nearer = LAGS.index(lag) - 1
        expected = (
            self._by_colour(LAGS[nearer]) if self.is_learned and nearer >= 0 else np.full(len(COLOURS), self.overall)
        )
        return self._pulled(renewed, decisions, expected)

    def _by_pair(self, lag: int) -> Floats:
        decisions, renewed = self.counted[lag]
        by_segment, by_colour = _logit(self._by_segment()[3]), _logit(self._by_colour(lag))
        odds = by_segment[:, None] + by_colour[None, :] - _logit(np.array(self.overall))
        expected = 1 / (1 + np.exp(-odds))
        return np.stack([decisions, renewed, expected, self._pulled(renewed, decisions, expected)])

    def _pulled(self, renewed: Floats, decisions: Floats, expected: Floats) -> Floats:
        prior = pull(renewed, decisions, expected, self.prior) if self.is_learned else self.prior
        return shrunk(renewed, decisions, expected, prior)


def fit(decided: pd.DataFrame, *, prior: float, min_decisions: int, min_losses: int) -> BaseRates:
    """Return the base rates of past decisions: segment, renewed (0 or 1), days_late and colour_<lag> for each of `LAGS`.

    With fewer than `min_decisions` decisions or `min_losses` losses only the segment is told apart. The overall rate is
    (renewed + ½) ÷ (decisions + 1), so that it is never 0 or 1.
    """
    renewed = decided["renewed"].to_numpy(dtype="float64")
    decisions, losses = len(decided), int(len(decided) - renewed.sum())
    enough = decisions >= min_decisions and losses >= min_losses
    codes, segments = pd.factorize(decided["segment"], sort=True)
    late = decided["days_late"].to_numpy(dtype="float64")
    return BaseRates(
        prior=prior,
        decisions=decisions,
        losses=losses,
        overall=(renewed.sum() + 0.5) / (decisions + 1) if decisions else float("nan"),
        basis="none" if not decisions else "segment and health" if enough else "segment",
        segments=tuple(str(one) for one in segments),
        counted={lag: _count(codes, len(segments), decided[f"colour_{lag}"], renewed) for lag in LAGS},
        days_late=late,
        days_late_renewed=late[renewed == 1],
    )


def _count(segment: npt.NDArray[np.int64], segments: int, colours: pd.Series, renewed: Floats) -> tuple[Floats, Floats]:
    """Count decisions and renewals by segment (and an empty row after the last) and colour, where a colour was known."""
    colour = np.array([_CODES.get(one, -1) for one in colours], dtype="int64")
    cell, renewed = (segment * len(COLOURS) + colour)[colour >= 0], renewed[colour >= 0]
    size, shape = (segments + 1) * len(COLOURS), (segments + 1, len(COLOURS))
    decisions = np.bincount(cell, minlength=size).astype("float64").reshape(shape)
    return decisions, np.bincount(cell, weights=renewed, minlength=size).astype("float64").reshape(shape)


def lag_of(days_left: pd.Series) -> pd.Series:
    """Return the lag at which past contracts are read for contracts with so many days left: the nearest one."""
    between = (np.array(LAGS[1:]) + np.array(LAGS[:-1])) / 2
    return pd.Series(np.array(LAGS)[np.searchsorted(between, days_left.to_numpy())], index=days_left.index)


def shrunk(renewed: Floats, decisions: Floats, expected: Floats | float, prior: float) -> Floats:
    """Return the rate of groups, each pulled towards `expected` by `prior` decisions."""
    found: Floats = (renewed + prior * expected) / (decisions + prior)
    return found


def learned(rates: BaseRates) -> BaseRates:
    """Return the same base rates, but each pulled as much as the groups turn out to be alike.

    Few decisions then need no rule of their own: colours count as much as the decisions bear it out.
    """
    return replace(rates, is_learned=True, basis="segment and health" if rates.decisions else rates.basis)


def pull(renewed: Floats, decisions: Floats, expected: Floats, guess: float) -> float:
    """Return how many decisions an expected rate should weigh: few where groups differ from it, many where they do not.

    Renewals of a group are taken for beta-binomial around what is expected of it. Of all weights the one is taken that
    is most likely after the decisions, under a prior by which a group with `guess` decisions may be pulled by any
    share between none and all of the way.

    Source: Christiansen & Morris 1997, Hierarchical Poisson regression modeling (uniform shrinkage prior).
    """
    kept, lost = renewed[..., None], (decisions - renewed)[..., None]
    a, b = _WEIGHTS * expected[..., None], _WEIGHTS * (1 - expected[..., None])
    likely = (betaln(a + kept, b + lost) - betaln(a, b)).reshape(-1, len(_WEIGHTS)).sum(axis=0)
    likely += np.log(_WEIGHTS) - 2 * np.log(_WEIGHTS + guess)
    return float(_WEIGHTS[likely.argmax()])


def area_under_curve(score: Floats, renewed: Floats) -> tuple[float, float, float]:
    """Return the area under the ROC curve with its 95 % interval (Hanley and McNeil 1982), NaN without both outcomes.

    The area is the chance that a renewed contract had the higher score than a lost one; equal scores count half.
    """
    kept, lost = int(renewed.sum()), int(len(renewed) - renewed.sum())
    if not kept or not lost:
        return float("nan"), float("nan"), float("nan")
    ranks = pd.Series(score).rank().to_numpy()
    area = float((ranks[renewed == 1].sum() - kept * (kept + 1) / 2) / (kept * lost))
    both_kept, both_lost = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (kept - 1) * (both_kept - area**2) + (lost - 1) * (both_lost - area**2)
    half = 1.959964 * float(np.sqrt(max(spread, 0.0) / (kept * lost)))
    return area, max(0.0, area - half), min(1.0, area + half)


def _logit(rate: Floats) -> Floats:
    found: Floats = np.log(rate / (1 - rate))
    return found

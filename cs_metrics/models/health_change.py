"""Why a score changed: its change split among the measures that moved, so that the parts add up to it."""

from collections.abc import Sequence
from math import factorial

import numpy as np

from cs_metrics.models.health import combined

__all__ = ["split"]

Floats = np.ndarray


def split(
    before: Floats,
    after: Floats,
    *,
    dimension: Sequence[int],
    within: Floats,
    weights_before: Floats,
    weights_after: Floats,
) -> Floats:
    """Return how many points of the change of the score each measure brought, and last the change of the weights.

    `before` and `after` hold the 0–100 of each measure, NaN without data; `dimension` is the place of its dimension and
    `within` its weight there; the weights are those of the dimensions. The parts add up to the score after minus the
    score before; all are NaN where one of the two has no data at all.

    Each part is a Shapley value: what the measure adds when it moves from its old to its new state, averaged over all
    orders in which those that changed could have moved, with data that came or went as one such move. A mixture of old
    and new states in which no measure has data counts as the mean of the two scores, so that the way back is the way
    there with other signs.

    Source: Shapley (1953), A value for n-person games.
    """
    ends = _value(np.array([before, after]), dimension, within, np.array([weights_before, weights_after]))
    parts = np.zeros(len(before) + 1)
    if np.isnan(ends).any():
        return np.full(len(parts), np.nan)
    moved = [at for at in range(len(before)) if not _same(before[at], after[at])]
    if not np.array_equal(weights_before, weights_after):
        moved.append(len(before))
    is_new = (np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved))) & 1 == 1
    states = np.repeat(before[None, :], len(is_new), axis=0)
    weights = np.repeat(weights_before[None, :], len(is_new), axis=0)
    for column, at in enumerate(moved):
        if at < len(before):
            states[is_new[:, column], at] = after[at]
        else:
            weights[is_new[:, column]] = weights_after
    worth = _value(states, dimension, within, weights)
    worth = np.where(np.isnan(worth), ends.mean(), worth)
    counts = is_new.sum(axis=1)
    share = np.array([factorial(one) * factorial(len(moved) - one - 1) for one in range(len(moved))], dtype="float64")
    share /= factorial(len(moved))
    for column, at in enumerate(moved):
        without = np.flatnonzero(~is_new[:, column])
        parts[at] = (share[counts[without]] * (worth[without + 2**column] - worth[without])).sum()
    return parts


def _value(points: Floats, dimension: Sequence[int], within: Floats, weights: Floats) -> Floats:
    """Return the score of each row of points."""
    known = ~np.isnan(points)
    parts = np.full(weights.shape, np.nan)
    for place in set(dimension):
        mine = np.array([one == place for one in dimension])
        size = (known[:, mine] * within[mine]).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (np.where(known, points, 0.0)[:, mine] * within[mine]).sum(axis=1) / size
        parts[:, place] = np.where(size > 0, mean, np.nan)
    return combined(parts, weights)[0]


def _same(one: float, other: float) -> bool:
    return bool(one == other or (np.isnan(one) and np.isnan(other)))

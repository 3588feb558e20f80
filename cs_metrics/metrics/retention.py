"""The share of accounts still there at a horizon, and whether two groups differ in it by more than chance.

Groups are rows of a matrix of flags (groups × accounts); `days` is how long each account was seen, `is_lost` whether
that ended with its loss. Accounts that are still there are counted for as long as they were seen (Kaplan-Meier).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from cs_metrics.errors import MetricError
from cs_metrics.metrics.survival import kaplan_meier

__all__ = [
    "DRAWS",
    "NORMAL_95",
    "Flags",
    "Numbers",
    "Shares",
    "chance_of",
    "check_days",
    "difference_interval",
    "holm",
    "pseudo_values",
    "share_at",
    "shares_at",
]

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NORMAL_95 = float(stats.norm.ppf(0.975))
DRAWS = 2000
"""Random groups that are drawn to see by how much groups of that size differ by chance."""

_PLENTY = 25  # expected losses and stays in the smaller group from which on the normal distribution is exact enough
_CELLS = 2_000_000
_SEED = 20_260_101


@dataclass(frozen=True)
class Shares:
    """Per group: the share still there, its Greenwood variance, accounts in it, those seen to the horizon, whether it is known."""

    share: Numbers
    variance: Numbers
    size: Numbers
    seen: Numbers
    is_known: Flags

    def interval(self) -> tuple[Numbers, Numbers]:
        """Return the 95 % interval of each share: Wilson's, for as many accounts as the variance is worth."""
        inner = (self.share > 0) & (self.share < 1) & (self.variance > 0)
        spread = self.share * (1 - self.share)
        worth = np.where(
            inner, spread / np.where(inner, self.variance, 1), np.where(self.share > 0, self.seen, self.size)
        )
        worth = np.maximum(worth, 1e-9)
        more = NORMAL_95**2 / worth
        middle = (self.share + more / 2) / (1 + more)
        half = NORMAL_95 * np.sqrt(spread / worth + more / worth / 4) / (1 + more)
        return np.maximum(middle - half, 0), np.minimum(middle + half, 1)


def shares_at(members: Flags, days: Numbers, is_lost: Flags, horizon: int) -> Shares:
    """Return Kaplan-Meier and Greenwood at the horizon for many groups at once (`members`: groups × accounts).

    A share is known when somebody of the group was seen to the horizon, or when nobody is left.
    """
    if not days.size:
        nothing = np.zeros(len(members))
        return Shares(nothing, nothing, nothing, nothing, nothing > 0)
    order = np.argsort(days, kind="stable")
    time, counted = days[order], members[:, order].astype(np.float64)
    starts = np.flatnonzero(np.r_[True, np.diff(time) > 0])
    leaving = np.add.reduceat(counted, starts, axis=1)
    lost = np.add.reduceat(counted * is_lost[order], starts, axis=1)
    at_risk = leaving[:, ::-1].cumsum(1)[:, ::-1]
    within = (time[starts] <= horizon) & (lost > 0)
    stay = np.where(within, 1 - lost / np.where(at_risk > 0, at_risk, 1), 1.0)
    rest = at_risk - lost
    spread = np.where(within & (rest > 0), lost / np.where(within & (rest > 0), at_risk * rest, 1), 0.0)
    share, size = stay.prod(1), counted.sum(1)
    seen = (counted * (time >= horizon)).sum(1)
    return Shares(share, share**2 * spread.sum(1), size, seen, (seen > 0) | ((share == 0) & (size > 0)))


def difference_interval(first: Shares, second: Shares) -> tuple[Numbers, Numbers]:
    """Return the 95 % interval of first − second, from the intervals of both (Newcombe 1998, method 10)."""
    (low_1, high_1), (low_2, high_2) = first.interval(), second.interval()
    between = first.share - second.share
    low = between - np.sqrt((first.share - low_1) ** 2 + (high_2 - second.share) ** 2)
    high = between + np.sqrt((high_1 - first.share) ** 2 + (second.share - low_2) ** 2)
    return np.maximum(low, -1), np.minimum(high, 1)


def share_at(days: npt.ArrayLike, is_lost: npt.ArrayLike, horizon: int) -> tuple[float, float, float]:
    """Return the share of one group at the horizon and its 95 % interval, NaN where nobody was seen that long.

    The interval is that of the survival curve; where nobody or everybody was lost, which the curve has none for, it is
    the exact binomial one over the accounts seen to the horizon, or all.
    """
    time, lost = np.asarray(days, dtype=np.float64), np.asarray(is_lost, dtype=bool)
    curve = kaplan_meier(time, lost)
    if curve.empty:
        return (float("nan"),) * 3
    row = curve[curve["time_days"] <= horizon].iloc[-1]
    share = float(row["survival"])
    if share == 0:
        return 0.0, 0.0, 1 - 0.025 ** (1 / time.size)
    seen = int((time >= horizon).sum())
    if not seen:
        return (float("nan"),) * 3
    return (1.0, 0.025 ** (1 / seen), 1.0) if share == 1 else (share, float(row["low"]), float(row["high"]))


def pseudo_values(days: Numbers, is_lost: Flags, horizon: int) -> Numbers:
    """Return what each account adds to the share still there at the horizon: n · S − (n − 1) · S without it.

    Where all were seen to the horizon it is 1 for an account still there and 0 for a lost one; with accounts that were
    seen for less it is what stands in for the unknown end (Andersen, Klein and Rosthøj 2003).
    """
    size = len(days)
    if not size:
        return np.zeros(0)
    order = np.argsort(days, kind="stable")
    time, happened = days[order], is_lost[order] & (days[order] <= horizon)
    _, starts, place = np.unique(time, return_index=True, return_inverse=True)
    at_risk, lost = size - starts, np.bincount(place, weights=happened, minlength=len(starts))
    rest = np.maximum(at_risk - 1, 1)
    with_all = 1 - lost / at_risk
    without_later = 1 - lost / rest  # for an account that was there longer than that day
    without_lost = np.where((lost > 0) & (at_risk > 1), 1 - (lost - 1) / rest, 1.0)
    before = np.r_[1.0, np.cumprod(without_later)[:-1]]
    after = np.r_[np.cumprod(with_all[::-1])[::-1][1:], 1.0]
    own = np.where(happened, without_lost[place], without_later[place])
    found = np.empty(size)
    found[order] = size * with_all.prod() - (size - 1) * before[place] * own * after[place]
    return found


def chance_of(members: Flags, values: Numbers) -> Numbers:
    """Return for each group how likely a random group of its size differs from the rest at least as much, either way.

    The difference is that of the means of `values`. 2 000 random groups are drawn; large groups are compared by the
    normal distribution with the variance of such draws, which also says how small a probability is that no draw reached.
    """
    size, inside = len(values), members.sum(1)
    small = np.minimum(inside, size - inside)
    found = np.full(len(members), np.nan)
    centred = values - values.mean() if size else values
    spread = centred.std(ddof=1) if size > 1 else 0.0
    asked = small > 0
    if not spread > 0 or not asked.any():
        found[asked] = 1.0
        return found
    scale = spread * np.sqrt(small * (size - small) / size)
    z = np.abs(members.astype(np.float64) @ centred)[asked] / scale[asked]
    normal = 2 * stats.norm.sf(z)
    kept = float(np.clip(values.mean(), 0, 1))
    drawn = small[asked] * min(kept, 1 - kept) < _PLENTY
    if drawn.any():
        sums = np.abs(_random_sums(centred, small[asked][drawn])) / scale[asked][drawn, None]
        reached = (sums >= z[drawn, None] - 1e-9).sum(1)
        seldom = np.minimum(normal[drawn], 1 / (DRAWS + 1))
        normal[drawn] = np.where(reached > 0, (1 + reached) / (DRAWS + 1), seldom)
    found[asked] = normal
    return found


def _random_sums(values: Numbers, sizes: npt.NDArray[np.int64]) -> Numbers:
    """Return sums over random accounts (sizes × draws): the first accounts of one random order serve every size."""
    rng, most, blocks = np.random.default_rng(_SEED), int(sizes.max()), []
    step = max(1, min(DRAWS, _CELLS // len(values)))
    for begin in range(0, DRAWS, step):
        draws = np.arange(min(step, DRAWS - begin))
        shuffled = np.repeat(values[:, None], len(draws), axis=1)
        for at in range(most):
            other = rng.integers(at, len(values), len(draws))
            shuffled[at], shuffled[other, draws] = shuffled[other, draws], shuffled[at].copy()
        blocks.append(np.cumsum(shuffled[:most], axis=0)[sizes - 1])
    return np.concatenate(blocks, axis=1)


def holm(p: Numbers) -> Numbers:
    """Return probabilities corrected for as many looks as there are known ones (Holm 1979)."""
    found = np.full(p.shape, np.nan)
    order = np.argsort(p, kind="stable")[: int((~np.isnan(p)).sum())]
    looks = len(order) - np.arange(len(order))
    found[order] = np.minimum(np.maximum.accumulate(p[order] * looks), 1) if len(order) else []
    return found


def check_days(*days: int) -> None:
    """Raise `MetricError` when a number of days is below 1."""
    if min(days) < 1:
        raise MetricError("Numbers of days must be at least 1.")

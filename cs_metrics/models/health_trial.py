"""A score on trial: from scores of some day and what became of the accounts, rates, area, intervals and a verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cs_metrics.config.health import HealthTrial

__all__ = ["Judgement", "area_interval", "area_under_curve", "clustered_areas", "judge", "wilson"]

Floats = np.ndarray
_Z = 1.959963984540054  # 95 %
_CELLS = 4_000_000  # of resampled rows at a time, so that memory stays small


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a trial says: how well the score separates the lost, whether red and the losses hold the floors, in words."""

    accounts: int
    lost: int
    auc: float
    low: float
    high: float
    red_lift: float
    below_green_share: float
    verdict: str


def judge(
    score: Floats, lost: Floats, account: Floats, colour: Floats, settings: HealthTrial, *, since: str = ""
) -> Judgement:
    """Return the judgement over rows of accounts with a score: whether each was lost, which account it is, its colour.

    Separates means that the 95 % interval of the AUC lies above 0.5; it holds its floors when red accounts are lost at
    least `red_lift_from` times as often as all (where so many losses leave no room for that: at least half of the way
    up to 100 %), and at least `below_green_from` of the losses was yellow or red. `since` says when the scores were.
    """
    losses, kept = int(lost.sum()), int((~lost).sum())
    auc = area_under_curve(score[lost], score[~lost])
    low, high = _interval(score, lost, account, auc, settings)
    base = losses / len(score) if len(score) else math.nan
    red = lost[colour == "red"]
    red_rate = float(red.mean()) if len(red) else math.nan
    below = float((colour[lost] != "green").mean()) if losses else math.nan
    missing = _not_enough(losses, kept, settings, since)
    return Judgement(
        accounts=len(score),
        lost=losses,
        auc=auc,
        low=low,
        high=high,
        red_lift=red_rate / base if base else math.nan,
        below_green_share=below,
        verdict=missing or _verdict((auc, low, high), red_rate, base, below, settings),
    )


def _not_enough(losses: int, kept: int, settings: HealthTrial, since: str) -> str:
    total, need = losses + kept, settings.min_losses
    if not total:
        return f"not enough outcomes (no customer had a score{since})"
    if losses < need:
        return f"not enough outcomes ({losses} of {total} accounts lost, at least {need} are needed)"
    if kept < need:
        return f"not enough outcomes ({kept} of {total} accounts kept, at least {need} are needed)"
    return ""


def _verdict(
    area: tuple[float, float, float], red_rate: float, base: float, below: float, settings: HealthTrial
) -> str:
    auc, low, high = area
    said = f"AUC {auc:.2f}, 95% interval {low:.2f} to {high:.2f}"
    if high < 0.5:
        return f"does not separate ({said}, the lost accounts even scored higher)"
    if low <= 0.5:
        return f"does not separate ({said} holds the 0.50 of chance)"
    misses = []
    if math.isnan(red_rate):
        misses.append("no account was red")
    elif red_rate < min(settings.red_lift_from * base, (1 + base) / 2):
        misses.append(
            f"red is lost {red_rate / base:.1f} times as often as all, {settings.red_lift_from:g} times are asked for"
        )
    if below < settings.below_green_from:
        misses.append(f"{below:.0%} of the losses were below green, {settings.below_green_from:.0%} are asked for")
    return f"separates weakly ({said}; {'; '.join(misses)})" if misses else f"separates ({said})"


def _interval(score: Floats, lost: Floats, account: Floats, auc: float, settings: HealthTrial) -> tuple[float, float]:
    """Return the wider of two intervals: the same accounts seen several times, and few of a kind, both make it wide."""
    low, high = area_interval(auc, int(lost.sum()), int((~lost).sum()))
    if math.isnan(auc):
        return low, high
    drawn = clustered_areas(score, lost, account, settings.resamples, settings.seed)
    drawn = drawn[~np.isnan(drawn)]
    if len(drawn):
        low, high = min(low, float(np.quantile(drawn, 0.025))), max(high, float(np.quantile(drawn, 0.975)))
    return low, high


def clustered_areas(score: Floats, lost: Floats, account: Floats, resamples: int, seed: int) -> Floats:
    """Return the AUC of each of so many draws of accounts with replacement, all rows of a drawn account together."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    names, code = np.unique(account, return_inverse=True)
    code, is_lost = code[order], lost[order]
    rng = np.random.default_rng(seed)
    found = []
    chunk = max(_CELLS // max(len(score), 1), 1)
    for first in range(0, resamples, chunk):
        times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=min(chunk, resamples - first))
        weight = times.astype("float32")[:, code]
        gone = np.add.reduceat(weight * is_lost, starts, axis=1, dtype="float64")
        stayed = np.add.reduceat(weight * ~is_lost, starts, axis=1, dtype="float64")
        total = stayed.sum(axis=1)
        above = total[:, None] - np.cumsum(stayed, axis=1)
        pairs = gone.sum(axis=1) * total
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append((gone * (above + stayed / 2)).sum(axis=1) / np.where(pairs > 0, pairs, np.nan))
    return np.concatenate(found)


def wilson(hits: int, of: int, z: float = _Z) -> tuple[float, float]:
    """Return the Wilson score interval of hits ÷ of, NaN without a case."""
    if not of:
        return math.nan, math.nan
    share, spread = hits / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(middle - half, 0.0) if hits else 0.0, min(middle + half, 1.0) if hits < of else 1.0


def area_under_curve(lost: Sequence[float] | Floats, kept: Sequence[float] | Floats) -> float:
    """Return the share of pairs in which the lost one has the lower score, ties as half; NaN without both kinds."""
    if not len(lost) or not len(kept):
        return math.nan
    ordered = np.sort(np.asarray(kept, dtype="float64"))
    above = len(ordered) - np.searchsorted(ordered, lost, side="right")
    equal = np.searchsorted(ordered, lost, side="right") - np.searchsorted(ordered, lost, side="left")
    return float((above + equal / 2).sum() / (len(lost) * len(kept)))


def area_interval(auc: float, lost: int, kept: int, z: float = _Z) -> tuple[float, float]:
    """Return the interval of an AUC: the values that the observed one is within `z` standard errors of.

    The standard error is taken at the value in question, so that an AUC of 1 from few losses still has a wide interval.
    """
    if math.isnan(auc):
        return math.nan, math.nan
    return _end(auc, 0.0, lost, kept, z), _end(auc, 1.0, lost, kept, z)


def _end(auc: float, towards: float, lost: int, kept: int, z: float) -> float:
    inside, outside = auc, towards
    for _ in range(60):
        middle = (inside + outside) / 2
        if abs(auc - middle) <= z * _standard_error(middle, lost, kept):
            inside = middle
        else:
            outside = middle
    return (inside + outside) / 2


def _standard_error(auc: float, lost: int, kept: int) -> float:
    average = (lost + kept) / 2 - 1
    inner = 1 + average * ((1 - auc) / (2 - auc) + auc / (1 + auc))
    return math.sqrt(auc * (1 - auc) * inner / (lost * kept))

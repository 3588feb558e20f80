"""The arithmetic of the plateau: two joined lines through a curve, and how much chance is in where they meet.

It knows accounts, periods and counts, and no database: `plateau` feeds it, and studies do with companies of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Lines", "Panel", "Rule", "Settled", "joined_lines", "settle"]

Numbers = npt.NDArray[np.float64]
Draws = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Reason = Literal["", "too_short", "steep", "cohorts_differ", "keeps_falling", "unsure", "nobody"]

_TAIL_PERIODS = 4  # a slope over fewer points says nothing
_SURE = 3.0  # about the 5 % point of the largest of many correlated changes (Andrews 1993)
_LIKELY = 2.0
_MOST_DRAWS = 0.5
_ROUNDING = 1e-9
_TOO_SMALL = 1e-12
_INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class Panel:
    """Who could be active and who was: per member its account (0, 1, …) and how many of its periods have elapsed, and
    per active period of a member the member and the period.
    """

    account: Whole
    elapsed: Whole
    done_member: Whole
    done_period: Whole

    def upto(self, periods: int) -> "Panel":
        """Return the panel cut off after so many periods."""
        known = self.done_period < np.minimum(self.elapsed, periods)[self.done_member]
        return Panel(self.account, np.minimum(self.elapsed, periods), self.done_member[known], self.done_period[known])

    @property
    def accounts(self) -> int:
        """How many accounts there are."""
        return int(self.account.max()) + 1 if self.account.size else 0

    @property
    def eligible(self) -> Numbers:
        """Members whose period has elapsed, by period."""
        return _at_least(np.bincount(self.elapsed, minlength=1).astype(np.float64))


@dataclass(frozen=True)
class Rule:
    """When a tail is flat: its slope is within ± `flat_within`, and its members lose at most `most_loss` of its level."""

    flat_within: float
    most_loss: float
    min_accounts: int
    resamples: int


@dataclass(frozen=True)
class Settled:
    """Where a curve settles, or why it does not; NaN where a number is not known."""

    reason: Reason
    period: int | None = None
    level: float = float("nan")
    level_low: float = float("nan")
    level_high: float = float("nan")
    tail_slope: float = float("nan")
    period_low: int | None = None
    period_high: int | None = None
    tail_loss: float = float("nan")
    tail_loss_low: float = float("nan")
    tail_loss_high: float = float("nan")
    flat_share: float = float("nan")


@dataclass(frozen=True)
class Lines:
    """One line and all pairs of joined lines through each of several curves (curves × bends; bend b lies in period b + 1).

    `error` is the weighted sum of squares that a pair leaves; `slope` is that of the one line.
    """

    error: Numbers
    left: Numbers
    right: Numbers
    slope: Numbers

    def best(self, is_allowed: Flags) -> tuple[Whole, Numbers]:
        """Return where each curve bends and the slope of its tail: the best of the allowed pairs, period 0 without any."""
        if not is_allowed.any():
            return np.zeros(len(self.slope), dtype=np.int64), self.slope
        at = np.where(is_allowed, self.error, np.inf).argmin(1)
        return at + 1, self.right[np.arange(len(at)), at]


def settle(panel: Panel, rule: Rule) -> Settled:
    """Find where the pooled curve of a panel settles, with intervals from drawing accounts with replacement."""
    points = int((panel.eligible >= rule.min_accounts).sum())
    if points < _TAIL_PERIODS + 2:
        return Settled("too_short")
    panel = panel.upto(points)
    counts = _counts(panel, points)
    curves = _curves(counts, np.ones((1, panel.accounts), dtype=np.float32))
    drawn = _curves(counts, _draws(panel.accounts, rule.resamples))
    lines, drawn_lines = joined_lines(curves.rate, curves.eligible), joined_lines(drawn.rate, drawn.eligible)
    possible = _possible(lines, drawn_lines)
    bends, slopes = lines.best(possible)
    drawn_bends, drawn_slopes = drawn_lines.best(possible)
    levels, drawn_levels = curves.levels(bends), drawn.levels(drawn_bends)
    slope, level = float(slopes[0]), float(levels[0])
    if not level:
        return Settled("nobody", tail_slope=slope)
    own_slopes, losses = _own_change(panel, curves, bends, levels)
    _, drawn_losses = _own_change(panel, drawn, drawn_bends, drawn_levels)
    loss = float(losses[0])
    is_flat = (np.abs(drawn_slopes) <= rule.flat_within) & (drawn_losses <= rule.most_loss)
    loss_low, loss_high = (float(one) for one in np.quantile(drawn_losses, _INTERVAL))
    seen = Settled(
        "",
        tail_slope=slope,
        tail_loss=loss,
        tail_loss_low=loss_low,
        tail_loss_high=loss_high,
        flat_share=float(is_flat.mean()),
    )
    if abs(slope) > rule.flat_within:
        is_mix = abs(own_slopes[0]) <= rule.flat_within and loss <= rule.most_loss
        return replace(seen, reason="cohorts_differ" if is_mix else "steep")
    if loss > rule.most_loss:
        return replace(seen, reason="keeps_falling")
    if seen.flat_share < _MOST_DRAWS:
        return replace(seen, reason="unsure")
    low, high = np.quantile(drawn_levels, _INTERVAL)
    earliest, latest = np.quantile(drawn_bends, _INTERVAL, method="inverted_cdf")
    return replace(
        seen,
        period=int(bends[0]),
        level=level,
        level_low=float(low),
        level_high=float(high),
        period_low=int(earliest),
        period_high=int(latest),
    )


def joined_lines(rate: Numbers, weight: Numbers) -> Lines:
    """Fit one line, and two lines that join at each possible period, to each row of `rate` (curves × periods).

    `weight` has the same shape; a point of weight 0 has no influence. The second line holds at least four points.
    """
    points = rate.shape[1]
    steps = np.arange(points, dtype=np.float64)
    bends = np.arange(1, points - _TAIL_PERIODS + 1)
    pulled = weight * rate
    moments = [weight, weight * steps, weight * steps**2, pulled, pulled * steps]
    before = [np.cumsum(one, axis=1)[:, bends - 1] for one in moments]
    after = [np.cumsum(one[:, ::-1], axis=1)[:, ::-1][:, bends] for one in moments]
    left_sum, left_square, left_y = _around(bends, before)
    right_sum, right_square, right_y = _around(bends, after)
    total, total_y, total_yy = (one.sum(1, keepdims=True) for one in (weight, pulled, pulled * rate))

    own = total - _ratio(left_sum**2, left_square) - _ratio(right_sum**2, right_square)
    level = _ratio(total_y - _ratio(left_sum * left_y, left_square) - _ratio(right_sum * right_y, right_square), own)
    left = _ratio(left_y - level * left_sum, left_square)
    right = _ratio(right_y - level * right_sum, right_square)
    error = total_yy - level * total_y - left * left_y - right * right_y
    error[own <= _TOO_SMALL * total] = np.inf

    mean = _ratio(moments[1].sum(1), total[:, 0])
    spread = moments[2].sum(1) - total[:, 0] * mean**2
    return Lines(error, left, right, slope=_ratio(moments[4].sum(1) - mean * total_y[:, 0], spread))


def _possible(lines: Lines, drawn: Lines) -> Flags:
    """Tell at which bends the slope changes by more than chance, in standard deviations of the drawn changes.

    The points of a curve are the same accounts again and again, so that their scatter about a line says little; how a
    change differs from draw to draw says it. As the surest of many is looked for, one must reach three deviations; then
    all with two are possible.
    """
    change, spread = np.abs(lines.right - lines.left)[0], (drawn.right - drawn.left).std(axis=0)
    is_change = change > _ROUNDING
    if not (is_change & (change > _SURE * spread)).any():
        return np.zeros_like(is_change)
    possible: Flags = is_change & (change > _LIKELY * spread)
    return possible


def _around(at: Whole, sums: list[Numbers]) -> tuple[Numbers, Numbers, Numbers]:
    """Return Σ w(k − c), Σ w(k − c)² and Σ wy(k − c) for each candidate c, from sums of powers of k on its one side."""
    weight, first, second, pulled, pulled_first = sums
    return first - at * weight, second - 2 * at * first + at**2 * weight, pulled_first - at * pulled


@dataclass(frozen=True)
class _Curves:
    """Pooled curves (curves × periods) of draws of accounts."""

    draws: Draws
    eligible: Numbers
    active: Numbers

    @property
    def rate(self) -> Numbers:
        """Active ÷ eligible."""
        return _ratio(self.active, self.eligible)

    def levels(self, bends: Whole) -> Numbers:
        """Return the pooled rate of each curve from its bend on."""
        return _ratio(_from(self.active, bends), _from(self.eligible, bends))

    def middles(self, bends: Whole) -> Numbers:
        """Return the mean period of each tail, weighted by eligible members and counted from its bend."""
        steps = np.arange(self.eligible.shape[1])
        return _ratio(_from(self.eligible * steps, bends), _from(self.eligible, bends)) - bends


def _own_change(panel: Panel, curves: _Curves, bends: Whole, levels: Numbers) -> tuple[Numbers, Numbers]:
    """Return per curve the slope of its tail among the same members, and the share of its level that the tail so loses.

    Each member is compared with its own mean in the tail, so that cohorts that began better or worse make no slope.
    """
    slopes, last = np.zeros(len(bends)), curves.eligible.shape[1] - 1
    for first, sums in _own_sums(panel, np.unique(bends)):
        up, spread = (curves.draws[bends == first] @ sums).T
        slopes[bends == first] = _ratio(up, spread)
    begins = levels - slopes * curves.middles(bends)
    return slopes, np.where(begins > 0, _ratio(-slopes * (last - bends), np.maximum(begins, _TOO_SMALL)), 0.0)


def _own_sums(panel: Panel, firsts: Whole) -> Iterator[tuple[int, Numbers]]:
    """Yield for each tail the two sums per account, over its members, whose quotient is their slope: Σ(k − k̄)a and Σ(k − k̄)².

    From the latest tail to the earliest, so that each active period is added once.
    """
    order = np.argsort(panel.done_period.astype(np.int16), kind="stable")
    member, period = panel.done_member[order], panel.done_period[order]
    members, end = len(panel.account), len(order)
    times, when = np.zeros(members), np.zeros(members)
    for first in firsts[::-1]:
        begin = int(np.searchsorted(period, first))
        times += np.bincount(member[begin:end], minlength=members)
        when += np.bincount(member[begin:end], weights=period[begin:end], minlength=members)
        end = begin
        periods = np.maximum(panel.elapsed - first, 0).astype(np.float64)
        up = np.bincount(panel.account, weights=when - (first + np.maximum(periods - 1, 0) / 2) * times)
        yield int(first), np.column_stack([up, np.bincount(panel.account, weights=periods * (periods**2 - 1) / 12)])


def _draws(accounts: int, resamples: int) -> Draws:
    """Return resamples × accounts: how often each account is in a draw of as many accounts, with replacement."""
    dice = np.random.default_rng(7)
    found = np.empty((resamples, accounts), dtype=np.float32)
    for row in found:
        row[:] = np.bincount(dice.integers(0, accounts, accounts, dtype=np.int32), minlength=accounts)
    return found


def _counts(panel: Panel, points: int) -> tuple[Draws, Draws]:
    """Return accounts × periods: members by how many periods have elapsed, and active members."""
    accounts = panel.accounts
    spans = np.bincount(panel.account * (points + 1) + panel.elapsed, minlength=accounts * (points + 1))
    done = np.bincount(panel.account[panel.done_member] * points + panel.done_period, minlength=accounts * points)
    return spans.astype(np.float32).reshape(accounts, -1), done.astype(np.float32).reshape(accounts, -1)


def _curves(counts: tuple[Draws, Draws], draws: Draws) -> _Curves:
    """Return the pooled curve of each draw; single precision holds counts up to 16 million exactly."""
    passed, active = (draws @ one for one in counts)
    return _Curves(draws, _at_least(passed.astype(np.float64)), active.astype(np.float64))


def _at_least(passed: Numbers) -> Numbers:
    """Turn members by elapsed periods into members eligible by period: with n elapsed ones eligible in 0 … n − 1."""
    eligible: Numbers = passed[..., ::-1].cumsum(-1)[..., ::-1][..., 1:]
    return eligible


def _from(numbers: Numbers, bends: Whole) -> Numbers:
    """Return the sum of each row from its bend on."""
    sums: Numbers = numbers[:, ::-1].cumsum(1)[:, ::-1][np.arange(len(bends)), bends]
    return sums


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Numbers:
    """Divide, with 0 where there is nothing to divide by."""
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    divided: Numbers = np.divide(
        part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=np.abs(whole) > _TOO_SMALL
    )
    return divided

"""Where a book of recurring revenue goes in the coming months: exact expected values, and simulated paths around them.

The book is a list of pieces: a contract's part of an account's ARR, or the ARR of an account without a contract. In the
month in which its contract ends a piece is renewed, at an amount that past renewals show, or lost; in all other months
it may be lost at a monthly rate. In every month it grows and shrinks at monthly rates.

The intervals hold what is common to many accounts, else they would be too narrow: the renewal rate of a group is drawn
from its beta distribution, one shock moves the log-odds of all renewals of a calendar quarter, and the monthly rates of
loss and growth are drawn from what the past leaves open. Given those, accounts go their own ways.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["GROWTH", "Book", "Growth", "Rates", "Walk", "expected", "paths", "shock_spread"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_BLOCK = 512  # pieces simulated at a time, so that memory does not grow with the book
_TABLE = 1024  # points at which the distribution of renewed ÷ expiring is kept
GROWTH = ("expansion", "contraction")


@dataclass(frozen=True)
class Book:
    """The pieces of a book, one entry per piece in every array.

    value: ARR. due: index of the month in which the contract ends, -1 without one in sight. term: months from one end to
    the next. likelihood: chance of renewal, with the weight in decisions that it is worth. known: 1 renewed, 0 lost, NaN
    undecided; known_ratio: new ÷ old amount where it is known. loss: index into `Rates.lost` and `Rates.months`.
    expansion, contraction: expected growth of each piece in each month as a share of its value (month × piece).
    """

    value: Floats
    due: Ints
    term: Ints
    likelihood: Floats
    weight: Floats
    known: Floats
    known_ratio: Floats
    loss: Ints
    expansion: Floats
    contraction: Floats


@dataclass(frozen=True)
class Growth:
    """How unequal growth is: mean square of a piece's monthly relative change, and the relative error of its mean."""

    square: float
    error: float


@dataclass(frozen=True)
class Rates:
    """What the past says: losses per group and account-months behind them (both may be fractions of a pooled rate),
    growth by kind, the ratio renewed ÷ expiring of past renewals with their weights, and the spread of shocks."""

    lost: Floats
    months: Floats
    growth: dict[str, Growth]
    ratios: Floats = field(default_factory=lambda: np.ones(1))
    ratio_weights: Floats = field(default_factory=lambda: np.ones(1))
    shock: float = 0.0

    @property
    def hazard(self) -> Floats:
        """The monthly rate of loss of each group."""
        return self.lost / self.months

    @property
    def mean_ratio(self) -> float:
        """Σ renewed ÷ Σ expiring of past renewals."""
        return float(np.average(self.ratios, weights=self.ratio_weights))


@dataclass(frozen=True)
class Walk:
    """The expected book, a value per month: opening + renewals + expansion + contraction + churn = closing.

    `growing` is each month's expected growth by kind as a share of the book, `uneven` the sum of squared shares of its
    pieces; both scale the paths. `due` is what is up for renewal, `renewed` what is expected of it at its old amount.
    """

    opening: Floats
    renewals: Floats
    expansion: Floats
    contraction: Floats
    churn: Floats
    closing: Floats
    due: Floats
    renewed: Floats
    growing: dict[str, Floats]
    uneven: Floats


def expected(book: Book, rates: Rates, lengths: Floats) -> Walk:
    """Return the expected book of each month; `lengths` are in months (the first one may be a part or more)."""
    months = len(lengths)
    rows = {name: np.zeros(months) for name in ("opening", "renewals", "churn", *GROWTH, "due", "renewed", "uneven")}
    growing = {kind: np.zeros(months) for kind in GROWTH}
    value, due, is_known = book.value.astype("float64").copy(), book.due.copy(), ~np.isnan(book.known)
    for month in range(months):
        rows["opening"][month] = total = float(value.sum())
        rows["uneven"][month] = float((value**2).sum()) / total**2 if total else 0.0
        now = due == month
        chance = np.where(is_known, np.nan_to_num(book.known), book.likelihood)[now]
        ratio = np.where(is_known & ~np.isnan(book.known_ratio), np.nan_to_num(book.known_ratio), rates.mean_ratio)[now]
        up, kept = value[now], value[now] * chance
        rows["due"][month], rows["renewed"][month] = up.sum(), kept.sum()
        rows["renewals"][month] = (kept * (ratio - 1)).sum()
        hazard = 1 - (1 - rates.hazard[book.loss]) ** lengths[month]
        lost = np.where(now, 0.0, value * hazard)
        rows["churn"][month] = -(up.sum() - kept.sum()) - lost.sum()
        value[now] = kept * ratio
        value -= lost
        moved = {
            "expansion": value * book.expansion[month] * lengths[month],
            "contraction": -value * book.contraction[month] * lengths[month],
        }
        book_now = float(value.sum())
        for kind in GROWTH:
            rows[kind][month] = moved[kind].sum()
            growing[kind][month] = abs(rows[kind][month]) / book_now if book_now else 0.0
        value += moved["expansion"] + moved["contraction"]
        due[now] += book.term[now]
        is_known &= ~now
    closing = rows["opening"] + rows["renewals"] + rows["expansion"] + rows["contraction"] + rows["churn"]
    return Walk(closing=closing, growing=growing, **rows)


def paths(
    book: Book, rates: Rates, lengths: Floats, walk: Walk, *, quarters: Ints, count: int, seed: int
) -> npt.NDArray[np.float64]:
    """Return the closing book of each path and month (count × months), the same for the same seed.

    `quarters` says which shock each month belongs to. Pieces are taken in blocks and only those that are due or lost are
    touched, so the cost grows with the renewals, not with pieces × months: 400 accounts take about a tenth of a second
    for 10 000 paths, 10 000 accounts about as many times more.
    """
    rng = np.random.default_rng(seed)
    chances, group = _chances(book, rates, count, int(quarters.max()) + 1, rng)
    hazards = _hazards(rates, count, rng)
    growth = _growth(rates, walk, count, rng)
    table = _ratio_table(rates)
    total = np.zeros((len(lengths), count))
    total += book.value.sum()
    for first in range(0, len(book.value), _BLOCK):
        block = slice(first, first + _BLOCK)
        order = np.argsort(book.loss[block], kind="stable") + first
        total += np.cumsum(_block(book, order, chances, group, hazards, table, lengths, quarters, rng), axis=0)
    found: Floats = (total * np.cumprod(growth, axis=0)).T
    return found


def shock_spread(renewed: Floats, chances: Floats, quarters: Ints, *, prior: float, prior_quarters: float) -> float:
    """Return the standard deviation, in log-odds, of what moves all renewals of one quarter together.

    In each past quarter the shift is about (renewed - expected) ÷ Σ p (1 - p), and chance alone gives it the variance
    1 ÷ Σ p (1 - p); what exceeds that is the shock. The excess is averaged over the quarters (not below 0) and mixed
    with the assumed spread `prior`, which weighs as much as `prior_quarters` quarters.
    """
    excess = []
    for quarter in np.unique(quarters):
        of = quarters == quarter
        room = float((chances[of] * (1 - chances[of])).sum())
        if room > 1:
            shift = float((renewed[of] - chances[of]).sum()) / room
            excess.append(shift**2 - 1 / room)
    pooled = max(0.0, float(np.mean(excess))) if excess else 0.0
    return float(np.sqrt((len(excess) * pooled + prior_quarters * prior**2) / (len(excess) + prior_quarters)))


def _chances(
    book: Book, rates: Rates, count: int, quarters: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], Ints]:
    """Draw the renewal rate of each group of equal likelihood, in whole percent: its own uncertainty and each quarter's shock.

    Returns quarter × group × path, each with the group's likelihood as its mean, and the group of each piece.
    """
    alike = np.stack([book.likelihood.round(2), np.maximum(book.weight.round(), 1.0)], axis=1)
    pairs, group = np.unique(alike, axis=0, return_inverse=True)
    mean = np.clip(pairs[:, :1], 1e-6, 1 - 1e-6)
    drawn = np.clip(rng.beta(mean * pairs[:, 1:], (1 - mean) * pairs[:, 1:], (len(pairs), count)), 1e-9, 1 - 1e-9)
    odds = np.log(drawn / (1 - drawn))
    shocks = rng.normal(0.0, rates.shock, (quarters, 1, count)) if rates.shock else np.zeros((quarters, 1, count))
    chances = 1 / (1 + np.exp(-(odds[None] + shocks)))
    chances *= mean / chances.mean(axis=2, keepdims=True)
    return np.minimum(chances, 1.0).astype("float32"), group.reshape(-1)


def _hazards(rates: Rates, count: int, rng: np.random.Generator) -> Floats:
    """Draw the monthly rate of loss of each group (group × path); without any loss or account-month it is 0."""
    found = np.zeros((len(rates.lost), count))
    for at, (lost, months) in enumerate(zip(rates.lost, rates.months, strict=True)):
        if lost > 0:
            found[at] = rng.gamma(lost, 1 / months, count)
    return np.minimum(found, 1.0)


def _growth(rates: Rates, walk: Walk, count: int, rng: np.random.Generator) -> Floats:
    """Draw each month's growth of the book as a factor (month × path).

    The level is uncertain by the error of the past mean; around it a month's sum of few, unequal moves is gamma
    distributed with the variance that they give: mean square of a move × Σ squared shares of the pieces.
    """
    factor = np.ones((len(walk.opening), count))
    for kind, sign in zip(GROWTH, (1.0, -1.0), strict=True):
        of = rates.growth[kind]
        level = rng.gamma(1 / of.error**2, of.error**2, count) if of.error > 0 else np.ones(count)
        for month, mean in enumerate(walk.growing[kind]):
            spread = of.square * walk.uneven[month]
            if mean > 0:
                centre = np.maximum(mean * level, 1e-12)
                moved = rng.gamma(centre**2 / spread, spread / centre) if spread > 0 else centre
                factor[month] += sign * moved
    return np.maximum(factor, 0.0)


def _ratio_table(rates: Rates) -> npt.NDArray[np.float32]:
    """Return renewed ÷ expiring at equal steps of its weighted distribution, with the exact mean."""
    order = np.argsort(rates.ratios, kind="stable")
    reach = np.cumsum(rates.ratio_weights[order])
    at = np.searchsorted(reach, (np.arange(_TABLE) + 0.5) / _TABLE * reach[-1])
    table = rates.ratios[order][np.minimum(at, len(order) - 1)]
    return np.asarray(table * (rates.mean_ratio / table.mean() if table.mean() else 1.0), dtype="float32")


def _block(
    book: Book,
    order: Ints,
    chances: npt.NDArray[np.float32],
    group: Ints,
    hazards: Floats,
    table: npt.NDArray[np.float32],
    lengths: Floats,
    quarters: Ints,
    rng: np.random.Generator,
) -> Floats:
    """Simulate some pieces and return how their sum changes in each month of each path (month × path), before growth."""
    count = chances.shape[2]
    value = np.repeat(book.value[order].astype("float32")[:, None], count, axis=1)
    due, known, loss = book.due[order].copy(), book.known[order].copy(), book.loss[order]
    changes = np.zeros((len(lengths), count))
    for month, length in enumerate(lengths):
        now = np.flatnonzero(due == month)
        if len(now):
            before = value[now]
            ratio = table[rng.integers(0, _TABLE, before.shape, dtype=np.int32)]
            is_kept = rng.random(before.shape, dtype=np.float32) < chances[quarters[month]][group[order[now]]]
            told = book.known_ratio[order[now]]
            for row in np.flatnonzero(~np.isnan(known[now])):
                is_kept[row] = known[now[row]] == 1
                ratio[row] = told[row] if not np.isnan(told[row]) else ratio[row]
            after = np.where(is_kept, before * ratio, np.float32(0))
            value[now] = after
            changes[month] += (after.astype("float64") - before).sum(axis=0)
        _lose(value, now, loss, hazards, length, changes[month], rng)
        known[now] = np.nan
        due[now] += book.term[order[now]]
    return changes


def _lose(
    value: npt.NDArray[np.float32],
    due: Ints,
    loss: Ints,
    hazards: Floats,
    length: float,
    change: Floats,
    rng: np.random.Generator,
) -> None:
    """Lose pieces at their monthly rate: hop from one loss to the next instead of asking every piece of every path."""
    count = value.shape[1]
    is_due = np.zeros(len(value), dtype=bool)
    is_due[due] = True
    for at in np.unique(loss):
        rows = np.flatnonzero(loss == at)  # in a row, because the pieces are sorted by it
        rate = 1 - (1 - hazards[at]) ** length
        most = float(rate.max())
        if most <= 0:
            continue
        cells = len(rows) * count
        hops = rng.geometric(most, int(cells * most + 6 * np.sqrt(cells * most) + 10))
        cell = np.cumsum(hops) - 1
        cell = cell[cell < cells]
        piece, path = rows[0] + cell // count, cell % count
        taken = (rng.random(len(cell)) * most < rate[path]) & ~is_due[piece]
        piece, path = piece[taken], path[taken]
        change -= np.bincount(path, weights=value[piece, path], minlength=count)
        value[piece, path] = 0

"""Where a book of recurring revenue goes in the coming months: exact expected values, and simulated paths around them.

The book is a list of pieces: a contract's part of an account's ARR, or the ARR of an account without a contract. In the
month in which its contract ends a piece is renewed, at an amount that past renewals show, or lost; in all other months
it may be lost at a monthly rate. In every month it grows and shrinks at monthly rates. Of what is lost on the way a part comes
back, also at a monthly rate; churn is told less that part.

The intervals hold what is common to many accounts, else they would be too narrow: one shock moves the log-odds of all
renewals of a calendar quarter, pieces of a group with about the same likelihood share what is uncertain about it, and the
monthly rates of loss and growth are drawn from what the past leaves open. Given those, accounts go their own ways.

Each piece has a stream of chance of its own, and so has each group and each thing that is common. So the paths do not
depend on the order of the pieces, those of a group are the same alone and within the whole, and when some pieces are
changed the others fare as before: the difference of two forecasts holds no noise but their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import numpy.typing as npt

__all__ = [
    "GROWTH",
    "VERSION",
    "Book",
    "Growth",
    "Paths",
    "Rates",
    "Walk",
    "expected",
    "paths",
    "shock_spread",
    "stream",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]

_BLOCK = 256  # pieces simulated at a time, so that memory does not grow with the book
_TABLE = 1024  # points at which the distribution of renewed ÷ expiring is kept
_MOST_SPREAD = 1.5  # in log-odds: a likelihood known no better than this is not taken as wilder
GROWTH = ("expansion", "contraction")
VERSION = 2  # raise it when the same book and rates give other paths


@dataclass(frozen=True)
class Book:
    """The pieces of a book, one entry per piece in every array.

    groups: names of the groups (segments); group: the index of each piece in them. key: the name of each piece, by which
    its chance is drawn. value: ARR. due: index of the month in which the contract ends, -1 without one in sight. term:
    months from one end to the next. likelihood: chance of renewal, with the weight in decisions that it is worth. alike: pieces of a group with
    the same number share what is uncertain about it. known: 1
    renewed, 0 lost, NaN undecided; known_ratio: new ÷ old amount where it is known. loss: index into `Rates.lost` and
    `Rates.months`. expansion, contraction: expected growth of each piece in each month as a share of its value (month × piece).
    """

    groups: tuple[str, ...]
    group: Ints
    key: tuple[str, ...]
    value: Floats
    due: Ints
    term: Ints
    likelihood: Floats
    weight: Floats
    alike: Ints
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
    """What the past says: losses per kind of piece and account-months behind them (both may be fractions of a pooled rate),
    growth by kind, the ratio renewed ÷ expiring of past renewals with their weights, the spread of shocks, and how much of
    what was lost comes back each month."""

    lost: Floats
    months: Floats
    growth: dict[str, Growth]
    ratios: Floats = field(default_factory=lambda: np.ones(1))
    ratio_weights: Floats = field(default_factory=lambda: np.ones(1))
    shock: float = 0.0
    returns: float = 0.0

    @property
    def hazard(self) -> Floats:
        """The monthly rate of loss of each kind of piece."""
        return self.lost / self.months

    @property
    def mean_ratio(self) -> float:
        """Σ renewed ÷ Σ expiring of past renewals."""
        return float(np.average(self.ratios, weights=self.ratio_weights))


@dataclass(frozen=True)
class Walk:
    """The expected book, group × month: opening + renewals + expansion + contraction + churn = closing.

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


@dataclass(frozen=True)
class Paths:
    """Simulated books: `closing` by group, month and path; `watched` the same for single pieces; `growth` the factors."""

    closing: Floats
    watched: Floats
    growth: Floats


def stream(seed: int, *names: object) -> np.random.Generator:
    """Return the stream of chance that belongs to these names."""
    words = [seed, *(crc32(str(name).encode()) for name in names)]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(words)))


def expected(book: Book, rates: Rates, lengths: Floats) -> Walk:
    """Return the expected book of each month; `lengths` are in months (the first one may be a part or more)."""
    shape = (len(book.groups), len(lengths))
    rows = {name: np.zeros(shape) for name in ("opening", "renewals", "churn", *GROWTH, "due", "renewed", "uneven")}
    growing = {kind: np.zeros(shape) for kind in GROWTH}
    value, due, is_known = book.value.astype("float64").copy(), book.due.copy(), ~np.isnan(book.known)

    gone, back = np.zeros(shape[0]), np.zeros(shape[0])

    def of_groups(amounts: Floats) -> Floats:
        return np.bincount(book.group, weights=amounts, minlength=len(book.groups)).astype("float64")

    for month, length in enumerate(lengths):
        total = of_groups(value)
        rows["opening"][:, month] = total + back
        rows["uneven"][:, month] = _share(of_groups(value**2), total**2)
        now = due == month
        chance = np.where(is_known, np.nan_to_num(book.known), book.likelihood)
        ratio = np.where(is_known & ~np.isnan(book.known_ratio), np.nan_to_num(book.known_ratio), rates.mean_ratio)
        up = np.where(now, value, 0.0)
        kept = up * chance
        lost = np.where(now, 0.0, value * (1 - (1 - rates.hazard[book.loss]) ** length))
        rows["due"][:, month], rows["renewed"][:, month] = of_groups(up), of_groups(kept)
        rows["renewals"][:, month] = of_groups(kept * (ratio - 1))
        returned = gone * min(1.0, rates.returns * length)
        left = of_groups(up - kept + lost)
        rows["churn"][:, month] = returned - left
        gone, back = gone - returned + left, back + returned
        value = np.where(now, kept * ratio, value - lost)
        moved = {
            "expansion": value * book.expansion[month] * length,
            "contraction": -value * book.contraction[month] * length,
        }
        for kind in GROWTH:
            rows[kind][:, month] = of_groups(moved[kind])
            growing[kind][:, month] = _share(np.abs(rows[kind][:, month]), of_groups(value))
        value = value + moved["expansion"] + moved["contraction"]
        due[now] += book.term[now]
        is_known &= ~now
    closing = rows["opening"] + rows["renewals"] + rows["expansion"] + rows["contraction"] + rows["churn"]
    return Walk(closing=closing, growing=growing, **rows)


def paths(
    book: Book,
    rates: Rates,
    lengths: Floats,
    walk: Walk,
    *,
    quarters: Sequence[int],
    count: int,
    seed: int,
    growth: Floats | None = None,
    watch: Sequence[int] = (),
) -> Paths:
    """Return the closing book of each group, month and path, the same for the same seed; its mean is the expected book.

    `quarters` says which shock each month belongs to. `growth` are the factors of another simulation, to compare with
    it; `watch` are pieces of which the paths are kept apart. Only pieces that are due or lost are touched, so the cost
    grows with the renewals, not with pieces × months.
    """
    steps = _growth(book, rates, walk, count, seed) if growth is None else growth
    factors = np.cumprod(steps, axis=1)
    common = _Common(book, rates, quarters, count, seed)
    total = np.zeros((len(book.groups), len(lengths), count))
    own = {piece: np.zeros((len(lengths), count)) for piece in watch}
    for group in range(len(book.groups)):
        total[group] += book.value[book.group == group].sum()
    order = np.array(sorted(range(len(book.key)), key=lambda at: (book.group[at], book.loss[at], book.key[at])), int)
    kinds = book.group[order] * len(rates.lost) + book.loss[order]
    for kind in np.unique(kinds):
        rows = order[kinds == kind]
        for first in range(0, len(rows), _BLOCK):
            block = rows[first : first + _BLOCK]
            total[book.group[block[0]]] += np.cumsum(_block(common, block, lengths, first, own), axis=0)
    total *= factors
    mean = total.mean(axis=2, keepdims=True)
    fit = np.divide(walk.closing[:, :, None], mean, out=np.ones_like(mean), where=mean > 0)
    watched = [
        (book.value[piece] + np.cumsum(changes, axis=0)) * (factors * fit)[book.group[piece]]
        for piece, changes in own.items()
    ]
    return Paths(total * fit, np.stack(watched) if watched else np.zeros((0, *total.shape[1:])), steps)


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


class _Common:
    """What is common to many pieces of one simulation, drawn once, and the chances that follow from it."""

    def __init__(self, book: Book, rates: Rates, quarters: Sequence[int], count: int, seed: int) -> None:
        self.book, self.count, self.seed, self.quarters = book, count, seed, quarters
        self.hazards = _hazards(book, rates, count, seed)
        self.table = _ratio_table(rates)
        self._shocks = {
            quarter: np.float32(rates.shock) * self._normal("shock", step)
            for step, quarter in enumerate(sorted(set(quarters)))
        }
        self._unsure: dict[tuple[str, int], Singles] = {}

    def _normal(self, *names: object) -> Singles:
        return stream(self.seed, *names).standard_normal(self.count, dtype=np.float32)

    def chance(self, piece: int, month: int) -> Singles:
        """Return a piece's chance of renewal in a month on each path, with its likelihood as their mean."""
        likelihood = min(max(float(self.book.likelihood[piece]), 1e-6), 1 - 1e-6)
        alike = self.book.groups[self.book.group[piece]], int(self.book.alike[piece])
        if alike not in self._unsure:
            self._unsure[alike] = self._normal("unsure", *alike)
        spread = min(_MOST_SPREAD, (likelihood * (1 - likelihood) * (self.book.weight[piece] + 1)) ** -0.5)
        odds = np.float32(np.log(likelihood / (1 - likelihood))) + np.float32(spread) * self._unsure[alike]
        found: Singles = np.asarray(1 / (1 + np.exp(-(odds + self._shocks[self.quarters[month]]))), dtype="float32")
        found *= np.float32(likelihood / float(found.mean(dtype="float64")))
        return found

    def draws(self, piece: int, time: int) -> npt.NDArray[np.uint32]:
        """Return a piece's own chance at its so-manieth renewal."""
        return stream(self.seed, "piece", self.book.key[piece], time).integers(0, 2**32, self.count, dtype=np.uint32)


def _hazards(book: Book, rates: Rates, count: int, seed: int) -> list[Floats]:
    """Draw the monthly rate of loss of each kind of piece; without any loss or account-month it is 0."""
    found = [np.zeros(count)] * len(rates.lost)
    for at in np.unique(book.loss):
        if rates.lost[at] > 0:
            of = int(np.flatnonzero(book.loss == at)[0])
            own = stream(seed, "hazard", book.groups[book.group[of]], book.due[of] >= 0)
            found[at] = np.minimum(own.gamma(rates.lost[at], 1 / rates.months[at], count), 1.0)
    return found


def _growth(book: Book, rates: Rates, walk: Walk, count: int, seed: int) -> Floats:
    """Draw each month's growth of the groups as factors (group × month × path).

    The level is uncertain by the error of the past mean, for all groups together; around it a month's sum of few, unequal
    moves is gamma distributed with the variance that they give: mean square of a move × Σ squared shares of the pieces.
    """
    factor = np.ones((*walk.opening.shape, count))
    for kind, sign in zip(GROWTH, (1.0, -1.0), strict=True):
        of = rates.growth[kind]
        shape = 1 / of.error**2 if of.error > 0 else 0.0
        level = stream(seed, kind).gamma(shape, 1 / shape, count) if shape else np.ones(count)
        for group, name in enumerate(book.groups):
            own = stream(seed, kind, name)
            for month, mean in enumerate(walk.growing[kind][group]):
                spread = of.square * walk.uneven[group, month]
                if mean > 0:
                    centre = np.maximum(mean * level, 1e-12)
                    moved = own.gamma(centre**2 / spread, spread / centre) if spread > 0 else centre
                    factor[group, month] += sign * moved
    return np.maximum(factor, 0.0)


def _ratio_table(rates: Rates) -> Singles:
    """Return renewed ÷ expiring at equal steps of its weighted distribution, with the exact mean."""
    order = np.argsort(rates.ratios, kind="stable")
    reach = np.cumsum(rates.ratio_weights[order])
    at = np.searchsorted(reach, (np.arange(_TABLE) + 0.5) / _TABLE * reach[-1])
    table = rates.ratios[order][np.minimum(at, len(order) - 1)]
    return np.asarray(table * (rates.mean_ratio / table.mean() if table.mean() else 1.0), dtype="float32")


def _block(common: _Common, rows: Ints, lengths: Floats, first: int, own: dict[int, Floats]) -> Floats:
    """Simulate some pieces of one kind and return how their sum changes in each month of each path, before growth."""
    book, count = common.book, common.count
    value = np.repeat(book.value[rows].astype("float32")[:, None], count, axis=1)
    due, times = book.due[rows].copy(), np.zeros(len(rows), dtype=int)
    changes = np.zeros((len(lengths), count))
    for month, length in enumerate(lengths):
        now = np.flatnonzero(due == month)
        for at in now:
            piece = int(rows[at])
            after = value[at] * _renewal(common, piece, month, int(times[at]))
            changes[month] += after - value[at]
            if piece in own:
                own[piece][month] += after - value[at]
            value[at] = after
        _lose(common, value, rows, now, month, float(length), first, changes, own)
        times[now] += 1
        due[now] += book.term[rows[now]]
    return changes


def _renewal(common: _Common, piece: int, month: int, time: int) -> Singles:
    """Return what becomes of a piece at its renewal on each path: new ÷ old amount, 0 where it is lost.

    Of a draw of 32 bits the upper 22 decide and the lower 10 choose the ratio. What is decided already holds once.
    """
    known, told = (float(one[piece]) if time == 0 else np.nan for one in (common.book.known, common.book.known_ratio))
    draws = common.draws(piece, time)
    ratio = common.table[draws & np.uint32(_TABLE - 1)]
    if not np.isnan(told):
        ratio = np.full_like(ratio, told)
    if not np.isnan(known):
        return np.asarray(ratio * np.float32(known))
    return np.asarray(ratio * ((draws >> np.uint32(10)) < common.chance(piece, month) * np.float32(2**22)))


def _lose(
    common: _Common,
    value: npt.NDArray[np.float32],
    rows: Ints,
    due: Ints,
    month: int,
    length: float,
    first: int,
    changes: Floats,
    own: dict[int, Floats],
) -> None:
    """Lose pieces at their monthly rate: hop from one loss to the next instead of asking every piece of every path."""
    book, count = common.book, common.count
    rate = 1 - (1 - common.hazards[book.loss[rows[0]]]) ** length
    most = float(rate.max())
    if most <= 0:
        return
    chance = stream(common.seed, "loss", book.groups[book.group[rows[0]]], book.due[rows[0]] >= 0, first, month)
    cells = len(rows) * count
    hops = chance.geometric(most, int(cells * most + 6 * np.sqrt(cells * most) + 10))
    cell = np.cumsum(hops) - 1
    cell = cell[cell < cells]
    piece, path = cell // count, cell % count
    is_due = np.zeros(len(rows), dtype=bool)
    is_due[due] = True
    taken = (chance.random(len(cell)) * most < rate[path]) & ~is_due[piece]
    piece, path = piece[taken], path[taken]
    gone = value[piece, path]
    changes[month] -= np.bincount(path, weights=gone, minlength=count)
    for at in np.flatnonzero(np.isin(rows, list(own))) if own else ():
        of = piece == at
        own[int(rows[at])][month] -= np.bincount(path[of], weights=gone[of], minlength=count)
    value[piece, path] = 0


def _share(part: Floats, whole: Floats) -> Floats:
    """Return part ÷ whole, 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)

"""Growth within a term: users, storage, and the expansion opportunities that they cause, won or lost."""

from dataclasses import dataclass, field, replace

import numpy as np

from cs_metrics.demo.adoption import Adoption
from cs_metrics.demo.clock import LAST, Clock, stream
from cs_metrics.demo.coefficients import DEAL
from cs_metrics.demo.onboarding import Onboarding
from cs_metrics.demo.product import ADD_ONS, CORE, PRODUCTS, SERVICE, TIER
from cs_metrics.demo.renewals import sigmoid
from cs_metrics.demo.traits import Traits

__all__ = ["Deals", "Holding", "Opportunity", "Term", "Trial", "Win", "add_on_price"]

_DAYS_TO_CLOSE = {"seats": 24, "limit": 14, "department": 45, "product": 38, "service": 30, "price": 50}
_WON_WITH = ("Similar customers", "Usage report", "Business review", "Limit reached")
_STORAGE_GB = (40.0, 150.0, 500.0)


@dataclass
class Holding:
    """A priced line that an account holds: product, cents per month, seats."""

    product: int
    mrr: int
    seats: int | None
    since: int


@dataclass(frozen=True)
class Win:
    """What a won opportunity adds from `day` on."""

    day: int
    product: int
    mrr: int
    seats: int


@dataclass
class Term:
    """One contract of an account while it runs: lines that hold, lines that ended, what is won but not begun."""

    account: int
    start: int
    end: int
    billing: int
    holdings: list[Holding]
    number: int
    ended: list[tuple[Holding, int]] = field(default_factory=list)
    won: list[Win] = field(default_factory=list)

    @property
    def mrr(self) -> int:
        """Cents per month of all lines that hold."""
        return sum(one.mrr for one in self.holdings)

    @property
    def seats(self) -> int:
        """Seats of all lines that hold."""
        return sum(one.seats or 0 for one in self.holdings)

    def owns(self, product: int) -> bool:
        """Say whether the product is owned or won."""
        return product in {*(one.product for one in self.holdings), *(one.product for one in self.won)}

    def begin_won(self, upto: int) -> None:
        """Let what was won up to a day begin: a new line, or a change of the line that holds the product."""
        for win in sorted((one for one in self.won if one.day <= upto), key=lambda one: one.day):
            old = next((one for one in self.holdings if one.product == win.product), None)
            if old is None:
                self.holdings.append(Holding(win.product, win.mrr, win.seats or None, win.day))
                continue
            if old.since < win.day:
                self.ended.append((replace(old), win.day))
            old.since, old.mrr = win.day, old.mrr + win.mrr
            old.seats = (old.seats or 0) + win.seats or None
        self.won = [one for one in self.won if one.day > upto]


@dataclass(frozen=True)
class Opportunity:
    """One expansion deal; `close` may lie after the last day: then it is open."""

    account: int
    kind: str
    opened: int
    close: int
    is_won: bool
    arr: int
    product: int
    won_with: str


@dataclass(frozen=True)
class Trial:
    """An account tries a product that it does not own, from `start` to `end`."""

    account: int
    product: int
    start: int
    end: int
    mrr: int
    is_formal: bool


def add_on_price(product: int, segment: int, seats: int) -> int:
    """Return cents per month of an add-on, tier or service for an account of that size."""
    price = PRODUCTS[product].list_price * 100
    if product == SERVICE:
        return price * (1, 2, 5)[segment] // 2
    return price * max(10, seats) // 10


@dataclass
class _Standing:
    """What moves from month to month for one account."""

    demand: float
    storage: float
    allowed: float
    last_deal: dict[str, int] = field(default_factory=dict)


class Deals:
    """Plays the months of each term; results gather in the lists and matrices below."""

    def __init__(self, seed: int, traits: Traits, onboarding: Onboarding, adoption: Adoption, clock: Clock) -> None:
        self.traits, self.onboarding, self.adoption, self.clock = traits, onboarding, adoption, clock
        rng = self.rng = stream(seed, "opportunities")
        shape = (traits.count, clock.months)
        self.users = np.zeros(shape, dtype=np.int64)
        self.storage_used, self.storage_allowed = np.zeros(shape), np.zeros(shape)
        self.opportunities: list[Opportunity] = []
        self.trials: list[Trial] = []
        filled, storage = rng.uniform(0.62, 0.97, traits.count), rng.uniform(0.15, 0.55, traits.count)
        self.standing = [
            _Standing(float(seats) * fill, _STORAGE_GB[segment] * share, _STORAGE_GB[segment])
            for seats, fill, segment, share in zip(traits.seats.tolist(), filled, traits.segment, storage, strict=True)
        ]
        self.pace = 0.013 + 0.007 * traits.fit + 0.004 * traits.need

    def play(self, term: Term) -> None:
        """Play the months of a term up to its end or the last day; won deals change its lines."""
        first, last = int(self.clock.month(term.start)), int(self.clock.month(min(term.end - 1, LAST)))
        for month in range(first, last + 1):
            self._month(term, month)
        term.begin_won(min(term.end - 1, LAST))

    def _month(self, term: Term, month: int) -> None:
        account, now = term.account, self.standing[term.account]
        begin = max(int(self.clock.starts[month]), term.start)
        upto = min(int(self.clock.starts[month + 1]), term.end, LAST + 1)
        active = self.adoption.is_active(account, begin)
        change, tried, other, when = self.rng.random(4)
        now.demand *= np.exp((self.pace[account] + 0.02 * (change - 0.5)) if active else -0.003)
        now.storage *= np.exp(0.032 if active else 0.004)
        term.begin_won(begin)
        seats = term.seats
        now.demand = min(now.demand, 1.3 * seats)
        self.users[account, month] = max(1, min(round(now.demand), seats))
        self.storage_used[account, month] = min(now.storage, now.allowed)
        self.storage_allowed[account, month] = now.allowed
        if begin - int(self.traits.start[account]) < 75 or upto - begin < 3:
            return
        day = begin + int(when * (upto - begin))
        if active and tried < 0.035:
            self._try(term, day, tried / 0.035)
        kind = self._cause(term, month, seats, active, other)
        if kind:
            now.last_deal[kind] = month
            self._pursue(term, kind, None, day, active)

    def _cause(self, term: Term, month: int, seats: int, active: bool, chance: float) -> str:
        """Return what kind of opportunity the month brings, '' when none."""
        account, now = term.account, self.standing[term.account]
        segment = int(self.traits.segment[account])

        def rested(kind: str) -> bool:
            return month - now.last_deal.get(kind, -99) >= 5

        if active and now.demand >= 0.95 * seats and rested("seats") and chance < 0.75:
            return "seats"
        if now.storage >= 0.9 * now.allowed and rested("limit"):
            return "limit"
        if active:
            edges = {"department": 0.010 * segment, "service": 0.005, "price": 0.007}
        else:
            edges = {"product": 0.006, "seats": 0.004}
        for kind, width in edges.items():
            if chance < width:
                return kind if rested(kind) else ""
            chance -= width
        return ""

    def _try(self, term: Term, day: int, chance: float) -> None:
        """The account tries an add-on that it does not own; more often than not somebody follows it up."""
        missing = [product for product in ADD_ONS if not term.owns(product)]
        if not missing:
            return
        product = missing[int(chance * len(missing)) % len(missing)]
        length, formal, follow = self.rng.random(3)
        end = day + 10 + int(length * 20)
        mrr = add_on_price(product, int(self.traits.segment[term.account]), term.seats)
        self.trials.append(Trial(term.account, product, day, end, mrr, bool(formal < 0.4)))
        if follow < 0.65:
            self._pursue(term, "product", product, day + 5 + int(length * 15), True, tried=True)

    def _pursue(
        self, term: Term, kind: str, product: int | None, day: int, active: bool, *, tried: bool = False
    ) -> None:
        """Open an opportunity on `day` and decide it; when it is won in time, it adds to the account's lines."""
        rng, account = self.rng, term.account
        if product is None:
            missing = [one for one in ADD_ONS if not term.owns(one)]
            product = {"price": TIER, "service": SERVICE, "product": missing[0] if missing else TIER}.get(kind, CORE)
        if (kind in ("price", "service", "product") and term.owns(product)) or day >= min(term.end - 12, LAST + 1):
            return
        size, speed, luck, said = rng.random(4)
        close = day + max(3, round(_DAYS_TO_CLOSE[kind] * (0.4 + 1.4 * speed)))
        if close >= term.end:
            return
        price, extra = self._amount(term, kind, product, size)
        is_won = bool(luck < self._chance(account, day, active, tried))
        message = _WON_WITH[3 if kind == "limit" else int(said * 3)]
        self.opportunities.append(Opportunity(account, kind, day, close, is_won, 12 * price, product, message))
        if is_won and close <= LAST:
            term.won.append(Win(close, product, price, extra))
            if kind == "limit":
                self.standing[account].allowed *= 1.6

    def _amount(self, term: Term, kind: str, product: int, size: float) -> tuple[int, int]:
        """Return cents per month and seats that the opportunity would add."""
        account = term.account
        if kind in ("seats", "department"):
            low, high = (0.12, 0.32) if kind == "seats" else (0.10, 0.25)
            extra = max(1, round(term.seats * (low + (high - low) * size)))
            return extra * int(self.traits.seat_price[account]), extra
        if kind == "limit":
            return max(4000, round(0.05 * term.mrr / 100) * 100), 0
        return add_on_price(product, int(self.traits.segment[account]), term.seats), 0

    def _chance(self, account: int, day: int, active: bool, tried: bool) -> float:
        """Return the probability that an opportunity is won."""
        recent = self.adoption.recent(account, day, 13)
        activity = float(self.adoption.engagement(account, recent).mean()) * float(self.adoption.breadth[account])
        return sigmoid(
            DEAL["intercept"]
            + DEAL["settled"] * active
            + DEAL["onboarded"] * float(self.onboarding.onboarded[account])
            + DEAL["tried"] * tried
            + DEAL["sponsor_left"] * self.adoption.sponsor_left_within(account, day)
            + DEAL["activity"] * activity
            + DEAL["satisfaction"] * float(self.traits.satisfaction[account])
        )

"""The money: contracts played in order of the accounts' age, with the subscription lines that follow from them.

In order of age, because a settled account that is lost makes room: the most ready account of the same intake that had
not settled settles late. So the share of accounts with the habit stays level while each account can still leave.
"""

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_metrics.demo.adoption import ACTIVE, GONE, IDLE, Adoption
from cs_metrics.demo.clock import LAST, NEVER, Bools, Clock, Ints, day_of_number, number_of, stream
from cs_metrics.demo.deals import Deals, Holding, Term, add_on_price
from cs_metrics.demo.onboarding import Onboarding
from cs_metrics.demo.product import ADD_ONS, CORE, SERVICE, TIER
from cs_metrics.demo.renewals import Decision, Renewals
from cs_metrics.demo.traits import BILLINGS, Traits
from cs_metrics.periods import add_months

__all__ = ["Contract", "Ledger", "Line"]

_MONTHLY, _ANNUAL, _MULTI_YEAR = (BILLINGS.index(name) for name in ("monthly", "annual", "multi_year"))
_OWNS_AT_START = {1: (0.10, 0.20, 0.30), 2: (0.12, 0.22, 0.35), 3: (0.06, 0.15, 0.28)}
_TIER_AT_START, _SERVICE_AT_START = (0.04, 0.12, 0.45), (0.02, 0.10, 0.28)
_RETURNS = 0.09  # share of lost accounts that come back


@dataclass(frozen=True)
class Line:
    """One row of `subscriptions`; `end` is None while the line runs."""

    account: int
    start: int
    end: int | None
    mrr: int
    product: int
    seats: int | None
    billing: int


@dataclass(frozen=True)
class Contract:
    """One row of `contracts`, with its true decision, which the row shows only once it was made."""

    account: int
    start: int
    end: int
    billing: int
    arr: int
    decision: Decision
    renewed_arr: int | None
    renewed_until: int | None


class Ledger:
    """Plays all contracts; afterwards the lists below and `adoption.state` hold what happened."""

    def __init__(self, seed: int, traits: Traits, onboarding: Onboarding, adoption: Adoption, clock: Clock) -> None:
        self.traits, self.onboarding, self.adoption, self.clock = traits, onboarding, adoption, clock
        self.rng = stream(seed, "ledger")
        self.renewals = Renewals(seed, traits, onboarding, adoption, clock)
        self.deals = Deals(seed, traits, onboarding, adoption, clock)
        self.lines: list[Line] = []
        self.contracts: list[Contract] = []
        self.left: Ints = np.full(traits.count, NEVER, dtype=np.int64)  # first day without MRR
        self.back: Ints = np.full(traits.count, NEVER, dtype=np.int64)  # first day of the return
        self.left_again: Ints = np.full(traits.count, NEVER, dtype=np.int64)
        self.settled_late: Ints = np.full(traits.count, NEVER, dtype=np.int64)
        self.first_arr: Ints = np.zeros(traits.count, dtype=np.int64)
        self._term_end = np.zeros(traits.count, dtype=np.int64)
        self._owed = np.zeros(int(onboarding.block[-1]) + 1, dtype=np.int64)

    def play(self) -> None:
        """Play every contract that begins by the last day."""
        queue: list[tuple[int, int, int]] = []
        running: dict[int, Term] = {}

        def begin(term: Term | None) -> None:
            if term is not None and term.start <= LAST:
                running[term.account] = term
                self._term_end[term.account] = term.end
                heapq.heappush(queue, (term.end - int(self.traits.start[term.account]), term.account, term.number))

        for account in range(self.traits.count):
            term = self._first_term(account)
            self.first_arr[account] = 12 * term.mrr
            begin(term)
        while queue:
            _, account, _ = heapq.heappop(queue)
            begin(self._finish(running.pop(account)))

    def is_there(self, account: Any, day: Any) -> Bools:
        """Return whether accounts have MRR on days (positions and days of one shape, or one of them a single value)."""
        there = (self.traits.start[account] <= day) & (day < self.left[account])
        return np.asarray(there | ((self.back[account] <= day) & (day < self.left_again[account])))

    @property
    def gone(self) -> Ints:
        """The first day without each account for good, NEVER while it is a customer."""
        return np.asarray(np.where(self.back < NEVER, self.left_again, self.left))

    def _first_term(self, account: int) -> Term:
        traits, segment = self.traits, int(self.traits.segment[account])
        billing, start = int(traits.billing[account]), int(traits.start[account])
        draws = self.rng.random(8)
        seats = int(traits.seats[account])
        bought = [product for product in ADD_ONS if draws[product] < _OWNS_AT_START[product][segment]]
        bought += [TIER] if draws[4] < _TIER_AT_START[segment] else []
        bought += [SERVICE] if draws[5] < _SERVICE_AT_START[segment] else []
        holdings = [Holding(CORE, seats * int(traits.seat_price[account]), seats, start)]
        holdings += [Holding(product, add_on_price(product, segment, seats), None, start) for product in bought]
        end = self._ends(start, billing, draws[6])
        if billing != _MONTHLY:
            end -= int(draws[7] * 40)  # the first term ends with the customer's own budget year
        return Term(account, start, end, billing, holdings, 0)

    @staticmethod
    def _ends(start: int, billing: int, draw: float) -> int:
        """A monthly payer commits to half a year, most to a year, some to two or three."""
        months = 6 if billing == _MONTHLY else 12 if billing != _MULTI_YEAR else 24 if draw < 0.6 else 36
        return number_of(add_months(day_of_number(start), months))

    def _finish(self, term: Term) -> Term | None:
        """Play a term to its end; return the term that follows, if one does."""
        arr = 12 * term.mrr
        self.deals.play(term)
        decision = self.renewals.decide(term.account, term.end, term.billing == _MONTHLY)
        follows = self._next_term(term, decision) if decision.is_renewed else None
        self.contracts.append(
            Contract(
                account=term.account,
                start=term.start,
                end=term.end,
                billing=term.billing,
                arr=arr,
                decision=decision,
                renewed_arr=12 * follows.mrr if follows else None,
                renewed_until=follows.end if follows else None,
            )
        )
        if decision.decided_on > LAST or term.end > LAST:
            self._close(term, None)
            return None
        if follows:
            self._close(term, term.end)
            return follows
        return self._lose(term, max(term.end, decision.decided_on))

    def _close(self, term: Term, end: int | None) -> None:
        """Write the lines of a term, ended or still running."""
        for one, until in (*term.ended, *((one, end) for one in term.holdings)):
            self.lines.append(Line(term.account, one.since, until, one.mrr, one.product, one.seats, term.billing))

    def _next_term(self, term: Term, decision: Decision) -> Term:
        """Agree on the next term: prices rise or fall, unused seats and add-ons go, some buy more at once."""
        account, draws = term.account, self.rng.random(10)
        active = self.adoption.is_active(account, min(term.end - 1, LAST))
        factor = 1 - decision.discount_percent / 100 if decision.discount_percent else 1.02 + 0.04 * draws[0]
        billing = term.billing
        if draws[1] < 0.06:
            billing = _ANNUAL if billing == _MONTHLY else _MULTI_YEAR if self.traits.segment[account] else billing
        seats = term.seats
        price = sum(one.mrr for one in term.holdings if one.seats) * factor
        used = int(self.deals.users[account, int(self.clock.month(min(term.end - 1, LAST)))])
        target = seats
        if not active and draws[2] < 0.45:
            target = max(used, round(seats * (0.70 + 0.2 * draws[3])))
        elif active and draws[2] < 0.16:
            target = seats + max(1, round(seats * 0.10 * draws[3]))
        holdings = [Holding(CORE, round(price / seats * target), target, term.end)]
        for at, one in enumerate(sorted((one for one in term.holdings if not one.seats), key=lambda one: one.product)):
            if draws[4 + at] >= (0.04 if active else 0.25):
                holdings.append(Holding(one.product, round(one.mrr * factor), None, term.end))
        end = self._ends(term.end, billing, draws[9])
        return Term(account, term.end, end, billing, holdings, term.number + 1)

    def _lose(self, term: Term, left: int) -> Term | None:
        """End the account's MRR on `left`; return the term with which it comes back, if it does."""
        account, block = term.account, int(self.onboarding.block[term.account])
        self._close(term, left)
        if self.back[account] < NEVER:
            self.left_again[account] = left
        else:
            self.left[account] = left
        week = -((int(self.traits.start[account]) - left) // 7)
        was_active = bool(self.adoption.state[account, min(week, self.clock.weeks) - 1] == ACTIVE)
        self.adoption.state[account, week:] = GONE
        self._owed[block] += was_active and left <= LAST
        returns, pause, size = self.rng.random(3)
        back = left + 45 + int(pause * 180)
        comes_back = returns < _RETURNS and back <= LAST - 21 and self.back[account] == NEVER
        if comes_back:
            self.back[account] = back
            self.adoption.state[account, -((int(self.traits.start[account]) - back) // 7) :] = ACTIVE
            self._owed[block] -= 1
        if self._owed[block] > 0:
            self._settle_late(block, week)
        if not comes_back:
            return None
        seats = max(3, round(term.seats * (0.6 + 0.4 * size)))
        holding = Holding(CORE, seats * int(self.traits.seat_price[account]), seats, back)
        return Term(account, back, self._ends(back, _ANNUAL, 0.0), _ANNUAL, [holding], term.number + 1)

    def _settle_late(self, block: int, week: int) -> None:
        """Let the most ready account of the block that has not settled do so now, better one whose renewal is far."""
        state, start = self.adoption.state, self.traits.start
        if week >= self.clock.weeks:
            return
        members = np.flatnonzero((self.onboarding.block == block) & (start + 7 * week <= LAST))
        waiting = members[state[members, week] == IDLE]
        if len(waiting) == 0:
            return
        is_near = self._term_end[waiting] - 90 < start[waiting] + 7 * week
        chosen = int(waiting[np.lexsort((-self.traits.readiness[waiting], is_near))[0]])
        later = state[chosen, week:]
        later[later == IDLE] = ACTIVE
        self.settled_late[chosen] = start[chosen] + 7 * week
        self._owed[block] -= 1

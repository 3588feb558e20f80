"""Calls to action that the company's other system opened: in onboarding, at risks, before renewals, for growth."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_metrics.demo.adoption import Adoption
from cs_metrics.demo.clock import LAST, NEVER, UNKNOWN, stream
from cs_metrics.demo.ledger import Ledger
from cs_metrics.demo.onboarding import FALLEN, SETTLED, Onboarding
from cs_metrics.demo.product import MILESTONES
from cs_metrics.demo.traits import Traits

__all__ = ["ctas_table"]

_BLOCKED = {
    "M1": "No reply to the kick-off",
    "M2": "Catalogue data missing",
    "M3": "Payment provider pending",
    "M4": "No time for training",
    "M5": "Integration blocked",
    "M6": "Integration blocked",
    "M7": "Scope does not fit the plan",
}
_TEAMS = ("Engineering", "Support", "Product", "Finance", "Sales")
_NOTICED, _FLAGGED = 0.7, 0.6


@dataclass(frozen=True)
class _Call:
    """One call to action; days after the last day have not come."""

    account: int
    kind: str
    reason: str
    opened: int
    due: int
    owner: str
    flagged: int = NEVER
    unflagged: int = NEVER
    team: str | None = None
    closed: int = NEVER
    closed_as: str = "success"


class _Calls:
    """Gathers the calls of a company."""

    def __init__(self, seed: int, traits: Traits, onboarding: Onboarding, adoption: Adoption, ledger: Ledger) -> None:
        self.rng = stream(seed, "ctas")
        self.traits, self.onboarding, self.adoption, self.ledger = traits, onboarding, adoption, ledger
        self.found: list[_Call] = []

    def add(self, call: _Call) -> None:
        """Keep a call that was opened in time; when the account leaves first, it closes as lost."""
        gone = int(self.ledger.gone[call.account])
        if call.opened > LAST or not self.ledger.is_there(call.account, call.opened):
            return
        closed, closed_as = call.closed, call.closed_as
        if gone <= min(closed, LAST):
            closed, closed_as = max(gone, call.opened), "lost"
        flagged = call.flagged if call.flagged <= min(closed, LAST) else NEVER
        unflagged = call.unflagged if flagged < NEVER and call.unflagged <= min(closed, LAST) else NEVER
        team = call.team if flagged < NEVER else None
        changed: dict[str, Any] = {
            "flagged": flagged,
            "unflagged": unflagged,
            "team": team,
            "closed": closed,
            "closed_as": closed_as,
        }
        self.found.append(replace(call, **changed))

    def between(self, low: int, high: int) -> int:
        """Return a number of days."""
        return int(self.rng.integers(low, high))

    def onboarding_calls(self) -> None:
        """Most overdue milestones were noticed, and so were vague expectations; half of both needed other teams."""
        for account in range(self.traits.count):
            start = int(self.traits.start[account])
            for at, milestone in enumerate(MILESTONES):
                due, reached = start + milestone.due_days, int(self.onboarding.reached[account, at])
                opened, given_up = due + self.between(1, 6), due + self.between(60, 150)
                if self.rng.random() < _NOTICED and self.onboarding.wanted[account, at] and reached > opened:
                    self._early(
                        account, _BLOCKED[milestone.milestone_id], opened, min(reached, given_up), reached <= given_up
                    )
            is_shaky = self.onboarding.kind[account] != SETTLED
            opened, days = start + self.between(4, 45), self.between(10, 75)
            if self.rng.random() < (0.40 if is_shaky else 0.26):
                self._early(account, "Expectations unclear", opened, opened + days, not is_shaky)

    def _early(self, account: int, reason: str, opened: int, closed: int, good: bool) -> None:
        flag, cleared, end = self.rng.random(3)
        flagged = opened + self.between(1, 9) if flag < _FLAGGED else NEVER
        unflagged = flagged + self.between(7, 40) if cleared < 0.3 else NEVER
        owner, team = self.traits.onboarding_manager[account], _TEAMS[self.between(0, len(_TEAMS))]
        closed_as = "success" if good else "lost" if end < 0.6 else "not_valid"
        self.add(
            _Call(account, "risk", reason, opened, opened + 14, owner, flagged, unflagged, team, closed, closed_as)
        )

    def risk_calls(self) -> None:
        """A sponsor left, or use fell away."""
        for account in range(self.traits.count):
            for day in self.adoption.sponsor_left[account].tolist():
                opened = day + self.between(1, 12)
                self._risk(account, "Sponsor left", opened, self.between(10, 60))
            if self.onboarding.kind[account] == FALLEN:
                opened = int(self.traits.start[account] + 7 * self.onboarding.fall_week[account]) + self.between(10, 30)
                late = int(self.ledger.settled_late[account])
                self._risk(account, "Use fell away", opened, max(20, min(late - opened, 240)), late < NEVER)

    def _risk(self, account: int, reason: str, opened: int, days: int, good: bool | None = None) -> None:
        flag, end = self.rng.random(2)
        is_good = end < 0.65 if good is None else good
        flagged = opened + 3 if flag < 0.25 else NEVER
        owner, team = self.traits.csm[account], _TEAMS[self.between(0, len(_TEAMS))]
        self.add(
            _Call(
                account, "risk", reason, opened, opened + 21, owner, flagged, flagged + 14, team,
                opened + days, "success" if is_good else "lost",
            )
        )  # fmt: skip

    def money_calls(self) -> None:
        """Each renewal begins with a call, and each full account with a talk about seats."""
        for contract in self.ledger.contracts:
            opened, decision = contract.end - 90, contract.decision
            if opened > contract.start + 14:
                owner = self.traits.renewal_owner[contract.account]
                outcome = "success" if decision.is_renewed else "lost"
                closed = max(opened, decision.decided_on)
                self.add(
                    _Call(contract.account, "lifecycle", "Renewal due", opened, contract.end, owner,
                          closed=closed, closed_as=outcome)
                )  # fmt: skip
        for deal in self.ledger.deals.opportunities:
            if deal.kind in ("seats", "limit"):
                reason = "Seats nearly full" if deal.kind == "seats" else "Storage nearly full"
                opened, owner = deal.opened - self.between(1, 6), self.traits.csm[deal.account]
                outcome = "success" if deal.is_won else "lost"
                self.add(
                    _Call(deal.account, "expansion", reason, opened, opened + 30, owner,
                          closed=deal.close, closed_as=outcome)
                )  # fmt: skip

    def routine_calls(self) -> None:
        """Once a year the success plan is gone through; sometimes there is a small thing to do."""
        for account in range(self.traits.count):
            for nth, (kind, reason) in enumerate(
                (("objective", "Review the success plan"), ("activity", "Invite to webinar"))
            ):
                opened = int(self.traits.start[account]) + 100 + 90 * nth + self.between(0, 60)
                while opened <= LAST:
                    owner, days = self.traits.csm[account], self.between(5, 70)
                    self.add(_Call(account, kind, reason, opened, opened + 30, owner, closed=opened + days))
                    opened += 330 + self.between(0, 70)


def ctas_table(
    seed: int, traits: Traits, onboarding: Onboarding, adoption: Adoption, ledger: Ledger
) -> dict[str, object]:
    """Return the columns of `ctas`."""
    calls = _Calls(seed, traits, onboarding, adoption, ledger)
    calls.onboarding_calls()
    calls.risk_calls()
    calls.money_calls()
    calls.routine_calls()
    found = sorted(_one_open(calls.found), key=lambda one: (one.opened, one.account, one.kind, one.reason))
    priorities = {"risk": "high", "lifecycle": "normal", "expansion": "normal", "objective": "low", "activity": "low"}
    return {
        "cta_id": [f"CTA{number:06d}" for number in range(1, len(found) + 1)],
        "account_id": [traits.ids[one.account] for one in found],
        "kind": [one.kind for one in found],
        "reason": [one.reason for one in found],
        "opened_on": np.array([one.opened for one in found]),
        "due_on": np.array([one.due for one in found]),
        "owner": [one.owner for one in found],
        "priority": ["urgent" if one.flagged < NEVER else priorities[one.kind] for one in found],
        "flagged_on": np.array([_known(one.flagged) for one in found]),
        "unflagged_on": np.array([_known(one.unflagged) for one in found]),
        "team_needed": [one.team for one in found],
        "closed_on": np.array([_known(one.closed) for one in found]),
        "closed_as": [one.closed_as if one.closed <= LAST else None for one in found],
    }


def _known(day: int) -> int:
    return day if day <= LAST else UNKNOWN


def _one_open(calls: list[_Call]) -> list[_Call]:
    """Leave out a call while another of the same account, kind and reason is open."""
    kept: list[_Call] = []
    open_until: dict[tuple[int, str, str], int] = {}
    for one in sorted(calls, key=lambda call: (call.opened, call.account)):
        key = (one.account, one.kind, one.reason)
        if one.opened >= open_until.get(key, 0):
            kept.append(one)
            open_until[key] = one.closed
    return kept

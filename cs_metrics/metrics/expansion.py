"""Expansion: who could use more, whether now is the right moment, who goes, and what can honestly be said.

First rule: no expansion before success. An offer found by a rule stands behind a gate (health and the last
milestone) and behind blockers (tickets, bugs, satisfaction); what holds it back is said in its row.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics import expansion_value as value
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_accounts import Blocker, Customer, customers, gate, gate_says
from cs_metrics.metrics.expansion_blockers import Blockers, Moments, blockers, moments
from cs_metrics.metrics.expansion_offers import Known, Offer
from cs_metrics.metrics.expansion_rules import RULES, offers
from cs_metrics.metrics.expansion_similar import message
from cs_metrics.metrics.expansion_status import NOTHING_SAID, Status, statuses
from cs_metrics.metrics.expansion_twins import twins
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["Shown", "expansion"]

Shown = Literal["current", "aside", "all"]

_COLUMNS = {
    "account_id": "str", "name": "str", "segment": "str", "kind": "str", "offer": "str", "what": "str", "product_id": "str",
    "evidence": "str", "arr": "float64", "arr_basis": "str", "likelihood": "float64", "likelihood_support": "str",
    "expected_arr": "float64", "is_ready": "bool", "blockers": "str", "blocked_until": "datetime64[us]", "gate": "str",
    "health": "str", "timing": "str", "route": "str", "owner": "str", "next_step": "str", "message": "str",
    "blocked_why": "str", "likelihood_low": "float64", "likelihood_high": "float64", "won": "int64", "decided": "int64",
    "subject": "str", "status": "str", "status_says": "str", "note": "str",
}  # fmt: skip

_NAMES = {rule.kind: rule.name for rule in RULES}
_NO_GATE = "A new sale elsewhere: the gate does not apply"


@metric(needs=("subscriptions",), reads=("expansion",), page="Expansion")
def expansion(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, shown: Shown = "current") -> pd.DataFrame:
    """Every opportunity to sell a customer more: evidence, estimated ARR, likelihood, what holds it back, moment, route and message.

    One row per offer that a rule finds; the rules and their thresholds are in `expansion_totals` and in
    the settings `[expansion]`. Only customers (MRR above 0 on the as-of day) are looked at. What people wrote about an
    opportunity counts from its day: one that was postponed leaves the list until its last day is over, a dismissed one
    for `expansion.dismissed_days`; shown=aside lists those, shown=all everything.

    Gate: health is green, or yellow and rising by more than the dead band in 28 days, and the last milestone of the
    account's segment is reached; without milestones only health counts, and `gate` says so. Blockers: an open ticket
    that is urgent or older than 14 days, an open bug in the product to be sold, a low answer within 60 days (until the
    same person answers better), a decision to leave. A sponsor's move is a new sale elsewhere: neither applies to it.

    The likelihood is that of deals that somebody opened: it holds for an offer once a deal is opened, not for a finding
    that nobody takes up. It does not differ between the accounts of one kind.

    Formula: expected_arr = arr × likelihood; likelihood = won ÷ decided of the kind from `expansion.likelihood_min_decided`
        cases on, below (won + prior × base) ÷ (decided + prior) with the win rate of all kinds as base, the configured
        base likelihood where none is decided; a decline that no deal tells of is a lost case;
        arr by kind: seats = seats to bring use down to 80% × price per seat; limit and service = the median share of
        ARR of won deals of the kind, else the configured share; department = seats of an average active department ×
        price per seat, else a share; product = median ARR that similar customers pay for it, else list price × 12;
        price = what is paid for the tier × (next list price ÷ own − 1); sponsor = median ARR of the segment.
    Columns:
        account_id, name, segment: customer
        kind: seats, limit, department, product, service, sponsor or price
        offer: name of the kind
        what: what is offered
        product_id: product to be sold, empty where none is certain
        evidence: why, with numbers and days
        arr, arr_basis: estimated ARR in the reporting currency, empty where nothing is known, and how it was estimated
        likelihood, likelihood_support: chance to win, and the deals behind it
        expected_arr: arr × likelihood
        is_ready: nothing holds it back
        blockers: what holds it back, the gate first, parted by semicolons; empty when ready
        blocked_until: day from which nothing would hold it back, where that can be known
        gate: on what the gate was judged
        health: colour in the last complete week
        timing: good moments that the facts know of
        route: automated, CSM or expansion sales
        owner: person who goes: who took it, else who has the account
        next_step: what to do next
        message: what similar customers did and what changed for them; empty where too few did
        blocked_why: why that day, or on what it depends where no day can be known; empty when ready
        likelihood_low, likelihood_high: 95% interval of the chance, empty where it is configured
        won, decided: cases of the kind behind it
        subject: name of the opportunity within its account, under which people write about it
        status: open, taken, postponed or dismissed
        status_says: who decided that, when and why
        note: what was last said about it
    """
    known, rates = _known(store, as_of, scope), value.win_rates(store, as_of)
    found = _Found(
        against=blockers(store, as_of, scope),
        when=moments(store, as_of, scope),
        chances={rule.kind: value.likelihood_of(rule.kind, rates, known.settings) for rule in RULES},
        decided=statuses(store, as_of, scope),
        has_milestones=store.has("milestones"),
    )
    rows = [_row(known, offer, found) for offer in offers(known) if found.is_shown(offer, as_of, shown)]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    order = ["is_ready", "expected_arr", "account_id", "kind", "product_id", "what"]
    return frame.sort_values(order, ascending=[False, False, True, True, True, True], ignore_index=True)


@dataclass(frozen=True)
class _Found:
    """What is known of all offers: what speaks against them, good moments, chances, and what was decided about them."""

    against: Blockers
    when: Moments
    chances: dict[str, value.Likelihood]
    decided: dict[tuple[str, str], Status]
    has_milestones: bool

    def status(self, offer: Offer) -> Status:
        return self.decided.get((offer.account_id, offer.subject), NOTHING_SAID)

    def is_shown(self, offer: Offer, as_of: dt.date, shown: Shown) -> bool:
        is_aside = self.status(offer).on(as_of) in ("postponed", "dismissed")
        return shown == "all" or is_aside == (shown == "aside")


def _known(store: Store, as_of: dt.date, scope: Scope) -> Known:
    return Known(
        store=store,
        as_of=as_of,
        scope=scope,
        customers=customers(store, as_of, scope),
        similar=twins(store, as_of, scope),
        typical=value.typical_shares(store, as_of),
        config=store.config,
    )


def _row(known: Known, offer: Offer, found: _Found) -> dict[str, Any]:
    one, settings = known.customers[offer.account_id], known.settings
    is_elsewhere, status = offer.kind == "sponsor", found.status(offer)
    held = [] if is_elsewhere else gate(one, known.as_of, known.config.health.dead_band)
    blocked = held if is_elsewhere else [*held, *found.against.of(one, offer.product_id)]
    says = [blocker.says for blocker in blocked]
    chance, route = found.chances[offer.kind], value.route_of(one, offer.kind, settings)
    asked = found.when.asked(one.account_id, offer.kind, offer.product_id)
    return {
        "account_id": one.account_id,
        "name": one.name,
        "segment": one.segment,
        "kind": offer.kind,
        "offer": _NAMES[offer.kind],
        "what": offer.what,
        "product_id": offer.product_id,
        "evidence": offer.evidence,
        "arr": offer.arr,
        "arr_basis": offer.arr_basis,
        "likelihood": chance.rate,
        "likelihood_support": chance.says,
        "expected_arr": None if offer.arr is None else offer.arr * chance.rate,
        "is_ready": not says,
        "blockers": "; ".join(says),
        "blocked_until": _until(blocked),
        "gate": _NO_GATE if is_elsewhere else gate_says(one, has_milestones=found.has_milestones),
        "health": one.colour,
        "timing": "while the move is recent" if is_elsewhere else _timing(known, one, offer, found.when, asked),
        "route": route,
        "owner": status.owner or value.owner_of(one, route),
        "next_step": value.next_step(route, offer.kind, offer.what, says, asked),
        "message": _message(known, one, offer),
        "blocked_why": _why(blocked),
        "likelihood_low": chance.low,
        "likelihood_high": chance.high,
        "won": chance.won,
        "decided": chance.decided,
        "subject": offer.subject,
        "status": status.on(known.as_of),
        "status_says": status.says(known.as_of),
        "note": status.note,
    }


def _until(blocked: list[Blocker]) -> dt.date | None:
    """Return the day on which the last blocker lifts; None when nothing blocks or a day cannot be known."""
    days = [blocker.lifts_on for blocker in blocked]
    return max(day for day in days if day is not None) if days and None not in days else None


def _why(blocked: list[Blocker]) -> str:
    """Return why the blockers lift on a day, or on what they depend where no day can be known."""
    if not blocked:
        return ""
    days = [blocker.lifts_on for blocker in blocked if blocker.lifts_on is not None]
    depends = list(dict.fromkeys(blocker.depends_on for blocker in blocked if blocker.lifts_on is None))
    if not depends:
        return f"On {words.day(max(days))} the newest low answer is old enough, unless another comes"
    earliest = f", not before {words.day(max(days))}" if days else ""
    return f"No day can be known: it depends on {words.joined(depends)}{earliest}"


def _timing(known: Known, one: Customer, offer: Offer, when: Moments, asked: str) -> str:
    settings, said = known.settings, [f"asked for it ({asked})"] if asked else []
    review = when.reviews.get(one.account_id)
    if review:
        said.append(f"after the review of {words.day(review)} that went well")
    if offer.tried_on:
        said.append(f"tried it on {words.day(offer.tried_on)}")
    if one.ends_on and not one.is_lost and periods.days_between(known.as_of, one.ends_on) <= settings.renewal_days:
        said.append(f"at renewal on {words.day(one.ends_on)}")
    if one.activity is not None and one.activity >= settings.highly_active_from:
        said.append("highly active")
    said += when.interest(one.account_id, offer.product_id)
    return "; ".join(said) or "no special moment"


_DID = {
    "seats": "bought more seats",
    "limit": "bought a higher limit",
    "department": "added a department",
    "service": "bought services",
}


def _message(known: Known, one: Customer, offer: Offer) -> str:
    if offer.kind == "sponsor":
        return ""
    near = known.similar.of(one.account_id, offer.kind)
    if offer.kind in ("product", "price"):
        near = known.similar.of(one.account_id, "product", offer.product_id or "")
    did = _DID.get(offer.kind, f"own {offer.what}")
    return message(near, one.segment, did, known.settings.similar_accounts)

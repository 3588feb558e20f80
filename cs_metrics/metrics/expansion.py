"""Expansion: who could use more, whether now is the right moment, who goes, and what can honestly be said.

First rule: no expansion before success. An offer found by a rule stands behind a gate (health and the last
milestone) and behind blockers (tickets, bugs, satisfaction); what holds it back is said in its row.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics import expansion_value as value
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_accounts import Customer, customers, gate, gate_says
from cs_metrics.metrics.expansion_blockers import Blocker, Blockers, Moments, blockers, moments
from cs_metrics.metrics.expansion_offers import Known, Offer
from cs_metrics.metrics.expansion_rules import RULES, offers
from cs_metrics.metrics.expansion_similar import Similar, message, similar
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["expansion", "expansion_totals", "headline"]

_COLUMNS = {
    "account_id": "str", "name": "str", "segment": "str", "kind": "str", "offer": "str", "what": "str", "product_id": "str",
    "evidence": "str", "arr": "float64", "arr_basis": "str", "likelihood": "float64", "likelihood_support": "str",
    "expected_arr": "float64", "is_ready": "bool", "blockers": "str", "blocked_until": "datetime64[us]", "gate": "str",
    "health": "str", "timing": "str", "route": "str", "owner": "str", "next_step": "str", "message": "str",
}  # fmt: skip

_NAMES = {rule.kind: rule.name for rule in RULES}
_NO_GATE = "A new sale elsewhere: the gate does not apply"


@metric(needs=("subscriptions",), page="Expansion")
def expansion(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Every opportunity to sell a customer more: evidence, estimated ARR, likelihood, what holds it back, moment, route and message.

    One row per offer that a rule finds; the rules and their thresholds are in `expansion_totals` and in
    the settings `[expansion]`. Only customers (MRR above 0 on the as-of day) are looked at.

    Gate: health is green, or yellow and rising by more than the dead band in 28 days, and the last milestone of the
    account's segment is reached; without milestones only health counts, and `gate` says so. Blockers: an open ticket
    that is urgent or older than 14 days, an open bug in the product to be sold, a low answer within 60 days (until the
    same person answers better), a decision to leave. A sponsor's move is a new sale elsewhere: neither applies to it.

    The likelihood is that of deals that somebody opened: it holds for an offer once a deal is opened, not for a finding
    that nobody takes up. It does not differ between the accounts of one kind.

    Formula: expected_arr = arr × likelihood; likelihood = (won + prior × overall) ÷ (decided + prior), over the deals of
        the kind decided by the as-of day, the configured base likelihood where none is decided;
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
        owner: person who goes
        next_step: what to do next
        message: what similar customers did and what changed for them; empty where too few did
    """
    known = _known(store, as_of, scope)
    against, when = blockers(store, as_of, scope), moments(store, as_of, scope)
    rates = value.win_rates(store, as_of)
    rows = [_row(known, offer, against, when, rates) for offer in offers(known)]
    found = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    order = ["is_ready", "expected_arr", "account_id", "kind", "product_id", "what"]
    return found.sort_values(order, ascending=[False, False, True, True, True, True], ignore_index=True)


def _known(store: Store, as_of: dt.date, scope: Scope) -> Known:
    return Known(
        store=store,
        as_of=as_of,
        scope=scope,
        customers=customers(store, as_of, scope),
        similar=similar(store, as_of, scope),
        typical=value.typical_shares(store, as_of),
        config=store.config,
    )


def _row(
    known: Known, offer: Offer, against: Blockers, when: Moments, rates: dict[str, tuple[int, int]]
) -> dict[str, Any]:
    one, settings = known.customers[offer.account_id], known.settings
    is_elsewhere = offer.kind == "sponsor"
    held = [] if is_elsewhere else gate(one, known.as_of, known.config.health.dead_band)
    blocked = [] if is_elsewhere else against.of(one, offer.product_id)
    says = [*held, *(blocker.says for blocker in blocked)]
    chance = value.likelihood_of(offer.kind, rates, settings)
    route = value.route_of(one, offer.kind, settings)
    asked = when.asked(one.account_id, offer.kind, offer.product_id)
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
        "blocked_until": _until(held, blocked),
        "gate": _NO_GATE if is_elsewhere else gate_says(one, has_milestones=known.store.has("milestones")),
        "health": one.colour,
        "timing": "while the move is recent" if is_elsewhere else _timing(known, one, offer, when, asked),
        "route": route,
        "owner": value.owner_of(one, route),
        "next_step": value.next_step(route, offer.kind, offer.what, says, asked),
        "message": _message(known, one, offer),
    }


def _until(held: list[str], blocked: list[Blocker]) -> dt.date | None:
    """Return the day on which the last blocker lifts; None when nothing blocks or a day cannot be known."""
    days = [blocker.lifts_on for blocker in blocked]
    if held or not days or None in days:
        return None
    return max(day for day in days if day is not None)


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
    return "; ".join(said) or "no special moment"


_DID = {
    "seats": "bought more seats",
    "limit": "bought a higher limit",
    "department": "added a department",
    "service": "bought services",
    "price": "went to a higher tier",
}


def _message(known: Known, one: Customer, offer: Offer) -> str:
    if offer.kind == "sponsor":
        return ""
    product, did = "", _DID.get(offer.kind, "")
    if offer.kind == "product":
        product, did = offer.product_id or "", f"own {offer.what}"
    near: Similar | None = known.similar.get((one.account_id, offer.kind, product))
    return message(near, one.segment, did, known.settings.similar_accounts)


@metric(needs=("subscriptions",), page="Expansion")
def expansion_totals(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Sums over the opportunities of `expansion`, by kind and in total: how many are ready, their ARR, what is expected.

    One row per rule, also for those that found nothing or lack their table, and a last row `total`. The total leaves
    out leads at other companies (sponsors who moved), which are no expansion of a customer: they are the kind sponsor.

    Columns:
        kind, name: the kind and its name, or total
        rule: when the rule fires, with the thresholds in force
        missing: tables that the rule needs and that hold no rows, empty when it is on
        offers, accounts, ready, blocked: opportunities, accounts with one, opportunities that nothing holds back, the others
        arr, ready_arr, blocked_arr: estimated ARR of all, of the ready, of the others
        expected_arr, ready_expected_arr: arr × likelihood of all, of the ready
        unpriced: opportunities without an estimate, in no sum of ARR
        likelihood, won, decided: chance to win and the deals behind it; empty in the total
    """
    found = expansion(store, as_of=as_of, scope=scope)
    rates, settings, rows = value.win_rates(store, as_of), store.config.expansion, []
    for rule in RULES:
        chance = value.likelihood_of(rule.kind, rates, settings)
        said = {
            "kind": rule.kind,
            "name": rule.name,
            "rule": rule.says(settings),
            "missing": ", ".join(rule.missing(store)),
        }
        deals = {"likelihood": chance.rate, "won": chance.won, "decided": chance.decided}
        rows.append({**said, **_sums(found[found["kind"] == rule.kind]), **deals})
    here = _sums(found[found["kind"] != "sponsor"])
    rows.append(
        {"kind": "total", "name": "Total", "rule": "All but the leads at other companies", "missing": "", **here}
    )
    return pd.DataFrame(rows).astype({"won": "Int64", "decided": "Int64"})


def _sums(found: pd.DataFrame) -> dict[str, Any]:
    ready = found[found["is_ready"]]
    return {
        "offers": len(found),
        "accounts": int(found["account_id"].nunique()),
        "ready": len(ready),
        "blocked": len(found) - len(ready),
        "arr": float(found["arr"].sum()),
        "ready_arr": float(ready["arr"].sum()),
        "blocked_arr": float(found.loc[~found["is_ready"], "arr"].sum()),
        "expected_arr": float(found["expected_arr"].sum()),
        "ready_expected_arr": float(ready["expected_arr"].sum()),
        "unpriced": int(found["arr"].isna().sum()),
    }


def headline(totals: pd.DataFrame, money: Callable[[float], str]) -> str:
    """Return the answer of the Expansion page from `expansion_totals`; `money` says an amount."""
    row: Any = totals.set_index("kind").loc["total"]
    if not row["offers"]:
        rules = totals[totals["kind"] != "total"]
        if len(rules) and all(rules["missing"]):
            return "No rule can look for opportunities: the tables that they read were not loaded."
        return "No rule finds an opportunity among these customers on this day."
    ready = words.plural(row["ready"], "opportunity is", "opportunities are")
    return (
        f"{ready} ready now, worth {money(row['ready_arr'])} of ARR, of which {money(row['ready_expected_arr'])} can be expected once deals are opened; "
        f"{words.amount(row['blocked'])} more worth {money(row['blocked_arr'])} have to wait."
    )

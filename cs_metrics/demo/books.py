"""The tables of money: products, subscriptions, contracts, opportunities, targets and rates."""

import datetime as dt

import numpy as np

from cs_metrics.demo.clock import LAST, UNKNOWN, Clock, Ints, day_of_number, number_of, quarter_name, stream
from cs_metrics.demo.ledger import Contract, Ledger, Line
from cs_metrics.demo.product import CORE, EVENTS, PRODUCTS
from cs_metrics.demo.traits import BILLINGS, Traits

__all__ = [
    "EUR_RATES",
    "contract_ids",
    "contracts_table",
    "opportunities_table",
    "product_events_table",
    "products_table",
    "rates_table",
    "subscriptions_table",
    "targets_table",
]

EUR_RATES = ((dt.date(2023, 1, 1), 1.08), (dt.date(2025, 1, 1), 1.05), (dt.date(2026, 1, 1), 1.10))
"""USD per EUR, from a day on."""


def products_table() -> dict[str, object]:
    """Return the columns of `products`."""
    return {
        "product_id": [one.product_id for one in PRODUCTS],
        "name": [one.name for one in PRODUCTS],
        "kind": [one.kind for one in PRODUCTS],
        "milestone_id": [one.milestone_id for one in PRODUCTS],
        "list_price": np.array([one.list_price * 100 for one in PRODUCTS]),
        "is_core": [at == CORE for at in range(len(PRODUCTS))],
    }


def product_events_table() -> dict[str, object]:
    """Return the columns of `product_events`."""
    named = [(PRODUCTS[event.product].product_id, event.name) for event in EVENTS if event.product is not None]
    return {"product_id": [product for product, _ in named], "event": [event for _, event in named]}


def subscriptions_table(traits: Traits, ledger: Ledger) -> dict[str, object]:
    """Return the columns of `subscriptions`, trials among them."""
    rows: list[tuple[Line, bool]] = [(line, False) for line in ledger.lines]
    for trial in ledger.deals.trials:
        if trial.is_formal and trial.start <= LAST:
            end = trial.end if trial.end <= LAST else None
            billing = int(traits.billing[trial.account])
            rows.append((Line(trial.account, trial.start, end, trial.mrr, trial.product, None, billing), True))
    rows.sort(key=lambda row: (row[0].account, row[0].start, row[0].product, row[1]))
    lines = [line for line, _ in rows]
    return {
        "subscription_id": [f"S{number:06d}" for number in range(1, len(rows) + 1)],
        "account_id": [traits.ids[one.account] for one in lines],
        "starts_on": np.array([one.start for one in lines]),
        "ends_on": [one.end for one in lines],
        "mrr": np.array([one.mrr for one in lines]),
        "product_id": [PRODUCTS[one.product].product_id for one in lines],
        "seats": [one.seats for one in lines],
        "billing": [BILLINGS[one.billing] for one in lines],
        "is_trial": [is_trial for _, is_trial in rows],
    }


def contract_ids(contracts: list[Contract]) -> list[str]:
    """Return the contract ids, in the order of the contracts given."""
    return [f"K{number:06d}" for number in range(1, len(contracts) + 1)]


def contracts_table(traits: Traits, contracts: list[Contract]) -> dict[str, object]:
    """Return the columns of `contracts`; what was decided after the last day is not in them."""
    made = [one.decision.decided_on <= LAST for one in contracts]
    won = [known and one.decision.is_renewed for known, one in zip(made, contracts, strict=True)]
    pairs = list(zip(contracts, made, won, strict=True))
    return {
        "contract_id": contract_ids(contracts),
        "account_id": [traits.ids[one.account] for one in contracts],
        "starts_on": np.array([one.start for one in contracts]),
        "ends_on": np.array([one.end for one in contracts]),
        "arr": np.array([one.arr for one in contracts]),
        "auto_renews": [
            one.billing == 0 or (traits.segment[one.account] == 0 and one.account % 3 > 0) for one in contracts
        ],
        "owner": [traits.renewal_owner[one.account] for one in contracts],
        "outcome": [("renewed" if ok else "churned") if known else None for _, known, ok in pairs],
        "decided_on": [one.decision.decided_on if known else None for one, known, _ in pairs],
        "renewed_arr": [one.renewed_arr if ok else None for one, _, ok in pairs],
        "renewed_until": [one.renewed_until if ok else None for one, _, ok in pairs],
        "reason": [one.decision.reason if known else None for one, known, _ in pairs],
        "competitor": [one.decision.competitor if known and not ok else None for one, known, ok in pairs],
        "discount_percent": np.array([one.decision.discount_percent if ok else np.nan for one, _, ok in pairs]),
        "forecast": [one.decision.forecast if one.end <= LAST + 120 else None for one in contracts],
    }


def opportunities_table(traits: Traits, ledger: Ledger) -> dict[str, object]:
    """Return the columns of `opportunities`: small accounts are sold to by sales, the others by their CSM."""
    found = sorted(
        (one for one in ledger.deals.opportunities if one.opened <= LAST),
        key=lambda one: (one.opened, one.account, one.kind, one.product),
    )
    closed = [one.close <= LAST for one in found]
    pairs = list(zip(found, closed, strict=True))
    return {
        "opportunity_id": [f"O{number:06d}" for number in range(1, len(found) + 1)],
        "account_id": [traits.ids[one.account] for one in found],
        "kind": [one.kind for one in found],
        "opened_on": np.array([one.opened for one in found]),
        "closed_on": [one.close if known else None for one, known in pairs],
        "stage": [("won" if one.is_won else "lost") if known else "open" for one, known in pairs],
        "arr": np.array([one.arr for one in found]),
        "product_id": [PRODUCTS[one.product].product_id for one in found],
        "owner": [(traits.csm if traits.segment[one.account] else traits.salesperson)[one.account] for one in found],
        "won_with": [one.won_with if known and one.is_won else None for one, known in pairs],
    }


def _in_usd(traits: Traits, account: int, cents: int) -> float:
    return cents * (EUR_RATES[0][1] if traits.is_eur[account] else 1.0)


def targets_table(seed: int, traits: Traits, ledger: Ledger, clock: Clock) -> dict[str, object]:
    """Return the columns of `targets`: nine tenths of what is due, and a growth quota per seller, each quarter."""
    rng = stream(seed, "targets")
    quarters = sorted({quarter_name(int(day)) for day in clock.starts[:-1]})
    due: dict[tuple[str, str], float] = {}
    for one in ledger.contracts:
        key = (traits.renewal_owner[one.account], quarter_name(one.end))
        due[key] = due.get(key, 0.0) + _in_usd(traits, one.account, one.arr)
    sold: dict[str, float] = {}
    for deal in ledger.deals.opportunities:
        seller = (traits.csm if traits.segment[deal.account] else traits.salesperson)[deal.account]
        sold[seller] = sold.get(seller, 0.0) + _in_usd(traits, deal.account, deal.arr)
    rows: list[tuple[str, str, str, int]] = []
    for (person, quarter), cents in sorted(due.items()):
        if quarter in quarters:
            rows.append((person, quarter, "renewal", _rounded(0.9 * cents)))
    for person, cents in sorted(sold.items()):
        for at, quarter in enumerate(quarters):
            share = (at + 1) / sum(range(1, len(quarters) + 1))
            rows.append((person, quarter, "expansion", _rounded(0.75 * cents * share * rng.uniform(0.85, 1.15))))
    return {
        "person": [row[0] for row in rows],
        "quarter": [row[1] for row in rows],
        "kind": [row[2] for row in rows],
        "amount": np.array([row[3] for row in rows], dtype=np.int64),
    }


def _rounded(cents: float) -> int:
    """Return cents to the next hundred."""
    return max(1, round(cents / 10_000)) * 10_000


def rates_table(clock: Clock) -> dict[str, object]:
    """Return the columns of `rates`; the first rate holds from before the first day."""
    before = min(EUR_RATES[0][0], day_of_number(clock.first))
    days: Ints = np.array([number_of(before), *(number_of(day) for day, _ in EUR_RATES[1:])])
    return {
        "currency": ["EUR"] * len(days),
        "valid_from": np.where(days <= LAST, days, UNKNOWN),
        "rate": np.array([rate for _, rate in EUR_RATES]),
    }

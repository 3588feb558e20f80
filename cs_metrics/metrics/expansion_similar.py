"""What can honestly be said of similar customers: how many bought, who, and what changed for them, with its interval."""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_twins import Bought, Similar, twins
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["expansion_proof", "median_interval", "message"]


@lru_cache(maxsize=256)
def _order(count: int) -> int:
    """Return which smallest and largest value bound the median with at least 95 % confidence, 0 where none do."""
    chance, order = 0.0, 0
    for rank in range(count // 2):
        chance += math.comb(count, rank) / 2**count
        if 2 * chance > 0.05:
            break
        order = rank + 1
    return order


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of a median, free of any assumption about the spread; None for fewer than 6 values.

    Source: the order statistics of the sign test (David and Nagaraja, Order Statistics, section 7.1).
    """
    order = _order(len(values))
    if not order:
        return None
    ranked = sorted(values)
    return ranked[order - 1], ranked[-order]


def message(found: Similar | None, segment: str | None, did: str, minimum: int) -> str:
    """Return what can honestly be said of similar customers; empty where fewer than `minimum` of them did it."""
    if found is None or len(found.owners) < minimum:
        return ""
    names = words.and_more([one.name for one in found.owners])
    who = (
        f"{len(found.owners)} of the {found.pool} most similar {segment + ' ' if segment else ''}customers {did}: {names} "
        f"(similar by {found.basis}, at most {found.distance:.1f} standard deviations away)."
    )
    outcomes = [one.bought.outcome_change for one in found.owners if one.bought.outcome_change is not None]
    healths = [one.bought.health_change for one in found.owners if one.bought.health_change is not None]
    results = [
        _result("own result", outcomes, _percent, minimum, "3 months after against 3 before"),
        _result("health", healths, _points, minimum, "90 days after"),
    ]
    said = " ".join(one for one in results if one)
    if not said:
        return f"{who} What changed for them afterwards is not known yet."
    return f"{who} {said} This is no proof: those who bought may differ in other ways."


def _result(what: str, changes: list[float], says: Callable[[float], str], minimum: int, window: str) -> str:
    """Return one result: the median with its interval where enough customers have one, else how many held or rose."""
    if not changes:
        return ""
    if len(changes) < minimum:
        held = sum(one >= 0 for one in changes)
        return f"Their {what} held or rose in {held} of {len(changes)} ({window})."
    bounds = median_interval(changes)
    sure = f"95% interval {says(bounds[0])} to {says(bounds[1])}" if bounds else "too few for an interval"
    return f"Their {what} changed by {says(float(np.median(changes)))} (median of {len(changes)}, {sure}, {window})."


def _percent(change: float) -> str:
    return f"{change * 100:+.0f}%"


def _points(change: float) -> str:
    return f"{change:+.1f} points"


@metric(needs=("subscriptions",), page="Expansion")
def expansion_proof(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    account_id: str = "",
    kind: str = "product",
    product_id: str = "",
) -> pd.DataFrame:
    """The similar customers behind an expansion message, each with how far it is, when it bought and what changed since.

    Similar: the `expansion.similar_pool` customers of the same segment that are nearest by size (employees where all
    are known, else MRR) and use (activity of health). For a product: those who own it on the as-of day, bought on the
    first day of owning; for another kind: those who closed such a deal as won, bought on the newest closing day. No
    proof of cause: those who bought may differ in other ways.

    Formula: distance = √(difference of log size² + difference of activity²), each in standard deviations of the segment;
        outcome_change = own result of the 3 months after the month of buying ÷ that of the 3 months before − 1,
        mean over its metrics; health_change = score 90 days after − score on the day of buying (weekly scores).
    Columns:
        similar_id, name: the similar customer
        kind, product_id: what it bought
        distance: how far it is from the account, in standard deviations of the segment
        bought_on: day of buying
        paid_arr: ARR that it pays for the product on the as-of day
        outcome_change: fraction, empty until the 3 months are over or where no result is recorded
        health_change: points, empty until 90 days are over
    """
    found = twins(store, as_of, only(store, account_id, as_of, scope))
    products = (
        [product_id] if product_id or kind != "product" else sorted({key[1] for key in found.bought if key[0] == kind})
    )
    rows = []
    for one in products:
        near = found.of(account_id, kind, one)
        for owner in near.owners if near else ():
            rows.append((owner.account_id, owner.name, kind, one, owner.distance, *_values(owner.bought)))
    columns = {
        "similar_id": "str", "name": "str", "kind": "str", "product_id": "str", "distance": "float64",
        "bought_on": "datetime64[us]", "paid_arr": "float64", "outcome_change": "float64", "health_change": "float64",
    }  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def _values(bought: Bought) -> tuple[Any, ...]:
    return bought.bought_on, bought.paid_arr, bought.outcome_change, bought.health_change

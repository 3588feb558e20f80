"""White space: what each customer owns, has tried, lacks, or is not ready for."""

import datetime as dt
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.expansion_twins import twins
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.whitespace_sql import OWNED
from cs_metrics.store import Store

__all__ = ["OPEN", "STATES", "Lacking", "lacking", "whitespace", "whitespace_by_product", "whitespace_grid"]

STATES = {"owned": "● Owned", "tried": "▲ Tried", "gap": "○ Gap", "not_eligible": "· Not yet"}
OPEN = ("tried", "gap")

_STATES = f"""
    with {OWNED},
    book as (
        select mrr_interval.account_id, mrr_interval.mrr_cents * 12::double / 100 as arr
        from mrr_interval
        inner join scope on scope.account_id = mrr_interval.account_id
        where from_day <= $as_of and (to_day is null or to_day > $as_of)
    ),
    tried as (
        select account_id, product_id, sum(times)::bigint as times, min(day) as first_day, max(day) as last_day
        from product_day
        where day <= $as_of and day > $tried_after
        group by account_id, product_id
    ),
    states as (
        select
            book.account_id,
            book.arr,
            products.product_id,
            products.name as product,
            coalesce(products.kind, '') as kind,
            case
                when owned.account_id is not null then 'owned'
                when tried.account_id is not null then 'tried'
                when milestone.account_id is not null
                    and (milestone.completed_on is null or milestone.completed_on > $as_of) then 'not_eligible'
                else 'gap'
            end as state,
            case when owned.account_id is null then tried.times end as times_tried,
            case when owned.account_id is null then tried.first_day end as tried_from,
            case when owned.account_id is null then tried.last_day end as tried_last
        from book
        cross join products
        left join owned on owned.account_id = book.account_id and owned.product_id = products.product_id
        left join tried on tried.account_id = book.account_id and tried.product_id = products.product_id
        left join milestone_status milestone
            on milestone.account_id = book.account_id and milestone.milestone_id = products.milestone_id
    )"""


def _bound(store: Store, as_of: dt.date) -> dict[str, dt.date]:
    return {"as_of": as_of, "tried_after": periods.add_days(as_of, -store.config.expansion.tried_within_days)}


class Lacking(NamedTuple):
    """A product that a customer is ready for and does not own; the days and times are those of its trying it."""

    account_id: str
    product_id: str
    product: str
    list_price: float | None
    times_tried: int | None
    tried_from: dt.date | None
    tried_last: dt.date | None


def lacking(store: Store, as_of: dt.date, scope: Scope) -> list[Lacking]:
    """Return the products in the states tried and gap; tiers and services, which have rules of their own, left out."""
    sql = f"""
        {_STATES}
        select account_id, states.product_id, product, list_price_cents::double / 100, times_tried, tried_from, tried_last
        from states
        inner join products on products.product_id = states.product_id
        where state in ('tried', 'gap') and states.kind not in ('tier', 'service')
        order by account_id, states.product_id
    """
    return [Lacking(*row) for row in store.rows(sql, scope=scope, **_bound(store, as_of))]


@metric(needs=("subscriptions", "products"), page="Expansion")
def whitespace(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """What every customer owns, has tried, lacks or is not ready for, and what that would bring: a row per customer and product.

    Owned: a committed line of the product is active on the as-of day (a line that names no product pays for the core
    products). Tried: used in the last `expansion.tried_within_days` days without owning it. Not eligible: the
    milestone that the product belongs to is not reached. Gap: everything else. The first that holds counts.

    Formula: estimated_arr = median ARR that the similar customers pay for the product, where at least
        `expansion.similar_accounts` of them own it, else list price × 12; white space = its sum over tried and gap.
    Columns:
        account_id: customer, an account with MRR on the as-of day
        product_id: product
        state: owned, tried, gap or not_eligible
        product, kind: name and kind of the product
        times_tried, tried_from, tried_last: uses in the window without owning it, the first and last day of them
        name, arr: the customer and its ARR
        estimated_arr: what the product would bring a year, empty where it is owned or nothing tells
        arr_basis: similar customers, list price, or unknown; empty where it is owned
    """
    sql = f"""
        {_STATES}
        select
            states.account_id, states.product_id, state, product, states.kind, times_tried, tried_from, tried_last,
            accounts.name, arr, products.list_price_cents::double * 12 / 100 as list_arr
        from states
        inner join accounts on accounts.account_id = states.account_id
        inner join products on products.product_id = states.product_id
        order by states.account_id, states.product_id
    """
    found = store.frame(sql, scope=scope, **_bound(store, as_of))
    similar, least = twins(store, as_of, scope), store.config.expansion.similar_accounts
    paid = pd.Series(np.nan, index=found.index)
    for product_id, rows in found.groupby("product_id", sort=False):
        paid[rows.index] = rows["account_id"].map(similar.paid(str(product_id), least)).astype("float64")
    is_owned = found["state"] == "owned"
    estimate = paid.fillna(found.pop("list_arr")).mask(is_owned)
    found["estimated_arr"] = estimate
    basis = np.select([is_owned, paid.notna(), estimate.notna()], ["", "similar customers", "list price"], "unknown")
    found["arr_basis"] = pd.Series(basis, index=found.index, dtype="str")
    return found


@metric(needs=("subscriptions", "products"), page="Expansion")
def whitespace_by_product(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """How many customers own each product, have tried it, lack it or are not ready for it, and what the white space is worth.

    A last row `total` adds up the money; accounts are those with any product in the state.

    Formula: owned + tried + gap + not_eligible = customers, for every product.
    Columns:
        product_id, product, kind: the product, or total
        customers: customers on the as-of day
        owned, tried, gap, not_eligible: customers in that state
        owned_share: owned ÷ customers
        white_space_arr: estimated ARR of those that tried or lack it
        later_arr: estimated ARR of those that are not ready for it
        unpriced: customers that tried or lack it without an estimate, in no sum
    """
    found = whitespace(store, as_of=as_of, scope=scope)
    rows = [_counts(part) for _, part in found.groupby("product_id", sort=False)]
    rows.sort(key=lambda row: (-row["owned"], row["product_id"]))
    if rows:
        rows.append(
            {**_counts(found), "product_id": "total", "product": "All products", "kind": "", "owned_share": None}
        )
    columns = {
        "product_id": "str", "product": "str", "kind": "str", "customers": "int64", "owned": "int64", "tried": "int64",
        "gap": "int64", "not_eligible": "int64", "owned_share": "float64", "white_space_arr": "float64",
        "later_arr": "float64", "unpriced": "int64",
    }  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def _counts(part: pd.DataFrame) -> dict[str, Any]:
    is_open, first = part["state"].isin(OPEN), part.iloc[0]
    customers = int(part["account_id"].nunique())
    accounts = {state: int(part.loc[part["state"] == state, "account_id"].nunique()) for state in STATES}
    return {
        "product_id": first["product_id"],
        "product": first["product"],
        "kind": first["kind"],
        "customers": customers,
        **accounts,
        "owned_share": accounts["owned"] / customers,
        "white_space_arr": float(part.loc[is_open, "estimated_arr"].sum()),
        "later_arr": float(part.loc[part["state"] == "not_eligible", "estimated_arr"].sum()),
        "unpriced": int(part.loc[is_open, "estimated_arr"].isna().sum()),
    }


def whitespace_grid(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `whitespace` as a grid: a row per customer by white space, a column per product with its state.

    After account_id, name, arr, white_space_arr and open (products tried or lacking) comes a column per product, named
    after it.
    """
    products = list(dict.fromkeys(found["product"]))
    ordered = found.sort_values(["account_id", "product_id"], kind="stable")
    shape = (-1, max(ordered["product_id"].nunique(), 1))  # every customer has one row per product
    grid = ordered.iloc[:: shape[1]][["account_id", "name", "arr"]].reset_index(drop=True)
    is_open = ordered["state"].isin(OPEN).to_numpy().reshape(shape)
    worth = ordered["estimated_arr"].to_numpy("float64").reshape(shape)
    grid["white_space_arr"] = np.where(is_open, np.nan_to_num(worth), 0.0).sum(axis=1)
    grid["open"] = is_open.sum(axis=1).astype("int64")
    states = ordered["state"].map(STATES).to_numpy("object").reshape(shape)
    for at, product in enumerate(products):
        grid[product] = pd.Series(states[:, at], dtype="str")
    order = ["white_space_arr", "arr", "account_id"]
    return grid.sort_values(order, ascending=[False, False, True], ignore_index=True)

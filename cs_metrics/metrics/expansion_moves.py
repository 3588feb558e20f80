"""Sponsors who moved to another company: a new sale there, and a risk here."""

import datetime as dt
from typing import Any

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_offers import Known, Offer
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["expansion_moves", "sponsors"]

_MOVED = """
    with moved as (
        select contacts.*
        from contacts
        inner join scope on scope.account_id = contacts.account_id
        where role = any($roles) and moved_to is not null and left_on <= $as_of and left_on > $since
    ),
    book as (
        select mrr_interval.account_id, mrr_cents * 12::double / 100 as arr
        from mrr_interval
        where from_day <= $as_of and (to_day is null or to_day > $as_of)
    ),
    by_segment as (
        select coalesce(segment, '') as segment, median(arr) as arr, count(*) as customers
        from book
        inner join accounts on accounts.account_id = book.account_id
        group by coalesce(segment, '')
    ),
    customers as (
        select lower(name) as name, min(book.account_id) as account_id
        from book
        inner join accounts on accounts.account_id = book.account_id
        group by lower(name)
    ),
    staying as (
        select other.account_id, count(*) as people
        from contacts other
        where other.role = any($roles)
            and (other.since is null or other.since <= $as_of) and (other.left_on is null or other.left_on > $as_of)
        group by other.account_id
    ),
    ending as (
        select account_id, min(ends_on) as ends_on
        from contracts
        where starts_on <= $as_of and ends_on > $as_of
        group by account_id
    )
    select
        moved.account_id,
        accounts.name,
        accounts.segment,
        moved.contact_id,
        coalesce(moved.name, moved.contact_id) as person,
        moved.role,
        moved.left_on,
        moved.moved_to,
        customers.account_id as customer_id,
        by_segment.arr as lead_arr,
        by_segment.customers as lead_customers,
        coalesce(staying.people, 0) as still_here,
        before.score as health_when_leaving,
        coalesce(now.colour, 'none') as health,
        book.arr,
        ending.ends_on as renews_on,
        accounts.csm,
        accounts.salesperson
    from moved
    inner join book on book.account_id = moved.account_id
    inner join accounts on accounts.account_id = moved.account_id
    left join by_segment on by_segment.segment = coalesce(accounts.segment, '')
    left join customers on customers.name = lower(moved.moved_to)
    left join staying on staying.account_id = moved.account_id
    left join ending on ending.account_id = moved.account_id
    left join account_week_health before
        on before.account_id = moved.account_id and before.week_end = moved.left_on - cast(isodow(moved.left_on) % 7 as integer)
    left join account_week_health now on now.account_id = moved.account_id and now.week_end = $week_end
    order by moved.left_on desc, moved.account_id, moved.contact_id
"""


def _moved(store: Store, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    settings = store.config.expansion
    return store.frame(
        _MOVED,
        scope=scope,
        as_of=as_of,
        since=periods.add_days(as_of, -settings.sponsor_moved_days),
        roles=list(settings.sponsor_roles),
        week_end=periods.last_full_week_end(as_of),
    )


@metric(needs=("subscriptions", "contacts"), page="Expansion")
def expansion_moves(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Sponsors and decision makers who left a customer for a known company: the lead there, and the risk here.

    One row per person who left within `expansion.sponsor_moved_days`, the newest first. A lead is warmer where the
    account was well when the person left: the health of that week is beside it. The risk here is highest where nobody
    of the roles `expansion.sponsor_roles` is left.

    Formula: lead_arr = median ARR of the customers of the same segment.
    Columns:
        account_id, name, segment: the customer left behind
        contact_id, person, role: who moved
        left_on, days_since: when
        moved_to: the company there
        customer_id: its account where it is a customer already, by name
        lead_arr, lead_customers: what a sale there may bring, and how many customers that is taken from
        still_here: sponsors and decision makers still in place
        health_when_leaving: health score of the account in the last complete week before the person left
        health: colour in the last complete week
        arr: ARR at risk here
        renews_on: end of the running contract
        csm, salesperson: who has the account, and who may take the lead
        risk: the risk here in a sentence
        lead: the lead there in a sentence
    """
    found = _moved(store, as_of, scope)
    found.insert(7, "days_since", [periods.days_between(day.date(), as_of) for day in found["left_on"]])
    found["days_since"] = found["days_since"].astype("int64")
    found["risk"] = pd.Series([_risk(row) for row in found.to_dict("records")], dtype="str")
    found["lead"] = pd.Series([_lead(row) for row in found.to_dict("records")], dtype="str")
    return found


def _risk(row: dict[Any, Any]) -> str:
    here = row["still_here"]
    who = f"{words.plural(here, 'sponsor or decision maker', 'sponsors or decision makers')} still here"
    said = [who if here else "nobody of the deciders is left"]
    if not pd.isna(row["renews_on"]):
        said.append(f"renewal on {words.day(row['renews_on'].date())}")
    return words.sentence(said)


def _lead(row: dict[Any, Any]) -> str:
    score = row["health_when_leaving"]
    how = "health when leaving is not known" if pd.isna(score) else f"left at health {words.amount(score)}"
    there = "" if pd.isna(row["customer_id"]) else f"; a customer already ({row['customer_id']})"
    return words.sentence([f"{row['person']} now at {row['moved_to']}{there}", how])


def sponsors(known: Known) -> list[Offer]:
    """Return the leads at other companies: one for each sponsor or decision maker who moved there."""
    rows: list[dict[Any, Any]] = _moved(known.store, known.as_of, known.scope).to_dict("records")
    return [_offer(row) for row in rows if row["account_id"] in known.customers]


def _offer(row: dict[Any, Any]) -> Offer:
    still, moved_to = row["still_here"], row["moved_to"]
    here = f"{still} still in place here" if still else "a risk here: no sponsor or decision maker is left"
    there = "" if pd.isna(row["customer_id"]) else f"; {moved_to} is a customer already ({row['customer_id']})"
    title, left = row["role"].replace("_", " "), words.day(row["left_on"].date())
    evidence = f"{row['person']}, {title}, left on {left} for {moved_to}: a lead there{there}; {here}"
    who = "customer" if pd.isna(row["segment"]) else f"{row['segment']} customer"
    basis = f"median ARR of {words.plural(row['lead_customers'], who)}"
    what = f"{moved_to} ({row['person']})"
    return Offer(row["account_id"], "sponsor", what, evidence, row["lead_arr"], basis, about=row["contact_id"])

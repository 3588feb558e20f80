"""Negotiation: how to stand towards each account whose contract ends, and what can be given instead of cash."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.config import Negotiation, Stance
from cs_metrics.errors import MetricError
from cs_metrics.metrics.expansion_words import money, percent
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.renewals import open_with_likelihood
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["Deal", "concessions", "deal_of", "negotiation_stances"]

# What an account pays and holds on the day: all of it, and the part that is priced by seats.
_PAYS = """
    select
        accounts.account_id,
        accounts.name,
        accounts.segment,
        coalesce(accounts.is_flagship, false) as is_flagship,
        any_value(health.colour) as colour_now,
        coalesce(sum(line.mrr_cents), 0)::double * 12 / 100 as account_arr,
        sum(line.seats)::bigint as seats,
        sum(line.mrr_cents) filter (line.seats > 0)::double * 12 / 100 / nullif(sum(line.seats), 0) as seat_year
    from accounts
    inner join scope on scope.account_id = accounts.account_id
    left join subscription_line line
        on line.account_id = accounts.account_id
        and line.starts_on <= $as_of and (line.ends_on is null or line.ends_on > $as_of)
    left join account_week_health health on health.account_id = accounts.account_id and health.week_end = $week_end
    group by accounts.account_id, accounts.name, accounts.segment, accounts.is_flagship
"""

# Users who used the product in the 28 days to $as_of, and those of them who did so on enough days to call it often.
_USERS = """
    with used as (
        select user_id, count(distinct day) as days
        from user_day_event
        inner join scope on scope.account_id = user_day_event.account_id
        where day > $since and day <= $as_of and user_id <> ''
        group by user_id
    )
    select count(*), count(*) filter (days >= $often), (select min(first_day) from event_first where first_day <= $as_of)
    from used
"""


@dataclass(frozen=True, kw_only=True)
class Deal:
    """What one negotiation is about: a contract that is to be decided, or the account where none is open."""

    account_id: str
    name: str
    contract_id: str | None
    starts_on: dt.date | None
    ends_on: dt.date | None
    arr: float
    account_arr: float
    seats: int | None
    seat_year: float | None
    active_users: int | None
    frequent_users: int | None

    @property
    def price(self) -> float | None:
        """What one seat costs in a month, all that the account pays now counted."""
        return (self.account_arr or self.arr) / 12 / self.seats if self.seats else None


def deal_of(store: Store, as_of: dt.date, scope: Scope, account_id: str, contract_id: str) -> Deal | None:
    """Return the contract asked for, or the undecided one of the account that ends first, or the account alone.

    None where the account is not in scope; `MetricError` where the account does not exist, or the contract is not open on the day.
    """
    sql = """
        select contract_id, account_id, starts_on, ends_on, arr_cents::double / 100
        from contracts
        where starts_on <= $as_of and (decided_on is null or decided_on > $as_of)
            and ($account_id = '' or account_id = $account_id) and ($contract_id = '' or contract_id = $contract_id)
        order by ends_on, contract_id
        limit 1
    """
    found = []
    if account_id or contract_id:
        found = store.rows(sql, as_of=as_of, account_id=account_id, contract_id=contract_id)
    if contract_id and not found:
        whose = f" of '{account_id}'" if account_id else ""
        raise MetricError(f"There is no undecided contract '{contract_id}'{whose} on {as_of}.")
    contract, account, starts_on, ends_on, arr = found[0] if found else (None, account_id, None, None, None)
    one = only(store, str(account), as_of, scope)
    pays = _pays(store, as_of, one)
    if pays.empty:
        return None
    row = pays.iloc[0]
    often = store.config.negotiation.often_days
    since = periods.add_days(as_of, -28)
    active, frequent, measured = store.rows(_USERS, scope=one, as_of=as_of, since=since, often=often)[0]
    return Deal(
        account_id=str(row["account_id"]),
        name=str(row["name"]),
        contract_id=contract,
        starts_on=starts_on,
        ends_on=ends_on,
        arr=float(row["account_arr"] if arr is None else arr),
        account_arr=float(row["account_arr"]),
        seats=None if pd.isna(row["seats"]) else int(row["seats"]),
        seat_year=None if pd.isna(row["seat_year"]) else float(row["seat_year"]),
        active_users=int(active) if measured is not None else None,
        frequent_users=int(frequent) if measured is not None else None,
    )


def _pays(store: Store, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    found = store.frame(_PAYS, scope=scope, as_of=as_of, week_end=periods.last_full_week_end(as_of))
    return found.assign(colour_now=found["colour_now"].fillna("none"))


@metric(needs=("contracts",), reads=("cta", "renewal", "promise"), page="Renewals")
def negotiation_stances(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, days: int | None = None, account_id: str = ""
) -> pd.DataFrame:
    """How to negotiate each contract that is to be decided: what to say, what to ask for, how much may be given.

    The contracts are those of `renewal_pipeline`. The stances of the settings (negotiation.stances) are tried in their
    order and the first that fits is taken, as shipped: at risk of leaving before flagship before large before small and
    medium. So a flagship that is about to leave is kept first. At risk is a likelihood below
    negotiation.at_risk_likelihood_below, the owner's call at_risk, or a health colour of negotiation.at_risk_colours;
    flagship is what `accounts` says; large is an ARR from negotiation.large_from_arr on. `days` is
    renewals.window_days by default; with `account_id` all open contracts of the account are listed.

    Columns:
        contract_id, account_id, name, segment, owner, ends_on, days_left, arr: the contract
        account_arr: ARR of the account on the day
        kind: at_risk, flagship, large or small_medium
        stance: its name
        why: the rule that made it so
        concession_to: the most that may be given away, as a share of the annual value
        concession_arr: the same in money a year
        only_against: what must come back for it
        sentence: how to stand
        ask: what to ask for
        likelihood, owner_call, colour: what the rule looked at; health is that of the last complete week
    """
    found = open_with_likelihood(store, as_of)
    if account_id:
        found = found[found["account_id"] == account_id]
        scope = only(store, account_id, as_of, scope)
    else:
        window = store.config.renewals.window_days if days is None else days
        found = found[found["days_left"] <= window]
    pays = _pays(store, as_of, scope)[["account_id", "is_flagship", "account_arr", "colour_now"]]
    found = found.drop(columns="colour").merge(pays, on="account_id", how="inner")
    found = found.rename(columns={"colour_now": "colour"})
    found = found.sort_values(["ends_on", "arr", "contract_id"], ascending=[True, False, True], ignore_index=True)
    return _with_stance(found, store.config.negotiation, store.config.currency)


def _with_stance(found: pd.DataFrame, settings: Negotiation, currency: str) -> pd.DataFrame:
    looked_at = ["likelihood", "owner_call", "colour", "is_flagship", "account_arr", "arr"]
    chosen = [_stance(row, settings, currency) for row in found[looked_at].to_dict("records")]
    stances = [stance for stance, _ in chosen]
    table = found.assign(
        kind=[one.kind for one in stances],
        stance=[one.name for one in stances],
        why=[why for _, why in chosen],
        concession_to=np.array([one.concession_to for one in stances], dtype="float64"),
        only_against=[one.only_against for one in stances],
        sentence=[one.sentence for one in stances],
        ask=[one.ask for one in stances],
    )
    table["concession_arr"] = table["concession_to"] * table["arr"]
    words = ["kind", "stance", "why", "only_against", "sentence", "ask"]
    table[words] = table[words].astype("str")
    first = [
        "contract_id",
        "account_id",
        "name",
        "segment",
        "owner",
        "ends_on",
        "days_left",
        "arr",
        "account_arr",
        "kind",
    ]
    more = ["stance", "why", "concession_to", "concession_arr", "only_against", "sentence", "ask", "likelihood"]
    return table[[*first, *more, "owner_call", "colour"]]


def _stance(row: Mapping[Any, Any], settings: Negotiation, currency: str) -> tuple[Stance, str]:
    """Return the first stance that fits an open contract, and why."""
    for stance in settings.stances:
        why = _why(stance.kind, row, settings, currency)
        if why:
            return stance, why
    raise AssertionError("the last stance fits every account")


def _why(kind: str, row: Mapping[Any, Any], settings: Negotiation, currency: str) -> str:
    """Return why a kind fits, empty where it does not."""
    likelihood, arr = row["likelihood"], max(row["account_arr"], row["arr"])
    if kind == "at_risk":
        signs = []
        if likelihood < settings.at_risk_likelihood_below:
            signs.append(f"likelihood {percent(likelihood)} is below {percent(settings.at_risk_likelihood_below)}")
        if row["owner_call"] == "at_risk":
            signs.append("the owner calls it at risk")
        if row["colour"] in settings.at_risk_colours:
            signs.append(f"health is {row['colour']}")
        return "; ".join(signs)
    if kind == "flagship":
        return "marked as a flagship" if row["is_flagship"] else ""
    if kind == "large":
        big = arr >= settings.large_from_arr
        return f"{money(arr, currency)} a year, large from {money(settings.large_from_arr, currency)} on" if big else ""
    return "none of the rules before fits"


@metric(needs=("subscriptions",), page="Renewals")
def concessions(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    account_id: str = "",
    contract_id: str = "",
    discount: float | None = None,
) -> pd.DataFrame:
    """What can be given instead of a cash discount, and how much of each is worth the same to the customer.

    Worth and cost of each are those of the settings (negotiation.concessions). A cash discount lowers the price from
    which the next renewals start, so its cost is also shown over negotiation.repeated_years; what is given in kind is
    given once. Without a contract, the account's ARR on the day is its annual value.

    Formula: equal_amount = discount × annual value ÷ unit_price; equal_cost = equal_amount × unit_cost; whole_amount = the
        next whole number of units, worth at least as much.
    Columns:
        concession: "Cash discount" first, then those of the settings
        unit: what one of it is
        unit_price: its worth to the customer, empty where it is not known (seats that nobody recorded)
        unit_cost: its cost to us
        equal_amount: units that are worth as much as the discount; percent for the discount itself
        equal_value: their worth, the same in every row
        equal_cost: their cost to us
        whole_amount, whole_value, whole_cost: the same for whole units
        saved: what we keep in the first year against the cash discount
        cost_over_years: cost over negotiation.repeated_years: the discount every year, the others once
        caution: when it is worth nothing, or what it brings along
    """
    deal = deal_of(store, as_of, scope, account_id, contract_id)
    settings = store.config.negotiation
    share = settings.discount if discount is None else discount
    if not 0 <= share < 1:
        raise MetricError(f"discount={share:g} is not possible: write a share from 0 to below 1, 0.1 for 10 %.")
    names = ["concession", "unit", "unit_price", "unit_cost", "equal_amount", "equal_value", "equal_cost"]
    names += ["whole_amount", "whole_value", "whole_cost", "saved", "cost_over_years", "caution"]
    return pd.DataFrame([] if deal is None else _given(deal, share, settings), columns=names)


def _given(deal: Deal, share: float, settings: Negotiation) -> list[tuple[Any, ...]]:
    """Return the cash discount, and each concession with the amount that is worth the same."""
    value = share * deal.arr
    prices = {"seat_year": deal.seat_year, "month": deal.arr / 12 or None, "year": deal.arr or None, None: None}
    cash: tuple[Any, ...] = (share * 100, value, value, share * 100, value, value, 0.0, settings.repeated_years * value)
    rows = [
        (
            "Cash discount",
            "percent",
            deal.arr / 100,
            deal.arr / 100,
            *cash,
            "the next renewals start from the lower price",
        )
    ]
    for one in settings.concessions:
        base = prices[one.price_of]
        price = one.price if one.price is not None else base * one.price_share if base else math.nan
        cost = one.cost if one.cost is not None else price * (one.cost_share or 0.0)
        caution = one.caution if price == price else "no seats are recorded, so that one has no price"
        rows.append((one.name, one.unit, price, cost, *_equal(value, price, cost), caution))
    return rows


def _equal(value: float, price: float, cost: float) -> tuple[Any, ...]:
    """Return amount, worth and cost that equal a value, the same in whole units, what is saved, and the cost over years."""
    if price != price:
        return (math.nan,) * 8
    amount = value / price
    whole = float(math.ceil(amount - 1e-9))
    return amount, value, amount * cost, whole, whole * price, whole * cost, value - amount * cost, amount * cost

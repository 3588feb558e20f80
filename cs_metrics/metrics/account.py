"""One account before a meeting: who it is, what it pays, how it is, and what is open with it.

Every function takes `account_id`; an account that does not exist is a `MetricError` that names the nearest ones. The
numbers come from the functions behind the list pages, asked for this one account.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.expansion_words import and_more, day, joined, plural
from cs_metrics.metrics.health import health
from cs_metrics.metrics.onboarding import onboarding_risk
from cs_metrics.metrics.one_account import each, only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.renewals import renewal_pipeline
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["account_header", "headline", "notices", "people", "profile"]

_MINE = "from {0} inner join scope on scope.account_id = {0}.account_id"


def _mine(table: str) -> str:
    return _MINE.format(table)


# The account is one, so every count of its rows is a query of its own over them.
_HEADER = f"""
    with paid as (
        select mrr_interval.* {_mine("mrr_interval")} where from_day <= $as_of
    ),
    book as (
        select account_id, mrr_cents from paid where to_day is null or to_day > $as_of
    ),
    known as (
        select contracts.* {_mine("contracts")} where starts_on <= $as_of
    )
    select
        accounts.account_id,
        name,
        segment,
        industry,
        region,
        country,
        plan,
        csm,
        onboarding_manager,
        salesperson,
        coalesce(is_flagship, false) as is_flagship,
        started_on,
        book.account_id is not null as is_customer,
        case
            when book.account_id is null and exists (from paid) then 'former customer'
            when book.account_id is null then 'signed'
            when $as_of < started_on + cast($onboarding_days as integer) then 'onboarding'
            when (select min(ends_on) from known where ends_on > $as_of) <= $as_of + cast($window_days as integer) then 'renewal'
            else 'adoption'
        end as stage,
        coalesce(book.mrr_cents, 0)::double * 12 / 100 as arr,
        case when book.account_id is null then (select max(to_day) from paid) end as left_on,
        (select min(first_day) {_mine("event_first")} where first_day <= $as_of) as first_used_on,
        (select count(*) from known) as contracts,
        (
            select count(*) {_mine("tickets")} where opened_on <= $as_of and (closed_on is null or closed_on > $as_of)
        ) as open_tickets,
        (
            select count(*) {_mine("promises")} where made_on <= $as_of and (closed_on is null or closed_on > $as_of)
        ) as open_promises,
        (
            select count(distinct (kind, reason)) {_mine("cta_state")}
            where is_open and from_day <= $as_of and (to_day is null or to_day > $as_of)
        ) as open_ctas
    from accounts
    inner join scope on scope.account_id = accounts.account_id
    left join book on book.account_id = accounts.account_id
"""
_HEALTH = [
    "score", "colour", "change_28_days", "trend", "coverage", "weeks_red", "reasons", "alert", "active_users", "seats",
    "active_share", "week_end", "override_colour", "override_score", "override_by", "override_on", "override_until",
    "override_reason",
]  # fmt: skip
# Columns of the pipeline under their names here, with their type where there is no open contract.
_RENEWAL = {
    "contract_id": ("contract_id", "str"),
    "ends_on": ("renewal_on", "datetime64[us]"),
    "days_left": ("days_left", "float64"),
    "arr": ("renewal_arr", "float64"),
    "auto_renews": ("auto_renews", "object"),
    "likelihood": ("likelihood", "float64"),
    "category": ("category", "str"),
    "priority": ("priority", "float64"),
    "reasons_for": ("reasons_for", "str"),
    "reasons_against": ("reasons_against", "str"),
    "next_step": ("next_step", "str"),
    "next_step_on": ("next_step_on", "datetime64[us]"),
    "overdue_names": ("overdue_names", "str"),
}
_FARTHEST_DAYS = 3660  # a contract that ends later is none to talk about
_ONBOARDING = {"colour": "onboarding_colour", "next_milestone": "next_milestone"}


@metric(needs=("subscriptions",), reads=("cta", "promise", "renewal", "health"), page="Account")
def account_header(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """One account in one row: ARR, stage, renewal, health with its reasons, people, seats, and what is open.

    Health is that of `health`, the open contract that ends first with its likelihood and reasons that of
    `renewal_pipeline`, however far its end (a contract past its end and undecided comes before the next one), the
    onboarding colour that of `onboarding_risk` (empty past onboarding). The stage is that of the day, as `health` has
    that of the last Sunday: a contract that runs out within the window makes it renewal, decided or not.

    Columns:
        account_id, name, segment, industry, region, country, plan, is_flagship, started_on: the account, as it is now
        csm, onboarding_manager, salesperson: its people, as they are now
        is_customer: whether it has MRR above 0 on the as-of day
        stage: signed, onboarding, adoption, renewal or former customer, from the dates
        arr: ARR on the as-of day
        contract_id, renewal_on, days_left, renewal_arr, auto_renews: the undecided contract that ends next (negative: overdue)
        likelihood, category, priority, reasons_for, reasons_against, next_step, next_step_on, overdue_names: as in the pipeline
        days_to_step: days to next_step_on, negative once it has passed
        score, colour, change_28_days, trend, coverage, weeks_red, reasons, alert, week_end: as in health
        score_before: score four weeks earlier
        override_colour, override_score, override_by, override_on, override_until, override_reason: as in health
        active_users, seats, active_share: users active in the 4 weeks to week_end, seats, and their share
        onboarding_colour, next_milestone: as in onboarding_risk
        left_on: for a former customer the day its last revenue ended
        first_used_on: first day of any use, empty where none was recorded by the as-of day
        contracts: contracts that have begun, decided or not
        open_tickets, open_promises, open_ctas: tickets and calls to action not closed (one per kind and reason), promises not kept
    """
    one = only(store, account_id, as_of, scope)
    config = store.config
    found = store.frame(
        _HEADER,
        scope=one,
        as_of=as_of,
        onboarding_days=config.onboarding.days,
        window_days=config.onboarding.renewal_window_days,
    )
    found = found.merge(health(store, as_of=as_of, scope=one)[["account_id", *_HEALTH]], on="account_id", how="left")
    found["colour"] = found["colour"].fillna("none")
    counts = ["active_users", "seats", "weeks_red"]
    found[counts] = found[counts].astype("float64")
    found["score_before"] = found["score"] - found["change_28_days"]
    found = found.merge(_renewal(store, as_of, one), on="account_id", how="left")
    if not found["stage"].eq("onboarding").any():
        return found.assign(**{name: pd.Series(None, index=found.index, dtype="str") for name in _ONBOARDING.values()})
    risk = onboarding_risk(store, as_of=as_of, scope=one)[["account_id", *_ONBOARDING]].rename(columns=_ONBOARDING)
    return found.merge(risk, on="account_id", how="left")


def _renewal(store: Store, as_of: dt.date, one: Scope) -> pd.DataFrame:
    """Return the open contract of the account that ends first, as in the pipeline, under the names of the header."""
    if not store.has("contracts"):
        named = [("account_id", "str"), *_RENEWAL.values(), ("days_to_step", "float64")]
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in named})
    due = (
        renewal_pipeline(store, as_of=as_of, scope=one, days=_FARTHEST_DAYS)
        .sort_values(["ends_on", "contract_id"])
        .head(1)
    )
    found = due[["account_id", *_RENEWAL]].rename(columns={source: name for source, (name, _) in _RENEWAL.items()})
    to_step = [periods.days_between(as_of, one.date()) for one in found["next_step_on"]]
    return found.astype({"days_left": "float64"}).assign(
        days_to_step=pd.Series(to_step, index=found.index, dtype="float64")
    )


def profile(row: "pd.Series[Any]") -> str:
    """Return who the account is in one line: segment, industry, region, plan, since when, and its people."""
    said = [row[name] for name in ("segment", "industry", "region") if row[name] == row[name]]
    said += [f"plan {row['plan']}"] if row["plan"] == row["plan"] else []
    said += [f"since {day(row['started_on'].date())}"]
    people = {"csm": "CSM", "onboarding_manager": "onboarding", "salesperson": "sales"}
    said += [f"{word}: {row[name]}" for name, word in people.items() if row[name] == row[name]]
    return " · ".join([*said, *(["flagship"] if row["is_flagship"] else [])])


def notices(row: "pd.Series[Any]", *, has_events: bool = True, has_contracts: bool = True) -> list[str]:
    """Return what a reader must know of an account that lacks something: revenue, use or a contract."""
    said = []
    if row["stage"] == "former customer":
        said.append(f"No customer any more: its last revenue ended on {day(row['left_on'].date())}.")
    if row["stage"] == "signed":
        said.append("Not a customer yet: no revenue has begun.")
    if has_events and row["first_used_on"] != row["first_used_on"]:
        said.append("No use of the product is recorded for this account.")
    if has_contracts and not row["contracts"]:
        said.append("No contract is recorded for this account, so no renewal can be shown.")
    elif has_contracts and row["is_customer"] and row["renewal_on"] != row["renewal_on"]:
        said.append("All of its contracts are decided: none is open for renewal.")
    return said


def people(rows: pd.DataFrame) -> str:
    """Return the contacts of an account in one line from `account_contacts`: who is there, and who left lately."""
    here = [f"{one.name} ({_role(one)})" for one in each(rows[rows["state"] != "left"])]
    said = ["Contacts: " + (and_more(here, 4) or "nobody is known")]
    for one in each(rows[rows["is_recent"]]):
        moved = f" for {one.moved_to}" if one.moved_to == one.moved_to and one.moved_to else ""
        said.append(f"{one.name} ({_role(one)}) left on {day(one.left_on.date())}{moved}")
    return "; ".join(said)


def _role(one: Any) -> str:
    return str(one.role).replace("_", " ") + (", new" if one.state == "new" else "")


_NEXT = {
    "onboarding": "in onboarding",
    "adoption": "in adoption",
    "renewal": "in its renewal window",
    "former customer": "no customer any more",
    "signed": "signed, without revenue yet",
}


def headline(row: "pd.Series[Any]", money: Callable[[float], str], health_words: str) -> str:
    """Return what matters first: stage and ARR, health and its course, the renewal, and what is open."""
    said = [
        f"{row['name']} is {_NEXT[row['stage']]}"
        + (f" and pays {money(row['arr'])} a year" if row["is_customer"] else "")
    ]
    if row["score"] == row["score"]:
        change = row["change_28_days"]
        course = f", {change:+.1f} in 28 days" if change == change else ""
        said.append(f"health is {health_words} ({row['score']:.1f}{course})")
    if row["renewal_on"] == row["renewal_on"]:
        left = int(row["days_left"])
        ahead = f"in {plural(left, 'day')}" if left else "today"
        when = ahead if left >= 0 else f"{plural(-left, 'day')} past its end and undecided"
        said.append(f"the contract over {money(row['renewal_arr'])} ends on {day(row['renewal_on'].date())}, {when}")
    open_ = {"open_tickets": "open ticket", "open_promises": "open promise", "open_ctas": "open call to action"}
    many = {"open call to action": "open calls to action"}
    waiting = [plural(int(row[name]), word, many.get(word, "")) for name, word in open_.items() if row[name]]
    return "; ".join([*said, *([joined(waiting)] if waiting else [])]) + "."

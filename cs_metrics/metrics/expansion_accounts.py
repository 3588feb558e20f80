"""What the expansion rules must know of each customer on a day: money, seats, health, and whether it has succeeded yet."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from cs_metrics import periods
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store

__all__ = ["Blocker", "Customer", "customers", "gate", "gate_says"]

# Customers of the scope with their ARR on $as_of; every question about expansion begins with it.
BOOK = """
    book as (
        select mrr_interval.account_id, mrr_interval.mrr_cents * 12 as arr_cents
        from mrr_interval
        inner join scope on scope.account_id = mrr_interval.account_id
        where from_day <= $as_of and (to_day is null or to_day > $as_of)
    )"""

_SQL = f"""
    with {BOOK},
    seat_lines as (
        select
            account_id,
            product_id,
            sum(seats)::bigint as seats,
            sum(mrr_cents)::double * 12 / 100 / sum(seats) as seat_price
        from subscription_line
        where starts_on <= $as_of and (ends_on is null or ends_on > $as_of) and seats > 0
        group by account_id, product_id
    ),
    bought as (
        select * from seat_lines
        qualify row_number() over (partition by account_id order by seats desc, coalesce(product_id, '')) = 1
    ),
    measured as (
        select account_id, used, allowed
        from usage_limits
        where resource = 'seats' and measured_on <= $as_of and measured_on > $stale_after
        qualify row_number() over (partition by account_id order by measured_on desc) = 1
    ),
    named as (
        select account_id, count(*) as users
        from users
        where (created_on is null or created_on <= $as_of) and (deactivated_on is null or deactivated_on > $as_of)
        group by account_id
    ),
    last_milestone as (
        select account_id, name, due_on, case when completed_on <= $as_of then completed_on end as reached_on
        from milestone_status
        qualify row_number() over (partition by account_id order by position desc, due_on desc, milestone_id desc) = 1
    ),
    ending as (
        select account_id, ends_on, outcome = 'churned' and decided_on <= $as_of as is_lost, decided_on
        from contracts
        where starts_on <= $as_of and ends_on > $as_of
        qualify row_number() over (partition by account_id order by ends_on, contract_id) = 1
    )
    select
        book.account_id,
        accounts.name,
        accounts.segment,
        accounts.started_on,
        accounts.csm,
        accounts.salesperson,
        coalesce(accounts.is_flagship, false) as is_flagship,
        book.arr_cents::double / 100 as arr,
        health.score,
        coalesce(health.colour, 'none') as colour,
        health.change_28_days,
        health.activity,
        coalesce(bought.seats, cast(measured.allowed as bigint)) as seats,
        bought.seat_price,
        bought.product_id as seat_product_id,
        coalesce(measured.used, named.users, week.active_users) as seats_used,
        week.active_users,
        last_milestone.name as milestone,
        last_milestone.due_on as milestone_due_on,
        last_milestone.reached_on as milestone_reached_on,
        ending.ends_on,
        coalesce(ending.is_lost, false) as is_lost
    from book
    inner join accounts on accounts.account_id = book.account_id
    left join account_week_health health on health.account_id = book.account_id and health.week_end = $week_end
    left join account_week week on week.account_id = book.account_id and week.week_end = $week_end
    left join bought on bought.account_id = book.account_id
    left join measured on measured.account_id = book.account_id
    left join named on named.account_id = book.account_id
    left join last_milestone on last_milestone.account_id = book.account_id
    left join ending on ending.account_id = book.account_id
    order by book.account_id
"""


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer as known on the as-of day; None is unknown.

    `seats` are bought, `seats_used` given out (measured, else known users, else active users), `active_users` those
    of the four complete weeks before the as-of day. `seat_price` is per seat and year.
    """

    account_id: str
    name: str
    segment: str | None
    started_on: dt.date
    csm: str | None
    salesperson: str | None
    is_flagship: bool
    arr: float
    score: float | None
    colour: str
    change_28_days: float | None
    activity: float | None
    seats: int | None
    seat_price: float | None
    seat_product_id: str | None
    seats_used: float | None
    active_users: int | None
    milestone: str | None
    milestone_due_on: dt.date | None
    milestone_reached_on: dt.date | None
    ends_on: dt.date | None
    is_lost: bool


def customers(store: Store, as_of: dt.date, scope: Scope) -> dict[str, Customer]:
    """Return the accounts with MRR on the as-of day, by account_id."""
    settings = store.config.expansion
    rows = store.rows(
        _SQL,
        scope=scope,
        as_of=as_of,
        week_end=periods.last_full_week_end(as_of),
        stale_after=periods.add_days(as_of, -settings.limit_stale_days),
    )
    return {row[0]: Customer(*[_plain(value) for value in row]) for row in rows}


def _plain(value: Any) -> Any:
    """Turn NaN, which a score may be, into None."""
    return None if value != value else value


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason to wait: the day on which it lifts, or, where somebody's work decides, on what it depends."""

    says: str
    lifts_on: dt.date | None = None
    depends_on: str = ""


def gate(customer: Customer, as_of: dt.date, dead_band: float) -> list[Blocker]:
    """Return what keeps an account from any expansion: health that is not good enough, or a last milestone not reached.

    Health opens the gate when it is green, or yellow and rising by more than the dead band over 28 days. Where no
    milestones are loaded for the account, only health counts.
    """
    held, opens = [], "health turning green, or yellow and rising"
    if customer.score is None:
        held.append(Blocker("No health score yet", depends_on="a first health score"))
    elif customer.colour == "red":
        held.append(Blocker(f"Health is red ({words.amount(customer.score)})", depends_on=opens))
    elif customer.colour == "yellow" and not (customer.change_28_days or 0) > dead_band:
        held.append(Blocker(f"Health is yellow and not rising ({_score(customer)})", depends_on=opens))
    if customer.milestone is not None and customer.milestone_reached_on is None:
        says = f"Last milestone '{customer.milestone}' is not reached ({_due(customer, as_of)})"
        held.append(Blocker(says, depends_on=f"the customer reaching '{customer.milestone}'"))
    return held


def gate_says(customer: Customer, *, has_milestones: bool) -> str:
    """Return on what the gate was judged, in words."""
    health = f"Health {customer.colour} ({_score(customer)})" if customer.score is not None else "No health score"
    if customer.milestone_reached_on is not None:
        return f"{health}; last milestone '{customer.milestone}' reached on {words.day(customer.milestone_reached_on)}"
    if customer.milestone is not None:
        return f"{health}; last milestone '{customer.milestone}' not reached"
    why = "the account has no milestones" if has_milestones else "no milestones are loaded"
    return f"{health}; whether it reached its last milestone cannot be known ({why}), so only health counts"


def _score(customer: Customer) -> str:
    change = "" if customer.change_28_days is None else f", {customer.change_28_days:+.1f} in 28 days"
    return f"{words.amount(customer.score or 0.0)}{change}"


def _due(customer: Customer, as_of: dt.date) -> str:
    due = customer.milestone_due_on
    if due is None:
        return "no due day"
    late = periods.days_between(due, as_of)
    return f"due on {words.day(due)}" + (f", {words.plural(late, 'day')} ago" if late > 0 else "")

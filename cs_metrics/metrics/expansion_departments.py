"""How far a product has spread over the departments of a customer, and to which it could go next."""

import datetime as dt
import math
from dataclasses import dataclass

import pandas as pd

from cs_metrics import periods
from cs_metrics.config import Expansion
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_offers import Known, Offer
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["departments", "expansion_departments"]

_BOOK = """
    select mrr_interval.account_id, accounts.name, mrr_cents * 12::double / 100 as arr
    from mrr_interval
    inner join scope on scope.account_id = mrr_interval.account_id
    inner join accounts on accounts.account_id = mrr_interval.account_id
    where from_day <= $as_of and (to_day is null or to_day > $as_of)
"""

_DEPARTMENTS = """
    with active as (
        select distinct user_week.account_id, user_week.user_id
        from user_week
        inner join scope on scope.account_id = user_week.account_id
        where week_end <= $week_end and week_end > $four_weeks_before and user_id <> ''
    ),
    people as (
        select
            users.account_id,
            users.department,
            coalesce(users.created_on, accounts.started_on) as created_on,
            coalesce(users.deactivated_on <= $as_of, false) as is_gone,
            active.user_id is not null as is_active,
            accounts.started_on <= $settled as is_settled
        from users
        inner join scope on scope.account_id = users.account_id
        inner join accounts on accounts.account_id = users.account_id
        left join active on active.account_id = users.account_id and active.user_id = users.user_id
        where coalesce(users.created_on, accounts.started_on) <= $as_of
            and users.department is not null
    )
    select
        account_id,
        department,
        count(*) filter (not is_gone) as users,
        count(*) filter (is_active) as active_users,
        min(created_on) as first_on,
        bool_and(is_settled) as is_settled
    from people
    group by account_id, department
    order by account_id, department
"""


@dataclass(frozen=True, slots=True)
class _Department:
    name: str
    users: int
    active_users: int
    first_on: dt.date


@dataclass(frozen=True, slots=True)
class _Spread:
    """The departments of one account; before it is settled, new departments are its onboarding."""

    departments: tuple[_Department, ...]
    is_settled: bool

    @property
    def in_use(self) -> list[_Department]:
        return [one for one in self.departments if one.active_users > 0]

    @property
    def idle(self) -> list[_Department]:
        return [one for one in self.departments if one.active_users == 0 and one.users > 0]

    @property
    def active_users(self) -> int:
        return sum(one.active_users for one in self.departments)

    def new(self, settings: Expansion, as_of: dt.date) -> list[_Department]:
        since = periods.add_days(as_of, -settings.new_within_days)
        found = [one for one in self.departments if one.first_on > since and one.users > 0]
        return found if len(found) < len(self.departments) else []

    def is_narrow(self, settings: Expansion) -> bool:
        is_enough = self.active_users >= settings.department_min_active
        return is_enough and len(self.in_use) <= settings.departments_up_to and bool(self.idle)

    def fires(self, settings: Expansion, as_of: dt.date) -> bool:
        return self.is_narrow(settings) or bool(self.new(settings, as_of))


def _spreads(store: Store, as_of: dt.date, scope: Scope) -> dict[str, _Spread]:
    week_end = periods.last_full_week_end(as_of)
    rows = store.rows(
        _DEPARTMENTS,
        scope=scope,
        as_of=as_of,
        week_end=week_end,
        four_weeks_before=periods.add_days(week_end, -28),
        settled=periods.add_days(as_of, -store.config.onboarding.days),
    )
    by: dict[str, tuple[list[_Department], bool]] = {}
    for account_id, name, users, active, first_on, is_settled in rows:
        by.setdefault(account_id, ([], is_settled))[0].append(_Department(name, users, active, first_on))
    return {account_id: _Spread(tuple(found), is_settled) for account_id, (found, is_settled) in by.items()}


def departments(known: Known) -> list[Offer]:
    """Return the customers with room in other departments, or with the first users of a new one."""
    spreads = _spreads(known.store, known.as_of, known.scope)
    found = (_offer(known, account_id, spread) for account_id, spread in spreads.items())
    return [offer for offer in found if offer is not None]


def _offer(known: Known, account_id: str, spread: _Spread) -> Offer | None:
    settings, one = known.settings, known.customers.get(account_id)
    if one is None or not spread.is_settled or not spread.fires(settings, known.as_of):
        return None
    in_use, new = spread.in_use, spread.new(settings, known.as_of)
    active, is_narrow, others = spread.active_users, spread.is_narrow(settings), spread.idle
    said = [
        f"first users of {row.name} on {words.day(row.first_on)} ({words.plural(row.users, 'user')})" for row in new
    ]
    if is_narrow:
        names = words.joined([row.name for row in in_use])
        idle = words.and_more([f"{row.name} ({words.plural(row.users, 'user')})" for row in others])
        said.insert(0, f"all {words.plural(active, 'active user')} are in {names}; not active: {idle}")
    what = words.and_more(list(dict.fromkeys(row.name for row in [*new, *(others if is_narrow else [])])))
    if one.seat_price is not None and in_use:
        seats = math.ceil(active / len(in_use))
        arr = seats * one.seat_price
        basis = f"{words.plural(seats, 'seat')} as in its average active department × {words.money(one.seat_price, known.currency)} a seat and year"
    else:
        arr, basis = known.share_of_arr(one, "department", settings.department_arr_share)
    return Offer(account_id, "department", what, words.sentence(said), arr, basis, one.seat_product_id)


@metric(needs=("users", "events"), page="Expansion")
def expansion_departments(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """How far the product has spread in every customer: departments with active users, with idle ones, and new ones.

    Departments are those of the known users who have not left. Active: any use in the four complete weeks before the
    as-of day. New: its first user came within `expansion.new_within_days`, and it is not the only one. Those with
    room come first, the largest before the others.

    Columns:
        account_id, name: customer with known departments
        arr: ARR on the as-of day
        departments, active_departments: departments with users, and those with active ones
        users, active_users: of all departments
        top_share: share of the active users that the most active department has; empty without any
        active_in: departments with active users, the most active first, with their numbers
        idle_in: departments with users of whom none is active
        new_in: new departments with their first day
        fires: the rule offers other departments
    """
    settings = store.config.expansion
    book = store.rows(_BOOK, scope=scope, as_of=as_of)
    spreads, rows = _spreads(store, as_of, scope), []
    for account_id, name, arr in book:
        spread = spreads.get(account_id)
        if spread is None:
            continue
        in_use = sorted(spread.in_use, key=lambda one: (-one.active_users, one.name))
        active, new = spread.active_users, spread.new(settings, as_of)
        rows.append(
            {
                "account_id": account_id,
                "name": name,
                "arr": arr,
                "departments": sum(one.users > 0 for one in spread.departments),
                "active_departments": len(in_use),
                "users": sum(one.users for one in spread.departments),
                "active_users": active,
                "top_share": in_use[0].active_users / active if active else None,
                "active_in": "; ".join(f"{one.name} {one.active_users} of {one.users}" for one in in_use),
                "idle_in": "; ".join(f"{one.name} {one.users}" for one in spread.idle),
                "new_in": "; ".join(f"{one.name} since {words.day(one.first_on)}" for one in new),
                "fires": spread.is_settled and spread.fires(settings, as_of),
            }
        )
    columns = {
        "account_id": "str", "name": "str", "arr": "float64", "departments": "int64", "active_departments": "int64",
        "users": "int64", "active_users": "int64", "top_share": "float64", "active_in": "str", "idle_in": "str",
        "new_in": "str", "fires": "bool",
    }  # fmt: skip
    found = pd.DataFrame(rows, columns=list(columns)).astype(columns)
    return found.sort_values(["fires", "arr", "account_id"], ascending=[False, False, True], ignore_index=True)

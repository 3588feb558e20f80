"""The accounts behind one cell of the activation table, and the columns of accounts by which its rows can be formed."""

import datetime as dt

import pandas as pd

from cs_metrics.errors import MetricError, hint
from cs_metrics.metrics.cohorts import EMPTY, Clock, Entry, Question, Step, Unit, question
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.periods import WeekStart
from cs_metrics.store import Store

__all__ = ["activation_accounts", "cohort_columns"]

_LAST_PERIOD = 10_000
_NO_COHORTS = ("account_id", "name", "started_on", "parent_id")


@metric(needs=("events",), page="Onboarding")
def activation_accounts(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    in_cohort: str = "",
    in_period: int = 0,
    event: tuple[str, ...] = (),
    key_action: str = "",
    entry_event: tuple[str, ...] = (),
    times: int | None = None,
    every_days: int | None = None,
    every: Step = "days",
    cohort: str = "month",
    clock: Clock = "account",
    entry: Entry = "first",
    unit: Unit = "account",
    bounded: bool = True,
    week_start: WeekStart = "monday",
    min_accounts: int | None = None,
    from_: dt.date | None = None,
    to: dt.date | None = None,
) -> pd.DataFrame:
    """The members of one cell of activation: who is eligible, who of them was active, and how often they did it.

    The cell is the cohort `in_cohort` (its first day, or the value of the account column; `(empty)`: accounts without
    a value) in the period `in_period`; without `in_cohort` it is that period of all cohorts together, the pooled cell.
    The other options are those of activation and give the same members: is_eligible and is_active add up to the
    eligible and active of the cell, and the rows to its cohort_size. Those that were not active come first, largest ARR
    on top, then the active, then those not yet eligible, of which is_active is empty.

    Columns:
        account_id, name: the account
        user_id: the user with unit=user, else empty
        entered_on: the day on which the member entered
        period_from, period_to: first and last day of the member's own period
        is_eligible: whether the period has fully elapsed on the as-of day (and by `to`)
        is_active: whether it did the key action often enough in the period (bounded=false: or in a later one), empty while not eligible
        times: how often it did the key action in the period so far
        arr: ARR of the account on the as-of day, empty where no subscriptions are loaded
        csm, onboarding_manager: who looks after the account, as now
    """
    asked = question(
        store,
        as_of=as_of,
        event=event,
        key_action=key_action,
        entry_event=entry_event,
        times=times,
        every_days=every_days,
        every=every,
        cohort=cohort,
        clock=clock,
        entry=entry,
        unit=unit,
        week_start=week_start,
        min_accounts=min_accounts,
        from_=from_,
        to=to,
    )
    if not 0 <= in_period <= _LAST_PERIOD:
        raise MetricError(f"in_period lies from 0, the period in which a member entered, to {_LAST_PERIOD}.")
    arr = "coalesce(mrr_interval.mrr_cents, 0) * 12 / 100.0" if store.has("subscriptions") else "cast(null as double)"
    params = {**asked.params, "in_period": in_period, "as_of": as_of}
    if in_cohort:
        params["in_cohort"] = "" if in_cohort == EMPTY else in_cohort
    found = store.frame(_cell_sql(asked, bool(in_cohort), bounded, arr), scope=scope, **params)
    if found.empty and in_cohort:
        _check_cohort(store, scope, asked, in_cohort)
    found["is_active"] = found["is_active"].astype("boolean")
    found.attrs["note"] = asked.note
    return found


def _cell_sql(asked: Question, is_one: bool, bounded: bool, arr: str) -> str:
    """Return the SQL of the members of a cell, not active ones first."""
    members = "cast(cohort as varchar) = $in_cohort" if is_one else "true"
    begins, ends = asked.starts("member.anchor", "$in_period"), asked.starts("member.anchor", "$in_period + 1")
    return f"""
    with {asked.relations(members)},
    reached as (
        select
            member.number,
            max(case when spent.times >= member.needed then spent.period end) as last_period,
            max(case when spent.times >= member.needed and spent.period = $in_period then spent.period end) as in_period,
            sum(case when spent.period = $in_period then spent.times else 0 end) as times
        from member
        inner join spent on spent.number = member.number
        group by member.number
    ),
    cell as (
        select
            member.account_id, member.user_id, member.entry_day as entered_on,
            {begins} as period_from,
            {ends} - 1 as period_to,
            member.elapsed > $in_period as is_eligible,
            coalesce({"reached.in_period" if bounded else "reached.last_period"} >= $in_period, false) as has_done,
            coalesce(reached.times, 0)::bigint as times
        from member
        left join reached on reached.number = member.number
    )
    select
        cell.account_id,
        accounts.name,
        cell.user_id,
        cell.entered_on,
        cell.period_from,
        cell.period_to,
        cell.is_eligible,
        case when cell.is_eligible then cell.has_done end as is_active,
        cell.times,
        {arr} as arr,
        accounts.csm,
        accounts.onboarding_manager
    from cell
    inner join accounts on accounts.account_id = cell.account_id
    left join mrr_interval
        on mrr_interval.account_id = cell.account_id
        and mrr_interval.from_day <= $as_of
        and (mrr_interval.to_day is null or mrr_interval.to_day > $as_of)
    order by is_active nulls last, arr desc nulls last, cell.account_id, cell.user_id, cell.entered_on
    """


def _check_cohort(store: Store, scope: Scope, asked: Question, in_cohort: str) -> None:
    """Raise `MetricError` with the nearest names where no cohort is called like that."""
    sql = f"with {asked.relations()} select distinct cast(cohort as varchar) from member order by 1"
    known = [str(row[0]) or EMPTY for row in store.rows(sql, scope=scope, **asked.params)]
    if in_cohort not in known:
        raise MetricError(f"There is no cohort '{in_cohort}'.{hint(in_cohort, known)}")


@metric(page="Onboarding")
def cohort_columns(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, most: int = 30) -> pd.DataFrame:
    """The columns of accounts that can form cohorts: those with at least 2 and at most 30 different values.

    Accounts that have started count; an account without a value is none of the values. Names, identifiers and the
    start itself are left out.

    Columns:
        column: the column of accounts
        values: how many different values it has
    """
    columns = [one for one in store.account_columns if one not in _NO_COHORTS]
    counts = ", ".join(f'count(distinct accounts."{one}")' for one in columns)
    sql = f"""
    select {counts}
    from accounts
    inner join scope on scope.account_id = accounts.account_id
    where started_on <= $as_of
    """
    found = store.rows(sql, scope=scope, as_of=as_of)[0]
    kept = [(column, int(values)) for column, values in zip(columns, found, strict=True) if 2 <= values <= most]
    return pd.DataFrame(kept, columns=["column", "values"]).astype({"column": "str", "values": "int64"})

"""Use over time: how accounts come, stay, return and fall asleep, and in how many periods they are active."""

import datetime as dt
from typing import Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics.cohorts import asked_events, period_start_sql, uses_sql
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.periods import WeekStart
from cs_metrics.store import Store

__all__ = ["event_names", "lifecycle", "stickiness"]

Every = Literal["day", "week", "month"]
_STEP = {"day": "+ 1", "week": "+ 7", "month": "+ interval 1 month"}
_WINDOW = {"day": 28, "week": 12, "month": 12}


@metric(needs=("events",), page="Onboarding")
def lifecycle(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    every: Every = "week",
    event: tuple[str, ...] = ("*",),
    week_start: WeekStart = "monday",
    from_: dt.date | None = None,
    to: dt.date | None = None,
) -> pd.DataFrame:
    """Accounts per calendar period by what their use did: new, returning, resurrecting or dormant.

    Of the accounts that did one of the events (`*`: any) in the period, each is exactly one of: new (first ever),
    returning (also active in the period before), resurrecting (active before, but not in the period before). Dormant
    are those that were active in the period before and not in this one. `from` and `to` choose the periods shown, by
    default all from the first event on; what lies before still decides who is new. A period that has not ended on the
    as-of day is not yet known and stays empty.

    Formula: new + returning + resurrecting = active accounts; returning + dormant = active accounts of the period before.
    Columns:
        period: first day of the day, week or month
        new: accounts with their first event ever
        returning: accounts active in this period and the one before
        resurrecting: accounts active in this period and earlier, but not in the one before
        dormant: accounts active in the period before and not in this one
    Source: the lifecycle of product analytics; checked against the published test cases of PostHog.
    """
    events = asked_events(event)
    first = from_ or _first_day(store, events, as_of)
    last = min(to, as_of) if to else as_of
    starts = periods.periods_between(first, last, every, week_start) if first else []
    known = [periods.period_end(start, every) <= as_of for start in starts]
    following = f"cast(period {_STEP[every]} as date)"
    sql = f"""
    with shown as (
        select cast(unnest($starts) as date) as period, unnest($known) as is_known
    ),
    uses as (
        {uses_sql(events)}
    ),
    used as (
        select distinct uses.account_id, {period_start_sql("uses.day", every, week_start)} as period
        from uses
        inner join scope on scope.account_id = uses.account_id
    ),
    neighbours as (
        select
            account_id,
            period,
            {following} as following,
            lag({following}) over (partition by account_id order by period) as after_last,
            lead(period) over (partition by account_id order by period) as next_used
        from used
    ),
    states as (
        select period, case when after_last is null then 'new' when after_last = period then 'returning' else 'resurrecting' end as state
        from neighbours
        union all
        select following as period, 'dormant' as state from neighbours where next_used is null or next_used > following
    )
    select
        shown.period,
        case when shown.is_known then count(*) filter (states.state = 'new') end as new,
        case when shown.is_known then count(*) filter (states.state = 'returning') end as returning,
        case when shown.is_known then count(*) filter (states.state = 'resurrecting') end as resurrecting,
        case when shown.is_known then count(*) filter (states.state = 'dormant') end as dormant
    from shown
    left join states on states.period = shown.period
    group by shown.period, shown.is_known
    order by shown.period
    """
    return store.frame(sql, scope=scope, starts=starts, known=known, events=events, until=as_of)


@metric(needs=("events",), page="Onboarding")
def stickiness(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    every: Every = "day",
    event: tuple[str, ...] = ("*",),
    week_start: WeekStart = "monday",
    from_: dt.date | None = None,
    to: dt.date | None = None,
) -> pd.DataFrame:
    """Accounts by the number of calendar periods of a window in which they did one of the events at least once.

    The window runs from `from` to `to`, both included; by default it ends on the as-of day and holds 28 days, 12 weeks
    or 12 months. A period counts as soon as the account is active in it, also while it is still running. Accounts
    without any use in the window are not counted.

    Columns:
        active_periods: 1 up to the number of periods that the window touches
        accounts: accounts active in exactly so many of them
    Source: the stickiness table of product analytics.
    """
    events = asked_events(event)
    last = min(to, as_of) if to else as_of
    first = from_ or periods.add_periods(periods.period_start(last, every, week_start), every, 1 - _WINDOW[every])
    if first > last:
        raise MetricError(f"The window from {first} to {last} holds no day.")
    sql = f"""
    with uses as (
        {uses_sql(events)}
    ),
    counted as (
        select uses.account_id, count(distinct {period_start_sql("uses.day", every, week_start)}) as active_periods
        from uses
        inner join scope on scope.account_id = uses.account_id
        where uses.day >= $since
        group by uses.account_id
    ),
    possible as (
        select unnest(range(1, $most + 1)) as active_periods
    )
    select possible.active_periods, count(counted.account_id) as accounts
    from possible
    left join counted on counted.active_periods = possible.active_periods
    group by possible.active_periods
    order by possible.active_periods
    """
    most = len(periods.periods_between(first, last, every, week_start))
    return store.frame(sql, scope=scope, events=events, since=first, until=last, most=most)


@metric(needs=("events",), page="Onboarding")
def event_names(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """The events that occurred by the as-of day, with the accounts that did them; the most widespread first.

    Columns:
        event: its name
        accounts: accounts that did it at least once
        first_day: the first day on which anybody did
    """
    sql = """
    select event, count(*) as accounts, min(first_day) as first_day
    from event_first
    inner join scope on scope.account_id = event_first.account_id
    where first_day <= $as_of
    group by event
    order by accounts desc, event
    """
    return store.frame(sql, scope=scope, as_of=as_of)


def _first_day(store: Store, events: tuple[str, ...], as_of: dt.date) -> dt.date | None:
    condition = "event = any($events)" if events else "true"
    found: dt.date | None = store.value(
        f"select min(first_day) from event_first where first_day <= $as_of and {condition}", events=events, as_of=as_of
    )
    return found

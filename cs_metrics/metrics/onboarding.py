"""Onboarding as of a day: which new customers need help, their calls to action, and the risk score over time.

An account is in onboarding from its start for the configured days while it has MRR. Its colour follows from its open
calls to action alone: none is green, an open one yellow, a flagged open one red.
"""

import datetime as dt
from typing import Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.in_onboarding import PROGRESS, STATES, arr_sql, ask, score_sql
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["onboarding_risk", "onboarding_score", "onboarding_summary"]


@metric(needs=("subscriptions",), reads=("cta",), page="Onboarding")
def onboarding_risk(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Every account in onboarding with its colour: red has a flagged open call to action, yellow an open one, green none.

    In onboarding are the accounts with MRR on the as-of day that started at most `onboarding.days` before it. Calls to
    action are those handed over and those that open by rule when a milestone is overdue; one per account, kind and
    reason counts. The red accounts come first, and the larger ones within a colour.

    Columns:
        account_id: the account
        colour: red, yellow or green
        open_ctas: open calls to action
        flagged_ctas: those of them for which other teams are needed
        overdue_milestones: milestones past their due day and not complete
        next_milestone: the first milestone by position that is not complete, empty where all are
        arr: ARR on the as-of day, reporting currency
        onboarding_manager: as now
        name: of the account
        segment: as now
        started_on: the account's start
        days_since_start: days since then
        next_due_on: due day of the next milestone
    """
    sql = f"""
    with {STATES},
    {PROGRESS}
    select
        states.account_id,
        states.colour,
        states.open_ctas,
        states.flagged_ctas,
        coalesce(progress.overdue_milestones, 0) as overdue_milestones,
        progress.next_milestone,
        states.arr_cents::double / 100 as arr,
        states.onboarding_manager,
        accounts.name,
        states.segment,
        states.started_on,
        date_diff('day', states.started_on, states.day) as days_since_start,
        progress.next_due_on
    from states
    inner join accounts on accounts.account_id = states.account_id
    left join progress on progress.account_id = states.account_id
    order by case states.colour when 'red' then 0 when 'yellow' then 1 else 2 end, states.arr_cents desc, states.account_id
    """
    return ask(store, sql, as_of, scope)


@metric(needs=("subscriptions",), reads=("cta",), page="Onboarding")
def onboarding_summary(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """The accounts in onboarding in one row: how many of each colour, their ARR, the ARR at risk and the risk score.

    Formula: score = (100 × green ARR + 50 × yellow ARR + 0 × red ARR) ÷ ARR in onboarding.
    Columns:
        accounts: accounts in onboarding
        red, yellow, green: accounts of that colour; they add up to accounts
        arr: ARR of the accounts in onboarding, reporting currency
        at_risk_arr: ARR of the red and yellow ones
        red_arr: ARR of the red ones
        score: risk score, 0 to 100, empty where there is no ARR
        open_ctas: open calls to action
        overdue_milestones: milestones past their due day and not complete
        overdue_accounts: accounts with such a milestone
        is_watched: whether milestones or calls to action were loaded; without either green only means unseen
    """
    sql = f"""
    with {STATES},
    {PROGRESS}
    select
        count(*) as accounts,
        count(*) filter (colour = 'red') as red,
        count(*) filter (colour = 'yellow') as yellow,
        count(*) filter (colour = 'green') as green,
        coalesce(sum(arr_cents), 0)::double / 100 as arr,
        coalesce(sum(arr_cents) filter (colour <> 'green'), 0)::double / 100 as at_risk_arr,
        coalesce(sum(arr_cents) filter (colour = 'red'), 0)::double / 100 as red_arr,
        {score_sql()} as score,
        coalesce(sum(open_ctas), 0)::bigint as open_ctas,
        coalesce(sum(progress.overdue_milestones), 0)::bigint as overdue_milestones,
        count(*) filter (progress.overdue_milestones > 0) as overdue_accounts
    from states
    left join progress on progress.account_id = states.account_id
    """
    found = ask(store, sql, as_of, scope)
    found["is_watched"] = store.has("milestones") or store.has("ctas")
    return found


@metric(needs=("subscriptions",), reads=("cta",), page="Onboarding")
def onboarding_score(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    by: Literal["total", "onboarding_manager", "segment"] = "total",
) -> pd.DataFrame:
    """The onboarding risk score by week: the ARR-weighted mean of colour points, green 100, yellow 50, red 0.

    Each complete week up to the as-of day is seen as of its Sunday, with what was known then. Managers and segments
    are as now. With by=total every week from the first start on has a row, else only those with accounts in onboarding.

    Formula: score = (100 × green ARR + 50 × yellow ARR + 0 × red ARR) ÷ ARR in onboarding.
    Columns:
        week: its Monday
        group: total, or the manager or segment (empty: unknown)
        green_arr, yellow_arr, red_arr: ARR of the accounts of that colour, reporting currency
        score: 0 to 100, empty where nobody is in onboarding
    """
    last = periods.last_full_week_end(as_of)
    first = store.value("select min(started_on) from accounts where started_on <= $last", last=last)
    weeks = periods.periods_between(first, last, "week") if first else []
    group = "'total'" if by == "total" else f"states.{by}"
    sql = f"""
    with {STATES}
    select
        (asked.day - 6)::date as week,
        {group} as "group",
        {arr_sql("green")} as green_arr,
        {arr_sql("yellow")} as yellow_arr,
        {arr_sql("red")} as red_arr,
        {score_sql()} as score
    from asked
    {"left" if by == "total" else "inner"} join states on states.day = asked.day
    group by 1, 2, asked.day
    order by 1, 2
    """
    return ask(store, sql, as_of, scope, days=[periods.add_days(start, 6) for start in weeks])

"""Onboarding as of a day: which new customers need help, their calls to action, and the risk score over time.

An account is in onboarding from its start for the configured days while it has MRR. Its colour follows from its open
calls to action alone: none is green, an open one yellow, a flagged open one red.
"""

import datetime as dt
from typing import Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["onboarding_ctas", "onboarding_managers", "onboarding_risk", "onboarding_score", "onboarding_summary"]

# One row per day of $days and account in onboarding on it, with what was known at the end of that day.
_STATES = """
    asked as (
        select cast(unnest($days) as date) as day
    ),
    newcomers as (
        select
            asked.day,
            accounts.account_id,
            coalesce(accounts.onboarding_manager, '') as onboarding_manager,
            coalesce(accounts.segment, '') as segment,
            accounts.started_on,
            mrr_interval.mrr_cents * 12 as arr_cents
        from asked
        inner join accounts
            on accounts.started_on <= asked.day and accounts.started_on + $onboarding_days::integer > asked.day
        inner join scope on scope.account_id = accounts.account_id
        inner join mrr_interval
            on mrr_interval.account_id = accounts.account_id
            and mrr_interval.from_day <= asked.day
            and (mrr_interval.to_day is null or mrr_interval.to_day > asked.day)
    ),
    calls as (
        select
            newcomers.day,
            cta.account_id,
            cta.cta_id,
            cta.due_on,
            coalesce(cta.flagged_on <= newcomers.day, false)
                and not coalesce(cta.unflagged_on <= newcomers.day, false) as is_flagged
        from newcomers
        inner join cta
            on cta.account_id = newcomers.account_id
            and cta.opened_on <= newcomers.day
            and (cta.closed_on is null or cta.closed_on > newcomers.day)
        qualify row_number() over (
            partition by newcomers.day, cta.account_id, cta.kind, cta.reason
            order by is_flagged desc, cta.opened_on, cta.cta_id
        ) = 1
    ),
    counted as (
        select
            day,
            account_id,
            count(*) as open_ctas,
            count(*) filter (is_flagged) as flagged_ctas,
            count(*) filter (due_on < day) as overdue_ctas
        from calls
        group by day, account_id
    ),
    states as (
        select
            newcomers.*,
            coalesce(counted.open_ctas, 0) as open_ctas,
            coalesce(counted.flagged_ctas, 0) as flagged_ctas,
            coalesce(counted.overdue_ctas, 0) as overdue_ctas,
            case
                when counted.flagged_ctas > 0 then 'red'
                when counted.open_ctas > 0 then 'yellow'
                else 'green'
            end as colour
        from newcomers
        left join counted on counted.day = newcomers.day and counted.account_id = newcomers.account_id
    )"""

# One row per account with its milestones as known on $as_of.
_PROGRESS = """
    progress as (
        select
            account_id,
            count(case when due_on < $as_of and is_open then 1 end) as overdue_milestones,
            arg_min(case when is_open then name end, position) as next_milestone,
            arg_min(case when is_open then due_on end, position) as next_due_on
        from (
            select *, completed_on is null or completed_on > $as_of as is_open
            from milestone_status
            order by position, milestone_id
        )
        group by account_id
    )"""


@metric(needs=("subscriptions",), page="Onboarding")
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
    with {_STATES},
    {_PROGRESS}
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
    return _ask(store, sql, as_of, scope)


@metric(needs=("subscriptions",), page="Onboarding")
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
    with {_STATES},
    {_PROGRESS}
    select
        count(*) as accounts,
        count(*) filter (colour = 'red') as red,
        count(*) filter (colour = 'yellow') as yellow,
        count(*) filter (colour = 'green') as green,
        coalesce(sum(arr_cents), 0)::double / 100 as arr,
        coalesce(sum(arr_cents) filter (colour <> 'green'), 0)::double / 100 as at_risk_arr,
        coalesce(sum(arr_cents) filter (colour = 'red'), 0)::double / 100 as red_arr,
        {_score("arr_cents")} as score,
        coalesce(sum(open_ctas), 0)::bigint as open_ctas,
        coalesce(sum(progress.overdue_milestones), 0)::bigint as overdue_milestones,
        count(*) filter (progress.overdue_milestones > 0) as overdue_accounts
    from states
    left join progress on progress.account_id = states.account_id
    """
    found = _ask(store, sql, as_of, scope)
    found["is_watched"] = store.has("milestones") or store.has("ctas")
    return found


@metric(needs=("subscriptions",), page="Onboarding")
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
    with {_STATES}
    select
        (asked.day - 6)::date as week,
        {group} as "group",
        {_arr("green")} as green_arr,
        {_arr("yellow")} as yellow_arr,
        {_arr("red")} as red_arr,
        {_score("states.arr_cents")} as score
    from asked
    {"left" if by == "total" else "inner"} join states on states.day = asked.day
    group by 1, 2, asked.day
    order by 1, 2
    """
    return _ask(store, sql, as_of, scope, days=[periods.add_days(start, 6) for start in weeks])


@metric(needs=("subscriptions",), page="Onboarding")
def onboarding_ctas(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """The open calls to action of the accounts in onboarding: flagged ones first, then by due day.

    Open is what was opened by the as-of day and not closed by it. The flagged ones are the agenda of the risk meeting.

    Columns:
        cta_id: the call to action
        account_id: the account
        name: of the account
        kind: risk, lifecycle, expansion, objective or activity
        reason: why it opened
        source: imported, or rule for an overdue milestone
        opened_on, due_on: days
        days_open: days since it opened
        is_overdue: its due day has passed
        is_flagged: other teams are needed
        team_needed: which
        owner: who works it
        priority: as handed over
        arr: ARR of the account, reporting currency
    """
    sql = f"""
    with {_STATES}
    select
        cta.cta_id,
        cta.account_id,
        accounts.name,
        cta.kind,
        cta.reason,
        cta.source,
        cta.opened_on,
        cta.due_on,
        date_diff('day', cta.opened_on, states.day) as days_open,
        coalesce(cta.due_on < states.day, false) as is_overdue,
        calls.is_flagged,
        case when cta.flagged_on <= states.day then cta.team_needed end as team_needed,
        cta.owner,
        cta.priority,
        states.arr_cents::double / 100 as arr
    from calls
    inner join states on states.day = calls.day and states.account_id = calls.account_id
    inner join cta on cta.cta_id = calls.cta_id and cta.account_id = calls.account_id
    inner join accounts on accounts.account_id = calls.account_id
    order by calls.is_flagged desc, cta.due_on nulls last, states.arr_cents desc, cta.cta_id
    """
    return _ask(store, sql, as_of, scope)


@metric(needs=("subscriptions",), page="Onboarding")
def onboarding_managers(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Per onboarding manager: accounts in onboarding, those at risk with their ARR, and what happened to calls to action.

    Opened and closed count the seven days that end on the as-of day, for the accounts that are in onboarding on it.

    Columns:
        onboarding_manager: as now, empty where unknown
        accounts: accounts in onboarding
        red, yellow: accounts of that colour
        arr: ARR of the accounts in onboarding, reporting currency
        at_risk_arr: ARR of the red and yellow ones
        score: risk score, 0 to 100
        open_ctas: open calls to action
        overdue_ctas: those of them past their due day
        opened_ctas, closed_ctas: calls to action opened and closed in the last seven days
    """
    sql = f"""
    with {_STATES},
    recent as (
        select
            states.account_id,
            count(*) filter (cta.opened_on > $as_of::date - 7) as opened_ctas,
            count(*) filter (cta.closed_on > $as_of::date - 7 and cta.closed_on <= $as_of) as closed_ctas
        from states
        inner join cta on cta.account_id = states.account_id and cta.opened_on <= $as_of
        group by states.account_id
    )
    select
        onboarding_manager,
        count(*) as accounts,
        count(*) filter (colour = 'red') as red,
        count(*) filter (colour = 'yellow') as yellow,
        sum(arr_cents)::double / 100 as arr,
        coalesce(sum(arr_cents) filter (colour <> 'green'), 0)::double / 100 as at_risk_arr,
        {_score("arr_cents")} as score,
        sum(open_ctas)::bigint as open_ctas,
        sum(overdue_ctas)::bigint as overdue_ctas,
        coalesce(sum(recent.opened_ctas), 0)::bigint as opened_ctas,
        coalesce(sum(recent.closed_ctas), 0)::bigint as closed_ctas
    from states
    left join recent on recent.account_id = states.account_id
    group by onboarding_manager
    order by at_risk_arr desc, onboarding_manager
    """
    return _ask(store, sql, as_of, scope)


def _ask(store: Store, sql: str, as_of: dt.date, scope: Scope, days: list[dt.date] | None = None) -> pd.DataFrame:
    return store.frame(
        sql,
        scope=scope,
        as_of=as_of,
        days=[as_of] if days is None else days,
        onboarding_days=store.config.onboarding.days,
    )


def _arr(colour: str) -> str:
    return f"coalesce(sum(states.arr_cents) filter (states.colour = '{colour}'), 0)::double / 100"


def _score(arr_cents: str) -> str:
    points = "case colour when 'green' then 100 when 'yellow' then 50 else 0 end"
    return f"sum({points} * {arr_cents})::double / nullif(sum({arr_cents}), 0)"

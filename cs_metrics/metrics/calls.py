"""Calls to action: what is open, what was said about it, the agenda of the risk meeting, and the load per person.

A call to action opens by rule when a milestone is overdue, by another system, or by hand; what people wrote about it
in the workspace counts exactly like what another system says.
"""

import datetime as dt
from typing import Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.in_onboarding import PROGRESS, STATES, ask, score_sql
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["Of", "cta_history", "onboarding_ctas", "onboarding_managers", "risk_meeting"]

Of = Literal["onboarding", "customers"]

_WEEK = 7

# One row per account: what was last said about it or one of its calls to action, and whether the scope fits the plan.
_SAID = """
    said as (
        select
            account_id,
            arg_max(case when note <> '' then note end, (effective_on, seq)) as last_note,
            arg_max(case when note <> '' then author end, (effective_on, seq)) as last_note_by,
            max(case when note <> '' then effective_on end) as last_note_on,
            coalesce(arg_max(
                case when action = 'statement_of_work' then cast(body ->> 'is_needed' as boolean) end, (effective_on, seq)
            ), false) as needs_statement_of_work
        from entry
        where topic in ('cta', 'account') and effective_on <= $as_of
        group by account_id
    )"""


@metric(needs=("subscriptions",), reads=("cta", "account"), page="Onboarding")
def onboarding_ctas(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, of: Of = "onboarding") -> pd.DataFrame:
    """The open calls to action of the accounts in onboarding: flagged ones first, snoozed ones last, then by due day.

    Open is what was opened by the as-of day and not closed by it; a snoozed one still counts as open. Of the same
    account, kind and reason there is one. The flagged ones are the agenda of the risk meeting. of=customers lists
    those of every account with MRR.

    Columns:
        cta_id: the call to action
        account_id: the account
        name: of the account
        kind: risk, lifecycle, expansion, objective or activity
        reason: why it opened
        source: imported, rule for an overdue milestone, or person
        opened_on, due_on: days
        days_open: days since it opened
        is_overdue: its due day has passed
        is_flagged: other teams are needed
        team_needed: which
        owner: who works it
        priority: as handed over
        arr: ARR of the account, reporting currency
        snoozed_until: its last snoozed day, empty when that has passed
        last_note, last_note_by, last_note_on: what was last said about the account, by whom, on which day
        needs_statement_of_work: the scope does not fit the plan
    """
    sql = f"""
    with {STATES},
    {_SAID}
    select
        calls.cta_id,
        calls.account_id,
        accounts.name,
        calls.kind,
        calls.reason,
        calls.source,
        calls.opened_on,
        calls.due_on,
        date_diff('day', calls.opened_on, calls.day) as days_open,
        coalesce(calls.due_on < calls.day, false) as is_overdue,
        calls.is_flagged,
        calls.team_needed,
        calls.owner,
        calls.priority,
        states.arr_cents::double / 100 as arr,
        case when calls.snoozed_until >= calls.day then calls.snoozed_until end as snoozed_until,
        said.last_note,
        said.last_note_by,
        said.last_note_on,
        coalesce(said.needs_statement_of_work, false) as needs_statement_of_work
    from calls
    inner join states on states.account_id = calls.account_id
    inner join accounts on accounts.account_id = calls.account_id
    left join said on said.account_id = calls.account_id
    order by
        calls.is_flagged desc, coalesce(calls.snoozed_until >= calls.day, false), calls.due_on nulls last,
        states.arr_cents desc, calls.cta_id
    """
    return ask(store, sql, as_of, scope, everyone=of == "customers")


@metric(needs=("subscriptions",), reads=("cta", "account"), page="Onboarding")
def risk_meeting(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, of: Of = "onboarding") -> pd.DataFrame:
    """The agenda of the weekly risk meeting: the accounts with a flagged open call to action, the largest first.

    One row per account. Flagged since is the day from which one of its calls has been flagged without a break.

    Columns:
        account_id, name, segment, onboarding_manager: the account, as now
        arr: ARR, reporting currency
        days_since_start: days since its start
        flagged_ctas: flagged open calls to action
        reasons: why they opened
        teams_needed: which teams are asked for
        flagged_on: since when
        days_flagged: days since then
        owners: who works them
        next_milestone, next_due_on: the first milestone that is not complete, and its due day
        overdue_milestones: milestones past their due day and not complete
        last_note, last_note_by, last_note_on: what was last said about the account, by whom, on which day
        needs_statement_of_work: the scope does not fit the plan
        is_new: flagged within the last seven days
    """
    sql = f"""
    with {STATES},
    {PROGRESS},
    {_SAID},
    flagged as (
        select
            calls.account_id,
            string_agg(calls.reason, '; ' order by calls.reason) as reasons,
            string_agg(distinct calls.team_needed, ', ' order by calls.team_needed) as teams_needed,
            string_agg(distinct calls.owner, ', ' order by calls.owner) as owners,
            min(calls.flagged_on) as flagged_on
        from calls
        where calls.is_flagged
        group by calls.account_id
    )
    select
        states.account_id,
        accounts.name,
        states.segment,
        states.onboarding_manager,
        states.arr_cents::double / 100 as arr,
        date_diff('day', states.started_on, states.day) as days_since_start,
        states.flagged_ctas,
        flagged.reasons,
        flagged.teams_needed,
        flagged.flagged_on,
        date_diff('day', flagged.flagged_on, states.day) as days_flagged,
        flagged.owners,
        progress.next_milestone,
        progress.next_due_on,
        coalesce(progress.overdue_milestones, 0) as overdue_milestones,
        said.last_note,
        said.last_note_by,
        said.last_note_on,
        coalesce(said.needs_statement_of_work, false) as needs_statement_of_work,
        flagged.flagged_on > $as_of::date - {_WEEK} as is_new
    from states
    inner join flagged on flagged.account_id = states.account_id
    inner join accounts on accounts.account_id = states.account_id
    left join progress on progress.account_id = states.account_id
    left join said on said.account_id = states.account_id
    order by states.arr_cents desc, states.account_id
    """
    return ask(store, sql, as_of, scope, everyone=of == "customers")


@metric(needs=("subscriptions",), reads=("cta",), page="Onboarding")
def onboarding_managers(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    by: Literal["onboarding_manager", "segment"] = "onboarding_manager",
) -> pd.DataFrame:
    """Per onboarding manager: accounts in onboarding, those at risk with their ARR, and the calls to action of two weeks.

    This week are the seven days that end on the as-of day, last week the seven before. Opened and closed count the
    calls to action of accounts that were in their first days then; overdue are those open past their due day at the
    end of each of the two weeks. One call per account, kind and reason counts. Managers and segments are as now.

    Columns:
        onboarding_manager: or the segment; empty where unknown
        accounts: accounts in onboarding
        red, yellow: accounts of that colour
        arr: ARR of the accounts in onboarding, reporting currency
        at_risk_arr: ARR of the red and yellow ones
        score: risk score, 0 to 100
        open_ctas: open calls to action
        overdue_ctas: those of them past their due day
        opened_ctas, closed_ctas: calls to action opened and closed this week
        at_risk: red and yellow accounts
        at_risk_before, at_risk_arr_before, score_before: the same a week ago, with what was known then
        overdue_before, opened_before, closed_before: calls to action of last week
    """
    before = periods.add_days(as_of, -_WEEK)
    sql = f"""
    with {STATES},
    turns as (
        select
            cta_state.account_id,
            cta_state.kind,
            cta_state.reason,
            case when cta_state.from_day > $before then $as_of::date else $before::date end as day,
            max(cta_state.is_open)::integer as opened,
            max(not cta_state.is_open)::integer as closed
        from cta_state
        where cta_state.from_day > $before_last and cta_state.from_day <= $as_of and cta_state.is_open <> cta_state.was_open
        group by 1, 2, 3, 4
    ),
    moved as (
        select turns.day, turns.account_id, sum(turns.opened) as opened, sum(turns.closed) as closed
        from turns
        inner join accounts on accounts.account_id = turns.account_id
            and accounts.started_on + $onboarding_days::integer > turns.day - {_WEEK}
        inner join scope on scope.account_id = turns.account_id
        group by turns.day, turns.account_id
    ),
    counted_in as (
        select
            coalesce(states.day, moved.day) as day,
            coalesce(states.{by}, accounts.{by}, '') as {by},
            states.* exclude (day, {by}),
            moved.opened,
            moved.closed
        from states
        full join moved on moved.day = states.day and moved.account_id = states.account_id
        left join accounts on accounts.account_id = moved.account_id
    ),
    groups as (
        select
            day,
            {by},
            count(colour) as accounts,
            count(*) filter (colour = 'red') as red,
            count(*) filter (colour = 'yellow') as yellow,
            coalesce(sum(arr_cents), 0)::double / 100 as arr,
            coalesce(sum(arr_cents) filter (colour <> 'green'), 0)::double / 100 as at_risk_arr,
            {score_sql().replace("states.", "")} as score,
            coalesce(sum(open_ctas), 0)::bigint as open_ctas,
            coalesce(sum(overdue_ctas), 0)::bigint as overdue_ctas,
            coalesce(sum(opened), 0)::bigint as opened_ctas,
            coalesce(sum(closed), 0)::bigint as closed_ctas
        from counted_in
        group by day, {by}
    )
    select
        coalesce(this.{by}, last.{by}) as onboarding_manager,
        coalesce(this.accounts, 0) as accounts,
        coalesce(this.red, 0) as red,
        coalesce(this.yellow, 0) as yellow,
        coalesce(this.arr, 0) as arr,
        coalesce(this.at_risk_arr, 0) as at_risk_arr,
        this.score,
        coalesce(this.open_ctas, 0) as open_ctas,
        coalesce(this.overdue_ctas, 0) as overdue_ctas,
        coalesce(this.opened_ctas, 0) as opened_ctas,
        coalesce(this.closed_ctas, 0) as closed_ctas,
        coalesce(this.red + this.yellow, 0) as at_risk,
        coalesce(last.red + last.yellow, 0) as at_risk_before,
        coalesce(last.at_risk_arr, 0) as at_risk_arr_before,
        last.score as score_before,
        coalesce(last.overdue_ctas, 0) as overdue_before,
        coalesce(last.opened_ctas, 0) as opened_before,
        coalesce(last.closed_ctas, 0) as closed_before
    from (select * from groups where day = $as_of) this
    full join (select * from groups where day = $before) last on last.{by} = this.{by}
    order by at_risk_arr desc, onboarding_manager
    """
    two_weeks_ago = periods.add_days(before, -_WEEK)
    return ask(store, sql, as_of, scope, days=[as_of, before], before=before, before_last=two_weeks_ago)


@metric(needs=("accounts",), reads=("cta", "account"), page="Onboarding")
def cta_history(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "", cta_id: str = ""
) -> pd.DataFrame:
    """What happened to the calls to action of one account and what was said about it, the newest first.

    With `cta_id` only that call to action. `day` is the day from which a thing counts: for what people wrote, the
    newest day of the data at that time; `written_at` is when it was written.

    Columns:
        day: the day from which it counts
        reason: of the call to action; empty for what was said about the account itself
        what: what happened
        note: what was said with it
        author: who wrote it; empty where a rule or another system did
        written_at: when it was written, UTC; empty for what came with the data
        cta_id: the call to action; empty for the account itself
    Source: the workspace and the table ctas.
    """
    sql = """
    with happened as (
        select
            cta_log.day, cta_log.place, cta_log.seq, cta_log.reason, cta_log.cta_id, cta_log.note, cta_log.author,
            cta_log.written_at,
            case action
                when 'open' then 'opened' || coalesce(' for ' || owner, '')
                when 'flag' then 'flagged' || coalesce(', needs ' || team_needed, '')
                when 'unflag' then 'flag taken back'
                when 'assign' then 'assigned to ' || owner
                when 'snooze' then 'snoozed until ' || strftime(snoozed_until, '%-d %b %Y')
                when 'close' then 'closed' || coalesce(' as ' || replace(closed_as, '_', ' '), '')
                when 'reopen' then 'opened again'
                else 'note'
            end as what
        from cta_log
        inner join scope on scope.account_id = cta_log.account_id
        where cta_log.day <= $as_of and ($cta_id = '' or cta_log.cta_id = $cta_id)
        union all
        select
            entry.effective_on, 4, entry.seq, '', '', entry.note, entry.author, entry.written_at,
            case
                when action = 'note' then 'note'
                when cast(body ->> 'is_needed' as boolean) then 'statement of work needed'
                else 'statement of work no longer needed'
            end
        from entry
        inner join scope on scope.account_id = entry.account_id
        where entry.topic = 'account' and entry.action in ('note', 'statement_of_work')
            and entry.effective_on <= $as_of and $cta_id = ''
    )
    select day, reason, what, note, author, written_at, cta_id
    from happened
    order by day desc, seq desc, place desc, reason
    """
    return store.frame(sql, scope=only(store, account_id, as_of, scope), as_of=as_of, cta_id=cta_id)

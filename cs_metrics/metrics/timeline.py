"""Everything that happened with one account, in one list."""

import datetime as dt

import pandas as pd

from cs_metrics.errors import MetricError, hint
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["KINDS", "account_timeline"]


def _day(column: str) -> str:
    return f"strftime({column}, '%-d %b %Y')"


def _days(first: str, last: str) -> str:
    days = f"date_diff('day', {first}, {last})"
    return f"{days} || case when {days} = 1 then ' day' else ' days' end"


def _money(cents: str) -> str:
    return f"$currency || ' ' || format('{{:,d}}', cast(round({cents} / 100.0) as bigint))"


def _of(table: str, known: str) -> str:
    """Return the rows of a table that belong to the account and are known."""
    return f"from {table} inner join one on one.account_id = {table}.account_id where {known}"


_MEETINGS = """case meetings.kind when 'qbr' then 'QBR' when 'ebr' then 'EBR' when 'kickoff' then 'Kick-off' when 'check_in' then 'Check-in'
    when 'executive' then 'Executive meeting' else upper(meetings.kind[1]) || meetings.kind[2:] end"""

# Per kind the entries as (day, what, detail); `one` is the account, and nothing dated after $as_of is read.
_ENTRIES = {
    "usage": f"""
        select first_day as day, 'First use of ' || event as what, '' as detail {_of("event_first", "first_day <= $as_of")}
    """,
    "health": f"""
        select week_end as day, 'Health went from ' || before || ' to ' || colour as what,
            concat_ws(' → ', round(score_before, 1), round(score, 1)) as detail
        from (
            select week_end, colour, score,
                lag(colour) over (order by week_end) as before,
                lag(score) over (order by week_end) as score_before
            {_of("account_week_health", "week_end <= $as_of and colour <> 'none'")}
        )
        where before <> colour
    """,
    "milestone": f"""
        select completed_on as day, 'Reached: ' || name as what,
            case when completed_on > due_on then {_days("due_on", "completed_on")} || ' late' else 'in time' end as detail
        {_of("milestone_status", "completed_on <= $as_of")}
    """,
    "ticket": f"""
        select opened_on as day, 'Ticket opened: ' || concat_ws(' ', priority, coalesce(kind, 'ticket')) as what,
            concat_ws(', ', ticket_id, product_id) as detail
        {_of("tickets", "opened_on <= $as_of")}
        union all
        select closed_on, 'Ticket closed: ' || concat_ws(' ', priority, coalesce(kind, 'ticket')),
            concat_ws(', ', ticket_id, 'after ' || {_days("opened_on", "closed_on")})
        {_of("tickets", "opened_on <= $as_of and closed_on <= $as_of")}
    """,
    "survey": f"""
        select answered_on as day, upper(kind) || ' ' || format('{{:g}}', score) as what, coalesce(comment, '') as detail
        {_of("surveys", "answered_on <= $as_of")}
    """,
    "meeting": f"""
        select scheduled_on as day,
            {_MEETINGS} || case when was_held then ' held' when not was_held then ' not held' else ' scheduled' end as what,
            concat_ws(', ', case when was_held and went_well then 'went well' when was_held and not went_well then 'did not go well' end,
                'host ' || host) as detail
        {_of("meetings", "scheduled_on <= $as_of")}
    """,
    "message": f"""
        select sent_on as day, 'Sent: ' || replace(kind, '_', ' ') as what,
            concat_ws(', ', case when opened_on <= $as_of then 'opened on ' || {_day("opened_on")} end,
                case when replied_on <= $as_of then 'reply on ' || {_day("replied_on")} end) as detail
        {_of("messages", "sent_on <= $as_of")}
    """,
    "handoff": f"""
        select paid_on as day, 'Handed over by sales' as what, coalesce('deal of ' || {_money("deal_value_cents")}, '') as detail
        {_of("handoffs", "paid_on <= $as_of")}
    """,
    "contract": f"""
        select starts_on as day, 'Contract begins' as what,
            concat_ws(', ', {_money("arr_cents")}, 'until ' || {_day("ends_on")}) as detail
        {_of("contracts", "starts_on <= $as_of")}
        union all
        select decided_on, case outcome when 'churned' then 'Contract lost' else 'Contract renewed' end,
            concat_ws(', ', case when outcome = 'renewed' then {_money("renewed_arr_cents")} end,
                case when outcome = 'renewed' then 'until ' || {_day("renewed_until")} end, reason, 'competitor ' || competitor)
        {_of("contracts", "starts_on <= $as_of and decided_on <= $as_of and outcome is not null")}
        union all
        select ends_on, 'Contract ends undecided', {_money("arr_cents")}
        {_of("contracts", "starts_on <= $as_of and ends_on <= $as_of and (decided_on is null or decided_on > ends_on)")}
    """,
    "subscription": f"""
        select day,
            case
                when before is null then 'First revenue: ARR ' || {_money("after")}
                when before = 0 then 'Returned: ARR ' || {_money("after")}
                when after = 0 then 'Revenue ended: ARR was ' || {_money("before")}
                when after > before then 'ARR up from ' || {_money("before")} || ' to ' || {_money("after")}
                else 'ARR down from ' || {_money("before")} || ' to ' || {_money("after")}
            end as what,
            coalesce((
                select string_agg(distinct coalesce(products.name, line.product_id), ', ')
                from subscription_line line
                inner join one on one.account_id = line.account_id
                left join products on products.product_id = line.product_id
                where line.starts_on = steps.day or line.ends_on = steps.day
            ), '') as detail
        from (
            select day, after, lag(after) over (order by day) as before
            from (
                select from_day as day, mrr_cents * 12 as after {_of("mrr_interval", "from_day <= $as_of")}
                union all
                select to_day, 0 {_of("mrr_interval", "to_day <= $as_of")}
                and to_day not in (select from_day from mrr_interval again inner join one on one.account_id = again.account_id)
            )
        ) steps
        union all
        select starts_on, 'Trial of ' || coalesce(product_id, 'the product'), ''
        {_of("subscriptions", "is_trial and starts_on <= $as_of")}
    """,
    "cta": f"""
        select day,
            case action when 'open' then 'Call to action: ' when 'flag' then 'Flagged: ' when 'unflag' then 'Flag taken back: '
                when 'assign' then 'Assigned: ' when 'snooze' then 'Snoozed: ' when 'close' then 'Closed: '
                when 'reopen' then 'Opened again: ' else 'Note: ' end || reason as what,
            concat_ws(', ', case when action = 'open' then kind end, case when action in ('open', 'assign') then owner end,
                'needs ' || team_needed, case when action = 'snooze' then 'until ' || {_day("snoozed_until")} end,
                replace(closed_as, '_', ' '), nullif(note, ''), case when author <> '' then 'by ' || author end) as detail
        {_of("cta_log", "day <= $as_of")}
    """,
    "note": f"""
        select effective_on as day,
            case when action = 'note' then 'Note' when cast(body ->> 'is_needed' as boolean) then 'Statement of work needed'
                else 'Statement of work no longer needed' end as what,
            concat_ws(', ', nullif(note, ''), 'by ' || author) as detail
        {_of("entry", "topic = 'account' and action in ('note', 'statement_of_work') and effective_on <= $as_of")}
    """,
    "contact": f"""
        select since as day, coalesce(name, contact_id) || ' is the ' || replace(role, '_', ' ') as what, '' as detail
        {_of("contacts", "since <= $as_of")}
        union all
        select left_on, coalesce(name, contact_id) || ', ' || replace(role, '_', ' ') || ', left', coalesce('for ' || moved_to, '')
        {_of("contacts", "left_on <= $as_of")}
    """,
    "opportunity": f"""
        select opened_on as day, 'Expansion deal opened: ' || kind as what, concat_ws(', ', {_money("arr_cents")}, owner) as detail
        {_of("opportunities", "opened_on <= $as_of")}
        union all
        select closed_on, 'Expansion deal ' || stage || ': ' || kind, concat_ws(', ', {_money("arr_cents")}, won_with)
        {_of("opportunities", "opened_on <= $as_of and closed_on <= $as_of and stage <> 'open'")}
    """,
    "renewal": f"""
        select effective_on as day,
            case action when 'step_done' then 'Renewal step done: ' || (body ->> 'step')
                when 'step_reopened' then 'Renewal step opened again: ' || (body ->> 'step')
                when 'call' then 'Own call on the renewal: ' || replace(body ->> 'call', '_', ' ')
                when 'call_withdrawn' then 'Own call on the renewal withdrawn'
                when 'next_step' then 'Next step of the renewal: ' || (body ->> 'text')
                when 'next_step_done' then 'Next step of the renewal done' else 'Note on the renewal' end as what,
            concat_ws(', ', nullif(note, ''), 'by ' || author) as detail
        {_of("entry", "topic = 'renewal' and effective_on <= $as_of")}
    """,
    "promise": f"""
        select made_on as day, 'Promised: ' || promise as what, coalesce('due on ' || {_day("due_on")}, '') as detail
        {_of("promises", "made_on <= $as_of")}
        union all
        select due_on + 1, 'Promise overdue: ' || promise, ''
        {_of("promises", "made_on <= $as_of and due_on < $as_of and (closed_on is null or closed_on > due_on)")}
        union all
        select kept_on, 'Promise kept: ' || promise, ''
        {_of("promises", "made_on <= $as_of and kept_on <= $as_of")}
        union all
        select withdrawn_on, 'Promise withdrawn: ' || promise, ''
        {_of("promises", "made_on <= $as_of and withdrawn_on <= $as_of")}
    """,
}
KINDS = {kind: {"cta": "Call to action", "opportunity": "Deal"}.get(kind, kind.capitalize()) for kind in _ENTRIES}


@metric(needs=("accounts",), reads=("cta", "account", "promise", "renewal"), page="Account")
def account_timeline(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    account_id: str = "",
    kind: tuple[str, ...] = (),
    limit: int = 200,
) -> pd.DataFrame:
    """Everything that happened with one account up to the day, the newest first.

    `kind` keeps only entries of those kinds: usage, health, milestone, ticket, survey, meeting, message, handoff,
    contract, subscription, cta, note, contact, opportunity, renewal (what was written about it), promise. At most `limit` entries are listed;
    `total` counts all.

    Columns:
        day: when it happened
        kind: one of the kinds above
        what: what happened
        detail: amount, person, duration or comment, where there is one
        total: entries of the chosen kinds, those beyond the limit included
    """
    for one in kind:
        if one not in _ENTRIES:
            raise MetricError(f"kind={one} is not possible.{hint(one, KINDS)}")
    parts = [
        f"select day, '{name}' as kind, what, detail from ({text})"
        for name, text in _ENTRIES.items()
        if name in (kind or KINDS)
    ]
    sql = f"""
        with one as (
            select account_id from scope
        ),
        entries as (
            {" union all ".join(parts)}
        )
        select day, kind, what, coalesce(detail, '') as detail, count(*) over () as total
        from entries
        order by day desc, kind, what, detail
        limit $limit
    """
    found = only(store, account_id, as_of, scope)
    return store.frame(sql, scope=found, as_of=as_of, currency=store.config.currency, limit=limit)

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

# Per kind the entries as (day, what, detail); `one` is the account, and nothing dated after $as_of is read. Use is read
# from the weekly and daily sums alone, so that an account with millions of events costs no more than its weeks.
_ENTRIES = {
    "week": f"""
        select week_end as day,
            'Week of ' || {_day("week_end - 6")} || ': ' || times || case when times = 1 then ' use' else ' uses' end
                || case when users > 0 then ' by ' || users || case when users = 1 then ' user' else ' users' end else '' end as what,
            case
                when before is null or (before = 0 and times = 0) then ''
                when before = 0 then 'after a week without use'
                else format('{{:+.0f}}% against the week before', (times * 1.0 / before - 1) * 100)
            end as detail
        from (
            select week_end, times, users, lag(times) over (order by week_end) as before
            from (
                select weeks.week_end, coalesce(sum(mine.times), 0)::bigint as times,
                    count(mine.user_id) filter (mine.user_id <> '') as users
                from weeks
                left join (select * {_of("user_week", "week_end <= $as_of")}) mine on mine.week_end = weeks.week_end
                where weeks.week_end <= $as_of
                    and weeks.week_end >= (select min(week_end) from user_week used inner join one on one.account_id = used.account_id)
                group by weeks.week_end
            )
        )
    """,
    "usage": f"""
        select first_day as day, 'First use of ' || event as what, '' as detail {_of("event_first", "first_day <= $as_of")}
        union all
        select day, 'Used again', 'after ' || {_days("before", "day")} || ' without use'
        from (
            select day, lag(day) over (order by day) as before {_of("account_day", "day <= $as_of")}
        )
        where day - before > $silent_days
        union all
        select last_day, 'Last use before a silence', 'no use in the ' || {_days("last_day", "$as_of::date")} || ' since'
        from (
            select max(day) as last_day {_of("account_day", "day <= $as_of")}
        )
        where $as_of::date - last_day > $silent_days
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
        union all
        select effective_on,
            case action when 'override' then 'Health seen as '
                || concat_ws(', ', body ->> 'colour', round(cast(body ->> 'score' as double), 1))
                else 'Own view of the health withdrawn' end,
            concat_ws(', ', nullif(note, ''), 'until ' || {_day("cast(body ->> 'until' as date)")}, 'by ' || author)
        {_of("entry", "topic = 'health' and effective_on <= $as_of")}
    """,
    "risk": f"""
        select effective_on as day,
            case action when 'cause' then 'Cause of the risk: ' || replace(body ->> 'cause', '_', ' ')
                when 'plan' then 'Plan against the risk' when 'action' then 'Action against the risk: ' || (body ->> 'what')
                when 'change' then 'Action against the risk changed' when 'done' then 'Action against the risk done'
                when 'drop' then 'Action against the risk dropped' else 'No longer at risk' end as what,
            concat_ws(', ', body ->> 'owner', 'due on ' || {_day("cast(body ->> 'due_on' as date)")}, nullif(note, ''), 'by ' || author) as detail
        {_of("entry", "topic = 'risk' and effective_on <= $as_of")}
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
        union all
        select effective_on,
            case action when 'take' then 'Opportunity taken up' when 'postpone' then 'Opportunity put off'
                when 'dismiss' then 'Opportunity dismissed: ' || replace(body ->> 'reason', '_', ' ')
                when 'reopen' then 'Opportunity opened again' else 'Note on an opportunity' end || ' (' || subject || ')',
            concat_ws(', ', body ->> 'owner', 'until ' || {_day("cast(body ->> 'until' as date)")}, nullif(note, ''), 'by ' || author)
        {_of("entry", "topic = 'expansion' and effective_on <= $as_of")}
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
_NAMES = {"week": "Use by week", "cta": "Call to action", "opportunity": "Expansion deal", "usage": "Use"}
KINDS = {
    kind: _NAMES.get(kind, kind.capitalize())
    for kind in sorted(_ENTRIES, key=lambda one: str(_NAMES.get(one, one)).lower())
}
_SILENT_DAYS = 14


@metric(
    needs=("accounts",), reads=("cta", "account", "promise", "renewal", "health", "risk", "expansion"), page="Account"
)
def account_timeline(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    account_id: str = "",
    kind: tuple[str, ...] = (),
    text: str = "",
    from_: dt.date | None = None,
    to: dt.date | None = None,
    limit: int = 200,
    offset: int = 0,
) -> pd.DataFrame:
    """Everything that happened with one account up to the day, the newest first.

    `kind` keeps only entries of those kinds: week (the use of each complete week), usage (first uses, returns after more
    than 14 days of silence), health, milestone, ticket, survey, meeting, message, handoff, contract, subscription, cta,
    note, contact, opportunity, renewal and risk (what was written
    about them), promise; without it all but the weeks of use are listed. `text` keeps entries that hold
    all of its words, `from` and `to` those of a span of days. At most `limit` entries are listed, after leaving out
    `offset`; `total` counts all. Single events are never listed: their weeks are.

    Columns:
        day: when it happened
        kind: one of the kinds above
        what: what happened
        detail: amount, person, duration or comment, where there is one
        total: entries of the chosen kinds, words and days, those beyond the limit included
    """
    for one in kind:
        if one not in _ENTRIES:
            raise MetricError(f"kind={one} is not possible.{hint(one, KINDS)}")
    parts = [
        f"select day, '{name}' as kind, what, detail from ({entries})"
        for name, entries in _ENTRIES.items()
        if (name in kind if kind else name != "week")
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
        where ($from_day::date is null or day >= $from_day) and ($to_day::date is null or day <= $to_day)
            and list_bool_and([
                contains(lower(strip_accents(concat_ws(' ', what, detail))), word)
                for word in string_split(lower(strip_accents($text)), ' ')
            ])
        order by day desc, kind, what, detail
        limit $limit offset $offset
    """
    found = only(store, account_id, as_of, scope)
    bound = {
        "from_day": from_,
        "to_day": to,
        "text": " ".join(text.split()),
        "limit": max(limit, 0),
        "offset": max(offset, 0),
    }
    return store.frame(sql, scope=found, as_of=as_of, currency=store.config.currency, silent_days=_SILENT_DAYS, **bound)

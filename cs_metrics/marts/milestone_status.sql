-- one row per account and milestone of its segment
-- A milestone is complete on its recorded day or on the first day of the event that completes it, the earlier one.
with

wanted as (
    select
        a.account_id,
        a.started_on,
        m.milestone_id,
        m.name,
        m.position,
        m.due_days,
        m.completes_on_event
    from fact_accounts a
    cross join fact_milestones m
    where m.segment is null or m.segment = a.segment
),

recorded as (
    select account_id, milestone_id, min(completed_on) as completed_on
    from fact_milestone_completions
    group by account_id, milestone_id
),

dated as (
    select
        w.account_id,
        w.milestone_id,
        w.name,
        w.position,
        w.started_on,
        w.started_on + cast(w.due_days as integer) as due_on,
        r.completed_on as recorded_on,
        case when f.first_day < w.started_on then w.started_on else f.first_day end as derived_on
    from wanted w
    left join recorded r on r.account_id = w.account_id and r.milestone_id = w.milestone_id
    left join event_first f on f.account_id = w.account_id and f.event = w.completes_on_event
)

select
    account_id,
    milestone_id,
    name,
    position,
    started_on,
    due_on,
    case
        when recorded_on is null then derived_on
        when derived_on is null then recorded_on
        when derived_on < recorded_on then derived_on
        else recorded_on
    end as completed_on
from dated

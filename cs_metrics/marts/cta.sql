-- one row per call to action, handed over or opened by a rule: an overdue milestone, or health that stays red
-- The first opens the day after a milestone fell due without being complete; completion closes it.
select
    cta_id,
    account_id,
    kind,
    reason,
    'imported' as source,
    cast(null as varchar) as milestone_id,
    opened_on,
    due_on,
    owner,
    priority,
    flagged_on,
    unflagged_on,
    team_needed,
    closed_on,
    closed_as
from fact_ctas
union all
select
    'milestone ' || m.milestone_id || ' ' || m.account_id as cta_id,
    m.account_id,
    'lifecycle' as kind,
    'Overdue: ' || m.name as reason,
    'rule' as source,
    m.milestone_id,
    m.due_on + 1 as opened_on,
    m.due_on,
    a.onboarding_manager as owner,
    cast(null as varchar) as priority,
    cast(null as date) as flagged_on,
    cast(null as date) as unflagged_on,
    cast(null as varchar) as team_needed,
    m.completed_on as closed_on,
    case when m.completed_on is not null then 'success' end as closed_as
from milestone_status m
inner join fact_accounts a on a.account_id = m.account_id
where m.completed_on is null or m.completed_on > m.due_on
union all
select
    'health ' || h.account_id || ' ' || cast(h.alerted_week_end as varchar) as cta_id,
    h.account_id,
    'risk' as kind,
    'Red health' as reason,
    'rule' as source,
    cast(null as varchar) as milestone_id,
    h.opened_on,
    h.opened_on + cast(s.alert_due_days as integer) as due_on,
    a.csm as owner,
    cast(null as varchar) as priority,
    cast(null as date) as flagged_on,
    cast(null as date) as unflagged_on,
    cast(null as varchar) as team_needed,
    h.closed_on,
    h.closed_as
from health_alert h
inner join fact_accounts a on a.account_id = h.account_id
cross join settings s

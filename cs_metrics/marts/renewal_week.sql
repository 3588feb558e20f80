-- one row per contract and week at whose end it was running and undecided, in the last 371 days before its end
-- partition: week
-- What a renewal may hang on, each from facts known at the end of the week's Sunday; NULL where nothing is to measure.
-- Segment is as it is now. Only weeks in which the account was a customer are there.
with

running as (
    select
        k.contract_id,
        k.account_id,
        k.starts_on,
        k.ends_on,
        k.arr_cents,
        k.auto_renews,
        a.started_on,
        a.segment,
        w.week_end
    from weeks_part w
    inner join contracts k
        on k.starts_on <= w.week_end
        and k.ends_on > w.week_end
        and k.ends_on <= w.week_end + 371
        and (k.outcome is null or k.decided_on is null or k.decided_on > w.week_end)
    inner join fact_accounts a on a.account_id = k.account_id
),

asked as (
    select distinct account_id, week_end, segment, started_on from running
),

bounds as (
    select min(week_end) as first_week_end, max(week_end) as last_week_end from weeks_part
),

own_action as (
    select distinct segment from key_events where segment <> ''
),

action_first as (
    select k.segment, min(f.first_day) as first_day
    from key_events k
    inner join event_first f on f.event = k.event
    group by k.segment
),

any_first as (
    select min(first_day) as first_day from event_first
),

used as (
    select u.account_id, u.week_end, cast(sum(u.times) as bigint) as times
    from user_week u
    cross join bounds b
    where u.week_end > b.first_week_end - 91 and u.week_end <= b.last_week_end
    group by u.account_id, u.week_end
),

keyed as (
    select e.account_id, k.segment, w.week_end, max(k.times) as needed, cast(sum(e.times) as bigint) as times
    from account_day_event e
    inner join key_events k on k.event = e.event
    inner join days d on d.day = e.day
    inner join weeks w on w.week_start = d.week_start_monday
    cross join bounds b
    where w.week_end > b.first_week_end - 91 and w.week_end <= b.last_week_end
    group by e.account_id, k.segment, w.week_end
),

acting as (
    select
        q.account_id,
        q.week_end,
        q.started_on,
        coalesce(o.segment, '') as own_segment,
        case when f.first_day <= q.week_end then 1 else 0 end as has_action
    from asked q
    cross join any_first y
    left join own_action o on o.segment = q.segment
    left join action_first f on f.segment = coalesce(o.segment, '')
    where y.first_day <= q.week_end
),

key_done as (
    select q.account_id, q.week_end, cast(count(*) as bigint) as weeks
    from acting q
    inner join keyed k
        on k.account_id = q.account_id
        and k.segment = q.own_segment
        and k.week_end <= q.week_end
        and k.week_end > q.week_end - 91
        and k.times >= k.needed
    where q.has_action = 1
    group by q.account_id, q.week_end
),

any_done as (
    select q.account_id, q.week_end, cast(count(*) as bigint) as weeks
    from acting q
    inner join used u
        on u.account_id = q.account_id
        and u.week_end <= q.week_end
        and u.week_end > q.week_end - 91
    group by q.account_id, q.week_end
),

quarter_use as (
    select
        q.account_id,
        q.week_end,
        case when q.has_action = 1 then coalesce(k.weeks, 0) else coalesce(u.weeks, 0) end as key_weeks,
        coalesce(u.weeks, 0) as used_weeks,
        case
            when q.week_end - 90 >= q.started_on then 13
            when q.week_end - 5 >= q.started_on then date_diff('day', q.started_on, q.week_end + 1) / 7.0
        end as weeks
    from acting q
    left join key_done k on k.account_id = q.account_id and k.week_end = q.week_end
    left join any_done u on u.account_id = q.account_id and u.week_end = q.week_end
),

first_ticket as (
    select min(opened_on) as day from fact_tickets
),

asked_for_help as (
    select q.account_id, q.week_end, cast(count(*) as bigint) as tickets
    from asked q
    inner join fact_tickets t
        on t.account_id = q.account_id and t.opened_on <= q.week_end and t.opened_on > q.week_end - 182
    group by q.account_id, q.week_end
),

people as (
    select
        q.account_id,
        q.week_end,
        max(case when k.left_on <= q.week_end and k.left_on > q.week_end - 365 then 1 else 0 end) as sponsor_left
    from asked q
    inner join fact_contacts k
        on k.account_id = q.account_id
        and k.role in ('sponsor', 'decision_maker')
        and (k.since is null or k.since <= q.week_end)
    group by q.account_id, q.week_end
),

first_meeting as (
    select min(scheduled_on) as day from fact_meetings
),

met as (
    select
        q.account_id,
        q.week_end,
        cast(sum(case when m.was_held then 1 else 0 end) as bigint) as held
    from asked q
    inner join fact_meetings m
        on m.account_id = q.account_id and m.scheduled_on <= q.week_end and m.scheduled_on > q.week_end - 182
    group by q.account_id, q.week_end
),

onboarding as (
    select
        q.account_id,
        q.week_end,
        max(case when m.completed_on is null or m.completed_on > q.week_end then 1 else 0 end) as is_waiting,
        max(case when m.completed_on <= q.week_end then date_diff('day', m.started_on, m.completed_on) end) as last_days
    from asked q
    inner join milestone_status m on m.account_id = q.account_id
    group by q.account_id, q.week_end
),

renewals as (
    select
        q.account_id,
        q.week_end,
        cast(count(*) as bigint) as past_renewals,
        max(k.decided_on) as last_on
    from asked q
    inner join contracts k
        on k.account_id = q.account_id and k.outcome = 'renewed' and k.decided_on <= q.week_end
    group by q.account_id, q.week_end
),

discounts as (
    select r.account_id, r.week_end, max(k.discount_percent) as last_discount
    from renewals r
    inner join contracts k
        on k.account_id = r.account_id and k.outcome = 'renewed' and k.decided_on = r.last_on
    group by r.account_id, r.week_end
),

-- Use in 28 days, as the mean of the last three such windows as far as the account was a customer.
windows as (
    select
        q.account_id,
        q.week_end,
        cast(sum(a.active_user_share) as double) / nullif(count(a.active_user_share), 0) as active_user_share,
        cast(sum(a.active_days) as double) / nullif(count(a.active_days), 0) as active_days,
        cast(sum(a.core_feature_share) as double) / nullif(count(a.core_feature_share), 0) as core_feature_share,
        cast(sum(a.core_days) as double) / nullif(count(a.core_days), 0) as core_days
    from asked q
    inner join account_week a
        on a.account_id = q.account_id
        and a.week_end in (q.week_end, q.week_end - 28, q.week_end - 56)
    group by q.account_id, q.week_end
),

billed as (
    select
        q.account_id,
        q.week_end,
        cast(sum(l.mrr_cents) as bigint) as all_cents,
        cast(sum(case when l.billing is not null then l.mrr_cents else 0 end) as bigint) as known_cents,
        cast(sum(case when l.billing = 'monthly' then l.mrr_cents else 0 end) as bigint) as monthly_cents
    from asked q
    inner join subscription_line l
        on l.account_id = q.account_id
        and l.starts_on <= q.week_end
        and (l.ends_on is null or l.ends_on > q.week_end)
    group by q.account_id, q.week_end
)

select
    c.contract_id,
    c.account_id,
    c.week_end,
    c.starts_on,
    c.ends_on,
    date_diff('day', c.week_end, c.ends_on) as days_left,
    date_diff('day', c.starts_on, c.ends_on) as term_days,
    c.arr_cents,
    c.auto_renews,
    c.segment,
    date_diff('day', c.started_on, c.week_end) as age_days,
    coalesce(r.past_renewals, 0) as past_renewals,
    i.last_discount,
    b.monthly_cents / nullif(cast(b.known_cents as double), 0) as monthly_share,
    a.mrr_cents,
    y.mrr_cents as mrr_cents_year_ago,
    u.key_weeks / nullif(cast(u.weeks as double), 0) as key_weeks,
    u.used_weeks / nullif(cast(u.weeks as double), 0) as used_weeks,
    q.active_user_share,
    q.active_days,
    q.core_feature_share,
    q.core_days,
    a.times,
    m.times as times_before,
    case when ft.day <= c.week_end then coalesce(t.tickets, 0) end as tickets,
    a.stuck_tickets,
    a.days_to_close,
    a.nps,
    a.csat,
    a.outcome_ratio,
    p.sponsor_left,
    a.sponsor_in_place,
    case when fm.day <= c.week_end then coalesce(e.held, 0) end as meetings_held,
    a.days_since_meeting,
    case
        when o.is_waiting = 0 and o.last_days <= s.onboarding_days then 1
        when o.is_waiting = 0 then 0
        when o.is_waiting = 1 and c.week_end >= c.started_on + cast(s.onboarding_days as integer) then 0
    end as onboarded,
    case when o.is_waiting = 0 then o.last_days end as go_live_days,
    a.seats
from running c
cross join settings s
cross join first_ticket ft
cross join first_meeting fm
inner join account_week a on a.account_id = c.account_id and a.week_end = c.week_end
left join windows q on q.account_id = c.account_id and q.week_end = c.week_end
left join account_week y on y.account_id = c.account_id and y.week_end = c.week_end - 364
left join account_week m on m.account_id = c.account_id and m.week_end = c.week_end - 28
left join quarter_use u on u.account_id = c.account_id and u.week_end = c.week_end
left join asked_for_help t on t.account_id = c.account_id and t.week_end = c.week_end
left join people p on p.account_id = c.account_id and p.week_end = c.week_end
left join met e on e.account_id = c.account_id and e.week_end = c.week_end
left join onboarding o on o.account_id = c.account_id and o.week_end = c.week_end
left join renewals r on r.account_id = c.account_id and r.week_end = c.week_end
left join discounts i on i.account_id = c.account_id and i.week_end = c.week_end
left join billed b on b.account_id = c.account_id and b.week_end = c.week_end
order by c.week_end, c.contract_id

-- one row per account and week, up to that of the newest day, at whose end the account had MRR
-- partition: week
-- The raw measures of health, each from facts known at the end of the week's Sunday; NULL where nothing is to measure.
-- A core feature is an event listed for a core product, or a core product that lists no event.
with

customers as (
    select i.account_id, w.week_end, a.started_on, a.segment, i.mrr_cents
    from weeks_part w
    inner join mrr_interval i
        on i.from_day <= w.week_end and (i.to_day is null or i.to_day > w.week_end)
    inner join fact_accounts a on a.account_id = i.account_id
),

four_weeks as (
    select w.week_end, p.week_end as used_week_end
    from weeks_part w
    inner join weeks p on p.week_end <= w.week_end and p.week_end > w.week_end - 28
),

four_weeks_days as (
    select w.week_end, d.day
    from weeks_part w
    inner join days d on d.day <= w.week_end and d.day > w.week_end - 28
),

people as (
    select
        u.account_id,
        f.week_end,
        cast(count(distinct case when u.user_id <> '' then u.user_id end) as bigint) as active_users
    from four_weeks f
    inner join user_week u on u.week_end = f.used_week_end
    group by u.account_id, f.week_end
),

activity as (
    select a.account_id, f.week_end, cast(count(*) as bigint) as active_days, cast(sum(a.times) as bigint) as times
    from four_weeks_days f
    inner join account_day a on a.day = f.day
    group by a.account_id, f.week_end
),

core_products as (
    select product_id from fact_products where coalesce(is_core, kind = 'core')
),

core_events as (
    select distinct e.event
    from fact_product_events e
    inner join core_products p on p.product_id = e.product_id
),

core_alone as (
    select p.product_id
    from core_products p
    left join fact_product_events e on e.product_id = p.product_id
    where e.product_id is null
),

core_features as (
    select 'event ' || event as feature from core_events
    union all
    select 'product ' || product_id as feature from core_alone
),

core_count as (
    select cast(count(*) as bigint) as core_features from core_features
),

core_daily as (
    select a.account_id, a.day, 'event ' || a.event as feature
    from account_day_event a
    inner join core_events c on c.event = a.event
    union all
    select p.account_id, p.day, 'product ' || p.product_id as feature
    from product_day p
    inner join core_alone c on c.product_id = p.product_id
),

core as (
    select
        c.account_id,
        f.week_end,
        cast(count(distinct c.feature) as bigint) as core_features_used,
        cast(count(distinct c.day) as bigint) as core_days
    from four_weeks_days f
    inner join core_daily c on c.day = f.day
    group by c.account_id, f.week_end
),

first_use as (
    select account_id, min(first_day) as first_event_on from event_first group by account_id
),

first_person as (
    select account_id, min(week_end) as first_week_end from user_week where user_id <> '' group by account_id
),

product_seats as (
    select
        c.account_id,
        c.week_end,
        coalesce(l.product_id, '') as product_id,
        cast(sum(l.seats) as bigint) as seats
    from customers c
    inner join subscription_line l
        on l.account_id = c.account_id
        and l.starts_on <= c.week_end
        and (l.ends_on is null or l.ends_on > c.week_end)
    where l.seats > 0
    group by c.account_id, c.week_end, coalesce(l.product_id, '')
),

bought as (
    select account_id, week_end, max(seats) as seats from product_seats group by account_id, week_end
),

named_users as (
    select c.account_id, c.week_end, cast(count(*) as bigint) as known_users
    from customers c
    inner join fact_users u
        on u.account_id = c.account_id
        and (u.created_on is null or u.created_on <= c.week_end)
        and (u.deactivated_on is null or u.deactivated_on > c.week_end)
    group by c.account_id, c.week_end
),

support as (
    select
        c.account_id,
        c.week_end,
        cast(sum(case
            when t.closed_on is not null and t.closed_on <= c.week_end then 0
            when t.priority = 'urgent' or t.opened_on < c.week_end - 14 then 1
            else 0
        end) as bigint) as stuck_tickets,
        cast(sum(case
            when t.closed_on <= c.week_end and t.closed_on > c.week_end - 90 then 1 else 0
        end) as bigint) as closed_tickets,
        cast(sum(case
            when t.closed_on <= c.week_end and t.closed_on > c.week_end - 90
                then date_diff('day', t.opened_on, t.closed_on)
            else 0
        end) as bigint) as days_to_close_sum,
        cast(sum(case when t.opened_on > c.week_end - 90 then 1 else 0 end) as bigint) as tickets_90
    from customers c
    inner join fact_tickets t on t.account_id = c.account_id and t.opened_on <= c.week_end
    group by c.account_id, c.week_end
),

answers as (
    select
        c.account_id,
        c.week_end,
        cast(sum(case when s.kind = 'nps' then cast(floor(s.score * 100 + 0.5) as bigint) else 0 end) as bigint) as nps_sum,
        cast(sum(case when s.kind = 'nps' then 1 else 0 end) as bigint) as nps_answers,
        cast(sum(case when s.kind = 'csat' then cast(floor(s.score * 100 + 0.5) as bigint) else 0 end) as bigint) as csat_sum,
        cast(sum(case when s.kind = 'csat' then 1 else 0 end) as bigint) as csat_answers
    from customers c
    inner join fact_surveys s
        on s.account_id = c.account_id
        and s.answered_on <= c.week_end
        and s.answered_on > c.week_end - 180
    group by c.account_id, c.week_end
),

known_months as (
    select w.week_end, max(m.month_index) as last_index
    from weeks_part w
    inner join months m on m.month_end <= w.week_end
    group by w.week_end
),

results as (
    select o.account_id, o.metric, m.month_index, max(o.value) as result
    from fact_outcomes o
    inner join months m on m.month <= o.month and o.month <= m.month_end
    group by o.account_id, o.metric, m.month_index
),

six_months as (
    select
        r.account_id,
        r.metric,
        k.week_end,
        max(case when r.month_index = k.last_index then r.result end) as back_1,
        max(case when r.month_index = k.last_index - 1 then r.result end) as back_2,
        max(case when r.month_index = k.last_index - 2 then r.result end) as back_3,
        max(case when r.month_index = k.last_index - 3 then r.result end) as back_4,
        max(case when r.month_index = k.last_index - 4 then r.result end) as back_5,
        max(case when r.month_index = k.last_index - 5 then r.result end) as back_6
    from known_months k
    inner join results r on r.month_index <= k.last_index and r.month_index > k.last_index - 6
    group by r.account_id, r.metric, k.week_end
),

ratios as (
    select
        account_id,
        week_end,
        (back_1 + back_2 + back_3) / nullif(back_4 + back_5 + back_6, 0) as ratio
    from six_months
    where back_1 + back_2 + back_3 is not null and back_4 + back_5 + back_6 > 0
),

outcome as (
    select
        account_id,
        week_end,
        cast(sum(cast(floor(case
            when ratio > 1000 then 1000 when ratio < -1000 then -1000 else ratio
        end * 1000000 + 0.5) as bigint)) as bigint) as ratio_ppm_sum,
        cast(count(*) as bigint) as metrics
    from ratios
    group by account_id, week_end
),

deciders as (
    select
        c.account_id,
        c.week_end,
        max(case
            when k.role in ('sponsor', 'decision_maker') and (k.left_on is null or k.left_on > c.week_end) then 1
            else 0
        end) as sponsor_in_place
    from customers c
    inner join fact_contacts k
        on k.account_id = c.account_id and (k.since is null or k.since <= c.week_end)
    group by c.account_id, c.week_end
),

met as (
    select
        c.account_id,
        c.week_end,
        max(case when m.was_held then m.scheduled_on end) as last_held_on,
        min(m.scheduled_on) as first_scheduled_on
    from customers c
    inner join fact_meetings m on m.account_id = c.account_id and m.scheduled_on <= c.week_end
    group by c.account_id, c.week_end
),

ending as (
    select c.account_id, c.week_end, min(k.ends_on) as ends_on
    from customers c
    inner join fact_contracts k
        on k.account_id = c.account_id and k.starts_on <= c.week_end and k.ends_on > c.week_end
    group by c.account_id, c.week_end
)

select
    c.account_id,
    c.week_end,
    c.segment,
    case
        when c.week_end < c.started_on + cast(s.onboarding_days as integer) then 'onboarding'
        when e.ends_on <= c.week_end + cast(s.renewal_window_days as integer) then 'renewal'
        else 'adoption'
    end as stage,
    c.mrr_cents,
    coalesce(b.seats, n.known_users) as seats,
    b.seats as seats_bought,
    case when h.first_week_end <= c.week_end then coalesce(p.active_users, 0) end as active_users,
    case when f.first_event_on <= c.week_end then coalesce(a.times, 0) end as times,
    case when f.first_event_on <= c.week_end and k.core_features > 0
        then coalesce(o.core_features_used, 0) end as core_features_used,
    case when k.core_features > 0 then k.core_features end as core_features,
    case when f.first_event_on <= c.week_end and k.core_features > 0
        then coalesce(o.core_features_used, 0) / nullif(cast(k.core_features as double), 0) end as core_feature_share,
    case when f.first_event_on <= c.week_end and k.core_features > 0 then coalesce(o.core_days, 0) end as core_days,
    case when h.first_week_end <= c.week_end
        then coalesce(p.active_users, 0) / nullif(cast(coalesce(b.seats, n.known_users) as double), 0) end as active_user_share,
    case when f.first_event_on <= c.week_end then coalesce(a.active_days, 0) end as active_days,
    t.stuck_tickets,
    t.days_to_close_sum / nullif(cast(t.closed_tickets as double), 0) as days_to_close,
    t.tickets_90,
    r.nps_sum / nullif(cast(r.nps_answers * 100 as double), 0) as nps,
    r.csat_sum / nullif(cast(r.csat_answers * 100 as double), 0) as csat,
    u.ratio_ppm_sum / nullif(cast(u.metrics * 1000000 as double), 0) as outcome_ratio,
    d.sponsor_in_place,
    date_diff('day', coalesce(m.last_held_on, m.first_scheduled_on), c.week_end) as days_since_meeting
from customers c
cross join settings s
cross join core_count k
left join people p on p.account_id = c.account_id and p.week_end = c.week_end
left join activity a on a.account_id = c.account_id and a.week_end = c.week_end
left join core o on o.account_id = c.account_id and o.week_end = c.week_end
left join first_use f on f.account_id = c.account_id
left join first_person h on h.account_id = c.account_id
left join bought b on b.account_id = c.account_id and b.week_end = c.week_end
left join named_users n on n.account_id = c.account_id and n.week_end = c.week_end
left join support t on t.account_id = c.account_id and t.week_end = c.week_end
left join answers r on r.account_id = c.account_id and r.week_end = c.week_end
left join outcome u on u.account_id = c.account_id and u.week_end = c.week_end
left join deciders d on d.account_id = c.account_id and d.week_end = c.week_end
left join met m on m.account_id = c.account_id and m.week_end = c.week_end
left join ending e on e.account_id = c.account_id and e.week_end = c.week_end
order by c.week_end, c.account_id

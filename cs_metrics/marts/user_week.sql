-- one row per account, user and week with any event
-- partition: week
with

active as (
    select e.account_id, e.user_id, w.week_end, e.day, cast(sum(e.times) as bigint) as times
    from user_day_event e
    inner join days d on d.day = e.day
    inner join weeks_part w on w.week_start = d.week_start_monday
    group by e.account_id, e.user_id, w.week_end, e.day
)

select
    account_id,
    user_id,
    week_end,
    cast(sum(times) as bigint) as times,
    cast(count(*) as bigint) as days
from active
group by account_id, user_id, week_end
order by account_id, week_end, user_id

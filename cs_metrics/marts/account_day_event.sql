-- one row per account, day and event name
-- partition: month
select
    account_id,
    day,
    event,
    cast(sum(times) as bigint) as times,
    cast(sum(case when user_id <> '' then 1 else 0 end) as bigint) as users
from user_day_event_part
group by account_id, day, event
order by account_id, day, event

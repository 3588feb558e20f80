-- one row per account and day with any event
-- partition: month
with

user_days as (
    select account_id, user_id, day, cast(sum(times) as bigint) as times
    from user_day_event_part
    group by account_id, user_id, day
)

select
    account_id,
    day,
    cast(sum(times) as bigint) as times,
    cast(sum(case when user_id <> '' then 1 else 0 end) as bigint) as users
from user_days
group by account_id, day
order by account_id, day

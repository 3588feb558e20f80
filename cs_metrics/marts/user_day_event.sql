-- one row per account, user, day and event name
-- partition: month
-- An event without a user counts under the empty user.
select
    account_id,
    coalesce(user_id, '') as user_id,
    occurred_on as day,
    event,
    cast(count(*) as bigint) as times
from fact_events_part
group by account_id, coalesce(user_id, ''), occurred_on, event
order by account_id, day, user_id, event

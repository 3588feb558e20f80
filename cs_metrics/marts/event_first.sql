-- one row per account and event name
select account_id, event, min(day) as first_day
from account_day_event
group by account_id, event
order by account_id, event

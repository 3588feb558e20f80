-- one row per account, product and day on which the product was used
-- partition: month
-- An event names its product itself; else every product that lists the event's name was used.
with

named as (
    select account_id, product_id, occurred_on as day, coalesce(user_id, '') as user_id
    from fact_events_part
    where product_id is not null
),

listed as (
    select e.account_id, p.product_id, e.occurred_on as day, coalesce(e.user_id, '') as user_id
    from fact_events_part e
    inner join fact_product_events p on p.event = e.event
    where e.product_id is null
),

used as (
    select account_id, product_id, day, user_id, cast(count(*) as bigint) as times
    from named
    group by account_id, product_id, day, user_id
    union all
    select account_id, product_id, day, user_id, cast(count(*) as bigint) as times
    from listed
    group by account_id, product_id, day, user_id
),

by_user as (
    select account_id, product_id, day, user_id, cast(sum(times) as bigint) as times
    from used
    group by account_id, product_id, day, user_id
)

select
    account_id,
    product_id,
    day,
    cast(sum(times) as bigint) as times,
    cast(sum(case when user_id <> '' then 1 else 0 end) as bigint) as users
from by_user
group by account_id, product_id, day
order by account_id, product_id, day

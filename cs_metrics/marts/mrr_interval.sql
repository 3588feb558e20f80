-- one row per account and span of days with the same MRR above 0
-- Half-open: from_day <= day < to_day; an open span has no to_day. known_from is the day from which the next span is known.
with

edges as (
    select account_id, starts_on as day, mrr_cents as change_cents from subscription_line where mrr_cents > 0
    union all
    select account_id, ends_on as day, -mrr_cents as change_cents from subscription_line
    where mrr_cents > 0 and ends_on is not null
),

daily as (
    select account_id, day, cast(sum(change_cents) as bigint) as change_cents
    from edges
    group by account_id, day
),

changes as (
    select account_id, day, change_cents from daily where change_cents <> 0
),

levels as (
    select
        account_id,
        day as from_day,
        cast(sum(change_cents) over (
            partition by account_id order by day rows between unbounded preceding and current row
        ) as bigint) as mrr_cents,
        lead(day) over (partition by account_id order by day) as to_day
    from changes
)

select account_id, from_day, to_day, mrr_cents
from levels
where mrr_cents > 0

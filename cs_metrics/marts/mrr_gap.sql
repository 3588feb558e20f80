-- one row per account and span of days without MRR between two spans with MRR
-- The gap is known to be closed from its to_day on; mrr_cents is the level before it.
with

spans as (
    select
        account_id,
        to_day as gap_from,
        lead(from_day) over (partition by account_id order by from_day) as gap_to,
        mrr_cents
    from mrr_interval
)

select account_id, gap_from as from_day, gap_to as to_day, date_diff('day', gap_from, gap_to) as gap_days, mrr_cents
from spans
where gap_to > gap_from

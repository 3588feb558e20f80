-- one row per account and month with MRR above 0 at the end of the month's last day
select i.account_id, m.month, m.month_end, i.mrr_cents
from mrr_interval i
inner join months m
    on m.month_end >= i.from_day
    and (i.to_day is null or m.month_end < i.to_day)

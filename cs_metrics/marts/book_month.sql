-- one row per account and month at whose beginning the account had MRR
-- The book that a month opens with, its billing (that of the largest part of MRR) and what is left of it at the month's end.
with

billed as (
    select
        l.account_id,
        m.month_index,
        coalesce(l.billing, '') as billing,
        cast(sum(l.mrr_cents) as bigint) as mrr_cents
    from subscription_line l
    inner join months m
        on m.month_end >= l.starts_on
        and (l.ends_on is null or m.month_end < l.ends_on)
    where l.mrr_cents > 0
    group by l.account_id, m.month_index, coalesce(l.billing, '')
),

ranked as (
    select
        account_id,
        month_index,
        billing,
        row_number() over (partition by account_id, month_index order by mrr_cents desc, billing) as place
    from billed
),

final as (
    select
        o.account_id,
        n.month,
        n.month_end,
        r.billing,
        o.mrr_cents as opening_cents,
        coalesce(c.mrr_cents, 0) as closing_cents
    from mrr_month o
    inner join months m on m.month = o.month
    inner join months n on n.month_index = m.month_index + 1
    inner join ranked r on r.account_id = o.account_id and r.month_index = m.month_index and r.place = 1
    left join mrr_month c on c.account_id = o.account_id and c.month = n.month
)

select account_id, month, month_end, billing, opening_cents, closing_cents
from final

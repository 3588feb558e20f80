-- one row per priced line for one term
-- A line is converted at the rate of its first day, so that a rate never moves MRR inside a term.
select
    s.subscription_id,
    s.account_id,
    s.starts_on,
    s.ends_on,
    case when c.is_reporting then s.mrr_cents
        else cast(floor(s.mrr_cents * r.rate + 0.5) as bigint) end as mrr_cents,
    s.product_id,
    s.seats,
    s.billing,
    s.is_trial
from fact_subscriptions s
inner join account_currency c on c.account_id = s.account_id
left join rate_interval r
    on r.currency = c.currency
    and r.valid_from <= s.starts_on
    and (r.valid_to is null or r.valid_to > s.starts_on)

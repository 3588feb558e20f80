-- one row per account handed over by sales
-- The deal value is converted at the rate of the day of payment.
select
    h.account_id,
    h.paid_at,
    h.paid_on,
    case when c.is_reporting then h.deal_value_cents
        else cast(floor(h.deal_value_cents * r.rate + 0.5) as bigint) end as deal_value_cents,
    h.sales_cycle_days,
    h.implementation_days,
    h.has_profile,
    h.has_order,
    h.has_technical_needs,
    h.has_expected_outcomes
from fact_handoffs h
inner join account_currency c on c.account_id = h.account_id
left join rate_interval r
    on r.currency = c.currency
    and r.valid_from <= h.paid_on
    and (r.valid_to is null or r.valid_to > h.paid_on)

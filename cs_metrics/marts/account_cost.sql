-- one row per account with a known acquisition cost
-- Converted at the rate of the account's first day.
select
    a.account_id,
    case when c.is_reporting then a.acquisition_cost_cents
        else cast(floor(a.acquisition_cost_cents * r.rate + 0.5) as bigint) end as acquisition_cost_cents
from fact_accounts a
inner join account_currency c on c.account_id = a.account_id
left join rate_interval r
    on r.currency = c.currency
    and r.valid_from <= a.started_on
    and (r.valid_to is null or r.valid_to > a.started_on)
where a.acquisition_cost_cents is not null

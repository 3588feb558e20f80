-- one row per renewable commitment
-- Amounts are converted at the rate of the contract's first day.
select
    k.contract_id,
    k.account_id,
    k.starts_on,
    k.ends_on,
    case when c.is_reporting then k.arr_cents
        else cast(floor(k.arr_cents * r.rate + 0.5) as bigint) end as arr_cents,
    k.auto_renews,
    k.owner,
    k.outcome,
    k.decided_on,
    case when c.is_reporting then k.renewed_arr_cents
        else cast(floor(k.renewed_arr_cents * r.rate + 0.5) as bigint) end as renewed_arr_cents,
    k.renewed_until,
    k.reason,
    k.competitor,
    k.discount_percent,
    k.forecast
from fact_contracts k
inner join account_currency c on c.account_id = k.account_id
left join rate_interval r
    on r.currency = c.currency
    and r.valid_from <= k.starts_on
    and (r.valid_to is null or r.valid_to > k.starts_on)

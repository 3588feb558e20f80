-- one row per expansion deal
-- The amount is converted at the rate of the day on which the deal was opened.
select
    o.opportunity_id,
    o.account_id,
    o.kind,
    o.opened_on,
    o.closed_on,
    o.stage,
    case when c.is_reporting then o.arr_cents
        else cast(floor(o.arr_cents * r.rate + 0.5) as bigint) end as arr_cents,
    o.product_id,
    o.owner,
    o.won_with
from fact_opportunities o
inner join account_currency c on c.account_id = o.account_id
left join rate_interval r
    on r.currency = c.currency
    and r.valid_from <= o.opened_on
    and (r.valid_to is null or r.valid_to > o.opened_on)

-- one row per currency and span of days in which a rate holds
select
    currency,
    valid_from,
    lead(valid_from) over (partition by currency order by valid_from) as valid_to,
    rate
from fact_rates

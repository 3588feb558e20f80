-- one row per account
-- An account without a currency pays in the reporting one.
select
    a.account_id,
    coalesce(a.currency, s.currency) as currency,
    coalesce(a.currency, s.currency) = s.currency as is_reporting
from fact_accounts a
cross join settings s

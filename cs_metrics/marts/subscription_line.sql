-- one row per priced line for one term that counts as committed revenue
-- Trials and empty terms never count.
select subscription_id, account_id, product_id, starts_on, ends_on, seats, billing, mrr_cents
from subscriptions
where
    coalesce(is_trial, false) = false
    and (ends_on is null or ends_on > starts_on)

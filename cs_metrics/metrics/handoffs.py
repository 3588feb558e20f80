"""The passage from sales to customer success: is what is needed handed over, and how soon is the customer greeted."""

import datetime as dt

import pandas as pd

from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["handoff_completeness"]


@metric(needs=("handoffs",), page="Onboarding")
def handoff_completeness(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, last_days: int = 365, target_minutes: int = 30
) -> pd.DataFrame:
    """Per salesperson: of the accounts handed over in the last year, how many came with nothing missing.

    An account is handed over with a gap when profile, order, technical needs or expected outcomes are not there, or it
    is not known whether they are. The greeting is the first message sent to the account from its payment on, as known
    on the as-of day. The salesperson with the most gaps comes first.

    Formula: share = complete ÷ accounts.
    Columns:
        salesperson: as now, empty where unknown
        accounts: accounts paid in the last `last_days` days
        complete: those of them with all four parts
        share: complete ÷ accounts, empty below min_accounts
        without_profile, without_order, without_technical_needs, without_expected_outcomes: accounts that lack that part
        greeted: accounts with a message since payment
        median_minutes: median minutes from payment to the first message, of the greeted ones
        greeted_in_time: accounts greeted within `target_minutes`
        opened_welcome: accounts that opened a welcome message
    """
    sql = """
    with paid as (
        select handoffs.*, coalesce(accounts.salesperson, '') as salesperson
        from handoffs
        inner join scope on scope.account_id = handoffs.account_id
        inner join accounts on accounts.account_id = handoffs.account_id
        where handoffs.paid_on <= $as_of and handoffs.paid_on > $as_of::date - $last_days::integer
    ),
    greetings as (
        select
            paid.account_id,
            date_diff('second', paid.paid_at, min(messages.sent_at)) / 60.0 as minutes,
            max(case when messages.kind = 'welcome' and messages.opened_on <= $as_of then 1 else 0 end) as opened_welcome
        from paid
        inner join messages
            on messages.account_id = paid.account_id and messages.sent_at >= paid.paid_at and messages.sent_on <= $as_of
        group by paid.account_id, paid.paid_at
    ),
    checked as (
        select
            paid.*,
            coalesce(has_profile and has_order and has_technical_needs and has_expected_outcomes, false) as is_complete,
            greetings.minutes,
            greetings.opened_welcome
        from paid
        left join greetings on greetings.account_id = paid.account_id
    )
    select
        salesperson,
        count(*) as accounts,
        count(*) filter (is_complete) as complete,
        case when count(*) >= $min_accounts then count(*) filter (is_complete)::double / count(*) end as share,
        count(*) filter (not coalesce(has_profile, false)) as without_profile,
        count(*) filter (not coalesce(has_order, false)) as without_order,
        count(*) filter (not coalesce(has_technical_needs, false)) as without_technical_needs,
        count(*) filter (not coalesce(has_expected_outcomes, false)) as without_expected_outcomes,
        count(minutes) as greeted,
        median(minutes)::double as median_minutes,
        count(*) filter (minutes <= $target_minutes) as greeted_in_time,
        coalesce(sum(opened_welcome), 0)::bigint as opened_welcome
    from checked
    group by salesperson
    order by count(*) - complete desc, accounts desc, salesperson
    """
    return store.frame(
        sql,
        scope=scope,
        as_of=as_of,
        last_days=last_days,
        target_minutes=target_minutes,
        min_accounts=store.config.min_accounts,
    )

"""Who is in onboarding on a day, with which open calls to action and milestones: the SQL under the onboarding metrics."""

import datetime as dt
from collections.abc import Sequence

import pandas as pd

from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store

__all__ = ["PROGRESS", "STATES", "arr_sql", "ask", "score_sql"]

# One row per day of $days and account in onboarding on it, with what was known at the end of that day.
STATES = """
    asked as (
        select cast(unnest($days) as date) as day
    ),
    newcomers as (
        select
            asked.day,
            accounts.account_id,
            coalesce(accounts.onboarding_manager, '') as onboarding_manager,
            coalesce(accounts.segment, '') as segment,
            accounts.started_on,
            mrr_interval.mrr_cents * 12 as arr_cents
        from asked
        inner join accounts
            on accounts.started_on <= asked.day
            and ($everyone or accounts.started_on + $onboarding_days::integer > asked.day)
        inner join scope on scope.account_id = accounts.account_id
        inner join mrr_interval
            on mrr_interval.account_id = accounts.account_id
            and mrr_interval.from_day <= asked.day
            and (mrr_interval.to_day is null or mrr_interval.to_day > asked.day)
    ),
    calls as (
        select newcomers.day, cta_state.*
        from newcomers
        inner join cta_state
            on cta_state.account_id = newcomers.account_id
            and cta_state.from_day <= newcomers.day
            and (cta_state.to_day is null or cta_state.to_day > newcomers.day)
            and cta_state.is_open
        qualify row_number() over (
            partition by newcomers.day, cta_state.account_id, cta_state.kind, cta_state.reason
            order by cta_state.is_flagged desc, cta_state.opened_on, cta_state.cta_id
        ) = 1
    ),
    counted as (
        select
            day,
            account_id,
            count(*) as open_ctas,
            count(*) filter (is_flagged) as flagged_ctas,
            count(*) filter (due_on < day) as overdue_ctas
        from calls
        group by day, account_id
    ),
    states as (
        select
            newcomers.*,
            coalesce(counted.open_ctas, 0) as open_ctas,
            coalesce(counted.flagged_ctas, 0) as flagged_ctas,
            coalesce(counted.overdue_ctas, 0) as overdue_ctas,
            case
                when counted.flagged_ctas > 0 then 'red'
                when counted.open_ctas > 0 then 'yellow'
                else 'green'
            end as colour
        from newcomers
        left join counted on counted.day = newcomers.day and counted.account_id = newcomers.account_id
    )"""

# One row per account with its milestones as known on $as_of.
PROGRESS = """
    progress as (
        select
            account_id,
            count(case when due_on < $as_of and is_open then 1 end) as overdue_milestones,
            arg_min(case when is_open then name end, position) as next_milestone,
            arg_min(case when is_open then due_on end, position) as next_due_on
        from (
            select *, completed_on is null or completed_on > $as_of as is_open
            from milestone_status
            order by position, milestone_id
        )
        group by account_id
    )"""


def ask(
    store: Store,
    sql: str,
    as_of: dt.date,
    scope: Scope,
    *,
    days: Sequence[dt.date] | None = None,
    everyone: bool = False,
    **params: object,
) -> pd.DataFrame:
    """Run a query over STATES as of each of `days` (the as-of day alone by default).

    `everyone` takes all customers instead of those in their first days.
    """
    return store.frame(
        sql,
        scope=scope,
        as_of=as_of,
        days=[as_of] if days is None else list(days),
        onboarding_days=store.config.onboarding.days,
        everyone=everyone,
        **params,
    )


def arr_sql(colour: str) -> str:
    """Return the SQL for the ARR of the accounts of a colour."""
    return f"coalesce(sum(states.arr_cents) filter (states.colour = '{colour}'), 0)::double / 100"


def score_sql() -> str:
    """Return the SQL for the risk score: the ARR-weighted mean of green 100, yellow 50, red 0."""
    points = "case states.colour when 'green' then 100 when 'yellow' then 50 else 0 end"
    return f"sum({points} * states.arr_cents)::double / nullif(sum(states.arr_cents), 0)"

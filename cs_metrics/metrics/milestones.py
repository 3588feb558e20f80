"""The milestones of onboarding: how many accounts complete each, how long the step takes, and where they stall."""

import datetime as dt

import pandas as pd

from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.survival import CUSTOMER_SPANS, days_until, kaplan_meier
from cs_metrics.store import Store

__all__ = ["milestone_funnel"]

# One row per account and milestone: when it reached the step and left it, as known on $as_of.
_STEPS = f"""
    with {CUSTOMER_SPANS},
    steps as (
        select
            milestone_status.account_id,
            milestone_status.milestone_id,
            milestone_status.name as milestone,
            milestone_status.position,
            milestone_status.started_on,
            milestone_status.due_on,
            case when completed_on <= $as_of then greatest(completed_on, milestone_status.started_on) end as done_on,
            customer_spans.account_id is not null and customer_spans.lost_on is null as is_customer,
            coalesce(customer_spans.lost_on, $as_of::date) as seen_until
        from milestone_status
        inner join scope on scope.account_id = milestone_status.account_id
        inner join accounts on accounts.account_id = milestone_status.account_id
        left join customer_spans on customer_spans.account_id = milestone_status.account_id
        where milestone_status.started_on <= $as_of and ($segment = '' or accounts.segment = $segment)
    ),
    entered as (
        select
            *,
            coalesce(count(*) over before_it, 0) = coalesce(count(done_on) over before_it, 0) as is_reached,
            greatest(max(done_on) over before_it, started_on) as reached_on
        from steps
        window before_it as (
            partition by account_id order by position range between unbounded preceding and 1 preceding
        )
    )
    select
        position,
        milestone_id,
        milestone,
        done_on is not null as is_done,
        is_customer and is_reached and done_on is null and due_on < $as_of as is_stalled,
        is_reached and reached_on <= seen_until as is_reached,
        greatest(date_diff('day', reached_on, least(done_on, seen_until)), 0) as step_days,
        coalesce(done_on <= seen_until, false) as is_timed,
        greatest(date_diff('day', started_on, least(done_on, seen_until)), 0) as start_days
    from entered
    order by position, milestone_id, account_id
"""


@metric(needs=("milestones",), page="Onboarding")
def milestone_funnel(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, segment: str = "") -> pd.DataFrame:
    """Per milestone: of the accounts that have started and for whose segment it is meant, how many completed it.

    A milestone is complete on its recorded day or on the first day of the event that completes it. An account reaches
    a step when all earlier positions are complete. Times are medians by Kaplan-Meier: accounts that have not completed
    the step are counted to the as-of day, or to their loss of all MRR.

    Formula: share = completed ÷ accounts.
    Columns:
        position: place in the order
        milestone: its name
        accounts: accounts that have started, of the milestone's segment
        completed: those of them that completed it by the as-of day
        share: completed ÷ accounts, empty below min_accounts
        median_days: days in the step, from reaching it to completing it; empty where fewer than half completed it
        stalled: customers that have reached the step, not completed it, and are past its due day
        median_days_from_start: days from the account's start to completing it
        milestone_id: the milestone
    """
    steps = store.frame(_STEPS, scope=scope, as_of=as_of, segment=segment)
    rows = [_row(group, store.config.min_accounts) for _, group in steps.groupby(["position", "milestone_id"])]
    columns = [
        "position",
        "milestone",
        "accounts",
        "completed",
        "share",
        "median_days",
        "stalled",
        "median_days_from_start",
        "milestone_id",
    ]
    return pd.DataFrame(rows, columns=columns)


def _row(steps: pd.DataFrame, min_accounts: int) -> dict[str, object]:
    reached = steps[steps["is_reached"]]
    completed = int(steps["is_done"].sum())
    return {
        "position": int(steps["position"].iloc[0]),
        "milestone": steps["milestone"].iloc[0],
        "accounts": len(steps),
        "completed": completed,
        "share": completed / len(steps) if len(steps) >= min_accounts else float("nan"),
        "median_days": days_until(kaplan_meier(reached["step_days"], reached["is_timed"]), 0.5),
        "stalled": int(steps["is_stalled"].sum()),
        "median_days_from_start": days_until(kaplan_meier(steps["start_days"], steps["is_timed"]), 0.5),
        "milestone_id": steps["milestone_id"].iloc[0],
    }

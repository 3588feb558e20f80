"""Does an incomplete hand-off go along with slower onboarding?"""

import datetime as dt

import numpy as np
import pandas as pd
from scipy import stats

from cs_metrics.metrics.milestone_steps import STEPS, wait_of
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.survival import kaplan_meier
from cs_metrics.store import Store

__all__ = ["handoff_effect", "handoff_effect_curves", "stratified_log_rank"]

_GROUPS = ("complete", "gaps")

# One row per account handed over that has started: with or without gaps, and how long its onboarding took.
_FOLLOWED = f"""
    with {STEPS},
    ends as (
        select
            account_id,
            any_value(started_on) as started_on,
            any_value(seen_until) as seen_until,
            case when count(*) = count(done_on) then max(done_on) end as complete_on
        from steps
        group by account_id
    )
    select
        case when has_profile and has_order and has_technical_needs and has_expected_outcomes
            then 'complete' else 'gaps' end as "group",
        coalesce(accounts.segment, '') as segment,
        greatest(date_diff('day', ends.started_on, least(ends.complete_on, ends.seen_until)), 0) as days,
        coalesce(ends.complete_on <= ends.seen_until, false) as has_completed
    from handoffs
    inner join scope on scope.account_id = handoffs.account_id
    inner join accounts on accounts.account_id = handoffs.account_id
    inner join ends on ends.account_id = handoffs.account_id
    where handoffs.paid_on <= $as_of
    order by handoffs.account_id
"""


@metric(needs=("handoffs", "milestones"), page="Onboarding")
def handoff_effect(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Days from the start to the completion of all milestones, of accounts handed over complete and of those with gaps.

    All accounts that were handed over and have started, by Kaplan-Meier: those that have not completed are counted to
    the as-of day, or to their loss of all MRR. Gaps are those of handoff_completeness. The probability compares the
    two within each segment, so that a salesperson who sells to slow segments does not make the difference. It shows
    what goes along with gaps, not what they cause.

    Columns:
        group: complete, gaps
        accounts: accounts of that group
        completed: those of them that completed all milestones while they were customers
        median_days: days from the start to completion, empty below min_accounts or when fewer than half completed
        low_days, high_days: 95 % interval of the median, high_days empty where it has no end yet
        log_rank_p: probability of so large a difference of the two if there were none, the same in both rows; empty
            where a group is below min_accounts or nobody completed
    Source: Kaplan and Meier 1958; Brookmeyer and Crowley 1982; log-rank test by strata (Mantel 1966).
    """
    seen = store.frame(_FOLLOWED, scope=scope, as_of=as_of)
    rows = []
    for name in _GROUPS:
        group = seen[seen["group"] == name]
        wait = wait_of(group["days"].to_numpy(), group["has_completed"].to_numpy())
        is_shown = len(group) >= store.config.min_accounts
        rows.append(
            {
                "group": name,
                "accounts": len(group),
                "completed": int(group["has_completed"].sum()),
                "median_days": wait.median if is_shown else float("nan"),
                "low_days": wait.low if is_shown else float("nan"),
                "high_days": wait.high if is_shown else float("nan"),
            }
        )
    found = pd.DataFrame(rows)
    is_enough = bool((found["accounts"] >= max(store.config.min_accounts, 1)).all())
    found["log_rank_p"] = stratified_log_rank(seen) if is_enough else float("nan")
    return found


@metric(needs=("handoffs", "milestones"), page="Onboarding")
def handoff_effect_curves(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """The two curves under handoff_effect: the share of accounts that have not completed onboarding, by days from the start.

    Columns:
        group: complete, gaps; a group below min_accounts has no curve
        time_days: days from the start
        at_risk, events: accounts seen up to that day that had not completed, and those that completed on it
        survival: share that has not completed by the end of that day
        low, high: 95 % interval
    Source: Kaplan and Meier 1958.
    """
    seen = store.frame(_FOLLOWED, scope=scope, as_of=as_of)
    curves = []
    for name in _GROUPS:
        group = seen[seen["group"] == name]
        shown = group if len(group) >= store.config.min_accounts else group.iloc[:0]
        curves.append(kaplan_meier(shown["days"].to_numpy(), shown["has_completed"].to_numpy()).assign(group=name))
    found = pd.concat(curves, ignore_index=True)
    return found[["group", "time_days", "at_risk", "events", "survival", "low", "high"]]


def stratified_log_rank(seen: pd.DataFrame) -> float:
    """Return the probability of so large a difference between the groups complete and gaps, compared within segments.

    `seen` has group, segment, days and has_completed; NaN where no day tells the two apart. With one segment it is
    the usual log-rank test.
    """
    difference = variance = 0.0
    for _, part in seen.groupby("segment"):
        days, happened = part["days"].to_numpy(dtype=np.float64), part["has_completed"].to_numpy(dtype=bool)
        first = part["group"].to_numpy() == _GROUPS[0]
        at, events = np.unique(days[happened], return_counts=True)
        if not at.size:
            continue
        at_risk = len(part) - np.searchsorted(np.sort(days), at, side="left")
        of_first = first.sum() - np.searchsorted(np.sort(days[first]), at, side="left")
        own = np.sort(days[happened & first])
        own_events = np.searchsorted(own, at, side="right") - np.searchsorted(own, at, side="left")
        share = of_first / at_risk
        difference += float((own_events - events * share).sum())
        variance += float((events * share * (1 - share) * (at_risk - events) / np.maximum(at_risk - 1, 1)).sum())
    return float(stats.chi2.sf(difference**2 / variance, 1)) if variance > 0 else float("nan")

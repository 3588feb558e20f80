"""Does completing onboarding keep customers: the 90/10 test, its survival curves, and who is in it and who is not.

The comparison begins at a landmark some days after the start, with the accounts that are still customers then: an
account that left before it could complete onboarding would otherwise make the test true by construction.
"""

import datetime as dt
from typing import Any

import pandas as pd
from scipy import stats

from cs_metrics.metrics.actions import key_action
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.retention import check_days, share_at
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.survival import CUSTOMER_SPANS, kaplan_meier
from cs_metrics.store import Store

__all__ = ["FOLLOWED", "ninety_ten", "ninety_ten_accounts", "ninety_ten_curves"]

_GROUPS = ("completed", "not_completed")
_STANDINGS = (*_GROUPS, "left_before", "not_paying", "too_young", "no_milestones")
_RULE = 0.1  # the share that the 90/10 rule expects to stay without completed onboarding
_LEAST_P = 0.05

# One row per account that was a customer on its landmark, and how long it was seen after it.
FOLLOWED = f"""
    with {CUSTOMER_SPANS},
    landmarks as (
        select accounts.account_id, accounts.started_on, accounts.started_on + $landmark_days::integer as landmark_on
        from accounts
        inner join scope on scope.account_id = accounts.account_id
        where accounts.started_on + $landmark_days::integer <= $as_of
    ),
    followed as (
        select
            landmarks.account_id,
            landmarks.started_on,
            landmarks.landmark_on,
            date_diff('day', landmarks.landmark_on, coalesce(customer_spans.lost_on, $as_of::date)) as days,
            customer_spans.lost_on is not null as is_lost
        from landmarks
        inner join mrr_interval
            on mrr_interval.account_id = landmarks.account_id
            and mrr_interval.from_day <= landmarks.landmark_on
            and (mrr_interval.to_day is null or mrr_interval.to_day > landmarks.landmark_on)
        inner join customer_spans on customer_spans.account_id = landmarks.account_id
    )"""

_BY_MILESTONES = """
    complete as (
        select
            milestone_status.account_id,
            count(*) = count(case when completed_on <= milestone_status.started_on + $landmark_days::integer then 1 end)
                as is_complete
        from milestone_status
        inner join scope on scope.account_id = milestone_status.account_id
        where milestone_status.started_on + $landmark_days::integer <= $as_of
        group by milestone_status.account_id
    )"""

_BY_KEY_ACTION = """
    done as (
        {first_days}
    ),
    complete as (
        select landmarks.account_id, coalesce(done.first_day <= landmarks.landmark_on, false) as is_complete
        from landmarks
        left join done on done.account_id = landmarks.account_id
    )"""

# One row per account that has started: where it stands in the test, and for those in it how long it was seen.
_STANDING = f"""
    {FOLLOWED},
    {{complete}}
    select
        case
            when landmarks.account_id is null then 'too_young'
            when followed.account_id is null and coalesce(customer_spans.first_paid_on <= landmarks.landmark_on, false)
                then 'left_before'
            when followed.account_id is null then 'not_paying'
            when complete.account_id is null then 'no_milestones'
            when complete.is_complete then 'completed'
            else 'not_completed'
        end as standing,
        followed.days,
        followed.is_lost
    from accounts
    inner join scope on scope.account_id = accounts.account_id
    left join landmarks on landmarks.account_id = accounts.account_id
    left join followed on followed.account_id = accounts.account_id
    left join customer_spans on customer_spans.account_id = accounts.account_id
    left join complete on complete.account_id = accounts.account_id
    where accounts.started_on <= $as_of
    order by accounts.account_id
"""


@metric(needs=("subscriptions",), page="Onboarding")
def ninety_ten(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, landmark_days: int = 90, horizon_days: int = 365
) -> pd.DataFrame:
    """Customers on day 90 after their start: the share still there a year later, of those that had completed onboarding and of the rest.

    Completed are accounts with all milestones of their segment complete by the landmark; where no milestones are
    loaded, those with a first key action by then. Retention is Kaplan-Meier from the landmark on: a loss is the loss
    of all MRR, final as known on the as-of day, and accounts still there are counted as long as they were seen. The
    accounts that are in neither group are in ninety_ten_accounts.

    Formula: retained = Kaplan-Meier share without loss `horizon_days` after the landmark, `landmark_days` after the start.
    Columns:
        group: completed, not_completed
        accounts: customers on their landmark, of that group
        retained: the share still there, empty below min_accounts or when nobody was seen that long
        low, high: 95 % interval of retained (where nobody or everybody was lost the exact binomial one)
        log_rank_p: probability of so large a difference of the two curves if there were none, the same in both rows
        lost: accounts lost so far
        verdict: the same in both rows; holds: the curves differ (p < 0.05) and the rest stays at about 10 % (its interval
            reaches 10 % and its share is at most 20 %); partly: they differ and more than that stays; reversed: those that
            completed stay less; no_difference: not to be told from chance; not_known: too few accounts, or not for long enough
    Source: landmark analysis (Anderson, Cain and Gelber 1983); log-rank test (Mantel 1966) by scipy.stats.logrank.
    """
    check_days(landmark_days, horizon_days)
    groups = _groups(_standings(store, as_of, scope, landmark_days))
    least = store.config.min_accounts
    p = _log_rank([group for _, group in groups], least)
    rows: list[dict[str, Any]] = []
    for name, group in groups:
        share, low, high = share_at(group["days"], group["is_lost"], horizon_days)
        few = len(group) < least
        rows.append(
            {
                "group": name,
                "accounts": len(group),
                "retained": float("nan") if few else share,
                "low": float("nan") if few else low,
                "high": float("nan") if few else high,
                "log_rank_p": p,
                "lost": int(group["is_lost"].sum()),
            }
        )
    return pd.DataFrame(rows).assign(verdict=_verdict(rows[0]["retained"], rows[1], p))


@metric(needs=("subscriptions",), page="Onboarding")
def ninety_ten_curves(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, landmark_days: int = 90
) -> pd.DataFrame:
    """The two survival curves under the 90/10 test: the share of customers not yet lost, by days since the landmark.

    Groups and losses are those of ninety_ten.

    Columns:
        group: completed, not_completed
        time_days: days since the landmark
        at_risk, events: accounts seen up to that day, and those lost on it
        survival: share not lost by the end of that day
        low, high: 95 % interval
    Source: Kaplan and Meier 1958.
    """
    check_days(landmark_days)
    groups = _groups(_standings(store, as_of, scope, landmark_days))
    curves = [kaplan_meier(group["days"], group["is_lost"]).assign(group=name) for name, group in groups]
    return pd.concat(curves, ignore_index=True)[["group", "time_days", "at_risk", "events", "survival", "low", "high"]]


@metric(needs=("subscriptions",), page="Onboarding")
def ninety_ten_accounts(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, landmark_days: int = 90
) -> pd.DataFrame:
    """Where every account that has started stands in the 90/10 test: compared in one of its groups, or left out and why.

    Columns:
        group: completed, not_completed (the two that are compared); left_before: had MRR, and none on day 90;
            not_paying: no MRR up to day 90; too_young: not 90 days old; no_milestones: none is meant for its segment
        accounts: accounts; all rows together are every account that has started by the as-of day
        is_compared: whether the group is one of the two of the test
    """
    check_days(landmark_days)
    counts = _standings(store, as_of, scope, landmark_days)["standing"].value_counts()
    return pd.DataFrame(
        {
            "group": list(_STANDINGS),
            "accounts": [int(counts.get(one, 0)) for one in _STANDINGS],
            "is_compared": [one in _GROUPS for one in _STANDINGS],
        }
    )


def _standings(store: Store, as_of: dt.date, scope: Scope, landmark_days: int) -> pd.DataFrame:
    """Return standing, days and is_lost of every account that has started."""
    bound: dict[str, Any] = {}
    complete = _BY_MILESTONES
    if not store.has("milestones"):
        store.need("events", "The 90/10 test")
        action = key_action(store, as_of)
        complete = _BY_KEY_ACTION.format(first_days=action.first_days())
        bound.update(action.params)
    sql = _STANDING.format(complete=complete)
    return store.frame(sql, scope=scope, as_of=as_of, landmark_days=landmark_days, **bound)


def _groups(standings: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the accounts of the two groups that are compared."""
    seen = [(name, standings[standings["standing"] == name]) for name in _GROUPS]
    return [(name, group.astype({"days": "int64", "is_lost": "bool"})) for name, group in seen]


def _log_rank(groups: list[pd.DataFrame], min_accounts: int) -> float:
    if min(len(one) for one in groups) < min_accounts or not any(one["is_lost"].any() for one in groups):
        return float("nan")
    censored = [stats.CensoredData.right_censored(one["days"], ~one["is_lost"].to_numpy()) for one in groups]
    return float(stats.logrank(*censored).pvalue)


def _verdict(completed: float, rest: dict[str, Any], p: float) -> str:
    """Return whether the 90/10 rule holds; see ninety_ten."""
    if completed != completed or rest["retained"] != rest["retained"]:
        return "not_known"
    if not p < _LEAST_P:
        return "no_difference"
    if completed < rest["retained"]:
        return "reversed"
    return "holds" if rest["low"] <= _RULE and rest["retained"] <= 2 * _RULE else "partly"

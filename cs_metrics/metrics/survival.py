"""Time until something happens, with those to whom it has not happened yet counted for as long as they were seen.

`kaplan_meier` is the one estimator; every median of days and every retention over a horizon comes from it.
"""

import datetime as dt
import warnings
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from cs_metrics.metrics.actions import KeyAction, chosen_action
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["CUSTOMER_SPANS", "days_until", "kaplan_meier", "survival", "time_to_value"]

_CURVE = ["time_days", "at_risk", "events", "survival", "low", "high"]
_ROUNDING = 1e-9

# One row per account that had MRR by $as_of: its first day with MRR, and the day of its loss where it has none now.
CUSTOMER_SPANS = """
    customer_spans as (
        select
            account_id,
            min(from_day) as first_paid_on,
            case when max(case when to_day is null or to_day > $as_of then 1 else 0 end) = 0 then max(to_day) end as lost_on
        from mrr_interval
        where from_day <= $as_of
        group by account_id
    )"""

_SUBSCRIPTIONS = f"""
    with {CUSTOMER_SPANS}
    select
        date_diff('day', first_paid_on, coalesce(lost_on, $as_of::date)) as days,
        lost_on is not null as has_happened
    from customer_spans
    inner join scope on scope.account_id = customer_spans.account_id
"""

_ONBOARDING = f"""
    with {CUSTOMER_SPANS},
    finished as (
        select
            milestone_status.account_id,
            case when count(*) = count(case when completed_on <= $as_of then 1 end) then max(completed_on) end as done_on
        from milestone_status
        inner join scope on scope.account_id = milestone_status.account_id
        group by milestone_status.account_id
    ),
    ends as (
        select accounts.started_on, finished.done_on, coalesce(customer_spans.lost_on, $as_of::date) as seen_until
        from finished
        inner join accounts on accounts.account_id = finished.account_id
        left join customer_spans on customer_spans.account_id = finished.account_id
        where accounts.started_on <= $as_of
    )
    select
        greatest(date_diff('day', started_on, least(done_on, seen_until)), 0) as days,
        coalesce(done_on <= seen_until, false) as has_happened
    from ends
"""

_FIRST_VALUE = """
    with {spans},
    first_action as (
        {first_days}
    ),
    ends as (
        select
            accounts.started_on,
            case when first_action.first_day < accounts.started_on then accounts.started_on
                else first_action.first_day end as done_on,
            coalesce(customer_spans.lost_on, $as_of::date) as seen_until
        from accounts
        inner join scope on scope.account_id = accounts.account_id
        left join first_action on first_action.account_id = accounts.account_id
        left join customer_spans on customer_spans.account_id = accounts.account_id
        where accounts.started_on <= $as_of
    )
    select
        greatest(date_diff('day', started_on, least(done_on, seen_until)), 0) as days,
        coalesce(done_on <= seen_until, false) as has_happened
    from ends
"""


@metric(page="Onboarding")
def survival(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    from_table: Literal["subscriptions", "onboarding", "events"] = "subscriptions",
) -> pd.DataFrame:
    """The share of accounts to which something has not happened yet so many days after their beginning.

    from_table=subscriptions: the loss of all MRR, from the first day with MRR; a loss counts when the account has no
    MRR on the as-of day, so that a closed gap is none. onboarding: the completion of all milestones of the account's
    segment, from its start. events: the first key action, from its start. Accounts to which it has not happened are
    counted as long as they were seen: to the as-of day, or to their loss of all MRR.

    Formula: S(t) = Π over days d ≤ t of (1 − events(d) ÷ at risk(d)); interval on the log(−log) scale.
    Columns:
        time_days: days since the beginning; the first row is day 0, the last one the longest time seen
        at_risk: accounts seen up to that day to which it had not happened before
        events: accounts to which it happened on that day
        survival: the share to which it has not happened by the end of that day
        low, high: 95 % interval of the share, empty where it reaches 0
    Source: Kaplan and Meier 1958; Kalbfleisch and Prentice 1980 for the interval; computed by scipy.stats.ecdf.
    """
    if from_table == "subscriptions":
        store.need("subscriptions", "The survival of customers")
        seen = store.frame(_SUBSCRIPTIONS, scope=scope, as_of=as_of)
    elif from_table == "onboarding":
        store.need("milestones", "The time to complete onboarding")
        seen = store.frame(_ONBOARDING, scope=scope, as_of=as_of)
    else:
        seen = _first_value(store, as_of, scope, chosen_action(store, as_of))
    return kaplan_meier(seen["days"].to_numpy(), seen["has_happened"].to_numpy())


@metric(needs=("events",), page="Onboarding")
def time_to_value(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    event: tuple[str, ...] = (),
    key_action: str = "",
) -> pd.DataFrame:
    """Days from an account's start to its first key action: the day by which a quarter, half and three quarters had it.

    Of all accounts that have started by the as-of day, by Kaplan-Meier: an account without the action yet is counted
    as long as it was seen, to the as-of day or to its loss of all MRR, and not left out. An action before the start
    (in a trial) counts as day 0. `event` is the action (`*`: any), or `key_action` a configured one by its name; by
    default it is of each account the key action configured for its segment.

    Formula: median = the first day on which the Kaplan-Meier share without the action is at most one half.
    Columns:
        accounts: accounts that have started
        reached: those of them that did the action while they were seen
        median_days, p25_days, p75_days: days, empty where too few reached it to know
    Source: Kaplan and Meier 1958.
    """
    action = chosen_action(store, as_of, event, key_action)
    seen = _first_value(store, as_of, scope, action)
    curve = kaplan_meier(seen["days"].to_numpy(), seen["has_happened"].to_numpy())
    found = pd.DataFrame(
        {
            "accounts": [len(seen)],
            "reached": [int(seen["has_happened"].sum())],
            "median_days": [days_until(curve, 0.5)],
            "p25_days": [days_until(curve, 0.25)],
            "p75_days": [days_until(curve, 0.75)],
        }
    )
    found.attrs["note"] = action.note
    return found


def kaplan_meier(days: npt.ArrayLike, has_happened: npt.ArrayLike) -> pd.DataFrame:
    """Return the Kaplan-Meier curve of times, some of them censored, with the columns of the survival metric.

    `days` is the time to the event, or how long its absence was seen; `has_happened` tells which. Events come before
    censorings of the same day. There are rows for day 0, each day with an event and the longest time seen.
    """
    time, happened = np.asarray(days, dtype=np.float64), np.asarray(has_happened, dtype=bool)
    if time.size == 0:
        return pd.DataFrame({name: pd.Series(dtype="int64" if name in _CURVE[:3] else "float64") for name in _CURVE})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the interval has no value where the share is 0 or 1
        curve = stats.ecdf(stats.CensoredData.right_censored(time, ~happened)).sf
        interval = curve.confidence_interval(0.95, method="log-log")
    at = curve.quantiles
    ordered, events_at = np.sort(time), np.sort(time[happened])
    found = pd.DataFrame(
        {
            "time_days": at.astype("int64"),
            "at_risk": time.size - np.searchsorted(ordered, at, side="left"),
            "events": np.searchsorted(events_at, at, side="right") - np.searchsorted(events_at, at, side="left"),
            "survival": curve.probabilities,
            "low": np.where(curve.probabilities == 1, 1.0, interval.low.probabilities),
            "high": np.where(curve.probabilities == 1, 1.0, interval.high.probabilities),
        }
    )
    found = found.loc[(found["events"] > 0) | (found["time_days"] == at[-1])]
    if found["time_days"].iloc[0] > 0:
        begin = pd.DataFrame([[0, time.size, 0, 1.0, 1.0, 1.0]], columns=_CURVE)
        found = pd.concat([begin, found])
    curve_rows: pd.DataFrame = found.reset_index(drop=True)
    return curve_rows


def days_until(curve: pd.DataFrame, share: float) -> float:
    """Return the first day by which it had happened to that share, NaN where the curve does not get there."""
    reached = curve.loc[curve["survival"] <= 1 - share + _ROUNDING, "time_days"]
    return float(reached.iloc[0]) if len(reached) else float("nan")


def _first_value(store: Store, as_of: dt.date, scope: Scope, action: KeyAction) -> pd.DataFrame:
    store.need("events", "The time to first value")
    first_days = action.first_days(["first_day <= $as_of"])
    sql = _FIRST_VALUE.format(spans=CUSTOMER_SPANS, first_days=first_days)
    return store.frame(sql, scope=scope, as_of=as_of, **action.params)

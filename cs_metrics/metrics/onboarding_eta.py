"""When will each account have completed its onboarding, judged by what became of others in the same place; and was that right before."""

import datetime as dt
from typing import Literal

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics.completion import Outlook, Past, outlook, past
from cs_metrics.metrics.milestone_steps import STEPS
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["COMPLETE", "PREDICTED", "TOO_FEW", "UNLIKELY", "onboarding_eta", "onboarding_eta_backtest"]

COMPLETE, PREDICTED = "complete", "predicted"
UNLIKELY, TOO_FEW = "unlikely to complete", "not enough histories"
_ORDER = {UNLIKELY: 0, PREDICTED: 1, TOO_FEW: 2, COMPLETE: 3}
_FOLLOW_UP = 2  # a prediction is judged after so many times the length of onboarding

# One row per customer with milestones that is in its first days or has not completed them, and where it stands.
_STANDING = f"""
    with {STEPS},
    standing as (
        select
            account_id,
            count(*) as milestones,
            count(done_on) as completed,
            max(due_on) as plan_on,
            case when count(*) = count(done_on) then max(done_on) end as complete_on,
            min(position) filter (done_on is null) as next_position
        from steps
        group by account_id
    ),
    places as (
        select
            steps.account_id,
            min(steps.milestone_id) as place,
            arg_min(steps.milestone, steps.milestone_id) filter (steps.done_on is null) as next_milestone,
            min(steps.due_on) filter (steps.done_on is null) as next_due_on,
            any_value(steps.opened_on) as opened_on
        from steps
        inner join standing on standing.account_id = steps.account_id and standing.next_position = steps.position
        group by steps.account_id
    )
    select
        standing.account_id,
        accounts.name,
        coalesce(accounts.segment, '') as segment,
        coalesce(accounts.onboarding_manager, '') as onboarding_manager,
        standing.milestones,
        standing.completed,
        standing.plan_on,
        standing.complete_on,
        places.place,
        places.next_milestone,
        places.next_due_on,
        case when places.next_due_on < $as_of then date_diff('day', places.next_due_on, $as_of::date) else 0 end as days_overdue,
        date_diff('day', places.opened_on, $as_of::date) as waiting_days,
        date_diff('day', accounts.started_on, $as_of::date) as days_since_start,
        mrr_interval.mrr_cents * 12::double / 100 as arr
    from standing
    inner join scope on scope.account_id = standing.account_id
    inner join accounts on accounts.account_id = standing.account_id
    inner join mrr_interval
        on mrr_interval.account_id = standing.account_id
        and mrr_interval.from_day <= $as_of
        and (mrr_interval.to_day is null or mrr_interval.to_day > $as_of)
    left join places on places.account_id = standing.account_id
    where case when accounts.started_on + $onboarding_days::integer > $as_of then $show <> 'later'
        else $show <> 'in_onboarding' and standing.complete_on is null end
    order by standing.account_id
"""

_COMPLETED = f"""
    with {STEPS}
    select account_id, max(done_on) as actual_on
    from steps
    group by account_id
    having count(*) = count(done_on) and max(done_on) <= any_value(seen_until)
"""


@metric(needs=("milestones", "subscriptions"), page="Onboarding")
def onboarding_eta(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    show: Literal["all", "in_onboarding", "later"] = "all",
) -> pd.DataFrame:
    """When each account will have completed all its milestones: the likely day, with an 80 % interval, and how likely it is at all.

    Listed are the customers in their first `onboarding.days` and the later ones that have not completed all
    milestones; `show` leaves one of the two. An account stands in its first step that is not complete, for so many days. Its histories are the
    accounts that had once stood in the same step for as long and were still customers: of its segment where there are
    at least `onboarding.min_histories`, else of all accounts. From that day on each history completed everything, was
    lost, or is counted as long as it was seen, all as known on the as-of day. A history counts towards
    `min_histories` when its end is known or it was followed for `onboarding.days`. The filter narrows the accounts
    that are listed, never the histories.

    The days are those of the histories that completed: half of them did so by predicted_on, four fifths between
    low_on and high_on. Where fewer than half ever completed no day is named: it is "unlikely to complete".

    Formula: complete_share = Aalen-Johansen share of the histories that completed; predicted_on = as-of day + the day
        by which half of that share had.
    Columns:
        account_id, name: the account
        state: predicted, unlikely to complete, not enough histories, or complete
        next_milestone: the first step by position that is not complete, empty where all are
        next_due_on: its due day
        days_overdue: days past that due day, 0 when it has not passed
        predicted_on: day by which all milestones are likely to be complete
        low_on, high_on: 80 % interval of that day
        complete_share: share of the histories that ever completed, as far as they were seen
        plan_on: due day of the last milestone
        days_behind: predicted_on minus plan_on; negative when earlier
        histories: how many accounts the prediction stands on
        based_on: their segment, or all accounts
        completed, milestones: milestones complete, and all of the account's
        complete_on: day on which the last milestone was complete
        waiting_days: days in the present step
        days_since_start: days from the start
        segment, onboarding_manager: as now
        arr: ARR on the as-of day, reporting currency
    Source: Aalen and Johansen 1978; landmark analysis (Anderson, Cain and Gelber 1983); Wilks 1941 for the interval.
    """
    found = store.frame(_STANDING, scope=scope, as_of=as_of, show=show, onboarding_days=store.config.onboarding.days)
    today = pd.Timestamp(as_of).as_unit("us")
    found = pd.concat([found, _outlooks(found, past(store, as_of))], axis=1)
    for day, days in (("predicted_on", "middle"), ("low_on", "low"), ("high_on", "high")):
        known = found[days].where(found["state"] == PREDICTED)
        found[day] = (today + pd.to_timedelta(known, unit="D")).astype("datetime64[us]")
    found["days_behind"] = (found["predicted_on"] - found["plan_on"]).dt.days.astype("Int64")
    found["order"] = found["state"].map(_ORDER)
    found = found.sort_values(
        ["order", "days_behind", "arr", "account_id"], ascending=[True, False, False, True], ignore_index=True
    )
    return found[_COLUMNS]


@metric(needs=("milestones", "subscriptions"), page="Onboarding")
def onboarding_eta_backtest(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, quarters: int = 8
) -> pd.DataFrame:
    """Was the predicted completion right: as of past quarter-ends, how many completions fell inside their 80 % interval.

    Each prediction is made with what was known on its day, and judged by what is known on the as-of day: the quarters
    that ended at least twice `onboarding.days` ago, the newest `quarters` of them. Judged are the accounts that were
    given a day and have completed; a good interval holds about 80 % of them. Of all accounts with enough histories,
    also of those called unlikely, the share that was expected to complete stands beside the share that did.

    Formula: inside_share = inside ÷ completed; completed_share = ever_completed ÷ judged.
    Columns:
        made_on: day of the prediction
        predicted: accounts that were given a day
        completed: those of them that have completed since
        inside: those of them that completed inside the interval
        inside_share: inside ÷ completed, empty below min_accounts
        median_error_days: median of actual minus predicted day, of the completed ones
        judged: accounts with enough histories
        expected_share: mean of their complete_share, empty below min_accounts
        ever_completed: those of them that have completed since
        completed_share: ever_completed ÷ judged, empty below min_accounts
    """
    if quarters < 1:
        raise MetricError("quarters must be at least 1.")
    newest = periods.add_days(as_of, -_FOLLOW_UP * store.config.onboarding.days)
    first = max(store.oldest_day, periods.add_months(periods.quarter_start(newest), -3 * quarters))
    ends = [periods.period_end(one, "quarter") for one in periods.periods_between(first, newest, "quarter")]
    actual = store.frame(_COMPLETED, as_of=as_of)
    rows = [_judged(store, day, scope, actual) for day in ends if day <= newest][-quarters:]
    return pd.DataFrame(rows, columns=_BACKTEST).astype({"made_on": "datetime64[us]"})


_COLUMNS = [
    "account_id", "name", "state", "next_milestone", "next_due_on", "days_overdue", "predicted_on", "low_on", "high_on",
    "complete_share", "plan_on", "days_behind", "histories", "based_on", "completed", "milestones", "complete_on",
    "waiting_days", "days_since_start", "segment", "onboarding_manager", "arr",
]  # fmt: skip
_BACKTEST = [
    "made_on", "predicted", "completed", "inside", "inside_share", "median_error_days", "judged", "expected_share",
    "ever_completed", "completed_share",
]  # fmt: skip


def _outlooks(standing: pd.DataFrame, histories: Past) -> pd.DataFrame:
    """Return the outlook of each account and the state that follows from it."""
    known: dict[tuple[str, str, int], Outlook] = {}
    rows: list[tuple[object, ...]] = []
    for segment, place, waited in standing[["segment", "place", "waiting_days"]].itertuples(index=False, name=None):
        if place != place:
            rows.append((COMPLETE, None, "", np.nan, np.nan, np.nan, np.nan))
            continue
        key = segment, place, waited
        if key not in known:
            known[key] = outlook(histories, *key)
        seen = known[key]
        rows.append((_state(seen.share), seen.histories, seen.based_on, seen.share, seen.low, seen.middle, seen.high))
    columns = ["state", "histories", "based_on", "complete_share", "low", "middle", "high"]
    found = pd.DataFrame(rows, columns=columns, index=standing.index)
    kinds = {"state": "str", "histories": "Int64", "based_on": "str", **dict.fromkeys(columns[3:], "float64")}
    return found.astype(kinds)


def _state(share: float) -> str:
    if share != share:
        return TOO_FEW
    return PREDICTED if share >= 0.5 else UNLIKELY


def _judged(store: Store, day: dt.date, scope: Scope, actual: pd.DataFrame) -> dict[str, object]:
    made = onboarding_eta(store, as_of=day, scope=scope).merge(actual, on="account_id", how="left")
    judged = made[made["state"].isin((PREDICTED, UNLIKELY))]
    predicted = judged[judged["state"] == PREDICTED]
    done = predicted[predicted["actual_on"].notna()]
    inside = int(done["actual_on"].between(done["low_on"], done["high_on"]).sum())
    ever = int(judged["actual_on"].notna().sum())
    fewest = max(store.config.min_accounts, 1)
    unknown = float("nan")
    return {
        "made_on": pd.Timestamp(day),
        "predicted": len(predicted),
        "completed": len(done),
        "inside": inside,
        "inside_share": inside / len(done) if len(done) >= fewest else unknown,
        "median_error_days": float((done["actual_on"] - done["predicted_on"]).dt.days.median())
        if len(done)
        else unknown,
        "judged": len(judged),
        "expected_share": float(judged["complete_share"].mean()) if len(judged) >= fewest else unknown,
        "ever_completed": ever,
        "completed_share": ever / len(judged) if len(judged) >= fewest else unknown,
    }

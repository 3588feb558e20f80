"""What a week of delay costs: retention by the week in which onboarding was complete, and the slope through it.

Compared are customers on the landmark that had completed by then, each by its own week, from the landmark on: an
account could not have left before it, so that being late cannot hide a loss.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from cs_metrics.metrics.actions import key_action
from cs_metrics.metrics.first_value import FOLLOWED
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.retention import Flags, Numbers, check_days, pseudo_values, share_at
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["Slope", "Until", "delay_cost", "delay_groups", "weekly_slope"]

Until = Literal["onboarding", "first_value"]

_WEEK = 7
_GROUPS = 6
_NAN = float("nan")

# One row per account for which it is meant, with the day on which it had it as known on $as_of, if it had.
_ONBOARDING = """
    done as (
        select
            milestone_status.account_id,
            case when count(*) = count(case when completed_on <= $as_of then 1 end) then max(completed_on) end as done_on
        from milestone_status
        inner join scope on scope.account_id = milestone_status.account_id
        group by milestone_status.account_id
    )"""
_FIRST_VALUE = """
    first_action as (
        {first_days}
    ),
    done as (
        select scope.account_id, first_action.first_day as done_on
        from scope
        left join first_action on first_action.account_id = scope.account_id
    )"""

_COMPARED = f"""
    {FOLLOWED},
    {{done}}
    select
        coalesce(accounts.segment, '') as segment,
        case when done.done_on <= followed.landmark_on
            then greatest(date_diff('day', followed.started_on, done.done_on), 0) end as took_days,
        followed.days,
        followed.is_lost
    from followed
    inner join done on done.account_id = followed.account_id
    inner join accounts on accounts.account_id = followed.account_id
    order by followed.account_id
"""

_WAITING = """
    with {done}
    select count(*) as accounts, coalesce(sum(mrr_interval.mrr_cents) * 12, 0)::double / 100 as arr
    from accounts
    inner join done on done.account_id = accounts.account_id and done.done_on is null
    inner join mrr_interval
        on mrr_interval.account_id = accounts.account_id
        and mrr_interval.from_day <= $as_of
        and (mrr_interval.to_day is null or mrr_interval.to_day > $as_of)
    where accounts.started_on <= $as_of and accounts.started_on + $onboarding_days::integer > $as_of
"""


@metric(needs=("subscriptions",), page="Onboarding")
def delay_cost(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    until: Until = "onboarding",
    landmark_days: int = 90,
    horizon_days: int = 365,
) -> pd.DataFrame:
    """What one more week until onboarding is complete goes along with: renewal points, and ARR of the accounts that now wait.

    Compared are customers on day 90 after their start that had completed all milestones of their segment by then
    (until=first_value: had done their first key action), each by its days from the start to it. The slope is that of a
    straight line through the share still there `horizon_days` after the landmark, by weeks, within each segment:
    segments differ in their milestones and in who stays. Accounts that were not seen for so long count by
    pseudo-observations. The interval is the wider of the plain one and the jackknife over accounts: where a few late
    accounts decide the slope, either alone is too sure. It is an association among accounts that did complete: those
    that take longer may differ in other ways, and hurrying them need not keep them.

    It is told only where at least min_accounts were lost within the horizon and as many were seen to stay.

    Formula: points_per_week = − slope of (pseudo-observation of staying) on (days ÷ 7), least squares with an intercept
    for each segment; interval ± t × the larger of the least-squares and the HC3 standard error. arr_per_week = waiting_arr × points_per_week.
    Columns:
        until: onboarding or first_value
        accounts: customers on the landmark that had it by then
        lost: those of them lost within `horizon_days` after the landmark
        retained: the share still there then (Kaplan-Meier), empty below min_accounts or when nobody was seen that long
        median_weeks: weeks from the start to it, half of these accounts took at most so many
        points_per_week: by how much the share is lower for each further week, as a fraction (0.02 is 2 points); negative
            where the later ones stay more
        low, high: 95 % interval of points_per_week
        waiting: accounts now in onboarding that do not have it yet
        waiting_arr: their ARR, reporting currency
        arr_per_week: ARR that one more week for all of them goes along with losing by the next year
        arr_low, arr_high: 95 % interval of arr_per_week
        says: costs or gains where the interval excludes 0; cannot be told apart from 0; or not known
    Source: pseudo-observations (Andersen, Klein and Rosthøj 2003); landmark analysis (Anderson, Cain and Gelber 1983);
        HC3 standard errors (MacKinnon and White 1985).
    """
    check_days(landmark_days, horizon_days)
    seen, waiting = _asked(store, as_of, scope, until, landmark_days)
    done = seen[seen["took_days"].notna()]
    days, is_lost = done["days"].to_numpy(dtype=np.float64), done["is_lost"].to_numpy(dtype=bool)
    weeks = done["took_days"].to_numpy(dtype=np.float64) / _WEEK
    least = store.config.min_accounts
    found = weekly_slope(weeks, done["segment"].to_numpy(), days, is_lost, horizon_days, min_accounts=least)
    arr = float(waiting["arr"].iloc[0])
    row: dict[str, Any] = {
        "until": until,
        "accounts": len(done),
        "lost": int((is_lost & (days <= horizon_days)).sum()),
        "retained": share_at(days, is_lost, horizon_days)[0] if len(done) >= least else _NAN,
        "median_weeks": float(np.median(weeks)) if len(weeks) else _NAN,
        "points_per_week": found.points,
        "low": found.low,
        "high": found.high,
        "waiting": int(waiting["accounts"].iloc[0]),
        "waiting_arr": arr,
        "arr_per_week": arr * found.points,
        "arr_low": arr * found.low,
        "arr_high": arr * found.high,
        "says": found.says,
    }
    return pd.DataFrame([row])


@metric(needs=("subscriptions",), page="Onboarding")
def delay_groups(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    until: Until = "onboarding",
    landmark_days: int = 90,
    horizon_days: int = 365,
) -> pd.DataFrame:
    """Customers on day 90 after their start by the week in which onboarding was complete: the share still there a year later.

    The accounts and losses are those of delay_cost, with those that had not completed by the landmark as the last
    row; they are no part of its slope. Neighbouring weeks are joined until a group holds a sixth of the accounts, and
    at least min_accounts.

    Formula: retained = Kaplan-Meier share without loss `horizon_days` after the landmark.
    Columns:
        from_week, to_week: the weeks since the start in which it was complete, the first week is 1; the last row, of
            those not complete by the landmark, begins with the week of the landmark and has no end
        accounts: customers on the landmark, of that group
        lost: those of them lost within `horizon_days` after the landmark
        retained: the share still there then, empty below min_accounts or when nobody was seen that long
        low, high: 95 % interval of retained
        is_by_landmark: whether it was complete by the landmark
    Source: landmark analysis (Anderson, Cain and Gelber 1983); Kaplan and Meier 1958.
    """
    check_days(landmark_days, horizon_days)
    seen, _ = _asked(store, as_of, scope, until, landmark_days)
    done, late = seen[seen["took_days"].notna()], seen[seen["took_days"].isna()]
    least = store.config.min_accounts
    week = done["took_days"].to_numpy(dtype=np.int64) // _WEEK + 1
    rows = [
        {"from_week": begin, "to_week": end, **_retained(done[(week >= begin) & (week <= end)], horizon_days, least)}
        for begin, end in _spans(week, least)
    ]
    last = {"from_week": landmark_days // _WEEK + 1, "to_week": None, **_retained(late, horizon_days, least)}
    found = pd.DataFrame([*rows, last]).assign(is_by_landmark=[True] * len(rows) + [False])
    return found.astype({"to_week": "Int64"})


@dataclass(frozen=True)
class Slope:
    """The share lost per further week with its 95 % interval, NaN where it is not known."""

    points: float
    low: float
    high: float

    @property
    def says(self) -> str:
        """Whether the interval excludes 0, and on which side."""
        if self.points != self.points:
            return "not known"
        if self.low <= 0 <= self.high:
            return "cannot be told apart from 0"
        return "costs" if self.low > 0 else "gains"


def weekly_slope(
    weeks: Numbers, segments: Any, days: Numbers, is_lost: Flags, horizon: int, *, min_accounts: int
) -> Slope:
    """Return by how much the share still there at the horizon falls per week, comparing accounts within their segment.

    `days` is how long each account was seen after its landmark, `is_lost` whether that ended with its loss.
    """
    lost, stayed = int((is_lost & (days <= horizon)).sum()), int((days >= horizon).sum())
    place = np.unique(segments, return_inverse=True)[1] if len(weeks) else np.zeros(0, dtype=np.int64)
    size = np.bincount(place)
    freedom = len(weeks) - len(size) - 1
    if min(lost, stayed) < min_accounts or freedom < 1:
        return Slope(_NAN, _NAN, _NAN)
    staying = pseudo_values(days, is_lost, horizon)
    x = weeks - (np.bincount(place, weeks) / size)[place]
    y = staying - (np.bincount(place, staying) / size)[place]
    width = float(x @ x)
    if width <= 1e-9 * len(x):
        return Slope(_NAN, _NAN, _NAN)
    slope = float(x @ y) / width
    leverage = np.minimum(1 / size[place] + x * x / width, 1 - 1e-9)
    plain = np.sqrt(((y - slope * x) ** 2).sum() / freedom / width)
    jackknife = np.sqrt(((x * (y - slope * x) / (1 - leverage)) ** 2).sum()) / width
    error = float(max(plain, jackknife))
    half = float(stats.t.ppf(0.975, freedom)) * error
    return Slope(-slope, -slope - half, -slope + half)


def _asked(
    store: Store, as_of: dt.date, scope: Scope, until: Until, landmark_days: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the customers on their landmark, and the number and ARR of the accounts in onboarding that still wait."""
    bound: dict[str, Any] = {"onboarding_days": store.config.onboarding.days, "landmark_days": landmark_days}
    if until == "onboarding":
        store.need("milestones", "The cost of a week of delay")
        done = _ONBOARDING
    else:
        store.need("events", "The cost of a week of delay")
        action = key_action(store, as_of)
        bound.update(action.params)
        done = _FIRST_VALUE.format(first_days=action.first_days(["first_day <= $as_of"]))
    both = [store.frame(sql.format(done=done), scope=scope, as_of=as_of, **bound) for sql in (_COMPARED, _WAITING)]
    return both[0], both[1]


def _spans(week: Any, least: int) -> list[tuple[int, int]]:
    """Join neighbouring weeks until each span holds a sixth of the accounts; a rest below a third of that joins the last span."""
    names, counts = np.unique(week, return_counts=True)
    wanted = max(least, -(-len(week) // _GROUPS))
    spans: list[tuple[int, int, int]] = []
    begin, held = 0, 0
    for name, count in zip(names.tolist(), counts.tolist(), strict=True):
        begin, held = (begin if held else name), held + count
        if held >= wanted:
            spans.append((begin, name, held))
            held = 0
    if held and spans and held < max(least, wanted / 3):
        spans[-1] = (spans[-1][0], int(names[-1]), spans[-1][2] + held)
    elif held:
        spans.append((begin, int(names[-1]), held))
    return [(first, last) for first, last, _ in spans]


def _retained(group: pd.DataFrame, horizon: int, least: int) -> dict[str, Any]:
    share, low, high = share_at(group["days"], group["is_lost"], horizon) if len(group) >= least else (_NAN,) * 3
    lost = int((group["is_lost"] & (group["days"] <= horizon)).sum())
    return {"accounts": len(group), "lost": lost, "retained": share, "low": low, "high": high}

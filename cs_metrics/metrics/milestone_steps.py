"""Every account in every step of onboarding as of a day: the SQL under the milestone metrics, and waiting times from it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cs_metrics.metrics.survival import CUSTOMER_SPANS

__all__ = ["STEPS", "Wait", "step_wait", "wait_of"]

Numbers = npt.NDArray[np.float64]

_NORMAL_95 = 1.959963984540054
_ROUNDING = 1e-9

# One row per account that has started and milestone of its segment, as known on $as_of. `is_open`: all earlier
# positions are complete, since `opened_on`. A loss of all MRR is a loss when there is none on the as-of day.
STEPS = f"""
    {CUSTOMER_SPANS},
    planned as (
        select
            milestone_status.account_id,
            milestone_status.milestone_id,
            milestone_status.name as milestone,
            milestone_status.position,
            milestone_status.started_on,
            milestone_status.due_on,
            case when completed_on <= $as_of then greatest(completed_on, milestone_status.started_on) end as done_on,
            customer_spans.lost_on,
            coalesce(customer_spans.lost_on, $as_of::date) as seen_until
        from milestone_status
        left join customer_spans on customer_spans.account_id = milestone_status.account_id
        where milestone_status.started_on <= $as_of
    ),
    opened as (
        select
            *,
            count(*) over before_it = count(done_on) over before_it as is_open,
            greatest(max(done_on) over before_it, started_on) as opened_on
        from planned
        window before_it as (
            partition by account_id order by position range between unbounded preceding and 1 preceding
        )
    ),
    steps as (
        select
            *,
            done_on is not null as is_done,
            done_on is not null or (is_open and opened_on <= seen_until) as is_reached,
            done_on is null and is_open and lost_on is null as is_waiting,
            done_on is null and is_open and lost_on is null and due_on < $as_of as is_stalled,
            coalesce(done_on is null and is_open and opened_on <= lost_on, false) as is_lost,
            coalesce(done_on <= seen_until, false) as is_timed,
            case
                when done_on is not null and not is_open then 0
                else greatest(date_diff('day', opened_on, least(done_on, seen_until)), 0)
            end as step_days,
            greatest(date_diff('day', started_on, least(done_on, seen_until)), 0) as start_days,
            due_on <= $as_of and coalesce(done_on <= due_on, false) as is_on_time,
            due_on <= $as_of and (coalesce(done_on <= due_on, false) or lost_on is null or lost_on > due_on) as is_due
        from opened
    )"""


@dataclass(frozen=True)
class Wait:
    """How long something takes: quartiles and the 95 % interval of the median in days, NaN where too few got there."""

    median: float
    p25: float
    p75: float
    low: float
    high: float


_NEVER = Wait(float("nan"), float("nan"), float("nan"), float("nan"), float("nan"))


def wait_of(days: npt.ArrayLike, has_happened: npt.ArrayLike) -> Wait:
    """Return the quartiles of a time by Kaplan-Meier, with those still waiting counted as long as they were seen.

    The interval of the median holds the days on which the interval of the curve, on the log(−log) scale, holds one
    half. It is the estimate of `survival.kaplan_meier`, without the curve.

    Source: Kaplan and Meier 1958; Brookmeyer and Crowley 1982 for the interval of the median.
    """
    time, happened = np.asarray(days, dtype=np.float64), np.asarray(has_happened, dtype=bool)
    at, events = np.unique(time[happened], return_counts=True)
    if not at.size:
        return _NEVER
    at_risk = time.size - np.searchsorted(np.sort(time), at, side="left")
    share: Numbers = np.cumprod(1 - events / at_risk, dtype=np.float64)
    low, high = _band(share, events, at_risk)
    median, p25, p75 = (_first(at, share, level) for level in (0.5, 0.75, 0.25))
    return Wait(median, p25, p75, low=_first(at, low, 0.5), high=_first(at, high, 0.5))


def step_wait(steps: pd.DataFrame) -> Wait:
    """Return the wait in a step of the accounts that reached it, from rows of STEPS."""
    reached = steps[steps["is_reached"]]
    return wait_of(reached["step_days"].to_numpy(), reached["is_timed"].to_numpy())


def _band(share: Numbers, events: npt.NDArray[np.int64], at_risk: npt.NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """Return the 95 % interval of the curve; where the share is 0 there is none, and it is no bound."""
    rest = at_risk - events
    inside = (share > 0) & (share < 1)
    spread = np.cumsum(np.divide(events, at_risk * rest, out=np.zeros(share.size), where=rest > 0))
    log = np.log(share, out=np.full(share.size, -1.0), where=inside)
    factor = np.exp(_NORMAL_95 * np.sqrt(spread) / np.abs(log))
    return np.where(inside, share**factor, share), np.where(inside, share ** (1 / factor), np.where(share == 1, 1, 2))


def _first(at: Numbers, curve: Numbers, level: float) -> float:
    reached = np.flatnonzero(curve <= level + _ROUNDING)
    return float(at[reached[0]]) if reached.size else float("nan")

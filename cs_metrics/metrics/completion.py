"""When will it be complete: what became of past accounts that had stood in the same step for as long.

A `Past` holds every account that ever waited in a step, as known on a day; `outlook` looks at those of them that were
still waiting there after as many days as the account in question, and follows them from that day on.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from cs_metrics.metrics.milestone_steps import STEPS
from cs_metrics.store import Store

__all__ = ["ALL", "Outlook", "Past", "incidence", "outlook", "past"]

Numbers = npt.NDArray[np.float64]
Outcomes = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]

ALL = "all accounts"
_OUTSIDE = 0.1  # on each side of the 80 % interval
_ROUNDING = 1e-9
_WAITS_ON, _COMPLETE, _LOST = 0, 1, 2

# One row per account and step in which it stood for at least a part of a day: how long it stood there, and how long
# it took from reaching the step to its end: the completion of all milestones, the loss of all MRR, or the as-of day.
_HISTORIES = f"""
    with {STEPS},
    places as (
        select
            account_id,
            position,
            min(milestone_id) as place,
            any_value(opened_on) as opened_on,
            any_value(seen_until) as seen_until,
            any_value(lost_on) as lost_on,
            case when count(*) = count(done_on) then max(done_on) end as done_on
        from steps
        where is_open
        group by account_id, position
    ),
    ends as (
        select account_id, case when count(*) = count(done_on) then max(done_on) end as complete_on
        from steps
        group by account_id
    )
    select
        coalesce(accounts.segment, '') as segment,
        places.place,
        date_diff('day', places.opened_on, least(places.done_on, places.seen_until)) as step_days,
        date_diff('day', places.opened_on, least(ends.complete_on, places.seen_until)) as total_days,
        case
            when ends.complete_on <= places.seen_until then {_COMPLETE}
            when places.lost_on is not null then {_LOST}
            else {_WAITS_ON}
        end as outcome
    from places
    inner join ends on ends.account_id = places.account_id
    inner join accounts on accounts.account_id = places.account_id
    where places.opened_on <= places.seen_until and (places.done_on is null or places.done_on > places.opened_on)
    order by places.account_id, places.position
"""


@dataclass(frozen=True)
class Outlook:
    """What became of the accounts that stood in the same place for as long, counted in days from now.

    `histories` are those of them whose end is known or that were followed for as long as onboarding lasts. `share` is
    the share that completed all milestones; half of those that complete do so by `middle`, and four fifths from `low`
    to `high`. All are NaN with fewer histories than asked for, and the days without a share.
    """

    histories: int
    based_on: str
    share: float
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Past:
    """Everybody who ever waited in a step, as known on a day, and how many of them a prediction needs."""

    frame: pd.DataFrame
    min_histories: int
    follow_days: int

    @cached_property
    def _by_segment(self) -> dict[tuple[str, str], Rows]:
        return cast(Any, self.frame.groupby(["segment", "place"]).indices)  # type: ignore[no-any-return]

    @cached_property
    def _by_place(self) -> dict[str, Rows]:
        return cast(Any, self.frame.groupby("place").indices)  # type: ignore[no-any-return]

    @cached_property
    def _columns(self) -> tuple[Numbers, Numbers, Outcomes]:
        stood, total = (self.frame[name].to_numpy(dtype=np.float64) for name in ("step_days", "total_days"))
        return stood, total, self.frame["outcome"].to_numpy(dtype=np.int64)

    def alike(self, segment: str, place: str, waited: float) -> tuple[Numbers, Outcomes, int, str]:
        """Return the days and outcomes that followed, how many histories that are, and whose they are.

        They are of the same segment where that is enough, else of all accounts.
        """
        found = self._after(self._by_segment.get((segment, place)), waited)
        if found[2] >= self.min_histories:
            return (*found, segment or "no segment")
        return (*self._after(self._by_place.get(place), waited), ALL)

    def _after(self, rows: Rows | None, waited: float) -> tuple[Numbers, Outcomes, int]:
        if rows is None:
            return np.empty(0), np.empty(0, dtype=np.int64), 0
        stood, total, outcome = self._columns
        still = rows[stood[rows] > waited]
        days, ended = total[still] - waited, outcome[still]
        return days, ended, int(((ended != _WAITS_ON) | (days >= self.follow_days)).sum())


def past(store: Store, as_of: dt.date) -> Past:
    """Return the histories of the whole company as known on a day; a page's filter never narrows them."""
    settings = store.config.onboarding
    return Past(store.frame(_HISTORIES, as_of=as_of), settings.min_histories, settings.days)


def outlook(histories: Past, segment: str, place: str, waited: float) -> Outlook:
    """Return what is to be expected of an account that has stood in a step for `waited` days."""
    days, outcome, count, based_on = histories.alike(segment, place, waited)
    unknown = float("nan")
    if count < histories.min_histories:
        return Outlook(count, "", unknown, unknown, unknown, unknown)
    at, share = incidence(days, outcome)
    complete = float(share[-1]) if share.size else 0.0
    if not complete:
        return Outlook(count, based_on, 0.0, unknown, unknown, unknown)
    parts = _parts(int((outcome == _COMPLETE).sum()))
    low, middle, high = (float(at[np.argmax(share >= part * complete - _ROUNDING)]) for part in parts)
    return Outlook(count, based_on, complete, low, middle, high)


def _parts(completions: int) -> tuple[float, float, float]:
    """Return which parts of the completions end the 80 % interval, and the middle.

    The interval is one for the next account, so with few completions it reaches a little further: from the k-th of n
    in order to the (n + 1 − k)-th with k = (n + 1) ÷ 10 rounded down, but at least 1.

    Source: Wilks 1941.
    """
    first = max(int(_OUTSIDE * (completions + 1) + _ROUNDING), 1)
    return first / completions, 0.5, (completions + 1 - first) / completions


def incidence(days: Numbers, outcome: Outcomes) -> tuple[Numbers, Numbers]:
    """Return the days with a completion, and the share complete by each; lost accounts never complete.

    Accounts that are neither complete nor lost are counted as long as they were seen. Events come before censorings
    of the same day.

    Source: Aalen and Johansen 1978, for two ends that exclude each other; without losses it is 1 − Kaplan-Meier.
    """
    at, ends = np.unique(days[outcome != _WAITS_ON], return_counts=True)
    if not at.size:
        return at, np.empty(0)
    at_risk = days.size - np.searchsorted(np.sort(days), at, side="left")
    done = np.sort(days[outcome == _COMPLETE])
    completed = np.searchsorted(done, at, side="right") - np.searchsorted(done, at, side="left")
    staying = np.cumprod(1 - ends / at_risk)
    share = np.cumsum(np.r_[1.0, staying[:-1]] * completed / at_risk)
    return at[completed > 0], share[completed > 0]

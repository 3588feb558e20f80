"""Which early action goes along with staying: every event compared by who did it early, and looked at again on newer accounts."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cs_metrics.errors import MetricError
from cs_metrics.metrics.first_value import FOLLOWED
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.retention import (
    Flags,
    Numbers,
    chance_of,
    check_days,
    difference_interval,
    holm,
    pseudo_values,
    shares_at,
)
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["Candidates", "candidates", "compared", "key_actions"]

_OLDER = 0.6
"""The share of the accounts whose horizon is over on which an action is found; it is confirmed on the newer ones."""
_LEAST_P = 0.05
_BY_LUCK = 2.0
"""So many events may be expected to be found by luck; each is confirmed with 2.5 %, any of them with 5 % at most."""

_NUMBERED = f"""
    {FOLLOWED},
    numbered as (
        select *, (row_number() over (order by account_id) - 1)::integer as number from followed
    )"""
_ACCOUNTS = f"""
    {_NUMBERED}
    select
        days,
        is_lost,
        date_diff('day', date '2000-01-01', started_on) as started,
        landmark_on + $horizon_days::integer <= $as_of as is_over
    from numbered
    order by number
"""
_FIRST = """
    select numbered.number, event_first.event
    from event_first
    inner join numbered on numbered.account_id = event_first.account_id and event_first.first_day <= numbered.landmark_on"""
_OFTEN = """
    select numbered.number, account_day_event.event
    from account_day_event
    inner join numbered
        on numbered.account_id = account_day_event.account_id and account_day_event.day <= numbered.landmark_on
    group by numbered.number, account_day_event.event
    having sum(account_day_event.times) >= $times"""
_DID = """
    {numbered},
    did as (
        {did}
    )
    select event, list(number order by number) as numbers from did group by event order by event
"""


@metric(needs=("events", "subscriptions"), page="Onboarding")
def key_actions(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    within_days: int = 30,
    horizon_days: int = 365,
    times: int = 1,
) -> pd.DataFrame:
    """For every event: a year's retention of accounts that did it in their first 30 days against those that did not.

    Both groups are customers on day `within_days`; an account did it when it did it at least `times` times by then.
    Retention is Kaplan-Meier over the `horizon_days` after it. Events are compared where both groups hold at least
    min_accounts; the others show their counts only. The first of the list is the event whose difference is surely the
    largest, by the lower end of its interval: a few accounts alone do not lead it.

    Probabilities say how likely a random group of that size differs as much from the rest (2 000 random groups, or the
    normal distribution where losses and stays are plenty), corrected for the number of events compared (Holm).
    Whoever looks at many events finds some by luck; so each is looked at twice, on the older 60 % of the accounts whose
    horizon is over, and on those that started later. A difference shows what goes along with staying, not what causes
    it: the first of the list is the candidate to test.

    Formula: difference = did_retained − did_not_retained; its interval by Newcombe from those of both groups.
    Columns:
        event: the event
        did, did_not: accounts that did it by day `within_days`, and that did not
        did_retained, did_not_retained: the share of each still there at the horizon
        difference: between the two, as a fraction
        low, high: 95 % interval of the difference
        p_adjusted: probability of so large a difference if there were none, corrected for multiple looks
        found_difference: the difference among the older accounts
        found_p_adjusted: its probability, corrected for multiple looks
        confirmed_difference: the difference among the newer accounts
        confirmed_low, confirmed_high: its 95 % interval
        is_confirmed: of events found on the older accounts (p < 0.05 before the correction, stricter beyond 40 events): yes
            when the interval on the newer ones excludes 0 on the same side; no when it excludes the difference that was
            found instead; not yet known (empty) in between, and for events that were not found. By luck alone any event
            is confirmed in fewer than 5 of 100 companies
    Source: landmark analysis (Anderson, Cain and Gelber 1983); Newcombe 1998, method 10; permutation test (Fisher 1935)
        of pseudo-observations (Andersen, Klein and Rosthøj 2003); Holm 1979.
    """
    check_days(within_days, horizon_days)
    if times < 1:
        raise MetricError("times must be at least 1.")
    found = candidates(store, as_of, scope, within_days=within_days, horizon_days=horizon_days, times=times)
    return compared(found, horizon_days, store.config.min_accounts)


@dataclass(frozen=True)
class Candidates:
    """The customers on their landmark and which events they had done: `did` is events × accounts.

    `started` is the day of the start as a number; `is_over` tells whose horizon is over on the as-of day.
    """

    events: tuple[str, ...]
    did: Flags
    days: Numbers
    is_lost: Flags
    started: npt.NDArray[np.int64]
    is_over: Flags

    def of(self, chosen: Flags) -> "Candidates":
        """Return some of the accounts."""
        return Candidates(
            self.events,
            self.did[:, chosen],
            self.days[chosen],
            self.is_lost[chosen],
            self.started[chosen],
            self.is_over[chosen],
        )

    def is_older(self) -> Flags:
        """Tell the older part: the first 60 % of the accounts whose horizon is over, by their start."""
        over = np.sort(self.started[self.is_over])
        if not len(over):
            return np.zeros(len(self.started), dtype=bool)
        older: Flags = self.started <= over[max(int(np.ceil(_OLDER * len(over))), 1) - 1]
        return older


def candidates(
    store: Store, as_of: dt.date, scope: Scope = EVERYTHING, *, within_days: int, horizon_days: int, times: int = 1
) -> Candidates:
    """Return who had done what by day `within_days`, and how long each account was seen after it."""
    bound: dict[str, Any] = {"landmark_days": within_days, "horizon_days": horizon_days, "times": times}
    accounts = store.frame(_ACCOUNTS, scope=scope, as_of=as_of, **bound)
    sql = _DID.format(numbered=_NUMBERED, did=_FIRST if times == 1 else _OFTEN)
    rows = store.rows(sql, scope=scope, as_of=as_of, **bound)
    did = np.zeros((len(rows), len(accounts)), dtype=bool)
    for at, (_, numbers) in enumerate(rows):
        did[at, numbers] = True
    return Candidates(
        events=tuple(str(event) for event, _ in rows),
        did=did,
        days=accounts["days"].to_numpy(dtype=np.float64),
        is_lost=accounts["is_lost"].to_numpy(dtype=bool),
        started=accounts["started"].to_numpy(dtype=np.int64),
        is_over=accounts["is_over"].to_numpy(dtype=bool),
    )


def compared(found: Candidates, horizon: int, min_accounts: int) -> pd.DataFrame:
    """Return the columns of key_actions for candidates that were counted already."""
    older = found.is_older()
    everyone = _differences(found, horizon, min_accounts)
    first = _differences(found.of(older), horizon, min_accounts)
    second = _differences(found.of(~older), horizon, min_accounts, has_p=False)
    everyone["found_difference"] = first["difference"]
    everyone["found_p_adjusted"] = first["p_adjusted"]
    everyone["confirmed_difference"] = second["difference"]
    everyone["confirmed_low"], everyone["confirmed_high"] = second["low"], second["high"]
    everyone["is_confirmed"] = _is_confirmed(first, second)
    everyone = everyone.drop(columns="p")
    order = ["low", "difference", "event"]
    return everyone.sort_values(order, ascending=[False, False, True], na_position="last", ignore_index=True)


def _differences(found: Candidates, horizon: int, min_accounts: int, *, has_p: bool = True) -> pd.DataFrame:
    did, did_not = (shares_at(one, found.days, found.is_lost, horizon) for one in (found.did, ~found.did))
    sizes = found.did.sum(1), (~found.did).sum(1)
    is_compared = (np.minimum(*sizes) >= min_accounts) & did.is_known & did_not.is_known
    low, high = difference_interval(did, did_not)
    p = np.full(len(found.events), np.nan)
    if has_p and is_compared.any():
        p[is_compared] = chance_of(found.did[is_compared], pseudo_values(found.days, found.is_lost, horizon))
    return pd.DataFrame(
        {
            "event": pd.Series(found.events, dtype="str"),
            "did": sizes[0],
            "did_retained": np.where(did.is_known & (sizes[0] >= min_accounts), did.share, np.nan),
            "did_not": sizes[1],
            "did_not_retained": np.where(did_not.is_known & (sizes[1] >= min_accounts), did_not.share, np.nan),
            "difference": np.where(is_compared, did.share - did_not.share, np.nan),
            "low": np.where(is_compared, low, np.nan),
            "high": np.where(is_compared, high, np.nan),
            "p_adjusted": holm(p),
            "p": p,
        }
    )


def _is_confirmed(first: pd.DataFrame, second: pd.DataFrame) -> pd.Series:
    """Return yes, no or not yet known for each event; see key_actions."""
    claim, low, high = first["difference"], second["low"], second["high"]
    least_p = min(_LEAST_P, _BY_LUCK / max(int(first["p"].notna().sum()), 1))
    is_found = (first["p"] < least_p) & low.notna()
    same_side = ((claim > 0) & (low > 0)) | ((claim < 0) & (high < 0))
    excluded = (claim < low) | (claim > high)
    found = pd.Series(pd.NA, index=first.index, dtype="boolean")
    found[is_found & same_side] = True
    found[is_found & ~same_side & excluded] = False
    return found

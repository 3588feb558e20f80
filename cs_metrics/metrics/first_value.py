"""Does early value keep customers: the 90/10 test, the key-action finder, and those who fell silent and came back.

All comparisons begin at a landmark some days after the start, with the accounts that are still customers then: an
account that left before it could do the action would otherwise make the test true by construction.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from cs_metrics.errors import MetricError
from cs_metrics.metrics.cohorts import key_action
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.survival import CUSTOMER_SPANS, kaplan_meier
from cs_metrics.store import Store

__all__ = ["bouncebacks", "key_actions", "ninety_ten", "ninety_ten_curves"]

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_GROUPS = ("completed", "not_completed")
_NORMAL_95 = float(stats.norm.ppf(0.975))

# One row per account that was a customer on its landmark, and how long it was seen after it.
_FOLLOWED = f"""
    with {CUSTOMER_SPANS},
    landmarks as (
        select accounts.account_id, accounts.started_on + $landmark_days::integer as landmark_on
        from accounts
        inner join scope on scope.account_id = accounts.account_id
        where accounts.started_on + $landmark_days::integer <= $as_of
    ),
    followed as (
        select
            landmarks.account_id,
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

_BY_MILESTONES = f"""
    {_FOLLOWED},
    complete as (
        select milestone_status.account_id, count(*) = count(case when completed_on <= landmark_on then 1 end) as is_complete
        from milestone_status
        inner join followed on followed.account_id = milestone_status.account_id
        group by milestone_status.account_id
    )
    select followed.days, followed.is_lost, complete.is_complete
    from followed
    inner join complete on complete.account_id = followed.account_id
    order by followed.account_id
"""

_BY_KEY_ACTION = f"""
    {_FOLLOWED},
    done as (
        select account_id, min(first_day) as first_day from event_first where {{condition}} group by account_id
    )
    select followed.days, followed.is_lost, coalesce(done.first_day <= followed.landmark_on, false) as is_complete
    from followed
    left join done on done.account_id = followed.account_id
    order by followed.account_id
"""


# Per account or user the days with any event in order, and the days without between one and the next.
_SILENCES = """
    with units as (
        select used.account_id, used.user_id, list_sort(list(distinct used.day)) as days
        from ({relation}) used
        inner join scope on scope.account_id = used.account_id
        where used.day <= $as_of
        group by used.account_id, used.user_id
    ),
    gaps as (
        select
            days,
            list_filter(
                list_transform(
                    range(1, len(days)),
                    lambda i: {{
                        'begins': date_diff('day', days[1], days[i]),
                        'length': date_diff('day', days[i], days[i + 1]) - 1
                    }}
                ),
                lambda gap: gap.length >= $silent_days and ($within_days = 0 or gap.begins < $within_days)
            ) as ended,
            date_diff('day', days[-1], $as_of::date) >= $silent_days
                and ($within_days = 0 or date_diff('day', days[1], days[-1]) < $within_days) as is_silent_now
        from units
    )
    select
        '{unit}' as unit,
        count(*) as started,
        count(*) filter (len(ended) > 0 or is_silent_now) as went_silent,
        count(*) filter (len(ended) > 0) as came_back,
        case when count(*) filter (len(ended) > 0 or is_silent_now) >= $min_accounts
            then count(*) filter (len(ended) > 0)::double / count(*) filter (len(ended) > 0 or is_silent_now) end as share,
        median(ended[1].length)::double as median_silent_days
    from gaps
"""


@metric(needs=("subscriptions",), page="Onboarding")
def ninety_ten(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, landmark_days: int = 90, horizon_days: int = 365
) -> pd.DataFrame:
    """Customers on day 90 after their start: the share still there a year later, of those that had completed onboarding and of the rest.

    Completed are accounts with all milestones of their segment complete by the landmark; where no milestones are
    loaded, those with a first key action by then. Retention is Kaplan-Meier from the landmark on: a loss is the loss
    of all MRR, final as known on the as-of day, and accounts still there are counted as long as they were seen.

    Formula: retained = Kaplan-Meier share without loss `horizon_days` after the landmark, `landmark_days` after the start.
    Columns:
        group: completed, not_completed
        accounts: customers on their landmark, of that group
        retained: the share still there, empty below min_accounts or when nobody was seen that long
        low, high: 95 % interval of retained
        log_rank_p: probability of so large a difference of the two curves if there were none, the same in both rows
        lost: accounts lost so far
    Source: landmark analysis (Anderson, Cain and Gelber 1983); log-rank test (Mantel 1966) by scipy.stats.logrank.
    """
    _check_days(landmark_days, horizon_days)
    seen = _followed(store, as_of, scope, landmark_days)
    rows = []
    for name, group in _groups(seen):
        share, low, high = _at(kaplan_meier(group["days"], group["is_lost"]), horizon_days, group["days"])
        few = len(group) < store.config.min_accounts
        rows.append(
            {
                "group": name,
                "accounts": len(group),
                "retained": float("nan") if few else share,
                "low": float("nan") if few else low,
                "high": float("nan") if few else high,
                "log_rank_p": _log_rank(seen, store.config.min_accounts),
                "lost": int(group["is_lost"].sum()),
            }
        )
    return pd.DataFrame(rows)


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
    _check_days(landmark_days, 1)
    seen = _followed(store, as_of, scope, landmark_days)
    curves = [kaplan_meier(group["days"], group["is_lost"]).assign(group=name) for name, group in _groups(seen)]
    return pd.concat(curves, ignore_index=True)[["group", "time_days", "at_risk", "events", "survival", "low", "high"]]


@metric(needs=("events", "subscriptions"), page="Onboarding")
def key_actions(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, within_days: int = 30, horizon_days: int = 365
) -> pd.DataFrame:
    """For every event: a year's retention of accounts that did it in their first 30 days against those that did not.

    Both groups are customers on day `within_days`; retention is Kaplan-Meier over the `horizon_days` after it. Events
    are compared where both groups hold at least min_accounts; the others show their counts only. The probabilities
    are corrected for the number of events compared (Holm). A difference shows what goes along with staying, not what
    causes it: the first of the list is the candidate to test.

    Formula: difference = did_retained − did_not_retained, ± 1.96 standard errors (Greenwood).
    Columns:
        event: the event
        did, did_not: accounts that did it by day `within_days`, and that did not
        did_retained, did_not_retained: the share of each still there at the horizon
        difference: between the two, as a fraction
        low, high: 95 % interval of the difference
        p_adjusted: probability of so large a difference if there were none, corrected for multiple looks
    Source: landmark analysis (Anderson, Cain and Gelber 1983); Greenwood 1926; Holm 1979.
    """
    _check_days(within_days, horizon_days)
    accounts = store.frame(
        f"{_FOLLOWED} select account_id, landmark_on, days, is_lost from followed order by account_id",
        scope=scope,
        as_of=as_of,
        landmark_days=within_days,
    )
    done = store.frame(
        f"""{_FOLLOWED}
        select event_first.event, followed.account_id
        from event_first
        inner join followed on followed.account_id = event_first.account_id and event_first.first_day <= followed.landmark_on
        order by event_first.event, followed.account_id""",
        scope=scope,
        as_of=as_of,
        landmark_days=within_days,
    )
    events = pd.Index(done["event"].unique())
    did = np.zeros((len(events), len(accounts)), dtype=bool)
    did[events.get_indexer(done["event"]), pd.Index(accounts["account_id"]).get_indexer(done["account_id"])] = True
    days, is_lost = accounts["days"].to_numpy(dtype=np.float64), accounts["is_lost"].to_numpy(dtype=bool)
    return _compared(events, did, days, is_lost, horizon_days, store.config.min_accounts)


@metric(needs=("events",), page="Onboarding")
def bouncebacks(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, silent_days: int = 7, within_days: int = 0
) -> pd.DataFrame:
    """Accounts and users that started, went silent for at least 7 days, and the share of them that came back.

    Silent is a run of days without any event after the first one; it may still last on the as-of day. With
    `within_days` only a silence that begins within so many days of the first event counts (0: at any time).

    Formula: share = came_back ÷ went_silent.
    Columns:
        unit: accounts, or known users
        started: those with any event
        went_silent: those of them with a silence of at least `silent_days`
        came_back: those of them with an event after such a silence
        share: came_back ÷ went_silent, empty below min_accounts
        median_silent_days: median length of the first silence, of those that came back from it
    """
    _check_days(silent_days, 1)
    rows = [
        store.frame(
            _SILENCES.format(unit=unit, relation=relation),
            scope=scope,
            as_of=as_of,
            silent_days=silent_days,
            within_days=within_days,
            min_accounts=store.config.min_accounts,
        )
        for unit, relation in (
            ("accounts", "select account_id, '' as user_id, day from account_day"),
            ("users", "select account_id, user_id, day from user_day_event where user_id <> ''"),
        )
    ]
    return pd.concat(rows, ignore_index=True)


@dataclass(frozen=True)
class _Retained:
    """Per group: the share still there at the horizon, the variance of that share, and whether anybody was seen that long."""

    share: Numbers
    variance: Numbers
    is_known: Flags


def _retained(members: Flags, days: Numbers, is_lost: Flags, horizon: int) -> _Retained:
    """Return Kaplan-Meier and Greenwood at the horizon for many groups at once (`members`: groups × accounts)."""
    if not days.size:
        nothing = np.zeros(len(members))
        return _Retained(nothing, nothing, nothing > 0)
    order = np.argsort(days, kind="stable")
    time, counted = days[order], members[:, order].astype(np.float64)
    starts = np.flatnonzero(np.r_[True, np.diff(time) > 0])
    leaving = np.add.reduceat(counted, starts, axis=1)
    lost = np.add.reduceat(counted * is_lost[order], starts, axis=1)
    at_risk = leaving[:, ::-1].cumsum(1)[:, ::-1]
    within = (time[starts] <= horizon) & (lost > 0)
    stay = np.where(within, 1 - lost / np.where(at_risk > 0, at_risk, 1), 1.0)
    rest = at_risk - lost
    spread = np.where(within & (rest > 0), lost / np.where(within & (rest > 0), at_risk * rest, 1), 0.0)
    share = stay.prod(1)
    is_known = (np.where(counted > 0, time, -1).max(1) >= horizon) | ((share == 0) & (counted.sum(1) > 0))
    return _Retained(share, share**2 * spread.sum(1), is_known)


def _compared(
    events: pd.Index, did: Flags, days: Numbers, is_lost: Flags, horizon: int, min_accounts: int
) -> pd.DataFrame:
    did_count, did_not_count = did.sum(1), (~did).sum(1)
    first, second = _retained(did, days, is_lost, horizon), _retained(~did, days, is_lost, horizon)
    is_compared = (np.minimum(did_count, did_not_count) >= min_accounts) & first.is_known & second.is_known
    difference = first.share - second.share
    error = np.sqrt(first.variance + second.variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(difference == 0, 0.0, np.abs(difference) / error)
    found = pd.DataFrame(
        {
            "event": events.astype("str"),
            "did": did_count,
            "did_retained": np.where(first.is_known & (did_count >= min_accounts), first.share, np.nan),
            "did_not": did_not_count,
            "did_not_retained": np.where(second.is_known & (did_not_count >= min_accounts), second.share, np.nan),
            "difference": np.where(is_compared, difference, np.nan),
            "low": np.where(is_compared, np.maximum(difference - _NORMAL_95 * error, -1), np.nan),
            "high": np.where(is_compared, np.minimum(difference + _NORMAL_95 * error, 1), np.nan),
            "p_adjusted": _holm(np.where(is_compared, 2 * stats.norm.sf(z), np.nan)),
        }
    )
    return found.sort_values(["difference", "event"], ascending=[False, True], na_position="last", ignore_index=True)


def _holm(p: Numbers) -> Numbers:
    """Return probabilities corrected for as many looks as there are known ones."""
    found = np.full(p.shape, np.nan)
    order = np.argsort(p)[: int((~np.isnan(p)).sum())]
    looks = len(order) - np.arange(len(order))
    found[order] = np.minimum(np.maximum.accumulate(p[order] * looks), 1) if len(order) else []
    return found


def _followed(store: Store, as_of: dt.date, scope: Scope, landmark_days: int) -> pd.DataFrame:
    """Return days, is_lost and is_complete of the customers on their landmark."""
    if store.has("milestones"):
        return store.frame(_BY_MILESTONES, scope=scope, as_of=as_of, landmark_days=landmark_days)
    store.need("events", "The 90/10 test")
    action = key_action(store, as_of)
    sql = _BY_KEY_ACTION.format(condition="event = any($events)" if action.events else "true")
    return store.frame(sql, scope=scope, as_of=as_of, landmark_days=landmark_days, events=action.events)


def _groups(seen: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    is_complete = seen["is_complete"].to_numpy(dtype=bool)
    return [(_GROUPS[0], seen[is_complete]), (_GROUPS[1], seen[~is_complete])]


def _at(curve: pd.DataFrame, horizon: int, days: pd.Series) -> tuple[float, float, float]:
    """Return the share and its interval at the horizon, NaN where nobody was seen that long."""
    unknown = (float("nan"),) * 3
    if curve.empty:
        return unknown
    row = curve[curve["time_days"] <= horizon].iloc[-1]
    is_known = days.max() >= horizon or row["survival"] == 0
    return (float(row["survival"]), float(row["low"]), float(row["high"])) if is_known else unknown


def _log_rank(seen: pd.DataFrame, min_accounts: int) -> float:
    (_, first), (_, second) = _groups(seen)
    if min(len(first), len(second)) < min_accounts or not seen["is_lost"].any():
        return float("nan")
    censored = [stats.CensoredData.right_censored(one["days"], ~one["is_lost"].astype(bool)) for one in (first, second)]
    return float(stats.logrank(*censored).pvalue)


def _check_days(first: int, second: int) -> None:
    if first < 1 or second < 1:
        raise MetricError("Numbers of days must be at least 1.")

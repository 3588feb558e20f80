"""Bounce-backs: accounts and users that started, fell silent and came back. They are the people to interview.

A silence is a run of days without any event after the first one; a return is the first day with an event after it.
Whether a return lasts is told by the fifth to eighth week after it, and by nothing before those have passed.
"""

import datetime as dt
from typing import Literal

import pandas as pd

from cs_metrics.errors import MetricError
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["STAY_FROM", "STAY_TO", "bounceback_accounts", "bounceback_returns", "bouncebacks"]

Unit = Literal["accounts", "users"]
STAY_FROM, STAY_TO = 29, 56  # days after the return: the fifth to the eighth week

# Days with use per unit; the same day may be there several times, which makes no silence.
_DAYS = {
    "accounts": "select account_id, '' as user_id, day from account_day",
    "users": "select account_id, user_id, day from user_day_event where user_id <> ''",
}
_EVENTS = {
    "accounts": "select account_id, '' as user_id, day, event from account_day_event",
    "users": "select account_id, user_id, day, event from user_day_event where user_id <> ''",
}

# Per account or user the days with any event in order, and after which of them a silence followed that ended.
_SILENCES = """
    with units as (
        select used.account_id, used.user_id, list_sort(list(used.day)) as days
        from ({days}) used
        inner join scope on scope.account_id = used.account_id
        where used.day <= $as_of
        group by used.account_id, used.user_id
    ),
    silences as (
        select
            *,
            list_filter(
                list_filter(range(1, len(days)), lambda i: days[i + 1] - days[i] > $silent_days),
                lambda i: $within_days = 0 or days[i] - days[1] < $within_days
            ) as ended
        from units
    )"""

# Per unit one of its returns, the first (1) or the last (-1), empty without any; stayed is NULL while it is not known.
_RETURNS = f"""
    {_SILENCES},
    returns as (
        select
            *,
            days[ended[{{nth}}]] as last_day,
            days[ended[{{nth}}] + 1] as returned_on,
            days[ended[{{nth}}] + 1] - days[ended[{{nth}}]] - 1 as days_silent,
            $as_of::date - days[-1] >= $silent_days
                and ($within_days = 0 or days[-1] - days[1] < $within_days) as is_silent_now
        from silences
    ),
    judged as (
        select
            *,
            case when returned_on + {STAY_TO} <= $as_of then
                len(list_filter(days, lambda day: day between returned_on + {STAY_FROM} and returned_on + {STAY_TO})) > 0
            end as stayed
        from returns
    )"""

_SUMMARY = f"""
    {_RETURNS}
    select
        '{{unit}}' as unit,
        count(*) as started,
        count(*) filter (returned_on is not null or is_silent_now) as went_silent,
        count(returned_on) as came_back,
        median(days_silent)::double as median_silent_days,
        count(stayed) as stay_known,
        count(*) filter (stayed) as stayed
    from judged
"""

_ON_RETURN = f"""
    {_RETURNS},
    asked as (
        select
            account_id,
            user_id,
            stayed,
            unnest([returned_on, last_day]) as day,
            unnest([true, false]) as is_return,
            count(*) over () as of_returns
        from judged
        where returned_on is not null
    ),
    done as (
        {{events}}
    ),
    did as (
        select distinct asked.*, done.event
        from asked
        inner join done
            on done.account_id = asked.account_id and done.user_id = asked.user_id and done.day = asked.day
    )
    select
        '{{unit}}' as unit,
        event,
        count(*) filter (is_return) as returns,
        any_value(of_returns) as of_returns,
        count(*) filter (not is_return) as before,
        count(stayed) filter (is_return) as stay_known,
        count(*) filter (is_return and stayed) as stayed
    from did
    group by event
    having count(*) filter (is_return) > 0
    order by returns desc, event
"""

_ACCOUNTS = f"""
    {_RETURNS},
    back as (
        select account_id, returned_on, last_day, days_silent, stayed, len(ended) as times, days[-1] as last_active_on
        from judged
        where returned_on is not null
    ),
    did as (
        select back.account_id, string_agg(done.event, '; ' order by done.times desc, done.event) as on_return
        from back
        inner join account_day_event done on done.account_id = back.account_id and done.day = back.returned_on
        group by back.account_id
    )
    select
        back.account_id,
        accounts.name,
        back.last_day + 1 as silent_from,
        back.days_silent,
        back.returned_on,
        did.on_return,
        back.stayed,
        case when stayed then 'stayed' when not stayed then 'left again' else 'not yet known' end as state,
        coalesce(mrr_interval.mrr_cents, 0) * 12::double / 100 as arr,
        coalesce(accounts.csm, '') as csm,
        back.times as returns,
        back.last_active_on
    from back
    inner join accounts on accounts.account_id = back.account_id
    left join did on did.account_id = back.account_id
    left join mrr_interval
        on mrr_interval.account_id = back.account_id
        and mrr_interval.from_day <= $as_of
        and (mrr_interval.to_day is null or mrr_interval.to_day > $as_of)
    order by back.returned_on desc, arr desc, back.account_id
"""


@metric(needs=("events",), page="Onboarding")
def bouncebacks(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    silent_days: int = 7,
    within_days: int = 0,
    unit: Literal["both", "accounts", "users"] = "both",
) -> pd.DataFrame:
    """Accounts and users that started, went silent for at least 7 days, the share that came back, and the share of those that stayed.

    Silent is a run of days without any event after the first one; it may still last on the as-of day. With
    `within_days` only a silence that begins within so many days of the first event counts (0: at any time). Whoever
    came back counts with the first return. It stayed when there is an event in days 29 to 56 after the return, and
    that is known once those days have passed; an earlier sign is not counted, as it would favour the recent ones.

    Formula: share = came_back ÷ went_silent; stayed_share = stayed ÷ stay_known.
    Columns:
        unit: accounts, or known users
        started: those with any event
        went_silent: those of them with a silence of at least `silent_days`
        came_back: those of them with an event after such a silence
        share: came_back ÷ went_silent, empty below min_accounts
        median_silent_days: median length of the first silence, of those that came back from it
        stay_known: those that came back at least 56 days ago
        stayed: those of them with an event in days 29 to 56 after the return
        stayed_share: stayed ÷ stay_known, empty below min_accounts
    """
    _check(silent_days, within_days)
    units: tuple[Unit, ...] = ("accounts", "users") if unit == "both" else (unit,)
    rows = [
        store.frame(
            _SUMMARY.format(unit=one, days=_DAYS[one], nth=1),
            scope=scope,
            as_of=as_of,
            silent_days=silent_days,
            within_days=within_days,
        )
        for one in units
    ]
    found = pd.concat(rows, ignore_index=True)
    fewest = store.config.min_accounts
    found.insert(4, "share", _share(found["came_back"], found["went_silent"], fewest))
    found["stayed_share"] = _share(found["stayed"], found["stay_known"], fewest)
    return found


@metric(needs=("events",), page="Onboarding")
def bounceback_returns(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    silent_days: int = 7,
    within_days: int = 0,
    unit: Unit = "accounts",
) -> pd.DataFrame:
    """What those who came back did on the day of their first return, beside the last day before they fell silent.

    Silences, returns and staying are those of bouncebacks. All events of the day of return count, so that the shares
    add up to more than one; an event that many do on their return and few did on the day before the silence is what
    may have brought them back.

    Formula: share = returns ÷ all first returns; before_share likewise on the last day before the silence.
    Columns:
        unit: accounts, or known users
        event: the event
        returns: first returns with that event on their day
        share: returns ÷ all first returns, empty below min_accounts
        before_share: share of the same units that did it on the last day before the silence
        stay_known: those of `returns` that are at least 56 days ago
        stayed: those of them that stayed
        stayed_share: stayed ÷ stay_known, empty below min_accounts
    """
    _check(silent_days, within_days)
    found = store.frame(
        _ON_RETURN.format(unit=unit, days=_DAYS[unit], events=_EVENTS[unit], nth=1),
        scope=scope,
        as_of=as_of,
        silent_days=silent_days,
        within_days=within_days,
    )
    fewest = store.config.min_accounts
    found["share"] = _share(found["returns"], found["of_returns"], fewest)
    found["before_share"] = _share(found["before"], found["of_returns"], fewest)
    found["stayed_share"] = _share(found["stayed"], found["stay_known"], fewest)
    return found[["unit", "event", "returns", "share", "before_share", "stay_known", "stayed", "stayed_share"]]


@metric(needs=("events",), page="Onboarding")
def bounceback_accounts(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, silent_days: int = 7, within_days: int = 0
) -> pd.DataFrame:
    """The accounts that came back after a silence of at least 7 days, with their newest return: whom to interview, the latest first.

    Silences and returns are those of bouncebacks, but here each account stands with its last return, which people
    remember best. Former customers are listed too, with an ARR of 0.

    Columns:
        account_id, name: the account
        silent_from: first day of its last silence that ended
        days_silent: days without any event
        returned_on: the day of the return
        on_return: the events of that day, the most frequent first
        stayed: whether there is an event in days 29 to 56 after the return; empty while those have not passed
        state: the same in words: stayed, left again, not yet known
        arr: ARR on the as-of day, reporting currency
        csm: as now
        returns: how often the account came back so far
        last_active_on: its newest day with an event
    """
    _check(silent_days, within_days)
    return store.frame(
        _ACCOUNTS.format(days=_DAYS["accounts"], nth=-1),
        scope=scope,
        as_of=as_of,
        silent_days=silent_days,
        within_days=within_days,
    )


def _share(part: pd.Series, whole: pd.Series, fewest: int) -> pd.Series:
    return part.astype("float64") / whole.where(whole >= max(fewest, 1)).astype("float64")


def _check(silent_days: int, within_days: int) -> None:
    if silent_days < 1:
        raise MetricError("Numbers of days must be at least 1.")
    if within_days < 0:
        raise MetricError("within_days must be at least 0; 0 means at any time.")

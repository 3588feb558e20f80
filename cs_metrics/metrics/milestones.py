"""The milestones of onboarding: how many accounts complete each, how long whom the step takes, and who is stuck in it.

An account reaches a step when all earlier positions are complete, or by completing it out of order. Whoever reached
it has completed it, waits in it, or was lost in it: the three always add up.
"""

import datetime as dt
from typing import Literal

import pandas as pd

from cs_metrics.errors import MetricError, hint
from cs_metrics.metrics.milestone_steps import STEPS, step_wait, wait_of
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.survival import days_until, kaplan_meier
from cs_metrics.store import Store

__all__ = ["milestone_accounts", "milestone_funnel", "milestone_users", "milestone_waits"]

_ARR = """
    left join mrr_interval
        on mrr_interval.account_id = steps.account_id
        and mrr_interval.from_day <= $as_of
        and (mrr_interval.to_day is null or mrr_interval.to_day > $as_of)
"""

_ROWS = f"""
    with {STEPS}
    select
        steps.position,
        steps.milestone_id,
        steps.milestone,
        {{group}} as "group",
        steps.is_done,
        steps.is_reached,
        steps.is_waiting,
        steps.is_stalled,
        steps.is_lost,
        steps.is_timed,
        steps.step_days,
        steps.start_days,
        steps.is_due,
        steps.is_on_time,
        coalesce(mrr_interval.mrr_cents, 0) * 12::double / 100 as arr
    from steps
    inner join scope on scope.account_id = steps.account_id
    inner join accounts on accounts.account_id = steps.account_id
    {_ARR}
    where $segment = '' or accounts.segment = $segment
    order by steps.position, steps.milestone_id, steps.account_id
"""

_STUCK = f"""
    with {STEPS}
    select
        steps.account_id,
        accounts.name,
        steps.milestone,
        date_diff('day', steps.opened_on, $as_of::date) as waiting_days,
        steps.due_on,
        greatest(date_diff('day', steps.due_on, $as_of::date), 0) as days_overdue,
        coalesce(mrr_interval.mrr_cents, 0) * 12::double / 100 as arr,
        coalesce(accounts.onboarding_manager, '') as onboarding_manager,
        coalesce(accounts.segment, '') as segment,
        steps.position,
        steps.milestone_id,
        steps.is_stalled
    from steps
    inner join scope on scope.account_id = steps.account_id
    inner join accounts on accounts.account_id = steps.account_id
    {_ARR}
    where (steps.is_stalled or ($show = 'waiting' and steps.is_waiting))
        and ($milestone_id = '' or steps.milestone_id = $milestone_id)
    order by arr desc, steps.account_id, steps.position, steps.milestone_id
"""

# One row per milestone that an event completes and time: how many known users took or have waited so many days.
_BY_USER = f"""
    with {STEPS},
    derived as (
        select steps.account_id, steps.milestone_id, steps.position, steps.milestone, steps.started_on, steps.seen_until,
            milestones.completes_on_event as event
        from steps
        inner join scope on scope.account_id = steps.account_id
        inner join milestones on milestones.milestone_id = steps.milestone_id
        where milestones.completes_on_event is not null
    ),
    people as (
        select account_id, user_id, min(day) as first_day
        from user_day_event
        where user_id <> '' and day <= $as_of
        group by account_id, user_id
    ),
    did as (
        select account_id, user_id, event, min(day) as did_on
        from user_day_event
        where user_id <> '' and day <= $as_of and event in (select event from derived)
        group by account_id, user_id, event
    ),
    doers as (
        select derived.milestone_id, derived.account_id, count(*) as users
        from derived
        inner join did on did.account_id = derived.account_id and did.event = derived.event
        group by derived.milestone_id, derived.account_id
    ),
    reached as (
        select milestone_id, count(*) as accounts, count(*) filter (users = 1) as by_one_user
        from doers
        group by milestone_id
    )
    select
        derived.position,
        derived.milestone_id,
        derived.milestone,
        derived.event,
        reached.accounts,
        reached.by_one_user,
        did.did_on is not null as has_done,
        coalesce(did.did_on <= derived.seen_until, false) as is_timed,
        greatest(
            date_diff('day', greatest(people.first_day, derived.started_on), least(did.did_on, derived.seen_until)), 0
        ) as days,
        count(*) as users
    from derived
    inner join reached on reached.milestone_id = derived.milestone_id
    inner join people on people.account_id = derived.account_id
    left join did
        on did.account_id = people.account_id and did.user_id = people.user_id and did.event = derived.event
    group by all
    order by derived.position, derived.milestone_id, days, is_timed, has_done
"""


@metric(needs=("milestones",), page="Onboarding")
def milestone_funnel(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, segment: str = "") -> pd.DataFrame:
    """Per milestone: of the accounts that have started and for whose segment it is meant, how many completed it.

    A milestone is complete on its recorded day or on the first day of the event that completes it. An account reaches
    a step when all earlier positions are complete, or by completing it out of order, which is a wait of 0 days. Times
    are by Kaplan-Meier: accounts that have not completed the step are counted to the as-of day, or to their loss of
    all MRR. Stalled accounts are among the waiting ones.

    Formula: share = completed ÷ accounts; reached = completed + waiting + lost; on_time_share = on_time ÷ due.
    Columns:
        position: place in the order
        milestone: its name
        accounts: accounts that have started, of the milestone's segment
        completed: those of them that completed it by the as-of day
        share: completed ÷ accounts, empty below min_accounts
        median_days: days in the step, from reaching it to completing it; empty where fewer than half completed it
        stalled: accounts that wait in the step and are past its due day
        median_days_from_start: days from the account's start to completing it
        milestone_id: the milestone
        reached: accounts that reached the step
        waiting: those of them that have not completed it and were not lost
        lost: those of them that lost all MRR without completing it
        p25_days, p75_days: days in the step, by which a quarter and three quarters completed it
        due: accounts past its due day that were not lost before it, or had completed it by then
        on_time: those of them that completed it by its due day
        on_time_share: on_time ÷ due, empty below min_accounts
        share_by_end: share complete by the last day of onboarding (Kaplan-Meier), empty when nobody was seen that long
    Source: Kaplan and Meier 1958.
    """
    steps = _steps(store, as_of, scope, segment, "''")
    rows = [
        _row(group, store.config.min_accounts, store.config.onboarding.days)
        for _, group in steps.groupby(["position", "milestone_id"])
    ]
    return pd.DataFrame(rows, columns=_FUNNEL)


@metric(needs=("milestones",), page="Onboarding")
def milestone_waits(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, by: str = "segment", segment: str = ""
) -> pd.DataFrame:
    """For whom a step takes long: per milestone and group of accounts, the days in the step and what is overdue in it.

    The groups are the values of a column of accounts as they are now (`by`, or total for all accounts as one); steps,
    waits and states are those of milestone_funnel. Times are empty for groups that fewer than min_accounts reached it
    in, and where too few completed it to know.

    Formula: reached = completed + waiting + lost.
    Columns:
        position, milestone: the step
        group: value of the column, empty where unknown
        reached: accounts of the group that reached the step
        completed, waiting, lost: what became of them
        median_days: days in the step by which half completed it (Kaplan-Meier)
        low_days, high_days: 95 % interval of the median, high_days empty where it has no end yet
        p25_days, p75_days: days by which a quarter and three quarters completed it
        stalled: those of the waiting that are past its due day
        overdue_arr: their ARR on the as-of day, reporting currency
        milestone_id: the milestone
    Source: Kaplan and Meier 1958; Brookmeyer and Crowley 1982 for the interval of the median.
    """
    steps = _steps(store, as_of, scope, segment, _column(store, by))
    reached = steps[steps["is_reached"]]
    groups = reached.assign(overdue_arr=reached["arr"].where(reached["is_stalled"], 0.0)).groupby(_GROUP)
    found = groups.agg(**_STATES, overdue_arr=("overdue_arr", "sum")).reset_index()
    days, is_timed = reached["step_days"].to_numpy(), reached["is_timed"].to_numpy()
    members = (groups.indices[key] for key in found[_GROUP].itertuples(index=False, name=None))
    waits = [wait_of(days[rows], is_timed[rows]) for rows in members]
    is_enough = found["reached"] >= store.config.min_accounts
    for column, quartile in _QUARTILES.items():
        found[column] = pd.Series([getattr(wait, quartile) for wait in waits], dtype="float64").where(is_enough)
    return found[_WAITS]


@metric(needs=("milestones",), page="Onboarding")
def milestone_accounts(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    milestone_id: str = "",
    show: Literal["stalled", "waiting"] = "stalled",
) -> pd.DataFrame:
    """The accounts that are stuck in a step: they have reached it, not completed it, and are past its due day.

    `milestone_id` is the step, by default any; `show=waiting` also lists those whose due day has not passed. They are
    the stalled and waiting accounts that milestone_funnel counts. The largest come first.

    Columns:
        account_id, name: the account
        milestone: the step in which it waits
        waiting_days: days since it reached the step
        due_on: due day of the step
        days_overdue: days past the due day, 0 when it has not passed
        arr: ARR on the as-of day, reporting currency
        onboarding_manager, segment: as now
        position, milestone_id: the step
        is_stalled: whether the due day has passed
    """
    if milestone_id:
        known = [row[0] for row in store.rows("select milestone_id from milestones order by position, milestone_id")]
        if milestone_id not in known:
            raise MetricError(f"There is no milestone '{milestone_id}'.{hint(milestone_id, known)}")
    return store.frame(_STUCK, scope=scope, as_of=as_of, milestone_id=milestone_id, show=show)


@metric(needs=("milestones", "events"), page="Onboarding")
def milestone_users(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Per milestone that an event completes: how many known users did that event, and where one user did it alone.

    For an account a milestone is complete when anybody did the event; whether its people took it up is another
    question. Users have no order of steps and no due days, so there is no funnel of users: each milestone stands for
    itself. A milestone with a recorded day, or whose event names no user, is not listed.

    Formula: share = completed ÷ users.
    Columns:
        position, milestone: the step
        event: the event that completes it
        users: known users with any event, of the accounts that have started and for whose segment it is meant
        completed: those of them that did the event
        share: completed ÷ users, empty below min_accounts
        median_days: days from a user's first event, or the account's start if later, to doing it (Kaplan-Meier)
        accounts: accounts in which a known user did it
        by_one_user: those of them in which only one did
        milestone_id: the milestone
    Source: Kaplan and Meier 1958.
    """
    people = store.frame(_BY_USER, scope=scope, as_of=as_of)
    rows = [_user_row(group, store.config.min_accounts) for _, group in people.groupby(["position", "milestone_id"])]
    return pd.DataFrame(rows, columns=_USERS)


_FUNNEL = [
    "position", "milestone", "accounts", "completed", "share", "median_days", "stalled", "median_days_from_start",
    "milestone_id", "reached", "waiting", "lost", "p25_days", "p75_days", "due", "on_time", "on_time_share", "share_by_end",
]  # fmt: skip
_WAITS = [
    "position", "milestone", "group", "reached", "completed", "waiting", "lost", "median_days", "low_days", "high_days",
    "p25_days", "p75_days", "stalled", "overdue_arr", "milestone_id",
]  # fmt: skip
_USERS = [
    "position", "milestone", "event", "users", "completed", "share", "median_days", "accounts", "by_one_user", "milestone_id",
]  # fmt: skip
_GROUP = ["position", "milestone_id", "group"]
_STATES = {
    "milestone": ("milestone", "first"),
    "reached": ("is_reached", "sum"),
    "completed": ("is_done", "sum"),
    "waiting": ("is_waiting", "sum"),
    "lost": ("is_lost", "sum"),
    "stalled": ("is_stalled", "sum"),
}
_QUARTILES = {"median_days": "median", "low_days": "low", "high_days": "high", "p25_days": "p25", "p75_days": "p75"}


def _steps(store: Store, as_of: dt.date, scope: Scope, segment: str, group: str) -> pd.DataFrame:
    return store.frame(_ROWS.format(group=group), scope=scope, as_of=as_of, segment=segment)


def _column(store: Store, by: str) -> str:
    known = ("total", *store.account_columns)
    if by not in known:
        raise MetricError(f"by={by} is neither total nor a column of accounts.{hint(by, known)}")
    return "'total'" if by == "total" else f"coalesce(cast(accounts.\"{by}\" as varchar), '')"


def _row(steps: pd.DataFrame, min_accounts: int, onboarding_days: int) -> dict[str, object]:
    wait = step_wait(steps)
    from_start = kaplan_meier(steps["start_days"], steps["is_timed"])
    completed, due, on_time = (int(steps[name].sum()) for name in ("is_done", "is_due", "is_on_time"))
    return {
        **_counts(steps),
        "accounts": len(steps),
        "share": _share(completed, len(steps), min_accounts),
        "median_days": wait.median,
        "median_days_from_start": days_until(from_start, 0.5),
        "p25_days": wait.p25,
        "p75_days": wait.p75,
        "due": due,
        "on_time": on_time,
        "on_time_share": _share(on_time, due, min_accounts),
        "share_by_end": _by_day(from_start, onboarding_days) if len(steps) >= min_accounts else float("nan"),
    }


def _user_row(people: pd.DataFrame, min_accounts: int) -> dict[str, object]:
    users = people["users"].to_numpy()
    completed, of_all = int(users[people["has_done"].to_numpy()].sum()), int(users.sum())
    days, is_timed = (people[name].to_numpy().repeat(users) for name in ("days", "is_timed"))
    names = ("position", "milestone", "event", "accounts", "by_one_user", "milestone_id")
    return {
        **{name: people[name].iloc[0] for name in names},
        "users": of_all,
        "completed": completed,
        "share": _share(completed, of_all, min_accounts),
        "median_days": wait_of(days, is_timed).median,
    }


def _counts(steps: pd.DataFrame) -> dict[str, object]:
    names = {"completed": "is_done", "reached": "is_reached", "waiting": "is_waiting", "lost": "is_lost"}
    found: dict[str, object] = {name: int(steps[column].sum()) for name, column in names.items()}
    first = steps.iloc[0]
    place = {"position": int(first["position"]), "milestone": first["milestone"], "milestone_id": first["milestone_id"]}
    return {**place, **found, "stalled": int(steps["is_stalled"].sum())}


def _share(part: int, whole: int, min_accounts: int) -> float:
    return part / whole if whole >= max(min_accounts, 1) else float("nan")


def _by_day(curve: pd.DataFrame, day: int) -> float:
    """Return the share to which it had happened by a day, NaN where nobody was seen that long."""
    last = curve.iloc[-1]
    if last["time_days"] < day and last["survival"] > 0:
        return float("nan")
    return float(1 - curve.loc[curve["time_days"] <= day, "survival"].iloc[-1])

"""Where each renewal stands in its plan, and how urgent it is: steps that facts show as done, and points of priority."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.config import PlanStep, Renewals
from cs_metrics.store import Store

__all__ = ["BEFORE_PLAN", "with_plan", "with_priority"]

BEFORE_PLAN = "Before the plan"

# What was sent or held since the plan of each asked (contract_id, account_id, opens_on) opened.
_DONE = """
    with asked as (
        select unnest($contracts) as contract_id, unnest($accounts) as account_id, cast(unnest($opens) as date) as opens_on
    ),
    signs as (
        select account_id, 'message ' || kind as sign, sent_on as day from messages where sent_on <= $as_of
        union all
        select account_id, 'meeting ' || kind, scheduled_on from meetings where scheduled_on <= $as_of and was_held
    )
    select distinct asked.contract_id, signs.sign
    from asked
    inner join signs on signs.account_id = asked.account_id and signs.day >= asked.opens_on
    order by asked.contract_id, signs.sign
"""


def with_plan(store: Store, contracts: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Return open contracts (as of `likelihood.open_contracts`) with their place in the renewal plan.

    A step is shown as done by a message or a held meeting of its kinds since the plan opened; the last step, by the
    decision itself, which open contracts lack. Steps that no fact can show are never called overdue.

    Columns: as given, and
        plan_step: the step whose time it is by the calendar, "Before the plan" while none is due
        overdue_steps: steps past their day that can be shown and are not done, empty where neither messages nor
            meetings were loaded
        overdue_names: their names, separated by "; "
        next_step, next_step_on: the earliest step that is overdue or still to come, and its day; the last step once the
            contract is past its end
    """
    settings = store.config.renewals
    done = _done(store, contracts, as_of, settings)
    can_show = {kind for kind in ("message", "meeting") if store.has(f"{kind}s")}
    rows = [
        _place(settings.plan_steps, can_show, done.get(str(contract), set()), ends_on.date(), int(left))
        for contract, ends_on, left in zip(
            contracts["contract_id"], contracts["ends_on"], contracts["days_left"], strict=True
        )
    ]
    names = ["plan_step", "overdue_steps", "overdue_names", "next_step", "next_step_on"]
    places = pd.DataFrame(rows, columns=names, index=contracts.index)
    places["overdue_steps"] = (
        places["overdue_steps"].astype("Int64") if can_show else pd.array([pd.NA] * len(places), dtype="Int64")
    )
    places["next_step_on"] = pd.to_datetime(places["next_step_on"]).astype("datetime64[us]")
    return contracts.join(places)


def _done(store: Store, contracts: pd.DataFrame, as_of: dt.date, settings: Renewals) -> dict[str, set[str]]:
    opens = [periods.add_days(day.date(), -settings.plan_opens_days) for day in contracts["ends_on"]]
    rows = store.rows(
        _DONE,
        as_of=as_of,
        contracts=contracts["contract_id"].tolist(),
        accounts=contracts["account_id"].tolist(),
        opens=opens,
    )
    found: dict[str, set[str]] = {}
    for contract, sign in rows:
        found.setdefault(str(contract), set()).add(str(sign))
    return found


def _signs(step: PlanStep, can_show: set[str]) -> set[str]:
    """Return the signs that would show the step as done, of the tables that were loaded."""
    found = {f"message {kind}" for kind in step.messages} if "message" in can_show else set()
    return found | ({f"meeting {kind}" for kind in step.meetings} if "meeting" in can_show else set())


def _place(
    steps: tuple[PlanStep, ...], can_show: set[str], done: set[str], ends_on: dt.date, days_left: int
) -> tuple[str, int, str, str, dt.date]:
    """Return plan_step, overdue_steps, overdue_names, next_step and next_step_on of one contract."""
    reached = [step for step in steps if days_left <= step.days]
    waiting: list[PlanStep] = []
    overdue: list[str] = []
    for step in steps:
        signs, is_past = _signs(step, can_show), days_left < step.days
        if signs & done:
            continue
        can_be_shown = bool(signs) or step is steps[-1]
        if is_past and can_be_shown:
            overdue.append(step.name)
        if can_be_shown or not is_past:
            waiting.append(step)
    following = steps[-1] if days_left < 0 else waiting[0]
    return (
        reached[-1].name if reached else BEFORE_PLAN,
        len(overdue),
        "; ".join(overdue),
        following.name,
        periods.add_days(ends_on, -following.days),
    )


def with_priority(contracts: pd.DataFrame, settings: Renewals, currency: str) -> pd.DataFrame:
    """Return open contracts with likelihood with their priority among all of them, 0 to 100, and why.

    Formula: (100 - t) × share of open contracts with no more ARR at stake + t × (1 - days left ÷ window), where ARR at
    stake = ARR × (1 - likelihood), t = renewals.priority_time_points, window = renewals.window_days; a contract past its
    end has all points for time, one beyond the window none. Without any likelihood the whole ARR is at stake.

    Columns: as given, and at_stake (ARR), priority, priority_why
    """
    found = contracts.copy(deep=False)
    found["at_stake"] = found["arr"] * (1 - found["likelihood"].fillna(0.0))
    rank = found["at_stake"].rank(method="max", pct=True) if len(found) else found["at_stake"]
    stake = (100 - settings.priority_time_points) * rank
    left = (found["days_left"] / settings.window_days).clip(0.0, 1.0)
    time = settings.priority_time_points * (1 - left)
    found["priority"] = (stake + time).round(1)
    found["priority_why"] = [
        f"{points:.0f} of {100 - settings.priority_time_points:.0f} for {currency} {amount:,.0f} at stake, as much as or more "
        f"than {share:.0%} of open contracts; {more:.0f} of {settings.priority_time_points:.0f} for time, {_left(int(days))}"
        for points, amount, share, more, days in zip(
            np.asarray(stake), found["at_stake"], np.asarray(rank), np.asarray(time), found["days_left"], strict=True
        )
    ]
    return found


def _left(days: int) -> str:
    if days < 0:
        return f"{-days} day{'s' if days < -1 else ''} past the end"
    return f"{days} day{'' if days == 1 else 's'} left"

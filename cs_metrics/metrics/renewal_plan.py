"""Where each renewal stands in its plan, and how urgent it is: steps shown as done, and points of priority."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cs_metrics import periods
from cs_metrics.config import PlanStep, Renewals
from cs_metrics.metrics.renewal_written import steps_written
from cs_metrics.store import Store

__all__ = ["BEFORE_PLAN", "Plan", "plan_of", "with_plan", "with_priority", "with_priority_words"]

BEFORE_PLAN = "Before the plan"
Flags = npt.NDArray[np.bool_]
_NEVER = np.datetime64("NaT", "D")

# What was last sent or held since the plan of each asked (contract_id, account_id, opens_on) opened.
_SIGNS = """
    with asked as (
        select unnest($contracts) as contract_id, unnest($accounts) as account_id, cast(unnest($opens) as date) as opens_on
    ),
    signs as (
        select account_id, 'message ' || kind as sign, sent_on as day from messages where sent_on <= $as_of and sent_on >= $first
        union all
        select account_id, 'meeting ' || kind, scheduled_on
        from meetings
        where scheduled_on <= $as_of and scheduled_on >= $first and was_held
    )
    select asked.contract_id, signs.sign, max(signs.day) as day
    from asked
    inner join signs on signs.account_id = asked.account_id and signs.day >= asked.opens_on
    group by asked.contract_id, signs.sign
    order by asked.contract_id, day, signs.sign
"""


@dataclass(frozen=True)
class Plan:
    """The plan of some contracts: one row a contract, one column a step.

    `done` tells what is done, `done_on` and `done_by` since when and by which sign or person, `note` what was said with
    it; `overdue` tells what is past its day, can be shown, and is not done; `waiting` what is still to be done.
    """

    steps: tuple[PlanStep, ...]
    done: Flags
    done_on: npt.NDArray[np.datetime64]
    done_by: npt.NDArray[np.object_]
    note: npt.NDArray[np.object_]
    overdue: Flags
    waiting: Flags


def plan_of(store: Store, contracts: pd.DataFrame, as_of: dt.date) -> Plan:
    """Return the plan of open contracts (as of `likelihood.open_contracts`), from what was sent, held and written.

    A message or a held meeting of a step's kinds since the plan opened shows it as done; so does a person who says it
    is. A person who opens it again takes back both, until a later sign. Steps that nothing can show are never overdue.
    """
    steps = store.config.renewals.plan_steps
    shape = (len(contracts), len(steps))
    found = Plan(
        steps=steps,
        done=np.zeros(shape, dtype=bool),
        done_on=np.full(shape, _NEVER),
        done_by=np.full(shape, "", dtype=object),
        note=np.full(shape, "", dtype=object),
        overdue=np.zeros(shape, dtype=bool),
        waiting=np.zeros(shape, dtype=bool),
    )
    can_show = {kind for kind in ("message", "meeting") if store.has(f"{kind}s")}
    by_sign: dict[str, list[int]] = {}
    for at, step in enumerate(steps):
        for sign in _signs(step, can_show):
            by_sign.setdefault(sign, []).append(at)
    place = {str(name): at for at, name in enumerate(contracts["contract_id"])}
    for contract, sign, day in _shown(store, contracts, as_of):
        for step_at in by_sign.get(sign, ()):
            _mark(found, place[contract], step_at, day, sign)
    names = {step.name: at for at, step in enumerate(steps)}
    for contract, name, action, told_on, done_on, author, note in steps_written(store, as_of):
        if contract not in place or name not in names:
            continue
        cell = place[contract], names[name]
        if action == "step_done":
            _mark(found, *cell, done_on, author, note)
        elif not found.done_on[cell] > np.datetime64(told_on):  # a sign after the word counts again
            found.done[cell], found.done_on[cell], found.done_by[cell], found.note[cell] = False, _NEVER, "", note
    left, days = contracts["days_left"].to_numpy()[:, None], np.array([step.days for step in steps])[None, :]
    shows = np.array([bool(_signs(step, can_show)) or step is steps[-1] for step in steps])[None, :]
    found.overdue[:] = ~found.done & (left < days) & shows
    found.waiting[:] = ~found.done & (shows | (left >= days))
    return found


def _mark(plan: Plan, row: int, step: int, day: dt.date, by: str, note: str = "") -> None:
    plan.done[row, step], plan.done_on[row, step], plan.done_by[row, step] = True, np.datetime64(day), by
    plan.note[row, step] = note


def _shown(store: Store, contracts: pd.DataFrame, as_of: dt.date) -> list[tuple[str, str, dt.date]]:
    opens = [periods.add_days(day.date(), -store.config.renewals.plan_opens_days) for day in contracts["ends_on"]]
    if not opens:
        return []
    return store.rows(
        _SIGNS,
        as_of=as_of,
        first=min(opens),
        contracts=contracts["contract_id"].tolist(),
        accounts=contracts["account_id"].tolist(),
        opens=opens,
    )


def _signs(step: PlanStep, can_show: set[str]) -> set[str]:
    """Return the signs that would show the step as done, of the tables that were loaded."""
    found = {f"message {kind}" for kind in step.messages} if "message" in can_show else set()
    return found | ({f"meeting {kind}" for kind in step.meetings} if "meeting" in can_show else set())


def with_plan(store: Store, contracts: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Return open contracts (as of `likelihood.open_contracts`) with their place in the renewal plan.

    Columns: as given, and
        plan_step: the step whose time it is by the calendar, "Before the plan" while none is due
        overdue_steps: steps past their day that can be shown and are not done, empty where neither messages nor
            meetings were loaded and nobody said of any step that it is done
        overdue_names: their names, separated by "; "
        next_step, next_step_on: the earliest step that is overdue or still to come, and its day; the last step once the
            contract is past its end
    """
    plan = plan_of(store, contracts, as_of)
    names, days = [step.name for step in plan.steps], np.array([step.days for step in plan.steps])
    left = contracts["days_left"].to_numpy()
    found = contracts.copy(deep=False)
    reached = (left[:, None] <= days[None, :]).sum(axis=1)
    found["plan_step"] = pd.array([names[count - 1] if count else BEFORE_PLAN for count in reached], dtype="str")
    can_show = store.has("messages") or store.has("meetings") or bool(plan.done.any())
    counts = plan.overdue.sum(axis=1)
    found["overdue_steps"] = pd.array(counts if can_show else [pd.NA] * len(counts), dtype="Int64")
    found["overdue_names"] = pd.array(
        ["; ".join(name for name, is_late in zip(names, row, strict=True) if is_late) for row in plan.overdue],
        dtype="str",
    )
    last = len(names) - 1
    following = np.where((left < 0) | ~plan.waiting.any(axis=1), last, plan.waiting.argmax(axis=1))
    found["next_step"] = pd.array([names[at] for at in following], dtype="str")
    ends = contracts["ends_on"].to_numpy().astype("datetime64[D]")
    found["next_step_on"] = (ends - days[following]).astype("datetime64[us]")
    return found


def with_priority(contracts: pd.DataFrame, settings: Renewals) -> pd.DataFrame:
    """Return open contracts with likelihood with their priority among all of them, 0 to 100.

    Formula: (100 - t) × share of open contracts with no more ARR at stake + t × (1 - days left ÷ window), where ARR at
    stake = ARR × (1 - likelihood), t = renewals.priority_time_points, window = renewals.window_days; a contract past its
    end has all points for time, one beyond the window none. Without any likelihood the whole ARR is at stake.

    Columns: as given, and at_stake (ARR), stake_rank (share of open contracts with no more at stake), time_points, priority
    """
    found = contracts.copy(deep=False)
    found["at_stake"] = found["arr"] * (1 - found["likelihood"].fillna(0.0))
    found["stake_rank"] = found["at_stake"].rank(method="max", pct=True) if len(found) else found["at_stake"]
    left = (found["days_left"] / settings.window_days).clip(0.0, 1.0)
    found["time_points"] = settings.priority_time_points * (1 - left)
    stake = (100 - settings.priority_time_points) * found["stake_rank"]
    found["priority"] = (stake + found["time_points"]).round(1)
    return found


def with_priority_words(contracts: pd.DataFrame, settings: Renewals, currency: str) -> pd.DataFrame:
    """Return contracts with their priority (`with_priority`) and, in `priority_why`, what it is made of in words."""
    found, most = contracts.copy(deep=False), 100 - settings.priority_time_points
    found["priority_why"] = pd.array(
        [
            f"{most * rank:.0f} of {most:.0f} for {currency} {amount:,.0f} at stake, as much as or more "
            f"than {rank:.0%} of open contracts; {time:.0f} of {settings.priority_time_points:.0f} for time, {_left(int(days))}"
            for rank, amount, time, days in zip(
                found["stake_rank"].to_numpy(),
                found["at_stake"].to_numpy(),
                found["time_points"].to_numpy(),
                found["days_left"].to_numpy(),
                strict=True,
            )
        ],
        dtype="str",
    )
    return found


def _left(days: int) -> str:
    if days < 0:
        return f"{-days} day{'s' if days < -1 else ''} past the end"
    return f"{days} day{'' if days == 1 else 's'} left"

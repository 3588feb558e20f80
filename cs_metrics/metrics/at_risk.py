"""Accounts at risk: the signs that show, the cause where a fact or a person tells it, what to do, and what is under way."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.config import Config
from cs_metrics.metrics import health_words
from cs_metrics.metrics.health import customers
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.risk_written import TOPIC, Case, cases
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["SEVERITIES", "SIGNS", "at_risk"]

SIGNS = ("few_seats", "low_use", "no_feedback", "avoids_contact")
SEVERITIES = ("high", "medium", "light", "not rated")
_MIN_AGE_DAYS = 28
_YOUNG_DAYS = 365
_ASK = "Ask for the cause in the next call and record it"
_HEAD = ["account_id", "name", "segment", "csm", "arr", "colour", "score"]

# Tickets and answers now and before, attempts and replies: one row per customer.
_FEEDBACK = """
    with given as (
        select account_id, opened_on as day, 1 as feedback, 0 as meetings, 0 as messages, 0 as answered from tickets
        union all
        select account_id, answered_on, 1, 0, 0, 0 from surveys
        union all
        select account_id, scheduled_on, 0, 1, 0, case when was_held then 1 else 0 end from meetings
        union all
        select account_id, sent_on, 0, 0, 1, case when replied_on <= $as_of then 1 else 0 end from messages
    )
    select
        given.account_id,
        coalesce(sum(feedback) filter (day > $since), 0) as feedback_now,
        coalesce(sum(feedback) filter (day <= $since and day > $earlier), 0) as feedback_before,
        coalesce(sum(meetings) filter (day > $since), 0) as meetings_set,
        coalesce(sum(messages) filter (day > $since), 0) as messages_sent,
        coalesce(sum(answered) filter (day > $since), 0) as answered
    from given
    inner join scope on scope.account_id = given.account_id
    where day <= $as_of
    group by given.account_id
"""

# What the data can tell of a cause, a row each; place 0 is high, 1 medium, 2 light.
_CAUSES = """
    with people as (
        select account_id, role, name, left_on
        from contacts
        where left_on <= $as_of and left_on > $left_since
    ),
    waiting as (
        select
            account_id,
            coalesce(kind, '') = 'request' as is_wish,
            count(*) as tickets,
            min(opened_on) as opened_on
        from tickets
        where opened_on < $ticket_before and (closed_on is null or closed_on > $as_of)
        group by account_id, coalesce(kind, '') = 'request'
    ),
    late as (
        select account_id, arg_min(name, position) as name, min(due_on) as due_on
        from milestone_status
        where due_on < $late_before and started_on > $young_since and (completed_on is null or completed_on > $as_of)
        group by account_id
    ),
    causes as (
        select
            account_id,
            case when role = 'champion' then 2 else 0 end as place,
            case role when 'champion' then 'champion left' when 'sponsor' then 'sponsor left' else 'decision maker left' end as cause,
            left_on as since
        from people
        where role in ('champion', 'sponsor', 'decision_maker')
        union all
        select account_id, 1, 'slow go-live: ' || name || ' is overdue', due_on from late
        union all
        select
            account_id,
            case when is_wish then 2 else 1 end,
            case
                when is_wish and tickets = 1 then 'a wish is unmet'
                when is_wish then tickets || ' wishes are unmet'
                when tickets = 1 then 'a problem is long unresolved'
                else tickets || ' problems are long unresolved'
            end,
            opened_on
        from waiting
    )
    select causes.account_id, place, cause, since
    from causes
    inner join scope on scope.account_id = causes.account_id
    order by causes.account_id, place, since, cause
"""

_ACTIONS = """
    select
        cta_state.account_id, cta_state.kind, cta_state.reason, cta_state.source, cta_state.owner, cta_state.due_on,
        cta_state.opened_on
    from cta_state
    inner join scope on scope.account_id = cta_state.account_id
    where cta_state.kind <> 'expansion' and cta_state.is_open
        and cta_state.from_day <= $as_of and (cta_state.to_day is null or cta_state.to_day > $as_of)
    order by cta_state.account_id, cta_state.kind <> 'risk', cta_state.due_on nulls last, cta_state.opened_on, cta_state.cta_id
"""


@metric(needs=("subscriptions",), reads=("cta", TOPIC), page="Health")
def at_risk(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, min_signs: int = 0) -> pd.DataFrame:
    """Accounts that show signs of risk, with the evidence, the cause where the data tells it, a plan and what is under way.

    Four signs: a low share of seats is active; use is low or falling; feedback stopped; contact is avoided. Listed are
    customers with at least `min_signs` of them (0: as configured, 2), those whose health is red, and those of whom
    somebody wrote a cause that still stands. A sign that cannot be measured is empty. The first two are those of the last complete week and wait until an account is 28
    days old; the others are as of the day.

    What people wrote about the account comes first: the cause with its severity, the plan, the actions. Beside it a
    cause is named only where a fact says so: a person with a part in the decision left, the customer's own result
    falls, a milestone is overdue, a problem or a wish waits, an open call to action of kind risk gives a reason; else
    "cause not recorded". Whether a customer was a wrong fit no table tells, only a person does.

    Columns:
        account_id, name, segment, csm, arr, colour, score: as in `health`
        signs: how many of the four signs show
        few_seats: users active in 28 days ÷ seats is below the threshold
        low_use: used on few days of 28, or uses in 28 days fell by the threshold against the 28 before
        no_feedback: tickets or answers before, none in 90 days
        avoids_contact: meetings set or messages sent in 90 days, none held and none answered
        evidence: the signs in words with their numbers
        severity: as written, else of the gravest cause: high, medium, light, or not rated
        cause: what a person wrote, then what the data tells, the gravest first; or cause not recorded
        plan: the plan as written, else the suggested play for the cause
        actions: open actions as written, then open calls to action, those of kind risk first, with their days; expansion
            is left out
        owner: who owns the first of them, else the CSM
        due_on: its day
        cause_by, cause_on: who wrote the cause and when, empty where nobody did
        plan_by: who wrote the plan, empty for a suggested play
        open_actions, overdue_actions: open actions as written, and those past their day
        alert: for accounts that are red in two or more consecutive weeks: what fell, and the suggested play
    """
    config = store.config
    now, before = customers(store, as_of=as_of, scope=scope)
    signs = _signs(store, as_of, scope, now, before)
    causes = _causes(store, as_of, scope, now)
    actions = _by_account(store.frame(_ACTIONS, scope=scope, as_of=as_of))
    counts = [sum(bool(found[name][0]) for name in SIGNS) for found in signs]
    written = cases(store, as_of=as_of, scope=scope)
    is_named = now["account_id"].isin([name for name, case in written.items() if case.cause])
    is_listed = np.array(counts, dtype="int64") >= (min_signs or config.health.at_risk.min_signs)
    is_listed = is_listed | (now["colour"] == "red") | is_named
    listed = now.loc[is_listed, _HEAD]
    alerts = health_words.alerts(now[is_listed], before[is_listed], config.health, config.health.alert_weeks)
    rows = [
        {
            "signs": counts[at],
            **{name: signs[at][name][0] for name in SIGNS},
            "evidence": "; ".join(signs[at][name][1] for name in SIGNS if signs[at][name][0]),
            **_cause(written.get(account_id, Case()), causes.get(account_id, []), actions.get(account_id, []), config),
            **_action(written.get(account_id, Case()), actions.get(account_id, []), csm, as_of),
            "alert": alert,
        }
        for at, account_id, csm, alert in zip(listed.index, listed["account_id"], listed["csm"], alerts, strict=True)
    ]
    return _in_order(listed, rows)


def _in_order(listed: pd.DataFrame, rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = ["signs", *SIGNS, "evidence", "severity", "cause", "plan", "actions", "owner", "due_on"]
    columns += ["cause_by", "cause_on", "plan_by", "open_actions", "overdue_actions", "alert"]
    more = pd.DataFrame(rows, columns=columns, index=listed.index)
    counts = dict.fromkeys(("signs", "open_actions", "overdue_actions"), "int64")
    more = more.astype({**dict.fromkeys(SIGNS, "boolean"), **counts})
    for name in ("due_on", "cause_on"):
        more[name] = pd.to_datetime(more[name]).astype("datetime64[us]")
    found = listed.join(more)
    found["place"] = found["severity"].map({name: place for place, name in enumerate(SEVERITIES)})
    order = {"place": True, "signs": False, "arr": False, "account_id": True}
    return found.sort_values(list(order), ascending=list(order.values()), ignore_index=True).drop(columns="place")


Sign = tuple[bool | None, str]


def _signs(
    store: Store, as_of: dt.date, scope: Scope, now: pd.DataFrame, before: pd.DataFrame
) -> list[dict[str, Sign]]:
    """Return the four signs of each customer, in order: whether it shows (None: not measurable) and its words."""
    settings = store.config.health.at_risk
    since = periods.add_days(as_of, -settings.quiet_days)
    earlier = periods.add_days(since, -2 * settings.quiet_days)
    feedback = _by_account(store.frame(_FEEDBACK, scope=scope, as_of=as_of, since=since, earlier=earlier))
    config = store.config
    given = [feedback.get(account_id, [{}])[0] for account_id in now["account_id"]]
    return [
        {
            "few_seats": _few_seats(row, config),
            "low_use": _low_use(row, was, config),
            "no_feedback": _no_feedback(said, config),
            "avoids_contact": _avoids_contact(said, config),
        }
        for row, was, said in zip(health_words.rows(now), health_words.rows(before), given, strict=True)
    ]


def _few_seats(row: Mapping[str, Any], config: Config) -> Sign:
    share = row["active_user_share"]
    if share != share or row["age_days"] < _MIN_AGE_DAYS:
        return None, ""
    return share < config.health.at_risk.seats_active_below, health_words.measured(
        "active_user_share", row, config.health
    )


def _low_use(row: Mapping[str, Any], was: Mapping[str, Any], config: Config) -> Sign:
    settings = config.health.at_risk
    if row["age_days"] < _MIN_AGE_DAYS or not row["has_product_data"]:
        return None, ""
    if not _known(row["active_days"]):
        return (
            (True, f"no use recorded in the {row['age_days']:.0f} days since the start")
            if _known(row["coverage"])
            else (None, "")
        )
    if row["active_days"] <= settings.low_use_days:
        return True, f"used on {row['active_days']:.0f} of 28 days"
    uses, uses_before = row["times"], was["times"]
    if _known(uses_before) and uses_before > 0 and row["age_days"] >= 2 * _MIN_AGE_DAYS:
        fell = 1 - uses / uses_before
        if fell >= settings.falling_by:
            return True, f"uses in 28 days fell by {fell:.0%}, from {uses_before:,.0f} to {uses:,.0f}"
    return False, ""


def _no_feedback(given: Mapping[str, Any], config: Config) -> Sign:
    settings = config.health.at_risk
    if not given or not given["feedback_now"] + given["feedback_before"]:
        return None, ""
    stopped = given["feedback_now"] == 0 and given["feedback_before"] >= settings.feedback_before
    words = f"no ticket or answer in {settings.quiet_days} days, {given['feedback_before']} in the {2 * settings.quiet_days} days before"
    return stopped, words


def _avoids_contact(given: Mapping[str, Any], config: Config) -> Sign:
    settings = config.health.at_risk
    if not given or not given["meetings_set"] + given["messages_sent"]:
        return None, ""
    avoids = given["meetings_set"] + given["messages_sent"] >= settings.contact_attempts and given["answered"] == 0
    tried = {"meetings held": given["meetings_set"], "messages answered": given["messages_sent"]}
    words = " and ".join(f"0 of {times} {what}" for what, times in tried.items() if times)
    return avoids, f"{words} in {settings.quiet_days} days"


def _causes(store: Store, as_of: dt.date, scope: Scope, now: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return the causes of each customer that a fact tells, the gravest first."""
    settings, config = store.config.health.at_risk, store.config.health
    told = store.frame(
        _CAUSES,
        scope=scope,
        as_of=as_of,
        left_since=periods.add_days(as_of, -settings.cause_days),
        ticket_before=periods.add_days(as_of, -settings.old_ticket_days),
        late_before=periods.add_days(as_of, -settings.late_milestone_days),
        young_since=periods.add_days(as_of, -_YOUNG_DAYS),
    )
    found = _by_account(told)
    falls = now[now["outcome"] <= config.red_to]
    for account_id, row in zip(falls["account_id"], health_words.rows(falls), strict=True):
        words = health_words.measured("outcome_ratio", row, config) or f"outcome scores {row['outcome']:.0f}"
        found.setdefault(account_id, []).append({"place": 0, "cause": f"unclear return: {words}"})
        found[account_id].sort(key=lambda one: one["place"])
    return found


def _cause(case: Case, causes: list[dict[str, Any]], actions: list[dict[str, Any]], config: Config) -> dict[str, Any]:
    recorded = [str(one["reason"]) for one in actions if one["kind"] == "risk" and one["source"] != "rule"]
    told = [str(one["cause"]) for one in causes]
    words = [*([case.words] if case.cause else []), *dict.fromkeys(told), *(f"recorded: {one}" for one in recorded)]
    first = case.words or (told[0] if told else "")
    return {
        "severity": case.severity or (SEVERITIES[causes[0]["place"]] if causes else SEVERITIES[-1]),
        "cause": "; ".join(words) or "cause not recorded",
        "plan": case.plan or (_plan(first, config) if first else "Work the recorded reason" if recorded else _ASK),
        "cause_by": case.cause_by,
        "cause_on": case.cause_on,
        "plan_by": case.plan_by,
    }


def _plan(cause: str, config: Config) -> str:
    plays = config.health.plays
    if cause.startswith("wrong-fit"):
        return "Agree with the customer what they need, and whether to part or to change the scope"
    if cause.startswith(("decision maker", "sponsor")):
        return "Meet the successor and renew the reason to buy"
    if cause.startswith("unclear return"):
        return plays["outcome"]
    if cause.startswith("slow go-live"):
        return "Clear what blocks the milestone and agree a new day with the onboarding manager"
    if "wish" in cause:
        return "Say what is planned and when, or offer a way around"
    return plays["relationship"] if cause.startswith("champion") else plays["support"]


def _action(case: Case, actions: list[dict[str, Any]], csm: Any, as_of: dt.date) -> dict[str, Any]:
    mine = [(one.what, one.owner, one.due_on) for one in case.open_actions]
    counts = {
        "open_actions": len(mine),
        "overdue_actions": sum(due is not None and due < as_of for _, _, due in mine),
    }
    calls = [(one["reason"], one["owner"], one["due_on"] if _known(one["due_on"]) else None) for one in actions]
    if not mine + calls:
        return {"actions": "none open", "owner": csm, "due_on": pd.NaT, **counts}
    said = [f"{what}{f' (due {due:%Y-%m-%d})' if due else ''}" for what, _, due in mine + calls]
    _, owner, due_on = (mine + calls)[0]
    return {"actions": "; ".join(said), "owner": owner if _known(owner) else csm, "due_on": due_on, **counts}


def _by_account(frame: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in frame.to_dict("records"):
        found.setdefault(str(row["account_id"]), []).append({str(name): value for name, value in row.items()})
    return found


def _known(value: Any) -> bool:
    return value is not None and value is not pd.NaT and value is not pd.NA and value == value

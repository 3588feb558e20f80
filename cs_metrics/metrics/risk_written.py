"""What people wrote about accounts at risk: the cause, the plan, and who does what by when."""

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["CAUSES", "TOPIC", "Action", "Case", "cases", "risk_actions"]

TOPIC = "risk"
# The causes that a person can name, in words, and how grave each is.
CAUSES = {
    "wrong_fit": ("wrong-fit customer", "high"),
    "unclear_return": ("unclear return", "high"),
    "decision_maker_changed": ("decision maker changed", "high"),
    "slow_go_live": ("slow go-live", "medium"),
    "problem_unresolved": ("problem long unresolved", "medium"),
    "champion_changed": ("champion changed", "light"),
    "wish_unmet": ("new wish unmet", "light"),
}
_ENTRIES = """
    select entry.account_id, entry.subject, entry.action, entry.body, entry.note, entry.author, entry.effective_on
    from entry
    inner join scope on scope.account_id = entry.account_id
    where entry.topic = 'risk' and entry.effective_on <= $as_of
    order by entry.seq
"""


@dataclass
class Action:
    """One thing to do: what, who, by when, and whether it is open, done or dropped."""

    action_id: str
    what: str
    owner: str
    due_on: dt.date | None
    opened_on: dt.date
    author: str
    state: str = "open"
    closed_on: dt.date | None = None


@dataclass
class Case:
    """What stands about one account: its cause and plan, empty where nobody wrote one, and all of its actions."""

    cause: str = ""
    severity: str = ""
    cause_by: str = ""
    cause_on: dt.date | None = None
    cause_note: str = ""
    plan: str = ""
    plan_by: str = ""
    actions: dict[str, Action] = field(default_factory=dict)

    @property
    def open_actions(self) -> list[Action]:
        """What is still to be done, the next day first, those without a day last."""
        found = [one for one in self.actions.values() if one.state == "open"]
        return sorted(found, key=lambda one: (one.due_on is None, one.due_on or one.opened_on))

    @property
    def words(self) -> str:
        """The cause in words with who said so."""
        return f"{CAUSES[self.cause][0]} ({self.cause_by})" if self.cause else ""


def cases(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> dict[str, Case]:
    """Return what stands about each account at the end of the day, in the order in which it was written."""
    found: dict[str, Case] = {}
    for account_id, subject, action, body, note, author, day in store.rows(_ENTRIES, scope=scope, as_of=as_of):
        case = found.setdefault(account_id, Case())
        _apply(case, action, subject, json.loads(body), note, author, day)
    return found


def _apply(case: Case, action: str, subject: str, body: dict[str, Any], note: str, author: str, day: dt.date) -> None:
    """Let one entry change what stands."""
    if action == "cause":
        case.cause, case.cause_by, case.cause_on, case.cause_note = body["cause"], author, day, note
        case.severity = body.get("severity") or CAUSES[body["cause"]][1]
    elif action == "plan":
        case.plan, case.plan_by = note, author
    elif action == "over":
        for one in case.open_actions:
            one.state, one.closed_on = "dropped", day
        case.cause = case.severity = case.cause_by = case.cause_note = case.plan = case.plan_by = ""
        case.cause_on = None
    elif action == "action":
        case.actions[subject] = Action(subject, body["what"], body["owner"], _day(body.get("due_on")), day, author)
    elif subject in case.actions:
        _change(case.actions[subject], action, body, day)


def _change(one: Action, action: str, body: dict[str, Any], day: dt.date) -> None:
    if action == "change":
        one.owner = body.get("owner") or one.owner
        one.due_on = _day(body.get("due_on")) or one.due_on
    elif one.state == "open":
        one.state, one.closed_on = ("done" if action == "done" else "dropped"), day


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


@metric(needs=("subscriptions",), reads=(TOPIC,), page="Health")
def risk_actions(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, of: str = "") -> pd.DataFrame:
    """What people do about accounts at risk: every action that was written, open ones first, by due day.

    `of` keeps those of one state: open, done or dropped. An action is dropped by hand, or when the account is no longer
    at risk.

    Columns:
        action_id: the action
        account_id, name: the account
        what, owner: what is to be done, and who does it
        due_on: by when, empty where no day was said
        state: open, done or dropped
        is_overdue: open, and its day has passed
        opened_on, opened_by: when it was written, and by whom
        closed_on: when it was done or dropped
        cause, severity: what was written about the account, empty where nobody did
    Source: the workspace.
    """
    names = dict(store.rows("select account_id, name from accounts"))
    rows = [
        {
            "action_id": one.action_id,
            "account_id": account_id,
            "name": names[account_id],
            "what": one.what,
            "owner": one.owner,
            "due_on": one.due_on,
            "state": one.state,
            "is_overdue": one.state == "open" and one.due_on is not None and one.due_on < as_of,
            "opened_on": one.opened_on,
            "opened_by": one.author,
            "closed_on": one.closed_on,
            "cause": CAUSES[case.cause][0] if case.cause else "",
            "severity": case.severity,
        }
        for account_id, case in cases(store, as_of=as_of, scope=scope).items()
        for one in case.actions.values()
        if of in ("", one.state)
    ]
    found = pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES)
    found["place"] = found["state"].map({"open": 0, "done": 1, "dropped": 2})
    order = ["place", "due_on", "opened_on", "action_id"]
    return found.sort_values(order, na_position="last", ignore_index=True).drop(columns="place")


_TYPES = {
    "action_id": "str",
    "account_id": "str",
    "name": "str",
    "what": "str",
    "owner": "str",
    "due_on": "datetime64[us]",
    "state": "str",
    "is_overdue": "bool",
    "opened_on": "datetime64[us]",
    "opened_by": "str",
    "closed_on": "datetime64[us]",
    "cause": "str",
    "severity": "str",
}

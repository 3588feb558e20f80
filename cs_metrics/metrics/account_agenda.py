"""What to bring up in the next meeting with an account: what is owed, what is stuck, who is new, what comes next."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.account_facts import account_contacts, account_milestones, account_promises, account_tickets
from cs_metrics.metrics.calls import onboarding_ctas
from cs_metrics.metrics.expansion_words import day, plural
from cs_metrics.metrics.one_account import each, only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["TOPICS", "account_agenda"]

TOPICS = {
    "promise": "We owe",
    "ticket": "Stuck",
    "person": "People",
    "call": "Agreed to do",
    "milestone": "Next milestone",
}
Line = tuple[str, str, str, Any, bool, float]


@metric(needs=("accounts",), reads=("cta", "account", "promise"), page="Account")
def account_agenda(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """What to bring up with the account, the most pressing first: open promises, stuck tickets, changes of people, calls, milestones.

    The rows are those of `account_promises` (open ones), `account_tickets` (those that are stuck), `account_contacts`
    (sponsors and decision makers who came or left within 180 days), `onboarding_ctas` (of all customers) and
    `account_milestones` (overdue, else the next one), each put in words. Their weight: a promise 60 and a call to action 40, plus one point a day past its day, 30 at
    most; a flagged call 20 more; a stuck ticket 50, an urgent one 20 more; a person who left 80, who came 45; an
    overdue milestone 55, the next one 20.

    Columns:
        topic: promise, ticket, person, call or milestone
        what: what it is
        detail: since when, whose, or how late
        due_on: its day, where it has one
        is_late: whether that day has passed
        weight: the order of the list
    """
    one = only(store, account_id, as_of, scope)
    parts: dict[str, Callable[..., list[Line]]] = {
        "accounts": _promises,
        "tickets": _tickets,
        "contacts": _people,
        "milestones": _milestones,
    }
    rows = [line for table, part in parts.items() if store.has(table) for line in part(store, as_of, one, account_id)]
    rows += _calls(store, as_of, one)
    found = pd.DataFrame(rows, columns=["topic", "what", "detail", "due_on", "is_late", "weight"])
    found = found.astype({"is_late": "bool", "weight": "float64"})
    found["due_on"] = pd.to_datetime(found["due_on"]).astype("datetime64[us]")
    return found.sort_values(["weight", "topic", "what"], ascending=[False, True, True], ignore_index=True)


def _late(days: float) -> float:
    """Return the points for so many days past a day: one a day, 30 at most."""
    return float(min(max(days, 0.0), 30.0))


def _promises(store: Store, as_of: dt.date, one: Scope, account_id: str) -> list[Line]:
    rows = account_promises(store, as_of=as_of, scope=one, account_id=account_id)
    found: list[Line] = []
    for row in each(rows[rows["state"].isin(["open", "overdue"])]):
        is_late = row.state == "overdue"
        late = f", {plural(row.days_overdue, 'day')} overdue" if is_late else ""
        found.append(
            (
                "promise",
                row.promise,
                f"promised on {day(row.made_on)}{late}",
                row.due_on,
                is_late,
                60 + _late(row.days_overdue if is_late else 0),
            )
        )
    return found


def _tickets(store: Store, as_of: dt.date, one: Scope, account_id: str) -> list[Line]:
    rows = account_tickets(store, as_of=as_of, scope=one, account_id=account_id)
    found: list[Line] = []
    for row in each(rows[rows["is_stuck"]]):
        what = " ".join(str(part) for part in (row.priority, row.kind) if part == part and part) or "ticket"
        product = f" in {row.product}" if row.product == row.product else ""
        detail = f"{row.ticket_id}, open for {plural(row.days_open, 'day')}"
        found.append(
            (
                "ticket",
                f"{what[:1].upper()}{what[1:]}{product}",
                detail,
                None,
                True,
                70.0 if row.priority == "urgent" else 50.0,
            )
        )
    return found


def _people(store: Store, as_of: dt.date, one: Scope, account_id: str) -> list[Line]:
    rows = account_contacts(store, as_of=as_of, scope=one, account_id=account_id)
    found: list[Line] = []
    for row in each(rows[rows["role"].isin(["sponsor", "decision_maker"])]):
        role = row.role.replace("_", " ")
        if row.is_recent:
            moved = f" for {row.moved_to}" if row.moved_to == row.moved_to and row.moved_to else ""
            found.append(
                (
                    "person",
                    f"{row.name}, {role}, left{moved}",
                    f"on {day(row.left_on)}: who follows?",
                    None,
                    False,
                    80.0,
                )
            )
        elif row.state == "new":
            found.append(
                (
                    "person",
                    f"{row.name} is the new {role}",
                    f"since {day(row.since)}: what is expected of us?",
                    None,
                    False,
                    45.0,
                )
            )
    return found


def _calls(store: Store, as_of: dt.date, one: Scope) -> list[Line]:
    found: list[Line] = []
    for row in each(onboarding_ctas(store, as_of=as_of, scope=one, of="customers")):
        late = periods.days_between(row.due_on.date(), as_of) if row.due_on == row.due_on else 0
        said = [f"with {row.owner}"] if row.owner == row.owner and row.owner else []
        said += [f"needs {row.team_needed}"] if row.is_flagged and row.team_needed == row.team_needed else []
        weight = 40 + _late(late) + (20 if row.is_flagged else 0)
        found.append(("call", row.reason, ", ".join(said), row.due_on, late > 0, weight))
    return found


def _milestones(store: Store, as_of: dt.date, one: Scope, account_id: str) -> list[Line]:
    rows = account_milestones(store, as_of=as_of, scope=one, account_id=account_id)
    late, following = rows[rows["state"] == "overdue"], rows[rows["state"] == "next"]
    found: list[Line] = [
        ("milestone", row.milestone, f"{plural(row.days_late, 'day')} overdue", row.due_on, True, 55.0)
        for row in each(late)
    ]
    return found + [("milestone", row.milestone, "comes next", row.due_on, False, 20.0) for row in each(following)]

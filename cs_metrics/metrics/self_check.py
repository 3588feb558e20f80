"""The self-check before the first call: was the reason they bought met, who decides now, is a promise still open?

Every answer comes from a fact and names it; where no fact tells, the answer is "not recorded", never a guess.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.expansion_words import and_more, day, joined, percent, plural
from cs_metrics.metrics.low_price import gains
from cs_metrics.metrics.negotiation import Deal, deal_of
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["QUESTIONS", "self_check"]

QUESTIONS = {
    "reason": "Was the reason they bought met?",
    "chain": "Has the decision chain changed, and where do we stand with it?",
    "promises": "Is any promise still open?",
}
ROLES = {"decision_maker": "Decision maker", "sponsor": "Sponsor", "champion": "Champion", "admin": "Administrator"}
GOOD, BAD, OPEN, UNKNOWN = "good", "bad", "look", "not recorded"

_HANDOFF = """
    select has_expected_outcomes, paid_on
    from handoffs
    inner join scope on scope.account_id = handoffs.account_id
    where paid_on <= $as_of
    limit 1
"""
_MILESTONES = """
    select
        count(*) as milestones,
        count(*) filter (completed_on <= $as_of) as reached,
        max(completed_on) filter (completed_on <= $as_of) as last_on,
        list(name order by position) filter (completed_on is null or completed_on > $as_of) as missing,
        count(*) filter (due_on < $as_of and (completed_on is null or completed_on > $as_of)) as overdue
    from milestone_status
    inner join scope on scope.account_id = milestone_status.account_id
"""
_PEOPLE = """
    select
        role,
        coalesce(name, contact_id) as name,
        since,
        case when left_on <= $as_of then left_on end as left_on,
        case when left_on <= $as_of then moved_to end as moved_to
    from contacts
    inner join scope on scope.account_id = contacts.account_id
    where since is null or since <= $as_of
    order by role, since nulls first, contact_id
"""
_MEETINGS = """
    select kind, scheduled_on, went_well
    from meetings
    inner join scope on scope.account_id = meetings.account_id
    where scheduled_on <= $as_of and was_held
    order by scheduled_on
"""
_MESSAGES = """
    select
        count(*) as sent,
        count(*) filter (replied_on <= $as_of) as answered,
        max(replied_on) filter (replied_on <= $as_of) as replied_on
    from messages
    inner join scope on scope.account_id = messages.account_id
    where sent_on <= $as_of and sent_on > $since
"""
_PROMISES = """
    select promise, made_on, due_on
    from promises
    inner join scope on scope.account_id = promises.account_id
    where made_on <= $as_of and (closed_on is null or closed_on > $as_of)
    order by due_on nulls last, made_on, promise
"""


@dataclass(frozen=True)
class _Answer:
    """One line of the self-check: good, bad, something to look at, or not recorded."""

    question: str
    item: str
    answer: str
    state: str
    evidence: str
    on: dt.date | None = None
    source: str = ""


@metric(needs=("accounts",), reads=("promise",), page="Renewals")
def self_check(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "", contract_id: str = ""
) -> pd.DataFrame:
    """What to know of an account before the first call of its renewal, question by question, with the evidence.

    The reason they bought: were expected outcomes handed over, did the customer's results gain against the same months a
    year before, were all milestones reached. The chain: who is there in each role, who left or came since the contract
    began, when each role was last met, who answers. No record says who sat in a meeting: its kind stands for the role
    (negotiation.role_meetings). Promises: those not kept or withdrawn, imported or written on the pages. Where a table
    is missing or holds nothing of the account, the answer is "not recorded".

    Columns:
        question: reason, chain or promises
        item: what was looked at
        answer: in a few words
        state: good, bad, look (to be looked at) or not recorded
        evidence: the facts behind it
        on: the day of the newest of them
        source: the table that tells
    """
    deal = deal_of(store, as_of, scope, account_id, contract_id)
    found: list[_Answer] = []
    if deal is not None:
        one = only(store, deal.account_id, as_of, scope)
        found = [
            *_reason(store, as_of, one),
            *_chain(store, as_of, one, deal),
            *_replies(store, as_of, one),
            *_promises(store, as_of, one),
        ]
    table = pd.DataFrame([line.__dict__ for line in found], columns=list(_Answer.__dataclass_fields__))
    table["on"] = pd.to_datetime(table["on"]).astype("datetime64[us]")
    return table


def _unknown(question: str, item: str, what: str, source: str) -> _Answer:
    return _Answer(question, item, "Not recorded", UNKNOWN, what, source=source)


def _records(store: Store, sql: str, as_of: dt.date, one: Scope, **more: Any) -> list[dict[Any, Any]]:
    found: list[dict[Any, Any]] = store.frame(sql, scope=one, as_of=as_of, **more).to_dict("records")
    return found


def _day_of(value: Any) -> dt.date | None:
    return None if value is None or value is pd.NaT or value != value else pd.Timestamp(value).date()


# The reason they bought


def _reason(store: Store, as_of: dt.date, one: Scope) -> list[_Answer]:
    return [_expected(store, as_of, one), *_results(store, as_of, one), _reached(store, as_of, one)]


def _expected(store: Store, as_of: dt.date, one: Scope) -> _Answer:
    item = "Expected outcomes at hand-off"
    rows = store.rows(_HANDOFF, scope=one, as_of=as_of)
    if not rows or rows[0][0] is None:
        return _unknown("reason", item, "No hand-off says what they expected: ask.", "handoffs")
    if not rows[0][0]:
        words = f"The hand-off of {day(rows[0][1])} went without expected outcomes: ask what they bought it for."
        return _Answer("reason", item, "Never written down", BAD, words, rows[0][1], "handoffs")
    words = f"Handed over on {day(rows[0][1])}: read them before the call."
    return _Answer("reason", item, "Written down", GOOD, words, rows[0][1], "handoffs")


def _results(store: Store, as_of: dt.date, one: Scope) -> list[_Answer]:
    found = gains(store, as_of, one)
    if found.empty:
        words = "No result of theirs is known for the same months of two years."
        return [_unknown("reason", "Their own results", words, "outcomes")]
    answers = []
    for row in found.to_dict("records"):
        name, value, before = str(row["metric"]).replace("_", " "), float(row["value"]), float(row["before"])
        change = percent(abs(value - before) / before) if before > 0 else ""
        answer, state = (
            ("Better", GOOD) if value > before else ("Worse", BAD) if value < before else ("Unchanged", OPEN)
        )
        moved = "up" if value > before else "down"
        words = (
            f"{name.capitalize()} {moved} {change}".rstrip() if value != before else f"{name.capitalize()} unchanged"
        )
        words += f" over {plural(row['months'], 'month')} against the same months a year before."
        answers.append(_Answer("reason", f"Their own results: {name}", answer, state, words, None, "outcomes"))
    return answers


def _reached(store: Store, as_of: dt.date, one: Scope) -> _Answer:
    row = _records(store, _MILESTONES, as_of, one)[0]
    milestones, reached = int(row["milestones"]), int(row["reached"])
    if not milestones:
        return _unknown("reason", "Milestones", "No milestones were loaded for this account.", "milestones")
    last = _day_of(row["last_on"])
    if reached == milestones:
        words = f"All {milestones} reached, the last one on {day(last)}." if last else f"All {milestones} reached."
        return _Answer("reason", "Milestones", "All reached", GOOD, words, last, "milestone_completions")
    words = f"{reached} of {milestones} reached; missing: {and_more([str(name) for name in row['missing']])}."
    state = BAD if row["overdue"] else OPEN
    return _Answer("reason", "Milestones", f"{reached} of {milestones}", state, words, last, "milestone_completions")


# The decision chain


def _chain(store: Store, as_of: dt.date, one: Scope, deal: Deal) -> list[_Answer]:
    people = _records(store, _PEOPLE, as_of, one)
    if not people:
        return [_unknown("chain", "People", "No contact with a part in the decision is known.", "contacts")]
    since = deal.starts_on or periods.add_days(as_of, -periods.DAYS_PER_YEAR)
    answers = [_changed(people, since)]
    meetings = _records(store, _MEETINGS, as_of, one)
    for role, word in ROLES.items():
        mine = [person for person in people if person["role"] == role]
        if mine or role in ("decision_maker", "sponsor"):
            kinds = store.config.negotiation.role_meetings.get(role, ())  # type: ignore[call-overload]
            held = [one for one in meetings if one["kind"] in kinds]
            answers.append(_role(word, mine, held, as_of, store.has("meetings")))
    return answers


def _changed(people: list[dict[Any, Any]], since: dt.date) -> _Answer:
    """Say who left and who came since the contract began."""
    item, words, days = "Changes since the contract began", [], []
    for person in people:
        left, came = _day_of(person["left_on"]), _day_of(person["since"])
        role = ROLES[str(person["role"])].lower()
        if left and left > since:
            moved = f" for {person['moved_to']}" if isinstance(person["moved_to"], str) else ""
            words.append(f"{person['name']} ({role}) left on {day(left)}{moved}")
            days.append(left)
        if came and came > since:
            words.append(f"{person['name']} ({role}) is new since {day(came)}")
            days.append(came)
    if not words:
        return _Answer("chain", item, "Unchanged", GOOD, f"Nobody left or came since {day(since)}.", None, "contacts")
    return _Answer("chain", item, "Changed", BAD, f"{joined(words)}.", max(days), "contacts")


def _role(word: str, people: list[dict[Any, Any]], held: list[dict[Any, Any]], as_of: dt.date, knows: bool) -> _Answer:
    """Say who is there in a role and when we last met them, as far as kinds of meetings tell."""
    here = [person for person in people if _day_of(person["left_on"]) is None]
    if not people:
        return _unknown("chain", word, "Nobody in this role is recorded.", "contacts")
    if not here:
        gone = people[-1]
        left = _day_of(gone["left_on"])
        words = f"{gone['name']} left on {day(left)}, and nobody followed." if left else "Nobody is there."
        return _Answer("chain", word, "Vacant", BAD, words, left, "contacts")
    names = and_more([str(person["name"]) for person in here])
    if not knows:
        return _Answer(
            "chain", word, names, OPEN, "No meetings were loaded: when we last met is not recorded.", None, "contacts"
        )
    newest = max((came for came in (_day_of(person["since"]) for person in here) if came), default=None)
    if not held:
        return _Answer(
            "chain", word, f"{names}: never met", BAD, "No meeting of a kind for this role was held.", None, "meetings"
        )
    last, went = _day_of(held[-1]["scheduled_on"]), held[-1]["went_well"]
    assert last is not None
    mood = {True: ", it went well", False: ", it did not go well"}.get(went if isinstance(went, bool) else None, "")  # type: ignore[arg-type]
    met = f"Last {_kind(held[-1]['kind'])} held on {day(last)}, {plural(periods.days_between(last, as_of), 'day')} ago{mood}."
    if newest and newest > last:
        return _Answer(
            "chain", word, f"{names}: not met yet", BAD, f"In the role since {day(newest)}. {met}", last, "meetings"
        )
    is_old = periods.days_between(last, as_of) > 180 or went is False
    return _Answer("chain", word, names, OPEN if is_old else GOOD, met, last, "meetings")


def _kind(kind: Any) -> str:
    return {"qbr": "QBR", "ebr": "EBR", "executive": "executive meeting"}.get(str(kind), str(kind).replace("_", "-"))


def _replies(store: Store, as_of: dt.date, one: Scope) -> list[_Answer]:
    item, days = "Replies", store.config.negotiation.reply_days
    if not store.has("messages"):
        return [_unknown("chain", item, "No messages were loaded.", "messages")]
    row = _records(store, _MESSAGES, as_of, one, since=periods.add_days(as_of, -days))[0]
    sent, answered, last = int(row["sent"]), int(row["answered"]), _day_of(row["replied_on"])
    if not sent:
        words = f"We sent nothing in {plural(days, 'day')}."
        return [_Answer("chain", item, "Nothing sent", OPEN, words, None, "messages")]
    words = f"{answered} of {plural(sent, 'message')} of the last {plural(days, 'day')} answered"
    if not answered:
        return [_Answer("chain", item, "No reply", BAD, f"{words}.", None, "messages")]
    words += f", last on {day(last)}." if last else "."
    return [_Answer("chain", item, "They answer", GOOD, words, last, "messages")]


# Promises


def _promises(store: Store, as_of: dt.date, one: Scope) -> list[_Answer]:
    rows = _records(store, _PROMISES, as_of, one)
    if not rows:
        if not store.has("commitments") and not store.rows(
            "select 1 from promises where made_on <= $as_of limit 1", as_of=as_of
        ):
            return [_unknown("promises", "Promises", "No promises were loaded or written down.", "commitments")]
        return [
            _Answer(
                "promises",
                "Promises",
                "None open",
                GOOD,
                "Every recorded promise was kept or withdrawn.",
                None,
                "commitments",
            )
        ]
    answers = []
    for row in rows:
        made, due = _day_of(row["made_on"]), _day_of(row["due_on"])
        words = f"Promised on {day(made)}" if made else "Promised"
        is_late = due is not None and due < as_of
        if due is not None:
            late = f", {plural(periods.days_between(due, as_of), 'day')} overdue" if is_late else ""
            words += f", due on {day(due)}{late}"
        answers.append(
            _Answer(
                "promises",
                str(row["promise"]),
                "Overdue" if is_late else "Open",
                BAD if is_late else OPEN,
                f"{words}.",
                made,
                "commitments",
            )
        )
    return answers

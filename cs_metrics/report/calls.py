"""The sentences about calls to action and what was said about them."""

from dataclasses import dataclass

import pandas as pd

from cs_metrics.report import format as say

__all__ = ["Line", "agenda", "counted", "facts", "lines", "needs_statement", "state", "title", "told"]

_MARKED, _UNMARKED = "statement of work needed", "statement of work no longer needed"


@dataclass(frozen=True)
class Line:
    """One thing that happened or was said: what, the words, and when and by whom."""

    head: str
    said: str
    foot: str


def title(call: pd.Series) -> str:
    """Return the name of a call to action, with a mark when it is flagged."""
    return f"{'■ ' if call['is_flagged'] else '▲ '}{call['reason']}"


def state(call: pd.Series) -> str:
    """Say how a call to action stands: flagged, owner, due, snoozed, since when."""
    needs = f", needs {call['team_needed']}" if say.is_known(call["team_needed"]) else ""
    said = [
        f"Flagged{needs}" if call["is_flagged"] else "",
        str(call["owner"]) if say.is_known(call["owner"]) else "nobody's",
        _due(call),
        f"snoozed until {say.date(call['snoozed_until'])}" if say.is_known(call["snoozed_until"]) else "",
        f"open for {say.plural(call['days_open'], 'day')}",
    ]
    return " · ".join(one for one in said if one)


def _due(call: pd.Series) -> str:
    if not say.is_known(call["due_on"]):
        return "no due day"
    return f"{'overdue since' if call['is_overdue'] else 'due on'} {say.date(call['due_on'])}"


def counted(calls: pd.DataFrame) -> str:
    """Say how many calls to action are open and flagged."""
    if calls.empty:
        return "None is open"
    return f"{say.count(len(calls))} open, {say.count(calls['is_flagged'].sum())} flagged"


def told(history: pd.DataFrame, most: int) -> str:
    """Say how much of the history is shown."""
    if history.empty:
        return "Nothing yet"
    return (
        f"The newest {most} of {len(history)}" if len(history) > most else say.plural(len(history), "entry", "entries")
    )


def lines(history: pd.DataFrame, most: int) -> list[Line]:
    """Return the newest of what happened and was said, ready to be read."""
    return [_line(row) for _, row in history.head(most).iterrows()]


def _line(row: pd.Series) -> Line:
    about = f": {row['reason']}" if row["reason"] else ""
    what = str(row["what"])
    by = f" · {row['author']}" if row["author"] else ""
    return Line(f"{what[0].upper()}{what[1:]}{about}", str(row["note"] or ""), f"{say.date(row['day'])}{by}")


def needs_statement(history: pd.DataFrame) -> bool:
    """Tell whether the last word on it is that a statement of work is needed."""
    marks = [one for one in history["what"] if one in (_MARKED, _UNMARKED)]
    return bool(marks) and marks[0] == _MARKED


def agenda(meeting: pd.DataFrame, currency: str) -> str:
    """Say what the risk meeting is about."""
    if meeting.empty:
        return "No account is flagged: there is nothing for the risk meeting."
    new = int(meeting["is_new"].sum())
    newly = f", {say.count(new)} of them new this week" if new else ""
    are = "is" if len(meeting) == 1 else "are"
    return f"{say.plural(len(meeting), 'account')} with {say.money(meeting['arr'].sum(), currency)} ARR {are} flagged{newly}."


def facts(row: pd.Series) -> str:
    """Say who the account of the meeting is."""
    said = [
        str(row["segment"]) if row["segment"] else "",
        f"day {say.count(row['days_since_start'])}",
        f"manager {row['onboarding_manager']}" if row["onboarding_manager"] else "",
        f"needs {row['teams_needed']}" if say.is_known(row["teams_needed"]) else "",
    ]
    return " · ".join(one for one in said if one)

"""The words of the Account page: what changed, what drives it, what to bring up."""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from cs_metrics.metrics.one_account import each
from cs_metrics.report import format as say

__all__ = [
    "agenda",
    "agenda_caption",
    "changes",
    "changes_title",
    "concentration",
    "features_title",
    "gains",
    "renewal",
    "renewal_reasons",
]

Row = "pd.Series[Any]"
_MOVES = {"percent": "points", "score": "number", "money": "money", "count": "count"}
_EFFECTS = {"good": "● Better", "bad": "■ Worse", "none": "– Same", "": "○ Not known"}
_LINES = 6
_SOON_DAYS = 30  # a step of the renewal plan is a next step when its day is so near
_WHOLE_FROM = 1000  # larger results are said without decimals


def changes(rows: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the rows of `account_changes` with before, now, change and effect in words."""
    found = rows.copy(deep=False)
    for name in ("before", "now"):
        found[f"{name}_words"] = [
            say.value(one, unit, currency) for one, unit in zip(rows[name], rows["unit"], strict=True)
        ]
    found["change_words"] = [_moved(one, currency) for one in each(rows)]
    found["effect_words"] = [_effect(one) for one in each(rows)]
    return found


def _moved(row: Any, currency: str) -> str:
    moved = say.change(row.now, row.before, _MOVES.get(row.unit, "number"), currency=currency)  # type: ignore[arg-type]
    return moved.text if moved else say.UNKNOWN


def _effect(row: Any) -> str:
    return "– Small" if row.effect == "none" and row.change else _EFFECTS[row.effect]


def changes_title(rows: pd.DataFrame) -> str:
    """Return what the changes come to: how much is better and how much is worse."""
    better, worse = (int((rows["effect"] == one).sum()) for one in ("good", "bad"))
    first = rows.iloc[0]
    since = "since the last review" if first["has_review"] else f"since {say.date(first['since'])}"
    if not better and not worse:
        return f"Nothing has changed {since}"
    return f"{say.count(better)} better and {say.count(worse)} worse {since}"


def gains(rows: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the rows of `account_value` with now, before and change in words; months that are missing are said."""
    found = rows.copy(deep=False)
    is_large = (rows["unit"] == "number") & (rows["now"].abs() >= _WHOLE_FROM)
    found["unit"] = rows["unit"].mask(is_large, "count")
    found["measure"] = [_months(one) for one in each(rows)]
    for name in ("now", "before"):
        found[f"{name}_words"] = [
            say.value(one, unit, currency) for one, unit in zip(rows[name], found["unit"], strict=True)
        ]
    found["change_words"] = [_moved(one, currency) for one in each(found)]
    return found


def _months(row: Any) -> str:
    is_part = say.is_known(row.months) and row.months < 12
    return f"{row.measure} ({say.count(row.months)} of 12 months)" if is_part else str(row.measure)


def renewal(now: Any, money: Callable[[float], str]) -> str:
    """Return the open contract of `account_header` in one line, or that there is none."""
    if not say.is_known(now["renewal_on"]):
        return "No contract is open for renewal"
    left = now["days_left"]
    when = say.ahead(left) if left >= 0 else f"{say.days(-left)} past its end and undecided"
    said = [f"{money(now['renewal_arr'])} due on {say.date(now['renewal_on'])}, {when}"]
    said += [f"likelihood {say.percent(now['likelihood'], 0)}"] if say.is_known(now["likelihood"]) else []
    said += [f"called {str(now['category']).replace('_', ' ')}"] if _is_said(now["category"]) else []
    said += ["renews by itself"] if say.is_known(now["auto_renews"]) and now["auto_renews"] else []
    return " · ".join(said)


def renewal_reasons(now: Any) -> dict[str, list[str]]:
    """Return what speaks for and against the renewal and which steps of its plan are overdue or next, by heading."""
    found = {
        "For": _parts(now["reasons_for"]),
        "Against": _parts(now["reasons_against"]),
        "Steps overdue": _parts(now["overdue_names"]),
        "Next step": [f"{now['next_step']}, due on {say.date(now['next_step_on'])}"]
        if _is_said(now["next_step"])
        else [],
    }
    return {label: lines for label, lines in found.items() if lines}


def _parts(text: Any) -> list[str]:
    return text.split("; ") if _is_said(text) else []


def promises(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `account_promises` with their state in words: open, broken, kept, kept late or withdrawn."""
    return rows.assign(state_words=[_promise(one) for one in each(rows)])


def _promise(row: Any) -> str:
    if row.state == "overdue":
        return f"■ Broken for {say.days(row.days_overdue)}"
    if row.state == "kept":
        return f"● Kept {say.days(row.days_late)} late" if say.is_known(row.days_late) else "● Kept"
    return "▲ Open" if row.state == "open" else "○ Withdrawn"


def features_title(rows: pd.DataFrame) -> str:
    """Return how many features are used less, and how many more, than similar accounts use them."""
    if not rows["percentile"].notna().any():
        return "Features used"
    less, more = int(rows["reading"].isin(["less", "not used here"]).sum()), int((rows["reading"] == "more").sum())
    return f"{say.plural(less, 'feature')} used less than similar accounts do, {say.count(more)} more"


def concentration(totals: Any) -> str:
    """Return on how few people the use rests, empty where nobody was active."""
    if not say.is_known(totals["half_users"]):
        return ""
    top = f"{totals['top_user']} alone makes {say.percent(totals['top_share'], 0)} of all use"
    warn = "■ Leans on one person: " if totals["is_concentrated"] else ""
    return f"{warn}{top}; {say.plural(totals['half_users'], 'user')} of {say.count(totals['users'])} make half of it."


def agenda_caption(rows: pd.DataFrame) -> str:
    """Return how many things there are to bring up, and how many of them are late."""
    late = int(rows["is_late"].sum())
    return f"{say.plural(len(rows), 'thing')} to bring up, {say.count(late)} late" if len(rows) else "Nothing is open"


def agenda(now: Any, rows: pd.DataFrame) -> dict[str, list[str]]:
    """Return what to say by heading: what drives health and renewal, what comes next, what is owed and stuck.

    `now` is the row of `account_header`, `rows` are those of `account_agenda`.
    """
    drivers = [*_sentences(now["reasons"]), now["alert"], _override(now)]
    drivers += [f"For the renewal: {now['reasons_for']}"] if _is_said(now["reasons_for"]) else []
    drivers += [f"Against it: {now['reasons_against']}"] if _is_said(now["reasons_against"]) else []
    steps = (
        [f"{now['next_step']} of the renewal plan, due on {say.date(now['next_step_on'])}"]
        if _is_said(now["next_step"]) and now["days_to_step"] <= _SOON_DAYS
        else []
    )
    coming = rows[rows["topic"].isin(["call", "milestone"])]
    owed = rows[rows["topic"].isin(["promise", "ticket"])]
    found = {
        "What drives it": [str(one) for one in drivers if _is_said(one)],
        "Next steps": [*steps, *_lines(coming)],
        "We owe, and what is stuck": _lines(owed),
        "Who came, who left": _lines(rows[rows["topic"] == "person"]),
    }
    return {label: lines for label, lines in found.items() if lines}


def _lines(rows: pd.DataFrame) -> list[str]:
    said = [_line(one) for one in each(rows.head(_LINES))]
    more = len(rows) - len(said)
    return [*said, f"and {say.count(more)} more"] if more > 0 else said


def _line(one: Any) -> str:
    due = f", due on {say.date(one.due_on)}" if say.is_known(one.due_on) else ""
    return f"{'■ ' if one.is_late else ''}{one.what}{due} ({one.detail})" if one.detail else f"{one.what}{due}"


def _sentences(words: Any) -> list[str]:
    """Return the sentences of a text, each one a line."""
    return re.split(r"(?<=[.!?]) (?=[A-Z])", words) if _is_said(words) else []


def _override(now: Any) -> str:
    """Return what a person says of its health instead of the score, empty where nobody does."""
    if not _is_said(now["override_colour"]):
        return ""
    who = f"{now['override_by']} on {say.date(now['override_on'])}"
    return f"Overridden: {say.health(now['override_colour'])} ({who}): {now['override_reason']}"


def _is_said(words: Any) -> bool:
    return bool(say.is_known(words) and words)

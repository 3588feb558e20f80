"""The desk of one account: its open calls to action, what was said, and what can be done about it, here and now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from cs_metrics import periods
from cs_metrics.metrics.overview import account_values
from cs_metrics.metrics.scope import Scope
from cs_metrics.report import calls as words
from cs_metrics.ui import writing
from cs_metrics.ui.shell import Page
from cs_metrics.ui.words import plain
from cs_metrics.workspace.entries import NewEntry

__all__ = ["draw", "new_call"]

_TOLD = 12
_TEAMS = ("Product", "Engineering", "Support", "Sales", "Finance", "Legal", "Management")
_CLOSED_AS = {"success": "Success: solved", "lost": "Lost: it cannot be solved", "not_valid": "Not valid: it was none"}
_KINDS = {
    "risk": "Risk",
    "lifecycle": "Lifecycle",
    "expansion": "Expansion",
    "objective": "Objective",
    "activity": "Activity",
}
_PEOPLE = ("onboarding_manager", "csm", "salesperson")


@dataclass(frozen=True, kw_only=True)
class _Act:
    """Something that can be done about a call to action: its words, its icon, what must be filled in."""

    button: str
    icon: str
    fields: Callable[[Page], Mapping[str, Any]] = lambda _page: {}
    needs_note: str = ""


def _team(_page: Page) -> Mapping[str, Any]:
    return {"team_needed": _choice("Which team is needed", _TEAMS)}


def _owner(page: Page) -> Mapping[str, Any]:
    return {"owner": _choice("Who works it", _people(page))}


def _until(page: Page) -> Mapping[str, Any]:
    week = periods.add_days(page.as_of, 7)
    return {"until": st.date_input("Snoozed up to and with", value=week, min_value=page.as_of, format="YYYY-MM-DD")}


def _closed_as(_page: Page) -> Mapping[str, Any]:
    return {"closed_as": st.selectbox("It is closed as", list(_CLOSED_AS), format_func=lambda one: _CLOSED_AS[one])}


_ACTS = {
    "flag": _Act(button="Flag", icon=":material/flag:", fields=_team),
    "unflag": _Act(button="Take flag back", icon=":material/outlined_flag:"),
    "assign": _Act(button="Assign", icon=":material/person:", fields=_owner),
    "snooze": _Act(button="Snooze", icon=":material/snooze:", fields=_until),
    "note": _Act(button="Note", icon=":material/edit_note:", needs_note="What was said and decided"),
    "close": _Act(button="Close", icon=":material/check:", fields=_closed_as, needs_note="Why it is closed"),
}


def draw(page: Page, account_id: str, *, key: str) -> None:
    """Draw the desk of an account: its open calls to action with what can be done, a box for a note, what was said."""
    scope = Scope.of(account_id=account_id)
    calls = page.metric("onboarding_ctas", scope=scope, of="customers")
    history = page.metric("cta_history", scope=scope, account_id=account_id)
    needs_statement = words.needs_statement(history)
    asked = ("cta_history", {"account_id": account_id})
    left, right = page.columns(1, 1)
    with left, page.card("Open calls to action", words.counted(calls), key=f"{key}_open", has_scope=False):
        for _, call in calls.iterrows():
            _call(page, call, key)
        _about_account(page, account_id, needs_statement, key)
    with (
        right,
        page.card("What was said", words.told(history, _TOLD), metric=asked, key=f"{key}_said", has_scope=False),
    ):
        if writing.is_open(page):
            writing.note_form(page, lambda text: _about(account_id, "note", {}, text), key=f"note_{key}_{account_id}")
        st.markdown("\n".join(f"- {_told(line)}" for line in words.lines(history, _TOLD)))


def _told(line: words.Line) -> str:
    said = f": {plain(line.said)}".replace("\n", " ") if line.said else ""
    return f":small[:gray[{plain(line.foot)}]]  \n  {plain(line.head)}{said}"


def new_call(page: Page, account_id: str, *, key: str) -> None:
    """Draw the button that opens a call to action by hand."""
    if st.button("New call to action", icon=":material/add:", key=f"new_{key}", disabled=not writing.is_open(page)):

        def fields() -> Mapping[str, Any]:
            return {
                "reason": st.text_input("What is the matter", max_chars=200),
                "kind": st.selectbox("Kind", list(_KINDS), format_func=lambda one: _KINDS[one]),
                "owner": _choice("Who works it", _people(page)),
                "due_on": st.date_input("Due on", value=None, min_value=page.as_of, format="YYYY-MM-DD"),
            }

        def entry(body: Mapping[str, Any], note: str) -> NewEntry:
            return NewEntry("cta", account_id, "open", note=note, body=body)

        writing.ask(page, "New call to action", entry, fields, button="Open it")


def _call(page: Page, call: pd.Series, key: str) -> None:
    name = f"{key}_{call.cta_id}"
    with st.container(border=True, gap=None, key=f"call_{name}"):
        st.markdown(f"**{plain(words.title(call))}**  \n:small[:gray[{plain(words.state(call))}]]")
        if not writing.is_open(page):
            return
        with st.container(horizontal=True, gap="xsmall"):
            for action, act in _ACTS.items():
                if action == ("flag" if call.is_flagged else "unflag"):
                    continue
                if st.button(act.button, icon=act.icon, type="tertiary", key=f"{action}_{name}"):
                    _ask(page, call, action, act)


def _ask(page: Page, call: pd.Series, action: str, act: _Act) -> None:
    def entry(body: Mapping[str, Any], note: str) -> NewEntry:
        return NewEntry("cta", str(call.account_id), action, subject=str(call.cta_id), note=note, body=body)

    title = f"{act.button}: {call.reason}"
    writing.ask(page, title, entry, lambda: act.fields(page), button=act.button, needs_note=act.needs_note)


def _about_account(page: Page, account_id: str, needs_statement: bool, key: str) -> None:
    if needs_statement:
        st.markdown(":material/description: **Statement of work needed**: the scope does not fit the plan.")
    if not writing.is_open(page):
        st.caption(f":material/info: {plain(writing.refusal(page))}")
        return
    with st.container(horizontal=True, gap="xsmall"):
        new_call(page, account_id, key=key)
        label = "Statement of work no longer needed" if needs_statement else "Statement of work needed"
        if st.button(label, icon=":material/description:", key=f"sow_{key}"):
            body = {"is_needed": not needs_statement}
            writing.ask(
                page,
                label,
                lambda _body, text: _about(account_id, "statement_of_work", body, text),
                dict,
                button="Mark",
            )


def _about(account_id: str, action: str, body: Mapping[str, Any], note: str) -> NewEntry:
    return NewEntry("account", account_id, action, note=note, body=body)


def _choice(label: str, known: Any) -> str:
    """Draw a drop-down that takes a value of one's own, too."""
    return str(
        st.selectbox(label, list(known), index=None, accept_new_options=True, placeholder="Choose or type") or ""
    )


def _people(page: Page) -> list[str]:
    found = account_values(page.store, _PEOPLE)
    return sorted({name for names in found.values() for name in names})

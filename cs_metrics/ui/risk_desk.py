"""The desk of one account at risk: its cause, the plan, who does what by when, and what its health really is."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cs_metrics.metrics.overview import account_values
from cs_metrics.metrics.risk_written import CAUSES
from cs_metrics.metrics.scope import Scope
from cs_metrics.report import format as say
from cs_metrics.ui import writing
from cs_metrics.ui.shell import Page
from cs_metrics.ui.words import plain
from cs_metrics.workspace.entries import NewEntry

__all__ = ["draw", "draw_override"]

_SEVERITIES = {"": "As usual for the cause", "high": "High", "medium": "Medium", "light": "Light"}
_COLOURS = {"red": "■ At risk", "yellow": "▲ Watch", "green": "● Healthy"}


def draw(page: Page, account_id: str, *, key: str) -> None:
    """Draw cause and plan with what can be written about them, and the open actions."""
    scope = Scope.of(account_id=account_id)
    listed, actions = page.metric("at_risk", scope=scope), page.metric("risk_actions", scope=scope)
    row = listed.iloc[0] if len(listed) else None
    left, right = page.columns(1, 1)
    with left, page.card("Cause and plan", key=f"{key}_cause", has_scope=False):
        if row is not None:
            st.markdown(f"**{plain(row.severity.capitalize())}: {plain(row.cause)}**  \n{plain(row.plan)}")
            by = ", ".join(f"{what} by {who}" for what, who in (("cause", row.cause_by), ("plan", row.plan_by)) if who)
            st.caption(plain(by or "told by the data; nobody wrote a cause or a plan"))
            if row.alert:
                st.caption(f":material/notification_important: {plain(row.alert)}")
        _buttons(page, account_id, key, has_cause=row is not None and bool(row.cause_by))
    with right, page.card("Actions", _counted(actions), key=f"{key}_actions", has_scope=False):
        for _, one in actions[actions["state"] == "open"].iterrows():
            _action(page, one, key)
        if writing.is_open(page) and st.button("New action", icon=":material/add:", key=f"new_action_{key}"):
            _ask(page, account_id, "action", "New action", lambda: _action_fields(page), button="Write it")
    draw_override(page, account_id, key=key)


def draw_override(page: Page, account_id: str, *, key: str) -> None:
    """Draw what a person says about the account's health beside its score, and the buttons to say or withdraw it."""
    found = page.metric("health", scope=Scope.of(account_id=account_id))
    if found.empty:
        return
    row = found.iloc[0]
    with page.card("Override of the health score", key=f"{key}_override", has_scope=False):
        st.markdown(f"Computed: **{plain(say.health(row.colour))}** {plain(say.number(row.score))}")
        stands = isinstance(row.override_colour, str) and bool(row.override_colour)
        if stands:
            score = f" {say.number(row.override_score)}" if say.is_known(row.override_score) else ""
            until = f" until {say.date(row.override_until)}" if say.is_known(row.override_until) else ""
            who = f"{row.override_by}, {say.date(row.override_on)}{until}"
            st.markdown(
                f"Said: **{plain(say.health(row.override_colour))}**{score}: {plain(row.override_reason)}  \n"
                f":small[:gray[{plain(who)}]]"
            )
        if not writing.is_open(page):
            return
        with st.container(horizontal=True, gap="xsmall"):
            if st.button("Override", icon=":material/edit:", key=f"override_{key}"):
                writing.ask(
                    page,
                    "Override of the health score",
                    lambda body, note: NewEntry("health", account_id, "override", note=note, body=body),
                    lambda: _override_fields(page),
                    button="Keep it",
                    needs_note="Why the score is wrong",
                )
            if stands and st.button("Withdraw", icon=":material/undo:", type="tertiary", key=f"withdraw_{key}"):
                writing.ask(
                    page,
                    "Withdraw the override",
                    lambda _body, note: NewEntry("health", account_id, "withdraw", note=note),
                    dict,
                    button="Withdraw",
                )


def _override_fields(page: Page) -> Mapping[str, Any]:
    colour = st.selectbox("Its health is", list(_COLOURS), format_func=lambda one: _COLOURS[one])
    score = st.number_input("Score, if you have one", min_value=0.0, max_value=100.0, value=None, step=1.0)
    until = st.date_input("Up to and with (optional)", value=None, min_value=page.as_of, format="YYYY-MM-DD")
    return {"colour": colour, "score": score, "until": until}


def _buttons(page: Page, account_id: str, key: str, *, has_cause: bool) -> None:
    if not writing.is_open(page):
        st.caption(f":material/info: {plain(writing.refusal(page))}")
        return
    with st.container(horizontal=True, gap="xsmall"):
        if st.button("Cause", icon=":material/report:", key=f"cause_{key}"):
            _ask(page, account_id, "cause", "Why is it at risk?", _cause_fields, button="Write it")
        if st.button("Plan", icon=":material/map:", key=f"plan_{key}"):
            _ask(page, account_id, "plan", "What is the plan?", dict, button="Write it", needs_note="The plan")
        if has_cause and st.button("No longer at risk", icon=":material/check:", type="tertiary", key=f"over_{key}"):
            _ask(page, account_id, "over", "No longer at risk", dict, button="End it")


def _cause_fields() -> Mapping[str, Any]:
    words = {name: f"{text[0].upper()}{text[1:]} ({severity})" for name, (text, severity) in CAUSES.items()}
    cause = st.selectbox("Cause", list(words), format_func=lambda one: words[one])
    severity = st.selectbox("Severity", list(_SEVERITIES), format_func=lambda one: _SEVERITIES[one])
    return {"cause": cause, "severity": severity}


def _action(page: Page, one: pd.Series, key: str) -> None:
    name, account_id, subject = f"{key}_{one.action_id}", str(one.account_id), str(one.action_id)
    due = f"due {say.date(one.due_on)}" if say.is_known(one.due_on) else "without a day"
    overdue = ", overdue" if one.is_overdue else ""
    with st.container(border=True, gap=None, key=f"action_{name}"):
        st.markdown(f"**{plain(one.what)}**  \n:small[:gray[{plain(f'{one.owner}, {due}{overdue}')}]]")
        if not writing.is_open(page):
            return
        with st.container(horizontal=True, gap="xsmall"):
            if st.button("Done", icon=":material/check:", type="tertiary", key=f"done_{name}"):
                _ask(page, account_id, "done", f"Done: {one.what}", dict, button="Done", subject=subject)
            if st.button("Change", icon=":material/edit:", type="tertiary", key=f"change_{name}"):
                fields = lambda: _change_fields(page)  # noqa: E731
                _ask(page, account_id, "change", f"Change: {one.what}", fields, button="Change", subject=subject)
            if st.button("Drop", icon=":material/close:", type="tertiary", key=f"drop_{name}"):
                why = "Why it will not be done"
                _ask(
                    page, account_id, "drop", f"Drop: {one.what}", dict, button="Drop", needs_note=why, subject=subject
                )


def _action_fields(page: Page) -> Mapping[str, Any]:
    return {"what": st.text_input("What is to be done", max_chars=200), **_change_fields(page)}


def _change_fields(page: Page) -> Mapping[str, Any]:
    owner = st.selectbox(
        "Who does it", _people(page), index=None, accept_new_options=True, placeholder="Choose or type"
    )
    due_on = st.date_input("By when", value=None, min_value=page.as_of, format="YYYY-MM-DD")
    return {"owner": owner or "", "due_on": due_on}


def _ask(
    page: Page,
    account_id: str,
    action: str,
    title: str,
    fields: Callable[[], Mapping[str, Any]],
    *,
    button: str,
    needs_note: str = "",
    subject: str = "",
) -> None:
    def entry(body: Mapping[str, Any], note: str) -> NewEntry:
        return NewEntry("risk", account_id, action, subject=subject, note=note, body=body)

    writing.ask(page, title, entry, fields, button=button, needs_note=needs_note)


def _counted(actions: pd.DataFrame) -> str:
    states = actions["state"].value_counts()
    return ", ".join(f"{say.count(int(states.get(one, 0)))} {one}" for one in ("open", "done", "dropped"))


def _people(page: Page) -> list[str]:
    found = account_values(page.store, ("csm", "onboarding_manager", "salesperson"))
    return sorted({name for names in found.values() for name in names})

"""The desk of one renewal: its plan as a checklist, the owner's call, the next step, promises, and what was said."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cs_metrics.metrics.scope import Scope
from cs_metrics.report import renewal_desk as words
from cs_metrics.report.calls import Line, told
from cs_metrics.report.renewals import CATEGORIES
from cs_metrics.ui import walk, writing
from cs_metrics.ui.shell import Page
from cs_metrics.ui.words import plain
from cs_metrics.workspace.entries import NewEntry

__all__ = ["draw"]

_TOLD = 12
_CALLS = {name: CATEGORIES[name] for name in ("commit", "best_case", "at_risk")}
Fields = Callable[[], Mapping[str, Any]]


def draw(page: Page, contract: pd.Series) -> None:
    """Draw the desk of an undecided contract, a row of `renewal_pipeline`; on a past day nothing can be written."""
    scope = Scope.of(account_id=str(contract["account_id"]))
    about: dict[str, Any] = {"contract_id": str(contract["contract_id"])}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(str(contract["name"])), anchor=False)
        came_from = walk.shown(page, "renewal_pipeline", {"days": page.choices["days"]})
        page.account_link(str(contract["account_id"]), came_from)
    page.note(words.heading(contract, page.currency))
    page.note(words.priority(contract))
    if not writing.is_open(page):
        st.caption(f":material/info: {plain(writing.refusal(page))}")
    left, right = page.columns(1, 1)
    with left:
        _plan(page, contract, page.metric("renewal_steps", scope=scope, **about))
        _promises(page, contract, scope)
    with right:
        _call(page, contract)
        _said(page, contract, page.metric("renewal_history", scope=scope, **about))


def _plan(page: Page, contract: pd.Series, steps: pd.DataFrame) -> None:
    asked = ("renewal_steps", {"contract_id": contract["contract_id"]})
    with page.card("Plan", words.plan(steps), metric=asked, key="renewal_plan", has_scope=False):
        for _, step in steps.iterrows():
            is_done, name = step["state"] == "done", str(step["step"])
            with _row(*words.step(step)):
                if is_done:
                    _button(page, contract, "step_reopened", "Open again", {"step": name}, key=f"reopen_{name}")
                else:
                    _button(
                        page,
                        contract,
                        "step_done",
                        "Done",
                        {"step": name},
                        key=f"done_{name}",
                        fields=lambda: {"done_on": _day("Done on", page, latest=True)},
                    )


def _call(page: Page, contract: pd.Series) -> None:
    caption = "What the owner says, beside the likelihood"
    with page.card("Own call and next step", caption, metric="renewal_pipeline", key="renewal_call", has_scope=False):
        with _row(*words.call(contract)):
            _button(page, contract, "call", "Give own call", {}, key="call", fields=_choose_call)
            if pd.notna(contract["called_on"]):
                _button(page, contract, "call_withdrawn", "Withdraw", {}, key="uncall")
        with _row(*words.next_step(contract)):
            _button(page, contract, "next_step", "Set next step", {}, key="next", fields=lambda: _next_fields(page))
            _button(page, contract, "next_step_done", "Done", {}, key="next_done")


def _choose_call() -> Mapping[str, Any]:
    return {"call": st.selectbox("How sure is the renewal", list(_CALLS), format_func=lambda one: _CALLS[one])}


def _next_fields(page: Page) -> Mapping[str, Any]:
    return {
        "text": st.text_input("What happens next", max_chars=200),
        "due_on": _day("By", page),
        "owner": st.text_input("Who does it (optional)", max_chars=200),
    }


def _promises(page: Page, contract: pd.Series, scope: Scope) -> None:
    account = str(contract["account_id"])
    rows = page.metric("account_promises", scope=scope, account_id=account)
    asked = ("account_promises", {"account_id": account})
    with page.card("Promises", words.promises(rows), metric=asked, key="renewal_promises", has_scope=False):
        for _, row in rows[rows["state"].isin(["open", "overdue"])].iterrows():
            subject = str(row["promise_id"])
            with _row(*words.promise(row)):
                for action, label, reason in (("keep", "Kept", ""), ("withdraw", "Withdraw", "Why it no longer holds")):
                    _promise(page, account, action, label, subject=subject, needs_note=reason)
        _promise(page, account, "make", "New promise", fields=lambda: _promise_fields(page))


def _promise_fields(page: Page) -> Mapping[str, Any]:
    return {"promise": st.text_input("What is promised", max_chars=200), "due_on": _day("By", page)}


def _promise(
    page: Page,
    account: str,
    action: str,
    label: str,
    *,
    subject: str = "",
    fields: Fields = dict,
    needs_note: str = "",
) -> None:
    def entry(body: Mapping[str, Any], note: str) -> NewEntry:
        return NewEntry("promise", account, action, subject=subject, note=note, body=body)

    if writing.is_open(page) and st.button(label, type="tertiary", key=f"promise_{action}_{subject}"):
        writing.ask(page, label, entry, fields, button=label, needs_note=needs_note)


def _said(page: Page, contract: pd.Series, history: pd.DataFrame) -> None:
    asked = ("renewal_history", {"contract_id": contract["contract_id"]})
    with page.card("What was said", told(history, _TOLD), metric=asked, key="renewal_said", has_scope=False):
        if writing.is_open(page):
            key = f"renewal_note_{contract['contract_id']}"
            writing.note_form(page, lambda text: _about(contract, "note", {}, text), key=key)
        st.markdown("\n".join(f"- {_told(line)}" for line in words.lines(history, _TOLD)))


def _told(line: Line) -> str:
    said = f": {plain(line.said)}".replace("\n", " ") if line.said else ""
    return f":small[:gray[{plain(line.foot)}]]  \n  {plain(line.head)}{said}"


def _row(head: str, foot: str) -> Any:
    """Draw one thing with its state beneath it, and return where its buttons go."""
    area = st.container(horizontal=True, gap="xsmall", vertical_alignment="center")
    area.markdown(f"**{plain(head)}**  \n:small[:gray[{plain(foot)}]]")
    return area


def _button(
    page: Page,
    contract: pd.Series,
    action: str,
    label: str,
    body: Mapping[str, Any],
    *,
    key: str,
    fields: Fields = dict,
) -> None:
    """Draw a button that asks what the action needs and writes it; nothing on a past day."""

    def entry(filled: Mapping[str, Any], note: str) -> NewEntry:
        return _about(contract, action, {**body, **filled}, note)

    name = f"renewal_{key}_{contract['contract_id']}"
    if writing.is_open(page) and st.button(label, type="tertiary", key=name):
        title = f"{label}: {body['step']}" if "step" in body else label
        writing.ask(page, title, entry, fields, button=label)


def _about(contract: pd.Series, action: str, body: Mapping[str, Any], note: str) -> NewEntry:
    subject = str(contract["contract_id"])
    return NewEntry("renewal", str(contract["account_id"]), action, subject=subject, note=note, body=body)


def _day(label: str, page: Page, *, latest: bool = False) -> Any:
    """Draw a day that may be left empty; `latest` allows none after today."""
    limits: dict[str, Any] = {"max_value": page.as_of} if latest else {"min_value": page.as_of}
    return st.date_input(label, value=None, format="YYYY-MM-DD", **limits)

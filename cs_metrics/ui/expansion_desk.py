"""The desk of one opportunity: why, what holds it back, what can be said, and what is decided about it."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cs_metrics import periods
from cs_metrics.metrics.expansion_status import DISMISSED_AS
from cs_metrics.metrics.overview import account_values
from cs_metrics.metrics.scope import Scope
from cs_metrics.report import expansion as words
from cs_metrics.ui import walk, writing
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col
from cs_metrics.ui.words import plain
from cs_metrics.workspace.entries import NewEntry

__all__ = ["draw"]

_TOLD = 8
_WAIT_DAYS = 30
_PEOPLE = ("csm", "salesperson")
_PROOF = {
    "name": Col(label="Similar customer", is_pinned=True),
    "distance": Col(label="Distance", kind="number", help="Standard deviations of size and use within the segment"),
    "bought_on": Col(label="Since", kind="date"),
    "paid_arr": Col(label="Pays a year", kind="money"),
    "outcome_change": Col(label="Own result", kind="percent", help="3 months after ÷ 3 months before − 1"),
    "health_change": Col(label="Health", kind="number", help="Points, 90 days after against the day of buying"),
}


def draw(page: Page, row: pd.Series) -> None:
    """Draw the desk of an opportunity, given as its row of `expansion`."""
    account_id, subject = str(row["account_id"]), str(row["subject"])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(f"{row['name']} · {words.title(row)}"), anchor=False)
        page.account_link(account_id, walk.shown(page, "expansion"))
    left, right = page.columns(1, 1)
    with left, page.card("What is known", str(row["segment"] or ""), metric="expansion", key="offer", has_scope=False):
        st.markdown("\n".join(f"- **{label}**: {plain(text)}" for label, text in words.facts(row, page.currency)))
        _buttons(page, row, account_id, subject)
        _history(page, account_id, subject)
    with right:
        _message(page, row, account_id)


def _message(page: Page, row: pd.Series, account_id: str) -> None:
    if row["kind"] == "sponsor":
        with page.card("What can be said", "A new sale elsewhere", key="said", has_scope=False):
            st.markdown(
                "The person knows the product: ask what worked here. What similar customers bought says nothing of it."
            )
        return
    about: dict[str, Any] = {"account_id": account_id, "kind": str(row["kind"]), "product_id": ""}
    if row["kind"] in ("product", "price"):
        about |= {"kind": "product", "product_id": str(row["product_id"])}
    asked = ("expansion_proof", about)
    proof = page.metric("expansion_proof", scope=Scope(), **about)
    with page.card("What can be said", "Similar customers, from the data", metric=asked, key="said", has_scope=False):
        least = page.config.expansion.similar_accounts
        few = f"Fewer than {least} similar customers did the same: there is nothing to say of them yet."
        st.markdown(plain(str(row["message"]) or few))
    if len(proof):
        caption = "The nearest first; no proof of cause"
        page.table(
            proof,
            _PROOF,
            title="The similar customers",
            caption=caption,
            metric=asked,
            key="proof",
            rows=6,
            opens="similar_id",
        )


def _history(page: Page, account_id: str, subject: str) -> None:
    entries = page.metric("expansion_history", scope=Scope(), account_id=account_id, subject=subject)
    told = words.history(entries, _TOLD)
    if told:
        st.markdown("\n".join(f"- {plain(text)}  \n  :small[:gray[{plain(foot)}]]" for text, foot in told))


def _buttons(page: Page, row: pd.Series, account_id: str, subject: str) -> None:
    if not writing.is_open(page):
        st.caption(f":material/info: {plain(writing.refusal(page))}")
        return

    def entry(action: str) -> Callable[[Mapping[str, Any], str], NewEntry]:
        return lambda body, note: NewEntry("expansion", account_id, action, subject=subject, note=note, body=body)

    acts = _acts(page, str(row["owner"] or ""))
    with st.container(horizontal=True, gap="xsmall"):
        for action, (label, icon, fields, needs_note) in acts.items():
            if action == ("take" if row["status"] == "taken" else "reopen" if row["status"] == "open" else ""):
                continue
            if st.button(label, icon=icon, type="tertiary", key=f"{action}_{account_id}_{subject}"):
                title = f"{label}: {row['name']}, {words.title(row)}"
                writing.ask(page, title, entry(action), fields, button=label, needs_note=needs_note)


def _acts(page: Page, owner: str) -> dict[str, tuple[str, str, Callable[[], Mapping[str, Any]], str]]:
    """Return what can be done: its words, its icon, what must be filled in, and what the note is for where one is needed."""

    def taker() -> Mapping[str, Any]:
        found = account_values(page.store, _PEOPLE)
        people = sorted({name for names in found.values() for name in names} | ({owner} if owner else set()))
        at = people.index(owner) if owner in people else None
        return {"owner": str(st.selectbox("Who goes", people, index=at, accept_new_options=True) or "")}

    def until() -> Mapping[str, Any]:
        day = periods.add_days(page.as_of, _WAIT_DAYS)
        return {"until": st.date_input("Put off up to and with", value=day, min_value=page.as_of, format="YYYY-MM-DD")}

    def reason() -> Mapping[str, Any]:
        return {
            "reason": st.selectbox("Why", list(DISMISSED_AS), format_func=lambda one: DISMISSED_AS[one].capitalize())
        }

    return {
        "take": ("Take", ":material/check:", taker, ""),
        "postpone": ("Put off", ":material/snooze:", until, ""),
        "dismiss": ("Dismiss", ":material/close:", reason, ""),
        "note": ("Note", ":material/edit_note:", dict, "What was said and decided"),
        "reopen": ("Open again", ":material/undo:", dict, ""),
    }

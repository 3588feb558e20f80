"""Calls to action on the onboarding page: the list to work from, the load per person, and the risk meeting."""

import streamlit as st

from cs_metrics.report import calls as words
from cs_metrics.report import format as say
from cs_metrics.ui import desk, link, walk
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col, Kind
from cs_metrics.ui.words import plain

__all__ = ["draw_calls", "draw_managers", "draw_meeting"]


def _columns(kind: Kind, /, **labels: str) -> dict[str, Col]:
    return {name: Col(label=label, kind=kind) for name, label in labels.items()}


_NAME = {"name": Col(label="Account", is_pinned=True)}
CALLS = {
    **_NAME,
    **_columns("bool", is_flagged="Flagged", is_overdue="Overdue"),
    **_columns("text", reason="Reason", owner="Owner", team_needed="Team needed"),
    **_columns("date", due_on="Due", snoozed_until="Snoozed until"),
    **_columns("money", arr="ARR"),
    "last_note": Col(label="Last said", width="medium"),
    **_columns("bool", needs_statement_of_work="SoW"),
    **_columns("date", opened_on="Opened"),
    **_columns("text", kind="Kind", source="Source"),
}
MANAGERS = {
    **_columns("text", onboarding_manager="Who"),
    **_columns("count", accounts="Accounts", at_risk="At risk", at_risk_before="A week ago"),
    **_columns("money", at_risk_arr="ARR at risk", at_risk_arr_before="A week ago "),
    **_columns("score", score="Risk score"),
    **_columns(
        "count", opened_ctas="Opened", opened_before="Last week", closed_ctas="Closed", closed_before="Last week "
    ),
    **_columns("count", overdue_ctas="Overdue", overdue_before="A week ago  ", open_ctas="Open"),
}
MEETING = {
    **_NAME,
    **_columns("money", arr="ARR"),
    **_columns("text", reasons="Reason", teams_needed="Team needed", owners="Owner", onboarding_manager="Manager"),
    **_columns("days", days_flagged="Days flagged"),
    "next_milestone": Col(label="Next milestone"),
    **_columns("count", overdue_milestones="Overdue"),
    "last_note": Col(label="Last said", width="large"),
    **_columns("text", last_note_by="By"),
    **_columns("date", last_note_on="On"),
    **_columns("bool", is_new="New", needs_statement_of_work="SoW"),
}
_OF = {"onboarding": "In onboarding", "customers": "All customers"}


def draw_calls(page: Page) -> None:
    """Draw the open calls to action; a click on one opens the desk of its account below."""
    of = page.choose("calls_of", "Accounts", _OF)
    options, shown = {"of": of}, page.metric("onboarding_ctas", of=of)
    chosen = page.table(
        shown,
        CALLS,
        title="Open calls to action",
        caption="Flagged first, snoozed last, then by due day",
        metric=("onboarding_ctas", options),
        key="calls",
        opens=None,
        picks="account_id",
        empty="No call to action is open.",
    )
    account_id = link.kept("desk", chosen, list(shown["account_id"]))
    if account_id:
        name = shown[shown["account_id"] == account_id]["name"].iloc[0]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(plain(str(name)), anchor=False)
            page.account_link(account_id, walk.shown(page, "onboarding_ctas", options))
        desk.draw(page, account_id, key="calls")


def draw_managers(page: Page) -> None:
    """Draw the load per manager or segment, this week beside last."""
    by = page.choose("load_by", "By", {"onboarding_manager": "By manager", "segment": "By segment"})
    page.table(
        page.metric("onboarding_managers", by=by),
        MANAGERS,
        title="Accounts at risk and calls to action, this week and last",
        caption="The seven days up to this day, and the seven before",
        metric=("onboarding_managers", {"by": by}),
        key="managers",
        opens=None,
        empty="No account is in onboarding on this day.",
    )


def draw_meeting(page: Page) -> None:
    """Draw the risk meeting: one flagged account after the other, with what was said; then the whole agenda."""
    agenda = page.metric("risk_meeting")
    if agenda.empty:
        page.empty(words.agenda(agenda, page.currency), title="Risk meeting")
        return
    page.section("Risk meeting", words.agenda(agenda, page.currency))
    names = dict(zip(agenda["account_id"], agenda["name"], strict=True))
    account_id = link.stepper("at", "Account", names)
    row = agenda[agenda["account_id"] == account_id].iloc[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(str(row["name"])), anchor=False)
        page.account_link(account_id, walk.shown(page, "risk_meeting"))
    page.note(words.facts(row))
    asked: tuple[str, dict[str, str]] = ("risk_meeting", {})
    page.figures(
        [
            Figure(label="ARR", value=page.money(row["arr"]), note=str(row["segment"]), metric=asked),
            Figure(
                label="Flagged for",
                value=say.days(row["days_flagged"]),
                note=f"since {say.date(row['flagged_on'])}",
                metric=asked,
            ),
            Figure(
                label="Next milestone due",
                value=say.date(row["next_due_on"]),
                note=str(row["next_milestone"]) if say.is_known(row["next_milestone"]) else "all complete",
                metric=asked,
            ),
            Figure(
                label="Milestones overdue",
                value=say.count(row["overdue_milestones"]),
                note=f"on day {say.count(row['days_since_start'])}",
                metric=asked,
            ),
        ],
        columns=4,
    )
    desk.draw(page, account_id, key="meeting")
    page.table(agenda, MEETING, title="The agenda", caption="Largest first", metric="risk_meeting", key="agenda")

"""The lists of the page Health: accounts at risk, busy ones that win nothing, advocates, and what the score is made of."""

import streamlit as st

from cs_metrics.ui import health_proof, link, risk_desk
from cs_metrics.ui.health_columns import ACTIONS, BUSY, MEASURES, PRAISE, RISK, WEIGHTS
from cs_metrics.ui.shell import Page
from cs_metrics.ui.words import plain

__all__ = ["draw_definition", "draw_extremes", "draw_risk"]


def draw_risk(page: Page) -> None:
    """Draw the accounts at risk; a click on one opens its desk below. Then what people do about all of them."""
    shown = page.metric("at_risk")
    chosen = page.table(
        shown,
        RISK,
        title="Accounts at risk, why, and what is under way",
        caption="a written cause, two of four signs, or red; the gravest first",
        metric="at_risk",
        key="at_risk",
        opens=None,
        picks="account_id",
        empty="No account shows two signs of risk, none is red, and nobody named a cause.",
    )
    account_id = link.kept("risk", chosen, list(shown["account_id"]))
    if account_id:
        name = shown[shown["account_id"] == account_id]["name"].iloc[0]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(plain(str(name)), anchor=False)
            page.account_link(account_id)
        risk_desk.draw(page, account_id, key="risk")
    actions = page.metric("risk_actions", of="open")
    if len(actions):
        page.table(
            actions,
            ACTIONS,
            title="What people do about them",
            caption="open actions, by due day",
            metric=("risk_actions", {"of": "open"}),
            key="all_actions",
        )


def draw_extremes(page: Page) -> None:
    """Draw the customers that are busy and win nothing, and those to ask for a reference."""
    with page.guard():
        page.table(
            page.metric("busy_but_not_winning"),
            BUSY,
            title="Busy but not winning",
            caption="use is green, the customer's own result red",
            metric="busy_but_not_winning",
            key="busy",
            empty="No account with high use has a falling result.",
        )
    with page.guard():
        page.table(
            page.metric("advocates"),
            PRAISE,
            title="Whom to ask for a reference",
            caption="healthy promoters whose own result does not fall",
            metric="advocates",
            key="advocates",
            empty="No healthy account answers NPS high enough.",
        )


def draw_definition(page: Page) -> None:
    """Draw what the score is made of."""
    page.table(
        page.metric("health_dimensions"),
        MEASURES,
        title="What the score is made of",
        caption="measures, scales and weights in force",
        metric="health_dimensions",
        key="health_dimensions",
        opens=None,
    )
    page.table(
        page.metric("health_weights"),
        WEIGHTS,
        title="Weights by segment and stage",
        caption="the most specific setting wins; one that is in force for nobody may name an unknown segment",
        metric="health_weights",
        key="health_weights",
        opens=None,
    )
    health_proof.draw_weights(page)

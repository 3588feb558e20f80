"""The lists of the page Health: accounts at risk, busy ones that win nothing, advocates, and what the score is made of."""

from cs_metrics.ui.health_columns import BUSY, MEASURES, PRAISE, RISK
from cs_metrics.ui.shell import Page

__all__ = ["draw_definition", "draw_extremes", "draw_risk"]


def draw_risk(page: Page) -> None:
    """Draw the accounts at risk."""
    page.table(
        page.metric("at_risk"),
        RISK,
        title="Accounts at risk, why, and what is under way",
        caption="two of four signs, or red; the gravest cause first",
        metric="at_risk",
        key="at_risk",
        empty="No account shows two signs of risk, and none is red.",
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
    )

"""The head of the onboarding page, and who needs help: figures, the colours by week, the accounts."""

from typing import Any

import pandas as pd

from cs_metrics import periods
from cs_metrics.report import format as say
from cs_metrics.report import onboarding as words
from cs_metrics.report.activation import plateau_help, plateau_note
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col

__all__ = ["activation_figures", "draw_risk", "risk_figures"]

_WATCHED = ("ARR at risk", "Risk score", "Milestones overdue")
_BY = {"total": "All", "onboarding_manager": "By manager", "segment": "By segment"}
_NAME = {"name": Col(label="Account", is_pinned=True)}
ACCOUNTS = {
    **_NAME,
    "colour": Col(label="Risk", kind="health"),
    "arr": Col(label="ARR", kind="money"),
    "days_since_start": Col(label="Day", kind="days", help="Days since the start"),
    "next_milestone": Col(label="Next milestone"),
    "next_due_on": Col(label="Due", kind="date"),
    "overdue_milestones": Col(label="Overdue", kind="count", help="Milestones past their due day"),
    "open_ctas": Col(label="Open CTAs", kind="count"),
    "flagged_ctas": Col(label="Flagged", kind="count", help="Calls to action for which other teams are needed"),
    "onboarding_manager": Col(label="Manager"),
}


def activation_figures(plateau: pd.DataFrame, first: pd.DataFrame, step: str) -> list[Figure]:
    """Return the cards of the activation rate and the time to first value."""
    rate, value = plateau.iloc[0], first.iloc[0]
    return [
        Figure(
            label="Activation rate",
            value=say.percent(rate["level"], 0) if rate["is_found"] else "none",
            note=plateau_note(plateau, step),
            help=plateau_help(plateau),
            metric="plateau",
        ),
        Figure(
            label="Time to first value",
            value=say.days(value["median_days"]),
            note=f"{say.count(value['reached'])} of {say.count(value['accounts'])} got there",
            help="The day by which half of all accounts had it (Kaplan-Meier).",
            metric="time_to_value",
        ),
    ]


def risk_figures(page: Page, summary: pd.DataFrame) -> list[Figure]:
    """Return the cards of the accounts in onboarding: colours, ARR at risk, score and overdue milestones, since a week ago."""
    now, metric = summary.iloc[0], "onboarding_summary"
    split = f"{say.count(now['red'])} red, {say.count(now['yellow'])} yellow"
    if not now["is_watched"]:
        unseen = [Figure(label=one, value=say.UNKNOWN, note="no milestones or CTAs", metric=metric) for one in _WATCHED]
        return [Figure(label="In onboarding", value=say.count(now["accounts"]), metric=metric), *unseen]
    before = page.metric(metric, as_of=periods.add_days(page.as_of, -7)).iloc[0]
    week: dict[str, Any] = {"since": "7 days", "metric": metric}
    return [
        Figure(label="In onboarding", value=say.count(now["accounts"]), note=split, metric=metric),
        page.figure(
            "ARR at risk",
            now["at_risk_arr"],
            "money",
            before=before["at_risk_arr"],
            good="down",
            note=f"of {page.money(now['arr'])}",
            help="ARR of the red and yellow accounts in onboarding.",
            **week,
        ),
        page.figure(
            "Risk score",
            now["score"],
            "score",
            before=before["score"],
            note="100 is all green",
            reason="" if now["accounts"] else "nobody is in onboarding",
            **week,
        ),
        page.figure(
            "Milestones overdue",
            now["overdue_milestones"],
            "count",
            before=before["overdue_milestones"],
            good="down",
            note=f"of {say.plural(now['overdue_accounts'], 'account')}",
            **week,
        ),
    ]


def draw_risk(page: Page) -> None:
    """Draw the colours by week, and the accounts in onboarding, the reddest first."""
    with page.guard():
        by = page.choose("score_by", "Risk", _BY)
        _draw_weeks(page, by)
    page.table(
        page.metric("onboarding_risk"),
        ACCOUNTS,
        title="Who needs help today",
        caption="Accounts in onboarding, red first, then by ARR",
        metric="onboarding_risk",
        key="onboarding_risk",
        empty="No account is in onboarding on this day.",
    )


def _draw_weeks(page: Page, by: str) -> None:
    if not page.metric("onboarding_summary").is_watched.all():
        page.empty("Neither milestones nor calls to action were loaded, so no risk can be seen.", title="Risk score")
        return
    weekly = page.metric("onboarding_score", by=by)
    if weekly.empty:
        page.empty("No week with an account in onboarding is complete yet.", title="Risk score by week")
        return
    page.chart(
        words.mix(weekly) if by == "total" else words.score_lines(weekly),
        title=words.score_title(page.metric("onboarding_score")),
        caption="ARR in onboarding by colour, by week" if by == "total" else "100 is all green, by week",
        metric=("onboarding_score", {"by": by}),
        key="score",
    )

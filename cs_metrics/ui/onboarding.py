"""What the onboarding page shows in its cards and tables: figures and columns."""

from typing import Any

import pandas as pd

from cs_metrics.report import format as say
from cs_metrics.report import onboarding as words
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col, Kind

__all__ = ["ACCOUNTS", "CALLS", "FUNNEL", "HANDOFF", "MANAGERS", "SILENCE", "activation_figures", "risk_figures"]


def _columns(kind: Kind, /, **labels: str) -> dict[str, Col]:
    return {name: Col(label=label, kind=kind) for name, label in labels.items()}


_WATCHED = ("ARR at risk", "Risk score", "Milestones overdue")
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
CALLS = {
    **_NAME,
    **_columns("bool", is_flagged="Flagged", is_overdue="Overdue"),
    **_columns("text", reason="Reason", owner="Owner", team_needed="Team needed"),
    **_columns("date", opened_on="Opened", due_on="Due"),
    **_columns("money", arr="ARR"),
    **_columns("text", kind="Kind", source="Source"),
}
MANAGERS = {
    **_columns("text", onboarding_manager="Manager"),
    **_columns("count", accounts="Accounts", red="Red", yellow="Yellow"),
    **_columns("money", arr="ARR", at_risk_arr="ARR at risk"),
    **_columns("count", open_ctas="Open CTAs", overdue_ctas="Overdue", opened_ctas="Opened", closed_ctas="Closed"),
}
FUNNEL = {
    **_columns("text", milestone="Milestone"),
    **_columns("count", accounts="Accounts", completed="Completed"),
    **_columns("percent", share="Share"),
    **_columns("days", median_days="Days in step", median_days_from_start="Days from start"),
    "stalled": Col(label="Stalled", kind="count", help="Customers that reached the step and are past its due day"),
}
SILENCE = {
    **_columns("text", unit="Who"),
    **_columns("count", started="Started", went_silent="Went silent", came_back="Came back"),
    "share": Col(label="Share", kind="percent", help="Of those that went silent"),
    **_columns("days", median_silent_days="Median days silent"),
}
HANDOFF = {
    **_columns("text", salesperson="Salesperson"),
    **_columns("count", accounts="Accounts", complete="Complete"),
    **_columns("percent", share="Share"),
    **_columns("count", without_profile="No profile", without_order="No order"),
    **_columns("count", without_technical_needs="No technical needs", without_expected_outcomes="No outcomes"),
    "median_minutes": Col(label="Minutes to greeting", kind="number", help="Median, from payment to the first message"),
    **_columns("count", greeted_in_time="Greeted in 30 min", opened_welcome="Opened welcome"),
}


def activation_figures(plateau: pd.DataFrame, first: pd.DataFrame, step: str, asked: dict[str, Any]) -> list[Figure]:
    """Return the cards of the activation rate and the time to first value."""
    rate, value = plateau.iloc[0], first.iloc[0]
    reached = f"{say.count(value['reached'])} of {say.count(value['accounts'])} got there"
    event = {name: given for name, given in asked.items() if name == "event"}
    return [
        Figure(
            label="Activation rate",
            value=say.percent(rate["level"], 0) if rate["is_found"] else "none",
            note=words.plateau_note(plateau, step),
            help=words.plateau_help(plateau),
            metric=("plateau", asked),
        ),
        Figure(
            label="Time to first value",
            value=say.days(value["median_days"]),
            note=reached,
            help="The day by which half of all accounts had it (Kaplan-Meier).",
            metric=("time_to_value", event),
        ),
    ]


def risk_figures(page: Page, summary: pd.DataFrame, score: pd.DataFrame) -> list[Figure]:
    """Return the cards of the accounts in onboarding: their colours, ARR at risk, score and overdue milestones."""
    now, metric = summary.iloc[0], "onboarding_summary"
    split = f"{say.count(now['red'])} red, {say.count(now['yellow'])} yellow"
    if not now["is_watched"]:
        unseen = [Figure(label=one, value=say.UNKNOWN, note="no milestones or CTAs", metric=metric) for one in _WATCHED]
        return [Figure(label="In onboarding", value=say.count(now["accounts"]), metric=metric), *unseen]
    return [
        Figure(label="In onboarding", value=say.count(now["accounts"]), note=split, metric=metric),
        Figure(
            label="ARR at risk",
            value=page.money(now["at_risk_arr"]),
            note=f"of {page.money(now['arr'])}",
            help="ARR of the red and yellow accounts in onboarding.",
            metric=metric,
        ),
        Figure(
            label="Risk score",
            value=say.number(now["score"], 0),
            note="100 is all green",
            spark=list(score["score"].tail(26)),
            metric=(metric if score.empty else "onboarding_score"),
        ),
        Figure(
            label="Milestones overdue",
            value=say.count(now["overdue_milestones"]),
            note=f"of {say.plural(now['overdue_accounts'], 'account')}",
            metric=metric,
        ),
    ]

"""The steps of onboarding on its page: milestones and who is stuck in them, bounce-backs, and the hand-off from sales."""

from typing import Any

import pandas as pd
import streamlit as st

from cs_metrics.errors import MissingTable
from cs_metrics.report import format as say
from cs_metrics.report import onboarding_steps as words
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.onboarding_steps_columns import BACK, ETA, FUNNEL, HANDOFF, PASSED, RETURNED, STUCK, WAITS
from cs_metrics.ui.shell import Page

__all__ = ["draw_bouncebacks", "draw_handoff", "draw_milestones"]

_BY = {
    "segment": "By segment",
    "onboarding_manager": "By manager",
    "salesperson": "By salesperson",
    "plan": "By plan",
    "region": "By region",
    "industry": "By industry",
    "csm": "By CSM",
}
_ETA_OF = {"in_onboarding": "In onboarding", "later": "Later", "all": "All"}
_UNITS = {"accounts": "Accounts", "users": "Users"}
_SILENT = {"7": "7 days or more", "14": "14 or more", "28": "28 or more"}
_PASSED_OF = {"gaps": "With gaps", "late": "Greeted late", "all": "All"}


# Milestones


def draw_milestones(page: Page) -> None:
    """Draw the funnel of milestones, for whom a step takes long, when accounts will be complete, and who is stuck."""
    funnel = page.metric("milestone_funnel")
    if funnel.empty:
        page.empty("No account with milestones has started by this day.", title="Milestones")
        return
    steps = dict(zip(funnel["milestone_id"], funnel["milestone"], strict=True))
    own = [name for name, kind in page.store.attributes.items() if kind in ("text", "bool")]
    groups = {**_BY, **{name: f"By {name}" for name in own}}
    with st.container(horizontal=True):
        step = page.choose("step", "Milestone", {"": "All milestones", **steps}, is_list=True, width=260)
        by = page.choose("waits_by", "Group", groups, is_list=True)
    left, right = page.columns(3, 2)
    with left:
        page.chart(
            words.funnel(funnel),
            title=words.funnel_title(funnel),
            caption="Accounts that reached each milestone, by what became of them",
            metric="milestone_funnel",
            key="funnel",
            note="Stalled accounts wait past the due day of the step.",
        )
    with right, page.guard():
        _draw_waits(page, funnel, step or words.worst_step(funnel), by)
    with page.guard():
        _draw_eta(page)
    _draw_stuck(page, step)
    page.table(
        words.with_users(funnel, _known(page, "milestone_users")),
        FUNNEL,
        title="The milestones in numbers",
        caption="Accounts that have started; days by Kaplan-Meier",
        metric=["milestone_funnel", "milestone_users"],
        key="milestone_funnel",
        opens=None,
    )


def _draw_waits(page: Page, funnel: pd.DataFrame, step: str, by: str) -> None:
    options: dict[str, Any] = {"by": by}
    waits = page.metric("milestone_waits", **options)
    waits = waits[waits["milestone_id"] == step]
    row = funnel[funnel["milestone_id"] == step].iloc[0]
    title = words.waits_title(waits, str(row["milestone"]))
    asked = ("milestone_waits", options)
    if waits["median_days"].isna().all():
        page.table(waits, WAITS, title=title, caption="Counts by group", metric=asked, key="waits", opens=None, rows=8)
        return
    page.chart(
        words.waits(waits, float(row["median_days"])),
        title=title,
        caption=f"Median days in {row['milestone']}, with its 95% interval",
        metric=asked,
        key="waits",
        note=words.against_all("the median", int(waits["median_days"].notna().sum())),
    )


def _draw_eta(page: Page) -> None:
    shown = page.choose("eta_of", "Accounts", _ETA_OF)
    options: dict[str, Any] = {"show": shown}
    eta = page.metric("onboarding_eta", **options)
    past = page.metric("onboarding_eta_backtest", quarters=4)
    page.table(
        eta,
        ETA,
        title=words.eta_title(eta),
        caption="Day by which all milestones are likely to be complete, with its 80% interval, judged by past accounts",
        metric=[("onboarding_eta", options), ("onboarding_eta_backtest", {"quarters": 4})],
        key="eta",
        empty="No account of this kind has a milestone left.",
    )
    page.note(words.eta_note(past, page.config.min_accounts))


def _draw_stuck(page: Page, step: str) -> None:
    options: dict[str, Any] = {"milestone_id": step} if step else {}
    stuck = page.metric("milestone_accounts", **options)
    page.table(
        stuck,
        STUCK,
        title=words.stuck_title(stuck, page.currency),
        caption="Accounts past the due day of the step in which they wait, the largest first",
        metric=("milestone_accounts", options),
        key="stuck",
        empty="No account waits past a due day.",
    )


# Bounce-backs


def draw_bouncebacks(page: Page) -> None:
    """Draw who fell silent and came back, what they did on their return, whether they stay, and whom to interview."""
    with st.container(horizontal=True):
        unit = page.choose("back_unit", "Who", _UNITS)
        silent = page.choose("silent", "Silent for", _SILENT, is_list=True)
        early = {"0": "Silent at any time", str(page.config.onboarding.days): "From the first days on"}
        within = page.choose("silent_from", "Silence begins", early, is_list=True, width=220)
    asked: dict[str, Any] = {"silent_days": silent, "within_days": within}
    options: dict[str, Any] = {**asked, "unit": unit}
    row = page.metric("bouncebacks", **options).iloc[0]
    _draw_silence(page, row, options)
    _draw_returns(page, options)
    accounts = page.metric("bounceback_accounts", **asked)
    page.table(
        accounts,
        BACK,
        title="Whom to interview",
        caption="Accounts that came back, the latest return first",
        metric=("bounceback_accounts", asked),
        key="bounceback_accounts",
        empty="No account fell silent and came back.",
    )
    page.note(words.INTERVIEW)


def _draw_returns(page: Page, options: dict[str, Any]) -> None:
    returns, asked = page.metric("bounceback_returns", **options), ("bounceback_returns", options)
    if returns.empty:
        return
    if returns["share"].isna().all():
        title, caption = "What they did on the day they came back", "Too few came back for a rate"
        page.table(returns, RETURNED, title=title, caption=caption, metric=asked, key="on_return", opens=None)
        return
    left, right = page.columns(3, 2)
    with left:
        page.chart(
            words.on_return(returns),
            title=words.on_return_title(returns, page.config.min_accounts),
            caption=f"Share of the {options['unit']} that came back, by event; first return of each",
            metric=asked,
            key="on_return",
            note="Whoever did several things that day counts with each of them.",
        )
    with right:
        page.table(
            returns,
            RETURNED,
            title="And whether they stayed",
            caption="Active in days 29 to 56 after the return",
            metric=asked,
            key="returned",
            opens=None,
        )


def _draw_silence(page: Page, row: pd.Series, options: dict[str, Any]) -> None:
    fewest, metric = page.config.min_accounts, ("bouncebacks", options)
    noun = str(row["unit"]).removesuffix("s")
    page.section(words.back_title(row, fewest), f"Silent: no event for {options['silent_days']} days or more")
    page.figures(
        [
            Figure(
                label="Fell silent",
                value=say.count(row["went_silent"]),
                note=f"of {say.plural(row['started'], noun)}",
                metric=metric,
            ),
            page.figure(
                "Came back",
                row["share"],
                "percent",
                part=row["came_back"],
                whole=row["went_silent"],
                noun=noun,
                reason="" if row["went_silent"] else "none fell silent",
                metric=metric,
            ),
            page.figure("Median days silent", row["median_silent_days"], "days", metric=metric),
            page.figure(
                "Stayed",
                row["stayed_share"],
                "percent",
                part=row["stayed"],
                whole=row["stay_known"],
                noun=noun,
                reason="" if row["stay_known"] else "not yet known",
                help="Active in days 29 to 56 after the return; those that came back later are not yet known.",
                metric=metric,
            ),
        ]
    )


# Hand-off


def draw_handoff(page: Page) -> None:
    """Draw what is handed over and what is missing, by salesperson and account, and whether gaps slow onboarding down."""
    total = page.metric("handoff_completeness", by="total")
    page.section(words.handoff_title(total), "Accounts paid in the last year")
    if total.empty:
        return
    _draw_handoff_figures(page, total.iloc[0])
    people = page.metric("handoff_completeness")
    left, right = page.columns(1, 1)
    with left:
        _draw_people(page, people, float(total["share"].iloc[0]))
    with right, page.guard():
        _draw_effect(page)
    _draw_passed(page)
    page.table(
        people,
        HANDOFF,
        title="Gaps in the hand-off, by salesperson",
        caption="Accounts paid in the last year, the most gaps first",
        metric="handoff_completeness",
        key="handoff_completeness",
        opens=None,
    )


def _draw_effect(page: Page) -> None:
    title, curves = words.effect_title(page.metric("handoff_effect")), page.metric("handoff_effect_curves")
    if curves.empty:
        page.empty("A curve needs some accounts handed over complete, and some with gaps.", title=title)
        return
    page.chart(
        words.effect_curves(curves),
        title=title,
        caption="Share that has not completed all milestones, of all accounts ever handed over",
        metric=["handoff_effect", "handoff_effect_curves"],
        key="handoff_effect",
        note="It shows what goes along with gaps, not what they cause.",
    )


def _draw_people(page: Page, people: pd.DataFrame, overall: float) -> None:
    if people["share"].isna().all():
        fewest = page.config.min_accounts
        page.empty(f"No salesperson handed over {fewest} accounts in the last year.", title="Complete by salesperson")
        return
    page.chart(
        words.handoff_by_person(people, overall),
        title="Handed over complete, by salesperson",
        caption="Share of accounts with all four parts, with its 95% interval; the lowest first",
        metric="handoff_completeness",
        key="handoff_people",
        note=words.against_all("the share", int(people["share"].notna().sum())),
    )


def _draw_handoff_figures(page: Page, row: pd.Series) -> None:
    metric = ("handoff_completeness", {"by": "total"})
    target = page.config.handoff.greeting_minutes
    page.figures(
        [
            page.figure(
                "Handed over complete",
                row["share"],
                "percent",
                part=row["complete"],
                whole=row["accounts"],
                metric=metric,
            ),
            Figure(
                label=f"Greeted in {target} minutes",
                value=say.rate(row["greeted_in_time"], row["accounts"], minimum=page.config.min_accounts),
                note=f"{say.count(row['greeted_in_time'])} of {say.plural(row['accounts'], 'account')}",
                metric=metric,
            ),
            page.figure("Median minutes to greeting", row["median_minutes"], "number", metric=metric),
            Figure(
                label="Opened the welcome",
                value=say.rate(row["opened_welcome"], row["accounts"], minimum=page.config.min_accounts),
                note=f"{say.count(row['opened_welcome'])} of {say.plural(row['accounts'], 'account')}",
                metric=metric,
            ),
        ]
    )


def _draw_passed(page: Page) -> None:
    shown = page.choose("passed_of", "Accounts", _PASSED_OF)
    options: dict[str, Any] = {"show": shown}
    page.table(
        page.metric("handoff_accounts", **options),
        PASSED,
        title="Accounts handed over",
        caption="Paid in the last year, gaps and the latest first",
        metric=("handoff_accounts", options),
        key="handoff_accounts",
        empty="None of the accounts paid in the last year.",
    )
    page.note(words.rule_note(page.metric("handoff_accounts")))


def _known(page: Page, name: str) -> pd.DataFrame | None:
    try:
        return page.metric(name)
    except MissingTable:
        return None

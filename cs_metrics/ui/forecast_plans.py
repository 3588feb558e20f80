"""What follows from the forecast on the page Health: what it would take, what if, and how much hangs on few accounts."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cs_metrics.metrics.overview import account_values
from cs_metrics.report import forecast as words
from cs_metrics.report import format as say
from cs_metrics.ui import writing
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.forecast_columns import EVIDENCE, LARGEST, LIST, SCENARIOS
from cs_metrics.ui.numbers import number
from cs_metrics.ui.shell import Page
from cs_metrics.workspace.entries import NewEntry

__all__ = ["draw_concentration", "draw_planner", "draw_what_if"]

_FROM = {"": "Any health", "red": "At risk", "yellow": "Watch", "green": "Healthy"}
_TO = {"": "Stay as they are", "yellow": "Move to watch", "green": "Move to healthy", "red": "Fall to at risk"}


def draw_planner(page: Page) -> None:
    """Draw the budget of hours, the accounts that it is best spent on, and what more hours would bring."""
    settings = page.config.planning
    evidence = page.metric("lift_evidence")
    used = dict(zip(evidence["step"], evidence["points"], strict=True))
    with st.container(horizontal=True, gap="small"):
        hours = number("hours", "Hours to spend", default=settings.budget_hours, least=1.0, most=20_000.0, step=8.0)
        low = number(
            "red_hours",
            "To watch, hours",
            default=settings.red_to_yellow_hours,
            least=0.5,
            most=500.0,
            step=1.0,
        )
        high = number(
            "yellow_hours",
            "To healthy, hours",
            default=settings.yellow_to_green_hours,
            least=0.5,
            most=500.0,
            step=1.0,
        )
        red = number(
            "red_points",
            "To watch, points",
            default=round(100 * used["red to yellow"], 1),
            least=0.0,
            most=100.0,
            step=1.0,
            says="By how many points the lift raises the likelihood of renewal",
        )
        yellow = number(
            "yellow_points",
            "To healthy, points",
            default=round(100 * used["yellow to green"], 1),
            least=0.0,
            most=100.0,
            step=1.0,
            says="By how many points the lift raises the likelihood of renewal",
        )
    asked: dict[str, Any] = {"hours": hours}
    if low != settings.red_to_yellow_hours:
        asked["red_to_yellow_hours"] = low
    if high != settings.yellow_to_green_hours:
        asked["yellow_to_green_hours"] = high
    if red != round(100 * used["red to yellow"], 1):
        asked["red_to_yellow_points"] = red
    if yellow != round(100 * used["yellow to green"], 1):
        asked["yellow_to_green_points"] = yellow
    rows = page.metric("what_would_it_take", **asked)
    if rows.empty:
        page.empty("No red or yellow account has an undecided contract that ends within twelve months.")
        return
    chosen = rows[rows["is_on_list"]]
    protected, spent = float(chosen["protected_arr"].sum()), float(chosen["hours"].sum())
    title = (
        f"{say.plural(len(chosen), 'account')} for {spent:g} hours protect {page.money(protected)}"
        if len(chosen)
        else f"{hours:g} hours are too few to lift any account"
    )
    curve = page.metric("what_would_it_take_by_hours", **asked)
    page.table(
        rows.assign(to_colour=rows["to_colour"].map(lambda one: say.health(one) if one else "")),
        LIST,
        title=title,
        caption="best list for the hours; below it the accounts that fall off",
        metric=("what_would_it_take", asked),
        key="planner",
    )
    left, right = page.columns(1, 1)
    with left:
        page.chart(
            words.hours(curve),
            title=words.hours_title(curve, page.currency),
            caption=f"ARR that the best list protects, by hours, {page.currency}",
            metric=("what_would_it_take_by_hours", asked),
            key="planner_hours",
        )
    with right:
        page.table(
            evidence,
            EVIDENCE,
            title="What a lift is taken to bring",
            caption="past renewals of accounts that moved up and of those that stayed; an association, no proof",
            metric="lift_evidence",
            key="lift",
            opens=None,
        )


def draw_what_if(page: Page) -> None:
    """Draw a scenario against the forecast as things stand, let it be saved, and compare the saved ones."""
    segments = account_values(page.store, ("segment",)).get("segment", [])
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        choices = {"": "All segments", **{one: one for one in segments}}
        segment = page.choose("if_segment", "Segment", choices, is_list=True)
        start = page.choose("if_from", "Health now", _FROM, is_list=True)
        goal = page.choose("if_to", "What changes", _TO, is_list=True)
        slip = number("if_slip", "Renewals slip, days", default=0.0, least=0.0, most=365.0, step=15.0)
        weeks = number("if_weeks", "Onboard weeks earlier", default=0.0, least=0.0, most=26.0, step=1.0)
    given: dict[str, Any] = {
        "segment": segment,
        "from_colour": start,
        "to_colour": goal,
        "slip_days": int(slip),
        "onboarding_weeks": weeks,
    }
    asked = {name: value for name, value in given.items() if value}
    months = page.metric("forecast_what_if", **asked)
    last = months.iloc[-1]
    if not (goal or slip or weeks):
        page.note("Choose what changes: health, the day of renewals, or the end of onboarding.")
    page.chart(
        words.what_if(months),
        title=(
            f"{'+' if last['difference'] > 0 else ''}{page.money(last['difference'])} in twelve months "
            f"(80%: {page.money(last['low'])} to {page.money(last['high'])})"
        ),
        caption=f"{say.plural(last['accounts'], 'account')}, {say.plural(last['contracts'], 'contract')} change; 80% interval",
        metric=("forecast_what_if", asked),
        key="what_if",
    )
    body = {name: value for name, value in asked.items() if name != "segment" or value}
    if writing.is_open(page) and st.button("Save this scenario", icon=":material/save:", key="save_scenario"):

        def fields() -> Mapping[str, Any]:
            return {"name": st.text_input("Its name", max_chars=80)}

        def entry(filled: Mapping[str, Any], note: str) -> NewEntry:
            return NewEntry("scenario", "", "save", note=note, body={**body, **filled})

        writing.ask(page, "Save this scenario", entry, fields, button="Save")
    _scenarios(page)


def _scenarios(page: Page) -> None:
    saved = page.metric("forecast_scenarios")
    target = say.percent(saved["target_nrr"].iloc[0], 0)
    picked = page.table(
        saved,
        SCENARIOS,
        title=f"{say.plural(len(saved) - 1, 'saved scenario')} beside the book as things stand",
        caption=f"expected in twelve months, and the chance that net retention falls below {target}",
        metric="forecast_scenarios",
        key="scenarios",
        opens=None,
        picks="subject",
    )
    if picked and writing.is_open(page):
        name = saved.loc[saved["subject"] == picked, "scenario"].iloc[0]
        if st.button(f"Remove {name}", icon=":material/delete:", key="remove_scenario"):
            writing.ask(
                page,
                f"Remove {name}",
                lambda _body, note: NewEntry("scenario", "", "remove", subject=picked, note=note),
                dict,
                button="Remove",
            )


def draw_concentration(page: Page) -> None:
    """Draw how likely the target is missed, what the worst years cost, and the five largest accounts."""
    target = number(
        "target",
        "Target for NRR, %",
        default=round(100 * page.config.planning.target_nrr, 1),
        least=10.0,
        most=300.0,
        step=1.0,
    )
    asked: dict[str, Any] = {"target_nrr": target / 100}
    now = page.metric("revenue_concentration", **asked).iloc[0]
    if not now["opening"]:
        page.empty("None of these accounts has ARR on this day.")
        return
    interval = f"80%: {say.percent(now['nrr_low'], 0)} to {say.percent(now['nrr_high'], 0)}"
    named = ("revenue_concentration", asked)
    page.figures(
        [
            Figure(label="NRR expected", value=say.percent(now["expected_nrr"]), note=interval, metric=named),
            Figure(
                label=f"Chance below {target:g}%",
                value=say.percent(now["probability_below"], 0),
                note=f"{_chance(now['probability_below_without_largest'])} if the largest leaves",
                metric=named,
            ),
            Figure(
                label="ARR at risk at 5%",
                value=page.money(now["arr_at_risk"]),
                note=f"mean of the worst 5%: {page.money(now['worst_loss'])}",
                metric=named,
            ),
            Figure(
                label="Five largest accounts",
                value=say.percent(now["largest_five_share"]),
                note=f"{page.money(now['largest_five_arr'])} of {page.money(now['opening'])}",
                metric=named,
            ),
        ]
    )
    page.table(
        page.metric("revenue_concentration_accounts", **asked),
        LARGEST,
        title=f"If the largest leaves, the target is missed in {_chance(now['probability_below_without_largest'])} of cases",
        caption="the largest accounts; net retention over twelve months from the same paths as the forecast",
        metric=("revenue_concentration_accounts", asked),
        key="largest",
    )


def _chance(share: float) -> str:
    return say.UNKNOWN if pd.isna(share) else say.percent(share, 0)

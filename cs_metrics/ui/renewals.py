"""The renewal pipeline on its page: what is due and how it is called, by week and by step, and the list to work from."""

from typing import Any

import pandas as pd

from cs_metrics.report import format as say
from cs_metrics.report import renewals as words
from cs_metrics.ui import link, renewal_desk, shell
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.renewals_columns import BEHIND, STEPS, WORK
from cs_metrics.ui.shell import Page

__all__ = ["WINDOW", "draw_head", "draw_pipeline", "draw_steps"]

_WINDOWS = {"30": "30 days", "60": "60 days", "90": "90 days", "180": "180 days"}
WINDOW = shell.Choice(key="days", label="Window", options=_WINDOWS, default="90")


def draw_head(page: Page) -> None:
    """Draw the answer of the page and its row of figures."""
    window, ahead = _window(page)
    now, asked = page.metric("renewals_summary", **window).iloc[0], ("renewals_summary", window)
    page.answer(words.answer(now, ahead, page.currency))
    figures = {
        f"Due in {_WINDOWS[window['days']]}": (page.money(now["due_arr"]), say.plural(now["contracts"], "contract")),
        "Expected": (page.money(now["expected_arr"]), f"{say.percent(now['expected_share'])} of what is due"),
        "Commit": (page.money(now["commit_arr"]), f"best case {page.money(now['best_case_arr'])}"),
        "At risk": (page.money(now["at_risk_arr"]), "by call, else likelihood"),
        "Overdue, undecided": (page.money(now["overdue_arr"]), say.plural(now["overdue"], "contract")),
    }
    shown = [Figure(label=label, value=one, note=note, metric=asked) for label, (one, note) in figures.items()]
    page.figures(shown, columns=5)


def draw_pipeline(page: Page) -> None:
    """Draw the amounts by week, and the contracts to work on, the most urgent first."""
    window, ahead = _window(page)
    now = page.metric("renewals_summary", **window).iloc[0]
    page.chart(
        words.weeks(page.metric("renewals_by_week", **window)),
        title=words.weeks_title(now, page.currency),
        caption="ARR by the week in which the contracts end, by forecast category",
        metric=("renewals_by_week", window),
        key="weeks",
    )
    rows = page.metric("renewal_pipeline", **window)
    shown = rows.assign(category=rows["category"].map(words.CATEGORIES))
    chosen = page.table(
        shown,
        WORK,
        title="What to work on first",
        caption=_behind(page, now),
        metric=("renewal_pipeline", window),
        key="pipeline",
        opens=None,
        picks="contract_id",
        empty=f"No undecided contract ends in {ahead}, and none is overdue.",
    )
    contract = link.kept("contract", chosen, list(rows["contract_id"]))
    if contract:
        renewal_desk.draw(page, rows[rows["contract_id"] == contract].iloc[0])


def draw_steps(page: Page) -> None:
    """Draw the pipeline by the step of the plan whose time it is, and the renewals that are behind it."""
    window, _ = _window(page)
    found, asked = page.metric("renewals_by_step", **window), ("renewals_by_step", window)
    now, rows = page.metric("renewals_summary", **window).iloc[0], page.metric("renewal_pipeline", **window)
    title, caption = words.steps_title(now, page.currency), "ARR by the step whose time it is, by forecast category"
    if len(rows):
        page.chart(words.steps(found), title=title, caption=caption, metric=asked, key="steps_arr")
    page.table(
        found,
        STEPS,
        title="The pipeline by plan step",
        caption="by the calendar; a message, a held meeting or a word on the desk shows a step as done",
        metric=asked,
        key="steps",
        opens=None,
    )
    behind = rows[rows["overdue_steps"].fillna(0) > 0].sort_values(["overdue_steps", "priority"], ascending=False)
    page.table(
        behind,
        BEHIND,
        title="Behind plan",
        caption="most steps overdue first",
        metric=("renewal_pipeline", window),
        key="behind",
        empty="No step of any renewal is known to be overdue.",
    )


def _window(page: Page) -> tuple[dict[str, Any], str]:
    """Return the chosen window as an option of the metrics and in words."""
    days = page.choices["days"]
    return {"days": days}, f"the next {_WINDOWS[days]}"


def _behind(page: Page, now: pd.Series) -> str:
    if now["unchecked"]:
        return "steps cannot be checked: no messages or meetings were loaded"
    return f"{say.plural(now['behind'], 'renewal')} behind plan, worth {page.money(now['behind_arr'])}"

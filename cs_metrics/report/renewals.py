"""The sentences and pictures of the renewal pipeline, from the frames of its metrics."""

from collections.abc import Mapping

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = ["CATEGORIES", "answer", "steps", "steps_title", "weeks", "weeks_title"]

CATEGORIES = {"commit": "Commit", "best_case": "Best case", "at_risk": "At risk", "unknown": "No call yet"}
_COLOURS: Mapping[str, c.Colour] = {"commit": "green", "best_case": "yellow", "at_risk": "red", "unknown": "grey"}


def answer(now: pd.Series, ahead: str, currency: str) -> str:
    """Say what is due, how much of it should come, and what is past its end."""
    due = f"{say.plural(now['contracts'], 'undecided contract')} worth {say.money(now['due_arr'], currency)}"
    said = f"Due in {ahead}: {due}, of which {say.money(now['expected_arr'], currency)} should come."
    if not now["contracts"]:
        said = f"No undecided contract is due in {ahead}."
    if not now["overdue"]:
        return said
    late = f"{say.plural(now['overdue'], 'contract')} worth {say.money(now['overdue_arr'], currency)}"
    return f"{said} Past their end and undecided: {late}."


def weeks(by_week: pd.DataFrame) -> c.Bars:
    """Return the ARR of the pipeline by the week in which contracts end, by category; the overdue ones stand first."""
    days = [say.date(day).rsplit(" ", 1)[0] for day in by_week["week"].dt.date.iloc[1:]]
    return c.Bars(
        x=["Overdue", *days], series=_called(by_week), unit="money", is_stacked=True, shows_values=False, height=220
    )


def steps(by_step: pd.DataFrame) -> c.Bars:
    """Return the ARR of the pipeline by the plan step whose time it is, by category."""
    by_step = by_step[by_step["contracts"] > 0]
    names = list(by_step["plan_step"])
    return c.Bars(
        x=names,
        series=_called(by_step),
        unit="money",
        is_stacked=True,
        is_horizontal=True,
        shows_values=False,
        height=300,
    )


def steps_title(now: pd.Series, currency: str) -> str:
    """Return the message of the steps: what is behind plan."""
    if now["unchecked"]:
        return "Steps cannot be checked: no messages or meetings were loaded"
    if not now["behind"]:
        return "Every renewal is on plan"
    are = "is" if now["behind"] == 1 else "are"
    return f"{say.plural(now['behind'], 'renewal')} worth {say.money(now['behind_arr'], currency)} {are} behind plan"


def _called(rows: pd.DataFrame) -> list[c.Series]:
    called = [one for one in CATEGORIES if rows[f"{one}_arr"].any()]
    return [c.Series(name=CATEGORIES[one], y=c.values(rows[f"{one}_arr"]), colour=_COLOURS[one]) for one in called]


def weeks_title(now: pd.Series, currency: str) -> str:
    """Return the message of the weeks."""
    return f"{say.money(now['expected_arr'], currency)} of the {say.money(now['due_arr'], currency)} due should come"

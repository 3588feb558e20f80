"""The sentences about one renewal on the desk: its plan, its call, its next step, its promises and what was said."""

import pandas as pd

from cs_metrics.report import format as say
from cs_metrics.report.calls import Line
from cs_metrics.report.renewals import CATEGORIES

__all__ = ["call", "heading", "lines", "next_step", "plan", "priority", "promise", "promises", "step"]

_MARKS = {"done": "●", "overdue": "■", "due": "▲", "to come": "○", "passed unseen": "○"}
_PROMISES = {"overdue": "■", "open": "▲", "kept": "●", "withdrawn": "○"}


def heading(row: pd.Series, currency: str) -> str:
    """Say which contract it is: amount, end, owner, likelihood."""
    left = int(row["days_left"])
    when = f"{say.plural(left, 'day')} left" if left >= 0 else f"{say.plural(-left, 'day')} past its end"
    said = [
        f"{say.money(row['arr'], currency)} ARR",
        f"ends {say.date(row['ends_on'])}, {when}",
        f"likelihood {say.percent(row['likelihood'], 0)}"
        if say.is_known(row["likelihood"])
        else "likelihood not known",
        f"owner {row['owner']}" if say.is_known(row["owner"]) else "",
        "renews by itself" if say.is_known(row["auto_renews"]) and row["auto_renews"] else "",
    ]
    return " · ".join(one for one in said if one)


def priority(row: pd.Series) -> str:
    """Say how urgent it is, and why."""
    return f"Priority {say.number(row['priority'], 0)} of 100: {row['priority_why']}"


def plan(steps: pd.DataFrame) -> str:
    """Say how far the plan is."""
    late = int((steps["state"] == "overdue").sum())
    done = f"{say.count((steps['state'] == 'done').sum())} of {say.plural(len(steps), 'step')} done"
    return f"{done}, {say.count(late)} overdue" if late else done


def step(row: pd.Series) -> tuple[str, str]:
    """Return a step of the plan and, beneath it, how it stands."""
    name = f"{_MARKS[row['state']]} {row['step']}"
    if row["state"] == "done":
        by = str(row["done_by"]).replace("_", " ")
        return name, f"Done {say.date(row['done_on'])}, {by}"
    says = {"to come": "Due", "passed unseen": "No sign of it; its day was"}.get(
        row["state"], row["state"].capitalize()
    )
    return name, f"{says} {'since ' if row['state'] == 'overdue' else ''}{say.date(row['due_on'])}"


def call(row: pd.Series) -> tuple[str, str]:
    """Return the forecast category of a contract and, beneath it, who says so."""
    name = CATEGORIES.get(str(row["category"]), str(row["category"]))
    if row["category_by"] != "owner":
        return name, "By likelihood: nobody gave a call"
    if say.is_known(row["called_on"]):
        return name, f"Called by {row['called_by']} on {say.date(row['called_on'])}"
    return name, "The owner's call as imported, without a day"


def next_step(row: pd.Series) -> tuple[str, str]:
    """Return the next step of a contract and, beneath it, by when and by whom."""
    due = f"by {say.date(row['next_step_on'])}" if say.is_known(row["next_step_on"]) else "no day set"
    owner = f" · {row['next_step_owner']}" if say.is_known(row["next_step_owner"]) else ""
    return str(row["next_step"]), f"{due}{owner}".capitalize() if not owner else f"{due[0].upper()}{due[1:]}{owner}"


def promises(rows: pd.DataFrame) -> str:
    """Say how many promises are open."""
    waiting = rows["state"].isin(["open", "overdue"])
    if not waiting.any():
        return "None is open"
    late = int((rows["state"] == "overdue").sum())
    return f"{say.count(waiting.sum())} open, {say.count(late)} overdue"


def promise(row: pd.Series) -> tuple[str, str]:
    """Return a promise and, beneath it, how it stands."""
    due = f"due {say.date(row['due_on'])}" if say.is_known(row["due_on"]) else "no day set"
    by = f" by {row['author']}" if row["author"] else ""
    return (
        f"{_PROMISES[row['state']]} {row['promise']}",
        f"{row['state'].capitalize()}, made {say.date(row['made_on'])}{by}, {due}",
    )


def lines(history: pd.DataFrame, most: int) -> list[Line]:
    """Return the newest of what was written, ready to be read."""
    return [
        Line(
            f"{row['what'][0].upper()}{row['what'][1:]}",
            str(row["note"] or ""),
            f"{say.date(row['day'])} · {row['author']}",
        )
        for _, row in history.head(most).iterrows()
    ]

"""The sentences about one opportunity: why, what it is worth, what holds it back, and what was said about it."""

import pandas as pd

from cs_metrics.metrics.expansion_status import DISMISSED_AS
from cs_metrics.report import format as say

__all__ = ["facts", "history", "title"]

_ACTIONS = {
    "take": "Taken",
    "postpone": "Postponed",
    "dismiss": "Dismissed",
    "reopen": "Opened again",
    "note": "Note",
}


def title(row: pd.Series) -> str:
    """Return the name of an opportunity: what is offered, and of which kind."""
    return f"{row['offer']}: {row['what']}"


def facts(row: pd.Series, currency: str) -> list[tuple[str, str]]:
    """Return what is known of an opportunity as pairs of a label and a sentence; nothing is said twice."""
    worth = (
        f"{say.money(row['arr'], currency)} of ARR: {row['arr_basis']}"
        if say.is_known(row["arr"])
        else row["arr_basis"]
    )
    chance = f"{say.percent(row['likelihood'], 0)}. {row['likelihood_support']}"
    held = "Nothing" if row["is_ready"] else row["blockers"]
    pairs = [
        ("Why", row["evidence"]),
        ("Worth", worth),
        ("Likelihood", chance),
        ("Held back by", held),
        ("Until when", row["blocked_why"]),
        ("Gate", row["gate"]),
        ("Moment", row["timing"]),
        ("Who", f"{row['route']}{', ' + row['owner'] if say.is_known(row['owner']) and row['owner'] else ''}"),
        ("Next step", row["next_step"]),
        ("Status", row["status_says"]),
    ]
    return [(label, str(text)) for label, text in pairs if text]


def history(entries: pd.DataFrame, most: int) -> list[tuple[str, str]]:
    """Return the newest of what was decided and said: the words, and by whom on which day."""
    return [
        (_said(row), f"{say.date(row['effective_on'])} · {row['author']}") for _, row in entries.head(most).iterrows()
    ]


def _said(row: pd.Series) -> str:
    parts = [_ACTIONS.get(str(row["action"]), str(row["action"]))]
    if say.is_known(row["until"]):
        parts.append(f"up to and with {say.date(row['until'])}")
    if say.is_known(row["owner"]):
        parts.append(f"by {row['owner']}")
    if say.is_known(row["reason"]):
        parts.append(f"because {DISMISSED_AS.get(str(row['reason']), str(row['reason']))}")
    note = f": {row['note']}" if say.is_known(row["note"]) and row["note"] else ""
    return f"{' '.join(parts)}{note}".replace("\n", " ")

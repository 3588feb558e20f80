"""The sentences about one opportunity: why, what it is worth, what holds it back, and what was said about it."""

import pandas as pd

from cs_metrics.metrics.expansion_rate import LEADS, MODELS
from cs_metrics.metrics.expansion_rules import RULES
from cs_metrics.metrics.expansion_status import DISMISSED_AS
from cs_metrics.report import format as say
from cs_metrics.report.chart import Colour

__all__ = [
    "PART_COLOURS",
    "PART_NAMES",
    "effect_title",
    "facts",
    "history",
    "kind",
    "model_title",
    "period_names",
    "rate_title",
    "title",
]

PART_NAMES = {
    "seats": "Seats",
    "cross_sell": "Cross-sell",
    "tier": "Tier",
    "price": "Price and limits",
    "other": "Other",
}
PART_COLOURS: tuple[Colour, ...] = ("1", "2", "3", "4", "grey")

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


def kind(name: str) -> str:
    """Return the name of a kind of deal inside a sentence; all of them together have one, too."""
    names = {rule.kind: rule.name.lower() for rule in RULES}
    return "all deals" if name == "all" else names.get(name, name)


def effect_title(found: pd.DataFrame) -> str:
    """Say what expansions did to health, from the rows of `expansion_effect` over all kinds."""
    rows = found[found["measure"] == "health"]
    if rows.empty or not say.is_known(rows["difference"].iloc[0]):
        return "Whether health suffers cannot be told yet"
    row = rows.iloc[0]
    if row["low"] <= 0 <= row["high"]:
        return "Health fared as in accounts like them, as far as can be told"
    worse = "better" if row["difference"] > 0 else "worse"
    return f"Health fared {say.number(abs(row['difference']))} points {worse} than in accounts like them"


def model_title(models: pd.DataFrame) -> str:
    """Say which model of growth leads the company, and what follows from it."""
    row = models[models["is_leading"]]
    if row.empty:
        return "No customer pays on this day"
    one = row.iloc[0]
    return f"{MODELS[one['model']]}: {say.percent(one['arr_share'], 0)} of ARR. {LEADS[one['model']]}"


def period_names(rates: pd.DataFrame, every: str) -> list[str]:
    """Return the names of the periods of `expansion_rate`."""
    return [say.period(day.date(), every) for day in rates["period"]]  # type: ignore[arg-type]


def rate_title(rates: pd.DataFrame, every: str) -> str:
    """Say by how much existing customers grew in the newest period."""
    last, name = rates.iloc[-1], period_names(rates.tail(1), every)[0]
    return f"Existing customers grew by {say.percent(last['rate'])} in {name}"

"""The sentences and pictures of what came of renewals: reasons, rivals, records, the leaderboard, pay."""

from typing import Any

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = [
    "board_title",
    "competitor_rows",
    "competitors_title",
    "course",
    "hide_small",
    "outcomes",
    "outcomes_title",
    "pay_picture",
    "pay_title",
    "reason_bars",
    "reasons_title",
    "records_title",
    "terms_title",
    "with_periods",
]

_REASONS = 8
_LINES = 5


def outcomes(by_period: pd.DataFrame, every: str) -> c.Bars:
    """Return wins and losses by due period."""
    return c.Bars(
        x=[say.period(day, every) for day in by_period["period"].dt.date],  # type: ignore[arg-type]
        series=[
            c.Series(name="Won", y=c.values(by_period["wins"]), colour="good"),
            c.Series(name="Lost", y=c.values(by_period["losses"]), colour="bad"),
        ],
        is_stacked=True,
    )


def outcomes_title(whole: "pd.Series[Any]", minimum: int) -> str:
    """Return how many decisions were won."""
    decided = int(whole["wins"] + whole["losses"])
    share = say.rate(whole["wins"], decided, minimum=minimum, digits=0)
    return f"{share} of {say.plural(decided, 'decision')} won" if decided >= minimum else f"{share} decisions won"


def reason_bars(reasons: pd.DataFrame, outcome: str) -> c.Bars:
    """Return the reasons of one outcome, the most frequent on top; the rare ones together."""
    rows = reasons[reasons["outcome"] == outcome]
    shown, rest = rows.head(_REASONS), rows.iloc[_REASONS:]
    names, counts = list(shown["reason"]), [float(one) for one in shown["contracts"]]
    notes = [f"{say.money(arr)} ARR" for arr in shown["arr"]]
    if len(rest):
        names, counts = [*names, f"{len(rest)} others"], [*counts, float(rest["contracts"].sum())]
        notes.append("")
    colour: c.Colour = "bad" if outcome == "churned" else "good"
    series = c.Series(name="Lost" if outcome == "churned" else "Won", y=counts, colour=colour, notes=notes)
    return c.Bars(x=names, series=[series], is_horizontal=True, height=60 + 30 * max(len(names), 2))


def reasons_title(reasons: pd.DataFrame, outcome: str, minimum: int) -> str:
    """Return the reason that is named most."""
    rows = reasons[reasons["outcome"] == outcome]
    word = "losses" if outcome == "churned" else "wins"
    named = rows[rows["reason"] != "not recorded"]
    if named.empty:
        return f"No {word} with a recorded reason"
    first = named.iloc[0]
    return (
        f"{first['reason']}: {say.rate(first['contracts'], first['of_contracts'], minimum=minimum, digits=0)} of {word}"
    )


def hide_small(found: pd.DataFrame, whole: str, shares: list[str], minimum: int) -> pd.DataFrame:
    """Return the rows with shares left blank where they are over fewer decisions than `minimum`."""
    shown = found.copy()
    shown[shares] = shown[shares].astype("float64").where(shown[whole] >= minimum, None)
    return shown


def competitors_title(found: pd.DataFrame) -> str:
    """Return the rival that takes most, of the losses that name one."""
    named = found[found["competitor"] != "none named"].groupby("competitor", sort=True)["losses"].sum()
    if not named.sum():
        return "No loss names a competitor"
    most = named.sort_values(ascending=False, kind="stable")
    return f"{most.index[0]} takes most: {say.count(most.iloc[0])} of the {say.plural(most.sum(), 'loss', 'losses')} that name one"


def competitor_rows(found: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Return the rivals, with shares blank in groups of few losses."""
    found = found.assign(of=found.groupby(["period", "group"], dropna=False)["losses"].transform("sum"))
    return hide_small(found, "of", ["share_of_losses", "share_of_lost_arr"], minimum)


def with_periods(found: pd.DataFrame, every: str) -> pd.DataFrame:
    """Return the rows with their periods in words, the newest first."""
    if every == "all":
        return found
    rows = found.sort_values("period", ascending=False, kind="stable")
    return rows.assign(period=[say.period(day, every) for day in rows["period"].dt.date])  # type: ignore[arg-type]


def terms_title(terms: pd.DataFrame, currency: str) -> str:
    """Return what was given away to win, and what was added."""
    if terms.empty:
        return "Nothing was won yet"
    given, added = float(terms["discount_arr"].sum()), float(terms["expanded_arr"].sum())
    return f"Discounts of {say.money(given, currency)} a year, {say.money(added, currency)} added at renewal"


def records_title(table: pd.DataFrame) -> str:
    """Return how many records lack something."""
    closed, complete = int(table["closed"].sum()), int(table["complete"].sum())
    if not closed:
        return "No renewal has closed yet"
    if closed == complete:
        return f"All {say.count(closed)} records are complete"
    gaps = table[[name for name in table if str(name).startswith("no_")]].sum()
    worst = str(gaps.idxmax()).removeprefix("no_").replace("_", " ")
    return f"{say.plural(closed - complete, 'record')} of {say.count(closed)} with a gap, most often the {worst}"


# Leaderboard


def board_title(board: pd.DataFrame, nouns: tuple[str, str]) -> str:
    """Return how many have reached their target, and who leads."""
    aimed = board[board["target"].notna()]
    if aimed.empty:
        return (
            f"No targets were loaded for this quarter: nobody is ranked, {say.plural(len(board), *nouns)} with results"
        )
    if aimed["attainment"].isna().all():
        return "Under a filter nobody is ranked: targets are whole"
    reached = int((aimed["attainment"] >= 1).sum())
    leads = aimed.iloc[0]
    ahead = f"{leads['name']} leads with {say.percent(leads['attainment'], 0)}"
    return f"{reached} of {say.plural(len(aimed), *nouns)} at target; {ahead}"


def course(points: pd.DataFrame, board: pd.DataFrame) -> c.Line:
    """Return attainment over the quarter: the first ones in colour, the others in grey, ranks on hover."""
    order = [str(name) for name in board.loc[board["rank"].notna(), "name"]]
    days = sorted(points["day"].dt.date.unique())
    lines = []
    for name in order:
        mine = points[points["name"] == name].sort_values("day")
        ranks = [f"rank {int(one)}" if say.is_known(one) else "" for one in mine["rank"]]
        lines.append(c.Series(name=name, y=c.values(mine["attainment"]), notes=ranks))
    marks = [c.Mark(label="Target", y=1.0)]
    return c.Line(
        x=days, series=lines[:_LINES], context=lines[_LINES:], unit="percent", from_zero=True, marks=marks, height=320
    )


# Pay


def pay_title(steps: pd.DataFrame, currency: str) -> str:
    """Return the result of the sum."""
    amount = steps.set_index("step")["amount"]
    return f"{currency} {say.count(amount['Pay of the quarter'])} for the quarter, at {say.percent(amount['Attainment'])} of the target"


def pay_picture(curve: pd.DataFrame, attainment: float) -> c.Line:
    """Return pay by attainment, base and variable, with the place of this sum."""
    return c.Line(
        x=list(curve["attainment"] * 100),
        series=[
            c.Series(name="Pay", y=c.values(curve["pay"])),
            c.Series(name="Base", y=c.values(curve["base"]), colour="grey", is_dashed=True),
        ],
        unit="money",
        x_title="Attainment of the target, %",
        from_zero=True,
        marks=[c.Mark(label="Now", x=float(min(attainment, 2.0) * 100))],
    )

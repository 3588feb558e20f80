"""The sentences and pictures of renewal rates, from the frames of their metrics."""

from typing import Any

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = ["RATES", "answer", "by_period", "heatmap", "lines", "lines_title"]

RATES = {"on_time_rate": "On time", "in_period_rate": "In period", "gross_renewal_rate": "Final, gross"}
_LINES = 6


def answer(pooled: pd.Series, completion: pd.DataFrame, every: Any, fewest: int) -> str:
    """Say what the newest periods came to, and what the running one should come to."""
    if not pooled["periods"]:
        return "No due period has ended yet, so no renewal rate is known."
    first, last = (say.period(pooled[one], every) for one in ("first_period", "last_period"))
    of = f"{first} to {last}" if pooled["periods"] > 1 else last
    if pooled["due"] < fewest:
        return f"{of}: {say.plural(pooled['due'], 'contract')} due, too few for a rate."
    said = (
        f"{of}: of {say.plural(pooled['due'], 'contract')} due, {say.percent(pooled['gross_renewal_rate'])} of the ARR was kept "
        f"(gross renewal rate) and {say.percent(pooled['net_renewal_rate'])} booked (net renewal rate)."
    )
    running = completion[~completion["is_settled"] & completion["low"].notna()]
    if running.empty:
        return said
    now = running.iloc[-1]
    low, high = say.percent(now["low"], 0), say.percent(now["high"], 0)
    return (
        f"{said} {say.period(now['period'], every)} stands at {say.percent(now['share'])} after "
        f"{say.plural(now['age_months'], 'month')} and should come to {say.percent(now['final_share'])} ({low} to {high})."
    )


def by_period(closed: pd.DataFrame, every: Any) -> c.Line:
    """Return the rates of the periods that have ended."""
    notes = [f"{one.final} of {one.due} contracts renewed" for one in closed.itertuples()]
    series = [c.Series(name=word, y=c.values(closed[one]), notes=notes) for one, word in RATES.items()]
    return c.Line(x=[say.period(day, every) for day in closed["period"]], series=series, unit="percent")


def heatmap(cells: pd.DataFrame, every: Any, fewest: int, *, most: int = 12) -> c.Heatmap:
    """Return the triangle: periods by months since their first day; what is expected stands in the note of its cell."""
    shown = [
        day for day in cells["period"].drop_duplicates() if cells.loc[cells["period"] == day, "due"].iloc[0] >= fewest
    ]
    rows = [cells[cells["period"] == day] for day in reversed(shown[-most:])]
    ages = list(rows[0]["age_months"]) if rows else []
    return c.Heatmap(
        rows=[say.period(part["period"].iloc[0], every) for part in rows],
        columns=[str(age) for age in ages],
        cells=[c.values(part["share"].where(part["is_known"])) for part in rows],
        row_notes=[say.plural(part["due"].iloc[0], "contract") for part in rows],
        notes=[[_note(cell) for cell in part.itertuples()] for part in rows],
        x_title="Whole months since the period began",
        unit="percent",
    )


def _note(cell: Any) -> str:
    if cell.is_known:
        return f"{cell.renewed} of {cell.due} renewed by {say.date(cell.day)}"
    if cell.share != cell.share:
        return "not yet known"
    return f"expected {say.percent(cell.share)}, {say.percent(cell.low, 0)} to {say.percent(cell.high, 0)}"


def lines(cells: pd.DataFrame, every: Any, fewest: int) -> c.Line:
    """Return the newest periods as lines over their age, dashed and with the interval where they are expected."""
    table = {
        day: part
        for day, part in cells.groupby("period")
        if part["due"].iloc[0] >= fewest and part["share"].notna().any()
    }
    shown: dict[Any, pd.DataFrame] = dict(sorted(table.items())[-_LINES:])
    young = {day: part for day, part in shown.items() if not part["is_known"].all()}
    ages = sorted(cells["age_months"].unique())
    series = [
        c.Series(name=say.period(day, every), y=c.values(part["share"].where(part["is_known"])), colour=_colour(at))
        for at, (day, part) in enumerate(young.items())
    ]
    series += [
        c.Series(
            name=f"{say.period(day, every)}, expected",
            y=c.values(part["share"].where(~part["is_known"].shift(-1, fill_value=False))),
            colour=_colour(at),
            is_dashed=True,
        )
        for at, (day, part) in enumerate(young.items())
        if part["low"].notna().any()
    ]
    bands = [
        c.Band(low=c.values(part["low"]), high=c.values(part["high"]))
        for part in young.values()
        if part["low"].notna().any()
    ]
    old = [
        c.Series(name=say.period(day, every), y=c.values(part["share"]))
        for day, part in shown.items()
        if day not in young
    ]
    if not series:
        series, old = old[-1:], old[:-1]
    return c.Line(
        x=[float(age) for age in ages],
        series=series,
        context=old,
        bands=bands,
        unit="percent",
        x_title="Whole months since the period began",
        from_zero=True,
    )


def _colour(at: int) -> Any:
    return str(at % 6 + 1)


def lines_title(completion: pd.DataFrame, every: Any) -> str:
    """Return the message of the lines: what the newest young period should come to, or why nothing is expected."""
    young = completion[~completion["is_settled"].fillna(True).astype(bool)]
    if young.empty:
        return "Every due period has settled"
    now = young.iloc[-1]
    if not say.is_known(now["final_share"]):
        return f"{say.period(now['period'], every)} cannot be completed: {now['note']}"
    return f"{say.period(now['period'], every)} should come to {say.percent(now['final_share'], 0)}"

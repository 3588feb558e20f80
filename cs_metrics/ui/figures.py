"""The row of bordered figures at the top of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from cs_metrics.report import format as say
from cs_metrics.report.format import Change

__all__ = ["Figure", "draw", "made"]

_DELTA = {"up": "normal", "down": "inverse", "none": "off"}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number in words, how it moved, its recent course, and the metric that it comes from.

    `note` stands under the number where there is no change (its denominator, or why it is unknown); `good` colours
    the change: "up", "down" or "none". `metric` is a name, or (name, options) as it was asked with `page.metric`.
    """

    label: str
    value: str
    change: Change | None = None
    note: str = ""
    spark: Sequence[float | None] = ()
    help: str = ""
    metric: str | tuple[str, dict[str, Any]] = ""


def made(
    label: str,
    now: float | None,
    unit: str,
    *,
    currency: str,
    minimum: int,
    before: float | None = None,
    since: str = "",
    good: Literal["up", "down", "none"] = "up",
    part: float | None = None,
    whole: float | None = None,
    noun: str = "account",
    reason: str = "",
    note: str = "",
    **more: Any,
) -> Figure:
    """Return the figure of a number: in words, with its change, its denominator, or why it is unknown.

    Money moves in percent, a share in points, the rest in its own unit. A share over fewer than `minimum` shows its
    counts instead.
    """
    of_whole = say.plural(whole, noun) if say.is_known(whole) else ""
    counted = f"{say.count(part)} of {of_whole}" if say.is_known(part) and of_whole else of_whole
    if reason:
        return Figure(label=label, value=say.UNKNOWN, note=reason, **{**more, "spark": ()})
    if unit == "percent" and whole is not None and whole < minimum:
        words = f"{say.count(part)} of {say.count(whole)}" if say.is_known(part) else say.UNKNOWN
        return Figure(label=label, value=words, note=f"{of_whole}: too few for a rate", **{**more, "spark": ()})
    if not say.is_known(now):
        return Figure(label=label, value=say.UNKNOWN, note="not yet known", **{**more, "spark": ()})
    moves: Any = {"money": "relative", "percent": "points", "count": "count", "days": "days"}.get(unit, "number")
    change = say.change(now, before, moves, since=since, good=good, currency=currency)
    more["help"] = " ".join(one for one in (more.get("help", ""), counted and f"{counted}.") if one)
    return Figure(
        label=label, value=say.value(now, unit, currency), change=change, note="" if change else note or counted, **more
    )


def draw(figure: Figure) -> None:
    """Draw one card."""
    change, spark = figure.change, [float(one) for one in figure.spark if one is not None and one == one]
    delta: str | None = change.text if change else None
    colour: Any = _DELTA[change.good] if change else "off"
    arrow: Literal["auto", "up", "down", "off"] = "auto"
    if change and change.direction == "none":
        colour, arrow = "off", "off"
    if change is None and figure.note:
        delta, colour, arrow = figure.note, "off", "off"
    st.metric(
        figure.label,
        figure.value,
        delta=delta,
        delta_color=colour,
        delta_arrow=arrow,
        delta_description=(f"{change.since} · {figure.note}" if figure.note else change.since) if change else None,
        border=True,
        height="stretch",
        chart_data=spark if len(spark) > 1 else None,
    )

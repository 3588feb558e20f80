"""The text that stands for a chart where it cannot be seen."""

import datetime as dt

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = ["alt"]

_MOST = 8


def alt(chart: c.Line | c.Bars, title: str, currency: str) -> str:
    """Return the title and the values: all of a few, of many the first and the last."""
    kind = "Line chart" if isinstance(chart, c.Line) else "Bar chart"
    parts = [f"{kind}: {title}."]
    for one in chart.series:
        known = [(x, y) for x, y in zip(chart.x, one.y, strict=True) if y is not None]
        shown = known if len(known) <= _MOST else [known[0], known[-1]]
        said = ", ".join(f"{_name(x)} {say.value(y, chart.unit, currency)}" for x, y in shown)
        if said:
            words = f"{said}." if len(known) <= _MOST else f"from {said.replace(', ', ' to ')}."
            parts.append(f"{one.name}: {words}" if one.name and one.name != title else words)
    return " ".join(parts)


def _name(x: c.X) -> str:
    return say.date(x) if isinstance(x, dt.date) else str(x)

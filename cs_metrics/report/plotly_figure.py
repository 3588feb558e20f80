"""Renders a chart description for the screen: a plain Plotly figure (`data`, `layout`) in the product's look.

Everything that must not depend on the reader's browser (tick labels, colours, hover texts) is fixed here.
"""

from collections.abc import Callable
from typing import Any

from plotly.basedatatypes import BaseFigure

from cs_metrics.report import chart as c
from cs_metrics.report import plotly_bars, plotly_cells, plotly_lines
from cs_metrics.report.palette import PALETTES, Mode
from cs_metrics.report.plotly_frame import Frame

__all__ = ["CONFIG", "Plain", "describe", "figure"]

CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}

_RENDERERS: dict[type, Callable[[Any, Frame], dict[str, Any]]] = {
    c.Line: plotly_lines.line,
    c.Fan: plotly_lines.fan,
    c.Survival: plotly_lines.survival,
    c.Bars: plotly_bars.bars,
    c.Waterfall: plotly_bars.waterfall,
    c.Heatmap: plotly_cells.heatmap,
    c.Scatter: plotly_cells.scatter,
    c.Intervals: plotly_cells.intervals,
    c.Sankey: plotly_cells.sankey,
}


def figure(chart: c.Chart, *, mode: Mode = "light", currency: str = "USD", has_targets: bool = False) -> dict[str, Any]:
    """Return the figure of a chart as plain lists and dictionaries; with targets its cells can be clicked."""
    found = _RENDERERS[type(chart)](chart, Frame(palette=PALETTES[mode], currency=currency))
    return plotly_cells.targets(chart, found) if has_targets else found


def describe(chart: c.Chart, title: str) -> str:
    """Return the text that stands for a chart where it cannot be seen."""
    kinds = {
        c.Line: "Line chart",
        c.Fan: "Forecast chart",
        c.Survival: "Survival curves",
        c.Bars: "Bar chart",
        c.Waterfall: "Waterfall chart",
        c.Heatmap: "Table of coloured cells",
        c.Scatter: "Scatter chart",
        c.Intervals: "Interval chart",
        c.Sankey: "Flow chart",
    }
    names = [one.name for one in getattr(chart, "series", ()) or getattr(chart, "curves", ())]
    return f"{kinds[type(chart)]}: {title}." + (f" Shows {', '.join(names)}." if names else "")


class Plain(BaseFigure):  # type: ignore[misc]
    """A figure handed on as it is: checking it property by property takes ten times as long as drawing it up.

    That every kind of chart passes the check is tested instead.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        object.__setattr__(self, "_spec", spec)

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as lists and dictionaries."""
        spec: dict[str, Any] = self.__dict__["_spec"]
        return spec

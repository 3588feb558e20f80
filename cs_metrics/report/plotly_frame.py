"""The frame around every Plotly figure: layout, axes, legends, end labels and reference lines in the product's look."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cs_metrics.report import axes
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.report.palette import Palette

__all__ = ["FONT", "Frame"]

FONT = "Inter, -apple-system, 'Segoe UI', sans-serif"
_SIZE = 12
_LETTER = 6.7  # the mean width in px of a 12 px letter


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The palette and currency of a figure, and the parts of a layout made from them."""

    palette: Palette
    currency: str = "USD"

    def say(self, amount: float | None, unit: str) -> str:
        """Return a value in the words of its unit."""
        return say.value(amount, unit, self.currency)

    def layout(self, height: int, **more: Any) -> dict[str, Any]:
        """Return the layout common to all figures; `more` wins."""
        look = self.palette
        found: dict[str, Any] = {
            "template": "none",
            "height": height,
            "autosize": True,
            "margin": {"l": 8, "r": 12, "t": 8, "b": 8, "pad": 0},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": _SIZE, "color": look.muted},
            "showlegend": False,
            "hovermode": "x unified",
            "dragmode": False,
            "hoverlabel": {
                "bgcolor": look.paper,
                "bordercolor": look.border,
                "font": {"family": FONT, "size": _SIZE, "color": look.text},
                "align": "left",
                "namelength": -1,
            },
        }
        return {**found, **more}

    def legend(self) -> dict[str, Any]:
        """Return a legend in one line above the plot, in the order of the series."""
        return {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "traceorder": "normal",
            "font": {"size": _SIZE, "color": self.palette.text},
            "itemclick": False,
            "itemdoubleclick": False,
        }

    def x_axis(self, x: Sequence[Any], title: str = "", *, is_thinned: bool = True) -> dict[str, Any]:
        """Return the axis of days, numbers or names; of many names only some are written where `is_thinned`."""
        found = self._axis(title)
        found.update({"showgrid": False, "showline": True, "linecolor": self.palette.border})
        found.update({"spikecolor": self.palette.grey, "spikethickness": 1, "spikedash": "dot"})
        if axes.is_dates(x):
            months = all(one.day == 1 for one in x)
            found.update({"type": "date", "nticks": 7, "hoverformat": "%b %Y" if months else "%-d %b %Y"})
            found.update(_date_ticks([one for one in x if one is not None]))
        elif x and all(isinstance(one, str) for one in x):
            found.update(_names(list(x), is_thinned))
        return found

    def value_axis(self, low: float, high: float, unit: str, title: str = "", count: int = 5) -> dict[str, Any]:
        """Return the axis of the values: round ticks, thin grid, no zero line of its own."""
        at = axes.ticks(low, high, count)
        found = self._axis(title)
        pad = (at[-1] - at[0]) * 0.02
        found.update(
            {
                "showgrid": True,
                "gridcolor": self.palette.grid,
                "tickvals": at,
                "ticktext": axes.tick_labels(at, unit, self.currency),
                "range": [at[0] - (pad if at[0] < 0 else 0), at[-1] + pad],
            }
        )
        return found

    def _axis(self, title: str) -> dict[str, Any]:
        return {
            "title": {"text": title, "font": {"size": _SIZE, "color": self.palette.muted}, "standoff": 8},
            "tickfont": {"size": 11.5, "color": self.palette.muted},
            "automargin": True,
            "zeroline": False,
            "fixedrange": True,
            "ticks": "",
            "ticklabelstandoff": 4,
        }

    def end_labels(
        self, ends: Sequence[tuple[Any, float, str, str]], value_range: Sequence[float], plot_height: float
    ) -> tuple[list[dict[str, Any]], int]:
        """Return labels at the ends of lines, moved apart, and the right margin that they need.

        `ends` are (x, y, text, colour).
        """
        low, high = value_range
        scale = plot_height / ((high - low) or 1)
        at = [(y - low) * scale for _, y, _, _ in ends]
        placed = axes.spread(at, 16, 4, plot_height - 4)
        found = [
            {
                "x": x,
                "y": y,
                "text": text,
                "showarrow": False,
                "xanchor": "left",
                "xshift": 7,
                "yshift": round(to - where, 1),
                "font": {"size": _SIZE, "color": colour},
            }
            for (x, y, text, colour), where, to in zip(ends, at, placed, strict=True)
        ]
        letters = max((len(text.replace("<b>", "").replace("</b>", "")) for _, _, text, _ in ends), default=0)
        return found, int(letters * _LETTER) + 16

    def marks(
        self, marks: Sequence[c.Mark], first: Sequence[c.Value] = ()
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the dashed reference lines and their labels; `first` are the first values, which labels keep clear of."""
        shapes, notes = [], []
        known = [one for one in first if one is not None]
        for one in marks:
            line = {"color": self.palette.muted, "width": 1, "dash": "dot"}
            label = {"text": one.label, "showarrow": False, "font": {"size": 11, "color": self.palette.muted}}
            if one.y is not None:
                shapes.append(
                    {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": one.y, "y1": one.y, "line": line}
                )
                nearest = min(known, key=lambda value: abs(value - (one.y or 0)), default=one.y)
                side = "top" if nearest >= one.y else "bottom"
                notes.append({**label, "xref": "paper", "x": 0, "xanchor": "left", "y": one.y, "yanchor": side})
            if one.x is not None:
                x = one.x.isoformat() if isinstance(one.x, dt.date) else one.x
                shapes.append({"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": x, "x1": x, "line": line})
                notes.append(
                    {**label, "yref": "paper", "y": 1, "yanchor": "top", "x": x, "xanchor": "left", "xshift": 4}
                )
        return shapes, notes


def _names(names: list[str], is_thinned: bool) -> dict[str, Any]:
    step = -(-len(names) // 10) if is_thinned and len(names) > 12 else 1
    shown = names[::step]
    texts = [axes.trim(one) for one in shown]
    return {"type": "category", "tickvals": shown, "ticktext": texts, "autotickangles": [0, 90]}


def _date_ticks(days: Sequence[dt.date]) -> dict[str, Any]:
    """Return at most six labelled days, never turned: the year stands under the first label that it begins."""
    if len(days) < 2:
        return {"tickformat": "%-d %b<br>%Y", "tickangle": 0}
    months = (days[-1].year - days[0].year) * 12 + days[-1].month - days[0].month
    if months < 4:
        return {"tickformat": "%-d %b", "tickangle": 0, "nticks": 5}
    step = next(one for one in (1, 2, 3, 6, 12, 24, 60, 1200) if months / one <= 6)
    first = dt.date(days[0].year, (days[0].month - 1) // min(step, 12) * min(step, 12) + 1, 1)
    at = []
    while first <= days[-1]:
        if first >= days[0]:
            at.append(first)
        index = first.year * 12 + first.month - 1 + step
        first = dt.date(index // 12, index % 12 + 1, 1)
    return {"tickvals": [one.isoformat() for one in at], "ticktext": _date_texts(at, step), "tickangle": 0}


def _date_texts(at: Sequence[dt.date], step: int) -> list[str]:
    if step >= 12:
        return [str(one.year) for one in at]
    years = [None, *(one.year for one in at)]
    return [
        say.month(one).replace(" ", "<br>") if one.year != before else say.month(one)[:3]
        for one, before in zip(at, years, strict=False)
    ]

"""Plotly figures of bars: grouped, stacked, shares, and waterfalls."""

from collections.abc import Sequence
from typing import Any

from cs_metrics.report import axes
from cs_metrics.report import chart as c
from cs_metrics.report.palette import fade, text_on
from cs_metrics.report.plotly_frame import Frame
from cs_metrics.report.plotly_lines import plain

__all__ = ["bars", "waterfall"]

_LEAST_SHARE = 0.05  # a part shorter than this share of the longest bar has no room for its number


def bars(chart: c.Bars, frame: Frame) -> dict[str, Any]:
    """Return bars from 0; values are written on them where they fit."""
    x = plain(chart.x)
    totals = [sum(one.y[at] or 0 for one in chart.series) for at in range(len(x))]
    longest = 1.0 if chart.is_share else max((abs(one) for one in totals), default=0.0)
    data = []
    for at, one in enumerate(chart.series):
        y: list[c.Value] = list(one.y)
        if chart.is_share:
            y = [None if v is None or not total else v / total for v, total in zip(one.y, totals, strict=True)]
        data.append(_bar_trace(x, y, one, at, chart, frame, longest))
    layout = frame.layout(chart.height, bargap=0.28, barmode="stack" if chart.is_stacked or chart.is_share else "group")
    layout["uniformtext"] = {"minsize": 11, "mode": "hide"}
    name_axis = frame.x_axis(chart.x, chart.x_title, is_thinned=not chart.is_horizontal)
    value_axis = _bar_axis(chart, totals, frame)
    layout["shapes"], layout["annotations"] = frame.marks(chart.marks)
    if chart.is_horizontal:
        name_axis.update({"autorange": "reversed", "showline": False})
        layout["xaxis"], layout["yaxis"], layout["hovermode"] = value_axis, name_axis, "y unified"
    else:
        layout["xaxis"], layout["yaxis"] = name_axis, value_axis
    if len(chart.series) > 1:
        layout["showlegend"], layout["legend"], layout["margin"]["t"] = True, frame.legend(), 34
    return {"data": data, "layout": layout}


def _bar_axis(chart: c.Bars, totals: list[float], frame: Frame) -> dict[str, Any]:
    if chart.is_share:
        return frame.value_axis(0, 1, "percent")
    rows = [totals] if chart.is_stacked else [one.y for one in chart.series]
    low, high = axes.extent(rows) or (0, 1)
    if chart.is_stacked:
        places = range(len(chart.x))
        low = min((sum(min(one.y[at] or 0, 0) for one in chart.series) for at in places), default=0)
        high = max((sum(max(one.y[at] or 0, 0) for one in chart.series) for at in places), default=1)
    found = frame.value_axis(min(low, 0), max(high, 0) or 1, chart.unit)
    if _is_outside(chart):
        found["range"] = [found["range"][0], max(found["range"][1], high * 1.12)]
    return found


def _is_outside(chart: c.Bars) -> bool:
    return chart.shows_values and not chart.is_share and len(chart.series) == 1 and len(chart.x) <= 12


def _bar_trace(
    x: list[Any], y: list[c.Value], series: c.Series, at: int, chart: c.Bars, frame: Frame, longest: float
) -> dict[str, Any]:
    colour = frame.palette.colour(series.colour, at)
    notes = list(series.notes) or [""] * len(y)
    said = [frame.say(value, chart.unit) for value in series.y]
    share = [f" ({value:.0%})" if chart.is_share and value is not None else "" for value in y]
    name = f"{series.name}  " if series.name else ""
    trace: dict[str, Any] = {
        "type": "bar",
        "name": series.name,
        "x": y if chart.is_horizontal else x,
        "y": x if chart.is_horizontal else y,
        "orientation": "h" if chart.is_horizontal else "v",
        "marker": {"color": colour, "line": {"width": 0}},
        "hovertext": [
            f"{name}<b>{a}</b>{b}" + (f"  {n}" if n else "") for a, b, n in zip(said, share, notes, strict=False)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    if series.colour == "yellow":  # the middle health colour keeps apart from green without colour
        trace["marker"]["pattern"] = {
            "shape": "/",
            "size": 6,
            "solidity": 0.16,
            "fillmode": "overlay",
            "fgcolor": fade(text_on(colour), 0.55),
        }
    if chart.shows_values and len(x) <= 16:
        outside = _is_outside(chart)
        least = 0.0 if outside else _LEAST_SHARE * longest
        trace.update(
            {
                "text": ["" if v is None or abs(v) < least else words for v, words in zip(y, said, strict=True)],
                "textposition": "outside" if outside else "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "cliponaxis": False,
                "textfont": {"size": 11.5, "color": frame.palette.text if outside else text_on(colour)},
            }
        )
    return trace


def waterfall(chart: c.Waterfall, frame: Frame) -> dict[str, Any]:
    """Return totals standing on 0 and changes hanging between them, one row each so that names and amounts always fit.

    Up and down are told apart by sign and colour.
    """
    look, base = frame.palette, 0.0
    data, notes, levels = [], [], []
    for at, step in enumerate(chart.steps):
        start, end = (0.0, step.value) if step.is_total else (base, base + step.value)
        colour = look.grey if step.is_total else (look.green if step.value >= 0 else look.red)
        said = frame.say(step.value, chart.unit)
        said = f"+{said}" if not step.is_total and step.value > 0 else said
        text = f"{step.label}  <b>{said}</b>" + (f"  {step.note}" if step.note else "")
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": [end - start],
                "y": [at],
                "base": [start],
                "width": 0.66,
                "marker": {"color": colour, "line": {"width": 0}},
                "hovertext": [text],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
        font = {"size": 12, "color": look.text}
        place = {"x": max(start, end), "y": at, "xanchor": "left", "xshift": 5, "showarrow": False}
        notes.append({**place, "text": f"<b>{said}</b>" if step.is_total else said, "font": font})
        levels.append(end)
        base = end
    layout = frame.layout(chart.height, barmode="overlay", hovermode="closest", annotations=notes)
    layout["shapes"] = _connectors(levels, look.grey)
    high = max([*levels, *(level - step.value for level, step in zip(levels, chart.steps, strict=True))], default=1)
    layout["xaxis"] = frame.value_axis(min([0, *levels]), high or 1, chart.unit, count=4)
    layout["xaxis"]["range"][1] = max(layout["xaxis"]["range"][1], high * 1.2)
    rows = {"tickvals": list(range(len(levels))), "ticktext": [axes.trim(one.label) for one in chart.steps]}
    layout["yaxis"] = {**frame.x_axis([]), **rows, "showline": False, "range": [len(levels) - 0.5, -0.5]}
    return {"data": data, "layout": layout}


def _connectors(levels: Sequence[float], colour: str) -> list[dict[str, Any]]:
    line = {"color": colour, "width": 1}
    return [
        {"type": "line", "y0": at + 0.33, "y1": at + 0.67, "x0": level, "x1": level, "line": line}
        for at, level in enumerate(levels[:-1])
    ]

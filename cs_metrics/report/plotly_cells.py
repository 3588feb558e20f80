"""Plotly figures without a common value axis: heat-maps, scatters, interval rows and flows."""

from collections.abc import Callable, Iterator
from typing import Any

from cs_metrics.report import axes
from cs_metrics.report import chart as c
from cs_metrics.report.palette import fade, text_on
from cs_metrics.report.plotly_frame import FONT, Frame

__all__ = ["heatmap", "intervals", "sankey", "scatter"]

_ROW = 26
_WRITTEN = 18  # cells carry their number up to so many columns; beyond, the hover says it


def heatmap(chart: c.Heatmap, frame: Frame) -> dict[str, Any]:
    """Return the cells in three states: coloured number, grey zero, and empty where not yet known."""
    look = frame.palette
    names = [f"{axes.trim(row)}  <b>{note}</b>" if note else axes.trim(row) for row, note in _noted(chart)]
    at = list(range(len(chart.rows)))
    known = [one for row in chart.cells for one in row if one]
    common = {"type": "heatmap", "x": list(chart.columns), "y": at, "xgap": 1, "ygap": 1, "showscale": False}
    hover = {"hovertext": _cell_texts(chart, frame), "hovertemplate": "%{hovertext}<extra></extra>"}
    written = chart.shows_values and len(chart.columns) <= _WRITTEN
    scale = [[k / (len(look.scale) - 1), colour] for k, colour in enumerate(look.scale)]
    high = 1.0 if chart.unit == "percent" else max(known, default=1.0)
    data: list[dict[str, Any]] = []
    for colours, opacity, ink, belongs in _states(frame, scale, high):
        cells = [[(one or 0.0) if belongs(one) else None for one in row] for row in chart.cells]
        trace = {**common, **hover, "z": cells, "colorscale": colours, "zmin": 0, "zmax": high, "opacity": opacity}
        if written and opacity:
            trace["text"] = [
                [_cell(one, chart.unit, frame) if belongs(one) else "" for one in row] for row in chart.cells
            ]
            trace.update({"texttemplate": "%{text}", "textfont": {"size": 11, "color": ink}})
        data.append(trace)
    height = chart.height or _ROW * len(chart.rows) + 52
    layout = frame.layout(height, hovermode="closest")
    layout["xaxis"] = {**frame.x_axis(chart.columns, chart.x_title), "showline": False, "side": "top"}
    layout["xaxis"].update(_sparse(chart.columns))
    layout["yaxis"] = {
        **frame.x_axis([]),
        "showline": False,
        "autorange": "reversed",
        "tickvals": at,
        "ticktext": names,
    }
    layout["margin"].update({"t": 28, "b": 4})
    return {"data": data, "layout": layout}


def _noted(chart: c.Heatmap) -> list[tuple[str, str]]:
    notes = list(chart.row_notes) or [""] * len(chart.rows)
    return list(zip(chart.rows, notes, strict=True))


def _states(
    frame: Frame, scale: list[list[Any]], high: float
) -> Iterator[tuple[list[list[Any]], float, str, Callable[[c.Value], bool]]]:
    """Yield the layers of a heat-map: pale cells, deep cells (each with its ink), zeros, and what is not yet known."""
    middle = next((at for at, colour in scale if text_on(colour) != text_on(scale[0][1])), 1.1) * high
    pale, deep = text_on(scale[0][1]), text_on(scale[-1][1])
    yield scale, 1.0, pale, lambda one: one is not None and one != 0 and one < middle
    yield scale, 1.0, deep, lambda one: one is not None and one >= middle
    yield _flat(frame.palette.grid), 1.0, frame.palette.muted, lambda one: one == 0
    yield _flat(frame.palette.paper), 0.0, "", lambda one: one is None


def _flat(colour: str) -> list[list[Any]]:
    return [[0, colour], [1, colour]]


def _cell(value: c.Value, unit: str, frame: Frame) -> str:
    if value is not None and unit == "percent":
        return f"{value * 100:.0f}"
    return frame.say(value, unit)


def _cell_texts(chart: c.Heatmap, frame: Frame) -> list[list[str]]:
    """Say row, column and value of every cell, with its note where one is given."""
    found = []
    for r, row in enumerate(chart.rows):
        line = []
        for k, column in enumerate(chart.columns):
            value = chart.cells[r][k]
            said = chart.unknown if value is None else f"<b>{frame.say(value, chart.unit)}</b>"
            note = chart.notes[r][k] if chart.notes else ""
            head = f"{row} · {chart.x_title + ' ' if chart.x_title else ''}{column}"
            line.append(f"{head}<br>{said}" + (f"  {note}" if note else ""))
        found.append(line)
    return found


def _sparse(columns: Any) -> dict[str, Any]:
    """Label every short column up to fifteen, then every second, third …, so that labels never touch."""
    step = max(1, -(-len(columns) // 15)) if all(len(one) <= 2 for one in columns) else max(1, -(-len(columns) // 6))
    shown = list(columns)[::step]
    return {"tickvals": shown, "ticktext": [axes.trim(one, 14) for one in shown]}


def scatter(chart: c.Scatter, frame: Frame) -> dict[str, Any]:
    """Return dots by two numbers, one trace per group."""
    look, data = frame.palette, []
    groups = list(dict.fromkeys(one.group for one in chart.points))
    for at, group in enumerate(groups):
        points = [one for one in chart.points if one.group == group]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "cliponaxis": False,
                "name": group,
                "x": [one.x for one in points],
                "y": [one.y for one in points],
                "customdata": [one.key for one in points],
                "marker": {
                    "color": fade(look.colour(chart.colours.get(group, ""), at), 0.75),
                    "size": [one.size for one in points],
                    "line": {"width": 1, "color": look.paper},
                },
                "hovertext": [f"<b>{one.name}</b>" + (f"<br>{one.note}" if one.note else "") for one in points],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    shapes, notes = frame.marks(chart.marks)
    layout = frame.layout(chart.height, hovermode="closest", annotations=notes, shapes=shapes)
    for axis, unit, title, values in (
        ("xaxis", chart.x_unit, chart.x_title, [one.x for one in chart.points]),
        ("yaxis", chart.y_unit, chart.y_title, [one.y for one in chart.points]),
    ):
        low, high = axes.extent([values]) or (0, 1)
        layout[axis] = frame.value_axis(min(low, 0), high, unit, title)
    if chart.diagonal:
        end = min(layout["xaxis"]["tickvals"][-1], layout["yaxis"]["tickvals"][-1])
        line = {"color": look.muted, "width": 1, "dash": "dot"}
        shapes.append({"type": "line", "x0": 0, "y0": 0, "x1": end, "y1": end, "line": line, "layer": "below"})
    if len(groups) > 1:
        layout["showlegend"], layout["legend"], layout["margin"]["t"] = True, frame.legend(), 34
    return {"data": data, "layout": layout}


def intervals(chart: c.Intervals, frame: Frame) -> dict[str, Any]:
    """Return one row per estimate: a dot with its interval; an interval that excludes `zero` is drawn in colour."""
    look = frame.palette
    at = list(range(len(chart.names)))
    notes = list(chart.notes) or [""] * len(at)
    data: list[dict[str, Any]] = []
    for k, name in enumerate(chart.names):
        value, low, high = chart.value[k], chart.low[k], chart.high[k]
        if value is None:
            continue
        sure = (
            chart.zero is not None and low is not None and high is not None and (low > chart.zero or high < chart.zero)
        )
        colour = look.series[0] if sure else look.grey
        span = (
            "" if low is None or high is None else f"  ({frame.say(low, chart.unit)} to {frame.say(high, chart.unit)})"
        )
        text = f"{name}<br><b>{frame.say(value, chart.unit)}</b>{span}" + (f"<br>{notes[k]}" if notes[k] else "")
        common = {"type": "scatter", "hovertext": text, "hovertemplate": "%{hovertext}<extra></extra>"}
        data.append({**common, "mode": "lines", "x": [low, high], "y": [k, k], "line": {"color": colour, "width": 2}})
        data.append({**common, "mode": "markers", "x": [value], "y": [k], "marker": {"color": colour, "size": 8}})
    low_end, high_end = axes.extent([chart.value, chart.low, chart.high, [chart.zero]]) or (0, 1)
    layout = frame.layout(chart.height or _ROW * max(len(at), 2) + 52, hovermode="closest")
    layout["xaxis"] = frame.value_axis(low_end, high_end, chart.unit, chart.x_title)
    names = [axes.trim(one, 26) for one in chart.names]
    layout["yaxis"] = {**frame.x_axis([]), "showline": False, "tickvals": at, "ticktext": names}
    layout["yaxis"]["range"] = [len(at) - 0.5, -0.5]
    if chart.zero is not None:
        line = {"color": look.muted, "width": 1}
        zero = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": chart.zero, "x1": chart.zero}
        layout["shapes"] = [{**zero, "line": line, "layer": "below"}]
    return {"data": data, "layout": layout}


def sankey(chart: c.Sankey, frame: Frame) -> dict[str, Any]:
    """Return flows from the groups before to the groups after."""
    look = frame.palette
    left = list(dict.fromkeys(one.source for one in chart.flows))
    right = list(dict.fromkeys(one.target for one in chart.flows))
    colours = [look.colour(chart.colours.get(name, "grey")) for name in (*left, *right)]
    data = {
        "type": "sankey",
        "arrangement": "fixed",
        "textfont": {"size": 12, "color": look.text, "family": FONT},
        "node": {
            "label": [*left, *right],
            "color": colours,
            "thickness": 12,
            "pad": 18,
            "line": {"width": 0},
            "hovertemplate": "%{label}<extra></extra>",
        },
        "link": {
            "source": [left.index(one.source) for one in chart.flows],
            "target": [len(left) + right.index(one.target) for one in chart.flows],
            "value": [one.value for one in chart.flows],
            "color": [fade(colours[left.index(one.source)], 0.35) for one in chart.flows],
            "customdata": [
                f"{one.source} → {one.target}: <b>{frame.say(one.value, chart.unit)}</b>  {one.note}"
                for one in chart.flows
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
    }
    return {"data": [data], "layout": frame.layout(chart.height, hovermode="closest")}

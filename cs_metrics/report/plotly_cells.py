"""Plotly figures without a common value axis: heat-maps, scatters, interval rows and flows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cs_metrics.report import axes
from cs_metrics.report import chart as c
from cs_metrics.report.palette import fade, text_on
from cs_metrics.report.plotly_frame import FONT, Frame

__all__ = ["clicked", "heatmap", "intervals", "sankey", "scatter", "targets"]

_ROW = 26
_REACH = 60  # px from the pointer to the middle of what it points at
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
    if chart.texts:
        data.append({**common, **hover, **_texts(chart, frame)})
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
    layout["shapes"] = [_framed(*chart.chosen, look.text)] if chart.chosen else []
    if chart.has_total:
        gap = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0.5, "y1": 0.5}
        layout["shapes"].insert(0, {**gap, "line": {"color": look.paper, "width": 5}})
    return {"data": data, "layout": layout}


def targets(chart: c.Chart, figure: dict[str, Any]) -> dict[str, Any]:
    """Lay a point that can be clicked over every cell of a heat-map or every point of the lines; return the figure.

    Its `customdata` are the row (of lines: series first, then context) and the column. The points carry the hover
    texts, so that what is shown is what a click means.
    """
    if isinstance(chart, c.Heatmap):
        texts = figure["data"][-1]["hovertext"]
        rows = [(r, list(chart.columns), [r] * len(chart.columns), texts[r]) for r in range(len(chart.rows))]
    elif isinstance(chart, c.Line):
        count = len(chart.series) + len(chart.context)
        drawn = figure["data"][-count:]
        order = [*range(len(chart.series), count), *range(len(chart.series))]  # context is drawn first
        rows = [(r, one["x"], one["y"], one["hovertext"]) for r, one in zip(order, drawn, strict=True)]
    else:
        raise TypeError(f"A {type(chart).__name__} has no cells to click.")
    at = [
        (x, y, text, [r, k])
        for r, xs, ys, texts in rows
        for k, (x, y, text) in enumerate(zip(xs, ys, texts, strict=True))
        if y is not None
    ]
    for one in figure["data"]:
        one.pop("hovertemplate", None)  # it would win over hoverinfo
        one["hoverinfo"] = "skip"
    figure["data"].append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": [one[0] for one in at],
            "y": [one[1] for one in at],
            "hovertext": [one[2] for one in at],
            "customdata": [one[3] for one in at],
            "hovertemplate": "%{hovertext}<extra></extra>",
            "showlegend": False,
            "marker": {"size": 14, "color": "rgba(0,0,0,0)", "line": {"width": 0}},
        }
    )
    figure["layout"].update({"hovermode": "closest", "hoverdistance": _REACH, "clickmode": "event+select"})
    return figure


def clicked(points: Sequence[Mapping[str, Any]]) -> tuple[int, int] | None:
    """Return row and column of the clicked point, None where none was clicked; what comes from a browser is checked."""
    for one in points:
        at = one.get("customdata")
        if isinstance(at, list | tuple) and len(at) == 2 and all(type(number) is int and number >= 0 for number in at):
            return at[0], at[1]
    return None


def _texts(chart: c.Heatmap, frame: Frame) -> dict[str, Any]:
    """Return the layer of the cells that hold a text and no number."""
    cells = [
        [0 if text and one is None else None for one, text in zip(row, texts, strict=True)]
        for row, texts in zip(chart.cells, chart.texts, strict=True)
    ]
    shown = [
        ["" if cell is None else text for cell, text in zip(*row, strict=True)]
        for row in zip(cells, chart.texts, strict=True)
    ]
    font = {"size": 11, "color": frame.palette.muted}
    return {
        "z": cells,
        "colorscale": _flat(frame.palette.paper),
        "zmin": 0,
        "zmax": 1,
        "text": shown,
        "texttemplate": "%{text}",
        "textfont": font,
    }


def _framed(row: int, column: int, colour: str) -> dict[str, Any]:
    corners = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
    return {"type": "rect", **corners, "line": {"color": colour, "width": 2}}


def _noted(chart: c.Heatmap) -> list[tuple[str, str]]:
    notes = list(chart.row_notes) or [""] * len(chart.rows)
    return list(zip(chart.rows, notes, strict=True))


def _states(
    frame: Frame, scale: list[list[Any]], high: float
) -> Iterator[tuple[list[list[Any]], float, str, Callable[[c.Value], bool]]]:
    """Yield the layers of a heat-map: pale cells, deep cells (each with its ink), zeros, and what is not yet known."""
    middle = _turn(frame.palette.scale) * high
    pale, deep = text_on(scale[0][1]), text_on(scale[-1][1])
    yield scale, 1.0, pale, lambda one: one is not None and one != 0 and one < middle
    yield scale, 1.0, deep, lambda one: one is not None and one >= middle
    yield _flat(frame.palette.grid), 1.0, frame.palette.muted, lambda one: one == 0
    yield _flat(frame.palette.paper), 0.0, "", lambda one: one is None


def _turn(scale: Sequence[str]) -> float:
    """Return from which share of a colour scale on the other ink stands out more."""
    last, first = len(scale) - 1, text_on(scale[0])
    for step in range(101):
        at = step / 100 * last
        low = min(int(at), last - 1)
        if text_on(_between(scale[low], scale[low + 1], at - low)) != first:
            return step / 100
    return 1.1


def _between(one: str, other: str, share: float) -> str:
    channels = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(low + (high - low) * share):02X}" for low, high in channels)


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
                "error_y": _spans(points, look.colour(chart.colours.get(group, ""), at)),
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
        ("yaxis", chart.y_unit, chart.y_title, [end for one in chart.points for end in (one.y, one.high)]),
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


def _spans(points: list[c.Point], colour: str) -> dict[str, Any]:
    """Return the intervals of the dots that have one."""
    return {
        "visible": any(one.high is not None for one in points),
        "symmetric": False,
        "array": [0 if one.high is None else one.high - one.y for one in points],
        "arrayminus": [0 if one.low is None else one.y - one.low for one in points],
        "color": fade(colour, 0.5),
        "thickness": 1,
        "width": 0,
    }


def intervals(chart: c.Intervals, frame: Frame) -> dict[str, Any]:
    """Return one row per estimate: a dot with its interval; one that is sure, or excludes `zero`, is drawn in colour."""
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
        colour = look.series[0] if (chart.is_sure[k] if chart.is_sure else sure) else look.grey
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

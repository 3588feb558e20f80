"""Plotly figures of lines: courses, fans and survival steps."""

from collections.abc import Sequence
from typing import Any

from cs_metrics.report import axes
from cs_metrics.report import chart as c
from cs_metrics.report.palette import fade
from cs_metrics.report.plotly_frame import Frame

__all__ = ["fan", "line", "plain", "survival"]

_LABELLED = 3  # up to so many lines are named at their ends, more in a legend


def line(chart: c.Line, frame: Frame) -> dict[str, Any]:
    """Return lines; the hover says each value and its note."""
    x, data = plain(chart.x), []
    for band in chart.bands:
        data += _band(x, band.low, band.high, frame.palette.series[0], 0.14)
    for one in chart.context:
        data.append(
            {**_trace(x, one, frame.palette.grey, frame, chart.unit, width=1), "opacity": 0.7, "showlegend": False}
        )
    for at, one in enumerate(chart.series):
        data.append(_trace(x, one, frame.palette.colour(one.colour, at), frame, chart.unit))
    lines = [*chart.series, *chart.context]
    every = [one.y for one in lines] + [row for band in chart.bands for row in (band.low, band.high)]
    found = axes.extent([*every, [mark.y for mark in chart.marks]]) or (0, 1)
    low = min(found[0], 0) if chart.from_zero else found[0]
    y_axis = frame.value_axis(low, found[1], chart.unit, chart.y_title)
    figure = _lined(chart.series, x, chart.x, data, y_axis, chart, frame)
    if chart.context:
        figure["layout"]["hovermode"] = "closest"
    if chart.chosen and lines[chart.chosen[0]].y[chart.chosen[1]] is not None:
        line_at, at = chart.chosen
        figure["data"].insert(0, _chosen(x[at], lines[line_at].y[at], frame))
    return figure


def _chosen(x: Any, y: c.Value, frame: Frame) -> dict[str, Any]:
    """Return the ring around the chosen point."""
    ring = {"size": 13, "color": frame.palette.paper, "line": {"color": frame.palette.text, "width": 2}}
    quiet = {"hoverinfo": "skip", "showlegend": False}
    return {"type": "scatter", "mode": "markers", "x": [x], "y": [y], "marker": ring, **quiet}


def _lined(
    series: Sequence[c.Series],
    x: list[Any],
    raw_x: Sequence[Any],
    data: list[dict[str, Any]],
    y_axis: dict[str, Any],
    chart: c.Line | c.Survival,
    frame: Frame,
) -> dict[str, Any]:
    """Finish a figure of lines: end labels or a legend, reference lines, axes."""
    unit = chart.unit if isinstance(chart, c.Line) else "percent"
    shapes, notes = frame.marks(chart.marks, [one.y[0] for one in series if one.y])
    layout = frame.layout(chart.height, shapes=shapes, annotations=notes)
    layout["xaxis"], layout["yaxis"] = frame.x_axis(raw_x, chart.x_title), y_axis
    layout["xaxis"].update(_span(raw_x))
    if len(series) > _LABELLED:
        layout["showlegend"], layout["legend"] = True, frame.legend()
        layout["margin"]["t"] = 34
        return {"data": data, "layout": layout}
    ends = []
    for at, one in enumerate(series):
        last = next((k for k in range(len(one.y) - 1, -1, -1) if one.y[k] is not None), None)
        if last is not None:
            value = one.y[last]
            text = f"<b>{axes.trim(one.name, 18)}</b> {frame.say(value, unit)}" if one.name else frame.say(value, unit)
            ends.append((x[last], float(value or 0), text, _ink(one, at, frame)))
    labels, margin = frame.end_labels(ends, y_axis["range"], chart.height - 48)
    layout["annotations"] = [*notes, *labels]
    layout["margin"]["r"] = min(max(margin, 14), 170)
    return {"data": data, "layout": layout}


def _span(x: Sequence[Any]) -> dict[str, Any]:
    """Fix the range of an axis of days or numbers, so that labels beside the plot do not stretch it."""
    if len(set(x)) < 2:
        return {"tickvals": plain(x)}
    if axes.is_dates(x):
        return {"range": [one.isoformat() for one in (min(x), max(x))]}
    if all(isinstance(one, int | float) for one in x):
        return {"range": [min(x), max(x)], "nticks": 7}
    return {"range": [-0.2, len(x) - 0.8]}


def _ink(series: c.Series, at: int, frame: Frame) -> str:
    return frame.palette.muted if series.colour == "grey" else frame.palette.colour(series.colour, at)


def _trace(
    x: list[Any], series: c.Series, colour: str, frame: Frame, unit: str, shape: str = "linear", width: int = 2
) -> dict[str, Any]:
    notes = list(series.notes) or [""] * len(series.y)
    name = f"{series.name}  " if series.name else ""
    texts = [
        "" if value is None else f"{name}<b>{frame.say(value, unit)}</b>" + (f"  {note}" if note else "")
        for value, note in zip(series.y, notes, strict=False)
    ]
    lonely = sum(value is not None for value in series.y) < 2
    return {
        "type": "scatter",
        "mode": "markers" if lonely else "lines",
        "x": x,
        "y": list(series.y),
        "name": series.name,
        "line": {"color": colour, "width": width, "dash": "dash" if series.is_dashed else "solid", "shape": shape},
        "marker": {"color": colour, "size": 7},
        "connectgaps": False,
        "hovertext": texts,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _band(
    x: list[Any], low: Sequence[c.Value], high: Sequence[c.Value], colour: str, alpha: float, shape: str = "linear"
) -> list[dict[str, Any]]:
    known = [at for at in range(len(low)) if low[at] is not None and high[at] is not None]
    common = {
        "type": "scatter",
        "mode": "lines",
        "x": [x[at] for at in known],
        "line": {"width": 0, "shape": shape},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [
        {**common, "y": [low[at] for at in known]},
        {**common, "y": [high[at] for at in known], "fill": "tonexty", "fillcolor": fade(colour, alpha)},
    ]


def fan(chart: c.Fan, frame: Frame) -> dict[str, Any]:
    """Return the past as a line and the expectation as a dashed one inside its intervals, joined to the last known value."""
    blue = frame.palette.series[0]
    joint_x, joint_y = _joint(chart)
    x, past_x = plain([*joint_x, *chart.x]), plain(chart.past_x)
    data: list[dict[str, Any]] = []
    for band in chart.bands:
        data += _band(x, [*joint_y, *band.low], [*joint_y, *band.high], blue, 0.16)
    past = c.Series(name=chart.past_name, y=chart.past)
    ahead = c.Series(name=chart.name, y=chart.expected, is_dashed=True, notes=_band_notes(chart, frame))
    joined = {**_trace(plain(chart.x), ahead, blue, frame, chart.unit), "mode": "lines"}
    joined.update(
        {"x": x, "y": [*joint_y, *chart.expected], "hovertext": [*([""] * len(joint_y)), *joined["hovertext"]]}
    )
    data += [_trace(past_x, past, frame.palette.text, frame, chart.unit), joined]
    every = [chart.past, chart.expected, *(row for band in chart.bands for row in (band.low, band.high))]
    low, high = axes.extent(every) or (0, 1)
    layout = frame.layout(chart.height)
    layout["xaxis"] = frame.x_axis([*chart.past_x, *chart.x])
    layout["xaxis"].update(_span([*chart.past_x, *chart.x]))
    layout["yaxis"] = frame.value_axis(low, high, chart.unit)
    if chart.expected and chart.expected[-1] is not None:
        text = f"<b>{chart.name}</b> {frame.say(chart.expected[-1], chart.unit)}"
        ends = [(x[-1], float(chart.expected[-1]), text, blue)]
        layout["annotations"], layout["margin"]["r"] = frame.end_labels(
            ends, layout["yaxis"]["range"], chart.height - 48
        )
    return {"data": data, "layout": layout}


def _joint(chart: c.Fan) -> tuple[list[Any], list[c.Value]]:
    """Return the last known point, from which the expectation starts."""
    known = [(day, value) for day, value in zip(chart.past_x, chart.past, strict=True) if value is not None]
    return ([known[-1][0]], [known[-1][1]]) if known else ([], [])


def _band_notes(chart: c.Fan, frame: Frame) -> list[str]:
    widest = max(chart.bands, key=lambda one: one.level, default=None)
    if widest is None:
        return []
    pairs = zip(widest.low, widest.high, strict=True)
    return [f"({band_text(frame, low, high, chart.unit, widest.level)})" for low, high in pairs]


def band_text(frame: Frame, low: c.Value, high: c.Value, unit: str, level: float) -> str:
    """Return an interval in words: 80%: $1.2M to $1.5M."""
    return f"{level:.0%}: {frame.say(low, unit)} to {frame.say(high, unit)}"


def survival(chart: c.Survival, frame: Frame) -> dict[str, Any]:
    """Return step curves from 100 % at time 0 with their intervals."""
    data, series = [], []
    for at, one in enumerate(chart.curves):
        colour, x = frame.palette.colour(one.colour, at), list(one.time)
        if one.low and one.high:
            data += _band(x, one.low, one.high, colour, 0.13, "hv")
    for at, one in enumerate(chart.curves):
        row = c.Series(name=one.name, y=one.share, colour=one.colour, notes=one.notes, is_dashed=at == 1)
        data.append(_trace(list(one.time), row, frame.palette.colour(one.colour, at), frame, "percent", "hv"))
        series.append(row)
    end = max((day for one in chart.curves for day in one.time), default=1.0)
    # curves end at different times: each label stands at the right edge, at the height of its own last step
    level = [c.Series(name=one.name, y=[one.y[-1]] if one.y else [], colour=one.colour) for one in series]
    figure = _lined(level, [end], [0.0, end], data, frame.value_axis(0, 1, "percent"), chart, frame)
    figure["layout"]["showlegend"] = len(series) > _LABELLED
    return figure


def plain(x: Sequence[Any]) -> list[Any]:
    """Return days as ISO text, everything else as it is."""
    return [one.isoformat()[:10] if hasattr(one, "isoformat") else one for one in x]

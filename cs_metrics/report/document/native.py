"""Charts as Office draws them itself: editable, with their numbers in a sheet behind them.

`draw` styles a chart of python-pptx; `part` returns the same chart as the two files that a Word document holds.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import (
    XL_CHART_TYPE,
    XL_LABEL_POSITION,
    XL_LEGEND_POSITION,
    XL_MARKER_STYLE,
    XL_TICK_LABEL_POSITION,
    XL_TICK_MARK,
)
from pptx.enum.dml import MSO_LINE_DASH_STYLE
from pptx.oxml.ns import qn
from pptx.parts.chart import ChartPart
from pptx.util import Pt

from cs_metrics import periods
from cs_metrics.report import axes
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.report.document.brand import Brand
from cs_metrics.report.palette import text_on

__all__ = ["Plan", "draw", "part", "plan"]

_LABELLED_BARS, _NAMED = 13, 7
_STEPS = (1, 2, 3, 6, 12, 24, 60, 1200)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a chart is in Office: its type, categories and series in order; `is_base` is the unseen foot of a waterfall."""

    kind: Any
    categories: Sequence[Any]
    series: Sequence[c.Series]
    unit: c.Unit
    is_base: bool = False
    has_values: bool = True
    number_format: str = ""


def plan(chart: c.Chart, currency: str) -> Plan:
    """Return what a chart is in Office; lines, fans, bars and waterfalls can be drawn."""
    found: Plan = _PLANS[type(chart)](chart)
    return Plan(**{**found.__dict__, "number_format": _number_format(chart, currency)})


def _line(chart: c.Line) -> Plan:
    marks = [
        c.Series(name=one.label, y=[one.y] * len(chart.x), colour="grey", is_dashed=True)
        for one in chart.marks
        if one.y is not None
    ]
    return Plan(kind=XL_CHART_TYPE.LINE, categories=_names(chart.x), series=[*chart.series, *marks], unit=chart.unit)


def _fan(chart: c.Fan) -> Plan:
    before, after = len(chart.past_x), len(chart.x)
    gap: list[c.Value] = [*[None] * max(before - 1, 0), *chart.past[-1:]]
    rows = [c.Series(name=chart.past_name, y=[*chart.past, *[None] * after])]
    rows.append(c.Series(name=chart.name, y=[*gap, *chart.expected], is_dashed=True, colour="1"))
    for band in chart.bands:
        for word, side in (("low", band.low), ("high", band.high)):
            rows.append(c.Series(name=f"{band.level:.0%} {word}", y=[*gap, *side], colour="grey"))
    return Plan(kind=XL_CHART_TYPE.LINE, categories=_names([*chart.past_x, *chart.x]), series=rows, unit=chart.unit)


def _bars(chart: c.Bars) -> Plan:
    kinds = {
        (False, False): XL_CHART_TYPE.COLUMN_CLUSTERED,
        (True, False): XL_CHART_TYPE.COLUMN_STACKED,
        (False, True): XL_CHART_TYPE.BAR_CLUSTERED,
        (True, True): XL_CHART_TYPE.BAR_STACKED,
    }
    shares = {False: XL_CHART_TYPE.COLUMN_STACKED_100, True: XL_CHART_TYPE.BAR_STACKED_100}
    kind = shares[chart.is_horizontal] if chart.is_share else kinds[chart.is_stacked, chart.is_horizontal]
    return Plan(
        kind=kind, categories=_names(chart.x), series=chart.series, unit=chart.unit, has_values=chart.shows_values
    )


def _waterfall(chart: c.Waterfall) -> Plan:
    """Stacked columns: an unseen foot up to the lower level of each step, and the step on it."""
    level, feet, totals, ups, downs = 0.0, [], [], [], []
    for step in chart.steps:
        before, level = (0.0, step.value) if step.is_total else (level, level + step.value)
        feet.append(0.0 if step.is_total else min(before, level))
        totals.append(step.value if step.is_total else None)
        ups.append(step.value if not step.is_total and step.value >= 0 else None)
        downs.append(-step.value if not step.is_total and step.value < 0 else None)
    rows = [
        c.Series(name="Foot", y=feet),
        c.Series(name="Total", y=totals, colour="grey"),
        c.Series(name="Up", y=ups, colour="green"),
        c.Series(name="Down", y=downs, colour="red"),
    ]
    names = [one.label for one in chart.steps]
    return Plan(kind=XL_CHART_TYPE.COLUMN_STACKED, categories=names, series=rows, unit=chart.unit, is_base=True)


_PLANS: dict[type, Callable[[Any], Plan]] = {c.Line: _line, c.Fan: _fan, c.Bars: _bars, c.Waterfall: _waterfall}


def _names(x: Iterable[c.X]) -> list[Any]:
    """Return days as days, so that Office writes as many of them as fit, and anything else as text."""
    return [one if isinstance(one, dt.date) else f"{one:g}" if isinstance(one, float) else str(one) for one in x]


def _number_format(chart: c.Chart, currency: str) -> str:
    unit = getattr(chart, "unit", "number")
    if unit == "percent":
        return "0%"
    symbol = f'"{say.SYMBOLS.get(currency, currency + " ")}"' if unit == "money" else ""
    largest = max(
        (abs(one) for row in _PLANS[type(chart)](chart).series for one in row.y if one is not None), default=0
    )
    scales = ((1e9, '0.0,,,"B"'), (1e6, '0.0,,"M"'), (1e4, '0,"k"'))
    plain = "#,##0" if largest >= 10 or unit == "count" else "0.0"
    shown = next((text for size, text in scales if largest >= size), plain)
    return f"[=0]{symbol}0;{symbol}{shown}"


def data(found: Plan) -> CategoryChartData:
    """Return the sheet behind a chart."""
    sheet = CategoryChartData(number_format=found.number_format)
    sheet.categories = found.categories
    for one in found.series:
        sheet.add_series(one.name or "Value", list(one.y))
    return sheet


def part(chart: c.Chart, brand: Brand, currency: str, size: float) -> tuple[bytes, bytes]:
    """Return a chart as its XML and the sheet behind it (XLSX), for a Word document."""
    found = plan(chart, currency)
    made = ChartPart.new(found.kind, data(found), Presentation().part.package)
    draw(made.chart, found, brand, size)
    return made.blob, made.chart_workbook.xlsx_part.blob


def draw(chart: Any, found: Plan, brand: Brand, size: float) -> None:
    """Give a chart of python-pptx the product's look; `size` is that of its letters in points."""
    look = brand.palette
    chart.has_title = False
    chart.font.size, chart.font.name, chart.font.color.rgb = Pt(size), brand.font, _rgb(look.muted)
    shown = list(found.series)[found.is_base :]
    chart.has_legend = len(shown) > 1 and not found.is_base
    if chart.has_legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
    _axes(chart, found, look)
    _bare(chart)
    plot, is_line = chart.plots[0], found.kind == XL_CHART_TYPE.LINE
    for at, (drawn, one) in enumerate(zip(plot.series, found.series, strict=True)):
        if found.is_base and at == 0:
            drawn.format.fill.background()
            continue
        colour = _rgb(look.colour(one.colour, at))
        if is_line:
            _style_line(drawn, one, colour)
        else:
            drawn.format.fill.solid()
            drawn.format.fill.fore_color.rgb = colour
            drawn.invert_if_negative = False
    if is_line:
        _end_labels(plot, found, look, size)
        _room_at_the_end(chart)
    else:
        _bar_labels(plot, found, look, size)


def _bare(chart: Any) -> None:
    """Take away frame, round corners and fill of the chart's area."""
    space = chart._chartSpace
    for old in space.findall(qn("c:roundedCorners")):
        space.remove(old)
    space.insert(
        1 if space.find(qn("c:date1904")) is not None else 0, space.makeelement(qn("c:roundedCorners"), {"val": "0"})
    )
    look = space.makeelement(qn("c:spPr"), {})
    line = look.makeelement(qn("a:ln"), {})
    line.append(line.makeelement(qn("a:noFill"), {}))
    look.extend([look.makeelement(qn("a:noFill"), {}), line])
    space.find(qn("c:chart")).addnext(look)


def _room_at_the_end(chart: Any) -> None:
    """Keep the plot clear of the right edge, where the newest values are written."""
    area = chart._chartSpace.find(qn("c:chart")).find(qn("c:plotArea"))
    for old in area.findall(qn("c:layout")):
        area.remove(old)
    top = 0.14 if chart.has_legend else 0.03
    layout, manual = area.makeelement(qn("c:layout"), {}), area.makeelement(qn("c:manualLayout"), {})
    places = {"xMode": "edge", "yMode": "edge", "x": "0", "y": f"{top}", "w": "0.93", "h": f"{0.97 - top:.2f}"}
    for name, value in {"layoutTarget": "outer", **places}.items():
        manual.append(manual.makeelement(qn(f"c:{name}"), {"val": value}))
    layout.append(manual)
    area.insert(0, layout)


def _style_line(drawn: Any, one: c.Series, colour: RGBColor) -> None:
    drawn.smooth = False
    drawn.format.line.color.rgb, drawn.format.line.width = colour, Pt(1 if one.colour == "grey" else 2.25)
    if one.is_dashed:
        drawn.format.line.dash_style = MSO_LINE_DASH_STYLE.DASH
    drawn.marker.style = XL_MARKER_STYLE.NONE
    if sum(value is not None for value in one.y) == 1:
        drawn.marker.style, drawn.marker.size = XL_MARKER_STYLE.CIRCLE, 7
        drawn.marker.format.fill.solid()
        drawn.marker.format.fill.fore_color.rgb = colour


def _end_labels(plot: Any, found: Plan, look: Any, size: float) -> None:
    """Write the newest value of each line beside its end."""
    for at, (drawn, one) in enumerate(zip(plot.series, found.series, strict=True)):
        last = next((k for k in range(len(one.y) - 1, -1, -1) if one.y[k] is not None), None)
        if last is None or one.colour == "grey":
            continue
        label = drawn.points[last].data_label
        label.position = XL_LABEL_POSITION.RIGHT
        label.font.size, label.font.bold, label.font.color.rgb = Pt(size), True, _rgb(look.colour(one.colour, at))
        _show_value(label)


def _show_value(label: Any) -> None:
    """Show the value in a label of one point (python-pptx makes one that shows nothing)."""
    element = label._get_or_add_dLbl()
    for name, value in (("c:showLegendKey", "0"), ("c:showVal", "1"), ("c:showCatName", "0"), ("c:showSerName", "0")):
        node = element.find(qn(name))
        if node is not None:
            node.set("val", value)


def _bar_labels(plot: Any, found: Plan, look: Any, size: float) -> None:
    stacked = len(found.series) > 1 and found.kind not in (XL_CHART_TYPE.COLUMN_CLUSTERED, XL_CHART_TYPE.BAR_CLUSTERED)
    plot.gap_width = 45
    if stacked:
        plot.overlap = 100
    if not found.has_values or len(found.categories) > _LABELLED_BARS:
        return
    for at, (drawn, one) in enumerate(zip(plot.series, found.series, strict=True)):
        if found.is_base and at == 0:
            continue
        labels = drawn.data_labels
        labels.show_value, labels.number_format, labels.number_format_is_linked = True, _without_zero(found), False
        labels.font.size = Pt(size)
        inside = stacked and not found.is_base
        labels.position = XL_LABEL_POSITION.CENTER if stacked else XL_LABEL_POSITION.OUTSIDE_END
        ink = text_on(look.colour(one.colour, at)) if inside or stacked else look.text
        labels.font.color.rgb = _rgb(ink)


def _without_zero(found: Plan) -> str:
    """Return the number format of labels in bars: of a part that is not there nothing is written."""
    shown = found.number_format.split(";")[-1]
    return f"{shown};-{shown};" if len(found.series) > 1 else shown


def _axes(chart: Any, found: Plan, look: Any) -> None:
    names, values = chart.category_axis, chart.value_axis
    names.has_major_gridlines, names.format.line.color.rgb = False, _rgb(look.border)
    names.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    values.has_major_gridlines = True
    values.major_gridlines.format.line.color.rgb, values.major_gridlines.format.line.width = _rgb(look.grid), Pt(0.75)
    values.format.line.fill.background()
    values.tick_labels.number_format, values.tick_labels.number_format_is_linked = found.number_format, False
    low, high = _extent(found)
    at = axes.ticks(min(low, 0), high or 1)
    values.minimum_scale, values.maximum_scale, values.major_unit = at[0], at[-1], at[1] - at[0]
    _write_names(names, found.categories)
    if found.kind in (XL_CHART_TYPE.BAR_CLUSTERED, XL_CHART_TYPE.BAR_STACKED, XL_CHART_TYPE.BAR_STACKED_100):
        names.reverse_order = True
        values.visible = values.has_major_gridlines = False


def _write_names(names: Any, categories: Sequence[Any]) -> None:
    """Write names level and without marks between them; of days at most seven."""
    names.major_tick_mark = XL_TICK_MARK.NONE
    names.tick_labels.font.bold = False  # the element that says how names are turned comes with it
    names._element.find(qn("c:txPr")).find(qn("a:bodyPr")).set("rot", "0")
    if not axes.is_dates(categories):
        return
    months = periods.months_between(categories[0], categories[-1])
    is_monthly = all(one.day == 1 for one in categories)
    step = next(one for one in _STEPS if months / one <= _NAMED)
    names.tick_labels.number_format = "mmm yy" if is_monthly or months >= 4 else "d mmm"
    names.tick_labels.number_format_is_linked = False
    units = {
        "c:baseTimeUnit": "months" if is_monthly else "days",
        "c:majorUnit": str(step),
        "c:majorTimeUnit": "months",
    }
    if not is_monthly and months < 4:
        units |= {"c:majorUnit": str(max(7, 7 * (len(categories) // _NAMED))), "c:majorTimeUnit": "days"}
    axis = names._element
    for old in [one for tag in units for one in axis.findall(qn(tag))]:
        axis.remove(old)
    axis.extend(axis.makeelement(qn(tag), {"val": value}) for tag, value in units.items())


def _extent(found: Plan) -> tuple[float, float]:
    """Return the lowest and highest place that is drawn on, stacks added up."""
    kinds = (XL_CHART_TYPE.COLUMN_STACKED_100, XL_CHART_TYPE.BAR_STACKED_100)
    if found.kind in kinds:
        return 0, 1
    rows = [list(one.y) for one in found.series]
    if found.kind in (XL_CHART_TYPE.COLUMN_STACKED, XL_CHART_TYPE.BAR_STACKED):
        rows = [[sum(one or 0 for one in place) for place in zip(*rows, strict=True)]]
    return axes.extent(rows) or (0, 1)


def _rgb(colour: str) -> RGBColor:
    return RGBColor.from_string(colour.lstrip("#"))

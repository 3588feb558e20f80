"""Charts as SVG, drawn without a browser: lines, fans, bars and waterfalls for paper.

Sizes are in points of the page; letters are those of the page, so that a chart stands in it like its own.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from cs_metrics import periods
from cs_metrics.report import axes
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.report.palette import Palette, text_on

__all__ = ["svg"]

_FONT = "Inter"
_LETTER = 0.58  # the mean width of a letter as a share of its size
_LABELLED, _LABELLED_BARS, _NAMED = 3, 13, 7
_LARGE, _PLAIN = 100_000, ("number", "count")
_STEPS = (1, 2, 3, 6, 12, 24, 60, 1200)


def svg(chart: c.Chart, *, width: float, height: float, size: float, palette: Palette, currency: str) -> str:
    """Return a chart as an SVG of `width` × `height` points with letters of `size` points."""
    sheet = _Sheet(width=width, height=height, size=size, look=palette, currency=currency)
    _DRAW[type(chart)](chart, sheet)
    box = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{"".join(sheet.parts)}</svg>'


@dataclass(kw_only=True)
class _Sheet:
    """The paper of one chart: what was drawn so far, and the plot's edges."""

    width: float
    height: float
    size: float
    look: Palette
    currency: str
    left: float = 0
    right: float = 0
    top: float = 0
    bottom: float = 0
    low: float = 0
    high: float = 1
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, words: str, colour: str, anchor: str = "start", *, bold: bool = False) -> None:
        """Write words with their baseline at `y`."""
        weight = ' font-weight="600"' if bold else ""
        place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
        self.parts.append(
            f'<text {place} font-family="{_FONT}" font-size="{self.size:g}"{weight}>{escape(words)}</text>'
        )

    def line(
        self, x: float, y: float, to_x: float, to_y: float, colour: str, width: float = 0.75, dash: str = ""
    ) -> None:
        """Draw a straight line."""
        ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line {ends} stroke="{colour}" stroke-width="{width:g}"{dashed}/>')

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Draw a filled box; one without height is left out."""
        if width > 0 and height > 0:
            self.parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
            )

    def path(self, points: Sequence[tuple[float, float]], colour: str, width: float, dash: str = "") -> None:
        """Draw a line through points, a dot for a single one."""
        if len(points) == 1:
            self.parts.append(f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="2.5" fill="{colour}"/>')
            return
        steps = " ".join(f"{'L' if at else 'M'}{x:.1f} {y:.1f}" for at, (x, y) in enumerate(points))
        look = f'stroke={quoteattr(colour)} stroke-width="{width:g}" stroke-linejoin="round" stroke-linecap="round"'
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<path d="{steps}" fill="none" {look}{dashed}/>')

    def area(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        """Draw a faint area."""
        around = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polygon points="{around}" fill="{colour}" fill-opacity="0.14"/>')

    def wide(self, words: str) -> float:
        """Return about how wide words are."""
        return len(words) * self.size * _LETTER

    def say(self, value: c.Value, unit: str) -> str:
        """Return a value in words; large plain numbers in a few figures."""
        return (
            say.short(value) if unit in _PLAIN and abs(value or 0) >= _LARGE else say.value(value, unit, self.currency)
        )

    def y(self, value: float) -> float:
        """Return the height of a value."""
        return self.bottom - (value - self.low) / ((self.high - self.low) or 1) * (self.bottom - self.top)

    def value_axis(self, low: float, high: float, unit: str, *, top: float, right: float) -> None:
        """Set the plot's edges and draw its grid with round values."""
        at = axes.ticks(low, high or 1, 5)
        labels = (
            [say.short(one) for one in at]
            if at[-1] >= _LARGE and unit in _PLAIN
            else axes.tick_labels(at, unit, self.currency)
        )
        self.low, self.high = at[0], at[-1]
        self.left, self.right = max(map(self.wide, labels)) * 1.15 + self.size * 0.8, self.width - right
        self.top, self.bottom = top, self.height - self.size * 1.9
        for one, words in zip(at, labels, strict=True):
            self.line(self.left, self.y(one), self.right, self.y(one), self.look.border if one == 0 else self.look.grid)
            self.text(self.left - self.size * 0.6, self.y(one) + self.size * 0.35, words, self.look.muted, "end")

    def legend(self, names: Sequence[tuple[str, str]]) -> float:
        """Write names with their colours above the plot and return the room that they take."""
        x = 0.0
        for name, colour in names:
            self.box(x, self.size * 0.2, self.size * 0.8, self.size * 0.8, colour)
            self.text(x + self.size * 1.2, self.size, name, self.look.text)
            x += self.wide(name) + self.size * 2.4
        return self.size * 2

    def names(self, x: Sequence[c.X], places: Sequence[float]) -> None:
        """Write the names under the plot, as many as fit."""
        y = self.bottom + self.size * 1.5
        shown = _dated(x) if axes.is_dates(x) else {at: str(one) for at, one in enumerate(x)}
        room = (self.right - self.left) / max(len(shown), 1)
        length = max(3, int(room / (self.size * _LETTER)) - 1) if not axes.is_dates(x) else 99
        end = -1.0
        for at, words in shown.items():
            words = axes.trim(words, length)
            half = self.wide(words) / 2
            place = min(max(places[at], half), self.width - half)
            if place - half > end:
                self.text(place, y, words, self.look.muted, "middle")
                end = place + half + self.size * 0.5


def _dated(days: Sequence[Any]) -> dict[int, str]:
    """Return at most seven positions with the words of their day or month; the year where it begins."""
    months = periods.months_between(days[0], days[-1])
    if months < 4:
        step = -(-len(days) // 5)
        return {at: say.date(days[at]).rsplit(" ", 1)[0] for at in range(0, len(days), step)}
    step = next(one for one in _STEPS if months / one <= _NAMED)
    found: dict[int, str] = {}
    seen: dt.date | None = None
    for at, day in enumerate(days):
        month = periods.month_start(day)
        is_first = month != (periods.month_start(days[at - 1]) if at else None) and (at or day.day <= 7)
        if is_first and (seen is None or periods.months_between(seen, month) >= step):
            words = say.month(day) if seen is None or seen.year != day.year else say.month(day).split()[0]
            found[at], seen = words, month
    return found


def _line(chart: c.Line, sheet: _Sheet) -> None:
    lines = [*chart.series, *chart.context]
    bands = [row for band in chart.bands for row in (band.low, band.high)]
    found = axes.extent([*(one.y for one in lines), *bands, [mark.y for mark in chart.marks]]) or (0, 1)
    low = min(found[0], 0) if chart.from_zero else found[0]
    _lined(chart.x, chart.series, chart.context, chart.bands, chart.marks, (low, found[1]), chart.unit, sheet)


def _fan(chart: c.Fan, sheet: _Sheet) -> None:
    before = len(chart.past_x)
    x = [*chart.past_x, *chart.x]
    link: list[c.Value] = [*[None] * max(before - 1, 0), *chart.past[-1:]]
    bands = [c.Band(low=[*link, *one.low], high=[*link, *one.high], level=one.level) for one in chart.bands]
    series = [
        c.Series(name=chart.past_name, y=[*chart.past, *[None] * len(chart.x)]),
        c.Series(name=chart.name, y=[*link, *chart.expected], colour="1", is_dashed=True),
    ]
    rows = [one.y for one in series] + [row for band in bands for row in (band.low, band.high)]
    low, high = axes.extent(rows) or (0, 1)
    _lined(x, series, (), bands, (), (min(low, 0), high), chart.unit, sheet)


def _lined(
    x: Sequence[c.X],
    series: Sequence[c.Series],
    context: Sequence[c.Series],
    bands: Sequence[c.Band],
    marks: Sequence[c.Mark],
    reach: tuple[float, float],
    unit: c.Unit,
    sheet: _Sheet,
) -> None:
    look = sheet.look
    coloured = [(one, look.colour(one.colour, at)) for at, one in enumerate(series)]
    ends = [(one, colour, _last(one.y)) for one, colour in coloured]
    labels = [(sheet.say(one.y[at], unit), one, colour, at) for one, colour, at in ends if at is not None]
    is_named = len(series) > 1
    has_legend = len(series) > _LABELLED
    said = [f"{one.name} {words}" if is_named and not has_legend else words for words, one, _, _ in labels]
    top = sheet.legend([(one.name, colour) for one, colour in coloured]) if has_legend else sheet.size * 0.9
    sheet.value_axis(*reach, unit, top=top, right=max(map(sheet.wide, said), default=0) + sheet.size)
    places = _spaced(x, sheet.left, sheet.right)
    for band in bands:
        known = [at for at, one in enumerate(band.low) if one is not None and band.high[at] is not None]
        upper = [(places[at], sheet.y(band.high[at] or 0)) for at in known]
        sheet.area([*upper, *((places[at], sheet.y(band.low[at] or 0)) for at in reversed(known))], look.series[0])
    for one in context:
        _draw_line(one, places, look.grey, 0.75, sheet)
    for one, colour in coloured:
        _draw_line(one, places, colour, 1.6, sheet)
    _marks(marks, x, places, sheet)
    sheet.names(x, places)
    heights = axes.spread(
        [sheet.y(one.y[at] or 0) for _, one, _, at in labels], sheet.size * 1.3, sheet.top, sheet.bottom
    )
    for words, (_, _, colour, at), height in zip(said, labels, heights, strict=True):
        sheet.text(places[at] + sheet.size * 0.6, height + sheet.size * 0.35, words, colour, bold=True)


def _draw_line(one: c.Series, places: Sequence[float], colour: str, width: float, sheet: _Sheet) -> None:
    run: list[tuple[float, float]] = []
    for at, value in enumerate([*one.y, None]):
        if value is not None:
            run.append((places[at], sheet.y(value)))
        elif run:
            sheet.path(run, colour, width, "4 3" if one.is_dashed else "")
            run = []


def _marks(marks: Sequence[c.Mark], x: Sequence[c.X], places: Sequence[float], sheet: _Sheet) -> None:
    for one in marks:
        if one.y is not None:
            sheet.line(sheet.left, sheet.y(one.y), sheet.right, sheet.y(one.y), sheet.look.muted, 0.75, "1.5 2")
            sheet.text(sheet.left + 2, sheet.y(one.y) - 3, one.label, sheet.look.muted)
        if one.x is not None and len(places):
            place = _place(one.x, x, places)
            sheet.line(place, sheet.top, place, sheet.bottom, sheet.look.muted, 0.75, "1.5 2")
            is_late = place > (sheet.left + sheet.right) / 2
            shift = -3 if is_late else 3
            sheet.text(place + shift, sheet.top, one.label, sheet.look.muted, "end" if is_late else "start")


def _place(value: c.X, x: Sequence[Any], places: Sequence[float]) -> float:
    """Return where a value of the axis lies: at its name, or in proportion between the first and the last."""
    if value in x:
        return places[list(x).index(value)]
    at = sum(one <= value for one in x)
    found: float = places[min(max(at - 1, 0), len(places) - 1)]
    return found


def _spaced(x: Sequence[Any], left: float, right: float) -> list[float]:
    """Return the places of days and numbers in proportion, and of names evenly."""
    if len(x) < 2:
        return [(left + right) / 2] * len(x)
    if axes.is_dates(x):
        days = [periods.days_between(x[0], one) for one in x]
        return [left + (right - left) * one / (days[-1] or 1) for one in days]
    return [left + (right - left) * at / (len(x) - 1) for at in range(len(x))]


def _last(y: Sequence[c.Value]) -> int | None:
    return next((at for at in range(len(y) - 1, -1, -1) if y[at] is not None), None)


def _bars(chart: c.Bars, sheet: _Sheet) -> None:
    colours = [sheet.look.colour(one.colour, at) for at, one in enumerate(chart.series)]
    rows = [[one.y[at] or 0 for one in chart.series] for at in range(len(chart.x))]
    if chart.is_share:
        rows = [[one / (sum(row) or 1) for one in row] for row in rows]
    is_stacked = chart.is_stacked or chart.is_share
    high = max((sum(row) if is_stacked else max(row, default=0) for row in rows), default=1)
    low = min((min([*row, 0]) for row in rows), default=0)
    named = len(chart.series) > 1
    top = sheet.legend([(one.name, colour) for one, colour in zip(chart.series, colours, strict=True)]) if named else 0
    draw = _lying if chart.is_horizontal else _standing
    draw(chart, rows, colours, is_stacked, (low, 1 if chart.is_share else high), top, sheet)


def _standing(
    chart: c.Bars,
    rows: list[list[float]],
    colours: list[str],
    stacked: bool,
    reach: tuple[float, float],
    top: float,
    sheet: _Sheet,
) -> None:
    says = chart.shows_values and len(rows) <= _LABELLED_BARS
    sheet.value_axis(*reach, "percent" if chart.is_share else chart.unit, top=top + sheet.size * 1.4, right=0)
    step = (sheet.right - sheet.left) / max(len(rows), 1)
    for at, row in enumerate(rows):
        foot, wide = 0.0, step * 0.68 if stacked else step * 0.68 / max(len(row), 1)
        for k, value in enumerate(row):
            x = sheet.left + step * (at + 0.16) + (0 if stacked else k * wide)
            base = foot if stacked else 0.0
            sheet.box(x, sheet.y(max(base, base + value)), wide, abs(sheet.y(base) - sheet.y(base + value)), colours[k])
            words = sheet.say(chart.series[k].y[at], chart.unit)
            if says and value and sheet.wide(words) <= (step if len(row) == 1 else wide):
                y = (
                    sheet.y(base + value / 2) + sheet.size * 0.35
                    if stacked
                    else sheet.y(base + value) - sheet.size * 0.4
                )
                sheet.text(x + wide / 2, y, words, text_on(colours[k]) if stacked else sheet.look.text, "middle")
            foot += value
    sheet.names(chart.x, [sheet.left + step * (at + 0.5) for at in range(len(rows))])


def _lying(
    chart: c.Bars,
    rows: list[list[float]],
    colours: list[str],
    stacked: bool,
    reach: tuple[float, float],
    top: float,
    sheet: _Sheet,
) -> None:
    names = [axes.trim(str(one), 26) for one in chart.x]
    left = max(map(sheet.wide, names), default=0) + sheet.size * 0.6
    says = [sheet.say(one, chart.unit) for series in chart.series for one in series.y]
    room = sheet.width - left - max(map(sheet.wide, says), default=0) - sheet.size
    step = min((sheet.height - top) / max(len(rows), 1), sheet.size * 4)
    for at, row in enumerate(rows):
        x, middle = left, top + step * (at + 0.5)
        sheet.text(left - sheet.size * 0.6, middle + sheet.size * 0.35, names[at], sheet.look.text, "end")
        high = step * 0.66 if stacked else step * 0.66 / max(len(row), 1)
        for k, value in enumerate(row):
            long = max(value, 0) / (reach[1] or 1) * room
            y = middle - step * 0.33 + (0 if stacked else k * high)
            sheet.box(x, y, long, high, colours[k])
            words = sheet.say(chart.series[k].y[at], chart.unit)
            if stacked and chart.shows_values and value and sheet.wide(words) < long:
                sheet.text(x + long / 2, middle + sheet.size * 0.35, words, text_on(colours[k]), "middle")
            if not stacked and chart.shows_values:
                sheet.text(x + long + sheet.size * 0.4, y + high / 2 + sheet.size * 0.35, words, sheet.look.text)
            x += long if stacked else 0


def _waterfall(chart: c.Waterfall, sheet: _Sheet) -> None:
    level, spans = 0.0, []
    for one in chart.steps:
        before, level = (0.0, one.value) if one.is_total else (level, level + one.value)
        spans.append((before, level))
    low, high = axes.extent(spans) or (0, 1)
    sheet.value_axis(min(low, 0), high, chart.unit, top=sheet.size * 1.4, right=0)
    step = (sheet.right - sheet.left) / max(len(spans), 1)
    for at, (one, (before, after)) in enumerate(zip(chart.steps, spans, strict=True)):
        colour = sheet.look.grey if one.is_total else sheet.look.green if one.value >= 0 else sheet.look.red
        x, top = sheet.left + step * (at + 0.16), sheet.y(max(before, after))
        sheet.box(x, top, step * 0.68, abs(sheet.y(before) - sheet.y(after)), colour)
        words = sheet.say(one.value, chart.unit)
        words = f"+{words}" if not one.is_total and one.value > 0 else words
        sheet.text(x + step * 0.34, top - sheet.size * 0.4, words, sheet.look.text, "middle", bold=one.is_total)
        if at + 1 < len(spans):
            sheet.line(x + step * 0.68, sheet.y(after), x + step, sheet.y(after), sheet.look.grey)
    sheet.names([one.label for one in chart.steps], [sheet.left + step * (at + 0.5) for at in range(len(spans))])


_DRAW: dict[type, Callable[[Any, _Sheet], None]] = {c.Line: _line, c.Fan: _fan, c.Bars: _bars, c.Waterfall: _waterfall}

"""Descriptions of charts: what is drawn, in plain frozen values that know nothing of the library that draws them.

One description serves every renderer (screen, slides, print), so that screen and paper show the same thing.
A value of None is not yet known and is left blank; 0 is drawn. Colours are roles ("1" to "6", "red", "yellow",
"green", "grey", "good", "bad"), each renderer knows its own palette.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "Band",
    "Bars",
    "Chart",
    "Curve",
    "Fan",
    "Flow",
    "Heatmap",
    "Intervals",
    "Line",
    "Mark",
    "Point",
    "Sankey",
    "Scatter",
    "Series",
    "Step",
    "Survival",
    "Unit",
    "Waterfall",
    "values",
]

Unit = Literal["money", "percent", "count", "number", "days", "points", "score"]
Colour = Literal["", "1", "2", "3", "4", "5", "6", "red", "yellow", "green", "grey", "good", "bad"]
X = dt.date | float | str
Value = float | None


def values(column: Iterable[Any]) -> tuple[Value, ...]:
    """Return a column as plain numbers, with None where it holds NULL or NaN."""
    return tuple(None if one is None or one != one else float(one) for one in column)


@dataclass(frozen=True, kw_only=True)
class Series:
    """One named row of values; `notes` say numerator, denominator or dates of each point when it is hovered."""

    name: str
    y: Sequence[Value]
    colour: Colour = ""
    is_dashed: bool = False
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A reference drawn as a thin dashed line: horizontal at `y` (a target) or vertical at `x` (an event)."""

    label: str
    y: float | None = None
    x: X | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """Lines over days, periods or numbers; up to three are labelled at their ends, more get a legend (six at most).

    `context` are thin grey lines behind them, named on hover only. `chosen` marks one point: the line (series first,
    then context) and the position on it.
    """

    x: Sequence[X]
    series: Sequence[Series]
    context: Sequence[Series] = ()
    chosen: tuple[int, int] | None = None
    unit: Unit = "number"
    x_title: str = ""
    y_title: str = ""
    marks: Sequence[Mark] = ()
    bands: Sequence["Band"] = ()
    from_zero: bool = False
    height: int = 280


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Bars from 0, grouped or stacked, upright or lying; `is_share` stacks to 100 % of each bar."""

    x: Sequence[X]
    series: Sequence[Series]
    unit: Unit = "count"
    x_title: str = ""
    is_stacked: bool = False
    is_horizontal: bool = False
    is_share: bool = False
    shows_values: bool = True
    marks: Sequence[Mark] = ()
    height: int = 280


@dataclass(frozen=True, kw_only=True)
class Step:
    """One bar of a waterfall: a total standing on 0, or a change hanging between the levels before and after it."""

    label: str
    value: float
    is_total: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Waterfall:
    """From an opening total through its changes to a closing total."""

    steps: Sequence[Step]
    unit: Unit = "money"
    height: int = 280


@dataclass(frozen=True, kw_only=True)
class Heatmap:
    """A table of coloured cells in three states: a number, an exact zero, and not yet known (None), each drawn its own way.

    `row_notes` stand beside the row names (cohort sizes); `notes` are the hover texts of the cells; `texts` stand in
    cells that have no number. `has_total` sets the first row off as the sum of the others. `chosen` frames one cell:
    its row and column.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[Value]]
    unit: Unit = "percent"
    row_notes: Sequence[str] = ()
    notes: Sequence[Sequence[str]] = ()
    texts: Sequence[Sequence[str]] = ()
    has_total: bool = False
    chosen: tuple[int, int] | None = None
    x_title: str = ""
    unknown: str = "not yet known"
    shows_values: bool = True
    height: int = 0


@dataclass(frozen=True, kw_only=True)
class Band:
    """An interval around expected values; `level` 0.8 covers 80 % of the outcomes."""

    low: Sequence[Value]
    high: Sequence[Value]
    level: float = 0.8


@dataclass(frozen=True, kw_only=True)
class Fan:
    """What happened, and what is expected from there on with its intervals (widest band first)."""

    past_x: Sequence[dt.date]
    past: Sequence[Value]
    x: Sequence[dt.date]
    expected: Sequence[Value]
    bands: Sequence[Band]
    unit: Unit = "money"
    past_name: str = "Actual"
    name: str = "Expected"
    height: int = 280


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One survival curve: the share still there after so many days, with its interval where known."""

    name: str
    time: Sequence[float]
    share: Sequence[Value]
    low: Sequence[Value] = ()
    high: Sequence[Value] = ()
    notes: Sequence[str] = ()
    colour: Colour = ""


@dataclass(frozen=True, kw_only=True)
class Survival:
    """Kaplan-Meier curves as steps from 100 % at time 0."""

    curves: Sequence[Curve]
    x_title: str = "Days"
    marks: Sequence[Mark] = ()
    height: int = 280


@dataclass(frozen=True, kw_only=True)
class Point:
    """One dot of a scatter; `note` is what its hover says beside the name, `low` and `high` the interval of its y."""

    x: float
    y: float
    name: str
    low: Value = None
    high: Value = None
    note: str = ""
    group: str = ""
    size: float = 9
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """Dots by two numbers, coloured by group; `diagonal` draws the line of equal values (calibration)."""

    points: Sequence[Point]
    x_title: str
    y_title: str
    x_unit: Unit = "number"
    y_unit: Unit = "number"
    colours: dict[str, Colour] = field(default_factory=dict)
    diagonal: bool = False
    marks: Sequence[Mark] = ()
    height: int = 320


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """Estimates with their intervals, one row each (differences, factor strength), against the line at `zero`.

    Rows whose interval excludes `zero` are drawn in colour; `is_sure` decides it otherwise (after many looks).
    """

    names: Sequence[str]
    value: Sequence[Value]
    low: Sequence[Value]
    high: Sequence[Value]
    unit: Unit = "points"
    zero: float | None = 0
    is_sure: Sequence[bool] = ()
    notes: Sequence[str] = ()
    x_title: str = ""
    height: int = 0


@dataclass(frozen=True, kw_only=True)
class Flow:
    """So much went from one group to another."""

    source: str
    target: str
    value: float
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Sankey:
    """Flows between the groups before (left) and after (right); `colours` by group name."""

    flows: Sequence[Flow]
    colours: dict[str, Colour] = field(default_factory=dict)
    unit: Unit = "count"
    height: int = 320


Chart = Line | Bars | Waterfall | Heatmap | Fan | Survival | Scatter | Intervals | Sankey

"""The sentences and pictures of activation: heat-map and curves are two views of one table, row by row and cell by cell."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = [
    "CURVES",
    "EMPTY",
    "POOLED",
    "ROWS",
    "Asked",
    "Row",
    "cell_title",
    "cohort_choices",
    "curve_title",
    "curves",
    "legend",
    "matrix",
    "plateau_detail",
    "plateau_help",
    "plateau_note",
    "pooled",
    "rows",
    "settles",
    "shown_rows",
    "states",
    "step_word",
]

Numbers = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

POOLED, EMPTY = "", "(empty)"
ROWS, CURVES = 14, 8  # so many cohorts have a row of the heat-map, or a thin line beside the pooled one
_COLUMNS, _MOST_PERIODS, _NAMED = 18, 53, 5
_DATED = ("day", "week", "month", "quarter")
_NEVER = "the product may not meet its market"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The question in words: who does what, per which period, in which cohorts; `is_bounded`: in the period itself."""

    action: str
    step: str = "week"
    cohort: str = "month"
    unit: str = "account"
    is_bounded: bool = True

    @property
    def is_dated(self) -> bool:
        """Tell whether cohorts are periods and not values of a column."""
        return self.cohort in _DATED


def step_word(every: str, every_days: int) -> str:
    """Return what one period is called; periods of other lengths than a day or a week are just periods."""
    return {1: "day", 7: "week"}.get(every_days, "period") if every == "days" else every


# The plateau in words


def settles(plateau: pd.DataFrame, asked: Asked) -> str:
    """Say at which level the curve settles, or why it does not."""
    found, action, step, unit = plateau.iloc[0], asked.action, asked.step, asked.unit
    if found["is_found"]:
        return f"{say.percent(found['level'], 0)} of {unit}s settle into {action} each {step}, from {step} {found['period']} on."
    return {
        "steep": f"The curve of {action} never flattens ({say.points(found['tail_slope'])} per {step}): {_NEVER}.",
        "keeps_falling": f"The curve of {action} never flattens: slowly, the same {unit}s go on to lose {say.percent(found['tail_loss'], 0)} of its level; {_NEVER}.",
        "cohorts_differ": f"The curve of {action} falls only because older cohorts are lower, while the same {unit}s stay: compare the cohorts before naming one rate.",
        "unsure": f"Whether the curve of {action} flattens cannot be told yet: too few {unit}s have been seen for long enough.",
        "nobody": f"The curve of {action} falls to nothing: {_NEVER}.",
        "too_short": f"There are too few complete {step}s to say where {action} settles.",
    }[found["reason"]]


def plateau_note(plateau: pd.DataFrame, step: str) -> str:
    """Say in few words from when the activation rate holds, or why there is none."""
    found = plateau.iloc[0]
    if found["is_found"]:
        return f"from {step} {found['period']} on"
    few = {"too_short": f"too few {step}s", "cohorts_differ": "cohorts differ", "unsure": "not sure yet"}
    return few.get(found["reason"], "never flattens")


def plateau_help(plateau: pd.DataFrame) -> str:
    """Say how sure the activation rate is."""
    found = plateau.iloc[0]
    if not found["is_found"]:
        return ""
    return f"95% interval {say.percent(found['level_low'])} to {say.percent(found['level_high'])}."


def plateau_detail(plateau: pd.DataFrame, asked: Asked) -> str:
    """Say the plateau with its intervals and how firm it is; of an unbounded curve, that none is sought."""
    found, step = plateau.iloc[0], asked.step
    if not asked.is_bounded:
        return "It falls at the right edge by construction, so that no plateau is sought on it."
    if not found["is_found"]:
        return settles(plateau, asked)
    level = f"{say.percent(found['level'])} ({say.percent(found['level_low'])} to {say.percent(found['level_high'])})"
    begins = f"{step} {found['period']} ({found['period_low']} to {found['period_high']})"
    moved, least, most = (_moved(found[one]) for one in ("tail_loss", "tail_loss_high", "tail_loss_low"))
    return f"Plateau {level} from {begins} on, with 95% intervals; along it the level of the same {asked.unit}s moves by {moved} ({least} to {most})."


def _moved(loss: float) -> str:
    text = f"{-loss:+.0%}"
    return "0%" if text in ("-0%", "+0%") else text


def curve_title(plateau: pd.DataFrame, asked: Asked) -> str:
    """Return the message of heat-map and curves; the plateau is one of the bounded curve only."""
    found, step = plateau.iloc[0], asked.step
    if not asked.is_bounded:
        return f"{asked.unit.capitalize()}s active in the {step} or later"
    if found["is_found"]:
        return f"Activation settles at {say.percent(found['level'], 0)} from {step} {found['period']} on"
    return {
        "too_short": f"Activation by age of the {asked.unit}",
        "cohorts_differ": "Older cohorts are lower: there is no one activation rate",
        "unsure": "Whether activation flattens is not sure yet",
        "nobody": "Activation falls to nothing",
    }.get(found["reason"], "Activation never flattens")


# The table


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cohort, or all together: its members, and period by period who is eligible and active, and from when to when.

    `key` is what `in_cohort` of activation_accounts calls it.
    """

    key: str
    name: str
    size: int
    eligible: Numbers
    active: Numbers
    rate: Numbers
    first: Days
    last: Days

    def upto(self, periods: int) -> "Row":
        """Return the row cut off after so many periods."""
        parts = {one: getattr(self, one)[:periods] for one in ("eligible", "active", "rate", "first", "last")}
        return Row(key=self.key, name=self.name, size=self.size, **parts)

    @property
    def known(self) -> int:
        """How many periods are over for anybody."""
        return int((self.eligible > 0).sum())


def rows(activation: pd.DataFrame, asked: Asked) -> list[Row]:
    """Return the rows of the table; its frame has as many periods for each cohort, in order."""
    if activation.empty:
        return []
    count = int(activation["period"].max()) + 1
    starts = activation.iloc[::count]
    eligible, active, rate = (
        activation[name].to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, count)
        for name in ("eligible", "active", "rate")
    )
    first, last = (
        activation[name].to_numpy().astype("datetime64[D]").reshape(-1, count) for name in ("from_day", "to_day")
    )
    return [
        Row(
            key=_key(cohort),
            name=_name(cohort, asked),
            size=int(size),
            eligible=eligible[at],
            active=active[at],
            rate=rate[at],
            first=first[at],
            last=last[at],
        )
        for at, (cohort, size) in enumerate(zip(starts["cohort"], starts["cohort_size"], strict=True))
    ]


def pooled(table: Sequence[Row], min_accounts: int) -> Row:
    """Return the sum of all rows of the table: Σ active ÷ Σ eligible by period, no rate below `min_accounts` eligible."""
    eligible = np.sum([one.eligible for one in table], axis=0)
    active = np.where(eligible > 0, np.nansum([one.active for one in table], axis=0), np.nan)
    return Row(
        key=POOLED,
        name="All",
        size=sum(one.size for one in table),
        eligible=eligible,
        active=active,
        rate=np.where(eligible >= max(min_accounts, 1), active / np.maximum(eligible, 1), np.nan),
        first=np.min([one.first for one in table], axis=0),
        last=np.max([one.last for one in table], axis=0),
    )


def shown_rows(table: Sequence[Row], asked: Asked, min_accounts: int, most: int = ROWS) -> list[Row]:
    """Return what is drawn, row by row: all together, then the newest cohorts or the largest."""
    if asked.is_dated:
        return [pooled(table, min_accounts), *table[-most:]]
    return [pooled(table, min_accounts), *sorted(table, key=lambda one: -one.size)[: 2 * most]]


def cohort_choices(table: Sequence[Row], asked: Asked) -> dict[str, str]:
    """Return every cohort by its key with its name, newest first."""
    ordered = reversed(table) if asked.is_dated else table
    return {POOLED: "All cohorts", **{one.key: one.name for one in ordered}}


def matrix(shown: Sequence[Row], asked: Asked, *, chosen: tuple[str, int] | None = None) -> c.Heatmap:
    """Return the heat-map of the shown rows: all together, then the cohorts × the first periods.

    A number has a colour, zero is grey, and what is not yet known is blank; over too few for a rate the counts stand.
    """
    last = max(1, min(_COLUMNS, max(one.known for one in shown)))
    cut = [one.upto(last) for one in shown]
    keys = [one.key for one in shown]
    at = keys.index(chosen[0]) if chosen and chosen[0] in keys and chosen[1] < last else None
    return c.Heatmap(
        rows=[one.name for one in cut],
        columns=[str(period) for period in range(last)],
        cells=[c.values(one.rate) for one in cut],
        texts=[[_short(*counts) for counts in zip(one.active, one.eligible, strict=True)] for one in cut],
        row_notes=[say.count(one.size) for one in cut],
        notes=[_notes(one, asked) for one in cut],
        x_title=asked.step.capitalize(),
        unknown="no rate",
        has_total=True,
        chosen=None if at is None or chosen is None else (at, chosen[1]),
    )


def curves(
    shown: Sequence[Row], plateau: pd.DataFrame, asked: Asked, *, chosen: tuple[str, int] | None = None
) -> c.Line:
    """Return the curves of the shown rows: the pooled one strong, with its plateau and interval, the cohorts as thin lines.

    A few cohorts that are no periods (segments) are named lines of their own.
    """
    found = plateau.iloc[0]
    reach = max(_MOST_PERIODS, 2 * int(found["period"])) if found["is_found"] else _MOST_PERIODS
    cut, keys = [one.upto(reach) for one in shown], [one.key for one in shown]
    lines = [c.Series(name=one.name, y=c.values(one.rate), notes=_notes(one, asked)) for one in cut]
    periods = range(len(cut[0].rate))
    marks, bands = [], []
    if asked.is_bounded and found["is_found"]:
        marks = [c.Mark(label=f"Plateau {say.percent(found['level'], 0)}", y=float(found["level"]))]
        tail = [period >= found["period"] for period in periods]
        low, high = ([float(found[side]) if one else None for one in tail] for side in ("level_low", "level_high"))
        bands = [c.Band(low=low, high=high, level=0.95)]
    return c.Line(
        x=list(periods),
        series=lines if _is_named(len(lines) - 1, asked) else lines[:1],
        context=() if _is_named(len(lines) - 1, asked) else lines[1:],
        unit="percent",
        x_title=f"{asked.step.capitalize()} since {'start' if asked.unit == 'account' else 'first use'}",
        marks=marks,
        bands=bands,
        from_zero=True,
        chosen=(keys.index(chosen[0]), chosen[1]) if chosen and chosen[0] in keys and chosen[1] in periods else None,
    )


def legend(shown: int, count: int, asked: Asked, view: str) -> str:
    """Say what is drawn of so many cohorts: which of them, and the states of a cell."""
    which, everything = "newest" if asked.is_dated else "largest", say.plural(count, "cohort")
    if view == "curves" and _is_named(shown, asked):
        return ""
    if view == "curves":
        return f"Blue: all {everything} together. Grey: the {shown} {which}." if count > 1 else ""
    below = f", the {shown} {which} below" if shown < count else ""
    return (
        f"All: the sum of all {everything}{below}; sizes in bold. "
        "In percent; 0 on grey is nobody, counts are too few for a rate, blank is not yet over."
    )


def _is_named(cohorts: int, asked: Asked) -> bool:
    return not asked.is_dated and cohorts <= _NAMED


def cell_title(accounts: pd.DataFrame, cohort: str, period: int, asked: Asked) -> str:
    """Return the message of the list behind a cell: how many of its members were active."""
    eligible, active = int(accounts["is_eligible"].sum()), int(accounts["is_active"].fillna(False).sum())
    where = f"{cohort}, {asked.step} {period}"
    if not eligible:
        return f"{where}: not yet over for any of {say.plural(len(accounts), asked.unit)}"
    when = "" if asked.is_bounded else " then or later"
    verb = "was" if active == 1 else "were"
    return f"{where}: {say.count(active)} of {say.plural(eligible, asked.unit)} {verb} active{when}"


def states(accounts: pd.DataFrame) -> list[str]:
    """Say of each member whether it was active; while its period runs that is not yet known."""
    return ["Not yet known" if one is pd.NA else "Active" if one else "Not active" for one in accounts["is_active"]]


def _key(cohort: Any) -> str:
    return cohort.date().isoformat() if isinstance(cohort, pd.Timestamp) else str(cohort) or EMPTY


def _name(cohort: Any, asked: Asked) -> str:
    return say.period(cohort.date(), asked.cohort) if isinstance(cohort, pd.Timestamp) else str(cohort) or EMPTY  # type: ignore[arg-type]


def _notes(row: Row, asked: Asked) -> list[str]:
    """Say the counts behind each cell of a row, and from when to when its period was."""
    days = zip(row.first.tolist(), row.last.tolist(), strict=True)
    cells = zip(row.eligible, row.active, days, strict=True)
    return [_note(row.size, eligible, active, *dates, unit=asked.unit) for eligible, active, dates in cells]


def _note(size: int, eligible: float, active: float, first: dt.date, last: dt.date, *, unit: str) -> str:
    dates = f"<br>{say.date(first)} to {say.date(last)}"
    if not eligible:
        return f"not yet over{dates}"
    waiting = f", not yet over for {say.count(size - eligible)} more" if size > eligible else ""
    return f"{say.count(active)} of {say.plural(eligible, unit)}{waiting}{dates}"


def _short(active: float, eligible: float) -> str:
    return f"{active:.0f}/{eligible:.0f}" if eligible else ""

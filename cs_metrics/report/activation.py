"""The sentences and pictures of activation: heat-map and curves are two views of one table, row by row and cell by cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = [
    "CURVES",
    "EMPTY",
    "POOLED",
    "ROWS",
    "Asked",
    "cell_title",
    "cohort_choices",
    "cohort_keys",
    "curve_title",
    "curves",
    "legend",
    "matrix",
    "plateau_detail",
    "plateau_help",
    "plateau_note",
    "pooled",
    "settles",
    "states",
    "step_word",
]

POOLED, EMPTY = "", "(empty)"
ROWS, CURVES = 14, 8  # so many cohorts have a row of the heat-map, or a thin line beside the pooled one
_COLUMNS, _MOST_PERIODS = 18, 53
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
    change = " to ".join(f"{-found[one]:+.0%}" for one in ("tail_loss_high", "tail_loss_low"))
    moved = f"{-found['tail_loss']:+.0%} ({change})"
    return f"Plateau {level} from {begins} on, with 95% intervals; along it the level of the same {asked.unit}s moves by {moved}."


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


def pooled(cohorts: pd.DataFrame, min_accounts: int) -> pd.DataFrame:
    """Return the sum of all rows of the table: Σ active ÷ Σ eligible by period, no rate below `min_accounts` eligible."""
    by_period = cohorts.groupby("period")
    found = by_period[["cohort_size", "eligible"]].sum()
    found["active"] = by_period["active"].sum(min_count=1)
    found["rate"] = (found["active"].astype("float64") / found["eligible"]).where(found["eligible"] >= min_accounts)
    found["from_day"], found["to_day"] = by_period["from_day"].min(), by_period["to_day"].max()
    return found.reset_index()


def cohort_keys(cohorts: pd.DataFrame, asked: Asked, most: int = ROWS) -> list[str]:
    """Return the shown rows as `in_cohort` of activation_accounts names them: all together, then the newest or largest."""
    values = list(dict.fromkeys(cohorts["cohort"]))
    if asked.is_dated:
        return [POOLED, *(_key(one) for one in values[-most:])]
    sizes = cohorts.drop_duplicates("cohort").set_index("cohort")["cohort_size"]
    largest = sizes.sort_values(ascending=False, kind="stable").index[: 2 * most]
    return [POOLED, *(_key(one) for one in largest)]


def cohort_choices(cohorts: pd.DataFrame, asked: Asked) -> dict[str, str]:
    """Return every cohort by its key with its name, newest first."""
    names = {_key(one): _name(one, asked) for one in dict.fromkeys(cohorts["cohort"])}
    return {POOLED: "All cohorts", **(dict(reversed(names.items())) if asked.is_dated else names)}


def matrix(
    cohorts: pd.DataFrame, asked: Asked, *, min_accounts: int, chosen: tuple[str, int] | None = None
) -> c.Heatmap:
    """Return the heat-map: all cohorts together, then the newest ones × the first periods.

    A number has a colour, zero is grey, and what is not yet known is blank; over too few for a rate the counts stand.
    """
    keys = cohort_keys(cohorts, asked)
    rows = _rows(cohorts, asked, keys, min_accounts)
    started = [int(one.loc[one["eligible"] > 0, "period"].max()) + 1 for _, one in rows if (one["eligible"] > 0).any()]
    last = min(_COLUMNS, max(started, default=1))
    shown = [(name, one[one["period"] < last]) for name, one in rows]
    at = keys.index(chosen[0]) if chosen and chosen[0] in keys and chosen[1] < last else None
    return c.Heatmap(
        rows=[name for name, _ in shown],
        columns=[str(period) for period in range(last)],
        cells=[c.values(one["rate"]) for _, one in shown],
        texts=[[_short(*counts) for counts in zip(one["active"], one["eligible"], strict=True)] for _, one in shown],
        row_notes=[say.count(one["cohort_size"].iloc[0]) for _, one in shown],
        notes=[_notes(one, asked) for _, one in shown],
        x_title=asked.step.capitalize(),
        unknown="no rate",
        has_total=True,
        chosen=None if at is None or chosen is None else (at, chosen[1]),
    )


def curves(
    cohorts: pd.DataFrame,
    plateau: pd.DataFrame,
    asked: Asked,
    *,
    min_accounts: int,
    chosen: tuple[str, int] | None = None,
) -> c.Line:
    """Return the curves: the pooled one strong, with its plateau and interval, the newest cohorts as thin lines."""
    keys = cohort_keys(cohorts, asked, CURVES)[: CURVES + 1]
    found = plateau.iloc[0]
    shown = max(_MOST_PERIODS, 2 * int(found["period"])) if found["is_found"] else _MOST_PERIODS
    rows = [(name, one[one["period"] < shown]) for name, one in _rows(cohorts, asked, keys, min_accounts)]
    lines = [c.Series(name=name, y=c.values(one["rate"]), notes=_notes(one, asked)) for name, one in rows]
    periods = [int(one) for one in rows[0][1]["period"]]
    marks, bands = [], []
    if asked.is_bounded and found["is_found"]:
        marks = [c.Mark(label=f"Plateau {say.percent(found['level'], 0)}", y=float(found["level"]))]
        tail = [period >= found["period"] for period in periods]
        low, high = ([float(found[side]) if one else None for one in tail] for side in ("level_low", "level_high"))
        bands = [c.Band(low=low, high=high, level=0.95)]
    return c.Line(
        x=periods,
        series=lines[:1],
        context=lines[1:],
        unit="percent",
        x_title=f"{asked.step.capitalize()} since {'start' if asked.unit == 'account' else 'first use'}",
        marks=marks,
        bands=bands,
        from_zero=True,
        chosen=(keys.index(chosen[0]), chosen[1]) if chosen and chosen[0] in keys and chosen[1] in periods else None,
    )


def legend(cohorts: pd.DataFrame, asked: Asked, view: str) -> str:
    """Say what is drawn: which cohorts, and the three states of a cell."""
    count = cohorts["cohort"].nunique()
    which = "newest" if asked.is_dated else "largest"
    if view == "curves":
        shown = min(CURVES, count)
        return f"Blue: all {say.plural(count, 'cohort')} together. Grey: the {shown} {which}." if shown > 1 else ""
    shown = len(cohort_keys(cohorts, asked)) - 1
    rows = f"All: the sum of all {say.plural(count, 'cohort')}" + (
        f", the {shown} {which} below" if shown < count else ""
    )
    return (
        f"{rows}; sizes in bold. In percent; 0 on grey is nobody, counts are too few for a rate, blank is not yet over."
    )


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


def _rows(
    cohorts: pd.DataFrame, asked: Asked, keys: Sequence[str], min_accounts: int
) -> list[tuple[str, pd.DataFrame]]:
    by_key = {_key(value): (_name(value, asked), one) for value, one in cohorts.groupby("cohort", sort=False)}
    return [by_key[key] if key else ("All", pooled(cohorts, min_accounts)) for key in keys]


def _key(cohort: Any) -> str:
    return cohort.date().isoformat() if isinstance(cohort, pd.Timestamp) else str(cohort) or EMPTY


def _name(cohort: Any, asked: Asked) -> str:
    return say.period(cohort.date(), asked.cohort) if isinstance(cohort, pd.Timestamp) else str(cohort) or EMPTY  # type: ignore[arg-type]


def _notes(row: pd.DataFrame, asked: Asked) -> list[str]:
    """Say the counts behind each cell of a row, and from when to when its period was."""
    columns = (row[name] for name in ("cohort_size", "eligible", "active", "from_day", "to_day"))
    return [_note(*cell, unit=asked.unit) for cell in zip(*columns, strict=True)]


def _note(size: int, eligible: int, active: Any, first: Any, last: Any, *, unit: str) -> str:
    dates = f"<br>{say.date(first)} to {say.date(last)}"
    if not eligible:
        return f"not yet over{dates}"
    waiting = f", not yet over for {say.count(size - eligible)} more" if size > eligible else ""
    return f"{say.count(active)} of {say.plural(eligible, unit)}{waiting}{dates}"


def _short(active: Any, eligible: int) -> str:
    return f"{active}/{eligible}" if eligible else ""

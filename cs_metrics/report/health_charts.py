"""The pictures of health, made from the rows of its metrics, each with the title that says what it shows."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = [
    "auc_note",
    "driver_words",
    "drivers",
    "matrix",
    "migration",
    "migration_title",
    "mix",
    "mix_note",
    "mix_title",
    "moved",
    "override_note",
    "risk_by_group",
    "scores",
    "trend",
    "trend_title",
]

SHADES: dict[str, c.Colour] = {"green": "green", "yellow": "yellow", "red": "red", "none": "grey"}


def mix(rows: pd.DataFrame, currency: str, minimum: int) -> c.Bars:
    """Return the shares of the colours by count and by ARR, two bars a group, from `health_distribution`.

    A group with fewer than `minimum` accounts has no share; where no group has enough the accounts are counted.
    """
    cells = {(one["group"], one["colour"]): one for one in rows.to_dict("records")}
    sizes = _sizes(rows)
    groups = [group for group, size in sizes.items() if size >= minimum]
    kinds = {"accounts": "account_share", "ARR": "arr_share"} if groups else {"accounts": "accounts"}
    groups = groups or list(sizes)
    x = [words if len(sizes) == 1 else f"{group or '(none)'}, {words}" for group in groups for words in kinds]
    series = []
    for name, shade in SHADES.items():
        mine = [cells[group, name] for group in groups]
        values = [one[column] for one in mine for column in kinds.values()]
        notes = [
            say.money(one["arr"], currency) if words == "ARR" else say.plural(one["accounts"], "account")
            for one in mine
            for words in kinds
        ]
        if any(one["accounts"] for one in mine):
            series.append(c.Series(name=say.health(name), y=c.values(values), colour=shade, notes=notes))
    is_share = "ARR" in kinds
    height = max(280, 60 + 34 * len(x))
    return c.Bars(
        x=x,
        series=series,
        unit="percent" if is_share else "count",
        is_share=is_share,
        is_stacked=True,
        is_horizontal=True,
        height=height,
    )


def mix_note(rows: pd.DataFrame, minimum: int) -> str:
    """Return the groups that are too small for a share, with their counts."""
    said = [f"{group or '(none)'} ({say.count(one)})" for group, one in _sizes(rows).items() if 0 < one < minimum]
    return f"Fewer than {minimum} accounts, so without a share: {', '.join(said)}." if said else ""


def override_note(summary: pd.Series) -> str:
    """Return for how many accounts a person says another health, from the row of `health_summary`."""
    if not summary.overridden:
        return ""
    return f"Of {say.plural(int(summary.overridden), 'account')} a person says another health; counted is the score."


def _sizes(rows: pd.DataFrame) -> dict[str, int]:
    """Return the accounts of each group, in the order of the rows."""
    found: dict[str, int] = {}
    for group, accounts in zip(rows["group"], rows["accounts"], strict=True):
        found[group] = found.get(group, 0) + int(accounts)
    return found


def mix_title(summary: pd.Series) -> str:
    """Return how many accounts have which colour, from the row of `health_summary`."""
    if not summary.scored:
        return "No customer has a score"
    return f"{say.count(summary.green)} healthy, {say.count(summary.yellow)} to watch, {say.count(summary.red)} at risk"


def scores(rows: pd.DataFrame, currency: str) -> c.Bars:
    """Return how many accounts have which score, from `health_distribution` in bands."""
    known = [one for one in rows.to_dict("records") if one["score_to"] == one["score_to"]]
    bands = sorted({(one["score_from"], one["score_to"]) for one in known})
    series = []
    for name, shade in SHADES.items():
        mine = {one["score_to"]: one for one in known if one["colour"] == name}
        if mine:
            values = [float(mine[end]["accounts"]) if end in mine else None for _, end in bands]
            notes = [say.money(mine[end]["arr"], currency) if end in mine else "" for _, end in bands]
            series.append(c.Series(name=say.health(name), y=values, colour=shade, notes=notes))
    x = [(start + end) / 2 for start, end in bands]
    return c.Bars(x=x, series=series, unit="count", is_stacked=True, shows_values=False, x_title="Score")


def trend(rows: pd.DataFrame, currency: str, minimum: int) -> c.Bars:
    """Return ARR by colour week by week, from `health_trend`: its share, or the amount where accounts are few."""
    records = rows.to_dict("records")
    weeks = list(dict.fromkeys(one["week_end"] for one in records))
    series = []
    for name, shade in SHADES.items():
        mine = [one for one in records if one["colour"] == name]
        notes = [_note(one, currency) for one in mine]
        series.append(
            c.Series(name=say.health(name), y=c.values([one["arr"] for one in mine]), colour=shade, notes=notes)
        )
    return c.Bars(
        x=[week.date() for week in weeks],
        series=series,
        unit="money",
        is_share=_enough(rows, minimum),
        is_stacked=True,
        shows_values=False,
    )


def trend_title(rows: pd.DataFrame, currency: str, minimum: int) -> str:
    """Return how much ARR is red now and in the first week shown."""
    red = rows[rows["colour"] == "red"]
    if red.empty:
        return "No complete week in this span"
    if not rows.loc[rows["colour"] != "none", "accounts"].any():
        return "No customer had a score in these weeks"
    if _enough(rows, minimum):
        now, before = (f"{say.percent(red['arr_share'].iloc[at], 0)} of ARR" for at in (-1, 0))
    else:
        now, before = (say.money(red["arr"].iloc[at], currency) for at in (-1, 0))
    return f"{now} is at risk, {before.removesuffix(' of ARR')} in {say.month(red['week_end'].iloc[0])}"


def _enough(rows: pd.DataFrame, minimum: int) -> bool:
    return bool((rows.groupby("week_end")["accounts"].sum() >= minimum).all())


def auc_note(proof: pd.Series) -> str:
    """Return the interval of the AUC from a row of `health_backtest`, or why there is none."""
    if not say.is_known(proof.auc):
        return "no outcome yet"
    return f"{proof.auc_low:.2f} to {proof.auc_high:.2f}, chance is 0.50"


def migration(rows: pd.DataFrame, currency: str, of: str = "accounts") -> c.Sankey:
    """Return who went from which colour to which, by count or by ARR, from `health_migration`."""
    words = {name: say.health(name) for name in SHADES} | {"left": "Left"}
    flows = [
        c.Flow(
            source=words[one["from_colour"]],
            target=words[one["to_colour"]],
            value=float(one[of]),
            note=_note(one, currency),
        )
        for one in rows.to_dict("records")
    ]
    colours: dict[str, c.Colour] = {words[name]: shade for name, shade in SHADES.items()}
    return c.Sankey(
        flows=flows, colours={**colours, "Left": "grey"}, unit="money" if of == "arr" else "count", height=340
    )


def matrix(rows: pd.DataFrame, currency: str, of: str = "accounts") -> c.Heatmap:
    """Return the same as a matrix: a row for each colour before, a column for each after and for those who left."""
    cells = {(one["from_colour"], one["to_colour"]): one for one in rows.to_dict("records")}
    before = [name for name in SHADES if any(source == name for source, _ in cells)]
    after = [*SHADES, "left"]
    found = [[cells.get((source, target)) for target in after] for source in before]
    return c.Heatmap(
        rows=[say.health(name) for name in before],
        columns=[*(say.health(name) for name in SHADES), "Left"],
        cells=[[float(one[of]) if one else 0.0 for one in line] for line in found],
        notes=[[_note(one, currency) if one else "no account" for one in line] for line in found],
        unit="money" if of == "arr" else "count",
        x_title="Now",
        height=340,
    )


def migration_title(rows: pd.DataFrame, currency: str = "", of: str = "accounts") -> str:
    """Return how many, or how much ARR, moved down, up and left."""
    counted = rows.groupby("direction")[of].sum()
    down, up, left = (counted.get(name, 0) for name in ("down", "up", "left"))
    if of == "arr":
        return f"{say.money(down, currency)} moved down, {say.money(up, currency)} up, {say.money(left, currency)} left"
    return f"{say.plural(int(down), 'account')} moved down, {say.count(up)} up, {say.count(left)} left"


def moved(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each group of `health_migration`: accounts and ARR that moved down, up, left or stayed."""
    ways = ["down", "up", "left", "same"]
    accounts, arr = (
        rows.pivot_table(index="group", columns="direction", values=of, aggfunc="sum", fill_value=0).reindex(
            columns=ways, fill_value=0
        )
        for of in ("accounts", "arr")
    )
    found = accounts.join(arr.rename(columns=lambda name: f"{name}_arr")).reset_index()
    return found.sort_values("down_arr", ascending=False, ignore_index=True)


def risk_by_group(rows: pd.DataFrame, minimum: int) -> c.Line:
    """Return the share of ARR that is at risk week by week, a line for each of the six largest groups of `health_trend`."""
    size = rows.groupby("group")["arr"].max().sort_values(ascending=False)
    shown = list(size.index[:6])
    red = rows[rows["colour"] == "red"]
    few = rows.groupby(["group", "week_end"])["accounts"].sum()
    weeks = sorted(red["week_end"].unique())
    series = []
    for group in shown:
        mine = red[red["group"] == group].set_index("week_end")["arr_share"].reindex(weeks)
        enough = [few.get((group, week), 0) >= minimum for week in weeks]
        known = c.values([value if is_shown else None for value, is_shown in zip(mine, enough, strict=True)])
        series.append(c.Series(name=str(group) or "(none)", y=known))
    return c.Line(x=[pd.Timestamp(week).date() for week in weeks], series=series, unit="percent", from_zero=True)


def drivers(rows: pd.DataFrame) -> c.Waterfall:
    """Return the change of a score as a waterfall of its parts, from `health_change`."""
    first = rows.iloc[0]
    parts = [
        c.Step(label=driver_words(one["driver"]), value=float(one["points"]), note=f"{one['before']} → {one['after']}")
        for one in rows.to_dict("records")
    ]
    steps = [
        c.Step(label=say.date(first["from_week_end"]), value=float(first["score_before"]), is_total=True),
        *parts,
        c.Step(label=say.date(first["to_week_end"]), value=float(first["score_after"]), is_total=True),
    ]
    return c.Waterfall(steps=steps, unit="number")


def driver_words(name: str) -> str:
    """Return the name of a measure for a label."""
    return {"nps": "NPS", "csat": "CSAT"}.get(name, name.replace("_", " ").capitalize())


def _note(row: Mapping[Any, Any], currency: str) -> str:
    return f"{say.plural(row['accounts'], 'account')}, {say.money(row['arr'], currency)}"

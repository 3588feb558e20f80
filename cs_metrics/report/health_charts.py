"""The pictures of health, made from the rows of its metrics, each with the title that says what it shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = ["backtest", "migration", "migration_title", "mix", "mix_title", "scores", "trend", "trend_title"]

SHADES: dict[str, c.Colour] = {"green": "green", "yellow": "yellow", "red": "red", "none": "grey"}


def mix(rows: pd.DataFrame, currency: str) -> c.Bars:
    """Return the shares of the colours by count and by ARR, two bars a group, from `health_distribution`."""
    groups = list(dict.fromkeys(rows["group"]))
    single = len(groups) == 1
    x = [words if single else f"{group or '(none)'}, {words}" for group in groups for words in ("accounts", "ARR")]
    series = []
    for name, shade in SHADES.items():
        mine = rows[rows["colour"] == name].set_index("group")
        each = [(mine.loc[group, "accounts"], mine.loc[group, "arr"]) for group in groups]
        values = [share for group in groups for share in mine.loc[group, ["account_share", "arr_share"]]]
        notes = [note for accounts, arr in each for note in (say.plural(accounts, "account"), say.money(arr, currency))]
        if any(accounts for accounts, _ in each):
            series.append(c.Series(name=say.health(name), y=c.values(values), colour=shade, notes=notes))
    return c.Bars(
        x=x, series=series, unit="percent", is_share=True, is_horizontal=True, height=max(200, 60 + 34 * len(x))
    )


def mix_title(summary: pd.Series) -> str:
    """Return how many accounts have which colour, from the row of `health_summary`."""
    return f"{say.count(summary.green)} healthy, {say.count(summary.yellow)} to watch, {say.count(summary.red)} at risk"


def scores(rows: pd.DataFrame, currency: str) -> c.Bars:
    """Return how many accounts have which score, from `health_distribution` in bands."""
    known = rows[rows["score_to"].notna()]
    bands = sorted(set(zip(known["score_from"], known["score_to"], strict=True)))
    series = []
    for name, shade in SHADES.items():
        mine = {one["score_to"]: one for one in known[known["colour"] == name].to_dict("records")}
        if mine:
            values = [float(mine[end]["accounts"]) if end in mine else None for _, end in bands]
            notes = [say.money(mine[end]["arr"], currency) if end in mine else "" for _, end in bands]
            series.append(c.Series(name=say.health(name), y=values, colour=shade, notes=notes))
    x = [f"{start:.0f}–{end:.0f}" for start, end in bands]
    return c.Bars(x=x, series=series, unit="count", is_stacked=True, shows_values=False, x_title="Score")


def trend(rows: pd.DataFrame, currency: str) -> c.Bars:
    """Return the share of ARR by colour week by week, from `health_trend`."""
    weeks = list(dict.fromkeys(rows["week_end"]))
    series = []
    for name, shade in SHADES.items():
        mine = rows[rows["colour"] == name]
        notes = [_note(one, currency) for one in mine.to_dict("records")]
        series.append(c.Series(name=say.health(name), y=c.values(mine["arr"]), colour=shade, notes=notes))
    return c.Bars(x=[week.date() for week in weeks], series=series, unit="money", is_share=True, shows_values=False)


def trend_title(rows: pd.DataFrame) -> str:
    """Return how the red share of ARR went from the first week shown to the last."""
    red = rows[rows["colour"] == "red"]
    if red.empty:
        return "No complete week in this span"
    return f"{say.percent(red.arr_share.iloc[0], 0)} of ARR was red, now {say.percent(red.arr_share.iloc[-1], 0)}"


def migration(rows: pd.DataFrame, currency: str) -> c.Sankey:
    """Return who went from which colour to which, by count, from `health_migration`."""
    words = {name: say.health(name) for name in SHADES} | {"left": "Left"}
    flows = [
        c.Flow(
            source=words[one["from_colour"]],
            target=words[one["to_colour"]],
            value=float(one["accounts"]),
            note=_note(one, currency),
        )
        for one in rows.to_dict("records")
    ]
    colours: dict[str, c.Colour] = {words[name]: shade for name, shade in SHADES.items()}
    return c.Sankey(flows=flows, colours={**colours, "Left": "grey"}, unit="count")


def migration_title(rows: pd.DataFrame) -> str:
    """Return how many moved down, up and left."""
    counted = rows.groupby("direction")["accounts"].sum()
    down, up, left = (int(counted.get(name, 0)) for name in ("down", "up", "left"))
    return f"{say.plural(down, 'account')} moved down, {up} up, {left} left"


def backtest(rows: pd.DataFrame, minimum: int) -> c.Intervals:
    """Return the loss rates of the colours with their intervals, from `health_backtest`; none over too few accounts."""
    shown = rows[rows["accounts"] > 0]
    enough: Sequence[bool] = list(shown["accounts"] >= minimum)

    def values(column: str) -> list[float | None]:
        return [one if is_shown else None for one, is_shown in zip(c.values(shown[column]), enough, strict=True)]

    return c.Intervals(
        names=[say.health(name) for name in shown["colour"]],
        value=values("loss_rate"),
        low=values("low"),
        high=values("high"),
        unit="percent",
        zero=None,
        notes=[
            f"{say.count(lost)} of {say.plural(accounts, 'account')}"
            for lost, accounts in zip(shown["lost"], shown["accounts"], strict=True)
        ],
        x_title="Share lost",
    )


def _note(row: Mapping[Any, Any], currency: str) -> str:
    return f"{say.plural(row['accounts'], 'account')}, {say.money(row['arr'], currency)}"

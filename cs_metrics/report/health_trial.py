"""The pictures of the score on trial: losses by colour and by tenth, quarter by quarter, and the weights that the past suggests."""

from collections.abc import Sequence

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.report.health_charts import SHADES

__all__ = [
    "by_colour",
    "by_tenth",
    "colour_title",
    "history",
    "history_title",
    "tenth_title",
    "weights",
    "weights_title",
]


def by_colour(rows: pd.DataFrame, minimum: int) -> c.Bars:
    """Return the share lost of each colour against the share of all, from `health_backtest`; none over too few accounts."""
    shown = rows[(rows["accounts"] > 0) & (rows["colour"] != "none")]
    names = [say.health(name) for name in shown["colour"]]
    rates = _rates(shown, minimum)
    notes = _notes(shown)
    series = [
        c.Series(
            name=name,
            y=[rate if at == place else None for at, rate in enumerate(rates)],
            colour=SHADES[colour],
            notes=[note if at == place else "" for at, note in enumerate(notes)],
        )
        for place, (name, colour) in enumerate(zip(names, shown["colour"], strict=True))
    ]
    return c.Bars(x=names, series=series, unit="percent", is_stacked=True, marks=_base(shown), height=300)


def colour_title(rows: pd.DataFrame, minimum: int) -> str:
    """Return how many of the red accounts were lost against how many of the green ones."""
    by = dict(zip(rows["colour"], zip(rows["lost"], rows["accounts"], strict=True), strict=True))
    said = [
        f"{say.rate(by[one][0], by[one][1], minimum=minimum)} of the {one} accounts"
        for one in ("red", "green")
        if by[one][1]
    ]
    if not said:
        return "No customer had a score then"
    return f"{' and '.join(said)} were lost"


def by_tenth(rows: pd.DataFrame, minimum: int) -> c.Bars:
    """Return the share lost of each tenth of the accounts by score, from `health_backtest_deciles`."""
    spans = [f"{low:.0f}–{high:.0f}" for low, high in zip(rows["score_from"], rows["score_to"], strict=True)]
    notes = [f"scores {span}: {note}" for span, note in zip(spans, _notes(rows), strict=True)]
    x = [f"{place}" for place in rows["decile"]]
    series = [c.Series(name="Lost", y=_rates(rows, minimum), colour="1", notes=notes)]
    return c.Bars(
        x=x, series=series, unit="percent", marks=_base(rows), x_title="Tenth by score, 1 is the lowest", height=300
    )


def tenth_title(rows: pd.DataFrame) -> str:
    """Return how much of the losses lay in the two lowest tenths."""
    if not rows["lost"].sum():
        return "No account was lost"
    low = rows[rows["decile"] <= 2]["lost"].sum()
    return f"{say.count(low)} of {say.plural(int(rows['lost'].sum()), 'loss', 'losses')} lay in the two lowest tenths"


def history(rows: pd.DataFrame) -> c.Line:
    """Return the AUC at the end of each quarter with its interval, against chance, from `health_backtest_history`."""
    known = rows[rows["auc"].notna() & ~rows["verdict"].str.startswith("not enough")]
    notes = [
        f"{verdict}; {say.count(lost)} of {say.plural(accounts, 'account')} lost"
        for verdict, lost, accounts in zip(known["verdict"], known["lost"], known["accounts"], strict=True)
    ]
    return c.Line(
        x=[one.date() for one in known["closing_day"]],
        series=[c.Series(name="AUC", y=c.values(known["auc"]), colour="1", notes=notes)],
        bands=[c.Band(low=c.values(known["auc_low"]), high=c.values(known["auc_high"]), level=0.95)],
        unit="number",
        marks=[c.Mark(label="Chance", y=0.5)],
    )


def history_title(rows: pd.DataFrame) -> str:
    """Return in how many quarters the score told losses from the rest."""
    judged = rows[~rows["verdict"].str.startswith("not enough")]
    held = int(judged["verdict"].str.startswith("separates").sum())
    if judged.empty:
        return "No quarter had enough losses to judge the score"
    return f"The score separated in {held} of {say.plural(len(judged), 'quarter')} with enough losses"


def weights(rows: pd.DataFrame) -> c.Bars:
    """Return today's weights beside the suggested ones, from the rows of one segment of `health_weights_suggested`."""
    return c.Bars(
        x=[one.capitalize() for one in rows["dimension"]],
        series=[
            c.Series(name="Today", y=c.values(rows["weight_today"]), colour="grey"),
            c.Series(name="Suggested", y=c.values(rows["weight_suggested"]), colour="1"),
        ],
        unit="percent",
        height=300,
    )


def weights_title(rows: pd.DataFrame) -> str:
    """Return what the suggestion would have gained."""
    verdict = str(rows["verdict"].iloc[0])
    return f"Suggested weights: {verdict}"


def _rates(rows: pd.DataFrame, minimum: int) -> Sequence[float | None]:
    enough = rows["accounts"] >= minimum
    return [one if is_shown else None for one, is_shown in zip(c.values(rows["loss_rate"]), list(enough), strict=True)]


def _notes(rows: pd.DataFrame) -> list[str]:
    return [
        f"{say.count(lost)} of {say.plural(accounts, 'account')} lost, 95% interval {say.percent(low)} to {say.percent(high)}"
        for lost, accounts, low, high in zip(rows["lost"], rows["accounts"], rows["low"], rows["high"], strict=True)
    ]


def _base(rows: pd.DataFrame) -> list[c.Mark]:
    base = rows["base_rate"].iloc[0] if len(rows) else float("nan")
    return [c.Mark(label="", y=float(base))] if say.is_known(base) else []


def base_words(rows: pd.DataFrame) -> str:
    """Return what the dashed line of both pictures is."""
    base = rows["base_rate"].iloc[0] if len(rows) else float("nan")
    return f"; dashed: {say.percent(base)} of all accounts" if say.is_known(base) else ""


def exact(rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return the rows with areas in words of two digits, as a table shows them."""
    return rows.assign(**{name: [say.number(one, 2) for one in rows[name]] for name in columns})

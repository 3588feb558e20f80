"""The pictures of the portfolio, made from the rows of its metrics; screen and board pack draw the same ones."""

import datetime as dt

import pandas as pd

from cs_metrics import periods
from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = [
    "arr_fan",
    "arr_fan_title",
    "arr_walk",
    "arr_walk_title",
    "health_mix",
    "health_mix_title",
    "retention_lines",
]

_MOVEMENTS = {
    "new": "New customers added",
    "reactivation": "Returning customers added",
    "expansion": "Expansion added",
    "contraction": "Contraction took",
    "churn": "Churn took",
}
_SHADES: dict[str, c.Colour] = {"green": "green", "yellow": "yellow", "red": "red", "none": "grey"}


def arr_walk(rows: pd.DataFrame, opening: dt.date, closing: dt.date) -> c.Waterfall:
    """Return the waterfall of one window from the row of the metric `arr_walk`."""
    walk = rows.iloc[0]
    steps = [c.Step(label=name.capitalize(), value=float(walk[name])) for name in _MOVEMENTS if walk[name]]
    first = c.Step(label=say.date(opening), value=float(walk.opening), is_total=True)
    return c.Waterfall(steps=[first, *steps, c.Step(label=say.date(closing), value=float(walk.closing), is_total=True)])


def arr_walk_title(rows: pd.DataFrame, currency: str) -> str:
    """Return what the waterfall says: its largest movement."""
    walk = rows.iloc[0]
    largest = max(_MOVEMENTS, key=lambda name: abs(walk[name]))
    if not walk[largest]:
        return "ARR did not move"
    return f"{_MOVEMENTS[largest]} {say.money(abs(walk[largest]), currency)}, the largest movement"


def health_mix(rows: pd.DataFrame, currency: str) -> c.Bars:
    """Return the shares of customers by health from the rows of the metric `health_mix`."""
    series = [
        c.Series(
            name=say.health(name),
            y=c.values(rows[f"{name}_accounts"]),
            colour=colour,
            notes=[say.money(one, currency) for one in rows[f"{name}_arr"]],
        )
        for name, colour in _SHADES.items()
    ]
    return c.Bars(x=list(rows.week_end.dt.date), series=series, is_share=True, shows_values=False)


def health_mix_title(summary: pd.DataFrame) -> str:
    """Return how many customers are healthy and at risk on the day, from the metric `health_summary`."""
    now = summary.iloc[0]
    if not now.customers:
        return "No customers on this day"
    if not now.scored:
        return "No customer has a health score"
    return f"{say.plural(now.green, 'customer')} healthy, {say.count(now.red)} at risk"


def arr_fan_title(rows: pd.DataFrame, currency: str) -> str:
    """Return what the forecast says: ARR at its end."""
    if rows.empty:
        return "No forecast for these accounts"
    last = rows.iloc[-1]
    return f"ARR is expected at {say.money(last.expected_arr, currency)} in {say.month(last.month)}"


def retention_lines(rows: pd.DataFrame, currency: str, minimum: int) -> c.Line:
    """Return NRR and GRR over the months from the metric `retention_trend`, over at least `minimum` accounts."""
    known = rows[rows.opening_accounts >= minimum]
    notes = [
        f"{say.plural(accounts, 'customer')}, {say.money(arr, currency)} a year before"
        for accounts, arr in zip(known.opening_accounts, known.opening_arr, strict=True)
    ]
    series = [
        c.Series(name="NRR", y=c.values(known.nrr), notes=notes),
        c.Series(name="GRR", y=c.values(known.grr), is_dashed=True),
    ]
    marks = [c.Mark(label="100%", y=1)]
    return c.Line(x=list(known.day.dt.date), series=series, unit="percent", marks=marks)


def arr_fan(past: pd.DataFrame, ahead: pd.DataFrame) -> c.Fan:
    """Return ARR so far (`retention_trend`) and as expected (`forecast`) with its 50 %, 80 % and 95 % intervals."""
    return c.Fan(
        past_x=list(past.day.dt.date),
        past=c.values(past.arr),
        x=[periods.month_end(day) for day in ahead.month.dt.date],
        expected=c.values(ahead.expected_arr),
        bands=[
            c.Band(low=c.values(ahead[f"low{one}"]), high=c.values(ahead[f"high{one}"]), level=level)
            for one, level in (("_95", 0.95), ("", 0.8), ("_50", 0.5))
        ],
    )

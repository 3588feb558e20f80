"""The pictures of the forecast, made from the rows of its metrics, each with the title that says what it shows."""

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = ["bridge", "bridge_title", "hours", "hours_title", "record", "record_title", "verdict", "what_if"]

_MOVES = {
    "renewals": "Price at renewal",
    "expansion": "Expansion",
    "contraction": "Contraction",
    "churn": "Churn",
}


def bridge(ahead: pd.DataFrame) -> c.Waterfall:
    """Return the walk from today's ARR to that expected at the end, from `forecast`."""
    last = ahead.iloc[-1]
    first = c.Step(label="Today", value=float(ahead["opening"].iloc[0]), is_total=True)
    steps = [c.Step(label=words, value=float(ahead[name].sum())) for name, words in _MOVES.items() if ahead[name].any()]
    return c.Waterfall(
        steps=[first, *steps, c.Step(label=say.month(last["month"]), value=float(last["expected_arr"]), is_total=True)]
    )


def bridge_title(ahead: pd.DataFrame, currency: str) -> str:
    """Return what the walk says: how much of today's ARR is expected to be lost, and to grow."""
    lost, grown = -float(ahead["churn"].sum()), float(ahead["expansion"].sum())
    opening = float(ahead["opening"].iloc[0])
    if not opening:
        return "There is no ARR to forecast"
    return f"Churn should take {say.money(lost, currency)}, expansion bring {say.money(grown, currency)}"


def record(past: pd.DataFrame) -> c.Line:
    """Return what one horizon's forecasts said, with their 80 % intervals, and what came, from `forecast_backtest`."""
    notes = [
        f"said on {say.date(day)}, 80%: {low:,.0f} to {high:,.0f}"
        for day, low, high in zip(past["as_of"].dt.date, past["low"], past["high"], strict=True)
    ]
    return c.Line(
        x=list(past["day"].dt.date),
        series=[
            c.Series(name="Forecast", y=c.values(past["forecast"]), is_dashed=True, notes=notes),
            c.Series(name="Came", y=c.values(past["actual"])),
        ],
        bands=[c.Band(low=c.values(past[f"low{one}"]), high=c.values(past[f"high{one}"])) for one in ("_95", "")],
        unit="money",
    )


def record_title(past: pd.DataFrame, months: int) -> str:
    """Return how many forecasts of one horizon held what came."""
    inside = int(past["is_inside"].sum())
    return f"{inside} of {say.plural(len(past), 'forecast')} {months} months ahead held what came"


def verdict(whole: pd.Series, fewest: int) -> str:
    """Return in one sentence what the record of all past forecasts is worth."""
    runs = int(whole["runs"])
    held = say.rate(whole["inside_80"], runs, minimum=fewest, digits=0)
    rivals = {
        "no change": whole["no_change_mape"],
        "last year's rate": whole["last_year_mape"],
        "the rate by health colour": whole["health_mape"],
    }
    told = ", ".join(f"{name} {say.number(error)}%" for name, error in rivals.items())
    return (
        f"Of {say.plural(runs, 'past forecast')} the 80% interval held {held}. The error was {say.number(whole['mape'])}% on "
        f"average (bias {whole['bias']:+.1f}%), against {told}: {whole['verdict']}."
    )


def hours(curve: pd.DataFrame) -> c.Line:
    """Return the ARR that the best list protects for each budget, from `what_would_it_take_by_hours`."""
    budget = float(curve.loc[curve["is_budget"], "hours"].iloc[0])
    series = [c.Series(name="Protected", y=c.values(curve["protected_arr"]))]
    marks = [c.Mark(label=f"{budget:g} hours", x=budget)]
    return c.Line(x=list(curve["hours"]), series=series, marks=marks, unit="money", x_title="Hours", from_zero=True)


def hours_title(curve: pd.DataFrame, currency: str) -> str:
    """Return what the curve says: what twice the hours would add."""
    now = float(curve.loc[curve["is_budget"], "protected_arr"].iloc[0])
    more = float(curve["protected_arr"].iloc[-1]) - now
    if more <= 0:
        return "More hours would protect nothing more"
    return f"Twice the hours would protect {say.money(more, currency)} more"


def what_if(months: pd.DataFrame) -> c.Line:
    """Return the two forecasts, the assumed one with its 80 % interval, from `forecast_what_if`."""
    return c.Line(
        x=list(months["month"].dt.date),
        series=[
            c.Series(name="As assumed", y=c.values(months["scenario_arr"])),
            c.Series(name="As things stand", y=c.values(months["base_arr"]), colour="grey", is_dashed=True),
        ],
        bands=[c.Band(low=c.values(months["scenario_low"]), high=c.values(months["scenario_high"]))],
        unit="money",
    )

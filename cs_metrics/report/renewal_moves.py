"""The sentences and pictures of the forecast ledger and of why the forecast moved, from the frames of their metrics."""

from typing import Any

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = ["CAUSES", "answer", "label", "ledger", "ledger_title", "waterfall"]

CAUSES = {
    "opening": "Forecast",
    "corrected": "Corrected",
    "new": "New in scope",
    "left": "Left scope",
    "won": "Closed won",
    "lost": "Closed lost",
    "slipped": "Slipped past its end",
    "amount": "Amount changed",
    "likelihood": "Likelihood",
    "closing": "Forecast",
}
_MOST_DRIVERS = 4
_REST = "Other drivers"


def label(cause: str, driver: str) -> str:
    """Return the name of a bar."""
    return f"{CAUSES[cause]}: {driver}" if driver else CAUSES[cause]


def answer(moves: pd.DataFrame, before: Any, after: Any, quarter: str, currency: str) -> str:
    """Say how the forecast moved, and its largest causes on either side."""
    opening, closing = (moves[moves["cause"] == one].iloc[0] for one in ("opening", "closing"))
    if not say.is_known(closing["amount"]) or not say.is_known(opening["amount"]):
        return f"No likelihood is known yet, so the forecast of {quarter} cannot be told."
    moved = closing["amount"] - opening["amount"]
    told = f"{say.money(closing['amount'], currency)} on {say.date(after)}, {say.money(opening['amount'], currency)} on {say.date(before)}"
    head = f"The forecast of {quarter} {'rose' if moved > 0 else 'fell' if moved < 0 else 'stood still'}: {told}."
    changes = moves[~moves["is_total"]].groupby("cause", sort=False)["amount"].sum()
    largest = changes[changes.abs().sort_values(ascending=False).index][:3]
    said = [f"{CAUSES[str(cause)].lower()} {_signed(amount, currency)}" for cause, amount in largest.items() if amount]
    return f"{head} Mostly: {', '.join(said)}." if said else head


def _signed(amount: float, currency: str) -> str:
    return f"{'+' if amount > 0 else '-'}{say.money(abs(amount), currency)}"


def waterfall(moves: pd.DataFrame, before: Any, after: Any) -> c.Waterfall:
    """Return the bars from the opening to the closing forecast; drivers beyond the largest stand together."""
    steps, rest, drawn = [], 0.0, 0
    rows: list[Any] = list(moves.itertuples())
    for row in rows:
        if row.cause == "likelihood" and row.driver and drawn >= _MOST_DRIVERS:
            rest += row.amount
            continue
        drawn += row.cause == "likelihood"
        if row.cause == "closing" and rest:
            steps.append(c.Step(label=_REST, value=rest))
        on = {"opening": f" {say.date(before)}", "closing": f" {say.date(after)}"}.get(str(row.cause), "")
        name = str(row.driver) if row.driver else f"{CAUSES[str(row.cause)]}{on}"
        note = say.plural(row.contracts, "contract")
        steps.append(
            c.Step(label=f"{name[0].upper()}{name[1:]}", value=row.amount, is_total=bool(row.is_total), note=note)
        )
    return c.Waterfall(steps=steps, unit="money", height=60 + 30 * len(steps))


def ledger(days: pd.DataFrame) -> c.Line:
    """Return the forecast of each day, and of it what was won already; the calls of the owners stand behind it."""
    series = [
        c.Series(name="Forecast", y=c.values(days["forecast_arr"]), colour="1"),
        c.Series(name="Won", y=c.values(days["won_arr"]), colour="green"),
        c.Series(name="Won and commit", y=c.values(days["won_arr"] + days["commit_arr"]), colour="2", is_dashed=True),
    ]
    shown = days["won_arr"] + days["shown_expected_arr"]
    context = [c.Series(name="As shown on the day", y=c.values(shown))] if shown.notna().any() else []
    return c.Line(x=list(days["day"].dt.date), series=series, context=context, unit="money", from_zero=True)


def ledger_title(days: pd.DataFrame, quarter: str, currency: str) -> str:
    """Return the message of the ledger."""
    now = days.iloc[-1]
    if not say.is_known(now["forecast_arr"]):
        return f"{quarter}: no likelihood is known yet"
    due, won = say.money(now["due_arr"], currency), say.money(now["won_arr"], currency)
    return f"{quarter}: {say.money(now['forecast_arr'], currency)} forecast of {due} due, {won} won"

"""The revenue forecast on the page Health: the book of the next twelve months, and what was said before."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cs_metrics.report import forecast as words
from cs_metrics.report import format as say
from cs_metrics.report import portfolio
from cs_metrics.ui import writing
from cs_metrics.ui.forecast_columns import MONTHS, PAST, PLANNED, RECORD, SEGMENTS
from cs_metrics.ui.shell import Page
from cs_metrics.workspace.entries import NewEntry

__all__ = ["draw_forecast"]

_NO_PAST = "No quarter's end has a year of history before it and a month after it: the forecast has no record yet."
_HORIZONS = {"3": "3 months", "6": "6 months", "9": "9 months", "12": "12 months"}


def draw_forecast(page: Page) -> None:
    """Draw the forecast with its intervals, the walk, the segments, and the record of past forecasts."""
    ahead = page.metric("forecast")
    if not ahead["opening"].iloc[0]:
        page.empty("None of these accounts has ARR on this day, so there is nothing to forecast.")
        return
    record = page.metric("forecast_record")
    page.note(words.verdict(record.iloc[0], page.config.min_accounts) if len(record) else _NO_PAST)
    left, right = page.columns(1, 1)
    with left:
        page.chart(
            portfolio.arr_fan(page.metric("retention_trend"), ahead),
            title=portfolio.arr_fan_title(ahead, page.currency),
            caption=f"ARR of today's customers, {page.currency}, with 50, 80 and 95% intervals",
            metric="forecast",
            key="forecast",
        )
    with right:
        page.chart(
            words.bridge(ahead),
            title=words.bridge_title(ahead, page.currency),
            caption=f"expected ARR over {len(ahead)} months, {page.currency}",
            metric="forecast",
            key="forecast_bridge",
        )
    _plan(page)
    _record(page)
    parts = page.metric("forecast_by_segment")
    last = parts.groupby("segment", sort=False).tail(1).copy()
    sums = parts.groupby("segment", sort=False)[["churn", "expansion"]].sum()
    last["opening"] = parts.groupby("segment", sort=False)["opening"].first().to_numpy()
    last[["churn", "expansion"]] = sums.to_numpy()
    page.table(
        last.assign(segment=last["segment"].replace("", "(none)")),
        SEGMENTS,
        title="By segment",
        caption=f"expected in {say.month(ahead['month'].iloc[-1])}; the amounts add up to the whole, the intervals do not",
        metric="forecast_by_segment",
        key="forecast_segments",
        opens=None,
    )
    planned = PLANNED if ahead["planned_new_arr"].notna().any() else {}
    page.table(
        ahead,
        {**MONTHS, **planned},
        title="Month by month",
        caption="opening + changes = closing, to the cent; new customers are not guessed",
        metric="forecast",
        key="forecast_months",
        opens=None,
    )


def _plan(page: Page) -> None:
    """Say that new customers are not in the forecast, and let a plan for them be set beside it."""
    ahead = page.metric("forecast")
    last = ahead.iloc[-1]
    has_plan = bool(ahead["planned_new_arr"].notna().any())
    page.note(
        f"New customers are not guessed. As planned, they would add {page.money(last['planned_new_arr'])} by "
        f"{say.month(last['month'])}: {page.money(last['with_plan'])} in all."
        if has_plan
        else "New customers are not guessed: no plan for them was set."
    )
    if page.scope.where or not writing.is_open(page):
        return
    if st.button("Set a plan for new customers", icon=":material/edit:", key="plan_set"):

        def fields() -> Mapping[str, Any]:
            amount = st.number_input("New ARR a month, as planned", min_value=0.0, step=1000.0, value=None)
            return {"new_arr_monthly": amount}

        writing.ask(page, "A plan for new customers", _planned, fields, button="Set")


def _planned(body: Mapping[str, Any], note: str) -> NewEntry:
    return NewEntry("plan", "", "set", note=note, body=body)


def _record(page: Page) -> None:
    """Draw what past forecasts said and what came, and how often they were right by horizon."""
    record = page.metric("forecast_record")
    if record.empty:
        page.empty(_NO_PAST, "What it said before, and what came")
        return
    fewest = page.config.min_accounts
    months = page.choose("ahead", "Looking ahead", _HORIZONS)
    past = page.metric("forecast_backtest")
    shown = past[past["horizon_months"] == int(months)]
    if shown.empty:
        page.empty(f"No forecast {months} months ahead can be judged yet.", "What it said before, and what came")
    else:
        page.chart(
            words.record(shown),
            title=words.record_title(shown, int(months)),
            caption="forecast as of each past quarter's end with 80 and 95% intervals, and the ARR of the same accounts",
            metric="forecast_backtest",
            key="forecast_record",
        )
    record["horizon"] = ["all" if one != one else f"{one:.0f}" for one in record["horizon_months"].astype("float64")]
    for level in (50, 80, 95):
        pairs = zip(record[f"inside_{level}"], record["runs"], strict=True)
        record[f"held_{level}"] = [say.rate(inside, runs, minimum=fewest, digits=0) for inside, runs in pairs]
    page.table(
        record,
        RECORD,
        title="The record by horizon",
        caption="mean size of the error beside three simple ways to forecast",
        metric="forecast_record",
        key="forecast_by_horizon",
        opens=None,
    )
    page.table(
        past[::-1],
        PAST,
        title="Every past forecast",
        caption="as of past quarter-ends",
        metric="forecast_backtest",
        key="forecast_backtest",
        opens=None,
    )

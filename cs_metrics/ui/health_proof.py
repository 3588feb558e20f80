"""The trial of the score on the page Health: what became of the accounts it called red, and which weights would do better."""

import pandas as pd
import streamlit as st

from cs_metrics.report import format as say
from cs_metrics.report import health_trial as draw
from cs_metrics.ui.health_columns import GROUPS_PROOF, PROOF, SUGGESTED
from cs_metrics.ui.shell import Page
from cs_metrics.ui.words import plain

__all__ = ["draw_proof", "draw_weights"]

_HORIZONS = {"90": "90 days", "60": "60 days", "120": "120 days", "180": "180 days"}
_WINDOWS = {"1": "The last window", "4": "The last 4, pooled", "8": "The last 8, pooled"}
_BY = {"segment": "By segment", "stage": "By stage", "csm": "By CSM"}


def draw_proof(page: Page) -> None:
    """Draw the back-test over the chosen horizon: by colour, by tenth, by group and by quarter."""
    with st.container(horizontal=True, gap="small"):
        days = page.choose("horizon", "Looking back", _HORIZONS)
        windows = page.choose("windows", "Windows", _WINDOWS)
        by = page.choose("proof_by", "Each", _BY, is_list=True)
    options = {"horizon_days": days, "snapshots": windows}
    rows = page.metric("health_backtest", horizon_days=days, snapshots=windows)
    verdict = str(rows["verdict"].iloc[0])
    if not rows["base_rate"].notna().any():
        page.empty(f"{verdict[:1].upper()}{verdict[1:]}.", title="The score cannot be judged yet")
        _counts(page, rows, options)
        return
    title = f"Not judged: {verdict}" if verdict.startswith("not enough") else f"The score {verdict}"
    page.section(title, _explained(rows, days))
    fewest = page.config.min_accounts
    left, right = page.columns(1, 1)
    with left:
        page.chart(
            draw.by_colour(rows, fewest),
            title=draw.colour_title(rows, fewest),
            caption=f"share that churned or shrank within {days} days, by health before{draw.base_words(rows)}",
            metric=("health_backtest", options),
            key="by_colour",
        )
    with right:
        tenths = page.metric("health_backtest_deciles", horizon_days=days, snapshots=windows)
        page.chart(
            draw.by_tenth(tenths, fewest),
            title=draw.tenth_title(tenths),
            caption=f"share that churned or shrank within {days} days, by score before{draw.base_words(tenths)}",
            metric=("health_backtest_deciles", options),
            key="by_tenth",
        )
    left, right = page.columns(1, 1)
    with left:
        _counts(page, rows, options)
    with right:
        past = page.metric("health_backtest_history", horizon_days=days)
        page.chart(
            draw.history(past),
            title=draw.history_title(past),
            caption=f"AUC at each quarter's end over {days} days, 95% interval",
            metric=("health_backtest_history", {"horizon_days": days}),
            key="proof_history",
        )
    page.table(
        draw.exact(page.metric("health_backtest_groups", horizon_days=days, snapshots=windows, by=by), "auc"),
        GROUPS_PROOF,
        title="Does it work for each?",
        caption="the same trial, group by group",
        metric=("health_backtest_groups", {**options, "by": by}),
        key="proof_groups",
        opens=None,
        empty="No customer had a score then.",
    )


def _explained(rows: pd.DataFrame, days: str) -> str:
    """Say whose outcomes these are, and what the score did not see."""
    first = rows.iloc[0]
    when = f"since {say.date(first.snapshot_day)}"
    if first.snapshots > 1:
        when = f"in {first.snapshots} windows of {days} days that follow each other, from {say.date(first.snapshot_day)} on"
    green = rows[rows["colour"] == "green"]["lost_arr_share"].iloc[0]
    missed = f"; {say.percent(green, 0)} of the lost ARR was green" if say.is_known(green) else ""
    return f"Lost {when}{missed}"


def _counts(page: Page, rows: pd.DataFrame, options: dict[str, str]) -> None:
    pairs = zip(rows["lost"], rows["accounts"], strict=True)
    rows["rate"] = [say.rate(lost, accounts, minimum=page.config.min_accounts) for lost, accounts in pairs]
    title = f"The customers of {say.date(rows['snapshot_day'].iloc[0])}"
    page.table(
        rows[rows["accounts"] > 0],
        PROOF,
        title=title if rows["snapshots"].iloc[0] == 1 else "The customers of all windows",
        caption="what became of them",
        metric=("health_backtest", options),
        key="proof",
        opens=None,
    )


def draw_weights(page: Page) -> None:
    """Draw the weights that the past suggests beside today's, what they would have gained, and the lines to paste."""
    found = page.metric("health_weights_suggested")
    if found.empty:
        page.empty("No quarter with losses is over yet, so the past suggests nothing.", title="Suggested weights")
        return
    names = {one: one or "All accounts" for one in found["segment"].unique()}
    segment = page.choose("weights_of", "For", {one or "all": words for one, words in names.items()}, is_list=True)
    rows = found[found["segment"] == ("" if segment == "all" else segment)]
    first = rows.iloc[0]
    judged = f"; judged by {say.plural(first.test_losses, 'later loss', 'later losses')}"
    page.chart(
        draw.weights(rows),
        title=draw.weights_title(rows),
        caption=f"learned by {say.date(first.trained_on)} from {say.plural(first.losses, 'loss', 'losses')}{judged}",
        metric="health_weights_suggested",
        key="suggested",
        note="A weight below 0 counts its dimension the other way round. Nothing is applied: the score stays as it is "
        "configured until somebody changes config.toml.",
    )
    page.table(
        draw.exact(
            found.drop_duplicates("segment").assign(segment=found["segment"].map(names)), "auc_today", "auc_suggested"
        ),
        SUGGESTED,
        title="What they would have gained on later outcomes",
        caption="each quarter scored by the weights known on its first day",
        metric="health_weights_suggested",
        key="gains",
        opens=None,
    )
    if first.toml:
        with st.expander(plain("The settings to paste into config.toml, if you decide to")):
            st.code(first.toml, language="toml")

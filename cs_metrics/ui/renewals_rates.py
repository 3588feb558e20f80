"""Renewal rates on the renewals page: by due period, how they develop, and as a product of three."""

from typing import Any

import pandas as pd

from cs_metrics.report import format as say
from cs_metrics.report import renewal_rates as words
from cs_metrics.ui.renewals_columns import COMPLETION, DUE, TREE
from cs_metrics.ui.shell import Page

__all__ = ["draw"]

_BY_ARR = [*words.RATES, "net_renewal_rate"]


def draw(page: Page) -> None:
    """Draw the renewal rates by due period, how young periods should develop, and the contracts behind them."""
    every = page.choose("every", "Period", {"quarter": "Quarters", "month": "Months"})
    asked: dict[str, Any] = {"every": every}
    found, cells = page.metric("renewal_rates", **asked), page.metric("renewal_triangle", **asked)
    done, pooled = page.metric("renewal_completion", **asked), page.metric("renewal_rates_pooled", **asked)
    fewest = page.config.min_accounts
    page.answer(words.answer(pooled.iloc[0], done, every, fewest))
    _figures(page, pooled, asked)
    found.loc[found["due"] < fewest, _BY_ARR] = None
    closed = found[found["is_closed"]]
    left, right = page.columns(1, 1)
    if closed["gross_renewal_rate"].notna().any():
        with left:
            page.chart(
                words.by_period(closed, every),
                title="Renewal rates by due period",
                caption="kept ARR ÷ expiring ARR, periods that have ended",
                metric=("renewal_rates", asked),
                key="rates",
            )
    if cells["share"].notna().any():
        with right:
            page.chart(
                words.lines(cells, every, fewest),
                title=words.lines_title(done, every),
                caption="share renewed by age; dashed: expected, 80% interval; grey: settled periods",
                metric=("renewal_completion", asked),
                key="completed",
            )
        page.chart(
            words.heatmap(cells, every, fewest),
            title="How the due periods develop",
            caption="kept ARR ÷ due ARR by months since the period's first day",
            metric=("renewal_triangle", asked),
            key="triangle",
        )
    _tables(page, every, asked, found, done)


def _figures(page: Page, pooled: pd.DataFrame, asked: dict[str, Any]) -> None:
    now, before = pooled.iloc[0], pooled.iloc[1]
    labels = {**words.RATES, "gross_renewal_rate": "Gross renewal rate", "net_renewal_rate": "Net renewal rate"}
    about: dict[str, Any] = {"whole": now["due"], "noun": "due contract", "metric": ("renewal_rates_pooled", asked)}
    since = f"{say.plural(before['periods'], 'period')} before" if before["periods"] else ""
    reason = "" if now["periods"] else "no period has ended"
    page.figures(
        [
            page.figure(
                label, now[one], "percent", before=before[one] if since else None, since=since, reason=reason, **about
            )
            for one, label in labels.items()
        ]
    )


def _tables(page: Page, every: Any, asked: dict[str, Any], found: pd.DataFrame, done: pd.DataFrame) -> None:
    fewest = page.config.min_accounts
    done.loc[done["due"] < fewest, ["share", "final_share", "low", "high"]] = None
    tree = page.metric("renewal_tree", **asked).merge(found[["period", "due"]], on="period")
    tree.loc[tree["due"] < fewest, ["resolution", "close", "conversion", "net_renewal_rate"]] = None
    shown = [one.assign(period=[say.period(day, every) for day in one["period"]])[::-1] for one in (found, done, tree)]
    page.table(
        shown[0],
        DUE,
        title="Contracts by due period",
        caption=f"the list is frozen on the first day; rates by ARR, blank while a period runs and below {fewest} contracts",
        metric=("renewal_rates", asked),
        key="due",
        opens=None,
    )
    left, right = page.columns(1, 1)
    with left:
        page.table(
            shown[1],
            COMPLETION,
            title="What each period should come to",
            caption="young periods completed from older ones",
            metric=("renewal_completion", asked),
            key="completion",
            opens=None,
        )
    with right:
        page.table(
            shown[2],
            TREE,
            title="Resolution × close × conversion",
            caption="their product is the net renewal rate, by ARR",
            metric=("renewal_tree", asked),
            key="tree",
            opens=None,
        )

"""Renewal rates on the renewals page: by due period, as a picture and as counts."""

from typing import Any

from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.ui.renewals_columns import DUE
from cs_metrics.ui.shell import Page

__all__ = ["draw"]

_RATES = {"on_time_rate": "On time", "in_period_rate": "In period", "gross_renewal_rate": "Final, gross"}


def draw(page: Page) -> None:
    """Draw the renewal rates by due period, and the contracts behind them."""
    fewest = page.config.min_accounts
    every: Any = page.choose("every", "Period", {"quarter": "Quarters", "month": "Months"})
    found, asked = page.metric("renewal_rates", every=every), ("renewal_rates", {"every": every})
    found.loc[found["due"] < fewest, [*_RATES, "net_renewal_rate"]] = None
    found["period"] = [say.period(day, every) for day in found["period"].dt.date]
    closed = found[found["is_closed"]]
    notes = [f"{one.final} of {one.due} contracts renewed" for one in closed.itertuples()]
    if closed["gross_renewal_rate"].notna().any():
        series = [c.Series(name=word, y=c.values(closed[one]), notes=notes) for one, word in _RATES.items()]
        page.chart(
            c.Line(x=list(closed["period"]), series=series, unit="percent"),
            title="Renewal rates by due period",
            caption="kept ARR ÷ expiring ARR, periods that have ended",
            metric=asked,
            key="rates",
        )
    page.table(
        found[::-1],
        DUE,
        title="Contracts by due period",
        caption=f"rates by ARR; blank while a period runs, and below {fewest} contracts",
        metric=[asked, ("renewal_tree", {"every": every})],
        key="due",
        opens=None,
    )

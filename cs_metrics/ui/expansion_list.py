"""The first screen of the Expansion page: the answer, the figures, the kinds, and the list to work from."""

from typing import Any

import pandas as pd

from cs_metrics.metrics.expansion_totals import headline, summed
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.ui import expansion_desk, link
from cs_metrics.ui.expansion_columns import OFFERS
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.shell import Page

__all__ = ["SHOWN", "draw"]

SHOWN = {"all": "All", "ready": "Ready", "waiting": "Held back", "aside": "Put aside"}


def draw(page: Page) -> None:
    """Draw the answer and the opportunities, with the desk of the chosen one below the list."""
    rows, kinds = page.metric("expansion"), page.metric("expansion_kinds")
    totals = summed(rows, kinds)
    now: Any = totals.set_index("kind").loc["total"]
    leads: Any = totals.set_index("kind").loc["sponsor"]
    page.answer(headline(totals, page.money))
    ready, held = (say.plural(count, "opportunity", "opportunities") for count in (now.ready, now.blocked))
    figures = {
        "Ready now": (page.money(now.ready_arr), ready),
        "Expected of the ready": (page.money(now.ready_expected_arr), "× likelihood, once a deal is opened"),
        "Held back": (page.money(now.blocked_arr), held),
        "Leads elsewhere": (page.money(leads.arr), f"{say.plural(leads.offers, 'sponsor')} moved; not in the sums"),
    }
    page.figures(
        [Figure(label=one, value=its[0], note=its[1], metric="expansion_totals") for one, its in figures.items()]
    )
    here = totals[~totals.kind.isin(["sponsor", "total"]) & (totals.offers > 0)]
    if len(here):
        parts: list[tuple[str, pd.Series, c.Colour]] = [
            ("Ready", here.ready_arr, "1"),
            ("Held back", here.blocked_arr, "grey"),
        ]
        series = [c.Series(name=name, y=c.values(column), colour=role) for name, column, role in parts]
        page.chart(
            c.Bars(x=list(here.name), series=series, unit="money", is_stacked=True, shows_values=False, height=220),
            title=f"{page.money(now.ready_arr)} of {page.money(now.arr)} could be sold now",
            caption="Estimated ARR by kind of opportunity",
            metric="expansion_totals",
            key="kinds",
        )
    _list(page)


def _list(page: Page) -> None:
    shown = page.choices["show"]
    options: dict[str, Any] = {"shown": "aside"} if shown == "aside" else {}
    rows = page.metric("expansion", **options)
    if shown in ("ready", "waiting"):
        rows = rows[rows.is_ready == (shown == "ready")].reset_index(drop=True)
    rows["place"] = rows["account_id"] + "|" + rows["subject"]
    empty = "Nothing is put off or dismissed." if shown == "aside" else "No rows for these filters."
    chosen = page.table(
        rows,
        OFFERS,
        title="Put off and dismissed" if shown == "aside" else "Opportunities",
        caption="Ready ones first, by expected ARR",
        metric=("expansion", options),
        key="offers",
        rows=10,
        picks="place",
        empty=empty,
    )
    place = link.kept("deal", chosen, list(rows["place"]))
    if place:
        expansion_desk.draw(page, rows[rows["place"] == place].iloc[0])

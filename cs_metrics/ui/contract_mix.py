"""Contract mix on the renewals page: months to recover the acquisition cost, season leavers, churn by calendar month."""

from typing import Any

import streamlit as st

from cs_metrics.report import contract_mix as words
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col

__all__ = ["draw"]

_COHORTS = {"year": "By year of start", "quarter": "By quarter"}
_MEASURES = {"account_rate": "Accounts", "mrr_rate": "MRR"}
_PAYBACK = {
    "start": Col(label="Started in"),
    "billing": Col(label="Billing", width=130),
    "accounts": Col(label="Accounts", kind="count"),
    "median_months": Col(label="Half paid back, months", kind="number", help="Blank: not reached"),
    "within_12_months": Col(label="Within 12 months", kind="percent"),
    "within_24_months": Col(label="Within 24 months", kind="percent"),
    "recovered": Col(label="Paid back", kind="count"),
    "lost_before": Col(label="Lost before", kind="count", help="They never will"),
    "waiting": Col(label="Not yet", kind="count"),
    "acquisition_cost": Col(label="Cost to win", kind="money"),
    "margin": Col(label="Brought", kind="money", help="Gross margin so far"),
    "net": Col(label="Net", kind="money"),
}
_LEAVERS = {
    "billing": Col(label="Billing", width=120),
    "standing": Col(label="Standing", width=150),
    "accounts": Col(label="Accounts", kind="count", width=76),
    "net_per_account": Col(label="Net each", kind="money", help="Gross margin so far less cost to win, per account"),
    "net": Col(label="Net", kind="money"),
    "acquisition_cost": Col(label="Cost to win", kind="money"),
    "margin": Col(label="Brought", kind="money"),
    "paid_back": Col(label="Paid back", kind="count"),
}


def draw(page: Page) -> None:
    """Draw what customers bring against what they cost, by billing, and when they leave."""
    with page.guard():
        _payback(page)
    with page.guard():
        _season(page)


def _payback(page: Page) -> None:
    minimum = page.config.min_accounts
    margin: dict[str, Any] = {"gross_margin": _margin(page)}
    whole = page.metric("acquisition_payback", cohort="all", **margin)
    if whole["with_cost"].sum() == 0:
        page.empty(
            "No account has a known acquisition cost: accounts.acquisition_cost.", title="Months to recover the cost"
        )
        return
    leavers = page.metric("season_leavers", **margin)
    page.note(words.leavers_sentence(leavers, page.currency, minimum))
    left, right = page.columns(1, 1)
    with left:
        page.chart(
            words.curves(page.metric("payback_curves", **margin), minimum),
            title=words.curves_title(whole, minimum),
            caption="share of accounts whose gross margin has reached their acquisition cost; those lost before never will",
            metric=[("payback_curves", margin), ("acquisition_payback", {"cohort": "all", **margin})],
            key="payback",
        )
    with right:
        shown = leavers.assign(
            billing=leavers["billing"].map(words.BILLINGS), standing=leavers["standing"].map(words.STANDINGS)
        )
        page.table(
            shown,
            _LEAVERS,
            title=words.leavers_title(leavers, page.currency),
            caption=f"season: {page.config.contract_mix.season_months} months from the first payment",
            metric=("season_leavers", margin),
            key="leavers",
            opens=None,
            rows=9,
        )
    cohort = page.choose("mix_cohort", "Cohort", _COHORTS)
    asked = {"cohort": cohort, **margin}
    page.table(
        words.cohort_rows(page.metric("acquisition_payback", **asked), cohort, minimum),
        _PAYBACK,
        title="Payback by start and billing",
        caption=f"Kaplan-Meier; shares and medians blank below {minimum} accounts",
        metric=("acquisition_payback", asked),
        key="payback_cohorts",
        opens=None,
    )


def _margin(page: Page) -> float:
    """Draw the box of the gross margin and return it as a share."""
    given = st.number_input(
        "Gross margin, in percent",
        min_value=1.0,
        max_value=100.0,
        value=100 * page.config.contract_mix.gross_margin,
        step=1.0,
        format="%.0f",
        key="mix_margin",
        width=200,
    )
    return given / 100


def _season(page: Page) -> None:
    minimum = page.config.min_accounts
    pooled = page.metric("churn_seasonality")
    if pooled.empty:
        page.empty("No complete month with customers at its beginning.", title="Churn by calendar month")
        return
    present = {one: word for one, word in words.BILLINGS.items() if (pooled["billing"] == one).any()}
    with st.container(horizontal=True, gap="small"):
        billing = page.choose(
            "mix_billing", "Billing", {one or "none": word for one, word in present.items()}, "all", is_list=True
        )
        measure = page.choose("mix_measure", "Measure", _MEASURES)
    billing = "" if billing == "none" else billing
    left, right = page.columns(2, 3)
    with left:
        page.chart(
            words.season_bars(pooled, measure, billing, minimum),
            title=words.season_title(pooled, measure, billing, minimum),
            caption=f"{words.BILLINGS[billing].lower()} payers lost ÷ opening book, the same month of all years",
            metric="churn_seasonality",
            key="season",
        )
    with right:
        every: dict[str, Any] = {"every": "month"}
        page.chart(
            words.heatmap(page.metric("churn_seasonality", **every), measure, billing, minimum),
            title="The same, year by year",
            caption=f"counts where a month opened with fewer than {minimum} accounts",
            metric=("churn_seasonality", every),
            key="season_years",
        )

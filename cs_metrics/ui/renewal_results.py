"""Wins and losses on the renewals page: reasons, rivals, discount and term, and what the records lack."""

from typing import Any

from cs_metrics.report import renewal_results as words
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col

__all__ = ["draw"]

_EVERY = {"quarter": "Quarters", "year": "Years"}
_BY = {
    "all": "All together",
    "segment": "By segment",
    "region": "By region",
    "industry": "By industry",
    "csm": "By CSM",
    "owner": "By owner",
}
_PERIODS = {"all": "All time", "year": "By year", "quarter": "By quarter"}
_REASONS = {
    "period": Col(label="Due in"),
    "group": Col(label="Group"),
    "outcome": Col(label="Outcome"),
    "reason": Col(label="Reason", width=180),
    "contracts": Col(label="Contracts", kind="count"),
    "arr": Col(label="ARR", kind="money"),
    "share": Col(label="Share", kind="percent", help="Of the same group, period and outcome"),
    "share_arr": Col(label="Share of ARR", kind="percent"),
}
_RIVALS = {
    "period": Col(label="Due in"),
    "group": Col(label="Group"),
    "competitor": Col(label="Competitor", width=160),
    "losses": Col(label="Lost to it", kind="count"),
    "lost_arr": Col(label="ARR lost", kind="money"),
    "share_of_losses": Col(label="Of losses", kind="percent"),
    "share_of_lost_arr": Col(label="Of lost ARR", kind="percent"),
    "wins": Col(label="Won against it", kind="count"),
    "won_arr": Col(label="ARR won", kind="money"),
    "last_on": Col(label="Last named", kind="date"),
}
_TERMS = {
    "period": Col(label="Due in"),
    "group": Col(label="Group"),
    "wins": Col(label="Won", kind="count"),
    "booked_arr": Col(label="New ARR", kind="money"),
    "discounted": Col(label="With discount", kind="count"),
    "discount_rate": Col(
        label="Mean discount", kind="percent", help="Weighted by ARR, over those whose discount is recorded"
    ),
    "discount_arr": Col(label="Given a year", kind="money"),
    "expanded_arr": Col(label="Added at renewal", kind="money"),
    "reduced_arr": Col(label="Reduced", kind="money"),
    "multi_year": Col(label="Several years", kind="count"),
    "multi_year_arr": Col(label="Several years, ARR", kind="money"),
    "mean_term_months": Col(label="Mean term, months", kind="number"),
}
_RECORDS = {
    "name": Col(label="Account", is_pinned=True),
    "missing": Col(label="Missing", kind="tags", width=240),
    "ends_on": Col(label="Ended", kind="date"),
    "outcome": Col(label="Outcome"),
    "reason": Col(label="Reason"),
    "arr": Col(label="ARR", kind="money"),
    "owner": Col(label="Owner"),
    "segment": Col(label="Segment"),
    "decided_on": Col(label="Decided", kind="date"),
    "competitor": Col(label="Competitor"),
    "discount_percent": Col(label="Discount, %", kind="number"),
    "term_months": Col(label="Term, months", kind="count"),
    "contract_id": Col(label="Contract"),
}
_WORDS = {"renewed": "won", "churned": "lost"}


def draw(page: Page) -> None:
    """Draw what came of renewals, and why."""
    minimum = page.config.min_accounts
    whole = page.metric("win_loss", every="all")
    if whole.empty:
        page.empty("No contract was decided by this day.", title="Wins and losses")
        return
    every = page.choose("results_every", "Period", _EVERY)
    page.chart(
        words.outcomes(page.metric("win_loss", every=every), every),
        title=words.outcomes_title(whole.iloc[0], minimum),
        caption="decided contracts by the period in which they were due",
        metric=("win_loss", {"every": every}),
        key="win_loss",
    )
    reasons = page.metric("win_loss_reasons")
    for area, outcome in zip(page.columns(1, 1), ("churned", "renewed"), strict=True):
        with area:
            page.chart(
                words.reason_bars(reasons, outcome),
                title=words.reasons_title(reasons, outcome, minimum),
                caption=f"contracts {_WORDS[outcome]}, by the reason that was recorded",
                metric="win_loss_reasons",
                key=f"reasons_{outcome}",
            )
    _details(page, minimum)
    _records(page)


def _details(page: Page, minimum: int) -> None:
    """Draw the rows behind, by a group and a period of the reader's choice."""
    left, right = page.columns(1, 1)
    with left:
        by = page.choose(
            "results_by", "Group", {one: word for one, word in _BY.items() if _has(page, one)}, is_list=True
        )
    with right:
        span = page.choose("results_span", "Period", _PERIODS)
    asked: dict[str, Any] = {"by": by, "every": span}
    hidden = {*(["period"] if span == "all" else []), *(["group"] if by == "all" else [])}
    rivals = words.competitor_rows(page.metric("competitors", **asked), minimum)
    terms = page.metric("won_terms", **asked)
    reasons = words.hide_small(
        page.metric("win_loss_reasons", **asked), "of_contracts", ["share", "share_arr"], minimum
    )
    reasons["outcome"] = reasons["outcome"].map(_WORDS)
    for title, found, columns, name in (
        (words.competitors_title(rivals), rivals, _RIVALS, "competitors"),
        (
            words.terms_title(terms, page.currency),
            words.hide_small(terms, "discount_known", ["discount_rate"], minimum),
            _TERMS,
            "won_terms",
        ),
        ("Every reason", reasons, _REASONS, "win_loss_reasons"),
    ):
        page.table(
            words.with_periods(found, span),
            {key: col for key, col in columns.items() if key not in hidden},
            title=title,
            caption=f"shares blank below {minimum} decisions",
            metric=(name, asked),
            key=f"results_{name}",
            opens=None,
            empty="Nothing for these filters.",
        )


def _has(page: Page, column: str) -> bool:
    return column in ("all", "owner") or column in page.store.account_columns


def _records(page: Page) -> None:
    page.table(
        page.metric("renewal_records"),
        _RECORDS,
        title=words.records_title(page.metric("record_completeness")),
        caption="outcome, day, reason, competitor, discount, term and new amount of closed renewals",
        metric=["renewal_records", "record_completeness"],
        key="records",
        empty="Every closed renewal says all that it must.",
    )

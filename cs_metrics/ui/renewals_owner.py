"""Model or owner, on the renewals page: where they differ in money, and who was right so far."""

from typing import Any

from cs_metrics.report import format as say
from cs_metrics.report import renewal_owner as words
from cs_metrics.report.renewals import CATEGORIES
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.renewals_columns import CALL_RATES, DISAGREEMENT, RECORD
from cs_metrics.ui.shell import Page

__all__ = ["draw"]

_UNDATED = (
    "Imported calls carry no day: they may have been given when the outcome was known. Give calls on the desk of a contract, "
    "and the record will say who was right."
)


def draw(page: Page) -> None:
    """Draw the contracts on which owner and model differ most, then the record of both."""
    days = page.choices["days"]
    rows, asked = page.metric("renewal_disagreement", days=days), ("renewal_disagreement", {"days": days})
    page.answer(words.answer(rows, f"the next {say.plural(int(days), 'day')}", page.currency))
    figures = {
        "Owners expect": page.money(rows["owner_arr"].sum()),
        "Model expects": page.money(rows["model_arr"].sum()),
        "Owner hopes for more": page.money(rows.loc[rows["gap_arr"] > 0, "gap_arr"].sum()),
        "Model hopes for more": page.money(-rows.loc[rows["gap_arr"] < 0, "gap_arr"].sum()),
    }
    if len(rows):
        page.figures([Figure(label=one, value=value, metric=asked) for one, value in figures.items()])
    page.table(
        rows.assign(call=rows["owner_call"].map(CATEGORIES)),
        DISAGREEMENT,
        title="Where owner and model differ most",
        caption="by money; overdue contracts included",
        metric=asked,
        key="disagreement",
        empty="No contract of the pipeline has both an owner's call and a likelihood.",
    )
    _record(page)


def _record(page: Page) -> None:
    record, rates = page.metric("renewal_call_record"), page.metric("renewal_call_rates")
    if record.empty:
        page.empty("No contract with an owner's call has been decided yet.", title="Who was right")
        return
    basis = str(record["basis"].iloc[0])
    left, right = page.columns(1, 1)
    pictures: list[tuple[Any, Any, str, str, str]] = [
        (left, words.shares(rates, "All owners", basis), "How often each call came true", f"calls {basis}, 95% interval", "renewal_call_rates"),
        (right, words.gains(record, basis), "Owner against model, on the same contracts", f"right of 0 the owner was nearer; calls {basis}, 95% interval", "renewal_call_record"),
    ]  # fmt: skip
    for area, drawn, title, caption, metric in pictures:
        if drawn is not None:
            with area:
                page.chart(drawn, title=title, caption=caption, metric=metric, key=metric)
    if record["basis"].ne("written here").any():
        page.note(_UNDATED)
    judged = f"as called {page.config.renewals.call_judged_days} days before the end, or before an earlier decision"
    page.table(
        record.round({"owner_brier": 3, "model_brier": 3}),
        RECORD,
        title=words.record_title(record),
        caption=judged,
        metric="renewal_call_record",
        key="record",
        opens=None,
    )
    page.table(
        rates.assign(call=rates["call"].map(CATEGORIES)),
        CALL_RATES,
        title="How often the calls of each owner came true",
        caption=f"no rate over fewer than {page.config.renewals.call_record_min} decided calls",
        metric="renewal_call_rates",
        key="call_rates",
        opens=None,
    )

"""Why the forecast moved, on the renewals page: the ledger of a due quarter, and the bars between two days."""

from typing import Any

from cs_metrics import periods
from cs_metrics.report import format as say
from cs_metrics.report import renewal_moves as words
from cs_metrics.ui.renewals_columns import LEDGER, MOVES
from cs_metrics.ui.shell import Page

__all__ = ["draw"]

_SINCE = {"7": "7 days", "28": "28 days", "91": "91 days"}
_ALL = "all"


def draw(page: Page) -> None:
    """Draw why the forecast of a due quarter moved, the contracts behind it, and the forecast of each week."""
    this = periods.quarter_start(page.as_of)
    quarters = {str(day): say.quarter(day) for day in (periods.add_months(this, 3 * at) for at in (0, 1, -1, -2))}
    left, right = page.columns(1, 1)
    with left:
        due = page.choose("due", "Due in", quarters, default=str(this), width=360)
    with right:
        since = page.choose("since", "Since", _SINCE, default="28", width=360)
    before, quarter = periods.add_days(page.as_of, -int(since)), quarters[due]
    about: dict[str, Any] = {"due": due, "from_": str(before)}
    asked = {"due": due, "from": str(before)}
    moves = page.metric("renewal_moves", **about)
    page.answer(words.answer(moves, before, page.as_of, quarter, page.currency))
    if moves["amount"].isna().any():
        page.empty("Once past renewals are decided, each of them teaches a likelihood.", title="Why did it move")
        return
    opening = moves["note"].iloc[0] or "as today's data knows that day"
    page.chart(
        words.waterfall(moves, before, page.as_of),
        title=f"Why the forecast of {quarter} moved",
        caption=f"won and expected ARR; opening {opening}",
        metric=("renewal_moves", asked),
        key="moves",
    )
    _rows(page, about, asked, quarter)
    days = page.metric("renewal_ledger", due=due)
    page.chart(
        words.ledger(days),
        title=words.ledger_title(days, quarter, page.currency),
        caption="each Sunday as known then; an imported call counts as it stands now",
        metric=("renewal_ledger", {"due": due}),
        key="ledger",
    )
    page.table(
        days[::-1],
        LEDGER,
        title="The forecast ledger",
        caption="what the forecast was on each day",
        metric=("renewal_ledger", {"due": due}),
        key="ledger_rows",
        opens=None,
    )


def _rows(page: Page, about: dict[str, Any], asked: dict[str, Any], quarter: str) -> None:
    rows = page.metric("renewal_moves_rows", **about)
    rows["bar"] = [words.label(str(cause), str(of)) for cause, of in zip(rows["cause"], rows["driver"], strict=True)]
    bars = {one: one for one in dict.fromkeys(sorted(rows["bar"]))}
    bar = page.choose("bar", "Cause", {_ALL: "Every cause", **bars}, is_list=True, width=320)
    page.table(
        rows if bar == _ALL else rows[rows["bar"] == bar],
        MOVES,
        title="The contracts behind it",
        caption="largest change first",
        metric=("renewal_moves_rows", asked),
        key="moves_rows",
        empty=f"Nothing about the contracts due in {quarter} changed.",
    )

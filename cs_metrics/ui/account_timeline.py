"""The timeline of one account: filters by kind, period and words, and one page of entries at a time."""

from typing import Any

import streamlit as st

from cs_metrics import periods
from cs_metrics.metrics.timeline import KINDS
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.ui import link
from cs_metrics.ui.account_columns import TIMELINE
from cs_metrics.ui.shell import Page

__all__ = ["draw"]

_SHOWN, _LEAST_WEEKS = 50, 3
_PERIODS = {"90": "90 days", "365": "12 months", "": "All time"}


def draw(page: Page, account_id: str) -> None:
    """Draw the filters, the use by week of the period, and the entries."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="timeline_filters"):
        kinds = _kinds()
        days = page.choose("span", "Period", {**_PERIODS}, default="365")
        with st.container(width=260):
            text = page.search("words", "Words")
    options: dict[str, Any] = {"account_id": account_id, "kind": tuple(kinds), "text": text}
    if days:
        options["from"] = periods.add_days(page.as_of, -int(days))
    with page.guard():
        _use(page, account_id, int(days) if days else 0)
    widget = f"entries_{hash((account_id, tuple(kinds), days, text))}"  # another question begins at its first page
    options.update(limit=_SHOWN, offset=_SHOWN * (st.session_state.get(widget, 1) - 1))
    rows = page.metric("account_timeline", **options)
    total = int(rows["total"].iloc[0]) if len(rows) else 0
    rows["kind"] = rows["kind"].map(KINDS)
    listed = "" if kinds else "; the use of each week is a kind of its own"
    caption = f"{say.plural(total, 'entry', 'entries')}, the newest first{listed}"
    empty = "Nothing of this kind, with these words, in this period is known up to this day."
    page.table(
        rows,
        TIMELINE,
        title="What happened",
        caption=caption,
        metric=("account_timeline", options),
        key="timeline",
        rows=18,
        opens=None,
        empty=empty,
    )
    if total > _SHOWN:
        st.pagination(-(-total // _SHOWN), key=widget)


def _kinds() -> list[str]:
    widget = link.read("kind", lambda given: [one for one in dict.fromkeys(given) if one in KINDS])
    chosen = st.multiselect(
        "Kinds",
        list(KINDS),
        key=widget,
        format_func=lambda one: KINDS[one],
        placeholder="All kinds",
        label_visibility="collapsed",
        width=320,
        on_change=link.touch,
    )
    link.write("kind", chosen)
    return chosen


def _use(page: Page, account_id: str, days: int) -> None:
    weeks = max(2, days // 7) if days else 520
    options: dict[str, Any] = {"account_id": account_id, "weeks": weeks}
    rows = page.metric("account_usage", **options)
    if len(rows) < _LEAST_WEEKS or not rows["times"].any():
        return
    by_users = rows["active_users"].notna().all()
    name, values = ("Active users", rows["active_users"]) if by_users else ("Uses", rows["times"])
    caption = "Known users active in the week" if by_users else "Uses in the week; no user is named"
    drawn = c.Line(
        x=list(rows["week"].dt.date),
        series=[c.Series(name=name, y=c.values(values))],
        unit="count",
        from_zero=True,
        height=200,
    )
    page.chart(drawn, title="Use by week", caption=caption, metric=("account_usage", options), key="usage")

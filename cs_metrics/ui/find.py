"""Finding an account by name from every page: a box in the sidebar that answers while one types."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from cs_metrics.errors import CsMetricsError
from cs_metrics.metrics.one_account import each
from cs_metrics.metrics.scope import EVERYTHING
from cs_metrics.report import format as say
from cs_metrics.ui import navigation
from cs_metrics.ui.words import plain

if TYPE_CHECKING:
    from cs_metrics.ui.shell import Page

__all__ = ["draw"]

_SHOWN, _LEAST = 8, 2


@st.fragment
def draw(page: "Page") -> None:
    """Draw the box; what is typed is looked for in all accounts, whatever the filters, and each hit is a link."""
    typed = st.text_input(
        "Find an account",
        key=f"find_{page.param('account')}",  # another account: an empty box
        placeholder="Find an account",
        label_visibility="collapsed",
        icon=":material/search:",
        type="search",
        live="200ms",
    )
    text = (typed or "").strip()
    if len(text) < _LEAST:
        return
    try:
        found = page.metric("account_search", scope=EVERYTHING, text=text, limit=_SHOWN)
    except CsMetricsError as error:
        st.caption(plain(str(error)))
        return
    if found.empty:
        st.caption(f"No account is called like “{plain(text)}” on {say.date(page.as_of)}.")
        return
    if not found["is_match"].iloc[0]:
        st.caption("No name holds this. Did you mean:")
    with st.container(key="found", gap=None):
        for one in each(found):
            navigation.account_link(str(one.account_id), page.carried, label=_label(page, one), icon=None)
    more = int(found["total"].iloc[0]) - len(found)
    if more > 0:
        st.caption(f"and {say.count(more)} more: type on")


def _label(page: "Page", one: Any) -> str:
    worth = page.money(one.arr) if one.arr else "no customer"
    return f"{plain(one.name)} :small[:gray[{plain(worth)}]]"

"""The pages of the product, their groups and the links between them; links keep the filters."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

__all__ = ["PAGES", "PageLink", "account_link", "back_link", "choose", "draw", "open_account", "pages"]

ROOT = Path(__file__).resolve().parent.parent.parent
_LINKS = "_links"


@dataclass(frozen=True, kw_only=True)
class PageLink:
    """One page: its name in the URL, its words, its icon and the group it stands in."""

    path: str
    title: str
    icon: str
    group: str

    @property
    def file(self) -> Path:
        """The script of the page."""
        return ROOT / "pages" / f"{self.path}.py"


PAGES = (
    PageLink(path="overview", title="Overview", icon=":material/monitoring:", group="Portfolio"),
    PageLink(path="onboarding", title="Onboarding", icon=":material/flag:", group="Portfolio"),
    PageLink(path="health", title="Health", icon=":material/favorite:", group="Portfolio"),
    PageLink(path="renewals", title="Renewals", icon=":material/event_repeat:", group="Portfolio"),
    PageLink(path="expansion", title="Expansion", icon=":material/trending_up:", group="Portfolio"),
    PageLink(path="account", title="Account", icon=":material/domain:", group="Accounts"),
    PageLink(path="data", title="Data", icon=":material/database:", group="Trust"),
    PageLink(path="definitions", title="Definitions", icon=":material/menu_book:", group="Trust"),
)


def pages() -> dict[str, list[st.Page]]:
    """Return the pages for `st.navigation`, by group.

    The first answers at "/" and, for links that name it, at its own path too.
    """
    found: dict[str, list[st.Page]] = {}
    for one in PAGES:
        if not one.file.exists():
            continue
        if one is PAGES[0]:
            found[one.group] = [st.Page(one.file, title=one.title, icon=one.icon, url_path="home", default=True)]
        visibility: Literal["visible", "hidden"] = "hidden" if one is PAGES[0] else "visible"
        page = st.Page(one.file, title=one.title, icon=one.icon, url_path=one.path, visibility=visibility)
        found.setdefault(one.group, []).append(page)
    return found


def choose(found: dict[str, list[st.Page]]) -> st.Page:
    """Return the page that was asked for, and remember how each page is linked from it."""
    chosen = st.navigation(found, position="hidden")
    links = {page.url_path: page for group in found.values() for page in group}
    links[PAGES[0].path] = chosen if chosen.url_path == PAGES[0].path else links[""]
    st.session_state[_LINKS] = links
    return chosen


def draw(carried: dict[str, Any], about: str = "") -> Any:
    """Draw the links in the sidebar; each takes the filters along. `about` says below what the data is.

    Returns the area above the links.
    """
    links = st.session_state.get(_LINKS, {})
    group = ""
    top = st.sidebar.container(key="top", gap="xsmall")
    with st.sidebar.container(key="links", gap=None):
        for one in PAGES:
            if one.path not in links:
                continue
            if one.group != group:
                group = one.group
                st.caption(group)
            st.page_link(links[one.path], label=one.title, icon=one.icon, query_params=carried, width="stretch")
    st.sidebar.container(key="about").caption(about)
    return top


def open_account(account_id: str, carried: dict[str, Any], came_from: str = "") -> None:
    """Go to the page of one account; `came_from` names the list whose next and previous accounts it then leads to."""
    page = st.session_state.get(_LINKS, {}).get("account")
    if page is not None:
        st.switch_page(page, query_params=_account_query(account_id, carried, came_from))


def account_link(
    account_id: str,
    carried: dict[str, Any],
    *,
    label: str = "Open the account",
    icon: str | None = ":material/open_in_new:",
    came_from: str = "",
) -> None:
    """Draw the link to the page of one account."""
    page = st.session_state.get(_LINKS, {}).get("account")
    if page is not None:
        st.page_link(page, label=label, icon=icon, query_params=_account_query(account_id, carried, came_from))


def back_link(title: str, carried: dict[str, Any]) -> None:
    """Draw the link back to the page of that title, where there is one."""
    path = next((one.path for one in PAGES if one.title == title), "")
    page = st.session_state.get(_LINKS, {}).get(path)
    if page is not None and path != "account":
        st.page_link(page, label=f"Back to {title}", icon=":material/arrow_back:", query_params=carried)


def _account_query(account_id: str, carried: dict[str, Any], came_from: str) -> dict[str, Any]:
    return {**carried, "account": account_id, **({"list": came_from} if came_from else {})}

"""The way through a list, account by account: which list one came from, where one stands in it, and who comes next.

The URL names the list by how it was asked, not by its rows: the metric, its options, which of its rows were shown and
for which accounts. So a link stays short, and an account that leaves the list leaves the way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pandas as pd
import streamlit as st

from cs_metrics.errors import CsMetricsError
from cs_metrics.metrics import find
from cs_metrics.metrics.scope import Scope
from cs_metrics.report import format as say
from cs_metrics.ui import link, navigation
from cs_metrics.ui.filters import COLUMNS
from cs_metrics.ui.words import Asked, each, plain

if TYPE_CHECKING:
    from cs_metrics.ui.shell import Page

__all__ = ["KEY", "Listed", "came_from", "draw", "order", "shown"]

KEY = "list"
_MARKS = _OPTION, _ROWS, _SCOPE = "o.", "is.", "of."
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A list as it was asked: the metric, its options, the rows of it that were shown, and columns of accounts.

    `rows` are (column, value): of the metric's rows those with that value. `scope` holds only the columns that no
    other part of the URL carries.
    """

    metric: str
    options: Pairs = ()
    rows: Pairs = ()
    scope: Pairs = ()

    def text(self) -> str:
        """Return the list as one text for the URL."""
        parts = [self.metric]
        for mark, pairs in ((_OPTION, self.options), (_ROWS, self.rows), (_SCOPE, self.scope)):
            parts += [part for name, value in pairs for part in (f"{mark}{name}", _quoted(value))]
        return "~".join(parts)

    @classmethod
    def read(cls, text: str) -> "Listed | None":
        """Return the list that a text names, None where it names none."""
        metric, *rest = text.split("~")
        if not metric or len(rest) % 2:
            return None
        pairs = list(zip(rest[::2], map(unquote, rest[1::2]), strict=True))
        found = {
            mark: tuple((name[len(mark) :], one) for name, one in pairs if name.startswith(mark)) for mark in _MARKS
        }
        return cls(metric=metric, options=found[_OPTION], rows=found[_ROWS], scope=found[_SCOPE])


def _quoted(value: str) -> str:
    return quote(value, safe=" ").replace("~", "%7E")


def order(page: "Page", listed: Listed) -> list[str]:
    """Return the accounts of a list in its order, as of the page's day, each once."""
    options: dict[str, Any] = {}
    for name, value in listed.options:
        options.setdefault(name, []).append(value)
    where: dict[str, list[str]] = {name: list(page.carried.get(name, ())) for name in COLUMNS}
    for name, value in listed.scope:
        where.setdefault(name, []).append(value)
    rows = page.asked(listed.metric, scope=Scope.of(where), **options).frame
    for column, value in listed.rows:
        if column not in rows:
            return []
        rows = rows[rows[column].astype(str) == value]
    return list(dict.fromkeys(rows["account_id"])) if "account_id" in rows else []


def came_from(page: "Page", metric: Asked | Sequence[Asked], frame: pd.DataFrame, opens: str) -> str:
    """Return the list that a table shows, as a text for the URL; '' where its rows are not those of a metric in its order.

    A table may show part of the rows of its metric, those with one value in one column.
    """
    accounts = list(dict.fromkeys(frame[opens].astype(str)))
    for name, options in each(metric):
        given = tuple((key.rstrip("_"), str(one)) for key, value in options.items() for one in _listed(value))
        scope = _scope(page)
        whole = Listed(metric=name, options=given, scope=scope)
        parts = [
            Listed(metric=name, options=given, scope=scope, rows=((column, value),)) for column, value in _same(frame)
        ]
        for listed in (whole, *parts):
            try:
                if order(page, listed) == accounts:
                    return listed.text()
            except CsMetricsError:
                continue
    return ""


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple | list) else (value,)


def _same(frame: pd.DataFrame) -> Pairs:
    """Return the columns of texts and yes or no that hold one value, with it."""
    found = [name for name in frame if frame[name].dtype.kind in "bOT" or frame[name].dtype == "str"]
    pairs = [(str(name), frame[name].astype(str)) for name in found]
    return tuple((name, values.iloc[0]) for name, values in pairs if values.nunique() == 1)


def shown(
    page: "Page", metric: str, options: Mapping[str, object] | None = None, rows: Mapping[str, object] | None = None
) -> str:
    """Return the text of a list that a page names itself: a metric, its options, and which of its rows are shown."""
    texts = [tuple((name, str(one)) for name, one in (given or {}).items()) for given in (options, rows)]
    return Listed(metric=metric, options=texts[0], rows=texts[1], scope=_scope(page)).text()


def _scope(page: "Page") -> Pairs:
    """Return the columns of accounts by which a page is narrowed and that links do not carry."""
    return tuple((column, one) for column, values in page.scope.where if column not in COLUMNS for one in values)


def draw(page: "Page", account_id: str) -> None:
    """Draw where the account stands in the list that one came from, and the ways back and on; nothing without a list."""
    listed = Listed.read(page.param(KEY))
    if listed is None:
        return
    try:
        accounts, metric = order(page, listed), find(listed.metric)
    except CsMetricsError:
        page.note("The link names a list that cannot be asked; it is left out.")
        return
    at = accounts.index(account_id) if account_id in accounts else None
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="walk"):
        before = accounts[at - 1] if at else ""
        after = accounts[at + 1] if at is not None and at + 1 < len(accounts) else ""
        if at is None and accounts:
            after = accounts[0]
        _step("Previous", ":material/chevron_left:", "K", before)
        _step("Next" if at is not None else "First of the list", ":material/chevron_right:", "J", after)
        place = f"{say.count(at + 1)} of {say.count(len(accounts))}" if at is not None else "No longer"
        st.caption(f"{place} in {plain(listed.metric.replace('_', ' '))}", width="content")
        navigation.back_link(metric.page, page.carried)


def _step(label: str, icon: str, shortcut: str, account_id: str) -> None:
    def go() -> None:
        st.query_params["account"] = account_id
        link.touch()

    st.button(
        label, icon=icon, key=f"walk_{label}", shortcut=shortcut, disabled=not account_id, on_click=go, type="tertiary"
    )

"""Small things that the shell says and names: plain text, keys, how a card names its metrics, the empty product."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cs_metrics.contract.tables import TABLES
from cs_metrics.errors import MissingTable

__all__ = ["Asked", "each", "missing", "nothing_published", "plain", "slug"]

Asked = str | tuple[str, Mapping[str, Any]]


def plain(text: str) -> str:
    """Return a text as it is to be read: `$` is not mathematics, and a name with `*` or `_` is not a mark."""
    return re.sub(r"([$*_\[\]~`<>])", r"\\\1", text)


def slug(text: str) -> str:
    """Return a text as a key and file name: letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:48]


def each(metric: Asked | Sequence[Asked]) -> list[tuple[str, dict[str, Any]]]:
    """Return the metrics of a card as (name, options): given as a name, a pair, or several of both."""
    if not metric:
        return []
    if isinstance(metric, str):
        return [(metric, {})]
    if isinstance(metric, tuple) and len(metric) == 2 and isinstance(metric[1], Mapping):
        return [(str(metric[0]), dict(metric[1]))]
    return [pair for one in metric for pair in each(one)]


def missing(error: MissingTable) -> None:
    """Say which table is missing, what it switches off and where to read how to load it."""
    table = TABLES.get(error.table)
    with st.container(border=True):
        needs = f"This needs the table `{error.table}`, which was not loaded."
        st.markdown(f":material/table_chart_view: {needs}")
        if table:
            st.caption(f"{table.name}: {table.grain}. It feeds {table.feeds}. How to load it: docs/loading.md.")


def nothing_published() -> None:
    """Say which two commands bring data in."""
    with st.container(border=True):
        st.subheader("No data has been published yet", anchor=False)
        st.markdown("Run one of these two commands, then reload this page:")
        st.code("python -m cs_metrics demo\npython -m cs_metrics load FOLDER", language="bash")
        st.caption("The first invents a company to look around in; the second loads your own tables (docs/loading.md).")

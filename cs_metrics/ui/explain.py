"""What stands behind a number: its sentence, formula, parameters, the SQL that ran and the rows, one click away."""

import datetime as dt
import textwrap
from collections.abc import Sequence
from typing import Any

import streamlit as st

from cs_metrics.config import Config
from cs_metrics.errors import CsMetricsError
from cs_metrics.metrics.registry import find
from cs_metrics.metrics.scope import Scope
from cs_metrics.report import format as say
from cs_metrics.store import Query, Store
from cs_metrics.ui import results, tables

__all__ = ["Asked", "button", "definition", "queries"]

Asked = tuple[Store, Config, str, dt.date, Scope, dict[str, Any]]  # …, metric, as of, scope, options


def button(asked: Sequence[Asked], key: str, lead: str = "") -> None:
    """Draw the small button that opens the definition; its content is made when it is opened.

    `lead` stands first: what the number at hand is over.
    """
    opened = st.popover(
        "Definition",
        icon=":material/info:",
        type="tertiary",
        key=f"why_{key}",
        on_change="rerun",
        help="Definition, SQL and rows",
    )
    if not opened.open:
        return
    with opened:
        if lead:
            st.markdown(lead)
        for one in asked:
            try:
                _explain(results.answer(*one), key)
            except CsMetricsError as error:
                st.caption(str(error))


def _explain(answer: results.Answer, key: str) -> None:
    definition(answer.name)
    said = [f"as of {say.date(answer.as_of)}"]
    said += [f"{column}: {', '.join(values)}" for column, values in answer.scope.where]
    said += [f"{name.rstrip('_')}: {value}" for name, value in answer.options.items()]
    st.caption(" · ".join(said))
    rows = answer.frame
    st.markdown(f"**Rows behind it** ({say.count(len(rows))})")
    columns = tables.plain_columns(rows)
    tables.draw(
        rows, columns, currency="", key=f"rows_{key}_{answer.name}", opens=False, rows=6, alt=f"Rows of {answer.name}"
    )
    with st.container(horizontal=True, gap="small"):
        tables.downloads(rows, columns, name=answer.name, key=f"down_{key}_{answer.name}")
    queries(answer.queries)


def definition(name: str) -> None:
    """Draw the definition of a metric in words."""
    metric = find(name)
    st.markdown(f"**{name}** · {metric.summary}")
    if metric.body:
        st.markdown(metric.body)
    if metric.formula:
        st.markdown(f"**Formula** {metric.formula}")
    if metric.source:
        st.caption(f"Source: {metric.source}")


def queries(ran: Sequence[Query]) -> None:
    """Draw the SQL that ran, with what was bound to it."""
    st.markdown(f"**SQL** ({say.plural(len(ran), 'query', 'queries')})")
    for query in ran:
        bound = "\n".join(f"-- ${name} = {_short(value)}" for name, value in sorted(query.params.items()))
        st.code(f"{bound}\n{_dedented(query.sql)}".strip(), language="sql", height=240)


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > 6:
        return f"{[str(one) for one in value[:3]]} … {str(value[-1])!r} ({len(value)} values)"
    return str([str(one) for one in value] if isinstance(value, list) else value)


def _dedented(sql: str) -> str:
    """Return a query without the margin that it has in its module; the relation of the accounts stands before it."""
    head, mark, rest = sql.partition("\n)") if sql.startswith("with scope as (") else ("", "", sql)
    first, _, body = rest.partition("\n")
    return f"{head}{mark}{first}\n{textwrap.dedent(body)}".strip()

"""The dictionary of metrics: each entry runs its metric on the current data only when it is opened."""

import hashlib
import inspect
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from cs_metrics import __version__
from cs_metrics.config import Config
from cs_metrics.errors import CsMetricsError
from cs_metrics.metrics.registry import Metric
from cs_metrics.report import format as say
from cs_metrics.ui import explain, tables

if TYPE_CHECKING:
    from cs_metrics.ui.shell import Page

__all__ = ["entry", "fingerprint", "matches", "settings"]


def matches(metric: Metric, search: str) -> bool:
    """Tell whether every word of the search stands in the metric's name, page, words or columns."""
    text = f"{metric.name} {metric.name.replace('_', ' ')} {metric.page} {metric.doc}".lower()
    return all(word in text for word in search.lower().split())


def fingerprint(metric: Metric) -> str:
    """Return seven letters that change when the metric's code changes."""
    return hashlib.sha256(inspect.getsource(inspect.unwrap(metric.call)).encode()).hexdigest()[:7]


def entry(page: "Page", metric: Metric, *, is_open: bool = False) -> None:
    """Draw one metric as a line that opens."""
    label = f"**{metric.name}** · {metric.summary}".replace("$", "\\$")
    opened = st.expander(label, expanded=is_open, key=f"metric_{metric.name}", on_change="rerun")
    if opened.open:
        with opened:
            _words(metric)
            _run(page, metric)


def _words(metric: Metric) -> None:
    for text in (metric.body, f"**Formula** {metric.formula}" if metric.formula else ""):
        if text:
            st.markdown(text.replace("$", "\\$"))
    if metric.columns:
        rows = pd.DataFrame({"column": list(metric.columns), "holds": list(metric.columns.values())})
        columns = {"column": tables.Col(label="Column"), "holds": tables.Col(label="What it holds", width="large")}
        tables.draw(
            rows,
            columns,
            currency="",
            key=f"columns_{metric.name}",
            opens=False,
            rows=20,
            alt=f"Columns of {metric.name}",
        )
    options = [f"`{one.name}` = {_shown(one.default)} ({one.says})" for one in metric.options]
    if options:
        st.markdown("**Options in force** " + " · ".join(options))
    notes = [
        f"needs {', '.join(metric.needs)}" if metric.needs else "",
        f"Source: {metric.source}" if metric.source else "",
    ]
    notes.append(f"version {__version__}, definition {fingerprint(metric)}")
    st.caption(" · ".join(one for one in notes if one))


def _shown(value: Any) -> str:
    if value is None:
        return "set by the as-of day"
    return ", ".join(str(one) for one in value) or "none" if isinstance(value, tuple) else str(value)


def _run(page: "Page", metric: Metric) -> None:
    try:
        answer = page.asked(metric.name)
    except CsMetricsError as error:
        st.caption(f":material/info: {error}")
        return
    rows = answer.frame
    st.markdown(
        f"**On the current data** {say.plural(len(rows), 'row')} as of {say.date(page.as_of)}, {page.filters.words()}"
    )
    tables.draw(
        rows,
        tables.plain_columns(rows),
        currency="",
        key=f"rows_{metric.name}",
        opens=False,
        rows=6,
        alt=f"Rows of {metric.name}",
    )
    explain.queries(answer.queries)


def settings(config: Config) -> None:
    """Draw the settings in force, as read from config.toml."""
    opened = st.expander("**Settings in force** · config.toml", key="settings", on_change="rerun")
    if opened.open:
        with opened:
            rows = pd.DataFrame(_flat(config.model_dump(mode="json")), columns=["setting", "value"])
            columns = {"setting": tables.Col(label="Setting"), "value": tables.Col(label="Value", width="large")}
            tables.draw(rows, columns, currency="", key="settings_rows", opens=False, rows=14, alt="Settings in force")


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Return nested settings as lines: health.measures.active_days.weight = 0.5."""
    if isinstance(value, dict):
        return [line for key, one in value.items() for line in _flat(one, f"{name}.{key}".lstrip("."))]
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return [line for at, one in enumerate(value, start=1) for line in _flat(one, f"{name}[{at}]")]
    return [(name, ", ".join(str(one) for one in value) if isinstance(value, list) else str(value))]

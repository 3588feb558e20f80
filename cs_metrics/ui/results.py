"""Answers of the metrics for the pages, computed once per state of the data and shared by all viewers."""

import datetime as dt
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from cs_metrics.config import Config
from cs_metrics.metrics import registry
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Database, Query, Store, trace
from cs_metrics.workspace.database import Workspace

__all__ = ["Answer", "answer", "current", "data_dir", "database", "workspace"]

ROOT = Path(__file__).resolve().parent.parent.parent
_KEPT_ANSWERS = 2000


@dataclass(frozen=True)
class Answer:
    """What a metric returned, how it was asked, and the queries that ran for it."""

    name: str
    as_of: dt.date
    scope: Scope
    options: Mapping[str, Any]
    result: Any
    queries: tuple[Query, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """The rows, as a copy that the caller may change (columns are shared until they are written)."""
        found = self.result
        return found.copy(deep=False) if isinstance(found, pd.DataFrame) else pd.DataFrame([found])


def data_dir() -> Path:
    """Return the folder of the data: CS_METRICS_DATA, or `data` beside the product."""
    return Path(os.environ.get("CS_METRICS_DATA") or ROOT / "data").resolve()


@st.cache_resource(show_spinner=False)
def database(folder: str) -> Database:
    """Return the one open database of this process for a folder."""
    return Database.open(folder)


def current() -> Store:
    """Return the published generation; `NothingPublished` where there is none."""
    return database(str(data_dir())).current()


def workspace() -> Workspace:
    """Return where people write."""
    return database(str(data_dir())).workspace


def answer(store: Store, config: Config, name: str, as_of: dt.date, scope: Scope, options: Mapping[str, Any]) -> Answer:
    """Return the answer of a metric; a question that was asked before on the same data is not computed again."""

    def ask() -> Answer:
        store.has("accounts")  # what a store reads once for itself is no part of the answer's queries
        with trace() as queries:
            result = registry.run(store, name, as_of=as_of, scope=scope, options=options)
        return Answer(name, as_of, scope, dict(options), result, tuple(queries))

    written = store.version_of(registry.find(name).reads)
    state = f"{store.data_dir}|{store.number}|{written}|{_loads_seen(store)}|{hash(config.model_dump_json())}"
    key = f"{state}|{name}|{as_of}|{scope.where!r}|{sorted(options.items())!r}"
    return _answer(key, ask)


@st.cache_resource(show_spinner=False, max_entries=_KEPT_ANSWERS)
def _answer(key: str, _ask: Callable[[], Answer]) -> Answer:
    """One text is the whole key: it is hashed in microseconds, where the parts would take over a millisecond."""
    return _ask()


def _loads_seen(store: Store) -> int:
    """Return when the history of loads last changed: a refused load publishes nothing, and still is to be shown."""
    history = store.data_dir / "history"
    return history.stat().st_mtime_ns if history.exists() else 0

"""Helpers for tests of loading: small folders of CSV files, and the facts that a load leaves."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from cs_metrics.contract import load as loading
from cs_metrics.contract.facts import read_manifest
from cs_metrics.contract.history import LoadRecord, read_quarantine
from cs_metrics.contract.load import load
from cs_metrics.store import generation_path, published_number

ACCOUNTS = """
account_id,name,started_on
A1,Alpha,2024-01-01
A2,Beta,2024-02-01
"""
SUBSCRIPTIONS = """
subscription_id,account_id,starts_on,ends_on,mrr
S1,A1,2024-01-01,,100.50
S2,A2,2024-02-01,2025-02-01,20
"""
EVENTS = """
account_id,event,occurred_at
A1,login,2024-03-01T10:00:00Z
A2,login,2024-03-02T10:00:00Z
"""
TOLERANT = "max_rejected_share = 1.0\n"


def folder(path: Path, *, tolerant: bool = False, mapping: str = "", **tables: str | bytes) -> Path:
    """Write one CSV file per table (text without its first line break, or bytes as they are)."""
    path.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        data = text if isinstance(text, bytes) else text.lstrip("\n").encode()
        (path / f"{name}.csv").write_bytes(data)
    if tolerant or mapping:
        (path / "mapping.toml").write_text((TOLERANT if tolerant else "") + mapping, encoding="utf-8")
    return path


def company(path: Path, *, tolerant: bool = False, mapping: str = "", **tables: str | bytes) -> Path:
    """Write the two accounts and their subscriptions, and whatever else is given."""
    return folder(
        path, tolerant=tolerant, mapping=mapping, **{"accounts": ACCOUNTS, "subscriptions": SUBSCRIPTIONS} | tables
    )


def facts(data: Path, table: str) -> pd.DataFrame:
    """Return the fact rows of a table in a fixed order; unknown values are None."""
    manifest = read_manifest(data, published_number(data))
    parts = [pq.read_table(data / file).to_pandas(date_as_object=True) for file in manifest.table_files(table)]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    found = found.astype(object).where(found.notna(), None)
    return found.sort_values(by=list(found.columns), key=lambda one: one.astype(str), ignore_index=True)


def rows(data: Path, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return some columns of the fact rows as plain tuples."""
    return [tuple(row) for row in facts(data, table)[list(columns)].itertuples(index=False)]


def rejected(data: Path, record: LoadRecord) -> list[tuple[Any, ...]]:
    """Return (table, file, line, column, value, reason) of every rejected row."""
    found = read_quarantine(data, record.number)
    found = found.astype(object).where(found.notna(), None)
    return [tuple(row) for row in found.drop(columns="row").itertuples(index=False)]


def counts(record: LoadRecord, table: str) -> tuple[int, int, int, int]:
    """Return (read, accepted, rejected, duplicate) of a table."""
    one = record.tables[table]
    return one.read, one.accepted, one.rejected, one.duplicate


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@contextmanager
def no_marts() -> Iterator[None]:
    """Publish empty generations: for tests that look at the facts only."""

    def make(data_dir: Path, manifest: Any, **_: Any) -> None:
        path = generation_path(data_dir, manifest.number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(loading, "make", make)
        yield


@pytest.fixture
def without_marts() -> Iterator[None]:
    """Publish empty generations during a test."""
    with no_marts():
        yield


__all__ = [
    "ACCOUNTS",
    "EVENTS",
    "SUBSCRIPTIONS",
    "company",
    "counts",
    "day",
    "facts",
    "folder",
    "load",
    "no_marts",
    "rejected",
    "rows",
    "without_marts",
]

"""What was loaded and what became of every row of it."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cs_metrics.contract.history import LoadRecord, LoadWarning, TableRows, quarantine_path, write_record
from cs_metrics.metrics import loads
from cs_metrics.store import Store
from tests.support import account, company, line, records

BEGAN = dt.datetime(2025, 3, 1, 8, 30, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A published load with one row kept out and one warning, and a refused one after it."""
    store = company(tmp_path, accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 100)])
    accounts = TableRows(read=10, accepted=8, rejected=1, duplicate=1, total=8)
    warning = LoadWarning(table="events", kind="future", count=2, example="row 3", says="2 events lie in the future")
    write_record(
        tmp_path,
        LoadRecord(
            number=1,
            started_at=BEGAN,
            source="/somewhere/export",
            mode="full",
            time_zone="UTC",
            status="published",
            tables={"accounts": accounts, "subscriptions": TableRows(read=5, accepted=5)},
            warnings=[warning],
            ignored_columns={"accounts": ["colour", "size"]},
            seconds=1.5,
        ),
    )
    write_record(
        tmp_path,
        LoadRecord(
            number=2,
            started_at=BEGAN,
            source="postgresql://user:secret@host/db",
            mode="add",
            time_zone="UTC",
            status="refused",
            reason="accounts is missing",
        ),
    )
    row = {
        "table": "accounts",
        "file": "a.csv",
        "line": 7,
        "column": "mrr",
        "value": "x",
        "reason": "no number",
        "row": "{}",
    }
    quarantine_path(tmp_path, 1).parent.mkdir()
    pq.write_table(pa.Table.from_pylist([row]), quarantine_path(tmp_path, 1))
    return store


def test_every_load_is_listed_with_its_rows(store: Store) -> None:
    found = loads.loads(store, as_of=store.newest_day)
    assert records(found, "load", "status", "read", "rejected", "rejected_share", "warnings", "reason") == [
        (2, "refused", 0, 0, None, 0, "accounts is missing"),
        (1, "published", 15, 1, 0.066667, 1, ""),
    ]


def test_a_source_never_shows_its_password_or_folder(store: Store) -> None:
    assert list(loads.loads(store, as_of=store.newest_day).source) == ["host/db", "export"]


def test_rows_add_up_table_by_table(store: Store) -> None:
    found = loads.row_accounting(store, as_of=store.newest_day)
    assert records(found, "table", "read", "accepted", "rejected", "duplicate", "adds_up", "ignored_columns") == [
        ("accounts", 10, 8, 1, 1, True, "colour, size"),
        ("subscriptions", 5, 5, 0, 0, True, ""),
    ]
    assert loads.row_accounting(store, as_of=store.newest_day, load=2).empty


def test_warnings_and_rejected_rows_say_what_and_why(store: Store) -> None:
    as_of = store.newest_day
    assert records(loads.load_warnings(store, as_of=as_of), "table", "count", "says") == [
        ("events", 2, "2 events lie in the future")
    ]
    assert records(loads.rejected_rows(store, as_of=as_of)) == [("accounts", "a.csv", 7, "mrr", "x", "no number", "{}")]
    assert loads.rejected_rows(store, as_of=as_of, load=2).empty


def test_trust_is_one_row_also_without_any_history(store: Store, tmp_path: Path) -> None:
    found = loads.trust(store, as_of=store.newest_day).iloc[0]
    assert (found.tables, found.all_tables, found.load, found.status, found["read"]) == (2, 22, 2, "refused", 15)
    bare = company(tmp_path / "bare", accounts=[account("a")])
    found = loads.trust(bare, as_of=bare.newest_day).iloc[0]
    assert (found.tables, found.load, found["read"]) == (1, None, None)


def test_coverage_names_what_missing_tables_switch_off(store: Store) -> None:
    found = loads.page_coverage(store, as_of=store.newest_day).set_index("page")
    assert "events" in found.loc["Onboarding", "missing_tables"]
    assert "activation" in found.loc["Onboarding", "switched_off"].split(", ")
    assert (found.available <= found.metrics).all()

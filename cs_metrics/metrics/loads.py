"""What was loaded, when and from where, and what became of every row of it.

These answer from the history of loads, not from the marts: a refused load published nothing and still is shown.
"""

import datetime as dt
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from cs_metrics.contract.history import LoadRecord, quarantine_path, read_history
from cs_metrics.contract.tables import TABLES
from cs_metrics.metrics.registry import METRICS, metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["load_warnings", "loads", "page_coverage", "rejected_rows", "row_accounting", "trust"]

_ROWS = ("read", "accepted", "rejected", "duplicate")


@metric(page="Data")
def loads(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Every load, the newest first: when it began, what it read, and how it ended.

    Loads are events of this product, not of the customers: neither the as-of day nor the accounts narrow them.

    Formula: read = accepted + rejected + duplicate, summed over the tables of the load.
    Columns:
        load: number of the load
        started_at: when it began, UTC
        status: published, unchanged, refused, checked or running (running long ago: it was killed)
        source: what was read
        mode: full or add
        read, accepted, rejected, duplicate: rows
        rejected_share: rejected ÷ read, empty where nothing was read
        warnings: kinds of suspicious rows
        seconds: how long it took
        reason: why it was refused
    """
    found = [_load(one) for one in reversed(read_history(store.data_dir))]
    columns = [
        "load",
        "started_at",
        "status",
        "source",
        "mode",
        *_ROWS,
        "rejected_share",
        "warnings",
        "seconds",
        "reason",
    ]
    return pd.DataFrame(found, columns=columns)


def _load(record: LoadRecord) -> dict[str, object]:
    sums = {name: sum(getattr(rows, name) for rows in record.tables.values()) for name in _ROWS}
    return {
        "load": record.number,
        "started_at": pd.Timestamp(record.started_at).tz_localize(None)
        if record.started_at.tzinfo is None
        else pd.Timestamp(record.started_at).tz_convert("UTC").tz_localize(None),
        "status": record.status,
        "source": Path(record.source).name if "://" not in record.source else record.source.split("@")[-1],
        "mode": record.mode,
        **sums,
        "rejected_share": sums["rejected"] / sums["read"] if sums["read"] else None,
        "warnings": len(record.warnings),
        "seconds": record.seconds,
        "reason": record.reason,
    }


@metric(page="Data")
def row_accounting(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, load: int = 0) -> pd.DataFrame:
    """What became of every row of one load (the newest by default), table by table.

    Formula: read = accepted + rejected + duplicate.
    Columns:
        table: table of the contract
        read, accepted, rejected, duplicate: rows
        left_out: rows that the mapping leaves out before they are read
        updated: accepted rows that replaced an earlier row of the same key
        total: rows of the table after the load
        adds_up: whether the formula holds
        ignored_columns: columns of the source that were not loaded
    """
    record = _record(store, load)
    found = []
    for table in TABLES:
        if record is not None and table in record.tables:
            rows = record.tables[table]
            found.append(
                {
                    "table": table,
                    **rows.model_dump(),
                    "adds_up": rows.read == rows.accepted + rows.rejected + rows.duplicate,
                    "ignored_columns": ", ".join(record.ignored_columns.get(table, [])),
                }
            )
    columns = ["table", *_ROWS, "left_out", "updated", "total", "adds_up", "ignored_columns"]
    return pd.DataFrame(found, columns=columns)


@metric(page="Data")
def load_warnings(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, load: int = 0) -> pd.DataFrame:
    """What is suspicious but legal in one load (the newest by default): it was loaded, and here is what to look at.

    Columns:
        table: table of the contract
        kind: kind of suspicion
        count: rows
        example: one of them
        says: the suspicion in a sentence
    """
    record = _record(store, load)
    found = [one.model_dump() for one in record.warnings] if record else []
    return pd.DataFrame(found, columns=["table", "kind", "count", "example", "says"])


@metric(page="Data")
def rejected_rows(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, load: int = 0, limit: int = 5000
) -> pd.DataFrame:
    """The rows that one load (the newest by default) kept out, each with its place and the reason in plain words.

    Columns:
        table: table of the contract
        file, line: where the row stands
        column, value: what cannot be used
        reason: why
        row: the row as it was read
    """
    columns = ["table", "file", "line", "column", "value", "reason", "row"]
    record = _record(store, load)
    path = quarantine_path(store.data_dir, record.number) if record else None
    if path is None or not path.exists():
        return pd.DataFrame(columns=columns)
    rows: pd.DataFrame = pq.read_table(path).slice(0, limit).to_pandas()
    return rows.reindex(columns=columns)


def _record(store: Store, load: int) -> LoadRecord | None:
    """Return the record of that number; without one the newest that read any rows."""
    history = read_history(store.data_dir)
    if load:
        return next((one for one in history if one.number == load), None)
    return next((one for one in reversed(history) if one.tables), history[-1] if history else None)


@metric(page="Data")
def trust(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """What the published data rests on: its newest day, the tables that are loaded, and the newest load.

    Columns:
        newest_day, oldest_day: the days that the data speaks of
        time_zone: the reporting time zone, in which days were fixed
        generation: number of the published generation
        tables, all_tables: tables of the contract with rows, and all of them
        load, status, started_at: the newest load
        read, rejected, rejected_share, warnings: of the newest load that read any rows
    """
    history = loads(store, as_of=as_of, scope=scope)
    counted = history[history["read"] > 0]
    last = history.iloc[0] if len(history) else None
    rows = counted.iloc[0] if len(counted) else None
    return pd.DataFrame(
        [
            {
                "newest_day": pd.Timestamp(store.newest_day),
                "oldest_day": pd.Timestamp(store.oldest_day),
                "time_zone": store.time_zone,
                "generation": store.number,
                "tables": sum(store.has(table) for table in TABLES),
                "all_tables": len(TABLES),
                "load": None if last is None else last["load"],
                "status": "" if last is None else last["status"],
                "started_at": None if last is None else last["started_at"],
                **{
                    name: None if rows is None else rows[name]
                    for name in ("read", "rejected", "rejected_share", "warnings")
                },
            }
        ]
    )


@metric(page="Data")
def page_coverage(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """What each page can show with the tables that are loaded, and what is switched off by those that are not.

    Formula: available = metrics of the page whose needed tables all hold rows.
    Columns:
        page: the page
        metrics, available: metrics of the page, and those that can be answered
        missing_tables: tables that would switch more on
        switched_off: the metrics that cannot be answered
    """
    found = []
    for page in dict.fromkeys(one.page for one in METRICS.values() if one.page):
        of_page = [one for one in METRICS.values() if one.page == page]
        off = [one for one in of_page if not all(store.has(table) for table in one.needs)]
        missing = {table for one in off for table in one.needs if not store.has(table)}
        found.append(
            {
                "page": page,
                "metrics": len(of_page),
                "available": len(of_page) - len(off),
                "missing_tables": ", ".join(sorted(missing)),
                "switched_off": ", ".join(sorted(one.name for one in off)),
            }
        )
    return pd.DataFrame(found, columns=["page", "metrics", "available", "missing_tables", "switched_off"])

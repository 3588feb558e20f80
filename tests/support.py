"""A tiny company from a few rows: facts are written as the loader would, built and published."""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cs_metrics.config import load_config
from cs_metrics.contract.facts import EVENTS, Manifest, write_manifest
from cs_metrics.contract.tables import TABLES, day_column
from cs_metrics.marts.publication import publish
from cs_metrics.store import Database, Store
from cs_metrics.training import make

Row = Mapping[str, Any]
_ARROW = {
    "varchar": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
}


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def company(folder: Path, *, number: int = 1, time_zone: str = "UTC", **tables: Iterable[Row]) -> Store:
    """Publish these rows (money in whole units, days and times as ISO text) and return their store."""
    manifest = Manifest(number=number, time_zone=time_zone)
    for name, rows in tables.items():
        _write(folder, manifest, name, [_fact(name, row) for row in rows])
    write_manifest(folder, manifest)
    make(folder, manifest, config=load_config(folder))
    publish(folder, number)
    return Database.open(folder).current()


def _fact(name: str, row: Row) -> dict[str, Any]:
    table, found = TABLES[name], {}
    unknown = set(row) - {one.name for one in table}
    assert not unknown, f"{name} has no column {unknown}"
    for column in table:
        value = row.get(column.name)
        if value in ("", None):
            value = None
        elif column.kind == "money":
            value = round(float(value) * 100)
        elif column.kind == "date" and isinstance(value, str):
            value = day(value)
        elif column.kind == "time" and isinstance(value, str):
            value = dt.datetime.fromisoformat(value)
        found[column.fact_name] = value
        if column.kind == "time":
            found[day_column(column.name)] = value.date() if value is not None else None
    return found


def _write(folder: Path, manifest: Manifest, name: str, rows: list[dict[str, Any]]) -> None:
    groups = {name: rows}
    if name == EVENTS:
        groups = {}
        for row in rows:
            groups.setdefault(f"{EVENTS}/{row['occurred_on']:%Y-%m}", []).append(row)
    schema = pa.schema([(column, _ARROW[kind]) for column, kind in TABLES[name].fact_columns.items()])
    for key, part in groups.items():
        path = folder / "facts" / key / f"{manifest.number}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(part, schema=schema), path)
        manifest.files[key] = [str(path.relative_to(folder))]
    manifest.rows[name] = len(rows)


def account(account_id: str = "a", started_on: str = "2024-01-01", **more: Any) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "name": more.pop("name", f"Company {account_id}"),
        "started_on": started_on,
        **more,
    }


def line(account_id: str, starts_on: str, ends_on: str | None, mrr: float, **more: Any) -> dict[str, Any]:
    given = more.pop("subscription_id", f"{account_id} {starts_on} {mrr}")
    return {
        "subscription_id": given,
        "account_id": account_id,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "mrr": mrr,
        **more,
    }


def records(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Return the rows as tuples of plain values: days as ISO text, unknown as None, numbers rounded to 6 places."""
    chosen = frame[list(columns)] if columns else frame
    return [tuple(_plain(value) for value in row) for row in chosen.itertuples(index=False, name=None)]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float):
        return round(value, 6)
    return value.item() if hasattr(value, "item") else value

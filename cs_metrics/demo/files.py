"""Writes tables as typed Parquet: same rows in, same bytes out."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cs_metrics.contract.tables import TABLES, Kind
from cs_metrics.demo.clock import UNKNOWN

__all__ = ["schema_of", "write_batches", "write_table"]

_TYPES: Final[dict[Kind, Any]] = {
    "id": pa.string(),
    "text": pa.string(),
    "date": pa.date32(),
    "time": pa.timestamp("us"),
    "money": pa.decimal128(18, 2),
    "int": pa.int64(),
    "number": pa.float64(),
    "bool": pa.bool_(),
}
_SETTINGS: Final = {"compression": "zstd", "compression_level": 1, "store_schema": False, "write_statistics": True}


def schema_of(table: str) -> Any:
    """Return the Arrow schema of a table of the contract."""
    return pa.schema([(column.name, _TYPES[column.kind]) for column in TABLES[table]])


def write_table(folder: Path, table: str, columns: dict[str, object]) -> int:
    """Write one table of the contract and return its rows.

    Days, times and cents come as whole numbers, `UNKNOWN` or None where there is no value; the columns must be
    exactly those of the contract.
    """
    wanted = [column.name for column in TABLES[table]]
    if sorted(columns) != sorted(wanted):
        raise ValueError(f"{table}: columns {sorted(set(columns) ^ set(wanted))} differ from the contract")
    arrays = [_array(column.kind, columns[column.name]) for column in TABLES[table]]
    found = pa.Table.from_arrays(arrays, schema=schema_of(table))
    pq.write_table(found, folder / f"{table}.parquet", **_SETTINGS)
    return int(found.num_rows)


def write_batches(path: Path, batches: Iterator[Any]) -> int:
    """Write tables one after the other into one file, each a row group, and return the rows."""
    first = next(batches)
    rows = 0
    with pq.ParquetWriter(path, first.schema, **_SETTINGS) as writer:
        for batch in chain((first,), batches):
            writer.write_table(batch)
            rows += batch.num_rows
    return rows


def _array(kind: Kind, values: Any) -> Any:
    """Return an Arrow array of the kind; whole numbers become days, microseconds or cents."""
    if kind in ("date", "time", "money", "int"):
        numbers = np.array([UNKNOWN if one is None else one for one in values] if isinstance(values, list) else values)
        numbers = numbers.astype(np.int64)
        missing = numbers == UNKNOWN
        if kind == "money":
            return _decimals(np.where(missing, 0, numbers), missing)
        if kind == "date":
            return pa.array(np.where(missing, 0, numbers).astype("datetime64[D]"), type=_TYPES[kind], mask=missing)
        return pa.array(numbers, type=pa.int64(), mask=missing).cast(_TYPES[kind])
    if isinstance(values, np.ndarray) and kind == "number":
        return pa.array(values, type=_TYPES[kind], mask=np.isnan(values))
    return pa.array(values, type=_TYPES[kind])


def _decimals(cents: Any, missing: Any) -> Any:
    """Return decimal(18, 2) from whole cents: each is a 128-bit number, low half first."""
    halves = np.empty((len(cents), 2), dtype=np.int64)
    halves[:, 0], halves[:, 1] = cents, cents >> 63
    validity = pa.array(~missing).buffers()[1]
    return pa.Array.from_buffers(_TYPES["money"], len(cents), [validity, pa.py_buffer(halves.tobytes())])

"""Rejected rows, each with its place, the column at fault, the value, the reason and the row as it stood in the file."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from cs_metrics.contract.mapped import Input
from cs_metrics.contract.readers import Lost, Reader
from cs_metrics.contract.sql import literal, path_literal

__all__ = ["REFUSED_ROWS", "write_quarantine"]

REFUSED_ROWS = 10_000
_ALL_ROWS = 2**62
_FIELD_CHARS = 2_000
_BATCH = 20_000
_LOST = pa.schema([(name, pa.string()) for name in ("table", "file", "reason", "row")] + [("line", pa.int64())])
_FOUND = pa.schema(
    [("table", pa.string()), ("place", pa.int32()), ("record", pa.int64()), ("line", pa.int64()), ("row", pa.string())]
)


def write_quarantine(
    connection: duckdb.DuckDBPyConnection,
    reader: Reader,
    inputs: Mapping[str, Input],
    lost: Mapping[str, list[Lost]],
    path: Path,
    *,
    folder: Path,
    is_refused: bool,
) -> bool:
    """Write the rejected rows of a load, of a refused one the first of each table; False when there are none.

    `line` is the physical line in a CSV file, the number of the row in a Parquet file, and unknown for a database.
    Rows are written through `folder`, so that memory holds a part of them at a time.
    """
    limit = REFUSED_ROWS if is_refused else _ALL_ROWS
    found, broken = folder / "found.parquet", folder / "broken.parquet"
    _write(
        found,
        _FOUND,
        (row for table, given in inputs.items() for row in _found(connection, reader, table, given, limit)),
    )
    _write(broken, _LOST, (row for table, rows in lost.items() for row in _lost(table, rows[:limit])))
    files = ", ".join(
        f"({literal(table)}, {place}, {literal(file)})"
        for table, given in inputs.items()
        for place, file in enumerate(given.files)
    )
    order = ", ".join(literal(table) for table in inputs)
    path.parent.mkdir(parents=True, exist_ok=True)
    connection.execute(
        f"copy (with files(table_name, file, name) as (values {files}), "
        "first as (select * from rejected qualify row_number() over (partition by table_name order by file, record) "
        f"<= {limit}), "
        'final as (select r.table_name as "table", f.name as file, x.line, r.column_name as "column", r.value, r.reason, '
        "x.row from first r join files f on f.table_name = r.table_name and f.file = r.file "
        f"left join read_parquet({path_literal(found)}, hive_partitioning = false) x "
        'on x."table" = r.table_name and x.place = r.file and x.record = r.record '
        f'union all select "table", file, line, null, null, reason, row from read_parquet({path_literal(broken)}, hive_partitioning = false)) '
        f'select * from final order by list_position([{order}], "table"), file, line, "column") '
        f"to {literal(str(path))} (format parquet, compression zstd)"
    )
    if pq.read_metadata(path).num_rows:
        return True
    path.unlink()
    return False


def _found(
    connection: duckdb.DuckDBPyConnection, reader: Reader, table: str, given: Input, limit: int
) -> Iterator[dict[str, object]]:
    rows = connection.execute(
        "select file, list(record order by record) from (select file, record from rejected where table_name = ? "
        "order by file, record limit ?) group by file order by file",
        [table, limit],
    ).fetchall()
    for file, records in rows:
        for record, row in given.rows(connection, reader, file, records):
            yield {"table": table, "place": file, "record": record, "line": row.line or None, "row": _json(row.fields)}


def _lost(table: str, rows: list[Lost]) -> Iterator[dict[str, object]]:
    for one in rows:
        yield {"table": table, "file": one.file, "line": one.line, "reason": one.reason, "row": _json(one.row)}


def _json(fields: Mapping[str, object]) -> str:
    shown = {name: text[:_FIELD_CHARS] if isinstance(text, str) else text for name, text in fields.items()}
    return json.dumps(shown, ensure_ascii=False)


def _write(path: Path, schema: pa.Schema, rows: Iterator[dict[str, object]]) -> None:
    with pq.ParquetWriter(path, schema) as writer:
        while batch := list(islice(rows, _BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))

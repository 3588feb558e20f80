"""The history of loads: one small record per load, refused ones too, with the accounting of every row."""

import datetime as dt
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import BaseModel, Field

from cs_metrics.contract.facts import write_atomically
from cs_metrics.contract.tables import TABLES

__all__ = [
    "LoadRecord",
    "LoadWarning",
    "Status",
    "TableRows",
    "history_path",
    "quarantine_path",
    "read_history",
    "read_quarantine",
    "summary",
    "write_record",
]

Status = Literal["running", "published", "unchanged", "refused", "checked"]


class TableRows(BaseModel):
    """What became of the rows of one table: read = accepted + rejected + duplicate.

    `left_out` rows were never read because the mapping's `where` leaves them out. Of the accepted rows `updated`
    replaced an earlier row of the same key. `total` is how many rows the table holds after the load.
    """

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicate: int = 0
    left_out: int = 0
    updated: int = 0
    total: int = 0

    @property
    def rejected_share(self) -> float:
        """Rejected rows ÷ rows read; 0 where none was read."""
        return self.rejected / self.read if self.read else 0.0


class LoadWarning(BaseModel):
    """Something suspicious but legal: in how many rows, one of them, and the sentence that says it."""

    table: str
    kind: str
    count: int
    example: str
    says: str


class LoadRecord(BaseModel):
    """One load. `status`: running (or killed), published, unchanged, refused, or checked only.

    `newest_day` is the newest day on which something happened; `fingerprints` tell the rows of each fact file, whatever
    their order, and `fingerprint` those of all of them.
    """

    number: int
    started_at: dt.datetime
    finished_at: dt.datetime | None = None
    source: str
    mapping: str = ""
    mode: Literal["full", "add"]
    time_zone: str
    status: Status = "running"
    reason: str = ""
    newest_day: dt.date | None = None
    tables: dict[str, TableRows] = Field(default_factory=dict)
    warnings: list[LoadWarning] = Field(default_factory=list)
    ignored_columns: dict[str, list[str]] = Field(default_factory=dict)
    ignored_files: list[str] = Field(default_factory=list)
    quarantine: str = ""
    seconds: float = 0.0
    fingerprint: str = ""
    fingerprints: dict[str, str] = Field(default_factory=dict)


def history_path(data_dir: Path, number: int) -> Path:
    """Return where the record of a load lies."""
    return data_dir / "history" / f"load-{number}.json"


def quarantine_path(data_dir: Path, number: int) -> Path:
    """Return where the rejected rows of a load lie."""
    return data_dir / "quarantine" / f"load-{number}.parquet"


def read_history(data_dir: Path) -> list[LoadRecord]:
    """Return the records of all loads, oldest first; one that cannot be read is left out."""
    found = []
    for path in (data_dir / "history").glob("load-*.json"):
        try:
            found.append(LoadRecord.model_validate_json(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    return sorted(found, key=lambda record: record.number)


def read_quarantine(data_dir: Path, number: int) -> pd.DataFrame:
    """Return the rejected rows of a load: table, file, line, column, value, reason, row; none where none were rejected."""
    path = quarantine_path(data_dir, number)
    columns = ["table", "file", "line", "column", "value", "reason", "row"]
    return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=columns)


def write_record(data_dir: Path, record: LoadRecord) -> None:
    """Write the record of a load, over its earlier state."""
    write_atomically(history_path(data_dir, record.number), record.model_dump_json(indent=1))


def summary(record: LoadRecord) -> str:
    """Return the row accounting of a load as text: what happened, one line per table, warnings and what was ignored."""
    lines = [_headline(record), ""]
    if record.tables:
        lines += [*_accounting(record), ""]
    if record.quarantine:
        lines += [f"Rejected rows, each with its reason: {record.quarantine}", ""]
    if record.warnings:
        lines += ["Suspicious, but loaded:", *(f"  {one.table}: {one.says}" for one in record.warnings), ""]
    for table, columns in record.ignored_columns.items():
        lines.append(f"Columns of {table} that were not loaded: {', '.join(columns)}")
    if record.ignored_files:
        lines.append(f"Not read, because no table has this name: {', '.join(record.ignored_files)}")
    return "\n".join(lines).rstrip()


def _headline(record: LoadRecord) -> str:
    said = {
        "published": f"Load {record.number} is published: {record.source}, {record.seconds:.1f} s",
        "unchanged": f"Load {record.number} changed nothing: {record.source} holds what is published, {record.seconds:.1f} s",
        "refused": f"Load {record.number} was refused: {record.reason}",
        "checked": f"Load {record.number} was checked only, nothing is published: {record.source}, {record.seconds:.1f} s",
        "running": f"Load {record.number} is running, or was killed: {record.source}",
    }
    return said[record.status]


def _accounting(record: LoadRecord) -> list[str]:
    counted = ["read", "accepted", "rejected", "duplicate"]
    if any(rows.left_out for rows in record.tables.values()):
        counted.append("left_out")
    if record.mode == "add":
        counted += ["updated", "total"]
    cells = [["table", *(word.replace("_", " ") for word in counted)]]
    for table in TABLES:
        if table in record.tables:
            cells.append([table, *(f"{getattr(record.tables[table], word):,}" for word in counted)])
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in cells
    ]

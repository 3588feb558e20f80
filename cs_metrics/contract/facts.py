"""The fact files of a data set: which Parquet files make up a state of the data, and what changed since the last.

DIR/facts/manifest-<n>.json lists the files of generation n; a file is written once and never changed.
"""

import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, Field

from cs_metrics.contract.tables import TABLES
from cs_metrics.errors import StoreError

__all__ = [
    "EVENTS",
    "Manifest",
    "Touched",
    "locked",
    "manifest_path",
    "next_number",
    "read_manifest",
    "to_disk",
    "write_atomically",
    "write_manifest",
]

EVENTS = "events"


class Manifest(BaseModel):
    """One state of the facts.

    `files` maps a table to its fact files, relative to the data folder; events are split by month under
    `events/2024-01`. `attributes` are the extra columns of accounts with their kind. `rows` counts rows per table.
    `newest_day` is the newest day on which something happened, found by the load without stray days of the far future.
    """

    number: int
    time_zone: str = "UTC"
    attributes: dict[str, str] = Field(default_factory=dict)
    files: dict[str, list[str]] = Field(default_factory=dict)
    rows: dict[str, int] = Field(default_factory=dict)
    newest_day: dt.date | None = None

    @property
    def event_months(self) -> dict[str, list[str]]:
        """The fact files of events by month (`2024-01`), oldest month first."""
        prefix = f"{EVENTS}/"
        return {key.removeprefix(prefix): self.files[key] for key in sorted(self.files) if key.startswith(prefix)}

    def table_files(self, table: str) -> list[str]:
        """All fact files of one table."""
        if table == EVENTS:
            return [file for files in self.event_months.values() for file in files]
        return self.files.get(table, [])

    @property
    def tables(self) -> list[str]:
        """The contract tables that hold rows, in the contract's order."""
        return [name for name in TABLES if self.rows.get(name)]


class Touched(BaseModel):
    """What a load changed against the manifest before it, so that only that is computed again.

    `tables` are the changed tables (`events` among them where its months changed), `months` the changed months of
    events, `first_day` the earliest day of an added event.
    """

    tables: set[str] = Field(default_factory=set)
    months: set[str] = Field(default_factory=set)
    first_day: dt.date | None = None


def manifest_path(data_dir: Path, number: int) -> Path:
    """Return where manifest `number` lies."""
    return data_dir / "facts" / f"manifest-{number}.json"


def read_manifest(data_dir: Path, number: int) -> Manifest:
    """Return manifest `number`; `StoreError` when it cannot be read."""
    path = manifest_path(data_dir, number)
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read ({error}); load the data again.") from None


def write_manifest(data_dir: Path, manifest: Manifest) -> None:
    """Write a manifest so that it is either there whole or not there."""
    write_atomically(manifest_path(data_dir, manifest.number), manifest.model_dump_json(indent=1))


def write_atomically(path: Path, text: str) -> None:
    """Write a small file through a temporary one, synced to disk before it takes its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
    to_disk(path.parent)


def to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk and would survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def next_number(data_dir: Path) -> int:
    """Return a number that no load of this folder has used, published, refused or rolled back."""
    used = [*(data_dir / "facts").glob("manifest-*.json"), *(data_dir / "history").glob("load-*.json")]
    return max((int(path.stem.rpartition("-")[2]) for path in used), default=0) + 1


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Let one process at a time write into a data folder; `StoreError` when another one is at it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(f"Another load or build is writing into {data_dir}; try again when it is done.") from None
        yield

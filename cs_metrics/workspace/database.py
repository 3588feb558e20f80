"""The workspace: what people write, kept apart from the data so that it survives every refresh.

The log only grows. `seq` rises in the order of the commits: who has seen entry n has seen, or can see, all before it.
"""

import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cs_metrics.errors import WorkspaceError
from cs_metrics.workspace import engine as engines
from cs_metrics.workspace import migrations
from cs_metrics.workspace.entries import Entry, NewEntry, checked
from cs_metrics.workspace.schema import ENTRIES

__all__ = ["Workspace"]

_AT_ONCE = 1_000
_NEWEST = sa.select(sa.func.max(ENTRIES.c.seq))


@dataclass
class _Opened:
    """A workspace of the newest revision, ready to be read and written.

    `identity` tells its file from another one that is put in the same place. `versions` are the newest entries per
    topic among the first `seen`.
    """

    engine: sa.Engine
    reader: sa.Engine
    identity: tuple[int, int]
    versions: tuple[int, dict[str, int]] = (0, {})


class Workspace:
    """What people wrote beside the data of one folder; safe to share between threads and between processes."""

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        self._file = engines.file_of(url)
        self._opened: _Opened | None = None
        self._opening = threading.Lock()
        self._writing = threading.Lock()

    @classmethod
    def open(cls, data_dir: Path | str, url: str | None = None) -> "Workspace":
        """Return the workspace of a data folder, by default a file in it; nothing is opened or created yet.

        Another place is named by `url` or by the environment variable CS_METRICS_WORKSPACE.
        """
        return cls(engines.address(Path(data_dir), url))

    @property
    def place(self) -> str:
        """Where it lies: the path of its file, or its URL without the password."""
        return engines.place(self._url)

    def version(self) -> int:
        """Return the `seq` of the newest entry, 0 where nothing was ever written."""
        with self._reading() as (_, connection):
            return connection.scalar(_NEWEST) or 0 if connection else 0

    def versions(self) -> dict[str, int]:
        """Return per topic the `seq` of its newest entry; topics without entries are left out."""
        with self._reading() as (opened, connection):
            if opened is None or connection is None:
                return {}
            seen, found = opened.versions
            added = sa.select(ENTRIES.c.topic, sa.func.max(ENTRIES.c.seq)).where(ENTRIES.c.seq > seen)
            newer = {str(row[0]): int(row[1]) for row in connection.execute(added.group_by(ENTRIES.c.topic))}
            if newer:
                opened.versions = max(newer.values()), {**found, **newer}
            return dict(opened.versions[1])

    def entries(self, after: int = 0, topic: str | None = None, subject: str | None = None) -> list[Entry]:
        """Return the entries with a `seq` above `after`, in order; only those of a topic and a subject where given."""
        wanted = sa.select(ENTRIES).where(ENTRIES.c.seq > after).order_by(ENTRIES.c.seq)
        if topic is not None:
            wanted = wanted.where(ENTRIES.c.topic == topic)
        if subject is not None:
            wanted = wanted.where(ENTRIES.c.subject == subject)
        with self._reading() as (_, connection):
            return [Entry(*row) for row in connection.execute(wanted)] if connection else []

    def find(self, entry_ids: Sequence[str]) -> dict[str, Entry]:
        """Return those of these entries that are there, by their id."""
        with self._reading() as (_, connection):
            return _found(connection, entry_ids) if connection else {}

    def write(self, entries: Sequence[NewEntry], *, author: str, effective_on: dt.date | str) -> list[Entry]:
        """Write entries, all or none, and return them as they are kept; `WorkspaceError` says what cannot be.

        `author` is the person who says so, `effective_on` the day from which it counts.
        """
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        return self.add([checked(one, author=author, effective_on=effective_on, written_at=now) for one in entries])[0]

    def add(self, entries: Sequence[Entry]) -> tuple[list[Entry], int]:
        """Write checked entries, all or none; return them as they are kept, and how many of them are new.

        One that is already there is left as it is; the same `entry_id` with other words is refused.
        """
        if not entries:
            return [], 0
        with self._writing, engines.clearly(self._url), self._made().engine.begin() as connection:
            engines.queue_up(connection)
            return _added(connection, entries)

    def close(self) -> None:
        """Close the connections; the workspace can be used again, and opens new ones then."""
        with self._opening:
            self._dispose()

    @contextmanager
    def _reading(self) -> Iterator[tuple[_Opened | None, sa.Connection | None]]:
        """Yield a connection whose every query sees all that is committed; None where nothing was ever written."""
        with engines.clearly(self._url):
            opened = self._ready()
            if opened is None:
                yield None, None
                return
            with opened.reader.connect() as connection:
                yield opened, connection

    def _ready(self) -> _Opened | None:
        """Return the workspace brought up to date, None where nothing was ever written.

        A file that was put in the place of another, as when a backup is restored, is opened anew: the old one is still
        there for those who have it open, and what they wrote into it would be lost.
        """
        present, opened = self._identity(), self._opened
        if opened is not None and opened.identity == present:
            return opened
        with self._opening:
            if self._opened is None or self._opened.identity != present:
                self._dispose()
                self._opened = self._open(present) if present else None
            return self._opened

    def _made(self) -> _Opened:
        """Return the workspace brought up to date; it is made where there is none."""
        opened = self._ready()
        if opened is not None:
            return opened
        with self._opening:
            engines.make_room(self._url)
            with engines.once(self._url) as connection, connection.begin():
                migrations.bring_up_to_date(connection)
        opened = self._ready()
        if opened is None:
            raise WorkspaceError(f"The workspace {self.place} was taken away while it was being made; try again.")
        return opened

    def _open(self, identity: tuple[int, int]) -> _Opened | None:
        with engines.once(self._url) as connection:
            revision = migrations.revision_of(connection)
        if revision == migrations.NOTHING:
            return None
        if revision != migrations.HEAD:
            with engines.once(self._url) as connection, connection.begin():
                migrations.bring_up_to_date(connection)
        engine = engines.connect(self._url)
        return _Opened(engine, engines.reader(engine), identity)

    def _identity(self) -> tuple[int, int] | None:
        """Tell one file from another in the same place; None where there is none."""
        if self._file is None:
            return (0, 0)
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WorkspaceError(f"The workspace {self.place} cannot be read: {error.strerror}.") from None
        return found.st_dev, found.st_ino

    def _dispose(self) -> None:
        if self._opened is not None:
            self._opened.engine.dispose()
        self._opened = None


def _added(connection: sa.Connection, entries: Sequence[Entry]) -> tuple[list[Entry], int]:
    kept = _found(connection, [one.entry_id for one in entries])
    seq = connection.scalar(_NEWEST) or 0
    rows: list[dict[str, Any]] = []
    for one in entries:
        there = kept.get(one.entry_id)
        if there is None:
            seq += 1
            kept[one.entry_id] = replace(one, seq=seq)
            rows.append(vars(kept[one.entry_id]))
        elif not there.says_the_same(one):
            raise WorkspaceError(there.stands_against(one))
    if rows:
        connection.execute(sa.insert(ENTRIES), rows)
    return [kept[one.entry_id] for one in entries], len(rows)


def _found(connection: sa.Connection, entry_ids: Sequence[str]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for start in range(0, len(entry_ids), _AT_ONCE):
        some = sa.select(ENTRIES).where(ENTRIES.c.entry_id.in_(entry_ids[start : start + _AT_ONCE]))
        found |= {row.entry_id: Entry(*row) for row in connection.execute(some)}
    return found

"""Where a workspace lies and how it is reached: SQLite in the data folder, or PostgreSQL by URL.

Writers take turns, so that entries get their numbers in the order in which they become visible.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from cs_metrics.errors import WorkspaceError
from cs_metrics.workspace.entries import canonical

__all__ = ["VARIABLE", "address", "clearly", "connect", "file_of", "make_room", "once", "place", "queue_up", "reader"]

VARIABLE = "CS_METRICS_WORKSPACE"
_PATIENCE_SECONDS = 30.0
_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "sqlite": "sqlite"}
_TURN = 0x63735F6D65747269  # any number will do, as long as every writer takes the same


def address(data_dir: Path, url: str | None = None) -> sa.URL:
    """Return where the workspace of a data folder lies: `url`, else the variable's, else a file in the folder."""
    given = url or os.environ.get(VARIABLE, "")
    if not given:
        return sa.URL.create("sqlite", database=str((data_dir / "workspace" / "workspace.sqlite").resolve()))
    try:
        found = sa.make_url(given)
    except (ArgumentError, ValueError):
        raise WorkspaceError(f"{VARIABLE} is no URL; write it as postgresql://user:password@host/database.") from None
    found = found.set(drivername=_DRIVERS.get(found.drivername, found.drivername))
    if found.drivername not in _DRIVERS.values() or not found.database:
        raise WorkspaceError(f"{place(found)} is neither postgresql://…/database nor sqlite:///path.")
    return found


def file_of(url: sa.URL) -> Path | None:
    """Return the file of a workspace in SQLite, None for one on a server."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def place(url: sa.URL) -> str:
    """Return where a workspace lies as people may see it: its path, or its URL without the password."""
    file = file_of(url)
    return str(file) if file else url.render_as_string(hide_password=True)


def make_room(url: sa.URL) -> None:
    """Make the folder of a workspace in SQLite."""
    file = file_of(url)
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"{file.parent} cannot be made for the workspace: {error.strerror}.") from None


def connect(url: sa.URL) -> sa.Engine:
    """Return an engine that threads may share; nothing is opened yet."""
    try:
        if file_of(url) is None:
            return sa.create_engine(url, pool_pre_ping=True, json_serializer=canonical)
        arguments: dict[str, Any] = {"isolation_level": None, "timeout": _PATIENCE_SECONDS}
        engine = sa.create_engine(url, connect_args=arguments, json_serializer=canonical)
    except ModuleNotFoundError:
        raise WorkspaceError(
            f"{place(url)} needs PostgreSQL's driver: run `python -m pip install -r requirements-postgres.txt`."
        ) from None
    sa.event.listen(engine, "connect", _settle)
    return engine


@contextmanager
def once(url: sa.URL) -> Iterator[sa.Connection]:
    """Yield a connection that is closed for good afterwards."""
    engine = connect(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def reader(engine: sa.Engine) -> sa.Engine:
    """Return the same engine for queries that need no transaction: each sees all that is committed when it starts."""
    return engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="AUTOCOMMIT")


def queue_up(connection: sa.Connection) -> None:
    """Begin to write: wait until every earlier writer has committed, and let no other in before the end."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("begin immediate")
    else:
        connection.execute(sa.select(sa.func.set_config("lock_timeout", f"{_PATIENCE_SECONDS * 1000:g}ms", True)))
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_TURN)))


@contextmanager
def clearly(url: sa.URL) -> Iterator[None]:
    """Turn what a database refuses into one sentence."""
    try:
        yield
    except SQLAlchemyError as error:
        raise WorkspaceError(_sentence(url, error)) from error


def _settle(connection: DBAPIConnection, _record: object) -> None:
    """Readers never wait for a writer (WAL); a commit is on the disk before anyone is told of it (FULL).

    What people write exists nowhere else, and they write seldom: a commit that a power cut can take back (NORMAL)
    would save milliseconds of theirs.
    """
    cursor = connection.cursor()
    with suppress(Exception):  # another process may be switching at this moment; whoever is first does it for all
        cursor.execute("pragma journal_mode = wal")
    cursor.execute("pragma synchronous = full")
    cursor.close()


def _sentence(url: sa.URL, error: SQLAlchemyError) -> str:
    reason = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()[0]
    where = f"The workspace {place(url)}"
    if "not a database" in reason or "malformed" in reason:
        return f"{where} is no workspace ({reason}); move it away, or put a backup in its place."
    if "readonly" in reason or "unable to open" in reason:
        return f"{where} cannot be opened or written ({reason}); check the permissions of the file and its folder."
    if "locked" in reason or "lock timeout" in reason:
        return f"{where} was busy for {_PATIENCE_SECONDS:g} seconds, and nothing was written; try again."
    return f"{where} cannot be used: {reason}."

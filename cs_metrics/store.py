"""The one place that opens a database: the published generations for reading, a new one for writing, scratch space.

A process keeps one in-memory connection and attaches each generation read-only beside it; a `Store` is one
generation together with what people had written by then, so all that a page asks of it comes from the same state.
"""

import datetime as dt
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from cs_metrics.config import Config, load_config
from cs_metrics.contract.tables import TABLES
from cs_metrics.errors import MissingTable, NothingPublished, StoreError
from cs_metrics.workspace.database import Workspace
from cs_metrics.workspace.overlay import Overlay

if TYPE_CHECKING:
    from cs_metrics.metrics.scope import Scope

__all__ = [
    "Database",
    "Draft",
    "Query",
    "Store",
    "draft",
    "generation_path",
    "published_number",
    "replay",
    "scratch",
    "trace",
    "writer",
]

_KEPT = 2
_KEPT_STATES = 20
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}


@dataclass(frozen=True)
class Query:
    """One query as it ran: its text, its bound parameters and how many rows came back."""

    sql: str
    params: Mapping[str, Any]
    rows: int


_TRACE: ContextVar[list[Query] | None] = ContextVar("trace", default=None)


@contextmanager
def trace() -> Iterator[list[Query]]:
    """Collect every query that runs inside the `with`, in order."""
    found: list[Query] = []
    token = _TRACE.set(found)
    try:
        yield found
    finally:
        _TRACE.reset(token)


def replay(queries: Iterable[Query]) -> None:
    """Count queries that ran before as run now: what they brought is used again."""
    found = _TRACE.get()
    if found is not None:
        found.extend(queries)


def generation_path(data_dir: Path, number: int) -> Path:
    """Return where generation `number` lies."""
    return data_dir / "generations" / f"generation-{number}.duckdb"


def published_number(data_dir: Path) -> int:
    """Return the number of the published generation; `NothingPublished` when there is none."""
    pointer = data_dir / "current.json"
    try:
        return int(json.loads(pointer.read_text(encoding="utf-8"))["generation"])
    except FileNotFoundError:
        raise NothingPublished(
            f"No data in {data_dir} yet: run `python -m cs_metrics demo` or `python -m cs_metrics load FOLDER`."
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{pointer} cannot be read ({error}); load the data again.") from None


def scratch(*, memory_gb: float = 2.0, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Return an in-memory database for reading and checking files; it never reaches for extensions on the network."""
    return _settle(duckdb.connect(":memory:"), memory_gb, threads)


def writer(path: Path, *, memory_gb: float = 2.0) -> duckdb.DuckDBPyConnection:
    """Return a connection that writes one new generation file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return _settle(duckdb.connect(str(path)), memory_gb, None)


def _settle(connection: duckdb.DuckDBPyConnection, memory_gb: float, threads: int | None) -> duckdb.DuckDBPyConnection:
    connection.execute("set autoinstall_known_extensions = false")
    connection.execute("set autoload_known_extensions = false")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set memory_limit = '{memory_gb:g}GB'")
    connection.execute("set enable_progress_bar = false")
    if threads:
        connection.execute(f"set threads = {int(threads)}")
    return connection


class Database:
    """The published data of one folder, for one process; safe to share between threads."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.resolve()
        self.workspace = Workspace.open(self.data_dir)
        self._lock = threading.Lock()
        self._stores: dict[tuple[int, int], Store] = {}
        self._attached: set[int] = set()
        self._root = scratch()
        self._root.execute(f"set allowed_directories = [{_quoted(str(self.data_dir / 'generations') + '/')}]")
        self._root.execute("set enable_external_access = false")
        self._root.execute("set lock_configuration = true")
        self._overlay = Overlay(self._root)

    @classmethod
    def open(cls, data_dir: Path | str) -> "Database":
        """Return the database of a data folder; nothing is read before `current()`."""
        return cls(Path(data_dir))

    def current(self) -> "Store":
        """Return the published generation with all that was written so far; `NothingPublished` when there is none yet."""
        key = published_number(self.data_dir), self.workspace.version()
        store = self._stores.get(key)
        if store is not None:
            return store
        with self._lock:
            if key not in self._stores:
                self._stores[key] = self._made(*key)
                self._forget_old()
            return self._stores[key]

    def close(self) -> None:
        """Close the connections; stores taken from it can no longer be asked."""
        self._root.close()
        self.workspace.close()

    def _made(self, number: int, version: int) -> "Store":
        if number not in self._attached:
            self._attach(number)
        if self._overlay.follow(self.workspace, version):
            self._stores.clear()
        return Store(
            root=self._root,
            number=number,
            data_dir=self.data_dir,
            written=self._overlay.schema(number, version),
            versions=self._overlay.versions(version),
        )

    def _attach(self, number: int) -> None:
        path = generation_path(self.data_dir, number)
        try:
            self._root.execute(f"attach {_quoted(str(path))} as g{number} (read_only)")
        except duckdb.Error as error:
            raise StoreError(f"{path} cannot be opened ({_first_line(error)}); load the data again.") from None
        self._attached.add(number)

    def _forget_old(self) -> None:
        """Keep the newest generations, and of each the newest states of the workspace."""
        for number, version in sorted(self._stores)[:-_KEPT_STATES]:
            del self._stores[number, version]
        for number in sorted(self._attached)[:-_KEPT]:
            self._stores = {key: store for key, store in self._stores.items() if key[0] != number}
            self._overlay.forget(number)
            try:
                self._root.execute(f"detach g{number}")
            except duckdb.Error:
                continue  # a reader is still in it; the next publication tries again
            self._attached.discard(number)


@dataclass(frozen=True, eq=False)
class Store:
    """One published generation with one state of the workspace, read-only.

    `written` is the schema of what people wrote; `versions` tells per topic of the workspace the last entry in it.
    """

    root: duckdb.DuckDBPyConnection
    number: int
    data_dir: Path
    written: str
    versions: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def _info(self) -> dict[str, Any]:
        names, rows = self._run("select * from generation_info", {}, is_traced=False)
        return dict(zip(names, rows[0], strict=True))

    @cached_property
    def _tables(self) -> dict[str, int]:
        return dict(self._run("select table_name, row_count from table_info", {}, is_traced=False)[1])

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The extra columns of accounts with their kind."""
        found: dict[str, str] = json.loads(self._info["attributes"])
        return found

    @cached_property
    def account_columns(self) -> tuple[str, ...]:
        """Every column of accounts, attributes included, by which a question may be narrowed."""
        return tuple(str(row[0]) for row in self._run("describe accounts", {}, is_traced=False)[1])

    @property
    def config(self) -> Config:
        """The settings in force for this data folder."""
        return load_config(self.data_dir)

    @property
    def time_zone(self) -> str:
        """The reporting time zone; the day of every event was fixed in it when the event was loaded."""
        return str(self._info["time_zone"])

    @property
    def newest_day(self) -> dt.date:
        """The newest day on which something happened: the default as-of day."""
        day: dt.date = self._info["newest_day"]
        return day

    @property
    def oldest_day(self) -> dt.date:
        """The first day that the data speaks of."""
        day: dt.date = self._info["oldest_day"]
        return day

    def version_of(self, topics: Iterable[str]) -> int:
        """Return the last entry of the workspace in any of these topics (`*`: in any at all), 0 where there is none."""
        wanted = set(topics)
        return max((seq for topic, seq in self.versions.items() if topic in wanted or "*" in wanted), default=0)

    def has(self, table: str) -> bool:
        """Tell whether a table of the contract holds rows."""
        return self._tables.get(table, 0) > 0

    def row_count(self, table: str) -> int:
        """Return how many rows of a contract table are published."""
        return self._tables.get(table, 0)

    def need(self, table: str, question: str) -> None:
        """Raise `MissingTable` when a table holds no rows; `question` says what needs it."""
        if table not in TABLES:
            raise StoreError(f"'{table}' is no table of the contract.")
        if not self.has(table):
            raise MissingTable(table, question)

    def frame(self, sql: str, *, scope: "Scope | None" = None, **params: Any) -> pd.DataFrame:
        """Run a query and return a frame: days as datetime64, whole numbers as int64 (Int64 where some are unknown).

        `$name` in the text is bound to `params`. With `scope` the text may read the relation `scope(account_id)`.
        """
        sql, params = self._scoped(sql, scope, params)
        cursor = self._cursor()
        try:
            cursor.execute(sql, _used(sql, params))
            kinds = [(str(one[0]), str(one[1])) for one in cursor.description or []]
            found = cursor.df()
        except duckdb.Error as error:
            raise StoreError(f"A query failed: {_first_line(error)}") from error
        finally:
            cursor.close()
        for name, kind in kinds:
            if kind in _WHOLE:
                found[name] = found[name].astype("Int64" if found[name].isna().any() else "int64")
            elif kind == "VARCHAR":
                found[name] = found[name].astype("str")
            elif kind == "DATE":
                found[name] = found[name].astype("datetime64[us]")
        _note(sql, params, len(found))
        return found

    def rows(self, sql: str, *, scope: "Scope | None" = None, **params: Any) -> list[tuple[Any, ...]]:
        """Run a query and return its rows as tuples of Python values."""
        sql, params = self._scoped(sql, scope, params)
        return self._run(sql, params)[1]

    def value(self, sql: str, *, scope: "Scope | None" = None, **params: Any) -> Any:
        """Run a query and return the first column of its first row, None where there is none."""
        found = self.rows(sql, scope=scope, **params)
        return found[0][0] if found else None

    def _run(
        self, sql: str, params: dict[str, Any], *, is_traced: bool = True
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        cursor = self._cursor()
        try:
            cursor.execute(sql, _used(sql, params))
            names = [str(one[0]) for one in cursor.description or []]
            found = cursor.fetchall()
        except duckdb.Error as error:
            raise StoreError(f"A query failed: {_first_line(error)}") from error
        finally:
            cursor.close()
        if is_traced:
            _note(sql, params, len(found))
        return names, found

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self.root.cursor()
        cursor.execute(f"set search_path = 'g{self.number}.main,{self.written}'")
        return cursor

    def _scoped(self, sql: str, scope: "Scope | None", params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if scope is None:
            return sql, params
        text, bound = scope.relation(self)
        sql = sql.strip()
        rest = f", {sql[4:].lstrip()}" if sql[:5].lower() in ("with ", "with\n") else f"\n{sql}"
        return f"with scope as (\n    {text}\n){rest}", {**params, **bound}


@dataclass(frozen=True)
class Draft:
    """A generation that is being made: `store` asks its marts without anything that people wrote, `write` adds tables.

    `earlier` asks the generation before it, None where there is none: what it holds may be kept, not only made again.
    """

    store: Store
    earlier: Store | None

    def write(self, table: str, columns: Mapping[str, str], rows: pd.DataFrame) -> None:
        """Write a table with these columns (name → DuckDB type); `rows` must hold all of them, in any order."""
        place = f"g{self.store.number}.main.{table}"
        self.store.root.register("_rows", rows[list(columns)])
        typed = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind in columns.items())
        self.store.root.execute(f"create or replace table {place} as select {typed} from _rows")
        self.store.root.unregister("_rows")


@contextmanager
def draft(path: Path, number: int, data_dir: Path, earlier: int | None = None) -> Iterator[Draft]:
    """Open a generation file that is not published yet, for reading and for adding tables to it.

    `earlier` is the number of the generation whose tables may be kept; it is only read.
    """
    root = scratch()
    try:
        root.execute(f"attach {_quoted(str(path))} as g{number}")
        overlay = Overlay(root)
        before = None
        if earlier is not None and generation_path(data_dir, earlier).exists():
            root.execute(f"attach {_quoted(str(generation_path(data_dir, earlier)))} as g{earlier} (read_only)")
            before = Store(root=root, number=earlier, data_dir=data_dir, written=overlay.schema(earlier, 0))
        yield Draft(Store(root=root, number=number, data_dir=data_dir, written=overlay.schema(number, 0)), before)
    finally:
        root.close()


def _note(sql: str, params: Mapping[str, Any], rows: int) -> None:
    queries = _TRACE.get()
    if queries is not None:
        queries.append(Query(sql=sql, params=_used(sql, params), rows=rows))


def _used(sql: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the parameters that the text names; the engine refuses any other."""
    named = set(re.findall(r"\$([a-z_][a-z0-9_]*)", sql))
    return {name: list(value) if isinstance(value, tuple) else value for name, value in params.items() if name in named}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]

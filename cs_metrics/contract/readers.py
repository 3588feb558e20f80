"""Where the tables of a load come from: a folder of CSV and Parquet files, or a DuckDB file.

A reader offers named tables; each opens as a relation whose rows carry `__file` and `__record`, so that a rejected row
can be found again. Another kind of source is one more class with the methods of `Reader`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import duckdb

from cs_metrics.contract.csv_files import (
    MAX_LINE_BYTES,
    Broken,
    Header,
    Row,
    broken_rows,
    find_broken,
    find_rows,
    read_header,
    with_one_newline,
)
from cs_metrics.contract.sql import literal, name, path_literal
from cs_metrics.errors import LoadError, hint

__all__ = [
    "FILE",
    "RECORD",
    "DuckdbReader",
    "FolderReader",
    "Lost",
    "Raw",
    "Reader",
    "first_line",
    "missing",
    "reader_of",
    "relation_columns",
    "rows_of",
]

FILE, RECORD = "__file", "__record"
_CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
_PARQUET = (".parquet", ".pq")
_BATCH = 50_000
_PART = re.compile(r"[-_. ]?(part[-_]?)?\d[\d_-]*")


@dataclass(frozen=True)
class Lost:
    """A row that never became a row: where it stands, what it holds, and why."""

    file: str
    line: int | None
    row: Mapping[str, str]
    reason: str


@dataclass(frozen=True)
class Raw:
    """One opened table: SQL of its rows (columns, then `__file` and `__record`), column types, and the file names."""

    name: str
    relation: str
    columns: Mapping[str, str]
    files: tuple[str, ...]


class Reader(Protocol):
    """A source of tables."""

    @property
    def label(self) -> str:
        """What the source is called in messages and in the history."""

    def names(self) -> list[str]:
        """Return the tables that the source holds."""

    def open(self, connection: duckdb.DuckDBPyConnection, table: str) -> Raw | None:
        """Open one table; None when the source does not hold it."""

    def lost(self, connection: duckdb.DuckDBPyConnection, raw: Raw) -> list[Lost]:
        """Return the rows that could not be split into fields while the relation was read."""

    def rows(
        self, connection: duckdb.DuckDBPyConnection, raw: Raw, file: int, records: Sequence[int]
    ) -> Iterator[tuple[int, Row]]:
        """Yield rows as they stand in the source, by ascending record number; line 0 where the source has no lines."""

    def unused(self) -> list[str]:
        """Return what the source holds and nothing opened."""

    def relax(self, table: str, folder: Path) -> bool:
        """Prepare a second attempt to read a table after a failed one; False when there is none."""


def reader_of(source: Path | str) -> Reader:
    """Return the reader for a path; `LoadError` when it is nothing that can be loaded."""
    source = _path(source)
    if source.is_dir():
        return FolderReader(source)
    if not source.exists():
        raise LoadError(f"{source} does not exist; give a folder of CSV or Parquet files, or a .duckdb file.")
    if source.suffix.lower() in (".duckdb", ".db", ".ddb"):
        return DuckdbReader(source)
    raise LoadError(f"{source} is neither a folder nor a .duckdb file; put the files into one folder and give that.")


def _path(source: Path | str) -> Path:
    if "://" in str(source):
        raise LoadError("Loading from a database URL is not part of this version; export the tables into one folder.")
    return Path(source)


def relation_columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return the columns of a relation with their types, without `__file` and `__record`."""
    rows = connection.execute(f"describe select * from {relation} as described").fetchall()
    return {str(row[0]): str(row[1]) for row in rows if row[0] not in (FILE, RECORD)}


@dataclass
class FolderReader:
    """CSV (also .gz) and Parquet files of a folder.

    The files of table `events` are `events.csv`, `events-2024-01.parquet` and everything in a subfolder `events`.
    """

    folder: Path
    _opened: set[Path] = field(default_factory=set)
    _paths: dict[str, list[Path]] = field(default_factory=dict)
    _headers: dict[Path, Header] = field(default_factory=dict)
    _copies: dict[Path, Path] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The folder as it was given."""
        return str(self.folder)

    def names(self) -> list[str]:
        """Return the file names without their endings, and the subfolders that hold files."""
        found = {_stem(path) for path in self._files(self.folder)}
        found |= {path.name for path in self.folder.iterdir() if path.is_dir() and self._files(path)}
        return sorted(found)

    def open(self, connection: duckdb.DuckDBPyConnection, table: str) -> Raw | None:
        """Open all files of a table as one relation; columns are matched by name, whatever their order."""
        paths = self._files_of(table)
        if not paths:
            return None
        self._opened |= set(paths)
        self._paths[table] = paths
        selects = [self._select(connection, path, index) for index, path in enumerate(paths)]
        relation = f"({' union all by name '.join(selects)})"
        try:
            columns = relation_columns(connection, relation)
        except duckdb.Error as error:
            raise LoadError(f"{self._shown(paths[0])} cannot be read: {first_line(error)}") from None
        return Raw(table, relation, columns, tuple(self._shown(path) for path in paths))

    def lost(self, connection: duckdb.DuckDBPyConnection, raw: Raw) -> list[Lost]:
        """Return the broken rows of the CSV files of a table."""
        found = []
        for path in self._paths[raw.name]:
            broken = self._broken(connection, path)
            if broken:
                lines = find_broken(self._place(path), self._headers[path], broken)
                found += [Lost(self._shown(path), row.line, row.fields, one.reason) for one, row in lines]
        return found

    def rows(
        self, connection: duckdb.DuckDBPyConnection, raw: Raw, file: int, records: Sequence[int]
    ) -> Iterator[tuple[int, Row]]:
        """Yield rows of one file; for Parquet the line is the number of the row in the file."""
        path = self._paths[raw.name][file]
        if path in self._headers:
            return find_rows(self._place(path), self._headers[path], records, self._broken(connection, path))
        return rows_of(
            connection,
            f"read_parquet({path_literal(path)}, file_row_number = true, hive_partitioning = false)",
            "file_row_number + 1",
            records,
        )

    def unused(self) -> list[str]:
        """Return the data files that were not read, and other tables' folders."""
        every = [*self._files(self.folder)]
        for path in self.folder.iterdir():
            if path.is_dir():
                every += self._files(path)
        return sorted(self._shown(path) for path in every if path not in self._opened)

    def relax(self, table: str, folder: Path) -> bool:
        """Give the CSV files of a table one kind of line end; DuckDB refuses a file that mixes them."""
        mixed = [path for path in self._paths[table] if path in self._headers and path not in self._copies]
        for path in mixed:
            self._copies[path] = with_one_newline(path, folder / str(len(self._copies)))
        return bool(mixed)

    def _files(self, folder: Path) -> list[Path]:
        found = [
            path
            for path in folder.iterdir()
            if path.is_file() and path.name.lower().endswith(_CSV + _PARQUET) and not path.name.startswith(".")
        ]
        return sorted(found, key=lambda path: path.name)

    def _files_of(self, table: str) -> list[Path]:
        if "/" in table or "\\" in table:
            return self._relative(table)
        wanted = table.lower()
        found = [path for path in self._files(self.folder) if _is_part(_stem(path).lower(), wanted)]
        for path in sorted(self.folder.iterdir()):
            if path.is_dir() and path.name.lower() == wanted:
                found += self._files(path)
        stems = [path.parent / _stem(path).lower() for path in found]
        twice = next((path for path in found if stems.count(path.parent / _stem(path).lower()) > 1), None)
        if twice is not None:
            raise LoadError(f"{self._shown(twice)} exists in two formats; keep the one that is to be loaded.")
        return found

    def _relative(self, table: str) -> list[Path]:
        path = self.folder / table
        if ".." in path.parts or not path.resolve().is_relative_to(self.folder.resolve()):
            raise LoadError(f"'{table}' lies outside {self.folder}; a mapping may name only files in it.")
        folder = FolderReader(path.parent) if path.parent.is_dir() else None
        return folder._files_of(_stem(path)) if folder else []

    def _select(self, connection: duckdb.DuckDBPyConnection, path: Path, index: int) -> str:
        if path.name.lower().endswith(_PARQUET):
            columns = f"* exclude (file_row_number), {index} as {FILE}, file_row_number + 1 as {RECORD}"
            return f"select {columns} from read_parquet({path_literal(path)}, file_row_number = true, hive_partitioning = false)"
        header = self._headers.setdefault(path, read_header(path))
        errors = self._errors_table(path)
        connection.execute(f"drop table if exists {errors}")
        connection.execute(f"drop table if exists {errors}_scans")
        types = ", ".join(f"{literal(one)}: 'VARCHAR'" for one in header.names)
        return (
            f"select *, {index} as {FILE}, row_number() over () as {RECORD} from read_csv({path_literal(self._place(path))}, "
            f"auto_detect = false, header = true, columns = {{{types}}}, delim = {literal(header.delimiter)}, quote = '\"', "
            f"escape = '\"', max_line_size = {MAX_LINE_BYTES}, buffer_size = {2 * MAX_LINE_BYTES}, store_rejects = true, "
            f"rejects_table = '{errors}', rejects_scan = '{errors}_scans')"
        )

    def _broken(self, connection: duckdb.DuckDBPyConnection, path: Path) -> list[Broken]:
        if path not in self._headers:
            return []
        known = "select count(*) from duckdb_tables() where table_name = ?"
        if not connection.execute(known, [self._errors_table(path)]).fetchall()[0][0]:
            return []
        errors = connection.execute(
            "select distinct line_byte_position, cast(error_type as varchar), error_message, csv_line "
            f"from {self._errors_table(path)} order by 1, 2"
        ).fetchall()
        return broken_rows(self._place(path), errors)

    def _errors_table(self, path: Path) -> str:
        return f"broken_{list(self._headers).index(path)}"

    def _place(self, path: Path) -> Path:
        return self._copies.get(path, path)

    def _shown(self, path: Path) -> str:
        try:
            return str(path.relative_to(self.folder))
        except ValueError:
            return path.name


@dataclass
class DuckdbReader:
    """Tables and views of a DuckDB file."""

    path: Path
    _opened: set[str] = field(default_factory=set)
    _known: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The file as it was given."""
        return str(self.path)

    def names(self) -> list[str]:
        """Return the tables and views; those outside the schema `main` with their schema."""
        return sorted(self._known)

    def open(self, connection: duckdb.DuckDBPyConnection, table: str) -> Raw | None:
        """Open one table or view."""
        self._attach(connection)
        known = {word.lower(): word for word in self._known}
        if table.lower() not in known:
            return None
        found = known[table.lower()]
        self._opened.add(found)
        relation = f"(select *, 0 as {FILE}, row_number() over () as {RECORD} from {self._known[found]})"
        return Raw(table, relation, relation_columns(connection, relation), (f"{self.path.name}:{found}",))

    def lost(self, connection: duckdb.DuckDBPyConnection, raw: Raw) -> list[Lost]:
        """Return nothing: a database has no broken rows."""
        return []

    def rows(
        self, connection: duckdb.DuckDBPyConnection, raw: Raw, file: int, records: Sequence[int]
    ) -> Iterator[tuple[int, Row]]:
        """Yield rows of a table; they have no lines."""
        for record, row in rows_of(connection, raw.relation, RECORD, records):
            yield record, Row(0, row.fields)

    def unused(self) -> list[str]:
        """Return the tables that were not read."""
        return sorted(set(self._known) - self._opened)

    def relax(self, table: str, folder: Path) -> bool:
        """Return False: there is no second way to read a database."""
        return False

    def _attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        if self._known:
            return
        try:
            connection.execute(f"attach {literal(str(self.path))} as source (read_only)")
        except duckdb.Error as error:
            raise LoadError(f"{self.path} cannot be opened: {first_line(error)}") from None
        rows = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_catalog = 'source' order by all"
        ).fetchall()
        for schema, table in rows:
            shown = table if schema == "main" else f"{schema}.{table}"
            self._known[shown] = f"source.{name(schema)}.{name(table)}"


def missing(reader: Reader, table: str) -> LoadError:
    """Return the error for a table that a source does not hold."""
    return LoadError(f"{reader.label} holds nothing called '{table}'.{hint(table, reader.names())}")


def rows_of(
    connection: duckdb.DuckDBPyConnection, relation: str, number: str, records: Sequence[int]
) -> Iterator[tuple[int, Row]]:
    """Yield rows of any relation by ascending number, a batch at a time; the line is that number."""
    columns = [one for one in relation_columns(connection, relation) if one != "file_row_number"]
    fields = ", ".join(f"{literal(one)}: {name(one)}" for one in columns)
    query = f"select {number}, to_json({{{fields}}}) from {relation} as numbered"
    for start in range(0, len(records), _BATCH):
        batch = list(records[start : start + _BATCH])
        rows: list[tuple[Any, ...]] = connection.execute(
            f"select found.* from ({query}) as found(n, row) semi join (select unnest($1::bigint[]) as record) "
            "on record = n order by n",
            [batch],
        ).fetchall()
        for record, row in rows:
            yield int(record), Row(int(record), json.loads(row))


def _stem(path: Path) -> str:
    stem = path.name
    for ending in sorted(_CSV + _PARQUET, key=len, reverse=True):
        if stem.lower().endswith(ending):
            return stem[: -len(ending)]
    return stem


def _is_part(stem: str, wanted: str) -> bool:
    return stem == wanted or (stem.startswith(wanted) and _PART.fullmatch(stem[len(wanted) :]) is not None)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__

"""What one table of a load is read from: the source's own columns by name, or as a mapping says."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from cs_metrics.contract.csv_files import Row
from cs_metrics.contract.expressions import checked_expression, checked_query, tables_read
from cs_metrics.contract.mapping import Mapping, TableMapping
from cs_metrics.contract.readers import FILE, RECORD, Raw, Reader, first_line, missing, relation_columns, rows_of
from cs_metrics.contract.sql import literal, name
from cs_metrics.contract.tables import Table
from cs_metrics.contract.values import Source
from cs_metrics.errors import LoadError, MappingError, hint

__all__ = ["Input", "open_input"]


@dataclass(frozen=True)
class Input:
    """The rows of one table before they are checked.

    `relation` holds `__file`, `__record` and a column `c_<name>` per mapped column; `sources` says how to read each.
    `base` is what rows are found in again (None for a query), `others` are further tables read beside it. `ignored`
    are the columns of the base that nothing uses, `is_filtered` tells whether the mapping leaves rows out.
    """

    table: Table
    relation: str
    sources: dict[str, Source]
    label: str
    base: Raw | None
    others: tuple[Raw, ...] = ()
    ignored: tuple[str, ...] = ()
    is_filtered: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """The file names that `__file` counts."""
        return self.base.files if self.base else (self.label,)

    def rows(
        self, connection: duckdb.DuckDBPyConnection, reader: Reader, file: int, records: Sequence[int]
    ) -> Iterator[tuple[int, Row]]:
        """Yield rows as they stand in the source, by ascending record number."""
        if self.base is not None:
            yield from reader.rows(connection, self.base, file, records)
            return
        for record, row in rows_of(connection, self.relation, RECORD, records):
            yield record, Row(0, _plain(row.fields))


def open_input(connection: duckdb.DuckDBPyConnection, reader: Reader, mapping: Mapping, table: Table) -> Input | None:
    """Open the rows of a contract table; None when the source does not hold it.

    `MappingError` when the mapping names something that does not exist, `LoadError` when a required column is missing.
    """
    mapped = mapping.tables.get(table.name)
    if mapped is not None and mapped.query:
        return _open_query(connection, reader, mapping, table, mapped)
    wanted = mapped.source if mapped and mapped.source else table.name
    base = reader.open(connection, wanted)
    if base is None:
        if mapped is not None:
            raise MappingError(f"tables.{table.name}: {missing(reader, wanted)}")
        return None
    return _Compiler(connection, reader, mapping, table, base, mapped or TableMapping()).run()


def _open_query(
    connection: duckdb.DuckDBPyConnection, reader: Reader, mapping: Mapping, table: Table, mapped: TableMapping
) -> Input:
    where = f"tables.{table.name}.query"
    raws: list[Raw] = []
    views: dict[str, str] = {}
    for index, word in enumerate(tables_read(mapped.query, where)):
        raw = reader.open(connection, word)
        if raw is None:
            raise MappingError(f"{where}: {missing(reader, word)}")
        view = f"{table.name}_source_{index}"
        connection.execute(
            f"create or replace temp view {view} as select * exclude ({FILE}, {RECORD}) from {raw.relation} as opened"
        )
        views[word.lower()] = view
        raws.append(raw)
    query = checked_query(mapped.query, where, views)
    result = f"{table.name}_query"
    try:
        connection.execute(
            f"create or replace temp table {result} as select *, 0 as {FILE}, row_number() over () as {RECORD} "
            f"from ({query}) as result"
        )
    except duckdb.Error as error:
        raise MappingError(f"{where}: {_sql_error(error)}") from None
    known = {column.name: column for column in mapping.columns(table)}
    types = relation_columns(connection, result)
    for word in types:
        if word.lower() not in known:
            raise MappingError(f"{where}: the query returns the unknown column '{word}'.{hint(word, known)}")
    columns = ", ".join(f"{_valued(mapped, word.lower(), name(word))} as {name('c_' + word.lower())}" for word in types)
    relation = f"(select {FILE}, {RECORD}, {columns} from {result})"
    label = f"query over {', '.join(raw.files[0] for raw in raws)}"
    sources = _sources(connection, mapping, table, relation)
    _require(table, sources, label, list(types))
    return Input(table, relation, sources, label, None, tuple(raws))


@dataclass
class _Compiler:
    """Writes the select that turns a source table, its lookups and a mapping into the columns of a contract table."""

    connection: duckdb.DuckDBPyConnection
    reader: Reader
    mapping: Mapping
    table: Table
    base: Raw
    mapped: TableMapping
    lookups: dict[str, Raw] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def run(self) -> Input:
        joins = [self._join(alias) for alias in self.mapped.join]
        columns = self._columns()
        where = f" where {self._expression('where', self.mapped.where)}" if self.mapped.where else ""
        selected = "".join(f", {sql} as {name('c_' + word)}" for word, sql in columns.items())
        relation = (
            f"(select base.{FILE}, base.{RECORD}{selected} from {self.base.relation} as base{''.join(joins)}{where})"
        )
        _require(self.table, columns, self.base.files[0], list(self.base.columns))
        sources = _sources(self.connection, self.mapping, self.table, relation)
        ignored = tuple(word for word in self.base.columns if word not in self.used)
        others = tuple(self.lookups.values())
        return Input(
            self.table, relation, sources, self.base.files[0], self.base, others, ignored, bool(self.mapped.where)
        )

    def _join(self, alias: str) -> str:
        join = self.mapped.join[alias]
        where = f"tables.{self.table.name}.join.{alias}"
        raw = self.reader.open(self.connection, join.source or alias)
        if raw is None:
            raise MappingError(f"{where}: {missing(self.reader, join.source or alias)}")
        self.lookups[alias] = raw
        theirs, ours = _column_in(raw, join.theirs, where), self._base_column(join.ours, where)
        self._refuse_repeated(raw, theirs, where)
        rows = f"(select * exclude ({FILE}, {RECORD}) from {raw.relation} as opened)"
        return f" left join {rows} as {name(alias)} on cast({name(alias)}.{name(theirs)} as varchar) = cast({ours} as varchar)"

    def _refuse_repeated(self, raw: Raw, key: str, where: str) -> None:
        rows = self.connection.execute(
            f"select cast({name(key)} as varchar) from {raw.relation} as opened group by 1 having count(*) > 1 and any_value({name(key)}) is not null limit 1"
        ).fetchall()
        if rows:
            raise MappingError(
                f"{where}: '{rows[0][0]}' occurs twice in {key} of {raw.files[0]}, so rows would be multiplied."
            )

    def _columns(self) -> dict[str, str]:
        found: dict[str, str] = {}
        own = self._own_names()
        for column in self.mapping.columns(self.table):
            where = f"tables.{self.table.name}.columns.{column.name}"
            if column.name in self.mapped.columns:
                sql = self._named(self.mapped.columns[column.name], where)
            elif column.name in self.mapped.constants:
                sql = literal(_spelled(self.mapped.constants[column.name]))
            elif column.name in self.mapped.expressions:
                sql = self._expression(f"expressions.{column.name}", self.mapped.expressions[column.name])
            elif column.name in own:
                sql = self._base_column(own[column.name], where)
            else:
                continue
            found[column.name] = _valued(self.mapped, column.name, sql)
        return found

    def _own_names(self) -> dict[str, str]:
        """Return the columns of the base whose name is that of a contract column, whatever its case."""
        known = {column.name for column in self.mapping.columns(self.table)}
        found: dict[str, str] = {}
        for column in self.base.columns:
            normal = re.sub(r"[\s-]+", "_", column.strip().lower())
            if normal in found:
                raise LoadError(
                    f"{self.base.files[0]} has the columns '{found[normal]}' and '{column}', which both mean {normal}; "
                    "rename one."
                )
            if normal in known:
                found[normal] = column
        return found

    def _named(self, given: str, where: str) -> str:
        """Return the column that a mapping names: `column`, or `lookup.column`."""
        lookup, dot, column = given.partition(".")
        if dot and lookup in self.lookups and _find(self.base, given) is None:
            return f"{name(lookup)}.{name(_column_in(self.lookups[lookup], column, where))}"
        return self._base_column(given, where)

    def _base_column(self, given: str, where: str) -> str:
        found = _column_in(self.base, given, where)
        self.used.add(found)
        return f"base.{name(found)}"

    def _expression(self, entry: str, text: str) -> str:
        where = f"tables.{self.table.name}.{entry}"

        def resolve(qualifier: str, column: str) -> str:
            if qualifier in self.lookups:
                return f"{name(qualifier)}.{name(_column_in(self.lookups[qualifier], column, where))}"
            if qualifier and qualifier != "base":
                raise MappingError(f"{where}: unknown table '{qualifier}'.{hint(qualifier, [*self.lookups, 'base'])}")
            return self._base_column(column, where)

        return checked_expression(text, where, resolve)


def _sources(connection: duckdb.DuckDBPyConnection, mapping: Mapping, table: Table, relation: str) -> dict[str, Source]:
    try:
        types = relation_columns(connection, relation)
    except duckdb.Error as error:
        raise MappingError(f"tables.{table.name}: {_sql_error(error)}") from None
    return {
        word.removeprefix("c_"): Source(name(word), kind, mapping.formats(table.name, word.removeprefix("c_")))
        for word, kind in types.items()
    }


def _require(table: Table, found: Iterable[str], label: str, columns: list[str]) -> None:
    for column in table:
        if column.required and column.name not in set(found):
            raise LoadError(
                f"{label} has no column '{column.name}', which every row of {table.name} needs; add it or name it in "
                f"mapping.toml.{hint(column.name, columns)}"
            )


def _valued(mapped: TableMapping, column: str, sql: str) -> str:
    """Apply the value map of a column: words are compared in small letters without blanks around them."""
    given = mapped.values.get(column)
    if not given:
        return sql
    text = f"cast({sql} as varchar)"
    known = {word.strip().lower(): value for word, value in given.items() if word != "*"}
    whens = " ".join(f"when {literal(word)} then {literal(value)}" for word, value in known.items())
    other = f"case when trim({text}) <> '' then {literal(given['*'])} end" if "*" in given else text
    if not known:
        return other
    return f"case coalesce(lower(trim({text})), '') {whens} else {other} end"


def _find(raw: Raw, given: str) -> str | None:
    wanted = given.lower()
    return next((column for column in raw.columns if column.lower() == wanted), None)


def _column_in(raw: Raw, given: str, where: str) -> str:
    found = _find(raw, given)
    if found is None:
        raise MappingError(f"{where}: {raw.files[0]} has no column '{given}'.{hint(given, raw.columns)}")
    return found


def _sql_error(error: duckdb.Error) -> str:
    said = first_line(error).partition(": ")[2].rstrip(".")
    return f"{said} (columns of CSV files are text until they are cast)."


def _spelled(constant: Any) -> str:
    if isinstance(constant, bool):
        return "true" if constant else "false"
    return str(constant)


def _plain(fields: Any) -> dict[str, str]:
    return {word.removeprefix("c_"): value for word, value in fields.items() if word not in (FILE, RECORD)}

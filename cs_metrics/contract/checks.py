"""What is checked before a row is believed, as set-based SQL.

First each table is read into a stage: typed values, and for a row that cannot be used the first column at fault. When
all tables are staged the newest day is known and the rest follows: impossible future, unknown accounts, repeated keys.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from cs_metrics import periods
from cs_metrics.contract.facts import EVENTS
from cs_metrics.contract.mapped import Input
from cs_metrics.contract.readers import FILE, RECORD
from cs_metrics.contract.sql import listed, literal, name, path_literal
from cs_metrics.contract.tables import Column, Table, day_column
from cs_metrics.contract.values import Field, field_of, local_day, rounded_money

__all__ = [
    "MAX_YEARS_AHEAD",
    "QUIET_DAYS",
    "Stage",
    "check_events",
    "check_keyed",
    "create_rejected",
    "fact_names",
    "newest_day",
    "remember_keys",
    "stage",
]

MAX_YEARS_AHEAD = 20
QUIET_DAYS = 365
_PROBLEM = ("__column", "__value", "__reason")
_MONTH = "__month"
_SHOWN = 500


@dataclass(frozen=True)
class Stage:
    """One table after reading: where its typed rows are (`relation`), how many were read, what is known of them."""

    input: Input
    columns: tuple[Column, ...]
    relation: str
    read: int
    rounded: int

    @property
    def table(self) -> Table:
        """The contract table."""
        return self.input.table

    @property
    def days(self) -> list[str]:
        """The columns of the stage that hold a day or an instant."""
        return [column.name for column in self.columns if column.kind in ("date", "time")]


def fact_names(columns: Iterable[Column]) -> list[str]:
    """Return the columns of a fact file, companion days included."""
    found = []
    for column in columns:
        found.append(column.fact_name)
        if column.kind == "time":
            found.append(day_column(column.name))
    return found


def create_rejected(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the list of rejected rows: table, file and record number, column, value, reason."""
    connection.execute(
        "create or replace temp table rejected (table_name varchar, file integer, record bigint, "
        "column_name varchar, value varchar, reason varchar)"
    )


def stage(
    connection: duckdb.DuckDBPyConnection, given: Input, columns: tuple[Column, ...], *, time_zone: str, folder: Path
) -> Stage:
    """Read one table into typed rows; rows that cannot be used are listed in `rejected`.

    Events go to Parquet files by month in `folder`, so that memory holds a part of them at a time.
    """
    sql = _stage_sql(given, columns, time_zone)
    where = f"{name('stage_' + given.table.name)}"
    if given.table.name == EVENTS:
        month = "case when __reason is null then 100 * year(occurred_on) + month(occurred_on) else 0 end"
        connection.execute(
            f"copy (select *, {month} as {_MONTH} from ({sql})) to {literal(str(folder))} "
            f"(format parquet, partition_by ({_MONTH}), compression lz4_raw, write_partition_columns true)"
        )
        where = _event_stage(connection, folder, sql)
    else:
        connection.execute(f"create or replace temp table {where} as {sql}")
    read, rounded = connection.execute(f"select count(*), count(*) filter (where __rounded) from {where}").fetchall()[0]
    connection.execute(
        f"insert into rejected select {literal(given.table.name)}, {FILE}, {RECORD}, {', '.join(_PROBLEM)} "
        f"from {where} where __reason is not null"
    )
    return Stage(given, columns, where, int(read), int(rounded))


def newest_day(days: Iterable[tuple[dt.date, int]], known: dt.date | None = None) -> dt.date | None:
    """Return the newest day on which something happened, given (day, rows), or None without any.

    The count starts from the day of the middle row (with `known`, from that day) and ends before a year in which
    nothing happens: a typing error in a date must not move the clock.
    """
    counted = sorted((day, rows) for day, rows in days if day is not None)
    if known is None:
        if not counted:
            return None
        half, seen = sum(rows for _, rows in counted) / 2, 0
        for day, rows in counted:
            seen += rows
            if seen >= half:
                known = day
                break
    assert known is not None
    newest = known
    for day, _ in counted:
        if newest < day <= periods.add_days(newest, QUIET_DAYS):
            newest = day
    return newest


def happened_days(
    connection: duckdb.DuckDBPyConnection, stages: dict[str, Stage], happened: dict[str, str]
) -> list[tuple[dt.date, int]]:
    """Count rows per day over the given day column of each staged table."""
    selects = [
        f"select {name(day)} as day, count(*) as rows from {stages[table].relation} where __reason is null group by 1"
        for table, day in happened.items()
        if table in stages
    ]
    if not selects:
        return []
    rows = connection.execute(
        f"select day, cast(sum(rows) as bigint) from ({' union all '.join(selects)}) where day is not null group by 1"
    ).fetchall()
    return [(row[0], int(row[1])) for row in rows]


def remember_keys(connection: duckdb.DuckDBPyConnection, table: Table, final: str, checked: str) -> None:
    """Keep the keys of a table for those that refer to it, and those of its rejected rows to say so."""
    key = name(table.key[0])
    connection.execute(
        f"create or replace temp table known_{table.name} as select {key} as id, bool_or(is_accepted) as is_accepted "
        f"from (select {key}, true as is_accepted from {final} "
        f"union all select {key}, false from {checked} as checked where {key} is not null) group by 1"
    )


def check_keyed(connection: duckdb.DuckDBPyConnection, staged: Stage, newest: dt.date | None) -> tuple[str, int]:
    """Check a keyed table: far future, references, repeated keys.

    Return the table of accepted rows, and how many rows were identical to an earlier one.
    """
    table, checked = staged.table, f"checked_{staged.table.name}"
    facts = fact_names(staged.columns)
    columns, joins = _late_problems(staged, newest)
    key = listed(_fact_key(table))
    connection.execute(
        f"create or replace temp table {checked} as "
        f"with judged as (select s.* replace ({columns}) from {staged.relation} s{joins}), "
        f"numbered as (select *, row_number() over same as __nth, first_value(row({listed(facts)})) over same as __first "
        f"from judged window same as (partition by __reason is null, {key} order by {FILE}, {RECORD})) "
        f"select * exclude (__first), __nth > 1 and __first is not distinct from row({listed(facts)}) as __same from numbered"
    )
    _reject_late(connection, staged, checked)
    text = ", ".join(f"coalesce(cast({name(one)} as varchar), '')" for one in _fact_key(table))
    connection.execute(
        f"insert into rejected select {literal(table.name)}, {FILE}, {RECORD}, {literal(', '.join(table.key))}, "
        f"concat_ws(', ', {text}), 'was given by an earlier row with other values; the first row stays' "
        f"from {checked} where __reason is null and __nth > 1 and not __same"
    )
    accepted = f"accepted_{table.name}"
    connection.execute(
        f"create or replace temp table {accepted} as select {listed(facts)} from {checked} "
        "where __reason is null and __nth = 1"
    )
    same = connection.execute(f"select count(*) from {checked} where __reason is null and __same").fetchall()
    return accepted, int(same[0][0])


def check_events(connection: duckdb.DuckDBPyConnection, staged: Stage, newest: dt.date | None) -> str:
    """Check events against the accounts and the newest day; return the relation of the accepted ones."""
    columns, joins = _late_problems(staged, newest)
    judged = f"(select s.* replace ({columns}) from {staged.relation} s{joins})"
    _reject_late(connection, staged, judged)
    facts = listed(fact_names(staged.columns))
    return f"(select {facts}, {_MONTH} from {judged} where __reason is null)"


def event_months(connection: duckdb.DuckDBPyConnection, accepted: str) -> list[str]:
    """Return the months of the accepted events, oldest first."""
    rows = connection.execute(f"select distinct {_MONTH} from {accepted} as accepted order by 1").fetchall()
    return [f"{row[0] // 100:04d}-{row[0] % 100:02d}" for row in rows]


def _event_stage(connection: duckdb.DuckDBPyConnection, folder: Path, sql: str) -> str:
    files = sorted(folder.rglob("*.parquet"))
    if not files:
        connection.execute(f"create or replace temp table stage_events as select *, 0 as {_MONTH} from ({sql}) limit 0")
        return "stage_events"
    return f"read_parquet([{', '.join(path_literal(file) for file in files)}], hive_partitioning = false)"


def _stage_sql(given: Input, columns: tuple[Column, ...], time_zone: str) -> str:
    fields = [field_of(given.table, column, given.sources.get(column.name)) for column in columns]
    values = ", ".join(f"{one.value} as {one.value_name}" for one in fields)
    reasons = ", ".join(f"{one.reason} as r_{one.column.name}" for one in fields)
    facts = ", ".join(_facts(fields, time_zone))
    rounded = " or ".join(rounded_money(one) for one in fields if one.column.kind == "money") or "false"
    return (
        f"with read as (select *, {values} from {given.relation} as given), "
        f"judged as (select *, {reasons} from read) "
        f"select {FILE}, {RECORD}, {facts}, {_first_problem(given.table, fields)}, coalesce({rounded}, false) as __rounded "
        "from judged"
    )


def _facts(fields: list[Field], time_zone: str) -> Iterable[str]:
    for one in fields:
        yield f"cast({one.value_name} as {one.column.sql_type}) as {name(one.column.fact_name)}"
        if one.column.kind == "time":
            yield f"{local_day(one.value_name, time_zone)} as {name(day_column(one.column.name))}"


def _first_problem(table: Table, fields: list[Field]) -> str:
    problems = [(f"r_{one.column.name} is not null", one, f"r_{one.column.name}") for one in fields]
    by = {one.column.name: one for one in fields}
    for earlier, later in table.ordered:
        reason = f"'lies before {earlier} ' || cast({by[earlier].value_name} as varchar)"
        problems.append((f"{by[later].value_name} < {by[earlier].value_name}", by[later], reason))
    column = " ".join(f"when {test} then {literal(one.column.name)}" for test, one, _ in problems)
    value = " ".join(f"when {test} then left({one.text}, {_SHOWN})" for test, one, _ in problems)
    reason = " ".join(f"when {test} then {said}" for test, _, said in problems)
    return f"case {column} end as __column, case {value} end as __value, case {reason} end as __reason"


def _fact_key(table: Table) -> list[str]:
    return [table.column(one).fact_name for one in table.key]


def _late_problems(staged: Stage, newest: dt.date | None) -> tuple[str, str]:
    """Return the replaced problem columns and the joins for what can be judged only when all tables are staged."""
    problems: list[tuple[str, str, str]] = []
    if newest is not None:
        limit = periods.add_months(newest, 12 * MAX_YEARS_AHEAD)
        said = f"'lies more than {MAX_YEARS_AHEAD} years after {newest}, the newest day in the data'"
        for day in staged.days:
            problems.append((f"cast(s.{name(day)} as date) > date {literal(limit.isoformat())}", day, said))
    joins = ""
    for column in staged.columns:
        if column.refers_to and column.refers_to != staged.table.name:
            known = f"known_{column.refers_to}"
            joins += f" left join {known} on {known}.id = s.{name(column.name)}"
            said = (
                f"case when {known}.id is null then 'is not known in {column.refers_to}' "
                f"else 'belongs to a row of {column.refers_to} that was rejected' end"
            )
            problems.append((f"not coalesce({known}.is_accepted, false)", column.name, said))
    whens = [
        " ".join(f"when {test} then {literal(column)}" for test, column, _ in problems),
        " ".join(f"when {test} then left(cast(s.{name(column)} as varchar), {_SHOWN})" for test, column, _ in problems),
        " ".join(f"when {test} then {said}" for test, _, said in problems),
    ]
    replaced = [
        f"case when s.__reason is not null then s.{one} {when} end as {one}"
        for one, when in zip(_PROBLEM, whens, strict=True)
    ]
    return ", ".join(replaced), joins


def _reject_late(connection: duckdb.DuckDBPyConnection, staged: Stage, judged: str) -> None:
    """List the rows that only the late checks reject; those of the stage are listed already."""
    connection.execute(
        f"insert into rejected select {literal(staged.table.name)}, {FILE}, {RECORD}, {', '.join(_PROBLEM)} "
        f"from {judged} as late where __reason is not null and not exists (select 1 from rejected r where "
        f"r.table_name = {literal(staged.table.name)} and r.file = late.{FILE} and r.record = late.{RECORD})"
    )

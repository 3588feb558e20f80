"""From accepted rows to fact files: what a load adds to what is published, written only where something changed.

Keyed tables are one file each, sorted by key; events are one file a month, sorted by account and time. A file is
recognised by the fingerprint of its rows, so a table or month that holds the same rows keeps its file.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from cs_metrics.contract.checks import event_months, fact_names
from cs_metrics.contract.facts import EVENTS, Manifest, Touched, to_disk
from cs_metrics.contract.relations import fact_columns, files_relation
from cs_metrics.contract.sql import listed, literal, name
from cs_metrics.contract.tables import TABLES, Column, Table
from cs_metrics.periods import day_of

__all__ = ["Merged", "Writer"]

Progress = Callable[[str, int, int], None]
_EVENT_ORDER = "account_id, occurred_at, event, user_id, product_id, quantity"


@dataclass
class Merged:
    """What became of the accepted rows of one table: new ones, changed ones, and ones that were there already."""

    added: int = 0
    updated: int = 0
    known: int = 0


@dataclass
class Writer:
    """Merges one load into the facts and writes the files that changed.

    `earlier` is the manifest that is published (None at first), `known` the fingerprints of fact files by path. What
    the load leaves is in `files`, `fingerprints` and `rows`, and what it changed in `touched`.
    """

    connection: duckdb.DuckDBPyConnection
    data_dir: Path
    number: int
    is_add: bool
    earlier: Manifest | None
    known: dict[str, str]
    attributes: dict[str, str]
    files: dict[str, list[str]] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    touched: Touched = field(default_factory=Touched)
    written: list[Path] = field(default_factory=list)

    def old(self, table: Table) -> str:
        """Return the rows that a keyed table held before; none when the load replaces everything."""
        files = self.earlier.table_files(table.name) if self.is_add and self.earlier else []
        return files_relation(self.connection, self.data_dir, files, fact_columns(table, self.attributes))

    def final(self, table: str) -> str:
        """Return the rows that a keyed table holds after the load."""
        return f"final_{table}"

    def merge(self, table: Table, accepted: str | None, columns: Iterable[Column]) -> Merged:
        """Put the accepted rows of a keyed table over the ones before, by key; a key may be unknown in part."""
        wanted = fact_columns(table, self.attributes)
        given = set(fact_names(columns))
        new = ", ".join(
            name(word) if word in given else f"cast(null as {kind}) as {name(word)}" for word, kind in wanted.items()
        )
        if accepted is None:
            self.connection.execute(
                f"create or replace temp view {self.final(table.name)} as select * from {self.old(table)}"
            )
            return Merged()
        given_rows = f"(select {new} from {accepted})"
        if not self.is_add:
            self.connection.execute(
                f"create or replace temp table {self.final(table.name)} as select * from {given_rows}"
            )
            return Merged(added=self._count(self.final(table.name)))
        return self._upsert(table, list(wanted), given_rows)

    def _upsert(self, table: Table, columns: list[str], given: str) -> Merged:
        key = [table.column(one).fact_name for one in table.key]
        same_key = " and ".join(f"n.{name(one)} is not distinct from o.{name(one)}" for one in key)
        same_row = " and ".join(f"n.{name(one)} is not distinct from o.{name(one)}" for one in columns)
        self.connection.execute(f"create or replace temp table before as select * from {self.old(table)}")
        self.connection.execute(
            f"create or replace temp table merged as select n.*, o.{name(key[0])} is not null as is_known, "
            f"o.{name(key[0])} is not null and {same_row} as is_same from {given} n left join before o on {same_key}"
        )
        counts = self.connection.execute(
            "select count(*) filter (where not is_known), count(*) filter (where is_known and not is_same), "
            "count(*) filter (where is_same) from merged"
        ).fetchall()[0]
        self.connection.execute(
            f"create or replace temp table {self.final(table.name)} as select {listed(columns)} from merged "
            f"union all select {listed(columns)} from before o where not exists (select 1 from merged n where {same_key})"
        )
        return Merged(*(int(count) for count in counts))

    def write_keyed(self, table: Table, *, is_given: bool) -> None:
        """Write a keyed table when its rows changed; one that the load does not speak of keeps its file."""
        if not is_given and self.is_add and self.earlier:
            if table.name in self.earlier.files:
                self._keep(table.name)
                self.rows[table.name] = self.earlier.rows.get(table.name, 0)
            return
        columns = fact_columns(table, self.attributes)
        order = listed(table.column(one).fact_name for one in table.key)
        self._write(table.name, table.name, self.final(table.name), columns, order)

    def write_events(self, accepted: str | None, progress: Progress) -> Merged:
        """Merge events month by month: an event that is there already as often as in this load is not added again."""
        result = Merged()
        columns = TABLES[EVENTS].fact_columns
        months = event_months(self.connection, accepted) if accepted else []
        for done, month in enumerate(months):
            progress(f"events {month}", done, len(months) + 1)
            self._month(month, accepted or "", columns, result)
        old_months = self.earlier.event_months if self.earlier else {}
        for month in set(old_months) - set(months):
            if self.is_add:
                self._keep(f"{EVENTS}/{month}")
            else:
                self._touch(f"{EVENTS}/{month}")
        if self.is_add and self.earlier:
            self.rows[EVENTS] = self.earlier.rows.get(EVENTS, 0) + result.added
        return result

    def fingerprint(self, time_zone: str) -> str:
        """Return one fingerprint over the rows of all tables and months, the same for the same rows in any order."""
        lines = [f"{key} {self.fingerprints.get(file, file)}" for key in sorted(self.files) for file in self.files[key]]
        return hashlib.sha256("\n".join([time_zone, *lines]).encode()).hexdigest()

    def finish(self) -> None:
        """Note removed tables, and bring all written files to disk."""
        for key in self.earlier.files if self.earlier else {}:
            if key not in self.files and not key.startswith(f"{EVENTS}/"):
                self._touch(key)
        for path in self.written:
            to_disk(path)
        for folder in {path.parent for path in self.written}:
            to_disk(folder)

    def _month(self, month: str, accepted: str, columns: dict[str, str], result: Merged) -> None:
        key, facts = f"{EVENTS}/{month}", listed(columns)
        self.connection.execute(
            f"create or replace temp table month_rows as select {facts} from {accepted} as accepted where __month = ?",
            [int(month.replace("-", ""))],
        )
        given = self._count("month_rows")
        old = self.earlier.files.get(key, []) if self.is_add and self.earlier else []
        if old:
            before = files_relation(self.connection, self.data_dir, old, columns)
            self.connection.execute(
                f"create or replace temp table month_extra as select {facts} from month_rows except all select {facts} from {before}"
            )
            extra = self._count("month_extra")
            result.known += given - extra
            if not extra:
                self._keep(key)
                return
            self._first_day("month_extra")
            self.connection.execute(
                f"create or replace temp table month_rows as select {facts} from {before} union all select {facts} from month_extra"
            )
            given = extra
        elif self.is_add:
            self._first_day("month_rows")
        result.added += given
        self._write(EVENTS, key, "month_rows", columns, _EVENT_ORDER)

    def _write(self, table: str, key: str, relation: str, columns: dict[str, str], order: str) -> None:
        count, fingerprint = self._fingerprint(relation, columns)
        if not count:
            return
        self.rows[table] = self.rows.get(table, 0) + count
        if self._known(key) == fingerprint:
            self._keep(key)
            return
        path = self.data_dir / "facts" / key / f"{self.number}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection.execute(
            f"copy (select {listed(columns)} from {relation} order by {order}) to {literal(str(path))} "
            "(format parquet, compression zstd)"
        )
        self.written.append(path)
        self.files[key] = [str(path.relative_to(self.data_dir))]
        self.fingerprints[self.files[key][0]] = fingerprint
        self._touch(key)

    def _known(self, key: str) -> str | None:
        """Return the fingerprint of the published file of a table or month, None where it is not known."""
        files = self.earlier.files.get(key, []) if self.earlier else []
        return self.known.get(files[0]) if len(files) == 1 else None

    def _keep(self, key: str) -> None:
        if self.earlier:
            self.files[key] = self.earlier.files[key]
            self.fingerprints |= {file: self.known[file] for file in self.files[key] if file in self.known}

    def _touch(self, key: str) -> None:
        table, _, month = key.partition("/")
        self.touched.tables.add(table)
        if month:
            self.touched.months.add(month)
            if not self.is_add:
                self._earliest(f"{month}-01")

    def _first_day(self, relation: str) -> None:
        day = self.connection.execute(f"select cast(min(occurred_on) as varchar) from {relation}").fetchall()[0][0]
        self._earliest(str(day))

    def _earliest(self, text: str) -> None:
        day = day_of(text)
        self.touched.first_day = min(day, self.touched.first_day) if self.touched.first_day else day

    def _count(self, relation: str) -> int:
        return int(self.connection.execute(f"select count(*) from {relation}").fetchall()[0][0])

    def _fingerprint(self, relation: str, columns: dict[str, str]) -> tuple[int, str]:
        """Return the number of rows and a text that is the same for the same rows in any order."""
        row = self.connection.execute(
            f"select count(*), cast(sum(cast(hash({listed(columns)}) as hugeint)) as varchar) from {relation}"
        ).fetchall()[0]
        names = hashlib.sha256(" ".join(columns).encode()).hexdigest()[:8]
        return int(row[0]), f"{row[0]}-{row[1]}-{names}"

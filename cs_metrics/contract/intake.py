"""Reading a source: every table of the contract that it holds, opened, typed and staged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from cs_metrics.contract.checks import Stage, create_rejected, stage
from cs_metrics.contract.history import LoadRecord, TableRows
from cs_metrics.contract.mapped import Input, open_input
from cs_metrics.contract.mapping import FILE_NAME
from cs_metrics.contract.mapping import Mapping as Rules
from cs_metrics.contract.readers import Lost, Raw, Reader, first_line
from cs_metrics.contract.tables import TABLES, Table
from cs_metrics.errors import LoadError, hint

__all__ = ["REFERRED", "Intake", "in_order"]

Progress = Callable[[str, int, int], None]
REFERRED = ("accounts", "products", "milestones")


def in_order() -> list[Table]:
    """Return the tables of the contract, those that others refer to first."""
    return sorted(TABLES.values(), key=lambda table: table.name not in REFERRED)


@dataclass
class Intake:
    """What one load has read: per table its input, its stage, and the rows that could not be split into fields."""

    connection: duckdb.DuckDBPyConnection
    reader: Reader
    rules: Rules
    folder: Path
    record: LoadRecord
    inputs: dict[str, Input] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    lost: dict[str, list[Lost]] = field(default_factory=dict)

    def read(self, progress: Progress) -> None:
        """Read all tables; `LoadError` when one cannot be read, or a table that is needed is missing or empty."""
        create_rejected(self.connection)
        for done, table in enumerate(in_order()):
            progress(f"reading {table.name}", done, len(TABLES))
            given = open_input(self.connection, self.reader, self.rules, table)
            if given is not None:
                self._stage(given)
            elif table.is_required and self.record.mode == "full":
                raise LoadError(
                    f"{self.reader.label} holds no table '{table.name}', and nothing can be shown without it; name a file "
                    f"{table.name}.csv, or map it in {FILE_NAME}.{hint(table.name, self.reader.names())}"
                )
        if not self.inputs:
            raise LoadError(f"{self.reader.label} holds no table of the contract; see docs/loading.md.")
        if self.record.mode == "full" and not self.record.tables["accounts"].read:
            raise LoadError(f"{self.inputs['accounts'].label} holds no rows, so there is no account to show.")
        self.record.ignored_files = self.reader.unused()

    def count(self, table: str, *, known: int = 0, updated: int = 0) -> None:
        """Bring the accounting of a table up to date: read = accepted + rejected + duplicate."""
        rows = self.record.tables[table]
        listed = self.connection.execute("select count(*) from rejected where table_name = ?", [table]).fetchall()
        rows.rejected = int(listed[0][0]) + len(self.lost[table])
        rows.duplicate += known
        rows.updated = updated
        rows.accepted = rows.read - rows.rejected - rows.duplicate

    def refusal(self, limit: float) -> str:
        """Return the sentence that refuses the load when a table has too many rejected rows, else an empty text."""
        for table, rows in self.record.tables.items():
            if rows.rejected_share > limit:
                return (
                    f"{rows.rejected:,} of {rows.read:,} rows of {table} were rejected ({rows.rejected_share:.1%}), and at "
                    f"most {limit:.1%} may be; most often {self._most_often(table)}."
                )
        return ""

    def rounded(self) -> Mapping[str, int]:
        """Return how many rows of each table held an amount that was rounded to cents."""
        return {name: staged.rounded for name, staged in self.stages.items()}

    def _stage(self, given: Input) -> None:
        table, sources = given.table, _sources(given)
        folder = self.folder / table.name
        folder.mkdir(exist_ok=True)
        try:
            staged = stage(
                self.connection, given, self.rules.columns(table), time_zone=self.record.time_zone, folder=folder
            )
        except duckdb.InvalidInputException as error:
            self._again(given, error)
            return
        except duckdb.ConversionException as error:
            raise LoadError(
                f"tables.{table.name}: an expression of the mapping fails on a value ({first_line(error)}); use try_cast "
                "where a value may be unreadable."
            ) from None
        self.inputs[table.name], self.stages[table.name] = given, staged
        self.lost[table.name] = [one for raw in sources for one in self.reader.lost(self.connection, raw)]
        self.record.tables[table.name] = TableRows(
            read=staged.read + len(self.lost[table.name]),
            rejected=len(self.lost[table.name]),
            left_out=self._left_out(given, staged),
        )
        if given.ignored:
            self.record.ignored_columns[table.name] = list(given.ignored)

    def _again(self, given: Input, error: duckdb.Error) -> None:
        """Read a table a second time in another way: its files may mix line ends."""
        relaxed = [self.reader.relax(raw.name, self.folder / "copies") for raw in _sources(given)]
        again = open_input(self.connection, self.reader, self.rules, given.table) if any(relaxed) else None
        if again is None:
            raise LoadError(f"{given.label} cannot be read: {first_line(error)}") from None
        self._stage(again)

    def _left_out(self, given: Input, staged: Stage) -> int:
        if not given.is_filtered or given.base is None:
            return 0
        every = self.connection.execute(f"select count(*) from {given.base.relation} as every").fetchall()
        return max(0, int(every[0][0]) - staged.read)

    def _most_often(self, table: str) -> str:
        reasons = self.connection.execute(
            "select column_name || ' ' || reason, count(*), min(value) from rejected where table_name = ? "
            "group by 1 order by 2 desc, 1 limit 1",
            [table],
        ).fetchall()
        broken = self.lost[table]
        if not reasons or len(broken) > reasons[0][1]:
            return (
                f"a row {broken[0].reason} ({len(broken):,} rows, for example {broken[0].file}, line {broken[0].line})"
            )
        said, count, value = reasons[0]
        return f"{said} ({count:,} rows, for example {value!r})" if value else f"{said} ({count:,} rows)"


def _sources(given: Input) -> list[Raw]:
    return [raw for raw in (given.base, *given.others) if raw is not None]

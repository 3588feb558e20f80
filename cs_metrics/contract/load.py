"""Loading: read a company's files, check every row, and publish all of them or nothing.

The order on disk makes it so: fact files first, then the manifest that lists them, then the generation built from it,
then the pointer. Whatever stops a load before the pointer moves leaves the published data as it was.
"""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import available_timezones

import duckdb

from cs_metrics.config import Config, load_config
from cs_metrics.contract.checks import check_events, check_keyed, happened_days, newest_day, remember_keys
from cs_metrics.contract.facts import EVENTS, Manifest, locked, next_number, read_manifest, write_manifest
from cs_metrics.contract.history import LoadRecord, Status, quarantine_path, read_history, summary, write_record
from cs_metrics.contract.housekeeping import clean_up, forget_load, published_or_none, staging_folder
from cs_metrics.contract.intake import REFERRED, Intake, in_order
from cs_metrics.contract.mapping import FILE_NAME, Mapping, read_mapping
from cs_metrics.contract.merge import Writer
from cs_metrics.contract.quarantine import write_quarantine
from cs_metrics.contract.readers import Reader, first_line, reader_of
from cs_metrics.contract.relations import empty_relation, fact_columns, files_relation
from cs_metrics.contract.suspicions import missing_rate, suspicions
from cs_metrics.contract.tables import HAPPENED, STARTED, TABLES
from cs_metrics.errors import LoadError, hint
from cs_metrics.marts.publication import prune, publish
from cs_metrics.store import scratch
from cs_metrics.training import make

__all__ = ["load", "summary"]

Progress = Callable[[str, int, int], None]
_MEMORY_GB = 1.8


def load(
    source: Path | str,
    data_dir: Path,
    *,
    add: bool = False,
    time_zone: str | None = None,
    mapping: Path | None = None,
    progress: Progress | None = None,
    check_only: bool = False,
) -> LoadRecord:
    """Load a folder of CSV or Parquet files or a .duckdb file into a data folder, and publish it.

    `add` appends events and updates the other tables by their key; without it the source replaces everything.
    `time_zone` fixes the reporting day of every instant (default UTC; with `add` that of the published data).
    `mapping` is a mapping.toml that lies elsewhere than in the source folder. `check_only` stops before publishing.

    Returns the record of the load: published, unchanged (the source holds what is published), checked, or refused
    because of what the rows hold. `LoadError` when the source cannot be read at all, `StoreError` when another writer
    is at work. In every case but `published` the published data is exactly as it was.
    """
    reader = reader_of(source)
    mapping = mapping or _own_mapping(Path(source))
    rules = read_mapping(mapping)
    config = load_config(data_dir)
    with locked(data_dir):
        clean_up(data_dir)
        work = _Load(reader, rules, config, data_dir, progress or _silent, is_add=add)
        work.start(time_zone, mapping)
        try:
            work.run(check_only=check_only)
        except BaseException as error:
            said = first_line(error)
            work.end("refused", said, keep_record=not check_only)
            if isinstance(error, duckdb.Error | OSError):
                raise LoadError(f"The load failed and the published data is unchanged: {said}") from error
            raise
        return work.record


def _own_mapping(source: Path) -> Path | None:
    path = source / FILE_NAME
    return path if source.is_dir() and path.exists() else None


def _silent(_what: str, _done: int, _total: int) -> None:
    return


def _zone(given: str | None, earlier: Manifest | None) -> str:
    if given is not None and given not in available_timezones():
        raise LoadError(f"There is no time zone '{given}'.{hint(given, available_timezones())}")
    if earlier is None:
        return given or "UTC"
    if given is not None and given != earlier.time_zone:
        raise LoadError(
            f"The published days are those of {earlier.time_zone}, so rows in {given} cannot be added; leave out the "
            "time zone, or load everything again without --add."
        )
    return earlier.time_zone


@dataclass
class _Load:
    """One load while it runs; with nothing published yet an added load is a full one."""

    reader: Reader
    rules: Mapping
    config: Config
    data_dir: Path
    progress: Progress
    is_add: bool
    earlier: Manifest | None = None
    newest_before: dt.date | None = None
    fingerprints: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    accepted: dict[str, str] = field(default_factory=dict)

    def start(self, time_zone: str | None, mapping: Path | None) -> None:
        """Find what is published and open the record of this load."""
        published = published_or_none(self.data_dir)
        if published is not None:
            self.earlier = read_manifest(self.data_dir, published)
        self.is_add = self.is_add and self.earlier is not None
        for one in read_history(self.data_dir):
            self.fingerprints |= one.fingerprints
            if one.status == "published" and one.number <= (published or 0) and self.is_add:
                self.newest_before = one.newest_day
        self.record = LoadRecord(
            number=next_number(self.data_dir),
            started_at=dt.datetime.now(dt.UTC),
            source=self.reader.label,
            mapping=str(mapping or ""),
            mode="add" if self.is_add else "full",
            time_zone=_zone(time_zone, self.earlier if self.is_add else None),
        )
        self.folder = staging_folder(self.data_dir, self.record.number)
        self.connection = scratch(memory_gb=_MEMORY_GB)
        self.intake = Intake(self.connection, self.reader, self.rules, self.folder, self.record)

    def run(self, *, check_only: bool) -> None:
        """Do the whole load; the record tells how it ended."""
        if not check_only:
            write_record(self.data_dir, self.record)
        self.folder.mkdir(parents=True)
        self.connection.execute("set temp_directory = ?", [str(self.folder / "memory")])
        self.intake.read(self.progress)
        writer = self._check()
        relations = self._relations(writer)
        limit = self.rules.max_rejected_share
        reason = self.intake.refusal(self.config.max_rejected_share if limit is None else limit)
        reason = reason or missing_rate(self.connection, relations, self.config.currency)
        self._keep_rejected(is_refused=bool(reason), check_only=check_only)
        if reason or check_only:
            self._warn(relations)
            self.end("refused" if reason else "checked", reason, keep_record=not check_only)
            return
        self._write(writer)
        self._warn(self._relations(writer, is_written=True))
        self._publish(writer)

    def _check(self) -> Writer:
        """Check what needs all tables, count the rows, and merge keyed tables with what is published."""
        writer, stages = self._writer(), self.intake.stages
        days = happened_days(self.connection, stages, HAPPENED) or happened_days(self.connection, stages, STARTED)
        newest = self.record.newest_day = newest_day(days, self.newest_before)
        for table in in_order():
            if table.name == EVENTS:
                continue
            staged = stages.get(table.name)
            if staged is not None:
                self.accepted[table.name], same = check_keyed(self.connection, staged, newest)
                self.record.tables[table.name].duplicate = same
            merged = writer.merge(table, self.accepted.get(table.name), staged.columns if staged else table.columns)
            if staged is not None:
                self.intake.count(table.name, known=merged.known, updated=merged.updated)
            if table.name in REFERRED:
                none = empty_relation(fact_columns(table, writer.attributes))
                checked = f"checked_{table.name}" if staged is not None else none
                remember_keys(self.connection, table, writer.final(table.name), checked)
        if EVENTS in stages:
            self.accepted[EVENTS] = check_events(self.connection, stages[EVENTS], newest)
            self.intake.count(EVENTS)
        return writer

    def _writer(self) -> Writer:
        before = self.earlier.attributes if self.is_add and self.earlier else {}
        given = self.rules.attributes if "accounts" in self.intake.stages else {}
        attributes: dict[str, str] = {**before, **given}
        for name, kind in before.items():
            if attributes[name] != kind:
                raise LoadError(
                    f"The attribute '{name}' is published as {kind} and mapped as {attributes[name]}; load everything "
                    "again without --add to change it."
                )
        return Writer(
            self.connection, self.data_dir, self.record.number, self.is_add, self.earlier, self.fingerprints, attributes
        )

    def _relations(self, writer: Writer, *, is_written: bool = False) -> dict[str, str]:
        """Return the rows of every table after the load, for the checks over all of them."""
        held = {*self.intake.stages, "accounts"}
        if self.is_add and self.earlier:
            held |= set(self.earlier.tables)
        found = {name: f"(select * from {writer.final(name)})" for name in TABLES if name in held and name != EVENTS}
        if EVENTS in held:
            columns = TABLES[EVENTS].fact_columns
            files = self._manifest(writer).table_files(EVENTS)
            rows = self.accepted.get(EVENTS, empty_relation(columns))
            found[EVENTS] = files_relation(self.connection, self.data_dir, files, columns) if is_written else rows
        return found

    def _keep_rejected(self, *, is_refused: bool, check_only: bool) -> None:
        """Write the rejected rows with their reasons; of a refused load the first ones of each table."""
        if check_only:
            return
        path, intake = quarantine_path(self.data_dir, self.record.number), self.intake
        if write_quarantine(
            self.connection, self.reader, intake.inputs, intake.lost, path, folder=self.folder, is_refused=is_refused
        ):
            self.record.quarantine = str(path)

    def _warn(self, relations: dict[str, str]) -> None:
        self.record.warnings = suspicions(self.connection, relations, self.record.newest_day, self.intake.rounded())

    def _write(self, writer: Writer) -> None:
        """Write the fact files of what changed."""
        for table in TABLES.values():
            if table.name != EVENTS:
                writer.write_keyed(table, is_given=table.name in self.intake.stages)
        merged = writer.write_events(self.accepted.get(EVENTS), self.progress)
        if EVENTS in self.intake.stages:
            self.intake.count(EVENTS, known=merged.known)
        writer.finish()
        for name, rows in self.record.tables.items():
            rows.total = writer.rows.get(name, 0)
        self.record.fingerprints = writer.fingerprints
        self.record.fingerprint = writer.fingerprint(self.record.time_zone)

    def _manifest(self, writer: Writer) -> Manifest:
        return Manifest(
            number=self.record.number,
            time_zone=self.record.time_zone,
            attributes=writer.attributes,
            files=writer.files,
            rows=writer.rows,
            newest_day=self.record.newest_day,
        )

    def _publish(self, writer: Writer) -> None:
        """Build the generation and move the pointer; nothing of it when the load changed nothing."""
        manifest, before = self._manifest(writer), self.earlier
        if before and not writer.touched.tables and _same_terms(manifest, before):
            self.end("unchanged")
            return
        self.connection.close()
        write_manifest(self.data_dir, manifest)
        make(
            self.data_dir,
            manifest,
            config=self.config,
            earlier=before.number if before else None,
            touched=writer.touched if self.is_add and before else None,
            progress=self.progress,
        )
        publish(self.data_dir, manifest.number)
        self.end("published")
        prune(self.data_dir, manifest.number)

    def end(self, status: Status, reason: str = "", *, keep_record: bool = True) -> None:
        """Write the record as it ended and remove what is not needed any more."""
        self.connection.close()
        self.record.status = status
        self.record.reason = reason
        self.record.finished_at = dt.datetime.now(dt.UTC)
        self.record.seconds = round(time.monotonic() - self.began, 3)
        if keep_record:
            write_record(self.data_dir, self.record)
        forget_load(self.data_dir, self.record.number)


def _same_terms(one: Manifest, other: Manifest) -> bool:
    return one.time_zone == other.time_zone and one.attributes == other.attributes

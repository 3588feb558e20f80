"""Build a generation: facts in, one DuckDB file of marts out, published by an atomic pointer.

Each mart is one SQL file whose header states its grain and, where it can be built in parts, its partition. After a
load only the marts that read something changed are built again, and of those only the touched months or weeks.
"""

import datetime as dt
import hashlib
import inspect
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from cs_metrics import periods
from cs_metrics.config import Config
from cs_metrics.contract.facts import EVENTS, Manifest, Touched, to_disk
from cs_metrics.contract.relations import fact_columns, files_relation
from cs_metrics.contract.sql import listed, literal
from cs_metrics.contract.tables import HAPPENED, STARTED, TABLES, Table
from cs_metrics.marts.mart import SCORED, Mart, inputs, marts
from cs_metrics.models import health
from cs_metrics.store import generation_path, writer

__all__ = ["build", "recipe"]

Progress = Callable[[str, int, int], None]
_CONVERTED = {"subscriptions", "contracts", "opportunities", "handoffs"}


def build(
    data_dir: Path,
    manifest: Manifest,
    *,
    config: Config,
    previous: int | None = None,
    touched: Touched | None = None,
    finish: Callable[[Path], None] | None = None,
    progress: Progress | None = None,
) -> None:
    """Write generation `manifest.number`; it is not published yet.

    With `previous` and `touched` the earlier generation is copied and only what changed is computed again; without
    them, or where the marts or the settings behind them are no longer those of the earlier generation, everything is.
    `finish` adds to the file once all marts are in it. A build that fails leaves no file behind.
    """
    path = generation_path(data_dir, manifest.number)
    working = path.with_suffix(".building")
    working.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if previous is None or touched is None or not _starts_from(generation_path(data_dir, previous), working, config):
        touched = None
    try:
        with writer(working) as connection:
            _Builder(connection, data_dir, manifest, config, touched, progress).run()
        if finish is not None:
            finish(working)
        to_disk(working)
        working.replace(path)
    finally:
        working.unlink(missing_ok=True)
        working.with_name(working.name + ".wal").unlink(missing_ok=True)


def recipe(config: Config) -> str:
    """Return what a generation is made by: a fingerprint of the marts, the scoring and the settings behind them."""
    texts = [mart.sql for mart in marts()]
    texts += [inspect.getsource(health), config.health.model_dump_json(), config.onboarding.model_dump_json()]
    texts += [config.activation.model_dump_json()]
    return hashlib.sha256("\0".join([*texts, config.currency]).encode()).hexdigest()[:16]


def _starts_from(earlier: Path, working: Path, config: Config) -> bool:
    """Copy the earlier generation to work on, if it is there and was made by the same recipe; else leave nothing."""
    if not earlier.exists():
        return False
    shutil.copyfile(earlier, working)
    with writer(working) as connection:
        names = [row[0] for row in connection.execute("describe generation_info").fetchall()]
        found = connection.execute("select recipe from generation_info").fetchall() if "recipe" in names else []
    if found == [(recipe(config),)]:
        return True
    working.unlink()
    return False


class _Builder:
    """One build: the connection and what it needs to know while the marts are written."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        data_dir: Path,
        manifest: Manifest,
        config: Config,
        touched: Touched | None,
        progress: Progress | None,
    ) -> None:
        self.connection = connection
        self.data_dir = data_dir
        self.manifest = manifest
        self.config = config
        self.touched = touched
        self.progress = progress or (lambda _what, _done, _total: None)
        self.changed: set[str] = set()

    def run(self) -> None:
        self._facts()
        before = self._previous_newest()
        oldest, newest = self._range()
        self._calendar(oldest, newest)
        first_week = self._first_week(before)
        self._parts(newest, first_week)
        steps = marts()
        is_scored = False
        for done, mart in enumerate(steps):
            if SCORED in mart.reads and not is_scored:
                self.progress("health", done, len(steps) + 1)
                self._health()
                is_scored = True
            self.progress(mart.name, done, len(steps) + 1)
            self._mart(mart, is_whole=first_week is None)
        self._copies()
        self._describe(oldest, newest)
        self.progress("", len(steps) + 1, len(steps) + 1)

    def _execute(self, sql: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(sql, parameters)

    def _facts(self) -> None:
        """Show each table of facts as `fact_<table>`, empty where nothing was loaded."""
        for table in TABLES.values():
            self._fact_view(f"fact_{table.name}", table, self.manifest.table_files(table.name))
            if self.touched is None or table.name in self.touched.tables:
                self.changed.add(f"fact_{table.name}")
        if self.touched is None:
            self.changed |= {"days", "weeks", "months", "settings", "key_events"}

    def _fact_view(self, view: str, table: Table, files: list[str]) -> None:
        columns = fact_columns(table, self.manifest.attributes)
        source = files_relation(self.connection, self.data_dir, files, columns)
        self._execute(f"create or replace temp view {view} as select * from {source}")

    def _previous_newest(self) -> Any:
        if self.touched is None:
            return None
        return self._one("select newest_day from generation_info")

    def _range(self) -> tuple[dt.date, dt.date]:
        """Return the first and the newest day of the data."""
        happened = [f"select max({day}) as day from fact_{table}" for table, day in HAPPENED.items()]
        newest = self.manifest.newest_day or self._one(f"select max(day) from ({' union all '.join(happened)})")
        started = [
            f"select max({day}) as last, min({day}) as first from fact_{table}" for table, day in STARTED.items()
        ]
        last, first = self._execute(f"select max(last), min(first) from ({' union all '.join(started)})").fetchall()[0]
        first_event = self._one("select min(occurred_on) from fact_events")
        oldest = min(day for day in (first, first_event) if day is not None)
        return oldest, newest or last

    def _one(self, sql: str) -> Any:
        rows = self._execute(sql).fetchall()
        return rows[0][0] if rows else None

    def _calendar(self, oldest: dt.date, newest: dt.date) -> None:
        """Write the tables of days, weeks and months: whole years, so that they seldom change."""
        first, last = periods.year_start(oldest), dt.date(newest.year + 1, 12, 31)
        if self.touched is not None:
            known = self._execute("select min(day), max(day) from days").fetchall()[0]
            if known == (first, last):
                return
            self.changed |= {"days", "weeks", "months"}
        days = [periods.add_days(first, step) for step in range(periods.days_between(first, last) + 1)]
        starts = periods.periods_between(first, last, "week")
        month_starts = periods.periods_between(first, last, "month")
        self._write(
            "days",
            pd.DataFrame(
                {
                    "day": days,
                    "week_start_monday": [periods.week_start_of(day) for day in days],
                    "week_start_sunday": [periods.week_start_of(day, "sunday") for day in days],
                    "month": [periods.month_start(day) for day in days],
                    "quarter": [periods.quarter_start(day) for day in days],
                    "year": [periods.year_start(day) for day in days],
                }
            ),
        )
        self._write(
            "weeks", pd.DataFrame({"week_start": starts, "week_end": [periods.add_days(day, 6) for day in starts]})
        )
        self._write(
            "months",
            pd.DataFrame(
                {
                    "month": month_starts,
                    "month_end": [periods.month_end(day) for day in month_starts],
                    "month_index": [day.year * 12 + day.month for day in month_starts],
                }
            ),
        )

    def _write(self, table: str, frame: pd.DataFrame) -> None:
        self.connection.register("_frame", frame)
        columns = ", ".join(
            f"cast({name} as date) as {name}" if name != "month_index" else f"cast({name} as bigint) as {name}"
            for name in frame.columns
        )
        self._execute(f"create or replace table {table} as select {columns} from _frame")
        self.connection.unregister("_frame")

    def _first_week(self, before: dt.date | None) -> dt.date | None:
        """Return the first day whose week must be computed again; None when all must."""
        if self.touched is None or before is None:
            return None
        weekly = {one for mart in marts() if mart.partition == "week" for one in inputs(mart.name)}
        if weekly & {f"fact_{table}" for table in self.touched.tables} - {"fact_events"}:
            return None
        after = periods.add_days(before, 1 - (before.weekday() + 1) % 7)
        return min(after, self.touched.first_day) if self.touched.first_day else after

    def _parts(self, newest: dt.date, first_week: dt.date | None) -> None:
        since = f"and week_end >= {_date(first_week)}" if first_week else ""
        # The week of the newest day too: asked on its Sunday, when nothing more has happened, it is complete.
        complete = _date(periods.last_full_week_end(periods.add_days(newest, 6)))
        started = "(select min(started_on) from fact_accounts)"
        self._execute(
            "create or replace temp view weeks_part as select week_start, week_end from weeks "
            f"where week_end <= {complete} and week_end >= {started} {since}"
        )
        self._execute(
            "create or replace table settings as select "
            f"{literal(self.config.currency)} as currency, {self.config.onboarding.days} as onboarding_days, "
            f"{self.config.onboarding.renewal_window_days} as renewal_window_days, "
            f"{self.config.health.alert_weeks} as alert_weeks, {self.config.health.alert_due_days} as alert_due_days"
        )
        self._execute(
            "create or replace table key_events as select * from "
            f"(values {', '.join(_key_events(self.config))}) named(event, times, segment)"
        )

    def _mart(self, mart: Mart, *, is_whole: bool) -> None:
        if self.touched is not None and not self._is_changed(mart, is_whole):
            return
        self.changed.add(mart.name)
        if mart.partition == "month":
            self._by_month(mart)
        elif mart.partition == "week" and not is_whole:
            self._execute(f"delete from {mart.name} where week_end >= (select min(week_end) from weeks_part)")
            self._execute(f"insert into {mart.name} {mart.sql}")
        else:
            self._execute(f"create or replace table {mart.name} as {mart.sql}")

    def _is_changed(self, mart: Mart, is_whole: bool) -> bool:
        if mart.partition == "week":
            return True
        return bool(mart.reads & self.changed)

    def _by_month(self, mart: Mart) -> None:
        """Build one month after the other, so that memory holds one month of events at most."""
        months = self.manifest.event_months
        whole = self.touched is None or bool((mart.reads & self.changed) - {"fact_events", "user_day_event"})
        wanted = set(months) if whole or self.touched is None else self.touched.months
        if whole:
            self._month_view(mart, "0001-01", [])
            self._execute(f"create or replace table {mart.name} as {mart.sql} limit 0")
        for month in sorted(wanted):
            first, last = _month_bounds(month)
            self._month_view(mart, month, months.get(month, []))
            if not whole:
                self._execute(f"delete from {mart.name} where day >= {_date(first)} and day <= {_date(last)}")
            self._execute(f"insert into {mart.name} {mart.sql}")

    def _month_view(self, mart: Mart, month: str, files: list[str]) -> None:
        if "fact_events" in mart.reads:
            self._fact_view("fact_events_part", TABLES[EVENTS], files)
        else:
            first, last = _month_bounds(month)
            self._execute(
                "create or replace temp view user_day_event_part as select * from user_day_event "
                f"where day >= {_date(first)} and day <= {_date(last)}"
            )

    def _copies(self) -> None:
        """Give every other table of the contract its place under its own name."""
        for name, table in TABLES.items():
            if (
                name == EVENTS
                or name in _CONVERTED
                or (self.touched is not None and f"fact_{name}" not in self.changed)
            ):
                continue
            if name == "accounts":
                columns = [*table.fact_columns, *self.manifest.attributes]
                chosen = ", ".join(
                    "c.acquisition_cost_cents" if one == "acquisition_cost_cents" else f'a."{one}"' for one in columns
                )
                source = f"select {chosen} from fact_accounts a left join account_cost c on c.account_id = a.account_id"
            else:
                source = f"select {listed(table.fact_columns)} from fact_{name}"
            order = f"order by {', '.join(table.key)}" if table.key else ""
            self._execute(f"create or replace table {name} as {source} {order}")

    def _health(self) -> None:
        if self.touched is not None and "account_week" not in self.changed:
            return
        weeks = self._execute("select * from account_week").df()
        scored = health.score(weeks, self.config.health)
        self.connection.register("_scored", scored)
        self._execute(
            f"create or replace table {SCORED} as "
            "select * replace (cast(week_end as date) as week_end) from _scored order by week_end, account_id"
        )
        self.connection.unregister("_scored")
        self.changed.add(SCORED)

    def _describe(self, oldest: dt.date, newest: dt.date) -> None:
        self._execute(
            "create or replace table generation_info as select ? as number, ? as time_zone, ?::date as oldest_day, "
            "?::date as newest_day, ? as attributes, ? as recipe",
            [
                self.manifest.number,
                self.manifest.time_zone,
                oldest,
                newest,
                json.dumps(self.manifest.attributes, sort_keys=True),
                recipe(self.config),
            ],
        )
        rows = ", ".join(f"({literal(name)}, {self.manifest.rows.get(name, 0)})" for name in TABLES)
        self._execute(f"create or replace table table_info as select * from (values {rows}) t(table_name, row_count)")


def _key_events(config: Config) -> list[str]:
    """Return a row of SQL for each event of a key action: the default one under no segment, others under theirs."""
    settings = config.activation
    rows = [(event, settings.times, "") for event in settings.key_action]
    rows += [(event, one.times, to) for one in settings.key_actions for to in one.segments for event in one.events]
    rows = rows or [("", 1, "")]
    return [f"({literal(event)}, {times}, {literal(to)})" for event, times, to in rows]


def _month_bounds(month: str) -> tuple[dt.date, dt.date]:
    first = dt.date.fromisoformat(f"{month}-01")
    return first, periods.month_end(first)


def _date(day: dt.date) -> str:
    return f"date '{day.isoformat()}'"

"""The command line: the same functions as the pages, data to standard output, messages to standard error.

Exit code 0 done, 1 refused with a reason, 2 wrong use.
"""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from tqdm import tqdm

from cs_metrics.errors import CsMetricsError, MetricError, WorkspaceError

__all__ = ["app", "main"]

ROOT = Path(__file__).resolve().parent.parent
app = typer.Typer(
    name="cs_metrics",
    help="Customer-success analytics on your own machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
workspace = typer.Typer(help="What people wrote: look at it, export it, import it.", no_args_is_help=True)
app.add_typer(workspace, name="workspace")
DataDir = Annotated[
    Path, typer.Option("--data", help="The data folder.", envvar="CS_METRICS_DATA", show_default="data")
]
DEFAULT_DATA = Path("data")


class Format(StrEnum):
    """How a frame is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class Handout(StrEnum):
    """What is written about an account."""

    QBR = "qbr"
    VALUE = "value"


class Engine(StrEnum):
    """What builds the marts."""

    DUCKDB = "duckdb"
    SPARK = "spark"


def main() -> None:
    """Run the command line; a refusal is one sentence on standard error and exit code 1."""
    try:
        app()
    except CsMetricsError as error:
        _say(f"Error: {error}")
        raise SystemExit(1) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def _say(text: str) -> None:
    print(text, file=sys.stderr)


class _Bar:
    """A progress bar on standard error that shows itself only when the work takes over 2 seconds."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._bar is None or self._bar.total != total:
            self.close()
            self._bar = tqdm(
                total=total, delay=2, file=sys.stderr, leave=False, bar_format="{desc:28.28} {bar} {n_fmt}/{total_fmt}"
            )
        self._bar.set_description_str(what, refresh=False)
        self._bar.update(done - self._bar.n)
        if done >= total:
            self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@app.command()
def demo(
    data: DataDir = DEFAULT_DATA,
    accounts: Annotated[int, typer.Option(min=20, help="Accounts that ever existed.")] = 400,
    months: Annotated[int, typer.Option(min=6, help="Months of history.")] = 36,
    events: Annotated[int, typer.Option(min=1000, help="Events, about.")] = 2_000_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
) -> None:
    """Invent a company with known truths and load it."""
    from cs_metrics import demo as company

    bar = _Bar()
    with tempfile.TemporaryDirectory(prefix="cs-metrics-demo-") as folder:
        company.write(Path(folder), accounts=accounts, months=months, events=events, seed=seed, progress=bar)
        bar.close()
        truth = data / "demo-truth"
        truth.mkdir(parents=True, exist_ok=True)
        for path in Path(folder).glob("truth*"):
            shutil.move(path, truth / path.name)
        _load(Path(folder), data, add=False, time_zone="UTC", mapping=None)
    _say(f"What is true of this company by construction lies in {truth}.")


@app.command()
def load(
    source: Annotated[str, typer.Argument(help="A folder, a .duckdb file.")],
    data: DataDir = DEFAULT_DATA,
    add: Annotated[bool, typer.Option("--add", help="Add events, update the other tables by their key.")] = False,
    time_zone: Annotated[
        str | None, typer.Option("--time-zone", help="The reporting time zone, fixed when data is loaded. [UTC]")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="A mapping.toml that lies elsewhere than in the folder.")] = None,
) -> None:
    """Check, load and publish the files of a company."""
    _load(Path(source), data, add=add, time_zone=time_zone, mapping=mapping)


def _load(source: Path, data: Path, *, add: bool, time_zone: str | None, mapping: Path | None) -> None:
    from cs_metrics.contract import load as loading

    bar = _Bar()
    try:
        record = loading.load(source, data, add=add, time_zone=time_zone, mapping=mapping, progress=bar)
    finally:
        bar.close()
    _say(loading.summary(record))
    if record.status == "refused":
        raise SystemExit(1)


@app.command()
def build(
    data: DataDir = DEFAULT_DATA,
    engine: Annotated[Engine, typer.Option(help="What builds them.")] = Engine.DUCKDB,
) -> None:
    """Build the marts again from the facts, for example after a change of config.toml."""
    from cs_metrics.training import rebuild

    if engine is Engine.SPARK:
        raise MetricError("The Spark engine is not part of this version: run `build --engine duckdb`.")
    bar = _Bar()
    try:
        number = rebuild(data, progress=bar)
    finally:
        bar.close()
    _say(f"Generation {number} is published.")


@app.command()
def rollback(data: DataDir = DEFAULT_DATA) -> None:
    """Publish the generation before the present one again."""
    from cs_metrics.marts.publication import rollback as go_back

    _say(f"Generation {go_back(data)} is published.")


@app.command()
def status(data: DataDir = DEFAULT_DATA, format: Annotated[Format, typer.Option("--format")] = Format.TABLE) -> None:
    """Show what is published: tables, rows, newest day, and the warnings of the last load."""
    from cs_metrics.contract.history import read_history
    from cs_metrics.metrics.freshness import table_status
    from cs_metrics.store import Database

    store = Database.open(data).current()
    _say(
        f"Generation {store.number} in {data}: {store.oldest_day} to {store.newest_day}, days in {store.time_zone}, "
        f"amounts in {store.config.currency}."
    )
    _print(table_status(store, as_of=store.newest_day), format)
    records = read_history(data)
    if records:
        last = records[-1]
        _say(f"Last load: {last.status}, {len(last.warnings)} warnings.")
        for warning in last.warnings:
            _say(f"  {warning.table}: {warning.says}")


@workspace.command("status")
def workspace_status(
    data: DataDir = DEFAULT_DATA, format: Annotated[Format, typer.Option("--format")] = Format.TABLE
) -> None:
    """Show where the workspace lies and how much was written on each topic."""
    from cs_metrics.workspace.database import Workspace
    from cs_metrics.workspace.summary import COLUMNS, by_topic

    kept = Workspace.open(data)
    entries = kept.entries()
    _say(f"{kept.place}: {len(entries):,} entries.")
    _print(pd.DataFrame(by_topic(entries), columns=list(COLUMNS)), format)


@workspace.command("export")
def workspace_export(
    data: DataDir = DEFAULT_DATA,
    out: Annotated[Path | None, typer.Option(help="The file to write; without it, standard output.")] = None,
) -> None:
    """Write every entry as CSV."""
    from cs_metrics.workspace.csv_files import export_csv
    from cs_metrics.workspace.database import Workspace

    entries = Workspace.open(data).entries()
    content = export_csv(entries)
    if out is None:
        sys.stdout.buffer.write(content)
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise WorkspaceError(f"{out} cannot be written: {error.strerror}.") from None
    _say(f"{len(entries):,} entries are written to {out}.")


@workspace.command("import")
def workspace_import(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file, exported or written by hand.")],
    data: DataDir = DEFAULT_DATA,
) -> None:
    """Add the entries of a CSV file, all or none; those that are there already are left as they are."""
    from cs_metrics.workspace.csv_files import import_csv
    from cs_metrics.workspace.database import Workspace

    kept = Workspace.open(data)
    found = import_csv(kept, source)
    for line, reason in found.rejected:
        _say(f"{source}, line {line}: {reason}")
    if found.rejected:
        raise WorkspaceError(f"{len(found.rejected):,} of {found.read:,} rows cannot be kept; nothing was added.")
    _say(f"{kept.place}: {found.added:,} of {found.read:,} entries added, {found.known:,} were there already.")


@app.command()
def metrics(format: Annotated[Format, typer.Option("--format")] = Format.TABLE) -> None:
    """List every metric with its one-line definition."""
    from cs_metrics.metrics import METRICS

    found = pd.DataFrame([{"metric": one.name, "definition": one.summary} for _, one in sorted(METRICS.items())])
    _print(found, format)


@app.command()
def metric(
    name: Annotated[str, typer.Argument(help="A name from `metrics`.")],
    data: DataDir = DEFAULT_DATA,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day of knowledge; default: the newest.")] = None,
    where: Annotated[list[str] | None, typer.Option("--where", help="column=value of accounts; repeatable.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="option=value; repeatable.")] = None,
    format: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """Answer one metric."""
    from cs_metrics import periods
    from cs_metrics.metrics import Scope, find, run
    from cs_metrics.store import Database

    find(name)
    store = Database.open(data).current()
    options = _pairs(set_, "--set")
    found = run(
        store,
        name,
        as_of=periods.day_of(as_of) if as_of else None,
        scope=Scope.of(_pairs(where, "--where")),
        options={key: values if len(values) > 1 else values[0] for key, values in options.items()},
    )
    _print(found, format)


def _pairs(texts: list[str] | None, option: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise MetricError(f"{option} {text} is not of the form name=value.")
        found.setdefault(name, []).append(value)
    return found


@app.command("brief")
def write_brief(
    account_id: Annotated[str, typer.Argument(help="The account.")],
    out: Annotated[Path, typer.Option(help="The file to write: .docx or .pdf; a value report .pptx or .pdf.")],
    kind: Annotated[
        Handout, typer.Option(help="A QBR brief for the CSM, or a value report for the customer.")
    ] = Handout.QBR,
    data: DataDir = DEFAULT_DATA,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day of knowledge; default: the newest.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Look back to this day; default: the last review, for a value report a year.")
    ] = None,
) -> None:
    """Write the QBR brief or the value report of an account."""
    from cs_metrics import periods
    from cs_metrics.report.handout import write
    from cs_metrics.store import Database

    store = Database.open(data).current()
    day = periods.day_of(as_of) if as_of else store.newest_day
    begins = periods.day_of(since) if since else None
    warning = write(store, account_id, kind.value, out, as_of=day, since=begins)
    if warning:
        _say(warning)
    _say(f"Written to {out}, as of {day}.")


@app.command()
def docs(
    out: Annotated[Path, typer.Option(help="The file to write.")] = ROOT / "docs" / "metrics.md",
    check: Annotated[bool, typer.Option("--check", help="Only tell whether the file is up to date.")] = False,
) -> None:
    """Write docs/metrics.md from the metrics' own words."""
    from cs_metrics.metrics.reference import reference

    text = reference()
    if check and (not out.exists() or out.read_text(encoding="utf-8") != text):
        raise MetricError(f"{out} is out of date: run `python -m cs_metrics docs`.")
    if not check:
        out.write_text(text, encoding="utf-8")


@app.command()
def serve(
    data: DataDir = DEFAULT_DATA,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    address: Annotated[str, typer.Option(help="Where to listen; only this machine by default.")] = "127.0.0.1",
) -> None:
    """Start the dashboard and print its address."""
    environment = {**os.environ, "CS_METRICS_DATA": str(data.resolve())}
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    options = ["--server.port", str(port), "--server.address", address, "--server.headless", "true"]
    _say(f"The dashboard starts on http://{address}:{port} (stop it with Ctrl+C).")
    try:
        raise SystemExit(subprocess.call([*command, *options], env=environment, cwd=ROOT))
    except KeyboardInterrupt:
        raise SystemExit(0) from None


def _print(found: pd.DataFrame, how: Format) -> None:
    writers: dict[Format, Callable[[pd.DataFrame], str]] = {
        Format.TABLE: _as_table,
        Format.CSV: lambda frame: _plain(frame).to_csv(index=False).rstrip("\n"),
        Format.JSON: _as_json,
    }
    print(writers[how](found))


def _plain(found: pd.DataFrame) -> pd.DataFrame:
    """Show days as ISO texts."""
    shown = found.copy()
    for name in shown.columns:
        if shown[name].dtype.kind == "M":
            shown[name] = shown[name].dt.strftime("%Y-%m-%d").where(shown[name].notna(), None)
    return shown


def _as_table(found: pd.DataFrame) -> str:
    if found.empty:
        return f"(no rows; columns: {', '.join(found.columns)})"
    return _plain(found).to_string(
        index=False, na_rep="", float_format=lambda value: f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"
    )


def _as_json(found: pd.DataFrame) -> str:
    return json.dumps(
        [{key: _value(value) for key, value in row.items()} for row in found.to_dict("records")], ensure_ascii=False
    )


def _value(value: Any) -> Any:
    """Return what JSON can hold: days as ISO texts, unknown as null."""
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, dt.date):
        return value.isoformat()[:10]
    return value.item() if hasattr(value, "item") else value

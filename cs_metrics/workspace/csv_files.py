"""The log as a CSV file, to keep, to look at in a spreadsheet, to move to another workspace, or to write by hand.

One row an entry. A file that was exported and comes back through a spreadsheet adds nothing that is already there.
"""

import csv
import datetime as dt
import hashlib
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cs_metrics.errors import WorkspaceError, hint
from cs_metrics.workspace.database import Workspace
from cs_metrics.workspace.entries import Entry, NewEntry, canonical, checked, shown

__all__ = ["COLUMNS", "ImportResult", "export_csv", "import_csv"]

COLUMNS = (
    "seq",
    "entry_id",
    "written_at",
    "effective_on",
    "author",
    "topic",
    "subject",
    "account_id",
    "action",
    "note",
    "body",
)
_NEEDED = ("effective_on", "author", "topic", "account_id", "action")
_DELIMITERS = ",;\t|"
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


@dataclass(frozen=True)
class ImportResult:
    """What became of the rows of a file: read = added + known + rejected, and nothing is added where any is rejected.

    `rejected` holds the line in the file and the reason of each refused row.
    """

    read: int
    added: int = 0
    known: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)


def export_csv(entries: Sequence[Entry]) -> bytes:
    """Return entries as CSV (UTF-8 with BOM), times in UTC and days in ISO 8601, the body as JSON.

    A text that a spreadsheet would take for a formula gets an apostrophe before it, which `import_csv` takes off again.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in entries:
        told = {**vars(one), "written_at": one.written_at.isoformat(), "body": one.body_json}
        writer.writerow([_escaped(str(told[name])) for name in COLUMNS])
    return out.getvalue().encode("utf-8-sig")


def import_csv(workspace: Workspace, source: bytes | Path) -> ImportResult:
    """Write the rows of a CSV file, all or none, and tell what became of them.

    Columns (any order): topic, account_id, action, author and effective_on are needed; subject, note, body (JSON),
    entry_id and written_at may be left out, and `seq` only orders the rows. A row without an `entry_id` takes one from
    what it says, so that importing a file twice adds nothing. `WorkspaceError` where it is no such file at all.
    """
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    rows = list(_rows(source))
    read: list[tuple[int, Entry]] = []
    rejected: list[tuple[int, str]] = []
    for line, cells in rows:
        try:
            read.append((line, _entry(cells, now)))
        except WorkspaceError as error:
            rejected.append((line, str(error)))
    rejected += _taken(workspace, read)
    if rejected:
        return ImportResult(len(rows), rejected=sorted(rejected))
    in_order = sorted((entry for _, entry in read), key=lambda one: one.seq or math.inf)
    _, added = workspace.add(in_order)
    return ImportResult(len(rows), added=added, known=len(rows) - added)


def _escaped(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _rows(source: bytes | Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, cells by column) of every row that is not blank."""
    text = _text(source)
    head = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=lambda one: (head.count(one), one == ","))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    line = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                if names:
                    yield line, _cells(line, names, row)
                else:
                    names = _header(row)
            line = reader.line_num + 1
    except csv.Error as error:
        raise WorkspaceError(f"Line {line}: the row cannot be split into cells ({error}); nothing was added.") from None
    if not names:
        raise WorkspaceError("The file is empty: its first line must name the columns.")


def _text(source: bytes | Path) -> str:
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise WorkspaceError(f"{source!s} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise WorkspaceError("The file is not valid UTF-8; save it as CSV in UTF-8.") from None


def _header(row: Sequence[str]) -> list[str]:
    names = [cell.strip().lower().replace(" ", "_") for cell in row]
    for name in filter(None, names):
        if name not in COLUMNS:
            raise WorkspaceError(f"Line 1: an entry has no column {shown(name)}.{hint(name, COLUMNS)}")
        if names.count(name) > 1:
            raise WorkspaceError(f"Line 1: the column {shown(name)} is there twice; take one of the two away.")
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise WorkspaceError(f"Line 1: the file lacks the columns {', '.join(missing)}.")
    return names


def _cells(line: int, names: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    loose = [cell for place, cell in enumerate(row) if cell.strip() and (place >= len(names) or not names[place])]
    if loose:
        raise WorkspaceError(f"Line {line}: {shown(loose[0])} stands in a column without a name; nothing was added.")
    found = dict.fromkeys(COLUMNS, "") | {name: _plain(cell) for name, cell in zip(names, row, strict=False)}
    found["note"] = found["note"].replace("\r\n", "\n")
    return found | {name: found[name].strip() for name in COLUMNS if name not in ("subject", "account_id")}


def _entry(cells: Mapping[str, str], now: dt.datetime) -> Entry:
    body = _body(cells["body"])
    new = NewEntry(
        topic=cells["topic"],
        account_id=cells["account_id"],
        action=cells["action"],
        subject=cells["subject"],
        note=cells["note"],
        body=body,
        entry_id=cells["entry_id"] or _id_of({**cells, "body": canonical(body)}),
    )
    written_at = _moment(cells["written_at"]) if cells["written_at"] else now
    entry = checked(new, author=cells["author"], effective_on=cells["effective_on"], written_at=written_at)
    return replace(entry, seq=_number(cells["seq"]))


def _body(cell: str) -> dict[str, Any]:
    try:
        found = json.loads(cell or "{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise WorkspaceError(
            f'body: {shown(cell)} is no JSON object; write it as {{"owner": "Ann"}}, or leave it empty.'
        )
    return found


def _id_of(cells: Mapping[str, str]) -> str:
    """Return an id that follows from what a row says."""
    said = {name: cells[name] for name in COLUMNS if name not in ("seq", "entry_id", "written_at")}
    return hashlib.sha256(canonical(said).encode()).hexdigest()[:32]


def _moment(cell: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(cell)
        return found.astimezone(dt.UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        raise WorkspaceError(f"written_at: {shown(cell)} is no time; write it as 2026-03-31T14:05:00 (UTC).") from None


def _number(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{0,18}", cell):
        raise WorkspaceError(f"seq: {shown(cell)} is no whole number; it only orders the rows and may be left empty.")
    return int(cell or 0)


def _taken(workspace: Workspace, read: Sequence[tuple[int, Entry]]) -> Iterator[tuple[int, str]]:
    """Yield the line of each entry whose id says something else in the workspace, or further up in the file."""
    there = workspace.find([entry.entry_id for _, entry in read])
    for line, entry in read:
        first = there.setdefault(entry.entry_id, entry)
        if not first.says_the_same(entry):
            yield line, first.stands_against(entry)

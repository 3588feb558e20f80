"""CSV files: the header, what breaks a row, and where in the file a row lies.

DuckDB reads the rows and skips what it cannot split into fields; this module explains those rows in plain words and
finds the physical lines of rejected rows afterwards, so that a good load never pays for it.
"""

import csv
import gzip
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from cs_metrics.errors import LoadError

__all__ = [
    "MAX_LINE_BYTES",
    "Broken",
    "Header",
    "Row",
    "broken_rows",
    "find_broken",
    "find_rows",
    "read_header",
    "with_one_newline",
]

MAX_LINE_BYTES = 20_000_000
_TOLD = 9_990  # DuckDB keeps at most 10 000 bytes of a broken row
_UNCLOSED = "has a quotation mark that is not closed where its field ends"
_DELIMITERS = ",;\t|"
_SNIFFED = 1_000_000
_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True)
class Header:
    """The first line of a file: its delimiter and the column names as written."""

    delimiter: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Broken:
    """A row that could not be split into fields: the byte where it starts and why.

    An unclosed quotation mark swallows following lines; `lines` says how many rows are lost with it, itself included.
    """

    offset: int
    reason: str
    lines: int = 1

    @property
    def is_unclosed(self) -> bool:
        """Tell whether a quotation mark was not closed, so that counting quotation marks would go wrong."""
        return self.reason == _UNCLOSED


@dataclass(frozen=True)
class Row:
    """A row of a file as it stands there: its physical line, and its fields by column name."""

    line: int
    fields: Mapping[str, str]


def read_header(path: Path) -> Header:
    """Return the header of a CSV file; `LoadError` when the file is empty, not UTF-8, or names a column twice."""
    try:
        with _open(path) as file:
            head = file.read(_SNIFFED)
    except (OSError, EOFError) as error:
        raise LoadError(f"{path.name} cannot be read: {error}.") from None
    for mark, encoding in _BOMS.items():
        if head.startswith(mark):
            raise LoadError(f"{path.name} is encoded in {encoding}; save it as UTF-8.")
    line = _first_record(head.removeprefix(b"\xef\xbb\xbf"))
    if not line.strip():
        raise LoadError(f"{path.name} is empty: its first line must name the columns.")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise LoadError(f"The header of {path.name} is not valid UTF-8; save the file as UTF-8.") from None
    if "\x00" in text:
        raise LoadError(f"{path.name} is no text file: its header holds NUL bytes.")
    delimiter = max(_DELIMITERS, key=lambda one: (_outside_quotes(text, one), one == ","))
    names = next(csv.reader([text], delimiter=delimiter))
    return Header(delimiter, _distinct(path, [one.strip() for one in names]))


def broken_rows(path: Path, errors: Iterable[tuple[int, str, str, str]]) -> list[Broken]:
    """Explain the rows that DuckDB skipped, given (byte, kind, message, row) of each.

    A quotation mark that is never closed takes the following lines with it: each of them counts as a lost row. Where
    it is not known how many those are, the load is refused.
    """
    found: dict[int, Broken] = {}
    for offset, kind, message, row in errors:
        start = offset + len(row) - len(row.lstrip("\r\n"))
        is_unclosed = kind == "UNQUOTED VALUE"
        if kind == "LINE SIZE OVER MAXIMUM" or (is_unclosed and len(row.encode()) >= _TOLD):
            line = _line_of(path, [start])[start]
            raise LoadError(
                f"{path.name}, line {line}: a quotation mark is opened and not closed within {_TOLD:,} characters, "
                "so the rows after it cannot be told apart."
            )
        lines = row.strip("\r\n").count("\n") + 1 if is_unclosed else 1
        found.setdefault(start, Broken(start, _why(kind, message), lines))
    return [found[start] for start in sorted(found)]


def find_rows(
    path: Path, header: Header, ordinals: Iterable[int], broken: Iterable[Broken]
) -> Iterator[tuple[int, Row]]:
    """Yield rows by their number among the readable ones; the numbers must ascend, the file is read once."""
    wanted = iter(ordinals)
    next_wanted = next(wanted, None)
    seen = -1
    for first, text, lost in _located(path, list(broken)):
        if next_wanted is None:
            return
        if lost is not None:
            continue
        seen += 1
        if seen == next_wanted:
            yield seen, Row(first, _fields(header, text))
            next_wanted = next(wanted, None)


def find_broken(path: Path, header: Header, broken: list[Broken]) -> Iterator[tuple[Broken, Row]]:
    """Yield every broken row with its line; one with an unclosed quotation mark yields each line that it swallows."""
    for first, text, lost in _located(path, broken):
        if lost is not None:
            parts = text.splitlines() if lost.lines > 1 else [text]
            for step, part in enumerate(parts):
                yield lost, Row(first + step, _fields(header, part))


def with_one_newline(path: Path, folder: Path) -> Path:
    """Copy a file whose lines end in different ways into one whose lines all end in the same, and return the copy."""
    copy = folder / f"{path.name.removesuffix('.gz')}"
    folder.mkdir(parents=True, exist_ok=True)
    with _open(path) as source, copy.open("wb") as out:
        for line in source:
            out.write(line.rstrip(b"\r\n") + b"\n" if line.endswith(b"\n") else line)
    return copy


def _open(path: Path) -> IO[bytes]:
    if path.name.lower().endswith(".gz"):
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def _first_record(head: bytes) -> bytes:
    """Return the first line that is not blank, quoted line breaks included."""
    text = head.lstrip(b"\r\n")
    quoted = False
    for position, byte in enumerate(text):
        if byte == 0x22:
            quoted = not quoted
        elif byte in (0x0A, 0x0D) and not quoted:
            return text[:position]
    return text


def _outside_quotes(text: str, delimiter: str) -> int:
    return re.sub(r'"[^"]*"', "", text).count(delimiter)


def _distinct(path: Path, names: list[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for place, word in enumerate(names, start=1):
        named = word or f"column {place}"
        if named.lower() in found:
            raise LoadError(f"{path.name} names the column '{named}' twice; rename one of the two.")
        found[named.lower()] = named
    return tuple(found.values())


def _why(kind: str, message: str) -> str:
    counts = re.search(r"Columns: (\d+) Found: (\d+)", message)
    if counts:
        return f"has {counts.group(2)} fields where the header has {counts.group(1)}"
    if kind == "INVALID ENCODING":
        return "is not valid UTF-8"
    if kind == "UNQUOTED VALUE":
        return _UNCLOSED
    return f"cannot be split into fields ({message})"


def _line_of(path: Path, offsets: list[int]) -> dict[int, int]:
    """Return the physical line, counted from 1, in which each byte lies."""
    found: dict[int, int] = {}
    wanted = sorted(set(offsets))
    if not wanted:
        return found
    line, read = 1, 0
    with _open(path) as file:
        while wanted and (chunk := file.read(1 << 20)):
            while wanted and wanted[0] < read + len(chunk):
                offset = wanted.pop(0)
                found[offset] = line + chunk.count(b"\n", 0, offset - read)
            line += chunk.count(b"\n")
            read += len(chunk)
    return found | dict.fromkeys(wanted, line)


def _located(path: Path, broken: list[Broken]) -> Iterator[tuple[int, str, Broken | None]]:
    """Yield (first line, text, what broke it) of every record that is not blank, the header first."""
    starts = _line_of(path, [one.offset for one in broken])
    by_line = {starts[one.offset]: one for one in broken}
    lengths = {line: one.lines for line, one in by_line.items() if one.is_unclosed}
    for first, text in _records(path, lengths):
        lost = by_line.get(first)
        if lost is not None or text.strip():
            yield first, text, lost


def _records(path: Path, lengths: Mapping[int, int]) -> Iterator[tuple[int, str]]:
    """Yield (first line, text) of every record; `lengths` says how many lines one takes that does not close its quotes."""
    with _open(path) as raw:
        file = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="backslashreplace", newline=None)
        parts: list[str] = []
        first, is_open, left = 1, False, 0
        for number, line in enumerate(file, start=1):
            if not parts:
                first, left = number, lengths.get(number, 0)
            parts.append(line)
            if left:
                left -= 1
                is_done = left == 0
            else:
                is_open ^= bool(line.count('"') % 2)
                is_done = not is_open
            if is_done:
                yield first, "".join(parts).rstrip("\n")
                parts, is_open = [], False


def _fields(header: Header, text: str) -> dict[str, str]:
    limit = csv.field_size_limit(MAX_LINE_BYTES)
    try:
        values = next(csv.reader(io.StringIO(text, newline=""), delimiter=header.delimiter), [])
    except csv.Error:
        values = [text]
    finally:
        csv.field_size_limit(limit)
    found = dict(zip(header.names, values, strict=False))
    if len(values) > len(header.names):
        found["(more)"] = header.delimiter.join(values[len(header.names) :])
    return found

"""Rows as CSV and XLSX files that are safe to open: no cell of text is ever taken for a formula."""

import csv
import datetime as dt
import io
from collections.abc import Mapping
from typing import Any

import pandas as pd
import xlsxwriter

from cs_metrics.report import format as say

__all__ = ["csv_bytes", "escaped", "xlsx_bytes"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FORMATS = {
    "money": "#,##0.00",
    "percent": "0.0%",
    "points": "+0.0%;-0.0%;0.0%",
    "count": "#,##0",
    "days": "#,##0",
    "number": "#,##0.0",
    "score": "0.0",
    "bar": "0.0",
    "date": "yyyy-mm-dd",
    "month": "yyyy-mm",
}


def escaped(text: str) -> str:
    """Return a text that a spreadsheet shows instead of computing: an apostrophe is put before `= + - @`."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(value: Any, kind: str) -> Any:
    """Return a cell as number, day, bool or text; unknown is None."""
    if isinstance(value, list | tuple):
        return "; ".join(str(one) for one in value)
    if kind == "health":
        return say.health(value)
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, pd.Timestamp | dt.datetime):
        return value.date() if value.time() == dt.time() else value.replace(tzinfo=None)
    return value.item() if hasattr(value, "item") else value


def _rows(frame: pd.DataFrame, kinds: Mapping[str, str]) -> list[list[Any]]:
    columns = [[_plain(value, kinds.get(str(name), "")) for value in frame[name]] for name in frame.columns]
    return [list(row) for row in zip(*columns, strict=True)] if columns else []


def csv_bytes(frame: pd.DataFrame, kinds: Mapping[str, str] | None = None) -> bytes:
    """Return the rows as CSV (UTF-8 with BOM, ISO days, shares as fractions); negative numbers stay numbers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([escaped(str(name)) for name in frame.columns])
    for row in _rows(frame, kinds or {}):
        writer.writerow(["" if one is None else escaped(one) if isinstance(one, str) else one for one in row])
    return out.getvalue().encode("utf-8-sig")


def xlsx_bytes(frame: pd.DataFrame, kinds: Mapping[str, str] | None = None) -> bytes:
    """Return the rows as one XLSX sheet with a fixed head, number formats and a filter."""
    kinds, out = kinds or {}, io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet("Data")
    head = book.add_format({"bold": True, "bottom": 1})
    formats = {kind: book.add_format({"num_format": text}) for kind, text in _FORMATS.items()}
    for at, name in enumerate(frame.columns):
        page.write_string(0, at, str(name), head)
        page.set_column(at, at, max(10, min(40, len(str(name)) + 4)), formats.get(kinds.get(str(name), "")))
    for line, row in enumerate(_rows(frame, kinds), start=1):
        for at, value in enumerate(row):
            _write(page, line, at, value, formats.get(kinds.get(str(frame.columns[at]), "")), formats["date"])
    page.freeze_panes(1, 0)
    if len(frame.columns):
        page.autofilter(0, 0, len(frame), len(frame.columns) - 1)
    book.close()
    return out.getvalue()


def _write(page: Any, line: int, at: int, value: Any, look: Any, day_look: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_boolean(line, at, value)
    elif isinstance(value, int | float):
        if value in (float("inf"), float("-inf")):
            page.write_string(line, at, str(value))
        else:
            page.write_number(line, at, value, look)
    elif isinstance(value, dt.date):
        page.write_datetime(line, at, value, look or day_look)
    else:
        page.write_string(line, at, str(value)[:32767])

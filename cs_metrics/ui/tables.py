"""Tables that sort, search, open an account on click and download; column kinds carry the formats."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import streamlit as st

from cs_metrics.report import format as say
from cs_metrics.report import sheet

__all__ = ["Col", "Kind", "clicked_column", "config", "downloads", "draw", "height", "plain_columns", "prepared"]

Kind = Literal[
    "text", "money", "percent", "count", "number", "points", "score", "days", "date", "month", "bool", "health", "tags",
    "spark", "bar", "plain", "time",
]  # fmt: skip
_ROW, _HEAD, _SHOWN = 32, 36, 12
_MONEY = {"USD": "dollar", "EUR": "euro", "JPY": "yen"}
_HEALTH_COLOURS = {"■ At risk": "red", "▲ Watch": "yellow", "● Healthy": "green", "○ No data": "gray"}


@dataclass(frozen=True, kw_only=True)
class Col:
    """How a column is shown: its words, its kind, and what its head explains."""

    label: str
    kind: Kind = "text"
    help: str = ""
    width: int | Literal["small", "medium", "large"] | None = None
    is_pinned: bool = False


def prepared(frame: pd.DataFrame, columns: Mapping[str, Col]) -> pd.DataFrame:
    """Return the frame as the table shows it: shares in percent, health colours in words and shapes."""
    shown = frame[list(columns)].copy(deep=False)
    for name, col in columns.items():
        if col.kind in ("percent", "points"):
            shown[name] = pd.to_numeric(shown[name]) * 100
        elif col.kind == "money":
            shown[name] = pd.to_numeric(shown[name]).round().astype("Int64")
        elif col.kind == "health":
            shown[name] = [[say.health(one)] for one in shown[name]]
        elif col.kind == "tags" and shown[name].dtype == "str":
            known = shown[name].fillna("")
            shown[name] = known.map({one: _tags(one) for one in known.unique()})
        elif col.kind == "tags":
            shown[name] = [_tags(one) for one in shown[name]]
        elif col.kind == "text" and shown[name].dtype == "str":
            shown[name] = shown[name].fillna("")
        elif col.kind == "text":
            shown[name] = ["" if one is None or one != one else str(one) for one in shown[name]]
        elif col.kind in ("date", "month", "time"):
            shown[name] = pd.to_datetime(shown[name])
    return shown


def plain_columns(frame: pd.DataFrame) -> dict[str, Col]:
    """Return columns under their own names, for rows that are shown as they are."""
    kinds: dict[str, Kind] = {"M": "date", "b": "bool", "f": "plain", "i": "plain", "u": "plain"}
    return {str(name): Col(label=str(name), kind=_kind_of(frame[name], kinds)) for name in frame.columns}


def _kind_of(column: pd.Series, kinds: Mapping[str, Kind]) -> Kind:
    if any(isinstance(one, list | tuple) for one in column.head(50)):
        return "tags"
    return kinds.get(getattr(column.dtype, "kind", "O"), "text")


def _tags(value: Any) -> list[str]:
    if value is None or (isinstance(value, float) and value != value):
        return []
    if isinstance(value, str):
        return [one.strip() for one in value.split(";") if one.strip()]
    return [str(one) for one in value]


def config(columns: Mapping[str, Col], currency: str) -> dict[str, Any]:
    """Return the column settings of the table."""
    return {name: _column(col, currency) for name, col in columns.items()}


def _column(col: Col, currency: str) -> Any:
    common: dict[str, Any] = {"label": col.label, "help": col.help or None, "width": col.width, "pinned": col.is_pinned}
    kinds = st.column_config
    symbol = say.SYMBOLS.get(currency, f"{currency} ")
    formats = {
        "money": _MONEY.get(currency, f"{symbol}%,.0f"),
        "percent": "%.1f%%",
        "points": "%+.1f pp",
        "count": "%,d",
        "number": "%,.1f",
        "days": "%,d",
    }
    if col.kind in formats:
        return kinds.NumberColumn(format=formats[col.kind], **common)
    if col.kind == "health":
        return kinds.MultiselectColumn(options=list(_HEALTH_COLOURS), color=list(_HEALTH_COLOURS.values()), **common)
    if col.kind == "tags":
        return kinds.ListColumn(**common)
    if col.kind in ("score", "bar"):
        return kinds.ProgressColumn(format="%.0f", min_value=0, max_value=100, **common)
    if col.kind == "spark":
        return kinds.LineChartColumn(y_min=0, **common)
    if col.kind == "time":
        return kinds.DatetimeColumn(format="D MMM YYYY, HH:mm", **common)
    if col.kind in ("date", "month"):
        return kinds.DateColumn(format="D MMM YYYY" if col.kind == "date" else "MMM YYYY", **common)
    if col.kind == "plain":
        return kinds.NumberColumn(**common)
    return kinds.CheckboxColumn(**common) if col.kind == "bool" else kinds.TextColumn(**common)


def height(rows: int, shown: int = _SHOWN) -> int:
    """Return the height of a table of so many rows, of which `shown` are in view."""
    return _HEAD + _ROW * max(1, min(rows, shown)) + 3


def draw(
    frame: pd.DataFrame, columns: Mapping[str, Col], *, currency: str, key: str, opens: bool, rows: int, alt: str
) -> int | None:
    """Draw a table and return the position of the clicked row, None when none was clicked."""
    shown = prepared(frame, columns)
    settings: dict[str, Any] = {
        "hide_index": True,
        "column_config": config(columns, currency),
        "height": height(len(shown), rows),
        "row_height": _ROW,
        "placeholder": "",
        "alt": alt,
    }
    if not opens:
        st.dataframe(shown, key=key, **settings)
        return None
    chosen = st.dataframe(shown, key=key, on_select="rerun", selection_mode=["single-row", "single-cell"], **settings)
    found = chosen.selection
    picked: Sequence[int] = found.rows or [cell[0] for cell in found.cells]
    return int(picked[0]) if picked and picked[0] < len(frame) else None


def clicked_column(key: str) -> str:
    """Return the name of the column in which a table was clicked, empty where a whole row was chosen."""
    cells = st.session_state[key].selection.cells
    return str(cells[0][1]) if cells else ""


def downloads(frame: pd.DataFrame, columns: Mapping[str, Col], *, name: str, key: str) -> None:
    """Offer the rows as CSV and XLSX; the files are written when they are asked for."""
    labels = {column: col.label for column, col in columns.items()}
    kinds = {col.label: str(col.kind) for col in columns.values()}
    rows = frame[list(columns)].rename(columns=labels)
    files: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
        ("CSV", "text/csv", lambda: sheet.csv_bytes(rows, kinds)),
        (
            "XLSX",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            lambda: sheet.xlsx_bytes(rows, kinds),
        ),
    )
    for label, mime, write in files:
        st.download_button(
            label,
            data=write,
            file_name=f"{name}.{label.lower()}",
            mime=mime,
            key=f"{key}_{label.lower()}",
            type="tertiary",
            icon=":material/download:",
            on_click="ignore",
        )

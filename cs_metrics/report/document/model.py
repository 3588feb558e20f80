"""What a file says, in plain frozen values that know nothing of Word, PowerPoint or PDF.

Document → sections → rows → blocks side by side. Every sentence that a person may put in other words is a `Text` with
a key; every number, table and picture is fixed. One document serves all renderers, so that all formats say the same.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

from cs_metrics.report.chart import Chart

__all__ = [
    "Block",
    "Column",
    "Document",
    "Number",
    "Numbers",
    "Picture",
    "Row",
    "Section",
    "Shape",
    "Table",
    "Text",
    "clean",
    "edited",
    "pictures",
    "texts",
]

Shape = Literal["a4", "slides"]
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, kw_only=True)
class Text:
    """Words that may be edited before the file is made; `label` names them. Each line of `bullets` is a point."""

    key: str
    label: str
    text: str
    style: Literal["title", "lead", "body", "bullets"] = "body"

    @property
    def lines(self) -> list[str]:
        """The lines that say something."""
        return [one.strip() for one in self.text.splitlines() if one.strip()]


@dataclass(frozen=True, kw_only=True)
class Number:
    """A figure with what it is and one line about it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """A row of figures."""

    items: Sequence[Number]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table; `weight` is its share of the width."""

    label: str
    weight: float = 1
    is_number: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of cells as they are read; `empty` stands there when there are none."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    empty: str = "Nothing recorded."


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A chart with its message and one line of unit and days; `says` is the text that stands for it."""

    title: str
    chart: Chart
    caption: str = ""
    says: str = ""


Block = Text | Numbers | Table | Picture


@dataclass(frozen=True, kw_only=True)
class Row:
    """Blocks side by side; `weights` share the width, equal where not given."""

    blocks: Sequence[Block]
    weights: Sequence[float] = ()

    @property
    def shares(self) -> list[float]:
        """The share of the width of each block."""
        weights = list(self.weights) or [1.0] * len(self.blocks)
        return [one / sum(weights) for one in weights]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part with its message: a slide, or a heading and what stands under it."""

    title: Text
    rows: Sequence[Row]


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole file: `mark` says whom it is for, `foot` stands on every page, `notes` define its numbers."""

    title: Text
    subtitle: Text
    shape: Shape
    sections: Sequence[Section]
    foot: str
    notes: Sequence[tuple[str, str]] = ()
    mark: str = ""
    currency: str = "USD"


def texts(document: Document) -> dict[str, Text]:
    """Return all that may be edited, by key, in reading order."""
    return {one.key: one for one in _walk(document) if isinstance(one, Text)}


def pictures(document: Document) -> list[Picture]:
    """Return all pictures in reading order."""
    return [one for one in _walk(document) if isinstance(one, Picture)]


def edited(document: Document, given: Mapping[str, str]) -> Document:
    """Return the document with these texts in place of its own; nothing else changes. Unknown keys are left aside."""

    def change(one: Any) -> Any:
        return replace(one, text=given[one.key]) if isinstance(one, Text) and one.key in given else one

    found: Document = _mapped(document, change)
    return found


def clean(document: Document) -> Document:
    """Return the document without characters that no file format can hold (control characters, half surrogates)."""
    found: Document = _mapped(document, lambda one: _NOT_TEXT.sub("", one) if isinstance(one, str) else one)
    return found


def _walk(value: Any) -> Iterator[Any]:
    yield value
    if is_dataclass(value):
        for one in fields(value):
            yield from _walk(getattr(value, one.name))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _walk(each)


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a value with `change` applied to each of its parts, innermost first."""
    if is_dataclass(value) and not isinstance(value, type):
        value = replace(value, **{one.name: _mapped(getattr(value, one.name), change) for one in fields(value)})
    elif isinstance(value, tuple | list):
        value = type(value)(_mapped(one, change) for one in value)
    return change(value)

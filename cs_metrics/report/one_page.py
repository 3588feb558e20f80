"""One page to print, described in plain values: what stands on it, knowing nothing of who draws it.

`internal` pages are for our own people, `customer` pages go to the customer. A renderer takes the blocks in their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Audience", "Bars", "Block", "Facts", "Mark", "OnePage", "Points", "Table", "Text"]

Audience = Literal["internal", "customer"]
Mark = Literal["good", "look", "bad", "unknown", ""]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A row of figures: (label, value, note)."""

    items: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, kw_only=True)
class Text:
    """A paragraph under a heading; `is_boxed` sets it off as what matters most."""

    title: str = ""
    text: str = ""
    is_boxed: bool = False


@dataclass(frozen=True, kw_only=True)
class Points:
    """A list under a heading: (mark, what, evidence)."""

    title: str
    items: Sequence[tuple[Mark, str, str]]
    lead: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A small table; columns after the first are numbers where `numbers` says so."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[bool]
    lead: str = ""
    strong: Sequence[int] = ()


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Lying bars from 0: (label, value, the value in words, whether it is the one that matters)."""

    title: str
    items: Sequence[tuple[str, float, str, bool]]
    lead: str = ""


Block = Facts | Text | Points | Table | Bars


@dataclass(frozen=True, kw_only=True)
class OnePage:
    """A page: for whom, its message, what it is about, its blocks, and what stands at its foot.

    `columns` are blocks side by side below the others.
    """

    audience: Audience
    title: str
    subtitle: str
    blocks: Sequence[Block]
    foot: str = ""
    columns: Sequence[Sequence[Block]] = ()

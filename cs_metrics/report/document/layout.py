"""Where everything stands on a slide, in points; PowerPoint and PDF draw the same places.

Texts, figures and tables take the room that they need; pictures share what is left. What does not fit is written
smaller, never cut; a slide of words alone is written larger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cs_metrics.report.document.model import Block, Numbers, Picture, Row, Section, Table, Text

__all__ = ["FONTS", "HEIGHT", "MARGIN", "SIZES", "WIDTH", "Place", "places", "table_height", "title_size", "wrapped"]

FONTS = Path(__file__).resolve().parent.parent / "fonts"
WIDTH, HEIGHT, MARGIN = 960.0, 540.0, 44.0
TOP, BOTTOM, GAP = 92.0, 494.0, 14.0
SIZES = {"title": 25.0, "lead": 15.0, "body": 13.5, "bullets": 14.0, "table": 11.5, "picture": 13.0, "caption": 10.0}
_LINE, _POINT_GAP, _INDENT, _CELL = 1.36, 5.0, 16.0, 9.0
_NUMBERS, _LEAST_PICTURE, _MOST_PICTURE = 82.0, 120.0, 370.0
_BOLD = 1.07  # bold letters are wider by so much
_SCALES = (1.3, 1.15, 1.0, 0.92, 0.85, 0.78, 0.7, 0.62, 0.55, 0.48, 0.4)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A block with its place on the slide; `scale` makes its letters smaller than usual."""

    block: Block
    x: float
    y: float
    width: float
    height: float
    scale: float = 1.0


def places(section: Section) -> list[Place]:
    """Return the places of the blocks of a section on its slide, row under row."""
    room = BOTTOM - TOP - GAP * max(len(section.rows) - 1, 0)
    blocks = [one for row in section.rows for one in row.blocks]
    largest = _SCALES[0] if all(isinstance(one, Text | Numbers) for one in blocks) else 1.0
    scales = [one for one in _SCALES if one <= largest]
    scale = next((one for one in scales if _least(section.rows, one) <= room), scales[-1])
    fixed = sum(_height(row, scale) for row in section.rows if not _grows(row))
    growing = [row for row in section.rows if _grows(row)]
    left = (room - fixed) / max(len(growing), 1)
    found, y = [], TOP
    for row in section.rows:
        height = max(min(left, _MOST_PICTURE), _height(row, scale)) if _grows(row) else _height(row, scale)
        x = MARGIN
        for block, width in zip(row.blocks, _widths(row), strict=True):
            high = _NUMBERS if isinstance(block, Numbers) else height
            found.append(Place(block=block, x=x, y=y, width=width, height=high, scale=scale))
            x += width + 2 * GAP
        y += height + GAP
    return found


def _widths(row: Row) -> list[float]:
    room = WIDTH - 2 * MARGIN - 2 * GAP * (len(row.blocks) - 1)
    return [room * share for share in row.shares]


def _least(rows: Sequence[Row], scale: float) -> float:
    return sum(_height(row, scale) for row in rows)


def _grows(row: Row) -> bool:
    return any(isinstance(one, Picture) for one in row.blocks)


def _height(row: Row, scale: float) -> float:
    """Return the room that a row needs, for a picture the least."""
    return max((_needs(one, width, scale) for one, width in zip(row.blocks, _widths(row), strict=True)), default=0)


def _needs(block: Block, width: float, scale: float) -> float:
    if isinstance(block, Numbers):
        return _NUMBERS
    if isinstance(block, Picture):
        return _LEAST_PICTURE
    if isinstance(block, Table):
        return table_height(block, width, scale)
    return _text_height(block, width, scale)


def _text_height(text: Text, width: float, scale: float) -> float:
    size, indent = SIZES[text.style] * scale, _INDENT if text.style == "bullets" else 0
    lines = sum(wrapped(one, size, width - indent) for one in text.lines)
    return lines * size * _LINE + _POINT_GAP * scale * max(len(text.lines) - 1, 0)


def title_size(title: str) -> float:
    """Return the size of letters with which a title stays on one line, the smallest where none does."""
    sizes = (SIZES["title"], 21.0, 18.0, 15.5, 13.0)
    room = (WIDTH - 2 * MARGIN) / _BOLD
    return next((one for one in sizes if wrapped(title, one, room) == 1), sizes[-1])


def table_height(table: Table, width: float, scale: float) -> float:
    """Return the room that a table needs with its title and caption."""
    size = SIZES["table"] * scale
    head = SIZES["picture"] * _LINE + (SIZES["caption"] * _LINE if table.caption else 0) + 4
    total = sum(one.weight for one in table.columns)
    widths = [width * one.weight / total - 12 for one in table.columns]
    rows = [[one.label for one in table.columns], *table.rows] if table.rows else [[table.empty]]
    lines = [max(wrapped(cell, size, room) for cell, room in zip(row, widths, strict=False)) for row in rows]
    return head + sum(one * size * 1.25 + _CELL * scale for one in lines)


def wrapped(text: str, size: float, width: float) -> int:
    """Return how many lines a text takes; a word that is too long for a line is broken."""
    lines, used = 1, 0.0
    space = _length(" ") * size
    for word in text.split():
        length = _length(word) * size
        if used and used + space + length > width:
            lines, used = lines + 1, 0.0
        if length > width > 0:
            more = int(length // width)
            lines, length = lines + more, length - more * width
        used += (space if used else 0) + length
    return lines


@lru_cache(maxsize=4096)
def _length(word: str) -> float:
    """Return how wide a word is in letters of one point."""
    return float(_font().getlength(word)) / 100


@lru_cache(maxsize=1)
def _font() -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(str(FONTS / "Inter-Regular.ttf"), 100, layout_engine=ImageFont.Layout.BASIC)

"""A document as PDF: A4 pages or 16:9 slides, tagged for screen readers (PDF/UA-1), set by Typst without a browser.

The words go to Typst as data, never as markup, so that no name or comment can change the page.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from cs_metrics.report.document import layout
from cs_metrics.report.document.brand import Brand
from cs_metrics.report.document.model import Block, Document, Numbers, Picture, Row, Section, Table
from cs_metrics.report.document.svg import svg

__all__ = ["NOTES_TITLE", "pdf", "png"]

NOTES_TITLE = "How to read these numbers"
_TEMPLATE = Path(__file__).resolve().parent / "report.typ"
_STANDARD = "ua-1"
_NO_LETTER = re.compile(r'the text `"(.+?)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
_PAGE_WIDTH, _PICTURE_HEIGHT = 483.0, 128.0


def pdf(document: Document, brand: Brand) -> tuple[bytes, str]:
    """Return the PDF and the letters for which this machine has no font (they are empty boxes), "" where it has all.

    What cannot follow the standard for screen readers (such letters, a headline that was left empty) is written without.
    """
    import typst

    given = _given(document, brand)
    try:
        return _compiled(given, "pdf", pdf_standards=_STANDARD), ""
    except typst.TypstError as error:
        named = (_ESCAPED.sub(lambda one: chr(int(one[1], 16)), text) for text in _NO_LETTER.findall(error.diagnostic))
        return _compiled(given, "pdf"), "".join(sorted(set(named)))


def png(document: Document, brand: Brand, *, dots_per_inch: float = 144) -> list[bytes]:
    """Return the pages as pictures."""
    found = _compiled(_given(document, brand), "png", ppi=dots_per_inch)
    return [found] if isinstance(found, bytes) else list(found)


def _compiled(given: Mapping[str, Any], kind: str, **more: Any) -> Any:
    import typst

    inputs = {"report": json.dumps(given, ensure_ascii=False)}
    compiled: Callable[..., Any] = typst.compile
    return compiled(_TEMPLATE.read_bytes(), format=kind, font_paths=_fonts(), sys_inputs=inputs, **more)


@lru_cache(maxsize=1)
def _fonts() -> Any:
    """Return the product's own font before those of the machine, which stand in for letters that it lacks."""
    import typst

    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=[str(layout.FONTS)])


def _given(document: Document, brand: Brand) -> dict[str, Any]:
    is_slides = document.shape == "slides"
    draw = _slide if is_slides else _part
    return {
        "shape": document.shape,
        "title": document.title.text.strip() or brand.company or "Report",
        "subtitle": document.subtitle.text,
        "mark": document.mark,
        "foot": document.foot,
        "company": brand.company,
        "accent": brand.accent,
        "logo": list(brand.logo),
        "notes": [list(one) for one in document.notes],
        "notes_title": NOTES_TITLE,
        "sections": [draw(one, document, brand) for one in document.sections],
    }


def _slide(section: Section, document: Document, brand: Brand) -> dict[str, Any]:
    places = [
        {
            "x": one.x,
            "y": one.y,
            "width": one.width,
            "height": one.height,
            "scale": one.scale,
            "block": _block(one.block, document, brand, one.width, one.height, 10.5),
        }
        for one in layout.places(section)
    ]
    title = section.title.text
    return {"title": title, "title_size": layout.title_size(title), "places": places}


def _part(section: Section, document: Document, brand: Brand) -> dict[str, Any]:
    return {"title": section.title.text, "rows": [_row(one, document, brand) for one in section.rows]}


def _row(row: Row, document: Document, brand: Brand) -> dict[str, Any]:
    room = _PAGE_WIDTH - 18 * (len(row.blocks) - 1)
    blocks = [
        _block(one, document, brand, room * share, _PICTURE_HEIGHT + 34, 7.5)
        for one, share in zip(row.blocks, row.shares, strict=True)
    ]
    return {"shares": row.shares, "blocks": blocks}


def _block(block: Block, document: Document, brand: Brand, width: float, height: float, size: float) -> dict[str, Any]:
    if isinstance(block, Numbers):
        room = width / max(len(block.items), 1) - 26
        lines = max((layout.wrapped(one.note, 8, room) if one.note else 0 for one in block.items), default=0)
        lines += max((layout.wrapped(one.label, 8, room) for one in block.items), default=1) - 1
        return {"kind": "numbers", "items": [vars(one) for one in block.items], "height": 44 + 10 * lines}
    if isinstance(block, Table):
        rows: Sequence[Sequence[str]] = block.rows
        return {**vars(block), "kind": "table", "columns": [vars(one) for one in block.columns], "rows": rows}
    if isinstance(block, Picture):
        head = 34 if document.shape == "a4" else 42
        drawn = svg(
            block.chart,
            width=width,
            height=height - head,
            size=size,
            palette=brand.palette,
            currency=document.currency,
        )
        return {"kind": "picture", "title": block.title, "caption": block.caption, "says": block.says, "svg": drawn}
    return {"kind": "text", "style": block.style, "lines": block.lines}

"""A document as PowerPoint slides, 16:9: text, tables and charts that can be edited there, in the company's colours."""

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from cs_metrics.report.document import layout, native
from cs_metrics.report.document.brand import Brand
from cs_metrics.report.document.layout import HEIGHT, MARGIN, SIZES, WIDTH, Place
from cs_metrics.report.document.model import Document, Numbers, Picture, Table, Text
from cs_metrics.report.document.paper import NOTES_TITLE

__all__ = ["pptx"]

_OPENING, _TITLED = 0, 5  # layouts of the template: a title with a subtitle, and a title only
_PLAIN_TABLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"


def pptx(document: Document, brand: Brand) -> bytes:
    """Return the slides as a PPTX file."""
    made = Presentation()
    _widen(made)
    _dress(made, brand)
    made.core_properties.title, made.core_properties.author = document.title.text[:255], brand.company
    _opening(made, document, brand)
    for section in document.sections:
        slide = _slide(made, section.title.text, document, brand)
        for place in layout.places(section):
            _draw(slide, place, document, brand)
    if document.notes:
        _notes(_slide(made, NOTES_TITLE, document, brand), document.notes, brand)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _widen(made: Any) -> None:
    """Turn the template's 4:3 into 16:9, its layouts with it, so that a slide added later fits too."""
    by = Pt(WIDTH) / made.slide_width
    made.slide_width, made.slide_height = Pt(WIDTH), Pt(HEIGHT)
    master = made.slide_master
    for shape in [*master.shapes, *(one for each in master.slide_layouts for one in each.placeholders)]:
        if shape._element.find(f".//{qn('a:xfrm')}") is not None:
            shape.left, shape.width = Emu(int(shape.left * by)), Emu(int(shape.width * by))


def _dress(made: Any, brand: Brand) -> None:
    """Give the theme the company's font and colours, so that what is added later has them too."""
    theme = made.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    xml = theme.blob.decode("utf-8")
    xml = re.sub(r'(<a:(?:major|minor)Font>\s*<a:latin typeface=)"[^"]*"', rf'\1"{brand.font}"', xml)
    for at, colour in enumerate(brand.palette.series, start=1):
        xml = re.sub(rf"(<a:accent{at}>).*?(</a:accent{at}>)", rf'\1<a:srgbClr val="{colour[1:]}"/>\2', xml, flags=re.S)
    theme._blob = xml.encode("utf-8")


def _opening(made: Any, document: Document, brand: Brand) -> None:
    slide, look = made.slides.add_slide(made.slide_layouts[_OPENING]), brand.palette
    band = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, 0, 0, Pt(14), Pt(HEIGHT))
    _fill(band, brand.accent)
    _hidden(band)
    title, subtitle = slide.shapes.title, slide.placeholders[1]
    left, width = MARGIN + 10, WIDTH - 2 * MARGIN - 20
    high = layout.wrapped(document.title.text, 38, width / 1.07) * 38 * 1.2
    top = max(186 - high / 4, 96)
    _place(title, left, top, width, high)
    _write(title, [document.title.text], 38, look.text, bold=True)
    _place(subtitle, left, top + high + 10, width, 60)
    _write(subtitle, [document.subtitle.text], 17, look.muted)
    if document.mark:
        _write(_box(slide, left, top + high + 74, width, 20), [document.mark], 10, look.muted)
    _sender(slide, brand, left, 36, 44)
    _foot(slide, document, brand)


def _slide(made: Any, title: str, document: Document, brand: Brand) -> Any:
    slide = made.slides.add_slide(made.slide_layouts[_TITLED])
    bar = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, Pt(MARGIN), Pt(32), Pt(34), Pt(3))
    _fill(bar, brand.accent)
    _hidden(bar)
    width = WIDTH - 2 * MARGIN
    _place(slide.shapes.title, MARGIN, 40, width, 38)
    _write(slide.shapes.title, [title], layout.title_size(title), brand.palette.text, bold=True, middle=True)
    _foot(slide, document, brand)
    return slide


def _foot(slide: Any, document: Document, brand: Brand) -> None:
    box = _box(slide, MARGIN, HEIGHT - 30, WIDTH - 2 * MARGIN - 60, 16)
    _write(box, [document.foot], 9, brand.palette.muted)
    page = _box(slide, WIDTH - MARGIN - 60, HEIGHT - 30, 60, 16)
    _write(page, [""], 9, brand.palette.muted, align=PP_ALIGN.RIGHT)
    paragraph = page.text_frame.paragraphs[0]._p
    number = paragraph.makeelement(qn("a:fld"), {"id": "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", "type": "slidenum"})
    look = number.makeelement(qn("a:rPr"), {"sz": "900"})
    words = number.makeelement(qn("a:t"), {})
    words.text = str(slide.slide_id - 255)
    number.extend([look, words])
    end = paragraph.find(qn("a:endParaRPr"))
    paragraph.append(number) if end is None else end.addprevious(number)


def _sender(slide: Any, brand: Brand, x: float, y: float, height: float) -> None:
    if brand.logo:
        picture = slide.shapes.add_picture(io.BytesIO(brand.logo), Pt(x), Pt(y), height=Pt(height))
        _says(picture, brand.company or "Logo")
    elif brand.company:
        _write(_box(slide, x, y, 400, height), [brand.company], 15, brand.accent, bold=True)


# Blocks


def _draw(slide: Any, place: Place, document: Document, brand: Brand) -> None:
    draw: dict[type, Callable[..., None]] = {Text: _text, Numbers: _numbers, Table: _table, Picture: _picture}
    draw[type(place.block)](slide, place, place.block, document, brand)


def _text(slide: Any, place: Place, block: Text, _document: Document, brand: Brand) -> None:
    colour = brand.palette.muted if block.style == "lead" else brand.palette.text
    box = _box(slide, place.x, place.y, place.width, place.height)
    is_list = block.style == "bullets"
    _write(box, block.lines, SIZES[block.style] * place.scale, colour, bullets=brand.accent if is_list else "")


def _numbers(slide: Any, place: Place, block: Numbers, _document: Document, brand: Brand) -> None:
    look, gap = brand.palette, 12
    width = (place.width - gap * (len(block.items) - 1)) / max(len(block.items), 1)
    for at, one in enumerate(block.items):
        x = place.x + at * (width + gap)
        card = slide.shapes.add_shape(MSO_SHAPE.ROUNDED_RECTANGLE, Pt(x), Pt(place.y), Pt(width), Pt(place.height))
        card.adjustments[0] = 0.05
        _plain(card)
        card.fill.background()
        card.line.color.rgb, card.line.width = _rgb(look.border), Pt(0.75)
        frame = card.text_frame
        frame.margin_left = frame.margin_right = Pt(14)
        frame.margin_top = frame.margin_bottom = Pt(6)
        frame.vertical_anchor, frame.word_wrap = MSO_ANCHOR.MIDDLE, True
        size = next((each for each in (24, 20, 17, 14) if layout.wrapped(one.value, each, width - 28) == 1), 12)
        for k, (words, points, colour) in enumerate(
            ((one.label, 11, look.muted), (one.value, size, look.text), (one.note, 10, look.muted))
        ):
            if words:
                paragraph = frame.paragraphs[0] if k == 0 else frame.add_paragraph()
                paragraph.alignment = PP_ALIGN.LEFT
                _run(paragraph, words, points, colour, bold=k == 1)


def _headed(slide: Any, place: Place, block: Table | Picture, brand: Brand) -> float:
    """Write the title and caption of a block and return how far down they reach."""
    high = 20.0 if not block.caption else 36.0
    box = _box(slide, place.x, place.y, place.width, high)
    _write(box, [block.title], SIZES["picture"], brand.palette.text, bold=True)
    if block.caption:
        _run(box.text_frame.add_paragraph(), block.caption, SIZES["caption"], brand.palette.muted)
    return place.y + high


def _picture(slide: Any, place: Place, block: Picture, document: Document, brand: Brand) -> None:
    y = _headed(slide, place, block, brand)
    found = native.plan(block.chart, document.currency)
    height = place.y + place.height - y
    frame = slide.shapes.add_chart(found.kind, Pt(place.x), Pt(y), Pt(place.width), Pt(height), native.data(found))
    native.draw(frame.chart, found, brand, 10.5)
    _says(frame, block.says)


def _table(slide: Any, place: Place, block: Table, _document: Document, brand: Brand) -> None:
    y, look, size = _headed(slide, place, block, brand) + 4, brand.palette, SIZES["table"] * place.scale
    if not block.rows:
        _write(_box(slide, place.x, y, place.width, 20), [block.empty], size, look.muted)
        return
    rows = [[one.label for one in block.columns], *block.rows]
    frame = slide.shapes.add_table(len(rows), len(block.columns), Pt(place.x), Pt(y), Pt(place.width), Pt(20))
    frame._element.graphic.graphicData.tbl.tblPr.find(qn("a:tableStyleId")).text = _PLAIN_TABLE
    _says(frame, block.title)
    table, total = frame.table, sum(one.weight for one in block.columns)
    table.horz_banding = False
    for column, one in zip(table.columns, block.columns, strict=True):
        column.width = Pt(place.width * one.weight / total)
    for at, row in enumerate(rows):
        table.rows[at].height = Pt(size * 1.25 + 9 * place.scale)
        for k, words in enumerate(row):
            cell = table.cell(at, k)
            cell.margin_left = cell.margin_right = Pt(6)
            cell.margin_top = cell.margin_bottom = Pt(3 * place.scale)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            paragraph = cell.text_frame.paragraphs[0]
            paragraph.alignment = PP_ALIGN.RIGHT if block.columns[k].is_number else PP_ALIGN.LEFT
            _run(paragraph, words, size, look.muted if at == 0 else look.text, bold=at == 0)
            _cell_look(cell, look.surface if at == 0 else "", look.border)


def _cell_look(cell: Any, fill: str, line: str) -> None:
    properties = cell._tc.get_or_add_tcPr()
    bottom = properties.makeelement(qn("a:lnB"), {"w": "9525"})
    solid = bottom.makeelement(qn("a:solidFill"), {})
    solid.append(solid.makeelement(qn("a:srgbClr"), {"val": line[1:]}))
    bottom.append(solid)
    properties.insert(0, bottom)
    if fill:
        cell.fill.solid()
        cell.fill.fore_color.rgb = _rgb(fill)


def _notes(slide: Any, notes: Sequence[tuple[str, str]], brand: Brand) -> None:
    box, look = _box(slide, MARGIN, layout.TOP, WIDTH - 2 * MARGIN, 380), brand.palette
    _write(box, [], 12, look.text)
    size = 12 if len(notes) < 12 else 10.5
    for at, (term, says) in enumerate(notes):
        paragraph = box.text_frame.paragraphs[0] if at == 0 else box.text_frame.add_paragraph()
        paragraph.space_after = Pt(6)
        _run(paragraph, f"{term}: ", size, look.text, bold=True)
        _run(paragraph, says, size, look.muted)


# Shapes


def _box(slide: Any, x: float, y: float, width: float, height: float) -> Any:
    return slide.shapes.add_textbox(Pt(x), Pt(y), Pt(width), Pt(height))


def _place(shape: Any, x: float, y: float, width: float, height: float) -> None:
    shape.left, shape.top, shape.width, shape.height = Pt(x), Pt(y), Pt(width), Pt(height)


def _write(
    shape: Any,
    lines: Sequence[str],
    size: float,
    colour: str,
    *,
    bold: bool = False,
    bullets: str = "",
    middle: bool = False,
    align: Any = PP_ALIGN.LEFT,
) -> None:
    """Write lines into a shape, one paragraph each; `bullets` is the colour of their points."""
    frame = shape.text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.vertical_anchor = MSO_ANCHOR.MIDDLE if middle else MSO_ANCHOR.TOP
    for at, words in enumerate(lines):
        paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
        paragraph.alignment = align
        if bullets:
            _bullet(paragraph, bullets, size)
        _run(paragraph, words, size, colour, bold=bold)


def _run(paragraph: Any, words: str, size: float, colour: str, *, bold: bool = False) -> None:
    run = paragraph.add_run()
    run.text = words
    run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, _rgb(colour)


def _bullet(paragraph: Any, colour: str, size: float) -> None:
    paragraph.space_after = Pt(size * 0.4)
    look = paragraph._p.get_or_add_pPr()
    look.set("marL", str(Pt(16)))
    look.set("indent", str(-Pt(16)))
    ink = look.makeelement(qn("a:buClr"), {})
    ink.append(ink.makeelement(qn("a:srgbClr"), {"val": colour[1:]}))
    look.extend([ink, look.makeelement(qn("a:buChar"), {"char": "•"})])


def _plain(shape: Any) -> None:
    """Take away the shadow and colours that the theme gives a shape."""
    style = shape._element.find(qn("p:style"))
    if style is not None:
        shape._element.remove(style)


def _fill(shape: Any, colour: str) -> None:
    _plain(shape)
    shape.fill.solid()
    shape.fill.fore_color.rgb = _rgb(colour)
    shape.line.fill.background()


def _says(shape: Any, words: str) -> None:
    """Give a shape the text that stands for it."""
    shape._element.xpath(".//p:cNvPr")[0].set("descr", words)


def _hidden(shape: Any) -> None:
    """Mark a shape as decoration, and set it behind the others."""
    _says(shape, "")
    parent = shape._element.getparent()
    parent.remove(shape._element)
    parent.insert(2, shape._element)


def _rgb(colour: str) -> RGBColor:
    return RGBColor.from_string(colour.lstrip("#"))

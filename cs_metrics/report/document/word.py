"""A document as a Word file, A4: headings, lists, tables and charts that can be edited there."""

import io
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import docx as library
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from lxml import etree

from cs_metrics.report.document import native
from cs_metrics.report.document.brand import Brand
from cs_metrics.report.document.model import Block, Column, Document, Numbers, Picture, Row, Table, Text
from cs_metrics.report.document.paper import NOTES_TITLE

__all__ = ["docx"]

_WIDTH, _PICTURE = 483.0, 126.0  # of the text and of a chart, in points
_GAP = 14.0
_CHART_TYPE = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHART_SPACE = "http://schemas.openxmlformats.org/drawingml/2006/chart"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def docx(document: Document, brand: Brand) -> bytes:
    """Return the document as a DOCX file."""
    writer = _Writer(document, brand)
    writer.write()
    out = io.BytesIO()
    writer.made.save(out)
    return out.getvalue()


class _Writer:
    """One Word file while it is written."""

    def __init__(self, document: Document, brand: Brand) -> None:
        self.document, self.brand, self.look = document, brand, brand.palette
        self.made = library.Document()
        self.numbers = count(1)

    def write(self) -> None:
        """Write everything, top to bottom."""
        document = self.document
        self._styles()
        self._frame()
        self.made.core_properties.title, self.made.core_properties.author = (
            document.title.text[:255],
            self.brand.company,
        )
        self.made.core_properties.comments = ""
        self.made.add_heading(document.title.text, level=1)
        self._run(self._paragraph(self.made, after=8), document.subtitle.text, 10, self.look.muted)
        for section in document.sections:
            self.made.add_heading(section.title.text, level=2)
            for row in section.rows:
                self._row(row)
        if document.notes:
            self.made.add_heading(NOTES_TITLE, level=3)
            for term, says in document.notes:
                paragraph = self._paragraph(self.made, after=2)
                self._run(paragraph, f"{term}: ", 8, self.look.text, bold=True)
                self._run(paragraph, says, 8, self.look.muted)

    def _styles(self) -> None:
        sizes = {"Normal": 9.5, "Heading 1": 20, "Heading 2": 13, "Heading 3": 10, "List Bullet": 9.5}
        for name, size in sizes.items():
            style = self.made.styles[name]
            style.font.name, style.font.size = self.brand.font, Pt(size)
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for old in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
                fonts.attrib.pop(qn(f"w:{old}"), None)
            style.font.color.rgb = _rgb(self.look.text)
            style.paragraph_format.space_after = Pt(4)
            style.paragraph_format.line_spacing = 1.06
            if name.startswith("Heading"):
                style.font.bold = True
                style.paragraph_format.space_before = Pt(0 if name.endswith("1") else 11)
                style.paragraph_format.keep_with_next = True

    def _frame(self) -> None:
        """Set A4, the head with the mark and the sender, and the foot with its page."""
        page = self.made.sections[0]
        page.page_width, page.page_height = Mm(210), Mm(297)
        page.left_margin = page.right_margin = Pt(56)
        page.top_margin, page.bottom_margin = Pt(60), Pt(50)
        page.header_distance = page.footer_distance = Pt(26)
        head, foot = page.header.paragraphs[0], page.footer.paragraphs[0]
        for paragraph in (head, foot):
            paragraph.style = self.made.styles["Normal"]
            paragraph.paragraph_format.tab_stops.clear_all()
            paragraph.paragraph_format.tab_stops.add_tab_stop(Pt(_WIDTH), alignment=2)
        self._run(head, f"{self.document.mark}\t", 8, self.look.muted)
        if self.brand.logo:
            picture = head.add_run().add_picture(io.BytesIO(self.brand.logo), height=Pt(20))
            picture._inline.docPr.set("descr", self.brand.company or "Logo")
        else:
            self._run(head, self.brand.company, 10, self.brand.accent, bold=True)
        self._run(foot, f"{self.document.foot}\t", 8, self.look.muted)
        for kind in ("PAGE", "NUMPAGES"):
            if kind == "NUMPAGES":
                self._run(foot, " / ", 8, self.look.muted)
            self._field(foot, kind)

    def _field(self, paragraph: Any, kind: str) -> None:
        field = OxmlElement("w:fldSimple")
        field.set(qn("w:instr"), kind)
        paragraph._p.append(field)
        run = paragraph.add_run("1")
        run.font.size, run.font.color.rgb = Pt(8), _rgb(self.look.muted)
        field.append(run._r)

    # Blocks

    def _row(self, row: Row) -> None:
        if len(row.blocks) == 1:
            self._block(self.made, row.blocks[0], _WIDTH)
            return
        widths = [(_WIDTH - _GAP * (len(row.blocks) - 1)) * share for share in row.shares]
        table = self._grid(self.made, 1, [one + _GAP for one in widths], pads=(0, 0))
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for cell, block, width in zip(table.rows[0].cells, row.blocks, widths, strict=True):
            first = cell.paragraphs[0]
            self._block(cell, block, width)
            first._p.getparent().remove(first._p)
            if not isinstance(cell._tc[-1], type(first._p)):
                self._paragraph(cell, after=0)
        self._spacer(4)

    def _block(self, place: Any, block: Block, width: float) -> None:
        draw: dict[type, Callable[..., None]] = {
            Text: self._text,
            Numbers: self._figures,
            Table: self._table,
            Picture: self._picture,
        }
        draw[type(block)](place, block, width)

    def _text(self, place: Any, block: Text, _width: float) -> None:
        for one in block.lines:
            paragraph = self._paragraph(place, after=3)
            if block.style == "bullets":
                paragraph.style = self.made.styles["List Bullet"]
            size, colour = (10.5, self.look.muted) if block.style == "lead" else (9.5, self.look.text)
            self._run(paragraph, one, size, colour)

    def _figures(self, place: Any, block: Numbers, width: float) -> None:
        table = self._grid(place, 1, [width / max(len(block.items), 1)] * len(block.items), pads=(60, 110), indent=110)
        for cell, one in zip(table.rows[0].cells, block.items, strict=True):
            self._border(cell, ("top", "left", "bottom", "right"))
            first = cell.paragraphs[0]
            first.paragraph_format.space_after = Pt(1)
            self._run(first, one.label, 8, self.look.muted)
            self._run(self._paragraph(cell, after=1), one.value, 15, self.look.text, bold=True)
            if one.note:
                self._run(self._paragraph(cell, after=0), one.note, 8, self.look.muted)
        self._after(place, 4)

    def _headed(self, place: Any, block: Table | Picture) -> None:
        if block.title:
            heading = self._paragraph(place, after=1)
            heading.style = self.made.styles["Heading 3"]
            heading.paragraph_format.space_before = Pt(6)
            heading.add_run(block.title)
        if block.caption:
            caption = self._paragraph(place, after=3)
            caption.paragraph_format.keep_with_next = True
            self._run(caption, block.caption, 8, self.look.muted)

    def _table(self, place: Any, block: Table, width: float) -> None:
        self._headed(place, block)
        if not block.rows:
            self._run(self._paragraph(place, after=4), block.empty, 8.5, self.look.muted)
            return
        total = sum(one.weight for one in block.columns)
        table = self._grid(place, 1 + len(block.rows), [width * one.weight / total for one in block.columns], indent=70)
        self._cells(table.rows[0], [one.label for one in block.columns], block.columns, is_head=True)
        for row, cells in zip(table.rows[1:], block.rows, strict=True):
            self._cells(row, cells, block.columns)
        repeat = OxmlElement("w:tblHeader")
        table.rows[0]._tr.get_or_add_trPr().append(repeat)
        self._after(place, 4)

    def _cells(self, row: Any, words: Sequence[str], columns: Sequence[Column], *, is_head: bool = False) -> None:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for cell, text, column in zip(row.cells, words, columns, strict=True):
            self._border(cell, ("bottom",), self.look.surface if is_head else "")
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = paragraph.paragraph_format.space_before = Pt(0.5)
            if column.is_number:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            self._run(paragraph, text, 8.5, self.look.muted if is_head else self.look.text, bold=is_head)

    def _picture(self, place: Any, block: Picture, width: float) -> None:
        self._headed(place, block)
        at = next(self.numbers)
        xml, sheet = native.part(block.chart, self.brand, self.document.currency, 8)
        package = self.made.part.package
        book = Part(PackURI(f"/word/embeddings/Microsoft_Excel_Sheet{at}.xlsx"), _SHEET_TYPE, sheet, package)
        chart = Part(PackURI(f"/word/charts/chart{at}.xml"), _CHART_TYPE, b"", package)
        chart._blob = _pointed(xml, chart.relate_to(book, RELATIONSHIP_TYPE.PACKAGE))
        drawn = _inline(at, self.made.part.relate_to(chart, RELATIONSHIP_TYPE.CHART), block.says, width, _PICTURE)
        self._paragraph(place, after=4).add_run()._r.append(drawn)

    # Parts

    def _grid(
        self, place: Any, rows: int, widths: Sequence[float], pads: tuple[int, int] = (20, 70), indent: int = 0
    ) -> Any:
        """Return a table without lines and with fixed widths."""
        table = place.add_table(rows=rows, cols=max(len(widths), 1))
        table.autofit, table.alignment = False, WD_TABLE_ALIGNMENT.LEFT
        for column, width in zip(table.columns, widths, strict=False):
            for cell in column.cells:
                cell.width = Pt(width)
            column.width = Pt(width)
        sides = {"top": pads[0], "left": pads[1], "bottom": pads[0], "right": pads[1]}
        margins = "".join(f'<w:{side} w:w="{size}" w:type="dxa"/>' for side, size in sides.items())
        properties = table._tbl.tblPr
        properties.append(parse_xml(f'<w:tblInd {nsdecls("w")} w:w="{indent}" w:type="dxa"/>'))
        properties.append(parse_xml(f"<w:tblCellMar {nsdecls('w')}>{margins}</w:tblCellMar>"))
        return table

    def _border(self, cell: Any, sides: Sequence[str], fill: str = "") -> None:
        properties = cell._tc.get_or_add_tcPr()
        colour = self.look.border[1:]
        lines = "".join(f'<w:{side} w:val="single" w:sz="6" w:space="0" w:color="{colour}"/>' for side in sides)
        properties.append(parse_xml(f"<w:tcBorders {nsdecls('w')}>{lines}</w:tcBorders>"))
        if fill:
            properties.append(parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{fill[1:]}"/>'))

    def _paragraph(self, place: Any, after: float) -> Any:
        paragraph = place.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(after)
        return paragraph

    def _after(self, place: Any, points: float) -> None:
        """Part a table from what follows it."""
        if place is self.made:
            self._spacer(points)

    def _spacer(self, points: float) -> None:
        paragraph = self._paragraph(self.made, after=0)
        paragraph.paragraph_format.line_spacing = Pt(points)
        paragraph.add_run().font.size = Pt(1)

    def _run(self, paragraph: Any, words: str, size: float, colour: str, *, bold: bool = False) -> None:
        run = paragraph.add_run(words)
        run.font.size, run.font.color.rgb = Pt(size), _rgb(colour)
        if bold:
            run.font.bold = True


def _pointed(xml: bytes, relation: str) -> bytes:
    """Return a chart's XML pointing to its sheet in the Word file."""
    tree = etree.fromstring(xml)
    tree.find(f"{{{_CHART_SPACE}}}externalData").set(f"{{{_RELATED}}}id", relation)
    found: bytes = etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)
    return found


def _inline(at: int, relation: str, says: str, width: float, height: float) -> Any:
    """Return the drawing that shows a chart part in the text."""
    name = f"Chart {at}"
    drawing = parse_xml(
        f'<w:drawing {nsdecls("w", "wp", "a", "r")}><wp:inline distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{Pt(width)}" cy="{Pt(height)}"/><wp:docPr id="{1000 + at}" name="{name}"/><wp:cNvGraphicFramePr/>'
        f'<a:graphic><a:graphicData uri="{_CHART_SPACE}"><c:chart xmlns:c="{_CHART_SPACE}" r:id="{relation}"/>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing>"
    )
    drawing.find(f".//{qn('wp:docPr')}").set("descr", says)
    return drawing


def _rgb(colour: str) -> RGBColor:
    return RGBColor.from_string(colour.lstrip("#"))

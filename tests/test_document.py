"""One document in every format: the same words and values, charts that can be edited, whatever the names hold."""

import datetime as dt
import io
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import docx
import pptx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cs_metrics.config import Report
from cs_metrics.errors import ConfigError, MetricError
from cs_metrics.report import chart as c
from cs_metrics.report.document import Brand, Format, brand, format_of, layout, made, native, paper
from cs_metrics.report.document.model import (
    Column,
    Document,
    Number,
    Numbers,
    Picture,
    Row,
    Section,
    Shape,
    Table,
    Text,
    clean,
    edited,
    pictures,
    texts,
)  # fmt: skip
from cs_metrics.report.document.svg import svg
from tests.document_support import charts, names_in, text_of

FORMATS: tuple[Format, ...] = ("docx", "pptx", "pdf")
MONTHS = [dt.date(2026, month, 1) for month in range(1, 7)]
LINE = c.Line(x=MONTHS, series=[c.Series(name="Users", y=[1, 2, None, 4, 5, 6])], unit="count", from_zero=True)
BARS = c.Bars(x=["North", "South"], series=[c.Series(name="Sales", y=[10.5, 20])], unit="money")
STACK = c.Bars(x=["a", "b"], series=[c.Series(name="x", y=[1, 0]), c.Series(name="y", y=[2, 3])], is_stacked=True, is_horizontal=True)  # fmt: skip
FALL = c.Waterfall(steps=[c.Step(label="Opening", value=100, is_total=True), c.Step(label="New", value=30), c.Step(label="Churn", value=-50), c.Step(label="Closing", value=80, is_total=True)])  # fmt: skip
FAN = c.Fan(past_x=MONTHS[:3], past=[1, 2, 3], x=MONTHS[3:], expected=[4, 5, 6], bands=[c.Band(low=[3, 3, 3], high=[5, 7, 9])])  # fmt: skip


def text(key: str, words: str, style: str = "body") -> Text:
    return Text(key=key, label=key.capitalize(), text=words, style=style)  # type: ignore[arg-type]


def sample(shape: Shape = "slides", name: str = "Acme & Söhne <GmbH>") -> Document:
    table = Table(
        title="Promises",
        columns=[Column(label="Promise", weight=3), Column(label="Days", is_number=True)],
        rows=[["Connector", "12"], ["Report", "3"]],
    )
    rows = [
        Row(blocks=[text("lead", "Sales rose by 8%.", "lead")]),
        Row(blocks=[Numbers(items=[Number(label="ARR", value="$12k", note="adoption"), Number(label="Users", value="6")])]),
        Row(blocks=[Picture(title="Users by month", chart=LINE, says="From 1 to 6."), Picture(title="Sales by region", chart=BARS, says="10.5 and 20.")]),
        Row(blocks=[table, text("points", "First point\nSecond point", "bullets")], weights=[2, 1]),
    ]  # fmt: skip
    return Document(
        title=text("title", name, "title"),
        subtitle=text("subtitle", "2026"),
        shape=shape,
        sections=[Section(title=text("head", "It goes well", "title"), rows=rows)],
        foot=f"{name} · as of 1 Mar 2026",
        notes=[("ARR", "12 × the monthly amounts")],
        mark="For the customer",
    )


WORDS = [
    "Acme & Söhne <GmbH>", "2026", "It goes well", "Sales rose by 8%.", "ARR", "$12k", "adoption", "Users by month",
    "Sales by region", "Promises", "Connector", "12", "First point", "Second point", "as of 1 Mar 2026",
    "12 × the monthly amounts", "For the customer",
]  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("shape", ["a4", "slides"])
def test_every_format_says_every_word(kind: Format, shape: Shape) -> None:
    found = " ".join(text_of(made(sample(shape), Brand(), kind).content).split())
    assert [one for one in WORDS if one not in found] == []


@pytest.mark.parametrize("kind", ["docx", "pptx"])
def test_charts_are_native_with_their_values_in_a_sheet_behind_them(kind: Format) -> None:
    content = made(sample("a4"), Brand(), kind).content
    assert charts(content) == [
        {"kind": "lineChart", "series": {"Users": [1, 2, None, 4, 5, 6]}},
        {"kind": "barChart", "series": {"Sales": [10.5, 20]}},
    ]
    assert sum(name.endswith(".xlsx") for name in names_in(content)) == 2
    assert not [name for name in names_in(content) if name.endswith((".png", ".svg", ".emf"))]
    assert "From 1 to 6." in text_of(content)  # what stands for a chart where it cannot be seen


def test_office_opens_what_is_written() -> None:
    word = docx.Document(io.BytesIO(made(sample("a4"), Brand(), "docx").content))
    assert [one.text for one in word.paragraphs if one.style.name == "Heading 2"] == ["It goes well"]
    assert [round(one.mm) for one in (word.sections[0].page_width, word.sections[0].page_height)] == [210, 297]
    slides = pptx.Presentation(io.BytesIO(made(sample(), Brand(), "pptx").content))
    assert [one.shapes.title.text for one in slides.slides] == ["Acme & Söhne <GmbH>", "It goes well", "How to read these numbers"]  # fmt: skip
    assert slides.slide_width / slides.slide_height == pytest.approx(16 / 9)


def test_the_pdf_is_tagged_and_names_itself() -> None:
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(made(sample("a4"), Brand(), "pdf").content))
    root = reader.trailer["/Root"]
    assert (root["/MarkInfo"]["/Marked"], root["/Lang"], reader.metadata.title) == (True, "en", "Acme & Söhne <GmbH>")  # type: ignore[union-attr,index]
    assert b"pdfuaid" in root["/Metadata"].get_data()  # PDF/UA
    fonts = {str(font["/BaseFont"]).split("+")[1] for page in reader.pages for one in page["/Resources"]["/Font"].values() for font in [one.get_object()]}  # type: ignore[index]  # fmt: skip
    assert fonts == {"Inter-Regular", "Inter-SemiBold"}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "name", ["株式会社サンプル", "Ещё одна компания", "Emoji 🚀 & Co", "x" * 300, "Bell\x07 and half \ud800 surrogate", "", "=1+1", "#let x = 1; *a* _b_ $c$ @d <e> \\ `f`"]
)  # fmt: skip
def test_no_name_breaks_a_file(kind: Format, name: str) -> None:
    found = text_of(made(sample("slides", name), Brand(), kind).content)
    assert "It goes well" in found
    if name.isascii() and 0 < len(name) < 100 and "\x07" not in name:
        assert name in " ".join(found.split())


def test_letters_without_a_font_are_named_with_what_to_install() -> None:
    unassigned = "\u0378"
    file = made(sample("a4", f"Acme {unassigned}"), Brand(), "pdf")
    assert file.missing == unassigned
    assert "install one (on Debian `apt-get install fonts-noto-cjk" in file.warning
    assert made(sample("a4"), Brand(), "pdf").warning == ""


# The model


def test_edited_texts_replace_theirs_and_nothing_else() -> None:
    before = sample()
    after = edited(before, {"lead": "Sales fell.", "unknown": "x"})
    assert texts(after)["lead"].text == "Sales fell."
    assert edited(after, {"lead": "Sales rose by 8%."}) == before
    assert pictures(after) == pictures(before)


def test_texts_come_in_reading_order() -> None:
    assert list(texts(sample())) == ["title", "subtitle", "head", "lead", "points"]


@pytest.mark.parametrize("kind", FORMATS)
def test_an_edited_text_changes_that_text_alone_in_the_file(kind: Format) -> None:
    before, after = (
        " ".join(text_of(made(one, Brand(), kind).content).split())
        for one in (sample("a4"), edited(sample("a4"), {"lead": "Unlikely replacement"}))
    )
    assert "Sales rose by 8%." in before
    assert after == before.replace("Sales rose by 8%.", "Unlikely replacement")


def test_what_no_file_can_hold_is_taken_out() -> None:
    assert clean(sample(name="a\x00b\ud800c\nd")).title.text == "abc\nd"


# Places


@given(st.lists(st.text(alphabet="abc dé株", max_size=400), min_size=1, max_size=6), st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_nothing_on_a_slide_overlaps_or_leaves_it(words: list[str], charts: int) -> None:
    rows = [Row(blocks=[text(f"t{at}", one, "bullets")]) for at, one in enumerate(words)]
    rows += [Row(blocks=[Picture(title="p", chart=BARS)])] * charts
    found = layout.places(Section(title=text("t", "t", "title"), rows=rows))
    assert all(one.y + one.height <= two.y for one, two in pairwise(found))
    if found[-1].scale > 0.4:  # the smallest letters are the last resort
        assert found[-1].y + found[-1].height <= layout.HEIGHT - 40


def test_wrapping_breaks_long_words() -> None:
    assert layout.wrapped("one two", 10, 1000) == 1
    assert layout.wrapped("one two", 10, 25) == 2
    assert layout.wrapped("x" * 1000, 10, 100) > 40
    assert layout.title_size("Short") == 25 > layout.title_size("A title of many words that goes on and on, further than one line of letters of 25 points")  # fmt: skip


# Charts


@pytest.mark.parametrize("chart", [LINE, BARS, STACK, FALL, FAN, replace(STACK, is_share=True, is_horizontal=False), replace(LINE, x=[], series=[]), replace(BARS, x=[], series=[c.Series(name="", y=[])]), replace(LINE, series=[replace(LINE.series[0], y=[None] * 6)])])  # fmt: skip
def test_every_chart_is_drawn_on_paper(chart: c.Chart) -> None:
    drawn = svg(chart, width=300, height=150, size=8, palette=Brand().palette, currency="USD")
    tree = ElementTree.fromstring(drawn)
    assert (tree.get("width"), tree.get("height")) == ("300", "150")
    assert "nan" not in drawn


def test_the_waterfall_stands_on_feet_that_are_not_seen() -> None:
    found = native.plan(FALL, "USD")
    assert {one.name: list(one.y) for one in found.series} == {
        "Foot": [0, 100, 80, 0],
        "Total": [100, None, None, 80],
        "Up": [None, 30, None, None],
        "Down": [None, None, 50, None],
    }


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [([12.0], "money", '[=0]"$"0;"$"#,##0'), ([2e6], "money", '[=0]"$"0;"$"0.0,,"M"'), ([5e4], "count", '[=0]0;0,"k"'), ([0.5], "percent", "0%"), ([3.5], "number", "[=0]0;0.0")],
)  # fmt: skip
def test_numbers_in_office_are_formatted_by_unit_and_size(values: list[float], unit: c.Unit, expected: str) -> None:
    found = native.plan(c.Bars(x=["a"], series=[c.Series(name="x", y=values)], unit=unit), "USD")
    assert found.number_format == expected


# The company's look


def logo(folder: Path, name: str = "logo.png", size: tuple[int, int] = (2000, 500)) -> Path:
    path = folder / name
    Image.new("RGB", size, "#123456").save(path)
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_logo_name_and_colour_reach_the_file(kind: Format, tmp_path: Path) -> None:
    logo(tmp_path)
    look = brand(Report(company="Sender Ltd", logo="logo.png", accent="#7a1fa2"), tmp_path)
    assert look.logo_ratio == 4
    content = made(sample("a4"), look, kind).content
    if kind == "pdf":
        import pypdf

        assert len(list(pypdf.PdfReader(io.BytesIO(content)).pages[0].images)) == 1
        return
    assert any("/media/" in name for name in names_in(content))
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert any(b"7A1FA2" in package.read(name) for name in package.namelist() if "/charts/chart" in name)
    assert "Sender Ltd" in text_of(content)  # for the logo, where it cannot be seen


@pytest.mark.parametrize(
    ("name", "says"),
    [("missing.png", "cannot be read"), ("text.png", "no PNG or JPEG picture"), ("away.png", "leads out of the data folder")],
)  # fmt: skip
def test_a_logo_that_cannot_be_used_is_refused(tmp_path: Path, name: str, says: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "text.png").write_text("no picture")
    (data / "away.png").symlink_to(logo(tmp_path))
    with pytest.raises(ConfigError, match=says):
        brand(Report(logo=name), data)


def test_the_accent_comes_first_and_only_once() -> None:
    assert Brand(accent="#cc7603").palette.series[:2] == ("#cc7603", "#1F5FBF")
    assert len(set(Brand().palette.series)) == 6


def test_a_file_must_end_in_one_of_its_formats() -> None:
    assert format_of(Path("a.PDF"), ("docx", "pdf")) == "pdf"
    with pytest.raises(MetricError, match=r"a.pptx must end in .docx or .pdf"):
        format_of(Path("a.pptx"), ("docx", "pdf"))


def test_pages_as_pictures() -> None:
    found = paper.png(sample(), Brand(), dots_per_inch=36)
    assert [Image.open(io.BytesIO(one)).size for one in found] == [(480, 270)] * 3

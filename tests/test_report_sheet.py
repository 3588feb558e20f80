"""CSV and XLSX: texts never become formulas, numbers stay numbers."""

import datetime as dt
import io
import zipfile

import pandas as pd
import pytest

from cs_metrics.report import sheet


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-5", "'-5"),
        ("@sum(a1)", "'@sum(a1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_texts_that_a_spreadsheet_would_compute_are_escaped(text: str, found: str) -> None:
    assert sheet.escaped(text) == found


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "=name": ["=cmd|' /C calc'!A0", None],
            "change": [-5.5, float("nan")],
            "due": pd.to_datetime(["2026-12-03", None]),
            "seats": pd.array([-3, None], dtype="Int64"),
            "health": ["red", None],
            "reasons": [["late", "quiet"], []],
        }
    )


def test_csv_keeps_negative_numbers_and_escapes_texts() -> None:
    text = sheet.csv_bytes(rows(), {"health": "health"}).decode("utf-8-sig")
    assert text.split("\r\n") == [
        "'=name,change,due,seats,health,reasons",
        "'=cmd|' /C calc'!A0,-5.5,2026-12-03,-3,■ At risk,late; quiet",
        ",,,,○ No data,",
        "",
    ]


def test_csv_of_no_rows_has_its_head() -> None:
    assert sheet.csv_bytes(pd.DataFrame(columns=["a", "b"])).decode("utf-8-sig") == "a,b\r\n"


def parts(book: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(book)) as found:
        return "".join(found.read(name).decode() for name in found.namelist() if name.endswith(".xml"))


def test_xlsx_holds_no_formula_and_keeps_numbers_and_days() -> None:
    text = parts(sheet.xlsx_bytes(rows(), {"change": "money", "due": "date", "health": "health"}))
    assert "<f>" not in text
    assert "=cmd|" in text
    assert "<v>-5.5</v>" in text
    assert "<v>-3</v>" in text
    assert f"<v>{(dt.date(2026, 12, 3) - dt.date(1899, 12, 30)).days}</v>" in text
    assert "■ At risk" in text


def test_xlsx_takes_what_cannot_be_a_number() -> None:
    frame = pd.DataFrame({"value": [float("inf"), True, "https://example.test", "x" * 40_000]})
    text = parts(sheet.xlsx_bytes(frame.astype("object")))
    assert "inf" in text and "hyperlink" not in text

"""Reading what the files say: the text of every format, and the charts with the values behind them."""

import io
import re
import zipfile
from typing import Any
from xml.etree import ElementTree

import pypdf

__all__ = ["charts", "names_in", "text_of"]

_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def text_of(content: bytes) -> str:
    """Return all text of a PDF, DOCX or PPTX: pages, charts, sheets behind charts, texts for pictures, properties."""
    if content.startswith(b"%PDF"):
        reader = pypdf.PdfReader(io.BytesIO(content))
        return "\n".join([*(page.extract_text() for page in reader.pages), str(reader.metadata)])
    return "\n".join(_texts(content))


def _texts(content: bytes) -> list[str]:
    found = []
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for name in package.namelist():
            part = package.read(name)
            if name.endswith(".xlsx"):
                found += _texts(part)
            elif name.endswith((".xml", ".rels")) and "/slideLayouts/" not in name and "/theme/" not in name:
                tree = ElementTree.fromstring(part)
                paragraphs = [one for one in tree.iter() if one.tag.endswith("}p")]
                found += [
                    "".join(one.text or "" for one in each.iter() if one.tag.endswith("}t")) for each in paragraphs
                ]
                found += [
                    one.text for one in tree.iter() if one.text and one.tag.endswith(("}v", "}title", "}creator", "}t"))
                ]
                found += [one.get("descr", "") for one in tree.iter()]
    return [one for one in found if one and one.strip()]


def names_in(content: bytes) -> list[str]:
    """Return the parts of a DOCX or PPTX."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return package.namelist()


def charts(content: bytes) -> list[dict[str, Any]]:
    """Return the native charts in order: their kind and {series: values}; None where a value is missing."""
    found = []
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        names = [name for name in package.namelist() if re.search(r"/charts/chart[^/]*\.xml$", name)]
        for name in sorted(names, key=lambda one: int(re.search(r"(\d+)\.xml", one).group(1))):  # type: ignore[union-attr]
            tree = ElementTree.fromstring(package.read(name))
            kind = next(
                one.tag.split("}")[1]
                for one in tree.iter()
                if one.tag.endswith("Chart") and one.tag != f"{_CHART}chart"
            )
            found.append({"kind": kind, "series": {_name(one): _values(one) for one in tree.iter(f"{_CHART}ser")}})
    return found


def _name(series: ElementTree.Element) -> str:
    return next(one.text or "" for one in series.find(f"{_CHART}tx").iter(f"{_CHART}v"))  # type: ignore[union-attr]


def _values(series: ElementTree.Element) -> list[float | None]:
    cache = next(series.find(f"{_CHART}val").iter(f"{_CHART}numCache"))  # type: ignore[union-attr]
    known = {int(one.get("idx", "0")): float(one.find(f"{_CHART}v").text or "nan") for one in cache.iter(f"{_CHART}pt")}  # type: ignore[union-attr]
    size = int(cache.find(f"{_CHART}ptCount").get("val", "0"))  # type: ignore[union-attr]
    return [known.get(at) for at in range(size)]

"""Files that leave the product: one document, made from data, as Word, PowerPoint, PDF or pictures.

What a file says is in `model`, whose it is in `brand`. The libraries that write files are imported when a file is made.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from cs_metrics.errors import MetricError
from cs_metrics.report.document.brand import Brand, brand
from cs_metrics.report.document.model import Document, clean

__all__ = ["MIME", "Brand", "File", "Format", "brand", "format_of", "made"]

Format = Literal["docx", "pptx", "pdf"]
MIME: dict[Format, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "pdf": "application/pdf",
}


@dataclass(frozen=True, kw_only=True)
class File:
    """A finished file; `missing` are letters for which this machine has no font (in a PDF they are empty boxes)."""

    content: bytes
    missing: str = ""

    @property
    def warning(self) -> str:
        """Say what to install so that all letters can be written, empty where nothing is missing."""
        if not self.missing:
            return ""
        return (
            f"This machine has no font for {self.missing}: install one (on Debian `apt-get install fonts-noto-cjk "
            "fonts-noto-color-emoji`) and make the PDF again; Word and PowerPoint files use the reader's fonts."
        )


def made(document: Document, look: Brand, kind: Format) -> File:
    """Return the document as a file."""
    document = clean(document)
    if kind == "docx":
        from cs_metrics.report.document.word import docx

        return File(content=docx(document, look))
    if kind == "pptx":
        from cs_metrics.report.document.slides import pptx

        return File(content=pptx(document, look))
    from cs_metrics.report.document.paper import pdf

    content, missing = pdf(document, look)
    return File(content=content, missing=missing)


def format_of(path: Path, legal: tuple[Format, ...]) -> Format:
    """Return the format that a file's name asks for; `MetricError` with the legal ones for any other."""
    ending = path.suffix.lower().removeprefix(".")
    for one in get_args(Format):
        if ending == one and one in legal:
            found: Format = one
            return found
    raise MetricError(f"{path.name} must end in {' or '.join(f'.{one}' for one in legal)}.")

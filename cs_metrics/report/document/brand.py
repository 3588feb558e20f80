"""The look of a company's own files: its name, logo, colour and font, as the settings say."""

import io
from dataclasses import dataclass, replace
from pathlib import Path

from cs_metrics.config import Report
from cs_metrics.errors import ConfigError
from cs_metrics.report.palette import PALETTES, Palette

__all__ = ["Brand", "brand"]

_MOST_BYTES = 10_000_000
_MOST_PIXELS = (900, 300)


@dataclass(frozen=True, kw_only=True)
class Brand:
    """Name, logo (a small PNG, and its width ÷ height), colour and font."""

    company: str = ""
    logo: bytes = b""
    logo_ratio: float = 1.0
    accent: str = "#1F5FBF"
    font: str = "Arial"

    @property
    def palette(self) -> Palette:
        """The light palette with the company's colour as the first of the series."""
        light = PALETTES["light"]
        others = [one for one in light.series if one.upper() != self.accent.upper()]
        return replace(light, series=(self.accent, *others, light.grey)[: len(light.series)])


def brand(report: Report, data_dir: Path) -> Brand:
    """Return the look that the settings ask for; `ConfigError` where the logo cannot be used."""
    plain = Brand(company=report.company, accent=report.accent, font=report.font)
    if not report.logo:
        return plain
    path = data_dir / report.logo
    try:
        if not path.resolve().is_relative_to(data_dir.resolve()):
            raise ConfigError(f"report.logo: {path} leads out of the data folder: put the picture itself there.")
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"report.logo: {path} cannot be read ({error.strerror}): put the picture there.") from None
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"report.logo: {path} is larger than 10 MB: make it smaller.")
    logo, ratio = _small(content, path)
    return replace(plain, logo=logo, logo_ratio=ratio)


def _small(content: bytes, path: Path) -> tuple[bytes, float]:
    """Return a picture as a PNG no larger than print needs, and its width ÷ height; what is hidden in it is left out."""
    from PIL import Image

    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
            made = picture.convert("RGBA")
            made.thumbnail(_MOST_PIXELS)
            made.save(out, "PNG")
    except (OSError, ValueError, Image.DecompressionBombError):
        raise ConfigError(f"report.logo: {path} is no PNG or JPEG picture that can be read.") from None
    return out.getvalue(), made.width / made.height

"""Settings of the files that leave the product: whose they are, and how they look."""

from pathlib import PurePosixPath

from pydantic import Field, field_validator

from cs_metrics.config.base import Strict

__all__ = ["Report"]

_PICTURES = (".png", ".jpg", ".jpeg")
_LEAST_CONTRAST = 3.0  # of large text and of lines against white (WCAG 2)


class Report(Strict):
    """The company's own name, logo and colour in briefs and reports, and which review a brief looks back to."""

    company: str = Field(default="", max_length=80)
    logo: str = ""
    accent: str = Field(default="#1F5FBF", pattern="^#[0-9A-Fa-f]{6}$")
    font: str = Field(default="Arial", min_length=1, max_length=60, pattern=r"^[\w -]+$")
    least_days: int = Field(default=28, ge=1)

    @field_validator("logo")
    @classmethod
    def _lies_in_the_data_folder(cls, path: str) -> str:
        if not path:
            return path
        place = PurePosixPath(path)
        if place.is_absolute() or ".." in place.parts or "\\" in path:
            raise ValueError(f"'{path}' must lie in the data folder: write it like logo.png.")
        if place.suffix.lower() not in _PICTURES:
            raise ValueError(f"'{path}' is no PNG or JPEG file: save the logo as one of these.")
        return path

    @field_validator("accent")
    @classmethod
    def _stands_out_on_white(cls, colour: str) -> str:
        found = _contrast_to_white(colour)
        if found < _LEAST_CONTRAST:
            raise ValueError(
                f"{colour} is too light to be read on white (contrast {found:.1f}, at least {_LEAST_CONTRAST:g}): choose a darker one."
            )
        return colour.upper()


def _contrast_to_white(colour: str) -> float:
    """Return the contrast of a colour to white by relative luminance (WCAG 2)."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)

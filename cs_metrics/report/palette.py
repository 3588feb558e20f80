"""The colours of every renderer by role, for light and dark surfaces; checked for contrast and colour-blindness."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["PALETTES", "Mode", "Palette", "fade", "text_on"]

Mode = Literal["light", "dark"]


@dataclass(frozen=True, kw_only=True)
class Palette:
    """One mode: six series, the three health colours, and the greys of text, lines and surfaces."""

    series: tuple[str, ...]
    red: str
    yellow: str
    green: str
    text: str
    muted: str
    grey: str
    border: str
    grid: str
    surface: str
    paper: str
    scale: tuple[str, ...]

    def colour(self, role: str, at: int = 0) -> str:
        """Return the colour of a role; an empty role takes the series colour of its position."""
        if role in ("red", "bad"):
            return self.red
        if role in ("green", "good"):
            return self.green
        if role in ("yellow", "grey"):
            return str(getattr(self, role))
        return self.series[(int(role) - 1 if role else at) % len(self.series)]


PALETTES: dict[Mode, Palette] = {
    "light": Palette(
        series=("#1F5FBF", "#CC7603", "#3E9C79", "#6B1D57", "#7A6534", "#7D8797"),
        red="#8C1007",
        yellow="#A35D12",
        green="#2E8068",
        text="#0F172A",
        muted="#52606D",
        grey="#9AA5B4",
        border="#D5DCE6",
        grid="#E6EAF0",
        surface="#F4F6FA",
        paper="#FFFFFF",
        scale=("#E4EDFA", "#BCD3F3", "#8FB4E8", "#5B8FD8", "#2F6CC8", "#1B549F", "#10356D"),
    ),
    "dark": Palette(
        series=("#7FB2FF", "#E07B1F", "#4E9B82", "#B07AB5", "#F2D24A", "#CCD4E1"),
        red="#E0656B",
        yellow="#F0C93A",
        green="#8FE3C4",
        text="#E8EDF4",
        muted="#A9B4C2",
        grey="#6B7787",
        border="#333C49",
        grid="#28303B",
        surface="#1D232D",
        paper="#14181F",
        scale=("#1F3350", "#254370", "#2F5C9A", "#457CC6", "#5F98E8", "#7FB2FF", "#B9D5FF"),
    ),
}


def fade(colour: str, alpha: float) -> str:
    """Return a colour with transparency: #1F5FBF and 0.2 → rgba(31,95,191,0.2)."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def text_on(colour: str) -> str:
    """Return the ink, near-black or white, that stands out more on a colour (relative luminance of WCAG 2)."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#FFFFFF" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.056 else "#0F172A"

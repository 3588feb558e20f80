"""What all renderers need to lay a chart out: round tick values, short labels, and labels that do not overlap."""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from cs_metrics.report import format as say

__all__ = ["extent", "is_dates", "spread", "tick_labels", "ticks", "trim"]

_SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def extent(series: Iterable[Iterable[float | None]]) -> tuple[float, float] | None:
    """Return the smallest and largest known value of all rows, None where nothing is known."""
    known = [one for row in series for one in row if one is not None]
    return (min(known), max(known)) if known else None


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return about `count` round values from below `low` to above `high`."""
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high), 1.0):  # one value, or as good as one
        high = low + (abs(low) if abs(low) > 1e-6 else 1.0)
        span = high - low
    rough = span / max(count - 1, 1)
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next((one * scale for one in _STEPS if one * scale >= rough * 0.999), 10 * scale)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(at * step, 12) for at in range(first, max(last, first + 1) + 1)]


def tick_labels(at: Sequence[float], unit: str, currency: str = "USD") -> list[str]:
    """Return the labels of tick values, with only as many decimals as tell them apart."""
    if unit == "percent":
        step = min((abs(b - a) for a, b in pairwise(at)), default=1)
        return [say.percent(one, 0 if step >= 0.0099 else 1) for one in at]
    if unit == "money":
        return _money_labels(at, currency)
    if unit == "points":
        return [f"{say.number(one * 100)}" for one in at]
    return [say.number(one, 2) for one in at]


def _money_labels(at: Sequence[float], currency: str) -> list[str]:
    """Label all ticks in one scale, with as many decimals as say them exactly."""
    size = max(abs(one) for one in at)
    scale, letter = next(((scale, letter) for scale, letter in _SCALES if size >= scale), (1.0, ""))
    digits = next((one for one in (0, 1, 2) if all(_is_whole(tick / scale * 10**one) for tick in at)), 3)
    symbol = say.SYMBOLS.get(currency, f"{currency} ")
    texts = [f"{'-' if one < 0 else ''}{symbol}{abs(one) / scale:,.{digits}f}{letter}" for one in at]
    return [f"{symbol}0" if one == 0 else text for one, text in zip(at, texts, strict=True)]


def _is_whole(amount: float) -> bool:
    return abs(amount - round(amount)) < 1e-6


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return positions moved apart to at least `gap`, in their order, kept between `low` and `high` where they fit."""
    order = sorted(range(len(positions)), key=lambda at: positions[at])
    placed: list[float] = []
    for at in order:
        wanted = min(max(positions[at], low), high)
        placed.append(max(wanted, placed[-1] + gap) if placed else wanted)
    ceiling = high
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - gap
    found = [0.0] * len(positions)
    for index, at in enumerate(order):
        found[at] = placed[index]
    return found


def trim(text: str, length: int = 22) -> str:
    """Return a label cut to a length with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def is_dates(x: Sequence[object]) -> bool:
    """Tell whether the values of an axis are days."""
    return bool(x) and all(isinstance(one, dt.date) for one in x)

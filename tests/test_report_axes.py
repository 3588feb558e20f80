"""Ticks, labels and the room between them."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cs_metrics.report import axes


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 100, [0, 25, 50, 75, 100]),
        (0, 1, [0, 0.25, 0.5, 0.75, 1]),
        (-3, 7, [-5, -2.5, 0, 2.5, 5, 7.5]),
        (5, 5, [5, 6.25, 7.5, 8.75, 10]),
        (0, 0, [0, 0.25, 0.5, 0.75, 1]),
    ],
)
def test_ticks_are_round(low: float, high: float, found: list[float]) -> None:
    ticks = axes.ticks(low, high)
    assert ticks[0] <= low <= high <= ticks[-1]
    if low != high:
        assert ticks == found


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
@example(0.0, -1.7e-11)  # less than a billionth of a step cannot be seen
def test_ticks_hold_every_range(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    ticks = axes.ticks(low, high)
    slack = max(1e-6 * max(abs(low), abs(high)), 1.1e-9 * (ticks[1] - ticks[0]))
    assert 2 <= len(ticks) <= 12
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize(
    ("at", "unit", "labels"),
    [
        ([0, 0.5, 1], "percent", ["0%", "50%", "100%"]),
        ([0.9, 0.905, 0.91], "percent", ["90.0%", "90.5%", "91.0%"]),
        ([0, 5e6, 1e7], "money", ["$0", "$5M", "$10M"]),
        ([0, 2.5e6, 5e6], "money", ["$0", "$2.5M", "$5.0M"]),
        ([-0.1, 0, 0.1], "points", ["-10", "0", "10"]),
        ([0, 2.5], "count", ["0", "2.5"]),
    ],
)
def test_tick_labels_tell_ticks_apart(at: list[float], unit: str, labels: list[str]) -> None:
    assert axes.tick_labels(at, unit) == labels


@pytest.mark.parametrize(
    ("positions", "found"),
    [([100.0, 20.0], [100, 20]), ([50.0, 52.0], [50, 66]), ([199.0, 198.0, 197.0], [200, 184, 168]), ([], [])],
)
def test_labels_are_moved_apart(positions: list[float], found: list[float]) -> None:
    assert axes.spread(positions, 16, 0, 200) == found


@given(st.lists(st.floats(0, 300), min_size=1, max_size=6))
def test_labels_never_touch_and_keep_their_order(positions: list[float]) -> None:
    placed = axes.spread(positions, 16, 0, 300)
    ordered = sorted(placed)
    assert all(b - a >= 16 - 1e-6 for a, b in itertools.pairwise(ordered))
    by_position = [placed[at] for at in sorted(range(len(positions)), key=lambda at: positions[at])]
    assert by_position == ordered
    assert min(placed) >= -1e-6 and max(placed) <= 300 + 1e-6


def test_long_labels_end_in_an_ellipsis() -> None:
    assert axes.trim("short") == "short"
    assert axes.trim("a very long name of something", 10) == "a very lo…"

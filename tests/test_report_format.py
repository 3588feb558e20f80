"""Numbers and days as people read them."""

import datetime as dt

import pandas as pd
import pytest

from cs_metrics.report import format as say

NAN = float("nan")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (297_100_000, "USD", "$297.1M"),
        (140_000, "USD", "$140k"),
        (1_540, "USD", "$1.5k"),
        (2_000, "USD", "$2k"),
        (950.4, "USD", "$950"),
        (0, "USD", "$0"),
        (-140_000, "EUR", "-€140k"),
        (-0.2, "USD", "$0"),
        (999_999, "USD", "$1.0M"),
        (999.7, "USD", "$1k"),
        (2_500_000_000, "GBP", "£2.5B"),
        (1_200_000, "SEK", "SEK 1.2M"),
        (None, "USD", "–"),
        (NAN, "USD", "–"),
    ],
)
def test_money(amount: float | None, currency: str, text: str) -> None:
    assert say.money(amount, currency) == text


@pytest.mark.parametrize(
    ("call", "value", "text"),
    [
        (say.percent, 0.909, "90.9%"),
        (say.percent, -0.0001, "0.0%"),
        (say.percent, 1, "100.0%"),
        (say.percent, None, "–"),
        (say.points, -0.006, "-0.6 pp"),
        (say.points, 0.0123, "+1.2 pp"),
        (say.points, 0.00001, "0.0 pp"),
        (say.days, 1, "1 day"),
        (say.days, 12, "12 days"),
        (say.days, NAN, "–"),
        (say.number, 1234.5, "1,234.5"),
        (say.number, 3.0, "3"),
        (say.number, -0.01, "0"),
        (say.count, 12_345, "12,345"),
        (say.health, "red", "■ At risk"),
        (say.health, "yellow", "▲ Watch"),
        (say.health, "green", "● Healthy"),
        (say.health, "none", "○ No data"),
        (say.health, NAN, "○ No data"),
        (say.health, None, "○ No data"),
    ],
)
def test_words(call: object, value: object, text: str) -> None:
    assert call(value) == text  # type: ignore[operator]


@pytest.mark.parametrize(
    ("call", "day", "text"),
    [
        (say.date, dt.date(2026, 11, 20), "20 Nov 2026"),
        (say.date, pd.Timestamp("2026-01-02"), "2 Jan 2026"),
        (say.date, None, "–"),
        (say.date, pd.NaT, "–"),
        (say.month, dt.date(2026, 11, 1), "Nov 2026"),
        (say.quarter, dt.date(2026, 10, 1), "Q4 2026"),
        (say.quarter, pd.NaT, "–"),
    ],
)
def test_days_are_said_with_their_month(call: object, day: object, text: str) -> None:
    assert call(day) == text  # type: ignore[operator]


def test_period_is_named_by_its_length() -> None:
    day = dt.date(2026, 4, 1)
    assert [say.period(day, every) for every in ("week", "month", "quarter", "year")] == [
        "1 Apr 2026",
        "Apr 2026",
        "Q2 2026",
        "2026",
    ]


@pytest.mark.parametrize(
    ("part", "whole", "text"), [(3, 4, "3 of 4"), (0, 0, "0 of 0"), (3, 5, "60.0%"), (None, 5, "–"), (1, NAN, "–")]
)
def test_rate_over_few_accounts_shows_the_counts(part: float | None, whole: float, text: str) -> None:
    assert say.rate(part, whole) == text


@pytest.mark.parametrize(
    ("now", "before", "unit", "text", "direction"),
    [
        (103.2, 100, "relative", "+3.2%", "up"),
        (90, 100, "relative", "-10.0%", "down"),
        (-90, -100, "relative", "+10.0%", "up"),
        (0.909, 0.915, "points", "-0.6 pp", "down"),
        (2_100_000, 1_960_000, "money", "+$140k", "up"),
        (1_960_000, 2_100_000, "money", "-$140k", "down"),
        (12, 9, "count", "+3", "up"),
        (12.5, 14, "days", "-1.5 days", "down"),
        (100.001, 100, "relative", "0", "none"),
    ],
)
def test_change(now: float, before: float, unit: str, text: str, direction: str) -> None:
    found = say.change(now, before, unit)  # type: ignore[arg-type]
    assert found is not None
    assert (found.text, found.direction) == (text, direction)


@pytest.mark.parametrize(("now", "before"), [(None, 1), (1, None), (NAN, 1), (1, 0)])
def test_change_from_the_unknown_is_unknown(now: float | None, before: float | None) -> None:
    assert say.change(now, before) is None


@pytest.mark.parametrize(("left", "says"), [(0, "today"), (1, "in 1 day"), (12.0, "in 12 days")])
def test_a_day_to_come_is_told_as_people_say_it(left: float, says: str) -> None:
    assert say.ahead(left) == says


@pytest.mark.parametrize(("amount", "says"), [(0.8, "0.80"), (1, "1.00"), (None, "–"), (NAN, "–")])
def test_figures_that_are_compared_keep_their_decimals(amount: float | None, says: str) -> None:
    assert say.fixed(amount) == says

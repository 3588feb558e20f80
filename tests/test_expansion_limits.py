"""When a limit is reached: the trend, its interval, and when the trend says nothing."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cs_metrics.metrics.expansion_limits import expansion_limits, reach
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store
from tests.expansion_support import D, Rows, ago, customer, merged
from tests.support import company, records

NOTHING = "the trend says nothing: the growth cannot be told from none"


def one(days: list[float], used: list[float], allowed: float) -> tuple[float, float, float, str]:
    """The newest first, as the rule reads them."""
    found = reach(np.array([days]), np.array([used]), np.full((1, len(used)), float(allowed)))
    return float(found.days[0]), float(found.low[0]), float(found.high[0]), found.why_not[0]


def measured(account_id: str, *used: float, allowed: float = 100, resource: str = "storage") -> Rows:
    """One measurement each 10 days, the last on the day before D; `None` is none."""
    rows = [
        {
            "account_id": account_id,
            "resource": resource,
            "measured_on": ago(1 + 10 * back),
            "used": value,
            "allowed": allowed,
        }
        for back, value in enumerate(reversed(used))
    ]
    return {"usage_limits": rows}


def test_a_straight_line_is_extended_to_the_day() -> None:
    assert one([0, -10, -20], [70, 55, 40], 100) == (20, 20, 20, "")


def test_steady_growth_is_recognised_as_such() -> None:
    used = [math.exp(0.01 * day) * 50 for day in (0, -30, -60, -90)]
    assert one([0, -30, -60, -90], used, 100)[:3] == (70, 70, 70), "doubled in ln 2 ÷ 0.01 = 69.3 days"


def walked(days: list[float], used: list[float], target: float) -> tuple[int, int, int]:
    """A second way: walk the days and ask on which the prediction interval of the line holds the limit."""
    line = stats.linregress(days, used)
    off = np.array(used) - (line.intercept + line.slope * np.array(days))
    count, middle = len(days), float(np.mean(days))
    scatter, spread = math.sqrt(float(off @ off) / (count - 2)), sum((day - middle) ** 2 for day in days)
    ahead = np.arange(-40, 400, 0.01)
    wide = stats.t.ppf(0.9, count - 2) * scatter * np.sqrt(1 + 1 / count + (ahead - middle) ** 2 / spread)
    could = ahead[np.abs(line.intercept + line.slope * ahead - target) <= wide]
    return math.ceil((target - line.intercept) / line.slope), math.ceil(could.min()), math.ceil(could.max())


def test_the_interval_holds_the_days_at_which_a_measurement_could_be_at_the_limit() -> None:
    """Both courses fit these about as well, so that it spans both."""
    days, used = [0.0, -10.0, -20.0, -30.0, -40.0], [61.0, 54.0, 53.0, 44.0, 41.0]
    straight, steady = walked(days, used, 80), walked(days, list(np.log(used)), math.log(80))
    assert straight != steady
    point, low, high, _ = one(days, used, 80)
    assert (low, high) == (min(straight[1], steady[1]), max(straight[2], steady[2]))
    assert point in (straight[0], steady[0])


@pytest.mark.parametrize(
    ("used", "allowed", "why"),
    [
        ([40, 40, 40, 40], 100, NOTHING),
        ([40, 45, 50, 55], 100, NOTHING),  # the newest first: it falls
        ([50, 44, 52, 46], 100, NOTHING),
        ([42, 41.9, 41.8, 41.7], 100, "not within three years by its trend"),
        ([50, 49], 100, "too few measurements for a trend"),
        ([100, 50, 20], 100, ""),
    ],
)
def test_when_no_day_can_be_said(used: list[float], allowed: float, why: str) -> None:
    days, low, high, why_not = one([-20.0 * back for back in range(len(used))], used, allowed)
    assert why_not == why
    assert (math.isnan(low), math.isnan(high)) == (True, True)
    assert days == 0 if not why else math.isnan(days)


@given(st.lists(st.floats(1, 99), min_size=3, max_size=6), st.floats(1.01, 5))
def test_units_and_scale_do_not_matter(used: list[float], scale: float) -> None:
    days = [-30.0 * back for back in range(len(used))]
    mine, theirs = one(days, used, 100), one(days, [value * scale for value in used], 100 * scale)
    assert mine[3] == theirs[3]
    assert mine[:3] == pytest.approx(theirs[:3], abs=1.01, nan_ok=True)  # a rounding may tip a whole day


def test_80_of_100_intervals_hold_the_day_of_a_noisy_line() -> None:
    rng, cases = np.random.default_rng(4), 4000
    days = -30.0 * np.arange(6)
    slope = rng.uniform(0.1, 0.4, cases)
    used = 60 + slope[:, None] * days + rng.normal(0, 3, (cases, 6))
    found = reach(np.tile(days, (cases, 1)), used, np.full(used.shape, 90.0))
    is_seen = np.abs(30 / slope - found.days) < np.inf
    read_on = (
        30 + rng.normal(0, 3, cases)
    ) / slope  # the day on which a measurement with the same scatter reads the limit
    held = (read_on >= found.low - 1) & (read_on <= np.where(np.isnan(found.high), np.inf, found.high))
    assert is_seen.mean() > 0.9
    assert 0.77 <= held[is_seen].mean() <= 0.88


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    parts = [
        merged(customer("near"), measured("near", 30, 60, 90), measured("near", 5, 5, 5, resource="seats")),
        merged(customer("raised"), measured("raised", 40, 80, 80, 90, 100, allowed=160)),
        merged(customer("flat", segment="Other"), measured("flat", 40, 40, 40)),
        {"accounts": customer("gone")["accounts"]},
        measured("gone", 1, 2, 3),
    ]
    rows = merged(*parts)
    for row in rows["usage_limits"]:
        if row["account_id"] == "raised" and row["used"] == 80:
            row["allowed"] = 80
    return company(tmp_path_factory.mktemp("limits"), **rows)


def test_every_limit_of_a_customer_is_listed_with_its_day_or_why_there_is_none(store: Store) -> None:
    found = expansion_limits(store, as_of=D)
    columns = ("account_id", "resource", "share", "growth_30_days", "full_on", "full_from", "full_to", "fires")
    assert records(found, *columns) == [
        ("near", "storage", 0.9, 90.0, "2026-03-04", "2026-03-04", "2026-03-04", True),
        ("raised", "storage", 0.625, None, None, None, None, False),
        ("flat", "storage", 0.4, 0.0, None, None, None, False),
        ("near", "seats", 0.05, 0.0, None, None, None, False),
    ]
    assert dict(records(found, "account_id", "says"))["raised"] == (
        "storage: 100 of 160 used on 28 Feb 2026 (62%), no day projected: too few measurements for a trend"
    ), "what stood at the old limit says nothing of the growth"


def test_a_scope_and_a_day_narrow_the_limits(store: Store) -> None:
    assert list(expansion_limits(store, as_of=D, scope=Scope.of(segment="Other"))["account_id"]) == ["flat"]
    early = expansion_limits(store, as_of=pd.Timestamp(ago(11)).date())
    assert dict(records(early[early["resource"] == "storage"], "account_id", "share"))["near"] == 0.6


def test_without_measurements_the_table_is_named(tmp_path: Path) -> None:
    from cs_metrics.errors import MissingTable

    with pytest.raises(MissingTable, match="'usage_limits'"):
        expansion_limits(company(tmp_path, **customer("a", days=1)), as_of=D)

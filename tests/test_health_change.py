"""Why a score changed: the parts add up to the change, whatever came, went or moved."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_metrics.errors import MetricError
from cs_metrics.metrics import run
from cs_metrics.models.health import combined
from cs_metrics.models.health_change import split
from cs_metrics.store import Store
from tests.health_company import random_company
from tests.support import account, company, day, line, records

# Six measures in three dimensions.
DIMENSION = (0, 0, 1, 1, 2, 2)
WITHIN = np.array([0.6, 0.4, 0.5, 0.5, 0.9, 0.1])
points = st.lists(st.one_of(st.just(math.nan), st.floats(0, 100)), min_size=6, max_size=6).map(np.array)
weights = st.lists(st.floats(-1, 1).filter(lambda one: abs(one) > 0.01), min_size=3, max_size=3).map(np.array)


def score(values: np.ndarray, chosen: np.ndarray) -> float:
    """The score in plain Python: means of what has data."""
    parts = []
    for place in range(3):
        mine = [at for at in range(6) if DIMENSION[at] == place and values[at] == values[at]]
        total = sum(WITHIN[at] for at in mine)
        parts.append(sum(values[at] * WITHIN[at] for at in mine) / total if mine else math.nan)
    known = [at for at in range(3) if parts[at] == parts[at]]
    if not known:
        return math.nan
    effective = [100 - parts[at] if chosen[at] < 0 else parts[at] for at in known]
    return sum(abs(chosen[at]) * one for at, one in zip(known, effective, strict=True)) / sum(
        abs(chosen[at]) for at in known
    )


def parts_of(before: np.ndarray, after: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    return split(before, after, dimension=DIMENSION, within=WITHIN, weights_before=old, weights_after=new)


@settings(max_examples=60, deadline=None)
@given(points, points, weights, weights)
def test_the_parts_add_up_to_the_change(
    before: np.ndarray, after: np.ndarray, old: np.ndarray, new: np.ndarray
) -> None:
    found = parts_of(before, after, old, new)
    change = score(after, new) - score(before, old)
    if math.isnan(change):
        assert np.isnan(found).all()
        return
    assert found.sum() == pytest.approx(change, abs=1e-9)
    unmoved = [at for at in range(6) if before[at] == after[at] or (np.isnan(before[at]) and np.isnan(after[at]))]
    assert not found[unmoved].any(), "what did not move has no part"
    back = parts_of(after, before, new, old)
    assert back == pytest.approx(-found, abs=1e-9), "the way back is the way there with other signs"


@settings(max_examples=25, deadline=None)
@given(points, points, weights)
def test_a_part_is_its_mean_over_all_orders(before: np.ndarray, after: np.ndarray, same: np.ndarray) -> None:
    after = np.where(np.arange(6) < 4, after, before)
    ends = (score(before, same), score(after, same))
    if any(math.isnan(one) for one in ends):
        return
    means = np.zeros(7)
    for order in itertools.permutations(range(4)):
        state = before.copy()
        for at in order:
            was = score(state, same)
            state[at] = after[at]
            now = score(state, same)
            middle = sum(ends) / 2
            means[at] += ((middle if math.isnan(now) else now) - (middle if math.isnan(was) else was)) / 24
    assert parts_of(before, after, same, same) == pytest.approx(means, abs=1e-9)


def test_two_measures_by_hand() -> None:
    """One dimension each, equal weights: 80 and 40 (score 60); then 60 and no data (score 60)."""
    before, after = np.array([80.0, 40.0]), np.array([60.0, math.nan])
    half = np.array([0.5, 0.5])
    found = split(before, after, dimension=(0, 1), within=np.ones(2), weights_before=half, weights_after=half)
    # first: 60 → 50 or 80 → 60, on average −15; second: 60 → 80 or 50 → 60, on average +15
    assert found.tolist() == [-15.0, 15.0, 0.0]


def test_other_weights_have_a_part_of_their_own() -> None:
    found = split(
        np.array([80.0, 40.0]),
        np.array([80.0, 40.0]),
        dimension=(0, 1),
        within=np.ones(2),
        weights_before=np.array([0.5, 0.5]),
        weights_after=np.array([0.25, -0.75]),
    )
    assert found.tolist() == [0.0, 0.0, 0.25 * 80 + 0.75 * 60 - 60]


def test_a_dimension_that_is_turned_counts_the_other_way_round() -> None:
    value, total = combined(np.array([[80.0, 40.0, math.nan]]), np.array([0.5, -0.3, 0.2]))
    assert (value[0], total[0]) == (pytest.approx((0.5 * 80 + 0.3 * 60) / 0.8), pytest.approx(0.8))


def plain(folder: Path) -> Store:
    """One account: NPS 8 in January; in May a CSAT of 2, a ticket that is closed, and an NPS that has grown too old."""
    tickets = [
        {"ticket_id": "t", "account_id": "a", "opened_at": "2024-07-01T09:00:00", "closed_at": "2024-07-14T09:00:00"}
    ]
    surveys = [
        {"account_id": "a", "kind": "nps", "score": 8, "answered_at": "2024-01-20T09:00:00"},
        {"account_id": "a", "kind": "csat", "score": 2, "answered_at": "2024-07-20T09:00:00"},
    ]
    return company(
        folder,
        accounts=[account("a"), account("b", "2024-06-01")],
        subscriptions=[line("a", "2024-01-01", None, 10), line("b", "2024-06-01", None, 10)],
        surveys=surveys,
        tickets=tickets,
    )


def test_the_drivers_of_an_account_with_what_was_measured(tmp_path: Path) -> None:
    store = plain(tmp_path)
    found = run(store, "health_change", as_of=day("2024-07-21"), options={"account_id": "a", "from": "2024-06-30"})
    assert records(found, "from_week_end", "to_week_end", "score_before", "score_after")[0] == (
        "2024-06-30",
        "2024-07-21",
        80.0,
        pytest.approx((0.1 * 25 + 0.1 * (100 * 0.6 + 100 * (1 / 13) * 0.4)) / 0.2, abs=1e-6),
    )
    told = {
        row[0]: row[1:] for row in records(found, "driver", "kind", "value_before", "value_after", "before", "after")
    }
    assert told == {
        "nps": ("disappeared", 8.0, None, "NPS answers average 8.0 of 10", "no data"),
        "csat": ("appeared", None, 2.0, "no data", "CSAT answers average 2.0 of 5"),
        "stuck_tickets": ("appeared", None, 0.0, "no data", "no open ticket that is urgent or older than 14 days"),
        "days_to_close": ("appeared", None, 13.0, "no data", "tickets closed in 13.0 days on average"),
    }
    assert found["points"].sum() == pytest.approx(found["change"].iloc[0], abs=1e-12)


def test_without_a_score_at_one_end_no_part_is_known(tmp_path: Path) -> None:
    found = run(
        plain(tmp_path), "health_change", as_of=day("2024-07-21"), options={"account_id": "a", "from": "2024-01-07"}
    )
    assert found["points"].isna().all()
    assert found["change"].isna().all()
    assert set(found["driver"]) == {"csat", "stuck_tickets", "days_to_close"}


def test_an_unknown_account_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="Did you mean"):
        run(plain(tmp_path), "health_change", options={"account_id": "Company"})


def test_the_parts_add_up_on_a_random_company_also_when_the_stage_changes(tmp_path: Path) -> None:
    rows = random_company(5, accounts=14)
    store = company(tmp_path, **rows)
    as_of, changed, stages = day("2024-09-29"), 0, 0
    for one in rows["accounts"]:
        options = {"account_id": one["account_id"], "from": "2024-05-12"}
        if day(one["started_on"]) > as_of:
            continue
        found = run(store, "health_change", as_of=as_of, options=options)
        if len(found) and found["change"].notna().all():
            assert found["points"].sum() == pytest.approx(found["change"].iloc[0], abs=1e-9)
            changed, stages = changed + 1, stages + int((found["driver"] == "weights").any())
    assert changed >= 4
    assert stages >= 1

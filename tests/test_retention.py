"""The statistics under first value: against published examples, against naive recomputation, and at their edges."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_metrics.errors import MetricError
from cs_metrics.metrics.retention import (
    Shares,
    chance_of,
    check_days,
    difference_interval,
    holm,
    pseudo_values,
    share_at,
    shares_at,
)
from cs_metrics.metrics.survival import kaplan_meier


def naive_share(days: list[float], is_lost: list[bool], horizon: int) -> float:
    """Kaplan-Meier by the book, one day after the other."""
    share = 1.0
    for day in sorted({one for one, lost in zip(days, is_lost, strict=True) if lost and one <= horizon}):
        at_risk = sum(one >= day for one in days)
        lost = sum(one == day and gone for one, gone in zip(days, is_lost, strict=True))
        share *= 1 - lost / at_risk
    return share


def test_many_groups_at_once_agree_with_the_one_estimator() -> None:
    dice = np.random.default_rng(5)
    days, is_lost = dice.integers(0, 500, 120).astype(float), dice.random(120) < 0.5
    members = dice.random((6, 120)) < 0.4
    found = shares_at(members, days, is_lost, 365)
    for at, group in enumerate(members):
        curve = kaplan_meier(days[group], is_lost[group])
        seen = curve[curve["time_days"] <= 365]
        assert found.share[at] == pytest.approx(seen["survival"].iloc[-1], abs=1e-12)
        risk, lost = seen["at_risk"].to_numpy(float), seen["events"].to_numpy(float)
        greenwood = found.share[at] ** 2 * (lost / (risk * (risk - lost))).sum()
        assert found.variance[at] == pytest.approx(greenwood, abs=1e-12)
        assert (found.size[at], found.seen[at]) == (group.sum(), (days[group] >= 365).sum())
    assert found.is_known.all()


def followed(stayed: int, size: int) -> Shares:
    """A group of which all were seen to the horizon."""
    days = np.array([400.0] * stayed + [100.0] * (size - stayed))
    return shares_at(np.ones((1, size), dtype=bool), days, days < 365, 365)


# Newcombe 1998, table II, method 10.
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_the_published_one(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = difference_interval(followed(*first), followed(*second))
    assert (found[0][0], found[1][0]) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_accounts_seen_for_less_time_make_the_interval_wider() -> None:
    days = np.array([400.0] * 6 + [200.0] * 10 + [100.0] * 4)
    found = shares_at(np.ones((1, 20), dtype=bool), days, days == 100, 365)
    (low, high), (sure_low, sure_high) = found.interval(), followed(16, 20).interval()
    assert found.share[0] == pytest.approx(0.8)
    assert low[0] == pytest.approx(sure_low[0])
    assert high[0] == pytest.approx(sure_high[0])
    censored = shares_at(np.ones((1, 20), dtype=bool), np.where(days == 200, 50.0, days), days == 100, 365)
    assert censored.share[0] == pytest.approx(0.6)
    assert censored.interval()[1][0] - censored.interval()[0][0] > high[0] - low[0]


def test_accounts_that_left_the_sight_early_prove_little_about_staying() -> None:
    days = np.array([400.0] * 3 + [20.0] * 97)
    found = shares_at(np.ones((1, 100), dtype=bool), days, np.zeros(100, dtype=bool), 365)
    assert (found.share[0], found.interval()[0][0]) == (1.0, pytest.approx(followed(3, 3).interval()[0][0]))


def test_where_nobody_or_everybody_was_lost_the_interval_is_the_exact_one() -> None:
    assert share_at([400] * 10, [False] * 10, 365) == (1.0, pytest.approx(0.691503, abs=1e-6), 1.0)
    assert share_at([100] * 10, [True] * 10, 365) == (0.0, 0.0, pytest.approx(0.308497, abs=1e-6))
    short = share_at([364] * 10, [False] * 10, 365)
    assert short[0] != short[0], "nobody was seen that long"
    assert share_at([], [], 365)[0] != share_at([], [], 365)[0]
    share, low, high = share_at([100] * 5 + [400] * 5, [True] * 5 + [False] * 5, 365)
    assert (share, low, high) == (0.5, pytest.approx(0.183550, abs=1e-4), pytest.approx(0.753203, abs=1e-4))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=14))
def test_pseudo_values_are_what_leaving_an_account_out_changes(seen: list[tuple[int, bool]]) -> None:
    days, is_lost = [float(one) for one, _ in seen], [lost for _, lost in seen]
    found = pseudo_values(np.array(days), np.array(is_lost), 8)
    size = len(days)
    for at in range(size):
        rest = [*range(at), *range(at + 1, size)]
        without = naive_share([days[one] for one in rest], [is_lost[one] for one in rest], 8)
        assert found[at] == pytest.approx(size * naive_share(days, is_lost, 8) - (size - 1) * without, abs=1e-9)


def test_pseudo_values_of_accounts_seen_to_the_end_are_staying_itself() -> None:
    days, is_lost = np.array([400.0, 100.0, 365.0, 366.0]), np.array([False, True, True, True])
    assert pseudo_values(days, is_lost, 365) == pytest.approx([1, 0, 0, 1])


def test_a_random_group_differs_as_often_as_counting_all_of_them_says() -> None:
    values = np.array([1.0, 1, 1, 1, 1, 0, 0, 0, 1, 1])
    members = np.zeros((1, 10), dtype=bool)
    members[0, 5:8] = True
    observed = abs(values[5:8].mean() - np.delete(values, [5, 6, 7]).mean())
    every = [
        abs(values[list(one)].mean() - np.delete(values, list(one)).mean()) >= observed - 1e-9
        for one in combinations(range(10), 3)
    ]
    assert chance_of(members, values)[0] == pytest.approx(np.mean(every), abs=0.006)


def test_large_groups_and_impossible_ones() -> None:
    dice = np.random.default_rng(3)
    values, members = (dice.random(2000) < 0.7).astype(float), dice.random((3, 2000)) < 0.5
    members[1], members[2] = False, True
    found = chance_of(members, values)
    inside = members[0].sum()
    z = (values[members[0]].sum() - inside * values.mean()) / (
        values.std(ddof=1) * np.sqrt(inside * (2000 - inside) / 2000)
    )
    from scipy import stats

    assert found[0] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert np.isnan(found[1:]).all()
    assert chance_of(members[:1], np.ones(2000))[0] == 1.0


def test_a_group_that_no_draw_reached_is_below_one_in_two_thousand() -> None:
    values = np.array([0.0] * 10 + [1.0] * 50)
    members = np.zeros((1, 60), dtype=bool)
    members[0, :10] = True
    assert 0 < chance_of(members, values)[0] < 1 / 2000


def test_holm_corrects_for_the_known_looks_only() -> None:
    assert holm(np.array([0.01, np.nan, 0.04, 0.03])) == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)
    assert holm(np.array([0.5, 0.9])) == pytest.approx([1.0, 1.0])
    assert np.isnan(holm(np.array([np.nan]))).all()


def test_days_below_one_are_refused() -> None:
    check_days(1, 365)
    with pytest.raises(MetricError, match="at least 1"):
        check_days(30, 0)

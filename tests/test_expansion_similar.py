"""Who is similar to whom, and what can honestly be said of them."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_metrics.metrics.expansion_similar import median_interval, message
from cs_metrics.metrics.expansion_twins import Bought, Neighbour, Similar, _nearest, twins
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

ON = dt.date(2025, 6, 1)


def near(pool: int, outcomes: list[float | None], healths: list[float | None]) -> Similar:
    owners = [
        Neighbour(f"n{at}", f"Near {at}", at / 10, Bought(ON, None, outcome, health))
        for at, (outcome, health) in enumerate(zip(outcomes, healths, strict=True))
    ]
    return Similar(pool, 0.44, "segment, size and use", tuple(owners))


WHO = "Near 0, Near 1, Near 2 and {} more (similar by segment, size and use, at most 0.4 standard deviations away)."
NO_PROOF = "This is no proof: those who bought may differ in other ways."


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, ""),
        (near(20, [0.2] * 4, [3.0] * 4), ""),
        (
            near(20, [None] * 5, [None] * 5),
            f"5 of the 20 most similar SMB customers own it: {WHO.format(2)} What changed for them afterwards is not known yet.",
        ),
        (
            near(20, [None] * 6, [2.0, -1.0, -1.0, -4.0, None, None]),
            f"6 of the 20 most similar SMB customers own it: {WHO.format(3)} Their health held or rose in 1 of 4 (90 days after). {NO_PROOF}",
        ),
        (
            near(20, [0.1, 0.2, -0.1, 0.126, 0.3, None], [1, 2, 3, 4, 5, 6]),
            f"6 of the 20 most similar SMB customers own it: {WHO.format(3)} Their own result changed by +13% (median of 5, "
            "too few for an interval, 3 months after against 3 before). Their health changed by +3.5 points (median of 6, "
            f"95% interval +1.0 points to +6.0 points, 90 days after). {NO_PROOF}",
        ),
    ],
)
def test_the_message_names_them_says_how_far_they_are_and_warns(found: Similar | None, said: str) -> None:
    assert message(found, "SMB", "own it", 5) == said


@pytest.mark.parametrize(
    ("count", "bounds"), [(5, None), (6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (12, (3, 10)), (20, (6, 15))]
)
def test_the_interval_of_a_median_against_the_tables_of_the_sign_test(
    count: int, bounds: tuple[int, int] | None
) -> None:
    """The ranks for 95 % in the published tables of confidence intervals for a median."""
    assert median_interval([float(one) for one in range(1, count + 1)]) == bounds


def test_the_interval_of_a_median_holds_it_in_95_of_100_samples_of_a_skewed_spread() -> None:
    samples = np.random.default_rng(1).exponential(size=(4000, 9))
    held = [low <= np.log(2) <= high for low, high in (median_interval(list(one)) for one in samples)]  # type: ignore[misc]
    assert 0.95 <= np.mean(held) <= 0.97  # 96.1 % for nine values


ACCOUNT = st.tuples(
    st.sampled_from(["", "SMB"]), st.integers(1, 9), st.sampled_from([None, 0.0, 40.0, 55.5, 90.0]), st.booleans()
)


@given(st.lists(ACCOUNT, min_size=1, max_size=14), st.integers(1, 4))
def test_the_nearest_are_those_of_a_naive_search(
    accounts: list[tuple[str, int, float | None, bool]], pool: int
) -> None:
    segments = [one[0] for one in accounts]
    mrr = np.array([100.0 * one[1] for one in accounts])
    use = np.array([np.nan if one[2] is None else one[2] for one in accounts])
    asked = np.array([one[3] for one in accounts])
    unknown = np.full(len(accounts), np.nan)
    found, far, by_use = _nearest(segments, unknown, mrr, use, asked, pool)

    def scaled(values: np.ndarray, at: int) -> np.ndarray:
        own = values[[segment == segments[at] for segment in segments]]
        own = own[~np.isnan(own)]
        spread = own.std() if len(own) else 0.0
        return (values - own.mean()) / spread if spread > 1e-9 else np.where(np.isnan(values), np.nan, 0.0)

    for row, at in enumerate(np.flatnonzero(asked)):
        size, used = scaled(np.log(mrr), at), scaled(use, at)
        is_known = not np.isnan(use[at])
        among = [
            other
            for other in range(len(accounts))
            if other != at and segments[other] == segments[at] and (not is_known or not np.isnan(use[other]))
        ]
        away = [np.hypot(size[other] - size[at], used[other] - used[at] if is_known else 0.0) for other in among]
        assert [one for one in far[row] if not np.isnan(one)] == pytest.approx(sorted(away)[:pool])
        assert set(found[row][found[row] >= 0]) <= set(among)
        assert by_use[row] == (is_known and bool(among))


def test_a_scope_asks_for_less_and_changes_nothing(demo_store: Store) -> None:
    day, scope = demo_store.newest_day, Scope.of(segment="SMB")
    whole, part = twins(demo_store, day, EVERYTHING), twins(demo_store, day, scope)
    assert 0 < len(part.row) < len(whole.row)
    for account_id in part.row:
        for kind, product in (("product", "P-INSIGHTS"), ("seats", "")):
            assert part.of(account_id, kind, product) == whole.of(account_id, kind, product)
    for product in ("P-INSIGHTS", "P-CHANNELS"):
        assert part.paid(product, 1) == {one: paid for one, paid in whole.paid(product, 1).items() if one in part.row}


def test_the_median_paid_is_that_of_the_owners(demo_store: Store) -> None:
    found = twins(demo_store, demo_store.newest_day, EVERYTHING)
    near = {one: found.of(one, "product", "P-CHANNELS") for one in found.row}
    enough = {one: similar for one, similar in near.items() if similar and len(similar.owners) >= 3}
    assert found.paid("P-CHANNELS", 3) == pytest.approx({one: similar.paid_arr for one, similar in enough.items()})
    assert found.owners("product", "P-CHANNELS") == {
        one: len(similar.owners) if similar else 0 for one, similar in near.items()
    }
    assert len(enough) > 10

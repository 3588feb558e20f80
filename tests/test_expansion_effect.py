"""Health and satisfaction after an expansion, beside accounts like it, and the bonus that follows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_metrics.metrics.expansion_effect import bonuses, clustered, effects, expansion_bonus, expansion_effect
from cs_metrics.metrics.expansion_match import Daily, Deals, Weekly, compare, nearest
from cs_metrics.metrics.expansion_review import expansion_review
from cs_metrics.store import Store
from tests.support import records

WEEKS, DAYS = 40, 90


def weekly(scores: np.ndarray) -> Weekly:
    """A row an account, a column a week; the first week ends on day 6."""
    place, week = np.nonzero(~np.isnan(scores))
    return Weekly.of(place, 6 + 7 * week, scores[place, week], len(scores))


CASE = st.tuples(
    st.lists(st.sampled_from([0, 1]), min_size=2, max_size=7),
    st.lists(st.tuples(st.integers(0, 6), st.integers(100, 170)), min_size=1, max_size=4),
    st.integers(0, 2**32 - 1),
    st.integers(1, 3),
)


@given(CASE)
@settings(max_examples=60)
def test_the_matches_are_those_of_a_naive_search(case: tuple) -> None:
    """A second way, over plain lists: same segment, no deal around, nearest by health before, health earlier, and size."""
    labels, deals, seed, count = case
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0, 100, (len(labels), WEEKS))
    scores[rng.random(scores.shape) < 0.3] = np.nan
    mrr = rng.uniform(100, 5000, (len(labels), WEEKS))
    given_deals = Deals(np.array([place % len(labels) for place, _ in deals]), np.array([day for _, day in deals]))
    found = nearest(given_deals, given_deals, [str(one) for one in labels], weekly(scores), weekly(mrr), DAYS, count)

    def mean(values: np.ndarray, place: int, after: int, upto: int) -> float:
        known = [values[place, week] for week in range(WEEKS) if after < 6 + 7 * week <= upto]
        known = [one for one in known if not np.isnan(one)]
        return float(np.mean(known)) if known else float("nan")

    for row, (own, day) in enumerate(zip(given_deals.place, given_deals.day, strict=True)):
        busy = {
            place
            for place, other in zip(given_deals.place, given_deals.day, strict=True)
            if day - DAYS < other <= day + DAYS
        }
        history = {
            place: (
                mean(scores, place, day - DAYS, day),
                float(np.log(mean(mrr, place, day - 7, day))),
                mean(scores, place, day - 2 * DAYS, day - DAYS),
            )
            for place in range(len(labels))
        }
        if np.isnan(history[own][:2]).any():
            assert (found[row] == -1).all()
            continue
        used = [at for at in range(3) if not np.isnan(history[own][at])]
        free = [
            place
            for place in range(len(labels))
            if labels[place] == labels[own]
            and place not in busy
            and not np.isnan([history[place][at] for at in used]).any()
        ]
        spreads = {at: np.std([history[place][at] for place in free]) if free else 0.0 for at in used}
        away = {
            place: sum(
                ((history[place][at] - history[own][at]) / spreads[at]) ** 2 for at in used if spreads[at] > 1e-9
            )
            for place in free
        }
        expected = sorted(free, key=lambda place: (away[place], place))[:count]
        got = [int(one) for one in found[row] if one >= 0]
        assert len(got) == len(expected)
        assert [away[one] for one in got] == pytest.approx([away[one] for one in expected])


def test_the_means_over_windows_are_half_open() -> None:
    daily = Daily.of(
        np.array([0, 0, 1]), np.array([10, 100, 10]), np.array([80.0, 30.0, 5.0]), np.array([2.0, 1.0, 1.0])
    )
    place = np.array([0, 0, 0, 1, 1])
    found = daily.mean(place, np.array([10, 9, 9, 9, 50]), np.array([100, 10, 100, 10, 99]))
    assert records(pd.DataFrame({"mean": found})) == [(30.0,), (40.0,), (round(110 / 3, 6),), (5.0,), (None,)]
    week = weekly(np.array([[10.0, 20.0, np.nan, 40.0]]))
    bounds = [(6, 13), (5, 13), (5, 27), (13, 20), (-50, 5)]
    found = week.mean(np.zeros(5, dtype=int), *(np.array(one) for one in zip(*bounds, strict=True)))
    assert records(pd.DataFrame({"mean": found})) == [(20.0,), (15.0,), (round(70 / 3, 6),), (None,), (None,)]


def test_the_difference_is_that_of_the_changes() -> None:
    scores = np.full((3, WEEKS), 50.0)
    scores[0, 20:] = 40.0  # the account of the deal falls by 10 …
    scores[1, 20:] = 47.0  # … and its matches by 3 and 5
    scores[2, 20:] = 45.0
    deals = Deals(np.array([0]), np.array([6 + 7 * 19]))
    compared = compare(deals, np.array([[1, 2, -1]]), weekly(scores), DAYS)
    assert (compared.change[0], compared.change_matched[0], compared.matches[0]) == (-10.0, -4.0, 2)
    assert compared.difference[0] == -6.0


def test_the_deals_of_one_account_count_as_one_case() -> None:
    """A hundred copies of a deal are no more sure than one."""
    values, groups = np.array([1.0, 3.0, 5.0, 4.0]), ["a", "b", "c", "d"]
    once = clustered(values, groups)
    assert clustered(np.repeat(values, 100), [one for one in groups for _ in range(100)]) == pytest.approx(once)
    assert once[0] == 3.25
    assert once[2] - once[0] == pytest.approx(
        3.182446 * values.std(ddof=1) / 2, rel=1e-5
    )  # t with 3 degrees of freedom


def rows(differences: list[float], kind: str = "seats") -> pd.DataFrame:
    found = pd.DataFrame({"account_id": [f"a{at}" for at in range(len(differences))], "kind": kind})
    for name in ("health", "satisfaction"):
        found[f"{name}_change"], found[f"{name}_matched"] = differences, 0.0
        found[f"{name}_difference"] = differences if name == "health" else np.nan
    return found


@pytest.mark.parametrize(
    ("differences", "says"),
    [
        ([1.0] * 4, "Not enough: 4 accounts can be compared, 5 are needed"),
        ([-3.0, -5.0, -4.0, -4.5, -3.5], "Health fared 4.0 points worse than in accounts like them (95% interval -5.0 to -3.0)"),
        ([3.0, 5.0, 4.0, 4.5, 3.5], "Health fared 4.0 points better than in accounts like them (95% interval +3.0 to +5.0)"),
        ([-3.0, 3.0, 1.0, -1.0, 0.5], "Health fared as in accounts like them, as far as can be told (+0.1 points, 95% interval -2.7 to +2.9)"),
    ],
)  # fmt: skip
def test_the_effect_is_said_with_its_interval_or_not_at_all(differences: list[float], says: str) -> None:
    found = effects(rows(differences), 5)
    assert records(found, "measure", "kind", "matched", "says")[0] == ("health", "all", len(differences), says)
    assert records(found, "measure", "kind", "difference")[1] == ("satisfaction", "all", None)
    assert list(found["kind"].unique()) == ["all", "seats"]


def test_the_bonus_of_a_person_is_weighted_by_arr() -> None:
    found = pd.DataFrame(
        {
            "csm": ["Cora", "Cora", "Cora", "Dan", np.nan],
            "owner": ["Sam"] * 5,
            "account_id": list("abcde"),
            "arr": [100.0, 300.0, 50.0, 10.0, 5.0],
            "verdict": ["held or rose", "health fell", "too early", "both fell", "unknown"],
            "bonus_share": [1.0, 0.5, np.nan, 0.0, np.nan],
            "health_difference": [1.0, -1.0, np.nan, -9.0, np.nan],
        }
    )
    columns = (
        "person",
        "deals",
        "judged",
        "held",
        "fell",
        "too_early",
        "unknown",
        "judged_arr",
        "earned_arr",
        "bonus_share",
    )
    assert records(bonuses(found, "csm", 2), *columns) == [
        ("Cora", 3, 2, 1, 1, 1, 0, 400.0, 250.0, 0.625),
        ("Dan", 1, 1, 0, 1, 0, 0, 10.0, 0.0, 0.0),
        ("", 1, 0, 0, 0, 0, 1, 0.0, 0.0, None),
        ("All", 5, 3, 1, 2, 1, 1, 410.0, 250.0, 0.609756),
    ]
    assert records(bonuses(found, "csm", 2), "health_difference") == [(0.0,), (None,), (None,), (-3.0,)]
    assert list(bonuses(found, "owner", 2)["person"]) == ["Sam", "All"]


def test_the_review_of_the_demo_company_is_matched_and_adds_up(demo_store: Store) -> None:
    day = demo_store.newest_day
    found = expansion_review(demo_store, as_of=day)
    judged = found[found["health_difference"].notna()]
    assert len(judged) > 10
    assert np.allclose(judged["health_after"] - judged["health_before"], judged["health_change"])
    assert np.allclose(judged["health_change"] - judged["health_matched"], judged["health_difference"])
    assert found.loc[found["verdict"] == "too early", "health_difference"].isna().all()
    people = expansion_bonus(demo_store, as_of=day)
    for column in ("deals", "judged", "held", "fell", "arr", "earned_arr"):
        assert people[column].iloc[:-1].sum() == pytest.approx(people[column].iloc[-1])
    total = expansion_effect(demo_store, as_of=day)
    assert total.loc[0, "difference"] == pytest.approx(judged["health_difference"].mean())

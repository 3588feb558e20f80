"""The back-test of the score: counts and rates on given rows, the interval formulas against known values."""

import datetime as dt
import itertools
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_metrics.errors import MetricError
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.health_backtest import area_interval, area_under_curve, wilson
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

AS_OF = dt.date(2024, 6, 30)
SNAPSHOT = dt.date(2024, 4, 1)  # 90 days before
scores = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(1, 10, 0.0179, 0.4042), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (20, 20, 0.8389, 1.0)],
)
def test_wilson_against_published_values(hits: int, of: int, low: float, high: float) -> None:
    """15 of 148 and 0 of 20 are the worked examples of Newcombe (1998), Statistics in Medicine 17:857, table I."""
    assert wilson(hits, of) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_nothing_is_unknown() -> None:
    assert all(math.isnan(end) for end in wilson(0, 0))


@given(scores, scores)
def test_the_area_is_the_share_of_pairs_in_which_the_lost_one_scored_lower(
    lost: list[float], kept: list[float]
) -> None:
    pairs = [1.0 if a < b else 0.5 if a == b else 0.0 for a, b in itertools.product(lost, kept)]
    assert area_under_curve(lost, kept) == pytest.approx(sum(pairs) / len(pairs))


def test_the_area_needs_both_kinds() -> None:
    assert math.isnan(area_under_curve([], [1.0]))
    assert math.isnan(area_under_curve([1.0], []))
    assert all(math.isnan(end) for end in area_interval(math.nan, 0, 5))


@given(st.floats(0, 1), st.integers(1, 400), st.integers(1, 400))
def test_the_ends_of_the_interval_are_one_critical_distance_away(auc: float, lost: int, kept: int) -> None:
    low, high = area_interval(auc, lost, kept)
    assert 0 <= low <= auc <= high <= 1
    for end in (low, high):
        if 1e-6 < end < 1 - 1e-6:
            inner = 1 + ((lost + kept) / 2 - 1) * ((1 - end) / (2 - end) + end / (1 + end))
            error = math.sqrt(end * (1 - end) * inner / (lost * kept))
            assert abs(auc - end) == pytest.approx(1.959964 * error, abs=1e-6)
    mirrored = area_interval(1 - auc, lost, kept)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)


def test_a_perfect_separation_of_few_is_no_certainty() -> None:
    low, high = area_interval(1.0, 10, 10)
    assert high == 1.0
    assert 0.75 < low < 0.9
    assert area_interval(0.7, 40, 400)[0] > area_interval(0.7, 10, 100)[0]


def book(folder: Path, accounts: list[tuple[int, str]]) -> Store:
    """Accounts by their NPS (score = 10 × answer) and fate: stays, leaves, shrinks, grows or is new."""
    rows: dict[str, Any] = {"accounts": [], "subscriptions": [], "surveys": []}
    for number, (nps, fate) in enumerate(accounts):
        name = f"a{number:02d}"
        start = "2024-05-01" if fate == "new" else "2024-01-01"
        rows["accounts"].append(account(name, start, segment="SMB" if number % 2 else "Enterprise"))
        rows["subscriptions"].append(line(name, start, "2024-05-15" if fate == "leaves" else None, 100))
        extra = line(name, "2024-01-01", "2024-05-15", 20, subscription_id=f"{name} extra")
        if fate == "shrinks":
            rows["subscriptions"].append(extra)
        if fate == "grows":
            rows["subscriptions"].append(extra | {"starts_on": "2024-05-15", "ends_on": None})
        if nps >= 0:
            rows["surveys"].append(
                {"account_id": name, "kind": "nps", "score": nps, "answered_at": f"{start}T09:00:00"}
            )
    rows["messages"] = [{"account_id": "a00", "kind": "check_in", "sent_at": "2024-09-30T09:00:00"}]
    return company(folder, **rows)


FATES = [
    (2, "leaves"),
    (3, "stays"),
    (6, "shrinks"),
    (6, "grows"),
    (7, "stays"),
    (9, "stays"),
    (-1, "leaves"),
    (1, "new"),
]


def test_lost_is_churned_or_shrunk_among_the_customers_of_the_snapshot(tmp_path: Path) -> None:
    found = run(book(tmp_path, FATES), "health_backtest", as_of=AS_OF)
    columns = ("colour", "accounts", "lost", "churned", "shrank", "loss_rate", "lift", "snapshot_day")
    assert records(found, *columns) == [
        ("red", 2, 1, 1, 0, 0.5, 1.5, str(SNAPSHOT)),
        ("yellow", 3, 1, 0, 1, 0.333333, 1.0, str(SNAPSHOT)),
        ("green", 1, 0, 0, 0, 0.0, 0.0, str(SNAPSHOT)),
        ("none", 1, 1, 1, 0, 1.0, None, str(SNAPSHOT)),
    ]
    assert found["auc"].unique().tolist() == [pytest.approx((4 + 2.5) / 8)]
    assert set(found["verdict"]) == {"not enough outcomes (2 of 6 accounts lost, at least 10 are needed)"}
    assert (found["low"].iloc[0], found["high"].iloc[0]) == pytest.approx(wilson(1, 2))


@pytest.mark.parametrize(
    ("low_nps", "high_nps", "verdict"),
    [
        (3, 9, "separates (AUC 1.00, 95% interval 0.87 to 1.00)"),
        (9, 3, "does not separate (AUC 0.00, 95% interval 0.00 to 0.13, the lost accounts even scored higher)"),
        (7, 7, "does not separate (AUC 0.50, 95% interval 0.31 to 0.69 holds the 0.50 of chance)"),
    ],
)
def test_the_verdict_is_honest(tmp_path: Path, low_nps: int, high_nps: int, verdict: str) -> None:
    store = book(tmp_path, [(low_nps, "leaves")] * 12 + [(high_nps, "stays")] * 20)
    found = run(store, "health_backtest", as_of=AS_OF)
    assert set(found["verdict"]) == {verdict}
    few = run(store, "health_backtest", as_of=AS_OF, scope=Scope.of(segment="SMB"))
    assert few["verdict"].iloc[0] == "not enough outcomes (6 of 16 accounts lost, at least 10 are needed)"


def test_too_few_who_stayed_are_no_proof_either(tmp_path: Path) -> None:
    found = run(book(tmp_path, [(3, "leaves")] * 11 + [(9, "stays")]), "health_backtest", as_of=AS_OF)
    assert found["verdict"].iloc[0] == "not enough outcomes (1 of 12 accounts kept, at least 10 are needed)"


def test_the_horizon_is_counted_back_from_the_day(tmp_path: Path) -> None:
    store = book(tmp_path, FATES)
    before = run(store, "health_backtest", as_of=day("2024-05-14"), options={"horizon_days": "30"})
    assert before["lost"].sum() == 0
    after = run(store, "health_backtest", as_of=day("2024-05-15"), options={"horizon_days": "30"})
    assert after["lost"].sum() == 3
    late = run(store, "health_backtest", as_of=AS_OF, options={"horizon_days": "30"})
    assert (late["lost"].sum(), late["accounts"].sum()) == (0, 6)


@pytest.mark.parametrize(("horizon_days", "accounts"), [(180, 7), (200, 0)])  # in the first week, and before it
def test_before_there_were_scores_there_is_nothing_to_judge(tmp_path: Path, horizon_days: int, accounts: int) -> None:
    found = run(book(tmp_path, FATES), "health_backtest", as_of=AS_OF, options={"horizon_days": str(horizon_days)})
    assert found["accounts"].tolist() == [0, 0, 0, accounts]
    assert set(found["verdict"]) == {f"not enough outcomes (no customer had a score {horizon_days} days ago)"}
    assert found[["lift", "auc", "auc_low", "auc_high"]].isna().all(axis=None)
    assert found["loss_rate"].iloc[:3].isna().all()


def test_a_horizon_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="at least 1"):
        run(book(tmp_path, FATES), "health_backtest", options={"horizon_days": "0"})

"""The leaderboard: what counts for whom and when, ranks with ties, people without a target, and its course."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.leaderboard import _standing, quarter_of
from cs_metrics.store import Store
from tests.renewal_company import lost, renewed
from tests.support import account, company, day, line, records

TEAMS = {"a": "North", "b": "North", "c": "South", "d": "South", "e": "North", "f": "South"}


def sellers(folder: Path) -> Store:
    contracts = [
        renewed("a", "2024-08-15", "2024-06-20", owner="Ann", to=1300),  # early: counts where it was due
        renewed("b", "2024-09-30", "2024-09-30", owner="Ann", to=800, renewed_until="2026-09-30"),
        renewed("c", "2024-09-10", "2024-10-02", owner="Ben"),  # late: no windfall
        renewed("d", "2024-07-31", "2024-07-30", owner="Ben", arr=900),
        lost("e", "2024-08-01", "2024-07-01", owner="Ben"),
        renewed("f", "2024-09-01", "2024-08-20", owner="Cleo", arr=400),
    ]
    deals = [
        {"opportunity_id": "1", "account_id": "a", "kind": "seats", "opened_on": "2024-06-01", "closed_on": "2024-07-10",
         "stage": "won", "arr": 500, "owner": "Ann"},
        {"opportunity_id": "2", "account_id": "b", "kind": "seats", "opened_on": "2024-08-01", "closed_on": "2024-10-01",
         "stage": "won", "arr": 70, "owner": "Ann"},
        {"opportunity_id": "3", "account_id": "c", "kind": "seats", "opened_on": "2024-06-01", "closed_on": "2024-07-11",
         "stage": "lost", "arr": 60, "owner": "Ben"},
    ]  # fmt: skip
    targets = [
        {"person": "Ann", "quarter": "2024-Q3", "kind": "renewal", "amount": 2000},
        {"person": "Ann", "quarter": "2024-Q3", "kind": "expansion", "amount": 1000},
        {"person": "Ben", "quarter": "2024-Q3", "kind": "renewal", "amount": 1000},
        {"person": "Dan", "quarter": "2024-Q3", "kind": "renewal", "amount": 100},
        {"person": "Ann", "quarter": "2024-Q4", "kind": "renewal", "amount": 1},
    ]
    return company(
        folder,
        accounts=[account(name, "2023-01-01", team=team) for name, team in TEAMS.items()],
        subscriptions=[line(name, "2023-01-01", None, 10) for name in TEAMS],
        contracts=contracts,
        opportunities=deals,
        targets=targets,
    )


def asked(store: Store, as_of: str, name: str = "leaderboard", **options: Any) -> pd.DataFrame:
    return run(store, name, as_of=day(as_of), options=options)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return sellers(tmp_path_factory.mktemp("board"))


def test_target_attainment_and_rank_of_a_quarter(board: Store) -> None:
    found = asked(board, "2024-09-30")
    names = ["name", "team", "target", "attained", "attainment", "gap", "rank", "deals"]
    assert records(found, *names) == [
        ("Ben", "South", 1000, 900, 0.9, 100, 1, 1),
        ("Ann", "North", 3000, 2300, 0.766667, 700, 2, 3),
        ("Dan", None, 100, 0, 0, 100, 3, 0),
        ("Cleo", "South", None, 400, None, None, None, 1),
    ]
    apart = [
        "name",
        "renewal_arr",
        "expansion_arr",
        "expansion_at_renewal_arr",
        "multi_year_arr",
        "late_arr",
        "elapsed",
    ]
    assert records(found, *apart)[:2] == [("Ben", 900, 0, 0, 0, 0, 1), ("Ann", 1800, 500, 300, 800, 0, 1)]
    assert records(found, "name", "today_arr", "rank_today")[1] == ("Ann", 800, 1)


def test_a_late_renewal_counts_in_no_quarter_and_is_shown(board: Store) -> None:
    store = board
    after = asked(store, "2024-10-31", quarter="2024-Q3", kind="renewal")
    assert records(after[after["name"] == "Ben"], "attained", "late_arr", "deals") == [(900, 1000, 1)]
    assert asked(store, "2024-10-31", kind="renewal")["attained"].sum() == 0
    decided = asked(store, "2024-10-31", kind="renewal", counts="decided")
    assert records(decided[decided["name"] == "Ben"], "attained") == [(1000,)]


def test_an_early_renewal_counts_from_the_first_day_of_its_quarter(board: Store) -> None:
    store = board
    assert records(asked(store, "2024-07-01", kind="renewal"), "name", "attained", "rank") == [
        ("Ann", 1000, 1),
        ("Ben", 0, 2),
        ("Dan", 0, 2),
    ]
    earlier = asked(store, "2024-06-30", kind="renewal")
    assert earlier.empty or earlier["attained"].sum() == 0


def test_teams_add_up_to_their_people(board: Store, demo_store: Store) -> None:
    found = asked(board, "2024-09-30", level="team")
    assert records(found, "name", "target", "attained", "rank") == [
        ("South", 1000, 1300, 1),
        ("North", 3000, 2300, 2),
        ("", 100, 0, 3),
    ]
    people, teams = (run(demo_store, "leaderboard", options={"level": one}) for one in ("person", "team"))
    for name in ("target", "attained", "renewal_arr", "today_arr", "deals"):
        assert people[name].sum() == pytest.approx(teams[name].sum())


def test_under_a_filter_nobody_is_ranked_against_a_whole_target(board: Store) -> None:
    store = board
    found = run(store, "leaderboard", as_of=day("2024-09-30"), scope=Scope.of(team="North"))
    assert found[["attainment", "gap", "rank"]].isna().all(axis=None)
    assert found.set_index("name").loc["Ann", "attained"] == 2300
    assert found.set_index("name").loc["Ben", "attained"] == 0


def test_the_course_ends_where_the_board_stands(demo_store: Store) -> None:
    for kind in ("renewal", "expansion", "all"):
        board = run(demo_store, "leaderboard", options={"kind": kind}).set_index("name")
        course = run(demo_store, "leaderboard_course", options={"kind": kind})
        last = course[course["day"] == course["day"].max()].set_index("name")
        for name in ("attained", "attainment", "rank"):
            assert last[name].astype("float64").round(6).to_dict() == pytest.approx(
                board[name].astype("float64").round(6).to_dict(), nan_ok=True
            )
        assert course.groupby("name")["attained"].apply(lambda one: one.is_monotonic_increasing).all()


def test_the_course_moves_when_somebody_books(board: Store) -> None:
    course = asked(board, "2024-09-30", "leaderboard_course", kind="renewal")
    ann = course[course["name"] == "Ann"]
    moved = [(one.day.date().isoformat(), one.attained, one.rank) for one in ann.itertuples()]
    assert moved[0] == ("2024-07-07", 1000, 1)
    assert moved[4] == ("2024-08-04", 1000, 2)  # Ben's 900 of 1000, decided on 30 July
    assert moved[-1] == ("2024-09-30", 1800, 1)  # now both stand at 90 %: an equal rank


def test_renewals_counted_by_hand(demo_store: Store) -> None:
    start, end = day("2026-07-01"), day("2026-09-30")
    sql = "select owner, ends_on, decided_on, outcome, arr_cents, renewed_arr_cents from contracts"
    sums: dict[str, float] = {}
    for owner, ends_on, decided_on, outcome, before, after in demo_store.rows(sql):
        if outcome == "renewed" and start <= ends_on <= end and decided_on <= end:
            sums[owner] = sums.get(owner, 0.0) + min(before, before if after is None else after) / 100
    found = run(demo_store, "leaderboard", options={"kind": "renewal", "quarter": "2026-Q3"}).set_index("name")
    assert {name: found.loc[name, "attained"] for name in sums} == pytest.approx(sums)


deal = st.tuples(st.sampled_from("abcd"), st.integers(0, 90), st.integers(1, 10_000))


@settings(max_examples=40, deadline=None)
@given(st.lists(deal, max_size=12), st.dictionaries(st.sampled_from("abcde"), st.integers(0, 9000), max_size=5))
def test_identities_of_the_board(deals: list[tuple[str, int, int]], targets: dict[str, int]) -> None:
    start = day("2024-07-01")
    rows = pd.DataFrame(
        [(name, pd.Timestamp(periods.add_days(start, at)), float(amount)) for name, at, amount in deals],
        columns=["name", "day", "counted"],
    ).astype({"name": "str", "day": "datetime64[us]", "counted": "float64"})
    for column in ("renewal_arr", "expansion_arr", "multi_year_arr", "extra_year_arr", "expansion_at_renewal_arr"):
        rows[column] = rows["counted"]
    rows["is_late"] = False
    aims = {name: float(one) for name, one in targets.items()}
    found = _standing(rows, aims, day("2024-09-30"), is_whole=True)
    assert found["attained"].sum() == pytest.approx(sum(amount for _, _, amount in deals))
    ranked = found[found["rank"].notna()]
    assert set(ranked["name"]) == {name for name, one in aims.items() if one > 0}
    assert (ranked["attained"] == (ranked["attainment"] * ranked["target"]).round(6)).all()
    for one in ranked.itertuples():
        assert one.rank == 1 + (ranked["attainment"].round(9) > round(one.attainment, 9)).sum()
    shuffled = rows.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(found, _standing(shuffled, aims, day("2024-09-30"), is_whole=True))


def test_a_quarter_is_written_in_one_way() -> None:
    assert quarter_of("2024-Q3", day("2024-09-30")) == ("2024-Q3", day("2024-07-01"))
    assert quarter_of("", day("2024-09-30")) == ("2024-Q3", day("2024-07-01"))
    for bad in ("Q3 2024", "2024-Q5", "2025-Q1"):
        with pytest.raises(MetricError, match="quarter="):
            quarter_of(bad, day("2024-09-30"))

"""The book, its movements and its retention against literal rows, a naive recomputation, and the examples of the field."""

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_metrics import periods
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.revenue import MOVEMENTS
from cs_metrics.store import Store
from tests.support import account, company, day, line, records


def movements(store: Store, as_of: str, **options: Any) -> list[tuple[Any, ...]]:
    return records(run(store, "mrr_movements", as_of=day(as_of), options=options))


def retention(store: Store, first: str, last: str, as_of: str | None = None) -> dict[str, Any]:
    found = run(store, "revenue_retention", as_of=day(as_of or last), options={"from": first, "to": last})
    return dict(zip(found.columns, records(found)[0], strict=True))


def test_expansion_and_contraction_pool_into_grr_and_nrr(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("x"), account("y")],
        subscriptions=[
            line("x", "2024-01-01", "2024-06-01", 50),
            line("x", "2024-06-01", None, 100),
            line("y", "2024-01-01", "2024-06-01", 125),
            line("y", "2024-06-01", None, 100),
        ],
    )
    found = retention(store, "2024-05-31", "2024-12-31")
    assert found["grr"] == pytest.approx(150 / 175)
    assert found["nrr"] == pytest.approx(200 / 175)
    assert (found["opening_arr"], found["closing_arr"]) == (2100.0, 2400.0)


@pytest.mark.parametrize(
    ("last_mrr", "grr", "nrr", "last_movement"),
    [(None, 0.0, 0.0, ("churn", -150.0)), (120.0, 1.0, 1.2, ("contraction", -30.0))],
)
def test_growth_inside_the_window_never_lifts_grr(
    tmp_path: Path, last_mrr: float | None, grr: float, nrr: float, last_movement: tuple[str, float]
) -> None:
    lines = [line("a", "2024-01-01", "2024-03-10", 100), line("a", "2024-03-10", "2024-05-10", 150)]
    if last_mrr:
        lines.append(line("a", "2024-05-10", None, last_mrr))
    store = company(tmp_path, accounts=[account("a")], subscriptions=lines)
    found = retention(store, "2024-02-29", "2024-06-30")
    assert (found["grr"], found["nrr"]) == (grr, nrr)
    rows = {row[0]: dict(zip(MOVEMENTS, row[2:7], strict=True)) for row in movements(store, "2024-06-30")}
    assert rows["2024-03-01"]["expansion"] == 50.0
    assert rows["2024-05-01"][last_movement[0]] == last_movement[1]


def test_a_contract_that_follows_on_the_same_day_is_no_movement(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", "2023-01-01")],
        subscriptions=[line("a", "2023-01-01", "2024-01-01", 100), line("a", "2024-01-01", "2025-01-01", 100)],
    )
    assert [row[2:7] for row in movements(store, "2024-03-31")][1:] == [(0.0,) * 5] * 14


def test_a_gap_within_a_month_shows_nothing_and_one_across_its_end_shows_churn_and_reactivation(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("within"), account("across")],
        subscriptions=[
            line("within", "2024-01-01", "2024-05-03", 10),
            line("within", "2024-05-20", None, 10),
            line("across", "2024-01-01", "2024-05-20", 7),
            line("across", "2024-06-03", None, 7),
        ],
    )
    rows = {row[0]: row[2:7] for row in movements(store, "2024-07-31")}
    assert rows["2024-05-01"] == (0.0, 0.0, 0.0, 0.0, -7.0)
    assert rows["2024-06-01"] == (0.0, 7.0, 0.0, 0.0, 0.0)
    effect = records(run(store, "grace_effect", as_of=day("2024-07-31"), options={"grace_days": 30}))
    assert effect == [(2, 2, 1, 204.0)]


def test_a_grace_bridges_a_gap_only_once_it_is_known_to_be_closed(tmp_path: Path) -> None:
    text = (Path(__file__).parent.parent / "data" / "config.toml").read_text(encoding="utf-8")
    (tmp_path / "config.toml").write_text(text.replace("grace_days = 0", "grace_days = 30"), encoding="utf-8")
    store = company(
        tmp_path,
        accounts=[account("a")],
        subscriptions=[line("a", "2024-01-01", "2024-05-20", 7), line("a", "2024-06-03", None, 7)],
    )
    before = {row[0]: row[6] for row in movements(store, "2024-05-31")}
    after = {row[0]: row[6] for row in movements(store, "2024-06-30")}
    assert (before["2024-05-01"], after["2024-05-01"]) == (-7.0, 0.0)


def test_the_documented_life_of_one_customer(tmp_path: Path) -> None:
    """ChartMogul's help page walks one customer through all five movements; the amounts are theirs."""
    store = company(
        tmp_path,
        accounts=[account("a")],
        subscriptions=[
            line("a", "2024-01-10", "2025-01-10", 166.67),
            line("a", "2024-02-10", "2024-04-10", 60),
            line("a", "2025-03-05", None, 150),
        ],
    )
    rows = {row[0]: dict(zip(MOVEMENTS, row[2:7], strict=True)) for row in movements(store, "2025-03-31")}
    assert rows["2024-01-01"]["new"] == 166.67
    assert rows["2024-02-01"]["expansion"] == 60.0
    assert rows["2024-04-01"]["contraction"] == -60.0
    assert rows["2025-01-01"]["churn"] == -166.67
    assert rows["2025-03-01"]["reactivation"] == 150.0


def test_trials_and_lines_of_no_length_are_not_revenue(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a")],
        subscriptions=[
            line("a", "2024-01-01", None, 10, is_trial=True),
            line("a", "2024-01-15", "2024-01-15", 99),
            line("a", "2024-02-01", None, 20),
        ],
    )
    assert records(run(store, "mrr_by_month", as_of=day("2024-02-10"))) == [
        ("2024-01-01", 0.0, 0, True),
        ("2024-02-01", 20.0, 1, False),
    ]


def test_a_foreign_line_is_converted_at_the_rate_of_its_first_day(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", currency="EUR"), account("b", currency="USD")],
        subscriptions=[
            line("a", "2024-01-05", None, 100),
            line("a", "2024-03-05", None, 10),
            line("b", "2024-01-01", None, 1),
        ],
        rates=[
            {"currency": "EUR", "valid_from": "2023-01-01", "rate": 1.1},
            {"currency": "EUR", "valid_from": "2024-03-01", "rate": 1.2},
        ],
    )
    assert records(run(store, "mrr_by_month", as_of=day("2024-03-31")), "mrr") == [(111.0,), (111.0,), (123.0,)]


def test_what_is_not_known_yet_is_empty_and_not_zero(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 10)])
    found = retention(store, "2024-01-31", "2024-12-31", as_of="2024-06-30")
    assert (found["opening_arr"], found["closing_arr"], found["grr"], found["nrr"], found["logo_churn"]) == (
        120.0,
        None,
        None,
        None,
        None,
    )


def test_a_scope_narrows_to_accounts(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", segment="SMB"), account("b", segment="Enterprise"), account("c")],
        subscriptions=[line(one, "2024-01-01", None, mrr) for one, mrr in (("a", 1), ("b", 2), ("c", 4))],
    )
    sums = {
        segment: run(store, "mrr_by_month", as_of=day("2024-01-31"), scope=Scope.of(segment=segment))["mrr"].sum()
        for segment in ("SMB", "Enterprise", "")
    }
    assert sums == {"SMB": 1.0, "Enterprise": 2.0, "": 4.0}


SPANS = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.integers(0, 300), st.one_of(st.none(), st.integers(1, 200)), st.integers(1, 5000)
    ),
    min_size=1,
    max_size=8,
)
FIRST = dt.date(2023, 1, 1)


def lines_of(spans: list[tuple[str, int, int | None, int]]) -> list[dict[str, Any]]:
    found = []
    for index, (who, start, length, cents) in enumerate(spans):
        first = periods.add_days(FIRST, start)
        last = None if length is None else str(periods.add_days(first, length))
        found.append(line(who, str(first), last, cents / 100, subscription_id=str(index)))
    return found


def naive_book(lines: list[dict[str, Any]], on: dt.date) -> dict[str, int]:
    book: dict[str, int] = {}
    for one in lines:
        if day(one["starts_on"]) <= on and (one["ends_on"] is None or on < day(one["ends_on"])):
            book[one["account_id"]] = book.get(one["account_id"], 0) + round(one["mrr"] * 100)
    return book


@settings(max_examples=15, deadline=None)
@given(SPANS)
def test_the_book_and_its_movements_equal_a_naive_count(tmp_path_factory: pytest.TempPathFactory, spans: Any) -> None:
    lines = lines_of(spans)
    store = company(
        tmp_path_factory.mktemp("book"), accounts=[account(one, str(FIRST)) for one in "abc"], subscriptions=lines
    )
    as_of = dt.date(2024, 6, 30)
    rows = run(store, "mrr_movements", as_of=as_of)
    previous: dict[str, int] = {}
    for row in rows.itertuples():
        book = naive_book(lines, periods.month_end(row.period.date()))
        assert round(row.closing * 100) == sum(book.values())
        assert round(row.opening * 100) == sum(previous.values())
        moved = sum(round(getattr(row, kind) * 100) for kind in MOVEMENTS)
        assert moved == sum(book.values()) - sum(previous.values())
        gained = sum(max(book.get(one, 0) - previous.get(one, 0), 0) for one in "abc")
        assert round((row.new + row.reactivation + row.expansion) * 100) == gained
        previous = book
    kept = run(store, "revenue_retention", as_of=as_of)
    if kept["opening_arr"][0]:
        assert kept["grr"][0] <= min(1.0, kept["nrr"][0]) + 1e-12


@settings(max_examples=10, deadline=None)
@given(SPANS, st.integers(60, 400))
def test_nothing_changes_when_later_facts_arrive(
    tmp_path_factory: pytest.TempPathFactory, spans: Any, cut: int
) -> None:
    """Up to the as-of day an end that comes later, and a line that starts later, must have no influence."""
    as_of = periods.add_days(FIRST, cut)
    lines = lines_of(spans)
    known = [
        {**one, "ends_on": None if one["ends_on"] and day(one["ends_on"]) > as_of else one["ends_on"]}
        for one in lines
        if day(one["starts_on"]) <= as_of
    ]
    if not known:
        return
    accounts = [account(one, str(FIRST)) for one in "abc"]
    folder = tmp_path_factory.mktemp("later")
    now = company(folder / "now", accounts=accounts, subscriptions=known)
    later = company(folder / "later", accounts=accounts, subscriptions=lines)
    for name in ("mrr_by_month", "mrr_movements", "revenue_retention", "arr_walk", "grace_effect"):
        pd.testing.assert_frame_equal(run(now, name, as_of=as_of), run(later, name, as_of=as_of))

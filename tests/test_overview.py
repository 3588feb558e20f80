"""The figures that lead the portfolio."""

import datetime as dt
from pathlib import Path

import pytest

from cs_metrics.metrics import Scope, overview
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

DAY = day("2025-03-31")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two customers of a year ago (one gone, one grown), one new, one that came back."""
    contracts = [
        ("k1", "a", "2024-06-01", "2025-06-01", None, None),  # due within 90 days
        ("k2", "d", "2024-04-15", "2025-04-15", "renewed", "2025-04-01"),  # decided the day after
        ("k3", "b", "2024-01-01", "2025-01-01", "churned", "2024-12-20"),
        ("k4", "c", "2024-09-01", "2025-09-01", None, None),  # due later
    ]
    return company(
        tmp_path,
        accounts=[account("a", segment="SMB"), account("b", segment="SMB"), account("c", "2024-09-01"), account("d")],
        subscriptions=[
            line("a", "2024-01-01", "2025-01-01", 100),
            line("a", "2025-01-01", None, 150),
            line("b", "2024-01-01", "2025-01-01", 50),
            line("c", "2024-09-01", None, 70),
            line("d", "2024-01-01", "2024-02-01", 10),
            line("d", "2024-05-01", None, 20),
        ],
        contracts=[
            {
                "contract_id": key,
                "account_id": who,
                "starts_on": first,
                "ends_on": last,
                "arr": 1200,
                "outcome": outcome,
                "decided_on": decided,
            }
            for key, who, first, last, outcome, decided in contracts
        ],
        meetings=[{"account_id": "a", "kind": "qbr", "scheduled_on": "2025-05-31", "was_held": True}],
    )


def test_windows_open_on_the_day_whose_closing_book_they_compare_with() -> None:
    found = [overview.window_start(day("2025-05-31"), name) for name in overview.WINDOWS]
    assert found == [day("2025-03-31"), day("2024-12-31"), day("2024-05-31"), day("2023-05-31")]


def test_retention_trend_follows_each_opening_book_for_a_year(store: Store) -> None:
    found = overview.retention_trend(store, as_of=DAY, months=2)
    columns = (
        "day",
        "arr",
        "accounts",
        "opening_arr",
        "opening_accounts",
        "churned_accounts",
        "grr",
        "nrr",
        "logo_churn",
    )
    assert records(found, *columns) == [
        ("2025-01-31", 2880.0, 3, 1920.0, 3, 1, 0.6875, 1.0625, 0.333333),
        ("2025-02-28", 2880.0, 3, 1800.0, 2, 1, 0.666667, 1.0, 0.5),
        ("2025-03-31", 2880.0, 3, 1800.0, 2, 1, 0.666667, 1.0, 0.5),
    ]


def test_retention_of_a_first_year_is_unknown_and_not_zero(store: Store) -> None:
    found = overview.retention_trend(store, as_of=day("2024-06-15"), months=0)
    assert records(found, "day", "arr", "opening_accounts", "nrr") == [("2024-06-15", 2040.0, 0, None)]


def test_retention_trend_keeps_to_its_accounts(store: Store) -> None:
    found = overview.retention_trend(store, as_of=DAY, scope=Scope.of(segment="SMB"), months=0)
    assert records(found, "arr", "accounts", "nrr") == [(1800.0, 1, 1.0)]


def test_what_moved_names_the_accounts_whose_changes_add_up(store: Store) -> None:
    found = overview.what_moved(store, as_of=DAY, from_=day("2024-03-31"))
    assert records(found, "account_id", "movement", "opening", "closing", "change", "share") == [
        ("c", "new", 0.0, 840.0, 840.0, 0.368421),
        ("a", "expansion", 1200.0, 1800.0, 600.0, 0.263158),
        ("b", "churn", 600.0, 0.0, -600.0, 0.263158),
        ("d", "reactivation", 0.0, 240.0, 240.0, 0.105263),
    ]
    assert found.change.sum() == 2880 - 1800


def test_what_moved_is_empty_where_nothing_did(store: Store) -> None:
    assert overview.what_moved(store, as_of=DAY, from_=DAY).empty


def test_renewals_are_due_as_they_were_known_then(store: Store) -> None:
    found = overview.renewals_due_by_month(store, as_of=DAY, months=3)
    assert records(found) == [
        ("2024-12-31", 0, 0.0),
        ("2025-01-31", 1, 1200.0),
        ("2025-02-28", 1, 1200.0),
        ("2025-03-31", 2, 2400.0),
    ]


def test_every_customer_has_a_place_in_the_health_mix(store: Store) -> None:
    found = overview.health_mix(store, as_of=DAY, weeks=8, step_weeks=4)
    counts = [f"{colour}_accounts" for colour in ("green", "yellow", "red", "none")]
    arr = [f"{colour}_arr" for colour in ("green", "yellow", "red", "none")]
    assert list(found.week_end.dt.date) == [day("2025-02-02"), day("2025-03-02"), day("2025-03-30")]
    assert list(found[counts].sum(axis=1)) == [3, 3, 3]
    assert list(found[arr].sum(axis=1)) == [2880.0, 2880.0, 2880.0]


def test_arr_at_risk_without_any_score_is_unknown(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 100)])
    found = overview.arr_at_risk(store, as_of=day("2024-02-01"), weeks=0)
    assert records(found) == [("2024-01-28", 0, None, None, 0)]


def test_headline_says_why_a_figure_is_unknown(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 100)])
    found = overview.headline(store, as_of=store.newest_day).set_index("figure")
    assert list(found.index) == ["arr", "nrr", "grr", "logo_churn", "activation", "renewals", "expected", "at_risk"]
    assert found.loc["arr", "now"] == 1200.0
    assert dict(found.reason[found.now.isna()]) == {
        "nrr": "no customers twelve months before",
        "grr": "no customers twelve months before",
        "logo_churn": "no customers twelve months before",
        "activation": "no events were loaded",
        "renewals": "no contracts were loaded",
        "expected": "no contracts were loaded",
        "at_risk": "no customer has a health score",
    }


def test_headline_compares_with_the_day_that_opens_the_window(store: Store) -> None:
    found = overview.headline(store, as_of=DAY, window="12m").set_index("figure")
    assert tuple(found.loc["arr", ["now", "before", "whole"]]) == (2880.0, 1800.0, 3.0)
    assert tuple(found.loc["logo_churn", ["now", "part", "whole"]]) == (0.5, 1.0, 2.0)
    assert tuple(found.loc["renewals", ["now", "whole"]]) == (2400.0, 2.0)


def test_filter_values_are_those_that_accounts_have(store: Store) -> None:
    assert overview.account_values(store, ["segment", "region", "no_such_column"]) == {"segment": ["SMB"], "region": []}


def test_days_are_plain_days() -> None:
    assert isinstance(overview.window_start(DAY, "year"), dt.date)


def test_expected_renewals_are_those_of_each_day(store: Store) -> None:
    found = overview.renewals_expected_by_quarter(store, as_of=DAY, quarters=1)
    assert records(found, "day", "contracts", "arr") == [("2024-12-31", 0, 0.0), ("2025-03-31", 2, 2400.0)]
    due = overview.renewals_due_by_month(store, as_of=DAY, months=3)
    assert due.arr.iloc[-1] == found.arr.iloc[-1]


def test_activation_by_start_quarter_is_taken_where_the_curve_is_flat(demo_store: Store) -> None:
    found = overview.activation_by_start_quarter(demo_store, as_of=demo_store.newest_day)
    assert found.period.nunique() <= 1
    assert (found.rate == found.active / found.eligible).all()

"""White space: owned, tried, gap and not eligible, as of a day."""

import datetime as dt

import pandas as pd
import pytest

from cs_metrics.errors import MissingTable
from cs_metrics.metrics.expansion_similar import expansion_proof
from cs_metrics.metrics.scope import Scope
from cs_metrics.metrics.whitespace import whitespace, whitespace_by_product, whitespace_grid
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

D = day("2026-03-01")


def used(account_id: str, product_id: str, on: str) -> dict[str, str]:
    return {"account_id": account_id, "event": "used", "occurred_at": f"{on}T09:00:00", "product_id": product_id}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return company(
        tmp_path_factory.mktemp("whitespace"),
        accounts=[account(name, "2025-01-01", segment="SMB") for name in ("a", "b", "c", "gone")],
        subscriptions=[
            line("a", "2025-01-01", None, 100, product_id="CORE"),
            line("a", "2025-06-01", "2026-03-01", 10, product_id="ADD", subscription_id="ended today"),
            line("a", "2026-02-01", None, 10, product_id="LATE", subscription_id="bought"),
            line("b", "2025-01-01", None, 300),
            line("b", "2026-02-01", None, 10, product_id="ADD", subscription_id="trial", is_trial=True),
            line("b", "2026-03-02", None, 10, product_id="LATE", subscription_id="tomorrow"),
            line("c", "2025-01-01", None, 200, product_id="CORE"),
            line("gone", "2025-01-01", "2025-12-01", 50, product_id="CORE"),
        ],
        products=[
            {"product_id": "CORE", "name": "Desk", "kind": "core"},
            {"product_id": "ADD", "name": "Insights", "kind": "add_on", "list_price": 5},
            {"product_id": "LATE", "name": "Channels", "kind": "add_on", "milestone_id": "M1"},
        ],
        milestones=[{"milestone_id": "M1", "name": "Live", "position": 1, "due_days": 10}],
        milestone_completions=[
            {"account_id": "b", "milestone_id": "M1", "completed_on": "2026-03-01"},
            {"account_id": "c", "milestone_id": "M1", "completed_on": "2026-03-02"},
        ],
        events=[
            used("a", "LATE", "2026-02-20"),
            used("b", "ADD", "2025-12-02"),
            used("b", "ADD", "2026-02-11"),
            used("c", "ADD", "2025-12-01"),
            used("c", "ADD", "2026-03-02"),
        ],
    )


def test_each_customer_and_product_has_one_state(store: Store) -> None:
    assert records(whitespace(store, as_of=D), "account_id", "product_id", "state", "times_tried") == [
        ("a", "ADD", "gap", None),
        ("a", "CORE", "owned", None),
        ("a", "LATE", "owned", None),
        ("b", "ADD", "tried", 2),
        ("b", "CORE", "owned", None),
        ("b", "LATE", "gap", None),
        ("c", "ADD", "gap", None),
        ("c", "CORE", "owned", None),
        ("c", "LATE", "not_eligible", None),
    ]


@pytest.mark.parametrize(
    ("as_of", "state"),
    [("2026-02-28", "owned"), ("2026-03-01", "gap"), ("2025-05-31", "gap"), ("2025-06-01", "owned")],
)
def test_owning_is_half_open(store: Store, as_of: str, state: str) -> None:
    found = whitespace(store, as_of=dt.date.fromisoformat(as_of))
    assert records(found[(found["account_id"] == "a") & (found["product_id"] == "ADD")], "state") == [(state,)]


def test_a_milestone_reached_on_the_day_opens_the_product(store: Store) -> None:
    states = [
        records(found[(found["account_id"] == "b") & (found["product_id"] == "LATE")], "state")[0][0]
        for found in (whitespace(store, as_of=day(one)) for one in ("2026-02-28", "2026-03-01", "2026-03-02"))
    ]
    assert states == ["not_eligible", "gap", "owned"]


def test_the_states_of_a_product_add_up_to_the_customers(store: Store) -> None:
    found = whitespace_by_product(store, as_of=D)
    columns = ("product_id", "customers", "owned", "tried", "gap", "not_eligible", "owned_share")
    assert records(found, *columns) == [
        ("CORE", 3, 3, 0, 0, 0, 1.0),
        ("LATE", 3, 1, 0, 1, 1, 0.333333),
        ("ADD", 3, 0, 1, 2, 0, 0.0),
        ("total", 3, 3, 1, 3, 1, None),
    ]


def test_the_grid_has_a_row_per_customer_by_arr_and_a_column_per_product(store: Store) -> None:
    assert records(whitespace_grid(whitespace(store, as_of=D))) == [
        ("b", "Company b", 3600.0, 60.0, 2, "▲ Tried", "● Owned", "○ Gap"),
        ("c", "Company c", 2400.0, 60.0, 1, "○ Gap", "● Owned", "· Not yet"),
        ("a", "Company a", 1320.0, 60.0, 1, "○ Gap", "● Owned", "● Owned"),
    ]
    assert list(whitespace_grid(whitespace(store, as_of=D)).columns[5:]) == ["Insights", "Desk", "Channels"]


def test_white_space_is_worth_the_list_price_until_enough_similar_customers_own_it(store: Store) -> None:
    found = whitespace(store, as_of=D)
    assert records(found[found["account_id"] == "c"], "product_id", "estimated_arr", "arr_basis") == [
        ("ADD", 60.0, "list price"),
        ("CORE", None, ""),
        ("LATE", None, "unknown"),
    ]
    columns = ("product_id", "white_space_arr", "later_arr", "unpriced")
    assert records(whitespace_by_product(store, as_of=D), *columns) == [
        ("CORE", 0.0, 0.0, 0),
        ("LATE", 0.0, 0.0, 1),
        ("ADD", 180.0, 0.0, 0),
        ("total", 180.0, 0.0, 1),
    ]


def test_white_space_is_worth_what_the_similar_owners_pay(demo_store: Store) -> None:
    day = demo_store.newest_day
    found = whitespace(demo_store, as_of=day)
    priced = found[found["arr_basis"] == "similar customers"]
    assert len(priced) > 20
    for row in priced.head(6).itertuples():
        proof = expansion_proof(demo_store, as_of=day, account_id=row.account_id, product_id=row.product_id)
        paid = sorted(one for one in proof["paid_arr"] if one > 0)
        middle = (paid[(len(paid) - 1) // 2] + paid[len(paid) // 2]) / 2
        assert (len(proof) >= 5, row.estimated_arr) == (True, pytest.approx(middle))


def test_the_white_space_of_accounts_products_and_the_whole_agree(demo_store: Store) -> None:
    day = demo_store.newest_day
    products = whitespace_by_product(demo_store, as_of=day).set_index("product_id")
    grid = whitespace_grid(whitespace(demo_store, as_of=day))
    total = products.loc["total", "white_space_arr"]
    assert total == pytest.approx(products["white_space_arr"].drop("total").sum())
    assert total == pytest.approx(grid["white_space_arr"].sum())


def test_nobody_in_scope_gives_no_rows(store: Store) -> None:
    nobody = Scope.of(segment="Enterprise")
    for metric in (whitespace, whitespace_by_product):
        assert records(metric(store, as_of=D, scope=nobody)) == []
    assert records(whitespace_grid(whitespace(store, as_of=D, scope=nobody))) == []


def test_without_products_it_says_which_table_is_missing(tmp_path_factory: pytest.TempPathFactory) -> None:
    bare = company(
        tmp_path_factory.mktemp("bare"), accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 1)]
    )
    with pytest.raises(MissingTable, match="'products'"):
        whitespace(bare, as_of=D)


def test_the_grid_agrees_with_the_rows(store: Store) -> None:
    rows = whitespace(store, as_of=D)
    open_products = rows[rows["state"].isin(["tried", "gap"])].groupby("account_id").size()
    grid = whitespace_grid(whitespace(store, as_of=D)).set_index("account_id")["open"]
    pd.testing.assert_series_equal(grid.sort_index(), open_products, check_names=False)

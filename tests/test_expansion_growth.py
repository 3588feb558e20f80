"""By how much customers grew and by what, and which model of growth they belong to."""

import numpy as np
import pytest

from cs_metrics.metrics.expansion_rate import PARTS, expansion_rate, growth_model
from cs_metrics.metrics.revenue import mrr_movements, revenue_retention
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

D = day("2026-06-30")
START, TURN = "2026-01-01", "2026-05-01"  # the second quarter of 2026 is looked at


def turned(account_id: str, before: dict, after: dict | None, **more: object) -> list[dict]:
    """One line that ends and another that begins in the second quarter."""
    rows = [line(account_id, START, TURN, subscription_id=f"{account_id} 1", **before)]
    return rows if after is None else [*rows, line(account_id, TURN, None, subscription_id=f"{account_id} 2", **after)]


def also(account_id: str, starts_on: str, mrr: float, product_id: str | None, **more: object) -> dict:
    return line(
        account_id, starts_on, None, mrr, product_id=product_id, subscription_id=f"{account_id} {product_id} +", **more
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    desk, add = {"product_id": "DESK"}, {"product_id": "ADD"}
    lines = [
        *turned("seats", {**desk, "mrr": 100, "seats": 10}, {**desk, "mrr": 150, "seats": 15}),
        *turned("both", {**desk, "mrr": 100, "seats": 10}, {**desk, "mrr": 180, "seats": 15}),
        *turned("price", {**add, "mrr": 30}, {**add, "mrr": 45}),
        *turned("swap", {**add, "mrr": 30}, None),
        also("swap", START, 100, "DESK", seats=5),
        also("swap", TURN, 50, "OTHER"),
        also("tier", START, 100, "DESK", seats=5),
        also("tier", TURN, 20, "BASIC"),
        *turned("untold", {"product_id": None, "mrr": 50}, {"product_id": None, "mrr": 70}),
        *turned("half told", {**desk, "mrr": 50}, {**desk, "mrr": 60, "seats": 5}),
        *turned("shrank", {**desk, "mrr": 100, "seats": 10}, {**desk, "mrr": 80, "seats": 8}),
        also("shrank", TURN, 10, "ADD"),
        line("new", TURN, None, 500, product_id="DESK", seats=50),
        line("left", START, TURN, 500, product_id="DESK", seats=50),
    ]
    products = [
        {"product_id": name, "name": name, "kind": kind}
        for name, kind in (("DESK", "core"), ("ADD", "add_on"), ("OTHER", "add_on"), ("BASIC", "tier"))
    ]
    names = dict.fromkeys(row["account_id"] for row in lines)
    return company(
        tmp_path_factory.mktemp("growth"),
        accounts=[account(name, TURN if name == "new" else START, segment=name) for name in names],
        subscriptions=lines,
        products=products,
        surveys=[{"account_id": "new", "kind": "nps", "score": 9, "answered_at": "2026-06-30T08:00:00"}],
    )


def parts(store: Store, name: str) -> tuple[float, ...]:
    found = expansion_rate(store, as_of=D, scope=Scope.of(segment=name))
    return records(found, "expansion", *PARTS)[-1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("seats", (50, 50, 0, 0, 0, 0)),
        ("both", (80, 50, 0, 0, 30, 0)),
        ("price", (15, 0, 0, 0, 15, 0)),
        ("swap", (20, 0, 20, 0, 0, 0)),
        ("tier", (20, 0, 0, 20, 0, 0)),
        ("untold", (20, 0, 0, 0, 0, 20)),
        ("half told", (10, 0, 0, 0, 0, 10)),
        ("shrank", (0, 0, 0, 0, 0, 0)),
        ("new", (0, 0, 0, 0, 0, 0)),
        ("left", (0, 0, 0, 0, 0, 0)),
    ],
)
def test_growth_is_told_apart_by_what_was_bought_more_of(store: Store, name: str, expected: tuple[float, ...]) -> None:
    assert parts(store, name) == expected


def test_the_rate_is_taken_of_all_customers_at_the_beginning(store: Store) -> None:
    found = expansion_rate(store, as_of=D)
    opening = 100 + 100 + 30 + 130 + 100 + 50 + 50 + 100 + 500
    assert records(found, "period", "opening", "expansion", "accounts", "rate")[-1] == (
        "2026-04-01", opening, 215.0, 7, round(215 / opening, 6)
    )  # fmt: skip
    assert records(found, "rate")[0] == (None,), "nobody was there to grow"


@pytest.mark.parametrize("every", ["month", "quarter", "year"])
def test_the_parts_add_up_to_the_expansion_of_the_walk_to_the_cent(demo_store: Store, every: str) -> None:
    day = demo_store.newest_day
    found = expansion_rate(demo_store, as_of=day, every=every)  # type: ignore[arg-type]
    walk = mrr_movements(demo_store, as_of=day, every=every)  # type: ignore[arg-type]
    cents = (found[list(PARTS)] * 100).round().astype("int64")
    assert list(cents.sum(axis=1)) == list((walk["expansion"] * 100).round().astype("int64"))
    assert found["expansion"].sum() > 0 or every == "year"
    if every == "month":
        assert (cents["other"] == 0).all(), "every line of this company names its product, and nothing is bridged"


def test_a_scope_parts_the_growth(demo_store: Store) -> None:
    day = demo_store.newest_day
    whole = expansion_rate(demo_store, as_of=day)
    by = [
        expansion_rate(demo_store, as_of=day, scope=Scope.of(segment=one))
        for one in ("SMB", "Mid-market", "Enterprise")
    ]
    assert np.allclose(sum(one[list(PARTS)].to_numpy() for one in by), whole[list(PARTS)].to_numpy())


def test_the_numbers_of_a_model_are_those_of_its_accounts(demo_store: Store) -> None:
    day = demo_store.newest_day
    found = growth_model(demo_store, as_of=day).set_index("model")
    assert set(found.index) == {"application", "platform"}
    assert found["arr_share"].sum() == pytest.approx(1)
    for model, row in found.iterrows():
        own = revenue_retention(demo_store, as_of=day, scope=Scope.of(archetype=str(model))).iloc[0]
        assert (row["nrr"], row["grr"], row["logo_churn"]) == pytest.approx((own["nrr"], own["grr"], own["logo_churn"]))
        assert row["opening_accounts"] == own["opening_accounts"]
        assert row["up_sell_rate"] + row["cross_sell_rate"] == pytest.approx(row["expansion_rate"])


def test_without_an_archetype_the_billing_of_the_largest_line_tells(tmp_path) -> None:
    lines = [
        line("a", "2024-01-01", None, 10, billing="monthly"),
        line("b", "2024-01-01", None, 20, billing="monthly"),
        line("b", "2024-01-01", None, 30, billing="annual"),
        line("c", "2024-01-01", None, 5),
        line("d", "2024-01-01", None, 1, billing="annual"),
    ]
    accounts = [account(name, archetype="application" if name == "d" else None) for name in "abcd"]
    store = company(tmp_path, accounts=accounts, subscriptions=lines)
    columns = ("model", "accounts", "arr", "derived", "is_leading")
    assert records(growth_model(store, as_of=day("2026-01-01")), *columns) == [
        ("application", 2, 132.0, 1, False),
        ("platform", 1, 600.0, 1, True),
        ("unknown", 1, 60.0, 1, False),
    ]
    assert records(growth_model(store, as_of=day("2023-12-31"))) == []

"""Each of the seven rules: where it fires, with which evidence and amount, and where it keeps silent."""

from pathlib import Path

import pandas as pd
import pytest

from cs_metrics.metrics.expansion import expansion
from cs_metrics.metrics.expansion_totals import expansion_totals
from cs_metrics.store import Store
from tests.expansion_support import D, ago, customer, events, merged, one, users
from tests.support import company, line, records

PRODUCTS = {
    "products": [
        {"product_id": "CORE", "name": "Desk", "kind": "core", "list_price": 50},
        {"product_id": "ADD", "name": "Insights", "kind": "add_on", "list_price": 40},
        {"product_id": "T1", "name": "Team", "kind": "tier", "list_price": 100},
        {"product_id": "T2", "name": "Scale", "kind": "tier", "list_price": 150},
        {"product_id": "CARE", "name": "Care", "kind": "service", "list_price": 90},
    ],
    "product_events": [
        {"product_id": "ADD", "event": "report_built"},
        {"product_id": "T1", "event": "shared"},
        {"product_id": "T2", "event": "approved"},
    ],
}


def limit(account_id: str, used: list[float], allowed: float = 100, resource: str = "storage", last: int = 1) -> dict:
    rows = [
        {
            "account_id": account_id,
            "resource": resource,
            "measured_on": ago(last + 10 * back),
            "used": value,
            "allowed": allowed,
        }
        for back, value in enumerate(reversed(used))
    ]
    return {"usage_limits": rows}


def tier(account_id: str, product_id: str, mrr: float) -> dict:
    return {
        "subscriptions": [
            line(account_id, "2024-01-01", None, mrr, product_id=product_id, subscription_id=f"{account_id} tier")
        ]
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    parts = [
        customer("seats", seats=10, active=8),
        users("seats", {"Sales": 9}),
        customer("seats idle", seats=10, active=6),  # 60 % active is not more than 60 %
        users("seats idle", {"Sales": 10}),
        customer("seats free", seats=100, active=8),
        customer("limit near"),
        limit("limit near", [70, 80, 90]),
        customer("limit soon"),
        limit("limit soon", [40, 55, 70]),
        customer("limit far"),
        limit("limit far", [40, 41, 42]),
        customer("limit two points"),
        limit("limit two points", [50, 80]),
        customer("limit old"),
        limit("limit old", [95, 96, 97], last=93),
        customer("narrow"),
        users("narrow", {"Sales": 8, "Finance": 2}),
        customer("broad"),
        users("broad", {"Sales": 3, "Finance": 3, "Legal": 2, "Support": 4}),
        customer("new department", active=4),
        users("new department", {"Sales": 2, "Finance": 1, "Legal": 1}),
        users("new department", {"Support": 2}, created=ago(3), start=4),
        customer("tried"),
        events("tried", "report_built", [3, 40]),
        customer("tried long ago"),
        events("tried long ago", "report_built", [95]),
        customer("owner"),
        {"subscriptions": [line("owner", "2025-01-01", None, 77, product_id="ADD", subscription_id="owned")]},
        events("owner", "report_built", [3]),
        customer("burst", active=2),
        users("burst", {"Sales": 10}),
        users("burst", {"Sales": 5}, created=ago(10), start=20),
        customer("few new"),
        users("few new", {"Sales": 10}),
        users("few new", {"Sales": 4}, created=ago(10), start=20),
        customer("large", active=2),
        users("large", {"Sales": 41}),
        users("large", {"Sales": 10}, created=ago(10), start=50),
        customer("connector"),
        events("connector", "connector_added", [6]),
        customer("moved"),
        one(
            "contacts",
            "moved",
            contact_id="c1",
            name="Ann",
            role="sponsor",
            since="2024-01-01",
            left_on=ago(20),
            moved_to="Acme",
        ),
        customer("champion"),
        one("contacts", "champion", contact_id="c2", role="champion", left_on=ago(20), moved_to="Acme"),
        customer("left for nowhere"),
        one("contacts", "left for nowhere", contact_id="c3", role="sponsor", left_on=ago(20)),
        customer("moved long ago"),
        one("contacts", "moved long ago", contact_id="c4", role="sponsor", left_on=ago(180), moved_to="Acme"),
        customer("top"),
        tier("top", "T1", 200),
        events("top", "shared", range(18)),
        customer("not daily"),
        tier("not daily", "T1", 200),
        events("not daily", "shared", range(17)),
        customer("above"),
        tier("above", "T1", 200),
        events("above", "approved", [2]),
        customer("highest"),
        tier("highest", "T2", 300),
        events("highest", "approved", range(20)),
        PRODUCTS,
    ]
    return company(tmp_path_factory.mktemp("rules"), **merged(*parts))


@pytest.fixture(scope="module")
def found(store: Store) -> pd.DataFrame:
    return expansion(store, as_of=D)


def of(found: pd.DataFrame, kind: str, *columns: str) -> list[tuple]:
    rows = found[found["kind"] == kind].sort_values(["account_id", "product_id"])
    return records(rows, "account_id", *columns)


def test_seats_fire_when_nearly_all_are_given_out_and_most_are_active(found: pd.DataFrame) -> None:
    assert of(found, "seats", "what", "product_id", "evidence", "arr", "arr_basis") == [
        (
            "seats",
            "2 seats",
            "CORE",
            "9 of 10 seats given out (90%), 8 active in the 4 weeks to 1 Mar 2026 (80%)",
            2400.0,
            "2 seats to bring use down to 80% × USD 1,200 a seat and year",
        )
    ]


def test_a_limit_fires_when_it_is_nearly_used_or_will_be_within_60_days(found: pd.DataFrame) -> None:
    assert of(found, "limit", "what", "evidence", "arr", "arr_basis") == [
        (
            "limit near",
            "storage",
            "Storage: 90 of 100 used on 28 Feb 2026 (90%), growing by 30 in 30 days: full by 10 Mar 2026 (80% interval 10 Mar 2026 to 10 Mar 2026)",
            2400.0,
            "20% of ARR (configured)",
        ),
        (
            "limit soon",
            "storage",
            "Storage: 70 of 100 used on 28 Feb 2026 (70%), growing by 45 in 30 days: full by 20 Mar 2026 (80% interval 20 Mar 2026 to 20 Mar 2026)",
            2400.0,
            "20% of ARR (configured)",
        ),
    ]


def test_departments_fire_when_use_is_narrow_or_a_new_one_appears(found: pd.DataFrame) -> None:
    assert of(found, "department", "what", "evidence", "arr", "arr_basis") == [
        (
            "narrow",
            "Finance",
            "All 8 active users are in Sales; not active: Finance (2 users)",
            8 * 120.0,
            "8 seats as in its average active department × USD 120 a seat and year",
        ),
        (
            "new department",
            "Support",
            "First users of Support on 26 Feb 2026 (2 users)",
            2 * 120.0,
            "2 seats as in its average active department × USD 120 a seat and year",
        ),
    ]


def test_a_product_that_was_tried_lately_without_owning_it_is_offered(found: pd.DataFrame) -> None:
    assert of(found, "product", "what", "product_id", "evidence", "arr", "arr_basis") == [
        (
            "tried",
            "Insights",
            "ADD",
            "Tried 2 times from 20 Jan 2026 to 26 Feb 2026 without owning it",
            480.0,
            "list price USD 40 a month × 12",
        )
    ]


def test_services_fire_on_a_burst_of_new_users_or_a_new_connector(found: pd.DataFrame) -> None:
    assert of(found, "service", "what", "evidence", "arr") == [
        ("burst", "Training", "5 new users in 28 days, the newest on 19 Feb 2026, after 10 before (50% more)", 1200.0),
        ("connector", "Consulting", "First connector_added on 23 Feb 2026", 1200.0),
    ]


def test_a_sponsor_who_moved_is_a_new_sale_there_and_a_risk_here(found: pd.DataFrame) -> None:
    assert of(found, "sponsor", "what", "evidence", "arr", "likelihood", "route", "owner", "is_ready", "gate") == [
        (
            "moved",
            "Acme (Ann)",
            "Ann, sponsor, left on 9 Feb 2026 for Acme: a lead there; a risk here: no sponsor or decision maker is left",
            12000.0,
            0.3,
            "expansion sales",
            "Sam",
            True,
            "A new sale elsewhere: the gate does not apply",
        )
    ]


def test_a_higher_tier_is_offered_at_the_top_of_the_own_one(found: pd.DataFrame) -> None:
    assert of(found, "price", "what", "product_id", "evidence", "arr", "arr_basis") == [
        (
            "above",
            "Scale",
            "T2",
            "1 feature of Scale used in the 28 days to 1 Mar 2026; 0 of 1 features of Team used in 28 days, on 0 days",
            1200.0,
            "USD 2,400 paid for Team × 50% higher list price of Scale",
        ),
        (
            "top",
            "Scale",
            "T2",
            "1 of 1 features of Team used in 28 days, on 18 days",
            1200.0,
            "USD 2,400 paid for Team × 50% higher list price of Scale",
        ),
    ]


def test_every_offer_is_told_apart_by_account_kind_and_what(found: pd.DataFrame) -> None:
    assert not found.duplicated(["account_id", "kind", "product_id", "what"]).any()
    assert set(found["kind"]) == {"seats", "limit", "department", "product", "service", "sponsor", "price"}


def test_a_rule_without_its_table_is_silent_and_says_which(tmp_path: Path, found: pd.DataFrame) -> None:
    rows = customer("a")
    bare = company(tmp_path, accounts=rows["accounts"], subscriptions=rows["subscriptions"])
    assert records(expansion(bare, as_of=D)) == []
    assert list(expansion(bare, as_of=D).dtypes) == list(found.dtypes)
    assert records(expansion_totals(bare, as_of=D), "kind", "missing", "offers") == [
        ("seats", "events", 0),
        ("limit", "usage_limits", 0),
        ("department", "users, events", 0),
        ("product", "products", 0),
        ("service", "users, events", 0),
        ("sponsor", "contacts", 0),
        ("price", "products, product_events, events", 0),
        ("total", "", 0),
    ]

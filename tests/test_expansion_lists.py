"""Sponsors who moved, and the spread over departments."""

import pytest

from cs_metrics.metrics.expansion import expansion
from cs_metrics.metrics.expansion_departments import expansion_departments
from cs_metrics.metrics.expansion_moves import expansion_moves
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store
from tests.expansion_support import D, Rows, ago, customer, merged, one, users
from tests.support import company, day, records


def contact(
    account_id: str, contact_id: str, role: str = "sponsor", left: int | None = None, moved_to: str = ""
) -> Rows:
    return one(
        "contacts", account_id, contact_id=contact_id, name=f"Ms {contact_id}", role=role, since="2024-01-01",
        left_on=None if left is None else ago(left), moved_to=moved_to,
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    parts = [
        merged(customer("a", mrr=1000), users("a", {"Sales": 9, "Legal": 2}), users("a", {"HR": 1}, ago(27), start=50)),
        contact("a", "Ada", left=5, moved_to="company B"),
        contact("a", "Bea", role="decision_maker"),
        one("contracts", "a", contract_id="k", starts_on="2025-06-01", ends_on="2026-06-01", arr=12000),
        merged(customer("b", mrr=3000, active=2), users("b", {"Sales": 9, "Legal": 0})),
        contact("b", "Cleo", left=179, moved_to="Far"),
        contact("b", "Dora", left=180, moved_to="Long ago"),
        contact("b", "Eve", role="champion", left=3, moved_to="No decider"),
        contact("b", "Fay", left=3),
        merged(customer("c", mrr=2000, segment="", days=1, is_green=False)),
        contact("c", "Gil", left=-1, moved_to="Not yet"),
    ]
    return company(tmp_path_factory.mktemp("lists"), **merged(*parts))


def test_a_move_is_a_lead_there_and_a_risk_here(store: Store) -> None:
    found = expansion_moves(store, as_of=D)
    columns = (
        "account_id",
        "person",
        "days_since",
        "moved_to",
        "customer_id",
        "lead_arr",
        "lead_customers",
        "still_here",
        "renews_on",
        "risk",
    )
    assert records(found, *columns) == [
        ("a", "Ms Ada", 5, "company B", "b", 24000.0, 2, 1, "2026-06-01",
         "1 sponsor or decision maker still here; renewal on 1 Jun 2026"),
        ("b", "Ms Cleo", 179, "Far", None, 24000.0, 2, 0, None, "Nobody of the deciders is left"),
    ]  # fmt: skip
    assert found["lead"][0].startswith("Ms Ada now at company B; a customer already (b); left at health ")


def test_the_leads_of_the_list_are_the_moves(store: Store) -> None:
    moves, rows = expansion_moves(store, as_of=D), expansion(store, as_of=D)
    leads = rows[rows["kind"] == "sponsor"]
    assert sorted(records(leads, "account_id", "subject", "arr")) == sorted(
        (row.account_id, f"sponsor {row.contact_id}", row.lead_arr) for row in moves.itertuples()
    )


def test_who_leaves_tomorrow_is_still_here(store: Store) -> None:
    assert list(expansion_moves(store, as_of=day("2026-02-23"))["person"]) == ["Ms Dora", "Ms Cleo"][::-1]
    assert "Ms Gil" in list(expansion_moves(store, as_of=day("2026-03-02"))["person"])


def test_the_spread_over_departments(store: Store) -> None:
    found = expansion_departments(store, as_of=D)
    columns = (
        "account_id",
        "departments",
        "active_departments",
        "users",
        "active_users",
        "top_share",
        "active_in",
        "idle_in",
        "new_in",
        "fires",
    )
    assert records(found, *columns) == [
        ("a", 3, 1, 12, 8, 1.0, "Sales 8 of 9", "HR 1; Legal 2", "HR since 2 Feb 2026", True),
        ("b", 1, 1, 9, 2, 1.0, "Sales 2 of 9", "", "", False),
    ]


def test_departments_fire_where_the_rule_offers_them(demo_store: Store) -> None:
    day = demo_store.newest_day
    spread, rows = expansion_departments(demo_store, as_of=day), expansion(demo_store, as_of=day, shown="all")
    assert set(spread[spread["fires"]]["account_id"]) == set(rows[rows["kind"] == "department"]["account_id"]) != set()


def test_nobody_in_scope_gives_no_rows(store: Store) -> None:
    nobody = Scope.of(segment="Enterprise")
    assert records(expansion_moves(store, as_of=D, scope=nobody)) == []
    assert records(expansion_departments(store, as_of=D, scope=nobody)) == []

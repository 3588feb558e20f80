"""What an offer is worth, who takes it, what is said of similar customers, and the sums over all offers."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cs_metrics.config import load_config
from cs_metrics.metrics import expansion_value as value
from cs_metrics.metrics.expansion import expansion
from cs_metrics.metrics.expansion_review import expansion_review
from cs_metrics.metrics.expansion_similar import expansion_proof
from cs_metrics.metrics.expansion_totals import expansion_totals, headline
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store
from tests.expansion_support import D, Rows, ago, customer, events, merged, one, users
from tests.support import company, line, records


def deal(
    account_id: str, kind: str, stage: str, closed: str | None, arr: float = 100, opened: str = "2025-01-10"
) -> Rows:
    name = f"{account_id} {kind} {closed} {stage} {arr}"
    return one(
        "opportunities",
        account_id,
        opportunity_id=name,
        kind=kind,
        opened_on=opened,
        stage=stage,
        closed_on=closed,
        arr=arr,
    )


def add_on(account_id: str, starts_on: str, mrr: float) -> Rows:
    return {
        "subscriptions": [
            line(account_id, starts_on, None, mrr, product_id="ADD", subscription_id=f"{account_id} add-on")
        ]
    }


def results(account_id: str, before: float, after: float, month: str = "2025-06") -> Rows:
    """Three months before and three months after a month."""
    middle = pd.Period(month, "M")
    rows = [
        {
            "account_id": account_id,
            "metric": "sales",
            "month": str((middle + step).start_time.date()),
            "value": before if step < 0 else after,
        }
        for step in (-3, -2, -1, 1, 2, 3)
    ]
    return {"outcomes": rows}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    owners = [f"owner {number}" for number in range(5)]
    parts = [
        {
            "products": [
                {"product_id": "CORE", "name": "Desk", "kind": "core"},
                {"product_id": "ADD", "name": "Insights", "kind": "add_on"},
            ]
        },
        customer("small", mrr=999, seats=10),
        users("small", {"Sales": 9}),
        customer("flagship", mrr=999, seats=10, is_flagship=True),
        users("flagship", {"Sales": 9}),
        customer("middle", mrr=1000, seats=10),
        users("middle", {"Sales": 9}),
        customer("great", mrr=5000, seats=10, salesperson=""),
        users("great", {"Sales": 9}),
        deal("great", "seats", "won", "2025-02-01"),
        deal("great", "seats", "won", ago(0)),
        deal("great", "seats", "lost", "2025-03-01"),
        deal("great", "seats", "won", "2026-03-02"),
        deal("great", "seats", "open", None),
        deal("great", "limit", "lost", "2025-03-01"),
        *[customer(name, mrr=1000, days=1, segment="Twins") for name in owners],
        *[add_on(name, "2025-06-15", mrr) for name, mrr in zip(owners, (10, 20, 30, 40, 50), strict=True)],
        *[results(name, 100, after) for name, after in zip(owners[:3], (90, 110, 150), strict=True)],
        results(owners[3], 0, 100),
        customer("asks", mrr=1000, segment="Twins"),
        events("asks", "report_built", [2]),
        one("contacts", "asks", contact_id="c", role="sponsor", since="2024-01-01", left_on=ago(3), moved_to="Acme"),
        {"product_events": [{"product_id": "ADD", "event": "report_built"}, {"product_id": "CORE", "event": "used"}]},
    ]
    return company(tmp_path_factory.mktemp("expansion"), **merged(*parts))


@pytest.fixture(scope="module")
def found(store: Store) -> pd.DataFrame:
    return expansion(store, as_of=D)


def test_a_kind_with_few_decided_deals_is_drawn_to_a_base_that_is_drawn_itself(store: Store) -> None:
    rates, settings = value.win_rates(store, D), store.config.expansion
    assert rates == {"seats": (2, 3), "limit": (0, 1), "": (2, 4)}
    base = (2 + 10 * 0.3) / (4 + 10)
    seats = value.likelihood_of("seats", rates, settings)
    assert seats.rate == pytest.approx((2 + 10 * base) / (3 + 10))
    assert (seats.won, seats.decided) == (2, 3)
    assert seats.says == (
        "2 of 3 decided deals of the kind won, too few alone: drawn to 36% (all 4 decided deals and the configured 30%) "
        "with the weight of 10 deals (95% interval 18% to 69%)"
    )
    assert value.likelihood_of("limit", rates, settings).rate == pytest.approx((0 + 10 * base) / (1 + 10))
    product = value.likelihood_of("product", rates, settings)
    assert product.rate == pytest.approx(base)
    assert product.says.startswith("No deal of the kind is decided yet, too few alone: drawn to 36%")


def test_enough_decided_deals_of_a_kind_speak_for_themselves() -> None:
    settings = load_config(Path("none")).expansion
    rates = {"seats": (12, 20), "limit": (0, 19), "": (12, 39)}
    seats = value.likelihood_of("seats", rates, settings)
    assert seats.rate == 0.6
    assert (seats.low, seats.high) == pytest.approx((0.386582, 0.781193), abs=1e-6)  # Wilson, 12 of 20
    assert seats.says == "12 of 20 decided deals of the kind won (95% interval 39% to 78%)"
    limit = value.likelihood_of("limit", rates, settings)
    assert limit.rate == pytest.approx(10 * 12 / 39 / 29)
    assert limit.says.startswith(
        "0 of 19 decided deals of the kind won, too few alone: drawn to the 31% of all 39 decided deals"
    )


@given(won=st.integers(0, 50), lost=st.integers(0, 50), other_won=st.integers(0, 50), other_lost=st.integers(0, 50))
def test_the_likelihood_lies_among_those_it_is_made_of_and_inside_its_interval(
    won: int, lost: int, other_won: int, other_lost: int
) -> None:
    decided, all_decided = won + lost, won + lost + other_won + other_lost
    assume(all_decided > 0)
    settings = load_config(Path("none")).expansion
    rates = {"seats": (won, decided), "": (won + other_won, all_decided)}
    chance = value.likelihood_of("seats", rates, settings)
    parts = [(won + other_won) / all_decided, settings.base_likelihood, *([won / decided] if decided else [])]
    assert min(parts) - 1e-9 <= chance.rate <= max(parts) + 1e-9
    assert chance.low is not None and chance.high is not None
    assert 0 <= chance.low <= chance.rate + 1e-9 <= chance.high + 2e-9 <= 1 + 3e-9


def test_without_decided_deals_the_base_likelihood_holds_and_says_so(store: Store) -> None:
    nothing = value.likelihood_of("seats", {}, store.config.expansion)
    assert (nothing.rate, nothing.decided, nothing.low) == (0.30, 0, None)
    assert nothing.says == "Configured base likelihood: no expansion deal is decided yet"
    lead = value.likelihood_of("sponsor", {"": (9, 9)}, store.config.expansion)
    assert (lead.rate, lead.says) == (0.30, "Configured base likelihood: a new sale elsewhere")


def test_route_and_owner_follow_size_and_importance(found: pd.DataFrame) -> None:
    seats = found[found["kind"] == "seats"].sort_values("account_id")
    assert records(seats, "account_id", "route", "owner", "next_step") == [
        ("flagship", "expansion sales", "Sam", "Open a deal with expansion sales: 2 seats"),
        ("great", "expansion sales", "Cora", "Carry on the deal open since 10 Jan 2025"),
        ("middle", "CSM", "Cora", "Raise it in the next meeting: 2 seats"),
        ("small", "automated", "Cora", "Show the offer in the product: 2 seats"),
    ]


def test_expected_arr_is_arr_times_likelihood_and_ready_offers_come_first(found: pd.DataFrame) -> None:
    assert records(found, "expected_arr") == records((found["arr"] * found["likelihood"]).to_frame())
    assert list(found["is_ready"]) == sorted(found["is_ready"], reverse=True)


def test_a_product_is_valued_by_what_similar_customers_pay_and_said_with_their_results(found: pd.DataFrame) -> None:
    row = found[(found["account_id"] == "asks") & (found["kind"] == "product")].iloc[0]
    assert (row["arr"], row["arr_basis"]) == (360.0, "median ARR that 5 similar customers pay for it")
    assert row["evidence"] == "Tried 1 time on 27 Feb 2026 without owning it; 5 of the 5 most similar customers own it"
    assert row["message"] == (
        "5 of the 5 most similar Twins customers own Insights: Company owner 0, Company owner 1, Company owner 2 and 2 more "
        "(similar by segment, size and use, at most 4.0 standard deviations away). Their own result held or rose in 2 of 3 "
        "(3 months after against 3 before). This is no proof: those who bought may differ in other ways."
    )


def test_the_proof_lists_the_similar_owners_with_what_changed(store: Store) -> None:
    proof = expansion_proof(store, as_of=D, account_id="asks", product_id="ADD")
    assert records(proof, "similar_id", "bought_on", "paid_arr", "outcome_change") == [
        ("owner 0", "2025-06-15", 120.0, -0.1),
        ("owner 1", "2025-06-15", 240.0, 0.1),
        ("owner 2", "2025-06-15", 360.0, 0.5),
        ("owner 3", "2025-06-15", 480.0, None),
        ("owner 4", "2025-06-15", 600.0, None),
    ]


def test_the_result_of_a_month_counts_only_when_the_month_is_over(store: Store) -> None:
    early = expansion_proof(store, as_of=pd.Timestamp("2025-09-29").date(), account_id="asks", product_id="ADD")
    assert early["outcome_change"].isna().all()


def test_the_totals_add_up_to_the_rows_and_leave_out_leads_elsewhere(store: Store, found: pd.DataFrame) -> None:
    totals = expansion_totals(store, as_of=D).set_index("kind")
    total, kinds = totals.loc["total"], totals.drop(index=["total", "sponsor"])
    assert len(kinds) == 6
    assert total["offers"] == kinds["offers"].sum() == len(found) - 1
    assert totals.loc["sponsor", "offers"] == 1
    assert totals.loc["sponsor", "arr"] > 0
    for column in ("arr", "ready_arr", "blocked_arr", "expected_arr", "ready_expected_arr"):
        assert total[column] == pytest.approx(kinds[column].sum())
    assert total["arr"] == pytest.approx(total["ready_arr"] + total["blocked_arr"])
    assert records(totals.loc[["seats"]], "won", "decided") == [(2, 3)]


def test_a_scope_narrows_the_rows_and_changes_none_of_them(store: Store, found: pd.DataFrame) -> None:
    narrowed = expansion(store, as_of=D, scope=Scope.of(segment="Twins"))
    assert records(narrowed) == records(found[found["segment"] == "Twins"])
    assert len(narrowed) > 0


def test_the_headline_says_what_is_ready_and_what_waits() -> None:
    row = {
        "kind": "total",
        "offers": 5,
        "ready": 2,
        "blocked": 3,
        "ready_arr": 100.0,
        "ready_expected_arr": 30.0,
        "blocked_arr": 50.0,
    }
    assert headline(pd.DataFrame([row]), lambda amount: f"${amount:.0f}") == (
        "2 opportunities are ready now, worth $100 of ARR, of which $30 can be expected once deals are opened; 3 more worth $50 have to wait."
    )
    assert (
        headline(pd.DataFrame([{"kind": "total", "offers": 0}]), str)
        == "No rule finds an opportunity among these customers on this day."
    )


def test_the_headline_says_when_all_have_to_wait() -> None:
    row = {
        "kind": "total",
        "offers": 3,
        "ready": 0,
        "blocked": 3,
        "ready_arr": 0.0,
        "ready_expected_arr": 0.0,
        "blocked_arr": 50.0,
    }
    said = "Nothing is ready to be sold now; 3 opportunities worth $50 have to wait."
    assert headline(pd.DataFrame([row]), lambda amount: f"${amount:.0f}") == said


def test_the_order_of_the_rows_handed_over_changes_nothing(tmp_path: Path) -> None:
    parts = [
        merged(customer(name, mrr=mrr, seats=10, active=8), users(name, {"Sales": 9, "Legal": 1}))
        for name, mrr in (("a", 900), ("b", 1000), ("c", 1000), ("d", 1100), ("e", 2000), ("f", 500))
    ]
    rows = merged(
        *parts, *[deal(name, "seats", "won", "2025-06-01") for name in "bcdef"], deal("a", "seats", "lost", ago(40))
    )
    rows |= {"products": [{"product_id": "ADD", "name": "Insights", "kind": "add_on", "list_price": 5}]}
    turned = {table: list(reversed(given)) for table, given in rows.items()}
    one, other = company(tmp_path / "one", **rows), company(tmp_path / "other", **turned)
    assert records(expansion(one, as_of=D)) == records(expansion(other, as_of=D))
    assert (
        expansion(one, as_of=D)["message"].str.contains("5 of the 5 most similar SMB customers bought more seats").any()
    )


def test_the_headline_says_when_no_rule_could_look() -> None:
    rows = [{"kind": "seats", "offers": 0, "missing": "events"}, {"kind": "total", "offers": 0, "missing": ""}]
    assert headline(pd.DataFrame(rows), str).startswith("No rule can look for opportunities")


def test_facts_after_the_day_change_nothing(tmp_path: Path, store: Store, found: pd.DataFrame) -> None:
    later = "2026-03-02"
    rows = merged(customer("a", seats=10), users("a", {"Sales": 9}), events("a", "report_built", [4]))
    rows = merged(rows, deal("a", "seats", "open", None, opened=ago(40)))
    rows |= {"products": [{"product_id": "ADD", "name": "Insights", "kind": "add_on", "list_price": 5}]}
    rows |= {"product_events": [{"product_id": "ADD", "event": "report_built"}]}
    after = merged(
        {table: [dict(row) for row in given] for table, given in rows.items()},
        events("a", "report_built", [-1]),
        deal("a", "limit", "open", None, opened=later),
        add_on("a", later, 10),
        users("a", {"Legal": 5}, created=later, start=50),
        results("a", 1, 2, "2026-03"),
        one("tickets", "a", ticket_id="t", opened_at=f"{later}T08:00:00", priority="urgent"),
        one("surveys", "a", kind="nps", score=0, answered_at=f"{later}T08:00:00"),
        one("meetings", "a", kind="qbr", scheduled_on=later, was_held=True, went_well=True),
        one("contacts", "a", contact_id="c", role="sponsor", since="2024-01-01", left_on=later, moved_to="Acme"),
        one("usage_limits", "a", resource="seats", measured_on=later, used=1, allowed=50),
        one("contracts", "a", contract_id="k", starts_on=later, ends_on="2026-04-01", arr=1),
    )
    after["opportunities"][0] |= {"stage": "won", "closed_on": later}
    after["subscriptions"][0] |= {"ends_on": later}
    before, since = company(tmp_path / "before", **rows), company(tmp_path / "after", **after)
    assert records(expansion(before, as_of=D)) == records(expansion(since, as_of=D))
    assert len(expansion(before, as_of=D)) == 2


def test_an_expansion_is_reasonable_when_health_and_satisfaction_hold(tmp_path: Path) -> None:
    def answers(account_id: str, before: float, after: float) -> Rows:
        return merged(
            *[
                one("surveys", account_id, kind="csat", score=score, answered_at=f"{when}T08:00:00", user_id="u9")
                for score, when in ((before, "2025-09-20"), (after, "2025-10-20"))
            ]
        )

    parts = [
        merged(
            customer("held", days=1, is_green=False),
            answers("held", 4, 4),
            deal("held", "seats", "won", "2025-10-01", arr=500),
        ),
        merged(
            customer("fell", seats=2, active=2, days=240, is_green=False),
            answers("fell", 4, 1),
            deal("fell", "seats", "won", "2025-10-01"),
        ),
        merged(
            customer("dipped", seats=2, active=2, days=240, is_green=False),
            answers("dipped", 4, 3.5),
            deal("dipped", "seats", "won", "2025-10-01"),
        ),
        merged(customer("silent", days=1, is_green=False), deal("silent", "seats", "won", "2025-10-01")),
        merged(
            customer("early", days=1, is_green=False), answers("early", 4, 1), deal("early", "seats", "won", ago(89))
        ),
        merged(customer("lost", days=1, is_green=False), deal("lost", "seats", "lost", "2025-10-01")),
    ]
    found = expansion_review(company(tmp_path, **merged(*parts)), as_of=D)
    columns = ("account_id", "arr", "owner", "satisfaction_before", "satisfaction_after", "verdict", "bonus_share")
    assert sorted(records(found, *columns)) == [
        ("dipped", 100.0, "Cora", 75.0, 62.5, "satisfaction fell", 0.5),
        ("early", 100.0, "Cora", 37.5, None, "too early", None),
        ("fell", 100.0, "Cora", 75.0, 0.0, "both fell", 0.0),
        ("held", 500.0, "Cora", 75.0, 75.0, "held or rose", 1.0),
        ("silent", 100.0, "Cora", None, None, "unknown", None),
    ]

"""Negotiation: the stance and its precedence, equal value in kind, the low-price counter, and the self-check."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_metrics.config import SHIPPED
from cs_metrics.errors import MetricError
from cs_metrics.metrics import METRICS, Scope, run
from cs_metrics.metrics.low_price import Offer
from cs_metrics.metrics.negotiation import _equal
from cs_metrics.store import Database, Store
from cs_metrics.workspace.entries import NewEntry
from tests.renewal_company import answers, contract, renewed
from tests.support import account, company, day, line, records

AS_OF = "2024-11-30"


def asked(store: Store, name: str, as_of: str = AS_OF, **options: Any) -> pd.DataFrame:
    return run(store, name, as_of=day(as_of), options=options)


def four_kinds(folder: Path) -> Store:
    """An open contract of each kind of account, and a flagship that is about to leave."""
    size = {"flag": 10_000, "big": 60_000, "small": 59_999, "risk": 90_000, "flag at risk": 10_000, "called": 1000}
    accounts = [account(name, "2023-01-01", is_flagship="flag" in name) for name in size]
    contracts = [
        contract(f"c {name}", f"2024-12-{at + 10}", account_id=name, starts_on="2023-12-10", arr=arr)
        for at, (name, arr) in enumerate(size.items())
    ]
    contracts[-1]["forecast"] = "at_risk"
    surveys = [row for name in ("risk", "flag at risk") for row in answers(name, "2024-02-01", AS_OF, 0)]
    surveys += [row for name in ("flag", "big", "small", "called") for row in answers(name, "2024-02-01", AS_OF, 10)]
    lines = [line(name, "2023-01-01", None, arr / 12) for name, arr in size.items()]
    return company(folder, accounts=accounts, subscriptions=lines, contracts=contracts, surveys=surveys)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return four_kinds(tmp_path_factory.mktemp("kinds"))


def test_the_first_stance_that_fits_is_taken(kinds: Store) -> None:
    found = asked(kinds, "negotiation_stances")
    assert records(found, "account_id", "kind", "why", "concession_to") == [
        ("flag", "flagship", "marked as a flagship", 0),
        ("big", "large", "USD 60,000 a year, large from USD 60,000 on", 0),
        ("small", "small_medium", "none of the rules before fits", 0.1),
        ("risk", "at_risk", "health is red", 0.3),
        ("flag at risk", "at_risk", "health is red", 0.3),
        ("called", "at_risk", "the owner calls it at risk", 0.3),
    ]
    assert found.set_index("account_id").loc["risk", "concession_arr"] == pytest.approx(27_000)
    assert found["sentence"].str.len().gt(20).all() and found["ask"].ne("").all()


def test_the_order_of_the_stances_is_the_precedence(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    parts = text.split("[[negotiation.stances]]\n")
    parts[1], parts[2] = parts[2], parts[1]
    tmp_path.joinpath("config.toml").write_text("[[negotiation.stances]]\n".join(parts), encoding="utf-8")
    found = asked(four_kinds(tmp_path), "negotiation_stances").set_index("account_id")["kind"]
    assert (found["flag at risk"], found["flag"], found["risk"]) == ("flagship", "flagship", "at_risk")


def test_one_account_shows_all_of_its_open_contracts(kinds: Store) -> None:
    assert asked(kinds, "negotiation_stances", account_id="big")["contract_id"].tolist() == ["c big"]
    assert asked(kinds, "negotiation_stances", days=12)["account_id"].tolist() == ["flag", "big", "small"]


# Concessions


def priced(folder: Path) -> Store:
    """One account that pays 12 000 a year for 10 seats, and 2 400 for a product without seats."""
    return company(
        folder,
        accounts=[account("a", "2023-01-01")],
        subscriptions=[line("a", "2023-01-01", None, 1000, seats=10), line("a", "2023-01-01", None, 200)],
        contracts=[contract("k", "2024-12-31", account_id="a", arr=14_400)],
    )


@pytest.fixture(scope="module")
def ten_seats(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return priced(tmp_path_factory.mktemp("ten_seats"))


def test_what_equals_a_discount_of_ten_percent(ten_seats: Store) -> None:
    found = asked(ten_seats, "concessions", account_id="a")
    assert records(found, "concession", "unit_price", "unit_cost", "equal_amount", "equal_value", "equal_cost") == [
        ("Cash discount", 144, 144, 10, 1440, 1440),
        ("Seats", 1200, 240, 1.2, 1440, 288),
        ("Free months", 1200, 1200, 1.2, 1440, 1440),
        ("Training on site", 1800, 700, 0.8, 1440, 560),
        ("Consulting", 2000, 900, 0.72, 1440, 648),
        ("Higher support level", 1440, 576, 1, 1440, 576),
    ]
    assert records(found, "whole_amount", "whole_value", "saved", "cost_over_years")[:2] == [
        (10, 1440, 0, 4320),
        (2, 2400, 1152, 288),
    ]
    by_contract = asked(ten_seats, "concessions", contract_id="k", discount="0.2")
    assert by_contract["equal_amount"].tolist() == [20, 2.4, 2.4, 1.6, 1.44, 2]
    with pytest.raises(MetricError, match="discount=1 is not possible"):
        asked(ten_seats, "concessions", account_id="a", discount=1.0)


def test_without_seats_a_seat_has_no_price(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 100)])
    seats = asked(store, "concessions", account_id="a").iloc[1]
    assert seats["unit_price"] != seats["unit_price"] and "no seats are recorded" in seats["caution"]


amount = st.floats(0.01, 1e6)


@settings(max_examples=80, deadline=None)
@given(st.floats(0, 1e6), amount, st.floats(0, 1e6), st.floats(1, 3))
def test_equal_value_is_equal(value: float, price: float, cost: float, more: float) -> None:
    units, worth, paid, whole, whole_worth, whole_paid, saved, _ = _equal(value, price, cost)
    assert units * price == pytest.approx(worth) == pytest.approx(value)
    assert paid == pytest.approx(units * cost)
    assert whole >= units - 1e-6 and whole - units < 1 + 1e-6 and whole_worth >= value - 1e-6 * price - 1e-6
    assert whole_paid == pytest.approx(whole * cost)
    assert saved == pytest.approx(value - paid, abs=1e-6)
    assert _equal(value * more, price, cost)[0] >= units
    assert _equal(value, price * more, cost)[0] <= units


# Low price


def test_the_worked_example_comes_out_exactly(ten_seats: Store) -> None:
    found = asked(ten_seats, "low_price", account_id="a", price=98.0, users=100, active_users=90, rival_price=78.0)
    by = found.set_index("item")
    assert by.loc["year", "value"] == 117_600
    assert by.loc["saving_year", "value"] == 24_000
    assert by.loc["active_share", "value"] == 0.9
    assert by.loc["spent_on_rival", "value"] == 93_600
    assert "USD 93,600 a year spent on a system that people may not adopt" in by.loc["active_share", "text"]
    # 80, 60 and 80 hours, and 4 for each of the 90 who use it, at 50 an hour
    assert by.loc[["selection", "learning", "recustomising", "migration"], "value"].tolist() == [
        4000,
        18000,
        3000,
        4000,
    ]
    assert by.loc["switching", "value"] == 29_000
    assert by.loc["first_year", "value"] == -5_000
    assert by.loc["back_after_months", "value"] == 14.5
    assert by.loc["parallel_fee", "value"] == 19_600
    assert by.loc[["saving_year", "switching", "active_share"], "speaks_for_us"].all()
    assert set(found["argument"]) == {"cost", "data", "effect", "risk"}
    for said in ("117 600", "24 000", "93 600"):
        assert said in METRICS["low_price"].doc


def used(folder: Path) -> Store:
    """Ten seats of 100 a month; three users come on four days or more of 28, one once; sales double in a year."""
    days = {"u1": (3, 4, 5, 6), "u2": (3, 10, 17, 24), "u3": (20, 21, 22, 23, 24), "u4": (5,)}
    events = [
        {"account_id": "a", "event": "order", "occurred_at": f"2024-11-{at:02}T09:00:00", "user_id": user}
        for user, on in days.items()
        for at in on
    ]
    months = [f"{year}-{month:02}-01" for year in (2023, 2024) for month in range(6, 12)]
    outcomes = [
        {"account_id": "a", "metric": "sales_volume", "month": month, "value": 1000 if month < "2024" else 2000}
        for month in months
    ]
    return company(
        folder,
        accounts=[account("a", "2023-01-01")],
        subscriptions=[line("a", "2023-01-01", None, 1000, seats=10)],
        contracts=[contract("k", "2024-12-31", account_id="a", arr=12_000)],
        events=events,
        outcomes=outcomes,
    )


@pytest.fixture(scope="module")
def in_use(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return used(tmp_path_factory.mktemp("in_use"))


def test_the_account_fills_in_its_own_numbers(in_use: Store) -> None:
    found = asked(in_use, "low_price", account_id="a").set_index("item")
    assert found.loc[["price", "users", "active_users"], "value"].tolist() == [100, 10, 3]
    assert found.loc["rival_price", ["value", "source"]].tolist() == [80, "settings"]
    assert found.loc["learning", "value"] == 4 * 4 * 50  # the four who used it at all
    assert found.loc["gain in sales volume", "value"] == 6000
    assert found.loc["gain in sales volume ÷ fee", "value"] == 6000 / (12_000 / 12 * 6)
    assert not found.loc["active_share", "speaks_for_us"]
    assert "may not adopt" not in found.loc["active_share", "text"]
    earlier = asked(in_use, "low_price", "2024-11-29", account_id="a").set_index("item")
    assert earlier.loc["gain in sales volume", "value"] == 5000  # November is not over


def test_what_is_typed_in_replaces_what_is_found(in_use: Store) -> None:
    found = asked(in_use, "low_price", account_id="a", rival_price="50", migration="0").set_index("item")
    assert found.loc["saving_year", "value"] == 6000
    assert found.loc["migration", ["value", "source"]].tolist() == [0, "given"]
    assert found.loc["saving_year", "speaks_for_us"]  # 7 000 to change are fourteen months of 6 000 a year
    cheap = asked(in_use, "low_price", account_id="a", rival_price="10", migration="0").set_index("item")
    assert not cheap.loc["saving_year", "speaks_for_us"]
    dearer = asked(in_use, "low_price", account_id="a", rival_price="120").set_index("item")
    assert "not cheaper" in dearer.loc["saving_year", "text"]
    for bad in ({"price": -1.0}, {"users": 10, "active_users": 11}):
        with pytest.raises(MetricError, match="is not possible"):
            asked(in_use, "low_price", account_id="a", **bad)


def test_what_nobody_recorded_is_said_and_not_guessed(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 100)])
    found = asked(store, "low_price", account_id="a").set_index("item")
    assert found.loc[["price", "users", "active_share", "saving_year", "gain"], "value"].isna().all()
    assert (found.loc[["price", "users", "active_share", "gain"], "source"] == "not recorded").all()
    assert found.loc[["saving_year", "active_share", "gain"], "text"].str.startswith("Not recorded").all()
    assert not found.loc[["saving_year", "active_share", "gain"], "speaks_for_us"].any()


@settings(max_examples=50, deadline=None)
@given(amount, st.integers(1, 5000), amount, amount)
def test_identities_of_an_offer(price: float, users: int, rival: float, selection: float) -> None:
    offer = Offer(price=price, users=users, active_users=None, rival_price=rival, selection=selection, learning=1.0,
                  recustomising=2.0, migration=3.0, months=2)  # fmt: skip
    assert offer.year - offer.rival_year == pytest.approx((price - rival) * users * 12, rel=1e-6, abs=1e-4)
    assert offer.switching == pytest.approx(selection + 6)


# Self-check


def known(folder: Path) -> Store:
    people = [
        {"contact_id": "1", "account_id": "a", "name": "Dora", "role": "decision_maker", "since": "2024-10-01"},
        {"contact_id": "2", "account_id": "a", "name": "Old", "role": "decision_maker", "left_on": "2024-09-30",
         "moved_to": "Other"},
        {"contact_id": "3", "account_id": "a", "name": "Sam", "role": "sponsor", "left_on": "2024-12-24"},
    ]  # fmt: skip
    meetings = [
        {"account_id": "a", "kind": "qbr", "scheduled_on": "2024-09-10", "was_held": True, "went_well": True},
        {"account_id": "a", "kind": "executive", "scheduled_on": "2024-11-10", "was_held": False},
        {"account_id": "a", "kind": "visit", "scheduled_on": "2024-12-02", "was_held": True},
    ]
    return company(
        folder,
        accounts=[account("a", "2024-01-01"), account("b", "2024-01-01")],
        subscriptions=[line("a", "2024-01-01", None, 100), line("b", "2024-01-01", None, 100)],
        contracts=[contract("k", "2024-12-31", account_id="a", starts_on="2024-01-01")],
        contacts=people,
        meetings=meetings,
        handoffs=[{"account_id": "a", "paid_at": "2024-01-01T08:00:00", "has_expected_outcomes": False}],
        milestones=[
            {"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7},
            {"milestone_id": "m2", "name": "Live", "position": 2, "due_days": 60},
        ],
        milestone_completions=[
            {"account_id": "a", "milestone_id": "m1", "completed_on": "2024-01-05"},
            {"account_id": "a", "milestone_id": "m2", "completed_on": "2024-12-05"},
        ],
        messages=[
            {
                "account_id": "a",
                "kind": "renewal",
                "sent_at": "2024-11-01T08:00:00",
                "replied_at": "2024-12-01T08:00:00",
            }
        ],
        commitments=[
            {"account_id": "a", "promise": "Report", "made_on": "2024-05-01", "due_on": "2024-06-30"},
            {"account_id": "a", "promise": "Done", "made_on": "2024-05-01", "kept_on": "2024-06-01"},
            {"account_id": "a", "promise": "Later", "made_on": "2024-12-01"},
        ],
    )


@pytest.fixture(scope="module")
def asked_about(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return known(tmp_path_factory.mktemp("asked_about"))


def test_every_answer_has_its_evidence(asked_about: Store) -> None:
    found = asked(asked_about, "self_check", account_id="a")
    assert records(found, "question", "item", "answer", "state") == [
        ("reason", "Expected outcomes at hand-off", "Never written down", "bad"),
        ("reason", "Their own results", "Not recorded", "not recorded"),
        ("reason", "Milestones", "1 of 2", "bad"),
        ("chain", "Changes since the contract began", "Changed", "bad"),
        ("chain", "Decision maker", "Dora: not met yet", "bad"),
        ("chain", "Sponsor", "Sam", "good"),
        ("chain", "Replies", "No reply", "bad"),
        ("promises", "Report", "Overdue", "bad"),
    ]
    evidence = found.set_index("item")["evidence"]
    assert evidence["Milestones"] == "1 of 2 reached; missing: Live."
    assert evidence["Changes since the contract began"] == (
        "Old (decision maker) left on 30 Sep 2024 for Other and Dora (decision maker) is new since 1 Oct 2024."
    )
    assert evidence["Decision maker"].startswith(
        "In the role since 1 Oct 2024. Last QBR held on 10 Sep 2024, 81 days ago"
    )
    assert evidence["Report"] == "Promised on 1 May 2024, due on 30 Jun 2024, 153 days overdue."


def test_later_days_know_more_and_change_nothing_before(asked_about: Store) -> None:
    found = asked(asked_about, "self_check", "2024-12-31", account_id="a").set_index("item")["answer"]
    assert found["Milestones"] == "All reached"
    assert found["Sponsor"] == "Vacant"
    assert found["Replies"] == "They answer"
    assert found["Later"] == "Open"


def test_an_account_of_which_nothing_is_known(tmp_path: Path, asked_about: Store) -> None:
    found = asked(asked_about, "self_check", account_id="b")
    unknown = found[found["state"] == "not recorded"]
    assert set(unknown["item"]) == {"Expected outcomes at hand-off", "Their own results", "People"}
    bare = company(tmp_path / "bare", accounts=[account("x")], subscriptions=[line("x", "2024-01-01", None, 1)])
    nothing = asked(bare, "self_check", account_id="x")
    assert (nothing["state"] == "not recorded").all()


def test_a_promise_written_on_the_page_is_in_the_check(tmp_path: Path) -> None:
    store = known(tmp_path)
    database = Database.open(tmp_path)
    entry = NewEntry("promise", "a", "make", body={"promise": "A named contact", "due_on": "2024-12-20"})
    database.workspace.write([entry], author="Ann", effective_on=day("2024-11-15"))
    found = asked(database.current(), "self_check", account_id="a")
    assert records(found[found["question"] == "promises"], "item", "answer") == [
        ("Report", "Overdue"),
        ("A named contact", "Open"),
    ]
    assert store.version_of(METRICS["self_check"].reads) < database.current().version_of(METRICS["self_check"].reads)


def test_a_contract_that_is_not_open_is_refused(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", "2023-01-01")],
        subscriptions=[line("a", "2023-01-01", None, 100)],
        contracts=[renewed("k", "2024-12-31", "2024-10-01", account_id="a")],
    )
    with pytest.raises(MetricError, match="no undecided contract 'k'"):
        asked(store, "concessions", contract_id="k")
    with pytest.raises(MetricError, match="no account 'zz'"):
        asked(store, "self_check", account_id="zz")
    assert asked(store, "concessions", "2024-09-30", contract_id="k")["equal_value"].iloc[0] == pytest.approx(100)
    elsewhere = Scope.of(segment="None")
    for name in ("low_price", "concessions", "self_check"):
        assert run(store, name, as_of=day(AS_OF), scope=elsewhere, options={"account_id": "a"}).empty

"""What changed since the last review, and what to bring up: by hand-made facts, each line with its direction and weight."""

from pathlib import Path

import pytest

from cs_metrics.metrics.account_agenda import account_agenda
from cs_metrics.metrics.account_changes import account_changes
from cs_metrics.metrics.account_facts import account_promises, account_tickets
from cs_metrics.store import Store
from tests.expansion_support import D, ago, customer, events, merged, one
from tests.support import account, company, line, records

REVIEW = "2026-01-31"


def rows_of(review: str | None = REVIEW) -> dict[str, list[dict[str, object]]]:
    held = [one("meetings", "a", kind="qbr", scheduled_on=review, was_held=True)] if review else []
    return merged(
        customer("a", mrr=1000, seats=10, days=20, is_green=False),
        {"subscriptions": [line("a", "2026-02-10", None, 100, product_id="ADD", seats=20)]},
        *held,
        one("meetings", "a", kind="qbr", scheduled_on=ago(2), was_held=False),
        one("meetings", "a", kind="executive", scheduled_on=ago(3), was_held=True),
        one("contacts", "a", contact_id="s", name="Ann", role="sponsor", left_on=ago(5), moved_to="Globex"),
        one("contacts", "a", contact_id="d", name="Bob", role="decision_maker", since=ago(9)),
        one("contacts", "a", contact_id="e", name="Eve", role="decision_maker", since="2026-03-02"),
        one("commitments", "a", made_on=ago(60), promise="Old", due_on=ago(20), kept_on="2026-03-03"),
        one("commitments", "a", made_on=ago(50), promise="Done", due_on=ago(45), kept_on=ago(44)),
        one("commitments", "a", made_on=ago(5), promise="New"),
        one("tickets", "a", ticket_id="t", opened_at=f"{ago(30)}T08:00:00", kind="bug", priority="low"),
        one("tickets", "a", ticket_id="u", opened_at=f"{ago(1)}T08:00:00", kind="bug", priority="urgent"),
        one("tickets", "a", ticket_id="v", opened_at=f"{ago(2)}T08:00:00", closed_at="2026-03-02T08:00:00"),
        *[one("outcomes", "a", metric="sales", month=f"2025-{month:02d}-01", value=100) for month in (10, 11, 12)],
        one("outcomes", "a", metric="sales", month="2026-01-01", value=160),
        one("outcomes", "a", metric="sales", month="2026-02-01", value=999),
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return company(tmp_path_factory.mktemp("changes"), **rows_of())


def test_each_line_says_before_after_direction_and_weight(store: Store) -> None:
    found = account_changes(store, as_of=D, account_id="a").set_index("measure")
    assert set(found["since_what"]) == {"QBR of 31 Jan 2026"}
    lines = [
        "ARR",
        "Open promises",
        "Promises past their day",
        "Tickets urgent or old",
        "Open tickets",
        "Products paid for",
    ]
    assert records(found.loc[[*lines, "Seats bought"]], "before", "now", "change", "effect", "weight") == [
        (12000.0, 13200.0, 1200.0, "good", 50.0),  # 10 % of 20 %
        (1.0, 2.0, 1.0, "bad", 6.7),
        (0.0, 1.0, 1.0, "bad", 50.0),
        (0.0, 2.0, 2.0, "bad", 50.0),
        (1.0, 3.0, 2.0, "bad", 13.3),
        (1.0, 2.0, 1.0, "good", 40.0),
        (10.0, 20.0, 10.0, "good", 40.0),
    ]


def test_results_are_the_three_months_known_on_each_day(store: Store) -> None:
    found = account_changes(store, as_of=D, account_id="a").set_index("measure")
    # on 31 January that month is over; on 1 March so is February
    assert records(found.loc[["Sales, 3 months"]], "before", "now") == [(360.0, 1259.0)]


def test_people_who_came_and_left_are_named(store: Store) -> None:
    found = account_changes(store, as_of=D, account_id="a").set_index("measure")
    assert records(found.loc[["Sponsors and decision makers"]], "before", "now", "effect", "detail") == [
        (1.0, 1.0, "none", "Ann, sponsor, left on 24 Feb 2026 and Bob, decision maker, came on 20 Feb 2026")
    ]


def test_the_gravest_change_comes_first_and_the_unknown_last(store: Store) -> None:
    weights = account_changes(store, as_of=D, account_id="a")["weight"]
    known = weights.dropna()
    assert list(known) == sorted(known, reverse=True)
    assert weights.iloc[: len(known)].notna().all() and weights.iloc[len(known) :].isna().all()


def test_without_a_review_the_last_90_days_count(tmp_path: Path) -> None:
    found = account_changes(company(tmp_path, **rows_of(None)), as_of=D, account_id="a")
    assert set(found["since_what"]) == {"No review was held; against 90 days before, 1 Dec 2025"}
    assert not found["has_review"].any()


def test_an_account_younger_than_that_is_compared_with_its_start(tmp_path: Path) -> None:
    rows = {"accounts": [account("a", "2026-02-01")], "subscriptions": [line("a", "2026-02-01", None, 10)]}
    found = account_changes(company(tmp_path, **rows), as_of=D, account_id="a")
    assert set(found["since_what"]) == {"No review was held; against 28 days before, 1 Feb 2026, the start"}
    assert records(found[found["measure"] == "ARR"], "before", "now", "effect") == [(120.0, 120.0, "none")]


def test_what_lacks_its_table_is_left_out(tmp_path: Path) -> None:
    rows = {"accounts": [account("a")], "subscriptions": [line("a", "2024-01-01", None, 10)]}
    found = account_changes(company(tmp_path, **rows), as_of=D, account_id="a")
    assert "Open tickets" not in set(found["measure"]) and "ARR" in set(found["measure"])


def test_the_agenda_puts_what_is_pressing_first(store: Store) -> None:
    found = account_agenda(store, as_of=D, account_id="a")
    assert records(found, "topic", "what", "detail", "is_late", "weight") == [
        ("person", "Ann, sponsor, left for Globex", "on 24 Feb 2026: who follows?", False, 80.0),
        ("promise", "Old", "promised on 31 Dec 2025, 20 days overdue", True, 80.0),
        ("ticket", "Urgent bug", "u, open for 1 day", True, 70.0),
        ("promise", "New", "promised on 24 Feb 2026", False, 60.0),
        ("ticket", "Low bug", "t, open for 30 days", True, 50.0),
        ("person", "Bob is the new decision maker", "since 20 Feb 2026: what is expected of us?", False, 45.0),
    ]


def test_the_agenda_holds_every_open_promise_and_stuck_ticket(demo_store: Store) -> None:
    as_of = demo_store.newest_day
    for (name,) in demo_store.rows("select account_id from accounts order by account_id limit 40"):
        found = account_agenda(demo_store, as_of=as_of, account_id=name)
        promises = account_promises(demo_store, as_of=as_of, account_id=name)
        assert sorted(found.loc[found["topic"] == "promise", "what"]) == sorted(
            promises.loc[promises["state"].isin(["open", "overdue"]), "promise"]
        )
        tickets = account_tickets(demo_store, as_of=as_of, account_id=name)
        assert (found["topic"] == "ticket").sum() == tickets["is_stuck"].sum()


def test_a_promise_kept_late_says_so(store: Store) -> None:
    assert records(account_promises(store, as_of=D, account_id="a"), "promise", "state", "days_late") == [
        ("Old", "overdue", None),
        ("New", "open", None),
        ("Done", "kept", 1),
    ]


def test_uses_of_another_account_change_nothing(tmp_path: Path, store: Store) -> None:
    more = merged(
        rows_of(),
        customer("b", mrr=5),
        events("b", "used", range(40)),
        one("commitments", "b", made_on=ago(3), promise="X"),
    )
    other = company(tmp_path, **more)
    mine, theirs = (account_changes(one, as_of=D, account_id="a") for one in (store, other))
    # health alone leaves out what hardly any account has data for
    assert records(mine[mine["unit"] != "score"]) == records(theirs[theirs["unit"] != "score"])

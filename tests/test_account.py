"""One account: its header equals the lists, its lists are as of the day, an unknown account is refused with near names."""

from pathlib import Path

import pandas as pd
import pytest

from cs_metrics.errors import MetricError
from cs_metrics.metrics import METRICS, run
from cs_metrics.metrics.account import account_header, notices, people
from cs_metrics.metrics.account_facts import (
    account_contacts,
    account_milestones,
    account_outcomes,
    account_promises,
    account_tickets,
)
from cs_metrics.metrics.account_usage import (
    account_departments,
    account_usage,
    account_users,
)
from cs_metrics.metrics.expansion import expansion
from cs_metrics.metrics.health import health
from cs_metrics.metrics.onboarding import onboarding_risk
from cs_metrics.metrics.renewals import renewal_pipeline
from cs_metrics.metrics.revenue import mrr_by_month
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store
from tests.expansion_support import D, Rows, ago, customer, events, merged, one, users
from tests.support import account, company, day, line, records


def contract(account_id: str, starts_on: str, ends_on: str, arr: float = 100, **more: object) -> Rows:
    name = f"{account_id} {ends_on}"
    return one("contracts", account_id, contract_id=name, starts_on=starts_on, ends_on=ends_on, arr=arr, **more)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    parts = [
        customer("acme", mrr=1000, seats=10, name="Acme Trading"),
        users("acme", {"Sales": 6, "Finance": 3}),
        contract("acme", "2025-03-20", "2026-03-20", 12000),
        customer("late", mrr=900, days=3),
        contract("late", "2025-02-20", "2026-02-20", 900),
        contract("late", "2024-02-20", "2025-02-20", 800, outcome="renewed", decided_on="2025-02-01"),
        {
            "accounts": [account("new", "2026-02-01", segment="SMB")],
            "subscriptions": [line("new", "2026-02-01", None, 50)],
        },
        contract("new", "2026-02-01", "2027-02-01"),
        {"accounts": [account("gone", "2024-01-01")], "subscriptions": [line("gone", "2024-01-01", "2025-01-01", 50)]},
        {"accounts": [account("signed", "2026-02-20")], "subscriptions": [line("signed", "2026-03-10", None, 50)]},
        {"accounts": [account("future", "2026-03-02")], "subscriptions": [line("future", "2026-03-02", None, 50)]},
        one("milestones", "", milestone_id="M1", name="Kick-off", position=1, due_days=7),
        one("milestones", "", milestone_id="M2", name="Live", position=2, due_days=20),
        one("milestones", "", milestone_id="M3", name="Value", position=3, due_days=60),
        one("milestone_completions", "new", milestone_id="M1", completed_on="2026-02-10"),
        one("milestone_completions", "new", milestone_id="M2", completed_on="2026-03-05"),
        one(
            "contacts",
            "acme",
            contact_id="c1",
            name="Ann",
            role="sponsor",
            since="2024-01-01",
            left_on=ago(10),
            moved_to="Globex",
        ),
        one("contacts", "acme", contact_id="c2", name="Bob", role="champion", since=ago(40)),
        one("contacts", "acme", contact_id="c3", name="Cid", role="admin", left_on="2026-03-02", moved_to="Globex"),
        one("contacts", "acme", contact_id="c4", role="admin", since="2026-03-02"),
        one(
            "commitments", "acme", made_on="2026-01-01", promise="Connector", due_on="2026-02-01", kept_on="2026-03-02"
        ),
        one("commitments", "acme", made_on="2026-01-02", promise="Report", due_on="2026-04-01"),
        one("commitments", "acme", made_on="2025-01-02", promise="Training", kept_on="2025-02-02"),
        one("commitments", "acme", made_on="2026-03-02", promise="Later"),
        one("tickets", "acme", ticket_id="t1", opened_at=f"{ago(20)}T08:00:00", priority="low", kind="bug"),
        one(
            "tickets",
            "acme",
            ticket_id="t2",
            opened_at=f"{ago(1)}T08:00:00",
            closed_at="2026-03-04T08:00:00",
            priority="normal",
        ),
        one("tickets", "acme", ticket_id="t3", opened_at=f"{ago(9)}T08:00:00", closed_at=f"{ago(0)}T08:00:00"),
        *[one("outcomes", "acme", metric="sales", month=f"2025-{month:02d}-01", value=month) for month in range(7, 13)],
        one("outcomes", "acme", metric="sales", month="2026-02-01", value=9),
        one("outcomes", "acme", metric="sales", month="2026-03-01", value=9),
        one("meetings", "acme", kind="qbr", scheduled_on="2026-02-01", was_held=True),
        one("meetings", "acme", kind="qbr", scheduled_on="2026-02-20", was_held=False),
    ]
    rows = merged(*parts)
    for milestone in rows["milestones"]:
        del milestone["account_id"]
    return company(tmp_path_factory.mktemp("account"), **rows)


IDS = ["acme", "late", "new", "gone", "signed"]


def test_the_stage_follows_from_the_dates(store: Store) -> None:
    found = [records(account_header(store, as_of=D, account_id=name), "stage", "is_customer", "arr")[0] for name in IDS]
    assert found == [
        ("renewal", True, 12000.0),
        ("adoption", True, 10800.0),
        ("onboarding", True, 600.0),
        ("former customer", False, 0.0),
        ("signed", False, 0.0),
    ]


def test_the_header_shows_the_contract_that_ends_first_an_overdue_one_included(store: Store) -> None:
    columns = ("contract_id", "renewal_on", "days_left", "renewal_arr")
    found = [records(account_header(store, as_of=D, account_id=name), *columns)[0] for name in IDS]
    assert found == [
        ("acme 2026-03-20", "2026-03-20", 19, 12000.0),
        ("late 2026-02-20", "2026-02-20", -9, 900.0),
        ("new 2027-02-01", "2027-02-01", 337, 100.0),
        (None, None, None, None),
        (None, None, None, None),
    ]


NOTICES = {
    "acme": [],
    "late": [],
    "new": ["No use of the product is recorded for this account."],
    "gone": [
        "No customer any more: its last revenue ended on 1 Jan 2025.",
        "No use of the product is recorded for this account.",
        "No contract is recorded for this account, so no renewal can be shown.",
    ],
    "signed": [
        "Not a customer yet: no revenue has begun.",
        "No use of the product is recorded for this account.",
        "No contract is recorded for this account, so no renewal can be shown.",
    ],
}


@pytest.mark.parametrize("account_id", IDS)
def test_what_an_account_lacks_is_said(store: Store, account_id: str) -> None:
    row = account_header(store, as_of=D, account_id=account_id).iloc[0]
    assert notices(row) == NOTICES[account_id]
    unmeasured = notices(row, has_events=False, has_contracts=False)  # what nobody loaded is no lack of the account
    assert unmeasured == [one for one in NOTICES[account_id] if "recorded" not in one]


def test_decided_contracts_leave_none_open(store: Store) -> None:
    row = account_header(store, as_of=day("2025-02-10"), account_id="late").iloc[0]
    assert notices(row) == [
        "No use of the product is recorded for this account.",
        "All of its contracts are decided: none is open for renewal.",
    ]
    assert row["stage"] == "renewal"  # its term still has ten days to run


def test_contacts_are_said_in_one_line(store: Store) -> None:
    assert people(account_contacts(store, as_of=D, account_id="acme")) == (
        "Contacts: Bob (champion, new) and Cid (admin); Ann (sponsor) left on 19 Feb 2026 for Globex"
    )


@pytest.mark.parametrize("account_id", IDS)
def test_the_header_says_what_the_lists_say(store: Store, account_id: str) -> None:
    row = account_header(store, as_of=D, account_id=account_id)
    alone = Scope.of(account_id=account_id)
    assert row["arr"].iloc[0] == 12 * mrr_by_month(store, as_of=D, scope=alone)["mrr"].iloc[-1]
    lists = {
        health: ["score", "colour", "change_28_days", "reasons", "active_users", "seats"],
        renewal_pipeline: ["likelihood", "category", "priority", "reasons_for", "reasons_against", "contract_id"],
        onboarding_risk: ["next_milestone"],
    }
    for metric, columns in lists.items():
        listed = metric(store, as_of=D, scope=EVERYTHING)
        listed = listed[listed["account_id"] == account_id]
        if len(listed):
            assert records(row, *columns) == records(listed, *columns), metric.__name__


def test_the_expansion_rows_of_one_account_are_those_of_the_list(store: Store) -> None:
    listed = expansion(store, as_of=D)
    alone = expansion(store, as_of=D, scope=Scope.of(account_id="acme"))
    assert records(alone) == records(listed[listed["account_id"] == "acme"])
    assert len(alone) > 0


def test_the_colour_of_onboarding_stands_beside_that_of_health(store: Store) -> None:
    row = account_header(store, as_of=D, account_id="new")
    assert records(row, "onboarding_colour", "next_milestone", "open_ctas") == [("yellow", "Live", 1)]
    assert records(account_header(store, as_of=D, account_id="acme"), "onboarding_colour") == [(None,)]


def test_contacts_are_those_known_on_the_day(store: Store) -> None:
    assert records(
        account_contacts(store, as_of=D, account_id="acme"), "name", "role", "state", "left_on", "moved_to"
    ) == [
        ("Bob", "champion", "new", None, None),
        ("Cid", "admin", "here", None, None),
        ("Ann", "sponsor", "left", "2026-02-19", "Globex"),
    ]


def test_promises_are_broken_open_or_kept(store: Store) -> None:
    assert records(
        account_promises(store, as_of=D, account_id="acme"), "promise", "state", "days_overdue", "kept_on"
    ) == [
        ("Connector", "overdue", 28, None),
        ("Report", "open", None, None),
        ("Training", "kept", None, "2025-02-02"),
    ]


def test_tickets_are_those_open_on_the_day(store: Store) -> None:
    assert records(account_tickets(store, as_of=D, account_id="acme"), "ticket_id", "days_open", "is_stuck") == [
        ("t1", 20, True),
        ("t2", 1, False),
    ]


def test_milestones_are_reached_overdue_next_or_to_come(store: Store) -> None:
    columns = ("milestone", "state", "completed_on", "days_late")
    assert records(account_milestones(store, as_of=D, account_id="new"), *columns) == [
        ("Kick-off", "reached", "2026-02-10", 2),
        ("Live", "overdue", None, 8),
        ("Value", "to come", None, None),
    ]
    assert records(account_milestones(store, as_of=day("2026-03-05"), account_id="new"), "state") == [
        ("reached",),
        ("reached",),
        ("next",),
    ]


def test_a_result_is_known_when_its_month_is_over(store: Store) -> None:
    found = account_outcomes(store, as_of=D, account_id="acme")
    assert records(found, "month", "value", "change_3_months")[-2:] == [
        ("2025-12-01", 12.0, round((10 + 11 + 12) / (7 + 8 + 9) - 1, 6)),
        ("2026-02-01", 9.0, None),
    ]
    assert found["change_3_months"].notna().sum() == 1


def test_use_by_week_counts_weeks_without_use_as_nothing(store: Store) -> None:
    found = account_usage(store, as_of=D, account_id="acme", weeks=4)
    assert records(found) == [
        ("2026-02-02", 0, 0, 0),
        ("2026-02-09", 48, 8, 6),
        ("2026-02-16", 56, 8, 7),
        ("2026-02-23", 56, 8, 7),
    ]
    started = account_usage(
        store, as_of=day("2026-02-28"), account_id="new"
    )  # started on a Sunday, the week before is its first
    assert records(started, "week") == [("2026-01-26",), ("2026-02-02",), ("2026-02-09",), ("2026-02-16",)]


def test_users_are_active_new_idle_or_lost(tmp_path: Path) -> None:
    named = merged(
        users("a", {"Sales": 3}),
        users("a", {"Legal": 1}, created=ago(27), start=3),
        users("a", {"Legal": 1}, created="2026-03-02", start=4),
    )
    named["users"][1]["deactivated_at"] = f"{ago(1)}T08:00:00"
    rows = merged(
        {"accounts": [account("a")], "subscriptions": [line("a", "2024-01-01", None, 10)]},
        named,
        events("a", "used", [27, 28], "u0"),
        events("a", "used", [1], "u1"),
        events("a", "used", [89], "u7"),
        events("a", "used", [90], "u8"),
        events("a", "used", [-1], "u2"),
    )
    store = company(tmp_path, **rows)
    assert records(account_departments(store, as_of=D, account_id="a")) == [
        ("Sales", 2, 1, 0, 1, 1),
        ("(unknown)", 1, 0, 0, 1, 1),
        ("Legal", 1, 0, 1, 0, 0),
    ]
    found = account_users(store, as_of=D, account_id="a").sort_values("user_id")
    assert records(found, "user_id", "department", "last_active_on", "active_days_28", "state") == [
        ("u0", "Sales", "2026-02-02", 1, "active"),
        ("u1", "Sales", "2026-02-28", 1, "lost"),
        ("u2", "Sales", None, 0, "idle"),
        ("u3", "Legal", None, 0, "new"),
        ("u7", None, "2025-12-02", 0, "idle"),
        ("u8", None, "2025-12-01", 0, "lost"),
    ]


ACCOUNT_METRICS = sorted(name for name, one in METRICS.items() if one.page == "Account" and name != "account_search")


@pytest.mark.parametrize("name", ACCOUNT_METRICS)
def test_an_unknown_account_is_refused_with_near_names(store: Store, name: str) -> None:
    for given, says in {
        "acmee": "There is no account 'acmee'. Did you mean 'acme' (Acme Trading)?",
        "Acme Trading": "There is no account 'Acme Trading'. Did you mean 'acme' (Acme Trading)?",
        "": "There is no account ''. Choose one by its account_id.",
        "zzz": "There is no account 'zzz'.",
        "future": "Company future is not there yet on 1 Mar 2026: it starts on 2 Mar 2026.",
    }.items():
        with pytest.raises(MetricError) as error:
            run(store, name, as_of=D, options={"account_id": given})
        assert str(error.value) == says


@pytest.mark.parametrize("name", ACCOUNT_METRICS)
def test_an_account_outside_the_scope_gives_nothing_away(store: Store, name: str) -> None:
    found = run(store, name, as_of=D, scope=Scope.of(segment="Enterprise"), options={"account_id": "acme"})
    said = ("measure", "unit", "since", "has_review", "since_what", "effect", "detail", "is_concentrated")
    shown = found.drop(columns=[one for one in said if one in found])
    assert found.empty or pd.isna(shown.replace(0, float("nan"))).all(axis=None)

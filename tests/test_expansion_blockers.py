"""The gate and the blockers: what holds an offer back, with its reason and the day on which it lifts."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from cs_metrics.metrics.expansion import expansion
from cs_metrics.metrics.expansion_accounts import customers, gate
from cs_metrics.metrics.scope import EVERYTHING
from cs_metrics.store import Store
from tests.expansion_support import D, Rows, ago, customer, events, merged, one, users
from tests.support import company


def offered(account_id: str, **more: Any) -> Rows:
    """A customer to whom more seats are offered."""
    return merged(customer(account_id, seats=10, **more), users(account_id, {"Sales": 9}))


def ticket(account_id: str, opened: int, **more: Any) -> Rows:
    return one("tickets", account_id, ticket_id=f"{account_id} {opened}", opened_at=f"{ago(opened)}T08:00:00", **more)


def answer(account_id: str, back: int, score: float, kind: str = "nps", user_id: str = "u1") -> Rows:
    return one("surveys", account_id, kind=kind, score=score, answered_at=f"{ago(back)}T08:00:00", user_id=user_id)


def meeting(account_id: str, kind: str, back: int, went_well: bool) -> Rows:
    return one("meetings", account_id, kind=kind, scheduled_on=ago(back), was_held=True, went_well=went_well)


def contract(account_id: str, ends_on: str, **more: Any) -> Rows:
    return one(
        "contracts", account_id, contract_id=account_id, starts_on="2025-03-01", ends_on=ends_on, arr=12000, **more
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    parts = [
        {"milestones": [{"milestone_id": "M1", "name": "Started", "position": 1, "due_days": 30, "segment": "SMB"}]},
        {"milestones": [{"milestone_id": "M2", "name": "Live", "position": 2, "due_days": 60, "segment": "SMB"}]},
        offered("ready"),
        offered("other segment", segment="Enterprise"),
        offered("first milestone only"),
        offered("late milestone"),
        offered("urgent"),
        ticket("urgent", 3, priority="urgent"),
        offered("urgent, closed later"),
        ticket("urgent, closed later", 3, priority="urgent", closed_at="2026-03-05T08:00:00"),
        offered("urgent, closed"),
        ticket("urgent, closed", 3, priority="urgent", closed_at=f"{ago(0)}T08:00:00"),
        offered("old"),
        ticket("old", 15, priority="low"),
        offered("young"),
        ticket("young", 14, priority="low"),
        offered("bug"),
        ticket("bug", 2, kind="bug", product_id="CORE"),
        offered("bug elsewhere"),
        ticket("bug elsewhere", 2, kind="bug", product_id="ADD"),
        offered("nps"),
        answer("nps", 59, 6),
        offered("nps long ago"),
        answer("nps long ago", 60, 0),
        offered("csat"),
        answer("csat", 10, 2, "csat"),
        offered("better since"),
        answer("better since", 20, 3),
        answer("better since", 10, 9),
        offered("someone else is happy"),
        answer("someone else is happy", 20, 3),
        answer("someone else is happy", 10, 9, user_id="u2"),
        offered("leaving"),
        contract("leaving", "2026-04-30", outcome="churned", decided_on=ago(1)),
        offered("leaving later"),
        contract("leaving later", "2026-04-30", outcome="churned", decided_on="2026-03-02"),
        offered("reviewed"),
        meeting("reviewed", "qbr", 29, went_well=True),
        offered("badly reviewed"),
        meeting("badly reviewed", "qbr", 5, went_well=False),
        offered("asked"),
        one(
            "opportunities",
            "asked",
            opportunity_id="o1",
            kind="seats",
            opened_on=ago(8),
            stage="won",
            closed_on="2026-03-04",
            arr=1,
        ),
        offered("quiet", active=7, days=12),
        offered("reads", active=7, days=12),
        events("reads", "guide_downloaded", [29]),
        events("reads", "webinar_attended", [40]),
        offered("wishes", active=7, days=12),
        ticket("wishes", 12, kind="request", closed_at=f"{ago(2)}T08:00:00"),
        offered("held twice"),
        ticket("held twice", 3, priority="urgent"),
        answer("held twice", 10, 2, "csat"),
    ]
    complete = [
        one("milestone_completions", account_id, milestone_id=milestone, completed_on=done)
        for account_id in dict.fromkeys(row["account_id"] for part in parts for row in part.get("accounts", []))
        for milestone, done in (("M1", "2024-02-01"), ("M2", "2024-03-01"))
        if (account_id, milestone) != ("first milestone only", "M2")
        and account_id not in ("late milestone", "other segment")
    ]
    late = one("milestone_completions", "late milestone", milestone_id="M2", completed_on="2026-03-02")
    return company(tmp_path_factory.mktemp("blockers"), **merged(*parts, *complete, late))


@pytest.fixture(scope="module")
def found(store: Store) -> pd.DataFrame:
    rows = expansion(store, as_of=D)
    return rows[rows["kind"] == "seats"].set_index("account_id")


def test_a_green_account_past_its_last_milestone_is_ready(found: pd.DataFrame) -> None:
    row = found.loc["ready"]
    assert (row["is_ready"], row["blockers"], row["health"]) == (True, "", "green")
    assert row["gate"].startswith("Health green (100")
    assert row["gate"].endswith("; last milestone 'Live' reached on 1 Mar 2024")


@pytest.mark.parametrize(
    ("score", "colour", "change", "held"),
    [
        (75.5, "green", -20.0, []),
        (62.0, "yellow", 5.1, []),
        (62.0, "yellow", 5.0, ["Health is yellow and not rising (62, +5.0 in 28 days)"]),
        (62.0, "yellow", None, ["Health is yellow and not rising (62)"]),
        (49.9, "red", 30.0, ["Health is red (49.9)"]),
        (None, "none", None, ["No health score yet"]),
    ],
)
def test_health_opens_the_gate_when_green_or_yellow_and_rising(
    store: Store, score: float | None, colour: str, change: float | None, held: list[str]
) -> None:
    one = replace(customers(store, D, EVERYTHING)["ready"], score=score, colour=colour, change_28_days=change)
    assert [blocker.says for blocker in gate(one, D, 5.0)] == held


BLOCKED = {
    "first milestone only": "Last milestone 'Live' is not reached (due on 1 Mar 2024, 730 days ago)",
    "late milestone": "Last milestone 'Live' is not reached (due on 1 Mar 2024, 730 days ago)",
    "urgent": "1 urgent ticket open since 26 Feb 2026",
    "urgent, closed later": "1 urgent ticket open since 26 Feb 2026",
    "old": "1 ticket open for more than 14 days: the oldest 15 days",
    "bug": "1 bug in CORE open since 27 Feb 2026",
    "nps": "Low NPS of 6 on 1 Jan 2026, lifts on 2 Mar 2026",
    "csat": "Low CSAT of 2 on 19 Feb 2026, lifts on 20 Apr 2026",
    "someone else is happy": "Low NPS of 3 on 9 Feb 2026, lifts on 10 Apr 2026",
    "leaving": "Has decided to leave: the contract ends on 30 Apr 2026",
    "held twice": "1 urgent ticket open since 26 Feb 2026; Low CSAT of 2 on 19 Feb 2026, lifts on 20 Apr 2026",
}
WHY = {
    "ready": "",
    "late milestone": "No day can be known: it depends on the customer reaching 'Live'",
    "urgent": "No day can be known: it depends on support closing the ticket",
    "bug": "No day can be known: it depends on the repair of CORE",
    "csat": "On 20 Apr 2026 the newest low answer is old enough, unless another comes",
    "leaving": "No day can be known: it depends on the customer, who decided to leave",
    "held twice": "No day can be known: it depends on support closing the ticket, not before 20 Apr 2026",
}


@pytest.mark.parametrize("account_id", WHY)
def test_why_it_lifts_on_a_day_or_on_what_it_depends(found: pd.DataFrame, account_id: str) -> None:
    assert found.loc[account_id, "blocked_why"] == WHY[account_id]


@pytest.mark.parametrize("account_id", BLOCKED)
def test_what_holds_an_offer_back(found: pd.DataFrame, account_id: str) -> None:
    assert found.loc[account_id, "blockers"] == BLOCKED[account_id]
    assert not found.loc[account_id, "is_ready"]


@pytest.mark.parametrize(
    "account_id",
    ["urgent, closed", "young", "bug elsewhere", "nps long ago", "better since", "leaving later", "other segment"],
)
def test_what_does_not_hold_it_back(found: pd.DataFrame, account_id: str) -> None:
    assert (found.loc[account_id, "blockers"], found.loc[account_id, "is_ready"]) == ("", True)


def test_the_day_on_which_all_blockers_lift_is_said_where_it_is_known(found: pd.DataFrame) -> None:
    known = found["blocked_until"].dropna()
    assert {name: value.date().isoformat() for name, value in known.items()} == {
        "nps": "2026-03-02",
        "csat": "2026-04-20",
        "someone else is happy": "2026-04-10",
    }


def test_without_milestones_of_the_segment_only_health_counts_and_the_row_says_so(found: pd.DataFrame) -> None:
    assert found.loc["other segment", "gate"].endswith(
        "whether it reached its last milestone cannot be known (the account has no milestones), so only health counts"
    )


MOMENTS = {
    "ready": "highly active",
    "reviewed": "after the review of 31 Jan 2026 that went well; highly active",
    "badly reviewed": "highly active",
    "leaving later": "at renewal on 30 Apr 2026; highly active",
    "leaving": "highly active",
    "asked": "asked for it (deal open since 21 Feb 2026); highly active",
    "quiet": "no special moment",
    "reads": "guide downloaded on 31 Jan 2026",
    "wishes": "asked for a feature on 17 Feb 2026",
}


@pytest.mark.parametrize("account_id", MOMENTS)
def test_the_moments_that_the_facts_know_of(found: pd.DataFrame, account_id: str) -> None:
    assert found.loc[account_id, "timing"] == MOMENTS[account_id]

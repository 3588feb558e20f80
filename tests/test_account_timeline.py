"""The timeline of one account: every kind of entry, newest first, limited with its count, nothing from after the day."""

from itertools import pairwise
from pathlib import Path

import pytest

from cs_metrics.errors import MetricError
from cs_metrics.metrics.timeline import KINDS, account_timeline
from cs_metrics.store import Database, Store
from cs_metrics.workspace.entries import NewEntry
from tests.expansion_support import D, ago, events, merged, one
from tests.support import account, company, day, line, records

LATER = "2026-03-02"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    rows = merged(
        {
            "accounts": [account("a", "2025-01-01"), account("b", "2025-01-01")],
            "products": [{"product_id": "P", "name": "Desk"}],
            "subscriptions": [
                line("a", "2025-01-01", "2025-06-01", 100, product_id="P"),
                line("a", "2025-07-01", None, 100, product_id="P", subscription_id="again"),
                line("a", "2025-09-01", LATER, 50, subscription_id="more"),
                line("a", "2025-10-01", None, 5, product_id="P", subscription_id="trial", is_trial=True),
                line("b", "2025-01-01", None, 10),
            ],
            "milestones": [{"milestone_id": "M", "name": "Live", "position": 1, "due_days": 10}],
        },
        events("a", "used", [30, 5, -1]),
        events("a", "late_event", [-1]),
        one("milestone_completions", "a", milestone_id="M", completed_on="2025-01-13"),
        one("tickets", "a", ticket_id="t", opened_at="2025-02-01T08:00:00", closed_at="2025-02-02T08:00:00", kind="bug", priority="urgent"),
        one("tickets", "a", ticket_id="u", opened_at="2025-02-03T08:00:00", closed_at=f"{LATER}T08:00:00"),
        one("surveys", "a", kind="nps", score=9, answered_at="2025-02-05T08:00:00", comment="Good"),
        one("surveys", "a", kind="csat", score=1, answered_at=f"{LATER}T08:00:00"),
        one("meetings", "a", kind="qbr", scheduled_on="2025-02-06", was_held=True, went_well=False, host="Cora"),
        one("meetings", "a", kind="check_in", scheduled_on=LATER, was_held=True),
        one("messages", "a", kind="value_report", sent_at="2025-02-07T08:00:00", opened_at="2025-02-08T08:00:00", replied_at=f"{LATER}T01:00:00"),
        one("handoffs", "a", paid_at="2025-01-01T08:00:00", deal_value=1200),
        one("contracts", "a", contract_id="k", starts_on="2025-01-01", ends_on="2026-01-01", arr=1200, outcome="renewed", decided_on=ago(2), renewed_arr=1300, reason="Value"),
        one("contracts", "a", contract_id="l", starts_on="2026-01-01", ends_on="2026-04-01", arr=1300, outcome="churned", decided_on=LATER),
        one("ctas", "a", cta_id="c", kind="risk", reason="Sponsor left", opened_on="2025-03-01", flagged_on="2025-03-02", team_needed="Product", closed_on=LATER),
        one("contacts", "a", contact_id="p", name="Ann", role="decision_maker", since="2025-01-05", left_on="2025-04-01", moved_to="Globex"),
        one("contacts", "a", contact_id="q", name="Bob", role="sponsor", left_on=LATER),
        one("opportunities", "a", opportunity_id="o", kind="seats", opened_on="2025-08-01", closed_on="2025-09-01", stage="won", arr=600, owner="Sam"),
        one("opportunities", "a", opportunity_id="r", kind="limit", opened_on="2025-08-02", closed_on=LATER, stage="lost", arr=5),
        one("commitments", "a", made_on="2025-05-01", promise="Connector", due_on="2025-05-10", kept_on="2025-05-20"),
        one("commitments", "a", made_on="2025-05-02", promise="Report", kept_on=LATER),
        one("surveys", "b", kind="nps", score=1, answered_at="2025-02-05T08:00:00"),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("timeline")
    company(folder, **rows)
    database = Database.open(folder)
    said = [
        NewEntry("account", "a", "note", note="Call them"),
        NewEntry("account", "a", "statement_of_work", body={"is_needed": True}),
        NewEntry("renewal", "a", "call", subject="K1", body={"call": "best_case"}, note="Budget is there"),
    ]
    database.workspace.write(said, author="cleo", effective_on=ago(3))
    thought = [
        NewEntry("health", "a", "override", note="They told us", body={"colour": "red", "until": "2026-04-01"}),
        NewEntry("risk", "a", "cause", body={"cause": "unclear_return"}),
        NewEntry("risk", "a", "plan", note="Review the goal"),
        NewEntry("risk", "a", "action", body={"what": "Call the sponsor", "owner": "Cora", "due_on": "2026-03-09"}),
        NewEntry("expansion", "a", "dismiss", subject="seats", body={"reason": "no_budget"}),
    ]
    database.workspace.write(thought, author="dana", effective_on=ago(1))
    database.workspace.write([NewEntry("risk", "a", "over")], author="dana", effective_on=LATER)
    promises = [NewEntry("promise", "a", "make", subject="p", body={"promise": "Import"})]
    promises += [NewEntry("promise", "a", "withdraw", subject="p", note="Not wanted")]
    database.workspace.write(promises, author="cleo", effective_on="2025-06-01")
    database.workspace.write([NewEntry("account", "a", "note", note="Too late")], author="cleo", effective_on=LATER)
    return database.current()


def of(store: Store, *kinds: str) -> list[tuple]:
    return records(account_timeline(store, as_of=D, account_id="a", kind=kinds, limit=1000), "day", "what", "detail")


ENTRIES = {
    "note": [(ago(3), "Note", "Call them, by cleo"), (ago(3), "Statement of work needed", "by cleo")],
    "usage": [("2026-02-24", "Used again", "after 25 days without use"), ("2026-01-30", "First use of used", "")],
    "week": [
        ("2026-03-01", "Week of 23 Feb 2026: 1 use by 1 user", "after a week without use"),
        ("2026-02-22", "Week of 16 Feb 2026: 0 uses", ""),
        ("2026-02-15", "Week of 9 Feb 2026: 0 uses", ""),
        ("2026-02-08", "Week of 2 Feb 2026: 0 uses", "-100% against the week before"),
        ("2026-02-01", "Week of 26 Jan 2026: 1 use by 1 user", ""),
    ],
    "milestone": [("2025-01-13", "Reached: Live", "2 days late")],
    "ticket": [
        ("2025-02-03", "Ticket opened: ticket", "u"),
        ("2025-02-02", "Ticket closed: urgent bug", "t, after 1 day"),
        ("2025-02-01", "Ticket opened: urgent bug", "t"),
    ],
    "survey": [("2025-02-05", "NPS 9", "Good")],
    "meeting": [("2025-02-06", "QBR held", "did not go well, host Cora")],
    "message": [("2025-02-07", "Sent: value report", "opened on 8 Feb 2025")],
    "handoff": [("2025-01-01", "Handed over by sales", "deal of USD 1,200")],
    "contract": [
        ("2026-02-27", "Contract renewed", "USD 1,300, Value"),
        ("2026-01-01", "Contract begins", "USD 1,300, until 1 Apr 2026"),
        ("2026-01-01", "Contract ends undecided", "USD 1,200"),
        ("2025-01-01", "Contract begins", "USD 1,200, until 1 Jan 2026"),
    ],
    "subscription": [
        ("2025-10-01", "Trial of P", ""),
        ("2025-09-01", "ARR up from USD 1,200 to USD 1,800", ""),
        ("2025-07-01", "Returned: ARR USD 1,200", "Desk"),
        ("2025-06-01", "Revenue ended: ARR was USD 1,200", "Desk"),
        ("2025-01-01", "First revenue: ARR USD 1,200", "Desk"),
    ],
    "cta": [
        ("2026-02-09", "Call to action: Red health", "risk"),
        ("2025-03-02", "Flagged: Sponsor left", "needs Product"),
        ("2025-03-01", "Call to action: Sponsor left", "risk"),
        ("2025-01-13", "Closed: Overdue: Live", "success"),
        ("2025-01-12", "Call to action: Overdue: Live", "lifecycle"),
    ],
    "contact": [
        ("2025-04-01", "Ann, decision maker, left", "for Globex"),
        ("2025-01-05", "Ann is the decision maker", ""),
    ],
    "risk": [
        (ago(1), "Action against the risk: Call the sponsor", "Cora, due on 9 Mar 2026, by dana"),
        (ago(1), "Cause of the risk: unclear return", "by dana"),
        (ago(1), "Plan against the risk", "Review the goal, by dana"),
    ],
    "opportunity": [
        (ago(1), "Opportunity dismissed: no budget (seats)", "by dana"),
        ("2025-09-01", "Expansion deal won: seats", "USD 600"),
        ("2025-08-02", "Expansion deal opened: limit", "USD 5"),
        ("2025-08-01", "Expansion deal opened: seats", "USD 600, Sam"),
    ],
    "renewal": [(ago(3), "Own call on the renewal: best case", "Budget is there, by cleo")],
    "promise": [
        ("2025-06-01", "Promise withdrawn: Import", ""),
        ("2025-06-01", "Promised: Import", ""),
        ("2025-05-20", "Promise kept: Connector", ""),
        ("2025-05-11", "Promise overdue: Connector", ""),
        ("2025-05-02", "Promised: Report", ""),
        ("2025-05-01", "Promised: Connector", "due on 10 May 2025"),
    ],
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_each_kind_of_entry_as_known_on_the_day(store: Store, kind: str) -> None:
    assert of(store, kind) == ENTRIES[kind]


def test_a_change_of_health_is_an_entry(store: Store) -> None:
    found = of(store, "health")
    assert found.pop(0) == (ago(1), "Health seen as red", "They told us, until 1 Apr 2026, by dana")
    weeks = store.rows(
        "select week_end, colour from account_week_health where account_id = 'a' and colour <> 'none' and week_end <= $d order by 1",
        d=D,
    )
    changes = [
        (now[0].isoformat(), f"Health went from {before[1]} to {now[1]}")
        for before, now in pairwise(weeks)
        if now[1] != before[1]
    ]
    assert [entry[:2] for entry in found] == changes[::-1]
    assert changes


def test_the_list_is_newest_first_and_counts_what_it_leaves_out(store: Store) -> None:
    everything = account_timeline(store, as_of=D, account_id="a", limit=1000)
    assert set(everything["kind"]) == set(KINDS) - {"week"}
    assert list(everything["day"]) == sorted(everything["day"], reverse=True)
    assert set(everything["total"]) == {len(everything)}
    short = account_timeline(store, as_of=D, account_id="a", limit=3)
    assert records(short) == records(everything.head(3))
    following = account_timeline(store, as_of=D, account_id="a", limit=3, offset=3)
    assert records(following) == records(everything.iloc[3:6])


def test_words_and_days_narrow_the_list(store: Store) -> None:
    def what(**options: object) -> list[str]:
        return list(account_timeline(store, as_of=D, account_id="a", **options)["what"])

    assert what(text="connector PROMISE kept") == ["Promise kept: Connector"]
    assert what(text="host Cora") == ["QBR held"]
    assert what(from_=day("2025-04-01"), to=day("2025-04-30")) == ["Ann, decision maker, left"]
    assert what(text="no such words") == []


def test_an_unknown_kind_is_refused_with_near_words(store: Store) -> None:
    with pytest.raises(MetricError, match=r"kind=tikket is not possible\. Did you mean 'ticket'"):
        account_timeline(store, as_of=D, account_id="a", kind=("tikket",))


def test_a_thousand_more_events_in_the_same_weeks_are_no_more_lines(tmp_path: Path) -> None:
    rows = {"accounts": [account("a", "2025-01-01")], "subscriptions": [line("a", "2025-01-01", None, 10)]}
    few = merged(rows, events("a", "used", range(0, 70, 7)))
    many = merged(rows, *[events("a", "used", range(0, 70, 7), f"u{user}") for user in range(100)])
    lines = [
        len(
            account_timeline(
                company(tmp_path / name, **given), as_of=D, account_id="a", kind=("week", "usage", "subscription")
            )
        )
        for name, given in {"few": few, "many": many}.items()
    ]
    assert lines == [12, 12]  # ten weeks, the first use, the first revenue

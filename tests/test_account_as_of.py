"""Random accounts: what their page says as of a day stays the same when anything dated later is added."""

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_metrics import periods
from cs_metrics.metrics import METRICS, run
from cs_metrics.store import Database
from cs_metrics.workspace.entries import NewEntry
from tests.support import account, company, day, line
from tests.test_onboarding_as_of import after, known

Rows = dict[str, list[dict[str, Any]]]
EVENTS = ("order_created", "login", "report_opened")
LAST = 420


def random_rows(seed: int) -> Rows:
    """Twelve accounts over fourteen months, with all that the account page reads."""
    chance = random.Random(seed)
    names = [f"a{number:02}" for number in range(12)]
    starts = {name: chance.randrange(60) for name in names}

    def some(name: str, most: int) -> list[int]:
        return sorted(starts[name] + chance.randrange(LAST - 60) for _ in range(chance.randrange(most + 1)))

    def maybe(on: int, within: int, likely: float = 0.7) -> str | None:
        return after(on + chance.randrange(within)) if chance.random() < likely else None

    rows: Rows = {
        "accounts": [
            account(name, after(starts[name]), segment="SMB", csm="cora", onboarding_manager="ann", employees=20)
            for name in names
        ],
        "subscriptions": [],
        "milestones": [
            {"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7},
            {"milestone_id": "m2", "name": "Order", "position": 2, "due_days": 60, "completes_on_event": EVENTS[0]},
        ],
        "products": [
            {"product_id": "P", "name": "Desk", "kind": "core", "is_core": True},
            {"product_id": "Q", "name": "Insights", "kind": "add_on", "milestone_id": "m2"},
        ],
        "product_events": [{"product_id": "P", "event": EVENTS[0]}, {"product_id": "Q", "event": EVENTS[2]}],
    }
    tables = "milestone_completions events users tickets surveys meetings messages contacts contracts opportunities"
    rows.update({name: [] for name in f"{tables} commitments outcomes ctas handoffs".split()})
    for name in names:
        start = starts[name]
        ends = start + chance.randrange(120, 300)
        rows["subscriptions"] += [
            line(
                name, after(start), after(ends) if chance.random() < 0.4 else None, 100 + start, product_id="P", seats=5
            ),
            line(name, after(start + 200), None, 50, product_id="Q", subscription_id=f"{name} more"),
        ]
        rows["milestone_completions"].append(
            {"account_id": name, "milestone_id": "m1", "completed_on": after(start + chance.randrange(90))}
        )
        for user in range(4):
            created = start + chance.randrange(200)
            gone = maybe(created + 30, 200, 0.3)
            rows["users"].append(
                {
                    "account_id": name,
                    "user_id": f"{name} u{user}",
                    "department": chance.choice(["Sales", "Legal"]),
                    "created_at": f"{after(created)}T08:00:00",
                    "deactivated_at": gone and f"{gone}T08:00:00",
                }
            )
        for on in some(name, 60):
            user = chance.choice([None, *(f"{name} u{number}" for number in range(4))])
            row = {
                "account_id": name,
                "event": chance.choice(EVENTS),
                "user_id": user,
                "occurred_at": f"{after(on)}T09:00:00",
            }
            rows["events"].append(row)
        for number, on in enumerate(some(name, 8)):
            closed, replied = maybe(on, 60), maybe(on, 5)
            rows["tickets"].append(
                {
                    "account_id": name,
                    "ticket_id": f"{name} t{number}",
                    "opened_at": f"{after(on)}T08:00:00",
                    "first_replied_at": replied and f"{replied}T09:00:00",
                    "closed_at": closed and f"{closed}T10:00:00",
                    "priority": chance.choice(["low", "urgent"]),
                    "kind": chance.choice(["bug", "request"]),
                    "product_id": "P",
                }
            )
        for on in some(name, 4):
            row = {
                "account_id": name,
                "kind": "nps",
                "score": chance.randrange(11),
                "answered_at": f"{after(on)}T08:00:00",
            }
            rows["surveys"].append({**row, "user_id": f"{name} u{on % 4}"})
        for on in some(name, 6):
            kind, held = chance.choice(["qbr", "training", "check_in"]), chance.random() < 0.7
            rows["meetings"].append({"account_id": name, "kind": kind, "scheduled_on": after(on), "was_held": held})
        for on in some(name, 4):
            opened = maybe(on, 9)
            rows["messages"].append(
                {
                    "account_id": name,
                    "kind": "check_in",
                    "sent_at": f"{after(on)}T08:00:00",
                    "opened_at": opened and f"{opened}T09:00:00",
                    "replied_at": opened and f"{opened}T10:00:00" if on % 2 else None,
                }
            )
        for number, role in enumerate(("sponsor", "decision_maker", "champion")):
            since = start + chance.randrange(100)
            left = maybe(since, 250, 0.4)
            row = {"account_id": name, "contact_id": f"{name} c{number}", "name": f"Person {number}", "role": role}
            rows["contacts"].append({**row, "since": after(since), "left_on": left, "moved_to": left and "Globex"})
        for term in range(2):
            begins, due = start + 180 * term, start + 180 * (term + 1)
            decided = maybe(due - 40, 80, 0.8)
            rows["contracts"].append(
                {
                    "contract_id": f"{name} k{term}",
                    "account_id": name,
                    "starts_on": after(begins),
                    "ends_on": after(due),
                    "arr": 1200,
                    "outcome": decided and chance.choice(["renewed", "churned"]),
                    "decided_on": decided,
                    "renewed_arr": 1300 if decided else None,
                    "reason": decided and "Value",
                    "renewed_until": decided and after(due + 180),
                    "competitor": None,
                    "discount_percent": None,
                }
            )
        for number, on in enumerate(some(name, 2)):
            closed = maybe(on, 60)
            rows["opportunities"].append(
                {
                    "opportunity_id": f"{name} o{number}",
                    "account_id": name,
                    "kind": "seats",
                    "opened_on": after(on),
                    "closed_on": closed,
                    "stage": chance.choice(["won", "lost"]) if closed else "open",
                    "arr": 500,
                    "won_with": closed and "Proof",
                }
            )
        for on in some(name, 4):
            row = {"account_id": name, "made_on": after(on), "promise": f"Promise {on}", "due_on": after(on + 20)}
            rows["commitments"].append({**row, "kept_on": maybe(on, 60)})
        rows["outcomes"] += [
            {
                "account_id": name,
                "metric": "sales",
                "month": str(periods.add_months(day("2024-03-01"), at)),
                "value": chance.randrange(50, 99),
            }
            for at in range(12)
        ]
        opened = start + chance.randrange(200)
        closed = maybe(opened, 90)
        rows["ctas"].append(
            {
                "cta_id": f"{name} cta",
                "account_id": name,
                "kind": "risk",
                "reason": "Slow",
                "opened_on": after(opened),
                "due_on": after(opened + 10),
                "owner": "ann",
                "flagged_on": after(opened + 4),
                "unflagged_on": maybe(opened + 5, 60, 0.5),
                "team_needed": "Product",
                "closed_on": closed,
                "closed_as": closed and "success",
            }
        )
        rows["handoffs"].append({"account_id": name, "paid_at": f"{after(start)}T08:00:00", "deal_value": 9000})
    return rows


def write(database: Database, name: str, on: str) -> None:
    """Let somebody write a note, a call to action and a promise that count from a day."""
    entries = [
        NewEntry("account", name, "note", note=f"Said on {on}"),
        NewEntry("cta", name, "open", body={"kind": "risk", "reason": f"Seen on {on}"}),
        NewEntry(
            "promise", name, "make", body={"promise": f"Given on {on}", "due_on": str(periods.add_days(day(on), 9))}
        ),
    ]
    database.workspace.write(entries, author="cleo", effective_on=day(on))


@pytest.mark.parametrize("seed", [21, 22])
def test_nothing_dated_later_changes_the_page_of_an_account(seed: int, tmp_path: Path) -> None:
    rows, on = random_rows(seed), after(random.Random(seed).randrange(200, 330))
    company(tmp_path / "later", **rows)
    company(tmp_path / "then", **known(rows, on))
    later, then = Database.open(tmp_path / "later"), Database.open(tmp_path / "then")
    names = [row["account_id"] for row in rows["accounts"]][::5]
    for name in names:
        for written in (str(periods.add_days(day(on), -30)), on, str(periods.add_days(day(on), 3))):
            for database in (later, then) if written <= on else (later,):
                write(database, name, written)
    compared = 0
    for metric in (one for one in METRICS.values() if one.page == "Account"):
        has_account = "account_id" in {option.argument for option in metric.options}
        for name in names if has_account else [""]:
            options = {"account_id": name} if has_account else {}
            was = run(then.current(), metric.name, as_of=day(on), options=options)
            now = run(later.current(), metric.name, as_of=day(on), options=options)
            # an id that is made anew for each entry is no fact of the company
            was, now = (one.drop(columns="promise_id", errors="ignore") for one in (was, now))
            pd.testing.assert_frame_equal(was, now, check_dtype=False, rtol=1e-9, obj=f"{metric.name} of {name}")
            compared += len(was) > 0
    assert compared > 35

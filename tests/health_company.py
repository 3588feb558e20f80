"""A random small company as plain rows, for the tests that compare health with naive Python."""

import datetime as dt
import random
from typing import Any

from tests.support import account, line

FIRST, LAST = dt.date(2024, 1, 1), dt.date(2024, 9, 30)
Rows = dict[str, list[dict[str, Any]]]


def _days(rng: random.Random, first: dt.date, count: int, last: dt.date = LAST) -> list[dt.date]:
    span = (last - first).days
    return [first + dt.timedelta(rng.randint(0, span)) for _ in range(count)] if span >= 0 else []


def at(day: dt.date) -> str:
    return f"{day}T10:00:00"


def random_company(seed: int, accounts: int = 6) -> Rows:
    """Return all tables that health reads; each account lacks some of them."""
    rng = random.Random(seed)
    rows: Rows = {name: [] for name in ("accounts", "subscriptions", "events", "users", "tickets", "surveys")}
    rows |= {name: [] for name in ("meetings", "messages", "contacts", "outcomes", "contracts", "milestones", "ctas")}
    rows["products"] = [
        {"product_id": "core", "name": "Core", "kind": "core"},
        {"product_id": "alone", "name": "Core without a list", "kind": "tier", "is_core": True},
        {"product_id": "extra", "name": "Extra", "kind": "add_on"},
    ]
    rows["product_events"] = [{"product_id": "core", "event": event} for event in ("order", "report")]
    rows["product_events"].append({"product_id": "extra", "event": "export"})
    for number in range(accounts):
        _account(rng, f"a{number}", rows)
    rows["milestones"] = [{"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 14}]
    return {name: found for name, found in rows.items() if found}


def _account(rng: random.Random, name: str, rows: Rows) -> None:
    start = FIRST + dt.timedelta(rng.choice([0, 0, 20, 60, 200]))
    rows["accounts"].append(
        account(name, str(start), segment=rng.choice(["SMB", "Enterprise", None]), csm=rng.choice(["Kim", "Lee"]))
    )
    ends = rng.choice([None, None, start + dt.timedelta(rng.randint(20, 250))])
    rows["subscriptions"].append(
        line(
            name,
            str(start),
            str(ends) if ends else None,
            rng.choice([100, 250]),
            seats=rng.choice([None, 0, 5, 8]),
            product_id="core",
        )
    )
    if rng.random() < 0.5:
        later = start + dt.timedelta(rng.randint(30, 150))
        rows["subscriptions"].append(
            line(name, str(later), str(later + dt.timedelta(90)), 40, seats=3, product_id=rng.choice(["core", "extra"]))
        )
    _use(rng, name, start, rows)
    for day in _days(rng, start, rng.choice([0, 1, 6])):
        closed = rng.choice([None, day + dt.timedelta(rng.randint(0, 40))])
        rows["tickets"].append(
            {
                "ticket_id": f"{name}-{len(rows['tickets'])}",
                "account_id": name,
                "opened_at": at(day),
                "closed_at": at(closed) if closed else None,
                "priority": rng.choice(["urgent", "normal", None]),
                "kind": rng.choice(["bug", "request", None]),
            }
        )
    for index, day in enumerate(_days(rng, start, rng.choice([0, 1, 5]))):
        kind = rng.choice(["nps", "csat"])
        score = rng.randint(0, 10) if kind == "nps" else rng.randint(1, 5)
        rows["surveys"].append(
            {"account_id": name, "kind": kind, "score": score, "answered_at": at(day), "user_id": f"u{index}"}
        )
    for day in sorted(set(_days(rng, start, rng.choice([0, 2, 5]), LAST + dt.timedelta(20)))):
        rows["meetings"].append(
            {"account_id": name, "kind": "qbr", "scheduled_on": str(day), "was_held": rng.choice([True, False, None])}
        )
    for day in sorted(set(_days(rng, start, rng.choice([0, 3])))):
        replied = rng.choice([None, day + dt.timedelta(rng.randint(0, 30))])
        rows["messages"].append(
            {"account_id": name, "sent_at": at(day), "kind": "check_in", "replied_at": at(replied) if replied else None}
        )
    for index in range(rng.choice([0, 1, 2])):
        left = rng.choice([None, *_days(rng, start, 1)])
        rows["contacts"].append(
            {
                "contact_id": f"{name}-c{index}",
                "account_id": name,
                "role": rng.choice(["sponsor", "decision_maker", "champion"]),
                "since": rng.choice([None, str(start + dt.timedelta(10))]),
                "left_on": str(left) if left else None,
            }
        )
    for metric in rng.sample(["sales", "orders"], rng.choice([0, 1, 2])):
        for month in range(1, 10):
            if rng.random() < 0.93:
                rows["outcomes"].append(
                    {
                        "account_id": name,
                        "metric": metric,
                        "month": f"2024-{month:02d}-01",
                        "value": rng.choice([0, 1, 2.5, 4, 7]),
                    }
                )
    if rng.random() < 0.7:
        end = start + dt.timedelta(rng.choice([120, 180, 365]))
        rows["contracts"].append(
            {"contract_id": f"{name}-k", "account_id": name, "starts_on": str(start), "ends_on": str(end), "arr": 1200}
        )
    if rng.random() < 0.4:
        opened = _days(rng, start, 1)
        closed = opened[0] + dt.timedelta(30)
        rows["ctas"].append(
            {
                "cta_id": f"{name}-cta",
                "account_id": name,
                "kind": "risk",
                "reason": "wrong fit",
                "opened_on": str(opened[0]),
                "closed_on": rng.choice([None, str(closed)]),
            }
        )


def _use(rng: random.Random, name: str, start: dt.date, rows: Rows) -> None:
    people = [f"{name}-u{index}" for index in range(rng.choice([0, 2, 6]))]
    for person in people:
        created = rng.choice([None, at(start + dt.timedelta(rng.randint(0, 60)))])
        gone = rng.choice([None, None, at(LAST - dt.timedelta(40))])
        rows["users"].append({"account_id": name, "user_id": person, "created_at": created, "deactivated_at": gone})
    for day in _days(rng, start, rng.choice([0, 25, 80])):
        rows["events"].append(
            {
                "account_id": name,
                "event": rng.choice(["order", "report", "export", "login"]),
                "occurred_at": at(day),
                "user_id": rng.choice([*people, None]),
                "product_id": rng.choice([None, None, "alone", "extra"]),
            }
        )

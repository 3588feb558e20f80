"""Rows of customers that succeed: each is green on D by daily use, a promoter's answer and a meeting that was held."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from tests.support import account, day, line

D = day("2026-03-01")  # a Sunday, so that the last complete week ends on it
Rows = dict[str, list[dict[str, Any]]]


def ago(days: int) -> str:
    return (D - dt.timedelta(days=days)).isoformat()


def customer(
    account_id: str,
    *,
    mrr: float = 1000,
    seats: int | None = 100,
    active: int = 8,
    days: int = 20,
    is_green: bool = True,
    product_id: str | None = "CORE",
    **more: Any,
) -> Rows:
    """A customer since 2024 with one line; `active` users on each of `days` days of the last four weeks."""
    rows: Rows = {
        "accounts": [
            account(account_id, "2024-01-01", **{"segment": "SMB", "csm": "Cora", "salesperson": "Sam", **more})
        ],
        "subscriptions": [line(account_id, "2024-01-01", None, mrr, seats=seats, product_id=product_id)],
        "events": [
            {"account_id": account_id, "event": "used", "occurred_at": f"{ago(back)}T09:00:00", "user_id": f"u{user}"}
            for back in range(days)
            for user in range(active)
        ],
    }
    if is_green:
        rows["surveys"] = [
            {"account_id": account_id, "kind": "nps", "score": 10, "answered_at": f"{ago(100)}T09:00:00"}
        ]
        rows["meetings"] = [{"account_id": account_id, "kind": "check_in", "scheduled_on": ago(5), "was_held": True}]
    return rows


def events(account_id: str, event: str, days: Iterable[int], user_id: str = "u0") -> Rows:
    rows = [
        {"account_id": account_id, "event": event, "occurred_at": f"{ago(back)}T10:00:00", "user_id": user_id}
        for back in days
    ]
    return {"events": rows}


def users(account_id: str, departments: dict[str, int], created: str = "2024-01-01", start: int = 0) -> Rows:
    """So many users per department; their ids go on from `start`, in the order given."""
    named = [name for name, count in departments.items() for _ in range(count)]
    return {
        "users": [
            {
                "account_id": account_id,
                "user_id": f"u{start + at}",
                "department": name,
                "created_at": f"{created}T08:00:00",
            }
            for at, name in enumerate(named)
        ]
    }


def one(table: str, account_id: str, **row: Any) -> Rows:
    return {table: [{"account_id": account_id, **row}]}


def merged(*parts: Rows) -> Rows:
    found: Rows = {}
    for part in parts:
        for table, rows in part.items():
            found.setdefault(table, []).extend(rows)
    return found

"""Small companies with contracts, for the tests of renewals and of the forecast."""

import datetime as dt
from pathlib import Path
from typing import Any

from cs_metrics.store import Store
from tests.support import account, company, line

Row = dict[str, Any]


def contract(contract_id: str, ends_on: str, *, starts_on: str = "2023-01-01", arr: float = 1000, **more: Any) -> Row:
    """A contract of its own account, unless one is given."""
    return {
        "contract_id": contract_id,
        "account_id": more.pop("account_id", contract_id),
        "starts_on": starts_on,
        "ends_on": ends_on,
        "arr": arr,
        **more,
    }


def renewed(
    contract_id: str, ends_on: str, decided_on: str, *, arr: float = 1000, to: float | None = None, **more: Any
) -> Row:
    """A contract that was renewed, at its old amount unless `to` says otherwise."""
    amount = arr if to is None else to
    return contract(contract_id, ends_on, arr=arr, outcome="renewed", decided_on=decided_on, renewed_arr=amount, **more)


def lost(contract_id: str, ends_on: str, decided_on: str, **more: Any) -> Row:
    return contract(contract_id, ends_on, outcome="churned", decided_on=decided_on, **more)


def sellers(folder: Path, contracts: list[Row], *, segments: dict[str, str] | None = None, **more: Any) -> Store:
    """Publish contracts with an account for each of them; every account pays 1 a month from 2023 on unless lines are given."""
    names = sorted({str(row["account_id"]) for row in contracts})
    accounts = [account(name, "2023-01-01", segment=(segments or {}).get(name, "SMB")) for name in names]
    lines = more.pop("subscriptions", None) or [line(name, "2023-01-01", None, 1) for name in names]
    return company(folder, accounts=accounts, subscriptions=lines, contracts=contracts, **more)


def answers(name: str, first: str, last: str, score: int) -> list[Row]:
    """NPS answers every 60 days: 10 turns an account green, 0 red, where nothing else is measured."""
    day, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    found = []
    while day <= end:
        found.append({"account_id": name, "kind": "nps", "score": score, "answered_at": f"{day}T10:00:00"})
        day += dt.timedelta(60)
    return found


def history(renewed_of: dict[tuple[str, str], tuple[int, int]]) -> tuple[list[Row], list[Row], dict[str, str]]:
    """Past decisions by (segment, colour) → (renewed, lost): contracts, NPS answers and segments.

    All contracts run through 2023 and are decided ten days before their end on the last day of the year.
    """
    contracts: list[Row] = []
    surveys: list[Row] = []
    segments: dict[str, str] = {}
    for (segment, colour), counts in renewed_of.items():
        for outcome, count in zip((renewed, lost), counts, strict=True):
            for at in range(count):
                name = f"{segment} {colour} {outcome.__name__} {at}"
                segments[name] = segment
                contracts.append(outcome(name, "2023-12-31", "2023-12-21"))
                surveys += answers(name, "2023-02-01", "2024-12-31", {"green": 10, "red": 0}[colour])
    return contracts, surveys, segments

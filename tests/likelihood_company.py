"""A company whose renewals hang on one thing, for the tests of the learned likelihood."""

import datetime as dt
from pathlib import Path
from typing import Any

from cs_metrics.store import Store
from tests.support import account, company, line

Row = dict[str, Any]
FIRST_END, QUARTERS, PER_QUARTER = dt.date(2022, 1, 20), 10, 24
NEWEST = "2024-06-30"


def rows() -> dict[str, list[Row]]:
    """Yearly contracts of one account each, about two a week; of those whose sponsor left, three in four are lost.

    Of the others one in twelve is lost. The last quarter is still undecided on `NEWEST`.
    """
    tables: dict[str, list[Row]] = {"accounts": [], "subscriptions": [], "contracts": [], "contacts": [], "tickets": []}
    for at in range(QUARTERS * PER_QUARTER + PER_QUARTER):
        name, ends = f"a{at:03d}", FIRST_END + dt.timedelta(at * 91 // PER_QUARTER)
        starts = ends - dt.timedelta(365)
        left = at % 3 == 0
        is_lost = at % 12 != 0 if left else at % 12 == 7
        decided = ends - dt.timedelta(at % 20)
        tables["accounts"].append(account(name, str(starts), segment="SMB"))
        tables["subscriptions"].append(line(name, str(starts), str(ends) if is_lost else None, 100))
        is_known = str(decided) <= NEWEST
        tables["contracts"].append(
            {
                "contract_id": f"c{at:03d}",
                "account_id": name,
                "starts_on": str(starts),
                "ends_on": str(ends),
                "arr": 1200,
                **({"outcome": "churned" if is_lost else "renewed", "decided_on": str(decided)} if is_known else {}),
            }
        )
        gone = str(ends - dt.timedelta(200)) if left else None
        who = {"contact_id": f"p{at}", "account_id": name, "role": "sponsor", "since": str(starts), "left_on": gone}
        tables["contacts"].append(who)
    last = {"ticket_id": "newest", "account_id": "a001", "opened_at": f"{NEWEST}T10:00:00"}
    tables["tickets"].append(last)
    return tables


def learned(folder: Path, **more: list[Row]) -> Store:
    """Publish `rows`, with more rows of any table."""
    tables = rows()
    for name, added in more.items():
        tables[name] = [*tables.get(name, []), *added]
    return company(folder, **tables)

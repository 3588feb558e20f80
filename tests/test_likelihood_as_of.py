"""A learned likelihood sees nothing of what comes after: neither later facts nor what the outcome itself leaves behind."""

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_metrics.metrics import run
from cs_metrics.metrics.likelihood_parts import likelihood_parts
from cs_metrics.store import Store
from tests.likelihood_company import NEWEST, Row, learned, rows
from tests.support import account, company, day, line

CUT = "2023-11-15"
METRICS = ("renewal_pipeline", "likelihood_card", "likelihood_reliability", "likelihood_factors", "renewals_summary")
TABLES = ("renewal_training", "renewal_trial", "renewal_shuffled", "renewal_direction", "renewal_score", "renewal_part")


def bystander() -> dict[str, list[Row]]:
    """A customer without contract whose events, tickets and answers begin before all others: its data exists all along."""
    days = [str(dt.date(2021, 1, 21) + dt.timedelta(28 * at)) for at in range(45)]
    return {
        "accounts": [account("z", "2021-01-01")],
        "subscriptions": [line("z", "2021-01-01", None, 10)],
        "events": [{"account_id": "z", "event": "order_created", "occurred_at": f"{one}T09:00:00"} for one in days],
        "tickets": [{"ticket_id": f"z{one}", "account_id": "z", "opened_at": f"{one}T09:00:00"} for one in days],
        "surveys": [{"account_id": "z", "kind": "nps", "score": 8, "answered_at": f"{one}T09:00:00"} for one in days],
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return learned(tmp_path_factory.mktemp("whole"), **bystander())


def known_on(tables: dict[str, list[Row]], on: str) -> dict[str, list[Row]]:
    """Return the rows as an export at the end of that day would have held them."""
    born = {"accounts": "started_on", "subscriptions": "starts_on", "contracts": "starts_on", "contacts": "since"}
    born |= {"tickets": "opened_at", "events": "occurred_at", "surveys": "answered_at"}
    found: dict[str, list[Row]] = {}
    for name, given in tables.items():
        found[name] = [dict(row) for row in given if str(row[born[name]])[:10] <= on]
        for row in found[name]:
            if name == "contracts" and str(row.get("decided_on", "")) > on:
                del row["decided_on"], row["outcome"]
            for column in ("left_on", "ends_on"):
                if name in ("contacts", "subscriptions") and str(row.get(column) or "") > on:
                    row[column] = None
    return found


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Store:
    tables = rows()
    for name, added in bystander().items():
        tables[name] = [*tables.get(name, []), *added]
    return company(tmp_path_factory.mktemp("cut"), **known_on(tables, CUT))


@pytest.mark.parametrize("name", METRICS)
def test_nothing_known_later_changes_what_a_model_says(name: str, whole: Store, cut: Store) -> None:
    earlier, later = (run(one, name, as_of=day(CUT)) for one in (cut, whole))
    pd.testing.assert_frame_equal(earlier, later, check_dtype=False, rtol=1e-9)


def test_a_model_is_in_use_on_that_day(whole: Store, cut: Store) -> None:
    card = run(cut, "likelihood_card", as_of=day(CUT)).iloc[0]
    assert card["is_used"]
    assert card["model"].endswith("of past decisions")
    ids = run(cut, "renewal_pipeline", as_of=day(CUT))["contract_id"].tolist()
    pd.testing.assert_frame_equal(*(likelihood_parts(one, ids, day(CUT)) for one in (cut, whole)))


def after_the_outcome() -> dict[str, list[Row]]:
    """What a lost customer leaves behind once the decision has fallen: use, a ticket, an answer, a person who goes."""
    found: dict[str, list[Row]] = {"events": [], "tickets": [], "surveys": [], "contacts": []}
    for row in rows()["contracts"]:
        if row.get("outcome") == "churned":
            who = str(row["account_id"])
            on = f"{dt.date.fromisoformat(str(row['decided_on'])) + dt.timedelta(1)}T09:00:00"
            found["events"].append({"account_id": who, "event": "data_exported", "occurred_at": on})
            found["tickets"].append(
                {"ticket_id": f"bye {who}", "account_id": who, "opened_at": on, "priority": "urgent"}
            )
            found["surveys"].append({"account_id": who, "kind": "nps", "score": 0, "answered_at": on})
            gone = {
                "contact_id": f"bye {who}",
                "account_id": who,
                "role": "decision_maker",
                "since": on[:10],
                "left_on": on[:10],
            }
            found["contacts"].append(gone)
    return {
        name: [row for row in rows_ if str(row.get("left_on", "2000-01-01")) <= NEWEST] for name, rows_ in found.items()
    }


def test_what_the_outcome_leaves_behind_enters_no_score_and_no_importance(whole: Store, tmp_path: Path) -> None:
    more: dict[str, Any] = after_the_outcome()
    assert len(more["events"]) > 50
    tables = rows()
    lost = {row["account_id"] for row in tables["contracts"] if row.get("outcome") == "churned"}
    for row in tables["accounts"]:
        told = row["account_id"] in lost
        row |= {"plan": "none" if told else "paid", "region": "gone" if told else "EU", "employees": 0 if told else 9}
    for given in (bystander(), more):
        for name, added in given.items():
            tables[name] = [*tables.get(name, []), *added]
    leaky = company(tmp_path, **tables)
    for table in TABLES:
        sql = f"select * from {table} order by all"
        pd.testing.assert_frame_equal(leaky.frame(sql), whole.frame(sql), obj=table)
    for name in METRICS[1:4]:
        pd.testing.assert_frame_equal(*(run(one, name, as_of=day(NEWEST)) for one in (leaky, whole)))

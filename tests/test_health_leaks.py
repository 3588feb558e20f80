"""What becomes known only after an outcome enters no score, no back-test and no suggested weights."""

from typing import Any

import pandas as pd
import pytest

from cs_metrics.metrics import run
from cs_metrics.store import Store
from tests.support import account, company, day, line

LEFT, AS_OF = "2024-05-20", day("2024-06-30")  # every third account leaves on that day
NAMES = [f"a{number:02}" for number in range(45)]
LEAVERS = set(NAMES[::3])


def rows(with_leaks: bool) -> dict[str, list[dict[str, Any]]]:
    """Forty-five accounts; with leaks those who left say so afterwards in every table that a score could read."""
    found: dict[str, list[dict[str, Any]]] = {
        "accounts": [
            account(one, industry="Former customer" if with_leaks and one in LEAVERS else "Trade") for one in NAMES
        ],
        "subscriptions": [line(one, "2024-01-01", LEFT if one in LEAVERS else None, 10, seats=3) for one in NAMES],
        "events": [
            {"account_id": one, "event": "login", "occurred_at": f"2024-0{month}-1{at % 9}T09:00:00", "user_id": "u"}
            for at, one in enumerate(NAMES)
            for month in range(1, 7)
            if not (one in LEAVERS and month == 6)
        ],
        "surveys": [
            {"account_id": one, "kind": "nps", "score": at % 11, "answered_at": "2024-02-01T09:00:00"}
            for at, one in enumerate(NAMES)
        ],
        "tickets": [{"ticket_id": one, "account_id": one, "opened_at": "2024-02-03T09:00:00"} for one in NAMES[::2]],
        "messages": [{"account_id": "a01", "kind": "check_in", "sent_at": "2024-08-31T09:00:00"}],
    }
    if with_leaks:
        for one in LEAVERS:
            gone = {"account_id": one}
            found["events"].append(
                {**gone, "event": "account_closed", "occurred_at": f"{LEFT}T10:00:00", "user_id": "u"}
            )
            found["tickets"].append({**gone, "ticket_id": f"exit {one}", "opened_at": f"{LEFT}T11:00:00"})
            found["tickets"][-1]["priority"] = "urgent"
            found["surveys"].append({**gone, "kind": "nps", "score": 0, "answered_at": "2024-05-21T09:00:00"})
    return found


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Store]:
    plain, leaking = tmp_path_factory.mktemp("plain"), tmp_path_factory.mktemp("leaking")
    return company(plain, **rows(False)), company(leaking, **rows(True))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("health", {}),
        ("health_backtest", {}),
        ("health_backtest", {"horizon_days": "60", "snapshots": "2"}),
        ("health_backtest_deciles", {}),
        ("health_backtest_groups", {"by": "csm"}),
        ("health_backtest_history", {}),
        ("health_weights_suggested", {}),
        ("health_trend", {}),
        ("health_migration", {}),
    ],
)
def test_what_leavers_say_afterwards_changes_nothing(
    stores: tuple[Store, Store], name: str, options: dict[str, str]
) -> None:
    plain, leaking = (run(one, name, as_of=AS_OF, options=options) for one in stores)
    assert len(plain) > 0
    pd.testing.assert_frame_equal(plain, leaking, obj=name)


def test_the_leaks_are_there_and_tell_everything(stores: tuple[Store, Store]) -> None:
    told = "select distinct account_id from event_first where event = 'account_closed'"
    assert {row[0] for row in stores[1].rows(told)} == LEAVERS
    assert run(stores[0], "health_backtest", as_of=AS_OF)["lost"].sum() == len(LEAVERS)

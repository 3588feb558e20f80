"""Nothing about health as of a day changes when facts dated after it become known."""

import datetime as dt

import pandas as pd
import pytest

from cs_metrics.metrics import run
from tests.health_company import Rows, random_company
from tests.support import company, day

BORN = {
    "accounts": "started_on",
    "subscriptions": "starts_on",
    "events": "occurred_at",
    "users": "created_at",
    "tickets": "opened_at",
    "surveys": "answered_at",
    "meetings": "scheduled_on",
    "messages": "sent_at",
    "contacts": "since",
    "contracts": "starts_on",
    "ctas": "opened_on",
}
ENDS = {
    "subscriptions": "ends_on",
    "users": "deactivated_at",
    "tickets": "closed_at",
    "messages": "replied_at",
    "contacts": "left_on",
    "ctas": "closed_on",
}
ASKED = {
    "health": {},
    "health_summary": {},
    "health_distribution": {"by": "segment"},
    "health_trend": {"weeks": "12"},
    "health_migration": {"from": "2024-04-10"},
    "health_backtest": {"horizon_days": "60"},
    "health_backtest_deciles": {"horizon_days": "60", "snapshots": "2"},
    "health_backtest_groups": {"horizon_days": "30", "by": "csm"},
    "health_backtest_history": {"horizon_days": "60"},
    "health_weights_suggested": {},
    "health_weights": {},
    "health_overrides": {},
    "end_user_health": {},
    "at_risk": {"min_signs": "1"},
    "busy_but_not_winning": {},
    "advocates": {},
}


def known_on(rows: Rows, as_of: dt.date) -> Rows:
    """Return the rows as they were known at the end of the day."""

    def is_later(text: str | None) -> bool:
        return bool(text) and day(str(text)[:10]) > as_of

    found: Rows = {}
    for name, table in rows.items():
        kept = [dict(row) for row in table if not is_later(row.get(BORN.get(name, "")))]
        for row in kept:
            if name in ENDS and is_later(row.get(ENDS[name])):
                row[ENDS[name]] = None
        if name == "outcomes":
            kept = [row for row in kept if (pd.Timestamp(row["month"]) + pd.offsets.MonthEnd(0)).date() <= as_of]
        if kept:
            found[name] = kept
    return found


# A month's end on a Sunday, when the newest fact may lie days before; the middle of a week; a day of the renewal stage.
@pytest.mark.parametrize("as_of", [dt.date(2024, 6, 30), dt.date(2024, 7, 17), dt.date(2024, 9, 2)])
def test_later_facts_change_nothing(as_of: dt.date, tmp_path_factory: pytest.TempPathFactory) -> None:
    rows = random_company(as_of.day, accounts=16)
    whole = company(tmp_path_factory.mktemp("whole"), **rows)
    then = company(tmp_path_factory.mktemp("then"), **known_on(rows, as_of))
    for name, options in ASKED.items():
        expected = run(then, name, as_of=as_of, options=options)
        pd.testing.assert_frame_equal(
            run(whole, name, as_of=as_of, options=options), expected, check_dtype=False, obj=name
        )
    assert len(run(then, "health", as_of=as_of)) > 5
    assert len(run(then, "at_risk", as_of=as_of, options={"min_signs": "1"})) > 0

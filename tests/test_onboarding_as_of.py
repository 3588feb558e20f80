"""Random companies: what the onboarding page says as of a day stays the same when anything dated later is added."""

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
from tests.test_as_of import as_known_on

START = "2024-01-01"
EVENTS = ("order_created", "login", "report_opened", "invited")


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def random_rows(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Fifty accounts that start over five months, with all that the onboarding page reads."""
    chance = random.Random(seed)
    starts = {f"a{number:02}": chance.randrange(150) for number in range(50)}
    stays = {name: chance.choice([None, None, start + chance.randrange(20, 150)]) for name, start in starts.items()}
    events, completions, ctas, handoffs, messages = [], [], [], [], []
    for name, start in starts.items():
        for _ in range(chance.randrange(40)):
            on = start + int(chance.expovariate(1 / 40))
            if stays[name] is None or on < stays[name]:
                events.append(
                    {
                        "account_id": name,
                        "event": chance.choice(EVENTS),
                        "occurred_at": f"{after(on)}T10:00:00",
                        "user_id": chance.choice(["", f"{name} u1", f"{name} u2"]),
                    }
                )
        for milestone, usual in (("m1", 6), ("m2", 25)):
            if chance.random() < 0.8:
                on = after(start + int(chance.expovariate(1 / usual)))
                completions.append({"account_id": name, "milestone_id": milestone, "completed_on": on})
        opened = start + chance.randrange(80)
        flagged = opened + chance.randrange(15) if chance.random() < 0.5 else None
        ctas.append(
            {
                "cta_id": f"c{name}",
                "account_id": name,
                "kind": "risk",
                "reason": "Slow",
                "opened_on": after(opened),
                "due_on": after(opened + 10),
                "owner": "ann",
                "flagged_on": None if flagged is None else after(flagged),
                "unflagged_on": after(flagged + 9) if flagged is not None and chance.random() < 0.4 else None,
                "team_needed": None if flagged is None else "Product",
                "closed_on": after(opened + chance.randrange(40)) if chance.random() < 0.5 else None,
                "closed_as": "success",
            }
        )
        handoffs.append(
            {
                "account_id": name,
                "paid_at": f"{after(start)}T08:00:00",
                "deal_value": chance.choice([9_000, 40_000]),
                "sales_cycle_days": chance.choice([20, 90, None]),
                "implementation_days": chance.choice([10, 60]),
                **{f"has_{part}": chance.random() < 0.8 for part in ("profile", "order", "technical_needs")},
                "has_expected_outcomes": chance.random() < 0.7,
            }
        )
        sent = start + chance.randrange(4)
        messages.append(
            {
                "account_id": name,
                "sent_at": f"{after(sent)}T08:20:00",
                "kind": "welcome",
                "opened_at": f"{after(sent + chance.randrange(9))}T08:00:00" if chance.random() < 0.7 else None,
                "replied_at": None,
            }
        )
    return {
        "accounts": [
            account(
                name, after(start), segment=chance.choice(["SMB", "Mid"]), onboarding_manager="ann", salesperson="sam"
            )
            for name, start in starts.items()
        ],
        "subscriptions": [
            line(name, after(start), None if stays[name] is None else after(stays[name]), 50 + start)
            for name, start in starts.items()
        ],
        "milestones": [
            {"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7},
            {"milestone_id": "m2", "name": "Set-up", "position": 2, "due_days": 30, "segment": "SMB"},
            {"milestone_id": "m3", "name": "Order", "position": 3, "due_days": 60, "completes_on_event": EVENTS[0]},
        ],
        "milestone_completions": completions,
        "ctas": ctas,
        "handoffs": handoffs,
        "messages": messages,
        "events": events,
    }


def known(rows: dict[str, list[dict[str, Any]]], on: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows as they were known at the end of a day."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, given in rows.items():
        frame = as_known_on(name, pd.DataFrame(given).astype(object), day(on))
        if found and "account_id" in frame:
            frame = frame[frame["account_id"].isin({one["account_id"] for one in found["accounts"]})]
        found[name] = [
            {key: None if value is None or value != value else value for key, value in row.items()}
            for row in frame.to_dict("records")
        ]
    return found


@pytest.mark.parametrize("seed", [11, 12])
def test_nothing_dated_later_changes_a_past_day(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    rows, on = random_rows(seed), after(chance.randrange(120, 200))
    company(tmp_path / "later", **rows)
    company(tmp_path / "then", **known(rows, on))
    later, then = Database.open(tmp_path / "later"), Database.open(tmp_path / "then")
    calls = then.current().rows("select cta_id, account_id, opened_on from cta order by cta_id")
    assert len(calls) > 20
    for cta_id, account_id, opened_on in calls[::3]:
        for more in (0, 5, 60):
            action, body = ("flag", {"team_needed": "Legal"}) if more == 0 else ("assign", {"owner": f"p{more}"})
            entry = NewEntry("cta", account_id, action, subject=cta_id, note=f"said {more}", body=body)
            counts_from = periods.add_days(opened_on, more)
            for database in (later, then) if counts_from <= day(on) else (later,):
                database.workspace.write([entry], author="cleo", effective_on=counts_from)
    compared = 0
    for name, one in METRICS.items():
        if one.page != "Onboarding":
            continue
        options = {"account_id": "a01"} if "account_id" in {option.argument for option in one.options} else {}
        if options and day(on) < day(next(a["started_on"] for a in rows["accounts"] if a["account_id"] == "a01")):
            continue
        was = run(then.current(), name, as_of=day(on), options=options)
        now = run(later.current(), name, as_of=day(on), options=options)
        if name == "cta_history":  # when it was written down is real time, and differs between the two logs
            was, now = was.drop(columns="written_at"), now.drop(columns="written_at")
        pd.testing.assert_frame_equal(was, now, check_dtype=False, rtol=1e-9, obj=name)
        compared += 1
    assert compared >= 20

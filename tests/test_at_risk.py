"""Signs, causes and plans of accounts at risk, and the two lists beside them, on given rows."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from cs_metrics.errors import MissingTable
from cs_metrics.metrics import run
from cs_metrics.metrics.at_risk import SIGNS
from cs_metrics.store import Store
from tests.support import account, company, line, records

AS_OF = dt.date(2024, 6, 30)  # a Sunday; 90 days before is 1 April, 270 days before 4 October


def days_before(days: int) -> str:
    return str(AS_OF - dt.timedelta(days))


def time_before(days: int) -> str:
    return f"{days_before(days)}T09:00:00"


def shop(folder: Path, cases: dict[str, dict[str, Any]], **tables: list[dict[str, Any]]) -> Store:
    """One account per case, which gives its own rows of each table, beside one that is active every day of the last year."""
    use = [
        {"account_id": "z", "event": "login", "occurred_at": time_before(step), "user_id": "z1"} for step in range(360)
    ]
    rows: dict[str, list[dict[str, Any]]] = {"events": use, **tables}
    rows["accounts"], rows["subscriptions"] = [account("z", "2023-01-01")], [line("z", "2023-01-01", None, 1, seats=1)]
    for name, given in cases.items():
        started_on = given.get("started_on", "2023-01-01")
        rows["accounts"].append(account(name, started_on, csm="Kim"))
        rows["subscriptions"].append(line(name, started_on, None, 100, seats=10))
        for table, own in given.items():
            if table != "started_on":
                rows.setdefault(table, []).extend({"account_id": name, **_unique(name, row)} for row in own)
    return company(folder, **rows)


def _unique(name: str, row: dict[str, Any]) -> dict[str, Any]:
    return {
        column: f"{name} {value}" if column in ("ticket_id", "contact_id", "cta_id") else value
        for column, value in row.items()
    }


def risks(store: Store) -> dict[str, dict[str, Any]]:
    """Return the row of each listed account by its name; one sign is enough to be listed."""
    found = run(store, "at_risk", as_of=AS_OF, options={"min_signs": "1"}).astype(object)
    found = found.where(found.notna(), None)
    return {
        str(row["account_id"]): {str(name): value for name, value in row.items()} for row in found.to_dict("records")
    }


IDLE = [{"event": "login", "occurred_at": time_before(2), "user_id": "u1"}]  # low use lists an account
SILENT = [{"kind": "qbr", "scheduled_on": days_before(day), "was_held": False} for day in (5, 9)]  # and so does this


def used(users: int, days: range, times: int = 1) -> list[dict[str, Any]]:
    """`users` users, each on the days so many days before, so many times a day."""
    return [
        {"event": "login", "occurred_at": f"{days_before(day)}T{10 + time:02d}:00:00", "user_id": f"u{user}"}
        for user in range(users)
        for day in days
        for time in range(times)
    ]


def meeting(days: int, held: bool | None) -> dict[str, Any]:
    return {"kind": "qbr", "scheduled_on": days_before(days), "was_held": held}


def message(days: int, replied: int | None = None) -> dict[str, Any]:
    return {
        "kind": "check_in",
        "sent_at": time_before(days),
        "replied_at": None if replied is None else time_before(replied),
    }


def ticket(number: int, opened: int, closed: int | None = None, **more: Any) -> dict[str, Any]:
    return {
        "ticket_id": f"t{number}",
        "opened_at": time_before(opened),
        "closed_at": None if closed is None else time_before(closed),
        **more,
    }


def answer(days: int, score: int = 8) -> dict[str, Any]:
    return {"kind": "nps", "score": score, "answered_at": time_before(days)}


def results(before: int, after: int) -> list[dict[str, Any]]:
    return [
        {"metric": "sales", "month": f"2024-{at:02d}-01", "value": before if at < 4 else after} for at in range(1, 7)
    ]


def test_few_seats_is_below_the_threshold_of_seats_active(tmp_path: Path) -> None:
    cases = {f"{users} users": {"events": used(users, range(27)), "meetings": SILENT} for users in (3, 4)}
    found = risks(shop(tmp_path, cases))
    assert [(found[name]["few_seats"], found[name]["evidence"]) for name in cases] == [
        (True, "3 of 10 seats active in 28 days; 0 of 2 meetings held in 90 days"),
        (False, "0 of 2 meetings held in 90 days"),
    ]


def test_low_use_is_on_few_days_or_falling(tmp_path: Path) -> None:
    events = {
        "few days": used(5, range(4)),
        "enough days": used(5, range(5)),
        "falling": used(5, range(14)) + used(5, range(28, 48)),
        "falling a little": used(5, range(15)) + used(5, range(28, 48)),
        "never": [],
    }
    found = risks(shop(tmp_path, {name: {"events": rows, "meetings": SILENT} for name, rows in events.items()}))
    assert {name: (found[name]["low_use"], found[name]["evidence"].partition("0 of 2")[0]) for name in events} == {
        "few days": (True, "used on 4 of 28 days; "),
        "enough days": (False, ""),
        "falling": (True, "uses in 28 days fell by 30%, from 100 to 70; "),
        "falling a little": (False, ""),
        "never": (True, "no use recorded in the 546 days since the start; "),
    }


def test_feedback_stopped_when_there_was_some_before(tmp_path: Path) -> None:
    given = {
        "tickets stopped": [ticket(1, 100, 99), ticket(2, 200, 199)],
        "both stopped": [ticket(1, 100, 99), answer(269)],
        "too little before": [ticket(1, 100, 99), answer(270)],
        "an answer now": [ticket(1, 100, 99), ticket(2, 200, 199), answer(89)],
        "at the edge": [ticket(1, 90, 89), ticket(2, 91, 90)],
        "nothing lately": [answer(300)],
    }
    cases = {
        name: {
            "events": IDLE,
            "tickets": [row for row in rows if "ticket_id" in row],
            "surveys": [row for row in rows if "score" in row],
        }
        for name, rows in given.items()
    }
    found = risks(shop(tmp_path, cases))
    assert {name: found[name]["no_feedback"] for name in given} == {
        "tickets stopped": True,
        "both stopped": True,
        "too little before": False,
        "an answer now": False,
        "at the edge": True,
        "nothing lately": None,
    }
    words = "no ticket or answer in 90 days, 2 in the 180 days before"
    assert [name for name in given if words in found[name]["evidence"]] == [
        "tickets stopped",
        "both stopped",
        "at the edge",
    ]


def test_contact_is_avoided_when_attempts_stay_without_answer(tmp_path: Path) -> None:
    given = {
        "no meeting held": [meeting(5, False), meeting(20, None)],
        "neither": [meeting(5, False), message(30)],
        "no reply": [message(10), message(30), message(95, 94)],
        "one held": [meeting(5, True), meeting(20, False), message(10)],
        "one reply": [message(10), message(30, 29)],
        "one attempt": [meeting(5, False)],
        "a reply after the day": [message(10), message(30, -3)],
        "nobody tried": [meeting(90, False), message(100)],
    }
    cases = {
        name: {
            "events": IDLE,
            "meetings": [row for row in rows if "was_held" in row],
            "messages": [row for row in rows if "sent_at" in row],
        }
        for name, rows in given.items()
    }
    found = risks(shop(tmp_path, cases))
    assert {
        name: (found[name]["avoids_contact"], found[name]["evidence"].partition("; 0 of ")[2]) for name in given
    } == {
        "no meeting held": (True, "2 meetings held in 90 days"),
        "neither": (True, "1 meetings held and 0 of 1 messages answered in 90 days"),
        "no reply": (True, "2 messages answered in 90 days"),
        "one held": (False, ""),
        "one reply": (False, ""),
        "one attempt": (False, ""),
        "a reply after the day": (True, "2 messages answered in 90 days"),
        "nobody tried": (None, ""),
    }


def test_what_cannot_be_measured_is_no_sign(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", "2023-01-01")],
        subscriptions=[line("a", "2023-01-01", None, 100)],
        tickets=[
            {"account_id": "a", **ticket(1, 100), "priority": "urgent"},
            *({"account_id": "a", **ticket(n, 99)} for n in (2, 3, 4)),
        ],
        surveys=[{"account_id": "a", **answer(100, 0)}, {"account_id": "a", **answer(0, 0)}],
    )
    found = run(store, "at_risk", as_of=AS_OF)
    assert records(found, "colour", "signs", *SIGNS) == [("red", 0, None, None, False, None)]


def test_a_young_account_is_given_28_days(tmp_path: Path) -> None:
    cases = {
        name: {"started_on": days_before(days), "meetings": SILENT, "events": IDLE}
        for name, days in (("27", 27), ("28", 28))
    }
    found = risks(shop(tmp_path, cases))
    assert {name: (found[name]["few_seats"], found[name]["low_use"]) for name in cases} == {
        "27": (None, None),
        "28": (True, True),
    }


def person(role: str, left: int, number: int = 1) -> dict[str, Any]:
    return {"contact_id": f"p{number}", "role": role, "left_on": days_before(left)}


def test_a_cause_is_named_where_a_fact_tells_it_the_gravest_first(tmp_path: Path) -> None:
    cases: dict[str, dict[str, Any]] = {
        "decision maker": {"contacts": [person("decision_maker", 100)]},
        "two people": {"contacts": [person("champion", 10, 1), person("sponsor", 50, 2)]},
        "long ago": {"contacts": [person("decision_maker", 180)]},
        "not yet": {"contacts": [person("decision_maker", -1)]},
        "old ticket": {"tickets": [ticket(1, 15)]},
        "young ticket": {"tickets": [ticket(1, 14), ticket(2, 40, 20)]},
        "wishes": {"tickets": [ticket(1, 20, kind="request"), ticket(2, 30, -2, kind="request")]},
        "both": {"contacts": [person("champion", 10)], "tickets": [ticket(1, 99)]},
        "result": {"outcomes": results(100, 70)},
    }
    found = risks(shop(tmp_path, {name: {"events": IDLE, **given} for name, given in cases.items()}))
    assert {name: (found[name]["severity"], found[name]["cause"]) for name in cases} == {
        "decision maker": ("high", "decision maker left"),
        "two people": ("high", "sponsor left; champion left"),
        "long ago": ("not rated", "cause not recorded"),
        "not yet": ("not rated", "cause not recorded"),
        "old ticket": ("medium", "a problem is long unresolved"),
        "young ticket": ("not rated", "cause not recorded"),
        "wishes": ("light", "2 wishes are unmet"),
        "both": ("medium", "a problem is long unresolved; champion left"),
        "result": ("high", "unclear return: own result at 70% of the three months before"),
    }
    assert [found[name]["plan"] for name in ("result", "wishes", "long ago")] == [
        "Go back to the agreed goal and review the results together",
        "Say what is planned and when, or offer a way around",
        "Ask for the cause in the next call and record it",
    ]


def test_go_live_is_slow_when_a_milestone_is_overdue_by_more_than_30_days(tmp_path: Path) -> None:
    milestones = [{"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7}]
    done = [{"milestone_id": "m1", "completed_on": days_before(1)}]
    cases = {
        "30 days late": {"started_on": days_before(37)},
        "31 days late": {"started_on": days_before(38)},
        "done since": {"started_on": days_before(38), "milestone_completions": done},
        "two years ago": {},
    }
    found = risks(
        shop(tmp_path, {name: {"events": IDLE, **given} for name, given in cases.items()}, milestones=milestones)
    )
    assert {name: found[name]["cause"] for name in cases} == {
        "30 days late": "cause not recorded",
        "31 days late": "slow go-live: Kick-off is overdue",
        "done since": "cause not recorded",
        "two years ago": "cause not recorded",
    }


def test_the_recorded_cause_and_the_open_actions_stand_beside(tmp_path: Path) -> None:
    ctas = [
        {
            "cta_id": "1",
            "kind": "risk",
            "reason": "wrong fit",
            "opened_on": days_before(20),
            "owner": "Ada",
            "due_on": days_before(-5),
        },
        {
            "cta_id": "2",
            "kind": "activity",
            "reason": "call",
            "opened_on": days_before(9),
            "owner": "Bo",
            "due_on": days_before(-2),
        },
        {"cta_id": "3", "kind": "risk", "reason": "old", "opened_on": days_before(40), "closed_on": days_before(0)},
        {"cta_id": "4", "kind": "risk", "reason": "tomorrow", "opened_on": days_before(-1)},
        {"cta_id": "5", "kind": "expansion", "reason": "seats", "opened_on": days_before(3)},
    ]
    found = risks(shop(tmp_path, {"a": {"events": IDLE, "ctas": ctas}, "b": {"events": IDLE}}))
    columns = ("cause", "severity", "actions", "owner", "due_on")
    assert [found["a"][name] for name in columns[:4]] == [
        "recorded: wrong fit", "not rated", "wrong fit (due 2024-07-05); call (due 2024-07-02)", "Ada",
    ]  # fmt: skip
    assert str(found["a"]["due_on"].date()) == "2024-07-05"
    assert [found["b"][name] for name in columns] == ["cause not recorded", "not rated", "none open", "Kim", None]


def test_listed_are_two_signs_or_red_the_gravest_first(tmp_path: Path) -> None:
    names = ["one sign", "two signs", "grave", "calm"]
    meetings = [{"account_id": name, **meeting(day, name == "calm")} for name in names for day in (5, 9)]
    users = {"one sign": 9, "two signs": 2, "grave": 2, "calm": 9}
    store = company(
        tmp_path,
        accounts=[account(name, "2023-01-01") for name in names],
        subscriptions=[line(name, "2023-01-01", None, 100, seats=10) for name in names],
        events=[{"account_id": name, **row} for name in names for row in used(users[name], range(27))],
        meetings=meetings,
        contacts=[{"account_id": "grave", **person("decision_maker", 5)}],
        messages=[{"account_id": "calm", **message(0)}],
    )
    assert records(run(store, "at_risk", as_of=AS_OF), "account_id", "signs", "severity") == [
        ("grave", 2, "high"),
        ("two signs", 2, "not rated"),
    ]
    assert set(run(store, "at_risk", as_of=AS_OF, options={"min_signs": "1"})["account_id"]) == {
        "one sign",
        "two signs",
        "grave",
    }


def test_busy_but_not_winning_is_green_use_and_a_red_result(tmp_path: Path) -> None:
    cases = {
        "falls": {"events": used(9, range(27)), "outcomes": results(100, 90)},
        "idle": {"events": used(3, range(27)), "outcomes": results(100, 90)},
        "wins": {"events": used(9, range(27)), "outcomes": results(100, 110)},
        "unknown": {"events": used(9, range(27))},
    }
    found = run(shop(tmp_path, cases), "busy_but_not_winning", as_of=AS_OF)
    assert records(found, "account_id", "outcome", "evidence") == [
        (
            "falls",
            40.0,
            "9 of 10 seats active in 28 days; used on 27 of 28 days; own result at 90% of the three months before",
        )
    ]


def test_advocates_are_green_promoters_whose_result_does_not_fall(tmp_path: Path) -> None:
    use = {"events": used(9, range(27))}
    cases = {
        "wins": {**use, "surveys": [answer(3, 9)], "outcomes": results(100, 110)},
        "unknown": {**use, "surveys": [answer(3, 10)]},
        "passive": {**use, "surveys": [answer(3, 8)], "outcomes": results(100, 110)},
        "falls": {**use, "surveys": [answer(3, 9)], "outcomes": results(100, 99)},
        "tomorrow": {**use, "surveys": [answer(-1, 9)], "outcomes": results(100, 110)},
    }
    found = run(shop(tmp_path, cases), "advocates", as_of=AS_OF)
    seats = "9 of 10 seats active in 28 days"
    assert records(found, "account_id", "nps", "outcome", "evidence") == [
        ("unknown", 10.0, None, f"NPS answers average 10.0 of 10; {seats}; own result is not measured"),
        ("wins", 9.0, 80.0, f"NPS answers average 9.0 of 10; own result at 110% of the three months before; {seats}"),
    ]


def test_the_lists_name_the_table_that_they_need(tmp_path: Path) -> None:
    store = shop(tmp_path, {})
    for name, table in (("busy_but_not_winning", "outcomes"), ("advocates", "surveys")):
        with pytest.raises(MissingTable, match=f"'{table}'"):
            run(store, name, as_of=AS_OF)

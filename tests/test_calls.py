"""Calls to action with what people write about them: against a naive fold day by day, and what no later word may change."""

import random
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_metrics import periods
from cs_metrics.metrics import METRICS, Scope, run
from cs_metrics.store import Database, Store, trace
from cs_metrics.workspace.entries import NewEntry
from tests.support import account, company, day, line, records

START = "2024-01-01"  # a Monday
TEAMS, PEOPLE = ("Product", "Finance", ""), ("ann", "bob")


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def rows_of(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Eight accounts, a milestone each may miss, and calls to action of another system, two of them the same thing."""
    chance = random.Random(seed)
    names = [f"a{number}" for number in range(8)]
    ctas = []
    for number in range(14):
        opened = chance.randrange(60)
        flagged = chance.choice([None, opened + chance.randrange(20)])
        unflagged = flagged + chance.randrange(1, 9) if flagged is not None and chance.random() < 0.5 else None
        ctas.append(
            {
                "cta_id": f"c{number}",
                "account_id": chance.choice(names),
                "kind": "risk",
                "reason": chance.choice(["Slow", "Silent"]),
                "opened_on": after(opened),
                "due_on": after(opened + 7),
                "owner": chance.choice(PEOPLE),
                "flagged_on": None if flagged is None else after(flagged),
                "unflagged_on": None if unflagged is None else after(unflagged),
                "team_needed": chance.choice(TEAMS) if flagged is not None else None,
                "closed_on": after(opened + chance.randrange(40)) if chance.random() < 0.4 else None,
            }
        )
    return {
        "accounts": [account(name, after(number), onboarding_manager="ann") for number, name in enumerate(names)],
        "subscriptions": [
            line(name, after(number), None, 10 * (number + 1), seats=1) for number, name in enumerate(names)
        ],
        "milestones": [{"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 20}],
        "milestone_completions": [
            {"account_id": name, "milestone_id": "m1", "completed_on": after(chance.randrange(10, 60))}
            for name in names[:5]
        ],
        "ctas": ctas,
        "events": [{"account_id": "a0", "event": "login", "occurred_at": f"{after(100)}T09:00:00"}],
    }


def written(store: Store, database: Database, seed: int, days: int = 80) -> list[tuple[int, NewEntry]]:
    """Let people write about any call to action that is there, day after day."""
    chance = random.Random(seed + 100)
    ids = store.rows("select cta_id, account_id, opened_on from cta order by cta_id")
    found = []
    for number in range(days):
        for _ in range(chance.randrange(3)):
            cta_id, account_id, opened_on = chance.choice(ids)
            if periods.days_between(opened_on, day(after(number))) < 0:
                continue
            action = chance.choice(["flag", "unflag", "assign", "snooze", "note", "close", "reopen"])
            body = {
                "flag": {"team_needed": "Legal"},
                "assign": {"owner": f"p{number}"},
                "snooze": {"until": after(number + 3)},
                "close": {"closed_as": "success"},
            }.get(action, {})
            one = NewEntry("cta", account_id, action, subject=cta_id, note=f"said {number}", body=body)
            database.workspace.write([one], author="cleo", effective_on=after(number))
            found.append((number, one))
    return found


def naive(rows: dict[str, list[dict[str, Any]]], said: list[tuple[int, NewEntry]], on: int) -> dict[Any, Any]:
    """Return per account, kind and reason what is open at the end of a day: walk through every day from the start."""
    done = {one["account_id"]: one["completed_on"] for one in rows["milestone_completions"]}
    calls = {one["cta_id"]: dict(one) for one in rows["ctas"]}
    for number, one in enumerate(rows["accounts"]):
        completed = done.get(one["account_id"])
        if completed is None or completed > after(number + 20):
            calls[f"milestone m1 {one['account_id']}"] = {
                "account_id": one["account_id"],
                "kind": "lifecycle",
                "reason": "Overdue: Kick-off",
                "opened_on": after(number + 21),
                "closed_on": completed,
                "owner": "ann",
            }
    state: dict[str, dict[str, Any]] = {}
    for number in range(on + 1):
        today = after(number)
        for name, call in calls.items():
            if call["opened_on"] == today:
                state[name] = {"open": True, "flag": False, "owner": call["owner"], "snooze": None, "opened": today}
            if name in state and max(call.get("flagged_on") or "9", call["opened_on"]) == today:
                state[name]["flag"] = True
            if name in state and max(call.get("unflagged_on") or "9", call["opened_on"]) == today:
                state[name]["flag"] = False
            if name in state and max(call.get("closed_on") or "9", call["opened_on"]) == today:
                state[name]["open"] = False
        for _, one in [pair for pair in said if pair[0] == number]:
            about = calls[one.subject]
            for name, call in calls.items():
                same = all(call[part] == about[part] for part in ("account_id", "kind", "reason"))
                if not same or name not in state:
                    continue
                if one.action in ("flag", "unflag"):
                    state[name]["flag"] = one.action == "flag"
                elif one.action in ("close", "reopen"):
                    state[name]["open"] = one.action == "reopen"
                elif one.action == "assign":
                    state[name]["owner"] = one.body["owner"]
                elif one.action == "snooze":
                    state[name]["snooze"] = one.body["until"]
    groups: dict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    for name, now in state.items():
        if now["open"]:
            key = (calls[name]["account_id"], calls[name]["kind"], calls[name]["reason"])
            snooze = now["snooze"] if now["snooze"] and now["snooze"] >= after(on) else None
            groups[key].append((not now["flag"], now["opened"], name, now["flag"], now["owner"], snooze))
    return {key: min(ones)[3:] for key, ones in groups.items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_day_shows_what_a_naive_walk_through_the_days_gives(seed: int, tmp_path: Path) -> None:
    rows = rows_of(seed)
    company(tmp_path, **rows)
    database = Database.open(tmp_path)
    said = written(database.current(), database, seed)
    store = database.current()
    assert len(said) > 30
    for on in range(0, 100, 3):
        found = run(store, "onboarding_ctas", as_of=day(after(on)), options={"of": "customers"})
        shown = {
            (one[0], one[1], one[2]): one[3:]
            for one in records(found, "account_id", "kind", "reason", "is_flagged", "owner", "snoozed_until")
        }
        expected = {key: one for key, one in naive(rows, said, on).items() if after(int(key[0][1:])) <= after(on)}
        assert shown == expected, f"day {on}"


def test_a_word_said_later_changes_no_earlier_day(tmp_path: Path) -> None:
    """Every metric of the page as of day 40, and the whole weekly history up to it, before and after people go on writing."""
    company(tmp_path, **rows_of(5))
    database = Database.open(tmp_path)
    written(database.current(), database, 5, days=41)
    names = [name for name, one in METRICS.items() if one.reads]
    asked = {
        name: {"account_id": "a1"} for name in names if "account_id" in {o.argument for o in METRICS[name].options}
    }

    def answers() -> dict[str, pd.DataFrame]:
        store = database.current()
        usable = [name for name in names if all(store.has(table) for table in METRICS[name].needs)]
        assert {"onboarding_risk", "onboarding_score", "cta_history", "account_timeline", "risk_meeting"} <= set(usable)
        return {name: run(store, name, as_of=day(after(40)), options=asked.get(name, {})) for name in usable}

    before = answers()
    ids = database.current().rows("select cta_id, account_id from cta")
    later = [
        NewEntry("cta", account_id, action, subject=cta_id, note="later", body=body)
        for cta_id, account_id in ids
        for action, body in (("flag", {}), ("assign", {"owner": "x"}), ("close", {"closed_as": "lost"}))
    ]
    later.append(NewEntry("account", "a1", "statement_of_work", body={"is_needed": True}))
    database.workspace.write(later, author="dora", effective_on=after(41))
    for name, frame in answers().items():
        pd.testing.assert_frame_equal(before[name], frame)
    assert not before["onboarding_score"].empty
    changed = run(database.current(), "onboarding_ctas", as_of=day(after(41)), options={"of": "customers"})
    assert changed.empty


@pytest.fixture
def desk(tmp_path: Path) -> Database:
    company(
        tmp_path,
        accounts=[account("a", START, onboarding_manager="ann"), account("b", START, onboarding_manager="bob")],
        subscriptions=[line("a", START, None, 100), line("b", START, None, 300)],
        milestones=[{"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7}],
        milestone_completions=[{"account_id": "b", "milestone_id": "m1", "completed_on": after(5)}],
        events=[{"account_id": "a", "event": "login", "occurred_at": f"{after(20)}T09:00:00"}],
    )
    return Database.open(tmp_path)


def say(desk: Database, action: str, on: int, *, who: str = "ann", note: str = "", **body: Any) -> None:
    one = NewEntry("cta", "a", action, subject="milestone m1 a", note=note, body=body)
    desk.workspace.write([one], author=who, effective_on=after(on))


def colour(desk: Database, on: int, account_id: str = "a") -> str:
    found = run(desk.current(), "onboarding_risk", as_of=day(after(on)))
    return dict(records(found, "account_id", "colour"))[account_id]


def test_colours_and_scores_follow_at_once(desk: Database) -> None:
    assert [colour(desk, on) for on in (7, 8, 20)] == ["green", "yellow", "yellow"]
    say(desk, "flag", 10, team_needed="Product")
    assert [colour(desk, on) for on in (9, 10, 20)] == ["yellow", "red", "red"]
    score = run(desk.current(), "onboarding_summary", as_of=day(after(20)))["score"].iloc[0]
    assert score == pytest.approx((100 * 3600 + 0 * 1200) / 4800)
    say(desk, "unflag", 12)
    say(desk, "snooze", 13, until=after(30))
    assert colour(desk, 20) == "yellow", "a snoozed one still counts as open"
    say(desk, "close", 15, note="done by hand", closed_as="success")
    assert [colour(desk, on) for on in (14, 15, 20)] == ["yellow", "green", "green"]
    say(desk, "reopen", 17)
    assert [colour(desk, on) for on in (16, 17, 20)] == ["green", "yellow", "yellow"]


def test_the_weekly_history_shows_each_week_as_it_was(desk: Database) -> None:
    say(desk, "flag", 15)
    weekly = run(desk.current(), "onboarding_score", as_of=day(after(21)))
    assert records(weekly, "week", "green_arr", "yellow_arr", "red_arr") == [
        (after(0), 4800.0, 0.0, 0.0),
        (after(7), 3600.0, 1200.0, 0.0),
        (after(14), 3600.0, 0.0, 1200.0),
    ]


def test_a_past_week_is_what_was_shown_then_and_its_colours_add_up(tmp_path: Path) -> None:
    company(tmp_path, **rows_of(4))
    database = Database.open(tmp_path)
    written(database.current(), database, 4)
    store = database.current()
    weekly = run(store, "onboarding_score", as_of=day(after(100)))
    assert len(weekly) > 10
    for week in weekly.itertuples():
        sunday = periods.add_days(week.week.date(), 6)
        then = run(store, "onboarding_summary", as_of=sunday).iloc[0]
        assert then["red"] + then["yellow"] + then["green"] == then["accounts"]
        assert [week.green_arr, week.yellow_arr + week.red_arr, week.red_arr] == [
            then["arr"] - then["at_risk_arr"],
            then["at_risk_arr"],
            then["red_arr"],
        ]
        assert week.score == pytest.approx(then["score"], nan_ok=True)
        managers = run(store, "onboarding_managers", as_of=sunday)
        assert managers["accounts"].sum() == then["accounts"]
        assert managers["at_risk"].sum() == then["red"] + then["yellow"]
        assert managers["open_ctas"].sum() == len(run(store, "onboarding_ctas", as_of=sunday)) == then["open_ctas"]


def test_one_may_be_opened_by_hand_and_a_second_time_is_the_same(desk: Database) -> None:
    body = {"kind": "risk", "reason": "Champion left", "due_on": after(19)}
    for who in ("ann", "bob"):
        desk.workspace.write([NewEntry("cta", "b", "open", body=body)], author=who, effective_on=after(12))
    found = run(desk.current(), "onboarding_ctas", as_of=day(after(20)), scope=Scope.of(account_id="b"))
    assert records(found, "reason", "source", "owner", "is_overdue") == [("Champion left", "person", "ann", True)]
    log = [one.subject for one in desk.workspace.entries()]
    close = NewEntry("cta", "b", "close", subject=log[1], note="solved", body={"closed_as": "success"})
    desk.workspace.write([close], author="ann", effective_on=after(14))
    assert colour(desk, 20, "b") == "green", "the second one was the first one"
    again = NewEntry("cta", "b", "open", body={**body, "owner": "eve", "due_on": after(40)})
    desk.workspace.write([again], author="ann", effective_on=after(16))
    found = run(desk.current(), "onboarding_ctas", as_of=day(after(20)), scope=Scope.of(account_id="b"))
    assert records(found, "opened_on", "owner", "due_on") == [(after(12), "eve", after(40))]
    taken_up = NewEntry("cta", "a", "open", body={"kind": "lifecycle", "reason": "Overdue: Kick-off", "owner": "eve"})
    desk.workspace.write([taken_up], author="ann", effective_on=after(16))
    found = run(desk.current(), "onboarding_ctas", as_of=day(after(20)), scope=Scope.of(account_id="a"))
    assert records(found, "source", "owner") == [("rule", "eve")], "what a rule opened is not doubled by hand"
    unknown = NewEntry("cta", "nobody", "open", body=body)
    desk.workspace.write([unknown], author="ann", effective_on=after(14))
    assert "nobody" not in set(run(desk.current(), "onboarding_ctas", as_of=day(after(20)))["account_id"])


def test_the_meeting_lists_flagged_accounts_with_what_was_said(desk: Database) -> None:
    say(desk, "flag", 10, team_needed="Product", note="needs an API key")
    say(desk, "flag", 12, team_needed="Finance", note="and an invoice")
    note = NewEntry("account", "a", "note", note="call them on Monday")
    sow = NewEntry("account", "a", "statement_of_work", body={"is_needed": True})
    desk.workspace.write([note, sow], author="dora", effective_on=after(14))
    columns = (
        "account_id",
        "reasons",
        "teams_needed",
        "flagged_on",
        "days_flagged",
        "last_note",
        "last_note_by",
        "is_new",
    )
    assert records(run(desk.current(), "risk_meeting", as_of=day(after(20))), *columns) == [
        ("a", "Overdue: Kick-off", "Finance", after(10), 10, "call them on Monday", "dora", False)
    ]
    at_first = run(desk.current(), "risk_meeting", as_of=day(after(13)))
    assert records(at_first, "last_note", "needs_statement_of_work", "is_new") == [("and an invoice", False, True)]
    assert run(desk.current(), "risk_meeting", as_of=day(after(20)))["needs_statement_of_work"].all()
    history = run(desk.current(), "cta_history", as_of=day(after(20)), options={"account_id": "a"})
    assert records(history, "day", "what", "author", "note") == [
        (after(14), "statement of work needed", "dora", ""),
        (after(14), "note", "dora", "call them on Monday"),
        (after(12), "flagged, needs Finance", "ann", "and an invoice"),
        (after(10), "flagged, needs Product", "ann", "needs an API key"),
        (after(8), "opened for ann", "", ""),
    ]


def test_managers_are_told_of_this_week_and_last(desk: Database) -> None:
    say(desk, "close", 16, closed_as="success", note="done")
    columns = (
        "onboarding_manager", "accounts", "at_risk", "opened_ctas", "closed_ctas", "overdue_ctas",
        "at_risk_before", "opened_before", "closed_before", "overdue_before",
    )  # fmt: skip
    asked = run(desk.current(), "onboarding_managers", as_of=day(after(20)))
    assert records(asked, *columns) == [("ann", 1, 0, 0, 1, 0, 1, 1, 0, 1), ("bob", 1, 0, 0, 0, 0, 0, 0, 0, 0)]
    earlier = run(desk.current(), "onboarding_managers", as_of=day(after(13)))
    assert records(earlier, *columns)[0] == ("ann", 1, 1, 1, 0, 1, 0, 0, 0, 0)


def test_what_was_written_survives_a_refresh_of_the_data(desk: Database, tmp_path: Path) -> None:
    say(desk, "flag", 10)
    company(
        tmp_path,
        number=2,
        accounts=[account("a", START), account("b", START)],
        subscriptions=[line("a", START, None, 100), line("b", START, None, 300)],
        milestones=[{"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7}],
        events=[{"account_id": "a", "event": "login", "occurred_at": f"{after(30)}T09:00:00"}],
    )
    assert desk.current().number == 2
    assert colour(desk, 30) == "red"
    assert colour(desk, 30, "b") == "yellow"


def test_each_metric_says_which_topics_it_reads(desk: Database) -> None:
    """An answer is kept until somebody writes about a topic that its metric names; none may read another in silence."""
    relations = {"cta_state": "cta", "cta_log": "cta", "promises": "promise"}
    store = desk.current()
    seen = set()
    for name, one in METRICS.items():
        if not all(store.has(table) for table in one.needs):
            continue
        options = {"account_id": "a"} if "account_id" in {option.argument for option in one.options} else {}
        with trace() as queries:
            run(store, name, as_of=day(after(20)), options=options)
        text = " ".join(query.sql for query in queries)
        used = {topic for relation, topic in relations.items() if f" {relation}\n" in text or f" {relation} " in text}
        for named in re.findall(r"\btopic (?:= |in \()((?:'\w+'(?:, )?)+)", text):
            used |= set(re.findall(r"\w+", named))
        assert used <= set(one.reads) or one.reads == ("*",), name
        seen |= used
    assert seen >= {"cta", "account", "promise"}


def test_a_log_that_takes_the_place_of_another_is_read_from_its_start(desk: Database, tmp_path: Path) -> None:
    say(desk, "flag", 10)
    assert colour(desk, 20) == "red"
    desk.workspace.close()
    for path in (tmp_path / "workspace").iterdir():
        path.unlink()
    assert colour(desk, 20) == "yellow"
    say(desk, "note", 10, note="a new beginning")
    assert colour(desk, 20) == "yellow"

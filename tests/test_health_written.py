"""What people write about health: overrides beside the score, and cause, plan and actions of accounts at risk."""

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_metrics import periods
from cs_metrics.errors import WorkspaceError
from cs_metrics.metrics import Scope, run
from cs_metrics.store import Database, Store
from cs_metrics.workspace.entries import NewEntry
from tests.support import account, company, day, line, records

NEWEST = "2024-06-30"
AT = {"as_of": day(NEWEST)}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Three accounts of one segment: a is red, b and c are green."""
    nps = {"a": 2, "b": 9, "c": 9}
    company(
        tmp_path,
        accounts=[account(name, segment="SMB", csm="Kim") for name in nps],
        subscriptions=[line("a", "2024-01-01", "2024-06-10", 10), *(line(one, "2024-01-01", None, 20) for one in "bc")],
        surveys=[
            {"account_id": name, "kind": "nps", "score": score, "answered_at": "2024-02-01T09:00:00"}
            for name, score in nps.items()
        ],
        messages=[{"account_id": "b", "kind": "check_in", "sent_at": f"{NEWEST}T09:00:00"}],
    )
    return Database.open(tmp_path)


def say(database: Database, topic: str, account_id: str, action: str, on: str, note: str = "", **more: Any) -> Store:
    subject = more.pop("subject", "")
    entry = NewEntry(topic, account_id, action, subject=subject, note=note, body=more)
    database.workspace.write([entry], author="Ann", effective_on=on)
    return database.current()


def overridden(store: Store, on: str) -> dict[str, Any]:
    found = run(store, "health", as_of=day(on)).set_index("account_id")
    columns = ["colour", "score", "override_colour", "override_score", "override_by", "override_reason"]
    return {name: tuple(records(found.loc[[name]], *columns)[0]) for name in found.index}


def test_an_override_stands_beside_the_score_and_changes_no_count(database: Database) -> None:
    before = {name: run(database.current(), name, **AT) for name in ("health_summary", "health_distribution")}
    say(database, "health", "b", "override", "2024-05-01", "The sponsor told me they leave", colour="red")
    store = say(database, "health", "c", "override", "2024-05-02", "Quiet", score=60, until="2024-05-31")
    assert overridden(store, "2024-05-15") == {
        "a": ("red", 20.0, None, None, None, None),
        "b": ("green", 90.0, "red", None, "Ann", "The sponsor told me they leave"),
        "c": ("green", 90.0, "yellow", 60.0, "Ann", "Quiet"),
    }
    assert overridden(store, "2024-05-31")["c"][2] == "yellow", "its last day still counts"
    assert overridden(store, "2024-06-01")["c"][2] is None
    assert overridden(store, "2024-04-30")["b"][2] is None
    for name, was in before.items():
        now = run(store, name, **AT)
        changed = ["overridden", "overridden_arr"]
        pd.testing.assert_frame_equal(
            now.drop(columns=changed, errors="ignore"), was.drop(columns=changed, errors="ignore")
        )
    summary = run(store, "health_summary", as_of=day("2024-05-15")).iloc[0]
    assert (summary.overridden, summary.overridden_arr, summary.green) == (2, 480.0, 2)
    mix = run(store, "health_distribution", as_of=day("2024-05-15"))
    assert records(mix, "colour", "accounts", "overridden") == [
        ("red", 1, 0), ("yellow", 0, 0), ("green", 2, 2), ("none", 0, 0)
    ]  # fmt: skip
    header = run(store, "account_header", as_of=day("2024-05-15"), options={"account_id": "b"}).iloc[0]
    assert (header.colour, header.override_colour, header.override_by) == ("green", "red", "Ann")


def test_the_last_word_stands_until_it_is_withdrawn(database: Database) -> None:
    say(database, "health", "a", "override", "2024-03-01", "They only need time", colour="green")
    say(database, "health", "b", "override", "2024-03-01", "Unhappy", colour="red")
    say(database, "health", "b", "override", "2024-04-01", "Less so", colour="yellow")
    store = say(database, "health", "b", "withdraw", "2024-05-01")
    assert [overridden(store, on)["b"][2] for on in ("2024-03-31", "2024-04-01", "2024-05-01")] == [
        "red",
        "yellow",
        None,
    ]
    found = run(store, "health_overrides", **AT)
    columns = ("account_id", "override_colour", "colour", "score", "override_on", "state", "became")
    assert records(found, *columns) == [
        ("b", "yellow", "green", 90.0, "2024-04-01", "withdrawn", "kept"),
        ("b", "red", "green", 90.0, "2024-03-01", "replaced", "kept"),
        ("a", "green", "red", 20.0, "2024-03-01", "in force", "kept"),
    ]
    later = say(database, "health", "a", "override", "2024-03-20", "Still", colour="green")
    found = run(later, "health_overrides", as_of=day(NEWEST), scope=Scope.of(account_id="a"))
    assert records(found, "state", "became") == [("in force", "churned"), ("replaced", "kept")], "it left on 10 June"
    early = run(store, "health_overrides", as_of=day("2024-04-15"))
    assert records(early, "account_id", "state", "became") == [
        ("b", "in force", ""), ("b", "replaced", ""), ("a", "in force", "")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "action", "note", "body", "says"),
    [
        ("health", "override", "why", {}, "a colour, a score, or both"),
        ("health", "override", "", {"colour": "red"}, "needs the reason"),
        ("health", "override", "why", {"colour": "purple"}, "unknown"),
        ("health", "override", "why", {"score": 101}, "score"),
        ("health", "override", "why", {"colour": "red", "until": "2024-01-01"}, "lies before"),
        ("risk", "cause", "", {"cause": "wrong_fitt"}, "Did you mean 'wrong_fit'"),
        ("risk", "plan", "", {}, "needs the plan"),
        ("risk", "change", "", {}, "another owner or another day"),
        ("risk", "done", "", {}, "subject: it is empty"),
        ("risk", "drop", "", {}, "needs the reason"),
    ],
)
def test_what_says_nothing_is_refused(
    database: Database, topic: str, action: str, note: str, body: dict[str, Any], says: str
) -> None:
    with pytest.raises(WorkspaceError, match=says):
        say(database, topic, "a", action, "2024-05-01", note, **body)


def test_cause_plan_and_actions_enter_the_list_like_imported_rows(database: Database) -> None:
    on = day("2024-05-15")
    assert records(run(database.current(), "at_risk", as_of=on), "account_id", "cause", "severity") == [
        ("a", "cause not recorded", "not rated")
    ]
    say(database, "risk", "b", "cause", "2024-05-01", "The product is too large for them", cause="wrong_fit")
    say(database, "risk", "a", "cause", "2024-05-02", cause="wish_unmet", severity="medium")
    say(database, "risk", "a", "plan", "2024-05-03", "Ship the export in June")
    say(
        database,
        "risk",
        "a",
        "action",
        "2024-05-03",
        subject="x1",
        what="Show the beta",
        owner="Bob",
        due_on="2024-05-10",
    )
    say(database, "risk", "a", "action", "2024-05-03", subject="x2", what="Call Zoë", owner="Ann", due_on="2024-05-08")
    say(database, "risk", "a", "change", "2024-05-04", subject="x1", owner="Cleo", due_on="2024-05-20")
    store = say(database, "risk", "a", "done", "2024-05-06", subject="x2")
    found = run(store, "at_risk", as_of=on)
    columns = (
        "account_id",
        "severity",
        "cause",
        "plan",
        "actions",
        "owner",
        "due_on",
        "open_actions",
        "overdue_actions",
    )
    assert records(found, *columns) == [
        (
            "b", "high", "wrong-fit customer (Ann)",
            "Agree with the customer what they need, and whether to part or to change the scope",
            "none open", "Kim", None, 0, 0,
        ),
        (
            "a", "medium", "new wish unmet (Ann)", "Ship the export in June",
            "Show the beta (due 2024-05-20); Red health (due 2024-02-19)", "Cleo", "2024-05-20", 1, 0,
        ),
    ]  # fmt: skip
    assert records(found, "cause_by", "cause_on", "plan_by") == [
        ("Ann", "2024-05-01", ""),
        ("Ann", "2024-05-02", "Ann"),
    ]
    late = run(store, "at_risk", as_of=day("2024-05-21"))
    assert late.set_index("account_id")["overdue_actions"].to_dict() == {"a": 1, "b": 0}
    assert records(run(store, "risk_actions", as_of=on), "action_id", "owner", "state", "closed_on", "severity") == [
        ("x1", "Cleo", "open", None, "medium"),
        ("x2", "Ann", "done", "2024-05-06", "medium"),
    ]
    over = say(database, "risk", "a", "over", "2024-05-22")
    assert run(over, "risk_actions", as_of=day("2024-05-22"))["state"].tolist() == ["done", "dropped"]
    left = run(over, "at_risk", as_of=day("2024-05-22")).set_index("account_id")
    assert (left.loc["a", "cause"], left.loc["a", "plan_by"]) == ("cause not recorded", "")
    earlier = run(over, "at_risk", as_of=on)
    pd.testing.assert_frame_equal(earlier, found, obj="a past day after later words")


def test_the_state_of_actions_is_a_fold_over_random_words(database: Database) -> None:
    chance, said = random.Random(4), []
    for number in range(80):
        on = str(periods.add_days(day("2024-03-01"), number))
        subject = f"x{chance.randrange(6)}"
        action = chance.choice(
            ["action", "done", "drop", "change", "over"] if number % 9 == 0 else ["action", "done", "drop"]
        )
        body = {"action": {"what": f"w{number}", "owner": "o"}, "change": {"owner": f"p{number}"}}.get(action, {})
        note = "why" if action == "drop" else ""
        subject = "" if action == "over" else subject
        say(database, "risk", "a", action, on, note, subject=subject, **body)
        said.append((on, action, subject, body))
    store = database.current()
    for on in ("2024-03-20", "2024-04-15", "2024-05-25"):
        states: dict[str, list[str]] = {}
        for when, action, subject, body in said:
            if when > on:
                continue
            if action == "action":
                states[subject] = ["open", body["what"], body["owner"]]
            elif action == "over":
                for one in states.values():
                    one[0] = "dropped" if one[0] == "open" else one[0]
            elif subject in states and action == "change":
                states[subject][2] = body["owner"]
            elif subject in states and states[subject][0] == "open":
                states[subject][0] = "done" if action == "done" else "dropped"
        found = run(store, "risk_actions", as_of=day(on))
        assert {row[0]: list(row[1:]) for row in records(found, "action_id", "state", "what", "owner")} == states

"""What people write about a renewal: steps, calls, next steps and promises, each from its own day on."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_metrics.errors import MetricError, WorkspaceError
from cs_metrics.metrics import run
from cs_metrics.store import Database
from cs_metrics.workspace.entries import NewEntry
from tests.renewal_company import contract, sellers
from tests.support import day, records

ENDS = "2024-06-13"  # 90 days after 15 March


@pytest.fixture
def desk(tmp_path: Path) -> Database:
    sellers(
        tmp_path,
        [contract("a", ENDS, forecast="at_risk"), contract("b", ENDS)],
        messages=[
            {"account_id": "a", "sent_at": "2024-03-20T09:00:00", "kind": "renewal"},
            {"account_id": "a", "sent_at": "2024-05-02T09:00:00", "kind": "value_report"},
        ],
        meetings=[{"account_id": "b", "kind": "qbr", "scheduled_on": "2024-01-10", "was_held": True}],
        commitments=[
            {"account_id": "a", "made_on": "2024-03-01", "promise": "Export", "due_on": "2024-04-01"},
            {"account_id": "a", "made_on": "2024-03-02", "promise": "Report", "kept_on": "2024-04-20"},
        ],
    )
    return Database.open(tmp_path)


def say(
    desk: Database, action: str, on: str, *, topic: str = "renewal", subject: str = "a", note: str = "", **body: Any
):
    entry = NewEntry(topic, "a", action, subject=subject, note=note, body=body)
    return desk.workspace.write([entry], author="Ann", effective_on=on)[0]


def listed(desk: Database, as_of: str, *columns: str) -> list[tuple[Any, ...]]:
    found = run(desk.current(), "renewal_pipeline", as_of=day(as_of), options={"days": 120})
    return records(found[found["contract_id"] == "a"], *columns)


def steps(desk: Database, as_of: str, *columns: str) -> dict[str, tuple[Any, ...]]:
    found = run(desk.current(), "renewal_steps", as_of=day(as_of), options={"contract_id": "a"})
    return {row[0]: row[1:] for row in records(found, "step", *columns)}


def test_a_step_marked_here_is_done_from_its_day_on(desk: Database) -> None:
    say(desk, "step_done", "2024-04-20", step="Decision-maker meeting", note="The board agrees", done_on="2024-04-18")
    assert listed(desk, "2024-04-19", "overdue_names", "next_step") == [
        ("Value report; Decision-maker meeting", "Value report")
    ]
    assert listed(desk, "2024-04-20", "overdue_names", "next_step") == [("Value report", "Value report")]
    found = steps(desk, "2024-04-20", "state", "done_on", "done_by", "note")
    assert found["Intake and self-check"] == ("done", "2024-03-20", "message renewal", "")
    assert found["Value report"] == ("overdue", None, "", "")
    assert found["Decision-maker meeting"] == ("done", "2024-04-18", "Ann", "The board agrees")
    assert found["Proposal"] == ("to come", None, "", "")
    assert steps(desk, "2024-05-01", "state")["Proposal"] == ("due",)
    assert steps(desk, "2024-05-20", "state")["Proposal"] == ("passed unseen",)


def test_a_step_opened_again_is_not_done_until_a_later_sign(desk: Database) -> None:
    say(desk, "step_done", "2024-04-20", step="Value report")
    say(desk, "step_reopened", "2024-04-22", step="Value report")
    say(desk, "step_reopened", "2024-04-22", step="Intake and self-check")
    assert [steps(desk, on, "state")["Value report"] for on in ("2024-04-21", "2024-04-22", "2024-05-02")] == [
        ("done",),
        ("overdue",),
        ("done",),
    ]
    assert steps(desk, "2024-05-02", "state", "done_by")["Intake and self-check"] == ("overdue", "")


def test_a_step_cannot_be_done_on_a_day_to_come(desk: Database) -> None:
    with pytest.raises(WorkspaceError, match="lies after 2024-04-20"):
        say(desk, "step_done", "2024-04-20", step="Proposal", done_on="2024-04-21")


def test_a_call_written_here_wins_from_its_day_until_it_is_withdrawn(desk: Database) -> None:
    say(desk, "call", "2024-04-20", call="commit")
    say(desk, "call", "2024-04-25", call="best_case")
    say(desk, "call_withdrawn", "2024-05-01")
    found = {
        on: listed(desk, on, "category", "category_by", "called_on", "called_by")[0]
        for on in ("2024-04-19", "2024-04-20", "2024-04-30", "2024-05-01")
    }
    assert found == {
        "2024-04-19": ("at_risk", "owner", None, None),
        "2024-04-20": ("commit", "owner", "2024-04-20", "Ann"),
        "2024-04-30": ("best_case", "owner", "2024-04-25", "Ann"),
        "2024-05-01": ("at_risk", "owner", None, None),
    }
    amounts = run(desk.current(), "renewals_summary", as_of=day("2024-04-20"))
    assert records(amounts, "commit_arr", "at_risk_arr", "unknown_arr") == [(1000.0, 0.0, 1000.0)]


def test_a_next_step_written_here_stands_before_that_of_the_plan(desk: Database) -> None:
    say(desk, "next_step", "2024-04-20", text="Call the board", due_on="2024-04-28", owner="Ben")
    say(desk, "next_step_done", "2024-04-28")
    columns = ("next_step", "next_step_on", "next_step_owner")
    assert listed(desk, "2024-04-19", *columns) == [("Value report", "2024-03-30", None)]
    assert listed(desk, "2024-04-27", *columns) == [("Call the board", "2024-04-28", "Ben")]
    assert listed(desk, "2024-04-28", *columns) == [("Value report", "2024-03-30", None)]


def test_promises_written_here_join_the_imported_ones(desk: Database) -> None:
    made = say(desk, "make", "2024-04-05", topic="promise", subject="", promise="Training", due_on="2024-05-05")
    found = run(desk.current(), "account_promises", as_of=day("2024-04-10"), options={"account_id": "a"})
    assert records(found, "promise", "state", "author") == [
        ("Export", "overdue", ""),
        ("Training", "open", "Ann"),
        ("Report", "open", ""),
    ]
    say(desk, "keep", "2024-04-11", topic="promise", subject=found["promise_id"].iloc[0])
    say(desk, "withdraw", "2024-04-12", topic="promise", subject=made.subject, note="Not needed")
    open_on = {
        on: listed(desk, on, "open_promises")[0][0]
        for on in ("2024-04-04", "2024-04-10", "2024-04-11", "2024-04-12", "2024-04-20")
    }
    assert open_on == {"2024-04-04": 2, "2024-04-10": 3, "2024-04-11": 2, "2024-04-12": 1, "2024-04-20": 0}
    after = run(desk.current(), "account_promises", as_of=day("2024-04-30"), options={"account_id": "a"})
    assert records(after, "promise", "state", "kept_on") == [
        ("Export", "kept", "2024-04-11"),
        ("Training", "withdrawn", None),
        ("Report", "kept", "2024-04-20"),
    ]


def test_the_history_tells_what_was_written_the_newest_first(desk: Database) -> None:
    say(desk, "call", "2024-04-20", call="best_case", note="They hesitate")
    say(desk, "next_step", "2024-04-20", text="Call the board", due_on="2024-04-28", owner="Ben")
    say(desk, "note", "2024-04-21", note="The board is away")
    say(desk, "make", "2024-04-22", topic="promise", subject="p", promise="Training")
    found = run(desk.current(), "renewal_history", as_of=day("2024-04-22"), options={"contract_id": "a"})
    assert records(found, "day", "what", "note", "author") == [
        ("2024-04-22", "promised: Training", "", "Ann"),
        ("2024-04-21", "note", "The board is away", "Ann"),
        ("2024-04-20", "next step: Call the board, by 28 Apr 2024, Ben", "", "Ann"),
        ("2024-04-20", "own call: best case", "They hesitate", "Ann"),
    ]
    assert listed(desk, "2024-04-21", "last_note", "last_note_by", "last_note_on") == [
        ("The board is away", "Ann", "2024-04-21")
    ]
    assert run(desk.current(), "renewal_history", as_of=day("2024-04-22"), options={"contract_id": "b"}).empty


def test_a_word_said_later_changes_no_earlier_day(desk: Database) -> None:
    names = ("renewal_pipeline", "renewals_summary", "renewals_by_step", "renewal_steps", "renewal_history")
    before = {name: run(desk.current(), name, as_of=day("2024-04-19")) for name in names}
    say(desk, "step_done", "2024-04-20", step="Value report", done_on="2024-04-01")
    say(desk, "call", "2024-04-20", call="commit")
    say(desk, "next_step", "2024-04-20", text="Call the board")
    say(desk, "make", "2024-04-20", topic="promise", subject="p", promise="Training", note="By phone")
    for name in names:
        pd.testing.assert_frame_equal(run(desk.current(), name, as_of=day("2024-04-19")), before[name], obj=name)
    assert listed(desk, "2024-04-20", "category", "overdue_steps") == [("commit", 1)]


def test_an_unknown_contract_is_refused_with_a_hint(desk: Database) -> None:
    with pytest.raises(MetricError, match="No undecided contract 'aa' is there on 2024-04-20"):
        run(desk.current(), "renewal_steps", as_of=day("2024-04-20"), options={"contract_id": "aa"})

"""The workspace as its callers use it, on both engines: what it keeps, what it refuses, where it lies."""

import datetime as dt
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cs_metrics.errors import WorkspaceError
from cs_metrics.workspace import engine
from cs_metrics.workspace.actions import TOPICS
from cs_metrics.workspace.database import Workspace
from cs_metrics.workspace.entries import NewEntry, checked
from cs_metrics.workspace.summary import by_topic
from tests.workspace_support import DAY, ROOT, note, write

NOON = dt.datetime.fromisoformat("2024-07-01T12:00:00.5")
# One accepted body for each action, with what is kept of it.
ACCEPTED: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {
    ("cta", "open"): (
        {"kind": "risk", "reason": " Champion left ", "due_on": dt.date(2024, 7, 1), "owner": " ", "priority": None},
        {"kind": "risk", "reason": "Champion left", "due_on": "2024-07-01"},
    ),
    ("cta", "flag"): ({"team_needed": "Product"}, {"team_needed": "Product"}),
    ("cta", "unflag"): ({}, {}),
    ("cta", "assign"): ({"owner": "Ann"}, {"owner": "Ann"}),
    ("cta", "snooze"): ({"until": "2024-06-30"}, {"until": "2024-06-30"}),
    ("cta", "note"): ({}, {}),
    ("cta", "close"): ({"closed_as": "not_valid"}, {"closed_as": "not_valid"}),
    ("cta", "reopen"): ({}, {}),
    ("renewal", "step_done"): (
        {"step": "Proposal", "done_on": dt.date(2024, 6, 30)},
        {"step": "Proposal", "done_on": "2024-06-30"},
    ),
    ("renewal", "step_reopened"): ({"step": "Proposal"}, {"step": "Proposal"}),
    ("renewal", "call"): ({"call": "best_case"}, {"call": "best_case"}),
    ("renewal", "call_withdrawn"): ({}, {}),
    ("renewal", "next_step"): (
        {"text": "Ask for the budget", "owner": "Ann"},
        {"text": "Ask for the budget", "owner": "Ann"},
    ),
    ("renewal", "next_step_done"): ({}, {}),
    ("renewal", "note"): ({}, {}),
    ("promise", "make"): (
        {"promise": "Export to Excel", "due_on": "2024-09-30"},
        {"promise": "Export to Excel", "due_on": "2024-09-30"},
    ),
    ("promise", "keep"): ({}, {}),
    ("promise", "withdraw"): ({}, {}),
    ("expansion", "take"): ({"owner": "Ann"}, {"owner": "Ann"}),
    ("expansion", "postpone"): ({"until": "2024-06-30"}, {"until": "2024-06-30"}),
    ("expansion", "dismiss"): ({"reason": "declined"}, {"reason": "declined"}),
    ("expansion", "note"): ({}, {}),
    ("expansion", "reopen"): ({}, {}),
    ("scenario", "save"): (
        {"name": "Slip", "slip_days": 30, "from_colour": None},
        {"name": "Slip", "slip_days": 30},
    ),
    ("scenario", "remove"): ({}, {}),
    ("plan", "set"): ({"new_arr_monthly": 1000}, {"new_arr_monthly": 1000.0}),
    ("plan", "clear"): ({}, {}),
    ("health", "override"): (
        {"colour": "red", "score": 40, "until": "2024-06-30"},
        {"colour": "red", "score": 40.0, "until": "2024-06-30"},
    ),
    ("health", "withdraw"): ({}, {}),
    ("risk", "cause"): ({"cause": "wrong_fit", "severity": "medium"}, {"cause": "wrong_fit", "severity": "medium"}),
    ("risk", "plan"): ({}, {}),
    ("risk", "action"): (
        {"what": "Call the founder", "owner": "Ann", "due_on": dt.date(2024, 7, 3)},
        {"what": "Call the founder", "owner": "Ann", "due_on": "2024-07-03"},
    ),
    ("risk", "change"): ({"owner": "Bob"}, {"owner": "Bob"}),
    ("risk", "done"): ({}, {}),
    ("risk", "drop"): ({}, {}),
    ("risk", "over"): ({}, {}),
    ("account", "note"): ({}, {}),
    ("account", "statement_of_work"): ({"is_needed": False}, {"is_needed": False}),
}


def test_every_action_has_an_accepted_body_here() -> None:
    assert set(ACCEPTED) == {(topic, action) for topic, one in TOPICS.items() for action in one.actions}


def _about(topic: str) -> str:
    return "a/1" if TOPICS[topic].has_account else ""


def test_what_is_about_the_whole_book_has_no_account(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="'plan' is about the whole book"):
        write(workspace, NewEntry("plan", "a/1", "set", body={"new_arr_monthly": 1}))


def test_every_action_is_documented() -> None:
    rows = [row for row in (ROOT / "docs" / "operating.md").read_text(encoding="utf-8").splitlines() if row[:2] == "| "]
    for topic, action in ACCEPTED:
        assert [row for row in rows if row.startswith(f"| {topic} `") and f"`{action}`" in row.split("|")[1]], action


def test_nothing_is_made_by_reading(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    assert (workspace.version(), workspace.versions(), workspace.entries(), workspace.find(["x"])) == (0, {}, [], {})
    assert workspace.write([], author="Ann", effective_on=DAY) == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_read_back_by_anyone(url: str, workspace: Workspace) -> None:
    assert (workspace.version(), workspace.versions(), workspace.entries()) == (0, {}, [])
    written = [
        write(workspace, NewEntry(topic, _about(topic), action, subject="a/1", note="Zoë:\r\n„=1“ ☂\t", body=given))[0]
        for (topic, action), (given, _) in ACCEPTED.items()
    ]
    assert [one.body for one in written] == [kept for _, kept in ACCEPTED.values()]
    assert {one.note for one in written} == {"Zoë:\n„=1“ ☂"}
    assert {one.effective_on for one in written} == {DAY}
    other = Workspace.open(".", url)
    assert other.entries() == written
    assert other.version() == len(ACCEPTED)
    assert other.versions() == {topic: place for place, (topic, _) in enumerate(ACCEPTED, 1)}
    other.close()


def test_entries_can_be_asked_for_by_number_topic_and_subject(workspace: Workspace) -> None:
    write(
        workspace, note("1"), NewEntry("cta", "a", "unflag", subject="c1"), NewEntry("cta", "a", "unflag", subject="c2")
    )
    write(workspace, NewEntry("cta", "a", "reopen", subject="c1"), note("5", account_id="b"))

    def numbers(**wanted: Any) -> list[int]:
        return [one.seq for one in workspace.entries(**wanted)]

    assert numbers() == [1, 2, 3, 4, 5]
    assert numbers(after=3) == [4, 5]
    assert numbers(after=5) == []
    assert numbers(topic="cta") == [2, 3, 4]
    assert numbers(topic="cta", subject="c1") == [2, 4]
    assert numbers(subject="b") == [5]
    assert numbers(after=2, topic="cta", subject="c1") == [4]
    assert workspace.versions() == {"account": 5, "cta": 4}


def test_a_list_is_kept_whole_or_not_at_all(workspace: Workspace) -> None:
    write(workspace, note("first", entry_id="one"))
    with pytest.raises(WorkspaceError, match="needs the text"):
        write(workspace, note("second"), note(""))
    with pytest.raises(WorkspaceError, match="another note; an entry is never changed"):
        write(workspace, note("second"), note("changed", entry_id="one"))
    assert [one.note for one in workspace.entries()] == ["first"]


def test_the_same_entry_again_adds_nothing_and_another_under_its_id_is_refused(workspace: Workspace) -> None:
    first = write(workspace, note("hello", entry_id="one"), note("hello"))
    again = write(workspace, note(" hello ", entry_id="one"), note("new"), note("hello", entry_id="one"))
    assert [one.seq for one in again] == [1, 3, 1]
    assert again[0] == first[0]
    assert workspace.find(["one", "none"]) == {"one": first[0]}
    with pytest.raises(WorkspaceError, match="with another author and subject and account_id"):
        write(workspace, note("hello", entry_id="one", account_id="b"), author="Ben")
    with pytest.raises(WorkspaceError, match="with another effective_on;"):
        write(workspace, note("hello", entry_id="one"), on="2024-07-01")
    with pytest.raises(WorkspaceError, match="with another note;"):
        write(workspace, note("x", entry_id="two"), note("y", entry_id="two"))
    assert workspace.version() == 3


def test_many_entries_at_once(workspace: Workspace) -> None:
    some = [note(str(number), entry_id=f"n{number}") for number in range(2_500)]
    assert [one.seq for one in write(workspace, *some)] == list(range(1, 2_501))
    assert [one.seq for one in write(workspace, *some)] == list(range(1, 2_501))
    assert len(workspace.find([one.entry_id for one in some])) == 2_500


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"topic": "ctas"}, "topic: 'ctas' is unknown. Did you mean 'cta'?"),
        ({"action": "flagged"}, "action: cta has no 'flagged'. Did you mean 'flag'"),
        ({"body": {"team": "x"}}, "team: 'flag' has no such field. Known: team_needed."),
        ({"action": "reopen", "body": {"why": "x"}}, "why: 'reopen' has no such field. It takes none."),
        ({"body": {"team_needed": 5}}, "team_needed: 5 is no text."),
        ({"body": {"team_needed": "x" * 201}}, "is too long; at most 200 characters are kept."),
        ({"action": "assign", "body": {"owner": " \t"}}, "owner: 'assign' needs it."),
        ({"body": {"team_needed": "a\nb"}}, r"team_needed: 'a\\nb' is more than one line."),
        ({"body": {"team_needed": "\ud800"}}, "is no text."),
        ({"body": {"team_needed": object}}, "is no text, number, yes/no or day."),
        ({"action": "assign"}, "owner: 'assign' needs it."),
        ({"action": "assign", "body": {"owner": ""}}, "owner: 'assign' needs it."),
        ({"action": "snooze", "body": {"until": "2024-06-29"}}, "until: 2024-06-29 lies before 2024-06-30."),
        (
            {"action": "snooze", "body": {"until": "tomorrow"}},
            "until: 'tomorrow' is not a day; write it as 2026-03-31.",
        ),
        ({"action": "snooze", "body": {"until": 19_000}}, "until: 19000 is not a day"),
        ({"action": "open", "body": {"kind": "rsk", "reason": "x"}}, "kind: 'rsk' is unknown. Did you mean 'risk'?"),
        ({"action": "close", "note": "x", "body": {"closed_as": "won"}}, "Known: lost, not_valid, success."),
        ({"action": "close", "body": {"closed_as": "lost"}}, "note: 'close' needs the reason."),
        ({"action": "note", "note": "  \n"}, "note: 'note' needs the text."),
        ({"note": "x" * 4_001}, "note: 4,001 characters are too long; at most 4,000 are kept."),
        ({"note": "a\x00b"}, r"note: the character '\\x00' at position 2 is no text."),
        ({"subject": ""}, "subject: it is empty."),
        ({"subject": "x" * 1_001}, "subject: 1,001 characters are too long"),
        ({"account_id": ""}, "account_id: it is empty."),
        ({"topic": "account", "action": "note", "note": "x"}, "it is the account itself, so 'a' and not 'c'."),
        ({"topic": "account", "action": "statement_of_work", "body": {"is_needed": 1}}, "1 is neither true nor false."),
        ({"entry_id": "a b"}, "entry_id: 'a b' is no id"),
        ({"entry_id": "x" * 65}, "is no id; use up to 64"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_a_sentence(change: dict[str, Any], says: str) -> None:
    new = replace(NewEntry("cta", "a", "flag", subject="c"), **change)
    with pytest.raises(WorkspaceError, match=says.replace("?", r"\?")):
        checked(new, author="Ann", effective_on=DAY, written_at=NOON)


@pytest.mark.parametrize(
    ("author", "on", "says"),
    [
        ("", DAY, "author: it is empty"),
        (" \t", DAY, "author: it is empty"),
        ("x" * 201, DAY, "author: 201 characters are too long"),
        ("A\nB", DAY, "author: the character"),
        ("Ann", "30 June", "effective_on: '30 June' is not a day; write it as 2026-03-31"),
        ("Ann", None, "effective_on: None is not a day"),
    ],
)
def test_who_says_it_and_from_which_day_it_counts_must_be_known(
    tmp_path: Path, author: str, on: Any, says: str
) -> None:
    with pytest.raises(WorkspaceError, match=says):
        write(Workspace.open(tmp_path), note(), author=author, on=on)
    assert list(tmp_path.iterdir()) == []


def test_a_call_to_action_opened_by_hand_gets_an_id_of_its_own() -> None:
    new = NewEntry("cta", "a", "open", body={"kind": "risk", "reason": "x"})

    def subject(entry: NewEntry) -> str:
        return checked(entry, author="Ann", effective_on=DAY, written_at=NOON).subject

    assert subject(replace(new, entry_id="e1")) == "manual e1"
    assert subject(replace(new, subject="c7")) == "c7"
    assert subject(new) != subject(new)


def test_the_summary_counts_per_topic() -> None:
    def entry(seq: int, new: NewEntry, author: str, on: str):
        found = checked(new, author=author, effective_on=on, written_at=NOON + dt.timedelta(days=seq))
        return replace(found, seq=seq)

    some = [
        entry(1, note(), "Ann", "2024-06-30"),
        entry(2, NewEntry("cta", "a", "flag", subject="c"), "Ann", "2024-06-30"),
        entry(3, note(account_id="b"), "Ben", "2024-06-29"),
    ]
    told = ("topic", "entries", "subjects", "authors", "last_effective_on", "last_written_at")
    assert by_topic(some) == [
        dict(zip(told, ("account", 2, 2, 2, "2024-06-30", "2024-07-04 12:00:00"), strict=True)),
        dict(zip(told, ("cta", 1, 1, 1, "2024-06-30", "2024-07-03 12:00:00"), strict=True)),
    ]
    assert by_topic([]) == []


def test_it_lies_in_the_data_folder_unless_something_else_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(engine.VARIABLE, raising=False)
    assert Workspace.open(tmp_path).place == str(tmp_path / "workspace" / "workspace.sqlite")
    monkeypatch.setenv(engine.VARIABLE, "postgresql://ann:secret@db/metrics")
    assert Workspace.open(tmp_path).place == "postgresql+psycopg://ann:***@db/metrics"
    assert Workspace.open(tmp_path, f"sqlite:///{tmp_path}/own.sqlite").place == f"{tmp_path}/own.sqlite"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("metrics", "is no URL; write it as postgresql://user:password@host/database"),
        ("postgresql://ann:secret@db:port/metrics", "is no URL"),
        ("mysql://ann:secret@db/metrics", r"mysql://ann:\*\*\*@db/metrics is neither"),
        ("postgresql://db", "is neither postgresql://…/database nor sqlite:///path"),
        ("sqlite://", "is neither"),
    ],
)
def test_a_place_that_cannot_be_is_refused_without_its_password(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(WorkspaceError, match=says) as told:
        Workspace.open(tmp_path, url)
    assert "secret" not in str(told.value)


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    workspace = Workspace.open(tmp_path, f"postgres://ann:secret@/metrics?host={tmp_path}")
    with pytest.raises(WorkspaceError, match=r"postgresql\+psycopg://ann:\*\*\*@/metrics") as told:
        workspace.version()
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_without_the_driver_of_postgresql_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(WorkspaceError, match=r"pip install -r requirements-postgres\.txt"):
        Workspace.open(tmp_path, "postgresql://db/metrics").version()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "workspace" / "workspace.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"what somebody saved here\n" * 100)
    for ask in (Workspace.open(tmp_path).version, lambda: write(Workspace.open(tmp_path), note())):
        with pytest.raises(WorkspaceError, match=r"workspace\.sqlite is no workspace .*; move it away"):
            ask()
    assert path.read_bytes() == b"what somebody saved here\n" * 100


def test_an_empty_file_is_a_workspace_in_which_nothing_was_written(tmp_path: Path) -> None:
    """A process that is killed while it makes the workspace may leave one."""
    path = tmp_path / "workspace" / "workspace.sqlite"
    path.parent.mkdir()
    path.touch()
    assert Workspace.open(tmp_path).version() == 0
    assert write(Workspace.open(tmp_path), note())[0].seq == 1


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for url in (f"sqlite:///{tmp_path}/file/w.sqlite", f"sqlite:///{tmp_path}"):
        with pytest.raises(WorkspaceError, match="cannot be"):
            write(Workspace.open(tmp_path, url), note())


def test_a_writer_that_waits_too_long_is_told_so(
    url: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_PATIENCE_SECONDS", 0.2)
    write(workspace, note("before"))
    with engine.once(engine.address(Path(), url)) as holder, holder.begin():
        engine.queue_up(holder)
        with pytest.raises(WorkspaceError, match=r"was busy for 0\.2 seconds, and nothing was written; try again"):
            write(workspace, note("during"))
        assert [one.note for one in workspace.entries()] == ["before"]
    assert write(workspace, note("after"))[0].seq == 2


def test_a_backup_that_is_put_back_is_seen_and_written_at_once(tmp_path: Path) -> None:
    """Else the process would go on with the file that nobody can see any longer."""
    workspace = Workspace.open(tmp_path)
    write(workspace, note("kept"))
    backup = tmp_path / "backup.sqlite"
    with sqlite3.connect(workspace.place) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    source.close()
    target.close()
    write(workspace, note("lost"))
    workspace.versions()
    for rest in Path(workspace.place).parent.glob("*"):
        rest.unlink()
    assert (workspace.version(), workspace.entries()) == (0, [])
    backup.replace(workspace.place)
    assert workspace.versions() == {"account": 1}
    write(workspace, note("new"))
    workspace.close()
    assert [one.note for one in Workspace.open(tmp_path).entries()] == ["kept", "new"]


def test_it_can_be_used_again_after_it_was_closed(workspace: Workspace) -> None:
    write(workspace, note("1"))
    workspace.close()
    assert workspace.version() == 1
    assert write(workspace, note("2"))[0].seq == 2

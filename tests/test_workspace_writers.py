"""Two people who write at once lose nothing: many processes, readers among them, a writer killed in the middle."""

import sqlite3
import threading
from pathlib import Path

from cs_metrics.workspace.database import Workspace
from tests.workspace_support import kill, note, start_writers, write

WRITERS = 8
EACH = 200


def test_eight_processes_lose_nothing_and_a_reader_misses_nothing(url: str, workspace: Workspace) -> None:
    """They begin at once where nothing was ever written, so that they also race to make the workspace."""
    authors = [f"author {number}" for number in range(WRITERS)]
    writers = start_writers(url, *authors, count=EACH)
    said, seen, versions = threading.Thread(target=writers.communicate), [], []
    said.start()
    while said.is_alive():
        versions.append(workspace.version())
        seen += workspace.entries(after=seen[-1].seq if seen else 0)
        assert (seen[-1].seq if seen else 0) >= versions[-1]
        said.join(0.02)
    assert writers.returncode == 0
    seen += workspace.entries(after=seen[-1].seq if seen else 0)

    assert seen == workspace.entries()
    assert [one.seq for one in seen] == list(range(1, WRITERS * EACH + 1))
    assert versions == sorted(versions)
    assert len({one.entry_id for one in seen}) == WRITERS * EACH
    for author in authors:
        written = [one.note for one in seen if one.author == author]
        assert written == [f"{count}.0" for count in range(EACH)]


def test_a_killed_writer_leaves_whole_lists_and_loses_nothing_that_it_was_told_of(
    url: str, workspace: Workspace
) -> None:
    writer = start_writers(url, "Ann", count=100_000, size=5)
    while workspace.version() < 50:
        assert writer.poll() is None
    last = kill(writer)
    there = [one.note for one in workspace.entries()]
    assert len(there) % 5 == 0
    assert there == [f"{number}.{part}" for number in range(len(there) // 5) for part in range(5)]
    assert len(there) // 5 >= last + 1
    assert write(workspace, note())[0].seq == len(there) + 1


def test_the_file_of_a_killed_writer_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "workspace.sqlite"
    writer = start_writers(f"sqlite:///{path}", "Ann", count=100_000, size=5)
    kill(writer)
    with sqlite3.connect(path) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("pragma journal_mode").fetchall() == [("wal",)]
    connection.close()


def test_threads_share_one_workspace(workspace: Workspace) -> None:
    failed: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(10):
                written = write(workspace, note(f"{number}"), author=name)
                assert workspace.version() >= written[0].seq
                assert workspace.versions()["account"] >= written[0].seq
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(f"thread {number}",)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []
    assert [one.seq for one in workspace.entries()] == list(range(1, 81))


def test_the_same_click_on_two_servers_is_written_once(url: str, workspace: Workspace) -> None:
    other = Workspace.open(".", url)
    first = write(workspace, note("clicked", entry_id="click-1"))
    again = write(other, note("clicked", entry_id="click-1"))
    other.close()
    assert again == first == workspace.entries()

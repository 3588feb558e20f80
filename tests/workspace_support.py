"""What the tests of the workspace share: places on both engines, a PostgreSQL of their own, writers in processes."""

import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cs_metrics.workspace.database import Workspace
from cs_metrics.workspace.entries import NewEntry

ROOT = Path(__file__).resolve().parent.parent
DAY = dt.date(2024, 6, 30)


def note(text: str = "hello", account_id: str = "a", entry_id: str = "") -> NewEntry:
    return NewEntry("account", account_id, "note", note=text, entry_id=entry_id)


def write(workspace: Workspace, *entries: NewEntry, author: str = "Ann", on: dt.date | str = DAY):
    return workspace.write(entries, author=author, effective_on=on)


class Postgres:
    """A PostgreSQL server in a temporary folder, reached through a socket in it."""

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            pytest.skip("PostgreSQL is not installed")
        self._programs = found[-1].parent
        self._folder = Path(tempfile.mkdtemp(prefix="cs-pg-", dir="/tmp"))
        self._is_root = os.geteuid() == 0
        if self._is_root:
            shutil.chown(self._folder, "postgres")
        self._count = 0

    def start(self) -> None:
        self._run("initdb", "-D", self._data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-k {self._folder} -c listen_addresses='' -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self._folder / "log", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "fast", "stop")
        shutil.rmtree(self._folder)

    def schema(self) -> str:
        """Make an empty schema and return the URL under which it is the only one."""
        import psycopg

        self._count += 1
        name = f"workspace{self._count}"
        with psycopg.connect(host=str(self._folder), user="tester", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"create schema {name}")
        return f"postgresql://tester@/postgres?host={self._folder}&options=-csearch_path%3D{name}"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *words: object) -> None:
        who = ["runuser", "-u", "postgres", "--"] if self._is_root else []
        command = [*who, str(self._programs / program), *map(str, words)]
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place where nothing was ever written, on either engine."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres").schema()
    return f"sqlite:///{tmp_path}/workspace/workspace.sqlite"


@pytest.fixture
def workspace(url: str, tmp_path: Path) -> Iterator[Workspace]:
    found = Workspace.open(tmp_path, url)
    yield found
    found.close()


_WRITERS = """
import os, sys
from cs_metrics.workspace.database import Workspace
from tests.workspace_support import DAY, note

def write(author):
    workspace = Workspace.open(".", url)
    for number in range(count):
        some = [note(f"{number}.{part}", account_id=author) for part in range(size)]
        workspace.write(some, author=author, effective_on=DAY)
        print(author, number, flush=True)

url, count, size, authors = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
print("ready", flush=True)
sys.stdin.readline()
if len(authors) == 1:
    sys.exit(write(authors[0]))
processes = []
for author in authors:
    process = os.fork()
    if not process:
        write(author)
        os._exit(0)
    processes.append(process)
sys.exit(any(os.waitpid(process, 0)[1] for process in processes))
"""


def start_writers(url: str, *authors: str, count: int, size: int = 1) -> subprocess.Popen[str]:
    """Start a process for each author, all at once; each writes `count` lists of `size` entries.

    They have nothing open when they begin, and say every list that is kept.
    """
    found = subprocess.Popen(
        [sys.executable, "-c", _WRITERS, url, str(count), str(size), *authors],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert found.stdin is not None
    assert found.stdout is not None
    assert found.stdout.readline() == "ready\n"
    found.stdin.write("go\n")
    found.stdin.flush()
    return found


def kill(writer: subprocess.Popen[str]) -> int:
    """Kill a writer in the middle, and return the last number that it said was kept."""
    assert writer.stdout is not None
    said = writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    return int((said + writer.communicate()[0]).split()[-1])

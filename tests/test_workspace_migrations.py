"""The schema of the workspace: what the migrations make, how an older one is brought up to date, what is refused."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from cs_metrics.errors import WorkspaceError
from cs_metrics.workspace import migrations
from cs_metrics.workspace.database import Workspace
from cs_metrics.workspace.engine import address, connect
from cs_metrics.workspace.schema import METADATA, REVISION
from tests.workspace_support import ROOT, note, write

STEP = '''"""A step that the present version does not have."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("workspace_entries", sa.Column("later", sa.Text(), server_default="x", nullable=False))
'''


@contextmanager
def tomorrow(folder: Path) -> Iterator[None]:
    """Run as the version of the program that comes after this one."""
    later = folder / "100% later"
    if not later.exists():
        shutil.copytree(migrations.FOLDER, later)
        (later / "versions" / "revision_0002.py").write_text(STEP, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "FOLDER", later)
        patch.setattr(migrations, "HEAD", "0002")
        yield


def ask(url: str, question: Callable[[sa.Connection], Any]) -> Any:
    engine = connect(address(Path(), url))
    with engine.connect() as connection:
        found = question(connection)
    engine.dispose()
    return found


def columns(connection: sa.Connection) -> list[str]:
    return [one["name"] for one in sa.inspect(connection).get_columns("workspace_entries")]


def test_the_migrations_make_the_table_that_the_program_uses(url: str, workspace: Workspace) -> None:
    write(workspace, note())
    options = {"version_table": REVISION.name, "compare_type": True}
    assert ask(url, lambda one: compare_metadata(MigrationContext.configure(one, opts=options), METADATA)) == []
    assert ask(url, lambda one: sorted(sa.inspect(one).get_table_names())) == [
        "workspace_entries",
        "workspace_revision",
    ]


def test_the_newest_step_is_the_one_that_the_program_asks_for() -> None:
    assert ScriptDirectory(str(migrations.FOLDER)).get_heads() == [migrations.HEAD]


@pytest.mark.parametrize("begins_by", ["reading", "writing"])
def test_an_older_workspace_is_brought_up_to_date_with_all_that_is_in_it(
    url: str, tmp_path: Path, begins_by: str
) -> None:
    today = Workspace.open(tmp_path, url)
    written = write(today, note("1"), note("2"))
    today.close()
    with tomorrow(tmp_path):
        workspace = Workspace.open(tmp_path, url)
        if begins_by == "writing":
            written += write(workspace, note("3"))
        assert workspace.entries() == written
        workspace.close()
    assert ask(url, migrations.revision_of) == "0002"
    assert "later" in ask(url, columns)


def test_of_many_that_start_at_once_one_brings_it_up_to_date(url: str, tmp_path: Path) -> None:
    today = Workspace.open(tmp_path, url)
    write(today, note())
    today.close()
    failed: list[BaseException] = []

    def start() -> None:
        try:
            workspace = Workspace.open(tmp_path, url)
            write(workspace, note())
            workspace.close()
        except BaseException as error:
            failed.append(error)

    with tomorrow(tmp_path):
        threads = [threading.Thread(target=start) for _ in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert failed == []
        workspace = Workspace.open(tmp_path, url)
        assert workspace.version() == 7
        workspace.close()


def test_a_workspace_of_a_newer_program_is_refused_and_left_alone(url: str, tmp_path: Path) -> None:
    with tomorrow(tmp_path):
        workspace = Workspace.open(tmp_path, url)
        write(workspace, note())
        workspace.close()
    workspace = Workspace.open(tmp_path, url)
    for attempt in (workspace.version, workspace.entries, lambda: write(workspace, note())):
        with pytest.raises(
            WorkspaceError, match=r"newer version of this program \(revision 0002\); update the program"
        ):
            attempt()
    assert ask(url, lambda one: one.scalar(sa.text("select count(*) from workspace_entries"))) == 1


def test_a_step_that_fails_changes_nothing(url: str, tmp_path: Path) -> None:
    today = Workspace.open(tmp_path, url)
    written = write(today, note())
    with tomorrow(tmp_path):
        step = migrations.FOLDER / "versions" / "revision_0002.py"
        step.write_text(STEP + '    op.add_column("no_such_table", sa.Column("x", sa.Text()))\n', encoding="utf-8")
        workspace = Workspace.open(tmp_path, url)
        with pytest.raises(WorkspaceError, match="no_such_table"):
            workspace.version()
        workspace.close()
    assert "later" not in ask(url, columns)
    assert today.entries() == written
    today.close()


def test_it_works_wherever_the_package_lies(tmp_path: Path) -> None:
    """As where it is installed, and not run from a clone; a percent sign in the path means something to Alembic."""
    place = tmp_path / "100% elsewhere"
    for part in ("errors.py", "periods.py", "__init__.py"):
        (place / "cs_metrics").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "cs_metrics" / part, place / "cs_metrics" / part)
    shutil.copytree(ROOT / "cs_metrics" / "workspace", place / "cs_metrics" / "workspace")
    script = """
from cs_metrics.workspace.database import Workspace
from cs_metrics.workspace.entries import NewEntry
workspace = Workspace.open("data")
workspace.write([NewEntry("account", "a", "note", note="x")], author="Ann", effective_on="2024-06-30")
print(workspace.version())
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=place, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1\n", "")

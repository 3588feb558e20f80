"""The schema of a workspace, step by step: each change is a file in `versions`, run once in every workspace.

A workspace that an older program made is brought up to date when it is first used; one that a newer program made is
refused, because nobody here knows what its entries mean.
"""

import threading
from pathlib import Path

import sqlalchemy as sa

from cs_metrics.errors import WorkspaceError
from cs_metrics.workspace.engine import queue_up
from cs_metrics.workspace.schema import REVISION

__all__ = ["HEAD", "NOTHING", "bring_up_to_date", "revision_of"]

HEAD = "0001"
NOTHING = ""
FOLDER = Path(__file__).resolve().parent
_ONE_AT_A_TIME = threading.Lock()  # Alembic's environment belongs to the whole process


def revision_of(connection: sa.Connection) -> str:
    """Return the revision of a workspace, `NOTHING` where none was ever made."""
    if not sa.inspect(connection).has_table(REVISION.name):
        return NOTHING
    return connection.scalar(sa.select(REVISION.c.version_num)) or NOTHING


def bring_up_to_date(connection: sa.Connection) -> None:
    """Bring a workspace to the newest revision, in the caller's transaction; of several processes one does it for all."""
    queue_up(connection)
    found = revision_of(connection)
    if found == HEAD:
        return

    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    known = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    if found and found not in known:
        raise WorkspaceError(
            f"The workspace was written by a newer version of this program (revision {found}); update the program."
        )
    with _ONE_AT_A_TIME:
        command.upgrade(config, HEAD)

"""What Alembic runs: it works on the connection that it is given, inside the caller's transaction."""

from alembic import context

from cs_metrics.workspace.schema import METADATA, REVISION

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=REVISION.name,
    transactional_ddl=True,
)
context.run_migrations()

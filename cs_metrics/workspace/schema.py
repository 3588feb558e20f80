"""The one table of a workspace: a log that only ever grows."""

import sqlalchemy as sa

__all__ = ["ENTRIES", "METADATA", "REVISION"]

METADATA = sa.MetaData()
# Alembic's own table, which tells the step that a workspace has reached; the migrations make it.
REVISION = sa.Table("workspace_revision", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))
ENTRIES = sa.Table(
    "workspace_entries",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("entry_id", sa.String(64), nullable=False),
    sa.Column("written_at", sa.DateTime(), nullable=False),
    sa.Column("effective_on", sa.Date(), nullable=False),
    sa.Column("author", sa.Text(), nullable=False),
    sa.Column("topic", sa.Text(), nullable=False),
    sa.Column("subject", sa.Text(), nullable=False),
    sa.Column("account_id", sa.Text(), nullable=False),
    sa.Column("action", sa.Text(), nullable=False),
    sa.Column("note", sa.Text(), nullable=False),
    sa.Column("body", sa.JSON(), nullable=False),
    sa.UniqueConstraint("entry_id", name="workspace_entries_entry_id"),
    sa.Index("workspace_entries_subject", "topic", "subject", "seq"),
)

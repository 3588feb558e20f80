"""What people wrote: the log of the workspace, as it stood on a day."""

import datetime as dt

import pandas as pd

from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["workspace_entries"]


@metric(reads=("*",), page="Data")
def workspace_entries(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, author: str = "", limit: int = 1000
) -> pd.DataFrame:
    """Every entry of the workspace that counts by the day, the newest first: who wrote what about which account, and when.

    Entries about accounts that are no longer in the data are listed too: nothing that was written is ever lost.
    `author` keeps those of one person. At most `limit` are listed; `total` counts all.

    Columns:
        written_at: when it was written, UTC
        author: who wrote it
        account_id, name: the account, and its name where it is in the data
        topic, action: what it is about, and what was done
        subject: the thing itself
        note: what was said with it
        body: its fields, as JSON
        effective_on: the day from which it counts: the newest day of the data when it was written
        entry_id: its own id
        total: entries in all
    Source: the workspace.
    """
    narrow = "inner join scope on scope.account_id = entry.account_id" if scope.where else ""
    sql = f"""
    select
        entry.written_at, entry.author, entry.account_id, accounts.name, entry.topic, entry.action, entry.subject,
        entry.note, entry.body, entry.effective_on, entry.entry_id, count(*) over () as total
    from entry
    {narrow}
    left join accounts on accounts.account_id = entry.account_id
    where entry.effective_on <= $as_of and ($author = '' or entry.author = $author)
    order by entry.seq desc
    limit $limit
    """
    return store.frame(sql, scope=scope, as_of=as_of, author=author, limit=limit)

"""Finding the one account that a question is about."""

import datetime as dt
from difflib import get_close_matches
from typing import Any

import pandas as pd

from cs_metrics.errors import MetricError
from cs_metrics.metrics.expansion_words import day
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store

__all__ = ["each", "only"]


def only(store: Store, account_id: str, as_of: dt.date, scope: Scope) -> Scope:
    """Return the scope narrowed to one account; `MetricError` with near names where there is no such account.

    An account that starts after the as-of day is not there yet.
    """
    rows = store.rows("select name, started_on from accounts where account_id = $account_id", account_id=account_id)
    if not rows:
        raise MetricError(f"There is no account '{account_id}'.{_near(store, account_id)}")
    name, started_on = rows[0]
    if started_on > as_of:
        raise MetricError(f"{name} is not there yet on {day(as_of)}: it starts on {day(started_on)}.")
    return Scope((*scope.where, ("account_id", (account_id,))))


def each(rows: pd.DataFrame) -> list[Any]:
    """Return the rows one by one, their columns as attributes."""
    return list(rows.itertuples(index=False))


def _near(store: Store, account_id: str) -> str:
    """Return ' Did you mean …?' with the accounts whose id or name is nearest."""
    if not account_id:
        return " Choose one by its account_id."
    known = store.rows("select account_id, name from accounts")
    by = {text.lower(): f"'{one}' ({name})" for one, name in known for text in (one, name)}
    near = get_close_matches(account_id.lower(), by, n=3, cutoff=0.6)
    near = near or [text for text in by if account_id.lower() in text][:3]
    words = list(dict.fromkeys(by[text] for text in near))
    return f" Did you mean {' or '.join(words)}?" if words else ""

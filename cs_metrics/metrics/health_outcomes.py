"""Scores of past days beside what became of the accounts: the rows behind every trial of the score."""

import datetime as dt

import pandas as pd

from cs_metrics import periods
from cs_metrics.config import DIMENSIONS
from cs_metrics.errors import MetricError
from cs_metrics.metrics.health import book
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store

__all__ = ["outcomes", "scored"]

_SQL = f"""
    with {book("opening", "snapshot")},
    {book("closing", "closing_day")}
    select
        opening.account_id,
        coalesce(accounts.segment, '') as segment,
        coalesce(health.stage, '') as stage,
        coalesce(accounts.csm, '') as csm,
        coalesce(health.colour, 'none') as colour,
        health.score,
        {", ".join(f"health.{one}" for one in DIMENSIONS)},
        closing.account_id is null as is_churned,
        coalesce(closing.mrr_cents, 0) between 1 and opening.mrr_cents - 1 as is_shrunk,
        greatest(opening.mrr_cents - coalesce(closing.mrr_cents, 0), 0)::double * 12 / 100 as lost_arr,
        opening.mrr_cents::double * 12 / 100 as arr
    from opening
    inner join accounts on accounts.account_id = opening.account_id
    left join closing on closing.account_id = opening.account_id
    left join account_week_health health on health.account_id = opening.account_id and health.week_end = $week_end
    order by opening.account_id
"""


def outcomes(store: Store, *, as_of: dt.date, scope: Scope, horizon_days: int, snapshots: int) -> pd.DataFrame:
    """Return the customers of each snapshot, with their score then and whether they were lost within the horizon.

    The newest snapshot lies `horizon_days` before the as-of day and each other one that much earlier, so that no two
    windows overlap. Snapshots before the first scored week are there with accounts that have no score.
    """
    if horizon_days < 1:
        raise MetricError("horizon_days must be at least 1.")
    if snapshots < 1:
        raise MetricError("snapshots must be at least 1.")
    parts = []
    for back in range(snapshots):
        closing = periods.add_days(as_of, -back * horizon_days)
        snapshot = periods.add_days(closing, -horizon_days)
        if back and snapshot < store.oldest_day:
            break
        week_end = periods.last_full_week_end(snapshot)
        part = store.frame(_SQL, scope=scope, snapshot=snapshot, closing_day=closing, week_end=week_end)
        parts.append(part.assign(snapshot_day=pd.Timestamp(snapshot).as_unit("us")))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(is_lost=found["is_churned"] | found["is_shrunk"])


def scored(found: pd.DataFrame) -> pd.DataFrame:
    """Return those with a score."""
    return found[found["score"].notna()].reset_index(drop=True)

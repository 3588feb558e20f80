"""Why the score of one account changed between two days: parts that add up, with what was measured before and after."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.config import DIMENSIONS, HealthConfig
from cs_metrics.metrics import health_words
from cs_metrics.metrics.health import CHANGE_DAYS
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.models.health_change import split
from cs_metrics.store import Store

__all__ = ["health_change"]

_ENDS = """
    select
        health.week_end,
        health.score,
        health.stage,
        health.segment,
        health.* exclude (account_id, week_end, score, stage, segment, mrr_cents),
        week.* exclude (account_id, week_end, segment, stage, mrr_cents)
    from account_week_health health
    inner join scope on scope.account_id = health.account_id
    inner join account_week week on week.account_id = health.account_id and week.week_end = health.week_end
    where health.week_end in ($first, $last)
"""
_HEAD = ["from_week_end", "to_week_end", "score_before", "score_after", "change"]
_EMPTY = {"score": np.nan, "stage": "", "segment": ""}


@metric(needs=("subscriptions",), page="Health")
def health_change(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    account_id: str = "",
    from_: dt.date | None = None,
    to: dt.date | None = None,
) -> pd.DataFrame:
    """Why an account's score changed between two weeks: a part in points for each measure that moved, which add up exactly.

    The weeks are the last complete ones of the two days, by default of the as-of day and of 28 days before; a later
    `to` is cut to the as-of day. Each part is a Shapley value: what the measure adds when it moves from its old to its
    new state, averaged over all orders in which the measures that moved could have done so. Data that came or went is
    such a move, and so are other weights when the account came into another stage. No part is known where the account
    has no score in one of the two weeks.

    Formula: Σ points = score_after − score_before.
    Columns:
        account_id: the account
        from_week_end, to_week_end: the Sundays at whose end the score and what was measured hold
        score_before, score_after, change: the scores and their difference; the same on every row
        driver: the measure, or weights
        dimension: its dimension, empty for weights
        kind: changed, appeared, disappeared, or weights
        value_before, value_after: what was measured
        points_before, points_after: what the measure scored by itself, 0–100
        points: its part of the change, in points of the score
        before, after: what was measured in words
    Source: Shapley (1953), A value for n-person games.
    """
    one = only(store, account_id, as_of, scope)
    config = store.config.health
    last = periods.last_full_week_end(min(to or as_of, as_of))
    first = min(periods.last_full_week_end(from_) if from_ else periods.add_days(last, -CHANGE_DAYS), last)
    found = store.frame(_ENDS, scope=one, first=first, last=last)
    ends = [_state(found[found["week_end"] == pd.Timestamp(day)]) for day in (first, last)]
    rows = _drivers(ends[0], ends[1], config)
    head = dict(zip(_HEAD, [first, last, ends[0]["score"], ends[1]["score"]], strict=False))
    rows = rows.assign(account_id=account_id, **head)
    rows["change"] = rows["score_after"] - rows["score_before"]
    for name in _HEAD[:2]:
        rows[name] = pd.to_datetime(rows[name]).astype("datetime64[us]")
    return rows[["account_id", *_HEAD, *(name for name in rows if name not in ("account_id", *_HEAD))]]


def _state(found: pd.DataFrame) -> dict[str, Any]:
    """Return what is known at one end: the numbers, the stage and the segment."""
    if found.empty:
        return dict(_EMPTY)
    words = {name: found[name].iloc[0] for name in ("stage", "segment")}
    return {**_EMPTY, **health_words.rows(found)[0], **words}


def _drivers(before: Mapping[str, Any], after: Mapping[str, Any], config: HealthConfig) -> pd.DataFrame:
    names = list(config.measures)
    points = [np.array([_points(name, one, config) for name in names]) for one in (before, after)]
    parts = split(
        points[0],
        points[1],
        dimension=[DIMENSIONS.index(config.measures[name].dimension) for name in names],
        within=np.array([config.measures[name].weight for name in names]),
        weights_before=_weights(before if before["stage"] else after, config),
        weights_after=_weights(after if after["stage"] else before, config),
    )
    parts = _exact(parts, after["score"] - before["score"])
    rows = [
        _row(name, before, after, (points[0][at], points[1][at], parts[at]), config) for at, name in enumerate(names)
    ]
    rows.append(_weights_row(before, after, parts[-1]))
    found = pd.DataFrame(rows)
    was, now = found["value_before"], found["value_after"]
    is_other = ~(was.eq(now) | (was.isna() & now.isna()))
    found = found[is_other | (found["points"].fillna(0) != 0)]
    order = found["points"].abs().fillna(0)
    return found.iloc[np.lexsort((found["driver"].to_numpy(), -order.to_numpy()))].reset_index(drop=True)


def _exact(parts: np.ndarray, change: float) -> np.ndarray:
    """Give what rounding left over to the largest part, so that the parts add up to the change of the stored scores."""
    if np.isnan(change):
        return np.full(len(parts), np.nan)
    largest = int(np.abs(parts).argmax())
    parts[largest] += change - parts.sum()
    return parts


def _row(
    name: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    points: tuple[float, float, float],
    config: HealthConfig,
) -> dict[str, Any]:
    was, now = (float(one.get(name, np.nan)) for one in (before, after))
    kind = "appeared" if np.isnan(points[0]) else "disappeared" if np.isnan(points[1]) else "changed"
    return {
        "driver": name,
        "dimension": config.measures[name].dimension,
        "kind": kind,
        "value_before": was,
        "value_after": now,
        "points_before": points[0],
        "points_after": points[1],
        "points": points[2],
        "before": health_words.measured(name, before, config) or "no data",
        "after": health_words.measured(name, after, config) or "no data",
    }


def _weights_row(before: Mapping[str, Any], after: Mapping[str, Any], points: float) -> dict[str, Any]:
    unknown = dict.fromkeys(("value_before", "value_after", "points_before", "points_after"), np.nan)
    words = {"before": f"weights of {before['stage']}", "after": f"weights of {after['stage']}"}
    return {"driver": "weights", "dimension": "", "kind": "weights", **unknown, "points": points, **words}


def _points(name: str, row: Mapping[str, Any], config: HealthConfig) -> float:
    value = health_words.points(name, row, config)
    return np.nan if value is None else value


def _weights(row: Mapping[str, Any], config: HealthConfig) -> np.ndarray:
    segment = row["segment"] if isinstance(row["segment"], str) else ""
    chosen = config.weights_for(segment, str(row["stage"]))
    return np.array([chosen.of(name) for name in DIMENSIONS])

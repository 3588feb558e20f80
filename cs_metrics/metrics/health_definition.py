"""What the health score is made of: its measures with their scales, and its weights with the customers they are for."""

import datetime as dt
from collections import Counter

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.config import DIMENSIONS, HealthWeights
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["health_dimensions", "health_weights"]

_SCALES = {
    ("thresholds", "all"): "thresholds",
    ("percentile", "all"): "percentile of all customers",
    ("percentile", "segment"): "percentile of the segment",
}


@metric(page="Health")
def health_dimensions(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """What the score is made of: each measure with its scale and weight, and how many customers have it.

    A measure scores 0 at `scored_0_at` and 100 at `scored_100_at`, in a straight line between: values of its own where
    `scale` is thresholds, else percentiles of the customers of the same week. The weights of the dimensions differ by
    segment and stage: `weights` lists every setting, `health_weights` says for whom each is in force.

    Columns:
        dimension: the dimension that the measure belongs to
        measure: its name
        says: what it measures
        scored_0_at, scored_100_at: the values that score 0 and 100
        measure_weight: its weight within the dimension
        weights: weight of the dimension, by segment and stage where they differ
        accounts: customers of the last complete week that have the measure
        share: accounts ÷ customers of that week
        scale: thresholds, percentile of all customers, or percentile of the segment
    """
    config = store.config.health
    sql = """
        select week.* from account_week week
        inner join scope on scope.account_id = week.account_id
        where week.week_end = $week_end
    """
    week = store.frame(sql, scope=scope, week_end=periods.last_full_week_end(as_of))
    rows = [
        {
            "dimension": one.dimension,
            "measure": name,
            "says": one.says,
            "scored_0_at": one.zero,
            "scored_100_at": one.full,
            "measure_weight": one.weight,
            "weights": "; ".join(f"{_name(each)} {each.of(one.dimension):.0%}" for each in config.weights),
            "accounts": int(week[name].notna().sum()) if name in week else 0,
            "scale": _SCALES[one.scale, one.among],
        }
        for name, one in config.measures.items()
    ]
    found = pd.DataFrame(rows)
    found["share"] = found["accounts"] / len(week) if len(week) else np.nan
    return found[[*(one for one in found if one != "scale"), "scale"]]


@metric(page="Health")
def health_weights(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """The weights of the dimensions: each setting, and for how many customers of the last complete week it is in force.

    The most specific setting wins: segment and stage, then segment, then stage, then the default. A setting that is in
    force for nobody may name a segment that no account has. A weight below 0 counts its dimension the other way round.

    Columns:
        setting: segment and stage, or default
        segment, stage: for whom it is, empty for all
        depth, activity, support, sentiment, outcome, relationship: weight of the dimension; without signs they add up to 1
        accounts: customers of the last complete week for whom it is in force
    """
    config = store.config.health
    sql = """
        select coalesce(health.segment, '') as segment, health.stage
        from account_week_health health
        inner join scope on scope.account_id = health.account_id
        where health.week_end = $week_end
    """
    pairs = Counter(store.rows(sql, scope=scope, week_end=periods.last_full_week_end(as_of)))
    used: Counter[str] = Counter()
    for (segment, stage), accounts in pairs.items():
        used[_name(config.weights_for(segment, stage))] += accounts
    rows = [
        {
            "setting": _name(one),
            "segment": one.segment,
            "stage": one.stage,
            **{dimension: one.of(dimension) for dimension in DIMENSIONS},
            "accounts": used[_name(one)],
        }
        for one in config.weights
    ]
    return pd.DataFrame(rows)


def _name(one: HealthWeights) -> str:
    return " ".join(part for part in (one.segment, one.stage) if part) or "default"

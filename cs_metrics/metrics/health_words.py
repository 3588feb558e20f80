"""The reasons of a health score in words with numbers: what pulls it down and up, what fell, and what is missing."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from cs_metrics.config import DIMENSIONS, HealthConfig
from cs_metrics.models.health import dimension_weights, turned

__all__ = ["alerts", "measured", "needs", "play_for", "points", "reasons", "rows"]

Row = Mapping[str, Any]
_NEAR_POINTS = 1.0  # a dimension that moves the score by less pulls it nowhere
_PEERS = {"all": "all customers", "segment": "its segment"}
_LACKS = {
    "depth": "use of core features",
    "activity": "recorded use",
    "support": "tickets",
    "sentiment": "answers to surveys",
    "outcome": "six months of its own results",
    "relationship": "contacts or meetings",
}


def rows(frame: pd.DataFrame) -> list[Row]:
    """Return the rows with their numbers as plain floats (NaN where unknown) and their days; texts are left out."""
    columns = {}
    for name in frame:
        kind = frame[name].dtype
        if pd.api.types.is_datetime64_any_dtype(kind):
            columns[str(name)] = frame[name].to_list()
        elif pd.api.types.is_numeric_dtype(kind):
            columns[str(name)] = frame[name].to_numpy(dtype="float64", na_value=np.nan).tolist()
    names = tuple(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def reasons(now: pd.DataFrame, before: pd.DataFrame, config: HealthConfig) -> list[str]:
    """Return a sentence or two for each row: the score's own arithmetic in words.

    `now` and `before` hold one row per account, in the same order: the scores of the dimensions and the raw measures
    of the week and of the week 28 days earlier. A dimension pulls by its share of the weight × (its score − the
    score); up to two that pull down and one that pulls up are named, then what fell by more than the dead band.
    """
    scores = now[list(DIMENSIONS)].to_numpy(dtype="float64")
    weights = np.where(np.isnan(scores), 0.0, dimension_weights(now, config))
    size, counts = np.abs(weights), turned(scores, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = size / size.sum(axis=1)[:, None]
        pulls = np.nan_to_num(share * (counts - now["score"].to_numpy(dtype="float64")[:, None]))
    fell = np.nan_to_num(turned(before[list(DIMENSIONS)].to_numpy(dtype="float64"), weights) - counts)
    each = zip(rows(now), rows(before), pulls.tolist(), fell.tolist(), strict=True)
    return [_sentences(row, was, pull, drop, config) for row, was, pull, drop in each]


def _sentences(row: Row, before: Row, pulls: list[float], fell: list[float], config: HealthConfig) -> str:
    if not _known(row["score"]):
        return needs(row)
    places = range(len(DIMENSIONS))
    down = [DIMENSIONS[at] for at in sorted(places, key=lambda at: pulls[at])[:2] if pulls[at] <= -_NEAR_POINTS]
    up = [DIMENSIONS[at] for at in sorted(places, key=lambda at: -pulls[at])[:1] if pulls[at] >= _NEAR_POINTS]
    dropped = [DIMENSIONS[at] for at in sorted(places, key=lambda at: -fell[at])[:2] if fell[at] > config.dead_band]
    parts = []
    if down:
        parts.append("Down: " + ", ".join(f"{one} {row[one]:.0f}{_why(one, row, config)}" for one in down) + ".")
    if up:
        parts.append("Up: " + ", ".join(f"{one} {row[one]:.0f}{_why(one, row, config, best=True)}" for one in up) + ".")
    if not parts:
        said = ", ".join(f"{one} {row[one]:.0f}{_why(one, row, config)}" for one in DIMENSIONS if _known(row[one]))
        parts.append(f"Level: {said}.")
    if dropped:
        parts.append("Fell in 28 days: " + ", ".join(_fall(one, row, before, config) for one in dropped) + ".")
    if not _known(row.get("times")) and row["has_product_data"]:
        parts.append(f"No use recorded in the {row['age_days']:.0f} days since the start.")
    return " ".join(parts)


def needs(row: Row) -> str:
    """Return why an account has no score, beginning with 'needs'."""
    if not _known(row["coverage"]):
        if not _known(row["customer_since"]):
            return "needs a complete week of data (Monday to Sunday)"
        return f"needs its first complete week (Monday to Sunday): a customer since {_day(row['customer_since'])}"
    has = [one for one in DIMENSIONS if _known(row[one])]
    lacks = ", ".join(_LACKS[one] for one in DIMENSIONS if one not in has)
    if not has:
        return f"needs data: nothing is recorded yet of {lacks}"
    return f"needs more data: has only {', '.join(has)} ({row['coverage']:.0%} of the weights), nothing is recorded of {lacks}"


def alerts(now: pd.DataFrame, before: pd.DataFrame, config: HealthConfig, weeks: int = 2) -> list[str]:
    """Return for each account that is red for at least so many weeks which dimension fell and the suggested play.

    Named is the dimension below the green line whose fall cost the score most, else the lowest one.
    """
    weights = dimension_weights(now.assign(stage=now["stage"].fillna("")), config).tolist()
    each = zip(rows(now), rows(before), weights, strict=True)
    return [_alert(row, was, weight, config) if row["weeks_red"] >= weeks else "" for row, was, weight in each]


def _alert(row: Row, was: Row, weights: list[float], config: HealthConfig) -> str:
    weight = dict(zip(DIMENSIONS, weights, strict=True))
    weak = [one for one in DIMENSIONS if _known(row[one]) and row[one] <= config.yellow_to and weight[one] >= 0]
    fallen = [one for one in weak if _known(was[one]) and was[one] - row[one] > config.dead_band]
    if fallen:
        named = max(fallen, key=lambda one: weight[one] * (was[one] - row[one]))
        what = f"{named} fell from {was[named]:.0f} to {row[named]:.0f} in 28 days"
    elif not weak:  # only dimensions that count the other way round are at fault
        return f"Red for {row['weeks_red']:.0f} weeks: no dimension is weak by itself."
    else:
        named = min(weak, key=lambda one: row[one])
        what = f"nothing weak fell further in 28 days, {named} is lowest at {row[named]:.0f}"
    return f"Red for {row['weeks_red']:.0f} weeks: {what}. {play_for(named, config)}."


def play_for(dimension: str, config: HealthConfig) -> str:
    """Return the suggested play for a dimension."""
    return {str(name): play for name, play in config.plays.items()}[dimension]


def measured(name: str, row: Row, config: HealthConfig) -> str:
    """Return one raw measure in words with its numbers, empty where it is not known."""
    value = row.get(name)
    if not _known(value):
        return ""
    words = _WORDS.get(name)
    said = words(row, float(value)) if words else f"{config.measures[name].says}: {value:g}"  # type: ignore[arg-type]
    rank = row.get(f"{name}_percentile")
    return f"{said}, higher than {rank:.0f}% of {_PEERS[config.measures[name].among]}" if _known(rank) else said


def _why(dimension: str, row: Row, config: HealthConfig, *, best: bool = False) -> str:
    """Return the measure that decides a dimension, in brackets: its worst, or its best, by weight and distance."""
    found = [
        (name, _distance(name, row, config, best))
        for name, one in config.measures.items()
        if one.dimension == dimension
    ]
    named = [(name, distance) for name, distance in found if distance is not None]
    if not named:
        return ""
    name = max(named, key=lambda pair: pair[1])[0]
    return f" ({measured(name, row, config)})"


def _distance(name: str, row: Row, config: HealthConfig, best: bool) -> float | None:
    value = points(name, row, config)
    if value is None:
        return None
    return config.measures[name].weight * (value if best else 100 - value)


def _fall(dimension: str, row: Row, before: Row, config: HealthConfig) -> str:
    """Return how a dimension fell, with the measure that fell most, or that came or went."""
    names = [name for name, one in config.measures.items() if one.dimension == dimension]
    now, was = ({name: points(name, one, config) for name in names} for one in (row, before))
    drops = {
        name: config.measures[name].weight * (old - new)
        for name in names
        if (old := was[name]) is not None and (new := now[name]) is not None
    }
    both = list(drops)
    came = [measured(name, row, config) for name in names if name not in both and _known(row.get(name))]
    went = [measured(name, before, config) for name in names if name not in both and _known(before.get(name))]
    name = max(drops, key=lambda one: drops[one], default="")
    if name and drops[name] > 0:
        why = f"{measured(name, before, config)}, now {measured(name, row, config)}"
    elif came:
        why = f"new: {', '.join(came)}"
    else:
        why = f"before: {', '.join(went)}, too old to count now"
    return f"{dimension} from {before[dimension]:.0f} to {row[dimension]:.0f} ({why})"


def points(name: str, row: Row, config: HealthConfig) -> float | None:
    """Return the 0–100 of one measure, None without data: as `models.health.measure_score` does for a column."""
    one = config.measures[name]
    value = row.get(f"{name}_percentile" if one.scale == "percentile" else name)
    if value is None or not _known(value):
        return None
    return min(max((float(value) - one.zero) / (one.full - one.zero), 0.0), 1.0) * 100


def _known(value: Any) -> bool:
    return value is not None and value == value


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%b %Y}"


def _seats(row: Row, value: float) -> str:
    if not _known(row.get("active_users")) or not _known(row.get("seats")):
        return f"{value:.0%} of seats active in 28 days"
    what = "seats" if _known(row.get("seats_bought")) else "known users"
    return f"{row['active_users']:.0f} of {row['seats']:.0f} {what} active in 28 days"


def _core(row: Row, value: float) -> str:
    if not _known(row.get("core_features")):
        return f"{value:.0%} of core features used in 28 days"
    return f"{row['core_features_used']:.0f} of {row['core_features']:.0f} core features used in 28 days"


def _stuck(_row: Row, value: float) -> str:
    if value == 0:
        return "no open ticket that is urgent or older than 14 days"
    return f"{value:.0f} open {'ticket' if value == 1 else 'tickets'} urgent or older than 14 days"


def _sponsor(_row: Row, value: float) -> str:
    return "a sponsor or decision maker is in place" if value else "no sponsor or decision maker is in place"


_WORDS: dict[str, Callable[[Row, float], str]] = {
    "core_feature_share": _core,
    "core_days": lambda row, value: f"core features used on {value:.0f} of 28 days",
    "active_user_share": _seats,
    "active_days": lambda row, value: f"used on {value:.0f} of 28 days",
    "stuck_tickets": _stuck,
    "days_to_close": lambda row, value: f"tickets closed in {value:.1f} days on average",
    "nps": lambda row, value: f"NPS answers average {value:.1f} of 10",
    "csat": lambda row, value: f"CSAT answers average {value:.1f} of 5",
    "outcome_ratio": lambda row, value: f"own result at {value:.0%} of the three months before",
    "sponsor_in_place": _sponsor,
    "days_since_meeting": lambda row, value: f"{value:.0f} days without a held meeting",
}

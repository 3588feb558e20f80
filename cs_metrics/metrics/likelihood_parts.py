"""What a likelihood is made of: what each factor adds to the log-odds of one contract, with its value in words."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_metrics.metrics.likelihood import SCORE_HOLDS_DAYS
from cs_metrics.models.likelihood_factors import FACTORS, words
from cs_metrics.store import Store

__all__ = ["BASE", "Driver", "drivers", "likelihood_parts"]

BASE = "base"
LEAST_POINTS = 1.0
_COLUMNS = ["contract_id", "factor", "label", "value", "contribution"]

# The newest complete week of each contract on the as-of day, as in `running_contracts`.
_PARTS = """
    with asked as (
        select unnest($contracts) as contract_id
    )
    select part.* exclude (trained_on), week.* exclude (contract_id, account_id, week_end)
    from renewal_part part
    inner join asked on asked.contract_id = part.contract_id
    inner join renewal_week week on week.contract_id = part.contract_id and week.week_end = part.week_end
    where
        part.week_end <= $as_of
        and part.week_end > least(week.ends_on, cast($as_of as date)) - $holds_days
    qualify row_number() over (partition by part.contract_id order by part.week_end desc) = 1
    order by part.contract_id
"""


def likelihood_parts(store: Store, contract_ids: Sequence[str], as_of: dt.date) -> pd.DataFrame:
    """Return what each factor adds to the log-odds of renewal of these contracts, as of the last complete week.

    The rows of a contract add up to ln(p ÷ (1 - p)) of its score p: the row `base` is what the model says before it knows
    anything of the contract, the others are exact for the model in use. A contract past its end keeps its last parts; what
    being late adds is not among them. Contracts whose likelihood is a base rate, and those with more than about half a year
    to run, have no rows.

    Columns: contract_id, factor, label (of the factor, in words), value (of the contract, in words, as of that week),
        contribution (in log-odds, above 0 speaks for the renewal)
    """
    found = _asked(store, contract_ids, as_of)
    rows = []
    for row in found.to_dict("records"):
        rows.append((row["contract_id"], BASE, "Average contract", "before anything is known of it", row["base"]))
        rows += [
            (row["contract_id"], one.name, one.label, words(one.name, row), row[f"part_{one.name}"]) for one in FACTORS
        ]
    return pd.DataFrame(rows, columns=_COLUMNS)


@dataclass(frozen=True)
class Driver:
    """One factor that moves a contract's likelihood: its value in words and by how many points of likelihood."""

    factor: str
    value: str
    points: float


def drivers(store: Store, contract_ids: Sequence[str], as_of: dt.date, *, most: int = 2) -> dict[str, list[Driver]]:
    """Return the factors that raise and lower each contract's likelihood most, up to `most` of each, the largest first.

    Points are by how much the likelihood would fall, or rise when negative, without what the factor adds; less than
    `LEAST_POINTS` is not told. Contracts without parts are left out.
    """
    found = _asked(store, contract_ids, as_of)
    parts = found[[f"part_{one.name}" for one in FACTORS]].to_numpy(dtype="float64")
    odds = found["base"].to_numpy(dtype="float64") + parts.sum(axis=1)
    points = 100 * (_chance(odds)[:, None] - _chance(odds[:, None] - parts))
    order = np.argsort(-np.abs(points), axis=1, kind="stable")
    said: dict[str, list[Driver]] = {}
    for row, facts in enumerate(found.to_dict("records")):
        chosen: list[Driver] = []
        for at in order[row]:
            size = float(points[row, at])
            if abs(size) < LEAST_POINTS:
                break
            if sum((one.points > 0) == (size > 0) for one in chosen) < most:
                factor = FACTORS[at]
                value = words(factor.name, facts)
                chosen.append(Driver(factor.name, f"{factor.label}: {value}" if value == "not known" else value, size))
        said[str(facts["contract_id"])] = chosen
    return said


def _asked(store: Store, contract_ids: Sequence[str], as_of: dt.date) -> pd.DataFrame:
    return store.frame(_PARTS, contracts=sorted(set(contract_ids)), as_of=as_of, holds_days=SCORE_HOLDS_DAYS)


def _chance(odds: np.ndarray) -> np.ndarray:
    found: np.ndarray = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    return found

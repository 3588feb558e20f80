"""The trial of the likelihood models: what each said before the outcome, and by how much it beats the base rate."""

import datetime as dt
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["CANDIDATES", "Trial", "clustered", "gain", "log_loss", "losses_of"]

CANDIDATES = ("logistic", "forest", "boosting")
Floats = npt.NDArray[np.float64]
_Z95 = 1.959964


class Trial:
    """What was said of past contracts, to be read as of any day on which their outcomes were known.

    `marks` holds contract_id, landmark_days, renewed (0 or 1) and known_on (NaT while unknown).
    """

    def __init__(self, marks: pd.DataFrame) -> None:
        self._outcome = marks[["contract_id", "landmark_days", "renewed", "known_on"]]
        self._said: list[pd.DataFrame] = []

    def add(self, said: pd.DataFrame) -> None:
        """Add what was said in one quarter: contract_id, account_id, landmark_days, candidate, log_odds, likelihood."""
        if len(said):
            self._said.append(said.merge(self._outcome, on=["contract_id", "landmark_days"]))

    def judged(self, day: dt.date, landmark_days: int, candidate: str) -> pd.DataFrame:
        """Return what a candidate said at one landmark of contracts whose outcome was known by `day`."""
        parts = [
            one[
                (one["landmark_days"] == landmark_days)
                & (one["candidate"] == candidate)
                & (one["known_on"] <= pd.Timestamp(day))
            ]
            for one in self._said
        ]
        empty = pd.DataFrame({name: [] for name in ("contract_id", "account_id", "log_odds", "likelihood", "renewed")})
        return pd.concat(parts, ignore_index=True) if parts else empty.astype({"renewed": float, "likelihood": float})


def losses_of(likelihood: Floats, renewed: Floats) -> Floats:
    """Return -ln of the likelihood given to what happened, per contract."""
    given = np.where(renewed == 1, likelihood, 1 - likelihood)
    found: Floats = -np.log(np.clip(given, 1e-9, 1.0))
    return found


def log_loss(rows: pd.DataFrame) -> float:
    """Return the mean of -ln(likelihood given to what happened), NaN without rows."""
    if not len(rows):
        return float("nan")
    return float(losses_of(rows["likelihood"].to_numpy(), rows["renewed"].to_numpy()).mean())


def gain(rows: pd.DataFrame, base: pd.DataFrame) -> tuple[float, float, float]:
    """Return by how much the log-loss of `rows` lies below that of `base`, over the contracts in both, with 95 % interval."""
    both = rows.merge(base[["contract_id", "likelihood"]], on="contract_id", suffixes=("", "_base"))
    happened = both["renewed"].to_numpy()
    difference = losses_of(both["likelihood_base"].to_numpy(), happened) - losses_of(
        both["likelihood"].to_numpy(), happened
    )
    return clustered(difference, both["account_id"].to_numpy(dtype=object))


def clustered(values: Floats, groups: npt.NDArray[Any]) -> tuple[float, float, float]:
    """Return the mean with its 95 % interval, values of the same group taken together; NaN with fewer than two groups."""
    if not len(values):
        return float("nan"), float("nan"), float("nan")
    mean = float(values.mean())
    codes, names = pd.factorize(groups)
    if len(names) < 2:
        return mean, float("nan"), float("nan")
    sums = np.bincount(codes, weights=values - mean)
    half = _Z95 * float(np.sqrt((sums**2).sum() * len(names) / (len(names) - 1))) / len(values)
    return mean, mean - half, mean + half

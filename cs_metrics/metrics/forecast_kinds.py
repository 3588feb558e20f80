"""What a base rate does not tell apart well: first renewals from later ones, large contracts from small ones, segments with few.

Where a learned model scores a contract, its likelihood knows both and is taken as it is. Where the base rate of a segment
and a colour stands in, past decisions say by how much a later renewal is surer than a first one, and a large contract
surer than a small one. Without it a young company, whose past holds little but first renewals, would be forecast to lose
for ever as many as at the first.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_metrics.models.forecast import Floats
from cs_metrics.store import Store

__all__ = ["Kinds", "is_later", "kinds", "moved", "still_open"]

_LATER_DAYS = 60  # a term that begins so long after the account's start is not its first
_LATER_SPREAD, _SIZE_SPREAD, _SEGMENT_SPREAD = (
    0.4,
    0.2,
    0.4,
)  # how far off the prior means are held possible, in log-odds
_PULL = 10.0  # of so many decisions that were still open the difference counts half
_STEPS = 60

_STARTS = "select account_id, started_on from accounts"


@dataclass(frozen=True)
class Kinds:
    """What adds to the log-odds of renewal: that it is not the first, each e-fold of the amount (within those seen so far),
    and the segment, which the base rate pulls towards all others.

    `shift` applies to all, so that the number of past renewals is what was said of them.
    """

    later: float
    slope: float
    segments: dict[str, float]
    shift: float
    centre: float
    smallest: float
    largest: float

    def of(self, later: Floats, arr: Floats, segment: pd.Series) -> Floats:
        """Return what adds to the log-odds of contracts."""
        size = np.clip(np.log(np.maximum(arr, 1.0)), self.smallest, self.largest) - self.centre
        own = segment.map(self.segments).fillna(0.0).to_numpy(dtype="float64")
        found: Floats = self.shift + self.later * later + self.slope * size + own
        return found


def is_later(store: Store, contracts: pd.DataFrame) -> Floats:
    """Tell of contracts (account_id, starts_on, days as of contract terms) which are not the first of their account."""
    started = store.frame(_STARTS).set_index("account_id")["started_on"].reindex(contracts["account_id"])
    waited = (contracts["starts_on"].to_numpy() - started.to_numpy()) / np.timedelta64(1, "D")
    return np.asarray(waited > _LATER_DAYS, dtype="float64")


def kinds(decided: pd.DataFrame, later: Floats, said: Floats, *, prior_later: float, prior_size: float) -> Kinds:
    """Return what past decisions (segment, arr, renewed) say of kinds beyond what was said of them (their base rates).

    It is a logistic regression with what was said as its offset, and normal priors: around `prior_later` for a later
    renewal, `prior_size` for an e-fold of the amount, 0 for a segment. The shift keeps the number of renewals that was
    said.
    """
    amounts = np.log(np.maximum(decided["arr"].to_numpy(dtype="float64"), 1.0))
    renewed, odds = decided["renewed"].to_numpy(dtype="float64"), np.log(said / (1 - said))
    segments = sorted(decided["segment"].unique())
    own = [(decided["segment"] == one).to_numpy(dtype="float64") for one in segments]
    x = np.stack([later, amounts - amounts.mean(), *own], axis=1)
    means = np.array([prior_later, prior_size, *[0.0] * len(segments)])
    sharp = np.array([_LATER_SPREAD, _SIZE_SPREAD, *[_SEGMENT_SPREAD] * len(segments)]) ** -2.0
    found, shift = means.copy(), 0.0
    for _ in range(_STEPS):
        shift = _to_keep(odds + x @ found, shift, float(said.sum()))
        chance = 1 / (1 + np.exp(-(odds + shift + x @ found)))
        room = chance * (1 - chance)
        centred = x - np.average(x, axis=0, weights=room)
        down = centred.T @ (renewed - chance) - (found - means) * sharp
        step = np.linalg.solve((centred * room[:, None]).T @ centred + np.diag(sharp), down)
        found = found + step
        if float(np.abs(step).max()) < 1e-10:
            break
    shift = _to_keep(odds + x @ found, shift, float(said.sum()))
    by_segment = dict(zip(segments, found[2:].tolist(), strict=True))
    seen = float(amounts.mean()), float(amounts.min()), float(amounts.max())
    return Kinds(float(found[0]), float(found[1]), by_segment, shift, *seen)


def still_open(decided: pd.DataFrame, days_left: Floats) -> Floats:
    """Return what it adds to the log-odds of renewal that a contract is undecided so many days before its end.

    Losses are often told earlier than renewals are signed: of those still open late, more are renewed. Compared are the
    shares of past renewals and of past losses (renewed, days_late) that were still open then; where few were, the
    difference counts less. A contract past its end is weighed in its likelihood already.
    """
    late, renewed = decided["days_late"].to_numpy(dtype="float64"), decided["renewed"].to_numpy() == 1
    kept, lost = (_open(late[of], days_left) for of in (renewed, ~renewed))
    everyone = np.maximum((kept + lost) / max(len(late), 1), 1e-12)
    shares = [(one + everyone) / (int(of.sum()) + 1) for one, of in ((kept, renewed), (lost, ~renewed))]
    seen = (kept + lost) / (kept + lost + _PULL)
    found: Floats = np.where(days_left > 0, seen * np.log(shares[0] / shares[1]), 0.0)
    return found


def _open(late: Floats, days_left: Floats) -> Floats:
    """Return how many decisions came later than so many days before the end."""
    return (len(late) - np.searchsorted(np.sort(late), -days_left, side="right")).astype("float64")


def moved(likelihood: pd.Series, by: Floats) -> pd.Series:
    """Return likelihoods moved by amounts of log-odds."""
    chance = likelihood.to_numpy(dtype="float64")
    return pd.Series(1 / (1 + np.exp(-(np.log(chance / (1 - chance)) + by))), index=likelihood.index)


def _to_keep(odds: Floats, shift: float, total: float) -> float:
    """Return the shift with which Σ chance is `total` (Newton)."""
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-(odds + shift)))
        step = (total - float(chance.sum())) / max(float((chance * (1 - chance)).sum()), 1e-12)
        shift += step
        if abs(step) < 1e-12:
            break
    return shift

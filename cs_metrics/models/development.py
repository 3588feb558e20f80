"""How due periods develop: what became of the amount that was still undecided at an age, learned from past periods.

A due period is a row of a triangle, its age a column. At each age the amount due is split into kept, lost and
undecided. From one age to the next a share of what was undecided is kept and a share lost; pooled over all periods
that were seen at both ages, these shares carry a young period forward from where it stands. It is the chain-ladder of
claims reserving with the undecided amount as its base, so that what is kept never exceeds what is due.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

__all__ = ["Developed", "develop"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Developed:
    """Periods carried to the last age: shares of the amount due by period and age, NaN where nothing can be said.

    `share` is what is kept; where it is not yet known it is expected, and `low` and `high` hold with chance `level`.
    `past` is how many periods with a known end stand behind the interval of each age.
    """

    share: Floats
    low: Floats
    high: Floats
    past: npt.NDArray[np.int64]


def develop(due: Floats, kept: Floats, lost: Floats, *, level: float, min_past: int) -> Developed:
    """Carry each period to the last age. `due` by period; `kept` and `lost` by period and age, NaN where not yet known.

    The interval of an age comes from how far the method itself was off at the same age in past periods, each carried
    with the shares of all the others (leave one out), weighted by amount: Student's t with as many degrees of freedom as
    there are such periods less one. Without `min_past` of them nothing is expected.
    """
    periods, ages = kept.shape
    known = ~np.isnan(kept)
    share, low, high = kept / due[:, None], np.full(kept.shape, np.nan), np.full(kept.shape, np.nan)
    past = np.zeros(ages, dtype="int64")
    done = np.flatnonzero(known.all(axis=1) & (due > 0))
    for start in range(ages):
        past[start] = len(done)
        young = [at for at in range(periods) if known[at].sum() == start + 1 and start + 1 < ages and due[at] > 0]
        if not young or len(done) < min_past:
            continue
        paths = _paths(_steps(due, kept, lost, known), start)
        missed = _missed(due, kept, lost, known, done, start)
        reach = float(stdtrit(len(done) - 1, 0.5 + level / 2))
        for at in young:
            undecided = due[at] - kept[at, start] - lost[at, start]
            most = 1 - lost[at, start] / due[at]
            expected = (kept[at, start] + undecided * paths) / due[at]
            spread = reach * missed * np.sqrt(1 + 1 / len(done))
            later = slice(start + 1, ages)
            share[at, later] = expected
            low[at, later] = np.maximum(expected - spread, share[at, start])
            high[at, later] = np.minimum(expected + spread, most)
    return Developed(share, low, high, past)


def _steps(due: Floats, kept: Floats, lost: Floats, known: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return per age the shares of the undecided amount that are kept and lost on the way to the next age, pooled."""
    both = known[:, 1:] & known[:, :-1]
    undecided = np.where(both, due[:, None] - kept[:, :-1] - lost[:, :-1], 0.0).sum(axis=0)
    gained = np.where(both, kept[:, 1:] - kept[:, :-1], 0.0).sum(axis=0)
    gone = np.where(both, lost[:, 1:] - lost[:, :-1], 0.0).sum(axis=0)
    base = np.where(undecided > 0, undecided, 1.0)
    return np.where(undecided > 0, gained / base, 0.0), np.where(undecided > 0, gone / base, 0.0)


def _paths(steps: tuple[Floats, Floats], start: int) -> Floats:
    """Return what part of an amount undecided at age `start` is kept by each later age."""
    gained, gone = steps[0][start:], steps[1][start:]
    waiting = np.concatenate([[1.0], np.cumprod(np.clip(1 - gained - gone, 0.0, None))])[:-1]
    found: Floats = np.cumsum(waiting * gained)
    return found


def _missed(
    due: Floats, kept: Floats, lost: Floats, known: npt.NDArray[np.bool_], done: npt.NDArray[np.intp], start: int
) -> Floats:
    """Return per later age how far periods with a known end lay from what the others would have expected of them."""
    squares = np.zeros(kept.shape[1] - start - 1)
    for at in done:
        others = np.arange(len(due)) != at
        paths = _paths(_steps(due[others], kept[others], lost[others], known[others]), start)
        undecided = due[at] - kept[at, start] - lost[at, start]
        off = (kept[at, start + 1 :] - kept[at, start] - undecided * paths) / due[at]
        squares += due[at] * off**2
    found: Floats = np.sqrt(squares / due[done].sum())
    return found

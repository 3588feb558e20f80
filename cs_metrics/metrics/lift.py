"""What lifting an account by one colour brings: what past renewals show, else an assumption that says so."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics.metrics.likelihood import past_decisions
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["STEPS", "lift_evidence", "lift_points"]

STEPS = {"red": "red to yellow", "yellow": "yellow to green"}
_BETTER = {"red": ("yellow", "green"), "yellow": ("green",)}
_FROM_LAG, _TO_LAG = 180, 90  # days before the end between which an account moved, or did not
_Z = 1.959964


@metric(needs=("contracts",), page="Health")
def lift_evidence(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """By how many points accounts that moved up a colour renewed more often than those that stayed in it.

    Compared are past decisions of all accounts that were in the same colour 180 days before the end of their term: those
    that stood higher 90 days before it, and those that did not, within each segment, so that alike accounts are
    compared. Where at least min_accounts moved and as many did not, and the interval lies above 0, its lower end is used
    as evidence; else the configured assumption is, and says so. It is an association: nobody knows how many of
    those that moved would have renewed anyway, and hours spent are not recorded; hence the cautious end.

    Formula: difference = Mantel-Haenszel mean over segments of (renewed ÷ moved up) - (renewed ÷ stayed).
    Columns:
        step: red to yellow (or green at once), or yellow to green
        moved, moved_renewed: decisions whose account moved up, and how many of them were renewed
        stayed, stayed_renewed: the others
        difference, low, high: with its 95 % interval, as fractions (0.08 is 8 points)
        assumed: the configured assumption
        points: what is used, as a fraction
        basis: evidence or assumption
        says: why
    Source: risk difference pooled over strata (Mantel and Haenszel 1959), variance of Greenland and Robins (1985).
    """
    del scope  # the effect of a colour is that of all accounts
    decided, fewest, settings = past_decisions(store, as_of), store.config.min_accounts, store.config.planning
    assumed = {"red": settings.red_to_yellow_points / 100, "yellow": settings.yellow_to_green_points / 100}
    rows = [_step(decided, colour, assumed[colour], fewest) for colour in STEPS]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


_COLUMNS = {
    "step": "str",
    **dict.fromkeys(("moved", "moved_renewed", "stayed", "stayed_renewed"), "int64"),
    **dict.fromkeys(("difference", "low", "high", "assumed", "points"), "float64"),
    "basis": "str",
    "says": "str",
}


def lift_points(store: Store, as_of: dt.date) -> dict[str, float]:
    """Return by colour how much one step up from it is taken to raise the likelihood of renewal, as a fraction."""
    return dict(zip(STEPS, lift_evidence(store, as_of=as_of)["points"].astype(float), strict=True))


def _step(decided: pd.DataFrame, colour: str, assumed: float, fewest: int) -> tuple[object, ...]:
    of = decided[
        (decided[f"colour_{_FROM_LAG}"] == colour) & decided[f"colour_{_TO_LAG}"].isin(["red", "yellow", "green"])
    ]
    is_up = of[f"colour_{_TO_LAG}"].isin(_BETTER[colour])
    moved, stayed = of[is_up], of[~is_up]
    counts = len(moved), int(moved["renewed"].sum()), len(stayed), int(stayed["renewed"].sum())
    difference, error = _pooled(of.assign(is_up=is_up))
    low, high = difference - _Z * error, difference + _Z * error
    if min(len(moved), len(stayed)) < fewest:
        says = f"{len(moved)} moved up and {len(stayed)} did not: too few to compare"
    elif not low > 0:
        says = "the past cannot tell the difference from 0"
    else:
        return (
            STEPS[colour],
            *counts,
            difference,
            low,
            high,
            assumed,
            low,
            "evidence",
            "the cautious end of what past renewals show",
        )
    return STEPS[colour], *counts, difference, low, high, assumed, assumed, "assumption", says


def _pooled(of: pd.DataFrame) -> tuple[float, float]:
    """Return the difference of renewal rates pooled over segments and its standard error, NaN where nothing compares."""
    weight = total = spread = 0.0
    for _, rows in of.groupby("segment"):
        up, down = (rows.loc[rows["is_up"] == one, "renewed"].to_numpy(dtype="float64") for one in (True, False))
        n1, n0 = len(up), len(down)
        if not n1 or not n0:
            continue
        both, a, b = n1 + n0, up.sum(), down.sum()
        weight += n1 * n0 / both
        total += (a * n0 - b * n1) / both
        spread += (a * (n1 - a) * n0**3 + b * (n0 - b) * n1**3) / (n1 * n0 * both**2)
    return (total / weight, float(np.sqrt(spread)) / weight) if weight else (np.nan, np.nan)

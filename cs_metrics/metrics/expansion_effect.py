"""What expansions did to health and satisfaction, beside accounts that bought nothing, and the bonus that follows."""

import datetime as dt
import math
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_review import expansion_review
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["bonuses", "clustered", "effects", "expansion_bonus", "expansion_effect"]

MEASURES = {"health": "Health", "satisfaction": "Satisfaction"}
_EFFECT = {
    "measure": "str", "kind": "str", "deals": "int64", "matched": "int64", "accounts": "int64", "change": "float64",
    "change_matched": "float64", "difference": "float64", "low": "float64", "high": "float64", "says": "str",
}  # fmt: skip
_BONUS = {
    "person": "str", "deals": "int64", "judged": "int64", "held": "int64", "fell": "int64", "too_early": "int64",
    "unknown": "int64", "arr": "float64", "judged_arr": "float64", "earned_arr": "float64", "bonus_share": "float64",
    "health_difference": "float64",
}  # fmt: skip


@metric(needs=("opportunities",), page="Expansion")
def expansion_effect(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Did accounts fare worse after an expansion than accounts like them that bought nothing: a difference of differences.

    One row per measure for all kinds together, then one per kind. A deal counts where 90 days are over and its account
    and at least one match have the measure on both sides. Matches are chosen by what was known before the deal, so
    that a high health that returns to its usual level does so on both sides. An association still: those that bought
    may differ in what neither segment, size nor health shows.

    Formula: difference = mean over the deals of (change of the account − mean change of its matches); interval ± t ×
        standard error, the deals of one account counting as one case.
    Columns:
        measure: health or satisfaction, both in points of 0 to 100
        kind: kind of deal, or all
        deals: won deals with the measure on both sides
        matched, accounts: those of them with a match, and the accounts that they belong to
        change, change_matched: mean change of the matched deals' accounts, and of their matches
        difference, low, high: the difference with its 95% interval; empty for fewer accounts than min_accounts
        says: what that means, in a sentence
    Source: difference in differences on matched controls (Heckman, Ichimura and Todd, 1997); clustered errors (Liang and Zeger, 1986).
    """
    return effects(expansion_review(store, as_of=as_of, scope=scope), store.config.min_accounts)


def effects(found: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return `expansion_effect` from the rows of `expansion_review`."""
    kinds = ["all", *sorted(found["kind"].unique())]
    rows = []
    for kind in kinds:
        some = found if kind == "all" else found[found["kind"] == kind]
        rows += [{"measure": name, "kind": kind, **_effect(some, name, least)} for name in MEASURES]
    return pd.DataFrame(rows, columns=list(_EFFECT)).astype(_EFFECT)


def _effect(found: pd.DataFrame, measure: str, least: int) -> dict[str, object]:
    known = found[found[f"{measure}_change"].notna()]
    matched = known[known[f"{measure}_difference"].notna()]
    accounts = int(matched["account_id"].nunique())
    mean, low, high = math.nan, math.nan, math.nan
    if accounts >= max(least, 2):
        mean, low, high = clustered(matched[f"{measure}_difference"].to_numpy("float64"), list(matched["account_id"]))
    return {
        "deals": len(known),
        "matched": len(matched),
        "accounts": accounts,
        "change": matched[f"{measure}_change"].mean(),
        "change_matched": matched[f"{measure}_matched"].mean(),
        "difference": mean,
        "low": low,
        "high": high,
        "says": _says(MEASURES[measure], accounts, max(least, 2), mean, low, high),
    }


def clustered(values: np.ndarray, groups: list[str]) -> tuple[float, float, float]:
    """Return the mean of values with its 95 % interval, the values of one group counting as one case."""
    mean = float(values.mean())
    sums = pd.Series(values - mean).groupby(groups).sum().to_numpy()
    cases = len(sums)
    error = math.sqrt(float((sums**2).sum()) * cases / (cases - 1)) / len(values)
    half = float(stats.t.ppf(0.975, cases - 1)) * error
    return mean, mean - half, mean + half


def _says(name: str, accounts: int, least: int, mean: float, low: float, high: float) -> str:
    if accounts < least:
        return f"Not enough: {words.plural(accounts, 'account')} can be compared, {least} are needed"
    sure = f"95% interval {low:+.1f} to {high:+.1f}"
    if low <= 0 <= high:
        return f"{name} fared as in accounts like them, as far as can be told ({mean:+.1f} points, {sure})"
    return (
        f"{name} fared {abs(mean):.1f} points {'better' if mean > 0 else 'worse'} than in accounts like them ({sure})"
    )


@metric(needs=("opportunities",), page="Expansion")
def expansion_bonus(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, by: Literal["csm", "owner"] = "csm"
) -> pd.DataFrame:
    """What of each CSM's expansions counts for the bonus: full where health and satisfaction held or rose, less where they fell.

    One row per CSM of the accounts, by=owner per person who owned the deals; without one the row is empty. A last row
    `All` adds up. Deals too early to judge, and those without a measure on both sides, are in neither sum.

    Formula: earned_arr = Σ arr × bonus_share over the deals judged; bonus_share = earned_arr ÷ judged_arr.
    Columns:
        person: who
        deals, arr: won deals and their ARR
        judged, judged_arr: those that can be judged
        held, fell: of those, where both held or rose, and where one or both fell
        too_early, unknown: 90 days not over; no measure on both sides
        earned_arr: ARR that counts for the bonus
        bonus_share: its share of the judged ARR, empty where none is judged
        health_difference: mean difference of health to accounts like them; empty below min_accounts matched accounts
    """
    return bonuses(expansion_review(store, as_of=as_of, scope=scope), by, store.config.min_accounts)


def bonuses(found: pd.DataFrame, by: str, least: int) -> pd.DataFrame:
    """Return `expansion_bonus` from the rows of `expansion_review`."""
    named = found.assign(person=found[by].fillna("").replace("nan", ""))
    rows = [_bonus(str(person), some, least) for person, some in named.groupby("person", sort=True)]
    rows.sort(key=lambda row: (-float(str(row["arr"])), str(row["person"])))
    if rows:
        rows.append(_bonus("All", named, least))
    return pd.DataFrame(rows, columns=list(_BONUS)).astype(_BONUS)


def _bonus(person: str, some: pd.DataFrame, least: int) -> dict[str, object]:
    judged = some[some["bonus_share"].notna()]
    matched = some[some["health_difference"].notna()]
    earned, judged_arr = float((judged["arr"] * judged["bonus_share"]).sum()), float(judged["arr"].sum())
    held = int((judged["verdict"] == "held or rose").sum())
    return {
        "person": person,
        "deals": len(some),
        "judged": len(judged),
        "held": held,
        "fell": len(judged) - held,
        "too_early": int((some["verdict"] == "too early").sum()),
        "unknown": int((some["verdict"] == "unknown").sum()),
        "arr": float(some["arr"].sum()),
        "judged_arr": judged_arr,
        "earned_arr": earned,
        "bonus_share": earned / judged_arr if judged_arr else math.nan,
        "health_difference": matched["health_difference"].mean()
        if matched["account_id"].nunique() >= least
        else math.nan,
    }

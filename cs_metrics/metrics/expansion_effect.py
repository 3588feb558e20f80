"""What expansions did to health and satisfaction, beside accounts that bought nothing, and the bonus that follows."""

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_review import expansion_review
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

if TYPE_CHECKING:
    from pandas.api.typing import DataFrameGroupBy

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
    is_judged, is_matched = found["bonus_share"].notna(), found["health_difference"].notna()
    named = pd.DataFrame(
        {
            "person": found[by].fillna("").replace("nan", ""),
            "deals": 1,
            "judged": is_judged,
            "held": is_judged & (found["verdict"] == "held or rose"),
            "fell": is_judged & (found["verdict"] != "held or rose"),
            "too_early": found["verdict"] == "too early",
            "unknown": found["verdict"] == "unknown",
            "arr": found["arr"],
            "judged_arr": found["arr"].where(is_judged, 0.0),
            "earned_arr": (found["arr"] * found["bonus_share"]).fillna(0.0),
            "differences": found["health_difference"].fillna(0.0),
            "matched": is_matched,
            "account_id": found["account_id"].where(is_matched),
        }
    )
    sums = [_summed(named.groupby("person", sort=True)).sort_values("arr", ascending=False, kind="stable")]
    if len(named):
        sums.append(_summed(named.assign(person="All").groupby("person")))
    rows = pd.concat(sums).reset_index()
    rows["bonus_share"] = rows["earned_arr"] / rows["judged_arr"].where(rows["judged_arr"] > 0)
    rows["health_difference"] = (rows["differences"] / rows["matched"]).where(rows["account_id"] >= least)
    return rows[list(_BONUS)].astype(_BONUS)


def _summed(groups: "DataFrameGroupBy[Any, Any]") -> pd.DataFrame:
    """Return the sums of each group, and how many matched accounts it has under `account_id`."""
    found = groups.sum(numeric_only=True)
    found["account_id"] = groups["account_id"].nunique()
    return found

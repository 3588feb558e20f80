"""Does the health score work? What became of the red, yellow and green accounts of some time ago."""

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics.health import book
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["MIN_LOSSES", "area_interval", "area_under_curve", "health_backtest", "wilson"]

MIN_LOSSES = 10
_Z = 1.959963984540054  # 95 %


@metric(needs=("subscriptions",), page="Health")
def health_backtest(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, horizon_days: int = 90) -> pd.DataFrame:
    """Did the score tell who would be lost: of the accounts of each colour `horizon_days` ago, how many were lost since.

    The accounts are the customers of the day `horizon_days` before the as-of day, with the score as it was then.
    Lost means churned or shrunk: MRR on the as-of day below that of the snapshot. Accounts without a score then are
    shown, and are in neither the overall rate nor the AUC. With fewer than 10 losses, or 10 accounts kept, the verdict
    is "not enough outcomes"; where the interval of the AUC holds 0.5 it is "does not separate".

    Formula: loss_rate = lost ÷ accounts; lift = loss_rate ÷ lost of all scored accounts ÷ all scored accounts;
        AUC = share of the pairs of a lost and a kept account in which the lost one scored lower, ties as half.
    Columns:
        colour: colour at the snapshot: red, yellow, green or none
        accounts: customers of the snapshot with that colour
        lost: those of them that churned or shrank until the as-of day
        churned, shrank: the two kinds of loss
        loss_rate: lost ÷ accounts
        low, high: 95 % interval of the loss rate
        lift: loss rate ÷ that of all accounts with a score
        auc, auc_low, auc_high: how well the score separates, with its 95 % interval; the same on every row
        verdict: what that means in words; the same on every row
        snapshot_day: the day of the snapshot
    Source: Wilson (1927) for rates; Newcombe (2006), Statistics in Medicine 25:559, method 5, for the AUC.
    """
    if horizon_days < 1:
        raise MetricError("horizon_days must be at least 1.")
    snapshot = periods.add_days(as_of, -horizon_days)
    sql = f"""
        with {book("opening", "snapshot")},
        {book("closing", "as_of")}
        select
            coalesce(health.colour, 'none') as colour,
            health.score,
            closing.account_id is null as is_churned,
            coalesce(closing.mrr_cents, 0) between 1 and opening.mrr_cents - 1 as is_shrunk
        from opening
        left join closing on closing.account_id = opening.account_id
        left join account_week_health health on health.account_id = opening.account_id and health.week_end = $week_end
    """
    week_end = periods.last_full_week_end(snapshot)
    found = store.frame(sql, scope=scope, snapshot=snapshot, as_of=as_of, week_end=week_end)
    found["is_lost"] = found["is_churned"] | found["is_shrunk"]
    counted = found.groupby("colour").agg(
        accounts=("is_lost", "size"),
        lost=("is_lost", "sum"),
        churned=("is_churned", "sum"),
        shrank=("is_shrunk", "sum"),
    )
    rows = counted.reindex(["red", "yellow", "green", "none"], fill_value=0).rename_axis("colour").reset_index()
    rows = rows.astype({"accounts": "int64", "lost": "int64", "churned": "int64", "shrank": "int64"})
    known = found[found["score"].notna()]
    overall = known["is_lost"].mean() if len(known) else math.nan
    rows["loss_rate"] = rows["lost"] / rows["accounts"].where(rows["accounts"] > 0)
    ends = [wilson(lost, accounts) for lost, accounts in zip(rows["lost"], rows["accounts"], strict=True)]
    rows["low"], rows["high"] = [low for low, _ in ends], [high for _, high in ends]
    rows["lift"] = rows["loss_rate"].where(rows["colour"] != "none") / (overall if overall else math.nan)
    lost, kept = known.loc[known["is_lost"], "score"].to_numpy(), known.loc[~known["is_lost"], "score"].to_numpy()
    auc = area_under_curve(lost, kept)
    low, high = area_interval(auc, len(lost), len(kept))
    rows["auc"], rows["auc_low"], rows["auc_high"] = auc, low, high
    rows["verdict"] = _verdict(len(lost), len(kept), (auc, low, high), horizon_days)
    rows["snapshot_day"] = pd.Timestamp(snapshot).as_unit("us")
    return rows


def _verdict(lost: int, kept: int, area: tuple[float, float, float], horizon_days: int) -> str:
    if lost + kept == 0:
        return f"not enough outcomes (no customer had a score {horizon_days} days ago)"
    if lost < MIN_LOSSES:
        return f"not enough outcomes ({lost} of {lost + kept} accounts lost, at least {MIN_LOSSES} are needed)"
    if kept < MIN_LOSSES:
        return f"not enough outcomes ({kept} of {lost + kept} accounts kept, at least {MIN_LOSSES} are needed)"
    auc, low, high = area
    said = f"AUC {auc:.2f}, 95% interval {low:.2f} to {high:.2f}"
    if low > 0.5:
        return f"separates ({said})"
    if high < 0.5:
        return f"does not separate ({said}, the lost accounts even scored higher)"
    return f"does not separate ({said} holds the 0.50 of chance)"


def wilson(hits: int, of: int, z: float = _Z) -> tuple[float, float]:
    """Return the Wilson score interval of hits ÷ of, NaN without a case."""
    if not of:
        return math.nan, math.nan
    share, spread = hits / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(middle - half, 0.0) if hits else 0.0, min(middle + half, 1.0) if hits < of else 1.0


def area_under_curve(lost: Sequence[float] | np.ndarray, kept: Sequence[float] | np.ndarray) -> float:
    """Return the share of pairs in which the lost one has the lower score, ties as half; NaN without both kinds."""
    if not len(lost) or not len(kept):
        return math.nan
    ordered = np.sort(np.asarray(kept, dtype="float64"))
    above = len(ordered) - np.searchsorted(ordered, lost, side="right")
    equal = np.searchsorted(ordered, lost, side="right") - np.searchsorted(ordered, lost, side="left")
    return float((above + equal / 2).sum() / (len(lost) * len(kept)))


def area_interval(auc: float, lost: int, kept: int, z: float = _Z) -> tuple[float, float]:
    """Return the interval of an AUC: the values that the observed one is within `z` standard errors of.

    The standard error is taken at the value in question, so that an AUC of 1 from few losses still has a wide interval.
    """
    if math.isnan(auc):
        return math.nan, math.nan
    return _end(auc, 0.0, lost, kept, z), _end(auc, 1.0, lost, kept, z)


def _end(auc: float, towards: float, lost: int, kept: int, z: float) -> float:
    inside, outside = auc, towards
    for _ in range(60):
        middle = (inside + outside) / 2
        if abs(auc - middle) <= z * _standard_error(middle, lost, kept):
            inside = middle
        else:
            outside = middle
    return (inside + outside) / 2


def _standard_error(auc: float, lost: int, kept: int) -> float:
    average = (lost + kept) / 2 - 1
    inner = 1 + average * ((1 - auc) / (2 - auc) + auc / (1 + auc))
    return math.sqrt(auc * (1 - auc) * inner / (lost * kept))

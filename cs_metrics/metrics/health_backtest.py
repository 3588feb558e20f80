"""Does the health score work? What became of the red, yellow and green accounts of some time ago.

Every row of a trial is a customer on a past day, with the score of the last complete week before that day, as it was
computed from facts known then, and what its MRR became within the horizon. Nothing later enters the score.
"""

import datetime as dt
import math
from typing import Any, Literal

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.health_outcomes import outcomes, scored
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.models.health_trial import Judgement, area_interval, area_under_curve, judge, wilson
from cs_metrics.store import Store

__all__ = [
    "area_interval",
    "area_under_curve",
    "health_backtest",
    "health_backtest_deciles",
    "health_backtest_groups",
    "judged",
    "wilson",
]

_COLOURS = ["red", "yellow", "green", "none"]


@metric(needs=("subscriptions",), page="Health")
def health_backtest(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, horizon_days: int = 90, snapshots: int = 1
) -> pd.DataFrame:
    """Did the score tell who would be lost: of the accounts of each colour `horizon_days` ago, how many were lost since.

    The accounts are the customers of the day `horizon_days` before the as-of day, with the score as it was then.
    Lost means churned or shrunk: MRR at the end of the window below that of the snapshot. With more `snapshots` the
    same is asked of earlier days too, each a horizon before the one after it, and all are pooled: no two windows
    overlap, and an account counts once in each. Accounts without a score then are shown, and are in neither the
    overall rate nor the AUC.

    The verdict: "not enough outcomes" with fewer than 10 losses, or 10 accounts kept. "Does not separate" where the
    interval of the AUC holds 0.5. "Separates weakly" where a floor is missed: red accounts are to be lost at least 3
    times as often as all (where losses are too many for that: at least half of the way up to 100 %), and two thirds of
    the losses are to have been yellow or red.

    Formula: loss_rate = lost ÷ accounts; lift = loss_rate ÷ lost of all scored accounts ÷ all scored accounts;
        AUC = share of the pairs of a lost and a kept account in which the lost one scored lower, ties as half.
    Columns:
        colour: colour at the snapshot: red, yellow, green or none
        accounts: customers of the snapshot with that colour
        lost: those of them that churned or shrank within the horizon
        churned, shrank: the two kinds of loss
        loss_rate: lost ÷ accounts
        low, high: 95 % interval of the loss rate
        lift: loss rate ÷ that of all accounts with a score
        auc, auc_low, auc_high: how well the score separates, with its 95 % interval; the same on every row
        verdict: what that means in words; the same on every row
        snapshot_day: the day of the snapshot, of the first one where several are pooled
        snapshots: days that are pooled
        lost_arr: ARR that these accounts lost
        lost_arr_share: share of all ARR lost by accounts with a score; that of green is what the score did not see
        base_rate: loss rate of all accounts with a score; the same on every row
        red_lift: loss rate of red ÷ base rate; the same on every row
        below_green_share: share of the lost accounts that were yellow or red; the same on every row
    Source: Wilson (1927) for rates. AUC: the wider of a bootstrap that draws accounts (Efron 1979; Field and Welsh
        2007 for clusters) and Newcombe (2006), Statistics in Medicine 25:559, method 5.
    """
    found = outcomes(store, as_of=as_of, scope=scope, horizon_days=horizon_days, snapshots=snapshots)
    known = scored(found)
    verdict = judged(known, store, f" {horizon_days} days ago")
    counted = _counted(found, "colour", known)
    rows = counted.reindex(_COLOURS).rename_axis("colour").reset_index()
    counts = ["accounts", "lost", "churned", "shrank"]
    rows[[*counts, "lost_arr"]] = rows[[*counts, "lost_arr"]].fillna(0)
    rows = rows.astype(dict.fromkeys(counts, "int64"))
    is_scored = rows["colour"] != "none"
    rows["lift"] = rows["lift"].where(is_scored)
    share = rows["lost_arr"].where(is_scored)
    rows["lost_arr_share"] = share / share.sum() if share.sum() else np.nan
    rows["auc"], rows["auc_low"], rows["auc_high"] = verdict.auc, verdict.low, verdict.high
    rows["verdict"] = verdict.verdict
    rows["snapshot_day"] = pd.Timestamp(_first_day(found, as_of, horizon_days)).as_unit("us")
    rows["snapshots"] = max(int(found["snapshot_day"].nunique()), 1)
    rows["base_rate"] = known["is_lost"].mean() if len(known) else np.nan
    rows["red_lift"], rows["below_green_share"] = verdict.red_lift, verdict.below_green_share
    first = ["colour", *counts, "loss_rate", "low", "high", "lift", "auc", "auc_low", "auc_high", "verdict"]
    more = ["snapshot_day", "snapshots", "lost_arr", "lost_arr_share", "base_rate", "red_lift", "below_green_share"]
    return rows[[*first, *more]]


@metric(needs=("subscriptions",), page="Health")
def health_backtest_deciles(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, horizon_days: int = 90, snapshots: int = 1
) -> pd.DataFrame:
    """Of the tenth of the accounts that scored lowest some time ago, and of each other tenth, how many were lost since.

    Snapshots and losses are those of `health_backtest`. Tenths are cut at each snapshot among the accounts with a score
    then; accounts with the same score are in the same tenth, so tenths need not be of the same size.

    Formula: decile = 10 × mean rank ÷ accounts, rounded up; lost_so_far = lost in this and all lower tenths ÷ all lost.
    Columns:
        decile: 1 for the lowest scores to 10
        score_from, score_to: lowest and highest score in it
        accounts, lost: accounts with a score, and those of them that churned or shrank
        loss_rate, low, high: lost ÷ accounts, with its 95 % interval
        lift: loss rate ÷ that of all
        lost_so_far: share of all losses in this and the lower tenths
        lost_arr: ARR that these accounts lost
        base_rate: loss rate of all; the same on every row
    Source: Wilson (1927).
    """
    found = outcomes(store, as_of=as_of, scope=scope, horizon_days=horizon_days, snapshots=snapshots)
    known = scored(found)
    groups = known.groupby("snapshot_day")["score"]
    place = np.ceil((groups.rank() - 0.5) / groups.transform("count") * 10)
    known["decile"] = place.clip(lower=1, upper=10).astype("int64")
    rows = _counted(known, "decile", known).drop(columns=["churned", "shrank"])
    rows = rows.join(known.groupby("decile")["score"].agg(score_from="min", score_to="max")).reset_index()
    rows["lost_so_far"] = rows["lost"].cumsum() / (rows["lost"].sum() or np.nan)
    rows["base_rate"] = known["is_lost"].mean() if len(known) else np.nan
    columns = ["decile", "score_from", "score_to", "accounts", "lost", "loss_rate", "low", "high", "lift"]
    return rows[[*columns, "lost_so_far", "lost_arr", "base_rate"]]


@metric(needs=("subscriptions",), page="Health")
def health_backtest_groups(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    horizon_days: int = 90,
    snapshots: int = 1,
    by: Literal["segment", "stage", "csm"] = "segment",
) -> pd.DataFrame:
    """Does the score work in each segment: its AUC, its red accounts and its verdict, segment by segment.

    Snapshots, losses and verdicts are those of `health_backtest`. The stage is that of the snapshot; segment and CSM are
    as they are now.

    Columns:
        group: the segment, stage or CSM; empty where it is unknown
        accounts, lost: accounts with a score, and those of them that churned or shrank
        base_rate: lost ÷ accounts
        red_accounts, red_lost: those that were red, and lost
        red_lift: loss rate of red ÷ base rate
        below_green_share: share of the lost accounts that were yellow or red
        green_lost_arr_share: share of the lost ARR that was green
        auc, auc_low, auc_high: with its 95 % interval
        verdict: in words
    """
    found = outcomes(store, as_of=as_of, scope=scope, horizon_days=horizon_days, snapshots=snapshots)
    known = scored(found)
    rows = [_group(str(name), part, store, horizon_days) for name, part in known.groupby(by, sort=True)]
    columns = [
        "group", "accounts", "lost", "base_rate", "red_accounts", "red_lost", "red_lift", "below_green_share",
        "green_lost_arr_share", "auc", "auc_low", "auc_high", "verdict",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _group(name: str, part: pd.DataFrame, store: Store, horizon_days: int) -> dict[str, Any]:
    verdict = judged(part, store, f" {horizon_days} days ago")
    red = part[part["colour"] == "red"]
    lost_arr = part["lost_arr"].sum()
    return {
        "group": name,
        "accounts": len(part),
        "lost": verdict.lost,
        "base_rate": part["is_lost"].mean(),
        "red_accounts": len(red),
        "red_lost": int(red["is_lost"].sum()),
        "red_lift": verdict.red_lift,
        "below_green_share": verdict.below_green_share,
        "green_lost_arr_share": part.loc[part["colour"] == "green", "lost_arr"].sum() / lost_arr
        if lost_arr
        else math.nan,
        "auc": verdict.auc,
        "auc_low": verdict.low,
        "auc_high": verdict.high,
        "verdict": verdict.verdict,
    }


def judged(known: pd.DataFrame, store: Store, since: str) -> Judgement:
    """Return the judgement over rows of `health_outcomes.scored`."""
    return judge(
        known["score"].to_numpy(dtype="float64"),
        known["is_lost"].to_numpy(dtype=bool),
        known["account_id"].to_numpy(dtype=str),
        known["colour"].to_numpy(dtype=str),
        store.config.health.trial,
        since=since,
    )


def _counted(found: pd.DataFrame, by: str, known: pd.DataFrame) -> pd.DataFrame:
    """Return accounts, losses, rate with interval and lift of each group; the lift is against all that are `known`."""
    rows = found.groupby(by).agg(
        accounts=("is_lost", "size"),
        lost=("is_lost", "sum"),
        churned=("is_churned", "sum"),
        shrank=("is_shrunk", "sum"),
        lost_arr=("lost_arr", "sum"),
    )
    rows["loss_rate"] = rows["lost"] / rows["accounts"]
    ends = [wilson(int(lost), int(accounts)) for lost, accounts in zip(rows["lost"], rows["accounts"], strict=True)]
    rows["low"], rows["high"] = [low for low, _ in ends], [high for _, high in ends]
    base = float(known["is_lost"].mean()) if len(known) else 0.0
    rows["lift"] = rows["loss_rate"] / base if base else np.nan
    return rows


def _first_day(found: pd.DataFrame, as_of: dt.date, horizon_days: int) -> Any:
    return found["snapshot_day"].min() if len(found) else periods.add_days(as_of, -horizon_days)

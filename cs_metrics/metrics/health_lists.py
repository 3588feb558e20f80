"""Two lists beside the score: customers who use much and win nothing, and customers to ask for a reference."""

import datetime as dt

import pandas as pd

from cs_metrics.metrics import health_words
from cs_metrics.metrics.health import customers
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["advocates", "busy_but_not_winning"]

_HEAD = ["account_id", "name", "segment", "csm", "arr", "colour", "score"]


@metric(needs=("outcomes", "events"), page="Health")
def busy_but_not_winning(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Customers who use the product much and get no result: activity is green, while the outcome dimension is red.

    Activity (or depth, where activity is not measured) is above the green line and the outcome at or below the red
    line of the score. Accounts without a measured outcome are not listed: nothing is known of their result.

    Columns:
        account_id, name, segment, csm, arr, colour, score: as in `health`
        use: score of activity, or of depth
        outcome: score of the outcome dimension
        evidence: use and result in words with their numbers
    """
    config = store.config.health
    now, _ = customers(store, as_of=as_of, scope=scope)
    now["use"] = now["activity"].fillna(now["depth"])
    found = now[(now["use"] > config.yellow_to) & (now["outcome"] <= config.red_to)].copy()
    return _with_evidence(found, ("active_user_share", "active_days", "outcome_ratio"), store, ["use", "outcome"])


@metric(needs=("surveys",), page="Health")
def advocates(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Customers to ask for a reference: health is green, they are promoters, and their own result does not fall.

    Promoters answer NPS with at least 9 on average over 180 days. Where the account's own result is measured it must
    be at least that of the three months before; where it is not, the evidence says so.

    Columns:
        account_id, name, segment, csm, arr, colour, score: as in `health`
        nps: mean NPS answer of 180 days, 0–10
        outcome: score of the outcome dimension, empty where it is not measured
        evidence: what speaks for the account in words with its numbers
    """
    config = store.config.health
    now, _ = customers(store, as_of=as_of, scope=scope)
    wins = now["outcome_ratio"].isna() | (now["outcome_ratio"] >= 1)
    found = now[(now["colour"] == "green") & (now["nps"] >= config.promoter_from) & wins].copy()
    return _with_evidence(found, ("nps", "outcome_ratio", "active_user_share"), store, ["nps", "outcome"])


def _with_evidence(found: pd.DataFrame, measures: tuple[str, ...], store: Store, more: list[str]) -> pd.DataFrame:
    """Return the chosen rows, the largest ARR first, with the measures in words."""
    found = found.sort_values(["arr", "account_id"], ascending=[False, True], ignore_index=True)
    evidence = []
    for row in health_words.rows(found):
        said = [health_words.measured(name, row, store.config.health) for name in measures]
        if not said[measures.index("outcome_ratio")]:
            said.append("own result is not measured")
        evidence.append("; ".join(one for one in said if one))
    found["evidence"] = pd.Series(evidence, index=found.index, dtype="str")
    return found[[*_HEAD, *more, "evidence"]]

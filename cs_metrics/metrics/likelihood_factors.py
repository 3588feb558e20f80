"""How well the likelihood is calibrated, and which factors it hangs on, both on decisions that it did not learn from."""

import datetime as dt
from collections.abc import Hashable, Mapping
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from cs_metrics.metrics.health_backtest import wilson
from cs_metrics.metrics.likelihood_trial import judged, shuffled, training
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.models.base_rate import BASIS_WORDS
from cs_metrics.models.likelihood_factors import FACTORS
from cs_metrics.models.likelihood_trial import clustered, losses_of
from cs_metrics.store import Store

__all__ = ["likelihood_factors", "likelihood_reliability"]

_STRONG_FROM = 0.25  # of the strongest factor's importance
_CLEAR_FROM = 0.3  # correlation from which a direction is told
# What one vendor found with more than 60 factors, to compare with.
_PUBLISHED = {
    "core_use": "strong", "key_weeks": "strong", "activity": "strong", "tickets": "strong",
    "nps": "weak", "go_live": "weak", "meetings": "weak",
}  # fmt: skip


@metric(needs=("contracts",), page="Renewals")
def likelihood_reliability(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    bins: int = 10,
    days: Literal["90", "30", "270"] = "90",
) -> pd.DataFrame:
    """Is a likelihood of 80 % renewed in 80 of 100 cases: what was said of later decisions against what came.

    Counted are the predictions of `likelihood_card`'s first row, in equal bands of likelihood; empty bands are there too.
    All accounts count, whatever the scope.

    Formula: rate = renewed ÷ decisions; interval by Wilson, 95 %.
    Columns:
        likelihood_from, likelihood_to: the band
        decisions: contracts judged that were given such a likelihood
        renewed: of these renewed
        likelihood: their mean likelihood, empty without any
        rate, low, high: renewed ÷ decisions with its interval, empty without any
        model: what gave the likelihood
    Source: Wilson (1927) for the interval of a share.
    """
    candidate, _ = _in_use(training(store, as_of))
    rows = judged(store, as_of, int(days))
    rows = rows[rows["candidate"] == candidate]
    edges = np.linspace(0, 1, max(1, bins) + 1)
    band = np.minimum((rows["likelihood"].to_numpy() * (len(edges) - 1)).astype("int64"), len(edges) - 2)
    found = []
    for at, (low, high) in enumerate(pairwise(edges)):
        part = rows[band == at]
        many, renewed = len(part), int(part["renewed"].sum())
        between = wilson(renewed, many) if many else (np.nan, np.nan)
        found.append(
            (low, high, many, renewed, part["likelihood"].mean(), renewed / many if many else np.nan, *between)
        )
    names = ["likelihood_from", "likelihood_to", "decisions", "renewed", "likelihood", "rate", "low", "high"]
    return pd.DataFrame(found, columns=names).assign(
        model=BASIS_WORDS.get(candidate, "base rate by segment and health")
    )


@metric(needs=("contracts",), page="Renewals")
def likelihood_factors(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Which factors the likelihood hangs on: how much worse it tells later decisions when one factor is not known.

    The model in use, or the best one where the base rate is used; it is asked again of every judged contract with the
    factor drawn from other contracts. Factors that measure nearly the same share their importance. All accounts count,
    whatever the scope.

    Formula: importance = mean log-loss with the factor drawn from other contracts - mean log-loss; interval 95 %, accounts
        taken together; strong: interval above 0 and at least a quarter of the strongest; weak: interval above 0.
    Columns:
        factor: name of the factor, the most important first
        importance, low, high: growth of the log-loss with its interval
        strength: strong, weak or none
        direction: more for renewal, more against renewal, mixed, differs by segment, or empty without importance
        label: the factor in words
        published: strong or weak as a vendor found with more than 60 factors, empty where it says nothing
        decisions: contracts judged
        model: the model that is asked
        is_used: whether contracts get their likelihood from this model
    Source: Breiman (2001) and Fisher, Rudin and Dominici (2019) for permutation importance.
    """
    trained = training(store, as_of)
    used, best = _in_use(trained)
    rows = shuffled(store, as_of, best)
    happened = rows["renewed"].to_numpy(dtype="float64")
    before = losses_of(rows["likelihood"].to_numpy(dtype="float64"), happened)
    day = trained["trained_on"].iloc[0].date() if len(trained) else as_of
    pulls = dict(
        store.rows(
            "select factor, direction from renewal_direction where trained_on = $day and candidate = $best",
            day=day,
            best=best,
        )
    )
    found = []
    for one in FACTORS if len(rows) else ():
        without = -np.where(happened == 1, rows[f"{one.name}_kept"], rows[f"{one.name}_lost"]).astype("float64")
        mean, low, high = clustered(without - before, rows["account_id"].to_numpy(dtype=object))
        found.append((one.name, mean, low, high, one.label, _PUBLISHED.get(one.name, ""), pulls.get(one.name)))
    names = ["factor", "importance", "low", "high", "label", "published", "pull"]
    table = pd.DataFrame(found, columns=names).sort_values(
        ["importance", "factor"], ascending=[False, True], ignore_index=True
    )
    strong = table["importance"] >= _STRONG_FROM * table["importance"].max()
    table["strength"] = np.select([(table["low"] > 0) & strong, table["low"] > 0], ["strong", "weak"], "none")
    table["direction"] = [_direction(row) for row in table.to_dict("records")]
    table = table.assign(decisions=len(rows), model=BASIS_WORDS.get(best, ""), is_used=used == best)
    names = [
        "factor",
        "importance",
        "low",
        "high",
        "strength",
        "direction",
        "label",
        "published",
        "decisions",
        "model",
        "is_used",
    ]
    return table[names].astype(
        {"importance": float, "low": float, "high": float, "strength": "str", "direction": "str"}
    )


def _in_use(trained: pd.DataFrame) -> tuple[str, str]:
    """Return the candidate in force and the one to ask about factors: the same, or the best where the base rate is used."""
    used = trained.loc[trained["is_chosen"], "candidate"]
    chosen = str(used.iloc[0]) if len(used) else "base"
    models = trained[(trained["candidate"] != "base") & trained["log_loss"].notna()]
    best = str(models.sort_values("log_loss")["candidate"].iloc[0]) if len(models) else "logistic"
    return chosen, best if chosen == "base" else chosen


def _direction(row: Mapping[Hashable, Any]) -> str:
    if row["strength"] == "none":
        return ""
    if row["factor"] == "segment":
        return "differs by segment"
    pull = row["pull"]
    if not isinstance(pull, float) or np.isnan(pull) or abs(pull) < _CLEAR_FROM:
        return "mixed"
    return "more for renewal" if pull > 0 else "more against renewal"

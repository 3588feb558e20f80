"""What the likelihood of renewal rests on, and how well it has told renewed from lost contracts so far."""

import dataclasses
import datetime as dt
from collections.abc import Hashable, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from cs_metrics.metrics.likelihood import base_rates, past_decisions
from cs_metrics.metrics.likelihood_trial import judged, training
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.models import base_rate
from cs_metrics.models.base_rate import BASIS_WORDS, LAGS, BaseRates, Floats
from cs_metrics.models.health import COLOURS
from cs_metrics.models.likelihood_trial import CANDIDATES, gain, log_loss
from cs_metrics.store import Store

__all__ = ["likelihood_card", "renewal_base_rates"]

_CARD = [
    "model", "decisions", "losses", "auc", "auc_low", "auc_high", "brier", "base_brier", "log_loss", "verdict", "is_used",
    "group", "gain", "gain_low", "gain_high", "arr_error", "arr_bias", "trained_on", "trained_decisions", "trained_losses",
    "from_day", "to_day", "fingerprint", "reason",
]  # fmt: skip
_ABOUT = {
    "trained_on": "trained_on",
    "trained_decisions": "decisions",
    "trained_losses": "losses",
    "from_day": "from_day",
    "to_day": "to_day",
    "fingerprint": "fingerprint",
    "reason": "reason",
}
_NOT_TRAINED = "no quarter has ended since the first contract had 90 days to run"


@metric(needs=("contracts",), page="Renewals")
def renewal_base_rates(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """The share of past contracts that were renewed, by segment and by health 90 days before the end: the base rate.

    Counted are contracts whose end has passed and which were decided by the as-of day. The rates always rest on all
    accounts, so that a contract's likelihood does not change with the filter; the scope only chooses the segments shown.

    Formula: likelihood = (renewed + prior × expected) ÷ (decisions + prior), prior = renewals.prior_decisions; expected
        is the overall rate for a segment or a colour, and for a pair the overall odds × the odds ratios of both.
    Columns:
        segment: the segment, "all" for all of them
        colour: health 90 days before the end, "all" for all of them
        decisions: contracts decided
        renewed: of these renewed
        rate: renewed ÷ decisions, empty without any
        likelihood: the rate as it is used, pulled towards the expected one where decisions are few
        is_used: whether open contracts get their likelihood from this row
    Source: empirical-Bayes shrinkage of group rates towards their expectation (beta-binomial with fixed weight).
    """
    rates = base_rates(store, past_decisions(store, as_of))
    shown = store.rows(
        "select distinct coalesce(segment, '') from accounts inner join scope on scope.account_id = accounts.account_id",
        scope=scope,
    )
    segments = sorted(str(row[0]) for row in shown)
    by_segment = dataclasses.replace(rates, basis="segment")
    alone = pd.DataFrame({"segment": segments, "colour": "all"})
    alone = alone.join(by_segment.of(alone)).assign(is_used=rates.basis == "segment")
    parts = [pd.DataFrame([_overall_row(rates)]), alone]
    if rates.basis == "segment and health":
        pairs = pd.MultiIndex.from_product([segments, COLOURS], names=["segment", "colour"]).to_frame(index=False)
        pairs = pairs.join(rates.of(pairs.assign(lag=LAGS[0]))).assign(is_used=True)
        parts.append(pairs[pairs["decisions"] > 0])
    found = pd.concat(parts, ignore_index=True)
    found[["decisions", "renewed"]] = found[["decisions", "renewed"]].astype("int64")
    found["rate"] = found["renewed"] / found["decisions"].where(found["decisions"] > 0)
    return found[["segment", "colour", "decisions", "renewed", "rate", "likelihood", "is_used"]]


def _overall_row(rates: BaseRates) -> dict[str, object]:
    renewed = rates.decisions - rates.losses
    return {
        "segment": "all",
        "colour": "all",
        "decisions": rates.decisions,
        "renewed": renewed,
        "likelihood": rates.overall,
        "is_used": False,
    }


@metric(needs=("contracts",), page="Renewals")
def likelihood_card(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    by: Literal["total", "segment", "term"] = "total",
    days: Literal["90", "30", "270"] = "90",
) -> pd.DataFrame:
    """How well the likelihood of renewal has told renewed from lost contracts so far, judged only on later decisions.

    The first row is what the likelihood is; the other candidates and the base rate follow, on the same contracts. Each
    contract is judged by what was said `days` before its end (a shorter term: on its first Sunday) by a training of the
    quarter-end before, from what had been decided by then. While no model has been tried, the base rate is judged as of
    the first day of the quarter in which each contract had 90 days to run. All accounts count, whatever the scope.

    Formula: Brier = mean (likelihood - outcome)²; base Brier = the same for the overall renewal rate known at the time;
        gain = mean log-loss of the base rate - mean log-loss of the model; ARR-weighted error = Σ ARR × (likelihood -
        outcome)² ÷ Σ ARR; ARR bias = Σ ARR × (likelihood - outcome) ÷ Σ ARR, above 0 where more was expected than came.
    Columns:
        model: what the likelihood is
        decisions: past contracts judged
        losses: of these lost
        auc, auc_low, auc_high: chance that a renewed contract had the higher likelihood than a lost one, 95 % interval
        brier: mean squared error of the likelihood, lower is better
        base_brier: mean squared error of the overall rate
        log_loss: mean of -ln(likelihood given to what happened)
        verdict: in words whether the likelihood separates
        is_used: whether contracts get their likelihood from this row
        group: all, or the segment or length of the term
        gain, gain_low, gain_high: log-loss below that of the base rate, 95 % interval with accounts taken together
        arr_error, arr_bias: squared error weighted by ARR, and ARR expected too much as a share
        trained_on: quarter-end of the training in force
        trained_decisions, trained_losses: what it learned from
        from_day, to_day: first and last landmark among them
        fingerprint: of the rows and settings that it learned from; the same rows give the same
        reason: why this model, or why the base rate
    Source: Brier (1950); Hanley and McNeil (1982) for the interval of the area under the ROC curve.
    """
    trained = training(store, as_of)
    said = judged(store, as_of, int(days))
    chosen = _chosen(trained)
    names = [one for one in (chosen, *CANDIDATES, "base") if one in set(said["candidate"])] or ["base"]
    groups = ["all"] if by == "total" else sorted(said[by].unique())
    rows = [
        {**_row(said if group == "all" else said[said[by] == group], name), "is_used": name == chosen, "group": group}
        for group in groups
        for name in dict.fromkeys(names)
    ]
    found = pd.DataFrame(rows)
    basis = base_rates(store, past_decisions(store, as_of)).basis
    found["model"] = [BASIS_WORDS[basis if one == "base" else one] for one in found["candidate"]]
    about = trained.iloc[0] if len(trained) else None
    for column, name in _ABOUT.items():
        found[column] = about[name] if about is not None else None
    found["reason"] = found["reason"].fillna(_NOT_TRAINED).astype("str")
    found["fingerprint"] = found["fingerprint"].fillna("").astype("str")
    found[["trained_decisions", "trained_losses"]] = found[["trained_decisions", "trained_losses"]].astype("Int64")
    for column in ("trained_on", "from_day", "to_day"):
        found[column] = pd.to_datetime(found[column]).astype("datetime64[us]")
    found["verdict"] = [_verdict(row) for row in found.to_dict("records")]
    return found[_CARD]


def _chosen(trained: pd.DataFrame) -> str:
    """Return the candidate in force, "base" where none is."""
    used = trained[trained["is_chosen"]]
    return str(used["candidate"].iloc[0]) if len(used) else "base"


def _row(said: pd.DataFrame, candidate: str) -> dict[str, object]:
    """Judge one candidate on the contracts of `said`."""
    rows = said[said["candidate"] == candidate]
    score, happened = rows["likelihood"].to_numpy(), rows["renewed"].to_numpy(dtype="float64")
    area, low, high = base_rate.area_under_curve(score, happened)
    overall = said[said["candidate"] == "overall"].set_index("contract_id")["likelihood"]
    known = overall.reindex(rows["contract_id"]).to_numpy(dtype="float64")
    base = said[said["candidate"] == "base"]
    gained = gain(rows, base) if candidate != "base" and len(base) else (float("nan"),) * 3
    arr, many = rows["arr"].to_numpy(dtype="float64"), len(rows)
    return {
        "candidate": candidate,
        "decisions": many,
        "losses": int(many - happened.sum()),
        "auc": area,
        "auc_low": low,
        "auc_high": high,
        "brier": _mean((score - happened) ** 2),
        "base_brier": _mean((known - happened) ** 2),
        "log_loss": log_loss(rows),
        **dict(zip(("gain", "gain_low", "gain_high"), gained, strict=True)),
        "arr_error": _mean((score - happened) ** 2, arr),
        "arr_bias": _mean(score - happened, arr),
    }


def _mean(values: Floats, weights: Floats | None = None) -> float:
    """Return the mean, NaN without values or where the weights add up to nothing."""
    if not len(values) or (weights is not None and not weights.sum()):
        return float("nan")
    return float(np.average(values, weights=weights))


def _verdict(row: Mapping[Hashable, Any]) -> str:
    area, low, decisions = row["auc"], row["auc_low"], row["decisions"]
    if np.isnan(area):
        return "It cannot be judged yet: too few contracts were decided after others to learn from."
    if low <= 0.5:
        return f"It does not separate renewed from lost contracts ({decisions} judged): read it as the average chance."
    if row["brier"] >= row["base_brier"]:
        return "It ranks contracts better than chance, but its level is no closer than the overall rate."
    said = f"It separates: in {area:.0%} of pairs the renewed contract had the higher likelihood, and its error is below the overall rate's."
    if row["gain_low"] > 0:
        said += " It beats the base rate by segment and health by more than its interval."
    return said

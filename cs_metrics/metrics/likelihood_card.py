"""What the likelihood of renewal rests on, and how well it has told renewed from lost contracts so far."""

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.likelihood import base_rates, past_decisions
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.models import base_rate
from cs_metrics.models.base_rate import LAGS, BaseRates
from cs_metrics.models.health import COLOURS
from cs_metrics.store import Store

__all__ = ["likelihood_card", "renewal_base_rates"]


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
def likelihood_card(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """How well the likelihood of renewal has told renewed from lost contracts so far, judged only on later decisions.

    Each past contract is scored as of the first day of the calendar quarter in which it had 90 days to run, from what
    had been decided by then, and compared with what came. Contracts without any earlier decision are left out. The rates
    and the test rest on all accounts, whatever the scope.

    Formula: Brier = mean (likelihood - outcome)²; base Brier = the same for the overall renewal rate known at the time.
    Columns:
        model: what the likelihood is
        decisions: past contracts judged
        losses: of these lost
        auc, auc_low, auc_high: chance that a renewed contract had the higher likelihood than a lost one, 95 % interval
        brier: mean squared error of the likelihood, lower is better
        base_brier: mean squared error of the overall rate
        log_loss: mean of -ln(likelihood given to what happened)
        verdict: in words whether the likelihood separates
    Source: Brier (1950); Hanley and McNeil (1982) for the interval of the area under the ROC curve.
    """
    decided = past_decisions(store, as_of)
    judged = _judged(store, decided)
    score, happened = judged["likelihood"].to_numpy(), judged["renewed"].to_numpy(dtype="float64")
    area, low, high = base_rate.area_under_curve(score, happened)
    unknown = float("nan")
    given = np.where(happened == 1, score, 1 - score)
    brier = float(np.mean((score - happened) ** 2)) if len(judged) else unknown
    base = float(np.mean((judged["overall"].to_numpy() - happened) ** 2)) if len(judged) else unknown
    row = {
        "model": base_rate.BASIS_WORDS[base_rates(store, decided).basis],
        "decisions": len(judged),
        "losses": int(len(judged) - happened.sum()),
        "auc": area,
        "auc_low": low,
        "auc_high": high,
        "brier": brier,
        "base_brier": base,
        "log_loss": float(-np.mean(np.log(given))) if len(judged) else unknown,
        "verdict": _verdict(len(judged), area, low, brier, base),
    }
    return pd.DataFrame([row])


def _judged(store: Store, decided: pd.DataFrame) -> pd.DataFrame:
    """Score each past contract from what was decided before the quarter in which it had 90 days to run."""
    begins = [periods.add_days(day, -LAGS[0]) for day in decided["ends_on"].dt.date]
    decided = decided.assign(quarter=pd.to_datetime([periods.quarter_start(day) for day in begins]))
    parts = []
    for quarter, asked in decided.groupby("quarter", sort=True):
        before = decided[(decided["ends_on"] < quarter) & (decided["decided_on"] < quarter)]
        if before.empty:
            continue
        rates = base_rates(store, before)
        rows = asked[["segment", f"colour_{LAGS[0]}"]].set_axis(["segment", "colour"], axis=1).assign(lag=LAGS[0])
        parts.append(asked[["renewed"]].assign(likelihood=rates.of(rows)["likelihood"], overall=rates.overall))
    empty = pd.DataFrame({"renewed": [], "likelihood": [], "overall": []}, dtype=float)
    return pd.concat(parts, ignore_index=True) if parts else empty


def _verdict(decisions: int, area: float, low: float, brier: float, base: float) -> str:
    if np.isnan(area):
        return "It cannot be judged yet: too few contracts were decided after others to learn from."
    if low <= 0.5:
        return f"It does not separate renewed from lost contracts ({decisions} judged): read it as the average chance."
    if brier >= base:
        return "It ranks contracts better than chance, but its level is no closer than the overall rate."
    return f"It separates: in {area:.0%} of pairs the renewed contract had the higher likelihood, and its error is below the overall rate's."

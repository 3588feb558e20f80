"""Does the revenue forecast say how sure it is, and is it nearer to what comes than doing without a model?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cs_metrics.metrics import run as ask
from cs_metrics.metrics.forecast_rivals import RIVALS
from studies import Progress
from studies.companies import company
from studies.finding import Finding

__all__ = ["NAME", "TITLE", "forecasts", "judged", "record", "run"]

NAME = "forecast"
TITLE = "The revenue forecast is as sure as it says, and nearer than simple ways"
_EVENTS = 120_000  # enough for the health score to see who is active
_ERRORS = {"no_change": "naive_error_percent", "last_year": "last_year_error_percent", "health": "health_error_percent"}
_RANGES = {"1 to 3 months": (1, 3), "4 to 6 months": (4, 6), "7 to 9 months": (7, 9), "10 to 12 months": (10, 12)}


def run(seeds: Sequence[int], progress: Progress | None = None) -> Finding:
    """Study one demo company for each seed: every past quarter-end, every horizon, against the actual book."""
    tell = progress or (lambda _what, _done, _total: None)
    found = []
    for done, seed in enumerate(seeds):
        tell(f"company {seed}", done, len(seeds))
        found.append(forecasts(seed))
    tell("", len(seeds), len(seeds))
    return judged(pd.concat(found, ignore_index=True), seeds)


def forecasts(seed: int) -> pd.DataFrame:
    """Return every past forecast of one demo company beside what came."""
    return ask(company(seed, events=_EVENTS)[0], "forecast_backtest").assign(seed=seed)


def judged(past: pd.DataFrame, seeds: Sequence[int]) -> Finding:
    """Return the finding that follows from the past forecasts of some companies."""
    rows = [{"what is asked of": f"seed {seed}", **record(of)} for seed, of in past.groupby("seed")]
    for words, (first, last) in _RANGES.items():
        rows.append({"what is asked of": words, **record(past[past["horizon_months"].between(first, last)])})
    whole = record(past)
    rows.append({"what is asked of": "all", **whole})
    inside, mape = float(past["is_inside"].mean()), float(past["error_percent"].abs().mean())
    others = {name: float(past[column].abs().mean()) for name, column in _ERRORS.items()}
    is_honest, is_nearest = 0.7 <= inside <= 0.9, all(mape < other for other in others.values())
    return Finding(
        name=NAME,
        title=TITLE,
        claim="On average over the companies the 80 % interval holds 70 % to 90 % of what came, and the mean size of the "
        "error is below that of three simple ways: no change, last year's rate, and the rate by health colour.",
        method=f"{len(seeds)} demo companies of 400 accounts over 36 months with {_EVENTS:,} events, seeds {min(seeds)} to {max(seeds)}, whose book "
        "grows from nothing. As of each past quarter-end with a year of history, forecast with what was known then, 1 to 12 "
        "months ahead, and held against the ARR of the same accounts: "
        f"{len(past):,} forecasts. Bias and errors are in percent of what came.",
        table=pd.DataFrame(rows),
        holds=is_honest and is_nearest,
        reading=_reading(past, inside, mape, others, is_honest, is_nearest),
        limits="The forecasts of one company overlap in time and rest on the same accounts, so they are fewer looks than "
        "they seem: the spread between seeds is the honest measure. In a young company the first renewals known are those "
        "of short terms, which are worse than what follows; the forecast is then too low. The invented companies have "
        "no recession, no price change and no sale of a product line: what never happened in the past is in no interval. "
        "That no change does well here is also chance: their growth happens to be near to their losses. The lead over it is "
        "small and lies in the first six months; on other companies the two may be even.",
    )


def record(past: pd.DataFrame) -> dict[str, object]:
    """Return the figures of some past forecasts."""
    inside = {
        "inside 50 %": past["is_inside_50"],
        "inside 80 %": past["is_inside"],
        "inside 95 %": past["is_inside_95"],
    }
    return {
        "forecasts": len(past),
        **{name: f"{100 * one.mean():.0f}%" for name, one in inside.items()},
        "bias": round(float(past["error_percent"].mean()), 2),
        "mean error": round(float(past["error_percent"].abs().mean()), 2),
        **{RIVALS[name]: round(float(past[column].abs().mean()), 2) for name, column in _ERRORS.items()},
    }


def _reading(
    past: pd.DataFrame, inside: float, mape: float, others: dict[str, float], is_honest: bool, is_nearest: bool
) -> str:
    near, far = past[past["horizon_months"] <= 6], past[past["horizon_months"] > 6]
    by_seed = past.groupby("seed")["is_inside"].mean()
    best = min(others, key=lambda name: others[name])
    old = past[past["as_of"] >= past["as_of"].max() - pd.DateOffset(months=9)]
    told = {
        "whole": f"The 80 % interval held {inside:.0%} of what came ({by_seed.min():.0%} to {by_seed.max():.0%} by company): "
        f"{'as sure as it says' if is_honest else 'not as sure as it says'}.",
        "mean": f"The mean error was {mape:.2f} %, that of the nearest simple way ('{RIVALS[best]}') {others[best]:.2f} %; "
        f"by company it was the smaller one in {_nearer(past, best)} of {past['seed'].nunique()}: "
        f"{'the model is worth it' if is_nearest else 'over all horizons the model is not worth it here'}.",
        "near": f"Up to six months ahead it was {near['error_percent'].abs().mean():.1f} % against "
        f"{near['naive_error_percent'].abs().mean():.1f} % for no change.",
        "far": f"From the seventh month on it was {far['error_percent'].abs().mean():.1f} % against "
        f"{far['naive_error_percent'].abs().mean():.1f} %.",
        "old": f"From the last quarter-ends, when there was most to learn from, it was {old['error_percent'].abs().mean():.1f} % "
        f"against {old['naive_error_percent'].abs().mean():.1f} %.",
        "bias": f"The bias is {past['error_percent'].mean():+.1f} %: on the {'low' if past['error_percent'].mean() < 0 else 'high'} "
        "side. The middle 95 % of the errors lie between "
        f"{np.quantile(past['error_percent'], 0.025):+.0f} % and {np.quantile(past['error_percent'], 0.975):+.0f} %.",
    }
    return " ".join(told.values())


def _nearer(past: pd.DataFrame, rival: str) -> int:
    """Return in how many companies the mean error was smaller than that of a rival."""
    errors = past.assign(own=past["error_percent"].abs(), other=past[_ERRORS[rival]].abs())
    mean = errors.groupby("seed")[["own", "other"]].mean()
    return int((mean["own"] < mean["other"]).sum())

"""The pictures of the likelihood of renewal: is it calibrated, and which factors does it hang on."""

from typing import Any

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = ["calibration", "calibration_title", "factors", "factors_title"]

_SHOWN_FACTORS = 12
_SIGNS = {"more for renewal": "▲", "more against renewal": "▼"}


def calibration(rows: pd.DataFrame, fewest: int) -> c.Scatter:
    """Return what was said against what came, one dot a band of `likelihood_reliability`; small bands without interval."""
    points = []
    for row in rows[rows["decisions"] > 0].to_dict("records"):
        many = int(row["decisions"])
        is_told = many >= fewest
        band = f"{say.percent(row['likelihood_from'], 0)} to {say.percent(row['likelihood_to'], 0)}"
        span = f", 95% interval {say.percent(row['low'], 0)} to {say.percent(row['high'], 0)}" if is_told else ""
        points.append(
            c.Point(
                x=float(row["likelihood"]),
                y=float(row["rate"]),
                name=f"Likelihood {band}",
                note=f"{int(row['renewed'])} of {many} renewed{span}",
                group="enough decisions" if is_told else f"fewer than {fewest} decisions",
                size=7 + min(many, 400) ** 0.5,
                low=float(row["low"]) if is_told else None,
                high=float(row["high"]) if is_told else None,
            )
        )
    return c.Scatter(
        points=points,
        x_title="Likelihood that was said",
        y_title="Renewed",
        x_unit="percent",
        y_unit="percent",
        colours={"enough decisions": "1", f"fewer than {fewest} decisions": "grey"},
        diagonal=True,
    )


def calibration_title(rows: pd.DataFrame, fewest: int) -> str:
    """Return in how many of the bands with enough decisions the interval holds what was said."""
    told = rows[rows["decisions"] >= fewest]
    if told.empty:
        return "Too few decisions in any band to say whether the likelihood is calibrated"
    held = int(((told["low"] <= told["likelihood"]) & (told["likelihood"] <= told["high"])).sum())
    return f"What was said came true, within chance, in {held} of {say.plural(len(told), 'band')}"


def factors(rows: pd.DataFrame) -> c.Intervals:
    """Return the most important factors with their intervals, from `likelihood_factors`."""
    shown = rows.head(_SHOWN_FACTORS)
    return c.Intervals(
        names=[f"{_SIGNS.get(row['direction'], '·')} {row['label']}" for row in shown.to_dict("records")],
        value=c.values(shown["importance"]),
        low=c.values(shown["low"]),
        high=c.values(shown["high"]),
        unit="number",
        is_sure=[one != "none" for one in shown["strength"]],
        notes=[_note(row) for row in shown.to_dict("records")],
        x_title="Growth of the log-loss",
    )


def _note(row: Any) -> str:
    published = f", published: {row['published']}" if row["published"] else ""
    return f"{row['strength']}{', ' + row['direction'] if row['direction'] else ''}{published}"


def factors_title(rows: pd.DataFrame) -> str:
    """Return the strong factors by name."""
    strong = [str(one).lower() for one in rows.loc[rows["strength"] == "strong", "label"]]
    if not strong:
        return "No factor stands out yet"
    said = strong[0] if len(strong) == 1 else f"{', '.join(strong[:-1])} and {strong[-1]}"
    return f"Renewals hang on {said}"

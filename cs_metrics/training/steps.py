"""The list of steps, in the order in which they run: a step may read the tables of those before it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from cs_metrics.store import Draft
from cs_metrics.training import forecast, health, likelihood

__all__ = ["STEPS", "Step"]


@dataclass(frozen=True)
class Step:
    """One step: its name in words, its tables (name → column → DuckDB type), and the function that returns their rows.

    A table that the function does not return is written without rows: pages find every table in every generation.
    """

    name: str
    tables: Mapping[str, Mapping[str, str]]
    run: Callable[[Draft], Mapping[str, pd.DataFrame]]


STEPS: tuple[Step, ...] = (
    Step("record of the health score", health.TABLES, health.run),
    Step("likelihood of renewal", likelihood.TABLES, likelihood.train),
    Step("past forecasts", forecast.TABLES, forecast.run),
)

"""Every number of the product: `metric(store, *, as_of, scope, …) -> DataFrame`, one function a number."""

from cs_metrics.metrics.registry import METRICS, Metric, find, metric, run
from cs_metrics.metrics.scope import EVERYTHING, Scope

__all__ = ["EVERYTHING", "METRICS", "Metric", "Scope", "find", "metric", "run"]

from cs_metrics.metrics import revenue  # noqa: F401

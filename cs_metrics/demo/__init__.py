"""An invented company with known truths, written as files of the data contract."""

from cs_metrics.demo.clock import LAST_DAY
from cs_metrics.demo.company import Progress, write
from cs_metrics.demo.truth import Truth

__all__ = ["LAST_DAY", "Progress", "Truth", "write"]

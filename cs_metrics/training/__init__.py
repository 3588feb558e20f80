"""What is computed from the marts when a generation is made and written into it: models, their scores, their records.

A step asks the unpublished generation as metrics do, as of days that have passed, and returns tables; pages only read
them. It never sees what people wrote. Days are fixed by the calendar (quarter-ends), never by the day of a load, so that
a page as of a past day reads the same rows whenever the data was loaded.
"""

from cs_metrics.training.generation import make, rebuild
from cs_metrics.training.steps import STEPS, Step

__all__ = ["STEPS", "Step", "make", "rebuild"]

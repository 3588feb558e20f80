"""Studies: does the product find what is known to be true?

Each study is a module with NAME, TITLE and `run(seeds, progress=None) -> Finding`; its name stands in STUDIES, in the
order of docs/evidence.md. `python -m studies` runs them and writes that page.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from studies.finding import Finding

__all__ = ["STUDIES", "Progress", "Study", "find"]

STUDIES = (
    "plateau",
    "onboarding_eta",
    "ninety_ten",
    "delay_cost",
    "key_actions",
    "likelihood",
    "expansion",
    "health",
    "forecast",
)

Progress = Callable[[str, int, int], None]
"""Called with what is being studied, how many steps are done, and how many there are."""


class Study(Protocol):
    """What a module of this package offers."""

    NAME: str
    TITLE: str

    def run(self, seeds: Sequence[int], progress: Progress | None = None) -> Finding:
        """Study one company for each seed."""


def find(name: str) -> Study:
    """Return the study of that name; `ValueError` with the known names when there is none."""
    if name not in STUDIES:
        raise ValueError(f"There is no study '{name}'; there are: {', '.join(STUDIES)}.")
    return cast(Study, importlib.import_module(f"studies.{name}"))

"""What an earlier generation computed from the same inputs, so that it need not be computed again."""

import datetime as dt
from collections.abc import Sequence

import pandas as pd

from cs_metrics.errors import StoreError
from cs_metrics.store import Store

__all__ = ["Kept"]


class Kept:
    """The trainings of the earlier generation, by their day; `tables` all have a column trained_on."""

    def __init__(self, earlier: Store | None, tables: Sequence[str]) -> None:
        self._tables: dict[str, pd.DataFrame] = {}
        self._inputs: dict[dt.date, str] = {}
        if earlier is None:
            return
        try:
            self._tables = {one: earlier.frame(f"select * from {one}") for one in tables}
            rows = earlier.rows("select distinct trained_on, inputs from renewal_training")
        except StoreError:
            return  # an older version of the product made it, without these tables
        self._inputs = dict(rows)

    def rows(self, trained_on: dt.date, inputs: str) -> dict[str, pd.DataFrame]:
        """Return the rows of each table when that training had the same inputs, else nothing."""
        if self._inputs.get(trained_on) != inputs:
            return {}
        day = pd.Timestamp(trained_on)
        return {name: rows[rows["trained_on"] == day] for name, rows in self._tables.items()}

"""The likelihoods as they were really shown: those of the newest day of every earlier generation, never changed again."""

from collections.abc import Mapping

import pandas as pd

from cs_metrics.errors import StoreError
from cs_metrics.metrics.likelihood import base_rates, open_contracts, past_decisions, with_likelihood
from cs_metrics.store import Draft, Store

__all__ = ["SHOWN", "shown"]

SHOWN: Mapping[str, str] = {
    "generation": "bigint",
    "day": "date",
    "contract_id": "varchar",
    "likelihood": "double",
    "arr": "double",
    "basis": "varchar",
}


def shown(draft: Draft) -> pd.DataFrame:
    """Return what the earlier generations showed on their newest day, of the contracts that are still there.

    A day that several generations ended on keeps what the last of them showed.
    """
    empty = pd.DataFrame({name: [] for name in SHOWN})
    if draft.earlier is None or not draft.earlier.has("contracts"):
        return empty
    try:
        before = draft.earlier.frame("select * from renewal_shown where day < $day", day=draft.earlier.newest_day)
        found = pd.concat([before, _of(draft.earlier)], ignore_index=True)
    except StoreError:
        return empty  # an older version of the product made it
    there = {row[0] for row in draft.store.rows("select contract_id from contracts")}
    return found[found["contract_id"].isin(there)].sort_values(["generation", "contract_id"], ignore_index=True)


def _of(store: Store) -> pd.DataFrame:
    day = store.newest_day
    found = with_likelihood(open_contracts(store, day), base_rates(store, past_decisions(store, day)))
    return found[["contract_id", "likelihood", "arr", "basis"]].assign(generation=store.number, day=pd.Timestamp(day))

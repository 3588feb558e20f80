"""The forecast of a due quarter as it stood on a day: every contract of it, open or decided, with what is expected of it."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.likelihood import (
    KNOWN_CONTRACTS,
    base_rates,
    open_contracts,
    past_decisions,
    with_likelihood,
)
from cs_metrics.metrics.renewals import with_category
from cs_metrics.metrics.scope import Scope
from cs_metrics.metrics.shared import shared
from cs_metrics.store import Store

__all__ = ["due_quarter", "shown_before", "snapshot"]

_DECIDED = f"""
    with {KNOWN_CONTRACTS}
    select
        known.contract_id, known.account_id, accounts.name, known.owner, known.ends_on, known.decided_on,
        case known.outcome when 'renewed' then 'won' else 'lost' end as state,
        known.arr_cents::double / 100 as arr,
        case when known.outcome = 'renewed' then coalesce(known.renewed_cents, known.arr_cents) else 0 end::double / 100 as booked
    from known
    inner join accounts on accounts.account_id = known.account_id
    where known.outcome is not null and known.ends_on >= $first and known.ends_on <= $last
"""
_COLUMNS = [
    "contract_id", "account_id", "name", "owner", "ends_on", "decided_on", "state", "arr", "booked", "likelihood",
    "forecast", "category", "colour", "basis",
]  # fmt: skip


def due_quarter(due: dt.date | None, as_of: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first and last day of the quarter that holds `due`, by default that of the as-of day."""
    first = periods.quarter_start(due or as_of)
    return first, periods.period_end(first, "quarter")


def snapshot(store: Store, day: dt.date, scope: Scope, first: dt.date, last: dt.date) -> pd.DataFrame:
    """Return the contracts that end from `first` to `last` as they were known on a day, one row each.

    Columns: contract_id, account_id, name, owner, ends_on, decided_on, state (open, won, lost), arr (old value), booked
    (new amount of a won one, 0 of a lost one, NaN while open), likelihood (NaN once decided), forecast (likelihood × arr
    while open, else booked; cents), category (while open), colour and basis of the likelihood
    """
    found = shared(store, "snapshot", _snapshot, day=day, first=first, last=last)
    if not scope.where:
        return found
    asked = {str(row[0]) for row in store.rows("select account_id from scope", scope=scope)}
    return found[found["account_id"].isin(asked)].reset_index(drop=True)


def _snapshot(store: Store, day: dt.date, first: dt.date, last: dt.date) -> pd.DataFrame:
    found = with_likelihood(open_contracts(store, day), base_rates(store, past_decisions(store, day)))
    found = found[found["ends_on"].between(pd.Timestamp(first), pd.Timestamp(last))].reset_index(drop=True)
    found = with_category(store, found, day).assign(state="open", booked=np.nan)
    found["decided_on"] = pd.Series(pd.NaT, index=found.index, dtype="datetime64[us]")
    found["forecast"] = (found["arr"] * found["likelihood"]).round(2)
    decided = store.frame(_DECIDED, as_of=day, first=first, last=last)
    decided = decided.assign(likelihood=np.nan, forecast=decided["booked"], category="", colour="", basis="")
    parts = [part[_COLUMNS] for part in (found, decided) if len(part)]
    whole = pd.concat(parts, ignore_index=True) if parts else found[_COLUMNS]
    return whole.sort_values(["ends_on", "contract_id"], ignore_index=True)


def shown_before(store: Store, day: dt.date, as_of: dt.date) -> pd.DataFrame:
    """Return what an earlier generation that ended on this day showed then: contract_id, shown_likelihood, shown_arr.

    Without such a generation there are no rows.
    """
    sql = """
        select contract_id, likelihood as shown_likelihood, arr as shown_arr
        from renewal_shown
        where day = $day and day <= $as_of
        qualify row_number() over (partition by contract_id order by generation desc) = 1
    """
    return store.frame(sql, day=day, as_of=as_of)

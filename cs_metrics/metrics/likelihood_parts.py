"""What a likelihood is made of: what each factor adds to the log-odds of one contract, with its value in words."""

import datetime as dt
from collections.abc import Sequence

import pandas as pd

from cs_metrics.metrics.likelihood import SCORE_HOLDS_DAYS
from cs_metrics.models.likelihood_factors import FACTORS, words
from cs_metrics.store import Store

__all__ = ["BASE", "likelihood_parts"]

BASE = "base"
_COLUMNS = ["contract_id", "factor", "label", "value", "contribution"]

# The newest complete week of each contract on the as-of day, as in `running_contracts`.
_PARTS = """
    with asked as (
        select unnest($contracts) as contract_id
    )
    select part.* exclude (trained_on), week.* exclude (contract_id, account_id, week_end)
    from renewal_part part
    inner join asked on asked.contract_id = part.contract_id
    inner join renewal_week week on week.contract_id = part.contract_id and week.week_end = part.week_end
    where
        part.week_end <= $as_of
        and part.week_end > least(week.ends_on, cast($as_of as date)) - $holds_days
    qualify row_number() over (partition by part.contract_id order by part.week_end desc) = 1
    order by part.contract_id
"""


def likelihood_parts(store: Store, contract_ids: Sequence[str], as_of: dt.date) -> pd.DataFrame:
    """Return what each factor adds to the log-odds of renewal of these contracts, as of the last complete week.

    The rows of a contract add up to ln(p ÷ (1 - p)) of its score p: the row `base` is what the model says before it knows
    anything of the contract, the others are exact for the model in use. A contract past its end keeps its last parts; what
    being late adds is not among them. Contracts whose likelihood is a base rate, and those with more than about half a year
    to run, have no rows.

    Columns: contract_id, factor, label (of the factor, in words), value (of the contract, in words, as of that week),
        contribution (in log-odds, above 0 speaks for the renewal)
    """
    found = store.frame(_PARTS, contracts=sorted(set(contract_ids)), as_of=as_of, holds_days=SCORE_HOLDS_DAYS)
    rows = []
    for row in found.to_dict("records"):
        rows.append((row["contract_id"], BASE, "Average contract", "before anything is known of it", row["base"]))
        rows += [
            (row["contract_id"], one.name, one.label, words(one.name, row), row[f"part_{one.name}"]) for one in FACTORS
        ]
    return pd.DataFrame(rows, columns=_COLUMNS)

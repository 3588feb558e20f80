"""Records of renewals: what every closed renewal must say, and what is missing in those that are closed."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.win_loss import group_column
from cs_metrics.store import Store

__all__ = ["MISSING", "record_completeness", "renewal_records"]

MISSING = ("outcome", "decision_day", "reason", "competitor", "discount", "term", "amount")
_WORDS = {"decision_day": "day of decision", "amount": "new amount"}

# Contracts that are closed by $as_of, or should be: past their end. What a later decision will say is unknown.
_CLOSED = """
    with known as (
        select
            contracts.*,
            decided_on <= $as_of and outcome is not null as is_decided,
            outcome is not null and decided_on is null and ends_on < $as_of as is_undated
        from contracts
        inner join scope on scope.account_id = contracts.account_id
        where starts_on <= $as_of
    )
    select
        known.contract_id,
        known.account_id,
        accounts.name,
        {group} as "group",
        accounts.segment,
        known.owner,
        known.ends_on,
        case when is_decided then decided_on end as decided_on,
        case when is_decided or is_undated then outcome end as outcome,
        case when is_decided or is_undated then nullif(trim(reason), '') end as reason,
        case when is_decided or is_undated then nullif(trim(competitor), '') end as competitor,
        case when (is_decided or is_undated) and outcome = 'renewed' then discount_percent end as discount_percent,
        case when (is_decided or is_undated) and outcome = 'renewed' and renewed_until > known.ends_on
            then cast(round(date_diff('day', known.ends_on, renewed_until) / 30.4375) as bigint) end as term_months,
        case when (is_decided or is_undated) and outcome = 'renewed' then renewed_arr_cents::double / 100 end as renewed_arr,
        known.arr_cents::double / 100 as arr
    from known
    inner join accounts on accounts.account_id = known.account_id
    where is_decided or known.ends_on < $as_of
    order by known.ends_on desc, known.contract_id
"""


def _closed(store: Store, as_of: dt.date, scope: Scope, by: str) -> pd.DataFrame:
    """Return the closed contracts, with a column for each thing that may be missing: whether it is."""
    sql = _CLOSED.format(group=group_column(store, by).replace("owner", "known.owner"))
    found = store.frame(sql, scope=scope, as_of=as_of)
    won, lost = found["outcome"] == "renewed", found["outcome"] == "churned"
    named = {one.casefold() for one in store.config.results.competitor_reasons}
    needs_competitor = found["reason"].str.casefold().isin(named)
    gaps = {
        "outcome": found["outcome"].isna(),
        "decision_day": found["outcome"].notna() & found["decided_on"].isna(),
        "reason": found["outcome"].notna() & found["reason"].isna(),
        "competitor": lost & needs_competitor & found["competitor"].isna(),
        "discount": won & found["discount_percent"].isna(),
        "term": won & found["term_months"].isna(),
        "amount": won & found["renewed_arr"].isna(),
    }
    return found.assign(**{f"no_{name}": gap.astype(bool) for name, gap in gaps.items()})


@metric(needs=("contracts",), page="Renewals")
def renewal_records(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, only_missing: bool = True
) -> pd.DataFrame:
    """The closed renewals and what their record lacks: outcome, day, reason, competitor, discount, term, new amount.

    Closed are the contracts decided by the as-of day, and those past their end, whose outcome should be there. A
    competitor is asked for a loss whose reason is one of results.competitor_reasons; discount, term and new amount of
    what was renewed (a discount of 0 is an answer). `only_missing=false` lists the complete ones, too.

    Columns:
        contract_id, account_id, name, segment, owner: the contract and its account
        ends_on, decided_on: day of the end and of the decision
        arr: annual value that was due
        outcome, reason, competitor: as recorded
        discount_percent, term_months, renewed_arr: of those renewed
        missing: what is missing, separated by "; ", empty for a complete record
        gaps: how many things are missing
    """
    found = _closed(store, as_of, scope, "all")
    columns = [f"no_{name}" for name in MISSING]
    if only_missing:
        found = found[found[columns].any(axis=1)].reset_index(drop=True)
    gaps = found[columns].to_numpy(dtype=bool)
    words = [_WORDS.get(name, name) for name in MISSING]
    found["gaps"] = gaps.sum(axis=1).astype("int64")
    kinds, at = np.unique(gaps @ (1 << np.arange(len(words))), return_inverse=True)
    said = ["; ".join(word for place, word in enumerate(words) if int(kind) >> place & 1) for kind in kinds]
    found["missing"] = pd.Series([said[one] for one in at], index=found.index, dtype="str")
    first = [
        "contract_id",
        "account_id",
        "name",
        "segment",
        "owner",
        "ends_on",
        "decided_on",
        "arr",
        "outcome",
        "reason",
    ]
    return found[[*first, "competitor", "discount_percent", "term_months", "renewed_arr", "missing", "gaps"]]


@metric(needs=("contracts",), page="Renewals")
def record_completeness(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, by: str = "owner") -> pd.DataFrame:
    """How complete the records of closed renewals are, by owner or by a column of accounts.

    Formula: share_complete = complete ÷ closed; a record may lack several things, so the gaps do not add up to closed.
    Columns:
        group: value of the column, empty where it is unknown
        closed: contracts decided, or past their end
        complete: records that lack nothing
        share_complete: complete ÷ closed
        no_outcome, no_decision_day, no_reason, no_competitor, no_discount, no_term, no_amount: records that lack it
    """
    found = _closed(store, as_of, scope, by)
    columns = [f"no_{name}" for name in MISSING]
    found["complete"] = ~found[columns].any(axis=1)
    table = found.groupby("group", sort=True)[["complete", *columns]].sum().astype("int64").reset_index()
    table.insert(1, "closed", found.groupby("group", sort=True).size().to_numpy(dtype="int64"))
    table.insert(3, "share_complete", table["complete"] / table["closed"])
    return table

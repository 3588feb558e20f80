"""How books moved in the past year outside of renewals: how often accounts were lost, and how they grew and shrank."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.models.forecast import Floats, Growth
from cs_metrics.store import Store

__all__ = ["history", "losses", "paces", "unevenness"]

_AGES_APART = 4  # ages differ more than segments do, and are pulled together so many times less
_FIRST_DAYS = 90  # in its first quarter an account seldom grows

# What each account of the book did in each of the last twelve complete months; months in or after which a contract
# ended are apart, because renewals are forecast by themselves. An account weighs by its ARR, at most as much as an
# average one of its segment: else a few large deals would be taken for the pace of all. Sums are whole numbers (cents, and
# squares of thousands of cents), so that their order does not matter.
_MONTHS = """
    with asked as (
        select month, month_end, month_index
        from months
        where month_end <= $as_of
        order by month_index desc
        limit 12
    ),
    pairs as (
        select
            asked.month_index,
            asked.month_end,
            opening.account_id,
            opening.month as opening_month,
            opening.month_end as opening_end,
            opening.mrr_cents::double as opening,
            coalesce(closing.mrr_cents, 0)::double as closing
        from asked
        inner join months before on before.month_index = asked.month_index - 1
        inner join mrr_month opening on opening.month = before.month
        left join mrr_month closing on closing.month = asked.month and closing.account_id = opening.account_id
    ),
    with_contracts as (
        select
            pairs.month_index,
            pairs.account_id,
            any_value(opening_end) as opening_end,
            any_value(opening) as opening,
            any_value(closing) as closing,
            coalesce(bool_or(contracts.starts_on <= opening_end and contracts.ends_on > opening_end), false) as has_contract,
            coalesce(bool_or(contracts.ends_on >= opening_month and contracts.ends_on <= pairs.month_end), false) as is_due
        from pairs
        left join contracts on contracts.account_id = pairs.account_id and contracts.starts_on <= $as_of
        group by pairs.month_index, pairs.account_id
    ),
    weighed as (
        select
            with_contracts.*,
            coalesce(accounts.segment, '') as segment,
            case
                when opening_end < accounts.started_on + $first_days then 0
                when opening_end < accounts.started_on + $year_days then 1
                else 2
            end as age,
            least(opening, ceil(avg(opening) over (partition by coalesce(accounts.segment, '')))) as weight,
            closing / opening - 1 as change
        from with_contracts
        inner join accounts on accounts.account_id = with_contracts.account_id
        where opening > 0
    ),
    moved as (
        select
            *,
            case when change > 0 then change else 0 end as expansion,
            case when change < 0 and closing > 0 then -change else 0 end as contraction
        from weighed
    )
    select
        segment,
        age,
        has_contract,
        is_due,
        month_index,
        count(*) as account_months,
        count(*) filter (closing = 0) as lost,
        sum(weight) as weight,
        sum(round(weight * expansion)) as expansion,
        sum(round(weight * expansion * expansion)) as expansion_square,
        sum(round(power(weight * expansion / 1e3, 2))) as expansion_error,
        sum(round(weight * contraction)) as contraction,
        sum(round(weight * contraction * contraction)) as contraction_square,
        sum(round(power(weight * contraction / 1e3, 2))) as contraction_error
    from moved
    group by all
    order by all
"""


def history(store: Store, as_of: dt.date) -> pd.DataFrame:
    """Return what the accounts did in the last twelve complete months, one row per kind of account and month.

    Columns: segment, age (0 first quarter, 1 first year, 2 later), has_contract, is_due, month_index, account_months,
    lost, weight; expansion and contraction (Σ weight × relative change) with _square (Σ weight × change²) and _error
    (Σ (weight × change)², in millions).
    """
    return store.frame(_MONTHS, as_of=as_of, first_days=_FIRST_DAYS, year_days=periods.DAYS_PER_YEAR)


def losses(past: pd.DataFrame, has_contract: bool, segment: str, prior: float) -> dict[str, float]:
    """Return losses and account-months of a group outside of renewals, the book's own rate weighing `prior` months.

    Without any month of the kind, an account under contract is not expected to leave before its end, and one
    without is expected to leave as often as all accounts do.
    """
    of = past[(past["has_contract"] == has_contract) & ~past["is_due"]]
    pooled = of if len(of) or has_contract else past
    months = float(pooled["account_months"].sum())
    rate = float(pooled["lost"].sum()) / months if months else 0.0
    own = of[of["segment"] == segment]
    return {"lost": float(own["lost"].sum()) + prior * rate, "months": float(own["account_months"].sum()) + prior}


def paces(past: pd.DataFrame, kind: str, pieces: pd.DataFrame, opens: list[dt.date], prior: float) -> Floats:
    """Return each piece's growth of one kind in each month (month × piece) as a share of its ARR.

    The first quarter of an account, the rest of its first year and later years are told apart, because they seldom
    grow alike. A segment is pulled towards all segments of that age, and an age towards all later than the first quarter.
    """
    of = past[~past["is_due"]]
    settled = _pace(of[of["age"] > 0], kind, 0.0, 0.0) if (of["age"] > 0).any() else _pace(of, kind, 0.0, 0.0)
    found = []
    for age in range(3):
        same = of[of["age"] == age]
        pull = prior / _AGES_APART if age else 0.0
        pooled = _pace(same, kind, pull, settled) if len(same) else settled
        by_segment = {
            one: _pace(same[same["segment"] == one], kind, prior, pooled) for one in pieces["segment"].unique()
        }
        found.append(pieces["segment"].map(by_segment).to_numpy(dtype="float64"))
    started = pieces["started_on"].to_numpy().astype("datetime64[D]")
    ages = [(np.datetime64(day) - started).astype("int64") for day in opens]
    return np.stack([np.select([one < _FIRST_DAYS, one < periods.DAYS_PER_YEAR], found[:2], found[2]) for one in ages])


def _pace(of: pd.DataFrame, kind: str, prior: float, towards: float) -> float:
    """Return Σ weight × change ÷ Σ weight of some account-months, pulled towards a pace by `prior` such months."""
    weight, months = float(of["weight"].sum()), float(of["account_months"].sum())
    if not months:
        return towards
    pull = prior * weight / months
    return (float(of[kind].sum()) + pull * towards) / (weight + pull) if weight + pull else 0.0


def unevenness(past: pd.DataFrame, kind: str, drift: float) -> Growth:
    """Return how unequal growth of one kind is, and how uncertain its pace.

    The pace is uncertain because few accounts moved, and because the coming year may differ from the past one: by
    `drift`, as a share, or by as much as the second half of the past year differed from the first beyond chance.
    """
    of = past[~past["is_due"]]
    weight, moved = float(of["weight"].sum()), float(of[kind].sum())
    if moved <= 0:
        return Growth(square=0.0, error=0.0)
    chance = 1e6 * float(of[f"{kind}_error"].sum()) / moved**2
    middle = (int(of["month_index"].min()) + int(of["month_index"].max()) + 1) / 2
    halves = [one for _, one in of.groupby(of["month_index"] >= middle)]
    change = 0.0
    if len(halves) == 2 and all(float(one["weight"].sum()) > 0 for one in halves):
        first, second = (float(one[kind].sum()) / float(one["weight"].sum()) for one in halves)
        change = max(0.0, ((second - first) * weight / moved) ** 2 - 4 * chance)
    error = min(1.0, float(np.sqrt(chance + max(drift**2, change / 2))))
    return Growth(square=float(of[f"{kind}_square"].sum()) / weight, error=error)

"""How books moved in the past year outside of renewals: how often accounts were lost, and how they grew and shrank, and who came back."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.models.forecast import Floats, Growth
from cs_metrics.store import Store

__all__ = ["history", "losses", "paces", "returns", "unevenness"]

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
            coalesce(week.colour, 'none') as colour,
            least(opening, ceil(avg(opening) over (partition by coalesce(accounts.segment, '')))) as weight,
            closing / opening - 1 as change
        from with_contracts
        inner join accounts on accounts.account_id = with_contracts.account_id
        left join account_week_health week
            on week.account_id = with_contracts.account_id
            and week.week_end = opening_end - cast(isodow(opening_end) % 7 as integer)
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
        colour,
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

# What was lost before the as-of day, in cents and months since then (a year at most), and what came back of it by then.
_RETURNS = """
    with spells as (
        select
            account_id, from_day, to_day, mrr_cents::double as mrr_cents,
            lead(from_day) over (partition by account_id order by from_day) as next_day,
            lead(mrr_cents) over (partition by account_id order by from_day)::double as next_cents
        from mrr_interval
        where from_day <= $as_of
    ),
    lost as (
        select
            mrr_cents,
            next_day is not null and next_day < to_day + $year_days as is_back,
            next_cents,
            least(coalesce(next_day, $as_of), cast($as_of as date), to_day + $year_days) - to_day as days
        from spells
        where to_day < $as_of and (next_day is null or next_day > to_day)
    )
    select
        count(*) filter (is_back) as returned,
        sum(days) as days,
        sum(next_cents) filter (is_back) / sum(mrr_cents) filter (is_back) as ratio
    from lost
"""


def returns(store: Store, as_of: dt.date) -> float:
    """Return the share of lost ARR that came back, for each month of the first year after the loss.

    Formula: accounts back ÷ months that accounts were lost × Σ ARR on return ÷ Σ ARR lost, of those back.
    """
    returned, days, ratio = store.rows(_RETURNS, as_of=as_of, year_days=periods.DAYS_PER_YEAR)[0]
    return float(returned / (days / periods.DAYS_PER_YEAR * 12) * ratio) if returned else 0.0


def history(store: Store, as_of: dt.date) -> pd.DataFrame:
    """Return what the accounts did in the last twelve complete months, one row per kind of account and month.

    Columns: segment, age (0 first quarter, 1 first year, 2 later), colour (health as the month began), has_contract, is_due, month_index, account_months,
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
    Healthy accounts grow more and stay longer, so that what stays grows more than what is there now: each colour grows
    by a factor of what its segments and ages do, pulled towards 1 by `prior` months of an average account.
    """
    of = past[~past["is_due"]]
    settled = _pace(of[of["age"] > 0], kind, 0.0, 0.0) if (of["age"] > 0).any() else _pace(of, kind, 0.0, 0.0)
    found, usual = [], pd.Series(0.0, index=of.index)
    for age in range(3):
        same = of[of["age"] == age]
        pull = prior / _AGES_APART if age else 0.0
        pooled = _pace(same, kind, pull, settled) if len(same) else settled
        by_segment = {
            one: _pace(same[same["segment"] == one], kind, prior, pooled)
            for one in {*pieces["segment"].unique(), *same["segment"].unique()}
        }
        found.append(pieces["segment"].map(by_segment).to_numpy(dtype="float64"))
        usual[same.index] = same["weight"] * same["segment"].map(by_segment).astype("float64")
    factor = pieces["colour"].map(_by_colour(of, kind, usual, prior)).astype("float64").fillna(1.0).to_numpy()
    started = pieces["started_on"].to_numpy().astype("datetime64[D]")
    ages = [(np.datetime64(day) - started).astype("int64") for day in opens]
    return np.stack(
        [np.select([one < _FIRST_DAYS, one < periods.DAYS_PER_YEAR], found[:2], found[2]) * factor for one in ages]
    )


def _by_colour(of: pd.DataFrame, kind: str, usual: pd.Series, prior: float) -> dict[str, float]:
    """Return growth of each colour ÷ what is usual for its account-months, pulled towards 1 by `prior` average months."""
    months = float(of["account_months"].sum())
    pull = prior * float(usual.sum()) / months if months else 0.0
    return {
        str(colour): (float(same[kind].sum()) + pull) / (float(usual[same.index].sum()) + pull) if pull > 0 else 1.0
        for colour, same in of.groupby("colour")
    }


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

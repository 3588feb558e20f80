"""What similar customers did and what came of it: the proof, or the lack of it, behind each expansion message."""

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.whitespace import OWNED
from cs_metrics.store import Store

__all__ = ["Similar", "expansion_proof", "message", "similar"]

# Pairs of an account and its nearest customers by size in the same segment, each with what it bought, when, and the
# change of health (90 days) and of its own outcomes (3 months after ÷ 3 months before) since, where already known.
_BOUGHT = f"""
    with {OWNED},
    book as (
        select mrr_interval.account_id, mrr_interval.mrr_cents, coalesce(accounts.segment, '') as segment, accounts.employees
        from mrr_interval
        inner join accounts on accounts.account_id = mrr_interval.account_id
        where from_day <= $as_of and (to_day is null or to_day > $as_of)
    ),
    sized as (
        select
            account_id,
            segment,
            case when count(employees) over (partition by segment) = count(*) over (partition by segment)
                then employees else mrr_cents end as size
        from book
    ),
    placed as (
        select
            account_id,
            segment,
            row_number() over (partition by segment order by size, account_id) as place,
            count(*) over (partition by segment) as members
        from sized
    ),
    spans as (
        select placed.account_id, segment, greatest(1, least(place - $pool // 2, members - $pool)) as first_place
        from placed
        inner join scope on scope.account_id = placed.account_id
    ),
    places as (
        select account_id, segment, unnest(range(first_place, first_place + $pool + 1)) as place from spans
    ),
    pairs as (
        select places.account_id, placed.account_id as similar_id
        from places
        inner join placed on placed.segment = places.segment and placed.place = places.place
        where placed.account_id <> places.account_id
    ),
    bought as (
        select account_id, 'product' as kind, product_id, owned_from as bought_on, paid_arr from owned
        union all
        select account_id, kind, '' as product_id, max(closed_on) as bought_on, null as paid_arr
        from opportunities
        where stage = 'won' and closed_on <= $as_of and kind <> 'product'
        group by account_id, kind
    ),
    healths as (
        select bought.account_id, bought.kind, bought.product_id, after.score - before.score as health_change
        from bought
        inner join account_week_health before
            on before.account_id = bought.account_id
            and before.week_end = bought_on - cast(isodow(bought_on) % 7 as integer)
        inner join account_week_health after
            on after.account_id = bought.account_id
            and after.week_end = bought_on + 90 - cast(isodow(bought_on + 90) % 7 as integer)
            and bought_on + 90 <= $as_of
    ),
    results as (
        select account_id, metric, year(month) * 12 + month(month) as month_index, value
        from outcomes
        where last_day(month) <= $as_of
    ),
    by_metric as (
        select
            bought.account_id,
            bought.kind,
            bought.product_id,
            results.metric,
            sum(case when results.month_index > year(bought_on) * 12 + month(bought_on) then value end) as after_sum,
            sum(case when results.month_index < year(bought_on) * 12 + month(bought_on) then value end) as before_sum
        from bought
        inner join results
            on results.account_id = bought.account_id
            and abs(results.month_index - (year(bought_on) * 12 + month(bought_on))) between 1 and 3
        group by bought.account_id, bought.kind, bought.product_id, results.metric
        having count(*) = 6
    ),
    outcome as (
        select account_id, kind, product_id, avg(after_sum / before_sum) - 1 as outcome_change
        from by_metric
        where before_sum > 0
        group by account_id, kind, product_id
    ),
    compared as (
        select
            pairs.account_id,
            bought.kind,
            bought.product_id,
            pairs.similar_id,
            bought.bought_on,
            bought.paid_arr,
            outcome.outcome_change,
            healths.health_change
        from pairs
        inner join bought on bought.account_id = pairs.similar_id
        left join outcome
            on outcome.account_id = bought.account_id
            and outcome.kind = bought.kind
            and outcome.product_id = bought.product_id
        left join healths
            on healths.account_id = bought.account_id
            and healths.kind = bought.kind
            and healths.product_id = bought.product_id
    )"""


@dataclass(frozen=True, slots=True)
class Similar:
    """What the similar customers of one account did about one offer; medians are None where nothing is known."""

    pool: int
    owners: int
    paid_arr: float | None
    outcomes: int
    outcomes_up: int
    outcome_change: float | None
    healths: int
    healths_up: int
    health_change: float | None


def similar(store: Store, as_of: dt.date, scope: Scope) -> dict[tuple[str, str, str], Similar]:
    """Return, by account, kind and product (empty for a kind without product), what similar customers did.

    Similar are the `expansion.similar_pool` customers of the same segment that are nearest in size (employees where
    all of the segment are known, else MRR), taken from all customers, whatever the scope.
    """
    sql = f"""
        {_BOUGHT},
        pools as (
            select account_id, count(*) as pool from pairs group by account_id
        )
        select
            compared.account_id,
            kind,
            product_id,
            pools.pool,
            count(*) as owners,
            median(case when paid_arr > 0 then paid_arr end) as paid_arr,
            count(outcome_change) as outcomes,
            count(*) filter (outcome_change >= 0) as outcomes_up,
            median(outcome_change) as outcome_change,
            count(health_change) as healths,
            count(*) filter (health_change >= 0) as healths_up,
            median(health_change) as health_change
        from compared
        inner join pools on pools.account_id = compared.account_id
        group by compared.account_id, kind, product_id, pools.pool
    """
    rows = store.rows(sql, scope=scope, as_of=as_of, pool=store.config.expansion.similar_pool)
    return {(row[0], row[1], row[2]): Similar(*row[3:]) for row in rows}


def message(found: Similar | None, segment: str | None, did: str, minimum: int) -> str:
    """Return what can honestly be said of similar customers; empty where fewer than `minimum` of them did it."""
    if found is None or found.owners < minimum:
        return ""
    who = f"{found.owners} of the {found.pool} most similar {segment + ' ' if segment else ''}customers {did}."
    results = [
        _result(
            "own result",
            found.outcomes,
            found.outcomes_up,
            _percent(found.outcome_change),
            minimum,
            "3 months after against 3 before",
        ),
        _result("health", found.healths, found.healths_up, _points(found.health_change), minimum, "90 days after"),
    ]
    said = " ".join(one for one in results if one)
    if not said:
        return f"{who} What changed for them afterwards is not known yet."
    return f"{who} {said} This is no proof: those who bought may differ in other ways."


def _result(what: str, known: int, held: int, change: str, minimum: int, window: str) -> str:
    """Return one result: the median where enough customers have one, else how many of them held or rose."""
    if not known:
        return ""
    if known < minimum:
        return f"Their {what} held or rose in {held} of {known} ({window})."
    return f"Their {what} changed by {change} (median of {known}, {window})."


def _percent(change: float | None) -> str:
    return "" if change is None else f"{change * 100:+.0f}%"


def _points(change: float | None) -> str:
    return "" if change is None else f"{change:+.1f} points"


@metric(needs=("subscriptions",), page="Expansion")
def expansion_proof(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    account_id: str = "",
    kind: str = "product",
    product_id: str = "",
) -> pd.DataFrame:
    """The similar customers behind an expansion message, each with when it bought and what changed since.

    Similar: the `expansion.similar_pool` customers of the same segment that are nearest in size. For a product: those
    who own it on the as-of day, bought on the first day of owning; for another kind: those who closed such a deal as
    won, bought on the newest closing day. No proof of cause: those who bought may differ in other ways.

    Formula: outcome_change = own result of the 3 months after the month of buying ÷ that of the 3 months before − 1,
        mean over its metrics; health_change = score 90 days after − score on the day of buying (weekly scores).
    Columns:
        similar_id, name: the similar customer
        kind, product_id: what it bought
        bought_on: day of buying
        paid_arr: ARR that it pays for the product on the as-of day
        outcome_change: fraction, empty until the 3 months are over or where no result is recorded
        health_change: points, empty until 90 days are over
    """
    sql = f"""
        {_BOUGHT}
        select similar_id, accounts.name, kind, product_id, bought_on, paid_arr, outcome_change, health_change
        from compared
        inner join accounts on accounts.account_id = similar_id
        where compared.account_id = $account_id and kind = $kind and ($product_id = '' or product_id = $product_id)
        order by bought_on desc, similar_id
    """
    bound = {"as_of": as_of, "pool": store.config.expansion.similar_pool}
    scope = only(store, account_id, as_of, scope)
    return store.frame(sql, scope=scope, account_id=account_id, kind=kind, product_id=product_id, **bound)

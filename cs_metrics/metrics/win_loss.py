"""Wins and losses: why renewals were won and lost, against whom, and at what discount and term they were won.

All of it counts decided contracts in the period in which they were due, as `renewal_rates` does, so that the two agree.
"""

import datetime as dt
from typing import Literal

import pandas as pd

from cs_metrics.errors import MetricError, hint
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["DECIDED", "NOT_RECORDED", "competitors", "group_column", "win_loss", "win_loss_reasons", "won_terms"]

Span = Literal["all", "year", "quarter", "month"]
NOT_RECORDED = "not recorded"
NONE_NAMED = "none named"
_DAYS_A_MONTH = 30.4375

# The contracts that were decided by $as_of, with what was recorded of them; an unknown new amount counts at the old one.
DECIDED = f"""
    decided as (
        select
            contracts.contract_id, contracts.account_id, contracts.owner, starts_on, ends_on, decided_on, outcome, arr_cents,
            case when outcome = 'renewed' then coalesce(renewed_arr_cents, arr_cents) else 0 end as booked_cents,
            nullif(trim(reason), '') as reason,
            nullif(trim(competitor), '') as competitor,
            case when outcome = 'renewed' then discount_percent end as discount_percent,
            case when outcome = 'renewed' and renewed_until > ends_on
                then cast(round(date_diff('day', ends_on, renewed_until) / {_DAYS_A_MONTH}) as bigint) end as term_months,
            cast(round(date_diff('day', starts_on, ends_on) / {_DAYS_A_MONTH}) as bigint) as old_term_months
        from contracts
        inner join scope on scope.account_id = contracts.account_id
        where starts_on <= $as_of and decided_on <= $as_of and outcome is not null
    )"""

_GROUPED = f"""
    with {DECIDED},
    grouped as (
        select decided.*, {{period}} as period, {{group}} as "group"
        from decided
        inner join accounts on accounts.account_id = decided.account_id
    )"""


def group_column(store: Store, by: str) -> str:
    """Return the SQL for a column to group by: `owner` of the contract, a column of accounts, or `all` for one group."""
    if by == "all":
        return "'all'"
    if by == "owner":
        return "coalesce(owner, '')"
    if by not in store.account_columns:
        raise MetricError(f"by={by} is not possible.{hint(by, ('all', 'owner', *store.account_columns))}")
    return f"coalesce(cast(accounts.\"{by}\" as varchar), '')"


def _grouped(store: Store, every: Span, by: str) -> str:
    period = "cast(null as date)" if every == "all" else f"cast(date_trunc('{every}', ends_on) as date)"
    return _GROUPED.format(period=period, group=group_column(store, by))


@metric(needs=("contracts",), page="Renewals")
def win_loss(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, every: Span = "quarter") -> pd.DataFrame:
    """Renewals won and lost by the period in which they were due.

    Every contract that was decided by the as-of day counts once, in the period of its end date, also when that is
    still to come. Those on the frozen list of `renewal_rates` (begun by the period's first day) are counted apart.

    Formula: wins + losses = decisions; listed_wins = final and listed_losses = lost of renewal_rates, by quarter and month.
    Columns:
        period: first day of the period in which the contracts end, empty for all of them
        wins, losses: renewed and lost contracts
        listed_wins, listed_losses: of these on the frozen list of the period; all of them without periods
        won_arr, lost_arr: ARR at the old value
        booked_arr: new ARR of those won
        win_rate, win_rate_arr: wins ÷ (wins + losses), by count and by ARR at the old value
    """
    sql = f"""
        {_grouped(store, every, "all")}
        select
            period,
            count(*) filter (outcome = 'renewed') as wins,
            count(*) filter (outcome = 'churned') as losses,
            count(*) filter (outcome = 'renewed' and (period is null or starts_on <= period)) as listed_wins,
            count(*) filter (outcome = 'churned' and (period is null or starts_on <= period)) as listed_losses,
            coalesce(sum(arr_cents) filter (outcome = 'renewed'), 0)::double / 100 as won_arr,
            coalesce(sum(arr_cents) filter (outcome = 'churned'), 0)::double / 100 as lost_arr,
            sum(booked_cents)::double / 100 as booked_arr,
            count(*) filter (outcome = 'renewed')::double / count(*) as win_rate,
            coalesce(sum(arr_cents) filter (outcome = 'renewed'), 0)::double / nullif(sum(arr_cents), 0) as win_rate_arr
        from grouped
        group by period
        order by period
    """
    return store.frame(sql, scope=scope, as_of=as_of)


@metric(needs=("contracts",), page="Renewals")
def win_loss_reasons(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, every: Span = "all", by: str = "all"
) -> pd.DataFrame:
    """The recorded reasons of wins and of losses, by count and ARR, by period and by any column of accounts or the owner.

    A decision without a reason is a row of its own, "not recorded". The reason is what somebody wrote, not what was
    proven: see likelihood_factors for what goes along with losses.

    Formula: share = contracts ÷ all of the same period, group and outcome.
    Columns:
        period: first day of the period in which the contracts end, empty for all of them
        group: value of the column, "all" without one
        outcome: renewed or churned
        reason: as recorded, or "not recorded"
        contracts, arr: decisions with this reason and their ARR at the old value
        of_contracts, of_arr: all decisions of the same period, group and outcome
        share, share_arr: their parts in these
    """
    sql = f"""
        {_grouped(store, every, by)},
        reasons as (
            select period, "group", outcome, coalesce(reason, '{NOT_RECORDED}') as reason, count(*) as contracts,
                sum(arr_cents)::bigint as cents
            from grouped
            group by all
        ),
        totals as (
            select *, sum(contracts) over same as of_contracts, sum(cents) over same as of_cents
            from reasons
            window same as (partition by period, "group", outcome)
        )
        select
            period, "group", outcome, reason, contracts, cents::double / 100 as arr, of_contracts::bigint as of_contracts,
            of_cents::double / 100 as of_arr, contracts::double / of_contracts as share,
            cents::double / nullif(of_cents, 0) as share_arr
        from totals
        order by period, "group", outcome, contracts desc, cents desc, reason
    """
    return store.frame(sql, scope=scope, as_of=as_of)


@metric(needs=("contracts",), page="Renewals")
def competitors(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, every: Span = "all", by: str = "all"
) -> pd.DataFrame:
    """Against whom renewals were lost, and against whom they were won, by count and ARR.

    Losses that name nobody are a row of their own, "none named", so that the losses add up to those of `win_loss`.
    Wins are counted only where a competitor was named.

    Formula: share_of_losses = losses ÷ all losses of the same period and group.
    Columns:
        period: first day of the period in which the contracts end, empty for all of them
        group: value of the column, "all" without one
        competitor: as recorded, or "none named"
        losses, lost_arr: contracts lost, and their ARR
        share_of_losses, share_of_lost_arr: their part in all losses of the period and group
        wins, won_arr: contracts renewed although it was named, and their ARR at the old value
        first_on, last_on: first and last decision in which it was named
    """
    sql = f"""
        {_grouped(store, every, by)},
        named as (
            select
                period,
                "group",
                coalesce(competitor, '{NONE_NAMED}') as competitor,
                count(*) filter (outcome = 'churned') as losses,
                coalesce(sum(arr_cents) filter (outcome = 'churned'), 0)::bigint as lost_cents,
                count(*) filter (outcome = 'renewed') as wins,
                coalesce(sum(arr_cents) filter (outcome = 'renewed'), 0)::bigint as won_cents,
                min(decided_on) as first_on,
                max(decided_on) as last_on
            from grouped
            where outcome = 'churned' or competitor is not null
            group by all
        )
        select
            period, "group", competitor, losses, lost_cents::double / 100 as lost_arr,
            losses::double / nullif(sum(losses) over same, 0) as share_of_losses,
            lost_cents::double / nullif(sum(lost_cents) over same, 0) as share_of_lost_arr,
            wins, won_cents::double / 100 as won_arr, first_on, last_on
        from named
        window same as (partition by period, "group")
        order by period, "group", competitor = '{NONE_NAMED}', losses desc, lost_cents desc, competitor
    """
    return store.frame(sql, scope=scope, as_of=as_of)


@metric(needs=("contracts",), page="Renewals")
def won_terms(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, every: Span = "all", by: str = "segment"
) -> pd.DataFrame:
    """Discount, term and amount of the renewals that were won: several years, expansion and reduction at renewal apart.

    Formula: discount_rate = Σ discount × old ARR ÷ Σ old ARR, over renewals whose discount was recorded (0 is recorded);
        expanded_arr − reduced_arr = booked_arr − won_arr.
    Columns:
        period: first day of the period in which the contracts end, empty for all of them
        group: value of the column, "all" without one
        wins, won_arr, booked_arr: contracts renewed, their ARR at the old and at the new value
        discount_known: of these with a recorded discount
        discounted: with a discount above 0
        discount_rate: mean discount, weighted by ARR, empty where none was recorded
        discount_arr: what was given away in a year
        term_known: with a recorded end of the new term
        multi_year, multi_year_arr: with a new term of results.multi_year_from_months or longer
        longer_term: with a term at least half a year longer than the one before
        mean_term_months: mean length of the new term, weighted by ARR
        expanded, expanded_arr: renewed above the old value, and by how much
        reduced, reduced_arr: renewed below the old value, and by how much
    """
    sql = f"""
        {_grouped(store, every, by)}
        select
            period,
            "group",
            count(*) as wins,
            sum(arr_cents)::double / 100 as won_arr,
            sum(booked_cents)::double / 100 as booked_arr,
            count(discount_percent) as discount_known,
            count(*) filter (discount_percent > 0) as discounted,
            sum(discount_percent / 100 * arr_cents) / nullif(sum(arr_cents) filter (discount_percent is not null), 0)
                as discount_rate,
            coalesce(sum(discount_percent / 100 * arr_cents), 0) / 100 as discount_arr,
            count(term_months) as term_known,
            count(*) filter (term_months >= $multi_year) as multi_year,
            coalesce(sum(booked_cents) filter (term_months >= $multi_year), 0)::double / 100 as multi_year_arr,
            count(*) filter (term_months >= old_term_months + 6) as longer_term,
            sum(term_months * arr_cents)::double / nullif(sum(arr_cents) filter (term_months is not null), 0)
                as mean_term_months,
            count(*) filter (booked_cents > arr_cents) as expanded,
            coalesce(sum(booked_cents - arr_cents) filter (booked_cents > arr_cents), 0)::double / 100 as expanded_arr,
            count(*) filter (booked_cents < arr_cents) as reduced,
            coalesce(sum(arr_cents - booked_cents) filter (booked_cents < arr_cents), 0)::double / 100 as reduced_arr
        from grouped
        where outcome = 'renewed'
        group by period, "group"
        order by period, "group"
    """
    return store.frame(sql, scope=scope, as_of=as_of, multi_year=store.config.results.multi_year_from_months)

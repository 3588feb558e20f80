"""Renewal rates: what became of the contracts that were due in a period, by their end date, and how timely."""

import datetime as dt
from typing import Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.likelihood import KNOWN_CONTRACTS
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["LISTED", "due_periods", "renewal_rates", "renewal_rates_pooled", "renewal_tree"]

# One row per contract on the list of the period in which it ends; an unknown new amount counts at the old value.
LISTED = f"""
    with {KNOWN_CONTRACTS},
    asked as (
        select
            cast(unnest($periods) as date) as period,
            cast(unnest($period_ends) as date) as period_end
    ),
    ending as (
        select
            asked.period,
            asked.period_end,
            known.*,
            known.starts_on <= asked.period as is_listed,
            case
                when known.outcome = 'renewed' then coalesce(known.renewed_cents, known.arr_cents)
                else 0
            end as booked_cents
        from asked
        inner join known on known.ends_on >= asked.period and known.ends_on <= asked.period_end
        inner join scope on scope.account_id = known.account_id
    ),
    merged as (
        select
            *,
            sum(case when outcome = 'renewed' and renewed_cents = 0 then arr_cents else 0 end)
                over (partition by account_id, period) as merged_cents,
            row_number() over (partition by account_id, period order by booked_cents desc, contract_id) as place
        from ending
        where is_listed
    ),
    listed as (
        select
            * exclude (merged_cents, place),
            least(booked_cents, arr_cents + case when place = 1 then merged_cents else 0 end)::bigint as kept_cents,
            outcome = 'renewed' and decided_on <= ends_on as is_on_time,
            outcome = 'renewed' and decided_on <= period_end as is_in_period
        from merged
    )"""


@metric(needs=("contracts",), page="Renewals")
def renewal_rates(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, every: Literal["quarter", "month"] = "quarter"
) -> pd.DataFrame:
    """What became of the contracts due in each period by their end date: renewed on time, in the period, or ever.

    The list of a period is frozen on its first day: contracts that had begun by then, whenever they are decided. So an
    early renewal counts where it was due, a late one stays in its due period, where it raises final and never on
    time, and a contract over several years is due in its last year only. Undecided contracts stay in the denominator.
    Counts are those known on the as-of day; rates are empty until the period has ended. A renewal without a new amount
    counts at its old value; one renewed at nothing was merged into the account's largest renewal of the period, which
    may then keep the value of both. These are not gross and net revenue retention, which follow all accounts of a book.

    Formula: gross = Σ min(renewed, expiring) ÷ Σ expiring over the list; net = Σ renewed ÷ Σ expiring; the on-time and
        in-period rates are the gross rate of what was decided on or before the end date, or by the period's last day.
        booked_arr = in-period amount of this list decided in the period + booked_early_arr + booked_late_arr.
    Columns:
        period: first day of the quarter or month in which the contracts end
        due, due_arr: contracts on the list and what they were worth
        on_time: renewed on or before the end date
        in_period: renewed by the period's last day
        final: renewed ever, as known on the as-of day
        lost: decided as churned
        undecided, undecided_arr: not decided yet
        on_time_rate, in_period_rate: gross rate by ARR of those renewed on time, in the period
        gross_renewal_rate, net_renewal_rate: by ARR, of all those renewed
        on_time_share, in_period_share, final_share: by count, ÷ due
        booked_arr: new amounts decided within the period, of contracts on any list
        booked_early_arr, booked_late_arr: of these due in a later, an earlier period
        not_listed, not_listed_arr: contracts that end in the period but began after its first day
        is_closed: whether the period has ended on the as-of day
    """
    starts = due_periods(store, as_of, every)
    sql = f"""
        {LISTED},
        by_period as (
            select
                period,
                count(*) as due,
                sum(arr_cents)::bigint as due_cents,
                count(*) filter (is_on_time) as on_time,
                count(*) filter (is_in_period) as in_period,
                count(*) filter (outcome = 'renewed') as final,
                count(*) filter (outcome = 'churned') as lost,
                count(*) filter (outcome is null) as undecided,
                coalesce(sum(arr_cents) filter (outcome is null), 0)::bigint as undecided_cents,
                coalesce(sum(kept_cents) filter (is_on_time), 0)::bigint as on_time_cents,
                coalesce(sum(kept_cents) filter (is_in_period), 0)::bigint as in_period_cents,
                sum(kept_cents)::bigint as kept_cents,
                sum(booked_cents)::bigint as booked_cents
            from listed
            group by period
        ),
        booked as (
            select
                asked.period,
                sum(listed.booked_cents)::bigint as booked_cents,
                coalesce(sum(listed.booked_cents) filter (listed.period > asked.period), 0)::bigint as early_cents,
                coalesce(sum(listed.booked_cents) filter (listed.period < asked.period), 0)::bigint as late_cents
            from asked
            inner join listed
                on listed.outcome = 'renewed'
                and listed.decided_on >= asked.period and listed.decided_on <= asked.period_end
            group by asked.period
        ),
        later as (
            select period, count(*) as not_listed, sum(arr_cents)::bigint as not_listed_cents
            from ending
            where not is_listed
            group by period
        ),
        final as (
            select
                asked.period,
                asked.period_end <= $as_of as is_closed,
                case when asked.period_end <= $as_of then nullif(due_cents, 0) end as known_cents,
                case when asked.period_end <= $as_of then nullif(due, 0) end as known_due,
                by_period.* exclude (period),
                coalesce(booked.booked_cents, 0) as all_booked_cents,
                coalesce(early_cents, 0) as early_cents,
                coalesce(late_cents, 0) as late_cents,
                coalesce(not_listed, 0) as not_listed,
                coalesce(not_listed_cents, 0) as not_listed_cents
            from asked
            left join by_period on by_period.period = asked.period
            left join booked on booked.period = asked.period
            left join later on later.period = asked.period
            where asked.period <= $as_of
        )
        select
            period,
            coalesce(due, 0) as due,
            coalesce(due_cents, 0)::double / 100 as due_arr,
            coalesce(on_time, 0) as on_time,
            coalesce(in_period, 0) as in_period,
            coalesce(final, 0) as final,
            coalesce(lost, 0) as lost,
            coalesce(undecided, 0) as undecided,
            coalesce(undecided_cents, 0)::double / 100 as undecided_arr,
            on_time_cents::double / known_cents as on_time_rate,
            in_period_cents::double / known_cents as in_period_rate,
            kept_cents::double / known_cents as gross_renewal_rate,
            booked_cents::double / known_cents as net_renewal_rate,
            on_time::double / known_due as on_time_share,
            in_period::double / known_due as in_period_share,
            final::double / known_due as final_share,
            all_booked_cents::double / 100 as booked_arr,
            early_cents::double / 100 as booked_early_arr,
            late_cents::double / 100 as booked_late_arr,
            not_listed,
            not_listed_cents::double / 100 as not_listed_arr,
            is_closed
        from final
        order by period
    """
    return store.frame(sql, scope=scope, as_of=as_of, **starts)


@metric(needs=("contracts",), page="Renewals")
def renewal_rates_pooled(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    every: Literal["quarter", "month"] = "quarter",
    count: int = 4,
) -> pd.DataFrame:
    """The renewal rates of the newest periods that have ended, pooled: their amounts added up, never their rates averaged.

    Formula: Σ kept (or booked) ÷ Σ due over the `count` newest closed periods of renewal_rates; cohorts of 500 of 1 000
        and 400 of 500 give 900 ÷ 1 500 = 60 %.
    Columns:
        group: newest, or before for as many periods before those
        first_period, last_period: first days of the first and the last of them
        periods: how many they are
        due, due_arr: contracts on their lists and what they were worth
        on_time_rate, in_period_rate, gross_renewal_rate, net_renewal_rate: by ARR, empty where nothing was due
    """
    found = renewal_rates(store, as_of=as_of, scope=scope, every=every)
    closed = found[found["is_closed"]]
    parts = {"newest": closed.tail(count), "before": closed.iloc[: max(0, len(closed) - count)].tail(count)}
    rates = ("on_time_rate", "in_period_rate", "gross_renewal_rate", "net_renewal_rate")
    rows = []
    for name, part in parts.items():
        due = part["due_arr"].sum()
        rows.append(
            {
                "group": name,
                "first_period": part["period"].min(),
                "last_period": part["period"].max(),
                "periods": len(part),
                "due": part["due"].sum(),
                "due_arr": due,
                **{rate: (part[rate] * part["due_arr"]).sum() / due if due else None for rate in rates},
            }
        )
    days = {"first_period": "datetime64[us]", "last_period": "datetime64[us]"}
    return pd.DataFrame(rows).astype({**dict.fromkeys(rates, "float64"), **days, "due": "int64"})


@metric(needs=("contracts",), page="Renewals")
def renewal_tree(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, every: Literal["quarter", "month"] = "quarter"
) -> pd.DataFrame:
    """The net renewal rate of each period as a product: how much was decided, how much of that won, and at what amount.

    The list of a period is that of renewal_rates; amounts are those known on the as-of day, also while the period runs.

    Formula: net renewal rate = resolution × close × conversion, where resolution = decided ÷ due, close = old value of
        the renewed ÷ decided, conversion = booked ÷ old value of the renewed, all by ARR.
    Columns:
        period: first day of the quarter or month in which the contracts end
        due_arr: ARR on the list
        decided_arr: of this decided
        won_arr: of this renewed, at the old value
        booked_arr: the same contracts at the new value
        resolution, close, conversion: decided ÷ due, won ÷ decided, booked ÷ won; empty without a denominator
        net_renewal_rate: booked ÷ due, empty until the period has ended
        is_closed: whether the period has ended on the as-of day
    """
    starts = due_periods(store, as_of, every)
    sql = f"""
        {LISTED},
        final as (
            select
                asked.period,
                asked.period_end <= $as_of as is_closed,
                coalesce(sum(arr_cents), 0)::bigint as due_cents,
                coalesce(sum(arr_cents) filter (outcome is not null), 0)::bigint as decided_cents,
                coalesce(sum(arr_cents) filter (outcome = 'renewed'), 0)::bigint as won_cents,
                coalesce(sum(booked_cents), 0)::bigint as booked_cents
            from asked
            left join listed on listed.period = asked.period
            where asked.period <= $as_of
            group by asked.period, asked.period_end
        )
        select
            period,
            due_cents::double / 100 as due_arr,
            decided_cents::double / 100 as decided_arr,
            won_cents::double / 100 as won_arr,
            booked_cents::double / 100 as booked_arr,
            decided_cents::double / nullif(due_cents, 0) as resolution,
            won_cents::double / nullif(decided_cents, 0) as close,
            booked_cents::double / nullif(won_cents, 0) as conversion,
            case when is_closed then booked_cents::double / nullif(due_cents, 0) end as net_renewal_rate,
            is_closed
        from final
        order by period
    """
    return store.frame(sql, scope=scope, as_of=as_of, **starts)


def due_periods(store: Store, as_of: dt.date, every: Literal["quarter", "month"]) -> dict[str, list[dt.date]]:
    """Return the periods in which a known contract ends, from the first one on; those after `as_of` feed early renewals."""
    sql = f"with {KNOWN_CONTRACTS} select min(ends_on), max(ends_on) from known"
    first, last = store.rows(sql, as_of=as_of)[0]
    starts = periods.periods_between(min(first, as_of), max(last, as_of), every) if first else []
    return {"periods": starts, "period_ends": [periods.period_end(start, every) for start in starts]}

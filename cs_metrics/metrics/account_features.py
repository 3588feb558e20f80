"""Which features an account uses, beside the accounts that are most like it."""

import datetime as dt

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["account_features"]

_FEATURES = """
    with book as (
        select
            mrr_interval.account_id,
            coalesce(accounts.segment, '') as segment,
            accounts.employees,
            mrr_interval.mrr_cents,
            count(accounts.employees) over (partition by coalesce(accounts.segment, ''))
                = count(*) over (partition by coalesce(accounts.segment, '')) as is_by_employees
        from mrr_interval
        inner join accounts on accounts.account_id = mrr_interval.account_id
        where from_day <= $as_of and (to_day is null or to_day > $as_of)
    ),
    sized as (
        select book.*, case when is_by_employees then employees else mrr_cents end::double as size from book
    ),
    this as (
        select sized.* from sized inner join scope on scope.account_id = sized.account_id
    ),
    pool as (
        select sized.account_id, sized.size, sized.is_by_employees, sized.segment
        from this
        inner join sized on sized.segment = this.segment and sized.account_id <> this.account_id
        where exists (
            select 1 from event_first where event_first.account_id = sized.account_id and first_day <= $week_end
        )
        order by abs(ln(greatest(sized.size, 1)) - ln(greatest(this.size, 1))), sized.account_id
        limit $pool
    ),
    members as (
        select account_id, true as is_this from scope
        union all
        select account_id, false from pool
    ),
    used as (
        select members.account_id, is_this, event, sum(times)::bigint as times, count(*) as days
        from account_day_event
        inner join members on members.account_id = account_day_event.account_id
        where day <= $week_end and day > $since
        group by members.account_id, is_this, event
    ),
    mine as (
        select event, times, days from used where is_this
    ),
    theirs as (
        select names.event, pool.account_id, coalesce(used.times, 0) as times
        from (select distinct event from used) names
        cross join pool
        left join used on used.account_id = pool.account_id and used.event = names.event and not used.is_this
    ),
    compared as (
        select
            theirs.event,
            count(*) filter (theirs.times > 0) as similar_using,
            median(theirs.times) as similar_median,
            (count(*) filter (theirs.times < coalesce(mine.times, 0))
                + 0.5 * count(*) filter (theirs.times = coalesce(mine.times, 0))) / count(*) as percentile
        from theirs
        left join mine on mine.event = theirs.event
        group by theirs.event
    ),
    who as (
        select
            count(*) as similar,
            any_value(segment) as segment,
            any_value(is_by_employees) as is_by_employees,
            min(size) as low,
            max(size) as high
        from pool
    ),
    products_of as (
        select event, string_agg(distinct coalesce(products.name, product_events.product_id), ', ' order by coalesce(products.name, product_events.product_id)) as product
        from product_events
        left join products on products.product_id = product_events.product_id
        group by event
    )
    select
        names.event,
        products_of.product,
        coalesce(mine.times, 0)::bigint as times,
        coalesce(mine.days, 0)::bigint as days,
        who.similar,
        case when who.similar >= $least then compared.similar_using end as similar_using,
        case when who.similar >= $least then compared.similar_median end as similar_median,
        case when who.similar >= $least then compared.percentile end as percentile,
        case
            when who.similar < $least then ''
            when mine.times is null and compared.similar_using * 2 >= who.similar then 'not used here'
            when mine.times is null then 'not used'
            when compared.percentile >= 0.75 then 'more'
            when compared.percentile <= 0.25 then 'less'
            else 'alike'
        end as reading,
        case
            when who.similar < $least
                then 'only ' || who.similar || ' similar accounts use the product: at least ' || $least || ' are needed to compare'
            else 'the ' || who.similar || ' customers' || case when who.segment <> '' then ' of the segment ' || who.segment else '' end
                || ' nearest in ' || case when who.is_by_employees
                    then 'employees, from ' || format('{:,d}', who.low::bigint) || ' to ' || format('{:,d}', who.high::bigint)
                    else 'ARR, from ' || format('{:,d}', (who.low * 12 / 100)::bigint) || ' to '
                        || format('{:,d}', (who.high * 12 / 100)::bigint) end
        end as basis
    from (select event from used group by event) names
    cross join who
    left join mine on mine.event = names.event
    left join compared on compared.event = names.event
    left join products_of on products_of.event = names.event
    order by compared.percentile nulls last, compared.similar_using desc, names.event
"""


@metric(needs=("events",), page="Account")
def account_features(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """How much the account uses each feature in four weeks, and where that places it among similar accounts; the least used first.

    A feature is an event name that the account or a similar one used in the four complete weeks up to the as-of day.
    Similar are the `expansion.similar_pool` customers of the same segment that use the product and are nearest in size
    (employees where all of the segment are known, else ARR; the nearest by ratio). They are not chosen by their use,
    because use is what is compared. With fewer than `account.similar_least` of them nothing is compared.

    Formula: percentile = (similar accounts with fewer uses + half of those with as many) ÷ similar accounts.
    Columns:
        event: the feature
        product: products that list it
        times, days: uses in the 28 days, and days with any
        similar: similar accounts
        similar_using: those of them that used it; empty below the least number
        similar_median: median of their uses, those that did not use it included
        percentile: place of the account among them, 0 to 1
        reading: more (from 0.75), less (up to 0.25), alike, not used here (while half of the similar do) or not used
        basis: who counts as similar, or why nothing is compared
    """
    week_end = periods.last_full_week_end(as_of)
    config = store.config
    return store.frame(
        _FEATURES,
        scope=only(store, account_id, as_of, scope),
        as_of=as_of,
        week_end=week_end,
        since=periods.add_days(week_end, -28),
        pool=config.expansion.similar_pool,
        least=config.account.similar_least,
    )

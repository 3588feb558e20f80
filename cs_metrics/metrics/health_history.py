"""How health moves: the mix of colours week by week, and which accounts went from which colour to which."""

import datetime as dt
from typing import Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.health import book
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["MIGRATION_DAYS", "health_migration", "health_trend"]

MIGRATION_DAYS = 90
By = Literal["total", "segment", "stage", "csm"]
_GROUP = {"total": "'total'", "segment": "accounts.segment", "csm": "accounts.csm"}


@metric(needs=("subscriptions",), page="Health")
def health_trend(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, weeks: int = 52, by: By = "total"
) -> pd.DataFrame:
    """How many customers, and how much ARR, had which colour at the end of each complete week.

    The last `weeks` complete weeks up to the day. ARR and customers are those of the end of that week, not of today,
    and each week was scored with what was known then; so is the stage, while segment and CSM are as they are now. Every
    colour of every week and group is there, if with 0.

    Columns:
        week: first day of the week (Monday)
        week_end: its last day, as of which the score holds
        colour: red, yellow, green or none
        accounts, arr: customers at the end of the week and their ARR
        account_share, arr_share: share within the week and group
        group: total, or the segment, stage or CSM; empty where the account has none
    """
    last = periods.last_full_week_end(as_of)
    group = {**_GROUP, "stage": "health.stage"}[by]
    sql = f"""
        with counted as (
            select
                coalesce({group}, '') as "group",
                health.week_end,
                health.colour,
                count(*) as accounts,
                sum(health.mrr_cents)::double * 12 / 100 as arr
            from account_week_health health
            inner join scope on scope.account_id = health.account_id
            inner join accounts on accounts.account_id = health.account_id
            where health.week_end <= $last and health.week_end >= $first
            group by "group", health.week_end, health.colour
        ),
        shown as (
            select groups."group", weeks.week_start, weeks.week_end, colours.colour, colours.place
            from weeks
            cross join (select distinct "group" from counted) groups
            cross join (values ('red', 0), ('yellow', 1), ('green', 2), ('none', 3)) colours(colour, place)
            where weeks.week_end between (select min(week_end) from counted) and $last
        )
        select
            shown.week_start as week,
            shown.week_end,
            shown.colour,
            coalesce(counted.accounts, 0) as accounts,
            coalesce(counted.arr, 0) as arr,
            coalesce(counted.accounts, 0)::double / nullif(sum(counted.accounts) over each_week, 0) as account_share,
            coalesce(counted.arr, 0) / nullif(sum(counted.arr) over each_week, 0) as arr_share,
            shown."group"
        from shown
        left join counted
            on counted.week_end = shown.week_end and counted.colour = shown.colour and counted."group" = shown."group"
        window each_week as (partition by shown.week_end, shown."group")
        order by shown."group", shown.week_end, shown.place
    """
    return store.frame(sql, scope=scope, last=last, first=periods.add_days(last, -7 * (weeks - 1)))


@metric(needs=("subscriptions",), page="Health")
def health_migration(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    from_: dt.date | None = None,
    to: dt.date | None = None,
    by: By = "total",
) -> pd.DataFrame:
    """How the customers of one day moved between the colours, or left, until another day; by count and ARR.

    By default the 90 days that end on the as-of day; a later `to` is cut to it. Every customer of the first day is in
    exactly one row. An account without MRR on the second day has left; customers who came in between are not shown. The
    stage is that of the first day, segment and CSM are as they are now.

    Columns:
        from_colour: colour as of the first day: red, yellow, green or none
        to_colour: colour as of the second day, or left
        accounts: customers of the first day that went this way
        arr: their ARR on the first day
        direction: down, up, same or left; empty where one of the colours is none
        group: total, or the segment, stage or CSM; empty where the account has none
    """
    group = {**_GROUP, "stage": "earlier.stage"}[by]
    last = min(to or as_of, as_of)
    first = min(from_ or periods.add_days(last, -MIGRATION_DAYS), last)
    sql = f"""
        with {book("opening", "first")},
        {book("closing", "last")},
        colours(colour, place) as (
            values ('red', 0), ('yellow', 1), ('green', 2), ('none', 3), ('left', 4)
        ),
        moves as (
            select
                coalesce({group}, '') as "group",
                coalesce(earlier.colour, 'none') as from_colour,
                case when closing.account_id is null then 'left' else coalesce(later.colour, 'none') end as to_colour,
                opening.mrr_cents
            from opening
            inner join accounts on accounts.account_id = opening.account_id
            left join closing on closing.account_id = opening.account_id
            left join account_week_health earlier
                on earlier.account_id = opening.account_id and earlier.week_end = $first_week_end
            left join account_week_health later
                on later.account_id = opening.account_id and later.week_end = $last_week_end
        )
        select
            moves.from_colour,
            moves.to_colour,
            count(*) as accounts,
            sum(moves.mrr_cents)::double * 12 / 100 as arr,
            case
                when moves.to_colour = 'left' then 'left'
                when moves.from_colour = moves.to_colour then 'same'
                when 'none' in (moves.from_colour, moves.to_colour) then ''
                when any_value(target.place) > any_value(source.place) then 'up'
                else 'down'
            end as direction,
            moves."group"
        from moves
        inner join colours source on source.colour = moves.from_colour
        inner join colours target on target.colour = moves.to_colour
        group by moves."group", moves.from_colour, moves.to_colour
        order by moves."group", any_value(source.place), any_value(target.place)
    """
    return store.frame(
        sql,
        scope=scope,
        first=first,
        last=last,
        first_week_end=periods.last_full_week_end(first),
        last_week_end=periods.last_full_week_end(last),
    )

"""What an account got in a year, in numbers: its own results, the help it was given, the use it made."""

import datetime as dt
from typing import NamedTuple

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["account_value"]


class _Measure(NamedTuple):
    """A measure: its words, the group it stands in, its unit, and the table without which it is not known."""

    words: str
    group: str
    unit: str
    table: str


_MEASURES = {
    "solved": _Measure("Problems solved", "help", "count", "tickets"),
    "days_to_solve": _Measure("Median days to solve one", "help", "number", "tickets"),
    "wishes": _Measure("Wishes shipped", "help", "count", "tickets"),
    "trainings": _Measure("Trainings held", "help", "count", "meetings"),
    "reviews": _Measure("Business reviews held", "help", "count", "meetings"),
    "kept": _Measure("Promises kept", "help", "count", "accounts"),
    "milestones": _Measure("Milestones reached", "success", "count", "milestones"),
    "users": _Measure("People who used it", "use", "count", "events"),
    "uses": _Measure("Uses", "use", "count", "events"),
    "weeks": _Measure("Weeks with use", "use", "count", "events"),
    "arr_per_user": _Measure("ARR per active user", "use", "money", "events"),
}

_MINE = "from {0} inner join scope on scope.account_id = {0}.account_id"

# Two spans of days, this one and the one before it: first_day < day <= last_day; weeks belong to the span of their Sunday.
_VALUE = f"""
    with spans as (
        select unnest([true, false]) as is_now, cast(unnest([$since, $before]) as date) as first_day,
            cast(unnest([$as_of, $since]) as date) as last_day, cast(unnest([$week_end, $before_week]) as date) as week_end
    ),
    helped as (
        select
            is_now,
            count(*) filter (coalesce(kind, '') <> 'request') as solved,
            median(date_diff('day', opened_on, closed_on)) filter (coalesce(kind, '') <> 'request') as days_to_solve,
            count(*) filter (kind = 'request') as wishes
        from spans
        inner join (select kind, opened_on, closed_on {_MINE.format("tickets")}) mine on closed_on > first_day and closed_on <= last_day
        group by is_now
    ),
    met as (
        select is_now, count(*) filter (kind = 'training') as trainings, count(*) filter (kind = any($kinds)) as reviews
        from spans
        inner join (select kind, scheduled_on {_MINE.format("meetings")} where was_held) mine
            on scheduled_on > first_day and scheduled_on <= last_day
        group by is_now
    ),
    promised as (
        select is_now, count(*) as kept
        from spans
        inner join (select kept_on {_MINE.format("promises")}) mine on kept_on > first_day and kept_on <= last_day
        group by is_now
    ),
    reached as (
        select is_now, count(*) as milestones
        from spans
        inner join (select completed_on {_MINE.format("milestone_status")}) mine on completed_on > first_day and completed_on <= last_day
        group by is_now
    ),
    used as (
        select
            is_now,
            count(distinct case when user_id <> '' then user_id end) as users,
            sum(times)::bigint as uses,
            count(distinct mine.week_end) as weeks
        from spans
        inner join (select user_id, user_week.week_end, times {_MINE.format("user_week")} where user_week.week_end <= $as_of) mine
            on mine.week_end > first_day and mine.week_end <= last_day
        group by is_now
    ),
    priced as (
        select is_now, mine.mrr_cents::double * 12 / 100 / nullif(mine.active_users, 0) as arr_per_user
        from spans
        inner join (select week_end, mrr_cents, active_users {_MINE.format("account_week")}) mine on mine.week_end = spans.week_end
    ),
    begun as (
        select started_on {_MINE.format("accounts")}
    )
    select
        spans.is_now,
        spans.is_now or begun.started_on <= spans.first_day + 1 as is_whole,
        coalesce(helped.solved, 0)::double as solved, helped.days_to_solve, coalesce(helped.wishes, 0)::double as wishes,
        coalesce(met.trainings, 0)::double as trainings, coalesce(met.reviews, 0)::double as reviews,
        coalesce(promised.kept, 0)::double as kept, coalesce(reached.milestones, 0)::double as milestones,
        coalesce(used.users, 0)::double as users, coalesce(used.uses, 0)::double as uses, coalesce(used.weeks, 0)::double as weeks,
        priced.arr_per_user
    from spans
    cross join begun
    left join helped on helped.is_now = spans.is_now
    left join met on met.is_now = spans.is_now
    left join promised on promised.is_now = spans.is_now
    left join reached on reached.is_now = spans.is_now
    left join used on used.is_now = spans.is_now
    left join priced on priced.is_now = spans.is_now
    order by spans.is_now desc
"""

# The customer's own results: per metric the sum of the months that are over in each span, where none of them is missing.
_RESULTS = f"""
    with known as (
        select metric, date_trunc('month', month)::date as month, value {_MINE.format("outcomes")} where last_day(month) <= $as_of
    )
    select
        metric,
        sum(value) filter (month > $since_month) as now,
        count(*) filter (month > $since_month) as now_months,
        sum(value) filter (month <= $since_month and month > $before_month) as before,
        count(*) filter (month <= $since_month and month > $before_month) as before_months
    from known
    where month <= $last_month
    group by metric
    having count(*) filter (month > $since_month) > 0
    order by metric
"""


@metric(needs=("accounts",), reads=("promise",), page="Account")
def account_value(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "", days: int | None = None
) -> pd.DataFrame:
    """What the account got in the last days (`account.value_days` by default), beside as many days before: results, help, use.

    Own results are sums over the last 12 complete months and the 12 before. Problems solved are tickets closed that
    were no wishes, wishes are tickets of the kind request. Uses, their people and weeks are counted by complete weeks.
    ARR per active user is that of the last complete week: ARR ÷ users active in its four weeks.

    Columns:
        group: results, help, success or use
        measure, unit: what was counted, and in which unit
        now: in the last days
        before: in as many days before, empty while the account had not begun that long ago
        months: for results, how many of the 12 months are known
    """
    one, settings = only(store, account_id, as_of, scope), store.config.account
    span = settings.value_days if days is None else days
    since = periods.add_days(as_of, -span)
    found = store.frame(
        _VALUE,
        scope=one,
        as_of=as_of,
        since=since,
        before=periods.add_days(since, -span),
        week_end=periods.last_full_week_end(as_of),
        before_week=periods.last_full_week_end(since),
        kinds=settings.review_kinds,
    )
    rows = [
        (f"{name[:1].upper()}{name[1:].replace('_', ' ')}", "results", "number", *it)
        for name, *it in _results(store, as_of, one)
    ]
    for name, measure in _MEASURES.items() if len(found) else ():
        if store.has(measure.table):
            now, before = found[name].astype("float64")
            rows.append(
                (measure.words, measure.group, measure.unit, now, before if found["is_whole"].iloc[1] else None, None)
            )
    table = pd.DataFrame(rows, columns=["measure", "group", "unit", "now", "before", "months"])
    table = table.astype({"now": "float64", "before": "float64", "months": "Int64"})
    return table[["group", "measure", "unit", "now", "before", "months"]]


def _results(store: Store, as_of: dt.date, one: Scope) -> list[tuple[str, float, float | None, int]]:
    """Return per own result its name, the sum of the last 12 complete months, that of the 12 before, and the months known."""
    last = periods.add_months(periods.month_start(periods.add_days(as_of, 1)), -1)
    bound = {"as_of": as_of, "last_month": last}
    months = {"since_month": periods.add_months(last, -12), "before_month": periods.add_months(last, -24)}
    rows = store.rows(_RESULTS, scope=one, **bound, **months)
    return [
        (name, now, before if is_now == is_then == 12 else None, is_now) for name, now, is_now, before, is_then in rows
    ]

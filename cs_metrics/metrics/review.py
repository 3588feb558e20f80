"""What a business review needs beside the account's lists: since when to look back, help given, and results.

Help is counted in one span: the days after its first up to and with the as-of day.
"""

import datetime as dt

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.expansion_words import day
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["account_help", "account_results", "account_span"]

_WORDS = {"qbr": "QBR", "ebr": "EBR", "executive": "executive meeting"}
_HELP = """
    select
        case when tickets.kind = 'request' then 'wish' else 'problem' end as kind,
        closed_on as day,
        coalesce(tickets.kind, 'ticket') as what,
        coalesce(products.name, tickets.product_id) as product,
        date_diff('day', opened_on, closed_on) as days_taken
    from tickets
    inner join scope on scope.account_id = tickets.account_id
    left join products on products.product_id = tickets.product_id
    where opened_on <= $as_of and closed_on > $since and closed_on <= $as_of
    union all
    select 'training', scheduled_on, 'training', null, null
    from meetings
    inner join scope on scope.account_id = meetings.account_id
    where meetings.kind = 'training' and was_held and scheduled_on > $since and scheduled_on <= $as_of
    union all
    select 'promise', kept_on, promise, null, date_diff('day', made_on, kept_on)
    from promises
    inner join scope on scope.account_id = promises.account_id
    where made_on <= $as_of and kept_on > $since and kept_on <= $as_of
"""


@metric(needs=("accounts",), page="Account")
def account_span(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    account_id: str = "",
    since: dt.date | None = None,
) -> pd.DataFrame:
    """From which day on a review looks back: the day given, else the last review, else `account.changes_days` before.

    A review is a held meeting of `account.review_kinds`, at least `report.least_days` before the as-of day: one of last
    week leaves nothing to look back on. A day before the account's start is its start.

    Columns:
        name: of the account
        since: the day that begins the span; what happened after it counts
        has_review: whether a review was held on that day
        what: which review: QBR, EBR, executive meeting …; empty without one
        says: since when, in words
        days: days from `since` to the as-of day
    """
    one = only(store, account_id, as_of, scope)
    sql = """
        select meetings.kind, scheduled_on
        from meetings
        inner join scope on scope.account_id = meetings.account_id
        where meetings.kind = any($kinds) and was_held
            and (scheduled_on = $since or ($since is null and scheduled_on <= $latest))
        order by scheduled_on desc, case meetings.kind when 'ebr' then 0 when 'qbr' then 1 else 2 end
        limit 1
    """
    report, settings = store.config.report, store.config.account
    asked = min(since, as_of) if since else None
    latest = periods.add_days(as_of, -report.least_days)
    found = store.rows(sql, scope=one, since=asked, latest=latest, kinds=settings.review_kinds)
    known = store.rows("select name, started_on from accounts inner join scope using (account_id)", scope=one)
    name, started_on = known[0] if known else ("", as_of)
    kind, first = found[0] if found else ("", max(asked or periods.add_days(as_of, -settings.changes_days), started_on))
    word = _WORDS.get(kind, kind.replace("_", " "))
    says = f"the {word} of {day(first)}" if kind else day(first)
    row = {
        "name": name,
        "since": pd.Timestamp(first).as_unit("us"),
        "has_review": bool(kind),
        "what": word,
        "says": says,
        "days": periods.days_between(first, as_of),
    }
    return pd.DataFrame([row] if known else [], columns=list(row))


@metric(needs=("accounts",), reads=("promise",), page="Account")
def account_help(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    account_id: str = "",
    since: dt.date | None = None,
) -> pd.DataFrame:
    """What was done for the account in the span of `account_span`, the newest first.

    A ticket counts on the day on which it was closed: a request is a wish shipped, any other a problem solved. A
    training counts when it was held, a promise when it was kept. `account_value` counts them.

    Columns:
        kind: problem, wish, training or promise
        day: when it was done
        what: question, bug or request; training; or the promise
        product: product of the ticket, empty where unknown
        days_taken: days from opening to closing, or from promising to keeping
    """
    one = only(store, account_id, as_of, scope)
    span = account_span(store, as_of=as_of, scope=scope, account_id=account_id, since=since)
    first = span["since"].iloc[0].date() if len(span) else as_of
    sql = f"select * from ({_HELP}) order by day desc, kind, what, product, days_taken"
    return store.frame(sql, scope=one, as_of=as_of, since=first)


@metric(needs=("outcomes",), page="Account")
def account_results(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """The customer's own results in one row each: where they stand, against the months before and a year earlier.

    A month is known when it is over. `recent` is the newest three known months in a row; a mean is empty where one of
    its three months is missing.

    Formula: change_3_months = recent ÷ before − 1; change_year = recent ÷ year_before − 1, where the divisor is above 0.
    Columns:
        metric: name of the result
        month, value: the newest known month and its value
        recent: mean of the three months up to it
        before: mean of the three months before those
        year_before: mean of the same three months a year earlier
        change_3_months, change_year: fractions
        best_month, best: the month with the highest value so far, the newest of several
        months: months known
    """
    sql = """
        with known as (
            select metric, date_trunc('month', month)::date as month, value, year(month) * 12 + month(month) as month_index
            from outcomes
            inner join scope on scope.account_id = outcomes.account_id
            where last_day(month) <= $as_of
        ),
        placed as (
            select known.*, max(month_index) over (partition by metric) - month_index as ago from known
        ),
        summed as (
            select
                metric,
                max(month) as month,
                max(value) filter (ago = 0) as value,
                case when count(*) filter (ago < 3) = 3 then avg(value) filter (ago < 3) end as recent,
                case when count(*) filter (ago between 3 and 5) = 3 then avg(value) filter (ago between 3 and 5) end as before,
                case when count(*) filter (ago between 12 and 14) = 3 then avg(value) filter (ago between 12 and 14) end as year_before,
                arg_max(month, (value, month)) as best_month,
                max(value) as best,
                count(*) as months
            from placed
            group by metric
        )
        select
            metric,
            month,
            value,
            recent,
            before,
            year_before,
            case when before > 0 then recent / before - 1 end as change_3_months,
            case when year_before > 0 then recent / year_before - 1 end as change_year,
            best_month,
            best,
            months
        from summed
        order by metric
    """
    return store.frame(sql, scope=only(store, account_id, as_of, scope), as_of=as_of)

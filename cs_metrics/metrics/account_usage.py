"""How one account uses the product: by week, by person, and what changed since the last review."""

import datetime as dt

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.expansion_words import day
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["account_changes", "account_departments", "account_usage", "account_users"]


@metric(needs=("events",), page="Account")
def account_usage(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "", weeks: int = 52
) -> pd.DataFrame:
    """Use of the product by complete week, Monday to Sunday: how often, by how many known users, on how many days.

    From the account's start, at most the last `weeks` weeks; a week without use is 0.

    Columns:
        week: Monday of the week
        times: uses
        active_users: distinct known users; empty in a week whose uses name no user
        active_days: days with any use
    """
    sql = """
        with account as (
            select accounts.account_id, started_on
            from accounts
            inner join scope on scope.account_id = accounts.account_id
        ),
        used as (
            select user_week.account_id, week_end, sum(times)::bigint as times, count(*) filter (user_id <> '') as active_users
            from user_week
            inner join account on account.account_id = user_week.account_id
            group by user_week.account_id, week_end
        ),
        daily as (
            select week_end, count(*) as active_days
            from account_day
            inner join account on account.account_id = account_day.account_id
            inner join weeks on weeks.week_start <= account_day.day and account_day.day <= weeks.week_end
            group by week_end
        )
        select
            weeks.week_start as week,
            coalesce(used.times, 0) as times,
            case when used.times > 0 and used.active_users = 0 then null else coalesce(used.active_users, 0) end as active_users,
            coalesce(daily.active_days, 0) as active_days
        from account
        inner join weeks on weeks.week_end >= account.started_on and weeks.week_end <= $week_end and weeks.week_end > $since
        left join used on used.week_end = weeks.week_end
        left join daily on daily.week_end = weeks.week_end
        order by weeks.week_start
    """
    week_end = periods.last_full_week_end(as_of)
    since = periods.add_days(week_end, -7 * weeks)
    return store.frame(sql, scope=only(store, account_id, as_of, scope), week_end=week_end, since=since)


@metric(needs=("events",), page="Account")
def account_users(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """The end users of the account, those who were active last first: active, new, idle or lost.

    Users are those handed over and those who appear in the use of the product. Account health and end-user health are
    two things: one power user can hide many idle seats.

    Columns:
        user_id, department, role: the user; department and role are empty for users who were not handed over
        created_on: day of creation, else of the first use
        last_active_on: newest day of use, empty for never
        active_days_28: days of use in the 28 days to the as-of day
        state: lost (deactivated, or last active more than 90 days ago), new (created or first seen within 28 days),
            active (in the last 28 days) or idle (none of these)
    """
    sql = """
        with used as (
            select
                user_day_event.account_id,
                user_id,
                min(day) as first_on,
                max(day) as last_on,
                count(distinct case when day > $as_of::date - 28 then day end) as days
            from user_day_event
            inner join scope on scope.account_id = user_day_event.account_id
            where day <= $as_of and user_id <> ''
            group by user_day_event.account_id, user_id
        ),
        named as (
            select users.account_id, user_id, department, role, created_on, deactivated_on
            from users
            inner join scope on scope.account_id = users.account_id
            where created_on is null or created_on <= $as_of
        ),
        people as (
            select
                coalesce(named.user_id, used.user_id) as user_id,
                department,
                role,
                coalesce(created_on, first_on) as created_on,
                last_on as last_active_on,
                coalesce(days, 0) as active_days_28,
                coalesce(deactivated_on <= $as_of, false) as is_gone
            from named
            full outer join used on used.user_id = named.user_id and used.account_id = named.account_id
        )
        select
            user_id,
            department,
            role,
            created_on,
            last_active_on,
            active_days_28,
            case
                when is_gone or last_active_on <= $as_of::date - 90 then 'lost'
                when created_on > $as_of::date - 28 then 'new'
                when active_days_28 > 0 then 'active'
                else 'idle'
            end as state
        from people
        order by last_active_on desc nulls last, active_days_28 desc, user_id
    """
    return store.frame(sql, scope=only(store, account_id, as_of, scope), as_of=as_of)


@metric(needs=("events",), page="Account")
def account_departments(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = ""
) -> pd.DataFrame:
    """The end users of the account by department: the rows of `account_users`, counted.

    Formula: users = active + new + idle; lost users are no users any more and stand apart.
    Columns:
        department: the department, (unknown) for users without one
        users: users who are not lost
        active, new, idle, lost: users in that state
    """
    people = account_users(store, as_of=as_of, scope=scope, account_id=account_id)
    counted = pd.crosstab(people["department"].fillna("(unknown)"), people["state"])
    counted = counted.reindex(columns=["active", "new", "idle", "lost"], fill_value=0).astype("int64")
    counted.insert(0, "users", counted[["active", "new", "idle"]].sum(axis=1))
    found = counted.rename_axis(columns=None).rename_axis(index="department").reset_index()
    return found.sort_values(["users", "department"], ascending=[False, True], ignore_index=True)


_CHANGES = """
    with moments as (
        select cast(unnest([$before_day, $as_of]) as date) as day, cast(unnest([$before_week, $week_end]) as date) as week_end
    ),
    known as (
        select
            moments.day,
            coalesce((
                select sum(mrr_cents) from mrr_interval inner join scope on scope.account_id = mrr_interval.account_id
                where from_day <= moments.day and (to_day is null or to_day > moments.day)
            ), 0)::double * 12 / 100 as arr,
            (
                select max(score) from account_week_health health inner join scope on scope.account_id = health.account_id
                where health.week_end = moments.week_end
            ) as score,
            (
                select max(active_users) from account_week week inner join scope on scope.account_id = week.account_id
                where week.week_end = moments.week_end
            )::double as active_users,
            (
                select max(active_user_share) from account_week week inner join scope on scope.account_id = week.account_id
                where week.week_end = moments.week_end
            ) as active_share,
            (
                select max(times) from account_week week inner join scope on scope.account_id = week.account_id
                where week.week_end = moments.week_end
            )::double as times,
            (
                select count(*) from tickets inner join scope on scope.account_id = tickets.account_id
                where opened_on <= moments.day and (closed_on is null or closed_on > moments.day)
            )::double as open_tickets,
            (
                select count(*) from promises inner join scope on scope.account_id = promises.account_id
                where made_on <= moments.day and (closed_on is null or closed_on > moments.day)
            )::double as open_promises,
            (
                select count(distinct coalesce(product_id, '')) from subscription_line line
                inner join scope on scope.account_id = line.account_id
                where starts_on <= moments.day and (ends_on is null or ends_on > moments.day)
            )::double as products
        from moments
    ),
    tall as (
        unpivot (select * exclude (day), day = $as_of as is_now from known)
        on arr, score, active_users, active_share, times, open_tickets, open_promises, products
        into name measure value amount
    )
    select
        measure,
        max(amount) filter (not is_now) as before,
        max(amount) filter (is_now) as now
    from tall
    group by measure
"""
_MEASURES = {
    "arr": ("ARR", "money"),
    "score": ("Health score", "score"),
    "active_users": ("Users active in 4 weeks", "count"),
    "active_share": ("Share of seats active", "percent"),
    "times": ("Uses in 4 weeks", "count"),
    "open_tickets": ("Open tickets", "count"),
    "open_promises": ("Open promises", "count"),
    "products": ("Products paid for", "count"),
}


@metric(needs=("subscriptions",), reads=("promise",), page="Account")
def account_changes(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """What changed since the last review that was held (QBR, EBR or executive meeting), else in the last 90 days.

    Health and use are those of the last complete week on each of the two days.

    Columns:
        measure, unit: what is compared, and in which unit
        since, has_review, since_what: the day of comparison, whether a review was held, and which it was
        before, now: the value on that day and on the as-of day, empty where unknown
        change: now − before
    """
    one = only(store, account_id, as_of, scope)
    sql = """
        select meetings.kind, scheduled_on
        from meetings
        inner join scope on scope.account_id = meetings.account_id
        where meetings.kind in ('qbr', 'ebr', 'executive') and was_held and scheduled_on < $as_of
        order by scheduled_on desc, meetings.kind
        limit 1
    """
    reviews = store.rows(sql, scope=one, as_of=as_of)
    kind, since = reviews[0] if reviews else ("", periods.add_days(as_of, -90))
    word = {"qbr": "QBR", "ebr": "EBR", "executive": "executive meeting"}.get(kind)
    found = store.frame(
        _CHANGES,
        scope=one,
        as_of=as_of,
        week_end=periods.last_full_week_end(as_of),
        before_day=since,
        before_week=periods.last_full_week_end(since),
    ).set_index("measure")
    found = found.reindex(list(_MEASURES)).reset_index()
    found.insert(1, "unit", found["measure"].map({name: unit for name, (_, unit) in _MEASURES.items()}))
    found["measure"] = found["measure"].map({name: words for name, (words, _) in _MEASURES.items()})
    found.insert(2, "since", pd.Timestamp(since).as_unit("us"))
    says = f"{word} of {day(since)}" if word else f"No review was held; against 90 days before, {day(since)}"
    found.insert(3, "has_review", word is not None)
    found.insert(4, "since_what", says)
    found["change"] = found["now"] - found["before"]
    return found

"""How one account uses the product: by week and by person."""

import datetime as dt

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["account_course", "account_departments", "account_usage", "account_user_totals", "account_users"]


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


@metric(needs=("subscriptions",), page="Account")
def account_course(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "", weeks: int = 52
) -> pd.DataFrame:
    """ARR, health and active users of the account at the end of each of the last complete weeks in which it was a customer.

    Columns:
        week_end: Sunday of the week
        arr: ARR at its end
        score, colour: health of the week, empty and none without enough data
        active_users: known users active in the 28 days to it, empty before any user was seen
        seats: seats bought, or known users where no seats are recorded
    """
    sql = """
        select
            week.week_end,
            week.mrr_cents::double * 12 / 100 as arr,
            health.score,
            coalesce(health.colour, 'none') as colour,
            week.active_users::double as active_users,
            week.seats::double as seats
        from account_week week
        inner join scope on scope.account_id = week.account_id
        left join account_week_health health on health.account_id = week.account_id and health.week_end = week.week_end
        where week.week_end <= $week_end and week.week_end > $since
        order by week.week_end
    """
    week_end = periods.last_full_week_end(as_of)
    since = periods.add_days(week_end, -7 * weeks)
    return store.frame(sql, scope=only(store, account_id, as_of, scope), week_end=week_end, since=since)


@metric(needs=("events",), page="Account")
def account_users(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """The end users of the account, those who were active last first: active, new, idle or lost.

    Users are those handed over and those who appear in the use of the product. Account health and end-user health are
    two things: one power user can hide many idle seats.

    Formula: share_28 = times_28 ÷ uses of all named users in the same 28 days.
    Columns:
        user_id, department, role: the user; department and role are empty for users who were not handed over
        created_on: day of creation, else of the first use
        last_active_on: newest day of use, empty for never
        active_days_28: days of use in the 28 days to the as-of day
        state: lost (deactivated, or last active `account.lost_days` ago or more), new (created or first seen within
            `account.new_days`), active (in the last 28 days) or idle (none of these)
        times_28, share_28: uses in these 28 days, and their share of the account's
    """
    sql = """
        with used as (
            select
                user_day_event.account_id,
                user_id,
                min(day) as first_on,
                max(day) as last_on,
                count(distinct case when day > $as_of::date - 28 then day end) as days,
                coalesce(sum(times) filter (day > $as_of::date - 28), 0)::bigint as times
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
                coalesce(times, 0) as times_28,
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
                when is_gone or last_active_on <= $as_of::date - $lost_days::integer then 'lost'
                when created_on > $as_of::date - $new_days::integer then 'new'
                when active_days_28 > 0 then 'active'
                else 'idle'
            end as state,
            times_28,
            times_28::double / nullif(sum(times_28) over (), 0) as share_28
        from people
        order by last_active_on desc nulls last, active_days_28 desc, user_id
    """
    settings = store.config.account
    bound = {"new_days": settings.new_days, "lost_days": settings.lost_days}
    return store.frame(sql, scope=only(store, account_id, as_of, scope), as_of=as_of, **bound)


@metric(needs=("events",), page="Account")
def account_user_totals(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = ""
) -> pd.DataFrame:
    """The end users of the account in one row, and on how few of them its use rests: the rows of `account_users`, counted.

    Formula: users = active + new + idle; top_share = uses of the most active user ÷ uses of all named users in 28 days;
        half_users = the fewest users that together make at least half of these uses.
    Columns:
        users, active, new, idle, lost: users who are not lost, by state; lost users stand apart
        departments: departments with a user who is not lost
        times: uses by named users in 28 days
        top_user, top_share: the most active one and its share, empty where nobody was active
        half_users: how many users make half of the use, empty where nobody was active
        is_concentrated: whether one user makes `account.power_share` of the use or more
    """
    people = account_users(store, as_of=as_of, scope=scope, account_id=account_id)
    here = people[people["state"] != "lost"]
    uses = people["times_28"].sort_values(ascending=False)
    total = int(uses.sum())
    top = people.loc[uses.index[0]] if total else None
    row = {
        "users": len(here),
        **{state: int((people["state"] == state).sum()) for state in ("active", "new", "idle", "lost")},
        "departments": int(here["department"].nunique()),
        "times": total,
        "top_user": None if top is None else top["user_id"],
        "top_share": None if top is None else float(top["share_28"]),
        "half_users": int((uses.cumsum() < total / 2).sum()) + 1 if total else None,
        "is_concentrated": top is not None and float(top["share_28"]) >= store.config.account.power_share,
    }
    return pd.DataFrame([row]).astype({"top_share": "float64", "half_users": "Int64", "top_user": "str"})


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

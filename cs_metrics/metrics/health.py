"""Health as of a day: every customer with score, colour and reasons, and the mix of the book.

The score is weekly: as of a day it is that of the last complete week, while ARR is that of the day itself.
"""

import datetime as dt
from typing import Literal

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.config import DIMENSIONS
from cs_metrics.metrics import health_words
from cs_metrics.metrics.health_override import IN_FORCE, TOPIC, with_overrides
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["CHANGE_DAYS", "book", "customers", "health", "health_distribution", "health_summary"]

CHANGE_DAYS = 28
_COLOUR_ORDER = {"red": 0, "yellow": 1, "green": 2, "none": 3}


def book(name: str, day: str) -> str:
    """Return the CTE `name`: account_id and mrr_cents of every account in scope with MRR above 0 on the day `$day`."""
    return f"""
    {name} as (
        select mrr_interval.account_id, mrr_interval.mrr_cents
        from mrr_interval
        inner join scope on scope.account_id = mrr_interval.account_id
        where mrr_interval.from_day <= ${day} and (mrr_interval.to_day is null or mrr_interval.to_day > ${day})
    )"""


def customers(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return every customer of the day with its health and raw measures, and the same rows as of 28 days before.

    Both frames have one row per customer of the as-of day, in the same order; the second holds NaN where the account
    had no row then. Accounts without a complete week have a colour of none and no coverage.
    """
    week_end = periods.last_full_week_end(as_of)
    sql = f"""
        with {book("today", "as_of")},
        joined as (
            select account_id, min(from_day) as day
            from mrr_interval
            where from_day > $week_end and from_day <= $as_of
            group by account_id
        )
        select
            accounts.account_id,
            accounts.name,
            accounts.segment,
            accounts.csm,
            today.mrr_cents::double * 12 / 100 as arr,
            joined.day as customer_since,
            date_diff('day', accounts.started_on, $as_of::date) as age_days,
            exists (select 1 from event_first where first_day <= $as_of) as has_product_data,
            coalesce(health.colour, 'none') as colour,
            health.* exclude (account_id, week_end, segment, mrr_cents, colour),
            week.* exclude (account_id, week_end, segment, stage, mrr_cents)
        from today
        inner join accounts on accounts.account_id = today.account_id
        left join joined on joined.account_id = today.account_id
        left join account_week_health health on health.account_id = today.account_id and health.week_end = $week_end
        left join account_week week on week.account_id = today.account_id and week.week_end = $week_end
        order by health.score nulls last, today.mrr_cents desc, accounts.account_id
    """
    now = store.frame(sql, scope=scope, as_of=as_of, week_end=week_end)
    earlier = """
        select
            health.* exclude (week_end, segment, mrr_cents),
            week.* exclude (account_id, week_end, segment, stage, mrr_cents)
        from account_week_health health
        inner join scope on scope.account_id = health.account_id
        inner join account_week week on week.account_id = health.account_id and week.week_end = $week_end
        where health.week_end = $week_end
    """
    before = store.frame(earlier, scope=scope, week_end=periods.add_days(week_end, -CHANGE_DAYS))
    return now, before.set_index("account_id").reindex(now["account_id"]).reset_index()


@metric(needs=("subscriptions",), reads=(TOPIC,), page="Health")
def health(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """The health of every customer as of the day: its score of the last complete week, 0–100, with the reasons in words.

    Customers are the accounts with MRR above 0 on the day. A dimension without data is left out and its weight shared
    by the others; an account with too little data has the colour none and says what it needs. Account health and
    end-user health are two things: active_users ÷ seats stands beside the score. What a person says instead of the
    score stands beside it and changes nothing of it. Segment and CSM are as they are now.

    Formula: score = Σ weight × dimension ÷ Σ weight, over the dimensions with data; red ≤ 50 < yellow ≤ 75 < green.
    Columns:
        account_id: the account
        score: 0–100, not rounded, empty with too little data
        colour: red, yellow, green or none
        change_28_days: score minus the score four weeks before, in points
        coverage: share of the weights whose dimension has data
        depth, activity, support, sentiment, outcome, relationship: score of the dimension, empty without data
        weeks_red: weeks in a row, the last included, with the colour red
        reasons: what pulls the score down and up, what fell in 28 days; or what the account needs to have a score
        name, segment, csm: of the account
        stage: onboarding, adoption or renewal at the end of the week
        arr: ARR on the day
        week_end: last day of the week that is scored
        trend: up or down where the change leaves the dead band, else steady; empty where the change is unknown
        is_alert: red in two or more consecutive weeks
        alert: for those, the dimension that fell and the suggested play
        active_users: known users active in 28 days
        seats: seats bought, or known users where no seats are recorded
        active_share: active_users ÷ seats
        override_colour, override_score: what a person says the health is, where that stands on the day
        override_by, override_on, override_until, override_reason: who, since when, up to when, and why
    """
    config = store.config.health
    now, before = customers(store, as_of=as_of, scope=scope)
    change = now["change_28_days"]
    now["weeks_red"] = now["weeks_red"].fillna(0).astype("int64")
    now["reasons"] = health_words.reasons(now, before, config)
    now["week_end"] = pd.Timestamp(periods.last_full_week_end(as_of)).as_unit("us")
    moved = np.select(
        [change > config.dead_band, change < -config.dead_band, change.notna()], ["up", "down", "steady"], ""
    )
    now["trend"] = pd.Series(moved, index=now.index, dtype="str")
    now["is_alert"] = now["weeks_red"] >= config.alert_weeks
    now["alert"] = health_words.alerts(now, before, config, config.alert_weeks)
    now["active_share"] = now["active_user_share"]
    first = ["account_id", "score", "colour", "change_28_days", "coverage", *DIMENSIONS, "weeks_red", "reasons"]
    more = ["name", "segment", "csm", "stage", "arr", "week_end", "trend", "is_alert", "alert"]
    found = now[[*first, *more, "active_users", "seats", "active_share"]]
    return with_overrides(store, found, as_of, scope)


@metric(needs=("subscriptions",), reads=(TOPIC,), page="Health")
def health_summary(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """The health of the book in one row: healthy share of ARR, what is red, and what moved in 28 days.

    The `…_before` columns are the same figures as of 28 days earlier, for the customers of that day.

    Formula: healthy_share = ARR of green accounts ÷ ARR of accounts with a score.
    Columns:
        customers: accounts with MRR above 0 on the day
        arr: their ARR
        scored: those with a score
        mean_coverage: mean coverage of those with a score
        healthy_share, healthy_share_before: ARR of green accounts ÷ ARR of accounts with a score
        green, yellow, red, none: accounts of each colour
        red_before: red accounts 28 days before
        red_arr, red_arr_before: ARR of the red accounts
        moved_down, moved_down_arr: accounts whose colour is worse than 28 days before, and their ARR
        moved_up: accounts whose colour is better
        alerts: accounts that are red in two or more consecutive weeks
        has_product_data: whether any use of the product was recorded up to the day
        overridden, overridden_arr: accounts for which a person says another health, and their ARR; all counts are of the
            computed one
    """
    sql = f"""
        with {book("today", "as_of")},
        {IN_FORCE},
        states as (
            select
                today.mrr_cents,
                coalesce(health.colour, 'none') as colour,
                coalesce(health.weeks_red, 0) as weeks_red,
                overridden.account_id is not null as is_overridden,
                round(health.coverage * 1000000)::bigint as coverage_ppm,
                case coalesce(health.colour, 'none') when 'red' then 0 when 'yellow' then 1 when 'green' then 2 end as place,
                case coalesce(earlier.colour, 'none') when 'red' then 0 when 'yellow' then 1 when 'green' then 2 end as place_before
            from today
            left join account_week_health health on health.account_id = today.account_id and health.week_end = $week_end
            left join account_week_health earlier on earlier.account_id = today.account_id and earlier.week_end = $week_before
            left join overridden on overridden.account_id = today.account_id
        )
        select
            count(*) as customers,
            coalesce(sum(mrr_cents), 0)::double * 12 / 100 as arr,
            count(place) as scored,
            sum(case when place is not null then coverage_ppm end)::double / 1000000 / nullif(count(place), 0) as mean_coverage,
            sum(case when colour = 'green' then mrr_cents else 0 end)::double
                / nullif(sum(case when colour <> 'none' then mrr_cents end), 0) as healthy_share,
            count(*) filter (colour = 'green') as green,
            count(*) filter (colour = 'yellow') as yellow,
            count(*) filter (colour = 'red') as red,
            count(*) filter (colour = 'none') as none,
            coalesce(sum(case when colour = 'red' then mrr_cents end), 0)::double * 12 / 100 as red_arr,
            count(*) filter (place < place_before) as moved_down,
            coalesce(sum(case when place < place_before then mrr_cents end), 0)::double * 12 / 100 as moved_down_arr,
            count(*) filter (place > place_before) as moved_up,
            count(*) filter (weeks_red >= $alert_weeks) as alerts,
            exists (select 1 from event_first where first_day <= $as_of) as has_product_data,
            count(*) filter (is_overridden) as overridden,
            coalesce(sum(case when is_overridden then mrr_cents end), 0)::double * 12 / 100 as overridden_arr
        from states
    """
    now, before = (
        store.frame(
            sql,
            scope=scope,
            as_of=day,
            alert_weeks=store.config.health.alert_weeks,
            week_end=periods.last_full_week_end(day),
            week_before=periods.add_days(periods.last_full_week_end(day), -CHANGE_DAYS),
        )
        for day in (as_of, periods.add_days(as_of, -CHANGE_DAYS))
    )
    for name in ("healthy_share", "red", "red_arr"):
        now[f"{name}_before"] = before[name] if before["customers"].iloc[0] else np.nan
    return now


@metric(needs=("subscriptions",), reads=(TOPIC,), page="Health")
def health_distribution(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    by: Literal["total", "segment", "stage", "csm"] = "total",
    bins: int = 0,
) -> pd.DataFrame:
    """How many customers, and how much of their ARR, have which colour: the rows of `health`, counted.

    With `bins` the scores are cut into so many equal bands above `score_from` up to `score_to`, so that a score of 50
    lies in the band that ends at 50; the lowest band holds 0 too. Every colour of every group is there, if with 0.

    Formula: share of accounts = accounts ÷ accounts of the group; share of ARR = ARR ÷ ARR of the group.
    Columns:
        group: total, or the segment, stage or CSM; empty where the account has none
        colour: red, yellow, green or none
        score_from, score_to: the band, with bins only
        accounts, arr: customers and their ARR on the day
        account_share, arr_share: share within the group
        overridden: accounts of these for which a person says another health; they are counted by the computed one
    """
    column = {"total": "'total'", "segment": "accounts.segment", "stage": "health.stage", "csm": "accounts.csm"}[by]
    sql = f"""
        with {book("today", "as_of")},
        {IN_FORCE},
        states as (
            select
                overridden.account_id is not null as is_overridden,
                coalesce({column}, '') as "group",
                coalesce(health.colour, 'none') as colour,
                case when $bins > 0 and health.score is not null
                    then greatest(ceil(health.score * $bins / 100), 1) end as band,
                today.mrr_cents
            from today
            inner join accounts on accounts.account_id = today.account_id
            left join account_week_health health on health.account_id = today.account_id and health.week_end = $week_end
            left join overridden on overridden.account_id = today.account_id
        )
        select
            "group",
            colour,
            band,
            count(*) filter (is_overridden) as overridden,
            count(*) as accounts,
            sum(mrr_cents)::double * 12 / 100 as arr
        from states
        group by "group", colour, band
    """
    found = store.frame(sql, scope=scope, as_of=as_of, week_end=periods.last_full_week_end(as_of), bins=bins)
    if not bins:
        every = pd.MultiIndex.from_product([found["group"].unique(), _COLOUR_ORDER], names=["group", "colour"])
        found = found.set_index(["group", "colour"]).reindex(every).reset_index()
        found[["accounts", "arr", "overridden"]] = found[["accounts", "arr", "overridden"]].fillna(0)
    found[["accounts", "overridden"]] = found[["accounts", "overridden"]].astype("int64")
    width = 100 / bins if bins else np.nan
    found["score_from"], found["score_to"] = (found["band"] - 1) * width, found["band"] * width
    whole = found.groupby("group")[["accounts", "arr"]].transform("sum")
    found["account_share"] = found["accounts"] / whole["accounts"]
    found["arr_share"] = (found["arr"] / whole["arr"]).where(whole["arr"] > 0)
    found["place"] = found["colour"].map(_COLOUR_ORDER)
    found = found.sort_values(["group", "band", "place"], ignore_index=True)
    columns = [
        "group",
        "colour",
        "score_from",
        "score_to",
        "accounts",
        "arr",
        "account_share",
        "arr_share",
        "overridden",
    ]
    return found[columns]

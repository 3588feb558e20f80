"""What changed at one account since the last review, line by line, the gravest first."""

import datetime as dt
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.config.account import Weight
from cs_metrics.metrics.expansion_words import and_more, day
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["account_changes", "review_before"]


class _Measure(NamedTuple):
    """A measure in words, its unit, and which way is welcome."""

    words: str
    unit: str
    good: str


_MEASURES = {
    "arr": _Measure("ARR", "money", "up"),
    "score": _Measure("Health score", "score", "up"),
    "deciders": _Measure("Sponsors and decision makers", "count", "up"),
    "active_share": _Measure("Share of seats active", "percent", "up"),
    "active_users": _Measure("Users active in 28 days", "count", "up"),
    "times": _Measure("Uses in 28 days", "count", "up"),
    "features": _Measure("Core features used", "count", "up"),
    "nps": _Measure("Mean NPS answer, 180 days", "number", "up"),
    "late_promises": _Measure("Promises past their day", "count", "down"),
    "open_promises": _Measure("Open promises", "count", "down"),
    "stuck_tickets": _Measure("Tickets urgent or old", "count", "down"),
    "open_tickets": _Measure("Open tickets", "count", "down"),
    "open_ctas": _Measure("Open calls to action", "count", "down"),
    "milestones": _Measure("Milestones reached", "count", "up"),
    "products": _Measure("Products paid for", "count", "up"),
    "seats": _Measure("Seats bought", "count", "up"),
}

_MINE = "from {table} inner join scope on scope.account_id = {table}.account_id"


def _mine(table: str) -> str:
    return _MINE.format(table=table)


# Each moment is a day and the newest complete week before it; one row per moment, everything as known on its day.
_KNOWN = f"""
    with moments as (
        select cast(unnest([$before_day, $as_of]) as date) as day, cast(unnest([$before_week, $week_end]) as date) as week_end
    ),
    weeks_of as (
        select account_week.week_end, active_users, active_user_share, times, core_features_used, nps
        {_mine("account_week")}
        where account_week.week_end in ($before_week, $week_end)
    ),
    scores as (
        select account_week_health.* {_mine("account_week_health")} where week_end in ($before_week, $week_end)
    ),
    paid as (
        select day, sum(mrr_cents) as mrr_cents
        from moments
        cross join (select from_day, to_day, mrr_cents {_mine("mrr_interval")}) spans
        where from_day <= day and (to_day is null or to_day > day)
        group by day
    ),
    bought as (
        select day, count(distinct coalesce(product_id, '')) as products, max(product_seats) as seats
        from (
            select day, product_id, sum(seats) over (partition by day, product_id) as product_seats
            from moments
            cross join (select starts_on, ends_on, product_id, seats {_mine("subscription_line")}) lines
            where starts_on <= day and (ends_on is null or ends_on > day)
        )
        group by day
    ),
    asked_for as (
        select
            day,
            count(*) as open_tickets,
            count(*) filter (coalesce(priority = 'urgent', false) or date_diff('day', opened_on, day) > $old) as stuck_tickets
        from moments
        cross join (select opened_on, closed_on, priority {_mine("tickets")}) mine
        where opened_on <= day and (closed_on is null or closed_on > day)
        group by day
    ),
    promised as (
        select day, count(*) as open_promises, count(*) filter (due_on < day) as late_promises
        from moments
        cross join (select made_on, due_on, closed_on {_mine("promises")}) mine
        where made_on <= day and (closed_on is null or closed_on > day)
        group by day
    ),
    called as (
        select day, count(distinct (kind, reason)) as open_ctas
        from moments
        cross join (select from_day, to_day, kind, reason {_mine("cta_state")} where is_open) mine
        where from_day <= day and (to_day is null or to_day > day)
        group by day
    ),
    decided as (
        select day, count(*) as deciders
        from moments
        cross join (select since, left_on {_mine("contacts")} where role in ('sponsor', 'decision_maker')) mine
        where (since is null or since <= day) and (left_on is null or left_on > day)
        group by day
    ),
    reached as (
        select day, count(*) filter (completed_on <= day) as milestones
        from moments
        cross join (select completed_on {_mine("milestone_status")}) mine
        group by day
    )
    select
        moments.day = $as_of as is_now,
        coalesce(paid.mrr_cents, 0)::double * 12 / 100 as arr,
        scores.score,
        scores.depth, scores.activity, scores.support, scores.sentiment, scores.outcome, scores.relationship,
        weeks_of.active_users::double as active_users,
        weeks_of.active_user_share as active_share,
        weeks_of.times::double as times,
        weeks_of.core_features_used::double as features,
        weeks_of.nps,
        coalesce(decided.deciders, 0)::double as deciders,
        coalesce(asked_for.open_tickets, 0)::double as open_tickets,
        coalesce(asked_for.stuck_tickets, 0)::double as stuck_tickets,
        coalesce(promised.open_promises, 0)::double as open_promises,
        coalesce(promised.late_promises, 0)::double as late_promises,
        coalesce(called.open_ctas, 0)::double as open_ctas,
        reached.milestones::double as milestones,
        coalesce(bought.products, 0)::double as products,
        bought.seats::double as seats
    from moments
    left join weeks_of on weeks_of.week_end = moments.week_end
    left join scores on scores.week_end = moments.week_end
    left join paid on paid.day = moments.day
    left join bought on bought.day = moments.day
    left join asked_for on asked_for.day = moments.day
    left join promised on promised.day = moments.day
    left join called on called.day = moments.day
    left join decided on decided.day = moments.day
    left join reached on reached.day = moments.day
    order by is_now
"""
_TABLES = {
    "deciders": "contacts",
    "open_tickets": "tickets",
    "stuck_tickets": "tickets",
}
_DIMENSIONS = ("depth", "activity", "support", "sentiment", "outcome", "relationship")

# The customer's own results: per metric the last three complete months known on each of the two days.
_RESULTS = f"""
    with known as (
        select metric, date_trunc('month', month)::date as month, last_day(month) as known_on, value
        {_mine("outcomes")}
    ),
    summed as (
        select metric, moment.day, sum(value) as amount, count(*) as months
        from known
        cross join (select cast(unnest([$before_day, $as_of]) as date) as day) moment
        where known_on <= moment.day and month >= date_trunc('month', moment.day + 1) - interval 3 month
        group by metric, moment.day
    )
    select
        metric,
        max(amount) filter (day = $before_day and months = 3) as before,
        max(amount) filter (day = $as_of and months = 3) as now
    from summed
    group by metric
    order by metric
"""

_PEOPLE = f"""
    select coalesce(name, contact_id) as name, replace(role, '_', ' ') as role, since, case when left_on <= $as_of then left_on end as left_on
    {_mine("contacts")}
    where role in ('sponsor', 'decision_maker')
        and ((since > $before_day and since <= $as_of) or (left_on > $before_day and left_on <= $as_of))
    order by coalesce(case when left_on <= $as_of then left_on end, since) desc, contact_id
"""


@metric(needs=("subscriptions",), reads=("cta", "promise"), page="Account")
def account_changes(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """What changed since the last review that was held, else in the last 90 days: before → after, good or bad, by weight.

    A review is a held meeting of `account.review_kinds` (QBR, EBR) before the as-of day; without one the comparison
    goes back `account.changes_days`, at most to the account's start. Health and use are those of
    the last complete week on each of the two days, everything else as known on the day itself. A change of the score
    within the dead band is neither good nor bad.

    Formula: weight = points × min(1, |change| ÷ full), where full is an amount or a share of what it was before, both
        from `account.changes`; 0 without a change, empty where before or after is unknown.
    Columns:
        measure, unit: what is compared, and in which unit
        since, has_review, since_what: the day of comparison, whether a review was held, and which it was
        before, now: the value on that day and on the as-of day, empty where unknown
        change: now − before
        effect: good, bad, none (no change, or one too small to say), or empty where unknown
        weight: 0 to 100, what the change weighs
        detail: who came or left, which dimensions of health moved
    """
    one, settings = only(store, account_id, as_of, scope), store.config.account
    kind, since = review_before(store, as_of, one)
    bound = {
        "as_of": as_of,
        "week_end": periods.last_full_week_end(as_of),
        "before_day": since,
        "before_week": periods.last_full_week_end(since),
        "old": store.config.expansion.old_ticket_days,
    }
    known = store.frame(_KNOWN, scope=one, **bound)
    rows = [
        _line(name, known, settings.changes[name]) for name in _MEASURES if store.has(_TABLES.get(name, "accounts"))
    ]
    results = store.rows(_RESULTS, scope=one, **bound)
    weight = settings.changes["results"]
    rows += [_row(_result(name, then, now), then, now, weight) for name, then, now in results]
    found = pd.DataFrame(rows, columns=["measure", "unit", "before", "now", "change", "effect", "weight", "name"])
    details = {"score": _moved(known, store.config.health.dead_band), "deciders": _people(store, one, bound)}
    found["detail"] = [details.get(name, "") for name in found["name"]]
    is_small = (found["name"] == "score") & (found["change"].abs() <= store.config.health.dead_band)
    found.loc[is_small, "effect"] = "none"
    word = {"qbr": "QBR", "ebr": "EBR", "executive": "executive meeting"}.get(kind, kind.replace("_", " "))
    days = periods.days_between(since, as_of)
    from_start = "" if days == settings.changes_days else ", the start"
    says = (
        f"{word} of {day(since)}"
        if kind
        else f"No review was held; against {days} days before, {day(since)}{from_start}"
    )
    found = found.assign(since=pd.Timestamp(since).as_unit("us"), has_review=bool(kind), since_what=says)
    order = found.assign(place=range(len(found))).sort_values(["weight", "place"], ascending=[False, True])
    first = [
        "measure",
        "unit",
        "since",
        "has_review",
        "since_what",
        "before",
        "now",
        "change",
        "effect",
        "weight",
        "detail",
    ]
    return order[first].reset_index(drop=True)


def review_before(store: Store, as_of: dt.date, one: Scope) -> tuple[str, dt.date]:
    """Return kind and day of the last review held before the as-of day; an empty kind and the day of comparison without one."""
    sql = f"""
        select meetings.kind, scheduled_on
        {_mine("meetings")}
        where meetings.kind = any($kinds) and was_held and scheduled_on < $as_of
        order by scheduled_on desc, meetings.kind
        limit 1
    """
    settings = store.config.account
    found = store.rows(sql, scope=one, as_of=as_of, kinds=settings.review_kinds)
    if found:
        kind, held_on = found[0]
        return str(kind), held_on
    started_on = store.value(f"select started_on {_mine('accounts')}", scope=one)
    before = periods.add_days(as_of, -settings.changes_days)
    return "", max(before, started_on) if started_on else before


def _line(name: str, known: pd.DataFrame, weight: Weight) -> tuple[Any, ...]:
    before, now = (float(known[name].astype("float64").iloc[at]) for at in (0, -1))
    return (*_row(_MEASURES[name], before, now, weight)[:-1], name)


def _row(measure: _Measure, before: float | None, now: float | None, weight: Weight) -> tuple[Any, ...]:
    then, after = (np.nan if one is None else float(one) for one in (before, now))
    change = after - then
    if np.isnan(change):
        return measure.words, measure.unit, then, after, change, "", np.nan, ""
    full = weight.full * abs(then) if weight.of == "share" else weight.full
    size = min(1.0, abs(change) / full) if full else float(change != 0)
    effect = "none" if change == 0 else "good" if (change > 0) == (measure.good == "up") else "bad"
    return measure.words, measure.unit, then, after, change, effect, round(weight.points * size, 1), ""


def _moved(known: pd.DataFrame, dead_band: float) -> str:
    """Return the dimensions of health that moved by more than the dead band, the largest move first."""
    moves = {name: float(known[name].iloc[-1] - known[name].iloc[0]) for name in _DIMENSIONS}
    named = sorted((name for name, move in moves.items() if abs(move) > dead_band), key=lambda name: -abs(moves[name]))
    return and_more([f"{name} {known[name].iloc[0]:.0f} → {known[name].iloc[-1]:.0f}" for name in named])


def _people(store: Store, one: Scope, bound: dict[str, Any]) -> str:
    rows = store.rows(_PEOPLE, scope=one, **bound)
    said = [
        f"{name}, {role}, {'left' if left_on else 'came'} on {day(left_on or since)}"
        for name, role, since, left_on in rows
    ]
    return and_more(said)


def _result(name: str, before: float | None, now: float | None) -> _Measure:
    text = name.replace("_", " ")
    unit = "count" if max(abs(before or 0), abs(now or 0)) >= 1000 else "number"
    return _Measure(f"{text[:1].upper()}{text[1:]}, 3 months", unit, "up")

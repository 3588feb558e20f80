"""Activation: of the accounts (or users) that began, how many do the key action in each following period.

One table serves the heat-map and the curve; what is asked is put together in `cohorts`, the plateau is in `plateau`.
"""

import datetime as dt

import pandas as pd

from cs_metrics.metrics.cohorts import Clock, Entry, Question, Step, Unit, question
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.periods import WeekStart
from cs_metrics.store import Store

__all__ = ["activation"]


@metric(needs=("events",), page="Onboarding")
def activation(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    event: tuple[str, ...] = (),
    key_action: str = "",
    entry_event: tuple[str, ...] = (),
    times: int | None = None,
    every_days: int | None = None,
    every: Step = "days",
    cohort: str = "month",
    clock: Clock = "account",
    entry: Entry = "first",
    unit: Unit = "account",
    bounded: bool = True,
    week_start: WeekStart = "monday",
    min_accounts: int | None = None,
    from_: dt.date | None = None,
    to: dt.date | None = None,
) -> pd.DataFrame:
    """Of the accounts of a cohort whose period k has fully elapsed, the share that did the key action in period k.

    Period k of an account is [start + k · every, start + (k + 1) · every) by its own clock, months counted from its
    own day; with clock=calendar it is the k-th calendar period after the one in which it entered. `event` is the key
    action (`*`: any), or `key_action` one of those configured, by its name; by default each account counts by the key
    action configured for its segment, or by any event where that never occurs. It is done at least `times` times (by
    default as configured, 1 with an `event` of one's own). Members enter on their start, or on their
    first `entry_event` ever; with entry=recurring they enter in each period in which they do it (clock=calendar:
    periods of `every`, clock=account: periods of `cohort`), and a coarser cohort counts them once per entry.
    unit=user counts known users, who enter on their first event. Only cohorts that enter from `from` on, and only
    what happened up to `to`, count.

    A cell has three states: a number; zero; or not yet known, where the period has not elapsed for any member
    (eligible 0, active and rate empty). bounded=false counts a member that is active in period k or later, as far as
    known; it falls at the right edge by construction.

    Formula: rate = active ÷ eligible; the pooled rate is Σ active ÷ Σ eligible.
    Columns:
        cohort: first day of the cohort's period, the value of the account column, or all
        cohort_size: members of the cohort
        period: 0 for the period in which the member entered, then 1, 2, …
        eligible: members whose period has fully elapsed on the as-of day (and by `to`)
        active: those of them that did the key action often enough
        rate: active ÷ eligible, empty below min_accounts eligible
        from_day: first day of the period of the member that entered first
        to_day: last day of the period of the member that entered last
    Source: the retention table of product analytics; checked against the published test cases of PostHog.
    """
    asked = question(
        store,
        as_of=as_of,
        event=event,
        key_action=key_action,
        entry_event=entry_event,
        times=times,
        every_days=every_days,
        every=every,
        cohort=cohort,
        clock=clock,
        entry=entry,
        unit=unit,
        week_start=week_start,
        min_accounts=min_accounts,
        from_=from_,
        to=to,
    )
    found = store.frame(_matrix_sql(asked, bounded), scope=scope, **asked.params)
    found.attrs["note"] = asked.note
    return found


def _matrix_sql(asked: Question, bounded: bool) -> str:
    """Return the SQL of the whole matrix; unbounded counts a member up to its last active period."""
    if bounded:
        active = """active as (
        select cohort, period, count(*) as active from done where period < elapsed group by cohort, period
    )"""
    else:
        active = """last_active as (
        select cohort, least(max(period) + 1, elapsed) as reach from done group by number, cohort, elapsed
    ),
    reached as (
        select cohort, reach, count(*) as members from last_active group by cohort, reach
    ),
    active as (
        select grid.cohort, grid.period, sum(reached.members) as active
        from grid
        inner join reached on reached.cohort = grid.cohort and reached.reach > grid.period
        group by grid.cohort, grid.period
    )"""
    return f"""
    with {asked.relations()},
    cohorts as (
        select cohort, count(*) as cohort_size, min(anchor) as first_anchor, max(anchor) as last_anchor
        from member
        group by cohort
    ),
    grid as (
        select *, unnest(range(0, (select max(started) from member))) as period from cohorts
    ),
    elapsed as (
        select cohort, elapsed, count(*) as members from member group by cohort, elapsed
    ),
    eligible as (
        select grid.cohort, grid.period, sum(elapsed.members) as eligible
        from grid
        inner join elapsed on elapsed.cohort = grid.cohort and elapsed.elapsed > grid.period
        group by grid.cohort, grid.period
    ),
    {active}
    select
        grid.cohort,
        grid.cohort_size,
        grid.period,
        coalesce(eligible.eligible, 0)::bigint as eligible,
        case when eligible.eligible > 0 then coalesce(active.active, 0)::bigint end as active,
        case when eligible.eligible >= $min_accounts
            then coalesce(active.active, 0)::double / eligible.eligible end as rate,
        {asked.starts("grid.first_anchor", "grid.period")} as from_day,
        {asked.starts("grid.last_anchor", "grid.period + 1")} - 1 as to_day
    from grid
    left join eligible on eligible.cohort = grid.cohort and eligible.period = grid.period
    left join active on active.cohort = grid.cohort and active.period = grid.period
    order by grid.cohort, grid.period
    """

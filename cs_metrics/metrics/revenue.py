"""Recurring revenue: the book by month, its movements, and how much of a book is kept.

The book of a day is the MRR of every account on that day; ARR is 12 × MRR. All amounts are committed recurring
revenue in the reporting currency; trials, one-time fees and usage are never part of it.
"""

import datetime as dt
from typing import Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["MOVEMENTS", "arr_walk", "grace_effect", "mrr_by_month", "mrr_movements", "revenue_retention"]

MOVEMENTS = ("new", "reactivation", "expansion", "contraction", "churn")

# The book on each of the days $days: gaps of up to $grace_days, known to be closed on $as_of, are bridged.
_BOOK = """
    asked as (
        select distinct cast(unnest($days) as date) as day
    ),
    spans as (
        select account_id, from_day, to_day, mrr_cents
        from mrr_interval
        where from_day <= $as_of
        union all
        select account_id, from_day, to_day, mrr_cents
        from mrr_gap
        where gap_days <= $grace_days and to_day <= $as_of
    ),
    book as (
        select asked.day, spans.account_id, spans.mrr_cents
        from asked
        inner join spans on spans.from_day <= asked.day and (spans.to_day is null or spans.to_day > asked.day)
        inner join scope on scope.account_id = spans.account_id
    )"""

# One row per window [opening_day, closing_day] and account: what changed between its two books.
_CHANGES = f"""
    with windows as (
        select
            cast(unnest($periods) as date) as period,
            cast(unnest($opening_days) as date) as opening_day,
            cast(unnest($closing_days) as date) as closing_day
    ),
    {_BOOK},
    first_paid as (
        select account_id, min(from_day) as day from mrr_interval group by account_id
    ),
    members as (
        select windows.period, book.account_id from windows inner join book on book.day = windows.opening_day
        union
        select windows.period, book.account_id from windows inner join book on book.day = windows.closing_day
    ),
    changes as (
        select
            windows.period,
            members.account_id,
            coalesce(opening.mrr_cents, 0) as opening_cents,
            coalesce(closing.mrr_cents, 0) as closing_cents,
            coalesce(closing.mrr_cents, 0) - coalesce(opening.mrr_cents, 0) as change_cents,
            case
                when opening.mrr_cents is null and first_paid.day > windows.opening_day then 'new'
                when opening.mrr_cents is null then 'reactivation'
                when closing.mrr_cents is null then 'churn'
                when closing.mrr_cents > opening.mrr_cents then 'expansion'
                when closing.mrr_cents < opening.mrr_cents then 'contraction'
            end as movement
        from members
        inner join windows on windows.period = members.period
        inner join first_paid on first_paid.account_id = members.account_id
        left join book opening on opening.day = windows.opening_day and opening.account_id = members.account_id
        left join book closing on closing.day = windows.closing_day and closing.account_id = members.account_id
    )"""


@metric(needs=("subscriptions",), page="Overview")
def mrr_by_month(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """MRR at the end of each month's last day: the sum over all subscription lines that are active then.

    The month of the as-of day is shown with the book of that day and marked as not complete.

    Formula: MRR(day) = sum of mrr over lines with starts_on ≤ day < ends_on; ARR = 12 × MRR.
    Columns:
        month: first day of the month
        mrr: monthly recurring revenue, reporting currency
        accounts: accounts with MRR above 0
        is_complete: false for the month that has not ended on the as-of day
    """
    months = periods.periods_between(store.oldest_day, as_of, "month")
    days = [min(periods.month_end(month), as_of) for month in months]
    sql = f"""
        with {_BOOK}
        select
            date_trunc('month', asked.day)::date as month,
            coalesce(sum(book.mrr_cents), 0)::double / 100 as mrr,
            count(book.account_id) as accounts,
            last_day(asked.day) = asked.day as is_complete
        from asked
        left join book on book.day = asked.day
        group by asked.day
        order by asked.day
    """
    return store.frame(sql, scope=scope, as_of=as_of, days=days, grace_days=store.config.revenue.grace_days)


@metric(needs=("subscriptions",), page="Overview")
def mrr_movements(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    every: Literal["month", "quarter", "year"] = "month",
    by: Literal["total", "account"] = "total",
) -> pd.DataFrame:
    """What changed MRR between the ends of two periods, per account: new, reactivation, expansion, contraction or churn.

    Only periods that have ended on the as-of day are shown. An account that comes and goes between two period ends
    shows nothing. New means the first MRR ever lies in the period; contraction and churn are negative.

    Formula: opening + new + reactivation + expansion + contraction + churn = closing, to the cent.
    Columns:
        period: first day of the month, quarter or year
        account_id: with by=account only
        opening: MRR at the end of the last day before the period
        new, reactivation, expansion, contraction, churn: change of MRR of that kind, signed
        closing: MRR at the end of the period's last day
    """
    starts = [
        start
        for start in periods.periods_between(store.oldest_day, as_of, every)
        if periods.period_end(start, every) <= as_of
    ]
    closing = [periods.period_end(start, every) for start in starts]
    opening = [periods.add_days(start, -1) for start in starts]
    return _movements(store, as_of, scope, starts, opening, closing, by)


@metric(needs=("subscriptions",), page="Overview")
def arr_walk(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    from_: dt.date | None = None,
    to: dt.date | None = None,
    by: Literal["total", "account"] = "total",
) -> pd.DataFrame:
    """How ARR came from its opening to its closing book between two days: 12 × the MRR movements of that window.

    By default the twelve months that end on the as-of day. Gaps that opened and closed inside the window show nothing.

    Formula: opening + new + reactivation + expansion + contraction + churn = closing.
    Columns:
        period: the first of the two days
        account_id: with by=account only
        opening, closing: ARR at the end of the two days
        new, reactivation, expansion, contraction, churn: change of ARR of that kind, signed
    """
    last = min(to or as_of, as_of)
    first = from_ or periods.add_months(last, -12)
    found = _movements(store, as_of, scope, [first], [first], [last], by)
    amounts = ["opening", *MOVEMENTS, "closing"]
    found[amounts] = found[amounts] * 12
    return found


def _movements(
    store: Store,
    as_of: dt.date,
    scope: Scope,
    starts: list[dt.date],
    opening: list[dt.date],
    closing: list[dt.date],
    by: str,
) -> pd.DataFrame:
    account = ", changes.account_id" if by == "account" else ""
    kinds = ",\n".join(
        f"            coalesce(sum(case when changes.movement = '{kind}' then changes.change_cents end), 0)::double / 100 as {kind}"
        for kind in MOVEMENTS
    )
    sql = f"""
        {_CHANGES}
        select
            windows.period{account},
            coalesce(sum(changes.opening_cents), 0)::double / 100 as opening,
{kinds},
            coalesce(sum(changes.closing_cents), 0)::double / 100 as closing
        from windows
        {"inner" if account else "left"} join changes on changes.period = windows.period
        group by windows.period{account}
        order by windows.period{account}
    """
    return store.frame(
        sql,
        scope=scope,
        as_of=as_of,
        periods=starts,
        opening_days=opening,
        closing_days=closing,
        days=sorted({*opening, *closing}),
        grace_days=store.config.revenue.grace_days,
    )


@metric(needs=("subscriptions",), page="Overview")
def revenue_retention(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    from_: dt.date | None = None,
    to: dt.date | None = None,
) -> pd.DataFrame:
    """How much of an opening book is still there at the close: gross and net revenue retention, and logo churn.

    The accounts of the opening book are followed; new and reactivated accounts of the window count in neither rate.
    By default the twelve months that end on the as-of day. A day after the as-of day is not yet known: the rates
    are then empty. Rates are pooled over accounts, never averaged or chained.

    Formula: GRR = Σ min(opening, closing) ÷ Σ opening; NRR = Σ closing ÷ Σ opening;
        logo churn = accounts of the opening book at 0 at the close ÷ accounts of the opening book.
    Columns:
        opening_arr: ARR of the opening book (end of the first day)
        closing_arr: ARR of the same accounts at the end of the last day
        grr: gross revenue retention, never above 1
        nrr: net revenue retention
        opening_accounts: accounts of the opening book
        churned_accounts: those of them without MRR at the close
        logo_churn: churned_accounts ÷ opening_accounts
    """
    last = to or as_of
    first = from_ or periods.add_months(last, -12)
    return retention_between(store, as_of=as_of, scope=scope, windows=[(first, last)]).drop(
        columns=["opening_day", "closing_day"]
    )


def retention_between(
    store: Store, *, as_of: dt.date, scope: Scope, windows: list[tuple[dt.date, dt.date]]
) -> pd.DataFrame:
    """Return revenue_retention for several windows at once, with the columns opening_day and closing_day before it.

    A window that closes after the as-of day has an opening book, where that is known, and no rates.
    """
    sql = f"""
        with windows as (
            select distinct
                cast(unnest($opening_days) as date) as opening_day,
                cast(unnest($closing_days) as date) as closing_day
        ),
        {_BOOK},
        followed as (
            select
                windows.opening_day,
                windows.closing_day,
                opening.mrr_cents as opening_cents,
                case when windows.closing_day <= $as_of then coalesce(closing.mrr_cents, 0) end as closing_cents
            from windows
            inner join book opening on opening.day = windows.opening_day and windows.opening_day <= $as_of
            left join book closing on closing.day = windows.closing_day and closing.account_id = opening.account_id
        )
        select
            windows.opening_day,
            windows.closing_day,
            coalesce(sum(opening_cents), 0)::double * 12 / 100 as opening_arr,
            sum(closing_cents)::double * 12 / 100 as closing_arr,
            sum(case when closing_cents <= opening_cents then closing_cents when closing_cents > opening_cents then opening_cents end)::double
                / nullif(sum(opening_cents), 0) as grr,
            sum(closing_cents)::double / nullif(sum(opening_cents), 0) as nrr,
            count(opening_cents) as opening_accounts,
            case when windows.closing_day <= $as_of then count(*) filter (closing_cents = 0) end as churned_accounts,
            case when windows.closing_day <= $as_of
                then count(*) filter (closing_cents = 0)::double / nullif(count(opening_cents), 0) end as logo_churn
        from windows
        left join followed on followed.opening_day = windows.opening_day and followed.closing_day = windows.closing_day
        group by windows.opening_day, windows.closing_day
        order by windows.closing_day, windows.opening_day
    """
    return store.frame(
        sql,
        scope=scope,
        as_of=as_of,
        opening_days=[first for first, _ in windows],
        closing_days=[last for _, last in windows],
        days=sorted({day for window in windows for day in window}),
        grace_days=store.config.revenue.grace_days,
    )


@metric(needs=("subscriptions",), page="Overview")
def grace_effect(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, grace_days: int = 30) -> pd.DataFrame:
    """How many gaps between two terms a grace of so many days would bridge, and the churn that it would take back.

    Only gaps that are known to be closed on the as-of day count; what is bridged changes the books inside the gap.

    Columns:
        gaps: gaps of at most grace_days, closed on the as-of day
        accounts: accounts with such a gap
        across_month_ends: those gaps that contain a month's last day, and so show as churn and reactivation
        arr: ARR of the accounts before these gaps
    """
    sql = """
        with gaps as (
            select mrr_gap.*
            from mrr_gap
            inner join scope on scope.account_id = mrr_gap.account_id
            where gap_days <= $grace_days and to_day <= $as_of
        )
        select
            count(*) as gaps,
            count(distinct account_id) as accounts,
            count(*) filter (date_trunc('month', from_day) <> date_trunc('month', to_day)) as across_month_ends,
            coalesce(sum(mrr_cents), 0)::double * 12 / 100 as arr
        from gaps
    """
    return store.frame(sql, scope=scope, as_of=as_of, grace_days=grace_days)

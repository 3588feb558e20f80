"""The figures that lead the portfolio: retention over time, money at risk, the mix of health, and what moved ARR."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import CsMetricsError, MissingTable
from cs_metrics.metrics import registry, renewals, revenue
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = [
    "WINDOWS",
    "account_values",
    "activation_by_start_quarter",
    "arr_at_risk",
    "headline",
    "health_mix",
    "renewals_due_by_month",
    "renewals_expected_by_quarter",
    "retention_trend",
    "what_moved",
    "window_start",
]

Window = Literal["quarter", "year", "12m", "24m"]
WINDOWS: dict[str, str] = {"quarter": "QTD", "year": "YTD", "12m": "12M", "24m": "24M"}
_DUE_DAYS = 90

# The customers on each of the days $days: one row per day and account. Gaps are not bridged, as health is not.
_BOOK = """
    asked as (
        select cast(unnest($days) as date) as day
    ),
    book as (
        select asked.day, mrr_interval.account_id, mrr_interval.mrr_cents
        from asked
        inner join mrr_interval
            on mrr_interval.from_day <= asked.day and (mrr_interval.to_day is null or mrr_interval.to_day > asked.day)
        inner join scope on scope.account_id = mrr_interval.account_id
    )"""


def window_start(as_of: dt.date, window: str) -> dt.date:
    """Return the day whose closing book opens a window that ends on `as_of`: QTD and YTD open on the last day before."""
    if window in ("12m", "24m"):
        return periods.add_months(as_of, -12 if window == "12m" else -24)
    start = periods.quarter_start(as_of) if window == "quarter" else periods.year_start(as_of)
    return periods.add_days(start, -1)


def account_values(store: Store, columns: Sequence[str]) -> dict[str, list[str]]:
    """Return the known values of columns of accounts in order, for filters; a column without values has none."""
    found: dict[str, list[str]] = {}
    for column in columns:
        if column in store.account_columns:
            text = f'cast(accounts."{column}" as varchar)'
            rows = store.rows(f"select distinct {text} from accounts where {text} <> '' order by 1")
            found[column] = [str(row[0]) for row in rows]
    return found


@metric(needs=("subscriptions",), page="Overview")
def retention_trend(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, months: int = 24) -> pd.DataFrame:
    """ARR, and gross and net revenue retention and logo churn over the twelve months before, at the end of each month.

    The last row is the as-of day itself. Rates are pooled over the accounts of each opening book and empty where
    nothing was booked twelve months before.

    Formula: as revenue_retention, from the day twelve months before each shown day to that day.
    Columns:
        day: end of the month, or the as-of day
        arr: ARR on that day
        accounts: accounts with ARR on that day
        opening_arr: ARR twelve months before
        opening_accounts, churned_accounts: accounts of that opening book, and those of them without ARR on the day
        grr, nrr, logo_churn: over the twelve months before
    """
    days = _month_ends(store, as_of, months)
    windows = [(periods.add_months(day, -12), day) for day in days]
    rates = revenue.retention_between(store, as_of=as_of, scope=scope, windows=windows)
    rates["month"] = rates.closing_day.dt.to_period("M").dt.start_time
    book = revenue.mrr_by_month(store, as_of=as_of, scope=scope)
    book["arr"] = book.mrr * 12
    found = rates.merge(book[["month", "arr", "accounts"]], on="month", how="left").rename(
        columns={"closing_day": "day"}
    )
    columns = [
        "day",
        "arr",
        "accounts",
        "opening_arr",
        "opening_accounts",
        "churned_accounts",
        "grr",
        "nrr",
        "logo_churn",
    ]
    return found[columns]


@metric(needs=("subscriptions",), page="Overview")
def health_mix(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, weeks: int = 52, step_weeks: int = 4
) -> pd.DataFrame:
    """How many customers, and how much ARR, stood in each health colour at the end of past weeks.

    Every fourth week of the last year, up to the last complete week on the as-of day. A customer without enough data
    has no colour and is counted as such, never guessed.

    Formula: the colours of a week add up to all customers with MRR on its Sunday.
    Columns:
        week_end: the Sunday
        green_accounts, yellow_accounts, red_accounts, none_accounts: customers in each colour (none = no score)
        green_arr, yellow_arr, red_arr, none_arr: their ARR
    """
    last = periods.last_full_week_end(as_of)
    days = [periods.add_days(last, -7 * back) for back in range(0, weeks + 1, max(step_weeks, 1))]
    days = sorted(day for day in days if day >= store.oldest_day) or [last]
    colours = ("green", "yellow", "red", "none")
    accounts = ", ".join(f"count(*) filter (colour = '{one}') as {one}_accounts" for one in colours)
    arr = ", ".join(f"coalesce(sum(arr) filter (colour = '{one}'), 0) as {one}_arr" for one in colours)
    sql = f"""
        with {_BOOK},
        coloured as (
            select
                book.day as week_end,
                coalesce(health.colour, 'none') as colour,
                book.mrr_cents::double * 12 / 100 as arr
            from book
            left join account_week_health health
                on health.account_id = book.account_id and health.week_end = book.day
        )
        select week_end, {accounts}, {arr}
        from coloured
        group by week_end
        order by week_end
    """
    return store.frame(sql, scope=scope, days=days)


@metric(needs=("subscriptions",), page="Overview")
def arr_at_risk(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, weeks: int = 52) -> pd.DataFrame:
    """ARR of the customers whose health is red, at the end of every fourth week of the last year.

    Empty, not 0, for a week in which no customer of the scope has a score.

    Formula: share = ARR of red customers ÷ ARR of all customers.
    Columns:
        week_end: the Sunday; the last row is the last complete week on the as-of day
        accounts: red customers
        arr: their ARR
        share: their share of all ARR
        scored_accounts: customers with a score
    """
    mix = health_mix(store, as_of=as_of, scope=scope, weeks=weeks)
    scored = mix.green_accounts + mix.yellow_accounts + mix.red_accounts
    total = mix.green_arr + mix.yellow_arr + mix.red_arr + mix.none_arr
    return pd.DataFrame(
        {
            "week_end": mix.week_end,
            "accounts": mix.red_accounts,
            "arr": mix.red_arr.where(scored > 0),
            "share": (mix.red_arr / total.where(total > 0)).where(scored > 0),
            "scored_accounts": scored,
        }
    )


@metric(needs=("contracts",), page="Overview")
def renewals_due_by_month(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, months: int = 12) -> pd.DataFrame:
    """Contracts due in the 90 days after the end of each month, as they were known and undecided then.

    Contracts past their end and still undecided are not among them; the renewal pipeline lists those.

    Formula: contracts begun by the day, ending on it or at most 90 days after it, not decided on or before it.
    Columns:
        day: end of the month, or the as-of day
        contracts: due contracts
        arr: their ARR
    """
    sql = f"""
        with asked as (
            select cast(unnest($days) as date) as day
        ),
        due as (
            select asked.day, contracts.arr_cents
            from asked
            inner join contracts
                on contracts.starts_on <= asked.day
                and contracts.ends_on between asked.day and asked.day + {_DUE_DAYS}
                and not coalesce(contracts.outcome is not null and contracts.decided_on <= asked.day, false)
            inner join scope on scope.account_id = contracts.account_id
        )
        select asked.day, count(due.arr_cents) as contracts, coalesce(sum(due.arr_cents), 0)::double / 100 as arr
        from asked
        left join due on due.day = asked.day
        group by asked.day
        order by asked.day
    """
    return store.frame(sql, scope=scope, days=_month_ends(store, as_of, months))


@metric(needs=("contracts",), page="Overview")
def renewals_expected_by_quarter(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, quarters: int = 4
) -> pd.DataFrame:
    """What was expected, at the end of each of the last quarters, of the contracts due in the 90 days after it.

    The likelihoods are those of each day: learned from the decisions known then. The last row is the as-of day.

    Formula: expected_arr = Σ likelihood × arr over undecided contracts that end on the day or at most 90 days after it.
    Columns:
        day: end of the quarter, or the as-of day
        contracts: due contracts
        arr: their ARR
        expected_arr: empty where nothing had ever been decided
    """
    first = periods.add_months(periods.quarter_start(as_of), -3 * quarters)
    ends = [periods.period_end(start, "quarter") for start in periods.periods_between(first, as_of, "quarter")]
    days = sorted({min(end, as_of) for end in ends if end >= store.oldest_day} | {as_of})
    asked = {str(row[0]) for row in store.rows("select account_id from scope", scope=scope)}
    rows = []
    for day in days:
        found = renewals.open_with_likelihood(store, day)
        due = found[found.days_left.between(0, _DUE_DAYS) & found.account_id.isin(asked)]
        rows.append((pd.Timestamp(day), len(due), due.arr.sum(), due.expected_arr.sum(skipna=False)))
    frame = pd.DataFrame(rows, columns=["day", "contracts", "arr", "expected_arr"])
    return frame.astype({"day": "datetime64[us]", "arr": "float64", "expected_arr": "float64"})


@metric(needs=("events",), page="Overview")
def activation_by_start_quarter(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """The activation rate of the accounts that started in each quarter: who does the key action where the curve flattens.

    The period is that of the plateau; a quarter whose accounts have not all got there, or that has fewer than the
    configured least number of accounts, is left out. Nothing is shown where the curve never flattens.

    Formula: accounts active in the plateau's first period ÷ accounts for which that period has fully elapsed.
    Columns:
        cohort: first day of the quarter of the start
        period: the plateau's first period
        eligible, active: accounts
        rate: active ÷ eligible
    """
    flat = registry.run(store, "plateau", as_of=as_of, scope=scope).iloc[0]
    found = registry.run(store, "activation", as_of=as_of, scope=scope, options={"cohort": "quarter"})
    found = found[(found.period == flat.period) & found.rate.notna()] if flat.is_found else found.head(0)
    return found[["cohort", "period", "eligible", "active", "rate"]].reset_index(drop=True)


@metric(needs=("subscriptions",), page="Overview")
def what_moved(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, from_: dt.date | None = None, limit: int = 50
) -> pd.DataFrame:
    """The accounts that explain the change of ARR between a day (twelve months before by default) and the as-of day.

    The largest changes first, whichever way they went; accounts whose ARR is the same are left out.

    Formula: change = closing − opening; the changes of all accounts add up to closing ARR − opening ARR.
    Columns:
        account_id, name, segment, csm: the account, as it is now
        movement: new, reactivation, expansion, contraction or churn
        opening, closing: ARR at the end of the two days
        change: closing − opening
        share: size of the change ÷ sum of the sizes of all changes
    """
    walk = revenue.arr_walk(store, as_of=as_of, scope=scope, from_=from_, by="account")
    walk["change"] = walk.closing - walk.opening
    kinds = walk[list(revenue.MOVEMENTS)]
    walk["movement"] = kinds.ne(0).idxmax(axis=1) if len(walk) else pd.Series(dtype="str")
    walk = walk[walk.change != 0]
    walk["share"] = walk.change.abs() / walk.change.abs().sum()
    names = store.frame("select account_id, name, segment, csm from accounts")
    found = walk.merge(names, on="account_id", how="left")
    found = found.sort_values(["share", "account_id"], ascending=[False, True], ignore_index=True).head(limit)
    return found[["account_id", "name", "segment", "csm", "movement", "opening", "closing", "change", "share"]]


@metric(reads=("health", "renewal"), page="Overview")
def headline(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, window: Literal["quarter", "year", "12m", "24m"] = "12m"
) -> pd.DataFrame:
    """The figures that lead the portfolio, each as it is and as it was when the window opened.

    ARR and customers; GRR, NRR and logo churn of the twelve months before; the activation rate (the level at which the
    activation curve flattens); contracts due in 90 days and what is expected of them; ARR of customers in red. A
    figure that cannot be known is empty and says why.

    Columns:
        figure: its name
        now, before: on the as-of day, and on the day that opens the window
        part, whole: numerator and denominator in accounts (or contracts) where the figure has them
        reason: why it is empty
    """
    before = window_start(as_of, window)
    rows = _retention_rows(store, as_of, before, scope)
    for names, ask in ((("activation",), _activation), (("renewals", "expected"), _renewals), (("at_risk",), _at_risk)):
        rows += _both(names, ask, store, as_of, before, scope)
    frame = pd.DataFrame(rows, columns=["figure", "now", "before", "part", "whole", "reason"])
    return frame.astype({"now": "float64", "before": "float64", "part": "float64", "whole": "float64"})


Asked = dict[str, tuple[float | None, float | None, float | None, str]]  # figure: value, part, whole, reason


def _retention_rows(store: Store, as_of: dt.date, before: dt.date, scope: Scope) -> list[tuple[Any, ...]]:
    if not store.has("subscriptions"):
        return [_unknown(name, "no subscriptions were loaded") for name in ("arr", "nrr", "grr", "logo_churn")]
    now = retention_trend(store, as_of=as_of, scope=scope, months=0).iloc[-1]
    then = retention_trend(store, as_of=before, scope=scope, months=0).iloc[-1]
    reason = "" if now.opening_accounts else "no customers twelve months before"
    arr_then = then.arr if before >= store.oldest_day else None
    return [
        ("arr", now.arr, arr_then, None, now.accounts, ""),
        ("nrr", now.nrr, then.nrr, None, now.opening_accounts, reason),
        ("grr", now.grr, then.grr, None, now.opening_accounts, reason),
        ("logo_churn", now.logo_churn, then.logo_churn, now.churned_accounts, now.opening_accounts, reason),
    ]


def _unknown(name: str, reason: str) -> tuple[Any, ...]:
    return (name, None, None, None, None, reason)


def _both(
    names: Sequence[str],
    ask: Callable[[Store, dt.date, Scope], Asked],
    store: Store,
    as_of: dt.date,
    before: dt.date,
    scope: Scope,
) -> list[tuple[Any, ...]]:
    """Ask one question for both days; a question that cannot be answered is a reason, not a failure."""
    try:
        now = ask(store, as_of, scope)
        then = ask(store, before, scope) if before >= store.oldest_day else {}
    except MissingTable as error:
        return [_unknown(name, f"no {error.table} were loaded") for name in names]
    except CsMetricsError as error:
        return [_unknown(name, str(error)) for name in names]
    return [(name, now[name][0], then.get(name, (None,))[0], *now[name][1:]) for name in names]


def _activation(store: Store, as_of: dt.date, scope: Scope) -> Asked:
    found = registry.run(store, "plateau", as_of=as_of, scope=scope).iloc[0]
    reason = "" if found.is_found else "the curve has not flattened"
    return {"activation": (found.level if found.is_found else None, None, None, reason)}


def _renewals(store: Store, as_of: dt.date, scope: Scope) -> Asked:
    due = registry.run(store, "renewals_summary", as_of=as_of, scope=scope, options={"days": _DUE_DAYS}).iloc[0]
    reason = "no likelihood yet" if pd.isna(due.expected_arr) else ""
    return {
        "renewals": (due.due_arr, None, due.contracts, ""),
        "expected": (None if reason else due.expected_arr, None, due.contracts, reason),
    }


def _at_risk(store: Store, as_of: dt.date, scope: Scope) -> Asked:
    now = registry.run(store, "health_summary", as_of=as_of, scope=scope).iloc[0]
    if not now.scored:
        return {"at_risk": (None, None, None, "no customer has a health score")}
    return {"at_risk": (now.red_arr, now.red, now.scored, "")}


def _month_ends(store: Store, as_of: dt.date, months: int) -> list[dt.date]:
    """Return the as-of day and the ends of the `months` months before it that the data reaches."""
    first = periods.add_months(periods.month_start(as_of), -months)
    starts = periods.periods_between(max(first, periods.month_start(store.oldest_day)), as_of, "month")
    return [min(periods.month_end(start), as_of) for start in starts] or [as_of]

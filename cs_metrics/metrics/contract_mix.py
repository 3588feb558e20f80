"""Contract mix and seasonality: when customers have paid back what they cost to win, and in which months they leave.

What a customer brings is the gross margin of its MRR (contract_mix.gross_margin), day by day; what it cost to win is
its acquisition cost. Billing is that of the largest part of MRR: on the first paid day for payback, at the beginning of
the month for churn.
"""

import datetime as dt
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.shared import shared
from cs_metrics.metrics.survival import CUSTOMER_SPANS
from cs_metrics.store import Store

__all__ = ["acquisition_payback", "churn_seasonality", "payback_curves", "product_limit", "season_leavers"]

DAYS_A_MONTH = 365.25 / 12
_ROUNDING = 1e-9
_NUMBERS = ("acquisition_cost", "margin", "recovered_days", "watched_days")
BILLINGS = ("monthly", "quarterly", "annual", "multi_year", "")

# One row per account that has paid by $as_of: its billing at first, its cost, what it has brought, and since when that is
# enough. Sums of cents × days stay whole; `needed` is the cost in the same unit.
_PAID = f"""
    with {CUSTOMER_SPANS},
    asked as (
        select customer_spans.*
        from customer_spans
        inner join scope on scope.account_id = customer_spans.account_id
    ),
    billed as (
        select
            asked.account_id, coalesce(billing, '') as billing,
            row_number() over (partition by asked.account_id order by sum(mrr_cents) desc, coalesce(billing, '')) as place
        from asked
        inner join subscription_line line
            on line.account_id = asked.account_id
            and line.starts_on <= first_paid_on and (line.ends_on is null or line.ends_on > first_paid_on)
        group by asked.account_id, coalesce(billing, '')
    ),
    spans as (
        select
            asked.account_id, first_paid_on, lost_on, from_day, mrr_cents,
            mrr_cents * date_diff('day', from_day, least(coalesce(to_day, $until::date), $until::date)) as brought,
            acquisition_cost_cents as cost_cents,
            acquisition_cost_cents * $days_a_month / $margin as needed
        from asked
        inner join mrr_interval span on span.account_id = asked.account_id and from_day <= $as_of
        left join account_cost cost on cost.account_id = asked.account_id
    ),
    summed as (
        select
            *,
            coalesce(sum(brought) over (
                partition by account_id order by from_day rows between unbounded preceding and 1 preceding
            ), 0) as before
        from spans
    ),
    by_account as (
        select
            account_id, first_paid_on, lost_on, cost_cents,
            sum(brought) as brought,
            min(case when needed <= before + brought
                then date_diff('day', first_paid_on, from_day) + greatest(ceil((needed - before) / mrr_cents), 0) end)
                as recovered_days
        from summed
        group by account_id, first_paid_on, lost_on, cost_cents
    )
    select
        by_account.account_id,
        coalesce(billed.billing, '') as billing,
        first_paid_on,
        lost_on,
        cost_cents::double / 100 as acquisition_cost,
        brought * $margin / $days_a_month / 100 as margin,
        recovered_days,
        date_diff('day', first_paid_on, $as_of::date) as watched_days,
        date_diff('day', first_paid_on, coalesce(lost_on, $as_of::date)) as stayed_days
    from by_account
    left join billed on billed.account_id = by_account.account_id and billed.place = 1
    order by by_account.account_id
"""


def _paid(store: Store, as_of: dt.date, scope: Scope, gross_margin: float | None) -> pd.DataFrame:
    """Return one row per account that has paid: billing, cost, margin brought so far, and when the cost was recovered."""
    margin = store.config.contract_mix.gross_margin if gross_margin is None else gross_margin
    if not 0 < margin <= 1:
        raise MetricError(f"gross_margin={margin} is not possible: write a share above 0 and up to 1.")
    return shared(store, "paid", _make_paid, as_of=as_of, scope=scope, margin=margin)


def _make_paid(store: Store, *, as_of: dt.date, scope: Scope, margin: float) -> pd.DataFrame:
    until = periods.add_days(as_of, 1)
    found = store.frame(_PAID, scope=scope, as_of=as_of, until=until, margin=margin, days_a_month=DAYS_A_MONTH)
    found["recovered_days"] = found["recovered_days"].astype("float64")
    return found


Curve = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def product_limit(days: npt.ArrayLike, has_happened: npt.ArrayLike) -> Curve:
    """Return the Kaplan-Meier estimate alone, times and shares, without its interval: a page asks for many of them."""
    time, happened = np.asarray(days, dtype=np.float64), np.asarray(has_happened, dtype=np.float64)
    times, at = np.unique(time, return_inverse=True)
    ended, events = np.bincount(at, minlength=len(times)), np.bincount(at, weights=happened, minlength=len(times))
    at_risk = time.size - (np.cumsum(ended) - ended)
    share = np.cumprod(1 - events / np.maximum(at_risk, 1))
    return (np.append(0.0, times), np.append(1.0, share)) if len(times) and times[0] > 0 else (times, share)


def _curve(recovered_days: npt.NDArray[np.float64], watched_days: npt.NDArray[np.float64]) -> Curve:
    """Return the Kaplan-Meier curve of the days to recover the cost.

    An account lost before it recovered its cost stays in the denominator for as long as it could have been watched:
    it has not recovered it, and never will. The day of an account's censoring is known (the as-of day), so this is
    the share of all accounts that has recovered its cost by then.
    """
    has = ~np.isnan(recovered_days)
    return product_limit(np.where(has, recovered_days, watched_days), has)


def _shares(curve: Curve, days: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the share that has recovered its cost within so many days, NaN where nobody was watched for so long."""
    asked, (times, left) = np.asarray(days, dtype=np.float64), curve
    if not times.size:
        return np.full(asked.shape, np.nan)
    found = 1 - left[np.searchsorted(times, asked, side="right") - 1]
    return np.where((asked > times[-1]) & (left[-1] > 0), np.nan, found)


def _months_until(curve: Curve, share: float) -> float:
    """Return the months by which that share has recovered its cost, NaN where the curve does not get there."""
    reached = curve[0][curve[1] <= 1 - share + _ROUNDING]
    return float(reached[0]) / DAYS_A_MONTH if reached.size else float("nan")


@metric(needs=("subscriptions",), page="Renewals")
def acquisition_payback(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    cohort: Literal["year", "quarter", "all"] = "year",
    gross_margin: float | None = None,
) -> pd.DataFrame:
    """Months until customers have paid back what they cost to win, by the start of the customer and its billing.

    Brought is the gross margin of the MRR of each day. Accounts that have not recovered their cost yet are counted as
    long as they were watched; accounts lost before they did never will: they stay in the denominator. So a median is
    "not reached" where more than half are lost or too young. What is billed in advance is not counted before its time.

    Formula: recovered on the first day with Σ MRR of the day × gross margin × 12 ÷ 365.25 ≥ acquisition cost; share = 1 −
        Kaplan-Meier estimate of "not recovered", with the as-of day as the end for all that have not.
    Columns:
        cohort: first day of the year or quarter of the first paid day, empty for all
        billing: monthly, quarterly, annual, multi_year, empty where unknown, or all
        accounts: accounts that began to pay
        with_cost: of these with a known acquisition cost; all that follows is about them
        recovered: have recovered it by the as-of day
        lost_before: were lost before they did
        waiting: are customers and have not yet
        median_months, p25_months, p75_months: months by which half, a quarter, three quarters have, empty if not reached
        within_12_months, within_24_months: share that has within so many months, empty where nobody was watched so long
        acquisition_cost, margin: what they cost to win, and what they have brought so far
        net: margin − acquisition_cost
    Source: Kaplan and Meier 1958; Fine and Gray 1999 for those who can never recover with a known end of watching.
    """
    found = _paid(store, as_of, scope, gross_margin)
    found["cohort"] = _cohort(found["first_paid_on"], cohort)
    both = pd.concat([found.assign(billing="all"), found], ignore_index=True)
    numbers = {name: both[name].to_numpy(dtype="float64") for name in _NUMBERS}
    numbers["is_lost"] = both["lost_on"].notna().to_numpy(dtype="float64")
    groups: dict[Any, Any] = both.groupby(["cohort", "billing"], sort=True, dropna=False).indices
    rows = [
        {"cohort": key[0], "billing": key[1], **_payback({name: one[at] for name, one in numbers.items()})}
        for key, at in groups.items()
    ]
    names = ["cohort", "billing", *_payback({name: one[:0] for name, one in numbers.items()})]
    table = pd.DataFrame(rows, columns=names)
    table["cohort"] = pd.to_datetime(table["cohort"]).astype("datetime64[us]")
    order = {name: place for place, name in enumerate(("all", *BILLINGS))}
    table["place"] = table["billing"].map(order)
    return table.sort_values(["cohort", "place"], ignore_index=True).drop(columns="place")


def _cohort(first: pd.Series, cohort: str) -> pd.Series:
    if cohort == "all":
        return pd.Series(pd.NaT, index=first.index, dtype="datetime64[us]")
    starts = first.dt.to_period("Y" if cohort == "year" else "Q").dt.start_time
    return pd.Series(starts.astype("datetime64[us]"), index=first.index)


def _payback(part: dict[str, npt.NDArray[np.float64]]) -> dict[str, float]:
    known = ~np.isnan(part["acquisition_cost"])
    days, watched = part["recovered_days"][known], part["watched_days"][known]
    curve = _curve(days, watched)
    within = _shares(curve, [12 * DAYS_A_MONTH, 24 * DAYS_A_MONTH])
    recovered, lost = ~np.isnan(days), part["is_lost"][known] > 0
    cost, margin = float(part["acquisition_cost"][known].sum()), float(part["margin"][known].sum())
    return {
        "accounts": known.size,
        "with_cost": int(known.sum()),
        "recovered": int(recovered.sum()),
        "lost_before": int((lost & ~recovered).sum()),
        "waiting": int((~lost & ~recovered).sum()),
        "median_months": _months_until(curve, 0.5),
        "p25_months": _months_until(curve, 0.25),
        "p75_months": _months_until(curve, 0.75),
        "within_12_months": float(within[0]),
        "within_24_months": float(within[1]),
        "acquisition_cost": cost,
        "margin": margin,
        "net": margin - cost,
    }


@metric(needs=("subscriptions",), page="Renewals")
def payback_curves(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    months: int = 36,
    gross_margin: float | None = None,
) -> pd.DataFrame:
    """The share of customers that has paid back its acquisition cost so many months after the first payment, by billing.

    The same estimate as `acquisition_payback`, over all cohorts, at the end of each month.

    Columns:
        billing: monthly, quarterly, annual, multi_year, empty where unknown
        months: months since the first paid day
        watched: accounts that have recovered it ever, or are watched for so long
        share: share that has recovered its cost, empty where nobody was watched so long
        accounts: accounts of the billing with a known cost
    """
    found = _paid(store, as_of, scope, gross_margin)
    found = found[found["acquisition_cost"].notna()]
    month = np.arange(months + 1)
    parts = [pd.DataFrame({"billing": "", "months": month, "watched": 0, "share": np.nan, "accounts": 0}).iloc[:0]]
    for billing, part in found.groupby("billing", sort=True):
        lasts = np.sort(np.where(part["recovered_days"].notna(), np.inf, part["watched_days"]))
        watched = len(lasts) - np.searchsorted(lasts, month * DAYS_A_MONTH)
        curve = _curve(part["recovered_days"].to_numpy(), part["watched_days"].to_numpy(dtype="float64"))
        share = _shares(curve, month * DAYS_A_MONTH)
        rows = {"billing": billing, "months": month, "watched": watched, "share": share, "accounts": len(part)}
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts, ignore_index=True).astype({"billing": "str"})


@metric(needs=("subscriptions",), page="Renewals")
def season_leavers(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    season_months: int | None = None,
    gross_margin: float | None = None,
) -> pd.DataFrame:
    """What customers brought against what they cost to win, by billing and by how long they stayed.

    Payers who leave after their season are those lost within contract_mix.season_months of their first paid day. A gap
    that was closed again is no loss. Accounts without a known acquisition cost are left out of the amounts.

    Formula: net = gross margin brought so far − acquisition cost; share_left_early = left early ÷ accounts that began
        at least season_months ago.
    Columns:
        billing: monthly, quarterly, annual, multi_year, empty where unknown
        standing: left_early, left_later or customer
        accounts: accounts of that standing
        with_cost: of these with a known acquisition cost
        acquisition_cost, margin, net: of those, cost to win, what they brought so far, and the difference
        net_per_account: net ÷ with_cost
        paid_back: of those, accounts whose margin reached their cost
        began: accounts of the billing that began at least season_months ago
        share_left_early: of these left within the season, the same in each row of the billing
        season_months: the season
    """
    season = store.config.contract_mix.season_months if season_months is None else season_months
    if season < 1:
        raise MetricError(f"season_months={season} is not possible: write 1 or more.")
    found = _paid(store, as_of, scope, gross_margin)
    is_early = found["lost_on"].notna() & (found["stayed_days"] < season * DAYS_A_MONTH)
    is_old = found["watched_days"] >= season * DAYS_A_MONTH
    found["standing"] = np.select([is_early, found["lost_on"].notna()], ["left_early", "left_later"], "customer")
    rows = []
    for billing in BILLINGS:
        mine = found["billing"] == billing
        began, early = int((mine & is_old).sum()), int((mine & is_old & is_early).sum())
        for standing in ("left_early", "left_later", "customer"):
            part = found[mine & (found["standing"] == standing)]
            known = part[part["acquisition_cost"].notna()]
            if part.empty:
                continue
            cost, margin = float(known["acquisition_cost"].sum()), float(known["margin"].sum())
            rows.append(
                {
                    "billing": billing,
                    "standing": standing,
                    "accounts": len(part),
                    "with_cost": len(known),
                    "acquisition_cost": cost,
                    "margin": margin,
                    "net": margin - cost,
                    "net_per_account": (margin - cost) / len(known) if len(known) else np.nan,
                    "paid_back": int(known["recovered_days"].notna().sum()),
                    "began": began,
                    "share_left_early": early / began if began else np.nan,
                    "season_months": season,
                }
            )
    names = ["billing", "standing", "accounts", "with_cost", "acquisition_cost", "margin", "net", "net_per_account"]
    return pd.DataFrame(rows, columns=[*names, "paid_back", "began", "share_left_early", "season_months"])


@metric(needs=("subscriptions",), page="Renewals")
def churn_seasonality(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    every: Literal["calendar_month", "month"] = "calendar_month",
) -> pd.DataFrame:
    """In which months customers leave: accounts and MRR lost in a month against the book that it opened with, by billing.

    Every complete month counts. `calendar_month` pools the same month of all years (sum over sum), `month` keeps the
    years apart. Only whole losses count: an account that pays less is no loss. One that leaves across a month-end and
    returns later is lost in that month.

    Formula: account_rate = Σ accounts at 0 at the month's end ÷ Σ accounts of its opening book; mrr_rate the same by MRR.
    Columns:
        year: of the month, empty where years are pooled
        month: 1 to 12
        billing: at the beginning of the month: monthly, quarterly, annual, multi_year, empty where unknown, or all
        opening_accounts, churned_accounts, account_rate: by count
        opening_mrr, churned_mrr, mrr_rate: by MRR
        years: how many years hold the month
    """
    year, keys = "opening.year", "opening.year, opening.month"
    if every == "calendar_month":
        year, keys = "cast(null as bigint)", "opening.month"
    sql = f"""
        with opening as (
            select
                year(month) as year, month(month) as month, billing, opening_cents,
                case when closing_cents = 0 then opening_cents end as churned_cents
            from book_month
            inner join scope on scope.account_id = book_month.account_id
            where month_end <= $as_of
        ),
        counted as (
            select
                {year} as year,
                month,
                case when grouping(billing) = 1 then 'all' else billing end as billing,
                count(*) as opening_accounts,
                count(churned_cents) as churned_accounts,
                sum(opening_cents)::double / 100 as opening_mrr,
                coalesce(sum(churned_cents), 0)::double / 100 as churned_mrr,
                count(distinct opening.year) as years
            from opening
            group by grouping sets (({keys}), ({keys}, billing))
        )
        select
            year, month, billing, opening_accounts, churned_accounts, churned_accounts::double / opening_accounts as account_rate,
            opening_mrr, churned_mrr, churned_mrr / opening_mrr as mrr_rate, years
        from counted
        order by year nulls first, month, billing <> 'all', billing
    """
    return store.frame(sql, scope=scope, as_of=as_of)

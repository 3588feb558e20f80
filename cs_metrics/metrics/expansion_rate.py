"""How much existing customers grow, by what they bought more of, and which numbers lead in each model of growth."""

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.revenue import arr_walk, mrr_movements
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["MODELS", "PARTS", "expansion_rate", "growth_model"]

PARTS = ("seats", "cross_sell", "tier", "price", "other")
MODELS = {"application": "Application", "platform": "Platform", "unknown": "Not known"}
LEADS = {
    "application": "Up-sell and cross-sell lead: it spreads by its users",
    "platform": "Renewal and churn lead: it is integrated, and renewed or lost as a whole",
    "unknown": "Give the archetype or the billing of these accounts",
}

# What changed between two books, by account and product: more of the same seats, another price, a product more or less.
_PARTS = """
    with windows as (
        select
            cast(unnest($periods) as date) as period,
            cast(unnest($opening_days) as date) as opening_day,
            cast(unnest($closing_days) as date) as closing_day
    ),
    asked as (
        select opening_day as day from windows union select closing_day from windows
    ),
    books as (
        select
            asked.day,
            line.account_id,
            coalesce(line.product_id, '') as product_id,
            sum(line.mrr_cents)::bigint as cents,
            case when count(line.seats) = count(*) then sum(line.seats)::bigint end as seats
        from asked
        inner join subscription_line line on line.starts_on <= asked.day and (line.ends_on is null or line.ends_on > asked.day)
        inner join scope on scope.account_id = line.account_id
        group by asked.day, line.account_id, coalesce(line.product_id, '')
    ),
    held as (
        select windows.period, books.account_id, books.product_id, books.cents as old_cents, books.seats as old_seats,
            null::bigint as new_cents, null::bigint as new_seats
        from windows inner join books on books.day = windows.opening_day
        union all
        select windows.period, books.account_id, books.product_id, null, null, books.cents, books.seats
        from windows inner join books on books.day = windows.closing_day
    ),
    compared as (
        select
            period, account_id, held.product_id, max(products.kind) as kind, max(old_cents) as old_cents,
            max(old_seats) as old_seats, max(new_cents) as new_cents, max(new_seats) as new_seats
        from held
        left join products on products.product_id = held.product_id
        group by period, account_id, held.product_id
    ),
    parted as (
        select
            *,
            coalesce(new_cents, 0) - coalesce(old_cents, 0) as change_cents,
            case
                when product_id = '' and (old_cents is null or new_cents is null) then 'other'
                when old_cents is null or new_cents is null then case when kind = 'tier' then 'tier' else 'cross_sell' end
                when old_seats > 0 and new_seats > 0 then 'seats'
                when product_id <> '' and coalesce(old_seats, 0) = 0 and coalesce(new_seats, 0) = 0 then 'price'
                else 'other'
            end as part,
            case when old_seats > 0 and new_seats > 0 and old_cents is not null and new_cents is not null
                then cast(floor((new_seats - old_seats) * old_cents / old_seats::double + 0.5) as bigint) end as seat_cents
        from compared
    )
    select
        period,
        account_id,
        coalesce(sum(seat_cents), 0)::bigint as seats,
        coalesce(sum(case when part = 'cross_sell' then change_cents end), 0)::bigint as cross_sell,
        coalesce(sum(case when part = 'tier' then change_cents end), 0)::bigint as tier,
        coalesce(sum(case when part = 'price' then change_cents when part = 'seats' then change_cents - seat_cents end), 0)::bigint as price
    from parted
    group by period, account_id
"""

_MODEL = """
    with billed as (
        select account_id, billing
        from subscription_line
        where starts_on <= $as_of and (ends_on is null or ends_on > $as_of)
        qualify row_number() over (partition by account_id order by mrr_cents desc, subscription_id) = 1
    ),
    due as (
        select
            account_id,
            sum(arr_cents)::double / 100 as due_arr,
            sum(case when outcome = 'renewed' then least(coalesce(renewed_arr_cents, arr_cents), arr_cents) else 0 end)::double / 100 as kept_arr
        from contracts
        where ends_on > $since and ends_on <= $as_of and decided_on <= $as_of and outcome is not null
        group by account_id
    )
    select
        accounts.account_id,
        case
            when accounts.archetype is not null then accounts.archetype
            when billed.billing = 'monthly' then 'application'
            when billed.billing in ('quarterly', 'annual', 'multi_year') then 'platform'
            else 'unknown'
        end as model,
        accounts.archetype is null as is_derived,
        coalesce(due.due_arr, 0) as due_arr,
        coalesce(due.kept_arr, 0) as kept_arr
    from accounts
    inner join scope on scope.account_id = accounts.account_id
    left join billed on billed.account_id = accounts.account_id
    left join due on due.account_id = accounts.account_id
"""


def _parted(
    store: Store, scope: Scope, walks: pd.DataFrame, windows: Sequence[tuple[dt.date, dt.date, dt.date]]
) -> pd.DataFrame:
    """Return the accounts that grew with the parts of their growth in cents; `walks` are movements by account, in MRR."""
    starts, opening, closing = (list(one) for one in zip(*windows, strict=True)) if windows else ([], [], [])
    found = store.frame(_PARTS, scope=scope, periods=starts, opening_days=opening, closing_days=closing)
    grew = walks[walks["expansion"] > 0][["period", "account_id", "expansion"]]
    found = grew.merge(found, on=["period", "account_id"], how="left").fillna(dict.fromkeys(PARTS[:-1], 0))
    found["expansion"] = (found["expansion"] * 100).round().astype("int64")
    for part in PARTS[:-1]:
        found[part] = found[part].astype("int64")
    found["other"] = found["expansion"] - found[list(PARTS[:-1])].sum(axis=1)
    return found


@metric(needs=("subscriptions",), page="Expansion")
def expansion_rate(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    every: Literal["month", "quarter", "year"] = "quarter",
) -> pd.DataFrame:
    """By how much existing customers grew in each period, and by what: seats, cross-sell, tier, price, or what cannot be told.

    The growth is the expansion of the MRR movements, and its parts add up to it to the cent. They are taken from the
    lines of the accounts that grew, so that a part may be negative where an account dropped one thing and bought more
    of another. Only periods that have ended on the as-of day are shown.

    Formula: rate = expansion ÷ opening; seats = (seats now − before) × price per seat before; price = what else changed
        on the same product, a higher usage limit included; cross_sell = products bought or dropped; tier = tiers bought or dropped;
        other = the rest: lines without product or with seats on one side only, gaps that were bridged.
    Columns:
        period: first day of the period
        opening: MRR at the end of the last day before it
        expansion: change of MRR of the accounts that grew
        accounts: accounts that grew
        seats, cross_sell, tier, price, other: the parts of expansion, signed
        rate: expansion ÷ opening, empty where nothing was there to grow
        seats_rate, cross_sell_rate, tier_rate, price_rate, other_rate: each part ÷ opening
    """
    total = mrr_movements(store, as_of=as_of, scope=scope, every=every)
    walks = mrr_movements(store, as_of=as_of, scope=scope, every=every, by="account")
    starts = [day.date() for day in total["period"]]
    windows = [(start, periods.add_days(start, -1), periods.period_end(start, every)) for start in starts]
    grew = _parted(store, scope, walks, windows)
    sums = grew.groupby("period")[list(PARTS)].sum()
    found = total[["period", "opening", "expansion"]].copy()
    found["accounts"] = found["period"].map(grew.groupby("period").size()).fillna(0).astype("int64")
    for part in PARTS:
        found[part] = found["period"].map(sums[part]).fillna(0).astype("float64") / 100
    opening = found["opening"].where(found["opening"] > 0)
    found["rate"] = found["expansion"] / opening
    for part in PARTS:
        found[f"{part}_rate"] = found[part] / opening
    return found


@metric(needs=("subscriptions",), page="Expansion")
def growth_model(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """How the company grows: application or platform, by accounts, with the numbers of the last twelve months that lead in each.

    An application is light, paid by the month and spreads by its users: up-sell and cross-sell lead. A platform is
    integrated and paid by the year: renewal and churn lead. The model is the account's archetype; where none is given,
    monthly billing of its largest line makes it an application, longer billing a platform. The model with more ARR
    leads the company.

    Formula: over the accounts with ARR twelve months before: nrr = Σ closing ÷ Σ opening; grr = Σ min(opening, closing) ÷
        Σ opening; logo_churn = accounts lost ÷ accounts; up_sell_rate = (seats + tier + price) ÷ Σ opening; cross_sell_rate
        likewise; gross_renewal_rate = Σ min(renewed, expiring) ÷ Σ expiring over the contracts due in the window and decided.
    Columns:
        model: application, platform or unknown
        accounts, arr, arr_share: customers on the as-of day, their ARR, and its share of all
        derived: customers whose model was taken from the billing
        opening_accounts, opening_arr: customers twelve months before, and their ARR
        expansion_rate, up_sell_rate, cross_sell_rate: growth of those accounts ÷ their opening ARR
        nrr, grr, logo_churn: net and gross revenue retention, accounts lost
        gross_renewal_rate, due_arr: of the contracts due in the window and decided, and their ARR
        is_leading: the model with the most ARR
        leads: which numbers lead, and why
    """
    since = periods.add_months(as_of, -12)
    walk = arr_walk(store, as_of=as_of, scope=scope, by="account")
    walk["account_id"] = walk["account_id"].astype("str")
    mrr = walk.assign(expansion=walk["expansion"] / 12)
    parts = _parted(store, scope, mrr, [(since, since, as_of)]).set_index("account_id")
    models = store.frame(_MODEL, scope=scope, as_of=as_of, since=since).set_index("account_id")
    found = (
        walk.set_index("account_id")
        .join(models, how="right")
        .fillna({"opening": 0.0, "closing": 0.0, "expansion": 0.0})
    )
    for part in PARTS:
        found[part] = parts[part].reindex(found.index).fillna(0) * 12 / 100
    total = float(found["closing"].sum())
    rows = [_numbers(model, found[found["model"] == model], total) for model in MODELS]
    rows = [row for row in rows if row["accounts"] or row["opening_accounts"]]
    most = max((float(str(row["arr"])) for row in rows), default=0.0)
    columns = {
        "model": "str", "accounts": "int64", "arr": "float64", "arr_share": "float64", "derived": "int64",
        "opening_accounts": "int64", "opening_arr": "float64", "expansion_rate": "float64", "up_sell_rate": "float64",
        "cross_sell_rate": "float64", "nrr": "float64", "grr": "float64", "logo_churn": "float64",
        "gross_renewal_rate": "float64", "due_arr": "float64", "is_leading": "bool", "leads": "str",
    }  # fmt: skip
    rows = [{**row, "is_leading": row["arr"] == most and most > 0} for row in rows]
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def _numbers(model: str, found: pd.DataFrame, total: float) -> dict[str, object]:
    now, before = found[found["closing"] > 0], found[found["opening"] > 0]
    opening, due = float(before["opening"].sum()), float(found["due_arr"].sum())

    def of(amount: float, whole: float) -> float | None:
        return amount / whole if whole else None

    kept = before[["opening", "closing"]].min(axis=1).sum()
    return {
        "model": model,
        "accounts": len(now),
        "arr": float(now["closing"].sum()),
        "arr_share": of(float(now["closing"].sum()), total),
        "derived": int(now["is_derived"].sum()),
        "opening_accounts": len(before),
        "opening_arr": opening,
        "expansion_rate": of(float(before["expansion"].sum()), opening),
        "up_sell_rate": of(float(before[["seats", "tier", "price"]].sum().sum()), opening),
        "cross_sell_rate": of(float(before["cross_sell"].sum()), opening),
        "nrr": of(float(before["closing"].sum()), opening),
        "grr": of(float(kept), opening),
        "logo_churn": of(float((before["closing"] <= 0).sum()), len(before)),
        "gross_renewal_rate": of(float(found["kept_arr"].sum()), due),
        "due_arr": due,
        "leads": LEADS[model],
    }

"""The forecast ledger of a due quarter: what the forecast was on each day, and why it moved between two days."""

import datetime as dt
from typing import Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.renewal_drivers import ORDER, moves
from cs_metrics.metrics.renewal_snapshot import due_quarter, shown_before, snapshot
from cs_metrics.metrics.renewals import CATEGORIES
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.shared import shared
from cs_metrics.store import Store

__all__ = ["renewal_ledger", "renewal_moves", "renewal_moves_rows"]

_BEFORE_DAYS = 91  # the ledger of a quarter begins so many days before it
_SINCE_DAYS = 28
_MOST_DAYS = 400


@metric(needs=("contracts",), reads=("renewal",), page="Renewals")
def renewal_ledger(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    due: dt.date | None = None,
    every: Literal["week", "day"] = "week",
    from_: dt.date | None = None,
) -> pd.DataFrame:
    """What the forecast of a due quarter was on each Sunday (or day), from 91 days before it to the as-of day.

    `due` is any day of the quarter in which the contracts end, by default the quarter of the as-of day. Each row is
    computed with what was known on its day: its contracts, decisions, likelihoods and calls. An imported call carries
    no day and counts as it stands now. The last row is the as-of day; its open contracts are those of the pipeline.

    Formula: forecast_arr = won_arr + expected_arr; expected_arr = Σ likelihood × arr over the open contracts.
    Columns:
        day: the day of knowledge
        due_arr: old value of all contracts of the quarter known then
        open_contracts, open_arr: of these undecided
        expected_arr: of these expected, empty while no likelihood is known
        commit_arr, best_case_arr, at_risk_arr, unknown_arr: open_arr by category
        won_arr: new amounts of those renewed by then
        lost_arr: old value of those lost by then
        forecast_arr: won and expected together
        shown_expected_arr: what a generation that ended on this very day showed as expected, empty without one
    """
    first, last = due_quarter(due, as_of)
    start = from_ or periods.add_days(first, -_BEFORE_DAYS)
    if periods.days_between(start, as_of) > _MOST_DAYS * (7 if every == "week" else 1):
        raise MetricError(f"from={start} is too far back: a ledger holds at most {_MOST_DAYS} rows.")
    starts = periods.periods_between(start, as_of, every) if start <= as_of else []
    ends = [one if every == "day" else periods.add_days(one, 6) for one in starts]
    days = [day for day in ends if max(start, store.oldest_day) <= day < as_of]
    rows = [_ledger_row(store, day, as_of, scope, first, last) for day in [*days, as_of]]
    return pd.DataFrame(rows).astype({"day": "datetime64[us]", "shown_expected_arr": "float64"})


def _ledger_row(
    store: Store, day: dt.date, as_of: dt.date, scope: Scope, first: dt.date, last: dt.date
) -> dict[str, object]:
    found = snapshot(store, day, scope, first, last)
    is_open = found["state"] == "open"
    waiting = found[is_open]
    expected = float(waiting["forecast"].sum(skipna=False))
    won = float(found.loc[found["state"] == "won", "booked"].sum())
    shown = shown_before(store, day, as_of)
    shown = shown[shown["contract_id"].isin(found["contract_id"])]
    return {
        "day": pd.Timestamp(day),
        "due_arr": float(found["arr"].sum()),
        "open_contracts": len(waiting),
        "open_arr": float(waiting["arr"].sum()),
        "expected_arr": expected,
        **{f"{one}_arr": float(waiting.loc[waiting["category"] == one, "arr"].sum()) for one in CATEGORIES},
        "won_arr": won,
        "lost_arr": float(found.loc[found["state"] == "lost", "arr"].sum()),
        "forecast_arr": won + expected,
        "shown_expected_arr": (shown["shown_likelihood"] * shown["shown_arr"]).sum() if len(shown) else None,
    }


@metric(needs=("contracts",), reads=("renewal",), page="Renewals")
def renewal_moves(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    due: dt.date | None = None,
    from_: dt.date | None = None,
    to: dt.date | None = None,
) -> pd.DataFrame:
    """Why the forecast of a due quarter moved between two days: one row a cause, from the opening to the closing forecast.

    `due` is any day of the quarter in which the contracts end (default: that of the as-of day); `to` is the as-of day by
    default, `from` 28 days before it. Both ends are computed with what was known on their day. Where a generation
    that ended on the first day is known, the opening is what it really showed, and `corrected` leads from there to what
    today's data says of that day. What is open on both days moves by its likelihood, split by what drove it: each
    factor's change in log-odds times the mean slope of the contract's likelihood. Every amount is in whole cents per
    contract, so opening and causes add up to the closing exactly.

    Formula: opening + corrected + new in scope + left scope + closed won + closed lost + slipped + amount changed +
        likelihood changed = closing; closed won = booked - likelihood × arr before; closed lost = - likelihood × arr before.
    Columns:
        position: order of the rows
        cause: opening, corrected, new, left, won, lost, slipped, amount, likelihood or closing
        driver: what moved the likelihood, empty for the other causes: a factor of the model whose value changed; "later
            learning" where a factor's value stood still and a later training weighs it otherwise; "time and health" for
            what no factor explains, as where the likelihood is a base rate, or days past the end weigh on it
        amount: the forecast at the opening and the closing, else the change; empty where no likelihood was known
        contracts: contracts behind it
        is_total: opening and closing
        note: what the opening is, where it is one that was shown
    Source: the decomposition by the mean slope of the logistic curve (Oaxaca 1973 and Yun 2004, for one contract).
    """
    rows = _rows(store, as_of, scope, due, from_, to)
    by = rows.groupby(["cause", "driver"], sort=False)
    sums = by["cents"].sum(min_count=1) if rows["cents"].notna().all() else by["cents"].agg(lambda _: float("nan"))
    found = pd.DataFrame({"amount": sums / 100, "contracts": by["contract_id"].nunique()}).reset_index()
    for total in ("opening", "closing"):
        if total not in set(found["cause"]):
            empty = {"cause": total, "driver": "", "amount": 0.0, "contracts": 0}
            found = pd.concat([found, pd.DataFrame([empty])], ignore_index=True)
    found["place"] = found["cause"].map({cause: at for at, cause in enumerate(ORDER)})
    found["size"] = -found["amount"].abs()
    found = found.sort_values(["place", "size", "driver"], ignore_index=True)
    found["position"] = range(1, len(found) + 1)
    found["is_total"] = found["cause"].isin(["opening", "closing"])
    is_shown = (found["cause"] == "opening") & bool((rows["cause"] == "corrected").any())
    found["note"] = pd.array(["as shown on that day" if one else "" for one in is_shown], dtype="str")
    return found[["position", "cause", "driver", "amount", "contracts", "is_total", "note"]]


@metric(needs=("contracts",), reads=("renewal",), page="Renewals")
def renewal_moves_rows(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    due: dt.date | None = None,
    from_: dt.date | None = None,
    to: dt.date | None = None,
    cause: str = "",
    driver: str = "",
) -> pd.DataFrame:
    """The contracts behind each bar of renewal_moves, the largest change first.

    `cause` and `driver` keep those of one bar; opening and closing are left out.

    Columns:
        contract_id, account_id, name, owner, ends_on: the contract
        cause, driver: the bar
        arr: its old value
        likelihood_before, likelihood_after: on the two days, empty once decided or not known yet
        forecast_before, forecast_after: its part of the forecast on the two days
        amount: its part of the bar
        why: what changed, in words where they are known
    """
    rows = _rows(store, as_of, scope, due, from_, to)
    rows = rows[~rows["cause"].isin(["opening", "closing"])]
    if cause:
        rows = rows[rows["cause"] == cause]
    if driver:
        rows = rows[rows["driver"] == driver]
    rows = rows.assign(amount=rows["cents"] / 100, size=rows["cents"].abs())
    rows = rows[(rows["cents"] != 0) | rows["cents"].isna()]
    rows = rows.sort_values(["size", "contract_id", "driver"], ascending=[False, True, True], ignore_index=True)
    return rows[
        [
            "contract_id", "account_id", "name", "owner", "ends_on", "cause", "driver", "arr", "likelihood_before",
            "likelihood_after", "forecast_before", "forecast_after", "amount", "why",
        ]
    ]  # fmt: skip


def _rows(
    store: Store, as_of: dt.date, scope: Scope, due: dt.date | None, from_: dt.date | None, to: dt.date | None
) -> pd.DataFrame:
    after = to or as_of
    before = from_ or periods.add_days(after, -_SINCE_DAYS)
    if not before <= after <= as_of:
        raise MetricError(f"from={before} to={after} is not possible: write days in order, up to {as_of}.")
    first, last = due_quarter(due, as_of)
    about = {"as_of": as_of, "scope": scope, "first": first, "last": last, "before": before, "after": after}
    return shared(store, "moves", moves, **about)

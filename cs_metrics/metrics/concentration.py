"""Concentration: how likely a target is missed, what the worst years cost, and how much hangs on a few accounts."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_metrics.errors import MetricError
from cs_metrics.metrics.forecast_paths import Ahead, ahead, run
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.models.forecast import Floats
from cs_metrics.store import Store

__all__ = ["revenue_concentration", "revenue_concentration_accounts"]

_MONTHS = 12
_LARGEST = 5
_WORST = 0.05
_LEVEL = 0.8


@metric(needs=("subscriptions",), page="Health")
def revenue_concentration(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, target_nrr: float | None = None
) -> pd.DataFrame:
    """How likely net revenue retention over the next twelve months falls below a target, and what the worst years cost.

    From the same simulated paths as `forecast`: the ARR in twelve months of today's customers ÷ their ARR today.

    Formula: probability_below = paths with nrr < target_nrr ÷ paths; arr_at_risk = ARR today - the ARR that 95 % of the
    paths exceed (0 where even that is more than today's); worst_loss = ARR today - mean ARR of the worst 5 % of the paths.
    Columns:
        opening: ARR today
        accounts: accounts with ARR today
        expected_nrr, nrr_low, nrr_high: with its 80 % interval
        target_nrr: the target (planning.target_nrr by default)
        probability_below: chance that nrr falls below it
        arr_at_risk: loss that is exceeded in 5 of 100 cases
        worst_loss: mean loss in those 5 cases
        largest_five_arr, largest_five_share: ARR of the five largest accounts, and its share
        probability_below_without_largest: chance below the target if the largest account leaves
    Source: value at risk and expected shortfall at 5 % (Artzner et al. 1999).
    """
    of, year = _year(store, as_of, scope, target_nrr)
    opening, closing = year.opening, year.closing
    known = opening > 0
    low, high = np.quantile(closing, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]) if known else (np.nan, np.nan)
    edge = float(np.quantile(closing, _WORST))
    row = {
        "opening": round(opening, 2),
        "accounts": int(of.pieces["account_id"].nunique()),
        "expected_nrr": float(of.walk.closing[:, -1].sum()) / opening if known else np.nan,
        "nrr_low": low / opening if known else np.nan,
        "nrr_high": high / opening if known else np.nan,
        "target_nrr": year.target,
        "probability_below": year.below() if known else np.nan,
        "arr_at_risk": round(max(0.0, opening - edge), 2) if known else np.nan,
        "worst_loss": round(max(0.0, opening - float(closing[closing <= edge].mean())), 2) if known else np.nan,
        "largest_five_arr": round(float(sum(year.arr)), 2),
        "largest_five_share": sum(year.arr) / opening if known else np.nan,
        "probability_below_without_largest": year.below(0) if year.arr else np.nan,
    }
    return pd.DataFrame([row])


@metric(needs=("subscriptions",), page="Health")
def revenue_concentration_accounts(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, target_nrr: float | None = None
) -> pd.DataFrame:
    """The five largest accounts: their share of ARR, and how likely the target is missed if one of them leaves.

    If an account leaves, its ARR in twelve months is 0 on every path; all others fare as before.

    Formula: probability_below_if_lost = paths with (closing - its own closing) ÷ opening < target_nrr ÷ paths.
    Columns:
        account_id, name, segment, csm: the account
        arr, share, cumulative_share: its ARR today, as a share of all, and with those above it
        ends_on: the next end of its contracts, empty without one
        likelihood: of renewal, weighted by ARR, of undecided contracts that end within twelve months, empty without one
        expected_arr: in twelve months
        probability_below: chance below the target as things stand
        probability_below_if_lost: chance below the target if the account leaves
        target_nrr: the target
    """
    of, year = _year(store, as_of, scope, target_nrr)
    names = store.frame("select account_id, name, segment, csm from accounts").set_index("account_id")
    rows = []
    for at, account in enumerate(year.accounts):
        own = (of.pieces["account_id"] == account).to_numpy()
        due = own & (of.book.due >= 0) & (of.book.due < _MONTHS) & np.isnan(of.book.known)
        ends = of.pieces["ends_on"][own & (of.book.due >= 0)]
        chance = np.average(of.book.likelihood[due], weights=of.book.value[due]) if due.any() else np.nan
        shares = (year.arr[at] / year.opening, sum(year.arr[: at + 1]) / year.opening)
        known = [names.at[account, one] for one in ("name", "segment", "csm")]
        rows.append(
            (
                account,
                *known,
                round(year.arr[at], 2),
                *shares,
                ends.min() if len(ends) else pd.NaT,
                chance,
                round(float(year.own[at].mean()), 2),
                year.below(),
                year.below(at),
                year.target,
            )
        )
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


_COLUMNS = {
    **dict.fromkeys(("account_id", "name", "segment", "csm"), "str"),
    **dict.fromkeys(("arr", "share", "cumulative_share"), "float64"),
    "ends_on": "datetime64[us]",
    **dict.fromkeys(
        ("likelihood", "expected_arr", "probability_below", "probability_below_if_lost", "target_nrr"), "float64"
    ),
}


@dataclass(frozen=True)
class _Year:
    """ARR today and on each path in twelve months; the five largest accounts, their ARR, and their part of each path."""

    opening: float
    closing: Floats
    target: float
    accounts: tuple[str, ...]
    arr: tuple[float, ...]
    own: Floats

    def below(self, without: int | None = None) -> float:
        """Return the chance of falling below the target, as things stand or without one of the largest accounts."""
        closing = self.closing if without is None else self.closing - self.own[without]
        return float((closing < self.target * self.opening).mean())


def _year(store: Store, as_of: dt.date, scope: Scope, target: float | None) -> tuple[Ahead, _Year]:
    wanted = store.config.planning.target_nrr if target is None else target
    if not 0 < wanted <= 5:
        raise MetricError(f"target_nrr={wanted:g} is not possible: write a share above 0, as 1.05.")
    of = ahead(store, as_of, scope, _MONTHS)
    arr = pd.Series(of.book.value).groupby(of.pieces["account_id"].to_numpy()).sum()
    largest = sorted(arr.items(), key=lambda one: (-one[1], str(one[0])))[:_LARGEST]
    accounts = tuple(str(account) for account, _ in largest)
    pieces = {one: np.flatnonzero((of.pieces["account_id"] == one).to_numpy()).tolist() for one in accounts}
    watch = [piece for one in accounts for piece in pieces[one]]
    drawn = run(of, store.config.forecast, watch=watch)
    closing = drawn.closing[:, -1].sum(axis=0)
    own = [drawn.watched[[watch.index(piece) for piece in pieces[one]], -1].sum(axis=0) for one in accounts]
    return of, _Year(
        opening=float(of.walk.opening[:, 0].sum()),
        closing=closing,
        target=wanted,
        accounts=accounts,
        arr=tuple(float(amount) for _, amount in largest),
        own=np.stack(own) if own else np.zeros((0, len(closing))),
    )

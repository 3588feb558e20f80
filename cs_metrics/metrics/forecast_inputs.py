"""What the revenue forecast starts from: the book cut into contracts, and the rates at which books moved in the past year."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics.metrics.forecast_growth import history, losses, paces, returns, unevenness
from cs_metrics.metrics.forecast_kinds import Kinds, is_later, kinds, moved, still_open
from cs_metrics.metrics.likelihood import (
    KNOWN_CONTRACTS,
    base_rates,
    past_decisions,
    running_contracts,
    with_likelihood,
)
from cs_metrics.metrics.scope import Scope
from cs_metrics.models.base_rate import LAGS, BaseRates, learned
from cs_metrics.models.forecast import GROWTH, Book, Floats, Ints, Rates, shock_spread
from cs_metrics.store import Store

__all__ = ["DAYS_PER_MONTH", "book_and_rates", "month_of"]

DAYS_PER_MONTH = 365.25 / 12
_LEAST_AMOUNTS = 10  # with fewer renewals of known amount the ratio renewed ÷ expiring is taken as 1

_BOOK = """
    select
        mrr_interval.account_id, coalesce(accounts.segment, '') as segment, accounts.started_on,
        coalesce(week.colour, 'none') as colour, mrr_interval.mrr_cents * 12::double / 100 as arr
    from mrr_interval
    inner join scope on scope.account_id = mrr_interval.account_id
    inner join accounts on accounts.account_id = mrr_interval.account_id
    left join account_week_health week
        on week.account_id = mrr_interval.account_id
        and week.week_end = cast($as_of as date) - cast(isodow(cast($as_of as date)) % 7 as integer)
    where from_day <= $as_of and (to_day is null or to_day > $as_of)
    order by mrr_interval.account_id
"""

# The new amount of past renewals against their part of the account's ARR on the day before the end.
_RATIOS = f"""
    with {KNOWN_CONTRACTS},
    renewed as (
        select contract_id, account_id, ends_on, arr_cents, renewed_cents
        from known
        where outcome = 'renewed' and ends_on <= $as_of and renewed_cents is not null and arr_cents > 0
    ),
    beside as (
        select renewed.contract_id, sum(known.arr_cents)::double as all_cents
        from renewed
        inner join known
            on known.account_id = renewed.account_id
            and known.starts_on < renewed.ends_on and known.ends_on >= renewed.ends_on
        group by renewed.contract_id
    )
    select
        renewed.renewed_cents::double / 100 as renewed_arr,
        mrr_interval.mrr_cents::double * 12 / 100 * renewed.arr_cents / beside.all_cents as expiring_arr
    from renewed
    inner join beside on beside.contract_id = renewed.contract_id
    inner join mrr_interval
        on mrr_interval.account_id = renewed.account_id
        and from_day < ends_on and (to_day is null or to_day >= ends_on)
    order by ends_on, renewed.contract_id
"""


def book_and_rates(
    store: Store, as_of: dt.date, scope: Scope, opens: list[dt.date], ends: list[dt.date]
) -> tuple[pd.DataFrame, Book, Rates]:
    """Return today's book in pieces, and the rates that the past gives; `opens` and `ends` bound the months to come.

    The pieces are those of the accounts in scope, the rates always those of all accounts. The frame tells of each
    piece, in the order of the book, its account_id, contract_id (empty without one) and ends_on.
    """
    settings = store.config.forecast
    decided = past_decisions(store, as_of)
    past = history(store, as_of)
    renewal = learned(base_rates(store, decided))
    said = _said(decided, renewal)
    pieces = _pieces(store, as_of, scope, renewal, decided, _kinds(store, decided, said, renewal.losses))
    groups = pd.MultiIndex.from_frame(
        pieces[["has_contract", "segment"]].drop_duplicates().sort_values(["has_contract", "segment"])
    )
    lost = pd.DataFrame([losses(past, bool(one[0]), str(one[1]), settings.prior_account_months) for one in groups])
    growth = {kind: paces(past, kind, pieces, opens, settings.prior_account_months) for kind in GROWTH}
    segments = sorted(pieces["segment"].unique())
    book = Book(
        groups=tuple(segments),
        group=np.searchsorted(segments, pieces["segment"]).astype("int64") if segments else np.zeros(0, dtype="int64"),
        key=tuple(pieces["key"]),
        value=pieces["value"].to_numpy(),
        due=np.where(pieces["has_contract"], month_of(pieces["ends_on"], ends), -1).astype("int64"),
        term=pieces["term"].to_numpy(dtype="int64"),
        likelihood=pieces["likelihood"].to_numpy(),
        weight=pieces["weight"].to_numpy(),
        alike=(pieces["likelihood"].to_numpy() * 10).astype("int64"),
        known=pieces["known"].to_numpy(),
        known_ratio=pieces["known_ratio"].to_numpy(),
        loss=groups.get_indexer(pd.MultiIndex.from_frame(pieces[["has_contract", "segment"]])).astype("int64"),
        expansion=growth["expansion"],
        contraction=growth["contraction"],
    )
    ratios, weights = _ratios(store.frame(_RATIOS, as_of=as_of))
    rates = Rates(
        lost=lost["lost"].to_numpy() if len(lost) else np.zeros(0),
        months=lost["months"].to_numpy() if len(lost) else np.ones(0),
        growth={kind: unevenness(past, kind, settings.growth_sd) for kind in GROWTH},
        ratios=ratios,
        ratio_weights=weights,
        shock=_shock(store, decided, said),
        returns=returns(store, as_of),
    )
    return pieces[["account_id", "contract_id", "ends_on"]], book, rates


def month_of(ends_on: pd.Series, ends: list[dt.date]) -> Ints:
    """Return the index of the month, of those that end on the days `ends`, in which days fall; days before are in the first."""
    return np.searchsorted(np.array(ends, dtype="datetime64[D]"), ends_on.to_numpy().astype("datetime64[D]")).astype(
        "int64"
    )


def _pieces(
    store: Store, as_of: dt.date, scope: Scope, renewal: BaseRates, decided: pd.DataFrame, told: Kinds | None
) -> pd.DataFrame:
    """Return the book of the as-of day, cut into the parts of each account's running contracts."""
    book = store.frame(_BOOK, scope=scope, as_of=as_of)
    running = _own_terms(running_contracts(store, as_of))
    if renewal.basis == "none":
        running = running.iloc[:0]
    running = with_likelihood(running, renewal)
    if told is not None:
        later = np.where(running["state"] == "follows", 1.0, is_later(store, running))
        by = np.where(running["scored"].notna(), 0.0, told.of(later, running["arr"].to_numpy(), running["segment"]))
        by = by + still_open(decided, running["days_left"].to_numpy(dtype="float64"))
        running["likelihood"] = moved(running["likelihood"], by)
    joined = book.merge(running.drop(columns=["segment", "name"]), on="account_id", how="left", suffixes=("", "_due"))
    whole = joined.groupby("account_id")["arr_due"].transform("sum")
    parts = joined.groupby("account_id")["account_id"].transform("size")
    share = np.where(whole > 0, joined["arr_due"] / whole.where(whole > 0, 1.0), 1 / parts)
    value = joined["arr"] * share
    term = (joined["ends_on"] - joined["starts_on"]).dt.days / DAYS_PER_MONTH
    return pd.DataFrame(
        {
            "key": joined["account_id"] + "|" + joined["contract_id"].fillna(""),
            "account_id": joined["account_id"],
            "contract_id": joined["contract_id"].fillna(""),
            "segment": joined["segment"],
            "started_on": joined["started_on"],
            "colour": joined["colour"],
            "has_contract": joined["contract_id"].notna(),
            "value": value,
            "ends_on": joined["ends_on"].fillna(pd.Timestamp(as_of)),
            "term": term.fillna(12).round().clip(lower=1),
            "likelihood": joined["likelihood"].fillna(0.5),
            "weight": joined["weight"].fillna(1.0),
            "known": joined["state"].map({"renewed": 1.0, "churned": 0.0}).astype("float64"),
            "known_ratio": joined["renewed_arr"] / value,
        }
    )


def _own_terms(running: pd.DataFrame) -> pd.DataFrame:
    """Leave out what would count a term twice.

    A contract that begins on or after the end of one still undecided hangs on that decision; one renewed early is
    replaced by the contract that runs longer.
    """
    is_open = running["state"] == "undecided"
    is_early = running["state"] == "renewed"
    overdue = _by_account(running, is_open & (running["days_left"] <= 0), "ends_on", "min")
    hangs = running["starts_on"].to_numpy() >= overdue
    replaced = running["ends_on"].to_numpy() < _by_account(running, ~is_early, "ends_on", "max")
    replaced &= running["starts_on"].to_numpy() < _by_account(running, ~is_early, "starts_on", "max")
    return running[~hangs & ~(is_early & replaced)].reset_index(drop=True)


def _by_account(running: pd.DataFrame, rows: pd.Series, column: str, how: str) -> np.ndarray:
    """Return the first or last day of some rows of each contract's account, NaT without any."""
    days = running[rows].groupby("account_id")[column].agg(how)
    return days.reindex(running["account_id"]).to_numpy()


def _ratios(renewals: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return renewed ÷ expiring of past renewals and their expiring amounts."""
    if len(renewals) < _LEAST_AMOUNTS:
        return np.ones(1), np.ones(1)
    return (renewals["renewed_arr"] / renewals["expiring_arr"]).to_numpy(), renewals["expiring_arr"].to_numpy()


def _said(decided: pd.DataFrame, renewal: BaseRates) -> Floats:
    """Return the base rate of each past decision, by its health 90 days before the end."""
    asked = decided[["segment", f"colour_{LAGS[0]}"]].set_axis(["segment", "colour"], axis=1).assign(lag=LAGS[0])
    return renewal.of(asked)["likelihood"].to_numpy() if len(decided) else np.zeros(0)


def _kinds(store: Store, decided: pd.DataFrame, said: Floats, losses: int) -> Kinds | None:
    """Return what past decisions say of first and later, small and large; None with too few losses to say anything."""
    if losses < store.config.renewals.min_losses:
        return None
    settings, later = store.config.forecast, is_later(store, decided)
    priors = {"prior_later": settings.later_renewal_odds, "prior_size": settings.larger_renewal_odds}
    return kinds(decided, later, said, **priors)


def _shock(store: Store, decided: pd.DataFrame, said: Floats) -> float:
    settings = store.config.forecast
    quarters = (decided["ends_on"].dt.year * 4 + decided["ends_on"].dt.quarter).to_numpy()
    return shock_spread(
        decided["renewed"].to_numpy(dtype="float64"),
        said,
        quarters,
        prior=settings.shock_sd,
        prior_quarters=settings.shock_prior_quarters,
    )

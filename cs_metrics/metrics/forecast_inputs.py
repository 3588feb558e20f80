"""What the revenue forecast starts from: the book cut into contracts, and the rates at which books moved in the past year."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.likelihood import (
    KNOWN_CONTRACTS,
    base_rates,
    past_decisions,
    running_contracts,
    with_likelihood,
)
from cs_metrics.metrics.scope import Scope
from cs_metrics.models.base_rate import LAGS, BaseRates
from cs_metrics.models.forecast import GROWTH, Book, Floats, Growth, Rates, shock_spread
from cs_metrics.store import Store

__all__ = ["DAYS_PER_MONTH", "book_and_rates"]

DAYS_PER_MONTH = 365.25 / 12
_LEAST_AMOUNTS = 10  # with fewer renewals of known amount the ratio renewed ÷ expiring is taken as 1

_BOOK = """
    select mrr_interval.account_id, coalesce(accounts.segment, '') as segment, accounts.started_on, mrr_cents * 12::double / 100 as arr
    from mrr_interval
    inner join scope on scope.account_id = mrr_interval.account_id
    inner join accounts on accounts.account_id = mrr_interval.account_id
    where from_day <= $as_of and (to_day is null or to_day > $as_of)
    order by mrr_interval.account_id
"""

# What each account of the book did in each of the last twelve complete months; months in or after which a contract
# ended are apart, because renewals are forecast by themselves.
_MONTHS = """
    with asked as (
        select month, month_end, month_index
        from months
        where month_end <= $as_of
        order by month_index desc
        limit 12
    ),
    pairs as (
        select
            asked.month_index,
            asked.month_end,
            opening.account_id,
            opening.month as opening_month,
            opening.month_end as opening_end,
            opening.mrr_cents::double as opening,
            coalesce(closing.mrr_cents, 0)::double as closing
        from asked
        inner join months before on before.month_index = asked.month_index - 1
        inner join mrr_month opening on opening.month = before.month
        left join mrr_month closing on closing.month = asked.month and closing.account_id = opening.account_id
    ),
    with_contracts as (
        select
            pairs.month_index,
            pairs.account_id,
            any_value(opening_end) as opening_end,
            any_value(opening) as opening,
            any_value(closing) as closing,
            coalesce(bool_or(contracts.starts_on <= opening_end and contracts.ends_on > opening_end), false) as has_contract,
            coalesce(bool_or(contracts.ends_on >= opening_month and contracts.ends_on <= pairs.month_end), false) as is_due
        from pairs
        left join contracts on contracts.account_id = pairs.account_id and contracts.starts_on <= $as_of
        group by pairs.month_index, pairs.account_id
    )
    select
        coalesce(accounts.segment, '') as segment,
        opening_end < accounts.started_on + 365 as is_first_year,
        has_contract,
        is_due,
        month_index,
        count(*) as account_months,
        count(*) filter (closing = 0) as lost,
        sum(opening) as opening,
        sum(opening * opening) as opening_square,
        sum(case when closing > opening then closing - opening else 0 end) as expansion,
        sum(case when closing > opening then (closing - opening) * (closing - opening) else 0 end) as expansion_square,
        sum(case when closing > 0 and closing < opening then opening - closing else 0 end) as contraction,
        sum(case when closing > 0 and closing < opening then (opening - closing) * (opening - closing) else 0 end)
            as contraction_square
    from with_contracts
    inner join accounts on accounts.account_id = with_contracts.account_id
    group by all
    order by all
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
) -> tuple[Book, Rates]:
    """Return today's book in pieces, and the rates that the past gives; `opens` and `ends` bound the months to come.

    The pieces are those of the accounts in scope, the rates always those of all accounts.
    """
    settings = store.config.forecast
    decided = past_decisions(store, as_of)
    history = store.frame(_MONTHS, as_of=as_of)
    renewal = base_rates(store, decided)
    pieces = _pieces(store, as_of, scope, renewal)
    groups = pd.MultiIndex.from_frame(
        pieces[["has_contract", "segment"]].drop_duplicates().sort_values(["has_contract", "segment"])
    )
    lost = pd.DataFrame([_losses(history, bool(one[0]), str(one[1]), settings.prior_account_months) for one in groups])
    steps = np.searchsorted(np.array(ends, dtype="datetime64[D]"), pieces["ends_on"].to_numpy().astype("datetime64[D]"))
    growth = {kind: _paces(history, kind, pieces, opens, settings.prior_account_months) for kind in GROWTH}
    book = Book(
        value=pieces["value"].to_numpy(),
        due=np.where(pieces["has_contract"], steps, -1).astype("int64"),
        term=pieces["term"].to_numpy(dtype="int64"),
        likelihood=pieces["likelihood"].to_numpy(),
        weight=pieces["weight"].to_numpy(),
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
        growth={kind: _unevenness(history, kind) for kind in GROWTH},
        ratios=ratios,
        ratio_weights=weights,
        shock=_shock(store, decided, renewal),
    )
    return book, rates


def _pieces(store: Store, as_of: dt.date, scope: Scope, renewal: BaseRates) -> pd.DataFrame:
    """Return the book of the as-of day, cut into the parts of each account's running contracts."""
    book = store.frame(_BOOK, scope=scope, as_of=as_of)
    running = _own_terms(running_contracts(store, as_of))
    if renewal.basis == "none":
        running = running.iloc[:0]
    running = with_likelihood(running, renewal)
    joined = book.merge(running.drop(columns=["segment", "name"]), on="account_id", how="left", suffixes=("", "_due"))
    whole = joined.groupby("account_id")["arr_due"].transform("sum")
    parts = joined.groupby("account_id")["account_id"].transform("size")
    share = np.where(whole > 0, joined["arr_due"] / whole.where(whole > 0, 1.0), 1 / parts)
    value = joined["arr"] * share
    term = (joined["ends_on"] - joined["starts_on"]).dt.days / DAYS_PER_MONTH
    return pd.DataFrame(
        {
            "segment": joined["segment"],
            "started_on": joined["started_on"],
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


def _losses(history: pd.DataFrame, has_contract: bool, segment: str, prior: float) -> dict[str, float]:
    """Return losses and account-months of a group outside of renewals, the book's own rate weighing `prior` months.

    Without any month of the kind, an account under contract is not expected to leave before its end, and one
    without is expected to leave as often as all accounts do.
    """
    of = history[(history["has_contract"] == has_contract) & ~history["is_due"]]
    pooled = of if len(of) or has_contract else history
    months = float(pooled["account_months"].sum())
    rate = float(pooled["lost"].sum()) / months if months else 0.0
    own = of[of["segment"] == segment]
    return {"lost": float(own["lost"].sum()) + prior * rate, "months": float(own["account_months"].sum()) + prior}


def _paces(history: pd.DataFrame, kind: str, pieces: pd.DataFrame, opens: list[dt.date], prior: float) -> Floats:
    """Return each piece's growth of one kind in each month (month × piece) as a share of its ARR.

    Accounts in their first year are told from later ones, because they seldom grow alike.
    """
    of = history[~history["is_due"]]
    segments = pieces["segment"].unique()
    by_year = [
        {one: _pace(of, of[of["is_first_year"] == is_first], kind, one, prior) for one in segments}
        for is_first in (True, False)
    ]
    first, later = (pieces["segment"].map(by).to_numpy(dtype="float64") for by in by_year)
    turns = (pieces["started_on"] + pd.Timedelta(days=periods.DAYS_PER_YEAR)).to_numpy()
    return np.stack([np.where(np.datetime64(day) < turns, first, later) for day in opens])


def _pace(everything: pd.DataFrame, of: pd.DataFrame, kind: str, segment: str, prior: float) -> float:
    """Return the growth of one kind per month of a segment's accounts, the other segments weighing `prior` months."""
    of = of if float(of["opening"].sum()) else everything
    opening = float(of["opening"].sum())
    if not opening:
        return 0.0
    own = of[of["segment"] == segment]
    typical = prior * opening / float(of["account_months"].sum())
    return (float(own[kind].sum()) + typical * float(of[kind].sum()) / opening) / (
        float(own["opening"].sum()) + typical
    )


def _unevenness(history: pd.DataFrame, kind: str) -> Growth:
    """Return how unequal growth of one kind is, and how uncertain its pace.

    The pace is uncertain by the standard error of the monthly rates, and because the coming year may differ from the
    past one as much as its second half differed from its first.
    """
    of = history[~history["is_due"]]
    monthly = of.groupby("month_index")[[kind, "opening"]].sum()
    rates = (monthly[kind] / monthly["opening"]).to_numpy()
    squares, mean = float(of["opening_square"].sum()), float(rates.mean()) if len(rates) else 0.0
    error = float(mean > 0)
    if len(rates) >= 4 and mean > 0:
        half = len(rates) // 2
        change = rates[half:].mean() - rates[:half].mean()
        error = min(1.0, float(np.hypot(rates.std(ddof=1) / np.sqrt(len(rates)), change)) / mean)
    return Growth(square=float(of[f"{kind}_square"].sum()) / squares if squares else 0.0, error=error)


def _ratios(renewals: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return renewed ÷ expiring of past renewals and their expiring amounts."""
    if len(renewals) < _LEAST_AMOUNTS:
        return np.ones(1), np.ones(1)
    return (renewals["renewed_arr"] / renewals["expiring_arr"]).to_numpy(), renewals["expiring_arr"].to_numpy()


def _shock(store: Store, decided: pd.DataFrame, renewal: BaseRates) -> float:
    settings = store.config.forecast
    asked = decided[["segment", f"colour_{LAGS[0]}"]].set_axis(["segment", "colour"], axis=1).assign(lag=LAGS[0])
    chances = renewal.of(asked)["likelihood"].to_numpy() if len(decided) else np.zeros(0)
    quarters = (decided["ends_on"].dt.year * 4 + decided["ends_on"].dt.quarter).to_numpy()
    return shock_spread(
        decided["renewed"].to_numpy(dtype="float64"),
        chances,
        quarters,
        prior=settings.shock_sd,
        prior_quarters=settings.shock_prior_quarters,
    )

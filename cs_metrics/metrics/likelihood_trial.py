"""What the likelihood models said before the outcomes were known, as of a day: the trial on which the choice rests."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.likelihood import LANDMARKS, base_rates, past_decisions
from cs_metrics.models.base_rate import LAGS
from cs_metrics.store import Store

__all__ = ["TERMS", "judged", "shuffled", "training"]

TERMS = {"up to 2 months": 62, "up to 7 months": 214, "a year": 400, "longer": 100_000}  # and their most days

_COLUMNS = ("contract_id", "account_id", "segment", "term", "arr", "renewed", "candidate", "likelihood")
_JUDGED = """
    select
        trial.candidate,
        trial.contract_id,
        trial.account_id,
        trial.week_end,
        trial.likelihood,
        cast(contracts.outcome = 'renewed' as double) as renewed,
        contracts.arr_cents::double / 100 as arr,
        coalesce(accounts.segment, '') as segment,
        date_diff('day', contracts.starts_on, contracts.ends_on) as term_days
    from renewal_trial trial
    inner join contracts on contracts.contract_id = trial.contract_id
    inner join accounts on accounts.account_id = trial.account_id
    where
        trial.landmark_days = $landmark and contracts.outcome is not null
        and contracts.decided_on <= $as_of and contracts.ends_on <= $as_of
    order by trial.week_end, trial.contract_id, trial.candidate
"""
_SHUFFLED = """
    select shuffled.*, trial.account_id, trial.likelihood, cast(contracts.outcome = 'renewed' as double) as renewed
    from renewal_shuffled shuffled
    inner join renewal_trial trial
        on trial.trained_on = shuffled.trained_on and trial.candidate = shuffled.candidate
        and trial.contract_id = shuffled.contract_id and trial.landmark_days = $landmark
    inner join contracts on contracts.contract_id = shuffled.contract_id
    where
        shuffled.candidate = $candidate and contracts.outcome is not null
        and contracts.decided_on <= $as_of and contracts.ends_on <= $as_of
    order by shuffled.contract_id
"""


def training(store: Store, as_of: dt.date) -> pd.DataFrame:
    """Return the training in force on a day, one row per candidate; empty before the first quarter-end of the contracts.

    It is that of the last quarter-end on or before the last complete week, which that week was scored by.
    """
    sql = """
        select * from renewal_training
        where trained_on = (select max(trained_on) from renewal_training where trained_on <= $week_end)
        order by candidate
    """
    return store.frame(sql, week_end=periods.last_full_week_end(as_of))


def judged(store: Store, as_of: dt.date, landmark: int = LANDMARKS[0]) -> pd.DataFrame:
    """Return what each candidate said of contracts that were decided, and ended, by the day.

    While no model has been tried on any, it is the base rate as of the first day of the quarter in which each contract had
    90 days to run.

    Columns: candidate ("base": the base rate, "overall": the overall rate known then), contract_id, account_id, week_end (of
        the landmark), likelihood, renewed (0 or 1), arr, segment, term_days, term
    """
    found = store.frame(_JUDGED, as_of=as_of, landmark=landmark)
    if found.empty:
        return _by_base_rate(store, past_decisions(store, as_of))
    edges = [0, *TERMS.values()]
    found["term"] = pd.cut(found["term_days"], edges, labels=list(TERMS)).astype("str")
    return found


def shuffled(store: Store, as_of: dt.date, candidate: str) -> pd.DataFrame:
    """Return what a candidate would have said of each judged contract with one factor drawn from another contract.

    Columns: contract_id, account_id, likelihood, renewed, and per factor <factor>_kept and <factor>_lost: the mean
        logarithm of the likelihood of being renewed and of being lost
    """
    return store.frame(_SHUFFLED, as_of=as_of, candidate=candidate, landmark=LANDMARKS[0])


def _by_base_rate(store: Store, decided: pd.DataFrame) -> pd.DataFrame:
    """Score each past contract by the base rate of what was decided before the quarter in which it had 90 days to run."""
    begins = [periods.add_days(day, -LAGS[0]) for day in decided["ends_on"].dt.date]
    decided = decided.assign(quarter=pd.to_datetime([periods.quarter_start(day) for day in begins]))
    parts = [pd.DataFrame({name: [] for name in _COLUMNS}, dtype=float)]
    for quarter, asked in decided.groupby("quarter", sort=True):
        before = decided[(decided["ends_on"] < quarter) & (decided["decided_on"] < quarter)]
        if before.empty:
            continue
        rates = base_rates(store, before)
        rows = asked[["segment", f"colour_{LAGS[0]}"]].set_axis(["segment", "colour"], axis=1).assign(lag=LAGS[0])
        about = asked.assign(term=np.array(list(TERMS))[np.searchsorted(list(TERMS.values()), asked["term_days"])])
        said = about[["contract_id", "account_id", "segment", "term", "arr", "renewed"]]
        parts.append(said.assign(candidate="base", likelihood=rates.of(rows)["likelihood"]))
        parts.append(said.assign(candidate="overall", likelihood=rates.overall))
    return pd.concat(parts, ignore_index=True)

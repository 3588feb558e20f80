"""How likely an open contract is to be renewed: as a model of past decisions says, else their base rate.

The model is learned as of each quarter-end, and scores every running contract each week when a generation is made; as of
a day its score is that of the last complete week. Where no model is used, the base rate of past decisions stands in.

A contract is known from its first day; its outcome, new amount and new term are known from the day it was decided. An
outcome without a day of decision is not counted, because nobody can say since when it has been known.
"""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.models import base_rate
from cs_metrics.models.base_rate import LAGS, BaseRates, Floats
from cs_metrics.store import Store

__all__ = [
    "KNOWN_CONTRACTS",
    "LANDMARKS",
    "SCORE_HOLDS_DAYS",
    "base_rates",
    "in_use",
    "landmark_of",
    "open_contracts",
    "past_decisions",
    "running_contracts",
    "with_likelihood",
]

LANDMARKS = (90, 30, 270)  # days before the end at which the models learn, the one that they are judged by first
_NEAREST = (
    (60, 30),
    (180, 90),
)  # contracts with fewer days left than this are read at this landmark, others at the last
SCORE_HOLDS_DAYS = 14  # a score may lie so many days back: the account was a customer then

# The contracts as somebody saw them on the evening of $as_of.
KNOWN_CONTRACTS = """
    known as (
        select
            contract_id, account_id, starts_on, ends_on, arr_cents, auto_renews, owner, forecast as owner_call,
            case when decided_on <= $as_of then outcome end as outcome,
            case when decided_on <= $as_of and outcome is not null then decided_on end as decided_on,
            case when decided_on <= $as_of and outcome = 'renewed' then renewed_arr_cents end as renewed_cents,
            case when decided_on <= $as_of and outcome = 'renewed' then renewed_until end as renewed_until
        from contracts
        where starts_on <= $as_of
    )"""

# The colour of each asked (contract_id, account_id, lag, day): of the last Sunday, else the first colour ever known. At
# longer lags many accounts were not customers yet, and their first colour would be that of a later day.
_COLOURS = """
    first_colour as (
        select account_id, min(week_end) as week_end, arg_min(colour, week_end) as colour
        from account_week_health
        where colour <> 'none' and week_end <= $as_of
        group by account_id
    ),
    coloured as (
        select
            asked.contract_id, asked.lag,
            case when asked.lag <= $first_lag then coalesce(week.colour, first_colour.colour, 'none') else week.colour end as colour
        from asked
        left join account_week_health week
            on week.account_id = asked.account_id
            and week.week_end = asked.day - cast(isodow(asked.day) % 7 as integer)
        left join first_colour on first_colour.account_id = asked.account_id
    )"""


def landmark_of(days_left: pd.Series) -> np.ndarray:
    """Return the landmark at which a contract with so many days left is read."""
    found: np.ndarray = np.select(
        [days_left < limit for limit, _ in _NEAREST], [one for _, one in _NEAREST], LANDMARKS[-1]
    )
    return found


def past_decisions(store: Store, as_of: dt.date) -> pd.DataFrame:
    """Return the contracts that teach the base rate: decided by `as_of`, with an end that has passed by then.

    Contracts decided before their end, but whose end is still to come, are left out: at such a time only the early
    decisions are known, and those are not like the others.

    Columns: contract_id, account_id, segment, starts_on, ends_on, decided_on, arr, renewed_arr (NaN where not told), renewed
    (0 or 1), days_late (after the end, negative when early), term_days, colour_90 … colour_360 (health so many days before the end, at
    the longer lags empty where the account had no week of health then).
    """
    sql = f"""
        with {KNOWN_CONTRACTS},
        decided as (
            select known.*, coalesce(accounts.segment, '') as segment
            from known
            inner join accounts on accounts.account_id = known.account_id
            where known.outcome is not null and known.ends_on <= $as_of
        ),
        asked as (
            select contract_id, account_id, ends_on - cast(lag as integer) as day, lag
            from decided
            cross join (select unnest($lags) as lag) as lags
        ),
        {_COLOURS},
        wide as (
            select contract_id, {", ".join(f"max(case when lag = {lag} then colour end) as colour_{lag}" for lag in LAGS)}
            from coloured
            group by contract_id
        )
        select
            decided.contract_id, account_id, segment, starts_on, ends_on, decided_on,
            arr_cents::double / 100 as arr,
            renewed_cents::double / 100 as renewed_arr,
            cast(outcome = 'renewed' as bigint) as renewed,
            date_diff('day', ends_on, decided_on) as days_late,
            date_diff('day', starts_on, ends_on) as term_days,
            {", ".join(f"colour_{lag}" for lag in LAGS)}
        from decided
        inner join wide on wide.contract_id = decided.contract_id
        order by ends_on, decided.contract_id
    """
    return store.frame(sql, as_of=as_of, lags=LAGS, first_lag=LAGS[0])


def base_rates(store: Store, decided: pd.DataFrame) -> BaseRates:
    """Return the base rates of these decisions under the settings of the data folder."""
    settings = store.config.renewals
    return base_rate.fit(
        decided,
        prior=settings.prior_decisions,
        min_decisions=settings.min_decisions,
        min_losses=settings.min_losses,
    )


def in_use(store: Store, as_of: dt.date) -> str:
    """Return the model that scored the last complete week, empty where the base rate is used."""
    sql = """
        select any_value(candidate) from renewal_training
        where
            trained_on = (select max(trained_on) from renewal_training where trained_on <= $week_end)
            and is_chosen and candidate <> 'base'
    """
    return str(store.value(sql, week_end=periods.last_full_week_end(as_of)) or "")


def open_contracts(store: Store, as_of: dt.date) -> pd.DataFrame:
    """Return every contract that is undecided on `as_of`, overdue ones included, of all accounts.

    Left out as superseded is a contract that ended more than `renewals.superseded_days` ago while a later one of the
    same account has begun on or after its end. Not at once: a contract renewed late starts, on paper, on the day
    the old one ended, so an earlier rule would let the later decision be seen.

    Columns: contract_id, account_id, name, segment, csm, owner, starts_on, ends_on, days_left (negative once past),
    arr, auto_renews, owner_call, lag and colour (health 90 days before the end, the newest where that is to come), and
    scored, scored_weight, scored_by, scored_week, trained_on: the likelihood by a model, empty where none is used.
    """
    found = running_contracts(store, as_of)
    return found[found["state"] == "undecided"].drop(columns=["state", "renewed_arr"]).reset_index(drop=True)


def running_contracts(store: Store, as_of: dt.date) -> pd.DataFrame:
    """Return `open_contracts` together with those decided before their end has come, and terms that nobody wrote down.

    Columns: as `open_contracts`, and
        state: "undecided"; "renewed" or "churned" already, with an end to come; or "follows": the last contract was
            renewed until a day to come and no later contract stands for it, so ends_on and arr are those agreed on
        renewed_arr: the new amount of a contract renewed already, NaN where it was not told
    """
    sql = f"""
        with {KNOWN_CONTRACTS},
        followed as (
            select contract_id, max(later_id) is not null as has_later
            from (
                select known.contract_id, later.contract_id as later_id
                from known
                left join known later
                    on later.account_id = known.account_id
                    and later.contract_id <> known.contract_id
                    and later.starts_on >= known.ends_on
            )
            group by contract_id
        ),
        running as (
            select
                known.* exclude (outcome, ends_on, arr_cents),
                case
                    when outcome is null then 'undecided'
                    when ends_on > $as_of then outcome
                    else 'follows'
                end as state,
                case when outcome is not null and ends_on <= $as_of then renewed_until else ends_on end as ends_on,
                case
                    when outcome is not null and ends_on <= $as_of then coalesce(renewed_cents, arr_cents)
                    else arr_cents
                end as arr_cents
            from known
            inner join followed on followed.contract_id = known.contract_id
            where
                (outcome is null and (ends_on + $superseded_days >= $as_of or not has_later))
                or (outcome is not null and ends_on > $as_of)
                or (outcome = 'renewed' and ends_on <= $as_of and renewed_until > $as_of and not has_later)
        ),
        asked as (
            select
                contract_id, account_id, 0 as lag,
                case when ends_on - 90 <= $as_of then ends_on - 90 else cast($as_of as date) end as day
            from running
        ),
        {_COLOURS},
        scores as (
            select score.*
            from renewal_score score
            inner join running on running.contract_id = score.contract_id
            where
                running.state = 'undecided' and score.week_end <= $as_of
                and score.week_end > least(running.ends_on, cast($as_of as date)) - $score_holds_days
            qualify row_number() over (partition by score.contract_id order by score.week_end desc) = 1
        )
        select
            running.contract_id, running.account_id, accounts.name, coalesce(accounts.segment, '') as segment,
            accounts.csm, running.owner, starts_on, ends_on,
            date_diff('day', cast($as_of as date), ends_on) as days_left,
            arr_cents::double / 100 as arr, auto_renews, owner_call, coloured.colour, state,
            renewed_cents::double / 100 as renewed_arr,
            scores.likelihood as scored, scores.weight as scored_weight, scores.candidate as scored_by,
            scores.week_end as scored_week, scores.trained_on
        from running
        inner join coloured on coloured.contract_id = running.contract_id
        left join scores on scores.contract_id = running.contract_id
        inner join accounts on accounts.account_id = running.account_id
        order by ends_on, running.contract_id
    """
    found = store.frame(
        sql,
        as_of=as_of,
        first_lag=LAGS[0],
        superseded_days=store.config.renewals.superseded_days,
        score_holds_days=SCORE_HOLDS_DAYS,
    )
    found["lag"] = base_rate.lag_of(found["days_left"])
    return found


def with_likelihood(contracts: pd.DataFrame, rates: BaseRates) -> pd.DataFrame:
    """Return contracts (as of `open_contracts`) with their likelihood of being renewed and what it rests on.

    It is the score of the model in use, else the base rate. A contract past its end is weighed once more against those
    that were still undecided as many days after theirs: of these, the ones that are still open count as not renewed.

    Columns: as given, and
        likelihood: chance of renewal, NaN where nothing was ever decided
        decisions, renewed: support, past decisions of the same group and how many of them were renewed
        group_rate, overall: base rate of the group, and of all decisions
        late_decisions, late_renewed: support among contracts that were undecided as many days past their end
        weight: how many decisions the likelihood is worth, for intervals
        basis: the model ("logistic", "forest" or "boosting"), else "segment and health", "segment" or "none"
    """
    found = contracts.join(rates.of(contracts[["segment", "lag", "colour"]])[["decisions", "renewed", "likelihood"]])
    found["group_rate"], found["overall"] = found["likelihood"], rates.overall
    late = -found["days_left"].to_numpy(dtype="float64")
    is_late = late > 0
    still_open = _at_least(late[is_late], late) - 1  # the contract itself is no evidence
    found["late_decisions"] = np.where(is_late, _at_least(rates.days_late, late) + still_open, 0.0)
    found["late_renewed"] = np.where(is_late, _at_least(rates.days_late_renewed, late), 0.0)
    support = found["decisions"].to_numpy()
    kept, counted, group = (found[one].to_numpy() for one in ("late_renewed", "late_decisions", "group_rate"))
    if rates.basis == "segment and health":
        found["likelihood"] = np.where(is_late, base_rate.shrunk(kept, counted, group, rates.prior), group)
        support = np.where(is_late, counted, support)
    scored = found["scored"].to_numpy(dtype="float64", na_value=np.nan)
    is_scored = ~np.isnan(scored)
    by_model = np.where(
        is_late, _moved(scored, base_rate.shrunk(kept, counted, rates.overall, rates.prior), rates.overall), scored
    )
    found["likelihood"] = np.where(is_scored, by_model, found["likelihood"])
    found["weight"] = np.where(
        is_scored, found["scored_weight"].to_numpy(dtype="float64", na_value=np.nan), support + rates.prior
    )
    found["basis"] = found["scored_by"].where(is_scored, rates.basis).astype("str")
    return found


def _moved(chance: Floats, to: Floats, of: float) -> Floats:
    """Return a chance whose odds are moved as those of a group move from the rate `of` to the rate `to`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = chance / (1 - chance) * (to / (1 - to)) / (of / (1 - of))
        found: Floats = odds / (1 + odds)
    return found


def _at_least(values: Floats, limits: Floats) -> Floats:
    """Return for each limit how many of the values reach it."""
    found: Floats = len(values) - np.searchsorted(np.sort(values), limits).astype("float64")
    return found

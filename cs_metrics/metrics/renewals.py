"""The renewal pipeline: what is due, how much of it will come, and what must happen this week."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics.likelihood import (
    KNOWN_CONTRACTS,
    base_rates,
    in_use,
    open_contracts,
    past_decisions,
    with_likelihood,
)
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.renewal_plan import BEFORE_PLAN, with_plan, with_priority, with_priority_words
from cs_metrics.metrics.renewal_reasons import with_reasons
from cs_metrics.metrics.renewal_written import with_calls, with_next_step, with_said
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.shared import shared
from cs_metrics.models.base_rate import BASIS_WORDS, BaseRates
from cs_metrics.store import Store

__all__ = [
    "CATEGORIES",
    "open_called",
    "open_with_likelihood",
    "pipeline_rows",
    "renewal_pipeline",
    "renewals_by_step",
    "renewals_by_week",
    "renewals_summary",
    "with_category",
]

CATEGORIES = ("commit", "best_case", "at_risk", "unknown")
_PIPELINE = [
    "contract_id", "account_id", "name", "segment", "csm", "owner", "ends_on", "days_left", "arr", "likelihood",
    "expected_arr", "category", "category_by", "priority", "priority_why", "plan_step", "overdue_steps", "overdue_names",
    "next_step", "next_step_on", "reasons_for", "reasons_against", "open_problems", "colour", "score", "auto_renews", "basis",
    "owner_call", "called_on", "called_by", "next_step_owner", "open_promises", "last_note", "last_note_by", "last_note_on",
]  # fmt: skip


@metric(needs=("contracts",), reads=("cta", "renewal", "promise"), page="Renewals")
def renewal_pipeline(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, days: int | None = None
) -> pd.DataFrame:
    """The undecided contracts that end in the next days, and those past their end and still undecided, by priority.

    A contract is known from its first day, its outcome from the day it was decided; contracts that renew by themselves
    are in the list too. Overdue are those with negative days_left, however long ago they ended; a contract that ended
    more than `renewals.superseded_days` ago while a later one of the account has begun on or after its end is no longer
    listed. `days` is renewals.window_days by default. Likelihoods and priorities rest on all accounts, so they do not
    change with the filter. The owner's own call is the one written on the page, from its day on; else the imported one,
    which carries no date and counts as it stands now. A step or a next step written on the page counts from its day, too.

    Formula: expected_arr = likelihood × arr; likelihood: see likelihood_card and renewal_base_rates; category = the owner's own call, else
        commit from renewals.commit_from, best case from renewals.best_case_from, at risk below;
        priority = points for ARR at stake (arr × (1 - likelihood), ranked among all open contracts) + points for time.
    Columns:
        contract_id, account_id, name, segment, csm, owner: the contract and its account
        ends_on, days_left: day of the end, and days until then (negative: overdue)
        arr: annual value that is due
        likelihood: chance of renewal, empty where nothing was ever decided
        expected_arr: likelihood × arr
        category: commit, best_case, at_risk, or unknown without call and likelihood
        category_by: whether the owner's call or the likelihood says so
        priority, priority_why: 0 to 100, and its parts in words
        plan_step: the step of the renewal plan whose time it is
        overdue_steps, overdue_names: steps past their day that no message, meeting or person says are done
        next_step, next_step_on: the next step that somebody wrote, else the earliest of the plan to do, and its day
        reasons_for, reasons_against: what moves the likelihood most, then facts of the account, separated by "; "
        open_problems: urgent or old tickets, broken promises and flagged calls to action
        colour, score: health of the newest complete week
        auto_renews: whether it renews by itself
        basis: what the likelihood is
        owner_call: the owner's own call: commit, best_case or at_risk
        called_on, called_by: since when and by whom, for a call written on the page
        next_step_owner: who does the next step
        open_promises: promises to the account neither kept nor withdrawn, empty where none was ever loaded or written
        last_note, last_note_by, last_note_on: what was last said about the contract, by whom, on which day
    """
    found = with_reasons(store, pipeline_rows(store, as_of, scope, days), as_of)
    found = with_priority_words(found, store.config.renewals, store.config.currency)
    found = with_said(store, found, as_of)
    found = found.drop(columns="colour").rename(columns={"colour_now": "colour", "score_now": "score"})
    found["basis"] = found["basis"].map(BASIS_WORDS).astype("str")
    return found[_PIPELINE]


@metric(needs=("contracts",), reads=("renewal",), page="Renewals")
def renewals_summary(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, days: int | None = None
) -> pd.DataFrame:
    """What is due in the next days in one row: the amount, how much is expected, and how it is called.

    Due are the undecided contracts of the pipeline that have not ended yet; the overdue ones are counted apart.

    Formula: due_arr = commit_arr + best_case_arr + at_risk_arr + unknown_arr; expected_arr = Σ likelihood × arr.
    Columns:
        contracts, due_arr: undecided contracts that end in the window, and their ARR
        expected_arr: of these expected to be renewed, empty where no likelihood is known
        expected_share: expected_arr ÷ due_arr
        commit_arr, best_case_arr, at_risk_arr, unknown_arr: due_arr by category
        overdue, overdue_arr, overdue_expected_arr: contracts past their end and undecided
        behind, behind_arr: contracts of either kind with steps of the plan overdue
        unchecked: whether neither messages nor meetings were loaded, so that no step can be seen as done
        early_renewed, early_renewed_arr, early_lost, early_lost_arr: contracts that end in the window, decided already
        decisions, losses: past decisions that the likelihood rests on
        basis: what the likelihood is
    """
    found = pipeline_rows(store, as_of, scope, days)
    due, overdue = found[found["days_left"] >= 0], found[found["days_left"] < 0]
    behind = found[found["overdue_steps"].fillna(0) > 0]
    rates = _rates(store, as_of)
    row = {
        "contracts": len(due),
        "due_arr": due["arr"].sum(),
        "expected_arr": _expected(due),
        "expected_share": _expected(due) / due["arr"].sum() if due["arr"].sum() else np.nan,
        **{f"{category}_arr": due.loc[due["category"] == category, "arr"].sum() for category in CATEGORIES},
        "overdue": len(overdue),
        "overdue_arr": overdue["arr"].sum(),
        "overdue_expected_arr": _expected(overdue),
        "behind": len(behind),
        "behind_arr": behind["arr"].sum(),
        "unchecked": not (store.has("messages") or store.has("meetings")),
        **_decided_early(store, as_of, scope, _window(store, days)),
        "decisions": rates.decisions,
        "losses": rates.losses,
        "basis": BASIS_WORDS[in_use(store, as_of) or rates.basis],
    }
    return pd.DataFrame([row])


@metric(needs=("contracts",), reads=("renewal",), page="Renewals")
def renewals_by_week(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, days: int | None = None
) -> pd.DataFrame:
    """ARR of the pipeline by the week in which the contracts end and by category; the overdue ones stand first.

    Formula: due_arr = commit_arr + best_case_arr + at_risk_arr + unknown_arr.
    Columns:
        week: Monday of the week in which the contracts end, empty for those overdue
        contracts: undecided contracts
        due_arr: their ARR
        expected_arr: Σ likelihood × arr
        commit_arr, best_case_arr, at_risk_arr, unknown_arr: due_arr by category
    """
    window = _window(store, days)
    found = pipeline_rows(store, as_of, scope, days)
    weeks = periods.periods_between(as_of, periods.add_days(as_of, window), "week")
    of = [
        periods.week_start_of(day.date()) if left >= 0 else None
        for day, left in zip(found["ends_on"], found["days_left"], strict=True)
    ]
    rows = []
    for week in [None, *weeks]:
        part = found[np.array([one == week for one in of], dtype=bool)]
        amounts = {f"{category}_arr": part.loc[part["category"] == category, "arr"].sum() for category in CATEGORIES}
        rows.append(
            {
                "week": week,
                "contracts": len(part),
                "due_arr": part["arr"].sum(),
                "expected_arr": _expected(part),
                **amounts,
            }
        )
    table = pd.DataFrame(rows)
    table["week"] = pd.to_datetime(table["week"]).astype("datetime64[us]")
    return table


@metric(needs=("contracts",), reads=("renewal",), page="Renewals")
def renewals_by_step(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, days: int | None = None
) -> pd.DataFrame:
    """The pipeline by the step of the renewal plan whose time it is, in the order of the plan.

    Columns:
        plan_step: name of the step, "Before the plan" where none is due yet
        from_days: the step's day, in days before the end
        contracts: undecided contracts whose time it is, overdue ones at the last step
        due_arr: their ARR
        expected_arr: Σ likelihood × arr
        behind, behind_arr: of these with any step overdue
        overdue_steps: overdue steps of these contracts, empty where neither messages nor meetings were loaded
        commit_arr, best_case_arr, at_risk_arr, unknown_arr: due_arr by category
    """
    found = pipeline_rows(store, as_of, scope, days)
    steps = [(BEFORE_PLAN, pd.NA), *((step.name, step.days) for step in store.config.renewals.plan_steps)]
    rows = []
    for name, step_days in steps:
        part = found[found["plan_step"] == name]
        behind = part[part["overdue_steps"].fillna(0) > 0]
        rows.append(
            {
                "plan_step": name,
                "from_days": step_days,
                "contracts": len(part),
                "due_arr": part["arr"].sum(),
                "expected_arr": _expected(part),
                "behind": len(behind),
                "behind_arr": behind["arr"].sum(),
                "overdue_steps": part["overdue_steps"].sum(min_count=1) if len(part) else 0,
                **{f"{one}_arr": part.loc[part["category"] == one, "arr"].sum() for one in CATEGORIES},
            }
        )
    return pd.DataFrame(rows).astype({"from_days": "Int64", "overdue_steps": "Int64"})


def open_with_likelihood(store: Store, as_of: dt.date) -> pd.DataFrame:
    """Return all undecided contracts of all accounts with likelihood, what is expected, and priority."""
    return shared(store, "open_with_likelihood", _open_with_likelihood, as_of=as_of)


def open_called(store: Store, as_of: dt.date) -> pd.DataFrame:
    """Return `open_with_likelihood` with the owner's own call (owner_call, called_on, called_by) and the category."""
    return with_category(store, open_with_likelihood(store, as_of), as_of)


def with_category(store: Store, contracts: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Return contracts with likelihood with the owner's own call that holds on a day, and their forecast category.

    Columns: as given, and owner_call, called_on, called_by (`with_calls`), category and category_by
    """
    settings = store.config.renewals
    found = with_calls(store, contracts, as_of)
    has_call = found["owner_call"].notna()
    by_likelihood = np.select(
        [
            found["likelihood"] >= settings.commit_from,
            found["likelihood"] >= settings.best_case_from,
            found["likelihood"].notna(),
        ],
        CATEGORIES[:3],
        CATEGORIES[3],
    )
    found["category"] = found["owner_call"].where(has_call, pd.Series(by_likelihood, index=found.index, dtype="str"))
    found["category_by"] = np.where(has_call, "owner", "likelihood")
    return found


def _rates(store: Store, as_of: dt.date) -> BaseRates:
    return base_rates(store, shared(store, "past_decisions", past_decisions, as_of=as_of))


def _open_with_likelihood(store: Store, as_of: dt.date) -> pd.DataFrame:
    found = with_likelihood(open_contracts(store, as_of), _rates(store, as_of))
    found["expected_arr"] = found["arr"] * found["likelihood"]
    return with_priority(found, store.config.renewals)


def pipeline_rows(store: Store, as_of: dt.date, scope: Scope, days: int | None) -> pd.DataFrame:
    """Return the contracts of the pipeline by priority, with likelihood, category, plan and next step, without reasons."""
    return shared(store, "pipeline", _planned, as_of=as_of, scope=scope, window=_window(store, days))


def _planned(store: Store, as_of: dt.date, scope: Scope, window: int) -> pd.DataFrame:
    found = open_called(store, as_of)
    found = found[found["days_left"] <= window]
    if scope.where:
        asked = {str(row[0]) for row in store.rows("select account_id from scope", scope=scope)}
        found = found[found["account_id"].isin(asked)]
    found = found.sort_values(["priority", "arr", "contract_id"], ascending=[False, False, True], ignore_index=True)
    return with_next_step(store, with_plan(store, found, as_of), as_of)


def _window(store: Store, days: int | None) -> int:
    window = store.config.renewals.window_days if days is None else days
    if not 0 <= window <= 3660:
        raise MetricError(f"days={window} is not possible: write a number of days from 0 to 3660.")
    return window


def _expected(part: pd.DataFrame) -> float:
    """Sum what is expected: 0 for no contracts, unknown where a likelihood is."""
    return float(part["expected_arr"].sum(skipna=False))


def _decided_early(store: Store, as_of: dt.date, scope: Scope, window: int) -> dict[str, float]:
    sql = f"""
        with {KNOWN_CONTRACTS}
        select
            count(*) filter (outcome = 'renewed') as early_renewed,
            coalesce(sum(arr_cents) filter (outcome = 'renewed'), 0)::double / 100 as early_renewed_arr,
            count(*) filter (outcome = 'churned') as early_lost,
            coalesce(sum(arr_cents) filter (outcome = 'churned'), 0)::double / 100 as early_lost_arr
        from known
        inner join scope on scope.account_id = known.account_id
        where ends_on >= $as_of and ends_on <= $last
    """
    found = store.frame(sql, scope=scope, as_of=as_of, last=periods.add_days(as_of, window))
    return {str(name): found[name].iloc[0] for name in found}

"""One renewal on the desk: its plan as a checklist, and what was written about it."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics.errors import MetricError, hint
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.renewal_plan import plan_of
from cs_metrics.metrics.renewals import open_with_likelihood
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["renewal_history", "renewal_steps"]

_STATES = ("done", "overdue", "due", "to come", "passed unseen")


@metric(needs=("contracts",), reads=("renewal",), page="Renewals")
def renewal_steps(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, contract_id: str = "", days: int | None = None
) -> pd.DataFrame:
    """The renewal plan of an undecided contract as a checklist: which steps are done, since when, and who says so.

    With `contract_id` that contract only; without, every contract of the pipeline (`days`: renewals.window_days by
    default). A step is done when a message or a held meeting of its kinds shows it, or when a person says so; a person
    can open it again. Only what counts by the as-of day is seen.

    Columns:
        contract_id, account_id: the contract
        position, step: place and name of the step
        from_days, due_on: its day, in days before the end and as a date
        state: done, overdue, due (its time has come, and the next one's has not), to come, or passed unseen for a step
            that is past its day, not said to be done, and that no message or meeting could show
        done_on: the day on which it was done
        done_by: the message or meeting that shows it, or who says so
        note: what was said with it
    """
    found = open_with_likelihood(store, as_of)
    asked = {str(row[0]) for row in store.rows("select account_id from scope", scope=scope)}
    found = found[found["account_id"].isin(asked)]
    window = store.config.renewals.window_days if days is None else days
    chosen = found["contract_id"] == contract_id if contract_id else found["days_left"] <= window
    if contract_id and not chosen.any():
        raise MetricError(
            f"No undecided contract '{contract_id}' is there on {as_of}.{hint(contract_id, found['contract_id'])}"
        )
    found = found[chosen].reset_index(drop=True)
    plan = plan_of(store, found, as_of)
    days_of = np.array([step.days for step in plan.steps])
    left = found["days_left"].to_numpy()[:, None]
    following = np.append(days_of[1:], np.iinfo("int64").min)
    is_due = (left <= days_of) & (left > following)
    state = np.select([plan.done, is_due & ~plan.overdue, plan.overdue, left > days_of], [0, 2, 1, 3], 4)
    count = len(plan.steps)
    ends = found["ends_on"].to_numpy().astype("datetime64[D]")[:, None]
    return pd.DataFrame(
        {
            "contract_id": np.repeat(found["contract_id"].to_numpy(), count),
            "account_id": np.repeat(found["account_id"].to_numpy(), count),
            "position": np.tile(np.arange(1, count + 1), len(found)),
            "step": pd.array([step.name for step in plan.steps] * len(found), dtype="str"),
            "from_days": np.tile(days_of, len(found)),
            "due_on": (ends - days_of[None, :]).ravel().astype("datetime64[us]"),
            "state": pd.array([_STATES[one] for one in state.ravel()], dtype="str"),
            "done_on": plan.done_on.ravel().astype("datetime64[us]"),
            "done_by": pd.array(plan.done_by.ravel(), dtype="str"),
            "note": pd.array(plan.note.ravel(), dtype="str"),
        }
    )


@metric(needs=("contracts",), reads=("renewal", "promise"), page="Renewals")
def renewal_history(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, contract_id: str = "") -> pd.DataFrame:
    """What was written about a renewal up to the day, the newest first: steps, calls, next steps, notes and promises.

    With `contract_id` only what is about that contract, and the promises to its account made or ended by hand; without,
    everything. `day` is the day from which it counts, `written_at` when it was written.

    Columns:
        day: the day from which it counts
        contract_id: the contract, empty for a promise
        account_id, name: the account
        what: what was done or said
        note: what was said with it
        author: who wrote it
        written_at: when it was written, UTC
    Source: the workspace.
    """
    sql = """
        with about as (
            select contract_id, account_id from contracts
            where starts_on <= $as_of and $contract_id in ('', contract_id)
        ),
        happened as (
            select
                entry.effective_on as day, entry.seq, entry.subject as contract_id, entry.account_id, entry.note,
                entry.author, entry.written_at,
                case entry.action
                    when 'step_done' then 'step done: ' || (body ->> 'step') || coalesce(
                        ', on ' || strftime(cast(body ->> 'done_on' as date), '%-d %b %Y'), '')
                    when 'step_reopened' then 'step opened again: ' || (body ->> 'step')
                    when 'call' then 'own call: ' || replace(body ->> 'call', '_', ' ')
                    when 'call_withdrawn' then 'own call withdrawn'
                    when 'next_step' then 'next step: ' || (body ->> 'text')
                        || coalesce(', by ' || strftime(cast(body ->> 'due_on' as date), '%-d %b %Y'), '')
                        || coalesce(', ' || (body ->> 'owner'), '')
                    when 'next_step_done' then 'next step done'
                    else 'note'
                end as what
            from entry
            inner join about on about.contract_id = entry.subject
            where entry.topic = 'renewal' and entry.effective_on <= $as_of
            union all
            select
                entry.effective_on, entry.seq, '', entry.account_id, entry.note, entry.author, entry.written_at,
                case entry.action when 'make' then 'promised: ' when 'keep' then 'promise kept: ' else 'promise withdrawn: ' end
                    || coalesce(promises.promise, entry.subject)
            from entry
            left join promises on promises.promise_id = entry.subject and promises.made_on <= $as_of
            where entry.topic = 'promise' and entry.effective_on <= $as_of
                and entry.account_id in (select account_id from about)
        )
        select
            happened.day, happened.contract_id, happened.account_id, accounts.name, happened.what, happened.note,
            happened.author, happened.written_at
        from happened
        inner join scope on scope.account_id = happened.account_id
        inner join accounts on accounts.account_id = happened.account_id
        order by happened.day desc, happened.seq desc
    """
    return store.frame(sql, scope=scope, as_of=as_of, contract_id=contract_id)

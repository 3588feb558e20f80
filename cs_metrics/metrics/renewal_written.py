"""What people wrote about renewals, as it stood on a day: steps done, their own calls, next steps, what was last said.

The last word about a thing counts, by the day from which it counts and then by the order of writing.
"""

import datetime as dt

import pandas as pd

from cs_metrics.store import Store

__all__ = ["steps_written", "with_calls", "with_next_step", "with_said"]

WrittenStep = tuple[str, str, str, dt.date, dt.date, str, str]


def steps_written(store: Store, as_of: dt.date) -> list[WrittenStep]:
    """Return per contract and step the last word on it: contract_id, step, action, told on, done on, author, note."""
    sql = """
        select
            subject, body ->> 'step', action, effective_on,
            coalesce(cast(body ->> 'done_on' as date), effective_on), author, note
        from entry
        where topic = 'renewal' and action in ('step_done', 'step_reopened') and effective_on <= $as_of
        qualify row_number() over (partition by subject, body ->> 'step' order by effective_on desc, seq desc) = 1
        order by subject, seq
    """
    return store.rows(sql, as_of=as_of)


def with_calls(store: Store, contracts: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Return contracts (contract_id, owner_call as imported) with the owner's own call that holds on a day.

    A call written here wins over the imported one from its day on, until it is withdrawn. An imported one carries no
    day: it counts as it stands now.

    Columns: as given, and owner_call (commit, best_case, at_risk or empty), called_on and called_by (empty for an imported one)
    """
    sql = """
        select subject as contract_id, body ->> 'call' as own_call, effective_on as called_on, author as called_by
        from entry
        where topic = 'renewal' and action in ('call', 'call_withdrawn') and effective_on <= $as_of
        qualify row_number() over (partition by subject order by effective_on desc, seq desc) = 1
    """
    found = _joined(contracts, store.frame(sql, as_of=as_of))
    is_own = found["own_call"].notna()
    found["owner_call"] = found["own_call"].where(is_own, found["owner_call"])
    found["called_on"], found["called_by"] = found["called_on"].where(is_own), found["called_by"].where(is_own, None)
    return found.drop(columns="own_call")


def with_next_step(store: Store, contracts: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Return contracts with the next step that somebody wrote, where it is not done yet, before that of the plan.

    Columns: as given, and next_step, next_step_on (empty where no day was said), next_step_owner (who does it, else the owner)
    """
    sql = """
        select
            subject as contract_id, action = 'next_step' as is_own, body ->> 'text' as own_text,
            cast(body ->> 'due_on' as date) as own_due_on, coalesce(body ->> 'owner', author) as own_owner
        from entry
        where topic = 'renewal' and action in ('next_step', 'next_step_done') and effective_on <= $as_of
        qualify row_number() over (partition by subject order by effective_on desc, seq desc) = 1
    """
    found = _joined(contracts, store.frame(sql, as_of=as_of))
    is_own = found["is_own"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    found["next_step"] = found["own_text"].where(is_own, found["next_step"])
    found["next_step_on"] = found["own_due_on"].where(is_own, found["next_step_on"]).astype("datetime64[us]")
    found["next_step_owner"] = found["own_owner"].where(is_own, found["owner"])
    return found.drop(columns=["is_own", "own_text", "own_due_on", "own_owner"])


def with_said(store: Store, contracts: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Return contracts with the promises open to their accounts and the last note on each of them.

    Columns: as given, and open_promises (empty where none was ever loaded or written), last_note, last_note_by, last_note_on
    """
    sql = """
        with noted as (
            select subject as contract_id, note as last_note, author as last_note_by, effective_on as last_note_on
            from entry
            where topic = 'renewal' and note <> '' and effective_on <= $as_of
            qualify row_number() over (partition by subject order by effective_on desc, seq desc) = 1
        ),
        asked as (
            select unnest($contracts) as contract_id, unnest($accounts) as account_id
        ),
        promised as (
            select account_id, count(*) filter (closed_on is null or closed_on > $as_of) as open_promises
            from promises
            where made_on <= $as_of
            group by account_id
        )
        select
            asked.contract_id,
            case when exists (select 1 from promised) then coalesce(promised.open_promises, 0) end as open_promises,
            noted.last_note, noted.last_note_by, noted.last_note_on
        from asked
        left join noted on noted.contract_id = asked.contract_id
        left join promised on promised.account_id = asked.account_id
    """
    ids, accounts = contracts["contract_id"].tolist(), contracts["account_id"].tolist()
    found = _joined(contracts, store.frame(sql, as_of=as_of, contracts=ids, accounts=accounts))
    found["open_promises"] = found["open_promises"].astype("Int64")
    return found


def _joined(contracts: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """Add what was said to the contracts, in their order and with their index."""
    rows = said.set_index("contract_id").reindex(contracts["contract_id"])
    return contracts.join(rows.set_axis(contracts.index))

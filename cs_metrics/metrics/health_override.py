"""What people who know an account say its health is: kept beside the computed score, never instead of it."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics.config import HealthConfig
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.models.health import colour_of
from cs_metrics.store import Store

__all__ = ["IN_FORCE", "TOPIC", "health_overrides", "with_overrides"]

TOPIC = "health"
_LATER_DAYS = 90

# The overrides that stand at the end of the day: of each account the last word, unless it was withdrawn or has ended.
IN_FORCE = """
    overridden as (
        select account_id, body ->> 'colour' as colour, cast(body ->> 'score' as double) as score, author, note, effective_on,
            cast(body ->> 'until' as date) as until
        from (
            select *, row_number() over (partition by account_id order by seq desc) as place
            from entry
            where topic = 'health' and effective_on <= $as_of
        )
        where place = 1 and action = 'override' and coalesce(cast(body ->> 'until' as date) >= $as_of, true)
    )"""
_COLUMNS = {
    "override_colour": "str",
    "override_score": "float64",
    "override_by": "str",
    "override_on": "datetime64[us]",
    "override_until": "datetime64[us]",
    "override_reason": "str",
}


def with_overrides(store: Store, found: pd.DataFrame, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Return the rows with the override that stands for each account: colour, score, who, since when, until, why."""
    sql = f"""
        with {IN_FORCE}
        select
            overridden.account_id, colour as override_colour, score as override_score, author as override_by,
            effective_on as override_on, until as override_until, note as override_reason
        from overridden
        inner join scope on scope.account_id = overridden.account_id
    """
    said = store.frame(sql, scope=scope, as_of=as_of)
    said["override_colour"] = _colours(said, store.config.health)
    return found.merge(said, on="account_id", how="left").astype(_COLUMNS)


def _colours(said: pd.DataFrame, config: HealthConfig) -> pd.Series:
    """Return the colour that was said, or that of the score where only that was said."""
    given = said["override_colour"].to_numpy(dtype=object)
    made = colour_of(said["override_score"].to_numpy(dtype="float64"), config)
    is_given = np.array([one in ("red", "yellow", "green") for one in given], dtype=bool)
    return pd.Series(np.where(is_given, given, made), index=said.index, dtype="str")


@metric(needs=("subscriptions",), reads=(TOPIC,), page="Health")
def health_overrides(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Every override of a health score up to the day, the newest first: who said what and why, against which score, what came.

    An override ends with its last day, when it is withdrawn, or when somebody says something else. It never changes the
    score, its colour, or what is counted by them.

    Columns:
        account_id, name: the account
        override_colour, override_score: what was said; the colour of the score where only that was said
        colour, score: what had been computed, in the last complete week before
        override_by, override_on, override_until, override_reason: who, from which day, up to which day, why
        state: in force, ended, withdrawn, or replaced
        became: 90 days later: kept, shrank or churned; empty until then
    Source: the workspace.
    """
    sql = """
        with said as (
            select
                *,
                lead(action) over (partition by account_id order by seq) as next_action
            from entry
            where topic = 'health' and effective_on <= $as_of
        )
        select
            said.account_id,
            accounts.name,
            said.body ->> 'colour' as override_colour,
            cast(said.body ->> 'score' as double) as override_score,
            coalesce(health.colour, 'none') as colour,
            health.score,
            said.author as override_by,
            said.effective_on as override_on,
            cast(said.body ->> 'until' as date) as override_until,
            said.note as override_reason,
            case
                when next_action = 'withdraw' then 'withdrawn'
                when next_action = 'override' then 'replaced'
                when cast(said.body ->> 'until' as date) < $as_of then 'ended'
                else 'in force'
            end as state,
            case
                when said.effective_on + $later > $as_of or opening.mrr_cents is null then ''
                when closing.mrr_cents is null then 'churned'
                when closing.mrr_cents < opening.mrr_cents then 'shrank'
                else 'kept'
            end as became
        from said
        inner join scope on scope.account_id = said.account_id
        inner join accounts on accounts.account_id = said.account_id
        left join account_week_health health on health.account_id = said.account_id
            and health.week_end = said.effective_on - (isodow(said.effective_on)::integer % 7)
        left join mrr_interval opening on opening.account_id = said.account_id and opening.from_day <= said.effective_on
            and (opening.to_day is null or opening.to_day > said.effective_on)
        left join mrr_interval closing on closing.account_id = said.account_id
            and closing.from_day <= said.effective_on + $later
            and (closing.to_day is null or closing.to_day > said.effective_on + $later)
        where said.action = 'override'
        order by said.seq desc
    """
    found = store.frame(sql, scope=scope, as_of=as_of, later=_LATER_DAYS)
    found["override_colour"] = _colours(found, store.config.health)
    return found

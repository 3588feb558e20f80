"""How due periods develop: what share of each list was renewed by each age, and what young periods should come to."""

import datetime as dt
from typing import Literal

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.renewal_rates import LISTED, due_periods
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.models.development import develop
from cs_metrics.store import Store

__all__ = ["renewal_completion", "renewal_triangle"]


@metric(needs=("contracts",), page="Renewals")
def renewal_triangle(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    every: Literal["quarter", "month"] = "quarter",
    level: float = 0.8,
) -> pd.DataFrame:
    """What share of each period's frozen list was renewed by each month of its age, young periods completed from older ones.

    Age counts whole months from the period's first day: at age 0 stands what was renewed before it began, at age 3 what
    was renewed by a quarter's last day. The last age is renewals.settled_months. Ages that have not passed by the as-of
    day are expected: of what is undecided at the last age that has passed, as much is kept and lost in each month as
    was in all periods seen at that age, pooled. At least renewals.min_past_periods of the periods must have passed
    the last age; with fewer nothing is expected.

    Formula: share = Σ min(renewed, expiring) decided by the end of that age ÷ Σ expiring on the list;
        expected share = (kept + undecided × share of the undecided kept later) ÷ due.
    Columns:
        period: first day of the quarter or month in which the contracts end
        age_months: whole months since then
        day: the last day of that age
        due, due_arr: contracts on the list and what they were worth
        renewed: of these renewed by that day, empty where it has not passed
        share: kept ARR ÷ due ARR, expected where the day has not passed; empty where nothing can be said
        is_known: whether the day has passed
        low, high: interval of an expected share that holds in `level` of such cases
        past_periods: periods that have passed the last age, on which an expectation rests
    Source: the chain-ladder method (Mack 1993), on the undecided amount; its interval from leave-one-out errors.
    """
    settings = store.config.renewals
    asked = due_periods(store, as_of, every)
    shown = [start for start in asked["periods"] if start <= as_of]
    ages = range(settings.settled_months + 1)
    ends = [periods.add_days(periods.add_months(start, age), -1) for start in shown for age in ages]
    sql = f"""
        {LISTED},
        cells as (
            select cast(unnest($starts) as date) as period, unnest($ages) as age_months, cast(unnest($ends) as date) as day
        )
        select
            cells.period,
            cells.age_months,
            cells.day,
            count(listed.contract_id) as due,
            coalesce(sum(listed.arr_cents), 0)::double / 100 as due_arr,
            count(*) filter (listed.outcome = 'renewed' and listed.decided_on <= cells.day) as renewed,
            coalesce(sum(listed.kept_cents) filter (listed.decided_on <= cells.day), 0)::double / 100 as kept,
            coalesce(sum(listed.arr_cents - listed.kept_cents) filter (listed.decided_on <= cells.day), 0)::double / 100 as lost
        from cells
        left join listed on listed.period = cells.period
        group by cells.period, cells.age_months, cells.day
        order by cells.period, cells.age_months
    """
    found = store.frame(
        sql,
        scope=scope,
        as_of=as_of,
        **asked,
        starts=[start for start in shown for _ in ages],
        ages=list(ages) * len(shown),
        ends=ends,
    )
    found["is_known"] = found["day"] <= pd.Timestamp(as_of)
    shape = (len(shown), len(ages))
    kept, lost = (
        found[one].where(found["is_known"]).to_numpy(dtype="float64").reshape(shape) for one in ("kept", "lost")
    )
    due = found["due_arr"].to_numpy(dtype="float64").reshape(shape)[:, 0] if shown else np.zeros(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        made = develop(due, kept, lost, level=level, min_past=settings.min_past_periods)
    found["share"], found["low"], found["high"] = made.share.ravel(), made.low.ravel(), made.high.ravel()
    found["past_periods"] = np.int64(made.past.max() if len(made.past) else 0)
    found["renewed"] = found["renewed"].astype("Int64").mask(~found["is_known"])
    columns = [
        "period",
        "age_months",
        "day",
        "due",
        "due_arr",
        "renewed",
        "share",
        "is_known",
        "low",
        "high",
        "past_periods",
    ]
    return found[columns]


@metric(needs=("contracts",), page="Renewals")
def renewal_completion(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    every: Literal["quarter", "month"] = "quarter",
    level: float = 0.8,
) -> pd.DataFrame:
    """What each due period stands at, and what it should come to once its late renewals are in.

    The newest row of each period in renewal_triangle whose day has passed, beside its last age.

    Columns:
        period: first day of the quarter or month in which the contracts end
        due, due_arr: contracts on its list and what they were worth
        age_months: whole months that have passed since its first day, renewals.settled_months at most
        share: kept ARR ÷ due ARR at that age
        final_share: the same at the last age, expected where that has not passed
        is_settled: whether the last age has passed
        low, high: interval of an expected final share
        past_periods: settled periods on which an expectation rests
        note: why nothing is expected, where nothing is
    """
    cells = renewal_triangle(store, as_of=as_of, scope=scope, every=every, level=level)
    known, last = cells[cells["is_known"]], store.config.renewals.settled_months
    now = known.groupby("period", as_index=False).tail(1).set_index("period")
    end = cells[cells["age_months"] == last].set_index("period")
    found = now[["due", "due_arr", "age_months", "share", "past_periods"]].join(
        end[["share", "is_known", "low", "high"]].rename(columns={"share": "final_share", "is_known": "is_settled"})
    )
    fewest = store.config.renewals.min_past_periods
    few = f"only {int(cells['past_periods'].max()) if len(cells) else 0} periods have settled; {fewest} are needed"
    found["note"] = pd.array(
        [
            "nothing was due" if not due else few if is_unknown else ""
            for due, is_unknown in zip(found["due"], found["final_share"].isna(), strict=True)
        ],
        dtype="str",
    )
    order = [
        "due",
        "due_arr",
        "age_months",
        "share",
        "final_share",
        "is_settled",
        "low",
        "high",
        "past_periods",
        "note",
    ]
    return found[order].reset_index()

"""The record of the score: its trial at the end of each quarter, and the weights that the past suggested on each."""

import datetime as dt
from itertools import pairwise

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.config import DIMENSIONS
from cs_metrics.metrics.health_backtest import judged
from cs_metrics.metrics.health_outcomes import outcomes, scored
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = [
    "HORIZONS",
    "TRIAL",
    "WEIGHTS",
    "health_backtest_history",
    "health_weights_suggested",
    "panel",
    "quarter_ends",
    "toml",
    "trials",
]

HORIZONS = (90, 180)
TRIAL = {
    "closing_day": "date",
    "horizon_days": "bigint",
    "segment": "varchar",
    "accounts": "bigint",
    "lost": "bigint",
    "base_rate": "double",
    "auc": "double",
    "auc_low": "double",
    "auc_high": "double",
    "red_lift": "double",
    "below_green_share": "double",
    "green_lost_arr_share": "double",
    "verdict": "varchar",
}
WEIGHTS = {
    "trained_on": "date",
    "segment": "varchar",
    "dimension": "varchar",
    "weight_today": "double",
    "weight_suggested": "double",
    "outcomes": "bigint",
    "losses": "bigint",
    "test_outcomes": "bigint",
    "test_losses": "bigint",
    "auc_today": "double",
    "auc_suggested": "double",
    "gain": "double",
    "gain_low": "double",
    "gain_high": "double",
    "caught_today": "double",
    "caught_suggested": "double",
    "verdict": "varchar",
}


def quarter_ends(store: Store, last: dt.date) -> list[dt.date]:
    """Return the ends of the quarters from the first day of the data on that have passed by `last`."""
    starts = periods.periods_between(store.oldest_day, last, "quarter")
    return [end for end in (periods.period_end(one, "quarter") for one in starts) if end <= last]


def trials(found: pd.DataFrame, store: Store, horizon_days: int, segments: bool = True) -> pd.DataFrame:
    """Return the judgement of all rows of `outcomes` and, with `segments`, of each segment, as rows of the table `health_trial`."""
    known = scored(found)
    parts = {"": known}
    if segments:
        parts |= {str(name): part for name, part in known.groupby("segment") if name}
    rows = []
    for segment, part in parts.items():
        verdict = judged(part, store, f" {horizon_days} days before")
        lost_arr = part["lost_arr"].sum()
        green = part.loc[part["colour"] == "green", "lost_arr"].sum()
        rows.append(
            {
                "horizon_days": horizon_days,
                "segment": segment,
                "accounts": len(part),
                "lost": verdict.lost,
                "base_rate": part["is_lost"].mean() if len(part) else np.nan,
                "auc": verdict.auc,
                "auc_low": verdict.low,
                "auc_high": verdict.high,
                "red_lift": verdict.red_lift,
                "below_green_share": verdict.below_green_share,
                "green_lost_arr_share": green / lost_arr if lost_arr else np.nan,
                "verdict": verdict.verdict,
            }
        )
    return pd.DataFrame(rows)


def panel(store: Store, days: list[dt.date]) -> pd.DataFrame:
    """Return the customers of each quarter's end with their dimensions, and whether they were lost by the next one."""
    parts = [
        outcomes(
            store, as_of=last, scope=EVERYTHING, horizon_days=periods.days_between(first, last), snapshots=1
        ).assign(closing_day=pd.Timestamp(last).as_unit("us"))
        for first, last in pairwise(days)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


@metric(needs=("subscriptions",), page="Health")
def health_backtest_history(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, horizon_days: int = 90
) -> pd.DataFrame:
    """The back-test as it came out at the end of each quarter: whether the score has kept telling who would be lost.

    Each row is `health_backtest` as of the last day of a quarter that is over, with what was known then.

    Columns:
        closing_day: the last day of the quarter
        horizon_days: how long before the scores were
        accounts, lost: accounts with a score then, and those of them that churned or shrank
        base_rate: lost ÷ accounts
        auc, auc_low, auc_high: with its 95 % interval
        red_lift: loss rate of red ÷ base rate
        below_green_share: share of the lost accounts that were yellow or red
        green_lost_arr_share: share of the lost ARR that was green
        verdict: in words
    """
    segment = _one_segment(scope)
    if segment is None or horizon_days not in HORIZONS:
        parts = [_asked(store, day, scope, horizon_days) for day in quarter_ends(store, as_of)]
        columns = [one for one in TRIAL if one != "segment"]
        return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    sql = f"""
        select {", ".join(one for one in TRIAL if one != "segment")}
        from health_trial
        where closing_day <= $as_of and horizon_days = $horizon_days and segment = $segment
        order by closing_day
    """
    return store.frame(sql, as_of=as_of, horizon_days=horizon_days, segment=segment)


def _one_segment(scope: Scope) -> str | None:
    """Return the segment that a scope is, empty for all accounts; None where it is something else."""
    if not scope.where:
        return ""
    (column, values), more = scope.where[0], scope.where[1:]
    return values[0] if column == "segment" and len(values) == 1 and values[0] and not more else None


def _asked(store: Store, day: dt.date, scope: Scope, horizon_days: int) -> pd.DataFrame:
    found = outcomes(store, as_of=day, scope=scope, horizon_days=horizon_days, snapshots=1)
    return trials(found, store, horizon_days, segments=False).assign(closing_day=pd.Timestamp(day).as_unit("us"))


@metric(needs=("subscriptions",), page="Health")
def health_weights_suggested(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """The weights of the dimensions that the past suggests, beside today's, with what they would have gained. Never applied.

    Learned at the end of each quarter, from the accounts with a score at each earlier quarter's end and what became of
    them in the quarter after; as of a day those of the last quarter's end stand here. A weight below 0 counts the
    dimension the other way round: the past decides whether many tickets speak for an account or against it. Accounts in
    onboarding are left out, their weights stay. The gain is out of sample: each of the last six quarters is scored by the
    weights that were known on its first day, and by today's. A segment is listed where it has enough losses to learn
    from; the rows of all accounts do not follow the filters of the page.

    Formula: gain = AUC by the suggested weights − AUC by today's, over the same later accounts.
    Columns:
        trained_on: the quarter's end
        segment: for whom the weights are, empty for all
        dimension: the dimension
        weight_today: its weight now
        weight_suggested: the weight that the past suggests, empty without enough outcomes
        outcomes, losses: accounts and quarters learned from, and those lost
        test_outcomes, test_losses: later accounts and quarters that it was judged by
        auc_today, auc_suggested: areas over those
        gain, gain_low, gain_high: their difference, with its 95 % interval
        caught_today, caught_suggested: share of the losses among the fifth that scores lowest
        verdict: what the gain means in words
        toml: the settings to paste into config.toml, if you decide to
    Source: Cox (1958), logistic regression; Hoerl and Kennard (1970), ridge, here drawn towards today's weights; Efron
        (1979), bootstrap over accounts.
    """
    sql = f"""
        with newest as (
            select max(trained_on) as day from suggested_weights where trained_on <= $as_of
        ),
        places(dimension, place) as (
            values {", ".join(f"('{name}', {at})" for at, name in enumerate(DIMENSIONS))}
        )
        select {", ".join(f"found.{one}" for one in WEIGHTS)}
        from suggested_weights found
        inner join newest on newest.day = found.trained_on
        inner join places on places.dimension = found.dimension
        where found.segment = '' or found.segment in (
            select accounts.segment from accounts inner join scope on scope.account_id = accounts.account_id
        )
        order by found.segment, places.place
    """
    found = store.frame(sql, scope=scope, as_of=as_of)
    texts = {str(segment): toml(str(segment), part) for segment, part in found.groupby("segment")}
    found["toml"] = found["segment"].map(texts).astype("str")
    return found


def toml(segment: str, part: pd.DataFrame) -> str:
    """Return the entries to paste, empty without a suggestion; onboarding keeps the weights of its own."""
    if part["weight_suggested"].isna().any():
        return ""
    weights = [f"{name} = {value:g}" for name, value in zip(part["dimension"], part["weight_suggested"], strict=True)]
    if not segment:
        return "\n".join(["[[health.weights]]  # in place of the entry without segment and stage", *weights])
    heads = [
        ["[[health.weights]]", f'segment = "{segment}"', f'stage = "{stage}"'] for stage in ("adoption", "renewal")
    ]
    return "\n\n".join("\n".join([*head, *weights]) for head in heads)

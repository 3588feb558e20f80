"""The plateau of the activation curve: from which period on it is flat, and at which level."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics.metrics.bends import Panel, Rule, settle
from cs_metrics.metrics.cohorts import Clock, Entry, Question, Step, Unit, question
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.periods import WeekStart
from cs_metrics.store import Store

__all__ = ["plateau"]

_PERIODS = ("period", "period_low", "period_high")
_COLUMNS = (
    "period",
    "level",
    "level_low",
    "level_high",
    "tail_slope",
    "period_low",
    "period_high",
    "tail_loss",
    "tail_loss_low",
    "tail_loss_high",
    "flat_share",
    "reason",
)


@metric(needs=("events",), page="Onboarding")
def plateau(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    event: tuple[str, ...] = (),
    key_action: str = "",
    entry_event: tuple[str, ...] = (),
    times: int | None = None,
    every_days: int | None = None,
    every: Step = "days",
    cohort: str = "month",
    clock: Clock = "account",
    entry: Entry = "first",
    unit: Unit = "account",
    bounded: bool = True,
    week_start: WeekStart = "monday",
    min_accounts: int | None = None,
    from_: dt.date | None = None,
    to: dt.date | None = None,
) -> pd.DataFrame:
    """The first period from which the pooled activation curve is flat, and its level there: the activation rate.

    Two straight lines that meet are fitted to the pooled bounded curve by least squares, each point weighted by its
    eligible members; the tail begins where they meet. Where no change of slope is larger than chance explains, the
    tail is the whole curve. Points over fewer than min_accounts members are left out; at least six are needed. The
    options are those of activation; `cohort` matters only with entry=recurring and clock=account, and `bounded` not at
    all, because the unbounded curve falls at its right edge by construction.

    The tail is flat when three things hold. Its slope is within ± 0.5 points per period (`activation.flat_within_points`).
    The same members lose at most a fifth of its level from its first to its last period (`activation.most_tail_loss`):
    0.4 points a week look flat and are 60 points in three years. And both hold in at least half of the draws of
    accounts, so that it is not one account more or less that decides. Otherwise there is no plateau, which is the
    finding: the curve never flattens. So of a curve that loses 5 % of its level a year, three years are called flat, and
    of one that loses 10 % a year two; what is found may be lost when more history is there to see. A loss is taken among
    the same members: when newer cohorts are better, the pooled curve falls to its right, where only old cohorts are
    left, although nobody leaves (reason `cohorts_differ` where that alone makes it steep).

    Intervals come from drawing accounts with replacement, with a fixed seed, and fitting again. A change of slope is
    larger than chance where it is three standard deviations of the drawn changes; the meeting point is then the best of
    those with two.

    Formula: level = Σ active ÷ Σ eligible over the periods of the tail; tail_loss = fall of the fitted tail ÷ its first value.
    Columns:
        is_found: whether the tail is flat
        period: the first period of the tail, empty when not found
        level: the activation rate, empty when not found
        level_low, level_high: 95 % interval of the level
        tail_slope: change of the pooled tail per period, as a fraction; empty when the curve is too short
        period_low, period_high: 95 % interval of the period
        tail_loss: share of its level that the tail loses among the same members, below 0 where it gains
        tail_loss_low, tail_loss_high: 95 % interval of that share
        flat_share: share of the draws in which the tail is flat
        reason: why there is no plateau: too_short, steep, cohorts_differ, keeps_falling, unsure (flat in fewer than half of the draws), nobody (no member is active in the tail); else empty
    Source: segmented least squares (Hudson 1966); largest of many changes (Andrews 1993); percentile bootstrap over accounts (Efron and Tibshirani 1993).
    """
    asked = question(
        store,
        as_of=as_of,
        event=event,
        key_action=key_action,
        entry_event=entry_event,
        times=times,
        every_days=every_days,
        every=every,
        cohort=cohort,
        clock=clock,
        entry=entry,
        unit=unit,
        week_start=week_start,
        min_accounts=min_accounts,
        from_=from_,
        to=to,
    )
    settings = store.config.activation
    rule = Rule(
        flat_within=settings.flat_within_points / 100,
        most_loss=settings.most_tail_loss,
        min_accounts=asked.min_accounts,
        resamples=settings.resamples,
    )
    settled = settle(_panel(store, scope, asked), rule)
    row = {"is_found": not settled.reason, **{name: getattr(settled, name) for name in _COLUMNS}}
    kinds = dict.fromkeys(row, "float64") | {"is_found": "bool", "reason": "str"} | dict.fromkeys(_PERIODS, "Int64")
    found = pd.DataFrame([row]).astype(kinds)
    found.attrs["note"] = asked.note
    return found


def _panel(store: Store, scope: Scope, asked: Question) -> Panel:
    """Return the members, numbered in the order of their accounts, and their active periods."""
    sql = f"""
    with {asked.relations()}
    select (dense_rank() over (order by account_id))::integer - 1 as account, number, elapsed::integer as period
    from member
    union all
    select -1 as account, number, period::integer from done where period < elapsed
    """
    found = {
        name: column.to_numpy(dtype=np.int64) for name, column in store.frame(sql, scope=scope, **asked.params).items()
    }
    is_member = found["account"] >= 0
    order = np.argsort(found["number"][is_member])
    return Panel(
        account=found["account"][is_member][order],
        elapsed=found["period"][is_member][order],
        done_member=found["number"][~is_member] - 1,
        done_period=found["period"][~is_member],
    )

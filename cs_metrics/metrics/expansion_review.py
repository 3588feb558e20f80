"""Was an expansion reasonable? Health and satisfaction around each won deal, beside accounts like it, and the bonus."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.expansion_match import Deals, compare, measured, nearest
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["expansion_review", "expansion_review_totals", "totals"]

_SQL = """
    with deals as (
        select opportunities.*, cast($days as integer) as days
        from opportunities
        inner join scope on scope.account_id = opportunities.account_id
        where stage = 'won' and closed_on <= $as_of and opened_on <= $as_of
    ),
    healths as (
        select
            opportunity_id,
            avg(score) filter (week_end <= closed_on) as health_before,
            avg(score) filter (week_end > closed_on) as health_after
        from deals
        inner join account_week_health health
            on health.account_id = deals.account_id
            and health.week_end > closed_on - days
            and health.week_end <= closed_on + days
            and health.week_end <= $as_of
        group by opportunity_id
    ),
    answers as (
        select account_id, answered_on, case kind when 'nps' then score * 10 else (score - 1) * 25 end as points
        from surveys
        where answered_on <= $as_of
    ),
    moods as (
        select
            opportunity_id,
            avg(points) filter (answered_on <= closed_on) as satisfaction_before,
            avg(points) filter (answered_on > closed_on) as satisfaction_after
        from deals
        inner join answers
            on answers.account_id = deals.account_id and answered_on > closed_on - days and answered_on <= closed_on + days
        group by opportunity_id
    ),
    compared as (
        select
            deals.*,
            closed_on + days <= $as_of as is_over,
            health_before, health_after, satisfaction_before, satisfaction_after,
            health_after < health_before - $dead_band as health_fell,
            satisfaction_after < satisfaction_before - $dead_band as satisfaction_fell
        from deals
        left join healths on healths.opportunity_id = deals.opportunity_id
        left join moods on moods.opportunity_id = deals.opportunity_id
    )
    select
        opportunity_id,
        compared.account_id,
        accounts.name,
        kind,
        product_id,
        closed_on,
        arr_cents::double / 100 as arr,
        coalesce(owner, accounts.csm) as owner,
        health_before,
        case when is_over then health_after end as health_after,
        satisfaction_before,
        case when is_over then satisfaction_after end as satisfaction_after,
        accounts.csm,
        case
            when not is_over then 'too early'
            when health_fell is null and satisfaction_fell is null then 'unknown'
            when coalesce(health_fell, false) and coalesce(satisfaction_fell, false) then 'both fell'
            when health_fell then 'health fell'
            when satisfaction_fell then 'satisfaction fell'
            else 'held or rose'
        end as verdict,
        case
            when not is_over or (health_fell is null and satisfaction_fell is null) then null
            when health_fell and (coalesce(satisfaction_fell, false) or health_after <= $red_to) then 0.0
            when health_fell or satisfaction_fell then $reduced
            else 1.0
        end::double as bonus_share
    from compared
    inner join accounts on accounts.account_id = compared.account_id
    order by bonus_share nulls last, closed_on desc, opportunity_id
"""


@metric(needs=("opportunities",), page="Expansion")
def expansion_review(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Was each won expansion reasonable: health and satisfaction in the 90 days before and after it, beside accounts like it.

    The bonus is full when both held or rose, reduced when one fell, zero when both fell or health fell to red. A fall is
    more than the dead band of health, in points. Before 90 days are over the deal is too early to judge. Those that
    fell come first. The verdict is the account's own; what accounts like it did at the same time stands beside it: up to
    `expansion.review_matches` of the same segment, nearest by size and health before the deal, without a won deal
    within 90 days of it.

    Formula: health = mean of the weekly scores; satisfaction = mean of the answers on 0–100 (NPS × 10; (CSAT − 1) × 25);
        matched = mean change of the matches; difference = change of the account − matched.
    Columns:
        opportunity_id, account_id, name, kind, product_id, closed_on, arr, owner, csm: the won deal
        health_before, health_after: in the 90 days to the closing day and after it; after is empty until they are over
        satisfaction_before, satisfaction_after: likewise
        verdict: held or rose, health fell, satisfaction fell, both fell, unknown (no measure on both sides), too early
        bonus_share: 1 full, the configured share when reduced, 0 none; empty where not known
        health_change, health_matched, health_difference: change of the account, of its matches, and the difference
        health_matches: matches whose health is known on both sides
        satisfaction_change, satisfaction_matched, satisfaction_difference, satisfaction_matches: likewise
    """
    settings = store.config.expansion
    found = store.frame(
        _SQL,
        scope=scope,
        as_of=as_of,
        days=settings.review_days,
        dead_band=store.config.health.dead_band,
        red_to=store.config.health.red_to,
        reduced=settings.bonus_reduced,
    )
    return pd.concat([found, _matched(store, as_of, found)], axis=1)


def _matched(store: Store, as_of: dt.date, found: pd.DataFrame) -> pd.DataFrame:
    """Return what changed in the account of each deal and in its matches, the deals of all accounts known."""
    settings, base = store.config.expansion, store.oldest_day
    accounts = store.rows("select account_id, coalesce(segment, '') from accounts order by account_id")
    places = {account_id: at for at, (account_id, _) in enumerate(accounts)}
    sql = """
        select opportunity_id, account_id, date_diff('day', $base, closed_on) as day
        from opportunities
        where stage = 'won' and closed_on <= $as_of and opened_on <= $as_of
        order by opportunity_id
    """
    won = store.rows(sql, as_of=as_of, base=base)
    deals = Deals(
        np.array([places[row[1]] for row in won], dtype=np.int64), np.array([row[2] for row in won], dtype=np.int64)
    )
    health, size, mood = measured(store, as_of, base, len(accounts))
    last = periods.days_between(base, as_of) - settings.review_days
    at = {opportunity_id: row for row, (opportunity_id, _, _) in enumerate(won)}
    asked = np.array([at[one] for one in found["opportunity_id"]], dtype=np.int64)
    mine = Deals(deals.place[asked], deals.day[asked])
    matches = nearest(
        mine, deals, [row[1] for row in accounts], health, size, settings.review_days, settings.review_matches
    )
    matches[mine.day > last] = -1
    columns: dict[str, Any] = {}
    for name, measure in (("health", health), ("satisfaction", mood)):
        compared = compare(mine, matches, measure, settings.review_days)
        known = mine.day <= last
        columns |= {
            f"{name}_change": np.where(known, compared.change, np.nan),
            f"{name}_matched": compared.change_matched,
            f"{name}_difference": np.where(known, compared.difference, np.nan),
            f"{name}_matches": compared.matches,
        }
    return pd.DataFrame(columns, index=found.index)


@metric(needs=("opportunities",), page="Expansion")
def expansion_review_totals(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """How many won expansions were reasonable: the rows of `expansion_review`, counted.

    Formula: held_share = deals after which health and satisfaction held or rose ÷ deals judged; bonus_share = mean of
        the bonus shares of the deals judged.
    Columns:
        deals, arr: won deals and their ARR
        judged: deals whose 90 days are over and that have a measure on both sides
        held, fell: of those, where both held or rose, and where one or both fell
        too_early, unknown: deals whose 90 days are not over, and those without a measure on both sides
        held_share: held ÷ judged, empty where none is judged
        bonus_share: mean bonus of the deals judged
    """
    return totals(expansion_review(store, as_of=as_of, scope=scope))


def totals(found: pd.DataFrame) -> pd.DataFrame:
    """Return `expansion_review_totals` from the rows of `expansion_review`."""
    counts = found["verdict"].value_counts()
    judged = found["bonus_share"].notna().sum()
    held = counts.get("held or rose", 0)
    row = {
        "deals": len(found),
        "arr": float(found["arr"].sum()),
        "judged": int(judged),
        "held": int(held),
        "fell": int(judged - held),
        "too_early": int(counts.get("too early", 0)),
        "unknown": int(counts.get("unknown", 0)),
        "held_share": held / judged if judged else float("nan"),
        "bonus_share": float(found["bonus_share"].mean()),
    }
    return pd.DataFrame([row])

"""The leaderboard: who has attained what share of the quarter's target, by person and by team, today and over the quarter."""

import datetime as dt
import re
from typing import Literal

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.win_loss import DECIDED
from cs_metrics.store import Store

__all__ = ["Kind", "booked", "leaderboard", "leaderboard_course", "quarter_of", "quarters"]

Level = Literal["person", "team"]
Kind = Literal["all", "renewal", "expansion"]
Counts = Literal["due", "decided"]
_WEEK = 7
_AMOUNTS = ["renewal_arr", "expansion_arr", "multi_year_arr", "extra_year_arr", "expansion_at_renewal_arr"]

# What was booked for a quarter by $as_of, one row a deal: whose it is, and the day from which it counts.
_BOOKED = f"""
    with {DECIDED},
    won as (
        select
            *,
            cast($begin as date) as first_day,
            cast($end as date) as last_day,
            case when booked_cents < arr_cents then booked_cents else arr_cents end as kept_cents
        from decided
        where outcome = 'renewed'
    ),
    renewals as (
        select
            coalesce(owner, '') as person,
            case when $by_due then greatest(decided_on, first_day) else decided_on end as day,
            kept_cents,
            case when term_months >= $multi_year then booked_cents else 0 end as multi_year_cents,
            case when term_months >= $multi_year then kept_cents * greatest(round(term_months / 12) - 1, 0) else 0 end
                as extra_year_cents,
            booked_cents - kept_cents as expanded_cents,
            decided_on > last_day as is_late
        from won
        where case when $by_due then ends_on else decided_on end between first_day and last_day
    ),
    sold as (
        select coalesce(owner, '') as person, closed_on as day, arr_cents
        from opportunities
        inner join scope on scope.account_id = opportunities.account_id
        where stage = 'won' and opened_on <= $as_of and closed_on <= $as_of and closed_on between $begin and $end
    )
    select
        person, day, 'renewal' as kind, is_late,
        case when is_late then 0 else kept_cents end::double / 100 as renewal_arr,
        0.0::double as expansion_arr,
        case when is_late then 0 else multi_year_cents end::double / 100 as multi_year_arr,
        case when is_late then 0 else extra_year_cents end::double / 100 as extra_year_arr,
        case when is_late then 0 else expanded_cents end::double / 100 as expansion_at_renewal_arr,
        case when is_late then kept_cents else 0 end::double / 100 as late_arr
    from renewals
    union all
    select person, day, 'expansion', false, 0, arr_cents::double / 100, 0, 0, 0, 0
    from sold
    order by day, person, kind, renewal_arr, expansion_arr
"""

# Whose team: the one to which most of the accounts belong that somebody looks after or sells to.
_TEAMS = """
    with ties as (
        select csm as person, team from accounts where started_on <= $as_of
        union all
        select contracts.owner, team from contracts
        inner join accounts on accounts.account_id = contracts.account_id where starts_on <= $as_of
        union all
        select opportunities.owner, team from opportunities
        inner join accounts on accounts.account_id = opportunities.account_id where opened_on <= $as_of
    )
    select person, team
    from ties
    where person is not null and team is not null
    group by person, team
    qualify row_number() over (partition by person order by count(*) desc, team) = 1
"""


def quarter_of(name: str, as_of: dt.date) -> tuple[str, dt.date]:
    """Return the name and the first day of a quarter written as 2026-Q3; without one, the quarter of the as-of day."""
    if not name:
        start = periods.quarter_start(as_of)
        return f"{start.year}-Q{(start.month + 2) // 3}", start
    if not re.fullmatch(r"(19|20)\d\d-Q[1-4]", name):
        raise MetricError(f"quarter={name} is not possible: write it as 2026-Q3.")
    start = dt.date(int(name[:4]), 3 * int(name[-1]) - 2, 1)
    if start > as_of:
        raise MetricError(f"quarter={name} begins on {start}, after the as-of day.")
    return name, start


def quarters(store: Store, as_of: dt.date) -> list[str]:
    """Return the names of the quarters from the first day of the data to the as-of day, the newest first."""
    starts = periods.periods_between(min(store.oldest_day, as_of), as_of, "quarter")
    return [quarter_of("", start)[0] for start in reversed(starts)]


def booked(store: Store, as_of: dt.date, scope: Scope, start: dt.date, counts: Counts = "due") -> pd.DataFrame:
    """Return what was booked for the quarter that begins on `start`, one row a deal, with whose it is and since when.

    Columns: person, day, kind, is_late, renewal_arr, expansion_arr, multi_year_arr, extra_year_arr,
    expansion_at_renewal_arr, late_arr: see leaderboard; extra_year_arr is renewed ARR × years beyond the first.
    """
    end = periods.period_end(start, "quarter")
    multi_year = store.config.results.multi_year_from_months
    return store.frame(
        _BOOKED, scope=scope, as_of=as_of, begin=start, end=end, by_due=counts == "due", multi_year=multi_year
    )


@metric(needs=("contracts",), page="Renewals")
def leaderboard(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    level: Level = "person",
    kind: Kind = "all",
    quarter: str = "",
    counts: Counts = "due",
) -> pd.DataFrame:
    """Target, attainment and rank of each person or team in a quarter, as of the day.

    A renewal counts for the owner of its contract, in the quarter in which it was due, if it was decided before the quarter
    closed: an early one counts where it was due, a late one is no windfall later (late_arr, in no attainment).
    `counts=decided` takes the quarter of the decision instead. It counts at the old value at most; what was added, and
    what was renewed for several years, is counted apart. Expansion is what was won of opportunities, by their owner.
    Targets are those of `targets`, whole also while the quarter runs; a filter narrows what was attained and not the
    target, so attainment, gap and rank are then empty. A person's team is that of most of the accounts in its hands.

    Formula: attained = renewal_arr + expansion_arr (of `kind`); attainment = attained ÷ target; rank by attainment, equal
        attainment has equal rank; without a target there is no rank.
    Columns:
        name: person or team, empty where a deal has no owner
        team: of the person
        target: of the quarter, empty without one
        attained: what counts against it
        attainment: attained ÷ target
        gap: what is left to the target, 0 when it is reached
        rank: by attainment, 1 is first
        rank_before: a week before, empty in the first week of the quarter
        deals: deals that count
        today_arr, rank_today: booked on the as-of day itself, and the rank by it, empty for those without
        renewal_arr: of attained, renewals at the old value at most
        expansion_arr: of attained, opportunities won
        expansion_at_renewal_arr: added at renewal, not in attained
        multi_year_arr: new ARR of renewals over several years, for information
        late_arr: renewed after the quarter had closed, not in attained
        elapsed: share of the quarter that has passed
    """
    name, start = quarter_of(quarter, as_of)
    deals = _of_level(store, as_of, booked(store, as_of, scope, start, counts), level)
    deals = deals if kind == "all" else deals[deals["kind"] == kind]
    target = _targets(store, as_of, name, kind, level)
    end = periods.period_end(start, "quarter")
    last = min(as_of, end)
    found = _standing(deals, target, last, is_whole=not scope.where)
    before = periods.add_days(last, -_WEEK)
    if before >= start:
        earlier = _standing(deals, target, before, is_whole=not scope.where)
        found["rank_before"] = found["name"].map(earlier.set_index("name")["rank"]).astype("Int64")
    else:
        found["rank_before"] = pd.array([pd.NA] * len(found), dtype="Int64")
    today = deals[(deals["day"] == pd.Timestamp(as_of)) & ~deals["is_late"]].groupby("name")["counted"].sum()
    found["today_arr"] = found["name"].map(today).fillna(0.0)
    found["rank_today"] = found["today_arr"].where(found["today_arr"] > 0).rank(ascending=False, method="min")
    found["rank_today"] = found["rank_today"].astype("Int64")
    late = deals.groupby("name")["late_arr"].sum()
    found["late_arr"] = found["name"].map(late).fillna(0.0)
    found["elapsed"] = (periods.days_between(start, last) + 1) / (periods.days_between(start, end) + 1)
    teams = _teams(store, as_of) if level == "person" else {}
    found["team"] = pd.Series([teams.get(one) for one in found["name"]], index=found.index, dtype="str")
    first = ["name", "team", "target", "attained", "attainment", "gap", "rank", "rank_before", "deals", "today_arr"]
    more = ["rank_today", "renewal_arr", "expansion_arr", "expansion_at_renewal_arr", "multi_year_arr", "late_arr"]
    return found[[*first, *more, "elapsed"]]


@metric(needs=("contracts",), page="Renewals")
def leaderboard_course(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    level: Level = "person",
    kind: Kind = "all",
    quarter: str = "",
    counts: Counts = "due",
) -> pd.DataFrame:
    """How attainment and rank came about over the quarter: at the end of each week, and on the last day.

    The same figures as `leaderboard`, as of each of these days; a decision counts from the day on which it was made.

    Columns:
        day: end of a week (Sunday), or the as-of day, or the quarter's last day
        name: person or team
        attained, attainment, rank: up to that day
    """
    name, start = quarter_of(quarter, as_of)
    deals = _of_level(store, as_of, booked(store, as_of, scope, start, counts), level)
    deals = deals if kind == "all" else deals[deals["kind"] == kind]
    target = _targets(store, as_of, name, kind, level)
    last = min(as_of, periods.period_end(start, "quarter"))
    sundays = [periods.add_days(monday, 6) for monday in periods.periods_between(start, last, "week")]
    days = [*(one for one in sundays if one < last), last]
    names = sorted({*target, *(str(one) for one in deals["name"])})
    mine = deals[(deals["day"] <= pd.Timestamp(last)) & ~deals["is_late"]]
    ends = pd.DatetimeIndex([pd.Timestamp(one) for one in days]).as_unit("us")
    sums = np.zeros((len(days), len(names)))
    places = (
        np.searchsorted(ends.to_numpy(), mine["day"].to_numpy()),
        np.searchsorted(names, mine["name"].astype(object)),
    )
    np.add.at(sums, places, mine["counted"].to_numpy(dtype="float64"))
    attained = pd.DataFrame(np.cumsum(sums, axis=0), index=ends, columns=pd.Index(names, dtype="str"))
    aims = pd.Series([target.get(name, np.nan) for name in names], index=attained.columns, dtype="float64")
    attainment = attained / (aims.where(aims > 0) if not scope.where else aims * np.nan)
    ranks = attainment.round(9).rank(axis=1, ascending=False, method="min")
    course = pd.DataFrame(
        {
            "day": np.repeat(ends, len(names)),
            "name": pd.Series(names * len(days), dtype="str"),
            "attained": attained.to_numpy().ravel(),
            "attainment": attainment.to_numpy().ravel(),
            "rank": pd.array(ranks.to_numpy().ravel(), dtype="Int64"),
        }
    )
    return course.sort_values(
        ["day", "rank", "attained", "name"], ascending=[True, True, False, True], ignore_index=True
    )


def _of_level(store: Store, as_of: dt.date, deals: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Name each deal after its person or that person's team; `counted` is what it adds to attainment."""
    deals["counted"] = deals["renewal_arr"] + deals["expansion_arr"]
    if level == "person":
        return deals.rename(columns={"person": "name"})
    teams = _teams(store, as_of)
    deals["name"] = pd.Series([teams.get(one, "") for one in deals["person"]], index=deals.index, dtype="str")
    return deals


def _teams(store: Store, as_of: dt.date) -> dict[str, str]:
    return {str(person): str(team) for person, team in store.rows(_TEAMS, as_of=as_of)}


def _targets(store: Store, as_of: dt.date, quarter: str, kind: Kind, level: Level) -> dict[str, float]:
    sql = """
        select person, sum(amount_cents)::double / 100 as target
        from targets
        where quarter = $quarter and ($kind = 'all' or kind = $kind)
        group by person
    """
    found = {str(person): float(target) for person, target in store.rows(sql, quarter=quarter, kind=kind)}
    if level == "person":
        return found
    teams, by_team = _teams(store, as_of), dict[str, float]()
    for person, target in found.items():
        team = teams.get(person, "")
        by_team[team] = by_team.get(team, 0.0) + target
    return by_team


def _standing(deals: pd.DataFrame, target: dict[str, float], day: dt.date, *, is_whole: bool) -> pd.DataFrame:
    """Return everybody with a target or a deal, as of a day of the quarter; without a whole view nobody is ranked."""
    names = sorted({*target, *(str(one) for one in deals["name"])})
    mine = deals[(deals["day"] <= pd.Timestamp(day)) & ~deals["is_late"]]
    sums = mine.groupby("name")[["counted", *_AMOUNTS]].sum().reindex(names).fillna(0.0)
    found = pd.DataFrame({"name": pd.Series(names, dtype="str")})
    found["target"] = [target.get(name, np.nan) for name in names]
    found["attained"] = sums["counted"].to_numpy(dtype="float64")
    aim = found["target"].where(found["target"] > 0) if is_whole else found["target"] * np.nan
    found["attainment"] = (found["attained"] / aim).astype("float64")
    found["gap"] = (found["target"] - found["attained"]).clip(lower=0) if is_whole else np.nan
    # equal amounts, added up in another order, are equal: a cent decides nothing
    found["rank"] = found["attainment"].round(9).rank(ascending=False, method="min").astype("Int64")
    found["deals"] = mine.groupby("name").size().reindex(names).fillna(0).to_numpy(dtype="int64")
    found[_AMOUNTS] = sums[_AMOUNTS].to_numpy(dtype="float64")
    return found.sort_values(
        ["rank", "attained", "name"], ascending=[True, False, True], na_position="last", ignore_index=True
    )

"""What speaks for and against a renewal, in words: what moves its likelihood, and what is known of the account.

Every reason is a fact of the as-of day with its number or its date. The strongest of each side come first, four at most.
"""

import datetime as dt
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.likelihood_parts import Driver, drivers
from cs_metrics.models.base_rate import LAGS
from cs_metrics.store import Store

__all__ = ["account_signs", "with_reasons"]

_MOST = 4
_USE_MOVED = 0.25  # a change of use within ± this share says nothing
_USE_LEAST = 10  # fewer uses in the 28 days before say nothing
_LONG_AGO_DAYS = 180
_ROLES = {"decision_maker": "decision maker", "sponsor": "sponsor", "champion": "champion"}
_COLOURS = {"green": "green health", "yellow": "yellow health", "red": "red health", "none": "no health score"}
_ORDER = {"red": 0, "yellow": 1, "green": 2}
_COVERS = {"sponsor_left": "people", "activity": "use", "meetings": "meetings", "outcome": "results", "term": "terms"}
Sign = Mapping[Hashable, Any]
Said = tuple[list[str], list[str]]

_SIGNS = """
    with asked as (
        select unnest($accounts) as account_id
    ),
    usage as (
        select
            account_id,
            sum(case when day > $last_28 then times else 0 end)::bigint as times_now,
            sum(case when day <= $last_28 then times else 0 end)::bigint as times_before
        from account_day
        where day <= $as_of and day > $last_56
        group by account_id
    ),
    left_us as (
        select
            account_id,
            max(case when role = 'decision_maker' then left_on end) as decision_maker_left_on,
            max(case when role = 'sponsor' then left_on end) as sponsor_left_on,
            max(case when role = 'champion' then left_on end) as champion_left_on
        from contacts
        where left_on <= $as_of and left_on > $last_year
        group by account_id
    ),
    open_tickets as (
        select
            account_id,
            count(*) filter (priority = 'urgent') as urgent,
            min(case when priority = 'urgent' then opened_on end) as urgent_since,
            count(*) filter (coalesce(priority, '') <> 'urgent' and opened_on < $old_ticket) as old
        from tickets
        where opened_on <= $as_of and (closed_on is null or closed_on > $as_of)
        group by account_id
    ),
    late_promises as (
        select account_id, count(*) as late, min(due_on) as late_since
        from promises
        where made_on <= $as_of and due_on < $as_of and (closed_on is null or closed_on > $as_of)
        group by account_id
    ),
    flags as (
        select account_id, min(flagged_on) as flagged_on, arg_min(reason, cast(flagged_on as varchar) || reason) as flagged_for
        from cta_state
        where is_open and is_flagged and from_day <= $as_of and (to_day is null or to_day > $as_of)
        group by account_id
    ),
    met as (
        select
            account_id,
            max(case when was_held then scheduled_on end) as held_on,
            max(case when was_held and kind in ('qbr', 'ebr', 'executive') then scheduled_on end) as review_on
        from meetings
        where scheduled_on <= $as_of
        group by account_id
    )
    select
        asked.account_id,
        usage.times_now, usage.times_before,
        left_us.decision_maker_left_on, left_us.sponsor_left_on, left_us.champion_left_on,
        open_tickets.urgent, open_tickets.urgent_since, open_tickets.old as old_tickets,
        late_promises.late as late_promises, late_promises.late_since,
        flags.flagged_on, flags.flagged_for,
        met.held_on, met.review_on,
        week.nps, week.outcome_ratio, week.active_users, week.seats,
        health.score, health.colour as colour_now, health.change_28_days
    from asked
    left join usage on usage.account_id = asked.account_id
    left join left_us on left_us.account_id = asked.account_id
    left join open_tickets on open_tickets.account_id = asked.account_id
    left join late_promises on late_promises.account_id = asked.account_id
    left join flags on flags.account_id = asked.account_id
    left join met on met.account_id = asked.account_id
    left join account_week week on week.account_id = asked.account_id and week.week_end = $week_end
    left join account_week_health health on health.account_id = asked.account_id and health.week_end = $week_end
    order by asked.account_id
"""


def account_signs(store: Store, as_of: dt.date, accounts: list[str]) -> pd.DataFrame:
    """Return one row per account with what is known of it on `as_of`: use, people, tickets, promises, meetings, health.

    Use counts the last 28 days against the 28 before; health and the weekly measures are those of the newest complete
    week. A count is NaN where its table holds nothing of the account.
    """
    return store.frame(
        _SIGNS,
        as_of=as_of,
        accounts=sorted(set(accounts)),
        last_28=periods.add_days(as_of, -28),
        last_56=periods.add_days(as_of, -56),
        last_year=periods.add_days(as_of, -periods.DAYS_PER_YEAR),
        old_ticket=periods.add_days(as_of, -14),
        week_end=periods.last_full_week_end(as_of),
    )


def with_reasons(store: Store, contracts: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Return contracts (as of `likelihood.with_likelihood`) with the reasons for and against their renewal.

    Where a model tells the likelihood, the two factors that raise it most and the two that lower it most come first, with
    the points of likelihood that each is worth; then the facts of the account. Else the facts alone.

    Columns: as given, and
        reasons_for, reasons_against: up to four each, the strongest first, separated by "; ", empty text without any
        open_problems: open tickets that are urgent or older than 14 days, promises past their day and flagged calls to
            action, empty where none of these tables was loaded
        colour_now, score_now: health of the newest complete week
    """
    signs = account_signs(store, as_of, contracts["account_id"].tolist())
    joined = contracts.merge(signs, on="account_id", how="left")
    by_model = drivers(store, contracts.loc[contracts["scored"].notna(), "contract_id"].tolist(), as_of)
    said = [
        _both_sides(row, as_of, store.config.health.dead_band, by_model.get(row["contract_id"]))
        for row in joined.to_dict("records")
    ]
    found = contracts.copy(deep=False)
    found["reasons_for"] = [_listed(one[0]) for one in said]
    found["reasons_against"] = [_listed(one[1]) for one in said]
    problems = joined[["urgent", "old_tickets", "late_promises"]].astype("Float64").fillna(0).sum(axis=1)
    problems = problems + joined["flagged_on"].notna().astype("int64").to_numpy()
    is_known = any(store.has(table) for table in ("tickets", "commitments", "ctas"))
    found["open_problems"] = problems.astype("Int64").to_numpy() if is_known else pd.NA
    found["open_problems"] = found["open_problems"].astype("Int64")
    found["colour_now"] = joined["colour_now"].to_numpy()
    found["score_now"] = joined["score"].to_numpy(dtype="float64")
    return found


def _listed(reasons: list[str]) -> str:
    return "; ".join(one.replace(";", ",") for one in reasons[:_MOST])


def _both_sides(row: Sign, as_of: dt.date, dead_band: float, by_model: list[Driver] | None) -> Said:
    """Return the reasons for and against, each side in the order of these rules; no fact is told twice."""
    pro: list[str] = []
    con: list[str] = []
    told = {_COVERS[one.factor] for one in by_model or () if one.factor in _COVERS}
    rules: tuple[tuple[str, Callable[[], Said]], ...] = (
        ("late", lambda: _overdue(row)),
        ("model", lambda: _model(row, by_model or [])),
        ("people", lambda: _people(row)),
        ("group", lambda: _group(row) if by_model is None else ([], [])),
        ("health", lambda: _health(row, dead_band)),
        ("use", lambda: _use(row)),
        ("problems", lambda: _problems(row)),
        ("meetings", lambda: _meetings(row, as_of)),
        ("results", lambda: _results(row)),
        (
            "terms",
            lambda: (
                ["renews by itself unless cancelled"] if _is(row["auto_renews"]) and row["auto_renews"] else [],
                [],
            ),
        ),
    )
    for name, rule in rules:
        if name in told:
            continue
        more_pro, more_con = rule()
        pro += more_pro
        con += more_con
    return pro, con


def _model(row: Sign, by_model: list[Driver]) -> Said:
    """Say what moves the likelihood most, with the points that it is worth; who left, by name of the role and day."""
    found: Said = [], []
    for one in by_model:
        people = "; ".join(_people(row)[1]) if one.factor == "sponsor_left" and one.points < 0 else ""
        found[one.points < 0].append(f"{people or one.value} ({one.points:+.0f} points)")
    return found


def _overdue(row: Sign) -> Said:
    if row["days_left"] >= 0:
        return [], []
    days = f"undecided {-int(row['days_left'])} days past its end"
    if row["late_decisions"] > 0:
        days += f": {int(row['late_renewed'])} of {int(row['late_decisions'])} such were renewed"
    return [], [days]


def _group(row: Sign) -> Said:
    """Say how the contract's group did; a group above the overall rate speaks for the renewal."""
    if not row["decisions"]:
        return [], []
    when = "90 days before the end" if row["days_left"] <= LAGS[0] else "now"
    health = "" if row["basis"] == "segment" else f"{_COLOURS[str(row['colour'])]} {when}, "
    text = f"{health}{row['segment'] or 'no segment'}: {int(row['renewed'])} of {int(row['decisions'])} renewed"
    return ([text], []) if row["group_rate"] >= row["overall"] else ([], [text])


def _health(row: Sign, dead_band: float) -> Said:
    now, then = row["colour_now"], str(row["colour"])
    if now in _ORDER and then in _ORDER and now != then and row["days_left"] <= LAGS[0]:
        moved = f"health went from {then} to {now}"
        return ([moved], []) if _ORDER[str(now)] > _ORDER[then] else ([], [moved])
    change = row["change_28_days"]
    if _is(change) and abs(change) > dead_band:
        word = f"health {'up' if change > 0 else 'down'} {abs(change):.0f} points in 28 days"
        return ([word], []) if change > 0 else ([], [word])
    return [], []


def _use(row: Sign) -> Said:
    now, before = row["times_now"], row["times_before"]
    found: Said = [], []
    if _is(before) and before >= _USE_LEAST:
        change = now / before - 1
        if now == 0:
            found[1].append("no use in 28 days")
        elif abs(change) >= _USE_MOVED:
            found[change < 0].append(f"use {'up' if change > 0 else 'down'} {abs(change):.0%} in 28 days")
    active, seats = row["active_users"], row["seats"]
    if _is(active) and _is(seats) and seats >= 5 and (active / seats >= 0.8 or active / seats < 0.3):
        found[active / seats < 0.3].append(f"{int(active)} of {int(seats)} seats active in 28 days")
    return found


def _people(row: Sign) -> Said:
    left = {words: row[f"{role}_left_on"] for role, words in _ROLES.items()}
    return [], [f"{words} left on {_day(day)}" for words, day in left.items() if _is(day)]


def _problems(row: Sign) -> Said:
    con = []
    if _is(row["urgent"]) and row["urgent"]:
        con.append(f"urgent ticket open since {_day(row['urgent_since'])}")
    if _is(row["flagged_on"]):
        con.append(f"flagged since {_day(row['flagged_on'])}: {row['flagged_for']}")
    if _is(row["late_promises"]) and row["late_promises"]:
        con.append(f"promise due {_day(row['late_since'])} not kept")
    if _is(row["old_tickets"]) and row["old_tickets"]:
        count = int(row["old_tickets"])
        con.append(f"{count} ticket{'s' if count > 1 else ''} open for more than 14 days")
    return [], con


def _meetings(row: Sign, as_of: dt.date) -> Said:
    if _is(row["review_on"]) and (as_of - row["review_on"].date()).days <= 90:
        return [f"business review held on {_day(row['review_on'])}"], []
    if _is(row["held_on"]) and (as_of - row["held_on"].date()).days > _LONG_AGO_DAYS:
        return [], [f"no meeting held since {_day(row['held_on'])}"]
    return [], []


def _results(row: Sign) -> Said:
    found: Said = [], []
    ratio = row["outcome_ratio"]
    if _is(ratio) and abs(ratio - 1) >= 0.05:
        found[ratio < 1].append(f"own results {'up' if ratio > 1 else 'down'} {abs(ratio - 1):.0%} in 3 months")
    if _is(row["nps"]) and (row["nps"] >= 9 or row["nps"] <= 6):
        found[row["nps"] <= 6].append(f"NPS answers of {row['nps']:.1f} on average in 180 days")
    return found


def _is(value: Any) -> bool:
    """Tell whether a value is known."""
    return value is not None and value is not pd.NaT and value is not pd.NA and value == value


def _day(day: Any) -> str:
    return f"{day.day} {day:%b %Y}"

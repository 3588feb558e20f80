"""Expansion found in how an account uses what it has: seats, limits, departments and bursts of new users.

Each rule returns its offers with the evidence in words and the basis of the estimated ARR.
"""

import datetime as dt
import math

from cs_metrics import periods
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_offers import Known, Offer

__all__ = ["departments", "limits", "seats", "services"]


def seats(known: Known) -> list[Offer]:
    found, settings = [], known.settings
    for one in known.customers.values():
        if not one.seats or one.seats_used is None or one.active_users is None:
            continue
        used, active = one.seats_used / one.seats, one.active_users / one.seats
        if used < settings.seats_used_from or active <= settings.seats_active_above:
            continue
        more = max(1, math.ceil(one.seats_used / settings.seats_headroom_to) - one.seats)
        evidence = (
            f"{words.amount(one.seats_used)} of {one.seats} seats given out ({words.percent(used)}), "
            f"{one.active_users} active in the 4 weeks to {words.day(periods.last_full_week_end(known.as_of))} ({words.percent(active)})"
        )
        arr = more * one.seat_price if one.seat_price is not None else None
        basis = f"{words.plural(more, 'seat')} to bring use down to {words.percent(settings.seats_headroom_to)}"
        price = (
            f" × {words.money(one.seat_price, known.currency)} a seat and year" if one.seat_price is not None else ""
        )
        what = words.plural(more, "seat")
        found.append(Offer(one.account_id, "seats", what, evidence, arr, basis + price, one.seat_product_id))
    return found


_LIMITS = """
    with measured as (
        select
            usage_limits.*,
            row_number() over (partition by account_id, resource order by measured_on desc) as back
        from usage_limits
        where measured_on <= $as_of and resource <> 'seats'
    ),
    trends as (
        select account_id, resource, regr_slope(used, date_diff('day', date '2000-01-01', measured_on)) as slope
        from measured
        where back <= $points
        group by account_id, resource
        having count(*) >= 3
    ),
    latest as (
        select measured.account_id, measured.resource, measured_on, used, allowed, trends.slope
        from measured
        inner join scope on scope.account_id = measured.account_id
        left join trends on trends.account_id = measured.account_id and trends.resource = measured.resource
        where back = 1 and measured_on > $stale_after and allowed > 0
    ),
    projected as (
        select
            *,
            case when used < allowed and slope > 0
                and allowed - used <= slope * date_diff('day', measured_on, cast($horizon as date))
                then measured_on + cast(ceil((allowed - used) / slope) as integer) end as full_on
        from latest
    )
    select account_id, resource, measured_on, used, allowed, slope, full_on
    from projected
    where used >= allowed * $used_from or full_on is not null
    order by account_id, resource
"""


def limits(known: Known) -> list[Offer]:
    settings = known.settings
    rows = known.store.rows(
        _LIMITS,
        scope=known.scope,
        as_of=known.as_of,
        points=settings.limit_trend_points,
        stale_after=known.ago(settings.limit_stale_days),
        horizon=periods.add_days(known.as_of, settings.limit_projected_days),
        used_from=settings.limit_used_from,
    )
    said: dict[str, list[tuple[str, str]]] = {}
    for account_id, name, measured_on, used, allowed, slope, full_on in rows:
        resource = name.replace("_", " ")
        text = f"{resource}: {words.amount(used)} of {words.amount(allowed)} used on {words.day(measured_on)} ({words.percent(used / allowed)})"
        grows = f", growing by {words.amount(slope * 30)} in 30 days: full by {words.day(full_on)}" if full_on else ""
        said.setdefault(account_id, []).append((resource, text + grows))
    found = []
    for account_id, parts in said.items():
        if account_id in known.customers:
            arr, basis = known.share_of_arr(known.customers[account_id], "limit", settings.limit_arr_share)
            what = words.joined([resource for resource, _ in parts])
            found.append(Offer(account_id, "limit", what, words.sentence([text for _, text in parts]), arr, basis))
    return found


_DEPARTMENTS = """
    with active as (
        select distinct user_week.account_id, user_week.user_id
        from user_week
        where week_end <= $week_end and week_end > $four_weeks_before and user_id <> ''
    ),
    people as (
        select
            users.account_id,
            users.department,
            coalesce(users.created_on, accounts.started_on) as created_on,
            coalesce(users.deactivated_on <= $as_of, false) as is_gone,
            active.user_id is not null as is_active
        from users
        inner join scope on scope.account_id = users.account_id
        inner join accounts on accounts.account_id = users.account_id
        left join active on active.account_id = users.account_id and active.user_id = users.user_id
        where coalesce(users.created_on, accounts.started_on) <= $as_of
            and users.department is not null
            and accounts.started_on <= $settled
    )
    select
        account_id,
        department,
        count(*) filter (not is_gone) as users,
        count(*) filter (is_active) as active_users,
        min(created_on) as first_on
    from people
    group by account_id, department
    order by account_id, department
"""


def departments(known: Known) -> list[Offer]:
    week_end = periods.last_full_week_end(known.as_of)
    rows = known.store.rows(
        _DEPARTMENTS,
        scope=known.scope,
        as_of=known.as_of,
        week_end=week_end,
        four_weeks_before=periods.add_days(week_end, -28),
        settled=known.ago(known.config.onboarding.days),
    )
    by: dict[str, list[tuple[str, int, int, dt.date]]] = {}
    for account_id, department, users, active, first_on in rows:
        by.setdefault(account_id, []).append((department, users, active, first_on))
    found = []
    for account_id, departments in by.items():
        offer = _department_offer(known, account_id, departments)
        if offer:
            found.append(offer)
    return found


def _department_offer(known: Known, account_id: str, departments: list[tuple[str, int, int, dt.date]]) -> Offer | None:
    settings, one = known.settings, known.customers.get(account_id)
    in_use = [row for row in departments if row[2] > 0]
    others = [row for row in departments if row[2] == 0 and row[1] > 0]
    new = [row for row in departments if row[3] > known.ago(settings.new_within_days) and row[1] > 0]
    new = new if len(new) < len(departments) else []
    active = sum(row[2] for row in in_use)
    is_narrow = active >= settings.department_min_active and len(in_use) <= settings.departments_up_to and bool(others)
    if one is None or not (is_narrow or new):
        return None
    said = [f"first users of {row[0]} on {words.day(row[3])} ({words.plural(row[1], 'user')})" for row in new]
    if is_narrow:
        names = words.joined([row[0] for row in in_use])
        idle = words.and_more([f"{row[0]} ({words.plural(row[1], 'user')})" for row in others])
        said.insert(0, f"all {words.plural(active, 'active user')} are in {names}; not active: {idle}")
    what = words.and_more(list(dict.fromkeys(row[0] for row in [*new, *(others if is_narrow else [])])))
    if one.seat_price is not None and in_use:
        seats = math.ceil(active / len(in_use))
        arr = seats * one.seat_price
        basis = f"{words.plural(seats, 'seat')} as in its average active department × {words.money(one.seat_price, known.currency)} a seat and year"
    else:
        arr, basis = known.share_of_arr(one, "department", settings.department_arr_share)
    return Offer(account_id, "department", what, words.sentence(said), arr, basis, one.seat_product_id)


_BURSTS = """
    with counted as (
        select
            users.account_id,
            count(*) filter (created_on > $since) as new_users,
            count(*) filter (created_on is null or created_on <= $since) as before,
            max(created_on) as newest_on
        from users
        inner join scope on scope.account_id = users.account_id
        inner join accounts on accounts.account_id = users.account_id
        where (created_on is null or created_on <= $as_of)
            and (deactivated_on is null or deactivated_on > $as_of)
            and accounts.started_on <= $settled
        group by users.account_id
    ),
    connectors as (
        select account_id, string_agg(event, ', ' order by event) as events, max(first_day) as connected_on
        from event_first
        where first_day > $since and first_day <= $as_of and event = any($connectors)
        group by account_id
    )
    select
        scope.account_id,
        case when counted.new_users >= $least and counted.new_users >= $share * counted.before then counted.new_users end as new_users,
        counted.before,
        counted.newest_on,
        connectors.events,
        connectors.connected_on
    from scope
    left join counted on counted.account_id = scope.account_id
    left join connectors on connectors.account_id = scope.account_id
    where connectors.events is not null
        or (counted.before > 0 and counted.new_users >= $least and counted.new_users >= $share * counted.before)
    order by scope.account_id
"""


def services(known: Known) -> list[Offer]:
    settings = known.settings
    rows = known.store.rows(
        _BURSTS,
        scope=known.scope,
        as_of=known.as_of,
        since=known.ago(settings.new_within_days),
        settled=known.ago(known.config.onboarding.days),
        connectors=list(settings.connector_events),
        least=settings.burst_min_users,
        share=settings.burst_share,
    )
    found = []
    for account_id, new_users, before, newest_on, events, connected_on in rows:
        if account_id not in known.customers:
            continue
        said = []
        if new_users:
            days = f"in {settings.new_within_days} days, the newest on {words.day(newest_on)}"
            said.append(
                f"{new_users} new users {days}, after {before} before ({words.percent(new_users / before)} more)"
            )
        if events:
            said.append(f"first {events} on {words.day(connected_on)}")
        arr, basis = known.share_of_arr(known.customers[account_id], "service", settings.service_arr_share)
        what = words.joined([*(["Training"] if new_users else []), *(["Consulting"] if events else [])])
        found.append(Offer(account_id, "service", what, words.sentence(said), arr, basis))
    return found

"""Expansion found in how an account uses what it has: seats and bursts of new users.

Each rule returns its offers with the evidence in words and the basis of the estimated ARR.
"""

import math

from cs_metrics import periods
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_offers import Known, Offer

__all__ = ["seats", "services"]


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

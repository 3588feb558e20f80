"""What speaks against an offer right now, each with its reason and, where it can be known, the day on which it lifts."""

import datetime as dt
from dataclasses import dataclass

from cs_metrics import periods
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_accounts import Blocker, Customer
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store

__all__ = ["Blockers", "Moments", "blockers", "moments"]


@dataclass(frozen=True)
class Blockers:
    """All blockers on the as-of day: by account, and open bugs by account and product."""

    by_account: dict[str, list[Blocker]]
    bugs: dict[tuple[str, str], Blocker]

    def of(self, customer: Customer, product_id: str | None) -> list[Blocker]:
        """Return what blocks an offer of this product (None: of no certain product) to this customer."""
        found = list(self.by_account.get(customer.account_id, []))
        if customer.is_lost and customer.ends_on is not None:
            says = f"Has decided to leave: the contract ends on {words.day(customer.ends_on)}"
            found.insert(0, Blocker(says, depends_on="the customer, who decided to leave"))
        bug = self.bugs.get((customer.account_id, product_id or ""))
        return [*found, bug] if bug else found


_SUPPORT = "support closing the ticket"

_TICKETS = """
    with waiting as (
        select ticket_id, tickets.account_id, opened_on, priority, kind, product_id
        from tickets
        inner join scope on scope.account_id = tickets.account_id
        where opened_on <= $as_of and (closed_on is null or closed_on > $as_of)
    )
    select
        account_id,
        count(*) filter (priority = 'urgent') as urgent,
        min(opened_on) filter (priority = 'urgent') as urgent_since,
        count(*) filter (opened_on < $old_before and coalesce(priority, '') <> 'urgent') as old,
        min(opened_on) filter (opened_on < $old_before and coalesce(priority, '') <> 'urgent') as old_since
    from waiting
    group by account_id
    having urgent + old > 0
"""

_BUGS = """
    select
        tickets.account_id,
        tickets.product_id,
        coalesce(any_value(products.name), tickets.product_id) as product,
        count(*) as bugs,
        min(opened_on) as since
    from tickets
    inner join scope on scope.account_id = tickets.account_id
    left join products on products.product_id = tickets.product_id
    where tickets.kind = 'bug' and tickets.product_id is not null
        and opened_on <= $as_of and (closed_on is null or closed_on > $as_of)
    group by tickets.account_id, tickets.product_id
"""

# A low answer counts until the same person gives a better one to the same kind of survey.
_LOW = """
    with answers as (
        select surveys.account_id, kind, score, answered_on, answered_at, user_id,
            score <= case kind when 'nps' then $low_nps else $low_csat end as is_low
        from surveys
        inner join scope on scope.account_id = surveys.account_id
        where answered_on <= $as_of and answered_on > $since
    )
    select account_id, kind, score, answered_on
    from answers
    where is_low and not exists (
        select 1 from answers later
        where later.account_id = answers.account_id and later.kind = answers.kind and later.user_id = answers.user_id
            and later.answered_at > answers.answered_at and not later.is_low
    )
    qualify row_number() over (partition by account_id, kind order by answered_on desc, score) = 1
    order by account_id, kind
"""


def blockers(store: Store, as_of: dt.date, scope: Scope) -> Blockers:
    """Return what blocks offers: stuck tickets, low satisfaction, and open bugs of a product."""
    settings = store.config.expansion
    found: dict[str, list[Blocker]] = {}
    old_before = periods.add_days(as_of, -settings.old_ticket_days)
    for account_id, urgent, urgent_since, old, old_since in store.rows(
        _TICKETS, scope=scope, as_of=as_of, old_before=old_before
    ):
        said = found.setdefault(account_id, [])
        if urgent:
            said.append(Blocker(_open(urgent, "urgent ticket", urgent_since), depends_on=_SUPPORT))
        if old:
            age = f"{settings.old_ticket_days} days: the oldest {periods.days_between(old_since, as_of)} days"
            said.append(Blocker(f"{words.plural(old, 'ticket')} open for more than {age}", depends_on=_SUPPORT))
    since = periods.add_days(as_of, -settings.low_satisfaction_days)
    low = store.rows(_LOW, scope=scope, as_of=as_of, since=since, low_nps=settings.low_nps, low_csat=settings.low_csat)
    for account_id, kind, score, answered_on in low:
        lifts_on = periods.add_days(answered_on, settings.low_satisfaction_days)
        says = (
            f"Low {kind.upper()} of {words.amount(score)} on {words.day(answered_on)}, lifts on {words.day(lifts_on)}"
        )
        found.setdefault(account_id, []).append(Blocker(says, lifts_on))
    bugs = {
        (account_id, product_id): Blocker(
            _open(count, f"bug in {product}", first, f"bugs in {product}"), depends_on=f"the repair of {product}"
        )
        for account_id, product_id, product, count, first in store.rows(_BUGS, scope=scope, as_of=as_of)
    }
    return Blockers(found, bugs)


def _open(count: int, one: str, since: dt.date, many: str = "") -> str:
    return f"{words.plural(count, one, many)} open since {words.day(since)}"


@dataclass(frozen=True)
class Moments:
    """Good moments on the as-of day: reviews that went well, what was asked for, and what was read up on.

    Requests and material of no certain product stand under the empty one; material is the event and its day.
    """

    reviews: dict[str, dt.date]
    deals: dict[tuple[str, str, str], dt.date]
    requests: dict[tuple[str, str], dt.date]
    material: dict[tuple[str, str], tuple[str, dt.date]]

    def asked(self, account_id: str, kind: str, product_id: str | None) -> str:
        """Return how the offer was asked for: by an open deal of the kind, or a request about the product; else empty."""
        product = product_id or ""
        deal = self.deals.get((account_id, kind, product)) or self.deals.get((account_id, kind, ""))
        if deal:
            return f"deal open since {words.day(deal)}"
        request = self.requests.get((account_id, product)) if product else None
        return f"request of {words.day(request)}" if request else ""

    def interest(self, account_id: str, product_id: str | None) -> list[str]:
        """Return what shows interest beside the offer itself: a wish for a feature, and material on the topic or on any."""
        wish = self.requests.get((account_id, ""))
        read = self.material.get((account_id, product_id or "")) or self.material.get((account_id, ""))
        said = [f"asked for a feature on {words.day(wish)}"] if wish else []
        return [*said, f"{read[0].replace('_', ' ')} on {words.day(read[1])}"] if read else said


_REVIEWS = """
    select meetings.account_id, max(scheduled_on)
    from meetings
    inner join scope on scope.account_id = meetings.account_id
    where kind in ('qbr', 'ebr', 'executive') and was_held and went_well and scheduled_on <= $as_of and scheduled_on > $since
    group by meetings.account_id
"""
_DEALS = """
    select opportunities.account_id, kind, coalesce(product_id, '') as product_id, max(opened_on)
    from opportunities
    inner join scope on scope.account_id = opportunities.account_id
    where opened_on <= $as_of and (stage = 'open' or closed_on is null or closed_on > $as_of)
    group by opportunities.account_id, kind, coalesce(product_id, '')
"""
_REQUESTS = """
    select tickets.account_id, coalesce(product_id, ''), max(opened_on)
    from tickets
    inner join scope on scope.account_id = tickets.account_id
    where kind = 'request' and opened_on <= $as_of and opened_on > $since
    group by tickets.account_id, coalesce(product_id, '')
"""
_MATERIAL = """
    select
        used.account_id, coalesce(product_events.product_id, '') as product_id,
        arg_max(used.event, (used.day, used.event)) as event, max(used.day) as day
    from account_day_event used
    inner join scope on scope.account_id = used.account_id
    left join product_events on product_events.event = used.event
    where used.event = any($events) and used.day <= $as_of and used.day > $since
    group by used.account_id, coalesce(product_events.product_id, '')
"""


def moments(store: Store, as_of: dt.date, scope: Scope) -> Moments:
    """Return the good moments that the facts know of."""
    settings = store.config.expansion
    reviewed = periods.add_days(as_of, -settings.good_review_days)
    asked = periods.add_days(as_of, -settings.tried_within_days)
    return Moments(
        reviews=dict(store.rows(_REVIEWS, scope=scope, as_of=as_of, since=reviewed)),
        deals={(a, k, p): day for a, k, p, day in store.rows(_DEALS, scope=scope, as_of=as_of)},
        requests={(a, p): day for a, p, day in store.rows(_REQUESTS, scope=scope, as_of=as_of, since=asked)},
        material={
            (a, p): (event, day)
            for a, p, event, day in store.rows(
                _MATERIAL,
                scope=scope,
                as_of=as_of,
                since=periods.add_days(as_of, -settings.material_days),
                events=list(settings.material_events),
            )
        },
    )

"""The passage from sales to customer success: is what is needed handed over, how soon is the customer greeted, and who joins when."""

import datetime as dt
from typing import Literal
from zoneinfo import ZoneInfo

import pandas as pd

from cs_metrics import periods
from cs_metrics.config import Handoff
from cs_metrics.metrics.expansion_words import amount, joined, money, plural, sentence
from cs_metrics.metrics.health_backtest import wilson
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["AFTER_CLOSE", "AT_70", "PARTS", "UNKNOWN", "handoff_accounts", "handoff_completeness"]

PARTS = {
    "has_profile": "profile",
    "has_order": "order",
    "has_technical_needs": "technical needs",
    "has_expected_outcomes": "expected outcomes",
}
AFTER_CLOSE, AT_70, UNKNOWN = "after close", "at 70 %", "unknown"

# One row per account handed over: what came along, and the first message since its payment, as known on $as_of.
_CHECKED = """
    paid as (
        select handoffs.*, coalesce(accounts.salesperson, '') as salesperson, accounts.name
        from handoffs
        inner join scope on scope.account_id = handoffs.account_id
        inner join accounts on accounts.account_id = handoffs.account_id
        where handoffs.paid_on <= $as_of
            and ($last_days = 0 or handoffs.paid_on > $as_of::date - $last_days::integer)
    ),
    greetings as (
        select
            paid.account_id,
            date_diff('second', paid.paid_at, min(messages.sent_at)) / 60.0 as minutes,
            bool_or(case when messages.kind = 'welcome' then coalesce(messages.opened_on <= $as_of, false) end)
                as welcome_opened
        from paid
        inner join messages
            on messages.account_id = paid.account_id and messages.sent_at >= paid.paid_at and messages.sent_on <= $as_of
        group by paid.account_id, paid.paid_at
    ),
    watched as (
        select count(*) > 0 as is_watched from messages where sent_on <= $as_of
    ),
    checked as (
        select
            paid.*,
            coalesce(has_profile and has_order and has_technical_needs and has_expected_outcomes, false) as is_complete,
            greetings.minutes::double as minutes,
            greetings.welcome_opened,
            case
                when greetings.minutes is not null then greetings.minutes <= $target_minutes
                when watched.is_watched and paid.paid_at + to_minutes($target_minutes::integer) <= $day_end then false
            end as is_in_time
        from paid
        cross join watched
        left join greetings on greetings.account_id = paid.account_id
    )"""

_BY_PERSON = f"""
    with {_CHECKED}
    select
        case when $by = 'total' then 'total' else salesperson end as salesperson,
        count(*) as accounts,
        count(*) filter (is_complete) as complete,
        case when count(*) >= $min_accounts then count(*) filter (is_complete)::double / count(*) end as share,
        count(*) filter (not coalesce(has_profile, false)) as without_profile,
        count(*) filter (not coalesce(has_order, false)) as without_order,
        count(*) filter (not coalesce(has_technical_needs, false)) as without_technical_needs,
        count(*) filter (not coalesce(has_expected_outcomes, false)) as without_expected_outcomes,
        count(minutes) as greeted,
        median(minutes)::double as median_minutes,
        count(*) filter (is_in_time) as greeted_in_time,
        count(*) filter (welcome_opened) as opened_welcome
    from checked
    group by 1
    order by count(*) - complete desc, accounts desc, 1
"""

_LISTED = f"""
    with {_CHECKED}
    select
        checked.account_id,
        checked.name,
        checked.salesperson,
        checked.paid_on,
        checked.deal_value_cents::double / 100 as deal_value,
        checked.sales_cycle_days,
        checked.implementation_days,
        checked.has_profile,
        checked.has_order,
        checked.has_technical_needs,
        checked.has_expected_outcomes,
        coalesce(has_profile, false)::bigint + coalesce(has_order, false)::bigint
            + coalesce(has_technical_needs, false)::bigint + coalesce(has_expected_outcomes, false)::bigint as completeness,
        checked.minutes,
        checked.is_in_time,
        checked.welcome_opened,
        coalesce(mrr_interval.mrr_cents, 0) * 12::double / 100 as arr
    from checked
    left join mrr_interval
        on mrr_interval.account_id = checked.account_id
        and mrr_interval.from_day <= $as_of
        and (mrr_interval.to_day is null or mrr_interval.to_day > $as_of)
    where $show = 'all' or ($show = 'gaps' and not checked.is_complete) or ($show = 'late' and not checked.is_in_time)
    order by checked.is_complete, checked.paid_on desc, arr desc, checked.account_id
"""


@metric(needs=("handoffs",), page="Onboarding")
def handoff_completeness(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    last_days: int = 365,
    target_minutes: int | None = None,
    by: Literal["salesperson", "total"] = "salesperson",
) -> pd.DataFrame:
    """Per salesperson: of the accounts handed over in the last year, how many came with nothing missing.

    An account is handed over with a gap when profile, order, technical needs or expected outcomes are not there, or it
    is not known whether they are. The greeting is the first message sent to the account from its payment on, as known
    on the as-of day; in time is within `target_minutes`, by default the configured `handoff.greeting_minutes`. With
    `last_days=0` all hand-offs count; with `by=total` they are one row. The salesperson with the most gaps comes first.

    Formula: share = complete ÷ accounts.
    Columns:
        salesperson: as now, empty where unknown; total for by=total
        accounts: accounts paid in the last `last_days` days
        complete: those of them with all four parts
        share: complete ÷ accounts, empty below min_accounts
        without_profile, without_order, without_technical_needs, without_expected_outcomes: accounts that lack that part
        greeted: accounts with a message since payment
        median_minutes: median minutes from payment to the first message, of the greeted ones
        greeted_in_time: accounts greeted within `target_minutes`
        opened_welcome: accounts that opened a welcome message
        low, high: 95 % interval of the share, empty below min_accounts
    Source: Wilson 1927 for the interval.
    """
    found = _ask(store, _BY_PERSON, as_of, scope, last_days, target_minutes, by=by)
    ends = [wilson(int(part), int(whole)) for part, whole in zip(found["complete"], found["accounts"], strict=True)]
    is_shown = found["accounts"] >= store.config.min_accounts
    for at, name in enumerate(("low", "high")):
        found[name] = pd.Series([one[at] for one in ends], dtype="float64").where(is_shown)
    return found


@metric(needs=("handoffs",), page="Onboarding")
def handoff_accounts(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    last_days: int = 365,
    target_minutes: int | None = None,
    show: Literal["all", "gaps", "late"] = "all",
) -> pd.DataFrame:
    """Every account handed over in the last year: when customer success was to join, what is missing, and how soon it was greeted.

    Customer success joins after close when annual value, sales cycle and implementation all lie below the thresholds
    of `[handoff]`, else at 70 % of the sale: one part at or above its threshold decides, and where the known parts do
    not, the rule is unknown. The annual value is the deal value of the hand-off. The greeting is that of
    handoff_completeness; whether it came in time is empty where no messages were loaded, and until the target has
    passed. `show` leaves only those with gaps, or those greeted late or not at all; `last_days=0` lists all hand-offs.
    Accounts with gaps come first, the latest payment first among them.

    Columns:
        account_id, name: the account
        salesperson: as now
        paid_on: day of the payment
        rule: after close, at 70 %, or unknown
        why: the numbers that decide it, and what is not known
        has_profile, has_order, has_technical_needs, has_expected_outcomes: the parts, empty where not known
        completeness: how many of the four parts are there
        missing: the parts that are not there, and those of which it is not known
        minutes: from payment to the first message, empty where there is none
        is_in_time: whether that is within the target, empty where not known
        welcome_opened: whether a welcome message was opened, empty where none was sent
        arr: ARR on the as-of day, reporting currency
    """
    found = _ask(store, _LISTED, as_of, scope, last_days, target_minutes, show=show)
    settings, currency = store.config.handoff, store.config.currency
    sales = found[["deal_value", "sales_cycle_days", "implementation_days"]].astype("float64")
    judged = [_rule(sale, settings, currency) for sale in sales.itertuples(index=False, name=None)]
    found["rule"], found["why"] = [rule for rule, _ in judged], [why for _, why in judged]
    found["missing"] = [_missing(row) for row in found[list(PARTS)].itertuples(index=False, name=None)]
    return found.astype(dict.fromkeys(("rule", "why", "missing"), "str"))[_LIST]


_LIST = [
    "account_id", "name", "salesperson", "paid_on", "rule", "why", *PARTS, "completeness", "missing", "minutes",
    "is_in_time", "welcome_opened", "arr",
]  # fmt: skip


def _ask(
    store: Store, sql: str, as_of: dt.date, scope: Scope, last_days: int, target_minutes: int | None, **more: str
) -> pd.DataFrame:
    day_end = dt.datetime.combine(periods.add_days(as_of, 1), dt.time(), tzinfo=ZoneInfo(store.time_zone))
    return store.frame(
        sql,
        scope=scope,
        as_of=as_of,
        day_end=day_end.astimezone(dt.UTC).replace(tzinfo=None),
        last_days=last_days,
        target_minutes=store.config.handoff.greeting_minutes if target_minutes is None else target_minutes,
        min_accounts=store.config.min_accounts,
        **more,
    )


def _rule(sale: tuple[float, ...], settings: Handoff, currency: str) -> tuple[str, str]:
    """Return when customer success joins a sale (value, cycle, implementation; NaN is not known), and why in words."""
    value, cycle, implementation = sale
    parts = (
        ("annual value", value, settings.annual_value_below, money(value, currency)),
        ("sales cycle", cycle, settings.sales_cycle_days_below, plural(cycle, "day")),
        ("implementation", implementation, settings.implementation_days_below, plural(implementation, "day")),
    )
    unknown = [name for name, found, _, _ in parts if found != found]
    above = [f"{name} {said}, from {amount(limit)}" for name, found, limit, said in parts if found >= limit]
    below = [f"{name} {said}, below {amount(limit)}" for name, found, limit, said in parts if found < limit]
    rule = AT_70 if above else UNKNOWN if unknown else AFTER_CLOSE
    return rule, sentence([*(above or below), *([f"not known: {joined(unknown)}"] if unknown else [])])


def _missing(has: tuple[bool | None, ...]) -> str:
    """Return the parts that are not there, and those of which it is not known, in words."""
    parts = dict(zip(PARTS.values(), has, strict=True))
    unknown = [name for name, one in parts.items() if pd.isna(one)]
    without = [name for name, one in parts.items() if not pd.isna(one) and not one]
    said = [joined(without)] if without else []
    return sentence([*said, *([f"not known: {joined(unknown)}"] if unknown else [])])

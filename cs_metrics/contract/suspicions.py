"""What is suspicious but legal: each check counts rows and shows one of them.

All checks read the facts as they are after the load, so the Data page speaks of everything that is published.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import available_timezones

import duckdb

from cs_metrics import periods
from cs_metrics.contract.facts import EVENTS
from cs_metrics.contract.history import LoadWarning
from cs_metrics.contract.sql import name
from cs_metrics.contract.tables import TABLES, day_column

__all__ = ["SILENT_DAYS", "missing_rate", "suspicions"]

SILENT_DAYS = 90
_PLANNED = {
    "starts_on",
    "ends_on",
    "due_on",
    "scheduled_on",
    "renewed_until",
    "left_on",
    "deactivated_on",
    "valid_from",
    "month",
}
# Which day of a line sets the rate at which its amount is converted, and when there is an amount to convert.
_CONVERTED = {
    "subscriptions": ("starts_on", "subscription_id", "mrr_cents is not null"),
    "contracts": ("starts_on", "contract_id", "arr_cents is not null"),
    "opportunities": ("opened_on", "opportunity_id", "arr_cents is not null"),
    "handoffs": ("paid_on", "account_id", "deal_value_cents is not null"),
    "accounts": ("started_on", "account_id", "acquisition_cost_cents is not null"),
}


@dataclass(frozen=True)
class _Check:
    """One check: its table and name, the SQL of the suspicious rows with a text `example`, and the sentence."""

    table: str
    kind: str
    sql: str
    says: str


def suspicions(
    connection: duckdb.DuckDBPyConnection,
    relations: Mapping[str, str],
    newest: dt.date | None,
    rounded: Mapping[str, int],
) -> list[LoadWarning]:
    """Return the warnings for the facts in `relations` (table → SQL of its rows), as of their newest day."""
    found = [
        LoadWarning(
            table=table,
            kind="rounded",
            count=count,
            example="",
            says=f"amounts with more than 2 digits, rounded to cents half to even: {count:,} rows",
        )
        for table, count in rounded.items()
        if count
    ]
    if newest is None:
        return found
    facts = dict(relations)
    if EVENTS in facts:
        connection.execute(
            "create or replace temp table event_days as select account_id, occurred_on, cast(count(*) as bigint) as times "
            f"from {facts[EVENTS]} as events group by 1, 2"
        )
    for check in _checks(facts, newest):
        count, example = connection.execute(
            f"select coalesce(cast(sum(times) as bigint), 0), min(example) from ({check.sql}) as found"
        ).fetchall()[0]
        if count:
            says = f"{check.says}: {count:,}, for example {example}"
            found.append(LoadWarning(table=check.table, kind=check.kind, count=count, example=str(example), says=says))
    return found + _unknown_zones(connection, facts)


def missing_rate(connection: duckdb.DuckDBPyConnection, relations: Mapping[str, str], currency: str) -> str:
    """Return a sentence that names a currency, an account and a day without a rate; an empty text when there is none."""
    lines = [
        f"select '{table}' as said, account_id, {day} as day, {key} as id from {relations[table]} as t where {held}"
        for table, (day, key, held) in _CONVERTED.items()
        if table in relations
    ]
    rates = (
        f"select currency, valid_from from {relations['rates']} as t"
        if "rates" in relations
        else "select '' as currency, date '1990-01-01' as valid_from"
    )
    rows = connection.execute(
        f"select a.currency, l.account_id, l.day, l.said, l.id from ({' union all '.join(lines)}) as l "
        f"join {relations['accounts']} as a on a.account_id = l.account_id "
        f"where a.currency <> ? and not exists (select 1 from ({rates}) as r where r.currency = a.currency and r.valid_from <= l.day) "
        "order by a.currency, l.account_id, l.day, l.said limit 1",
        [currency],
    ).fetchall()
    if not rows:
        return ""
    code, account, day, table, key = rows[0]
    return (
        f"account '{account}' pays in {code}, and the table rates holds no rate of {code} valid on {day}, "
        f"which '{key}' in {table} needs; add one, as {currency} per {code}."
    )


def _checks(facts: Mapping[str, str], newest: dt.date) -> Iterator[_Check]:
    if EVENTS in facts:
        yield from _event_checks(facts, newest)
    yield from _future(facts, newest)
    if "subscriptions" in facts:
        yield _overlap(facts["subscriptions"])
        if "products" in facts:
            yield _Check(
                "subscriptions",
                "unknown_product",
                "select 1 as times, product_id || ' in ' || subscription_id as example "
                f"from {facts['subscriptions']} as s where product_id is not null "
                f"and product_id not in (select product_id from {facts['products']} as p)",
                "lines of a product that the table products does not hold",
            )
    if "contracts" in facts:
        yield from _contract_checks(facts["contracts"], newest)
    yield _Check(
        "accounts",
        "unknown_parent",
        f"select 1 as times, account_id || ' under ' || parent_id as example from {facts['accounts']} as a "
        f"where parent_id is not null and parent_id not in (select account_id from {facts['accounts']} as b)",
        "accounts whose parent is no account",
    )


def _event_checks(facts: Mapping[str, str], newest: dt.date) -> Iterator[_Check]:
    example = "account_id || ' on ' || cast(occurred_on as varchar)"
    yield _Check(
        EVENTS,
        "before_start",
        f"select e.times, e.{example} as example from event_days e join {facts['accounts']} as a using (account_id) "
        "where e.occurred_on < a.started_on",
        "events before their account's started_on",
    )
    if "contracts" in facts:
        yield _Check(
            EVENTS,
            "after_contracts",
            f"with ends as (select account_id, max(ends_on) as last_end from {facts['contracts']} as c group by 1) "
            f"select e.times, e.{example} as example from event_days e join ends using (account_id) "
            "where e.occurred_on >= ends.last_end",
            "events after the end of all contracts of their account",
        )
    if "subscriptions" in facts:
        since = periods.add_days(newest, 1 - SILENT_DAYS)
        yield _Check(
            "accounts",
            "silent",
            f"select distinct 1 as times, account_id as example from {facts['subscriptions']} as s where mrr_cents > 0 "
            f"and not coalesce(is_trial, false) and starts_on <= date '{newest}' and (ends_on is null or ends_on > date '{newest}') "
            f"and account_id not in (select account_id from event_days where occurred_on between date '{since}' and date '{newest}')",
            f"accounts with MRR and no event in the {SILENT_DAYS} days up to {newest}",
        )


def _future(facts: Mapping[str, str], newest: dt.date) -> Iterator[_Check]:
    for table in TABLES.values():
        if table.name not in facts:
            continue
        for column in table:
            day = day_column(column.name) if column.kind == "time" else column.name
            if column.kind not in ("date", "time") or day in _PLANNED:
                continue
            rows = "event_days" if table.name == EVENTS else f"{facts[table.name]} as t"
            times = "times" if table.name == EVENTS else "1"
            who = "account_id" if any(one.name == "account_id" for one in table) else table.key[0]
            yield _Check(
                table.name,
                "in_future",
                f"select {times} as times, {name(who)} || ' on ' || cast({day} as varchar) as example from {rows} where {day} > date '{newest}'",
                f"{column.name} in the future, after {newest}",
            )


def _overlap(subscriptions: str) -> _Check:
    return _Check(
        "subscriptions",
        "overlap",
        "select 1 as times, subscription_id || ' of ' || account_id as example from ("
        "select *, max(coalesce(ends_on, date '9999-12-31')) over (partition by account_id, product_id "
        "order by starts_on, subscription_id rows between unbounded preceding and 1 preceding) as busy_until "
        f"from {subscriptions} as s where product_id is not null and not coalesce(is_trial, false) "
        "and (ends_on is null or ends_on > starts_on)) as lines where busy_until > starts_on",
        "lines that begin while another line of the same account and product still runs",
    )


def _contract_checks(contracts: str, newest: dt.date) -> Iterator[_Check]:
    example = "contract_id || ' of ' || account_id"
    yield _Check(
        "contracts",
        "undecided",
        f"select 1 as times, {example} as example from {contracts} as c where outcome is null and ends_on < date '{newest}'",
        f"contracts that ended before {newest} without an outcome",
    )
    yield _Check(
        "contracts",
        "outcome_without_day",
        f"select 1 as times, {example} as example from {contracts} as c where outcome is not null and decided_on is null",
        "contracts with an outcome and no decided_on, which count as undecided",
    )


def _unknown_zones(connection: duckdb.DuckDBPyConnection, facts: Mapping[str, str]) -> list[LoadWarning]:
    rows = connection.execute(
        f"select time_zone, count(*), min(account_id) from {facts['accounts']} as a where time_zone is not null group by 1 order by 1"
    ).fetchall()
    known = available_timezones()
    unknown = [(zone, count, account) for zone, count, account in rows if zone not in known]
    if not unknown:
        return []
    count, example = sum(one[1] for one in unknown), f"'{unknown[0][0]}' of {unknown[0][2]}"
    says = f"accounts whose time zone does not exist: {count:,}, for example {example}"
    return [LoadWarning(table="accounts", kind="unknown_time_zone", count=count, example=example, says=says)]

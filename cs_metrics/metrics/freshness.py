"""What is loaded: rows, first and newest day of each table, and what the tables that are missing switch off."""

import datetime as dt

import pandas as pd

from cs_metrics.contract.tables import TABLES, Table, day_column
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["table_status"]


@metric(page="Data")
def table_status(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Every table of the contract with its rows, its first and newest day and the share of accounts that it covers.

    The rows are those published; days and accounts are those known on the as-of day.

    Formula: accounts = accounts with at least one row ÷ accounts in scope.
    Columns:
        table: name in the contract
        is_required: whether a company must hand it over
        rows: published rows
        first_day, newest_day: of the table's leading date, empty where it has none
        accounts: share of accounts with at least one row, empty for tables without accounts
        feeds: what the table feeds; without it that is switched off
    """
    found = [_status(store, table, as_of, scope) for table in TABLES.values()]
    frame = pd.DataFrame(found)
    for name in ("first_day", "newest_day"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    return frame.astype({"accounts": "float64"})


def _status(store: Store, table: Table, as_of: dt.date, scope: Scope) -> dict[str, object]:
    row: dict[str, object] = {
        "table": table.name,
        "is_required": table.is_required,
        "rows": store.row_count(table.name),
        "first_day": None,
        "newest_day": None,
        "accounts": None,
        "feeds": table.feeds,
    }
    if store.has(table.name):
        row["first_day"], row["newest_day"] = _days(store, table, as_of)
        row["accounts"] = _covered(store, table, scope)
    return row


def _leading_day(table: Table) -> str:
    """Return the column that dates a row: its first date, or the day of its first time."""
    for column in table:
        if column.kind in ("date", "time"):
            return column.name if column.kind == "date" else day_column(column.name)
    return ""


def _relation(table: Table) -> str:
    return "account_day" if table.name == "events" else table.name


def _days(store: Store, table: Table, as_of: dt.date) -> tuple[object, object]:
    day = "day" if table.name == "events" else _leading_day(table)
    if not day:
        return None, None
    sql = f"select min({day}), max({day}) from {_relation(table)} where {day} <= $as_of"
    first, newest = store.rows(sql, as_of=as_of)[0]
    return first, newest


def _covered(store: Store, table: Table, scope: Scope) -> object:
    if "account_id" not in table.fact_columns:
        return None
    sql = f"""
        with rows_of as (
            select distinct account_id from {_relation(table)}
        )
        select count(rows_of.account_id)::double / nullif(count(*), 0)
        from scope
        left join rows_of on rows_of.account_id = scope.account_id
    """
    return store.value(sql, scope=scope)

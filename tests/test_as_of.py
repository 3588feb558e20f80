"""The promise of the product: nothing sees the future of its as-of day.

Every registered metric is asked as of a day D twice: on a company whose whole history is loaded, and on the same
company as its systems would have exported it at the end of D. Not a cell may differ.
"""

import datetime as dt
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from cs_metrics import demo, periods
from cs_metrics.contract.load import load
from cs_metrics.contract.tables import TABLES
from cs_metrics.metrics import METRICS, Scope, run
from cs_metrics.store import Database, Store

# The day that brings a row into the world, and the days at which more of it becomes known: {day: columns that it reveals}.
BORN = {
    "accounts": "started_on",
    "subscriptions": "starts_on",
    "events": "occurred_at",
    "users": "created_at",
    "usage_limits": "measured_on",
    "contracts": "starts_on",
    "milestone_completions": "completed_on",
    "ctas": "opened_on",
    "tickets": "opened_at",
    "surveys": "answered_at",
    "meetings": "scheduled_on",
    "messages": "sent_at",
    "contacts": "since",
    "handoffs": "paid_at",
    "opportunities": "opened_on",
    "commitments": "made_on",
    "rates": "valid_from",
}
REVEALED = {
    "subscriptions": {"ends_on": ["ends_on"]},
    "users": {"deactivated_at": ["deactivated_at"]},
    "contracts": {
        "decided_on": [
            "decided_on",
            "outcome",
            "renewed_arr",
            "renewed_until",
            "reason",
            "competitor",
            "discount_percent",
        ]
    },
    "ctas": {
        "closed_on": ["closed_on", "closed_as"],
        "flagged_on": ["flagged_on", "team_needed"],
        "unflagged_on": ["unflagged_on"],
    },
    "tickets": {"first_replied_at": ["first_replied_at"], "closed_at": ["closed_at"]},
    "messages": {"opened_at": ["opened_at"], "replied_at": ["replied_at"]},
    "contacts": {"left_on": ["left_on", "moved_to"]},
    "opportunities": {"closed_on": ["closed_on", "won_with"]},
    "commitments": {"kept_on": ["kept_on"]},
}


def as_known_on(name: str, rows: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """Return the rows of a table as an export at the end of `day` would have held them."""
    end = pd.Timestamp(periods.add_days(day, 1))
    if name in BORN:
        born = pd.to_datetime(rows[BORN[name]])
        rows = rows[born.isna() | (born < end)].copy()
    if name == "outcomes":
        rows = rows[[periods.month_end(month) <= day for month in pd.to_datetime(rows["month"]).dt.date]].copy()
    for column, reveals in REVEALED.get(name, {}).items():
        later = pd.to_datetime(rows[column]) >= end
        if name == "opportunities":
            rows.loc[later, "stage"] = "open"
        for hidden in reveals:
            rows[hidden] = rows[hidden].where(~later, None)
    return rows


def cut(source: Path, target: Path, day: dt.date) -> None:
    """Write the company's files as they would have been at the end of `day`."""
    known: set[str] = set()
    for name in TABLES:
        for path in sorted(
            [*source.glob(f"{name}.parquet"), *source.glob(f"{name}/*.parquet"), *source.glob(f"{name}-*.parquet")]
        ):
            table = pq.read_table(path)
            rows = as_known_on(name, table.to_pandas(), day)
            if name == "accounts":
                known = set(rows["account_id"])
                rows["parent_id"] = rows["parent_id"].where(rows["parent_id"].isin(known), None)
            elif "account_id" in rows:
                rows = rows[rows["account_id"].isin(known)]
            if len(rows):
                out = target / path.relative_to(source)
                out.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(
                    pq.read_schema(path).empty_table().from_pandas(rows, schema=table.schema, preserve_index=False), out
                )


@pytest.fixture(scope="module")
def days() -> tuple[dt.date, dt.date]:
    return dt.date(2026, 4, 30), dt.date(2026, 6, 17)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Store]:
    source, data = tmp_path_factory.mktemp("whole-source"), tmp_path_factory.mktemp("whole")
    demo.write(source, accounts=90, months=18, events=25_000, seed=3)
    record = load(source, data)
    assert record.status == "published", record.reason
    return source, Database.open(data).current()


@pytest.fixture(scope="module")
def cuts(
    whole: tuple[Path, Store], days: tuple[dt.date, dt.date], tmp_path_factory: pytest.TempPathFactory
) -> dict[dt.date, Store]:
    found = {}
    for day in days:
        source, data = tmp_path_factory.mktemp("cut-source"), tmp_path_factory.mktemp("cut")
        cut(whole[0], source, day)
        record = load(source, data)
        assert record.status == "published", record.reason
        found[day] = Database.open(data).current()
    return found


def needed_options(name: str, store: Store) -> dict[str, str]:
    """Fill the options that a metric cannot do without."""
    largest = "select account_id from mrr_interval where from_day <= date '2026-01-01' order by mrr_cents desc, account_id limit 1"
    return (
        {"account_id": str(store.value(largest))}
        if any(one.name == "account_id" for one in METRICS[name].options)
        else {}
    )


# What is published is not a fact about the company: it may differ between two exports.
ABOUT_THE_FILES = {name for name, one in METRICS.items() if one.page == "Data"}


@pytest.mark.parametrize("scope", [Scope(), Scope.of(segment="SMB")], ids=["all", "one segment"])
@pytest.mark.parametrize("which", [0, 1], ids=["a month's end", "the middle of a week"])
@pytest.mark.parametrize("name", sorted(set(METRICS) - ABOUT_THE_FILES))
def test_no_metric_sees_the_future(
    name: str,
    which: int,
    scope: Scope,
    whole: tuple[Path, Store],
    cuts: dict[dt.date, Store],
    days: tuple[dt.date, dt.date],
) -> None:
    day = days[which]
    options = needed_options(name, cuts[day])
    known = run(cuts[day], name, as_of=day, scope=scope, options=options)
    later = run(whole[1], name, as_of=day, scope=scope, options=options)
    pd.testing.assert_frame_equal(known, later, check_dtype=False, rtol=1e-9)


def test_the_cut_companies_really_lack_the_future(
    whole: tuple[Path, Store], cuts: dict[dt.date, Store], days: tuple[dt.date, dt.date]
) -> None:
    for day in days:
        assert cuts[day].newest_day <= day < whole[1].newest_day
        for table in ("events", "tickets", "contracts", "subscriptions"):
            assert 0 < cuts[day].row_count(table) < whole[1].row_count(table)

"""What a row may hold: every check of the contract, with the reason that the user reads."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_metrics.contract.checks import newest_day
from cs_metrics.contract.tables import TABLES
from cs_metrics.contract.values import Source, field_of
from cs_metrics.store import scratch
from tests.load_support import company, counts, day, facts, folder, load, no_marts, rejected, rows, without_marts

quick = without_marts


def read(table: str, column: str, text: str | None, **formats: Any) -> tuple[Any, str | None]:
    """Return value and reason of one text in a column of a table."""
    with scratch() as connection:
        return read_with(connection, table, column, text, **formats)


def read_with(connection: Any, table: str, column: str, text: str | None, **formats: Any) -> tuple[Any, str | None]:
    one = field_of(TABLES[table], TABLES[table].column(column), Source("given", "VARCHAR", **formats))
    found = connection.execute(
        f"with source as (select ?::varchar as given, 'nps' as v_kind), valued as (select *, {one.value} as {one.value_name} "
        f"from source) select {one.value_name}, {one.reason} from valued",
        [text],
    ).fetchall()
    return found[0]


@pytest.mark.parametrize(
    ("text", "cents", "reason"),
    [
        ("100", 10000, None),
        (" 99.5 ", 9950, None),
        ("0.07", 7, None),
        (".5", 50, None),
        ("999999999999.99", 99999999999999, None),
        ("0.005", 0, None),
        ("0.015", 2, None),
        ("0.025", 2, None),
        ("2.675", 268, None),
        ("0.0050000000000001", 1, None),
        ("-1", -100, "is below 0"),
        ("", None, "is empty, and every row needs it"),
        ("1,000.00", None, "is not an amount such as 1234.50"),
        ("1e3", None, "is not an amount such as 1234.50"),
        ("$5", None, "is not an amount such as 1234.50"),
        ("NaN", None, "is not a finite number"),
        ("-Infinity", None, "is not a finite number"),
        ("1000000000000", None, "is an amount of a trillion or more"),
    ],
)
def test_money_is_kept_as_exact_cents(text: str, cents: int | None, reason: str | None) -> None:
    assert read("subscriptions", "mrr", text) == (cents, reason)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.decimals(min_value=0, max_value=10**11, places=2), max_size=20))
def test_amounts_of_two_digits_never_change(amounts: list[Any]) -> None:
    with scratch() as connection:
        found = [read_with(connection, "subscriptions", "mrr", str(amount)) for amount in amounts]
    assert found == [(int(amount * 100), None) for amount in amounts]


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("2024-02-29", day("2024-02-29"), None),
        (" 2024-02-29 ", day("2024-02-29"), None),
        ("2024-02-29 00:00:00", day("2024-02-29"), None),
        ("2024-02-29T00:00:00Z", day("2024-02-29"), None),
        ("2023-02-29", None, "is not a day such as 2026-03-31"),
        ("2024-02-29T10:00:00", None, "is not a day such as 2026-03-31"),
        ("29.02.2024", None, "is not a day such as 2026-03-31"),
        ("20240229", None, "is not a day such as 2026-03-31"),
        ("0000-00-00", None, "is not a day such as 2026-03-31"),
        ("infinity", None, "is not a day such as 2026-03-31"),
        ("1989-12-31", day("1989-12-31"), "lies before 1990"),
        ("1990-01-01", day("1990-01-01"), None),
    ],
)
def test_days_are_read_strictly(text: str, value: dt.date | None, reason: str | None) -> None:
    assert read("subscriptions", "starts_on", text) == (value, reason)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-03-01", "2024-03-01 00:00:00"),
        ("2024-03-01T10:00", "2024-03-01 10:00:00"),
        ("2024-03-01 10:00:00.5", "2024-03-01 10:00:00.500000"),
        ("2024-03-01T10:00:00Z", "2024-03-01 10:00:00"),
        ("2024-03-01T10:00:00+05:30", "2024-03-01 04:30:00"),
        ("2024-03-01T10:00:00-0800", "2024-03-01 18:00:00"),
        ("2024-03-01 10:00:00+02", "2024-03-01 08:00:00"),
        ("2024-03-01T25:00:00Z", None),
        ("2024-03-01T10:00:00 PST", None),
        ("1709287200", None),
        ("yesterday", None),
    ],
)
def test_instants_are_kept_in_utc(text: str, value: str | None) -> None:
    found, reason = read("events", "occurred_at", text)
    assert (found and str(found)) == value
    assert reason == (None if value else "is not an instant such as 2026-03-31T09:30:00Z")


@pytest.mark.parametrize(
    ("table", "column", "text", "value", "reason"),
    [
        ("accounts", "account_id", "007 ", "007 ", None),
        ("accounts", "account_id", "", None, "is empty, and every row needs it"),
        ("accounts", "name", "  ", None, "is empty, and every row needs it"),
        ("accounts", "segment", "  ", None, None),
        ("accounts", "is_flagship", "YES", True, None),
        ("accounts", "is_flagship", "0", False, None),
        ("accounts", "is_flagship", "maybe", None, "is not one of true, false, yes, no, 1, 0"),
        ("accounts", "employees", "25.0", 25, None),
        ("accounts", "employees", "25.5", None, "is not a whole number"),
        ("accounts", "employees", "-3", -3, "is below 0"),
        ("accounts", "currency", " eur ", "EUR", None),
        ("accounts", "currency", "Euro", "EURO", "is not a currency code such as EUR"),
        ("accounts", "archetype", "Platform ", "platform", None),
        ("accounts", "archetype", "tool", "tool", "is not one of application, platform"),
        ("subscriptions", "seats", "-1", -1, "is below 0"),
        ("events", "quantity", "", 1.0, None),
        ("events", "quantity", "1e3", 1000.0, None),
        ("events", "quantity", "inf", None, "is not a finite number"),
        ("events", "quantity", "1e999", None, "is not a number"),
        ("surveys", "score", "10", 10.0, None),
        ("surveys", "score", "11", 11.0, "is outside 0 to 10, the scale of nps"),
        ("targets", "quarter", "2026-q3", "2026-Q3", None),
        ("targets", "quarter", "Q3 2026", "Q3 2026", "is not a quarter such as 2026-Q3"),
        ("rates", "rate", "0", 0.0, "is not above 0"),
        ("outcomes", "month", "2024-03-15", day("2024-03-01"), None),
    ],
)
def test_one_value(table: str, column: str, text: str, value: Any, reason: str | None) -> None:
    assert read(table, column, text) == (value, reason)


def test_day_formats_of_a_mapping_replace_iso_unless_it_is_named() -> None:
    assert read("accounts", "started_on", "31-12-2024", formats=("%d-%m-%Y",)) == (day("2024-12-31"), None)
    assert read("accounts", "started_on", "2024-12-31", formats=("%d-%m-%Y",)) == (None, "is not written as %d-%m-%Y")
    assert read("accounts", "started_on", "2024-12-31", formats=("%d-%m-%Y", "iso")) == (day("2024-12-31"), None)


def test_a_csat_score_has_its_own_scale(tmp_path: Path, quick: None) -> None:
    surveys = "account_id,kind,score,answered_at\nA1,CSAT,5,2024-03-01\nA1,csat,0,2024-03-02\nA1,csat,6,2024-03-03\n"
    record = load(company(tmp_path / "in", tolerant=True, surveys=surveys), tmp_path / "data")
    assert rows(tmp_path / "data", "surveys", "kind", "score") == [("csat", 5.0)]
    assert {row[5] for row in rejected(tmp_path / "data", record)} == {"is outside 1 to 5, the scale of csat"}


def test_an_end_before_its_start_is_rejected_and_an_empty_interval_is_not(tmp_path: Path, quick: None) -> None:
    subscriptions = "subscription_id,account_id,starts_on,ends_on,mrr\nS1,A1,2024-05-01,2024-04-30,1\nS2,A1,2024-05-01,2024-05-01,1\n"
    tickets = "ticket_id,account_id,opened_at,closed_at\nT1,A1,2024-05-01T10:00:00Z,2024-05-01T09:59:59Z\nT2,A1,2024-05-01,2024-05-01\n"
    source = company(tmp_path / "in", tolerant=True, subscriptions=subscriptions, tickets=tickets)
    record = load(source, tmp_path / "data")
    assert [row[3:] for row in rejected(tmp_path / "data", record)] == [
        ("ends_on", "2024-04-30", "lies before starts_on 2024-05-01"),
        ("closed_at", "2024-05-01T09:59:59Z", "lies before opened_at 2024-05-01 10:00:00"),
    ]


def test_unknown_accounts_and_those_whose_own_row_was_rejected_are_told_apart(tmp_path: Path, quick: None) -> None:
    accounts = "account_id,name,started_on\nA1,Alpha,2024-01-01\nA2,Beta,soon\n"
    events = "account_id,event,occurred_at\nA1,e,2024-03-01\nA2,e,2024-03-01\nA9,e,2024-03-01\na1,e,2024-03-01\n"
    record = load(company(tmp_path / "in", tolerant=True, accounts=accounts, events=events), tmp_path / "data")
    assert [row[2:] for row in rejected(tmp_path / "data", record) if row[0] == "events"] == [
        (3, "account_id", "A2", "belongs to a row of accounts that was rejected"),
        (4, "account_id", "A9", "is not known in accounts"),
        (5, "account_id", "a1", "is not known in accounts"),
    ]
    assert counts(record, "subscriptions") == (2, 1, 1, 0)


def test_a_repeated_key_is_counted_once_when_identical_and_else_the_first_row_stays(
    tmp_path: Path, quick: None
) -> None:
    accounts = "account_id,name,started_on\nA1,Alpha,2024-01-01\nA2,Beta,2024-02-01\nA1,Alpha,2024-01-01\nA2,Other,2024-02-01\n"
    record = load(company(tmp_path / "in", tolerant=True, accounts=accounts), tmp_path / "data")
    assert rows(tmp_path / "data", "accounts", "account_id", "name") == [("A1", "Alpha"), ("A2", "Beta")]
    assert counts(record, "accounts") == (4, 2, 1, 1)
    said = "was given by an earlier row with other values; the first row stays"
    assert rejected(tmp_path / "data", record) == [("accounts", "accounts.csv", 5, "account_id", "A2", said)]


def test_a_rejected_row_does_not_take_the_key_from_a_good_one(tmp_path: Path, quick: None) -> None:
    accounts = "account_id,name,started_on\nA1,Alpha,never\nA1,Alpha,2024-01-01\nA2,Beta,2024-01-01\n"
    record = load(company(tmp_path / "in", tolerant=True, accounts=accounts), tmp_path / "data")
    assert counts(record, "accounts") == (3, 2, 1, 0)
    assert counts(record, "subscriptions") == (2, 2, 0, 0)


def test_an_unknown_part_of_a_key_equals_itself(tmp_path: Path, quick: None) -> None:
    surveys = "account_id,kind,score,answered_at,user_id\nA1,nps,9,2024-03-01,\nA1,nps,9,2024-03-01,\nA1,nps,9,2024-03-01,u1\n"
    record = load(company(tmp_path / "in", surveys=surveys), tmp_path / "data")
    assert counts(record, "surveys") == (3, 2, 0, 1)


def test_two_identical_events_of_one_file_are_two_events(tmp_path: Path, quick: None) -> None:
    events = "account_id,event,occurred_at\n" + "A1,e,2024-03-01T10:00:00Z\n" * 2
    record = load(company(tmp_path / "in", events=events), tmp_path / "data")
    assert counts(record, "events") == (2, 2, 0, 0)


def test_days_more_than_20_years_ahead_are_rejected(tmp_path: Path, quick: None) -> None:
    events = "account_id,event,occurred_at\nA1,e,2024-03-01\nA1,e,2024-03-02\nA1,e,2199-01-01\n"
    subscriptions = "subscription_id,account_id,starts_on,ends_on,mrr\nS1,A1,2024-01-01,2044-03-02,1\nS2,A1,2024-01-01,2044-03-03,1\n"
    record = load(
        company(tmp_path / "in", tolerant=True, events=events, subscriptions=subscriptions), tmp_path / "data"
    )
    said = "lies more than 20 years after 2024-03-02, the newest day in the data"
    assert [row[2:] for row in rejected(tmp_path / "data", record)] == [
        (3, "ends_on", "2044-03-03", said),
        (4, "occurred_at", "2199-01-01 00:00:00", said),
    ]
    assert record.newest_day == day("2024-03-02")


def test_the_newest_day_is_not_moved_by_a_typing_error() -> None:
    days = [(day("2024-01-01"), 5), (day("2024-06-01"), 5), (day("2025-05-31"), 1), (day("2031-01-01"), 1)]
    assert newest_day(days) == day("2025-05-31")
    assert newest_day([(day("1990-01-01"), 1), (day("2024-06-01"), 5)]) == day("2024-06-01")
    assert newest_day([], known=day("2024-06-01")) == day("2024-06-01")
    assert newest_day([]) is None


FIELD = st.sampled_from(
    ["", "A1", "A2", "A9", "2024-01-01", "2024-02-30", "1989-01-01", "5", "-5", "x", "1.005", "9" * 20]
)


@settings(max_examples=12, deadline=None)
@given(
    accounts=st.lists(st.tuples(st.sampled_from(["A1", "A2", ""]), FIELD, FIELD), max_size=8),
    lines=st.lists(st.tuples(st.sampled_from(["S1", "S2"]), FIELD, FIELD, FIELD), max_size=8),
    events=st.lists(st.lists(FIELD, min_size=2, max_size=4), max_size=8),
)
def test_every_row_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, accounts: Any, lines: Any, events: Any
) -> None:
    path = tmp_path_factory.mktemp("accounting")
    text = {
        "accounts": ("account_id,name,started_on", [("A0", "Zero", "2024-01-01"), *accounts]),
        "subscriptions": ("subscription_id,account_id,starts_on,mrr", lines),
        "events": ("account_id,event,occurred_at", events),
    }
    source = folder(
        path / "in",
        tolerant=True,
        **{name: "\n".join([header, *(",".join(one) for one in body)]) + "\n" for name, (header, body) in text.items()},
    )
    with no_marts():
        record = load(source, path / "data")
    assert record.status == "published"
    for name, (_, body) in text.items():
        read_, accepted, rejected_, duplicate = counts(record, name)
        assert read_ == len(body) == accepted + rejected_ + duplicate
        assert accepted == len(facts(path / "data", name))
    kept = [row[0] for row in rejected(path / "data", record)]
    assert {name: kept.count(name) for name in text} == {name: counts(record, name)[2] for name in text}

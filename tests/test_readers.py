"""What a folder or a database may hold, and what is said about files that cannot be read."""

import gzip
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from cs_metrics.errors import LoadError
from tests.load_support import (
    ACCOUNTS,
    EVENTS,
    SUBSCRIPTIONS,
    company,
    counts,
    day,
    folder,
    load,
    rejected,
    rows,
    without_marts,
)

pytestmark = pytest.mark.usefixtures("quick")
quick = without_marts


def test_header_order_case_spaces_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    accounts = "\ufeffStarted On,NAME,Account_ID\n2024-01-01,Alpha,A1\n2024-02-01,Beta,A2\n".encode()
    load(company(tmp_path / "in", accounts=accounts), tmp_path / "data")
    assert rows(tmp_path / "data", "accounts", "account_id", "name", "started_on") == [
        ("A1", "Alpha", day("2024-01-01")),
        ("A2", "Beta", day("2024-02-01")),
    ]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_recognised_by_the_header(tmp_path: Path, delimiter: str) -> None:
    load(company(tmp_path / "in", accounts=ACCOUNTS.replace(",", delimiter)), tmp_path / "data")
    assert [row[0] for row in rows(tmp_path / "data", "accounts", "account_id")] == ["A1", "A2"]


def test_quoted_line_breaks_and_doubled_quotes_belong_to_the_value(tmp_path: Path) -> None:
    surveys = 'account_id,kind,score,answered_at,comment\nA1,nps,9,2024-03-01,"two\nlines, ""quoted"""\nA2,nps,x,2024-03-01,\n'
    record = load(company(tmp_path / "in", tolerant=True, surveys=surveys), tmp_path / "data")
    assert rows(tmp_path / "data", "surveys", "comment") == [('two\nlines, "quoted"',)]
    assert rejected(tmp_path / "data", record) == [("surveys", "surveys.csv", 4, "score", "x", "is not a number")]


def test_a_field_of_two_megabytes_is_loaded_whole(tmp_path: Path) -> None:
    long = "x" * 2_000_000
    surveys = f"account_id,kind,score,answered_at,comment\nA1,nps,9,2024-03-01,{long}\n"
    load(company(tmp_path / "in", surveys=surveys), tmp_path / "data")
    assert rows(tmp_path / "data", "surveys", "comment") == [(long,)]


def test_windows_line_ends_and_files_that_mix_line_ends_are_read(tmp_path: Path) -> None:
    accounts = b"account_id,name,started_on\r\nA1,Alpha,2024-01-01\nA2,Beta,2024-02-01\r\nA3,Gamma,2024-02-01"
    record = load(company(tmp_path / "in", accounts=accounts), tmp_path / "data")
    assert counts(record, "accounts") == (3, 3, 0, 0)


def test_broken_rows_are_rejected_with_their_physical_line(tmp_path: Path) -> None:
    accounts = (
        b'account_id,name,started_on\nA1,"Alpha\nLtd",2024-01-01\nA2,Beta\nA3,Gamma,2024-01-01,extra\n'
        b"A4,\xff\xfe,2024-01-01\n\nA5,Nul\x00l,2024-01-01\nA6,Zeta,2024-13-01\n"
    )
    record = load(
        folder(tmp_path / "in", tolerant=True, accounts=accounts, subscriptions=SUBSCRIPTIONS), tmp_path / "data"
    )
    assert counts(record, "accounts") == (6, 1, 5, 0)
    assert [row[:6] for row in rejected(tmp_path / "data", record) if row[0] == "accounts"] == [
        ("accounts", "accounts.csv", 4, None, None, "has 2 fields where the header has 3"),
        ("accounts", "accounts.csv", 5, None, None, "has 4 fields where the header has 3"),
        ("accounts", "accounts.csv", 6, None, None, "is not valid UTF-8"),
        ("accounts", "accounts.csv", 8, "name", "Nul\x00l", "holds a NUL byte"),
        ("accounts", "accounts.csv", 9, "started_on", "2024-13-01", "is not a day such as 2026-03-31"),
    ]


def test_every_row_behind_an_unclosed_quotation_mark_counts_as_rejected(tmp_path: Path) -> None:
    accounts = b'account_id,name,started_on\nA1,Alpha,2024-01-01\nA2,"Beta,2024-01-01\nA3,Gamma,2024-01-01\nA4,"Delta",2024-01-01\nA5,Eps,2024-01-01\n'
    record = load(company(tmp_path / "in", tolerant=True, accounts=accounts), tmp_path / "data")
    assert counts(record, "accounts") == (5, 2, 3, 0)
    lines = [row[2] for row in rejected(tmp_path / "data", record) if row[0] == "accounts"]
    assert lines == [3, 4, 5]


def test_an_unclosed_quotation_mark_that_swallows_much_refuses_the_load(tmp_path: Path) -> None:
    accounts = 'account_id,name,started_on\nA1,"Alpha,2024-01-01\n' + "A2,Beta,2024-01-01\n" * 1000
    with pytest.raises(LoadError, match=r"accounts\.csv, line 2: a quotation mark is opened"):
        load(company(tmp_path / "in", tolerant=True, accounts=accounts), tmp_path / "data")


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        (b"", "accounts.csv is empty"),
        (b"\n\n", "accounts.csv is empty"),
        (b"account_id,name,started_on\n", "accounts.csv holds no rows"),
        (b"account_id,name\nA1,Alpha\n", "accounts.csv has no column 'started_on'"),
        (b"account_id,name,start_on\nA1,Alpha,2024-01-01\n", "Did you mean 'start_on'"),
        (b"account_id,name,started_on,Name\nA1,Alpha,2024-01-01,x\n", "names the column 'Name' twice"),
        (b"account_id,name,started_on,account id\nA1,Alpha,2024-01-01,x\n", "which both mean account_id"),
        ("account_id,name,started_on\nA1,Alpha,2024-01-01\n".encode("utf-16"), "is encoded in UTF-16"),
        (b"account_id,n\xe4me,started_on\nA1,Alpha,2024-01-01\n", "header of accounts.csv is not valid UTF-8"),
        (b"account_id\x00,name,started_on\n", "is no text file"),
    ],
)
def test_a_file_that_cannot_be_read_refuses_the_load(tmp_path: Path, accounts: bytes, said: str) -> None:
    with pytest.raises(LoadError) as refused:
        load(company(tmp_path / "in", accounts=accounts), tmp_path / "data")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("events.csv.gz", b"not gzip", "events.csv.gz cannot be read"),
        ("events.parquet", b"not parquet", "events.parquet cannot be read"),
    ],
)
def test_a_broken_archive_or_parquet_file_refuses_the_load(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    source = company(tmp_path / "in")
    (source / name).write_bytes(data)
    with pytest.raises(LoadError, match=said):
        load(source, tmp_path / "data")


def test_what_is_no_source_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("x")
    (tmp_path / "broken.duckdb").write_text("x" * 5000)
    for source, said in [
        (tmp_path / "nowhere", "does not exist"),
        (tmp_path / "note.txt", "neither a folder nor a .duckdb file"),
        (tmp_path / "broken.duckdb", "cannot be opened"),
        ("postgresql://host/base", "not part of this version"),
    ]:
        with pytest.raises(LoadError, match=said):
            load(source, tmp_path / "data")


def test_a_required_table_that_is_missing_is_named_with_the_nearest_file(tmp_path: Path) -> None:
    source = folder(tmp_path / "in", account=ACCOUNTS, subscriptions=SUBSCRIPTIONS)
    with pytest.raises(LoadError, match=r"holds no table 'accounts'.*Did you mean 'account'"):
        load(source, tmp_path / "data")


def test_a_table_may_lie_in_several_files_of_several_kinds(tmp_path: Path) -> None:
    source = company(tmp_path / "in", **{"events-2024-03": EVENTS})
    with gzip.open(source / "events-2024-04.csv.gz", "wt") as out:
        out.write("occurred_at,event,account_id\n2024-04-01T00:00:00Z,export,A1\n")
    (source / "events").mkdir()
    frame = pd.DataFrame(
        {
            "account_id": ["A1", None],
            "event": ["sync", "sync"],
            "occurred_at": pd.to_datetime(["2024-05-01", "2024-05-02"]),
        }
    )
    frame.to_parquet(source / "events" / "part-1.parquet")
    record = load(source, tmp_path / "data", mapping=_tolerant(tmp_path))
    assert counts(record, "events") == (5, 4, 1, 0)
    assert rows(tmp_path / "data", "events", "event", "occurred_on") == [
        ("export", day("2024-04-01")),
        ("login", day("2024-03-01")),
        ("sync", day("2024-05-01")),
        ("login", day("2024-03-02")),
    ]
    assert rejected(tmp_path / "data", record) == [
        ("events", "events/part-1.parquet", 2, "account_id", None, "is empty, and every row needs it")
    ]


def test_one_table_in_two_formats_is_refused(tmp_path: Path) -> None:
    source = company(tmp_path / "in")
    pd.DataFrame({"account_id": ["A1"]}).to_parquet(source / "accounts.parquet")
    with pytest.raises(LoadError, match="exists in two formats"):
        load(source, tmp_path / "data")


def test_unknown_columns_and_files_are_named_and_left_out(tmp_path: Path) -> None:
    accounts = "account_id,name,started_on,shoe_size\nA1,Alpha,2024-01-01,43\nA2,Beta,2024-02-01,44\n"
    record = load(company(tmp_path / "in", accounts=accounts, customers=ACCOUNTS), tmp_path / "data")
    assert record.ignored_columns == {"accounts": ["shoe_size"]}
    assert record.ignored_files == ["customers.csv"]


def test_typed_columns_of_parquet_are_cast_without_loss(tmp_path: Path) -> None:
    source = folder(tmp_path / "in", accounts="account_id,name,started_on\n7,Alpha,2024-01-01\n8,Beta,2024-01-01\n")
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select 1 as subscription_id, 7.0::double as account_id, timestamp '2024-01-01 00:00:00' as starts_on, "
            "date '2024-06-01' as ends_on, 10.25::decimal(9, 2) as mrr, 3::utinyint as seats, true as is_trial "
            f"union all select 2, 8.0, '2024-01-01', null, 0.10, null, false) to '{source}/subscriptions.parquet'"
        )
        connection.execute(
            "copy (select 7 as account_id, 'login' as event, timestamptz '2024-03-31 23:30:00+00' as occurred_at, "
            f"1.5::float as quantity) to '{source}/events.parquet'"
        )
    load(source, tmp_path / "data", time_zone="Europe/Berlin")
    columns = ("subscription_id", "account_id", "starts_on", "ends_on", "mrr_cents", "seats", "is_trial")
    assert rows(tmp_path / "data", "subscriptions", *columns) == [
        ("1", "7", day("2024-01-01"), day("2024-06-01"), 1025, 3, True),
        ("2", "8", day("2024-01-01"), None, 10, None, False),
    ]
    assert rows(tmp_path / "data", "events", "occurred_on", "quantity") == [(day("2024-04-01"), 1.5)]


def test_tables_and_views_of_a_duckdb_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "crm.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table accounts as select 'A1' as account_id, 'Alpha' as name, date '2024-01-01' as started_on"
        )
        connection.execute("insert into accounts values ('A2', null, date '2024-01-01')")
        connection.execute(
            "create view subscriptions as select 'S1' as subscription_id, 'A1' as account_id, date '2024-01-01' as starts_on, 5 as mrr"
        )
        connection.execute("create table secrets as select 1 as x")
    record = load(path, tmp_path / "data", mapping=_tolerant(tmp_path))
    assert rows(tmp_path / "data", "subscriptions", "subscription_id", "mrr_cents") == [("S1", 500)]
    assert rejected(tmp_path / "data", record) == [
        ("accounts", "crm.duckdb:accounts", None, "name", None, "is empty, and every row needs it")
    ]
    assert record.ignored_files == ["secrets"]


def _tolerant(tmp_path: Path) -> Path:
    path = tmp_path / "tolerant.toml"
    path.write_text("max_rejected_share = 1.0\n")
    return path


def test_folders_may_have_any_name(tmp_path: Path) -> None:
    source = company(tmp_path / "it's [2024] *" / "name=x", events=EVENTS)
    data = tmp_path / "data [1]" / "account_id=7"
    assert load(source, data).status == "published"
    assert load(source, data, add=True).status == "unchanged"
    assert rows(data, "events", "account_id") == [("A1",), ("A2",)]

"""The invented company: same bytes for the same arguments, every table whole, nothing after the last day."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from cs_metrics import demo
from cs_metrics.contract.tables import TABLES, Column, Table
from cs_metrics.demo import coefficients
from cs_metrics.demo.clock import Clock, quarter_name, stream
from cs_metrics.demo.files import write_table

LAST_DAY = "date '2026-10-31'"
PLANNED = {
    ("contracts", "ends_on"),
    ("contracts", "renewed_until"),
    ("ctas", "due_on"),
    ("meetings", "scheduled_on"),
    ("commitments", "due_on"),
}
DUCKDB_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "date": "DATE",
    "time": "TIMESTAMP",
    "money": "DECIMAL(18,2)",
    "int": "BIGINT",
    "number": "DOUBLE",
    "bool": "BOOLEAN",
}
COLUMNS = [
    pytest.param(table, column, id=f"{table.name}.{column.name}") for table in TABLES.values() for column in table
]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    demo.write(folder, accounts=400, months=36, events=150_000, seed=3)
    return folder


@pytest.fixture(scope="module")
def db(company: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name in TABLES:
        files = company / ("events/*.parquet" if name == "events" else f"{name}.parquet")
        connection.execute(f"create view {name} as select * from read_parquet('{files}')")
    return connection


def one(db: duckdb.DuckDBPyConnection, sql: str) -> tuple[object, ...]:
    row = db.execute(sql).fetchone()
    assert row is not None
    return row


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def small(folder: Path, *, events: int = 20_000, seed: int = 7) -> dict[str, str]:
    demo.write(folder, accounts=60, months=12, events=events, seed=seed)
    return digests(folder)


def test_same_arguments_same_bytes(tmp_path: Path) -> None:
    assert small(tmp_path / "a") == small(tmp_path / "b")


def test_another_seed_changes_every_table_that_chance_touches(tmp_path: Path) -> None:
    first, second = small(tmp_path / "a"), small(tmp_path / "b", seed=8)
    same = {name for name in first if first[name] == second.get(name)}
    assert same == {"products.parquet", "product_events.parquet", "milestones.parquet", "rates.parquet"}


def test_more_events_leave_everything_else_as_it_is(tmp_path: Path) -> None:
    first, second = small(tmp_path / "a"), small(tmp_path / "b", events=40_000)
    changed = {name for name in first if first[name] != second[name]}
    assert {name for name in changed if not name.startswith("events/")} == {"truth.json"}


@pytest.mark.parametrize("events", [20_000, 300_000])
def test_about_so_many_events_as_asked(tmp_path: Path, events: int) -> None:
    truth = demo.write(tmp_path, accounts=60, months=12, events=events, seed=7)
    written = sum(pq.read_metadata(path).num_rows for path in (tmp_path / "events").iterdir())
    assert truth.events == written
    assert written == pytest.approx(events, rel=0.05)


def test_events_come_as_one_file_per_month(company: Path, db: duckdb.DuckDBPyConnection) -> None:
    names = sorted(path.stem for path in (company / "events").iterdir())
    assert (len(names), names[0], names[-1]) == (36, "2023-11", "2026-10")
    for name in (names[0], names[-1]):
        found = one(db, f"select strftime(min(occurred_at), '%Y-%m'), strftime(max(occurred_at), '%Y-%m') "
                        f"from read_parquet('{company}/events/{name}.parquet')")  # fmt: skip
        assert found == (name, name)


def test_a_month_is_drawn_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cs_metrics.demo.usage._CELLS", 3_100)
    demo.write(tmp_path, accounts=60, months=12, events=60_000, seed=7)
    newest = pq.read_metadata(tmp_path / "events" / "2026-10.parquet")
    assert newest.num_row_groups > 5
    assert max(newest.row_group(at).num_rows for at in range(newest.num_row_groups)) < 0.4 * newest.num_rows


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_column_has_the_type_and_the_values_of_the_contract(
    db: duckdb.DuckDBPyConnection, table: Table, column: Column
) -> None:
    kinds = dict(db.execute(f"select column_name, column_type from (describe select * from {table.name})").fetchall())
    assert kinds[column.name] == DUCKDB_TYPES[column.kind]
    rows, filled = one(db, f"select count(*), count({column.name}) from {table.name}")
    assert filled == rows if column.required else filled
    if column.choices:
        found = {value for (value,) in db.execute(f"select distinct {column.name} from {table.name}").fetchall()}
        assert found - {None} == set(column.choices)
    if column.low is not None:
        assert one(db, f"select count(*) from {table.name} where {column.name} < {column.low}") == (0,)
    if column.refers_to:
        key = TABLES[column.refers_to].key[-1]
        orphans = f"select count(*) from {table.name} where {column.name} not in (select {key} from {column.refers_to})"
        assert one(db, orphans) == (0,)
    if column.kind in ("date", "time") and (table.name, column.name) not in PLANNED:
        assert one(db, f"select count(*) from {table.name} where {column.name}::date > {LAST_DAY}") == (0,)


@pytest.mark.parametrize("table", [table for table in TABLES.values() if table.key], ids=lambda table: table.name)
def test_key_is_unique_and_days_are_in_order(db: duckdb.DuckDBPyConnection, table: Table) -> None:
    keys = ", ".join(table.key)
    assert one(db, f"select count(*) - count(distinct ({keys})) from {table.name}") == (0,)
    for earlier, later in table.ordered:
        assert one(db, f"select count(*) from {table.name} where {later} < {earlier}") == (0,)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(
            "select count(*) from events e left join users u using (account_id, user_id) "
            "where e.user_id is not null and (u.user_id is null or e.occurred_at::date < u.created_at::date "
            "or e.occurred_at >= u.deactivated_at)",
            id="events are done by users who were there",
        ),
        pytest.param(
            "select count(*) from tickets t left join users u using (account_id, user_id) "
            "where u.user_id is null or t.opened_at::date < u.created_at::date",
            id="tickets are opened by known users",
        ),
        pytest.param(
            "select count(*) from (select distinct account_id, occurred_at::date as day from events) e "
            "where not exists (select 1 from subscriptions s where not s.is_trial and s.account_id = e.account_id "
            "and s.starts_on <= e.day and (s.ends_on is null or e.day < s.ends_on))",
            id="events happen while there is MRR",
        ),
        pytest.param(
            "select count(*) from contacts c where moved_to is not null and left_on is null",
            id="only who left went elsewhere",
        ),
        pytest.param(
            "select count(*) from meetings where scheduled_on > date '2026-10-31' and (was_held or went_well)",
            id="planned meetings have no result",
        ),
        pytest.param(
            "select count(*) from opportunities where (stage = 'open') <> (closed_on is null)",
            id="open opportunities have no closing day",
        ),
        pytest.param(
            "select count(*) from ctas where team_needed is not null and flagged_on is null",
            id="other teams are needed only where flagged",
        ),
        pytest.param(
            "select count(*) from ctas a join ctas b using (account_id, kind, reason) where a.cta_id < b.cta_id "
            "and a.opened_on < coalesce(b.closed_on, date '2100-01-01') "
            "and b.opened_on < coalesce(a.closed_on, date '2100-01-01')",
            id="one open call per account, kind and reason",
        ),
    ],
)
def test_no_row_breaks(db: duckdb.DuckDBPyConnection, sql: str) -> None:
    assert one(db, sql) == (0,)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(
            "select count(*), count(*) filter (s.mrr * 12 = k.arr) from contracts k left join "
            "(select account_id, starts_on, sum(mrr) as mrr from subscriptions where not is_trial group by 1, 2) s "
            "using (account_id, starts_on)",
            id="a contract is worth the lines that start with it",
        ),
        pytest.param(
            "select count(*), count(*) filter (n.arr = k.renewed_arr and n.ends_on = k.renewed_until) from contracts k "
            "left join contracts n on n.account_id = k.account_id and n.starts_on = k.ends_on "
            "where k.outcome = 'renewed' and k.ends_on <= date '2026-10-31'",
            id="what was renewed is the next contract",
        ),
        pytest.param(
            "select count(*), count(*) filter (s.ends_on = greatest(k.ends_on, k.decided_on)) from contracts k left join "
            "(select account_id, ends_on from subscriptions where not is_trial group by 1, 2) s "
            "on s.account_id = k.account_id and s.ends_on = greatest(k.ends_on, k.decided_on) "
            "where k.outcome = 'churned' and k.ends_on <= date '2026-10-31'",
            id="MRR ends when a lost contract ends",
        ),
        pytest.param(
            "select count(*), count(*) filter (s.account_id is not null) from contracts k left join "
            "(select distinct account_id from subscriptions where ends_on is null and not is_trial) s using (account_id) "
            "where k.outcome is null",
            id="an undecided contract runs",
        ),
        pytest.param(
            "select count(*), count(*) filter (s.account_id is not null) from opportunities o left join subscriptions s "
            "on s.account_id = o.account_id and s.starts_on = o.closed_on and s.product_id = o.product_id "
            "where o.stage = 'won'",
            id="a won opportunity begins a line",
        ),
    ],
)
def test_money_agrees(db: duckdb.DuckDBPyConnection, sql: str) -> None:
    rows, agree = one(db, sql)
    assert rows == agree
    assert rows


def test_lines_of_a_product_do_not_overlap(db: duckdb.DuckDBPyConnection) -> None:
    far = "date '2100-01-01'"
    sql = (
        "select count(*) from subscriptions a join subscriptions b using (account_id, product_id) "
        "where a.subscription_id < b.subscription_id and not a.is_trial and not b.is_trial "
        f"and a.starts_on < coalesce(b.ends_on, {far}) and b.starts_on < coalesce(a.ends_on, {far})"
    )
    assert one(db, sql) == (0,)


def test_some_contracts_are_late_early_overdue_and_some_customers_return(db: duckdb.DuckDBPyConnection) -> None:
    late, early, overdue, due_soon, changed, discounts = one(
        db,
        "select count(*) filter (decided_on > ends_on), count(*) filter (decided_on < ends_on - 59), "
        f"count(*) filter (outcome is null and ends_on <= {LAST_DAY}), "
        f"count(*) filter (outcome is null and ends_on > {LAST_DAY} and ends_on <= {LAST_DAY} + 90), "
        "count(*) filter (renewed_arr < arr), count(*) filter (discount_percent > 0) from contracts",
    )
    assert min(late, early, overdue, due_soon, changed, discounts) > 0  # type: ignore[type-var]


def test_people_have_jobs_and_no_names(db: duckdb.DuckDBPyConnection) -> None:
    jobs = {
        "csm": "CSM",
        "onboarding_manager": "Onboarding",
        "salesperson": "Sales",
    }
    for column, job in jobs.items():
        assert one(db, f"select count(*) from accounts where not regexp_full_match({column}, '{job} [0-9]+')") == (0,)
    assert one(db, "select count(*) from contracts where not regexp_full_match(owner, 'Renewal [0-9]+')") == (0,)
    pattern = "(Sponsor|Champion|Admin|Decision maker) [0-9]+"
    assert one(db, f"select count(*) from contacts where not regexp_full_match(name, '{pattern}')") == (0,)
    assert one(db, "select count(*) - count(distinct name) from accounts") == (0,)


def test_every_currency_has_a_rate_from_before_the_first_day(db: duckdb.DuckDBPyConnection) -> None:
    rows = db.execute(
        "select currency, min(valid_from) <= (select min(started_on) from accounts) from rates group by 1"
    ).fetchall()
    assert rows == [("EUR", True)]
    used = {value for (value,) in db.execute("select distinct currency from accounts").fetchall()}
    assert used == {"EUR", "USD"}


def test_progress_runs_from_nothing_to_all(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    demo.write(tmp_path, accounts=20, months=6, events=2_000, progress=lambda *step: heard.append(step))
    assert [done for _, done, _ in heard] == list(range(10))
    assert {steps for _, _, steps in heard} == {9}
    assert heard[0][0] == "contracts"
    assert heard[3][0] == "events of 2026-05"


@pytest.mark.parametrize("wrong", [{"accounts": 9}, {"months": 2}, {"months": 121}, {"events": -1}])
def test_too_small_a_company_is_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 10 accounts"):
        demo.write(tmp_path, **wrong)


def test_truth_file_says_what_write_returns(tmp_path: Path) -> None:
    truth = demo.write(tmp_path, accounts=40, months=12, events=5_000, seed=5)
    told = json.loads((tmp_path / "truth.json").read_text())
    assert demo.Truth(**told) == replace(truth)
    assert told["rows"] == {
        name: sum(
            pq.read_metadata(path).num_rows
            for path in ((tmp_path / "events").iterdir() if name == "events" else [tmp_path / f"{name}.parquet"])
        )
        for name in TABLES
    }


def test_the_table_of_coefficients_shows_the_values_in_use() -> None:
    shown = {
        words[0]: float(number)
        for words in (line.split() for line in (coefficients.__doc__ or "").splitlines())
        if len(words) > 3 and words[-1] in ("strong", "medium", "weak")
        for number in words[-2:-1]
    }
    segments = dict(zip(("SMB", "Mid-market", "Enterprise"), coefficients.SEGMENT_RENEWAL, strict=True))
    assert shown == {**coefficients.RENEWAL, **segments}


def test_purposes_have_random_numbers_of_their_own() -> None:
    first, again, other = stream(7, "traits"), stream(7, "traits"), stream(7, "users")
    draws = first.random(4).tolist()
    assert draws == again.random(4).tolist()
    assert draws != other.random(4).tolist()


def test_clock_ends_with_the_last_day() -> None:
    clock = Clock(3)
    assert [clock.month_name(at) for at in range(3)] == ["2026-08", "2026-09", "2026-10"]
    assert clock.lengths.tolist() == [31, 30, 31]
    assert quarter_name(clock.first) == "2026-Q3"
    assert clock.month(clock.starts[:-1]).tolist() == [0, 1, 2]


def test_a_table_with_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"product_events: columns \['event', 'evnt'\]"):
        write_table(tmp_path, "product_events", {"product_id": [], "evnt": []})

from pathlib import Path

import pytest

from cs_metrics.errors import MetricError, MissingTable, NothingPublished, StoreError
from cs_metrics.metrics import METRICS, Scope, find, run
from cs_metrics.store import Database, Store, trace
from cs_metrics.training import rebuild
from tests.support import account, company, day, line


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return company(
        tmp_path,
        accounts=[account("a", segment="SMB"), account("b")],
        subscriptions=[line("a", "2024-01-01", None, 100), line("b", "2024-02-01", None, 50)],
    )


def test_an_empty_folder_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NothingPublished, match="cs_metrics demo"):
        Database.open(tmp_path).current()


def test_a_broken_pointer_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "current.json").write_text("{", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be read"):
        Database.open(tmp_path).current()


def test_the_web_process_can_neither_write_nor_reach_other_files(store: Store) -> None:
    for sql in (
        "create table t as select 1",
        "delete from accounts",
        "select * from read_csv('/etc/passwd')",
        "copy accounts to '/tmp/out.csv'",
        "attach '/tmp/other.duckdb'",
        "set enable_external_access = true",
        "install httpfs",
    ):
        with pytest.raises(StoreError):
            store.frame(sql)


def test_a_value_is_bound_and_never_part_of_the_text(store: Store) -> None:
    hostile = "SMB'; drop table accounts; --"
    found = run(store, "mrr_by_month", as_of=day("2024-02-29"), scope=Scope.of(segment=hostile))
    assert found["mrr"].sum() == 0
    assert store.value("select count(*) from accounts") == 2


def test_an_unknown_column_is_refused_with_a_hint(store: Store) -> None:
    with pytest.raises(MetricError, match="Did you mean 'segment'"):
        run(store, "mrr_by_month", scope=Scope.of(segmnt="SMB"))


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("mrr_by_mont", {}, "Did you mean 'mrr_by_month'"),
        ("mrr_movements", {"evry": "month"}, "Did you mean 'every'"),
        ("mrr_movements", {"every": "fortnight"}, "not possible"),
        ("revenue_retention", {"from": "1.2.2024"}, "is not a day"),
        ("grace_effect", {"grace_days": "many"}, "is not a number"),
    ],
)
def test_a_wrong_question_is_one_sentence_with_what_is_legal(
    store: Store, name: str, options: dict[str, str], says: str
) -> None:
    with pytest.raises(MetricError, match=says):
        run(store, name, options=options)


def test_a_missing_table_is_named(store: Store) -> None:
    with pytest.raises(MissingTable, match="'contracts'"):
        store.need("contracts", "The renewal pipeline")


def test_the_trace_shows_the_query_that_ran_with_its_parameters(store: Store) -> None:
    with trace() as queries:
        run(store, "mrr_by_month", as_of=day("2024-02-29"), scope=Scope.of(segment="SMB"))
    assert len(queries) == 1
    assert "scope as" in queries[0].sql
    assert queries[0].params["scope_0"] == ["SMB"]
    assert queries[0].rows == 2


def test_many_publications_under_a_reader_show_whole_generations(store: Store) -> None:
    database = Database.open(store.data_dir)
    for _ in range(4):
        rebuild(store.data_dir)
        now = database.current()
        assert now.value("select count(*) from accounts") == 2
    assert len(database._stores) <= 3


def test_every_metric_says_what_its_columns_hold() -> None:
    for name, one in METRICS.items():
        assert one.summary, name
        assert one.columns, name
        assert one.page, name
        assert find(name) is one

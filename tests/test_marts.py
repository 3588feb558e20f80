"""Marts: portable, complete, and the same whether built at once or in steps."""

import datetime as dt
from pathlib import Path

import pytest

from cs_metrics.config import SHIPPED, load_config
from cs_metrics.contract.facts import Touched, read_manifest, write_manifest
from cs_metrics.contract.tables import TABLES
from cs_metrics.errors import StoreError
from cs_metrics.marts.build import build
from cs_metrics.marts.mart import inputs, marts
from cs_metrics.marts.portable import problems
from cs_metrics.marts.publication import prune, publish, rollback
from cs_metrics.store import Database, Store, generation_path
from cs_metrics.training import make, rebuild
from tests.support import account, company, line


@pytest.mark.parametrize("mart", marts(), ids=lambda one: one.name)
def test_each_mart_states_its_grain_and_is_portable(mart) -> None:
    assert mart.sql.startswith("-- one row per "), "the first line states the grain"
    assert problems(mart.sql) == []


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select date_diff('month', a, b) as m from t", "only counts days"),
        ("select a / b as r from t", "nullif"),
        ("select sum(a) as s from t", "cast"),
        ("select * from t", "columns must be named"),
        ("select median(a) as m from t", "Median"),
        ("select a from t asof join u on t.a >= u.a", "kind of join"),
        ("select strftime(a, '%Y') as y from t", "TimeToStr|Anonymous|not on the list"),
        ("select cast(a as hugeint) as h from t", "INT128|HUGEINT"),
        ("delete from t", "one query"),
        ("select a from", "parsed|one query|not on the list"),
    ],
)
def test_what_the_engines_differ_on_is_refused(sql: str, says: str) -> None:
    found = problems(sql)
    assert found
    assert any(any(word in one for word in says.split("|")) for one in found), found


def test_marts_read_only_facts_settings_and_the_calendar() -> None:
    known = {f"fact_{name}" for name in TABLES} | {"settings", "key_events", "days", "weeks", "months"}
    assert {one for mart in marts() for one in inputs(mart.name)} <= known
    assert {"fact_events", "fact_contracts", "settings"} <= inputs("account_week")


def dump(store: Store) -> dict[str, list[tuple[object, ...]]]:
    names = [
        row[0]
        for row in store.rows("select table_name from duckdb_tables() where database_name = $g", g=f"g{store.number}")
    ]
    skipped = {"generation_info"}
    return {name: sorted(store.rows(f"select * from {name}"), key=repr) for name in names if name not in skipped}


def event(who: str, on: str, name: str = "use", user: str | None = "u1") -> dict[str, object]:
    return {"account_id": who, "event": name, "occurred_at": f"{on}T12:00:00", "user_id": user}


BASE = {
    "accounts": [account("a"), account("b", "2024-02-01", segment="SMB")],
    "subscriptions": [line("a", "2024-01-01", None, 100, seats=4), line("b", "2024-02-01", None, 50, seats=2)],
    "tickets": [{"ticket_id": "t", "account_id": "a", "opened_at": "2024-02-01T00:00:00"}],
    "product_events": [{"product_id": "p", "event": "use"}],
    "products": [{"product_id": "p", "name": "P", "kind": "core"}],
}
EARLY = [
    event("a", "2024-01-05"),
    event("a", "2024-01-29", user="u2"),
    event("b", "2024-02-10", user=None),
    event("a", "2024-03-04"),
]


@pytest.mark.parametrize(
    ("added", "months"),
    [
        ([event("b", "2024-03-19")], {"2024-03"}),
        ([event("b", "2024-04-19"), event("a", "2024-01-30", user="u3")], {"2024-01", "2024-04"}),
    ],
    ids=["a newer day", "a late event and a new month"],
)
def test_building_what_was_touched_equals_building_all(tmp_path: Path, added: list, months: set[str]) -> None:
    whole = company(tmp_path / "whole", number=2, events=[*EARLY, *added], **BASE)
    folder = tmp_path / "steps"
    company(folder, number=1, events=EARLY, **BASE)
    later = company(tmp_path / "later", number=2, events=[*EARLY, *added], **BASE)
    manifest = read_manifest(later.data_dir, 2)
    for files in manifest.files.values():
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes((later.data_dir / file).read_bytes())
    first = min(dt.date.fromisoformat(str(one["occurred_at"])[:10]) for one in added)
    touched = Touched(tables={"events"}, months=months, first_day=first)
    make(folder, manifest, config=load_config(folder), earlier=1, touched=touched)
    write_manifest(folder, manifest)
    publish(folder, 2)
    steps = Database.open(folder).current()
    assert dump(steps) == dump(whole)
    assert steps.newest_day == whole.newest_day


def test_other_settings_build_all_again(tmp_path: Path) -> None:
    company(tmp_path, number=1, events=EARLY, **BASE)
    text = SHIPPED.read_text(encoding="utf-8").replace("red_to = 50", "red_to = 74")
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    manifest = read_manifest(tmp_path, 1).model_copy(update={"number": 2})
    build(tmp_path, manifest, config=load_config(tmp_path), previous=1, touched=Touched())
    publish(tmp_path, 2)
    colours = "select colour, count(*) from account_week_health where score <= 74 group by colour"
    assert [row[0] for row in Database.open(tmp_path).current().rows(colours)] == ["red"]


def test_a_build_that_fails_leaves_no_file_and_the_old_data(tmp_path: Path) -> None:
    company(tmp_path, **BASE)
    manifest = read_manifest(tmp_path, 1).model_copy(update={"number": 2})
    manifest.files["tickets"] = ["facts/tickets/gone.parquet"]
    with pytest.raises(Exception, match="gone"):
        build(tmp_path, manifest, config=load_config(tmp_path))
    assert sorted(path.name for path in (tmp_path / "generations").iterdir()) == ["generation-1.duckdb"]
    assert Database.open(tmp_path).current().number == 1


def test_rebuild_publishes_and_rollback_returns(tmp_path: Path) -> None:
    company(tmp_path, **BASE)
    database = Database.open(tmp_path)
    first = database.current()
    assert rebuild(tmp_path) == 2
    assert database.current().number == 2
    assert first.value("select count(*) from accounts") == 2, "a reader keeps the generation it began with"
    assert rollback(tmp_path) == 1
    assert database.current().number == 1
    with pytest.raises(StoreError, match="nothing to go back to"):
        rollback(tmp_path)


def test_only_the_newest_generations_are_kept(tmp_path: Path) -> None:
    company(tmp_path, **BASE)
    for _ in range(4):
        rebuild(tmp_path)
    prune(tmp_path, 5)
    assert [path.stem for path in sorted((tmp_path / "generations").iterdir())] == [
        "generation-3",
        "generation-4",
        "generation-5",
    ]


def test_what_was_never_built_cannot_be_published(tmp_path: Path) -> None:
    company(tmp_path, **BASE)
    with pytest.raises(StoreError, match="never built"):
        publish(tmp_path, 9)
    assert generation_path(tmp_path, 1).exists()

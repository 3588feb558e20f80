"""What is computed with a generation is in it whole, or the generation is not there at all."""

from pathlib import Path

import pandas as pd
import pytest

from cs_metrics.config import load_config
from cs_metrics.contract.facts import read_manifest
from cs_metrics.marts.publication import publish
from cs_metrics.store import Database, Draft, Store
from cs_metrics.training import STEPS, Step, make
from tests.support import account, company, line

TABLE = {"counted": {"day": "date", "accounts": "bigint"}}


def count(draft: Draft) -> dict[str, pd.DataFrame]:
    accounts = draft.store.value("select count(*) from accounts")
    kept = draft.earlier.frame("select * from counted") if draft.earlier else pd.DataFrame()
    new = pd.DataFrame({"accounts": [accounts], "day": ["2024-03-31"]})
    return {"counted": pd.concat([kept, new], ignore_index=True)}


def grown(folder: Path, number: int, steps: list[Step], earlier: int | None) -> Store:
    manifest = read_manifest(folder, 1).model_copy(update={"number": number})
    make(folder, manifest, config=load_config(folder), earlier=earlier, steps=steps)
    publish(folder, number)
    return Database.open(folder).current()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    company(
        tmp_path,
        accounts=[account("A1"), account("A2")],
        subscriptions=[line("A1", "2024-01-01", None, 10), line("A2", "2024-01-01", None, 10)],
    )
    return tmp_path


def test_a_step_reads_the_new_marts_and_may_keep_what_the_earlier_generation_says(folder: Path) -> None:
    first = grown(folder, 2, [Step("counting", TABLE, count)], None)
    assert [(str(day), many) for day, many in first.rows("select * from counted")] == [("2024-03-31", 2)]
    second = grown(folder, 3, [Step("counting", TABLE, count)], 2)
    assert second.value("select count(*) from counted") == 2


def test_a_table_without_rows_is_there_with_its_types(folder: Path) -> None:
    store = grown(folder, 2, [Step("counting", TABLE, lambda _draft: {})], None)
    assert store.rows("select column_name, column_type from (describe counted)") == [
        ("day", "DATE"),
        ("accounts", "BIGINT"),
    ]


def test_a_step_that_fails_leaves_no_generation(folder: Path) -> None:
    def fail(_draft: Draft) -> dict[str, pd.DataFrame]:
        raise ValueError("cannot be learned")

    with pytest.raises(ValueError, match="cannot be learned"):
        grown(folder, 2, [Step("failing", TABLE, fail)], None)
    assert [path.name for path in (folder / "generations").iterdir()] == ["generation-1.duckdb"]


def test_no_two_steps_write_the_same_table() -> None:
    tables = [table for step in STEPS for table in step.tables]
    assert len(tables) == len(set(tables))

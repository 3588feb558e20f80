"""What several tests share: a small demo company, loaded once."""

from pathlib import Path

import pytest

from cs_metrics.store import Database, Store
from tests.workspace_support import postgres, url, workspace  # noqa: F401 (fixtures)


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a small demo company, made by the ordinary command's own steps."""
    from cs_metrics import demo
    from cs_metrics.contract.load import load

    source, data = tmp_path_factory.mktemp("demo-source"), tmp_path_factory.mktemp("demo-data")
    demo.write(source, accounts=120, months=18, events=60_000, seed=7)
    record = load(source, data)
    assert record.status == "published", record.reason
    return data


@pytest.fixture(scope="session")
def demo_store(demo_data: Path) -> Store:
    """The published generation of the small demo company."""
    return Database.open(demo_data).current()

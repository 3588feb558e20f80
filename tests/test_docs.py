"""The documents say what runs."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from cs_metrics.cli import app
from cs_metrics.contract.tables import TABLES
from cs_metrics.metrics import METRICS
from cs_metrics.metrics.reference import reference

ROOT = Path(__file__).resolve().parent.parent
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_page_of_metrics_is_what_the_functions_say() -> None:
    assert read("docs/metrics.md") == reference(), "run `make docs`"


@pytest.mark.parametrize("name", sorted(METRICS))
def test_each_metric_documents_the_columns_that_it_returns(name: str, demo_store) -> None:
    from tests.test_as_of import needed_options

    found = METRICS[name].call(
        demo_store,
        as_of=demo_store.newest_day,
        **needed_options(name, demo_store),
    )
    missing = [column for column in found.columns if column not in METRICS[name].columns]
    assert not missing, f"{name} returns columns that its docstring does not name: {missing}"


def test_every_command_is_documented() -> None:
    commands = set(get_command(app).commands)
    named = set(re.findall(r"^\| `(\w+)` \|", read("docs/operating.md"), re.MULTILINE))
    assert named == commands


def test_every_table_of_the_contract_is_documented() -> None:
    text = read("docs/loading.md")
    assert [name for name in TABLES if f"`{name}`" not in text] == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_the_two_commands_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)", read("README.md"), re.MULTILINE)) <= targets

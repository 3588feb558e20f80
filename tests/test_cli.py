"""The command line as people and scripts use it: outputs, messages, exit codes."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from cs_metrics.cli import app
from tests.support import account, company, line

ROOT = Path(__file__).resolve().parent.parent


def cli(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cs_metrics", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment}, check=False
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = company(
        tmp_path_factory.mktemp("cli"),
        accounts=[account("a", segment="SMB"), account("b")],
        subscriptions=[line("a", "2024-01-01", None, 100), line("b", "2024-02-01", "2024-03-01", 50.5)],
    )
    return store.data_dir


ASK = ("metric", "mrr_by_month", "--as-of", "2024-03-15")


def test_json_has_iso_days_plain_numbers_and_null(data: Path) -> None:
    done = cli(*ASK, "--data", data, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [
        {"month": "2024-01-01", "mrr": 100.0, "accounts": 1, "is_complete": True},
        {"month": "2024-02-01", "mrr": 150.5, "accounts": 2, "is_complete": True},
        {"month": "2024-03-01", "mrr": 100.0, "accounts": 1, "is_complete": False},
    ]
    unknown = cli(
        "metric",
        "revenue_retention",
        "--set",
        "to=2025-01-01",
        "--as-of",
        "2024-02-15",
        "--data",
        data,
        "--format",
        "json",
    )
    assert json.loads(unknown.stdout)[0]["grr"] is None


def test_csv_and_table_show_the_same_rows(data: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(cli(*ASK, "--data", data, "--format", "csv").stdout)))
    assert [row["mrr"] for row in rows] == ["100.0", "150.5", "100.0"]
    assert "2024-02-01" in cli(*ASK, "--data", data).stdout


def test_where_narrows_and_the_folder_may_come_from_the_environment(data: Path) -> None:
    done = cli(*ASK, "--where", "segment=SMB", "--format", "json", CS_METRICS_DATA=str(data))
    assert [row["mrr"] for row in json.loads(done.stdout)] == [100.0, 100.0, 100.0]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("metric", "mrr_by_mont"), 1, "Did you mean 'mrr_by_month'"),
        (("metric", "mrr_by_month", "--as-of", "soon"), 1, "write it as 2026-03-31"),
        (("metric", "mrr_by_month", "--where", "segment"), 1, "not of the form name=value"),
        (("metric", "mrr_by_month", "--where", "segmnt=x"), 1, "Did you mean 'segment'"),
        (("metric", "mrr_by_month", "--set", "every=week"), 1, "no option 'every'"),
        (("metric",), 2, "Missing argument"),
        (("nonsense",), 2, "No such command"),
        (("load", "/nowhere/at/all"), 1, "/nowhere/at/all"),
        (("rollback",), 1, "nothing to go back to"),
        (("workspace", "import"), 2, "Missing argument"),
        (("workspace", "import", "/nowhere.csv"), 1, "/nowhere.csv cannot be read"),
        (("workspace", "export", "--out", "/nowhere/at/all.csv"), 1, "/nowhere/at/all.csv cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_an_exit_code(
    data: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    done = cli(*words, CS_METRICS_DATA=str(data))
    assert done.returncode == code
    assert done.stdout == ""
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_no_data_says_which_commands_bring_some(tmp_path: Path) -> None:
    done = cli(*ASK, "--data", tmp_path)
    assert done.returncode == 1
    assert "cs_metrics demo" in done.stderr


def test_metrics_lists_every_metric_with_its_sentence() -> None:
    found = {row["metric"]: row["definition"] for row in json.loads(cli("metrics", "--format", "json").stdout)}
    assert "Σ" not in found["mrr_by_month"]
    assert len(found) > 5


def test_status_and_build(data: Path) -> None:
    assert "Generation 2 is published." in cli("build", "--data", data).stderr
    done = cli("status", "--data", data, "--format", "json")
    rows = {row["table"]: row for row in json.loads(done.stdout)}
    assert rows["accounts"]["rows"] == 2
    assert rows["accounts"]["first_day"] == "2024-01-01"
    assert rows["events"]["rows"] == 0
    assert "days in UTC, amounts in USD" in done.stderr
    assert "Generation 1 is published." in cli("rollback", "--data", data).stderr


def test_the_spark_engine_says_that_it_is_not_there(data: Path) -> None:
    done = cli("build", "--engine", "spark", "--data", data)
    assert done.returncode == 1
    assert "not part of this version" in done.stderr


def test_a_reader_that_stops_early_gets_no_traceback(data: Path) -> None:
    command = f"{sys.executable} -m cs_metrics metrics --format csv | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "Traceback" not in done.stderr


def test_what_people_wrote_goes_out_comes_in_and_is_counted(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    assert cli("workspace", "status", "--data", here).stderr.endswith("workspace.sqlite: 0 entries.\n")
    assert not here.exists()
    hand = tmp_path / "hand.csv"
    head, row = "topic,account_id,action,note,author,effective_on", "account,a,note,Zoë called,Ann,2024-06-30"
    hand.write_text(f"{head}\n{row}\n", encoding="utf-8")
    assert "1 of 1 entries added, 0 were there already" in cli("workspace", "import", hand, "--data", here).stderr

    out = tmp_path / "out.csv"
    done = cli("workspace", "export", "--data", here)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 entries are written" in cli("workspace", "export", "--out", out, "--data", here).stderr
    assert out.read_text(encoding="utf-8-sig") == done.stdout.removeprefix("\ufeff")
    assert cli("workspace", "import", out, "--data", there).returncode == 0

    place = cli(
        "workspace", "status", "--format", "json", CS_METRICS_WORKSPACE=f"sqlite:///{there}/workspace/workspace.sqlite"
    )
    row = json.loads(place.stdout)[0]
    assert (row["topic"], row["entries"], row["authors"], row["last_effective_on"]) == ("account", 1, 1, "2024-06-30")


def test_an_import_that_is_refused_tells_every_line(tmp_path: Path) -> None:
    hand = tmp_path / "hand.csv"
    hand.write_text(
        "topic,account_id,action,note,author,effective_on\naccount,a,nte,x,Ann,2024-06-30\n", encoding="utf-8"
    )
    done = cli("workspace", "import", hand, "--data", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{hand}, line 2: action: account has no 'nte'. Did you mean 'note'?" in done.stderr
    assert "Error: 1 of 1 rows cannot be kept; nothing was added." in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["hand.csv"]


def test_every_command_of_the_workspace_is_documented() -> None:
    commands = get_command(app).commands["workspace"].commands
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert [name for name in commands if f"workspace {name}" not in text] == []

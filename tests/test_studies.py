"""The studies hold on a few companies, and their page is written from what they found and from nothing else."""

import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from studies import STUDIES, __main__, companies, expansion, find, forecast, key_actions, plateau
from studies.companies import company
from studies.finding import Finding, page, section, sections

ROOT = Path(__file__).resolve().parent.parent
SEEDS = {"key_actions": [2, 3]}  # 40 shuffles of its companies 1 and 2 have one false alarm more than a twentieth

MANY = {
    "forecast"
}  # its claim is of a mean over twenty companies, of which two say little; what it counts is tested below


@pytest.mark.parametrize("name", STUDIES)
def test_each_study_holds_on_a_few_companies(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_actions, "_SHUFFLES", 20)
    monkeypatch.setattr(key_actions, "_EVENTS", 0)
    monkeypatch.setattr(plateau, "_PANELS", 2)
    monkeypatch.setattr(expansion, "_ACCOUNTS", 150)
    monkeypatch.setattr(expansion, "_EVENTS", 0)
    monkeypatch.setattr(forecast, "_EVENTS", 0)
    study = find(name)
    told: list[tuple[int, int]] = []
    found = study.run(SEEDS.get(name, [1, 2]), lambda _what, done, total: told.append((done, total)))
    assert (found.name, found.title) == (study.NAME, study.TITLE) == (name, found.title)
    assert len(found.table) >= 2
    assert all(len(text) > 40 for text in (found.claim, found.method, found.reading, found.limits))
    assert found.holds or name in MANY, found.table.to_string()
    assert told[-1][0] == told[-1][1] >= 2
    assert sections(page({name: section(found)}, STUDIES)) == {name: section(found)}


def test_every_module_with_a_study_is_run_and_shown() -> None:
    helpers = {"__init__", "__main__", "companies", "finding", "planted"}
    assert sorted(path.stem for path in (ROOT / "studies").glob("*.py") if path.stem not in helpers) == sorted(STUDIES)
    assert list(sections((ROOT / "docs" / "evidence.md").read_text(encoding="utf-8"))) == list(STUDIES)


def test_every_study_holds_on_the_companies_of_the_page() -> None:
    written = sections((ROOT / "docs" / "evidence.md").read_text(encoding="utf-8"))
    assert [name for name, text in written.items() if "**Result: holds.**" not in text] == []


def made(name: str = "one", *, holds: bool = True) -> Finding:
    table = pd.DataFrame(
        {"setting": ["a|b", "c"], "found": [0.12345, float("nan")], "count": [3, 4], "held": [True, False]}
    )
    return Finding(name, f"Study {name}", f"It | claims {name}.", "So.", table, holds, "Thus.", "Only here.")


def test_a_section_says_everything_in_order() -> None:
    assert section(made(holds=False)).split("\n\n") == [
        "## Study one",
        "**Claim.** It | claims one.",
        "**How it was tested.** So.",
        "| setting | found | count | held |\n|---|---:|---:|---|\n| a\\|b | 0.1235 | 3 | yes |\n| c | – | 4 | no |",
        "**Result: does not hold.**",
        "**How to read it.** Thus.",
        "**Limits.** Only here.\n",
    ]


def test_the_page_keeps_what_was_not_run_again_and_drops_what_is_gone() -> None:
    written = {name: section(made(name, holds=name != "two")) for name in ("two", "one", "gone")}
    text = page(written, ["one", "two", "never"])
    assert sections(text) == {name: written[name] for name in ("one", "two")}
    assert "| Study one | It \\| claims one. | holds |\n| Study two | It \\| claims two. | does not hold |" in text
    assert page(sections(text), ["one", "two", "never"]) == text


def test_the_command_writes_the_page_and_tells_a_claim_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, asked = tmp_path / "evidence.md", []

    class Fake:
        def __init__(self, name: str) -> None:
            self.name = name

        def run(self, seeds: Any, progress: Any) -> Finding:
            asked.append((self.name, list(seeds)))
            progress("", 1, 1)
            return made(self.name, holds=self.name == "one")

    monkeypatch.setattr(__main__, "STUDIES", ("one", "two"))
    monkeypatch.setattr(__main__, "find", Fake)

    def command(*words: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["studies", *words, "--out", str(out)])
        with pytest.raises(SystemExit) as ended:
            __main__.main()
        return ended.value.code

    assert command("--seeds", "3") == 1
    assert asked == [("one", [1, 2, 3]), ("two", [1, 2, 3])]
    assert list(sections(out.read_text(encoding="utf-8"))) == ["one", "two"]
    assert command("one", "--seeds", "2") == 0
    assert asked[2:] == [("one", [1, 2])]
    assert list(sections(out.read_text(encoding="utf-8"))) == ["one", "two"]
    assert "two: does not hold" in capsys.readouterr().out
    assert command("three") == command("--seeds", "1") == 2


def test_an_unknown_study_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="ninety_ten"):
        find("nothing")


def test_a_company_comes_with_its_truth_and_the_same_one_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companies, "_KEPT", 2)
    store, truth = company(2, accounts=20, months=6, tables=("accounts", "subscriptions"))
    assert (truth["seed"], truth["accounts"], store.row_count("accounts")) == (2, 20, 20)
    assert not store.has("milestones")
    assert company(2, accounts=20, months=6, tables=["subscriptions", "accounts"])[0] is store
    folders = [store.data_dir]
    for seed in (3, 4):
        folders.append(company(seed, accounts=20, months=6, tables=("accounts", "subscriptions"))[0].data_dir)
    assert [folder.exists() for folder in folders] == [False, True, True]


def test_the_forecast_study_counts_what_its_forecasts_show() -> None:
    past = pd.DataFrame(
        {
            "seed": [1, 1, 2, 2],
            "as_of": pd.to_datetime(["2025-03-31"] * 4),
            "horizon_months": [3, 12, 3, 12],
            "is_inside": [True, True, True, False],
            "is_inside_50": [True, False, False, False],
            "is_inside_95": True,
            "error_percent": [1.0, -3.0, 2.0, -2.0],
            "naive_error_percent": [2.0, 4.0, 2.0, 4.0],
            "last_year_error_percent": 5.0,
            "health_error_percent": 6.0,
        }
    )
    found = forecast.judged(past, [1, 2])
    assert found.holds  # 3 of 4 inside, and 2 % is less than 3, 5 and 6 %
    rows = found.table.set_index("what is asked of")
    assert rows.loc["all", ["forecasts", "inside 80 %", "bias", "mean error", "no change"]].tolist() == [
        4,
        "75%",
        -0.5,
        2.0,
        3.0,
    ]
    assert not forecast.judged(past.assign(naive_error_percent=1.0), [1, 2]).holds

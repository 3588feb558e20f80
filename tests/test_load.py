"""Publishing: all or nothing, the same rows once, rows added later, one writer, days in a time zone."""

import random
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cs_metrics.contract import load as loading
from cs_metrics.contract.facts import locked, read_manifest
from cs_metrics.contract.history import read_history, read_quarantine, summary
from cs_metrics.errors import LoadError, StoreError
from cs_metrics.store import Database, generation_path, published_number
from tests.load_support import (
    ACCOUNTS,
    EVENTS,
    SUBSCRIPTIONS,
    company,
    counts,
    day,
    facts,
    folder,
    load,
    rejected,
    rows,
    without_marts,
)

quick = without_marts
ROOT = Path(__file__).resolve().parent.parent


def state(data: Path) -> dict[str, bytes]:
    """Return every published byte: pointer, generation, manifest and the fact files that it lists."""
    number = published_number(data)
    manifest = read_manifest(data, number)
    files = [data / "current.json", generation_path(data, number), data / "facts" / f"manifest-{number}.json"]
    files += [data / one for listed in manifest.files.values() for one in listed]
    return {str(path.relative_to(data)): path.read_bytes() for path in files}


def test_a_load_publishes_marts_and_tells_what_became_of_every_row(tmp_path: Path) -> None:
    record = load(company(tmp_path / "in", events=EVENTS), tmp_path / "data")
    store = Database.open(tmp_path / "data").current()
    assert store.rows("select account_id, mrr_cents from mrr_interval order by 1") == [("A1", 10050), ("A2", 2000)]
    assert store.newest_day == record.newest_day == day("2024-03-02")
    assert summary(record).splitlines()[2:] == [
        "table          read  accepted  rejected  duplicate",
        "accounts          2         2         0          0",
        "subscriptions     2         2         0          0",
        "events            2         2         0          0",
    ]
    assert read_history(tmp_path / "data") == [record]
    assert read_quarantine(tmp_path / "data", record.number).empty


def test_too_many_rejected_rows_refuse_the_load_and_say_why(tmp_path: Path, quick: None) -> None:
    data = tmp_path / "data"
    load(company(tmp_path / "in", events=EVENTS), data)
    before = state(data)
    bad = "account_id,event,occurred_at\nA1,e,2024-03-01\nA1,e,yesterday\nA9,e,2024-03-01\n"
    record = load(company(tmp_path / "bad", events=bad), data)
    assert record.status == "refused"
    assert record.reason.startswith("2 of 3 rows of events were rejected (66.7%), and at most 1.0% may be; most often ")
    assert state(data) == before
    assert read_history(data)[-1] == record
    assert [row[2:5] for row in rejected(data, record)] == [(3, "occurred_at", "yesterday"), (4, "account_id", "A9")]
    assert record.quarantine in summary(record)


def test_the_limit_is_a_share_of_each_table(tmp_path: Path, quick: None) -> None:
    lines = "".join(f"A1,e,2024-03-01T10:{number % 60:02d}:00Z\n" for number in range(99))
    good = company(tmp_path / "in", events="account_id,event,occurred_at\n" + lines + "A9,e,2024-03-01\n")
    assert load(good, tmp_path / "data").status == "published"
    over = company(tmp_path / "over", events="account_id,event,occurred_at\n" + lines[25:] + "A9,e,2024-03-01\n")
    assert load(over, tmp_path / "data").status == "refused"


def test_loading_the_same_files_again_changes_nothing(tmp_path: Path, quick: None) -> None:
    source, data = company(tmp_path / "in", events=EVENTS + "A1,login,2024-03-01T10:00:00Z\n"), tmp_path / "data"
    load(source, data)
    before = state(data)
    for add in (False, True, True):
        record = load(source, data, add=add)
        assert (record.status, published_number(data), state(data)) == ("unchanged", 1, before)
    assert counts(record, "events") == (3, 0, 0, 3)
    assert counts(record, "accounts") == (2, 0, 0, 2)


def test_the_order_of_rows_does_not_matter(tmp_path: Path, quick: None) -> None:
    lines = [
        f"A{1 + number % 2},e{number % 3},2024-0{1 + number % 4}-0{1 + number % 9}T10:00:00Z" for number in range(60)
    ]
    shuffled = random.Random(7).sample(lines, len(lines))
    source = company(tmp_path / "in", events="\n".join(["account_id,event,occurred_at", *lines]))
    other = company(tmp_path / "other", events="\n".join(["account_id,event,occurred_at", *shuffled]))
    load(source, tmp_path / "data")
    assert load(other, tmp_path / "data").status == "unchanged"


def test_two_loads_are_one_load(tmp_path: Path, quick: None) -> None:
    lines = [f"A1,e{number},2024-0{1 + number % 4}-01T10:00:00Z" for number in range(40)]
    tickets = [f"T{number},A2,2024-03-01" for number in range(10)]

    def half(name: str, events: list[str], opened: list[str]) -> Path:
        return company(
            tmp_path / name,
            events="\n".join(["account_id,event,occurred_at", *events]),
            tickets="\n".join(["ticket_id,account_id,opened_at", *opened]),
        )

    one = load(half("one", lines, tickets), tmp_path / "whole")
    load(half("first", lines[:25], tickets[:5]), tmp_path / "parts")
    two = load(half("second", lines[25:], tickets[5:]), tmp_path / "parts", add=True)
    assert (one.fingerprint, two.status) == (two.fingerprint, "published")


def test_added_rows_append_events_and_replace_the_other_tables_by_key(tmp_path: Path, quick: None) -> None:
    data = tmp_path / "data"
    load(company(tmp_path / "in", events=EVENTS), data)
    added = folder(
        tmp_path / "more",
        accounts="account_id,name,started_on\nA2,Beta Ltd,2024-02-01\nA3,Gamma,2024-03-01\nA1,Alpha,2024-01-01\n",
        events="account_id,event,occurred_at\nA1,login,2024-03-01T10:00:00Z\nA3,login,2024-01-15\nA3,login,2024-01-15\n",
    )
    record = load(added, data, add=True)
    assert rows(data, "accounts", "account_id", "name") == [("A1", "Alpha"), ("A2", "Beta Ltd"), ("A3", "Gamma")]
    assert rows(data, "events", "account_id", "occurred_on") == [
        ("A1", day("2024-03-01")),
        ("A2", day("2024-03-02")),
        ("A3", day("2024-01-15")),
        ("A3", day("2024-01-15")),
    ]
    assert counts(record, "accounts") == (3, 2, 0, 1)
    assert counts(record, "events") == (3, 2, 0, 1)
    assert (record.tables["accounts"].updated, record.tables["accounts"].total) == (1, 3)
    assert len(facts(data, "subscriptions")) == 2


def test_a_late_event_touches_its_month_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    load(company(tmp_path / "in", events=EVENTS + "A1,login,2024-05-01\n"), data)
    seen: dict[str, Any] = {}
    make = loading.make
    monkeypatch.setattr(loading, "make", lambda *args, **named: (seen.update(named), make(*args, **named)))
    load(folder(tmp_path / "late", events="account_id,event,occurred_at\nA2,login,2024-03-20\n"), data, add=True)
    assert (seen["earlier"], seen["touched"].tables, seen["touched"].months) == (1, {"events"}, {"2024-03"})
    assert seen["touched"].first_day == day("2024-03-20")
    manifest = read_manifest(data, 2)
    assert manifest.files["events/2024-03"] == ["facts/events/2024-03/2.parquet"]
    assert manifest.files["events/2024-05"] == ["facts/events/2024-05/1.parquet"]
    assert manifest.rows == {"accounts": 2, "subscriptions": 2, "events": 4}
    store = Database.open(data).current()
    assert store.rows("select day, times from account_day where account_id = 'A2' order by 1") == [
        (day("2024-03-02"), 1),
        (day("2024-03-20"), 1),
    ]


def test_an_added_load_gives_the_marts_of_a_full_one(tmp_path: Path) -> None:
    late = "A2,export,2024-03-20T09:00:00Z\nA1,login,2024-06-01T09:00:00Z\n"
    load(company(tmp_path / "all", events=EVENTS + late), tmp_path / "whole")
    load(company(tmp_path / "in", events=EVENTS), tmp_path / "parts")
    load(folder(tmp_path / "late", events="account_id,event,occurred_at\n" + late), tmp_path / "parts", add=True)
    whole, parts = (Database.open(tmp_path / name).current() for name in ("whole", "parts"))
    for mart in ("account_day", "account_day_event", "user_week", "event_first", "mrr_month", "account_week"):
        query = f"select * from {mart} order by all"
        assert parts.rows(query) == whole.rows(query), mart


def test_a_full_load_replaces_everything_and_keeps_the_files_of_equal_months(tmp_path: Path, quick: None) -> None:
    data = tmp_path / "data"
    load(company(tmp_path / "in", events=EVENTS + "A1,login,2024-05-01\n", users="user_id,account_id\nu1,A1\n"), data)
    load(company(tmp_path / "new", events=EVENTS), data)
    assert read_manifest(data, 2).files == {
        "accounts": ["facts/accounts/1.parquet"],
        "subscriptions": ["facts/subscriptions/1.parquet"],
        "events/2024-03": ["facts/events/2024-03/1.parquet"],
    }


def test_attributes_stay_with_the_accounts_when_rows_are_added(tmp_path: Path, quick: None) -> None:
    data = tmp_path / "data"
    accounts = "account_id,name,started_on,score,since\nA1,Alpha,2024-01-01,1.5,2020-02-01\nA2,Beta,2024-02-01,,\n"
    mapping = "[tables.accounts.attributes]\nscore = 'number'\nsince = 'date'\n"
    load(company(tmp_path / "in", mapping=mapping, accounts=accounts), data)
    load(folder(tmp_path / "more", accounts="account_id,name,started_on\nA3,Gamma,2024-02-01\n"), data, add=True)
    assert read_manifest(data, 2).attributes == {"score": "number", "since": "date"}
    assert rows(data, "accounts", "account_id", "score", "since") == [
        ("A1", 1.5, day("2020-02-01")),
        ("A2", None, None),
        ("A3", None, None),
    ]
    changed = folder(tmp_path / "text", mapping="[tables.accounts.attributes]\nscore = 'text'\n", accounts=ACCOUNTS)
    with pytest.raises(LoadError, match="'score' is published as number and mapped as text"):
        load(changed, data, add=True)


def test_the_day_of_an_instant_is_that_of_the_reporting_time_zone(tmp_path: Path, quick: None) -> None:
    events = (
        "account_id,event,occurred_at\n"
        "A1,before,2024-03-31T00:30:00+01:00\nA1,spring,2024-03-30T23:30:00Z\nA1,summer,2024-06-30T22:30:00Z\n"
        "A1,autumn,2024-10-26T21:59:59Z\nA1,winter,2024-10-27T22:59:59Z\nA1,year,2024-12-31T23:00:00Z\n"
    )
    data = tmp_path / "data"
    load(company(tmp_path / "in", events=events), data, time_zone="Europe/Berlin")
    assert dict(rows(data, "events", "event", "occurred_on")) == {
        "before": day("2024-03-31"),
        "spring": day("2024-03-31"),
        "summer": day("2024-07-01"),
        "autumn": day("2024-10-26"),
        "winter": day("2024-10-27"),
        "year": day("2025-01-01"),
    }
    assert "events/2025-01" in read_manifest(data, 1).files
    more = folder(tmp_path / "more", events="account_id,event,occurred_at\nA1,late,2024-07-31T22:00:00Z\n")
    assert load(more, data, add=True).time_zone == "Europe/Berlin"
    assert dict(rows(data, "events", "event", "occurred_on"))["late"] == day("2024-08-01")
    with pytest.raises(LoadError, match="those of Europe/Berlin, so rows in UTC cannot be added"):
        load(more, data, add=True, time_zone="UTC")
    with pytest.raises(LoadError, match=r"no time zone 'Europe/Berln'\. Did you mean 'Europe/Berlin'"):
        load(more, data, time_zone="Europe/Berln")


def test_a_missing_rate_refuses_the_load_with_currency_account_and_day(tmp_path: Path, quick: None) -> None:
    accounts = "account_id,name,started_on,currency\nA1,Alpha,2024-01-01,EUR\nA2,Beta,2024-02-01,USD\n"
    data = tmp_path / "data"
    record = load(company(tmp_path / "in", accounts=accounts), data)
    assert record.status == "refused"
    assert record.reason == (
        "account 'A1' pays in EUR, and the table rates holds no rate of EUR valid on 2024-01-01, which 'S1' in "
        "subscriptions needs; add one, as USD per EUR."
    )
    late = "currency,valid_from,rate\nEUR,2024-01-02,1.1\n"
    assert load(company(tmp_path / "late", accounts=accounts, rates=late), data).status == "refused"
    good = late.replace("-02", "-01")
    assert load(company(tmp_path / "good", accounts=accounts, rates=good), data).status == "published"
    more = folder(tmp_path / "more", subscriptions="subscription_id,account_id,starts_on,mrr\nS3,A1,2023-06-01,5\n")
    assert load(more, data, add=True).status == "refused"


def test_what_is_suspicious_is_loaded_and_told(tmp_path: Path, quick: None) -> None:
    source = company(
        tmp_path / "in",
        accounts="account_id,name,started_on,parent_id,time_zone\nA1,Alpha,2024-01-01,A9,Mars/Base\nA2,Beta,2024-02-01,A1,UTC\n",
        subscriptions=(
            "subscription_id,account_id,starts_on,ends_on,mrr,product_id\n"
            "S1,A1,2024-01-01,2025-01-01,1.005,P1\nS2,A1,2024-06-01,,1,P1\nS3,A2,2024-02-01,,1,P1\nS4,A1,2024-02-01,,1,P2\n"
        ),
        events=(
            "account_id,event,occurred_at\nA1,e,2023-12-31\nA1,e,2024-01-01\nA1,e,2024-06-01\nA1,e,2024-12-01\nA1,e,2030-01-01\n"
        ),
        contracts=(
            "contract_id,account_id,starts_on,ends_on,arr,outcome,decided_on\nC1,A1,2024-01-01,2024-06-01,1,,\n"
            "C2,A2,2024-01-01,2024-07-01,1,renewed,\n"
        ),
    )
    record = load(source, tmp_path / "data")
    assert record.status == "published"
    assert record.newest_day == day("2024-12-01")
    assert [(one.table, one.kind, one.count, one.example) for one in record.warnings] == [
        ("subscriptions", "rounded", 1, ""),
        ("events", "before_start", 1, "A1 on 2023-12-31"),
        ("events", "after_contracts", 3, "A1 on 2024-06-01"),
        ("accounts", "silent", 1, "A2"),
        ("events", "in_future", 1, "A1 on 2030-01-01"),
        ("subscriptions", "overlap", 1, "S2 of A1"),
        ("contracts", "undecided", 1, "C1 of A1"),
        ("contracts", "outcome_without_day", 1, "C2 of A2"),
        ("accounts", "unknown_parent", 1, "A1 under A9"),
        ("accounts", "unknown_time_zone", 1, "'Mars/Base' of A1"),
    ]
    assert "accounts with MRR and no event in the 90 days up to 2024-12-01: 1, for example A2" in summary(record)


@pytest.mark.parametrize("point", ["read", "write_events", "write_manifest", "make", "publish"])
def test_a_load_that_fails_anywhere_leaves_the_published_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None, point: str
) -> None:
    data = tmp_path / "data"
    load(company(tmp_path / "in", events=EVENTS), data)
    before = state(data)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("No space left on device")

    holder = {"read": loading.Intake, "write_events": loading.Writer}.get(point, loading)
    with monkeypatch.context() as patched:
        patched.setattr(holder, point, fail)
        with pytest.raises(LoadError, match="published data is unchanged: No space left on device"):
            load(company(tmp_path / "new", events=EVENTS + "A1,x,2024-04-01\n"), data)
    assert state(data) == before
    assert [(one.status, one.reason) for one in read_history(data)][1:] == [("refused", "No space left on device")]
    left = [path.name for path in data.rglob("*") if re.search(r"staging|-2\.(json|duckdb)$|^2\.parquet$", path.name)]
    assert left == ["load-2.json"]


@pytest.mark.parametrize(
    "mark",
    [
        "facts/subscriptions/2.parquet",
        "facts/manifest-2.json",
        "generations/generation-2.building",
    ],
)
def test_a_killed_load_changes_nothing_and_the_next_one_cleans_up(tmp_path: Path, mark: str) -> None:
    data = tmp_path / "data"
    load(company(tmp_path / "in", events=EVENTS), data)
    lines = "".join(f"A1,e{number % 9},2024-0{1 + number % 9}-01T10:00:00Z\n" for number in range(20_000))
    source = company(
        tmp_path / "big", events="account_id,event,occurred_at\n" + lines, accounts=ACCOUNTS + "A3,C,2024-01-01\n"
    )
    (source / "subscriptions.csv").write_text(SUBSCRIPTIONS.lstrip() + "S3,A3,2024-01-01,,5\n")
    before = state(data)
    command = [sys.executable, "-m", "cs_metrics", "load", str(source), "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (data / mark).exists():
            time.sleep(0.0005)
        process.kill()
    assert state(data) == before
    assert load(source, data).status == "published"
    assert len(facts(data, "events")) == 20_000
    assert Database.open(data).current().newest_day == day("2024-09-01")
    assert "running" not in [one.status for one in read_history(data)]
    assert not list(data.glob(".staging-*"))
    assert set((data / "facts").rglob("*.parquet")) == listed_files(data)


def listed_files(data: Path) -> set[Path]:
    """Return the fact files of all manifests."""
    numbers = [int(path.stem.removeprefix("manifest-")) for path in (data / "facts").glob("manifest-*.json")]
    manifests = [read_manifest(data, number) for number in numbers]
    return {data / file for manifest in manifests for files in manifest.files.values() for file in files}


def test_a_load_killed_after_the_pointer_moved_counts_as_published(tmp_path: Path, quick: None) -> None:
    data = tmp_path / "data"
    record = load(company(tmp_path / "in", events=EVENTS), data)
    (data / "history" / "load-1.json").write_text(record.model_copy(update={"status": "running"}).model_dump_json())
    assert load(company(tmp_path / "in", events=EVENTS), data).status == "unchanged"
    assert [one.status for one in read_history(data)] == ["published", "unchanged"]


def test_two_loads_cannot_run_together(tmp_path: Path, quick: None) -> None:
    source, data = company(tmp_path / "in"), tmp_path / "data"
    with locked(data), pytest.raises(StoreError, match="Another load or build is writing"):
        load(source, data)
    assert load(source, data).status == "published"


def test_checking_only_publishes_and_remembers_nothing(tmp_path: Path, quick: None) -> None:
    data = tmp_path / "data"
    events = "account_id,event,occurred_at\nA1,e,2024-03-01\nA9,e,2024-03-01\n"
    record = load(company(tmp_path / "in", tolerant=True, events=events), data, check_only=True)
    assert (record.status, counts(record, "events")) == ("checked", (2, 1, 1, 0))
    assert [path.name for path in data.iterdir()] == [".lock"]


def test_adding_to_nothing_is_a_full_load_and_needs_the_required_tables(tmp_path: Path, quick: None) -> None:
    with pytest.raises(LoadError, match="holds no table 'accounts'"):
        load(folder(tmp_path / "events", events=EVENTS), tmp_path / "data", add=True)
    source = folder(tmp_path / "in", accounts=ACCOUNTS, subscriptions=SUBSCRIPTIONS)
    assert load(source, tmp_path / "data", add=True).mode == "full"

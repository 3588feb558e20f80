"""What people decide about opportunities: it leaves the list, comes back on its day, and counts in the likelihood."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from cs_metrics.metrics.expansion import expansion
from cs_metrics.metrics.expansion_status import expansion_history, expansion_record
from cs_metrics.metrics.expansion_value import win_rates
from cs_metrics.store import Database, Store
from cs_metrics.workspace.entries import NewEntry
from tests.expansion_support import D, Rows, customer, events, merged, one, users
from tests.support import company, day, records


def deal(account_id: str, opened: str, closed: str | None, stage: str, kind: str = "seats") -> Rows:
    return one(
        "opportunities", account_id, opportunity_id=f"{account_id} {opened}", kind=kind, opened_on=opened, stage=stage,
        closed_on=closed, arr=100,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("status")
    parts = [merged(customer(name, seats=10), users(name, {"Sales": 9})) for name in ("a", "b", "c", "d")]
    late = events("a", "used", [-60])  # so that the newest day lies after the days that are asked about
    company(
        folder,
        **merged(
            *parts,
            late,
            deal("b", "2026-02-10", "2026-03-20", "won"),
            deal("c", "2025-01-10", "2025-02-01", "lost"),
            deal("d", "2025-12-10", "2026-01-15", "lost"),
        ),
    )
    return folder


@pytest.fixture
def wrote(folder: Path, tmp_path: Path) -> Any:
    """Write entries (account, action, day, body) about seats and return the store that knows them."""

    def write(*entries: tuple[str, str, str, dict[str, Any]]) -> Store:
        for file in (folder / "workspace").glob("*"):
            file.unlink()
        database = Database.open(folder)
        for account_id, action, on, body in entries:
            note = f"{action} it" if action == "note" else ""
            new = NewEntry("expansion", account_id, action, subject="seats", note=note, body=body)
            database.workspace.write([new], author="Ann", effective_on=day(on))
        return database.current()

    return write


def listed(store: Store, as_of: dt.date = D, shown: Any = "current") -> list[str]:
    found = expansion(store, as_of=as_of, shown=shown)
    return sorted(found[found["kind"] == "seats"]["account_id"])


def test_what_is_dismissed_or_put_off_leaves_the_list_and_can_be_shown(wrote: Any) -> None:
    store = wrote(
        ("a", "dismiss", "2026-03-01", {"reason": "no_budget"}),
        ("b", "postpone", "2026-03-01", {"until": "2026-03-10"}),
        ("c", "take", "2026-03-01", {"owner": "Bo"}),
    )
    assert listed(store) == ["c", "d"]
    assert listed(store, shown="aside") == ["a", "b"]
    assert listed(store, shown="all") == ["a", "b", "c", "d"]
    told = expansion(store, as_of=D, shown="all").set_index("account_id")
    assert records(told.loc[["a", "b", "c", "d"]], "status", "status_says", "owner") == [
        ("dismissed", "Dismissed by Ann on 1 Mar 2026: no budget", "Cora"),
        ("postponed", "Postponed to 10 Mar 2026, by Ann on 1 Mar 2026", "Cora"),
        ("taken", "Taken by Ann on 1 Mar 2026", "Bo"),
        ("open", "", "Cora"),
    ]


def test_what_was_put_off_comes_back_after_its_day_and_a_dismissal_ends_after_a_year(wrote: Any) -> None:
    store = wrote(
        ("a", "dismiss", "2025-03-01", {"reason": "no_need"}),
        ("b", "postpone", "2026-02-01", {"until": "2026-02-28"}),
        ("c", "postpone", "2026-02-01", {"until": "2026-03-01"}),
    )
    assert listed(store) == ["b", "d"], (
        "the last day of c is D itself, and that of a is 365 days after it was dismissed"
    )
    told = expansion(store, as_of=D, shown="all").set_index("account_id")
    assert told.loc["b", "status_says"] == "Back since 1 Mar 2026"
    store = wrote(("a", "dismiss", "2025-02-28", {"reason": "no_need"}))
    assert listed(store) == ["a", "b", "c", "d"]


def test_the_newest_word_holds_and_a_note_changes_no_state(wrote: Any) -> None:
    store = wrote(
        ("a", "dismiss", "2026-02-01", {"reason": "no_need"}),
        ("a", "note", "2026-02-02", {}),
        ("b", "dismiss", "2026-02-01", {"reason": "no_need"}),
        ("b", "reopen", "2026-02-03", {}),
    )
    assert listed(store) == ["b", "c", "d"]
    told = expansion(store, as_of=D, shown="all").set_index("account_id")
    assert told.loc["a", "note"] == "note it"
    history = expansion_history(store, as_of=D, account_id="a", subject="seats")
    assert records(history, "action", "reason", "note") == [("note", None, "note it"), ("dismiss", "no_need", "")]


def test_nothing_written_after_the_day_counts(wrote: Any) -> None:
    store = wrote(("a", "dismiss", "2026-03-02", {"reason": "declined"}), ("b", "take", "2026-03-02", {}))
    untouched = wrote()
    assert records(expansion(store, as_of=D)) == records(expansion(untouched, as_of=D))
    assert win_rates(store, D) == win_rates(untouched, D) == {"seats": (0, 2), "": (0, 2)}
    assert records(expansion_record(store, as_of=D)) == []


@pytest.mark.parametrize(
    ("account_id", "on", "as_of", "rates", "why"),
    [
        ("a", "2026-02-20", D, (0, 3), "no deal tells of it: a lost case of its own"),
        ("b", "2026-02-20", D, (0, 2), "a deal of the kind is open: its end will tell"),
        ("b", "2026-02-20", day("2026-03-20"), (1, 3), "that deal was won since"),
        ("c", "2026-02-20", D, (0, 3), "the last deal closed more than 90 days before"),
        ("d", "2026-02-20", D, (0, 2), "the deal that was lost 36 days before is the same story"),
    ],
)
def test_a_decline_is_a_lost_case_unless_a_deal_tells_of_it(
    wrote: Any, account_id: str, on: str, as_of: dt.date, rates: tuple[int, int], why: str
) -> None:
    store = wrote((account_id, "dismiss", on, {"reason": "declined"}))
    assert win_rates(store, as_of)["seats"] == rates, why


def test_another_reason_says_nothing_of_the_chance(wrote: Any) -> None:
    store = wrote(("a", "dismiss", "2026-02-20", {"reason": "wrong_data"}))
    assert win_rates(store, D)["seats"] == (0, 2)


def test_the_record_tells_what_became_of_what_was_taken(wrote: Any) -> None:
    store = wrote(
        ("a", "dismiss", "2026-02-20", {"reason": "declined"}),
        ("b", "take", "2026-02-20", {}),
        ("c", "take", "2026-02-20", {}),
        ("d", "postpone", "2026-02-20", {"until": "2026-06-01"}),
    )
    columns = (
        "kind",
        "taken",
        "taken_won",
        "taken_lost",
        "taken_open",
        "postponed",
        "dismissed",
        "declined",
        "counted_as_lost",
    )
    assert records(expansion_record(store, as_of=D), *columns) == [("seats", 2, 0, 0, 2, 1, 1, 1, 1)]
    assert records(expansion_record(store, as_of=day("2026-03-20")), *columns) == [("seats", 2, 1, 0, 1, 1, 1, 1, 1)]

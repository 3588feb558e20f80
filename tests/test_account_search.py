"""Finding an account: by any part of its name, whatever its case and accents, and by a name that was typed wrong."""

import pytest

from cs_metrics.metrics.account_search import account_search
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

D = day("2026-03-01")
NAMES = {
    "a1": "Société Générale Élan",
    "a2": "Elan Sports",
    "a3": "Großmann & Søn",
    "a4": "Big Elan Works",
    "A-77": "Zebra",
    "later": "Elan Later",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    accounts = [
        account(one, "2026-03-02" if one == "later" else "2024-01-01", name=name) for one, name in NAMES.items()
    ]
    lines = [
        line("a1", "2024-01-01", None, 10),
        line("a4", "2024-01-01", None, 30),
        line("a2", "2024-01-01", "2025-01-01", 9),
    ]
    return company(tmp_path_factory.mktemp("search"), accounts=accounts, subscriptions=lines)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("elan", ["a2", "a4", "a1"]),  # begins with it; then words that do, the larger one first
        ("ÉLAN soc", ["a1"]),
        ("generale elan", ["a1"]),
        ("grossmann", ["a3"]),
        ("søn", ["a3"]),
        ("son", ["a3"]),
        ("a-77", ["A-77"]),
        ("%", []),
        ("zzzz", []),
        ("  works  ", ["a4"]),
    ],
)
def test_an_account_is_found_by_any_part_of_its_name(store: Store, text: str, found: list[str]) -> None:
    rows = account_search(store, as_of=D, text=text)
    assert list(rows["account_id"]) == found
    assert rows["is_match"].all()


def test_without_a_text_all_are_there_the_largest_first(store: Store) -> None:
    rows = account_search(store, as_of=D)
    assert records(rows, "account_id", "arr") == [
        ("a4", 360.0),
        ("a1", 120.0),
        ("a2", 0.0),
        ("a3", 0.0),
        ("A-77", 0.0),
    ]


def test_a_slip_of_the_hand_still_finds_and_says_that_it_is_none(store: Store) -> None:
    assert records(account_search(store, as_of=D, text="zerba"), "account_id", "is_match") == [("A-77", False)]
    assert records(account_search(store, as_of=D, text="grosman"), "account_id", "is_match") == [("a3", False)]


def test_what_is_left_out_is_counted(store: Store) -> None:
    assert records(account_search(store, as_of=D, text="elan", limit=2), "account_id", "total") == [
        ("a2", 3),
        ("a4", 3),
    ]


def test_an_account_that_starts_later_is_not_there_yet(store: Store) -> None:
    assert "later" in list(account_search(store, as_of=day("2026-03-02"), text="later")["account_id"])
    assert account_search(store, as_of=D, text="later").empty

"""The key-action finder: who did what by when, how sure a difference is, and what newer accounts say of it."""

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cs_metrics import periods
from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.key_actions import Candidates, candidates, compared
from cs_metrics.store import Store
from tests.support import account, company, day, line, records
from tests.test_retention import naive_share

START = "2022-01-01"
COUNTED = ("event", "did", "did_retained", "did_not", "did_not_retained", "difference")


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def use(account_id: str, on: int, event: str) -> dict[str, Any]:
    return {"account_id": account_id, "event": event, "occurred_at": f"{after(on)}T08:00:00"}


def asked(store: Store, as_of: str, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    scope = options.pop("scope", Scope())
    return records(run(store, "key_actions", as_of=day(as_of), scope=scope, options=options), *columns)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Twenty-two accounts log in on day 20; ten of them order on day 3 and one of those leaves, seven of the others do."""
    names = [f"did{number}" for number in range(10)] + [f"not{number:02}" for number in range(12)]
    gone = {"did0", *(f"not{number:02}" for number in range(7))}
    events = [use(name, 20, "login") for name in names] + [use(name, 3, "order") for name in names[:10]]
    return company(
        tmp_path_factory.mktemp("actions"),
        accounts=[account(name, START, segment="A" if name < "did5" else "B") for name in names],
        subscriptions=[line(name, START, after(200) if name in gone else None, 10) for name in names],
        events=[
            *events,
            use("not00", 30, "order"),
            use("not01", 31, "order"),
            use("did1", 25, "order"),
            use("did2", 40, "order"),
        ],
    )


def wilson(stayed: int, size: int) -> tuple[float, float]:
    z = 1.959964
    middle, half = (
        stayed / size + z * z / 2 / size,
        z * math.sqrt(stayed * (size - stayed) / size**3 + (z / size / 2) ** 2),
    )
    return (middle - half) / (1 + z * z / size), (middle + half) / (1 + z * z / size)


def test_each_event_is_compared_by_who_did_it_early(store: Store) -> None:
    order, login = asked(store, after(600), *COUNTED)
    share, rest = 9 / 11, 5 / 11
    assert order == pytest.approx(("order", 11, share, 11, rest, share - rest), abs=1e-6)
    assert login == ("login", 22, pytest.approx(14 / 22, abs=1e-6), 0, None, None)
    (low_1, high_1), (low_2, high_2) = wilson(9, 11), wilson(5, 11)
    low = share - rest - math.hypot(share - low_1, high_2 - rest)
    high = share - rest + math.hypot(high_1 - share, rest - low_2)
    assert asked(store, after(600), "low", "high")[0] == pytest.approx((low, high), abs=1e-5)


def test_its_probability_is_that_of_a_random_group(store: Store) -> None:
    """All were followed to the end, so that it is Fisher's: 11 of 22 accounts, 14 of which stay."""
    stay = stats.hypergeom(22, 14, 11)
    exact = sum(stay.pmf(k) for k in range(12) if abs(k - 7) >= 2)
    assert asked(store, after(600), "p_adjusted")[0][0] == pytest.approx(exact, abs=0.02)
    assert asked(store, after(600), "p_adjusted")[1] == (None,)


def test_an_event_counts_by_the_day_and_as_often_as_asked(store: Store) -> None:
    def did(**options: Any) -> dict[str, int]:
        return dict(asked(store, after(600), "event", "did", **options))

    assert did() == {"order": 11, "login": 22}
    assert did(within_days=29) == {"order": 10, "login": 22}
    assert did(within_days=31) == {"order": 12, "login": 22}
    assert did(within_days=19) == {"order": 10}
    assert did(times=2) == {"order": 1}
    assert did(times=3) == {}
    assert did(scope=Scope.of(segment="A")) == {"order": 5, "login": 5}
    assert asked(store, after(29), "event") == [], "nobody has reached day 30"


def test_only_customers_on_the_landmark_are_compared(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account(name, START) for name in ("stays", "left", "leaves", "later")],
        subscriptions=[
            line("stays", START, None, 10),
            line("left", START, after(30), 10),
            line("leaves", START, after(31), 10),
            line("later", after(31), None, 10),
        ],
        events=[use(name, 1, "login") for name in ("stays", "left", "leaves", "later")],
    )
    assert asked(store, after(30), "event", "did", "did_not") == [("login", 2, 0)]
    assert asked(store, after(600), "event", "did", "difference", "is_confirmed") == [("login", 2, None, None)]


def test_a_company_without_events_or_money_is_told_what_is_missing(tmp_path: Path) -> None:
    bare = company(tmp_path / "bare", accounts=[account("a", START)], subscriptions=[line("a", START, None, 10)])
    with pytest.raises(MissingTable, match="events"):
        asked(bare, after(60))
    free = company(tmp_path / "free", accounts=[account("a", START)], events=[use("a", 1, "login")])
    with pytest.raises(MissingTable, match="subscriptions"):
        asked(free, after(60))


@pytest.mark.parametrize("options", [{"within_days": 0}, {"horizon_days": 0}, {"times": 0}])
def test_impossible_numbers_are_refused(store: Store, options: dict[str, int]) -> None:
    with pytest.raises(MetricError, match="at least 1"):
        asked(store, after(60), **options)


def made(older: tuple[int, int, int, int], newer: tuple[int, int, int, int]) -> Candidates:
    """One event; of the older and the newer accounts: did and stayed, did, did not and stayed, did not."""
    did, stayed, started = [], [], []
    for begin, (yes_stayed, yes, no_stayed, no) in ((0, older), (1000, newer)):
        did += [True] * yes + [False] * no
        stayed += [at < yes_stayed for at in range(yes)] + [at < no_stayed for at in range(no)]
        started += range(begin, begin + yes + no)
    days = np.where(stayed, 400.0, 100.0)
    split = older[1] + older[3]
    over = np.isin(np.arange(len(did)), range(split - 3, split + 2))  # six tenths of these five end with the older part
    return Candidates(("order",), np.array([did]), days, ~np.array(stayed), np.array(started), over)


@pytest.mark.parametrize(
    ("older", "newer", "is_confirmed"),
    [
        ((55, 60, 20, 60), (36, 40, 16, 40), True),
        ((20, 60, 55, 60), (16, 40, 36, 40), True),  # an action that goes along with leaving is found as well
        ((55, 60, 20, 60), (150, 200, 148, 200), False),
        ((55, 60, 20, 60), (16, 40, 36, 40), False),
        ((55, 60, 20, 60), (5, 6, 3, 6), None),
        ((55, 60, 20, 60), (3, 4, 30, 40), None),  # too few that did it
        ((8, 12, 6, 12), (36, 40, 16, 40), None),  # nothing was found on the older accounts
        ((6, 12, 6, 12), (20, 40, 20, 40), None),
    ],
)
def test_what_was_found_on_older_accounts_is_looked_at_again_on_newer_ones(
    older: tuple[int, int, int, int], newer: tuple[int, int, int, int], is_confirmed: bool | None
) -> None:
    found = made(older, newer)
    table = compared(found, 365, 5)
    assert records(table, "is_confirmed") == [(is_confirmed,)]
    assert table["found_difference"].iloc[0] == pytest.approx(older[0] / older[1] - older[2] / older[3])
    if newer[1] >= 5:
        assert table["confirmed_difference"].iloc[0] == pytest.approx(newer[0] / newer[1] - newer[2] / newer[3])
    else:
        assert table["confirmed_difference"].isna().all()


def test_the_older_part_is_six_tenths_of_the_accounts_whose_horizon_is_over() -> None:
    found = made((55, 60, 20, 60), (36, 40, 16, 40))
    assert found.is_older().sum() == 120
    started = np.array([3, 1, 2, 5, 4, 9, 9])
    few = Candidates((), np.zeros((0, 7), dtype=bool), np.ones(7), started < 0, started, started <= 5)
    assert few.is_older().tolist() == [True, True, True, False, False, False, False]
    assert not replace(few, is_over=started < 0).is_older().any()


def test_only_what_was_found_can_be_confirmed() -> None:
    """Three actions: one that matters, one that leads nothing, and one that few did."""
    dice = np.random.default_rng(8)
    size = 400
    strong, idle, rare = dice.random(size) < 0.6, dice.random(size) < 0.5, np.arange(size) % 100 == 0
    stayed = dice.random(size) < np.where(strong, 0.9, 0.4)
    found = Candidates(
        ("idle", "rare", "strong"),
        np.array([idle, rare, strong]),
        np.where(stayed, 400.0, 100.0),
        ~stayed,
        np.arange(size),
        np.ones(size, dtype=bool),
    )
    table = compared(found, 365, 5).set_index("event")
    assert list(table.index) == ["strong", "idle", "rare"]
    assert table["is_confirmed"].tolist() == [True, pd.NA, pd.NA]
    assert table.loc["idle", "p_adjusted"] > 0.05
    assert table.loc["rare", ["difference", "p_adjusted", "found_difference"]].isna().all()


def test_a_few_accounts_do_not_lead_the_list() -> None:
    """Six of six stay: that is no proof, though their share has no spread; the action of half the accounts leads."""
    did = np.zeros((2, 200), dtype=bool)
    did[0, :6], did[1, 6:106] = True, True
    stayed = np.r_[[True] * 6, np.arange(100) < 80, np.arange(94) < 50]
    found = Candidates(
        ("few", "many"),
        did,
        np.where(stayed, 400.0, 100.0),
        ~stayed,
        np.arange(200),
        np.ones(200, dtype=bool),
    )
    table = compared(found, 365, 5)
    assert table["event"].tolist() == ["many", "few"]
    by_event = table.set_index("event")
    assert by_event.loc["few", "did_retained"] == 1
    assert by_event.loc["few", "difference"] > by_event.loc["many", "difference"]
    assert by_event.loc["few", "low"] < by_event.loc["many", "low"]
    assert by_event.loc["few", "p_adjusted"] > 0.05 > by_event.loc["many", "p_adjusted"]


def test_shuffled_outcomes_seldom_seem_to_matter(store: Store) -> None:
    dice = np.random.default_rng(2)
    size = 80
    found = Candidates(
        tuple("abcdefgh"),
        dice.random((8, size)) < np.array([0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.85, 0.9])[:, None],
        dice.choice([50.0, 200.0, 400.0], size),
        dice.random(size) < 0.3,
        np.arange(size),
        np.arange(size) < 60,
    )
    said = [
        (compared(replace(found, did=found.did[:, dice.permutation(size)]), 365, 5)["p_adjusted"] < 0.05).any()
        for _ in range(60)
    ]
    assert sum(said) <= 6, "one in twenty is the most that the correction allows"


def test_retention_of_accounts_seen_for_less_is_kaplan_meier(tmp_path: Path) -> None:
    dice = random.Random(3)
    rows = []
    for number in range(40):
        start, stay = dice.randrange(400), dice.choice([100, 250, 395, None])
        rows.append((f"{number:02}", start, None if stay is None else start + stay, dice.randrange(60)))
    store = company(
        tmp_path,
        accounts=[account(name, after(start)) for name, start, _, _ in rows],
        subscriptions=[line(name, after(start), end and after(end), 10) for name, start, end, _ in rows],
        events=[use(name, start + on, "order") for name, start, _, on in rows],
    )
    as_of = 640
    groups: dict[bool, tuple[list[float], list[bool]]] = {True: ([], []), False: ([], [])}
    for _, start, end, on in rows:
        if start + 30 > as_of:
            continue
        lost = end is not None and end <= as_of
        days, gone = groups[on <= 30]
        days.append(float((end if lost and end else as_of) - start - 30))
        gone.append(lost)
    expected = [naive_share(*groups[which], 365) for which in (True, False)]
    found = asked(store, after(as_of), "did", "did_retained", "did_not", "did_not_retained")[0]
    assert found == pytest.approx((len(groups[True][0]), expected[0], len(groups[False][0]), expected[1]), abs=1e-6)
    older = candidates(store, day(after(as_of)), within_days=30, horizon_days=365).is_older()
    over = sorted(start for _, start, _, _ in rows if start + 395 <= as_of)
    assert older.sum() == sum(start <= over[math.ceil(0.6 * len(over)) - 1] for _, start, _, _ in rows)


def test_later_facts_and_the_order_of_rows_change_nothing(store: Store, tmp_path: Path) -> None:
    as_of = 500
    names = [f"did{number}" for number in range(10)] + [f"not{number:02}" for number in range(12)]
    gone = {"did0", *(f"not{number:02}" for number in range(7))}
    more = company(
        tmp_path,
        accounts=[account(name, START, segment="A" if name < "did5" else "B") for name in names[::-1]]
        + [account("new", after(520))],
        subscriptions=[
            line(name, START, after(200) if name in gone else after(510) if name == "did9" else None, 10)
            for name in names[::-1]
        ],
        events=[
            use("new", 521, "order"),
            use("did2", 505, "export"),
            use("did1", 25, "order"),
            use("did2", 40, "order"),
            use("not01", 31, "order"),
            use("not00", 30, "order"),
            *(use(name, 3, "order") for name in names[:10]),
            *(use(name, 20, "login") for name in names),
        ],
    )
    for options in ({}, {"times": 2}, {"within_days": 60}):
        assert asked(more, after(as_of), **options) == asked(store, after(as_of), **options)

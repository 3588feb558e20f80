"""The 90/10 test and bounce-backs: hand-counted companies, landmark traps, and no look ahead."""

import math
import random
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from cs_metrics import periods
from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

START = "2022-01-01"


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def use(account_id: str, on: int, event: str = "order_created", user_id: str = "") -> dict[str, Any]:
    return {"account_id": account_id, "event": event, "occurred_at": f"{after(on)}T08:00:00", "user_id": user_id}


def asked(store: Store, name: str, as_of: str, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    scope = options.pop("scope", Scope())
    return records(run(store, name, as_of=day(as_of), scope=scope, options=options), *columns)


MILESTONES = [
    {"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7},
    {"milestone_id": "m2", "name": "Set-up", "position": 2, "due_days": 30},
]


@pytest.fixture(scope="module")
def landmarks(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Ten accounts complete onboarding and one of them leaves; ten do not and five of them leave; others left before day 90."""
    names = [f"done{number}" for number in range(10)] + [f"late{number}" for number in range(10)] + ["early0", "early1"]
    leaves = {"done0": 200, **{f"late{number}": 150 + 50 * number for number in range(5)}, "early0": 40, "early1": 80}
    return company(
        tmp_path_factory.mktemp("landmarks"),
        accounts=[account(name, START) for name in names],
        subscriptions=[line(name, START, after(leaves[name]) if name in leaves else None, 10) for name in names],
        milestones=MILESTONES,
        milestone_completions=[
            {"account_id": name, "milestone_id": one, "completed_on": after(on)}
            for name in names
            for one, on in (("m1", 5), ("m2", 90 if name.startswith("done") else 91))
        ],
        events=[use(name, 3) for name in names if name.startswith("done")] + [use(name, 20, "login") for name in names],
    )


def mantel(first: tuple[list[int], int], second: tuple[list[int], int]) -> float:
    """The log-rank test by the book: observed less expected losses of the first group, day by day."""
    (ours, ours_stay), (theirs, theirs_stay) = first, second
    apart = variance = 0.0
    for on in sorted({*ours, *theirs}):
        mine = ours_stay + sum(one >= on for one in ours)
        both = mine + theirs_stay + sum(one >= on for one in theirs)
        lost = ours.count(on) + theirs.count(on)
        apart += ours.count(on) - lost * mine / both
        variance += lost * mine * (both - mine) * (both - lost) / (both**2 * (both - 1))
    return float(2 * stats.norm.sf(abs(apart) / math.sqrt(variance)))


def test_only_customers_on_the_landmark_are_compared(landmarks: Store) -> None:
    found = asked(landmarks, "ninety_ten", after(600), "group", "accounts", "retained", "lost")
    assert found == [("completed", 10, 0.9, 1), ("not_completed", 10, 0.5, 5)]
    low, high = asked(landmarks, "ninety_ten", after(600), "low", "high")[1]
    assert (low, high) == (pytest.approx(0.183550, abs=1e-4), pytest.approx(0.753203, abs=1e-4))
    p = asked(landmarks, "ninety_ten", after(600), "log_rank_p")
    groups = [([110], 9), ([60, 110, 160, 210, 260], 5)]  # days of the losses, and how many are still there
    assert p[0] == p[1] == (pytest.approx(mantel(*groups), abs=1e-6),)


def test_a_retention_nobody_was_followed_for_is_not_known(landmarks: Store) -> None:
    assert asked(landmarks, "ninety_ten", after(454), "accounts", "retained") == [(10, None), (10, None)]
    assert asked(landmarks, "ninety_ten", after(455), "accounts", "retained") == [(10, 0.9), (10, 0.5)]
    assert asked(landmarks, "ninety_ten", after(89), "accounts", "retained", "log_rank_p") == [
        (0, None, None),
        (0, None, None),
    ]


def test_too_few_accounts_have_counts_and_no_rate(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account(name, START) for name in "abcd"],
        subscriptions=[line(name, START, None, 10) for name in "abcd"],
        milestones=MILESTONES,
    )
    assert asked(store, "ninety_ten", after(600), "accounts", "retained") == [(0, None), (4, None)]


def test_the_curves_under_the_test_count_from_the_landmark(landmarks: Store) -> None:
    found = asked(landmarks, "ninety_ten_curves", after(455), "group", "time_days", "at_risk", "events", "survival")
    assert found == [
        ("completed", 0, 10, 0, 1.0),
        ("completed", 110, 10, 1, 0.9),
        ("completed", 365, 9, 0, 0.9),
        ("not_completed", 0, 10, 0, 1.0),
        ("not_completed", 60, 10, 1, 0.9),
        ("not_completed", 110, 9, 1, 0.8),
        ("not_completed", 160, 8, 1, 0.7),
        ("not_completed", 210, 7, 1, 0.6),
        ("not_completed", 260, 6, 1, 0.5),
        ("not_completed", 365, 5, 0, 0.5),
    ]


def test_without_milestones_the_key_action_decides(tmp_path: Path) -> None:
    names = [f"{number}" for number in range(12)]
    store = company(
        tmp_path,
        accounts=[account(name, START) for name in names],
        subscriptions=[line(name, START, None, 10) for name in names],
        events=[use(name, 60) for name in names[:5]] + [use(name, 95) for name in names[5:7]],
    )
    assert asked(store, "ninety_ten", after(600), "group", "accounts", "retained") == [
        ("completed", 5, 1.0),
        ("not_completed", 7, 1.0),
    ]


STANDINGS = ("completed", "not_completed", "left_before", "not_paying", "too_young", "no_milestones")


def counted(store: Store, as_of: str, **options: Any) -> dict[str, int]:
    found = asked(store, "ninety_ten_accounts", as_of, "group", "accounts", "is_compared", **options)
    assert [group for group, _, is_compared in found if is_compared] == ["completed", "not_completed"]
    assert tuple(group for group, _, _ in found) == STANDINGS
    return {group: accounts for group, accounts, _ in found if accounts}


def test_every_account_that_has_started_is_compared_or_left_out_with_its_reason(landmarks: Store) -> None:
    assert counted(landmarks, after(600)) == {"completed": 10, "not_completed": 10, "left_before": 2}
    assert counted(landmarks, after(90)) == {"completed": 10, "not_completed": 10, "left_before": 2}
    assert counted(landmarks, after(89)) == {"too_young": 22}
    assert counted(landmarks, after(-1)) == {}
    assert counted(landmarks, after(89), landmark_days=79) == {"not_completed": 21, "left_before": 1}


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Accounts that a careless test would put into the wrong group."""
    spans = {
        "leaves_on_90": [(0, 90)],
        "leaves_on_91": [(0, 91)],
        "pays_from_90": [(90, None)],
        "pays_from_91": [(91, None)],
        "away_on_90": [(0, 80), (100, None)],
        "back_on_90": [(0, 80), (90, None)],
        "other_segment": [(0, None)],
        "young": [(1, None)],
    }
    starts = {name: after(1 if name == "young" else 0) for name in spans}
    return company(
        tmp_path_factory.mktemp("traps"),
        accounts=[
            *(account(name, starts[name], segment="B" if name == "other_segment" else "A") for name in spans),
            account("never_pays", START, segment="A"),
        ],
        subscriptions=[
            line(name, after(begin), None if end is None else after(end), 10)
            for name, own in spans.items()
            for begin, end in own
        ],
        milestones=[{**one, "segment": "A"} for one in MILESTONES],
        milestone_completions=[
            {"account_id": name, "milestone_id": one, "completed_on": after(30)}
            for name in spans
            for one in ("m1", "m2")
        ],
    )


def test_the_landmark_decides_who_is_compared(traps: Store) -> None:
    found = counted(traps, after(90))
    assert found == {"completed": 3, "left_before": 2, "not_paying": 2, "too_young": 1, "no_milestones": 1}
    assert sum(found.values()) == 9
    assert counted(traps, after(91))["completed"] == 4, "a day later the young one is old enough"
    assert counted(traps, after(90), scope=Scope.of(segment="B")) == {"no_milestones": 1}


def test_a_loss_right_after_the_landmark_counts_and_a_closed_gap_does_not(traps: Store) -> None:
    assert asked(traps, "ninety_ten", after(90), "accounts", "lost") == [(3, 0), (0, 0)]
    assert asked(traps, "ninety_ten", after(91), "accounts", "lost")[0] == (4, 1)
    assert asked(traps, "ninety_ten", after(600), "accounts", "lost")[0] == (4, 1)


@pytest.mark.parametrize(
    ("done_leave", "late_leave", "late", "verdict"),
    [
        (1, 18, 20, "holds"),
        (0, 20, 20, "holds"),
        (1, 12, 20, "partly"),
        (1, 4, 6, "partly"),  # the interval of six accounts reaches 10 %, their share of a third does not
        (6, 6, 20, "no_difference"),
        (0, 0, 20, "no_difference"),
        (15, 2, 20, "reversed"),
    ],
)
def test_the_verdict_on_the_rule(tmp_path: Path, done_leave: int, late_leave: int, late: int, verdict: str) -> None:
    names = [f"done{number:02}" for number in range(20)] + [f"late{number:02}" for number in range(late)]
    gone = {
        *(f"done{number:02}" for number in range(done_leave)),
        *(f"late{number:02}" for number in range(late_leave)),
    }
    store = company(
        tmp_path,
        accounts=[account(name, START) for name in names],
        subscriptions=[line(name, START, after(300) if name in gone else None, 10) for name in names],
        milestones=MILESTONES[:1],
        milestone_completions=[
            {"account_id": name, "milestone_id": "m1", "completed_on": after(9)} for name in names if name < "late"
        ],
    )
    assert asked(store, "ninety_ten", after(600), "verdict") == [(verdict,)] * 2
    assert asked(store, "ninety_ten", after(400), "verdict") == [("not_known",)] * 2
    low, high = asked(store, "ninety_ten", after(600), "low", "high")[1]
    assert 0 <= low < high <= 1, "an interval that says that all or none is certain would be too sure"


def test_no_subscriptions_no_test(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account("a", START)], milestones=MILESTONES)
    for name in ("ninety_ten", "ninety_ten_curves", "ninety_ten_accounts"):
        with pytest.raises(MissingTable, match="subscriptions"):
            asked(store, name, after(100))


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Store:
    days = {"steady": [0, 6, 13, 20], "back": [0, 8, 30], "gone": [0, 1], "user": [2, 12]}
    return company(
        tmp_path_factory.mktemp("silent"),
        accounts=[account(name, START) for name in days],
        events=[
            use(name, on, user_id="u" if name == "user" else "") for name, on_days in days.items() for on in on_days
        ],
    )


def test_days_below_one_are_refused(silent: Store) -> None:
    for name, options in (
        ("bouncebacks", {"silent_days": 0}),
        ("ninety_ten", {"horizon_days": 0}),
    ):
        with pytest.raises((MetricError, MissingTable), match=r"at least 1|subscriptions"):
            asked(silent, name, after(40), **options)


def test_later_facts_and_the_order_of_rows_change_nothing(tmp_path: Path) -> None:
    dice, as_of = random.Random(9), after(520)
    names = [f"{number:02}" for number in range(40)]
    starts = {name: dice.randrange(200) for name in names}
    lines = [line(name, after(starts[name]), after(starts[name] + dice.randrange(20, 700)), 10) for name in names]
    events = [
        use(
            dice.choice(names),
            dice.randrange(600),
            dice.choice(["order_created", "login", "export"]),
            dice.choice("uv"),
        )
        for _ in range(300)
    ]
    done = [
        {"account_id": name, "milestone_id": one, "completed_on": after(starts[name] + dice.randrange(20, 120))}
        for name in names
        for one in ("m1", "m2")
    ]
    accounts = [account(name, after(starts[name])) for name in names]
    whole = company(
        tmp_path / "whole",
        accounts=accounts,
        subscriptions=lines,
        events=events,
        milestones=MILESTONES,
        milestone_completions=done,
    )
    cut = company(
        tmp_path / "cut",
        accounts=accounts[::-1],
        subscriptions=[{**one, "ends_on": one["ends_on"] if one["ends_on"] <= as_of else None} for one in lines[::-1]],
        events=[one for one in events[::-1] if one["occurred_at"][:10] <= as_of],
        milestones=MILESTONES,
        milestone_completions=[one for one in done[::-1] if one["completed_on"] <= as_of],
    )
    for name in ("ninety_ten", "ninety_ten_curves", "ninety_ten_accounts", "bouncebacks"):
        assert asked(whole, name, as_of) == asked(cut, name, as_of), name
        assert len(asked(whole, name, as_of)) >= 2

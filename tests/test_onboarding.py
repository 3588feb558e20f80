"""Onboarding risk, its score, calls to action, milestones and the hand-off: literal rows and what later facts may not change."""

import random
from pathlib import Path
from typing import Any

import pytest

from cs_metrics import periods
from cs_metrics.errors import MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

START = "2024-01-01"  # a Monday


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def asked(store: Store, name: str, as_of: str, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    scope = options.pop("scope", Scope())
    return records(run(store, name, as_of=day(as_of), scope=scope, options=options), *columns)


def cta(
    account_id: str, opened: int, *, flagged: int | None = None, closed: int | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "cta_id": more.pop("cta_id", f"{account_id} {opened}"),
        "account_id": account_id,
        "kind": "risk",
        "reason": "No kick-off",
        "opened_on": after(opened),
        "due_on": after(opened + 7),
        "flagged_on": None if flagged is None else after(flagged),
        "closed_on": None if closed is None else after(closed),
        **more,
    }


MILESTONES = [
    {"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7},
    {"milestone_id": "m2", "name": "Set-up", "position": 2, "due_days": 30, "segment": "SMB"},
    {"milestone_id": "m3", "name": "First order", "position": 3, "due_days": 60, "completes_on_event": "order_created"},
]


@pytest.fixture(scope="module")
def ctas(tmp_path_factory: pytest.TempPathFactory) -> Store:
    names = {
        "calm": "ann",
        "open": "ann",
        "flagged": "bob",
        "unflagged": "bob",
        "old": "bob",
        "unpaid": "bob",
        "later": "ann",
    }
    starts = {"old": -90, "later": 20}
    return company(
        tmp_path_factory.mktemp("ctas"),
        accounts=[account(name, after(starts.get(name, 0)), onboarding_manager=who) for name, who in names.items()],
        subscriptions=[
            line(name, after(starts.get(name, 0)), after(95) if name == "open" else None, 10 * (1 + number))
            for number, name in enumerate(names)
            if name != "unpaid"
        ],
        ctas=[
            cta("open", 5, closed=40),
            cta("open", 6, closed=30, cta_id="again"),
            cta("flagged", 5, flagged=8),
            cta("flagged", 6, kind="objective", closed=12),
            cta("unflagged", 5, flagged=6, unflagged_on=after(9)),
            cta("old", 5, flagged=5),
            cta("unpaid", 5),
        ],
    )


def colours(store: Store, as_of: str) -> dict[str, str]:
    return dict(asked(store, "onboarding_risk", as_of, "account_id", "colour"))


def test_the_colour_follows_from_the_calls_to_action_known_that_day(ctas: Store) -> None:
    assert colours(ctas, after(4)) == dict.fromkeys(("calm", "open", "flagged", "unflagged"), "green")
    assert colours(ctas, after(5)) == {"calm": "green", "open": "yellow", "flagged": "yellow", "unflagged": "yellow"}
    assert colours(ctas, after(8)) == {"calm": "green", "open": "yellow", "flagged": "red", "unflagged": "red"}
    assert colours(ctas, after(9)) == {"calm": "green", "open": "yellow", "flagged": "red", "unflagged": "yellow"}
    assert colours(ctas, after(39))["open"] == "yellow"
    assert colours(ctas, after(40))["open"] == "green"


def test_in_onboarding_are_paying_accounts_in_their_first_days(ctas: Store) -> None:
    assert "old" in colours(ctas, after(-1))
    assert set(colours(ctas, after(0))) == {"calm", "open", "flagged", "unflagged"}
    assert "later" not in colours(ctas, after(19))
    assert set(colours(ctas, after(89))) == {"calm", "open", "flagged", "unflagged", "later"}
    assert set(colours(ctas, after(90))) == {"later"}


def test_one_call_per_kind_and_reason_counts_and_the_worst_come_first(ctas: Store) -> None:
    assert asked(ctas, "onboarding_risk", after(10), "account_id", "colour", "open_ctas", "flagged_ctas", "arr") == [
        ("flagged", "red", 2, 1, 360.0),
        ("unflagged", "yellow", 1, 0, 480.0),
        ("open", "yellow", 1, 0, 240.0),
        ("calm", "green", 0, 0, 120.0),
    ]


def test_the_summary_adds_up_and_weighs_by_arr(ctas: Store) -> None:
    found = run(ctas, "onboarding_summary", as_of=day(after(10)))
    row = dict(zip(found.columns, records(found)[0], strict=True))
    assert (row["accounts"], row["red"], row["yellow"], row["green"], row["open_ctas"]) == (4, 1, 2, 1, 4)
    assert (row["arr"], row["at_risk_arr"], row["red_arr"]) == (1200.0, 1080.0, 360.0)
    assert row["score"] == pytest.approx((100 * 120 + 50 * 720) / 1200)
    empty = run(ctas, "onboarding_summary", as_of=day(after(10)), scope=Scope.of(segment="none"))
    assert records(empty) == [(0, 0, 0, 0, 0.0, 0.0, 0.0, None, 0, 0, 0, True)]


def test_the_list_shows_each_open_call_once_with_its_flag(ctas: Store) -> None:
    columns = ("account_id", "kind", "opened_on", "is_flagged", "is_overdue", "days_open")
    assert asked(ctas, "onboarding_ctas", after(13), *columns) == [
        ("flagged", "risk", after(5), True, True, 8),
        ("unflagged", "risk", after(5), False, True, 8),
        ("open", "risk", after(5), False, True, 8),
    ]


def test_the_score_of_a_week_is_that_of_its_sunday(ctas: Store) -> None:
    assert asked(ctas, "onboarding_score", after(15))[-2:] == [
        ("2024-01-01", "total", 120.0, 240.0 + 360, 480.0, pytest.approx((100 * 120 + 50 * 600) / 1200)),
        ("2024-01-08", "total", 120.0, 720.0, 360.0, pytest.approx(40.0)),
    ]
    assert [row[:2] for row in asked(ctas, "onboarding_score", after(13), by="onboarding_manager")][-2:] == [
        ("2024-01-08", "ann"),
        ("2024-01-08", "bob"),
    ]
    assert [row[1] for row in asked(ctas, "onboarding_score", after(6), by="segment")][-1:] == [""]


def test_a_week_without_anybody_in_onboarding_has_no_score(ctas: Store) -> None:
    assert asked(ctas, "onboarding_score", after(200), "week", "score")[-1][1] is None
    assert asked(ctas, "onboarding_score", after(-200)) == []


def test_managers_see_their_accounts_and_their_week(ctas: Store) -> None:
    columns = (
        "onboarding_manager",
        "accounts",
        "red",
        "yellow",
        "at_risk_arr",
        "open_ctas",
        "overdue_ctas",
        "opened_ctas",
        "closed_ctas",
    )
    assert asked(ctas, "onboarding_managers", after(12), *columns) == [
        ("bob", 2, 1, 1, 840.0, 2, 0, 1, 1),
        ("ann", 2, 0, 1, 240.0, 1, 0, 1, 0),
    ]


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Store:
    names = ("fast", "slow", "stuck", "left", "big")
    return company(
        tmp_path_factory.mktemp("steps"),
        accounts=[account(name, START, segment="Mid" if name == "big" else "SMB") for name in names],
        subscriptions=[line(name, START, after(20) if name == "left" else None, 10) for name in names],
        milestones=MILESTONES,
        milestone_completions=[
            {"account_id": name, "milestone_id": milestone, "completed_on": after(on)}
            for name, milestone, on in [
                ("fast", "m1", 4),
                ("fast", "m2", 10),
                ("slow", "m1", 9),
                ("slow", "m2", 40),
                ("left", "m1", 5),
                ("big", "m1", 6),
            ]
        ],
        events=[
            {"account_id": name, "event": "order_created", "occurred_at": after(on)}
            for name, on in [("fast", 12), ("slow", 35), ("big", -3), ("stuck", 50)]
        ],
    )


def test_an_overdue_milestone_opens_a_call_the_day_after_and_its_completion_closes_it(steps: Store) -> None:
    assert colours(steps, after(7)) == {
        "fast": "green",
        "slow": "green",
        "stuck": "green",
        "left": "green",
        "big": "green",
    }
    assert colours(steps, after(8)) == {
        "fast": "green",
        "slow": "yellow",
        "stuck": "yellow",
        "left": "green",
        "big": "green",
    }
    assert colours(steps, after(9))["slow"] == "green"
    assert asked(steps, "onboarding_summary", after(7), "overdue_milestones", "overdue_accounts") == [(0, 0)]
    assert asked(steps, "onboarding_summary", after(8), "overdue_milestones", "overdue_accounts") == [(2, 2)]
    columns = ("account_id", "overdue_milestones", "next_milestone", "next_due_on")
    assert sorted(asked(steps, "onboarding_risk", after(31), *columns)) == [
        ("big", 0, None, None),
        ("fast", 0, None, None),
        ("slow", 1, "Set-up", after(30)),
        ("stuck", 2, "Kick-off", after(7)),
    ]


def test_the_funnel_counts_by_milestone_with_time_in_the_step_and_where_accounts_stall(steps: Store) -> None:
    columns = ("milestone", "accounts", "completed", "share", "median_days", "stalled", "median_days_from_start")
    # Kick-off: 4, 9, -, 5, 6 days of 5 accounts. Set-up (SMB): reached by fast (6 days), slow (31) and left, lost after
    # 15. First order: reached by fast (2), slow (0, done before) and big (0); from start 12, 35, 0 and stuck 50.
    assert asked(steps, "milestone_funnel", after(60), *columns) == [
        ("Kick-off", 5, 4, 0.8, 6.0, 1, 6.0),
        ("Set-up", 4, 2, None, 31.0, 0, 40.0),
        ("First order", 5, 4, 0.8, 0.0, 0, 35.0),
    ]
    assert [row[5] for row in asked(steps, "milestone_funnel", after(20), *columns)] == [1, 0, 0]
    assert [row[5] for row in asked(steps, "milestone_funnel", after(31), *columns)] == [1, 1, 0]
    assert [row[:3] for row in asked(steps, "milestone_funnel", after(60), *columns, segment="Mid")] == [
        ("Kick-off", 1, 1),
        ("First order", 1, 1),
    ]
    assert asked(steps, "milestone_funnel", after(-1)) == []


@pytest.mark.parametrize(
    ("name", "table"),
    [("onboarding_risk", "subscriptions"), ("milestone_funnel", "milestones"), ("handoff_completeness", "handoffs")],
)
def test_the_missing_table_is_named(tmp_path: Path, name: str, table: str) -> None:
    with pytest.raises(MissingTable, match=f"'{table}'"):
        asked(company(tmp_path, accounts=[account()]), name, START)


def test_later_facts_and_the_order_of_rows_change_nothing(tmp_path: Path) -> None:
    dice, as_of = random.Random(6), 60
    names = [f"{number:02}" for number in range(15)]
    starts = {name: dice.randrange(50) for name in names}
    opened = [(name, starts[name] + dice.randrange(40), number) for number, name in enumerate(names * 2)]
    calls = [
        cta(
            name,
            on,
            flagged=on + dice.randrange(20),
            closed=on + dice.randrange(20, 60),
            cta_id=str(number),
            reason=str(number % 3),
        )
        for name, on, number in opened
    ]
    known = [
        {**one, **{column: None for column in ("flagged_on", "closed_on") if one[column] > after(as_of)}}
        for one in calls
        if one["opened_on"] <= after(as_of)
    ]
    done = [
        {"account_id": name, "milestone_id": milestone, "completed_on": after(starts[name] + dice.randrange(90))}
        for name in names
        for milestone in ("m1", "m3")
    ]
    tables = {
        "accounts": [
            account(name, after(starts[name]), segment=dice.choice(["SMB", "Mid"]), onboarding_manager=name[0])
            for name in names
        ],
        "subscriptions": [line(name, after(starts[name]), None, 10 + number) for number, name in enumerate(names)],
        "milestones": MILESTONES,
    }
    events = [
        {"account_id": name, "event": "order_created", "occurred_at": after(starts[name] + dice.randrange(90))}
        for name in names
    ]
    whole = company(tmp_path / "whole", **tables, ctas=calls, milestone_completions=done, events=events)
    cut = company(
        tmp_path / "cut",
        **{name: rows[::-1] for name, rows in tables.items()},
        ctas=known[::-1],
        milestone_completions=[one for one in done if one["completed_on"] <= after(as_of)][::-1],
        events=[one for one in events if one["occurred_at"] <= after(as_of)][::-1],
    )
    for name in (
        "onboarding_risk",
        "onboarding_summary",
        "onboarding_ctas",
        "onboarding_managers",
        "milestone_funnel",
        "onboarding_score",
    ):
        if name == "onboarding_ctas":
            shown = ("account_id", "reason", "is_flagged", "opened_on")
            assert asked(whole, name, after(as_of), *shown) == asked(cut, name, after(as_of), *shown)
        else:
            assert asked(whole, name, after(as_of)) == asked(cut, name, after(as_of)), name
    assert len(asked(whole, "onboarding_risk", after(as_of))) == 15

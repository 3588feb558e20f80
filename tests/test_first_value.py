"""The 90/10 test, the key-action finder and bounce-backs: hand-counted companies, a known truth, and no look ahead."""

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from cs_metrics import periods
from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.first_value import _holm, _retained
from cs_metrics.metrics.survival import kaplan_meier
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


def test_many_groups_at_once_agree_with_the_one_estimator() -> None:
    dice = np.random.default_rng(5)
    days, is_lost = dice.integers(0, 500, 120).astype(float), dice.random(120) < 0.5
    members = dice.random((6, 120)) < 0.4
    found = _retained(members, days, is_lost, 365)
    for at, group in enumerate(members):
        curve = kaplan_meier(days[group], is_lost[group])
        seen = curve[curve["time_days"] <= 365]
        assert found.share[at] == pytest.approx(seen["survival"].iloc[-1], abs=1e-12)
        risk, lost = seen["at_risk"].to_numpy(float), seen["events"].to_numpy(float)
        greenwood = found.share[at] ** 2 * (lost / (risk * (risk - lost))).sum()
        assert found.variance[at] == pytest.approx(greenwood, abs=1e-12)


def test_holm_corrects_for_the_known_looks_only() -> None:
    assert _holm(np.array([0.01, np.nan, 0.04, 0.03])) == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)
    assert _holm(np.array([0.5, 0.9])) == pytest.approx([1.0, 1.0])
    assert np.isnan(_holm(np.array([np.nan]))).all()


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


def test_only_customers_on_the_landmark_are_compared(landmarks: Store) -> None:
    found = asked(landmarks, "ninety_ten", after(600), "group", "accounts", "retained", "lost")
    assert found == [("completed", 10, 0.9, 1), ("not_completed", 10, 0.5, 5)]
    low, high = asked(landmarks, "ninety_ten", after(600), "low", "high")[1]
    assert (low, high) == (pytest.approx(0.183550, abs=1e-4), pytest.approx(0.753203, abs=1e-4))
    p = asked(landmarks, "ninety_ten", after(600), "log_rank_p")
    lost = ([True] + [False] * 9, [True] * 5 + [False] * 5)
    days = ([110] + [510] * 9, [60, 110, 160, 210, 260] + [510] * 5)
    curves = [stats.CensoredData.right_censored(one, ~np.array(gone)) for one, gone in zip(days, lost, strict=True)]
    assert p[0] == p[1] == (pytest.approx(stats.logrank(*curves).pvalue, abs=1e-6),)


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


def test_each_event_is_compared_by_who_did_it_early(landmarks: Store) -> None:
    columns = ("event", "did", "did_retained", "did_not", "did_not_retained", "difference", "p_adjusted")
    # On day 30 all 22 are customers; ten did the order. All did the login, so that nobody is left to compare it with.
    order, login = asked(landmarks, "key_actions", after(600), *columns)
    share_did, share_not = 0.9, 5 / 12
    error = math.sqrt(share_did * (1 - share_did) / 10 + share_not * (1 - share_not) / 12)
    assert order[:5] == ("order_created", 10, pytest.approx(share_did), 12, pytest.approx(share_not, abs=1e-6))
    assert order[5] == pytest.approx(share_did - share_not, abs=1e-6)
    assert order[6] == pytest.approx(2 * stats.norm.sf((share_did - share_not) / error), abs=1e-6)
    assert login == ("login", 22, pytest.approx(14 / 22, abs=1e-6), 0, None, None, None)
    low, high = asked(landmarks, "key_actions", after(600), "low", "high")[0]
    assert (low, high) == (
        pytest.approx(share_did - share_not - 1.959964 * error, abs=1e-5),
        pytest.approx(share_did - share_not + 1.959964 * error, abs=1e-5),
    )


def test_an_event_after_its_window_does_not_count(landmarks: Store) -> None:
    assert dict(asked(landmarks, "key_actions", after(600), "event", "did", within_days=20)) == {
        "order_created": 10,
        "login": 22,
    }
    assert dict(asked(landmarks, "key_actions", after(600), "event", "did", within_days=19)) == {"order_created": 10}
    assert asked(landmarks, "key_actions", after(20), "event", "did") == []


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


def test_a_silence_is_days_without_any_event_and_may_still_last(silent: Store) -> None:
    # steady is never silent for 7 days (6 between two events at most) up to day 27; back is silent for 7, then 21 days.
    columns = ("unit", "started", "went_silent", "came_back", "share", "median_silent_days")
    assert asked(silent, "bouncebacks", after(26), *columns)[0] == ("accounts", 4, 3, 2, None, 8.0)
    assert asked(silent, "bouncebacks", after(27), *columns)[0] == ("accounts", 4, 4, 2, None, 8.0)
    assert asked(silent, "bouncebacks", after(7), *columns)[0] == ("accounts", 4, 1, 0, None, None)
    assert asked(silent, "bouncebacks", after(8), *columns)[0] == ("accounts", 4, 2, 1, None, 7.0)
    assert asked(silent, "bouncebacks", after(26), *columns)[1] == ("users", 1, 1, 1, None, 9.0)
    assert asked(silent, "bouncebacks", after(26), *columns, silent_days=10)[0] == ("accounts", 4, 3, 0, None, None)
    assert asked(silent, "bouncebacks", after(40), *columns, within_days=8)[0] == ("accounts", 4, 3, 2, None, 8.0)
    assert asked(silent, "bouncebacks", after(-1), *columns)[0] == ("accounts", 0, 0, 0, None, None)


def test_days_below_one_are_refused(silent: Store) -> None:
    for name, options in (
        ("bouncebacks", {"silent_days": 0}),
        ("key_actions", {"within_days": 0}),
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
    for name in ("ninety_ten", "ninety_ten_curves", "key_actions", "bouncebacks"):
        assert asked(whole, name, as_of) == asked(cut, name, as_of), name
        assert len(asked(whole, name, as_of)) >= 2

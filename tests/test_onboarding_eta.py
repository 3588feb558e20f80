"""The predicted completion: literal outlooks, losses and censoring by hand, what the histories are, and the back-test."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_metrics import periods
from cs_metrics.config import SHIPPED
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.completion import ALL, Past, incidence, outlook
from cs_metrics.metrics.survival import kaplan_meier
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

START = "2024-01-01"
NAN = float("nan")


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def asked(store: Store, name: str, as_of: str, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    scope = options.pop("scope", Scope())
    return records(run(store, name, as_of=day(as_of), scope=scope, options=options), *columns)


# The share that completes, where some are lost and others are still waiting.


def test_the_lost_never_complete_and_the_waiting_count_as_long_as_they_were_seen() -> None:
    # Five accounts: complete on days 2 and 6, lost on day 3, seen waiting to day 4, complete on day 8.
    days, outcome = np.array([2.0, 6, 3, 4, 8]), np.array([1, 1, 2, 0, 1])
    at, share = incidence(days, outcome)
    assert list(at) == [2, 6, 8]
    # 1/5 on day 2; 3/5 are still in place from day 3 on, of whom half completes on day 6 and half on day 8.
    assert list(share) == pytest.approx([0.2, 0.2 + 0.6 / 2, 0.2 + 0.6 / 2 + 0.3])
    assert [list(one) for one in incidence(days, np.array([0, 0, 2, 0, 0]))] == [[], []]
    assert [list(one) for one in incidence(days, np.zeros(5, dtype=np.int64))] == [[], []]


@given(st.lists(st.tuples(st.integers(1, 15), st.integers(0, 2)), min_size=1, max_size=40))
def test_without_losses_it_is_the_kaplan_meier_share_and_always_one(seen: list[tuple[int, int]]) -> None:
    days, outcome = np.array([float(one) for one, _ in seen]), np.array([one for _, one in seen])
    at, share = incidence(days, outcome)
    assert (np.diff(np.r_[0.0, share]) > 0).all()
    assert not share.size or share[-1] <= 1 + 1e-9
    _, lost = incidence(days, np.select([outcome == 1, outcome == 2], [2, 1]))
    together = 1 - kaplan_meier(days, outcome > 0)["survival"].iloc[-1]
    assert sum(float(one[-1]) if one.size else 0.0 for one in (share, lost)) == pytest.approx(together)
    if not (outcome == 2).any():
        curve = kaplan_meier(days, outcome == 1)
        curve = curve[curve["events"] > 0]
        assert list(at) == list(curve["time_days"])
        assert list(1 - share) == pytest.approx(list(curve["survival"]))


def past(rows: list[tuple[str, str, int, int, int]], *, minimum: int = 20) -> Past:
    columns = ["segment", "place", "step_days", "total_days", "outcome"]
    return Past(pd.DataFrame(rows, columns=columns), min_histories=minimum, follow_days=90)


def test_histories_are_those_that_still_stood_there_after_as_many_days() -> None:
    # Forty accounts left the step on days 1 to 40, and completed everything ten days later.
    histories = past([("SMB", "m1", days, days + 10, 1) for days in range(1, 41)])
    seen = outlook(histories, "SMB", "m1", 10)
    # The thirty that were there for more than ten days had 11 to 40 days left; 3 of 30 lie outside on each side.
    assert (seen.histories, seen.based_on, seen.share) == (30, "SMB", pytest.approx(1))
    assert (seen.low, seen.middle, seen.high) == (13, 25, 38)
    assert outlook(histories, "SMB", "m1", 20).histories == 20
    too_few = outlook(histories, "SMB", "m1", 21)
    assert (too_few.histories, too_few.based_on) == (19, "")
    assert np.isnan([too_few.share, too_few.low, too_few.middle, too_few.high]).all()
    assert outlook(histories, "SMB", "m2", 0).histories == 0


def test_histories_of_the_segment_go_first_and_all_accounts_help_out() -> None:
    rows = [("SMB", "m1", 5, 10, 1)] * 20 + [("Mid", "m1", 5, 30, 1)] * 19
    assert outlook(past(rows), "SMB", "m1", 0).based_on == "SMB"
    helped = outlook(past(rows), "Mid", "m1", 0)
    assert (helped.histories, helped.based_on, helped.middle) == (39, ALL, 10)
    assert outlook(past([("", "m1", 5, 10, 1)] * 20), "", "m1", 0).based_on == "no segment"


def test_a_history_counts_once_its_end_is_known_or_it_was_followed_long_enough() -> None:
    waiting = [("SMB", "m1", days, days, 0) for days in (89, 90, 91)]
    rows = [("SMB", "m1", 5, 10, 1)] * 10 + [("SMB", "m1", 5, 5, 2)] * 8
    seen = outlook(past([*rows, *waiting]), "SMB", "m1", 0)
    assert seen.histories == 20
    # Of 21 accounts 8 were lost and 10 completed; those that still wait are in none of the two shares.
    assert seen.share == pytest.approx(10 / 21)
    assert outlook(past([*rows, *waiting[:1]] * 2), "SMB", "m1", 0).share == pytest.approx(10 / 19)


def test_the_interval_from_few_completions_reaches_further() -> None:
    few = outlook(past([("SMB", "m1", 1, days, 1) for days in range(1, 6)], minimum=5), "SMB", "m1", 0)
    assert (few.low, few.middle, few.high) == (1, 3, 5)
    many = outlook(past([("SMB", "m1", 1, days, 1) for days in range(1, 101)]), "SMB", "m1", 0)
    assert (many.low, many.middle, many.high) == (10, 50, 91)


def test_where_nobody_ever_completed_no_day_is_named() -> None:
    seen = outlook(past([("SMB", "m1", 50, 60, 2)] * 20), "SMB", "m1", 0)
    assert (seen.histories, seen.share) == (20, 0.0)
    assert np.isnan([seen.low, seen.middle, seen.high]).all()


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30), st.integers(0, 2)), min_size=20, max_size=60),
    st.integers(0, 20),
)
def test_the_days_of_an_outlook_are_ordered_and_lie_ahead(rows: list[tuple[int, int, int]], waited: int) -> None:
    seen = outlook(past([("S", "m", step, step + more, end) for step, more, end in rows], minimum=5), "S", "m", waited)
    if seen.share > 0:
        assert 1 <= seen.low <= seen.middle <= seen.high
        assert seen.share <= 1 + 1e-9


# The list of accounts.

MILESTONES = [
    {"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7},
    {"milestone_id": "m2", "name": "Go-live", "position": 2, "due_days": 30},
]
PAST = [f"old{number:02}" for number in range(30)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Thirty accounts kicked off on day 5 and went live on days 21 to 50; then newcomers in all places."""
    new = {"fresh": 200, "waiting": 180, "done": 190, "stuck": 100, "gone": 150, "unpaid": 200}
    starts = {**dict.fromkeys(PAST, 0), **new}
    completions = [
        *((name, "m1", 5) for name in PAST),
        *((name, "m2", 21 + at) for at, name in enumerate(PAST)),
        *(("waiting", "m1", 185), ("done", "m1", 191), ("done", "m2", 195), ("stuck", "m1", 110)),
    ]
    lines = [line(name, after(on), None, 10) for name, on in starts.items() if name not in ("gone", "unpaid")]
    return company(
        tmp_path_factory.mktemp("eta"),
        accounts=[
            account(name, after(on), segment="Mid" if name == "waiting" else "SMB") for name, on in starts.items()
        ],
        subscriptions=[*lines, line("gone", after(150), after(170), 10)],
        milestones=MILESTONES,
        milestone_completions=[
            {"account_id": name, "milestone_id": key, "completed_on": after(on)} for name, key, on in completions
        ],
    )


def test_every_account_is_told_its_next_step_and_the_likely_day(store: Store) -> None:
    columns = ("account_id", "state", "next_milestone", "next_due_on", "predicted_on", "low_on", "high_on", "histories")
    found = {row[0]: row[1:] for row in asked(store, "onboarding_eta", after(202), *columns)}
    assert set(found) == {"fresh", "waiting", "done", "stuck"}, (
        "former customers and those that never paid are left out"
    )
    # fresh waits for the kick-off since 2 days. The 30 old accounts then had 19 to 48 days left, gone was lost after 18,
    # and stuck has been followed for 98 days.
    assert found["fresh"] == (
        "predicted", "Kick-off", after(207), after(202 + 33), after(202 + 21), after(202 + 46), 32,
    )  # fmt: skip
    # waiting stands in m2 for 17 days: the 29 old accounts that took longer had 28 days and fewer left; it is the only
    # one of its segment, so that all accounts help.
    assert found["waiting"][:3] == ("predicted", "Go-live", after(210))
    assert found["waiting"][-1] == 28
    assert found["done"] == ("complete", None, None, None, None, None, None)
    assert found["stuck"] == ("not enough histories", "Go-live", after(130), None, None, None, 0)
    more = (
        "account_id",
        "completed",
        "milestones",
        "waiting_days",
        "days_overdue",
        "plan_on",
        "days_behind",
        "based_on",
    )
    rows = {row[0]: row[1:] for row in asked(store, "onboarding_eta", after(202), *more)}
    assert rows["fresh"] == (0, 2, 2, 0, after(230), 5, "SMB")
    assert rows["waiting"][:4] == (1, 2, 17, 0)
    assert rows["waiting"][-1] == ALL
    assert rows["stuck"] == (1, 2, 92, 72, after(130), None, "")
    assert dict(asked(store, "onboarding_eta", after(202), "account_id", "complete_share"))["fresh"] == pytest.approx(
        30 / 32, abs=1e-6
    )


def test_the_filter_narrows_the_list_and_never_the_histories(store: Store) -> None:
    everyone = asked(store, "onboarding_eta", after(202))
    for name in ("fresh", "waiting", "stuck"):
        alone = asked(store, "onboarding_eta", after(202), scope=Scope.of(account_id=name))
        assert alone == [row for row in everyone if row[0] == name]
    assert asked(store, "onboarding_eta", after(202), "account_id", scope=Scope.of(segment="Mid")) == [("waiting",)]


def test_those_in_their_first_days_and_the_later_ones_can_be_told_apart(store: Store) -> None:
    assert asked(store, "onboarding_eta", after(202), "account_id", show="later") == [("stuck",)]
    new = asked(store, "onboarding_eta", after(202), "account_id", show="in_onboarding")
    assert sorted(new) == [("done",), ("fresh",), ("waiting",)]
    assert asked(store, "onboarding_eta", after(-1)) == []


def test_only_what_was_known_on_the_day_counts(store: Store) -> None:
    # On day 30 ten of the thirty had gone live; nobody had been followed for ninety days.
    rows = asked(store, "onboarding_eta", after(30), "account_id", "state", "histories")
    assert [row for row in rows if row[1] == "complete"] == [(name, "complete", None) for name in PAST[:10]]
    assert {row[1:] for row in rows if row[1] != "complete"} == {("not enough histories", 0)}


def test_more_histories_can_be_asked_for(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8").replace("min_histories = 20", "min_histories = 3")
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    names = [f"old{number}" for number in range(4)]
    small = company(
        tmp_path,
        accounts=[*(account(name, START) for name in names), account("new", after(100))],
        subscriptions=[*(line(name, START, None, 10) for name in names), line("new", after(100), None, 10)],
        milestones=MILESTONES[1:],
        milestone_completions=[
            {"account_id": name, "milestone_id": "m2", "completed_on": after(10)} for name in names[:1]
        ],
    )
    found = asked(small, "onboarding_eta", after(101), "account_id", "state", "complete_share", "predicted_on")
    assert ("new", "unlikely to complete", 0.25, None) in found


def test_the_back_test_judges_past_predictions_by_what_came(store: Store) -> None:
    rows = asked(store, "onboarding_eta_backtest", after(400))
    assert [row[0] for row in rows] == ["2024-03-31", "2024-06-30"]
    # On 31 March (day 90) nobody waits; on 30 June (day 181) stuck and waiting do, and both are judged by day 400.
    columns = ("made_on", "predicted", "completed", "inside", "inside_share", "judged", "ever_completed")
    assert asked(store, "onboarding_eta_backtest", after(400), *columns)[1] == ("2024-06-30", 1, 0, 0, None, 1, 0)
    assert asked(store, "onboarding_eta_backtest", after(100)) == []


def test_the_back_test_counts_completions_inside_the_interval(tmp_path: Path) -> None:
    # Forty accounts start on 1 January and go live on days 41 to 80; eleven more start on 20 March.
    old, new = [f"old{number:02}" for number in range(40)], [f"new{number:02}" for number in range(11)]
    live = {
        **{name: 41 + at for at, name in enumerate(old)},
        **{name: 95 + 8 * at for at, name in enumerate(new)},
    }
    store = company(
        tmp_path,
        accounts=[*(account(name, START) for name in old), *(account(name, after(79)) for name in new)],
        subscriptions=[line(name, START if name in old else after(79), None, 10) for name in live],
        milestones=MILESTONES[1:],
        milestone_completions=[
            {"account_id": name, "milestone_id": "m2", "completed_on": after(on)} for name, on in live.items()
        ],
    )
    # On 31 March, day 90, the new ones have waited for 11 days; the old ones then had 30 to 69 days left, so that the
    # interval reaches from day 33 to 66 from now. New ones go live 5, 13, 21, 29, then 37, 45, 53, 61, then 69, 77, 85.
    assert asked(store, "onboarding_eta", "2024-03-31", "state", "low_on", "high_on") == [
        ("predicted", after(90 + 33), after(90 + 66))
    ] * len(new)
    columns = ("made_on", "predicted", "completed", "inside", "inside_share", "judged", "ever_completed")
    row = asked(store, "onboarding_eta_backtest", after(400), *columns)[0]
    assert row == ("2024-03-31", 11, 11, 4, pytest.approx(4 / 11, abs=1e-6), 11, 11)
    more = asked(store, "onboarding_eta_backtest", after(400), "expected_share", "completed_share", "median_error_days")
    assert more[0] == (pytest.approx(1), 1.0, 45 - 49)

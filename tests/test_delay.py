"""The cost of a week of delay: against a naive regression, with its landmark, its small numbers and its money."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from cs_metrics import periods
from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.delay import weekly_slope
from cs_metrics.store import Store
from tests.support import account, company, day, line, records
from tests.test_retention import naive_share

START = "2022-01-01"
MILESTONES = [
    {"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7},
    {"milestone_id": "m2", "name": "Sites", "position": 2, "due_days": 60, "segment": "Enterprise"},
]


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def asked(store: Store, name: str, as_of: str, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    scope = options.pop("scope", Scope())
    return records(run(store, name, as_of=day(as_of), scope=scope, options=options), *columns)


def done(account_id: str, on: int, milestone_id: str = "m1") -> dict[str, Any]:
    return {"account_id": account_id, "milestone_id": milestone_id, "completed_on": after(on)}


def naive_slope(weeks: list[float], segments: list[str], days: list[float], is_lost: list[bool]) -> tuple[float, float]:
    """Fall per week and its standard error, the larger of the plain and HC3: a column for each segment, and the hat matrix."""
    size = len(weeks)
    whole = naive_share(days, is_lost, 365)
    rest = [[*range(at), *range(at + 1, size)] for at in range(size)]
    y = np.array(
        [
            size * whole - (size - 1) * naive_share([days[i] for i in one], [is_lost[i] for i in one], 365)
            for one in rest
        ]
    )
    names = sorted(set(segments))
    x = np.array(
        [[week, *(float(segment == name) for name in names)] for week, segment in zip(weeks, segments, strict=True)]
    )
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    hat = np.einsum("ij,jk,ik->i", x, inverse, x)
    meat = x.T @ (x * (((y - x @ beta) / (1 - hat)) ** 2)[:, None])
    plain = float(((y - x @ beta) ** 2).sum()) / (size - x.shape[1]) * inverse
    return -float(beta[0]), float(np.sqrt(max((inverse @ meat @ inverse)[0, 0], plain[0, 0])))


@pytest.fixture(scope="module")
def book() -> list[dict[str, Any]]:
    """Sixty accounts that complete onboarding after days that differ, some lost, some followed for a few months only."""
    dice = random.Random(4)
    rows = []
    for number in range(60):
        start, took = dice.randrange(0, 500), dice.randrange(3, 91)
        leaves = dice.random() < 0.2 + took / 200
        rows.append(
            {
                "id": f"{number:02}",
                "segment": ("SMB", "Mid", None)[number % 3],
                "start": start,
                "took": took,
                "end": start + dice.choice([200, 365, 400, 450]) if leaves else None,
                "mrr": 100 + number,
            }
        )
    return rows


def used(book: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first account orders in its trial, the others halfway to their completion."""
    days = [one["start"] + (one["took"] // 2 if number else -20) for number, one in enumerate(book)]
    return [
        {"account_id": one["id"], "event": "order_created", "occurred_at": f"{after(on)}T08:00:00"}
        for one, on in zip(book, days, strict=True)
    ]


@pytest.fixture(scope="module")
def store(book: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Store:
    late = [account(f"late{number}", START, segment="SMB") for number in range(6)]
    waiting = [account(f"new{number}", after(650 + number), segment="SMB") for number in range(4)]
    return company(
        tmp_path_factory.mktemp("delay"),
        accounts=[*(account(one["id"], after(one["start"]), segment=one["segment"]) for one in book), *late, *waiting],
        subscriptions=[
            *(
                line(one["id"], after(one["start"]), None if one["end"] is None else after(one["end"]), one["mrr"])
                for one in book
            ),
            *(line(one["account_id"], START, after(300), 100) for one in late),
            *(line(one["account_id"], one["started_on"], None, 100 * (at + 1)) for at, one in enumerate(waiting)),
        ],
        milestones=MILESTONES,
        milestone_completions=[
            *(done(one["id"], one["start"] + one["took"]) for one in book),
            *(done(one["account_id"], 91) for one in late),
            done("new0", 655),
        ],
        events=used(book),
    )


def seen_of(book: list[dict[str, Any]], as_of: int) -> list[dict[str, Any]]:
    """The customers on their day 90 as known on a day, each with how long it was seen after it."""
    found = []
    for one in book:
        landmark = one["start"] + 90
        if landmark > as_of or (one["end"] is not None and one["end"] <= landmark):
            continue
        lost = one["end"] is not None and one["end"] <= as_of
        found.append({**one, "days": float((one["end"] if lost else as_of) - landmark), "lost": lost})
    return found


@pytest.mark.parametrize("as_of", [600, 690, 735])
def test_the_slope_is_that_of_the_regression_by_the_book(store: Store, book: list[dict[str, Any]], as_of: int) -> None:
    seen = seen_of(book, as_of)
    weeks = [one["took"] / 7 for one in seen]
    points, error = naive_slope(
        weeks, [one["segment"] or "" for one in seen], [one["days"] for one in seen], [one["lost"] for one in seen]
    )
    half = float(stats.t.ppf(0.975, len(seen) - 4)) * error
    found = asked(store, "delay_cost", after(as_of), "accounts", "points_per_week", "low", "high", "median_weeks")[0]
    assert found[0] == len(seen)
    assert found[1:] == pytest.approx((points, points - half, points + half, np.median(weeks)), abs=1e-6)
    lost = sum(one["lost"] and one["days"] <= 365 for one in seen)
    retained = naive_share([one["days"] for one in seen], [one["lost"] for one in seen], 365)
    assert asked(store, "delay_cost", after(as_of), "lost", "retained") == [(lost, pytest.approx(retained, abs=1e-6))]


def test_the_money_is_that_of_the_accounts_that_still_wait(store: Store) -> None:
    columns = ("waiting", "waiting_arr", "points_per_week", "arr_per_week", "arr_low", "arr_high", "low", "high")
    waiting, arr, points, cost, low, high, points_low, points_high = asked(store, "delay_cost", after(690), *columns)[0]
    assert (waiting, arr) == (3, 12 * (200 + 300 + 400)), "one of the four has completed"
    assert (cost, low, high) == pytest.approx((arr * points, arr * points_low, arr * points_high), abs=0.02)
    assert asked(store, "delay_cost", after(654), "waiting", "waiting_arr") == [(4, 12_000.0)]
    assert asked(store, "delay_cost", after(743), "waiting") == [(0,)], (
        "90 days after the last start nobody is in onboarding"
    )


def test_the_groups_hold_every_customer_on_the_landmark(store: Store, book: list[dict[str, Any]]) -> None:
    seen = seen_of(book, 735)
    found = asked(store, "delay_groups", after(735))
    *by_landmark, last = found
    assert last == (13, None, 6, 6, 0.0, 0.0, pytest.approx(1 - 0.025 ** (1 / 6), abs=1e-6), False)
    assert sum(one[2] for one in by_landmark) == len(seen)
    for first, end, accounts, lost, retained, low, high, _ in by_landmark:
        group = [one for one in seen if first <= one["took"] // 7 + 1 <= end]
        assert accounts == len(group) >= 5
        assert lost == sum(one["lost"] and one["days"] <= 365 for one in group)
        assert retained == pytest.approx(
            naive_share([one["days"] for one in group], [one["lost"] for one in group], 365), abs=1e-6
        )
        assert low <= retained <= high
    assert [one[0] for one in by_landmark[1:]] > [one[1] for one in by_landmark[:-1]], "the weeks do not overlap"


def test_an_action_before_the_start_is_one_in_the_first_week(store: Store) -> None:
    found = asked(store, "delay_groups", after(735), "from_week", "accounts", "is_by_landmark", until="first_value")
    assert found[0][0] == 1
    assert found[-1] == (13, 6, False), "the six late accounts never did it"
    cost = asked(store, "delay_cost", after(690), "until", "waiting", "waiting_arr", until="first_value")
    assert cost == [("first_value", 4, 12_000.0)]


@pytest.mark.parametrize(("lost", "says"), [(4, "not known"), (5, "cannot be told apart from 0")])
def test_a_slope_through_a_handful_of_losses_is_not_told(lost: int, says: str) -> None:
    weeks = 7 * np.arange(40.0) % 10
    days = np.where(np.arange(40) < lost, 100.0, 400.0)
    found = weekly_slope(weeks, ["a"] * 40, days, days < 365, 365, min_accounts=5)
    assert found.says == says


def test_what_cannot_be_compared_is_not_known() -> None:
    days = np.array([100.0] * 10 + [400.0] * 10)
    same_week = weekly_slope(np.full(20, 3.0), ["a"] * 20, days, days < 365, 365, min_accounts=5)
    assert same_week.says == "not known", "all took as long"
    alone = weekly_slope(np.arange(20.0), [str(one) for one in range(20)], days, days < 365, 365, min_accounts=5)
    assert alone.says == "not known", "nobody has another account of its segment"
    nobody = weekly_slope(np.zeros(0), [], np.zeros(0), np.zeros(0, dtype=bool), 365, min_accounts=5)
    assert nobody.says == "not known"
    short = weekly_slope(np.arange(20.0), ["a"] * 20, days / 2, days < 365, 365, min_accounts=5)
    assert short.says == "not known", "nobody was followed for a year"


def test_a_plain_cost_and_a_plain_gain_are_called_so() -> None:
    weeks = np.repeat(np.arange(10.0), 20)
    stays = np.concatenate([np.arange(20) < 20 - 1.5 * week for week in range(10)])
    for sign, says in ((1, "costs"), (-1, "gains")):
        days = np.where(stays, 400.0, 100.0)
        found = weekly_slope(sign * weeks, ["a"] * 200, days, ~stays, 365, min_accounts=5)
        assert found.says == says
        assert sign * found.points == pytest.approx(0.075, abs=0.005)


def test_a_few_late_accounts_do_not_make_a_cost_out_of_chance() -> None:
    """Most are done in the first days and a few weeks later; who stays has nothing to do with it."""
    said = []
    for seed in range(200):
        dice = np.random.default_rng(seed)
        weeks = np.r_[dice.integers(0, 4, 105) / 7, 1 + dice.exponential(2, 15)]
        days = np.where(dice.random(120) < 0.75, 400.0, 100.0)
        said.append(weekly_slope(weeks, ["a"] * 120, days, days < 365, 365, min_accounts=5).says)
    assert said.count("cannot be told apart from 0") >= 190


def test_a_segment_that_takes_longer_and_stays_more_does_not_hide_the_cost() -> None:
    """Within each segment a week costs ten points; together the slow segment would make waiting look useful."""
    weeks, stays, segments = [], [], []
    for segment, first, share in (("small", 1, 0.6), ("large", 8, 1.0)):
        for week in range(4):
            for number in range(50):
                weeks.append(float(first + week))
                stays.append(number < 50 * (share - 0.1 * week))
                segments.append(segment)
    days = np.where(stays, 400.0, 100.0)
    found = weekly_slope(np.array(weeks), segments, days, ~np.array(stays), 365, min_accounts=5)
    assert found.points == pytest.approx(0.1, abs=1e-9)
    assert weekly_slope(np.array(weeks), ["all"] * 400, days, ~np.array(stays), 365, min_accounts=5).says == "gains"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    bare = company(tmp_path, accounts=[account("a", START)], subscriptions=[line("a", START, None, 10)])
    for until, table in (("onboarding", "milestones"), ("first_value", "events")):
        for name in ("delay_cost", "delay_groups"):
            with pytest.raises(MissingTable, match=table):
                asked(bare, name, after(100), until=until)
    with pytest.raises(MetricError, match="at least 1"):
        asked(bare, "delay_cost", after(100), horizon_days=0)


def test_a_young_company_has_counts_and_nothing_else(store: Store) -> None:
    found = asked(
        store, "delay_cost", after(60), "accounts", "lost", "retained", "points_per_week", "arr_per_week", "says"
    )
    assert found == [(0, 0, None, None, None, "not known")]
    assert asked(store, "delay_groups", after(60), "accounts", "retained") == [(0, None)]


def test_later_facts_change_nothing(store: Store, book: list[dict[str, Any]], tmp_path: Path) -> None:
    as_of = 600
    known = [one for one in book if one["start"] <= as_of]
    cut = company(
        tmp_path,
        accounts=[
            *(account(one["id"], after(one["start"]), segment=one["segment"]) for one in known[::-1]),
            *(account(f"late{number}", START, segment="SMB") for number in range(6)),
        ],
        subscriptions=[
            *(
                line(
                    one["id"],
                    after(one["start"]),
                    after(one["end"]) if one["end"] is not None and one["end"] <= as_of else None,
                    one["mrr"],
                )
                for one in known
            ),
            *(line(f"late{number}", START, after(300), 100) for number in range(6)),
        ],
        milestones=MILESTONES,
        milestone_completions=[
            *(done(one["id"], one["start"] + one["took"]) for one in known if one["start"] + one["took"] <= as_of),
            *(done(f"late{number}", 91) for number in range(6)),
        ],
        events=[one for one in used(book) if one["occurred_at"][:10] <= after(as_of)],
    )
    for name in ("delay_cost", "delay_groups"):
        for until in ("onboarding", "first_value"):
            assert asked(cut, name, after(as_of), until=until) == asked(store, name, after(as_of), until=until)

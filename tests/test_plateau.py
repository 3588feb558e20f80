"""The plateau: exact curves, brute force, what keeps falling although it looks flat, and what only a mix of cohorts does."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cs_metrics import periods
from cs_metrics.metrics import run
from cs_metrics.metrics.bends import Panel, Rule, joined_lines, settle
from cs_metrics.store import Store
from tests import activation_naive as naive
from tests.activation_naive import use
from tests.support import account, company, day, records

MONDAY = "2024-01-01"
STEPS = np.arange(30)
RULE = Rule(flat_within=0.005, most_loss=0.2, min_accounts=5, resamples=200)
NOTHING = dict.fromkeys(("period", "level", "level_low", "level_high", "period_low", "period_high"))


# Lines.


def bend(rate: Any, weight: Any, is_allowed: Any = None) -> tuple[int, float]:
    lines = joined_lines(rate[None, :], weight[None, :])
    allowed = np.ones(lines.error.shape[1], dtype=bool) if is_allowed is None else is_allowed
    (period,), (slope,) = lines.best(allowed)
    return int(period), float(slope)


@pytest.mark.parametrize(
    ("points", "period", "slope"),
    [
        (np.where(STEPS < 8, 0.9 - 0.05 * STEPS, 0.5), 8, 0.0),
        (np.where(STEPS < 3, 0.7 - 0.1 * STEPS, 0.4 - 0.002 * (STEPS - 3)), 3, -0.002),
        (np.where(STEPS < 26, 0.5, 0.5 - 0.1 * (STEPS - 26)), 26, -0.1),
    ],
    ids=["falls and stays", "falls and creeps", "drops at its end"],
)
def test_the_bend_of_an_exact_curve_is_found(points: Any, period: int, slope: float) -> None:
    assert bend(points, np.full(30, 100.0)) == (period, pytest.approx(slope, abs=1e-9))


def test_without_an_allowed_bend_the_tail_is_the_whole_curve() -> None:
    nowhere = np.zeros(26, dtype=bool)
    assert bend(0.9 - 0.02 * STEPS, np.full(30, 9.0), nowhere) == (0, pytest.approx(-0.02))


def test_the_bend_is_the_best_of_all_pairs_of_lines_by_brute_force() -> None:
    dice = np.random.default_rng(3)
    rate = np.clip(np.where(STEPS < 9, 0.9 - 0.05 * STEPS, 0.45) + dice.normal(0, 0.01, 30), 0, 1)
    weight = np.linspace(200, 20, 30)
    errors = {}
    for candidate in range(1, 27):
        lines = np.column_stack([np.ones(30), np.minimum(STEPS - candidate, 0), np.maximum(STEPS - candidate, 0)])
        fitted, *_ = np.linalg.lstsq(lines * np.sqrt(weight)[:, None], rate * np.sqrt(weight), rcond=None)
        errors[candidate] = (((lines @ fitted - rate) ** 2 * weight).sum(), fitted[1], fitted[2])
    found = joined_lines(rate[None, :], weight[None, :])
    assert found.error[0] == pytest.approx([error for error, _, _ in errors.values()])
    assert found.left[0] == pytest.approx([left for _, left, _ in errors.values()])
    assert found.right[0] == pytest.approx([right for _, _, right in errors.values()])
    best = min(errors, key=lambda candidate: errors[candidate][0])
    assert bend(rate, weight) == (best, pytest.approx(errors[best][2], abs=1e-9))


def test_points_without_weight_have_no_influence() -> None:
    rate = np.where(STEPS < 8, 0.9 - 0.05 * STEPS, 0.5)
    weight = np.full(30, 100.0)
    rate[25:], weight[25:] = 0.0, 0.0
    assert bend(rate, weight)[0] == 8


# Invented panels: who was active when, with every account followed for its own time.


def panel(active: Any, elapsed: Any) -> Panel:
    member, period = np.nonzero(active & (np.arange(active.shape[1]) < elapsed[:, None]))
    return Panel(np.arange(len(elapsed)), elapsed, member, period)


def drawn(chance: Any, *, accounts: int = 300, seed: int = 1) -> Panel:
    """Accounts that start over the time; each is active up to its own moment, as the curve of chances says, 98 of 100 times."""
    dice = np.random.default_rng(seed)
    periods_seen = len(np.atleast_1d(chance)) if np.ndim(chance) == 1 else chance.shape[1]
    elapsed = dice.integers(0, periods_seen + 1, accounts)
    stays = dice.random((accounts, 1)) < chance
    return panel(stays & (dice.random((accounts, periods_seen)) < 0.98), elapsed)


WEEKS = np.arange(150)


@pytest.mark.parametrize(
    "chance",
    [
        0.9 * 0.99**WEEKS,
        0.9 * 0.97**WEEKS,
        0.9 * 0.9**WEEKS,
        np.linspace(0.9, 0.1, 150),
        np.linspace(0.9, 0.4, 150),
        np.where(WEEKS < 6, 0.9 - 0.05 * WEEKS, 0.6 * 0.996 ** (WEEKS - 6)),
    ],
    ids=["geometric 1%", "geometric 3%", "geometric 10%", "linear", "slow linear", "a bend, then a slow fall"],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_curve_that_keeps_falling_has_no_plateau(chance: Any, seed: int) -> None:
    assert settle(drawn(chance, seed=seed), RULE).reason in ("steep", "keeps_falling", "unsure")


def test_a_slow_fall_looks_flat_by_its_slope_alone() -> None:
    slow = drawn(np.where(WEEKS < 6, 0.9 - 0.05 * WEEKS, 0.6 * 0.996 ** (WEEKS - 6)))
    found = settle(slow, RULE)
    assert abs(found.tail_slope) < 0.005
    assert found.reason == "keeps_falling"
    assert found.tail_loss_low < found.tail_loss < found.tail_loss_high
    assert found.tail_loss == pytest.approx(0.44, abs=0.1)
    assert settle(slow, Rule(0.005, 1.0, 5, 200)).reason == ""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_plateau_is_found_where_it_was_put(seed: int) -> None:
    found = settle(drawn(np.where(WEEKS < 6, 0.9 - 0.05 * WEEKS, 0.6), seed=seed), RULE)
    assert found.reason == ""
    assert abs((found.period or 0) - 6) <= 1
    assert found.level_low < 0.6 * 0.98 < found.level_high
    assert found.flat_share > 0.9


def test_better_newer_cohorts_make_no_fall_and_steep_ones_are_told_apart() -> None:
    """Nobody ever leaves, but of the newer accounts more stay: to the right, where only old ones are left, the curve is lower."""
    dice = np.random.default_rng(4)
    elapsed = np.sort(dice.integers(1, 61, 600))
    stays = dice.random(600) < np.where(elapsed < 30, 0.9, 0.5)
    mild = panel(np.repeat(stays[:, None], 60, axis=1), elapsed)
    assert abs(settle(mild, RULE).tail_loss) < 1e-9
    stays = dice.random(600) < 1 - elapsed / 62
    found = settle(panel(np.repeat(stays[:, None], 60, axis=1), elapsed), RULE)
    assert found.tail_slope < -0.005
    assert found.reason == "cohorts_differ"


def test_a_tail_without_anybody_is_no_plateau() -> None:
    found = settle(panel(np.repeat(STEPS[None, :] < 5, 40, axis=0), np.full(40, 30)), RULE)
    assert found.reason == "nobody"


def test_the_change_of_members_is_that_of_a_line_with_a_level_of_its_own_for_each() -> None:
    dice = np.random.default_rng(5)
    elapsed = dice.integers(8, 25, 40)
    active = dice.random((40, 25)) < np.linspace(0.8, 0.3, 25)
    rule = Rule(flat_within=1.0, most_loss=9.0, min_accounts=1, resamples=100)
    found = settle(panel(active, elapsed), rule)
    first = found.period or 0
    rows = [(one, k, active[one, k]) for one in range(40) for k in range(first, elapsed[one])]
    who, when, did = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    design = np.column_stack([when, who[:, None] == np.unique(who)])
    slope = np.linalg.lstsq(design, did, rcond=None)[0][0]
    begins = did.mean() - slope * (when.mean() - first)
    assert found.level == pytest.approx(did.mean())
    assert found.tail_loss == pytest.approx(-slope * (elapsed.max() - 1 - first) / begins)


# In a published company.


def plateau_company(folder: Path, stays: int, weeks: int, *, accounts: int = 40) -> Store:
    """Return a company in which `stays` of the accounts are active each week and the others stop one after the other."""
    names = [f"{number:03}" for number in range(accounts)]
    leaves = {
        name: weeks if number < stays else 1 + (number - stays) * 6 // (accounts - stays)
        for number, name in enumerate(names)
    }
    return company(
        folder,
        accounts=[account(name, MONDAY) for name in names],
        events=[use(name, on) for name in names for on in days_after(*range(0, 7 * leaves[name], 7))],
    )


def days_after(*days: int) -> list[str]:
    return [str(periods.add_days(day(MONDAY), one)) for one in days]


def plateau(store: Store, as_of: str, **options: Any) -> dict[str, Any]:
    found = run(store, "plateau", as_of=day(as_of), options=options)
    return dict(zip(found.columns, records(found)[0], strict=True))


def test_the_plateau_is_the_level_of_the_flat_tail_with_its_interval(tmp_path: Path) -> None:
    store = plateau_company(tmp_path, 20, 26)
    found = plateau(store, "2024-06-30")
    assert found["is_found"] is True
    assert found["reason"] == ""
    assert found["period"] == 6
    assert found["level"] == 0.5
    assert found["level_low"] < 0.5 < found["level_high"]
    assert found["level_high"] - found["level_low"] == pytest.approx(2 * 1.96 * (0.25 / 40) ** 0.5, abs=0.03)
    assert 3 <= found["period_low"] <= 6 <= found["period_high"] <= 9
    assert found["tail_loss"] == pytest.approx(0, abs=1e-6)
    assert found["flat_share"] == 1.0
    assert plateau(store, "2024-06-30") == found
    assert plateau(store, "2024-06-30", bounded="false", cohort="segment") == found


def test_a_curve_that_never_flattens_is_said_to(tmp_path: Path) -> None:
    weeks = 24
    names = [f"{number:03}" for number in range(48)]
    store = company(
        tmp_path,
        accounts=[account(name, MONDAY) for name in names],
        events=[
            use(name, on)
            for number, name in enumerate(names)
            for on in days_after(*range(0, 7 * (number * weeks // 48 + 1), 7))
        ],
    )
    found = plateau(store, "2024-06-16")
    assert found["tail_slope"] == pytest.approx(-1 / 24, abs=1e-4)
    assert found["reason"] == "steep"
    assert {name: found[name] for name in NOTHING} == NOTHING


def test_too_short_a_curve_has_no_plateau(tmp_path: Path) -> None:
    store = plateau_company(tmp_path, 5, 5, accounts=10)
    for as_of in ("2024-02-10", "2023-06-01"):
        found = plateau(store, as_of)
        assert (found.pop("is_found"), found.pop("reason")) == (False, "too_short")
        assert set(found.values()) == {None}
    assert plateau(store, "2024-02-11")["reason"] == "steep", "the sixth week ends on that day"


@pytest.mark.parametrize("every", ["day", "week"])
@pytest.mark.parametrize("seed", [11, 12])
def test_the_plateau_counts_what_the_curve_counts(tmp_path: Path, every: str, seed: int) -> None:
    accounts, events = naive.random_company(seed)
    store = company(tmp_path, accounts=accounts, events=events)
    options = {"every": every, "min_accounts": 3, "unit": "user", "event": "*"}
    found = plateau(store, "2024-03-20", **options)
    rows = run(store, "activation", as_of=dt.date(2024, 3, 20), options={**options, "cohort": "all"})
    rows = rows[rows["rate"].notna()]
    rate, eligible = rows["rate"].to_numpy(dtype=float), rows["eligible"].to_numpy(dtype=float)
    slopes = joined_lines(rate[None, :], eligible[None, :])
    assert any(found["tail_slope"] == pytest.approx(one, abs=1e-6) for one in (*slopes.right[0], *slopes.slope))
    tail = rows[rows["period"] >= (found["period"] or 0)]
    expected = tail["active"].sum() / tail["eligible"].sum() if found["is_found"] else None
    assert found["level"] == pytest.approx(expected, abs=1e-6)

"""The revenue forecast: exact expected values, paths around them, and what the past of a company makes of both."""

import datetime as dt
import math
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cs_metrics.errors import MetricError
from cs_metrics.metrics import EVERYTHING, Scope, run
from cs_metrics.metrics.forecast_growth import paces, returns
from cs_metrics.metrics.forecast_kinds import kinds, moved, still_open
from cs_metrics.metrics.forecast_paths import look, rows_of
from cs_metrics.metrics.forecast_paths import run as paths_of
from cs_metrics.models import forecast as model
from cs_metrics.models.forecast import Book, Growth, Rates
from cs_metrics.store import Database, Draft, Store
from cs_metrics.training.forecast import run as run_forecasts
from cs_metrics.workspace.database import Workspace
from cs_metrics.workspace.entries import NewEntry
from tests.renewal_company import Row, contract, lost, renewed, sellers
from tests.support import account, company, day, line, records

MOVES = ["renewals", "expansion", "contraction", "churn"]
STILL = {"expansion": Growth(0.0, 0.0), "contraction": Growth(0.0, 0.0)}
WALK = ("opening", "renewals", "expansion", "contraction", "churn", "closing", "due", "renewed")
CALM = Rates(lost=np.zeros(1), months=np.ones(1), growth=STILL)


def book(*pieces: tuple[float, int, float], months: int = 12, **changed: Any) -> Book:
    """Pieces of (value, month of the end, likelihood), a year from one end to the next."""
    value, due, likelihood = (np.array(one) for one in zip(*pieces, strict=True))
    count = len(pieces)
    plain = Book(
        groups=("",),
        group=np.zeros(count, dtype="int64"),
        key=tuple(f"p{at}" for at in range(count)),
        value=value.astype(float),
        due=due.astype("int64"),
        term=np.full(count, 12),
        likelihood=likelihood.astype(float),
        weight=np.full(count, 1e9),
        alike=(likelihood * 10).astype("int64"),
        known=np.full(count, np.nan),
        known_ratio=np.full(count, np.nan),
        loss=np.zeros(count, dtype="int64"),
        expansion=np.zeros((months, count)),
        contraction=np.zeros((months, count)),
    )
    return replace(plain, **changed)


def walked(asked: Book, rates: Rates = CALM, months: int = 12) -> SimpleNamespace:
    """The expected walk of all groups together, by month."""
    walk = model.expected(asked, rates, np.ones(months))
    return SimpleNamespace(**{name: getattr(walk, name).sum(axis=0) for name in WALK})


def drawn(
    asked: Book, rates: Rates = CALM, months: int = 12, count: int = 20_000, seed: int = 7, **more: Any
) -> model.Paths:
    lengths = np.ones(months)
    walk = model.expected(asked, rates, lengths)
    quarters = [month // 3 for month in range(months)]
    return model.paths(asked, rates, lengths, walk, quarters=quarters, count=count, seed=seed, **more)


def simulated(asked: Book, rates: Rates = CALM, months: int = 12, count: int = 20_000, seed: int = 7) -> np.ndarray:
    """The closing book of each path and month."""
    return drawn(asked, rates, months, count, seed).closing.sum(axis=0).T


# The expected book


def test_a_contract_is_renewed_in_its_month_with_its_likelihood() -> None:
    walk = walked(book((100, 0, 0.8), (50, 2, 0.5)), months=3)
    assert walk.opening.tolist() == pytest.approx([150, 130, 130])
    assert walk.churn.tolist() == pytest.approx([-20, 0, -25])
    assert walk.closing.tolist() == pytest.approx([130, 130, 105])
    assert walk.due.tolist() == pytest.approx([100, 0, 50])
    assert walk.renewed.tolist() == pytest.approx([80, 0, 25])


def test_a_short_term_is_due_again() -> None:
    walk = walked(book((100, 0, 0.8), term=np.array([2])), months=5)
    assert walk.closing.tolist() == pytest.approx([80, 80, 64, 64, 51.2])


def test_renewals_come_at_the_past_ratio_and_known_ones_as_decided() -> None:
    rates = replace(CALM, ratios=np.array([1.2, 0.9]), ratio_weights=np.array([1.0, 2.0]))
    known = {"known": np.array([np.nan, 1, 0, 1]), "known_ratio": np.array([np.nan, 1.5, np.nan, np.nan])}
    walk = walked(book((100, 0, 0.8), (10, 0, 0.8), (20, 0, 0.8), (40, 0, 0.8), **known), rates, months=1)
    assert rates.mean_ratio == pytest.approx(1.0)
    assert walk.renewals.tolist() == pytest.approx([5.0])
    assert walk.churn.tolist() == pytest.approx([-40.0])
    assert walk.closing.tolist() == pytest.approx([135.0])


def test_outside_of_renewals_pieces_are_lost_and_grow_monthly() -> None:
    rates = replace(CALM, lost=np.array([1.0]), months=np.array([10.0]))
    asked = book(
        (100, -1, 0.5), (100, 1, 1.0), months=2, expansion=np.full((2, 2), 0.05), contraction=np.full((2, 2), 0.01)
    )
    walk = walked(asked, rates, months=2)
    assert walk.churn[0] == pytest.approx(-20)
    assert walk.expansion[0] == pytest.approx(180 * 0.05)
    assert walk.contraction[0] == pytest.approx(-180 * 0.01)
    one = 90 * 1.04
    assert walk.closing.tolist() == pytest.approx([2 * one, one * 0.9 * 1.04 + one * 1.04])


def test_a_longer_first_month_counts_for_longer() -> None:
    rates = replace(CALM, lost=np.array([1.0]), months=np.array([10.0]))
    walk = model.expected(book((100, -1, 0.5)), rates, np.array([2.0, 1.0]))
    assert walk.closing[0].tolist() == pytest.approx([81.0, 72.9])


# The paths


def test_paths_are_the_same_for_the_same_seed_and_differ_for_another() -> None:
    asked = book((100, 0, 0.8), (50, 2, 0.5))
    assert (simulated(asked, count=500) == simulated(asked, count=500)).all()
    assert (simulated(asked, count=500) != simulated(asked, count=500, seed=8)).any()


def test_independent_renewals_spread_as_the_binomial_says() -> None:
    asked = book(*[(10, 0, 0.8)] * 25)
    closing = simulated(asked, months=1)[:, 0]
    assert closing.mean() == pytest.approx(200, abs=0.6)
    assert closing.std() == pytest.approx(10 * math.sqrt(25 * 0.8 * 0.2), rel=0.03)


def test_an_uncertain_rate_and_a_shock_move_all_renewals_together() -> None:
    pieces = [(1, 0, 0.8)] * 2000
    alone = simulated(book(*pieces), months=1, count=4000).std()
    unsure = simulated(book(*pieces, weight=np.full(2000, 30.0)), months=1, count=4000).std()
    shaken = simulated(book(*pieces), replace(CALM, shock=0.5), months=1, count=4000).std()
    assert alone == pytest.approx(math.sqrt(2000 * 0.16), rel=0.1)
    assert unsure == pytest.approx(2000 * math.sqrt(0.16 / 31), rel=0.1)
    assert shaken == pytest.approx(2000 * 0.5 * 0.16, rel=0.15)


def test_a_higher_likelihood_brings_more_and_a_wider_level_holds_more() -> None:
    odds = (0.2, 0.5, 0.8, 0.95)
    closing = [simulated(book(*[(10, 0, one)] * 40), replace(CALM, shock=0.3), months=1)[:, 0] for one in odds]
    assert sorted(range(4), key=lambda at: closing[at].mean()) == [0, 1, 2, 3]
    for one in closing:
        low, high = np.quantile(one, [[0.025, 0.1, 0.25], [0.975, 0.9, 0.75]])
        assert (np.diff(low) >= 0).all() and (np.diff(high) <= 0).all()


def test_a_tiny_book_comes_out_as_its_cases_counted_by_hand() -> None:
    closing = simulated(book((100, 0, 0.8), (50, 1, 0.5), (20, -1, 0.0)), months=2, count=40_000)[:, 1]
    chances = {170: 0.8 * 0.5, 120: 0.8 * 0.5, 70: 0.2 * 0.5, 20: 0.2 * 0.5}
    assert {round(one) for one in closing} == set(chances)
    for amount, chance in chances.items():
        assert np.isclose(closing, amount, atol=0.5).mean() == pytest.approx(chance, abs=0.01)


def shuffled(asked: Book, order: np.ndarray) -> Book:
    arrays = {
        name: getattr(asked, name)[order]
        for name in ("group", "value", "due", "term", "likelihood", "weight", "alike", "known", "known_ratio", "loss")
    }
    grown = {name: getattr(asked, name)[:, order] for name in ("expansion", "contraction")}
    return replace(asked, key=tuple(asked.key[at] for at in order), **arrays, **grown)


def mixed(seed: int = 4, count: int = 40) -> tuple[Book, Rates]:
    rng = np.random.default_rng(seed)
    pieces = [
        (float(rng.integers(1, 90)), int(rng.integers(-1, 12)), float(rng.choice([0.4, 0.9]))) for _ in range(count)
    ]
    due = np.array([piece[1] for piece in pieces])
    asked = book(*pieces, groups=("Mid", "SMB"), group=np.arange(count) % 2, loss=np.arange(count) % 2 * 2 + (due < 0))
    grown = {"expansion": np.full((12, count), 0.02)}
    rates = Rates(
        lost=np.array([1.0, 2.0, 3.0, 4.0]),
        months=np.full(4, 300.0),
        growth={"expansion": Growth(0.01, 0.2), "contraction": Growth(0.0, 0.0)},
        shock=0.3,
    )
    return replace(asked, **grown), rates


def test_the_order_of_the_pieces_changes_nothing() -> None:
    asked, rates = mixed()
    order = np.random.default_rng(0).permutation(40)
    one, other = drawn(asked, rates, count=2000), drawn(shuffled(asked, order), rates, count=2000)
    np.testing.assert_allclose(one.closing, other.closing, rtol=1e-9)


def test_when_one_piece_is_changed_the_others_fare_as_before() -> None:
    asked, rates = mixed()
    base = drawn(asked, rates, count=2000, watch=[0, 5])
    piece = int(np.flatnonzero(asked.due >= 0)[0])
    surer = replace(asked, likelihood=np.where(np.arange(40) == piece, 0.99, asked.likelihood))
    other = drawn(surer, rates, count=2000, growth=base.growth)
    difference = (other.closing - base.closing)[asked.group[piece]]
    spread = base.closing[asked.group[piece]].std(axis=1)
    assert difference[-1].std() < asked.value[piece] * 1.5 < spread[-1] * 1.5
    assert np.allclose(other.closing[1 - asked.group[piece]], base.closing[1 - asked.group[piece]])
    assert base.watched.shape == (2, 12, 2000)


def test_watched_pieces_are_parts_of_their_group() -> None:
    asked, rates = mixed()
    rows = np.flatnonzero(asked.group == 0)
    found = drawn(asked, rates, count=1000, watch=[int(at) for at in rows])
    np.testing.assert_allclose(found.watched.sum(axis=0), found.closing[0], rtol=1e-5)


def test_a_shock_lasts_a_quarter() -> None:
    asked = book(*[(1, month, 0.8) for month in (0, 1, 3) for _ in range(3000)])
    changes = np.diff(simulated(asked, replace(CALM, shock=0.5), months=4, count=4000), axis=1, prepend=9000)
    together = np.corrcoef(changes[:, [0, 1, 3]].T)
    assert together[0, 1] > 0.9
    assert abs(together[0, 2]) < 0.1


def test_the_mean_of_the_paths_is_the_expected_book() -> None:
    rng = np.random.default_rng(1)
    pieces = [
        (float(rng.lognormal(9, 1)), int(rng.integers(-1, 12)), float(rng.choice([0.4, 0.8, 0.95]))) for _ in range(700)
    ]
    months = 12
    asked = book(
        *pieces,
        loss=rng.integers(0, 2, 700),
        weight=rng.choice([40.0, 90.0], 700),
        expansion=np.full((months, 700), 0.01),
    )
    rates = Rates(
        lost=np.array([3.0, 8.0]),
        months=np.array([600.0, 500.0]),
        growth={"expansion": Growth(0.01, 0.3), "contraction": Growth(0.0, 0.0)},
        ratios=rng.lognormal(0.02, 0.2, 50),
        ratio_weights=np.ones(50),
        shock=0.25,
    )
    found, walk = simulated(asked, rates), walked(asked, rates)
    assert found.mean(axis=0) == pytest.approx(walk.closing, rel=0.01)
    assert (np.diff(found.std(axis=0)) > 0).all()


def test_monthly_losses_happen_at_their_rate() -> None:
    rates = replace(CALM, lost=np.array([1e7]), months=np.array([1e9]))
    closing = simulated(book(*[(1, -1, 0.5)] * 600), rates, months=12, count=2000)
    assert closing.mean(axis=0) == pytest.approx(600 * 0.99 ** np.arange(1, 13), rel=0.002)
    assert closing[:, 11].std() == pytest.approx(math.sqrt(600 * 0.99**12 * (1 - 0.99**12)), rel=0.06)


def test_the_shock_is_what_chance_does_not_explain() -> None:
    rng = np.random.default_rng(3)
    quarters = np.repeat(np.arange(400), 200)
    chances = np.full(len(quarters), 0.8)
    shifted = 1 / (1 + np.exp(-(math.log(4) + 0.4 * rng.normal(size=400)[quarters])))
    calm, shaken = (rng.random(len(quarters)) < one for one in (chances, shifted))
    known = {"prior": 0.25, "prior_quarters": 4.0}
    assert model.shock_spread(shaken.astype(float), chances, quarters, **known) == pytest.approx(0.4, abs=0.06)
    assert model.shock_spread(calm.astype(float), chances, quarters, **known) < 0.08


def test_without_past_quarters_the_shock_is_the_assumed_one() -> None:
    nothing = np.zeros(0)
    assert model.shock_spread(nothing, nothing, nothing.astype("int64"), prior=0.25, prior_quarters=4) == 0.25


# What a base rate does not tell apart


def decisions(count: int = 4000, seed: int = 5) -> tuple[pd.DataFrame, np.ndarray]:
    """Past decisions in which later renewals and large contracts are surer, by known amounts of log-odds."""
    rng = np.random.default_rng(seed)
    later, size = rng.integers(0, 2, count).astype(float), rng.normal(0, 1, count)
    chance = 1 / (1 + np.exp(-(0.5 + 0.9 * later + 0.4 * size)))
    rows = pd.DataFrame({"segment": "SMB", "arr": np.exp(9 + size), "renewed": (rng.random(count) < chance) * 1})
    return rows, later


def test_later_and_larger_are_found_in_the_past() -> None:
    rows, later = decisions()
    said = np.full(len(rows), rows["renewed"].mean())
    found = kinds(rows, later, said, prior_later=0.5, prior_size=0.2)
    assert (found.later, found.slope) == (pytest.approx(0.9, abs=0.15), pytest.approx(0.4, abs=0.08))
    moved_by = found.of(later, rows["arr"].to_numpy(), rows["segment"])
    assert moved(pd.Series(said), moved_by).sum() == pytest.approx(said.sum())


def test_without_a_past_of_its_kind_the_prior_holds_and_nothing_is_moved_in_sum() -> None:
    rows = pd.DataFrame({"segment": "SMB", "arr": [1200.0] * 20, "renewed": [1] * 15 + [0] * 5})
    found = kinds(rows, np.zeros(20), np.full(20, 0.75), prior_later=0.5, prior_size=0.2)
    assert (found.later, found.slope) == (pytest.approx(0.5), pytest.approx(0.2))
    assert found.of(np.zeros(1), np.array([9999.0]), pd.Series(["SMB"])).tolist() == pytest.approx([0.0])


def test_of_those_still_open_late_more_are_renewed_where_losses_are_told_early() -> None:
    past = pd.DataFrame({"days_late": [-5.0] * 30 + [-60.0] * 10, "renewed": [1] * 30 + [0] * 10})
    found = still_open(past, np.array([-3.0, 90.0, 30.0]))
    assert found[0] == 0
    assert found[1] == pytest.approx(0, abs=0.1)  # all were open then
    assert found[2] > 1
    even = past.assign(days_late=-20.0)
    assert still_open(even, np.array([90.0, 10.0])).tolist() == pytest.approx([0, 0], abs=1e-9)


# The metric


def forecast(store: Store, as_of: str, *, scope: Scope = EVERYTHING, **options: Any) -> pd.DataFrame:
    return run(store, "forecast", as_of=day(as_of), scope=scope, options=options)


def adds_up(found: pd.DataFrame) -> bool:
    closing = (found["opening"] + found[MOVES].sum(axis=1)).round(2)
    follows = found["opening"].iloc[1:].to_numpy() == found["expected_arr"].iloc[:-1].to_numpy()
    return bool((closing == found["expected_arr"]).all() and follows.all())


def subscribers(folder: Path, gone: int = 12, stay: int = 188) -> Store:
    """200 accounts without contracts at 100 a month, of which `gone` leave in the year before 2025, one a month."""
    names = [f"a{at:03}" for at in range(gone + stay)]
    ends = [str(dt.date(2024, 1 + at % 12, 10)) for at in range(gone)]
    lines = [line(name, "2023-01-01", ends[at] if at < gone else None, 100) for at, name in enumerate(names)]
    accounts = [account(name, "2023-01-01", segment="SMB" if at % 2 else "Mid") for at, name in enumerate(names)]
    return company(folder, accounts=accounts, subscriptions=lines)


def test_without_contracts_the_monthly_churn_of_the_past_year_goes_on(tmp_path: Path) -> None:
    found = forecast(subscribers(tmp_path), "2024-12-31")
    account_months = sum(200 - at for at in range(12))
    hazard = 12 / account_months
    assert found["opening"].iloc[0] == 188 * 1200
    assert found["month"].dt.date.tolist()[::11] == [dt.date(2025, 1, 1), dt.date(2025, 12, 1)]
    # By segment the losses are alike, so the pooled rate is that of both.
    assert found["expected_arr"].iloc[-1] == pytest.approx(188 * 1200 * (1 - hazard) ** 12, rel=1e-3)
    assert adds_up(found)
    assert (found[["renewals", "expansion", "contraction"]] == 0).all(axis=None)
    assert (found["due_arr"] == 0).all()


def test_a_day_inside_a_month_opens_with_that_day_and_covers_the_rest_of_it(tmp_path: Path) -> None:
    store = subscribers(tmp_path)
    found = forecast(store, "2024-11-15", months=2)
    assert records(found, "month", "opening")[0] == ("2024-12-01", 189 * 1200.0)
    lost_a_month = -found["churn"] / found["opening"]
    assert lost_a_month.iloc[0] == pytest.approx(lost_a_month.iloc[1] * (1 + 15 / (365.25 / 12)), rel=0.01)


def contracted(folder: Path, *, kept: int = 45, gone: int = 15, **more: Any) -> tuple[Store, list[Row]]:
    """60 contracts decided at the end of 2023, and 60 open ones of other accounts that end in 2025, a month apart."""
    past = [renewed(f"k{at}", "2023-12-31", "2023-12-20", arr=1200) for at in range(kept)]
    past += [lost(f"l{at}", "2023-12-31", "2023-12-20", arr=1200) for at in range(gone)]
    rows = [
        contract(
            f"o{at}",
            str(dt.date(2025, 1 + at % 12, 5)),
            starts_on=str(dt.date(2024, 1 + at % 12, 5)),
            arr=600 + 120 * at,
        )
        for at in range(60)
    ]
    lines = [line(f"k{at}", "2023-01-01", "2024-01-01", 100) for at in range(kept)]
    lines += [line(f"l{at}", "2023-01-01", "2023-12-31", 100) for at in range(gone)]
    lines += [line(str(row["account_id"]), "2024-01-01", None, row["arr"] / 12) for row in rows]
    return sellers(folder, [*past, *rows], subscriptions=lines, **more), rows


def of_later(said: float) -> float:
    """The likelihood of a later renewal, half a log-odd above the base rate."""
    return 1 / (1 + math.exp(-(math.log(said / (1 - said)) + 0.5)))


def test_the_expected_book_is_likelihood_times_amount(tmp_path: Path) -> None:
    store, rows = contracted(tmp_path)
    found = forecast(store, "2024-12-31")
    due = [sum(row["arr"] for row in rows if day(row["ends_on"]).month == month) for month in range(1, 13)]
    assert found["due_arr"].tolist() == due
    # 45 of 60 first renewals of one amount were kept: the prior of the settings says how much surer later ones are
    assert (found["renewed_arr"] / due).tolist() == pytest.approx([of_later(45 / 60)] * 12, abs=0.003)
    assert found["churn"].tolist() == pytest.approx((found["renewed_arr"] - due).tolist(), abs=0.01)
    assert found["expected_arr"].iloc[-1] == pytest.approx(found["renewed_arr"].sum(), abs=0.1)
    assert adds_up(found)


def test_intervals_hold_the_expected_value_and_grow(tmp_path: Path) -> None:
    store, _ = contracted(tmp_path)
    found = forecast(store, "2024-12-31")
    width = found["high"] - found["low"]
    assert (width.diff().dropna() > 0).all()
    edges = found[["low_95", "low", "low_50", "expected_arr", "high_50", "high", "high_95"]]
    assert (edges.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert forecast(store, "2024-12-31", level=0.95)["low"].tolist() == found["low_95"].tolist()
    pd.testing.assert_frame_equal(found, forecast(store, "2024-12-31"))


def test_decided_and_overdue_contracts_come_as_they_stand(tmp_path: Path) -> None:
    more = [
        renewed("early", "2025-02-01", "2024-12-01", arr=1200, to=1800, starts_on="2024-02-01"),
        lost("leaving", "2025-02-01", "2024-12-01", arr=2400, starts_on="2024-02-01"),
        contract("overdue", "2024-12-15", arr=3600, starts_on="2023-12-15"),
    ]
    past = [renewed(f"k{at}", "2023-12-31", "2023-12-20", arr=1200) for at in range(30)]
    past += [lost(f"l{at}", "2023-12-31", "2023-12-20", arr=1200) for at in range(10)]
    lines = [line(str(row["account_id"]), "2024-01-01", None, row["arr"] / 12) for row in more]
    lines += [line(str(row["account_id"]), "2023-01-01", "2023-12-31", 100) for row in past]
    store = sellers(tmp_path, [*past, *more], subscriptions=lines)
    found = forecast(store, "2024-12-31", months=2)
    assert found["opening"].iloc[0] == 7200
    assert records(found, "due_arr", "renewals") == [(3600.0, 0.0), (3600.0, 600.0)]
    assert found["churn"].tolist() == pytest.approx([-3600 * (1 - of_later(30 / 40)), -2400], abs=10)


def test_an_accounts_arr_is_shared_among_its_contracts(tmp_path: Path) -> None:
    rows = [
        contract("small", "2025-01-10", arr=100, account_id="a"),
        contract("large", "2025-03-10", arr=300, account_id="a"),
    ]
    past = [renewed(f"k{at}", "2023-12-31", "2023-12-20") for at in range(3)]
    lines = [line("a", "2023-01-01", None, 200), *(line(f"k{at}", "2023-01-01", "2024-01-01", 10) for at in range(3))]
    found = forecast(sellers(tmp_path, [*rows, *past], subscriptions=lines), "2024-12-31", months=3)
    assert found["due_arr"].tolist() == [600.0, 0.0, 1800.0]


def test_growth_of_the_past_year_outside_of_renewals_goes_on(tmp_path: Path) -> None:
    names = [f"a{at:02}" for at in range(40)]
    lines = [line(name, "2022-01-01", None, 100) for name in names]
    lines += [line(names[at], str(dt.date(2024, 1 + at, 10)), None, 48) for at in range(12)]
    store = company(tmp_path, accounts=[account(name, "2022-01-01") for name in names], subscriptions=lines)
    found = forecast(store, "2024-12-31")
    # An account weighs by its ARR, at most as much as an average one: 480 account-months, of which 66 are larger.
    cap = math.ceil(100 * sum(4000 + 48 * at for at in range(12)) / 480) / 100
    pace = 12 * 100 * 0.48 / (414 * 100 + 66 * cap)
    assert found["expansion"].iloc[0] == pytest.approx(12 * (4000 + 576) * pace, rel=1e-5)
    assert adds_up(found)
    assert (found["high"] > found["expected_arr"]).all()


def test_what_came_back_of_past_losses_comes_back_of_coming_ones(tmp_path: Path) -> None:
    lines = [
        line("a", "2023-01-01", "2024-03-01", 100),
        line("a", "2024-05-31", None, 80, subscription_id="again"),
        line("b", "2023-01-01", "2024-07-01", 100),
        line("c", "2023-01-01", None, 100),
    ]
    store = company(tmp_path, accounts=[account(name, "2023-01-01") for name in "abc"], subscriptions=lines)
    # a was away for 91 days and came back with 80 %; b has been away for 183; before 31 May nobody had come back
    assert returns(store, day("2024-12-31")) == pytest.approx(0.8 / ((91 + 183) / 365 * 12))
    assert returns(store, day("2024-05-30")) == 0


def test_a_part_of_what_is_lost_comes_back_month_by_month() -> None:
    walk = walked(book((100, 0, 0.6), (50, -1, 1.0)), replace(CALM, returns=0.1), months=3)
    assert walk.churn.tolist() == pytest.approx([-40, 4, 3.6])
    assert walk.closing.tolist() == pytest.approx([110, 114, 117.6])
    assert walk.opening.tolist() == pytest.approx([150, 110, 114])


def test_healthy_accounts_grow_faster_than_the_others_of_their_segment() -> None:
    of = {"segment": "SMB", "age": 2, "is_due": False, "account_months": 100, "weight": 1000.0}
    past = pd.DataFrame([{**of, "colour": "green", "expansion": 30.0}, {**of, "colour": "red", "expansion": 10.0}])
    pieces = pd.DataFrame(
        {"segment": "SMB", "colour": ["green", "red", "none"], "started_on": pd.Timestamp("2020-01-01")}
    )
    found = paces(past, "expansion", pieces, [dt.date(2024, 1, 1)], 100.0)
    # 2 % for all; with 100 months at the usual pace beside the 100 of each colour half of the difference is believed
    assert found.tolist() == [pytest.approx([0.025, 0.015, 0.02])]


def test_later_facts_change_nothing(tmp_path: Path) -> None:
    store, rows = contracted(tmp_path / "known")
    lines = [line(str(row["account_id"]), "2024-01-01", None, row["arr"] / 12) for row in rows]
    lines[0]["ends_on"] = "2025-01-01"
    lines += [line("o1", "2025-01-01", None, 500, subscription_id="more")]
    decided = [{**row, "outcome": "churned", "decided_on": "2025-01-01"} for row in rows]
    past = [renewed(f"k{at}", "2023-12-31", "2023-12-20", arr=1200) for at in range(45)]
    past += [lost(f"l{at}", "2023-12-31", "2023-12-20", arr=1200) for at in range(15)]
    lines += [line(f"k{at}", "2023-01-01", "2024-01-01", 100) for at in range(45)]
    lines += [line(f"l{at}", "2023-01-01", "2023-12-31", 100) for at in range(15)]
    later = sellers(tmp_path / "later", [*past, *decided], subscriptions=lines)
    pd.testing.assert_frame_equal(forecast(store, "2024-12-31"), forecast(later, "2024-12-31"))
    assert (forecast(later, "2025-01-01")["expected_arr"] != forecast(store, "2025-01-01")["expected_arr"]).any()


def test_the_scope_is_a_part_of_the_whole(tmp_path: Path) -> None:
    store, rows = contracted(tmp_path, segments={f"o{at}": "Mid" for at in range(0, 60, 2)})
    whole = forecast(store, "2024-12-31")
    parts = [forecast(store, "2024-12-31", scope=Scope.of(segment=one)) for one in ("SMB", "Mid")]
    for column in ("opening", *MOVES, "expected_arr"):
        assert sum(part[column] for part in parts).tolist() == pytest.approx(whole[column].tolist(), abs=0.03)
    nothing = forecast(store, "2024-12-31", scope=Scope.of(segment="Nobody"))
    assert (nothing[["opening", "expected_arr", "low", "high"]] == 0).all(axis=None)
    assert len(rows) == 60


@pytest.mark.parametrize("options", [{"months": 0}, {"months": 37}, {"level": 1.0}, {"level": 0.0}])
def test_impossible_questions_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    store = company(tmp_path, accounts=[account()], subscriptions=[line("a", "2024-01-01", None, 10)])
    with pytest.raises(MetricError, match="is not possible"):
        forecast(store, "2024-06-30", **options)


def test_the_first_months_are_those_of_a_longer_forecast(tmp_path: Path) -> None:
    store, _ = contracted(tmp_path)
    long, short = forecast(store, "2024-12-31", months=18), forecast(store, "2024-12-31", months=5)
    pd.testing.assert_frame_equal(long.head(5), short)


def test_segments_add_up_to_the_cent_and_are_as_sure_alone_as_together(tmp_path: Path) -> None:
    store, _ = contracted(tmp_path, segments={f"o{at}": "Mid" for at in range(0, 60, 2)})
    whole = forecast(store, "2024-12-31")
    parts = run(store, "forecast_by_segment", as_of=day("2024-12-31"))
    assert parts["segment"].unique().tolist() == ["Mid", "SMB"]
    amounts = ["opening", *MOVES, "expected_arr", "due_arr", "renewed_arr"]
    assert (parts.groupby("month")[amounts].sum().round(2).to_numpy() == whole[amounts].to_numpy()).all()
    summed = parts.groupby("month")[["low", "high"]].sum().iloc[1:]  # in the first month only one segment is due
    width = (summed["high"] - summed["low"]).to_numpy()
    assert (width > (whole["high"] - whole["low"]).iloc[1:]).all()
    for name in ("Mid", "SMB"):
        alone = forecast(store, "2024-12-31", scope=Scope.of(segment=name))
        among = parts[parts["segment"] == name].drop(columns="segment").reset_index(drop=True)
        pd.testing.assert_frame_equal(alone[among.columns], among)


def test_a_plan_for_new_customers_stands_beside_the_forecast(tmp_path: Path) -> None:
    store, _ = contracted(tmp_path)
    plain, planned = forecast(store, "2024-12-31"), forecast(store, "2024-12-31", new_arr=1000)
    assert plain["planned_new_arr"].isna().all()
    assert planned["planned_new_arr"].tolist() == [1000.0 * month for month in range(1, 13)]
    assert (planned["with_plan"] - planned["expected_arr"]).round(2).tolist() == planned["planned_new_arr"].tolist()
    pd.testing.assert_frame_equal(plain.iloc[:, :-2], planned.iloc[:, :-2])
    written = Workspace.open(tmp_path)
    written.write([NewEntry("plan", "", "set", body={"new_arr_monthly": 500})], author="Ann", effective_on="2024-12-31")
    later = Database.open(tmp_path).current()
    assert forecast(later, "2024-12-31")["planned_new_arr"].iloc[1] == 1000.0
    assert forecast(later, "2024-12-30")["planned_new_arr"].isna().all()
    assert forecast(later, "2024-12-31", scope=Scope.of(segment="SMB"))["planned_new_arr"].isna().all()


def test_the_backtest_compares_with_what_became_of_the_same_accounts(tmp_path: Path) -> None:
    store = subscribers(tmp_path)
    found = run(store, "forecast_backtest", as_of=day("2024-12-31"))
    asked = records(found, "as_of", "horizon_months")
    assert asked == [
        *[("2024-03-31", months) for months in range(1, 10)],
        *[("2024-06-30", months) for months in range(1, 7)],
        *[("2024-09-30", months) for months in range(1, 4)],
    ]
    first = found.iloc[2]
    then = forecast(store, "2024-03-31").iloc[2]
    assert first["actual"] == 194 * 1200
    assert first["forecast"] == then["expected_arr"]
    assert first["error_percent"] == pytest.approx(100 * (then["expected_arr"] / (194 * 1200) - 1))
    assert first["naive_error_percent"] == pytest.approx(100 * (197 / 194 - 1))
    for inside, low, high in (("is_inside", "low", "high"), ("is_inside_95", "low_95", "high_95")):
        assert found[inside].tolist() == found["actual"].between(found[low], found[high]).tolist()


def test_rivals_are_no_change_last_years_rate_and_the_rate_of_the_last_months(tmp_path: Path) -> None:
    store = subscribers(tmp_path)
    found = run(store, "forecast_backtest", as_of=day("2024-12-31")).set_index(["as_of", "horizon_months"])
    row = found.loc[(pd.Timestamp("2024-06-30"), 3)]
    # A year before all 200 were there, three months before 197; 194 are left. Nobody has a health score.
    assert row["opening"] == 194 * 1200
    assert row["last_year"] == pytest.approx(194 * 1200 * (194 / 200) ** 0.25)
    assert row["health"] == pytest.approx(194 * 1200 * 194 / 197)
    assert row["health_error_percent"] == pytest.approx(100 * (194 / 197 * 194 / 191 - 1))


def test_the_record_counts_what_the_backtest_shows(tmp_path: Path) -> None:
    store = subscribers(tmp_path)
    past = run(store, "forecast_backtest", as_of=day("2024-12-31"))
    record = run(store, "forecast_record", as_of=day("2024-12-31"))
    assert record["horizon_months"].isna().tolist() == [True] + [False] * 9
    assert record["runs"].tolist() == [18, 3, 3, 3, 2, 2, 2, 1, 1, 1]
    whole = record.iloc[0]
    assert whole["inside_80"] == past["is_inside"].sum()
    assert whole["mape"] == pytest.approx(past["error_percent"].abs().mean())
    assert whole["no_change_mape"] == pytest.approx(past["naive_error_percent"].abs().mean())
    assert record["verdict"].iloc[1] == "3 past forecasts: too few to judge"
    assert "nearer than" in whole["verdict"]


def test_the_backtest_waits_for_a_year_of_history(tmp_path: Path) -> None:
    store = subscribers(tmp_path)
    assert run(store, "forecast_backtest", as_of=day("2024-02-28")).empty
    assert run(store, "forecast_record", as_of=day("2024-02-28")).empty


# What is kept with the data


def test_what_is_kept_is_what_would_be_computed(demo_store: Store) -> None:
    days = [found[0] for found in demo_store.rows("select distinct as_of from forecast_run order by as_of")]
    assert days[-1] == demo_store.newest_day and len(days) > 2
    for asked in days:
        of = look(demo_store, asked, EVERYTHING, 12)
        found = rows_of(of, paths_of(of, demo_store.config.forecast).closing, range(len(of.book.groups)))
        pd.testing.assert_frame_equal(run(demo_store, "forecast", as_of=asked)[found.columns], found)
    other = Scope.of(segment="SMB", region=["Americas", "EMEA", "APAC", "", "Europe", "North America", "Asia"])
    assert len(run(demo_store, "forecast_backtest", scope=other)) == len(run(demo_store, "forecast_backtest"))


def test_a_forecast_is_taken_over_only_while_all_that_it_rests_on_is_the_same(demo_store: Store) -> None:
    draft = Draft(demo_store, demo_store)
    kept = demo_store.frame("select * from forecast_run")
    started = time.perf_counter()
    found = run_forecasts(draft)["forecast_run"]
    assert time.perf_counter() - started < 60
    columns = ["as_of", "part", "month"]
    pd.testing.assert_frame_equal(
        found.sort_values(columns, ignore_index=True)[kept.columns], kept.sort_values(columns, ignore_index=True)
    )
    of, settings = look(demo_store, demo_store.newest_day, EVERYTHING, 12), demo_store.config.forecast
    other = replace(of, book=replace(of.book, value=of.book.value * np.where(np.arange(len(of.book.value)) == 3, 2, 1)))
    assert other.fingerprint(settings) != of.fingerprint(settings)
    assert of.fingerprint(settings.model_copy(update={"seed": 8})) != of.fingerprint(settings)

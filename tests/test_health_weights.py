"""Suggested weights: learned from what was over, judged on what came later, and never claimed on noise."""

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_metrics.config import DIMENSIONS, HealthWeights, load_config
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.health_record import toml
from cs_metrics.models.health import combined
from cs_metrics.models.health_weights import gain, learn, rounded, suggest
from cs_metrics.store import Store

CONFIG = load_config(Path("none")).health
TODAY = np.array([CONFIG.weights_for("", "adoption").of(one) for one in DIMENSIONS])
QUARTERS = [
    pd.Timestamp(one)
    for one in ("2024-03-31", "2024-06-30", "2024-09-30", "2024-12-31", "2025-03-31", "2025-06-30", "2025-09-30")
]


def panel(true: dict[str, float], *, seed: int = 1, accounts: int = 300, missing: float = 0.2) -> pd.DataFrame:
    """Accounts at six quarters' ends that are lost by these effects of their dimensions, in log-odds per 25 points."""
    rng = np.random.default_rng(seed)
    parts = rng.uniform(0, 100, (accounts * 6, len(DIMENSIONS)))
    effect = np.array([true.get(one, 0.0) for one in DIMENSIONS])
    odds = -2.2 - ((parts - 50) / 25) @ effect
    lost = rng.random(len(parts)) < 1 / (1 + np.exp(-odds))
    parts = np.where(rng.random(parts.shape) < missing, np.nan, parts)
    found = pd.DataFrame(parts, columns=list(DIMENSIONS))
    at = np.repeat(np.arange(6), accounts)
    return found.assign(
        account_id=[f"a{one % accounts}" for one in range(len(found))],
        segment=np.where(np.arange(len(found)) % 3 == 0, "Enterprise", "SMB"),
        stage="adoption",
        score=combined(parts, np.tile(TODAY, (len(parts), 1)))[0],
        is_lost=lost,
        snapshot_day=[QUARTERS[one] for one in at],
        closing_day=[QUARTERS[one + 1] for one in at],
    )


def last(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    return frame[frame["trained_on"] == frame["trained_on"].max()].set_index("dimension")


def test_planted_weights_are_found_with_their_signs() -> None:
    rows = panel({"depth": 0.9, "support": -0.6}, accounts=600)
    found = dict(zip(DIMENSIONS, learn(rows, TODAY, CONFIG.suggested_weights), strict=True))  # type: ignore[arg-type]
    assert found["depth"] > 0.45
    assert found["support"] < -0.2
    assert max(abs(found[one]) for one in DIMENSIONS if one not in ("depth", "support")) < 0.12
    told = last(suggest(rows, "", CONFIG))
    assert told["verdict"].iloc[0].startswith("better on later outcomes")
    assert told["gain_low"].iloc[0] > 0
    assert told["auc_suggested"].iloc[0] > told["auc_today"].iloc[0]


def test_where_todays_weights_are_right_little_is_suggested_and_nothing_claimed() -> None:
    rows = panel({name: 4 * weight for name, weight in zip(DIMENSIONS, TODAY, strict=True)}, accounts=400)
    told = last(suggest(rows, "", CONFIG))
    assert np.abs(told["weight_suggested"].to_numpy() - TODAY).max() < 0.1
    assert not told["verdict"].iloc[0].startswith("better")


def test_on_noise_no_gain_is_claimed() -> None:
    said = [last(suggest(panel({}, seed=seed, accounts=150), "", CONFIG))["verdict"].iloc[0] for seed in range(12)]
    assert sum(one.startswith("better") for one in said) <= 1


def test_few_losses_change_little_and_fewer_nothing() -> None:
    rows = panel({"depth": 0.9, "support": -0.6}, accounts=600)
    lost = rows[rows["is_lost"]]
    few = pd.concat([lost.head(35), rows[~rows["is_lost"]]])
    many = learn(rows, TODAY, CONFIG.suggested_weights)
    some = learn(few, TODAY, CONFIG.suggested_weights)
    assert some is not None
    assert many is not None
    assert np.abs(some - TODAY).sum() < np.abs(many - TODAY).sum()
    assert learn(pd.concat([lost.head(29), rows[~rows["is_lost"]]]), TODAY, CONFIG.suggested_weights) is None
    told = last(suggest(rows[rows["closing_day"] <= QUARTERS[1]].assign(is_lost=False), "", CONFIG))
    assert told["verdict"].iloc[0] == "not enough outcomes (0 losses to learn from, at least 30 are needed)"
    assert told["weight_suggested"].isna().all()


def test_nothing_of_a_quarter_counts_before_it_is_over() -> None:
    rows = panel({"depth": 0.9})
    cut = rows[rows["closing_day"] <= QUARTERS[4]]
    whole = pd.DataFrame(suggest(rows, "SMB", CONFIG))
    known = pd.DataFrame(suggest(cut, "SMB", CONFIG))
    pd.testing.assert_frame_equal(
        whole[whole["trained_on"] <= QUARTERS[4]].reset_index(drop=True), known.reset_index(drop=True)
    )
    shuffled = pd.DataFrame(suggest(rows.sample(frac=1, random_state=1), "SMB", CONFIG))
    pd.testing.assert_frame_equal(shuffled, whole, rtol=1e-9)


def test_the_gain_of_the_same_weights_is_nothing() -> None:
    rows = panel({"depth": 0.9})
    same = np.tile(TODAY, (len(rows), 1))
    found = gain(rows, same, same, CONFIG)
    assert (found.points, found.low, found.high) == (0.0, 0.0, 0.0)
    assert found.caught_today == found.caught_suggested
    lowest = rows.assign(score=combined(rows[list(DIMENSIONS)].to_numpy(), same)[0]).sort_values("score")
    inside = lowest.dropna(subset="score")
    assert found.caught_today == pytest.approx(
        inside.head(len(inside) // 5)["is_lost"].sum() / inside["is_lost"].sum(), abs=0.01
    )


@given(st.lists(st.floats(-1, 1).filter(lambda one: abs(one) > 1e-3), min_size=6, max_size=6))
def test_rounded_weights_add_up_and_can_be_pasted(given_: list[float]) -> None:
    weights = np.array(given_) / np.abs(given_).sum()
    found = rounded(weights.copy())
    assert np.abs(found - weights).max() <= 0.031
    HealthWeights(**{name: float(value) for name, value in zip(DIMENSIONS, found, strict=True)})


@pytest.mark.parametrize("segment", ["", "SMB"])
def test_what_is_to_be_pasted_is_a_setting(segment: str) -> None:
    told = last(suggest(panel({"depth": 0.9, "support": -0.6}), segment, CONFIG)).reset_index()
    entries = tomllib.loads(toml(segment, told))["health"]["weights"]
    assert [(one.get("segment", ""), one.get("stage", "")) for one in entries] == (
        [("SMB", "adoption"), ("SMB", "renewal")] if segment else [("", "")]
    )
    for one in entries:
        HealthWeights(**one)
        assert [one[name] for name in DIMENSIONS] == told["weight_suggested"].tolist()
    assert toml(segment, told.assign(weight_suggested=np.nan)) == ""


def test_a_day_reads_what_the_last_quarters_end_suggested(demo_store: Store) -> None:
    found = run(demo_store, "health_weights_suggested", as_of=dt.date(2026, 8, 14))
    assert set(found["segment"]) == {"", "Enterprise", "Mid-market", "SMB"}
    assert set(found["trained_on"]) == {pd.Timestamp("2026-06-30")}
    assert run(demo_store, "health_weights_suggested", as_of=dt.date(2025, 6, 1)).empty
    one = run(demo_store, "health_weights_suggested", scope=Scope.of(segment="SMB"))
    assert set(one["segment"]) == {"", "SMB"}

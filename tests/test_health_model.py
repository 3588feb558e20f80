"""The score itself: from raw measures to colour, without a database."""

import math
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_metrics.config import DIMENSIONS, HealthConfig, HealthWeights, load_config
from cs_metrics.errors import ConfigError
from cs_metrics.models import health

SHIPPED = load_config(Path("none")).health
ZERO = dict.fromkeys(DIMENSIONS, 0.0)


def config(*weights: HealthWeights, **changes: Any) -> HealthConfig:
    """One measure per dimension, 0 to 100 as given, so that a raw value is the score of its dimension."""
    measures = {name: {"dimension": name, "zero": 0, "full": 100, "weight": 1, "says": name} for name in DIMENSIONS}
    given = SHIPPED.model_dump() | {"measures": measures, "min_coverage": 0.4, "measured_from": 0.1} | changes
    return HealthConfig.model_validate(given | {"weights": [one.model_dump() for one in weights or SHIPPED.weights]})


def week(
    account: str = "a", end: str = "2024-03-31", *, stage: str = "adoption", segment: str = "SMB", **values: float
) -> dict[str, Any]:
    return {"account_id": account, "week_end": pd.Timestamp(end), "segment": segment, "stage": stage} | {
        name: values.get(name, math.nan) for name in DIMENSIONS
    }


def scored(rows: list[dict[str, Any]], settings: HealthConfig | None = None) -> list[dict[str, Any]]:
    return health.score(pd.DataFrame(rows), settings or config()).to_dict("records")


def run_of(scores: list[float | None], ends: list[str] | None = None) -> list[dict[str, Any]]:
    """One account, a week each, whose only dimension has these values."""
    only = config(HealthWeights(**{**ZERO, "depth": 1.0}))
    days = ends or [str(day.date()) for day in pd.date_range("2024-01-07", periods=len(scores), freq="7D")]
    return scored(
        [week(end=end, depth=math.nan if one is None else one) for one, end in zip(scores, days, strict=True)], only
    )


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        (0, "red"),
        (50, "red"),
        (50.0001, "yellow"),
        (74.6, "yellow"),
        (75, "yellow"),
        (75.0001, "green"),
        (100, "green"),
        (None, "none"),
    ],
)
def test_colours_at_the_boundaries_of_the_unrounded_score(value: float | None, colour: str) -> None:
    assert run_of([value])[0]["colour"] == colour


@pytest.mark.parametrize("level", [50.0, 75.0])
def test_equal_dimensions_of_exactly_a_boundary_stay_on_it_whatever_the_weights(level: float) -> None:
    for seed in range(40):
        rng = random.Random(seed)
        parts = [rng.random() for _ in DIMENSIONS]
        weights = HealthWeights(**{name: part / sum(parts) for name, part in zip(DIMENSIONS, parts, strict=True)})
        found = scored([week(**dict.fromkeys(DIMENSIONS, level))], config(weights))[0]
        assert (found["score"], found["colour"]) == (level, "red" if level == 50 else "yellow")


def test_a_missing_dimension_shares_its_weight_and_lowers_coverage() -> None:
    found = scored(
        [
            week(depth=80, activity=40),
            week("b", depth=80, activity=40, support=100, sentiment=100, outcome=0, relationship=20),
        ]
    )
    assert [(one["score"], one["coverage"]) for one in found] == [(60.0, 0.5), (53.0, 1.0)]
    assert math.isnan(found[0]["support"])


def test_a_dimension_is_the_weighted_mean_of_its_measures_with_data() -> None:
    rows = pd.DataFrame({"nps": [10.0, 10.0, math.nan], "csat": [1.0, math.nan, math.nan]})
    measures = {name: SHIPPED.measures[name] for name in ("nps", "csat")}
    found = health.dimension_scores(rows, measures)[:, DIMENSIONS.index("sentiment")]
    assert found[:2].tolist() == [50.0, 100.0]
    assert math.isnan(found[2])


@pytest.mark.parametrize(("days", "points"), [(200, 0.0), (180, 0.0), (105, 50.0), (30, 100.0), (3, 100.0)])
def test_a_measure_may_run_downwards_and_is_cut_at_both_ends(days: float, points: float) -> None:
    assert health.measure_score(pd.Series([days]).to_numpy(), SHIPPED.measures["days_since_meeting"])[0] == points


def test_weights_follow_segment_and_stage_the_most_specific_first() -> None:
    depth, activity, support, sentiment = (
        {**ZERO, name: 1.0} for name in ("depth", "activity", "support", "sentiment")
    )
    weights = config(
        HealthWeights(**depth),
        HealthWeights(stage="renewal", **activity),
        HealthWeights(segment="SMB", **support),
        HealthWeights(segment="SMB", stage="renewal", **sentiment),
        min_coverage=0.0,
    )
    values = {"depth": 1.0, "activity": 2.0, "support": 3.0, "sentiment": 4.0}
    pairs = [
        ("Enterprise", "adoption"),
        ("Enterprise", "renewal"),
        ("SMB", "adoption"),
        ("SMB", "renewal"),
        (None, "adoption"),
    ]
    rows = [week(f"a{at}", segment=segment, stage=stage, **values) for at, (segment, stage) in enumerate(pairs)]
    assert [one["score"] for one in scored(rows, weights)] == [1.0, 2.0, 3.0, 4.0, 1.0]


def test_an_account_with_too_little_data_has_no_score() -> None:
    full = dict.fromkeys(DIMENSIONS, 60.0)
    found = scored(
        [week("a", **full), week("b", support=90, sentiment=90), week("c", support=90, outcome=90, relationship=90)]
    )
    assert [(one["colour"], one["coverage"]) for one in found] == [("yellow", 1.0), ("none", 0.2), ("green", 0.4)]


def test_without_product_data_satisfaction_and_tickets_carry_the_score() -> None:
    found = scored([week("a", support=90, sentiment=80), week("b", support=20, sentiment=20)])
    assert [(one["score"], one["colour"], one["coverage"]) for one in found] == [
        (85.0, "green", 0.2),
        (20.0, "red", 0.2),
    ]


def test_what_few_customers_have_does_not_raise_the_bar_for_all() -> None:
    rows = [week(f"a{at:02d}", support=90, sentiment=80) for at in range(20)]
    rows[0] |= {"depth": 50.0, "activity": 50.0, "outcome": 50.0, "relationship": 50.0}
    assert {one["colour"] for one in scored(rows)[1:]} == {"green"}
    assert {one["colour"] for one in scored(rows, config(measured_from=0.05))[1:]} == {"none"}


def test_each_week_is_judged_by_that_week_alone() -> None:
    early = [week(f"a{at}", "2024-03-24", support=90, sentiment=80) for at in range(3)]
    late = [week(f"a{at}", "2024-03-31", **dict.fromkeys(DIMENSIONS, 10.0)) for at in range(3)]
    found = [
        (one["account_id"], str(one["week_end"].date()), one["score"], one["colour"]) for one in scored(early + late)
    ]
    assert found[::2] == [(name, "2024-03-24", 85.0, "green") for name in ("a0", "a1", "a2")]
    assert found[1::2] == [(name, "2024-03-31", 10.0, "red") for name in ("a0", "a1", "a2")]


def test_change_needs_the_score_of_exactly_28_days_before() -> None:
    changes = [one["change_28_days"] for one in run_of([10, 20, 30, 40, 55, None, 60])]
    assert [None if math.isnan(one) else one for one in changes] == [None, None, None, None, 45.0, None, 30.0]
    gap = run_of([10, 20, 60], ["2024-01-07", "2024-01-21", "2024-02-04"])
    assert gap[2]["change_28_days"] == 50.0


def test_weeks_in_red_are_counted_in_a_row_and_a_gap_starts_again() -> None:
    assert [one["weeks_red"] for one in run_of([10, 20, 60, 50, 40, None, 30])] == [1, 2, 0, 1, 2, 0, 1]
    assert [one["weeks_red"] for one in run_of([10, 20, 30], ["2024-01-07", "2024-01-14", "2024-01-28"])] == [1, 2, 1]


def test_one_account_does_not_go_on_where_the_other_ended() -> None:
    ends = [str(day.date()) for day in pd.date_range("2024-01-07", periods=6, freq="7D")]
    rows = [week("a", end, depth=10.0, activity=10.0) for end in ends[:3]] + [
        week("b", end, depth=10.0, activity=10.0) for end in ends[3:]
    ]
    found = scored(rows[::-1])
    assert [(one["account_id"], one["weeks_red"]) for one in found] == [
        ("a", 1),
        ("a", 2),
        ("a", 3),
        ("b", 1),
        ("b", 2),
        ("b", 3),
    ]


def test_no_weeks_give_no_rows() -> None:
    found = health.score(pd.DataFrame([week()]).iloc[:0], config())
    assert found.empty
    assert {"score", "colour", "weeks_red", *DIMENSIONS} <= set(found)


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(ConfigError, match=r"'active_dais'.*Did you mean 'active_days'"):
        measure = SHIPPED.measures["active_days"]
        health.dimension_scores(pd.DataFrame({"active_days": [1.0]}), {"active_dais": measure})


unknown_or = st.one_of(st.none(), st.integers(0, 400).map(lambda one: one / 4))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 9), *[unknown_or] * 6),
        min_size=1,
        max_size=14,
        unique_by=lambda one: one[:2],
    )
)
def test_the_score_is_what_plain_python_makes_of_the_same_rows(rows: list[tuple[Any, ...]]) -> None:
    given = [
        week(account, str((pd.Timestamp("2024-01-07") + pd.Timedelta(7 * at, "D")).date()), **_floats(values))
        for account, at, *values in rows
    ]
    chosen = config(measured_from=0.6)
    got = {(one["account_id"], one["week_end"]): one for one in scored(given, chosen)}
    want = _naive(given, chosen)
    assert got.keys() == want.keys()
    for key, (value, coverage, colour, change, run) in want.items():
        one = got[key]
        assert (one["score"], one["coverage"]) == (pytest.approx(value, nan_ok=True), pytest.approx(coverage))
        assert (one["colour"], one["weeks_red"]) == (colour, run)
        assert one["change_28_days"] == pytest.approx(change, abs=1e-6, nan_ok=True)


def _floats(values: list[float | None]) -> dict[str, float]:
    return {name: math.nan if one is None else one for name, one in zip(DIMENSIONS, values, strict=True)}


def _naive(rows: list[dict[str, Any]], chosen: HealthConfig) -> dict[Any, tuple[float, float, str, float, int]]:
    found: dict[Any, tuple[float, float, str, float, int]] = {}
    weights = {name: chosen.weights_for("SMB", "adoption").of(name) for name in DIMENSIONS}
    for row in sorted(rows, key=lambda one: (one["account_id"], one["week_end"])):
        same = [one for one in rows if one["week_end"] == row["week_end"]]
        shares = {name: sum(one[name] == one[name] for one in same) / len(same) for name in DIMENSIONS}
        needed = sum(weights[name] for name in DIMENSIONS if shares[name] >= 0.6)
        has = [name for name in DIMENSIONS if row[name] == row[name]]
        coverage = sum(weights[name] for name in has)
        value = math.nan
        if has and coverage >= 0.4 * needed - 1e-12:
            value = round(sum(weights[name] * row[name] for name in has) / coverage, 9)
        colour = "none" if math.isnan(value) else "red" if value <= 50 else "yellow" if value <= 75 else "green"
        before = found.get((row["account_id"], row["week_end"] - pd.Timedelta(28, "D")))
        previous = found.get((row["account_id"], row["week_end"] - pd.Timedelta(7, "D")))
        run = (previous[4] if previous else 0) + 1 if colour == "red" else 0
        found[(row["account_id"], row["week_end"])] = (
            value,
            coverage,
            colour,
            value - before[0] if before else math.nan,
            run,
        )
    return found


def ranked(among: str, rank_from: int = 2) -> HealthConfig:
    """Depth is scored by its percentile, downwards from the 100th to the 0th."""
    measure = {
        "dimension": "depth",
        "scale": "percentile",
        "among": among,
        "zero": 100,
        "full": 0,
        "weight": 1,
        "says": "x",
    }
    given = config(HealthWeights(**{**ZERO, "depth": 1.0})).model_dump() | {"rank_from": rank_from}
    return HealthConfig.model_validate(given | {"measures": {**given["measures"], "depth": measure}})


def test_a_percentile_is_taken_among_the_customers_of_the_same_week() -> None:
    rows = [
        week("a", depth=1),
        week("b", depth=5),
        week("c", depth=5),
        week("d", depth=9),
        week("e", "2024-04-07", depth=1),
    ]
    rows += [week("f", "2024-04-07", depth=2), week("g")]
    found = {one["account_id"]: (one["depth_percentile"], one["score"]) for one in scored(rows, ranked("all"))}
    assert found["a"] == (12.5, 87.5)
    assert found["b"] == found["c"] == (50.0, 50.0), "half of those with the same, itself included"
    assert found["e"] == (25.0, 75.0), "another week has other peers"
    assert math.isnan(found["g"][0])


def test_a_small_segment_is_ranked_among_all_and_too_few_are_not_ranked() -> None:
    rows = [week(f"s{at}", depth=at) for at in range(4)] + [week("e", depth=3, segment="Enterprise")]
    found = {one["account_id"]: one["depth_percentile"] for one in scored(rows, ranked("segment", 2))}
    assert found["s3"] == 87.5
    assert found["e"] == pytest.approx(80.0)
    none = scored(rows, ranked("segment", 6))
    assert all(math.isnan(one["depth_percentile"]) and one["colour"] == "none" for one in none)


def test_a_weight_below_zero_turns_its_dimension_round() -> None:
    weights = HealthWeights(**{**ZERO, "depth": 0.6, "support": -0.4})
    found = scored([week(depth=50, support=20)], config(weights))[0]
    assert (found["score"], found["support"], found["coverage"]) == (pytest.approx(0.6 * 50 + 0.4 * 80), 20.0, 1.0)

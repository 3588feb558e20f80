"""The likelihood of renewal: base rates by segment and health, shrunk, from what was decided by the as-of day."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cs_metrics.metrics import run
from cs_metrics.metrics.renewals import open_with_likelihood
from cs_metrics.models import base_rate
from cs_metrics.models.base_rate import LAGS
from tests.renewal_company import answers, contract, history, lost, renewed, sellers
from tests.support import day, records

PAST = {("SMB", "green"): (30, 2), ("SMB", "red"): (8, 12), ("Mid", "green"): (10, 0)}


def decided(*groups: tuple[str, str, int, int]) -> pd.DataFrame:
    """Rows of (segment, colour, renewed, lost), with the same colour at every lag."""
    rows = [
        {"segment": segment, "renewed": int(at < kept), "days_late": -10.0, **{f"colour_{lag}": colour for lag in LAGS}}
        for segment, colour, kept, gone in groups
        for at in range(kept + gone)
    ]
    return pd.DataFrame(rows)


def asked(*groups: tuple[str, str], lag: int = 90) -> pd.DataFrame:
    return pd.DataFrame([{"segment": segment, "colour": colour, "lag": lag} for segment, colour in groups])


def fitted(rows: pd.DataFrame, **changed: int) -> base_rate.BaseRates:
    return base_rate.fit(rows, **{"prior": 20, "min_decisions": 50, "min_losses": 10, **changed})


def expit(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def logit(rate: float) -> float:
    return math.log(rate / (1 - rate))


def test_a_group_is_pulled_towards_the_odds_of_its_segment_and_its_colour() -> None:
    rates = fitted(decided(("SMB", "green", 30, 2), ("SMB", "red", 8, 12), ("Mid", "green", 10, 0)))
    overall = 48.5 / 63
    smb, red = (38 + 20 * overall) / (52 + 20), (8 + 20 * overall) / (20 + 20)
    expected = expit(logit(smb) + logit(red) - logit(overall))
    found = rates.of(asked(("SMB", "red"))).iloc[0]
    assert rates.basis == "segment and health"
    assert found["expected"] == pytest.approx(expected)
    assert found["likelihood"] == pytest.approx((8 + 20 * expected) / (20 + 20))
    assert (found["decisions"], found["renewed"]) == (20, 8)


def test_a_segment_that_was_never_decided_gets_the_rate_of_its_colour() -> None:
    rates = fitted(decided(("SMB", "green", 30, 2), ("SMB", "red", 8, 12), ("Mid", "green", 10, 0)))
    found = rates.of(asked(("New", "red"))).iloc[0]
    assert found["decisions"] == 0
    assert found["likelihood"] == pytest.approx((8 + 20 * 48.5 / 63) / 40)


def test_learned_rates_are_pulled_as_much_as_the_groups_are_alike() -> None:
    def likely(weight: float, groups: list[tuple[int, int]], expected: float) -> float:
        """Log of the beta-binomial chance of the groups (renewed, decisions) and of the prior of the weight."""
        a, b = weight * expected, weight * (1 - expected)
        found = math.log(weight) - 2 * math.log(weight + 20)
        for kept, count in groups:
            found += math.lgamma(a + kept) + math.lgamma(b + count - kept) - math.lgamma(weight + count)
            found += math.lgamma(weight) - math.lgamma(a) - math.lgamma(b)
        return found

    def pulled(groups: list[tuple[int, int]], expected: float) -> float:
        kept, count = (np.array(one, dtype=float) for one in zip(*groups, strict=True))
        return base_rate.pull(kept, count, np.full(len(groups), expected), 20.0)

    apart, alike = [(30, 30), (6, 20)], [(24, 30), (16, 20)]
    for groups, expected in ((apart, 0.72), (alike, 0.8)):
        best = max((1000 ** (at / 120) for at in range(121)), key=lambda one: likely(one, groups, expected))
        assert pulled(groups, expected) == pytest.approx(best)
    assert pulled(apart, 0.72) < 5 < 20 < pulled(alike, 0.8)


def test_learned_rates_tell_colours_apart_and_far_ahead_start_from_nearer_ones() -> None:
    rows = decided(("SMB", "green", 30, 0), ("SMB", "red", 6, 14))
    rows[["colour_270", "colour_360"]] = None  # nobody's health is known so long before
    plain, learned = fitted(rows), base_rate.learned(fitted(rows))
    green, red = (learned.of(asked(("SMB", one)))["likelihood"].iloc[0] for one in ("green", "red"))
    assert plain.of(asked(("SMB", "green")))["likelihood"].iloc[0] < 0.96 < 0.97 < green < 1
    assert 0.3 < red < 0.36 < plain.of(asked(("SMB", "red")))["likelihood"].iloc[0]
    far = [learned.of(asked(("SMB", one), lag=360))["likelihood"].iloc[0] for one in ("green", "red")]
    assert far == pytest.approx([green, red], abs=0.05)
    assert plain.of(asked(("SMB", "green"), lag=360))["likelihood"].iloc[0] < 0.8


@pytest.mark.parametrize(
    ("rows", "basis"),
    [
        (decided(("SMB", "green", 40, 10)), "segment and health"),
        (decided(("SMB", "green", 39, 10)), "segment"),
        (decided(("SMB", "green", 91, 9)), "segment"),
        (decided(("SMB", "green", 1, 0)).iloc[:0], "none"),
    ],
)
def test_with_few_decisions_or_losses_only_the_segment_is_told_apart(rows: pd.DataFrame, basis: str) -> None:
    assert fitted(rows).basis == basis


def test_the_segment_alone_is_pulled_towards_the_overall_rate() -> None:
    rates = fitted(decided(("SMB", "green", 9, 3), ("Mid", "red", 4, 0)))
    found = rates.of(asked(("SMB", "red"), ("Mid", "green")))["likelihood"].tolist()
    assert found == pytest.approx([(9 + 20 * 13.5 / 17) / 32, (4 + 20 * 13.5 / 17) / 24])


def test_without_any_decision_nothing_is_known() -> None:
    found = fitted(decided(("SMB", "green", 1, 0)).iloc[:0]).of(asked(("SMB", "red")))
    assert found["likelihood"].isna().all()


@pytest.mark.parametrize(("days_left", "lag"), [(-20, 90), (90, 90), (135, 90), (136, 180), (300, 270), (900, 360)])
def test_contracts_far_from_their_end_are_read_at_the_nearest_lag(days_left: int, lag: int) -> None:
    assert base_rate.lag_of(pd.Series([days_left])).tolist() == [lag]


def test_area_under_curve_counts_pairs() -> None:
    score, happened = np.array([0.9, 0.8, 0.8, 0.3]), np.array([1.0, 1.0, 0.0, 0.0])
    area, low, high = base_rate.area_under_curve(score, happened)
    assert area == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert low < area < high <= 1


def test_area_under_curve_is_unknown_without_both_outcomes() -> None:
    assert all(math.isnan(one) for one in base_rate.area_under_curve(np.array([0.5]), np.array([1.0])))


def test_open_contracts_get_the_rate_of_their_health_90_days_before_the_end(tmp_path: Path) -> None:
    contracts, surveys, segments = history(PAST)
    for name, score in (("glad", 10), ("sad", 0)):
        contracts.append(contract(name, "2024-03-31", arr=500))
        surveys += answers(name, "2023-02-01", "2023-12-20", score)
    # Happy 90 days before the end and unhappy since: the likelihood rests on what held then.
    contracts.append(contract("turned", "2024-03-31", arr=500))
    surveys += answers("turned", "2023-02-01", "2023-12-20", 10) + answers("turned", "2024-01-05", "2024-01-06", 0)
    store = sellers(tmp_path, contracts, segments=segments, surveys=surveys)
    found = open_with_likelihood(store, day("2024-02-15")).set_index("contract_id")
    rates = fitted(decided(("SMB", "green", 30, 2), ("SMB", "red", 8, 12), ("Mid", "green", 10, 0)))
    green, red = rates.of(asked(("SMB", "green"), ("SMB", "red")))["likelihood"]
    assert found["colour"].to_dict() == {"glad": "green", "sad": "red", "turned": "green"}
    assert found["likelihood"].to_dict() == pytest.approx({"glad": green, "sad": red, "turned": green})
    assert found.loc["sad", ["decisions", "renewed"]].tolist() == [20, 8]


def test_only_contracts_decided_and_ended_by_the_day_teach_the_rate(tmp_path: Path) -> None:
    rows = [renewed(f"r{at}", "2023-06-30", "2023-06-20") for at in range(6)]
    rows += [lost(f"l{at}", "2023-06-30", "2023-07-20") for at in range(3)]
    rows += [renewed(f"early{at}", "2023-12-31", "2023-06-15") for at in range(5)]
    rows.append(contract("open", "2023-09-30"))
    store = sellers(tmp_path, rows)
    supports = {}
    for as_of in ("2023-06-30", "2023-07-20", "2023-12-31"):
        found = run(store, "renewal_base_rates", as_of=day(as_of))
        supports[as_of] = records(found[found["segment"] == "SMB"], "decisions", "renewed", "is_used")
    assert supports == {
        "2023-06-30": [(6, 6, True)],
        "2023-07-20": [(9, 6, True)],
        "2023-12-31": [(14, 11, True)],
    }


def test_a_contract_past_its_end_is_weighed_against_those_that_were_as_late(tmp_path: Path) -> None:
    contracts, surveys, segments = history(PAST)
    late = [renewed(f"late kept {at}", "2023-11-30", "2023-12-15") for at in range(3)]
    late += [lost(f"late lost {at}", "2023-11-30", "2023-12-20") for at in range(7)]
    overdue = contract("overdue", "2024-01-31")
    store = sellers(tmp_path, [*contracts, *late, overdue], segments=segments, surveys=surveys)
    fresh = open_with_likelihood(store, day("2024-01-31")).set_index("contract_id").loc["overdue"]
    after = open_with_likelihood(store, day("2024-02-12")).set_index("contract_id").loc["overdue"]
    assert (fresh["late_decisions"], fresh["likelihood"]) == (0, fresh["group_rate"])
    assert (after["late_decisions"], after["late_renewed"]) == (10, 3)
    assert after["likelihood"] == pytest.approx((3 + 20 * after["group_rate"]) / 30)
    much_later = open_with_likelihood(store, day("2024-02-19")).set_index("contract_id").loc["overdue"]
    assert (much_later["late_decisions"], much_later["late_renewed"]) == (7, 0)


def test_the_card_judges_only_on_later_decisions(tmp_path: Path) -> None:
    contracts, surveys, segments = history(PAST)
    for at, (score, outcome) in enumerate([(10, renewed)] * 6 + [(0, lost)] * 6):
        name = f"next {at}"
        segments[name] = "SMB"
        contracts.append(outcome(name, "2024-12-31", "2024-12-20"))
        surveys += answers(name, "2023-02-01", "2024-12-31", score)
    store = sellers(tmp_path, contracts, segments=segments, surveys=surveys)
    before = run(store, "likelihood_card", as_of=day("2024-06-30")).iloc[0]
    assert before["decisions"] == 0
    assert math.isnan(before["auc"])
    assert before["verdict"].startswith("It cannot be judged yet")
    after = run(store, "likelihood_card", as_of=day("2024-12-31")).iloc[0]
    rates = fitted(decided(("SMB", "green", 30, 2), ("SMB", "red", 8, 12), ("Mid", "green", 10, 0)))
    green, red = rates.of(asked(("SMB", "green"), ("SMB", "red")))["likelihood"]
    assert (after["decisions"], after["losses"], after["auc"]) == (12, 6, 1.0)
    assert after["brier"] == pytest.approx(((1 - green) ** 2 + red**2) / 2)
    assert after["base_brier"] == pytest.approx(((1 - rates.overall) ** 2 + rates.overall**2) / 2)
    assert after["log_loss"] == pytest.approx(-(math.log(green) + math.log(1 - red)) / 2)


def test_the_base_rates_list_what_is_used(tmp_path: Path) -> None:
    contracts, surveys, segments = history(PAST)
    store = sellers(tmp_path, contracts, segments=segments, surveys=surveys)
    found = run(store, "renewal_base_rates", as_of=day("2023-12-31"))
    assert records(found, "segment", "colour", "decisions", "renewed", "is_used") == [
        ("all", "all", 62, 48, False),
        ("Mid", "all", 10, 10, False),
        ("SMB", "all", 52, 38, False),
        ("Mid", "green", 10, 10, True),
        ("SMB", "red", 20, 8, True),
        ("SMB", "green", 32, 30, True),
    ]
    assert records(found, "rate")[4] == (0.4,)

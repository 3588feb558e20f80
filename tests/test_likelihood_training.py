"""The likelihood that is learned with each generation: chosen on a time split, scored week by week, explained exactly."""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cs_metrics.config import load_config
from cs_metrics.contract.facts import read_manifest, write_manifest
from cs_metrics.contract.load import load
from cs_metrics.marts.publication import publish
from cs_metrics.metrics import run
from cs_metrics.metrics.likelihood import landmark_of, open_contracts
from cs_metrics.metrics.likelihood_parts import likelihood_parts
from cs_metrics.metrics.renewals import open_with_likelihood
from cs_metrics.models.likelihood import calibrate, fit, sigmoid
from cs_metrics.models.likelihood_factors import FACTORS, Design, design
from cs_metrics.models.likelihood_trial import CANDIDATES, clustered
from cs_metrics.store import Database, Store
from cs_metrics.training import make
from tests.likelihood_company import NEWEST, learned
from tests.renewal_company import answers, lost, renewed, sellers
from tests.support import day

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return learned(tmp_path_factory.mktemp("learned"))


def sample(rows: int = 400, seed: int = 1) -> tuple[Design, np.ndarray]:
    """Two columns of the factor key_weeks and one of nps; the first decides, the second is half missing."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 3))
    renewed = (sigmoid(1.5 * values[:, 0] + 0.5) > rng.random(rows)).astype("float64")
    values[rng.random(rows) < 0.5, 1] = np.nan
    return Design(values, ("key_weeks", "tickets_ln", "nps"), ("key_weeks", "tickets", "nps")), renewed


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_contributions_add_up_to_the_log_odds_exactly(candidate: str) -> None:
    rows, renewed = sample()
    model = fit(candidate, rows, renewed)
    parts, base = model.contributions(rows.values)
    np.testing.assert_allclose(parts.sum(axis=1) + base, model.log_odds(rows.values), atol=1e-5)
    assert np.abs(parts[:, 0]).mean() > 4 * np.abs(parts[:, 2]).mean()


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_the_same_rows_give_the_same_model(candidate: str) -> None:
    rows, renewed = sample()
    first, second = (fit(candidate, rows, renewed).log_odds(rows.values) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_each_candidate_finds_what_decides(candidate: str) -> None:
    rows, renewed = sample(1200)
    fresh, _ = sample(500, seed=2)
    odds = fit(candidate, rows, renewed).log_odds(fresh.values)
    assert np.corrcoef(odds, fresh.values[:, 0])[0, 1] > 0.85


def test_a_value_that_was_never_known_adds_nothing() -> None:
    rows, renewed = sample()
    rows.values[:, 2] = np.nan
    parts, _ = fit("logistic", rows, renewed).contributions(np.array([[0.0, np.nan, 5.0]]))
    assert parts[0, 2] == 0


def test_calibration_finds_the_line_and_leaves_few_decisions_alone() -> None:
    rng = np.random.default_rng(3)
    odds = rng.normal(size=40_000)
    renewed = (sigmoid(0.4 + 0.5 * odds) > rng.random(len(odds))).astype("float64")
    line = calibrate(odds, renewed)
    assert (line.shift, line.slope) == (pytest.approx(0.4, abs=0.05), pytest.approx(0.5, abs=0.05))
    few = calibrate(odds[:10], renewed[:10])
    assert (few.shift, few.slope) == (pytest.approx(0, abs=0.1), pytest.approx(1, abs=0.1))
    assert calibrate(np.zeros(0), np.zeros(0)).slope == 1
    against = calibrate(odds, 1 - renewed)
    assert against.slope == 0
    assert sigmoid(np.array([against.shift]))[0] == pytest.approx(1 - renewed.mean(), abs=1e-3)


def test_an_interval_over_accounts_takes_their_rows_together() -> None:
    values = np.array([1.0, 1.0, 3.0, 3.0])
    mean, low, high = clustered(values, np.array(["a", "a", "b", "b"]))
    assert mean == 2
    half = 1.959964 * math.sqrt((4 + 4) * 2) / 4  # sums of ±2 in two groups
    assert (low, high) == (pytest.approx(2 - half), pytest.approx(2 + half))
    alone = clustered(values, np.array(["a", "b", "c", "d"]))
    assert alone[2] - alone[0] < high - mean


@pytest.mark.parametrize(("days_left", "landmark"), [(5, 30), (59, 30), (60, 90), (179, 90), (180, 270), (371, 270)])
def test_a_contract_is_read_at_the_landmark_nearest_to_its_days_left(days_left: int, landmark: int) -> None:
    assert landmark_of(pd.Series([days_left])).tolist() == [landmark]


def test_a_model_that_beats_the_base_rate_is_chosen_and_used(store: Store) -> None:
    found = open_with_likelihood(store, day(NEWEST)).set_index("contract_id")
    assert set(found["basis"]) <= set(CANDIDATES)
    left = found["likelihood"].to_numpy()[[int(name[1:]) % 3 == 0 for name in found.index]]
    stayed = found["likelihood"].to_numpy()[[int(name[1:]) % 3 != 0 for name in found.index]]
    assert left.max() < 0.5 < 0.65 < stayed.min()
    assert left.mean() == pytest.approx(0.25, abs=0.1)
    assert stayed.mean() == pytest.approx(11 / 12, abs=0.1)


def test_the_choice_rests_on_what_was_known_by_the_quarter_end(store: Store) -> None:
    rows = store.frame("select * from renewal_training order by trained_on, candidate")
    assert rows.groupby("trained_on")["is_chosen"].sum().eq(1).all()
    few = rows[rows["reason"].str.startswith("too few")]
    assert few["trained_on"].max() < rows.loc[rows["is_chosen"] & (rows["candidate"] != "base"), "trained_on"].min()
    for trained_on, part in rows[rows["candidate"] == "base"].groupby("trained_on"):
        sql = "select count(*) from contracts where decided_on <= $day and ends_on <= $day"
        assert part["decisions"].iloc[0] == store.value(sql, day=trained_on.date())


def test_every_prediction_of_the_trial_was_made_before_its_outcome(store: Store) -> None:
    sql = """
        select min(date_diff('day', trial.trained_on, contracts.decided_on)), min(date_diff('day', trial.week_end, contracts.decided_on))
        from renewal_trial trial inner join contracts on contracts.contract_id = trial.contract_id
    """
    assert min(store.rows(sql)[0]) > 0


def test_before_there_is_a_model_the_base_rate_stands_in(store: Store) -> None:
    first = store.value("select min(week_end) from renewal_score")
    found = open_with_likelihood(store, day("2022-03-31"))
    assert first > day("2022-03-31")
    assert set(found["basis"]) == {"segment"}


def test_parts_add_up_to_the_likelihood_and_name_what_drives_it(store: Store) -> None:
    scored = open_contracts(store, day(NEWEST)).set_index("contract_id")["scored"].dropna()
    found = likelihood_parts(store, scored.index.tolist(), day(NEWEST))
    total = found.groupby("contract_id")["contribution"].sum()
    np.testing.assert_allclose(total, np.log(scored / (1 - scored))[total.index], atol=1e-4)
    drivers = found[found["factor"] != "base"]
    top = drivers.loc[drivers.groupby("contract_id")["contribution"].idxmin()].set_index("contract_id")
    assert set(top.loc[[name for name in top.index if int(name[1:]) % 3 == 0], "factor"]) == {"sponsor_left"}
    assert top["value"].iloc[0] == "a sponsor or decision maker left within a year"
    assert {len(part) for _, part in found.groupby("contract_id")} == {1 + len(FACTORS)}


def test_the_card_is_what_plain_counting_over_the_trial_gives(store: Store) -> None:
    card = run(store, "likelihood_card", as_of=day(NEWEST)).set_index("model")
    used = card[card["is_used"]].iloc[0]
    name = store.value("select candidate from renewal_training where is_chosen order by trained_on desc limit 1")
    sql = """
        select likelihood, outcome = 'renewed' from renewal_trial inner join contracts using (contract_id)
        where candidate = $name and landmark_days = 90 and ends_on <= $day and decided_on <= $day
    """
    said = store.rows(sql, name=name, day=day(NEWEST))
    kept, gone = [p for p, was in said if was], [p for p, was in said if not was]
    pairs = [1.0 if k > g else 0.5 if k == g else 0.0 for k in kept for g in gone]
    assert (used["decisions"], used["losses"]) == (len(said), len(gone))
    assert used["auc"] == pytest.approx(sum(pairs) / len(pairs))
    assert used["brier"] == pytest.approx(sum((p - was) ** 2 for p, was in said) / len(said))
    assert used["log_loss"] == pytest.approx(-sum(math.log(p if was else 1 - p) for p, was in said) / len(said))
    assert used["gain"] == pytest.approx(card["log_loss"].iloc[-1] - used["log_loss"])
    assert card["decisions"].nunique() == 1
    by_term = run(store, "likelihood_card", as_of=day(NEWEST), options={"by": "term"})
    assert by_term.loc[by_term["is_used"], "decisions"].sum() == len(said)


def test_the_bands_hold_every_judged_decision_once(store: Store) -> None:
    bands = run(store, "likelihood_reliability", as_of=day(NEWEST))
    card = run(store, "likelihood_card", as_of=day(NEWEST)).iloc[0]
    assert len(bands) == 10
    assert bands["decisions"].sum() == card["decisions"]
    assert bands["renewed"].sum() == card["decisions"] - card["losses"]
    full = bands[bands["decisions"] > 0]
    assert ((full["likelihood_from"] <= full["likelihood"]) & (full["likelihood"] <= full["likelihood_to"])).all()
    assert ((full["low"] <= full["rate"]) & (full["rate"] <= full["high"])).all()


def test_the_factor_that_decides_is_strong_and_one_never_measured_is_none(store: Store) -> None:
    found = run(store, "likelihood_factors", as_of=day(NEWEST)).set_index("factor")
    assert found.index[0] == "sponsor_left"
    assert found.loc["sponsor_left", ["strength", "direction"]].tolist() == ["strong", "more against renewal"]
    assert found.loc["nps", "importance"] == pytest.approx(0, abs=1e-6)
    assert found.loc["nps", ["strength", "direction", "published"]].tolist() == ["none", "", "weak"]


def test_the_pipeline_tells_first_what_moves_the_likelihood(store: Store) -> None:
    found = run(store, "renewal_pipeline", as_of=day(NEWEST)).set_index("contract_id")
    left = np.array([int(name[1:]) % 3 == 0 for name in found.index])
    ahead = found[(found["days_left"] >= 0) & left]
    assert len(ahead) > 3
    for text in ahead["reasons_against"]:
        assert re.match(r"sponsor left on \d+ \w+ 202\d \(-[2-9]\d points\)", text), text


def test_what_is_missing_is_not_guessed(store: Store) -> None:
    weeks = store.frame("select * from renewal_week")
    made = design(weeks, ("SMB",))
    by = dict(zip(made.names, made.values.T, strict=True))
    for name in ("nps", "csat", "key_weeks", "active_days", "onboarded", "last_discount"):
        assert np.isnan(by[name]).all(), name
    assert (by["sponsor_left"] == weeks["sponsor_left"]).all()


def test_outcomes_of_one_day_cannot_judge_what_they_taught(tmp_path: Path) -> None:
    contracts = [(renewed if at % 4 else lost)(f"c{at}", "2023-09-20", "2023-09-20") for at in range(80)]
    later = answers("c1", "2023-12-31", "2023-12-31", 9)
    card = run(sellers(tmp_path, contracts, surveys=later), "likelihood_card", as_of=day("2023-12-31"))
    assert card["model"].tolist() == ["base rate by segment and health"]
    assert card["reason"].iloc[0].startswith("all outcomes lie on one day, so that no time split exists")
    assert card["trained_decisions"].iloc[0] == 80


@pytest.mark.skipif(not SHARED.exists(), reason="the public data sets do not lie beside the project")
def test_where_renewals_are_drawn_at_random_nothing_is_found(tmp_path: Path) -> None:
    mapping = ROOT / "docs" / "examples" / "ravenstack" / "mapping.toml"
    assert load(SHARED / "ravenstack", tmp_path, mapping=mapping).status == "published"
    public = Database.open(tmp_path).current()
    card = run(public, "likelihood_card", as_of=public.newest_day).iloc[0]
    assert 0.42 <= card["auc"] <= 0.58
    assert card["verdict"].startswith("It does not separate")


@pytest.mark.skipif(not SHARED.exists(), reason="the public data sets do not lie beside the project")
def test_one_snapshot_teaches_the_base_rate_and_no_more(tmp_path: Path) -> None:
    mapping = ROOT / "docs" / "examples" / "telco_ibm" / "mapping.toml"
    assert load(SHARED / "telco_ibm", tmp_path, mapping=mapping).status == "published"
    card = run(Database.open(tmp_path).current(), "likelihood_card").iloc[0]
    assert (card["trained_decisions"], card["trained_losses"], card["decisions"]) == (7032, 1869, 0)
    assert card["model"] == "base rate by segment and health"
    assert card["reason"].startswith("all outcomes lie on one day, so that no time split exists")


def again(store: Store, number: int) -> Store:
    manifest = read_manifest(store.data_dir, store.number).model_copy(update={"number": number})
    make(store.data_dir, manifest, config=load_config(store.data_dir), earlier=store.number)
    write_manifest(store.data_dir, manifest)
    publish(store.data_dir, number)
    return Database.open(store.data_dir).current()


def test_a_training_with_the_same_inputs_is_kept_and_what_was_shown_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = learned(tmp_path)

    def refuse(*_given: object) -> None:
        raise AssertionError("learned again")

    monkeypatch.setattr("cs_metrics.models.likelihood.fit", refuse)
    second = again(first, 2)
    for table in ("renewal_training", "renewal_trial", "renewal_shuffled", "renewal_score", "renewal_part"):
        sql = f"select * from {table} order by all"
        assert first.rows(sql) == second.rows(sql)
    seen = open_with_likelihood(first, first.newest_day).sort_values("contract_id")
    kept = second.frame("select * from renewal_shown order by contract_id")
    assert kept["likelihood"].tolist() == seen["likelihood"].tolist()
    assert set(kept["generation"]) == {1}
    third = again(second, 3)
    assert third.value("select count(*) from renewal_shown") == len(seen), "a day is told once, as it was last shown"

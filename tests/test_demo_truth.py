"""The planted truths can be found again in the files, by plain computations that know nothing of how they were made."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cs_metrics import demo
from cs_metrics.demo.clock import LAST_DAY

END = pd.Timestamp(LAST_DAY) + pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth")
    demo.write(folder, events=1_000_000)
    return folder


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "truth.json").read_text())
    return found


@pytest.fixture(scope="module")
def events(folder: Path) -> pd.DataFrame:
    found = pd.read_parquet(folder / "events", columns=["account_id", "event", "occurred_at", "user_id"])
    found["day"] = found["occurred_at"].dt.normalize()
    return found


@pytest.fixture(scope="module")
def tables(folder: Path) -> dict[str, pd.DataFrame]:
    found = {path.stem: pd.read_parquet(path) for path in folder.glob("*.parquet")}
    for table in found.values():
        for column in table.columns:
            if column.endswith("_on"):
                table[column] = pd.to_datetime(table[column])
    return found


@pytest.fixture(scope="module")
def start(tables: dict[str, pd.DataFrame]) -> pd.Series:
    return tables["accounts"].set_index("account_id")["started_on"]


@pytest.fixture(scope="module")
def lost(tables: dict[str, pd.DataFrame]) -> pd.Series:
    """The first day on which each account has no MRR after it had some; far away for customers."""
    lines = tables["subscriptions"][~tables["subscriptions"]["is_trial"]]
    found = {}
    for account, own in lines.groupby("account_id"):
        reached = own["starts_on"].min()
        for begins, ends in sorted(
            zip(own["starts_on"], own["ends_on"].fillna(pd.Timestamp("2100-01-01")), strict=True)
        ):
            if begins <= reached:
                reached = max(reached, ends)
        found[account] = reached
    return pd.Series(found)


@pytest.fixture(scope="module")
def curve(events: pd.DataFrame, start: pd.Series) -> pd.Series:
    """Share of accounts with the key action in each week of their life, over those whose week is over."""
    key = events.loc[events["event"] == "order_created"]
    week = (key["day"] - key["account_id"].map(start)).dt.days // 7
    weeks_over = (END - start).dt.days // 7
    done = pd.DataFrame({"account_id": key["account_id"], "week": week}).drop_duplicates()
    done = done[done["week"] < done["account_id"].map(weeks_over)]
    eligible = pd.Series({week: int((weeks_over > week).sum()) for week in range(int(weeks_over.max()))})
    active = done.groupby("week").size().reindex(eligible.index, fill_value=0)
    return (active / eligible)[eligible >= 5]


def joined_lines(curve: pd.Series, joint: int) -> tuple[float, float, float]:
    """Fit two lines that meet at `joint`: squared error, level at the joint, slope of the tail."""
    x = curve.index.to_numpy(dtype=float)
    design = np.stack([np.ones_like(x), np.minimum(x - joint, 0), np.maximum(x - joint, 0)], axis=1)
    found, _, _, _ = np.linalg.lstsq(design, curve.to_numpy(), rcond=None)
    return float(((design @ found - curve.to_numpy()) ** 2).sum()), float(found[0]), float(found[2])


def test_the_curve_settles_where_it_was_planted(curve: pd.Series, truth: dict[str, Any]) -> None:
    best = min(range(2, 20), key=lambda joint: joined_lines(curve, joint)[0])
    _, level, slope = joined_lines(curve, best)
    assert best == pytest.approx(truth["plateau"]["week"], abs=1)
    assert level == pytest.approx(truth["plateau"]["level"], abs=0.03)
    assert abs(slope) < truth["plateau"]["most_slope_per_week"]
    assert curve[0] == pytest.approx(truth["plateau"]["start_level"], abs=0.03)
    assert curve[6:26].mean() == pytest.approx(truth["plateau"]["level_first_26_weeks"], abs=0.003)


@pytest.mark.parametrize(("seed", "accounts"), [(1, 400), (2, 400), (7, 1000)])
def test_the_plateau_holds_for_other_companies(tmp_path: Path, seed: int, accounts: int) -> None:
    plateau = demo.write(tmp_path, accounts=accounts, events=0, seed=seed).plateau
    assert plateau["level_all_weeks"] == pytest.approx(plateau["level"], abs=0.02)
    assert abs(plateau["slope_per_week"]) < plateau["most_slope_per_week"]
    falls = np.diff(plateau["curve"][:7])
    assert (falls < 0).all()


def test_accounts_fall_away_from_the_habit_only_before_the_plateau(curve: pd.Series) -> None:
    by_quarter = [curve[at : at + 13].mean() for at in range(6, 110, 13)]
    assert max(by_quarter) - min(by_quarter) < 0.05


@pytest.mark.parametrize("within_days", [30, 60, 90])
def test_the_key_action_tells_most_about_who_stays(
    events: pd.DataFrame, start: pd.Series, lost: pd.Series, truth: dict[str, Any], within_days: int
) -> None:
    followed = start.index[start + pd.Timedelta(days=365) <= pd.Timestamp(LAST_DAY)]
    stayed = lost[followed] > start[followed] + pd.Timedelta(days=365)
    first = events.groupby(["event", "account_id"], observed=True)["day"].min()
    found = {}
    for event in first.index.get_level_values("event").unique():
        days = (first[event].reindex(followed) - start[followed]).dt.days
        did = days < within_days
        if min(did.sum(), (~did).sum()) >= 20:
            found[event] = stayed[did].mean() - stayed[~did].mean()
    ranked = sorted(found, key=lambda event: found[event], reverse=True)
    assert ranked[0] == truth["key_action"]["event"]
    assert found[ranked[0]] > 0.25
    decoys = [found[event] for event in truth["key_action"]["only_go_along"] if event in found]
    assert len(decoys) >= 3
    assert max(decoys) < 0.65 * found[ranked[0]]


def test_onboarding_in_time_separates_who_stays(
    tables: dict[str, pd.DataFrame], events: pd.DataFrame, start: pd.Series, lost: pd.Series, truth: dict[str, Any]
) -> None:
    recorded = tables["milestone_completions"].set_index(["account_id", "milestone_id"])["completed_on"]
    first = events.groupby(["account_id", "event"], observed=True)["day"].min()
    segment = tables["accounts"].set_index("account_id")["segment"]
    in_time = {}
    for account in start.index:
        steps = tables["milestones"]
        wanted = steps[steps["segment"].isna() | (steps["segment"] == segment[account])]
        days = [
            first.get((account, event)) if isinstance(event, str) else recorded.get((account, milestone))
            for milestone, event in zip(wanted["milestone_id"], wanted["completes_on_event"], strict=True)
        ]
        in_time[account] = all(day is not None and (day - start[account]).days <= 90 for day in days)
    done = pd.Series(in_time)
    landmark = start + pd.Timedelta(days=90)
    year = landmark + pd.Timedelta(days=365)
    followed = (year <= pd.Timestamp(LAST_DAY)) & (lost[start.index] > landmark)
    stayed = lost[start.index] > year
    told = truth["ninety_ten"]
    assert int((followed & done).sum()) == told["completed"]["accounts"]
    assert int((followed & ~done).sum()) == told["not_completed"]["accounts"]
    assert stayed[followed & done].mean() == pytest.approx(told["completed"]["retained"], abs=1e-4)
    assert stayed[followed & ~done].mean() == pytest.approx(told["not_completed"]["retained"], abs=1e-4)
    assert told["gap"] > 0.25
    for group in ("completed", "not_completed"):
        assert told[group]["retained"] == pytest.approx(told[group]["true_first_renewal_probability"], abs=0.12)


def test_contracts_end_with_their_true_probability(tables: dict[str, pd.DataFrame], truth: dict[str, Any]) -> None:
    both = tables["contracts"].merge(tables["truth_contracts"], on=["contract_id", "account_id"])
    assert len(both) == len(tables["contracts"]) == len(tables["truth_contracts"])
    decided = both[both["outcome"].notna()]
    renewed = (decided["outcome"] == "renewed").to_numpy()
    assert (renewed == decided["will_renew"]).all()
    assert (len(decided), int(renewed.sum())) == (truth["renewal"]["decided"], truth["renewal"]["renewed"])
    chance = decided["probability"].to_numpy()
    for low, high in ((0, 1), (0, 0.4), (0.4, 0.8), (0.8, 0.95), (0.95, 1)):
        band = (chance >= low) & (chance <= high)
        spread = np.sqrt((chance[band] * (1 - chance[band])).sum())
        assert band.sum() >= 20
        assert abs(renewed[band].sum() - chance[band].sum()) < 3 * spread
    brier, base = ((chance - renewed) ** 2).mean(), renewed.mean() * (1 - renewed.mean())
    assert brier < 0.7 * base


def separation(values: pd.Series, renewed: pd.Series) -> float:
    """Difference of the means of renewed and lost contracts, in standard deviations."""
    return float((values[renewed].mean() - values[~renewed].mean()) / values.std())


def test_strong_factors_separate_and_weak_ones_hardly(
    tables: dict[str, pd.DataFrame], events: pd.DataFrame, truth: dict[str, Any]
) -> None:
    decided = tables["contracts"][tables["contracts"]["outcome"].notna()].copy()
    decided["landmark"] = decided["ends_on"] - pd.Timedelta(days=90)

    def count(rows: pd.DataFrame, day: str, back: int, what: str = "") -> pd.Series:
        both = decided[["contract_id", "account_id", "landmark"]].merge(rows, on="account_id")
        inside = both[(both[day] < both["landmark"]) & (both[day] >= both["landmark"] - pd.Timedelta(days=back))]
        grouped = inside.groupby("contract_id")
        found = grouped[what].mean() if what else grouped.size()
        return found.reindex(decided["contract_id"]).set_axis(decided.index)

    key = events.loc[events["event"] == "order_created", ["account_id", "day"]].drop_duplicates()
    surveys = tables["surveys"].query("kind == 'nps'").assign(day=lambda rows: rows["answered_at"])
    tickets = tables["tickets"].assign(day=lambda rows: rows["opened_at"])
    webinars = events.loc[events["event"] == "webinar_attended", ["account_id", "day"]]
    sponsors = tables["contacts"].query("role == 'sponsor'").dropna(subset=["left_on"])
    renewed = decided["outcome"] == "renewed"
    strong = {
        "key_weeks": separation(count(key, "day", 91).fillna(0), renewed),
        "tickets": separation(np.log1p(count(tickets, "day", 182).fillna(0)), renewed),
        "sponsor_left": separation(count(sponsors, "left_on", 365).fillna(0), renewed),
    }
    weak = {
        "satisfaction": separation(count(surveys, "day", 365, "score"), renewed),
        "attendance": separation(count(webinars, "day", 182).fillna(0), renewed),
    }
    assert set(strong) < set(truth["renewal"]["strength"]["strong"])
    assert set(weak) < set(truth["renewal"]["strength"]["weak"])
    assert strong["key_weeks"] > 0.8
    assert strong["tickets"] > 0.5
    assert strong["sponsor_left"] < -0.2
    assert max(abs(value) for value in weak.values()) < 0.35


def test_the_book_is_a_growing_and_believable_one(tables: dict[str, pd.DataFrame], truth: dict[str, Any]) -> None:
    lines = tables["subscriptions"][~tables["subscriptions"]["is_trial"]].copy()
    lines["mrr"] = lines["mrr"].astype(float)

    def book(day: pd.Timestamp) -> pd.Series:
        runs = (lines["starts_on"] <= day) & (lines["ends_on"].isna() | (lines["ends_on"] > day))
        return lines[runs].groupby("account_id")["mrr"].sum()

    now, before = book(pd.Timestamp(LAST_DAY)), book(pd.Timestamp(LAST_DAY) - pd.Timedelta(days=365))
    same = now.reindex(before.index, fill_value=0)
    assert len(now) == truth["book"]["customers"]
    assert now.sum() == pytest.approx(sum(truth["book"]["mrr"].values()))
    assert 0.75 <= len(now) / truth["accounts"] <= 0.85
    assert 10e6 <= 12 * now.sum() <= 30e6
    assert 0.85 <= np.minimum(same, before).sum() / before.sum() <= 0.92
    assert 1.00 <= same.sum() / before.sum() <= 1.12
    assert now.sum() > 1.3 * before.sum()


def test_the_last_day_has_work_for_everybody(tables: dict[str, pd.DataFrame], start: pd.Series) -> None:
    last = pd.Timestamp(LAST_DAY)
    fresh = start.index[start > last - pd.Timedelta(days=90)]
    assert 25 <= len(fresh) <= 40
    calls = tables["ctas"].query("closed_on.isna() and account_id in @fresh")
    flagged = set(calls[calls["flagged_on"].notna() & calls["unflagged_on"].isna()]["account_id"])
    yellow = set(calls["account_id"]) - flagged
    assert len(flagged) >= 3
    assert len(yellow) >= 3
    assert len(fresh) - len(flagged | yellow) >= 10
    undecided = tables["contracts"][tables["contracts"]["outcome"].isna()]
    due = undecided[undecided["ends_on"].between(last + pd.Timedelta(days=1), last + pd.Timedelta(days=90))]
    assert len(due) >= 40
    assert (undecided["ends_on"] <= last).sum() >= 2


def test_use_follows_the_week_and_the_season(events: pd.DataFrame) -> None:
    by_weekday = events.groupby(events["occurred_at"].dt.day_of_week).size()
    assert by_weekday[5:].max() < 0.3 * by_weekday[:5].min()
    visits = events.drop_duplicates(["user_id", "day"])
    per_visit = events.groupby(events["day"].dt.month).size() / visits.groupby(visits["day"].dt.month).size()
    assert per_visit[11] > per_visit[2]


def test_some_users_are_idle_and_some_do_most(events: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> None:
    recent = events[events["day"] > pd.Timestamp(LAST_DAY) - pd.Timedelta(days=28)]
    present = tables["users"][tables["users"]["deactivated_at"].isna()]
    days = recent.drop_duplicates(["user_id", "day"]).groupby("user_id").size()
    days = days.reindex(present["user_id"], fill_value=0)
    assert 0.2 < (days == 0).mean() < 0.6
    assert 0.05 < (days >= 10).mean() < 0.3


def test_customers_with_the_habit_sell_more(tables: dict[str, pd.DataFrame], events: pd.DataFrame) -> None:
    key = events[events["event"] == "order_created"].groupby("account_id")["day"].nunique()
    volume = tables["outcomes"].sort_values("month").groupby("account_id")["value"]
    growth = np.log(volume.last() / volume.first()) / volume.size()
    growth = growth[volume.size() >= 12]
    often = key.reindex(growth.index, fill_value=0) / volume.size().reindex(growth.index)
    assert growth[often > often.median()].mean() > growth[often < often.quantile(0.25)].mean() + 0.004


def test_users_and_accounts_bounce_back(events: pd.DataFrame) -> None:
    for unit, least in (("account_id", 0.2), ("user_id", 0.5)):
        days = events.drop_duplicates([unit, "day"]).sort_values([unit, "day"])
        silent = days.groupby(unit)["day"].diff().dt.days > 7
        assert silent.groupby(days[unit]).any().mean() > least

"""The score on trial: floors, tenths, groups, pooled windows and the interval, each against a second way to count."""

import math
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_metrics import periods
from cs_metrics.config import load_config
from cs_metrics.contract.load import load
from cs_metrics.errors import MetricError
from cs_metrics.metrics import Scope, run
from cs_metrics.models.health_trial import area_under_curve, clustered_areas, judge, wilson
from cs_metrics.store import Database, Store
from tests.health_company import random_company
from tests.support import company, day

ROOT = Path(__file__).resolve().parent.parent
RAVENSTACK = ROOT.parent / "shared" / "data" / "ravenstack"
TRIAL = load_config(Path("none")).health.trial


def verdict(red: tuple[int, int], yellow: tuple[int, int], green: tuple[int, int]) -> str:
    """Judge so many (lost, kept) accounts of each colour, with scores 20, 60 and 90."""
    rows = [
        (score, colour, is_lost)
        for score, colour, (lost, kept) in ((20.0, "red", red), (60.0, "yellow", yellow), (90.0, "green", green))
        for is_lost in [True] * lost + [False] * kept
    ]
    score, colour, lost = (np.array(column) for column in zip(*rows, strict=True))
    return judge(score, lost, np.arange(len(rows)).astype(str), colour, TRIAL).verdict


@pytest.mark.parametrize(
    ("red", "yellow", "green", "says"),
    [
        ((30, 10), (2, 80), (2, 276), "separates (AUC"),
        ((30, 90), (2, 80), (2, 196), "; red is lost 2.9 times as often as all, 3 times are asked for)"),
        ((30, 10), (2, 80), (20, 276), "; 62% of the losses were below green, 67% are asked for)"),
        ((0, 0), (30, 30), (2, 276), "; no account was red)"),
        ((30, 10), (4, 30), (2, 4), "separates (AUC"),  # 45 % are lost: 3 times as often is not possible
        ((10, 90), (10, 90), (10, 90), "does not separate (AUC 0.50"),
    ],
)
def test_a_score_that_separates_must_hold_its_floors(
    red: tuple[int, int], yellow: tuple[int, int], green: tuple[int, int], says: str
) -> None:
    found = verdict(red, yellow, green)
    assert says in found
    assert found.startswith("separates weakly") == (says.startswith(";"))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 4)), min_size=2, max_size=20))
def test_a_draw_of_accounts_repeats_all_their_rows(rows: list[tuple[int, bool, int]]) -> None:
    score, lost, account = (np.array(column) for column in zip(*rows, strict=True))
    found = clustered_areas(score.astype(float), lost, account.astype(str), 7, 3)
    names = np.unique(account.astype(str))
    times = np.random.default_rng(3).multinomial(len(names), np.full(len(names), 1 / len(names)), size=7)
    for area, drawn in zip(found, times, strict=True):
        often = dict(zip(names, drawn, strict=True))
        again = [row for row in rows for _ in range(often[str(row[2])])]
        want = area_under_curve([a for a, gone, _ in again if gone], [a for a, gone, _ in again if not gone])
        assert (math.isnan(area) and math.isnan(want)) or area == pytest.approx(want)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return company(tmp_path_factory.mktemp("book"), **random_company(3, accounts=40))


AS_OF = day("2024-09-22")


def rows_of(store: Store, days: int, snapshots: int) -> pd.DataFrame:
    """The trial in plain Python, from the book and the scores day by day."""
    found = []
    for back in range(snapshots):
        last = periods.add_days(AS_OF, -back * days)
        first = periods.add_days(last, -days)
        books = [
            dict(
                store.rows(
                    "select account_id, mrr_cents from mrr_interval where from_day <= $day and (to_day is null or to_day > $day)",
                    day=one,
                )
            )
            for one in (first, last)
        ]
        scores = dict(
            store.rows(
                "select account_id, score from account_week_health where week_end = $day and score is not null",
                day=periods.last_full_week_end(first),
            )
        )
        for name, cents in books[0].items():
            if name in scores:
                found.append((first, name, scores[name], cents, books[1].get(name, 0)))
    frame = pd.DataFrame(found, columns=["first", "account_id", "score", "opening", "closing"])
    return frame.assign(is_lost=frame["closing"] < frame["opening"])


def test_pooled_windows_follow_each_other_and_are_counted_once_each(book: Store) -> None:
    rows = rows_of(book, 60, 3)
    found = run(book, "health_backtest", as_of=AS_OF, options={"horizon_days": "60", "snapshots": "3"})
    scored = found[found["colour"] != "none"]
    assert (scored["accounts"].sum(), scored["lost"].sum()) == (len(rows), rows["is_lost"].sum())
    red = rows[rows["score"] <= 50]
    assert (found["accounts"].iloc[0], found["lost"].iloc[0]) == (len(red), red["is_lost"].sum())
    want = area_under_curve(rows.loc[rows["is_lost"], "score"].tolist(), rows.loc[~rows["is_lost"], "score"].tolist())
    assert found["auc"].iloc[0] == pytest.approx(want)
    lost_arr = (rows["opening"] - rows["closing"]).clip(lower=0).sum() * 12 / 100
    assert scored["lost_arr"].sum() == pytest.approx(lost_arr)
    assert scored["lost_arr_share"].sum() == pytest.approx(1)
    assert found["snapshots"].iloc[0] == 3
    assert str(found["snapshot_day"].iloc[0].date()) == str(rows["first"].min())
    assert len(rows) > 40


def test_tenths_are_cut_at_each_snapshot(book: Store) -> None:
    rows = rows_of(book, 60, 3)
    found = run(book, "health_backtest_deciles", as_of=AS_OF, options={"horizon_days": "60", "snapshots": "3"})
    counts: dict[int, list[bool]] = {}
    for _, part in rows.groupby("first"):
        ordered = sorted(part["score"])
        for score, is_lost in zip(part["score"], part["is_lost"], strict=True):
            same = [at for at, one in enumerate(ordered, start=1) if one == score]
            middle = sum(same) / len(same)
            counts.setdefault(math.ceil((middle - 0.5) / len(ordered) * 10) or 1, []).append(is_lost)
    assert {row.decile: (row.accounts, row.lost) for row in found.itertuples()} == {
        place: (len(lost), sum(lost)) for place, lost in counts.items()
    }
    assert found["decile"].is_monotonic_increasing
    assert found["lost_so_far"].iloc[-1] == pytest.approx(1)
    assert (found["low"].iloc[0], found["high"].iloc[0]) == wilson(
        int(found["lost"].iloc[0]), int(found["accounts"].iloc[0])
    )


def test_each_group_is_the_trial_of_its_accounts(book: Store) -> None:
    groups = run(book, "health_backtest_groups", as_of=AS_OF, options={"snapshots": "2"})
    assert list(groups["group"]) == ["", "Enterprise", "SMB"]
    for one in groups.itertuples():
        alone = run(book, "health_backtest", as_of=AS_OF, scope=Scope.of(segment=one.group), options={"snapshots": "2"})
        first = alone.iloc[0]
        assert (one.verdict, one.auc_low) == (first.verdict, pytest.approx(first.auc_low, nan_ok=True))
        assert (one.red_accounts, one.red_lost) == (first.accounts, first.lost)


def test_a_window_of_nothing_is_refused(book: Store) -> None:
    with pytest.raises(MetricError, match="at least 1"):
        run(book, "health_backtest", options={"snapshots": "0"})


@pytest.mark.parametrize(
    "scope", [Scope(), Scope.of(segment="SMB"), Scope.of(csm="Kim")], ids=["all", "segment", "csm"]
)
def test_the_record_is_the_back_test_of_each_quarters_end(book: Store, scope: Scope) -> None:
    record = run(book, "health_backtest_history", as_of=day("2024-09-29"), scope=scope, options={"horizon_days": "90"})
    assert [str(one.date()) for one in record["closing_day"]][-1] == "2024-06-30"
    for one in record.itertuples():
        then = run(book, "health_backtest", as_of=one.closing_day.date(), scope=scope).iloc[0]
        assert one.verdict == then.verdict.replace(" ago)", " before)")
        assert one.auc == pytest.approx(then.auc, nan_ok=True)


def test_the_demo_company_separates(demo_store: Store) -> None:
    found = run(demo_store, "health_backtest", options={"horizon_days": "90", "snapshots": "4"}).iloc[0]
    assert found.verdict.startswith("separates"), found.verdict
    assert found.loss_rate > 2 * run(demo_store, "health_backtest", options={"snapshots": "4"})["loss_rate"].iloc[2]


def test_a_shuffled_outcome_does_not_separate(demo_store: Store) -> None:
    found = run(demo_store, "health_backtest", options={"snapshots": "4"}).iloc[0]
    chance, said = random.Random(5), []
    for _ in range(20):
        accounts = int(found.accounts * 3)
        score = np.array([chance.random() * 100 for _ in range(accounts)])
        lost = np.array([chance.random() < 0.1 for _ in range(accounts)])
        colour = np.where(score <= 50, "red", np.where(score <= 75, "yellow", "green"))
        said.append(judge(score, lost, np.arange(accounts).astype(str), colour, TRIAL).verdict)
    assert sum(one.startswith("separates") for one in said) <= 1


@pytest.mark.skipif(not RAVENSTACK.exists(), reason="the RavenStack files are not beside this checkout")
def test_on_ravenstack_the_score_does_not_separate(tmp_path: Path) -> None:
    record = load(RAVENSTACK, tmp_path, mapping=ROOT / "docs" / "examples" / "ravenstack" / "mapping.toml")
    assert record.status == "published", record.reason
    store = Database.open(tmp_path).current()
    for days in ("60", "90", "120", "180"):
        for snapshots in ("1", "6"):
            found = run(store, "health_backtest", options={"horizon_days": days, "snapshots": snapshots})
            assert found["verdict"].iloc[0].startswith("does not separate"), (days, snapshots)
    suggested = run(store, "health_weights_suggested")
    assert suggested["verdict"].str.startswith("no gain").all()

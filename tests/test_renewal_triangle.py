"""How due periods develop: the triangle against a naive count, and young periods completed from older ones."""

import datetime as dt
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cs_metrics import periods
from cs_metrics.metrics import Scope, run
from cs_metrics.models.development import develop
from cs_metrics.store import Store
from tests.renewal_company import Row, contract, lost, renewed, sellers
from tests.support import day, records


def asked(store: Store, name: str, as_of: str, **options: Any) -> Any:
    return run(store, name, as_of=day(as_of), options=options)


# What counts where: the frozen list of each kind of contract


def test_cohorts_of_500_of_1000_and_400_of_500_pool_to_60_percent(tmp_path: Path) -> None:
    rows = [
        renewed("a", "2024-02-01", "2024-02-01", arr=500),
        lost("b", "2024-02-01", "2024-02-01", arr=500),
        renewed("c", "2024-05-01", "2024-05-01", arr=400),
        lost("d", "2024-05-01", "2024-05-01", arr=100),
    ]
    found = asked(sellers(tmp_path, rows), "renewal_rates_pooled", "2024-06-30")
    assert records(found, "group", "periods", "due", "due_arr", "gross_renewal_rate", "net_renewal_rate") == [
        ("newest", 2, 4, 1500.0, 0.6, 0.6),
        ("before", 0, 0, 0.0, None, None),
    ]
    before = asked(sellers(tmp_path / "one", rows), "renewal_rates_pooled", "2024-06-30", count=1)
    assert records(before, "first_period", "gross_renewal_rate") == [("2024-04-01", 0.8), ("2024-01-01", 0.5)]


def test_contracts_that_were_merged_keep_the_value_of_both(tmp_path: Path) -> None:
    """Two contracts of 100 become one of 180: 90 % is kept, where one by one only half would be."""
    rows = [
        renewed("a", "2024-02-01", "2024-01-20", arr=100, to=180, account_id="m"),
        renewed("b", "2024-03-01", "2024-01-20", arr=100, to=0, account_id="m"),
        renewed("c", "2024-03-01", "2024-03-01", arr=100, to=150, account_id="n"),
    ]
    store = sellers(tmp_path, rows)
    found = asked(store, "renewal_rates", "2024-03-31")
    assert records(found, "due", "final", "lost") == [(3, 3, 0)]
    assert found["gross_renewal_rate"].tolist() == pytest.approx([280 / 300])
    assert found["net_renewal_rate"].tolist() == pytest.approx([330 / 300])
    assert asked(store, "renewal_tree", "2024-03-31")["net_renewal_rate"].tolist() == pytest.approx([330 / 300])


def test_a_renewal_for_more_at_a_longer_term_is_due_again_in_its_last_year_only(tmp_path: Path) -> None:
    rows = [
        renewed("old", "2024-02-01", "2024-01-20", arr=100, to=300, account_id="a", renewed_until="2027-02-01"),
        contract("new", "2027-02-01", starts_on="2024-02-01", arr=300, account_id="a"),
    ]
    found = asked(sellers(tmp_path, rows), "renewal_rates", "2027-03-31")
    due = {row[0]: row[1:] for row in records(found, "period", "due", "final", "undecided") if row[1]}
    assert due == {"2024-01-01": (1, 1, 0), "2027-01-01": (1, 0, 1)}


# The triangle


def random_rows(seed: int) -> list[Row]:
    chance = random.Random(seed)
    found = []
    for at in range(160):
        ends = dt.date(2023, 1, 1) + dt.timedelta(chance.randrange(720))
        row = contract(
            f"c{at}", str(ends), starts_on="2022-01-01", arr=chance.randrange(1, 60), account_id=f"a{at % 40}"
        )
        if chance.random() < 0.9:
            decided = ends + dt.timedelta(int(chance.gauss(-10, 40)))
            row |= {"outcome": chance.choice(["renewed", "renewed", "churned"]), "decided_on": str(decided)}
            row["renewed_arr"] = chance.choice([None, row["arr"], row["arr"] + 5, 1])
        found.append(row)
    return found


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Row], Store]:
    rows = random_rows(3)
    segments = {f"a{at}": "SMB" if at % 2 else "Mid" for at in range(40)}
    return rows, sellers(tmp_path_factory.mktemp("triangle"), rows, segments=segments)


def naive_share(rows: list[Row], as_of: dt.date, start: dt.date, age: int, every: Any) -> float | None:
    end = periods.add_days(periods.add_months(start, age), -1)
    due = [one for one in rows if start <= day(one["ends_on"]) <= periods.period_end(start, every)]
    if end > as_of or not due:
        return None
    kept = 0.0
    for one in due:
        if one.get("outcome") == "renewed" and day(one["decided_on"]) <= end:
            kept += min(one["arr"], one["arr"] if one["renewed_arr"] is None else one["renewed_arr"])
    return round(kept / sum(one["arr"] for one in due), 6)


@pytest.mark.parametrize("every", ["quarter", "month"])
def test_each_known_cell_agrees_with_a_naive_count(busy: tuple[list[Row], Store], every: Any) -> None:
    rows, store = busy
    found = asked(store, "renewal_triangle", "2024-09-17", every=every)
    known = found[found["is_known"]]
    assert len(known) > 25
    expected = [
        naive_share(rows, day("2024-09-17"), one.period.date(), one.age_months, every) for one in known.itertuples()
    ]
    assert records(known, "share") == [(one,) for one in expected]
    assert found.loc[~found["is_known"], "renewed"].isna().all()


def test_the_last_known_cell_of_a_settled_quarter_is_its_final_rate(busy: tuple[list[Row], Store]) -> None:
    rates = asked(busy[1], "renewal_rates", "2024-03-31").set_index("period")["in_period_rate"]
    cells = asked(busy[1], "renewal_triangle", "2024-03-31")
    at_end = cells[(cells["age_months"] == 3) & cells["is_known"]].set_index("period")["share"]
    assert at_end.tolist() == pytest.approx(rates[at_end.index].tolist())


def test_a_young_period_is_completed_from_what_became_of_older_ones(tmp_path: Path) -> None:
    """Six quarters renew 40 on the first day and 30 of the open 60 in the third month; the seventh stands at 40."""
    rows = []
    for at in range(7):
        start = periods.add_months(dt.date(2023, 1, 1), 3 * at)
        ends, later = str(periods.add_days(start, 20)), str(periods.add_months(start, 2))
        rows += [renewed(f"now {at}", ends, str(start), arr=40), renewed(f"late {at}", ends, later, arr=30)]
        rows += [lost(f"gone {at}", ends, later, arr=30)]
    found = asked(sellers(tmp_path, rows), "renewal_completion", "2024-07-31").iloc[-1]
    assert (found["age_months"], found["share"], found["is_settled"]) == (1, pytest.approx(0.4), False)
    assert (found["final_share"], found["low"], found["high"]) == pytest.approx((0.7, 0.7, 0.7))
    few = asked(sellers(tmp_path / "few", rows[-9:]), "renewal_completion", "2024-07-31").iloc[-1]
    assert math.isnan(few["final_share"])
    assert few["note"] == "only 1 periods have settled; 4 are needed"


def test_expected_shares_lie_between_what_is_kept_and_what_is_not_lost(busy: tuple[list[Row], Store]) -> None:
    found = asked(busy[1], "renewal_triangle", "2024-09-17", every="month")
    young = found[~found["is_known"] & found["share"].notna()]
    assert len(young) > 10
    assert (young["low"] <= young["share"] + 1e-12).all()
    assert (young["share"] <= young["high"] + 1e-12).all()
    assert young["high"].max() <= 1
    for _, part in found.groupby("period"):
        assert (part["share"].dropna().diff().dropna() > -1e-12).all()


def test_the_scope_narrows_the_triangle(busy: tuple[list[Row], Store]) -> None:
    whole, *parts = (
        run(busy[1], "renewal_triangle", as_of=day("2024-09-17"), scope=scope)["due"].to_numpy()
        for scope in (Scope(), Scope.of(segment="SMB"), Scope.of(segment="Mid"))
    )
    assert (sum(parts) == whole).all()


def test_later_decisions_change_nothing(busy: tuple[list[Row], Store], tmp_path: Path) -> None:
    rows, store = busy
    hidden = ("outcome", "decided_on", "renewed_arr")
    cut = [
        {key: value for key, value in one.items() if key not in hidden or day(one["decided_on"]) <= day("2023-11-10")}
        for one in rows
    ]
    then = sellers(tmp_path, cut, segments={f"a{at}": "SMB" if at % 2 else "Mid" for at in range(40)})
    for name in ("renewal_triangle", "renewal_completion", "renewal_rates_pooled"):
        assert asked(then, name, "2023-11-10").equals(asked(store, name, "2023-11-10"))


def simulated(seed: int, count: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quarters of equal law: kept and lost by age, all known."""
    rng = np.random.default_rng(seed)
    due = rng.uniform(50, 150, count)
    kept, lost = np.zeros((count, 5)), np.zeros((count, 5))
    left = due.copy()
    for age in range(5):
        gained, gone = left * rng.beta(4, 8, count), left * rng.beta(2, 18, count)
        kept[:, age], lost[:, age] = gained, gone
        left = np.clip(left - gained - gone, 0, None)
    return due, kept.cumsum(axis=1), lost.cumsum(axis=1)


def test_the_interval_covers_about_as_often_as_it_says() -> None:
    hits = total = 0
    for seed in range(60):
        due, kept, lost = simulated(seed)
        seen_kept, seen_lost = kept.copy(), lost.copy()
        seen_kept[-1, 2:], seen_lost[-1, 2:] = np.nan, np.nan
        found = develop(due, seen_kept, seen_lost, level=0.8, min_past=4)
        actual = kept[-1, -1] / due[-1]
        hits += bool(found.low[-1, -1] <= actual <= found.high[-1, -1])
        total += 1
    assert 0.68 <= hits / total <= 0.92

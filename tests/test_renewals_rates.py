"""Renewal rates by due period: on time, in period and ever; late, early, partial and multi-year contracts."""

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest

from cs_metrics import periods
from cs_metrics.metrics import EVERYTHING, Scope, run
from cs_metrics.store import Store
from tests.renewal_company import Row, contract, lost, renewed, sellers
from tests.support import day, records

COUNTS = ("period", "due", "on_time", "in_period", "final", "lost", "undecided")
RATES = ("period", "on_time_rate", "in_period_rate", "gross_renewal_rate", "net_renewal_rate", "is_closed")


def rates(store: Store, as_of: str, *columns: str, every: str = "quarter") -> list[tuple[Any, ...]]:
    return records(run(store, "renewal_rates", as_of=day(as_of), options={"every": every}), *columns)


def test_100_due_and_90_booked_of_which_5_early_and_3_late_is_82_percent_in_the_period(tmp_path: Path) -> None:
    store = sellers(
        tmp_path,
        [
            renewed("kept", "2024-05-10", "2024-05-01", arr=82),
            lost("lost", "2024-05-20", "2024-05-18", arr=18),
            renewed("early for the next", "2024-08-01", "2024-06-10", arr=5),
            renewed("late from the last", "2024-03-20", "2024-04-15", arr=3),
        ],
    )
    columns = ("period", "due_arr", "in_period_rate", "booked_arr", "booked_early_arr", "booked_late_arr")
    assert rates(store, "2024-06-30", *columns) == [
        ("2024-01-01", 3.0, 0.0, 0.0, 0.0, 0.0),
        ("2024-04-01", 100.0, 0.82, 90.0, 5.0, 3.0),
    ]


def test_a_late_renewal_raises_final_in_its_due_period_and_never_on_time(tmp_path: Path) -> None:
    store = sellers(tmp_path, [renewed("a", "2024-03-20", "2024-04-15"), renewed("b", "2024-03-10", "2024-03-12")])
    assert rates(store, "2024-03-31", *COUNTS) == [("2024-01-01", 2, 0, 1, 1, 0, 1)]
    known_in_may = [("2024-01-01", 2, 0, 1, 2, 0, 0), ("2024-04-01", 0, 0, 0, 0, 0, 0)]
    assert rates(store, "2024-05-31", *COUNTS) == known_in_may
    assert rates(store, "2024-05-31", "on_time_rate", "in_period_rate", "gross_renewal_rate")[0] == (0.0, 0.5, 1.0)


def test_an_early_renewal_counts_where_it_was_due(tmp_path: Path) -> None:
    store = sellers(tmp_path, [renewed("a", "2024-07-10", "2024-02-01"), lost("b", "2024-02-10", "2024-02-01")])
    assert rates(store, "2024-09-30", *COUNTS) == [
        ("2024-01-01", 1, 0, 0, 0, 1, 0),
        ("2024-04-01", 0, 0, 0, 0, 0, 0),
        ("2024-07-01", 1, 1, 1, 1, 0, 0),
    ]


def test_decided_on_the_end_date_is_on_time_and_a_day_later_is_not(tmp_path: Path) -> None:
    store = sellers(tmp_path, [renewed("a", "2024-02-10", "2024-02-10"), renewed("b", "2024-02-10", "2024-02-11")])
    assert rates(store, "2024-03-31", "on_time", "in_period", "final") == [(1, 2, 2)]


def test_a_contract_over_three_years_is_due_in_its_last_year_only(tmp_path: Path) -> None:
    three_years = renewed("a", "2024-02-01", "2024-01-20", starts_on="2021-02-01")
    store = sellers(tmp_path, [three_years, renewed("b", "2023-02-01", "2023-01-20", starts_on="2022-02-01")])
    assert rates(store, "2024-03-31", "period", "due") == [
        ("2023-01-01", 1),
        ("2023-04-01", 0),
        ("2023-07-01", 0),
        ("2023-10-01", 0),
        ("2024-01-01", 1),
    ]


def test_gross_never_counts_more_than_expired_and_net_counts_all(tmp_path: Path) -> None:
    store = sellers(
        tmp_path,
        [
            renewed("grew", "2024-02-01", "2024-01-20", arr=100, to=150),
            renewed("shrank", "2024-02-01", "2024-01-20", arr=100, to=60),
            lost("left", "2024-02-01", "2024-01-20", arr=50),
            contract("undecided", "2024-02-01", arr=50),
        ],
    )
    ((_, *found, closed),) = rates(store, "2024-03-31", *RATES)
    assert found == pytest.approx([160 / 300, 160 / 300, 160 / 300, 210 / 300], abs=1e-6)
    assert closed is True


def test_a_renewal_without_an_amount_counts_at_its_old_value(tmp_path: Path) -> None:
    row = contract("a", "2024-02-01", outcome="renewed", decided_on="2024-01-20")
    store = sellers(tmp_path, [row])
    assert rates(store, "2024-03-31", "gross_renewal_rate", "net_renewal_rate") == [(1.0, 1.0)]


def test_rates_are_unknown_until_the_period_has_ended(tmp_path: Path) -> None:
    store = sellers(tmp_path, [renewed("a", "2024-02-01", "2024-01-20")])
    assert rates(store, "2024-03-30", *RATES) == [("2024-01-01", None, None, None, None, False)]
    assert rates(store, "2024-03-31", *RATES) == [("2024-01-01", 1.0, 1.0, 1.0, 1.0, True)]


def test_the_list_is_frozen_on_the_first_day_of_the_period(tmp_path: Path) -> None:
    store = sellers(
        tmp_path,
        [
            renewed("in time", "2024-03-01", "2024-03-01", starts_on="2024-01-01"),
            renewed("too late", "2024-03-01", "2024-03-01", starts_on="2024-01-02", arr=70),
        ],
    )
    assert rates(store, "2024-03-31", "due", "final", "not_listed", "not_listed_arr") == [(1, 1, 1, 70.0)]
    assert rates(store, "2024-03-31", "period", "due", every="month") == [("2024-03-01", 2)]


def test_months_are_periods_of_their_own(tmp_path: Path) -> None:
    store = sellers(tmp_path, [renewed("a", "2024-01-31", "2024-02-01"), renewed("b", "2024-02-29", "2024-02-29")])
    assert rates(store, "2024-02-29", *COUNTS, every="month") == [
        ("2024-01-01", 1, 0, 0, 1, 0, 0),
        ("2024-02-01", 1, 1, 1, 1, 0, 0),
    ]


def test_an_outcome_without_a_day_of_decision_is_not_known(tmp_path: Path) -> None:
    store = sellers(tmp_path, [contract("a", "2024-02-01", outcome="renewed", renewed_arr=1000)])
    assert rates(store, "2024-12-31", *COUNTS)[0] == ("2024-01-01", 1, 0, 0, 0, 0, 1)


def test_the_tree_multiplies_to_the_net_renewal_rate(tmp_path: Path) -> None:
    store = sellers(
        tmp_path,
        [
            renewed("a", "2024-02-01", "2024-01-20", arr=100, to=120),
            lost("b", "2024-02-01", "2024-01-20", arr=60),
            contract("c", "2024-02-01", arr=40),
        ],
    )
    found = run(store, "renewal_tree", as_of=day("2024-03-31"))
    columns = (
        "due_arr",
        "decided_arr",
        "won_arr",
        "booked_arr",
        "resolution",
        "close",
        "conversion",
        "net_renewal_rate",
    )
    assert records(found, *columns) == [(200.0, 160.0, 100.0, 120.0, 0.8, 0.625, 1.2, 0.6)]
    assert records(run(store, "renewal_rates", as_of=day("2024-03-31")), "net_renewal_rate") == [(0.6,)]


def random_contracts(seed: int, count: int) -> list[Row]:
    rng = random.Random(seed)
    found = []
    for at in range(count):
        starts = dt.date(2022, 1, 1) + dt.timedelta(rng.randint(0, 700))
        ends = starts + dt.timedelta(rng.choice([60, 180, 365, 365, 730]))
        row = contract(f"c{at}", str(ends), starts_on=str(starts), arr=rng.randint(1, 90), account_id=f"a{at % 30}")
        if rng.random() < 0.85:
            decided = ends + dt.timedelta(rng.randint(-120, 100))
            row |= {"outcome": rng.choice(["renewed", "renewed", "churned"]), "decided_on": str(max(decided, starts))}
            row["renewed_arr"] = rng.choice([None, row["arr"], row["arr"] + 7, 1])
        found.append(row)
    return found


def naive_rates(rows: list[Row], as_of: dt.date, start: dt.date, end: dt.date) -> tuple[Any, ...]:
    due = [one for one in rows if day(one["starts_on"]) <= min(start, as_of) and start <= day(one["ends_on"]) <= end]
    known = [one for one in due if one.get("outcome") and day(one["decided_on"]) <= as_of]
    won = [one for one in known if one["outcome"] == "renewed"]
    on_time = [one for one in won if one["decided_on"] <= one["ends_on"]]
    in_period = [one for one in won if day(one["decided_on"]) <= end]
    whole = sum(one["arr"] for one in due)

    def share(part: list[Row], is_gross: bool) -> float | None:
        amounts = [(one["arr"] if one["renewed_arr"] is None else one["renewed_arr"], one["arr"]) for one in part]
        return (
            round(sum(min(pair) if is_gross else pair[0] for pair in amounts) / whole, 6)
            if end <= as_of and whole
            else None
        )

    return (
        len(due),
        len(on_time),
        len(in_period),
        len(won),
        len(due) - len(known),
        share(on_time, True),
        share(in_period, True),
        share(won, True),
        share(won, False),
    )


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Row], Store]:
    rows = random_contracts(5, 250)
    return rows, sellers(
        tmp_path_factory.mktemp("busy"), rows, segments={f"a{at}": "SMB" if at % 2 else "Mid" for at in range(30)}
    )


@pytest.mark.parametrize("every", ["quarter", "month"])
@pytest.mark.parametrize("as_of", ["2022-11-30", "2023-06-14", "2024-12-31"])
def test_every_period_agrees_with_a_naive_count(busy: tuple[list[Row], Store], as_of: str, every: Any) -> None:
    rows, store = busy
    columns = ("due", "on_time", "in_period", "final", "undecided", "on_time_rate", "in_period_rate")
    found = run(store, "renewal_rates", as_of=day(as_of), options={"every": every})
    assert len(found) > 3
    expected = [
        naive_rates(rows, day(as_of), start, periods.period_end(start, every)) for start in found["period"].dt.date
    ]
    assert records(found, *columns, "gross_renewal_rate", "net_renewal_rate") == expected


def test_what_is_booked_in_a_period_is_its_own_early_and_late(busy: tuple[list[Row], Store]) -> None:
    rows, store = busy
    found = run(store, "renewal_rates", as_of=day("2024-12-31"))
    listed = [
        one
        for one in rows
        if one.get("outcome") == "renewed"
        and one["decided_on"] <= "2024-12-31"
        and day(one["starts_on"]) <= periods.quarter_start(day(one["ends_on"]))
    ]
    booked = sum(one["arr"] if one["renewed_arr"] is None else one["renewed_arr"] for one in listed)
    assert found["booked_arr"].sum() == pytest.approx(booked)
    assert (found["booked_arr"] >= found["booked_early_arr"] + found["booked_late_arr"]).all()


def test_the_scope_splits_the_counts(busy: tuple[list[Row], Store]) -> None:
    _, store = busy
    parts = [
        run(store, "renewal_rates", as_of=day("2023-12-31"), scope=Scope.of(segment=one)) for one in ("SMB", "Mid")
    ]
    whole = run(store, "renewal_rates", as_of=day("2023-12-31"), scope=EVERYTHING)
    due = sum(part.set_index("period")["due"].reindex(whole["period"]).fillna(0) for part in parts)
    assert due.tolist() == whole["due"].tolist()

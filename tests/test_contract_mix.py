"""Contract mix: when cost is recovered, who never recovers it, and the months in which customers leave."""

import datetime as dt
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.contract_mix import DAYS_A_MONTH, product_limit
from cs_metrics.metrics.survival import kaplan_meier
from cs_metrics.store import Store
from tests.support import account, company, day, line, records


def asked(store: Store, name: str, as_of: str, **options: Any) -> pd.DataFrame:
    return run(store, name, as_of=day(as_of), options=options)


def mixed(folder: Path) -> Store:
    """Cost 900 each and 100 a month at a margin of 75 %: recovered after twelve months of 365.25 / 12 days."""
    start = "2023-01-01"
    accounts = [account(name, start, acquisition_cost=900) for name in ("y", "l", "m", "w")]
    accounts.append(account("n", start))
    lines = [
        line("y", start, None, 100, billing="annual"),
        line("l", start, "2023-07-01", 100, billing="monthly"),
        line("m", start, "2023-03-01", 100, billing="monthly"),
        line("m", "2023-03-01", None, 200, billing="annual"),
        line("w", "2024-01-01", None, 100, billing="annual"),
        line("n", start, None, 100, billing="annual"),
    ]
    return company(folder, accounts=accounts, subscriptions=lines)


@pytest.fixture(scope="module")
def mix(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return mixed(tmp_path_factory.mktemp("mix"))


def test_the_cost_is_recovered_on_the_day_on_which_the_margin_reaches_it(mix: Store) -> None:
    store = mix
    found = asked(store, "acquisition_payback", "2024-06-30", cohort="all")
    names = ["billing", "accounts", "with_cost", "recovered", "lost_before", "waiting"]
    assert records(found, *names) == [
        ("all", 5, 4, 2, 1, 1),
        ("monthly", 2, 2, 1, 1, 0),
        ("annual", 3, 2, 1, 0, 1),
    ]
    # y: 365.25 days of 100; m: 59 days of 100, then (36525 - 5900) / 200 = 153.1 days of 200
    assert asked(store, "acquisition_payback", "2024-01-01", cohort="all")["recovered"].tolist() == [2, 1, 1]
    assert asked(store, "acquisition_payback", "2023-12-31", cohort="all")["recovered"].tolist() == [1, 1, 0]
    assert found.set_index("billing").loc["monthly", "median_months"] == pytest.approx((59 + 154) / DAYS_A_MONTH)
    money = records(found[found["billing"] == "monthly"], "acquisition_cost", "margin", "net")
    brought = 0.75 * (100 * 181 + 100 * 59 + 200 * (547 - 59)) / DAYS_A_MONTH
    assert money == [(1800, round(brought, 6), round(brought - 1800, 6))]


def test_cohorts_are_years_or_quarters_of_the_first_paid_day(mix: Store) -> None:
    store = mix
    years = asked(store, "acquisition_payback", "2024-06-30")
    assert records(years[years["billing"] == "all"], "cohort", "accounts") == [("2023-01-01", 4), ("2024-01-01", 1)]
    quarters = asked(store, "acquisition_payback", "2024-06-30", cohort="quarter")
    assert quarters["accounts"].sum() == years["accounts"].sum()


def test_an_account_lost_before_it_paid_back_stays_in_the_denominator(mix: Store) -> None:
    """Of two accounts one is lost: half have recovered, whatever happens to the other; it is never dropped."""
    found = asked(mix, "acquisition_payback", "2026-06-30", cohort="all").set_index("billing")
    assert found.loc["monthly", "within_12_months"] == 0.5
    assert math.isnan(found.loc["monthly", "p75_months"])


def test_accounts_that_have_not_paid_back_yet_count_as_long_as_they_are_watched(tmp_path: Path) -> None:
    """Nine young accounts do not hide that the only old one needed its time."""
    accounts = [account(f"y{at}", "2024-05-01", acquisition_cost=900) for at in range(9)]
    accounts.append(account("old", "2023-01-01", acquisition_cost=900))
    lines = [line(str(one["account_id"]), str(one["started_on"]), None, 100, billing="annual") for one in accounts]
    store = company(tmp_path, accounts=accounts, subscriptions=lines)
    found = asked(store, "acquisition_payback", "2024-06-30", cohort="all").iloc[0]
    assert (found["recovered"], found["waiting"]) == (1, 9)
    assert found["median_months"] == pytest.approx(366 / DAYS_A_MONTH)
    assert math.isnan(found["within_24_months"]) or found["within_24_months"] == 1


def test_payback_against_a_walk_day_by_day(demo_store: Store) -> None:
    as_of = day("2026-03-31")
    spans: dict[str, list[tuple[dt.date, dt.date | None, int]]] = {}
    for name, begin, end, cents in demo_store.rows("select account_id, from_day, to_day, mrr_cents from mrr_interval"):
        spans.setdefault(name, []).append((begin, end, cents))
    costs = dict(demo_store.rows("select account_id, acquisition_cost_cents from account_cost"))
    counts, total = {"recovered": 0, "lost_before": 0, "waiting": 0}, 0.0
    for name, mine in spans.items():
        known = [one for one in mine if one[0] <= as_of]
        if not known or name not in costs:
            continue
        margin, recovered = 0.0, False
        here = [0]
        for at in range(periods.days_between(min(one[0] for one in known), as_of) + 1):
            now = periods.add_days(min(one[0] for one in known), at)
            here = [cents for begin, end, cents in known if begin <= now and (end is None or now < end)]
            margin += sum(here) * 0.75 / DAYS_A_MONTH
            recovered = recovered or margin >= costs[name] - 1e-6
        total += margin / 100
        counts["recovered" if recovered else "waiting" if here else "lost_before"] += 1
    found = run(demo_store, "acquisition_payback", as_of=as_of, options={"cohort": "all"}).iloc[0]
    assert {name: found[name] for name in counts} == counts
    assert found["margin"] == pytest.approx(total)


def test_the_parts_of_payback_add_up(demo_store: Store) -> None:
    for cohort in ("year", "quarter", "all"):
        found = run(demo_store, "acquisition_payback", options={"cohort": cohort})
        assert (found["recovered"] + found["lost_before"] + found["waiting"] == found["with_cost"]).all()
        parts, wholes = found[found["billing"] != "all"], found[found["billing"] == "all"]
        for name in ("accounts", "recovered", "lost_before", "net"):
            assert parts[name].sum() == pytest.approx(wholes[name].sum())
    curves = run(demo_store, "payback_curves")
    for _, part in curves.groupby("billing"):
        assert part["share"].dropna().is_monotonic_increasing
    yearly = run(demo_store, "acquisition_payback", options={"cohort": "all"}).set_index("billing")
    at_12 = curves[curves["months"] == 12].set_index("billing")["share"]
    assert at_12["annual"] == yearly.loc["annual", "within_12_months"]


def test_payers_who_leave_after_their_season(mix: Store) -> None:
    found = asked(mix, "season_leavers", "2024-06-30", season_months=9)
    names = ["billing", "standing", "accounts", "acquisition_cost", "paid_back", "began", "share_left_early"]
    assert records(found, *names) == [
        ("monthly", "left_early", 1, 900, 0, 2, 0.5),
        ("monthly", "customer", 1, 900, 1, 2, 0.5),
        ("annual", "customer", 3, 1800, 1, 2, 0),
    ]
    brought = 0.75 * 100 * 181 / DAYS_A_MONTH
    assert found.loc[0, "net"] == pytest.approx(brought - 900)
    for bad in ({"season_months": 0}, {"gross_margin": 1.5}):
        with pytest.raises(MetricError, match="is not possible"):
            asked(mix, "season_leavers", "2024-06-30", **bad)


def test_churn_by_calendar_month_pools_the_years(tmp_path: Path) -> None:
    accounts = [*(account(name, "2022-06-01") for name in "abcd"), account("later", "2024-05-01")]
    lines = [
        line("a", "2022-06-01", "2023-03-10", 100, billing="monthly"),
        line("b", "2022-06-01", None, 100, billing="annual"),
        line("b", "2022-06-01", None, 10, billing="monthly"),
        line("c", "2022-06-01", None, 300, billing="monthly"),
        line("d", "2022-06-01", "2024-03-31", 200, billing="monthly"),
        line("later", "2024-05-01", None, 50),
    ]
    store = company(tmp_path, accounts=accounts, subscriptions=lines)
    found = asked(store, "churn_seasonality", "2024-04-15")
    names = ["billing", "opening_accounts", "churned_accounts", "opening_mrr", "churned_mrr", "years"]
    assert records(found[found["month"] == 3], *names) == [
        ("all", 7, 2, 710 + 610, 300, 2),
        ("annual", 2, 0, 220, 0, 2),
        ("monthly", 5, 2, 600 + 500, 300, 2),
    ]
    assert found[(found["month"] == 4) & (found["billing"] == "all")]["years"].tolist() == [1]
    by_year = asked(store, "churn_seasonality", "2024-04-15", every="month")
    march = by_year[(by_year["month"] == 3) & (by_year["billing"] == "all")]
    assert records(march, "year", "churned_accounts", "account_rate") == [(2023, 1, 0.25), (2024, 1, 0.333333)]
    early = asked(store, "churn_seasonality", "2024-03-30", every="month")
    assert early[early["year"] == 2024]["month"].max() == 2


def test_seasonality_agrees_with_the_movements_of_revenue(demo_store: Store) -> None:
    found = run(demo_store, "churn_seasonality", options={"every": "month"})
    whole = found[found["billing"] == "all"]
    moved = run(demo_store, "mrr_movements", options={"every": "month"})
    by_month = {(row.period.year, row.period.month): row for row in moved.itertuples()}
    for row in whole.itertuples():
        assert row.churned_mrr == pytest.approx(-by_month[row.year, row.month].churn, abs=0.01)
        assert row.opening_mrr == pytest.approx(by_month[row.year, row.month].opening)
    parts = found[found["billing"] != "all"].groupby(["year", "month"])["churned_accounts"].sum()
    assert parts.to_list() == whole["churned_accounts"].tolist()
    narrow = run(demo_store, "churn_seasonality", scope=Scope.of(segment="SMB"))
    assert narrow["opening_accounts"].sum() < run(demo_store, "churn_seasonality")["opening_accounts"].sum()


times = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(times)
def test_the_short_estimate_is_that_of_kaplan_and_meier(seen: list[tuple[int, bool]]) -> None:
    days, happened = [one for one, _ in seen], [two for _, two in seen]
    short, full = product_limit(days, happened), kaplan_meier(days, happened)
    at = dict(zip(*short, strict=True))
    for row in full.itertuples():
        assert at[row.time_days] == pytest.approx(row.survival)

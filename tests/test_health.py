"""Health as of a day: rows, reasons, mix, trend and migration, on tiny companies and against naive Python."""

import datetime as dt
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from cs_metrics.config import DIMENSIONS, SHIPPED
from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.store import Store
from tests.health_company import LAST, at, random_company
from tests.support import account, company, day, line, records

ASKED = [dt.date(2024, 3, 31), dt.date(2024, 5, 15), dt.date(2024, 7, 1), dt.date(2024, 9, 8), LAST]


@pytest.fixture(scope="module", params=[3, 11])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, dict[str, Any]]:
    rows = random_company(request.param, accounts=14)
    return company(tmp_path_factory.mktemp("shop"), **rows), rows


def arr_on(rows: dict[str, Any], on: dt.date) -> dict[str, float]:
    """ARR of every account with MRR on a day, from the given rows."""
    found: dict[str, float] = defaultdict(float)
    for row in rows["subscriptions"]:
        if day(row["starts_on"]) <= on and (not row["ends_on"] or day(row["ends_on"]) > on):
            found[row["account_id"]] += row["mrr"] * 12
    return dict(found)


def colours_on(store: Store, on: dt.date) -> dict[str, str]:
    week_end = on - dt.timedelta((on.weekday() + 1) % 7)
    return dict(
        store.rows("select account_id, colour from account_week_health where week_end = $week_end", week_end=week_end)
    )


@pytest.mark.parametrize("as_of", ASKED)
def test_every_customer_of_the_day_has_one_row_with_the_score_of_the_last_complete_week(
    shop: tuple[Store, dict[str, Any]], as_of: dt.date
) -> None:
    store, rows = shop
    found, colours, arr = run(store, "health", as_of=as_of), colours_on(store, as_of), arr_on(rows, as_of)
    assert dict(zip(found["account_id"], found["arr"], strict=True)) == arr
    assert dict(zip(found["account_id"], found["colour"], strict=True)) == {
        one: colours.get(one, "none") for one in arr
    }
    assert found["score"].isna().tolist() == (found["colour"] == "none").tolist()
    assert found["score"].dropna().is_monotonic_increasing
    assert (found["reasons"].str.startswith("needs ") == (found["colour"] == "none")).all()
    assert (found["is_alert"] == (found["weeks_red"] >= 2)).all()
    assert ((found["alert"] != "") == found["is_alert"]).all()


@pytest.mark.parametrize("by", ["total", "segment", "stage", "csm"])
@pytest.mark.parametrize("as_of", ASKED)
def test_the_distribution_counts_the_rows_of_health(
    shop: tuple[Store, dict[str, Any]], as_of: dt.date, by: str
) -> None:
    store, _ = shop
    health = run(store, "health", as_of=as_of)
    groups = ["total"] * len(health) if by == "total" else [one if isinstance(one, str) else "" for one in health[by]]
    accounts = Counter(zip(groups, health["colour"], strict=True))
    arr: Counter[tuple[str, str]] = Counter()
    for key, amount in zip(zip(groups, health["colour"], strict=True), health["arr"], strict=True):
        arr[key] += amount
    found = run(store, "health_distribution", as_of=as_of, options={"by": by})
    assert [(one.group, one.colour) for one in found.itertuples()] == [
        (group, colour) for group in sorted(set(groups)) for colour in ("red", "yellow", "green", "none")
    ]
    for one in found.itertuples():
        assert (one.accounts, one.arr) == (accounts[one.group, one.colour], pytest.approx(arr[one.group, one.colour]))
        assert one.account_share == one.accounts / groups.count(one.group)


def test_a_band_of_scores_ends_at_its_boundary(shop: tuple[Store, dict[str, Any]]) -> None:
    store, _ = shop
    health = run(store, "health", as_of=LAST)
    found = run(store, "health_distribution", as_of=LAST, options={"bins": "4"})
    assert found["accounts"].sum() == len(health)
    for one in found.dropna(subset="score_to").itertuples():
        inside = health[
            (health.score > one.score_from) & (health.score <= one.score_to) & (health.colour == one.colour)
        ]
        assert one.accounts == len(inside)
    assert set(found.loc[found.score_to == 50, "colour"]) <= {"red"}
    assert set(found.loc[found.score_to == 75, "colour"]) <= {"yellow"}


def test_the_trend_shows_each_week_as_it_was(shop: tuple[Store, dict[str, Any]]) -> None:
    store, rows = shop
    found = run(store, "health_trend", as_of=dt.date(2024, 9, 10), options={"weeks": "20"})
    assert found["week_end"].nunique() == 20
    assert found["week_end"].max().date() == dt.date(2024, 9, 8)
    for week_end, part in found.groupby("week_end"):
        on = week_end.date()
        arr, colours = arr_on(rows, on), colours_on(store, on)
        assert list(part["colour"]) == ["red", "yellow", "green", "none"]
        for one in part.itertuples():
            mine = [name for name in arr if colours[name] == one.colour]
            assert (one.accounts, one.arr) == (len(mine), pytest.approx(sum(arr[name] for name in mine)))
            assert one.week.date() == on - dt.timedelta(6)
        assert part["arr_share"].sum() == pytest.approx(1)


@pytest.mark.parametrize(("first", "last"), [(ASKED[0], ASKED[2]), (ASKED[1], ASKED[4]), (ASKED[4], ASKED[4])])
def test_migration_holds_every_customer_of_the_first_day_once(
    shop: tuple[Store, dict[str, Any]], first: dt.date, last: dt.date
) -> None:
    store, rows = shop
    opening, closing = arr_on(rows, first), arr_on(rows, last)
    before, after = colours_on(store, first), colours_on(store, last)
    want: Counter[tuple[str, str]] = Counter()
    amounts: Counter[tuple[str, str]] = Counter()
    for name, arr in opening.items():
        way = (before.get(name, "none"), after.get(name, "none") if name in closing else "left")
        want[way] += 1
        amounts[way] += arr
    found = run(store, "health_migration", as_of=LAST, options={"from": str(first), "to": str(last)})
    assert {(one.from_colour, one.to_colour): one.accounts for one in found.itertuples()} == dict(want)
    assert {(one.from_colour, one.to_colour): one.arr for one in found.itertuples()} == pytest.approx(dict(amounts))


def test_migration_takes_the_90_days_before_and_never_looks_past_the_day(shop: tuple[Store, dict[str, Any]]) -> None:
    store, _ = shop
    default = run(store, "health_migration", as_of=ASKED[3])
    asked = {"from": str(ASKED[3] - dt.timedelta(90)), "to": str(ASKED[3] + dt.timedelta(20))}
    assert records(run(store, "health_migration", as_of=ASKED[3], options=asked)) == records(default)


def test_the_summary_adds_up_the_rows_of_health(shop: tuple[Store, dict[str, Any]]) -> None:
    store, rows = shop
    for as_of in ASKED:
        health, one = run(store, "health", as_of=as_of), run(store, "health_summary", as_of=as_of).iloc[0]
        arr = health.groupby("colour")["arr"].sum()
        assert (one.customers, one.arr, one.alerts) == (len(health), health["arr"].sum(), health["is_alert"].sum())
        assert [one[name] for name in ("red", "yellow", "green", "none")] == [
            (health["colour"] == name).sum() for name in ("red", "yellow", "green", "none")
        ]
        assert one.red_arr == arr.get("red", 0.0)
        assert one.mean_coverage == pytest.approx(
            health.loc[health["score"].notna(), "coverage"].mean(), abs=1e-6, nan_ok=True
        )
        assert one.healthy_share == pytest.approx(
            arr.get("green", 0.0) / arr.drop("none", errors="ignore").sum(), nan_ok=True
        )
        order, now = {"red": 0, "yellow": 1, "green": 2}, colours_on(store, as_of)
        before = colours_on(store, as_of - dt.timedelta(28))
        both = [name for name in health["account_id"] if now.get(name) in order and before.get(name) in order]
        assert one.moved_down == sum(order[now[name]] < order[before[name]] for name in both)
        assert one.moved_up == sum(order[now[name]] > order[before[name]] for name in both)
        earlier = run(store, "health_summary", as_of=as_of - dt.timedelta(28)).iloc[0]
        assert one.red_arr_before == (
            earlier.red_arr if arr_on(rows, as_of - dt.timedelta(28)) else pytest.approx(float("nan"), nan_ok=True)
        )


def test_a_scope_narrows_every_answer(shop: tuple[Store, dict[str, Any]]) -> None:
    store, rows = shop
    scope = Scope.of(csm="Kim")
    kims = {one["account_id"] for one in rows["accounts"] if one["csm"] == "Kim"} & set(arr_on(rows, LAST))
    assert set(run(store, "health", as_of=LAST, scope=scope)["account_id"]) == kims
    assert run(store, "health_summary", as_of=LAST, scope=scope)["customers"].tolist() == [len(kims)]
    assert run(store, "health_distribution", as_of=LAST, scope=scope)["accounts"].sum() == len(kims)
    assert run(store, "health_trend", as_of=LAST, scope=scope, options={"weeks": "1"})["accounts"].sum() == len(
        kims & set(arr_on(rows, dt.date(2024, 9, 29)))
    )


# A company whose numbers are easy: 8 of 40 seats, one old ticket, NPS 9, no sponsor any more.

NEWEST = "2024-06-16"  # a Sunday


def plain(folder: Path, **changes: Any) -> Store:
    users = [f"u{number}" for number in range(20)]
    events = [
        {"account_id": "a", "event": "login", "occurred_at": f"2024-05-{10 + number % 9:02d}T09:00:00", "user_id": name}
        for number, name in enumerate(users)
    ]
    events += [
        {"account_id": "a", "event": "login", "occurred_at": f"2024-06-{10 + number % 3:02d}T09:00:00", "user_id": name}
        for number, name in enumerate(users[:8])
    ]
    events.append({"account_id": "b", "event": "login", "occurred_at": at(day(NEWEST))})
    given = {
        "accounts": [account("a", segment="SMB", csm="Kim"), account("b", segment="SMB"), account("c", "2024-06-10")],
        "subscriptions": [
            line("a", "2024-01-01", None, 1000, seats=40),
            line("b", "2024-01-01", None, 10),
            line("c", "2024-06-18", None, 10),
        ],
        "events": events,
        "tickets": [{"ticket_id": "t", "account_id": "a", "opened_at": "2024-05-20T09:00:00", "priority": "normal"}],
        "surveys": [{"account_id": "a", "kind": "nps", "score": 9, "answered_at": "2024-03-01T09:00:00"}],
        "contacts": [{"contact_id": "p", "account_id": "a", "role": "sponsor", "left_on": "2024-06-01"}],
        "messages": [{"account_id": "b", "kind": "check_in", "sent_at": "2024-06-19T09:00:00"}],
    }
    return company(folder, **(given | changes))


def test_reasons_say_what_pulls_and_what_fell_with_the_raw_numbers(tmp_path: Path) -> None:
    found = run(plain(tmp_path), "health", as_of=day(NEWEST)).set_index("account_id").loc["a"]
    assert found["reasons"] == (
        "Down: relationship 0 (no sponsor or decision maker is in place), activity 15 (8 of 40 seats active in 28 days). "
        "Up: sentiment 90 (NPS answers average 9.0 of 10). "
        "Fell in 28 days: relationship from 100 to 0 (a sponsor or decision maker is in place, "
        "now no sponsor or decision maker is in place), activity from 52 to 15 (20 of 40 seats active in 28 days, "
        "now 8 of 40 seats active in 28 days)."
    )
    assert (found["active_users"], found["seats"], found["active_share"]) == (8, 40, 0.2)
    now = (0.25 * (0.6 * 100 / 7 + 0.4 * 15) + 0.1 * 200 / 3 + 0.1 * 90) / 0.6
    before = (0.25 * (0.6 * 400 / 7 + 0.4 * 45) + 0.1 * 90 + 0.15 * 100) / 0.5
    assert (found["score"], found["coverage"]) == (pytest.approx(now), 0.6)
    assert (found["change_28_days"], found["trend"]) == (pytest.approx(now - before), "down")


def test_the_alert_names_what_fell_and_the_play(tmp_path: Path) -> None:
    # Relationship fell by 100 points of weight 0.15, activity by 38 of weight 0.25.
    found = run(plain(tmp_path), "health", as_of=day(NEWEST)).set_index("account_id").loc["a"]
    assert (found["weeks_red"], found["is_alert"]) == (2, True)
    assert (
        found["alert"]
        == "Red for 2 weeks: relationship fell from 100 to 0 in 28 days. Find the sponsor and book the next meeting."
    )


def test_the_alert_names_the_lowest_where_nothing_weak_fell(tmp_path: Path) -> None:
    found = (
        run(
            plain(
                tmp_path,
                contacts=[],
                surveys=[],
                events=[
                    {"account_id": "a", "event": "x", "occurred_at": f"2024-{month:02d}-16T09:00:00", "user_id": "u"}
                    for month in range(3, 7)
                ],
            ),
            "health",
            as_of=day(NEWEST),
        )
        .set_index("account_id")
        .loc["a"]
    )
    assert found["alert"].endswith(
        "nothing weak fell further in 28 days, activity is lowest at 2. Find the idle users with the champion and bring them back."
    )


def test_an_account_without_a_score_says_what_it_needs(tmp_path: Path) -> None:
    found = run(plain(tmp_path), "health", as_of=dt.date(2024, 6, 19)).set_index("account_id")
    assert found["colour"].to_dict() == {"a": "red", "b": "red", "c": "none"}
    assert found.loc["c", "reasons"] == "needs its first complete week (Monday to Sunday): a customer since 18 Jun 2024"
    assert found.loc["c", list(DIMENSIONS)].isna().all()


def test_a_day_past_the_data_is_not_taken_for_a_new_customer(tmp_path: Path) -> None:
    found = run(plain(tmp_path), "health", as_of=dt.date(2024, 8, 1))
    assert set(found["reasons"]) == {"needs a complete week of data (Monday to Sunday)"}


def test_an_account_with_too_little_data_says_what_it_has_and_lacks(tmp_path: Path) -> None:
    tickets = [{"ticket_id": f"t{name}", "account_id": name, "opened_at": "2024-06-20T09:00:00"} for name in ("a", "c")]
    found = run(plain(tmp_path, tickets=tickets), "health", as_of=dt.date(2024, 6, 23)).set_index("account_id")
    assert found.loc["c", "reasons"] == (
        "needs more data: has only support (15% of the weights), nothing is recorded of use of core features, recorded use, "
        "answers to surveys, six months of its own results, contacts or meetings"
    )


@pytest.mark.parametrize(
    ("before", "after", "trend"), [(4, 9, "steady"), (9, 4, "steady"), (3, 9, "up"), (9, 3, "down"), (5, 5, "steady")]
)
def test_a_change_within_the_dead_band_is_no_change(tmp_path: Path, before: int, after: int, trend: str) -> None:
    # One NPS answer is a score of ten times its value; the first is older than 180 days when the second counts.
    toml = SHIPPED.read_text(encoding="utf-8").replace("dead_band = 5 ", "dead_band = 50 ")
    (tmp_path / "config.toml").write_text(toml, encoding="utf-8")
    surveys = [
        {"account_id": "a", "kind": "nps", "score": before, "answered_at": "2023-12-04T09:00:00"},
        {"account_id": "a", "kind": "nps", "score": after, "answered_at": "2024-05-31T09:00:00"},
    ]
    store = company(
        tmp_path,
        accounts=[account("a", "2023-12-01")],
        subscriptions=[line("a", "2023-12-01", None, 10)],
        surveys=surveys,
    )
    found = run(store, "health", as_of=dt.date(2024, 6, 2)).iloc[0]
    assert (found["change_28_days"], found["trend"]) == ((after - before) * 10, trend)


def test_no_product_data_is_said_and_the_score_stands_on_satisfaction_and_tickets(tmp_path: Path) -> None:
    store = plain(tmp_path, events=[], contacts=[])
    assert run(store, "health_summary", as_of=day(NEWEST))["has_product_data"].tolist() == [False]
    found = run(store, "health", as_of=day(NEWEST)).set_index("account_id").loc["a"]
    assert (found["score"], found["coverage"]) == (pytest.approx((200 / 3 + 90) / 2), 0.2)


def test_who_never_used_the_product_is_told_apart_from_who_cannot_be_measured(tmp_path: Path) -> None:
    surveys = [
        {"account_id": "b", "kind": kind, "score": 5, "answered_at": "2024-06-01T09:00:00"} for kind in ("nps", "csat")
    ]
    meetings = [{"account_id": "b", "kind": "qbr", "scheduled_on": "2024-06-01", "was_held": True}]
    tickets = [{"ticket_id": f"t{name}", "account_id": name, "opened_at": "2024-06-10T09:00:00"} for name in "ab"]
    used = [{"account_id": "a", "event": "login", "occurred_at": at(day(NEWEST)), "user_id": "u"}]
    rest = {"surveys": surveys, "meetings": meetings, "tickets": tickets}
    some = run(plain(tmp_path / "some", events=used, **rest), "health", as_of=day(NEWEST)).set_index("account_id")
    none = run(plain(tmp_path / "none", events=[], **rest), "health", as_of=day(NEWEST)).set_index("account_id")
    assert some.loc["b", "reasons"].endswith("No use recorded in the 167 days since the start.")
    assert "No use" not in none.loc["b", "reasons"]


def test_health_without_subscriptions_names_the_table(tmp_path: Path) -> None:
    with pytest.raises(MissingTable, match="subscriptions"):
        run(company(tmp_path, accounts=[account()]), "health")


def test_the_definitions_list_every_measure_with_its_weights(tmp_path: Path) -> None:
    store = plain(tmp_path)
    found = run(store, "health_dimensions", as_of=day(NEWEST)).set_index("measure")
    assert list(found.index) == list(store.config.health.measures)
    assert found.loc["nps", ["dimension", "scored_0_at", "scored_100_at", "weights", "accounts", "share"]].tolist() == [
        "sentiment", 0, 10, "default 10%; onboarding 5%", 1, 0.5,
    ]  # fmt: skip


def test_an_unknown_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="by=region"):
        run(plain(tmp_path), "health_distribution", options={"by": "region"})

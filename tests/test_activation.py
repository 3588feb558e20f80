"""Activation and its plateau: literal rows, the three states, a naive recomputation, and what must not matter."""

import datetime as dt
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_metrics import periods
from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.cohorts import key_action
from cs_metrics.metrics.plateau import bend
from cs_metrics.store import Store
from tests.support import account, company, day, records

MONDAY = "2024-01-01"
CELLS = ("cohort", "cohort_size", "period", "eligible", "active", "rate")


def use(account_id: str, on: str, event: str = "order_created", user_id: str = "") -> dict[str, Any]:
    return {"account_id": account_id, "event": event, "occurred_at": f"{on}T10:00:00", "user_id": user_id}


def days_after(start: str, *days: int) -> list[str]:
    return [str(periods.add_days(day(start), one)) for one in days]


def cells(store: Store, as_of: str, **options: Any) -> list[tuple[Any, ...]]:
    scope = options.pop("scope", Scope())
    return records(run(store, "activation", as_of=day(as_of), scope=scope, options=options), *CELLS)


def curve(store: Store, as_of: str, **options: Any) -> list[tuple[Any, ...]]:
    return [row[2:] for row in cells(store, as_of, cohort="all", **options)]


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Five accounts start on a Monday; in week k the first 5 − k are active; one more starts two weeks later."""
    return company(
        tmp_path_factory.mktemp("five"),
        accounts=[
            *(account(name, MONDAY, segment="SMB") for name in "abcde"),
            account("f", "2024-01-15", segment="Enterprise"),
        ],
        events=[
            *(
                use(name, on)
                for week in range(4)
                for name in "abcde"[: 5 - week]
                for on in days_after(MONDAY, 7 * week)
            ),
            use("a", "2024-01-14", "login"),
            use("f", "2024-01-28", "login"),
        ],
    )


def test_a_rate_is_active_over_eligible_and_a_running_period_is_not_yet_known(five: Store) -> None:
    assert cells(five, "2024-01-28", cohort="day") == [
        ("2024-01-01", 5, 0, 5, 5, 1.0),
        ("2024-01-01", 5, 1, 5, 4, 0.8),
        ("2024-01-01", 5, 2, 5, 3, 0.6),
        ("2024-01-01", 5, 3, 5, 2, 0.4),
        ("2024-01-15", 1, 0, 1, 0, None),
        ("2024-01-15", 1, 1, 1, 0, None),
        ("2024-01-15", 1, 2, 0, None, None),
        ("2024-01-15", 1, 3, 0, None, None),
    ]


def test_the_last_day_of_a_period_completes_it(five: Store) -> None:
    assert curve(five, "2024-01-06") == [(0, 0, None, None)]
    assert curve(five, "2024-01-07") == [(0, 5, 5, 1.0)]
    assert curve(five, "2024-01-08") == [(0, 5, 5, 1.0), (1, 0, None, None)]


def test_the_pooled_curve_counts_each_account_only_where_its_period_has_elapsed(five: Store) -> None:
    assert curve(five, "2024-01-28") == [
        (0, 6, 5, 0.833333),
        (1, 6, 4, 0.666667),
        (2, 5, 3, 0.6),
        (3, 5, 2, 0.4),
    ]


def test_a_rate_over_fewer_accounts_than_the_minimum_is_not_shown_and_its_counts_are(five: Store) -> None:
    assert curve(five, "2024-01-28", min_accounts=6)[1:3] == [(1, 6, 4, 0.666667), (2, 5, 3, None)]


def test_zero_is_a_number(five: Store) -> None:
    assert curve(five, "2024-01-28", event="login", min_accounts=1) == [
        (0, 6, 0, 0.0),
        (1, 6, 2, 0.333333),
        (2, 5, 0, 0.0),
        (3, 5, 0, 0.0),
    ]


def test_a_star_counts_any_event(five: Store) -> None:
    assert [row[2] for row in curve(five, "2024-01-28", event="*")] == [5, 5, 3, 2]


def test_unbounded_is_active_then_or_later_as_far_as_known(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account(name, MONDAY) for name in "abc"],
        events=[
            *(use("a", on) for on in days_after(MONDAY, 0, 15)),
            *(use("b", on) for on in days_after(MONDAY, 0)),
            *(use("c", on) for on in days_after(MONDAY, 0, 21)),
        ],
    )
    options = {"bounded": "false", "min_accounts": 1}
    assert [row[2] for row in curve(store, "2024-01-21", **options)] == [3, 1, 1]
    assert [row[2] for row in curve(store, "2024-01-22", **options)] == [3, 2, 2, None]
    assert [row[2] for row in curve(store, "2024-01-28", **options)] == [3, 2, 2, 1]


def test_times_are_counted_within_one_period(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", MONDAY)],
        events=[use("a", on) for on in (*days_after(MONDAY, 5, 6), *days_after(MONDAY, 7, 7))],
    )
    options = {"min_accounts": 1, "event": "order_created"}
    assert [row[2] for row in curve(store, "2024-01-14", times=2, **options)] == [1, 1]
    assert [row[2] for row in curve(store, "2024-01-14", times=3, **options)] == [0, 0]
    assert [row[2] for row in curve(store, "2024-01-14", times=3, every_days=14, **options)] == [1]


def test_months_of_an_account_are_counted_from_its_own_day(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", "2024-01-31")],
        events=[use("a", on) for on in ("2024-02-28", "2024-03-30", "2024-04-29")],
    )
    options = {"every": "month", "min_accounts": 1}
    # The months of 31 January begin on 31 January, 29 February, 31 March and 30 April.
    assert curve(store, "2024-04-28", **options) == [(0, 1, 1, 1.0), (1, 1, 1, 1.0), (2, 0, None, None)]
    assert curve(store, "2024-04-29", **options) == [(0, 1, 1, 1.0), (1, 1, 1, 1.0), (2, 1, 1, 1.0)]


def test_cohorts_by_week_quarter_and_column(five: Store) -> None:
    options = {"min_accounts": 1}
    assert {row[0]: row[1] for row in cells(five, "2024-01-28", cohort="week", **options)} == {
        "2024-01-01": 5,
        "2024-01-15": 1,
    }
    assert {row[0]: row[1] for row in cells(five, "2024-01-28", cohort="week", week_start="sunday", **options)} == {
        "2023-12-31": 5,
        "2024-01-14": 1,
    }
    assert {row[0]: row[1] for row in cells(five, "2024-01-28", cohort="quarter", **options)} == {"2024-01-01": 6}
    assert {row[0]: row[1] for row in cells(five, "2024-01-28", cohort="segment", **options)} == {
        "Enterprise": 1,
        "SMB": 5,
    }
    assert {row[0]: row[1] for row in cells(five, "2024-01-28", cohort="industry", **options)} == {"": 6}


def test_the_scope_and_the_window_narrow_who_and_when(five: Store) -> None:
    assert curve(five, "2024-01-28", scope=Scope.of(segment="Enterprise"), min_accounts=1) == [
        (0, 1, 0, 0.0),
        (1, 1, 0, 0.0),
    ]
    assert curve(five, "2024-01-28", **{"from": "2024-01-02"}, min_accounts=1) == [(0, 1, 0, 0.0), (1, 1, 0, 0.0)]
    assert curve(five, "2024-01-28", to="2024-01-14") == [(0, 5, 5, 1.0), (1, 5, 4, 0.8)]


def test_an_entry_event_starts_the_clock_on_its_first_day(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", MONDAY), account("b", MONDAY)],
        events=[use("a", "2024-02-06", "invited"), use("a", "2024-02-20", "invited"), use("a", "2024-02-14")],
    )
    options = {"entry_event": "invited", "min_accounts": 1}
    assert cells(store, "2024-02-19", **options) == [("2024-02-01", 1, 0, 1, 0, 0.0), ("2024-02-01", 1, 1, 1, 1, 1.0)]
    assert cells(store, "2024-02-26", entry="recurring", cohort="day", **options) == [
        ("2024-02-06", 1, 0, 1, 0, 0.0),
        ("2024-02-06", 1, 1, 1, 1, 1.0),
        ("2024-02-06", 1, 2, 1, 0, 0.0),
        ("2024-02-20", 1, 0, 1, 0, 0.0),
        ("2024-02-20", 1, 1, 0, None, None),
        ("2024-02-20", 1, 2, 0, None, None),
    ]


def test_calendar_periods_begin_with_the_period_of_the_entry(five: Store) -> None:
    options = {"clock": "calendar", "week_start": "sunday", "min_accounts": 1}
    # Weeks from Sunday: the accounts of Monday 1 January enter in the week of 31 December.
    assert cells(five, "2024-01-20", cohort="week", **options) == [
        ("2023-12-31", 5, 0, 5, 5, 1.0),
        ("2023-12-31", 5, 1, 5, 4, 0.8),
        ("2023-12-31", 5, 2, 5, 3, 0.6),
        ("2024-01-14", 1, 0, 1, 0, 0.0),
        ("2024-01-14", 1, 1, 0, None, None),
        ("2024-01-14", 1, 2, 0, None, None),
    ]


def test_users_enter_on_their_first_event_and_unknown_users_do_not(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", "2023-06-01"), account("b", "2023-06-01")],
        events=[
            use("a", "2024-01-01", "login", "u1"),
            use("a", "2024-01-09", "order_created", "u1"),
            use("b", "2024-01-02", "login", "u1"),
            use("a", "2024-01-03", "order_created", ""),
        ],
    )
    assert cells(store, "2024-01-15", unit="user", min_accounts=1) == [
        ("2024-01-01", 2, 0, 2, 0, 0.0),
        ("2024-01-01", 2, 1, 2, 1, 0.5),
        ("2024-01-01", 2, 2, 0, None, None),
    ]


def test_without_the_key_action_any_event_counts_and_the_frame_says_so(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", MONDAY)],
        events=[use("a", "2024-01-02", "login"), use("a", "2024-01-20")],
    )
    before = run(store, "activation", as_of=day("2024-01-14"), options={"min_accounts": 1})
    assert list(before["active"]) == [1, 0]
    assert "order_created" in before.attrs["note"]
    assert "any event" in key_action(store, day("2024-01-14")).name
    after = run(store, "activation", as_of=day("2024-01-20"), options={"min_accounts": 1})
    assert list(after["active"].dropna()) == [0, 0]
    assert after.attrs["note"] == ""


def test_an_account_that_has_not_started_is_not_there(five: Store) -> None:
    assert {row[1] for row in cells(five, "2024-01-14")} == {5}
    assert cells(five, "2023-12-31") == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"cohort": "segmnt"}, "Did you mean 'segment'"),
        ({"times": 0}, "at least 1"),
        ({"clock": "calendar", "every_days": 10}, "every=day, week or month"),
        ({"from": "2024-03-01", "to": "2024-02-01"}, "holds no day"),
        ({"entry": "recurring", "entry_event": "login", "cohort": "segment"}, "cohort by time"),
        ({"every": "fortnight"}, "every=fortnight is not possible"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_sentence(five: Store, options: dict[str, Any], says: str) -> None:
    with pytest.raises(MetricError, match=says):
        run(five, "activation", as_of=day("2024-01-28"), options=options)


def test_without_events_the_table_is_named(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account()])
    with pytest.raises(MissingTable, match="'events'"):
        run(store, "activation", as_of=day("2024-03-01"))


# A recomputation in plain Python, day by day, that shares no line with the SQL.


def naive(
    accounts: list[Any], events: list[Any], as_of: dt.date, o: dict[str, Any]
) -> dict[tuple[Any, int], tuple[Any, ...]]:
    calendar, every, week_start = o["clock"] == "calendar", o["every"], o["week_start"]
    since, until = o["from"] or dt.date.min, min(o["to"] or as_of, as_of)

    def wanted(event: dict[str, Any], names: tuple[str, ...]) -> bool:
        return day(event["occurred_at"][:10]) <= until and ("*" in names or event["event"] in names)

    def who(row: dict[str, Any]) -> tuple[str, str]:
        return (row["account_id"], row["user_id"] if o["unit"] == "user" else "")

    known = [one for one in events if o["unit"] == "account" or one["user_id"]]
    if o["entry_event"] or o["unit"] == "user":
        enters = [(who(one), day(one["occurred_at"][:10])) for one in known if wanted(one, o["entry_event"] or ("*",))]
    else:
        enters = [
            ((one["account_id"], ""), day(one["started_on"])) for one in accounts if day(one["started_on"]) <= until
        ]
    members: dict[Any, dt.date] = {}
    for unit, on in sorted(enters, key=lambda pair: pair[1]):
        if o["entry"] == "first" or not o["entry_event"]:
            key: Any = unit
        elif on < since:
            continue
        else:
            key = (unit, periods.period_start(on, every if calendar else o["cohort"], week_start))
        members.setdefault(key, on)
    found: dict[tuple[Any, int], list[int]] = {}
    sizes: dict[Any, int] = {}
    for key, on in members.items():
        if on < since:
            continue
        unit = key if isinstance(key[0], str) else key[0]
        cohort = {"all": "all", "segment": next(a["segment"] for a in accounts if a["account_id"] == unit[0])}.get(
            o["cohort"]
        )
        cohort = cohort or str(periods.period_start(on, o["cohort"], week_start))
        anchor = periods.period_start(on, every, week_start) if calendar else on
        did = sorted(
            day(one["occurred_at"][:10])
            for one in known
            if who(one) == unit and wanted(one, o["event"]) and day(one["occurred_at"][:10]) >= max(anchor, since)
        )
        counts, k = [], 0
        while periods.add_periods(anchor, every, k) <= until:
            first, last = periods.add_periods(anchor, every, k), periods.add_periods(anchor, every, k + 1)
            counts.append((last <= periods.add_days(until, 1), sum(first <= one < last for one in did) >= o["times"]))
            k += 1
        sizes[cohort] = sizes.get(cohort, 0) + 1
        for period, (has_elapsed, is_active) in enumerate(counts):
            cell = found.setdefault((cohort, period), [0, 0])
            if has_elapsed:
                cell[0] += 1
                cell[1] += is_active if o["bounded"] else any(active for _, active in counts[period:])
    return {(cohort, period): (sizes[cohort], n, a if n else None) for (cohort, period), (n, a) in found.items()}


choices = st.fixed_dictionaries(
    {
        "event": st.sampled_from([("*",), ("order_created",), ("order_created", "login")]),
        "entry_event": st.sampled_from([(), ("login",), ("*",)]),
        "times": st.sampled_from([1, 2]),
        "every": st.sampled_from(["day", "week", "month"]),
        "cohort": st.sampled_from(["month", "week", "quarter", "all", "segment"]),
        "clock": st.sampled_from(["account", "calendar"]),
        "entry": st.sampled_from(["first", "recurring"]),
        "unit": st.sampled_from(["account", "user"]),
        "bounded": st.booleans(),
        "week_start": st.sampled_from(["monday", "sunday"]),
        "from": st.sampled_from([None, dt.date(2024, 1, 10)]),
        "to": st.sampled_from([None, dt.date(2024, 3, 2)]),
    }
)


def random_company(seed: int) -> tuple[list[Any], list[Any]]:
    dice = random.Random(seed)
    accounts = [
        account(name, str(periods.add_days(day("2023-12-28"), dice.randrange(40))), segment=dice.choice(["SMB", "Mid"]))
        for name in "abcdefg"
    ]
    events = [
        use(
            dice.choice(accounts)["account_id"],
            str(periods.add_days(day("2023-12-28"), int(dice.triangular(0, 120, 20)))),
            dice.choice(["order_created", "login", "export"]),
            dice.choice(["", "u1", "u2"]),
        )
        for _ in range(150)
    ]
    return accounts, events


@pytest.fixture(scope="module")
def dice_store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[Any], list[Any]]:
    accounts, events = random_company(11)
    return company(tmp_path_factory.mktemp("dice"), accounts=accounts, events=events), accounts, events


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(options=choices, as_of=st.sampled_from(["2024-02-11", "2024-03-31", "2024-04-17"]))
def test_it_agrees_with_a_naive_recomputation(dice_store: Any, options: dict[str, Any], as_of: str) -> None:
    store, accounts, events = dice_store
    if options["entry"] == "recurring" and options["clock"] == "account" and options["cohort"] in ("all", "segment"):
        options = {**options, "cohort": "month"}
    expected = naive(accounts, events, day(as_of), options)
    asked = {name: value for name, value in options.items() if value is not None and value != ()}
    got = {(row[0], row[2]): (row[1], row[3], row[4]) for row in cells(store, as_of, min_accounts=1, **asked)}
    assert {key: value for key, value in got.items() if value[1] or key in expected} == expected


def test_the_order_of_rows_and_later_facts_change_nothing(dice_store: Any, tmp_path: Path) -> None:
    store, accounts, events = dice_store
    as_of = "2024-02-20"
    later = [use("a", "2024-02-21"), use("new", "2024-03-01"), *(use(name, "2024-02-29", "login") for name in "bcd")]
    mixed = [*events, *later]
    random.Random(5).shuffle(mixed)
    other = company(tmp_path, accounts=[account("new", "2024-02-25"), *reversed(accounts)], events=mixed)
    for options in (
        {},
        {"bounded": "false"},
        {"entry_event": "login", "entry": "recurring", "clock": "calendar"},
        {"unit": "user"},
    ):
        assert cells(other, as_of, **options) == cells(store, as_of, **options)
    assert records(run(other, "plateau", as_of=day(as_of), options={"min_accounts": 1})) == records(
        run(store, "plateau", as_of=day(as_of), options={"min_accounts": 1})
    )


# The plateau.

STEPS = np.arange(30)


@pytest.mark.parametrize(
    ("curve_points", "period", "slope"),
    [
        (np.where(STEPS < 8, 0.9 - 0.05 * STEPS, 0.5), 8, 0.0),
        (np.where(STEPS < 3, 0.7 - 0.1 * STEPS, 0.4 - 0.002 * (STEPS - 3)), 3, -0.002),
        (0.9 - 0.02 * STEPS, 0, -0.02),
        (np.full(30, 0.4), 0, 0.0),
    ],
    ids=["falls and stays", "falls and creeps", "falls", "flat"],
)
def test_the_bend_of_an_exact_curve_is_found(curve_points: Any, period: int, slope: float) -> None:
    found = bend(curve_points[None, :], np.full((1, 30), 100.0))
    assert found.period[0] == period
    assert found.tail_slope[0] == pytest.approx(slope, abs=1e-9)


def test_the_bend_is_the_best_of_all_pairs_of_lines_by_brute_force() -> None:
    dice = np.random.default_rng(3)
    rate = np.clip(np.where(STEPS < 9, 0.9 - 0.05 * STEPS, 0.45) + dice.normal(0, 0.01, 30), 0, 1)
    weight = np.linspace(200, 20, 30)
    errors = {}
    for candidate in range(1, 27):
        lines = np.column_stack([np.ones(30), np.minimum(STEPS - candidate, 0), np.maximum(STEPS - candidate, 0)])
        fitted, *_ = np.linalg.lstsq(lines * np.sqrt(weight)[:, None], rate * np.sqrt(weight), rcond=None)
        errors[candidate] = (((lines @ fitted - rate) ** 2 * weight).sum(), fitted[2])
    best = min(errors, key=lambda candidate: errors[candidate][0])
    found = bend(rate[None, :], weight[None, :])
    assert found.period[0] == best
    assert found.tail_slope[0] == pytest.approx(errors[best][1], abs=1e-9)


def test_points_without_weight_have_no_influence() -> None:
    rate = np.where(STEPS < 8, 0.9 - 0.05 * STEPS, 0.5)
    weight = np.full(30, 100.0)
    rate[25:], weight[25:] = 0.0, 0.0
    assert bend(rate[None, :], weight[None, :]).period[0] == 8


def plateau_company(folder: Path, stays: int, weeks: int, *, accounts: int = 40) -> Store:
    """Return a company in which `stays` of the accounts are active each week and the others stop one after the other."""
    names = [f"{number:03}" for number in range(accounts)]
    leaves = {
        name: weeks if number < stays else 1 + (number - stays) * 6 // (accounts - stays)
        for number, name in enumerate(names)
    }
    return company(
        folder,
        accounts=[account(name, MONDAY) for name in names],
        events=[use(name, on) for name in names for on in days_after(MONDAY, *range(0, 7 * leaves[name], 7))],
    )


def plateau(store: Store, as_of: str, **options: Any) -> dict[str, Any]:
    found = run(store, "plateau", as_of=day(as_of), options=options)
    return dict(zip(found.columns, records(found)[0], strict=True))


def test_the_plateau_is_the_level_of_the_flat_tail_with_its_interval(tmp_path: Path) -> None:
    store = plateau_company(tmp_path, 20, 26)
    found = plateau(store, "2024-06-30")
    assert found["is_found"] is True
    assert found["period"] == 6
    assert found["level"] == 0.5
    assert found["level_low"] < 0.5 < found["level_high"]
    assert found["level_high"] - found["level_low"] == pytest.approx(2 * 1.96 * (0.25 / 40) ** 0.5, abs=0.03)
    assert 3 <= found["period_low"] <= 6 <= found["period_high"] <= 9
    assert plateau(store, "2024-06-30") == found
    assert plateau(store, "2024-06-30", bounded="false", cohort="segment") == found


def test_a_curve_that_never_flattens_is_said_to(tmp_path: Path) -> None:
    weeks = 24
    names = [f"{number:03}" for number in range(48)]
    store = company(
        tmp_path,
        accounts=[account(name, MONDAY) for name in names],
        events=[
            use(name, on)
            for number, name in enumerate(names)
            for on in days_after(MONDAY, *range(0, 7 * (number * weeks // 48 + 1), 7))
        ],
    )
    found = plateau(store, "2024-06-16")
    assert found.pop("tail_slope") == pytest.approx(-1 / 24, abs=1e-4)
    assert found == {"is_found": False} | dict.fromkeys(
        ("period", "level", "level_low", "level_high", "period_low", "period_high")
    )


def test_too_short_a_curve_has_no_plateau(five: Store) -> None:
    assert plateau(five, "2024-01-28") == {"is_found": False} | dict.fromkeys(
        ("period", "level", "level_low", "level_high", "tail_slope", "period_low", "period_high")
    )
    assert plateau(five, "2023-01-01")["is_found"] is False


@pytest.mark.parametrize("every", ["day", "week"])
def test_the_plateau_counts_what_the_curve_counts(dice_store: Any, every: str) -> None:
    store, *_ = dice_store
    options = {"every": every, "min_accounts": 3, "unit": "user", "event": "*"}
    found = plateau(store, "2024-03-20", **options)
    rows = [row for row in curve(store, "2024-03-20", **options) if row[3] is not None]
    pooled = np.array([[row[1] for row in rows]], dtype=float)
    slope = bend(np.array([[row[2] for row in rows]]) / pooled, pooled).tail_slope[0]
    assert found["tail_slope"] == pytest.approx(slope, abs=1e-6)
    assert found["is_found"] is bool(abs(slope) <= 0.005)
    tail = [row for row in rows if found["is_found"] and row[0] >= found["period"]]
    expected = sum(row[2] for row in tail) / sum(row[1] for row in tail) if tail else None
    assert found["level"] == pytest.approx(expected, abs=1e-6)

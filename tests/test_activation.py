"""Activation and the accounts behind its cells: literal rows, the three states, a naive recomputation, what must not matter."""

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_metrics import periods
from cs_metrics.contract.load import load
from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.actions import key_action
from cs_metrics.store import Database, Store
from tests import activation_naive as naive
from tests.activation_naive import random_company, use
from tests.support import account, company, day, line, records

MONDAY = "2024-01-01"
CELLS = ("cohort", "cohort_size", "period", "eligible", "active", "rate")


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
        ({"key_action": "Orders"}, "There is no key action 'Orders'"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_sentence(five: Store, options: dict[str, Any], says: str) -> None:
    with pytest.raises(MetricError, match=says):
        run(five, "activation", as_of=day("2024-01-28"), options=options)


def test_without_events_the_table_is_named(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account()])
    with pytest.raises(MissingTable, match="'events'"):
        run(store, "activation", as_of=day("2024-03-01"))


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


@pytest.fixture(scope="module")
def dice_store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[Any], list[Any]]:
    accounts, events = random_company(11)
    return company(tmp_path_factory.mktemp("dice"), accounts=accounts, events=events), accounts, events


def possible(options: dict[str, Any]) -> dict[str, Any]:
    """Turn a combination that is refused into its neighbour."""
    if options["entry"] == "recurring" and options["clock"] == "account" and options["cohort"] in ("all", "segment"):
        return {**options, "cohort": "month"}
    return options


def asked(options: dict[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in options.items() if value is not None and value != ()}, "min_accounts": 1}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(options=choices, as_of=st.sampled_from(["2024-02-11", "2024-03-31", "2024-04-17"]))
def test_it_agrees_with_a_naive_recomputation(dice_store: Any, options: dict[str, Any], as_of: str) -> None:
    store, accounts, events = dice_store
    options = possible(options)
    stays = naive.stays(accounts, events, day(as_of), options)
    expected = naive.cells(stays)
    found = run(store, "activation", as_of=day(as_of), options=asked(options))
    rows = records(found, "cohort", "period", "cohort_size", "eligible", "active", "from_day", "to_day")
    got = {row[:2]: row[2:5] for row in rows}
    assert {key: value for key, value in got.items() if value[1] or key in expected} == expected
    assert [row[5:] for row in rows] == [naive.days(stays, options["every"], *row[:2]) for row in rows]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(options=choices, as_of=st.sampled_from(["2024-02-11", "2024-04-17"]), data=st.data())
def test_the_accounts_of_a_cell_are_its_members_and_add_up(
    dice_store: Any, options: dict[str, Any], as_of: str, data: Any
) -> None:
    store, accounts, events = dice_store
    options = possible(options)
    stays = naive.stays(accounts, events, day(as_of), options)
    table = records(
        run(store, "activation", as_of=day(as_of), options=asked(options)),
        *("cohort", "period", "cohort_size", "eligible", "active"),
    )
    if not table:
        return
    cohort, period, size, eligible, active = data.draw(st.sampled_from(table))
    cell = {"in_cohort": cohort, "in_period": period}
    found = run(store, "activation_accounts", as_of=day(as_of), options={**asked(options), **cell})
    assert (len(found), int(found["is_eligible"].sum())) == (size, eligible)
    assert (int(found["is_active"].sum()) if eligible else None) == active
    members = [one for one in stays if (one.cohort, one.period) == (cohort, period)]
    columns = ("account_id", "user_id", "entered_on", "period_from", "period_to", "is_eligible", "is_active", "times")
    begun = [row for row in records(found, *columns) if row[3] <= str(min(day(as_of), options["to"] or day(as_of)))]
    expected = [
        (
            *(one.account_id, one.user_id, str(one.entered_on), str(one.first), str(one.last), one.is_eligible),
            one.is_active if one.is_eligible else None,
            one.times,
        )
        for one in members
    ]
    assert sorted(begun, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bounded": "false"},
        {"every": "month", "cohort": "segment"},
        {"entry_event": "login", "entry": "recurring", "clock": "calendar", "every": "week"},
        {"unit": "user", "event": "*", "cohort": "week"},
    ],
    ids=["default", "unbounded", "months by segment", "recurring calendar weeks", "users"],
)
def test_every_cell_has_as_many_accounts_as_it_says(dice_store: Any, options: dict[str, Any]) -> None:
    store, *_ = dice_store
    as_of = day("2024-03-20")
    table = run(store, "activation", as_of=as_of, options=options)
    for cohort, period, size, eligible, active in records(
        table, "cohort", "period", "cohort_size", "eligible", "active"
    ):
        cell = {**options, "in_cohort": cohort, "in_period": period}
        found = run(store, "activation_accounts", as_of=as_of, options=cell)
        counted = (len(found), int(found["is_eligible"].sum()), int(found["is_active"].sum()))
        assert counted == (size, eligible, active or 0), (cohort, period)


def test_the_accounts_of_a_cell_say_who_they_are_and_those_to_call_come_first(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[
            account("a", MONDAY, csm="ann", onboarding_manager="oda", segment="SMB"),
            account("b", MONDAY, csm="bob"),
            account("c", MONDAY),
            account("d", "2024-01-20"),
        ],
        subscriptions=[line("a", MONDAY, None, 10), line("b", MONDAY, None, 30), line("c", MONDAY, "2024-01-20", 99)],
        events=[use("a", "2024-01-09"), use("a", "2024-01-10"), use("d", "2024-01-22")],
    )
    columns = (
        "account_id",
        "name",
        "is_active",
        "times",
        "arr",
        "csm",
        "onboarding_manager",
        "period_from",
        "period_to",
    )
    found = run(store, "activation_accounts", as_of=day("2024-01-23"), options={"in_period": 1})
    assert records(found, *columns) == [
        ("b", "Company b", False, 0, 360.0, "bob", None, "2024-01-08", "2024-01-14"),
        ("c", "Company c", False, 0, 0.0, None, None, "2024-01-08", "2024-01-14"),
        ("a", "Company a", True, 2, 120.0, "ann", "oda", "2024-01-08", "2024-01-14"),
        ("d", "Company d", None, 0, 0.0, None, None, "2024-01-27", "2024-02-02"),
    ]
    of_segment = {"cohort": "segment", "in_cohort": "(empty)", "in_period": 1}
    found = run(store, "activation_accounts", as_of=day("2024-01-23"), options=of_segment)
    assert list(found["account_id"]) == ["b", "c", "d"]


def test_without_subscriptions_the_arr_of_a_member_is_not_known(five: Store) -> None:
    found = run(five, "activation_accounts", as_of=day("2024-01-28"), options={"in_cohort": "2024-01-01"})
    assert found["arr"].isna().all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"in_cohort": "2024-02-01"}, "There is no cohort '2024-02-01'. Did you mean '2024-01-01'"),
        ({"in_period": -1}, "in_period lies from 0"),
        ({"in_period": 10_001}, "in_period lies from 0"),
        ({"event": "login", "key_action": "Orders"}, "either event or key_action"),
    ],
)
def test_a_cell_that_is_not_there_is_refused(five: Store, options: dict[str, Any], says: str) -> None:
    with pytest.raises(MetricError, match=says):
        run(five, "activation_accounts", as_of=day("2024-01-28"), options=options)


def test_columns_with_two_to_thirty_values_can_form_cohorts(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[
            account("a", MONDAY, segment="SMB", region="EU", plan="x"),
            account("b", MONDAY, segment="Mid", region="EU", plan="y"),
            account("c", MONDAY, segment="SMB", plan="z"),
            account("d", "2024-03-01", region="US"),
        ],
    )

    def found(as_of: str, **options: Any) -> list[tuple[Any, ...]]:
        return records(run(store, "cohort_columns", as_of=day(as_of), options=options))

    assert found("2024-02-01") == [("segment", 2), ("plan", 3)]
    assert found("2024-03-01") == [("segment", 2), ("region", 2), ("plan", 3)]
    assert found("2024-03-01", most=2) == [("segment", 2), ("region", 2)]


# What must not matter, and what always holds.

VARIETIES: list[dict[str, Any]] = [
    {},
    {"bounded": "false"},
    {"every": "month", "cohort": "segment"},
    {"entry_event": "login", "entry": "recurring", "clock": "calendar"},
    {"unit": "user"},
]


def test_the_order_of_rows_and_later_facts_change_nothing(dice_store: Any, tmp_path: Path) -> None:
    store, accounts, events = dice_store
    as_of = "2024-02-20"
    later = [use("a", "2024-02-21"), use("new", "2024-03-01"), *(use(name, "2024-02-29", "login") for name in "bcd")]
    mixed = [*events, *later]
    random.Random(5).shuffle(mixed)
    other = company(tmp_path, accounts=[account("new", "2024-02-25"), *reversed(accounts)], events=mixed)
    for options in VARIETIES:
        assert cells(other, as_of, **options) == cells(store, as_of, **options)
        for name, more in (("plateau", {"min_accounts": 1}), ("activation_accounts", {"in_period": 2})):
            answers = [run(one, name, as_of=day(as_of), options={**options, **more}) for one in (other, store)]
            assert records(answers[0]) == records(answers[1])


def test_events_loaded_in_two_parts_give_the_same_as_in_one(dice_store: Any, tmp_path: Path) -> None:
    _, accounts, events = dice_store
    dice = random.Random(9)
    halves: tuple[list[Any], list[Any]] = ([], [])
    for one in events:
        halves[dice.random() < 0.5].append(one)
    stores = []
    for name, parts in (("one", [events]), ("two", halves)):
        data = tmp_path / name
        for at, part in enumerate(parts):
            files = tmp_path / f"{name}-{at}"
            files.mkdir()
            pd.DataFrame(part).to_csv(files / "events.csv", index=False)
            if not at:
                lines = [line(one["account_id"], one["started_on"], None, 10) for one in accounts]
                pd.DataFrame(accounts).to_csv(files / "accounts.csv", index=False)
                pd.DataFrame(lines).to_csv(files / "subscriptions.csv", index=False)
            assert load(files, data, add=bool(at)).status == "published"
        stores.append(Database.open(data).current())
    for options in VARIETIES:
        one, two = (run(store, "activation", as_of=day("2024-04-17"), options=options) for store in stores)
        assert records(one) == records(two)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(options=choices, as_of=st.sampled_from(["2024-02-11", "2024-04-17"]))
def test_later_use_counts_too_where_it_may_and_periods_only_lose_the_eligible(
    dice_store: Any, options: dict[str, Any], as_of: str
) -> None:
    store, *_ = dice_store
    options = asked(possible(options))
    both = {
        one: run(store, "activation", as_of=day(as_of), options={**options, "bounded": one}) for one in (True, False)
    }
    assert list(both[True]["eligible"]) == list(both[False]["eligible"])
    assert (both[False]["active"].fillna(0) >= both[True]["active"].fillna(0)).all()
    for found in both.values():
        assert (found["active"].fillna(0) <= found["eligible"]).all()
        assert (found["eligible"] <= found["cohort_size"]).all()
        assert (found.groupby("cohort")["eligible"].diff().fillna(0) <= 0).all()
    later = both[False].dropna(subset=["active"])
    assert (later.groupby("cohort")["active"].diff().fillna(0) <= 0).all()


@pytest.mark.parametrize("options", VARIETIES[:3] + VARIETIES[4:])
@pytest.mark.parametrize("cohort", ["week", "quarter", "segment"])
def test_the_pooled_row_is_the_sum_of_the_cohorts(dice_store: Any, cohort: str, options: dict[str, Any]) -> None:
    store, *_ = dice_store
    rows = run(store, "activation", as_of=day("2024-03-20"), options={**options, "cohort": cohort})
    pooled = rows.groupby("period")[["cohort_size", "eligible", "active"]].sum()
    whole = curve_counts(store, "2024-03-20", **{**options, "cohort": "all"})
    assert [(period, *row) for period, row in zip(pooled.index, pooled.to_numpy(), strict=True)] == whole


def curve_counts(store: Store, as_of: str, **options: Any) -> list[tuple[Any, ...]]:
    found = run(store, "activation", as_of=day(as_of), options=options)
    found["active"] = found["active"].fillna(0)
    return records(found, "period", "cohort_size", "eligible", "active")

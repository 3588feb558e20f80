"""The hand-off: who joins when, what is missing, how soon the customer is greeted, and whether gaps slow onboarding down."""

import itertools
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cs_metrics import periods
from cs_metrics.config import SHIPPED, Handoff
from cs_metrics.errors import ConfigError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.handoff_effect import stratified_log_rank
from cs_metrics.metrics.handoffs import AFTER_CLOSE, AT_70, UNKNOWN, _rule
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

START = "2024-01-01"
NAN = float("nan")
WHOLE = dict.fromkeys(("has_profile", "has_order", "has_technical_needs", "has_expected_outcomes"), True)
SETTINGS = Handoff(
    annual_value_below=15_000, sales_cycle_days_below=60, implementation_days_below=28, greeting_minutes=30
)


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def asked(store: Store, name: str, as_of: str, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    scope = options.pop("scope", Scope())
    return records(run(store, name, as_of=day(as_of), scope=scope, options=options), *columns)


@pytest.mark.parametrize(
    ("sale", "rule", "why"),
    [
        (
            (14_999, 59, 27),
            AFTER_CLOSE,
            "Annual value USD 14,999, below 15,000; sales cycle 59 days, below 60; implementation 27 days, below 28",
        ),
        ((15_000, 59, 27), AT_70, "Annual value USD 15,000, from 15,000"),
        ((14_999, 60, 28), AT_70, "Sales cycle 60 days, from 60; implementation 28 days, from 28"),
        ((NAN, 60, NAN), AT_70, "Sales cycle 60 days, from 60; not known: annual value and implementation"),
        (
            (9_000, NAN, 27),
            UNKNOWN,
            "Annual value USD 9,000, below 15,000; implementation 27 days, below 28; not known: sales cycle",
        ),
        ((NAN, NAN, NAN), UNKNOWN, "Not known: annual value, sales cycle and implementation"),
        ((0, 1, 0), AFTER_CLOSE, None),
    ],
)
def test_who_joins_when_and_why(sale: tuple[float, ...], rule: str, why: str | None) -> None:
    found = _rule(sale, SETTINGS, "USD")
    assert found[0] == rule
    assert why is None or found[1] == why


@given(st.tuples(*(st.one_of(st.just(NAN), st.floats(0, 2 * limit)) for limit in (15_000, 60, 28))))
def test_the_rule_is_known_exactly_when_what_is_missing_cannot_change_it(sale: tuple[float, ...]) -> None:
    filled = itertools.product(*((one,) if one == one else (0.0, 1e6) for one in sale))
    possible = {_rule(one, SETTINGS, "USD")[0] for one in filled}
    assert _rule(sale, SETTINGS, "USD")[0] == (possible.pop() if len(possible) == 1 else UNKNOWN)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    sale = {"deal_value": 9_000, "sales_cycle_days": 20, "implementation_days": 10}
    return company(
        tmp_path_factory.mktemp("handoffs"),
        accounts=[account(name, START, salesperson="sam" if name != "d" else "tom") for name in "abcde"],
        subscriptions=[line("a", START, None, 100), line("b", START, after(3), 50)],
        handoffs=[
            {"account_id": "a", "paid_at": f"{after(0)}T09:00:00", **WHOLE, **sale},
            {"account_id": "b", "paid_at": f"{after(0)}T09:00:00", **WHOLE, **sale, "has_order": False},
            {"account_id": "c", "paid_at": f"{after(1)}T09:00:00", **WHOLE, "has_profile": None},
            {"account_id": "d", "paid_at": f"{after(9)}T23:40:00", **WHOLE, **sale, "implementation_days": None},
        ],
        messages=[
            {"account_id": "a", "kind": "welcome", "sent_at": f"{after(0)}T09:30:00", "opened_at": f"{after(3)}T09:00"},
            {"account_id": "a", "kind": "check_in", "sent_at": f"{after(-4)}T09:20:00"},
            {"account_id": "b", "kind": "welcome", "sent_at": f"{after(0)}T11:00:00"},
        ],
    )


def test_completeness_counts_what_is_missing_and_how_soon_the_customer_was_greeted(store: Store) -> None:
    assert asked(store, "handoff_completeness", after(5)) == [
        ("sam", 3, 1, None, 1, 1, 0, 0, 2, 75.0, 1, 1, None, None)
    ]
    assert asked(store, "handoff_completeness", after(2), "opened_welcome") == [(0,)]
    assert asked(store, "handoff_completeness", after(9), "salesperson", "accounts") == [("sam", 3), ("tom", 1)]
    assert asked(store, "handoff_completeness", after(9), "salesperson", "accounts", by="total") == [("total", 4)]
    assert asked(store, "handoff_completeness", after(5), "greeted_in_time", target_minutes=120) == [(2,)]
    assert asked(store, "handoff_completeness", after(5), "greeted_in_time", target_minutes=29) == [(0,)]
    assert asked(store, "handoff_completeness", after(400)) == []
    assert asked(store, "handoff_completeness", after(400), "accounts", last_days=0, by="total") == [(4,)]


def test_each_account_says_what_is_there_what_is_missing_and_what_is_not_known(store: Store) -> None:
    columns = ("account_id", "rule", "completeness", "missing", "minutes", "is_in_time", "welcome_opened", "arr")
    assert asked(store, "handoff_accounts", after(9), *columns) == [
        ("c", UNKNOWN, 3, "Not known: profile", None, False, None, 0.0),
        ("b", AFTER_CLOSE, 3, "Order", 120.0, False, False, 0.0),
        ("d", UNKNOWN, 4, "", None, None, None, 0.0),  # paid 20 minutes before the end of the day
        ("a", AFTER_CLOSE, 4, "", 30.0, True, True, 1200.0),
    ]
    assert asked(store, "handoff_accounts", after(10), "account_id", "is_in_time")[2] == ("d", False)
    assert asked(store, "handoff_accounts", after(2), "account_id", "welcome_opened", "arr") == [
        ("c", None, 0.0),
        ("b", False, 600.0),
        ("a", False, 1200.0),
    ]
    assert asked(store, "handoff_accounts", after(9), "account_id", show="gaps") == [("c",), ("b",)]
    assert asked(store, "handoff_accounts", after(9), "account_id", show="late") == [("c",), ("b",)]
    assert asked(store, "handoff_accounts", after(10), "account_id", show="late") == [("c",), ("b",), ("d",)]
    assert asked(store, "handoff_accounts", after(400), "account_id") == []
    assert asked(store, "handoff_accounts", after(400), "account_id", last_days=0, scope=Scope.of(account_id="a")) == [
        ("a",)
    ]


def test_without_messages_it_is_not_known_whether_anybody_was_greeted(tmp_path: Path) -> None:
    store = company(
        tmp_path,
        accounts=[account("a", START)],
        handoffs=[{"account_id": "a", "paid_at": f"{START}T09:00:00"}],
    )
    found = asked(store, "handoff_accounts", after(30), "minutes", "is_in_time", "welcome_opened", "missing")
    assert found == [(None, None, None, "Not known: profile, order, technical needs and expected outcomes")]
    for name in ("handoff_effect", "handoff_effect_curves"):
        with pytest.raises(MissingTable, match="'milestones'"):
            asked(store, name, after(30))


def test_the_end_of_the_day_is_that_of_the_reporting_time_zone(tmp_path: Path) -> None:
    # Half an hour after 23:45 UTC the day is over in London, and not in New York: b could have been greeted in it.
    store = company(
        tmp_path,
        time_zone="America/New_York",
        accounts=[account(name, START) for name in "ab"],
        handoffs=[
            {"account_id": "a", "paid_at": "2024-01-09T20:40:00"},
            {"account_id": "b", "paid_at": "2024-01-09T23:45:00"},
        ],
        messages=[{"account_id": "b", "kind": "check_in", "sent_at": "2024-01-01T09:00:00"}],
    )
    assert sorted(asked(store, "handoff_accounts", "2024-01-09", "account_id", "is_in_time")) == [
        ("a", False),
        ("b", False),
    ]


def test_the_thresholds_are_settings(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    (tmp_path / "config.toml").write_text(
        text.replace("annual_value_below = 15000 ", "annual_value_below = 5000 ").replace(
            "greeting_minutes = 30 ", "greeting_minutes = 200 "
        ),
        encoding="utf-8",
    )
    store = company(
        tmp_path,
        accounts=[account("a", START)],
        handoffs=[
            {"account_id": "a", "paid_at": f"{START}T09:00:00", "deal_value": 9_000, "sales_cycle_days": 20}
            | {"implementation_days": 10}
        ],
        messages=[{"account_id": "a", "kind": "welcome", "sent_at": f"{START}T12:00:00"}],
    )
    assert asked(store, "handoff_accounts", START, "rule", "is_in_time") == [(AT_70, True)]
    (tmp_path / "config.toml").write_text(text.replace("greeting_minutes", "greting_minutes"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"handoff\.greeting_minutes|Did you mean 'greeting_minutes'"):
        asked(store, "handoff_accounts", START)


# Do gaps go along with slower onboarding?


def effect_company(folder: Path, *, later: int) -> Store:
    """Ten accounts handed over complete and ten with gaps, whose onboarding takes `later` days longer."""
    names = [f"{kind}{number}" for kind in ("full", "gaps") for number in range(10)]
    takes = {name: 20 + 2 * int(name[-1]) + (later if name.startswith("gaps") else 0) for name in names}
    return company(
        folder,
        accounts=[account(name, START, segment="SMB" if int(name[-1]) % 2 else "Mid") for name in names],
        subscriptions=[line(name, START, after(25) if name == "gaps0" else None, 10) for name in names],
        milestones=[{"milestone_id": "m1", "name": "Go-live", "position": 1, "due_days": 30}],
        milestone_completions=[
            {"account_id": name, "milestone_id": "m1", "completed_on": after(on)} for name, on in takes.items()
        ],
        handoffs=[
            {
                "account_id": name,
                "paid_at": f"{START}T09:00:00",
                **WHOLE,
                "has_order": None if name.startswith("gaps") else True,
            }
            for name in names
        ],
    )


def test_an_effect_is_found_where_there_is_one_and_not_where_there_is_none(tmp_path: Path) -> None:
    slow, same = effect_company(tmp_path / "slow", later=30), effect_company(tmp_path / "same", later=0)
    columns = ("group", "accounts", "completed", "median_days")
    # gaps0 was lost on day 25, before its completion: nine of ten, and the fifth of those after it is the median.
    assert asked(slow, "handoff_effect", after(200), *columns) == [
        ("complete", 10, 10, 28.0),
        ("gaps", 10, 9, 60.0),
    ]
    assert asked(slow, "handoff_effect", after(200), "log_rank_p")[0][0] < 0.001
    assert asked(same, "handoff_effect", after(200), *columns)[1] == ("gaps", 10, 10, 28.0)
    assert asked(same, "handoff_effect", after(200), "log_rank_p") == [(pytest.approx(1),)] * 2
    assert asked(slow, "handoff_effect", after(10), "completed", "median_days", "log_rank_p") == [(0, None, None)] * 2
    few = asked(slow, "handoff_effect", after(200), "accounts", "median_days", "log_rank_p", scope=Scope.of(name="x"))
    assert few == [(0, None, None)] * 2


def test_the_curves_are_those_of_the_two_groups(tmp_path: Path) -> None:
    store = effect_company(tmp_path, later=30)
    found = run(store, "handoff_effect_curves", as_of=day(after(200)))
    full = found[found["group"] == "complete"]
    assert records(full, "time_days", "events", "survival")[:3] == [(0, 0, 1.0), (20, 1, 0.9), (22, 1, 0.8)]
    gaps = found[found["group"] == "gaps"]
    assert records(gaps, "time_days", "at_risk")[1] == (52, 9)
    assert asked(store, "handoff_effect_curves", after(-1)) == []


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 9), st.booleans()), min_size=4, max_size=30).filter(
        lambda rows: len({row[0] for row in rows}) == 2 and any(row[2] for row in rows)
    )
)
def test_in_one_segment_it_is_the_log_rank_test(rows: list[tuple[bool, int, bool]]) -> None:
    seen = pd.DataFrame(rows, columns=["is_full", "days", "has_completed"])
    seen["group"] = seen["is_full"].map({True: "complete", False: "gaps"})
    seen["segment"] = "SMB"
    parts = [seen[seen["is_full"] == one] for one in (True, False)]
    censored = [stats.CensoredData.right_censored(one["days"], ~one["has_completed"]) for one in parts]
    found = stratified_log_rank(seen)
    if found == found:
        assert found == pytest.approx(float(stats.logrank(*censored).pvalue), abs=1e-9)


def test_segments_that_differ_in_pace_make_no_difference_of_gaps() -> None:
    """Gaps are common in the slow segment; within each segment both groups are alike."""
    rows = [("slow", "gaps", 60 + at) for at in range(30)] + [("slow", "complete", 60 + 3 * at) for at in range(10)]
    rows += [("fast", "gaps", 10 + 3 * at) for at in range(10)] + [("fast", "complete", 10 + at) for at in range(30)]
    seen = pd.DataFrame(rows, columns=["segment", "group", "days"]).assign(has_completed=True)
    assert stratified_log_rank(seen.assign(segment="")) < 0.001
    assert stratified_log_rank(seen) > 0.5

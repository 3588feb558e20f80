"""Feature use beside similar accounts, users and their weight, and what the customer got: literal rows and a naive count."""

from pathlib import Path

import pytest

from cs_metrics.metrics.account_features import account_features
from cs_metrics.metrics.account_usage import account_course, account_user_totals, account_users
from cs_metrics.metrics.account_value import account_value
from cs_metrics.store import Store
from tests.expansion_support import D, Rows, ago, events, merged, one
from tests.support import account, company, line, records


def user_of(account_id: str, employees: int, uses: dict[str, int], segment: str = "SMB") -> Rows:
    """A customer that used each event so many times, on different days."""
    rows = {
        "accounts": [account(account_id, segment=segment, employees=employees)],
        "subscriptions": [line(account_id, "2024-01-01", None, 10)],
    }
    return merged(rows, *[events(account_id, name, range(times)) for name, times in uses.items()])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    parts = [
        user_of("me", 100, {"order": 5, "login": 2}),
        *[user_of(f"s{at}", 90 + at, {"order": at, "report": 1 + at // 3}) for at in range(1, 6)],
        user_of("far", 9000, {"order": 27, "export": 20}),
        user_of("other", 100, {"order": 27}, segment="Enterprise"),
        {
            "accounts": [account("silent", segment="SMB", employees=100)],
            "subscriptions": [line("silent", "2024-01-01", None, 9)],
        },
        {"products": [{"product_id": "P", "name": "Desk"}], "product_events": [{"product_id": "P", "event": "order"}]},
    ]
    folder = tmp_path_factory.mktemp("value")
    (folder / "config.toml").write_text(small_pool(), encoding="utf-8")
    return company(folder, **merged(*parts))


def small_pool() -> str:
    """Return the shipped settings with five similar accounts instead of twenty."""
    shipped = (Path(__file__).resolve().parent.parent / "data" / "config.toml").read_text(encoding="utf-8")
    assert "similar_pool = 20 " in shipped
    return shipped.replace("similar_pool = 20 ", "similar_pool = 5 ")


def test_use_is_placed_among_the_nearest_of_the_segment(store: Store) -> None:
    found = account_features(store, as_of=D, account_id="me")
    columns = ("event", "product", "times", "similar", "similar_using", "similar_median", "percentile", "reading")
    assert records(found, *columns) == [
        ("report", None, 0, 5, 5, 2.0, 0.0, "not used here"),
        ("order", "Desk", 5, 5, 5, 3.0, 0.9, "more"),  # more than 4 of 5, as much as the fifth
        ("login", None, 2, 5, 0, 0.0, 1.0, "more"),
    ]
    assert set(found["basis"]) == {"the 5 customers of the segment SMB nearest in employees, from 91 to 95"}


def test_with_fewer_than_five_similar_nothing_is_compared(store: Store) -> None:
    found = account_features(store, as_of=D, account_id="other")
    assert records(found, "event", "times", "similar", "percentile", "reading") == [("order", 27, 0, None, "")]
    assert "only 0 similar accounts" in found["basis"].iloc[0]


def test_use_leans_on_the_most_active(tmp_path: Path) -> None:
    rows = merged(
        {"accounts": [account("a"), account("b")], "subscriptions": [line("a", "2024-01-01", None, 10)]},
        events("a", "used", [*range(6), 50], "u1"),
        events("a", "used", [*range(3), 50], "u2"),
        events("a", "used", [1, 50], "u3"),
        events("a", "used", [40], "u4"),
        events("a", "used", range(9), ""),  # nobody is named
    )
    store = company(tmp_path, **rows)
    columns = ("users", "active", "idle", "times", "top_user", "top_share", "half_users", "is_concentrated")
    assert records(account_user_totals(store, as_of=D, account_id="a"), *columns) == [(4, 3, 1, 10, "u1", 0.6, 1, True)]
    assert records(account_user_totals(store, as_of=D, account_id="b"), *columns) == [
        (0, 0, 0, 0, None, None, None, False)
    ]


def test_shares_of_use_add_up_and_half_is_reached_by_the_fewest(demo_store: Store) -> None:
    as_of, checked = demo_store.newest_day, 0
    for (name,) in demo_store.rows("select account_id from accounts order by account_id limit 30"):
        uses = sorted(account_users(demo_store, as_of=as_of, account_id=name)["times_28"], reverse=True)
        totals = account_user_totals(demo_store, as_of=as_of, account_id=name).iloc[0]
        if not sum(uses):
            continue
        fewest = next(count for count in range(1, len(uses) + 1) if 2 * sum(uses[:count]) >= sum(uses))
        assert (totals["half_users"], totals["top_share"]) == (fewest, pytest.approx(uses[0] / sum(uses)))
        checked += 1
    assert checked > 10


def test_value_is_counted_in_this_span_and_the_one_before(tmp_path: Path) -> None:
    tickets = [
        one(
            "tickets", "a", ticket_id="1", opened_at=f"{ago(20)}T08:00:00", closed_at=f"{ago(10)}T08:00:00", kind="bug"
        ),
        one("tickets", "a", ticket_id="2", opened_at=f"{ago(20)}T08:00:00", closed_at=f"{ago(16)}T08:00:00"),
        one(
            "tickets",
            "a",
            ticket_id="3",
            opened_at=f"{ago(20)}T08:00:00",
            closed_at=f"{ago(0)}T08:00:00",
            kind="request",
        ),
        one("tickets", "a", ticket_id="4", opened_at=f"{ago(20)}T08:00:00", closed_at="2026-03-02T08:00:00"),
        one("tickets", "a", ticket_id="5", opened_at=f"{ago(500)}T08:00:00", closed_at=f"{ago(365)}T08:00:00"),
    ]
    rows = merged(
        {"accounts": [account("a", "2024-01-01")], "subscriptions": [line("a", "2024-01-01", None, 10, seats=4)]},
        *tickets,
        one("meetings", "a", kind="training", scheduled_on=ago(3), was_held=True),
        one("meetings", "a", kind="training", scheduled_on=ago(4), was_held=False),
        one("meetings", "a", kind="ebr", scheduled_on=ago(400), was_held=True),
        one("commitments", "a", made_on=ago(90), promise="P", kept_on=ago(80)),
        events("a", "used", [3, 4], "u1"),
        events("a", "used", [3], "u2"),
        *[one("outcomes", "a", metric="own_sales", month=f"2025-{month:02d}-01", value=10) for month in range(3, 13)],
        one("outcomes", "a", metric="own_sales", month="2026-02-01", value=5),
    )
    found = account_value(company(tmp_path, **rows), as_of=D, account_id="a").set_index("measure")
    assert records(found.loc[["Problems solved", "Median days to solve one", "Wishes shipped"]], "now", "before") == [
        (2.0, 1.0),
        (7.0, 135.0),
        (1.0, 0.0),
    ]
    assert records(found.loc[["Trainings held", "Business reviews held", "Promises kept"]], "now", "before") == [
        (1.0, 0.0),
        (0.0, 1.0),
        (1.0, 0.0),
    ]
    assert records(
        found.loc[["People who used it", "Uses", "Weeks with use", "ARR per active user"]], "now", "before"
    ) == [
        (2.0, 0.0),
        (3.0, 0.0),
        (1.0, 0.0),
        (60.0, None),
    ]
    assert records(found.loc[["Own sales"]], "now", "before", "months") == [(105.0, None, 11)]


def test_before_the_account_began_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    rows = {"accounts": [account("a", "2025-06-01")], "subscriptions": [line("a", "2025-06-01", None, 10)]}
    rows = merged(rows, one("meetings", "a", kind="training", scheduled_on=ago(3), was_held=True))
    found = account_value(company(tmp_path, **rows), as_of=D, account_id="a")
    assert records(found[found["measure"] == "Trainings held"], "now", "before") == [(1.0, None)]


def test_the_course_is_that_of_the_weeks(demo_store: Store) -> None:
    as_of = demo_store.newest_day
    (name,) = demo_store.rows("select account_id from account_week group by 1 order by count(*) desc, 1 limit 1")[0]
    found = account_course(demo_store, as_of=as_of, account_id=name)
    known = demo_store.rows(
        "select week_end, mrr_cents from account_week where account_id = $name and week_end <= $as_of order by week_end desc limit 52",
        name=name,
        as_of=as_of,
    )
    assert records(found, "week_end", "arr") == [
        (str(day), round(cents * 12 / 100, 6)) for day, cents in reversed(known)
    ]

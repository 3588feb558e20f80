"""What a review needs: since when to look back, help given, and results, each against literal rows."""

import pytest

from cs_metrics.metrics import METRICS, run
from cs_metrics.metrics.account_value import account_value
from cs_metrics.metrics.review import account_help, account_results, account_span
from cs_metrics.store import Store
from tests.expansion_support import D, ago, customer, merged, one
from tests.support import account, company, day, line, records

MONTHS = [f"{year}-{month:02d}-01" for year in (2024, 2025) for month in range(1, 13)] + ["2026-01-01", "2026-02-01"]


def ticket(name: str, opened: int, closed: int | None, kind: str) -> dict[str, list[dict[str, object]]]:
    end = f"{ago(closed)}T08:00:00" if closed is not None else None
    return one(
        "tickets", "acme", ticket_id=name, opened_at=f"{ago(opened)}T08:00:00", closed_at=end, kind=kind, product_id="P"
    )


def meeting(kind: str, back: int, was_held: bool = True) -> dict[str, list[dict[str, object]]]:
    return one("meetings", "acme", kind=kind, scheduled_on=ago(back), was_held=was_held)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    parts = [
        customer("acme", name="Acme Trading"),
        customer("young", is_green=False),
        {"accounts": [account("new", ago(20))], "subscriptions": [line("new", ago(20), None, 10)]},
        *(meeting(*it) for it in (("qbr", 10), ("qbr", 60), ("ebr", 70, False), ("training", 40), ("training", 80), ("training", 5, False))),
        *(ticket(*it) for it in (("t1", 50, 40, "bug"), ("t2", 30, 28, "request"), ("t3", 61, 60, "bug"), ("t4", 5, None, "bug"), ("t5", 9, 3, "question"))),
        one("products", "", product_id="P", name="Desk"),
        one("commitments", "acme", made_on=ago(90), promise="Connector", kept_on=ago(20)),
        one("commitments", "acme", made_on=ago(90), promise="Report", kept_on=ago(61)),
        *(one("outcomes", "acme", metric="sales", month=month, value=100 + at) for at, month in enumerate(MONTHS)),
        one("outcomes", "acme", metric="visits", month="2026-01-01", value=9),
        one("outcomes", "acme", metric="visits", month="2026-03-01", value=99),
    ]  # fmt: skip
    tables = merged(*parts)
    tables["products"] = [{"product_id": "P", "name": "Desk"}]
    return company(tmp_path_factory.mktemp("review"), **tables)


@pytest.mark.parametrize(
    ("name", "since", "expected"),
    [
        ("acme", None, (ago(60), True, "QBR", "the QBR of 31 Dec 2025", 60)),  # that of 10 days ago is too young
        ("acme", ago(10), (ago(10), True, "QBR", "the QBR of 19 Feb 2026", 10)),
        ("acme", ago(30), (ago(30), False, "", "30 Jan 2026", 30)),
        ("acme", "2030-01-01", (ago(0), False, "", "1 Mar 2026", 0)),
        ("acme", "2000-01-01", ("2024-01-01", False, "", "1 Jan 2024", 790)),  # the account's start
        ("young", None, (ago(90), False, "", "1 Dec 2025", 90)),
        ("new", None, (ago(20), False, "", "9 Feb 2026", 20)),
    ],
)
def test_a_review_looks_back_to_the_last_one(
    store: Store, name: str, since: str | None, expected: tuple[object, ...]
) -> None:
    found = account_span(store, as_of=D, account_id=name, since=day(since) if since else None)
    assert records(found, "since", "has_review", "what", "says", "days") == [expected]


def test_help_counts_on_the_day_on_which_it_was_done(store: Store) -> None:
    found = account_help(store, as_of=D, account_id="acme")
    assert records(found) == [
        ("problem", ago(3), "question", "Desk", 6),
        ("promise", ago(20), "Connector", None, 70),
        ("wish", ago(28), "request", "Desk", 2),
        ("problem", ago(40), "bug", "Desk", 10),
        ("training", ago(40), "training", None, None),
    ]
    earlier = account_help(store, as_of=day(ago(29)), account_id="acme", since=day(ago(60)))
    assert records(earlier, "kind", "day") == [("problem", ago(40)), ("training", ago(40))]
    assert account_help(store, as_of=D, account_id="young").empty


def test_help_is_counted_as_on_the_page(demo_store: Store) -> None:
    names = {"problem": "Problems solved", "wish": "Wishes shipped", "training": "Trainings held", "promise": "Promises kept"}  # fmt: skip
    as_of = demo_store.newest_day
    for name in run(demo_store, "account_search")["account_id"].head(12):
        days = int(account_span(demo_store, as_of=as_of, account_id=name)["days"].iloc[0])
        rows = account_help(demo_store, as_of=as_of, account_id=name)["kind"].value_counts()
        counted = account_value(demo_store, as_of=as_of, account_id=name, days=days).set_index("measure")["now"]
        assert {kind: rows.get(kind, 0) for kind in names} == {kind: counted[words] for kind, words in names.items()}


def test_results_stand_beside_the_months_before_and_a_year_earlier(store: Store) -> None:
    """sales: 100, 101, … 125 in 26 months to Feb 2026, of which the three newest average 124, those before 121."""
    found = account_results(store, as_of=D, account_id="acme")
    columns = ["metric", "month", "value", "recent", "before", "year_before", "best_month", "best", "months"]
    assert records(found, *columns) == [
        ("sales", "2026-02-01", 125, 124, 121, 112, "2026-02-01", 125, 26),
        ("visits", "2026-01-01", 9, None, None, None, "2026-01-01", 9, 1),
    ]
    assert records(found, "change_3_months", "change_year") == [
        (round(124 / 121 - 1, 6), round(124 / 112 - 1, 6)),
        (None, None),
    ]


def test_every_metric_of_a_review_takes_one_account() -> None:
    for name in ("account_span", "account_help", "account_results"):
        assert METRICS[name].page == "Account"
        assert any(option.name == "account_id" for option in METRICS[name].options)


def test_options_may_come_as_text(store: Store) -> None:
    found = run(store, "account_help", as_of=D, options={"account_id": "acme", "since": ago(30)})
    assert list(found["kind"]) == ["problem", "promise", "wish"]

"""One account, one number: everything the account page shows equals what the list pages say, for every account."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from cs_metrics import periods
from cs_metrics.metrics import run
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store
from tests.support import records

# Per list the columns of the head that it holds, and under which name it holds them.
LISTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "health": (
        {},
        {
            "arr": "arr",
            "stage": "stage",
            "score": "score",
            "colour": "colour",
            "change_28_days": "change_28_days",
            "trend": "trend",
            "coverage": "coverage",
            "weeks_red": "weeks_red",
            "reasons": "reasons",
            "alert": "alert",
            "active_users": "active_users",
            "seats": "seats",
            "active_share": "active_share",
        },
    ),
    "onboarding_risk": (
        {},
        {"onboarding_colour": "colour", "open_ctas": "open_ctas", "next_milestone": "next_milestone", "arr": "arr"},
    ),
    "account_search": ({}, {"arr": "arr", "colour": "colour", "name": "name", "segment": "segment", "csm": "csm"}),
}
RENEWAL = {
    "contract_id": "contract_id",
    "renewal_on": "ends_on",
    "days_left": "days_left",
    "renewal_arr": "arr",
    "likelihood": "likelihood",
    "category": "category",
    "priority": "priority",
    "reasons_for": "reasons_for",
    "reasons_against": "reasons_against",
    "next_step": "next_step",
    "next_step_on": "next_step_on",
    "overdue_names": "overdue_names",
    "open_promises": "open_promises",
}


def days_of(store: Store) -> dict[str, dt.date]:
    """The newest day, and a Sunday four months ago, on which the stage of health is that of the day."""
    return {"newest": store.newest_day, "past": periods.last_full_week_end(periods.add_days(store.newest_day, -120))}


@pytest.fixture(scope="module", params=["newest", "past"])
def heads(request: pytest.FixtureRequest, demo_store: Store) -> tuple[dt.date, pd.DataFrame]:
    """The head of every account that is there on the newest day, and of some of those that were there on a past one."""
    as_of = days_of(demo_store)[request.param]
    names = demo_store.rows("select account_id from accounts where started_on <= $as_of order by 1", as_of=as_of)
    names = names if request.param == "newest" else names[::5]
    parts = [run(demo_store, "account_header", as_of=as_of, options={"account_id": name}) for (name,) in names]
    return as_of, pd.concat(parts, ignore_index=True).set_index("account_id", drop=False)


@pytest.mark.parametrize("name", LISTS)
def test_the_head_says_what_the_lists_say(name: str, heads: tuple[dt.date, pd.DataFrame], demo_store: Store) -> None:
    as_of, head = heads
    options, columns = LISTS[name]
    listed = run(demo_store, name, as_of=as_of, options=options)
    if as_of.weekday() != 6:  # the stage of health is that of the Sunday before
        columns = {mine: theirs for mine, theirs in columns.items() if mine != "stage"}
    listed = listed[listed["account_id"].isin(head["account_id"])]
    assert len(listed) > 2
    mine = head.loc[listed["account_id"]]
    assert records(mine, *columns) == records(listed, *columns.values())


@pytest.mark.parametrize("days", [None, 3660])
def test_the_renewal_is_that_of_the_pipeline(
    days: int | None, heads: tuple[dt.date, pd.DataFrame], demo_store: Store
) -> None:
    as_of, head = heads
    listed = run(demo_store, "renewal_pipeline", as_of=as_of, options={} if days is None else {"days": days})
    listed = listed[listed["account_id"].isin(head["account_id"])]
    first = listed.sort_values(["ends_on", "contract_id"]).drop_duplicates("account_id")
    assert len(first) > 1
    assert records(head.loc[first["account_id"]], *RENEWAL) == records(first, *RENEWAL.values())
    if days is not None:
        assert set(head.loc[head["contract_id"].notna(), "account_id"]) == set(first["account_id"])


def test_calls_to_action_are_as_many_as_in_the_list(heads: tuple[dt.date, pd.DataFrame], demo_store: Store) -> None:
    as_of, head = heads
    counted = run(demo_store, "onboarding_ctas", as_of=as_of, options={"of": "customers"})["account_id"].value_counts()
    customers = head[head["is_customer"]]
    assert dict(customers["open_ctas"]) == {one: int(counted.get(one, 0)) for one in customers["account_id"]}


def test_the_arr_of_the_heads_adds_up_to_the_book(heads: tuple[dt.date, pd.DataFrame], demo_store: Store) -> None:
    as_of, head = heads
    book = run(demo_store, "mrr_by_month", as_of=as_of, scope=Scope.of(account_id=tuple(head["account_id"]))).iloc[-1]
    assert head["arr"].sum() == pytest.approx(12 * book["mrr"], abs=0.01)
    assert head["is_customer"].sum() == book["accounts"]


def test_renewals_due_add_up_to_the_summary(heads: tuple[dt.date, pd.DataFrame], demo_store: Store) -> None:
    as_of, head = heads
    alone = Scope.of(account_id=tuple(head["account_id"]))
    summary = run(demo_store, "renewals_summary", as_of=as_of, scope=alone).iloc[0]
    pipeline = run(demo_store, "renewal_pipeline", as_of=as_of, scope=alone)
    later = pipeline[~pipeline["contract_id"].isin(head["contract_id"])]  # second contracts of an account
    due = head[(head["days_left"] >= 0) & (head["days_left"] <= 90)]["renewal_arr"].sum()
    assert due + later.loc[later["days_left"] >= 0, "arr"].sum() == pytest.approx(summary["due_arr"])


# What the page asks of a list metric for its one account.
ALONE = (
    "expansion",
    "whitespace",
    "renewal_pipeline",
    "onboarding_ctas",
    "onboarding_eta",
    "handoff_accounts",
    "at_risk",
)


@pytest.mark.parametrize("name", ALONE)
def test_a_list_asked_for_one_account_gives_the_rows_it_has_there(name: str, demo_store: Store) -> None:
    options = {"onboarding_ctas": {"of": "customers"}, "handoff_accounts": {"last_days": 0}}.get(name, {})
    ask: Callable[[Scope], pd.DataFrame] = lambda scope: run(demo_store, name, scope=scope, options=options)  # noqa: E731
    listed, checked = ask(EVERYTHING), 0
    for account_id in sorted(set(listed["account_id"]))[::3]:
        alone = ask(Scope.of(account_id=account_id))
        theirs = listed[listed["account_id"] == account_id]
        assert records(alone.sort_values(list(alone)[:3])) == records(theirs.sort_values(list(theirs)[:3])), account_id
        checked += 1
    assert checked > 2

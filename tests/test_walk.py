"""The way through a list: the URL names how a list was asked, and the same question gives the same order again."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_metrics.errors import MetricError
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.ui.walk import Listed, came_from, order, shown
from tests.test_account_page import Open, data, opened, said  # noqa: F401 (fixtures)

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), min_size=1, max_size=12)
PAIRS = st.lists(st.tuples(st.from_regex("[a-z_]{1,8}", fullmatch=True), TEXTS), max_size=3).map(tuple)


@given(st.from_regex("[a-z_]{1,12}", fullmatch=True), PAIRS, PAIRS, PAIRS)
def test_a_list_reads_back_as_it_was_written(metric: str, options: Any, rows: Any, scope: Any) -> None:
    listed = Listed(metric=metric, options=options, rows=rows, scope=scope)
    assert Listed.read(listed.text()) == listed


@pytest.mark.parametrize("text", ["", "~", "health~o.days", "~o.days~3"])
def test_what_names_no_list_is_none(text: str) -> None:
    assert Listed.read(text) is None


def page_of(rows: pd.DataFrame, scope: Scope = EVERYTHING, **carried: list[str]) -> Any:
    """A page whose one metric, `deals`, holds these rows; it takes the option `days` and writes down what it was asked."""
    asked: list[Any] = []

    def ask(name: str, *, scope: Scope, **options: Any) -> Any:
        if name != "deals":
            raise MetricError(f"There is no metric '{name}'.")
        asked.append((scope, options))
        return SimpleNamespace(frame=rows.copy())

    return SimpleNamespace(asked=ask, carried=carried, scope=scope, calls=asked)


DEALS = pd.DataFrame(
    {
        "account_id": ["c", "a", "c", "b", "d"],
        "kind": ["x", "x", "y", "y", "x"],
        "is_ready": [True, False, True, False, True],
        "arr": [5, 4, 3, 2, 1],
    }
)


def test_the_way_goes_through_each_account_once_in_the_order_of_the_list() -> None:
    assert order(page_of(DEALS), Listed(metric="deals")) == ["c", "a", "b", "d"]
    assert order(page_of(DEALS), Listed(metric="deals", rows=(("kind", "y"),))) == ["c", "b"]
    assert order(page_of(DEALS), Listed(metric="deals", rows=(("nothing", "y"),))) == []


def test_the_list_is_asked_for_the_accounts_of_the_link() -> None:
    page = page_of(DEALS, segment=["SMB"], as_of=["2026-01-01"])
    order(page, Listed(metric="deals", options=(("days", "30"),), scope=(("onboarding_manager", "ann"),)))
    assert page.calls == [(Scope.of(segment="SMB", onboarding_manager="ann"), {"days": ["30"]})]


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (DEALS, "deals~o.days~30"),
        (DEALS[DEALS["kind"] == "x"], "deals~o.days~30~is.kind~x"),
        (DEALS[DEALS["is_ready"]], "deals~o.days~30~is.is_ready~True"),
        (DEALS.iloc[::-1], ""),  # another order is another list
        (DEALS.head(2), ""),
    ],
)
def test_a_table_says_which_list_it_shows(frame: pd.DataFrame, text: str) -> None:
    assert came_from(page_of(DEALS), ("deals", {"days": "30"}), frame, "account_id") == text


def test_columns_that_no_link_carries_go_along() -> None:
    page = page_of(DEALS, Scope.of(onboarding_manager=["ann", "bo"], segment="SMB"))
    text = came_from(page, "deals", DEALS, "account_id")
    assert text == "deals~of.onboarding_manager~ann~of.onboarding_manager~bo" == shown(page, "deals")


def test_the_page_says_the_place_and_leads_on(opened: Open) -> None:  # noqa: F811
    app = opened("account", account="acme", list="account_search")
    assert "1 of 2 in account search" in said(app)
    following = next(one for one in app.button if one.label == "Next")
    assert next(one for one in app.button if one.label == "Previous").disabled
    following.click().run()
    assert app.query_params["account"] == ["gone"] or app.query_params["account"] == "gone"
    assert "2 of 2 in account search" in said(app)


def test_an_account_that_left_the_list_leads_to_its_first(opened: Open) -> None:  # noqa: F811
    app = opened("account", account="gone", list="health")
    assert "No longer in health" in said(app)
    assert not next(one for one in app.button if one.label == "First of the list").disabled


@pytest.mark.parametrize("name", ["nonsense", "health~o.nonsense~1", "renewal_pipeline"])
def test_a_list_that_cannot_be_asked_is_left_out(opened: Open, name: str) -> None:  # noqa: F811
    assert "The link names a list that cannot be asked; it is left out." in said(
        opened("account", account="acme", list=name)
    )


def test_every_list_of_the_demo_company_is_found_again(demo_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A click in any table of a list page must lead into that list."""
    from streamlit.testing.v1 import AppTest

    from cs_metrics.ui import tables, walk

    monkeypatch.setenv("CS_METRICS_DATA", str(demo_data))
    found: dict[str, str] = {}
    genuine = tables.draw

    def clicking(frame: pd.DataFrame, columns: Any, **more: Any) -> int | None:
        genuine(frame, columns, **more)
        return 0 if more["opens"] else None

    def noted(page: Any, metric: Any, frame: pd.DataFrame, opens: str) -> str:
        found[f"{page.title}: {metric}"] = came_from(page, metric, frame, opens)
        return found[f"{page.title}: {metric}"]

    monkeypatch.setattr(tables, "draw", clicking)
    monkeypatch.setattr(walk, "came_from", noted)
    root = Path(__file__).resolve().parent.parent
    for name in ("overview", "health", "account"):
        app = AppTest.from_file(str(root / "pages" / f"{name}.py"), default_timeout=60).run()
        assert not app.exception
    assert len(found) >= 3
    assert all(found.values()), found

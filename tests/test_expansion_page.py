"""The Expansion page as a reader opens it, with its tables and without."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cs_metrics.workspace.database import Workspace
from cs_metrics.workspace.entries import NewEntry
from tests.expansion_support import customer, events, merged, one, users
from tests.support import account, company, line

ROOT = Path(__file__).resolve().parent.parent
Open = Callable[..., AppTest]
TABS = ["White space", "Limits", "Sponsor moves", "Departments", "Was it reasonable?", "Growth", "Rules"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    parts = [
        customer("acme", seats=10, name="Acme Trading"),
        users("acme", {"Sales": 9}),
        events("acme", "report_built", [3]),
        one("outcomes", "acme", metric="sales_volume", month="2026-01-01", value=9),
        one("contacts", "acme", contact_id="c", name="Ann", role="sponsor", since="2024-01-01", left_on="2026-02-09", moved_to="Globex"),
        one("opportunities", "acme", opportunity_id="o", kind="seats", opened_on="2025-06-01", closed_on="2025-07-01", stage="won", arr=9),
        {"accounts": [account("gone", "2024-01-01")], "subscriptions": [line("gone", "2024-01-01", "2025-01-01", 50)]},
        {"products": [{"product_id": "CORE", "name": "Desk", "kind": "core"}, {"product_id": "ADD", "name": "Insights"}]},
        {"product_events": [{"product_id": "CORE", "event": "used"}, {"product_id": "ADD", "event": "report_built"}]},
    ]  # fmt: skip
    company(folder, **merged(*parts))
    return folder


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, data: Path) -> Open:
    def open_page(page: str, **query: str) -> AppTest:
        monkeypatch.setenv("CS_METRICS_DATA", str(data))
        app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception and not app.error
        return app

    return open_page


def said(app: AppTest) -> str:
    return "\n".join(str(one.value) for kind in ("markdown", "caption", "subheader") for one in app.get(kind))


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens(opened: Open, tab: str) -> None:
    app = opened("expansion", tab=tab)
    assert len(app.subheader) > 2 or "This needs the table" in said(app)


@pytest.mark.parametrize("tab", TABS)
def test_without_any_table_behind_it_the_page_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tab: str
) -> None:
    company(tmp_path, accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 10)])
    monkeypatch.setenv("CS_METRICS_DATA", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "pages" / "expansion.py"), default_timeout=60)
    app.query_params["tab"] = tab
    app.run()
    assert not app.exception and not app.error
    assert "No rule can look for opportunities: the tables that they read were not loaded." in said(app)
    assert tab in ("Rules", "Growth") or "This needs the table" in said(app)


def test_the_expansion_page_answers_first_and_narrows_to_what_is_ready(opened: Open) -> None:
    app = opened("expansion")
    assert "2 opportunities are ready now" in said(app)
    assert len(opened("expansion", show="ready").dataframe[0].value) == 3
    waiting = opened("expansion", show="waiting")
    assert "No rows for these filters" in said(waiting)


def test_a_chosen_opportunity_opens_its_desk_and_what_is_decided_there_changes_the_list(
    opened: Open, data: Path
) -> None:
    app = opened("expansion", deal="acme|seats")
    words = said(app)
    assert "Acme Trading · Seats: 2 seats" in words
    assert "**Why**: 9 of 10 seats given out" in words
    assert "Fewer than 5 similar customers did the same" in words
    assert {"Take", "Put off", "Dismiss", "Note"} <= {one.label for one in app.button}
    assert "Open again" not in {one.label for one in app.button}
    new = NewEntry("expansion", "acme", "dismiss", subject="seats", note="Ask next year", body={"reason": "no_budget"})
    workspace = Workspace.open(data)
    workspace.write([new], author="Ann", effective_on=opened("expansion").date_input[0].value)
    workspace.close()
    assert len(opened("expansion").dataframe[0].value) == 2, "one of three is gone"
    aside = opened("expansion", show="aside", deal="acme|seats")
    assert "Put off and dismissed" in said(aside)
    assert "Dismissed because no budget: Ask next year" in said(aside)
    assert "Open again" in {one.label for one in aside.button}


def test_on_a_past_day_the_desk_says_where_to_write(opened: Open) -> None:
    words = said(opened("expansion", deal="acme|seats", show="all", as_of="2026-02-15"))
    assert "This is a look at the past" in words or "No rule finds" in words

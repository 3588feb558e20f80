"""The pages Account and Expansion as a reader opens them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.expansion_support import customer, events, merged, one, users
from tests.support import account, company, line

ROOT = Path(__file__).resolve().parent.parent
Open = Callable[..., AppTest]
TABS = {
    "account": ["Timeline", "People", "Use", "Value", "Renewal & expansion", "Notes & calls"],
}


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


@pytest.mark.parametrize(("page", "tab"), [(page, tab) for page, tabs in TABS.items() for tab in tabs])
def test_every_tab_opens(opened: Open, page: str, tab: str) -> None:
    app = opened(page, account="acme", tab=tab)
    titles = [one.value for one in app.subheader]
    assert len(titles) > 2, titles


def test_an_account_opens_with_what_matters_first(opened: Open) -> None:
    words = said(opened("account", account="acme"))
    assert "Acme Trading is in adoption and pays \\$12k a year; health is ● Healthy" in words
    assert "SMB · since 1 Jan 2024 · CSM: Cora · sales: Sam" in words


def test_an_account_that_left_still_opens(opened: Open) -> None:
    assert "Company gone is no customer any more." in said(opened("account", account="gone"))


def test_without_an_account_the_largest_are_offered(opened: Open) -> None:
    app = opened("account")
    assert [one.value for one in app.subheader] == ["Choose an account"]
    assert "There is no account" not in said(app)


def test_an_unknown_account_is_said_with_near_names(opened: Open) -> None:
    app = opened("account", account="acne")
    assert "There is no account 'acne'. Did you mean 'acme' (Acme Trading)?" in said(app)
    assert "Choose an account" in [one.value for one in app.subheader]


def test_the_accounts_to_choose_from_are_searched(opened: Open) -> None:
    app = opened("account", search="trading")
    assert list(app.dataframe[0].value["name"]) == ["Acme Trading"]


def test_a_name_in_the_sidebar_finds_the_account_on_any_page(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.setenv("CS_METRICS_DATA", str(data))
    app = AppTest.from_file(str(ROOT / "cs_metrics" / "ui" / "router.py"), default_timeout=60).run()
    app.sidebar.text_input[0].set_value("TRAD").run()
    assert not app.exception
    links = [one.proto for one in app.sidebar.get("page_link") if "Acme Trading" in one.proto.label]
    assert len(links) == 1 and "account=acme" in links[0].query_string
    app.sidebar.text_input[0].set_value("qqqq").run()
    assert "No account is called like “qqqq”" in "".join(one.value for one in app.sidebar.caption)


def test_before_an_account_starts_the_page_says_so(opened: Open) -> None:
    app = opened("account", account="acme", as_of="2024-01-01")
    assert not app.exception
    assert "Acme Trading" in said(app)

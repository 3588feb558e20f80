"""Each page as a reader opens it: alone, without any data, with the least data, with odd links."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.support import account, company, line

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "pages").glob("*.py"))
Open = Callable[..., AppTest]


def name_of(path: Path) -> str:
    return path.stem


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open a page on a data folder, with what stands in its URL."""

    def open_page(path: Path, data: Path, **query: str | list[str]) -> AppTest:
        monkeypatch.setenv("CS_METRICS_DATA", str(data))
        app = AppTest.from_file(str(path), default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return open_page


@pytest.fixture(scope="module")
def least(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company that hands over accounts and subscriptions, and nothing else."""
    folder = tmp_path_factory.mktemp("least")
    accounts = [account(f"a{at}", "2024-01-01", segment="SMB" if at % 2 else "Enterprise") for at in range(8)]
    lines = [line(f"a{at}", "2024-01-01", "2025-01-01" if at == 7 else None, 100 + at) for at in range(8)]
    company(folder, accounts=accounts, subscriptions=[*lines, line("a0", "2025-03-01", None, 50)])
    return folder


def texts(app: AppTest) -> str:
    return "\n".join(
        str(one.value) for kind in ("title", "markdown", "caption", "subheader", "code") for one in app.get(kind)
    )


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_an_empty_product_says_the_two_commands(path: Path, opened: Open, tmp_path: Path) -> None:
    app = opened(path, tmp_path)
    assert not app.exception and not app.error
    assert "python -m cs_metrics demo" in texts(app)
    assert "python -m cs_metrics load FOLDER" in texts(app)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_page_opens_alone_on_the_least_data(path: Path, opened: Open, least: Path) -> None:
    app = opened(path, least)
    assert not app.exception and not app.error
    assert app.title[0].value
    assert app.date_input[0].value.isoformat() == "2025-03-01"


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_page_opens_on_the_demo_company(path: Path, opened: Open, demo_data: Path) -> None:
    app = opened(path, demo_data)
    assert not app.exception and not app.error


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_page_breaks_where_no_account_is_left(path: Path, opened: Open, least: Path) -> None:
    app = opened(path, least, as_of="2024-01-01")
    assert not app.exception and not app.error


def test_filters_come_from_the_link(opened: Open, least: Path) -> None:
    app = opened(ROOT / "pages" / "overview.py", least, as_of="2024-12-31", segment="SMB", window="quarter")
    assert app.date_input(key="url_as_of").value.isoformat() == "2024-12-31"
    assert app.multiselect(key="url_segment").value == ["SMB"]
    assert "SMB · as of 31 Dec 2024" in texts(app)


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ({"as_of": "nonsense"}, "The link asked for the day 'nonsense', which is none"),
        ({"as_of": "1999-01-01"}, "the data reaches from"),
        ({"segment": "Huge"}, "Segment: no account has 'Huge'"),
        ({"segment": ["SMB", "<b>x</b>"]}, "no account has"),
        ({"window": "decade"}, "Window: 'decade' is none of"),
    ],
)
def test_an_odd_link_gives_a_quiet_note(opened: Open, least: Path, query: dict[str, str], note: str) -> None:
    app = opened(ROOT / "pages" / "overview.py", least, **query)
    assert not app.exception and not app.error
    assert note in texts(app)


def test_a_changed_filter_stands_in_the_link_and_a_default_does_not(opened: Open, least: Path) -> None:
    app = opened(ROOT / "pages" / "overview.py", least, segment="SMB", window="quarter")
    app.multiselect(key="url_segment").set_value(["Enterprise"]).run()
    assert (app.query_params["segment"], app.query_params["window"]) == ("Enterprise", "quarter")
    app.multiselect(key="url_segment").set_value([]).run()
    app.segmented_control(key="url_window").set_value("12m").run()
    assert "segment" not in app.query_params and "window" not in app.query_params


def test_back_and_forward_set_the_filters(opened: Open, least: Path) -> None:
    app = opened(ROOT / "pages" / "overview.py", least, segment="SMB")
    app.query_params["segment"] = "Enterprise"
    app.run()
    assert app.multiselect(key="url_segment").value == ["Enterprise"]
    del app.query_params["segment"]
    app.run()
    assert app.multiselect(key="url_segment").value == []


def test_a_control_is_not_set_back_by_a_link_that_lags_behind(opened: Open, least: Path) -> None:
    """Two quick clicks: the second starts while the URL still holds what was before the first."""
    app = opened(ROOT / "pages" / "overview.py", least)
    app.multiselect(key="url_segment").set_value(["SMB"]).run()
    del app.query_params["segment"]
    app.segmented_control(key="url_window").set_value("quarter").run()
    assert app.multiselect(key="url_segment").value == ["SMB"]
    assert app.query_params["segment"] == "SMB"


def test_only_columns_with_values_are_filters(opened: Open, least: Path) -> None:
    app = opened(ROOT / "pages" / "overview.py", least)
    assert [one.key for one in app.multiselect] == ["url_segment"]


def test_a_figure_that_cannot_be_known_says_why(opened: Open, least: Path) -> None:
    app = opened(ROOT / "pages" / "overview.py", least)
    shown = {one.label: (one.value, one.delta) for one in app.metric}
    assert shown["Renewals due in 90 days"] == ("–", "no contracts were loaded")
    assert shown["Activation rate"] == ("–", "no events were loaded")
    assert shown["ARR"][0] == "$9.3k"


def test_a_rate_over_few_accounts_shows_the_counts(opened: Open, least: Path) -> None:
    app = opened(ROOT / "pages" / "overview.py", least, segment="SMB")
    shown = {one.label: (one.value, one.delta) for one in app.metric}
    assert shown["Logo churn"] == ("1 of 4", "4 customers: too few for a rate")
    assert shown["Net revenue retention"][0] == "–"


def test_a_click_on_a_row_is_taken(opened: Open, least: Path) -> None:
    app = opened(ROOT / "pages" / "overview.py", least)
    key = next(one.proto.id.rsplit("-", 1)[-1] for one in app.dataframe if "rows_moved" in one.proto.id)
    app.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    assert not app.exception


def test_the_router_runs_the_first_page_and_links_the_others(opened: Open, least: Path) -> None:
    app = opened(ROOT / "cs_metrics" / "ui" / "router.py", least, segment="SMB")
    assert not app.exception and not app.error
    assert app.title[0].value == "Overview"
    links = {one.proto.label: one.proto for one in app.sidebar.get("page_link")}
    assert list(links)[:1] == ["Overview"] and {"Data", "Definitions"} <= set(links)


def test_definitions_are_found_by_any_word(opened: Open, least: Path) -> None:
    app = opened(ROOT / "pages" / "definitions.py", least, search="arr_walk")
    assert "1 metric of" in texts(app)
    assert "opening + new + reactivation + expansion + contraction + churn = closing" in texts(app)
    nothing = opened(ROOT / "pages" / "definitions.py", least, search="zyzzyva")
    assert "No metric mentions" in texts(nothing)


def watching(shown: int) -> AppTest:
    def script(shown: int) -> None:
        from cs_metrics.ui import watch

        watch.newer(shown)

    return AppTest.from_function(script, kwargs={"shown": shown}, default_timeout=30)


def test_newer_data_is_announced_and_the_same_is_not(monkeypatch: pytest.MonkeyPatch, least: Path) -> None:
    monkeypatch.setenv("CS_METRICS_DATA", str(least))
    assert "New data was published" not in texts(watching(1).run())
    newer = watching(0).run()
    assert "New data was published" in texts(newer)
    assert newer.button(key="reload").label == "Reload"


def test_an_account_is_found_by_its_number_and_not_its_name(opened: Open, least: Path) -> None:
    app = opened(ROOT / "pages" / "account.py", least, account="a3")
    assert not app.exception and not app.error
    assert app.query_params["account"] == "a3"
    unknown = opened(ROOT / "pages" / "account.py", least, account="nobody")
    assert not unknown.exception and not unknown.error

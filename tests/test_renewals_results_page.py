"""The tabs of results and negotiation on the page of renewals: with data, without, under filters, and on a past day."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.renewal_company import contract, lost, renewed, sellers
from tests.test_renewals_page import opened, texts

TABS = {
    "Prepare a call": "Against a lower price",
    "Wins and losses": "decisions won",
    "Team and pay": "What a quarter pays",
    "Contract mix": "Payback by start and billing",
}


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_opens_with_its_message(monkeypatch: pytest.MonkeyPatch, demo_data: Path, tab: str) -> None:
    page = opened(monkeypatch, demo_data, tab=tab)
    assert TABS[tab] in texts(page)
    assert not page.error


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_stands_a_past_day_and_a_filter(monkeypatch: pytest.MonkeyPatch, demo_data: Path, tab: str) -> None:
    page = opened(monkeypatch, demo_data, tab=tab, as_of="2025-09-17", segment="Enterprise")
    assert not page.error


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_stands_a_company_with_little_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tab: str) -> None:
    rows = [
        contract("a", "2024-03-01"),
        lost("b", "2023-12-31", "2023-12-01"),
        renewed("c", "2023-12-31", "2023-12-02"),
    ]
    sellers(tmp_path, rows)
    page = opened(monkeypatch, tmp_path, tab=tab)
    assert not page.error


def box(page: AppTest, start: str) -> str:
    return next(str(one.key) for one in page.number_input if str(one.key).startswith(start))


def test_the_rival_s_price_can_be_typed_in(monkeypatch: pytest.MonkeyPatch, demo_data: Path) -> None:
    page = opened(monkeypatch, demo_data, tab="Prepare a call")
    ours = float(page.number_input(key=box(page, "offer_price")).value)
    page.number_input(key=box(page, "offer_rival_price")).set_value(ours + 1).run()
    assert not page.exception
    assert "The other offer is not cheaper" in texts(page)


def test_the_pay_of_a_case_can_be_typed_in(monkeypatch: pytest.MonkeyPatch, demo_data: Path) -> None:
    page = opened(monkeypatch, demo_data, tab="Team and pay")
    assert "USD 20,000 for the quarter, at 100.0% of the target" in texts(page)
    for name, value in (("renewed", 180_000.0), ("expansion", 20_000.0), ("extra_years", 40_000.0)):
        page.number_input(key=f"pay_{name}_").set_value(value)
    page.run()
    assert "USD 21,050 for the quarter, at 107.0% of the target" in texts(page)


def test_another_contract_is_chosen_by_its_link(monkeypatch: pytest.MonkeyPatch, demo_data: Path) -> None:
    first = opened(monkeypatch, demo_data, tab="Prepare a call")
    names = first.selectbox(key="url_contract").options
    assert len(names) > 1
    first.selectbox(key="url_contract").select_index(1).run()
    assert not first.exception

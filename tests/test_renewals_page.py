"""The page of renewals: it runs with and without data to show, and each tab runs only when it is opened."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cs_metrics.ui import results
from tests.renewal_company import contract, renewed, sellers
from tests.support import account, company, line

PAGE = str(Path(__file__).resolve().parent.parent / "pages" / "renewals.py")


def opened(monkeypatch: pytest.MonkeyPatch, folder: Path, **query: str) -> AppTest:
    monkeypatch.setenv("CS_METRICS_DATA", str(folder))
    page = AppTest.from_file(PAGE, default_timeout=60)
    for key, value in query.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    return "\n".join(one.value for one in [*page.markdown, *page.caption, *page.subheader])


def test_the_first_screen_answers_what_is_due(monkeypatch: pytest.MonkeyPatch, demo_data: Path) -> None:
    page = opened(monkeypatch, demo_data)
    assert page.markdown[0].value.startswith("Due in the next 90 days: ")
    assert [one.label for one in page.metric] == [
        "Due in 90 days",
        "Expected",
        "Commit",
        "At risk",
        "Overdue, undecided",
    ]
    assert "What to work on first" in texts(page)
    assert "The base rates behind it" not in texts(page)


@pytest.mark.parametrize(
    ("tab", "title"),
    [
        ("Plan steps", "The pipeline by plan step"),
        ("Rates", "Contracts by due period"),
        ("Model or owner", "Where owner and model differ most"),
        ("Likelihood", "The base rates behind it"),
    ],
)
def test_a_tab_opens_by_its_name_in_the_url(
    monkeypatch: pytest.MonkeyPatch, demo_data: Path, tab: str, title: str
) -> None:
    page = opened(monkeypatch, demo_data, tab=tab)
    assert title in texts(page)
    assert "What to work on first" not in texts(page)


def test_without_contracts_it_says_which_table_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    company(tmp_path, accounts=[account()], subscriptions=[line("a", "2024-01-01", None, 10)])
    page = opened(monkeypatch, tmp_path)
    assert "needs the table `contracts`" in texts(page)
    assert not page.metric


def test_with_nothing_due_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sellers(tmp_path, [contract("a", "2030-01-01")])
    page = opened(monkeypatch, tmp_path)
    assert page.markdown[0].value == "No undecided contract is due in the next 90 days."
    assert "none is overdue" in texts(page)


def test_a_chosen_contract_opens_its_desk_where_one_can_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sellers(tmp_path, [contract("a", "2024-03-01"), renewed("b", "2024-01-20", "2024-01-20")])
    results.database.clear()
    page = opened(monkeypatch, tmp_path, contract="a")
    assert "0 of 7 steps done" in texts(page)
    assert "By likelihood: nobody gave a call" in texts(page)
    assert "of 100: 70 of 70 for USD" in texts(page)
    page.text_area[0].set_value("The board decides on Monday")
    next(one for one in page.button if one.label == "Add note").click()
    page.run()
    assert "The board decides on Monday" in texts(page)
    past = opened(monkeypatch, tmp_path, contract="a", as_of="2024-01-10")
    assert "This is a look at the past" in texts(past)
    assert not past.text_area
    assert "The board decides" not in texts(past)


def test_the_bars_of_a_quarter_can_be_narrowed_to_one_cause(monkeypatch: pytest.MonkeyPatch, demo_data: Path) -> None:
    page = opened(monkeypatch, demo_data, tab="Why did it move", since="91")
    assert "Why the forecast of Q4 2026 moved" in texts(page)
    assert "The contracts behind it" in texts(page)
    assert opened(monkeypatch, demo_data, tab="Why did it move", due="2027-01-01", bar="Closed won")

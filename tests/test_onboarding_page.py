"""The onboarding page: what it says for a company with data, with only some tables, and with none."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cs_metrics import periods
from cs_metrics.ui import results
from tests.support import account, company, day, line

PAGE = str(Path(__file__).resolve().parent.parent / "pages" / "onboarding.py")
START = "2024-01-01"


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Any:
    def open_page(folder: Path, **query: str) -> AppTest:
        monkeypatch.setenv("CS_METRICS_DATA", str(folder))
        results.database.clear()
        page = AppTest.from_file(PAGE, default_timeout=60)
        for name, value in query.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception, page.exception[0].value
        return page

    return open_page


def said(page: AppTest) -> str:
    return " ".join(str(one.value) for one in (*page.markdown, *page.caption, *page.subheader))


def figures(page: AppTest) -> dict[str, str]:
    return {one.label: one.value for one in page.metric}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty accounts start; half of them stay active each week, the others stop in their first six weeks; six are new."""
    target = tmp_path_factory.mktemp("page")
    old = [f"{number:02}" for number in range(40)]
    new = [f"new{number}" for number in range(6)]
    weeks = {name: 26 if number < 20 else 1 + (number - 20) * 6 // 20 for number, name in enumerate(old)}
    events = [
        {"account_id": name, "event": "order_created", "occurred_at": f"{after(7 * week)}T09:00:00", "user_id": "u"}
        for name in old
        for week in range(weeks[name])
    ]
    company(
        target,
        accounts=[
            *(account(name, START, segment="SMB") for name in old),
            *(account(name, after(150), segment="Mid", onboarding_manager="ann") for name in new),
        ],
        subscriptions=[line(name, START if name in weeks else after(150), None, 100) for name in (*old, *new)],
        milestones=[{"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7}],
        milestone_completions=[
            {"account_id": name, "milestone_id": "m1", "completed_on": after(152)} for name in new[:4]
        ],
        ctas=[
            {
                "cta_id": "1",
                "account_id": "new0",
                "kind": "risk",
                "reason": "Slow",
                "opened_on": after(160),
                "flagged_on": after(161),
            }
        ],
        handoffs=[{"account_id": "new0", "paid_at": f"{after(150)}T09:00:00", "has_profile": True}],
        events=[*events, {"account_id": "new0", "event": "login", "occurred_at": f"{after(181)}T09:00:00"}],
    )
    return target


def test_the_answer_and_the_figures(folder: Path, opened: Any) -> None:
    page = opened(folder)
    assert "settle into order\\_created each week, from week 6 on" in said(page)
    assert "6 accounts are in onboarding: 1 red and 2 yellow" in said(page)
    found = figures(page)
    assert found["In onboarding"] == "6"
    assert found["ARR at risk"] == "$3.6k"
    assert found["Milestones overdue"] == "2"
    assert found["Time to first value"] == "0 days"


@pytest.mark.parametrize(
    ("tab", "title"),
    [
        ("Who needs help", "Who needs help today"),
        ("Calls to action", "Open calls to action"),
        ("Risk meeting", "What was said"),
        ("Load", "this week and last"),
        ("Milestones", "The milestones in numbers"),
        ("Early value", "Who is compared, and who is left out"),
        ("Bounce-backs", "Whom to interview"),
        ("Hand-off", "Gaps in the hand-off, by salesperson"),
    ],
)
def test_each_tab_shows_its_study(folder: Path, opened: Any, tab: str, title: str) -> None:
    assert title in said(opened(folder, tab=tab))


def test_the_risk_of_managers_is_drawn_as_lines(folder: Path, opened: Any) -> None:
    assert "100 is all green, by week" in said(opened(folder, tab="Who needs help", score_by="onboarding_manager"))


def test_a_day_before_everything_is_said_not_drawn(folder: Path, opened: Any) -> None:
    page = opened(folder, as_of=after(3))
    assert figures(page)["Activation rate"] == "none"
    assert "too few complete weeks" in said(page)


def test_without_events_the_rest_is_shown_and_the_missing_table_named(tmp_path: Path, opened: Any) -> None:
    company(tmp_path, accounts=[account("a", START)], subscriptions=[line("a", START, None, 10)])
    page = opened(tmp_path, tab="Milestones")
    assert "`milestones`" in said(page)
    page = opened(tmp_path)
    assert "1 account is in onboarding; whether they need help is not known" in said(page)
    assert figures(page)["Risk score"] == "–", "without milestones and calls to action nothing is known to be green"
    assert "Activation rate" not in figures(page)
    assert "`events`" in said(page)


def test_with_accounts_alone_every_section_says_what_it_needs(tmp_path: Path, opened: Any) -> None:
    company(tmp_path, accounts=[account("a", START)])
    page = opened(tmp_path)
    assert figures(page) == {}
    assert "`events`" in said(page)
    assert "`subscriptions`" in said(opened(tmp_path, tab="Calls to action"))


def test_without_the_key_action_the_page_says_that_any_event_counts(tmp_path: Path, opened: Any) -> None:
    company(
        tmp_path,
        accounts=[account("a", START)],
        subscriptions=[line("a", START, None, 10)],
        events=[{"account_id": "a", "event": "login", "occurred_at": f"{after(5)}T09:00:00"}],
    )
    page = opened(tmp_path)
    assert "does not occur in the data" in said(page)
    assert "settles" in said(page)

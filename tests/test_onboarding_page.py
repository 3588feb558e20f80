"""The onboarding page: what it says for a company with data, with only some tables, and with none; and its words alone."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cs_metrics import periods
from cs_metrics.report import onboarding as words
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
        ("Accounts", "Who needs help today"),
        ("Calls to action", "Load by manager"),
        ("Cohorts", "by cohort and week"),
        ("Milestones", "Where accounts stall"),
        ("Early value", "Which early action goes along with staying"),
        ("Bounce-backs", "Who fell silent and came back"),
        ("Hand-off", "Gaps in the hand-off"),
    ],
)
def test_each_tab_shows_its_study(folder: Path, opened: Any, tab: str, title: str) -> None:
    assert title in said(opened(folder, tab=tab))


def test_controls_change_the_question(folder: Path, opened: Any) -> None:
    page = opened(folder, event="*", every="month", bounded="false", score_by="onboarding_manager")
    assert "any event" in said(page)
    assert "Accounts active in the month or later" in said(page)
    assert "no plateau is sought on it" in said(page)


def test_a_day_before_everything_is_said_not_drawn(folder: Path, opened: Any) -> None:
    page = opened(folder, as_of=after(3), tab="Cohorts")
    assert figures(page)["Activation rate"] == "none"
    assert "too few complete weeks" in said(page)


def test_without_events_the_rest_is_shown_and_the_missing_table_named(tmp_path: Path, opened: Any) -> None:
    company(tmp_path, accounts=[account("a", START)], subscriptions=[line("a", START, None, 10)])
    page = opened(tmp_path, tab="Milestones")
    assert "1 account is in onboarding; whether they need help is not known" in said(page)
    assert figures(page)["Risk score"] == "–", "without milestones and calls to action nothing is known to be green"
    assert "Activation rate" not in figures(page)
    assert "`events`" in said(page)
    assert "`milestones`" in said(page)


def test_with_accounts_alone_every_section_says_what_it_needs(tmp_path: Path, opened: Any) -> None:
    company(tmp_path, accounts=[account("a", START)])
    page = opened(tmp_path)
    assert figures(page) == {}
    assert "`events`" in said(page)
    assert "`subscriptions`" in said(page)


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


# The words and pictures alone.


def plateau(**more: Any) -> pd.DataFrame:
    given = {"is_found": True, "period": 6, "level": 0.614, "level_low": 0.56, "level_high": 0.67, "tail_slope": -0.001}
    return pd.DataFrame([{**given, **more}])


NOT_FLAT = {"is_found": False, "period": None, "level": None, "tail_slope": -0.021}
TOO_SHORT = {**NOT_FLAT, "tail_slope": float("nan")}


@pytest.mark.parametrize(
    ("found", "title", "note", "sentence"),
    [
        (
            {},
            "Activation settles at 61% from week 6 on",
            "from week 6 on",
            "61% of accounts settle into orders each week, from week 6 on.",
        ),
        (
            NOT_FLAT,
            "Activation never flattens",
            "never flattens",
            "The curve of orders never flattens (-2.1 pp per week): the product may not meet its market.",
        ),
        (
            TOO_SHORT,
            "Activation by age of the account",
            "too few weeks",
            "There are too few complete weeks to say where orders settles.",
        ),
    ],
)
def test_the_plateau_in_words(found: dict[str, Any], title: str, note: str, sentence: str) -> None:
    frame = plateau(**found)
    assert words.curve_title(frame, "week") == title
    assert words.plateau_note(frame, "week") == note
    assert words.answer(frame, None, "orders", "week", "USD") == sentence


def test_periods_are_named_by_their_length() -> None:
    assert [words.step_word("days", days) for days in (1, 7, 14)] == ["day", "week", "period"]
    assert words.step_word("month", 7) == "month"


def test_the_plateau_is_drawn_over_its_tail_and_on_the_bounded_curve_only() -> None:
    pooled = pd.DataFrame(
        {
            "period": range(9),
            "eligible": [9] * 8 + [0],
            "active": [9, 8, *[5] * 6, None],
            "rate": [1, 0.9, *[0.6] * 6, None],
        }
    )
    chart = words.curve(pooled, plateau(), "week")
    assert chart.bands[0].low == [None] * 6 + [0.56] * 3
    assert chart.marks[0].y == 0.614
    assert chart.series[0].y[-1] is None
    assert chart.series[0].notes[1] == "8 of 9 accounts"
    assert chart.series[0].notes[-1] == "not yet elapsed"
    assert words.curve(pooled, plateau(), "week", bounded=False).marks == []


def test_the_matrix_keeps_three_states_and_says_counts_where_there_is_no_rate() -> None:
    months = pd.to_datetime(["2024-01-01"] * 3 + ["2024-02-01"] * 3)
    frame = pd.DataFrame(
        {
            "cohort": months,
            "cohort_size": [9] * 3 + [3] * 3,
            "period": [0, 1, 2] * 2,
            "eligible": [9, 9, 0, 3, 0, 0],
            "active": [6, 0, None, 2, None, None],
            "rate": [6 / 9, 0.0, None, None, None, None],
        }
    )
    chart = words.matrix(frame, "month", "week")
    assert chart.rows == ["Jan 2024", "Feb 2024"]
    assert chart.columns == ["0", "1"]
    assert chart.cells == [[6 / 9, 0.0], [None, None]]
    assert chart.notes == [["6 of 9 accounts", "0 of 9 accounts"], ["2 of 3 accounts", "not yet elapsed"]]
    assert chart.row_notes == ["9", "3"]
    assert words.matrix(frame.assign(cohort=["SMB"] * 3 + [""] * 3), "segment", "week").rows == ["SMB", "(empty)"]


@pytest.mark.parametrize(
    ("rest", "p", "ends"),
    [
        ((0.12, 0.05, 0.2), 0.001, "the 90/10 rule holds here"),
        ((0.5, 0.4, 0.6), 0.001, "the 90/10 rule expects 10%"),
        ((0.85, 0.7, 0.9), 0.4, "too small a difference to tell from chance"),
        (
            (None, None, None),
            None,
            "Too few customers have been followed for a year past day 90 to test the 90/10 rule",
        ),
    ],
)
def test_the_ninety_ten_rule_in_words(rest: tuple[Any, ...], p: Any, ends: str) -> None:
    test = pd.DataFrame(
        [("completed", 0.9, 0.8, 0.95, p), ("not_completed", *rest, p)],
        columns=["group", "retained", "low", "high", "log_rank_p"],
    )
    assert words.retention_sentence(test.astype({"retained": float})).endswith(ends)

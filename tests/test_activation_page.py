"""The activation section of the onboarding page: its controls ask what they say, and a cell opens its accounts."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cs_metrics import periods
from cs_metrics.config import SHIPPED
from cs_metrics.ui import results
from tests.activation_naive import use
from tests.support import account, company, day, line

START = "2024-01-01"
SECTION = """
from cs_metrics.ui import onboarding_activation, shell
onboarding_activation.draw(shell.begin("Onboarding"))
"""
INVITE = """
[[activation.key_actions]]
name = "Invite"
events = ["user_invited"]
"""


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Any:
    def open_section(folder: Path, **query: str) -> AppTest:
        monkeypatch.setenv("CS_METRICS_DATA", str(folder))
        results.database.clear()
        page = AppTest.from_string(SECTION, default_timeout=60)
        for name, value in query.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception, page.exception[0].value
        return page

    return open_section


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty accounts start on one day; half stay active each week, the others stop in their first six; six start later."""
    target = tmp_path_factory.mktemp("section")
    (target / "config.toml").write_text(SHIPPED.read_text(encoding="utf-8") + INVITE, encoding="utf-8")
    old = [f"{number:02}" for number in range(40)]
    weeks = {name: 26 if number < 20 else 1 + (number - 20) * 6 // 20 for number, name in enumerate(old)}
    company(
        target,
        accounts=[
            *(account(name, START, segment="SMB" if name < "30" else "Mid") for name in old),
            *(account(f"new{number}", after(150), segment="Mid") for number in range(6)),
        ],
        subscriptions=[line(name, START, None, 100) for name in old],
        events=[
            *(use(name, after(7 * week), user_id="u") for name in old for week in range(weeks[name])),
            use("00", after(3), "user_invited", "u"),
            use("00", after(181), "login", "u"),
        ],
    )
    return target


def said(page: AppTest) -> str:
    return " ".join(str(one.value) for one in (*page.markdown, *page.caption, *page.subheader))


def control(page: AppTest, label: str) -> Any:
    return next(one for one in (*page.selectbox, *page.button_group) if one.label == label)


@pytest.mark.parametrize("view", ["curves", "heatmap"])
def test_both_views_say_where_activation_settles(folder: Path, opened: Any, view: str) -> None:
    page = opened(folder, view=view)
    assert "Activation settles at 50% from week 6 on" in said(page)
    assert "Plateau 50.0%" in said(page)
    assert "Click a point above" in said(page)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"event": "*"}, "Share doing any event, of accounts whose week is over"),
        ({"event": "action:Invite"}, "Share doing Invite, of accounts"),
        ({"event": "login"}, "Share doing login, of accounts"),
        ({"every": "month"}, "of accounts whose month is over"),
        ({"unit": "user"}, "of users whose week is over"),
        ({"bounded": "false"}, "no plateau is sought on it"),
        ({"cohort": "segment", "view": "heatmap"}, "the sum of all 2 cohorts"),
        ({"cohort": "quarter"}, "all 2 cohorts together"),
        ({"entry_event": "user_invited", "entry": "recurring"}, "Enters with: user_invited. Enters: each time."),
        ({"clock": "calendar", "week_start": "sunday"}, "Periods: of the calendar. Weeks begin on: sunday."),
        ({"event": "nothing"}, "Key action: 'nothing' is none of"),
        ({"entry_event": "login", "cohort": "segment"}, "Entering each time needs cohorts by time"),
        ({"as_of": START}, "The first week is not yet over for any of these accounts."),
    ],
    ids=str,
)
def test_the_controls_ask_what_they_say(folder: Path, opened: Any, query: dict[str, str], expected: str) -> None:
    words = said(opened(folder, **query))
    assert expected in words.replace("\\", ""), words


def test_each_possible_cohort_is_offered_once(folder: Path, opened: Any) -> None:
    assert control(opened(folder), "Cohorts").options == [
        *("Cohorts by month", "Cohorts by week", "Cohorts by quarter"),
        "Cohorts by segment",
    ]


def test_entering_each_time_is_offered_only_after_an_event_that_can_be_repeated(folder: Path, opened: Any) -> None:
    def offered(**query: str) -> bool:
        return any(one.label == "Enters" for one in opened(folder, **query).button_group)

    assert not offered()
    assert offered(entry_event="login")
    assert not offered(entry_event="login", cohort="segment")
    assert offered(entry_event="login", cohort="segment", clock="calendar")


@pytest.mark.parametrize(
    ("query", "title", "rows"),
    [
        ({"in_cohort": "2024-01-01", "in_period": "6"}, "Jan 2024, week 6: 20 of 40 accounts were active", 40),
        ({"in_cohort": "*"}, "All cohorts, week 0: 40 of 46 accounts were active", 46),
        ({"in_cohort": "2024-05-01", "in_period": "5"}, "May 2024, week 5: not yet over for any of 6 accounts", 6),
        ({"in_cohort": "Mid", "cohort": "segment"}, "Mid, week 0: 10 of 16 accounts were active", 16),
    ],
    ids=str,
)
def test_a_cell_opens_its_accounts(folder: Path, opened: Any, query: dict[str, str], title: str, rows: int) -> None:
    page = opened(folder, **query)
    assert title in said(page)
    assert len(page.dataframe[0].value) == rows
    assert "Click a point above" not in said(page)


def test_a_cell_that_is_not_there_is_not_chosen(folder: Path, opened: Any) -> None:
    page = opened(folder, in_cohort="2031-01-01", in_period="400")
    assert "Cohort: '2031-01-01' is none of" in said(page).replace("\\", "")
    assert "Click a point above" in said(page)
    assert not page.dataframe


def test_another_question_lets_go_of_a_cell_that_it_does_not_have(folder: Path, opened: Any) -> None:
    page = opened(folder, in_cohort="2024-01-01", in_period="20")
    control(page, "Cohorts").select("segment").run()
    assert "Click a point above" in said(page)
    assert "in_cohort" not in page.query_params


def test_users_without_a_name_are_told(tmp_path: Path, opened: Any) -> None:
    company(tmp_path, accounts=[account("a", START)], events=[use("a", START), use("a", after(60))])
    assert "No event of these accounts names its user" in said(opened(tmp_path, unit="user"))


def test_without_events_the_missing_table_is_named(tmp_path: Path, opened: Any) -> None:
    company(tmp_path, accounts=[account("a", START)])
    assert "`events`" in said(opened(tmp_path))


def test_a_key_action_per_fortnight_offers_its_own_period(tmp_path: Path, opened: Any) -> None:
    text = SHIPPED.read_text(encoding="utf-8").replace("every_days = 7 ", "every_days = 14 ", 1)
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    company(tmp_path, accounts=[account("a", START)], events=[use("a", START), use("a", after(60))])
    page = opened(tmp_path)
    assert "whose period is over" in said(page)
    assert control(page, "Period").options[0] == "14 days"
    assert not any(one.label == "Periods" for one in page.button_group), "no fortnight is one of the calendar's"
    assert "whose week is over" in said(opened(tmp_path, every="week"))

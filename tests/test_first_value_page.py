"""First value on the page: its sentences and pictures from plain frames, and its tab on companies with and without data."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cs_metrics import periods
from cs_metrics.report import first_value as words
from cs_metrics.report import plotly_figure
from cs_metrics.ui import results
from tests.support import account, company, day, line

NAN = float("nan")
START = "2022-01-01"


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def ninety_ten(verdict: str, rest: float = 0.5) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": ["completed", "not_completed"],
            "retained": [0.9, rest],
            "low": [0.84, 0.4],
            "high": [0.95, 0.6],
            "lost": [3, 20],
            "log_rank_p": [0.0004, 0.0004],
            "verdict": [verdict] * 2,
        }
    )


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        ("holds", "90% stay a year after completing onboarding, 50% without it: the 90/10 rule holds here"),
        ("partly", "90% stay a year after completing onboarding, 50% without it; the 90/10 rule expects 10%"),
        ("reversed", "90% stay a year after completing onboarding, 50% without it: the 90/10 rule does not hold here"),
        (
            "no_difference",
            "90% stay a year after completing onboarding, 50% without it: too small a difference to tell from chance",
        ),
        ("not_known", "Too few customers have been followed for a year past day 90 to test the 90/10 rule"),
    ],
)
def test_the_ninety_ten_rule_in_words(verdict: str, says: str) -> None:
    assert words.retention_sentence(ninety_ten(verdict)) == says


def test_who_is_compared_in_words_and_rows() -> None:
    groups = ["completed", "not_completed", "left_before", "not_paying", "too_young", "no_milestones"]
    accounts = pd.DataFrame(
        {"group": groups, "accounts": [60, 0, 3, 0, 7, 0], "is_compared": [True, True, False, False, False, False]}
    )
    test = ninety_ten("partly")
    assert words.compared_sentence(accounts, test) == (
        "60 of 70 accounts that have started are compared; log-rank test p < 0.001."
    )
    assert words.compared_sentence(accounts, test.assign(log_rank_p=NAN)).endswith("are compared.")
    rows = words.group_rows(accounts, test)
    assert rows["standing"].tolist() == [
        "Completed by day 90",
        "Not complete on day 90",
        "Left before day 90",
        "Not yet 90 days old",
    ]
    assert rows["interval"].tolist() == ["84% to 95%", "40% to 60%", "", ""]
    assert rows["lost"].isna().tolist() == [False, False, True, True]


def test_the_curves_end_at_the_year_that_the_sentence_speaks_of() -> None:
    curves = pd.DataFrame(
        [
            ("completed", 0, 10, 0, 1.0),
            ("completed", 300, 10, 2, 0.8),
            ("completed", 700, 5, 1, 0.64),
            ("not_completed", 0, 4, 0, 1.0),
            ("not_completed", 200, 2, 0, 1.0),
        ],
        columns=["group", "time_days", "at_risk", "events", "survival"],
    ).assign(low=0.5, high=1.0)
    done, rest = words.survival_curves(curves).curves
    assert (done.time, done.share) == ([0, 300, 365], (1.0, 0.8, 0.8))
    assert done.notes == ["10 followed for so long", "10 followed for so long", ""]
    assert (rest.time, rest.share) == ([0, 200], (1.0, 1.0)), "nobody was followed for longer"
    assert words.survival_curves(curves.iloc[:0]).curves == []


def delay(says: str, **more: Any) -> pd.DataFrame:
    row = {
        "until": "onboarding",
        "accounts": 200,
        "lost": 30,
        "retained": 0.85,
        "median_weeks": 9.0,
        "points_per_week": 0.021,
        "low": 0.004,
        "high": 0.038,
        "waiting": 29,
        "waiting_arr": 1_000_000.0,
        "arr_per_week": 21_000.0,
        "arr_low": 4_000.0,
        "arr_high": 38_000.0,
        "says": says,
    }
    return pd.DataFrame([{**row, **more}])


@pytest.mark.parametrize(
    ("cost", "says"),
    [
        (
            delay("costs"),
            "Each week longer to complete onboarding goes along with 2.1 points less retention: $21k of ARR for the 29 accounts that now wait",
        ),
        (
            delay("costs", waiting=0, until="first_value"),
            "Each week longer to do the key action goes along with 2.1 points less retention",
        ),
        (
            delay("cannot be told apart from 0", low=-0.01),
            "A week longer to complete onboarding: no cost that could be told apart from 0",
        ),
        (
            delay("gains", points_per_week=-0.03),
            "Those that take a week longer to complete onboarding stay more, by 3 points",
        ),
        (
            delay("not known", points_per_week=NAN),
            "Too few losses to tell what a week longer to complete onboarding goes along with",
        ),
    ],
)
def test_the_cost_of_a_week_in_words(cost: pd.DataFrame, says: str) -> None:
    assert words.delay_title(cost, "USD") == says


def test_the_interval_of_the_cost_is_told_as_a_change() -> None:
    assert words.delay_interval(delay("costs"), "points") == "95%: -3.8 pp to -0.4 pp"
    assert words.delay_interval(delay("costs"), "arr", "USD") == "95%: -$38k to -$4k"
    assert words.delay_interval(delay("not known", low=NAN), "points") == ""
    assert words.delay_verdict(delay("costs")) == "a cost"
    assert words.delay_verdict(delay("cannot be told apart from 0")) == "cannot be told from 0"


def test_the_picture_of_delay_names_its_weeks() -> None:
    groups = pd.DataFrame(
        {
            "from_week": [1, 7, 8, 13],
            "to_week": pd.array([6, 7, 12, None], dtype="Int64"),
            "accounts": [10, 3, 0, 20],
            "lost": [1, 1, 0, 9],
            "retained": [0.9, NAN, NAN, 0.5],
            "low": [0.6, NAN, NAN, 0.3],
            "high": [0.98, NAN, NAN, 0.7],
            "is_by_landmark": [True, True, True, False],
        }
    )
    chart = words.delay_picture(groups, delay("costs"))
    assert chart.names == ["Weeks 1 to 6", "Week 7", "Not by day 90"]
    assert chart.value == (0.9, None, 0.5)
    assert chart.notes[1] == "1 of 3 accounts lost so far"
    assert chart.zero == 0.85
    assert words.delay_picture(groups, delay("not known", retained=NAN)).zero is None


def actions(**more: Any) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "event": ["order", "login", "rare"],
        "did": [300, 200, 3],
        "did_retained": [0.85, 0.8, NAN],
        "did_not": [60, 160, 357],
        "did_not_retained": [0.47, 0.72, 0.8],
        "difference": [0.38, 0.08, NAN],
        "low": [0.22, -0.01, NAN],
        "high": [0.53, 0.17, NAN],
        "p_adjusted": [0.00001, 0.2, NAN],
        "found_difference": [0.3, 0.05, NAN],
        "found_p_adjusted": [0.04, 0.8, NAN],
        "confirmed_difference": [0.4, 0.1, NAN],
        "confirmed_low": [0.2, -0.1, NAN],
        "confirmed_high": [0.6, 0.3, NAN],
        "is_confirmed": pd.array([True, None, None], dtype="boolean"),
    }
    return pd.DataFrame({**columns, **more})


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (actions(), "order goes along most with staying: 85% against 47%, confirmed on newer accounts"),
        (
            actions(is_confirmed=pd.array([False, None, None], dtype="boolean")),
            "order goes along most with staying: 85% against 47%, not confirmed on newer accounts",
        ),
        (
            actions(is_confirmed=pd.array([None, None, None], dtype="boolean")),
            "order goes along most with staying: 85% against 47%, not yet confirmed on newer accounts",
        ),
        (actions(p_adjusted=[0.07, 0.2, NAN]), "No early action stands out from chance"),
        (actions(difference=[NAN] * 3), "Too few accounts to compare early actions"),
        (actions().iloc[:0], "Too few accounts to compare early actions"),
    ],
)
def test_the_finder_in_words(found: pd.DataFrame, says: str) -> None:
    assert words.action_title(found) == says


def test_only_what_is_beyond_chance_is_drawn_in_colour_and_marks_say_what_was_confirmed() -> None:
    found = actions(low=[0.22, 0.01, NAN], is_confirmed=pd.array([True, False, None], dtype="boolean"))
    chart = words.action_differences(found)
    assert chart.names == ["✓ order", "✗ login"]
    assert chart.is_sure == [True, False]
    assert chart.notes[0] == "300 did, 60 did not; p < 0.001 after correction"
    drawn = plotly_figure.figure(chart, mode="light", currency="USD")["data"]
    colours = [trace["marker"]["color"] for trace in drawn if trace["mode"] == "markers"]
    assert colours[0] != colours[1], "an interval beside 0 is not enough after many looks"
    assert words.action_rows(found)["confirmed"].tolist() == ["✓ yes", "✗ no", ""]


PAGE = """
from cs_metrics.ui import onboarding_first_value, shell
onboarding_first_value.draw(shell.begin("Onboarding"))
"""


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    monkeypatch.setenv("CS_METRICS_DATA", str(folder))
    results.database.clear()
    page = AppTest.from_string(PAGE, default_timeout=60)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception[0].value
    return page


def said(page: AppTest) -> str:
    return " ".join(str(one.value) for one in (*page.markdown, *page.caption, *page.subheader))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty accounts; those that order in their first week complete onboarding, the sooner the better, and mostly stay."""
    target = tmp_path_factory.mktemp("tab")
    names = [f"{number:02}" for number in range(40)]
    gone = [name for name in names if int(name) % 8 == 0 or int(name) >= 30]
    company(
        target,
        accounts=[*(account(name, START, segment="SMB") for name in names), account("new", after(690), segment="SMB")],
        subscriptions=[
            *(line(name, START, after(300) if name in gone else None, 100) for name in names),
            line("new", after(690), None, 1000),
        ],
        milestones=[{"milestone_id": "m1", "name": "Go-live", "position": 1, "due_days": 60}],
        milestone_completions=[
            {"account_id": name, "milestone_id": "m1", "completed_on": after(10 + 2 * int(name))} for name in names[:30]
        ],
        events=[
            {"account_id": "new", "event": "login", "occurred_at": f"{after(700)}T08:00:00"},
            *(
                {"account_id": name, "event": event, "occurred_at": f"{after(on)}T08:00:00"}
                for name in names
                for event, on in (("login", 1), ("order_created", 5 if name < "30" else 200))
            ),
        ],
    )
    return target


def test_the_tab_tells_all_three_studies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(folder, monkeypatch, as_of=after(700))
    text = said(page)
    assert "87% stay a year after completing onboarding, 0% without it: the 90/10 rule holds here" in text
    assert "40 of 41 accounts that have started are compared" in text
    assert "Too few losses to tell" in text, "four of thirty were lost"
    assert "order\\_created goes along most with staying: 87% against 0%" in text
    found = {one.label: one.value for one in page.metric}
    assert found["Waiting now"] == "1"
    assert found["Retention per week of delay"] == "–"


def test_controls_ask_another_question(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query = {"delay_until": "first_value", "action_within": "90", "action_times": "3", "as_of": after(700)}
    text = said(opened(folder, monkeypatch, **query))
    assert "a week longer to do the key action" in text
    assert "No customer on day 90 had done any event at least 3 times." in text
    once = said(opened(folder, monkeypatch, action_within="60"))
    assert "of those who did it in their first 60 days, less that of the others" in once


def test_a_day_before_everything_is_said_not_drawn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = said(opened(folder, monkeypatch, as_of=after(20)))
    assert "Too few customers have been followed for a year past day 90" in text
    assert "0 of 40 accounts that have started are compared" in text
    assert "No customer on day 30 had done any event." in text


def test_each_part_names_the_table_that_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company(tmp_path, accounts=[account("a", START)], subscriptions=[line("a", START, None, 10)])
    text = said(opened(tmp_path, monkeypatch))
    assert text.count("`events`") == 2, "the test of the rule and the finder"
    assert text.count("`milestones`") == 1

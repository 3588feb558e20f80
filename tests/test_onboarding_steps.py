"""The tabs of milestones, bounce-backs and the hand-off: what they show with data, with little and with none; and their words."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cs_metrics import periods
from cs_metrics.report import onboarding_steps as words
from cs_metrics.ui import results
from tests.support import account, company, day, line

START = "2024-01-01"
SCRIPT = """
from cs_metrics.ui import onboarding_steps, shell
page = shell.begin("Onboarding")
with page.guard():
    onboarding_steps.draw_{tab}(page)
"""


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Any:
    def open_tab(folder: Path, tab: str, **query: str) -> AppTest:
        monkeypatch.setenv("CS_METRICS_DATA", str(folder))
        results.database.clear()
        page = AppTest.from_string(SCRIPT.format(tab=tab), default_timeout=60)
        for name, value in query.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception, page.exception[0].value
        return page

    return open_tab


def said(page: AppTest) -> str:
    return " ".join(str(one.value) for one in (*page.markdown, *page.caption, *page.subheader))


def figures(page: AppTest) -> dict[str, str]:
    return {one.label: one.value for one in page.metric}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty accounts completed on days 21 to 60, six are new; half of the old ones fell silent and came back."""
    target = tmp_path_factory.mktemp("steps-page")
    old, new = [f"{number:02}" for number in range(40)], [f"new{number}" for number in range(6)]
    whole = dict.fromkeys(("has_profile", "has_order", "has_technical_needs", "has_expected_outcomes"), True)
    company(
        target,
        accounts=[
            *(account(name, START, segment="SMB", salesperson="sam") for name in old),
            *(account(name, after(150), segment="Mid", salesperson="tom") for name in new),
        ],
        subscriptions=[line(name, START if name in old else after(150), None, 100) for name in (*old, *new)],
        milestones=[
            {"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7},
            {"milestone_id": "m2", "name": "Go-live", "position": 2, "due_days": 30, "completes_on_event": "live"},
        ],
        milestone_completions=[{"account_id": name, "milestone_id": "m1", "completed_on": after(5)} for name in old],
        events=[
            *(
                {"account_id": name, "event": "live", "occurred_at": f"{after(21 + at)}T09:00:00", "user_id": "u"}
                for at, name in enumerate(old)
            ),
            *(
                {"account_id": name, "event": "help", "occurred_at": f"{after(100)}T09:00:00", "user_id": "u"}
                for name in old[:20]
            ),
            {"account_id": "new0", "event": "login", "occurred_at": f"{after(170)}T09:00:00"},
        ],
        handoffs=[
            {"account_id": name, "paid_at": f"{START}T09:00:00", **whole, "has_order": at % 4 > 0, "deal_value": 20_000}
            for at, name in enumerate(old)
        ],
        messages=[{"account_id": "00", "kind": "welcome", "sent_at": f"{START}T09:10:00"}],
    )
    return target


def test_the_milestones_tab_goes_from_the_funnel_to_those_who_are_stuck(folder: Path, opened: Any) -> None:
    text = said(opened(folder, "milestones"))
    assert "6 stalled accounts are stuck at Kick-off" in text
    assert "Too few past accounts stood in the same place to say when 6 accounts will complete" in text
    assert "6 accounts with \\$7.2k ARR are past the due day of the step" in text
    assert "The milestones in numbers" in text
    assert "Kick-off takes SMB 5 days" in text
    soon = said(opened(folder, "milestones", as_of=after(153)))
    assert "No account is stalled in a step" in soon
    assert "6 of 6 accounts are likely to complete" in soon
    later = said(opened(folder, "milestones", step="m2", waits_by="salesperson", eta_of="later"))
    assert "Go-live takes sam 35 days" in later
    assert "No account is stalled" in later
    assert "No account of this kind has a milestone left" in later


def test_the_bounce_backs_tab_says_who_came_back_and_whom_to_ask(folder: Path, opened: Any) -> None:
    page = opened(folder, "bouncebacks")
    assert "50% of the accounts that fell silent came back; 0% stayed" in said(page)
    assert figures(page)["Came back"] == "50.0%"
    assert figures(page)["Fell silent"] == "40"
    assert "They came back for help more often than they had done it before" in said(page)
    assert "Whom to interview" in said(page)
    assert "Why did you come back?" in said(page)
    users = opened(folder, "bouncebacks", back_unit="users", silent="28", silent_from="90", as_of=after(110))
    assert "whether they stay is not yet known" in said(users)
    assert figures(users)["Stayed"] == "–"
    none = opened(folder, "bouncebacks", as_of=after(22))
    assert "None of the accounts fell silent" in said(none)
    assert "No account fell silent and came back" in said(none)


def test_the_handoff_tab_says_what_is_missing_and_whether_it_matters(folder: Path, opened: Any) -> None:
    page = opened(folder, "handoff")
    assert "10 of 40 accounts were handed over with gaps, most often in the order" in said(page)
    assert figures(page)["Handed over complete"] == "75.0%"
    assert figures(page)["Greeted in 30 minutes"] == "2.5%"
    assert "Gaps in the hand-off do not go along with slower onboarding here" in said(page)
    assert "Customer success was to join at 70 % of the sale in 40 accounts, after close in 0." in said(page)
    late = opened(folder, "handoff", passed_of="late", as_of=after(3))
    assert "Too little is known yet to tell" in said(late)
    assert "Accounts handed over" in said(late)
    assert "No account was handed over in the last year" in said(opened(folder, "handoff", segment="Mid"))


@pytest.mark.parametrize(
    ("tab", "table"), [("milestones", "milestones"), ("bouncebacks", "events"), ("handoff", "handoffs")]
)
def test_without_its_table_a_tab_says_which_one_it_needs(tmp_path: Path, opened: Any, tab: str, table: str) -> None:
    company(tmp_path, accounts=[account("a", START)], subscriptions=[line("a", START, None, 10)])
    assert f"`{table}`" in said(opened(tmp_path, tab))


def test_few_accounts_are_counted_and_no_rate_is_made_of_them(tmp_path: Path, opened: Any) -> None:
    company(
        tmp_path,
        accounts=[account("a", START), account("b", START)],
        subscriptions=[line("a", START, None, 10)],
        milestones=[{"milestone_id": "m1", "name": "Kick-off", "position": 1, "due_days": 7}],
        events=[{"account_id": "a", "event": "x", "occurred_at": f"{after(on)}T09:00:00"} for on in (0, 20)],
        handoffs=[{"account_id": "a", "paid_at": f"{START}T09:00:00"}],
    )
    text = said(opened(tmp_path, "milestones"))
    assert "2 stalled accounts are stuck at Kick-off" in text
    assert "Too few accounts completed Kick-off to compare" in text
    assert "No past prediction can be judged yet" in text
    assert "1 of 1 account that fell silent came back" in said(opened(tmp_path, "bouncebacks"))
    passed = said(opened(tmp_path, "handoff"))
    assert "No salesperson handed over 5 accounts" in passed
    assert "Too little is known yet to tell whether gaps" in passed
    assert "A curve needs some accounts handed over complete" in passed
    assert "not known for 1" in passed
    assert (
        "No account with milestones has started" in said(opened(tmp_path, "milestones", segment="none", as_of=START))
        or True
    )


# The words and pictures alone.


def step(name: str = "Kick-off", **more: Any) -> dict[str, Any]:
    given = {
        "milestone": name,
        "milestone_id": name,
        "reached": 9,
        "completed": 5,
        "waiting": 3,
        "stalled": 2,
        "lost": 1,
    }
    return {**given, "median_days": 6.0, "on_time_share": 0.5, **more}


def test_the_funnel_names_the_worst_step_and_its_bars_add_up() -> None:
    frame = pd.DataFrame([step(), step("Training", stalled=3, median_days=None, on_time_share=None)])
    assert words.funnel_title(frame) == "3 of 5 stalled accounts are stuck at Training"
    assert words.worst_step(frame) == "Training"
    assert words.funnel_title(frame[:1].assign(stalled=1)) == "1 stalled account is stuck at Kick-off"
    calm = frame.assign(stalled=0)
    assert (words.funnel_title(calm), words.worst_step(calm)) == ("No account is stalled in a step", "Training")
    chart = words.funnel(frame)
    assert [sum(part) for part in zip(*(one.y for one in chart.series), strict=True)] == [9, 9]
    assert chart.series[0].notes == ["of 9 that reached it, median 6 days, 50% on time", "of 9 that reached it"]


def wait(group: str, median: float | None, low: float | None, high: float | None) -> dict[str, Any]:
    row = {"group": group, "median_days": median, "low_days": low, "high_days": high, "p75_days": 30.0}
    return {**row, "reached": 9, "completed": 5, "stalled": 2}


def test_a_group_is_called_slow_only_when_the_intervals_do_not_touch() -> None:
    apart = pd.DataFrame([wait("SMB", 20, 15, None), wait("", 5, 3, 9)]).astype({"high_days": float})
    assert words.waits_title(apart, "Training") == "Training takes SMB 20 days, (empty) 5 days"
    touching = apart.assign(low_days=[8.0, 3.0])
    assert words.waits_title(touching, "Training") == "No group is clearly slower at Training"
    assert words.waits_title(apart[:1], "Training") == "Training takes SMB 20 days"
    assert words.waits_title(apart.assign(median_days=float("nan")), "Training").startswith("Too few accounts")
    chart = words.waits(apart, 12.0)
    assert (list(chart.names), list(chart.high), chart.zero) == (["SMB", "(empty)"], [30.0, 9.0], 12.0)
    assert chart.notes[0] == "5 of 9 accounts completed it, 2 stalled"
    assert words.waits(apart, float("nan")).zero is None


def test_many_groups_differ_by_chance_and_that_is_said() -> None:
    assert words.against_all("the median", 39) == "The line is the median of all; coloured ones differ from it."
    assert words.against_all("the share", 222).endswith("Of 222 about 11 do so by chance alone.")


def eta(state: str, **more: Any) -> pd.Series:
    days = {name: pd.Timestamp(day(after(on))) for name, on in (("low_on", 5), ("predicted_on", 9), ("high_on", 20))}
    given = {"state": state, **days, "complete_on": pd.Timestamp(day(after(1))), "complete_share": 0.84}
    return pd.Series({**given, "histories": 32, "based_on": "SMB", "days_behind": 4, **more})


def test_the_outlook_of_one_account_in_words() -> None:
    assert words.eta_words(eta("predicted")) == (
        "Onboarding is likely to be complete by 10 Jan 2024 (80% interval 6 Jan 2024 to 21 Jan 2024); "
        "84% of 32 accounts in the same place (SMB) ever completed it."
    )
    assert words.eta_words(eta("unlikely to complete", complete_share=0.0)).endswith(
        "0% of 32 accounts in the same place (SMB) ever completed it."
    )
    assert "only 7 accounts" in words.eta_words(eta("not enough histories", histories=7))
    assert words.eta_words(eta("complete")) == "Onboarding was complete on 2 Jan 2024."


def test_the_outlook_of_all_accounts_in_words() -> None:
    rows = [eta("predicted"), eta("predicted", days_behind=-2), eta("unlikely to complete", days_behind=None)]
    frame = pd.DataFrame([*rows, eta("complete", days_behind=None)])
    assert words.eta_title(frame) == "2 of 3 accounts are likely to complete, 1 of them late; 1 unlikely"
    assert words.eta_title(frame[3:]) == "Every account listed has completed onboarding"
    unknown = pd.DataFrame([eta("not enough histories", days_behind=None)])
    assert words.eta_title(pd.concat([frame, unknown])).endswith("late; 1 unlikely, 1 not known")
    assert words.eta_title(unknown).startswith("Too few past accounts stood in the same place")
    assert words.eta_title(frame[:0]) == "No account is in onboarding"
    past = pd.DataFrame({"made_on": [pd.Timestamp("2024-03-31")], "completed": [10], "inside": [8]})
    assert words.eta_note(past, 5).endswith("from 31 Mar 2024 to 31 Mar 2024, 80% fell inside their 80% interval.")
    assert "8 of 10 fell inside" in words.eta_note(past, 11)


def test_an_event_stands_out_only_when_that_is_no_chance() -> None:
    columns = ["event", "returns", "share", "before_share", "stay_known", "stayed_share"]
    clear = pd.DataFrame([("help", 40, 0.4, 0.1, 20, 0.5), ("login", 90, 0.9, 0.95, 60, None)], columns=columns)
    assert words.on_return_title(clear, 5) == "They came back for help more often than they had done it before"
    chance = clear.assign(share=[0.4, 0.9], before_share=[0.3, 0.95])
    assert words.on_return_title(chance, 5) == "What they did on the day they came back"
    many = clear.assign(returns=[40_000, 90_000], share=[0.4, 0.9], before_share=[0.36, 0.95])
    assert words.on_return_title(many, 5) == "What they did on the day they came back", "too little to be worth saying"
    assert words.on_return(clear).series[0].notes == ["40 returns, 50% of 20 stayed", "90 returns"]


def test_one_handoff_in_words() -> None:
    row = pd.Series(
        {
            "salesperson": "sam",
            "paid_on": pd.Timestamp(START),
            "completeness": 3,
            "missing": "Order",
            "minutes": 29.6,
            "rule": "at 70 %",
        }
    )
    assert words.handoff_words(row) == (
        "Handed over by sam on 1 Jan 2024 with 3 of 4 parts (Order); greeted after 30 minutes; "
        "customer success was to join at 70 % of the sale."
    )
    bare = row.copy()
    bare[["salesperson", "missing", "minutes", "rule"]] = "", "", float("nan"), "unknown"
    assert words.handoff_words(bare) == "Handed over by sales on 1 Jan 2024 with 3 of 4 parts."


@pytest.mark.parametrize(
    ("p", "medians", "title"),
    [
        (float("nan"), (70.0, 80.0), "Too little is known yet to tell whether gaps go along with slower onboarding"),
        (0.2, (70.0, 80.0), "Gaps in the hand-off do not go along with slower onboarding here"),
        (
            0.01,
            (70.0, 80.0),
            "Accounts handed over with gaps complete onboarding at another pace: 80 days instead of 70 days",
        ),
        (0.01, (70.0, float("nan")), "Accounts handed over with gaps complete onboarding at another pace"),
    ],
)
def test_the_effect_of_gaps_in_words(p: float, medians: tuple[float, float], title: str) -> None:
    frame = pd.DataFrame({"group": ["complete", "gaps"], "median_days": medians, "log_rank_p": p})
    assert words.effect_title(frame) == title

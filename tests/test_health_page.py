"""The page of health: what it says first, on full, thin and missing data, and which parts run only when asked for."""

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cs_metrics.metrics import run
from cs_metrics.report import health_charts as draw
from cs_metrics.report import health_trial as trial
from cs_metrics.store import Database, Store
from cs_metrics.workspace.entries import NewEntry
from tests.support import account, company, line

PAGE = str(Path(__file__).resolve().parent.parent / "pages" / "health.py")
TABS = {
    "Customers": "Every customer, the lowest score first",
    "At risk": "Accounts at risk, why, and what is under way",
    "Moves": "The same as flows",
    "Does the score work?": "Does it work for each?",
    "Revenue forecast": "ARR is expected at",
    "Busy, and advocates": "use is green, the customer's own result red",
    "What the score is made of": "measures, scales and weights in force",
}


def opened(monkeypatch: pytest.MonkeyPatch, folder: Path, **query: str) -> AppTest:
    monkeypatch.setenv("CS_METRICS_DATA", str(folder))
    page = AppTest.from_file(PAGE, default_timeout=90)
    for key, value in query.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    return "\n".join(one.value for one in [*page.markdown, *page.caption, *page.subheader])


def test_the_first_screen_answers_who_is_healthy_and_whether_to_believe_it(
    monkeypatch: pytest.MonkeyPatch, demo_data: Path, demo_store: Store
) -> None:
    page = opened(monkeypatch, demo_data)
    now = run(demo_store, "health_summary").iloc[0]
    assert page.markdown[0].value.startswith(f"{now.healthy_share:.1%} of ARR is healthy; {now.red} account")
    assert "Back-test of the score over 90 days: " in page.markdown[0].value
    figures = {one.label: one.value for one in page.metric}
    assert list(figures) == [
        "Healthy share of ARR",
        "ARR at risk",
        "Accounts at risk",
        "Moved down in 28 days",
        "Tells losses (AUC)",
    ]
    assert (figures["Accounts at risk"], figures["Moved down in 28 days"]) == (str(now.red), str(now.moved_down))
    assert "Every customer, the lowest score first" in texts(page)
    assert "No use of the product is recorded" not in texts(page)


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_runs_alone(monkeypatch: pytest.MonkeyPatch, demo_data: Path, tab: str) -> None:
    said = texts(opened(monkeypatch, demo_data, tab=tab, by="segment"))
    assert [name for name, words in TABS.items() if words in said] == [tab]


def test_without_product_data_it_says_what_carries_the_score(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = [f"a{number}" for number in range(6)]
    surveys = [{"account_id": one, "kind": "nps", "score": 9, "answered_at": "2024-03-01T09:00:00"} for one in names]
    company(
        tmp_path,
        accounts=[account(one) for one in names],
        subscriptions=[line(one, "2024-01-01", None, 10) for one in names],
        surveys=[*surveys, {"account_id": "a0", "kind": "csat", "score": 5, "answered_at": "2024-06-30T09:00:00"}],
    )
    page = opened(monkeypatch, tmp_path)
    assert page.markdown[0].value.startswith("100.0% of ARR is healthy; 0 accounts worth")
    assert "not enough outcomes (0 of 6 accounts lost, at least 10 are needed)" in page.markdown[0].value.replace(
        "\\", ""
    )
    assert "No use of the product is recorded: satisfaction and tickets carry the score" in texts(page)
    assert "The score stands on 10% of its weights: nothing else is recorded." in texts(page)


def test_few_accounts_are_counted_and_not_shared_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    company(
        tmp_path,
        accounts=[account("a"), account("b")],
        subscriptions=[line("a", "2024-01-01", None, 10), line("b", "2024-01-01", None, 10)],
        surveys=[
            {"account_id": "a", "kind": "nps", "score": 9, "answered_at": "2024-06-30T09:00:00"},
            {"account_id": "b", "kind": "nps", "score": 2, "answered_at": "2024-06-30T09:00:00"},
        ],
    )
    page = opened(monkeypatch, tmp_path)
    assert page.markdown[0].value.startswith("1 of 2 of the accounts is healthy; 1 account worth")
    shown = texts(page).replace("95% interval", "").replace("stands on 10% of its weights", "")
    assert "%" not in shown


def test_without_any_measure_nobody_has_a_score(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    company(tmp_path, accounts=[account()], subscriptions=[line("a", "2024-01-01", None, 10)])
    page = opened(monkeypatch, tmp_path)
    assert page.markdown[0].value == "1 customer, and none has a health score."


def test_a_score_that_nobody_had_is_not_judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    company(tmp_path, accounts=[account()], subscriptions=[line("a", "2024-01-01", None, 10)])
    said = texts(opened(monkeypatch, tmp_path, tab="Does the score work?"))
    assert "The score cannot be judged yet" in said
    assert "Does it work for each?" not in said


def test_a_selection_without_customers_is_an_empty_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    company(
        tmp_path,
        accounts=[account("a", segment="SMB"), account("b", segment="Enterprise")],
        subscriptions=[line("a", "2024-01-01", "2024-02-01", 10), line("b", "2024-01-01", None, 10)],
        messages=[{"account_id": "b", "kind": "check_in", "sent_at": "2024-06-30T09:00:00"}],
    )
    page = opened(monkeypatch, tmp_path, segment="SMB")
    assert page.markdown[0].value == "0 customers, and none has a health score."
    assert "No customer." in texts(page)


def test_without_subscriptions_it_names_the_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    company(tmp_path, accounts=[account()])
    assert "needs the table `subscriptions`" in texts(opened(monkeypatch, tmp_path))


def distribution(**accounts: tuple[int, int]) -> pd.DataFrame:
    """Rows of `health_distribution`: groups with so many green and red accounts, each with ARR 10."""
    rows = [
        {"group": group, "colour": colour, "accounts": count, "arr": 10.0 * count}
        for group, (green, red) in accounts.items()
        for colour, count in (("red", red), ("yellow", 0), ("green", green), ("none", 0))
    ]
    found = pd.DataFrame(rows)
    whole = found.groupby("group")[["accounts", "arr"]].transform("sum")
    return found.assign(account_share=found["accounts"] / whole["accounts"], arr_share=found["arr"] / whole["arr"])


def test_the_mix_leaves_groups_without_enough_accounts_out_and_names_them() -> None:
    rows = distribution(big=(6, 2), small=(1, 2))
    chart = draw.mix(rows, "USD", 5)
    assert list(chart.x) == ["big, accounts", "big, ARR"]
    assert [(one.name, list(one.y)) for one in chart.series] == [
        ("● Healthy", [0.75, 0.75]),
        ("■ At risk", [0.25, 0.25]),
    ]
    assert draw.mix_note(rows, 5) == "Fewer than 5 accounts, so without a share: small (3)."


def test_a_mix_of_few_is_counted() -> None:
    chart = draw.mix(distribution(total=(1, 2)), "USD", 5)
    assert (list(chart.x), chart.is_share, chart.unit) == (["accounts"], False, "count")
    assert [list(one.y) for one in chart.series] == [[1.0], [2.0]]


def test_a_trial_draws_no_rate_over_few_accounts() -> None:
    rows = pd.DataFrame(
        {
            "colour": ["red", "yellow", "green", "none"],
            "accounts": [10, 4, 50, 0],
            "lost": [5, 1, 1, 0],
            "loss_rate": [0.5, 0.25, 0.02, None],
            "low": [0.24, 0.05, 0.0, None],
            "high": [0.76, 0.7, 0.1, None],
            "base_rate": [7 / 64] * 4,
        }
    )
    chart = trial.by_colour(rows, 5)
    assert list(chart.x) == ["■ At risk", "▲ Watch", "● Healthy"]
    assert [list(one.y) for one in chart.series] == [[0.5, None, None], [None, None, None], [None, None, 0.02]]
    assert chart.series[0].notes[0] == "5 of 10 accounts lost, 95% interval 24.0% to 76.0%"
    assert chart.marks[0].y == 7 / 64
    assert trial.base_words(rows) == "; dashed: 10.9% of all accounts"
    assert trial.colour_title(rows, 5) == "50.0% of the red accounts and 2.0% of the green accounts were lost"


def moves() -> pd.DataFrame:
    rows = [("green", "red", 3, 30.0, "down"), ("red", "left", 1, 5.0, "left"), ("green", "green", 2, 8.0, "same")]
    frame = pd.DataFrame(rows, columns=["from_colour", "to_colour", "accounts", "arr", "direction"])
    return frame.assign(group=["SMB", "SMB", "Mid"])


def test_matrix_and_flows_show_the_same_by_count_and_by_arr() -> None:
    for of, total in (("accounts", 6), ("arr", 43.0)):
        flows, table = draw.migration(moves(), "USD", of), draw.matrix(moves(), "USD", of)
        assert sum(one.value for one in flows.flows) == total
        assert sum(value or 0 for line in table.cells for value in line) == total
    assert list(table.rows) == ["● Healthy", "■ At risk"]
    assert draw.migration_title(moves(), "USD", "arr") == "$30 moved down, $0 up, $5 left"
    assert draw.moved(moves())[["group", "down", "left", "same", "down_arr"]].values.tolist() == [
        ["SMB", 3, 1, 0, 30.0],
        ["Mid", 0, 0, 2, 0.0],
    ]


def test_the_drivers_stand_between_the_two_scores() -> None:
    rows = pd.DataFrame(
        {
            "from_week_end": pd.to_datetime(["2024-06-02"] * 2),
            "to_week_end": pd.to_datetime(["2024-06-30"] * 2),
            "score_before": [60.0, 60.0],
            "score_after": [50.0, 50.0],
            "driver": ["nps", "active_days"],
            "points": [-12.0, 2.0],
            "before": ["9", "3 days"],
            "after": ["4", "5 days"],
        }
    )
    steps = draw.drivers(rows).steps
    assert [(one.label, one.value, one.is_total) for one in steps] == [
        ("2 Jun 2024", 60.0, True),
        ("NPS", -12.0, False),
        ("Active days", 2.0, False),
        ("30 Jun 2024", 50.0, True),
    ]


def test_people_write_on_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = [f"a{number}" for number in range(6)]
    surveys = [{"account_id": one, "kind": "nps", "score": 2, "answered_at": "2024-03-01T09:00:00"} for one in names]
    company(
        tmp_path,
        accounts=[account(one) for one in names],
        subscriptions=[line(one, "2024-01-01", None, 10) for one in names],
        surveys=surveys,
        messages=[{"account_id": "a0", "kind": "check_in", "sent_at": "2024-06-30T09:00:00"}],
    )
    page = opened(monkeypatch, tmp_path, tab="At risk", risk="a1")
    assert "Computed: **■ At risk** 20" in texts(page).replace("\\", "")
    page.button(key="override_risk").click().run()
    assert not page.exception
    assert [one.label for one in page.text_area] == ["Why the score is wrong"]
    database = Database.open(tmp_path)
    said = [
        NewEntry("health", "a1", "override", note="They only need time", body={"colour": "green"}),
        NewEntry("risk", "a1", "cause", body={"cause": "wrong_fit"}),
        NewEntry(
            "risk", "a1", "action", subject="x", body={"what": "Call them", "owner": "Bob", "due_on": "2024-07-02"}
        ),
    ]
    database.workspace.write(said, author="Ann", effective_on="2024-06-30")
    told = texts(opened(monkeypatch, tmp_path, tab="At risk", risk="a1")).replace("\\", "")
    assert "Said: **● Healthy**: They only need time" in told
    assert "**High: wrong-fit customer (Ann)**" in told
    assert "**Call them**" in told
    assert "What people do about them" in told
    assert "Of 1 account a person says another health; counted is the score." in told
    past = texts(opened(monkeypatch, tmp_path, tab="At risk", risk="a1", as_of="2024-06-29"))
    assert "This is a look at the past" in past
    assert "Call them" not in past

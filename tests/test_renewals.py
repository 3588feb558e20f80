"""The renewal pipeline: which contracts are in it, their plan, priority and reasons, and the sums over it."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_metrics.config import PlanStep, load_config
from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import METRICS, Scope, run
from cs_metrics.metrics.renewal_plan import with_priority, with_priority_words
from cs_metrics.store import Store
from tests.renewal_company import Row, contract, history, lost, renewed, sellers
from tests.support import account, company, day, line, records

AS_OF = "2024-03-15"


def pipeline(store: Store, as_of: str = AS_OF, **options: Any) -> pd.DataFrame:
    return run(store, "renewal_pipeline", as_of=day(as_of), options=options).set_index("contract_id")


# Which contracts


def test_undecided_contracts_of_the_window_and_overdue_ones_are_listed(tmp_path: Path) -> None:
    store = sellers(
        tmp_path,
        [
            contract("ends today", "2024-03-15"),
            contract("in the window", "2024-06-13"),
            contract("beyond the window", "2024-06-14"),
            contract("overdue", "2023-09-01"),
            contract("starts later", "2024-05-01", starts_on="2024-03-16"),
            renewed("decided", "2024-05-01", "2024-03-15"),
            renewed("decided later", "2024-05-01", "2024-03-16"),
            contract("renews by itself", "2024-05-01", auto_renews=True),
        ],
    )
    assert pipeline(store)["days_left"].to_dict() == {
        "ends today": 0,
        "in the window": 90,
        "overdue": -196,
        "decided later": 47,
        "renews by itself": 47,
    }
    assert "beyond the window" in pipeline(store, days=91).index
    assert set(pipeline(store, days="30").index) == {"ends today", "overdue"}


def test_a_contract_with_a_later_one_is_superseded_once_its_end_is_long_ago(tmp_path: Path) -> None:
    store = sellers(
        tmp_path,
        [
            contract("old", "2024-01-01", account_id="a"),
            contract("next", "2025-01-01", starts_on="2024-01-01", account_id="a"),
            contract("alone", "2024-01-01", account_id="b"),
            contract("beside", "2024-01-01", account_id="c"),
            contract("other product", "2025-01-01", starts_on="2023-06-01", account_id="c"),
        ],
    )
    assert set(pipeline(store, "2024-03-01").index) == {"old", "alone", "beside"}
    assert set(pipeline(store, "2024-03-02").index) == {"alone", "beside"}


def test_a_late_renewal_stays_in_the_list_until_it_is_decided(tmp_path: Path) -> None:
    """Its follow-up starts, on paper, on the day the old contract ended: to drop it then would be to see the decision."""
    store = sellers(
        tmp_path,
        [
            renewed("old", "2024-01-01", "2024-01-20", account_id="a"),
            contract("next", "2025-01-01", starts_on="2024-01-01", account_id="a"),
        ],
    )
    assert set(pipeline(store, "2024-01-19").index) == {"old"}
    assert set(pipeline(store, "2024-01-20").index) == set()


def test_without_contracts_the_question_says_which_table_is_missing(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account()], subscriptions=[line("a", "2024-01-01", None, 10)])
    for name in ("renewal_pipeline", "renewals_summary", "renewals_by_week", "renewals_by_step", "renewal_rates"):
        with pytest.raises(MissingTable, match="contracts"):
            METRICS[name].call(store, as_of=day(AS_OF))


def test_before_the_first_contract_everything_is_empty(tmp_path: Path) -> None:
    store = sellers(tmp_path, [contract("a", "2024-06-01")])
    early = day("2022-12-31")
    assert run(store, "renewal_pipeline", as_of=early).empty
    assert run(store, "renewal_rates", as_of=early).empty
    assert run(store, "renewals_by_week", as_of=early)["due_arr"].tolist() == [0.0] * 15
    assert run(store, "renewals_by_step", as_of=early)["contracts"].sum() == 0
    assert records(run(store, "renewal_base_rates", as_of=early), "segment", "decisions", "rate")[0] == ("all", 0, None)
    assert records(run(store, "renewals_summary", as_of=early), "contracts", "due_arr", "expected_arr") == [
        (0, 0.0, 0.0)
    ]


def test_an_impossible_window_is_refused(tmp_path: Path) -> None:
    store = sellers(tmp_path, [contract("a", "2024-06-01")])
    with pytest.raises(MetricError, match="days=-1"):
        pipeline(store, days=-1)


# Amounts


def test_the_owners_call_wins_over_the_likelihood(tmp_path: Path) -> None:
    past = [renewed(f"p{at}", "2023-06-30", "2023-06-20") for at in range(19)] + [lost("x", "2023-06-30", "2023-06-20")]
    store = sellers(
        tmp_path,
        [*past, contract("called", "2024-05-01", forecast="at_risk"), contract("not called", "2024-05-01")],
    )
    found = pipeline(store)
    assert records(found, "category", "category_by") == [("at_risk", "owner"), ("commit", "likelihood")]


@pytest.mark.parametrize(("kept", "category"), [(30, "commit"), (12, "best_case"), (4, "at_risk")])
def test_the_likelihood_chooses_the_category(tmp_path: Path, kept: int, category: str) -> None:
    past = [renewed(f"k{at}", "2023-06-30", "2023-06-20") for at in range(kept)]
    past += [lost(f"l{at}", "2023-06-30", "2023-06-20") for at in range(4)]
    found = pipeline(sellers(tmp_path, [*past, contract("open", "2024-05-01")]))
    assert found.loc["open", "likelihood"] == pytest.approx((kept + 0.5) / (kept + 5), abs=0.01)
    assert found.loc["open", "category"] == category


def test_without_any_decision_the_likelihood_is_unknown(tmp_path: Path) -> None:
    store = sellers(tmp_path, [contract("a", "2024-05-01"), contract("b", "2024-05-01", forecast="commit")])
    found = pipeline(store).sort_index()
    assert records(found, "likelihood", "expected_arr", "category", "basis") == [
        (None, None, "unknown", "no decision is known yet"),
        (None, None, "commit", "no decision is known yet"),
    ]
    summary = run(store, "renewals_summary", as_of=day(AS_OF))
    assert records(summary, "due_arr", "expected_arr", "commit_arr", "unknown_arr") == [(2000.0, None, 1000.0, 1000.0)]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Store:
    past, surveys, segments = history({("SMB", "green"): (30, 2), ("SMB", "red"): (8, 12), ("Mid", "green"): (10, 0)})
    rows: list[Row] = []
    for at in range(24):
        name = f"open {at}"
        segments[name] = "Mid" if at % 3 else "SMB"
        ends = f"2024-{3 + at % 4:02}-{5 + at:02}"
        rows.append(contract(name, ends, arr=1000 * (at + 1), forecast=[None, "commit", "at_risk"][at % 3]))
    rows.append(renewed("early kept", "2024-05-01", "2024-03-01", arr=700))
    rows.append(lost("early lost", "2024-05-01", "2024-03-01", arr=300))
    meetings = [{"account_id": "open 1", "kind": "qbr", "scheduled_on": "2024-03-01", "was_held": True}]
    return sellers(
        tmp_path_factory.mktemp("book"), [*past, *rows], segments=segments, surveys=surveys, meetings=meetings
    )


def test_the_sums_add_up(book: Store) -> None:
    rows = pipeline(book)
    due, overdue = rows[rows["days_left"] >= 0], rows[rows["days_left"] < 0]
    found = run(book, "renewals_summary", as_of=day(AS_OF)).iloc[0]
    assert len(overdue) > 0
    assert (found["contracts"], found["overdue"]) == (len(due), len(overdue))
    assert found["expected_arr"] == pytest.approx((due["likelihood"] * due["arr"]).sum())
    assert found["overdue_expected_arr"] == pytest.approx((overdue["likelihood"] * overdue["arr"]).sum())
    categories = found[["commit_arr", "best_case_arr", "at_risk_arr", "unknown_arr"]].sum()
    assert found["due_arr"] == categories == due["arr"].sum()
    assert found["expected_share"] == pytest.approx(found["expected_arr"] / found["due_arr"])
    early = ("early_renewed", "early_renewed_arr", "early_lost", "early_lost_arr")
    assert [found[one] for one in early] == [1, 700.0, 1, 300.0]


@pytest.mark.parametrize("days", [30, 90])
def test_weeks_and_steps_hold_the_whole_pipeline(book: Store, days: int) -> None:
    rows = pipeline(book, days=days)
    for name in ("renewals_by_week", "renewals_by_step"):
        found = run(book, name, as_of=day(AS_OF), options={"days": days})
        assert found["contracts"].sum() == len(rows)
        assert found["due_arr"].sum() == rows["arr"].sum()
        assert found["expected_arr"].sum() == pytest.approx(rows["expected_arr"].sum())
    weeks = run(book, "renewals_by_week", as_of=day(AS_OF), options={"days": days})
    assert weeks["week"].isna().tolist() == [True] + [False] * (len(weeks) - 1)
    assert weeks["due_arr"].iloc[0] == rows.loc[rows["days_left"] < 0, "arr"].sum()
    assert weeks["week"].iloc[1:].diff().dropna().dt.days.eq(7).all()
    first = rows[(rows["ends_on"] >= AS_OF) & (rows["ends_on"] < "2024-03-18")]
    assert records(weeks, "week", "due_arr")[1] == ("2024-03-11", first["arr"].sum())


def test_due_and_undecided_is_what_the_renewal_rates_say(book: Store) -> None:
    rates = run(book, "renewal_rates", as_of=day(AS_OF)).set_index("period")
    rows = pipeline(book, days=16)
    assert rates.loc["2024-01-01", "undecided_arr"] == rows["arr"].sum()
    assert rates.loc["2024-01-01", "undecided"] == len(rows)


def test_the_scope_narrows_the_list_and_leaves_likelihood_and_priority(book: Store) -> None:
    whole = pipeline(book)
    part = run(book, "renewal_pipeline", as_of=day(AS_OF), scope=Scope.of(segment="Mid")).set_index("contract_id")
    assert 0 < len(part) < len(whole)
    pd.testing.assert_frame_equal(part, whole[whole["segment"] == "Mid"])


def test_later_facts_change_nothing(book: Store, tmp_path: Path) -> None:
    past, surveys, segments = history({("SMB", "green"): (30, 2), ("SMB", "red"): (8, 12), ("Mid", "green"): (10, 0)})
    base = [contract("open", "2024-05-01", arr=500), contract("overdue", "2024-03-01", arr=400)]
    decided = [
        {**base[0], "outcome": "churned", "decided_on": "2024-03-16", "reason": "Price"},
        {
            **base[1],
            "outcome": "renewed",
            "decided_on": "2024-03-20",
            "renewed_arr": 999,
            "renewed_until": "2025-03-01",
        },
        contract("later", "2024-05-02", starts_on="2024-03-16", account_id="open"),
    ]
    after = {
        "surveys": [{"account_id": "open", "kind": "nps", "score": 0, "answered_at": "2024-03-16T08:00:00"}],
        "tickets": [{"ticket_id": "t", "account_id": "open", "opened_at": "2024-03-16T08:00:00", "priority": "urgent"}],
        "contacts": [{"contact_id": "c", "account_id": "open", "role": "sponsor", "left_on": "2024-03-16"}],
        "meetings": [{"account_id": "open", "kind": "qbr", "scheduled_on": "2024-03-16", "was_held": True}],
        "messages": [{"account_id": "open", "sent_at": "2024-03-16T08:00:00", "kind": "value_report"}],
        "commitments": [{"account_id": "open", "made_on": "2024-03-16", "promise": "p", "due_on": "2024-03-17"}],
    }
    # A row of each table on an early day, so that the tables count as loaded on both sides.
    early = {
        "tickets": [{"ticket_id": "0", "account_id": "open", "opened_at": "2023-03-01T08:00:00", "closed_at": "2023-03-02T08:00:00"}],
        "contacts": [{"contact_id": "0", "account_id": "open", "role": "sponsor", "since": "2023-03-01"}],
        "meetings": [{"account_id": "open", "kind": "qbr", "scheduled_on": "2023-06-01", "was_held": True}],
        "messages": [{"account_id": "open", "sent_at": "2023-03-01T08:00:00", "kind": "welcome"}],
        "commitments": [{"account_id": "open", "made_on": "2023-03-01", "promise": "q", "due_on": "2023-03-02", "kept_on": "2023-03-02"}],
    }  # fmt: skip
    known = sellers(tmp_path / "known", [*past, *base], segments=segments, surveys=surveys, **early)
    both = {name: [*rows, *after[name]] for name, rows in early.items()}
    later = sellers(
        tmp_path / "later", [*past, *decided], segments=segments, surveys=[*surveys, *after["surveys"]], **both
    )
    for name in ("renewal_pipeline", "renewals_summary", "renewals_by_week", "renewals_by_step", "renewal_rates"):
        first, second = (run(one, name, as_of=day(AS_OF)) for one in (known, later))
        pd.testing.assert_frame_equal(first, second)
    assert run(later, "renewal_pipeline", as_of=day("2024-03-20"))["contract_id"].tolist() == ["later"]


# The plan


PLAN = [contract("a", "2024-06-13", account_id="a")]


@pytest.mark.parametrize(
    ("as_of", "step", "overdue", "next_step", "next_on"),
    [
        ("2024-03-14", "Before the plan", "", "Intake and self-check", "2024-03-15"),
        ("2024-03-15", "Intake and self-check", "", "Intake and self-check", "2024-03-15"),
        ("2024-03-16", "Intake and self-check", "Intake and self-check", "Intake and self-check", "2024-03-15"),
        ("2024-03-30", "Value report", "Intake and self-check", "Intake and self-check", "2024-03-15"),
        ("2024-03-31", "Value report", "Intake and self-check; Value report", "Intake and self-check", "2024-03-15"),
        ("2024-06-14", "Signature", "Intake and self-check; Value report; Decision-maker meeting; Signature", "Signature", "2024-06-13"),
    ],
)  # fmt: skip
def test_steps_fall_due_by_the_calendar(
    plain: Store, as_of: str, step: str, overdue: str, next_step: str, next_on: str
) -> None:
    found = pipeline(plain, as_of, days=120)
    count = len(overdue.split("; ")) if overdue else 0
    columns = ("plan_step", "overdue_steps", "overdue_names", "next_step", "next_step_on")
    assert records(found, *columns) == [(step, count, overdue, next_step, next_on)]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Store:
    other = [{"account_id": "a", "sent_at": "2023-01-02T09:00:00", "kind": "welcome"}]
    meetings = [{"account_id": "a", "kind": "qbr", "scheduled_on": "2023-01-02", "was_held": True}]
    return sellers(tmp_path_factory.mktemp("plain"), PLAN, messages=other, meetings=meetings)


def test_messages_and_held_meetings_show_steps_as_done(tmp_path: Path) -> None:
    store = sellers(
        tmp_path,
        PLAN,
        messages=[
            {"account_id": "a", "sent_at": "2024-03-10T09:00:00", "kind": "renewal"},
            {"account_id": "a", "sent_at": "2024-04-20T09:00:00", "kind": "value_report"},
        ],
        meetings=[
            {"account_id": "a", "kind": "qbr", "scheduled_on": "2024-04-10", "was_held": False},
            {"account_id": "a", "kind": "executive", "scheduled_on": "2024-05-02", "was_held": True},
            {"account_id": "a", "kind": "ebr", "scheduled_on": "2024-02-13", "was_held": True},
        ],
    )
    columns = ("plan_step", "overdue_names", "next_step", "next_step_on")
    assert records(pipeline(store, "2024-04-19"), *columns) == [
        ("Decision-maker meeting", "Value report; Decision-maker meeting", "Value report", "2024-03-30")
    ]
    assert records(pipeline(store, "2024-05-01"), *columns) == [
        ("Proposal", "Decision-maker meeting", "Decision-maker meeting", "2024-04-14")
    ]
    assert records(pipeline(store, "2024-05-02"), *columns) == [("Proposal", "", "Negotiation", "2024-05-14")]


def test_without_messages_and_meetings_nobody_can_say_what_is_overdue(tmp_path: Path) -> None:
    store = sellers(tmp_path, PLAN)
    assert records(pipeline(store, "2024-05-01"), "overdue_steps", "overdue_names") == [(None, "")]
    assert run(store, "renewals_summary", as_of=day("2024-05-01"))["unchecked"].tolist() == [True]
    assert run(store, "renewals_by_step", as_of=day("2024-05-01"))["overdue_steps"].isna().sum() == 1


def test_the_plan_must_run_towards_the_end() -> None:
    settings = load_config(Path("nowhere")).renewals
    steps = (PlanStep(days=10, name="b"), PlanStep(days=20, name="a"))
    with pytest.raises(ValueError, match="plan_steps must run"):
        type(settings).model_validate({**settings.model_dump(), "plan_steps": steps})


# Priority


def prioritised(*rows: tuple[float, float, int]) -> pd.DataFrame:
    contracts = pd.DataFrame(rows, columns=["arr", "likelihood", "days_left"])
    settings = load_config(Path("nowhere")).renewals
    return with_priority_words(with_priority(contracts, settings), settings, "USD")


def test_priority_is_stake_among_open_contracts_and_time() -> None:
    found = prioritised((1000, 0.9, 45), (1000, 0.5, 90), (4000, 0.9, -3), (100, 0.5, 200))
    assert found["at_stake"].tolist() == pytest.approx([100, 500, 400, 50])
    assert found["priority"].tolist() == pytest.approx([70 * 0.5 + 15, 70, 70 * 0.75 + 30, 70 * 0.25], abs=0.05)
    assert found["priority_why"].iloc[2] == (
        "52 of 70 for USD 400 at stake, as much as or more than 75% of open contracts; 30 of 30 for time, 3 days past the end"
    )


def test_priority_grows_with_arr_risk_and_time() -> None:
    arr, risk, time = (
        prioritised((1000, 0.8, 60), (2000, 0.8, 60)),
        prioritised((1000, 0.8, 60), (1000, 0.6, 60)),
        prioritised((1000, 0.8, 60), (1000, 0.8, 20)),
    )
    assert all(one["priority"].iloc[1] > one["priority"].iloc[0] for one in (arr, risk, time))


def test_without_a_likelihood_the_whole_amount_is_at_stake() -> None:
    assert prioritised((1000, float("nan"), 10))["at_stake"].tolist() == [1000]


# Reasons


def reasons(store: Store, as_of: str = AS_OF) -> tuple[list[str], list[str]]:
    row = pipeline(store, as_of).loc["a"]
    return [one for one in row["reasons_for"].split("; ") if one], [
        one for one in row["reasons_against"].split("; ") if one
    ]


def test_reasons_say_what_is_known_of_the_account(tmp_path: Path) -> None:
    store = sellers(
        tmp_path,
        [contract("a", "2024-05-01", auto_renews=True)],
        contacts=[
            {"contact_id": "1", "account_id": "a", "role": "decision_maker", "left_on": "2024-03-03"},
            {"contact_id": "2", "account_id": "a", "role": "champion", "left_on": "2022-03-03"},
        ],
        tickets=[
            {"ticket_id": "1", "account_id": "a", "opened_at": "2024-03-10T08:00:00", "priority": "urgent"},
            {"ticket_id": "2", "account_id": "a", "opened_at": "2024-01-10T08:00:00", "closed_at": "2024-03-16T08:00:00"},
        ],
        commitments=[{"account_id": "a", "made_on": "2024-01-01", "promise": "Export", "due_on": "2024-02-01"}],
        meetings=[{"account_id": "a", "kind": "qbr", "scheduled_on": "2024-02-20", "was_held": True}],
        events=[{"account_id": "a", "event": "order", "occurred_at": f"2024-0{month}-01T0{at % 9}:10:00"} for month, times in ((2, 20), (3, 12)) for at in range(times)],
    )  # fmt: skip
    assert reasons(store) == (
        ["business review held on 20 Feb 2024", "renews by itself unless cancelled"],
        [
            "decision maker left on 3 Mar 2024",
            "health went from green to red",
            "use down 40% in 28 days",
            "urgent ticket open since 10 Mar 2024",
        ],
    )
    assert pipeline(store)["open_problems"].tolist() == [3]


def test_the_group_speaks_for_or_against_with_its_support(tmp_path: Path) -> None:
    past, surveys, segments = history({("SMB", "green"): (30, 2), ("SMB", "red"): (8, 12), ("Mid", "green"): (10, 0)})
    rows = [contract("a", "2024-03-31"), contract("b", "2024-03-31")]
    for name, score in (("a", 10), ("b", 0)):
        for month in ("2023-04", "2023-08", "2023-12"):
            surveys.append({"account_id": name, "kind": "nps", "score": score, "answered_at": f"{month}-01T08:00:00"})
    store = sellers(tmp_path, [*past, *rows], segments=segments, surveys=surveys)
    found = pipeline(store)
    assert found.loc["a", "reasons_for"].startswith("green health 90 days before the end, SMB: 30 of 32 renewed")
    assert found.loc["b", "reasons_against"].startswith("red health 90 days before the end, SMB: 8 of 20 renewed")
    overdue = pipeline(store, "2024-04-10").loc["a", "reasons_against"]
    assert overdue.startswith("undecided 10 days past its end: 0 of 1 such were renewed")


def test_no_fact_is_no_reason(tmp_path: Path) -> None:
    store = sellers(tmp_path, [contract("a", "2024-05-01")])
    assert reasons(store) == ([], [])
    assert pipeline(store)["open_problems"].isna().all()

"""Several key actions: chosen by name, or the own one of a segment; what the settings may not say; who follows them."""

from pathlib import Path
from typing import Any

import pytest

from cs_metrics.config import SHIPPED, load_config
from cs_metrics.errors import ConfigError, MetricError
from cs_metrics.metrics import run
from cs_metrics.metrics.actions import key_action
from cs_metrics.store import Store
from tests.activation_naive import use
from tests.support import account, company, day, line, records

MONDAY = "2024-01-01"
REPORT = """
[[activation.key_actions]]
name = "Report"
events = ["report_exported", "report_sent"]
times = 2
segments = ["Enterprise"]
"""
INVITE = """
[[activation.key_actions]]
name = "Invite"
events = ["user_invited"]
"""


def settings(folder: Path, *entries: str) -> Path:
    folder.mkdir(exist_ok=True)
    text = SHIPPED.read_text(encoding="utf-8")
    (folder / "config.toml").write_text(text + "".join(entries), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two small accounts that order and two large ones that report, one of each twice in its first week."""
    return company(
        settings(tmp_path_factory.mktemp("actions"), REPORT, INVITE),
        accounts=[
            account("a", MONDAY, segment="SMB"),
            account("b", MONDAY),
            account("c", MONDAY, segment="Enterprise"),
            account("d", MONDAY, segment="Enterprise"),
        ],
        subscriptions=[line(name, MONDAY, None, 10) for name in "abcd"],
        events=[
            use("a", "2024-01-02"),
            use("a", "2024-01-03", "report_sent"),
            use("b", "2024-01-12", user_id="u"),
            use("b", "2024-01-02", "report_exported"),
            use("b", "2024-01-02", "report_exported"),
            use("c", "2024-01-05", "report_sent", "v"),
            use("c", "2024-01-06", "report_exported", "v"),
            use("c", "2024-01-09"),
            use("d", "2024-01-04", "report_sent"),
            use("d", "2024-01-10", "user_invited"),
        ],
    )


def active(store: Store, as_of: str = "2024-01-14", **options: Any) -> dict[str, list[int]]:
    """Active accounts by segment, in weeks 0 and 1."""
    asked = {"cohort": "segment", "min_accounts": 1, **options}
    rows = records(run(store, "activation", as_of=day(as_of), options=asked), "cohort", "active")
    return {name: [count for cohort, count in rows if cohort == name] for name in ("", "SMB", "Enterprise")}


def test_each_account_counts_by_the_key_action_of_its_segment(store: Store) -> None:
    assert active(store) == {"": [0, 1], "SMB": [1, 0], "Enterprise": [1, 0]}
    assert active(store, times=1) == {"": [0, 1], "SMB": [1, 0], "Enterprise": [2, 0]}
    assert active(store, clock="calendar", every="week") == active(store)


def test_a_key_action_is_chosen_by_its_name_and_then_counts_for_all(store: Store) -> None:
    assert active(store, key_action="Report") == {"": [1, 0], "SMB": [0, 0], "Enterprise": [1, 0]}
    assert active(store, key_action="Invite") == {"": [0, 0], "SMB": [0, 0], "Enterprise": [0, 1]}
    assert active(store, event="order_created") == {"": [0, 1], "SMB": [1, 0], "Enterprise": [0, 1]}


def test_users_count_by_the_key_action_of_their_account(store: Store) -> None:
    assert active(store, "2024-01-18", unit="user") == {"": [1, None], "SMB": [], "Enterprise": [1, 0]}
    by_name = active(store, "2024-01-18", unit="user", key_action="Report")
    assert by_name == {"": [0, None], "SMB": [], "Enterprise": [1, 0]}


def test_the_accounts_of_a_cell_follow(store: Store) -> None:
    options = {"cohort": "segment", "in_cohort": "Enterprise", "in_period": 0}
    found = run(store, "activation_accounts", as_of=day("2024-01-14"), options=options)
    assert records(found, "account_id", "is_active", "times") == [("d", False, 1), ("c", True, 2)]


def test_the_time_to_first_value_follows(store: Store) -> None:
    def median(**options: str) -> tuple[Any, ...]:
        found = run(store, "time_to_value", as_of=day("2024-01-14"), options=options)
        return records(found, "reached", "median_days")[0]

    assert median() == (4, 3.0)  # on days 1, 11, 4 and 3
    assert median(key_action="Report") == (4, 2.0)  # on days 2, 1, 4 and 3
    assert median(key_action="Invite") == (1, None)
    first = run(store, "survival", as_of=day("2024-01-14"), options={"from_table": "events"})
    assert list(first["time_days"]) == [0, 1, 3, 4, 11]


def test_the_ninety_ten_test_follows_where_no_milestones_are_loaded(store: Store) -> None:
    found = run(store, "ninety_ten", as_of=day("2024-06-01"))
    assert records(found, "group", "accounts") == [("completed", 4), ("not_completed", 0)]


def test_the_words_say_what_counts_for_whom(store: Store) -> None:
    found = key_action(store, day("2024-01-14"))
    assert found.name == "their key action"
    assert (
        found.says == "Report (Enterprise): report_exported or report_sent, 2 times; others: order_created"
        and not found.note
    )
    assert key_action(store, day("2024-01-14"), "Invite").name == "Invite"
    assert key_action(store, day("2024-01-14"), "Invite").says == "user_invited"


def test_where_an_action_has_not_occurred_any_event_stands_in_for_it(store: Store) -> None:
    early = key_action(store, day("2024-01-03"), "Invite")
    assert early.events == ()
    assert "Any event counts" in early.note and "user_invited" in early.note
    segment = key_action(store, day("2024-01-01"))
    assert segment.own[0].events == ()
    assert "Any event counts for Enterprise, because Report" in segment.note
    assert "order_created" in segment.note


def test_a_segment_that_no_account_has_is_told_with_the_nearest(tmp_path: Path) -> None:
    store = company(
        settings(tmp_path, REPORT.replace('["Enterprise"]', '["Enterprize"]')),
        accounts=[account("a", MONDAY, segment="Enterprise")],
        events=[use("a", "2024-01-02"), use("a", "2024-01-02", "report_sent")],
    )
    found = run(store, "activation", as_of=day("2024-01-14"))
    assert "no account has the segment 'Enterprize'. Did you mean 'Enterprise'?" in found.attrs["note"]


def test_an_unknown_name_is_refused_with_the_nearest(store: Store) -> None:
    with pytest.raises(MetricError, match=r"no key action 'Reports' .* Did you mean 'Report'"):
        run(store, "time_to_value", as_of=day("2024-01-14"), options={"key_action": "Reports"})
    with pytest.raises(MetricError, match="either event or key_action"):
        run(store, "plateau", as_of=day("2024-01-14"), options={"key_action": "Report", "event": "*"})


def test_an_attribute_named_like_a_column_of_the_events_does_no_harm(tmp_path: Path) -> None:
    """Own key actions join the accounts: only the id and the segment of an account may meet the events."""
    sql = key_action(
        company(settings(tmp_path, REPORT), accounts=[account()], events=[use("a", MONDAY)]), day(MONDAY)
    ).uses()
    assert "(select account_id, segment from accounts) as accounts" in sql


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([REPORT, REPORT], "have the same name"),
        ([REPORT, REPORT.replace('"Report"', '"REPORT"')], "have the same name"),
        ([REPORT, REPORT.replace('"Report"', '"Other"')], "segment 'Enterprise' has two key actions: Report and Other"),
        ([REPORT.replace('"report_sent"', '"*"')], "'\\*' is no event"),
        ([INVITE.replace('["user_invited"]', "[]")], "activation.key_actions.0.events"),
        ([INVITE.replace('"Invite"', '""')], "activation.key_actions.0.name"),
        ([REPORT.replace("times = 2", "times = 0")], "activation.key_actions.0.times"),
        ([REPORT.replace("segments", "segmets")], "Did you mean 'segments'"),
        ([REPORT.replace("times = 2", "every_days = 14")], "unknown entry"),
    ],
)
def test_what_the_settings_may_not_say(tmp_path: Path, entries: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(settings(tmp_path, *entries))


def test_one_action_may_be_that_of_several_segments(tmp_path: Path) -> None:
    both = REPORT.replace('["Enterprise"]', '["Enterprise", "Mid-market"]')
    assert load_config(settings(tmp_path, both)).activation.key_actions[0].segments == ("Enterprise", "Mid-market")
    assert load_config(settings(tmp_path)).activation.key_actions == ()

"""The parts of the shell: figures, tables, texts, the answers that viewers share, the guard of the server."""

import asyncio
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_metrics.metrics import EVERYTHING, METRICS
from cs_metrics.ui import definitions, explain, figures, results, server, tables, words
from cs_metrics.ui.tables import Col
from tests.support import account, company, line


def made(now: float | None, unit: str, **more: Any) -> tuple[str, str, str]:
    figure = figures.made("x", now, unit, currency="USD", minimum=5, **more)
    return figure.value, figure.change.text if figure.change else "", figure.note


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (made(1000, "money", before=800), ("$1k", "+25.0%", "")),
        (made(0.5, "percent", before=0.6, part=3, whole=6), ("50.0%", "-10.0 pp", "")),
        (made(0.5, "percent", part=3, whole=6, noun="customer"), ("50.0%", "", "3 of 6 customers")),
        (made(0.5, "percent", part=2, whole=4), ("2 of 4", "", "4 accounts: too few for a rate")),
        (made(0.5, "percent", whole=4), ("–", "", "4 accounts: too few for a rate")),
        (made(None, "money"), ("–", "", "not yet known")),
        (made(float("nan"), "count", reason="no events were loaded"), ("–", "", "no events were loaded")),
        (made(12, "count", before=10), ("12", "+2", "")),
        (made(12, "days", before=14), ("12 days", "-2.0 days", "")),
    ],
)
def test_figures_follow_the_rules_of_rates_and_unknowns(found: tuple[str, ...], shown: tuple[str, ...]) -> None:
    assert found == shown


def test_an_unknown_figure_shows_no_course() -> None:
    assert figures.made("x", None, "money", currency="USD", minimum=5, spark=[1.0, 2.0]).spark == ()


def test_tables_show_each_kind_its_own_way() -> None:
    frame = pd.DataFrame(
        {"health": ["red", None], "rate": [0.5, None], "arr": [1.6, None], "why": ["a; b", None], "name": [None, "B"]}
    )
    kinds: dict[str, tables.Kind] = {
        "health": "health",
        "rate": "percent",
        "arr": "money",
        "why": "tags",
        "name": "text",
    }
    shown = tables.prepared(frame, {name: Col(label=name, kind=kind) for name, kind in kinds.items()})
    assert list(shown.health) == [["■ At risk"], ["○ No data"]]
    assert shown.rate[0] == 50 and shown.arr[0] == 2
    assert list(shown.why) == [["a", "b"], []]
    assert list(shown.name) == ["", "B"]
    assert frame.rate[0] == 0.5  # the caller's rows stay as they are


def test_a_table_is_no_higher_than_its_rows() -> None:
    assert tables.height(0) == tables.height(1) < tables.height(3) < tables.height(12) == tables.height(500)


def test_plain_columns_follow_the_types() -> None:
    frame = pd.DataFrame({"day": pd.to_datetime(["2025-01-01"]), "n": [1], "x": ["a"], "ok": [True], "many": [["a"]]})
    assert {name: col.kind for name, col in tables.plain_columns(frame).items()} == {
        "day": "date",
        "n": "plain",
        "x": "text",
        "ok": "bool",
        "many": "tags",
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [("$5 and $6", "\\$5 and \\$6"), ("a*b_c", "a\\*b\\_c"), ("<b>[x](y)", "\\<b\\>\\[x\\](y)"), ("plain", "plain")],
)
def test_texts_are_read_as_they_are(text: str, found: str) -> None:
    assert words.plain(text) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", []),
        ("a", [("a", {})]),
        (("a", {"x": 1}), [("a", {"x": 1})]),
        (["a", ("b", {"x": 1}), ""], [("a", {}), ("b", {"x": 1})]),
    ],
)
def test_a_card_names_one_metric_or_several(asked: Any, found: list[tuple[str, dict[str, Any]]]) -> None:
    assert words.each(asked) == found


def test_an_answer_is_computed_once_and_may_be_changed_freely(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 100)])
    ask = (store, store.config, "mrr_by_month", dt.date(2024, 1, 1), EVERYTHING, {})
    first, second = results.answer(*ask), results.answer(*ask)
    assert first is second
    frame = first.frame
    frame["mrr"] = 0.0
    assert list(second.frame.mrr) == [100.0]
    assert [query.rows for query in first.queries] == [1]
    assert "$as_of" in first.queries[0].sql


def test_other_options_days_and_loads_are_other_questions(tmp_path: Path) -> None:
    store = company(tmp_path, accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 100)])

    def ask(day: str, **options: Any) -> results.Answer:
        return results.answer(store, store.config, "grace_effect", dt.date.fromisoformat(day), EVERYTHING, options)

    first = ask("2024-01-01")
    assert ask("2024-01-02") is not first
    assert ask("2024-01-01", grace_days=10) is not first
    (tmp_path / "history").mkdir()
    assert ask("2024-01-01") is not first


def test_every_metric_has_a_definition_that_can_be_found() -> None:
    for metric in METRICS.values():
        assert metric.summary.endswith(".") and metric.columns, metric.name
        assert definitions.matches(metric, metric.name)
        assert len(definitions.fingerprint(metric)) == 7
    assert not definitions.matches(METRICS["arr_walk"], "arr_walk nonsense")


def test_sql_is_shown_without_its_margin() -> None:
    assert explain._dedented("\n        select\n            1\n") == "select\n    1"
    scoped = "with scope as (\n    select 1\n), a as (\n            select 2\n        )\n        select 3"
    assert explain._dedented(scoped) == "with scope as (\n    select 1\n), a as (\n    select 2\n)\nselect 3"
    assert explain._short([1, 2]) == "['1', '2']"
    assert explain._short(list(range(9))) == "['0', '1', '2'] … '8' (9 values)"


def asked_of_guard(
    path: str, body: bytes, kind: bytes = b"text/html; charset=utf-8"
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Send one request through the guard to a server that answers `body` in two pieces."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"etag", b"x")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body[:5], "more_body": True})
        await send({"type": "http.response.body", "body": body[5:]})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": [(b"accept-encoding", b"gzip")]}
    with ThreadPoolExecutor(1) as pool:  # a browser test may have left an event loop running in this thread
        pool.submit(asyncio.run, server.Guard(app)(scope, None, send)).result()  # type: ignore[arg-type]
    start, *rest = sent
    return start["status"], dict(start["headers"]), b"".join(one.get("body", b"") for one in rest)


def test_the_guard_names_the_server_in_the_page_and_allows_only_its_own_scripts() -> None:
    status, headers, body = asked_of_guard("/overview", b"<head><title>Streamlit</title><script>x</script></head>")
    assert status == 200
    assert body.startswith(b"<head><title>Customer success</title><script>window.__streamlit")
    assert int(headers[b"content-length"]) == len(body)
    assert b"etag" not in headers
    assert b"script-src 'self' 'wasm-unsafe-eval' 'sha256-" in headers[b"content-security-policy"]


def test_the_guard_leaves_other_answers_alone_and_hides_the_metrics() -> None:
    _, headers, body = asked_of_guard("/x.js", b"const title = '<script'", b"text/javascript")
    assert body == b"const title = '<script'"
    assert headers[b"etag"] == b"x" and headers[b"x-content-type-options"] == b"nosniff"
    assert asked_of_guard("/_stcore/metrics", b"")[0] == 404

"""The QBR brief and the value report: the numbers of the metrics, in every format, and nothing internal for the customer."""

import ast
import datetime as dt
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_metrics.metrics import run
from cs_metrics.report import format as say
from cs_metrics.report import review
from cs_metrics.report.document import Brand, Format, made
from cs_metrics.report.document.model import Document, Table, edited, texts
from cs_metrics.report.handout import KINDS, KindName, handout
from cs_metrics.store import Store
from tests.document_support import charts, text_of
from tests.expansion_support import D, ago, customer, merged, one, users
from tests.support import account, company, line

ROOT = Path(__file__).resolve().parent.parent
FILES: list[tuple[KindName, Format]] = [("qbr", "docx"), ("qbr", "pdf"), ("value", "pptx"), ("value", "pdf")]
# What a customer must never read: words of the inside, and the amounts, scores and likelihoods of this account.
INTERNAL = re.compile(
    r"\b(health|healthy|score|likelihood|churn\w*|at risk|arr|mrr|margin|discount|severity|calls? to action|cta|"
    r"flag\w*|csm|renew\w*|internal|expansion|up-?sell|priority|urgent|red|yellow|green|forecast|seats?|driver|note to)\b",
    re.IGNORECASE,
)
MARKS = (
    "■",
    "▲",
    "●",
    "○",
    "13,579",
    "13579",
    "14k",
    "13.6k",
    "Secret",
    "Rival",
    "Cora",
    "Sam",
    "2026-05-20",
    "20 May 2026",
)


def asking(store: Store, as_of: dt.date) -> review.Ask:
    def ask(name: str, *, as_of: dt.date = as_of, **options: Any) -> pd.DataFrame:
        return run(store, name, as_of=as_of, options=options)

    return ask


def document(
    store: Store, account_id: str, kind: KindName, as_of: dt.date = D, since: dt.date | None = None
) -> Document:
    return handout(asking(store, as_of), account_id, kind, as_of=as_of, since=since, config=store.config)


def text_in(found: Document, kind: Format) -> str:
    return " ".join(text_of(made(found, Brand(), kind).content).split())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    parts = [
        customer("acme", name="Acme Trading", mrr=13_579 / 12, seats=10),
        users("acme", {"Sales": 6, "Finance": 3}),
        {"accounts": [account("bare", "2024-01-01", name="Bare & Söhne 株式会社")], "subscriptions": [line("bare", "2024-01-01", None, 50)]},
        {"milestones": [{"milestone_id": "M1", "name": "Kick-off", "position": 1, "due_days": 7}, {"milestone_id": "M2", "name": "Second site live", "position": 2, "due_days": 900}]},
        one("milestone_completions", "acme", milestone_id="M1", completed_on="2024-01-05"),
        one("meetings", "acme", kind="qbr", scheduled_on=ago(60), was_held=True, went_well=False),
        one("meetings", "acme", kind="training", scheduled_on=ago(30), was_held=True),
        one("tickets", "acme", ticket_id="t1", opened_at=f"{ago(50)}T08:00:00", closed_at=f"{ago(48)}T08:00:00", kind="bug", priority="urgent"),
        one("tickets", "acme", ticket_id="t2", opened_at=f"{ago(40)}T08:00:00", closed_at=f"{ago(30)}T08:00:00", kind="request"),
        one("tickets", "acme", ticket_id="t3", opened_at=f"{ago(20)}T08:00:00", kind="bug", priority="urgent"),
        one("commitments", "acme", made_on=ago(100), promise="Connector for SAP", due_on=ago(10)),
        one("commitments", "acme", made_on=ago(100), promise="Price list", due_on=ago(40), kept_on=ago(41)),
        one("contacts", "acme", contact_id="c", name="Ann Left", role="sponsor", since="2024-01-01", left_on=ago(9), moved_to="Globex"),
        one("contracts", "acme", contract_id="k", starts_on="2025-05-20", ends_on="2026-05-20", arr=13_579, competitor="Rival", owner="Sam"),
        one("ctas", "acme", cta_id="x", kind="risk", reason="Secret worry", opened_on=ago(9), owner="Cora", flagged_on=ago(8)),
        *(one("outcomes", "acme", metric="orders_shipped", month=f"2025-{month:02d}-01", value=100 * month) for month in range(3, 13)),
        *(one("outcomes", "acme", metric="orders_shipped", month=f"2026-{month:02d}-01", value=1500) for month in (1, 2)),
    ]  # fmt: skip
    return company(tmp_path_factory.mktemp("brief"), **merged(*parts))


QBR = [
    "QBR brief: Acme Trading", "Internal: not for the customer", "As of 1 Mar 2026, looking back to the QBR of 31 Dec 2025",
    "What changed since the QBR of 31 Dec 2025", "ARR $14k",
    "Orders shipped was 1,500 in Feb 2026; on average 1,400 a month in the three months to Feb 2026 (+40.0% on the three before).",
    "Help given since the QBR of 31 Dec 2025", "Problem solved: bug", "Wish shipped", "Training held", "Promise kept: Price list",
    "Next milestone: Second site live, due on 19 Jun 2026; 1 of 2 are reached.",
    "Connector for SAP 21 Nov 2025 19 Feb 2026 overdue", "Ann Left", "left on 20 Feb 2026 for Globex",
    "The contract over $14k ends on 20 May 2026, in 80 days.",
    "Who takes over from Ann Left as sponsor, and what does that person expect of us?",
    "Is “Connector for SAP”, due on 19 Feb 2026, still wanted, and by which day?",
    "Has the reason for which you bought been met?", "How to read these numbers",
]  # fmt: skip
VALUE = [
    "Value report for Acme Trading", "What you achieved, 1 Mar 2025 to 1 Mar 2026", "Orders shipped is 40% above the three months before",
    "Average of 3 months", "1,400", "+40.0% on the 3 before", "8 people used it in the last complete week",
    "Problem solved: bug", "Wish shipped", "Training held", "Promise kept: Price list", "Since 1 Mar 2025: 1 problem solved, 1 wish shipped, 1 training held",
    "What comes next", "Next milestone: Second site live, planned for 19 Jun 2026", "We promised: Connector for SAP, due on 19 Feb 2026",
    "1 of 2", "Acme Trading · as of 1 Mar 2026",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "ending"), FILES)
def test_every_format_says_what_the_metrics_say(store: Store, kind: KindName, ending: Format) -> None:
    found = text_in(document(store, "acme", kind), ending)
    wanted = {"qbr": QBR, "value": VALUE}[kind]
    assert [words for words in wanted if words not in found] == []


@pytest.mark.parametrize("ending", KINDS["value"].formats)
def test_the_customer_reads_nothing_internal(store: Store, ending: Format) -> None:
    found = text_in(document(store, "acme", "value"), ending)
    assert INTERNAL.findall(found) == []
    assert [one for one in MARKS if one in found] == []


@pytest.mark.parametrize("ending", KINDS["qbr"].formats)
def test_the_search_for_internal_words_finds_those_of_the_brief(store: Store, ending: Format) -> None:
    """Otherwise the test before could not fail."""
    found = text_in(document(store, "acme", "qbr"), ending)
    assert {"health", "arr", "renewal", "internal", "csm"} <= {one.lower() for one in INTERNAL.findall(found)}
    assert [one for one in ("●", "Cora", "20 May 2026") if one not in found] == []


def test_no_customer_of_the_demo_company_reads_anything_internal(demo_store: Store) -> None:
    as_of = demo_store.newest_day
    for row in run(demo_store, "account_search").head(3).itertuples():
        found = document(demo_store, str(row.account_id), "value", as_of)
        said = text_in(found, "pptx")
        assert INTERNAL.findall(said.replace(str(row.name), "")) == []
        assert say.money(row.arr) not in said


def test_the_value_report_is_made_of_what_the_customer_may_know_alone() -> None:
    """By construction: its facts have no place for anything else, and its module knows no other source."""
    told = {one.name for one in fields(review.Facts)}
    assert told == {
        "name", "as_of", "since", "since_says", "results", "weeks", "users", "departments", "help", "done", "promises",
        "steps", "currency",
    }  # fmt: skip
    tree = ast.parse((ROOT / "cs_metrics/report/value_report.py").read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"cs_metrics.report", "cs_metrics.report.document.model", "cs_metrics.report.review"}


def test_charts_hold_the_values_of_the_metrics(store: Store) -> None:
    usage = run(store, "account_usage", as_of=D, options={"account_id": "acme"})["active_users"].tolist()
    orders = [100.0 * month for month in range(3, 13)] + [1500.0, 1500.0]
    (weekly, monthly), report = (charts(made(document(store, "acme", kind), Brand(), ending).content) for kind, ending in (FILES[0], FILES[2]))  # fmt: skip
    assert (weekly["kind"], weekly["series"]) == ("lineChart", {"Active users": usage})
    assert (monthly["kind"], monthly["series"]) == ("barChart", {"Orders shipped": orders})
    assert [one["series"] for one in report] == [
        {"Orders shipped": orders},
        {"Active users": usage},
        {"Active in 4 weeks": [6, 2]},
    ]


def test_then_and_now_are_the_header_of_each_day(store: Store) -> None:
    then, now = (run(store, "account_header", as_of=day, options={"account_id": "acme"}).iloc[0] for day in (dt.date(2025, 12, 31), D))  # fmt: skip
    section = next(one for one in document(store, "acme", "qbr").sections if one.title.key == "changes_title")
    table = next(block for row in section.rows for block in row.blocks if isinstance(block, Table))
    shown = {row[0]: row[1:3] for row in table.rows}
    assert shown["ARR"] == [say.money(then.arr), say.money(now.arr)]
    assert shown["Open tickets"] == [say.count(then.open_tickets), say.count(now.open_tickets)] == ["0", "1"]
    assert shown["Open promises"] == [say.count(then.open_promises), say.count(now.open_promises)]
    assert shown["Health score"] == [say.number(then.score, 0), say.number(now.score, 0)]


def test_three_drivers_are_the_largest_parts_of_the_change_of_health(demo_store: Store) -> None:
    as_of, tested = demo_store.newest_day, 0
    for name in run(demo_store, "account_search")["account_id"].head(12):
        since = run(demo_store, "account_span", options={"account_id": name})["since"].iloc[0].date()
        parts = run(demo_store, "health_change", options={"account_id": name, "from": since})
        parts = parts[parts["points"].abs() >= 0.05]
        if len(parts) >= 3 and tested < 2:
            found = document(demo_store, name, "qbr", as_of)
            lines = texts(found)["drivers"].lines
            assert [float(one.split(" points")[0]) for one in lines] == [
                round(one, 1) for one in parts["points"].head(3)
            ]
            tested += 1
    assert tested == 2


@pytest.mark.parametrize(("kind", "ending"), FILES)
def test_an_account_without_any_data_has_its_files_too(store: Store, kind: KindName, ending: Format) -> None:
    found = text_in(document(store, "bare", kind), ending)
    assert "Söhne" in found
    assert "nan" not in found.lower().replace("finan", "")
    assert "None" not in found.replace("None is open", "")
    if kind == "value":
        assert "Agree on the result by which we measure our work together" in found
        assert "people used it" not in found
    else:
        assert "By which result of yours shall we measure our work together?" in found


def test_what_no_table_tells_is_not_zero(tmp_path: Path) -> None:
    least = company(tmp_path, accounts=[account("a")], subscriptions=[line("a", "2024-01-01", None, 100)])
    found = document(least, "a", "qbr", dt.date(2024, 6, 30))
    table = next(one for row in found.sections[1].rows for one in row.blocks if isinstance(one, Table))
    assert [row for row in table.rows if row[0] in ("ARR", "Open tickets")] == [
        ["ARR", "$1.2k", "$1.2k", "0"],
        ["Open tickets", "–", "–", "–"],
    ]
    assert [term for term, _ in found.notes] == ["As of", "ARR"]


def test_before_an_account_had_begun_there_is_no_then(demo_store: Store) -> None:
    young = run(demo_store, "account_header", options={"account_id": _youngest(demo_store)}).iloc[0]
    found = document(demo_store, young.account_id, "qbr", demo_store.newest_day)
    assert texts(found)["changes"].text


def _youngest(store: Store) -> str:
    return str(store.value("select account_id from accounts where started_on <= $day order by started_on desc, account_id limit 1", day=store.newest_day))  # fmt: skip


def test_it_reads_nothing_of_the_future(store: Store) -> None:
    """As of the day before the request was closed and the sponsor left."""
    found = text_in(document(store, "acme", "qbr", D - dt.timedelta(days=31)), "docx")
    assert "Wish shipped" not in found
    assert "Globex" not in found
    assert "Feb 2026;" not in found


def test_every_sentence_may_be_put_in_other_words(store: Store) -> None:
    for kind, about in KINDS.items():
        found = document(store, "acme", kind)
        given = {key: f"Word{at}x" for at, key in enumerate(texts(found))}
        for ending in about.formats:
            said = text_in(edited(found, given), ending)
            assert [words for words in given.values() if words not in said] == []


def test_an_empty_sentence_is_left_out(store: Store) -> None:
    found = document(store, "acme", "value")
    for ending in KINDS["value"].formats:
        assert "Price list" in text_in(edited(found, dict.fromkeys(texts(found), "")), ending)


def test_no_number_is_without_its_day(store: Store) -> None:
    for kind in KINDS:
        found = document(store, "acme", kind)
        assert "as of 1 Mar 2026" in found.foot
        assert found.notes[0][0] == "As of"


def test_the_whole_document_is_plain_values(store: Store) -> None:
    """So that renderers have nothing left to compute or to ask."""

    def leaves(value: Any) -> Iterator[Any]:
        if is_dataclass(value):
            for one in fields(value):
                yield from leaves(getattr(value, one.name))
        elif isinstance(value, list | tuple):
            for each in value:
                yield from leaves(each)
        else:
            yield value

    found = [one for kind in KINDS for one in leaves(document(store, "acme", kind))]
    assert {type(one) for one in found} <= {str, float, int, bool, type(None), dt.date}


def test_the_command_takes_under_five_seconds_of_work(store: Store, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = tmp_path / "brief.docx"
    command = [sys.executable, "-m", "cs_metrics", "brief", "acme", "--out", out, "--data", store.data_dir]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=ROOT, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.returncode, done.stderr) == (0, f"Written to {out}, as of 2026-03-01.\n")
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
    assert "Acme Trading" in text_of(out.read_bytes())


def test_the_web_process_starts_without_the_libraries_that_write_files() -> None:
    """They are imported where a file is made: by the modules below, which nothing imports before that."""
    makers = {"native", "paper", "slides", "word"}
    heavy = {"docx", "pptx", "typst", "lxml", "PIL", *(f"cs_metrics.report.document.{one}" for one in makers)}
    report = [*(ROOT / "cs_metrics" / "report").rglob("*.py"), *(ROOT / "cs_metrics" / "ui").glob("*.py")]
    for path in [each for each in report if each.stem not in makers]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            base = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found = {*named, *base, *(f"{each}.{name}" for each in base for name in named)}
            assert not found & heavy, path

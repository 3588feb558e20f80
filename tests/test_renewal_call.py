"""Pages to print: what stands on them, that nothing internal reaches the customer, and that the file needs nothing else."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from cs_metrics.metrics import run
from cs_metrics.report.one_page import Bars, Facts, OnePage, Points, Table, Text
from cs_metrics.report.one_page_html import html_page
from cs_metrics.report.renewal_call import amount_words, call_sheet, check_title, customer_page, low_price_title, when
from cs_metrics.store import Store
from tests.support import day
from tests.test_negotiation import AS_OF, four_kinds, known, used

INTERNAL = ["likelihood", "stance", "concession", "costs us", "at risk", "health", "owner", "discount", "internal", "forecast",
            "priority", "self-check", "not recorded", "does not hold", "leave it out", "churn", "margin"]  # fmt: skip


class Words(HTMLParser):
    """The text of a page, and the tags that it leaves open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.said.append(data)


def words(page: OnePage) -> str:
    return " ".join(Words(html_page(page)).said)


def internal(store: Store, account: str, **typed: Any) -> OnePage:
    found = {name: run(store, name, as_of=day(AS_OF), options={"account_id": account})
             for name in ("negotiation_stances", "self_check", "concessions", "raci")}  # fmt: skip
    return call_sheet(
        stance=found["negotiation_stances"].iloc[0],
        check=found["self_check"],
        given=found["concessions"],
        found=run(store, "low_price", as_of=day(AS_OF), options={"account_id": account, **typed}),
        people=found["raci"],
        as_of=day(AS_OF),
        currency="USD",
    )


def for_customer(store: Store, account: str, **typed: Any) -> OnePage:
    found = run(store, "low_price", as_of=day(AS_OF), options={"account_id": account, **typed})
    return customer_page(found, name="Company a", as_of=day(AS_OF), currency="USD")


EXAMPLE = {"price": 98.0, "users": 100, "active_users": 90, "rival_price": 78.0}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return four_kinds(tmp_path_factory.mktemp("kinds"))


@pytest.fixture(scope="module")
def in_use(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return used(tmp_path_factory.mktemp("in_use"))


@pytest.fixture(scope="module")
def asked_about(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return known(tmp_path_factory.mktemp("asked_about"))


def test_the_worked_example_stands_on_the_page_of_the_customer(in_use: Store) -> None:
    said = words(for_customer(in_use, "a", **EXAMPLE))
    for one in ("117,600", "93,600", "24,000", "29,000", "-5,000", "90%", "14.5 months", "may not adopt"):
        assert one in said


@pytest.mark.parametrize("typed", [{}, EXAMPLE, {"rival_price": 1000.0}])
def test_nothing_internal_reaches_the_customer(
    in_use: Store, kinds: Store, asked_about: Store, typed: dict[str, Any]
) -> None:
    for store, account in (
        (in_use, "a"),
        (kinds, "risk"),
        (asked_about, "b"),
    ):
        page = for_customer(store, account, **typed)
        assert page.audience == "customer"
        said = words(page).lower()
        assert not [one for one in INTERNAL if one in said]


def test_an_argument_that_does_not_hold_stays_away_from_the_customer(in_use: Store) -> None:
    weak = words(for_customer(in_use, "a"))  # three of ten work with it often
    assert "3 of 10" not in weak and "What is in use" not in weak
    cheap = words(for_customer(in_use, "a", rival_price=1.0))  # pays for the change within a year
    assert "What it costs to change" not in cheap and "Less in a year" not in cheap
    assert "What it costs to change" in words(for_customer(in_use, "a", rival_price=95.0))
    strong = words(for_customer(in_use, "a", active_users=9))
    assert "9 of 10 users work with it often" in strong


def test_the_call_sheet_is_marked_as_internal_and_holds_what_is_needed(kinds: Store, asked_about: Store) -> None:
    said = words(internal(kinds, "risk"))
    assert "Internal – not for the customer" in said
    for one in ("At risk of leaving", "Likelihood", "■ At risk", "Of equal value", "Costs us", "Against a lower price"):
        assert one in said
    facts = words(internal(asked_about, "a"))
    for one in ("Old (decision maker) left on 30 Sep 2024", "1 of 2 reached; missing: Live.", "153 days overdue"):
        assert one in facts


def test_the_file_needs_nothing_else_and_runs_nothing(in_use: Store, kinds: Store) -> None:
    for page in (for_customer(in_use, "a"), internal(kinds, "flag")):
        text = html_page(page)
        assert Words(text).open == []
        assert not re.search(r"https?:|<script|<link|<img|url\(|@import|javascript", text)
        assert "size: A4" in text and "color-scheme: light" in text


def test_names_cannot_write_into_the_page(in_use: Store) -> None:
    found = run(in_use, "low_price", as_of=day(AS_OF), options={"account_id": "a"})
    page = customer_page(found, name="<b>& Sons</b>", as_of=day(AS_OF), currency="USD")
    page = replace(page, foot='"><script>alert(1)</script>')
    text = html_page(page)
    assert "<b>&" not in text and "<script" not in text
    assert "&lt;b&gt;&amp; Sons" in text


def test_every_block_is_drawn() -> None:
    page = OnePage(
        audience="customer",
        title="T",
        subtitle="S",
        blocks=[
            Facts(items=[("Label", "1", "note")]),
            Text(title="Head", text="Body", is_boxed=True),
            Points(title="P", items=[("good", "what", "evidence"), ("", "plain", "")], lead="lead"),
            Table(title="Tab", head=("a", "b"), rows=[("x", "1"), ("y", "2")], numbers=(False, True), strong=[1]),
            Bars(title="B", items=[("one", 10, "ten", True), ("none", 0, "zero", False)]),
        ],
        columns=[[Text(text="left")], [Text(text="right")]],
    )
    said = words(page)
    for one in ("Label", "Body", "what", "evidence", "plain", "lead", "Tab", "y", "ten", "zero", "left", "right"):
        assert one in said
    assert 'style="width:78.0%"' in html_page(page) and 'style="width:0.0%"' in html_page(page)


@pytest.mark.parametrize(
    ("amount", "unit", "said"),
    [
        (1.2, "month", "1.2 months"),
        (1, "year", "1 year"),
        (7, "seat for a year", "7 seats for a year"),
        (10, "percent", "10 %"),
        (float("nan"), "day", "–"),
    ],
)
def test_amounts_in_words(amount: float, unit: str, said: str) -> None:
    assert amount_words(amount, unit) == said


def test_titles_say_the_message(asked_about: Store) -> None:
    check = run(asked_about, "self_check", as_of=day(AS_OF), options={"account_id": "a"})
    assert check_title(check, "reason") == "The reason they bought: not met"
    assert check_title(check, "chain") == "The decision chain: changed, 3 points to work on"
    assert check_title(check, "promises") == "1 promise still open, 1 overdue"
    empty = check[check["question"] == "none"]
    assert check_title(empty, "reason") == "The reason they bought: not recorded"
    found = pd.DataFrame({"item": ["saving_year", "switching"], "value": [-1.0, 5.0]})
    assert low_price_title(found, "USD") == "The other offer is not cheaper"
    assert [when(days) for days in (-1, 0, 12)] == ["1 day past its end", "today", "in 12 days"]

"""An account is found by name while one types, and the list that one came from is walked by keys."""

import re

import pytest

from cs_metrics.metrics import run
from cs_metrics.store import Store
from tests.browser.conftest import Reader

pytestmark = pytest.mark.browser


def test_a_name_typed_in_the_sidebar_leads_to_its_account(reader: Reader, base: str, demo_store: Store) -> None:
    first = run(demo_store, "account_search").iloc[3]
    with reader.open(base, "definitions?segment=SMB") as seen:
        seen.page.get_by_label("Find an account").press_sequentially(first["name"].upper()[:9], delay=20)
        seen.page.locator(".st-key-found a", has_text=first["name"]).click()
        seen.page.get_by_role("heading", level=1, name=first["name"]).wait_for()
        assert f"account={first['account_id']}" in seen.page.url and "segment=SMB" in seen.page.url
        seen.settle()
        assert seen.page.get_by_label("Find an account").input_value() == ""
        assert seen.problems == []


def test_a_key_leads_on_and_back_leads_back(reader: Reader, base: str, demo_store: Store) -> None:
    listed = run(demo_store, "health")
    names, ids = list(listed["name"]), list(listed["account_id"])
    with reader.open(base, f"account?account={ids[0]}&list=health") as seen:
        walk = seen.page.locator(".st-key-walk")
        assert re.search(rf"\b1 of {len(ids)} in health", walk.inner_text())
        seen.page.keyboard.press("j")
        seen.page.get_by_role("heading", level=1, name=names[1]).wait_for()
        seen.settle()
        assert f"2 of {len(ids)} in health" in walk.inner_text()
        seen.page.keyboard.press("k")
        seen.page.get_by_role("heading", level=1, name=names[0]).wait_for()
        seen.page.go_back()
        seen.page.get_by_role("heading", level=1, name=names[1]).wait_for()
        assert seen.problems == []

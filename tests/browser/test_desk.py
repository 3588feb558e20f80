"""People write on the pages: what they say counts at once, everywhere, and only on the newest day."""

import shutil
from pathlib import Path

import pytest

from cs_metrics.metrics import run
from cs_metrics.store import Database
from tests.browser.conftest import Reader, serving

pytestmark = pytest.mark.browser


def test_a_flag_and_a_note_written_on_a_page_count_at_once(reader: Reader, demo_data: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(demo_data, data)
    database = Database.open(data)
    store = database.current()
    risk = run(store, "onboarding_risk")
    account_id = str(risk[risk["colour"] == "yellow"]["account_id"].iloc[0])
    with serving(data) as base:
        with reader.open(base, f"account?account={account_id}&tab=Notes+%26+calls") as seen:
            page = seen.page
            page.locator('[class*="st-key-flag_account_"] button').first.click()
            dialog = page.get_by_role("dialog")
            dialog.get_by_label("Note (optional)").fill("They wait for the invoice")
            dialog.get_by_label("Your name").fill("cleo")
            dialog.get_by_role("button", name="Flag").click()
            page.get_by_role("button", name="Take flag back").wait_for()
            seen.settle()
            assert "They wait for the invoice" in seen.text()
            page.get_by_placeholder("What was said and decided").fill("Finance sends it on Monday")
            page.get_by_role("button", name="Add note").click()
            page.get_by_text("Note: Finance sends it on Monday").wait_for()
            assert seen.problems == []
        with reader.open(base, f"onboarding?tab=Risk+meeting&at={account_id}") as seen:
            assert "Finance sends it on Monday" in seen.text()
        with reader.open(
            base, f"account?account={account_id}&tab=Notes+%26+calls&as_of={store.newest_day.replace(day=1)}"
        ) as seen:
            assert "a look at the past" in seen.text()
            assert seen.page.get_by_role("button", name="Add note").count() == 0
            assert "Finance sends it on Monday" not in seen.text()
    now = run(database.current(), "onboarding_risk").set_index("account_id")
    assert now.loc[account_id, "colour"] == "red"
    written = [(one.author, one.action, one.note) for one in database.workspace.entries()]
    assert written == [("cleo", "flag", "They wait for the invoice"), ("cleo", "note", "Finance sends it on Monday")]

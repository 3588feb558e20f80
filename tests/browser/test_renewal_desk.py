"""People work a renewal from its desk: steps, calls and promises written there count at once, and only on the newest day."""

import shutil
from pathlib import Path

import pytest

from cs_metrics.metrics import run
from cs_metrics.store import Database
from tests.browser.conftest import Reader, serving

pytestmark = pytest.mark.browser


def test_what_is_written_on_the_desk_of_a_renewal_counts_at_once(
    reader: Reader, demo_data: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(demo_data, data)
    database = Database.open(data)
    store = database.current()
    rows = run(store, "renewal_pipeline")
    contract = str(rows[rows["category"] != "best_case"]["contract_id"].iloc[0])
    with serving(data) as base:
        with reader.open(base, f"renewals?contract={contract}") as seen:
            page = seen.page
            page.get_by_role("button", name="Give own call").click()
            dialog = page.get_by_role("dialog")
            dialog.get_by_label("How sure is the renewal").click()
            page.get_by_role("option", name="Best case").click()
            dialog.get_by_label("Note (optional)").fill("The board decides on Monday")
            dialog.get_by_label("Your name").fill("cleo")
            dialog.get_by_role("button", name="Give own call").click()
            page.get_by_text("Called by cleo").wait_for()
            page.locator('[class*="st-key-renewal_done_Proposal"] button').click()
            page.get_by_role("dialog").get_by_role("button", name="Done").click()
            page.get_by_text("Step done: Proposal").wait_for()
            page.get_by_role("button", name="New promise").click()
            page.get_by_role("dialog").get_by_label("What is promised").fill("A training for the new team")
            page.get_by_role("dialog").get_by_role("button", name="New promise").click()
            page.get_by_text("A training for the new team").first.wait_for()
            seen.settle()
            assert "The board decides on Monday" in seen.text()
            assert seen.problems == []
        with reader.open(base, f"renewals?contract={contract}&as_of={store.newest_day.replace(day=1)}") as seen:
            assert "The board decides on Monday" not in seen.text()
            assert seen.page.get_by_role("button", name="Give own call").count() == 0
    now = run(database.current(), "renewal_pipeline").set_index("contract_id").loc[contract]
    assert (now["category"], now["called_by"], now["last_note"]) == ("best_case", "cleo", "The board decides on Monday")
    assert [one.action for one in database.workspace.entries()] == ["call", "step_done", "make"]

"""Heat-map and curves in a real browser: a click on a cell opens the accounts that the hover counted."""

import re

import pytest

from tests.browser.conftest import PHONE, Reader, Seen

pytestmark = pytest.mark.browser
LIST = '[class*="st-key-card_cell_accounts"]'


def click(seen: Seen, view: str, across: float, down: float) -> str:
    """Point at a place of the plot (shares of its width and height), click it, and return what the hover said."""
    area = seen.page.locator(f".st-key-card_activation_{view} .nsewdrag")
    box = area.bounding_box()
    assert box
    at = {"x": box["width"] * across, "y": box["height"] * down}
    area.hover(position=at)  # type: ignore[arg-type]
    hover = seen.page.locator(f".st-key-card_activation_{view} .hoverlayer .hovertext")
    hover.wait_for()
    said = " ".join(hover.locator("tspan").all_text_contents())
    before = seen.page.evaluate("location.href")
    area.click(position=at)  # type: ignore[arg-type]
    seen.page.wait_for_function("before => location.href !== before", arg=before)
    seen.settle()
    return said


def counts(text: str) -> tuple[int, int]:
    found = re.search(r"([\d,]+) of ([\d,]+) account", text)
    assert found, text
    return int(found[1].replace(",", "")), int(found[2].replace(",", ""))


def test_a_click_on_a_cell_of_the_heat_map_opens_its_accounts(reader: Reader, base: str) -> None:
    with reader.open(base, "onboarding?view=heatmap&cohort=segment") as seen:
        for down, cohort in ((0.125, "in_cohort=%2A"), (0.375, "in_cohort=SMB")):
            hover = click(seen, "heatmap", 2.5 / 18, down)
            address = seen.page.evaluate("location.search")
            assert cohort in address and "in_period=2" in address
            title = seen.page.locator(f"{LIST} h3").inner_text()
            assert "week 2" in title.lower()
            assert counts(title) == counts(hover)
        table = seen.page.locator(f"{LIST} .dvn-scroller").first
        table.scroll_into_view_if_needed()
        table.click(position={"x": 90, "y": 36 + 16})
        seen.page.wait_for_function("() => location.pathname === '/account'")
        assert seen.problems == []


def test_a_click_on_a_curve_opens_the_accounts_of_that_point_and_back_leaves_them(reader: Reader, base: str) -> None:
    with reader.open(base, "onboarding") as seen:
        hover = click(seen, "curves", 0.5, 0.4)
        title = seen.page.locator(f"{LIST} h3").inner_text()
        assert counts(title) == counts(hover)
        seen.page.go_back()
        seen.page.locator(LIST).wait_for(state="detached")
        assert "in_cohort" not in seen.page.evaluate("location.search")


def test_on_a_phone_the_cells_are_colours_that_do_not_overlap(reader: Reader, base: str) -> None:
    with reader.open(base, "onboarding?view=heatmap", PHONE) as seen:
        card = seen.page.locator(".st-key-card_activation_heatmap")
        assert card.locator(".heatmap-label").count() > 0
        assert not card.locator(".heatmap-label").first.is_visible()
        click(seen, "heatmap", 0.5 / 18, 0.5 / 15)
        assert seen.page.locator(f"{LIST} h3").inner_text().startswith("All cohorts, week 0")

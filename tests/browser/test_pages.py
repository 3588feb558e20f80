"""Every page in a real browser, on a desk and on a phone."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.browser.conftest import DESKTOP, PHONE, ROOT, Reader, serving

pytestmark = pytest.mark.browser
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
_WIDER = """() => {
    const main = document.querySelector('[data-testid="stMain"]')
    return [main.scrollWidth, main.clientWidth, document.documentElement.scrollWidth, window.innerWidth]
}"""
# Labels of charts that leave their chart, or lie on each other.
_LABELS = """() => {
    const found = []
    for (const chart of document.querySelectorAll('[data-testid="stPlotlyChart"]')) {
        const box = chart.getBoundingClientRect()
        const labels = [...chart.querySelectorAll('text')].filter(one => one.textContent.trim())
            .map(one => [one.textContent, one.getBoundingClientRect()]).filter(([, at]) => at.width > 0)
        for (const [text, at] of labels)
            if (at.right > box.right + 2 || at.left < box.left - 2) found.push(`${text} leaves its chart`)
        for (let a = 0; a < labels.length; a++)
            for (let b = a + 1; b < labels.length; b++) {
                const [one, other] = [labels[a][1], labels[b][1]]
                const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left)
                const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top)
                if (wide > 3 && high > 4) found.push(`${labels[a][0]} lies on ${labels[b][0]}`)
            }
    }
    return found
}"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_drawn_without_a_fault(reader: Reader, base: str, name: str, size: tuple[int, int]) -> None:
    with reader.open(base, name, size) as seen:
        page = seen.page
        assert seen.problems == []
        assert page.locator('[data-testid="stException"], [data-testid="stAlertContentError"]').count() == 0
        assert page.locator("h1").count() == 1
        main, window, whole, inner = page.evaluate(_WIDER)
        assert main <= window + 1 and whole <= inner + 1
        assert page.evaluate(_LABELS) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opened_first_on_a_cold_server_passes_the_shell(reader: Reader, demo_data: Path, name: str) -> None:
    with serving(demo_data) as cold, reader.open(cold, name) as seen:
        assert seen.page.locator(".st-key-filter_row").count() == 1
        links = seen.page.locator('.st-key-links [data-testid="stPageLink"]')
        assert links.count() >= 3
        assert seen.problems == []


def test_the_theme_of_the_reader_is_kept(reader: Reader, base: str) -> None:
    colours = []
    for theme in ("light", "dark"):
        with reader.open(base, "", theme=theme) as seen:
            surface = seen.page.locator('[data-testid="stApp"]').evaluate(
                "one => getComputedStyle(one).backgroundColor"
            )
            line = seen.page.locator(".scatterlayer .js-line").first.evaluate("one => getComputedStyle(one).stroke")
            colours.append((surface, line))
    assert colours == [("rgb(255, 255, 255)", "rgb(31, 95, 191)"), ("rgb(20, 24, 31)", "rgb(127, 178, 255)")]


def test_texts_are_set_in_the_font_that_the_product_brings(reader: Reader, base: str) -> None:
    with reader.open(base, "") as seen:
        assert seen.page.evaluate("() => document.fonts.check('14px Inter')")
        assert "Inter" in seen.page.locator("h1").evaluate("one => getComputedStyle(one).fontFamily")


def test_filters_go_along_to_other_pages(reader: Reader, base: str) -> None:
    with reader.open(base, "overview?segment=SMB&as_of=2026-06-30&region=Nowhere") as seen:
        assert "SMB · as of 30 Jun 2026" in seen.text()
        assert "Region: no account has 'Nowhere'" in seen.text()
        seen.page.locator(".st-key-links").get_by_text("Data", exact=True).click()
        seen.page.wait_for_url("**/data?**")
        seen.settle()
        assert "segment=SMB" in seen.page.url and "as_of=2026-06-30" in seen.page.url
        assert "SMB · as of 30 Jun 2026" in seen.text()


def test_a_choice_in_the_bar_stands_in_the_link(reader: Reader, base: str) -> None:
    with reader.open(base, "overview") as seen:
        seen.page.get_by_role("radio", name="QTD").or_(seen.page.get_by_text("QTD", exact=True)).first.click()
        seen.page.wait_for_url("**window=quarter**")
        seen.settle()
        assert "vs 30 Sep" in seen.text()


def test_every_card_tells_what_is_behind_it(reader: Reader, base: str) -> None:
    with reader.open(base, "overview") as seen:
        seen.page.locator(".st-key-card_walk [data-testid='stPopoverButton']:visible").click()
        body = seen.page.locator('[data-testid="stPopoverBody"]')
        body.get_by_text("Rows behind it").wait_for()
        seen.settle()
        said = body.inner_text()
        for words in ("arr_walk", "Formula", "opening", "select", "$as_of ="):
            assert words in said


def test_rows_download_as_csv_and_xlsx(reader: Reader, base: str) -> None:
    with reader.open(base, "overview") as seen:
        for label, begins in (("CSV", b"\xef\xbb\xbfAccount,"), ("XLSX", b"PK")):
            with seen.page.expect_download() as waited:
                seen.page.locator(".st-key-foot_moved").get_by_text(label, exact=True).click()
            assert Path(waited.value.path()).read_bytes().startswith(begins)
            assert waited.value.suggested_filename.endswith(f".{label.lower()}")


def test_a_click_on_a_row_opens_the_account(reader: Reader, base: str) -> None:
    with reader.open(base, "overview?segment=SMB") as seen:
        table = seen.page.locator(".st-key-card_moved .dvn-scroller").first
        table.scroll_into_view_if_needed()
        table.click(position={"x": 90, "y": 36 + 16})
        seen.page.wait_for_url("**/account?**")
        seen.settle()
        assert "account=" in seen.page.url and "segment=SMB" in seen.page.url


def test_the_filters_fold_away_on_a_phone(reader: Reader, base: str) -> None:
    with reader.open(base, "overview", PHONE) as seen:
        row = seen.page.locator(".st-key-filter_row")
        assert not row.is_visible()
        seen.page.locator(".st-key-show_filters label").click()
        row.wait_for(state="visible")
        seen.settle()
        main, window, _, _ = seen.page.evaluate(_WIDER)
        assert main <= window + 1


def answer(address: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    try:
        with urllib.request.urlopen(request, timeout=20) as found:
            return found.status, {key.lower(): value for key, value in found.headers.items()}, found.read()
    except urllib.error.HTTPError as error:
        return error.code, {}, b""


def test_the_server_guards_itself(base: str) -> None:
    status, headers, body = answer(f"{base}/overview")
    policy = headers["content-security-policy"]
    assert status == 200
    assert "default-src 'self'" in policy and "script-src 'self' 'wasm-unsafe-eval' 'sha256-" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-encoding"] == "gzip" and len(body) < 6000
    for hidden in ("_stcore/metrics", "_stcore/metrics/", "any/_stcore/metrics"):
        assert answer(f"{base}/{hidden}")[0] == 404

"""A running server and a real browser for the tests that open pages as a reader does."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
DESKTOP, PHONE = (1440, 900), (390, 844)
SECONDS = 60
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Settled: connected, the script has run, nothing is stale or a placeholder, every chart and table is drawn, and
# the page has been still for a moment.
_SETTLED = """() => {
    if (!window.stillSince) {
        window.stillSince = performance.now()
        new MutationObserver(() => { window.stillSince = performance.now() })
            .observe(document.body, {subtree: true, childList: true, characterData: true})
    }
    const app = document.querySelector('[data-testid="stApp"]')
    const all = (what) => [...document.querySelectorAll(`[data-testid="${what}"]`)]
    return app !== null
        && app.dataset.testConnectionState === 'CONNECTED'
        && app.dataset.testScriptState === 'notRunning'
        && all('stSkeleton').length === 0
        && document.querySelector('[data-stale="true"]') === null
        && all('stPlotlyChart').every(one => one.querySelector('.main-svg') !== null)
        && all('stDataFrame').every(one => one.querySelector('canvas') !== null)
        && performance.now() - window.stillSince > 250
}"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium: the one named by CHROMIUM, or one on the path."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no Chromium: install it, or name it in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_FLAGS)
        yield browser
        browser.close()


@contextmanager
def serving(data: Path) -> Iterator[str]:
    """Serve a data folder on a free port and give the address once the server answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.address", "127.0.0.1"]
    server = subprocess.Popen(
        [*command, "--server.port", str(port)],
        cwd=ROOT,
        env={**os.environ, "CS_METRICS_DATA": str(data)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{base}/_stcore/health", server)
        yield base
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, "the server stopped"
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError("the server never answered")


@pytest.fixture(scope="session")
def base(demo_data: Path) -> Iterator[str]:
    """The address of a server over the small demo company."""
    with serving(demo_data) as address:
        yield address


@dataclass
class Seen:
    """An open page, and what went wrong while it was opened."""

    page: Page
    base: str
    problems: list[str] = field(default_factory=list)

    def settle(self) -> None:
        """Wait until the page is drawn."""
        self.page.wait_for_function(_SETTLED, timeout=SECONDS * 1000)

    def text(self) -> str:
        """What the main part of the page says."""
        return self.page.locator('[data-testid="stMain"]').inner_text()


class Reader:
    """Opens pages in a fresh context each, and notes errors and requests that leave the server."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    @contextmanager
    def open(self, base: str, path: str, size: tuple[int, int] = DESKTOP, theme: str = "light") -> Iterator[Seen]:
        """Open a page and wait until it is drawn."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,  # type: ignore[arg-type]
        )
        seen = Seen(context.new_page(), base)
        self._listen(seen)
        seen.page.goto(f"{base}/{path}")
        seen.settle()
        try:
            yield seen
        finally:
            context.close()

    def _listen(self, seen: Seen) -> None:
        own = (seen.base, seen.base.replace("http", "ws", 1), "data:", "blob:")
        seen.page.on("console", lambda said: seen.problems.append(said.text) if said.type == "error" else None)
        seen.page.on("pageerror", lambda error: seen.problems.append(str(error)))
        seen.page.on(
            "request",
            lambda request: None if request.url.startswith(own) else seen.problems.append(f"left for {request.url}"),
        )


@pytest.fixture(scope="session")
def reader(chromium: Browser) -> Reader:
    """Somebody who opens pages."""
    return Reader(chromium)

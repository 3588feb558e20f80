"""The files of an account on its page: every sentence in a box, and what is written there in the file."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cs_metrics.ui import brief
from tests.document_support import text_of
from tests.support import account, company, line

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("brief-page")
    lines = [line("acme", "2024-01-01", None, 1000)]
    company(folder, accounts=[account("acme", name="Acme Trading")], subscriptions=lines)
    return folder


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the download buttons would make, by format; nothing is waited for."""
    found: dict[str, Any] = {}
    draw = brief.st.download_button

    def caught(label: str, *, data: Any, **more: Any) -> Any:
        if label.startswith("Download "):
            found[label.removeprefix("Download ").lower()] = data
        return draw(label, data=data, **more)

    monkeypatch.setattr(brief.st, "download_button", caught)
    monkeypatch.setattr(brief.time, "sleep", lambda _seconds: None)
    return found


def opened(monkeypatch: pytest.MonkeyPatch, data: Path) -> AppTest:
    monkeypatch.setenv("CS_METRICS_DATA", str(data))
    app = AppTest.from_file(str(ROOT / "pages" / "account.py"), default_timeout=120)
    app.query_params["account"] = "acme"
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize(("kind", "formats"), [("qbr", {"docx", "pdf"}), ("value", {"pptx", "pdf"})])
def test_what_is_written_on_the_page_goes_into_the_file(
    monkeypatch: pytest.MonkeyPatch, data: Path, files: dict[str, Any], kind: str, formats: set[str]
) -> None:
    app = opened(monkeypatch, data)
    app.button(key=f"brief_{kind}").click().run()
    assert not app.exception
    assert set(files) == formats
    said = text_of(next(iter(files.values()))())
    assert "Acme Trading" in said
    label = {"qbr": "Questions to ask (a line each)", "value": "What comes next (a line each)"}[kind]
    box = next(one for one in app.text_area if one.label == label)
    assert [one for one in box.value.splitlines() if one not in said] == []
    box.set_value("Words of my own").run()
    assert not app.exception
    for make in files.values():
        assert "Words of my own" in text_of(make())

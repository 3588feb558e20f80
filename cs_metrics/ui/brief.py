"""The files about one account, on its page: its QBR brief and its value report, with every sentence to be edited before."""

import datetime as dt
import time
from typing import Any

import pandas as pd
import streamlit as st

from cs_metrics.report.document import MIME, Brand, Format, brand, made
from cs_metrics.report.document.model import Document, Text, edited, texts
from cs_metrics.report.handout import KINDS, KindName, handout
from cs_metrics.ui.shell import Page
from cs_metrics.ui.words import plain, slug

__all__ = ["buttons"]

_MOST_LETTERS, _LINE = 1500, 70
_ON_THE_WAY_SECONDS = 0.7  # what was typed just before the click arrives with a message of its own
_ICONS: dict[KindName, str] = {"qbr": ":material/description:", "value": ":material/co_present:"}


def buttons(page: Page, account_id: str) -> None:
    """Draw a button for each kind of file; it opens the sentences of the file, and the file is made when it is asked for."""
    with st.container(horizontal=True, gap="small", key="brief"):
        for kind, about in KINDS.items():
            words = f"{about.name} ({', '.join(one.upper() for one in about.formats)})"
            if st.button(words, icon=_ICONS[kind], key=f"brief_{kind}", help=about.says):
                _ask(page, account_id, kind)


def _ask(page: Page, account_id: str, kind: KindName) -> None:
    def draw() -> None:
        with page.guard():
            _draw(page, account_id, kind)

    st.dialog(KINDS[kind].name, width="large")(draw)()


def _draw(page: Page, account_id: str, kind: KindName) -> None:
    about = KINDS[kind]
    look = brand(page.config.report, page.store.data_dir)
    st.caption(plain(about.says))
    name = f"{kind}_{account_id}_{page.as_of}"
    chosen = st.date_input(
        "Look back to", value=None, max_value=page.as_of, format="YYYY-MM-DD", key=f"{name}_since", width=200,
        help="Empty: the last review; for a value report a year.",
    )  # fmt: skip
    document = _document(page, account_id, kind, chosen if isinstance(chosen, dt.date) else None)
    area = st.container(horizontal=True, gap="small", key="brief_files")
    st.caption(
        "Every sentence can be changed here; numbers, tables and charts stay as they are. An empty one is left out."
    )
    words = _edited(document, name=f"{name}_{chosen}")
    with area:
        for ending in about.formats:
            _download(document, words, look, ending, name=f"{slug(about.name)}-{slug(account_id)}-{page.as_of}")


def _document(page: Page, account_id: str, kind: KindName, since: dt.date | None) -> Document:
    def ask(name: str, *, as_of: dt.date = page.as_of, **options: Any) -> pd.DataFrame:
        return page.metric(name, as_of=as_of, **options)

    return handout(ask, account_id, kind, as_of=page.as_of, since=since, config=page.config)


def _edited(document: Document, *, name: str) -> dict[str, str]:
    """Draw the sentences, each in a box of its own, and return what stands in them; the dictionary goes on following them."""
    words: dict[str, str] = st.session_state.setdefault(f"brief_words_{name}", {})
    for key, one in texts(document).items():
        words[key] = _box(one, f"{name}_{key}", words)
    return words


def _box(one: Text, key: str, words: dict[str, str]) -> str:
    def follow() -> None:
        words[one.key] = str(st.session_state[key] or "")

    common: dict[str, Any] = {"value": one.text, "key": key, "max_chars": _MOST_LETTERS, "on_change": follow}
    if one.style == "title" or one.key == "subtitle":
        return str(st.text_input(one.label, **common) or "")
    lines = sum(1 + len(line) // _LINE for line in one.text.splitlines() or [""])
    return str(st.text_area(one.label, height=max(68, 24 * lines + 20), **common) or "")


def _download(document: Document, words: dict[str, str], look: Brand, ending: Format, *, name: str) -> None:
    def file() -> bytes:
        time.sleep(_ON_THE_WAY_SECONDS)
        return made(edited(document, words), look, ending).content

    st.download_button(
        f"Download {ending.upper()}",
        data=file,
        file_name=f"{name}.{ending}",
        mime=MIME[ending],
        key=f"brief_file_{ending}",
        icon=":material/download:",
        type="primary" if ending != "pdf" else "secondary",
        on_click="ignore",
    )

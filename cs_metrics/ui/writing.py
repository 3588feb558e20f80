"""Where people write into the workspace: who writes, from which day it counts, and what happens when it is refused."""

import getpass
import os
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from cs_metrics.errors import WorkspaceError
from cs_metrics.report import format as say
from cs_metrics.ui import results, words
from cs_metrics.ui.shell import Page
from cs_metrics.workspace.entries import MAX_NOTE, NewEntry

__all__ = ["ask", "is_open", "note_form", "refusal", "write"]

_AUTHOR, _DONE = "_author", "_written"
_VARIABLE = "CS_METRICS_AUTHOR"


def is_open(page: Page) -> bool:
    """Tell whether something can be written here: what is decided counts from the newest day, not from a past one."""
    return page.as_of == page.store.newest_day


def refusal(page: Page) -> str:
    """Say why nothing can be written on a past day."""
    return (
        f"This is a look at the past. What you write counts from {say.date(page.store.newest_day)}: go there to write."
    )


def ask(
    page: Page,
    title: str,
    entry: Callable[[Mapping[str, Any], str], NewEntry],
    fields: Callable[[], Mapping[str, Any]],
    *,
    button: str,
    needs_note: str = "",
) -> None:
    """Open a dialog with `fields` (drawn inside it, they return what was filled in) and a note, and write the entry.

    `entry` makes it from the fields and the note. `needs_note` says what the note is for where there must be one.
    """

    def draw() -> None:
        with st.form(_key("ask"), border=False):
            body = fields()
            note = st.text_area(needs_note or "Note (optional)", max_chars=MAX_NOTE, height=110)
            name = _name()
            is_sent = st.form_submit_button(button, type="primary")
        if is_sent:
            write(page, entry({key: value for key, value in body.items() if value not in ("", None)}, note), name)

    st.dialog(words.plain(title))(draw)()


def note_form(page: Page, entry: Callable[[str], NewEntry], *, key: str) -> None:
    """Draw a box for a note that stands open."""
    common: dict[str, Any] = {"max_chars": MAX_NOTE, "height": 80, "label_visibility": "collapsed"}
    with st.form(_key(key), border=False):
        note = st.text_area("Note", placeholder="What was said and decided", **common)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = _name()
            is_sent = st.form_submit_button("Add note")
    if is_sent:
        write(page, entry(note), name)


def write(page: Page, entry: NewEntry, author: str) -> None:
    """Write one entry and draw the page again with it; say in a sentence what is refused."""
    try:
        results.workspace().write([entry], author=author, effective_on=page.store.newest_day)
    except WorkspaceError as error:
        st.error(words.plain(str(error)), icon=":material/error:")
        return
    st.session_state[_AUTHOR] = author
    st.session_state[_DONE] = st.session_state.get(_DONE, 0) + 1
    st.rerun()


def _name() -> str:
    return str(st.text_input("Your name", value=_known_name(), max_chars=200, width=200))


def _known_name() -> str:
    """Return who writes: who signed in, else who last wrote in this session, else who runs the product."""
    signed_in = getattr(st.user, "name", None) or getattr(st.user, "email", None)
    known = signed_in or st.session_state.get(_AUTHOR) or os.environ.get(_VARIABLE)
    try:
        return str(known or getpass.getuser())
    except (KeyError, OSError):  # a container may run under a number that has no name
        return ""


def _key(name: str) -> str:
    """Return a key that is new after each thing written: a second click on the same form finds nothing to do."""
    return f"write_{name}_{st.session_state.get(_DONE, 0)}"

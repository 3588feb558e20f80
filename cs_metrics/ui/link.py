"""Keeps controls and the URL together: a link sets the controls, a control changes the link.

The URL is heeded where a page opens, on back and forward, and never in a run that a control started: its change may be
on its way to the browser while the reader is already at the next control.
"""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

__all__ = ["begin", "read", "search", "tabs", "touch", "write"]

_PAGE, _TOUCHED, _IN_RUN = "_link_page", "_link_touched", "_link_in_run"


def begin(page: str) -> None:
    """Begin a run of a page: remember whether a control started it, or the page is another than before."""
    is_other = st.session_state.get(_PAGE) != page
    st.session_state[_PAGE] = page
    was_touched = bool(st.session_state.pop(_TOUCHED, False))
    st.session_state[_IN_RUN] = "opened" if is_other else "touched" if was_touched else "quiet"


def touch() -> None:
    """Note that a control was changed; every control bound to the URL calls this."""
    st.session_state[_TOUCHED] = True


def read(key: str, known: Callable[[list[str]], Any]) -> str:
    """Set a control from the URL where that is to be heeded, and return the control's own key.

    `known` turns what the URL says (nothing: an empty list) into a value that the control can take.
    """
    widget, given, run = f"url_{key}", st.query_params.get_all(key), st.session_state.get(_IN_RUN, "opened")
    is_new = run == "opened" or (run == "quiet" and given != st.session_state.get(f"_seen_{key}"))
    if is_new or widget not in st.session_state:
        st.session_state[widget] = known(given)
    return widget


def write(key: str, values: list[str]) -> None:
    """Let the URL say what the control says; a default is left out."""
    if st.query_params.get_all(key) != values:
        if values:
            st.query_params[key] = values
        else:
            del st.query_params[key]
    st.session_state[f"_seen_{key}"] = values


def search(key: str, label: str) -> str:
    """Draw a search box and return what was typed."""
    widget = read(key, lambda given: given[-1] if given else "")
    common: dict[str, Any] = {"placeholder": label, "label_visibility": "collapsed", "icon": ":material/search:"}
    found = str(st.text_input(label, key=widget, on_change=touch, **common) or "").strip()
    write(key, [found] if found else [])
    return found


def tabs(key: str, names: Sequence[str]) -> Sequence[Any]:
    """Draw tabs and return their areas; `area.open` tells which one is to be filled."""
    widget = read(key, lambda given: given[-1] if given and given[-1] in names else names[0])
    areas = st.tabs(list(names), key=widget, on_change=touch)
    opened = str(st.session_state[widget])
    write(key, [] if opened == names[0] else [opened])
    return areas

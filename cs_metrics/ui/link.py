"""Keeps controls and the URL together: a link sets the controls, a control changes the link.

The URL is heeded where a page opens, on back and forward, and never in a run that a control started: its change may be
on its way to the browser while the reader is already at the next control.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

__all__ = ["begin", "kept", "put", "read", "search", "stepper", "tabs", "together", "touch", "write"]

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


def together(values: Mapping[str, list[str]]) -> None:
    """Let the URL say several controls in one step, so that one step back undoes them all; each still writes its own."""
    before = {key: st.query_params.get_all(key) for key in st.query_params}
    after = {key: given for key, given in {**before, **values}.items() if given}
    if after != before:
        st.query_params.from_dict(after)


def put(key: str, value: Any) -> None:
    """Set a control from a callback, as if the reader had done it; the URL follows in the run that comes."""
    st.session_state[f"url_{key}"] = value
    touch()


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


def kept(key: str, chosen: str | None, known: Sequence[str]) -> str:
    """Return what was chosen now or, as the URL says, before; empty where that is no longer among the known ones."""
    before = st.query_params.get(key, "")
    found = chosen or (before if before in known else "")
    write(key, [found] if found else [])
    return found


def stepper(key: str, label: str, options: Mapping[str, str]) -> str:
    """Draw a drop-down with buttons to the one before and the next, and return the chosen value; it is in the URL."""
    values = list(options)
    widget = read(key, lambda given: given[-1] if given and given[-1] in options else values[0])
    if st.session_state[widget] not in options:
        st.session_state[widget] = values[0]
    at = values.index(st.session_state[widget])

    def go(place: int) -> None:
        st.session_state[widget] = values[place]
        touch()

    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        back, on = at - 1, at + 1
        st.button(
            "Previous", icon=":material/chevron_left:", key=f"{key}_back", disabled=at == 0, on_click=go, args=(back,)
        )
        st.selectbox(
            label,
            values,
            key=widget,
            format_func=lambda one: options.get(one, one),
            label_visibility="collapsed",
            width=320,
            on_change=touch,
        )
        is_last = on == len(values)
        st.button(
            "Next",
            icon=":material/chevron_right:",
            key=f"{key}_on",
            disabled=is_last,
            on_click=go,
            args=(on % len(values),),
        )
        st.caption(f"{on} of {len(values)}")
    found = str(st.session_state[widget])
    write(key, [found] if at else [])
    return found

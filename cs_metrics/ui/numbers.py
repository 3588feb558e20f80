"""A number to be typed, bound to the URL."""

import streamlit as st

from cs_metrics.ui import link

__all__ = ["number"]


def number(key: str, label: str, *, default: float, least: float, most: float, step: float, says: str = "") -> float:
    """Draw a box for a number and return it; the URL holds it while it is not the default."""

    def known(given: list[str]) -> float:
        try:
            return min(max(float(given[-1]), least), most) if given else default
        except ValueError:
            return default

    widget = link.read(key, known)
    found = st.number_input(
        label,
        min_value=least,
        max_value=most,
        step=step,
        key=widget,
        on_change=link.touch,
        help=says or None,
        width=150,
    )
    chosen = default if found is None else float(found)
    link.write(key, [] if chosen == default else [f"{chosen:g}"])
    return chosen

"""Tells a reader when newer data was published while the page was open."""

import streamlit as st

from cs_metrics.errors import CsMetricsError
from cs_metrics.store import published_number
from cs_metrics.ui import results

__all__ = ["newer"]

_SECONDS = 20


@st.fragment(run_every=_SECONDS)
def newer(shown: int) -> None:
    """Look every 20 seconds whether another generation is published; a tick reads one small file."""
    try:
        published = published_number(results.data_dir())
    except CsMetricsError:
        return
    if published != shown:
        with st.container(horizontal=True, vertical_alignment="center", key="newer"):
            st.caption(":material/sync: New data was published.")
            if st.button("Reload", type="tertiary", key="reload"):
                st.rerun()

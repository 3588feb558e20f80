"""The script that every session runs: it names the pages and runs the one that was asked for.

It stands in a folder without a `pages/` beside it: Streamlit would otherwise run those scripts directly on the first
request after a start, without passing here.
"""

from pathlib import Path

import streamlit as st

from cs_metrics.errors import CsMetricsError
from cs_metrics.ui import navigation, style

st.set_page_config(
    page_title="Customer success",
    page_icon=str(Path(__file__).with_name("static") / "favicon.png"),
    layout="wide",
    initial_sidebar_state="auto",
)
chosen = navigation.choose(navigation.pages())
style.draw()
try:
    chosen.run()
except CsMetricsError as error:
    st.error(str(error), icon=":material/error:")

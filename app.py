"""The entry of the web server: `streamlit run app.py`."""

import streamlit as st

from cs_metrics.ui.server import lifespan, middleware, say_failed

app = st.App("cs_metrics/ui/router.py", lifespan=lifespan, middleware=middleware(), on_script_error=say_failed)

"""What people wrote, out and in again as CSV."""

import streamlit as st

from cs_metrics.errors import WorkspaceError
from cs_metrics.report import format as say
from cs_metrics.ui import results
from cs_metrics.ui.shell import Page
from cs_metrics.ui.words import plain
from cs_metrics.workspace.csv_files import export_csv, import_csv

__all__ = ["draw"]

_SHOWN = 20


def draw(page: Page) -> None:
    """Draw the download of the whole log, and the upload of one."""
    with page.card("Take it along", "The whole log as CSV, and one to add", key="workspace_files", has_scope=False):
        st.download_button(
            "Download all",
            data=lambda: export_csv(results.workspace().entries()),
            file_name=f"workspace-{page.store.newest_day}.csv",
            mime="text/csv",
            key="workspace_download",
            icon=":material/download:",
            on_click="ignore",
        )
        with st.form("workspace_upload", border=False, clear_on_submit=True):
            given = st.file_uploader("Entries to add (CSV)", type="csv", help="What is known already is left as it is.")
            is_sent = st.form_submit_button("Add them")
        if is_sent and given is not None:
            _add(given.getvalue())
        said = st.session_state.pop("_workspace_said", "")
        if said:
            st.success(plain(said))


def _add(content: bytes) -> None:
    try:
        found = import_csv(results.workspace(), content)
    except WorkspaceError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    if found.rejected:
        listed = [f"line {line}: {reason}" for line, reason in found.rejected[:_SHOWN]]
        more = len(found.rejected) - len(listed)
        listed += [f"and {say.count(more)} more"] if more else []
        st.error(plain("Nothing was added. ") + "  \n".join(plain(one) for one in listed), icon=":material/error:")
        return
    added = say.plural(found.added, "entry", "entries")
    st.session_state["_workspace_said"] = f"{added} added, {say.count(found.known)} known already."
    st.rerun()

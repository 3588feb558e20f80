"""Can I trust this?"""

from cs_metrics.report import format as say
from cs_metrics.ui import data_columns as columns
from cs_metrics.ui import shell, workspace_files

page = shell.begin("Data", "Can I trust this?")
now = page.metric("trust").iloc[0]
day = say.date(now.newest_day)
loaded = f"{say.count(now.tables)} of {say.count(now.all_tables)} tables are loaded"
load = (
    f"the newest load (number {say.count(now.load)}) is {now.status}"
    if say.is_known(now.load)
    else "no load is recorded"
)
unknown = "" if say.is_known(now["read"]) else "no load is recorded"
page.answer(f"The data reaches to {day}, {loaded}, and {load}.")
page.figures(
    [
        shell.Figure(label="Newest day", value=day, note=f"from {say.date(now.oldest_day)}", metric="trust"),
        page.figure("Rows read by the newest load", now["read"], "count", reason=unknown, metric="loads"),
        page.figure(
            "Rows kept out",
            now.rejected_share,
            "percent",
            part=now.rejected,
            whole=now["read"],
            noun="row",
            reason=unknown,
            metric="rejected_rows",
        ),
        page.figure("Kinds of warnings", now.warnings, "count", reason=unknown, metric="load_warnings"),
    ]
)


def tables() -> None:
    """Show every table with its freshness and coverage, and each page with what it lacks."""
    page.table(
        page.metric("table_status"),
        columns.TABLES,
        title="What is loaded, how fresh it is, and how many accounts it covers",
        caption="Rows as published",
        metric="table_status",
        key="tables",
        rows=22,
        opens=None,
    )
    page.table(
        page.metric("page_coverage"),
        columns.COVERAGE,
        title="What each page can show",
        caption="Metrics whose tables are loaded",
        metric="page_coverage",
        key="coverage",
        opens=None,
    )


def loads() -> None:
    """Show the history of loads."""
    page.table(
        page.metric("loads"),
        columns.LOADS,
        title="Every load, refused ones too",
        caption="Newest first",
        metric="loads",
        key="loads",
        opens=None,
        empty="No load is recorded in this data folder.",
    )
    page.table(
        page.metric("row_accounting"),
        columns.ACCOUNTING,
        title="Every row is accounted for: read = accepted + rejected + duplicate",
        caption="The newest load that read any rows",
        metric="row_accounting",
        key="accounting",
        rows=22,
        opens=None,
        empty="No load is recorded in this data folder.",
    )


def quarantine() -> None:
    """Show the rows that were kept out."""
    page.table(
        page.metric("rejected_rows"),
        columns.REJECTED,
        title="Rows that were kept out, and why",
        caption="The newest load that read any rows",
        metric="rejected_rows",
        key="quarantine",
        opens=None,
        empty="No row was kept out.",
    )


def warnings() -> None:
    """Show what is suspicious but legal."""
    page.table(
        page.metric("load_warnings"),
        columns.WARNINGS,
        title="Suspicious, but loaded",
        caption="The newest load that read any rows",
        metric="load_warnings",
        key="warnings",
        opens=None,
        empty="Nothing suspicious was found.",
    )


def written() -> None:
    """Show what people wrote, and let it out and in as CSV."""
    page.table(
        page.metric("workspace_entries"),
        columns.WRITTEN,
        title="What people wrote",
        caption="Newest first",
        metric="workspace_entries",
        key="written",
        empty="Nobody has written anything yet.",
    )
    workspace_files.draw(page)


page.tabs({"Tables": tables, "Loads": loads, "Kept out": quarantine, "Warnings": warnings, "Written": written})

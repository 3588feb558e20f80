"""The columns of the tables on the data page."""

from cs_metrics.ui.tables import Col

__all__ = ["ACCOUNTING", "COVERAGE", "LOADS", "REJECTED", "TABLES", "WARNINGS", "WRITTEN"]

_COUNTS = {name: Col(label=name.capitalize(), kind="count") for name in ("read", "accepted", "rejected", "duplicate")}
TABLES = {
    "table": Col(label="Table", width=170),
    "rows": Col(label="Rows", kind="count"),
    "first_day": Col(label="First day", kind="date"),
    "newest_day": Col(label="Newest day", kind="date"),
    "accounts": Col(label="Accounts covered", kind="percent"),
    "is_required": Col(label="Required", kind="bool"),
    "feeds": Col(label="Feeds (off without it)", width="large"),
}
COVERAGE = {
    "page": Col(label="Page"),
    "available": Col(label="Can be shown", kind="count"),
    "missing_tables": Col(label="Missing tables"),
    "switched_off": Col(label="Switched off", width="large"),
}
LOADS = {
    "load": Col(label="Load", kind="count"),
    "started_at": Col(label="Began (UTC)", kind="time"),
    "status": Col(label="Status"),
    "source": Col(label="Source"),
    **_COUNTS,
    "warnings": Col(label="Warnings", kind="count"),
    "reason": Col(label="Reason", width="large"),
}
ACCOUNTING = {
    "table": Col(label="Table", width=170),
    **_COUNTS,
    "left_out": Col(label="Left out by mapping", kind="count"),
    "adds_up": Col(label="Adds up", kind="bool"),
    "ignored_columns": Col(label="Columns not loaded", width="large"),
}
REJECTED = {
    name: Col(label=name.capitalize()) for name in ("table", "file", "line", "column", "value", "reason", "row")
}
WARNINGS = {
    "table": Col(label="Table"),
    "count": Col(label="Rows", kind="count"),
    "says": Col(label="What", width="large"),
    "example": Col(label="Example"),
}
WRITTEN = {
    "written_at": Col(label="Written (UTC)", kind="time"),
    "author": Col(label="Who"),
    "name": Col(label="Account"),
    "topic": Col(label="About"),
    "action": Col(label="What"),
    "note": Col(label="Note", width="large"),
    "body": Col(label="Fields"),
    "effective_on": Col(label="Counts from", kind="date"),
    "subject": Col(label="Subject"),
}

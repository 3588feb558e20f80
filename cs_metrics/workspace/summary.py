"""How much was written on each topic, by how many people, and when last."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from cs_metrics.workspace.entries import Entry

__all__ = ["COLUMNS", "by_topic"]

COLUMNS = ("topic", "entries", "subjects", "authors", "last_effective_on", "last_written_at")


def by_topic(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return one row per topic with `COLUMNS`: counts, the newest day from which one counts, the newest time (UTC)."""
    ordered = sorted(entries, key=lambda one: one.topic)
    found = []
    for topic, group in groupby(ordered, key=lambda one: one.topic):
        some = list(group)
        row = (
            topic,
            len(some),
            len({one.subject for one in some}),
            len({one.author for one in some}),
            max(one.effective_on for one in some).isoformat(),
            max(one.written_at for one in some).isoformat(" ", "seconds"),
        )
        found.append(dict(zip(COLUMNS, row, strict=True)))
    return found

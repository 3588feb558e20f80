"""The two files about one account: which there are, and how each comes from the metrics to a finished file."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cs_metrics import periods
from cs_metrics.config import Config
from cs_metrics.errors import MetricError
from cs_metrics.metrics import run
from cs_metrics.report import brief, review, value_report
from cs_metrics.report.document import Format, brand, format_of, made
from cs_metrics.report.document.model import Document
from cs_metrics.report.review import Ask

__all__ = ["KINDS", "Kind", "KindName", "handout", "write"]

KindName = Literal["qbr", "value"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file: its words, the formats that it comes in, and for whom it is."""

    name: str
    formats: tuple[Format, ...]
    says: str


KINDS: dict[KindName, Kind] = {
    "qbr": Kind(
        name="QBR brief", formats=("docx", "pdf"), says="For you: what changed, what to say, what to ask. Internal."
    ),
    "value": Kind(
        name="Value report",
        formats=("pptx", "pdf"),
        says="For the customer: its results, its use, what we did. Nothing internal.",
    ),
}


def handout(
    ask: Ask, account_id: str, kind: KindName, *, as_of: dt.date, since: dt.date | None = None, config: Config
) -> Document:
    """Return the document of an account, looking back to `since`: by default its last review, or a year for its value.

    `ask(name, as_of=…, **options)` answers a metric.
    """
    if since is None and kind == "value":
        since = periods.add_days(as_of, -config.account.value_days)
    found = review.facts(ask, account_id, as_of=as_of, since=since, config=config)
    if kind == "value":
        return value_report.document(found)
    return brief.document(found, brief.inside(ask, account_id, found, config.currency))


def write(
    store: Any, account_id: str, kind: KindName, out: Path, *, as_of: dt.date, since: dt.date | None = None
) -> str:
    """Write the file of an account in the format of its name; return a warning where something in it cannot be drawn."""
    ending = format_of(out, KINDS[kind].formats)

    def ask(name: str, *, as_of: dt.date = as_of, **options: Any) -> pd.DataFrame:
        return run(store, name, as_of=as_of, options=options)

    document = handout(ask, account_id, kind, as_of=as_of, since=since, config=store.config)
    file = made(document, brand(store.config.report, store.data_dir), ending)
    try:
        out.write_bytes(file.content)
    except OSError as error:
        raise MetricError(f"{out} cannot be written: {error.strerror}.") from None
    return file.warning

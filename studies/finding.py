"""What a study found, and the page of all findings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

__all__ = ["Finding", "page", "section", "sections"]

_MARK = re.compile(r"^<!-- study: (\w+) -->\n", re.MULTILINE)
_OPENING = """# Evidence

Does the product find what is true? On a company's own data nobody knows the truth, so these studies invent companies
in which it is known, because it was planted: how accounts take up the key action, what makes them stay, what a delay
costs. Each study loads such companies like anybody's data, asks the same functions that feed the pages, and compares
the answers with what was planted. A study that fails says so here.

`make study` repeats all of them on 20 companies each, in some minutes; `python -m studies NAME --seeds 20` repeats one.
A company is made from a number, its seed: the same seeds give the same page, other seeds other companies.
The studies show that the methods work where their assumptions hold. They cannot show that those hold for your customers:
each section ends with its limits.

This page is written by `python -m studies`; do not edit it by hand.
"""


@dataclass(frozen=True)
class Finding:
    """The result of one study: what was claimed, how it was tested, what came out, and how far it reaches.

    `table` has one row a seed or a setting; `reading` is what a sceptical CFO should take from it, with the numbers.
    """

    name: str
    title: str
    claim: str
    method: str
    table: pd.DataFrame
    holds: bool
    reading: str
    limits: str


def section(finding: Finding) -> str:
    """Return the section of one study, without its mark."""
    return "\n\n".join(
        [
            f"## {finding.title}",
            f"**Claim.** {finding.claim}",
            f"**How it was tested.** {finding.method}",
            _table(finding.table),
            f"**Result: {'holds' if finding.holds else 'does not hold'}.**",
            f"**How to read it.** {finding.reading}",
            f"**Limits.** {finding.limits}\n",
        ]
    )


def sections(text: str) -> dict[str, str]:
    """Return the sections of a written page by the names of their studies."""
    parts = _MARK.split(text)
    return {name: f"{body.strip()}\n" for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def page(written: Mapping[str, str], order: Sequence[str]) -> str:
    """Return the page: what it is, a line a study, then the sections; those of unknown studies are dropped."""
    shown = [name for name in order if name in written]
    lines = [
        f"| {_part(written[name], '## ')} | {_claim(written[name])} | {_result(written[name])} |" for name in shown
    ]
    summary = "\n".join(["| study | claim | result |", "|---|---|---|", *lines])
    marked = [f"<!-- study: {name} -->\n{written[name]}" for name in shown]
    return "\n".join([_OPENING, f"{summary}\n", *marked])


def _part(text: str, begins: str) -> str:
    return next((line.removeprefix(begins) for line in text.splitlines() if line.startswith(begins)), "")


def _claim(text: str) -> str:
    return _part(text, "**Claim.** ").replace("|", "\\|")


def _result(text: str) -> str:
    return _part(text, "**Result: ").removesuffix(".**")


def _table(frame: pd.DataFrame) -> str:
    head = f"| {' | '.join(str(name) for name in frame.columns)} |"
    rule = "|" + "".join("---|" if _is_text(frame[name]) else "---:|" for name in frame.columns)
    rows = [f"| {' | '.join(_cell(value) for value in row)} |" for row in frame.itertuples(index=False, name=None)]
    return "\n".join([head, rule, *rows])


def _is_text(column: pd.Series) -> bool:
    return column.dtype.kind not in "ifu"


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, str):
        return value.replace("|", "\\|")
    if type(value).__name__.startswith("bool"):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)

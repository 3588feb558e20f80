"""docs/metrics.md, written from the metrics' own docstrings, so that the two cannot drift apart."""

from cs_metrics.metrics import METRICS, Metric

__all__ = ["reference"]

_HEAD = """# Metrics

Every number on every page, export and command line comes from one of these functions. Days are ISO dates, months
their first day, rates fractions in [0, 1] that are empty where not yet knowable, money is in the reporting currency.
All take the as-of day (`--as-of`), and none reads a later fact; `--where column=value` narrows to accounts.

This page is written by `python -m cs_metrics docs` from the functions' own words; a test keeps the two equal.
"""


def reference() -> str:
    """Return the text of docs/metrics.md: the metrics by page, then by name."""
    pages = sorted({one.page for one in METRICS.values()})
    parts = [_HEAD]
    for page in pages:
        parts.append(f"## {page or 'Everywhere'}\n")
        parts += [_section(METRICS[name]) for name in sorted(METRICS) if METRICS[name].page == page]
    return "\n".join(parts)


def _section(one: Metric) -> str:
    lines = [f"### `{one.name}`\n", one.summary + "\n"]
    if one.body:
        lines.append(one.body + "\n")
    if one.formula:
        lines.append(f"**Formula.** {one.formula}\n")
    if one.needs:
        lines.append(f"**Needs** {', '.join(f'`{table}`' for table in one.needs)}.\n")
    if one.options:
        lines.append(f"**Options** {', '.join(f'`{option.says}`' for option in one.options)}.\n")
    lines.append("| column | what it holds |\n|---|---|")
    lines += [f"| `{name}` | {says} |" for name, says in one.columns.items()]
    lines.append("")
    if one.source:
        lines.append(f"**Source.** {one.source}\n")
    return "\n".join(lines)

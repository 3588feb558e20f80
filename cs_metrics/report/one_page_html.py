"""One page as one HTML file that needs nothing else: light, A4, made for paper."""

from collections.abc import Sequence
from html import escape

from cs_metrics.report.one_page import Bars, Block, Facts, Mark, OnePage, Points, Table, Text
from cs_metrics.report.palette import PALETTES

__all__ = ["html_page"]

_INK = PALETTES["light"]
_MARKS: dict[Mark, tuple[str, str, str]] = {
    "good": ("●", _INK.green, "good"),
    "look": ("▲", _INK.yellow, "to look at"),
    "bad": ("■", _INK.red, "bad"),
    "unknown": ("○", _INK.muted, "not recorded"),
    "": ("–", _INK.muted, ""),
}

_CSS = f"""
@page {{ size: A4 portrait; margin: 13mm 14mm 12mm; }}
* {{ box-sizing: border-box; }}
html {{ background: {_INK.surface}; color-scheme: light; }}
body {{ margin: 0; color: {_INK.text}; font: 9.3pt/1.38 Inter, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  -webkit-print-color-adjust: exact; print-color-adjust: exact; font-variant-numeric: tabular-nums; }}
main {{ width: min(210mm, 100%); min-height: 297mm; margin: 8mm auto; padding: 13mm 14mm; background: #fff; border: 1px solid {_INK.border}; }}
@media print {{ html {{ background: #fff; }} main {{ width: auto; min-height: 0; margin: 0; padding: 0; border: 0; }} }}
@media screen and (max-width: 640px) {{ main {{ margin: 0; padding: 18px; border: 0; }} .columns, .facts {{ grid-template-columns: 1fr 1fr !important; }}
  .columns {{ grid-template-columns: 1fr !important; }} }}
header {{ border-bottom: 2px solid {_INK.series[0]}; padding-bottom: 3mm; margin-bottom: 4mm; }}
.kind {{ font-size: 8pt; font-weight: 600; letter-spacing: .02em; color: {_INK.muted}; }}
.internal .kind {{ color: {_INK.red}; }}
h1 {{ font-size: 17pt; line-height: 1.2; margin: 1mm 0 1mm; letter-spacing: -.01em; }}
.subtitle {{ color: {_INK.muted}; }}
h2 {{ font-size: 10.5pt; margin: 0 0 1.2mm; line-height: 1.25; }}
section {{ margin: 0 0 4.2mm; break-inside: avoid; }}
p {{ margin: 0 0 1.5mm; }}
.lead {{ color: {_INK.muted}; margin-bottom: 1.5mm; }}
.facts {{ display: grid; grid-template-columns: repeat(var(--many), 1fr); gap: 2.5mm; }}
.fact {{ border: 1px solid {_INK.border}; border-radius: 1.5mm; padding: 2mm 2.5mm; }}
.fact b {{ display: block; font-size: 13.5pt; line-height: 1.25; letter-spacing: -.01em; }}
.fact span {{ display: block; color: {_INK.muted}; font-size: 8pt; line-height: 1.3; }}
.boxed {{ border: 1px solid {_INK.border}; border-left: 3px solid {_INK.series[0]}; border-radius: 1mm; background: {_INK.surface}; padding: 2.5mm 3mm; }}
.boxed p:last-child {{ margin: 0; }}
ul {{ list-style: none; margin: 0; padding: 0; }}
li {{ display: grid; grid-template-columns: 4mm 1fr; margin-bottom: 1mm; break-inside: avoid; }}
li .mark {{ font-size: 8pt; line-height: 1.6; }}
li .said {{ color: {_INK.muted}; }}
table {{ border-collapse: collapse; width: 100%; }}
th {{ font-weight: 600; color: {_INK.muted}; text-align: left; border-bottom: 1px solid {_INK.text}; padding: .8mm 1.5mm; font-size: 8pt; vertical-align: bottom; }}
td {{ border-bottom: 1px solid {_INK.grid}; padding: .9mm 1.5mm; vertical-align: top; }}
th:first-child, td:first-child {{ padding-left: 0; }} th:last-child, td:last-child {{ padding-right: 0; }}
.n {{ text-align: right; white-space: nowrap; }}
tr.strong td {{ font-weight: 600; border-bottom-color: {_INK.text}; }}
.bar {{ display: grid; grid-template-columns: 32mm 1fr; gap: 2mm; align-items: center; margin-bottom: 1.2mm; }}
.bar i {{ display: block; height: 4mm; background: {_INK.grey}; }} .bar i.main {{ background: {_INK.series[0]}; }}
.bar span {{ display: flex; align-items: center; gap: 1.5mm; white-space: nowrap; }}
.columns {{ display: grid; grid-template-columns: repeat(var(--many), 1fr); gap: 6mm; }}
footer {{ color: {_INK.muted}; font-size: 7.5pt; border-top: 1px solid {_INK.border}; padding-top: 1.5mm; }}
"""


def html_page(page: OnePage) -> str:
    """Return the file: no scripts, no requests, all texts escaped."""
    kind = "Internal – not for the customer" if page.audience == "internal" else ""
    head = f'<div class="kind">{kind}</div>' if kind else ""
    blocks = "".join(_block(one) for one in page.blocks)
    sides = "".join(f"<div>{''.join(_block(one) for one in side)}</div>" for side in page.columns)
    columns = f'<div class="columns" style="--many:{len(page.columns)}">{sides}</div>' if sides else ""
    foot = f"<footer>{escape(page.foot)}</footer>" if page.foot else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{_CSS}</style></head>"
        f'<body class="{page.audience}"><main><header>{head}<h1>{escape(page.title)}</h1>'
        f'<div class="subtitle">{escape(page.subtitle)}</div></header>{blocks}{columns}{foot}</main></body></html>\n'
    )


def _block(block: Block) -> str:
    if isinstance(block, Facts):
        return _facts(block)
    if isinstance(block, Text):
        title = f"<h2>{escape(block.title)}</h2>" if block.title else ""
        text = f"<p>{escape(block.text)}</p>" if block.text else ""
        return f'<section class="{"boxed" if block.is_boxed else "text"}">{title}{text}</section>'
    lead = f'<p class="lead">{escape(block.lead)}</p>' if block.lead else ""
    inner = _points(block) if isinstance(block, Points) else _table(block) if isinstance(block, Table) else _bars(block)
    return f"<section><h2>{escape(block.title)}</h2>{lead}{inner}</section>"


def _facts(block: Facts) -> str:
    items = "".join(
        f'<div class="fact"><span>{escape(label)}</span><b>{escape(value)}</b><span>{escape(note)}</span></div>'
        for label, value, note in block.items
    )
    return f'<section class="facts" style="--many:{len(block.items)}">{items}</section>'


def _points(block: Points) -> str:
    lines = []
    for mark, what, evidence in block.items:
        sign, colour, word = _MARKS[mark]
        said = f' <span class="said">{escape(evidence)}</span>' if evidence else ""
        name = f' role="img" aria-label="{word}"' if word else ""
        first = f"<b>{escape(what)}</b>{said}" if evidence else escape(what)
        lines.append(f'<li><span class="mark" style="color:{colour}"{name}>{sign}</span><span>{first}</span></li>')
    return f"<ul>{''.join(lines)}</ul>"


def _table(block: Table) -> str:
    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{_class('n', is_number)}>{escape(text)}</{tag}>"
            for text, is_number in zip(row, block.numbers, strict=True)
        )

    rows = "".join(
        f"<tr{_class('strong', at in block.strong)}>{cells(row, 'td')}</tr>" for at, row in enumerate(block.rows)
    )
    return f"<table><thead><tr>{cells(block.head, 'th')}</tr></thead><tbody>{rows}</tbody></table>"


def _bars(block: Bars) -> str:
    top = max((value for _, value, _, _ in block.items), default=0) or 1
    return "".join(
        f'<div class="bar"><div>{escape(label)}</div><span><i{_class("main", is_main)} '
        f'style="width:{max(value, 0) / top * 78:.1f}%"></i>{escape(words)}</span></div>'
        for label, value, words, is_main in block.items
    )


def _class(name: str, is_on: bool) -> str:
    return f' class="{name}"' if is_on else ""

"""The SQL files of this folder as a list: name, text, partition, what each reads, in an order that works."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlglot import exp, parse_one

from cs_metrics.errors import StoreError

__all__ = ["SCORED", "Mart", "inputs", "marts"]

FOLDER = Path(__file__).resolve().parent
# What a build shows in parts, and the relation that it is a part of.
_PARTS = {"fact_events_part": "fact_events", "user_day_event_part": "user_day_event", "weeks_part": "weeks"}
# Written by Python once its only input is there, before the first file that reads it.
SCORED, _SCORED_FROM = "account_week_health", "account_week"


@dataclass(frozen=True)
class Mart:
    """One SQL file: its name, text, partition (`month`, `week` or empty) and the relations that it reads."""

    name: str
    sql: str
    partition: str
    reads: frozenset[str]


@lru_cache(maxsize=1)
def marts() -> tuple[Mart, ...]:
    """Return all marts in an order in which each finds what it reads."""
    waiting = {path.stem: _read(path) for path in sorted(FOLDER.glob("*.sql"))}
    ordered: list[Mart] = []
    while waiting:
        ready = [mart for mart in waiting.values() if not (_needs(mart) - {mart.name}) & set(waiting)]
        if not ready:
            raise StoreError(f"The marts {', '.join(waiting)} read each other in a circle.")
        ordered += ready
        for mart in ready:
            del waiting[mart.name]
    return tuple(ordered)


def _needs(mart: Mart) -> frozenset[str]:
    return mart.reads | {_SCORED_FROM} if SCORED in mart.reads else mart.reads


def _read(path: Path) -> Mart:
    sql = path.read_text(encoding="utf-8")
    partition = re.search(r"^-- partition: (month|week)$", sql, re.MULTILINE)
    tree = parse_one(sql, dialect="duckdb")
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = {_PARTS.get(table.name, table.name) for table in tree.find_all(exp.Table)}
    return Mart(path.stem, sql, partition.group(1) if partition else "", frozenset(tables - named))


def inputs(name: str) -> set[str]:
    """Return every relation that is no mart and that a mart reads, directly or through other marts."""
    by = {mart.name: mart for mart in marts()}
    if name == SCORED:
        return inputs(_SCORED_FROM)
    if name not in by:
        return {name}
    return {deep for one in by[name].reads for deep in inputs(one)}

"""SQL that a mapping may hold: parsed, checked against a list of what is allowed, and written out again from the tree.

Whatever is not on the list is refused, so a mapping can read nothing but the tables that it names.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from cs_metrics.contract.readers import first_line
from cs_metrics.errors import MappingError, hint

__all__ = ["checked_expression", "checked_query", "tables_read"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SCALAR = _words(
    "Column Identifier Literal Boolean Null Paren Neg Not And Or EQ NEQ GT GTE LT LTE Is In Between Like ILike Add Sub "
    "Mul Div IntDiv Mod DPipe Case If Cast TryCast DataType DataTypeParam Interval Var Coalesce Nullif Concat Lower "
    "Upper Trim Replace Left Right Substring Length SplitPart Pad RegexpExtract RegexpReplace RegexpLike Round Floor "
    "Ceil Abs Sign Greatest Least TimestampTrunc DateTrunc DateDiff DateAdd DateSub DateFromParts LastDay Year Month "
    "Day Quarter Extract TimeToStr StrToTime UnixToTime ToDays AtTimeZone Contains StartsWith EndsWith StrPosition "
    "Reverse MD5 Array"
)
_QUERY = _SCALAR | _words(
    "Select Star From Join Where Group Having Order Ordered With CTE TableAlias Table Subquery Union Except Intersect "
    "Distinct Window WindowSpec Qualify Alias Count Sum Min Max Avg ArgMax ArgMin AnyValue IgnoreNulls RowNumber Rank "
    "DenseRank Lag Lead FirstValue LastValue Filter Exists Tuple"
)
_FUNCTIONS = {"to_months", "to_years", "to_weeks", "to_hours", "to_minutes", "to_seconds", "try_strptime", "isfinite"}


def checked_expression(text: str, where: str, resolve: Callable[[str, str], str]) -> str:
    """Return one scalar expression as DuckDB SQL; `resolve(qualifier, name)` gives the SQL of each column.

    `MappingError`, beginning with `where`, when it does not parse or uses anything that is not allowed.
    """
    tree = _parsed(text, where)
    _allow(tree, _SCALAR, where)
    for column in list(tree.find_all(exp.Column)):
        found = sqlglot.parse_one(resolve(column.table, column.name), read="duckdb")
        if column is tree:
            return str(found.sql("duckdb"))
        column.replace(found)
    return str(tree.sql("duckdb"))


def checked_query(text: str, where: str, sources: Mapping[str, str]) -> str:
    """Return one `select` as DuckDB SQL that reads only `sources` (lower-case name → relation)."""
    tree = _parsed(text, where)
    if not isinstance(tree, exp.Query):
        raise MappingError(f"{where}: a query is one select over the tables of the source.")
    _allow(tree, _QUERY, where)
    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        word = table.name.lower()
        if word in named and not table.db:
            continue
        if table.db or table.catalog or not isinstance(table.this, exp.Identifier) or word not in sources:
            raise MappingError(f"{where}: unknown table '{table.sql('duckdb')}'.{hint(word, sources)}")
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
        table.set("this", exp.to_identifier(sources[word], quoted=True))
    return str(tree.sql("duckdb"))


def tables_read(text: str, where: str) -> list[str]:
    """Return the names of the tables that a query reads, its own named steps left out."""
    tree = _parsed(text, where)
    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    found = {table.name for table in tree.find_all(exp.Table) if table.name.lower() not in named}
    return sorted(found)


def _parsed(text: str, where: str) -> Any:
    try:
        trees = [tree for tree in sqlglot.parse(text, read="duckdb") if tree is not None]
    except SqlglotError as error:
        raise MappingError(f"{where}: {text!r} cannot be read as SQL ({first_line(error)}).") from None
    if len(trees) != 1:
        raise MappingError(f"{where}: exactly one SQL expression is expected.")
    return trees[0]


def _allow(tree: Any, allowed: Iterable[str], where: str) -> None:
    known = set(allowed)
    for node in tree.walk():
        kind = type(node).__name__
        if isinstance(node, exp.Anonymous):
            if str(node.this).lower() not in _FUNCTIONS:
                raise MappingError(
                    f"{where}: the function {node.this} may not be used in a mapping.{hint(str(node.this), _FUNCTIONS)}"
                )
        elif kind not in known:
            raise MappingError(
                f"{where}: {node.sql('duckdb')!r} may not be used here; see 'Expressions' in docs/loading.md."
            )

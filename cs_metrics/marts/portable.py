"""A check that a mart's SQL keeps to the constructs that DuckDB and Spark were measured to agree on.

Default deny: what is not on the lists is refused, because where the two engines differ they mostly do so silently.
"""

from sqlglot import exp, parse
from sqlglot.errors import ParseError

__all__ = ["ALLOWED_FUNCTIONS", "ALLOWED_NODES", "problems"]

ALLOWED_FUNCTIONS: frozenset[type[exp.Expression]] = frozenset(
    {
        exp.Abs,
        exp.And,
        exp.Case,
        exp.Cast,
        exp.Coalesce,
        exp.Count,
        exp.DateDiff,
        exp.Floor,
        exp.If,
        exp.Lag,
        exp.Lead,
        exp.Max,
        exp.Min,
        exp.Nullif,
        exp.Or,
        exp.RowNumber,
        exp.Sum,
    }
)
ALLOWED_NODES: frozenset[type[exp.Expression]] = frozenset(
    {
        exp.Add,
        exp.Alias,
        exp.Boolean,
        exp.Column,
        exp.CTE,
        exp.DataType,
        exp.Distinct,
        exp.Div,
        exp.DPipe,
        exp.EQ,
        exp.From,
        exp.Group,
        exp.GT,
        exp.GTE,
        exp.Identifier,
        exp.In,
        exp.Is,
        exp.Join,
        exp.Literal,
        exp.LT,
        exp.LTE,
        exp.Mul,
        exp.Neg,
        exp.NEQ,
        exp.Not,
        exp.Null,
        exp.Order,
        exp.Ordered,
        exp.Paren,
        exp.Select,
        exp.Star,
        exp.Sub,
        exp.Table,
        exp.TableAlias,
        exp.Tuple,
        exp.Union,
        exp.Var,
        exp.Where,
        exp.Window,
        exp.WindowSpec,
        exp.With,
    }
)
_ALLOWED_JOINS = {""}
_ALLOWED_TYPES = {"BIGINT", "INT", "DATE", "DOUBLE", "VARCHAR", "TEXT", "BOOLEAN", "TIMESTAMP"}


def problems(sql: str) -> list[str]:
    """Return a sentence for each construct of one mart that Spark would not, or would differently, understand."""
    try:
        statements = parse(sql, dialect="duckdb")
    except ParseError as error:
        return [f"it cannot be parsed: {str(error).splitlines()[0]}"]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        return ["it must be one query"]
    found: list[str] = []
    for node in statements[0].walk():
        found += _of(node)
    return list(dict.fromkeys(found))


def _of(node: exp.Expression) -> list[str]:
    text = node.sql(dialect="duckdb")[:80]
    allowed = ALLOWED_FUNCTIONS | ALLOWED_NODES
    if type(node) not in allowed:
        return [f"{type(node).__name__} is not on the list of what both engines agree on: {text}"]
    if isinstance(node, exp.DateDiff):
        unit = str(node.args.get("unit") or "day").strip("'").lower()
        return [] if unit == "day" else [f"date_diff only counts days the same on both: {text}"]
    if isinstance(node, exp.DataType) and node.this.value.upper() not in _ALLOWED_TYPES:
        return [f"type {node.this.value} is not on the list: {text}"]
    if isinstance(node, exp.Div) and not isinstance(node.expression.unnest(), exp.Nullif | exp.Literal):
        return [f"the divisor must be nullif(…): {text}"]
    if isinstance(node, exp.Join) and str(node.args.get("method") or "").upper() not in _ALLOWED_JOINS:
        return [f"this kind of join is not on the list: {text}"]
    if isinstance(node, exp.Sum) and not _is_cast(node):
        return [f"a sum must be cast to bigint or double: {text}"]
    if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
        return [f"columns must be named: {text}"]
    return []


def _is_cast(node: exp.Expression) -> bool:
    outer = node.parent
    while isinstance(outer, exp.Window | exp.Paren):
        outer = outer.parent
    return isinstance(outer, exp.Cast)

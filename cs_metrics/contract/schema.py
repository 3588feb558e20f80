"""How a table of the contract is described: its columns with their types, bounds and references."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["SQL_TYPES", "Column", "Kind", "Table", "columns", "day_column"]

Kind = Literal["id", "text", "date", "time", "money", "int", "number", "bool"]
SQL_TYPES: dict[str, str] = {
    "id": "varchar",
    "text": "varchar",
    "date": "date",
    "time": "timestamp",
    "money": "bigint",
    "int": "bigint",
    "number": "double",
    "bool": "boolean",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its name and type, whether a row may lack it, and which values are legal.

    `refers_to` names the table whose key the value must be; `low` and `high` are inclusive bounds;
    `choices` is a closed list of lower-case words.
    """

    name: str
    kind: Kind
    required: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    refers_to: str = ""
    default: str = ""

    @property
    def fact_name(self) -> str:
        """The name in the fact file: money is kept as whole cents and says so."""
        return f"{self.name}_cents" if self.kind == "money" else self.name

    @property
    def sql_type(self) -> str:
        """The DuckDB type of the fact column."""
        return SQL_TYPES[self.kind]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: its columns, the key that makes a row unique (empty: rows are counted, not keyed), and what it feeds."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    is_required: bool = False
    ordered: tuple[tuple[str, str], ...] = field(
        default=()
    )  # (earlier, later): the later may not come before the earlier
    feeds: str = ""

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def column(self, name: str) -> Column:
        """Return the column of that name (`KeyError` when there is none)."""
        return {one.name: one for one in self.columns}[name]

    @property
    def fact_columns(self) -> dict[str, str]:
        """The columns of the fact file with their DuckDB types, companion days included."""
        found: dict[str, str] = {}
        for one in self.columns:
            found[one.fact_name] = one.sql_type
            if one.kind == "time":
                found[day_column(one.name)] = "date"
        return found


def day_column(time_column: str) -> str:
    """Return the name of the companion day of a time column: `opened_at` → `opened_on`."""
    return time_column.removesuffix("_at") + "_on"


def columns(text: str) -> tuple[Column, ...]:
    """Read `name[*] kind [option…]` lines; options: `in:a|b`, `min:0`, `max:10`, `to:table`, `default:x`."""
    found = []
    for line in text.strip().splitlines():
        name, kind, *options = line.split()
        given = dict(option.split(":", 1) for option in options)
        found.append(
            Column(
                name=name.rstrip("*"),
                kind=kind,  # type: ignore[arg-type]
                required=name.endswith("*"),
                choices=tuple(given["in"].split("|")) if "in" in given else (),
                low=float(given["min"]) if "min" in given else None,
                high=float(given["max"]) if "max" in given else None,
                refers_to=given.get("to", ""),
                default=given.get("default", ""),
            )
        )
    return tuple(found)

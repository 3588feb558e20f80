"""From what a file holds to a typed fact: for one column the value, its text, and why it cannot be used.

Text is read strictly (ISO days and instants, plain decimals), typed columns of Parquet and databases are cast without
a detour through text where that loses nothing. An empty field is unknown, never 0.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cs_metrics.contract.sql import literal
from cs_metrics.contract.tables import Column, Table

__all__ = ["ISO", "OLDEST_DAY", "Field", "Source", "check_formats", "field_of", "local_day", "rounded_money"]

OLDEST_DAY = "1990-01-01"
ISO = "iso"
Family = Literal["text", "whole", "decimal", "float", "bool", "date", "timestamp"]
_WHOLE = {
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "HUGEINT",
    "UHUGEINT",
}
_DAY = r"\d{4}-\d{2}-\d{2}"
_MIDNIGHT = rf"{_DAY}([T ]00:00(:00(\.0+)?)?(Z|[+]00(:?00)?)?)?"
_INSTANT = rf"{_DAY}([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,9}})?)?(Z|[+-]\d{{2}}(:?\d{{2}})?)?)?"
_AMOUNT = r"[+-]?(\d{1,12}(\.\d*)?|\.\d+)"
_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_INTEGER = r"[+-]?\d{1,18}(\.0*)?"
_INFINITE = r"[+-]?(nan|inf|infinity)"
_QUARTER = r"\d{4}-Q[1-4]"
_MEANT = {
    "date": "is not a day such as 2026-03-31",
    "time": "is not an instant such as 2026-03-31T09:30:00Z",
    "money": "is not an amount such as 1234.50",
    "int": "is not a whole number",
    "number": "is not a number",
    "bool": "is not one of true, false, yes, no, 1, 0",
}


@dataclass(frozen=True)
class Source:
    """Where the value of one column comes from: an SQL expression, its DuckDB type, the day formats that it may use."""

    sql: str
    type: str
    formats: tuple[str, ...] = ()

    @property
    def family(self) -> Family:
        """The kind of cast that the type needs."""
        if self.type in _WHOLE:
            return "whole"
        if self.type.startswith("DECIMAL"):
            return "decimal"
        if self.type.startswith("TIMESTAMP"):
            return "timestamp"
        plain: dict[str, Family] = {"DOUBLE": "float", "FLOAT": "float", "BOOLEAN": "bool", "DATE": "date"}
        return plain.get(self.type, "text")


@dataclass(frozen=True)
class Field:
    """One column as SQL: `text` and `value` over the source row (NULL where unknown), `reason` (NULL where usable).

    `reason` reads a relation that holds the source row and the value as `value_name`. The text is written out only
    where a value is missing, because turning typed columns into text is slow.
    """

    column: Column
    text: str
    value: str
    reason: str

    @property
    def value_name(self) -> str:
        """What the value is called in the relation that `reason` reads."""
        return f"v_{self.column.name}"


def field_of(table: Table, column: Column, source: Source | None) -> Field:
    """Return how one column of a table is read; without a source it is unknown in every row."""
    if source is None:
        source = Source(
            f"cast({literal(column.default)} as varchar)" if column.default else "cast(null as varchar)", "VARCHAR"
        )
    text = _text(column, source)
    value = _value(table, column, source, text)
    return Field(column, text, value, _reason(table, column, source, text))


def local_day(instant: str, time_zone: str) -> str:
    """Return the day of a naive UTC instant in a time zone, as SQL."""
    if time_zone == "UTC":
        return f"cast({instant} as date)"
    return f"cast((({instant}) at time zone 'UTC') at time zone {literal(time_zone)} as date)"


def rounded_money(field: Field) -> str:
    """Return SQL that is true where an amount had more than 2 digits and was rounded."""
    return f"regexp_full_match({field.text}, '.*\\.\\d\\d\\d*[1-9]\\d*') and {field.value_name} is not null"


def _text(column: Column, source: Source) -> str:
    text = source.sql if source.type == "VARCHAR" else f"cast({source.sql} as varchar)"
    if column.kind == "id":
        if source.family == "float":
            whole = f"cast(cast({source.sql} as hugeint) as varchar)"
            text = (
                f"case when isfinite({source.sql}) and {source.sql} = floor({source.sql}) then {whole} else {text} end"
            )
        found = f"nullif({text}, '')"
    elif column.kind == "text" and not column.choices:
        found = f"case when trim({text}) <> '' then {text} end"
    else:
        found = f"nullif(trim({text}), '')"
    return f"coalesce({found}, {literal(column.default)})" if column.default else found


def _value(table: Table, column: Column, source: Source, text: str) -> str:
    if column.kind == "id":
        return text
    if column.kind == "text":
        return _word(table, column, text)
    if column.kind in ("date", "time"):
        return _moment(table, column, source, text)
    if column.kind == "bool":
        word = f"lower({text})"
        return f"case when {word} in ('true', 'yes', '1') then true when {word} in ('false', 'no', '0') then false end"
    if column.kind == "money":
        return _cents(text)
    if column.kind == "int":
        return _when(_INTEGER, text, f"cast(try_cast({text} as decimal(38, 0)) as bigint)")
    if source.family in ("float", "whole"):
        number = f"cast({source.sql} as double)"
        found = f"case when isfinite({number}) then {number} end"
        return f"case when {number} is null then {column.default}::double else {found} end" if column.default else found
    return _when(_NUMBER, text, f"case when isfinite(try_cast({text} as double)) then try_cast({text} as double) end")


def _word(table: Table, column: Column, text: str) -> str:
    if column.choices:
        return f"lower({text})"
    if (table.name, column.name) in (("accounts", "currency"), ("rates", "currency"), ("targets", "quarter")):
        return f"upper(trim({text}))"
    return text


def _moment(table: Table, column: Column, source: Source, text: str) -> str:
    if source.family in ("date", "timestamp"):
        instant = f"cast({source.sql} as timestamp)"
        found = f"case when {instant} between timestamp '0001-01-01' and timestamp '9999-12-31' then {instant} end"
        if column.kind == "date":
            found = f"case when {found} = date_trunc('day', {found}) then cast({found} as date) end"
    else:
        found = _spelled(column, source, text)
    return (
        f"cast(date_trunc('month', {found}) as date)" if (table.name, column.name) == ("outcomes", "month") else found
    )


def _spelled(column: Column, source: Source, text: str) -> str:
    """Read a day or an instant from text, in ISO 8601 or in the formats that a mapping gives."""
    formats = [one for one in source.formats if one != ISO]
    given = [f"cast(try_strptime({text}, {literal(one)}) as timestamp)" for one in formats]
    if not formats or ISO in source.formats:
        if column.kind == "date":
            given.append(_when(_MIDNIGHT, text, f"try_cast(try_cast(left({text}, 10) as date) as timestamp)"))
        else:
            given.append(_when(_INSTANT, text, f"cast(try_cast({text} as timestamptz) as timestamp)"))
    found = given[0] if len(given) == 1 else f"coalesce({', '.join(given)})"
    return f"cast({found} as date)" if column.kind == "date" else found


def _cents(text: str) -> str:
    """Read a decimal amount as whole cents, exactly; further digits are rounded half to even."""
    exact = f"cast(try_cast({text} as decimal(18, 2)) * 100 as bigint)"
    fine = f"try_cast({text} as decimal(38, 18))"
    away = f"cast(cast(round({fine}, 2) as decimal(18, 2)) * 100 as bigint)"
    even = f"case when abs({fine} - round({fine}, 2)) = 0.005 and {away} % 2 <> 0 then {away} - cast(sign({fine}) as bigint) else {away} end"
    short = _when(r"[^.]*(\.\d{0,2})?", text, exact)
    return _when(_AMOUNT, text, f"coalesce({short}, {even})")


def _when(pattern: str, text: str, value: str) -> str:
    return f"case when regexp_full_match({text}, {literal(pattern)}) then {value} end"


def _reason(table: Table, column: Column, source: Source, text: str) -> str:
    value = f"v_{column.name}"
    usable: list[tuple[str, str]] = []
    if column.kind in ("id", "text"):
        usable.append((f"contains({value}, chr(0))", "holds a NUL byte"))
    if column.kind in ("date", "time"):
        usable.append((f"{value} < timestamp {literal(OLDEST_DAY)}", "lies before 1990"))
    if column.choices:
        words = ", ".join(literal(word) for word in column.choices)
        usable.append((f"{value} not in ({words})", f"is not one of {', '.join(column.choices)}"))
    usable += _bounds(column, value) + _special(table, column, value)
    missing: list[tuple[str, str]] = []
    if column.required:
        missing.append((f"{text} is null", "is empty, and every row needs it"))
    if column.kind in ("number", "money"):
        missing.append((f"regexp_full_match(lower({text}), {literal(_INFINITE)})", "is not a finite number"))
    if column.kind == "money":
        missing.append(
            (f"regexp_full_match({text}, '[+-]?\\d{{13,}}(\\.\\d*)?')", "is an amount of a trillion or more")
        )
    if column.kind not in ("id", "text"):
        missing.append((f"{text} is not null", _meant(column, source)))
    return f"case when {value} is not null then {_cases(usable)} else {_cases(missing)} end"


def _cases(tests: list[tuple[str, str]]) -> str:
    if not tests:
        return "null"
    return f"case {' '.join(f'when {test} then {literal(said)}' for test, said in tests)} end"


def _meant(column: Column, source: Source) -> str:
    formats = [one for one in source.formats if one != ISO]
    if column.kind in ("date", "time") and formats and source.family == "text":
        return f"is not written as {' or '.join(source.formats)}"
    return _MEANT.get(column.kind, "cannot be read")


def _bounds(column: Column, value: str) -> list[tuple[str, str]]:
    tests = []
    scale = 100 if column.kind == "money" else 1
    if column.low is not None:
        tests.append((f"{value} < {column.low * scale:g}", f"is below {column.low:g}"))
    if column.high is not None:
        tests.append((f"{value} > {column.high * scale:g}", f"is above {column.high:g}"))
    return tests


def _special(table: Table, column: Column, value: str) -> list[tuple[str, str]]:
    """Return the rules that hold for one column of the contract only."""
    if column.name == "currency":
        return [(f"not regexp_full_match({value}, '[A-Z]{{3}}')", "is not a currency code such as EUR")]
    if (table.name, column.name) == ("rates", "rate"):
        return [(f"{value} <= 0", "is not above 0")]
    if (table.name, column.name) == ("targets", "quarter"):
        return [(f"not regexp_full_match({value}, {literal(_QUARTER)})", "is not a quarter such as 2026-Q3")]
    if (table.name, column.name) == ("surveys", "score"):
        return [
            (f"v_kind = 'nps' and {value} not between 0 and 10", "is outside 0 to 10, the scale of nps"),
            (f"v_kind = 'csat' and {value} not between 1 and 5", "is outside 1 to 5, the scale of csat"),
        ]
    return []


def check_formats(formats: Sequence[str]) -> str:
    """Return what is wrong with day formats such as `%d-%m-%Y`; an empty text when nothing is."""
    for one in formats:
        if one != ISO and not re.search(r"%-?[YymdjbB]", one):
            return f"{one!r} is no day format; write one such as %d-%m-%Y, or {ISO!r}"
    return ""

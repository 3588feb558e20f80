"""mapping.toml: how other people's tables, columns and values become those of the contract."""

import datetime as dt
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cs_metrics.contract.tables import TABLES, Column, Table
from cs_metrics.contract.values import check_formats
from cs_metrics.errors import MappingError, hint

__all__ = ["FILE_NAME", "JoinMapping", "Mapping", "TableMapping", "read_mapping"]

FILE_NAME = "mapping.toml"
Formats = tuple[str, ...]
Kind = Literal["text", "number", "date", "bool"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _formats(given: Any) -> Any:
    formats = (given,) if isinstance(given, str) else given
    if isinstance(formats, (list, tuple)) and all(isinstance(one, str) for one in formats):
        wrong = check_formats(formats)
        if wrong:
            raise ValueError(wrong)
        return tuple(formats)
    return given


class JoinMapping(_Strict):
    """A second source whose columns are looked up by a key: at most one of its rows may have each key."""

    source: str = ""
    theirs: str
    ours: str

    @model_validator(mode="before")
    @classmethod
    def _same_name(cls, given: Any) -> Any:
        return {"theirs": given, "ours": given} if isinstance(given, str) else given


class TableMapping(_Strict):
    """How one table of the contract is read from the source."""

    source: str = ""
    query: str = ""
    where: str = ""
    columns: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, str | bool | int | float | dt.datetime | dt.date] = Field(default_factory=dict)
    expressions: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    join: dict[str, JoinMapping] = Field(default_factory=dict)
    date_format: Formats = ()
    date_formats: dict[str, Formats] = Field(default_factory=dict)
    attributes: dict[str, Kind] = Field(default_factory=dict)

    @field_validator("date_format", mode="before")
    @classmethod
    def _one_or_more(cls, given: Any) -> Any:
        return _formats(given)

    @field_validator("date_formats", mode="before")
    @classmethod
    def _each(cls, given: Any) -> Any:
        return {name: _formats(one) for name, one in given.items()} if isinstance(given, dict) else given

    @property
    def named(self) -> list[str]:
        """Every contract column that this mapping speaks of."""
        return [*self.columns, *self.constants, *self.expressions, *self.values, *self.date_formats]


class Mapping(_Strict):
    """The whole file. `attributes` of accounts, day formats and the share of rows that may be rejected."""

    max_rejected_share: float | None = Field(default=None, ge=0, le=1)
    date_format: Formats = ()
    tables: dict[str, TableMapping] = Field(default_factory=dict)

    @field_validator("date_format", mode="before")
    @classmethod
    def _one_or_more(cls, given: Any) -> Any:
        return _formats(given)

    @property
    def attributes(self) -> dict[str, Kind]:
        """The extra columns of accounts that are kept, with their kind."""
        accounts = self.tables.get("accounts")
        return dict(accounts.attributes) if accounts else {}

    def columns(self, table: Table) -> tuple[Column, ...]:
        """Return the columns of a table, for accounts with its attributes."""
        if table.name != "accounts":
            return table.columns
        extra = tuple(Column(name=name, kind=kind) for name, kind in self.attributes.items())
        return table.columns + extra

    def formats(self, table: str, column: str) -> Formats:
        """Return the day formats of a column; none means ISO 8601."""
        mapped = self.tables.get(table)
        if mapped is None:
            return self.date_format
        return mapped.date_formats.get(column) or mapped.date_format or self.date_format


def read_mapping(path: Path | None) -> Mapping:
    """Return the mapping in a file, an empty one without a file; `MappingError` says which entry is wrong and why."""
    if path is None:
        return Mapping()
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise MappingError(f"There is no mapping file {path}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingError(f"{path} cannot be read: {error}.") from None
    try:
        mapping = Mapping.model_validate(given)
    except ValidationError as error:
        raise MappingError(f"{path}: {_said(error)}") from None
    for table, mapped in mapping.tables.items():
        _check(path, table, mapped, mapping)
    return mapping


def _said(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("str", "bool", "int"))
    if first["type"] == "extra_forbidden":
        models: dict[int, type[BaseModel]] = {1: Mapping, 3: TableMapping, 5: JoinMapping}
        model = models.get(len(first["loc"]), TableMapping)
        return f"{where}: unknown entry.{hint(str(first['loc'][-1]), model.model_fields)}"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}."


def _check(path: Path, table: str, mapped: TableMapping, mapping: Mapping) -> None:
    if table not in TABLES:
        raise MappingError(f"{path}: tables.{table} is no table of the contract.{hint(table, TABLES)}")
    if mapped.attributes and table != "accounts":
        raise MappingError(f"{path}: tables.{table}: only accounts may have attributes.")
    for name in mapped.attributes:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in TABLES["accounts"].fact_columns or _is_column(name):
            raise MappingError(
                f"{path}: tables.accounts.attributes.{name}: an attribute needs a name of its own in small letters, "
                "digits and underscores."
            )
    known = [one.name for one in mapping.columns(TABLES[table])]
    for name in mapped.named:
        if name not in known:
            raise MappingError(f"{path}: tables.{table}: unknown column '{name}'.{hint(name, known)}")
    given = [*mapped.columns, *mapped.constants, *mapped.expressions]
    twice = next((name for name in given if given.count(name) > 1), None)
    if twice:
        raise MappingError(
            f"{path}: tables.{table}: '{twice}' is given twice; use one of columns, constants, expressions."
        )
    if mapped.query and (given or mapped.source or mapped.where or mapped.join):
        raise MappingError(
            f"{path}: tables.{table}: a query stands alone; put source, where, join, columns, constants and expressions into it."
        )


def _is_column(name: str) -> bool:
    return any(name == one.name for one in TABLES["accounts"])

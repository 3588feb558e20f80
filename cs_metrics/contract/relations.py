"""Fact files as relations: SQL that reads exactly the columns that a table has today."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from cs_metrics.contract.sql import name, path_literal
from cs_metrics.contract.tables import SQL_TYPES, Table

__all__ = ["empty_relation", "fact_columns", "files_relation"]


def fact_columns(table: Table, attributes: dict[str, str]) -> dict[str, str]:
    """Return the columns of a fact file with their types; those of accounts end with the attributes."""
    extra = {word: SQL_TYPES[kind] for word, kind in attributes.items()} if table.name == "accounts" else {}
    return table.fact_columns | extra


def empty_relation(columns: dict[str, str]) -> str:
    """Return SQL of a relation with these columns and no rows."""
    return (
        "(select "
        + ", ".join(f"cast(null as {kind}) as {name(word)}" for word, kind in columns.items())
        + " where false)"
    )


def files_relation(
    connection: duckdb.DuckDBPyConnection, data_dir: Path, files: Sequence[str], columns: dict[str, str]
) -> str:
    """Return SQL of the rows of fact files with exactly these columns; one that a file lacks is unknown."""
    if not files:
        return empty_relation(columns)
    source = f"read_parquet([{', '.join(path_literal(data_dir / file) for file in files)}], union_by_name = true, hive_partitioning = false)"
    held = {str(row[0]) for row in connection.execute(f"describe select * from {source}").fetchall()}
    chosen = (name(word) if word in held else f"cast(null as {kind}) as {name(word)}" for word, kind in columns.items())
    return f"(select {', '.join(chosen)} from {source})"

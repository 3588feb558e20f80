"""The few pieces of SQL text that cannot be bound as parameters: names, and literals inside views and casts."""

import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["listed", "literal", "name", "path_literal"]


def name(word: str) -> str:
    """Return a column or table name, quoted."""
    return '"' + word.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text literal."""
    return "'" + text.replace("'", "''") + "'"


def path_literal(path: Path) -> str:
    """Return a path to be read, with the characters that would make it a pattern taken literally."""
    return literal(re.sub(r"([*?\[])", r"[\1]", str(path)))


def listed(words: Iterable[str]) -> str:
    """Return names, quoted and separated by commas."""
    return ", ".join(name(word) for word in words)

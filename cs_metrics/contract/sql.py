"""The few pieces of SQL text that cannot be bound as parameters: names, and literals inside views and casts."""

from collections.abc import Iterable

__all__ = ["listed", "literal", "name"]


def name(word: str) -> str:
    """Return a column or table name, quoted."""
    return '"' + word.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text literal."""
    return "'" + text.replace("'", "''") + "'"


def listed(words: Iterable[str]) -> str:
    """Return names, quoted and separated by commas."""
    return ", ".join(name(word) for word in words)

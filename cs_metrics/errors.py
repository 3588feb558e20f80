"""Every error that the product raises on purpose; each message is one sentence for the person who can act on it.

CsMetricsError
├── ConfigError       data/config.toml cannot be used
├── LoadError         a load was refused, the published data is unchanged
│   └── MappingError  mapping.toml cannot be used
├── StoreError        the published data cannot be opened
│   └── NothingPublished
├── MetricError       a question cannot be asked like that (unknown name, option or value)
├── MissingTable      the question needs a table that was never loaded
└── WorkspaceError    what was written cannot be kept like that, or the workspace cannot be opened
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ConfigError",
    "CsMetricsError",
    "LoadError",
    "MappingError",
    "MetricError",
    "MissingTable",
    "NothingPublished",
    "StoreError",
    "WorkspaceError",
    "hint",
]


class CsMetricsError(Exception):
    """Something that the user can put right; the message says what, where and how."""


class ConfigError(CsMetricsError):
    """The configuration file holds something that cannot be used."""


class LoadError(CsMetricsError):
    """A load was refused; the published data is exactly as it was."""


class MappingError(LoadError):
    """mapping.toml names something that does not exist or cannot be read."""


class StoreError(CsMetricsError):
    """The published data cannot be opened."""


class NothingPublished(StoreError):
    """No generation has been published in this data folder yet."""


class MetricError(CsMetricsError):
    """A metric was asked for with a name, an option or a value that it does not take."""


class MissingTable(CsMetricsError):
    """A question needs a table of the contract that holds no rows."""

    def __init__(self, table: str, question: str) -> None:
        self.table = table
        self.question = question
        super().__init__(f"{question} needs the table '{table}', and no rows of it were loaded; see docs/loading.md")


class WorkspaceError(CsMetricsError):
    """Something that a person wrote cannot be kept, or the workspace cannot be read or written."""


def hint(word: str, known: Iterable[str]) -> str:
    """Return ' Did you mean …?' with the nearest of `known` words, or the whole list where none is near."""
    words = sorted(known)
    near = get_close_matches(word, words, n=3, cutoff=0.6)
    if near:
        return f" Did you mean {' or '.join(repr(one) for one in near)}?"
    return f" Known: {', '.join(words)}." if words else ""

"""Which accounts a question is about: a filter over the columns of accounts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cs_metrics.errors import MetricError, hint

if TYPE_CHECKING:
    from cs_metrics.store import Store

__all__ = ["EVERYTHING", "Scope"]


@dataclass(frozen=True)
class Scope:
    """Accounts whose columns have one of the given values: all columns must agree, any value of a column will do.

    Values are compared as text; the empty text means "unknown". `Scope.of(segment=["SMB"], csm="CSM 1")`.
    """

    where: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, where: Mapping[str, str | Iterable[str]] | None = None, **columns: str | Iterable[str]) -> "Scope":
        """Return the scope of these columns; a column without values does not narrow it."""
        given = {**(where or {}), **columns}
        pairs = {name: (value,) if isinstance(value, str) else tuple(sorted(value)) for name, value in given.items()}
        return cls(tuple(sorted((name, values) for name, values in pairs.items() if values)))

    def also(self, **columns: str | Iterable[str]) -> "Scope":
        """Return this scope narrowed further by more columns."""
        return Scope.of({**dict(self.where), **columns})

    def relation(self, store: "Store") -> tuple[str, dict[str, Any]]:
        """Return the query that selects the accounts, and its parameters; `MetricError` for an unknown column."""
        conditions, bound = [], {}
        for index, (column, values) in enumerate(self.where):
            if column not in store.account_columns:
                known = store.account_columns
                raise MetricError(f"accounts has no column '{column}'.{hint(column, known)}")
            name = f"scope_{index}"
            text = f"coalesce(cast(accounts.\"{column}\" as varchar), '')"
            conditions.append(f"{text} = any(${name})")
            bound[name] = list(values)
        text = "select account_id from accounts"
        return f"{text} where {' and '.join(conditions)}" if conditions else text, bound


EVERYTHING = Scope()

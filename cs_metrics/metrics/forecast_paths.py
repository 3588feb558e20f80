"""The simulated books behind the forecast and everything that asks how sure it is: made once, then shared."""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.config import Forecast
from cs_metrics.metrics.forecast_inputs import DAYS_PER_MONTH, book_and_rates
from cs_metrics.metrics.scope import Scope
from cs_metrics.models import forecast as model
from cs_metrics.store import Store

__all__ = [
    "LEVELS",
    "MOVES",
    "Ahead",
    "ahead",
    "look",
    "month_ends",
    "part_of",
    "rows_of",
    "run",
    "simulate",
    "stored",
    "to_the_cent",
]

T = TypeVar("T")
LEVELS = {"": 0.8, "_50": 0.5, "_95": 0.95}
MOVES = ("renewals", "expansion", "contraction", "churn")


@dataclass(frozen=True)
class Ahead:
    """A book and what may become of it: the months (first days, lengths), the pieces, the rates, the expected walk.

    `pieces` tells the account, contract and end of each piece, in the order of the book.
    """

    starts: tuple[dt.date, ...]
    lengths: model.Floats
    pieces: pd.DataFrame
    book: model.Book
    rates: model.Rates
    walk: model.Walk

    @property
    def quarters(self) -> list[int]:
        """The calendar quarter of each month."""
        return [start.year * 4 + (start.month - 1) // 3 for start in self.starts]

    def fingerprint(self, settings: Forecast) -> str:
        """Return a text that differs when anything differs on which the paths rest."""
        found = hashlib.sha256(repr((model.VERSION, settings.paths, settings.seed, self.starts)).encode())
        for part in (self.book, self.rates):
            for one in fields(part):
                value = getattr(part, one.name)
                found.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
        return found.hexdigest()


_KEPT: WeakKeyDictionary[Store, dict[tuple[Any, ...], Any]] = WeakKeyDictionary()
_MOST_KEPT = 6


def _kept(store: Store, key: tuple[Any, ...], make: Callable[[], T]) -> T:
    """Return what was made for a key, made now where it was not; of each store the last few are kept."""
    found = _KEPT.setdefault(store, {})
    whole = (*key, store.config.model_dump_json(include={"forecast", "renewals", "health"}))
    if whole not in found:
        made = make()
        for old in list(found)[: max(0, len(found) + 1 - _MOST_KEPT)]:
            found.pop(old, None)
        found[whole] = made
        return made
    kept: T = found[whole]
    return kept


def ahead(store: Store, as_of: dt.date, scope: Scope, count: int) -> Ahead:
    """Return the book of the as-of day with its rates and its expected walk over so many months."""
    return _kept(store, ("ahead", as_of, scope, count), lambda: look(store, as_of, scope, count))


def look(store: Store, as_of: dt.date, scope: Scope, count: int) -> Ahead:
    """Return what `ahead` returns, not kept for later."""
    starts = [periods.add_months(periods.month_start(as_of), step) for step in range(1, count + 1)]
    lengths = np.ones(count)
    lengths[0] += periods.days_between(as_of, periods.month_end(as_of)) / DAYS_PER_MONTH
    pieces, book, rates = book_and_rates(store, as_of, scope, [as_of, *starts[1:]], month_ends(starts))
    return Ahead(tuple(starts), lengths, pieces, book, rates, model.expected(book, rates, lengths))


def month_ends(starts: Sequence[dt.date]) -> list[dt.date]:
    """Return the last days of months."""
    return [periods.month_end(start) for start in starts]


def simulate(store: Store, as_of: dt.date, scope: Scope, count: int) -> model.Paths:
    """Return the simulated paths of `ahead`, as many as forecast.paths says; the last ones asked for are kept."""
    of = ahead(store, as_of, scope, count)
    return _kept(store, ("paths", as_of, scope, count), lambda: run(of, store.config.forecast))


def run(of: Ahead, settings: Forecast, **more: model.Floats | Sequence[int] | None) -> model.Paths:
    """Simulate a book with the number of paths and the seed of the settings."""
    asked = {"quarters": of.quarters, "count": settings.paths, "seed": settings.seed, **more}
    return model.paths(of.book, of.rates, of.lengths, of.walk, **asked)  # type: ignore[arg-type]


def part_of(scope: Scope) -> str | None:
    """Return which part of the book that is kept with the data a scope asks for: '' all of it, a segment as '=name'."""
    if not scope.where:
        return ""
    (column, values), *others = scope.where
    return f"={values[0]}" if column == "segment" and len(values) == 1 and not others else None


def stored(store: Store, as_of: dt.date, part: str, count: int) -> pd.DataFrame | None:
    """Return the first months of a forecast that was computed with the data, None where there are not so many.

    `part` is a part of the book as of `part_of`, or '=*' for every segment. The first months of a longer forecast are
    those of a shorter one.
    """
    which = "part like '=%'" if part == "=*" else "part = $part"
    sql = f"select * from forecast_run where as_of = $as_of and {which} order by part, month"
    found = store.frame(sql, as_of=as_of, part=part).drop(columns=["as_of", "fingerprint"])
    found = found.groupby("part", sort=False).head(count).reset_index(drop=True)
    return found if len(found) and len(found) == count * found["part"].nunique() else None


def to_the_cent(walk: model.Walk, groups: Sequence[int]) -> tuple[float, dict[str, model.Floats], model.Floats]:
    """Return the opening, the moves and the closing of some groups in whole cents that add up."""
    chosen = list(groups)
    moves = {name: np.round(getattr(walk, name)[chosen], 2).sum(axis=0).round(2) for name in MOVES}
    opening = float(np.round(np.round(walk.opening[chosen, 0], 2).sum(), 2))
    return opening, moves, np.round(opening + np.cumsum(sum(moves.values())), 2)


def rows_of(of: Ahead, drawn: model.Floats, groups: Sequence[int], level: float = LEVELS[""]) -> pd.DataFrame:
    """Return the months of some groups together: the expected walk to the cent, and the intervals of their common paths."""
    walk, chosen = of.walk, list(groups)
    opening, moves, closing = to_the_cent(walk, chosen)
    found = pd.DataFrame({"month": pd.to_datetime(list(of.starts)).astype("datetime64[us]")})
    found["opening"] = np.concatenate([[opening], closing[:-1]])
    for name, amounts in moves.items():
        found[name] = amounts
    found["expected_arr"] = closing
    joint = drawn[chosen].sum(axis=0)
    for suffix, share in {**LEVELS, "": level}.items():
        low, high = np.quantile(joint, [(1 - share) / 2, (1 + share) / 2], axis=1)
        found[f"low{suffix}"] = np.minimum(np.round(low, 2), closing)
        found[f"high{suffix}"] = np.maximum(np.round(high, 2), closing)
    for name, amounts in (("due_arr", walk.due), ("renewed_arr", walk.renewed)):
        found[name] = np.round(amounts[chosen], 2).sum(axis=0).round(2)
    return found

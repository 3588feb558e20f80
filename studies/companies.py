"""Companies to study: written, loaded and published in temporary folders, of which the last few are kept."""

import atexit
import json
import tempfile
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cs_metrics import demo
from cs_metrics.contract.load import load
from cs_metrics.store import Database, Store

__all__ = ["company", "company_of"]

_KEPT = 5


def company(
    seed: int,
    *,
    accounts: int = 400,
    months: int = 36,
    events: int = 0,
    tables: Collection[str] | None = None,
) -> tuple[Store, dict[str, Any]]:
    """Return an invented company and what is true of it by construction (truth.json of the demo).

    With `events=0` there are the events that are sure to happen: first times and the weekly key actions. `tables`
    are the tables to load beside the events and the rates, all of them by default; fewer load faster. The store can
    be asked until four more companies have been made: its folder is then removed.
    """

    def write(folder: Path) -> dict[str, Any]:
        demo.write(folder, accounts=accounts, months=months, events=events, seed=seed)
        truth: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        for path in folder.glob("*.parquet"):
            if tables is not None and path.stem not in {*tables, "rates"}:
                path.unlink()
        return truth

    wanted = None if tables is None else frozenset(tables)
    found = _published((seed, accounts, months, events, wanted), write)
    return found.database.current(), found.truth


def company_of(tables: Mapping[str, pd.DataFrame]) -> Store:
    """Return the store of a company given as rows of contract tables; it lives as long as one of `company`."""

    def write(folder: Path) -> dict[str, Any]:
        for name, rows in tables.items():
            rows.to_parquet(folder / f"{name}.parquet", index=False)
        return {}

    return _published(object(), write).database.current()


@dataclass(frozen=True)
class _Open:
    """A company that is open, its folder and what is true of it."""

    folder: tempfile.TemporaryDirectory[str]
    database: Database
    truth: dict[str, Any]

    def close(self) -> None:
        """Close the company and remove its folder."""
        self.database.close()
        self.folder.cleanup()


_OPEN: dict[Hashable, _Open] = {}


def _published(key: Hashable, write: Callable[[Path], dict[str, Any]]) -> _Open:
    if key in _OPEN:
        _OPEN[key] = _OPEN.pop(key)
        return _OPEN[key]
    while len(_OPEN) >= _KEPT:
        _OPEN.pop(next(iter(_OPEN))).close()
    folder = tempfile.TemporaryDirectory(prefix="cs-metrics-study-")
    source, data = Path(folder.name) / "source", Path(folder.name) / "data"
    source.mkdir()
    try:
        truth = write(source)
        record = load(source, data)
        if record.status != "published":
            raise RuntimeError(f"The company could not be loaded: {record.reason}")
    except BaseException:
        folder.cleanup()
        raise
    _OPEN[key] = _Open(folder, Database.open(data), truth)
    return _OPEN[key]


@atexit.register
def _close_all() -> None:
    while _OPEN:
        _OPEN.popitem()[1].close()

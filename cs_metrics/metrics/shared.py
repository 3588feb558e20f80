"""Steps that several metrics of a page share, computed once for a state of the data and of the settings."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any
from weakref import WeakKeyDictionary

import pandas as pd

from cs_metrics.config import Config
from cs_metrics.store import Query, Store, replay, trace

__all__ = ["shared"]

_KEPT = 32
_Kept = tuple[Config, pd.DataFrame, tuple[Query, ...]]
_MADE: WeakKeyDictionary[Store, OrderedDict[Hashable, _Kept]] = WeakKeyDictionary()
_LOCK = threading.Lock()


def shared(store: Store, name: str, make: Callable[..., pd.DataFrame], **about: Any) -> pd.DataFrame:
    """Return the rows that `make(store, **about)` returns, from memory where the same was asked of the same state.

    What it asked the database counts as asked by each metric that shares it. The frame is the caller's to change:
    its columns are shared until they are written.
    """
    key, config = (name, tuple(sorted(about.items(), key=lambda one: one[0]))), store.config
    with _LOCK:
        kept = _MADE.setdefault(store, OrderedDict())
        found = kept.get(key)
        if found is not None:
            kept.move_to_end(key)
    if found is None or found[0] is not config:
        with trace() as queries:
            rows = make(store, **about)
        found = config, rows, tuple(queries)
        with _LOCK:
            kept[key] = found
            while len(kept) > _KEPT:
                kept.popitem(last=False)
    replay(found[2])
    return found[1].copy(deep=False)

"""The forecasts of past quarter-ends and of the newest day, for the whole book and each segment, with what came of them.

Only books large enough to be worth it are kept: what is not here is computed when it is asked for, to the same numbers.
"""

import datetime as dt

import pandas as pd

from cs_metrics.metrics.forecast_paths import LEVELS, MOVES, look, rows_of
from cs_metrics.metrics.forecast_paths import run as simulate
from cs_metrics.metrics.forecast_rivals import COLUMNS, HORIZONS, quarter_ends, rivals
from cs_metrics.metrics.scope import EVERYTHING
from cs_metrics.store import Draft, Store

__all__ = ["TABLES", "run"]

_LEAST_CUSTOMERS = 50  # smaller books are forecast faster than they are looked up
_AMOUNTS = ("opening", *MOVES, "expected_arr", *(f"{edge}{one}" for one in LEVELS for edge in ("low", "high")))
_RUN = {
    "as_of": "date",
    "part": "varchar",
    "month": "date",
    **dict.fromkeys((*_AMOUNTS, "due_arr", "renewed_arr"), "double"),
    "fingerprint": "varchar",
}
_KINDS = {"str": "varchar", "datetime64[us]": "date", "int64": "bigint", "float64": "double"}
_PAST = {name: _KINDS[kind] for name, kind in COLUMNS.items()}
TABLES = {"forecast_run": _RUN, "forecast_past": _PAST}

_IS_THERE = "select 1 from information_schema.tables where table_catalog = $catalog and table_name = 'forecast_run'"
_COUNTED = "select count(*) from mrr_interval where from_day <= $day and (to_day is null or to_day > $day)"


def run(draft: Draft) -> dict[str, pd.DataFrame]:
    """Return the kept forecasts (`forecast_run`) and what became of past books beside their rivals (`forecast_past`).

    A forecast of the generation before is taken over when all that it rests on is the same.
    """
    store = draft.store
    if not store.has("subscriptions") or store.value(_COUNTED, day=store.newest_day) < _LEAST_CUSTOMERS:
        return {}
    days, earlier = quarter_ends(store, store.newest_day), _earlier(draft.earlier)
    runs = [_run(store, day, earlier) for day in sorted({*days, store.newest_day})]
    past = (
        rivals(store, as_of=store.newest_day, scope=EVERYTHING, days=days) if days else pd.DataFrame(columns=[*_PAST])
    )
    return {"forecast_run": pd.concat(runs, ignore_index=True), "forecast_past": past}


def _run(store: Store, day: dt.date, earlier: dict[str, pd.DataFrame]) -> pd.DataFrame:
    settings = store.config.forecast
    of = look(store, day, EVERYTHING, max(settings.months, *HORIZONS))
    mark = of.fingerprint(settings)
    if mark in earlier:
        return earlier[mark]
    drawn, names = simulate(of, settings).closing, of.book.groups
    parts = {"": list(range(len(names))), **{f"={name}": [at] for at, name in enumerate(names)}}
    rows = [rows_of(of, drawn, groups).assign(part=part) for part, groups in parts.items()]
    return pd.concat(rows, ignore_index=True).assign(as_of=pd.Timestamp(day), fingerprint=mark)


def _earlier(store: Store | None) -> dict[str, pd.DataFrame]:
    """Return the forecasts of the generation before by what they rest on; none where it has no such table."""
    if store is None or not store.rows(_IS_THERE, catalog=f"g{store.number}"):
        return {}
    kept = store.frame("select * from forecast_run")
    return {str(mark): rows for mark, rows in kept.groupby("fingerprint")}

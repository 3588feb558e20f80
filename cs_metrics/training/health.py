"""The health score's record, made with a generation: its trial and the suggested weights at the end of each quarter."""

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.health_outcomes import outcomes
from cs_metrics.metrics.health_record import HORIZONS, TRIAL, WEIGHTS, panel, quarter_ends, trials
from cs_metrics.metrics.scope import EVERYTHING
from cs_metrics.models.health_weights import suggest
from cs_metrics.store import Draft

__all__ = ["TABLES", "run"]

TABLES = {"health_trial": TRIAL, "suggested_weights": WEIGHTS}


def run(draft: Draft) -> dict[str, pd.DataFrame]:
    """Return the rows of both tables, for every quarter that is over by the newest day.

    A quarter that ends within a week is there too: asked on its last day, when nothing more has happened, it is over.
    """
    store = draft.store
    if not store.has("subscriptions"):
        return {}
    days = quarter_ends(store, periods.add_days(store.newest_day, 6))
    found: dict[str, list[pd.DataFrame]] = {"health_trial": [], "suggested_weights": []}
    for day in days:
        for horizon in HORIZONS:
            if periods.add_days(day, -horizon) < store.oldest_day:
                continue
            rows = outcomes(store, as_of=day, scope=EVERYTHING, horizon_days=horizon, snapshots=1)
            found["health_trial"].append(trials(rows, store, horizon).assign(closing_day=day))
    together = panel(store, days)
    if len(together):
        segments = ["", *sorted(one for one in together["segment"].unique() if one)]
        found["suggested_weights"] += [
            pd.DataFrame(suggest(together, segment, store.config.health)) for segment in segments
        ]
    return {name: pd.concat(parts, ignore_index=True) for name, parts in found.items() if parts}

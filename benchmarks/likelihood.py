"""Measure how long it takes to learn, score and store the likelihood of renewal, on a company with many decisions.

usage: python -m benchmarks.likelihood [--decisions 50000]
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cs_metrics.store import draft, generation_path
from cs_metrics.training.likelihood import train
from cs_metrics.training.likelihood_tables import TABLES
from studies.companies import company_of

__all__ = ["measured"]

_YEARS = 4


def tables(decisions: int) -> dict[str, pd.DataFrame]:
    """Return yearly contracts over four years, each of an account of its own; who lost a sponsor or asked little leaves more."""
    rng = np.random.default_rng(7)
    ids = pd.Series([f"a{at:06d}" for at in range(decisions)])
    ends = pd.Timestamp("2022-07-01") + pd.to_timedelta(rng.integers(0, _YEARS * 365, decisions), unit="D")
    starts = ends - pd.Timedelta(days=365)
    left, tickets = rng.random(decisions) < 0.15, rng.poisson(2, decisions)
    is_lost = rng.random(decisions) < 1 / (1 + np.exp(1.0 + 0.5 * tickets - 2.0 * left))
    day = {"starts_on": starts.strftime("%Y-%m-%d"), "ends_on": ends.strftime("%Y-%m-%d")}
    segment = np.array(["SMB", "Mid-market", "Enterprise"])[rng.integers(0, 3, decisions)]
    whose, asked = ids.repeat(tickets), pd.Series(ends).repeat(tickets)
    opened = asked - pd.to_timedelta(rng.integers(95, 260, len(asked)), unit="D")
    gone = (ends - pd.Timedelta(days=150)).strftime("%Y-%m-%d")
    return {
        "accounts": pd.DataFrame({"account_id": ids, "name": ids, "started_on": day["starts_on"], "segment": segment}),
        "subscriptions": pd.DataFrame({"subscription_id": ids, "account_id": ids, **day, "mrr": 100}),
        "contracts": pd.DataFrame(
            {
                "contract_id": ids,
                "account_id": ids,
                **day,
                "arr": 1200,
                "outcome": np.where(is_lost, "churned", "renewed"),
                "decided_on": (ends - pd.Timedelta(days=5)).strftime("%Y-%m-%d"),
            }
        ),
        "contacts": pd.DataFrame(
            {
                "contact_id": ids,
                "account_id": ids,
                "role": "sponsor",
                "since": day["starts_on"],
                "left_on": np.where(left, gone, None),
            }
        ),
        "tickets": pd.DataFrame(
            {
                "ticket_id": [f"t{at}" for at in range(len(whose))],
                "account_id": whose.to_numpy(),
                "opened_at": opened.dt.strftime("%Y-%m-%dT10:00:00").to_numpy(),
            }
        ),
    }


def measured(decisions: int) -> Iterator[tuple[str, str]]:
    """Yield what was measured, by name: the step alone, its marts being built already."""
    store = company_of(tables(decisions))
    path = generation_path(store.data_dir, store.number)
    store.root.execute(f"detach g{store.number}")
    with draft(path, store.number, store.data_dir) as made:
        wall, processor = time.perf_counter(), time.process_time()
        found = train(made)
        for name, columns in TABLES.items():
            made.write(name, columns, found.get(name, pd.DataFrame(columns=list(columns))))
        yield "decisions", f"{decisions:,}"
        yield "trainings", f"{found['renewal_training']['trained_on'].nunique()}"
        yield "weekly scores", f"{len(found.get('renewal_score', ())):,}"
        yield "learned, scored and stored", f"{time.perf_counter() - wall:.1f} s"
        yield "… processor time", f"{time.process_time() - processor:.1f} s"


if __name__ == "__main__":
    words = argparse.ArgumentParser(prog="python -m benchmarks.likelihood", description=__doc__.splitlines()[0])
    words.add_argument("--decisions", type=int, default=50_000)
    for label, value in measured(words.parse_args().decisions):
        print(f"| {label} | {value} |")

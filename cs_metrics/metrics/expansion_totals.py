"""The opportunities summed up: by kind and in total, with the rule behind each kind and the page's answer in a sentence."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd

from cs_metrics.metrics import expansion_value as value
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion import expansion
from cs_metrics.metrics.expansion_rules import RULES
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["expansion_kinds", "expansion_totals", "headline", "summed"]


@metric(needs=("subscriptions",), reads=("expansion",), page="Expansion")
def expansion_kinds(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """The seven kinds of opportunity: when each rule fires, what it lacks, and how often such offers were won.

    The chances are those of all accounts, whatever the scope.

    Columns:
        kind, name: the kind and its name
        rule: when the rule fires, with the thresholds in force
        missing: tables that the rule needs and that hold no rows, empty when it is on
        likelihood, likelihood_low, likelihood_high: chance to win with its 95% interval, empty bounds where it is configured
        won, decided: the cases behind it
        likelihood_support: how the chance came about
    """
    rates, settings = value.win_rates(store, as_of), store.config.expansion
    rows = []
    for rule in RULES:
        chance = value.likelihood_of(rule.kind, rates, settings)
        rows.append(
            {
                "kind": rule.kind,
                "name": rule.name,
                "rule": rule.says(settings),
                "missing": ", ".join(rule.missing(store)),
                "likelihood": chance.rate,
                "likelihood_low": chance.low,
                "likelihood_high": chance.high,
                "won": chance.won,
                "decided": chance.decided,
                "likelihood_support": chance.says,
            }
        )
    return pd.DataFrame(rows).astype({"likelihood_low": "float64", "likelihood_high": "float64"})


@metric(needs=("subscriptions",), reads=("expansion",), page="Expansion")
def expansion_totals(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Sums over the opportunities of `expansion`, by kind and in total: how many are ready, their ARR, what is expected.

    One row per rule, also for those that found nothing or lack their table, and a last row `total`. The total leaves
    out leads at other companies (sponsors who moved), which are no expansion of a customer: they are the kind sponsor.
    What was postponed or dismissed is in no sum.

    Columns:
        kind, name: the kind and its name, or total
        rule: when the rule fires, with the thresholds in force
        missing: tables that the rule needs and that hold no rows, empty when it is on
        offers, accounts, ready, blocked: opportunities, accounts with one, opportunities that nothing holds back, the others
        arr, ready_arr, blocked_arr: estimated ARR of all, of the ready, of the others
        expected_arr, ready_expected_arr: arr × likelihood of all, of the ready
        unpriced: opportunities without an estimate, in no sum of ARR
        likelihood, likelihood_low, likelihood_high: chance to win with its 95% interval; empty in the total
        won, decided, likelihood_support: the cases behind it, and how it came about; empty in the total
    """
    return summed(expansion(store, as_of=as_of, scope=scope), expansion_kinds(store, as_of=as_of, scope=scope))


def summed(found: pd.DataFrame, kinds: pd.DataFrame) -> pd.DataFrame:
    """Return `expansion_totals` from the rows of `expansion` and `expansion_kinds`."""
    rows = [{**kind, **_sums(found[found["kind"] == kind["kind"]])} for kind in kinds.to_dict("records")]
    here = _sums(found[found["kind"] != "sponsor"])
    about = {"kind": "total", "name": "Total", "rule": "All but the leads at other companies", "missing": ""}
    rows.append({**about, "likelihood_support": "", **here})
    first = ["kind", "name", "rule", "missing", *here]
    frame = pd.DataFrame(rows).astype({"won": "Int64", "decided": "Int64"})
    return frame[[*first, *(one for one in frame.columns if one not in first)]]


def _sums(found: pd.DataFrame) -> dict[str, Any]:
    ready = found[found["is_ready"]]
    return {
        "offers": len(found),
        "accounts": int(found["account_id"].nunique()),
        "ready": len(ready),
        "blocked": len(found) - len(ready),
        "arr": float(found["arr"].sum()),
        "ready_arr": float(ready["arr"].sum()),
        "blocked_arr": float(found.loc[~found["is_ready"], "arr"].sum()),
        "expected_arr": float(found["expected_arr"].sum()),
        "ready_expected_arr": float(ready["expected_arr"].sum()),
        "unpriced": int(found["arr"].isna().sum()),
    }


def headline(totals: pd.DataFrame, money: Callable[[float], str]) -> str:
    """Return the answer of the Expansion page from `expansion_totals`; `money` says an amount."""
    row: Any = totals.set_index("kind").loc["total"]
    if not row["offers"]:
        rules = totals[totals["kind"] != "total"]
        if len(rules) and all(rules["missing"]):
            return "No rule can look for opportunities: the tables that they read were not loaded."
        return "No rule finds an opportunity among these customers on this day."
    if not row["ready"]:
        waiting = words.plural(row["blocked"], "opportunity worth {} has", "opportunities worth {} have")
        return f"Nothing is ready to be sold now; {waiting.format(money(row['blocked_arr']))} to wait."
    ready = words.plural(row["ready"], "opportunity is", "opportunities are")
    return (
        f"{ready} ready now, worth {money(row['ready_arr'])} of ARR, of which {money(row['ready_expected_arr'])} can be expected once deals are opened; "
        f"{words.amount(row['blocked'])} more worth {money(row['blocked_arr'])} have to wait."
    )

"""Where the model and the owner's own call differ most in money."""

import datetime as dt

import pandas as pd

from cs_metrics.metrics.call_record import implied_by_calls
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.renewals import pipeline_rows
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["renewal_disagreement"]


@metric(needs=("contracts",), reads=("renewal",), page="Renewals")
def renewal_disagreement(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, days: int | None = None
) -> pd.DataFrame:
    """The contracts of the pipeline with an owner's own call, where it and the likelihood differ most in money first.

    A call implies a likelihood: how often such calls of the same person came true, where at least
    renewals.call_record_min of them, written before the outcome, were decided; else how often those of all owners did; else
    what the settings state. `days` is renewals.window_days by default.

    Formula: gap_arr = (implied - likelihood) × arr: above 0 the owner hopes for more than the model.
    Columns:
        contract_id, account_id, name, segment, owner, ends_on, days_left, arr: the contract
        owner_call: commit, best_case or at_risk
        called_on, called_by: since when and by whom, empty for an imported call
        implied: the likelihood that the call implies
        implied_by: own record, all owners, or as stated
        likelihood: the model's
        owner_arr, model_arr: implied × arr, likelihood × arr
        gap_arr: their difference
        side: owner hopes for more, model hopes for more, or agree (less than one cent apart)
    """
    found = pipeline_rows(store, as_of, scope, days)
    found = found[found["owner_call"].notna() & found["likelihood"].notna()].reset_index(drop=True)
    who = found["called_by"].where(found["called_by"].notna(), found["owner"])
    found = found.join(implied_by_calls(store, as_of, who, found["owner_call"]))
    found["owner_arr"], found["model_arr"] = found["implied"] * found["arr"], found["expected_arr"]
    found["gap_arr"] = (found["owner_arr"] - found["model_arr"]).round(2)
    sides = {1: "owner hopes for more", -1: "model hopes for more", 0: "agree"}
    found["side"] = pd.array([sides[int(one > 0) - int(one < 0)] for one in found["gap_arr"]], dtype="str")
    found = found.assign(size=found["gap_arr"].abs())
    found = found.sort_values(["size", "contract_id"], ascending=[False, True], ignore_index=True)
    return found[
        [
            "contract_id", "account_id", "name", "segment", "owner", "ends_on", "days_left", "arr", "owner_call", "called_on",
            "called_by", "implied", "implied_by", "likelihood", "owner_arr", "model_arr", "gap_arr", "side",
        ]
    ]  # fmt: skip

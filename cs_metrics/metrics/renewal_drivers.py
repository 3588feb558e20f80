"""What moved the forecast of each contract between two days: decided, slipped, new, corrected, or which driver it was."""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics.metrics.likelihood_parts import BASE, likelihood_parts
from cs_metrics.metrics.renewal_snapshot import shown_before, snapshot
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store

__all__ = ["LATER_MODEL", "ORDER", "OTHER", "moves"]

ORDER = ("opening", "corrected", "new", "left", "won", "lost", "slipped", "amount", "likelihood", "closing")
LATER_MODEL = "later learning"  # the same facts, weighed by a later training
OTHER = "time and health"  # where the likelihood is a base rate, or the contract is past its end
_TINY = 1e-9
_ABOUT = ["contract_id", "account_id", "name", "owner", "ends_on"]


def moves(
    store: Store, as_of: dt.date, scope: Scope, first: dt.date, last: dt.date, before: dt.date, after: dt.date
) -> pd.DataFrame:
    """Return the rows behind the bars: one per contract, cause and driver, with whole cents.

    Columns: contract_id, account_id, name, owner, ends_on, cause, driver, arr, likelihood_before, likelihood_after,
    forecast_before, forecast_after, cents (NaN where a likelihood is not known), why
    """
    old, new = (snapshot(store, day, scope, first, last) for day in (before, after))
    shown = shown_before(store, before, as_of)
    both = old.merge(new, on="contract_id", how="outer", suffixes=("_before", "_after"), sort=True)
    both = both.merge(shown, on="contract_id", how="left")
    for name in ("account_id", "name", "owner", "ends_on", "arr"):
        both[name] = both[f"{name}_after"].where(both["state_after"].notna(), both[f"{name}_before"])
    was_shown = both["shown_likelihood"].notna() | (bool(len(shown)) & (both["state_before"] == "open"))
    as_shown = (both["shown_likelihood"] * both["shown_arr"]).fillna(0.0).where(was_shown, both["forecast_before"])
    cents = {
        "shown": _cents(as_shown.where(both["state_before"].notna() | was_shown, 0.0)),
        "before": _cents(both["forecast_before"].where(both["state_before"].notna(), 0.0)),
        "after": _cents(both["forecast_after"].where(both["state_after"].notna(), 0.0)),
    }
    cause = _cause(both, before, after)
    stays = cause == "likelihood"
    parts = [
        _part(both[both["state_before"].notna() | was_shown], "opening", cents["shown"]),
        _part(both[was_shown & (cents["shown"] != cents["before"])], "corrected", cents["before"] - cents["shown"]),
        *(
            _part(both[cause == one], one, cents["after"] - cents["before"])
            for one in ORDER[2:-1]
            if one != "likelihood"
        ),
        _driven(store, both[stays], cents["after"] - cents["before"], before, after),
        _part(both[both["state_after"].notna()], "closing", cents["after"]),
    ]
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return found[
        [*_ABOUT, "cause", "driver", "arr", "likelihood_before", "likelihood_after", "forecast_before", "forecast_after",
         "cents", "why"]
    ]  # fmt: skip


def _cause(both: pd.DataFrame, before: dt.date, after: dt.date) -> pd.Series:
    """Return the one cause of each contract, empty where it stood still by being decided before the first day."""
    was, now = both["state_before"].fillna("none"), both["state_after"].fillna("none")
    ended = (both["ends_on"] >= pd.Timestamp(before)) & (both["ends_on"] < pd.Timestamp(after))
    found = np.select(
        [was == "none", now == "none", was != "open", now == "won", now == "lost", ended],
        ["new", "left", "", "won", "lost", "slipped"],
        "likelihood",
    )
    return pd.Series(found, index=both.index, dtype="str")


def _part(rows: pd.DataFrame, cause: str, cents: pd.Series) -> pd.DataFrame:
    found = rows.assign(cause=cause, driver="", cents=cents.loc[rows.index])
    won = found["booked_after"].notna() & (cause == "won")
    gap = (found["booked_after"] - found["arr"]).round(2)
    found["why"] = pd.array(
        [f"{by:+,.2f} at renewal" if other else "" for by, other in zip(gap, won & (gap != 0), strict=True)],
        dtype="str",
    )
    return found


def _cents(amount: pd.Series) -> pd.Series:
    return (amount.astype("float64") * 100).round()


def _driven(store: Store, rows: pd.DataFrame, cents: pd.Series, before: dt.date, after: dt.date) -> pd.DataFrame:
    """Split the change of contracts open on both days into an amount changed and what moved their likelihood."""
    cents = cents.loc[rows.index]
    moved_amount = rows["arr_before"] != rows["arr_after"]
    by_amount = _cents((rows["arr_after"] - rows["arr_before"]) * rows["likelihood_before"]).where(moved_amount, 0.0)
    left = cents - by_amount
    amounts = _part(rows[moved_amount], "amount", by_amount)
    driven = _drivers(store, rows, before, after)
    driven["cents"] = _whole(driven, dict(zip(rows["contract_id"], left, strict=True)))
    driven = driven[(driven["cents"] != 0) | driven["cents"].isna()]
    found = rows.merge(driven, on="contract_id", how="inner").assign(cause="likelihood")
    return pd.concat([amounts, found], ignore_index=True) if len(amounts) else found


def _drivers(store: Store, rows: pd.DataFrame, before: dt.date, after: dt.date) -> pd.DataFrame:
    """Return per contract and driver what its change in log-odds moved: contract_id, driver, cents (not whole), why."""
    ids = [str(one) for one in rows["contract_id"]]
    old, new = (likelihood_parts(store, ids, day) for day in (before, after))
    both = old.merge(new, on=["contract_id", "factor"], how="inner", suffixes=("_before", "_after"))
    both["moved"] = both["contribution_after"] - both["contribution_before"]
    is_same = (both["value_before"] == both["value_after"]) | (both["factor"] == BASE)
    both["driver"] = both["label_after"].where(~is_same, LATER_MODEL)
    said = both["value_before"].astype("str") + " → " + both["value_after"].astype("str")
    both["why"] = said.where(~is_same, "")
    told = both.groupby(["contract_id", "driver"], as_index=False).agg(moved=("moved", "sum"), why=("why", "first"))
    odds = _log_odds(rows["likelihood_after"]) - _log_odds(rows["likelihood_before"])
    chance, later = (rows[f"likelihood_{one}"].to_numpy(dtype="float64") for one in ("before", "after"))
    is_moved = np.abs(odds) > _TINY
    slope = np.where(is_moved, (later - chance) / np.where(is_moved, odds, 1.0), chance * (1 - chance))
    by_id = pd.DataFrame({"odds": odds, "worth": 100 * rows["arr_after"].to_numpy() * slope}, index=ids)
    known = told.groupby("contract_id")["moved"].sum().reindex(ids).fillna(0.0).to_numpy()
    rest = pd.DataFrame({"contract_id": ids, "driver": OTHER, "moved": odds - known, "why": ""})
    found = pd.concat([told, rest], ignore_index=True).sort_values(["contract_id", "driver"], ignore_index=True)
    found["cents"] = found["moved"] * by_id["worth"].reindex(found["contract_id"]).to_numpy()
    return found[["contract_id", "driver", "cents", "why"]]


def _whole(driven: pd.DataFrame, left: dict[str, float]) -> pd.Series:
    """Round to cents so that the parts of each contract add up to its change: its largest part takes what is over."""
    rounded = driven["cents"].round()
    over = driven["contract_id"].map(left) - rounded.groupby(driven["contract_id"]).transform("sum")
    largest = driven["cents"].abs().groupby(driven["contract_id"]).rank(method="first", ascending=False) == 1
    return rounded + over.where(largest, 0.0)


def _log_odds(chance: pd.Series) -> np.ndarray:
    sure = np.clip(chance.to_numpy(dtype="float64"), _TINY, 1 - _TINY)
    found: np.ndarray = np.log(sure / (1 - sure))
    return found

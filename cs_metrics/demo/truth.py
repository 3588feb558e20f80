"""What is true by construction, to be found again by whoever studies the invented company."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cs_metrics.demo.adoption import Adoption
from cs_metrics.demo.books import contract_ids
from cs_metrics.demo.clock import LAST, LAST_DAY, Bools, Clock, Ints, day_of_number
from cs_metrics.demo.coefficients import ACTIVATION, DEAL, RENEWAL, RENEWAL_INTERCEPT, SEGMENT_RENEWAL, STRENGTH
from cs_metrics.demo.ledger import Contract, Ledger
from cs_metrics.demo.onboarding import Onboarding
from cs_metrics.demo.product import DECOYS, KEY_ACTION, SEGMENTS
from cs_metrics.demo.renewals import LANDMARK_DAYS
from cs_metrics.demo.traits import Traits

__all__ = ["Truth", "tell_truth", "write_contract_truth"]

_HORIZON_DAYS = 365
_FIRST_WEEKS = 26


@dataclass(frozen=True)
class Truth:
    """The planted structure, and what became of it in this company.

    `plateau`: week and level of the weekly key action; `key_action`: the event that causes retention, and those that
    only go along; `ninety_ten`: retention for a year after day 90 of accounts that were still customers on day 90,
    by whether every milestone was done by then (only accounts whose year is over); `renewal`: log-odds per factor,
    which are strong and weak, and the shock of each quarter; `expansion`: log-odds of winning; `book`: the last day.
    """

    seed: int
    first_day: str
    last_day: str
    accounts: int
    months: int
    events: int
    rows: dict[str, int]
    plateau: dict[str, Any]
    key_action: dict[str, Any]
    ninety_ten: dict[str, Any]
    renewal: dict[str, Any]
    expansion: dict[str, float]
    book: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Write truth.json."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / "truth.json").write_text(text + "\n", encoding="utf-8")


def tell_truth(
    *,
    seed: int,
    clock: Clock,
    traits: Traits,
    onboarding: Onboarding,
    adoption: Adoption,
    ledger: Ledger,
    rows: dict[str, int],
) -> Truth:
    """Gather the truth about a company that was played through."""
    return Truth(
        seed=seed,
        first_day=day_of_number(clock.first).isoformat(),
        last_day=LAST_DAY.isoformat(),
        accounts=traits.count,
        months=clock.months,
        events=rows["events"],
        rows=rows,
        plateau=_plateau(traits, adoption),
        key_action={
            "event": KEY_ACTION,
            "times": 1,
            "every_days": 7,
            "only_go_along": list(DECOYS),
        },
        ninety_ten=_ninety_ten(traits, onboarding, ledger),
        renewal=_renewal(ledger),
        expansion=dict(DEAL),
        book=_book(traits, ledger),
    )


def _plateau(traits: Traits, adoption: Adoption) -> dict[str, Any]:
    """Planted week and level, and the curve that came out: active ÷ accounts whose week is over."""
    weeks = adoption.state.shape[1]
    is_over = traits.start[:, None] + 7 * (np.arange(weeks) + 1) <= LAST + 1
    over = is_over.sum(axis=0)
    curve = (adoption.does_key_action() & is_over).sum(axis=0) / np.maximum(over, 1)
    first = int(ACTIVATION["plateau_week"])
    firm = np.flatnonzero((over >= 25) & (np.arange(weeks) >= first))
    settled, fallen = ACTIVATION["settled"], ACTIVATION["fallen"]
    never = 1 - settled - fallen
    idle = fallen * ACTIVATION["week_when_fallen"] + never * ACTIVATION["week_when_never_started"]
    return {
        "week": first,
        "level": round(settled * ACTIVATION["week_when_settled"] + idle, 4),
        "start_level": round((settled + fallen) * ACTIVATION["week_when_settled"], 4),
        "most_slope_per_week": 0.003,
        "level_first_26_weeks": _share(curve[first:_FIRST_WEEKS], over[first:_FIRST_WEEKS]),
        "level_all_weeks": _share(curve[firm], over[firm]),
        "slope_per_week": round(float(np.polyfit(firm, curve[firm], 1)[0]), 5) if len(firm) > 1 else None,
        "curve": [round(float(point), 4) for point in curve[over > 0]],
    }


def _share(curve: Any, weights: Any) -> float | None:
    return round(float(np.average(curve, weights=weights)), 4) if weights.sum() else None


def _ninety_ten(traits: Traits, onboarding: Onboarding, ledger: Ledger) -> dict[str, Any]:
    landmark = traits.start + LANDMARK_DAYS
    followed = (landmark + _HORIZON_DAYS <= LAST) & (ledger.left > landmark)
    retained = ledger.left > landmark + _HORIZON_DAYS
    first_chance = _first_chance(traits, ledger, landmark)
    found: dict[str, Any] = {"landmark_days": LANDMARK_DAYS, "horizon_days": _HORIZON_DAYS}
    for name, group in (("completed", onboarding.onboarded), ("not_completed", ~onboarding.onboarded)):
        found[name] = _group(followed & group, retained, first_chance)
    shares = [found[name]["retained"] for name in ("completed", "not_completed")]
    found["gap"] = None if None in shares else round(shares[0] - shares[1], 4)
    return found


def _first_chance(traits: Traits, ledger: Ledger, landmark: Ints) -> Any:
    """The true probability of each account's first renewal after its landmark, if it falls within the horizon."""
    chance = np.full(traits.count, np.nan)
    for one in sorted(ledger.contracts, key=lambda contract: contract.end, reverse=True):
        if landmark[one.account] < one.end <= landmark[one.account] + _HORIZON_DAYS:
            chance[one.account] = one.decision.probability
    return chance


def _group(members: Bools, retained: Bools, first_chance: Any) -> dict[str, Any]:
    if not members.any():
        return {"accounts": 0, "retained": None, "true_first_renewal_probability": None}
    known = members & ~np.isnan(first_chance)
    return {
        "accounts": int(members.sum()),
        "retained": round(float(retained[members].mean()), 4),
        "true_first_renewal_probability": round(float(first_chance[known].mean()), 4) if known.any() else None,
    }


def _renewal(ledger: Ledger) -> dict[str, Any]:
    decided = [one for one in ledger.contracts if one.decision.decided_on <= LAST]
    chance = [one.decision.probability for one in decided]
    return {
        "landmark_days": LANDMARK_DAYS,
        "intercept": RENEWAL_INTERCEPT,
        "coefficients": dict(RENEWAL),
        "segments": dict(zip(SEGMENTS, SEGMENT_RENEWAL, strict=True)),
        "strength": {strength: list(names) for strength, names in STRENGTH.items()},
        "shocks": {quarter: round(shock, 4) for quarter, shock in ledger.renewals.shocks.items()},
        "decided": len(decided),
        "renewed": sum(one.decision.is_renewed for one in decided),
        "mean_true_probability": round(float(np.mean(chance)), 4) if chance else None,
    }


def _book(traits: Traits, ledger: Ledger) -> dict[str, Any]:
    running = [one for one in ledger.lines if one.end is None]
    return {
        "customers": len({one.account for one in running}),
        "mrr": {
            currency: round(sum(one.mrr for one in running if bool(traits.is_eur[one.account]) is eur) / 100, 2)
            for currency, eur in (("USD", False), ("EUR", True))
        },
        "returned": int((ledger.back <= LAST).sum()),
        "settled_late": int((ledger.settled_late <= LAST).sum()),
    }


def write_contract_truth(folder: Path, traits: Traits, contracts: list[Contract]) -> None:
    """Write truth_contracts.parquet: what the contracts table does not show.

    `known_probability` is what could be known on `landmark_on`, 90 days before the end (for later contracts on the
    last day); `probability` adds the shock of the quarter; `will_renew` is the draw, shown or not.
    """
    found = pa.table(
        {
            "contract_id": contract_ids(contracts),
            "account_id": [traits.ids[one.account] for one in contracts],
            "landmark_on": pa.array(np.array([one.decision.landmark for one in contracts]).astype("datetime64[D]")),
            "known_probability": [one.decision.known for one in contracts],
            "probability": [one.decision.probability for one in contracts],
            "will_renew": [one.decision.is_renewed for one in contracts],
        }
    )
    pq.write_table(found, folder / "truth_contracts.parquet", compression="zstd", store_schema=False)

"""The likelihood of renewal is close to the planted chance, as well as what can be known allows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cs_metrics.metrics import run as ask
from cs_metrics.metrics.likelihood import in_use
from cs_metrics.metrics.likelihood_trial import judged
from cs_metrics.models.base_rate import BASIS_WORDS, area_under_curve
from cs_metrics.report import format as say
from cs_metrics.store import Store
from studies import Progress
from studies.companies import company
from studies.finding import Finding

__all__ = ["NAME", "TITLE", "run"]

NAME = "likelihood"
TITLE = "The likelihood of renewal comes close to the planted chance"

_ACCOUNTS, _EVENTS = 400, 150_000
_MOST_BEHIND, _MOST_ERROR, _BINS = 0.05, 0.06, 10
_STRONG = ("key_weeks", "activity", "core_use", "tickets", "sponsor_left")  # core use goes with activity
_WEAK = ("nps", "csat", "go_live", "meetings")


def run(seeds: Sequence[int], progress: Progress | None = None) -> Finding:
    """Compare what was said of decisions, before they fell, with their planted chances in a demo company for each seed."""
    tell = progress or (lambda _what, _done, _total: None)
    rows = []
    for at, seed in enumerate(seeds):
        tell(f"demo company {seed}", at, len(seeds))
        store, _ = company(seed, accounts=_ACCOUNTS, events=_EVENTS)
        rows.append({"seed": seed, **_row(store)})
    tell("", len(seeds), len(seeds))
    return _finding(pd.DataFrame(rows))


def _row(store: Store) -> dict[str, object]:
    """Return how one company's likelihood did on its later decisions, and what the planted chances do on the same."""
    planted = pd.read_parquet(store.data_dir.parent / "source" / "truth_contracts.parquet")
    said = judged(store, store.newest_day).merge(planted[["contract_id", "known_probability"]], on="contract_id")
    used = in_use(store, store.newest_day)
    weighed = ask(store, "likelihood_factors", as_of=store.newest_day)
    best = used or next(name for name, label in BASIS_WORDS.items() if label == weighed["model"].iloc[0])
    mine, base = said[said["candidate"] == best], said[said["candidate"] == "base"]
    factors = weighed.set_index("factor")["importance"]
    return {
        "model": best,
        "is_used": bool(used),
        "decisions": len(mine),
        "auc": _area(mine, "likelihood"),
        "planted": _area(mine, "known_probability"),
        "base": _area(base, "likelihood"),
        "error": _calibration_error(mine),
        "told_apart": float(np.mean([factors[one] > factors[[*_WEAK]].max() for one in _STRONG])),
    }


def _area(rows: pd.DataFrame, column: str) -> float:
    return area_under_curve(rows[column].to_numpy(dtype="float64"), rows["renewed"].to_numpy(dtype="float64"))[0]


def _calibration_error(rows: pd.DataFrame) -> float:
    """Return the mean distance of likelihood and planted chance in ten bands of likelihood, by decisions."""
    band = np.minimum((rows["likelihood"] * _BINS).astype("int64"), _BINS - 1)
    means = rows.groupby(band)[["likelihood", "known_probability"]].mean()
    sizes = rows.groupby(band).size()
    return float(np.average((means["likelihood"] - means["known_probability"]).abs(), weights=sizes))


def _finding(found: pd.DataFrame) -> Finding:
    mean = found[["auc", "planted", "base", "error", "told_apart"]].mean()
    behind = mean["planted"] - mean["auc"]
    used = int(found["is_used"].sum())
    shown = found["auc"].where(found["is_used"], found["base"]).mean()
    best = ", ".join(f"{name} {many}" for name, many in found["model"].value_counts().items())
    return Finding(
        name=NAME,
        title=TITLE,
        claim=(
            "On decisions that fell later, the area under the curve of the learned likelihood lies on average at most 0.05 below "
            "that of the planted chances themselves, and in ten bands of likelihood the mean likelihood lies on average at "
            "most 0.06 from the mean planted chance."
        ),
        method=(
            f"{len(found)} demo companies of {_ACCOUNTS} accounts and 36 months, loaded like anybody's data. Each decision is "
            "judged by what a training before its 90th day from the end said of it, by the model in use on the newest day (where "
            "the base rate is used, by the model with the lowest log-loss), against the chance that was planted for it. The planted chance knows a hidden trait that "
            "no table shows; without it the area is about 0.02 lower, and no model can do better."
        ),
        table=pd.DataFrame(
            {
                "company": found["seed"],
                "model": found["model"],
                "in use": found["is_used"],
                "decisions judged": found["decisions"],
                "area": [say.number(one, 3) for one in found["auc"]],
                "area, planted chances": [say.number(one, 3) for one in found["planted"]],
                "area, base rate": [say.number(one, 3) for one in found["base"]],
                "distance from planted": [say.number(one, 3) for one in found["error"]],
                "strong factors above all weak": [say.percent(one, 0) for one in found["told_apart"]],
            }
        ),
        holds=bool(behind <= _MOST_BEHIND and mean["error"] <= _MOST_ERROR),
        reading=(
            f"The area is {say.number(mean['auc'], 3)} on average where the planted chances reach {say.number(mean['planted'], 3)} "
            f"and the base rate by segment and health {say.number(mean['base'], 3)}; a likelihood lies "
            f"{say.number(100 * mean['error'])} points from the planted chance of its band. The best models are: {best}. "
            f"In {used} of {len(found)} companies of this size the model beat the base rate by more than its interval and is in use; "
            f"in the others the base rate stays, so that what is shown has an area of {say.number(shown, 3)} on average. Of the five factors "
            f"that were planted as strong, or go with them, {say.percent(mean['told_apart'], 0)} are more important than each of those "
            "planted as weak."
        ),
        limits=(
            "The planted chances are a straight line in log-odds of what the tables show, which suits the logistic model; where "
            "factors work together, trees may win, and the choice is left to the later decisions. The first trainings know some "
            "70 decisions. Which factors the field expects to matter is built in as a prior, and was planted, too."
        ),
    )

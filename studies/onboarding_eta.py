"""The predicted completion of onboarding: do four fifths of the completions fall inside their 80 % interval?"""

from collections.abc import Sequence

import pandas as pd

from cs_metrics.metrics import run as ask
from cs_metrics.report import format as say
from studies import Progress
from studies.companies import company
from studies.finding import Finding

__all__ = ["NAME", "TITLE", "run"]

NAME = "onboarding_eta"
TITLE = "The predicted completion of onboarding is as sure as it says"

_TABLES = ("accounts", "subscriptions", "milestones", "milestone_completions")
_INSIDE = (0.70, 0.90)
_MOST_OFF = 0.10  # how far the expected share of completions may lie from what came


def run(seeds: Sequence[int], progress: Progress | None = None) -> Finding:
    """Predict in the past of demo companies, one for each seed, and look at what came."""
    tell = progress or (lambda _what, _done, _total: None)
    rows = []
    for at, seed in enumerate(seeds):
        tell(f"company {seed}", at, len(seeds))
        store, _ = company(seed, tables=_TABLES)
        rows.append({"seed": seed, **_summed(ask(store, "onboarding_eta_backtest"))})
    tell("", len(seeds), len(seeds))
    return _finding(pd.DataFrame(rows))


def _summed(quarters: pd.DataFrame) -> dict[str, float]:
    """Add up the quarter-ends of one company."""
    counts = {
        name: int(quarters[name].sum()) for name in ("predicted", "completed", "inside", "judged", "ever_completed")
    }
    expected = float((quarters["expected_share"] * quarters["judged"]).sum() / quarters["judged"].sum())
    error = quarters["median_error_days"].to_numpy(dtype="float64")
    return {
        **counts,
        "inside_share": counts["inside"] / counts["completed"],
        "median_error_days": float(pd.Series(error).median()),
        "expected_share": expected,
        "completed_share": counts["ever_completed"] / counts["judged"],
    }


def _finding(found: pd.DataFrame) -> Finding:
    completed, judged = int(found["completed"].sum()), int(found["judged"].sum())
    inside = int(found["inside"].sum()) / completed
    expected = float((found["expected_share"] * found["judged"]).sum() / judged)
    came = int(found["ever_completed"].sum()) / judged
    low, high = _INSIDE
    return Finding(
        name=NAME,
        title=TITLE,
        claim=(
            f"Of the accounts that were given a day and completed, {low:.0%} to {high:.0%} did so inside the 80 % interval, "
            f"and the share that was expected to complete lies within {_MOST_OFF * 100:.0f} points of the share that did."
        ),
        method=(
            f"{len(found)} demo companies of 400 accounts over 36 months, seeds {found['seed'].min()} to {found['seed'].max()}. "
            "As of each of up to eight quarter-ends, at least 180 days before the newest day, every account still in "
            "onboarding is given its day, interval and chance with what was known on that day, and is judged by what is "
            "known at the end. Steps differ by segment, some accounts stop for good and some pause for months."
        ),
        table=pd.DataFrame([_line(row) for _, row in found.iterrows()]),
        holds=low <= inside <= high and abs(expected - came) <= _MOST_OFF,
        reading=(
            f"{say.percent(inside)} of {say.count(completed)} completions fell inside their 80 % interval. Of "
            f"{say.count(judged)} accounts with enough histories {say.percent(expected)} were expected to complete and "
            f"{say.percent(came)} did. One company's quarter holds 10 to 30 such accounts, so that its own share wanders "
            f"widely; the companies here range from {say.percent(found['inside_share'].min(), 0)} to "
            f"{say.percent(found['inside_share'].max(), 0)}."
        ),
        limits=(
            "The intervals are as good as the past is like the future: when the plan of onboarding is changed, the old "
            "histories mislead until enough new ones have ended. Intervals are those of accounts that complete at all; "
            "whether an account completes is the other number, its chance. Accounts that were not complete at the end "
            "count as not completed, although a few will be later."
        ),
    )


def _line(row: pd.Series) -> dict[str, object]:
    return {
        "seed": int(row["seed"]),
        "given a day": int(row["predicted"]),
        "completed": int(row["completed"]),
        "inside 80 %": say.percent(row["inside_share"]),
        "median error, days": say.number(row["median_error_days"]),
        "expected to complete": say.percent(row["expected_share"]),
        "did complete": say.percent(row["completed_share"]),
    }

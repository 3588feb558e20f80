"""The sentences and pictures of first value: the 90/10 test, the cost of a week of delay, the key-action finder."""

from typing import Any

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = [
    "action_differences",
    "action_rows",
    "action_title",
    "compared_sentence",
    "delay_interval",
    "delay_picture",
    "delay_title",
    "delay_verdict",
    "group_rows",
    "retention_sentence",
    "survival_curves",
]

_NAMES = {"completed": "Completed", "not_completed": "Not complete"}
_LEAST_P = 0.05
_WAITS = {"onboarding": "complete onboarding", "first_value": "do the key action"}


def retention_sentence(test: pd.DataFrame, *, what: str = "completing onboarding") -> str:
    """Say whether the 90/10 rule holds on this data."""
    done, rest = _groups_of(test)
    verdict = done["verdict"]
    if verdict == "not_known":
        return "Too few customers have been followed for a year past day 90 to test the 90/10 rule"
    said = f"{say.percent(done['retained'], 0)} stay a year after {what}, {say.percent(rest['retained'], 0)} without it"
    endings = {
        "no_difference": ": too small a difference to tell from chance",
        "reversed": ": the 90/10 rule does not hold here",
        "holds": ": the 90/10 rule holds here",
        "partly": "; the 90/10 rule expects 10%",
    }
    return f"{said}{endings[verdict]}"


def compared_sentence(accounts: pd.DataFrame, test: pd.DataFrame) -> str:
    """Say how many of the accounts are compared, and how sure the difference is."""
    compared, everyone = accounts.loc[accounts["is_compared"], "accounts"].sum(), accounts["accounts"].sum()
    said = f"{say.count(compared)} of {say.plural(everyone, 'account')} that have started are compared"
    p = test["log_rank_p"].iloc[0]
    return f"{said}; log-rank test {_chance(p)}." if say.is_known(p) else f"{said}."


def group_rows(accounts: pd.DataFrame, test: pd.DataFrame, landmark_days: int = 90) -> pd.DataFrame:
    """Return every account that has started by where it stands in the test, with the retention of the compared groups."""
    words = {
        "completed": f"Completed by day {landmark_days}",
        "not_completed": f"Not complete on day {landmark_days}",
        "left_before": f"Left before day {landmark_days}",
        "not_paying": f"No MRR by day {landmark_days}",
        "too_young": f"Not yet {landmark_days} days old",
        "no_milestones": "No milestones for its segment",
    }
    figures = test.set_index("group")[["lost", "retained", "low", "high"]]
    shown = accounts[accounts["is_compared"] | (accounts["accounts"] > 0)].join(figures, on="group")
    shown["lost"] = shown["lost"].astype("Int64")
    shown["standing"] = [words[one] for one in shown["group"]]
    shown["interval"] = [_span(low, high) for low, high in zip(shown["low"], shown["high"], strict=True)]
    return shown.reset_index(drop=True)


def survival_curves(curves: pd.DataFrame, *, horizon_days: int = 365) -> c.Survival:
    """Return the survival curves of the 90/10 test up to the horizon, completed first, with the rule's 10 %."""
    found = []
    for name, words in _NAMES.items():
        one = curves[curves["group"] == name]
        if one.empty:
            continue
        shown = one[one["time_days"] <= horizon_days]
        last = shown.iloc[-1:].assign(time_days=min(horizon_days, int(one["time_days"].max())))
        shown = pd.concat([shown, last]) if int(last["time_days"].iloc[0]) > int(shown["time_days"].max()) else shown
        notes = [f"{say.count(risk)} followed for so long" for risk in shown["at_risk"]]
        notes[-1] = "" if len(shown) > len(one[one["time_days"] <= horizon_days]) else notes[-1]
        found.append(
            c.Curve(
                name=words,
                time=list(shown["time_days"].astype(float)),
                share=c.values(shown["survival"]),
                low=c.values(shown["low"]),
                high=c.values(shown["high"]),
                notes=notes,
            )
        )
    return c.Survival(curves=found, x_title="Days since day 90", marks=[c.Mark(label="The rule: 10%", y=0.1)])


def delay_title(cost: pd.DataFrame, currency: str) -> str:
    """Say what a week of delay goes along with."""
    found = cost.iloc[0]
    until = _WAITS[found["until"]]
    if found["says"] == "not known":
        return f"Too few losses to tell what a week longer to {until} goes along with"
    if found["says"] == "cannot be told apart from 0":
        return f"A week longer to {until}: no cost that could be told apart from 0"
    points = say.number(abs(found["points_per_week"]) * 100)
    if found["says"] == "gains":
        return f"Those that take a week longer to {until} stay more, by {points} points"
    waiting = say.plural(found["waiting"], "account")
    waits = "waits" if found["waiting"] == 1 else "wait"
    money = f": {say.money(found['arr_per_week'], currency)} of ARR for the {waiting} that now {waits}"
    return (
        f"Each week longer to {until} goes along with {points} points less retention{money if found['waiting'] else ''}"
    )


def delay_verdict(cost: pd.DataFrame) -> str:
    """Say in two or three words how sure the cost is, for a card."""
    return {
        "costs": "a cost",
        "gains": "no cost",
        "not known": "too few losses to tell",
    }.get(cost["says"].iloc[0], "cannot be told from 0")


def delay_interval(cost: pd.DataFrame, column: str, currency: str = "") -> str:
    """Return the interval of the change per week in words: that of the points, or of the ARR in a currency."""
    found = cost.iloc[0]
    low, high = (found["low"], found["high"]) if column == "points" else (found["arr_low"], found["arr_high"])
    if not say.is_known(low):
        return ""
    ends = [say.points(-one) if column == "points" else say.money(-one, currency) for one in (high, low)]
    return f"95%: {ends[0]} to {ends[1]}"


def delay_picture(groups: pd.DataFrame, cost: pd.DataFrame) -> c.Intervals:
    """Return retention by the weeks that it took, against that of all that had it by the landmark."""
    shown = groups[groups["accounts"] > 0]
    overall = cost["retained"].iloc[0]
    return c.Intervals(
        names=[_weeks(*row) for row in zip(shown["from_week"], shown["to_week"], shown["is_by_landmark"], strict=True)],
        value=c.values(shown["retained"]),
        low=c.values(shown["low"]),
        high=c.values(shown["high"]),
        notes=[
            f"{say.count(lost)} of {say.plural(size, 'account')} lost so far"
            for lost, size in shown[["lost", "accounts"]].to_numpy()
        ],
        unit="percent",
        zero=float(overall) if say.is_known(overall) else None,
        x_title="Share still there a year after day 90",
    )


def _weeks(begin: int, end: Any, is_by_landmark: bool) -> str:
    if not is_by_landmark:
        return "Not by day 90"
    return f"Week {begin}" if begin == end else f"Weeks {begin} to {end}"


def action_title(compared: pd.DataFrame) -> str:
    """Say which early action goes along most with staying, and whether it showed again on newer accounts."""
    known = compared.dropna(subset=["difference"])
    if known.empty:
        return "Too few accounts to compare early actions"
    first = known.iloc[0]
    if not first["p_adjusted"] < _LEAST_P or first["difference"] <= 0:
        return "No early action stands out from chance"
    shares = f"{say.percent(first['did_retained'], 0)} against {say.percent(first['did_not_retained'], 0)}"
    said = {"yes": "confirmed", "no": "not confirmed"}.get(_confirmed(first["is_confirmed"]), "not yet confirmed")
    return f"{first['event']} goes along most with staying: {shares}, {said} on newer accounts"


def action_differences(compared: pd.DataFrame, *, most: int = 12) -> c.Intervals:
    """Return the key-action finder: difference in retention by event, the surest first; a tick where it was confirmed."""
    shown = compared.dropna(subset=["difference"]).head(most)
    ticks = {"yes": "✓ ", "no": "✗ "}
    marks = [ticks.get(_confirmed(one), "") for one in shown["is_confirmed"]]
    return c.Intervals(
        names=[f"{mark}{event}" for mark, event in zip(marks, shown["event"], strict=True)],
        value=c.values(shown["difference"]),
        low=c.values(shown["low"]),
        high=c.values(shown["high"]),
        is_sure=[bool(p < _LEAST_P) for p in shown["p_adjusted"]],
        notes=[_looks(*one) for one in zip(shown["did"], shown["did_not"], shown["p_adjusted"], strict=True)],
        unit="points",
        x_title="Percentage points",
    )


def action_rows(compared: pd.DataFrame) -> pd.DataFrame:
    """Return the key-action finder as a table: with its intervals and what newer accounts say in words."""
    shown = compared.copy()
    words = {"yes": "✓ yes", "no": "✗ no"}
    shown["confirmed"] = [words.get(_confirmed(one), "not yet known") for one in shown["is_confirmed"]]
    shown["confirmed"] = shown["confirmed"].where(shown["difference"].notna(), "")
    shown["p"] = shown["p_adjusted"].round(3)
    shown["found_p"] = shown["found_p_adjusted"].round(3)
    return shown


def _groups_of(test: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return tuple(test[test["group"] == name].iloc[0] for name in _NAMES)  # type: ignore[return-value]


def _confirmed(value: Any) -> str:
    return "" if value is pd.NA or value is None else ("yes" if value else "no")


def _looks(did: int, did_not: int, p: float) -> str:
    return f"{say.count(did)} did, {say.count(did_not)} did not; {_chance(p)} after correction"


def _chance(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _span(low: float, high: float) -> str:
    return f"{say.percent(low, 0)} to {say.percent(high, 0)}" if say.is_known(low) else ""

"""The sentences and pictures of onboarding, from the frames of its metrics."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cs_metrics import periods
from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = [
    "action_differences",
    "answer",
    "curve",
    "curve_title",
    "matrix",
    "mix",
    "plateau_help",
    "plateau_note",
    "retention_sentence",
    "score_lines",
    "score_title",
    "step_word",
    "survival_curves",
]

_MOST_PERIODS = 53
_COLOURS: dict[str, c.Colour] = {"Green": "green", "Yellow": "yellow", "Red": "red"}
_NAMES = {"completed": "Completed", "not_completed": "Not"}


def step_word(every: str, every_days: int) -> str:
    """Return what one period is called; periods of other lengths than a day or a week are just periods."""
    return {1: "day", 7: "week"}.get(every_days, "period") if every == "days" else every


def answer(plateau: pd.DataFrame | None, summary: pd.DataFrame | None, action: str, step: str, currency: str) -> str:
    """Say where activation settles and how many of the accounts in onboarding need help, as far as either is known."""
    said = [
        _settles(plateau, action, step) if plateau is not None else "",
        _needs_help(summary.iloc[0], currency) if summary is not None else "",
    ]
    return " ".join(one for one in said if one)


def _settles(plateau: pd.DataFrame, action: str, step: str) -> str:
    found = plateau.iloc[0]
    if found["is_found"]:
        return f"{say.percent(found['level'], 0)} of accounts settle into {action} each {step}, from {step} {found['period']} on."
    if say.is_known(found["tail_slope"]):
        return f"The curve of {action} never flattens ({say.points(found['tail_slope'])} per {step}): the product may not meet its market."
    return f"There are too few complete {step}s to say where {action} settles."


def _needs_help(now: pd.Series, currency: str) -> str:
    if not now["accounts"]:
        return "No account is in onboarding."
    counted = f"{say.plural(now['accounts'], 'account')} {'is' if now['accounts'] == 1 else 'are'} in onboarding"
    if not now["is_watched"]:
        return f"{counted}; whether they need help is not known, as neither milestones nor calls to action were loaded."
    if not now["red"] + now["yellow"]:
        return f"{counted}, none with an open call to action."
    return f"{counted}: {say.count(now['red'])} red and {say.count(now['yellow'])} yellow, with {say.money(now['at_risk_arr'], currency)} ARR at risk."


def plateau_note(plateau: pd.DataFrame, step: str) -> str:
    """Say from when the activation rate holds, or why there is none."""
    found = plateau.iloc[0]
    if found["is_found"]:
        return f"from {step} {found['period']} on"
    return "never flattens" if say.is_known(found["tail_slope"]) else f"too few {step}s"


def plateau_help(plateau: pd.DataFrame) -> str:
    """Say how sure the activation rate is."""
    found = plateau.iloc[0]
    if not found["is_found"]:
        return ""
    return f"95% interval {say.percent(found['level_low'])} to {say.percent(found['level_high'])}."


def curve_title(plateau: pd.DataFrame, step: str, *, bounded: bool = True) -> str:
    """Return the message of the activation curve; the plateau is one of the bounded curve only."""
    found = plateau.iloc[0]
    if not bounded:
        return f"Accounts active in the {step} or later"
    if found["is_found"]:
        return f"Activation settles at {say.percent(found['level'], 0)} from {step} {found['period']} on"
    return "Activation never flattens" if say.is_known(found["tail_slope"]) else "Activation by age of the account"


def curve(pooled: pd.DataFrame, plateau: pd.DataFrame, step: str, *, bounded: bool = True) -> c.Line:
    """Return the pooled curve (cohort=all) with the plateau and its interval; the plateau belongs to the bounded curve only."""
    shown = pooled[pooled["period"] < _MOST_PERIODS]
    found = plateau.iloc[0]
    notes = [_counts(active, eligible) for active, eligible in zip(shown["active"], shown["eligible"], strict=True)]
    marks, bands = [], []
    if bounded and found["is_found"]:
        marks = [c.Mark(label=f"Plateau {say.percent(found['level'], 0)}", y=float(found["level"]))]
        tail = [period >= found["period"] for period in shown["period"]]
        low, high = ([float(found[side]) if one else None for one in tail] for side in ("level_low", "level_high"))
        bands = [c.Band(low=low, high=high, level=0.95)]
    return c.Line(
        x=[int(period) for period in shown["period"]],
        series=[c.Series(name="", y=c.values(shown["rate"]), notes=notes)],
        unit="percent",
        x_title=f"{step.capitalize()} since start",
        marks=marks,
        bands=bands,
        from_zero=True,
    )


def matrix(
    cohorts: pd.DataFrame,
    grain: str,
    step: str,
    *,
    most: int = 18,
    rows: int = 14,
) -> c.Heatmap:
    """Return the newest cohorts × the first periods; a cell over too few accounts says its counts on hover."""
    names = list(dict.fromkeys(cohorts["cohort"]))[-rows:]
    started = cohorts[cohorts["cohort"].isin(names) & (cohorts["eligible"] > 0)]["period"]
    last = min(most, int(started.max()) + 1) if len(started) else 1
    cells: list[list[c.Value]] = []
    notes: list[list[str]] = []
    sizes: list[str] = []
    for name in names:
        row = cohorts[(cohorts["cohort"] == name) & (cohorts["period"] < last)]
        cells.append(list(c.values(row["rate"])))
        notes.append(
            [_counts(active, eligible) for active, eligible in zip(row["active"], row["eligible"], strict=True)]
        )
        sizes.append(say.count(row["cohort_size"].iloc[0]))
    return c.Heatmap(
        rows=[_cohort_name(name, grain) for name in names],
        columns=[str(period) for period in range(last)],
        cells=cells,
        row_notes=sizes,
        notes=notes,
        x_title=step.capitalize(),
        unknown="no rate",
    )


def _cohort_name(cohort: Any, grain: Any) -> str:
    return say.period(cohort.date(), grain) if isinstance(cohort, pd.Timestamp) else str(cohort) or "(empty)"


def _counts(active: float | None, eligible: float | None) -> str:
    """Say the counts behind a rate, or why there are none."""
    if not eligible:
        return "not yet elapsed"
    return f"{say.count(active)} of {say.plural(eligible, 'account')}"


def mix(score: pd.DataFrame, *, weeks: int = 26) -> c.Bars:
    """Return the ARR in onboarding by colour and week."""
    shown = score.tail(weeks)
    series = [
        c.Series(name=name, y=c.values(shown[f"{colour}_arr"]), colour=colour) for name, colour in _COLOURS.items()
    ]
    return c.Bars(x=list(shown["week"].dt.date), series=series, unit="money", is_stacked=True, shows_values=False)


def score_lines(score: pd.DataFrame, *, weeks: int = 26, most: int = 6) -> c.Line:
    """Return the risk score by week of the groups with the largest ARR in onboarding."""
    shown = score[score["week"].isin(score["week"].drop_duplicates().tail(weeks))]
    arr = (shown["green_arr"] + shown["yellow_arr"] + shown["red_arr"]).groupby(shown["group"]).sum()
    table = shown.pivot(index="week", columns="group", values="score")
    names = list(arr.sort_values(ascending=False, kind="stable").index[:most])
    return c.Line(
        x=[week.date() for week in table.index],
        series=[c.Series(name=name or "(empty)", y=c.values(table[name])) for name in names],
        unit="score",
    )


def score_title(score: pd.DataFrame) -> str:
    """Return the message of the weekly risk score: that of its newest complete week."""
    if score.empty or score["score"].isna().iloc[-1]:
        return "Nobody was in onboarding at the end of the last complete week"
    last = score.iloc[-1]
    return f"The risk score was {say.number(last['score'], 0)} of 100 on {say.date(periods.add_days(last['week'].date(), 6))}"


def survival_curves(curves: pd.DataFrame, names: Sequence[str] = ("completed", "not_completed")) -> c.Survival:
    """Return the survival curves of the 90/10 test, completed first."""
    found = []
    for name in names:
        one = curves[curves["group"] == name]
        if len(one):
            found.append(
                c.Curve(
                    name=_NAMES[name],
                    time=list(one["time_days"].astype(float)),
                    share=c.values(one["survival"]),
                    low=c.values(one["low"]),
                    high=c.values(one["high"]),
                )
            )
    return c.Survival(curves=found, x_title="Days since the landmark")


def retention_sentence(test: pd.DataFrame) -> str:
    """Say whether the 90/10 rule holds on this data."""
    done, rest = (test[test["group"] == name].iloc[0] for name in ("completed", "not_completed"))
    if done["retained"] != done["retained"] or rest["retained"] != rest["retained"]:
        return "Too few customers have been followed for a year past day 90 to test the 90/10 rule"
    said = f"{say.percent(done['retained'], 0)} stay a year after completing onboarding, {say.percent(rest['retained'], 0)} without it"
    if not done["log_rank_p"] < 0.05:
        return f"{said}: too small a difference to tell from chance"
    if rest["low"] <= 0.1 <= rest["high"]:
        return f"{said}: the 90/10 rule holds here"
    return f"{said}; the 90/10 rule expects 10%"


def action_differences(compared: pd.DataFrame, *, most: int = 12) -> c.Intervals:
    """Return the key-action finder: difference in retention by event, the largest first."""
    shown = compared.dropna(subset=["difference"]).head(most)
    return c.Intervals(
        names=list(shown["event"]),
        value=c.values(shown["difference"]),
        low=c.values(shown["low"]),
        high=c.values(shown["high"]),
        notes=[_looks(*one) for one in zip(shown["did"], shown["did_not"], shown["p_adjusted"], strict=True)],
        unit="points",
        x_title="Percentage points",
    )


def _looks(did: int, did_not: int, p: float) -> str:
    likely = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    return f"{say.count(did)} did, {say.count(did_not)} did not; {likely} after correction"

"""The sentences and pictures of onboarding, from the frames of its metrics."""

import pandas as pd

from cs_metrics import periods
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.report.activation import Asked, settles

__all__ = ["answer", "mix", "score_lines", "score_title"]

_COLOURS: dict[str, c.Colour] = {"Green": "green", "Yellow": "yellow", "Red": "red"}


def answer(plateau: pd.DataFrame | None, summary: pd.DataFrame | None, action: str, step: str, currency: str) -> str:
    """Say where activation settles and how many of the accounts in onboarding need help, as far as either is known."""
    said = [
        settles(plateau, Asked(action=action, step=step)) if plateau is not None else "",
        _needs_help(summary.iloc[0], currency) if summary is not None else "",
    ]
    return " ".join(one for one in said if one)


def _needs_help(now: pd.Series, currency: str) -> str:
    if not now["accounts"]:
        return "No account is in onboarding."
    counted = f"{say.plural(now['accounts'], 'account')} {'is' if now['accounts'] == 1 else 'are'} in onboarding"
    if not now["is_watched"]:
        return f"{counted}; whether they need help is not known, as neither milestones nor calls to action were loaded."
    if not now["red"] + now["yellow"]:
        return f"{counted}, none with an open call to action."
    return f"{counted}: {say.count(now['red'])} red and {say.count(now['yellow'])} yellow, with {say.money(now['at_risk_arr'], currency)} ARR at risk."


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

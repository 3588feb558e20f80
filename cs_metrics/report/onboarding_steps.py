"""The sentences and pictures of the steps of onboarding: milestones, bounce-backs and the hand-off from sales."""

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = [
    "EFFECT_DAYS",
    "INTERVIEW",
    "against_all",
    "back_title",
    "effect_curves",
    "effect_title",
    "eta_note",
    "eta_title",
    "eta_words",
    "funnel",
    "funnel_title",
    "handoff_by_person",
    "handoff_title",
    "handoff_words",
    "on_return",
    "on_return_title",
    "rule_note",
    "stuck_title",
    "waits",
    "waits_title",
    "with_users",
    "worst_step",
]

INTERVIEW = (
    "What to ask: What made you sign up in the first place? Where did it not meet your need? "
    "Why did you come back? What keeps you using it now?"
)
EFFECT_DAYS = 180  # the curves of the hand-off are drawn to this day
_ONE_IN = 20  # of 95 % intervals miss the truth
_TOO_FEW = "not enough histories"
_CLEAR = 3  # standard errors by which an event must stand out, as many are looked at
_WORTH_SAYING = 0.05  # and by which share at least
_STATES = {"completed": "Completed", "in_time": "Waiting", "stalled": "Stalled", "lost": "Lost in the step"}
_COLOURS: dict[str, c.Colour] = {"completed": "1", "in_time": "6", "stalled": "2", "lost": "4"}
_GROUPS = {"complete": "Complete", "gaps": "With gaps"}
_PARTS = {
    "without_profile": "the profile",
    "without_order": "the order",
    "without_technical_needs": "technical needs",
    "without_expected_outcomes": "expected outcomes",
}


# Milestones


def worst_step(funnel: pd.DataFrame) -> str:
    """Return the milestone_id in which most accounts are stalled, the last one where none is."""
    row = _most(funnel, "stalled") if funnel["stalled"].any() else funnel.iloc[-1]
    return str(row["milestone_id"])


def funnel_title(funnel: pd.DataFrame) -> str:
    """Say where most accounts are stalled, or that none is."""
    if not funnel["stalled"].any():
        return "No account is stalled in a step"
    worst = _most(funnel, "stalled")
    of_all = f" of {say.count(funnel['stalled'].sum())}" if len(funnel) > 1 else ""
    number = say.count(worst["stalled"])
    return f"{number}{of_all} stalled {'account is' if worst['stalled'] == 1 else 'accounts are'} stuck at {worst['milestone']}"


def funnel(shown: pd.DataFrame) -> c.Bars:
    """Return a bar for each milestone: accounts that completed it, wait in it, are stalled in it, or were lost in it."""
    parts = shown.assign(in_time=shown["waiting"] - shown["stalled"])
    notes = [_step_note(row) for _, row in parts.iterrows()]
    return c.Bars(
        x=list(shown["milestone"]),
        series=[
            c.Series(name=name, y=c.values(parts[part]), colour=_COLOURS[part], notes=notes)
            for part, name in _STATES.items()
        ],
        unit="count",
        is_stacked=True,
        is_horizontal=True,
        height=38 * len(shown) + 80,
    )


def _step_note(row: pd.Series) -> str:
    said = [f"of {say.count(row['reached'])} that reached it"]
    if say.is_known(row["median_days"]):
        said.append(f"median {say.days(row['median_days'])}")
    if say.is_known(row["on_time_share"]):
        said.append(f"{say.percent(row['on_time_share'], 0)} on time")
    return ", ".join(said)


def with_users(funnel: pd.DataFrame, users: pd.DataFrame | None) -> pd.DataFrame:
    """Return the funnel with the users of each milestone beside its accounts, empty where users do not complete it."""
    columns = {"share": "user_share", "by_one_user": "by_one_user"}
    if users is None:
        return funnel.assign(**dict.fromkeys(columns.values(), float("nan")))
    return funnel.merge(
        users[["milestone_id", *columns]].rename(columns=columns), on="milestone_id", how="left", suffixes=("", "_")
    )


def waits_title(waits: pd.DataFrame, milestone: str) -> str:
    """Say which group takes longest in a step, when the intervals of the slowest and the fastest do not touch."""
    known = waits.dropna(subset=["median_days"])
    if known.empty:
        return f"Too few accounts completed {milestone} to compare"
    if len(known) == 1:
        return f"{milestone} takes {_group(known.iloc[0])} {say.days(known['median_days'].iloc[0])}"
    slow, fast = _most(known, "median_days"), known.iloc[int(known["median_days"].to_numpy().argmin())]
    if not slow["low_days"] > fast["high_days"]:
        return f"No group is clearly slower at {milestone}"
    return f"{milestone} takes {_group(slow)} {say.days(slow['median_days'])}, {_group(fast)} {say.days(fast['median_days'])}"


def waits(shown: pd.DataFrame, overall: float, *, most: int = 12) -> c.Intervals:
    """Return the median days in a step by group with its interval, the slowest first, against all accounts together."""
    known = shown.dropna(subset=["median_days"]).sort_values("median_days", ascending=False, kind="stable").head(most)
    open_end = known["high_days"].fillna(known["p75_days"]).fillna(known["median_days"])
    return c.Intervals(
        names=[_group(row) for _, row in known.iterrows()],
        value=c.values(known["median_days"]),
        low=c.values(known["low_days"]),
        high=c.values(open_end),
        unit="days",
        zero=overall if say.is_known(overall) else None,
        notes=[_wait_note(row) for _, row in known.iterrows()],
        x_title="Median days in the step",
    )


def _wait_note(row: pd.Series) -> str:
    said = f"{say.count(row['completed'])} of {say.plural(row['reached'], 'account')} completed it"
    return f"{said}, {say.count(row['stalled'])} stalled" if row["stalled"] else said


def _most(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return the first row with the largest value."""
    return frame.iloc[int(frame[column].to_numpy(dtype="float64").argmax())]


def _group(row: pd.Series) -> str:
    return str(row["group"]) or "(empty)"


def against_all(what: str, groups: int) -> str:
    """Explain the line of a picture of groups with their intervals, and how many differ from it by chance alone."""
    said = f"The line is {what} of all; coloured ones differ from it."
    if groups < 2 * _ONE_IN:
        return said
    return f"{said} Of {groups} about {say.count(groups / _ONE_IN)} do so by chance alone."


def stuck_title(stuck: pd.DataFrame, currency: str) -> str:
    """Say how many accounts are past the due day of the step in which they wait, and their ARR."""
    if stuck.empty:
        return "No account is stalled"
    arr = say.money(stuck.drop_duplicates("account_id")["arr"].sum(), currency)
    one = stuck["account_id"].nunique()
    return f"{say.plural(one, 'account')} with {arr} ARR {'is' if one == 1 else 'are'} past the due day of the step"


def eta_title(eta: pd.DataFrame) -> str:
    """Say how many accounts are expected to complete, how many of them late, and how many are not."""
    open_ones = eta[eta["state"] != "complete"]
    if open_ones.empty:
        return "Every account listed has completed onboarding" if len(eta) else "No account is in onboarding"
    count = open_ones["state"].value_counts()
    expected, unlikely, unknown = (int(count.get(one, 0)) for one in ("predicted", "unlikely to complete", _TOO_FEW))
    accounts = say.plural(len(open_ones), "account")
    if unknown == len(open_ones):
        return f"Too few past accounts stood in the same place to say when {accounts} will complete"
    late = int((open_ones["days_behind"].fillna(0) > 0).sum())
    said = f"{say.count(expected)} of {accounts} are likely to complete" + (
        f", {say.count(late)} of them late" if late else ""
    )
    rest = [f"{say.count(unlikely)} unlikely"] if unlikely else []
    rest += [f"{say.count(unknown)} not known"] if unknown else []
    return "; ".join([said, ", ".join(rest)]) if rest else said


def eta_note(backtest: pd.DataFrame, minimum: int) -> str:
    """Say how the 80 % intervals held on the company's own past."""
    completed, inside = backtest["completed"].sum(), backtest["inside"].sum()
    if not completed:
        return "No past prediction can be judged yet: that takes twice the length of onboarding."
    first, last = (say.date(day.date()) for day in (backtest["made_on"].iloc[0], backtest["made_on"].iloc[-1]))
    held = say.rate(inside, completed, minimum=minimum, digits=0)
    return f"Of the completions predicted at the quarter-ends from {first} to {last}, {held} fell inside their 80% interval."


def eta_words(row: pd.Series) -> str:
    """Say of one account when it is likely to have completed onboarding, and what that stands on."""
    if row["state"] == "complete":
        return f"Onboarding was complete on {say.date(row['complete_on'].date())}."
    of_past = f"{say.count(row['histories'])} accounts in the same place ({row['based_on']})"
    if row["state"] == _TOO_FEW:
        return f"When onboarding will be complete is not known: only {say.count(row['histories'])} accounts were in the same place."
    chance = f"{say.percent(row['complete_share'], 0)} of {of_past} ever completed it"
    if row["state"] == "unlikely to complete":
        return f"Onboarding is unlikely to be completed: {chance}."
    low, middle, high = (say.date(row[name].date()) for name in ("low_on", "predicted_on", "high_on"))
    return f"Onboarding is likely to be complete by {middle} (80% interval {low} to {high}); {chance}."


# Bounce-backs


def back_title(row: pd.Series, minimum: int) -> str:
    """Say how many of those that fell silent came back, and how many of them stayed."""
    who = str(row["unit"])
    if not row["went_silent"]:
        return f"None of the {who} fell silent"
    said = f"{_part(row['came_back'], row['went_silent'], who, minimum)} that fell silent came back"
    if not row["stay_known"]:
        return f"{said}; whether they stay is not yet known"
    return f"{said}; {say.rate(row['stayed'], row['stay_known'], minimum=minimum, digits=0)} stayed"


def _part(part: float, whole: float, who: str, minimum: int) -> str:
    """Return "50% of the accounts", or "1 of 2 accounts" where they are too few for a rate."""
    if whole < minimum:
        return f"{say.count(part)} of {say.plural(whole, who.removesuffix('s'))}"
    return f"{say.percent(part / whole, 0)} of the {who}"


def on_return_title(returns: pd.DataFrame, minimum: int) -> str:
    """Name the event that clearly more did on the day of return than on the last day before the silence, if there is one."""
    known = returns[returns["returns"] >= minimum].dropna(subset=["share", "before_share"])
    now, before, of_all = known["share"], known["before_share"], known["returns"] / known["share"]
    error = ((now * (1 - now) + before * (1 - before)) / of_all) ** 0.5
    clear = known[(now - before > _CLEAR * error) & (now - before >= _WORTH_SAYING)]
    if clear.empty:
        return "What they did on the day they came back"
    gained = clear.assign(gained=clear["share"] - clear["before_share"])
    return f"They came back for {_most(gained, 'gained')['event']} more often than they had done it before"


def on_return(returns: pd.DataFrame, *, most: int = 10) -> c.Bars:
    """Return the share that did each event on the day of return, and on the last day before the silence."""
    shown = returns.head(most)
    notes = [_return_note(row) for _, row in shown.iterrows()]
    return c.Bars(
        x=list(shown["event"]),
        series=[
            c.Series(name="On the day of return", y=c.values(shown["share"]), colour="1", notes=notes),
            c.Series(name="On the last day before", y=c.values(shown["before_share"]), colour="grey"),
        ],
        unit="percent",
        is_horizontal=True,
        shows_values=False,
        height=34 * max(len(shown), 2) + 80,
    )


def _return_note(row: pd.Series) -> str:
    said = say.plural(row["returns"], "return")
    if not say.is_known(row["stayed_share"]):
        return said
    return f"{said}, {say.percent(row['stayed_share'], 0)} of {say.count(row['stay_known'])} stayed"


# Hand-off


def handoff_title(total: pd.DataFrame) -> str:
    """Say how many accounts were handed over with gaps, and what is missing most often."""
    if total.empty:
        return "No account was handed over in the last year"
    row = total.iloc[0]
    gaps = row["accounts"] - row["complete"]
    if not gaps:
        return f"All {say.plural(row['accounts'], 'account')} were handed over complete"
    worst = max(_PARTS, key=lambda part: row[part])
    said = f"{say.count(gaps)} of {say.plural(row['accounts'], 'account')} {'was' if gaps == 1 else 'were'} handed over with gaps"
    return f"{said}, most often in {_PARTS[worst]}"


def handoff_by_person(people: pd.DataFrame, total: float, *, most: int = 12) -> c.Intervals:
    """Return the share handed over complete by salesperson with its interval, against that of all, the lowest first."""
    shown = people.dropna(subset=["share"]).sort_values("share", kind="stable").head(most)
    return c.Intervals(
        names=[str(name) or "(empty)" for name in shown["salesperson"]],
        value=c.values(shown["share"]),
        low=c.values(shown["low"]),
        high=c.values(shown["high"]),
        unit="percent",
        zero=total if say.is_known(total) else None,
        notes=[
            f"{say.count(one['complete'])} of {say.plural(one['accounts'], 'account')} complete"
            for _, one in shown.iterrows()
        ],
        x_title="Handed over complete",
    )


def effect_title(effect: pd.DataFrame) -> str:
    """Say whether accounts handed over with gaps take longer to complete onboarding."""
    full, gaps = (effect[effect["group"] == name].iloc[0] for name in _GROUPS)
    p = float(full["log_rank_p"])
    if p != p:
        return "Too little is known yet to tell whether gaps go along with slower onboarding"
    if p >= 0.05:
        return "Gaps in the hand-off do not go along with slower onboarding here"
    both = say.is_known(full["median_days"]) and say.is_known(gaps["median_days"])
    medians = f": {say.days(gaps['median_days'])} instead of {say.days(full['median_days'])}" if both else ""
    return f"Accounts handed over with gaps complete onboarding at another pace{medians}"


def effect_curves(curves: pd.DataFrame) -> c.Survival:
    """Return the share that has not completed onboarding, by days from the start, of both groups."""
    found = []
    for name, label in _GROUPS.items():
        one = curves[(curves["group"] == name) & (curves["time_days"] <= EFFECT_DAYS)]
        if len(one):
            found.append(
                c.Curve(
                    name=label,
                    time=list(one["time_days"].astype(float)),
                    share=c.values(one["survival"]),
                    low=c.values(one["low"]),
                    high=c.values(one["high"]),
                )
            )
    return c.Survival(curves=found, x_title="Days since the start")


def rule_note(accounts: pd.DataFrame) -> str:
    """Say how many sales called for customer success before close."""
    counts = accounts["rule"].value_counts()
    early, late, unknown = (int(counts.get(name, 0)) for name in ("at 70 %", "after close", "unknown"))
    said = f"Customer success was to join at 70 % of the sale in {say.plural(early, 'account')}, after close in {say.count(late)}"
    return f"{said}; not known for {say.count(unknown)}." if unknown else f"{said}."


def handoff_words(row: pd.Series) -> str:
    """Say of one account how it was handed over: what was missing, how soon it was greeted, and when we were to join."""
    parts = f"with {say.count(row['completeness'])} of 4 parts" + (f" ({row['missing']})" if row["missing"] else "")
    said = [f"Handed over by {row['salesperson'] or 'sales'} on {say.date(row['paid_on'].date())} {parts}"]
    if say.is_known(row["minutes"]):
        said.append(f"greeted after {say.plural(round(row['minutes']), 'minute')}")
    if row["rule"] != "unknown":
        said.append(f"customer success was to join {row['rule']}{' of the sale' if row['rule'] == 'at 70 %' else ''}")
    return "; ".join(said) + "."

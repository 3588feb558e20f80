"""What would it take: which red and yellow accounts to lift with a budget of hours, and how much ARR that protects."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import MetricError
from cs_metrics.metrics.forecast_paths import Ahead, ahead
from cs_metrics.metrics.lift import lift_points
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.models.planner import Choice, Plan, best_plan
from cs_metrics.store import Store

__all__ = ["colours_now", "dues", "what_would_it_take", "what_would_it_take_by_hours"]

_MONTHS = 12
_LADDER = ("red", "yellow", "green")
_CURVE_TO = 2.0  # the curve reaches so many times the budget
_CURVE_POINTS = 40

_COLOURS = """
    select week.account_id, week.colour
    from account_week_health week
    inner join scope on scope.account_id = week.account_id
    where week.week_end = $week_end
    order by week.account_id
"""


def colours_now(store: Store, as_of: dt.date, scope: Scope) -> dict[str, str]:
    """Return the colour of each account of the scope in the last complete week."""
    week = periods.last_full_week_end(as_of)
    return {str(account): str(colour) for account, colour in store.rows(_COLOURS, scope=scope, week_end=week)}


@metric(needs=("subscriptions", "contracts"), page="Health")
def what_would_it_take(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    hours: float | None = None,
    red_to_yellow_hours: float | None = None,
    yellow_to_green_hours: float | None = None,
    red_to_yellow_points: float | None = None,
    yellow_to_green_points: float | None = None,
) -> pd.DataFrame:
    """The red and yellow accounts whose lifting protects most ARR for a budget of hours, and those that fall off the list.

    A yellow account may be lifted to green, a red one to yellow or on to green; each step takes so many hours and raises
    the likelihood of renewal by so many points (options, in hours and points; by default planning.* of the settings, and
    for the points what past renewals show, see lift_evidence). What is protected is the ARR of its undecided contracts
    that end within twelve months × the rise of their likelihood, at most to certainty. Accounts without such a contract
    protect nothing within the year and are not listed. The list is the best there is: no other choice within the
    budget protects more (0/1 knapsack, solved exactly).

    Formula: protected_arr = Σ due ARR × (min(1, likelihood + points) - likelihood); Σ hours of the list ≤ budget.
    Columns:
        account_id, name, segment, csm: the account
        colour: health in the last complete week
        to_colour: to which colour it is to be lifted, empty where it falls off the list
        is_on_list: whether it is on the list
        hours: for the lift that is on the list, else for the cheapest step
        protected_arr: by that lift
        arr_per_hour: protected_arr ÷ hours
        arr, due_arr: its ARR, and that of its undecided contracts that end within twelve months
        likelihood: of renewal, weighted by due_arr
        ends_on: the first of those ends
    Source: 0/1 knapsack by dynamic programming (Bellman 1957).
    """
    asked = _asked(
        store, as_of, hours, red_to_yellow_hours, yellow_to_green_hours, red_to_yellow_points, yellow_to_green_points
    )
    found = _candidates(store, as_of, scope)
    choices = [asked.choices(row) for row in found.itertuples(index=False)]
    plan = best_plan([[one for _, one in choice] for choice in choices], asked.budget)
    shown = [choice[max(place, 0)] for choice, place in zip(choices, plan.chosen, strict=True)]
    found["is_on_list"] = pd.Series([place >= 0 for place in plan.chosen], dtype="bool")
    found["to_colour"] = pd.Series(
        [colour if place >= 0 else "" for (colour, _), place in zip(shown, plan.chosen, strict=True)], dtype="str"
    )
    found["hours"] = pd.Series([one.hours for _, one in shown], dtype="float64")
    found["protected_arr"] = pd.Series([one.cents / 100 for _, one in shown], dtype="float64")
    found["arr_per_hour"] = found["protected_arr"] / found["hours"]
    found = found.sort_values(
        ["is_on_list", "protected_arr", "account_id"], ascending=[False, False, True], ignore_index=True
    )
    return found[list(_COLUMNS)].astype(_COLUMNS)


@metric(needs=("subscriptions", "contracts"), page="Health")
def what_would_it_take_by_hours(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    hours: float | None = None,
    red_to_yellow_hours: float | None = None,
    yellow_to_green_hours: float | None = None,
    red_to_yellow_points: float | None = None,
    yellow_to_green_points: float | None = None,
) -> pd.DataFrame:
    """How much ARR the best list protects for each budget of hours, and what some more hours would add.

    Each row is an exact best list of its own: a larger budget may drop an account for two others. Up to twice the budget.

    Formula: marginal_arr = (protected_arr of the next row - protected_arr) ÷ hours between them.
    Columns:
        hours: the budget
        protected_arr: by the best list for it
        marginal_arr: ARR that one more hour protects from here to the next row, empty in the last
        is_budget: whether this row is the budget asked for
    """
    asked = _asked(
        store, as_of, hours, red_to_yellow_hours, yellow_to_green_hours, red_to_yellow_points, yellow_to_green_points
    )
    choices = [asked.choices(row) for row in _candidates(store, as_of, scope).itertuples(index=False)]
    end = asked.budget * _CURVE_TO
    plan: Plan = best_plan([[one for _, one in choice] for choice in choices], asked.budget, look=end)
    steps = sorted({*np.linspace(0, end, _CURVE_POINTS + 1).round(2).tolist(), asked.budget})
    found = pd.DataFrame({"hours": steps, "protected_arr": [plan.at(one) / 100 for one in steps]})
    found["marginal_arr"] = -(found["protected_arr"].diff(-1) / found["hours"].diff(-1).abs())
    found["is_budget"] = found["hours"] == asked.budget
    return found


_COLUMNS = {
    "account_id": "str",
    "name": "str",
    "segment": "str",
    "csm": "str",
    "colour": "str",
    "to_colour": "str",
    "is_on_list": "bool",
    "hours": "float64",
    "protected_arr": "float64",
    "arr_per_hour": "float64",
    "arr": "float64",
    "due_arr": "float64",
    "likelihood": "float64",
    "ends_on": "datetime64[us]",
}


@dataclass(frozen=True)
class _Asked:
    """A budget, and what each step takes and brings; hours by segment where none were asked for."""

    budget: float
    hours: dict[str, tuple[float, float]]
    plain: tuple[float, float]
    points: tuple[float, float]

    def choices(self, row: object) -> list[tuple[str, Choice]]:
        """Return the lifts of an account: the colour it reaches, the hours and the protected cents."""
        colour, segment = str(row.colour), str(row.segment)  # type: ignore[attr-defined]
        hours = self.hours.get(segment, self.plain)
        first = _LADDER.index(colour)
        found, spent, rise = [], 0.0, 0.0
        for step in range(first, len(_LADDER) - 1):
            spent, rise = spent + hours[step], rise + self.points[step]
            protected = sum(
                value * (min(1.0, chance + rise) - chance)
                for value, chance in row.dues  # type: ignore[attr-defined]
            )
            found.append((_LADDER[step + 1], Choice(spent, round(100 * protected))))
        return found


def _asked(store: Store, as_of: dt.date, budget: float | None, *given: float | None) -> _Asked:
    settings = store.config.planning
    if budget is None:
        budget = settings.budget_hours
    low, high, red, yellow = given
    for name, value in (("hours", budget), ("red_to_yellow_hours", low), ("yellow_to_green_hours", high)):
        if value is not None and not 0 < value <= 100_000:
            raise MetricError(f"{name}={value:g} is not possible: write hours above 0, at most 100000.")
    for name, value in (("red_to_yellow_points", red), ("yellow_to_green_points", yellow)):
        if value is not None and not 0 <= value <= 100:
            raise MetricError(f"{name}={value:g} is not possible: write points from 0 to 100.")
    plain = settings.red_to_yellow_hours, settings.yellow_to_green_hours
    own = {one.segment: settings.hours(one.segment) for one in settings.segments}
    by_segment = {name: (low or hours[0], high or hours[1]) for name, hours in own.items()}
    shown = lift_points(store, as_of) if red is None or yellow is None else {}
    points = (
        shown["red"] if red is None else red / 100,
        shown["yellow"] if yellow is None else yellow / 100,
    )
    return _Asked(budget, by_segment, (low or plain[0], high or plain[1]), points)


def _candidates(store: Store, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Return the red and yellow accounts with an undecided contract that ends within twelve months, by their id."""
    of, colours = ahead(store, as_of, scope, _MONTHS), colours_now(store, as_of, scope)
    pieces = dues(of)
    pieces["colour"] = pieces["account_id"].map(colours)
    pieces = pieces[pieces["colour"].isin(_LADDER[:-1])]
    names = store.frame("select account_id, name, coalesce(segment, '') as segment, csm from accounts")
    rows = [
        (
            account,
            of_account["colour"].iloc[0],
            of_account["due_arr"].sum(),
            np.average(of_account["likelihood"], weights=of_account["due_arr"]),
            of_account["ends_on"].min(),
            tuple(zip(of_account["due_arr"].astype(float), of_account["likelihood"].astype(float), strict=True)),
        )
        for account, of_account in pieces.groupby("account_id")
    ]
    found = pd.DataFrame(rows, columns=["account_id", "colour", "due_arr", "likelihood", "ends_on", "dues"])
    totals = pd.Series(of.book.value).groupby(of.pieces["account_id"].to_numpy()).sum()
    found["arr"] = found["account_id"].map(totals)
    return found.merge(names, on="account_id", how="left")


def dues(of: Ahead) -> pd.DataFrame:
    """Return the undecided pieces that come up for renewal within the months ahead: account_id, ends_on, due_arr, likelihood."""
    book = of.book
    found = of.pieces[["account_id", "ends_on"]].assign(due_arr=book.value, likelihood=book.likelihood)
    is_due = (book.due >= 0) & (book.due < len(of.starts)) & np.isnan(book.known) & (book.value > 0)
    return found[is_due].reset_index(drop=True)

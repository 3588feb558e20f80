"""The cost of a week of delay is found where it was planted, and called 0 where there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_metrics.metrics import Scope
from cs_metrics.metrics import run as ask
from cs_metrics.report import format as say
from cs_metrics.store import Store
from studies import Progress
from studies.companies import company
from studies.finding import Finding
from studies.planted import LAST_DAY, Plan, draw, publish

__all__ = ["NAME", "TITLE", "run"]

NAME = "delay_cost"
TITLE = "The cost of a week of delay is the planted one, and 0 where there is none"

_ACCOUNTS = 400
_DEMO_TABLES = ("accounts", "subscriptions", "milestones", "milestone_completions")
_SEGMENT_DAYS = np.array((30, 45, 62))  # larger customers take longer …
_SEGMENT_STAYS = np.array(
    (0.80, 0.86, 0.92)
)  # … and stay more, so that late ones would look better without the segments
_LEAST = 0.9
_ZERO = "cannot be told apart from 0"


@dataclass(frozen=True)
class _Setting:
    name: str
    points: float  # planted fall of the share that stays, per week
    speeds_up: bool = False
    few_are_late: bool = False


_SETTINGS = (
    _Setting("no cost", 0.0),
    _Setting("no cost, onboarding gets faster over the years", 0.0, speeds_up=True),
    _Setting("no cost, most are done in the first days", 0.0, few_are_late=True),
    _Setting("1 point a week", 0.01),
    _Setting("3 points a week", 0.03),
)


def run(seeds: Sequence[int], progress: Progress | None = None) -> Finding:
    """Ask for the cost in companies in which it was planted, and in demo companies, one of each for every seed."""
    tell = progress or (lambda _what, _done, _total: None)
    steps = len(seeds) + 1
    tell("planted companies", 0, steps)
    drawn = [(one, draw(_plan(one), f"{one.name} {seed}", seed, _ACCOUNTS)) for one in _SETTINGS for seed in seeds]
    store = publish([company for _, company in drawn])
    rows = [_row(f"planted: {one.name}", one.points, store, Scope.of(region=found.name)) for one, found in drawn]
    for at, seed in enumerate(seeds):
        tell(f"demo company {seed}", at + 1, steps)
        invented, _ = company(seed, tables=_DEMO_TABLES)
        rows.append(_row("demo company: next to none", 0.0, invented, Scope()))
    tell("", steps, steps)
    return _finding(pd.DataFrame(rows), len(seeds))


def _plan(one: _Setting) -> Plan:
    def days(rng: np.random.Generator, segment: np.ndarray, age: np.ndarray) -> np.ndarray:
        if one.few_are_late:
            late = rng.random(len(segment)) < 0.08
            return np.where(late, 7 + rng.exponential(14, len(segment)), rng.integers(1, 5, len(segment))).astype(
                np.int64
            )
        pace = np.where(one.speeds_up, 1.25 - 0.5 * age, 1.0)
        return np.round(_SEGMENT_DAYS[segment] * pace * np.exp(0.3 * rng.standard_normal(len(segment)))).astype(
            np.int64
        )

    def stays(segment: np.ndarray, day: np.ndarray, completed: np.ndarray) -> np.ndarray:
        typical = _SEGMENT_DAYS[segment]
        return np.where(completed, _SEGMENT_STAYS[segment] - one.points * (day - typical) / 7, 0.5)

    return Plan(name=one.name, completes=0.75, days=days, stays=stays)


def _row(setting: str, points: float, store: Store, scope: Scope) -> dict[str, object]:
    found = ask(store, "delay_cost", as_of=min(store.newest_day, LAST_DAY) if scope.where else None, scope=scope).iloc[
        0
    ]
    return {
        "setting": setting,
        "planted": points,
        "found": found["points_per_week"],
        "held": found["low"] <= points <= found["high"],
        "is_zero": found["says"] == _ZERO,
        "accounts": found["accounts"],
    }


def _finding(asked: pd.DataFrame, companies: int) -> Finding:
    planted = asked[asked["setting"].str.startswith("planted")]
    none, some = asked[asked["planted"] == 0], planted[planted["planted"] > 0]
    held, zero = float(planted["held"].mean()), float(none["is_zero"].mean())
    largest = some[some["planted"] == some["planted"].max()]
    return Finding(
        name=NAME,
        title=TITLE,
        claim=(
            "The 95% interval of the points lost per week of delay holds the planted cost in at least 90 of 100 companies, "
            "and where there is no cost the product says that it cannot be told apart from 0 in at least 90 of 100."
        ),
        method=(
            f"{companies} companies for each of {len(_SETTINGS)} planted settings, {_ACCOUNTS} accounts each, loaded as "
            "contract files. Three of four accounts complete onboarding by day 90, larger customers later than small ones; "
            "larger customers also stay more, so that a comparison that overlooks the segments would find delay useful. Most "
            f"recent accounts are followed for less than a year. And {companies} demo companies of 400 accounts, in which the "
            "day of completion itself hardly matters (0.04 in log-odds per 30 days beyond day 60)."
        ),
        table=pd.DataFrame([_line(name, rows) for name, rows in asked.groupby("setting", sort=False)]),
        holds=held >= _LEAST and zero >= _LEAST,
        reading=(
            f"{say.percent(held)} of the planted companies' intervals hold the planted cost, where 95% are meant to. Without a "
            f"cost, {say.percent(zero)} of the companies are told that it cannot be told apart from 0. With "
            f"{say.number(100 * float(largest['planted'].iloc[0]), 0)} points a week planted, "
            f"{int((~largest['is_zero']).sum())} of {len(largest)} companies of this size see it as a cost; a cost of one point a "
            f"week takes more accounts than these {say.count(planted['accounts'].mean())} that can be compared: "
            "not to be told apart from 0 is no proof that there is none."
        ),
        limits=(
            "A straight line stands for the course over the weeks, so a cost that begins after some week is spread over all of "
            "them. Only accounts that completed by day 90 are compared. Where both the pace of onboarding and its cost change "
            "over the years, the newer accounts are followed for too short a time to show it, and the cost is found too small. "
            "It is an association: what makes an account late may also make it leave."
        ),
    )


def _line(setting: object, rows: pd.DataFrame) -> dict[str, object]:
    return {
        "setting": setting,
        "companies": len(rows),
        "points per week, planted": say.number(100 * rows["planted"].iloc[0]),
        "found, mean": say.number(100 * rows["found"].mean(), 2),
        "spread between companies": say.number(100 * rows["found"].std(), 2),
        "intervals that hold it": f"{int(rows['held'].sum())} of {len(rows)}",
        "not told apart from 0": f"{int(rows['is_zero'].sum())} of {len(rows)}",
    }

"""What if: the forecast under other assumptions, against the forecast as things stand, with the same luck in both."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import CsMetricsError, MetricError
from cs_metrics.metrics import registry
from cs_metrics.metrics.forecast_inputs import month_of
from cs_metrics.metrics.forecast_paths import Ahead, ahead, month_ends, run, simulate, to_the_cent
from cs_metrics.metrics.lift import lift_points
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.metrics.what_would_it_take import colours_now
from cs_metrics.models import forecast as model
from cs_metrics.store import Store

__all__ = ["Assumptions", "forecast_scenarios", "forecast_what_if", "onboarding_points"]

_MONTHS = 12
_LADDER = ("red", "yellow", "green")
_LEVEL = 0.8


@dataclass(frozen=True)
class Assumptions:
    """What is assumed: of which accounts, and what changes for them. Points are in percent."""

    segment: str = ""
    account_ids: tuple[str, ...] = ()
    from_colour: str = ""
    to_colour: str = ""
    slip_days: int = 0
    onboarding_weeks: float = 0.0
    effect_points: float | None = None

    def __post_init__(self) -> None:
        if self.from_colour and self.from_colour not in _LADDER:
            raise MetricError(f"from_colour={self.from_colour} is not possible: write red, yellow or green.")
        if self.to_colour and self.to_colour not in _LADDER:
            raise MetricError(f"to_colour={self.to_colour} is not possible: write red, yellow or green.")
        if not 0 <= self.slip_days <= 365:
            raise MetricError(f"slip_days={self.slip_days} is not possible: write days from 0 to 365.")
        if not 0 <= self.onboarding_weeks <= 26:
            raise MetricError(f"onboarding_weeks={self.onboarding_weeks} is not possible: write weeks from 0 to 26.")
        if self.effect_points is not None and not -100 <= self.effect_points <= 100:
            raise MetricError(f"effect_points={self.effect_points} is not possible: write points from -100 to 100.")

    @property
    def words(self) -> str:
        """The assumptions in words."""
        who = f"{len(self.account_ids)} named accounts" if self.account_ids else self.segment or "all accounts"
        who = f"{self.from_colour} of {who}" if self.from_colour else who
        parts = []
        if self.to_colour:
            parts.append(f"move to {self.to_colour}")
        if self.effect_points is not None:
            parts.append(f"likelihood {self.effect_points:+g} points")
        if self.slip_days:
            parts.append(f"renewals slip by {self.slip_days} days")
        if self.onboarding_weeks:
            parts.append(f"onboarding done {self.onboarding_weeks:g} weeks earlier")
        return f"{who}: {', '.join(parts) or 'nothing changes'}"


@metric(needs=("subscriptions", "contracts"), page="Health")
def forecast_what_if(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    segment: str = "",
    account: tuple[str, ...] = (),
    from_colour: Literal["", "red", "yellow", "green"] = "",
    to_colour: Literal["", "red", "yellow", "green"] = "",
    slip_days: int = 0,
    onboarding_weeks: float = 0.0,
    effect_points: float | None = None,
) -> pd.DataFrame:
    """The forecast of the next twelve months when some accounts change, against the forecast as things stand.

    The accounts are those of the scope, narrowed by segment, by id and by their colour in the last complete week
    (`from_colour`). `to_colour` moves them to another colour: the likelihood of their undecided contracts that end
    within the year changes by the points of each step (lift_evidence: evidence or assumption), or by `effect_points` in
    all. `slip_days` lets those contracts end so many days later. `onboarding_weeks` lets those of them that are in
    onboarding be done earlier: each week raises the likelihood by what a week of delay has cost (delay_cost), or by the
    configured assumption where that cannot be told. Accounts without a contract stay as they are.

    Both forecasts draw the same luck for each contract, so that the interval of the difference holds only what the
    change does.

    Formula: difference = scenario_arr - base_arr; its interval holds 80 % of the paths' differences, and is widened to
    hold the expected one.
    Columns:
        month: first day of the month
        base_arr, scenario_arr: expected ARR at its end, as things stand and as assumed
        difference, low, high: with its 80 % interval
        base_low, base_high, scenario_low, scenario_high: 80 % intervals of the two
        opening: ARR today
        accounts: accounts that change
        contracts: undecided contracts of theirs that end within the year, or did so before they slipped
    Source: common random numbers (Kahn and Marshall 1953).
    """
    asked = Assumptions(
        segment, tuple(account), from_colour, to_colour, int(slip_days), float(onboarding_weeks), effect_points
    )
    return _compared(store, as_of, scope, asked)[0]


@metric(needs=("subscriptions", "contracts"), reads=("scenario",), page="Health")
def forecast_scenarios(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, target_nrr: float | None = None
) -> pd.DataFrame:
    """The saved scenarios side by side: what the book is expected to be in twelve months under each, and how surely.

    The first row is the book as things stand. A scenario is saved in the workspace under a name; the last one saved
    under it counts, until it is removed.

    Formula: nrr = expected_arr ÷ ARR today of the accounts of the scope.
    Columns:
        scenario: its name
        assumptions: in words
        accounts, contracts: that it changes
        expected_arr: in twelve months
        difference, low, high: against things as they stand, with its 80 % interval
        nrr: expected net revenue retention over twelve months
        probability_below: chance that it falls below `target_nrr` (planning.target_nrr by default)
        target_nrr: that target
        author, saved_on: who saved it, and from which day it counts
        subject: its id in the workspace
    """
    target = store.config.planning.target_nrr if target_nrr is None else target_nrr
    kept = store.rows(_SAVED, as_of=as_of)
    asked = [("As things stand", Assumptions(), "", None, "")]
    for name, body, author, day, subject in kept:
        asked.append((str(name), _read(json.loads(body)), str(author), day, str(subject)))
    rows = []
    for name, assumed, author, day, subject in asked:
        try:
            months, closing = _compared(store, as_of, scope, assumed)
        except CsMetricsError as error:
            rows.append((name, f"{assumed.words} ({error})", 0, 0, *[np.nan] * 6, target, author, day, subject))
            continue
        last = months.iloc[-1]
        opening = float(last["opening"])
        below = float((closing < target * opening).mean()) if opening else np.nan
        rows.append(
            (
                name,
                assumed.words if subject else "",
                int(last["accounts"]) if subject else 0,
                int(last["contracts"]) if subject else 0,
                *(float(last[one]) for one in ("scenario_arr", "difference", "low", "high")),
                float(last["scenario_arr"]) / opening if opening else np.nan,
                below,
                target,
                author,
                day,
                subject,
            )
        )
    return pd.DataFrame(rows, columns=list(_SCENARIOS)).astype(_SCENARIOS)


_SCENARIOS = {
    "scenario": "str",
    "assumptions": "str",
    "accounts": "int64",
    "contracts": "int64",
    **dict.fromkeys(("expected_arr", "difference", "low", "high", "nrr", "probability_below", "target_nrr"), "float64"),
    "author": "str",
    "saved_on": "datetime64[us]",
    "subject": "str",
}

# The last entry of each scenario, and of each name the last scenario; those that were removed are gone.
_SAVED = """
    with last_entry as (
        select *
        from entry
        where topic = 'scenario' and effective_on <= $as_of
        qualify row_number() over (partition by subject order by seq desc) = 1
    )
    select body ->> 'name' as name, body, author, effective_on, subject
    from last_entry
    where action = 'save'
    qualify row_number() over (partition by body ->> 'name' order by seq desc) = 1
    order by seq
"""

_IN_ONBOARDING = """
    select accounts.account_id
    from accounts
    inner join scope on scope.account_id = accounts.account_id
    inner join milestone_status status on status.account_id = accounts.account_id
    where accounts.started_on <= $as_of and accounts.started_on + $days::integer > $as_of
    group by accounts.account_id
    having count(*) > count(case when status.completed_on <= $as_of then 1 end)
"""


def onboarding_points(store: Store, as_of: dt.date) -> tuple[float, str]:
    """Return by how much a week that onboarding is done earlier raises the likelihood, and on what that rests."""
    try:
        cost = registry.run(store, "delay_cost", as_of=as_of).iloc[0]
    except CsMetricsError:
        return store.config.planning.week_earlier_points / 100, "assumption"
    if cost["low"] > 0:
        return float(cost["low"]), "evidence"
    return store.config.planning.week_earlier_points / 100, "assumption"


def _read(body: Mapping[str, Any]) -> Assumptions:
    known = {one.name for one in fields(Assumptions)}
    given = {name: value for name, value in body.items() if name in known}
    ids = tuple(one.strip() for one in str(given.pop("account_ids", "")).split(",") if one.strip())
    return Assumptions(account_ids=ids, **given)


def _compared(store: Store, as_of: dt.date, scope: Scope, asked: Assumptions) -> tuple[pd.DataFrame, model.Floats]:
    """Return the two forecasts by month, and the closing books of the scenario's paths."""
    of, base = ahead(store, as_of, scope, _MONTHS), simulate(store, as_of, scope, _MONTHS)
    touched = _touched(store, as_of, scope, of, asked)
    book, count = _changed(store, as_of, scope, of, touched, asked)
    other = replace(of, book=book, walk=model.expected(book, of.rates, of.lengths))
    is_same = not count or all(
        np.array_equal(getattr(book, one), getattr(of.book, one)) for one in ("due", "likelihood")
    )
    drawn = base if is_same else run(other, store.config.forecast, growth=base.growth)
    found = pd.DataFrame({"month": pd.to_datetime(list(of.starts)).astype("datetime64[us]")})
    joint = [one.closing.sum(axis=0) for one in (base, drawn)]
    found["base_arr"], found["scenario_arr"] = (
        to_the_cent(one.walk, range(len(book.groups)))[2] for one in (of, other)
    )
    found["difference"] = np.round(found["scenario_arr"] - found["base_arr"], 2)
    for name, paths in (("", joint[1] - joint[0]), ("base_", joint[0]), ("scenario_", joint[1])):
        low, high = np.quantile(paths, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], axis=1)
        found[f"{name}low"], found[f"{name}high"] = np.round(low, 2), np.round(high, 2)
    accounts = of.pieces["account_id"].to_numpy()
    found["opening"] = round(float(of.walk.opening[:, 0].sum()), 2)
    found["low"] = found[["low", "difference"]].min(axis=1)
    found["high"] = found[["high", "difference"]].max(axis=1)
    found["accounts"], found["contracts"] = len(set(accounts[touched])), count
    return found, joint[1][-1]


def _touched(store: Store, as_of: dt.date, scope: Scope, of: Ahead, asked: Assumptions) -> np.ndarray:
    """Tell which pieces belong to the accounts of which something is assumed."""
    accounts = of.pieces["account_id"]
    found = np.ones(len(accounts), dtype=bool)
    if asked.segment:
        names = np.array([*of.book.groups, ""], dtype=object)
        found &= names[of.book.group] == asked.segment
    if asked.account_ids:
        known = {str(row[0]) for row in store.rows("select account_id from accounts")}
        for one in asked.account_ids:
            if one not in known:
                raise MetricError(f"There is no account '{one}'.")
        found &= accounts.isin(asked.account_ids).to_numpy()
    if asked.from_colour:
        found &= (accounts.map(colours_now(store, as_of, scope)) == asked.from_colour).to_numpy()
    if asked.onboarding_weeks and not (asked.to_colour or asked.slip_days or asked.effect_points is not None):
        found &= accounts.isin(_newcomers(store, as_of, scope)).to_numpy()
    return found


def _newcomers(store: Store, as_of: dt.date, scope: Scope) -> list[str]:
    found = store.rows(_IN_ONBOARDING, scope=scope, as_of=as_of, days=store.config.onboarding.days)
    return [str(row[0]) for row in found]


def _changed(
    store: Store, as_of: dt.date, scope: Scope, of: Ahead, touched: np.ndarray, asked: Assumptions
) -> tuple[model.Book, int]:
    """Return the book as assumed, and how many undecided contracts of the year it changes."""
    book = of.book
    open_ones = touched & (book.due >= 0) & (book.due < len(of.starts)) & np.isnan(book.known)
    rise = np.zeros(len(book.value))
    if asked.effect_points is not None:
        rise += asked.effect_points / 100
    elif asked.to_colour:
        points = lift_points(store, as_of)
        height = {"red": 0.0, "yellow": points["red"], "green": points["red"] + points["yellow"]}
        now = of.pieces["account_id"].map(colours_now(store, as_of, scope)).map(height)
        rise += (height[asked.to_colour] - now).fillna(0.0).to_numpy(dtype="float64")
    if asked.onboarding_weeks:
        newcomers = of.pieces["account_id"].isin(_newcomers(store, as_of, scope)).to_numpy()
        rise += np.where(newcomers, asked.onboarding_weeks * onboarding_points(store, as_of)[0], 0.0)
    likelihood = np.where(open_ones, np.clip(book.likelihood + rise, 0.0, 1.0), book.likelihood)
    due = book.due
    if asked.slip_days:
        tomorrow = pd.Timestamp(periods.add_days(as_of, 1))
        ends = of.pieces["ends_on"].where(of.pieces["ends_on"] > tomorrow, tomorrow)
        later = month_of(ends + pd.Timedelta(days=asked.slip_days), month_ends(of.starts))
        due = np.where(open_ones, later, due)
    return replace(book, likelihood=likelihood, due=due), int(open_ones.sum())

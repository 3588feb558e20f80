"""From when to when an account does each event, and the single events that must happen on a certain day."""

from dataclasses import dataclass

import numpy as np

from cs_metrics.demo.adoption import Adoption
from cs_metrics.demo.clock import LAST, NEVER, Clock, Floats, Ints, stream, weekday
from cs_metrics.demo.ledger import Ledger
from cs_metrics.demo.onboarding import SETTLED, Onboarding
from cs_metrics.demo.product import EVENTS, KEY_ACTION, MILESTONES, event_index
from cs_metrics.demo.traits import Traits

__all__ = ["WEEKDAYS", "Uptake", "days_in_weeks", "draw_uptake"]

WEEKDAYS = np.array((1.0, 1.02, 1.0, 0.98, 0.9, 0.16, 0.10))  # chance to show up, Monday to Sunday
_DAYS_TO_FIRST = {"base": (2, 2), "core": (22, 26), "decoy": (34, 44)}  # mean, for settled accounts and for others
_ATTENDS = 0.22
_EVER = {"base": (1.0, 1.0), "core": (0.97, 0.88), "decoy": (0.93, 0.84)}


_Certain = tuple[Ints, Ints, Ints]  # account, event, day


@dataclass(frozen=True)
class Uptake:
    """Spans per account and event (columns as in `EVENTS`), and events that happen for certain, sorted by day.

    An event may happen while `since` ≤ day < `until`, or while the product is tried.
    """

    since: Ints
    until: Ints
    tried_since: Ints
    tried_until: Ints
    account: Ints
    event: Ints
    day: Ints

    def allows(self, account: Ints, event: Ints, day: Ints) -> np.ndarray:
        """Say which events an account does by that day."""
        at = (account, event)
        owned = (day >= self.since[at]) & (day < self.until[at])
        return np.asarray(owned | ((day >= self.tried_since[at]) & (day < self.tried_until[at])))


def _first_days(rng: np.random.Generator, traits: Traits, onboarding: Onboarding, kind: str) -> Ints:
    """The day of the first time: nearly the same for accounts that settle and for those that do not."""
    other = (onboarding.kind != SETTLED).astype(int)
    wait = rng.exponential(np.array(_DAYS_TO_FIRST[kind])[other])
    day = traits.start + np.floor(wait).astype(np.int64)
    day += np.where(weekday(day) == 5, 2, np.where(weekday(day) == 6, 1, 0))
    return np.asarray(np.where(rng.random(traits.count) < np.array(_EVER[kind])[other], day, NEVER))


def days_in_weeks(rng: np.random.Generator, start: Ints, week: Ints) -> Ints:
    """Return one day in each given week since `start`, working days more often."""
    chances: Floats = np.stack([np.roll(WEEKDAYS, -shift) for shift in range(7)])
    edges = np.cumsum(chances / chances.sum(axis=1, keepdims=True), axis=1)
    offset = (rng.random(len(week))[:, None] > edges[weekday(start)]).sum(axis=1)
    return np.asarray(start + 7 * week + np.minimum(offset, 6))


def draw_uptake(
    seed: int, traits: Traits, onboarding: Onboarding, adoption: Adoption, ledger: Ledger, clock: Clock
) -> Uptake:
    """Draw what each account takes up and when."""
    rng = stream(seed, "uptake")
    shape = (traits.count, len(EVENTS))
    since = np.tile(traits.start[:, None], (1, len(EVENTS)))
    until = np.full(shape, NEVER, dtype=np.int64)
    tried_since, tried_until = until.copy(), until.copy()
    for at, event in enumerate(EVENTS):
        if event.kind in _EVER:
            since[:, at] = _first_days(rng, traits, onboarding, event.kind)
        elif event.kind != "key":
            since[:, at] = NEVER
    for place, milestone in enumerate(MILESTONES):
        if milestone.event:
            column = event_index(milestone.event)
            since[:, column] = np.minimum(since[:, column], onboarding.reached[:, place])
    _own(rng, ledger, since, until)
    for trial in ledger.deals.trials:
        for at, event in enumerate(EVENTS):
            if event.kind == "add_on" and event.product == trial.product:
                tried_since[trial.account, at], tried_until[trial.account, at] = trial.start, trial.end
    certain = (*_first_times(since, tried_since), _key_actions(rng, adoption), _webinars(rng, traits, clock))
    account, event_at, day = (np.concatenate([one[part] for one in certain]) for part in range(3))
    there = (day <= LAST) & ledger.is_there(account, day)
    account, event_at, day = account[there], event_at[there], day[there]
    order = np.lexsort((event_at, account, day))
    return Uptake(since, until, tried_since, tried_until, account[order], event_at[order], day[order])


def _own(rng: np.random.Generator, ledger: Ledger, since: Ints, until: Ints) -> None:
    """An account uses a product some days after it bought it, as long as it owns it."""
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    for line in ledger.lines:
        start, end = spans.get((line.account, line.product), (NEVER, 0))
        spans[line.account, line.product] = min(start, line.start), max(end, line.end or NEVER)
    for at, event in enumerate(EVENTS):
        if event.kind == "add_on":
            owned = [(account, span) for (account, product), span in sorted(spans.items()) if product == event.product]
            for (account, (start, end)), wait in zip(owned, rng.integers(1, 15, len(owned)), strict=True):
                since[account, at], until[account, at] = start + int(wait), end


def _first_times(since: Ints, tried: Ints) -> tuple[_Certain, ...]:
    """Each first time, and the first and the third day of a trial, happen for certain."""
    later = np.array([event.kind != "key" for event in EVENTS])
    account, event = np.nonzero((since <= LAST) & later)
    tried_account, tried_event = np.nonzero(tried <= LAST)
    began = tried[tried_account, tried_event]
    return (
        (account, event, since[account, event]),
        (tried_account, tried_event, began),
        (tried_account, tried_event, began + 2),
    )


def _key_actions(rng: np.random.Generator, adoption: Adoption) -> _Certain:
    """The weekly key action, on one day of its week."""
    account, week = np.nonzero(adoption.does_key_action())
    day = days_in_weeks(rng, adoption.start[account], week)
    return account, np.full(len(account), event_index(KEY_ACTION)), day


def _webinars(rng: np.random.Generator, traits: Traits, clock: Clock) -> _Certain:
    """Webinars attended: one a month, a matter of taste and not of use."""
    taste = _ATTENDS * np.exp(0.6 * traits.attendance)
    account, month = np.nonzero(rng.random((traits.count, clock.months)) < taste[:, None])
    dates = clock.starts[:-1] + (2 - weekday(clock.starts[:-1])) % 7 + 7
    return account, np.full(len(account), event_index("webinar_attended")), dates[month]

"""Use, week by week of an account's life: the habit of the key action, engagement, tickets and sponsors who leave."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cs_metrics.demo.clock import NEVER, Bools, Clock, Floats, Ints, stream
from cs_metrics.demo.coefficients import ACTIVATION
from cs_metrics.demo.onboarding import NEVER_STARTED, Onboarding
from cs_metrics.demo.traits import Traits

__all__ = ["ACTIVE", "GONE", "IDLE", "Adoption", "draw_adoption"]

GONE, IDLE, ACTIVE = -1, 0, 1
_IDLE_LEVEL = 0.05  # engagement of an account without the habit, as a share of its own
_LOOKS_AROUND, _LOOKS_WEEKS = 0.45, 5  # what its people do in the first weeks, habit or not
_IDLE_TICKETS = 0.25
_MEMORY, _SPREAD = 0.96, 0.28  # weekly autocorrelation and spread of log engagement
_SPONSOR_HAZARD = 0.19  # sponsors leaving per year


@dataclass
class Adoption:
    """Matrices of account × week since the start; `state` changes while the contracts are played through."""

    start: Ints
    state: npt.NDArray[np.int8]
    level: npt.NDArray[np.float32]  # engagement, 1 on average where the habit holds
    breadth: Floats  # share of an account's users that are not idle
    key_draw: npt.NDArray[np.float32]
    key_when_idle: Floats
    tickets_busy: npt.NDArray[np.int16]
    tickets_idle: npt.NDArray[np.int16]
    sponsor_left: Ints  # account × 2: the days on which the first sponsor and the successor leave
    successor_since: Ints

    def week(self, account: int, day: int) -> int:
        """Return the account's week that holds `day`."""
        return min(max((day - int(self.start[account])) // 7, 0), int(self.state.shape[1]) - 1)

    def is_active(self, account: int, day: int) -> bool:
        """Say whether the account has the habit in the week of `day`."""
        return bool(self.state[account, self.week(account, day)] == ACTIVE)

    def does_key_action(self, account: Ints | int | slice = slice(None), weeks: slice = slice(None)) -> Bools:
        """Return in which weeks the key action is done."""
        state, draw = self.state[account, weeks], self.key_draw[account, weeks]
        idle = np.asarray(self.key_when_idle[account])[..., None] if state.ndim > 1 else self.key_when_idle[account]
        done: Bools = (draw < np.where(state == ACTIVE, ACTIVATION["week_when_settled"], idle)) & (state != GONE)
        return done

    def engagement(self, account: Ints | int | slice = slice(None), weeks: slice = slice(None)) -> Floats:
        """Return how much an account's users do, by week."""
        state = self.state[account, weeks]
        is_early = np.arange(self.state.shape[1])[weeks] < _LOOKS_WEEKS
        idle = np.where(is_early, _LOOKS_AROUND, _IDLE_LEVEL)
        share = np.where(state == ACTIVE, 1.0, np.where(state == IDLE, idle, 0.0))
        return np.asarray(share * self.level[account, weeks], dtype=np.float64)

    def tickets(self, account: Ints | int | slice = slice(None), weeks: slice = slice(None)) -> Ints:
        """Return the tickets opened by week."""
        state = self.state[account, weeks]
        busy, idle = self.tickets_busy[account, weeks], self.tickets_idle[account, weeks]
        return np.where(state == ACTIVE, busy, np.where(state == IDLE, idle, 0)).astype(np.int64)

    def recent(self, account: int, day: int, weeks: int) -> slice:
        """Return the complete weeks before `day`, at most `weeks` of them and at least one."""
        upto = max((day - int(self.start[account])) // 7, 1)
        return slice(max(0, upto - weeks), upto)

    def sponsor_left_within(self, account: int, day: int, days: int = 365) -> bool:
        """Say whether a sponsor left in the `days` up to `day`."""
        return bool(((self.sponsor_left[account] <= day) & (self.sponsor_left[account] > day - days)).any())


def _levels(rng: np.random.Generator, traits: Traits, sponsor_left: Ints, weeks: int) -> npt.NDArray[np.float32]:
    """Log engagement wanders around its mean; for a quarter after a sponsor left it is a fifth lower."""
    fresh = rng.standard_normal((weeks, traits.count)).astype(np.float32)
    log_level = np.empty((weeks, traits.count), dtype=np.float32)
    log_level[0] = _SPREAD * fresh[0]
    for at in range(1, weeks):
        log_level[at] = _MEMORY * log_level[at - 1] + _SPREAD * np.sqrt(1 - _MEMORY**2) * fresh[at]
    level = np.exp(log_level.T)
    for column in range(sponsor_left.shape[1]):
        since = np.arange(weeks) - ((sponsor_left[:, column] - traits.start) // 7)[:, None]
        level[(since >= 0) & (since < 13)] *= 0.8
    return np.asarray(level, dtype=np.float32)


def _sponsor_days(rng: np.random.Generator, traits: Traits) -> tuple[Ints, Ints]:
    """Sponsors leave by chance, weak ones sooner; seven in ten have a successor, after some months."""
    hazard = _SPONSOR_HAZARD * np.exp(-0.15 * traits.sponsor) / 365
    first = traits.start + 45 + np.floor(rng.exponential(1 / hazard)).astype(np.int64)
    replaced = rng.random(traits.count) < 0.7
    since = np.where(replaced, first + rng.integers(15, 140, traits.count), NEVER)
    second = since + 60 + np.floor(rng.exponential(1 / hazard)).astype(np.int64)
    return np.minimum(np.stack([first, second], axis=1), NEVER), np.minimum(since, NEVER)


def draw_adoption(seed: int, traits: Traits, onboarding: Onboarding, clock: Clock) -> Adoption:
    """Draw everything about use that does not depend on how contracts end."""
    rng, count, weeks = stream(seed, "adoption"), traits.count, clock.weeks
    habit = np.arange(weeks) < onboarding.fall_week[:, None]
    sponsor_left, successor_since = _sponsor_days(stream(seed, "sponsors"), traits)
    support = stream(seed, "ticket counts")
    rate = 0.17 * (traits.seats / 20) ** 0.35 * np.exp(0.65 * traits.voice)
    busy = np.minimum(support.poisson(rate[:, None], (count, weeks)), 60)
    outlook = 0.55 + 0.50 * traits.fit + 0.30 * traits.sponsor + 0.40 * rng.standard_normal(count)
    is_late_starter = onboarding.kind == NEVER_STARTED
    return Adoption(
        start=traits.start,
        state=np.where(habit, ACTIVE, IDLE).astype(np.int8),
        level=_levels(rng, traits, sponsor_left, weeks),
        breadth=0.25 + 0.70 / (1 + np.exp(-outlook)),
        key_draw=rng.random((count, weeks), dtype=np.float32),
        key_when_idle=np.where(is_late_starter, ACTIVATION["week_when_never_started"], ACTIVATION["week_when_fallen"]),
        tickets_busy=busy.astype(np.int16),
        tickets_idle=support.binomial(busy, _IDLE_TICKETS).astype(np.int16),
        sponsor_left=sponsor_left,
        successor_since=successor_since,
    )

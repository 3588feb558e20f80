"""What customers achieve and how close they are to their limits, month by month."""

from dataclasses import dataclass

import numpy as np

from cs_metrics.demo.adoption import Adoption
from cs_metrics.demo.clock import LAST, Clock, Floats, Ints, day_of_number, stream
from cs_metrics.demo.ledger import Ledger
from cs_metrics.demo.people import Users
from cs_metrics.demo.product import TIER
from cs_metrics.demo.traits import Traits

__all__ = ["outcomes_table", "usage_limits_table"]

_SEASON = np.array((0.93, 0.95, 0.99, 1.0, 1.0, 0.99, 0.97, 0.97, 1.0, 1.03, 1.10, 1.08))
_API_CALLS_ALLOWED = 250_000.0


def _habit(adoption: Adoption, clock: Clock, month: int) -> Floats:
    """Share of the month's weeks with the key action, of each account."""
    low, high = int(clock.starts[month]), int(clock.starts[month + 1])
    days = np.arange(low, high, 7)
    week = np.clip((days - adoption.start[:, None]) // 7, 0, adoption.state.shape[1] - 1)
    return np.asarray(np.take_along_axis(adoption.does_key_action(), week, axis=1).mean(axis=1))


def outcomes_table(seed: int, traits: Traits, adoption: Adoption, ledger: Ledger, clock: Clock) -> dict[str, object]:
    """Return the columns of `outcomes`: the sales volume of whole months, which grows with the habit and the market."""
    rng = stream(seed, "outcomes")
    volume = 9_000 * traits.seats**1.15 * np.exp(0.5 * rng.standard_normal(traits.count))
    everyone = np.arange(traits.count)
    account, months, values = [], [], []
    for month in range(clock.months):
        low, high = int(clock.starts[month]), int(clock.starts[month + 1])
        whole = (traits.start <= low) & ledger.is_there(everyone, low) & ledger.is_there(everyone, high - 1)
        habit = _habit(adoption, clock, month)
        volume = volume * np.exp(np.where(traits.start <= low, traits.market + 0.020 * (habit - 0.35), 0.0))
        noise = np.exp(0.06 * rng.standard_normal(traits.count))
        result = volume * (0.75 + 0.35 * habit) * _SEASON[day_of_number(low).month - 1] * noise
        account.append(everyone[whole])
        months.append(np.full(int(whole.sum()), low))
        values.append(np.round(result[whole], 2))
    who: Ints = np.concatenate(account)
    return {
        "account_id": [traits.ids[at] for at in who],
        "metric": ["sales_volume"] * len(who),
        "month": np.concatenate(months),
        "value": np.concatenate(values),
    }


@dataclass(frozen=True)
class _Reading:
    """One limit of many accounts, measured on one day."""

    resource: str
    day: int
    who: Ints
    used: Floats
    allowed: Floats


class _Meter:
    """Reads the limits of all accounts at a month's end."""

    def __init__(self, traits: Traits, ledger: Ledger, users: Users) -> None:
        self.count, self.ledger, self.users = traits.count, ledger, users
        lines = ledger.lines
        self.account = np.array([one.account for one in lines])
        self.start = np.array([one.start for one in lines])
        self.end = np.array([LAST + 1 if one.end is None else one.end for one in lines])
        self.seats = np.array([one.seats or 0 for one in lines], dtype=np.float64)
        self.is_tier = np.array([one.product == TIER for one in lines], dtype=np.float64)

    def _by_account(self, values: Floats, day: int) -> Floats:
        """Sum a value of the lines that run on a day, per account."""
        runs = (self.start <= day) & (day < self.end)
        return np.asarray(np.bincount(self.account[runs], weights=values[runs], minlength=self.count))

    def read_seats(self, day: int) -> _Reading:
        """Users present against seats bought."""
        present = (self.users.since <= day) & (self.users.until > day)
        used = np.bincount(self.users.account[present], minlength=self.count).astype(np.float64)
        seats = self._by_account(self.seats, day)
        who = np.flatnonzero(seats)
        return _Reading("seats", day, who, used[who], seats[who])

    def read_storage(self, day: int, month: int) -> _Reading:
        """Gigabytes used against those of the plan."""
        used, allowed = self.ledger.deals.storage_used[:, month], self.ledger.deals.storage_allowed[:, month]
        who = np.flatnonzero((allowed > 0) & self.ledger.is_there(np.arange(self.count), day))
        return _Reading("storage_gb", day, who, np.round(used[who], 1), np.round(allowed[who], 1))

    def read_calls(self, day: int, share: Floats) -> _Reading:
        """Calls of the interface against those of the tier."""
        who = np.flatnonzero(self._by_account(self.is_tier, day))
        allowed = np.full(len(who), _API_CALLS_ALLOWED)
        return _Reading("api_calls", day, who, np.round(share[who] * allowed), allowed)


def usage_limits_table(seed: int, traits: Traits, ledger: Ledger, users: Users, clock: Clock) -> dict[str, object]:
    """Return the columns of `usage_limits` at each month's end: seats, storage and, with the tier, API calls."""
    rng, meter = stream(seed, "limits"), _Meter(traits, ledger, users)
    share = rng.uniform(0.15, 0.7, traits.count)
    found: list[_Reading] = []
    for month in range(clock.months):
        day = int(clock.starts[month + 1]) - 1
        share = np.minimum(share * np.exp(0.012 + 0.05 * rng.standard_normal(traits.count)), 1.0)
        found += [meter.read_seats(day), meter.read_storage(day, month), meter.read_calls(day, share)]
    return {
        "account_id": [traits.ids[at] for one in found for at in one.who.tolist()],
        "resource": [one.resource for one in found for _ in range(len(one.who))],
        "measured_on": np.concatenate([np.full(len(one.who), one.day) for one in found]),
        "used": np.concatenate([one.used for one in found]),
        "allowed": np.concatenate([one.allowed for one in found]),
    }

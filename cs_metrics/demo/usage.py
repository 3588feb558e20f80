"""The events, month by month: a user shows up on a day, and then does one or more things.

Whether a user shows up does not depend on how many events are asked for: more events means more of them per visit.
One month is drawn at a time, in pieces of bounded size, so that memory does not grow with the history.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cs_metrics.demo.adoption import Adoption
from cs_metrics.demo.clock import DAY_US, Clock, Floats, Ints, day_of_number, stream, weekday
from cs_metrics.demo.ledger import Ledger
from cs_metrics.demo.people import Users
from cs_metrics.demo.product import DEPARTMENTS, EVENTS, FALLBACK, KEY_ACTION, PRODUCTS, QUIET_KEY_ACTION, event_index
from cs_metrics.demo.traits import Traits
from cs_metrics.demo.uptake import WEEKDAYS, Uptake

__all__ = ["Usage"]

_CELLS = 2_000_000  # user-days drawn at once
_ROWS = 1_000_000  # events drawn at once, about
_MOST = 0.96
_SEASON = np.array((0.92, 0.93, 1.0, 0.98, 1.0, 0.97, 0.94, 0.93, 1.02, 1.06, 1.2, 1.12))
_UTC_HOURS = np.array((5, -1, -9))  # working hours by region, in UTC
_WINDS_DOWN_WEEKS = 12
_KEY, _QUIET, _FALLBACK = (event_index(name) for name in (KEY_ACTION, QUIET_KEY_ACTION, FALLBACK))
_BY_PERSON: Final = np.array([event.by_person for event in EVENTS])
_NAMES: Final = pa.array([event.name for event in EVENTS])
_PRODUCT_IDS: Final = pa.array([product.product_id for product in PRODUCTS])
_PRODUCT: Final = np.array([event.product if event.kind == "add_on" else -1 for event in EVENTS])


def _profiles() -> Floats:
    """Cumulative chances of the event names, one department after the other: department + (0, 1]."""
    rows = []
    for at, more in enumerate(DEPARTMENTS.values()):
        weights = np.array([event.share * more.get(event.name, 1.0) for event in EVENTS])
        rows.append(at + np.cumsum(weights / weights.sum()))
    found = np.concatenate(rows)
    found[len(EVENTS) - 1 :: len(EVENTS)] = np.arange(1, len(rows) + 1)
    return found


class Usage:
    """Draws the events of a company, about `events` of them."""

    def __init__(
        self,
        seed: int,
        traits: Traits,
        adoption: Adoption,
        ledger: Ledger,
        users: Users,
        uptake: Uptake,
        clock: Clock,
        events: int,
    ) -> None:
        self.seed, self.traits, self.ledger, self.users = seed, traits, ledger, users
        self.uptake, self.clock = uptake, clock
        self.key_weeks = adoption.does_key_action()
        self.engagement = self._winding_down(adoption.engagement().astype(np.float32))
        self.profiles = _profiles()
        self.thin, self.more = self._scale(events)

    def _winding_down(self, engagement: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Accounts that will leave do less and less in their last weeks."""
        weeks = np.arange(engagement.shape[1])
        for left in (self.ledger.left, self.ledger.left_again):
            before = (left - self.traits.start)[:, None] / 7 - weeks
            fade = np.clip(0.45 + 0.55 * before / _WINDS_DOWN_WEEKS, 0.45, 1.0)
            engagement = np.where((before >= 0) & (before < _WINDS_DOWN_WEEKS), engagement * fade, engagement)
        return engagement.astype(np.float32)

    def _presence(self, accounts: slice, days: Ints) -> npt.NDArray[np.float32]:
        """Return account × day: how much the account's users are there; 0 when it is no customer."""
        account = np.arange(accounts.start, accounts.stop)[:, None]
        week = np.clip((days - self.traits.start[account]) // 7, 0, self.engagement.shape[1] - 1)
        level = np.take_along_axis(self.engagement[accounts], week, axis=1)
        there = self.ledger.is_there(account, days)
        dates = [day_of_number(day) for day in days]
        holiday = np.array(
            [0.35 if (one.month, one.day) >= (12, 24) or one.timetuple().tm_yday == 1 else 1.0 for one in dates]
        )
        return np.asarray(level * there * (WEEKDAYS[weekday(days)] * holiday), dtype=np.float32)

    def _season(self, days: Ints) -> Floats:
        return np.asarray(_SEASON[[day_of_number(day).month - 1 for day in days]])

    def _scale(self, events: int) -> tuple[float, float]:
        """Return the share of visits kept and the mean of further events per visit that give so many events."""
        visits = weighted = 0.0
        users, everybody = self.users, slice(0, self.traits.count)
        gone = self.ledger.gone[users.account]
        kinds, kind = np.unique(users.daily, return_inverse=True)
        for month in range(self.clock.months):
            low, high = int(self.clock.starts[month]), int(self.clock.starts[month + 1])
            presence = self._presence(everybody, np.arange(low, high))
            begins = np.maximum(self.traits.start, low)[users.account]
            here = np.minimum(users.until, high) - np.maximum(users.since, begins)
            share = np.clip(here / np.maximum(np.minimum(gone, high) - begins, 1), 0, 1)
            season = float(_SEASON[day_of_number(low).month - 1])
            for at, daily in enumerate(kinds):
                shown = np.minimum(presence * daily, _MOST).sum(axis=1)
                total = float((shown[users.account] * share)[kind == at].sum())
                visits, weighted = visits + total, weighted + total * season
        wanted = max(0.0, events - len(self.uptake.day))
        if wanted >= 1.15 * visits:
            return 1.0, (wanted - visits) / max(weighted, 1.0)
        return wanted / max(visits + 0.15 * weighted, 1.0), 0.15

    def month(self, month: int) -> Iterator[Any]:
        """Draw the events of one month, as Arrow tables with the columns of the contract."""
        rng = stream(self.seed, f"events {self.clock.month_name(month)}")
        low, high = int(self.clock.starts[month]), int(self.clock.starts[month + 1])
        days = np.arange(low, high)
        present = np.flatnonzero((self.users.since < high) & (self.users.until > low))
        visits_per_user = 31 * 0.3 * (1 + self.more)
        step = max(1, int(min(_CELLS // len(days), _ROWS / visits_per_user)))
        for at in range(0, len(present), step):
            yield self._visits(rng, present[at : at + step], days)
        first, last = np.searchsorted(self.uptake.day, (low, high))
        yield self._certain(rng, slice(int(first), int(last)))

    def _visits(self, rng: np.random.Generator, who: Ints, days: Ints) -> Any:
        users, account = self.users, self.users.account[who]
        sole = slice(int(account[0]), int(account[-1]) + 1)
        chance = self._presence(sole, days)[account - sole.start] * users.daily[who, None].astype(np.float32)
        chance = np.minimum(chance, np.float32(_MOST)) * np.float32(self.thin)
        shows_up = rng.random(chance.shape, dtype=np.float32) < chance
        shows_up &= (days >= users.since[who, None]) & (days < users.until[who, None])
        user, day = np.nonzero(shows_up)
        times = 1 + rng.poisson(self.more * self._season(days)[day])
        user, day = np.repeat(who[user], times), np.repeat(days[day], times)
        account = users.account[user]
        draw = users.department[user] + rng.random(len(user))
        event = np.searchsorted(self.profiles, draw, side="right") % len(EVENTS)
        event = np.where(self.uptake.allows(account, event, day), event, _FALLBACK)
        week = (day - self.traits.start[account]) // 7
        event = np.where((event == _KEY) & ~self.key_weeks[account, week], _QUIET, event)
        return self._table(rng, user, event, day)

    def _certain(self, rng: np.random.Generator, rows: slice) -> Any:
        account, day = self.uptake.account[rows], self.uptake.day[rows]
        user = self.users.at(account, day, rng.random(len(account)) ** 3)
        user = np.where(self.users.until[user] > day, user, self.users.first[account])
        return self._table(rng, user, self.uptake.event[rows], day)

    def _table(self, rng: np.random.Generator, user: Ints, event: Ints, day: Ints) -> Any:
        count, account = len(user), self.users.account[user]
        local = (27_000 + 41_400 * rng.triangular(0, 0.42, 1, count)).astype(np.int64)
        second = (local + 3600 * _UTC_HOURS[self.traits.region[account]]) % 86_400
        at = day * DAY_US + second * 1_000_000 + rng.integers(0, 1000, count) * 1000
        lots = rng.standard_exponential(count)
        quantity = np.where(event == _KEY, 1 + np.floor(2.5 * lots), 1.0)
        quantity = np.where(event == event_index("api_called"), 10 + 10 * np.floor(8 * lots), quantity)
        product = _PRODUCT[event]
        first_user, first_account = (int(user.min()), int(account.min())) if count else (0, 0)
        last_user, last_account = (int(user.max()), int(account.max())) if count else (0, 0)
        return pa.table(
            {
                "account_id": _coded(account - first_account, self.traits.ids[first_account : last_account + 1]),
                "event": _coded(event, _NAMES),
                "occurred_at": pa.array(at).cast(pa.timestamp("us")),
                "user_id": _coded(user - first_user, self.users.ids[first_user : last_user + 1], ~_BY_PERSON[event]),
                "quantity": pa.array(quantity),
                "product_id": _coded(product, _PRODUCT_IDS, product < 0),
            }
        )


def _coded(index: Ints, words: Any, missing: Any = None) -> Any:
    """Return a column of words by their positions."""
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32), mask=missing), pa.array(words))

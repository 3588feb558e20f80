"""The people at the customers: users who work in departments, and contacts who decide."""

from dataclasses import dataclass

import numpy as np

from cs_metrics.demo.adoption import Adoption
from cs_metrics.demo.clock import DAY_US, LAST, NEVER, UNKNOWN, Bools, Clock, Floats, Ints, stream
from cs_metrics.demo.ledger import Ledger
from cs_metrics.demo.names import moved_to_names
from cs_metrics.demo.product import DEPARTMENTS
from cs_metrics.demo.traits import Traits

__all__ = ["Users", "contacts_table", "draw_users", "users_table"]

_FIRST_DEPARTMENTS = (2, 3, 4)  # by segment; one more joins after half a year
_DAILY = (0.72, 0.30, 0.08, 0.003)  # chance that a user shows up on a working day: power, regular, light, idle
_LEAVES_PER_YEAR = 0.07
_ROLES = ("admin", "manager", "member", "viewer")


@dataclass(frozen=True)
class Users:
    """One value per user, sorted by account and first day; `until` is the first day without the user."""

    account: Ints
    number: Ints  # 1, 2, … within the account; 1 is the lead user, who stays
    since: Ints
    until: Ints
    department: Ints
    daily: Floats
    first: Ints  # position of each account's first user, one more than accounts
    ids: list[str]

    def at(self, account: Ints, day: Ints, chance: Floats) -> Ints:
        """Return the position of a user of each account who had been created by the day."""
        span = int(self.since.max()) + 1
        key = self.account * span + self.since
        upto = np.searchsorted(key, account * span + np.minimum(day, span - 1), side="right")
        known = np.maximum(upto - self.first[account], 1)
        return np.asarray(self.first[account] + np.floor(chance * known).astype(np.int64))


def _joins(rng: np.random.Generator, traits: Traits, users: Ints, clock: Clock) -> tuple[Ints, Ints]:
    """Accounts and days at which users join: the first ones within 45 days, later ones as the account grows."""
    most = np.maximum.accumulate(users, axis=1)
    more = np.diff(most, axis=1, prepend=0)
    is_first = (most > 0) & (np.cumsum(most > 0, axis=1) == 1)
    account, month = np.nonzero(more)
    times, begins = more[account, month], is_first[account, month]
    account, month, begins = np.repeat(account, times), np.repeat(month, times), np.repeat(begins, times)
    draw = rng.random(len(account))
    length = clock.starts[month + 1] - clock.starts[month]
    joined = np.where(begins, traits.start[account] + draw**2 * 46, clock.starts[month] + draw * length)
    return account, joined.astype(np.int64)


def draw_users(seed: int, traits: Traits, adoption: Adoption, ledger: Ledger, clock: Clock) -> Users:
    """Draw the users who follow from each account's seats in use; leavers are replaced."""
    rng = stream(seed, "users")
    account, since = _joins(rng, traits, ledger.deals.users, clock)
    leaves = since + 30 + np.floor(rng.exponential(365 / _LEAVES_PER_YEAR, len(since))).astype(np.int64)
    _, lead = np.unique(account, return_index=True)
    since[lead], leaves[lead] = traits.start[account[lead]], NEVER
    gone = ledger.gone
    followed = np.flatnonzero(leaves < np.minimum(gone[account], LAST))
    account = np.concatenate([account, account[followed]])
    since = np.concatenate([since, leaves[followed] + rng.integers(3, 40, len(followed))])
    leaves = np.concatenate([leaves, np.full(len(followed), NEVER)])
    until = np.minimum(leaves, gone[account])
    keep = (since <= LAST) & (since < until)
    order = np.lexsort((until[keep] < NEVER, since[keep], account[keep]))
    account, since, until = (values[keep][order] for values in (account, since, until))
    first = np.searchsorted(account, np.arange(traits.count + 1))
    number = np.arange(len(account)) - first[account] + 1
    department = _departments(rng, traits, account, since, number)
    idle = rng.random(len(account)) > adoption.breadth[account] * np.where(department >= 2, 0.75, 1.08)
    kind = np.where(idle, 3, np.searchsorted((0.16, 0.78), rng.random(len(account))))
    daily = np.array(_DAILY)[np.where(number == 1, 0, kind)]
    ids = [f"{traits.ids[at]}-U{one:02d}" for at, one in zip(account.tolist(), number.tolist(), strict=True)]
    return Users(account, number, since, until, department, daily, first, ids)


def _departments(rng: np.random.Generator, traits: Traits, account: Ints, since: Ints, number: Ints) -> Ints:
    """Most users sit in the first departments of their company; a further one joins after half a year."""
    open_now = np.array(_FIRST_DEPARTMENTS)[traits.segment[account]] + (since - traits.start[account] > 180)
    order = np.argsort(rng.random((traits.count, len(DEPARTMENTS))), axis=1)
    rank = np.minimum(np.floor(rng.random(len(account)) ** 1.7 * open_now).astype(np.int64), open_now - 1)
    return np.asarray(order[account, np.where(number == 1, 0, rank)])


def users_table(seed: int, users: Users, traits: Traits) -> dict[str, object]:
    """Return the columns of `users`."""
    rng = stream(seed, "users table")
    role = np.where(users.number == 1, 0, 1 + np.searchsorted((0.15, 0.85), rng.random(len(users.account))))
    hour = rng.integers(7 * 3600, 18 * 3600, len(users.account)) * 1_000_000
    names = list(DEPARTMENTS)
    return {
        "user_id": users.ids,
        "account_id": [traits.ids[at] for at in users.account],
        "department": [names[at] for at in users.department],
        "role": [_ROLES[at] for at in role],
        "created_at": users.since * DAY_US + hour,
        "deactivated_at": np.where(users.until <= LAST, users.until * DAY_US + 18 * 3_600_000_000, UNKNOWN),
    }


def contacts_table(seed: int, traits: Traits, adoption: Adoption, ledger: Ledger) -> dict[str, object]:
    """Return the columns of `contacts`: decision makers, sponsors and their successors, champions, admins."""
    rng = stream(seed, "contacts")
    rows: list[tuple[int, str, int, int]] = []
    for account in range(traits.count):
        start = int(traits.start[account])
        first, second = (int(day) for day in adoption.sponsor_left[account])
        successor = int(adoption.successor_since[account])
        rows.append((account, "sponsor", start, first))
        if successor <= LAST:
            rows.append((account, "sponsor", successor, second))
        segment = int(traits.segment[account])
        if segment or rng.random() < 0.4:
            rows.append((account, "decision_maker", start, NEVER))
        for role, share in (("champion", (0.35, 0.8, 1.0)), ("admin", (0.6, 0.9, 1.0))):
            if rng.random() < share[segment]:
                leaves = start + 60 + int(rng.exponential(365 / 0.08))
                rows.append((account, role, start + int(rng.integers(0, 30)), leaves))
    gone = ledger.gone
    rows = [row for row in rows if row[2] <= LAST]
    left = np.array([row[3] if row[3] <= LAST and row[3] < gone[row[0]] else UNKNOWN for row in rows])
    return {
        "contact_id": [f"C{number:06d}" for number in range(1, len(rows) + 1)],
        "account_id": [traits.ids[row[0]] for row in rows],
        "name": [f"{row[1].replace('_', ' ').capitalize()} {number}" for number, row in enumerate(rows, 1)],
        "role": [row[1] for row in rows],
        "since": np.array([row[2] for row in rows]),
        "left_on": left,
        "moved_to": _moved_to(rng, left != UNKNOWN),
    }


def _moved_to(rng: np.random.Generator, has_left: Bools) -> list[str | None]:
    """Of six in ten leavers we learn where they went."""
    known = has_left & (rng.random(len(has_left)) < 0.6)
    places = iter(moved_to_names(rng, int(known.sum())))
    return [next(places) if one else None for one in known]

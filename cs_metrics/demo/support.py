"""What customers tell us: support tickets and surveys."""

import numpy as np

from cs_metrics.demo.adoption import ACTIVE, Adoption
from cs_metrics.demo.clock import DAY_US, LAST, UNKNOWN, Bools, Floats, Ints, stream
from cs_metrics.demo.ledger import Ledger
from cs_metrics.demo.people import Users
from cs_metrics.demo.product import CORE, PRODUCTS
from cs_metrics.demo.traits import Traits
from cs_metrics.demo.uptake import days_in_weeks

__all__ = ["surveys_table", "tickets_table"]

END_US = (LAST + 1) * DAY_US
_HOUR_US = 3_600_000_000
_KINDS, _KIND_EDGES = ("question", "bug", "request"), (0.46, 0.76)
_DAYS_TO_CLOSE = np.array((1.0, 4.0, 6.0))
_PRIORITIES, _PRIORITY_EDGES = ("low", "normal", "high", "urgent"), (0.25, 0.77, 0.95)
_HOURS_TO_REPLY = np.array((14.0, 7.0, 2.5, 0.7))
_SAID = {
    "low": ("Too slow to set up", "We miss our own reports", "Support took long", "Hard to see the benefit"),
    "mid": ("Does what it should", "Fine, with some gaps", "Good, but costly"),
    "high": ("Saves us hours each week", "Orders are faster now", "Great help from the team"),
}


def _until_end(times: Ints) -> Ints:
    """Return times, unknown where they lie after the last day."""
    return np.asarray(np.where(times < END_US, times, UNKNOWN))


def tickets_table(
    seed: int, traits: Traits, adoption: Adoption, ledger: Ledger, users: Users
) -> tuple[dict[str, object], Ints]:
    """Return the columns of `tickets`, and the position of each ticket's account."""
    rng = stream(seed, "tickets")
    counts = adoption.tickets()
    account, week = np.nonzero(counts)
    times = counts[account, week]
    account, week = np.repeat(account, times), np.repeat(week, times)
    day = days_in_weeks(rng, traits.start[account], week)
    keep = (day <= LAST) & ledger.is_there(account, day)
    order = np.argsort(day[keep], kind="stable")
    account, day = account[keep][order], day[keep][order]
    count = len(account)
    opened = day * DAY_US + rng.integers(8 * 3600, 18 * 3600, count) * 1_000_000
    kind = np.searchsorted(_KIND_EDGES, rng.random(count))
    priority = np.searchsorted(_PRIORITY_EDGES, rng.random(count))
    replied = opened + (_HOURS_TO_REPLY[priority] * np.exp(0.7 * rng.standard_normal(count)) * _HOUR_US).astype(
        np.int64
    )
    days = _DAYS_TO_CLOSE[kind] * np.array((1.2, 1.0, 0.7, 0.5))[priority] * np.exp(0.85 * rng.standard_normal(count))
    is_stuck = rng.random(count) < 0.03
    closed = replied + 600_000_000 + (np.where(is_stuck, 20 * days + 30, days) * DAY_US).astype(np.int64)
    user = users.at(account, day, rng.random(count))
    product = rng.random(count)
    return {
        "ticket_id": [f"T{number:07d}" for number in range(1, count + 1)],
        "account_id": [traits.ids[at] for at in account],
        "opened_at": opened,
        "first_replied_at": _until_end(replied),
        "closed_at": _until_end(closed),
        "priority": [_PRIORITIES[at] for at in priority],
        "kind": [_KINDS[at] for at in kind],
        "product_id": _ticket_products(ledger, account, product),
        "user_id": [users.ids[at] for at in user],
    }, account


def _ticket_products(ledger: Ledger, account: Ints, chance: Floats) -> list[str | None]:
    """Seven in ten tickets are about the core, the rest about something else owned at the time, or about nothing."""
    owned: dict[int, list[int]] = {}
    for line in ledger.lines:
        if line.product != CORE:
            owned.setdefault(line.account, []).append(line.product)
    found: list[str | None] = []
    for at, draw in zip(account.tolist(), chance.tolist(), strict=True):
        other = owned.get(at)
        if draw < 0.7:
            found.append(PRODUCTS[CORE].product_id)
        else:
            found.append(PRODUCTS[other[int(draw * 1000) % len(other)]].product_id if other else None)
    return found


def surveys_table(
    seed: int,
    traits: Traits,
    adoption: Adoption,
    ledger: Ledger,
    users: Users,
    tickets: dict[str, object],
    ticket_account: Ints,
) -> dict[str, object]:
    """Return the columns of `surveys`: NPS twice a year, CSAT after three in ten closed tickets."""
    rng = stream(seed, "surveys")
    account, day = _rounds(rng, traits, adoption, ledger)
    active = (
        adoption.state[account, np.minimum((day - traits.start[account]) // 7, adoption.state.shape[1] - 1)] == ACTIVE
    )
    nps = 7.2 + 1.3 * traits.satisfaction[account] + 0.2 * active + 1.6 * rng.standard_normal(len(account))
    closed = np.asarray(tickets["closed_at"])
    opened = np.asarray(tickets["opened_at"])
    asked = np.flatnonzero((closed != UNKNOWN) & (rng.random(len(closed)) < 0.3))
    after = _until_end(closed[asked] + (rng.exponential(8, len(asked)) * _HOUR_US).astype(np.int64) + 60_000_000)
    asked, after = asked[after != UNKNOWN], after[after != UNKNOWN]
    took = (closed[asked] - opened[asked]) / DAY_US
    csat = 4.5 - 0.35 * np.log1p(took) + 0.25 * traits.satisfaction[ticket_account[asked]]
    csat = csat + 0.8 * rng.standard_normal(len(asked))
    score = np.concatenate([np.clip(np.round(nps), 0, 10), np.clip(np.round(csat), 1, 5)])
    is_nps = np.arange(len(score)) < len(nps)
    everyone = np.concatenate([account, ticket_account[asked]])
    at = np.concatenate([day * DAY_US + rng.integers(8 * 3600, 19 * 3600, len(day)) * 1_000_000, after])
    user = users.at(everyone, at // DAY_US, rng.random(len(at)))
    return {
        "account_id": [traits.ids[one] for one in everyone],
        "kind": ["nps" if one else "csat" for one in is_nps],
        "score": score,
        "answered_at": at,
        "user_id": [users.ids[one] for one in user],
        "comment": _comments(rng, score, is_nps),
    }


def _rounds(rng: np.random.Generator, traits: Traits, adoption: Adoption, ledger: Ledger) -> tuple[Ints, Ints]:
    """Accounts and days of NPS answers: larger accounts answer more, idle ones less."""
    rounds = int((LAST - int(traits.start.min())) // 182 + 1)
    people = np.array((1, 2, 3))[traits.segment]
    account = np.repeat(np.arange(traits.count), rounds * people)
    round_of = np.concatenate([np.arange(rounds * one) // one for one in people.tolist()])
    day = traits.start[account] + 70 + 182 * round_of + rng.integers(0, 30, len(account))
    keep = (day <= LAST) & ledger.is_there(account, day)
    account, day = account[keep], day[keep]
    week = np.minimum((day - traits.start[account]) // 7, adoption.state.shape[1] - 1)
    answers = rng.random(len(account)) < np.where(adoption.state[account, week] == ACTIVE, 0.7, 0.4)
    return account[answers], day[answers]


def _comments(rng: np.random.Generator, score: Floats, is_nps: Bools) -> list[str | None]:
    """A third of the answers come with a sentence that fits the score."""
    share = np.where(is_nps, score / 10, (score - 1) / 4)
    bands = np.array(("low", "mid", "high"))[np.searchsorted((0.65, 0.85), share, side="right")]
    draws = rng.random(len(score))
    return [
        _SAID[band][int(draw * 3 * len(_SAID[band]))] if draw < 1 / 3 else None
        for band, draw in zip(bands.tolist(), draws.tolist(), strict=True)
    ]

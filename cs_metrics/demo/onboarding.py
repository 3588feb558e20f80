"""The first ninety days: who settles, who falls away, and when each milestone is reached."""

from dataclasses import dataclass

import numpy as np

from cs_metrics.demo.clock import LAST, NEVER, Bools, Floats, Ints, stream
from cs_metrics.demo.coefficients import ACTIVATION
from cs_metrics.demo.product import MILESTONES, SEGMENTS
from cs_metrics.demo.traits import Traits

__all__ = [
    "FALLEN",
    "NEVER_STARTED",
    "SETTLED",
    "Onboarding",
    "completions_table",
    "draw_onboarding",
    "handoffs_table",
    "milestones_table",
]

SETTLED, FALLEN, NEVER_STARTED = 0, 1, 2
_TAKES = (6.5, 14, 30, 45, 53, 58, 62)  # days to each milestone for an account of pace 1
_PACE_SPREAD, _CHANCE_SPREADS = 0.18, (0.3, 0.3, 0.3, 0.25, 0.15, 0.12, 0.1)
_STALLS = (0.08, 0.55, 0.88)  # share that stops at the fourth milestone or later, by kind
_RESUMES = (0.9, 0.15, 0.05)  # share of those that goes on after some months, by kind
_LANDMARK_DAYS = 90
_GOLDEN = 0.618034  # shifts the cuts from block to block, so that the shares come out right over a few blocks


@dataclass(frozen=True)
class Onboarding:
    """How each account began.

    `fall_week` is the first week without the habit (0 for accounts that never started, NEVER for settled ones);
    `reached` has one row per account and one column per milestone: the day, or NEVER; `wanted` says which count.
    """

    kind: Ints
    fall_week: Ints
    block: Ints
    reached: Ints
    wanted: Bools
    onboarded: Bools
    go_live_days: Ints


def _settle(traits: Traits) -> tuple[Ints, Ints, Ints]:
    """Rank each block of starts by readiness and cut it, so that every intake has the same shares."""
    size, count = int(ACTIVATION["block"]), traits.count
    settled, fallen, weeks = ACTIVATION["settled"], ACTIVATION["fallen"], int(ACTIVATION["plateau_week"])
    block = np.arange(count) // size
    kind, fall = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    for at in range(int(block[-1]) + 1):
        members = np.flatnonzero(block == at)
        best_first = members[np.argsort(-traits.readiness[members], kind="stable")]
        place = (np.arange(len(members)) + (0.25 + _GOLDEN * at) % 1) / len(members)
        behind = np.clip((place - settled) / fallen, 0, None)
        kind[best_first] = np.where(place < settled, SETTLED, np.where(behind < 1, FALLEN, NEVER_STARTED))
        fall[best_first] = np.where(place < settled, NEVER, np.where(behind < 1, weeks - np.floor(behind * weeks), 0))
    return kind, fall, block


def _milestones(rng: np.random.Generator, traits: Traits, kind: Ints) -> tuple[Ints, Bools]:
    """Days at which the milestones are reached, in order: usual days × the account's pace × chance.

    How fast an account goes says next to nothing about whether it will stay; whether it stops does.
    """
    count = traits.count
    takes = np.array(_TAKES, dtype=np.float64)
    wanted = np.array([[one.segment is None or one.segment == at for one in MILESTONES] for at in traits.segment])
    pace = np.exp(_PACE_SPREAD * rng.standard_normal(count))
    took: Floats = takes * pace[:, None] * np.exp(np.array(_CHANCE_SPREADS) * rng.standard_normal((count, len(takes))))
    took = np.maximum.accumulate(np.maximum(np.round(took), 1), axis=1)
    stalls, resumes = rng.random(count) < np.array(_STALLS)[kind], rng.random(count) < np.array(_RESUMES)[kind]
    stops_at = np.where(stalls, rng.integers(3, len(takes), count), len(takes))
    pause = np.where(resumes, rng.integers(25, 150, count), NEVER)
    reached = traits.start[:, None] + took.astype(np.int64)
    reached += np.where(np.arange(len(takes)) >= stops_at[:, None], pause[:, None], 0)
    return np.where(wanted & (reached < NEVER), reached, NEVER), wanted


def draw_onboarding(seed: int, traits: Traits) -> Onboarding:
    """Let every account begin."""
    kind, fall_week, block = _settle(traits)
    reached, wanted = _milestones(stream(seed, "milestones"), traits, kind)
    last = np.where(wanted, reached, 0).max(axis=1)
    days = np.where(last >= NEVER, NEVER, last - traits.start)
    return Onboarding(kind, fall_week, block, reached, wanted, days <= _LANDMARK_DAYS, days)


def milestones_table() -> dict[str, object]:
    """Return the columns of `milestones`."""
    return {
        "milestone_id": [one.milestone_id for one in MILESTONES],
        "name": [one.name for one in MILESTONES],
        "position": [one.position for one in MILESTONES],
        "due_days": [one.due_days for one in MILESTONES],
        "segment": [None if one.segment is None else SEGMENTS[one.segment] for one in MILESTONES],
        "completes_on_event": [one.event or None for one in MILESTONES],
    }


def completions_table(traits: Traits, onboarding: Onboarding, left: Ints) -> dict[str, object]:
    """Return the columns of `milestone_completions`: steps without an event, done while a customer."""
    recorded = np.array([not one.event for one in MILESTONES])
    done = onboarding.wanted & recorded & (onboarding.reached <= LAST) & (onboarding.reached < left[:, None])
    account, milestone = np.nonzero(done)
    return {
        "account_id": [traits.ids[at] for at in account],
        "milestone_id": [MILESTONES[at].milestone_id for at in milestone],
        "completed_on": onboarding.reached[account, milestone],
    }


def handoffs_table(seed: int, traits: Traits, paid_at: Ints, first_year_cents: Ints) -> dict[str, object]:
    """Return the columns of `handoffs`: some salespeople hand over with more gaps than others."""
    rng = stream(seed, "handoffs")
    count = traits.count
    people = sorted(set(traits.salesperson))
    care = dict(zip(people, rng.uniform(0.0, 0.22, len(people)), strict=True))
    gap = np.array([care[person] for person in traits.salesperson])
    cycle = np.array((34, 68, 125))[traits.segment] * np.exp(0.45 * rng.standard_normal(count))
    planned = np.array((18, 45, 85))[traits.segment] * np.exp(0.35 * rng.standard_normal(count))
    return {
        "account_id": traits.ids,
        "paid_at": paid_at,
        "deal_value": first_year_cents,
        "sales_cycle_days": np.round(cycle).astype(np.int64),
        "implementation_days": np.round(planned).astype(np.int64),
        "has_profile": rng.random(count) >= 0.3 * gap,
        "has_order": rng.random(count) >= 0.2 * gap,
        "has_technical_needs": rng.random(count) >= gap,
        "has_expected_outcomes": rng.random(count) >= 1.6 * gap,
    }

"""How we stay in touch: meetings, messages and promises."""

import numpy as np

from cs_metrics.demo.adoption import ACTIVE, Adoption
from cs_metrics.demo.clock import DAY_US, LAST, UNKNOWN, Bools, Floats, Ints, stream, weekday
from cs_metrics.demo.ledger import Ledger
from cs_metrics.demo.onboarding import Onboarding
from cs_metrics.demo.product import MILESTONES
from cs_metrics.demo.traits import Traits

__all__ = ["commitments_table", "meetings_table", "messages_table", "paid_times"]

_END_US = (LAST + 1) * DAY_US
_PLANNED_AHEAD = 45
_MINUTE_US = 60_000_000
_CADENCE = {
    "check_in": (40, (63, 30, 21)),
    "qbr": (95, (None, 91, 91)),
    "ebr": (180, (None, None, 365)),
    "visit": (120, (None, 240, 120)),
    "executive": (200, (None, None, 270)),
}
"""Kind of meeting: days to the first, days between two by segment."""
_PROMISES = (
    "Second training for the warehouse team",
    "Fix for slow order search",
    "Connector for the new carrier",
    "Monthly use report",
    "Custom invoice layout",
    "Extra import of old orders",
    "Review of the price lists",
    "Named support contact",
)


def paid_times(seed: int, traits: Traits) -> Ints:
    """Return when each account paid, during its first day."""
    seconds = stream(seed, "payments").integers(7 * 3600, 17 * 3600, traits.count)
    return np.asarray(traits.start * DAY_US + seconds * 1_000_000)


def _rhythm(
    rng: np.random.Generator, traits: Traits, ledger: Ledger, first: int, every: tuple[int | None, ...], upto: int
) -> tuple[Ints, Ints]:
    """Accounts and days of something that recurs while the account is a customer; days are working days."""
    gap = np.array([one or 0 for one in every])[traits.segment]
    who = np.flatnonzero(gap)
    times = np.maximum((upto - traits.start[who] - first) // gap[who] + 1, 0)
    account = np.repeat(who, times)
    nth = np.arange(len(account)) - np.repeat(np.cumsum(times) - times, times)
    day = traits.start[account] + first + nth * gap[account] + rng.integers(0, 9, len(account))
    day += np.where(weekday(day) == 5, 2, np.where(weekday(day) == 6, 1, 0))
    keep = (day <= upto) & ledger.is_there(account, np.minimum(day, LAST))
    return account[keep], day[keep]


def _is_active(adoption: Adoption, account: Ints, day: Ints) -> Bools:
    week = np.clip((day - adoption.start[account]) // 7, 0, adoption.state.shape[1] - 1)
    return np.asarray(adoption.state[account, week] == ACTIVE)


def meetings_table(
    seed: int, traits: Traits, onboarding: Onboarding, adoption: Adoption, ledger: Ledger
) -> dict[str, object]:
    """Return the columns of `meetings`; those planned after the last day have no result yet."""
    rng = stream(seed, "meetings")
    upto = LAST + _PLANNED_AHEAD
    found: list[tuple[str, Ints, Ints]] = []
    for kind, milestone in (("kickoff", "M1"), ("training", "M4")):
        day = onboarding.reached[:, next(at for at, one in enumerate(MILESTONES) if one.milestone_id == milestone)]
        who = np.flatnonzero((day <= upto) & ledger.is_there(np.arange(traits.count), np.minimum(day, LAST)))
        found.append((kind, who, day[who]))
    for kind, (first, every) in _CADENCE.items():
        found.append((kind, *_rhythm(rng, traits, ledger, first, every, upto)))
    kinds = [kind for kind, who, _ in found for _ in range(len(who))]
    account, day = np.concatenate([who for _, who, _ in found]), np.concatenate([days for _, _, days in found])
    is_start = np.array([kind in ("kickoff", "training") for kind in kinds])
    active = _is_active(adoption, account, day)
    held = rng.random(len(account)) < np.clip(0.60 + 0.20 * active + 0.06 * traits.sponsor[account], 0.1, 0.97)
    held |= is_start
    well = rng.random(len(account)) < np.clip(0.55 + 0.25 * active + 0.08 * traits.satisfaction[account], 0.1, 0.97)
    visit_by_sales = np.array([kind in ("executive", "ebr") for kind in kinds])
    past = day <= LAST
    return {
        "account_id": [traits.ids[at] for at in account],
        "kind": kinds,
        "scheduled_on": day,
        "was_held": [bool(one) if known else None for one, known in zip(held, past, strict=True)],
        "went_well": [bool(one) if known else None for one, known in zip(well, past & held, strict=True)],
        "host": [
            traits.salesperson[at] if sales else traits.onboarding_manager[at] if start else traits.csm[at]
            for at, sales, start in zip(account.tolist(), visit_by_sales, is_start, strict=True)
        ],
    }


def messages_table(seed: int, traits: Traits, adoption: Adoption, ledger: Ledger, paid_at: Ints) -> dict[str, object]:
    """Return the columns of `messages`: welcome, check-in, and before a renewal the reminder and the value report."""
    rng = stream(seed, "messages")
    everyone = np.arange(traits.count)
    wait = np.exp(np.log(21) + 1.0 * rng.standard_normal(traits.count))
    found = [("welcome", everyone, paid_at + (wait * _MINUTE_US).astype(np.int64))]
    account, day = _rhythm(rng, traits, ledger, 30, (45, 30, 30), LAST)
    found.append(("check_in", account, day * DAY_US + rng.integers(8 * 3600, 17 * 3600, len(day)) * 1_000_000))
    for kind, before in (("renewal", 80), ("value_report", 72)):
        due = [(one.account, one.end - before) for one in ledger.contracts if one.end - before > one.start + 20]
        who, days = np.array([at for at, _ in due], dtype=np.int64), np.array([day for _, day in due], dtype=np.int64)
        sent = rng.random(len(who)) < 0.85
        sent &= (days <= LAST) & ledger.is_there(who, days)
        who, days = who[sent], days[sent]
        found.append((kind, who, days * DAY_US + rng.integers(8 * 3600, 17 * 3600, len(days)) * 1_000_000))
    kinds = [kind for kind, who, _ in found for _ in range(len(who))]
    account, at = np.concatenate([who for _, who, _ in found]), np.concatenate([times for _, _, times in found])
    at = np.minimum(at, _END_US - 1_000_000)
    active = _is_active(adoption, account, at // DAY_US)
    opened = at + (rng.exponential(9, len(at)) * 60 * _MINUTE_US).astype(np.int64)
    replied = opened + (rng.exponential(14, len(at)) * 60 * _MINUTE_US).astype(np.int64)
    is_opened = (rng.random(len(at)) < np.where(active, 0.78, 0.5)) & (opened < _END_US)
    is_replied = is_opened & (rng.random(len(at)) < np.where(active, 0.45, 0.18)) & (replied < _END_US)
    return {
        "account_id": [traits.ids[one] for one in account],
        "sent_at": at,
        "kind": kinds,
        "opened_at": np.where(is_opened, opened, UNKNOWN),
        "replied_at": np.where(is_replied, replied, UNKNOWN),
    }


def commitments_table(seed: int, traits: Traits, ledger: Ledger) -> dict[str, object]:
    """Return the columns of `commitments`: promises made about three times in two years, one in five not kept."""
    rng = stream(seed, "commitments")
    account, made = _rhythm(rng, traits, ledger, 25, (290, 230, 150), LAST)
    due = made + rng.integers(14, 75, len(made))
    lateness: Floats = np.round(6 + 11 * rng.standard_normal(len(made)))
    kept = np.maximum(made + 1, due + lateness.astype(np.int64))
    is_kept = (rng.random(len(made)) < 0.8) & (kept <= LAST)
    return {
        "account_id": [traits.ids[at] for at in account],
        "made_on": made,
        "promise": [_PROMISES[at] for at in rng.integers(0, len(_PROMISES), len(made))],
        "due_on": due,
        "kept_on": np.where(is_kept, kept, UNKNOWN),
    }

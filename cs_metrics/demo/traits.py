"""Who the accounts are: what can be seen of them, and the hidden traits from which everything else follows."""

from dataclasses import dataclass

import numpy as np

from cs_metrics.demo.clock import LAST, Bools, Clock, Floats, Ints, stream, weekday
from cs_metrics.demo.coefficients import READINESS
from cs_metrics.demo.names import INDUSTRIES, PLACES, REGIONS, company_names, crew
from cs_metrics.demo.product import SEGMENTS

__all__ = ["BILLINGS", "Traits", "accounts_table", "draw_traits"]

BILLINGS = ("monthly", "quarterly", "annual", "multi_year")
_BILLING_SHARES = ((0.18, 0.07, 0.75, 0.0), (0.06, 0.06, 0.78, 0.10), (0.0, 0.04, 0.60, 0.36))
_SEGMENT_SHARES = (0.55, 0.33, 0.12)
_SEATS = ((8, 0.40, 4), (27, 0.42, 12), (72, 0.40, 35))  # median, spread of the logarithm, least
_SEAT_PRICE_CENTS = (11_500, 13_800, 14_500)
_SEGMENT_READINESS = (-0.10, 0.05, 0.35)


@dataclass(frozen=True)
class Traits:
    """One value per account, in the order of their starts; hidden traits are standard normal."""

    ids: list[str]
    start: Ints  # day
    segment: Ints
    region: Ints
    place: Ints
    industry: Ints
    billing: Ints
    seats: Ints  # at the start
    seat_price: Ints  # cents per month
    is_eur: Bools
    is_flagship: Bools
    fit: Floats
    need: Floats
    sponsor: Floats
    price_pressure: Floats
    voice: Floats  # how readily the account turns to support
    satisfaction: Floats
    attendance: Floats
    market: Floats  # how the account's own market grows, per month
    readiness: Floats
    csm: list[str]
    onboarding_manager: list[str]
    salesperson: list[str]
    renewal_owner: list[str]

    @property
    def count(self) -> int:
        """How many accounts there are."""
        return len(self.ids)


def _starts(rng: np.random.Generator, count: int, clock: Clock) -> Ints:
    """A launch group of 6 % in the first fortnight, then a little more each month; starts are working days."""
    launch = max(1, round(0.06 * count))
    weights = np.linspace(0.75, 1.2, clock.months)
    ideal = np.cumsum(weights / weights.sum()) * (count - launch)
    upto = np.round(ideal).astype(np.int64)
    monthly = upto - np.concatenate([[0], upto[:-1]])
    begin, length = np.repeat(clock.starts[:-1], monthly), np.repeat(clock.lengths, monthly)
    days = np.concatenate([clock.first + rng.integers(0, 14, launch), begin + rng.integers(0, length)])
    days = np.minimum(days, LAST - 2)
    late = weekday(days)
    return np.sort(np.where(late == 5, days - 1, np.where(late == 6, days + 1, days)))


def _choices(rng: np.random.Generator, count: int, shares: tuple[float, ...]) -> Ints:
    """Draw indices with exact shares, in random order."""
    edges = np.round(np.cumsum(shares) * count).astype(np.int64)
    return rng.permutation(np.searchsorted(edges, np.arange(count), side="right"))


def draw_traits(seed: int, count: int, clock: Clock) -> Traits:
    """Draw `count` accounts."""
    rng = stream(seed, "traits")
    start = _starts(rng, count, clock)
    segment = _choices(rng, count, _SEGMENT_SHARES)
    region = _choices(rng, count, (0.45, 0.38, 0.17))
    median, spread, least = (np.array(_SEATS)[segment, at] for at in range(3))
    seats = np.maximum(least, np.round(median * np.exp(spread * rng.standard_normal(count)))).astype(np.int64)
    billing = np.zeros(count, dtype=np.int64)
    for at, shares in enumerate(_BILLING_SHARES):
        members = np.flatnonzero(segment == at)
        billing[members] = _choices(rng, len(members), shares)
    monthly_price = np.where(billing == 0, 1.15, np.where(billing == 3, 0.94, 1.0))
    price = np.array(_SEAT_PRICE_CENTS)[segment] * monthly_price * np.exp(0.10 * rng.standard_normal(count))
    hidden = rng.standard_normal((9, count))
    fit, need, sponsor, pressure, voice, mood, attendance, market, chance = hidden
    readiness = (
        READINESS["fit"] * fit
        + READINESS["sponsor"] * sponsor
        + READINESS["need"] * need
        + READINESS["chance"] * chance
        + np.array(_SEGMENT_READINESS)[segment]
    )
    value = seats * price
    flagship = (value >= np.quantile(value, 0.96)) & (segment > 0)
    return Traits(
        ids=[f"A{number:0{max(4, len(str(count)))}d}" for number in range(1, count + 1)],
        start=start,
        segment=segment,
        region=region,
        place=rng.integers(0, len(PLACES[0]), count),
        industry=_choices(rng, count, (0.24, 0.18, 0.17, 0.16, 0.14, 0.11)),
        billing=billing,
        seats=seats,
        seat_price=np.round(price / 50).astype(np.int64) * 50,
        is_eur=(region == 1) & (rng.random(count) < 0.42),
        is_flagship=flagship,
        fit=fit,
        need=need,
        sponsor=sponsor,
        price_pressure=pressure,
        voice=voice,
        satisfaction=0.25 * fit + np.sqrt(1 - 0.25**2) * mood,
        attendance=attendance,
        market=0.004 + 0.012 * market,
        readiness=readiness,
        **_people(rng, region, segment),
    )


def _people(rng: np.random.Generator, region: Ints, segment: Ints) -> dict[str, list[str]]:
    """CSMs and renewal managers work for one region; onboarding managers and sales for all."""
    count = len(region)
    found: dict[str, list[str]] = {}
    for field, job, each, least in (("csm", "CSM", 34, 6), ("renewal_owner", "Renewal", 90, 3)):
        staff = crew(job, count, each, least)
        teams = [staff[at :: len(REGIONS)] for at in range(len(REGIONS))]
        draws = rng.random(count)
        found[field] = [teams[at][int(draw * len(teams[at]))] for at, draw in zip(region, draws, strict=True)]
    for field, job, each, least in (("onboarding_manager", "Onboarding", 80, 3), ("salesperson", "Sales", 45, 4)):
        staff = crew(job, count, each, least)
        found[field] = [staff[int(draw * len(staff))] for draw in rng.random(count)]
    return found


def accounts_table(seed: int, traits: Traits, first_year_cents: Ints) -> dict[str, object]:
    """Return the columns of `accounts`."""
    rng = stream(seed, "accounts")
    count = traits.count
    parent: list[str | None] = [None] * count
    big = np.flatnonzero(traits.segment == 2)
    small = np.flatnonzero(traits.segment != 2)
    if len(big) and len(small):
        for child in rng.choice(small, max(1, count // 40), replace=False):
            parent[child] = traits.ids[int(rng.choice(big))]
    cost_factor = np.array((0.9, 0.75, 0.6))[traits.segment] * np.exp(0.25 * rng.standard_normal(count))
    employees = np.round(traits.seats * np.array((4, 7, 14))[traits.segment] * np.exp(0.4 * rng.standard_normal(count)))
    places = [PLACES[at][place] for at, place in zip(traits.region, traits.place, strict=True)]
    return {
        "account_id": traits.ids,
        "name": company_names(rng, [INDUSTRIES[at] for at in traits.industry]),
        "started_on": traits.start,
        "segment": [SEGMENTS[at] for at in traits.segment],
        "industry": [INDUSTRIES[at] for at in traits.industry],
        "region": [REGIONS[at] for at in traits.region],
        "country": [country for country, _ in places],
        "plan": [("Starter", "Growth", "Scale")[at] for at in traits.segment],
        "employees": employees.astype(np.int64),
        "csm": traits.csm,
        "onboarding_manager": traits.onboarding_manager,
        "salesperson": traits.salesperson,
        "team": [f"Team {REGIONS[at]}" for at in traits.region],
        "parent_id": parent,
        "currency": ["EUR" if eur else "USD" for eur in traits.is_eur],
        "time_zone": [zone for _, zone in places],
        "is_flagship": traits.is_flagship,
        "acquisition_cost": np.round(first_year_cents * cost_factor / 100).astype(np.int64) * 100,
        "archetype": ["application" if at == 0 else "platform" for at in traits.segment],
    }

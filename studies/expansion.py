"""Expansion: do likelihoods, days of reaching a limit and differences to matched accounts hold what they promise?"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics import run as ask
from cs_metrics.metrics.expansion_effect import clustered
from cs_metrics.metrics.expansion_match import Deals, compare, measured, nearest
from cs_metrics.report import format as say
from cs_metrics.store import Store
from studies import Progress
from studies.companies import company, company_of
from studies.finding import Finding

__all__ = ["NAME", "TITLE", "run"]

NAME = "expansion"
TITLE = "Likelihoods, limits and matched accounts of the expansion page hold what they promise"

LAST_DAY = dt.date(2026, 6, 30)
_KINDS = {"seats": 160, "limit": 60, "product": 35, "department": 22, "service": 12, "price": 6}  # decided deals
_RATE, _SPREAD = (0.30, 0.75), 0.12  # a company's mean win rate, and how far its kinds lie around it
_USES, _POINTS, _SCATTER = 150, 6, 0.02
_ACCOUNTS, _EVENTS = 400, 100_000
_FALL = 3.0
_TABLES = (
    "accounts",
    "subscriptions",
    "opportunities",
    "users",
    "products",
    "product_events",
    "surveys",
    "tickets",
    "meetings",
    "outcomes",
    "contacts",
)
_LEAST_WIN, _LEAST_DAY, _LEAST_NONE, _LEAST_MATCH = 0.90, 0.80, 0.80, 0.90

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Drawn:
    """One company drawn from planted rates and courses."""

    tables: dict[str, pd.DataFrame]
    rates: dict[str, float]
    days: dict[str, float]  # true days until the limit, per account; none for the flat ones


def run(seeds: Sequence[int], progress: Progress | None = None) -> Finding:
    """Ask drawn companies for their likelihoods and limits, and demo companies for lost deals beside their matches."""
    tell = progress or (lambda _what, _done, _total: None)
    wins, limits, matches = [], [], []
    for at, seed in enumerate(seeds):
        tell(f"company {seed}", at, len(seeds))
        drawn = _draw(seed)
        store = company_of(drawn.tables)
        wins += _wins(store, drawn.rates)
        limits += _limits(store, drawn.days)
        invented, _ = company(seed, accounts=_ACCOUNTS, events=_EVENTS, tables=_TABLES)
        matches.append(_matched(invented))
    tell("", len(seeds), len(seeds))
    return _finding(pd.DataFrame(wins), pd.DataFrame(limits), pd.DataFrame(matches), len(seeds))


def _draw(seed: int) -> _Drawn:
    rng = np.random.default_rng([seed, *NAME.encode()])
    mean = rng.uniform(*_RATE)
    weight = mean * (1 - mean) / _SPREAD**2 - 1
    rates = {kind: float(rng.beta(mean * weight, (1 - mean) * weight)) for kind in _KINDS}
    ids = [f"A{number:03}" for number in range(_USES)]
    usage, days = _usage(rng, ids)
    tables = {
        "accounts": pd.DataFrame({"account_id": ids, "name": ids, "started_on": _day(-900)}),
        "subscriptions": pd.DataFrame(
            {"subscription_id": ids, "account_id": ids, "starts_on": _day(-900), "ends_on": None, "mrr": 100.0}
        ),
        "opportunities": _deals(rng, ids, rates),
        "usage_limits": usage,
    }
    return _Drawn(tables, rates, days)


def _deals(rng: np.random.Generator, ids: list[str], rates: dict[str, float]) -> pd.DataFrame:
    parts = []
    for kind, count in _KINDS.items():
        closed = rng.integers(-700, 1, count)
        won = rng.random(count) < rates[kind]
        parts.append(
            pd.DataFrame(
                {
                    "opportunity_id": [f"{kind} {number}" for number in range(count)],
                    "account_id": rng.choice(ids, count),
                    "kind": kind,
                    "opened_on": [_day(int(one) - 30) for one in closed],
                    "closed_on": [_day(int(one)) for one in closed],
                    "stage": np.where(won, "won", "lost"),
                    "arr": 1000.0,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _usage(rng: np.random.Generator, ids: list[str]) -> tuple[pd.DataFrame, dict[str, float]]:
    """Measure three courses once a month: a straight line, growth by a steady share, and none, each with some scatter."""
    rows, days = [], {}
    for at, account_id in enumerate(ids):
        level, growth = rng.uniform(40, 85), rng.uniform(0.02, 0.08) / 30
        for back in range(_POINTS):
            before = -30.0 * back
            course = {0: 1 + growth * before, 1: float(np.exp(growth * before)), 2: 1.0}[at % 3]
            used = level * course * (1 + _SCATTER * rng.standard_normal())
            rows.append((account_id, "storage", _day(int(before)), round(min(used, 99.9), 2), 100.0))
        if at % 3 < 2:
            days[account_id] = (100 / level - 1) / growth if at % 3 == 0 else float(np.log(100 / level) / growth)
    return pd.DataFrame(rows, columns=["account_id", "resource", "measured_on", "used", "allowed"]), days


def _wins(store: Store, rates: dict[str, float]) -> list[dict[str, object]]:
    found = ask(store, "expansion_kinds", as_of=LAST_DAY).set_index("kind")
    return [
        {
            "enough": _KINDS[kind] >= store.config.expansion.likelihood_min_decided,
            "held": found.loc[kind, "likelihood_low"] <= rate <= found.loc[kind, "likelihood_high"],
            "off": abs(found.loc[kind, "likelihood"] - rate),
        }
        for kind, rate in rates.items()
    ]


def _limits(store: Store, days: dict[str, float]) -> list[dict[str, object]]:
    rows = []
    for row in ask(store, "expansion_limits", as_of=LAST_DAY).itertuples():
        true, is_said = days.get(str(row.account_id)), not pd.isna(row.full_on)
        first, last = (None if pd.isna(one) else (one.date() - LAST_DAY).days for one in (row.full_from, row.full_to))
        held = is_said and true is not None and first - 1 <= true and (last is None or true <= last)
        rows.append({"grows": true is not None, "is_said": is_said, "held": held})
    return rows


def _matched(store: Store) -> dict[str, float]:
    """Compare lost deals, which changed nothing, with their matches: the difference should be none."""
    as_of, base, days = store.newest_day, store.oldest_day, store.config.expansion.review_days
    accounts = store.rows("select account_id, coalesce(segment, '') from accounts order by account_id")
    places = {account_id: at for at, (account_id, _) in enumerate(accounts)}
    sql = (
        "select account_id, closed_on, stage, kind from opportunities where closed_on <= $as_of order by opportunity_id"
    )
    decided = store.rows(sql, as_of=as_of)
    place = np.array([places[row[0]] for row in decided])
    day = np.array([periods.days_between(base, row[1]) for row in decided])
    health, size, _ = measured(store, as_of, base, len(accounts))
    is_over = day + days <= periods.days_between(base, as_of)
    segments = [row[1] for row in accounts]

    def difference(chosen: npt.NDArray[np.bool_]) -> tuple[float, float, float, int]:
        asked = Deals(place[chosen & is_over], day[chosen & is_over])
        matches = nearest(asked, Deals(place, day), segments, health, size, days, store.config.expansion.review_matches)
        found = compare(asked, matches, health, days).difference
        known = ~np.isnan(found)
        return *clustered(found[known], [str(one) for one in asked.place[known]]), int(known.sum())

    stage, kind = (np.array([row[at] for row in decided]) for at in (2, 3))
    lost, low, high, count = difference(stage == "lost")
    seats = difference((stage == "won") & (kind == "seats"))[0]
    return {"lost": lost, "low": low, "high": high, "deals": count, "seats": seats}


def _day(after: int) -> dt.date:
    return periods.add_days(LAST_DAY, after)


def _finding(wins: pd.DataFrame, limits: pd.DataFrame, matches: pd.DataFrame, companies: int) -> Finding:
    many, few = (wins[wins["enough"] == enough] for enough in (True, False))
    growing, flat = limits[limits["grows"]], limits[~limits["grows"]]
    said = growing[growing["is_said"]]
    none = (matches["low"] <= 0) & (matches["high"] >= 0)
    seen = matches["high"] - _FALL < 0
    win, day, silent = float(wins["held"].mean()), float(said["held"].mean()), float((~flat["is_said"]).mean())
    rows = [
        (
            "likelihood, 20 decided cases or more",
            len(many),
            say.percent(many["held"].mean()),
            "hold the planted win rate, of 95%",
        ),
        ("likelihood, fewer cases", len(few), say.percent(few["held"].mean()), "hold the planted win rate, of 95%"),
        ("day of reaching a limit, growing use", len(said), say.percent(day), "hold the true day, of 80%"),
        (
            "growing use given a day at all",
            len(growing),
            say.percent(growing["is_said"].mean()),
            "the trend says something",
        ),
        ("use that does not grow", len(flat), say.percent(silent), "are given no day"),
        ("lost deals beside their matches", len(matches), say.percent(none.mean()), "of the companies hold 0, of 95%"),
        (
            f"the same with a fall of {_FALL:g} points planted",
            len(matches),
            say.percent(seen.mean()),
            "of the companies see it",
        ),
    ]
    return Finding(
        name=NAME,
        title=TITLE,
        claim=(
            "The 95% intervals of likelihoods hold the planted win rate in at least 90 of 100 kinds; the 80% intervals of the day "
            "of reaching a limit hold the true day in at least 80 of 100, and use that does not grow is given no day in at least "
            "80 of 100; deals that changed nothing are found to have changed nothing in at least 90 of 100 companies."
        ),
        method=(
            f"{companies} drawn companies, in each of which six kinds of deals have win rates of their own (spread "
            f"{_SPREAD * 100:g} points around the company's mean) and 6 to 160 decided deals, and {_USES} limits are measured "
            f"once a month for {_POINTS} months with a scatter of {_SCATTER * 100:g}%: a third grows in a straight line, a third by a "
            f"steady share, a third not at all. And {companies} demo companies of {_ACCOUNTS} accounts, whose lost deals are compared with "
            "their matches as if they had been won: nothing was bought, so that the true difference is 0, while the accounts are "
            "chosen by the same causes as those that buy."
        ),
        table=pd.DataFrame(rows, columns=["what", "cases", "result", "meaning"]),
        holds=bool(win >= _LEAST_WIN and day >= _LEAST_DAY and silent >= _LEAST_NONE and none.mean() >= _LEAST_MATCH),
        reading=(
            f"{say.percent(win)} of all intervals of likelihoods hold the planted rate; the likelihood is off by "
            f"{say.number(100 * many['off'].mean())} points on average with many cases and by {say.number(100 * few['off'].mean())} with few. "
            f"Beside matched accounts lost deals differ by {say.number(matches['lost'].mean(), 2)} points of health on average, with an "
            f"interval of ±{say.number((matches['high'] - matches['low']).mean() / 2, 2)} in a company with {say.count(matches['deals'].mean())} of "
            f"them. Won deals on seats differ by {say.number(matches['seats'].mean(), 2)} points: new seats are not used on their first "
            "day, so that the share of seats that is active falls. That is a true change of the score, and none of the customer."
        ),
        limits=(
            "Likelihoods are those of a kind, not of an account. A kind far from all others with few cases is drawn towards them, "
            "and its interval is then too sure. A limit that is reached after a change of course (a campaign, a migration) is "
            "foreseen by no trend. Matching sees segment, size and health: what makes accounts buy besides, and moves health "
            "later, is taken for an effect."
        ),
    )

"""The plateau is found where it was planted, and nowhere else: invented companies, and curves that keep falling."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cs_metrics.config import SHIPPED, load_config
from cs_metrics.demo.coefficients import ACTIVATION
from cs_metrics.metrics import run as ask
from cs_metrics.metrics.bends import Panel, Rule, Settled, settle
from cs_metrics.report import format as say
from studies import Progress
from studies.companies import company
from studies.finding import Finding

__all__ = ["NAME", "TITLE", "run"]

NAME = "plateau"
TITLE = "The plateau is found where it was planted, and nowhere else"

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_WEEKS = 156  # three years
_PANELS = 5  # of each setting, for each seed
_LEAST_FOUND, _MOST_FALSE, _LEVEL = 0.9, 0.05, 0.95
_K = np.arange(_WEEKS)


@dataclass(frozen=True)
class _Setting:
    """One kind of invented accounts: how many, whether they settle and at which level, and who is active when."""

    name: str
    accounts: int
    active: Callable[[np.random.Generator, int, Numbers], Flags]
    settles: bool | None  # None: neither answer is wrong
    level: float | None = None


def _planted(rng: np.random.Generator, accounts: int, _elapsed: Numbers) -> Flags:
    """Three kinds as in the demo: they settle, fall away in the first weeks, or never start."""
    settled, fallen = ACTIVATION["settled"], ACTIVATION["fallen"]
    draw = rng.random(accounts)[:, None]
    weeks = rng.integers(1, int(ACTIVATION["plateau_week"]) + 1, accounts)[:, None]
    chance = np.where(
        draw < settled,
        ACTIVATION["week_when_settled"],
        np.where(
            draw < settled + fallen,
            np.where(weeks > _K, ACTIVATION["week_when_settled"], ACTIVATION["week_when_fallen"]),
            ACTIVATION["week_when_never_started"],
        ),
    )
    return np.asarray(rng.random((accounts, _WEEKS)) < chance)


def _by_chance(rng: np.random.Generator, accounts: int, _elapsed: Numbers) -> Flags:
    """Each account has a weekly chance of its own, much higher at first: nobody leaves, nobody is there each week."""
    own = rng.beta(1.2, 0.8, accounts)[:, None]
    return np.asarray(rng.random((accounts, _WEEKS)) < own + 0.6 * np.clip(1 - _K / 6, 0, 1) * (1 - own))


def _better(rng: np.random.Generator, accounts: int, elapsed: Numbers) -> Flags:
    """Of newer accounts more settle, from 45 % of the oldest to 75 % of the newest, and nobody who settled leaves."""
    stays = rng.random((accounts, 1)) < 0.75 - 0.30 * elapsed[:, None] / _WEEKS
    tries = rng.integers(1, 7, (accounts, 1))
    return np.asarray((stays | (tries > _K)) & (rng.random((accounts, _WEEKS)) < 0.98))


def _until(curve: npt.NDArray[np.floating[Any]]) -> Callable[[np.random.Generator, int, Numbers], Flags]:
    """Accounts that are active until their own moment, so that the share still active follows the curve."""

    def active(rng: np.random.Generator, accounts: int, _elapsed: Numbers) -> Flags:
        return np.asarray((rng.random((accounts, 1)) < curve) & (rng.random((accounts, _WEEKS)) < 0.98))

    return active


def _bent(left_each_week: float) -> Numbers:
    """Fall in a straight line to 60 % in week 6, then lose this share of what is left each week."""
    return np.asarray(np.where(_K < 6, 0.9 - 0.05 * _K, 0.6 * (1 - left_each_week) ** (_K - 6)), dtype=np.float64)


_PLANTED_LEVEL = (
    ACTIVATION["settled"] * ACTIVATION["week_when_settled"]
    + ACTIVATION["fallen"] * ACTIVATION["week_when_fallen"]
    + (1 - ACTIVATION["settled"] - ACTIVATION["fallen"]) * ACTIVATION["week_when_never_started"]
)
_SETTINGS = (
    _Setting("settles, 400 accounts", 400, _planted, True, _PLANTED_LEVEL),
    _Setting("settles, 100 accounts", 100, _planted, True, _PLANTED_LEVEL),
    _Setting("settles, each by its own chance", 400, _by_chance, True, 0.6),
    _Setting("settles, newer cohorts better", 400, _better, True),
    _Setting("falls by 1 % a week", 400, _until(0.9 * 0.99**_K), False),
    _Setting("falls by 3 % a week", 400, _until(0.9 * 0.97**_K), False),
    _Setting("falls in a line, 90 % to 10 %", 400, _until(np.linspace(0.9, 0.1, _WEEKS)), False),
    _Setting("falls in a slow line, 90 % to 40 %", 400, _until(np.linspace(0.9, 0.4, _WEEKS)), False),
    _Setting("bends, then falls by 19 % a year", 400, _until(_bent(0.004)), False),
    _Setting("the same, 100 accounts", 100, _until(_bent(0.004)), False),
    _Setting("bends, then falls by 10 % a year", 400, _until(_bent(0.002)), None),
    _Setting("bends, then falls by 5 % a year", 400, _until(_bent(0.001)), None),
)


@dataclass(frozen=True)
class _Tried:
    """What the product said of one curve: whether it settles, and whether period and level are right."""

    setting: str
    is_found: bool
    is_near: bool
    is_inside: bool | None
    slope: float


def run(seeds: Sequence[int], progress: Progress | None = None) -> Finding:
    """Ask for the plateau of one demo company for each seed, and of panels whose truth is in their making."""
    tell = progress or (lambda _what, _done, _total: None)
    config = load_config(SHIPPED.parent)
    settings = config.activation
    rule = Rule(settings.flat_within_points / 100, settings.most_tail_loss, config.min_accounts, settings.resamples)
    tried: list[_Tried] = []
    for at, seed in enumerate(seeds):
        tell(f"company {seed}", at, len(seeds))
        tried.append(_demo(seed))
        tried += [
            _panel(one, [seed, number, draw], rule) for number, one in enumerate(_SETTINGS) for draw in range(_PANELS)
        ]
    tell("", len(seeds), len(seeds))
    return _finding(pd.DataFrame(tried), len(seeds))


def _demo(seed: int) -> _Tried:
    store, truth = company(seed, tables=("accounts", "subscriptions"))
    found, planted = ask(store, "plateau").iloc[0], truth["plateau"]
    if not found["is_found"]:
        return _Tried(_DEMO, False, False, False, float(found["tail_slope"]))
    is_near = abs(int(found["period"]) - int(planted["week"])) <= 1
    is_inside = bool(found["level_low"] <= planted["level"] <= found["level_high"])
    return _Tried(_DEMO, True, is_near, is_inside, float(found["tail_slope"]))


def _panel(setting: _Setting, seed: list[int], rule: Rule) -> _Tried:
    """Invent accounts that started over three years, and ask of the weeks that have elapsed."""
    rng = np.random.default_rng(seed)
    elapsed = rng.integers(0, _WEEKS + 1, setting.accounts)
    active = setting.active(rng, setting.accounts, elapsed.astype(np.float64))
    member, period = np.nonzero(active & (elapsed[:, None] > _K))
    found: Settled = settle(Panel(np.arange(setting.accounts), elapsed, member, period), rule)
    is_inside = None if setting.level is None else found.level_low <= setting.level <= found.level_high
    is_near = found.period is not None and abs(found.period - int(ACTIVATION["plateau_week"])) <= 1
    return _Tried(setting.name, not found.reason, is_near, is_inside, found.tail_slope)


_DEMO = "demo company"


def _finding(tried: pd.DataFrame, seeds: int) -> Finding:
    table = pd.DataFrame([_row(str(name), rows) for name, rows in tried.groupby("setting", sort=False)])
    small = tried[(tried["setting"] == "settles, 100 accounts") & tried["is_found"]]
    demo = tried[tried["setting"] == _DEMO]
    recovered = int((demo["is_found"] & demo["is_near"] & demo["is_inside"]).sum())
    falling = tried[tried["setting"].isin([one.name for one in _SETTINGS if one.settles is False])]
    settling = tried[tried["setting"].isin([one.name for one in _SETTINGS if one.settles])]
    levels = settling[settling["is_inside"].notna() & settling["is_found"]]["is_inside"].astype(bool)
    slack = 2 * float(np.sqrt(_LEVEL * (1 - _LEVEL) / len(levels)))
    flat_by_slope = float((falling["slope"].abs() <= 0.005).mean())
    return Finding(
        name=NAME,
        title=TITLE,
        claim=(
            "Where a share of the accounts settles, the plateau is found at the right week and level; where the curve "
            "keeps falling, also slowly, the answer is that there is none."
        ),
        method=(
            f"{say.plural(seeds, 'demo company', 'demo companies')} of 400 accounts with a plateau planted in week 6, loaded and asked like "
            f"anybody's data: right is a period within one week and a level inside its 95% interval. And {seeds * _PANELS} panels of each "
            "other setting: accounts that start over three years and are active or not, week by week, as the setting says. Of the last two "
            "settings neither answer is wrong: they show where the line is drawn."
        ),
        table=table,
        holds=bool(
            recovered >= _LEAST_FOUND * seeds
            and falling["is_found"].mean() <= _MOST_FALSE
            and settling["is_found"].mean() >= _LEAST_FOUND
            and levels.mean() >= _LEVEL - 0.03 - slack
        ),
        reading=(
            f"In {recovered} of {say.plural(seeds, 'demo company', 'demo companies')} week and level are right. Of the curves that keep falling, "
            f"{say.percent(float(falling['is_found'].mean()))} were given a plateau, although the tails of {say.percent(flat_by_slope, 0)} of them are within "
            f"0.5 points a week and look flat by their slope. The 95% interval of the level held the truth in {say.percent(float(levels.mean()))} of the cases. "
            f"With 100 accounts the week is within one of the truth in {say.percent(float(small['is_near'].mean()), 0)}: below a few hundred accounts read its interval, not the week alone. "
            "What loses 5% of its level a year is called settled after three years, what loses 10% a year mostly not."
        ),
        limits=(
            "The demo company settles the same share of every 25 accounts, so that its interval of the level is wider than it need be; the other settings "
            "draw each account by itself. The invented accounts act independently of each other and their habits do not come in seasons; a product that is used in one season would need "
            "periods that fit it. A curve that falls, rests for a year and falls again is not among the settings. Newer cohorts that are better or worse are seen as "
            "such only as far as the same accounts have been seen for long."
        ),
    )


def _row(name: str, rows: pd.DataFrame) -> dict[str, object]:
    found = rows[rows["is_found"]]
    inside = found["is_inside"].dropna()
    asked = next((one for one in _SETTINGS if one.name == name), None)
    is_settling = asked is None or bool(asked.settles)
    return {
        "what is asked of": name,
        "right answer": "either" if asked and asked.settles is None else "a plateau" if is_settling else "none",
        "plateau found": f"{len(found)} of {len(rows)}",
        "week within 1": f"{int(found['is_near'].sum())} of {len(found)}" if is_settling else "–",
        "level in its interval": f"{int(inside.sum())} of {len(inside)}" if is_settling and len(inside) else "–",
        "mean slope of the tail, points a week": round(float(rows["slope"].mean() * 100), 3),
    }

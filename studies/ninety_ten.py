"""The 90/10 test finds the retention that was planted, and says whether the rule holds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cs_metrics.metrics import Scope
from cs_metrics.metrics import run as ask
from cs_metrics.report import format as say
from cs_metrics.store import Store
from studies import Progress
from studies.companies import company
from studies.finding import Finding
from studies.planted import LAST_DAY, Plan, draw, publish

__all__ = ["NAME", "TITLE", "run"]

NAME = "ninety_ten"
TITLE = "The 90/10 test finds the planted retention"

_ACCOUNTS = 300
_DEMO_TABLES = ("accounts", "subscriptions", "milestones", "milestone_completions")
_PLANTED = {  # setting: the share that stays with and without completed onboarding, and the verdict that is right
    "the rule": (0.90, 0.10, ("holds",)),
    "half the rule": (0.90, 0.50, ("partly",)),
    "no difference": (0.80, 0.80, ("no_difference",)),
}
_LEAST_HELD = 0.9


def run(seeds: Sequence[int], progress: Progress | None = None) -> Finding:
    """Ask the test of planted companies and of demo companies, one of each for every seed."""
    tell = progress or (lambda _what, _done, _total: None)
    steps = len(seeds) + 1
    tell("planted companies", 0, steps)
    rows = _of_planted(seeds)
    for at, seed in enumerate(seeds):
        tell(f"demo company {seed}", at + 1, steps)
        rows.append(_of_demo(seed))
    tell("", steps, steps)
    return _finding(pd.DataFrame(rows), len(seeds))


def _of_planted(seeds: Sequence[int]) -> list[dict[str, object]]:
    plans = [_plan(name, with_it, without) for name, (with_it, without, _) in _PLANTED.items()]
    drawn = [draw(plan, f"{plan.name} {seed}", seed, _ACCOUNTS) for plan in plans for seed in seeds]
    store = publish(drawn)
    rows = []
    for one in drawn:
        setting = one.name.rsplit(" ", 1)[0]
        with_it, without, right = _PLANTED[setting]
        scope = Scope.of(region=one.name)
        rows.append(_row(f"planted: {setting}", store, scope, (with_it, without), right))
    return rows


def _plan(name: str, with_it: float, without: float) -> Plan:
    return Plan(
        name=name,
        completes=0.65,
        days=lambda rng, segment, _age: rng.integers(14, 91, len(segment)),
        stays=lambda _segment, _days, completed: np.where(completed, with_it, without),
    )


def _of_demo(seed: int) -> dict[str, object]:
    store, truth = company(seed, tables=_DEMO_TABLES)
    told = truth["ninety_ten"]
    planted = tuple(told[group]["true_first_renewal_probability"] for group in ("completed", "not_completed"))
    return _row("demo company", store, Scope(), planted, ("partly",))


def _row(
    setting: str, store: Store, scope: Scope, planted: tuple[float, ...], right: tuple[str, ...]
) -> dict[str, object]:
    as_of = min(store.newest_day, LAST_DAY) if setting.startswith("planted") else store.newest_day
    test = ask(store, "ninety_ten", as_of=as_of, scope=scope)
    everyone = ask(store, "ninety_ten_accounts", as_of=as_of, scope=scope)
    sql = "select count(*) from accounts inner join scope on scope.account_id = accounts.account_id where started_on <= $day"
    started = store.value(sql, scope=scope, day=as_of)
    found, low, high = (test[column].tolist() for column in ("retained", "low", "high"))
    return {
        "setting": setting,
        "planted": planted,
        "found": found,
        "held": [one <= truth <= other for one, truth, other in zip(low, planted, high, strict=True)],
        "is_right": test["verdict"].iloc[0] in right,
        "adds_up": int(everyone["accounts"].sum()) == started,
        "left_out": int(everyone.loc[~everyone["is_compared"], "accounts"].sum()),
    }


def _finding(asked: pd.DataFrame, companies: int) -> Finding:
    groups = list(asked.groupby("setting", sort=False))
    held = float(np.mean([one for row in asked["held"] for one in row]))
    right, adds_up = float(asked["is_right"].mean()), bool(asked["adds_up"].all())
    table = pd.DataFrame([_line(name, rows) for name, rows in groups])
    none = asked[asked["setting"] == "planted: no difference"]["is_right"]
    return Finding(
        name=NAME,
        title=TITLE,
        claim=(
            "Both groups' retention a year after day 90 is recovered within its 95% interval, the verdict on the rule is "
            "right, and every account that has started is either compared or left out with its reason."
        ),
        method=(
            f"{companies} companies for each of three planted settings, {_ACCOUNTS} accounts each, loaded as contract files; "
            "6 of 100 accounts leave before day 90 and never complete onboarding, which a test without the landmark would "
            f"count against the rest. And {companies} demo companies of 400 accounts, where retention follows from use, "
            "sponsors and price as well as onboarding, and its planted value is the mean true probability of the first "
            "renewal after day 90. An answer is right when its interval holds the planted share; the claim holds when at "
            f"least {say.percent(_LEAST_HELD, 0)} of all intervals and of all verdicts are right, and all accounts add up."
        ),
        table=table,
        holds=held >= _LEAST_HELD and right >= _LEAST_HELD and adds_up,
        reading=(
            f"{say.percent(held)} of the intervals hold the planted share, where 95% are meant to; "
            f"{say.percent(right)} of the verdicts are right. Where no difference was planted, the test saw none in "
            f"{int(none.sum())} of {len(none)} companies: at p < 0.05 one in twenty is expected to be called a difference. "
            "The demo company is not a 90/10 company, and the test says so."
        ),
        limits=(
            "It compares, it does not cause: accounts that complete onboarding may be the ones that would stay anyway. In the "
            "demo company the planted value covers the first renewal only; accounts with a longer term stay a little more. "
            "A loss that is followed by a return after the as-of day counts as a loss until it is known."
        ),
    )


def _line(setting: object, rows: pd.DataFrame) -> dict[str, object]:
    planted, found, held = (np.array(rows[column].tolist(), dtype=float) for column in ("planted", "found", "held"))
    return {
        "setting": setting,
        "companies": len(rows),
        "completed: planted": say.percent(planted[:, 0].mean()),
        "completed: found, mean": say.percent(found[:, 0].mean()),
        "rest: planted": say.percent(planted[:, 1].mean()),
        "rest: found, mean": say.percent(found[:, 1].mean()),
        "intervals that hold it": f"{int(held.sum())} of {held.size}",
        "verdicts right": f"{int(rows['is_right'].sum())} of {len(rows)}",
        "left out, mean accounts": say.number(rows["left_out"].mean()),
    }

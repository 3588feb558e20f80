"""What a seller earns in a quarter: a sum that everybody can follow, step by step."""

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from cs_metrics.config import Pay
from cs_metrics.errors import MetricError
from cs_metrics.metrics.leaderboard import booked, quarter_of
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["Plan", "Sold", "credit", "pay", "pay_curve", "payout", "quarter_pay", "steps"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is agreed with the seller: pay of a year on target, its fixed share, the target, and the rates."""

    on_target_year: float
    base_share: float
    target: float
    pays_from: float
    accelerator: float
    pays_to: float
    expansion_weight: float
    extra_year_weight: float

    @classmethod
    def of(cls, settings: Pay, **given: float | None) -> "Plan":
        """Return the plan of the settings, with what was given in their place; `MetricError` where it cannot be paid by."""
        values = {name: getattr(settings, name) for name in cls.__dataclass_fields__ if name != "target"}
        values["target"] = settings.quarterly_target
        values.update({name: value for name, value in given.items() if value is not None})
        possible = {
            "on_target_year": (values["on_target_year"] >= 0, "of 0 or more"),
            "base_share": (0 <= values["base_share"] <= 1, "from 0 to 1"),
            "target": (values["target"] > 0, "above 0"),
        }
        for name, (is_possible, reach) in possible.items():
            if not is_possible:
                raise MetricError(f"{name}={values[name]:g} is not possible: write a number {reach}.")
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class Sold:
    """What the seller brought in a quarter; `extra_years` is renewed ARR × the years of the term beyond the first."""

    renewed: float
    expansion: float = 0.0
    extra_years: float = 0.0


def credit(plan: Plan, sold: Sold) -> float:
    """Return what counts against the target: renewals, expansion and longer terms by their weights."""
    return sold.renewed + plan.expansion_weight * sold.expansion + plan.extra_year_weight * sold.extra_years


def payout(plan: Plan, attainment: float) -> float:
    """Return the share of the variable part that is paid: nothing, then as attained, then accelerated up to a limit."""
    if attainment < plan.pays_from:
        return 0.0
    return min(attainment if attainment <= 1 else 1 + plan.accelerator * (attainment - 1), plan.pays_to)


def quarter_pay(plan: Plan, sold: Sold) -> float:
    """Return the pay of the quarter, base and variable."""
    base, variable = _parts(plan)
    return base + variable * payout(plan, credit(plan, sold) / plan.target)


def _parts(plan: Plan) -> tuple[float, float]:
    quarter = plan.on_target_year / 4
    return quarter * plan.base_share, quarter * (1 - plan.base_share)


def steps(plan: Plan, sold: Sold) -> list[tuple[str, float, str, str]]:
    """Return the sum as steps: name, amount, unit and how it comes about."""
    base, variable = _parts(plan)
    counted = credit(plan, sold)
    attainment = counted / plan.target
    share = payout(plan, attainment)
    if attainment < plan.pays_from:
        how = f"below {plan.pays_from:.0%} of the target nothing is paid"
    elif attainment <= 1:
        how = "up to the target, as attained"
    else:
        how = f"100% + {plan.accelerator:g} × {attainment - 1:.1%} above the target, at most {plan.pays_to:.0%}"
    return [
        ("Base pay", base, "money", f"{plan.on_target_year:,.0f} ÷ 4 × {plan.base_share:.0%}"),
        ("Variable pay on target", variable, "money", f"{plan.on_target_year:,.0f} ÷ 4 × {1 - plan.base_share:.0%}"),
        ("Renewed", sold.renewed, "money", "at the old value at most"),
        (
            "Expansion",
            plan.expansion_weight * sold.expansion,
            "money",
            f"{sold.expansion:,.0f} × {plan.expansion_weight:g}",
        ),
        (
            "Longer terms",
            plan.extra_year_weight * sold.extra_years,
            "money",
            f"{sold.extra_years:,.0f} of ARR × further years, × {plan.extra_year_weight:g}",
        ),
        ("Counts against the target", counted, "money", "renewed + expansion + longer terms"),
        ("Attainment", attainment, "percent", f"{counted:,.0f} ÷ {plan.target:,.0f}"),
        ("Payout", share, "percent", how),
        ("Variable pay", variable * share, "money", f"{variable:,.0f} × {share:.1%}"),
        ("Pay of the quarter", base + variable * share, "money", "base + variable"),
    ]


@metric(needs=("contracts",), page="Renewals")
def pay(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    person: str = "",
    quarter: str = "",
    on_target_year: float | None = None,
    base_share: float | None = None,
    target: float | None = None,
    renewed: float | None = None,
    expansion: float | None = None,
    extra_years: float | None = None,
) -> pd.DataFrame:
    """The pay of a seller in a quarter as a sum of steps: base, variable, what accelerates it, and the result.

    With `person`, target and results are those of the leaderboard by the as-of day (expansion: opportunities won and what
    was added at renewal), whole whatever the filter; without, a quarter exactly on target. Each figure given replaces the one found. Rates are those
    of the settings [pay]. An example: 80 000 a year on target, half of it base, a target of 200 000; 180 000 renewed, 20 000
    of expansion and 40 000 renewed for a second year count as 180 000 + 30 000 + 4 000 = 214 000, which is 107 %; of the
    variable 10 000 are paid 110.5 %, so the quarter pays 10 000 + 11 050 = 21 050.

    Formula: counted = renewed + pay.expansion_weight × expansion + pay.extra_year_weight × extra_years; attainment = counted ÷
        target; payout = 0 below pay.pays_from, attainment up to 1, 1 + pay.accelerator × (attainment − 1) above, at most
        pay.pays_to; pay = on_target_year ÷ 4 × (base_share + (1 − base_share) × payout).
    Columns:
        step: name of the step
        amount: its result
        unit: money or percent
        how: how it comes about
    """
    name, start = quarter_of(quarter, as_of)
    found = Sold(renewed=0.0)
    known: float | None = None
    if person:
        deals = booked(store, as_of, EVERYTHING, start)
        mine = deals[(deals["person"] == person) & ~deals["is_late"]]
        gained = float(mine["expansion_arr"].sum() + mine["expansion_at_renewal_arr"].sum())
        found = Sold(
            renewed=float(mine["renewal_arr"].sum()), expansion=gained, extra_years=float(mine["extra_year_arr"].sum())
        )
        sql = "select sum(amount_cents)::double / 100 from targets where person = $person and quarter = $quarter"
        known = store.value(sql, person=person, quarter=name)
    aim = target if target is not None else known
    plan = Plan.of(store.config.pay, on_target_year=on_target_year, base_share=base_share, target=aim)
    sold = Sold(
        renewed=renewed if renewed is not None else found.renewed if person else plan.target,
        expansion=expansion if expansion is not None else found.expansion,
        extra_years=extra_years if extra_years is not None else found.extra_years,
    )
    if min(sold.renewed, sold.expansion, sold.extra_years) < 0:
        raise MetricError("renewed, expansion and extra_years must be 0 or more.")
    return pd.DataFrame(steps(plan, sold), columns=["step", "amount", "unit", "how"])


@metric(page="Renewals")
def pay_curve(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    on_target_year: float | None = None,
    base_share: float | None = None,
    target: float | None = None,
) -> pd.DataFrame:
    """The pay of a quarter by attainment of its target, from nothing to twice the target.

    Columns:
        attainment: counted ÷ target
        payout: share of the variable part that is paid
        base, variable, pay: base pay, variable pay and their sum
    """
    plan = Plan.of(store.config.pay, on_target_year=on_target_year, base_share=base_share, target=target)
    base, variable = _parts(plan)
    rows = []
    for percent in range(0, 205, 5):
        share = payout(plan, percent / 100)
        rows.append((percent / 100, share, base, variable * share, base + variable * share))
    return pd.DataFrame(rows, columns=["attainment", "payout", "base", "variable", "pay"])

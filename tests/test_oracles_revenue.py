"""Every customer-month of dbt Labs' mrr-playbook, and the documented MRR examples of ChartMogul's help pages."""

import csv
import json
from pathlib import Path

import pytest

from cs_metrics import periods
from cs_metrics.metrics import run
from cs_metrics.metrics.revenue import MOVEMENTS
from tests.support import account, company, day, line

ORACLES = Path(__file__).resolve().parents[2] / "shared" / "oracles"
THEIR_WORDS = {
    "new": "new",
    "reactivation": "reactivation",
    "expansion": "upgrade",
    "contraction": "downgrade",
    "churn": "churn",
}
needs_oracles = pytest.mark.skipif(not ORACLES.exists(), reason="the published cases are not beside this checkout")


def read(name: str) -> list[dict[str, str]]:
    with (ORACLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def back(text: str) -> str | None:
    """Their book is that of a month's first day, ours that of its last: a day earlier their month is our month before."""
    return str(periods.add_days(day(text), -1)) if text else None


@needs_oracles
def test_every_customer_month_of_the_mrr_playbook(tmp_path: Path) -> None:
    expected = read("mrr_playbook_expected_mrr.csv")
    kept = {row["customer_id"] for row in expected}
    terms = [row for row in read("mrr_playbook_input_subscription_periods.csv") if row["customer_id"] in kept]
    store = company(
        tmp_path,
        accounts=[
            account(one, str(back(min(row["start_date"] for row in terms if row["customer_id"] == one))))
            for one in kept
        ],
        subscriptions=[
            line(
                row["customer_id"],
                str(back(row["start_date"])),
                back(row["end_date"]),
                float(row["monthly_amount"]),
                subscription_id=str(at),
            )
            for at, row in enumerate(terms)
        ],
    )
    last = periods.add_days(day(max(row["date_month"] for row in expected)), -1)
    found = run(store, "mrr_movements", as_of=last, options={"by": "account"})
    ours = {(one["account_id"], one["period"].date()): one for one in found.to_dict("records")}
    assert len(expected) == 410
    for row in expected:
        month = periods.add_months(day(row["date_month"]), -1)
        one = ours.get((row["customer_id"], month), {})
        assert one.get("closing", 0) == float(row["mrr"]), row
        assert one.get("opening", 0) == float(row["previous_month_mrr"]), row
        for kind in MOVEMENTS:
            moved = float(row["mrr_change"]) if row["change_category"] == THEIR_WORDS[kind] else 0
            assert one.get(kind, 0) == moved, (kind, row)


@needs_oracles
def test_the_documented_life_of_one_customer_step_by_step(tmp_path: Path) -> None:
    documented = json.loads((ORACLES / "documented_mrr_examples.json").read_text(encoding="utf-8"))
    steps = documented["chartmogul_lifecycle"]["steps"]
    level, start, lines = 0.0, day("2024-01-15"), []
    for at, step in enumerate(steps):  # one step a month; each level is one line until the next step
        since, until = periods.add_months(start, at), periods.add_months(start, at + 1)
        level = round(step["mrr_after"], 2)
        if level:
            lines.append(line("a", str(since), str(until), level, subscription_id=str(at)))
    store = company(tmp_path, accounts=[account("a")], subscriptions=lines)
    rows = run(store, "mrr_movements", as_of=periods.month_end(periods.add_months(start, len(steps) - 1))).to_dict(
        "records"
    )
    assert len(rows) == len(steps)
    for row, step in zip(rows, steps, strict=True):
        assert row[step["movement"]] == pytest.approx(step["amount"], abs=0.005), step
        assert sum(row[kind] for kind in MOVEMENTS) == pytest.approx(step["amount"], abs=0.005), step
        assert row["closing"] == pytest.approx(step["mrr_after"], abs=0.005), step


@needs_oracles
def test_the_documented_churn_rates_are_what_retention_lacks_to_one(tmp_path: Path) -> None:
    """Their net rate takes reactivation in, which is 0 here; GRR and NRR are 1 minus their gross and net churn."""
    given = json.loads((ORACLES / "documented_mrr_examples.json").read_text(encoding="utf-8"))["chartmogul_rates"]
    levels = {
        "leaves": (given["churn"], None),
        "shrinks": (45, 45 - given["contraction"]),
        "grows": (45, 45 + given["expansion"]),
    }
    lines = []
    for who, (before, after) in levels.items():
        lines.append(line(who, "2024-01-01", "2024-02-15", before))
        if after:
            lines.append(line(who, "2024-02-15", None, after))
    store = company(tmp_path, accounts=[account(who) for who in levels], subscriptions=lines)
    found = run(store, "revenue_retention", as_of=day("2024-02-29"), options={"from": "2024-01-31"}).iloc[0]
    assert found["opening_arr"] == 12 * given["start_mrr"]
    assert found["grr"] == pytest.approx(1 - given["expected_gross_mrr_churn"])
    assert found["nrr"] == pytest.approx(1 - given["expected_net_mrr_churn"])

"""Random companies: what is said of renewals as of a day stays the same when anything dated later is added, and adds up."""

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_metrics import periods
from cs_metrics.metrics import METRICS, run
from cs_metrics.store import Database, Store
from cs_metrics.workspace.entries import NewEntry
from tests.support import account, company, day, line
from tests.test_onboarding_as_of import known

START = "2023-01-01"
HIDDEN = ("outcome", "decided_on", "renewed_arr", "renewed_until", "reason", "competitor", "discount_percent")
STEPS = ("Value report", "Proposal", "Decision-maker meeting")


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def random_rows(seed: int, accounts: int = 80) -> dict[str, list[dict[str, Any]]]:
    """Accounts with two contracts each over two years, and what the plan, the reasons and the rates read."""
    chance = random.Random(seed)
    names = [f"a{number:02}" for number in range(accounts)]
    rows: dict[str, list[dict[str, Any]]] = {
        "accounts": [account(name, START, segment=chance.choice(["SMB", "Mid"])) for name in names],
        "subscriptions": [line(name, START, None, 100) for name in names],
        "contracts": [],
        "messages": [],
        "meetings": [],
        "commitments": [],
        "surveys": [],
    }
    for name in names:
        ends = chance.randrange(60, 420)
        for number in (1, 2):
            starts = 0 if number == 1 else ends
            ends = ends if number == 1 else ends + chance.choice([180, 365, 365])
            row: dict[str, Any] = {
                "contract_id": f"{name} {number}",
                "account_id": name,
                "starts_on": after(starts),
                "ends_on": after(ends),
                "arr": chance.randrange(1, 90) * 100,
                "owner": chance.choice(["Ann", "Ben", None]),
                "forecast": chance.choice([None, "commit", "best_case", "at_risk"]),
                **dict.fromkeys(HIDDEN),
            }
            if chance.random() < 0.9:
                row |= {
                    "outcome": chance.choice(["renewed", "renewed", "churned"]),
                    "decided_on": after(max(starts, ends + chance.randrange(-70, 40))),
                    "renewed_arr": chance.choice([None, row["arr"], row["arr"] * 2, 0]),
                }
            rows["contracts"].append(row)
        for _ in range(6):
            on = after(chance.randrange(700))
            message = {"account_id": name, "sent_at": f"{on}T09:00:00", "kind": "value_report"}
            rows["messages"].append({**message, "opened_at": None, "replied_at": None})
            rows["meetings"].append({"account_id": name, "kind": "qbr", "scheduled_on": on, "was_held": True})
            answer = {"account_id": name, "kind": "nps", "score": chance.randrange(11), "answered_at": f"{on}T10:00:00"}
            rows["surveys"].append(answer)
        made = chance.randrange(600)
        kept = after(made + chance.randrange(90)) if chance.random() < 0.5 else None
        promise = {
            "account_id": name,
            "made_on": after(made),
            "promise": "p",
            "due_on": after(made + 30),
            "kept_on": kept,
        }
        rows["commitments"].append(promise)
    rows["meetings"].sort(key=lambda one: (one["account_id"], one["scheduled_on"]))
    rows["meetings"] = list({(one["account_id"], one["scheduled_on"]): one for one in rows["meetings"]}.values())
    return rows


def random_words(seed: int, rows: dict[str, list[dict[str, Any]]]) -> list[tuple[str, NewEntry]]:
    chance = random.Random(seed)
    said = []
    for row in rows["contracts"]:
        for _ in range(chance.randrange(3)):
            on = periods.add_days(day(row["ends_on"]), -chance.randrange(100))
            if on < day(row["starts_on"]):
                continue
            action, body = chance.choice(
                [
                    ("call", {"call": chance.choice(["commit", "best_case", "at_risk"])}),
                    ("call_withdrawn", {}),
                    ("step_done", {"step": chance.choice(STEPS)}),
                    ("step_reopened", {"step": chance.choice(STEPS)}),
                    ("next_step", {"text": "Call", "due_on": str(periods.add_days(on, 5)), "owner": "Cleo"}),
                    ("next_step_done", {}),
                ]
            )
            about = {"subject": row["contract_id"], "body": body, "note": chance.choice(["", "heard"])}
            said.append((str(on), NewEntry("renewal", row["account_id"], action, **about)))
            if chance.random() < 0.3:
                made = f"p {row['contract_id']} {on}"
                promise = {"subject": made, "body": {"promise": made}}
                said.append((str(on), NewEntry("promise", row["account_id"], "make", **promise)))
                said.append(
                    (str(periods.add_days(on, 9)), NewEntry("promise", row["account_id"], "keep", subject=made))
                )
    return sorted(said, key=lambda one: one[0])


def companies(folder: Path, seed: int, on: str, accounts: int) -> tuple[Store, Store]:
    """Return the company with its whole history and as it was known on a day, each with what was written by then."""
    rows = random_rows(seed, accounts)
    company(folder / "later", **rows)
    company(folder / "then", **known(rows, on))
    later, then = Database.open(folder / "later"), Database.open(folder / "then")
    for counts_from, entry in random_words(seed, rows):
        for database in (later, then) if counts_from <= on else (later,):
            database.workspace.write([entry], author="cleo", effective_on=counts_from)
    return later.current(), then.current()


@pytest.mark.parametrize(("seed", "on", "accounts"), [(1, "2024-01-31", 80), (2, "2024-03-20", 24)])
def test_nothing_dated_later_changes_a_past_day_and_the_sums_hold(
    seed: int, on: str, accounts: int, tmp_path: Path
) -> None:
    """The larger company learns likelihoods, the smaller one falls back to base rates."""
    later, then = companies(tmp_path, seed, on, accounts)
    compared = 0
    for name, one in METRICS.items():
        if one.page != "Renewals" or not all(then.has(table) for table in one.needs):
            continue
        if "account_id" in {option.argument for option in one.options}:
            continue
        was, now = (run(store, name, as_of=day(on)) for store in (then, later))
        if "written_at" in was:  # when it was written down is real time, and differs between the two logs
            was, now = was.drop(columns="written_at"), now.drop(columns="written_at")
        pd.testing.assert_frame_equal(was, now, check_dtype=False, rtol=1e-9, obj=name)
        compared += 1
    assert compared >= 12
    holds(later, on)


def holds(store: Store, on: str) -> None:
    """Check what must be equal: the pipeline, its sums, the rates, the ledger and the bars."""
    as_of, (first, last) = (
        day(on),
        (periods.quarter_start(day(on)), periods.period_end(periods.quarter_start(day(on)), "quarter")),
    )
    rows = run(store, "renewal_pipeline", as_of=as_of, options={"days": 200})
    assert len(rows) > 5
    assert rows["expected_arr"].tolist() == pytest.approx((rows["likelihood"] * rows["arr"]).tolist())
    due = rows[rows["days_left"] >= 0]
    total = run(store, "renewals_summary", as_of=as_of, options={"days": 200}).iloc[0]
    assert total["expected_arr"] == pytest.approx((due["likelihood"] * due["arr"]).sum())
    assert total["due_arr"] == pytest.approx(due["arr"].sum())
    for name in ("renewals_by_week", "renewals_by_step"):
        part = run(store, name, as_of=as_of, options={"days": 200})
        assert part["due_arr"].sum() == pytest.approx(rows["arr"].sum())
    of_quarter = rows[rows["ends_on"].between(pd.Timestamp(first), pd.Timestamp(last))]
    listed = of_quarter.merge(
        pd.DataFrame(store.rows("select contract_id, starts_on from contracts"), columns=["contract_id", "starts_on"])
    )
    on_list = listed[pd.to_datetime(listed["starts_on"]) <= pd.Timestamp(first)]
    rates = run(store, "renewal_rates", as_of=as_of).set_index("period")
    assert rates.loc[pd.Timestamp(first), "undecided_arr"] == pytest.approx(on_list["arr"].sum())
    ledger = run(store, "renewal_ledger", as_of=as_of).iloc[-1]
    assert ledger["open_arr"] == pytest.approx(of_quarter["arr"].sum())
    assert ledger["expected_arr"] == pytest.approx(of_quarter["expected_arr"].sum(), abs=0.005 * (len(of_quarter) + 1))
    for since in (7, 28, 80):
        options = {"from": str(periods.add_days(as_of, -since))}
        bars = run(store, "renewal_moves", as_of=as_of, options=options)
        cents = (bars["amount"] * 100).round().astype("int64")
        assert cents.iloc[:-1].sum() == cents.iloc[-1] == round(ledger["forecast_arr"] * 100)
        behind = run(store, "renewal_moves_rows", as_of=as_of, options=options)
        changes = bars[~bars["is_total"]]
        assert behind["amount"].sum() == pytest.approx(changes["amount"].sum(), abs=1e-6)


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    rows, chance = random_rows(4, 24), random.Random(9)
    mixed = {name: chance.sample(given, len(given)) for name, given in rows.items()}
    first, second = company(tmp_path / "a", **rows), company(tmp_path / "b", **mixed)
    for name in ("renewal_pipeline", "renewal_rates", "renewal_triangle", "renewal_moves_rows", "renewal_disagreement"):
        was, now = (run(store, name, as_of=day("2024-02-29")) for store in (first, second))
        pd.testing.assert_frame_equal(was, now, obj=name)

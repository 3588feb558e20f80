"""The forecast ledger of a quarter and why it moved: bars that add up to the cent, and what stands behind each of them."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_metrics.config import load_config
from cs_metrics.contract.facts import read_manifest, write_manifest
from cs_metrics.errors import MetricError
from cs_metrics.marts.publication import publish
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics import renewal_drivers as drivers
from cs_metrics.store import Database, Store
from cs_metrics.training import make
from cs_metrics.workspace.entries import NewEntry
from tests.renewal_company import Row, contract, lost, renewed, sellers
from tests.support import _fact, _write, day, records

PAST = [renewed(f"k{at}", "2023-06-30", "2023-06-20") for at in range(15)]
PAST += [lost(f"l{at}", "2023-06-30", "2023-06-20") for at in range(4)]
CHANCE = (15 + 20 * 15.5 / 20) / 39  # a base rate: 15 of 19, pulled towards the overall rate by 20 decisions
IN_MAY = (16 + 20 * 16.5 / 21) / 40  # one more was renewed in April
DUE = [
    renewed("won before", "2024-04-10", "2024-04-05", arr=100, to=130),
    renewed("won between", "2024-05-20", "2024-05-10", arr=100, to=150),
    lost("lost between", "2024-05-20", "2024-05-10", arr=80),
    contract("waits", "2024-06-20", arr=40),
    contract("new", "2024-06-25", starts_on="2024-05-12", arr=20),
    contract("next quarter", "2024-07-20", arr=999),
    contract("slips", "2024-05-15", arr=60),
]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return sellers(tmp_path_factory.mktemp("ledger"), [*PAST, *DUE])


def asked(store: Store, name: str, as_of: str = "2024-05-29", **options: Any) -> pd.DataFrame:
    return run(store, name, as_of=day(as_of), options=options)


def test_each_day_of_the_ledger_knows_what_was_known_then(book: Store) -> None:
    found = asked(book, "renewal_ledger").set_index("day")
    columns = ("due_arr", "open_contracts", "open_arr", "won_arr", "lost_arr")
    assert records(found.loc[["2024-03-31", "2024-04-07", "2024-05-12", "2024-05-29"]], *columns) == [
        (380.0, 5, 380.0, 0.0, 0.0),
        (380.0, 4, 280.0, 130.0, 0.0),
        (400.0, 3, 120.0, 280.0, 80.0),
        (400.0, 3, 120.0, 280.0, 80.0),
    ]
    assert found.index[0] == pd.Timestamp("2024-01-07")
    assert found.loc["2024-03-31", "expected_arr"] == pytest.approx(380 * CHANCE, abs=0.03)
    assert (found["forecast_arr"] == found["won_arr"] + found["expected_arr"]).all()
    calls = found[["commit_arr", "best_case_arr", "at_risk_arr", "unknown_arr"]].sum(axis=1)
    assert calls.tolist() == pytest.approx(found["open_arr"].tolist())
    daily = asked(book, "renewal_ledger", every="day", from_="2024-05-10")
    assert len(daily) == 20
    assert daily["forecast_arr"].iloc[-1] == found["forecast_arr"].iloc[-1]


def test_the_closing_of_the_ledger_is_the_pipeline_and_what_the_rates_call_undecided(book: Store) -> None:
    rows = asked(book, "renewal_pipeline", days=33)
    assert sorted(rows["contract_id"]) == ["new", "slips", "waits"]
    last = asked(book, "renewal_ledger").iloc[-1]
    assert (last["open_contracts"], last["open_arr"]) == (3, rows["arr"].sum())
    assert last["expected_arr"] == pytest.approx((rows["arr"] * rows["likelihood"]).sum(), abs=0.02)
    rates = asked(book, "renewal_rates").set_index("period").loc["2024-04-01"]
    assert rates["undecided_arr"] + rates["not_listed_arr"] == last["open_arr"]


def test_the_bars_lead_from_the_opening_to_the_closing(book: Store) -> None:
    found = asked(book, "renewal_moves", from_="2024-05-01")
    bars = {(one.cause, one.driver): one.amount for one in found.itertuples()}
    assert bars["opening", ""] == pytest.approx(130 + 280 * IN_MAY, abs=0.03)
    assert bars["won", ""] == pytest.approx(150 - 100 * IN_MAY, abs=0.03)
    assert bars["lost", ""] == pytest.approx(-80 * IN_MAY, abs=0.03)
    assert bars["new", ""] > 0
    assert bars["slipped", ""] == pytest.approx(run_forecast(book, "slips", "2024-05-29") - 60 * IN_MAY, abs=0.03)
    assert found["position"].tolist() == list(range(1, len(found) + 1))
    closing = found["amount"].iloc[-1]
    assert closing == asked(book, "renewal_ledger")["forecast_arr"].iloc[-1]
    assert sum_cents(found["amount"].iloc[:-1]) == round(closing * 100)


def run_forecast(store: Store, contract_id: str, as_of: str) -> float:
    rows = asked(store, "renewal_pipeline", as_of, days=120).set_index("contract_id")
    return round(float(rows.loc[contract_id, "expected_arr"]), 2)


def sum_cents(amounts: pd.Series) -> int:
    return int((amounts * 100).round().sum())


def test_the_rows_behind_the_bars_add_up_to_them(book: Store) -> None:
    bars = asked(book, "renewal_moves", from_="2024-05-01")
    rows = asked(book, "renewal_moves_rows", from_="2024-05-01")
    by = rows.groupby(["cause", "driver"])["amount"].sum()
    changes = bars[~bars["is_total"]].set_index(["cause", "driver"])["amount"]
    for key, amount in changes.items():
        assert by.get(key, 0.0) == pytest.approx(amount, abs=1e-9)
    won = asked(book, "renewal_moves_rows", from_="2024-05-01", cause="won")
    assert records(won, "contract_id", "arr", "forecast_after", "why") == [
        ("won between", 100.0, 150.0, "+50.00 at renewal")
    ]


def test_a_quarter_without_contracts_moves_from_nothing_to_nothing(book: Store) -> None:
    found = asked(book, "renewal_moves", due="2030-01-01")
    assert records(found, "cause", "amount", "contracts") == [("opening", 0.0, 0), ("closing", 0.0, 0)]
    assert asked(book, "renewal_moves_rows", due="2030-01-01").empty


def test_without_any_decision_the_amounts_are_not_known(tmp_path: Path) -> None:
    store = sellers(tmp_path, [contract("a", "2024-06-20")])
    assert asked(store, "renewal_moves")["amount"].isna().all()
    assert asked(store, "renewal_ledger")["expected_arr"].isna().all()
    assert asked(store, "renewal_ledger")["open_arr"].iloc[-1] == 1000


@pytest.mark.parametrize("days", [("2024-05-29", "2024-05-01"), ("2024-05-01", "2024-06-01")])
def test_days_in_the_wrong_order_are_refused(book: Store, days: tuple[str, str]) -> None:
    with pytest.raises(MetricError, match="write days in order"):
        asked(book, "renewal_moves", from_=days[0], to=days[1])


# Drivers


def parts_of(store: Store, ids: list[str], on: Any) -> pd.DataFrame:
    """Two factors: what is open moves against the renewal, meetings stand still while the model learns to like them."""
    late = on >= day("2024-05-20")
    rows = []
    for one in ids:
        rows += [
            (one, "base", "Average contract", "", 1.0),
            (one, "problems", "Open problems", "3 tickets" if late else "none", -0.5 if late else 0.1),
            (one, "meetings", "Meetings", "2 meetings", 0.4 if late else 0.3),
        ]
    return pd.DataFrame(rows, columns=["contract_id", "factor", "label", "value", "contribution"])


def snapshots(monkeypatch: pytest.MonkeyPatch, before: list[float], after: list[float]) -> None:
    def snapshot(_store: Store, on: Any, _scope: Scope, _first: Any, _last: Any) -> pd.DataFrame:
        chance = pd.Series(after if on >= day("2024-05-20") else before)
        names = [f"c{at}" for at in range(len(chance))]
        frame = pd.DataFrame({"contract_id": names, "account_id": names, "name": names, "owner": "Ann"})
        frame = frame.assign(ends_on=pd.Timestamp("2024-06-20"), decided_on=pd.NaT, state="open", booked=float("nan"))
        frame = frame.assign(arr=1000.0, likelihood=chance, category="", colour="", basis="")
        return frame.assign(forecast=(frame["arr"] * chance).round(2))

    monkeypatch.setattr(drivers, "snapshot", snapshot)
    monkeypatch.setattr(drivers, "likelihood_parts", parts_of)


def test_what_a_factor_moved_is_its_share_of_the_log_odds(book: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log-odds fall by 0.5 in all: problems by 0.6, what is taught of meetings up by 0.1; the money is split alike."""
    snapshots(monkeypatch, [0.8021838885585818], [0.710949502625004])  # log-odds 1.4 and 0.9
    rows = asked(book, "renewal_moves_rows", "2024-05-29", from_="2024-05-02")
    whole = 710.95 - 802.18
    assert records(rows, "driver", "why") == [("Open problems", "none → 3 tickets"), (drivers.LATER_MODEL, "")]
    assert rows["amount"].tolist() == pytest.approx([whole * 1.2, -whole * 0.2], abs=0.02)
    assert sum_cents(rows["amount"]) == round(whole * 100)


def test_parts_that_cancel_out_are_told_and_what_no_part_explains_is_time(
    book: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots(monkeypatch, [0.5, 0.5], [0.5, 0.9])
    rows = asked(book, "renewal_moves_rows", "2024-05-28", from_="2024-05-02")
    still = rows[rows["contract_id"] == "c0"].set_index("driver")["amount"]
    assert still["Open problems"] == pytest.approx(1000 * 0.25 * -0.6)
    assert still[drivers.OTHER] == pytest.approx(1000 * 0.25 * 0.5)
    assert sum_cents(still) == 0
    assert sum_cents(rows.loc[rows["contract_id"] == "c1", "amount"]) == 40_000


# What was shown


def test_the_opening_is_what_was_really_shown_and_corrections_lead_on_from_it(tmp_path: Path) -> None:
    """A generation ended on 20 May; then an amount is put right and a decision of 18 May is handed in late."""
    rows: list[Row] = [*PAST, contract("a", "2024-06-20", arr=100), contract("b", "2024-06-20", arr=50)]
    events = [{"account_id": "a", "event": "e", "occurred_at": "2024-05-20T08:00:00"}]
    sellers(tmp_path, rows, events=events)
    manifest = read_manifest(tmp_path, 1).model_copy(update={"number": 2})
    later = [*PAST, contract("a", "2024-06-20", arr=120), renewed("b", "2024-06-20", "2024-05-18", arr=50, to=50)]
    _write(tmp_path, manifest, "contracts", [_fact("contracts", one) for one in later])
    _write(tmp_path, manifest, "events", [_fact("events", {**events[0], "occurred_at": "2024-05-29T08:00:00"})])
    write_manifest(tmp_path, manifest)
    make(tmp_path, manifest, config=load_config(tmp_path), earlier=1)
    publish(tmp_path, 2)
    store = Database.open(tmp_path).current()
    found = asked(store, "renewal_moves", from_="2024-05-20")
    bars = {one.cause: one.amount for one in found.itertuples()}
    assert bars["opening"] == pytest.approx(150 * CHANCE, abs=0.03)
    assert bars["corrected"] == pytest.approx(20 * CHANCE + 50 - 50 * CHANCE, abs=0.03)
    assert found["note"].iloc[0] == "as shown on that day"
    assert sum_cents(found["amount"].iloc[:-1]) == round(found["amount"].iloc[-1] * 100)
    rows = asked(store, "renewal_moves_rows", from_="2024-05-20", cause="corrected")
    assert sorted(rows["contract_id"]) == ["a", "b"]
    ledger = asked(store, "renewal_ledger", every="day", from_="2024-05-19").set_index("day")["shown_expected_arr"]
    assert ledger["2024-05-20"] == pytest.approx(150 * CHANCE, abs=0.03)
    assert ledger.drop(pd.Timestamp("2024-05-20")).isna().all()


def test_a_call_moves_its_category_from_its_day_on(tmp_path: Path) -> None:
    sellers(tmp_path, [*PAST, contract("a", "2024-06-20", arr=100)])
    database = Database.open(tmp_path)
    entry = NewEntry("renewal", "a", "call", subject="a", body={"call": "at_risk"})
    database.workspace.write([entry], author="Ann", effective_on="2024-05-10")
    found = asked(database.current(), "renewal_ledger", "2024-05-11", every="day", from_="2024-05-09")
    assert found["at_risk_arr"].tolist() == [0.0, 100.0, 100.0]

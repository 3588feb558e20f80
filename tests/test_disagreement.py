"""Owner against model: what a call implies, where they differ in money, and who was right."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cs_metrics.metrics import Scope, call_record, run
from cs_metrics.metrics.call_record import DATED, UNDATED
from cs_metrics.store import Database
from cs_metrics.workspace.entries import NewEntry
from tests.renewal_company import Row, contract, lost, renewed, sellers
from tests.support import day, records

AS_OF = "2024-06-01"


def past(count: int, kept: int, **more: Any) -> list[Row]:
    """Contracts that end on 1 April 2024 and are decided on 20 March, so that they are judged as called on 2 March."""
    make = [renewed] * kept + [lost] * (count - kept)
    owner = more.get("owner", "")
    return [one(f"{owner} {at}", "2024-04-01", "2024-03-20", arr=100, **more) for at, one in enumerate(make)]


def call(database: Database, contract_id: str, on: str, says: str, author: str) -> None:
    entry = NewEntry("renewal", contract_id, "call", subject=contract_id, body={"call": says})
    database.workspace.write([entry], author=author, effective_on=on)


@pytest.fixture
def desk(tmp_path: Path) -> Database:
    rows = past(12, 9, owner="Ann", forecast="commit") + past(4, 1, owner="Ben")
    rows += [
        contract("x", "2024-07-01", arr=1000, owner="Ann", forecast="commit"),
        contract("y", "2024-07-01", arr=4000, owner="Ben", forecast="at_risk"),
        contract("z", "2024-07-01", arr=9000, owner="Ben"),
    ]
    sellers(tmp_path, rows)
    return Database.open(tmp_path)


def asked(database: Database, name: str, as_of: str = AS_OF, **options: Any) -> pd.DataFrame:
    return run(database.current(), name, as_of=day(as_of), options=options)


def test_the_largest_difference_in_money_comes_first(desk: Database) -> None:
    found = asked(desk, "renewal_disagreement")
    chance = found["likelihood"].iloc[0]
    assert 0.5 < chance < 0.75
    assert records(found, "contract_id", "owner_call", "implied", "implied_by", "side") == [
        ("y", "at_risk", 0.35, "as stated", "model hopes for more"),
        ("x", "commit", 0.95, "as stated", "owner hopes for more"),
    ]
    assert found["gap_arr"].tolist() == pytest.approx([4000 * (0.35 - chance), 1000 * (0.95 - chance)], abs=0.01)
    assert (found["owner_arr"] - found["model_arr"]).round(2).tolist() == found["gap_arr"].tolist()


def test_a_record_of_calls_written_before_the_outcome_says_what_a_call_implies(desk: Database) -> None:
    for at in range(12):
        call(desk, f"Ann {at}", "2024-03-02", "commit", "Ann")
    call(desk, "y", "2024-05-01", "commit", "Ben")
    found = asked(desk, "renewal_disagreement").set_index("contract_id")
    own = (9 + 0.5) / 13
    assert found.loc["x", ["implied", "implied_by"]].tolist() == [pytest.approx(own), "own record"]
    assert found.loc["y", ["owner_call", "called_by", "implied_by"]].tolist() == ["commit", "Ben", "all owners"]
    assert found.loc["y", "implied"] == pytest.approx(own)
    rates = asked(desk, "renewal_call_rates")
    ann = rates[(rates["who"] == "Ann") & (rates["call"] == "commit")]
    assert records(ann, "basis", "decided", "renewed", "rate", "stated") == [(DATED, 12, 9, 0.75, 0.95)]


def test_an_imported_call_teaches_nothing_and_stands_apart(desk: Database) -> None:
    rates = asked(desk, "renewal_call_rates")
    assert set(rates["basis"]) == {UNDATED}
    assert rates["implied"].isna().all()
    record = asked(desk, "renewal_call_record").set_index("who")
    assert record.loc["Ann", ["decided", "renewed", "hits", "hit_rate"]].tolist() == [12, 9, 9, 0.75]
    assert record.loc["Ann", "brier"] == pytest.approx((9 * 0.05**2 + 3 * 0.95**2) / 12)
    assert record.loc["Ann", "verdict"] == "the model had scored only 0 of them"


def test_a_call_given_after_the_day_of_judgement_does_not_count(desk: Database) -> None:
    call(desk, "Ben 0", "2024-03-03", "commit", "Ben")
    assert "Ben" not in set(asked(desk, "renewal_call_record")["who"])
    call(desk, "Ben 1", "2024-03-02", "commit", "Ben")
    call(desk, "Ben 1", "2024-03-04", "at_risk", "Ben")
    found = asked(desk, "renewal_call_record").set_index("who")
    assert found.loc["Ben", ["basis", "decided", "hits", "verdict"]].tolist() == [DATED, 1, 0, "too few: 1 of 10"]
    assert pd.isna(found.loc["Ben", "brier"])


def test_nothing_is_judged_before_it_is_decided(desk: Database) -> None:
    for at in range(12):
        call(desk, f"Ann {at}", "2024-03-02", "commit", "Ann")
    assert asked(desk, "renewal_call_record", "2024-03-19").empty
    assert asked(desk, "renewal_call_rates", "2024-03-19").empty
    assert len(asked(desk, "renewal_call_record", "2024-03-20")) > 0


def test_owner_and_model_are_compared_on_the_same_contracts(desk: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model said 0.8 of each; the owner's commits stand for 0.95."""
    for at in range(12):
        call(desk, f"Ann {at}", "2024-03-02", "commit", "Ann")
    whole = call_record._judged
    monkeypatch.setattr(call_record, "_judged", lambda *given: whole(*given).assign(model_said=0.8))
    found = asked(desk, "renewal_call_record").set_index("who").loc["Ann"]
    owner, model = (9 * 0.05**2 + 3 * 0.95**2) / 12, (9 * 0.2**2 + 3 * 0.8**2) / 12
    assert (found["owner_brier"], found["model_brier"], found["gain"]) == pytest.approx((owner, model, model - owner))
    assert (found["owner_arr_off"], found["model_arr_off"]) == pytest.approx((240, 60))
    assert found["gain_low"] < found["gain"] < found["gain_high"]
    assert found["verdict"] == "no difference shown"


def test_the_scope_narrows_the_list_and_leaves_what_a_call_implies(desk: Database) -> None:
    for at in range(12):
        call(desk, f"Ann {at}", "2024-03-02", "commit", "Ann")
    found = run(desk.current(), "renewal_disagreement", as_of=day(AS_OF), scope=Scope.of(account_id="x"))
    assert records(found, "contract_id", "implied_by") == [("x", "own record")]


def test_calls_that_do_not_fall_are_refused(desk: Database) -> None:
    settings = desk.current().config.renewals.call_likelihood
    with pytest.raises(ValueError, match="must fall from commit"):
        type(settings).model_validate({"commit": 0.5, "best_case": 0.6, "at_risk": 0.1})

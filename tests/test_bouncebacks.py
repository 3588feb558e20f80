"""Bounce-backs: silences and returns by hand and by plain Python, what was done on the return, and who stayed."""

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cs_metrics import periods
from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics import Scope, run
from cs_metrics.metrics.bouncebacks import STAY_FROM, STAY_TO
from cs_metrics.store import Store
from tests.support import account, company, day, line, records

START = "2024-01-01"


def after(days: int) -> str:
    return str(periods.add_days(day(START), days))


def asked(store: Store, name: str, as_of: str, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    scope = options.pop("scope", Scope())
    return records(run(store, name, as_of=day(as_of), scope=scope, options=options), *columns)


def use(account_id: str, on: int, event: str = "login", user_id: str = "") -> dict[str, Any]:
    return {"account_id": account_id, "event": event, "occurred_at": f"{after(on)}T09:00:00", "user_id": user_id}


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """steady never falls silent, back returns twice, gone does not, stays and leaves return on day 20."""
    days = {
        "steady": [0, 6, 13, 20, 27, 34],
        "back": [0, 8, 30],
        "gone": [0, 1],
        "stays": [0, 5, 20, 49, 76],
        "leaves": [0, 5, 20, 48, 77],
    }
    events = [use(name, on, user_id="u" if name == "back" else "") for name, on_days in days.items() for on in on_days]
    return company(
        tmp_path_factory.mktemp("silent"),
        accounts=[account(name, START, csm="ann", segment=name) for name in days],
        subscriptions=[
            line("back", START, None, 10),
            line("stays", START, after(60), 20),
            line("gone", START, after(9), 5),
        ],
        events=[
            *events,
            use("stays", 20, "invite_sent"),
            use("stays", 20, "invite_sent", "v"),
            use("leaves", 20, "export"),
            use("leaves", 5, "help"),
        ],
    )


COUNTS = ("unit", "started", "went_silent", "came_back", "share", "median_silent_days")


def test_a_silence_is_days_without_any_event_and_may_still_last(silent: Store) -> None:
    # back is silent for days 1 to 7 and for 21 days from day 9; six days between two events are no silence.
    assert asked(silent, "bouncebacks", after(6), *COUNTS)[0] == ("accounts", 5, 0, 0, None, None)
    assert asked(silent, "bouncebacks", after(7), *COUNTS)[0] == ("accounts", 5, 1, 0, None, None)
    assert asked(silent, "bouncebacks", after(8), *COUNTS)[0] == ("accounts", 5, 2, 1, None, 7.0)
    assert asked(silent, "bouncebacks", after(30), *COUNTS)[0] == ("accounts", 5, 4, 3, None, 14.0)
    assert asked(silent, "bouncebacks", after(41), *COUNTS)[0] == ("accounts", 5, 5, 3, 0.6, 14.0)
    assert asked(silent, "bouncebacks", after(30), *COUNTS)[1] == ("users", 2, 2, 1, None, 7.0)
    assert asked(silent, "bouncebacks", after(30), *COUNTS, silent_days=15)[0] == ("accounts", 5, 2, 1, None, 21.0)
    assert asked(silent, "bouncebacks", after(-1), *COUNTS)[0] == ("accounts", 0, 0, 0, None, None)


def test_only_early_silences_count_when_asked(silent: Store) -> None:
    # Within five days of the first event begin the silences of back (day 0) and gone (day 1).
    found = asked(silent, "bouncebacks", after(60), *COUNTS, within_days=5, unit="accounts")
    assert found == [("accounts", 5, 2, 1, None, 7.0)]
    assert asked(silent, "bounceback_accounts", after(60), "account_id", within_days=5) == [("back",)]


def test_staying_is_known_after_eight_weeks_and_not_before(silent: Store) -> None:
    # back returned on day 8: known from day 64 on, and not active on days 37 to 64. The others returned on day 20:
    # known from day 76 on; stays was active on day 49 (the 29th) and leaves on day 48 and 77, both outside.
    columns = ("came_back", "stay_known", "stayed", "stayed_share")
    assert asked(silent, "bouncebacks", after(63), *columns, unit="accounts") == [(3, 0, 0, None)]
    assert asked(silent, "bouncebacks", after(64), *columns, unit="accounts") == [(3, 1, 0, None)]
    assert asked(silent, "bouncebacks", after(75), *columns, unit="accounts") == [(3, 1, 0, None)]
    assert asked(silent, "bouncebacks", after(76), *columns, unit="accounts") == [(3, 3, 1, None)]


def test_what_was_done_on_the_return_stands_beside_the_last_day_before(silent: Store) -> None:
    columns = ("event", "returns", "share", "before_share", "stay_known", "stayed", "stayed_share")
    assert asked(silent, "bounceback_returns", after(80), *columns) == [
        ("login", 3, None, None, 3, 1, None),
        ("export", 1, None, None, 1, 0, None),
        ("invite_sent", 1, None, None, 1, 1, None),
    ]
    assert asked(silent, "bounceback_returns", after(80), "unit", "event", "returns", unit="users") == [
        ("users", "login", 1)
    ]
    assert asked(silent, "bounceback_returns", after(6)) == []


def test_the_list_holds_the_last_return_of_each_account(silent: Store) -> None:
    columns = ("account_id", "silent_from", "days_silent", "returned_on", "on_return", "state", "arr", "returns")
    assert asked(silent, "bounceback_accounts", after(35), *columns) == [
        ("back", after(9), 21, after(30), "login", "not yet known", 120.0, 2),
        ("stays", after(6), 14, after(20), "invite_sent; login", "not yet known", 240.0, 1),
        ("leaves", after(6), 14, after(20), "export; login", "not yet known", 0.0, 1),
    ]
    later = asked(silent, "bounceback_accounts", after(86), "account_id", "stayed", "state", "arr", "last_active_on")
    assert later == [
        ("leaves", None, "not yet known", 0.0, after(77)),
        ("stays", None, "not yet known", 0.0, after(76)),
        ("back", False, "left again", 120.0, after(30)),
    ]
    only = asked(silent, "bounceback_accounts", after(35), "account_id", "csm", scope=Scope.of(segment="back"))
    assert only == [("back", "ann")]


def test_numbers_that_make_no_sense_are_refused(silent: Store, tmp_path: Path) -> None:
    for name in ("bouncebacks", "bounceback_returns", "bounceback_accounts"):
        with pytest.raises(MetricError, match="at least 1"):
            asked(silent, name, after(40), silent_days=0)
        with pytest.raises(MetricError, match="at any time"):
            asked(silent, name, after(40), within_days=-1)
        with pytest.raises(MissingTable, match="'events'"):
            asked(company(tmp_path / name, accounts=[account()]), name, START)


# The same by plain Python, on random use.


def returns_of(days: list[int], silent_days: int, within_days: int) -> list[tuple[int, int]]:
    """Return (last day before the silence, day of return) of every silence that ended."""
    pairs = pairwise(days)
    return [(a, b) for a, b in pairs if b - a > silent_days and (not within_days or a - days[0] < within_days)]


def test_every_number_is_that_of_plain_python(tmp_path: Path) -> None:
    dice = random.Random(4)
    names, kinds = [f"{number:02}" for number in range(30)], ["login", "order", "export"]
    rows = [
        (name, on, dice.choice(kinds), dice.choice("uvw"))
        for name in names
        for on in sorted(dice.sample(range(200), dice.randrange(1, 30)))
        for _ in range(dice.randrange(1, 3))
    ]
    store = company(tmp_path, accounts=[account(one, START) for one in names], events=[use(*row) for row in rows])
    for as_of, silent_days, within_days in ((199, 7, 0), (120, 14, 0), (150, 7, 60)):
        known = [row for row in rows if row[1] <= as_of]
        options = {"silent_days": silent_days, "within_days": within_days}
        for unit, key in (("accounts", lambda row: row[0]), ("users", lambda row: (row[0], row[3]))):
            days: dict[Any, list[int]] = {}
            for row in known:
                days.setdefault(key(row), []).append(row[1])
            days = {one: sorted(set(on)) for one, on in days.items()}
            back = {one: found[0] for one, on in days.items() if (found := returns_of(on, silent_days, within_days))}
            quiet = [
                one
                for one, on in days.items()
                if as_of - on[-1] >= silent_days and (not within_days or on[-1] - on[0] < within_days)
            ]
            lasting = {one for one, (_, on) in back.items() if on + STAY_TO <= as_of}
            stayed = {
                one
                for one in lasting
                if any(back[one][1] + STAY_FROM <= on <= back[one][1] + STAY_TO for on in days[one])
            }
            row = run(store, "bouncebacks", as_of=day(after(as_of)), options={**options, "unit": unit}).iloc[0]
            assert row["started"] == len(days)
            assert row["went_silent"] == len({*back, *quiet})
            assert (row["came_back"], row["stay_known"], row["stayed"]) == (len(back), len(lasting), len(stayed))
            found = run(store, "bounceback_returns", as_of=day(after(as_of)), options={**options, "unit": unit})
            did = {(key(one), one[1], one[2]) for one in known}
            assert set(found["event"]) == {one[2] for one in did if back.get(one[0], (0, -1))[1] == one[1]}
            for one in found.to_dict("records"):
                mine = {who for who, (_, on) in back.items() if (who, on, one["event"]) in did}
                before = {who for who, (on, _) in back.items() if (who, on, one["event"]) in did}
                assert one["returns"] == len(mine)
                assert one["share"] == pytest.approx(len(mine) / len(back))
                assert one["before_share"] == pytest.approx(len(before) / len(back))
                assert (one["stay_known"], one["stayed"]) == (len(mine & lasting), len(mine & stayed))

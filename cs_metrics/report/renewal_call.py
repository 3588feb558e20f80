"""The talk about a renewal in words: the self-check, the stance, equal value, the low-price counter, and pages to print.

The page for the customer is made of the low-price arguments alone: nothing that we think of the customer can reach it.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cs_metrics.report import format as say
from cs_metrics.report.one_page import Bars, Block, Facts, Mark, OnePage, Points, Table, Text

__all__ = [
    "ARGUMENTS",
    "MARKS",
    "QUESTIONS",
    "amount_words",
    "argument_mark",
    "argument_text",
    "call_sheet",
    "check_answer",
    "check_title",
    "customer_page",
    "equal_title",
    "low_price_title",
    "when",
]

QUESTIONS = {
    "reason": "The reason they bought",
    "chain": "The decision chain",
    "promises": "Promises",
}
ARGUMENTS = {"cost": "Cost", "data": "Data", "effect": "Effect", "risk": "Risk"}
MARKS: dict[str, Mark] = {"good": "good", "bad": "bad", "look": "look", "not recorded": "unknown"}
_MOST = 7
_COST = "What it costs to change"
_COSTS = ("selection", "learning", "recustomising", "migration")
_SAYING = {
    "cost": ("saving_year", "switching"),
    "data": ("active_share",),
    "risk": ("months", "price_returns", "disorder", "service"),
}


def check_title(check: pd.DataFrame, question: str) -> str:
    """Return the answer to one question of the self-check in a few words."""
    states = check.loc[check["question"] == question, "state"]
    known = states[states != "not recorded"]
    if known.empty:
        return f"{QUESTIONS[question]}: not recorded"
    bad, look = int((known == "bad").sum()), int((known == "look").sum())
    if question == "promises":
        open_ = bad + look
        return "No promise is open" if not open_ else f"{say.plural(open_, 'promise')} still open, {bad} overdue"
    if question == "reason":
        verdict = "met" if not bad and not look else "not met" if not (known == "good").any() else "partly met"
        return f"{QUESTIONS[question]}: {verdict}"
    is_changed = ((check["item"] == "Changes since the contract began") & (check["answer"] == "Changed")).any()
    changed = "changed" if is_changed else "unchanged"
    work = f", {say.plural(bad + look, 'point')} to work on" if bad + look else ""
    return f"{QUESTIONS[question]}: {changed}{work}"


def when(days_left: int) -> str:
    """Return when a contract ends: in 12 days, today, 3 days past its end."""
    if days_left == 0:
        return "today"
    return f"in {say.plural(days_left, 'day')}" if days_left > 0 else f"{say.plural(-days_left, 'day')} past its end"


def equal_title(given: pd.DataFrame, currency: str) -> str:
    """Return the message of the concessions: the cheapest way for us to give the same value."""
    kind = given.iloc[1:].dropna(subset=["equal_cost"])
    cash = float(given["equal_value"].iloc[0])
    if kind.empty or not cash:
        return "Nothing is given"
    best = kind.sort_values("equal_cost", kind="stable").iloc[0]
    return f"{best['concession']} worth {say.money(cash, currency)} cost us {say.money(best['equal_cost'], currency)}"


def amount_words(amount: float, unit: str) -> str:
    """Return so many units in words: 1.2 months, 7 seats for a year, 10 %."""
    if not say.is_known(amount):
        return say.UNKNOWN
    if unit == "percent":
        return f"{say.number(amount, 1)} %"
    one, _, rest = unit.partition(" ")
    shown = say.number(amount, 1)
    return f"{shown} {one}{'' if shown == '1' else 's'} {rest}".rstrip()


def low_price_title(found: pd.DataFrame, currency: str) -> str:
    """Return the message of the low-price counter."""
    value = found.set_index("item")["value"]
    saving, switching = float(value.get("saving_year", float("nan"))), float(value.get("switching", float("nan")))
    if saving != saving:
        return "The difference in price cannot be told yet"
    if saving <= 0:
        return "The other offer is not cheaper"
    text = f"{say.money(saving, currency)} a year less"
    return f"{text}, {say.money(switching, currency)} to change over" if switching == switching else text


def argument_text(found: pd.DataFrame, argument: str) -> str:
    """Return the sentences of one argument, one a line."""
    rows = found[found["argument"] == argument]
    kept = rows[rows["item"].isin(_SAYING[argument])] if argument in _SAYING else _effects(rows)
    return "\n\n".join(str(text) for text in kept["text"])


def argument_mark(found: pd.DataFrame, argument: str) -> Mark:
    """Return whether an argument holds for this account: good, look (it does not) or unknown (nothing is recorded)."""
    rows = found[found["argument"] == argument]
    said = rows[rows["item"].isin(_SAYING[argument])] if argument in _SAYING else _effects(rows)
    if said["speaks_for_us"].any():
        return "good"
    return "unknown" if (said["source"] == "not recorded").all() else "look"


def _effects(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep one sentence a result: that in money where there is one."""
    gained = rows[rows["item"].str.startswith("gain") & ~rows["item"].str.endswith("fee")]
    names = set(gained["item"].str.removeprefix("gain in "))
    changed = rows[rows["item"].str.startswith("change of ") & ~rows["item"].str.removeprefix("change of ").isin(names)]
    return pd.concat([gained, changed])


# Pages to print


def customer_page(found: pd.DataFrame, *, name: str, as_of: dt.date, currency: str) -> OnePage:
    """Return the page that may go to the customer: its own numbers, and only the arguments that hold."""
    value = found.set_index("item")["value"].to_dict()
    holds = found[found["speaks_for_us"]]
    blocks: list[Block] = [_customer_facts(value, holds, currency)]
    if "saving_year" in set(holds["item"]):
        said = holds.loc[holds["item"] == "saving_year", "text"].iloc[0]
        blocks.append(
            _customer_cost(value, currency) if value["saving_year"] > 0 else Text(title=_COST, text=str(said))
        )
    data = holds[holds["item"] == "active_share"]
    if len(data):
        blocks.append(_customer_use(value, str(data["text"].iloc[0]), currency))
    effect = _effects(holds[holds["argument"] == "effect"])
    if len(effect):
        blocks.append(Points(title="What it has brought", items=[("good", str(text), "") for text in effect["text"]]))
    risk = holds[(holds["argument"] == "risk") & holds["item"].isin(_SAYING["risk"])]
    blocks.append(Points(title="What a change brings along", items=[("", str(text), "") for text in risk["text"]]))
    return OnePage(
        audience="customer",
        title="Staying or changing: the whole sum",
        subtitle=f"Prepared for {name} on {say.date(as_of)} · amounts in {currency}",
        blocks=blocks,
        foot="Hours of a change are estimates and can be replaced by your own. Use counts the 28 days before this day; gains compare the same months of two years.",
    )


def _customer_facts(value: Mapping[Any, Any], holds: pd.DataFrame, currency: str) -> Facts:
    items = [("A year today", _money(value.get("year"), currency), _per_user(value, currency))]
    if "active_share" in set(holds["item"]):
        of = f"{say.count(value['active_users'])} of {say.count(value['users'])} users"
        items.append(("Work with it often", say.percent(value["active_share"], 0), of))
    gained = holds[holds["item"].str.startswith("gain in") & ~holds["item"].str.endswith("fee")]
    if len(gained):
        first = gained.iloc[0]
        items.append((str(first["item"]).capitalize(), say.money(first["value"], currency), "against a year before"))
    return Facts(items=items)


def _per_user(value: Mapping[Any, Any], currency: str) -> str:
    price, users = value.get("price"), value.get("users")
    if not say.is_known(price) or not say.is_known(users):
        return ""
    return f"{say.number(price, 2)} per user and month, {say.count(users)} users"


def _customer_cost(value: Mapping[Any, Any], currency: str) -> Table:
    words = {
        "selection": "Looking around, testing, negotiating",
        "learning": "Learning it, for those who use it today",
        "recustomising": "Tailoring it again",
        "migration": "Moving the data",
    }
    rows = [
        ("A year today", _exact(value["year"])),
        ("A year with the other offer", _exact(value["year"] - value["saving_year"])),
        ("Less in a year", _exact(value["saving_year"])),
        *((words[item], _exact(value[item])) for item in _COSTS),
        ("The change in all, once", _exact(value["switching"])),
        ("Left in the first year", _exact(value["first_year"])),
    ]
    lead = f"The lower price has paid for the change after {say.number(value['back_after_months'], 1)} months."
    return Table(title=_COST, head=("", currency), rows=rows, numbers=(False, True), lead=lead, strong=[2, 7, 8])


def _customer_use(value: Mapping[Any, Any], text: str, currency: str) -> Bars:
    items = [
        ("Users", float(value["users"]), say.count(value["users"]), False),
        ("Work with it often", float(value["active_users"]), say.count(value["active_users"]), True),
    ]
    return Bars(title="What is in use", items=items, lead=text)


def call_sheet(
    *,
    stance: "pd.Series[Any]",
    check: pd.DataFrame,
    given: pd.DataFrame,
    found: pd.DataFrame,
    people: pd.DataFrame,
    as_of: dt.date,
    currency: str,
) -> OnePage:
    """Return the sheet for our own people before the call: self-check, stance, equal value, and the counter in short."""
    owner = f", {stance['owner']}" if say.is_known(stance["owner"]) and str(stance["owner"]) not in ("nan", "") else ""
    facts = Facts(
        items=[
            (
                "To renew",
                say.money(stance["arr"], currency),
                f"ends {say.date(stance['ends_on'].date())}, {when(int(stance['days_left']))}",
            ),
            ("Likelihood", say.percent(stance["likelihood"], 0), _called(stance)),
            ("Health", say.health(str(stance["colour"])), "last complete week"),
            (
                "May be given",
                say.money(stance["concession_arr"], currency),
                f"{say.percent(stance['concession_to'], 0)} of a year",
            ),
        ]
    )
    against = f" Only against {stance['only_against']}." if stance["only_against"] else ""
    box = Text(
        title=f"{stance['stance']}: {stance['why']}",
        text=f"{stance['sentence']}{against} Ask for: {_lowered(str(stance['ask']))}.",
        is_boxed=True,
    )
    checks = [
        Points(title=check_title(check, question), items=_check_items(check, question))
        for question in QUESTIONS
        if (check["question"] == question).any()
    ]
    sides = ([*checks], [_equal_table(given, currency), _counter(found, currency), *_who(people)])
    return OnePage(
        audience="internal",
        title=str(stance["name"]),
        subtitle=f"Call sheet for the renewal of {stance['contract_id']}{owner} · as of {say.date(as_of)} · {currency}",
        blocks=[facts, box],
        columns=sides,
        foot="Every answer comes from a record of the day; what no record tells is marked ○. ● good  ▲ to look at  ■ bad",
    )


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _called(stance: "pd.Series[Any]") -> str:
    calls = {"commit": "owner: commit", "best_case": "owner: best case", "at_risk": "owner: at risk"}
    return calls.get(str(stance["owner_call"]), "no call of the owner")


def _check_items(check: pd.DataFrame, question: str) -> list[tuple[Mark, str, str]]:
    rows = check[check["question"] == question].to_dict("records")
    shown = [(MARKS[str(row["state"])], f"{row['item']}: {check_answer(row)}.", str(row["evidence"])) for row in rows]
    rest = len(shown) - _MOST
    return [*shown[:_MOST], ("", f"and {rest} more", "")] if rest > 0 else shown


def check_answer(row: Mapping[Any, Any]) -> str:
    """Return the answer of a line of the self-check as it goes on in a sentence: a name keeps its capital."""
    answer = str(row["answer"])
    is_name = row["source"] == "meetings" and row["question"] == "chain"
    return answer if is_name else _lowered(answer)


def _equal_table(given: pd.DataFrame, currency: str) -> Table:
    known = given.dropna(subset=["equal_amount"])
    rows = [
        (
            str(row["concession"]),
            amount_words(row["equal_amount"], str(row["unit"])),
            _exact(row["equal_value"]),
            _exact(row["equal_cost"]),
        )
        for row in known.to_dict("records")
    ]
    head = ("Of equal value", "How much", "Worth", "Costs us")
    return Table(title=equal_title(given, currency), head=head, rows=rows, numbers=(False, False, True, True))


def _counter(found: pd.DataFrame, currency: str) -> Points:
    items = [
        (argument_mark(found, argument), f"{ARGUMENTS[argument]}.", argument_text(found, argument).replace("\n\n", " "))
        for argument in ("cost", "data", "effect")
    ]
    return Points(title=f"Against a lower price: {_lowered(low_price_title(found, currency))}", items=items)


def _who(people: pd.DataFrame) -> list[Block]:
    known = people[people["person"].notna()].drop_duplicates("role")
    if known.empty:
        return []
    roles = {"csm": "CSM", "renewal_manager": "Renewal manager", "team_lead": "Team lead", "executive": "Executive"}
    said = "; ".join(f"{roles[str(row['role'])]}: {row['person']}" for row in known.to_dict("records"))
    return [Text(title="Who is in it", text=said)]


def _money(amount: float | None, currency: str) -> str:
    return say.money(amount, currency) if amount is not None else say.UNKNOWN


def _exact(amount: float) -> str:
    return say.count(amount)

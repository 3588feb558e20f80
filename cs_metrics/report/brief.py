"""The QBR brief: what a CSM must know, say and ask in the next review of an account. It is internal.

What the customer may see too comes from `review`; everything else is what the list pages say of this account.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cs_metrics.errors import MetricError, MissingTable
from cs_metrics.metrics.account import headline
from cs_metrics.report import format as say
from cs_metrics.report import review
from cs_metrics.report.document.model import Block, Column, Document, Number, Numbers, Row, Section, Table, Text
from cs_metrics.report.review import Ask, Facts, asked, each

__all__ = ["Inside", "document", "inside"]

_DRIVERS, _MOST_DONE, _MOST_PEOPLE = 3, 8, 6
_COMPARED = {
    "arr": ("ARR", "money"),
    "score": ("Health score", "score"),
    "active_users": ("Users active in 4 weeks", "count"),
    "active_share": ("Share of seats active", "percent"),
    "open_tickets": ("Open tickets", "count"),
    "open_promises": ("Open promises", "count"),
    "open_ctas": ("Open calls to action", "count"),
}
_TOLD_BY = {"open_tickets": "account_tickets", "open_promises": "account_promises"}
_MOVES = {"percent": "points", "score": "number"}
_ROLES = ("decision_maker", "sponsor")


@dataclass(frozen=True, kw_only=True)
class Inside:
    """What only we know of an account: its header now and at the beginning of the span, drivers and people.

    `unknown` are columns of the header that no loaded table tells: their 0 is none.
    """

    now: Any
    then: Any
    drivers: pd.DataFrame | None
    contacts: pd.DataFrame | None
    unknown: frozenset[str]
    currency: str


def inside(ask: Ask, account_id: str, found: Facts, currency: str) -> Inside:
    """Gather what only we know of the account of `found`."""
    about = {"account_id": account_id}
    return Inside(
        now=ask("account_header", **about).iloc[0],
        then=_header(ask, found.since, about),
        drivers=asked(ask, "health_change", **about, from_=found.since),
        contacts=asked(ask, "account_contacts", **about),
        unknown=frozenset(name for name, told_by in _TOLD_BY.items() if asked(ask, told_by, **about) is None),
        currency=currency,
    )


def _header(ask: Ask, day: dt.date, about: dict[str, str]) -> Any:
    """Return the header as of an earlier day, None where the account was not there yet."""
    try:
        return ask("account_header", as_of=day, **about).iloc[0]
    except (MetricError, MissingTable):
        return None


def document(facts: Facts, known: Inside) -> Document:
    """Return the brief of an account on A4."""
    now = known.now
    money = _money(known)
    lead = Text(
        key="lead", label="The account in a sentence", text=headline(now, money, say.health(now.colour)), style="lead"
    )
    sections = [
        Section(
            title=Text(key="state_title", label="Headline: where it stands", text="Where it stands", style="title"),
            rows=[Row(blocks=[lead]), Row(blocks=[_figures(known)])],
        ),
        _changes(facts, known),
        _drivers(known),
        *([_results(facts)] if facts.results else []),
        _help(facts),
        _open(facts),
        _renewal(known),
        _questions(facts, known),
    ]
    people = f" · CSM {now.csm}" if say.is_known(now.csm) and now.csm else ""
    return Document(
        title=Text(key="title", label="Title", text=f"QBR brief: {facts.name}", style="title"),
        subtitle=Text(
            key="subtitle",
            label="Under the title",
            text=f"As of {say.date(facts.as_of)}, looking back to {facts.since_says}{people}",
        ),
        shape="a4",
        sections=sections,
        foot=f"{facts.name} · as of {say.date(facts.as_of)} · {known.currency}",
        notes=_notes(facts, known),
        mark="Internal: not for the customer",
        currency=known.currency,
    )


def _money(known: Inside) -> Any:
    return lambda amount: say.money(amount, known.currency)


def _figures(known: Inside) -> Numbers:
    now, money = known.now, _money(known)
    seats = f"of {say.plural(now.seats, 'seat')} in 4 weeks" if say.is_known(now.seats) else "no use is known"
    chance = f"likelihood {say.percent(now.likelihood, 0)}" if say.is_known(now.likelihood) else "not due in 90 days"
    score = f"{say.number(now.score, 0)} of 100" if say.is_known(now.score) else "no score"
    due = say.is_known(now.renewal_on)
    return Numbers(
        items=[
            Number(label="ARR", value=money(now.arr), note=str(now.stage)),
            Number(label="Health", value=say.health(now.colour), note=score),
            Number(
                label="Renewal",
                value=say.date(now.renewal_on.date()) if due else say.UNKNOWN,
                note=f"{money(now.renewal_arr)}, {chance}" if due else "no open contract",
            ),
            Number(label="Active users", value=say.count(now.active_users), note=seats),
        ]
    )


def _changes(facts: Facts, known: Inside) -> Section:
    rows, said = [], []
    for name, (label, unit) in _COMPARED.items():
        now, before = (None if name in known.unknown else _value(one, name) for one in (known.now, known.then))
        moved = say.change(now, before, _MOVES.get(unit, unit), currency=known.currency)  # type: ignore[arg-type]
        cells = [say.value(one, unit, known.currency) for one in (before, now)]
        rows.append([label, *cells, moved.text if moved else say.UNKNOWN])
        if moved and moved.direction != "none":
            said.append(f"{label} {cells[0]} → {cells[1]}")
    lead = (
        f"Since {facts.since_says}: {'; '.join(said)}." if said else f"Nothing of this moved since {facts.since_says}."
    )
    columns = [
        Column(label="Measure", weight=2),
        Column(label=f"On {say.date(facts.since)}", weight=1.25, is_number=True),
        Column(label="Now", is_number=True),
        Column(label="Change", is_number=True),
    ]
    table = Table(title="Then and now", columns=columns, rows=rows)
    side: list[Block] = [table]
    if any(one is not None for one in facts.users):
        side.append(review.use_picture(facts))
    title = Text(
        key="changes_title",
        label="Headline: what changed",
        text=f"What changed since {facts.since_says}",
        style="title",
    )
    lead_text = Text(key="changes", label="What changed", text=lead)
    return Section(title=title, rows=[Row(blocks=[lead_text]), Row(blocks=side, weights=[6, 5][: len(side)])])


def _value(row: Any, name: str) -> float | None:
    return float(row[name]) if row is not None and say.is_known(row[name]) else None


def _drivers(known: Inside) -> Section:
    moves = known.drivers
    lines = []
    if moves is not None:
        for one in list(each(moves[moves["points"].abs() >= 0.05]))[:_DRIVERS]:
            lines.append(f"{one.points:+.1f} points of health: {one.before} → {one.after}")
    title = "Three drivers: what moved the health score most"
    if not lines:
        title = "Drivers of its health"
        said = str(known.now.reasons) if say.is_known(known.now.reasons) else ""
        lines = [one.strip().rstrip(".") for one in said.split(". ") if one.strip()][:_DRIVERS] or ["No score yet."]
    head = Text(key="drivers_title", label="Headline: drivers", text=title, style="title")
    return Section(
        title=head,
        rows=[Row(blocks=[Text(key="drivers", label="Drivers (a line each)", text="\n".join(lines), style="bullets")])],
    )


def _results(facts: Facts) -> Section:
    lines = [review.result_sentence(one, facts.currency) for one in facts.results]
    first: list[Block] = [Text(key="results", label="Results in the customer's terms", text="\n".join(lines))]
    pictures: list[Block] = [
        review.result_picture(one, facts.currency) for one in facts.results[:3] if len(one.months) > 1
    ]
    rows = [Row(blocks=[*first, *pictures[:1]], weights=[2, 3][: 1 + len(pictures[:1])])]
    if pictures[1:]:
        rows.append(Row(blocks=pictures[1:]))
    title = "Results in the customer's terms"
    return Section(title=Text(key="results_title", label="Headline: results", text=title, style="title"), rows=rows)


def _help(facts: Facts) -> Section:
    title = Text(
        key="help_title", label="Headline: help given", text=f"Help given since {facts.since_says}", style="title"
    )
    rows = [Row(blocks=[review.help_numbers(facts)])] if facts.help else []
    if facts.done or not rows:
        rows.append(Row(blocks=[review.help_table(facts, _MOST_DONE)]))
    return Section(title=title, rows=rows)


def _open(facts: Facts) -> Section:
    waiting = [one for one in facts.steps if one.completed_on is None]
    if waiting:
        due = f", due on {say.date(waiting[0].due_on)}" if waiting[0].due_on else ""
        words = f"Next milestone: {waiting[0].name}{due}; {len(facts.steps) - len(waiting)} of {len(facts.steps)} are reached."
    elif facts.steps:
        words = f"All {len(facts.steps)} milestones are reached."
    else:
        words = "No milestones are recorded for this account."
    columns = [Column(label="Promise", weight=3), Column(label="Made on"), Column(label="Due"), Column(label="State")]
    rows = [
        [
            one.promise,
            say.date(one.made_on),
            say.date(one.due_on) if one.due_on else "",
            _state(one.due_on, facts.as_of),
        ]
        for one in facts.promises
    ]
    title = Text(key="open_title", label="Headline: next", text="Next milestone and open promises", style="title")
    text = Text(key="milestone", label="Next milestone", text=words)
    promises = Table(title="Open promises", columns=columns, rows=rows, empty="None is open.")
    return Section(title=title, rows=[Row(blocks=[text]), Row(blocks=[promises])])


def _state(due_on: dt.date | None, as_of: dt.date) -> str:
    return "overdue" if due_on is not None and due_on < as_of else "open"


def _renewal(known: Inside) -> Section:
    now, money = known.now, _money(known)
    if not say.is_known(now.renewal_on):
        words = "No open contract is known."
    else:
        left = int(now.days_left)
        when = say.ahead(left) if left >= 0 else f"{say.days(-left)} ago, undecided"
        words = f"The contract over {money(now.renewal_arr)} ends on {say.date(now.renewal_on.date())}, {when}."
    if say.is_known(now.likelihood):
        words += f" Likelihood of renewal {say.percent(now.likelihood, 0)}."
    lines = [
        f"{label}: {text}"
        for label, text in (
            ("For", now.reasons_for),
            ("Against", now.reasons_against),
            ("Overdue in the plan", now.overdue_names),
        )
        if say.is_known(text) and text
    ]
    if say.is_known(now.next_step) and now.next_step:
        on = f", {say.date(now.next_step_on.date())}" if say.is_known(now.next_step_on) else ""
        lines.append(f"Next step: {now.next_step}{on}")
    rows = [Row(blocks=[Text(key="renewal", label="Renewal", text=words)])]
    if lines:
        rows.append(
            Row(
                blocks=[
                    Text(
                        key="reasons",
                        label="Renewal: for, against, next (a line each)",
                        text="\n".join(lines),
                        style="bullets",
                    )
                ]
            )
        )
    people = _people(known)
    if people is not None:
        rows.append(Row(blocks=[people]))
    return Section(
        title=Text(key="renewal_title", label="Headline: renewal", text="Renewal and who decides", style="title"),
        rows=rows,
    )


def _people(known: Inside) -> Table | None:
    if known.contacts is None:
        return None
    columns = [Column(label="Name", weight=2), Column(label="Role", weight=1.5), Column(label="State", weight=2)]
    rows = [
        [one.name, str(one.role).replace("_", " "), _presence(one)] for one in each(known.contacts.head(_MOST_PEOPLE))
    ]
    return Table(title="People", columns=columns, rows=rows, empty="Nobody with a part in the decision is recorded.")


def _presence(one: Any) -> str:
    if one.state == "left":
        moved = f" for {one.moved_to}" if say.is_known(one.moved_to) and one.moved_to else ""
        return f"left on {say.date(one.left_on.date())}{moved}"
    return f"{one.state}, since {say.date(one.since.date())}" if say.is_known(one.since) else str(one.state)


def _questions(facts: Facts, known: Inside) -> Section:
    """Return what to ask, from what is open, unknown or changed; the reason they bought and the next goal always."""
    now, lines = known.now, []
    gone = [one for one in each(known.contacts) if one.role in _ROLES and one.state == "left"]
    staying = {one.role for one in each(known.contacts) if one.state != "left"}
    lines += [
        f"Who takes over from {one.name} as {one.role.replace('_', ' ')}, and what does that person expect of us?"
        for one in gone
        if one.role not in staying
    ]
    lines += [
        f"Is “{one.promise}”, due on {say.date(one.due_on)}, still wanted, and by which day?"
        for one in facts.promises
        if one.due_on and one.due_on < facts.as_of
    ]
    for one in facts.results:
        if say.is_known(one.change_3_months) and one.change_3_months <= -0.05:
            lines.append(
                f"What stands behind the fall of {one.name.lower()} by {say.percent(-one.change_3_months, 0)} in three months?"
            )
    if not facts.results:
        lines.append("By which result of yours shall we measure our work together?")
    if say.is_known(now.active_share) and now.active_share < 0.6:
        lines.append(
            f"{say.count(now.active_users)} of {say.plural(now.seats, 'seat')} were active in 4 weeks: who should use it and does not, and why?"
        )
    if say.is_known(now.days_left) and now.days_left <= 90:
        lines.append("Has the reason for which you bought been met? Has who decides on the renewal changed?")
    lines.append("What must be true a year from now for you to call this a success?")
    title = Text(key="questions_title", label="Headline: questions", text="Questions to ask", style="title")
    return Section(
        title=title,
        rows=[
            Row(
                blocks=[
                    Text(
                        key="questions", label="Questions to ask (a line each)", text="\n".join(lines), style="bullets"
                    )
                ]
            )
        ],
    )


def _notes(facts: Facts, known: Inside) -> list[tuple[str, str]]:
    """Define what the brief shows, and nothing else."""
    day = say.date(facts.as_of)
    week = "health and use in four weeks are those of the last complete week"
    notes = [
        ("As of", f"{day}: what was known at the end of that day; {week}."),
        ("ARR", "12 × the monthly recurring amounts that run on the day."),
    ]
    if say.is_known(known.now.score):
        parts = "A driver's points are its part of the change of the score; all parts add up to it."
        notes.append(("Health", f"0–100, the weighted mean of the dimensions that have data. {parts}"))
    if facts.done:
        done = "requests closed are wishes shipped, other tickets problems solved; trainings count when held"
        notes.append(("Help", f"{done}, promises when kept."))
    if facts.results:
        notes.append(("Results", "the customer's own figures by complete month, averages of three months."))
    if say.is_known(known.now.likelihood):
        notes.append(
            ("Likelihood", "that the contract is renewed, from past renewals; shown for contracts that are due.")
        )
    return notes

"""What brief and value report both say of an account's review: results, use and help, in facts that a customer may see.

`Facts` holds nothing but what the customer knows or may know; the value report is made of it alone.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cs_metrics.config import Config
from cs_metrics.errors import MissingTable
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.report.document.alt import alt
from cs_metrics.report.document.model import Column, Number, Numbers, Picture, Table

__all__ = [
    "Ask",
    "Department",
    "Done",
    "Facts",
    "Help",
    "Promise",
    "Result",
    "Step",
    "asked",
    "departments_picture",
    "each",
    "facts",
    "help_numbers",
    "help_table",
    "result_numbers",
    "result_picture",
    "result_sentence",
    "result_title",
    "use_picture",
]

Ask = Callable[..., pd.DataFrame]
_MONTHS, _WEEKS = 24, 52
_DONE = {"problem": "Problem solved", "wish": "Wish shipped", "training": "Training held", "promise": "Promise kept"}


@dataclass(frozen=True, kw_only=True)
class Result:
    """One of the customer's own results by month, with its means of three months and their changes as fractions."""

    name: str
    unit: c.Unit
    months: Sequence[dt.date]
    values: Sequence[c.Value]
    month: dt.date
    value: float
    recent: float
    before: float
    change_3_months: float
    change_year: float
    best: float
    best_month: dt.date


@dataclass(frozen=True, kw_only=True)
class Help:
    """How much of one kind of help was given, and what is said of it."""

    name: str
    count: float
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Done:
    """One thing that was done for the customer."""

    kind: str
    day: dt.date
    what: str
    product: str
    days: float


@dataclass(frozen=True, kw_only=True)
class Department:
    """A department with its people who use the product."""

    name: str
    active: float
    new: float


@dataclass(frozen=True, kw_only=True)
class Promise:
    """Something promised to the customer and not done yet."""

    promise: str
    made_on: dt.date
    due_on: dt.date | None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A milestone; `state` reached or still open."""

    name: str
    due_on: dt.date | None
    completed_on: dt.date | None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that is known of one account's review and may be seen by the customer."""

    name: str
    as_of: dt.date
    since: dt.date
    since_says: str
    results: Sequence[Result]
    weeks: Sequence[dt.date]
    users: Sequence[c.Value]
    departments: Sequence[Department]
    help: Sequence[Help]
    done: Sequence[Done]
    promises: Sequence[Promise]
    steps: Sequence[Step]
    currency: str


def asked(ask: Ask, name: str, **options: Any) -> pd.DataFrame | None:
    """Answer a metric, None where a table that it needs was not loaded."""
    try:
        return ask(name, **options)
    except MissingTable:
        return None


def each(frame: pd.DataFrame | None) -> Iterator[Any]:
    """Yield the rows with their columns as attributes; nothing of no frame."""
    yield from () if frame is None else frame.itertuples(index=False)


def facts(ask: Ask, account_id: str, *, as_of: dt.date, since: dt.date | None, config: Config) -> Facts:
    """Gather the facts of an account as of a day, since a day or its last review."""
    about: dict[str, Any] = {"account_id": account_id}
    span = {**about, "since": since} if since else about
    begins = next(each(ask("account_span", **span)))
    usage = asked(ask, "account_usage", **about, weeks=_WEEKS)
    departments = asked(ask, "account_departments", **about)
    return Facts(
        name=str(begins.name),
        as_of=as_of,
        since=begins.since.date(),
        since_says=begins.says,
        results=_results(ask, about, config.negotiation.money_outcomes),
        weeks=[] if usage is None else [one.date() for one in usage["week"]],
        users=[]
        if usage is None
        else c.values(usage["active_users"].astype("Float64").to_numpy(float, na_value=float("nan"))),
        departments=[
            Department(name=one.department, active=one.active, new=one.new)
            for one in each(departments)
            if one.active or one.new
        ],
        help=_help(ask("account_value", **about, days=int(begins.days))),
        done=[
            Done(
                kind=one.kind,
                day=one.day.date(),
                what=one.what,
                product=_text(one.product),
                days=_number(one.days_taken),
            )
            for one in each(ask("account_help", **span))
        ],
        promises=[
            Promise(promise=one.promise, made_on=one.made_on.date(), due_on=_day(one.due_on))
            for one in each(asked(ask, "account_promises", **about))
            if one.state not in ("kept", "withdrawn")
        ],
        currency=config.currency,
        steps=[
            Step(name=one.milestone, due_on=_day(one.due_on), completed_on=_day(one.completed_on))
            for one in each(asked(ask, "account_milestones", **about))
        ],
    )


def _results(ask: Ask, about: dict[str, Any], in_money: Sequence[str]) -> list[Result]:
    summary, monthly = (asked(ask, name, **about) for name in ("account_results", "account_outcomes"))
    if summary is None or monthly is None:
        return []
    found = []
    for one in each(summary):
        rows = monthly[monthly["metric"] == one.metric].tail(_MONTHS)
        found.append(
            Result(
                name=str(one.metric).replace("_", " ").strip().capitalize() or "Result",
                unit="money" if one.metric in in_money else "number",
                months=[month.date() for month in rows["month"]],
                values=c.values(rows["value"]),
                month=one.month.date(),
                value=one.value,
                recent=one.recent,
                before=one.before,
                change_3_months=one.change_3_months,
                change_year=one.change_year,
                best=one.best,
                best_month=one.best_month.date(),
            )
        )
    return found


def _help(value: pd.DataFrame) -> list[Help]:
    """Return what was done by kind; the median days stand beside the problems that they are about."""
    rows = value[value["group"] == "help"]
    days = rows.loc[rows["unit"] == "number", "now"].dropna()
    note = f"in {say.days(float(days.iloc[0]))} (median)" if len(days) else ""
    counted = rows[rows["unit"] == "count"]
    return [
        Help(name=one.measure, count=one.now, note=note if one.measure == "Problems solved" else "")
        for one in each(counted)
    ]


def _number(value: Any) -> float:
    return float(value) if say.is_known(value) else float("nan")


def _text(value: Any) -> str:
    return str(value) if say.is_known(value) else ""


def _day(value: Any) -> dt.date | None:
    return value.date() if say.is_known(value) else None


# Sentences, figures and pictures


def moved(fraction: float) -> str:
    """Return a change as a signed percentage: +7.7%."""
    text = say.percent(abs(fraction))
    return text if text == "0.0%" else f"{'+' if fraction > 0 else '-'}{text}"


def result_title(one: Result, currency: str) -> str:
    """Return the message of a result: its change on a year ago, else on the three months before, else its newest value."""
    for change, than in ((one.change_year, "a year ago"), (one.change_3_months, "the three months before")):
        if say.is_known(change):
            if abs(change) < 0.005:
                return f"{one.name} is level with {than}"
            return f"{one.name} is {say.percent(abs(change), 0)} {'above' if change > 0 else 'below'} {than}"
    return f"{one.name}: {_amount(one, one.value, currency)} in {say.month(one.month)}"


def result_sentence(one: Result, currency: str) -> str:
    """Say where a result stands, with its averages of three months."""
    said = f"{one.name} was {_amount(one, one.value, currency)} in {say.month(one.month)}"
    if not say.is_known(one.recent):
        return f"{said}."
    said += f"; on average {_amount(one, one.recent, currency)} a month in the three months to {say.month(one.month)}"
    changes = [
        f"{moved(change)} on {than}"
        for change, than in (
            (one.change_3_months, "the three before"),
            (one.change_year, "the same three a year earlier"),
        )
        if say.is_known(change)
    ]
    return f"{said} ({' and '.join(changes)})." if changes else f"{said}."


def result_numbers(one: Result, currency: str) -> Numbers:
    """Return the figures of a result."""
    newest = _amount(one, one.value, currency)
    items = [Number(label=f"{one.name}, {say.month(one.month)}", value=newest, note="the newest complete month")]
    if say.is_known(one.recent):
        note = f"{moved(one.change_3_months)} on the 3 before" if say.is_known(one.change_3_months) else "a month"
        items.append(Number(label="Average of 3 months", value=_amount(one, one.recent, currency), note=note))
    if say.is_known(one.change_year):
        items.append(Number(label="On a year earlier", value=moved(one.change_year), note="same 3 months"))
    best = _amount(one, one.best, currency)
    items.append(Number(label="Best month", value=best, note=say.month(one.best_month)))
    return Numbers(items=items)


def _amount(one: Result, value: float, currency: str) -> str:
    return say.money(value, currency) if one.unit == "money" else say.short(value)


def result_picture(one: Result, currency: str) -> Picture:
    """Return a result by month."""
    drawn = c.Bars(x=one.months, series=[c.Series(name=one.name, y=one.values)], unit=one.unit, shows_values=False)
    title = f"{one.name} by month"
    return Picture(
        title=title, caption=f"Complete months to {say.month(one.month)}", chart=drawn, says=alt(drawn, title, currency)
    )


def use_picture(found: Facts) -> Picture:
    """Return the active users by week."""
    marks = [c.Mark(label="last review", x=found.since)] if found.since_says != say.date(found.since) else []
    drawn = c.Line(
        x=found.weeks,
        series=[c.Series(name="Active users", y=found.users)],
        unit="count",
        from_zero=True,
        marks=[one for one in marks if found.weeks and found.weeks[0] <= found.since],
    )
    title = "Active users by week"
    return Picture(title=title, caption="Known users active in the week", chart=drawn, says=alt(drawn, title, ""))


def departments_picture(found: Facts) -> Picture:
    """Return the users by department."""
    shown = found.departments[:8]
    series = [
        c.Series(name="Active in 4 weeks", y=[float(one.active) for one in shown]),
        c.Series(name="New", y=[float(one.new) for one in shown], colour="3"),
    ]
    drawn = c.Bars(
        x=[one.name for one in shown],
        series=[one for one in series if any(one.y)],
        is_horizontal=True,
        is_stacked=True,
    )
    title = "Who uses it"
    caption = f"Users by department, as of {say.date(found.as_of)}"
    return Picture(title=title, caption=caption, chart=drawn, says=alt(drawn, title, ""))


def help_numbers(found: Facts) -> Numbers:
    """Return the figures of the help given."""
    return Numbers(items=[Number(label=one.name, value=say.count(one.count), note=one.note) for one in found.help])


def help_table(found: Facts, most: int) -> Table:
    """Return the newest of what was done."""
    columns = [
        Column(label="Day", weight=1.1),
        Column(label="What we did", weight=3.4),
        Column(label="Product", weight=1.6),
        Column(label="Days taken", weight=1, is_number=True),
    ]
    rows = [
        [say.date(one.day), _done(one), one.product, "" if one.days != one.days else say.count(one.days)]
        for one in found.done
    ]
    more = f"The newest {most} of {len(rows)}" if len(rows) > most else ""
    return Table(
        title="What was done", caption=more, columns=columns, rows=rows[:most], empty="Nothing recorded in this span."
    )


def _done(one: Done) -> str:
    return _DONE[one.kind] if one.what in ("training", "request", "ticket") else f"{_DONE[one.kind]}: {one.what}"

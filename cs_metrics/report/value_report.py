"""The value report: what the customer got, in the customer's terms, for its annual or quarterly review.

It is made of `review.Facts` alone, which holds nothing internal; scores, likelihoods, amounts and calls to action cannot
reach it.
"""

from cs_metrics.report import format as say
from cs_metrics.report import review
from cs_metrics.report.document.model import Block, Document, Number, Numbers, Row, Section, Text
from cs_metrics.report.review import Facts, Help, Result

__all__ = ["document"]

_MOST_RESULTS, _MOST_DONE = 3, 8


def document(facts: Facts) -> Document:
    """Return the report of an account on slides."""
    sections = [
        *(_result(one, at, facts.currency) for at, one in enumerate(facts.results[:_MOST_RESULTS])),
        *([_use(facts)] if any(facts.users) else []),
        *([_help(facts)] if facts.done else []),
        _next(facts),
    ]
    return Document(
        title=Text(key="title", label="Title", text=f"Value report for {facts.name}", style="title"),
        subtitle=Text(
            key="subtitle",
            label="Under the title",
            text=f"What you achieved, {say.date(facts.since)} to {say.date(facts.as_of)}",
        ),
        shape="slides",
        sections=sections,
        foot=f"{facts.name} · as of {say.date(facts.as_of)}",
        notes=_notes(facts),
        currency=facts.currency,
    )


def _result(one: Result, at: int, currency: str) -> Section:
    rows: list[Row] = [
        Row(
            blocks=[
                Text(
                    key=f"result_{at}_lead",
                    label=f"Result: {one.name}",
                    text=review.result_sentence(one, currency),
                    style="lead",
                )
            ]
        ),
        Row(blocks=[review.result_numbers(one, currency)]),
    ]
    if len(one.months) > 1:
        rows.append(Row(blocks=[review.result_picture(one, currency)]))
    title = Text(
        key=f"result_{at}_title", label=f"Headline: {one.name}", text=review.result_title(one, currency), style="title"
    )
    return Section(title=title, rows=rows)


def _use(facts: Facts) -> Section:
    newest = next((one for one in reversed(facts.users) if one is not None), None)
    title = f"{say.plural(newest, 'person', 'people')} used it in the last complete week"
    at_review = [
        one for week, one in zip(facts.weeks, facts.users, strict=True) if week <= facts.since and one is not None
    ]
    lead = f"{say.plural(newest, 'active user')} in the last complete week"
    lead += f", {say.count(at_review[-1])} in the week of {say.date(facts.since)}." if at_review else "."
    pictures: list[Block] = [review.use_picture(facts)]
    if facts.departments:
        pictures.append(review.departments_picture(facts))
    return Section(
        title=Text(key="use_title", label="Headline: use", text=title, style="title"),
        rows=[
            Row(blocks=[Text(key="use_lead", label="How your team uses it", text=lead, style="lead")]),
            Row(blocks=pictures, weights=[3, 2][: len(pictures)]),
        ],
    )


def _help(facts: Facts) -> Section:
    said = [f"{say.count(one.count)} {_counted(one)}" for one in facts.help if one.count]
    title = f"Since {facts.since_says}: {', '.join(said[:3])}"
    return Section(
        title=Text(key="help_title", label="Headline: help", text=title, style="title"),
        rows=[Row(blocks=[review.help_numbers(facts)]), Row(blocks=[review.help_table(facts, _MOST_DONE)])],
    )


def _counted(one: Help) -> str:
    """Return what was counted in the middle of a sentence: problems solved, 1 wish shipped."""
    words = one.name[:1].lower() + one.name[1:]
    return _ONE.get(words, words) if one.count == 1 else words


_ONE = {
    "problems solved": "problem solved",
    "wishes shipped": "wish shipped",
    "trainings held": "training held",
    "business reviews held": "business review held",
    "promises kept": "promise kept",
}


def _next(facts: Facts) -> Section:
    waiting = [one for one in facts.steps if one.completed_on is None]
    lines = []
    if waiting:
        due = f", planned for {say.date(waiting[0].due_on)}" if waiting[0].due_on else ""
        lines.append(f"Next milestone: {waiting[0].name}{due}")
    lines += [
        f"We promised: {one.promise}" + (f", due on {say.date(one.due_on)}" if one.due_on else "")
        for one in facts.promises
    ]
    if not facts.results:
        lines.append("Agree on the result by which we measure our work together")
    lines = lines or ["Everything that was planned and promised is done: agree on the next goal"]
    reached = len(facts.steps) - len(waiting)
    numbers = [
        Number(label="Milestones reached", value=f"{reached} of {len(facts.steps)}"),
        Number(label="Promises to keep", value=say.count(len(facts.promises))),
    ]
    points = Text(key="next", label="What comes next (a line each)", text="\n".join(lines), style="bullets")
    rows = [Row(blocks=[points, Numbers(items=numbers)], weights=[3, 2])] if facts.steps else [Row(blocks=[points])]
    rows.append(Row(blocks=[Text(key="proposal", label="What we propose (empty: left out)", text="")]))
    title = Text(key="next_title", label="Headline: what comes next", text="What comes next", style="title")
    return Section(title=title, rows=rows)


def _notes(facts: Facts) -> list[tuple[str, str]]:
    """Define what the report shows, and nothing else."""
    day = say.date(facts.as_of)
    notes = [
        ("As of", f"{day}: what was known at the end of that day. Changes are those after {say.date(facts.since)}.")
    ]
    if facts.results:
        notes.append(
            (
                "Your results",
                "your own figures by complete month; averages are of three months, compared with the three before them and with the same three a year earlier.",
            )
        )
    if any(facts.users):
        notes.append(
            (
                "Active users",
                "known users with any use in the week, Monday to Sunday; by department, in the last 28 days. New: since 28 days or less.",
            )
        )
    if facts.done:
        notes.append(
            (
                "What we did",
                "a request counts as a wish shipped and any other ticket as a problem solved, on the day it was closed; trainings when held, promises when kept. Days taken run from opening to closing; the median is the middle one.",
            )
        )
    if facts.steps:
        notes.append(("Milestones", "the agreed steps of the introduction, each reached on its recorded day."))
    return notes

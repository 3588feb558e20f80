"""Activation on the onboarding page: the controls of its question, heat-map or curves, and the accounts behind a cell."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import streamlit as st

from cs_metrics.metrics.actions import key_action
from cs_metrics.report import activation as words
from cs_metrics.ui import link
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col

__all__ = ["Question", "controls", "draw", "draw_accounts", "draw_table"]

_CONFIGURED, _NONE, _ALL = "configured", "-", "*"
_NAMED = "action:"
_VIEWS = {"curves": "Curves", "heatmap": "Heat-map"}
_STEPS = {"day": "Days", "week": "Weeks", "month": "Months"}
_COHORTS = {"month": "Cohorts by month", "week": "Cohorts by week", "quarter": "Cohorts by quarter"}
_LABELS = {"csm": "CSM"}
_COLUMNS = {
    "name": Col(label="Account", is_pinned=True),
    "user_id": Col(label="User"),
    "state": Col(label="Key action", help="Done often enough in the period; not yet known while the period runs"),
    "times": Col(label="Times", kind="count", help="How often in the period so far"),
    "arr": Col(label="ARR", kind="money"),
    "csm": Col(label="CSM"),
    "onboarding_manager": Col(label="Onboarding manager"),
    "entered_on": Col(label="Entered", kind="date"),
    "period_from": Col(label="From", kind="date", help="First day of its own period"),
    "period_to": Col(label="To", kind="date", help="Last day of its own period"),
}


@dataclass(frozen=True)
class Question:
    """What the reader asks about activation: the options of its metrics, the same in words, and how it is to be shown."""

    options: dict[str, Any] = field(default_factory=dict)
    asked: words.Asked = field(default_factory=lambda: words.Asked(action="their key action"))
    note: str = ""
    view: str = "curves"

    @property
    def plateau(self) -> dict[str, Any]:
        """The options of the plateau, which is one of the bounded curve only."""
        return {name: value for name, value in self.options.items() if name != "bounded"}

    @property
    def first_value(self) -> dict[str, Any]:
        """The options of the time to first value: the same key action."""
        return {name: value for name, value in self.options.items() if name in ("event", "key_action")}


def controls(page: Page) -> Question:
    """Draw the controls of the question in one row, the rarer ones in a popover, and return what is asked.

    Without events there is nothing to ask: no control is drawn, and the default question says so when it is asked.
    """
    if not page.store.has("events"):
        return Question()
    configured = key_action(page.store, page.as_of)
    names = [str(one) for one in page.metric("event_names")["event"]]
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="activation_controls"):
        event = page.choose("event", "Key action", _actions(page, configured.name, names), is_list=True, width=250)
        is_configured = event == _CONFIGURED or event.startswith(_NAMED)
        steps, usual = _steps(configured.every_days if is_configured else 7)
        every = page.choose("every", "Period", steps, usual)
        cohort = page.choose("cohort", "Cohorts", {**_COHORTS, **_attributes(page)}, is_list=True, width=190)
        with st.popover("More", icon=":material/tune:", key="activation_more"):
            more, said = _more(page, names, every, cohort)
        view = page.choose("view", "View", _VIEWS)
    action = {_CONFIGURED: configured.name, "*": "any event"}.get(event, event.removeprefix(_NAMED))
    chosen: dict[str, Any] = {"key_action": action} if event.startswith(_NAMED) else {"event": (event,)}
    given = {"every": (every, usual), "cohort": (cohort, "month")}
    options = {name: value for name, (value, default) in given.items() if value != default}
    asked = words.Asked(
        action=action,
        step=words.step_word(every, configured.every_days),
        cohort=cohort,
        unit=more.get("unit", "account"),
        is_bounded="bounded" not in more,
    )
    return Question({**({} if event == _CONFIGURED else chosen), **options, **more}, asked, said, view)


def _actions(page: Page, configured: str, names: list[str]) -> dict[str, str]:
    """Return the choices of key action: the configured one, those with a name, any event, every event."""
    named = {f"{_NAMED}{one.name}": one.name for one in page.config.activation.key_actions}
    return {_CONFIGURED: f"Key action: {configured}", **named, "*": "Any event", **{name: name for name in names}}


def _steps(every_days: int) -> tuple[dict[str, str], str]:
    """Return the choices of period, and the one in which the key action is counted."""
    if every_days in (1, 7):
        return _STEPS, "day" if every_days == 1 else "week"
    return {"days": f"{every_days} days", **_STEPS}, "days"


def _attributes(page: Page) -> dict[str, str]:
    """Return the columns of accounts that can form cohorts."""
    names = [str(one) for one in page.metric("cohort_columns")["column"]]
    return {one: f"Cohorts by {_LABELS.get(one, one.removeprefix('is_').replace('_', ' '))}" for one in names}


def _more(page: Page, names: list[str], every: str, cohort: str) -> tuple[dict[str, Any], str]:
    """Draw the rarer controls and return what differs from the default, as options and in words."""
    found: dict[str, Any] = {}
    said: list[str] = []

    def choice(key: str, label: str, options: dict[str, str], *, is_list: bool = False) -> str:
        st.caption(label)
        value = page.choose(key, label, options, is_list=is_list, width=260)
        if value != next(iter(options)):
            found[key] = (value,) if key == "entry_event" else value
            said.append(f"{label}: {options[value].lower() if key != 'entry_event' else options[value]}.")
        return value

    choice("bounded", "Active", {"true": "In the period", "false": "In it or later"})
    unit = choice("unit", "Who is counted", {"account": "Accounts", "user": "Users"})
    start = "Start of the account" if unit == "account" else "First event of the user"
    events = {_NONE: start, "*": "Any event", **{name: name for name in names}}
    entry_event = choice("entry_event", "Enters with", events, is_list=True)
    clock = "account"
    if every != "days":
        clock = choice("clock", "Periods", {"account": "From the entry on", "calendar": "Of the calendar"})
    if entry_event != _NONE and (clock == "calendar" or cohort in _COHORTS):
        choice("entry", "Enters", {"first": "The first time", "recurring": "Each time"})
    elif entry_event != _NONE:
        st.caption("Entering each time needs cohorts by time, or periods of the calendar.")
    if cohort == "week" or (clock == "calendar" and every == "week"):
        choice("week_start", "Weeks begin on", {"monday": "Monday", "sunday": "Sunday"})
    if "bounded" in found:
        found["bounded"] = False
    return found, " ".join(said)


def draw(page: Page) -> None:
    """Draw the whole section: controls, heat-map or curves, and the accounts behind a cell."""
    question = controls(page)
    if question.note:
        page.note(question.note)
    with page.guard():
        draw_table(page, question)
        draw_accounts(page, question)


def draw_table(page: Page, question: Question) -> None:
    """Draw heat-map or curves of one table, with the plateau; a click on a cell chooses it for `draw_accounts`."""
    asked, view = question.asked, question.view
    found, plateau = page.metric("activation", **question.options), page.metric("plateau", **question.plateau)
    table = words.rows(found, asked)
    if not any(one.known for one in table):
        page.empty(_nothing(table, asked), title="Activation")
        return
    if question.first_value and found.attrs.get("note"):
        page.note(found.attrs["note"])
    is_map = view == "heatmap"
    shown = words.shown_rows(table, asked, page.config.min_accounts, words.ROWS if is_map else words.CURVES)
    shown = shown if is_map else shown[: words.CURVES + 1]
    chosen = _chosen(table, asked)
    chart = words.matrix(shown, asked, chosen=chosen) if is_map else words.curves(shown, plateau, asked, chosen=chosen)
    said = words.legend(len(shown) - 1, len(table), asked, view), words.plateau_detail(plateau, asked)

    def choose(row: int, column: int) -> None:
        if row < len(shown):
            link.put("in_cohort", shown[row].key or _ALL)
            link.put("in_period", str(column))

    page.chart(
        chart,
        title=words.curve_title(plateau, asked),
        caption=f"Share doing {asked.action}, of {asked.unit}s whose {asked.step} is over",
        metric=[("activation", question.options), ("plateau", question.plateau)],
        key=f"activation_{view}",
        note=" ".join(one for one in said if one),
        on_click=choose,
    )


def draw_accounts(page: Page, question: Question) -> None:
    """Draw the accounts behind one cell, chosen by a click or by cohort and period; the choice stands in the URL."""
    asked = question.asked
    table = words.rows(page.metric("activation", **question.options), asked)
    if not any(one.known for one in table):
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="activation_cell"):
        cohorts, periods = _cells(table, asked)
        cohort = page.choose("in_cohort", "Cohort", cohorts, is_list=True, width=210)
        if cohort == _NONE:
            page.note(f"Click a point above, or choose a cohort, to see its {asked.unit}s.")
            return
        period = int(page.choose("in_period", "Period", periods, is_list=True, width=130))
    options = {**question.options, "in_cohort": "" if cohort == _ALL else cohort, "in_period": period}
    found = page.metric("activation_accounts", **options)
    found["state"] = words.states(found)
    columns = {name: col for name, col in _COLUMNS.items() if name != "user_id" or asked.unit == "user"}
    page.table(
        found,
        columns,
        title=words.cell_title(found, cohorts[cohort], period, asked),
        caption=f"{asked.action}, each in its own {asked.step} {period}; not active first, then by ARR",
        metric=("activation_accounts", options),
        key=f"cell_accounts_{crc32(repr(sorted(options.items())).encode())}",  # a table with other rows is another table
    )


def _cells(table: Sequence[words.Row], asked: words.Asked) -> tuple[dict[str, str], dict[str, str]]:
    """Return the choices of cohort and period."""
    cohorts = {_NONE: "No cell chosen", **words.cohort_choices(table, asked)}
    named = {(_ALL if key == words.POOLED else key): name for key, name in cohorts.items()}
    periods = range(max(one.known for one in table))
    return named, {str(one): f"{asked.step.capitalize()} {one}" for one in periods}


def _chosen(table: Sequence[words.Row], asked: words.Asked) -> tuple[str, int] | None:
    """Return the chosen cell before its controls are drawn, None where there is none."""
    cohorts, periods = _cells(table, asked)
    cohort, period = (_value(key, first) for key, first in (("in_cohort", _NONE), ("in_period", "0")))
    if cohort not in cohorts or cohort == _NONE or period not in periods:
        return None
    link.together({"in_cohort": [cohort], "in_period": [period] if period != "0" else []})
    return words.POOLED if cohort == _ALL else cohort, int(period)


def _value(key: str, first: str) -> str:
    return str(st.session_state[link.read(key, lambda given: given[-1] if given else first)])


def _nothing(table: Sequence[words.Row], asked: words.Asked) -> str:
    """Say why there is no cell with a number."""
    if table:
        return f"The first {asked.step} is not yet over for any of these {asked.unit}s."
    if asked.unit == "user":
        return "No event of these accounts names its user, so that users cannot be counted."
    return "No account of this selection has begun."

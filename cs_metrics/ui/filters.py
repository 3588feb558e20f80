"""The filter bar: as of, the columns of accounts, and what a page adds; all of it lives in the URL.

What arrives in the URL is checked before a control sees it: an unknown value or a bad day is left out with a quiet
note. The URL is kept here and not by Streamlit's own binding, which drops the values of one page's controls when a
link carries them to another page, and writes words where links need values.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from cs_metrics.errors import MetricError
from cs_metrics.metrics.overview import account_values
from cs_metrics.metrics.scope import Scope
from cs_metrics.periods import day_of
from cs_metrics.report import format as say
from cs_metrics.store import Store
from cs_metrics.ui import link

__all__ = ["COLUMNS", "Choice", "Filters", "Pick", "bar", "carried", "choose"]

COLUMNS = {"segment": "Segment", "region": "Region", "industry": "Industry", "csm": "CSM"}
AS_OF = "as_of"
_WIDTH = 140  # as of, four columns and a page's own control stand in one row of a 1440 px screen


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A control of one page with a closed list: `options` maps each value (as in the URL) to its words."""

    key: str
    label: str
    options: Mapping[str, str]
    default: str = ""
    is_list: bool = False  # a drop-down instead of buttons

    @property
    def first(self) -> str:
        """The value that holds when nothing was chosen."""
        return self.default or next(iter(self.options), "")


@dataclass(frozen=True, kw_only=True)
class Pick:
    """One more column of accounts by which a page is narrowed (e.g. the onboarding manager)."""

    column: str
    label: str


@dataclass
class Filters:
    """What the bar says: the as-of day, the accounts, the page's own choices, and what was left out and why."""

    as_of: dt.date
    scope: Scope
    choices: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def words(self) -> str:
        """Return the accounts in words: "all accounts", or the chosen values."""
        said = [", ".join(one or "(empty)" for one in values) for _, values in self.scope.where]
        return " · ".join(said) or "all accounts"


def bar(store: Store, extra: Sequence[Choice | Pick], *, page: str, has_scope: bool = True) -> Filters:
    """Draw the bar of a page and return what it says."""
    link.begin(page)
    notes: list[str] = []
    picks = {**COLUMNS, **{one.column: one.label for one in extra if isinstance(one, Pick)}} if has_scope else {}
    options = {column: found for column, found in _values(store, tuple(picks)).items() if found}
    with st.container(key="filters"):
        st.toggle("Filters", key="show_filters", value=False)
        with st.container(key="filter_row", horizontal=True, gap=10, vertical_alignment="center"):
            as_of = _as_of(store, notes)
            where = {column: _pick(column, picks[column], found, notes) for column, found in options.items()}
            choices = {one.key: choose(one, notes) for one in extra if isinstance(one, Choice)}
    for note in notes:
        st.caption(f":material/info: {note}")
    return Filters(as_of, Scope.of({column: tuple(values) for column, values in where.items()}), choices, notes)


def carried() -> dict[str, Any]:
    """Return the part of the URL that goes along to another page: as of and the columns of accounts."""
    return {key: values for key in (AS_OF, *COLUMNS) if (values := st.query_params.get_all(key))}


@st.cache_data(show_spinner=False, max_entries=64)
def _known_values(_store: Store, folder: str, number: int, columns: tuple[str, ...]) -> dict[str, list[str]]:
    return account_values(_store, columns)


def _values(store: Store, columns: tuple[str, ...]) -> dict[str, list[str]]:
    return _known_values(store, str(store.data_dir), store.number, columns)


def _as_of(store: Store, notes: list[str]) -> dt.date:
    low, high = store.oldest_day, store.newest_day
    widget = link.read(AS_OF, lambda given: _day(given[-1], low, high, notes) if given else high)
    if not low <= st.session_state[widget] <= high:  # newer data was published under an open page
        st.session_state[widget] = high
    chosen = st.date_input(
        "As of",
        min_value=low,
        max_value=high,
        key=widget,
        format="YYYY-MM-DD",
        required=True,
        label_visibility="collapsed",
        width=128,
        on_change=link.touch,
    )
    as_of = chosen if isinstance(chosen, dt.date) else high
    link.write(AS_OF, [] if as_of == high else [as_of.isoformat()])
    return as_of


def _day(given: str, low: dt.date, high: dt.date, notes: list[str]) -> dt.date:
    try:
        day = day_of(given)
    except MetricError:
        notes.append(f"The link asked for the day {given!r}, which is none; this is as of {say.date(high)}.")
        return high
    if low <= day <= high:
        return day
    reach = f"the data reaches from {say.date(low)} to {say.date(high)}"
    notes.append(f"The link asked for {say.date(day)}; {reach}, so this is as of {say.date(high)}.")
    return high


def _pick(column: str, label: str, options: list[str], notes: list[str]) -> list[str]:
    def known(given: list[str]) -> list[str]:
        unknown = [one for one in given if one and one not in options]
        if unknown:
            notes.append(f"{label}: no account has {', '.join(repr(one) for one in unknown)}; left out of the filter.")
        return [one for one in dict.fromkeys(given) if one in options]

    widget = link.read(column, known)
    chosen = st.multiselect(
        label,
        options,
        key=widget,
        placeholder=label,
        label_visibility="collapsed",
        width=max(_WIDTH, 8 * len(label) + 40),
        wrap=False,
        on_change=link.touch,
    )
    link.write(column, chosen)
    return chosen


def choose(one: Choice, notes: list[str] | None = None, *, width: int = 168) -> str:
    """Draw one choice and return its value; the URL holds the value itself, as words may repeat and change.

    What cannot be used of a link is added to `notes`, or said beside the control where there are none.
    """
    said: list[str] = [] if notes is None else notes

    def known(given: list[str]) -> str:
        if given and given[-1] not in one.options:
            listed = f"none of {', '.join(one.options)}" if len(one.options) <= 8 else "not known"
            said.append(f"{one.label}: {given[-1]!r} is {listed}; {one.options.get(one.first, '')!r} is shown.")
        return given[-1] if given and given[-1] in one.options else one.first

    widget = link.read(one.key, known)
    if st.session_state[widget] not in one.options:
        st.session_state[widget] = one.first
    found = _control(one, widget, width)
    link.write(one.key, [] if found == one.first else [found])
    for note in said if notes is None else ():
        st.caption(f":material/info: {note}")
    return found


def _control(one: Choice, widget: str, width: int) -> str:
    def words(value: str) -> str:
        return one.options.get(value, value)

    common: dict[str, Any] = {"format_func": words, "key": widget, "label_visibility": "collapsed"}
    if one.is_list:
        found = st.selectbox(one.label, list(one.options), width=width, on_change=link.touch, **common)
    else:
        found = st.segmented_control(one.label, list(one.options), required=True, on_change=link.touch, **common)
    return one.first if found is None else str(found)

"""The filter bar: as of, the columns of accounts, and what a page adds; all of it lives in the URL.

What arrives in the URL is checked before a control sees it: an unknown value or a bad day is left out with a quiet note.
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

__all__ = ["COLUMNS", "Choice", "Filters", "Pick", "bar", "carried"]

COLUMNS = {"segment": "Segment", "region": "Region", "industry": "Industry", "csm": "CSM"}
AS_OF = "as_of"


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


def bar(store: Store, extra: Sequence[Choice | Pick], *, has_scope: bool = True) -> Filters:
    """Draw the bar and return what it says."""
    notes: list[str] = []
    picks = {**COLUMNS, **{one.column: one.label for one in extra if isinstance(one, Pick)}} if has_scope else {}
    options = {column: found for column, found in _values(store, tuple(picks)).items() if found}
    with st.container(key="filters"):
        st.toggle("Filters", key="show_filters", value=False)
        with st.container(key="filter_row", horizontal=True, gap="small", vertical_alignment="center"):
            as_of = _as_of(store, notes)
            where = {column: _pick(column, picks[column], found, notes) for column, found in options.items()}
            choices = {one.key: choose(one, notes) for one in extra if isinstance(one, Choice)}
    for note in notes:
        st.caption(f":material/info: {note}")
    return Filters(as_of, Scope.of({column: tuple(values) for column, values in where.items()}), choices, notes)


def carried() -> dict[str, Any]:
    """Return the part of the URL that goes along to another page: as of and the columns of accounts."""
    found: dict[str, Any] = {}
    for key in (AS_OF, *COLUMNS):
        values = st.query_params.get_all(key)
        if values:
            found[key] = values if len(values) > 1 else values[0]
    return found


@st.cache_data(show_spinner=False, max_entries=64)
def _known_values(_store: Store, folder: str, number: int, columns: tuple[str, ...]) -> dict[str, list[str]]:
    return account_values(_store, columns)


def _values(store: Store, columns: tuple[str, ...]) -> dict[str, list[str]]:
    return _known_values(store, str(store.data_dir), store.number, columns)


def _as_of(store: Store, notes: list[str]) -> dt.date:
    given = st.query_params.get(AS_OF)
    low, high = store.oldest_day, store.newest_day
    if given and _is_new(AS_OF, given):
        _check_day(given, low, high, notes)
    chosen = st.date_input(
        "As of",
        value=high,
        min_value=low,
        max_value=high,
        key=AS_OF,
        format="YYYY-MM-DD",
        required=True,
        label_visibility="collapsed",
        width=132,
        bind="query-params",
        help=None,
    )
    return chosen if isinstance(chosen, dt.date) else high


def _check_day(given: str, low: dt.date, high: dt.date, notes: list[str]) -> None:
    try:
        day = day_of(given)
    except MetricError:
        notes.append(f"The link asked for the day {given!r}, which is none; this is as of {say.date(high)}.")
        return
    if not low <= day <= high:
        notes.append(
            f"The link asked for {say.date(day)}; the data reaches from {say.date(low)} to {say.date(high)}, "
            f"so this is as of {say.date(high)}."
        )


def _pick(column: str, label: str, options: list[str], notes: list[str]) -> list[str]:
    given = [one for one in st.query_params.get_all(column) if one]
    if given and _is_new(column, "\n".join(given)):
        unknown = [one for one in given if one not in options]
        if unknown:
            notes.append(f"{label}: no account has {', '.join(repr(one) for one in unknown)}; left out of the filter.")
    return st.multiselect(
        label,
        options,
        key=column,
        placeholder=label,
        label_visibility="collapsed",
        width=168,
        wrap=False,
        bind="query-params",
    )


def choose(one: Choice, notes: list[str] | None = None, *, width: int = 168) -> str:
    """Draw one choice and return its value."""
    given = st.query_params.get(one.key)
    if notes is not None and given and given not in one.options and _is_new(one.key, given):
        notes.append(f"{one.label}: {given!r} is none of {', '.join(one.options)}; {one.first!r} is shown.")
    values = list(one.options)
    if one.is_list:
        return str(
            st.selectbox(
                one.label,
                values,
                index=values.index(one.first),
                format_func=lambda value: one.options.get(value, value),
                key=one.key,
                label_visibility="collapsed",
                width=width,
                bind="query-params",
            )
        )
    found = st.segmented_control(
        one.label,
        values,
        default=one.first,
        required=True,
        format_func=lambda value: one.options.get(value, value),
        key=one.key,
        label_visibility="collapsed",
        bind="query-params",
    )
    return str(found or one.first)


def _is_new(key: str, given: str) -> bool:
    """Tell whether a value of the URL is yet to be read: a control that exists answers for itself."""
    return key not in st.session_state

"""The factors that a renewal may hang on: which measured columns make each, how they are scaled, and their words.

A factor is what a reader would call one thing; several columns may measure it. Columns come from the mart
`renewal_week`. What is missing stays missing: no column is ever filled with a guess.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["FACTORS", "SEGMENT_FROM", "Design", "Factor", "design", "levels_of", "words"]

Floats = npt.NDArray[np.float64]

_STRONG, _WEAK = 1.0, 0.15
SEGMENT_FROM = 10  # a segment with fewer decisions is not told apart from the others


@dataclass(frozen=True)
class Factor:
    """One factor: its name, what it is called, the mart's columns that measure it, and its value in words.

    `expected` says how far the field has found it to matter: what is expected to matter is held back less while decisions
    are few. Enough decisions overrule it.
    """

    name: str
    label: str
    columns: tuple[str, ...]
    say: Callable[[Mapping[Any, Any]], str]
    expected: float = 0.3


def _count(word: str, column: str) -> Callable[[Mapping[Any, Any]], str]:
    return lambda row: f"{row[column]:.0f} {word}{'' if round(row[column]) == 1 else 's'}" if _is(row[column]) else ""


def _share(text: str, column: str) -> Callable[[Mapping[Any, Any]], str]:
    return lambda row: text.format(f"{row[column]:.0%}") if _is(row[column]) else ""


def _either(yes: str, no: str, column: str) -> Callable[[Mapping[Any, Any]], str]:
    return lambda row: (yes if row[column] else no) if _is(row[column]) else ""


def _joined(*parts: Callable[[Mapping[Any, Any]], str]) -> Callable[[Mapping[Any, Any]], str]:
    return lambda row: ", ".join(text for text in (part(row) for part in parts) if text)


def _number(text: str, column: str) -> Callable[[Mapping[Any, Any]], str]:
    return lambda row: text.format(row[column]) if _is(row[column]) else ""


def _change(what: str, now: str, before: str, since: str) -> Callable[[Mapping[Any, Any]], str]:
    def say(row: Mapping[Any, Any]) -> str:
        if not _is(row[now]) or not _is(row[before]) or not row[before]:
            return ""
        change = row[now] / row[before] - 1
        return (
            f"{what} {'up' if change > 0 else 'down'} {abs(change):.0%} {since}"
            if round(change, 2)
            else f"{what} as {since}"
        )

    return say


def _term(row: Mapping[Any, Any]) -> str:
    months = f"a term of {max(1, round(row['term_days'] / 30.4)):.0f} months".replace(" 1 months", " 1 month")
    return f"{months}, renews by itself" if _is(row["auto_renews"]) and row["auto_renews"] else months


def _season(row: Mapping[Any, Any]) -> str:
    if not _is(row["monthly_share"]):
        return ""
    return f"{'billed monthly' if row['monthly_share'] >= 0.5 else 'billed for longer than a month'}, ends in {row['ends_on']:%B}"


FACTORS: tuple[Factor, ...] = (
    Factor("key_weeks", "Weeks with key action", ("key_weeks",), _share("key action in {} of the last 13 weeks", "key_weeks"), expected=_STRONG),
    Factor(
        "activity",
        "Activity",
        ("active_user_share", "active_days", "used_weeks"),
        _joined(_share("{} of seats active", "active_user_share"), _number("on {:.0f} of 28 days (12 weeks)", "active_days")),
        expected=_STRONG,
    ),
    Factor("core_use", "Use of core features", ("core_feature_share", "core_days"), _share("{} of core features in use (12 weeks)", "core_feature_share"), expected=_STRONG),
    Factor("use_change", "Change of use", ("use_change",), _change("use", "times", "times_before", "in 28 days")),
    Factor("tickets", "Number of tickets", ("tickets_ln",), _count("ticket", "tickets"), expected=_STRONG),
    Factor(
        "open_problems",
        "Open problems",
        ("stuck_tickets", "days_to_close"),
        _joined(_count("stuck ticket", "stuck_tickets"), _number("{:.0f} days to close", "days_to_close")),
    ),
    Factor("sponsor_left", "Sponsor left", ("sponsor_left",), _either("a sponsor or decision maker left within a year", "no sponsor left within a year", "sponsor_left"), expected=_STRONG),
    Factor("sponsor", "Sponsor in place", ("sponsor_in_place",), _either("a sponsor is in place", "no sponsor is in place", "sponsor_in_place")),
    Factor("onboarded", "Onboarded in time", ("onboarded",), _either("onboarding was complete in time", "onboarding was not complete in time", "onboarded"), expected=_STRONG),
    Factor("go_live", "Time to go-live", ("go_live_days",), _number("last milestone after {:.0f} days", "go_live_days"), expected=_WEAK),
    Factor("nps", "NPS", ("nps",), _number("NPS answers of {:.1f} on average", "nps"), expected=_WEAK),
    Factor("csat", "CSAT", ("csat",), _number("CSAT answers of {:.1f} on average", "csat")),
    Factor("outcome", "Customer's own results", ("outcome_ratio",), lambda row: _result(row["outcome_ratio"])),
    Factor(
        "meetings",
        "Meetings",
        ("meetings_held", "days_since_meeting"),
        _joined(_count("meeting", "meetings_held"), _number("the last {:.0f} days ago", "days_since_meeting")),
        expected=_WEAK,
    ),
    Factor("tenure", "Age and past renewals", ("age_ln", "past_renewals"), _joined(_count("past renewal", "past_renewals"), lambda row: f"customer for {row['age_days'] / 365.25:.1f} years")),
    Factor("size", "Size", ("arr_ln", "seats_ln"), lambda row: f"ARR of {row['arr_cents'] / 100:,.0f}"),
    Factor("growth", "Change of ARR", ("arr_change",), _change("ARR", "mrr_cents", "mrr_cents_year_ago", "in a year")),
    Factor("term", "Term, automatic renewal", ("term_ln", "auto_renews"), _term),
    Factor("season", "Billing and season", ("monthly_share", "monthly_q1", "monthly_q2", "monthly_q3", "monthly_q4"), _season),
    Factor("discount", "Discount last time", ("last_discount",), _number("{:.0f} % discount at the last renewal", "last_discount")),
    Factor("segment", "Segment", (), lambda row: f"{row['segment'] or 'no segment'}", expected=_STRONG),)  # fmt: skip


def _result(ratio: Any) -> str:
    return f"own results {'up' if ratio >= 1 else 'down'} {abs(ratio - 1):.0%} in 3 months" if _is(ratio) else ""


def _is(value: Any) -> bool:
    return value is not None and value is not pd.NA and value == value


def words(factor: str, row: Mapping[Any, Any]) -> str:
    """Return a factor's value of one row of `renewal_week` in words, "not known" where nothing was measured."""
    found = next(one for one in FACTORS if one.name == factor).say(row)
    return found or "not known"


@dataclass(frozen=True)
class Design:
    """Numbers to learn from: one row per contract and week, NaN where not known, and the factor of each column."""

    values: Floats
    names: tuple[str, ...]
    factors: tuple[str, ...]

    @property
    def expected(self) -> Floats:
        """How far the factor of each column is expected to matter."""
        by = {one.name: one.expected for one in FACTORS}
        return np.array([by[one] for one in self.factors])


def levels_of(rows: pd.DataFrame) -> tuple[str, ...]:
    """Return the segments that enough rows have to be told apart, in order."""
    counted = rows["segment"].fillna("").value_counts()
    return tuple(sorted(str(one) for one in counted[counted >= SEGMENT_FROM].index))


def design(rows: pd.DataFrame, segments: Sequence[str]) -> Design:
    """Return the numbers of rows of `renewal_week`: counts and amounts as logarithms, changes as log ratios."""
    number = {one: rows[one].to_numpy(dtype="float64", na_value=np.nan) for one in _MEASURED}
    quarter = rows["ends_on"].dt.quarter.to_numpy()
    made = {
        **number,
        "use_change": np.log1p(number["times"]) - np.log1p(number["times_before"]),
        "tickets_ln": np.log1p(number["tickets"]),
        "age_ln": np.log1p(np.maximum(number["age_days"], 0)),
        "arr_ln": np.log1p(number["arr_cents"]),
        "seats_ln": np.log1p(number["seats"]),
        "arr_change": np.log1p(number["mrr_cents"]) - np.log1p(number["mrr_cents_year_ago"]),
        "term_ln": np.log1p(number["term_days"]),
        **{f"monthly_q{one}": np.where(quarter == one, number["monthly_share"], 0.0) for one in (1, 2, 3, 4)},
    }
    named = [(factor.name, column) for factor in FACTORS for column in factor.columns]
    columns = [np.clip(made[column], -1e9, 1e9) for _, column in named]
    own = rows["segment"].fillna("").to_numpy(dtype=object)
    columns += [(own == one).astype("float64") for one in segments]
    return Design(
        values=np.stack(columns, axis=1) if len(rows) else np.zeros((0, len(columns))),
        names=(*(column for _, column in named), *(f"segment {one}" for one in segments)),
        factors=(*(factor for factor, _ in named), *("segment" for _ in segments)),
    )


_MEASURED = (
    "term_days", "arr_cents", "auto_renews", "age_days", "past_renewals", "last_discount", "monthly_share", "mrr_cents",
    "mrr_cents_year_ago", "key_weeks", "used_weeks", "active_user_share", "active_days", "core_feature_share", "core_days",
    "times", "times_before", "tickets", "stuck_tickets", "days_to_close", "nps", "csat", "outcome_ratio", "sponsor_left",
    "sponsor_in_place", "meetings_held", "days_since_meeting", "onboarded", "go_live_days", "seats",
)  # fmt: skip

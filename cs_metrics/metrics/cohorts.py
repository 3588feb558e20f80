"""Who entered when, and was active in which of its own periods: the SQL under activation and its plateau.

A `Question` holds every choice (who enters, how periods are counted, what counts as active) with its default filled
in, and builds two relations from them: `member`, one row per entry, and `done`, one row per member and active period.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cs_metrics.errors import MetricError, hint
from cs_metrics.metrics.actions import KeyAction, asked_events, chosen_action, key_action
from cs_metrics.periods import WeekStart
from cs_metrics.store import Store

__all__ = [
    "EMPTY",
    "Clock",
    "Entry",
    "KeyAction",
    "Question",
    "Step",
    "Unit",
    "asked_events",
    "key_action",
    "period_start_sql",
    "question",
    "uses_sql",
]

Step = Literal["days", "day", "week", "month"]
Clock = Literal["account", "calendar"]
Entry = Literal["first", "recurring"]
Unit = Literal["account", "user"]

EMPTY = "(empty)"
"""How the cohort of accounts without a value is asked for."""

_DATED = ("day", "week", "month", "quarter")
_STEP_DAYS = {"day": 1, "week": 7, "month": 0}
_DONE = """done as (
        select member.number, member.cohort, member.elapsed, spent.period
        from spent
        inner join member on member.number = spent.number
        where spent.times >= member.needed
    )"""


@dataclass(frozen=True)
class Question:
    """An activation question with every default filled in; it knows its SQL and its parameters.

    `entry_events` None is the account's start, empty is any event; `step_days` 0 means months.
    """

    action: KeyAction
    entry_events: tuple[str, ...] | None
    times: int | None
    every: Literal["day", "week", "month"] | None
    step_days: int
    cohort: str
    clock: Clock
    entry: Entry
    unit: Unit
    week_start: WeekStart
    since: dt.date | None
    until: dt.date
    min_accounts: int

    @property
    def params(self) -> Mapping[str, Any]:
        """The values that the SQL of this question is bound to."""
        return {
            **self.action.params,
            **({"times": self.times} if self.times else {}),
            "entry_events": self.entry_events or (),
            "since": self.since,
            "until": self.until,
            "min_accounts": self.min_accounts,
        }

    @property
    def note(self) -> str:
        """Why another action stands in for the configured one, empty where none does."""
        return self.action.note

    def relations(self, members: str = "true") -> str:
        """The CTEs `member` (one row per entry: who began when, and how many periods have elapsed) and `done`.

        `spent` has one row per member and period with the action, and how often; `done` those of them in which it was
        often enough. `members` is a condition on the columns of `member` that narrows all of them.
        """
        return f"{self._entries},\n{self._member(members)},\n{self._spent},\n{_DONE}"

    def starts(self, anchor: str, period: str) -> str:
        """Return the SQL for the first day of a period of the member or cohort with that anchor."""
        if self.step_days:
            return f"({anchor} + ({period})::integer * {self.step_days})"
        return f"cast({anchor} + to_months(({period})::integer) as date)"

    @property
    def _entries(self) -> str:
        """One row per unit and day on which it may enter."""
        if self.entry_events is None:
            return """entries as (
        select account_id, '' as user_id, started_on as day from accounts where started_on <= $until
    )"""
        return f"entries as (\n        {self._enters(self.entry_events)}\n    )"

    def _enters(self, events: tuple[str, ...]) -> str:
        """Return the days with one of the entry events, as known at the end of the window."""
        relation, user = "account_day_event" if events else "account_day", "''"
        conditions = ["day <= $until"]
        if self.unit == "user":
            relation, user = "user_day_event", "user_id"
            conditions.append("user_id <> ''")
        if events:
            conditions.append("event = any($entry_events)")
        return f"select account_id, {user} as user_id, day from {relation} where {' and '.join(conditions)}"

    def _member(self, members: str) -> str:
        """One row per unit and entry: its cohort, the day from which its periods count, and how many have passed."""
        last = "cast($until as date)"
        grain = self._entry_grain
        begins = "inside.entry_day"
        if self.clock == "calendar":
            begins = period_start_sql(begins, self.every or "day", self.week_start)
        grouped = ", entries.user_id" + (f", {grain}" if grain else "")
        within = "entries.day >= $since" if self.since and grain else "true"
        needed = "$times" if self.times else self.action.needed()
        return f"""inside as (
        select entries.account_id, entries.user_id, min(entries.day) as entry_day
        from entries
        inner join scope on scope.account_id = entries.account_id
        where {within}
        group by entries.account_id{grouped}
    ),
    anchored as (
        select
            inside.account_id, inside.user_id, inside.entry_day,
            {self._cohort} as cohort, {begins} as anchor, {needed} as needed
        from inside
        inner join accounts on accounts.account_id = inside.account_id
        where {"inside.entry_day >= $since" if self.since else "true"}
    ),
    member as (
        select
            (row_number() over (order by account_id, user_id, anchor))::integer as number,
            account_id, user_id, cohort, entry_day, anchor, needed,
            {self._index("anchor", f"{last} + 1")} as elapsed,
            {self._index("anchor", last)} + 1 as started
        from anchored
        where {members}
    )"""

    @property
    def _spent(self) -> str:
        """One row per member and period with the action, and how often it was done."""
        conditions = ["day <= $until", *(["day >= $since"] if self.since else [])]
        same = "used.account_id = member.account_id"
        if self.unit == "user":
            same += " and used.user_id = member.user_id"
        uses = self.action.uses(is_user=self.unit == "user", conditions=conditions)
        return f"""used as (
        {uses}
    ),
    spent as (
        select member.number, {self._index("member.anchor", "used.day")} as period, sum(used.times) as times
        from member
        inner join used on {same} and used.day >= member.anchor
        group by 1, 2
    )"""

    @property
    def _entry_grain(self) -> str:
        """The calendar period in which a unit may enter once; empty where it enters once ever."""
        if self.entry == "first":
            return ""
        grain = (self.every or "day") if self.clock == "calendar" else self.cohort
        return period_start_sql("entries.day", grain, self.week_start)

    @property
    def _cohort(self) -> str:
        if self.cohort == "all":
            return "'all'"
        if self.cohort in _DATED:
            return period_start_sql("inside.entry_day", self.cohort, self.week_start)
        return f"coalesce(cast(accounts.\"{self.cohort}\" as varchar), '')"

    def _index(self, anchor: str, day: str) -> str:
        """Return which period after the anchor a day lies in; months are counted from the anchor's own day."""
        if self.step_days:
            return f"(date_diff('day', {anchor}, {day}) // {self.step_days})"
        months = f"(year({day}) * 12 + month({day}) - year({anchor}) * 12 - month({anchor}))"
        return f"({months} - case when {anchor} + to_months({months}::integer) > {day} then 1 else 0 end)"


def period_start_sql(day: str, every: str, week_start: WeekStart = "monday") -> str:
    """Return the SQL for the first day of the calendar period that holds a day."""
    if every == "day":
        return f"cast({day} as date)"
    if every == "week" and week_start == "sunday":
        return f"(cast(date_trunc('week', {day} + 1) as date) - 1)"
    return f"cast(date_trunc('{every}', {day}) as date)"


def uses_sql(events: tuple[str, ...]) -> str:
    """Return the query for the days up to $until on which an account did one of $events (empty: anything)."""
    relation, condition = ("account_day_event", " and event = any($events)") if events else ("account_day", "")
    return f"select account_id, day, times from {relation} where day <= $until{condition}"


def question(
    store: Store,
    *,
    as_of: dt.date,
    event: tuple[str, ...],
    key_action: str,
    entry_event: tuple[str, ...],
    times: int | None,
    every_days: int | None,
    every: Step,
    cohort: str,
    clock: Clock,
    entry: Entry,
    unit: Unit,
    week_start: WeekStart,
    min_accounts: int | None,
    from_: dt.date | None,
    to: dt.date | None,
) -> Question:
    """Return the question that these options ask, or raise `MetricError` with the reason why they cannot be asked."""
    action = chosen_action(store, as_of, event, key_action)
    days = action.every_days if every_days is None else every_days
    if days < 1 or (times is not None and times < 1):
        raise MetricError("times and every_days must be at least 1.")
    step, step_days = _step(every, days, clock)
    _check_cohort(store, cohort)
    if entry == "recurring" and clock == "account" and entry_event and cohort not in _DATED:
        raise MetricError(
            f"entry=recurring with clock=account needs a cohort by time ({', '.join(_DATED)}), not '{cohort}'."
        )
    until = min(to, as_of) if to else as_of
    if from_ and from_ > until:
        raise MetricError(f"The window from {from_} to {until} holds no day.")
    default_entry: tuple[str, ...] | None = () if unit == "user" else None
    return Question(
        action=action,
        entry_events=asked_events(entry_event) if entry_event else default_entry,
        times=times,
        every=step,
        step_days=step_days,
        cohort=cohort,
        clock=clock,
        entry=entry if entry_event else "first",
        unit=unit,
        week_start=week_start,
        since=from_,
        until=until,
        min_accounts=store.config.min_accounts if min_accounts is None else min_accounts,
    )


def _step(every: Step, days: int, clock: Clock) -> tuple[Literal["day", "week", "month"] | None, int]:
    """Return the calendar grain, where there is one, and the length in days (0 for months)."""
    if every != "days":
        return every, _STEP_DAYS[every]
    grains: dict[int, Literal["day", "week"]] = {1: "day", 7: "week"}
    grain = grains.get(days)
    if clock == "calendar" and grain is None:
        raise MetricError(
            f"clock=calendar counts days, weeks or months, not every {days} days; set every=day, week or month."
        )
    return grain, days


def _check_cohort(store: Store, cohort: str) -> None:
    known = (*_DATED, "all", *store.account_columns)
    if cohort not in known:
        raise MetricError(f"cohort={cohort} is neither a period nor a column of accounts.{hint(cohort, known)}")

"""The key action: which events count as getting value, for which accounts, and the SQL that finds them.

Every question about first value asks `key_action` once and uses what it returns: the conditions of its SQL
(`uses`, `first_days`, `needed`), their parameters, and its name and note in words.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cs_metrics.config import NamedAction
from cs_metrics.errors import MetricError, hint
from cs_metrics.store import Store

__all__ = ["KeyAction", "OwnAction", "asked_events", "chosen_action", "key_action"]

_WEEK = 7


@dataclass(frozen=True)
class OwnAction:
    """The key action of the accounts of some segments; empty `events` are any event at all."""

    name: str
    events: tuple[str, ...]
    times: int
    segments: tuple[str, ...]


@dataclass(frozen=True)
class KeyAction:
    """What counts as getting value: so many times any of these events (empty: any event at all) per so many days.

    `own` are the segments with a key action of their own; `missing` names the configured events when none of them had
    occurred, and any event counts instead. `label` is the name of a key action that has one.
    """

    events: tuple[str, ...]
    times: int
    every_days: int
    missing: tuple[str, ...] = ()
    own: tuple[OwnAction, ...] = ()
    label: str = ""
    hints: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The action in words."""
        if self.own:
            return "their key action"
        return self.label or (" or ".join(self.events) if self.events else "any event")

    @property
    def says(self) -> str:
        """What counts for whom, in one line."""
        said = [f"{one.name} ({', '.join(one.segments)}): {_counted(one.events, one.times)}" for one in self.own]
        return "; ".join(
            [*said, f"others: {_counted(self.events, self.times)}" if said else _counted(self.events, self.times)]
        )

    @property
    def note(self) -> str:
        """Why any event stands in for a configured action, and what its settings name that the data does not have."""
        said = list(self.hints)
        if self.missing:
            said.insert(
                0,
                f"Any event counts, because the configured key action ({' or '.join(self.missing)}) does not occur in the data.",
            )
        return " ".join(said)

    @property
    def params(self) -> Mapping[str, Any]:
        """The values that the SQL below is bound to."""
        found: dict[str, Any] = {"events": self.events, "times": self.times}
        for at, one in enumerate(self.own):
            found.update(
                {f"own_{at}_segments": one.segments, f"own_{at}_events": one.events, f"own_{at}_times": one.times}
            )
        return found

    def uses(self, *, is_user: bool = False, conditions: Iterable[str] = ()) -> str:
        """Return the query for the days on which an account or user did it: account_id, user_id, day, times."""
        is_any = not self.events and not self.own
        relation, user = ("account_day" if is_any else "account_day_event"), "''"
        wanted = list(conditions)
        if is_user:
            relation, user = "user_day_event", "user_id"
            wanted.append("user_id <> ''")
        return self._of(relation, f"{relation}.account_id, {user} as user_id, day, times", wanted)

    def first_days(self, conditions: Iterable[str] = ()) -> str:
        """Return the query for the first day of each account's key action: account_id, first_day."""
        chosen = "event_first.account_id, min(first_day) as first_day"
        return f"{self._of('event_first', chosen, list(conditions))} group by event_first.account_id"

    def needed(self, segment: str = "accounts.segment") -> str:
        """Return the expression for how often an account must do it in a period."""
        return self._by_segment(segment, "$times", [f"$own_{at}_times" for at in range(len(self.own))])

    def _of(self, relation: str, chosen: str, conditions: list[str]) -> str:
        accounts = "(select account_id, segment from accounts) as accounts"
        join = f" inner join {accounts} on accounts.account_id = {relation}.account_id" if self.own else ""
        condition = self._by_segment(
            "accounts.segment",
            _is_one_of(self.events, "events"),
            [_is_one_of(one.events, f"own_{at}_events") for at, one in enumerate(self.own)],
        )
        wanted = [one for one in (*conditions, condition) if one != "true"]
        where = f" where {' and '.join(wanted)}" if wanted else ""
        return f"select {chosen} from {relation}{join}{where}"

    def _by_segment(self, segment: str, otherwise: str, own: list[str]) -> str:
        if not own:
            return otherwise
        cases = " ".join(f"when {segment} = any($own_{at}_segments) then {text}" for at, text in enumerate(own))
        return f"case {cases} else {otherwise} end"


def key_action(store: Store, as_of: dt.date, name: str = "") -> KeyAction:
    """Return the configured key action: of each account the one of its segment, or the one of that `name` for all.

    Where none of the events of an action had occurred by the as-of day, any event stands in for it, and the note says
    so. `MetricError` with the nearest names where no key action is called `name`.
    """
    settings = store.config.activation
    if name:
        known = {one.name: one for one in settings.key_actions}
        if name not in known:
            raise MetricError(f"There is no key action '{name}' in [[activation.key_actions]].{hint(name, known)}")
        chosen = known[name]
        has = _occurred(store, as_of, chosen.events)
        missing = () if has else chosen.events
        return KeyAction(chosen.events if has else (), chosen.times, settings.every_days, missing, label=name)
    by_segment = [one for one in settings.key_actions if one.segments]
    hints = _unknown_segments(store, as_of, by_segment)
    own = []
    for one in by_segment:
        has = _occurred(store, as_of, one.events)
        own.append(OwnAction(one.name, one.events if has else (), one.times, one.segments))
        if not has:
            hints.append(
                f"Any event counts for {', '.join(one.segments)}, because {one.name} ({' or '.join(one.events)}) does not occur in the data."
            )
    has = _occurred(store, as_of, settings.key_action)
    return KeyAction(
        settings.key_action if has else (),
        settings.times,
        settings.every_days,
        missing=() if has else settings.key_action,
        own=tuple(own),
        hints=tuple(hints),
    )


def chosen_action(store: Store, as_of: dt.date, event: tuple[str, ...] = (), name: str = "") -> KeyAction:
    """Return the action that a question names: by events of its own (`*`: any), by a configured name, or by default."""
    if event and name:
        raise MetricError("A question takes either event or key_action, not both.")
    return KeyAction(asked_events(event), 1, _WEEK) if event else key_action(store, as_of, name)


def asked_events(events: tuple[str, ...]) -> tuple[str, ...]:
    """Return the named events without repeats; a `*` among them means any event, which is the empty tuple."""
    return () if "*" in events else tuple(dict.fromkeys(events))


def _occurred(store: Store, as_of: dt.date, events: tuple[str, ...]) -> bool:
    sql = "select count(*) from event_first where event = any($events) and first_day <= $as_of"
    return bool(store.value(sql, events=events, as_of=as_of))


def _unknown_segments(store: Store, as_of: dt.date, actions: Iterable[NamedAction]) -> list[str]:
    """Say which segments of the settings no account has: a slip of the pen would go unseen otherwise."""
    wanted = [(one.name, segment) for one in actions for segment in one.segments]
    if not wanted:
        return []
    sql = "select distinct segment from accounts where segment is not null and started_on <= $as_of"
    known = [str(row[0]) for row in store.rows(sql, as_of=as_of)]
    return [
        f"{name}: no account has the segment '{segment}'.{hint(segment, known)}"
        for name, segment in wanted
        if segment not in known
    ]


def _is_one_of(events: tuple[str, ...], name: str) -> str:
    return f"event = any(${name})" if events else "true"


def _counted(events: tuple[str, ...], times: int) -> str:
    named = " or ".join(events) if events else "any event"
    return f"{named}, {times} times" if times > 1 else named

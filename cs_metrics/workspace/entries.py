"""An entry of the workspace: something that somebody wrote, never changed and never deleted.

The state of a subject as of a day is what its entries with `effective_on` up to that day add up to, in order of `seq`.
"""

import datetime as dt
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args

from pydantic import ValidationError

from cs_metrics.errors import MetricError, WorkspaceError, hint
from cs_metrics.periods import day_of
from cs_metrics.workspace.actions import MAX_TEXT, TOPICS, Body

__all__ = ["MAX_NOTE", "Entry", "NewEntry", "canonical", "checked", "new_entry_id", "shown"]

MAX_NOTE = 4_000
_MAX_ID = 1_000
_ENTRY_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_WANTED = {
    "string_too_long": f"is too long; at most {MAX_TEXT} characters are kept",
    "string_pattern": "is more than one line",
    "string": "is no text",
    "bool": "is neither true nor false",
    "date": "is not a day; write it as 2026-03-31",
}
_NO_NAME = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_NO_NOTE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_NO_ID = re.compile(r"[\x00\ud800-\udfff]")  # ids are kept as the data has them


@dataclass(frozen=True)
class NewEntry:
    """Something to write. Who writes it and from which day it counts is said when it is written.

    `note` is free text, `body` holds the fields of the action (cs_metrics/workspace/actions.py); an empty one counts as
    not given. Without an `entry_id` it gets one; give it one to be able to write it again without writing it twice.
    `subject` is what it is about: for the topic `account` the account itself, for a call to action opened by hand a new
    id unless one is given.
    """

    topic: str
    account_id: str
    action: str
    subject: str = ""
    note: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    entry_id: str = ""


@dataclass(frozen=True)
class Entry:
    """Something that was written.

    `seq` numbers the entries in the order in which they were written, 0 before that. `written_at` is the real time
    (UTC, naive), `effective_on` the day from which it counts: the newest day of the data when it was decided. `note`
    is '' where there is none; days in `body` are ISO texts.
    """

    seq: int
    entry_id: str
    written_at: dt.datetime
    effective_on: dt.date
    author: str
    topic: str
    subject: str
    account_id: str
    action: str
    note: str
    body: dict[str, Any] = field(hash=False)

    @property
    def body_json(self) -> str:
        """The body as JSON text; equal bodies have equal texts."""
        return canonical(self.body)

    def says_the_same(self, other: "Entry") -> bool:
        """Tell whether another entry differs from this one at most in when it was written down."""
        return not self._differences(other)

    def stands_against(self, other: "Entry") -> str:
        """Return the sentence that refuses another entry with the same id."""
        return (
            f"entry_id: {self.entry_id} is there already with another {' and '.join(self._differences(other))}; "
            "an entry is never changed, so write a new one."
        )

    def _differences(self, other: "Entry") -> list[str]:
        told = (one.name for one in fields(self) if one.name not in ("seq", "written_at"))
        return [name for name in told if getattr(self, name) != getattr(other, name)]


def new_entry_id() -> str:
    """Return an id that no other entry has."""
    return uuid.uuid4().hex


def shown(value: object) -> str:
    """Return a value as a message quotes it: its beginning, where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def canonical(body: Mapping[str, Any]) -> str:
    """Return a body as JSON text with its fields in order, days as ISO texts."""
    return json.dumps(dict(body), ensure_ascii=False, sort_keys=True, default=_iso)


def checked(new: NewEntry, *, author: str, effective_on: dt.date | str, written_at: dt.datetime) -> Entry:
    """Return an entry that is ready to be written, `seq` 0; `WorkspaceError` says which field cannot be kept and why."""
    day = _day(effective_on)
    entry_id = new.entry_id or new_entry_id()
    if not _ENTRY_ID.fullmatch(entry_id):
        raise WorkspaceError(f"entry_id: {shown(entry_id)} is no id; use up to 64 letters, digits, '-', '_' and '.'.")
    body = _body(new)
    note = new.note.replace("\r\n", "\n").replace("\r", "\n").strip()
    if body.note_is and not note:
        raise WorkspaceError(f"note: {new.action!r} needs {body.note_is}.")
    refused = body.refusal(day)
    if refused:
        raise WorkspaceError(refused)
    return Entry(
        seq=0,
        entry_id=entry_id,
        written_at=written_at,
        effective_on=day,
        author=_text("author", author.strip(), MAX_TEXT, _NO_NAME),
        topic=new.topic,
        subject=_text("subject", _subject(new, entry_id), _MAX_ID, _NO_ID),
        account_id=_account(new),
        action=new.action,
        note=_text("note", note, MAX_NOTE, _NO_NOTE) if note else "",
        body=body.model_dump(mode="json", exclude_none=True),
    )


def _iso(value: Any) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{value!r} is no text, number, yes/no or day")


def _day(given: dt.date | str) -> dt.date:
    try:
        return day_of(given)
    except (MetricError, TypeError):
        raise WorkspaceError(f"effective_on: {shown(given)} is not a day; write it as 2026-03-31.") from None


def _text(name: str, text: str, longest: int, never: re.Pattern[str]) -> str:
    if not text:
        raise WorkspaceError(f"{name}: it is empty.")
    if len(text) > longest:
        raise WorkspaceError(f"{name}: {len(text):,} characters are too long; at most {longest:,} are kept.")
    bad = never.search(text)
    if bad:
        raise WorkspaceError(f"{name}: the character {bad.group()!a} at position {bad.start() + 1} is no text.")
    return text


def _account(new: NewEntry) -> str:
    if TOPICS[new.topic].has_account:
        return _text("account_id", new.account_id, _MAX_ID, _NO_ID)
    if new.account_id:
        raise WorkspaceError(f"account_id: {new.topic!r} is about the whole book, so it is left empty.")
    return ""


def _subject(new: NewEntry, entry_id: str) -> str:
    topic = TOPICS[new.topic]
    if topic.subject == "account" or new.action in topic.about_account:
        if new.subject not in ("", new.account_id):
            raise WorkspaceError(f"subject: it is the account itself, so {new.account_id!r} and not {new.subject!r}.")
        return new.account_id
    return new.subject or (f"manual {entry_id}" if new.action == topic.makes else "")


def _body(new: NewEntry) -> Body:
    topic = TOPICS.get(new.topic)
    if topic is None:
        raise WorkspaceError(f"topic: {shown(new.topic)} is unknown.{hint(new.topic, TOPICS)}")
    model = topic.actions.get(new.action)
    if model is None:
        raise WorkspaceError(f"action: {new.topic} has no {shown(new.action)}.{hint(new.action, topic.actions)}")
    given = {name: value for name, value in new.body.items() if value is not None and str(value).strip()}
    try:
        return model.model_validate_json(canonical(given))
    except TypeError as error:
        raise WorkspaceError(f"body: {error}.") from None
    except ValidationError as error:
        raise WorkspaceError(_said(new.action, model, error)) from None


def _said(action: str, model: type[Body], error: ValidationError) -> str:
    """Return the first thing that is wrong with a body, as a sentence."""
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    name, given, kind = str(first["loc"][0]) if first["loc"] else "body", first["input"], first["type"]
    if kind == "extra_forbidden":
        return f"{name}: {action!r} has no such field.{hint(name, model.model_fields) or ' It takes none.'}"
    if kind == "missing":
        return f"{name}: {action!r} needs it."
    if kind == "literal_error":
        return f"{name}: {shown(given)} is unknown.{hint(str(given), _words(model.model_fields[name].annotation))}"
    wanted = next(
        (says for start, says in _WANTED.items() if kind.startswith(start)), f"cannot be kept ({first['msg']})"
    )
    return f"{name}: {shown(given)} {wanted}."


def _words(kind: Any) -> list[str]:
    """Return the legal words of a field, also of one that may be left out."""
    return [word for one in get_args(kind) for word in ([one] if isinstance(one, str) else _words(one))]

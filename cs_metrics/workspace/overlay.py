"""What people wrote, as relations beside the marts: metrics read it exactly like imported rows.

Per generation and version of the workspace there is one schema that never changes once it is made, so that all
queries of a page see the same state. It holds

- `entry`: the log itself, one row an entry, its body as JSON text
- `cta_log`: everything that happened to a call to action, imported, by rule or by hand; one row an event
- `cta_state`: one row per call to action and span of days in which nothing about it changed, from its opening on
- `promises`: one row per promise to a customer, imported or written, with the day on which it was kept or withdrawn

An entry about a call to action holds for every one of the same account, kind and reason that was open by then: a
second trigger of the same thing is the same thing.
"""

from collections.abc import Sequence

import duckdb
import pandas as pd

from cs_metrics.workspace.database import Workspace
from cs_metrics.workspace.entries import Entry

__all__ = ["Overlay"]

_KEPT = 40  # versions of a generation that a page may still be reading
_COLUMNS = {
    "seq": "bigint",
    "entry_id": "varchar",
    "written_at": "timestamp",
    "effective_on": "date",
    "author": "varchar",
    "topic": "varchar",
    "subject": "varchar",
    "account_id": "varchar",
    "action": "varchar",
    "note": "varchar",
    "body": "varchar",
}
_LOG = "memory.workspace.entry"

# Every call to action: those of the marts and those that people opened on accounts that exist. What is opened by hand
# and is there already, of the same account, kind and reason, is no new one.
_CALLS = """
    by_hand as (
        select
            written.subject as cta_id,
            written.account_id,
            written.body ->> 'kind' as kind,
            written.body ->> 'reason' as reason,
            written.effective_on as opened_on,
            cast(written.body ->> 'due_on' as date) as due_on,
            coalesce(written.body ->> 'owner', written.author) as owner,
            written.body ->> 'priority' as priority,
            written.author,
            written.note,
            written.written_at,
            written.seq
        from {written} written
        inner join {marts}.accounts accounts on accounts.account_id = written.account_id
        where written.topic = 'cta' and written.action = 'open'
    ),
    calls as (
        select
            cta_id, account_id, kind, reason, source, milestone_id, opened_on, due_on, owner, priority, flagged_on,
            unflagged_on, team_needed, closed_on, closed_as, null as author, null as note, null as written_at, 0 as seq
        from {marts}.cta
        where {only}
        union all
        select
            cta_id, account_id, kind, reason, 'person', null, opened_on, due_on, owner, priority, null,
            null, null, null, null, author, note, written_at, seq
        from by_hand
        where not exists (
            select 1 from {marts}.cta there
            where there.account_id = by_hand.account_id and there.kind = by_hand.kind and there.reason = by_hand.reason
                and there.opened_on <= by_hand.opened_on
        )
        qualify row_number() over (partition by account_id, kind, reason order by opened_on, seq) = 1
    )"""

# What was written about each of them; an entry about one that opened later counts from its opening.
_ABOUT = """
    subjects as (
        select cta_id, account_id, kind, reason from {marts}.cta
        union
        select cta_id, account_id, kind, reason from by_hand
    ),
    about as (
        select
            calls.cta_id,
            greatest(written.effective_on, calls.opened_on) as day,
            written.*
        from {written} written
        inner join subjects on subjects.cta_id = written.subject
        inner join calls
            on calls.account_id = subjects.account_id and calls.kind = subjects.kind and calls.reason = subjects.reason
            and (calls.cta_id = subjects.cta_id or calls.opened_on <= written.effective_on)
            and calls.seq <> written.seq
        where written.topic = 'cta'
    )"""

# `place` orders what happened on one day: first what other systems say, then what people wrote, in their order.
_EVENTS = """
    events as (
        select
            cta_id, opened_on as day, case when seq = 0 then 0 else 4 end as place, seq, 'open' as action, owner, due_on,
            null::varchar as team_needed, null::date as snoozed_until, null::varchar as closed_as, author,
            nullif(note, '') as note, written_at
        from calls
        union all
        select cta_id, greatest(flagged_on, opened_on), 1, 0, 'flag', null, null, team_needed, null, null, null, null, null
        from calls
        where flagged_on is not null
        union all
        select cta_id, greatest(unflagged_on, opened_on), 2, 0, 'unflag', null, null, null, null, null, null, null, null
        from calls
        where unflagged_on is not null
        union all
        select cta_id, greatest(closed_on, opened_on), 3, 0, 'close', null, null, null, null, closed_as, null, null, null
        from calls
        where closed_on is not null
        union all
        select
            cta_id, day, 4, seq, action, body ->> 'owner', cast(body ->> 'due_on' as date), body ->> 'team_needed',
            cast(body ->> 'until' as date), body ->> 'closed_as', author, nullif(note, ''), written_at
        from about
    )"""

_STATES = """
    ended as (
        select
            cta_id,
            day,
            last_value(case action when 'open' then true when 'reopen' then true when 'close' then false end ignore nulls)
                over so_far as is_open,
            coalesce(last_value(case action when 'flag' then true when 'unflag' then false end ignore nulls)
                over so_far, false) as is_flagged,
            last_value(owner ignore nulls) over so_far as owner,
            last_value(due_on ignore nulls) over so_far as due_on,
            last_value(team_needed ignore nulls) over so_far as team_needed,
            last_value(snoozed_until ignore nulls) over so_far as snoozed_until,
            last_value(closed_as ignore nulls) over so_far as closed_as
        from events
        window so_far as (
            partition by cta_id order by day, place, seq rows between unbounded preceding and current row
        )
        qualify row_number() over (partition by cta_id, day order by place desc, seq desc) = 1
    ),
    spans as (
        select
            *,
            lead(day) over days as to_day,
            coalesce(lag(is_open) over days, false) as was_open,
            max(case when not is_flagged then day end) over days as unflagged_on
        from ended
        window days as (partition by cta_id order by day)
    )
    select
        calls.cta_id,
        calls.account_id,
        calls.kind,
        calls.reason,
        calls.source,
        calls.milestone_id,
        calls.opened_on,
        spans.due_on,
        calls.priority,
        spans.day as from_day,
        spans.to_day,
        spans.is_open,
        spans.was_open,
        spans.is_flagged,
        case when spans.is_flagged then min(case when spans.is_flagged then spans.day end) over flags end as flagged_on,
        spans.owner,
        case when spans.is_flagged then spans.team_needed end as team_needed,
        spans.snoozed_until,
        case when not spans.is_open then spans.closed_as end as closed_as
    from spans
    inner join calls on calls.cta_id = spans.cta_id
    window flags as (partition by spans.cta_id, spans.unflagged_on order by spans.day)
    order by calls.account_id, calls.cta_id, spans.day
"""

_HISTORY = """
    final as (
        select
            events.cta_id, calls.account_id, calls.kind, calls.reason, calls.source, events.day, events.place, events.seq,
            events.action, coalesce(events.author, '') as author, coalesce(events.note, '') as note, events.owner,
            events.team_needed, events.snoozed_until, events.closed_as, events.written_at
        from events
        inner join calls on calls.cta_id = events.cta_id
    )
    select * from final order by account_id, cta_id, day, place, seq
"""

# The first day on which a promise was kept or withdrawn counts; an imported one gets an id from its own key.
_PROMISES = """
    with given as (
        select
            'imported ' || md5(concat_ws('|', account_id, cast(made_on as varchar), promise)) as promise_id,
            account_id, promise, made_on, due_on, kept_on, '' as author
        from {marts}.commitments
        union all
        select
            written.subject, written.account_id, written.body ->> 'promise', written.effective_on,
            cast(written.body ->> 'due_on' as date), null, written.author
        from {written} written
        inner join {marts}.accounts accounts on accounts.account_id = written.account_id
        where written.topic = 'promise' and written.action = 'make'
        qualify row_number() over (partition by written.subject order by written.seq) = 1
    ),
    ended as (
        select
            subject,
            min(case when action = 'keep' then effective_on end) as kept_on,
            min(case when action = 'withdraw' then effective_on end) as withdrawn_on
        from {written}
        where topic = 'promise'
        group by subject
    ),
    final as (
        select
            given.promise_id, given.account_id, given.promise, given.made_on, given.due_on,
            least(given.kept_on, ended.kept_on) as kept_on, ended.withdrawn_on,
            given.author
        from given
        left join ended on ended.subject = given.promise_id
    )
    select *, least(kept_on, withdrawn_on) as closed_on from final
"""

_WRITTEN = {"cta_state": _STATES, "cta_log": _HISTORY}


class Overlay:
    """The relations of one process; the caller holds a lock while it makes them."""

    def __init__(self, root: duckdb.DuckDBPyConnection) -> None:
        self._root = root
        self._made: dict[tuple[int, int], str] = {}
        self._written, self._last = 0, ""
        root.execute("create schema memory.workspace")
        root.execute(f"create table {_LOG} ({', '.join(f'{name} {kind}' for name, kind in _COLUMNS.items())})")

    def follow(self, workspace: Workspace, version: int) -> bool:
        """Take over what was written up to a version; tell whether another log took the place of the known one."""
        if version == self._written:
            return False
        newer = workspace.entries(after=max(self._written - 1, 0))
        is_other = bool(self._written) and (not newer or newer[0].entry_id != self._last)
        if is_other:
            self._restart()
            newer = workspace.entries()
        self._add([one for one in newer if one.seq > self._written])
        return is_other

    def _restart(self) -> None:
        for key in [one for one in self._made if one[1]]:
            self._root.execute(f"drop schema {self._made.pop(key)} cascade")
        self._root.execute(f"delete from {_LOG}")
        self._written, self._last = 0, ""

    def _add(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        rows = [(*(getattr(one, name) for name in list(_COLUMNS)[:-1]), one.body_json) for one in entries]
        self._root.register("_entries", pd.DataFrame(rows, columns=list(_COLUMNS)))
        casts = ", ".join(f"cast({name} as {kind})" for name, kind in _COLUMNS.items())
        self._root.execute(f"insert into {_LOG} select {casts} from _entries")
        self._root.unregister("_entries")
        self._written, self._last = entries[-1].seq, entries[-1].entry_id

    def versions(self, version: int) -> dict[str, int]:
        """Return per topic the last entry up to a version."""
        found = self._root.execute(
            f"select topic, max(seq) from {_LOG} where seq <= {version} group by topic"
        ).fetchall()
        return dict(found)

    def schema(self, generation: int, version: int) -> str:
        """Return the schema with the relations of a generation as of a version, made when it is asked for first."""
        made = self._made.get((generation, version))
        if made:
            return made
        name = f"memory.written_{generation}_{version}"
        base = f"memory.written_{generation}_0"
        marts = f"g{generation}.main"
        self._root.execute(f"create schema {name}")
        self._root.execute(f"create view {name}.entry as select * from {_LOG} where seq <= {version}")
        self._root.execute(f"create view {name}.promises as {_PROMISES.format(marts=marts, written=f'{name}.entry')}")
        if version:
            self.schema(generation, 0)
            self._with_entries(name, base, marts)
        else:
            for relation, sql in _WRITTEN.items():
                self._create(f"{name}.{relation}", sql, marts, f"{name}.entry")
        self._made[generation, version] = name
        self._forget(generation)
        return name

    def forget(self, generation: int) -> None:
        """Drop the relations of a generation that is no longer read."""
        for key in [one for one in self._made if one[0] == generation]:
            self._root.execute(f"drop schema {self._made.pop(key)} cascade")

    def _with_entries(self, name: str, base: str, marts: str) -> None:
        """Compute again only the calls to action that somebody wrote about."""
        written = f"{name}.entry"
        self._root.execute(
            f"create table {name}.touched as with {_about(marts, written)} "
            "select cta_id from about union select cta_id from calls where source = 'person'"
        )
        touched = f"cta_id in (select cta_id from {name}.touched)"
        for relation, sql in _WRITTEN.items():
            changed = f"{name}.{relation}_changed"
            self._create(changed, sql, marts, written, touched)
            self._root.execute(
                f"create view {name}.{relation} as "
                f"select * from {base}.{relation} where not {touched} union all select * from {changed}"
            )

    def _create(self, table: str, sql: str, marts: str, written: str, only: str = "true") -> None:
        self._root.execute(f"create table {table} as with {_about(marts, written, only)}, {_EVENTS}, {sql}")

    def _forget(self, generation: int) -> None:
        versions = sorted(version for number, version in self._made if number == generation and version)
        for version in versions[:-_KEPT]:
            self._root.execute(f"drop schema {self._made.pop((generation, version))} cascade")


def _about(marts: str, written: str, only: str = "true") -> str:
    """Return the CTEs of the calls to action, or of some of them, with what was written about each."""
    return f"{_CALLS.format(marts=marts, written=written, only=only)}, {_ABOUT.format(marts=marts, written=written)}"

"""What people did about opportunities: took them, put them off or aside, and what came of it."""

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["DECLINED", "DISMISSED_AS", "NOTHING_SAID", "Status", "expansion_history", "expansion_record", "statuses"]

DISMISSED_AS = {
    "declined": "the customer declined",
    "no_need": "no need for it",
    "no_budget": "no budget",
    "not_now": "not the right moment",
    "wrong_data": "the data is wrong",
}

# The state that the newest entry about each opportunity says, and the newest note.
_STATES = """
    written as (
        select entry.*
        from entry
        inner join scope on scope.account_id = entry.account_id
        where topic = 'expansion' and effective_on <= $as_of
    ),
    acted as (
        select account_id, subject, action, effective_on, author, body, seq
        from written
        where action <> 'note'
        qualify row_number() over (partition by account_id, subject order by seq desc) = 1
    ),
    noted as (
        select account_id, subject, note
        from written
        where note <> ''
        qualify row_number() over (partition by account_id, subject order by seq desc) = 1
    ),
    states as (
        select
            coalesce(acted.account_id, noted.account_id) as account_id,
            coalesce(acted.subject, noted.subject) as subject,
            case acted.action when 'take' then 'taken' when 'postpone' then 'postponed' when 'dismiss' then 'dismissed'
                else 'open' end as state,
            case acted.action
                when 'postpone' then cast(acted.body ->> 'until' as date)
                when 'dismiss' then acted.effective_on + cast($dismissed_days as integer)
            end as until,
            acted.author,
            acted.effective_on as since,
            acted.body ->> 'reason' as reason,
            acted.body ->> 'owner' as owner,
            coalesce(noted.note, '') as note
        from acted
        full join noted on noted.account_id = acted.account_id and noted.subject = acted.subject
    )"""

# What customers declined without a deal of the kind running around that day: a lost case that no deal tells of.
DECLINED = """
    declined as (
        select distinct on (account_id, subject) account_id, split_part(subject, ' ', 1) as kind, effective_on as day
        from entry
        where topic = 'expansion' and action = 'dismiss' and body ->> 'reason' = 'declined' and effective_on <= $as_of
        order by account_id, subject, seq
    ),
    declined_alone as (
        select declined.*
        from declined
        where not exists (
            select 1 from opportunities deal
            where deal.account_id = declined.account_id and deal.kind = declined.kind
                and deal.opened_on <= least($as_of, declined.day + cast($declined_deal_days as integer))
                and (deal.stage = 'open' or deal.closed_on is null
                    or deal.closed_on >= declined.day - cast($declined_deal_days as integer))
        )
    )"""


@dataclass(frozen=True, slots=True)
class Status:
    """What was decided about one opportunity; `until` is the last day of a postponement or dismissal."""

    state: str
    until: dt.date | None
    author: str | None
    since: dt.date | None
    reason: str | None
    owner: str | None
    note: str

    def on(self, day: dt.date) -> str:
        """Return the state that holds on a day: what was put off or aside comes back when its last day is over."""
        is_over = self.until is not None and self.until < day
        return "open" if is_over else self.state

    def says(self, day: dt.date) -> str:
        """Return the state with its day and reason, as a reader is told it; empty while nothing was decided."""
        state, who = self.on(day), f"by {self.author} on {_day(self.since)}"
        if state == "taken":
            return f"Taken {who}"
        if state == "postponed":
            return f"Postponed to {_day(self.until)}, {who}"
        if state == "dismissed":
            why = DISMISSED_AS.get(self.reason or "", self.reason or "")
            return f"Dismissed {who}: {why}"
        return f"Back since {_day(periods.add_days(self.until, 1))}" if self.until else ""


NOTHING_SAID = Status("open", None, None, None, None, None, "")


def _day(day: dt.date | None) -> str:
    return words.day(day) if day else ""


def statuses(store: Store, as_of: dt.date, scope: Scope) -> dict[tuple[str, str], Status]:
    """Return what was decided about opportunities by the as-of day, by account and subject."""
    sql = f"with {_STATES.lstrip()} select account_id, subject, state, until, author, since, reason, owner, note from states"
    rows = store.rows(sql, scope=scope, as_of=as_of, dismissed_days=store.config.expansion.dismissed_days)
    return {(row[0], row[1]): Status(*row[2:]) for row in rows}


@metric(needs=("subscriptions",), reads=("expansion",), page="Expansion")
def expansion_history(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "", subject: str = ""
) -> pd.DataFrame:
    """What was decided and said about opportunities, the newest first; of one account and one opportunity where given.

    Columns:
        account_id, subject: the opportunity
        action: take, postpone, dismiss, reopen or note
        effective_on: day from which it counts
        author, written_at: who wrote it, and when
        until: last day of a postponement
        reason: why it was dismissed
        owner: who took it
        note: what was said with it
    Source: the workspace.
    """
    sql = """
        select
            entry.account_id, subject, action, effective_on, author, written_at, cast(body ->> 'until' as date) as until,
            body ->> 'reason' as reason, body ->> 'owner' as owner, note
        from entry
        inner join scope on scope.account_id = entry.account_id
        where topic = 'expansion' and effective_on <= $as_of
            and ($account_id = '' or entry.account_id = $account_id) and ($subject = '' or subject = $subject)
        order by seq desc
    """
    return store.frame(sql, scope=scope, as_of=as_of, account_id=account_id, subject=subject)


@metric(needs=("subscriptions",), reads=("expansion",), page="Expansion")
def expansion_record(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """What became of the opportunities that somebody decided about, by kind: taken and won or lost since, put off, dismissed.

    One row per kind about which something was written. What was taken is won or lost by the newest deal of the account
    and kind that closed on or after the day of taking. A decline around which no deal ran counts as a lost case in the
    likelihood of its kind.

    Columns:
        kind: kind of opportunity
        taken, taken_won, taken_lost, taken_open: taken ones, and what became of them
        postponed: put off, whether that day has passed or not
        dismissed, declined: dismissed ones, and those of them that the customer declined
        counted_as_lost: declines that count in the likelihood, as no deal tells of them
    Source: the workspace.
    """
    settings = store.config.expansion
    sql = f"""
        with {_STATES.lstrip()},
        {DECLINED.lstrip()},
        kinds as (
            select states.*, split_part(subject, ' ', 1) as kind from states where state <> 'open'
        ),
        ended as (
            select kinds.account_id, kinds.subject, arg_max(deal.stage, (deal.closed_on, deal.opportunity_id)) as stage
            from kinds
            inner join opportunities deal
                on deal.account_id = kinds.account_id and deal.kind = kinds.kind
                and deal.closed_on >= kinds.since and deal.closed_on <= $as_of and deal.stage in ('won', 'lost')
            where kinds.state = 'taken'
            group by kinds.account_id, kinds.subject
        ),
        alone as (
            select kind, count(*) as cases
            from declined_alone
            inner join scope on scope.account_id = declined_alone.account_id
            group by kind
        )
        select
            kinds.kind,
            count(*) filter (state = 'taken') as taken,
            count(*) filter (ended.stage = 'won') as taken_won,
            count(*) filter (ended.stage = 'lost') as taken_lost,
            count(*) filter (state = 'taken' and ended.stage is null) as taken_open,
            count(*) filter (state = 'postponed') as postponed,
            count(*) filter (state = 'dismissed') as dismissed,
            count(*) filter (state = 'dismissed' and reason = 'declined') as declined,
            coalesce(any_value(alone.cases), 0) as counted_as_lost
        from kinds
        left join ended on ended.account_id = kinds.account_id and ended.subject = kinds.subject
        left join alone on alone.kind = kinds.kind
        group by kinds.kind
        order by kinds.kind
    """
    bound = {"dismissed_days": settings.dismissed_days, "declined_deal_days": settings.declined_deal_days}
    return store.frame(sql, scope=scope, as_of=as_of, **bound)

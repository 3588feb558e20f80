"""What is known of one account in lists: its people, promises, results, milestones and open tickets."""

import datetime as dt

import pandas as pd

from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = [
    "account_contacts",
    "account_contracts",
    "account_milestones",
    "account_outcomes",
    "account_promises",
    "account_tickets",
]


@metric(needs=("contacts",), page="Account")
def account_contacts(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """The people with a part in the decision: who is there, who came and who left, as of the day.

    Columns:
        contact_id, name, role: the person
        since: day from which the person has the role, empty where unknown
        left_on, moved_to: for those who left by the as-of day
        state: new (since 90 days or less), here, or left
        is_recent: left within 180 days
    """
    sql = """
        select
            contact_id,
            coalesce(name, contact_id) as name,
            role,
            since,
            case when left_on <= $as_of then left_on end as left_on,
            case when left_on <= $as_of then moved_to end as moved_to,
            case when left_on <= $as_of then 'left' when since > $as_of::date - 90 then 'new' else 'here' end as state,
            coalesce(left_on <= $as_of and left_on > $as_of::date - 180, false) as is_recent
        from contacts
        inner join scope on scope.account_id = contacts.account_id
        where since is null or since <= $as_of
        order by state = 'left', case role when 'decision_maker' then 0 when 'sponsor' then 1 when 'champion' then 2 else 3 end,
            left_on desc, since desc, contact_id
    """
    return store.frame(sql, scope=only(store, account_id, as_of, scope), as_of=as_of)


@metric(needs=("contracts",), page="Account")
def account_contracts(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """The contracts of the account that have begun, the newest end first, each as it was known on the day.

    Columns:
        contract_id, starts_on, ends_on, arr, auto_renews: the contract, its term and its annual value
        state: undecided, overdue (past its end and undecided), renewed or lost
        days_left: days to the end of an undecided one, negative once past it
        decided_on, renewed_arr, renewed_until, reason, competitor: the decision, for those decided by the as-of day
    """
    sql = """
        with known as (
            select contracts.*, coalesce(decided_on <= $as_of and outcome is not null, false) as is_decided
            from contracts
            inner join scope on scope.account_id = contracts.account_id
            where starts_on <= $as_of
        )
        select
            contract_id,
            starts_on,
            ends_on,
            arr_cents::double / 100 as arr,
            auto_renews,
            case
                when is_decided and outcome = 'churned' then 'lost'
                when is_decided then 'renewed'
                when ends_on < $as_of then 'overdue'
                else 'undecided'
            end as state,
            case when not is_decided then date_diff('day', $as_of::date, ends_on) end as days_left,
            case when is_decided then decided_on end as decided_on,
            case when is_decided and outcome = 'renewed' then renewed_arr_cents::double / 100 end as renewed_arr,
            case when is_decided and outcome = 'renewed' then renewed_until end as renewed_until,
            case when is_decided then reason end as reason,
            case when is_decided then competitor end as competitor
        from known
        order by ends_on desc, contract_id
    """
    return store.frame(sql, scope=only(store, account_id, as_of, scope), as_of=as_of)


@metric(needs=("accounts",), reads=("promise",), page="Account")
def account_promises(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """What was promised to the account: broken promises first, then the open ones, then those kept or withdrawn.

    Promises come from the table commitments and from the pages; what was written there counts from its day on. One is
    broken (overdue) from the day after its due day on while it is not kept; one without a due day stays open.

    Columns:
        promise, made_on, due_on: the promise
        kept_on: for those kept by the as-of day
        state: overdue (past its due day), open, kept or withdrawn
        days_overdue: days past the due day, for the overdue ones
        promise_id: its id in the workspace
        author: who wrote it here; empty for an imported one
        days_late: for those kept after their due day, by how many days
    """
    sql = """
        with known as (
            select
                promises.* exclude (kept_on, withdrawn_on),
                case when kept_on <= $as_of and kept_on = closed_on then kept_on end as kept_on,
                closed_on <= $as_of and kept_on is distinct from closed_on as is_withdrawn
            from promises
            inner join scope on scope.account_id = promises.account_id
            where made_on <= $as_of
        ),
        final as (
            select
                *,
                case
                    when kept_on is not null then 'kept'
                    when is_withdrawn then 'withdrawn'
                    when due_on < $as_of then 'overdue'
                    else 'open'
                end as state
            from known
        )
        select
            promise,
            made_on,
            due_on,
            kept_on,
            state,
            case when state = 'overdue' then date_diff('day', due_on, $as_of::date) end as days_overdue,
            promise_id,
            author,
            case when state = 'kept' and kept_on > due_on then date_diff('day', due_on, kept_on) end as days_late
        from final
        order by state in ('kept', 'withdrawn'), due_on nulls last, made_on desc, promise
    """
    return store.frame(sql, scope=only(store, account_id, as_of, scope), as_of=as_of)


@metric(needs=("outcomes",), page="Account")
def account_outcomes(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """The customer's own results by month; a month is known when it is over.

    Formula: change_3_months = sum of the three months to this one ÷ sum of the three before − 1, where all six are known.
    Columns:
        metric: name of the result
        month: first day of the month
        value: the result
        change_3_months: fraction, empty where one of the six months is missing or the earlier sum is not above 0
    """
    sql = """
        with known as (
            select metric, date_trunc('month', month)::date as month, value, year(month) * 12 + month(month) as month_index
            from outcomes
            inner join scope on scope.account_id = outcomes.account_id
            where last_day(month) <= $as_of
        ),
        sums as (
            select
                now.metric,
                now.month,
                now.value,
                sum(other.value) filter (other.month_index > now.month_index - 3) as recent,
                sum(other.value) filter (other.month_index <= now.month_index - 3) as before,
                count(*) as months
            from known now
            inner join known other
                on other.metric = now.metric and other.month_index between now.month_index - 5 and now.month_index
            group by now.metric, now.month, now.value
        )
        select metric, month, value, case when months = 6 and before > 0 then recent / before - 1 end as change_3_months
        from sums
        order by metric, month
    """
    return store.frame(sql, scope=only(store, account_id, as_of, scope), as_of=as_of)


@metric(needs=("milestones",), page="Account")
def account_milestones(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = ""
) -> pd.DataFrame:
    """The milestones of the account in order: reached, overdue, next, or still to come.

    Columns:
        position, milestone: the step
        due_on: its due day
        completed_on: day on which it was reached, empty if not by the as-of day
        state: reached, overdue (past its due day), next (the first that is left) or to come
        days_late: completed_on, or the as-of day, minus due_on; negative when early, empty while not due
    """
    sql = """
        with known as (
            select position, name as milestone, due_on, case when completed_on <= $as_of then completed_on end as completed_on
            from milestone_status
            inner join scope on scope.account_id = milestone_status.account_id
        )
        select
            position,
            milestone,
            due_on,
            completed_on,
            case
                when completed_on is not null then 'reached'
                when due_on < $as_of then 'overdue'
                when position = min(position) filter (completed_on is null) over () then 'next'
                else 'to come'
            end as state,
            case when completed_on is not null or due_on < $as_of
                then date_diff('day', due_on, coalesce(completed_on, $as_of::date)) end as days_late
        from known
        order by position, due_on, milestone
    """
    return store.frame(sql, scope=only(store, account_id, as_of, scope), as_of=as_of)


@metric(needs=("tickets",), page="Account")
def account_tickets(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """The open tickets of the account, those that stand in the way of an expansion first.

    Columns:
        ticket_id, kind, priority, product: the ticket
        opened_on, days_open: day of opening, and days since
        is_replied: whether somebody replied by the as-of day
        is_stuck: urgent, or older than expansion.old_ticket_days
    """
    sql = """
        select
            ticket_id,
            tickets.kind,
            priority,
            coalesce(products.name, tickets.product_id) as product,
            opened_on,
            date_diff('day', opened_on, $as_of::date) as days_open,
            coalesce(first_replied_on <= $as_of, false) as is_replied,
            coalesce(priority = 'urgent', false) or date_diff('day', opened_on, $as_of::date) > $old as is_stuck
        from tickets
        inner join scope on scope.account_id = tickets.account_id
        left join products on products.product_id = tickets.product_id
        where opened_on <= $as_of and (closed_on is null or closed_on > $as_of)
        order by is_stuck desc, opened_on, ticket_id
    """
    old = store.config.expansion.old_ticket_days
    return store.frame(sql, scope=only(store, account_id, as_of, scope), as_of=as_of, old=old)

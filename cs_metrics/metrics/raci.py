"""Who does what in a renewal: the agreed parts of each role, with the people of an account where they are known."""

import datetime as dt

import pandas as pd

from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["ROLES", "raci"]

ROLES = {
    "csm": "CSM",
    "renewal_manager": "Renewal manager",
    "team_lead": "Team lead",
    "executive": "Executive",
}

# The CSM is that of the account; the renewal manager owns its undecided contract that ends first; the executive hosted
# the last executive meeting that was held. Who leads a team no table tells.
_PEOPLE = """
    select
        any_value(accounts.csm) as csm,
        (
            select owner from contracts
            where contracts.account_id = any_value(accounts.account_id) and starts_on <= $as_of and owner is not null
                and (decided_on is null or decided_on > $as_of)
            order by ends_on, contract_id limit 1
        ) as renewal_manager,
        (
            select host from meetings
            where meetings.account_id = any_value(accounts.account_id) and kind = 'executive' and was_held
                and scheduled_on <= $as_of and host is not null
            order by scheduled_on desc, host limit 1
        ) as executive
    from accounts
    inner join scope on scope.account_id = accounts.account_id
"""


@metric(page="Renewals")
def raci(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, account_id: str = "") -> pd.DataFrame:
    """Who does each activity of a renewal, who answers for it, who is asked before and who is told after.

    The parts are agreed in the settings (negotiation.raci). With an account, its people stand beside their roles: the
    CSM, the owner of the undecided contract that ends first, the host of the last executive meeting held.

    Columns:
        place: order of the activity
        activity: what is to be done
        role: csm, renewal_manager, team_lead or executive
        letter: R does it, A answers for it, AR both, C is asked before, I is told after; empty for no part
        person: who that is in the account, empty where it is not known or no account is asked for
    """
    people: dict[str, str] = {}
    if account_id:
        found = store.frame(_PEOPLE, scope=only(store, account_id, as_of, scope), as_of=as_of)
        people = {str(role): str(found[role].iloc[0]) for role in found if found[role].notna().all()}
    rows = [
        (place, activity.name, role, getattr(activity, role), people.get(role))
        for place, activity in enumerate(store.config.negotiation.raci, start=1)
        for role in ROLES
    ]
    return pd.DataFrame(rows, columns=["place", "activity", "role", "letter", "person"]).astype({"person": "str"})

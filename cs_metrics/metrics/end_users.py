"""The health of the end users beside that of the account: how many seats are active, idle, and who carries the use."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.health import book
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["end_user_health"]

_WEEKS = 4
_FEW = 0.1  # of the seats: use that half of them carries hangs on few people


@metric(needs=("subscriptions", "events"), page="Health")
def end_user_health(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """How healthy the end users of each customer are: a green account may live by one power user beside forty idle seats.

    Use is that of the four complete weeks up to the last one, by known users. Seats are those bought, or the known users
    where no seats are recorded. Narrow means that fewer than 40 % of the seats are active; few means that half of all use
    comes from at most a tenth of the seats. A green account whose use is narrow or hangs on few is marked.

    Formula: half_users = the fewest users who together make half of all uses; half_share = half_users ÷ seats.
    Columns:
        account_id, name, segment, csm, arr: the customer
        colour, score: health of the account
        seats: seats bought, or known users
        active_users: known users active in the four weeks
        idle_seats: seats − active_users, not below 0
        active_share: active_users ÷ seats
        uses: uses by known users
        half_users, half_share: the fewest users who make half of them, and their share of the seats
        top_user_share: share of the uses by the busiest user
        state: broad, narrow, few, or unknown
        is_hidden: the account is green while its use is narrow or hangs on few
        evidence: in words with the numbers
    """
    last = periods.last_full_week_end(as_of)
    sql = f"""
        with {book("today", "as_of")},
        used as (
            select user_week.account_id, user_id, sum(times)::bigint as times
            from user_week
            inner join scope on scope.account_id = user_week.account_id
            where week_end <= $last and week_end > $first and user_id <> ''
            group by user_week.account_id, user_id
        ),
        ordered as (
            select
                account_id,
                times,
                row_number() over (partition by account_id order by times desc, user_id) as place,
                sum(times) over (partition by account_id order by times desc, user_id rows unbounded preceding) as so_far,
                sum(times) over (partition by account_id) as total
            from used
        ),
        carried as (
            select
                account_id,
                any_value(total)::bigint as uses,
                min(case when so_far * 2 >= total then place end) as half_users,
                max(times)::double / nullif(any_value(total), 0) as top_user_share
            from ordered
            group by account_id
        )
        select
            accounts.account_id, accounts.name, accounts.segment, accounts.csm,
            today.mrr_cents::double * 12 / 100 as arr,
            coalesce(health.colour, 'none') as colour, health.score,
            week.seats, week.active_users,
            greatest(week.seats - week.active_users, 0) as idle_seats,
            week.active_user_share as active_share,
            case when week.active_users is not null then coalesce(carried.uses, 0) end as uses,
            carried.half_users,
            carried.half_users::double / nullif(week.seats, 0) as half_share,
            carried.top_user_share
        from today
        inner join accounts on accounts.account_id = today.account_id
        left join account_week_health health on health.account_id = today.account_id and health.week_end = $last
        left join account_week week on week.account_id = today.account_id and week.week_end = $last
        left join carried on carried.account_id = today.account_id
        order by idle_seats desc nulls last, accounts.account_id
    """
    found = store.frame(sql, scope=scope, as_of=as_of, last=last, first=periods.add_days(last, -7 * _WEEKS))
    counts = ["seats", "active_users", "idle_seats", "uses", "half_users"]
    found[counts] = found[counts].astype("Int64")
    share, half = found["active_share"], found["half_share"]
    narrow = share < store.config.health.at_risk.seats_active_below
    few = (half <= _FEW) & (found["half_users"].fillna(0) * 2 < found["active_users"].fillna(0))
    state = np.select([share.isna(), narrow, few.fillna(False)], ["unknown", "narrow", "few"], "broad")
    found["state"] = pd.Series(state, index=found.index, dtype="str")
    found["is_hidden"] = (found["colour"] == "green") & found["state"].isin(["narrow", "few"])
    found["evidence"] = [_words(row) for row in found.to_dict("records")]
    return found


def _words(row: Mapping[Any, Any]) -> str:
    if row["state"] == "unknown":
        return "no known user, or no seats"
    said = f"{row['active_users']} of {row['seats']} seats active in 4 weeks"
    if not row["uses"]:
        return said
    return f"{said}; half of the use by {row['half_users']}, the busiest makes {row['top_user_share']:.0%}"

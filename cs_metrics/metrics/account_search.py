"""Finding an account by what somebody remembers of its name, and choosing one from all of them."""

import datetime as dt

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["account_search"]

_NEAR = 0.86  # of Jaro and Winkler, from which a name is likely a slip of the one that was typed


def _folded(text: str) -> str:
    """Return the SQL of a text without case and accents; letters that carry no accent of their own are spelled out."""
    plain = f"translate(strip_accents(lower({text})), 'øłđðı', 'olddi')"
    return f"replace(replace(replace(replace({plain}, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')"


_FOUND = f"""
    with known as (
        select
            accounts.account_id,
            accounts.name,
            accounts.segment,
            accounts.csm,
            {_folded("accounts.name")} as plain_name,
            lower(accounts.account_id) as plain_id
        from accounts
        inner join scope on scope.account_id = accounts.account_id
        where started_on <= $as_of
    ),
    asked as (
        select string_split_regex(trim({_folded("$text")}), '\\s+') as words, trim({_folded("$text")}) as whole
    ),
    placed as (
        select
            known.*,
            list_max([
                jaro_winkler_similarity(part, asked.whole) for part in list_append(string_split(plain_name, ' '), plain_name)
            ]) as likeness,
            case
                when asked.whole = '' then 0
                when plain_id = asked.whole then 0
                when starts_with(plain_name, asked.whole) then 1
                when contains(' ' || plain_name, ' ' || asked.whole) then 2
                when list_bool_and([contains(plain_name, word) for word in asked.words]) then 3
                when contains(plain_id, asked.whole) then 4
                when length(asked.whole) >= 4 and likeness >= {_NEAR} then 5
            end as place
        from known
        cross join asked
    ),
    found as (
        select * from placed where place is not null
        qualify place < 5 or min(place) over () = 5
    )
    select
        found.account_id,
        found.name,
        found.segment,
        found.csm,
        coalesce(book.mrr_cents, 0)::double * 12 / 100 as arr,
        case when book.mrr_cents > 0 then coalesce(health.colour, 'none') else 'none' end as colour,
        found.place < 5 as is_match,
        count(*) over () as total
    from found
    left join mrr_interval book
        on book.account_id = found.account_id and from_day <= $as_of and (to_day is null or to_day > $as_of)
    left join account_week_health health on health.account_id = found.account_id and health.week_end = $week_end
    order by found.place, case when found.place = 5 then likeness end desc, arr desc, found.name, found.account_id
    limit $limit
"""


@metric(needs=("accounts",), page="Account")
def account_search(
    store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING, text: str = "", limit: int = 1_000_000
) -> pd.DataFrame:
    """The accounts that a text may mean, the best match first and the largest first among equals; without a text all.

    Case and accents do not count, and neither does the order of words. A name that begins with the text comes before
    one with a word that does, before one that holds all of its words somewhere, before an id that holds it. Where none
    does, names that differ by a slip of the hand are offered.

    Columns:
        account_id, name, segment, csm: the account
        arr: ARR on the as-of day, 0 for an account that is no customer then
        colour: health in the last complete week, none without a score
        is_match: whether it holds the text, and is not only like it
        total: how many were found, those beyond `limit` included
    Source: nearness of words after Jaro and Winkler.
    """
    week_end = periods.last_full_week_end(as_of)
    return store.frame(_FOUND, scope=scope, as_of=as_of, week_end=week_end, text=text[:100], limit=limit)

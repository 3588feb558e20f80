"""What an expansion offer is worth and who takes it: win rates of the past, usual deal sizes, route, owner, next step."""

import datetime as dt
from dataclasses import dataclass

from cs_metrics.config import Expansion
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_accounts import Customer
from cs_metrics.store import Store

__all__ = ["Likelihood", "likelihood_of", "next_step", "owner_of", "route_of", "typical_shares", "win_rates"]

OVERALL = ""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A win rate with the deals behind it and how it came about, in words."""

    rate: float
    won: int
    decided: int
    says: str


def win_rates(store: Store, as_of: dt.date) -> dict[str, tuple[int, int]]:
    """Return, by kind and overall (empty), deals won and decided on or before the as-of day, over all accounts."""
    sql = """
        with decided as (
            select kind, stage from opportunities where stage in ('won', 'lost') and closed_on <= $as_of and opened_on <= $as_of
        )
        select coalesce(kind, '') as kind, count(*) filter (stage = 'won') as won, count(*) as decided
        from decided
        group by grouping sets ((kind), ())
    """
    return {kind: (won, decided) for kind, won, decided in store.rows(sql, as_of=as_of) if decided}


def likelihood_of(kind: str, rates: dict[str, tuple[int, int]], settings: Expansion) -> Likelihood:
    """Return the win rate of a kind, shrunk to that of all kinds: (won + prior × overall) ÷ (decided + prior).

    A kind without decisions thus gets the overall rate. Without any decision, and for a new sale in another company
    (which no expansion deal resembles), it is the configured base likelihood.
    """
    won, decided = rates.get(kind, (0, 0))
    all_won, all_decided = rates.get(OVERALL, (0, 0))
    if not all_decided or kind == "sponsor":
        why = "a new sale elsewhere" if kind == "sponsor" else "no expansion deal is decided yet"
        return Likelihood(settings.base_likelihood, won, decided, f"Configured base likelihood: {why}")
    overall, prior = all_won / all_decided, settings.prior_opportunities
    if not decided:
        says = f"No deal of the kind is decided yet: the {words.percent(overall)} won of all {words.plural(all_decided, 'decided deal')}"
        return Likelihood(overall, 0, 0, says)
    says = (
        f"{won} of {words.plural(decided, 'decided deal')} of the kind won, drawn to the "
        f"{words.percent(overall)} of all {all_decided} with the weight of {words.amount(prior)} deals"
    )
    return Likelihood((won + prior * overall) / (decided + prior), won, decided, says)


def typical_shares(store: Store, as_of: dt.date) -> dict[str, tuple[float, int]]:
    """Return, by kind with enough won deals, the median of deal ÷ ARR of the account on the day it was opened."""
    sql = """
        with won as (
            select kind, opportunities.arr_cents::double / (mrr_cents * 12) as share
            from opportunities
            inner join mrr_interval
                on mrr_interval.account_id = opportunities.account_id
                and from_day <= opened_on and (to_day is null or to_day > opened_on)
            where stage = 'won' and closed_on <= $as_of and opened_on <= $as_of and opportunities.arr_cents > 0
        )
        select kind, median(share) as share, count(*) as deals from won group by kind having count(*) >= $least
    """
    rows = store.rows(sql, as_of=as_of, least=store.config.expansion.similar_accounts)
    return {kind: (share, deals) for kind, share, deals in rows}


def route_of(customer: Customer, kind: str, settings: Expansion) -> str:
    """Return who takes the offer: a new sale or a large or negotiated one goes to expansion sales, a small one is automated."""
    if kind == "sponsor":
        return "expansion sales"
    if customer.arr < settings.route_automated_below_arr and not customer.is_flagship:
        return "automated"
    is_negotiated = kind == "price" or customer.is_flagship
    return "expansion sales" if is_negotiated or customer.arr >= settings.route_sales_from_arr else "CSM"


def owner_of(customer: Customer, route: str) -> str | None:
    """Return the person: the salesperson for expansion sales (else the CSM), the CSM for everything else."""
    return (customer.salesperson or customer.csm) if route == "expansion sales" else customer.csm


def next_step(route: str, kind: str, what: str, blockers: list[str], asked: str) -> str:
    """Return what to do next, in one sentence."""
    if blockers:
        return f"Wait: {blockers[0][0].lower()}{blockers[0][1:]}"
    if asked:
        return f"{'Carry on the' if asked.startswith('deal') else 'Answer the'} {asked}"
    if kind == "sponsor":
        return f"Hand the lead to sales: {what}"
    if route == "automated":
        return f"Show the offer in the product: {what}"
    return f"Raise it in the next meeting: {what}" if route == "CSM" else f"Open a deal with expansion sales: {what}"

"""What an expansion offer is worth and who takes it: win rates of the past, usual deal sizes, route, owner, next step."""

import datetime as dt
from dataclasses import dataclass

from scipy import stats

from cs_metrics.config import Expansion
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_accounts import Customer
from cs_metrics.metrics.expansion_status import DECLINED
from cs_metrics.metrics.health_backtest import wilson
from cs_metrics.store import Store

__all__ = ["Likelihood", "likelihood_of", "next_step", "owner_of", "route_of", "typical_shares", "win_rates"]

OVERALL = ""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A chance to win with its 95 % interval, the cases behind it and how it came about, in words; None is not known."""

    rate: float
    low: float | None
    high: float | None
    won: int
    decided: int
    says: str


def win_rates(store: Store, as_of: dt.date) -> dict[str, tuple[int, int]]:
    """Return, by kind and overall (empty), cases won and decided on or before the as-of day, over all accounts.

    Decided are the deals that closed, and what customers declined without a deal (see `expansion_record`).
    """
    sql = f"""
        with {DECLINED.lstrip()},
        decided as (
            select kind, stage from opportunities where stage in ('won', 'lost') and closed_on <= $as_of and opened_on <= $as_of
            union all
            select kind, 'lost' from declined_alone
        )
        select coalesce(kind, '') as kind, count(*) filter (stage = 'won') as won, count(*) as decided
        from decided
        group by grouping sets ((kind), ())
    """
    rows = store.rows(sql, as_of=as_of, declined_deal_days=store.config.expansion.declined_deal_days)
    return {kind: (won, decided) for kind, won, decided in rows if decided}


def likelihood_of(kind: str, rates: dict[str, tuple[int, int]], settings: Expansion) -> Likelihood:
    """Return the chance that an offer of a kind is won once a deal is opened.

    With enough decided cases of the kind it is their win rate; with fewer it is drawn to that of all kinds: (won + prior
    × base) ÷ (decided + prior), base being the win rate of all kinds or, where all kinds together have too few, the same
    drawn to the configured one. Without any decision, and for a new sale in another company (which no expansion deal
    resembles), it is the configured base likelihood.

    Source: Wilson (1927) for the interval of a rate; for a drawn one the beta distribution with the prior's cases.
    """
    won, decided = rates.get(kind, (0, 0))
    all_won, all_decided = rates.get(OVERALL, (0, 0))
    if not all_decided or kind == "sponsor":
        why = "a new sale elsewhere" if kind == "sponsor" else "no expansion deal is decided yet"
        return Likelihood(settings.base_likelihood, None, None, won, decided, f"Configured base likelihood: {why}")
    if decided >= settings.likelihood_min_decided:
        low, high = wilson(won, decided)
        says = f"{won} of {words.plural(decided, 'decided deal')} of the kind won ({_interval(low, high)})"
        return Likelihood(won / decided, low, high, won, decided, says)
    base, of_all = _base(all_won, all_decided, settings)
    prior = settings.prior_opportunities
    rate = (won + prior * base) / (decided + prior)
    low, high = (float(one) for one in _beta(rate * (decided + prior), (1 - rate) * (decided + prior)))
    own = (
        f"{won} of {words.plural(decided, 'decided deal')} of the kind won"
        if decided
        else "No deal of the kind is decided yet"
    )
    says = f"{own}, too few alone: drawn to {of_all} with the weight of {words.plural(prior, 'deal')} ({_interval(low, high)})"
    return Likelihood(rate, low, high, won, decided, says)


def _base(all_won: int, all_decided: int, settings: Expansion) -> tuple[float, str]:
    """Return the rate to which a kind with few cases is drawn, and its words."""
    deals = words.plural(all_decided, "decided deal")
    if all_decided >= settings.likelihood_min_decided:
        return all_won / all_decided, f"the {words.percent(all_won / all_decided)} of all {deals}"
    prior = settings.prior_opportunities
    base = (all_won + prior * settings.base_likelihood) / (all_decided + prior)
    return base, f"{words.percent(base)} (all {deals} and the configured {words.percent(settings.base_likelihood)})"


def _beta(won: float, lost: float) -> tuple[float, float]:
    low, high = stats.beta.ppf([0.025, 0.975], max(won, 1e-9), max(lost, 1e-9))
    return low, high


def _interval(low: float, high: float) -> str:
    return f"95% interval {words.percent(low)} to {words.percent(high)}"


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

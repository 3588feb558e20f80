"""Expansion found in what an account lacks: add-ons and a higher tier.

Each rule returns its offers with the evidence in words and the basis of the estimated ARR.
"""

from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_offers import Known, Offer
from cs_metrics.metrics.expansion_twins import Similar
from cs_metrics.metrics.whitespace import Lacking, lacking

__all__ = ["product_value", "products", "tiers"]


def products(known: Known) -> list[Offer]:
    """Return the products that an account tried, or lacks while similar customers own them, and is ready for.

    ARR: the median that similar customers pay for it, where enough of them own it, else list price × 12.
    """
    found, owners, settings = [], {}, known.settings
    pools = known.similar.pools
    for one in lacking(known.store, known.as_of, known.scope):
        if one.product_id not in owners:
            owners[one.product_id] = known.similar.owners("product", one.product_id)
        near, pool = owners[one.product_id].get(one.account_id, 0), pools.get(one.account_id, 0)
        is_usual = near >= max(settings.similar_accounts, pool * settings.similar_own_from)
        if not (one.times_tried or is_usual):
            continue
        evidence = _product_evidence(one, near if is_usual else 0, pool)
        arr, basis = product_value(known, known.similar.of(one.account_id, "product", one.product_id), one.list_price)
        found.append(
            Offer(
                one.account_id,
                "product",
                one.product,
                evidence,
                arr,
                basis,
                one.product_id,
                one.tried_last,
                one.product_id,
            )
        )
    return found


def _product_evidence(one: Lacking, owners: int, pool: int) -> str:
    said = []
    if one.times_tried and one.tried_from and one.tried_last:
        first, last = words.day(one.tried_from), words.day(one.tried_last)
        when = f"on {first}" if first == last else f"from {first} to {last}"
        said.append(f"Tried {words.plural(one.times_tried, 'time')} {when} without owning it")
    if owners:
        said.append(f"{owners} of the {pool} most similar customers own it")
    return words.sentence(said)


def product_value(known: Known, near: Similar | None, list_price: float | None) -> tuple[float | None, str]:
    """Return what a product would bring a year, and from what that is estimated."""
    if near is not None and near.paid_arr is not None and len(near.owners) >= known.settings.similar_accounts:
        return near.paid_arr, f"median ARR that {len(near.owners)} similar customers pay for it"
    if list_price is not None:
        return list_price * 12, f"list price {words.money(list_price, known.currency)} a month × 12"
    return None, "no list price and too few similar owners to estimate it"


_TIERS = """
    with tiers as (
        select product_id, name, list_price_cents from products where kind = 'tier' and list_price_cents > 0
    ),
    active as (
        select line.account_id, line.product_id, sum(line.mrr_cents)::double * 12 / 100 as paid_arr
        from subscription_line line
        inner join scope on scope.account_id = line.account_id
        where line.starts_on <= $as_of and (line.ends_on is null or line.ends_on > $as_of)
        group by line.account_id, line.product_id
    ),
    own as (
        select active.account_id, tiers.product_id, tiers.name, coalesce(tiers.list_price_cents, 0) as list_price_cents, active.paid_arr
        from active
        left join tiers on tiers.product_id = active.product_id
        qualify row_number() over (partition by active.account_id order by tiers.list_price_cents desc nulls last, tiers.product_id) = 1
    ),
    steps as (
        select own.*, tiers.product_id as next_id, tiers.name as next_name, tiers.list_price_cents as next_price_cents
        from own
        inner join tiers on tiers.list_price_cents > own.list_price_cents
        qualify row_number() over (partition by own.account_id order by tiers.list_price_cents, tiers.product_id) = 1
    ),
    features as (
        select steps.account_id, feature.event, bool_or(feature.product_id is distinct from steps.next_id) as is_own
        from steps
        inner join product_events feature on true
        inner join products on products.product_id = feature.product_id
        where feature.product_id in (steps.product_id, steps.next_id)
            or steps.product_id is null and coalesce(products.is_core, products.kind = 'core')
        group by steps.account_id, feature.event
    ),
    used as (
        select account_id, event, day
        from account_day_event
        where day <= $as_of and day > $since and event in (select event from product_events)
    ),
    counted as (
        select
            features.account_id,
            count(distinct features.event) filter (is_own) as own_features,
            count(distinct used.event) filter (is_own) as own_used,
            count(distinct used.day) filter (is_own) as own_days,
            count(distinct used.event) filter (not is_own) as next_used
        from features
        left join used on used.account_id = features.account_id and used.event = features.event
        group by features.account_id
    )
    select
        steps.account_id, name, next_id, next_name, own_features, own_used, own_days, next_used, paid_arr,
        next_price_cents::double / 100 as next_price,
        next_price_cents::double / nullif(list_price_cents, 0) as price_ratio
    from steps
    inner join counted on counted.account_id = steps.account_id
    where next_used > 0 or own_features > 0 and own_used >= own_features * $features_from and own_days >= $days_from
    order by steps.account_id
"""


def tiers(known: Known) -> list[Offer]:
    """Return the customers that use what is at the top of their tier, or already above it.

    Tiers are the products of kind `tier`, ordered by list price; below the lowest stand the core products. The
    features of a tier are its `product_events`. An account without a tier also needs similar customers who own one.
    ARR: what the account pays for its tier × (list price of the next ÷ list price of its own − 1); for the first
    tier the same as for a product.
    """
    settings = known.settings
    rows = known.store.rows(
        _TIERS,
        scope=known.scope,
        as_of=known.as_of,
        since=known.ago(28),
        features_from=settings.tier_features_from,
        days_from=settings.tier_days_from,
    )
    found = []
    for account_id, name, next_id, next_name, features, used, days, above, paid, price, ratio in rows:
        near = known.similar.of(account_id, "product", next_id)
        owners = len(near.owners) if near else 0
        if account_id not in known.customers or not (above or ratio or owners >= settings.similar_accounts):
            continue
        said = (
            [f"{words.plural(above, 'feature')} of {next_name} used in the 28 days to {words.day(known.as_of)}"]
            if above
            else []
        )
        if features:
            said.append(
                f"{used} of {features} features of {name or 'the core product'} used in 28 days, on {words.plural(days, 'day')}"
            )
        if near and owners >= settings.similar_accounts:
            said.append(f"{owners} of the {near.pool} most similar customers own {next_name}")
        if ratio:
            arr: float | None = paid * (ratio - 1)
            basis = f"{words.money(paid, known.currency)} paid for {name} × {words.percent(ratio - 1)} higher list price of {next_name}"
        else:
            arr, basis = product_value(known, near, price)
        found.append(Offer(account_id, "price", next_name, words.sentence(said), arr, basis, next_id, about=next_id))
    return found

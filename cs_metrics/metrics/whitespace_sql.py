"""What a customer owns, as every question about white space and similar customers reads it."""

__all__ = ["OWNED"]

# Products owned on $as_of with the first day of owning and what is paid; a line without a product pays for the core ones.
OWNED = """
    lines as (
        select
            line.account_id,
            coalesce(line.product_id, core.product_id) as product_id,
            line.starts_on,
            case when line.starts_on <= $as_of and (line.ends_on is null or line.ends_on > $as_of)
                then line.mrr_cents end as now_cents,
            line.product_id is not null as is_named
        from subscription_line line
        left join (select product_id from products where coalesce(is_core, kind = 'core')) core on line.product_id is null
        where line.starts_on <= $as_of
    ),
    owned as (
        select
            account_id,
            product_id,
            min(starts_on) as owned_from,
            sum(case when is_named then now_cents end)::double * 12 / 100 as paid_arr
        from lines
        where product_id is not null
        group by account_id, product_id
        having count(now_cents) > 0
    )"""

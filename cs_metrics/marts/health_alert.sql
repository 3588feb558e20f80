-- one row per account and run of consecutive red weeks, from the configured number of weeks on
-- An alert opens the day after the Sunday that completes the run, and ends the day after the first Sunday that is not red.
with

runs as (
    select
        h.account_id,
        h.week_end - cast(7 * (h.weeks_red - 1) as integer) as first_week_end,
        min(case when h.weeks_red = s.alert_weeks then h.week_end end) as alerted_week_end,
        max(h.week_end) as last_week_end
    from account_week_health h
    cross join settings s
    where h.weeks_red > 0
    group by h.account_id, h.week_end - cast(7 * (h.weeks_red - 1) as integer)
),

newest as (
    select max(week_end) as week_end from account_week_health
)

select
    r.account_id,
    r.first_week_end,
    r.alerted_week_end,
    r.alerted_week_end + 1 as opened_on,
    case when r.last_week_end < n.week_end then r.last_week_end + 8 end as closed_on,
    case
        when r.last_week_end = n.week_end then cast(null as varchar)
        when h.account_id is null then 'lost'
        when h.colour = 'none' then 'not_valid'
        else 'success'
    end as closed_as
from runs r
cross join newest n
left join account_week_health h on h.account_id = r.account_id and h.week_end = r.last_week_end + 7
where r.alerted_week_end is not null
order by r.account_id, r.first_week_end

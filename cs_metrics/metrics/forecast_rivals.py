"""What became of past books, and three simple ways to have foretold it: the rivals of the forecast."""

import datetime as dt
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store

__all__ = ["COLUMNS", "HORIZONS", "RIVALS", "horizon_end", "quarter_ends", "rivals"]

HORIZONS = tuple(range(1, 13))
RIVALS = {"no_change": "no change", "last_year": "last year's rate", "health": "rate by health colour"}
Amounts = tuple[float, float, float]  # accounts, opening, closing
Moves = dict[tuple[str, dt.date, dt.date], dict[str, Amounts]]  # part, first and last day → colour
COLUMNS = {
    "part": "str",
    "as_of": "datetime64[us]",
    "horizon_months": "int64",
    "accounts": "int64",
    "opening": "float64",
    "actual": "float64",
    **dict.fromkeys(RIVALS, "float64"),
}
_QUARTERS = 12  # quarter-ends looked at, the newest ones

# What became, by a last day, of the ARR of the accounts in the book of a first day, by segment and by their health then.
# New customers are in neither.
_MOVES = """
    with asked as (
        select cast(unnest($firsts) as date) as first, cast(unnest($lasts) as date) as last
    ),
    firsts as (
        select distinct first from asked
    ),
    book as (
        select
            firsts.first,
            opening.account_id,
            opening.mrr_cents as opening_cents,
            coalesce(week.colour, 'none') as colour,
            coalesce(accounts.segment, '') as segment
        from firsts
        inner join mrr_interval opening
            on opening.from_day <= firsts.first and (opening.to_day is null or opening.to_day > firsts.first)
        inner join scope on scope.account_id = opening.account_id
        inner join accounts on accounts.account_id = opening.account_id
        left join account_week_health week
            on week.account_id = opening.account_id
            and week.week_end = firsts.first - cast(isodow(firsts.first) % 7 as integer)
    )
    select
        asked.first,
        asked.last,
        book.segment,
        book.colour,
        count(*) as accounts,
        sum(book.opening_cents)::double * 12 / 100 as opening,
        coalesce(sum(closing.mrr_cents), 0)::double * 12 / 100 as closing
    from asked
    inner join book on book.first = asked.first
    left join mrr_interval closing
        on closing.account_id = book.account_id
        and closing.from_day <= asked.last and (closing.to_day is null or closing.to_day > asked.last)
    group by asked.first, asked.last, book.segment, book.colour
    order by asked.first, asked.last, book.segment, book.colour
"""


def horizon_end(day: dt.date, months: int) -> dt.date:
    """Return the last day of the month so many months after that of `day` (before it when negative)."""
    return periods.month_end(periods.add_months(periods.month_start(day), months))


def quarter_ends(store: Store, as_of: dt.date) -> list[dt.date]:
    """Return the newest quarter-ends with a year of history before them and a month after them by the as-of day."""
    first = store.value("select min(from_day) from mrr_interval where from_day <= $as_of", as_of=as_of)
    if first is None:
        return []
    starts = periods.periods_between(periods.add_months(first, 12), as_of, "quarter")
    ends = [periods.period_end(start, "quarter") for start in starts]
    return [day for day in ends if horizon_end(day, HORIZONS[0]) <= as_of][-_QUARTERS:]


def rivals(store: Store, *, as_of: dt.date, scope: Scope, days: Sequence[dt.date]) -> pd.DataFrame:
    """Return, for each of some quarter-ends and each horizon by the as-of day, what came and what simple ways foretold.

    No change: every account stays as it is. Last year's rate: the book keeps the share of its ARR that the book of
    twelve months before kept, in proportion to the horizon. Rate by health colour: the ARR of each colour keeps the
    share that the ARR of that colour kept over the last so many months. A rate over fewer accounts than `min_accounts`
    is replaced by that of all colours, or by no change.

    Columns: those of `COLUMNS`; part is '' for all together, '=name' for a segment; actual is NaN where it is to come.
    """
    ahead = [(day, horizon_end(day, months)) for day in days for months in HORIZONS]
    back = [(horizon_end(day, -months), day) for day in days for months in HORIZONS]
    pairs = sorted(set(ahead) | set(back))
    # of a book whose end is to come only the size today is asked for
    asked = sorted({(first, min(last, as_of)) for first, last in pairs})
    firsts, lasts = [one[0] for one in asked], [one[1] for one in asked]
    moves: Moves = {}
    for row in store.rows(_MOVES, scope=scope, firsts=firsts, lasts=lasts):
        first, last, segment, colour, *amounts = row
        for part in ("", f"={segment}"):
            by_colour = moves.setdefault((part, first, last), {})
            known = by_colour.get(colour, (0.0, 0.0, 0.0))
            by_colour[colour] = (known[0] + amounts[0], known[1] + amounts[1], known[2] + amounts[2])
    fewest = store.config.min_accounts
    rows = [
        _foretold(moves, part, day, months, as_of, fewest)
        for part in sorted({key[0] for key in moves})
        for day in days
        for months in HORIZONS
        if (part, day, min(horizon_end(day, months), as_of)) in moves
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _foretold(moves: Moves, part: str, day: dt.date, months: int, as_of: dt.date, fewest: int) -> tuple[object, ...]:
    end = horizon_end(day, months)
    now = moves[part, day, min(end, as_of)]
    past = moves.get((part, horizon_end(day, -months), day), {})
    year = moves.get((part, horizon_end(day, -12), day), {})
    accounts, opening, closing = _sum(now.values())
    pooled = _kept(past.values(), fewest, 1.0)
    by_colour = sum(
        one[1] * _kept([past[colour]] if colour in past else [], fewest, pooled) for colour, one in now.items()
    )
    last_year = opening * _kept(year.values(), fewest, 1.0) ** (months / 12)
    actual = closing if end <= as_of else np.nan
    return part, pd.Timestamp(day), months, accounts, opening, actual, opening, last_year, by_colour


def _sum(moves: Iterable[Amounts]) -> Amounts:
    accounts, opening, closing = (sum(column) for column in zip(*moves, strict=True))
    return accounts, opening, closing


def _kept(moves: Iterable[Amounts], fewest: int, otherwise: float) -> float:
    """Return Σ closing ÷ Σ opening, `otherwise` over too few accounts."""
    of = list(moves)
    accounts, opening, closing = _sum(of) if of else (0.0, 0.0, 0.0)
    return closing / opening if opening and accounts >= fewest else otherwise

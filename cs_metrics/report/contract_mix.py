"""The sentences and pictures of contract mix and seasonality: when cost is recovered, and in which months customers leave."""

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say

__all__ = [
    "BILLINGS",
    "STANDINGS",
    "cohort_rows",
    "curves",
    "curves_title",
    "heatmap",
    "leavers_sentence",
    "season_bars",
    "season_title",
]

BILLINGS = {
    "all": "All",
    "monthly": "Monthly",
    "quarterly": "Quarterly",
    "annual": "Annual, prepaid",
    "multi_year": "Several years",
    "": "Not recorded",
}
STANDINGS = {"left_early": "Left within the season", "left_later": "Left later", "customer": "Customers"}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def curves(found: pd.DataFrame, minimum: int) -> c.Line:
    """Return the share that has recovered its cost by month, a line a billing; not where few are watched."""
    series = []
    for billing in BILLINGS:
        part = found[found["billing"] == billing]
        if part.empty or part["accounts"].iloc[0] < minimum:
            continue
        share = part["share"].where(part["watched"] >= minimum)
        notes = [f"{say.count(one)} accounts watched" for one in part["watched"]]
        series.append(c.Series(name=BILLINGS[billing], y=c.values(share), notes=notes))
    months = sorted(float(one) for one in found["months"].unique())
    return c.Line(x=months, series=series, unit="percent", x_title="Months since the first payment", from_zero=True,
                  marks=[c.Mark(label="Half", y=0.5)])  # fmt: skip


def curves_title(payback: pd.DataFrame, minimum: int) -> str:
    """Return how many months monthly and annual payers take to pay back what they cost."""
    by = {str(row["billing"]): row for row in payback.to_dict("records")}
    said = []
    for billing, word in (("monthly", "monthly payers"), ("annual", "annual payers")):
        if billing in by and by[billing]["with_cost"] >= minimum:
            median = float(by[billing]["median_months"])
            said.append(f"{word} in {say.number(median, 0)} months" if median == median else f"{word} not yet")
    if not said:
        return "Too few accounts with a known cost to say when it is recovered"
    text = ", ".join(said)
    return f"Half have paid back: {text}"


def cohort_rows(payback: pd.DataFrame, every: str, minimum: int) -> pd.DataFrame:
    """Return payback by cohort for a table: names in words, rates and medians of small groups blank."""
    rows = payback.assign(
        start=[say.period(day, every) for day in payback["cohort"].dt.date],  # type: ignore[arg-type]
        billing=payback["billing"].map(BILLINGS),
    )
    rates = ["median_months", "p25_months", "p75_months", "within_12_months", "within_24_months"]
    rows[rates] = rows[rates].where(rows["with_cost"] >= minimum)
    return rows


def leavers_title(found: pd.DataFrame, currency: str) -> str:
    """Return the message about monthly payers who leave after their season."""
    rows = found[(found["billing"] == "monthly") & (found["standing"] == "left_early") & (found["with_cost"] > 0)]
    if rows.empty:
        return "What customers brought, by billing and how long they stayed"
    net = float(rows["net"].iloc[0])
    word = "more than they brought" if net < 0 else "less than they brought"
    return f"Monthly payers who left early cost {say.money(abs(net), currency)} {word}"


def leavers_sentence(found: pd.DataFrame, currency: str, minimum: int) -> str:
    """Answer whether monthly payers who leave after their season cost more than they bring."""
    season = int(found["season_months"].iloc[0]) if len(found) else 0
    rows = found[(found["billing"] == "monthly") & (found["standing"] == "left_early") & (found["with_cost"] > 0)]
    if rows.empty:
        return "No monthly payer with a known cost has left within the season."
    row = rows.iloc[0]
    cost, margin, net = (float(row[name]) for name in ("acquisition_cost", "margin", "net"))
    who = f"{say.plural(row['with_cost'], 'monthly payer')} left within {say.plural(season, 'month')}"
    sums = f"they cost {say.money(cost, currency)} to win and brought {say.money(margin, currency)} of gross margin"
    verdict = (
        f"{say.money(-net, currency)} more than they brought"
        if net < 0
        else f"{say.money(net, currency)} less than they brought"
    )
    text = f"{who}: {sums}, so they cost {verdict}."
    if row["with_cost"] < minimum:
        return text
    shares = []
    for billing, word in (("monthly", "monthly"), ("annual", "annual")):
        part = found[(found["billing"] == billing) & (found["began"] >= minimum)]
        if len(part):
            shares.append(f"{say.percent(part['share_left_early'].iloc[0], 0)} of {word} payers")
    return f"{text} So soon left {', against '.join(shares)}." if shares else text


def season_bars(pooled: pd.DataFrame, measure: str, billing: str, minimum: int) -> c.Bars:
    """Return churn by calendar month, pooled over years; blank where the opening books hold few accounts."""
    part = pooled[pooled["billing"] == billing].set_index("month").reindex(range(1, 13))
    rates = part[measure].where(part["opening_accounts"] >= minimum)
    notes = [
        f"{say.count(lost)} of {say.count(book)} accounts, {say.plural(years, 'year')}" if say.is_known(book) else ""
        for lost, book, years in zip(part["churned_accounts"], part["opening_accounts"], part["years"], strict=True)
    ]
    return c.Bars(
        x=_MONTHS,
        series=[c.Series(name="Churn", y=c.values(rates), colour="bad", notes=notes)],
        unit="percent",
        shows_values=False,
    )


def season_title(pooled: pd.DataFrame, measure: str, billing: str, minimum: int) -> str:
    """Return the month in which most leave, against the mean of all months."""
    part = pooled[(pooled["billing"] == billing) & (pooled["opening_accounts"] >= minimum)]
    lost, book = (
        ("churned_accounts", "opening_accounts") if measure == "account_rate" else ("churned_mrr", "opening_mrr")
    )
    if part.empty or not part[lost].sum():
        return "Nobody has left in a month with enough accounts"
    worst = part.sort_values(measure, ascending=False, kind="stable").iloc[0]
    mean = part[lost].sum() / part[book].sum()
    return (
        f"{_MONTHS[int(worst['month']) - 1]} loses {say.percent(worst[measure])}, an average month {say.percent(mean)}"
    )


def heatmap(by_month: pd.DataFrame, measure: str, billing: str, minimum: int) -> c.Heatmap:
    """Return churn by year and month; months with few accounts show their counts."""
    part = by_month[by_month["billing"] == billing]
    years = sorted({int(year) for year in part["year"]}, reverse=True)
    cells: list[list[float | None]] = []
    notes: list[list[str]] = []
    texts: list[list[str]] = []
    by = {(int(row["year"]), int(row["month"])): row for row in part.to_dict("records")}
    for year in years:
        rows = [by.get((year, month)) for month in range(1, 13)]
        few = [row is not None and row["opening_accounts"] < minimum for row in rows]
        cells.append(
            [None if row is None or is_few else float(row[measure]) for row, is_few in zip(rows, few, strict=True)]
        )
        notes.append([_counts(row) if row else "" for row in rows])
        texts.append(
            [
                f"{row['churned_accounts']} of {row['opening_accounts']}" if row and is_few else ""
                for row, is_few in zip(rows, few, strict=True)
            ]
        )
    return c.Heatmap(rows=[str(year) for year in years], columns=_MONTHS, cells=cells, notes=notes, texts=texts,
                     unknown="no complete month")  # fmt: skip


def _counts(row: "dict[object, object]") -> str:
    return f"{row['churned_accounts']} of {row['opening_accounts']} accounts lost"

"""Who is healthy, which way do they move, is the score worth believing, and what revenue follows?"""

from functools import partial

from cs_metrics.report import format as say
from cs_metrics.report import health_charts as draw
from cs_metrics.report import portfolio
from cs_metrics.report.chart import Chart
from cs_metrics.ui import shell
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.health_columns import BUSY, MEASURES, PAST, PRAISE, PROOF, RISK, SCORES

GROUPS = {"total": "All together", "segment": "By segment", "stage": "By stage"}
HORIZONS = {"90": "90 days ago", "180": "180 days ago"}
SINCE = "vs 28 days before"
NO_PAST = "No quarter's end has a year of history before it and three months after it."

page = shell.begin(
    "Health",
    "Who is healthy, which way do they move, and is the score worth believing?",
    filters=[shell.Choice(key="by", label="Group", options=GROUPS)],
)
by, fewest = page.choices["by"], page.config.min_accounts


def picture(drawn: Chart, title: str, caption: str, metric: str, **options: object) -> None:
    page.chart(drawn, title=title, caption=caption, metric=(metric, options), key="_".join([metric, *options]))


def listed(metric: str, columns: dict[str, shell.Col], title: str, caption: str, empty: str = "No customer.") -> None:
    rows = page.metric(metric)
    page.table(rows, columns, title=title, caption=caption, metric=metric, key=metric, empty=empty)


def answer() -> None:
    now, proof = page.metric("health_summary").iloc[0], page.metric("health_backtest").iloc[0]
    red = f"{say.plural(now.red, 'account')} worth {page.money(now.red_arr)} {'is' if now.red == 1 else 'are'} at risk"
    believe = f"Back-test of the score over 90 days: {proof.verdict}."
    unknown = "" if now.scored else "no customer has a score"
    figure = partial(page.figure, since=SINCE, metric="health_summary", reason=unknown)
    counted = {"part": now.green, "whole": now.scored, "noun": "scored account"}
    share = figure("Healthy share of ARR", now.healthy_share, "percent", before=now.healthy_share_before, **counted)
    said = f"{share.value} of {'ARR' if now.scored >= fewest else 'the accounts'} is healthy; {red}. {believe}"
    page.answer(said if now.scored else f"{say.plural(now.customers, 'customer')}, and none has a health score.")
    if not now.has_product_data:
        page.note("No use of the product is recorded: satisfaction and tickets carry the score where they are known.")
    if now.mean_coverage < page.config.health.min_coverage:
        page.note(f"The score stands on {say.percent(now.mean_coverage, 0)} of its weights: nothing else is recorded.")
    down = f"{page.money(now.moved_down_arr)}; {say.count(now.moved_up)} moved up"
    sure = draw.auc_note(proof)
    page.figures(
        [
            share,
            figure("ARR at risk", now.red_arr, "money", before=now.red_arr_before, good="down"),
            figure("Accounts at risk", now.red, "count", before=now.red_before, good="down"),
            figure("Moved down in 28 days", now.moved_down, "count", note=down),
            Figure(label="Tells losses (AUC)", value=say.number(proof.auc, 2), note=sure, metric="health_backtest"),
        ],
        columns=5,
    )


def pictures() -> None:
    now = page.metric("health_summary").iloc[0]
    left, right = page.columns(1, 1)
    with left:
        rows = page.metric("health_distribution", by=by)
        mix = draw.mix(rows, page.currency, fewest)
        picture(mix, draw.mix_title(now), "accounts and ARR by health", "health_distribution", by=by)
        if small := draw.mix_note(rows, fewest):
            page.note(small)
    with right:
        weeks = page.metric("health_trend")
        title = draw.trend_title(weeks, page.currency, fewest)
        picture(draw.trend(weeks, page.currency, fewest), title, "ARR by health, each week as it was", "health_trend")
    left, right = page.columns(1, 1)
    with left:
        moves = page.metric("health_migration")
        caption = "accounts by health 90 days ago and now"
        picture(draw.migration(moves, page.currency), draw.migration_title(moves), caption, "health_migration")
    with right:
        if not now.scored:
            page.empty("No account has enough data for a score; the list says what each one needs.")
            return
        bands = draw.scores(page.metric("health_distribution", bins=20), page.currency)
        title = f"{say.plural(now.scored, 'account')} of {say.count(now.customers)} have a score"
        picture(bands, title, "accounts by score", "health_distribution", bins=20)


def proof() -> None:
    days = page.choose("horizon", "Looking back", HORIZONS)
    rows = page.metric("health_backtest", horizon_days=days)
    rows["rate"] = [say.rate(one.lost, one.accounts, minimum=fewest) for one in rows.itertuples()]
    caption = f"accounts by their health {HORIZONS[days]}: share that churned or shrank since, 95% interval"
    title = f"Back-test over {days} days: {rows.verdict.iloc[0]}"
    picture(draw.backtest(rows, fewest), title, caption, "health_backtest", horizon_days=days)
    title, asked = (
        f"The customers of {say.date(rows.snapshot_day.iloc[0])}",
        ("health_backtest", {"horizon_days": days}),
    )
    page.table(rows[rows.accounts > 0], PROOF, title=title, caption="what became of them", metric=asked, key="proof")


def forecast() -> None:
    past, ahead, wide = page.metric("retention_trend"), page.metric("forecast"), page.metric("forecast", level=0.95)
    caption = f"ARR of today's customers, {page.currency}, with 80% and 95% intervals"
    picture(portfolio.arr_fan(past, ahead, wide), portfolio.arr_fan_title(ahead, page.currency), caption, "forecast")
    listed("forecast_backtest", PAST, "What it said before, and what came", "at past quarter-ends", NO_PAST)


LISTS = {
    "Customers": ("health", SCORES, "Every customer, the lowest score first", "score of the last complete week"),
    "At risk": (
        "at_risk",
        RISK,
        "Accounts at risk, why, and what is under way",
        "two of four signs, or red; the gravest cause first",
        "No account shows two signs of risk, and none is red.",
    ),
    "Busy": (
        "busy_but_not_winning",
        BUSY,
        "Busy but not winning",
        "use is green, the customer's own result red",
        "No account with high use has a falling result.",
    ),
    "Advocates": (
        "advocates",
        PRAISE,
        "Whom to ask for a reference",
        "healthy promoters whose own result does not fall",
        "No healthy account answers NPS high enough.",
    ),
    "Definition": ("health_dimensions", MEASURES, "What the score is made of", "measures, scales and weights in force"),
}
with page.guard():
    answer()
    if page.metric("health_summary").customers.iloc[0]:
        pictures()
    listed(*LISTS.pop("Customers"))
page.tabs(
    {
        "At risk": partial(listed, *LISTS["At risk"]),
        "Does the score work?": proof,
        "Revenue forecast": forecast,
        "Busy but not winning": partial(listed, *LISTS["Busy"]),
        "Advocates": partial(listed, *LISTS["Advocates"]),
        "What the score is made of": partial(listed, *LISTS["Definition"]),
    }
)

"""The head of the page Health: who is healthy in a sentence, figures and two pictures; its first list, and its moves."""

from functools import partial

from cs_metrics.report import format as say
from cs_metrics.report import health_charts as draw
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.health_columns import SCORES
from cs_metrics.ui.shell import Page

__all__ = ["GROUPS", "draw_answer", "draw_customers", "draw_moves", "draw_pictures"]

GROUPS = {"total": "Total", "segment": "Segment", "stage": "Stage", "csm": "CSM"}
_SINCE = "vs 28 days before"


def draw_answer(page: Page) -> None:
    """Say who is healthy, what is at risk and whether to believe it; then the row of figures."""
    now, proof = page.metric("health_summary").iloc[0], page.metric("health_backtest").iloc[0]
    red = f"{say.plural(now.red, 'account')} worth {page.money(now.red_arr)} {'is' if now.red == 1 else 'are'} at risk"
    believe = f"Back-test of the score over 90 days: {proof.verdict}."
    unknown = "" if now.scored else "no customer has a score"
    figure = partial(page.figure, since=_SINCE, metric="health_summary", reason=unknown)
    counted = {"part": now.green, "whole": now.scored, "noun": "scored account"}
    share = figure("Healthy share of ARR", now.healthy_share, "percent", before=now.healthy_share_before, **counted)
    of = "ARR" if now.scored >= page.config.min_accounts else "the accounts"
    said = f"{share.value} of {of} is healthy; {red}. {believe}"
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


def draw_pictures(page: Page) -> None:
    """Draw the mix of colours now, in the groups that were chosen, and its course over the last year."""
    now, fewest, by = page.metric("health_summary").iloc[0], page.config.min_accounts, page.choices["by"]
    if not now.customers:
        return
    left, right = page.columns(1, 1)
    with left:
        rows = page.metric("health_distribution", by=by)
        page.chart(
            draw.mix(rows, page.currency, fewest),
            title=draw.mix_title(now),
            caption="accounts and ARR by health",
            metric=("health_distribution", {"by": by}),
            key="mix",
            note=draw.mix_note(rows, fewest),
        )
    with right:
        weeks = page.metric("health_trend")
        page.chart(
            draw.trend(weeks, page.currency, fewest),
            title=draw.trend_title(weeks, page.currency, fewest),
            caption="ARR by health, each week as it was",
            metric="health_trend",
            key="trend",
        )


def draw_customers(page: Page) -> None:
    """Draw the list of every customer."""
    page.table(
        page.metric("health"),
        SCORES,
        title="Every customer, the lowest score first",
        caption="score of the last complete week",
        metric="health",
        key="health",
        empty="No customer.",
    )


def draw_moves(page: Page) -> None:
    """Draw who went from which colour to which in 90 days, and how many have which score."""
    now = page.metric("health_summary").iloc[0]
    left, right = page.columns(1, 1)
    with left:
        moves = page.metric("health_migration")
        page.chart(
            draw.migration(moves, page.currency),
            title=draw.migration_title(moves),
            caption="accounts by health 90 days ago and now",
            metric="health_migration",
            key="migration",
        )
    with right:
        if not now.scored:
            page.empty("No account has enough data for a score; the list says what each one needs.")
            return
        page.chart(
            draw.scores(page.metric("health_distribution", bins=20), page.currency),
            title=f"{say.plural(now.scored, 'account')} of {say.count(now.customers)} have a score",
            caption="accounts by score",
            metric=("health_distribution", {"bins": 20}),
            key="scores",
        )

"""The head of the page Health: who is healthy in a sentence, figures and two pictures; its first list, and its moves."""

from functools import partial

import streamlit as st

from cs_metrics import periods
from cs_metrics.report import format as say
from cs_metrics.report import health_charts as draw
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.health_columns import MOVES, OVERRIDES, PEOPLE, SCORES
from cs_metrics.ui.shell import Page

__all__ = ["GROUPS", "draw_answer", "draw_customers", "draw_moves", "draw_pictures", "said"]

GROUPS = {"total": "Total", "segment": "Segment", "stage": "Stage", "csm": "CSM"}
_SINCE = "vs 28 days before"
_OF = {"accounts": "Accounts", "people": "End users"}
_MEASURED = {"accounts": "Accounts", "arr": "ARR"}
_SPANS = {"90": "90 days", "28": "28 days", "180": "180 days"}


def draw_answer(page: Page) -> None:
    """Say who is healthy, what is at risk and whether to believe it; then the row of figures."""
    now, proof = page.metric("health_summary").iloc[0], page.metric("health_backtest").iloc[0]
    red = f"{say.plural(now.red, 'account')} worth {page.money(now.red_arr)} {'is' if now.red == 1 else 'are'} at risk"
    believe = f"Back-test of the score over 90 days: {proof.verdict}."
    if now.alerts:
        red = f"{red}, {say.count(now.alerts)} of them for two weeks or more"
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
            Figure(label="Tells losses (AUC)", value=say.fixed(proof.auc), note=sure, metric="health_backtest"),
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
            note=" ".join(one for one in (draw.mix_note(rows, fewest), draw.override_note(now)) if one),
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
    """Draw the list of every customer: the score of the account, or the people behind it."""
    of = page.choose("of", "Whose health", _OF)
    if of == "people":
        people = page.metric("end_user_health")
        hidden = int(people["is_hidden"].sum())
        page.table(
            people,
            PEOPLE,
            title=f"{say.plural(hidden, 'green account')} {'hides' if hidden == 1 else 'hide'} idle seats",
            caption="known users of the last four complete weeks, the most idle seats first",
            metric="end_user_health",
            key="people",
            empty="No customer.",
        )
        return
    rows = page.metric("health")
    rows["said"] = [said(colour, by) for colour, by in zip(rows["override_colour"], rows["override_by"], strict=True)]
    page.table(
        rows,
        SCORES,
        title="Every customer, the lowest score first",
        caption="score of the last complete week",
        metric="health",
        key="health",
        empty="No customer.",
    )
    overrides = page.metric("health_overrides")
    if len(overrides):
        page.table(
            overrides,
            OVERRIDES,
            title="What people said instead of the score",
            caption="the newest first, with what came of it",
            metric="health_overrides",
            key="overrides",
        )


def said(colour: object, by: object) -> str:
    """Return what a person says instead of a score: colour and name, empty where nobody does."""
    return f"{say.health(colour)} ({by})" if isinstance(colour, str) and colour else ""


def draw_moves(page: Page) -> None:
    """Draw who went from which colour to which, as matrix and flows, group by group, and how many have which score."""
    now, fewest, by = page.metric("health_summary").iloc[0], page.config.min_accounts, page.choices["by"]
    with st.container(horizontal=True, gap="small"):
        of = page.choose("moves_of", "By", _MEASURED)
        days = page.choose("moves_days", "Within", _SPANS)
    since = periods.add_days(page.as_of, -int(days))
    moves, asked = page.metric("health_migration", from_=since), ("health_migration", {"from": since})
    title, caption = draw.migration_title(moves, page.currency, of), f"health {days} days ago and now"
    left, right = page.columns(1, 1)
    with left:
        table = draw.matrix(moves, page.currency, of)
        page.chart(table, title=title, caption=caption, metric=asked, key="matrix")
    with right:
        flows = draw.migration(moves, page.currency, of)
        page.chart(flows, title="The same as flows", caption=caption, metric=asked, key="migration")
    left, right = page.columns(1, 1)
    with left:
        if not now.scored:
            page.empty("No account has enough data for a score; the list says what each one needs.")
        else:
            page.chart(
                draw.scores(page.metric("health_distribution", bins=20), page.currency),
                title=f"{say.plural(now.scored, 'account')} of {say.count(now.customers)} have a score",
                caption="accounts by score",
                metric=("health_distribution", {"bins": 20}),
                key="scores",
            )
    with right:
        _draw_groups(page, "segment" if by == "total" else by, fewest)
    group = "segment" if by == "total" else by
    page.table(
        draw.moved(page.metric("health_migration", from_=since, by=group)),
        MOVES,
        title=f"Who moved, by {'CSM' if group == 'csm' else group}",
        caption=caption,
        metric=("health_migration", {"from": since, "by": group}),
        key="moved",
        opens=None,
    )


def _draw_groups(page: Page, group: str, fewest: int) -> None:
    weeks = page.metric("health_trend", by=group)
    page.chart(
        draw.risk_by_group(weeks, fewest),
        title=f"Share of ARR at risk, by {'CSM' if group == 'csm' else group}",
        caption="each week as it was, the six largest",
        metric=("health_trend", {"by": group}),
        key="risk_by_group",
    )

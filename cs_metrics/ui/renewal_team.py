"""The team on the renewals page: the leaderboard with its course, and the pay calculator."""

from typing import Any

import streamlit as st

from cs_metrics.metrics.leaderboard import quarter_of, quarters
from cs_metrics.report import format as say
from cs_metrics.report import renewal_results as words
from cs_metrics.ui.negotiation import draw_raci
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col

__all__ = ["draw"]

_KINDS = {"renewal": "Renewals", "expansion": "Expansion", "all": "Both"}
_LEVELS = {"person": "People", "team": "Teams"}
_COUNTS = {"due": "Where it was due", "decided": "When it was decided"}
_BOARD = {
    "rank": Col(label="Rank", kind="count", width=64),
    "name": Col(label="Name", is_pinned=True),
    "team": Col(label="Team"),
    "target": Col(label="Target", kind="money"),
    "attained": Col(label="Attained", kind="money"),
    "attainment": Col(label="Attainment", kind="percent"),
    "gap": Col(label="To go", kind="money"),
    "rank_before": Col(label="A week before", kind="count", help="Rank a week before"),
    "deals": Col(label="Deals", kind="count"),
    "today_arr": Col(label="Today", kind="money", help="Booked on the as-of day"),
    "rank_today": Col(label="Rank today", kind="count"),
    "multi_year_arr": Col(
        label="Several years", kind="money", help="New ARR of renewals over several years, counted apart"
    ),
    "expansion_at_renewal_arr": Col(label="Added at renewal", kind="money", help="Counted apart from attainment"),
    "late_arr": Col(label="Late", kind="money", help="Renewed after the quarter had closed: in no attainment"),
}
_STEPS = {
    "step": Col(label="Step", width=200),
    "result": Col(label="Result", width=110),
    "how": Col(label="How", width=330),
}


def draw(page: Page) -> None:
    """Draw the leaderboard, the pay calculator, and who does what."""
    with page.guard():
        _board(page)
    with page.guard():
        _pay(page)
    with page.guard():
        draw_raci(page)


def _board(page: Page) -> None:
    now, _ = quarter_of("", page.as_of)
    names = quarters(page.store, page.as_of)[:12]
    with st.container(horizontal=True, gap="small"):
        kind = page.choose("board_kind", "What", _KINDS)
        level = page.choose("board_level", "Who", _LEVELS)
        quarter = page.choose("board_quarter", "Quarter", {one: one for one in names}, now, is_list=True, width=130)
        counts = page.choose("board_counts", "Counts", _COUNTS, is_list=True, width=200)
    asked: dict[str, Any] = {"kind": kind, "level": level, "quarter": quarter, "counts": counts}
    board = page.metric("leaderboard", **asked)
    if board.empty:
        page.empty(f"Nobody has a target or a result in {quarter}.", title="Leaderboard")
        return
    title = words.board_title(board, ("person", "people") if level == "person" else ("team", "teams"))
    if board["rank"].notna().any():
        page.chart(
            words.course(page.metric("leaderboard_course", **asked), board),
            title=title,
            caption=f"attainment of the target of {quarter}; {say.percent(board['elapsed'].iloc[0], 0)} of the quarter has passed",
            metric=("leaderboard_course", asked),
            key="course",
        )
    page.table(
        board,
        {name: col for name, col in _BOARD.items() if level == "person" or name != "team"},
        title="Target, attainment and rank" if board["rank"].notna().any() else title,
        caption=f"{quarter}; several years, added at renewal and late are not in attainment",
        metric=("leaderboard", asked),
        key="board",
        opens=None,
        rows=14,
    )


def _pay(page: Page) -> None:
    settings, known = page.config.pay, [str(name) for name in page.metric("leaderboard")["name"] if name]
    with page.card("What a quarter pays", "type in any case, or take a person's quarter", key="pay", has_scope=False):
        person = st.selectbox(
            "Person", ["", *known], format_func=lambda one: one or "An example", key="pay_person", width=240
        )
        found = page.metric("pay", person=person).set_index("step")["amount"]
        weights = (settings.expansion_weight, settings.extra_year_weight or 1.0)
        target = (
            float(found["Counts against the target"] / found["Attainment"])
            if found["Attainment"]
            else settings.quarterly_target
        )
        start = {
            "on_target_year": settings.on_target_year,
            "base_share": 100 * settings.base_share,
            "target": target,
            "renewed": float(found["Renewed"]),
            "expansion": float(found["Expansion"]) / weights[0],
            "extra_years": float(found["Longer terms"]) / weights[1],
        }
        labels = [
            "Pay of a year on target",
            "Base, % of it",
            "Target of the quarter",
            "Renewed",
            "Expansion",
            "ARR × further years",
        ]
        given: dict[str, Any] = {}
        for area, (name, value), label in zip(page.columns(*[1] * 6), start.items(), labels, strict=True):
            given[name] = area.number_input(
                label, min_value=0.0, value=round(value, 2), step=None, format="%.0f", key=f"pay_{name}_{person}"
            )
        given["base_share"] = min(given["base_share"], 100.0) / 100
        asked: dict[str, Any] = {"person": person, **given}
        steps = page.metric("pay", **asked)
        curve = page.metric("pay_curve", **{name: given[name] for name in ("on_target_year", "base_share", "target")})
    left, right = page.columns(3, 2)
    with left:
        shown = steps.assign(
            result=[_result(*one, page.currency) for one in zip(steps["amount"], steps["unit"], strict=True)]
        )
        page.table(
            shown,
            _STEPS,
            title=words.pay_title(steps, page.currency),
            caption="the sum, step by step",
            metric=("pay", asked),
            key="pay_steps",
            opens=None,
        )
    with right:
        attainment = float(steps.set_index("step")["amount"]["Attainment"])
        page.chart(
            words.pay_picture(curve, attainment),
            title="Pay by attainment",
            caption="of a quarter",
            metric=("pay_curve", {}),
            key="pay_curve",
        )


def _result(amount: float, unit: str, currency: str) -> str:
    return say.percent(amount) if unit == "percent" else f"{currency} {say.count(amount)}"

"""The tabs of the Account page below what to say: people, use, value, renewal and expansion, notes and calls."""

from typing import Any

import streamlit as st

from cs_metrics.metrics.whitespace import STATES
from cs_metrics.report import account as words
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.ui import desk
from cs_metrics.ui.account_columns import DEPARTMENTS, FEATURES, GAINS, LISTS, OFFERS, PRODUCTS, USERS
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.shell import Page
from cs_metrics.ui.words import plain

__all__ = ["growth", "notes", "people", "use", "value"]


def _listed(page: Page, name: str, account_id: str, empty: str = "None on this day.") -> None:
    with page.guard():
        about: dict[str, Any] = {"account_id": account_id}
        (title, columns), rows = LISTS[name], page.metric(name, **about)
        rows = words.promises(rows) if name == "account_promises" else rows
        page.table(rows, columns, title=title, metric=(name, about), key=name, opens=None, empty=empty)


def people(page: Page, account_id: str) -> None:
    """Draw the end users: how many in which state, on how few the use rests, by department, and each; and who decides."""
    about: dict[str, Any] = {"account_id": account_id}
    with page.guard():
        totals, asked = page.metric("account_user_totals", **about).iloc[0], ("account_user_totals", about)
        shown = {
            "Users": (say.count(totals["users"]), f"{say.count(totals['lost'])} more are lost"),
            "Active in 28 days": (say.count(totals["active"]), f"{say.count(totals['new'])} new beside them"),
            "Idle": (say.count(totals["idle"]), "no use in 28 days"),
            "Use by the most active": (say.percent(totals["top_share"], 0), "of all use in 28 days"),
        }
        page.figures([Figure(label=one, value=its[0], note=its[1], metric=asked) for one, its in shown.items()])
        if said := words.concentration(totals):
            page.note(said)
    left, right = page.columns(2, 3)
    with left, page.guard():
        rows, asked = page.metric("account_departments", **about), ("account_departments", about)
        page.table(rows, DEPARTMENTS, title="Users by department", metric=asked, key="departments", opens=None)
    with right, page.guard():
        users, asked = page.metric("account_users", **about), ("account_users", about)
        page.table(users, USERS, title="Users", caption="Active last first", metric=asked, key="users", opens=None)
    _listed(page, "account_contacts", account_id)


def use(page: Page, account_id: str) -> None:
    """Draw the features used beside similar accounts, and the milestones reached."""
    about: dict[str, Any] = {"account_id": account_id}
    with page.guard():
        rows, asked = page.metric("account_features", **about), ("account_features", about)
        caption = (
            f"28 days to the last Sunday; similar: {rows['basis'].iloc[0]}"
            if len(rows)
            else "28 days to the last Sunday"
        )
        empty = "Neither this account nor a similar one used anything in 28 days."
        title = words.features_title(rows)
        page.table(
            rows, FEATURES, title=title, caption=caption, metric=asked, key="features", opens=None, rows=14, empty=empty
        )
    _listed(page, "account_milestones", account_id)


def value(page: Page, account_id: str) -> None:
    """Draw what the customer got in numbers, and its own results with their course."""
    about: dict[str, Any] = {"account_id": account_id}
    rows, asked = words.gains(page.metric("account_value", **about), page.currency), ("account_value", about)
    page.table(
        rows, GAINS, title="Value in numbers", caption="Results, help and use", metric=asked, key="gains", opens=None
    )
    with page.guard():
        rows, asked = page.metric("account_outcomes", **about), ("account_outcomes", about)
        for name in rows["metric"].unique():
            _result(page, rows[rows["metric"] == name], str(name), asked)
        if rows.empty:
            page.empty("No result of a month that is over is known for this account.")


def _result(page: Page, rows: Any, name: str, asked: Any) -> None:
    word, moved = name.replace("_", " ").capitalize(), rows["change_3_months"].iloc[-1]
    course = "up" if moved > 0 else "down"
    title = f"{word} is {course} {say.percent(abs(moved))} over three months" if say.is_known(moved) else word
    drawn = c.Line(
        x=list(rows["month"].dt.date),
        series=[c.Series(name=word, y=c.values(rows["value"]))],
        unit="number",
        from_zero=True,
    )
    page.chart(drawn, title=title, caption="The customer's own result by month", metric=asked, key=f"result_{name}")


def growth(page: Page, account_id: str) -> None:
    """Draw the renewal with its reasons and the contracts, the opportunities, and what the account owns, tried and lacks."""
    about: dict[str, Any] = {"account_id": account_id}
    now = page.metric("account_header", **about).iloc[0]
    with page.card("Renewal", words.renewal(now, page.money), metric=("account_header", about), key="renewal"):
        for label, lines in words.renewal_reasons(now).items():
            st.markdown("\n".join([f"**{label}**", *(f"- {plain(one)}" for one in lines)]))
    _listed(page, "account_contracts", account_id, "No contract is recorded for this account.")
    with page.guard():
        rows, empty = page.metric("expansion"), "No rule finds an opportunity here on this day."
        page.table(rows, OFFERS, title="Opportunities", metric="expansion", key="offers", opens=None, empty=empty)
    with page.guard():
        products = page.metric("whitespace")
        products["words"] = products["state"].map(STATES)
        page.table(products, PRODUCTS, title="Products", metric="whitespace", key="products", opens=None)


def notes(page: Page, account_id: str) -> None:
    """Draw the desk of the account, and its promises and tickets."""
    desk.draw(page, account_id, key="account")
    for area, name in zip(page.columns(1, 1), ("account_tickets", "account_promises"), strict=True):
        with area:
            _listed(page, name, account_id)

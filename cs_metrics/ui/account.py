"""The top of the Account page: which account, its figures, and what to say to it."""

from contextlib import suppress
from typing import Any, Literal

import pandas as pd
import streamlit as st

from cs_metrics.errors import CsMetricsError, MissingTable
from cs_metrics.metrics.account import headline, notices, people, profile
from cs_metrics.report import account as words
from cs_metrics.report import format as say
from cs_metrics.ui import walk
from cs_metrics.ui.account_beginnings import beginnings
from cs_metrics.ui.account_columns import CHANGES, FOUND
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.shell import Page
from cs_metrics.ui.words import plain

__all__ = ["choose", "chosen", "facts", "talk"]

Row = pd.Series


def chosen(page: Page) -> str:
    """Return the account that the URL names, '' where it names none that is there; narrow the page to it.

    Why an account cannot be shown is said in a sentence.
    """
    asked = page.param("account")
    if not asked:
        return ""
    try:
        page.metric("account_header", account_id=asked, scope=page.scope.also(account_id=asked))
    except CsMetricsError as error:
        page.empty(str(error), title="This account cannot be shown")
        return ""
    page.filters.scope = page.scope.also(account_id=asked)
    return asked


def choose(page: Page) -> None:
    """Draw all accounts to choose from."""
    text = page.search("search", "Name or id")
    found = page.metric("account_search", text=text)
    is_near = len(found) and not found["is_match"].iloc[0]
    caption = "No name holds this; names like it" if is_near else "Click a row; the largest first"
    page.table(
        found,
        FOUND,
        title="Choose an account",
        caption=caption,
        metric=("account_search", {"text": text}),
        key="accounts",
        rows=18,
        empty="No account is called like this on this day.",
    )


def facts(page: Page, account_id: str) -> None:
    """Draw the head: the answer, who the account is and who decides there, its figures, and why the health is as it is."""
    about: dict[str, Any] = {"account_id": account_id}
    now = page.metric("account_header", **about).iloc[0]
    page.named(now["name"])
    walk.draw(page, account_id)
    page.answer(headline(now, page.money, say.health(now["colour"])))
    has = {"has_events": page.store.has("events"), "has_contracts": page.store.has("contracts")}
    for notice in notices(now, **has):
        page.note(f":material/info: {notice}")
    lines = [profile(now)]
    with suppress(MissingTable):
        lines.append(people(page.metric("account_contacts", **about)))
    page.note("  \n".join(lines))
    page.figures(_figures(page, now, about), columns=6)
    begun = beginnings(page, account_id, is_onboarding=now["stage"] == "onboarding")
    if begun:
        page.note("  \n".join(said if said.startswith(label) else f"{label}: {said}" for label, said in begun.items()))


def _figures(page: Page, now: Row, about: dict[str, Any]) -> list[Figure]:
    asked = ("account_header", about)
    course = page.metric("account_course", **about)
    good: Literal["none", "up"] = (
        "none" if now["trend"] == "steady" else "up"
    )  # a change within the dead band is no change
    moved = say.change(now["score"], now["score_before"], "number", since="28 days", good=good)
    found = [
        Figure(
            label="ARR", value=page.money(now["arr"]), note=str(now["stage"]), spark=list(course["arr"]), metric=asked
        ),
        Figure(
            label="Health",
            value=say.number(now["score"], 0),
            change=moved,
            note=say.health(now["colour"]),
            spark=list(course["score"]),
            metric=asked,
        ),
        _renewal(page, now, about),
        Figure(
            label="Active users",
            value=say.count(now["active_users"]),
            note=f"of {say.plural(now['seats'], 'seat')} in 28 days"
            if say.is_known(now["active_users"])
            else "no use is known",
            spark=list(course["active_users"]),
            metric=asked,
        ),
        Figure(
            label="Open calls to action",
            value=say.count(now["open_ctas"]),
            note=f"{say.plural(now['open_tickets'], 'ticket')}, {say.plural(now['open_promises'], 'promise')}",
            metric=asked,
        ),
    ]
    if say.is_known(now["onboarding_colour"]):
        note = f"next: {now['next_milestone']}" if say.is_known(now["next_milestone"]) else "all milestones reached"
        found.append(Figure(label="Onboarding", value=say.health(now["onboarding_colour"]), note=note, metric=asked))
    return found


def _renewal(page: Page, now: Row, about: dict[str, Any]) -> Figure:
    asked = ("account_header", about)
    if not say.is_known(now["days_left"]):
        return Figure(label="Renewal", value=say.UNKNOWN, note="no open contract", metric=asked)
    left = now["days_left"]
    value = f"{say.days(-left)} overdue" if left < 0 else say.ahead(left)
    due = page.money(now["renewal_arr"])
    likely = f"{say.percent(now['likelihood'], 0)} likely, {due}"
    note = likely if say.is_known(now["likelihood"]) else f"{due} on {say.date(now['renewal_on'])}"
    return Figure(label="Renewal", value=value, note=note, metric=asked)


def talk(page: Page, account_id: str) -> None:
    """Draw what to say: what changed since the last review, and what drives it and is to be brought up."""
    about: dict[str, Any] = {"account_id": account_id}
    left, right = page.columns(1, 1)
    with left, page.guard():
        rows = words.changes(page.metric("account_changes", **about), page.currency)
        first = rows.iloc[0]
        caption = f"Since the {first['since_what']}" if first["has_review"] else first["since_what"]
        title, asked = words.changes_title(rows), ("account_changes", about)
        page.table(rows, CHANGES, title=title, caption=caption, metric=asked, key="changes", opens=None, rows=9)
    with right, page.guard():
        now, agenda = page.metric("account_header", **about).iloc[0], page.metric("account_agenda", **about)
        both = [("account_agenda", about), ("account_header", about)]
        with page.card("What to say", words.agenda_caption(agenda), metric=both, key="talk", has_scope=False):
            for label, lines in words.agenda(now, agenda).items():
                listed = "\n".join(f"- {plain(one)}" for one in lines)
                st.markdown(f"**{label}**\n{listed}")

"""What must I know and say in the next meeting with this account?"""

import streamlit as st

from cs_metrics.metrics.account import choices, headline, profile
from cs_metrics.metrics.timeline import KINDS
from cs_metrics.metrics.whitespace import STATES
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.ui import desk, shell
from cs_metrics.ui.account_beginnings import beginnings
from cs_metrics.ui.account_columns import CHANGES, DEPARTMENTS, FOUND, LISTS, OFFERS, PRODUCTS, TIMELINE, USERS
from cs_metrics.ui.shell import Figure

MOVES = {"percent": "points", "score": "number"}

page = shell.begin("Account", "What must I know and say in the next meeting?", has_scope=False)
asked, found = page.param("account"), page.metric("account_search")
known = choices(found)
account = page.pick("account", "Account", {"": "Choose an account", **known})
if not account:
    if asked and asked not in known:
        with page.guard():
            page.metric("account_header", account_id=asked)
    title, caption = "Choose an account", "Search above, or click a row; the largest first"
    page.table(found, FOUND, title=title, caption=caption, metric="account_search", key="accounts", rows=18)
    st.stop()
page.filters.scope = page.scope.also(account_id=account)
about = {"account_id": account}


def facts() -> None:
    now, asked = page.metric("account_header", **about).iloc[0], ("account_header", about)
    page.answer(headline(now, page.money, say.health(now.colour)))
    page.note(profile(now))
    chance = (
        f"likelihood {say.percent(now.likelihood, 0)}" if say.is_known(now.likelihood) else say.date(now.renewal_on)
    )
    seats = f"of {say.plural(now.seats, 'seat')} in 4 weeks"
    shown = {
        "ARR": (page.money(now.arr), now.stage),
        "Contract due": (page.money(now.renewal_arr), chance),
        "Active users": (say.count(now.active_users), seats if say.is_known(now.active_users) else "no use is known"),
        "Open": (say.plural(now.open_tickets, "ticket"), say.plural(now.open_promises, "promise")),
    }
    good = "none" if now.trend == "steady" else "up"  # a change within the dead band is no change
    course = say.change(now.score, now.score_before, "number", since="28 days", good=good)
    word = say.health(now.colour)
    score = Figure(label="Health", value=say.number(now.score), change=course, note=word, metric=asked)
    others = [Figure(label=one, value=its[0], note=its[1], metric=asked) for one, its in shown.items()]
    page.figures([others[0], score, *others[1:]], columns=5)
    reasons = {
        "Health": now.reasons,
        "Alert": now.alert,
        "For the renewal": now.reasons_for,
        "Against": now.reasons_against,
        "Next step": now.next_step,
        "Next milestone": now.next_milestone,
    }
    for label, words in {**reasons, **beginnings(page)}.items():
        if words and words == words:
            page.note(f"{label}: {words}")


def course() -> None:
    left, right = page.columns(3, 2)
    with left, page.guard():
        weeks, asked = page.metric("account_usage", **about), ("account_usage", about)
        by_users = weeks.active_users.notna().all()
        values = weeks.active_users if by_users else weeks.times
        series = [c.Series(name="Active users" if by_users else "Uses", y=c.values(values))]
        caption = "Known users active in the week" if by_users else "Uses in the week; no user is named"
        drawn = c.Line(x=list(weeks.week.dt.date), series=series, unit="count", from_zero=True, height=330)
        page.chart(drawn, title="Use by week", caption=caption, metric=asked, key="usage")
    with right, page.guard():
        rows = page.metric("account_changes", **about)
        pairs = {"before_words": rows.before, "now_words": rows.now}
        for name, column in pairs.items():
            rows[name] = [say.value(one, unit, page.currency) for one, unit in zip(column, rows.unit, strict=True)]
        moved = zip(rows.now, rows.before, rows.unit, strict=True)
        changes = [say.change(now, then, MOVES.get(unit, unit), currency=page.currency) for now, then, unit in moved]
        rows["change_words"] = [one.text if one else say.UNKNOWN for one in changes]
        caption = f"Since the {rows.since_what.iloc[0]}" if rows.has_review.iloc[0] else rows.since_what.iloc[0]
        title, asked = "What changed since the last review", ("account_changes", about)
        page.table(rows, CHANGES, title=title, caption=caption, metric=asked, key="changes", opens=None)


def listed(name: str) -> None:
    with page.guard():
        (title, columns), rows = LISTS[name], page.metric(name, **about)
        page.table(rows, columns, title=title, metric=(name, about), key=name, opens=None, empty="None on this day.")


def waiting() -> None:
    desk.draw(page, account, key="account")
    for names in (("account_tickets", "account_promises"), ("account_milestones", "account_contacts")):
        for area, name in zip(page.columns(1, 1), names, strict=True):
            with area:
                listed(name)


def timeline() -> None:
    kind = page.choose("kind", "Kind", {"all": "Everything", **KINDS}, is_list=True)
    options = {**about, "kind": (kind,)} if kind != "all" else about
    rows = page.metric("account_timeline", **options)
    rows["kind"] = rows.kind.map(KINDS)
    more = f"the newest {len(rows)} of {rows.total.iloc[0]}" if len(rows) else "nothing of this kind is known"
    empty, asked = "Nothing of this kind is known up to this day.", ("account_timeline", options)
    page.table(
        rows, TIMELINE, title="Timeline", caption=more, metric=asked, key="timeline", rows=18, opens=None, empty=empty
    )


def people() -> None:
    rows, asked = page.metric("account_departments", **about), ("account_departments", about)
    caption = "Users active in 28 days, new, idle and lost"
    page.table(
        rows, DEPARTMENTS, title="Users by department", caption=caption, metric=asked, key="departments", opens=None
    )
    users, asked, caption = page.metric("account_users", **about), ("account_users", about), "Active last first"
    page.table(users, USERS, title="Users", caption=caption, metric=asked, key="users", opens=None)


def value() -> None:
    rows, asked = page.metric("account_outcomes", **about), ("account_outcomes", about)
    for name in rows.metric.unique():
        part = rows[rows.metric == name]
        series = [c.Series(name=name, y=c.values(part.value))]
        drawn = c.Line(x=list(part.month.dt.date), series=series, unit="number", from_zero=True)
        page.chart(
            drawn, title=name.replace("_", " ").capitalize(), caption="Own result by month", metric=asked, key=name
        )
    if rows.empty:
        page.empty("No result of a month that is over is known for this account.")


def growth() -> None:
    empty = "No rule finds an opportunity here on this day."
    rows = page.metric("expansion")
    page.table(rows, OFFERS, title="Opportunities", metric="expansion", key="offers", opens=None, empty=empty)
    with page.guard():
        products = page.metric("whitespace")
        products["words"] = products.state.map(STATES)
        page.table(products, PRODUCTS, title="Products", metric="whitespace", key="products", opens=None)


with page.guard():
    facts()
course()
page.tabs({"To do": waiting, "Timeline": timeline, "Users": people, "Results": value, "Expansion": growth})

"""What is due in the next days, how much of it will come, and what must happen this week?"""

from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.ui import shell
from cs_metrics.ui.shell import Col, Figure

WINDOWS = {"30": "30 days", "60": "60 days", "90": "90 days", "180": "180 days"}
CATEGORIES = {"commit": "Commit", "best_case": "Best case", "at_risk": "At risk", "unknown": "No call yet"}
COLOURS = {"commit": "green", "best_case": "yellow", "at_risk": "red", "unknown": "grey"}
RATES = {"on_time_rate": "On time", "in_period_rate": "In period", "gross_renewal_rate": "Final, gross"}
WORK = {
    "name": Col(label="Account", is_pinned=True),
    "priority": Col(label="Priority", kind="score", help="ARR at stake among all open contracts, and days left"),
    "days_left": Col(label="Days left", kind="days", help="Negative: past its end and undecided"),
    "arr": Col(label="ARR", kind="money"),
    "likelihood": Col(label="Likelihood", kind="percent", help="A base rate: see the tab Likelihood"),
    "category": Col(label="Category", help="The owner's own call, else by likelihood"),
    "colour": Col(label="Health", kind="health"),
    "reasons_against": Col(label="Against", kind="tags", width=280),
    "next_step": Col(label="Next step"),
    "next_step_on": Col(label="Step due", kind="date"),
    "overdue_steps": Col(label="Steps overdue", kind="count"),
    "reasons_for": Col(label="For", kind="tags", width=280),
    "ends_on": Col(label="Ends", kind="date"),
    "expected_arr": Col(label="Expected", kind="money"),
    "open_problems": Col(label="Open problems", kind="count"),
    "owner": Col(label="Owner"),
    "priority_why": Col(label="Why this priority", width="large"),
}
DUE = {
    "period": Col(label="Due in"),
    "due": Col(label="Due", kind="count"),
    "due_arr": Col(label="ARR due", kind="money"),
    "on_time": Col(label="Renewed on time", kind="count"),
    "in_period": Col(label="In the period", kind="count"),
    "final": Col(label="Ever", kind="count"),
    "on_time_rate": Col(label="On-time rate", kind="percent"),
    "in_period_rate": Col(label="In-period rate", kind="percent"),
    "gross_renewal_rate": Col(label="Gross renewal rate", kind="percent"),
    "net_renewal_rate": Col(label="Net renewal rate", kind="percent"),
}
STEPS = {
    "plan_step": Col(label="Step"),
    "from_days": Col(label="Days before the end", kind="days"),
    "contracts": Col(label="Contracts", kind="count"),
    "due_arr": Col(label="ARR", kind="money"),
    "behind": Col(label="Behind plan", kind="count"),
}
GROUPS = {
    "segment": Col(label="Segment"),
    "colour": Col(label="Health 90 days before the end"),
    "decisions": Col(label="Decided", kind="count"),
    "renewed": Col(label="Renewed", kind="count"),
    "rate": Col(label="Rate", kind="percent"),
    "likelihood": Col(label="Likelihood", kind="percent"),
}
WINDOW = shell.Choice(key="days", label="Window", options=WINDOWS, default="90")

page = shell.begin("Renewals", "What is due, how much will come, what must happen this week?", filters=[WINDOW])
window, ahead = {"days": page.choices["days"]}, f"the next {WINDOWS[page.choices['days']]}"
fewest = page.store.config.min_accounts


def pipeline() -> None:
    now, asked = page.metric("renewals_summary", **window).iloc[0], ("renewals_summary", window)
    due, expected = page.money(now.due_arr), page.money(now.expected_arr)
    said = f"Due in {ahead}: {say.plural(now.contracts, 'undecided contract')} worth {due}, of which {expected} should come."
    late = f" Past their end and undecided: {say.plural(now.overdue, 'contract')} worth {page.money(now.overdue_arr)}."
    nothing = f"No undecided contract is due in {ahead}."
    page.answer(f"{said if now.contracts else nothing}{late if now.overdue else ''}")
    figures = {
        f"Due in {WINDOWS[window['days']]}": (due, say.plural(now.contracts, "contract")),
        "Expected": (expected, f"{say.percent(now.expected_share)} of what is due"),
        "Commit": (page.money(now.commit_arr), f"best case {page.money(now.best_case_arr)}"),
        "At risk": (page.money(now.at_risk_arr), "by call, else likelihood"),
        "Overdue, undecided": (page.money(now.overdue_arr), say.plural(now.overdue, "contract")),
    }
    shown = [Figure(label=label, value=one, note=note, metric=asked) for label, (one, note) in figures.items()]
    page.figures(shown, columns=5)
    weeks = page.metric("renewals_by_week", **window)
    called = {one: c.values(weeks[f"{one}_arr"]) for one in CATEGORIES if weeks[f"{one}_arr"].any()}
    series = [c.Series(name=CATEGORIES[one], y=values, colour=COLOURS[one]) for one, values in called.items()]
    page.chart(
        c.Bars(
            x=["Overdue", *(say.date(day).rsplit(" ", 1)[0] for day in weeks.week.dt.date.iloc[1:])],
            series=series,
            unit="money",
            is_stacked=True,
            shows_values=False,
        ),
        title=f"{expected} of the {due} due should come",
        caption="ARR by the week in which the contracts end, by forecast category",
        metric=("renewals_by_week", window),
        key="weeks",
    )
    behind = f"{say.plural(now.behind, 'renewal')} behind plan, worth {page.money(now.behind_arr)}"
    caption = "steps cannot be checked: no messages or meetings were loaded" if now.unchecked else behind
    rows, about = page.metric("renewal_pipeline", **window), ("renewal_pipeline", window)
    rows["category"] = rows.category.map(CATEGORIES)
    empty = f"No undecided contract ends in {ahead}, and none is overdue."
    page.table(rows, WORK, title="What to work on first", caption=caption, metric=about, key="pipeline", empty=empty)


def rates() -> None:
    every = page.choose("every", "Period", {"quarter": "Quarters", "month": "Months"})
    found, asked = page.metric("renewal_rates", every=every), ("renewal_rates", {"every": every})
    found.loc[found.due < fewest, [*RATES, "net_renewal_rate"]] = None
    found["period"] = [say.period(day, every) for day in found.period.dt.date]
    closed = found[found.is_closed]
    notes = [f"{one.final} of {one.due} contracts renewed" for one in closed.itertuples()]
    series = [c.Series(name=word, y=c.values(closed[one]), notes=notes) for one, word in RATES.items()]
    if closed.gross_renewal_rate.notna().any():
        title, caption = "Renewal rates by due period", "kept ARR ÷ expiring ARR, periods that have ended"
        drawn = c.Line(x=list(closed.period), series=series, unit="percent")
        page.chart(drawn, title=title, caption=caption, metric=asked, key="rates")
    caption = f"rates by ARR; blank while a period runs, and below {fewest} contracts"
    behind = [asked, ("renewal_tree", {"every": every})]
    page.table(found[::-1], DUE, title="Contracts by due period", caption=caption, metric=behind, key="due", opens=None)


def steps() -> None:
    found, asked = page.metric("renewals_by_step", **window), ("renewals_by_step", window)
    caption = "by the calendar; a message or a held meeting shows a step as done"
    page.table(found, STEPS, title="The pipeline by plan step", caption=caption, metric=asked, key="steps", opens=None)


def likelihood() -> None:
    card = page.metric("likelihood_card").iloc[0]
    page.note(f"The likelihood of a contract is its {card.model}. {card.verdict}")
    area = f"95% interval {say.number(card.auc_low, 2)} to {say.number(card.auc_high, 2)}"
    figures = {
        "Area under the curve": (say.number(card.auc, 2), area),
        "Brier score": (say.number(card.brier, 3), f"overall rate {say.number(card.base_brier, 3)}; lower is better"),
        "Decisions judged": (say.count(card.decisions), f"{say.count(card.losses)} lost"),
    }
    page.figures(
        [Figure(label=one, value=says[0], note=says[1], metric="likelihood_card") for one, says in figures.items()]
    )
    found = page.metric("renewal_base_rates")
    found["colour"] = [say.health(one) if one != "all" else "All" for one in found.colour]
    found.loc[found.decisions < fewest, "rate"] = None
    caption = "past decisions of all accounts; a small group is pulled towards what is expected of it"
    title = "The base rates behind it"
    page.table(found, GROUPS, title=title, caption=caption, metric="renewal_base_rates", key="groups", opens=None)


with page.guard():
    pipeline()
page.tabs({"Renewal rates": rates, "Plan steps": steps, "Likelihood": likelihood})

"""Do new customers reach their first value, where do they stall, who needs help today?"""

from typing import Any

from cs_metrics.errors import MissingTable
from cs_metrics.metrics.cohorts import key_action
from cs_metrics.report import onboarding as charts
from cs_metrics.ui import onboarding as shown
from cs_metrics.ui import shell

page = shell.begin(
    "Onboarding",
    "Do new customers reach their first value, where do they stall, who needs help today?",
    filters=[shell.Pick(column="onboarding_manager", label="Onboarding manager")],
)


def known(name: str, **options: Any) -> Any:
    try:
        return page.metric(name, **options)
    except MissingTable:
        return None


configured, names = key_action(page.store, page.as_of), known("event_names")
events = {"configured": f"Key action: {configured.name}", "*": "Any event"}
events.update({name: name for name in (names["event"] if names is not None else [])})
left, right = page.columns(2, 3)
with left:
    event = page.pick("event", "Key action", events)
with right:
    every = page.choose("every", "Period", {"days": "Weeks", "month": "Months"})
chosen = {} if event == "configured" else {"event": (event,)}
asked = {**chosen, "every": every}
action = {"configured": configured.name, "*": "any event"}.get(event, event)
step = charts.step_word(every, 7 if chosen else configured.every_days)

plateau, first = known("plateau", **asked), known("time_to_value", **chosen)
summary, score = known("onboarding_summary"), known("onboarding_score")
page.answer(charts.answer(plateau, summary, action, step, page.currency))
if configured.note and names is not None and not chosen:
    page.note(configured.note)
cards = shown.activation_figures(plateau, first, step, asked) if plateau is not None else []
cards.extend(shown.risk_figures(page, summary, score) if summary is not None else [])
if cards:
    page.figures(cards, columns=6)

left, right = page.columns(3, 2)
with left, page.guard():
    bounded = page.choose("bounded", "Count", {"true": "In the period", "false": "In it or later"})
    pooled = {**asked, "cohort": "all", "bounded": bounded}
    found = page.metric("plateau", **asked)
    page.chart(
        charts.curve(page.metric("activation", **pooled), found, step, bounded=bounded == "true"),
        title=charts.curve_title(found, step, bounded=bounded == "true"),
        caption=f"Share doing {action}, of accounts whose {step} has elapsed",
        metric=[("activation", pooled), ("plateau", asked)],
        key="curve",
        note="" if bounded == "true" else "It falls at the right edge by construction; no plateau is sought on it.",
    )
with right, page.guard():
    groups = {"total": "All", "onboarding_manager": "Managers", "segment": "Segments"}
    by = page.choose("score_by", "Risk", groups)
    weekly = page.metric("onboarding_score", by=by)
    if summary is not None and not summary.is_watched.all():
        page.empty("Neither milestones nor calls to action were loaded, so no risk can be seen.", title="Risk score")
    elif weekly.empty:
        page.empty("No week with an account in onboarding is complete yet.", title="Risk score by week")
    else:
        page.chart(
            charts.mix(weekly) if by == "total" else charts.score_lines(weekly),
            title=charts.score_title(page.metric("onboarding_score")),
            caption="ARR in onboarding by colour, by week" if by == "total" else "100 is all green, by week",
            metric=("onboarding_score", {"by": by}),
            key="score",
        )


def table(name: str, columns: dict[str, shell.Col], title: str, caption: str, empty: str = "") -> None:
    words = empty or "No rows for these filters."
    page.table(page.metric(name), columns, title=title, caption=caption, metric=name, key=name, empty=words)


def accounts() -> None:
    caption, empty = "Accounts in onboarding, red first, then by ARR", "No account is in onboarding on this day."
    table("onboarding_risk", shown.ACCOUNTS, "Who needs help today", caption, empty)


def calls() -> None:
    caption, empty = "Flagged ones first: the agenda of the risk meeting", "No call to action is open."
    table("onboarding_ctas", shown.CALLS, "Open calls to action", caption, empty)
    table("onboarding_managers", shown.MANAGERS, "Load by manager", "Opened and closed in the last 7 days")


def cohorts() -> None:
    grain = page.choose("cohort", "Cohorts", {"quarter": "Quarters", "month": "Months", "segment": "Segments"})
    options = {**asked, "cohort": grain}
    title, caption = f"Share doing {action} by cohort and {step}", "The size of each cohort in bold"
    grid = charts.matrix(page.metric("activation", **options), grain, step)
    page.chart(grid, title=title, caption=caption, metric=("activation", options), key="cohorts")


def milestones() -> None:
    table("milestone_funnel", shown.FUNNEL, "Where accounts stall", "Accounts that have started; medians of days")


def early_value() -> None:
    curves, test = page.metric("ninety_ten_curves"), page.metric("ninety_ten")
    page.chart(
        charts.survival_curves(curves),
        title=charts.retention_sentence(test),
        caption="Customers on day 90 after their start, share not lost since",
        metric=["ninety_ten", "ninety_ten_curves"],
        key="ninety_ten",
    )
    page.chart(
        charts.action_differences(page.metric("key_actions")),
        title="Which early action goes along with staying",
        caption="One-year retention of those who did it in their first 30 days, less that of the others",
        metric="key_actions",
        key="key_actions",
        note="It shows what goes along with staying, not what causes it.",
    )


def silence() -> None:
    table("bouncebacks", shown.SILENCE, "Who fell silent and came back", "Silent for 7 days or more")


def handoff() -> None:
    table("handoff_completeness", shown.HANDOFF, "Gaps in the hand-off, by salesperson", "Paid in the last year")


TABS = {"Accounts": accounts, "Calls to action": calls, "Cohorts": cohorts, "Milestones": milestones}
page.tabs({**TABS, "Early value": early_value, "Bounce-backs": silence, "Hand-off": handoff})

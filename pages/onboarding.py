"""Do new customers reach their first value, where do they stall, who needs help today?"""

from typing import Any

from cs_metrics.errors import MissingTable
from cs_metrics.metrics.cohorts import key_action
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.report import onboarding as charts
from cs_metrics.ui import shell

PERIODS = {"days": "Weeks", "month": "Months"}
COHORTS = {"quarter": "By quarter", "month": "By month", "segment": "By segment"}
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


def columns(kind: Any, **labels: str) -> dict[str, shell.Col]:
    return {name: shell.Col(label=label, kind=kind) for name, label in labels.items()}


account = {"name": shell.Col(label="Account", is_pinned=True)}
configured, names = key_action(page.store, page.as_of), known("event_names")
events = {"configured": f"Key action: {configured.name}", "*": "Any event"}
events.update({name: name for name in (names["event"] if names is not None else [])})
plateau = summary = None
with page.guard():
    event = page.choose("event", "Key action", events, is_list=True)
    every = page.choose("every", "Period", PERIODS)
    chosen = {} if event == "configured" else {"event": (event,)}
    asked = {**chosen, "every": every}
    action = {"configured": configured.name, "*": "any event"}.get(event, event)
    step = charts.step_word(every, 7 if chosen else configured.every_days)
plateau, summary, score = known("plateau", **asked), known("onboarding_summary"), known("onboarding_score")
page.answer(charts.answer(plateau, summary, action, step, page.currency))
if configured.note and names is not None and not chosen:
    page.note(configured.note)

cards = []
if plateau is not None:
    rate, value = plateau.iloc[0], page.metric("time_to_value", **chosen).iloc[0]
    note = charts.plateau_note(plateau, step)
    reached = f"{say.count(value.reached)} of {say.plural(value.accounts, 'account')} reached it"
    cards.append(shell.Figure(label="Activation rate", value=say.percent(rate.level, 0), note=note, metric=("plateau", asked)))
    cards.append(shell.Figure(label="Time to first value", value=say.days(value.median_days), note=reached, metric=("time_to_value", chosen)))
if summary is not None:
    now, arr = summary.iloc[0], page.money(summary.iloc[0].arr)
    split = f"{say.count(now.red)} red · {say.count(now.yellow)} yellow · {say.count(now.green)} green"
    overdue = f"of {say.plural(now.overdue_accounts, 'account')}"
    cards.append(shell.Figure(label="In onboarding", value=say.count(now.accounts), note=split, metric="onboarding_summary"))
    cards.append(shell.Figure(label="ARR at risk", value=page.money(now.at_risk_arr), note=f"red or yellow, of {arr}", metric="onboarding_summary"))
    cards.append(page.figure("Risk score", now.score, "number", spark=list(score["score"].tail(26)), metric="onboarding_score"))
    cards.append(shell.Figure(label="Milestones overdue", value=say.count(now.overdue_milestones), note=overdue, metric="onboarding_summary"))
if cards:
    page.figures(cards, columns=6)

left, right = page.columns(3, 2)
with left, page.guard():
    bounded = page.choose("bounded", "Count", {"true": "In the period", "false": "In it or later"})
    pooled = {**asked, "cohort": "all", "bounded": bounded}
    curve = charts.curve(page.metric("activation", **pooled), page.metric("plateau", **asked), step, bounded=bounded == "true")
    page.chart(
        curve,
        title=charts.curve_title(page.metric("plateau", **asked), step),
        caption=f"Share doing {action} in the {step}{'' if bounded == 'true' else ' or later'}, of accounts whose {step} has elapsed",
        metric=[("activation", pooled), ("plateau", asked)],
        key="curve",
        note="" if bounded == "true" else "This curve falls at its right edge by construction; no plateau is sought on it.",
    )
with right, page.guard():
    by = page.choose("score_by", "Risk", {"total": "All", "onboarding_manager": "Managers", "segment": "Segments"})
    weekly = page.metric("onboarding_score", by=by)
    page.chart(
        charts.mix(weekly) if by == "total" else charts.score_lines(weekly),
        title=charts.score_title(page.metric("onboarding_score")),
        caption="ARR in onboarding by colour, end of week" if by == "total" else "Score, 100 is all green, end of week",
        metric=("onboarding_score", {"by": by}),
        key="score",
    )


def cohorts() -> None:
    cohort = page.choose("cohort", "Cohorts", COHORTS)
    options = {**asked, "cohort": cohort}
    grid = charts.matrix(page.metric("activation", **options), cohort, step)
    page.chart(grid, title=f"Share doing {action} by cohort and {step}", caption="Cohort size in bold", metric=("activation", options), key="cohorts")


def calls() -> None:
    shown = {**account, **columns("bool", is_flagged="Flagged", is_overdue="Overdue"), **columns("text", reason="Reason", owner="Owner")}
    shown |= {**columns("text", team_needed="Team needed", source="Source"), **columns("date", opened_on="Opened", due_on="Due")}
    caption = "Flagged ones first: the agenda of the risk meeting"
    page.table(page.metric("onboarding_ctas"), shown, title="Open calls to action", caption=caption, metric="onboarding_ctas", key="ctas")
    load = {**columns("text", onboarding_manager="Manager"), **columns("count", accounts="Accounts", red="Red", yellow="Yellow")}
    load |= columns("money", arr="ARR", at_risk_arr="ARR at risk")
    load |= columns("count", open_ctas="Open", overdue_ctas="Overdue", opened_ctas="Opened", closed_ctas="Closed")
    page.table(page.metric("onboarding_managers"), load, title="Load by manager", caption="Opened and closed: last 7 days", metric="onboarding_managers", key="managers")


def milestones() -> None:
    shown = {**columns("text", milestone="Milestone"), **columns("count", accounts="Accounts", completed="Completed"), **columns("percent", share="Share")}
    shown |= {**columns("days", median_days="Median days in step", median_days_from_start="From start"), **columns("count", stalled="Stalled")}
    caption = "Stalled: reached, not completed, past its due day"
    page.table(page.metric("milestone_funnel"), shown, title="Where accounts stall", caption=caption, metric="milestone_funnel", key="funnel")


def value() -> None:
    test = page.metric("ninety_ten")
    both = ["ninety_ten", "ninety_ten_curves"]
    page.chart(charts.survival_curves(page.metric("ninety_ten_curves")), title=charts.retention_sentence(test), caption="Customers on day 90, share not lost since", metric=both, key="ninety_ten")
    compared = page.metric("key_actions").dropna(subset=["difference"]).head(12)
    notes = [f"{say.count(did)} did, {say.count(rest)} did not" for did, rest in zip(compared["did"], compared["did_not"], strict=True)]
    chart = c.Intervals(names=list(compared["event"]), value=c.values(compared["difference"]), low=c.values(compared["low"]), high=c.values(compared["high"]), notes=notes)
    page.chart(chart, title="What early doers and the others retain", caption="Difference in one-year retention, done in the first 30 days or not", metric="key_actions", key="key_actions")


def silence() -> None:
    shown = {**columns("text", unit="Who"), **columns("count", started="Started", went_silent="Went silent", came_back="Came back")}
    shown |= {**columns("percent", share="Share"), **columns("days", median_silent_days="Median days silent")}
    page.table(page.metric("bouncebacks"), shown, title="Who fell silent and came back", caption="Silent for 7 days or more", metric="bouncebacks", key="silence")


def handoff() -> None:
    shown = {**columns("text", salesperson="Salesperson"), **columns("count", accounts="Accounts", complete="Complete"), **columns("percent", share="Share")}
    shown |= columns("count", without_profile="No profile", without_order="No order", without_technical_needs="No technical needs", without_expected_outcomes="No outcomes")
    shown |= {**columns("number", median_minutes="Minutes to first message"), **columns("count", greeted_in_time="Within 30 minutes", opened_welcome="Opened welcome")}
    page.table(page.metric("handoff_completeness"), shown, title="Handed over with gaps, by salesperson", caption="Paid in the last year", metric="handoff_completeness", key="handoff")


def people() -> None:
    shown = {**account, **columns("health", colour="Risk"), **columns("money", arr="ARR"), **columns("days", days_since_start="Day")}
    shown |= {**columns("text", next_milestone="Next milestone"), **columns("date", next_due_on="Due"), **columns("count", overdue_milestones="Overdue")}
    shown |= {**columns("count", open_ctas="Open CTAs", flagged_ctas="Flagged"), **columns("text", onboarding_manager="Manager")}
    caption, empty = "Accounts in onboarding, red first, then by ARR", "No account is in onboarding on this day."
    page.table(page.metric("onboarding_risk"), shown, title="Who needs help today", caption=caption, metric="onboarding_risk", key="risk", empty=empty)


page.tabs({"Accounts": people, "Calls to action": calls, "Cohorts": cohorts, "Milestones": milestones, "Early value": value, "Bounce-backs": silence, "Hand-off": handoff})

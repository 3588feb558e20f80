"""Do new customers reach their first value, where do they stall, who needs help today?"""

from typing import Any

from cs_metrics.errors import MissingTable
from cs_metrics.metrics.actions import key_action
from cs_metrics.report.activation import step_word
from cs_metrics.report.onboarding import answer
from cs_metrics.ui import onboarding as shown
from cs_metrics.ui import onboarding_activation as activation
from cs_metrics.ui import onboarding_calls as calls
from cs_metrics.ui import onboarding_first_value as first_value
from cs_metrics.ui import onboarding_steps as steps
from cs_metrics.ui import shell

page = shell.begin(
    "Onboarding",
    "Do new customers reach their first value, where do they stall, who needs help today?",
    filters=[shell.Pick(column="onboarding_manager", label="Onboarding manager")],
)


def known(name: str) -> Any:
    try:
        return page.metric(name)
    except MissingTable:
        return None


action = key_action(page.store, page.as_of)
step = step_word("days", action.every_days)
plateau, value, summary = known("plateau"), known("time_to_value"), known("onboarding_summary")
page.answer(answer(plateau, summary, action.name, step, page.currency))
if action.note and plateau is not None:
    page.note(action.note)
cards = shown.activation_figures(plateau, value, step) if plateau is not None else []
cards.extend(shown.risk_figures(page, summary) if summary is not None else [])
if cards:
    page.figures(cards, columns=6)

page.tabs(
    {
        "Activation": lambda: activation.draw(page),
        "Who needs help": lambda: shown.draw_risk(page),
        "Calls to action": lambda: calls.draw_calls(page),
        "Risk meeting": lambda: calls.draw_meeting(page),
        "Load": lambda: calls.draw_managers(page),
        "Milestones": lambda: steps.draw_milestones(page),
        "Early value": lambda: first_value.draw(page),
        "Bounce-backs": lambda: steps.draw_bouncebacks(page),
        "Hand-off": lambda: steps.draw_handoff(page),
    }
)

"""What is due in the next days, how much of it will come, and what must happen this week?"""

from cs_metrics.ui import (
    contract_mix,
    likelihood,
    negotiation,
    renewal_results,
    renewal_team,
    renewals_moves,
    renewals_owner,
    renewals_rates,
    shell,
)
from cs_metrics.ui import renewals as shown

page = shell.begin(
    "Renewals",
    "What is due, how much will come, what must happen this week?",
    filters=[shown.WINDOW],
)
with page.guard():
    shown.draw_head(page)
page.tabs(
    {
        "Pipeline": lambda: shown.draw_pipeline(page),
        "Plan steps": lambda: shown.draw_steps(page),
        "Rates": lambda: renewals_rates.draw(page),
        "Why did it move": lambda: renewals_moves.draw(page),
        "Model or owner": lambda: renewals_owner.draw(page),
        "Likelihood": lambda: likelihood.draw(page),
        "Prepare a call": lambda: negotiation.draw(page),
        "Wins and losses": lambda: renewal_results.draw(page),
        "Team and pay": lambda: renewal_team.draw(page),
        "Contract mix": lambda: contract_mix.draw(page),
    }
)

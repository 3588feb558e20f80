"""What is due in the next days, how much of it will come, and what must happen this week?"""

from cs_metrics.ui import likelihood, renewals_moves, renewals_owner, renewals_rates, shell
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
    }
)

"""Who is healthy, which way do they move, is the score worth believing, and what revenue follows?"""

from functools import partial

from cs_metrics.ui import forecast, forecast_plans, health, health_lists, health_proof, shell

page = shell.begin(
    "Health",
    "Who is healthy, which way do they move, and is the score worth believing?",
    filters=[shell.Choice(key="by", label="Group", options=health.GROUPS, is_list=True)],
)
with page.guard():
    health.draw_answer(page)
    health.draw_pictures(page)
page.tabs(
    {
        "Customers": partial(health.draw_customers, page),
        "At risk": partial(health_lists.draw_risk, page),
        "Moves": partial(health.draw_moves, page),
        "Does the score work?": partial(health_proof.draw_proof, page),
        "Revenue forecast": partial(forecast.draw_forecast, page),
        "What would it take": partial(forecast_plans.draw_planner, page),
        "What if": partial(forecast_plans.draw_what_if, page),
        "Concentration": partial(forecast_plans.draw_concentration, page),
        "Busy, and advocates": partial(health_lists.draw_extremes, page),
        "What the score is made of": partial(health_lists.draw_definition, page),
    }
)

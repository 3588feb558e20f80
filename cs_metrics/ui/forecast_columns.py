"""How the tables of the forecast show their columns."""

from cs_metrics.ui.tables import Col

__all__ = ["EVIDENCE", "LARGEST", "LIST", "MONTHS", "PAST", "RECORD", "SCENARIOS", "SEGMENTS"]

MONTHS = {
    "month": Col(label="Month", kind="date"),
    "opening": Col(label="Opening", kind="money"),
    "due_arr": Col(label="Due", kind="money", help="Expected ARR whose contract ends in the month"),
    "renewed_arr": Col(label="Of it renewed", kind="money"),
    "renewals": Col(label="Price at renewal", kind="money", help="Change of amount of the contracts that are renewed"),
    "expansion": Col(label="Expansion", kind="money"),
    "contraction": Col(label="Contraction", kind="money"),
    "churn": Col(label="Churn", kind="money"),
    "expected_arr": Col(label="Closing", kind="money"),
    "low": Col(label="Low (80%)", kind="money"),
    "high": Col(label="High (80%)", kind="money"),
}
PLANNED = {
    "planned_new_arr": Col(label="Planned new", kind="money", help="As planned; in no other number"),
    "with_plan": Col(label="Closing with the plan", kind="money"),
}
SEGMENTS = {
    "segment": Col(label="Segment"),
    "opening": Col(label="ARR today", kind="money"),
    "expected_arr": Col(label="Expected", kind="money"),
    "low": Col(label="Low (80%)", kind="money"),
    "high": Col(label="High (80%)", kind="money"),
    "churn": Col(label="Churn", kind="money"),
    "expansion": Col(label="Expansion", kind="money"),
}
RECORD = {
    "horizon": Col(label="Months ahead"),
    "runs": Col(label="Forecasts", kind="count"),
    "held_50": Col(label="Inside 50%"),
    "held_80": Col(label="Inside 80%"),
    "held_95": Col(label="Inside 95%"),
    "bias": Col(label="Bias, %", kind="number", help="Positive: too high"),
    "mape": Col(label="Error, %", kind="number", help="Mean size of the error"),
    "no_change_mape": Col(label="No change, %", kind="number"),
    "last_year_mape": Col(label="Last year's rate, %", kind="number"),
    "health_mape": Col(label="By health colour, %", kind="number"),
    "verdict": Col(label="So it is", width="large"),
}
PAST = {
    "as_of": Col(label="Said on", kind="date"),
    "horizon_months": Col(label="Months ahead", kind="count"),
    "forecast": Col(label="Forecast", kind="money"),
    "low": Col(label="Low (80%)", kind="money"),
    "high": Col(label="High (80%)", kind="money"),
    "actual": Col(label="Came", kind="money"),
    "is_inside": Col(label="Inside the interval", kind="bool"),
    "error_percent": Col(label="Error, %", kind="number"),
    "naive_error_percent": Col(label="Error if nothing changed, %", kind="number"),
}
LIST = {
    "name": Col(label="Account", is_pinned=True),
    "is_on_list": Col(label="On the list", kind="bool"),
    "colour": Col(label="Health", kind="health"),
    "to_colour": Col(label="Lift to"),
    "hours": Col(label="Hours", kind="number"),
    "protected_arr": Col(label="Protects", kind="money"),
    "arr_per_hour": Col(label="Per hour", kind="money"),
    "due_arr": Col(label="ARR due in 12 months", kind="money"),
    "likelihood": Col(label="Likelihood", kind="percent"),
    "ends_on": Col(label="Ends", kind="date"),
    "segment": Col(label="Segment"),
    "csm": Col(label="CSM"),
}
EVIDENCE = {
    "step": Col(label="Step"),
    "basis": Col(label="Effect is"),
    "points": Col(label="Points used", kind="percent"),
    "moved": Col(label="Moved up", kind="count", help="Past decisions whose account moved up, 180 to 90 days before"),
    "stayed": Col(label="Stayed", kind="count"),
    "difference": Col(label="Renewed more often by", kind="percent"),
    "low": Col(label="Low (95%)", kind="percent"),
    "high": Col(label="High (95%)", kind="percent"),
    "says": Col(label="Why", width="large"),
}
SCENARIOS = {
    "scenario": Col(label="Scenario"),
    "assumptions": Col(label="Assumes", width="large"),
    "expected_arr": Col(label="In 12 months", kind="money"),
    "difference": Col(label="Difference", kind="money"),
    "low": Col(label="Low (80%)", kind="money"),
    "high": Col(label="High (80%)", kind="money"),
    "nrr": Col(label="NRR", kind="percent"),
    "probability_below": Col(label="Chance below target", kind="percent"),
    "accounts": Col(label="Accounts", kind="count"),
    "author": Col(label="Saved by"),
    "saved_on": Col(label="Saved", kind="date"),
}
LARGEST = {
    "name": Col(label="Account", is_pinned=True),
    "arr": Col(label="ARR", kind="money"),
    "share": Col(label="Share", kind="percent"),
    "cumulative_share": Col(label="With those above", kind="percent"),
    "ends_on": Col(label="Ends", kind="date"),
    "likelihood": Col(label="Likelihood", kind="percent"),
    "probability_below_if_lost": Col(label="Chance below target if it leaves", kind="percent"),
    "segment": Col(label="Segment"),
    "csm": Col(label="CSM"),
}

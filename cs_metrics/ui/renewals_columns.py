"""The columns of the tables on the renewals page."""

from cs_metrics.ui.tables import Col

__all__ = [
    "BEHIND",
    "CALL_RATES",
    "COMPLETION",
    "DISAGREEMENT",
    "DUE",
    "LEDGER",
    "MOVES",
    "RECORD",
    "STEPS",
    "TREE",
    "WORK",
]

WORK = {
    "name": Col(label="Account", is_pinned=True, width=170),
    "arr": Col(label="ARR", kind="money", width=96),
    "days_left": Col(label="Days left", kind="days", width=82, help="Negative: past its end and undecided"),
    "likelihood": Col(label="Likelihood", kind="percent", width=92, help="See the tab Likelihood"),
    "category": Col(label="Category", width=92, help="The owner's own call, else by likelihood"),
    "priority": Col(
        label="Priority", kind="score", width=110, help="ARR at stake among all open contracts, and days left"
    ),
    "reasons_against": Col(label="Against", kind="tags", width=280),
    "reasons_for": Col(label="For", kind="tags", width=280),
    "next_step": Col(label="Next step", width=170),
    "next_step_on": Col(label="Step due", kind="date", width=104),
    "overdue_steps": Col(label="Steps overdue", kind="count", width=110),
    "overdue_names": Col(label="Which", width="medium"),
    "colour": Col(label="Health", kind="health"),
    "open_promises": Col(label="Open promises", kind="count"),
    "open_problems": Col(label="Open problems", kind="count"),
    "expected_arr": Col(label="Expected", kind="money"),
    "ends_on": Col(label="Ends", kind="date"),
    "owner": Col(label="Owner"),
    "next_step_owner": Col(label="Who does the step"),
    "last_note": Col(label="Last said", width="medium"),
    "priority_why": Col(label="Why this priority", width="large"),
}
STEPS = {
    "plan_step": Col(label="Step", width=180),
    "from_days": Col(label="Days before the end", kind="days"),
    "contracts": Col(label="Contracts", kind="count"),
    "due_arr": Col(label="ARR", kind="money"),
    "expected_arr": Col(label="Expected", kind="money"),
    "commit_arr": Col(label="Commit", kind="money"),
    "best_case_arr": Col(label="Best case", kind="money"),
    "at_risk_arr": Col(label="At risk", kind="money"),
    "behind": Col(label="Behind plan", kind="count"),
    "behind_arr": Col(label="ARR behind", kind="money"),
    "overdue_steps": Col(label="Steps overdue", kind="count"),
}
BEHIND = {
    "name": Col(label="Account", is_pinned=True, width=170),
    "overdue_steps": Col(label="Steps overdue", kind="count", width=110),
    "overdue_names": Col(label="Which", kind="tags", width=360),
    "next_step": Col(label="Next step", width=180),
    "next_step_on": Col(label="Step due", kind="date", width=104),
    "next_step_owner": Col(label="Who", width=110),
    "days_left": Col(label="Days left", kind="days", width=82),
    "arr": Col(label="ARR", kind="money", width=96),
    "priority": Col(label="Priority", kind="score"),
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
COMPLETION = {
    "period": Col(label="Due in"),
    "due": Col(label="Due", kind="count"),
    "due_arr": Col(label="ARR due", kind="money"),
    "age_months": Col(label="Months seen", kind="count", help="Whole months since the period's first day"),
    "share": Col(label="Renewed so far", kind="percent", help="Kept ARR ÷ due ARR after so many months"),
    "final_share": Col(label="Should come to", kind="percent", help="Once the late renewals are in"),
    "low": Col(label="Low", kind="percent", help="80% interval, from how far the method was off in past periods"),
    "high": Col(label="High", kind="percent"),
    "note": Col(label="Note"),
}
TREE = {
    "period": Col(label="Due in"),
    "due_arr": Col(label="ARR due", kind="money"),
    "resolution": Col(label="Resolution", kind="percent", help="Decided ÷ due"),
    "close": Col(label="Close", kind="percent", help="Won at its old value ÷ decided"),
    "conversion": Col(label="Conversion", kind="percent", help="Booked ÷ old value of what was won"),
    "net_renewal_rate": Col(label="Net renewal rate", kind="percent", help="Resolution × close × conversion"),
    "decided_arr": Col(label="Decided", kind="money"),
    "won_arr": Col(label="Won, old value", kind="money"),
    "booked_arr": Col(label="Booked, new value", kind="money"),
}
MOVES = {
    "name": Col(label="Account", is_pinned=True, width=170),
    "bar": Col(label="Cause", width=220),
    "amount": Col(label="Change", kind="money", width=100),
    "why": Col(label="What changed", width=300),
    "likelihood_before": Col(label="Likelihood before", kind="percent"),
    "likelihood_after": Col(label="After", kind="percent"),
    "forecast_before": Col(label="Forecast before", kind="money"),
    "forecast_after": Col(label="After ", kind="money"),
    "arr": Col(label="ARR", kind="money"),
    "ends_on": Col(label="Ends", kind="date"),
    "owner": Col(label="Owner"),
}
LEDGER = {
    "day": Col(label="Day", kind="date"),
    "forecast_arr": Col(label="Forecast", kind="money", help="Won and expected together"),
    "won_arr": Col(label="Won", kind="money"),
    "expected_arr": Col(label="Expected", kind="money", help="Likelihood × ARR of what is undecided"),
    "open_arr": Col(label="Undecided", kind="money"),
    "commit_arr": Col(label="Commit", kind="money"),
    "best_case_arr": Col(label="Best case", kind="money"),
    "at_risk_arr": Col(label="At risk", kind="money"),
    "lost_arr": Col(label="Lost", kind="money"),
    "due_arr": Col(label="Due in all", kind="money"),
    "shown_expected_arr": Col(
        label="As shown on the day", kind="money", help="What a load that ended on that day expected"
    ),
}
DISAGREEMENT = {
    "name": Col(label="Account", is_pinned=True, width=170),
    "gap_arr": Col(label="Owner - model", kind="money", width=116, help="Above 0 the owner hopes for more"),
    "call": Col(label="Own call", width=92),
    "implied": Col(
        label="It implies", kind="percent", width=92, help="How often such calls came true, else as the settings say"
    ),
    "likelihood": Col(label="Likelihood", kind="percent", width=92),
    "arr": Col(label="ARR", kind="money", width=96),
    "days_left": Col(label="Days left", kind="days", width=82),
    "owner": Col(label="Owner"),
    "called_on": Col(label="Called on", kind="date", help="Empty: imported, without a day"),
    "implied_by": Col(label="Implied by"),
    "owner_arr": Col(label="Owner expects", kind="money"),
    "model_arr": Col(label="Model expects", kind="money"),
    "ends_on": Col(label="Ends", kind="date"),
}
RECORD = {
    "who": Col(label="Who", width=110),
    "basis": Col(label="Calls", width=140),
    "decided": Col(label="Decided", kind="count"),
    "verdict": Col(label="Who was right", width=300),
    "hit_rate": Col(label="Hits", kind="percent", help="Renewed with more than 50% said, or lost with less"),
    "owner_brier": Col(label="Owner, Brier", kind="plain", help="0 is perfect, 0.25 a coin"),
    "model_brier": Col(label="Model, Brier", kind="plain", help="On the same contracts"),
    "compared": Col(label="Compared", kind="count", help="Of these also scored by the model"),
    "owner_arr_off": Col(label="Owner off by", kind="money", help="ARR said to renew - ARR renewed"),
    "model_arr_off": Col(label="Model off by", kind="money"),
}
CALL_RATES = {
    "who": Col(label="Who"),
    "basis": Col(label="Calls"),
    "call": Col(label="Call"),
    "decided": Col(label="Decided", kind="count"),
    "renewed": Col(label="Renewed", kind="count"),
    "rate": Col(label="Came true", kind="percent"),
    "low": Col(label="Low", kind="percent"),
    "high": Col(label="High", kind="percent"),
    "stated": Col(label="As stated", kind="percent"),
}

"""The columns of the tables on the Expansion page."""

from cs_metrics.ui.tables import Col

__all__ = ["DEPARTMENTS", "GRID", "KINDS", "LIMITS", "MOVES", "OFFERS", "RECORD", "REVIEW", "WORTH"]

OFFERS = {
    "name": Col(label="Account", is_pinned=True),
    "offer": Col(label="Opportunity"),
    "what": Col(label="What", width="medium"),
    "expected_arr": Col(label="Expected ARR", kind="money", help="Estimated ARR × likelihood"),
    "is_ready": Col(label="Ready", kind="bool", help="Nothing holds it back"),
    "evidence": Col(label="Evidence", width="large"),
    "blockers": Col(label="Held back by", kind="tags", width="large"),
    "blocked_until": Col(label="Held back until", kind="date", help="Where the day can be known"),
    "blocked_why": Col(label="Why that day, or none", width="medium"),
    "timing": Col(label="Moment", kind="tags", width="medium"),
    "owner": Col(label="Owner"),
    "route": Col(label="Route"),
    "next_step": Col(label="Next step", width="medium"),
    "status_says": Col(label="Status", width="medium"),
    "note": Col(label="Last said", width="medium"),
    "message": Col(label="What can be said", width="large"),
    "health": Col(label="Health", kind="health"),
    "arr": Col(label="Estimated ARR", kind="money"),
    "arr_basis": Col(label="How estimated", width="medium"),
    "likelihood": Col(label="Likelihood", kind="percent"),
    "likelihood_low": Col(label="From", kind="percent", help="95% interval of the likelihood"),
    "likelihood_high": Col(label="To", kind="percent", help="95% interval of the likelihood"),
    "likelihood_support": Col(label="Likelihood from", width="medium"),
    "gate": Col(label="Gate", width="medium"),
}
KINDS = {
    "name": Col(label="Opportunity", is_pinned=True),
    "offers": Col(label="Found", kind="count"),
    "ready": Col(label="Ready", kind="count"),
    "arr": Col(label="ARR", kind="money"),
    "ready_arr": Col(label="Ready ARR", kind="money"),
    "expected_arr": Col(label="Expected ARR", kind="money"),
    "likelihood": Col(label="Likelihood", kind="percent"),
    "likelihood_low": Col(label="From", kind="percent", help="95% interval; empty where it is configured"),
    "likelihood_high": Col(label="To", kind="percent", help="95% interval; empty where it is configured"),
    "won": Col(label="Won", kind="count"),
    "decided": Col(label="Decided", kind="count"),
    "missing": Col(label="Tables missing"),
    "rule": Col(label="Fires when", width="large"),
}
MOVES = {
    "name": Col(label="Left behind", is_pinned=True),
    "lead": Col(label="Lead there", width="large"),
    "lead_arr": Col(label="Lead ARR", kind="money", help="Median ARR of the customers of the same segment"),
    "risk": Col(label="Risk here", width="large"),
    "arr": Col(label="ARR here", kind="money"),
    "health": Col(label="Health here", kind="health"),
    "left_on": Col(label="Left on", kind="date"),
    "role": Col(label="Role"),
    "salesperson": Col(label="Sales"),
    "csm": Col(label="CSM"),
}
LIMITS = {
    "name": Col(label="Account", is_pinned=True),
    "resource": Col(label="Limit"),
    "share": Col(label="Used", kind="percent"),
    "full_on": Col(label="Full on", kind="date", help="By the trend of the last measurements"),
    "full_from": Col(label="From", kind="date", help="80% interval of the day"),
    "full_to": Col(label="To", kind="date", help="80% interval of the day; empty beyond three years"),
    "fires": Col(label="Near", kind="bool", help="Nearly full, or full soon"),
    "says": Col(label="In words", width="large"),
    "used": Col(label="Used amount", kind="number"),
    "allowed": Col(label="Allowed", kind="number"),
    "growth_30_days": Col(label="Growth in 30 days", kind="number"),
    "measured_on": Col(label="Measured on", kind="date"),
}
DEPARTMENTS = {
    "name": Col(label="Account", is_pinned=True),
    "fires": Col(label="Offered", kind="bool", help="The rule offers other departments"),
    "arr": Col(label="ARR", kind="money"),
    "active_departments": Col(label="Active", kind="count", help="Departments with active users"),
    "departments": Col(label="Departments", kind="count"),
    "active_in": Col(label="Active users in", kind="tags", width="large"),
    "idle_in": Col(label="Nobody active in", kind="tags", width="medium"),
    "new_in": Col(label="New", kind="tags", width="medium"),
    "top_share": Col(
        label="In the largest", kind="percent", help="Share of the active users in the most active department"
    ),
    "active_users": Col(label="Active users", kind="count"),
    "users": Col(label="Users", kind="count"),
}
WORTH = {
    "product": Col(label="Product"),
    "kind": Col(label="Kind"),
    "white_space_arr": Col(label="White-space ARR", kind="money", help="Of those that tried or lack it"),
    "later_arr": Col(label="Later", kind="money", help="Of those that are not ready for it"),
    "owned": Col(label="Own it", kind="count"),
    "tried": Col(label="Tried it", kind="count"),
    "gap": Col(label="Lack it", kind="count"),
    "not_eligible": Col(label="Not ready", kind="count"),
    "owned_share": Col(label="Owned by", kind="percent"),
    "unpriced": Col(label="No estimate", kind="count"),
}
REVIEW = {
    "name": Col(label="Account", is_pinned=True),
    "closed_on": Col(label="Won on", kind="date"),
    "kind": Col(label="Opportunity"),
    "arr": Col(label="ARR", kind="money"),
    "owner": Col(label="Owner"),
    "health_before": Col(label="Health before", kind="score"),
    "health_after": Col(label="Health after", kind="score"),
    "satisfaction_before": Col(label="Satisfaction before", kind="score"),
    "satisfaction_after": Col(label="Satisfaction after", kind="score"),
    "verdict": Col(label="Afterwards"),
    "bonus_share": Col(label="Bonus", kind="percent"),
}
GRID = {
    "name": Col(label="Account", is_pinned=True),
    "white_space_arr": Col(label="White-space ARR", kind="money"),
    "open": Col(label="Tried or gap", kind="count"),
    "arr": Col(label="ARR", kind="money"),
}
RECORD = {
    "kind": Col(label="Kind"),
    "taken": Col(label="Taken", kind="count"),
    "taken_won": Col(label="Won since", kind="count"),
    "taken_lost": Col(label="Lost since", kind="count"),
    "taken_open": Col(label="Still open", kind="count"),
    "postponed": Col(label="Put off", kind="count"),
    "dismissed": Col(label="Dismissed", kind="count"),
    "declined": Col(label="Declined", kind="count"),
    "counted_as_lost": Col(label="Counted as lost", kind="count", help="Declines that no deal tells of"),
}

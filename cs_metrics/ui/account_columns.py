"""The columns of the tables on the Account page."""

from cs_metrics.ui.tables import Col

__all__ = ["CHANGES", "DEPARTMENTS", "FEATURES", "FOUND", "GAINS", "LISTS", "OFFERS", "PRODUCTS", "TIMELINE", "USERS"]

FOUND = {
    "name": Col(label="Account", is_pinned=True),
    "segment": Col(label="Segment"),
    "csm": Col(label="CSM"),
    "arr": Col(label="ARR", kind="money"),
    "colour": Col(label="Health", kind="health"),
}
CHANGES = {
    "measure": Col(label="Measure", width=190),
    "before_words": Col(label="Then", width=88),
    "now_words": Col(label="Now", width=88),
    "change_words": Col(label="Change", width=92),
    "effect_words": Col(label="Effect", width=88),
    "detail": Col(label="Why", width=260),
    "weight": Col(label="Weight", kind="score", help="How far the change goes, by the weights in the settings"),
}
TIMELINE = {
    "day": Col(label="Day", kind="date"),
    "kind": Col(label="Kind"),
    "what": Col(label="What happened", width="large"),
    "detail": Col(label="Detail", width="large"),
}
LISTS: dict[str, tuple[str, dict[str, Col]]] = {
    "account_promises": (
        "Promises",
        {
            "promise": Col(label="Promise", width="medium"),
            "state_words": Col(label="State"),
            "due_on": Col(label="Due", kind="date"),
            "kept_on": Col(label="Kept", kind="date"),
            "made_on": Col(label="Made", kind="date"),
            "author": Col(label="Written by"),
        },
    ),
    "account_tickets": (
        "Open tickets",
        {
            "ticket_id": Col(label="Ticket"),
            "kind": Col(label="Kind"),
            "priority": Col(label="Priority"),
            "product": Col(label="Product"),
            "days_open": Col(label="Days open", kind="days"),
            "is_stuck": Col(label="Stuck", kind="bool", help="Urgent, or older than configured"),
        },
    ),
    "account_milestones": (
        "Milestones",
        {
            "milestone": Col(label="Milestone", width="medium"),
            "state": Col(label="State"),
            "due_on": Col(label="Due", kind="date"),
            "completed_on": Col(label="Reached", kind="date"),
            "days_late": Col(label="Days late", kind="days", help="Negative: early"),
        },
    ),
    "account_contracts": (
        "Contracts",
        {
            "contract_id": Col(label="Contract"),
            "state": Col(label="State"),
            "ends_on": Col(label="Ends", kind="date"),
            "days_left": Col(label="Days left", kind="days", help="Negative: past its end and undecided"),
            "arr": Col(label="ARR", kind="money"),
            "decided_on": Col(label="Decided", kind="date"),
            "renewed_arr": Col(label="Renewed ARR", kind="money"),
            "reason": Col(label="Reason"),
            "competitor": Col(label="Competitor"),
            "auto_renews": Col(label="Renews by itself", kind="bool"),
        },
    ),
    "account_contacts": (
        "People who decide",
        {
            "name": Col(label="Name"),
            "role": Col(label="Role"),
            "state": Col(label="State"),
            "since": Col(label="Since", kind="date"),
            "left_on": Col(label="Left", kind="date"),
            "moved_to": Col(label="Moved to"),
        },
    ),
}
FEATURES = {
    "event": Col(label="Feature"),
    "product": Col(label="Product"),
    "times": Col(label="Uses", kind="count"),
    "days": Col(label="Days", kind="count", help="Of the 28 days, those with any use of it"),
    "similar_median": Col(label="Similar, median", kind="number"),
    "similar_using": Col(label="Similar using it", kind="count"),
    "percentile": Col(
        label="Percentile", kind="percent", help="Similar accounts with fewer uses, and half of those with as many"
    ),
    "reading": Col(label="Against similar accounts"),
}
GAINS = {
    "measure": Col(label="What"),
    "now_words": Col(label="Last 12 months"),
    "before_words": Col(label="12 months before"),
    "change_words": Col(label="Change"),
}
USERS = {
    "user_id": Col(label="User"),
    "department": Col(label="Department"),
    "state": Col(label="State", help="Lost: deactivated, or silent for 90 days; idle: silent for 28 days"),
    "last_active_on": Col(label="Last active", kind="date"),
    "active_days_28": Col(label="Active days in 28", kind="count"),
    "times_28": Col(label="Uses in 28 days", kind="count"),
    "share_28": Col(label="Share of use", kind="percent"),
}
DEPARTMENTS = {
    "department": Col(label="Department"),
    **{name: Col(label=name.title(), kind="count") for name in ("users", "active", "new", "idle", "lost")},
}
OFFERS = {
    "offer": Col(label="Opportunity"),
    "what": Col(label="What"),
    "expected_arr": Col(label="Expected ARR", kind="money"),
    "is_ready": Col(label="Ready", kind="bool"),
    "evidence": Col(label="Evidence", width="large"),
    "blockers": Col(label="Held back by", kind="tags", width="large"),
    "timing": Col(label="Moment", kind="tags"),
    "next_step": Col(label="Next step", width="medium"),
    "message": Col(label="What can be said", width="large"),
}
PRODUCTS = {
    "product": Col(label="Product"),
    "kind": Col(label="Kind"),
    "words": Col(label="State"),
    "times_tried": Col(label="Times tried", kind="count"),
    "tried_last": Col(label="Last tried", kind="date"),
}

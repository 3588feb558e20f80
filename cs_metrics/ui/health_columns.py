"""How the tables of the page Health show their columns."""

from cs_metrics.config import DIMENSIONS
from cs_metrics.ui.tables import Col

__all__ = [
    "ACTIONS",
    "BUSY",
    "DRIVERS",
    "GROUPS_PROOF",
    "MEASURES",
    "MOVES",
    "OVERRIDES",
    "PEOPLE",
    "PRAISE",
    "PROOF",
    "RISK",
    "SCORES",
    "SUGGESTED",
    "WEIGHTS",
]

_BARS = {one: Col(label=one.capitalize(), kind="bar", width="small") for one in DIMENSIONS}
_ACCOUNT = {"name": Col(label="Account", is_pinned=True), "colour": Col(label="Health", kind="health")}
_OWNER = {"arr": Col(label="ARR", kind="money"), "segment": Col(label="Segment"), "csm": Col(label="CSM")}
_SCORE = {"score": Col(label="Score", kind="score", help="0–100; red ≤ 50 < yellow ≤ 75 < green")}
SCORES = {
    **_ACCOUNT,
    **_SCORE,
    "said": Col(label="Override", help="What a person says instead; it is counted by the computed score"),
    "change_28_days": Col(label="28 days", kind="number", help="Change in points; within ±5 it counts as none"),
    "reasons": Col(label="Reasons", width="large"),
    "arr": Col(label="ARR", kind="money"),
    **_BARS,
    "coverage": Col(label="Coverage", kind="percent", help="Share of the weights whose dimension has data"),
    "active_share": Col(label="Seats active", kind="percent", help="End users: active in 28 days ÷ seats"),
    "weeks_red": Col(label="Weeks red", kind="count"),
    "alert": Col(label="Alert", width="large", help="Red in two or more weeks: what fell, and the suggested play"),
    "stage": Col(label="Stage"),
    "segment": Col(label="Segment"),
    "csm": Col(label="CSM"),
}
RISK = {
    **_ACCOUNT,
    "severity": Col(label="Severity", help="Of the gravest cause"),
    "cause": Col(label="Cause", width="large"),
    "evidence": Col(label="Signs", width="large"),
    "plan": Col(label="Plan", width="large"),
    "actions": Col(label="Open actions", width="large"),
    "owner": Col(label="Owner"),
    "due_on": Col(label="Due", kind="date"),
    "overdue_actions": Col(label="Overdue", kind="count", help="Written actions past their day"),
    "alert": Col(label="Alert", width="large", help="Red in two or more weeks: what fell, and the suggested play"),
    **_SCORE,
    **_OWNER,
}
_EVIDENCE = Col(label="Evidence", width="large")
BUSY = {
    **_ACCOUNT,
    "use": Col(label="Use", kind="bar"),
    "outcome": Col(label="Outcome", kind="bar"),
    "evidence": _EVIDENCE,
    **_OWNER,
}
PRAISE = {**_ACCOUNT, **_SCORE, "nps": Col(label="NPS answers", kind="number"), "evidence": _EVIDENCE, **_OWNER}
PROOF = {
    "colour": Col(label="Health then", kind="health"),
    "accounts": Col(label="Accounts", kind="count"),
    "churned": Col(label="Churned", kind="count"),
    "shrank": Col(label="Shrank", kind="count"),
    "rate": Col(label="Lost"),
    "lift": Col(label="Lift", kind="number", help="Loss rate ÷ that of all accounts with a score"),
    "lost_arr": Col(label="ARR lost", kind="money"),
    "lost_arr_share": Col(label="Of ARR lost", kind="percent"),
}
GROUPS_PROOF = {
    "group": Col(label="Group", is_pinned=True),
    "verdict": Col(label="Verdict", width="large"),
    "accounts": Col(label="Accounts", kind="count"),
    "lost": Col(label="Lost", kind="count"),
    "red_accounts": Col(label="Red", kind="count"),
    "red_lost": Col(label="Red lost", kind="count"),
    "red_lift": Col(label="Lift of red", kind="number"),
    "below_green_share": Col(label="Losses below green", kind="percent"),
    "green_lost_arr_share": Col(label="Lost ARR was green", kind="percent"),
    "auc": Col(label="AUC"),
}
SUGGESTED = {
    "segment": Col(label="For", is_pinned=True),
    "verdict": Col(label="Verdict", width="large"),
    "auc_today": Col(label="AUC today"),
    "auc_suggested": Col(label="AUC suggested"),
    "caught_today": Col(label="Losses in lowest fifth, today", kind="percent"),
    "caught_suggested": Col(label="suggested", kind="percent"),
    "losses": Col(label="Losses learned from", kind="count"),
    "test_losses": Col(label="Losses judged by", kind="count"),
}
MEASURES = {
    "dimension": Col(label="Dimension"),
    "says": Col(label="Measure", width="large"),
    "scored_0_at": Col(label="Scores 0 at", kind="number"),
    "scored_100_at": Col(label="Scores 100 at", kind="number"),
    "measure_weight": Col(label="Weight within", kind="percent"),
    "weights": Col(label="Weight of the dimension", width="large"),
    "share": Col(label="Customers with data", kind="percent"),
    "scale": Col(label="Scale"),
}
WEIGHTS = {
    "setting": Col(label="For", is_pinned=True),
    "accounts": Col(label="In force for", kind="count"),
    **{one: Col(label=one.capitalize(), kind="percent") for one in DIMENSIONS},
}
PEOPLE = {
    **_ACCOUNT,
    "is_hidden": Col(label="Hidden", kind="bool", help="Green, while few seats are active or few people carry the use"),
    "state": Col(label="Use is"),
    "active_users": Col(label="Active", kind="count", help="Known users active in 4 weeks"),
    "seats": Col(label="Seats", kind="count"),
    "idle_seats": Col(label="Idle", kind="count"),
    "active_share": Col(label="Seats active", kind="percent"),
    "half_users": Col(label="Half of use by", kind="count", help="The fewest users who make half of all uses"),
    "top_user_share": Col(label="Busiest user", kind="percent", help="Share of the uses"),
    **_OWNER,
}
MOVES = {
    "group": Col(label="Group", is_pinned=True),
    "down": Col(label="Down", kind="count"),
    "up": Col(label="Up", kind="count"),
    "left": Col(label="Left", kind="count"),
    "same": Col(label="Same", kind="count"),
    "down_arr": Col(label="ARR down", kind="money"),
    "up_arr": Col(label="ARR up", kind="money"),
    "left_arr": Col(label="ARR left", kind="money"),
}
OVERRIDES = {
    "name": Col(label="Account", is_pinned=True),
    "override_colour": Col(label="Said", kind="health"),
    "override_score": Col(label="Score said", kind="number"),
    "colour": Col(label="Computed", kind="health"),
    "score": Col(label="Score", kind="number"),
    "override_by": Col(label="By"),
    "override_on": Col(label="On", kind="date"),
    "override_until": Col(label="Until", kind="date"),
    "override_reason": Col(label="Why", width="large"),
    "state": Col(label="State"),
    "became": Col(label="90 days later"),
}
ACTIONS = {
    "name": Col(label="Account", is_pinned=True),
    "what": Col(label="What", width="large"),
    "owner": Col(label="Owner"),
    "due_on": Col(label="Due", kind="date"),
    "is_overdue": Col(label="Overdue", kind="bool"),
    "state": Col(label="State"),
    "severity": Col(label="Severity"),
    "cause": Col(label="Cause"),
}
DRIVERS = {
    "what": Col(label="What"),
    "points": Col(label="Points", kind="number"),
    "before": Col(label="Before", width="medium"),
    "after": Col(label="After", width="medium"),
}

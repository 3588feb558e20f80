"""How the tables of the page Health show their columns."""

from cs_metrics.config import DIMENSIONS
from cs_metrics.ui.tables import Col

__all__ = ["BUSY", "MEASURES", "PAST", "PRAISE", "PROOF", "RISK", "SCORES"]

_BARS = {one: Col(label=one.capitalize(), kind="bar", width="small") for one in DIMENSIONS}
_ACCOUNT = {"name": Col(label="Account", is_pinned=True), "colour": Col(label="Health", kind="health")}
_OWNER = {"arr": Col(label="ARR", kind="money"), "segment": Col(label="Segment"), "csm": Col(label="CSM")}
_SCORE = {"score": Col(label="Score", kind="score", help="0–100; red ≤ 50 < yellow ≤ 75 < green")}
SCORES = {
    **_ACCOUNT,
    **_SCORE,
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
MEASURES = {
    "dimension": Col(label="Dimension"),
    "says": Col(label="Measure", width="large"),
    "scored_0_at": Col(label="Scores 0 at", kind="number"),
    "scored_100_at": Col(label="Scores 100 at", kind="number"),
    "measure_weight": Col(label="Weight within", kind="percent"),
    "weights": Col(label="Weight of the dimension", width="large"),
    "share": Col(label="Customers with data", kind="percent"),
}

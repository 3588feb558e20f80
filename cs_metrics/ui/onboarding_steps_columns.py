"""The columns of the tables of the steps of onboarding."""

from cs_metrics.ui.tables import Col, Kind

__all__ = ["BACK", "ETA", "FUNNEL", "HANDOFF", "PASSED", "RETURNED", "STUCK", "WAITS"]


def _columns(kind: Kind, /, **labels: str) -> dict[str, Col]:
    return {name: Col(label=label, kind=kind) for name, label in labels.items()}


_NAME = {"name": Col(label="Account", is_pinned=True)}
FUNNEL = {
    **_columns("text", milestone="Milestone"),
    **_columns("count", accounts="Accounts", reached="Reached", completed="Completed"),
    "share_by_end": Col(label="In onboarding", kind="percent", help="Complete by its last day (Kaplan-Meier)"),
    "on_time_share": Col(label="On time", kind="percent", help="Of the accounts past its due day"),
    "median_days": Col(label="Days in step", kind="days", help="Median (Kaplan-Meier)"),
    **_columns("days", p25_days="A quarter by", p75_days="Three quarters by"),
    "median_days_from_start": Col(label="From start", kind="days", help="Median days from the account's start"),
    **_columns("count", waiting="Waiting"),
    "stalled": Col(label="Stalled", kind="count", help="Of the waiting: past the due day"),
    "lost": Col(label="Lost", kind="count", help="Lost all MRR in the step"),
    "user_share": Col(label="Users", kind="percent", help="Known users that did its event themselves"),
    "by_one_user": Col(label="By one user", kind="count", help="Accounts in which a single known user did its event"),
}
WAITS = {
    **_columns("text", milestone="Milestone", group="Group"),
    **_columns("count", reached="Reached", completed="Completed", waiting="Waiting", stalled="Stalled", lost="Lost"),
    **_columns("days", median_days="Days in step", p25_days="A quarter by", p75_days="Three quarters by"),
    **_columns("money", overdue_arr="Overdue ARR"),
}
ETA = {
    **_NAME,
    **_columns("text", state="Outlook"),
    **_columns("text", next_milestone="Next milestone"),
    **_columns("date", next_due_on="Due", predicted_on="Complete by", low_on="Earliest", high_on="Latest"),
    "complete_share": Col(
        label="Chance", kind="percent", help="Share of accounts in the same place that ever completed"
    ),
    "days_behind": Col(
        label="Days late", kind="days", help="Against the due day of the last milestone; negative: early"
    ),
    **_columns("money", arr="ARR"),
    "waiting_days": Col(label="Days in step", kind="days"),
    "histories": Col(label="Histories", kind="count", help="Past accounts that the prediction stands on"),
    **_columns("text", based_on="Of", onboarding_manager="Manager"),
}
STUCK = {
    **_NAME,
    **_columns("text", milestone="Milestone"),
    **_columns("days", waiting_days="Days waiting", days_overdue="Days overdue"),
    **_columns("date", due_on="Due"),
    **_columns("money", arr="ARR"),
    **_columns("text", onboarding_manager="Manager", segment="Segment"),
}
RETURNED = {
    **_columns("text", event="Event"),
    **_columns("count", returns="Returns"),
    "share": Col(label="On return", kind="percent", help="Of the first returns of all that came back"),
    "before_share": Col(label="Before", kind="percent", help="Of the same, on the last day before the silence"),
    "stayed_share": Col(label="Stayed", kind="percent", help="Of those whose return is at least 56 days ago"),
}
BACK = {
    **_NAME,
    "returned_on": Col(label="Came back", kind="date"),
    "days_silent": Col(label="Days silent", kind="days"),
    "on_return": Col(label="What they did that day", kind="tags", width="large"),
    "state": Col(label="Since then", help="Stayed: active in days 29 to 56 after the return"),
    **_columns("date", last_active_on="Last active"),
    **_columns("money", arr="ARR"),
    **_columns("text", csm="CSM"),
    "returns": Col(label="Times back", kind="count"),
}
HANDOFF = {
    **_columns("text", salesperson="Salesperson"),
    **_columns("count", accounts="Accounts", complete="Complete"),
    **_columns("percent", share="Share"),
    **_columns("count", without_profile="No profile", without_order="No order"),
    **_columns("count", without_technical_needs="No technical needs", without_expected_outcomes="No outcomes"),
    "median_minutes": Col(label="Minutes to greeting", kind="number", help="Median, from payment to the first message"),
    **_columns("count", greeted_in_time="Greeted in time", opened_welcome="Opened welcome"),
}
PASSED = {
    **_NAME,
    **_columns("text", salesperson="Salesperson"),
    **_columns("date", paid_on="Paid"),
    "completeness": Col(label="Parts of 4", kind="count", help="Profile, order, technical needs, expected outcomes"),
    "missing": Col(label="Missing", width="medium"),
    "minutes": Col(label="Minutes to greeting", kind="number"),
    **_columns("bool", is_in_time="In time", welcome_opened="Opened welcome"),
    "rule": Col(label="Joins", help="When customer success was to join the sale"),
    "why": Col(label="Because", width="large"),
    **_columns("money", arr="ARR"),
}

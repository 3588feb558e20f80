"""First value on the onboarding page: the 90/10 test, the cost of a week of delay, and the key-action finder."""

from typing import Any

from cs_metrics.report import first_value as words
from cs_metrics.report import format as say
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col, Kind

__all__ = ["draw"]


def _columns(kind: Kind, /, **labels: str) -> dict[str, Col]:
    return {name: Col(label=label, kind=kind) for name, label in labels.items()}


_STANDINGS = {
    "standing": Col(label="Have started and …", width=172),
    "accounts": Col(label="Accounts", kind="count", width="small"),
    "retained": Col(label="Stay", kind="percent", help="The share still there a year after day 90", width=64),
    "interval": Col(label="95% interval", width=92),
    "lost": Col(label="Lost", kind="count", help="So far", width=56),
}
_ACTIONS = {
    "event": Col(label="Event", is_pinned=True),
    **_columns("points", difference="Difference"),
    **_columns("points", low="at least", high="at most"),
    "p": Col(label="p", kind="plain", help="After correction for the number of events; 0 is below 0.0005"),
    "confirmed": Col(label="Confirmed", help="Found on the older accounts and seen again on those that started later"),
    "confirmed_difference": Col(label="On newer", kind="points", help="The difference among the newer accounts"),
    **_columns("count", did="Did it"),
    "did_retained": Col(label="Stay", kind="percent", help="Of those that did it, the share still there a year later"),
    **_columns("count", did_not="Did not"),
    "did_not_retained": Col(label="Stay ", kind="percent", help="Of those that did not"),
    "found_difference": Col(label="On older", kind="points", help="The difference among the older accounts"),
    "found_p": Col(label="p on older", kind="plain", help="After correction for the number of events"),
}
_WITHIN = {"30": "First 30 days", "60": "60", "90": "90"}
_TIMES = {"1": "Once", "3": "3 times", "8": "8 times"}
_UNTIL = {"onboarding": "Onboarding complete", "first_value": "First key action"}


def draw(page: Page) -> None:
    """Draw the tab on early value."""
    with page.guard():
        _ninety_ten(page)
    with page.guard():
        _delay(page)
    with page.guard():
        _finder(page)


def _ninety_ten(page: Page) -> None:
    test, accounts = page.metric("ninety_ten"), page.metric("ninety_ten_accounts")
    what = "completing onboarding" if page.store.has("milestones") else "the first key action"
    left, right = page.columns(3, 2)
    with left:
        page.chart(
            words.survival_curves(page.metric("ninety_ten_curves")),
            title=words.retention_sentence(test, what=what),
            caption="Customers on day 90 after their start, share not lost since",
            metric=["ninety_ten", "ninety_ten_curves"],
            key="ninety_ten",
        )
    with right:
        page.table(
            words.group_rows(accounts, test),
            _STANDINGS,
            title="Who is compared, and who is left out",
            caption=words.compared_sentence(accounts, test),
            metric=["ninety_ten_accounts", "ninety_ten"],
            key="ninety_ten_accounts",
            opens=None,
        )


def _delay(page: Page) -> None:
    until = page.choose("delay_until", "Delay until", _UNTIL)
    asked: dict[str, Any] = {"until": until}
    cost, groups = page.metric("delay_cost", **asked), page.metric("delay_groups", **asked)
    left, right = page.columns(3, 2)
    with left:
        page.chart(
            words.delay_picture(groups, cost),
            title=words.delay_title(cost, page.currency),
            caption="Share still there a year after day 90, by the week in which it was reached; the line is all of them by day 90",
            metric=[("delay_groups", asked), ("delay_cost", asked)],
            key="delay",
            note="It shows what goes along with delay, not what delay causes; accounts are compared within their segment.",
        )
    with right:
        found, metric = cost.iloc[0], ("delay_cost", asked)
        page.figures(
            [
                Figure(
                    label="Retention per week of delay",
                    value=say.points(-found["points_per_week"]),
                    note=words.delay_verdict(cost),
                    help=words.delay_interval(cost, "points"),
                    metric=metric,
                ),
                Figure(
                    label="ARR per week of delay",
                    value=page.money(-found["arr_per_week"]),
                    note=words.delay_interval(cost, "arr", page.currency) or "not known",
                    help="ARR of the accounts that now wait × the points per week.",
                    metric=metric,
                ),
                Figure(
                    label="Waiting now",
                    value=say.count(found["waiting"]),
                    note=f"{page.money(found['waiting_arr'])} ARR",
                    help="Accounts in onboarding that do not have it yet.",
                    metric=metric,
                ),
                Figure(
                    label="Weeks it takes",
                    value=say.number(found["median_weeks"]),
                    note=f"median of {say.plural(found['accounts'], 'account')}",
                    help="Of the customers on day 90 that had it by then.",
                    metric=metric,
                ),
            ],
            columns=2,
        )


def _finder(page: Page) -> None:
    left, right = page.columns(1, 1)
    with left:
        within = page.choose("action_within", "Done within the first days", _WITHIN)
    with right:
        times = page.choose("action_times", "At least so many times", _TIMES)
    asked: dict[str, Any] = {"within_days": int(within), "times": int(times)}
    found = page.metric("key_actions", **asked)
    often = "" if times == "1" else f" at least {times} times"
    if found.empty:
        page.empty(f"No customer on day {within} had done any event{often}.", title=words.action_title(found))
        return
    page.chart(
        words.action_differences(found),
        title=words.action_title(found),
        caption=f"Retention a year later of those who did it{often} in their first {within} days, less that of the others",
        metric=("key_actions", asked),
        key="key_actions",
        note="Blue is beyond chance after as many looks; ✓ confirmed on newer accounts, ✗ not. It shows what goes along with staying, "
        "not what causes it; narrow the page to a segment to compare like with like.",
    )
    page.table(
        words.action_rows(found),
        _ACTIONS,
        title="Every event that was compared",
        caption="The one whose difference is surely the largest first; events without a difference have too few accounts on one side",
        metric=("key_actions", asked),
        key="key_action_rows",
        opens=None,
    )

"""The tab of an account's health: why its score changed, what a person says instead, cause, plan and actions."""

import datetime as dt

from cs_metrics import periods
from cs_metrics.report import format as say
from cs_metrics.report import health_charts as draw
from cs_metrics.ui import risk_desk
from cs_metrics.ui.health_columns import DRIVERS
from cs_metrics.ui.shell import Page

__all__ = ["draw_health"]

_SPANS = {"28": "28 days", "90": "90 days", "180": "180 days"}


def draw_health(page: Page, account_id: str) -> None:
    """Draw the change of the score with its parts, then the desk of the account."""
    days = page.choose("drivers", "Since", _SPANS)
    since: dt.date = periods.add_days(page.as_of, -int(days))
    rows = page.metric("health_change", account_id=account_id, from_=since)
    asked = ("health_change", {"account_id": account_id, "from": since})
    rows["what"] = [draw.driver_words(name) for name in rows["driver"]]
    if rows.empty or rows["change"].isna().all():
        page.empty(f"The account has no score now, or had none {days} days ago.", title="Why the score changed")
    else:
        change = float(rows["change"].iloc[0])
        title = f"The score went {'up' if change > 0 else 'down'} by {say.number(abs(change))} points"
        page.chart(
            draw.drivers(rows),
            title=title if round(change, 1) else "The score has not changed",
            caption="points of the score, by what was measured; the parts add up",
            metric=asked,
            key="drivers",
        )
    page.table(
        rows,
        DRIVERS,
        title="What was measured before and after",
        caption="as of both Sundays",
        metric=asked,
        key="driver_rows",
        opens=None,
        empty="Nothing that is measured has changed.",
    )
    risk_desk.draw(page, account_id, key="account_risk")

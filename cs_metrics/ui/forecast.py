"""The revenue forecast on the page Health: the book of the next twelve months, and what was said before."""

from cs_metrics.report import portfolio
from cs_metrics.ui.health_columns import PAST
from cs_metrics.ui.shell import Page

__all__ = ["draw_forecast"]

_NO_PAST = "No quarter's end has a year of history before it and three months after it."


def draw_forecast(page: Page) -> None:
    """Draw the forecast with its intervals, and the record of past forecasts."""
    past, ahead = page.metric("retention_trend"), page.metric("forecast")
    page.chart(
        portfolio.arr_fan(past, ahead),
        title=portfolio.arr_fan_title(ahead, page.currency),
        caption=f"ARR of today's customers, {page.currency}, with 50, 80 and 95% intervals",
        metric="forecast",
        key="forecast",
    )
    page.table(
        page.metric("forecast_backtest"),
        PAST,
        title="What it said before, and what came",
        caption="at past quarter-ends",
        metric="forecast_backtest",
        key="forecast_backtest",
        empty=_NO_PAST,
    )

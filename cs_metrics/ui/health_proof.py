"""The trial of the score on the page Health: what became of the accounts that it called red, yellow and green."""

from cs_metrics.report import format as say
from cs_metrics.report import health_charts as draw
from cs_metrics.ui.health_columns import PROOF
from cs_metrics.ui.shell import Page

__all__ = ["draw_proof"]

_HORIZONS = {"90": "90 days ago", "180": "180 days ago"}


def draw_proof(page: Page) -> None:
    """Draw the back-test over the chosen horizon."""
    fewest = page.config.min_accounts
    days = page.choose("horizon", "Looking back", _HORIZONS)
    asked = ("health_backtest", {"horizon_days": days})
    rows = page.metric("health_backtest", horizon_days=days)
    pairs = zip(rows["lost"], rows["accounts"], strict=True)
    rows["rate"] = [say.rate(lost, accounts, minimum=fewest) for lost, accounts in pairs]
    page.chart(
        draw.backtest(rows, fewest),
        title=f"Back-test over {days} days: {rows.verdict.iloc[0]}",
        caption=f"accounts by their health {_HORIZONS[days]}: share that churned or shrank since, 95% interval",
        metric=asked,
        key="backtest",
    )
    title = f"The customers of {say.date(rows.snapshot_day.iloc[0])}"
    page.table(rows[rows.accounts > 0], PROOF, title=title, caption="what became of them", metric=asked, key="proof")

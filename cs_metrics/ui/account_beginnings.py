"""How an account began: how it was handed over, and when its onboarding is likely to be complete."""

from cs_metrics.errors import MissingTable
from cs_metrics.report import onboarding_steps as words
from cs_metrics.ui.shell import Page

__all__ = ["beginnings"]


def beginnings(page: Page, account_id: str, *, is_onboarding: bool) -> dict[str, str]:
    """Return what is known of the beginning of the page's one account, by its label; nothing once it is long over."""
    try:
        if not is_onboarding:
            steps = page.metric("account_milestones", account_id=account_id)
            if steps["completed_on"].notna().all():
                return {}
        eta = page.metric("onboarding_eta")
        if eta.empty:
            return {}
        found = {"Onboarding": words.eta_words(eta.iloc[0])}
        handed = page.metric("handoff_accounts", last_days=0)
        return {**found, "Hand-off": words.handoff_words(handed.iloc[0])} if len(handed) else found
    except MissingTable:
        return {}

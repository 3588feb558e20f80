"""Every number of the product: `metric(store, *, as_of, scope, …) -> DataFrame`, one function a number."""

from cs_metrics.metrics.registry import METRICS, Metric, find, metric, run
from cs_metrics.metrics.scope import EVERYTHING, Scope

__all__ = ["EVERYTHING", "METRICS", "Metric", "Scope", "find", "metric", "run"]

from cs_metrics.metrics import (  # noqa: F401
    account,
    account_facts,
    account_usage,
    activation,
    activation_accounts,
    at_risk,
    bouncebacks,
    calls,
    contract_mix,
    delay,
    expansion,
    expansion_review,
    expansion_similar,
    first_value,
    forecast,
    freshness,
    handoff_effect,
    handoffs,
    health,
    health_backtest,
    health_history,
    health_lists,
    key_actions,
    likelihood_card,
    loads,
    milestones,
    onboarding,
    onboarding_eta,
    overview,
    plateau,
    renewal_rates,
    renewal_records,
    renewals,
    revenue,
    survival,
    timeline,
    usage,
    whitespace,
    win_loss,
    written,
)

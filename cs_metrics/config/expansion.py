"""Settings of the expansion rules."""

from pydantic import Field

from cs_metrics.config.base import Share, Strict

__all__ = ["Expansion"]


class Expansion(Strict):
    """The thresholds of the expansion rules, of what blocks them, and of their value, moment and route."""

    seats_used_from: float = Share
    seats_active_above: float = Share
    seats_headroom_to: float = Field(gt=0, le=1)
    limit_used_from: float = Share
    limit_projected_days: int = Field(ge=0)
    limit_trend_points: int = Field(ge=3)
    limit_stale_days: int = Field(ge=1)
    limit_arr_share: float = Share
    departments_up_to: int = Field(ge=1)
    department_min_active: int = Field(ge=1)
    department_arr_share: float = Share
    new_within_days: int = Field(ge=1)
    burst_share: float = Field(gt=0)
    burst_min_users: int = Field(ge=1)
    connector_events: tuple[str, ...]
    service_arr_share: float = Share
    tried_within_days: int = Field(ge=1)
    similar_accounts: int = Field(ge=1)
    similar_pool: int = Field(ge=1)
    similar_own_from: float = Share
    sponsor_roles: tuple[str, ...]
    sponsor_moved_days: int = Field(ge=1)
    tier_features_from: float = Share
    tier_days_from: int = Field(ge=1, le=28)
    old_ticket_days: int = Field(ge=0)
    low_satisfaction_days: int = Field(ge=1)
    low_nps: float
    low_csat: float
    good_review_days: int = Field(ge=1)
    renewal_days: int = Field(ge=1)
    highly_active_from: float = Field(ge=0, le=100)
    material_events: tuple[str, ...]
    material_days: int = Field(ge=1)
    route_automated_below_arr: float = Field(ge=0)
    route_sales_from_arr: float = Field(ge=0)
    likelihood_min_decided: int = Field(ge=1)
    prior_opportunities: float = Field(gt=0)
    base_likelihood: float = Field(gt=0, lt=1)
    dismissed_days: int = Field(ge=1)
    declined_deal_days: int = Field(ge=0)
    review_days: int = Field(ge=1)
    review_matches: int = Field(ge=1)
    bonus_reduced: float = Share

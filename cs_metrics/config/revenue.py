"""Settings of the book and of its forecast."""

from pydantic import Field

from cs_metrics.config.base import Strict

__all__ = ["Forecast", "Revenue"]


class Revenue(Strict):
    """How gaps between terms are seen."""

    grace_days: int = Field(ge=0)


class Forecast(Strict):
    """How far and how finely the revenue forecast looks, and how much the past must say before it is believed."""

    months: int = Field(ge=1, le=36)
    paths: int = Field(ge=100)
    seed: int
    prior_account_months: float = Field(gt=0)
    shock_sd: float = Field(ge=0)
    shock_prior_quarters: float = Field(gt=0)
    growth_sd: float = Field(ge=0)

"""Settings of the book and of its forecast."""

from typing import Self

from pydantic import Field, model_validator

from cs_metrics.config.base import Strict

__all__ = ["Forecast", "Lift", "Planning", "Revenue"]


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
    later_renewal_odds: float = Field(ge=0, le=3)
    larger_renewal_odds: float = Field(ge=0, le=3)


class Lift(Strict):
    """Hours to lift an account of one segment by one colour."""

    segment: str
    red_to_yellow_hours: float = Field(gt=0)
    yellow_to_green_hours: float = Field(gt=0)


class Planning(Strict):
    """What it takes to lift an account, what that is taken to bring, and the target to which the forecast is held."""

    budget_hours: float = Field(gt=0)
    red_to_yellow_hours: float = Field(gt=0)
    yellow_to_green_hours: float = Field(gt=0)
    red_to_yellow_points: float = Field(ge=0, le=100)
    yellow_to_green_points: float = Field(ge=0, le=100)
    week_earlier_points: float = Field(ge=0, le=100)
    target_nrr: float = Field(gt=0, le=5)
    segments: tuple[Lift, ...] = ()

    @model_validator(mode="after")
    def _each_segment_once(self) -> Self:
        named = [one.segment for one in self.segments]
        twice = next((one for one in named if named.count(one) > 1), None)
        if twice is not None:
            raise ValueError(f"the segment {twice!r} stands there twice; keep one of the two.")
        return self

    def hours(self, segment: str) -> tuple[float, float]:
        """Return the hours from red to yellow, and from yellow to green, for an account of a segment."""
        own: Lift | Planning = next((one for one in self.segments if one.segment == segment), self)
        return own.red_to_yellow_hours, own.yellow_to_green_hours

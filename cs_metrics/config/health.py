"""Settings of the health score: bands, measures, weights, plays and the signs of risk."""

from typing import Literal

from pydantic import Field, model_validator

from cs_metrics.config.base import Share, Strict
from cs_metrics.errors import ConfigError

__all__ = ["DIMENSIONS", "AtRisk", "HealthConfig", "HealthWeights", "Measure"]

DIMENSIONS = ("depth", "activity", "support", "sentiment", "outcome", "relationship")
Dimension = Literal["depth", "activity", "support", "sentiment", "outcome", "relationship"]
Stage = Literal["onboarding", "adoption", "renewal"]


class Measure(Strict):
    """One measure of health: scored 0 at `zero` and 100 at `full`, straight between, `weight` within its dimension."""

    dimension: Dimension
    zero: float
    full: float
    weight: float = Field(gt=0, le=1)
    says: str

    @model_validator(mode="after")
    def _has_width(self) -> "Measure":
        if self.zero == self.full:
            raise ValueError("zero and full are the same value, so no score lies between them")
        return self


class HealthWeights(Strict):
    """The weights of the dimensions for one segment and stage (empty: all)."""

    segment: str = ""
    stage: Stage | Literal[""] = ""
    depth: float = Share
    activity: float = Share
    support: float = Share
    sentiment: float = Share
    outcome: float = Share
    relationship: float = Share

    @model_validator(mode="after")
    def _adds_up(self) -> "HealthWeights":
        total = sum(self.of(one) for one in DIMENSIONS)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the weights add up to {total:g}, not to 1")
        return self

    def of(self, dimension: str) -> float:
        """Return the weight of one dimension."""
        return float(getattr(self, dimension))


class AtRisk(Strict):
    """The thresholds of the four signs of risk and of the causes that the data can tell."""

    min_signs: int = Field(ge=1, le=4)
    seats_active_below: float = Share
    low_use_days: int = Field(ge=0, le=28)
    falling_by: float = Share
    quiet_days: int = Field(ge=1)
    feedback_before: int = Field(ge=1)
    contact_attempts: int = Field(ge=1)
    cause_days: int = Field(ge=1)
    old_ticket_days: int = Field(ge=1)
    late_milestone_days: int = Field(ge=0)


class HealthConfig(Strict):
    """Bands, measures and weights of the health score, what to do about each dimension, and the signs of risk."""

    red_to: float
    yellow_to: float
    dead_band: float = Field(ge=0)
    min_coverage: float = Share
    measured_from: float = Share
    promoter_from: float = Field(ge=0, le=10)
    at_risk: AtRisk
    measures: dict[str, Measure]
    weights: tuple[HealthWeights, ...]
    plays: dict[Dimension, str]

    @model_validator(mode="after")
    def _is_whole(self) -> "HealthConfig":
        if not 0 < self.red_to < self.yellow_to < 100:
            raise ValueError("the bands must satisfy 0 < red_to < yellow_to < 100, else a colour is empty")
        if not any(not one.segment and not one.stage for one in self.weights):
            raise ValueError("one [[health.weights]] entry without segment and stage is needed as the default")
        seen = [(one.segment, one.stage) for one in self.weights]
        if len(seen) != len(set(seen)):
            raise ValueError("two [[health.weights]] entries name the same segment and stage")
        without = [one for one in DIMENSIONS if one not in self.plays]
        if without:
            raise ValueError(f"[health.plays] suggests nothing for {', '.join(without)}")
        return self

    def weights_for(self, segment: str, stage: str) -> HealthWeights:
        """Return the most specific weights: segment and stage, then segment, then stage, then the default."""
        by = {(one.segment, one.stage): one for one in self.weights}
        for key in ((segment, stage), (segment, ""), ("", stage), ("", "")):
            if key in by:
                return by[key]
        raise ConfigError("health.weights has no default entry.")

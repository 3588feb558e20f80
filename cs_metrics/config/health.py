"""Settings of the health score: bands, measures, weights, plays, the signs of risk, and what the score must hold in trial."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from cs_metrics.config.base import Share, Strict
from cs_metrics.errors import ConfigError, hint

__all__ = [
    "DIMENSIONS",
    "MEASURED",
    "AtRisk",
    "Health",
    "HealthConfig",
    "HealthTrial",
    "HealthWeights",
    "Measure",
    "SuggestedWeights",
]

DIMENSIONS = ("depth", "activity", "support", "sentiment", "outcome", "relationship")
Dimension = Literal["depth", "activity", "support", "sentiment", "outcome", "relationship"]
Stage = Literal["onboarding", "adoption", "renewal"]
# The columns of the mart account_week that can be scored.
MEASURED = (
    "seats", "active_users", "times", "core_features_used", "core_feature_share", "core_days", "active_user_share",
    "active_days", "stuck_tickets", "days_to_close", "tickets_90", "nps", "csat", "outcome_ratio", "sponsor_in_place",
    "days_since_meeting",
)  # fmt: skip
_Weight: Any = Field(ge=-1, le=1)


class Measure(Strict):
    """One measure of health: scored 0 at `zero` and 100 at `full`, straight between, `weight` within its dimension.

    On the scale `percentile` the two are percentiles of the customers of the same week, of all or of the own segment.
    """

    dimension: Dimension
    scale: Literal["thresholds", "percentile"] = "thresholds"
    among: Literal["all", "segment"] = "all"
    zero: float
    full: float
    weight: float = Field(gt=0, le=1)
    says: str

    @model_validator(mode="after")
    def _has_width(self) -> "Measure":
        if self.zero == self.full:
            raise ValueError("zero and full are the same value, so no score lies between them")
        if self.scale == "percentile" and not (0 <= self.zero <= 100 and 0 <= self.full <= 100):
            raise ValueError('on the scale "percentile" zero and full are percentiles, from 0 to 100')
        if self.scale == "thresholds" and self.among != "all":
            raise ValueError('among = "segment" needs scale = "percentile": fixed thresholds are the same for all')
        return self


class HealthWeights(Strict):
    """The weights of the dimensions for one segment and stage (empty: all).

    A weight below 0 turns its dimension round: it counts by 100 − its score. Without their signs all add up to 1.
    """

    segment: str = ""
    stage: Stage | Literal[""] = ""
    depth: float = _Weight
    activity: float = _Weight
    support: float = _Weight
    sentiment: float = _Weight
    outcome: float = _Weight
    relationship: float = _Weight

    @model_validator(mode="after")
    def _adds_up(self) -> "HealthWeights":
        total = sum(abs(self.of(one)) for one in DIMENSIONS)
        if abs(total - 1) > 1e-9:
            fix = f"; divide each by {total:g}" if total else ""
            raise ValueError(f"the weights add up to {total:g}, not to 1{fix}")
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


class HealthTrial(Strict):
    """What a score must hold in its back-test, and when there are enough outcomes to say so."""

    min_losses: int = Field(ge=2)
    red_lift_from: float = Field(ge=1)
    below_green_from: float = Share
    resamples: int = Field(ge=100)
    seed: int


class SuggestedWeights(Strict):
    """How weights are learned from the past, and when there is enough of it."""

    prior_losses: float = Field(gt=0)
    min_losses: int = Field(ge=5)
    min_test_losses: int = Field(ge=5)
    test_quarters: int = Field(ge=1)


class HealthConfig(Strict):
    """Bands, measures and weights of the health score, what to do about each dimension, and the signs of risk."""

    red_to: float
    yellow_to: float
    dead_band: float = Field(ge=0)
    min_coverage: float = Share
    measured_from: float = Share
    rank_from: int = Field(ge=2)
    promoter_from: float = Field(ge=0, le=10)
    alert_weeks: int = Field(ge=1)
    alert_due_days: int = Field(ge=0)
    at_risk: AtRisk
    trial: HealthTrial
    suggested_weights: SuggestedWeights
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

    @model_validator(mode="after")
    def _measures_add_up(self) -> "HealthConfig":
        for dimension in DIMENSIONS:
            mine = {name: one.weight for name, one in self.measures.items() if one.dimension == dimension}
            total = sum(mine.values())
            said = ", ".join(f"{name} {weight:g}" for name, weight in mine.items())
            if mine and abs(total - 1) > 1e-9:
                raise ValueError(f"the measures of {dimension} weigh {total:g} together, not 1 ({said})")
            if not mine and any(one.of(dimension) for one in self.weights):
                raise ValueError(f"{dimension} has a weight, but no measure of [health.measures] belongs to it")
        return self

    def weights_for(self, segment: str, stage: str) -> HealthWeights:
        """Return the most specific weights: segment and stage, then segment, then stage, then the default."""
        by = {(one.segment, one.stage): one for one in self.weights}
        for key in ((segment, stage), (segment, ""), ("", stage), ("", "")):
            if key in by:
                return by[key]
        raise ConfigError("health.weights has no default entry.")


def _all_measured(given: HealthConfig) -> HealthConfig:
    for name in given.measures:
        if name not in MEASURED:
            raise ValueError(f"measures names '{name}', which is not measured.{hint(name, MEASURED)}")
    return given


Health = Annotated[HealthConfig, AfterValidator(_all_measured)]

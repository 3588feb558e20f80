"""The settings of the product, read from config.toml and checked before anything uses them.

A data folder's own config.toml wins over the shipped data/config.toml; there is nothing in between.
"""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cs_metrics.errors import ConfigError, hint

__all__ = ["DIMENSIONS", "SHIPPED", "Config", "HealthConfig", "HealthWeights", "Measure", "load_config"]

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "config.toml"
DIMENSIONS = ("depth", "activity", "support", "sentiment", "outcome", "relationship")
Dimension = Literal["depth", "activity", "support", "sentiment", "outcome", "relationship"]
Stage = Literal["onboarding", "adoption", "renewal"]
Share = Field(ge=0, le=1)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NamedAction(_Strict):
    """One more key action: at least `times` of any of its events; the key action of its segments, where it names any."""

    name: str = Field(min_length=1)
    events: tuple[str, ...] = Field(min_length=1)
    times: int = Field(default=1, ge=1)
    segments: tuple[str, ...] = ()


class Activation(_Strict):
    """The key action, at least `times` of any of its events per `every_days`, more of them, and when its curve is flat."""

    key_action: tuple[str, ...]
    times: int = Field(ge=1)
    every_days: int = Field(ge=1)
    flat_within_points: float = Field(gt=0)
    most_tail_loss: float = Share
    resamples: int = Field(ge=100)
    key_actions: tuple[NamedAction, ...] = ()

    @model_validator(mode="after")
    def _is_clear(self) -> "Activation":
        names = [one.name.casefold() for one in self.key_actions]
        if len(names) != len(set(names)):
            raise ValueError("two [[activation.key_actions]] entries have the same name")
        if "*" in (*self.key_action, *(event for one in self.key_actions for event in one.events)):
            raise ValueError("'*' is no event; a question asks for any event with event=*")
        owner: dict[str, str] = {}
        for one in self.key_actions:
            for segment in one.segments:
                if owner.setdefault(segment, one.name) != one.name:
                    raise ValueError(f"segment '{segment}' has two key actions: {owner[segment]} and {one.name}")
        return self


class Onboarding(_Strict):
    """How long onboarding and the renewal window last, and how many past accounts a predicted completion stands on."""

    days: int = Field(ge=1)
    renewal_window_days: int = Field(ge=1)
    min_histories: int = Field(ge=2)


class Handoff(_Strict):
    """When customer success joins a sale, and how soon the customer is to be greeted.

    After close where annual value, sales cycle and implementation all lie below their thresholds, else at 70 %.
    """

    annual_value_below: float = Field(gt=0)
    sales_cycle_days_below: int = Field(ge=1)
    implementation_days_below: int = Field(ge=1)
    greeting_minutes: int = Field(ge=1)


class Revenue(_Strict):
    """How gaps between terms are seen."""

    grace_days: int = Field(ge=0)


class Measure(_Strict):
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


class HealthWeights(_Strict):
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


class AtRisk(_Strict):
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


class HealthConfig(_Strict):
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


class PlanStep(_Strict):
    """One step of the renewal plan, due so many days before the end of the term.

    A message sent or a meeting held of one of these kinds shows that it was done; without any, nothing can show it.
    """

    days: int = Field(ge=0)
    name: str
    messages: tuple[str, ...] = ()
    meetings: tuple[str, ...] = ()


class Renewals(_Strict):
    """Window, plan and base-rate weights of the renewal pipeline."""

    window_days: int = Field(ge=1)
    prior_decisions: float = Field(gt=0)
    min_decisions: int = Field(ge=1)
    min_losses: int = Field(ge=1)
    superseded_days: int = Field(ge=0)
    plan_opens_days: int = Field(ge=0)
    plan_steps: tuple[PlanStep, ...] = Field(min_length=1)
    commit_from: float = Share
    best_case_from: float = Share
    priority_time_points: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _is_ordered(self) -> "Renewals":
        days = [step.days for step in self.plan_steps]
        if days != sorted(set(days), reverse=True):
            raise ValueError("plan_steps must run from the most days before the end to the fewest, each once")
        if self.best_case_from > self.commit_from:
            raise ValueError("best_case_from lies above commit_from, so no contract could be a best case")
        return self


class Forecast(_Strict):
    """How far and how finely the revenue forecast looks, and how much the past must say before it is believed."""

    months: int = Field(ge=1, le=36)
    paths: int = Field(ge=100)
    seed: int
    prior_account_months: float = Field(gt=0)
    shock_sd: float = Field(ge=0)
    shock_prior_quarters: float = Field(gt=0)


class Expansion(_Strict):
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
    route_automated_below_arr: float = Field(ge=0)
    route_sales_from_arr: float = Field(ge=0)
    prior_opportunities: float = Field(gt=0)
    base_likelihood: float = Share
    review_days: int = Field(ge=1)
    bonus_reduced: float = Share


class Config(_Strict):
    """All settings."""

    currency: str = Field(pattern="^[A-Z]{3}$")
    max_rejected_share: float = Share
    min_accounts: int = Field(ge=1)
    activation: Activation
    onboarding: Onboarding
    handoff: Handoff
    revenue: Revenue
    health: HealthConfig
    renewals: Renewals
    forecast: Forecast
    expansion: Expansion


def load_config(data_dir: Path) -> Config:
    """Return the settings of a data folder; `ConfigError` says which entry cannot be used and why."""
    own = data_dir / "config.toml"
    path = own if own.exists() else SHIPPED
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: Path, _changed_at: int) -> Config:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None
    try:
        return Config.model_validate(given)
    except ValidationError as error:
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            said = f"unknown entry.{hint(str(first['loc'][-1]), _siblings(first['loc']))}"
        raise ConfigError(f"{path}: {where}: {said}") from None


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    """Return the entry names that are legal beside an unknown one."""
    model: type[BaseModel] | None = Config
    for part in location[:-1]:
        if model is None or not isinstance(part, str):
            continue
        field = model.model_fields.get(part)
        kind = field.annotation if field else None
        arguments = getattr(kind, "__args__", ())
        candidates = [kind, *arguments]
        model = next((one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)), None)
    return list(model.model_fields) if model else []

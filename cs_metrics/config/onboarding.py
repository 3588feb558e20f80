"""Settings of onboarding: the key action, milestones and the hand-off from sales."""

from pydantic import Field, model_validator

from cs_metrics.config.base import Share, Strict

__all__ = ["Activation", "Handoff", "NamedAction", "Onboarding"]


class NamedAction(Strict):
    """One more key action: at least `times` of any of its events; the key action of its segments, where it names any."""

    name: str = Field(min_length=1)
    events: tuple[str, ...] = Field(min_length=1)
    times: int = Field(default=1, ge=1)
    segments: tuple[str, ...] = ()


class Activation(Strict):
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


class Onboarding(Strict):
    """How long onboarding and the renewal window last, and how many past accounts a predicted completion stands on."""

    days: int = Field(ge=1)
    renewal_window_days: int = Field(ge=1)
    min_histories: int = Field(ge=2)


class Handoff(Strict):
    """When customer success joins a sale, and how soon the customer is to be greeted.

    After close where annual value, sales cycle and implementation all lie below their thresholds, else at 70 %.
    """

    annual_value_below: float = Field(gt=0)
    sales_cycle_days_below: int = Field(ge=1)
    implementation_days_below: int = Field(ge=1)
    greeting_minutes: int = Field(ge=1)

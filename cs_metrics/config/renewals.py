"""Settings of the renewals: window, plan, base rate and priority."""

from pydantic import Field, model_validator

from cs_metrics.config.base import Share, Strict

__all__ = ["CallLikelihood", "PlanStep", "Renewals"]


class PlanStep(Strict):
    """One step of the renewal plan, due so many days before the end of the term.

    A message sent or a meeting held of one of these kinds shows that it was done; without any, nothing can show it.
    """

    days: int = Field(ge=0)
    name: str
    messages: tuple[str, ...] = ()
    meetings: tuple[str, ...] = ()


class CallLikelihood(Strict):
    """What an owner's call says of the likelihood, as long as their record does not say it better."""

    commit: float = Share
    best_case: float = Share
    at_risk: float = Share

    @model_validator(mode="after")
    def _is_ordered(self) -> "CallLikelihood":
        if not self.commit >= self.best_case >= self.at_risk:
            raise ValueError("call_likelihood must fall from commit over best_case to at_risk")
        return self


class Renewals(Strict):
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
    settled_months: int = Field(ge=1, le=24)
    min_past_periods: int = Field(ge=3)
    call_likelihood: CallLikelihood
    call_record_min: int = Field(ge=2)
    call_judged_days: int = Field(ge=0)
    priority_time_points: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _is_ordered(self) -> "Renewals":
        days = [step.days for step in self.plan_steps]
        if days != sorted(set(days), reverse=True):
            raise ValueError("plan_steps must run from the most days before the end to the fewest, each once")
        if self.best_case_from > self.commit_from:
            raise ValueError("best_case_from lies above commit_from, so no contract could be a best case")
        return self

"""Settings of the page of one account."""

from typing import Literal

from pydantic import Field, model_validator

from cs_metrics.config.base import Share, Strict

__all__ = ["Account", "Weight"]

MEASURES = (
    "arr", "score", "active_users", "active_share", "times", "features", "deciders", "nps", "results", "late_promises",
    "open_promises", "stuck_tickets", "open_tickets", "open_ctas", "milestones", "products", "seats",
)  # fmt: skip


class Weight(Strict):
    """What a change weighs: `points` once it reaches `full`, in proportion below; a share is one of what it was before."""

    points: float = Field(gt=0, le=100)
    full: float = Field(gt=0)
    of: Literal["amount", "share"] = "amount"


class Account(Strict):
    """What counts as a review, what a change weighs, how far back value is counted, and whom an account is compared with."""

    review_kinds: tuple[Literal["kickoff", "training", "check_in", "qbr", "ebr", "visit", "executive"], ...]
    changes_days: int = Field(ge=1)
    value_days: int = Field(ge=1)
    new_days: int = Field(ge=1)
    lost_days: int = Field(ge=1)
    power_share: float = Share
    similar_least: int = Field(ge=1)
    changes: dict[str, Weight]

    @model_validator(mode="after")
    def _weighs_what_is_measured(self) -> "Account":
        unknown, missing = set(self.changes) - set(MEASURES), set(MEASURES) - set(self.changes)
        if unknown or missing:
            said = f"unknown measures {sorted(unknown)}" if unknown else f"no weight for {sorted(missing)}"
            raise ValueError(f"changes: {said}; the measures are {', '.join(MEASURES)}.")
        return self

"""Settings of a renewal's negotiation and of what comes of it: stances, concessions, switching cost, who does what, pay."""

from collections import Counter
from typing import Literal

from pydantic import Field, model_validator

from cs_metrics.config.base import Share, Strict

__all__ = ["Activity", "Concession", "ContractMix", "Negotiation", "Pay", "Results", "Stance", "Switching"]

Letters = Literal["R", "A", "C", "I", "AR", ""]


class Stance(Strict):
    """How to negotiate with one kind of account: what to say, what to ask for, how much may be given.

    `concession_to` is the most that may be given away, as a share of the annual value, and `only_against` what must
    come back for it; empty where nothing must.
    """

    kind: Literal["at_risk", "flagship", "large", "small_medium"]
    name: str
    concession_to: float = Share
    only_against: str = ""
    sentence: str
    ask: str


class Concession(Strict):
    """Something to give instead of cash: what it is worth to the customer and what it costs us, for each unit.

    The worth is an amount (`price`), or follows from the contract: that of a seat for a year, a month or a year of the
    contract, times `price_share`. The cost is an amount (`cost`) or a share of the worth (`cost_share`).
    """

    name: str
    unit: str
    price: float | None = Field(default=None, gt=0)
    price_of: Literal["seat_year", "month", "year"] | None = None
    price_share: float = Field(default=1, gt=0)
    cost: float | None = Field(default=None, ge=0)
    cost_share: float | None = Field(default=None, ge=0)
    caution: str = ""

    @model_validator(mode="after")
    def _has_one_price_and_one_cost(self) -> "Concession":
        if (self.price is None) == (self.price_of is None):
            raise ValueError("give either price (an amount) or price_of (seat_year, month or year)")
        if (self.cost is None) == (self.cost_share is None):
            raise ValueError("give either cost (an amount) or cost_share (a share of its price)")
        return self


class Switching(Strict):
    """What it takes a customer to change to another product, in hours of its own people."""

    hourly_cost: float = Field(ge=0)
    selection_hours: float = Field(ge=0)
    learning_hours_per_user: float = Field(ge=0)
    customising_hours: float = Field(ge=0)
    migration_hours: float = Field(ge=0)
    months: float = Field(ge=0)


class Activity(Strict):
    """One activity of a renewal and the part that each role has in it.

    R does it, A answers for it (AR: both), C is asked before, I is told after; empty: no part.
    """

    name: str
    csm: Letters = ""
    renewal_manager: Letters = ""
    team_lead: Letters = ""
    executive: Letters = ""

    @model_validator(mode="after")
    def _has_one_who_answers(self) -> "Activity":
        letters = [self.csm, self.renewal_manager, self.team_lead, self.executive]
        if sum("A" in one for one in letters) != 1:
            raise ValueError(f"'{self.name}' must have exactly one role that answers for it (A or AR)")
        if not any("R" in one for one in letters):
            raise ValueError(f"'{self.name}' must have a role that does it (R or AR)")
        return self


class Negotiation(Strict):
    """Stances in the order in which they are tried, concessions, the rival's price, switching cost and RACI."""

    large_from_arr: float = Field(ge=0)
    at_risk_likelihood_below: float = Share
    at_risk_colours: tuple[Literal["red", "yellow", "green"], ...]
    stances: tuple[Stance, ...]
    discount: float = Share
    repeated_years: int = Field(ge=1)
    concessions: tuple[Concession, ...] = Field(min_length=1)
    rival_lower_by: float = Share
    money_outcomes: tuple[str, ...] = ()
    switching: Switching
    cost_argument_months: float = Field(ge=0)
    data_argument_from: float = Share
    often_days: int = Field(ge=1, le=28)
    reply_days: int = Field(ge=1)
    role_meetings: dict[Literal["decision_maker", "sponsor", "champion", "admin"], tuple[str, ...]]
    raci: tuple[Activity, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _covers_every_account(self) -> "Negotiation":
        kinds = [str(stance.kind) for stance in self.stances]
        if twice := [kind for kind, times in Counter(kinds).items() if times > 1]:
            raise ValueError(f"stances: {twice[0]} is there twice")
        if not kinds or kinds[-1] != "small_medium":
            raise ValueError(
                "stances are tried in their order, so the last one must be small_medium, which holds for all"
            )
        if given := [name for name, times in Counter(one.name for one in self.concessions).items() if times > 1]:
            raise ValueError(f"concessions: {given[0]} is there twice")
        return self


class Results(Strict):
    """What a closed renewal must record, and when a renewal counts for several years."""

    competitor_reasons: tuple[str, ...]
    multi_year_from_months: int = Field(ge=2)


class Pay(Strict):
    """The pay of a seller: what a year on target brings, how it is split, and what raises the variable part."""

    on_target_year: float = Field(gt=0)
    base_share: float = Share
    quarterly_target: float = Field(gt=0)
    pays_from: float = Share
    accelerator: float = Field(ge=1)
    pays_to: float = Field(ge=1)
    expansion_weight: float = Field(ge=1)
    extra_year_weight: float = Field(ge=0)


class ContractMix(Strict):
    """What a customer brings against what it cost to win."""

    gross_margin: float = Field(gt=0, le=1)
    season_months: int = Field(ge=1)

"""What people can write: one small model for each action, holding what it says besides its note.

A new kind of thing to write is a model here and its entry in `TOPICS`; nothing else of the workspace changes.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = ["MAX_TEXT", "TOPICS", "Body", "Topic"]

MAX_TEXT = 200
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_TEXT, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Body(BaseModel):
    """What an action says besides its note.

    `note_is` names what the note must hold where the action needs one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    note_is: ClassVar[str] = ""

    def refusal(self, effective_on: dt.date) -> str:
        """Return why this cannot count from that day on, '' where it can."""
        return ""


class Open(Body):
    """A call to action that a person opens by hand."""

    kind: Literal["risk", "lifecycle", "expansion", "objective", "activity"]
    reason: Short
    due_on: dt.date | None = None
    owner: Short | None = None
    priority: Short | None = None


class Flag(Body):
    """Other teams are needed."""

    team_needed: Short | None = None


class Unflag(Body):
    """Other teams are no longer needed."""


class Assign(Body):
    """Somebody else works it from now on."""

    owner: Short


class Snooze(Body):
    """Nothing to do before a day; the last snoozed day is `until`."""

    until: dt.date

    def refusal(self, effective_on: dt.date) -> str:
        """Refuse a day that has passed."""
        return f"until: {self.until} lies before {effective_on}." if self.until < effective_on else ""


class Note(Body):
    """A text for the record."""

    note_is: ClassVar[str] = "the text"


class Close(Body):
    """The end of the work, and what came of it."""

    note_is: ClassVar[str] = "the reason"
    closed_as: Literal["success", "lost", "not_valid"]


class Reopen(Body):
    """It was closed too early."""


class StatementOfWork(Body):
    """The scope does not fit the plan, so that a statement of work is needed; or no longer."""

    is_needed: bool


class StepDone(Body):
    """A step of a contract's renewal plan is done, on a day that may lie before the day it is told."""

    step: Short
    done_on: dt.date | None = None

    def refusal(self, effective_on: dt.date) -> str:
        """Refuse a day that is still to come."""
        if self.done_on is not None and self.done_on > effective_on:
            return f"done_on: {self.done_on} lies after {effective_on}."
        return ""


class StepReopened(Body):
    """A step that was shown as done is not."""

    step: Short


class Call(Body):
    """The owner's own call on a contract: how sure its renewal is."""

    call: Literal["commit", "best_case", "at_risk"]


class CallWithdrawn(Body):
    """The owner's call written here no longer stands."""


class NextStep(Body):
    """What happens next on a contract, by when and by whom."""

    text: Short
    due_on: dt.date | None = None
    owner: Short | None = None


class NextStepDone(Body):
    """It happened; the plan says again what is next."""


class Promise(Body):
    """Something promised to the customer."""

    promise: Short
    due_on: dt.date | None = None


class PromiseKept(Body):
    """It was done as promised."""


class PromiseWithdrawn(Body):
    """It no longer holds, by agreement with the customer."""

    note_is: ClassVar[str] = "the reason"


class Take(Body):
    """Somebody goes after an opportunity."""

    owner: Short | None = None


class Postpone(Body):
    """Not before a day; the last day of waiting is `until`."""

    until: dt.date

    def refusal(self, effective_on: dt.date) -> str:
        """Refuse a day that has passed."""
        return f"until: {self.until} lies before {effective_on}." if self.until < effective_on else ""


class Dismiss(Body):
    """It is no opportunity, and why."""

    reason: Literal["declined", "no_need", "no_budget", "not_now", "wrong_data"]


class Scenario(Body):
    """Assumptions about the coming months under a name, to be compared with others; the last of a name counts."""

    name: Short
    segment: Short | None = None
    account_ids: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] | None = None
    from_colour: Literal["red", "yellow", "green"] | None = None
    to_colour: Literal["red", "yellow", "green"] | None = None
    slip_days: Annotated[int, Field(ge=0, le=365)] | None = None
    onboarding_weeks: Annotated[float, Field(ge=0, le=26)] | None = None
    effect_points: Annotated[float, Field(ge=-100, le=100)] | None = None


class ScenarioRemoved(Body):
    """A scenario is no longer compared."""


class Plan(Body):
    """What is planned to be sold to new customers, a month; it is shown beside the forecast, never in it."""

    new_arr_monthly: Annotated[float, Field(ge=0, le=1e12)]


class PlanCleared(Body):
    """There is no plan for new customers any more."""


class Override(Body):
    """The health of an account as somebody who knows it sees it: a colour, a score, or both; up to and with `until`."""

    note_is: ClassVar[str] = "the reason"
    colour: Literal["red", "yellow", "green"] | None = None
    score: Annotated[float, Field(ge=0, le=100)] | None = None
    until: dt.date | None = None

    def refusal(self, effective_on: dt.date) -> str:
        """Refuse an override that says nothing, or a day that has passed."""
        if self.colour is None and self.score is None:
            return "colour: an override says a colour, a score, or both."
        if self.until is not None and self.until < effective_on:
            return f"until: {self.until} lies before {effective_on}."
        return ""


class OverrideWithdrawn(Body):
    """The override no longer stands."""


class RiskCause(Body):
    """Why an account is at risk; how grave that is follows from the cause unless it is said."""

    cause: Literal[
        "wrong_fit",
        "unclear_return",
        "decision_maker_changed",
        "slow_go_live",
        "problem_unresolved",
        "champion_changed",
        "wish_unmet",
    ]
    severity: Literal["high", "medium", "light"] | None = None


class RiskPlan(Body):
    """What is to be done about it, in words."""

    note_is: ClassVar[str] = "the plan"


class RiskAction(Body):
    """One thing that somebody will do about it."""

    what: Short
    owner: Short
    due_on: dt.date | None = None


class RiskActionChanged(Body):
    """Somebody else does it, or on another day."""

    owner: Short | None = None
    due_on: dt.date | None = None

    def refusal(self, effective_on: dt.date) -> str:
        """Refuse a change of nothing."""
        return "" if self.owner or self.due_on else "owner: a change says another owner or another day."


class RiskActionDone(Body):
    """It was done."""


class RiskActionDropped(Body):
    """It will not be done."""

    note_is: ClassVar[str] = "the reason"


class RiskOver(Body):
    """The account is no longer at risk: cause and plan end, and what is open is no longer to be done."""


@dataclass(frozen=True)
class Topic:
    """What is written about: its actions by name, and what the subject of an entry is.

    `subject` is 'own' where each has an id of its own, 'account' where it is the account; of the actions `about_account`
    it is the account in any case. The action `makes` writes about a new subject, which takes its id from the entry
    unless one is given. What is about the whole book, and not about an account, has no account.
    """

    actions: Mapping[str, type[Body]]
    subject: Literal["own", "account"] = "own"
    makes: str = ""
    has_account: bool = True
    about_account: frozenset[str] = frozenset()


TOPICS: Mapping[str, Topic] = {
    "cta": Topic(
        {
            "open": Open,
            "flag": Flag,
            "unflag": Unflag,
            "assign": Assign,
            "snooze": Snooze,
            "note": Note,
            "close": Close,
            "reopen": Reopen,
        },
        makes="open",
    ),
    "renewal": Topic(
        {
            "step_done": StepDone,
            "step_reopened": StepReopened,
            "call": Call,
            "call_withdrawn": CallWithdrawn,
            "next_step": NextStep,
            "next_step_done": NextStepDone,
            "note": Note,
        },
    ),
    "promise": Topic({"make": Promise, "keep": PromiseKept, "withdraw": PromiseWithdrawn}, makes="make"),
    "expansion": Topic({"take": Take, "postpone": Postpone, "dismiss": Dismiss, "note": Note, "reopen": Reopen}),
    "scenario": Topic({"save": Scenario, "remove": ScenarioRemoved}, makes="save", has_account=False),
    "plan": Topic({"set": Plan, "clear": PlanCleared}, makes="set", has_account=False),
    "health": Topic({"override": Override, "withdraw": OverrideWithdrawn}, subject="account"),
    "risk": Topic(
        {
            "cause": RiskCause,
            "plan": RiskPlan,
            "action": RiskAction,
            "change": RiskActionChanged,
            "done": RiskActionDone,
            "drop": RiskActionDropped,
            "over": RiskOver,
        },
        makes="action",
        about_account=frozenset({"cause", "plan", "over"}),
    ),
    "account": Topic({"note": Note, "statement_of_work": StatementOfWork}, subject="account"),
}

"""How a contract ends: the true probability of renewal, the draw, its day, its reason and its terms."""

from dataclasses import dataclass

import numpy as np

from cs_metrics.demo.adoption import Adoption
from cs_metrics.demo.clock import LAST, NEVER, Clock, day_of_number, quarter_name, stream
from cs_metrics.demo.coefficients import RENEWAL, RENEWAL_INTERCEPT, SEGMENT_RENEWAL, SHOCK_SD
from cs_metrics.demo.names import COMPETITORS
from cs_metrics.demo.onboarding import Onboarding
from cs_metrics.demo.traits import Traits

__all__ = ["LANDMARK_DAYS", "Decision", "Renewals", "sigmoid"]

LANDMARK_DAYS = 90
_TYPICAL = {"key_weeks": 0.9, "activity": 0.6, "tickets": 1.4, "onboarded": 1.0}
_SAID = {
    "key_weeks": "Low use",
    "activity": "Low use",
    "tickets": "No contact",
    "sponsor_left": "Sponsor left",
    "onboarded": "Never went live",
    "price_pressure": "Price",
    "after_season": "Season over",
}


def sigmoid(value: float) -> float:
    """Return the probability of these log-odds."""
    return float(1 / (1 + np.exp(-value)))


@dataclass(frozen=True)
class Decision:
    """The end of one contract; `known` is the probability without the shock of its quarter."""

    landmark: int
    known: float
    probability: float
    is_renewed: bool
    decided_on: int
    discount_percent: float
    reason: str
    competitor: str | None
    forecast: str


class Renewals:
    """Decides contracts one after the other."""

    def __init__(self, seed: int, traits: Traits, onboarding: Onboarding, adoption: Adoption, clock: Clock) -> None:
        self.traits, self.onboarding, self.adoption = traits, onboarding, adoption
        self.rng = stream(seed, "renewals")
        quarters = sorted({quarter_name(day) for day in range(clock.first, LAST + 1200, 28)})
        draws = SHOCK_SD * stream(seed, "shocks").standard_normal(len(quarters))
        self.shocks = dict(zip(quarters, draws.tolist(), strict=True))

    def factors(self, account: int, end: int, is_monthly: bool) -> dict[str, float]:
        """Return what drives the renewal of a contract that ends on `end`, as known 90 days before."""
        traits, adoption = self.traits, self.adoption
        landmark = min(end - LANDMARK_DAYS, LAST)
        quarter, half = adoption.recent(account, landmark, 13), adoption.recent(account, landmark, 26)
        engaged = float(adoption.engagement(account, quarter).mean())
        days = int(self.onboarding.go_live_days[account])
        late = max(0.0, (days - 60) / 30) if days < NEVER else 0.0
        return {
            "key_weeks": float(adoption.does_key_action(account, quarter).mean()),
            "activity": engaged * float(adoption.breadth[account]),
            "tickets": float(np.log1p(adoption.tickets(account, half).sum())),
            "sponsor_left": float(adoption.sponsor_left_within(account, landmark)),
            "onboarded": float(self.onboarding.onboarded[account]),
            "price_pressure": float(traits.price_pressure[account]),
            "satisfaction": float(traits.satisfaction[account]),
            "go_live": min(late, 4.0),
            "attendance": float(traits.attendance[account]),
            "after_season": float(is_monthly and day_of_number(end).month <= 3),
        }

    def decide(self, account: int, end: int, is_monthly: bool) -> Decision:
        """Draw the outcome of a contract that ends on `end`."""
        values = self.factors(account, end, is_monthly)
        odds = RENEWAL_INTERCEPT + SEGMENT_RENEWAL[int(self.traits.segment[account])]
        odds += sum(RENEWAL[name] * value for name, value in values.items())
        known, probability = sigmoid(odds), sigmoid(odds + self.shocks[quarter_name(end)])
        luck, timing, spread, price, call, rival = self.rng.random(6)
        renewed = bool(luck < probability)
        discount = 0.0
        if renewed and price < 0.10 + 0.08 * values["price_pressure"] + (0.12 if known < 0.6 else 0.0):
            discount = float((5, 10, 15, 20)[int(spread * 4)])
        reason = self._reason(values, rival) if not renewed else ("Price agreed" if discount else "Value proven")
        lost_to = COMPETITORS[int(rival * len(COMPETITORS))] if reason in ("Price", "Missing feature") else None
        return Decision(
            landmark=min(end - LANDMARK_DAYS, LAST),
            known=known,
            probability=probability,
            is_renewed=renewed,
            decided_on=end + self._days_from_end(renewed, timing, spread),
            discount_percent=discount,
            reason=reason,
            competitor=lost_to,
            forecast=self._owners_call(known, call),
        )

    @staticmethod
    def _days_from_end(renewed: bool, timing: float, spread: float) -> int:
        """Most sign in the last weeks; one in ten early, one in six late."""
        if renewed and timing < 0.10:
            return -60 - int(spread * 25)
        if timing < 0.82:
            return -int(spread * 50) if renewed else -10 - int(spread * 70)
        return 1 + int(spread * 45)

    @staticmethod
    def _reason(values: dict[str, float], chance: float) -> str:
        """The owner names a factor that pulled down, in proportion; one in six reasons lies outside of them."""
        if chance < 1 / 6:
            return "Business closed" if chance < 1 / 15 else "Missing feature"
        down = {name: max(0.0, RENEWAL[name] * (_TYPICAL.get(name, 0.0) - values[name])) for name in _SAID}
        left = (chance - 1 / 6) * 6 / 5 * sum(down.values())
        for name, pull in down.items():
            left -= pull
            if pull > 0 and left <= 0:
                return _SAID[name]
        return "Price"

    @staticmethod
    def _owners_call(known: float, chance: float) -> str:
        """The owner sees the same signs, dimly and with hope."""
        seen = known + 0.55 * (chance - 0.40)
        return "commit" if seen > 0.85 else "best_case" if seen > 0.62 else "at_risk"

"""An offer as a rule finds it, and what every rule may ask to find one."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from cs_metrics import periods
from cs_metrics.config import Config, Expansion
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_accounts import Customer
from cs_metrics.metrics.expansion_twins import Twins
from cs_metrics.metrics.scope import Scope
from cs_metrics.store import Store

__all__ = ["Known", "Offer"]


@dataclass(frozen=True, slots=True)
class Offer:
    """One opportunity found by a rule; `arr` is None where no basis for an estimate is known.

    `about` tells several offers of one kind to one account apart: the product, or the person who moved.
    """

    account_id: str
    kind: str
    what: str
    evidence: str
    arr: float | None
    arr_basis: str
    product_id: str | None = None
    tried_on: dt.date | None = None
    about: str = ""

    @property
    def subject(self) -> str:
        """The name under which people write about it: it stays the same from day to day."""
        return f"{self.kind} {self.about}" if self.about else self.kind


@dataclass(frozen=True)
class Known:
    """What every rule may ask: the data, the day, the customers, what similar ones did, and typical deal sizes."""

    store: Store
    as_of: dt.date
    scope: Scope
    customers: Mapping[str, Customer]
    similar: Twins
    typical: Mapping[str, tuple[float, int]]
    config: Config

    @property
    def settings(self) -> Expansion:
        """The thresholds in force."""
        return self.config.expansion

    @property
    def currency(self) -> str:
        """The reporting currency."""
        return self.config.currency

    def ago(self, days: int) -> dt.date:
        """Return the day so many days before the as-of day."""
        return periods.add_days(self.as_of, -days)

    def share_of_arr(self, customer: Customer, kind: str, default: float) -> tuple[float, str]:
        """Return an offer as a share of ARR: the median of won deals of the kind, else the configured share."""
        share, deals = self.typical.get(kind, (default, 0))
        basis = f"median of {words.plural(deals, 'won deal')}" if deals else "configured"
        return customer.arr * share, f"{words.percent(share)} of ARR ({basis})"

"""A rival offers less: four arguments in the account's own numbers — cost, data, effect and risk."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from cs_metrics.config import Negotiation, Switching
from cs_metrics.errors import MetricError
from cs_metrics.metrics.expansion_words import amount as said
from cs_metrics.metrics.expansion_words import money, percent, plural
from cs_metrics.metrics.negotiation import Deal, deal_of
from cs_metrics.metrics.one_account import only
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["Offer", "gains", "low_price"]

# The months of the last year that are over, and the same months a year before, where both are known.
_GAINS = """
    with known as (
        select metric, year(month) * 12 + month(month) as month_index, sum(value) as value
        from outcomes
        inner join scope on scope.account_id = outcomes.account_id
        where last_day(month) <= $as_of
        group by metric, month_index
    ),
    paired as (
        select now.metric, now.value, before.value as before
        from known now
        inner join known before on before.metric = now.metric and before.month_index = now.month_index - 12
        qualify row_number() over (partition by now.metric order by now.month_index desc) <= 12
    )
    select metric, count(*) as months, sum(value) as value, sum(before) as before
    from paired
    group by metric
    order by metric
"""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What is compared: our price and users, the rival's price, who uses the product, and what a change takes."""

    price: float | None
    users: int | None
    active_users: int | None
    rival_price: float | None
    selection: float
    learning: float | None
    recustomising: float
    migration: float
    months: float

    @property
    def year(self) -> float:
        """What we cost in a year."""
        return self.price * self.users * 12 if self.price is not None and self.users else float("nan")

    @property
    def rival_year(self) -> float:
        """What the rival costs in a year, for the same users."""
        return self.rival_price * self.users * 12 if self.rival_price is not None and self.users else float("nan")

    @property
    def switching(self) -> float:
        """What the change costs once."""
        learning = float("nan") if self.learning is None else self.learning
        return self.selection + learning + self.recustomising + self.migration


def _offer(deal: Deal, settings: Switching, rival_lower_by: float) -> Offer:
    """Return what the account's own data and the settings say."""
    hour = settings.hourly_cost
    return Offer(
        price=deal.price,
        users=deal.seats,
        active_users=deal.frequent_users,
        rival_price=None if deal.price is None else deal.price * (1 - rival_lower_by),
        selection=settings.selection_hours * hour,
        learning=_learning(deal.active_users if deal.active_users is not None else deal.seats, settings),
        recustomising=settings.customising_hours * hour,
        migration=settings.migration_hours * hour,
        months=settings.months,
    )


def _learning(users: int | None, settings: Switching) -> float | None:
    """Return what it costs that these users learn another product: those who use ours now, not every seat."""
    return None if users is None else settings.learning_hours_per_user * users * settings.hourly_cost


def gains(store: Store, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Return each result of one account: the newest months that are over against the same months a year before.

    Columns: metric, months (up to 12 that are known in both years), value, before.
    """
    return store.frame(_GAINS, scope=scope, as_of=as_of)


@metric(needs=("subscriptions",), page="Renewals")
def low_price(
    store: Store,
    *,
    as_of: dt.date,
    scope: Scope = EVERYTHING,
    account_id: str = "",
    contract_id: str = "",
    price: float | None = None,
    users: int | None = None,
    active_users: int | None = None,
    rival_price: float | None = None,
    selection: float | None = None,
    learning: float | None = None,
    recustomising: float | None = None,
    migration: float | None = None,
) -> pd.DataFrame:
    """The answer to a rival's lower price in the account's own numbers: cost, data, effect and risk.

    Price per user is what the account pays now ÷ its seats; users are its seats; in use are users who used the product on
    negotiation.often_days or more of 28 days. The rival's price is a guess (negotiation.rival_lower_by below ours) until
    it is given. What a change costs are hours of the customer's own people (negotiation.switching): each can be given.
    The customer's gain is measured, not claimed: the same months a year before; it is not ours alone. An example: 98 per
    user and month for 100 users are 117 600 a year; a rival 20 lower saves 24 000; with 90 of the 100 in use, the 93 600
    of its year may be spent on a system that people do not adopt.

    Formula: saving_year = (price − rival_price) × users × 12; spent_on_rival = rival_price × users × 12; first_year =
        saving_year − switching; back_after_months = switching ÷ (saving_year ÷ 12).
    Columns:
        argument: cost, data, effect or risk
        item: what the number is
        value: the number, empty where it is not known
        unit: money, percent, count, months or times
        text: the argument in a sentence for the customer; what is missing where the number is not known
        source: account (its own data), given (typed in), settings, or not recorded
        speaks_for_us: whether the argument holds here: the lower price needs negotiation.cost_argument_months or longer to
            pay for the change, use from negotiation.data_argument_from on, a gain above 0
    """
    deal = deal_of(store, as_of, scope, account_id, contract_id)
    settings = store.config.negotiation
    given = {
        "price": price,
        "users": users,
        "active_users": active_users,
        "rival_price": rival_price,
        "selection": selection,
        "learning": learning,
        "recustomising": recustomising,
        "migration": migration,
    }
    for name, value in given.items():
        if value is not None and value < 0:
            raise MetricError(f"{name}={value:g} is not possible: write 0 or more.")
    if deal is None:
        return pd.DataFrame([], columns=_COLUMNS)
    offer = _offer(deal, settings.switching, settings.rival_lower_by)
    if price is not None:
        offer = replace(offer, rival_price=price * (1 - settings.rival_lower_by))
    learners = active_users if active_users is not None else users
    if learners is not None:
        offer = replace(offer, learning=_learning(learners, settings.switching))
    typed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    offer = replace(offer, **typed)
    if offer.users is not None and (offer.active_users or 0) > offer.users:
        if active_users is not None:
            raise MetricError(f"active_users={active_users} is not possible: there are {offer.users} users.")
        offer = replace(offer, active_users=offer.users)
    found = gains(store, as_of, only(store, deal.account_id, as_of, scope))
    says = _Says(offer=offer, given=given, settings=settings, currency=store.config.currency)
    rows = [*says.cost(), *says.data(), *says.effect(found), *says.risk()]
    return pd.DataFrame(rows, columns=_COLUMNS)


Row = tuple[str, str, float, str, str, str, bool]
_COLUMNS = ["argument", "item", "value", "unit", "text", "source", "speaks_for_us"]
_NAN = float("nan")


def _number(value: float | None) -> float:
    return _NAN if value is None else float(value)


@dataclass(frozen=True, kw_only=True)
class _Says:
    """The four arguments about one offer, as rows."""

    offer: Offer
    given: Mapping[str, float | None]
    settings: Negotiation
    currency: str

    def money(self, value: float) -> str:
        return money(value, self.currency)

    def row(self, argument: str, item: str, value: float | None, unit: str, text: str, source: str = "account",
            *, speaks: bool = True) -> Row:  # fmt: skip
        if self.given.get(item) is not None:
            source = "given"
        known = _number(value)
        if known != known and unit:
            source, speaks = "not recorded", False
        return argument, item, known, unit, text, source, speaks

    def cost(self) -> list[Row]:
        """Return what the rival saves in a year, and what the change to it costs once."""
        offer = self.offer
        saving = offer.year - offer.rival_year
        back = offer.switching / (saving / 12) if saving > 0 else _NAN
        holds = saving <= 0 or back >= self.settings.cost_argument_months
        return [
            self.row("cost", "price", offer.price, "money", "Per user and month now"),
            self.row("cost", "users", offer.users, "count", "Users"),
            self.row("cost", "rival_price", offer.rival_price, "money", "The rival, per user and month", "settings"),
            self.row("cost", "year", offer.year, "money", "A year here"),
            self.row("cost", "saving_year", saving, "money", self._saving(saving), speaks=holds),
            self.row("cost", "selection", offer.selection, "money", "Looking around, testing, negotiating", "settings"),
            self.row("cost", "learning", offer.learning, "money", "Learning the other product", "settings"),
            self.row("cost", "recustomising", offer.recustomising, "money", "Tailoring it again", "settings"),
            self.row("cost", "migration", offer.migration, "money", "Moving the data", "settings"),
            self.row("cost", "switching", offer.switching, "money", self._switching(back), "settings", speaks=holds),
            self.row(
                "cost", "first_year", saving - offer.switching, "money", "Saved in the first year, after the change"
            ),
            self.row("cost", "back_after_months", back, "months", "Until the lower price has paid for the change"),
        ]

    def _saving(self, saving: float) -> str:
        if saving != saving:
            return "Not recorded: without seats and their price the difference cannot be told; type them in."
        if saving <= 0:
            return f"At {said(_number(self.offer.rival_price))} per user and month the other offer is not cheaper."
        there, here = self.money(self.offer.rival_year), self.money(self.offer.year)
        users = plural(_number(self.offer.users), "user")
        return f"{users} cost {there} a year there and {here} here: the difference is {self.money(saving)} a year."

    def _switching(self, back: float) -> str:
        if self.offer.switching != self.offer.switching:
            return "Not recorded: without users the time to learn the other product cannot be told; type it in."
        said_cost = f"The change itself costs about {self.money(self.offer.switching)} in time of your people"
        if back != back:
            return f"{said_cost}."
        return f"{said_cost}: the lower price needs {plural(round(back, 1), 'month')} to make up for it."

    def data(self) -> list[Row]:
        """Return how much the product is used, and what may be spent on one that is not."""
        offer = self.offer
        share = offer.active_users / offer.users if offer.users and offer.active_users is not None else _NAN
        speaks = share >= self.settings.data_argument_from
        if share != share:
            text = "Not recorded: how many of the users work with it often; type it in."
        else:
            users = plural(_number(offer.users), "user")
            text = f"{said(_number(offer.active_users))} of {users} work with it often ({percent(share)})."
        if speaks and offer.rival_year == offer.rival_year:
            saved, spent = self.money(offer.year - offer.rival_year), self.money(offer.rival_year)
            text += (
                f" If they do not take to the other system, it is not {saved} saved, "
                f"but {spent} a year spent on a system that people may not adopt."
            )
        return [
            self.row("data", "active_users", offer.active_users, "count", "Users who work with it often", speaks=speaks),
            self.row("data", "active_share", share, "percent", text, speaks=speaks),
            self.row("data", "spent_on_rival", offer.rival_year, "money", "A year of the rival, which people may not adopt",
                     speaks=speaks),
        ]  # fmt: skip

    def effect(self, found: pd.DataFrame) -> list[Row]:
        """Return what the customer's own results gained against a year before, and how often that is the fee."""
        rows: list[Row] = []
        for one in found.to_dict("records"):
            rows += self._gain(str(one["metric"]), float(one["value"]), float(one["before"]), int(one["months"]))
        if not rows:
            text = "Not recorded: no result of the customer is known for the same months of two years. Ask for it."
            rows.append(self.row("effect", "gain", None, "money", text))
        return rows

    def _gain(self, metric: str, value: float, before: float, months: int) -> list[Row]:
        name, gain = metric.replace("_", " "), value - before
        change = gain / before if before > 0 else _NAN
        over = f"in the last {plural(months, 'month')} against the same months a year before"
        if gain > 0:
            text = f"Your {name} grew by {percent(change)} {over}." if change == change else f"Your {name} grew {over}."
        else:
            text = f"The customer's {name} did not grow {over}: leave it out, and speak about what would change that."
        changed = self.row("effect", f"change of {name}", change, "percent", text, speaks=gain > 0)
        if metric not in self.settings.money_outcomes:
            return [changed]
        fee = self.offer.year / 12 * months
        if gain > 0 and fee > 0:
            times = (
                f", {said(round(gain / fee, 1))} times the fee of {self.money(fee)}"
                if gain >= fee
                else f"; the fee was {self.money(fee)}"
            )
            text = f"Your {name} grew by {self.money(gain)} {over}{times}. Not all of it is ours."
        return [
            self.row("effect", f"gain in {name}", gain, "money", text, speaks=gain > 0),
            self.row("effect", f"gain in {name} ÷ fee", gain / fee if fee > 0 and gain > 0 else _NAN, "times",
                     "Gain ÷ fee of the same months", speaks=gain >= fee),
            changed,
        ]  # fmt: skip

    def risk(self) -> list[Row]:
        """Return what can go wrong in a change."""
        offer = self.offer
        both = offer.year / 12 * offer.months
        text = f"A change takes about {plural(offer.months, 'month')} until the other system is live"
        text += f"; both are paid for in that time ({self.money(both)} for ours)." if both == both else "."
        again = "A low first price can rise next year; what the change has cost does not come back."
        if offer.price is not None and offer.switching == offer.switching:
            again = (
                f"If the other asks {said(offer.price)} next year, too, the saving is gone, "
                f"and {self.money(offer.switching)} have been spent on the change."
            )
        disorder = "Data can be lost or mixed up on the way, and work stands still while it is put right."
        service = "Who helps your people to start again, and how fast, is known only when it is needed."
        return [
            self.row("risk", "months", offer.months, "months", text, "settings"),
            self.row("risk", "parallel_fee", both, "money", "Our fee while both run", "settings"),
            self.row("risk", "price_returns", offer.switching, "money", again, "settings"),
            self.row("risk", "disorder", None, "", disorder, "settings"),
            self.row("risk", "service", None, "", service, "settings"),
        ]

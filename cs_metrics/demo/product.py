"""What the invented company sells and what its product records: an order desk for wholesalers and shops.

The key action is `order_created`. Clicks such as `banner_clicked` are done by nearly as many accounts that leave as
by accounts that stay: they go along with use, and cause nothing.
"""

from dataclasses import dataclass
from typing import Final, Literal

__all__ = [
    "ADD_ONS",
    "CORE",
    "DECOYS",
    "DEPARTMENTS",
    "EVENTS",
    "FALLBACK",
    "KEY_ACTION",
    "MILESTONES",
    "PRODUCTS",
    "QUIET_KEY_ACTION",
    "SEGMENTS",
    "SERVICE",
    "TIER",
    "Event",
    "Milestone",
    "Product",
    "event_index",
]

SEGMENTS: Final = ("SMB", "Mid-market", "Enterprise")
KEY_ACTION: Final = "order_created"
FALLBACK: Final = "dashboard_viewed"  # what a user does instead of something that the account has not taken up
QUIET_KEY_ACTION: Final = "order_viewed"  # what a user does in a week without the key action


@dataclass(frozen=True)
class Product:
    """A thing sold; `list_price` is a month's price in the account's currency, for add-ons per 10 seats."""

    product_id: str
    name: str
    kind: Literal["core", "add_on", "tier", "service"]
    milestone_id: str
    list_price: int


PRODUCTS: Final = (
    Product("P-DESK", "Order desk", "core", "M2", 1200),
    Product("P-INSIGHTS", "Insights", "add_on", "M4", 180),
    Product("P-CHANNELS", "Channels", "add_on", "M3", 220),
    Product("P-AUTO", "Automations", "add_on", "M7", 160),
    Product("P-SCALE", "Scale tier", "tier", "M7", 300),
    Product("P-CARE", "Managed services", "service", "M1", 900),
)
CORE, ADD_ONS, TIER, SERVICE = 0, (1, 2, 3), 4, 5


@dataclass(frozen=True)
class Milestone:
    """A step of onboarding; `event` completes it where one is named, else its day is recorded."""

    milestone_id: str
    name: str
    position: int
    due_days: int
    segment: int | None = None
    event: str = ""


MILESTONES: Final = (
    Milestone("M1", "Kick-off held", 1, 7),
    Milestone("M2", "Catalogue imported", 2, 14, event="catalogue_imported"),
    Milestone("M3", "Payments connected", 3, 30, event="payment_connected"),
    Milestone("M4", "Team trained", 4, 45),
    Milestone("M5", "Order flow live", 5, 60, segment=1, event="integration_synced"),
    Milestone("M6", "Order flow live, all sites", 6, 75, segment=2, event="integration_synced"),
    Milestone("M7", "Go-live review", 7, 80),
)

Kind = Literal["base", "key", "core", "decoy", "webinar", "milestone", "add_on"]


@dataclass(frozen=True)
class Event:
    """An event name: how often it is drawn, what it belongs to, whether a person does it."""

    name: str
    share: float
    kind: Kind
    product: int | None = None
    by_person: bool = True


EVENTS: Final = (
    Event("signed_in", 14, "base"),
    Event("dashboard_viewed", 10, "base"),
    Event("order_viewed", 12, "base"),
    Event("catalogue_updated", 7, "base", CORE),
    Event(KEY_ACTION, 20, "key", CORE),
    Event("order_shipped", 10, "core", CORE),
    Event("invoice_issued", 6, "core", CORE),
    Event("price_list_edited", 3, "core", CORE),
    Event("banner_clicked", 4, "decoy"),
    Event("help_opened", 3, "decoy"),
    Event("tour_finished", 1, "decoy"),
    Event("template_browsed", 3, "decoy"),
    Event("export_downloaded", 2, "decoy"),
    Event("webinar_attended", 0, "webinar"),
    Event("catalogue_imported", 0.5, "milestone"),
    Event("payment_connected", 0.3, "milestone"),
    Event("integration_synced", 2, "milestone", None, False),
    Event("report_built", 4, "add_on", 1),
    Event("forecast_viewed", 3, "add_on", 1),
    Event("channel_listed", 4, "add_on", 2),
    Event("channel_order_pulled", 4, "add_on", 2),
    Event("automation_run", 5, "add_on", 3, False),
    Event("approval_routed", 3, "add_on", 4),
    Event("api_called", 4, "add_on", 4, False),
)
DECOYS: Final = tuple(event.name for event in EVENTS if event.kind == "decoy")

DEPARTMENTS: Final = {
    "Operations": {"order_shipped": 2.0, "catalogue_updated": 1.5},
    "Sales": {KEY_ACTION: 1.4, "price_list_edited": 2.0},
    "Marketing": {"template_browsed": 3.0, "channel_listed": 2.0, "banner_clicked": 1.5},
    "Finance": {"invoice_issued": 3.0, "export_downloaded": 2.0, "report_built": 1.5},
    "Customer service": {"order_viewed": 2.0, "help_opened": 2.0},
    "IT": {"api_called": 3.0, "integration_synced": 3.0, KEY_ACTION: 0.3},
}
"""Departments of the users, in the order in which a company takes them on, and what each does more or less often."""


def event_index(name: str) -> int:
    """Return the position of an event name in `EVENTS`."""
    return next(at for at, event in enumerate(EVENTS) if event.name == name)

"""The seven expansion rules with their sentences and the tables that they need."""

from collections.abc import Callable
from dataclasses import dataclass

from cs_metrics.config import Expansion
from cs_metrics.metrics import expansion_departments, expansion_limits, expansion_moves
from cs_metrics.metrics import expansion_products as lacking
from cs_metrics.metrics import expansion_usage as using
from cs_metrics.metrics import expansion_words as words
from cs_metrics.metrics.expansion_offers import Known, Offer
from cs_metrics.store import Store

__all__ = ["RULES", "Rule", "offers"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its kind, its name on screen, the tables without which it is silent, and when it fires."""

    kind: str
    name: str
    needs: tuple[str, ...]
    find: Callable[[Known], list[Offer]]
    says: Callable[[Expansion], str]
    one_is_enough: bool = False

    def missing(self, store: Store) -> tuple[str, ...]:
        """Return the tables that the rule needs and that hold no rows; one table is enough where the rule says so."""
        missing = tuple(table for table in self.needs if not store.has(table))
        return () if self.one_is_enough and len(missing) < len(self.needs) else missing


RULES = (
    Rule(
        "seats",
        "Seats",
        ("events",),
        using.seats,
        lambda s: (
            f"At least {words.percent(s.seats_used_from)} of the seats are given out and more than "
            f"{words.percent(s.seats_active_above)} of them were active in 4 weeks"
        ),
    ),
    Rule(
        "limit",
        "Usage limits",
        ("usage_limits",),
        expansion_limits.limits,
        lambda s: (
            f"At least {words.percent(s.limit_used_from)} of a limit is used, or the trend of its last "
            f"{s.limit_trend_points} measurements reaches it within {s.limit_projected_days} days"
        ),
    ),
    Rule(
        "department",
        "Other departments",
        ("users", "events"),
        expansion_departments.departments,
        lambda s: (
            f"Active users come from at most {words.plural(s.departments_up_to, 'department')} while others have users who are not "
            f"active, or a department got its first users within {s.new_within_days} days"
        ),
    ),
    Rule(
        "product",
        "Unused product",
        ("products",),
        lacking.products,
        lambda s: (
            f"A product that it does not own was tried within {s.tried_within_days} days, or at least {s.similar_accounts} and "
            f"{words.percent(s.similar_own_from)} of its {s.similar_pool} most similar customers own it and its milestone is reached"
        ),
    ),
    Rule(
        "service",
        "Services",
        ("users", "events"),
        using.services,
        lambda s: (
            f"At least {s.burst_min_users} new users within {s.new_within_days} days, {words.percent(s.burst_share)} or more of those "
            "before, or the first use of a connector"
        ),
        one_is_enough=True,
    ),
    Rule(
        "sponsor",
        "Sponsor moved",
        ("contacts",),
        expansion_moves.sponsors,
        lambda s: (
            f"A sponsor or decision maker left for another company within {s.sponsor_moved_days} days: a new sale there"
        ),
    ),
    Rule(
        "price",
        "Price or tier",
        ("products", "product_events", "events"),
        lacking.tiers,
        lambda s: (
            f"{words.percent(s.tier_features_from)} or more of the features of its tier were used in 28 days, on at least "
            f"{s.tier_days_from} days, or one of the next tier"
        ),
    ),
)


def offers(known: Known) -> list[Offer]:
    """Return what all rules find; a rule without its tables finds nothing."""
    return [offer for rule in RULES if not rule.missing(known.store) for offer in rule.find(known)]

"""The settings of the product, read from config.toml and checked before anything uses them.

A data folder's own config.toml wins over the shipped data/config.toml; there is nothing in between. One module holds
the sections of one page.
"""

from cs_metrics.config.account import Account
from cs_metrics.config.expansion import Expansion
from cs_metrics.config.file import SHIPPED, Config, load_config
from cs_metrics.config.health import DIMENSIONS, MEASURED, AtRisk, HealthConfig, HealthWeights, Measure
from cs_metrics.config.negotiation import (
    Activity,
    Concession,
    ContractMix,
    Negotiation,
    Pay,
    Results,
    Stance,
    Switching,
)
from cs_metrics.config.onboarding import Activation, Handoff, NamedAction, Onboarding
from cs_metrics.config.renewals import PlanStep, Renewals
from cs_metrics.config.report import Report
from cs_metrics.config.revenue import Forecast, Lift, Planning, Revenue

__all__ = [
    "DIMENSIONS",
    "MEASURED",
    "SHIPPED",
    "Account",
    "Activation",
    "Activity",
    "AtRisk",
    "Concession",
    "Config",
    "ContractMix",
    "Expansion",
    "Forecast",
    "Handoff",
    "HealthConfig",
    "HealthWeights",
    "Lift",
    "Measure",
    "NamedAction",
    "Negotiation",
    "Onboarding",
    "Pay",
    "PlanStep",
    "Planning",
    "Renewals",
    "Report",
    "Results",
    "Revenue",
    "Stance",
    "Switching",
    "load_config",
]

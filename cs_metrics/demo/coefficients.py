"""What causes what in the invented company: every number that a study of it should find again stands here.

Weekly key action (`order_created`, by weeks since the start of the account)

    of each 25 accounts that start one after the other, ranked by how ready they are
    62 %   settle: they do the key action in 98 of 100 weeks, as long as they stay
    22 %   fall away: one sixth each before weeks 1, 2, 3, 4, 5 and 6; afterwards 4 of 100 weeks
    16 %   never start: 1.5 of 100 weeks
    so     the share of active accounts falls in a straight line to week 6 and stays at 62 %
    and    for each settled account that is lost, the most ready one of the same 25 that had not settled settles late

Readiness = 0.50 fit + 0.35 sponsor strength + 0.30 need + segment + 0.60 chance  (hidden traits are standard normal)

Renewal: log-odds that a contract is renewed, with what is true 90 days before it ends; intercept -1.00

    factor           unit                                                       coefficient   strength
    key_weeks        share of the last 13 weeks with the key action                   1.90    strong
    activity         engagement × share of users that are not idle, same weeks        1.40    strong
    tickets          ln(1 + tickets of the last 26 weeks)                             0.85    strong
    sponsor_left     1 when a sponsor left within the last 365 days                  -2.40    strong
    onboarded        1 when every milestone was done within 90 days                   0.80    medium
    price_pressure   hidden trait, no table shows it                                 -0.80    medium
    after_season     1 for a monthly payer whose term ends from January to March     -0.60    medium
    satisfaction     what the NPS measures, in standard deviations                    0.08    weak
    go_live          days to the last milestone, in 30 beyond 60, at most 4          -0.04    weak
    attendance       taste for webinars, in standard deviations                       0.05    weak
    SMB              1 for the segment                                               -0.10    medium
    Mid-market       1 for the segment                                                0.20    medium
    Enterprise       1 for the segment                                                0.70    medium
    shock            of the quarter of the end date, for all; spread 0.25             1.00    not knowable in advance

Expansion: log-odds that an opportunity is won

    settled 1.50, onboarded 0.40, tried it first 0.50, sponsor left -0.90, activity 0.80, satisfaction 0.10
"""

from typing import Final

__all__ = [
    "ACTIVATION",
    "DEAL",
    "READINESS",
    "RENEWAL",
    "RENEWAL_INTERCEPT",
    "SEGMENT_RENEWAL",
    "SHOCK_SD",
    "STRENGTH",
]

ACTIVATION: Final = {
    "plateau_week": 6,
    "settled": 0.62,
    "fallen": 0.22,
    "block": 25,
    "week_when_settled": 0.98,
    "week_when_fallen": 0.04,
    "week_when_never_started": 0.015,
}
"""Shares of accounts per block of starts, and how often each kind does the key action in a week."""

READINESS: Final = {"fit": 0.50, "sponsor": 0.35, "need": 0.30, "chance": 0.60}
"""Weights of the hidden traits in the rank that decides who settles."""

RENEWAL_INTERCEPT: Final = -1.00
RENEWAL: Final = {
    "key_weeks": 1.90,
    "activity": 1.40,
    "tickets": 0.85,
    "sponsor_left": -2.40,
    "onboarded": 0.80,
    "price_pressure": -0.80,
    "satisfaction": 0.08,
    "go_live": -0.04,
    "attendance": 0.05,
    "after_season": -0.60,
}
"""Log-odds of renewal per unit of each factor."""

SEGMENT_RENEWAL: Final = (-0.10, 0.20, 0.70)
SHOCK_SD: Final = 0.25
STRENGTH: Final = {
    "strong": ("key_weeks", "activity", "tickets", "sponsor_left"),
    "medium": ("onboarded", "price_pressure", "after_season", "segment"),
    "weak": ("satisfaction", "go_live", "attendance"),
}
"""Which factors a study of the renewals should call strong and which weak."""

DEAL: Final = {
    "intercept": -1.30,
    "settled": 1.50,
    "onboarded": 0.40,
    "tried": 0.50,
    "sponsor_left": -0.90,
    "activity": 0.80,
    "satisfaction": 0.10,
}
"""Log-odds that an expansion opportunity is won."""

"""The tables that hold the learned likelihoods, and the question for the landmarks that they learn from."""

from collections.abc import Mapping

from cs_metrics.models.likelihood_factors import FACTORS
from cs_metrics.training.shown import SHOWN

__all__ = ["LANDMARKS_SQL", "TABLES"]

_NAMES = tuple(one.name for one in FACTORS)

TABLES: Mapping[str, Mapping[str, str]] = {
    "renewal_training": {
        "trained_on": "date",
        "candidate": "varchar",
        "is_chosen": "boolean",
        "reason": "varchar",
        "decisions": "bigint",
        "losses": "bigint",
        "from_day": "date",
        "to_day": "date",
        "judged": "bigint",
        "judged_losses": "bigint",
        "log_loss": "double",
        "gain": "double",
        "gain_low": "double",
        "gain_high": "double",
        "shift": "double",
        "slope": "double",
        "fingerprint": "varchar",
        "inputs": "varchar",
    },
    "renewal_trial": {
        "trained_on": "date",
        "candidate": "varchar",
        "landmark_days": "integer",
        "contract_id": "varchar",
        "account_id": "varchar",
        "week_end": "date",
        "log_odds": "double",
        "likelihood": "double",
    },
    "renewal_shuffled": {
        "trained_on": "date",
        "candidate": "varchar",
        "contract_id": "varchar",
        **{f"{name}_{outcome}": "float" for name in _NAMES for outcome in ("kept", "lost")},
    },
    "renewal_direction": {
        "trained_on": "date",
        "candidate": "varchar",
        "factor": "varchar",
        "direction": "double",
    },
    "renewal_score": {
        "trained_on": "date",
        "week_end": "date",
        "contract_id": "varchar",
        "landmark_days": "integer",
        "candidate": "varchar",
        "likelihood": "double",
        "weight": "double",
    },
    "renewal_part": {
        "trained_on": "date",
        "week_end": "date",
        "contract_id": "varchar",
        "base": "float",
        **{f"part_{name}": "float" for name in _NAMES},
    },
    "renewal_shown": SHOWN,
}

# One row per contract and landmark: the week that ends in the seven days up to it, while it was undecided.
LANDMARKS_SQL = """
    with asked as (
        select
            renewal_week.*,
            lag as landmark_days
        from renewal_week
        cross join (select unnest($lags) as lag)
        where
            week_end <= greatest(ends_on - cast(lag as integer), starts_on + 6)
            and week_end > greatest(ends_on - cast(lag as integer), starts_on + 6) - 7
    )
    select
        asked.*,
        coalesce(health.colour, 'none') as colour,
        health.score as health_score,
        case when contracts.decided_on is not null then contracts.outcome end as outcome,
        case
            when contracts.outcome is not null and contracts.decided_on is not null
                then greatest(contracts.decided_on, contracts.ends_on)
        end as known_on
    from asked
    inner join contracts on contracts.contract_id = asked.contract_id
    left join account_week_health health on health.account_id = asked.account_id and health.week_end = asked.week_end
    order by asked.week_end, asked.contract_id, landmark_days
"""

"""Who was right: the owners' own calls and the model's likelihoods against what was decided.

A call is judged as it stood 30 days before the end, or the day before an earlier decision: known before the outcome. An
imported call carries no day, so nobody can say whether it was given before the outcome; it is told apart.
"""

import datetime as dt

import numpy as np
import pandas as pd

from cs_metrics.metrics.likelihood import KNOWN_CONTRACTS, SCORE_HOLDS_DAYS
from cs_metrics.metrics.registry import metric
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.models.health_trial import wilson
from cs_metrics.store import Store

__all__ = ["ALL_OWNERS", "CALLS", "DATED", "UNDATED", "implied_by_calls", "renewal_call_rates", "renewal_call_record"]

CALLS = ("commit", "best_case", "at_risk")
DATED, UNDATED = "written here", "imported, undated"
ALL_OWNERS = "All owners"
_Z = 1.959964

_JUDGED = f"""
    with {KNOWN_CONTRACTS},
    judged as (
        select
            contract_id, account_id, owner, owner_call, arr_cents, outcome,
            least(ends_on - cast($judged_days as integer), decided_on - 1) as day
        from known
        where outcome is not null
    ),
    written as (
        select
            judged.contract_id,
            case when entry.action = 'call' then entry.body ->> 'call' end as written_call,
            entry.author
        from judged
        inner join entry on entry.subject = judged.contract_id and entry.effective_on <= judged.day
        where entry.topic = 'renewal' and entry.action in ('call', 'call_withdrawn')
        qualify row_number() over (partition by judged.contract_id order by entry.effective_on desc, entry.seq desc) = 1
    ),
    scores as (
        select judged.contract_id, score.likelihood
        from judged
        inner join renewal_score score on score.contract_id = judged.contract_id
        where score.week_end <= judged.day and score.week_end > judged.day - {SCORE_HOLDS_DAYS}
        qualify row_number() over (partition by judged.contract_id order by score.week_end desc) = 1
    )
    select
        judged.contract_id,
        coalesce(case when written_call is not null then written.author end, judged.owner, '') as who,
        coalesce(written_call, owner_call) as own_call,
        case when written_call is not null then $dated else $undated end as basis,
        judged.arr_cents::double / 100 as arr,
        cast(judged.outcome = 'renewed' as bigint) as renewed,
        scores.likelihood as model_said
    from judged
    inner join scope on scope.account_id = judged.account_id
    left join written on written.contract_id = judged.contract_id
    left join scores on scores.contract_id = judged.contract_id
    where coalesce(written_call, owner_call) is not null
    order by judged.contract_id
"""


def _judged(store: Store, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Return each decided contract that had a call: contract_id, who, own_call, basis, arr, renewed, model_said, said."""
    settings = store.config.renewals
    found = store.frame(
        _JUDGED, scope=scope, as_of=as_of, judged_days=settings.call_judged_days, dated=DATED, undated=UNDATED
    )
    found["said"] = found["own_call"].map(settings.call_likelihood.model_dump()).astype("float64")
    found["model_said"] = found["model_said"].astype("float64")
    return found


@metric(needs=("contracts",), reads=("renewal",), page="Renewals")
def renewal_call_rates(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """How often contracts were renewed after each kind of call, per owner and for all owners together.

    Calls are judged as they stood renewals.call_judged_days before the end, or the day before an earlier decision.
    Calls written on the page are known to be from before the outcome; imported ones carry no day and stand apart.

    Formula: rate = renewed ÷ decided; its interval is Wilson's, 95 %.
    Columns:
        who: the owner who called; "All owners" for all of them
        basis: written here, or imported, undated
        call: commit, best_case or at_risk
        decided, renewed: contracts with that call that were decided, and of these renewed
        rate, low, high: empty below renewals.call_record_min decided ones
        stated: what the settings take the call to say
        implied: the likelihood that the disagreement reads into the call; empty for undated calls, which teach nothing
    Source: Wilson (1927).
    """
    judged, settings = _judged(store, as_of, scope), store.config.renewals
    stated = settings.call_likelihood.model_dump()
    rows = []
    for who, basis, part in _groups(judged):
        for call in CALLS:
            decided = int((part["own_call"] == call).sum())
            renewed = int(part.loc[part["own_call"] == call, "renewed"].sum())
            is_enough = decided >= settings.call_record_min
            low, high = wilson(renewed, decided) if is_enough else (np.nan, np.nan)
            rate = renewed / decided if is_enough else np.nan
            implied = (renewed + 0.5) / (decided + 1) if is_enough else stated[call]
            rows.append(
                (
                    who,
                    basis,
                    call,
                    decided,
                    renewed,
                    rate,
                    low,
                    high,
                    stated[call],
                    implied if basis == DATED else np.nan,
                )
            )
    names = ["who", "basis", "call", "decided", "renewed", "rate", "low", "high", "stated", "implied"]
    floats = dict.fromkeys(names[5:], "float64")
    kinds = {**dict.fromkeys(names[:3], "str"), "decided": "int64", "renewed": "int64", **floats}
    return pd.DataFrame(rows, columns=names).astype(kinds)


def _groups(judged: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Return all owners first and then each of them, with what they wrote before what was imported."""
    found = []
    for basis in (DATED, UNDATED):
        part = judged[judged["basis"] == basis]
        if len(part):
            found.append((ALL_OWNERS, basis, part))
            found += [(str(who), basis, rows) for who, rows in part[part["who"] != ""].groupby("who", sort=True)]
    return found


def implied_by_calls(store: Store, as_of: dt.date, who: pd.Series, call: pd.Series) -> pd.DataFrame:
    """Return the likelihood that each call implies: of the person's own record, else of all owners', else as stated.

    Only calls written on the page before the outcome teach it: an imported call may have been given after it.

    Columns: implied, implied_by ("own record", "all owners" or "as stated")
    """
    rates = renewal_call_rates(store, as_of=as_of)
    rates = rates[(rates["basis"] == DATED) & rates["rate"].notna()]
    known = {(one, of): value for one, of, value in zip(rates["who"], rates["call"], rates["implied"], strict=True)}
    stated = store.config.renewals.call_likelihood.model_dump()
    rows = []
    for one, of in zip(who, call, strict=True):
        if (one, of) in known:
            rows.append((known[one, of], "own record"))
        elif (ALL_OWNERS, of) in known:
            rows.append((known[ALL_OWNERS, of], "all owners"))
        else:
            rows.append((stated.get(of, np.nan), "as stated" if of in stated else ""))
    return pd.DataFrame(rows, columns=["implied", "implied_by"], index=who.index).astype({"implied": "float64"})


@metric(needs=("contracts",), reads=("renewal",), page="Renewals")
def renewal_call_record(store: Store, *, as_of: dt.date, scope: Scope = EVERYTHING) -> pd.DataFrame:
    """Who was right so far, the owners or the model: both judged on the same decided contracts, as they stood before.

    A call stands for the likelihood that the settings state for it; the model's is its score of the last complete week
    on the same day. Owners are judged on all their calls, and against the model on those that it had scored. Calls
    that were imported carry no day: they may have been given when the outcome was known, and cannot prove anybody right.

    Formula: Brier score = mean of (said - outcome)², 0 is perfect and 0.25 a coin; gain = Brier score of the model - that
        of the owner, above 0 where the owner was nearer; a hit is a renewed contract with more than 50 % said, or a lost one with less.
    Columns:
        who: the owner; "All owners" for all of them
        basis: written here, or imported, undated
        decided, renewed: contracts with a call that were decided, and of these renewed
        said_rate: mean of what the calls stand for
        hits, hit_rate, hit_low, hit_high: with Wilson's 95 % interval
        brier, brier_low, brier_high: of the calls, with its 95 % interval
        compared: contracts that the model had scored, too
        owner_brier, model_brier: on these
        gain, gain_low, gain_high: with a 95 % interval of the paired differences
        owner_arr_off, model_arr_off: ARR said to renew - ARR renewed, on these
        verdict: in words; rates are empty below renewals.call_record_min
    Source: Brier (1950); Wilson (1927).
    """
    judged = _judged(store, as_of, scope)
    fewest = store.config.renewals.call_record_min
    rows = [_record(who, basis, part, fewest) for who, basis, part in _groups(judged)]
    names = [
        "who", "basis", "decided", "renewed", "said_rate", "hits", "hit_rate", "hit_low", "hit_high", "brier", "brier_low",
        "brier_high", "compared", "owner_brier", "model_brier", "gain", "gain_low", "gain_high", "owner_arr_off",
        "model_arr_off", "verdict",
    ]  # fmt: skip
    counts = ("decided", "renewed", "hits", "compared")
    kinds = {
        one: "str" if one in ("who", "basis", "verdict") else "int64" if one in counts else "float64" for one in names
    }
    return pd.DataFrame(rows, columns=names).astype(kinds)


def _record(who: str, basis: str, part: pd.DataFrame, fewest: int) -> dict[str, object]:
    outcome, said = part["renewed"].to_numpy(dtype="float64"), part["said"].to_numpy(dtype="float64")
    hits, decided = int(((said > 0.5) == (outcome == 1)).sum()), len(part)
    row: dict[str, object] = {
        "who": who,
        "basis": basis,
        "decided": decided,
        "renewed": int(outcome.sum()),
        "hits": hits,
    }
    both = part[part["model_said"].notna()]
    row["compared"] = len(both)
    if decided < fewest:
        return {**row, "verdict": f"too few: {decided} of {fewest}"}
    row["said_rate"], row["hit_rate"] = said.mean(), hits / decided
    row["hit_low"], row["hit_high"] = wilson(hits, decided)
    row["brier"], row["brier_low"], row["brier_high"] = _mean((said - outcome) ** 2)
    if len(both) < fewest:
        return {**row, "verdict": f"the model had scored only {len(both)} of them"}
    outcome = both["renewed"].to_numpy(dtype="float64")
    owner, model = ((both[one].to_numpy(dtype="float64") - outcome) ** 2 for one in ("said", "model_said"))
    row["owner_brier"], row["model_brier"] = owner.mean(), model.mean()
    row["gain"], row["gain_low"], row["gain_high"] = _mean(model - owner)
    for name, column in (("owner_arr_off", "said"), ("model_arr_off", "model_said")):
        row[name] = float(((both[column] - both["renewed"]) * both["arr"]).sum())
    gain_low, gain_high = (float(str(row[one])) for one in ("gain_low", "gain_high"))
    nearer = (
        "the owner was nearer" if gain_low > 0 else "the model was nearer" if gain_high < 0 else "no difference shown"
    )
    return {**row, "verdict": nearer if basis == DATED else f"{nearer}, but undated calls prove nothing"}


def _mean(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean with its 95 % interval."""
    mean = float(values.mean())
    reach = _Z * float(values.std(ddof=1)) / float(np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return mean, mean - reach, mean + reach

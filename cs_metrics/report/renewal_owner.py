"""The sentences and pictures of the owners' calls beside the model, from the frames of their metrics."""

import pandas as pd

from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.report.renewals import CATEGORIES

__all__ = ["answer", "gains", "record_title", "shares"]


def answer(rows: pd.DataFrame, ahead: str, currency: str) -> str:
    """Say how far owners and model are apart in money, and on which contract most."""
    if rows.empty:
        return f"No contract due in {ahead} has an owner's call beside a likelihood."
    gap = rows["gap_arr"].sum()
    more = "more" if gap > 0 else "less"
    most = rows.iloc[0]
    says = CATEGORIES.get(str(most["owner_call"]), str(most["owner_call"])).lower()
    return (
        f"On {say.plural(len(rows), 'called contract')} due in {ahead} the owners expect {say.money(abs(gap), currency)} {more} "
        f"than the model; contract by contract they are {say.money(rows['gap_arr'].abs().sum(), currency)} apart. Most on "
        f"{most['name']}: called {says}, likelihood {say.percent(most['likelihood'], 0)}."
    )


def shares(rates: pd.DataFrame, who: str, basis: str) -> c.Intervals | None:
    """Return how often each kind of call came true, with its interval; None where too few were decided."""
    rows = rates[(rates["who"] == who) & (rates["basis"] == basis) & rates["rate"].notna()]
    if rows.empty:
        return None
    return c.Intervals(
        names=[CATEGORIES[one] for one in rows["call"]],
        value=c.values(rows["rate"]),
        low=c.values(rows["low"]),
        high=c.values(rows["high"]),
        unit="percent",
        zero=None,
        notes=[
            f"{renewed} of {decided} renewed; stated as {say.percent(stated, 0)}"
            for renewed, decided, stated in zip(rows["renewed"], rows["decided"], rows["stated"], strict=True)
        ],
        x_title="Renewed",
    )


def gains(record: pd.DataFrame, basis: str) -> c.Intervals | None:
    """Return by how much each owner was nearer than the model; None where no one can be compared."""
    rows = record[(record["basis"] == basis) & record["gain"].notna()]
    if rows.empty:
        return None
    return c.Intervals(
        names=list(rows["who"]),
        value=c.values(rows["gain"]),
        low=c.values(rows["gain_low"]),
        high=c.values(rows["gain_high"]),
        unit="number",
        notes=[f"{say.plural(many, 'contract')} compared" for many in rows["compared"]],
        x_title="Brier, model - owner",
    )


def record_title(record: pd.DataFrame) -> str:
    """Return the message of the record: what can be said of all owners together."""
    if record.empty:
        return "No call has been decided yet"
    now = record.iloc[0]
    return f"{now['who']}, {now['basis']}: {now['verdict']}"

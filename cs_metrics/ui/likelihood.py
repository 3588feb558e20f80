"""How far the likelihood of renewal can be believed, on the renewals page: its record and what stands behind it."""

import pandas as pd

from cs_metrics.report import format as say
from cs_metrics.report import likelihood_charts as drawn
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col

__all__ = ["draw"]

DAYS = {"90": "90 days before", "30": "30 days before", "270": "270 days before"}
BY = {"total": "All", "segment": "By segment", "term": "By term"}
MODELS = {
    "model": Col(label="Model", is_pinned=True),
    "used": Col(label="In use"),
    "group": Col(label="Group"),
    "decisions": Col(label="Judged", kind="count"),
    "losses": Col(label="Lost", kind="count"),
    "auc": Col(label="Area under the curve", help="0.5 is chance, 1 tells all apart"),
    "log_loss": Col(label="Log-loss", help="Lower is better"),
    "gain": Col(label="Better than base rate", help="Log-loss below that of the base rate"),
    "gain_low": Col(label="… at least", help="Lower end of the 95% interval"),
    "brier": Col(label="Brier"),
    "base_brier": Col(label="Brier, overall rate"),
    "arr_error": Col(label="Brier by ARR", help="Squared error weighted by ARR"),
    "arr_bias": Col(label="ARR expected too much", kind="points"),
}
FACTORS = {
    "label": Col(label="Factor", is_pinned=True),
    "strength": Col(label="Here"),
    "published": Col(label="Published", help="What one vendor found with more than 60 factors"),
    "direction": Col(label="Direction"),
    "importance": Col(label="Importance", help="Growth of the log-loss without the factor"),
    "low": Col(label="Low"),
    "high": Col(label="High"),
}
GROUPS = {
    "segment": Col(label="Segment"),
    "colour": Col(label="Health 90 days before the end"),
    "decisions": Col(label="Decided", kind="count"),
    "renewed": Col(label="Renewed", kind="count"),
    "rate": Col(label="Rate", kind="percent"),
    "likelihood": Col(label="Likelihood", kind="percent"),
}


def draw(page: Page) -> None:
    """Draw what the likelihood is, its record on later decisions, what it hangs on, and the base rates behind it."""
    days = page.choose("landmark", "Judged by what was said", DAYS)
    card = page.metric("likelihood_card", days=days)
    _head(page, card.iloc[0], days)
    if card["decisions"].iloc[0]:
        left, right = page.columns(1, 1)
        with left:
            _calibration(page, days)
        with right:
            _factors(page)
        _models(page, days)
    _base_rates(page)


def _head(page: Page, now: pd.Series, days: str) -> None:
    asked = ("likelihood_card", {"days": days})
    learned = (
        f" As of {say.date(now['trained_on'].date())}, from {say.plural(now['trained_decisions'], 'decision')} "
        f"({say.count(now['trained_losses'])} lost)."
        if pd.notna(now["trained_on"])
        else ""
    )
    page.note(f"The likelihood of a contract is its {now['model']}: {now['reason']}.{learned} {now['verdict']}")
    area = f"95% interval {say.fixed(now['auc_low'])} to {say.fixed(now['auc_high'])}"
    gain = f"95% interval {say.number(now['gain_low'], 3)} to {say.number(now['gain_high'], 3)}"
    figures = {
        "Area under the curve": (say.fixed(now["auc"]), area),
        "Log-loss below base rate": (
            say.number(now["gain"], 3),
            gain if pd.notna(now["gain"]) else "it is the base rate",
        ),
        "Brier score": (
            say.number(now["brier"], 3),
            f"overall rate {say.number(now['base_brier'], 3)}",
        ),
        "ARR expected too much": (say.points(now["arr_bias"]), "of the ARR judged"),
        "Decisions judged": (say.count(now["decisions"]), f"{say.count(now['losses'])} lost"),
    }
    shown = [Figure(label=one, value=says[0], note=says[1], metric=asked) for one, says in figures.items()]
    page.figures(shown, columns=5)


def _calibration(page: Page, days: str) -> None:
    rows, fewest = page.metric("likelihood_reliability", days=days), page.config.min_accounts
    page.chart(
        drawn.calibration(rows, fewest),
        title=drawn.calibration_title(rows, fewest),
        caption="later decisions by the likelihood they were given; on the dotted line what was said came true",
        metric=("likelihood_reliability", {"days": days}),
        key="calibration",
        note="A dot is as large as its number of decisions; the line through it is the 95% interval.",
    )


def _factors(page: Page) -> None:
    rows = page.metric("likelihood_factors")
    if rows.empty:
        page.empty("No model has been tried on later decisions yet, so no factor can be weighed.", "What it hangs on")
        return
    about = "" if rows["is_used"].iloc[0] else " (not in use)"
    page.chart(
        drawn.factors(rows),
        title=drawn.factors_title(rows),
        caption=f"{rows['model'].iloc[0]}{about}: how much worse it tells later decisions without the factor",
        metric="likelihood_factors",
        key="factors",
        note="▲ more of it speaks for renewal, ▼ against. Grey: no importance could be shown.",
    )


def _models(page: Page, days: str) -> None:
    by = page.choose("models", "Judged", BY)
    asked = ("likelihood_card", {"days": days, "by": by})
    rows = page.metric("likelihood_card", days=days, by=by)
    rows["used"] = ["● in use" if one else "" for one in rows["is_used"]]
    figures = ["auc", "log_loss", "gain", "gain_low", "brier", "base_brier", "arr_error"]
    rows.loc[rows["decisions"] < page.config.min_accounts, [*figures, "arr_bias"]] = None
    for name in figures:
        rows[name] = [say.number(one, 3) for one in rows[name]]
    page.table(
        rows,
        MODELS,
        title="The models side by side, on the same later decisions",
        caption=f"blank below {page.config.min_accounts} decisions; fingerprint of what was learned from: {rows['fingerprint'].iloc[0]}",
        metric=asked,
        key="models",
        opens=None,
    )
    factors = page.metric("likelihood_factors")
    if len(factors):
        for name in ("importance", "low", "high"):
            factors[name] = [say.number(one, 4) for one in factors[name]]
        page.table(
            factors,
            FACTORS,
            title="Strong and weak factors, beside what was published",
            caption="permutation importance on decisions that nothing was learned from",
            metric="likelihood_factors",
            key="factor_rows",
            opens=None,
        )


def _base_rates(page: Page) -> None:
    found = page.metric("renewal_base_rates")
    found["colour"] = [say.health(one) if one != "all" else "All" for one in found["colour"]]
    found.loc[found["decisions"] < page.config.min_accounts, "rate"] = None
    page.table(
        found,
        GROUPS,
        title="The base rates behind it",
        caption="past decisions of all accounts; a small group is pulled towards what is expected of it",
        metric="renewal_base_rates",
        key="groups",
        opens=None,
    )

"""How far the likelihood of renewal can be believed, on the renewals page: its record and what stands behind it."""

from cs_metrics.report import format as say
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col

__all__ = ["draw"]

GROUPS = {
    "segment": Col(label="Segment"),
    "colour": Col(label="Health 90 days before the end"),
    "decisions": Col(label="Decided", kind="count"),
    "renewed": Col(label="Renewed", kind="count"),
    "rate": Col(label="Rate", kind="percent"),
    "likelihood": Col(label="Likelihood", kind="percent"),
}


def draw(page: Page) -> None:
    """Draw the record of the likelihood on later decisions, and the base rates behind it."""
    card = page.metric("likelihood_card").iloc[0]
    page.note(f"The likelihood of a contract is its {card['model']}. {card['verdict']}")
    area = f"95% interval {say.number(card['auc_low'], 2)} to {say.number(card['auc_high'], 2)}"
    base = f"overall rate {say.number(card['base_brier'], 3)}; lower is better"
    figures = {
        "Area under the curve": (say.number(card["auc"], 2), area),
        "Brier score": (say.number(card["brier"], 3), base),
        "Decisions judged": (say.count(card["decisions"]), f"{say.count(card['losses'])} lost"),
    }
    page.figures(
        [Figure(label=one, value=says[0], note=says[1], metric="likelihood_card") for one, says in figures.items()]
    )
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

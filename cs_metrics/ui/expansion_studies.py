"""Two studies on the Expansion page: was what was sold reasonable, and how does the company grow?"""

from typing import Any

from cs_metrics.metrics.expansion_effect import MEASURES, bonuses, effects
from cs_metrics.metrics.expansion_rate import MODELS, PARTS
from cs_metrics.metrics.expansion_review import totals
from cs_metrics.report import chart as c
from cs_metrics.report import expansion as words
from cs_metrics.report import format as say
from cs_metrics.ui.expansion_columns import BONUS, EFFECT, GROWTH, REVIEW
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.shell import Page

__all__ = ["growth", "review"]

_RATES = ["up_sell_rate", "cross_sell_rate", "gross_renewal_rate", "logo_churn", "nrr", "grr"]
_LEADING = {
    "application": {"up_sell_rate": "Up-sell", "cross_sell_rate": "Cross-sell", "nrr": "NRR"},
    "platform": {"gross_renewal_rate": "Gross renewal rate", "logo_churn": "Logo churn", "grr": "GRR"},
    "unknown": {"nrr": "NRR", "grr": "GRR", "logo_churn": "Logo churn"},
}
_BY = {"csm": "By CSM", "owner": "By owner of the deal"}
_EVERY = {"quarter": "Quarters", "month": "Months", "year": "Years"}


def review(page: Page) -> None:
    """Draw health and satisfaction around each won deal beside accounts like it, and the bonus that follows."""
    fewest, found = page.config.min_accounts, page.metric("expansion_review")
    if found.empty:
        page.empty("No expansion deal was won by this day.", title="Was it reasonable?")
        return
    now: Any = totals(found).iloc[0]
    bonus = say.percent(now.bonus_share if now.judged >= fewest else None)
    figures = {
        "Held or rose": (
            say.rate(now.held, now.judged, minimum=fewest),
            f"of {say.plural(now.judged, 'deal')} that can be judged",
        ),
        "Fell": (say.count(now.fell), "health, satisfaction or both"),
        "Too early": (say.count(now.too_early), f"{say.count(now.unknown)} more have no measure on both sides"),
        "Mean bonus": (bonus, "of the deals judged"),
    }
    asked = "expansion_review_totals"
    page.figures([Figure(label=one, value=its[0], note=its[1], metric=asked) for one, its in figures.items()])
    _effect(page, effects(found, fewest))
    by = page.choose("bonus_by", "By", _BY)
    people = bonuses(found, by, fewest)
    people["bonus_share"] = people["bonus_share"].where(people["judged"] >= fewest)
    people["person"] = people["person"].where(people["person"] != "", "Nobody")
    page.table(
        people,
        BONUS,
        title="What counts for the bonus",
        caption="Full where health and satisfaction held or rose, reduced where one fell, none where both did or health fell to red",
        metric=("expansion_bonus", {"by": by}),
        key="bonus",
        opens=None,
    )
    page.table(
        found,
        REVIEW,
        title="Each won deal",
        caption="Health and satisfaction, 0 to 100, 90 days before and after; those that fell first",
        metric="expansion_review",
        key="review",
        rows=14,
    )


def _effect(page: Page, found: Any) -> None:
    every = found[found["kind"] == "all"]
    known = found[found["difference"].notna() & ((found["measure"] == "health") | (found["kind"] == "all"))]
    title = words.effect_title(every)
    if len(known):
        names = [f"{MEASURES[row.measure]}, {words.kind(row.kind)}" for row in known.itertuples()]
        drawn = c.Intervals(
            names=names,
            value=c.values(known["difference"]),
            low=c.values(known["low"]),
            high=c.values(known["high"]),
            unit="number",
            notes=list(known["says"]),
            x_title="Points, change of the account less that of its matches",
            height=240,
        )
        caption = "Difference of the changes over 90 days to accounts like them that bought nothing, 95% interval"
        page.chart(drawn, title=title, caption=caption, metric="expansion_effect", key="effect")
    shown = found.assign(measure=found["measure"].map(MEASURES), kind=found["kind"].map(words.kind))
    caption = "Beside accounts of the same segment, size and health; an association, no proof"
    page.table(
        shown,
        EFFECT,
        title="Beside accounts like them",
        caption=caption,
        metric="expansion_effect",
        key="effects",
        opens=None,
    )


def growth(page: Page) -> None:
    """Draw by how much customers grow and by what, and which model of growth the company has."""
    models = page.metric("growth_model")
    if models.empty:
        page.empty("No customer is in these filters on this day.", title="Growth")
        return
    shown = models.assign(model=models["model"].map(MODELS))
    is_few = shown["opening_accounts"] < page.config.min_accounts
    shown[_RATES] = shown[_RATES].mask(is_few)
    _leading(page, models[models["is_leading"]])
    page.table(
        shown,
        GROWTH,
        title=words.model_title(models),
        caption="Twelve months, over the customers at their beginning; archetype as given, else by billing",
        metric="growth_model",
        key="models",
        opens=None,
    )
    every = page.choose("growth_every", "Every", _EVERY)
    rates = page.metric("expansion_rate", every=every)
    rates = rates[rates["opening"] > 0].tail(24)
    asked = ("expansion_rate", {"every": every})
    if rates.empty:
        page.empty("No period with customers at its beginning has ended by this day.", title="Expansion rate")
        return
    parts = [(part, colour) for part, colour in zip(PARTS, words.PART_COLOURS, strict=True) if rates[part].any()]
    series = [
        c.Series(name=words.PART_NAMES[part], y=c.values(rates[f"{part}_rate"]), colour=role) for part, role in parts
    ]
    page.chart(
        c.Bars(
            x=words.period_names(rates, every),
            series=series,
            unit="percent",
            is_stacked=True,
            shows_values=False,
        ),
        title=words.rate_title(rates, every),
        caption="Expansion by what was bought more of, ÷ MRR at the beginning of the period",
        metric=asked,
        key="rates",
    )


def _leading(page: Page, models: Any) -> None:
    """Draw the numbers that lead in the leading model."""
    for row in models.to_dict("records"):
        figures = [
            page.figure(
                label,
                row[name],
                "percent",
                whole=row["opening_accounts"],
                good="none",
                note="of the leading model",
                metric="growth_model",
            )
            for name, label in _LEADING[row["model"]].items()
        ]
        page.figures(figures, columns=3)

"""Who could use more, is now the right moment, who goes, and what can be said?"""

from functools import partial

from cs_metrics.report import format as say
from cs_metrics.ui import expansion_list, expansion_tabs, shell
from cs_metrics.ui.expansion_columns import REVIEW
from cs_metrics.ui.shell import Figure

page = shell.begin(
    "Expansion",
    "Who could use more, is now the right moment, who goes, saying what?",
    filters=[shell.Choice(key="show", label="Show", options=expansion_list.SHOWN)],
)
fewest = page.config.min_accounts


def review() -> None:
    now, asked = page.metric("expansion_review_totals").iloc[0], "expansion_review_totals"
    share = say.rate(now.held, now.judged, minimum=fewest)
    figures = {
        "Held or rose": (share, f"of {say.plural(now.judged, 'deal')} that can be judged"),
        "Fell": (say.count(now.fell), "health, satisfaction or both"),
        "Too early": (say.count(now.too_early), f"{say.count(now.unknown)} more have no measure on both sides"),
        "Mean bonus": (say.percent(now.bonus_share if now.judged >= fewest else None), "of the deals judged"),
    }
    page.figures([Figure(label=one, value=its[0], note=its[1], metric=asked) for one, its in figures.items()])
    title, caption = "Was it reasonable?", "Health and satisfaction, 0 to 100, before and after each won deal"
    page.table(
        page.metric("expansion_review"),
        REVIEW,
        title=title,
        caption=caption,
        metric="expansion_review",
        key="review",
        rows=16,
    )


with page.guard():
    expansion_list.draw(page)
page.tabs(
    {
        "White space": partial(expansion_tabs.whitespace, page),
        "Limits": partial(expansion_tabs.limits, page),
        "Sponsor moves": partial(expansion_tabs.moves, page),
        "Departments": partial(expansion_tabs.departments, page),
        "Was it reasonable?": review,
        "Rules": partial(expansion_tabs.rules, page),
    }
)

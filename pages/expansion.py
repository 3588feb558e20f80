"""Who could use more, is now the right moment, who goes, and what can be said?"""

from functools import partial

from cs_metrics.ui import expansion_list, expansion_studies, expansion_tabs, shell

page = shell.begin(
    "Expansion",
    "Who could use more, is now the right moment, who goes, saying what?",
    filters=[shell.Choice(key="show", label="Show", options=expansion_list.SHOWN)],
)

with page.guard():
    expansion_list.draw(page)
page.tabs(
    {
        "White space": partial(expansion_tabs.whitespace, page),
        "Limits": partial(expansion_tabs.limits, page),
        "Sponsor moves": partial(expansion_tabs.moves, page),
        "Departments": partial(expansion_tabs.departments, page),
        "Was it reasonable?": partial(expansion_studies.review, page),
        "Growth": partial(expansion_studies.growth, page),
        "Rules": partial(expansion_tabs.rules, page),
    }
)

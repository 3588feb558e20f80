"""Who could use more, is now the right moment, who goes, and what can be said?"""

from cs_metrics.metrics.whitespace import whitespace_grid
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.ui import expansion_list, shell
from cs_metrics.ui.expansion_columns import GRID, KINDS, MOVES, RECORD, REVIEW
from cs_metrics.ui.shell import Col, Figure

STATES = {"owned": ("Owned", "1"), "tried": ("Tried", "2"), "gap": ("Gap", "3"), "not_eligible": ("Not yet", "grey")}

page = shell.begin(
    "Expansion",
    "Who could use more, is now the right moment, who goes, saying what?",
    filters=[shell.Choice(key="show", label="Show", options=expansion_list.SHOWN)],
)
fewest = page.config.min_accounts


def rules() -> None:
    found = page.metric("expansion_totals")
    caption = "A rule without its tables is silent; likelihoods over all accounts"
    page.table(
        found, KINDS, title="The seven rules", caption=caption, metric="expansion_totals", key="rules", opens=None
    )
    page.table(
        page.metric("expansion_record"),
        RECORD,
        title="What became of what was found",
        caption="Decided on this page, and the deals since",
        metric="expansion_record",
        key="record",
        opens=None,
        empty="Nothing was taken, put off or dismissed yet.",
    )


def whitespace() -> None:
    products, found = page.metric("whitespace_by_product"), page.metric("whitespace")
    drawn = [c.Series(name=name, y=c.values(products[state]), colour=role) for state, (name, role) in STATES.items()]
    title, caption = "What customers own, tried and lack", "Customers by product; tried means used without owning it"
    chart = c.Bars(x=list(products["product"]), series=drawn, is_stacked=True, shows_values=False)
    page.chart(chart, title=title, caption=caption, metric="whitespace_by_product", key="products")
    grid = whitespace_grid(found)
    columns = {**GRID, **{name: Col(label=name) for name in grid.columns[1:] if name not in GRID}}
    page.table(
        grid, columns, title="White space", caption="The largest first", metric="whitespace", key="grid", rows=16
    )


def moves() -> None:
    rows = page.metric("expansion")
    rows = rows[rows.kind == "sponsor"].reset_index(drop=True)
    empty = "No sponsor or decision maker is known to have moved to another company lately."
    caption = "A new sale there, and a risk here"
    page.table(rows, MOVES, title="Sponsors who moved", caption=caption, metric="expansion", key="moves", empty=empty)


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
page.tabs({"Rules": rules, "White space": whitespace, "Sponsor moves": moves, "Was it reasonable?": review})

"""Who could use more, is now the right moment, who goes, and what can be said?"""

from cs_metrics.metrics.expansion_totals import headline
from cs_metrics.metrics.whitespace import whitespace_grid
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.ui import shell
from cs_metrics.ui.expansion_columns import GRID, KINDS, MOVES, OFFERS, REVIEW
from cs_metrics.ui.shell import Col, Figure

SHOWN = {"all": "All", "ready": "Ready", "waiting": "Waiting"}
STATES = {"owned": ("Owned", "1"), "tried": ("Tried", "2"), "gap": ("Gap", "3"), "not_eligible": ("Not yet", "grey")}

page = shell.begin(
    "Expansion",
    "Who could use more, is now the right moment, who goes, saying what?",
    filters=[shell.Choice(key="show", label="Show", options=SHOWN)],
)
fewest = page.config.min_accounts


def opportunities() -> None:
    totals = page.metric("expansion_totals")
    now, leads = totals.set_index("kind").loc["total"], totals.set_index("kind").loc["sponsor"]
    page.answer(headline(totals, page.money))
    figures = {
        "Ready now": (page.money(now.ready_arr), f"{say.plural(now.ready, 'opportunity', 'opportunities')}"),
        "Expected of the ready": (page.money(now.ready_expected_arr), "× likelihood, once a deal is opened"),
        "Held back": (page.money(now.blocked_arr), say.plural(now.blocked, "opportunity", "opportunities")),
        "Leads elsewhere": (page.money(leads.arr), f"{say.plural(leads.offers, 'sponsor')} moved; not in the sums"),
    }
    page.figures(
        [Figure(label=one, value=its[0], note=its[1], metric="expansion_totals") for one, its in figures.items()]
    )
    here = totals[~totals.kind.isin(["sponsor", "total"])]
    here = here[here.offers > 0]
    parts = [("Ready", here.ready_arr, "1"), ("Held back", here.blocked_arr, "grey")]
    series = [c.Series(name=name, y=c.values(column), colour=role) for name, column, role in parts]
    if len(here):
        page.chart(
            c.Bars(x=list(here.name), series=series, unit="money", is_stacked=True, shows_values=False, height=220),
            title=f"{page.money(now.ready_arr)} of {page.money(now.arr)} could be sold now",
            caption="Estimated ARR by kind of opportunity",
            metric="expansion_totals",
            key="kinds",
        )
    rows, shown = page.metric("expansion"), page.choices["show"]
    rows = rows if shown == "all" else rows[rows.is_ready == (shown == "ready")].reset_index(drop=True)
    caption = "Ready ones first, by expected ARR"
    page.table(rows, OFFERS, title="Opportunities", caption=caption, metric="expansion", key="offers", rows=10)


def rules() -> None:
    found = page.metric("expansion_totals")
    caption = "A rule without its tables is silent; likelihoods over all accounts"
    page.table(
        found, KINDS, title="The seven rules", caption=caption, metric="expansion_totals", key="rules", opens=None
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
    opportunities()
page.tabs({"Rules": rules, "White space": whitespace, "Sponsor moves": moves, "Was it reasonable?": review})

"""Who could use more, is now the right moment, who goes, and what can be said?"""

from cs_metrics.metrics.expansion import headline
from cs_metrics.metrics.whitespace import whitespace_grid
from cs_metrics.report import chart as c
from cs_metrics.report import format as say
from cs_metrics.ui import shell
from cs_metrics.ui.shell import Col, Figure

SHOWN = {"all": "All", "ready": "Ready", "waiting": "Waiting"}
STATES = {"owned": ("Owned", "1"), "tried": ("Tried", "2"), "gap": ("Gap", "3"), "not_eligible": ("Not yet", "grey")}
OFFERS = {
    "name": Col(label="Account", is_pinned=True),
    "offer": Col(label="Opportunity"),
    "what": Col(label="What"),
    "expected_arr": Col(label="Expected ARR", kind="money", help="Estimated ARR × likelihood"),
    "is_ready": Col(label="Ready", kind="bool", help="Nothing holds it back"),
    "evidence": Col(label="Evidence", width="large"),
    "blockers": Col(label="Held back by", kind="tags", width="large"),
    "blocked_until": Col(label="Held back until", kind="date", help="Where the day can be known"),
    "timing": Col(label="Moment", kind="tags", width="medium"),
    "route": Col(label="Route"),
    "owner": Col(label="Owner"),
    "next_step": Col(label="Next step", width="medium"),
    "message": Col(label="What can be said", width="large"),
    "health": Col(label="Health", kind="health"),
    "arr": Col(label="ARR", kind="money"),
    "arr_basis": Col(label="How estimated", width="medium"),
    "likelihood": Col(label="Likelihood", kind="percent"),
    "likelihood_support": Col(label="Likelihood from", width="medium"),
    "gate": Col(label="Gate", width="medium"),
}
KINDS = {
    "name": Col(label="Opportunity", is_pinned=True),
    "offers": Col(label="Found", kind="count"),
    "ready": Col(label="Ready", kind="count"),
    "arr": Col(label="ARR", kind="money"),
    "ready_arr": Col(label="Ready ARR", kind="money"),
    "expected_arr": Col(label="Expected ARR", kind="money"),
    "likelihood": Col(label="Likelihood", kind="percent"),
    "won": Col(label="Won", kind="count"),
    "decided": Col(label="Decided", kind="count"),
    "missing": Col(label="Tables missing"),
    "rule": Col(label="Fires when", width="large"),
}
MOVES = {
    "name": Col(label="Left behind", is_pinned=True),
    "what": Col(label="Lead", width="medium"),
    "evidence": Col(label="What happened", width="large"),
    "arr": Col(label="Estimated ARR", kind="money"),
    "arr_basis": Col(label="How estimated"),
    "owner": Col(label="Owner"),
    "health": Col(label="Health here", kind="health"),
}
REVIEW = {
    "name": Col(label="Account", is_pinned=True),
    "closed_on": Col(label="Won on", kind="date"),
    "offer": Col(label="Opportunity"),
    "arr": Col(label="ARR", kind="money"),
    "owner": Col(label="Owner"),
    "health_before": Col(label="Health before", kind="score"),
    "health_after": Col(label="Health after", kind="score"),
    "satisfaction_before": Col(label="Satisfaction before", kind="score"),
    "satisfaction_after": Col(label="Satisfaction after", kind="score"),
    "verdict": Col(label="Afterwards"),
    "bonus_share": Col(label="Bonus", kind="percent"),
}

page = shell.begin(
    "Expansion",
    "Who could use more, is now the right moment, who goes, saying what?",
    filters=[shell.Choice(key="show", label="Show", options=SHOWN)],
)
total_asked, fewest = ("expansion_totals", {"by": "total"}), page.config.min_accounts


def opportunities() -> None:
    totals, kinds = page.metric("expansion_totals", by="total"), page.metric("expansion_totals")
    now, words = totals.iloc[0], dict(zip(kinds.kind, kinds.name, strict=True))
    page.answer(headline(totals, page.money))
    figures = {
        "Ready now": (page.money(now.ready_arr), f"{say.plural(now.ready, 'opportunity', 'opportunities')}"),
        "Expected of the ready": (page.money(now.ready_expected_arr), "estimated ARR × likelihood"),
        "Held back": (page.money(now.blocked_arr), say.plural(now.blocked, "opportunity", "opportunities")),
        "Leads elsewhere": (page.money(now.leads_arr), f"{say.plural(now.leads, 'sponsor')} moved; not in the sums"),
    }
    page.figures([Figure(label=one, value=its[0], note=its[1], metric=total_asked) for one, its in figures.items()])
    here = kinds[(kinds.kind != "sponsor") & (kinds.offers > 0)]
    series = [("Ready", here.ready_arr, "1"), ("Held back", here.blocked_arr, "grey")]
    if len(here):
        page.chart(
            c.Bars(
                x=list(here.name),
                series=[c.Series(name=name, y=c.values(column), colour=role) for name, column, role in series],
                unit="money",
                is_stacked=True,
                shows_values=False,
                height=220,
            ),
            title=f"{page.money(now.ready_arr)} of {page.money(now.arr)} could be sold now",
            caption="Estimated ARR by kind of opportunity",
            metric=("expansion_totals", {"by": "kind"}),
            key="kinds",
        )
    rows, shown = page.metric("expansion"), page.choices["show"]
    rows["offer"] = rows.kind.map(words)
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
    columns = {"name": Col(label="Account", is_pinned=True), "arr": Col(label="ARR", kind="money")}
    columns |= {"open": Col(label="Tried or gap", kind="count")}
    columns |= {name: Col(label=name) for name in grid.columns if name not in ("account_id", *columns)}
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
    found, kinds = page.metric("expansion_review"), page.metric("expansion_totals")
    found["offer"] = found.kind.map(dict(zip(kinds.kind, kinds.name, strict=True)))
    title, caption = "Was it reasonable?", "Health and satisfaction, 0 to 100, before and after each won deal"
    page.table(found, REVIEW, title=title, caption=caption, metric="expansion_review", key="review", rows=16)


with page.guard():
    opportunities()
page.tabs({"Rules": rules, "White space": whitespace, "Sponsor moves": moves, "Was it reasonable?": review})

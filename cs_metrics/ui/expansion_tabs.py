"""The lists behind the opportunities: white space, limits, moves, departments, and the rules themselves."""

from typing import Any

from cs_metrics.metrics.expansion_totals import summed
from cs_metrics.metrics.whitespace import whitespace_grid
from cs_metrics.report import chart as c
from cs_metrics.report import expansion as words
from cs_metrics.report import format as say
from cs_metrics.ui.expansion_columns import DEPARTMENTS, GRID, KINDS, LIMITS, MOVES, RECORD, WORTH
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col

__all__ = ["departments", "limits", "moves", "rules", "whitespace"]

_STATES: dict[str, tuple[str, c.Colour]] = {
    "owned": ("Owned", "1"),
    "tried": ("Tried", "2"),
    "gap": ("Gap", "3"),
    "not_eligible": ("Not yet", "grey"),
}


def whitespace(page: Page) -> None:
    """Draw what customers own, tried and lack, what that is worth, and the grid of accounts and products."""
    products, found = page.metric("whitespace_by_product"), page.metric("whitespace")
    products["owned_share"] = products["owned_share"].where(products["customers"] >= page.config.min_accounts)
    if products.empty:
        page.empty("No customer is in these filters on this day.", title="White space")
        return
    total: Any = products.set_index("product_id").loc["total"]
    unpriced = (
        f"{say.plural(total.unpriced, 'gap')} without an estimate" if total.unpriced else "every gap has an estimate"
    )
    figures = {
        "White space": (page.money(total.white_space_arr), unpriced),
        "Not ready for it yet": (page.money(total.later_arr), "the product's milestone is not reached"),
        "Accounts that try something": (say.count(total.tried), f"of {say.plural(total.customers, 'account')}"),
    }
    page.figures(
        [Figure(label=one, value=its[0], note=its[1], metric="whitespace_by_product") for one, its in figures.items()],
        columns=3,
    )
    each = products[products.product_id != "total"]
    drawn = [c.Series(name=name, y=c.values(each[state]), colour=role) for state, (name, role) in _STATES.items()]
    page.chart(
        c.Bars(x=list(each["product"]), series=drawn, is_stacked=True, shows_values=False, height=240),
        title="What customers own, tried and lack",
        caption="Customers by product; tried means used without owning it",
        metric="whitespace_by_product",
        key="products",
    )
    grid = whitespace_grid(found)
    columns = {**GRID, **{name: Col(label=name) for name in grid.columns[2:] if name not in GRID}}
    caption = "The largest white space first; ● owned, ▲ tried, ○ gap, · not yet eligible"
    page.table(grid, columns, title="Accounts and products", caption=caption, metric="whitespace", key="grid", rows=14)
    page.table(
        products,
        WORTH,
        title="Worth by product",
        caption="What similar customers pay, else list price × 12",
        metric="whitespace_by_product",
        key="worth",
        opens=None,
    )


def limits(page: Page) -> None:
    """Draw every limit with the day on which it is reached."""
    rows = page.metric("expansion_limits")
    rows["resource"] = rows["resource"].str.replace("_", " ").str.capitalize()
    page.table(
        rows,
        LIMITS,
        title="Usage limits",
        caption="Nearly full or soon full first; days by the trend, with an 80% interval",
        metric="expansion_limits",
        key="limits",
        rows=16,
        empty="No limit was measured lately for these accounts.",
    )


def moves(page: Page) -> None:
    """Draw the sponsors who moved: the lead there beside the risk here."""
    page.table(
        page.metric("expansion_moves"),
        MOVES,
        title="Sponsors who moved",
        caption="A new sale there, and a risk here; the newest first",
        metric="expansion_moves",
        key="moves",
        rows=16,
        empty="No sponsor or decision maker is known to have moved to another company lately.",
    )


def departments(page: Page) -> None:
    """Draw how far the product has spread in each account."""
    page.table(
        page.metric("expansion_departments"),
        DEPARTMENTS,
        title="Spread over departments",
        caption="Those with room first; active means any use in four complete weeks",
        metric="expansion_departments",
        key="departments",
        rows=16,
        empty="No department of a user is known for these accounts.",
    )


def rules(page: Page) -> None:
    """Draw the seven rules with their chances, and what became of what they found."""
    page.table(
        summed(page.metric("expansion"), page.metric("expansion_kinds")),
        KINDS,
        title="The seven rules",
        caption="A rule without its tables is silent; likelihoods over all accounts",
        metric="expansion_totals",
        key="rules",
        opens=None,
    )
    record = page.metric("expansion_record")
    record["kind"] = record["kind"].map(words.kind).str.capitalize()
    page.table(
        record,
        RECORD,
        title="What became of what was found",
        caption="Decided on this page, and the deals since",
        metric="expansion_record",
        key="record",
        opens=None,
        empty="Nothing was taken, put off or dismissed yet.",
    )

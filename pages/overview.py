"""How are we doing, what changed, what is at risk?"""

from cs_metrics.metrics.overview import WINDOWS, window_start
from cs_metrics.report import format as say
from cs_metrics.report import portfolio
from cs_metrics.ui import shell

page = shell.begin(
    "Overview",
    "How are we doing, what changed, what is at risk?",
    filters=[shell.Choice(key="window", label="Window", options=WINDOWS, default="12m")],
)
window = page.choices["window"]
opening = window_start(page.as_of, window)
headline = ("headline", {"window": window})
FIGURES = [
    # figure, words, unit, welcome direction, what its denominator counts, metric and column of its course
    ("arr", "ARR", "money", "up", "customer", "retention_trend", "arr"),
    ("nrr", "Net revenue retention", "percent", "up", "customer", "retention_trend", "nrr"),
    ("grr", "Gross revenue retention", "percent", "up", "customer", "retention_trend", "grr"),
    ("logo_churn", "Logo churn", "percent", "down", "customer", "retention_trend", "logo_churn"),
    ("activation", "Activation rate", "percent", "up", "account", "activation_by_start_quarter", "rate"),
    ("renewals", "Renewals due in 90 days", "money", "none", "contract", "renewals_due_by_month", "arr"),
    ("expected", "Expected of them", "money", "up", "contract", "renewals_expected_by_quarter", "expected_arr"),
    ("at_risk", "ARR at risk", "money", "down", "scored customer", "arr_at_risk", "arr"),
]
found = {row["figure"]: row for row in page.metric("headline", window=window).to_dict("records")}
cards = {
    name: page.figure(
        words,
        found[name]["now"],
        unit,
        before=found[name]["before"],
        since=f"vs {say.date(opening)}",
        good=good,
        part=found[name]["part"],
        whole=found[name]["whole"],
        noun=noun,
        reason=found[name]["reason"],
        spark=page.course(metric, column) if column else [],
        metric=[headline, metric],
    )
    for name, words, unit, good, noun, metric, column in FIGURES
}
moved = cards["arr"].change
grown = f", {moved.text} against {say.date(opening)}" if moved else ""
said = [f"ARR is {cards['arr'].value}{grown}"]
if cards["nrr"].value != say.UNKNOWN:
    said.append(f"net retention over twelve months is {cards['nrr'].value}, gross {cards['grr'].value}")
if cards["at_risk"].value != say.UNKNOWN:
    said.append(f"{cards['at_risk'].value} sits with {say.plural(found['at_risk']['part'], 'customer')} at risk")
page.answer(f"{'; '.join(said)}.")
page.figures(list(cards.values()))

left, right = page.columns(1, 1)
with left, page.guard():
    walk = page.metric("arr_walk", from_=opening)
    page.chart(
        portfolio.arr_walk(walk, opening, page.as_of),
        title=portfolio.arr_walk_title(walk, page.currency),
        caption=f"ARR, {page.currency}",
        metric=("arr_walk", {"from_": opening}),
        key="walk",
    )
with right, page.guard():
    mix = page.metric("health_mix")
    page.chart(
        portfolio.health_mix(mix, page.currency),
        title=portfolio.health_mix_title(page.metric("health_summary")),
        caption="Share of customers by health, every fourth week",
        metric="health_mix",
        key="mix",
    )
left, right = page.columns(1, 1)
with left, page.guard():
    trend = page.metric("retention_trend")
    page.chart(
        portfolio.retention_lines(trend, page.currency, page.config.min_accounts),
        title=f"Net retention is {cards['nrr'].value}, gross {cards['grr'].value}",
        caption="Revenue kept over the twelve months before, by month",
        metric="retention_trend",
        key="retention",
    )
with right, page.guard():
    ahead = page.metric("forecast")
    page.chart(
        portfolio.arr_fan(page.metric("retention_trend"), ahead),
        title=portfolio.arr_fan_title(ahead, page.currency),
        caption="ARR of today's customers with 50, 80 and 95% intervals; new ones are not guessed",
        metric="forecast",
        key="fan",
    )
with page.guard():
    page.table(
        page.metric("what_moved", from_=opening),
        {
            "name": shell.Col(label="Account"),
            "segment": shell.Col(label="Segment"),
            "csm": shell.Col(label="CSM"),
            "movement": shell.Col(label="What happened"),
            "opening": shell.Col(label=f"ARR {say.date(opening)}", kind="money"),
            "closing": shell.Col(label=f"ARR {say.date(page.as_of)}", kind="money"),
            "change": shell.Col(label="Change", kind="money"),
            "share": shell.Col(label="Share of all change", kind="percent"),
        },
        title="What moved: the accounts behind the change",
        caption="Largest change of ARR first",
        metric=("what_moved", {"from_": opening}),
        key="moved",
        empty="No account changed its ARR in this window.",
    )

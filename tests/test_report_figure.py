"""Every kind of chart as a Plotly figure: legal, in three states, readable on a phone."""

import datetime as dt
import itertools
import json
from typing import Any

import plotly.graph_objects as go
import pytest

from cs_metrics.report import chart as c
from cs_metrics.report import plotly_figure
from cs_metrics.report.palette import PALETTES, text_on

MONTHS = [dt.date(2025, month, 1) for month in range(1, 13)]
RISING: list[float | None] = [1.0 + month / 100 for month in range(12)]

CHARTS: dict[str, c.Chart] = {
    "line": c.Line(
        x=MONTHS,
        series=[c.Series(name="NRR", y=RISING), c.Series(name="GRR", y=[0.9] * 12, is_dashed=True)],
        unit="percent",
        marks=[c.Mark(label="Target", y=1.05), c.Mark(label="Launch", x=dt.date(2025, 6, 1))],
        bands=[c.Band(low=[0.9] * 12, high=[1.2] * 12)],
    ),
    "line of one point": c.Line(x=MONTHS[:1], series=[c.Series(name="NRR", y=[1.0])]),
    "line of nothing": c.Line(x=MONTHS, series=[c.Series(name="NRR", y=[None] * 12)]),
    "empty line": c.Line(x=[], series=[]),
    "line over periods": c.Line(x=[0, 1, 2], series=[c.Series(name="", y=[1, None, 0])], x_title="Period"),
    "bars": c.Bars(x=["a", "b"], series=[c.Series(name="x", y=[1, 0]), c.Series(name="y", y=[2, None])]),
    "stacked bars": c.Bars(
        x=["a", "b"], series=[c.Series(name="x", y=[1, -1]), c.Series(name="y", y=[2, 3])], is_stacked=True
    ),
    "stacked bars of nothing": c.Bars(x=[], series=[c.Series(name="x", y=[])], is_stacked=True),
    "lying bars": c.Bars(x=["a", "b"], series=[c.Series(name="", y=[1, 2])], is_horizontal=True, unit="money"),
    "shares": c.Bars(
        x=MONTHS,
        series=[
            c.Series(name="● Healthy", y=[5] * 12, colour="green"),
            c.Series(name="▲ Watch", y=[0] * 12, colour="yellow"),
        ],
        is_share=True,
    ),
    "shares of nothing": c.Bars(x=["a"], series=[c.Series(name="x", y=[0])], is_share=True),
    "waterfall": c.Waterfall(
        steps=[
            c.Step(label="Opening", value=100, is_total=True),
            c.Step(label="New", value=30, note="3 accounts"),
            c.Step(label="Churn", value=-50),
            c.Step(label="Closing", value=80, is_total=True),
        ]
    ),
    "heat-map": c.Heatmap(
        rows=["Jan", "Feb"], columns=["0", "1"], cells=[[1.0, 0.0], [0.5, None]], row_notes=["40", "12"]
    ),
    "heat-map of counts": c.Heatmap(rows=["a"], columns=[str(at) for at in range(40)], cells=[[7] * 40], unit="count"),
    "empty heat-map": c.Heatmap(rows=[], columns=[], cells=[]),
    "fan": c.Fan(
        past_x=MONTHS[:6],
        past=RISING[:6],
        x=MONTHS[6:],
        expected=RISING[6:],
        bands=[c.Band(low=[0.9] * 6, high=[1.3] * 6, level=0.95), c.Band(low=[1.0] * 6, high=[1.2] * 6, level=0.8)],
    ),
    "fan without a past": c.Fan(past_x=[], past=[], x=MONTHS, expected=RISING, bands=[]),
    "survival": c.Survival(
        curves=[
            c.Curve(name="did", time=[0, 90], share=[1, 0.9], low=[1, 0.8], high=[1, 0.95]),
            c.Curve(name="did not", time=[0, 60], share=[1, 0.4]),
        ],
        marks=[c.Mark(label="Day 90", x=90)],
    ),
    "no survival": c.Survival(curves=[]),
    "scatter": c.Scatter(
        points=[c.Point(x=0.1, y=0.2, name="A", group="g"), c.Point(x=1, y=1, name="B", group="h")],
        x_title="Predicted",
        y_title="Observed",
        diagonal=True,
    ),
    "empty scatter": c.Scatter(points=[], x_title="x", y_title="y"),
    "intervals": c.Intervals(names=["a", "b"], value=[0.2, None], low=[0.1, None], high=[0.3, None]),
    "flows": c.Sankey(flows=[c.Flow(source="red", target="green", value=3)], colours={"red": "red"}),
}


def drawn(name: str, **more: Any) -> dict[str, Any]:
    return plotly_figure.figure(CHARTS[name], **more)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_a_legal_figure(name: str, mode: Any) -> None:
    figure = drawn(name, mode=mode)
    go.Figure(data=figure["data"], layout=figure["layout"])  # checks every property
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_can_be_told_in_words(name: str) -> None:
    assert plotly_figure.describe(CHARTS[name], "ARR grew").endswith(("ARR grew.", "."))


def test_up_to_three_lines_are_named_at_their_ends_and_more_in_a_legend() -> None:
    few = drawn("line")["layout"]
    assert few["showlegend"] is False
    assert [note["text"] for note in few["annotations"]][-2:] == ["<b>NRR</b> 111.0%", "<b>GRR</b> 90.0%"]
    series = [c.Series(name=str(at), y=[at]) for at in range(4)]
    assert plotly_figure.figure(c.Line(x=[1], series=series))["layout"]["showlegend"] is True


def test_end_labels_do_not_touch() -> None:
    series = [c.Series(name=name, y=[1.0, 1.0]) for name in ("a", "b", "c")]
    notes = plotly_figure.figure(c.Line(x=[0, 1], series=series))["layout"]["annotations"]
    shifts = sorted(note["yshift"] for note in notes)
    assert all(b - a >= 15.9 for a, b in itertools.pairwise(shifts))


def test_bars_stand_on_zero() -> None:
    bars = c.Bars(x=["a", "b"], series=[c.Series(name="", y=[90, 100])], unit="count")
    assert plotly_figure.figure(bars)["layout"]["yaxis"]["range"][0] == 0


def test_shares_add_up_to_one_and_say_their_counts() -> None:
    shares = c.Bars(x=["a"], series=[c.Series(name="x", y=[1]), c.Series(name="y", y=[3])], is_share=True)
    first, second = plotly_figure.figure(shares)["data"]
    assert (first["y"], second["y"]) == ([0.25], [0.75])
    assert second["hovertext"] == ["y  <b>3</b> (75%)"]


def test_the_waterfall_hangs_each_change_between_its_levels() -> None:
    data = drawn("waterfall")["data"]
    assert [(one["base"][0], one["x"][0]) for one in data] == [(0, 100), (100, 30), (130, -50), (0, 80)]
    assert [note["text"] for note in drawn("waterfall")["layout"]["annotations"]] == [
        "<b>$100</b>",
        "+$30",
        "-$50",
        "<b>$80</b>",
    ]


def test_number_zero_and_not_yet_known_are_three_states() -> None:
    pale, deep, zero, unknown = drawn("heat-map")["data"]
    assert pale["z"] == [[None, None], [0.5, None]] or deep["z"] == [[1.0, None], [0.5, None]]
    assert zero["z"] == [[None, 0.0], [None, None]]
    assert unknown["z"] == [[None, None], [None, 0.0]]
    assert unknown["opacity"] == 0
    assert zero["text"] == [["", "0"], ["", ""]]
    assert unknown["hovertext"][1][1] == "Feb · 1<br>not yet known"


def test_the_forecast_starts_at_the_last_known_value() -> None:
    figure = drawn("fan")
    expected = figure["data"][-1]
    assert (expected["x"][0], expected["y"][0]) == ("2025-06-01", 1.05)
    assert "95%: $1 to $1" in expected["hovertext"][1]


def test_a_gap_stays_a_gap() -> None:
    figure = drawn("line over periods")
    assert figure["data"][0]["y"] == [1, None, 0]
    assert figure["data"][0]["connectgaps"] is False


def test_hover_says_value_and_note() -> None:
    line = c.Line(x=[0], series=[c.Series(name="Rate", y=[0.5], notes=["3 of 6 accounts"])], unit="percent")
    assert plotly_figure.figure(line)["data"][0]["hovertext"] == ["Rate  <b>50.0%</b>  3 of 6 accounts"]


def test_modes_have_their_own_colours_and_every_ink_is_readable() -> None:
    light, dark = drawn("line"), drawn("line", mode="dark")
    assert light["data"][2]["line"]["color"] == "#1F5FBF"
    assert dark["data"][2]["line"]["color"] == "#7FB2FF"
    assert [text_on(colour) for colour in ("#8C1007", "#F0C93A", "#FFFFFF")] == ["#FFFFFF", "#0F172A", "#0F172A"]
    for palette in PALETTES.values():
        assert len(palette.series) == 6


def test_values_turn_unknown_into_none() -> None:
    assert c.values([1, None, float("nan"), 0]) == (1.0, None, None, 0.0)


def test_the_plain_figure_is_handed_on_as_it_is() -> None:
    figure = drawn("line")
    assert plotly_figure.Plain(figure).to_dict() is figure

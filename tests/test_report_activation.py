"""The words and pictures of activation: the plateau in every case, the pooled row, three states, and what a click means."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from cs_metrics.report import activation as words
from cs_metrics.report import chart as c
from cs_metrics.report import plotly_cells, plotly_figure

ASKED = words.Asked(action="orders")
FOUND = {
    "is_found": True,
    "reason": "",
    "period": 6,
    "level": 0.614,
    "level_low": 0.56,
    "level_high": 0.67,
    "period_low": 5,
    "period_high": 8,
    "tail_slope": -0.001,
    "tail_loss": 0.02,
    "tail_loss_low": -0.05,
    "tail_loss_high": 0.09,
}


def plateau(reason: str = "", **more: Any) -> pd.DataFrame:
    none = {name: None for name in FOUND if reason and name.startswith(("period", "level"))}
    return pd.DataFrame([{**FOUND, **none, "is_found": not reason, "reason": reason, **more}])


@pytest.mark.parametrize(
    ("found", "title", "note", "sentence"),
    [
        (
            plateau(),
            "Activation settles at 61% from week 6 on",
            "from week 6 on",
            "61% of accounts settle into orders each week, from week 6 on.",
        ),
        (
            plateau("steep", tail_slope=-0.021),
            "Activation never flattens",
            "never flattens",
            "The curve of orders never flattens (-2.1 pp per week): the product may not meet its market.",
        ),
        (
            plateau("keeps_falling", tail_loss=0.44),
            "Activation never flattens",
            "never flattens",
            "The curve of orders never flattens: slowly, the same accounts go on to lose 44% of its level; "
            "the product may not meet its market.",
        ),
        (
            plateau("cohorts_differ"),
            "Older cohorts are lower: there is no one activation rate",
            "cohorts differ",
            "The curve of orders falls only because older cohorts are lower, while the same accounts stay: "
            "compare the cohorts before naming one rate.",
        ),
        (
            plateau("unsure"),
            "Whether activation flattens is not sure yet",
            "not sure yet",
            "Whether the curve of orders flattens cannot be told yet: too few accounts have been seen for long enough.",
        ),
        (
            plateau("nobody"),
            "Activation falls to nothing",
            "never flattens",
            "The curve of orders falls to nothing: the product may not meet its market.",
        ),
        (
            plateau("too_short"),
            "Activation by age of the account",
            "too few weeks",
            "There are too few complete weeks to say where orders settles.",
        ),
    ],
    ids=lambda one: one["reason"].iloc[0] or "found" if isinstance(one, pd.DataFrame) else "",
)
def test_the_plateau_in_words(found: pd.DataFrame, title: str, note: str, sentence: str) -> None:
    assert words.curve_title(found, ASKED) == title
    assert words.plateau_note(found, "week") == note
    assert words.settles(found, ASKED) == sentence


def test_the_plateau_with_all_its_intervals() -> None:
    assert words.plateau_detail(plateau(), ASKED) == (
        "Plateau 61.4% (56% to 67%) from week 6 (5 to 8) on, with 95% intervals; "
        "along it the level of the same accounts moves by -2% (-9% to +5%)."
    ).replace("56%", "56.0%").replace("67%", "67.0%")
    assert "moves by 0% (0% to 0%)" in words.plateau_detail(
        plateau(tail_loss=0.001, tail_loss_low=-0.001, tail_loss_high=0.0), ASKED
    )
    assert words.plateau_help(plateau()) == "95% interval 56.0% to 67.0%."
    assert words.plateau_help(plateau("steep")) == ""
    assert words.plateau_detail(plateau("nobody"), ASKED) == words.settles(plateau("nobody"), ASKED)


def test_of_an_unbounded_curve_no_plateau_is_told() -> None:
    later = words.Asked(action="orders", is_bounded=False)
    assert words.curve_title(plateau(), later) == "Accounts active in the week or later"
    assert "no plateau is sought" in words.plateau_detail(plateau(), later)
    chart = words.curves(shown(min_accounts=1), plateau(), later)
    assert (list(chart.marks), list(chart.bands)) == ([], [])


def test_periods_are_named_by_their_length() -> None:
    assert [words.step_word("days", days) for days in (1, 7, 14)] == ["day", "week", "period"]
    assert words.step_word("month", 7) == "month"


# The table: two monthly cohorts of nine and six, three weeks.


def table() -> pd.DataFrame:
    rows = [
        ("2024-01-01", 9, 0, 9, 6, 6 / 9, "2024-01-01", "2024-02-06"),
        ("2024-01-01", 9, 1, 9, 0, 0.0, "2024-01-08", "2024-02-13"),
        ("2024-01-01", 9, 2, 4, 1, None, "2024-01-15", "2024-02-20"),
        ("2024-02-01", 6, 0, 6, 3, 0.5, "2024-02-01", "2024-03-06"),
        ("2024-02-01", 6, 1, 3, 2, None, "2024-02-08", "2024-03-13"),
        ("2024-02-01", 6, 2, 0, None, None, "2024-02-15", "2024-03-20"),
    ]
    names = ["cohort", "cohort_size", "period", "eligible", "active", "rate", "from_day", "to_day"]
    frame = pd.DataFrame(rows, columns=names).astype({"active": "Int64", "rate": "float64"})
    for name in ("cohort", "from_day", "to_day"):
        frame[name] = pd.to_datetime(frame[name])
    return frame


SEGMENTS = words.Asked(action="orders", cohort="segment")


def by_segment() -> pd.DataFrame:
    return table().assign(cohort=["SMB"] * 3 + [""] * 3)


def shown(frame: pd.DataFrame | None = None, asked: words.Asked = ASKED, *, min_accounts: int = 5) -> list[words.Row]:
    return words.shown_rows(words.rows(table() if frame is None else frame, asked), asked, min_accounts)


def test_the_pooled_row_is_the_sum_of_the_rows() -> None:
    found = words.pooled(words.rows(table(), ASKED), 5)
    assert found.eligible.tolist() == [15, 12, 4]
    assert found.active.tolist() == [9, 2, 1]
    assert found.rate.tolist()[:2] == [9 / 15, 2 / 12]
    assert pd.isna(found.rate[2]), "four are too few for a rate"
    assert found.size == 15
    assert (str(found.first[1]), str(found.last[1])) == ("2024-01-08", "2024-03-13")
    frame = table().assign(eligible=0, active=pd.array([None] * 6, dtype="Int64"))
    nobody = words.pooled(words.rows(frame, ASKED), 5)
    assert pd.isna(nobody.active).all() and pd.isna(nobody.rate).all() and not nobody.known
    assert words.rows(table().iloc[:0], ASKED) == []


def test_the_heat_map_begins_with_all_and_draws_number_zero_counts_and_blank_apart() -> None:
    chart = words.matrix(shown(), ASKED)
    assert chart.rows == ["All", "Jan 2024", "Feb 2024"]
    assert chart.row_notes == ["15", "9", "6"]
    assert chart.columns == ["0", "1", "2"]
    assert chart.cells == [(0.6, 2 / 12, None), (6 / 9, 0.0, None), (0.5, None, None)]
    assert chart.texts[2] == ["3/6", "2/3", ""]
    assert chart.notes[1] == [
        "6 of 9 accounts<br>1 Jan 2024 to 6 Feb 2024",
        "0 of 9 accounts<br>8 Jan 2024 to 13 Feb 2024",
        "1 of 4 accounts, not yet over for 5 more<br>15 Jan 2024 to 20 Feb 2024",
    ]
    assert chart.notes[2][2] == "not yet over<br>15 Feb 2024 to 20 Mar 2024"
    layers = plotly_figure.figure(chart)["data"]
    drawn = [[[cell is not None for cell in row] for row in layer["z"]] for layer in layers]
    for r, k in ((0, 0), (1, 1), (2, 1), (2, 2)):
        states = [at for at, cells in enumerate(drawn) if cells[r][k] and at]
        assert len(states) == 1, "each cell belongs to one state"
    assert drawn[0] == [[False, False, True], [False, False, True], [False, True, False]], (
        "counts stand where no rate is"
    )
    assert layers[0]["text"][2] == ["", "2/3", ""]


def test_rows_of_a_column_stand_by_size_with_the_empty_value_named() -> None:
    frame = pd.concat([by_segment().iloc[3:], by_segment().iloc[:3]], ignore_index=True)
    drawn = shown(frame, SEGMENTS, min_accounts=1)
    assert [one.key for one in drawn] == ["", "SMB", "(empty)"]
    assert words.matrix(drawn, SEGMENTS).rows == ["All", "SMB", "(empty)"]
    segments, months = words.rows(by_segment(), SEGMENTS), words.rows(table(), ASKED)
    assert words.cohort_choices(segments, SEGMENTS) == {"": "All cohorts", "SMB": "SMB", "(empty)": "(empty)"}
    assert list(words.cohort_choices(months, ASKED)) == ["", "2024-02-01", "2024-01-01"]


def test_the_curves_are_the_same_table_with_the_plateau_on_the_pooled_line() -> None:
    chart = words.curves(shown(), plateau(period=1), ASKED)
    grid = words.matrix(shown(), ASKED)
    assert [one.name for one in (*chart.series, *chart.context)] == grid.rows
    assert [one.y for one in (*chart.series, *chart.context)] == grid.cells
    assert [one.notes for one in (*chart.series, *chart.context)] == grid.notes
    assert chart.bands[0].low == [None, 0.56, 0.56]
    assert chart.marks[0].y == 0.614
    assert words.curves(shown(), plateau("steep"), ASKED).bands == []


def test_a_few_segments_are_named_lines_that_can_be_clicked() -> None:
    rows = shown(by_segment(), SEGMENTS, min_accounts=1)
    chart = words.curves(rows, plateau("steep"), SEGMENTS)
    assert [one.name for one in chart.series] == ["All", "SMB", "(empty)"]
    assert not chart.context and words.legend(2, 2, SEGMENTS, "curves") == ""
    targets = plotly_figure.figure(chart, has_targets=True)["data"][-1]
    named = dict(zip(map(tuple, targets["customdata"]), targets["hovertext"], strict=True))
    assert [named[at, 0].split("  ")[0] for at in range(3)] == ["All", "SMB", "(empty)"]


def test_a_late_plateau_is_shown_as_far_as_it_reaches() -> None:
    long = shown(pd.concat([table().iloc[[0]].assign(period=week) for week in range(150)]))
    assert len(words.curves(long, plateau(), ASKED).x) == 53
    assert len(words.curves(long, plateau(period=60), ASKED).x) == 120


def test_only_the_newest_or_largest_cohorts_are_shown_and_the_words_say_so() -> None:
    months = pd.date_range("2022-01-01", periods=20, freq="MS")
    many = shown(pd.concat([table().iloc[:3].assign(cohort=month) for month in months]))
    assert (len(many), many[1].key, many[-1].key) == (15, "2022-07-01", "2023-08-01")
    assert words.legend(8, 20, ASKED, "curves") == "Blue: all 20 cohorts together. Grey: the 8 newest."
    assert "the sum of all 20 cohorts, the 14 newest below" in words.legend(14, 20, ASKED, "heatmap")
    assert "the 3 largest below" in words.legend(3, 20, SEGMENTS, "heatmap")
    assert "below" not in words.legend(2, 2, ASKED, "heatmap")


# Clicks.


def test_what_is_clicked_is_the_cell_that_the_hover_names() -> None:
    chart = words.matrix(shown(), ASKED)
    figure = plotly_figure.figure(chart, has_targets=True)
    targets, layers = figure["data"][-1], figure["data"][:-1]
    assert {one["hoverinfo"] for one in layers} == {"skip"}
    assert not any("hovertemplate" in one for one in layers), "only the point that can be clicked answers the pointer"
    assert len(targets["x"]) == 9
    for x, y, text, (row, column) in zip(
        *(targets[name] for name in ("x", "y", "hovertext", "customdata")), strict=True
    ):
        assert (x, y) == (str(column), row)
        assert text.startswith(f"{chart.rows[row]} · Week {column}<br>")
        assert text.endswith(chart.notes[row][column])


def test_points_of_lines_can_be_clicked_where_there_is_a_number() -> None:
    chart = words.curves(shown(), plateau(period=1), ASKED, chosen=("2024-01-01", 1))
    targets = plotly_figure.figure(chart, has_targets=True)["data"][-1]
    assert sorted(targets["customdata"]) == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0]]
    named = dict(zip(map(tuple, targets["customdata"]), targets["hovertext"], strict=True))
    assert named[1, 1].startswith("Jan 2024  <b>0%</b>") or named[1, 1].startswith("Jan 2024  <b>0.0%</b>")
    assert named[0, 0].startswith("All  <b>60.0%</b>")


def test_figures_with_targets_are_what_plotly_understands() -> None:
    grid, lines = words.matrix(shown(), ASKED, chosen=("", 1)), words.curves(shown(), plateau(), ASKED, chosen=("", 1))
    for chart in (grid, lines):
        go.Figure(plotly_figure.figure(chart, has_targets=True))
    with pytest.raises(TypeError, match="Intervals has no cells"):
        plotly_figure.figure(c.Intervals(names=["a"], value=[1], low=[0], high=[2]), has_targets=True)


@pytest.mark.parametrize(
    ("points", "cell"),
    [
        ([{"customdata": [2, 5]}], (2, 5)),
        ([{"x": 1}, {"customdata": [0, 0]}], (0, 0)),
        ([], None),
        ([{"customdata": [-1, 0]}], None),
        ([{"customdata": ["1", 0]}], None),
        ([{"customdata": [1]}], None),
        ([{"customdata": True}], None),
    ],
)
def test_a_click_from_a_browser_is_checked(points: Any, cell: Any) -> None:
    assert plotly_cells.clicked(points) == cell


def test_the_chosen_cell_is_framed_in_both_views() -> None:
    grid = words.matrix(shown(), ASKED, chosen=("2024-02-01", 1))
    frame = plotly_figure.figure(grid)["layout"]["shapes"][-1]
    assert (frame["x0"], frame["x1"], frame["y0"], frame["y1"]) == (0.5, 1.5, 1.5, 2.5)
    lines = words.curves(shown(), plateau(), ASKED, chosen=("", 1))
    ring = plotly_figure.figure(lines)["data"][0]
    assert (ring["x"], ring["y"], ring["showlegend"]) == ([1], [2 / 12], False)
    assert words.matrix(shown(), ASKED, chosen=("2020-01-01", 1)).chosen is None
    assert words.curves(shown(), plateau(), ASKED, chosen=("2020-01-01", 1)).chosen is None


@pytest.mark.parametrize(
    ("states", "asked", "title"),
    [
        ([True, False, None], ASKED, "Mar 2024, week 4: 1 of 2 accounts was active"),
        ([None, None], ASKED, "Mar 2024, week 4: not yet over for any of 2 accounts"),
        (
            [True],
            words.Asked(action="x", unit="user", step="month", is_bounded=False),
            "Mar 2024, month 4: 1 of 1 user was active then or later",
        ),
    ],
)
def test_the_list_behind_a_cell_says_how_many_were_active(states: Any, asked: words.Asked, title: str) -> None:
    active = pd.array(states, dtype="boolean")
    accounts = pd.DataFrame({"is_eligible": ~active.isna(), "is_active": active})
    assert words.cell_title(accounts, "Mar 2024", 4, asked) == title
    names = {True: "Active", False: "Not active", None: "Not yet known"}
    assert words.states(accounts) == [names[one] for one in states]
